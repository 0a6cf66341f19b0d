"""What an operation is: a value, and a rule for each array that it took.

An operation is a NumPy function under `@differentiable`. It returns its value and then, for each
array, a rule: a function from the gradient of the value to the gradient of that array.
"""

import functools
import inspect
from contextvars import ContextVar
from typing import NamedTuple

import numpy as np

# How many `no_grad` and `detect_anomaly` blocks surround this thread or task.
no_grad_depth = ContextVar("no_grad_depth", default=0)
anomaly_depth = ContextVar("anomaly_depth", default=0)


# --- A node of the graph ---


class Node:
    """A value in a computation: its array, and how it was made.

    `inputs` holds pairs (node, rule): the nodes it was made from that require a gradient, each
    with the rule that leads there. A leaf has none; after `backward` it is None, which means spent.
    """

    __slots__ = ("data", "grad", "op", "inputs", "retains_grad", "_requires_grad", "__weakref__")

    def __init__(self, data, requires_grad=False):
        self.data = data if type(data) is np.ndarray else as_array(data)
        self.grad = None
        self.op = None
        self.inputs = ()
        self.retains_grad = False
        self._requires_grad = False
        if requires_grad:
            self.requires_grad = True

    @property
    def requires_grad(self):
        """Whether `backward` computes the gradient with respect to this value."""
        return self._requires_grad

    @requires_grad.setter
    def requires_grad(self, wanted):
        if wanted and self.data.dtype.kind != "f":
            raise TypeError(
                f"requires_grad needs floating-point numbers, these are {self.data.dtype}: "
                "write 2.0 for 2, or use .astype(mg.float32)"
            )
        if self.inputs != () and not wanted:
            raise ValueError("requires_grad of a computed tensor stays: use .detach()")
        self._requires_grad = bool(wanted)


def as_array(data, dtype=None):
    """`data` (numbers, lists, arrays, tensors) as an array; Python floats become float32."""
    if isinstance(data, Node):
        data = data.data
    result = np.asarray(data, dtype)
    if result.dtype.kind not in "biuf":
        raise TypeError(f"a tensor holds numbers or Booleans, not {result.dtype}: {data!r:.60}")
    chosen = dtype is not None or isinstance(data, (np.ndarray, np.generic))
    return result if chosen or result.dtype != np.float64 else result.astype(np.float32)


def unwrap(option):
    """Tensors inside an option (an index, say) as arrays; everything else as it is."""
    if isinstance(option, Node):
        return option.data
    if isinstance(option, (tuple, list)):
        return type(option)(unwrap(part) for part in option)
    return option


# --- An operation: a value and its rules ---


class Part(NamedTuple):
    """The gradient of `x[index]`, from rules whose input was read only there."""

    gradient: np.ndarray
    index: object


def differentiable(function=None, *, broadcasts=False):
    """An operation on tensors, from a NumPy function that returns `value, *rules`.

    The function's positional-only parameters are its arrays, the rest are options; a function
    without any takes a sequence of arrays first, as `cat` does. It returns its value and one rule
    for each array: `rule(g)` is the gradient of that array, given the gradient `g` of the value
    (`None`: there is no derivative). A rule never writes into `g`. Where `broadcasts` is set,
    rules may return gradients of the broadcast shape: `backward` sums them.

    PyTorch's `dim` and `keepdim` are understood as `axis` and `keepdims`.

    >>> import minigrad as mg
    >>> @differentiable
    ... def cube(x, /):
    ...     return x**3, lambda g: g * 3 * x**2
    >>> cube(mg.array([1.0, 2.0]))
    Tensor([1., 8.], op=cube)
    """
    if function is None:
        return functools.partial(differentiable, broadcasts=broadcasts)
    name = function.__name__
    kinds = [p.kind for p in inspect.signature(function).parameters.values()]
    count = kinds.count(inspect.Parameter.POSITIONAL_ONLY)

    @functools.wraps(function)
    def op(*arguments, **options):
        for theirs, ours in (("dim", "axis"), ("keepdim", "keepdims")):
            if theirs in options:
                options[ours] = options.pop(theirs)
        options = {key: unwrap(value) for key, value in options.items()}
        extras = [unwrap(extra) for extra in arguments[count or 1 :]]
        inputs = arguments[:count] if count else tuple(arguments[0])
        try:
            # Beside an array, a Python number takes on the array's dtype: it stays a number.
            arrays = [
                x.data if isinstance(x, Node)
                else x if x is None or broadcasts and isinstance(x, (bool, int, float))
                else as_array(x)
                for x in inputs
            ]  # fmt: skip
            with np.errstate(all="ignore"):
                value, *rules = function(*(arrays if count else [arrays]), *extras, **options)
        except (TypeError, ValueError, IndexError) as error:
            raise type(error)(_explain(name, inputs, broadcasts, error)) from None
        value = np.asarray(value)
        if value.dtype == np.float64 and np.float64 not in [getattr(x, "dtype", 0) for x in arrays]:
            value = value.astype(np.float32)  # integers and float32 make float32
        if anomaly_depth.get():
            _refuse_anomaly(name, value, [*arrays, *extras, *options.values()])
        return record(op, inputs, value, rules)

    op.broadcasts = broadcasts
    return op


def record(op, inputs, value, rules):
    """The tensor of `value`; it keeps each input that requires a gradient, with its rule."""
    from minigrad.tensor import Tensor  # when called, since a Tensor is made of operations

    result = Tensor(value)
    result.op = op
    if no_grad_depth.get() == 0:
        result.inputs = tuple(
            (x, rule)
            for x, rule in zip(inputs, rules)
            if rule is not None and isinstance(x, Node) and x.requires_grad
        )
        result._requires_grad = result.inputs != ()
    return result


def _explain(name, inputs, broadcasts, error):
    """The message of `error`, with the operation and the shapes it met."""
    shapes = [str(np.shape(x.data if isinstance(x, Node) else x)) for x in inputs]
    if broadcasts and "broadcast" in str(error):
        return (
            f"{name}: shapes {' and '.join(shapes)} do not broadcast; counted from the right, "
            "two sizes must be equal or one of them 1: reshape one of the two"
        )
    return f"{name} of shape {' and '.join(shapes)}: {error}"


def _refuse_anomaly(name, value, given):
    """Raise where `value` is not finite although everything given was."""
    numbers = [np.asarray(x) for x in given if isinstance(x, (np.ndarray, int, float))]
    if not np.isfinite(value).all() and all(np.isfinite(x).all() for x in numbers):
        met = "nan" if np.isnan(value).any() else "inf"
        raise FloatingPointError(f"{name} returned {met} although everything it took is finite")
