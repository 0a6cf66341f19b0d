"""Random graphs of random operations and shapes: values and gradients are those of PyTorch.

Hypothesis chooses the graph, always the same ones; a failure is shown as the smallest graph that
fails. Where PyTorch is not installed, central differences stand for it.
"""

import math

import numpy as np
import pytest

import minigrad as mg

hypothesis = pytest.importorskip("hypothesis")
from hypothesis import given, settings  # noqa: E402
from hypothesis import strategies as st  # noqa: E402

SHAPES = st.lists(st.sampled_from([2, 3, 1, 4, 0]), max_size=3).map(tuple)


def examples(number):
    return settings(
        max_examples=number,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(hypothesis.HealthCheck),
    )


class Graph:
    """Leaves, and steps that each make one value more from those before them.

    A step is (name, places of its inputs, our function, PyTorch's function of `torch` and the
    inputs). It is grown in float64 beside its values, so that each step fits.
    """

    def __init__(self, draw, size):
        self.draw = draw
        self.rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        self.leaves, self.steps, self.values = [], [], []
        shapes = draw(st.lists(SHAPES, min_size=1, max_size=3))
        for shape in shapes:
            self.leaf(shape)
        for _ in range(size):
            self.grow()

    def pick(self, choices):
        return self.draw(st.sampled_from(list(choices)))

    def leaf(self, shape):
        """A new leaf, in any layout; its place (leaves stand before the steps' values)."""
        x = self.rng.uniform(-2, 2, shape)
        layout = self.draw(st.integers(0, 3))
        if layout == 1:
            x = np.asfortranarray(x)
        elif layout == 2 and x.ndim:
            x = np.repeat(x, 2, axis=-1)[..., ::2]
        elif layout == 3 and x.ndim:
            x = x[::-1]
        self.leaves.append(x)
        self.values.append(("leaf", len(self.leaves) - 1, x))
        return len(self.values) - 1

    def array(self, place):
        return self.values[place][2]

    def places(self, fits=lambda x: True):
        return [i for i in range(len(self.values)) if fits(self.array(i))]

    def grow(self):
        name = self.pick(KINDS)
        made = KINDS[name](self)
        if made is None:  # nothing here that this kind fits
            return
        places, ours, theirs = made
        self.add(name, places, ours, theirs)
        largest = np.abs(self.values[-1][2]).max(initial=0)
        if largest > 8:  # so that no chain of products overflows
            scale = 4 / float(largest)
            self.add("scale", [len(self.values) - 1], lambda x: x * scale, lambda t, x: x * scale)

    def add(self, name, places, ours, theirs):
        value = ours(*(mg.Tensor(self.array(i)) for i in places)).data
        self.steps.append((name, places, ours, theirs))
        self.values.append(("step", len(self.steps) - 1, value))

    def run(self, leaves, torch=None):
        """The sum of the last value and of every value that nothing uses."""
        values, used = [], set()
        for kind, number, _ in self.values:
            if kind == "leaf":
                values.append(leaves[number])
                continue
            _, places, ours, theirs = self.steps[number]
            used.update(places)
            inputs = [values[i] for i in places]
            values.append(theirs(torch, *inputs) if torch else ours(*inputs))
        total = (values[-1] * 1.5).sum()
        for place in sorted(set(range(len(values))) - used):
            total = total + (values[place] * values[place]).sum()
        return total

    def __repr__(self):
        lines = [
            f"  {i}: leaf {x.shape}"
            if kind == "leaf"
            else f"  {i}: {self.steps[n][0]}{tuple(self.steps[n][1])} -> {x.shape}"
            for i, (kind, n, x) in enumerate(self.values)
        ]
        return "\n".join(lines)


# --- Kinds of steps: each returns the places of its inputs, our function and PyTorch's ---


def unary(ours, theirs):
    return lambda graph: ([graph.pick(graph.places())], ours, theirs)


def binary(ours, theirs):
    def kind(graph):
        a = graph.pick(graph.places())
        b = graph.pick(graph.places(lambda x: broadcast(x.shape, graph.array(a).shape)))
        return [a, b], ours, theirs

    return kind


def broadcast(a, b):
    return all(m == n or 1 in (m, n) for m, n in zip(a[::-1], b[::-1], strict=False))


def along(ours, theirs, least=1):
    """A function of x and an axis of at least `least` entries."""

    def kind(graph):
        fitting = graph.places(lambda x: any(n >= least for n in x.shape))
        if not fitting:
            return None
        place = graph.pick(fitting)
        shape = graph.array(place).shape
        axis = graph.pick([i for i, n in enumerate(shape) if n >= least])
        axis -= graph.pick([0, len(shape)])
        return [place], lambda x: ours(x, axis), lambda t, x: theirs(t, x, axis)

    return kind


def reduction(ours, theirs, empty=False):
    """A reduction over one axis, several or all, with the axes kept or not."""

    def kind(graph):
        fitting = graph.places(lambda x: empty or x.size)
        if not fitting:
            return None
        place = graph.pick(fitting)
        ndim = graph.array(place).ndim
        axes = tuple(i for i in range(ndim) if graph.pick([False, True])) or tuple(range(ndim))
        keep = graph.pick([False, True])
        if not ndim:
            return [place], lambda x: ours(x, None, keep), lambda t, x: theirs(t, x, (), keep)
        return [place], lambda x: ours(x, axes, keep), lambda t, x: theirs(t, x, axes, keep)

    return kind


def matmul(graph):
    fitting = graph.places(lambda x: x.ndim)
    if not fitting:
        return None
    a = graph.pick(fitting)
    shape = graph.array(a).shape
    k, n = shape[-1], graph.pick([1, 2, 3, 0])
    stacks = shape[-3] if len(shape) > 2 else 2
    others = [(k,), (k, n), (1, k, n), (stacks, k, n)]
    b = graph.leaf(graph.pick(others))
    return [a, b], mg.matmul, lambda t, x, y: x @ y


def linear(graph):
    fitting = graph.places(lambda x: x.ndim)
    if not fitting:
        return None
    a, n = graph.pick(fitting), graph.pick([1, 3])
    weight, bias = graph.leaf((n, graph.array(a).shape[-1])), graph.leaf((n,))
    return [a, weight, bias], mg.linear, lambda t, *x: t.nn.functional.linear(*x)


def layer_norm(graph):
    fitting = graph.places(lambda x: x.ndim and x.shape[-1] > 1)
    if not fitting:
        return None
    a = graph.pick(fitting)
    n = graph.array(a).shape[-1]
    weight, bias = graph.leaf((n,)), graph.leaf((n,))
    return (
        [a, weight, bias],
        lambda *x: mg.layer_norm(*x, eps=0.1),
        lambda t, x, w, b: t.nn.functional.layer_norm(x, (n,), w, b, eps=0.1),
    )


def embedding(graph):
    fitting = graph.places(lambda x: x.ndim == 2 and len(x))
    if not fitting:
        return None
    a = graph.pick(fitting)
    tokens = graph.rng.integers(len(graph.array(a)), size=graph.draw(SHAPES))
    return (
        [a],
        lambda w: mg.embedding(tokens, w),
        lambda t, w: t.nn.functional.embedding(t.tensor(tokens), w),
    )


def cross_entropy(graph):
    fitting = graph.places(lambda x: x.ndim and x.size)
    if not fitting:
        return None
    a = graph.pick(fitting)
    shape = graph.array(a).shape
    targets = graph.rng.integers(shape[-1], size=shape[:-1])
    return (
        [a],
        lambda x: mg.cross_entropy_loss(x, targets),
        lambda t, x: t.nn.functional.cross_entropy(
            x.reshape(-1, shape[-1]), t.tensor(targets.reshape(-1))
        ),
    )


def masked(graph):
    a = graph.pick(graph.places())
    mask = graph.rng.random(graph.array(a).shape[graph.pick([0, 1]) :]) < 0.5
    return (
        [a],
        lambda x: mg.masked_fill(x, mask, 0.5),
        lambda t, x: x.masked_fill(t.tensor(mask), 0.5),
    )


def where(graph):
    a = graph.pick(graph.places())
    shape = graph.array(a).shape
    b = graph.pick(graph.places(lambda x: broadcast(x.shape, shape)))
    mask = graph.rng.random(shape) < 0.5
    return [a, b], lambda x, y: mg.where(mask, x, y), lambda t, x, y: t.where(t.tensor(mask), x, y)


def reshape(graph):
    a = graph.pick(graph.places())
    n = graph.array(a).size
    divisors = [d for d in (1, 2, 3, 4) if n % d == 0]
    d = graph.pick(divisors)
    shape = graph.pick([(n,), (d, n // d), (n // d, 1, d)])
    return [a], lambda x: x.reshape(shape), lambda t, x: x.reshape(shape)


def permute(graph):
    a = graph.pick(graph.places())
    axes = tuple(graph.draw(st.permutations(range(graph.array(a).ndim))))
    return [a], lambda x: mg.permute(x, axes), lambda t, x: x.permute(axes)


def index(graph):
    fitting = graph.places(lambda x: x.ndim and x.shape[0])
    if not fitting:
        return None
    a = graph.pick(fitting)
    n = graph.array(a).shape[0]
    several = graph.rng.integers(-n, n, size=graph.pick([1, 4, 0]))  # repeated ones accumulate
    chosen = graph.pick([0, -1, slice(1, None), slice(0, None, 2), None, ..., several])
    theirs = (lambda t: t.tensor(several)) if chosen is several else (lambda t: chosen)
    return [a], lambda x: x[chosen], lambda t, x: x[theirs(t)]


def joined(ours, theirs):
    def kind(graph):
        fitting = graph.places(lambda x: x.ndim)
        if not fitting:
            return None
        a = graph.pick(fitting)
        shape = graph.array(a).shape
        b = graph.pick(graph.places(lambda x: x.shape == shape))
        axis = graph.pick(range(len(shape)))
        return [a, b, a], lambda *x: ours(x, axis), lambda t, *x: theirs(t, x, axis)

    return kind


def same_shape(ours, theirs):
    def kind(graph):
        a = graph.pick(graph.places(lambda x: x.size) or graph.places())
        if not graph.array(a).size:
            return None
        b = graph.pick(graph.places(lambda x: x.shape == graph.array(a).shape))
        return [a, b], ours, theirs

    return kind


def triangle(ours, theirs):
    def kind(graph):
        fitting = graph.places(lambda x: x.ndim >= 2)
        if not fitting:
            return None
        k = graph.pick([0, 1, -1])
        return [graph.pick(fitting)], lambda x: ours(x, k), lambda t, x: theirs(t, x, k)

    return kind


def flat_prod(t, x, axes, keep):
    for axis in sorted(axes, reverse=True):
        x = x.prod(axis, keepdim=keep)
    return x


KINDS = {
    "add": binary(mg.add, lambda t, a, b: a + b),
    "sub": binary(mg.sub, lambda t, a, b: a - b),
    "mul": binary(mg.mul, lambda t, a, b: a * b),
    "div": binary(lambda a, b: a / (b * b + 1), lambda t, a, b: a / (b * b + 1)),
    "pow": binary(
        lambda a, b: (a * a + 0.5) ** b.tanh(), lambda t, a, b: (a * a + 0.5) ** b.tanh()
    ),
    "maximum": binary(mg.maximum, lambda t, a, b: t.maximum(a, b)),
    "minimum": binary(mg.minimum, lambda t, a, b: t.minimum(a, b)),
    "remainder": binary(lambda a, b: a % (b * b + 1), lambda t, a, b: a % (b * b + 1)),
    "reflected": unary(lambda x: 2 - x / 4 + 1.5**x, lambda t, x: 2 - x / 4 + 1.5**x),
    "neg": unary(mg.neg, lambda t, x: -x),
    "cube": unary(lambda x: x**3, lambda t, x: x**3),
    "exp": unary(lambda x: (x / 4).exp(), lambda t, x: (x / 4).exp()),
    "log": unary(lambda x: (x * x + 0.5).log(), lambda t, x: (x * x + 0.5).log()),
    "sqrt": unary(lambda x: (x * x + 0.5).sqrt(), lambda t, x: (x * x + 0.5).sqrt()),
    "abs": unary(mg.abs, lambda t, x: x.abs()),
    "sin": unary(mg.sin, lambda t, x: x.sin()),
    "cos": unary(mg.cos, lambda t, x: x.cos()),
    "tan": unary(lambda x: x.tanh().tan(), lambda t, x: x.tanh().tan()),
    "tanh": unary(mg.tanh, lambda t, x: x.tanh()),
    "sigmoid": unary(mg.sigmoid, lambda t, x: x.sigmoid()),
    "relu": unary(mg.relu, lambda t, x: x.relu()),
    "gelu": unary(mg.gelu, lambda t, x: t.nn.functional.gelu(x, approximate="tanh")),
    "softplus": unary(mg.softplus, lambda t, x: t.nn.functional.softplus(x)),
    "clip": unary(lambda x: x.clip(-1.1, 0.7), lambda t, x: x.clip(-1.1, 0.7)),
    "sum": reduction(mg.sum, lambda t, x, a, k: x.sum(a, keepdim=k), empty=True),
    "mean": reduction(mg.mean, lambda t, x, a, k: x.mean(a, keepdim=k)),
    "max": reduction(mg.max, lambda t, x, a, k: x.amax(a, keepdim=k)),
    "min": reduction(mg.min, lambda t, x, a, k: x.amin(a, keepdim=k)),
    "prod": reduction(mg.prod, flat_prod, empty=True),
    "var": reduction(mg.var, lambda t, x, a, k: x.var(a, correction=0, keepdim=k) if a else x * 0),
    "norm": reduction(mg.norm, lambda t, x, a, k: t.linalg.vector_norm(x, dim=a, keepdim=k)),
    "cumsum": along(mg.cumsum, lambda t, x, a: x.cumsum(a), least=0),
    "cumprod": along(mg.cumprod, lambda t, x, a: x.cumprod(a), least=0),
    "softmax": along(mg.softmax, lambda t, x, a: x.softmax(a)),
    "log_softmax": along(mg.log_softmax, lambda t, x, a: x.log_softmax(a)),
    "repeat": along(lambda x, a: x.repeat(2, a), lambda t, x, a: x.repeat_interleave(2, a), 0),
    "split": along(
        lambda x, a: x.split(1, a)[-1] - x.split(2, a)[0].sum(),
        lambda t, x, a: x.split(1, a)[-1] - x.split(2, a)[0].sum(),
    ),
    "expand_dims": along(mg.expand_dims, lambda t, x, a: x.unsqueeze(a), 0),
    "squeeze": unary(mg.squeeze, lambda t, x: x.squeeze()),
    "flatten": unary(mg.flatten, lambda t, x: x.flatten()),
    "reshape": reshape,
    "permute": permute,
    "transpose": along(lambda x, a: x.transpose(a, 0), lambda t, x, a: x.transpose(a, 0), 0),
    "triu": triangle(mg.triu, lambda t, x, k: x.triu(k)),
    "tril": triangle(mg.tril, lambda t, x, k: x.tril(k)),
    "diagonal": triangle(mg.diagonal, lambda t, x, k: x.diagonal(k)),
    "trace": triangle(mg.trace, lambda t, x, k: x.diagonal(k).sum(-1)),
    "getitem": index,
    "cat": joined(mg.cat, lambda t, x, a: t.cat(x, a)),
    "stack": joined(mg.stack, lambda t, x, a: t.stack(x, a)),
    "matmul": matmul,
    "linear": linear,
    "layer_norm": layer_norm,
    "embedding": embedding,
    "cross_entropy": cross_entropy,
    "mse_loss": same_shape(mg.mse_loss, lambda t, a, b: t.nn.functional.mse_loss(a, b)),
    "masked_fill": masked,
    "where": where,
}


# --- The properties ---


def cast(x, dtype):
    """The array in that precision; float32 ones are strided too."""
    return x if dtype == x.dtype else np.repeat(x.astype(dtype)[..., None], 2, -1)[..., 0]


def compare_with_pytorch(torch, graph, dtype):
    precision = 1e-9 if dtype == np.float64 else 5e-4
    ours = [mg.Tensor(cast(x, dtype), requires_grad=True) for x in graph.leaves]
    theirs = [torch.tensor(np.array(x, dtype), requires_grad=True) for x in graph.leaves]
    a, b = graph.run(ours), graph.run(theirs, torch)
    assert a.dtype == dtype and a.shape == ()
    assert math.isclose(a.item(), b.item(), rel_tol=precision, abs_tol=precision)
    a.backward()
    b.backward()
    for x, y in zip(ours, theirs, strict=True):
        expected = np.zeros(x.shape) if y.grad is None else y.grad.numpy()
        got = np.zeros(x.shape) if x.grad is None else x.grad
        assert got.shape == x.shape and (x.grad is None or x.grad.dtype == dtype)
        scale = max(1, np.abs(expected).max(initial=0))
        assert np.abs(got - expected).max(initial=0) <= precision * scale, graph


def graphs(data):
    return Graph(data.draw, data.draw(st.integers(3, 14)))


@examples(300)
@given(st.data())
def test_random_graphs_have_the_slopes_of_central_differences(data):
    graph = graphs(data)
    if sum(x.size for x in graph.leaves) > 60:  # two runs for each element
        return
    assert mg.check_gradients(lambda *x: graph.run(x), *graph.leaves, tolerance=1e-4), graph


@examples(300)
@given(st.data(), st.sampled_from([np.float64, np.float32]))
def test_random_graphs_are_pytorch_s(torch, data, dtype):
    compare_with_pytorch(torch, graphs(data), dtype)


@pytest.mark.long
@examples(10_000)
@given(st.data(), st.sampled_from([np.float64, np.float32]))
def test_ten_thousand_random_graphs_are_pytorch_s(torch, data, dtype):
    compare_with_pytorch(torch, graphs(data), dtype)


def test_every_differentiable_operation_is_in_the_graphs():
    from test_operations import OPERATIONS, WITHOUT_GRADIENT

    names = {"getitem", "cross_entropy", *KINDS, "pow"}
    missing = set(OPERATIONS) - WITHOUT_GRADIENT - names
    # The first two are one step of others here; attention has its own comparison in test_torch.
    expected = {"_scale_kept", "cross_entropy_loss", "causal_attention"}
    assert missing == expected, f"add {missing - expected} to KINDS, beside PyTorch's function"
