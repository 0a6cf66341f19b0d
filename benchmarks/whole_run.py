"""The small recipe's whole training beside PyTorch's, evaluations and all.

`python -m benchmarks.whole_run TEXT [--store]` trains minigrad (with workers, and in one
thread of Python) and PyTorch on the same batches, each in a process of its own, in turns of 100
steps; every 500 steps 200 batches of training text and 200 of validation text are evaluated.
Prints the seconds of each, and the last validation loss. Run it with nothing else running.
"""

import argparse
import importlib.util
import json
import sys
import time

import numpy as np

import minigrad as mg
from benchmarks import store
from benchmarks.training import CORES, SIZES, pytorch_twin
from benchmarks.turns import take_turns
from minigrad.apps.cli import evaluate_each
from minigrad.data import CharTokenizer, TextDataset, load_text, train_validation_split
from minigrad.gpt2_shakespeare import GPT2, GPT2Config, Trainer, TrainingConfig

STEPS, TURN, REPORT, BATCHES, WINDOWS = 2000, 100, 500, 200, 32


def ours(text, workers):
    """A trainer of minigrad, and the two datasets to evaluate on."""
    characters = load_text(text)
    tokenizer = CharTokenizer(characters)
    parts = train_validation_split(tokenizer.encode(characters))
    options, batch_size = SIZES["small"]
    mg.manual_seed(0)
    config = GPT2Config(vocab_size=tokenizer.vocab_size, **options)
    datasets = [TextDataset(part, config.context_size) for part in parts]
    training = TrainingConfig(num_steps=STEPS, batch_size=batch_size, workers=workers)
    return Trainer(GPT2(config), datasets[0], training), datasets


def minigrad_way(text, workers):
    """(step, report): one step of training, and both losses."""
    trainer, datasets = ours(text, workers)
    return trainer.step, lambda: evaluate_each(trainer, datasets, BATCHES, WINDOWS)


def pytorch_way(text):
    """The same in PyTorch, on the same batches and windows, from the same weights."""
    import torch
    from torch.nn import functional as F

    twin, datasets = ours(text, 1)
    step, trainer = pytorch_twin(twin)
    model = trainer.model

    @torch.inference_mode()
    def loss_on(data):
        generator, losses = np.random.default_rng(0), []
        for _ in range(BATCHES):
            inputs, targets = (torch.from_numpy(x.data) for x in data.sample(WINDOWS, generator))
            losses.append(F.cross_entropy(model(inputs).flatten(0, 1), targets.flatten()).item())
        return float(np.mean(losses))

    return step, lambda: [loss_on(data) for data in datasets]


WAYS = {
    "minigrad": lambda text: minigrad_way(text, 1),
    "minigrad, workers": lambda text: minigrad_way(text, CORES),
    "PyTorch": pytorch_way,
}


def serve(way, text):
    """For each line on the standard input: a turn of training, its seconds and the losses."""
    step, report = WAYS[way](text)
    done, losses = 0, None
    for _ in sys.stdin:
        start = time.perf_counter()
        for _ in range(TURN):
            step()
        done += TURN
        if done % REPORT == 0:
            losses = report()
        print(json.dumps([time.perf_counter() - start, losses]), flush=True)


def promises(found):
    """The time of each way beside PyTorch's, as rows for the page."""
    for way, row in found.items():
        if "ratio" in row and way != "PyTorch":
            yield store.row(
                f"time of the small recipe's 2000 steps, {way}, PyTorch = 1",
                f"{row['ratio']:.2f}",
                "python -m benchmarks.whole_run TEXT --store",
                "times PyTorch",
            )


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("text", metavar="TEXT", help="the text file to train on")
    store.add_option(parser, "whole_run")
    parser.add_argument("--serve", metavar="WAY", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve:
        return serve(options.serve, options.text)
    torch = importlib.util.find_spec("torch") is not None
    serve_way = ["-m", "benchmarks.whole_run", options.text, "--serve"]
    commands = {way: [*serve_way, way] for way in WAYS if torch or way != "PyTorch"}
    found = {way: {"seconds": 0.0, "losses": None} for way in commands}
    for way, (seconds, losses) in take_turns(commands, STEPS // TURN):
        found[way]["seconds"] += seconds
        found[way]["losses"] = losses
    for way, row in found.items():
        line = f"{way:20s} {row['seconds']:6.1f} s"
        if "PyTorch" in found:
            row["ratio"] = row["seconds"] / found["PyTorch"]["seconds"]
            line += f"  {row['ratio']:.2f} x PyTorch"
        print(f"{line}   validation loss {row['losses'][1]:.3f}")
    if options.store:
        store.write(options.store, found, promises(found))


if __name__ == "__main__":
    main()
