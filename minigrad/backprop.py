"""The engine: gradients of a computed tensor, by the chain rule, from its end to its leaves."""

import functools
import inspect

import numpy as np

from minigrad.op import Part, anomaly_depth, no_grad_depth
from minigrad.tensor import Tensor


# --- The order ---


def topological_order(root):
    """Every node that `root` was made from, each after all the nodes that use it."""
    uses = {root: 0}
    stack = [root]
    while stack:
        node = stack.pop()
        if node.inputs is None:
            raise RuntimeError(
                f"backward: the graph through {_name(node)} is spent, since backward already ran "
                "through it: compute the tensor again, or add the losses and call backward once"
            )
        for x, _ in node.inputs:
            if x not in uses:
                uses[x] = 0
                stack.append(x)
            uses[x] += 1
    order, ready = [], [root]
    while ready:
        node = ready.pop()
        order.append(node)
        for x, _ in node.inputs:
            uses[x] -= 1
            if uses[x] == 0:
                ready.append(x)
    return order


def _name(node):
    return node.op.__name__ if node.op is not None else "a leaf"


# --- Undoing broadcasting ---


def unbroadcast(g, shape):
    """Sum the gradient `g` of a broadcast array over the axes along which `shape` was repeated."""
    g = g.sum(axis=tuple(range(g.ndim - len(shape))))
    repeated = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
    return g.sum(axis=repeated, keepdims=True) if repeated else g


# --- The backward pass ---


class _Pending:
    """The gradients on their way: the first one by reference, a sum in a buffer of our own."""

    def __init__(self):
        self.arrays = {}
        self.ours = set()  # nodes whose array nobody else holds, so that it may be written

    def add(self, node, g, fresh):
        """Add `g` to the gradient of `node`; `fresh` says that nobody else holds `g`."""
        known = self.arrays.get(node)
        if isinstance(g, Part):
            if known is None:
                known = np.zeros(node.data.shape, node.data.dtype)
            elif node not in self.ours:
                known = known.copy()
            _add_part(known, g)
        elif known is None:
            known = g
        elif node in self.ours:
            known += g
        elif fresh:
            known = np.add(g, known, out=g)
        else:
            known = np.asarray(known + g)
        if self.arrays.get(node) is not known:
            self.arrays[node] = known
            if known is not g or fresh:
                self.ours.add(node)

    def pop(self, node):
        """The whole gradient of `node`, and whether nobody else holds it."""
        ours = node in self.ours
        self.ours.discard(node)
        return self.arrays.pop(node), ours


def _add_part(whole, part):
    """whole[index] += gradient, right where the index names an entry twice."""
    index = part.index if isinstance(part.index, tuple) else (part.index,)
    if all(isinstance(i, (int, slice, type(None), type(...))) for i in index):
        whole[index] += part.gradient
    else:
        np.add.at(whole, part.index, part.gradient)


def gradients(root, gradient=None, consume=True):
    """The gradients of `root` with respect to the leaves behind it, as {leaf: array}.

    Writes no `grad`. With `consume`, each node lets go of its inputs once it is done, so that
    memory falls on the way; without, the graph stays, and the nodes inside it are returned too.
    """
    g = _first_gradient(root, gradient)
    order = topological_order(root)[::-1]
    pending, found = _Pending(), {}
    pending.add(root, g, fresh=gradient is None)
    with np.errstate(all="ignore"):
        while order:
            node = order.pop()
            g, ours = pending.pop(node)
            if node.op is None or node.retains_grad or not consume:
                found[node] = g if ours else g.copy()
            inputs = node.inputs
            if consume and node.op is not None:
                node.inputs = None
            for number, (x, rule) in enumerate(inputs, 1):
                contribution, fresh = _apply(rule, number, node, x, g)
                pending.add(x, contribution, fresh)
    return found


def backward(root, gradient=None):
    """Add the gradient of `root` to the `grad` of every leaf behind it (see `Tensor.backward`).

    Nothing is written before everything is computed, so an error leaves every `grad` as it was.
    """
    for node, g in gradients(root, gradient).items():
        node.grad = g if node.grad is None else node.grad + g


def _first_gradient(root, gradient):
    if not root.requires_grad:
        raise RuntimeError(
            "backward: this tensor was made from nothing that requires a gradient "
            "(set requires_grad=True on the leaves, and compute outside no_grad)"
        )
    if gradient is None:
        if root.data.size != 1:
            raise RuntimeError(
                f"backward: a tensor of shape {root.data.shape} is no single number: reduce it "
                "(.sum(), .mean()), or pass the gradient of what comes after it"
            )
        return np.ones_like(root.data)
    gradient = np.asarray(getattr(gradient, "data", gradient), root.data.dtype)
    if gradient.shape != root.data.shape:
        raise ValueError(
            f"backward: the gradient has shape {gradient.shape}, the tensor {root.data.shape}"
        )
    return gradient


def _apply(rule, number, node, x, g):
    """What `rule` of `node` makes of `g`, in the shape and dtype of x, and whether it is fresh."""
    result = rule(g)
    if isinstance(result, Part):
        return result, False
    result = np.asarray(result)
    if getattr(node.op, "broadcasts", False) and result.shape != x.data.shape:
        result = unbroadcast(result, x.data.shape)
    if result.shape != x.data.shape:
        raise RuntimeError(
            f"rule {number} of {_name(node)} returned {result.shape}, its input is {x.data.shape}"
        )
    if result.dtype != x.data.dtype:
        result = result.astype(x.data.dtype)
    if anomaly_depth.get() and np.isfinite(g).all() and not np.isfinite(result).all():
        raise FloatingPointError(
            f"backward: rule {number} of {_name(node)} returned nan or inf for a finite gradient"
        )
    return result, result is not g and result.base is None


# --- Switching recording off, and watching for what is not finite ---


class _Depth:
    """A context manager, and a decorator, that counts how many of its kind are around us.

    It keeps no state of its own: one instance may be entered again, and by several threads.
    """

    depth = None

    def __enter__(self):
        self.depth.set(self.depth.get() + 1)
        return self

    def __exit__(self, *error):
        self.depth.set(self.depth.get() - 1)

    def __call__(self, function):
        if inspect.isgeneratorfunction(function):
            return self._around_generator(function)

        @functools.wraps(function)
        def inside(*arguments, **options):
            with self:
                return function(*arguments, **options)

        return inside

    def _around_generator(self, function):
        """Inside only while the generator runs, not while its caller has the word."""

        @functools.wraps(function)
        def inside(*arguments, **options):
            generator, sent = function(*arguments, **options), None
            try:
                while True:
                    try:
                        with self:
                            value = generator.send(sent)
                    except StopIteration as end:
                        return end.value
                    sent = yield value
            finally:
                generator.close()

        return inside


class no_grad(_Depth):
    """Compute without recording: `with no_grad():` or `@no_grad()`; local to its thread or task.

    >>> import minigrad as mg
    >>> x = mg.ones(2, requires_grad=True)
    >>> with mg.no_grad():
    ...     (x * 2).requires_grad
    False
    """

    depth = no_grad_depth


class detect_anomaly(_Depth):
    """Raise FloatingPointError at the first operation whose value or gradient is not finite.

    An infinity that was asked for (`masked_fill(mask, -inf)`) is none. Costs time: for debugging.
    """

    depth = anomaly_depth


# --- Checking gradients ---


def check_gradients(f, *inputs, step=1e-6, tolerance=1e-5):
    """Compare the gradients of `f(*inputs)` with central differences, in float64.

    The inputs are tensors or arrays; those of integers stay fixed. A result that is no single
    number is summed with fixed weights. Returns True, or raises AssertionError naming the
    operation, the input, the index, the expected slope and the one got.
    """
    arrays = [np.asarray(getattr(x, "data", x)) for x in inputs]
    moving = [x.dtype.kind == "f" for x in arrays]
    arrays = [np.array(x, np.float64) if m else x for x, m in zip(arrays, moving)]
    weights = None

    def run(arrays):
        nonlocal weights
        leaves = [Tensor(x, requires_grad=m) for x, m in zip(arrays, moving)]
        result = f(*leaves)
        if weights is None:
            weights = np.random.default_rng(0).uniform(0.5, 1.5, result.shape)
        return leaves, result

    leaves, result = run(arrays)
    backward((result * weights).sum())
    name = getattr(f, "__name__", "f")
    for number, (leaf, x, m) in enumerate(zip(leaves, arrays, moving)):
        if not m:
            continue
        got = np.zeros_like(x) if leaf.grad is None else leaf.grad
        for index in np.ndindex(x.shape):
            here, ends = x[index], []
            for moved in (here + step, here - step):
                x[index] = moved
                ends.append((run(arrays)[1].data * weights).sum())
            x[index] = here
            expected = (ends[0] - ends[1]) / (2 * step)
            if not abs(got[index] - expected) <= tolerance * (1 + abs(expected)):
                raise AssertionError(
                    f"{name}: the gradient of input {number} at {index} is {got[index]:.6g}, "
                    f"central differences give {expected:.6g}"
                )
    return True


# --- Drawing the graph ---


def draw_graph(root, gradients=False):
    """The graph that made `root`, as a picture (SVG) for a notebook; consumes nothing.

    Each node shows its operation, its shape and, where it is small, its values; with `gradients`,
    its gradient too, from a backward pass of the drawing's own.
    """
    from minigrad.tools.drawing import GraphDrawing

    nodes = topological_order(root)
    found = _gradients_of_all(root) if gradients else {}
    return GraphDrawing(nodes, found)


_gradients_of_all = functools.partial(gradients, consume=False)
