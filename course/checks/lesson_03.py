"""What the exercises of lesson 03 must do, on rows short enough to be worked out by hand."""

import numpy as np

from course.checks.vocabulary import NoValue, Wrong, WrongForm, check, near, require

# What the rows of a wrong answer look like where a function made in a loop is called after it.
LATE = (
    "comes from the last row: a function made in a loop (a lambda, say) reads the loop's variable "
    "when it is called, and then it is the last one; compute at once, or give the variable as a "
    "default, lambda row=row: ..."
)


def expect(student, probe, *arguments, equals, otherwise, when=None, **options):
    """`student.expect` of an array: its shape is compared before its values are."""
    equals = np.asarray(equals)
    options = {"tolerance": 1e-4, "equals": equals, "otherwise": otherwise, "when": when} | options
    try:
        return student.expect(probe, *arguments, shape=equals.shape, **options)
    except WrongForm as failure:
        met = getattr(failure.example["got"], "shape", None)
        if met is None or [n for n in met if n != 1] != [n for n in equals.shape if n != 1]:
            raise
        words = f"the shape is {met} and should be {equals.shape}: an axis of size 1 is an axis"
        shown = {name: failure.example[name] for name in ("input", "got")}
        raise WrongForm(words, expected=equals.shape, **shown) from None


def every_row_is_the_last(got):
    return got.ndim > 1 and len(got) > 1 and near(got, np.broadcast_to(got[-1:], got.shape))


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
    def probabilities(x, equals, otherwise, axis=-1, when=None):
        for dtype in (np.float32, np.float64):
            x = np.array(x, dtype)
            got = expect(
                student, probe_softmax, x, axis, equals=equals, otherwise=otherwise, when=when
            )
            words = f"{x.dtype} went in and another dtype came out: keep the dtype of x"
            require(str(got.dtype), str(x.dtype), words, input={"x": x, "axis": axis})

    probabilities(
        [[0, 0], [0, 0]],
        [[0.5, 0.5], [0.5, 0.5]],
        "two equal scores in a row have a probability of one half each: the exponentials are "
        "divided by the sum of their own row",
    )
    yield "equal scores share equally"
    probabilities(
        np.log([[1.0, 3.0], [1.0, 4.0]]),
        [[0.25, 0.75], [0.2, 0.8]],
        "each row is divided by its own sum, in every place: keepdims=True keeps the axis, so that "
        "a sum stands beside its row and not under a column",
        when={
            "the columns sum to 1 and not the rows: Python's own sum and max go along the first "
            "axis, e.sum(axis, keepdims=True) along the one that is asked for": lambda got: near(
                got.sum(0), [1, 1]
            ),
            f"every row {LATE}": every_row_is_the_last,
        },
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
    alone = "a row alone has the probabilities that it has among others"
    probabilities([[0, 0]], [[0.5, 0.5]], alone)
    probabilities([[0], [0]], [[1], [1]], alone)
    x = np.log([[[1.0, 3.0]], [[4.0, 1.0]]])  # (2, 1, 2), as in attention, which has four axes
    more = "with three axes, each sum must stand along the axis that was asked for: use keepdims"
    probabilities(x, [[[0.25, 0.75]], [[0.8, 0.2]]], more)
    probabilities(x, [[[0.2, 0.75]], [[0.8, 0.25]]], more, axis=0)
    probabilities(x, np.ones((2, 1, 2)), more, axis=1)
    x = np.log([[[1.0, 3.0], [4.0, 1.0]], [[5.0, 6.0], [1.0, 1.0]]])
    probabilities(x, [[[0.25, 0.75], [0.8, 0.2]], [[5 / 11, 6 / 11], [0.5, 0.5]]], more)
    yield "axes of size 1, and three axes"
    nothing = np.zeros((2, 0))
    probabilities(nothing, nothing, "rows without entries give rows without entries")
    yield "rows without entries pass"


# --- 03.2: layer norm ---


def probe_layer_norm(mg, x, eps, weight=None, bias=None):
    weight = np.ones(x.shape[-1], x.dtype) if weight is None else weight
    bias = np.zeros(x.shape[-1], x.dtype) if bias is None else bias
    return mg.layer_norm(mg.array(x), mg.array(weight), mg.array(bias), eps=eps).data


def probe_layer_norm_alone(mg, x, eps):
    """Without weight and bias."""
    return mg.layer_norm(mg.array(x), eps=eps).data


def probe_layer_norm_gradient(mg, x, eps, weight, g):
    leaf = mg.array(x, requires_grad=True)
    mg.layer_norm(leaf, mg.array(weight), mg.zeros(x.shape[-1]), eps=eps).backward(g)
    return leaf.grad


def probe_layer_norm_weight_gradient(mg, x, eps, g):
    weight = mg.ones(x.shape[-1], requires_grad=True)
    mg.layer_norm(mg.array(x), weight, eps=eps).backward(g)
    return weight.grad


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
            f"every row {LATE}": [[-10, 10], [-1, 1]],
            "a row became 0: // rounds down to whole numbers, / divides": lambda got: (
                not got.any(1).all()
            ),
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
    for dtype in (np.float32, np.float64):
        expect(
            student,
            probe_layer_norm,
            np.array([[0, 1.5]], dtype),
            0.1,
            equals=np.array([[-0.75, 0.75]]) / np.sqrt(0.5625 + 0.1),
            otherwise="fractions must be kept: the row has the mean 0.75 and the variance 0.5625",
            tolerance=1e-6 if dtype == np.float32 else 1e-12,
            when={
                "float64 went in and its digits are lost: keep the dtype of x": lambda got: near(
                    got, np.array([[-0.75, 0.75]]) / np.sqrt(0.5625 + 0.1)
                )
            },
        )
    yield "fractions, in float32 and in float64"

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
    expect(
        student,
        probe_layer_norm_alone,
        np.array([[1.0, 3.0]]),
        0.0,
        equals=[[-1, 1]],
        otherwise="without weight and bias the normalised rows themselves come back",
    )
    yield "weight and bias, in float32, and neither of them"

    x = np.array([[1.0, 2.0, 4.0], [0.0, -1.0, 3.0], [5.0, 5.0, 8.0]])  # as many rows as columns
    weight, g = np.array([1.0, -1.0, 2.0]), np.array([[1.0, 0, -2], [0.5, 1, 0], [0, -1, 1]])

    def value(x):
        return float((student.run(probe_layer_norm, x, 0.5, weight, np.zeros(3)) * g).sum())

    words = (
        "the values are right, but the gradient does not belong to them: it is found with `normal` "
        "and `scale`, so `normal` must be an array of the finished rows, of shape (N, n), and "
        "`scale` one over the root for each row, (N, 1)"
    )

    def gradient(probe, *arguments, equals, words=words):
        try:
            expect(student, probe, *arguments, equals=equals, otherwise=words)
        except NoValue as failure:
            raised = failure.reply.get("raised", {})
            if raised.get("type") in (None, "NameError", "UnboundLocalError", "NotYet"):
                raise
            raise Wrong(
                words,
                input=failure.example["input"],
                expected=equals,
                got=f"{raised.get('type')}: {raised.get('words')}",
            ) from None

    gradient(probe_layer_norm_gradient, x, 0.5, weight, g, equals=differences(value, x))
    yield "the gradient agrees with central differences"
    one, ten = np.array([[1.0, 3.0]]), np.array([[10.0, 20.0]])
    words = (
        "an axis of size 1 is an axis: `normal` has the shape (N, n) and `scale` (N, 1), also for "
        "a single row and for rows of one entry, so squeeze nothing"
    )
    gradient(probe_layer_norm_weight_gradient, one, 0.0, ten, equals=[-10, 20], words=words)
    zeros = np.zeros((2, 1))
    gradient(probe_layer_norm_gradient, one.T, 1.0, np.ones(1), ten.T, equals=zeros, words=words)
    yield "a batch of one row, and rows of one entry"
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


def probe_embedding_keeps(mg, tokens, g):
    """The tokens and the table, after the rule was called."""
    tokens, weight = mg.array(tokens), mg.array(np.full((4, 1), 7.0), requires_grad=True)
    ((_, rule),) = mg.embedding(tokens, weight).inputs
    rule(g)
    return [tokens.data, weight.data]


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
            table = {"table": f"of {np.dtype(dtype).name}"}
            require(str(got.dtype), np.dtype(dtype).name, words, input={"tokens": tokens} | table)

    right = np.array([[10, 20], [0, 0], [0, 0], [1, 2]])
    gradient(
        [3, 0],
        [[1, 2], [10, 20]],
        right,
        "a token that does not occur must have a row of zeros",
        {
            f"every row {LATE}": lambda got: (
                near(got[[0, 3]], [[1, 2], [1, 2]]) or near(got[[0, 3]], [[10, 20], [10, 20]])
            ),
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
    gradient([3], [[5]], [[0], [0], [0], [5]], "a single row must reach its token as any other")
    yield "tokens of two axes, a batch of one, a single one, and none at all"
    tokens, g = np.array([3, 0, 3]), np.array([[1.0], [2.0], [4.0]])
    for kept, before, what in zip(
        student.run(probe_embedding_keeps, tokens, g),
        (tokens, np.full((4, 1), 7.0)),
        ("the tokens were", "the table itself was"),
    ):
        words = f"{what} overwritten by the rule: make a new array, since others still need the old"
        require(kept, before, words, input={"tokens": tokens, "g": g})
    yield "the tokens and the table stay as they were"


# --- 03.4: dropout ---


def probe_dropout(mg, x, p, training, seed):
    """The result, and whether it is a tensor, and x as it was."""
    x = mg.array(x)
    before = x.data.copy()
    y = mg.dropout(x, p, training, np.random.default_rng(seed))
    tensor = isinstance(y, mg.Tensor)
    kind = type(y).__name__
    return [y.data if tensor else 0, tensor, kind, np.array_equal(x.data, before)]


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
    if not y.requires_grad:
        return "no way back"
    y.backward(np.ones_like(y.data))
    return np.allclose(y.data, x.grad * x.data)


@check("03.4")
def dropout(student):
    ones, given = np.ones((100, 100), np.float32), {"x": "ones (100, 100)", "p": 0.25}

    def drop(x=ones, training=True, seed=1, given=given):
        got = student.run(probe_dropout, x, 0.25, training, seed)
        values, tensor, kind, unchanged = (
            got if isinstance(got, list) and len(got) == 4 else [0, False, "nothing", True]
        )
        if not tensor:
            kind = "array" if kind == "ndarray" else kind
            words = {
                "array": "an array came back, where a tensor is expected: `_scale_kept` returns "
                "one, and an array has no gradient",
                "tuple": "a tuple came back, where one tensor is expected: is something returned "
                "beside it?",
            }
            other = f"a {kind} came back, where a tensor is expected, as `_scale_kept` returns one"
            words = words.get(kind, other)
            raise WrongForm(words, input=given, expected="a Tensor", got=kind)
        words = "the zeros were written into x itself: the caller may still need it"
        if not unchanged:
            raise Wrong(words, input=given, expected="x as it was", got="x with zeros in it")
        if np.shape(values) != x.shape:
            raise Wrong(
                f"{np.shape(values)} came out of {x.shape}: draw a number for each entry, of "
                "x.shape, with its axes of size 1",
                input=given,
                expected=x.shape,
                got=np.shape(values),
            )
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
    if np.unique(got == 0).size == 1:
        draws = [drop(seed=seed) for seed in range(2, 12)]
        if len({bool(draw.any()) for draw in draws}) == 2:
            words = "one random number decides for all entries: draw one for each, of shape x.shape"
            raise Wrong(words, input=given, expected="0.25 of the entries zero", got="none or all")
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
    for shape in ((40, 1), (1, 40), ()):
        drop(np.ones(shape, np.float32), given={"x": f"ones {shape}", "p": 0.25})
    two = drop(np.full(100, 2), given={"x": "100 times the integer 2", "p": 0.25})
    require(
        np.unique(two),
        [0, 8 / 3],
        "an integer that is kept is divided by 1 - p like any other number: leave it to _scale_kept",
        input={"x": "100 times the integer 2", "p": 0.25},
        expected="0 and 2 / 0.75 = 2.67",
    )
    yield "axes of size 1, no axes, and integers"

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
        when={
            "no gradient finds the way back to x: a tensor made anew from an array (array(...), "
            "Tensor(...)) knows nothing of x; return what _scale_kept returns": "no way back"
        },
        expected="the gradient is 2 where the value is kept, else 0",
    )
    yield "the gradient passes where the value does"


# --- 03.5: cross-entropy ---


def probe_losses(mg, rows, right, reduction="none"):
    return mg.cross_entropy_loss(mg.array(rows), mg.array(right), reduction=reduction).data


def probe_loss_of_all(mg, rows, right, reduction):
    return mg.cross_entropy_loss(mg.array(rows), mg.array(right), reduction=reduction).data


def probe_loss_gradient(mg, rows, right, g, times=1, reduction="none"):
    """The gradient of the rows, from the last of several calls of one rule."""
    rows = mg.array(rows, requires_grad=True)
    losses = mg.cross_entropy_loss(rows, mg.array(right), reduction=reduction)
    ((_, rule),) = losses.inputs
    for _ in range(times):
        result = rule(g)
    return result


@check("03.5")
def cross_entropy(student):
    def ask(probe, *arguments, **options):
        """`expect`, where an exception in the lines after the student's is put in their words."""
        try:
            expect(student, probe, *arguments, **options)
        except NoValue as failure:
            raised = failure.reply.get("raised", {})
            met = str(raised.get("words"))
            for part, words in (
                ("has no attribute", "`losses` must be an array, with a loss for each row"),
                ("not object", "`losses` must hold numbers, one for each row"),
                ("0 or 1-dimensional", "`losses` has one axis, (n,): one loss for each row"),
                (
                    "is 0-dimensional",
                    "`losses` has one axis, (n,), for one row too: squeeze nothing",
                ),
                ("is not callable", "`rule` must be a function of g: def rule(g)"),
                ("not 'generator'", "`rule` must return an array, of shape (n, V)"),
                ("could not be broadcast", "`rule` must return an array of shape (n, V)"),
            ):
                if part in met and raised.get("exercise") != "03.5":
                    got = f"{raised.get('type')}: {met}"
                    raise WrongForm(words, input=failure.example["input"], got=got) from None
            raise

    def losses(rows, right, equals, otherwise, when=None, **options):
        rows, right = np.array(rows, np.float32), np.array(right)
        options |= {"equals": equals, "otherwise": otherwise, "when": when}
        ask(probe_losses, rows, right, **options)

    def gradient(rows, right, g, equals, otherwise, when=None, **options):
        rows, right, g = np.array(rows), np.array(right), np.array(g)
        options |= {"equals": equals, "otherwise": otherwise, "when": when}
        ask(probe_loss_gradient, rows, right, g, **options)

    for right, p in ((0, 0.25), (1, 0.75)):
        losses(
            np.log([[1, 3]]),
            [right],
            [-np.log(p)],
            "the loss of one row is the surprise, -log, at the probability of its target",
            {
                "the losses are cut to whole numbers: make their array from the dtype of `rows`, "
                "not of `right`": lambda got: got.dtype.kind in "iu",
                "the loss of a single row is 0 whatever its target: Python's own sum and max go "
                "along the first axis; each row needs its own, e.sum(1, keepdims=True)": [0],
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
            f"every loss {LATE}": np.full(3, each[-1]),
            "every row has the same loss: their mean or sum is taken after your lines": (
                lambda got: near(got, np.full(3, got[0]))
            ),
        },
    )
    yield "one for each row"
    for reduction in ("mean", "sum"):
        ask(
            probe_loss_of_all,
            np.log([[1.0, 3.0]]),
            np.array([0]),
            reduction,
            equals=np.log(4),
            otherwise="the mean and the sum of one loss are that loss",
        )
    yield "a batch of one"
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
        rows[:1],
        right[:1],
        g[:1],
        slopes[:1] * g[0],
        "one row alone has the gradient that it has among others",
    )
    gradient(
        rows[:1],
        right[:1],
        10.0,
        slopes[:1] * 10,
        "the mean of one loss has that loss's gradient: `losses` has one axis, (n,), also for n = 1",
        reduction="mean",
    )
    gradient(
        np.zeros((2, 1)),
        [0, 0],
        g,
        np.zeros((2, 1)),
        "with one class its probability is 1, and the gradient 0, of shape (n, 1)",
    )
    yield "a batch of one, and one class"
    gradient(
        rows[None],
        [right],
        g[None],
        (slopes * g[:, None])[None],
        "with leading axes, the gradient has the shape and the order of the logits",
    )
    yield "leading axes"
