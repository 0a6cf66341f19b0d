"""A training step of minigrad beside one of PyTorch, in one interleaved run.

`python -m benchmarks.training [--turns N] [--store [NAME]] [--chart FILE]` times, for two sizes of
model and the same batches: minigrad in a plain loop, `loss.backward()` and `AdamW` (NumPy's BLAS on
all cores); minigrad's `Trainer` with workers (the batch split over threads); PyTorch eager at its
best; and the model's matrix products alone. Each lives in a process of its own, so that nobody's
idle threads or memory settings touch another, and they take turns of a few steps. It prints the
median and the quartiles of each, the ratio to PyTorch turn by turn, the peak memory, and how far
the gradients differ. Without PyTorch its row is missing. Run it with nothing else running.
"""

import argparse
import importlib.util
import json
import os
import re
import sys
import time
from pathlib import Path

import numpy as np

import minigrad as mg
from benchmarks import store
from benchmarks.turns import take_turns
from minigrad.data import TextDataset
from minigrad.gpt2_shakespeare import GPT2, GPT2Config, Trainer, TrainingConfig
from minigrad.support.memory import keep_freed_memory

VOCABULARY = 65
SIZES = {
    "default": ({}, 32),
    "small": ({"num_blocks": 4, "num_heads": 4, "embedding_dim": 128}, 12),
}
CORES = min(2, os.cpu_count() or 1)


def dataset():
    """Random tokens: the time of a step does not depend on what they say."""
    return TextDataset(np.random.default_rng(0).integers(VOCABULARY, size=100_000), 64)


def plain_step(size):
    """A function that makes one training step of minigrad in a loop of one's own."""
    options, batch_size = SIZES[size]
    mg.manual_seed(0)
    keep_freed_memory()
    model = GPT2(GPT2Config(vocab_size=VOCABULARY, **options))
    optimizer = mg.optim.AdamW(model.parameters(), lr=1e-3)
    data, generator = dataset(), np.random.default_rng(0)

    def step():
        inputs, targets = data.sample(batch_size, generator)
        loss = mg.nn.cross_entropy_loss(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        mg.optim.clip_grad_norm_(optimizer.parameters, 1.0)
        optimizer.step()

    return step, None


def minigrad_step(size, workers):
    """A function that makes one training step of minigrad, and its trainer."""
    options, batch_size = SIZES[size]
    mg.manual_seed(0)
    model = GPT2(GPT2Config(vocab_size=VOCABULARY, **options))
    trainer = Trainer(model, dataset(), TrainingConfig(batch_size=batch_size, workers=workers))
    return trainer.step, trainer


def pytorch_step(size):
    """A function that makes one training step of PyTorch on the same batches, and its trainer."""
    return pytorch_twin(minigrad_step(size, 1)[1])


def pytorch_twin(ours):
    """The same for any trainer of minigrad: from its weights, on its batches."""
    import torch

    from benchmarks.torch_gpt2 import TorchGPT2, TorchTrainer

    torch.set_num_threads(CORES)
    model = TorchGPT2(ours.model.config)
    model.load_minigrad(ours.model)
    trainer = TorchTrainer(model, ours.config, fused=True)

    def step():
        ours.steps = trainer.steps
        inputs, targets = ours.batch()
        return trainer.step(inputs.data, targets.data)

    return step, trainer


def matrix_products(size):
    """A function that makes the matrix products of one training step, and nothing else."""
    options, batch_size = SIZES[size]
    c = GPT2Config(vocab_size=VOCABULARY, **options)
    B, T, C, H = batch_size, c.context_size, c.embedding_dim, c.num_heads
    N, D = B * T, C // H
    random = np.random.default_rng(0)

    def normal(*shape):
        return random.standard_normal(shape, dtype=np.float32)

    layers = [(C, 3 * C), (C, C), (C, 4 * C), (4 * C, C)] * c.num_blocks + [(C, VOCABULARY)]
    linear = [(normal(N, i), normal(o, i), normal(N, o)) for i, o in dict.fromkeys(layers)]
    by_shape = {(x.shape[1], w.shape[0]): (x, w, g) for x, w, g in linear}
    q, s = normal(B, H, T, D), normal(B, H, T, T)

    def step():
        for shape in layers:
            x, w, g = by_shape[shape]
            x @ w.T, g @ w, g.T @ x
        for _ in range(c.num_blocks):
            for _ in range(2):
                q @ q.swapaxes(-1, -2), s @ q
            s.swapaxes(-1, -2) @ q, s.swapaxes(-1, -2) @ q

    return step, None


WAYS = {
    "minigrad": plain_step,
    "minigrad, workers": lambda size: minigrad_step(size, CORES),
    "PyTorch": pytorch_step,
    "matrix products": matrix_products,
}
STEPS = {"default": 3, "small": 15}  # in one turn


def available():
    """The ways that can be measured here."""
    if importlib.util.find_spec("torch") is None:
        return [way for way in WAYS if way != "PyTorch"]
    return list(WAYS)


def serve(size, way):
    """Answer each line on the standard input with the seconds of a turn's steps, as JSON."""
    step, _ = WAYS[way](size)
    step(), step()  # memory is allocated
    for _ in sys.stdin:
        step()  # threads wake up
        seconds = []
        for _ in range(STEPS[size]):
            start = time.perf_counter()
            step()
            seconds.append(time.perf_counter() - start)
        print(json.dumps({"seconds": seconds, "memory": own_peak()}), flush=True)


def measure(size, turns):
    """{way: {"seconds": one list for each turn, "memory": the peak in MB}}, the ways in turns."""
    commands = {way: ["-m", "benchmarks.training", "--serve", size, way] for way in available()}
    found = {way: {"seconds": [], "memory": None} for way in commands}
    for way, answer in take_turns(commands, turns):
        found[way]["seconds"].append(answer["seconds"])
        found[way]["memory"] = answer["memory"]
    return found


def own_peak():
    """The peak memory of this process in MB; None but on Linux."""
    status = Path("/proc/self/status")
    if not status.exists():
        return None
    # Not getrusage: its figure begins with the memory of the process that started this one.
    return int(re.search(r"VmHWM:\s+(\d+)", status.read_text(encoding="utf-8"))[1]) / 1024


def gradient_difference(size):
    """How far a gradient differs from PyTorch's at most, against its largest entry."""
    ours_step, ours = minigrad_step(size, CORES)
    their_step, theirs = pytorch_step(size)
    ours_step(), their_step()
    their = dict(theirs.model.named_parameters())
    worst = 0.0
    for name, parameter in ours.model.named_parameters():
        g = their[name].grad.numpy()
        worst = max(worst, float(np.abs(parameter.grad - g).max() / np.abs(g).max()))
    return worst


def table(size, turns):
    """{way: quartiles, ratios and memory} of one size, and how far the gradients differ."""
    found = measure(size, turns)
    medians = {way: np.median(row["seconds"], axis=1) for way, row in found.items()}
    rows = {}
    for way, row in found.items():
        rows[way] = {"quartiles": np.percentile(row["seconds"], [25, 50, 75]).tolist()}
        rows[way]["memory"] = row["memory"]
        if "PyTorch" in found:
            ratios = medians[way] / medians["PyTorch"]
            rows[way]["ratio"] = np.percentile(ratios, [25, 50, 75]).tolist()
    difference = gradient_difference(size) if "PyTorch" in found else None
    return {"rows": rows, "gradient difference": difference, "turns": turns}


def show(size, result):
    steps = result["turns"] * STEPS[size]
    print(f"\n{size}: {steps} steps each in {result['turns']} turns, {CORES} threads")
    heads = f"{'':20s} {'median':>9s} {'quartiles':>19s} {'to PyTorch':>11s}"
    print(f"{heads} {'quartiles':>13s} {'MB':>6s}")
    for way, row in result["rows"].items():
        low, middle, high = (1000 * t for t in row["quartiles"])
        line = f"{way:20s} {middle:6.0f} ms {low:8.0f} – {high:5.0f} ms"
        if "ratio" in row:
            low, middle, high = row["ratio"]
            line += f" {middle:10.2f}x {low:6.2f} – {high:.2f}"
        print(line + ("" if row["memory"] is None else f" {row['memory']:7.0f}"))
    if result["gradient difference"] is not None:
        print(f"gradients differ by {result['gradient difference']:.1e} of their largest entry")


def promises(results, name):
    """Time and memory of a step with workers beside PyTorch's, as rows for the page."""
    machine = {"training": "EPYC", "training_xeon": "Xeon"}.get(name, name)
    for size, result in results.items():
        ours, theirs = result["rows"]["minigrad, workers"], result["rows"].get("PyTorch")
        if theirs is None:
            continue
        memory = ours["memory"] / theirs["memory"]
        for what, value in (("time", ours["ratio"][1]), ("memory", memory)):
            yield store.row(
                f"{what} of a training step, {size} model, two workers, {machine}, PyTorch = 1",
                f"{value:.2f}",
                f"python -m benchmarks.training --store {name}",
                "times PyTorch",
            )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--turns", type=int, default=15, help="turns of each (default: 15)")
    store.add_option(parser, "training")
    parser.add_argument("--chart", metavar="FILE", help="draw the medians as a PNG")
    parser.add_argument("--serve", nargs=2, metavar=("SIZE", "WAY"), help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve:
        return serve(*options.serve)
    results = {}
    for size in SIZES:
        results[size] = table(size, options.turns)
        show(size, results[size])
    if options.store:
        store.write(options.store, results, promises(results, options.store))
    if options.chart:
        from course import draw

        with draw.to_file(options.chart):
            draw.bars(
                {
                    way: {size: 1000 * results[size]["rows"][way]["quartiles"][1] for size in SIZES}
                    for way in results["small"]["rows"]
                },
                xlabel="milliseconds for a training step",
                digits=0,
                caption="A training step of minigrad and of PyTorch.",
            )


if __name__ == "__main__":
    main()
