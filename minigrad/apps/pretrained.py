"""The model that the course ships: `mg.load_pretrained()`.

Its file holds the weights in half precision and, in its header, the model's size and vocabulary;
nothing in it can run. `python -m maintain.pretrained` writes it and docs/pretrained.md.
"""

from dataclasses import asdict
from pathlib import Path

import numpy as np

from minigrad.data import CharTokenizer
from minigrad.gpt2_shakespeare import GPT2, GPT2Config
from minigrad.apps.checkpoint import read_arrays, write_arrays

PATH = Path(__file__).with_name("pretrained.safetensors")
_FORMAT = "minigrad model 1"


def save_pretrained(path, model, tokenizer):
    """Write a model's weights, in half precision, and what belongs to them."""
    arrays = {name: p.data.astype(np.float16) for name, p in model.named_parameters()}
    description = {
        "format": _FORMAT,
        "architecture": type(model).__name__,
        "model": asdict(model.config),
        "vocabulary": tokenizer.vocabulary,
    }
    write_arrays(path, arrays, description)


def load_pretrained(path=PATH):
    """The trained GPT-2 and its tokenizer, ready to write; needs no network.

    Raises ValueError, naming what is wrong, where the file is not what it says it is.
    """
    arrays, description = read_arrays(path)
    if not isinstance(description, dict) or description.get("format") != _FORMAT:
        raise ValueError(f"{path} holds no model that save_pretrained wrote")
    if description.get("architecture") != GPT2.__name__:
        raise ValueError(f"{path}: its architecture is {description.get('architecture')}, not GPT2")
    tokenizer = _tokenizer(path, description.get("vocabulary"))
    try:
        config = GPT2Config(**description["model"])
        if config.vocab_size != tokenizer.vocab_size:
            raise ValueError(
                f"its model has {config.vocab_size} tokens, its vocabulary {tokenizer.vocab_size}"
            )
        _check(config, arrays)
        model = GPT2(config)
        model.load_state_dict(arrays)
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not what it says: {error}") from None
    return model.eval(), tokenizer


def _tokenizer(path, vocabulary):
    if not isinstance(vocabulary, str) or not vocabulary:
        raise ValueError(f"{path} has no vocabulary")
    tokenizer = CharTokenizer(vocabulary)
    if tokenizer.vocabulary != vocabulary:
        raise ValueError(f"{path}: its vocabulary is not sorted, or a character stands twice")
    return tokenizer


def _check(config, arrays):
    """Before a model is built: the sizes that the config gives are those of the file.

    So a header that asks for a huge model is refused and not tried.
    """
    sizes = {
        "token_embedding.weight": (config.vocab_size, config.embedding_dim),
        "position_embedding.weight": (config.context_size, config.embedding_dim),
        f"blocks.{config.num_blocks - 1}.ln2.weight": (config.embedding_dim,),
    }
    for name, wanted in sizes.items():
        if name not in arrays:
            raise ValueError(f"{name} is missing")
        if arrays[name].shape != wanted:
            met = arrays[name].shape
            raise ValueError(f"{name} has shape {met}, its description says {wanted}")
    for name, array in arrays.items():
        if array.dtype != np.float16:
            raise ValueError(f"{name} is {array.dtype}, not float16")
        if not np.isfinite(array).all():
            raise ValueError(f"{name} holds numbers that are not finite")
