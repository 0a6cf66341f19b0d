"""A training step of minigrad beside one of PyTorch, in one interleaved run.

`python -m benchmarks.training [--repeats N] [--json FILE] [--chart FILE]` times, for two sizes of
model and the same batches: minigrad in a plain loop (NumPy's BLAS on all cores), minigrad with
workers (the batch split over threads), PyTorch eager at its best, and the model's matrix products
alone. It prints the median and the quartiles of each, the ratio to PyTorch pair by pair, the peak
memory of each in a process of its own, and how far the gradients differ. Without PyTorch its column
is missing. Run it with nothing else running.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import minigrad as mg
from minigrad.data import TextDataset
from minigrad.gpt2_shakespeare import GPT2, GPT2Config, Recipe, Trainer

VOCABULARY = 65
SIZES = {
    "default": ({}, 32),
    "small": ({"num_blocks": 4, "num_heads": 4, "embedding_dim": 128}, 12),
}
CORES = min(2, os.cpu_count() or 1)


def dataset():
    """Random tokens: the time of a step does not depend on what they say."""
    return TextDataset(np.random.default_rng(0).integers(VOCABULARY, size=100_000), 64)


def minigrad_step(size, workers):
    """A function that makes one training step of minigrad, and its trainer."""
    options, batch_size = SIZES[size]
    mg.manual_seed(0)
    model = GPT2(GPT2Config(vocab_size=VOCABULARY, **options))
    trainer = Trainer(model, dataset(), Recipe(batch_size=batch_size, workers=workers))
    return trainer.step, trainer


def pytorch_step(size):
    """A function that makes one training step of PyTorch on the same batches, and its trainer."""
    import torch

    from benchmarks.torch_gpt2 import TorchGPT2, TorchTrainer

    torch.set_num_threads(CORES)
    _, ours = minigrad_step(size, 1)
    model = TorchGPT2(ours.model.config)
    model.load_minigrad(ours.model)
    trainer = TorchTrainer(model, ours.recipe, fused=True)

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
    "minigrad": lambda size: minigrad_step(size, 1),
    "minigrad, workers": lambda size: minigrad_step(size, CORES),
    "PyTorch": pytorch_step,
    "matrix products": matrix_products,
}


def available():
    """The ways that can be measured here."""
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError:
        return [way for way in WAYS if way != "PyTorch"]
    return list(WAYS)


def measure(size, repeats):
    """{way: seconds of each repeat}; the ways take turns, so that all meet the same machine."""
    steps = {way: WAYS[way](size)[0] for way in available()}
    for step in steps.values():
        step(), step()  # memory is allocated, threads are started
    seconds = {way: [] for way in steps}
    for _ in range(repeats):
        for way, step in steps.items():
            start = time.perf_counter()
            step()
            seconds[way].append(time.perf_counter() - start)
    return seconds


def peak_memory(size, way):
    """The peak memory, in MB, of a process that makes three steps in one way; None but on Linux."""
    code = (
        "from benchmarks.training import WAYS, own_peak; "
        f"step, _ = WAYS[{way!r}]({size!r}); [step() for _ in range(3)]; print(own_peak())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    return json.loads(done.stdout)


def own_peak():
    """The peak memory of this process in MB, as JSON."""
    status = Path("/proc/self/status")
    if not status.exists():
        return "null"
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


def table(size, repeats):
    """{way: quartiles, ratios and memory} of one size, and how far the gradients differ."""
    seconds = measure(size, repeats)
    rows = {}
    for way, times in seconds.items():
        rows[way] = {"quartiles": np.percentile(times, [25, 50, 75]).tolist()}
        rows[way]["memory"] = peak_memory(size, way)
        if "PyTorch" in seconds:
            ratios = np.divide(times, seconds["PyTorch"])
            rows[way]["ratio"] = np.percentile(ratios, [25, 50, 75]).tolist()
    difference = gradient_difference(size) if "PyTorch" in seconds else None
    return {"rows": rows, "gradient difference": difference, "repeats": repeats}


def show(size, result):
    print(f"\n{size}: {result['repeats']} steps each, {CORES} threads")
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


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repeats", type=int, default=15, help="steps of each (default: 15)")
    parser.add_argument("--json", metavar="FILE", help="write the table as JSON")
    parser.add_argument("--chart", metavar="FILE", help="draw the medians as a PNG")
    options = parser.parse_args(arguments)
    results = {}
    for size in SIZES:
        results[size] = table(size, options.repeats * (5 if size == "small" else 1))
        show(size, results[size])
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            file.write(json.dumps(results, indent=1) + "\n")
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
