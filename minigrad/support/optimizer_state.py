"""Checking the saved state of an optimizer before any of it is loaded."""

from collections.abc import Mapping

import numpy as np

from minigrad.support import settings
from minigrad.support.state import check_state


def check_optimizer_state(state, own, kind):
    """The entries of `state`, or an error that names an entry which no run could have left.

    `own` is the state of the optimizer that loads, `kind` the name of its class. The learning rate
    and the counts must be possible ones, and all other numbers finite; a buffer whose name ends in
    "_sq" holds squares, so none of its numbers is negative.
    """
    who = f"load_state_dict of {kind}"
    if not isinstance(state, Mapping):
        raise TypeError(f"{who}: a state is a dictionary, not {type(state).__name__}")
    arrays = check_state(state, own, kind)
    settings.number(f"{who}: lr", arrays["lr"].item(), 0, below=True)
    steps = settings.whole_number(f"{who}: steps", arrays["steps"].item(), 0)
    for count in arrays["update_counts"].tolist():
        settings.whole_number(f"{who}: each of the update_counts", count, 0, steps)
    for name in own.keys() - {"lr", "steps", "update_counts"}:
        if not np.isfinite(arrays[name]).all():
            raise ValueError(f"{who}: {name} holds nan or inf")
        if name.partition(".")[0].endswith("_sq") and np.any(arrays[name] < 0):
            raise ValueError(f"{who}: {name} holds negative numbers, where squares belong")
    return arrays
