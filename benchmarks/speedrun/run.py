"""One run of a recipe: its loss, its seconds and its size."""

import importlib.util
import math
import os
import platform
import time
from dataclasses import asdict, dataclass
from functools import partial

import numpy as np

from benchmarks.speedrun.rules import (
    BASES,
    BATCH_SIZE,
    BATCHES,
    CORES,
    WINDOW,
    Refused,
    check_model,
)
from minigrad import random
from minigrad.backprop import no_grad
from minigrad.data import CharTokenizer, TextDataset, load_text, train_validation_split
from minigrad.functional import cross_entropy_loss
from minigrad.support.threads import side_by_side

CHARACTERS = 1_115_394  # of tinyshakespeare


@dataclass(frozen=True)
class Text:
    """The public text in tokens: what is learned from, and what is only measured on."""

    training: object
    validation: object
    vocab_size: int


def shakespeare(path):
    """The tokens of the public text, split 90/10; Refused where the file is another one."""
    try:
        text = load_text(path)
    except (OSError, ValueError) as error:
        raise Refused(str(error)) from None
    if len(text) != CHARACTERS:
        raise Refused(
            f"{path} has {len(text):,} characters, tinyshakespeare {CHARACTERS:,}: "
            "fetch input.txt of char-rnn (docs/speedrun.md says where)"
        )
    tokenizer = CharTokenizer(text)
    training, validation = train_validation_split(tokenizer.encode(text))
    return Text(training.copy(), validation, tokenizer.vocab_size)  # no way from one to the other


def two_cores():
    """Keep this process on two cores, where the system lets it; returns how many it may use."""
    try:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux: the reader sees to it
        return os.cpu_count()


def make_trainer(recipe, dataset, vocab_size, seed):
    """The trainer of a recipe, from its module's `make_trainer` if it has a module."""
    model = recipe.model | {"vocab_size": vocab_size}
    training = {"workers": CORES} | recipe.training | {"seed": seed}
    if recipe.module:
        return _load(recipe.module).make_trainer(model, training, dataset)
    model_config, training_config, model_class, trainer = BASES[recipe.base]
    return trainer(model_class(model_config(**model)), dataset, training_config(**training))


def _load(path):
    spec = importlib.util.spec_from_file_location(f"speedrun_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(recipe, seed, text):
    """{"seed", "loss", "seconds", "core_seconds", "steps", "parameters"} of one training; Refused where it fails.

    The clock runs from before the model is built until it is trained. Only then is the validation
    text touched.
    """
    context = recipe.model.get("context_size", WINDOW)
    dataset = TextDataset(text.training, context)
    random.manual_seed(seed)
    start, start_of_cores = time.perf_counter(), time.process_time()
    trainer = make_trainer(recipe, dataset, text.vocab_size, seed)
    while trainer.steps < trainer.config.num_steps:
        if not math.isfinite(trainer.step()):
            raise Refused(
                f"{recipe.name}: seed {seed}, step {trainer.steps}: the loss is not finite"
            )
    if hasattr(trainer, "finish"):
        trainer.finish()
    seconds = time.perf_counter() - start
    of_cores = time.process_time() - start_of_cores  # all cores together: others do not add to it
    model = trainer.model.eval()
    check_model(recipe, model)
    loss = measured_loss(model, TextDataset(text.validation, WINDOW))
    return {
        "seed": seed,
        "loss": round(loss, 4),
        "seconds": round(seconds, 2),
        "core_seconds": round(of_cores, 2),
        "steps": trainer.steps,
        "parameters": model.num_parameters(),
    }


def measured_loss(model, dataset):
    """What lesson 8's `evaluate` gives for the batches of the rules, computed in two threads."""
    generator = np.random.default_rng(0)
    batches = [dataset.sample(BATCH_SIZE, generator) for _ in range(BATCHES)]
    shares = [partial(_losses, model, batches[core::CORES]) for core in range(CORES)]
    return float(np.mean(np.concatenate(side_by_side(shares))))


@no_grad()
def _losses(model, batches):
    return [cross_entropy_loss(model(inputs), targets).item() for inputs, targets in batches]


def settings(recipe):
    """The recipe as plain settings, for the record."""
    return asdict(recipe) | {"module": recipe.module and recipe.module.name}


def machine():
    """The name of the processor, as the system gives it."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            names = [
                line.partition(":")[2].strip() for line in file if line.startswith("model name")
            ]
    except OSError:
        names = []
    return names[0] if names else platform.processor() or platform.machine()
