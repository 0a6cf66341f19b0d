"""The operations: each one's value and, beside it, one rule for each array it takes.

A rule turns the gradient `g` of the value into the gradient of that array (see `op.py`).
"""

import math

import numpy as np

from minigrad.op import Part, differentiable


# --- Arithmetic ---


@differentiable(broadcasts=True)
def add(a, b, /):
    """a + b."""
    return a + b, lambda g: g, lambda g: g


@differentiable(broadcasts=True)
def sub(a, b, /):
    """a - b."""
    return a - b, lambda g: g, lambda g: -g


@differentiable(broadcasts=True)
def mul(a, b, /):
    """a * b."""
    return a * b, lambda g: g * b, lambda g: g * a


@differentiable(broadcasts=True)
def div(a, b, /):
    """a / b; a division by zero gives inf or nan, as in NumPy."""
    return np.true_divide(a, b), lambda g: g / b, lambda g: -g * a / (b * b)


@differentiable(broadcasts=True)
def pow(a, b, /):
    """a ** b; the slope by b counts as 0 where a is not positive."""
    value = np.power(a, b)

    def rule_b(g):
        positive = np.greater(a, 0)
        return g * np.where(positive, value * np.log(np.where(positive, a, 1)), 0)

    return value, lambda g: g * np.where(np.equal(b, 0), 0, b * np.power(a, b - 1.0)), rule_b


@differentiable
def neg(x, /):
    """-x."""
    return -x, lambda g: -g


@differentiable(broadcasts=True)
def matmul(a, b, /):
    """Matrix product over the last two axes: (..., m, k) @ (..., k, n) -> (..., m, n).

    Leading axes broadcast. An `a` of one axis is one row, a `b` of one axis one column, and the
    result lacks that axis, as in NumPy.
    """
    if np.ndim(a) == 0 or np.ndim(b) == 0:
        raise ValueError("a number has no rows or columns: multiply it with *")
    rows = a if a.ndim > 1 else a[None, :]  # (..., m, k)
    columns = b if b.ndim > 1 else b[:, None]  # (..., k, n)
    if rows.shape[-1] != columns.shape[-2]:
        raise ValueError(
            f"the rows of the first have {rows.shape[-1]} entries, "
            f"the columns of the second {columns.shape[-2]}; they must be equal"
        )
    dropped = [axis for axis, x in ((-1, b), (-2, a)) if x.ndim == 1]

    def rule_a(g):
        g = np.expand_dims(g, dropped)  # (..., m, n)
        return _product(g, columns.swapaxes(-1, -2))  # (..., m, k)

    def rule_b(g):
        g = np.expand_dims(g, dropped)  # (..., m, n)
        if columns.ndim == 2:  # one matrix met many rows: one product, not one for each stack
            g_columns = _flat(rows).T @ _flat(g)
        else:
            g_columns = rows.swapaxes(-1, -2) @ g
        return g_columns if b.ndim > 1 else g_columns[..., 0]

    return np.squeeze(_product(rows, columns), tuple(dropped)), rule_a, rule_b


def _flat(x):
    """(..., m, n) as one matrix of all its rows."""
    return x.reshape(math.prod(x.shape[:-1]), x.shape[-1])


def _product(a, b):
    """a @ b; where many matrices meet one, as one large product."""
    if a.ndim > 2 and b.ndim == 2:
        return (_flat(a) @ b).reshape(*a.shape[:-1], b.shape[-1])
    return a @ b


# --- Element by element ---


@differentiable
def exp(x, /):
    """e to the power of x."""
    value = np.exp(x)
    return value, lambda g: g * value


@differentiable
def log(x, /):
    """The natural logarithm; -inf at 0, nan below."""
    return np.log(x), lambda g: g / x


@differentiable
def sqrt(x, /):
    """The square root; nan below 0."""
    value = np.sqrt(x)
    return value, lambda g: g / (2 * value)


@differentiable
def abs(x, /):
    """The absolute value; its slope at 0 counts as 0."""
    return np.abs(x), lambda g: g * np.sign(x)


@differentiable
def sin(x, /):
    """The sine of x radians."""
    return np.sin(x), lambda g: g * np.cos(x)


@differentiable
def cos(x, /):
    """The cosine of x radians."""
    return np.cos(x), lambda g: -g * np.sin(x)


@differentiable
def tan(x, /):
    """The tangent of x radians."""
    value = np.tan(x)
    return value, lambda g: g * (1 + value * value)


@differentiable
def tanh(x, /):
    """The hyperbolic tangent."""
    value = np.tanh(x)
    return value, lambda g: g * (1 - value * value)


@differentiable
def clip(x, /, min=None, max=None):
    """x held between `min` and `max` (numbers); the slope is 1 inside and 0 outside."""
    value = np.clip(x, min, max)
    return value, lambda g: g * (x == value)


@differentiable(broadcasts=True)
def maximum(a, b, /):
    """The larger of a and b; where they are equal, each gets half the gradient."""
    share = np.where(np.equal(a, b), 0.5, np.greater(a, b))
    return np.maximum(a, b), lambda g: g * share, lambda g: g * (1 - share)


@differentiable(broadcasts=True)
def minimum(a, b, /):
    """The smaller of a and b; where they are equal, each gets half the gradient."""
    share = np.where(np.equal(a, b), 0.5, np.less(a, b))
    return np.minimum(a, b), lambda g: g * share, lambda g: g * (1 - share)


def _as_mask(mask):
    if np.asarray(mask).dtype != bool and not np.isin(mask, (0, 1)).all():
        raise ValueError("a mask holds True and False, or 0 and 1: compare first (scores > 0)")
    return np.asarray(mask, bool)


@differentiable(broadcasts=True)
def where(condition, a, b, /):
    """a where the condition (Boolean, or 0 and 1) holds, else b."""
    chosen = _as_mask(condition)
    value = np.where(chosen, a, b)
    return value, None, lambda g: np.where(chosen, g, 0), lambda g: np.where(chosen, 0, g)


@differentiable
def masked_fill(x, mask, /, value):
    """x with `value` (a number) where the mask (Boolean, or 0 and 1) holds; the mask broadcasts."""
    hidden = _as_mask(mask)
    if np.broadcast_shapes(x.shape, hidden.shape) != x.shape:
        raise ValueError("the mask must broadcast to the shape of x")
    return np.where(hidden, x.dtype.type(value), x), lambda g: np.where(hidden, 0, g), None


def _constant(function):
    """An operation without gradient, from a NumPy function of one array or two."""

    def one(x, /):
        return function(x), None

    def two(a, b, /):
        return function(a, b), None, None

    op = one if function.nin == 1 else two
    op.__name__ = op.__qualname__ = function.__name__
    op.__doc__ = f"NumPy's `{function.__name__}`, element by element; without gradient."
    return differentiable(op, broadcasts=function.nin == 2)


equal, not_equal = _constant(np.equal), _constant(np.not_equal)
less, less_equal = _constant(np.less), _constant(np.less_equal)
greater, greater_equal = _constant(np.greater), _constant(np.greater_equal)
floor, ceil, sign = _constant(np.floor), _constant(np.ceil), _constant(np.sign)
isnan, isinf, isfinite = _constant(np.isnan), _constant(np.isinf), _constant(np.isfinite)


# --- Reductions ---


def _restore(g, axis, keepdims):
    """The gradient of a reduction with its axes back, of size 1."""
    return g if keepdims or axis is None else np.expand_dims(g, axis)


@differentiable
def sum(x, /, axis=None, keepdims=False):
    """The sum over one axis, several (a tuple) or all."""
    value = np.sum(x, axis, keepdims=keepdims)
    return value, lambda g: np.broadcast_to(_restore(g, axis, keepdims), x.shape)


@differentiable
def mean(x, /, axis=None, keepdims=False):
    """The mean over one axis, several (a tuple) or all; nan where there is nothing to average."""
    value = np.sum(x, axis, keepdims=keepdims)
    n = x.size / value.size if value.size else 1
    return np.true_divide(value, n) if n else value * np.nan, (
        lambda g: np.broadcast_to(_restore(g, axis, keepdims) / n, x.shape)
    )


@differentiable
def max(x, /, axis=None, keepdims=False):
    """The largest value over one axis, several or all; equal ones share the gradient equally."""
    return _extreme(np.max, x, axis, keepdims)


@differentiable
def min(x, /, axis=None, keepdims=False):
    """The smallest value over one axis, several or all; equal ones share the gradient equally."""
    return _extreme(np.min, x, axis, keepdims)


def _extreme(function, x, axis, keepdims):
    value = function(x, axis, keepdims=True)
    where = x == value

    def rule(g):
        return _restore(g, axis, keepdims) * where / where.sum(axis, keepdims=True)

    return value if keepdims else np.squeeze(value, axis), rule


@differentiable
def prod(x, /, axis=None, keepdims=False):
    """The product over one axis, several or all; its gradient is right with zeros too."""
    value = np.prod(x, axis, keepdims=keepdims)

    def rule(g):
        reduced = tuple(range(x.ndim)) if axis is None else tuple(np.atleast_1d(axis) % x.ndim)
        order = [i for i in range(x.ndim) if i not in reduced] + list(reduced)
        moved = np.transpose(x, order)
        rows = moved.reshape(*value.shape if not keepdims else np.squeeze(value, reduced).shape, -1)
        # The slope by one factor is the product of those before it and those behind it.
        ones = np.ones_like(rows[..., :1])
        before = np.cumprod(np.concatenate([ones, rows[..., :-1]], -1), -1)
        behind = np.cumprod(np.concatenate([ones, rows[..., :0:-1]], -1), -1)[..., ::-1]
        others = np.transpose((before * behind).reshape(moved.shape), np.argsort(order))
        return _restore(g, axis, keepdims) * others

    return value, rule


@differentiable
def norm(x, /, axis=None, keepdims=False):
    """The Euclidean length over one axis, several or all; its slope at 0 counts as 0."""
    value = np.sqrt(np.sum(x * x, axis, keepdims=True))

    def rule(g):
        return _restore(g, axis, keepdims) * x / np.where(value == 0, 1, value)

    return value if keepdims else np.squeeze(value, axis), rule


@differentiable
def cumsum(x, /, axis=None):
    """The running sum along an axis (of the flattened array where there is none)."""
    return np.cumsum(x, axis), (
        lambda g: np.flip(np.cumsum(np.flip(g, axis), axis), axis).reshape(x.shape)
    )


def var(x, axis=None, keepdims=False):
    """The variance over one axis, several or all: the mean squared distance to the mean."""
    distance = sub(x, mean(x, axis, keepdims=True))
    return mean(mul(distance, distance), axis, keepdims)


def std(x, axis=None, keepdims=False):
    """The standard deviation: the root of `var`."""
    return sqrt(var(x, axis, keepdims))


@differentiable
def argmax(x, /, axis=None, keepdims=False):
    """The index of the first largest value along an axis (of the flattened array without one)."""
    return np.argmax(x, axis, keepdims=keepdims), None


@differentiable
def argmin(x, /, axis=None, keepdims=False):
    """The index of the first smallest value along an axis (of the flattened array without one)."""
    return np.argmin(x, axis, keepdims=keepdims), None


# --- Shapes ---


@differentiable
def reshape(x, /, *shape):
    """The same values in order, in another shape; one size may be -1: what is left."""
    shape = shape[0] if len(shape) == 1 else shape
    return x.reshape(shape), lambda g: g.reshape(x.shape)


def flatten(x, start=0):
    """All axes from `start` on as one."""
    return reshape(x, (*x.shape[:start], math.prod(x.shape[start:])))


@differentiable
def transpose(x, /, axis0, axis1):
    """x with two of its axes swapped."""
    return x.swapaxes(axis0, axis1), lambda g: g.swapaxes(axis0, axis1)


@differentiable
def permute(x, /, *axes):
    """x with its axes in a new order: `permute(x, 2, 0, 1)` puts the last one first."""
    axes = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes
    value = np.transpose(x, axes)
    return value, lambda g: np.transpose(g, np.argsort([axis % x.ndim for axis in axes]))


@differentiable
def squeeze(x, /, axis=None):
    """x without an axis of size 1, or without all of them."""
    return np.squeeze(x, axis), lambda g: g.reshape(x.shape)


@differentiable
def expand_dims(x, /, axis):
    """x with a new axis of size 1 in that place."""
    return np.expand_dims(x, axis), lambda g: g.reshape(x.shape)


@differentiable
def triu(x, /, k=0):
    """The upper triangle of the last two axes, from diagonal `k` up; zeros below it."""
    return np.triu(x, k), lambda g: np.triu(g, k)


@differentiable
def tril(x, /, k=0):
    """The lower triangle of the last two axes, from diagonal `k` down; zeros above it."""
    return np.tril(x, k), lambda g: np.tril(g, k)


@differentiable
def getitem(x, /, index):
    """x[index], for every index that NumPy knows; an element read twice gets both gradients."""
    return x[index], lambda g: Part(g, index)


def repeat(x, repeats, axis=None):
    """Each element (or each slice along the axis) `repeats` times in a row, as in NumPy."""
    if axis is None:
        x, axis = flatten(x), 0
    index = np.repeat(np.arange(x.shape[axis]), repeats)
    return getitem(x, (slice(None),) * (axis % x.ndim) + (index,))


def split(x, size, axis=0, dim=None):
    """Consecutive pieces along an axis: of `size` each (the last may be shorter), or of sizes.

    >>> import minigrad as mg
    >>> [piece.shape for piece in mg.split(mg.zeros(2, 7), 3, axis=1)]
    [(2, 3), (2, 3), (2, 1)]
    """
    axis = axis if dim is None else dim
    n = x.shape[axis]
    if isinstance(size, int) and size > 0:
        size = [size] * (n // size) + ([n % size] if n % size else [])
    if isinstance(size, int) or math.fsum(size) != n or any(s < 0 for s in size):
        raise ValueError(f"split: axis {axis} of shape {x.shape} has {n} entries, asked for {size}")
    ends = np.cumsum(size).tolist()
    before = (slice(None),) * (axis % x.ndim)
    return tuple(x[(*before, slice(end - s, end))] for s, end in zip(size, ends))


@differentiable
def cat(arrays, axis=0):
    """The arrays one after another along an axis that they have."""
    value = np.concatenate(arrays, axis)
    ends = np.cumsum([x.shape[axis] for x in arrays]).tolist()
    before = (slice(None),) * (axis % value.ndim)

    def rule(start, end):
        return lambda g: g[(*before, slice(start, end))]

    return value, *(rule(end - x.shape[axis], end) for x, end in zip(arrays, ends))


@differentiable
def stack(arrays, axis=0):
    """The arrays, all of one shape, side by side along a new axis."""
    return np.stack(arrays, axis), *(
        lambda g, i=i: np.moveaxis(g, axis, 0)[i] for i in range(len(arrays))
    )


# --- Other names for the same ---

dot = mm = matmul
concatenate, unsqueeze, view = cat, expand_dims, reshape
