"""Checkpoints: a training run in one safetensors file, whole or not there at all.

The file holds the arrays of model and optimizer and, as JSON in its header, what they belong to.
It is written beside its place, flushed, then renamed: a run killed at any moment leaves the
checkpoints before it as they were.
"""

import json
import os
import re
from dataclasses import asdict
from pathlib import Path

import numpy as np

_FORMAT = "minigrad training run 1"
_NAME = re.compile(r"step_(\d{8})\.safetensors")


def _safetensors():
    try:
        import safetensors.numpy
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "checkpoints need safetensors, which is not installed: "
            'pip install safetensors (or "minigrad[train]")'
        ) from None
    return safetensors


def write_arrays(path, arrays, description):
    """Write named arrays and a description (anything JSON can hold) as one file, atomically."""
    path = Path(path)
    content = _safetensors().numpy.save(
        {name: np.ascontiguousarray(array) for name, array in arrays.items()},
        metadata={"minigrad": json.dumps(description, sort_keys=True)},
    )
    unfinished = path.with_suffix(f".unfinished-{os.getpid()}")
    try:
        with open(unfinished, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def read_arrays(path):
    """The named arrays and the description of a file; ValueError where it is not one of ours."""
    library = _safetensors()
    try:
        with library.safe_open(path, framework="numpy") as file:
            description = json.loads((file.metadata() or {})["minigrad"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or error}") from None
    except (library.SafetensorError, KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is damaged, or no file that minigrad wrote ({error})") from None
    return arrays, description


# --- A training run ---


def describe(trainer, vocabulary):
    """What must be the same for a run to go on: the model, the recipe, the vocabulary."""
    return {
        "format": _FORMAT,
        "model": asdict(trainer.model.config),
        "recipe": json.loads(json.dumps(asdict(trainer.recipe))),
        "tokens": len(trainer.dataset.tokens),
        "vocabulary": vocabulary,
    }


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
    _remove_old(folder, path, validation_loss, keep)
    return path


def _remove_old(folder, newest, validation_loss, keep):
    best = folder / "best.json"
    known = json.loads(best.read_text(encoding="utf-8")) if best.exists() else None
    if validation_loss is not None and (known is None or validation_loss < known["loss"]):
        known = {"file": newest.name, "loss": validation_loss}
        unfinished = folder / "best.json.unfinished"
        unfinished.write_text(json.dumps(known), encoding="utf-8")
        os.replace(unfinished, best)
    for path in checkpoints(folder)[:-keep]:
        if known is None or path.name != known["file"]:
            path.unlink()


def checkpoints(folder):
    """The checkpoints in a folder, oldest first."""
    folder = Path(folder)
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if _NAME.fullmatch(path.name))


def resume(path, trainer, vocabulary):
    """Put the trainer where the checkpoint left it; refuses one of another run, changing nothing."""
    arrays, description = read_arrays(path)
    if not isinstance(description, dict) or description.get("format") != _FORMAT:
        raise ValueError(f"{path} is no checkpoint of a training run")
    for part, wanted in describe(trainer, vocabulary).items():
        met = description.get(part)
        if met != wanted:
            raise ValueError(f"{path} belongs to another run: {_difference(part, met, wanted)}")
    model = {n.removeprefix("model."): a for n, a in arrays.items() if n.startswith("model.")}
    optimizer = {
        n.removeprefix("optimizer."): a for n, a in arrays.items() if n.startswith("optimizer.")
    }
    before = trainer.model.state_dict()
    try:
        trainer.model.load_state_dict(model)
        trainer.optimizer.load_state_dict({**optimizer, **description["optimizer"]})
        trainer.steps = int(description["progress"]["steps"])
    except (KeyError, TypeError, ValueError) as error:
        trainer.model.load_state_dict(before)
        raise ValueError(f"{path} is damaged: {error}") from None


def _difference(part, met, wanted):
    if isinstance(met, dict) and isinstance(wanted, dict):
        for name in sorted(met.keys() | wanted.keys()):
            if met.get(name) != wanted.get(name):
                return f"its {name} is {met.get(name)}, this run's {wanted.get(name)}"
    return f"its {part} is not this run's"


def load_model(path):
    """The model and the tokenizer of a checkpoint, ready to sample from."""
    from minigrad.data import CharTokenizer
    from minigrad.gpt2_shakespeare import GPT2, GPT2Config

    arrays, description = read_arrays(path)
    try:
        tokenizer = CharTokenizer(description["vocabulary"])
        model = GPT2(GPT2Config(**description["model"]))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} does not describe a model ({error})") from None
    model.load_state_dict(
        {n.removeprefix("model."): a for n, a in arrays.items() if n.startswith("model.")}
    )
    return model.eval(), tokenizer
