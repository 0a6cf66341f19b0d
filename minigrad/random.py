"""Random tensors, from one generator that `manual_seed` sets, or from a generator of your own."""

from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np

from minigrad.tensor import Tensor

# --- The generator ---

# Unseeded programs repeat too: the same program prints the same numbers until it asks otherwise.
_generator = np.random.default_rng(0)
_override = ContextVar("generator", default=None)


def manual_seed(seed):
    """Start the random numbers anew: the same seed gives the same numbers."""
    global _generator
    _generator = np.random.default_rng(seed)


def default_generator():
    """The NumPy generator that is drawn from where a function is given none."""
    return _override.get() or _generator


@contextmanager
def use_generator(generator):
    """Inside, in this thread or task alone, draw from this NumPy generator."""
    token = _override.set(generator)
    try:
        yield generator
    finally:
        _override.reset(token)


# --- Random tensors ---


def _draw(generator, method, *parameters, shape, dtype=np.float32, requires_grad=False):
    shape = shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape
    values = getattr(generator or default_generator(), method)(*parameters, size=shape)
    return Tensor(np.asarray(values, dtype), requires_grad)


def rand(*shape, generator=None, **options):
    """Uniform between 0 and 1: `rand(2, 3)`. Options: `dtype`, `requires_grad`."""
    return _draw(generator, "random", shape=shape, **options)


def randn(*shape, generator=None, **options):
    """Normal with mean 0 and standard deviation 1: `randn(2, 3)`."""
    return _draw(generator, "standard_normal", shape=shape, **options)


def randint(low, high, shape=(), generator=None, dtype=np.int64):
    """Integers from `low` up to, but not including, `high`."""
    return _draw(generator, "integers", low, high, shape=(shape,), dtype=dtype)


def uniform(low=0.0, high=1.0, shape=(), generator=None, **options):
    """Uniform between `low` and `high`."""
    return _draw(generator, "uniform", low, high, shape=(shape,), **options)


def normal(mean=0.0, std=1.0, shape=(), generator=None, **options):
    """Normal with that mean and standard deviation."""
    return _draw(generator, "normal", mean, std, shape=(shape,), **options)


def randperm(n, generator=None):
    """The integers below n in random order."""
    return Tensor((generator or default_generator()).permutation(n))
