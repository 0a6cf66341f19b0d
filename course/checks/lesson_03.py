"""What the exercises of lesson 03 must do, on rows short enough to be worked out by hand."""

import numpy as np

from course.checks.vocabulary import Wrong, check, near, require


def expect(student, probe, *arguments, equals, otherwise, when=None, **options):
    """`student.expect` of an array: its shape is compared before its values are."""
    equals = np.asarray(equals)
    shape = getattr(student.run(probe, *arguments), "shape", equals.shape)
    require(shape, equals.shape, f"the shape is {shape} and should be {equals.shape}")
    options = {"tolerance": 1e-4, "equals": equals, "otherwise": otherwise, "when": when} | options
    return student.expect(probe, *arguments, **options)


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
    def probabilities(x, equals, otherwise, axis=-1):
        for dtype in (np.float32, np.float64):
            x = np.array(x, dtype)
            got = expect(student, probe_softmax, x, axis, equals=equals, otherwise=otherwise)
            words = f"{x.dtype} went in and another dtype came out: keep the dtype of x"
            require(str(got.dtype), str(x.dtype), words)

    probabilities(
        [[0, 0], [0, 0]],
        [[0.5, 0.5], [0.5, 0.5]],
        "two equal scores in a row have a probability of one half each: the exponentials are "
        "divided by the sum of their own row",
    )
    yield "equal scores share equally"
    probabilities(
        np.log([[1.0, 3.0], [4.0, 1.0]]),
        [[0.25, 0.75], [0.8, 0.2]],
        "each row is divided by its own sum, in every place: keepdims=True keeps the axis, so that "
        "a sum stands beside its row and not under a column",
    )
    x = np.log([[1.0, 3.0], [4.0, 1.0], [5.0, 6.0]])
    probabilities(
        x,
        [[0.25, 0.75], [0.8, 0.2], [5 / 11, 6 / 11]],
        "the probabilities of a row sum to 1, in proportion to the exponentials of its scores",
    )
    yield "each row has probabilities that sum to 1"
    probabilities(
        x,
        [[0.1, 0.3], [0.4, 0.1], [0.5, 0.6]],
        "along axis 0 each column must sum to 1: the axis that was asked for is not the one that "
        "is used in every step",
        axis=0,
    )
    yield "along the first axis too"
    probabilities(
        [1000, 1000],
        [0.5, 0.5],
        "large scores overflow: exp(1000) is inf, and inf / inf is nan; only differences count, so "
        "subtract the row's largest entry first",
    )
    probabilities(
        [-1000, -1000],
        [0.5, 0.5],
        "very negative scores all become 0, and 0 / 0 is nan or 0: what is subtracted must be the "
        "row's largest entry, whatever its sign",
    )
    yield "scores of 1000 and of -1000 neither overflow nor vanish"
    probabilities(
        [[0, 1], [500, 500], [-500, -500]],
        [[0.2689414, 0.7310586], [0.5, 0.5], [0.5, 0.5]],
        "rows of very different size disturb each other: each row has a largest entry of its own, "
        "and the one of the whole array is not it",
    )
    yield "each row by itself, beside rows a thousand larger"
    probabilities(
        [[0, -np.inf], [-np.inf, -np.inf]],
        [[1, 0], [0, 0]],
        "a row of nothing but -inf must give zeros: -inf - (-inf) is nan, and so is 0 / 0",
    )
    probabilities(
        [[0, -np.inf], [0, -np.inf]],
        [[0.5, 0], [0.5, 0]],
        "a column of nothing but -inf must give zeros along axis 0, as a row along the last axis",
        axis=-2,
    )
    yield "a row of nothing but -inf gives zeros"
    nothing = np.zeros((2, 0))
    probabilities(nothing, nothing, "rows without entries give rows without entries")
    yield "rows without entries pass"


# --- 03.2: layer norm ---


def probe_layer_norm(mg, x, eps, weight=None, bias=None):
    weight = np.ones(x.shape[-1], x.dtype) if weight is None else weight
    bias = np.zeros(x.shape[-1], x.dtype) if bias is None else bias
    return mg.layer_norm(mg.array(x), mg.array(weight), mg.array(bias), eps=eps).data


def probe_layer_norm_gradient(mg, x, eps, weight, g):
    leaf = mg.array(x, requires_grad=True)
    mg.layer_norm(leaf, mg.array(weight), mg.zeros(x.shape[-1]), eps=eps).backward(g)
    return leaf.grad


def probe_layer_norm_input(mg, x):
    """x, after its rows were normalised."""
    x = mg.array(x)
    mg.layer_norm(x, mg.ones(x.shape[-1]), mg.zeros(x.shape[-1]))
    return x.data


@check("03.2")
def layer_norm(student):
    def norm(x, *options, **wanted):
        x, *options = (np.array(part, np.float32) for part in (x, *options))
        return expect(
            student, probe_layer_norm, x, *map(float, options[:1]), *options[1:], **wanted
        )

    norm(
        [[1, 3], [10, 30]],
        0,
        equals=[[-1, 1], [-1, 1]],
        otherwise="a row must come out with mean 0 and standard deviation 1",
        when={
            "each column was normalised, not each row: mean and variance belong to the last axis, "
            "one of each for every row": [[-1, -1], [1, 1]],
            "a row must come out with mean 0: subtract the mean of the row itself, not that of a "
            "column or of the whole array": lambda got: not near(got.sum(-1), np.zeros(2), 1e-4),
            "the result is too small by √((n - 1) / n): the variance divides by n, the number of "
            "entries, not by n - 1": [[-(0.5**0.5), 0.5**0.5]] * 2,
            "the rows keep the spread that they had: divide each row by its standard "
            "deviation": lambda got: near(got[1] / 10, got[0], 1e-4),
            "a row with ten times the spread comes out ten times smaller: divide by the standard "
            "deviation, the root of the variance": lambda got: near(got[1] * 10, got[0], 1e-4),
        },
    )
    yield "each row has mean 0 and standard deviation 1"
    norm(
        [[1, 3]],
        3,
        equals=[[-0.5, 0.5]],
        otherwise="eps is added to the variance before the root is taken: here √(1 + 3) = 2",
        when={
            "eps stands outside the root: it is added to the variance, √(var + eps), not to the "
            "standard deviation": [[-0.25, 0.25]],
            "eps has no effect: a row whose entries are all equal would be divided by 0": [[-1, 1]],
        },
    )
    yield "eps is added under the root"

    x, four = np.array([[1, 2, 3, 6]]), np.array([[-2, -1, 0, 3]]) / 3.5**0.5
    norm(
        x,
        0,
        equals=four,
        otherwise="a row of four has the variance (4 + 1 + 0 + 9) / 4: subtract the mean, square "
        "what is left, and take the mean of the squares",
    )
    norm(
        np.stack([x, x + 10000]),  # (2, 1, 4)
        0,
        equals=np.stack([four, four]),
        otherwise="a row moved by 10000 must give the same: the mean of the squares less the square "
        "of the mean loses all its digits there; subtract the mean first, then square",
        tolerance=1e-3,
    )
    norm(
        [[7], [-3]], 1, equals=[[0], [0]], otherwise="a row of one entry becomes 0: it is its mean"
    )
    yield "leading axes, and rows far away from 0"
    norm(
        [[1, 3]],
        0,
        [1, 2],
        [5, 6],
        equals=[[4, 8]],
        otherwise="the weight multiplies and the bias is added after your lines: leave both to them",
        dtype=np.float32,
    )
    yield "weight and bias, in float32"

    x = np.array([[1.0, 2.0, 4.0], [0.0, -1.0, 3.0], [5.0, 5.0, 8.0]])  # as many rows as columns
    weight, g = np.array([1.0, -1.0, 2.0]), np.array([[1.0, 0, -2], [0.5, 1, 0], [0, -1, 1]])

    def value(x):
        return float((student.run(probe_layer_norm, x, 0.5, weight, np.zeros(3)) * g).sum())

    expect(
        student,
        probe_layer_norm_gradient,
        x,
        0.5,
        weight,
        g,
        equals=differences(value, x),
        otherwise="the values are right, but the gradient does not belong to them: it is found "
        "with `normal` and `scale`, so `normal` must be the finished rows, of size (N, n), and "
        "`scale` one over the root for each row, (N, 1)",
    )
    yield "the gradient agrees with central differences"
    expect(
        student,
        probe_layer_norm_input,
        x,
        equals=x,
        otherwise="x was overwritten, which others still need: `rows` shares its memory, so make a "
        "new array in place of writing into it",
    )
    yield "x stays as it was"


# --- 03.3: embedding ---


def probe_embedding(mg, tokens, g):
    weight = mg.array(np.full((4, g.shape[-1]), 7.0, g.dtype), requires_grad=True)
    result = mg.embedding(mg.array(tokens), weight)
    ((_, rule),) = result.inputs  # the rule's own result: the engine would hide another dtype
    return rule(g)


@check("03.3")
def embedding(student):
    def gradient(tokens, g, equals, otherwise, when=None):
        tokens = np.array(tokens, np.int64)
        for dtype in (np.float32, np.float64):
            got = expect(
                student,
                probe_embedding,
                tokens,
                np.array(g, dtype),
                equals=equals,
                otherwise=otherwise,
                when=when,
                given={"tokens": tokens, "rows of the table": 4, "g": g},
            )
            words = "the gradient must have the dtype of the table"
            require(str(got.dtype), np.dtype(dtype).name, words)

    right = np.array([[10, 20], [0, 0], [0, 0], [1, 2]])
    gradient(
        [3, 0],
        [[1, 2], [10, 20]],
        right,
        "a token that does not occur must have a row of zeros",
        {
            "the table itself is in its gradient: begin with zeros of the table's shape": right + 7,
            "row v of the gradient belongs to token v: each row of g goes to the row that its token "
            "names, in that order": lambda got: near(got.sum(0), [11, 22]),
        },
    )
    yield "each row of g goes to the row of its token"
    three = "token 2 stands in three places, and"
    gradient(
        [2, 0, 2, 1, 2],
        [[1], [10], [100], [1000], [10000]],
        [[10], [1000], [10101], [0]],
        f"{three} the three rows of g must be added",
        {
            f"{three} only the last of its rows is left: `result[tokens] += g` stores each sum over "
            "the one before": lambda got: near(got[2], [10000]),
            f"{three} only the first of its rows is used": lambda got: near(got[2], [1]),
            f"{three} its row is the mean of the three: gradients are added, not "
            "averaged": lambda got: near(got[2], [3367]),
        },
    )
    yield "a token that stands in three places gets the sum of three rows"
    gradient(
        [[1, 0, 1], [0, 0, 3]],
        [[[1, 5], [2, 0], [4, 0]], [[8, 0], [16, 0], [32, 6]]],
        [[26, 0], [5, 5], [0, 0], [32, 6]],
        "with tokens of two axes, each row of g must still meet its own token: flatten both",
    )
    gradient(
        2,
        [1, 2],
        [[0, 0], [0, 0], [1, 2], [0, 0]],
        "a single token, of shape (), has a gradient in one row",
    )
    gradient([], np.zeros((0, 2)), np.zeros((4, 2)), "no token, no gradient: zeros")
    yield "tokens of two axes, a single one, and none at all"


# --- 03.4: dropout ---


def probe_dropout(mg, x, p, training, seed):
    """The result, and whether it is a tensor, and x as it was."""
    x = mg.array(x)
    before = x.data.copy()
    y = mg.dropout(x, p, training, np.random.default_rng(seed))
    tensor = isinstance(y, mg.Tensor)
    return [y.data if tensor else y, tensor, np.array_equal(x.data, before)]


def probe_dropout_returns_x(mg, p, training):
    """Whether x itself comes back, and whether the generator is where it was."""
    x, generator = mg.array([1.0, 2.0]), np.random.default_rng(5)
    y = mg.dropout(x, p, training, generator)
    return [y is x, generator.random() == np.random.default_rng(5).random()]


def probe_dropout_of_the_library(mg, x):
    """Whether two draws after the same seed are equal, and one more is not."""
    draws = []
    for seed in (1, 1, None):
        if seed is not None:
            mg.manual_seed(seed)
        draws.append(mg.dropout(mg.array(x)).data)
    return [np.array_equal(draws[0], draws[1]), not np.array_equal(draws[1], draws[2])]


def probe_dropout_gradient(mg, x, p, seed):
    """Whether the gradient has the same factors as the value."""
    x = mg.array(x, requires_grad=True)
    y = mg.dropout(x, p, generator=np.random.default_rng(seed))
    y.backward(np.ones_like(y.data))
    return np.allclose(y.data, x.grad * x.data)


@check("03.4")
def dropout(student):
    ones, given = np.ones((100, 100), np.float32), {"x": "ones (100, 100)", "p": 0.25}

    def drop(x=ones, training=True, seed=1):
        got = student.run(probe_dropout, x, 0.25, training, seed)
        values, tensor, unchanged = got if isinstance(got, list) and len(got) == 3 else [0] * 3
        for right, words in (
            (
                tensor,
                "a tensor is expected, as `_scale_kept` returns one: an array has no gradient",
            ),
            (unchanged, "the zeros were written into x itself: the caller may still need it"),
            (np.shape(values) == x.shape, f"{np.shape(values)} came out of {x.shape}"),
        ):
            if not right:
                raise Wrong(words, input=given)
        return np.asarray(values)

    require(
        drop(training=False),
        ones,
        "dropout is alive in evaluation: with training=False nothing may be dropped or scaled",
        input=given | {"training": False},
        expected="ones",
    )
    yield "in evaluation nothing changes"

    got = drop()
    if got.any() and not (got.any(0).all() and got.any(1).all()):
        raise Wrong("whole rows or columns are dropped: draw a number for each entry", input=given)
    require(
        np.mean(got == 0),
        0.25,
        "about a quarter of the entries should be zero",
        when={
            "nothing is dropped in training": 0.0,
            "the wrong part is dropped: p is the probability to be zero, not to be kept": (
                lambda share: near(share, 0.75, 0.03)
            ),
        },
        input=given,
        tolerance=0.03,
        expected="0.25 of the entries zero",
    )
    batch = drop(np.ones((2, 100, 100), np.float32))
    if near(batch[0], batch[1]):
        raise Wrong(
            "all of a batch loses the same places: draw one number for each entry, of all axes",
            input={"x": "ones (2, 100, 100)", "p": 0.25},
        )
    require(
        np.unique(got[got != 0]),
        [4 / 3],
        "what is kept must be divided by 1 - p",
        when={
            "what is kept is not rescaled: the mean falls to 1 - p, and the next layer meets "
            "smaller numbers in training than in evaluation; divide by 1 - p": [1.0],
            "what is kept is divided by p: divide by 1 - p, the probability to be kept": [4.0],
            "what is kept is made smaller: in training one divides by 1 - p, so that nothing "
            "needs to be multiplied in evaluation": [0.75],
        },
        input=given,
    )
    yield "a quarter is dropped, the rest divided by 1 - p"

    if not near(drop(), got) or near(drop(seed=2), got):
        raise Wrong(
            "the generator that is given decides what is dropped: equal seeds drop the same "
            "places, other seeds other places",
            input=given,
        )
    student.expect(
        probe_dropout_of_the_library,
        ones,
        equals=[True, True],
        otherwise="without a generator, the library's own must be drawn from: after the same "
        "manual_seed the same places are dropped",
        when={
            "each call must draw anew: two calls one after another dropped the same places": (
                [True, False]
            )
        },
        given="manual_seed(1), dropout(ones), twice; then dropout(ones) once more",
        expected="two equal results, then another",
    )
    yield "the random numbers come from the generator given, or from the library's own"
    for p, training in ((0.25, False), (0.0, True)):
        student.expect(
            probe_dropout_returns_x,
            p,
            training,
            equals=[True, True],
            otherwise="where nothing is to be done, x itself is returned",
            when={"where nothing is dropped, no random number may be drawn": [True, False]},
            expected="x itself, and no number drawn",
        )
    yield "x itself comes back where nothing is to be done"
    student.expect(
        probe_dropout_gradient,
        np.arange(1.0, 9.0, dtype=np.float32),
        0.5,
        3,
        equals=True,
        otherwise="the gradient passes where the value does, with the same factor: use _scale_kept",
    )
    yield "the gradient passes where the value does"


# --- 03.5: cross-entropy ---


def probe_losses(mg, rows, right, reduction="none"):
    return mg.cross_entropy_loss(mg.array(rows), mg.array(right), reduction=reduction).data


def probe_loss_gradient(mg, rows, right, g, times=1):
    """The gradient of the rows, from the last of several calls of one rule."""
    rows = mg.array(rows, requires_grad=True)
    losses = mg.cross_entropy_loss(rows, mg.array(right), reduction="none")
    ((_, rule),) = losses.inputs
    for _ in range(times):
        result = rule(g)
    return result


@check("03.5")
def cross_entropy(student):
    def losses(rows, right, equals, otherwise, when=None, **options):
        rows, right = np.array(rows, np.float32), np.array(right)
        options |= {"equals": equals, "otherwise": otherwise, "when": when}
        expect(student, probe_losses, rows, right, **options)

    def gradient(rows, right, g, equals, otherwise, when=None, **options):
        rows, right, g = np.array(rows), np.array(right), np.array(g)
        options |= {"equals": equals, "otherwise": otherwise, "when": when}
        expect(student, probe_loss_gradient, rows, right, g, **options)

    for right, p in ((0, 0.25), (1, 0.75)):
        losses(
            np.log([[1, 3]]),
            [right],
            [-np.log(p)],
            "the loss of one row is the surprise, -log, at the probability of its target",
            {
                "the sign is wrong: the surprise at a probability below 1 is positive": [np.log(p)],
                "the logarithm is missing: this is the probability, not the surprise at it": [p],
                "the logarithm is missing, and the sign is wrong": [-p],
            },
        )
    yield "the surprise at the target's probability"
    each = np.log([4, 4, 4 / 3])
    losses(
        np.log([[1, 3], [3, 1], [1, 3]]),
        [0, 1, 1],
        each,
        "each row has a surprise of its own, at its own target",
        {
            "every row has the same loss: their mean or sum is taken after your lines": (
                lambda got: near(got, np.full(3, got[0]))
            )
        },
    )
    yield "one for each row"
    losses(
        [[1000, 0], [-2000, -1000]],
        [1, 1],
        [1000, 0],
        "large logits overflow, or a probability is rounded to 0 and its logarithm is -inf: "
        "subtract the largest entry, and never take the logarithm of a probability",
    )
    yield "logits of 1000 neither overflow nor vanish"

    gradient(
        [[0.0, 0.0]],
        [0],
        [1.0],
        [[-0.5, 0.5]],
        "the gradient is the probabilities, minus 1 at the target",
        {
            "the gradient has the wrong sign: it is prediction minus truth, negative at the target, "
            "so that a step against it raises the target's logit": [[0.5, -0.5]],
            "the truth is missing from the gradient: 1 is subtracted at each target": [[0.5, 0.5]],
        },
    )
    rows, right = np.log([[1.0, 3.0], [3.0, 1.0]]), [0, 0]
    slopes, g = np.array([[-0.75, 0.75], [-0.25, 0.25]]), np.array([10.0, -1.0])
    gradient(
        rows,
        right,
        [1.0, 1.0],
        slopes,
        "each row of the gradient is its probabilities, minus 1 at its target",
        {
            "the gradient is divided by n: that is done after your lines, and it comes to you in "
            "g": slopes / 2
        },
    )
    yield "the gradient is prediction minus truth"
    gradient(
        rows,
        right,
        g,
        slopes * g[:, None],
        "each row of the gradient is multiplied by its own entry of g, the whole row",
        {
            "g has no effect: the chain rule multiplies by the gradient that arrives": slopes,
            "the columns are multiplied by g, not the rows: g[:, None] has the shape (n, 1)": (
                slopes * g
            ),
        },
    )
    gradient(
        rows,
        right,
        g,
        slopes * g[:, None],
        "the second call of the rule gives another answer: it has written into what the forward "
        "pass kept; work on a copy",
        times=2,
    )
    yield "the gradient that arrives is a factor, and the rule may be called again"
    gradient(
        rows[None],
        [right],
        g[None],
        (slopes * g[:, None])[None],
        "with leading axes, the gradient has the shape and the order of the logits",
    )
    yield "leading axes"
