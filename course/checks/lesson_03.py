"""What the exercises of lesson 03 must do, on rows short enough to be worked out by hand."""

import numpy as np

from course.checks.vocabulary import Wrong, check, near


def differences(value, x, step=1e-3):
    """The gradient of a number `value(x)` by central differences, in float64."""
    result = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        nudge = np.zeros_like(x)
        nudge[index] = step
        result[index] = (value(x + nudge) - value(x - nudge)) / (2 * step)
    return result


# --- 03.1: softmax ---


def probe_softmax(mg, x, axis):
    return mg.functional._softmax(x, axis)


@check("03.1")
def softmax(student):
    x = np.array([[0.0, 0.0], [0.0, 0.0]], np.float32)
    got = student.array(probe_softmax, x, -1, shape=(2, 2))
    if not near(got, np.full((2, 2), 0.5)):
        raise Wrong(
            "two equal scores in a row have a probability of one half each: the exponentials are "
            "divided by the sum of their own row",
            input={"x": x, "axis": -1},
            expected=np.full((2, 2), 0.5),
            got=got,
        )
    yield "equal scores share equally"

    x = np.log(np.array([[1.0, 3.0], [4.0, 1.0], [5.0, 6.0]], np.float32))
    expected = np.array([[0.25, 0.75], [0.8, 0.2], [5 / 11, 6 / 11]])
    got = student.array(probe_softmax, x, -1, shape=(3, 2))
    if not near(got, expected):
        words = "the probabilities of a row are in proportion to the exponentials of its scores"
        if not near(got.sum(-1), np.ones(3)):
            words = "the probabilities of a row must sum to 1"
        raise Wrong(words, input={"x": x, "axis": -1}, expected=expected, got=got)
    yield "each row has probabilities that sum to 1"

    expected = np.array([[0.1, 0.3], [0.4, 0.1], [0.5, 0.6]])
    got = student.array(probe_softmax, x, 0, shape=(3, 2))
    if not near(got, expected):
        raise Wrong(
            "along axis 0 each column must sum to 1: the axis that was asked for is not the one "
            "that is used in every step",
            input={"x": x, "axis": 0},
            expected=expected,
            got=got,
        )
    yield "along the first axis too"

    for large in (1000.0, -1000.0):
        x = np.array([large, large], np.float32)
        got = student.array(probe_softmax, x, -1, shape=(2,))
        if not near(got, [0.5, 0.5]):
            words = (
                "large scores overflow: exp(1000) is inf, and inf / inf is nan; only differences "
                "count, so take the row's largest entry off first"
                if large > 0
                else "very negative scores all become 0, and 0 / 0 is nan or 0: what is taken off "
                "must be the row's largest entry, whatever its sign"
            )
            raise Wrong(words, input=x, expected=[0.5, 0.5], got=got)
    yield "scores of 1000 and of -1000 neither overflow nor vanish"

    x = np.array([[0.0, 1.0], [500.0, 500.0], [-500.0, -500.0]], np.float32)
    got = student.array(probe_softmax, x, -1, shape=(3, 2))
    if not near(got[1:], np.full((2, 2), 0.5)):
        raise Wrong(
            "rows of very different size disturb each other: each row has a largest entry of its "
            "own, and the one of the whole array is not it",
            input=x,
            expected=[[0.2689, 0.7311], [0.5, 0.5], [0.5, 0.5]],
            got=got,
        )
    yield "each row by itself, beside rows a thousand larger"

    x = np.array([[0.0, -np.inf], [-np.inf, -np.inf]], np.float32)
    got = student.array(probe_softmax, x, -1, shape=(2, 2))
    if not near(got, [[1.0, 0.0], [0.0, 0.0]]):
        raise Wrong(
            "a row of nothing but -inf must give zeros: -inf - (-inf) is nan, and so is 0 / 0",
            input=x,
            expected=[[1.0, 0.0], [0.0, 0.0]],
            got=got,
        )
    yield "a row of nothing but -inf gives zeros"
    if got.dtype != np.float32:
        raise Wrong(
            "float32 went in and another dtype came out: divide by something of x's own dtype",
            expected="float32",
            got=str(got.dtype),
        )
    yield "float32 stays float32"

    x = np.log(np.array([[1.0, 1.0], [3.0, 1e-9]]))
    got = student.array(probe_softmax, x, 0, shape=(2, 2))
    if got.dtype != np.float64:
        raise Wrong(
            "float64 went in and another dtype came out: the gradient checks need all its digits",
            expected="float64",
            got=str(got.dtype),
        )
    x = np.array([[0.0, -np.inf], [0.0, -np.inf]], np.float32)
    for axis in (0, -2):
        got = student.array(probe_softmax, x, axis, shape=(2, 2))
        if not near(got, [[0.5, 0.0], [0.5, 0.0]]):
            raise Wrong(
                "a column of nothing but -inf must give zeros along axis 0, as a row does "
                "along the last",
                input={"x": x, "axis": axis},
                expected=[[0.5, 0.0], [0.5, 0.0]],
                got=got,
            )
    got = student.array(probe_softmax, np.zeros((2, 0), np.float32), -1, shape=(2, 0))
    yield "rows without entries pass"


# --- 03.2: layer norm ---


def probe_layer_norm(mg, x, weight, bias, eps):
    return mg.layer_norm(mg.array(x), mg.array(weight), mg.array(bias), eps=eps).data


def probe_layer_norm_gradient(mg, x, weight, bias, g):
    leaf = mg.array(x, requires_grad=True)
    mg.layer_norm(leaf, mg.array(weight), mg.array(bias), eps=0.5).backward(g)
    return leaf.grad


def probe_layer_norm_input(mg, x):
    """x, after its rows were normalised."""
    x = mg.array(x)
    mg.layer_norm(x, mg.ones(x.shape[-1]), mg.zeros(x.shape[-1]))
    return x.data


@check("03.2")
def layer_norm(student):
    def norm(x, eps=0.0, weight=None, bias=None):
        n = x.shape[-1]
        weight = np.ones(n, x.dtype) if weight is None else weight
        bias = np.zeros(n, x.dtype) if bias is None else bias
        return student.array(probe_layer_norm, x, weight, bias, eps, shape=x.shape)

    x = np.array([[1.0, 3.0], [10.0, 30.0]], np.float32)
    got = norm(x)
    if not near(got, [[-1.0, 1.0], [-1.0, 1.0]], 1e-4):
        if near(got, [[-1.0, -1.0], [1.0, 1.0]], 1e-4):
            words = (
                "each column was normalised, not each row: mean and variance belong to the last "
                "axis, one of each for every row"
            )
        elif not near(got.sum(-1), np.zeros(2), 1e-4):
            words = (
                "a row must come out with mean 0: take off the mean of the row itself, not that "
                "of a column or of the whole array"
            )
        elif near(np.abs(got), np.full((2, 2), 0.5**0.5), 1e-4):
            words = (
                "the result is too small by √((n - 1) / n): the variance divides by n, the number "
                "of entries, not by n - 1"
            )
        elif near(got[1] / 10, got[0], 1e-4):
            words = (
                "the rows keep the spread that they had: divide each row by its standard deviation"
            )
        elif near(got[1] * 10, got[0], 1e-4):
            words = (
                "a row with ten times the spread comes out ten times smaller: divide by the "
                "standard deviation, the root of the variance"
            )
        else:
            words = "a row must come out with mean 0 and standard deviation 1"
        raise Wrong(words, input={"x": x, "eps": 0.0}, expected=[[-1.0, 1.0], [-1.0, 1.0]], got=got)
    yield "each row has mean 0 and standard deviation 1"

    x = np.array([[1.0, 3.0]], np.float32)
    got = norm(x, eps=3.0)
    if not near(got, [[-0.5, 0.5]], 1e-4):
        words = "eps is added to the variance before the root is taken: here √(1 + 3) = 2"
        if near(got, [[-0.25, 0.25]], 1e-4):
            words = (
                "eps stands outside the root: it is added to the variance, √(var + eps), not to "
                "the standard deviation"
            )
        elif near(got, [[-1.0, 1.0]], 1e-4):
            words = "eps has no effect: a row whose entries are all equal would be divided by 0"
        raise Wrong(words, input={"x": x, "eps": 3.0}, expected=[[-0.5, 0.5]], got=got)
    yield "eps is added under the root"

    x = np.array([[1.0, 2.0, 3.0, 6.0]], np.float32)
    expected = np.array([[-2.0, -1.0, 0.0, 3.0]]) / 3.5**0.5
    got = norm(x)
    if not near(got, expected, 1e-4):
        raise Wrong(
            "a row of four has the variance (4 + 1 + 0 + 9) / 4: the squares of what is left after "
            "the mean has been taken off, and their mean",
            input={"x": x, "eps": 0.0},
            expected=expected,
            got=got,
        )
    x = np.stack([x, x + 10000])  # (2, 1, 4)
    got = norm(x)
    if not near(got, np.stack([expected, expected]), 1e-3):
        raise Wrong(
            "a row moved by 10000 must give the same: the mean of the squares less the square of "
            "the mean loses all its digits there; take the mean off first, then square",
            input={"x": x, "eps": 0.0},
            expected=np.stack([expected, expected]),
            got=got,
        )
    yield "leading axes, and rows far away from 0"
    weight, bias = np.array([1.0, 2.0], np.float32), np.array([5.0, 6.0], np.float32)
    got = norm(np.array([[1.0, 3.0]], np.float32), weight=weight, bias=bias)
    if not near(got, [[4.0, 8.0]], 1e-4):
        raise Wrong(
            "the weight multiplies and the bias is added after your lines: leave both to them",
            input={"x": [[1.0, 3.0]], "weight": weight, "bias": bias, "eps": 0.0},
            expected=[[4.0, 8.0]],
            got=got,
        )
    if got.dtype != np.float32:
        raise Wrong(
            "float32 went in and another dtype came out", expected="float32", got=str(got.dtype)
        )
    yield "weight and bias, in float32"

    x = np.array([[1.0, 2.0, 4.0], [0.0, -1.0, 3.0]])
    g = np.array([[1.0, 0.0, -2.0], [0.5, 1.0, 0.0]])
    weight, bias = np.array([1.0, -1.0, 2.0]), np.zeros(3)
    got = student.array(probe_layer_norm_gradient, x, weight, bias, g, shape=(2, 3))

    def value(x):
        return float((norm(x, 0.5, weight, bias) * g).sum())

    expected = differences(value, x)
    if not near(got, expected, 1e-4):
        raise Wrong(
            "the values are right, but the gradient does not belong to them: it is found with "
            "`normal` and `scale`, so `normal` must be the finished rows, of size (N, n), and "
            "`scale` one over the root for each row, (N, 1)",
            input={"x": x, "weight": weight, "eps": 0.5, "gradient of the result": g},
            expected=expected,
            got=got,
        )
    yield "the gradient agrees with central differences"

    x = np.array([[1.0, 3.0], [10.0, 30.0]], np.float32)
    got = student.array(probe_layer_norm_input, x, shape=x.shape)
    if not near(got, x):
        raise Wrong(
            "x was overwritten, which others still need: `rows` shares its memory, so make a new "
            "array in place of writing into it",
            input={"x": x},
            expected=x,
            got=got,
        )
    yield "x stays as it was"


# --- 03.3: embedding ---


def probe_embedding(mg, tokens, weight, g):
    weight = mg.array(weight, requires_grad=True)
    mg.embedding(mg.array(tokens), weight).backward(g)
    return weight.grad


def probe_embedding_rule(mg, dtype):
    """The rule's own result: the engine would cast another dtype, and hide it."""
    weight = mg.array(np.ones((4, 2), dtype), requires_grad=True)
    result = mg.embedding(mg.array(np.array([2, 0])), weight)
    ((_, rule),) = result.inputs
    return rule(np.ones((2, 2), dtype))


@check("03.3")
def embedding(student):
    def gradient(tokens, g, rows=4, dtype=np.float32):
        tokens, g = np.array(tokens, np.int64), np.array(g, dtype)
        weight = np.full((rows, g.shape[-1]), 7.0, dtype)
        got = student.array(probe_embedding, tokens, weight, g, shape=weight.shape)
        return got, {"tokens": tokens, "rows of the table": rows, "g": g}

    got, given = gradient([3, 0], [[1, 2], [10, 20]])
    expected = np.array([[10, 20], [0, 0], [0, 0], [1, 2]])
    if not near(got, expected):
        if near(got - expected, np.full((4, 2), 7.0)):
            words = "the table itself is in its gradient: begin with zeros of the table's shape"
        elif near(got.sum(0), [11, 22]):
            words = (
                "row v of the gradient belongs to token v: each row of g goes to the row that its "
                "token names, in that order"
            )
        else:
            words = "a token that does not occur must have a row of zeros"
        raise Wrong(words, input=given, expected=expected, got=got)
    yield "each row of g goes to the row of its token"

    got, given = gradient([2, 0, 2, 1, 2], [[1], [10], [100], [1000], [10000]])
    expected = np.array([[10], [1000], [10101], [0]])
    if not near(got, expected):
        words = "token 2 stands in three places: the three rows of g must be added"
        if near(got[2], [10000.0]):
            words = (
                "token 2 stands in three places, and only the last contribution is left: "
                "`result[tokens] += g` stores each sum over the one before"
            )
        elif near(got[2], [1.0]):
            words = "token 2 stands in three places, and only the first contribution is left"
        elif near(got[2] * 3, [10101.0], 1e-4):
            words = (
                "token 2 stands in three places, and its row is the mean of the three: "
                "contributions add up, nothing is averaged"
            )
        raise Wrong(words, input=given, expected=expected, got=got)
    yield "a token that stands in three places gets the sum of three rows"

    tokens, g = [[1, 0, 1], [0, 0, 3]], [[[1, 5], [2, 0], [4, 0]], [[8, 0], [16, 0], [32, 6]]]
    got, given = gradient(tokens, g)
    expected = np.array([[26, 0], [5, 5], [0, 0], [32, 6]])
    if not near(got, expected):
        raise Wrong(
            "with tokens of two axes, each row of g must still meet its own token: flatten both",
            input=given,
            expected=expected,
            got=got,
        )
    got, given = gradient(2, [1, 2])
    if not near(got, [[0, 0], [0, 0], [1, 2], [0, 0]]):
        raise Wrong(
            "a single token, of shape (), has a gradient in one row",
            input=given,
            expected=[[0, 0], [0, 0], [1, 2], [0, 0]],
            got=got,
        )
    got, given = gradient(np.zeros((0,)), np.zeros((0, 2)))
    if not near(got, np.zeros((4, 2))):
        raise Wrong("no token, no gradient: zeros", input=given, expected=np.zeros((4, 2)), got=got)
    for dtype in ("float32", "float64"):
        got = student.array(probe_embedding_rule, dtype, shape=(4, 2))
        if got.dtype != dtype:
            raise Wrong(
                "the gradient must have the dtype of the table", expected=dtype, got=str(got.dtype)
            )
    yield "tokens of two axes, a single one, and none at all"


# --- 03.4: dropout ---


def probe_dropout(mg, x, p, training, seed):
    x = mg.array(x)
    before = x.data.copy()
    y = mg.dropout(x, p, training, np.random.default_rng(seed)).data
    return y if np.array_equal(x.data, before) else "x changed"


def probe_dropout_returns_x(mg, p, training):
    """Whether x itself comes back, and whether the generator is where it was."""
    x, generator = mg.array([1.0, 2.0]), np.random.default_rng(5)
    y = mg.dropout(x, p, training, generator)
    return [y is x, generator.random() == np.random.default_rng(5).random()]


def probe_dropout_of_the_library(mg, x):
    """Two draws after the same seed, and one more: the library's own generator is used."""
    draws = []
    for seed in (1, 1, None):
        if seed is not None:
            mg.manual_seed(seed)
        draws.append(mg.dropout(mg.array(x)).data)
    return draws


def probe_dropout_gradient(mg, x, p, seed):
    x = mg.array(x, requires_grad=True)
    y = mg.dropout(x, p, generator=np.random.default_rng(seed))
    y.backward(np.ones_like(y.data))
    return [y.data, x.grad]


@check("03.4")
def dropout(student):
    ones = np.ones((100, 100), np.float32)
    given = {"x": "ones of shape (100, 100)", "p": 0.25}
    got = student.array(probe_dropout, ones, 0.25, False, 1, shape=ones.shape)
    if not near(got, ones):
        raise Wrong(
            "dropout is alive in evaluation: with training=False nothing may be dropped or scaled",
            input=given | {"training": False},
            expected="ones",
            got=got,
        )
    yield "in evaluation nothing changes"

    if isinstance(student.run(probe_dropout, ones, 0.25, True, 1), str):
        words = "the zeros were written into x itself: the caller may still need it"
        raise Wrong(words, input=given)
    got = student.array(probe_dropout, ones, 0.25, True, 1, shape=ones.shape)
    dropped = float(np.mean(got == 0))
    if dropped < 0.2 or dropped > 0.3:
        words = "about a quarter of the entries should be zero"
        if dropped == 0:
            words = "nothing is dropped in training"
        elif 0.7 < dropped < 0.8:
            words = "the wrong part is dropped: p is the probability to be zero, not to be kept"
        raise Wrong(
            words,
            input=given,
            expected="0.25 of the entries zero",
            got=f"{dropped:.2f} of the entries zero",
        )
    if np.mean(got.any(0)) < 0.99 or np.mean(got.any(1)) < 0.99:
        raise Wrong(
            "whole rows or columns are dropped: draw one number for each entry",
            input=given,
            expected="zeros in single places",
            got=got,
        )
    batch = np.ones((2, 10, 10), np.float32)
    both = student.array(probe_dropout, batch, 0.25, True, 1, shape=batch.shape)
    if near(both[0], both[1]):
        raise Wrong(
            "all of a batch loses the same places: draw one number for each entry, of all axes",
            input={"x": "ones of shape (2, 10, 10)", "p": 0.25},
        )
    kept = got[got != 0]
    if not near(kept, np.full(kept.shape, 4 / 3), 1e-4):
        words = "what is kept must be divided by 1 - p"
        if near(kept, np.ones(kept.shape)):
            words = (
                "what is kept is not rescaled: the mean falls to 1 - p, and the next layer meets "
                "smaller numbers in training than in use; divide by 1 - p"
            )
        elif near(kept, np.full(kept.shape, 4.0), 1e-4):
            words = "what is kept is divided by p: divide by 1 - p, the probability to be kept"
        elif near(kept, np.full(kept.shape, 0.75), 1e-4):
            words = (
                "what is kept is made smaller: in training one divides by 1 - p, so that nothing "
                "needs to be multiplied in use"
            )
        raise Wrong(words, input=given, expected="4 / 3 where it is kept", got=float(kept[0]))
    yield "a quarter is dropped, the rest divided by 1 - p"

    again = student.array(probe_dropout, ones, 0.25, True, 1, shape=ones.shape)
    other = student.array(probe_dropout, ones, 0.25, True, 2, shape=ones.shape)
    if not near(again, got) or near(other, got):
        raise Wrong(
            "the generator that is given decides what is dropped: equal seeds drop the same "
            "places, other seeds other places",
            input=given,
        )
    draws = student.run(probe_dropout_of_the_library, ones)
    if not isinstance(draws, list) or len(draws) != 3 or not near(draws[0], draws[1]):
        raise Wrong(
            "without a generator, the library's own must be drawn from: after the same "
            "manual_seed the same places are dropped",
            input="manual_seed(1), dropout(ones), twice",
        )
    if near(draws[1], draws[2]):
        raise Wrong(
            "each call must draw afresh: two calls one after another dropped the same places",
            input="dropout(ones), twice",
        )
    yield "chance comes from the generator given, or from the library's own"

    for p, training in ((0.25, False), (0.0, True)):
        got = student.run(probe_dropout_returns_x, p, training)
        given = {"p": p, "training": training}
        if got == [False, True] or got == [False, False]:
            raise Wrong("where nothing is to be done, x itself is returned", input=given)
        if got != [True, True]:
            raise Wrong("where nothing is dropped, no random number may be drawn", input=given)
    yield "x itself comes back where nothing is to be done"

    x = np.arange(1.0, 9.0, dtype=np.float32)
    got = student.run(probe_dropout_gradient, x, 0.5, 3)
    arrays = (
        isinstance(got, list)
        and len(got) == 2
        and all(isinstance(part, np.ndarray) and part.shape == x.shape for part in got)
    )
    if not arrays or not near(got[0], got[1] * x, 1e-4):
        raise Wrong(
            "the gradient passes where the value does, with the same factor: use _scale_kept",
            input={"x": x, "p": 0.5},
        )
    yield "the gradient passes where the value does"


# --- 03.5: cross-entropy ---


def probe_cross_entropy(mg, logits, targets):
    return mg.cross_entropy_loss(mg.array(logits), mg.array(targets)).data


def probe_cross_entropy_gradient(mg, logits, targets, g, times):
    """The gradient of the logits, from the last of several calls of one rule."""
    logits = mg.array(logits, requires_grad=True)
    loss = mg.cross_entropy_loss(logits, mg.array(targets))
    ((_, rule),) = loss.inputs
    for _ in range(times):
        result = rule(loss.data.dtype.type(g))
    return result


def probe_cross_entropy_logits(mg, logits, targets):
    """The logits, after their loss and its gradient were computed."""
    logits = mg.array(logits, requires_grad=True)
    mg.cross_entropy_loss(logits, mg.array(targets)).backward()
    return logits.data


@check("03.5")
def cross_entropy(student):
    def loss(logits, targets):
        return student.number(probe_cross_entropy, np.array(logits), np.array(targets))

    def gradient(logits, targets, g=1.0, times=1):
        logits, targets = np.array(logits), np.array(targets)
        return student.array(
            probe_cross_entropy_gradient, logits, targets, g, times, shape=logits.shape
        )

    logits = np.log(np.array([[1.0, 3.0]], np.float32))  # the probabilities 1/4 and 3/4
    for target, expected in ((0, 1.386294), (1, 0.287682)):
        got = loss(logits, [target])
        if not near(got, expected, 1e-4):
            words = "the loss of one row is the surprise, -log, at the probability of its target"
            if near(got, -expected, 1e-4):
                words = "the sign is wrong: the surprise at a probability below 1 is positive"
            elif near(got, -[0.25, 0.75][target], 1e-4) or near(got, [0.25, 0.75][target], 1e-4):
                words = "the logarithm is missing: this is the probability, not the surprise at it"
            raise Wrong(
                words, input={"logits": logits, "targets": [target]}, expected=expected, got=got
            )
    yield "the surprise at the target's probability"

    logits = np.log(np.array([[1.0, 3.0], [3.0, 1.0], [1.0, 3.0]], np.float32))
    targets, expected = np.array([0, 1, 1]), 1.0200900  # (2 ln 4 + ln 4/3) / 3
    got = loss(logits, targets)
    if not near(got, expected, 1e-4):
        words = "the loss is the mean of the rows' surprises, each at its own target"
        if near(got, 3 * expected, 1e-4):
            words = (
                "this is the sum of the surprises: the loss is their mean, so that it does not "
                "grow with the size of the batch"
            )
        elif near(got, expected / 2, 1e-4):
            words = (
                "the sum is divided by all entries of the logits: there are as many surprises as "
                "targets, one a row"
            )
        raise Wrong(words, input={"logits": logits, "targets": targets}, expected=expected, got=got)
    yield "the mean over the rows"

    logits = np.array([[1000.0, 0.0], [-2000.0, -1000.0]], np.float32)
    targets = np.array([1, 1])
    got = loss(logits, targets)
    if not near(got, 500.0, 1e-4):
        words = (
            "large logits overflow, or a probability is rounded to 0 and its logarithm is -inf: "
            "take the largest entry off, and never take the logarithm of a probability"
        )
        raise Wrong(words, input={"logits": logits, "targets": targets}, expected=500.0, got=got)
    yield "logits of 1000 neither overflow nor vanish"

    logits, targets = np.zeros((1, 2), np.float32), np.array([0])
    got = gradient(logits, targets)
    if not near(got, [[-0.5, 0.5]], 1e-4):
        words = "the gradient is the probabilities, with 1 taken off at the target"
        if near(got, [[0.5, -0.5]], 1e-4):
            words = (
                "the gradient has the wrong sign: it is prediction minus truth, negative at the "
                "target, so that a step against it raises the target's logit"
            )
        elif near(got, [[0.5, 0.5]], 1e-4):
            words = "the truth is missing from the gradient: 1 is taken off at each target"
        raise Wrong(
            words, input={"logits": logits, "targets": targets}, expected=[[-0.5, 0.5]], got=got
        )
    logits = np.log(np.array([[1.0, 3.0], [3.0, 1.0]]))
    targets, expected = np.array([0, 0]), np.array([[-0.375, 0.375], [-0.125, 0.125]])
    got = gradient(logits, targets)
    if not near(got, expected, 1e-4):
        words = "each row of the gradient is its probabilities less 1 at its target, over n"
        if near(got, 2 * expected, 1e-4):
            words = (
                "the gradient is n times too large: the loss is a mean over n rows, so each row's "
                "part in the gradient is divided by n"
            )
        raise Wrong(words, input={"logits": logits, "targets": targets}, expected=expected, got=got)
    yield "the gradient is prediction minus truth, over n"

    got = gradient(logits, targets, g=10.0)
    if not near(got, 10 * expected, 1e-4):
        raise Wrong(
            "the rule is given g = 10, and its result must be ten times as large: the chain rule "
            "multiplies by the gradient that arrives, all of it",
            input={"logits": logits, "targets": targets, "g": 10.0},
            expected=10 * expected,
            got=got,
        )
    got = gradient(logits, targets, times=2)
    if not near(got, expected, 1e-4):
        raise Wrong(
            "the second call of the rule gives another answer: it has written into the "
            "probabilities that the forward pass kept; work on a copy",
            input={"logits": logits, "targets": targets},
            expected=expected,
            got=got,
        )
    yield "the gradient that arrives is a factor, and the rule may be called again"

    wide = logits.reshape(1, 2, 2)
    got = gradient(wide, targets.reshape(1, 2))
    if not near(got, expected.reshape(1, 2, 2), 1e-4):
        raise Wrong(
            "with leading axes, the gradient has the shape and the order of the logits",
            input={"logits": wide, "targets": targets.reshape(1, 2)},
            expected=expected.reshape(1, 2, 2),
            got=got,
        )
    yield "leading axes"

    got = student.array(probe_cross_entropy_logits, logits, targets, shape=logits.shape)
    if not near(got, logits):
        raise Wrong(
            "the logits were overwritten, which others still need: a reshape shares their memory, "
            "so make a new array in place of writing into it",
            input={"logits": logits, "targets": targets},
            expected=logits,
            got=got,
        )
    yield "the logits stay as they were"
