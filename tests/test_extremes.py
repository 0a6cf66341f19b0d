"""What happens at the edges: huge numbers, masked rows, nothing at all, overflow."""

import math

import numpy as np
import pytest

import minigrad as mg

inf, nan = math.inf, math.nan
F32 = np.finfo(np.float32)


def value_and_slope(f, x, dtype=np.float32):
    x = mg.array(np.array(x, dtype), requires_grad=True)
    y = f(x)
    y.backward(np.ones(y.shape, dtype))
    assert y.dtype == dtype and x.grad.dtype == dtype
    return y.data.tolist(), x.grad.tolist()


both = pytest.mark.parametrize("dtype", [np.float32, np.float64])

# --- Softmax and cross-entropy ---


@both
def test_softmax_at_ten_thousand(dtype):
    """The largest wins, nothing overflows, and the slopes are 0."""
    for row, expected in [([1e4, -1e4, 0], [1, 0, 0]), ([-1e4, -1e4, -2e4], [0.5, 0.5, 0])]:
        assert value_and_slope(mg.softmax, row, dtype) == (expected, [0, 0, 0])
    value, slope = value_and_slope(mg.log_softmax, [1e4, -1e4, 0], dtype)
    assert value == [0, -2e4, -1e4] and slope == [-2, 1, 1]


@both
def test_softmax_of_a_row_masked_but_for_one_entry(dtype):
    row = [-inf, 3.0, -inf]
    assert value_and_slope(mg.softmax, row, dtype) == ([0, 1, 0], [0, 0, 0])
    value, slope = value_and_slope(lambda x: mg.log_softmax(x)[1:2], row, dtype)
    assert value == [0] and slope == [0, 0, 0]
    # Also where the only one left is the most negative number there is.
    lowest = float(np.finfo(dtype).min)
    assert value_and_slope(mg.softmax, [-inf, lowest], dtype)[0] == [0, 1]


def test_softmax_of_a_row_masked_whole_is_zero():
    value, slope = value_and_slope(mg.softmax, [[-inf, -inf], [0, 0]])
    assert value == [[0, 0], [0.5, 0.5]] and slope == [[0, 0], [0, 0]]


def test_softmax_with_infinity_or_nan_says_so():
    assert np.isnan(mg.softmax(mg.array([inf, 1.0])).data).all()
    assert np.isnan(mg.softmax(mg.array([nan, 1.0])).data).all()


@both
def test_cross_entropy_at_ten_thousand(dtype):
    """Right and sure costs nothing; wrong and sure costs the difference, with a slope of 1."""
    for target, loss, slope in [(0, 0, [0, 0]), (1, 2e4, [1, -1])]:
        got = value_and_slope(
            lambda x, t=target: mg.cross_entropy_loss(x, np.array([t])), [[1e4, -1e4]], dtype
        )
        assert got == (loss, [slope])


@both
def test_cross_entropy_of_a_row_masked_but_for_its_target(dtype):
    def loss(x, target=1):
        return mg.cross_entropy_loss(x, np.array([target]))

    assert value_and_slope(loss, [[-inf, 2.0, -inf]], dtype) == (0, [[0, 0, 0]])
    # A target that was masked is impossible: its surprise is infinite.
    assert value_and_slope(lambda x: loss(x, 0), [[-inf, 2.0]], dtype)[0] == inf


# --- Layer norm ---


@both
@pytest.mark.parametrize("constant", [0.0, 1.0, 1e4, -1e30])
def test_layer_norm_of_a_constant_row_is_its_bias(dtype, constant):
    weight, bias = mg.array(np.full(4, 3, dtype)), mg.array(np.arange(4).astype(dtype))
    value, slope = value_and_slope(
        lambda x: mg.layer_norm(x, weight, bias), np.full((1, 4), constant), dtype
    )
    assert value == [[0, 1, 2, 3]]
    assert np.allclose(slope, 0, atol=1e-3)


def test_layer_norm_of_one_channel_is_its_bias():
    one, two = mg.array([5.0]), mg.array([2.0])
    assert mg.layer_norm(mg.array([[7.0], [-1e4]]), one, two).tolist() == [[2], [2]]


# --- GELU and the other activations ---


@both
@pytest.mark.parametrize(
    "f, low, high",
    [
        (mg.gelu, (0, 0), (1e4, 1)),
        (mg.relu, (0, 0), (1e4, 1)),
        (mg.sigmoid, (0, 0), (1, 0)),
        (mg.softplus, (0, 0), (1e4, 1)),
        (mg.tanh, (-1, 0), (1, 0)),
    ],
)
def test_activations_at_ten_thousand(dtype, f, low, high):
    value, slope = value_and_slope(f, [-1e4, 1e4], dtype)
    assert value == [low[0], high[0]] and slope == [low[1], high[1]]


# --- Logarithms, roots, divisions ---


@pytest.mark.parametrize(
    "f, x, value, slope",
    [
        (mg.log, 0.0, -inf, inf),
        (mg.log, -1.0, nan, -1.0),
        (mg.sqrt, 0.0, 0.0, inf),
        (mg.sqrt, -1.0, nan, nan),
        (lambda x: 1 / x, 0.0, inf, -inf),
        (lambda x: x / 0, 0.0, nan, inf),
        (lambda x: x**0.5, 0.0, 0.0, inf),
        (lambda x: x**0, 0.0, 1.0, 0.0),
        (lambda x: x**2, 0.0, 0.0, 0.0),
        (lambda x: 0.0**x, 2.0, 0.0, 0.0),
        (mg.abs, 0.0, 0.0, 0.0),
        (mg.norm, 0.0, 0.0, 0.0),
    ],
)
def test_where_a_slope_is_infinite_or_undefined(f, x, value, slope):
    got = value_and_slope(f, x)
    assert np.array_equal(got, (value, slope), equal_nan=True)


@both
@pytest.mark.parametrize("constant", [0.0, 1.0, -3.0, 1e4, 0.1, 1e-30])
def test_the_derivative_where_all_numbers_are_equal_counts_as_0(dtype, constant):
    """`std`, like `norm` at 0, has no derivative there: a cone's tip. We define it as 0."""
    x = np.full((2, 4), constant)
    for f in (
        mg.std,
        lambda x: mg.std(x, 1),
        lambda x: x.std(dim=0, keepdim=True, ddof=1),
        lambda x: mg.norm(x - x.mean(1, keepdims=True), 1),
        lambda x: mg.var(x, ddof=1),
        lambda x: mg.max(x) - mg.min(x),
    ):
        value, slope = value_and_slope(f, x, dtype)
        assert np.allclose(value, 0, atol=1e-3 * abs(constant)) and np.isfinite(slope).all()
        assert np.allclose(slope, 0, atol=1e-6)
    assert value_and_slope(mg.std, [5.0], dtype) == (0, [0])


# --- Nothing to reduce ---


@pytest.mark.parametrize(
    "f, value",
    [(mg.sum, 0.0), (mg.prod, 1.0), (mg.mean, nan), (mg.var, nan), (mg.std, nan), (mg.norm, 0.0)],
)
def test_reductions_over_nothing(f, value):
    x = mg.zeros(2, 0, requires_grad=True)
    for axis, shape in [(None, ()), (1, (2,)), ((0, 1), ())]:
        y = f(x, axis)
        assert y.shape == shape and np.array_equal(y.data, np.full(shape, value), equal_nan=True)
        y.backward(np.ones(shape))
        assert x.grad.shape == (2, 0)
    assert f(x, 0).shape == (0,)


@pytest.mark.parametrize("f", [mg.max, mg.min, mg.argmax, mg.argmin])
def test_there_is_no_largest_of_nothing(f):
    with pytest.raises(ValueError, match=rf"{f.__name__} of shape \(2, 0\): .*(identity|empty)"):
        f(mg.zeros(2, 0), axis=1)
    assert f(mg.zeros(2, 0), axis=0).shape == (0,)


def test_operations_on_nothing_give_nothing():
    x = mg.zeros(0, 3, requires_grad=True)
    weight, bias = mg.ones(2, 3, requires_grad=True), mg.ones(2, requires_grad=True)
    y = mg.linear(x, weight, bias)
    assert y.shape == (0, 2) and mg.softmax(x).shape == mg.gelu(x).shape == (0, 3)
    assert mg.matmul(mg.ones(2, 0), mg.ones(0, 3)).tolist() == [[0, 0, 0]] * 2
    y.sum().backward()
    assert weight.grad.tolist() == [[0, 0, 0]] * 2 and bias.grad.tolist() == [0, 0]
    assert mg.linear(mg.ones(2, 0), mg.ones(3, 0), None).tolist() == [[0, 0, 0]] * 2


# --- Overflow ---


def test_float32_overflows_to_infinity_without_a_warning():
    largest = mg.array(F32.max)
    assert (largest * 2).item() == inf and (largest * -2).item() == -inf
    assert mg.exp(mg.array([88.0, 89.0, -104.0])).data.tolist()[1:] == [inf, 0]
    assert np.isnan((mg.array(inf) - inf).item()) and np.isnan((mg.array(inf) * 0).item())
    with pytest.warns(RuntimeWarning, match="overflow"):  # NumPy says so where a number is read in
        assert mg.array([1e39]).tolist() == [inf]
    assert mg.mean(mg.array([F32.max, F32.max])).item() == inf  # the sum overflows first
    assert mg.array([F32.max, F32.max]).astype(mg.float64).mean().item() == float(F32.max)


def test_integers_wrap_around_as_numpy_s():
    largest = mg.array(2**63 - 1)
    assert (largest + 1).item() == -(2**63)


def test_the_first_overflow_is_named_where_asked_for():
    x = mg.array([100.0], requires_grad=True)
    with mg.detect_anomaly():
        with pytest.raises(FloatingPointError, match="exp returned inf"):
            mg.exp(x).log()
        y = mg.sqrt(x - 100)
        with pytest.raises(
            FloatingPointError, match="backward: rule 1 of sqrt returned nan or inf"
        ):
            y.backward()
    assert x.grad is None


@both
def test_masking_hides_what_is_not_finite(dtype):
    """`where` and `masked_fill` select: an infinity that was not chosen leaves no nan behind."""
    value, slope = value_and_slope(lambda x: mg.where(x > 0, x, 0.0), [-inf, nan, 2.0], dtype)
    assert value == [0, 0, 2] and slope == [0, 0, 1]
    value, slope = value_and_slope(
        lambda x: mg.masked_fill(x, np.array([1, 1, 0]), 0.0), [inf, nan, 2.0], dtype
    )
    assert value == [0, 0, 2] and slope == [0, 0, 1]


def test_clipping_gradients_that_overflow_reports_it():
    p = mg.nn.Parameter([1.0, 1.0])
    p.grad = np.array([inf, 1], np.float32)
    assert mg.optim.clip_grad_norm_([p], 1.0) == inf
    assert p.grad.tolist() == [inf, 1]
    p.grad = np.array([nan, 1], np.float32)
    assert math.isnan(mg.optim.clip_grad_norm_([p], 1.0))


# --- Functions of lesson 03: tails, equal rows, integers, options ---


def sigmoid_64(x):
    return math.exp(min(x, 0)) / (1 + math.exp(-abs(x)))


@both
def test_tails_keep_their_digits(dtype):
    """Left of 0 nothing is the small difference of two large numbers, nor in a derivative."""
    x = np.array([-80.0, -37.5, -20, -17, -5, 0, 5, 17, 20, 37.5, 80])
    right = np.array([sigmoid_64(number) for number in x])
    slopes = right * right[::-1]  # sigmoid(x) sigmoid(-x)
    softplus = np.array([max(number, 0) + math.log1p(math.exp(-abs(number))) for number in x])
    close = {"rtol": 1e-6 if dtype == np.float32 else 1e-13, "atol": 0}
    for f, value, slope in ((mg.sigmoid, right, slopes), (mg.softplus, softplus, right)):
        found = value_and_slope(f, x, dtype)
        assert np.allclose(found, (value, slope), **close), f.__name__
    log = value_and_slope(lambda x: mg.log(mg.sigmoid(x)), [-20.0], dtype)
    assert np.allclose(log, ([-20.0], [1.0]), rtol=1e-6)


@both
def test_the_left_tail_of_gelu_keeps_its_digits(dtype):
    a, b = 2 * math.sqrt(2 / math.pi), 0.044715
    x = np.array([-9.0, -7, -5, -3, -1, 0, 1, 5])
    phi = np.array([sigmoid_64(a * (number + b * number**3)) for number in x])
    slope = phi + x * phi * (1 - phi) * a * (1 + 3 * b * x * x)
    # An argument of 80 has an error of 4e-6 in float32, and the exponential passes it on.
    close = {"rtol": 2e-5 if dtype == np.float32 else 1e-12, "atol": 0}
    assert np.allclose(value_and_slope(mg.gelu, x, dtype), (x * phi, slope), **close)


@both
@pytest.mark.parametrize("n", [1, 2, 3, 7, 100, 288])
def test_equal_numbers_normalised_are_zero(dtype, n):
    for constant in (0.1, -1 / 3, 1e4, 12345.678, -1e30, 1e-30):
        x = np.full((2, n), constant, dtype)
        assert not mg.layer_norm(x, np.ones(n, dtype)).data.any(), constant


@both
@pytest.mark.parametrize("n", [1, 2, 3, 7, 100, 288])
@pytest.mark.parametrize("number", [0.1, 1 / 3, -7.7, 1e4, 1e-5])
def test_the_spread_of_equal_numbers_is_zero_and_so_is_its_slope(dtype, n, number):
    x = mg.array(np.full((2, n), number, dtype), requires_grad=True)
    for f in (mg.var, mg.std):
        for axis in (None, 0, 1, -1, (0, 1)):
            x.grad = None
            y = f(x, axis=axis)
            y.sum().backward()
            assert not y.data.any() and not x.grad.any(), (f, axis)


def test_the_variance_of_large_numbers_against_float64():
    for mean in (1e3, 1e4, 1e5):
        x = (mean + np.random.default_rng(0).standard_normal((64, 288))).astype(np.float32)
        expected = x.astype(np.float64).var(1)
        np.testing.assert_allclose(mg.var(x, axis=1).data, expected, rtol=1e-5)


def test_layer_norm_of_large_means_against_float64():
    rng = np.random.default_rng(0)
    for mean in (0, 1e2, 1e4, 1e6):
        x = (mean + rng.standard_normal((50, 288))).astype(np.float32)
        g = rng.standard_normal((50, 288)).astype(np.float32)
        found, right = [], []
        for results, rows in ((found, x), (right, x.astype(np.float64))):
            leaf = mg.array(rows, requires_grad=True)
            y = mg.layer_norm(leaf)
            y.backward(g)
            results += [y.data, leaf.grad]
        reference = x.astype(np.float64) - x.astype(np.float64).mean(1, keepdims=True)
        reference /= np.sqrt((reference**2).mean(1, keepdims=True) + 1e-5)
        assert np.abs(right[0] - reference).max() < 1e-9
        for a, b in zip(found, right):
            assert np.abs(a - b).max() < 2e-6, mean


def test_layer_norm_over_several_axes_and_without_affine():
    rng = np.random.default_rng(0)
    x, weight, bias = (rng.normal(size=shape) for shape in ((2, 3, 4), (3, 4), (3, 4)))
    normal = (x - x.mean((1, 2), keepdims=True)) / np.sqrt(x.var((1, 2), keepdims=True) + 1e-5)
    for y, right in (
        (mg.layer_norm(x, normalized_shape=(3, 4)), normal),
        (mg.layer_norm(x, None, None, normalized_shape=(3, 4)), normal),
        (mg.layer_norm(x, weight), normal * weight),
        (mg.layer_norm(x, weight, bias), normal * weight + bias),
        (mg.layer_norm(x, None, bias, normalized_shape=(3, 4)), normal + bias),
        (mg.layer_norm(x), mg.layer_norm(x, np.ones(4)).data),
    ):
        assert np.allclose(y.data, right)
    assert mg.check_gradients(mg.layer_norm, x, weight, bias)
    assert mg.check_gradients(lambda x: mg.layer_norm(x, normalized_shape=(3, 4)), x)
    assert mg.check_gradients(lambda x, b: mg.layer_norm(x, None, b), x, bias[0])


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, bool])
def test_functions_of_integers_compute_in_floats(dtype):
    x = np.array([[0, 1, 100, 127]], dtype)
    functions = mg.relu, mg.sigmoid, mg.softplus, mg.gelu, mg.softmax, mg.log_softmax, mg.layer_norm
    for f in functions:
        got = f(x)
        assert got.dtype == np.float32, f.__name__
        assert np.array_equal(got.data, f(x.astype(np.float32)).data), f.__name__
    eye = np.eye(4, dtype=dtype)
    assert mg.linear(x, eye, x[0]).tolist() == (2 * x.astype(float)).tolist()
    assert mg.mse_loss(x, x[:, ::-1]).item() == np.mean((x - x[:, ::-1].astype(float)) ** 2)
    assert (
        mg.cross_entropy_loss(x, [2]).item()
        == mg.cross_entropy_loss(x.astype(np.float32), [2]).item()
    )
    kept = mg.dropout(x, 0.5, generator=np.random.default_rng(0)).data
    assert set((kept - 2.0 * x)[kept != 0].tolist()) <= {0.0}


def test_small_integers_do_not_wrap_in_the_loss():
    loss = mg.mse_loss(np.array([0], np.uint8), np.array([200], np.uint8))
    assert loss.item() == 40000


def test_reductions_and_ignored_targets():
    x = np.random.default_rng(0).normal(size=(2, 3, 5))
    targets = np.array([[0, -100, 4], [2, 2, -100]])
    counted = targets != -100
    each = -mg.log_softmax(x).data[counted, targets[counted]]
    none = mg.cross_entropy_loss(x, targets, reduction="none")
    assert none.shape == (2, 3) and np.allclose(none.data[counted], each)
    assert not none.data[~counted].any()
    for reduction, right in (("mean", each.mean()), ("sum", each.sum())):
        assert mg.cross_entropy_loss(x, targets, reduction=reduction).item() == pytest.approx(right)
        by_padding = np.where(counted, targets, 1)  # any class may stand for padding
        by_padding[0, 0] = 1
        mg.cross_entropy_loss(x, by_padding, reduction=reduction, ignore_index=1)
    for reduction in ("mean", "sum", "none"):
        assert mg.check_gradients(
            lambda x, r=reduction: mg.cross_entropy_loss(x, targets, reduction=r), x
        )
        assert mg.check_gradients(
            lambda a, b, r=reduction: mg.mse_loss(a, b, reduction=r), x[0], x[1]
        )
    nan_where_ignored = np.where(counted[..., None], x, nan)
    leaf = mg.array(nan_where_ignored, requires_grad=True)
    loss = mg.cross_entropy_loss(leaf, targets)
    loss.backward()
    assert loss.item() == pytest.approx(each.mean()) and np.isfinite(leaf.grad).all()
    nothing = mg.cross_entropy_loss(x, np.full((2, 3), -100), reduction="sum")
    assert nothing.item() == 0
    assert mg.mse_loss([1.0, 2.0], [1.0, 4.0], reduction="none").tolist() == [0, 4]
    assert mg.mse_loss([1.0, 2.0], [1.0, 4.0], reduction="sum").item() == 4


def test_dropout_takes_lists():
    assert mg.dropout([1.0, 2.0], training=False).tolist() == [1, 2]
    assert set(mg.dropout([1.0, 2.0], 0.5).tolist()) <= {0, 2, 4}


# --- From the smallest numbers to the largest ---


def of_every_size(dtype):
    info = np.finfo(dtype)
    sizes = [0, info.smallest_subnormal, info.tiny, 1e-30, 1, 12, 89, 104, 750, 1e4, 1.8e19, 1e20]
    sizes += [1e30, info.max / 2, info.max]
    return np.array([*sizes, *(-size for size in sizes)], dtype)


@both
@pytest.mark.parametrize("f", [mg.relu, mg.sigmoid, mg.softplus, mg.gelu, mg.tanh])
@pytest.mark.filterwarnings("error")
def test_no_slope_is_nan_where_the_number_is_finite(dtype, f):
    values, slopes = value_and_slope(f, of_every_size(dtype), dtype)
    assert np.isfinite(values).all()
    assert np.isfinite(slopes).all() and -0.2 < min(slopes) and max(slopes) < 1.2
    assert slopes[14] == (0 if f in (mg.sigmoid, mg.tanh) else 1) and slopes[-1] == 0


@both
def test_activations_at_infinity_and_nan(dtype):
    for f, values, slopes in [
        (mg.relu, [inf, 0], [1, 0]),
        (mg.sigmoid, [1, 0], [0, 0]),
        (mg.softplus, [inf, 0], [1, 0]),
        (mg.tanh, [1, -1], [0, 0]),
    ]:
        assert value_and_slope(f, [inf, -inf], dtype) == (values, slopes)
        assert np.isnan(value_and_slope(f, [nan], dtype)[0]).all()
    assert value_and_slope(mg.relu, [nan], dtype)[1] == [1]  # as in PyTorch: nothing is hidden
    assert mg.gelu(mg.array([inf])).item() == inf  # x Φ(x) at -inf is -inf times 0, and nan


@both
def test_relu_stops_a_gradient_that_is_infinite(dtype):
    x = mg.array(np.array([-1, 0, 1], dtype), requires_grad=True)
    mg.relu(x).backward(np.full(3, inf, dtype))
    assert x.grad.tolist() == [0, 0, inf] and x.grad.dtype == dtype


@both
@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("f", [mg.softmax, mg.log_softmax, mg.layer_norm])
def test_rows_of_the_largest_and_the_smallest_numbers(dtype, f):
    top, least = np.finfo(dtype).max, np.finfo(dtype).smallest_subnormal
    for row in ([top] * 3, [-top] * 3, [least, -least, 0], [0, 0, 0]):
        values, slopes = value_and_slope(f, [row], dtype)
        equal = {mg.softmax: 1 / 3, mg.log_softmax: -math.log(3), mg.layer_norm: 0}[f]
        np.testing.assert_allclose(values, [[equal] * 3], rtol=1e-6, atol=1e-20)
        np.testing.assert_allclose(slopes, [[0] * 3], atol=1e-6)


@both
def test_the_gradient_of_mse_loss_overflows_only_where_it_must(dtype):
    top = np.finfo(dtype).max
    x = mg.array(np.array([top, -top, 0], dtype), requires_grad=True)
    t = mg.array(np.zeros(3, dtype), requires_grad=True)
    mg.mse_loss(x, t).backward()
    expected = np.array([top, -top, 0], dtype) / 3 * 2
    np.testing.assert_allclose(x.grad, expected, rtol=1e-6)
    np.testing.assert_allclose(t.grad, -expected, rtol=1e-6)


class Highest(np.random.Generator):
    """Draws the largest number below `high` in float64, which float32 rounds to `high`."""

    def uniform(self, low, high, size):
        return np.full(size, np.nextafter(high, low))


@both
@pytest.mark.parametrize("low, high", [(0, 1), (-1, 1), (-3, -2), (0, 1e-40), (-1e30, 1e30)])
def test_uniform_stays_below_its_upper_end(dtype, low, high):
    parameter = mg.nn.Parameter(np.zeros(5, dtype))
    mg.nn.init.uniform_(parameter, low, high, Highest(np.random.PCG64(0)))
    assert (parameter.data < dtype(high)).all() and (parameter.data >= dtype(low)).all()
    assert mg.nn.init.uniform_(parameter, high, high).data.tolist() == [dtype(high)] * 5
