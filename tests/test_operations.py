"""Every operation: its gradient against central differences, its rules, its errors.

Operations are found from the code, so a new one is enrolled by itself.
"""

import inspect

import numpy as np
import pytest

import minigrad as mg
from minigrad import attention, functional, op, ops, tensor

SIGNED = np.random.default_rng(1).normal(size=(2, 3, 4))


def found():
    """{name: operation} of all modules that define operations."""
    operations = {}
    for module in (ops, functional, attention):
        for value in vars(module).values():
            if hasattr(value, "broadcasts") and hasattr(value, "__wrapped__"):
                operations[value.__name__] = value
    return operations


OPERATIONS = found()


def differentiable_inputs(name):
    """Whether the operation has a rule at all, from one call of its NumPy function."""
    return name not in WITHOUT_GRADIENT


WITHOUT_GRADIENT = {
    "equal",
    "not_equal",
    "less",
    "less_equal",
    "greater",
    "greater_equal",
    "floor",
    "ceil",
    "sign",
    "isnan",
    "isinf",
    "isfinite",
    "argmax",
    "argmin",
}


def normal(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def positive(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).uniform(0.5, 2.0, size=shape)


# What an operation cannot be called with by chance: (arguments, options) each.
TOKENS = np.array([[1, 4, 1], [0, 1, 2]])
MASK = np.array([[True, False, True], [False, False, True]])
CASES = {
    "log": [((positive(2, 3),), {}), ((positive(),), {})],
    "sqrt": [((positive(2, 3),), {})],
    "tan": [((0.5 * np.tanh(normal(2, 3)),), {})],
    "pow": [
        ((positive(2, 3), normal(3)), {}),
        ((positive(2, 1), normal(1, 3)), {}),
        ((normal(2, 3), 3), {}),
        ((normal(2, 3), 2.0), {}),
        ((2.0, normal(3)), {}),
    ],
    "div": [((normal(2, 3), positive(3)), {}), ((1.0, positive(2, 1)), {})],
    "matmul": [
        ((normal(*a), normal(*b)), {})
        for a, b in [
            ((3,), (3,)),
            ((2, 3), (3,)),
            ((3,), (3, 2)),
            ((2, 3), (3, 4)),
            ((5, 2, 3), (3, 4)),
            ((5, 2, 3), (3,)),
            ((3,), (5, 3, 2)),
            ((5, 2, 3), (5, 3, 4)),
            ((2, 3), (5, 3, 4)),
            ((1, 2, 3), (5, 3, 4)),
            ((6, 1, 2, 3), (5, 3, 2)),
        ]
    ],
    "clip": [((normal(3, 4),), {"min": -0.5, "max": 0.7}), ((normal(3, 4),), {"max": 0.1})],
    "where": [
        ((MASK, normal(2, 3), normal(3)), {}),
        ((MASK[0].astype(int), 1.0, normal(2, 3)), {}),
    ],
    "masked_fill": [((normal(4, 2, 3), MASK, 2.0), {}), ((normal(2, 3), 1 * MASK, 0.0), {})],
    "sum": [((SIGNED,), {}), ((SIGNED, 1), {}), ((SIGNED, (0, -1)), {"keepdims": True})],
    "mean": [((SIGNED,), {}), ((SIGNED, 1), {}), ((SIGNED, (0, -1)), {"keepdims": True})],
    "max": [((SIGNED,), {}), ((SIGNED, 1), {}), ((SIGNED, (0, -1)), {"keepdims": True})],
    "min": [((SIGNED,), {}), ((SIGNED, 1), {}), ((SIGNED, (0, -1)), {"keepdims": True})],
    "norm": [((SIGNED,), {}), ((SIGNED, 1), {}), ((SIGNED, (0, -1)), {"keepdims": True})],
    "prod": [
        ((SIGNED,), {}),
        ((SIGNED, 1), {}),
        ((SIGNED, (0, -1)), {"keepdims": True}),
        ((np.array([[2.0, 0.0, 3.0], [0.0, 0.0, 4.0], [1.0, 2.0, 3.0]]), 1), {}),
    ],
    "cumsum": [((SIGNED,), {}), ((SIGNED, 1), {}), ((SIGNED, -1), {})],
    "reshape": [((SIGNED, 4, -1), {}), ((SIGNED, (3, 8)), {})],
    "transpose": [((SIGNED, 0, 2), {}), ((SIGNED, -1, -2), {})],
    "permute": [((SIGNED, 2, 0, 1), {}), ((SIGNED, (1, -1, 0)), {})],
    "squeeze": [((normal(2, 1, 3, 1),), {}), ((normal(2, 1, 3, 1), 1), {})],
    "expand_dims": [((SIGNED, 0), {}), ((SIGNED, -1), {})],
    "triu": [((SIGNED,), {}), ((SIGNED, 1), {})],
    "tril": [((SIGNED,), {}), ((SIGNED, -1), {})],
    "getitem": [
        ((SIGNED, index), {})
        for index in (
            1,
            (0, slice(1, 3)),
            (..., None, 2),
            (slice(None), [0, 0, 2]),
            SIGNED > 0,
            (np.array([1, 1]), slice(None), np.array([3, 3])),
            slice(None, None, -2),
        )
    ],
    "cat": [
        (([normal(2, 3), normal(1, 3), normal(3, 3)],), {}),
        (([SIGNED, SIGNED],), {"axis": -1}),
    ],
    "stack": [(([normal(2, 3), normal(2, 3, seed=1)],), {}), (([SIGNED, SIGNED],), {"axis": -1})],
    "softmax": [((SIGNED,), {}), ((SIGNED,), {"axis": 1})],
    "log_softmax": [((SIGNED,), {}), ((SIGNED,), {"axis": 1})],
    "linear": [
        ((normal(2, 5, 3), normal(4, 3), normal(4)), {}),
        ((normal(3), normal(4, 3), normal(4)), {}),
        ((normal(3, 11, 3), normal(4, 3), normal(4)), {}),
    ],
    "layer_norm": [
        ((normal(2, 5, 4), normal(4), normal(4, seed=1)), {}),
        ((normal(4), normal(4), normal(4)), {"eps": 0.1}),
    ],
    "embedding": [((TOKENS, normal(5, 3)), {})],
    "_scale_kept": [((normal(2, 3), MASK, 1.25), {})],
    "cross_entropy_loss": [((normal(2, 3, 5), TOKENS), {}), ((normal(5), np.array(3)), {})],
    "mse_loss": [((normal(2, 3), normal(2, 3, seed=1)), {})],
    "causal_attention": [((normal(2, 5, 12), 2), {}), ((normal(1, 1, 6), 1), {})],
}


def cases(name):
    """The calls to check: those above, or random shapes for operations of one or two arrays."""
    if name in CASES:
        return CASES[name]
    kinds = [p.kind for p in inspect.signature(OPERATIONS[name].__wrapped__).parameters.values()]
    count = kinds.count(inspect.Parameter.POSITIONAL_ONLY)
    if count == 1:
        return [((normal(*shape),), {}) for shape in [(), (3,), (2, 3, 4), (2, 0, 3)]]
    if count == 2:
        shapes = [((3,), (3,)), ((2, 3), (3,)), ((2, 1), (1, 4)), ((), (2, 2)), ((4, 1, 3), (2, 1))]
        return [((normal(*a), normal(*b, seed=1)), {}) for a, b in shapes]
    raise AssertionError(f"{name} has no case here: add one to CASES")


def test_operations_are_found():
    assert {"add", "matmul", "cat", "softmax", "layer_norm", "causal_attention"} <= set(OPERATIONS)
    assert len(OPERATIONS) >= 55


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - WITHOUT_GRADIENT))
def test_gradient_equals_central_differences(name):
    for arguments, options in cases(name):
        arrays, call = as_function_of_arrays(OPERATIONS[name], arguments, options)
        call.__name__ = name
        assert mg.check_gradients(call, *arrays)


def as_function_of_arrays(operation, arguments, options):
    """The arrays among the arguments, and the operation as a function of them alone."""
    if isinstance(arguments[0], list):
        return arguments[0], lambda *x: operation(list(x), *arguments[1:], **options)
    places = [
        i
        for i, x in enumerate(arguments[: operation_inputs(operation)])
        if isinstance(x, np.ndarray)
    ]

    def call(*x):
        given = dict(zip(places, x, strict=True))
        return operation(*(given.get(i, y) for i, y in enumerate(arguments)), **options)

    return [arguments[i] for i in places], call


def operation_inputs(operation):
    kinds = [p.kind for p in inspect.signature(operation.__wrapped__).parameters.values()]
    return kinds.count(inspect.Parameter.POSITIONAL_ONLY)


@pytest.mark.parametrize("name", sorted(WITHOUT_GRADIENT))
def test_operation_without_gradient_records_nothing(name):
    operation = OPERATIONS[name]
    inputs = [
        mg.array(normal(2, 3), requires_grad=True) for _ in range(operation_inputs(operation))
    ]
    result = operation(*inputs)
    assert not result.requires_grad
    assert np.array_equal(result.data, getattr(np, name)(*(x.data for x in inputs)))


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - WITHOUT_GRADIENT))
def test_rules_leave_the_gradient_and_the_inputs_as_they_were(name):
    operation = OPERATIONS[name]
    for arguments, options in cases(name):
        before = [np.copy(x) for x in arguments if isinstance(x, np.ndarray)]
        value, *rules = operation.__wrapped__(*arguments, **options)
        g = normal(*np.shape(value), seed=2)
        kept = g.copy()
        for rule in rules:
            if rule is not None:
                rule(g)
        assert np.array_equal(g, kept)
        after = [x for x in arguments if isinstance(x, np.ndarray)]
        assert all(np.array_equal(x, y) for x, y in zip(before, after, strict=True))


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - WITHOUT_GRADIENT - {"getitem"}))
def test_float32_stays_float32(name):
    def cast(x):
        if isinstance(x, list):
            return [cast(part) for part in x]
        return x.astype(np.float32) if isinstance(x, np.ndarray) and x.dtype == np.float64 else x

    for arguments, options in cases(name):
        arguments = [cast(x) for x in arguments]
        leaves = [
            mg.Tensor(x, requires_grad=True)
            if isinstance(x, np.ndarray) and x.dtype == np.float32
            else x
            for x in arguments
        ]
        result = OPERATIONS[name](*leaves, **options)
        assert result.dtype == np.float32
        if result.requires_grad and np.isfinite(result.data).all():
            result.backward(np.ones(result.shape, np.float32))
            assert all(
                x.grad.dtype == np.float32 for x in leaves if getattr(x, "grad", None) is not None
            )


# --- Values and semantics where NumPy and PyTorch differ ---


def test_dtypes_as_promised():
    assert mg.array([1.0]).dtype == np.float32
    assert mg.array([1]).dtype == np.int64
    assert mg.array([True]).dtype == bool
    assert mg.array(np.ones(2)).dtype == np.float64
    assert mg.sqrt(16).dtype == np.float32
    assert (mg.ones(2) / mg.sqrt(16)).dtype == np.float32
    assert (mg.arange(3) * 0.5).dtype == np.float32
    assert (mg.arange(3) * mg.ones(3)).dtype == np.float32
    assert (mg.arange(3) + 1).dtype == np.int64
    assert mg.arange(3).astype(mg.float64).dtype == np.float64
    assert mg.array([1, 2, 3]).mean().dtype == np.float32


def test_split_is_by_size():
    assert [p.shape for p in mg.ones(2, 7).split(3, dim=1)] == [(2, 3), (2, 3), (2, 1)]
    assert [p.shape for p in mg.ones(2, 7).split([5, 2], axis=1)] == [(2, 5), (2, 2)]
    with pytest.raises(ValueError, match="split: axis 1 of shape"):
        mg.ones(2, 7).split([5, 1], axis=1)


def test_var_and_std_divide_by_n():
    x = normal(3, 4)
    assert np.allclose(mg.array(x).var(1).data, x.var(1))
    assert np.allclose(mg.array(x).std().data, x.std())


def test_equal_maxima_share_the_gradient():
    x = mg.array([3.0, 1.0, 3.0], requires_grad=True)
    x.max().backward()
    assert x.grad.tolist() == [0.5, 0.0, 0.5]


def test_repeat_is_numpys():
    x = normal(2, 3)
    assert np.array_equal(mg.repeat(mg.array(x), 2, axis=1).data, np.repeat(x, 2, axis=1))
    assert np.array_equal(mg.repeat(mg.array(x), [1, 2], axis=0).data, np.repeat(x, [1, 2], axis=0))


def test_masks_select_and_never_multiply():
    x = mg.array([1.0, np.inf, np.nan], requires_grad=True)
    y = x.masked_fill([0, 1, 1], 0.0)
    assert y.tolist() == [1.0, 0.0, 0.0]
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 0.0, 0.0]
    with pytest.raises(ValueError, match="masked_fill.*True and False, or 0 and 1"):
        x.masked_fill([0, 1, 2], 0.0)


def test_a_mask_of_two_axes_broadcasts_over_four():
    scores = mg.array(normal(2, 3, 4, 4))
    masked = scores.masked_fill(mg.triu(mg.ones(4, 4), k=1), float("-inf"))
    assert masked.shape == (2, 3, 4, 4)
    assert np.isneginf(masked.data[1, 2, 0, 1]) and np.isfinite(masked.data[1, 2, 3, 3])


def test_a_row_masked_whole_gives_zeros():
    x = mg.array([[-np.inf, -np.inf], [0.0, 0.0]], requires_grad=True)
    y = mg.softmax(x)
    assert y.tolist() == [[0.0, 0.0], [0.5, 0.5]]
    (y * mg.array([1.0, 2.0])).sum().backward()
    assert np.isfinite(x.grad).all()


def test_comparison_is_elementwise_and_hashing_by_identity():
    a, b = mg.array([1, 2]), mg.array([1, 3])
    assert (a == b).tolist() == [True, False]
    assert len({a, b, a}) == 2


def test_an_array_times_a_tensor_is_a_tensor():
    for result in (
        np.ones(2) * mg.ones(2),
        np.ones((2, 2)) @ mg.ones(2),
        np.float32(2) - mg.ones(2),
    ):
        assert isinstance(result, mg.Tensor)


def test_softmax_and_cross_entropy_do_not_overflow():
    logits = mg.array([[1e4, -1e4, 0.0]], requires_grad=True)
    assert mg.softmax(logits).tolist() == [[1.0, 0.0, 0.0]]
    loss = mg.cross_entropy_loss(logits, mg.array([1]))
    assert loss.item() == pytest.approx(2e4)
    loss.backward()
    assert logits.grad.tolist() == [[1.0, -1.0, 0.0]]


def test_linear_is_the_same_for_one_row_few_and_many():
    x, weight = normal(64, 24).astype(np.float32), normal(40, 24, seed=1).astype(np.float32)
    whole = x.astype(np.float64) @ weight.T.astype(np.float64)
    for n in (0, 1, 2, 31, 32, 33, 64):
        value = mg.linear(x[:n], weight, None).data
        assert value.shape == (n, 40) and value.flags.c_contiguous
        np.testing.assert_allclose(value, whole[:n], atol=1e-5)


def test_gelu_has_the_same_value_where_nothing_is_recorded():
    x = mg.array(np.linspace(-6, 6, 100_000, dtype=np.float32))  # several blocks
    with mg.no_grad():
        value = mg.gelu(x).data
    assert np.array_equal(value, mg.gelu(x).data)


def test_gelu_far_out():
    assert mg.gelu(mg.array([-1e4, 1e4])).tolist() == [0.0, 1e4]


def test_indices_may_be_tensors():
    x = mg.array(normal(4, 3))
    assert x[mg.array([0, 2])].shape == (2, 3)
    assert x[mg.array(1), mg.array(2)].shape == ()


def test_repr_shows_values_and_operation():
    x = mg.array([1.0, 2.5], requires_grad=True)
    assert repr(x) == "Tensor([1. , 2.5], requires_grad=True)"
    assert repr(x * 2) == "Tensor([2., 5.], op=mul)"
    assert repr(mg.array([1, 2])) == "Tensor([1, 2])"


# --- Errors name the operation, the shapes, and what to do ---

A, B = mg.ones(2, 3), mg.ones(4, 5)
ERRORS = [
    (lambda: A + B, ValueError, r"add: shapes \(2, 3\) and \(4, 5\) do not broadcast"),
    (lambda: A - B, ValueError, r"sub: shapes \(2, 3\) and \(4, 5\) do not broadcast"),
    (lambda: A * B, ValueError, r"mul: shapes \(2, 3\) and \(4, 5\) do not broadcast"),
    (lambda: A / B, ValueError, r"div: shapes \(2, 3\) and \(4, 5\) do not broadcast"),
    (lambda: A**B, ValueError, r"pow: shapes \(2, 3\) and \(4, 5\) do not broadcast"),
    (lambda: A < B, ValueError, r"less: shapes \(2, 3\) and \(4, 5\) do not broadcast"),
    (lambda: A == B, ValueError, r"equal: shapes \(2, 3\) and \(4, 5\) do not broadcast"),
    (lambda: mg.maximum(A, B), ValueError, r"maximum: shapes .* do not broadcast"),
    (lambda: mg.minimum(A, B), ValueError, r"minimum: shapes .* do not broadcast"),
    (lambda: mg.where(A > 0, A, B), ValueError, r"where: shapes .* do not broadcast"),
    (lambda: A.masked_fill(B, 0.0), ValueError, r"masked_fill of shape \(2, 3\) and \(4, 5\)"),
    (lambda: A @ B, ValueError, r"matmul of shape \(2, 3\) and \(4, 5\): .*3 entries.*4"),
    (lambda: A @ 2.0, ValueError, r"matmul .* multiply it with \*"),
    (lambda: mg.linear(A, B, None), ValueError, r"linear .* must have 5 entries"),
    (
        lambda: mg.layer_norm(A, mg.ones(2), None),
        ValueError,
        r"layer_norm .* last axes of x must be \(2,\)",
    ),
    (
        lambda: mg.mse_loss(A, B),
        ValueError,
        r"mse_loss of shape \(2, 3\) and \(4, 5\): .*one shape",
    ),
    (lambda: mg.cross_entropy_loss(A, mg.array([0])), ValueError, r"need targets of shape \(2,\)"),
    (lambda: mg.cross_entropy_loss(A, mg.array([0, 3])), ValueError, r"must lie in 0 … 2 .* 0 … 3"),
    (lambda: mg.cross_entropy_loss(A, mg.array([0, -1])), ValueError, r"must lie in 0 … 2"),
    (lambda: mg.cross_entropy_loss(A, mg.ones(2)), TypeError, r"targets are the indices"),
    (lambda: mg.embedding(mg.array([7]), A), IndexError, r"embedding .* 0 … 1 .* lie in 7 … 7"),
    (lambda: mg.embedding(mg.ones(2), A), TypeError, r"tokens are integers"),
    (lambda: mg.cat((A, B)), ValueError, r"cat of shape \(2, 3\) and \(4, 5\)"),
    (lambda: mg.stack((A, B)), ValueError, r"stack of shape \(2, 3\) and \(4, 5\)"),
    (lambda: A.reshape(4, 2), ValueError, r"reshape of shape \(2, 3\)"),
    (lambda: A[5], IndexError, r"getitem of shape \(2, 3\): index 5"),
    (lambda: A.sum(2), ValueError, r"sum of shape \(2, 3\): axis 2"),
    (lambda: A.item(), ValueError, r"item\(\) takes a tensor of one element.*\(2, 3\)"),
    (lambda: bool(A), ValueError, r"\(2, 3\) is neither true nor false"),
    (lambda: mg.array("text"), TypeError, r"a tensor holds numbers or Booleans"),
    (lambda: mg.exp("text"), TypeError, r"exp of shape \(\): a tensor holds numbers"),
    (
        lambda: mg.array([1, 2], requires_grad=True),
        TypeError,
        r"requires_grad needs floating-point",
    ),
    (lambda: mg.ones(2).backward(), RuntimeError, r"made from nothing that requires a gradient"),
    (lambda: (mg.ones(2, requires_grad=True) * 1).backward(), RuntimeError, r"\(2,\) is no single"),
    (lambda: mg.dropout(A, 1.0), ValueError, r"dropout: p is a probability in \[0, 1\), not 1.0"),
]


@pytest.mark.parametrize("call, kind, message", ERRORS)
def test_error(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_every_operation_of_two_arrays_names_itself_where_shapes_do_not_match():
    for name, operation in OPERATIONS.items():
        if operation.broadcasts and operation_inputs(operation) == 2 and name != "masked_fill":
            with pytest.raises(ValueError, match=f"^{name}"):
                operation(A, B)


def test_modules_under_test_are_those_of_the_package():
    assert tensor.Tensor is mg.Tensor and op.differentiable is mg.differentiable
