"""The fast recipe beside lesson 8's, each in minigrad and in PyTorch, in one interleaved run.

`python -m benchmarks.speedrun.beside TEXT [--size default] [--store]`. The four take turns, each in a
process of its own: a twentieth of its training each time. In the small size (track 1.88) all four are
trained to their end, and their losses are measured by the rules. In the default size (track 1.617),
of lesson 8's 2048 steps only every twentieth part of 100 is timed, and the rest is computed from it.
Run it with nothing else running.
"""

import argparse
import importlib.util
import json
import sys
import time
from pathlib import Path

from benchmarks import store
from benchmarks.speedrun.rules import WINDOW, read_recipe
from benchmarks.speedrun.run import make_trainer, measured_loss, shakespeare, two_cores
from benchmarks.turns import take_turns
from minigrad import random
from minigrad.data import TextDataset
from minigrad.op import as_array

RECIPES = Path(__file__).parent / "recipes"
TURNS = 20
SIZES = {"small": ("small_fast", "small_gpt2"), "default": ("default_fast", "default_gpt2")}
TIMED = {"default_gpt2": 100}  # steps that are run of a training that takes too long
LIBRARIES = "minigrad", "PyTorch"


def training(name, library, text):
    """(trainer, step): minigrad's trainer of a recipe, and a function that does a step."""
    random.manual_seed(0)
    recipe = read_recipe(RECIPES / f"{name}.json")
    dataset = TextDataset(text.training, recipe.model.get("context_size", WINDOW))
    trainer = make_trainer(recipe, dataset, text.vocab_size, seed=0)
    if library == "minigrad":
        return trainer, trainer.step
    import torch

    from benchmarks.torch_fast import TorchFastGPT, TorchFastTrainer
    from benchmarks.torch_gpt2 import TorchGPT2, TorchTrainer

    model_class, trainer_class = {
        "fast": (TorchFastGPT, TorchFastTrainer),
        "gpt2": (TorchGPT2, TorchTrainer),
    }[recipe.base]
    torch.manual_seed(0)
    twin = model_class(trainer.model.config)
    twin.load_minigrad(trainer.model)
    theirs = trainer_class(twin, trainer.config)

    def step():
        loss = theirs.step(*map(as_array, trainer.batch()))
        trainer.steps += 1
        return loss

    def finish():
        state = {key: value.numpy() for key, value in theirs.model.state_dict().items()}
        trainer.model.load_state_dict(state)

    trainer.finish = finish
    return trainer, step


def serve(name, library, path):
    """For each line on the standard input: a turn, its seconds, and at the end the loss."""
    two_cores()
    text = shakespeare(path)
    trainer, step = training(name, library, text)
    steps = TIMED.get(name, trainer.config.num_steps)
    for _ in sys.stdin:
        start = time.perf_counter()
        for _ in range(steps // TURNS):
            step()
        seconds, loss = time.perf_counter() - start, None
        if trainer.steps == trainer.config.num_steps:
            getattr(trainer, "finish", lambda: None)()
            loss = measured_loss(trainer.model.eval(), TextDataset(text.validation, WINDOW))
        print(json.dumps([seconds, trainer.config.num_steps / steps, loss]), flush=True)


def promises(size, found):
    """The seconds of each training, as rows for the page."""
    command = f"python -m benchmarks.speedrun.beside TEXT --size {size} --store"
    for way, row in found.items():
        yield store.row(f"speed-run, {size} size, {way}", f"{row['seconds']:.0f}", command, "s")


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("text", metavar="TEXT", help="tinyshakespeare's input.txt")
    parser.add_argument("--size", choices=SIZES, default="small")
    parser.add_argument("--store", action="store_true", help="keep the results")
    parser.add_argument("--serve", nargs=2, metavar="WAY", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve:
        return serve(*options.serve, options.text)
    libraries = LIBRARIES if importlib.util.find_spec("torch") else LIBRARIES[:1]
    ways = [(name, library) for name in SIZES[options.size] for library in libraries]
    module = ["-m", "benchmarks.speedrun.beside", options.text, "--serve"]
    commands = {f"{name}, {library}": [*module, name, library] for name, library in ways}
    found = {way: {"seconds": 0.0, "loss": None} for way in commands}
    for way, (seconds, scale, loss) in take_turns(commands, TURNS):
        found[way]["seconds"] += seconds * scale
        found[way]["loss"] = loss
    first = found[next(iter(found))]["seconds"]
    for way, row in found.items():
        row["ratio"] = row["seconds"] / first
        loss = "not trained to its end" if row["loss"] is None else f"loss {row['loss']:.3f}"
        print(f"{way:24s} {row['seconds']:7.1f} s  {row['ratio']:5.2f}   {loss}")
    if options.store:
        store.write(f"speedrun_{options.size}", found, promises(options.size, found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
