"""The model that comes with the course: `mg.load_pretrained()`.

Its file holds the weights in half precision and, in its header, the model's size and vocabulary.
`python -m maintain.pretrained` writes it and docs/pretrained.md.
"""

from dataclasses import asdict

import numpy as np

from minigrad.apps import SHIPPED
from minigrad.apps.files import build_model, read_arrays, write_arrays

PATH = SHIPPED
_FORMAT = "minigrad model 1"


def save_pretrained(path, model, tokenizer):
    """Write a model's weights, in half precision, with its size and its vocabulary."""
    arrays = {name: p.data.astype(np.float16) for name, p in model.named_parameters()}
    description = {
        "format": _FORMAT,
        "architecture": type(model).__name__,
        "model": asdict(model.config),
        "vocabulary": tokenizer.vocabulary,
    }
    write_arrays(path, arrays, description)


def load_pretrained(path=PATH):
    """The trained model and its tokenizer, ready to write; needs no network.

    Raises ValueError, naming what is wrong, where the file is not what it says it is.
    """
    arrays, description = read_arrays(path)
    if not isinstance(description, dict) or description.get("format") != _FORMAT:
        raise ValueError(f"{path} holds no model that save_pretrained wrote")
    return build_model(path, arrays, description, np.float16)
