"""Comparing a saved state with the object that it is loaded into."""

from collections.abc import Mapping

import numpy as np


def check_state(state, own, kind):
    """The entries of `state` in the dtypes of `own`, or ValueError: names and shapes must agree.

    `own` is the state of the object that loads, `kind` the name of its class for the message. The
    one error names every entry that is missing, unknown, or of another shape or kind of numbers.
    """
    if not isinstance(state, Mapping):
        raise TypeError(
            f"load_state_dict of {kind}: a state is a dictionary, not {type(state).__name__}"
        )
    problems = [f"{name} is missing" for name in own if name not in state]
    problems += [f"{name} is unknown" for name in state if name not in own]
    for name in own.keys() & state.keys():
        met, wanted = np.asarray(state[name]), np.asarray(own[name])
        if met.shape != wanted.shape:
            problems.append(f"{name} has shape {met.shape}, not {wanted.shape}")
        elif hasattr(own[name], "dtype") and not np.can_cast(met.dtype, wanted.dtype, "same_kind"):
            problems.append(f"{name} holds {met.dtype}, not {wanted.dtype}")
    if problems:
        raise ValueError(f"load_state_dict of {kind}: {'; '.join(sorted(problems))}")
    return {name: np.asarray(state[name], getattr(own[name], "dtype", None)) for name in own}
