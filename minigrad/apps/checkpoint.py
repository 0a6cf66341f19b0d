"""Checkpoints: a training run in one safetensors file, whole or not there at all.

The file holds the arrays of model and optimizer and, as JSON in its header, what they belong to.
It is written beside its place, flushed, then renamed: a run killed at any moment leaves the
checkpoints before it as they were. A checksum over all of it tells a damaged file.
"""

import json
import math
import os
import re
import zlib
from dataclasses import asdict
from pathlib import Path

import numpy as np

_FORMAT = "minigrad training run 2"
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
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    text = json.dumps(description, sort_keys=True)
    metadata = {"minigrad": text, "checksum": _checksum(text, arrays)}
    content = _safetensors().numpy.save(arrays, metadata=metadata)
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
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}
        description = json.loads(metadata["minigrad"])
        checksum = _checksum(metadata["minigrad"], arrays)
        if metadata.get("checksum", checksum) != checksum:  # the first files had none
            raise ValueError("its checksum is not that of its content")
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or error}") from None
    except MemoryError:
        raise
    except Exception as error:  # whatever a stranger's bytes make of the two parsers
        raise ValueError(f"{path} is damaged, or no file that minigrad wrote ({error})") from None
    return arrays, description


def _checksum(text, arrays):
    """CRC-32 over a description and the names, types, shapes and bytes of arrays."""
    value = zlib.crc32(text.encode("utf-8"))
    for name, array in sorted(arrays.items()):
        value = zlib.crc32(f"{name} {array.dtype} {array.shape}".encode(), value)
        value = zlib.crc32(array.reshape(-1).view(np.uint8), value)
    return f"{value:08x}"


# --- A training run ---


def describe(trainer, vocabulary):
    """What must be the same for a run to go on: the model, the recipe, the vocabulary, the text."""
    tokens = trainer.dataset.tokens
    return {
        "format": _FORMAT,
        "model": asdict(trainer.model.config),
        "recipe": json.loads(json.dumps(asdict(trainer.recipe))),
        "vocabulary": vocabulary,
        "text": f"{len(tokens)} tokens, {zlib.crc32(np.ascontiguousarray(tokens)):08x}",
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
    _remove_old(folder, keep)
    return path


def _remove_old(folder, keep):
    """Remove all but the newest `keep` and the best, and what a killed run left unfinished."""
    for path in {*checkpoints(folder)[:-keep]} - {best(folder)[0]}:
        path.unlink()
    for path in folder.glob("step_*.unfinished-*"):
        path.unlink(missing_ok=True)


def best(folder):
    """The checkpoint in a folder with the lowest validation loss, and that loss (or None, inf)."""
    found = [(_validation_loss(path), path) for path in checkpoints(folder)]
    loss, path = min(found, default=(math.inf, None))
    return (path, loss) if loss < math.inf else (None, math.inf)


def _validation_loss(path):
    """The validation loss that was measured at a checkpoint, inf where none was."""
    try:
        with _safetensors().safe_open(path, framework="numpy") as file:
            loss = float(json.loads(file.metadata()["minigrad"])["progress"]["validation_loss"])
    except Exception:  # a damaged file is nobody's best
        return math.inf
    return loss if math.isfinite(loss) else math.inf


def try_to_write(folder):
    """Raise OSError where a folder takes no file: better before a long run than after it."""
    attempt = Path(folder) / f"step_try.unfinished-{os.getpid()}"
    attempt.touch()
    attempt.unlink()


def checkpoints(folder):
    """The checkpoints in a folder, oldest first."""
    folder = Path(folder)
    inside = folder.iterdir() if folder.is_dir() else ()
    return sorted(path for path in inside if _NAME.fullmatch(path.name))


def resume(path, trainer, vocabulary):
    """Put the trainer where the checkpoint left it; one of another run is refused, all or none.

    The run may have become longer: its learning rate then follows the longer schedule.
    """
    arrays, description = read_arrays(path)
    if not isinstance(description, dict) or description.get("format") != _FORMAT:
        raise ValueError(f"{path} is no checkpoint of a training run")
    for part, wanted in describe(trainer, vocabulary).items():
        met = description.get(part)
        if part == "recipe" and isinstance(met, dict) and _is_longer(wanted, met):
            met = {**met, **{name: wanted[name] for name in _LENGTHS}}
        if met != wanted:
            raise ValueError(f"{path} belongs to another run: {_difference(part, met, wanted)}")
    model = {n.removeprefix("model."): a for n, a in arrays.items() if n.startswith("model.")}
    optimizer = {
        n.removeprefix("optimizer."): a for n, a in arrays.items() if n.startswith("optimizer.")
    }
    before = trainer.model.state_dict()
    try:
        steps = int(description["progress"]["steps"])
        if not 0 <= steps <= trainer.recipe.num_steps:
            raise ValueError(f"it stands at step {steps} of {trainer.recipe.num_steps}")
        trainer.model.load_state_dict(model)
        trainer.optimizer.load_state_dict({**optimizer, **description["optimizer"]})
        trainer.steps = steps
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        trainer.model.load_state_dict(before)
        raise ValueError(f"{path} is damaged: {error}") from None


_LENGTHS = ("num_steps", "warmup_steps")  # the command line derives the second from the first


def _is_longer(recipe, other):
    return all(isinstance(other.get(n), int) and other[n] <= recipe[n] for n in _LENGTHS)


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
    state = {n.removeprefix("model."): a for n, a in arrays.items() if n.startswith("model.")}
    try:
        tokenizer = CharTokenizer(description["vocabulary"])
        config = GPT2Config(**description["model"])
        _refuse_other_sizes(config, tokenizer.vocab_size, state)
        model = GPT2(config)
        model.load_state_dict(state)
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{path} does not describe a model ({error})") from None
    return model.eval(), tokenizer


def _refuse_other_sizes(config, vocab_size, state):
    """Compare before anything is built: a file must not claim more memory than it fills itself."""
    C = config.embedding_dim
    described = [(vocab_size, C), (config.context_size, C), config.num_blocks]
    held = [
        state["token_embedding.weight"].shape,
        state["position_embedding.weight"].shape,
        sum(name.endswith(".ln1.weight") for name in state),
    ]
    if described != held or config.vocab_size != vocab_size:
        raise ValueError(f"its arrays have the sizes {held}, its description says {described}")
