"""Named arrays and a description in one safetensors file, and the model that a file holds.

A file is written beside its place, flushed to the disk, then renamed: if the process is killed at any
moment, the file of before stays as it was. A checksum over everything finds a damaged file.
Nothing in a file can run, and no model is built before its sizes agree with the arrays of the
file.
"""

import json
import os
import zlib
from pathlib import Path

import numpy as np

from minigrad.apps.ensemble import Ensemble, EnsembleConfig
from minigrad.apps.fast import FastGPT, FastGPTConfig
from minigrad.data import CharTokenizer
from minigrad.gpt2_shakespeare import GPT2, GPT2Config
from minigrad.support.memory import pack


def safetensors():
    """The module `safetensors`, or ModuleNotFoundError that says how to get it."""
    try:
        import safetensors.numpy
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "checkpoints need safetensors, which is not installed: pip install safetensors"
        ) from None
    return safetensors


# --- Arrays and a description ---


def write_arrays(path, arrays, description):
    """Write named arrays and a description (anything JSON can hold) as one file, atomically."""
    path = Path(path)
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    text = json.dumps(description, sort_keys=True, default=np.generic.item)
    metadata = {"minigrad": text, "checksum": _checksum(text, arrays)}
    content = safetensors().numpy.save(arrays, metadata=metadata)
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
    library = safetensors()
    try:
        with library.safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            arrays = {name: file.get_tensor(name) for name in file.keys()}
        description = json.loads(metadata["minigrad"])
        if metadata["checksum"] != _checksum(metadata["minigrad"], arrays):
            raise ValueError("its checksum is not that of its content")
    except OSError as error:
        raise ValueError(f"{path} cannot be read: {error.strerror or error}") from None
    except MemoryError:
        raise
    except Exception as error:  # whatever the two parsers raise for bytes of any kind
        raise ValueError(f"{path} is damaged, or no file that minigrad wrote ({error})") from None
    return arrays, description


def _checksum(text, arrays):
    """CRC-32 over a description and the names, types, shapes and bytes of arrays."""
    value = zlib.crc32(text.encode("utf-8"))
    for name, array in sorted(arrays.items()):
        value = zlib.crc32(f"{name} {array.dtype} {array.shape}".encode(), value)
        value = zlib.crc32(array.reshape(-1).view(np.uint8), value)
    return f"{value:08x}"


# --- The model of a file ---

MODELS = {
    "GPT2": (GPT2, GPT2Config),
    "FastGPT": (FastGPT, FastGPTConfig),
    "Ensemble": (Ensemble, EnsembleConfig),
}
LATER_PARTS = {"FastGPT": {"token_shift": False}}  # what older files do not name, and do not have


def build_model(path, arrays, description, dtype):
    """The model and the tokenizer that a file describes, ready to sample from.

    `arrays` are the parameters by name, all of them of `dtype`. Raises ValueError, naming the file
    and what is wrong, where they are not those that the description asks for.
    """
    try:
        tokenizer = _tokenizer(description.get("vocabulary"))
        name = _architecture(description)
        kind, config_kind = MODELS[name]
        config = config_kind(**LATER_PARTS.get(name, {}) | description["model"])
        _check_sizes(config, tokenizer, arrays)
        check_numbers(arrays, dtype)
        model = kind(config)
        model.load_state_dict(arrays)
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{path} does not describe a model: {error}") from None
    pack(model.parameters())
    return model.eval(), tokenizer


def _architecture(description):
    """The name of the model's class; a checkpoint does not say it, but its settings do."""
    told = "FastGPT" if "bigram_dim" in description["model"] else "GPT2"
    name = description.get("architecture", told)
    if name not in list(MODELS):
        raise ValueError(f"its architecture is {name}, not one of {', '.join(MODELS)}")
    return name


def _tokenizer(vocabulary):
    if not isinstance(vocabulary, str) or not vocabulary:
        raise ValueError("it has no vocabulary")
    tokenizer = CharTokenizer(vocabulary)
    if tokenizer.vocabulary != vocabulary:
        raise ValueError("its vocabulary is not sorted, or a character stands twice")
    return tokenizer


def _check_sizes(config, tokenizer, arrays):
    """Raise ValueError where the description asks for a larger model than the file holds."""
    if config.vocab_size != tokenizer.vocab_size:
        raise ValueError(
            f"its model has {config.vocab_size} tokens, its vocabulary {tokenizer.vocab_size}"
        )
    V, C = config.vocab_size, config.embedding_dim
    sizes = {"token_embedding.weight": (V, C)}
    if not getattr(config, "rotary", False):
        sizes["position_embedding.weight"] = (config.context_size, C)
    if getattr(config, "bigram_dim", 0):
        sizes["bigram_embedding.weight"] = (V * V, config.bigram_dim)
    num_models = getattr(config, "num_models", None)
    if num_models is not None:  # all of one size; that the others fit is checked when they load
        sizes = {f"models.0.{name}": size for name, size in sizes.items()}
    for name, wanted in sizes.items():
        if name not in arrays:
            raise ValueError(f"{name} is missing")
        if arrays[name].shape != wanted:
            met = arrays[name].shape
            raise ValueError(f"{name} has shape {met}, its description says {wanted}")
    blocks = sum(name.endswith(".attn.in_proj.weight") for name in arrays)
    wanted = config.num_blocks * (num_models or 1)
    if blocks != wanted:
        raise ValueError(f"it holds {blocks} blocks, its description says {wanted}")


def check_numbers(arrays, dtype):
    """Raise ValueError, naming the first array that is not of `dtype` or not finite."""
    for name, array in arrays.items():
        if array.dtype != dtype:
            raise ValueError(f"{name} is {array.dtype}, not {np.dtype(dtype)}")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds numbers that are not finite")
