"""Initialisers: each fills a parameter in place and returns it."""

import math

import numpy as np

from minigrad.random import default_generator


# --- Constant and plain random ---


def zeros_(parameter):
    """All zeros."""
    parameter.data[...] = 0
    return parameter


def ones_(parameter):
    """All ones."""
    parameter.data[...] = 1
    return parameter


def uniform_(parameter, low=0.0, high=1.0, generator=None):
    """Uniform between `low` and `high`."""
    parameter.data[...] = (generator or default_generator()).uniform(low, high, parameter.shape)
    return parameter


def normal_(parameter, mean=0.0, std=1.0, generator=None):
    """Normal with that mean and standard deviation."""
    parameter.data[...] = (generator or default_generator()).normal(mean, std, parameter.shape)
    return parameter


# --- Scaled by the number of inputs and outputs ---


def _fans(parameter):
    """The number of inputs and outputs of a weight (out, in)."""
    if parameter.ndim != 2:
        raise ValueError(f"this initialiser needs a weight (out, in), not shape {parameter.shape}")
    fan_out, fan_in = parameter.shape
    return fan_in, fan_out


def xavier_uniform_(parameter, gain=1.0, generator=None):
    """Uniform with standard deviation gain · √(2 / (inputs + outputs)).

    Source: Glorot and Bengio, 2010, equation 16.
    """
    bound = gain * math.sqrt(6 / np.sum(_fans(parameter)))
    return uniform_(parameter, -bound, bound, generator)


def xavier_normal_(parameter, gain=1.0, generator=None):
    """Normal with standard deviation gain · √(2 / (inputs + outputs)) (Glorot and Bengio, 2010)."""
    return normal_(parameter, 0.0, gain * math.sqrt(2 / np.sum(_fans(parameter))), generator)


def kaiming_uniform_(parameter, gain=math.sqrt(2), generator=None):
    """Uniform with standard deviation gain / √inputs; √2 is the gain of relu.

    Source: He et al., "Delving Deep into Rectifiers", 2015, equation 10.
    """
    bound = gain * math.sqrt(3 / _fans(parameter)[0])
    return uniform_(parameter, -bound, bound, generator)


def kaiming_normal_(parameter, gain=math.sqrt(2), generator=None):
    """Normal with standard deviation gain / √inputs; √2 is the gain of relu (He et al., 2015)."""
    return normal_(parameter, 0.0, gain / math.sqrt(_fans(parameter)[0]), generator)
