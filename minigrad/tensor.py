"""The class `Tensor`, which lists the operations, and the functions that create tensors."""

import numpy as np

from minigrad.op import Node, as_array, record, unwrap
from minigrad.ops import (
    abs, add, argmax, argmin, clip, cos, cumsum, div, equal, exp, expand_dims, flatten, getitem,
    greater, greater_equal, less, less_equal, log, masked_fill, matmul, max, mean, min, mul, neg,
    norm, not_equal, permute, pow, prod, repeat, reshape, sin, split, sqrt, squeeze, std, sub, sum,
    tan, tanh, transpose, tril, triu, var,
)  # fmt: skip


# --- The class Tensor ---


def _reflected(op):
    """`op` with its operands exchanged: for `1 - x`, Python calls `x.__rsub__(1)`."""
    return lambda self, other: op(other, self)


class Tensor(Node):
    """An n-dimensional array of numbers that remembers how it was made.

    `data` is its NumPy array; `grad`, after `backward`, the gradient as an array (or None);
    `requires_grad` says whether it is wanted. Operations never change a tensor: they make new ones.

    >>> x = Tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    array([2., 4.], dtype=float32)
    """

    __slots__ = ()
    __array_ufunc__ = None  # so that `array * tensor` asks the tensor
    __hash__ = Node.__hash__  # by identity, since == compares element by element

    # Arithmetic and comparison
    __add__, __sub__, __mul__, __truediv__, __pow__, __matmul__ = add, sub, mul, div, pow, matmul
    __radd__, __rsub__, __rmul__ = _reflected(add), _reflected(sub), _reflected(mul)
    __rtruediv__, __rpow__ = _reflected(div), _reflected(pow)
    __rmatmul__ = _reflected(matmul)
    __neg__, __abs__ = neg, abs
    __eq__, __ne__ = equal, not_equal
    __lt__, __le__, __gt__, __ge__ = less, less_equal, greater, greater_equal

    # Element by element
    abs, exp, log, sqrt = abs, exp, log, sqrt
    sin, cos, tan, tanh = sin, cos, tan, tanh
    pow, clip, masked_fill = pow, clip, masked_fill

    # Reductions
    sum, mean, prod, max, min = sum, mean, prod, max, min
    var, std, norm, cumsum = var, std, norm, cumsum
    argmax, argmin = argmax, argmin

    # Shapes
    reshape, view, flatten = reshape, reshape, flatten
    transpose, permute = transpose, permute
    squeeze, unsqueeze, expand_dims = squeeze, expand_dims, expand_dims
    repeat, split, triu, tril = repeat, split, triu, tril
    matmul, __getitem__ = matmul, getitem

    shape = property(lambda self: self.data.shape, doc="The size of each axis.")
    ndim = property(lambda self: self.data.ndim, doc="The number of axes.")
    size = property(lambda self: self.data.size, doc="The number of elements.")
    dtype = property(lambda self: self.data.dtype, doc="The type of the elements.")

    @property
    def T(self):
        """The tensor with its axes in reverse order."""
        return self.permute(*reversed(range(self.ndim)))

    def backward(self, gradient=None):
        """Compute the gradient of this tensor with respect to every leaf that requires one.

        Adds it to the leaves' `grad`. A tensor of more than one element needs the `gradient` of
        whatever comes after it, in its own shape. The graph is spent afterwards.
        """
        from minigrad.backprop import backward  # lesson 02 builds it

        backward(self, gradient)

    def retain_grad(self):
        """Ask `backward` to keep the gradient of this tensor too, although it is no leaf."""
        self.retains_grad = True
        return self

    def detach(self):
        """The same values (the same memory), cut off from how they were made."""
        return Tensor(self.data)

    def copy(self):
        """The same values in memory of their own; gradients pass through."""
        return self.astype(self.dtype)

    def astype(self, dtype):
        """The values as another dtype; the gradient comes back in this tensor's own."""
        return record(Tensor.astype, (self,), self.data.astype(dtype), [lambda g: g])

    def numpy(self):
        """The values as an array (the same memory)."""
        return self.data

    def item(self):
        """The one element of this tensor, as a Python number."""
        if self.size != 1:
            raise ValueError(f"item() takes a tensor of one element, this one has {self.shape}")
        return self.data.item()

    def tolist(self):
        """The values as nested lists of Python numbers."""
        return self.data.tolist()

    def __array__(self, dtype=None, copy=None):
        return np.array(self.data, dtype, copy=copy)

    def __len__(self):
        if self.ndim == 0:
            raise TypeError("a tensor of shape () has no length")
        return len(self.data)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __bool__(self):
        if self.size != 1:
            raise ValueError(
                f"a tensor of shape {self.shape} is neither true nor false: "
                "compare one element, or use .data.any() or .data.all()"
            )
        return bool(self.data)

    def __float__(self):
        return float(self.item())

    def __int__(self):
        return int(self.item())

    def __index__(self):
        return self.data.__index__()

    def __repr__(self):
        values = np.array2string(self.data, precision=4, separator=", ", prefix="Tensor(")
        notes = "" if self.dtype.kind in "bi" or self.dtype == np.float32 else f", {self.dtype}"
        if self.op is not None:
            notes += f", op={self.op.__name__}"
        elif self.requires_grad:
            notes += ", requires_grad=True"
        return f"Tensor({values}{notes})"


# --- Creating tensors ---


def array(data, dtype=None, requires_grad=False):
    """A tensor with a copy of `data`: numbers, lists, arrays or tensors.

    Python floats become float32, integers int64; arrays keep their dtype.

    >>> array([[1, 2], [3, 4]]).shape
    (2, 2)
    """
    if isinstance(data, (list, tuple)):
        data = unwrap(data)
    return Tensor(np.array(as_array(data, dtype)), requires_grad)


def _shape(sizes):
    """`zeros(2, 3)` and `zeros((2, 3))` mean the same."""
    return sizes[0] if len(sizes) == 1 else sizes


def zeros(*shape, dtype=np.float32, requires_grad=False):
    """A tensor of zeros: `zeros(2, 3)` or `zeros((2, 3))`."""
    return Tensor(np.zeros(_shape(shape), dtype), requires_grad)


def ones(*shape, dtype=np.float32, requires_grad=False):
    """A tensor of ones: `ones(2, 3)` or `ones((2, 3))`."""
    return Tensor(np.ones(_shape(shape), dtype), requires_grad)


def full(shape, value, dtype=None, requires_grad=False):
    """A tensor of that shape, `value` everywhere."""
    return Tensor(np.full(shape, as_array(value, dtype)), requires_grad)


def eye(n, m=None, dtype=np.float32, requires_grad=False):
    """The identity matrix of n rows (and m columns)."""
    return Tensor(np.eye(n, m, dtype=dtype), requires_grad)


def arange(*start_stop_step, dtype=None, requires_grad=False):
    """The numbers `start`, `start + step`, … below `stop`, as Python's `range` counts them."""
    return Tensor(as_array(np.arange(*start_stop_step).tolist(), dtype), requires_grad)


def linspace(start, stop, num=50, dtype=np.float32, requires_grad=False):
    """`num` numbers from `start` to `stop`, both included, equally far apart."""
    return Tensor(np.linspace(start, stop, num, dtype=dtype), requires_grad)


def zeros_like(x, dtype=None, requires_grad=False):
    """A tensor of zeros with the shape and dtype of x."""
    return Tensor(np.zeros_like(as_array(x), dtype), requires_grad)


def ones_like(x, dtype=None, requires_grad=False):
    """A tensor of ones with the shape and dtype of x."""
    return Tensor(np.ones_like(as_array(x), dtype), requires_grad)


def empty_like(x, dtype=None, requires_grad=False):
    """A tensor with the shape and dtype of x whose values are whatever was in memory."""
    return Tensor(np.empty_like(as_array(x), dtype), requires_grad)
