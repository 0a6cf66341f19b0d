"""Checks of settings: a value is returned as it is, or refused by an error that names it."""

import math

import numpy as np


def whole_number(name, value, low, high=math.inf):
    """`value`, if it is a whole number from `low` to `high`; else ValueError."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ValueError(f"{name} must be a whole number, not {value!r:.60}")
    return _in_range(name, value, low, high)


def number(name, value, low, high=math.inf, *, above=False, below=False):
    """`value`, if it is a number from `low` to `high`; else ValueError.

    `above` excludes `low` itself and `below` excludes `high`: with both left alone, infinity is
    accepted where `high` is infinite.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise ValueError(f"{name} must be a number, not {value!r:.60}")
    return _in_range(name, value, low, high, above, below)


def true_or_false(name, value):
    """`value`, if it is True or False; else ValueError."""
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"{name} must be True or False, not {value!r}")
    return value


def of_class(name, value, kind):
    """`value`, if it is an object of the class `kind`; else TypeError."""
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be a {kind.__name__}, not {type(value).__name__}")
    return value


def random_generator(name, value):
    """`value`, if it is a NumPy generator or None; else TypeError."""
    if value is not None and not isinstance(value, np.random.Generator):
        raise TypeError(
            f"{name} must be a NumPy generator, such as np.random.default_rng(0), not {value!r:.60}"
        )
    return value


def _in_range(name, value, low, high, above=False, below=False):
    enough = value > low if above else value >= low
    if enough and (value < high if below else value <= high):
        return value
    words = f"{'above' if above else 'at least'} {low}"
    if high < math.inf:
        words += f" and {'below' if below else 'at most'} {high}"
    elif below:
        words += " and finite"
    raise ValueError(f"{name} must be {words}, not {value}")
