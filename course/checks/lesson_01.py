"""What the exercises of lesson 01 must do: values by hand, rules applied to a known gradient."""

import numpy as np

from course.checks.vocabulary import Wrong, check, near


def outcome(out, leaves, g, what):
    """The value of `out` for what = -1, else what the rule for leaf number `what` makes of `g`."""
    if what < 0:
        return out.data
    rules = {id(node): rule for node, rule in out.inputs}
    return rules[id(leaves[what])](g)


def leaves_of(mg, arrays):
    return [mg.array(x, requires_grad=True) for x in arrays]


# --- 01.1: division ---


def probe_div(mg, a, b, g, what):
    leaves = leaves_of(mg, [a, b])
    return outcome(mg.ops.div(*leaves), leaves, g, what)


def probe_div_integers(mg, a, b):
    return mg.ops.div(mg.array(a), mg.array(b)).data


def probe_div_by_a_number(mg, a, b, g):
    """What the rule for `a` makes of `g` where b needs no gradient: integers, or a plain number."""
    a = mg.array(a, requires_grad=True)
    ((_, rule),) = mg.ops.div(a, b).inputs
    return rule(g)


@check("01.1")
def division(student):
    a, b, g = np.array([6.0, 1.0]), np.array([2.0, 4.0]), np.array([1.0, 10.0])
    shown = {"a": a, "b": b, "g": g}

    value, expected = student.array(probe_div, a, b, g, -1, shape=(2,)), [3.0, 0.25]
    if not near(value, expected):
        raise Wrong(
            "the value is not a / b"
            + ("; it is whole numbers, as `//` makes them" if near(value, [3.0, 0.0]) else ""),
            input=shown,
            expected=expected,
            got=value,
        )
    ones, twos = np.array([1, 3]), np.array([2, 2])
    value = student.array(probe_div_integers, ones, twos, shape=(2,))
    if not near(value, [0.5, 1.5]):
        raise Wrong(
            "integers must be divided into floats: 1 by 2 is 0.5",
            input={"a": ones, "b": twos},
            expected=[0.5, 1.5],
            got=value,
        )
    ones, zeros = np.array([1.0, -1.0]), np.array([0.0, 0.0])
    value = student.array(probe_div_integers, ones, zeros, shape=(2,))
    if not near(value, [np.inf, -np.inf]):
        raise Wrong(
            "a division by zero gives inf, as in NumPy: nothing is refused, nor added to b",
            input={"a": ones, "b": zeros},
            expected=[np.inf, -np.inf],
            got=value,
        )
    yield "the value is a / b, for floats, for integers and for zeros"

    found, expected = student.array(probe_div, a, b, g, 0, shape=(2,)), [0.5, 2.5]
    if not near(found, expected):
        raise Wrong(a_words(found), input=shown, expected=expected, got=found)
    for whole, expected in ((4, [0.25, 2.5]), (np.array([2, 4]), [0.5, 2.5])):
        found = student.array(probe_div_by_a_number, a, whole, g, shape=(2,))
        if not near(found, expected):
            raise Wrong(
                "the rule for a is wrong where b holds integers: 1 / 4 is 0.25 there too",
                input=shown | {"b": whole},
                expected=expected,
                got=found,
            )
    yield "the rule for a, also where b is a plain number"

    found, expected = student.array(probe_div, a, b, g, 1, shape=(2,)), [-1.5, -0.625]
    if not near(found, expected):
        raise Wrong(b_words(found), input=shown, expected=expected, got=found)
    yield "the rule for b: with its sign, its square and its g"


def a_words(found):
    if near(found, [-1.5, -0.625]):
        return "the first rule gives the gradient of b: rules stand in the order of the inputs"
    if near(found, [0.5, 0.25]):
        return "the rule for a leaves out g: a rule is g times the slope"
    if near(found, [2.0, 40.0]):
        return "the rule for a multiplies by b, as the one of mul does; the slope of a / b is 1 / b"
    return "the gradient of a is wrong: if a grows by h, then a / b grows by h / b"


def b_words(found):
    if near(found, [1.5, 0.625]):
        return "the gradient of b has the wrong sign: where b grows, a / b falls"
    if near(found, [-3.0, -2.5]):
        return "the gradient of b is divided by b once; its slope -a / b² needs the square"
    if near(found, [-1.5, -0.0625]):
        return "the rule for b leaves out g: a rule is g times the slope"
    if near(found, [-0.25, -0.625]):
        return "the rule for b leaves out a: the slope is -a / b²"
    return "the gradient of b is wrong: the slope of a / b by b is -a / b²"


# --- 01.2: matrix products ---


def probe_matmul(mg, a, b, g, what):
    leaves = leaves_of(mg, [a, b])
    try:
        return outcome(mg.ops.matmul(*leaves), leaves, g, what)
    except ValueError as error:  # shapes that do not fit: the check says why
        return f"ValueError: {error}"


def front_summed(found, shape):
    """A gradient without the axes that broadcasting may have put in front of `shape`."""
    if isinstance(found, np.ndarray) and found.dtype.kind in "fiu":
        extra = found.ndim - len(shape)
        if extra > 0 and found.shape[extra:] == shape:
            return found.sum(axis=tuple(range(extra)))
    return found


@check("01.2")
def rules_of_matmul(student):
    def judge(a, b, g, expected, words):
        """Both rules on one example; `words` is a text, or a function of the name and got."""
        for what, name in enumerate("ab"):
            got = front_summed(student.run(probe_matmul, a, b, g, what), np.shape((a, b)[what]))
            if not near(got, expected[what]):
                text = words(name, got) if callable(words) else words
                raise Wrong(
                    text,
                    input={"a": a, "b": b, "g": g},
                    expected={f"gradient of {name}": expected[what]},
                    got=got,
                )

    a, b = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[5.0, 6.0], [7.0, 8.0]])
    g = np.array([[1.0, 0.0], [0.0, 2.0]])
    judge(a, b, g, ([[5, 7], [12, 16]], [[1, 6], [2, 8]]), square_words)
    yield "two square matrices"

    a, b, g = (
        np.array([[1.0, 2.0]]),
        np.array([[1.0, 0.0, 2.0], [0.0, 1.0, 1.0]]),
        np.array([[1.0, 2.0, 3.0]]),
    )
    judge(
        a,
        b,
        g,
        ([[7, 5]], [[1, 2, 3], [2, 4, 6]]),
        lambda name, got: (
            f"the gradient of {name} is wrong where m, k and n differ: (1, 2) @ (2, 3)"
        ),
    )
    yield "m, k and n that differ"

    a = np.array([[[1.0, 2.0], [3.0, 4.0]], [[1.0, 0.0], [0.0, 2.0]]])  # (2, 2, 2)
    b = np.array([[[1.0], [2.0]], [[3.0], [4.0]]])  # (2, 2, 1)
    g = np.array([[[1.0], [2.0]], [[3.0], [10.0]]])  # (2, 2, 1)
    judge(
        a,
        b,
        g,
        ([[[1, 2], [2, 4]], [[9, 12], [30, 40]]], [[[7], [10]], [[3], [20]]]),
        "stacks of matrices: each matrix of the stack has a product of its own. (`.T` turns all "
        "axes round; only the last two may change places)",
    )
    judge(
        a[None],
        b[None],
        g[None],
        ([[[[1, 2], [2, 4]], [[9, 12], [30, 40]]]], [[[[7], [10]], [[3], [20]]]]),
        lambda name, got: (
            f"four axes: the gradient of {name} is wrong. Count the matrix's axes from the end, "
            "since any number of axes may stand before them"
        ),
    )
    yield "stacks of matrices"

    a = np.array([[[1.0, 2.0]], [[3.0, 4.0]]])
    b, g = np.array([[1.0, 0.0], [2.0, 1.0]]), np.array([[[1.0, 2.0]], [[3.0, 4.0]]])
    judge(
        a,
        b,
        g,
        ([[[1, 4]], [[3, 10]]], [[10, 14], [14, 20]]),
        lambda name, got: (
            f"a stack of matrices meets one: the gradient of {name} is wrong"
            + (
                ". The one matrix was used by every matrix of the stack, so it gets the sum"
                if name == "b"
                else ""
            )
        ),
    )
    yield "many matrices that meet one"

    a, b, g = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([5.0, 6.0]), np.array([1.0, 10.0])
    judge(a, b, g, ([[5, 6], [50, 60]], [31, 42]), vector_words)
    a, b, g = (
        np.array([1.0, 2.0]),
        np.array([[5.0, 6.0, 7.0], [8.0, 9.0, 1.0]]),
        np.array([1.0, 0.0, 2.0]),
    )
    judge(
        a,
        b,
        g,
        ([19, 10], [[1, 0, 2], [2, 0, 4]]),
        lambda name, got: f"a vector on the left is one row: the gradient of {name} is wrong",
    )
    a, b, g = np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0]), np.array(2.0)
    judge(
        a,
        b,
        g,
        ([8, 10, 12], [2, 4, 6]),
        lambda name, got: (
            f"a vector times a vector is one number: the gradient of {name} is wrong. The product "
            "has dropped both axes, and g needs both again"
        ),
    )
    a, b, g = (
        np.array([[[1.0, 2.0]], [[3.0, 4.0]]]),  # (2, 1, 2)
        np.array([5.0, 6.0]),
        np.array([[1.0], [10.0]]),
    )
    words = "a stack of matrices meets a vector: the gradient of {} is wrong".format
    judge(a, b, g, ([[[5, 6]], [[50, 60]]], [31, 42]), lambda name, got: words(name))
    a, b = np.array([1.0, 2.0]), np.array([[[5.0], [6.0]], [[7.0], [8.0]]])  # (2, 2, 1)
    judge(a, b, g, ([75, 86], [[[1], [2]], [[10], [20]]]), lambda name, got: words(name))
    yield "vectors on the left, on the right, on both sides, and beside a stack"


def square_words(name, got):
    if name == "a" and near(got, [[5, 6], [14, 16]]):
        return "the gradient of a is g times b without the transpose: row i of g meets *row* p of b"
    if name == "b" and near(got, [[1, 4], [3, 8]]):
        return "the gradient of b is a times g without the transpose: *column* p of a meets g"
    if near(got, [[5, 14], [6, 16]] if name == "a" else [[1, 3], [4, 8]]):
        return (
            f"the gradient of {name} has its factors in the wrong order: a product of matrices "
            "changes when they are exchanged"
        )
    if near(got, [[5, 0], [0, 16]] if name == "a" else [[1, 0], [0, 8]]):
        return f"the gradient of {name} multiplies entry by entry: it is a matrix product (@)"
    return f"the gradient of {name} is wrong, even for two square matrices"


def vector_words(name, got):
    if name == "b" and np.shape(got) == (2, 1):
        return (
            "b came with one axis, and its gradient has two: it was one column for the product, "
            "and that axis must go again at the end"
        )
    return (
        f"a matrix times a vector: the gradient of {name} is wrong. The product dropped an axis, "
        "so g lacks it too: give g the `dropped` axes back first"
    )


# --- 01.3: masked_fill ---


def probe_masked_fill(mg, x, mask, value, g, what):
    leaves = leaves_of(mg, [x])
    return outcome(mg.ops.masked_fill(leaves[0], mask, value), leaves, g, what)


def probe_masked_fill_input(mg, x, mask, value):
    """The input's array after the call."""
    node = mg.array(x)
    mg.ops.masked_fill(node, mask, value)
    return node.data


def probe_masked_fill_refuses(mg, x, mask):
    try:
        out = mg.ops.masked_fill(mg.array(x), mask, 0.0)
    except ValueError:
        return "refused"
    return out.data


@check("01.3")
def masks(student):
    x, mask = np.array([1.0, 2.0, 3.0]), np.array([False, True, False])
    g = np.array([1.0, 10.0, 100.0])
    shown = {"x": x, "mask": mask, "value": 9.0}

    got, expected = (
        student.array(probe_masked_fill, x, mask, 9.0, g, -1, shape=(3,)),
        [1.0, 9.0, 3.0],
    )
    if near(got, [9.0, 2.0, 9.0]):
        raise Wrong(
            "the mask is the wrong way round: the value goes where the mask holds",
            input=shown,
            expected=expected,
            got=got,
        )
    if not near(got, expected):
        raise Wrong(
            "the value must stand where the mask holds, and x elsewhere",
            input=shown,
            expected=expected,
            got=got,
        )
    got = student.array(probe_masked_fill_input, x, mask, 9.0, shape=(3,))
    if not near(got, x):
        raise Wrong(
            "x itself has changed: an operation never writes into an array that it was given",
            input=shown,
            expected={"x afterwards": x},
            got=got,
        )
    yield "the value goes where the mask holds, and x stays as it was"

    got = student.array(probe_masked_fill, x, mask, -np.inf, g, -1, shape=(3,))
    if not near(got, [1.0, -np.inf, 3.0]):
        raise Wrong(
            "nan: 0 times inf is not 0. Select, and never multiply",
            input={"x": x, "mask": mask, "value": -np.inf},
            expected=[1.0, -np.inf, 3.0],
            got=got,
        )
    yield "-inf as the value"

    got, expected = (
        student.array(probe_masked_fill, x, mask, 9.0, g, 0, shape=(3,)),
        [1.0, 0.0, 100.0],
    )
    if not near(got, expected):
        raise Wrong(mask_words(got), input=shown | {"g": g}, expected=expected, got=got)
    infinite = np.array([1.0, np.inf, 100.0])
    got = student.array(probe_masked_fill, x, mask, 9.0, infinite, 0, shape=(3,))
    if not near(got, expected):
        raise Wrong(
            "the rule multiplies g by the mask, and 0 times inf is nan: the rule must select too",
            input=shown | {"g": infinite},
            expected=expected,
            got=got,
        )
    yield "no gradient where x was hidden, all of it elsewhere"

    got = student.array(probe_masked_fill, x, np.array([0, 1, 0]), 9.0, g, -1, shape=(3,))
    if not near(got, [1.0, 9.0, 3.0]):
        raise Wrong(
            "a mask of 0 and 1 must do the same as one of False and True (`_as_mask`)",
            input=shown | {"mask": [0, 1, 0]},
            expected=[1.0, 9.0, 3.0],
            got=got,
        )
    table, row = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([False, True])
    got = student.array(probe_masked_fill, table, row, 0.0, np.ones((2, 2)), -1, shape=(2, 2))
    if not near(got, [[1, 0], [3, 0]]):
        raise Wrong(
            "the mask must broadcast: one row of it serves every row of x",
            input={"x": table, "mask": row, "value": 0.0},
            expected=[[1, 0], [3, 0]],
            got=got,
        )
    g = np.array([[1.0, 2.0], [3.0, 4.0]])
    got = student.run(probe_masked_fill, table, row, 0.0, g, 0)
    if not near(got, [[1, 0], [3, 0]]):
        raise Wrong(
            "the mask must broadcast in the rule too: the same row of it serves every row of g",
            input={"x": table, "mask": row, "g": g},
            expected=[[1, 0], [3, 0]],
            got=got,
        )
    yield "masks of 0 and 1, and masks that broadcast"

    for row, bad, words in [
        (
            x,
            np.array([0.0, 0.3, 1.0]),
            "a mask of 0.3 is a mistake and must be refused: `_as_mask` does it",
        ),
        (
            x,
            np.zeros((2, 3), bool),
            "a mask larger than x must be refused with a ValueError; otherwise the result has "
            "another shape than x",
        ),
        (
            x[:, None],
            mask,
            "a row as the mask of a column makes a table of (3, 3), although it has neither more "
            "axes nor more entries than x: compare shapes, and refuse it",
        ),
    ]:
        got = student.run(probe_masked_fill_refuses, row, bad)
        if not (isinstance(got, str) and got == "refused"):
            raise Wrong(words, input={"x": row, "mask": bad}, expected="ValueError", got=got)
    yield "masks that are none, and masks that are too large, are refused"


def mask_words(got):
    if near(got, [1.0, 10.0, 100.0]):
        return (
            "a gradient reaches x where it was hidden: what was filled in does not depend on x, "
            "so its slope is 0"
        )
    if near(got, [0.0, 10.0, 0.0]):
        return "the rule has the mask the wrong way round: gradient goes where x was kept"
    return "the rule must return g where x was kept, and 0 where it was hidden"


# --- 01.4: sum ---


def probe_sum(mg, x, axis, keepdims, g, what):
    leaves = leaves_of(mg, [x])
    axis = tuple(axis) if isinstance(axis, list) else axis
    try:
        return outcome(mg.ops.sum(leaves[0], axis=axis, keepdims=keepdims), leaves, g, what)
    except ValueError as error:  # shapes that do not fit: the check says why
        return f"ValueError: {error}"


@check("01.4")
def sums(student):
    x = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    for axis, keepdims, expected in [
        (0, False, [5, 7, 9]),
        (1, False, [6, 15]),
        (-1, True, [[6], [15]]),
        (None, False, 21),
        (None, True, [[21]]),
        ((0, 1), False, 21),
    ]:
        got = student.run(probe_sum, x, axis, keepdims, None, -1)
        if not near(got, expected):
            flat = isinstance(got, np.ndarray) and near(np.ravel(got), np.ravel(expected))
            raise Wrong(
                "the sums are right, but keepdims is not heeded: it keeps the axis, with size 1"
                if flat
                else "the value is not the sum over that axis",
                input={"x": x, "axis": axis, "keepdims": keepdims},
                expected=expected,
                got=got,
            )
    yield "the value, for every axis, with keepdims and without"

    def judge(x, axis, keepdims, g, expected, words):
        got = student.run(probe_sum, x, axis, keepdims, g, 0)
        if not near(got, expected):
            raise Wrong(
                words(got),
                input={"x": x, "axis": axis, "keepdims": keepdims, "g": g},
                expected=expected,
                got=got,
            )

    square, g = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([2.0, 10.0])
    judge(square, 1, False, g, [[2, 2], [10, 10]], sum_words)
    judge(
        square,
        0,
        False,
        g,
        [[2, 10], [2, 10]],
        lambda got: (
            "axis=0: the sums lie side by side, so each hands its gradient down its own column"
        ),
    )
    yield "each entry gets the gradient of the sum that it went into"

    judge(
        x,
        1,
        True,
        np.array([[2.0], [10.0]]),
        [[2, 2, 2], [10, 10, 10]],
        lambda got: "with keepdims, g has its axis already: it must not get another one",
    )
    judge(
        x,
        -1,
        False,
        g,
        [[2, 2, 2], [10, 10, 10]],
        lambda got: "axis=-1 is the last axis, counted from the end: that is its place in g",
    )
    judge(
        x,
        None,
        False,
        np.array(3.0),
        [[3, 3, 3], [3, 3, 3]],
        lambda got: "a sum of everything has one g, and every entry gets it",
    )
    judge(
        np.ones((2, 2, 2)),
        [0, 2],
        False,
        g,
        [[[2, 2], [10, 10]]] * 2,
        lambda got: (
            "a sum over two axes, axis=(0, 2): both must be given back to g, each in its place"
        ),
    )
    yield "keepdims, a sum of everything, and several axes at once"


def sum_words(got):
    if isinstance(got, str):
        return f"the rule cannot bring g into the shape of x ({got})"
    if np.shape(got) == (2,):
        return (
            "the rule returns g as it came, of shape (2,): the gradient of x has the shape of x, "
            "one number for each of its entries"
        )
    if near(got, [[2, 10], [2, 10]]):
        return (
            "the gradients run along the wrong axis: g has lost axis 1, and without it "
            "broadcasting lays g down as a row. Give the axis back first"
        )
    if near(got, [[1, 1], [5, 5]]):
        return "the gradient is divided by how many were added: that is the rule of the mean"
    if near(got, [[1, 1], [1, 1]]):
        return (
            "the rule leaves out g: it returns the slopes, which are all 1, not g times the slopes"
        )
    return "the gradient is wrong: each entry gets the whole gradient of the sum that it went into"


# --- 01.5: cat ---


def probe_cat(mg, arrays, axis, g, what):
    leaves = leaves_of(mg, arrays)
    try:
        return outcome(mg.ops.cat(leaves, axis=axis), leaves, g, what)
    except KeyError:
        return "no rule"


@check("01.5")
def joining(student):
    def value(arrays, axis, expected, words):
        got = student.run(probe_cat, arrays, axis, None, -1)
        if not near(got, expected):
            raise Wrong(words, input={"arrays": arrays, "axis": axis}, expected=expected, got=got)

    def judge(arrays, axis, g, expected, words):
        for what, part in enumerate(expected):
            got = student.run(probe_cat, arrays, axis, g, what)
            if not near(got, part):
                raise Wrong(
                    words(what, got),
                    input={"arrays": arrays, "axis": axis, "g": g},
                    expected={f"gradient of array {what}": part},
                    got=got,
                )

    row = [np.array([1.0]), np.array([2.0, 3.0, 4.0])]
    columns = [np.array([[1.0], [2.0]]), np.array([[3.0, 4.0], [5.0, 6.0]])]
    value(row, 0, [1, 2, 3, 4], "the value is not the arrays one after another")
    value(columns, 1, [[1, 3, 4], [2, 5, 6]], "the value is not joined along axis=1")
    yield "the value"

    judge(row, 0, np.array([10.0, 20.0, 30.0, 40.0]), ([10], [20, 30, 40]), cat_words)
    judge(
        [*row, np.array([5.0, 6.0])],
        0,
        np.arange(1.0, 7.0),
        ([1], [2, 3, 4], [5, 6]),
        lambda what, got: f"with three arrays, number {what} does not get its own slice of g",
    )
    yield "each array gets its own slice of g"

    g = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    parts = ([[1], [4]], [[2, 3], [5, 6]])
    judge(
        columns,
        1,
        g,
        parts,
        lambda what, got: "axis=1: g must be cut along the axis that was joined",
    )
    judge(
        columns,
        -1,
        g,
        parts,
        lambda what, got: (
            "axis=-1 is the last axis, counted from the end: g is cut along another one"
        ),
    )
    blocks = [np.ones((1, 2, 1)), np.ones((1, 2, 2))]
    g = np.array([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]])  # (1, 2, 3)
    parts = ([[[1], [4]]], [[[2, 3], [5, 6]]])
    words = "three axes: g is cut along the wrong one, or its other axes are exchanged"
    judge(blocks, -1, g, parts, lambda what, got: words)
    blocks, g = [x.swapaxes(1, 2) for x in blocks], g.swapaxes(1, 2)  # (1, 3, 2)
    parts = ([[[1, 4]]], [[[2, 5], [3, 6]]])
    judge(blocks, -2, g, parts, lambda what, got: words)
    yield "along any axis, counted from the front or from the end"


def cat_words(what, got):
    if near(got, [10, 20, 30, 40]):
        return "the rule returns the whole of g: each array gets the slice that came from it"
    if what == 0 and near(got, [20, 30, 40]):
        return (
            "the first rule returns the slice of the last array: rules made in a loop look "
            "`start` and `end` up when they are called, and by then the loop has ended"
        )
    if near(got, [10, 20]) or near(got, [30, 40]):
        return "g is cut into equal pieces, but the arrays have 1 and 3 entries"
    if what == 1 and near(got, [10, 20, 30]):
        return "the second slice begins at 0 again: it begins where the first array ends"
    if isinstance(got, str) and got == "no rule":
        return (
            f"there is no rule for array {what}: return the value, and then one rule for each array"
        )
    return f"the gradient of array {what} is not its slice of g"
