"""Comparing a saved state with the object that it is loaded into."""

import numpy as np


def check_state(state, own, kind):
    """The entries of `state` in the dtypes of `own`, or ValueError: names and shapes must agree.

    `own` is the state of the object that loads, `kind` the name of its class for the message. The
    one error names every entry that is missing, unknown or of another shape.
    """
    problems = [f"{name} is missing" for name in own if name not in state]
    problems += [f"{name} is unknown" for name in state if name not in own]
    for name in own.keys() & state.keys():
        met, wanted = np.shape(state[name]), np.shape(own[name])
        if met != wanted:
            problems.append(f"{name} has shape {met}, not {wanted}")
    if problems:
        raise ValueError(f"load_state_dict of {kind}: {'; '.join(sorted(problems))}")
    return {name: np.asarray(state[name], getattr(own[name], "dtype", None)) for name in own}
