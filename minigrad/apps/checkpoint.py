"""Checkpoints: a training run in one file, whole or not there at all (see files.py).

A checkpoint holds the arrays of model and optimizer and, in its header, a description: the
model's size, the settings of the training, the vocabulary and the text.
"""

import json
import math
import os
import re
import zlib
from dataclasses import asdict
from pathlib import Path

import numpy as np

from minigrad.apps.files import build_model, check_numbers, read_arrays, safetensors, write_arrays
from minigrad.support.settings import number, whole_number

_FORMAT = "minigrad training run 3"
_NAME = re.compile(r"step_(\d{8,})\.safetensors")


def describe(trainer, vocabulary):
    """What must be the same when a run is resumed: model, settings, vocabulary and text."""
    tokens = trainer.dataset.tokens
    description = {
        "format": _FORMAT,
        "model": asdict(trainer.model.config),
        "training": asdict(trainer.config),
        "vocabulary": vocabulary,
        "text": f"{len(tokens)} tokens, {zlib.crc32(np.ascontiguousarray(tokens)):08x}",
    }
    return json.loads(json.dumps(description, default=np.generic.item))  # as JSON reads it


# --- Saving ---


def save(folder, trainer, vocabulary, validation_loss=None, keep=3):
    """Write the checkpoint of the trainer's step; keep the newest few and the best one.

    `validation_loss` is the one measured at this step, if one was. Returns the path.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"step_{trainer.steps:08d}.safetensors"
    progress = {"steps": trainer.steps, "validation_loss": validation_loss}
    arrays, numbers = {}, {}
    for name, parameter in trainer.model.named_parameters():
        arrays[f"model.{name}"] = parameter.data
    for name, value in trainer.optimizer.state_dict().items():
        if isinstance(value, np.ndarray):
            arrays[f"optimizer.{name}"] = value
        else:
            numbers[name] = value
    description = {**describe(trainer, vocabulary), "progress": progress, "optimizer": numbers}
    write_arrays(path, arrays, description)
    _remove_old(folder, keep)
    return path


def _remove_old(folder, keep):
    """Remove all but the newest `keep` and the best, and the unfinished files of killed runs."""
    for path in {*checkpoints(folder)[:-keep]} - {best(folder)[0]}:
        path.unlink()
    for path in folder.glob("step_*.unfinished-*"):
        path.unlink(missing_ok=True)


def try_to_write(folder):
    """Raise OSError if no file can be written into a folder. Call it before a long run."""
    attempt = Path(folder) / f"step_try.unfinished-{os.getpid()}"
    attempt.touch()
    attempt.unlink()


# --- What is in a folder ---


def checkpoints(folder):
    """The checkpoints in a folder, oldest first."""
    folder = Path(folder)
    inside = folder.iterdir() if folder.is_dir() else ()
    found = [(_NAME.fullmatch(path.name), path) for path in inside]
    return [path for _, path in sorted((int(name[1]), path) for name, path in found if name)]


def best(folder):
    """The checkpoint in a folder with the lowest validation loss, and that loss (or None, inf)."""
    found = [(_validation_loss(path), path) for path in checkpoints(folder)]
    loss, path = min(found, default=(math.inf, None))
    return (path, loss) if loss < math.inf else (None, math.inf)


def _validation_loss(path):
    """The validation loss that was measured at a checkpoint, inf where none was."""
    try:
        with safetensors().safe_open(path, framework="numpy") as file:
            loss = json.loads(file.metadata()["minigrad"])["progress"]["validation_loss"]
        return float(number("the validation loss", loss, 0, below=True))
    except Exception:  # none was measured, or the file is damaged: then it is not the best
        return math.inf


# --- Resuming ---


def resume(path, trainer, vocabulary):
    """Set the trainer to the state of a checkpoint, whole or not at all.

    A checkpoint of another run is refused.

    The run may have become longer: its learning rate then follows the longer schedule.
    """
    arrays, description = read_arrays(path)
    met = _format(path, description)
    if met != _FORMAT:
        raise ValueError(f"{path} was written by another version of minigrad ({met})")
    for part, wanted in describe(trainer, vocabulary).items():
        met = description.get(part)
        if part == "training" and isinstance(met, dict) and _is_longer(wanted, met):
            met = {**met, **{name: wanted[name] for name in _LENGTHS}}
        if met != wanted:
            raise ValueError(f"{path} belongs to another run: {_difference(part, met, wanted)}")
    before = trainer.model.state_dict()
    try:
        steps = description["progress"]["steps"]
        whole_number("its number of steps", steps, 0, trainer.config.num_steps)
        check_numbers(arrays, np.float32)
        trainer.model.load_state_dict(_part(arrays, "model."))
        state = {**_part(arrays, "optimizer."), **description["optimizer"]}
        trainer.optimizer.load_state_dict(state)
        trainer.steps = steps
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        trainer.model.load_state_dict(before)
        raise ValueError(f"{path} is damaged: {error}") from None


def _format(path, description):
    """The format that a file names; ValueError where it is no checkpoint of any version."""
    met = description.get("format") if isinstance(description, dict) else None
    if not isinstance(met, str) or not met.startswith("minigrad training run"):
        raise ValueError(f"{path} is no checkpoint of a training run")
    return met


def _part(arrays, prefix):
    """The arrays whose names begin with `prefix`, without it."""
    return {name.removeprefix(prefix): x for name, x in arrays.items() if name.startswith(prefix)}


_LENGTHS = ("num_steps", "warmup_steps")  # the command line derives the second from the first


def _is_longer(config, other):
    return all(isinstance(other.get(n), int) and other[n] <= config[n] for n in _LENGTHS)


def _difference(part, met, wanted):
    if isinstance(met, dict) and isinstance(wanted, dict):
        for name in sorted(met.keys() | wanted.keys()):
            if met.get(name) != wanted.get(name):
                return f"its {name} is {met.get(name)}, this run's {wanted.get(name)}"
    return f"its {part} is not this run's"


def load_model(path):
    """The model and the tokenizer of a checkpoint, ready to sample from."""
    arrays, description = read_arrays(path)
    _format(path, description)  # of any version: the model is described alike
    return build_model(path, _part(arrays, "model."), description, np.float32)
