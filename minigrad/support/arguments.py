"""Checks of arguments that several lessons share; each error says what is wanted."""

from numbers import Real
from operator import index

import numpy as np


def check_probability(who, p):
    """Raise TypeError or ValueError unless p is a number in [0, 1), as dropout needs."""
    if not isinstance(p, Real):
        raise TypeError(f"{who}: p is a probability, a number in [0, 1), not {p!r}")
    if not 0 <= p < 1:
        raise ValueError(f"{who}: p is a probability in [0, 1), not {p}")


def check_generator(who, generator):
    """Raise TypeError unless it is a NumPy generator or None."""
    if generator is not None and not isinstance(generator, np.random.Generator):
        raise TypeError(
            f"{who}: a generator is a NumPy generator, such as np.random.default_rng(0), "
            f"not {generator!r:.60}"
        )


def check_sizes(who, **sizes):
    """Raise TypeError or ValueError unless every size is an integer of at least 1."""
    for name, size in sizes.items():
        try:
            index(size)
        except TypeError:
            raise TypeError(f"{who}: {name} is an integer, not {size!r:.60}") from None
        if size < 1:
            raise ValueError(f"{who}: {name} is at least 1, not {size}")
