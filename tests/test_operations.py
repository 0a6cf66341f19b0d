"""Every operation: its gradient against central differences, its rules, its errors.

Operations are found from the code, so a new one is enrolled by itself.
"""

import inspect
import math

import numpy as np
import pytest

import minigrad as mg
from minigrad import attention, functional, op, ops, shapes, tensor
from minigrad import random as rnd

SIGNED = np.random.default_rng(1).normal(size=(2, 3, 4))


def found():
    """{name: operation} of all modules that define operations."""
    operations = {}
    for module in (ops, shapes, functional, attention):
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
    "round",
    "floor_divide",
    "isnan",
    "isinf",
    "isfinite",
    "all",
    "any",
    "argmax",
    "argmin",
    "bitwise_and",
    "bitwise_or",
    "bitwise_xor",
    "invert",
}
BITS = {"bitwise_and", "bitwise_or", "bitwise_xor", "invert"}  # of masks and integers


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
    "cumprod": [
        ((SIGNED,), {}),
        ((SIGNED, 1), {}),
        ((SIGNED * (np.abs(SIGNED) > 0.5), -1), {}),  # with zeros, several in a row
        ((normal(),), {}),
    ],
    "remainder": [((normal(2, 3), positive(3)), {}), ((-7.3, normal(3)), {})],
    "diagonal": [
        ((SIGNED,), {}),
        ((SIGNED, 1, -1, -2), {}),
        ((SIGNED,), {"offset": -1, "axis1": 2, "axis2": 0}),
    ],
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
        mg.array(MASK) if name in BITS else mg.array(normal(2, 3), requires_grad=True)
        for _ in range(operation_inputs(operation))
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
    (lambda: mg.dropout(A, 1.0), ValueError, r"dropout: p must be at least 0 and below 1, not 1.0"),
]


@pytest.mark.parametrize("call, kind, message", ERRORS)
def test_error(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_every_operation_of_two_arrays_names_itself_where_shapes_do_not_match():
    for name, operation in OPERATIONS.items():
        if operation.broadcasts and operation_inputs(operation) == 2 and name != "masked_fill":
            with pytest.raises(ValueError, match=f"^{name}"):
                operation(*((A > 0, B > 0) if name in BITS else (A, B)))


def test_modules_under_test_are_those_of_the_package():
    assert tensor.Tensor is mg.Tensor and op.differentiable is mg.differentiable


# --- What a tensor may hold: refused, or made native, at every door ---

NO_NUMBERS = [
    np.array(["a"]),
    np.array([1j]),
    np.array([None]),
    np.array(["2020"], "datetime64[D]"),
    np.array([(1, 2)], "i4,i4"),
]
DOORS = [
    mg.Tensor,
    mg.array,
    mg.exp,
    mg.nn.Parameter,
    mg.zeros_like,
    lambda x: mg.add(1.0, x),
    lambda x: mg.cat([mg.ones(1), x]),
    lambda x: mg.full((2,), x[0]),
    lambda x: mg.ones(1).astype(x.dtype),
    lambda x: mg.zeros(2, dtype=x.dtype),
    lambda x: setattr(mg.ones(1), "data", x),
    lambda x: mg.differentiable(returning(x))(mg.ones(1)),
    lambda x: mg.where(x, 1.0, 2.0),
]


def returning(value):
    def function(x, /):
        return value, None

    return function


@pytest.mark.parametrize("x", NO_NUMBERS, ids=lambda x: str(x.dtype))
@pytest.mark.parametrize("door", DOORS)
def test_what_is_no_number_is_refused_at_every_door(door, x):
    with pytest.raises(TypeError, match="a tensor holds numbers or Booleans, not "):
        door(x)


def test_data_may_be_set_and_stays_what_a_gradient_needs():
    x = mg.ones(2, requires_grad=True)
    x.data = [3.0, 4.0]
    assert x.dtype == np.float32 and x.tolist() == [3.0, 4.0]
    x.data -= 1
    assert x.tolist() == [2.0, 3.0]
    with pytest.raises(
        TypeError, match="a tensor that requires a gradient holds floats, not int64"
    ):
        x.data = np.arange(2)
    assert x.tolist() == [2.0, 3.0]


@pytest.mark.parametrize("code", [">f8", ">f4", ">f2", ">i8", ">i4", ">u2"])
def test_the_byte_order_of_another_machine(code):
    x = np.array([3, 1, 2], code)
    native = x.astype(x.dtype.newbyteorder("="))
    doors = [
        *(mg.Tensor, mg.array, mg.abs, mg.max, mg.sum, mg.reshape, mg.ones_like, mg.zeros_like),
        lambda x: mg.array(np.zeros(3)).astype(x.dtype) + 1,
        lambda x: mg.array([0, 1, 2], dtype=x.dtype),
        lambda x: mg.arange(3, dtype=x.dtype),
        lambda x: mg.full(2, x[0]),
        lambda x: mg.add(x, 1),
        lambda x: mg.ones(3, dtype=x.dtype) * 2,
        lambda x: mg.cat([x, x]),
        lambda x: np.ones(3, np.float32) * mg.array(x),
        lambda x: mg.nn.Parameter(x.astype(">f8")),
    ]
    for door in doors:
        if door is mg.reshape:
            door = lambda x: mg.reshape(x, 3, 1)  # noqa: E731
        got, expected = door(x), door(native)
        assert got.dtype == expected.dtype and got.dtype.isnative
        assert np.array_equal(got.data, expected.data)
    huge = np.array([1e300], ">f8")
    assert (mg.array(huge) * 1).tolist() == (mg.Tensor(huge) * 1).tolist() == [1e300]


# --- Integers: values as if there were room, no gradients ---

INTEGERS = [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.uint64]


@pytest.mark.parametrize("dtype", INTEGERS)
def test_norm_and_its_kind_of_small_integers(dtype):
    x = mg.array(np.array([100, 100], dtype))
    assert x.norm().item() == pytest.approx(math.sqrt(20000)) and x.norm().dtype == np.float32
    assert (x @ x).item() == 20000 and (x * x).tolist() == (x**2).tolist() == [10000, 10000]
    assert (x + x).tolist() == [200, 200] and (-x).tolist() == [-100, -100]
    assert (x - 2 * x).tolist() == [-100, -100]
    assert x.sum().item() == 200 and x.prod().item() == 10000 and x.mean().item() == 100
    assert x.cumsum().tolist() == [100, 200] and x.cumprod().tolist() == [100, 10000]
    assert mg.mse_loss(x, mg.array(np.zeros(2, dtype))).item() == 10000
    assert x.max().dtype == x[0].dtype == x.reshape(2, 1).dtype == x.T.dtype == dtype


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.int32, np.uint64, bool])
@pytest.mark.parametrize(
    "name",
    sorted({op.__name__ for op in OPERATIONS.values() if op.__module__ != "minigrad.functional"}),
)
def test_small_integers_compute_as_int64(name, dtype):
    """Every operation of lesson 1 on one array or two: the values are those of int64."""
    extras = {"getitem": (1,), "transpose": (0, 1), "expand_dims": (0,), "masked_fill": (1,)}
    extras |= {"reshape": (9,), "permute": (1, 0)}
    count = operation_inputs(OPERATIONS[name])
    of_masks = dtype is bool and (count > 1 or name in {"clip", "sign", "invert"})
    if not count or of_masks or name in {"squeeze", "causal_attention"}:
        return
    high = 2 if dtype is bool or name in {"where", "masked_fill", "pow"} else 120
    rng = np.random.default_rng(0)
    arrays = [rng.integers(high == 120, high, (3, 3)) for _ in range(count)]
    got = OPERATIONS[name](*(x.astype(dtype) for x in arrays), *extras.get(name, ())).data
    expected = OPERATIONS[name](*arrays, *extras.get(name, ())).data
    if name == "invert":
        expected = expected.astype(dtype)
    assert np.array_equal(got, expected, equal_nan=True)
    assert got.dtype == np.float32 or got.dtype.kind in "biu"


def test_the_ends_of_integers():
    assert abs(mg.array(np.int8(-128))).item() == 128
    assert (-mg.array(np.uint8(1))).item() == -1
    assert mg.norm(mg.array([3 * 10**9, 4 * 10**9])).item() == 5e9  # squares beyond int64
    assert (mg.array(np.uint8([255])) + 300).tolist() == [555]
    with pytest.raises(OverflowError, match="add .*do not fit into int64"):
        mg.array(np.uint64([2**63])) + 1
    with pytest.raises(OverflowError, match="add of shape"):
        mg.arange(2) + 2**70
    with pytest.raises(ValueError, match="pow .*negative integer powers"):
        mg.arange(2) ** -1
    for divide in (lambda x: x % 0, lambda x: x // 0, lambda x: 5 // x):
        with pytest.raises(
            ZeroDivisionError, match="(remainder|floor_divide) of shape .*divided by"
        ):
            divide(mg.arange(2))
    assert mg.exp(mg.array([800])).tolist() == [np.inf]


@pytest.mark.parametrize(
    "through",
    [
        lambda x: x.astype(int),
        lambda x: x.astype(bool),
        lambda x: x.astype(np.uint8) + 1,
        lambda x: x.floor(),
        lambda x: x.ceil(),
        lambda x: x.sign(),
        lambda x: x.round(),
        lambda x: x // 1,
        lambda x: x.argmax(),
        lambda x: x.argmin(),
        lambda x: x > 0,
        lambda x: x == x,
        lambda x: mg.isnan(x),
        lambda x: x.any(),
        lambda x: mg.differentiable(lambda x, /: (x.astype(int), lambda g: g))(x),
    ],
)
def test_no_gradient_passes_through_integers(through):
    x = mg.array([1.5, -2.5], requires_grad=True)
    cut = through(x)
    assert not cut.requires_grad and cut.inputs == ()
    (cut * 2.0 + x).sum().backward()
    assert x.grad.tolist() == [1, 1]


# --- Operations that are not finished are refused when they are called ---


def unfinished():
    def one_rule_for_two(a, b, /):
        return a + b, lambda g: g

    def no_rules(x, /):
        return x * 2

    def no_return(x, /):
        x * 2

    def too_many(x, /):
        return x * 2, lambda g: g, lambda g: g

    def a_list(x, /):
        return [x * 2, lambda g: g]

    def no_value(x, /):
        return None, lambda g: g

    def a_slope(x, /):
        return x * 2, 2.0

    def joined(arrays):
        return np.concatenate(arrays), lambda g: g

    return [
        (one_rule_for_two, "this one returned 1 where 2 are needed"),
        (no_rules, "this one returned ndarray alone"),
        (no_return, r"this one returned None: is there a `return`\?"),
        (too_many, "this one returned 2 where 1 are needed"),
        (a_list, "this one returned list alone"),
        (no_value, "a tensor holds numbers or Booleans, not object"),
        (a_slope, "a rule is a function of g, not float"),
        (joined, "this one returned 1 where 2 are needed"),
    ]


@pytest.mark.parametrize("function, words", unfinished(), ids=lambda x: getattr(x, "__name__", ""))
@pytest.mark.parametrize("requires_grad", [True, False])
def test_an_unfinished_operation_is_refused(function, words, requires_grad):
    x = mg.ones(2, requires_grad=requires_grad)
    arguments = {"one_rule_for_two": (x, x), "joined": ([x, x],)}.get(function.__name__, (x,))
    with pytest.raises(TypeError, match=rf"^{function.__name__} of shape .*{words}"):
        mg.differentiable(function)(*arguments)


def test_a_sequence_of_arrays_is_needed():
    for arguments in [(), (5,)]:
        with pytest.raises(TypeError, match="^cat takes a list of arrays first"):
            mg.cat(*arguments)
    assert mg.cat(x for x in (mg.ones(1), mg.ones(2))).shape == (3,)
    with pytest.raises(TypeError, match="^sum .*make a list of it, or .*import builtins"):
        mg.sum(i for i in range(3))


# --- PyTorch's names of options ---


@pytest.mark.parametrize(
    "numpys, pytorchs",
    [
        *(
            (
                lambda x, name=name: getattr(mg, name)(x, axis=1, keepdims=True),
                lambda x, name=name: getattr(x, name)(dim=1, keepdim=True),
            )
            for name in "sum mean prod max min norm var std argmax argmin all any".split()
        ),
        *(
            (
                lambda x, name=name: getattr(mg, name)(x, axis=1),
                lambda x, name=name: getattr(x, name)(dim=1),
            )
            for name in ("cumsum", "cumprod", "expand_dims", "unsqueeze")
        ),
        (lambda x: mg.var(x, 0, ddof=1), lambda x: x.var(dim=0, correction=1)),
        (lambda x: x.repeat(2, axis=1), lambda x: mg.repeat(x, 2, dim=1)),
        (lambda x: x.split(1, axis=1)[2], lambda x: mg.split(x, 1, dim=1)[2]),
        (lambda x: mg.cat([x, x], axis=1), lambda x: mg.cat([x, x], dim=1)),
        (lambda x: mg.stack([x, x], axis=1), lambda x: mg.stack([x, x], dim=1)),
        (lambda x: x.transpose(0, 1), lambda x: x.transpose(dim0=0, dim1=1)),
        (lambda x: x.triu(1), lambda x: x.triu(diagonal=1)),
        (lambda x: x.diagonal(0, 1, 0), lambda x: x.diagonal(dim1=1, dim2=0)),
        (lambda x: x.flatten(1), lambda x: x.flatten(start_dim=1)),
    ],
)
def test_pytorchs_names_of_options(numpys, pytorchs):
    x = mg.array(normal(2, 3))
    assert np.array_equal(numpys(x).data, pytorchs(x).data)


def test_one_option_by_two_names_is_refused():
    x = mg.ones(2, 3)
    for call in (lambda: x.sum(axis=0, dim=1), lambda: x.var(axis=0, dim=1)):
        with pytest.raises(TypeError, match="(sum|var): two of axis, dim mean the same"):
            call()


# --- NumPy's functions ---

T = mg.array([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
ARRAY = np.array([[0.5, 1.0], [2.0, -1.0]], np.float32)


@pytest.mark.parametrize(
    "call",
    [
        np.sum,
        np.mean,
        np.exp,
        np.std,
        np.max,
        np.amax,
        np.cumsum,
        lambda x: np.mean(x, axis=0, keepdims=True),
        lambda x: np.concatenate([x, ARRAY], axis=1),
        lambda x: np.concatenate([ARRAY, x]),
        lambda x: np.stack([x, x]),
        lambda x: np.add(ARRAY, x),
        lambda x: np.subtract(x, ARRAY),
        lambda x: ARRAY @ x,
        lambda x: ARRAY / x,
        lambda x: ARRAY % x,
        lambda x: np.float32(2) ** x,
        lambda x: np.where(ARRAY > 0, x, 0.0),
        lambda x: np.clip(x, 1.5, 3.5),
        lambda x: np.reshape(x, (4, 1)),
        lambda x: np.var(x, ddof=1),
    ],
)
def test_numpys_functions_keep_the_gradient(call):
    got, expected = call(T), call(T.data)
    assert isinstance(got, mg.Tensor) and got.requires_grad
    assert got.dtype == expected.dtype and np.allclose(got.data, expected)


def test_numpys_functions_that_we_do_not_have():
    for call in (np.median, np.linalg.inv, lambda x: np.split(x, 2), lambda x: np.sum(x, 0, float)):
        with pytest.raises(TypeError, match=r"np\.\w+ would cut the gradient off: .*x\.detach\(\)"):
            call(T)
    for call in (np.arctan, np.add.reduce, lambda x: np.add(x, 1, out=np.ones((2, 2)))):
        with pytest.raises(TypeError, match=r"np\.\w+ in this form .* or the array x\.data"):
            call(T)
    assert np.median(T.detach()) == 2.5 and np.shape(T) == (2, 2) and np.allclose(T, T.data)
    assert np.argsort(T, axis=None).tolist() == [0, 1, 2, 3]
    assert np.zeros_like(T).tolist() == [[0, 0], [0, 0]]


# --- What a user expects of a tensor ---


def test_format():
    loss = mg.array(3.14159, requires_grad=True)
    assert (
        f"{loss:.3f}" == "3.142" and f"{loss}" == repr(loss) and f"{mg.array([[7]]):03d}" == "007"
    )
    with pytest.raises(TypeError, match=r"'.3f' formats one number, this tensor has \(2, 2\)"):
        f"{T:.3f}"


def test_masks_combine():
    a, b = mg.array([True, True, False]), np.array([True, False, False])
    assert (a & b).tolist() == [True, False, False] and (b | a).tolist() == [True, True, False]
    assert (b ^ a).tolist() == [False, True, False] and (~a).tolist() == [False, False, True]
    assert (mg.array([6]) & 3).tolist() == [2] and (8 | mg.array([6])).tolist() == [14]
    assert (~mg.array(np.uint8([1]))).tolist() == [254]
    assert a.any().item() and not a.all().item() and a.all(0).shape == ()
    for call in (lambda: T & T, lambda: ~T, lambda: a | 0.5):
        with pytest.raises(TypeError, match=r"it takes masks or integers: compare first \(x > 0\)"):
            call()


def test_remainder_quotient_and_rounding_are_pythons():
    for a in (7.5, -7.5):
        for b in (2.0, -2.0):
            x, y = mg.array(a), mg.array(b)
            assert (x % y).item() == (a % y).item() == a % b
            assert (x // y).item() == (a // y).item() == a // b
    assert (mg.array([7, -7]) % 3).tolist() == [1, 2] and (mg.array([7, -7]) // 2).tolist() == [
        3,
        -4,
    ]
    assert round(mg.array([1.256]), 2).item() == pytest.approx(1.26)
    assert round(mg.array([0.5, 1.5])).tolist() == [0, 2]


def test_var_and_std_with_ddof():
    x = normal(3, 4)
    for ddof in (0, 1, 2):
        for axis in (None, 0, (0, 1)):
            assert np.allclose(mg.var(x, axis, ddof=ddof).data, x.var(axis, ddof=ddof))
            assert np.allclose(mg.std(x, axis, ddof=ddof).data, x.std(axis, ddof=ddof))
            assert mg.check_gradients(lambda x, a=axis, d=ddof: mg.std(x, a, ddof=d), x)
    assert np.isnan(mg.var(mg.ones(1), ddof=1).item()) and np.isnan(
        mg.std(mg.ones(1), ddof=3).item()
    )


def test_trace_and_diagonal():
    x = normal(3, 4, 5)
    for places in [(0, 0, 1), (1, 2, 0), (-1, -1, -2), (9, 0, 1)]:
        assert np.array_equal(mg.diagonal(x, *places).data, np.diagonal(x, *places))
        assert np.allclose(mg.trace(x, *places).data, np.trace(x, *places))
    assert mg.check_gradients(lambda x: mg.trace(x, 1), x)


def test_split_takes_every_kind_of_integer():
    x = mg.arange(4)
    for size in (
        2,
        np.int64(2),
        mg.array(2),
        np.array(2),
        [2, 2],
        (np.int8(2), 2),
        np.array([2, 2]),
    ):
        assert [part.tolist() for part in x.split(size)] == [[0, 1], [2, 3]]
    for size in (2.0, "ab", None, [2.0, 2.0]):
        with pytest.raises(TypeError, match="split: size is an integer or a list of them"):
            x.split(size)


# --- Random numbers below their upper end ---


class Highest(np.random.Generator):
    """A generator whose every number is the largest that NumPy's generators give."""

    def random(self, size):
        return np.full(size, 1 - 2**-53)

    def uniform(self, low, high, size):
        return np.full(size, np.nextafter(high, low))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_uniform_numbers_stay_below_their_end(dtype):
    options = {"generator": Highest(np.random.PCG64(0)), "dtype": dtype}
    assert (rnd.rand(3, **options).data < 1).all()
    for low, high in [
        (-1.0, 1.0),
        (0.1, 0.3),
        (-5, 1000),
        (-3.0, -1.0),
        (0, 1e-30),
        (1.0, 1 + 1e-9),
    ]:
        x = rnd.uniform(low, high, (3,), **options)
        assert x.dtype == dtype and (x.data >= dtype(low)).all()
        assert (x.data < dtype(high)).all() or dtype(low) == dtype(high)
    for sample in (rnd.rand, rnd.randn):
        with pytest.raises(TypeError, match="need a floating-point dtype, not int64"):
            sample(3, dtype=int)


def test_random_integers_fit_their_dtype():
    assert rnd.randint(0, 256, (50,), dtype=np.uint8).dtype == np.uint8
    assert rnd.randint(3, 4).item() == 3
    for low, high, dtype in [(0, 300, np.uint8), (-1, 3, np.uint8), (0, 2**31 + 2, np.int32)]:
        with pytest.raises(ValueError, match="randint: .* does not fit"):
            rnd.randint(low, high, (2,), dtype=dtype)
    with pytest.raises(ValueError, match="randint: .* does not fit float32"):
        rnd.randint(0, 2**31, (50,), dtype=np.float32)


# --- A number has an axis, of one entry, as in NumPy and PyTorch ---


@pytest.mark.parametrize("axis", [0, -1, None, ()])
@pytest.mark.parametrize("keepdims", [False, True])
@pytest.mark.parametrize("name", "sum mean max min prod norm var std".split())
def test_a_number_is_reduced_over_its_one_entry(name, keepdims, axis):
    x = mg.array(-3.0, requires_grad=True)
    y = getattr(mg, name)(x, axis, keepdims)
    assert y.shape == ()
    y.backward()
    value, slope = {"norm": (3, -1), "var": (0, 0), "std": (0, 0)}.get(name, (-3, 1))
    assert (y.item(), x.grad.tolist()) == (value, slope)
    with pytest.raises(IndexError, match="axis|bounds"):
        getattr(mg, name)(x, 1)
