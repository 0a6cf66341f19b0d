"""Checks the parameters given to an optimizer or to gradient clipping."""

from collections.abc import Iterable, Mapping

import numpy as np


def leaves(parameters, who):
    """The parameters, each one checked: a list, or an iterator where an iterator was given.

    Accepts what PyTorch does: a single tensor, a list, a generator, … Raises TypeError for
    anything but tensors, and ValueError where there is none, where one is given twice, was
    computed from others or has a gradient of another shape, and where none requires a gradient.
    The items of an iterator are checked as they are used. `who` names the caller in the messages.
    """
    if _is_tensor(parameters):
        parameters = [parameters]
    _refuse_unless_ordered(parameters, who)
    checked = _checked(parameters, who)
    return checked if iter(parameters) is parameters else list(checked)


def parameter_groups(parameters, who):
    """The groups of an optimizer: dictionaries with a list of parameters in "params".

    Accepts a list of parameters (or any iterable of them) or of such dictionaries. Raises as
    `leaves` does.
    """
    if _is_tensor(parameters):
        raise TypeError(f"{who}: give a list of parameters, [w], not a single tensor")
    _refuse_unless_ordered(parameters, who)
    groups = list(parameters)
    if not any(isinstance(group, Mapping) for group in groups):
        groups = [{"params": groups}]
    for place, group in enumerate(groups):
        if not isinstance(group, Mapping) or "params" not in group:
            raise TypeError(f'{who}: group {place} is no dictionary with "params" in it')
        params = group["params"]
        if not _is_tensor(params):
            _refuse_unless_ordered(params, who)
        groups[place] = {**group, "params": [params] if _is_tensor(params) else list(params)}
    parameters = [p for group in groups for p in group["params"]]
    if not parameters:
        raise ValueError(
            f"{who}: there are no parameters to optimize (a generator can be used only once)"
        )
    leaves(parameters, who)
    return groups


def _checked(parameters, who):
    seen, trainable = set(), False
    for place, p in enumerate(parameters):
        if not _is_tensor(p):
            raise TypeError(f"{who}: parameter {place} is {_described(p)}")
        if p.requires_grad and p.op is not None:
            raise ValueError(
                f"{who}: parameter {place} was computed (by {p.op.__name__}), so backward does not "
                "keep its gradient: give the tensor that it was computed from, or its detach()"
            )
        if id(p) in seen:
            raise ValueError(f"{who}: a parameter is given twice (the second time at {place})")
        seen.add(id(p))
        if p.grad is not None:
            _check_gradient(p, f"{who}: the gradient of parameter {place}")
        trainable = trainable or p.requires_grad
        yield p
    if not seen:
        raise ValueError(f"{who}: there are no parameters (a generator can be used only once)")
    if not trainable:
        raise ValueError(f"{who}: none of the parameters requires a gradient, so none can change")


def _check_gradient(p, what):
    if isinstance(p.grad, np.generic):
        p.grad = np.asarray(p.grad)  # of no axes, but an array: it can be changed in place
    if not isinstance(p.grad, np.ndarray) or p.grad.dtype.kind != "f":
        kind = p.grad.dtype if isinstance(p.grad, np.ndarray) else _kind(p.grad)
        raise TypeError(f"{what} must be an array of floating-point numbers, not {kind}")
    if p.grad.shape != p.data.shape:
        raise ValueError(f"{what} has the shape {p.grad.shape}, the parameter {p.data.shape}")


def _refuse_unless_ordered(parameters, who):
    if hasattr(parameters, "named_parameters"):
        raise TypeError(f"{who}: give model.parameters(), not the {_kind(parameters)} itself")
    if isinstance(parameters, str | Mapping) or not isinstance(parameters, Iterable):
        raise TypeError(f"{who}: parameters are a list of tensors, not {_kind(parameters)}")
    if isinstance(parameters, set | frozenset):
        raise TypeError(f"{who}: a set has no order: give the parameters as a list")


def _described(thing):
    """A description of something that is no parameter, and what to give instead."""
    if hasattr(thing, "named_parameters"):
        return f"the module {_kind(thing)}: give its parameters()"
    if isinstance(thing, tuple) and len(thing) == 2 and isinstance(thing[0], str):
        return "a pair (name, parameter): give parameters(), not named_parameters()"
    if isinstance(thing, list | tuple):
        return f"a {_kind(thing)}: join the lists into one"
    return f"no tensor but {_kind(thing)}"


def _kind(thing):
    return type(thing).__name__


def _is_tensor(thing):
    return hasattr(thing, "requires_grad") and hasattr(thing, "op")
