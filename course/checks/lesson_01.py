"""What the exercises of lesson 01 must do: values by hand, rules applied to a known gradient."""

import numpy as np

from course.checks.vocabulary import RULE_OF_G, Wrong, check, near


def leaf(mg, x):
    """Arrays of floats as leaves that require a gradient; everything else as it is."""
    floats = isinstance(x, np.ndarray) and x.dtype.kind == "f"
    return mg.array(x, requires_grad=True) if floats else x


def gradient(out, node, g):
    """What the rule of `out` that leads to `node` makes of g; its complaint where shapes differ."""
    rules = {id(x): rule for x, rule in out.inputs}
    try:
        return rules[id(node)](g)
    except ValueError as error:
        return f"ValueError: {error}"


def says(*words):
    """Recognises a complaint: a text that holds one of these words."""
    return lambda got: isinstance(got, str) and [word for word in words if word in got]


def none(got):
    return got is None


def array(*rows):
    return np.array(rows, float)


def expect_all(student, probe, *rows):
    """`student.expect` for rows of (the probe's arguments …, the right value, the diagnosis)."""
    for *arguments, equals, otherwise in rows:
        student.expect(probe, *arguments, equals=equals, otherwise=otherwise)


# --- 01.1: division ---


def probe_div(mg, a, b):
    try:
        return mg.div(a, b).data
    except ZeroDivisionError as error:
        return f"ZeroDivisionError: {error}"


def probe_div_gradient(mg, a, b, g, gradient_of):
    inputs = [leaf(mg, a), leaf(mg, b)]
    return gradient(mg.div(*inputs), inputs["ab".index(gradient_of)], g)


@check("01.1")
def division(student):
    a, b, g = array(6, 1), array(2, 4), array(1, 10)
    student.expect(
        *(probe_div, a, b),
        equals=[3, 0.25],
        otherwise="the value is not a / b",
        when={"the value is whole numbers, as `//` makes them: it is not a / b": [3, 0]},
        dtype=np.float64,
    )
    gone = "an axis of size 1 is gone: a batch of one keeps its axes, so squeeze nothing"
    expect_all(student, probe_div, (array([6]), array([2]), [[3]], gone))
    whole, words = np.array([2, 4]), "integers must give floats: 1 divided by 2 is 0.5"
    zero = "a division by zero gives inf, as in NumPy: nothing is refused, nor added to b"
    expect_all(
        *(student, probe_div),
        (np.array([1, 6]), whole, [0.5, 1.5], words),
        (array(1, -1), array(0, 0), [np.inf, -np.inf], zero),
    )
    student.expect(
        *(probe_div, array(0), array(0)),
        equals=[True],
        otherwise="0 / 0 gives nan, as in NumPy: who meets it must be able to see it",
        through=np.isnan,
    )
    student.expect(
        *(probe_div, 1.0, 0.0),
        equals=np.inf,
        otherwise="two plain numbers: a division by zero gives inf there too",
        when={
            "Python's own `/` raises an error where a plain number is divided by zero: "
            "np.true_divide(a, b) gives inf": says("ZeroDivision")
        },
    )
    yield "the value is a / b, for floats, for integers and for zeros"

    student.expect(
        *(probe_div_gradient, a, b, g, "a"),
        equals=[0.5, 2.5],
        otherwise="the gradient of a is wrong: if a grows by h, then a / b grows by h / b",
        when={
            "the first rule is that of b: rules stand in the order of the inputs": [-1.5, -0.625],
            "the rule for a leaves out g: a rule is g times the derivative": [0.5, 0.25],
            "the rule for a multiplies by b, as the one of mul does; the derivative of a / b with "
            "respect to a is 1 / b": [2, 40],
        },
    )
    words = "the rule for a is wrong where b holds integers: 1 / 4 is 0.25 there too"
    expect_all(
        *(student, probe_div_gradient),
        (a, 4, g, "a", [0.25, 2.5], words),
        (a, whole, g, "a", [0.5, 2.5], words),
        (array([6]), array([2]), array([1]), "a", [[0.5]], gone),
        (
            array(1),
            array(0),
            array(1),
            "a",
            [np.inf],
            "a rule that divides by zero gives inf: no number of yours stands in its place",
        ),
    )
    yield "the rule for a, also where b is a plain number"

    student.expect(
        *(probe_div_gradient, a, b, g, "b"),
        equals=[-1.5, -0.625],
        otherwise="the gradient of b is wrong: the derivative with respect to b is -a / b²",
        when={
            "the gradient of b has the wrong sign: where b grows, a / b falls": [1.5, 0.625],
            "the rule for b divides by b once; the derivative -a / b² needs the square": [-3, -2.5],
            "`/ b * b` divides by b and multiplies by it again: parentheses, `/ (b * b)`, or "
            "b**2": [-6, -10],
            "the rule for b leaves out g: a rule is g times the derivative": [-1.5, -0.0625],
            "the rule for b leaves out a: the derivative is -a / b²": [-0.25, -0.625],
        },
    )
    yield "the rule for b: with its sign, its square and its g"


# --- 01.2: matrix products ---


def probe_matmul(mg, a, b, g, gradient_of):
    """The gradient of a or b, without the axes that broadcasting may have put in front."""
    inputs = [leaf(mg, a), leaf(mg, b)]
    node = inputs["ab".index(gradient_of)]
    found = gradient(mg.matmul(*inputs), node, g)
    extra = np.ndim(found) - node.ndim
    whole = extra > 0 and np.shape(found)[extra:] == node.shape
    return found.sum(axis=tuple(range(extra))) if whole else found


@check("01.2")
def rules_of_matmul(student):
    def both(a, b, g, of_a, of_b, otherwise, when_a=(), when_b=()):
        """Both rules on one example, each with its better diagnoses."""
        for of, equals, when in (("a", of_a, when_a), ("b", of_b, when_b)):
            student.expect(
                *(probe_matmul, a, b, g, of),
                equals=equals,
                otherwise=otherwise.format(of),
                when={f"the rule for {of} returned None: is there a `return` in it?": none}
                | dict(when),
            )

    factors = "the gradient of {} has its factors in the wrong order: a product of matrices changes"
    factors += " when they are exchanged"
    three = "the gradient of {}: an order of three axes fits arrays of three axes only; "
    three += "x.swapaxes(-1, -2) exchanges the last two of any array"
    entries = "the gradient of {} multiplies entry by entry: it is a matrix product (@)"
    both(
        *(array([1, 2], [3, 4]), array([5, 6], [7, 8]), array([1, 0], [0, 2])),
        *([[5, 7], [12, 16]], [[1, 6], [2, 8]]),
        "the gradient of {} is wrong, even for two square matrices",
        when_a={
            "the gradient of a is g times b without the transpose": [[5, 6], [14, 16]],
            factors.format("a"): [[5, 14], [6, 16]],
            "yours is b times g; the gradient of a is g times b transposed": [[5, 12], [7, 16]],
            three.format("a"): says("axes don't match"),
            entries.format("a"): [[5, 0], [0, 16]],
        },
        when_b={
            "the gradient of b is a times g without the transpose": [[1, 4], [3, 8]],
            factors.format("b"): [[1, 3], [4, 8]],
            "yours is g times a; the gradient of b is a transposed times g": [[1, 2], [6, 8]],
            three.format("b"): says("axes don't match"),
            entries.format("b"): [[1, 0], [0, 8]],
        },
    )
    yield "two square matrices"

    both(
        *(array([1, 2]), array([1, 0, 2], [0, 1, 1]), array([1, 2, 3])),
        *([[7, 5]], [[1, 2, 3], [2, 4, 6]]),
        "the gradient of {} is wrong where m, k and n differ: (1, 2) @ (2, 3)",
    )
    squeezed = (
        "the gradient of b has lost an axis of size 1 that b came with, as in a batch of one: "
        "np.squeeze without an axis removes them all. Remove only the axis that b did not have"
    )
    both(
        *(array([1, 2], [3, 4]), array([5], [6]), array([1], [10])),
        *([[5, 6], [50, 60]], [[31], [42]]),
        "the gradient of {} is wrong for a matrix of one column",
        when_b={squeezed: [31, 42]},
    )
    yield "m, k and n that differ, and a matrix of one column"

    a = array([[1, 2], [3, 4]], [[1, 0], [0, 2]])  # (2, 2, 2)
    b, g = array([[1], [2]], [[3], [4]]), array([[1], [2]], [[3], [10]])  # (2, 2, 1) each
    of_a, of_b = [[[1, 2], [2, 4]], [[9, 12], [30, 40]]], [[[7], [10]], [[3], [20]]]
    both(
        *(a, b, g, of_a, of_b),
        "stacks of matrices: each matrix of the stack has a product of its own. (`.T` turns all "
        "axes round; only the last two may change places)",
    )
    both(
        *(a[None], b[None], g[None], [of_a], [of_b]),
        "four axes: the gradient of {} is wrong. Count the matrix's axes from the end, since any "
        "number of axes may stand before them",
    )
    yield "stacks of matrices"

    both(
        *(array([[1, 2]], [[3, 4]]), array([1, 0], [2, 1]), array([[1, 2]], [[3, 4]])),
        *([[[1, 4]], [[3, 10]]], [[10, 14], [14, 20]]),
        "a stack of matrices meets one: the gradient of {} is wrong. The one matrix was used by "
        "every matrix of the stack, so it gets the sum",
        when_b={
            "a stack of matrices meets one: the gradient of b has the axes of the stack in front, "
            "and no reshape removes them. Leave them there: lesson 02 sums them": says("reshape")
        },
    )
    yield "many matrices that meet one"

    dropped = "a matrix times a vector: the gradient of {} is wrong. The product dropped an axis, "
    dropped += "so g lacks it too: give g the `dropped` axes back first"
    both(
        *(array([1, 2], [3, 4]), array(5, 6), array(1, 10)),
        *([[5, 6], [50, 60]], [31, 42]),
        dropped,
        when_b={
            "b came with one axis, and its gradient has two: it was one column for the product, "
            "and that axis must go again at the end": lambda got: np.shape(got) == (2, 1)
        },
    )
    both(
        *(array([2], [3]), array(5), array(1, 10), [[5], [50]], [32]),
        "a matrix of one column times a vector of one entry: the gradient of {} is wrong",
        when_b={squeezed: 32},
    )
    both(
        *(array(1, 2), array([5, 6, 7], [8, 9, 1]), array(1, 0, 2)),
        *([19, 10], [[1, 0, 2], [2, 0, 4]]),
        "a vector on the left is one row: the gradient of {} is wrong. What g lacks there is the "
        "axis -2, not the last one; `dropped` says which",
    )
    both(
        *(array(1, 2, 3), array(4, 5, 6), np.array(2.0), [8, 10, 12], [2, 4, 6]),
        "a vector times a vector is one number: the gradient of {} is wrong. The product has "
        "dropped both axes, and g needs both again",
    )
    stack = "a stack of matrices meets a vector: the gradient of {} is wrong"
    g = array([1], [10])
    both(*(array([[1, 2]], [[3, 4]]), array(5, 6), g, [[[5, 6]], [[50, 60]]], [31, 42]), stack)
    both(
        *(array(1, 2), array([[5], [6]], [[7], [8]]), g),
        *([75, 86], [[[1], [2]], [[10], [20]]]),
        stack,
    )
    yield "vectors on the left, on the right, on both sides, and beside a stack"


# --- 01.3: masked_fill ---


def probe_masked_fill(mg, x, mask, value):
    try:
        return mg.masked_fill(mg.array(x), mask, value).data
    except (TypeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"


def probe_masked_fill_input(mg, x, mask, value):
    """The input's array after the call."""
    node = mg.array(x)
    mg.masked_fill(node, mask, value)
    return node.data


def probe_masked_fill_gradient(mg, x, mask, g):
    node = leaf(mg, x)
    return gradient(mg.masked_fill(node, mask, 9.0), node, g)


@check("01.3")
def masks(student):
    x, mask, g = array(1, 2, 3), np.array([False, True, False]), array(1, 10, 100)
    student.expect(
        *(probe_masked_fill, x, mask, 9.0),
        equals=[1, 9, 3],
        otherwise="the value must stand where the mask holds, and x elsewhere",
        when={
            "the mask is the wrong way round: the value goes where the mask holds": [9, 2, 9],
            "the mask needs its place among the rules too, although it has none: "
            "return value, rule, None": says("returned 1 where 2"),
            "`if` asks whether a whole array is true: np.where(mask, this, that) asks for each "
            "entry": says("ambiguous"),
        },
    )
    student.expect(
        *(probe_masked_fill_input, x, mask, 9.0),
        equals=x,
        otherwise="x itself has changed: an operation never writes into an array that it was given",
    )
    yield "the value goes where the mask holds, and x stays as it was"

    student.expect(
        *(probe_masked_fill, x, mask, -np.inf),
        equals=[1, -np.inf, 3],
        otherwise="nan: 0 times inf is not 0. Select, and never multiply",
    )
    yield "-inf as the value"

    student.expect(
        *(probe_masked_fill_gradient, x, mask, g),
        equals=[1, 0, 100],
        otherwise="the rule must return g where x was kept, and 0 where it was hidden",
        when={
            "a gradient reaches x where it was hidden: what was filled in does not depend on x, "
            "so its derivative is 0": g,
            "the rule has the mask the wrong way round: gradient goes where x was kept": [0, 10, 0],
        },
    )
    student.expect(
        *(probe_masked_fill_gradient, x, mask, array(1, np.inf, 100)),
        equals=[1, 0, 100],
        otherwise="the rule multiplies g by the mask, and 0 times inf is nan: the rule must select "
        "too",
    )
    yield "no gradient where x was hidden, all of it elsewhere"

    table, row, filled = array([1, 2], [3, 4]), np.array([False, True]), [[1, 0], [3, 0]]
    words = "a mask of 0 and 1 must do the same as one of False and True (`_as_mask`)"
    broadcast = "the mask must broadcast{}: one row of it serves every row of {}".format
    expect_all(
        *(student, probe_masked_fill),
        (x, np.array([0, 1, 0]), 9.0, [1, 9, 3], words),
        (table, row, 0.0, filled, broadcast("", "x")),
    )
    words = broadcast(" in the rule too", "g")
    expect_all(student, probe_masked_fill_gradient, (table, row, table, filled, words))
    words = "an axis of size 1 is gone: a batch of one keeps its axes, so squeeze nothing"
    one = x[None]
    expect_all(student, probe_masked_fill, (one, mask, 9.0, [[1, 9, 3]], words))
    expect_all(student, probe_masked_fill_gradient, (one, mask, g[None], [[1, 0, 100]], words))
    yield "masks of 0 and 1, and masks that broadcast"

    for given, bad, otherwise in [
        (x, array(0, 0.3, 1), "a mask of 0.3 is a mistake and must be refused: `_as_mask` does it"),
        (
            *(x, np.zeros((2, 3), bool)),
            "a mask larger than x must be refused with a ValueError; otherwise the result has "
            "another shape than x",
        ),
        (
            *(x[:, None], mask),
            "a row as the mask of a column makes a table of (3, 3), although it has neither more "
            "axes nor more entries than x: compare shapes, and refuse it",
        ),
    ]:
        got = student.run(probe_masked_fill, given, bad, 0.0)
        if not (isinstance(got, str) and got.startswith("ValueError")):
            shown = {"x": given, "mask": bad}
            raise Wrong(otherwise, input=shown, expected="ValueError", got=got)
    yield "masks that are none, and masks that are too large, are refused"


# --- 01.4: sum ---


def axes(axis):
    """A list, as which a tuple arrives here, as a tuple."""
    return tuple(axis) if isinstance(axis, list) else axis


def probe_sum(mg, x, axis, keepdims):
    try:
        return mg.sum(x, axis=axes(axis), keepdims=keepdims).data
    except RecursionError:
        return "RecursionError"


def probe_sum_gradient(mg, x, axis, keepdims, g):
    node = leaf(mg, x)
    return gradient(mg.sum(node, axis=axes(axis), keepdims=keepdims), node, g)


@check("01.4")
def sums(student):
    x = array([1, 2, 3], [4, 5, 6])
    for axis, keepdims, expected in [
        (0, False, [5, 7, 9]),
        (1, False, [6, 15]),
        (-1, True, [[6], [15]]),
        (0, True, [[5, 7, 9]]),
        (None, False, 21),
        (None, True, [[21]]),
        ((0, 1), False, 21),
    ]:
        student.expect(
            *(probe_sum, x, axis, keepdims),
            equals=expected,
            otherwise="the value is not the sum over that axis",
            when={
                "`sum` is the function that you are writing, so it calls itself for ever: NumPy's "
                "is np.sum": "RecursionError",
                "the sums are right, but keepdims is ignored: it keeps the axis, with size 1": (
                    lambda got, right=expected: (
                        near(np.ravel(got), np.ravel(right)) and np.ndim(got) < np.ndim(right)
                    )
                ),
                "the sums are right, but the axis stays, with size 1: without keepdims it goes": (
                    lambda got, right=expected: (
                        near(np.ravel(got), np.ravel(right)) and np.ndim(got) > np.ndim(right)
                    )
                ),
                "the sums are right, but stand along another axis: keepdims leaves the axis that "
                "was summed in its place, with size 1": (
                    lambda got, right=expected: (
                        near(np.ravel(got), np.ravel(right)) and np.ndim(got) == np.ndim(right)
                    )
                ),
            },
        )
    student.expect(
        *(probe_sum, x[:1], 1, False),
        equals=[6],
        otherwise="a batch of one: only the axis that was summed disappears, and axis 0 stays, "
        "though it has size 1. (np.squeeze without an axis removes both)",
    )
    student.expect(
        *(probe_sum, array(np.nan, 1), 0, False),
        equals=True,
        otherwise="the sum of nan and a number is nan: who meets it must be able to see it",
        through=lambda got: bool(np.isnan(got)),
    )
    yield "the value, for every axis, with keepdims and without"

    square, g = array([1, 2], [3, 4]), array(2, 10)
    student.expect(
        *(probe_sum_gradient, square, 1, False, g),
        equals=[[2, 2], [10, 10]],
        otherwise="the gradient is wrong: each entry gets the whole gradient of the sum that it "
        "went into",
        when={
            (lambda got: f"the rule cannot bring g into the shape of x ({got})"): says("Error"),
            "the rule returned None: a function written with `def` needs a `return`": none,
            "the rule returns g as it came, of shape (2,): the gradient of x has the shape of x, "
            "one number for each of its entries": g,
            "g has its axis back, but one entry along it, where x has several: repeat it until it "
            "has the shape of x (np.broadcast_to)": [[2], [10]],
            "the gradients run along the wrong axis: g has lost axis 1, and without it "
            "broadcasting lays g down as a row. Give the axis back first": [[2, 10], [2, 10]],
            "divided by how many were added: that is the rule of the mean": [[1, 1], [5, 5]],
            "the rule leaves out g: it is g times the derivatives, which are 1": [[1, 1], [1, 1]],
        },
    )
    student.expect(
        *(probe_sum_gradient, square, 0, False, g),
        equals=[[2, 10], [2, 10]],
        otherwise="axis=0: the sums lie side by side, so each hands its gradient down its own "
        "column",
    )
    yield "each entry gets the gradient of the sum that it went into"

    kept = "with keepdims, g has its axis already: it must not get another one"
    last = "axis=-1 is the last axis, counted from the end: that is its place in g"
    both = "a sum over two axes, axis=(0, 2): both must be given back to g, each in its place"
    expect_all(
        *(student, probe_sum_gradient),
        (x, 1, True, array([2], [10]), [[2, 2, 2], [10, 10, 10]], kept),
        (x, -1, False, g, [[2, 2, 2], [10, 10, 10]], last),
        (
            x,
            None,
            False,
            np.array(3.0),
            [[3] * 3] * 2,
            "a sum of everything: each entry gets all of g",
        ),
        (np.ones((2, 2, 2)), (0, 2), False, g, [[[2, 2], [10, 10]]] * 2, both),
    )
    yield "keepdims, a sum of everything, and several axes at once"


# --- 01.5: cat ---


def probe_cat(mg, arrays, axis):
    try:
        return mg.cat(arrays, axis=axis).data
    except (TypeError, ValueError, IndexError) as error:
        known = isinstance(error, TypeError) or any(
            part in str(error) for part in ("must match", "to unpack", "list index")
        )
        if not known:
            raise
        return f"{type(error).__name__}: {error}"


def probe_cat_gradient(mg, arrays, axis, g, gradient_of):
    leaves = [leaf(mg, x) for x in arrays]
    try:
        return gradient(mg.cat(leaves, axis=axis), leaves[gradient_of], g)
    except TypeError as error:
        return f"TypeError: {error}"


PYTHONS_SUM = (
    "`sum` is the course's own since exercise 01.4, and does not add Python's numbers to one: use "
    "np.sum or np.cumsum, or get Python's back (`import builtins`, builtins.sum)"
)


@check("01.5")
def joining(student):
    row = [array(1), array(2, 3, 4)]
    columns = [array([1], [2]), array([3, 4], [5, 6])]
    for arrays, axis, expected, otherwise in [
        (row[:1], 0, [1], "one array alone is joined to nothing: the value is that array"),
        (row, 0, [1, 2, 3, 4], "the value is not the arrays one after another"),
        (columns, 1, [[1, 3, 4], [2, 5, 6]], "the value is not joined along axis=1"),
    ]:
        student.expect(
            *(probe_cat, arrays, axis),
            equals=expected,
            otherwise=otherwise,
            when={
                PYTHONS_SUM: says("builtins"),
                "the rules came together, as one list or generator; they must stand in the result "
                "one by one: return value, *rules": says(
                    *("not list", "not tuple", "not generator", "not map")
                ),
                "np.concatenate takes a list of arrays, and no generator: put square brackets "
                "around it": says("needs to be a sequence"),
                "an axis of size 1 is gone: one entry keeps its axes, so squeeze nothing": lambda got: (
                    isinstance(got, np.ndarray | np.generic | float) and np.ndim(got) == 0
                ),
                "there are not as many rules as arrays: return the value, and then one rule for "
                "each array": says("are needed"),
                "a rule is a function: it cuts `g` when it is called, and here an array stands in "
                "its place": says("not ndarray"),
                "np.concatenate was not told which axis: hand `axis` on": says("must match"),
                "`arrays` holds any number of arrays, here one: make the rules in a loop over it, and "
                "count on no second array": says("to unpack", "list index"),
            },
        )
    yield "the value"

    def parts(arrays, axis, g, expected, otherwise, when=lambda of: {}):
        for of, part in enumerate(expected):
            student.expect(
                *(probe_cat_gradient, arrays, axis, g, of),
                equals=part,
                otherwise=otherwise.format(of),
                when={
                    PYTHONS_SUM: says("integer scalar", "slice indices"),
                    RULE_OF_G: says("<lambda>() missing", "<lambda>() takes 0"),
                }
                | when(of),
            )

    g = array(10, 20, 30, 40)
    parts(
        *(row, 0, g, ([10], [20, 30, 40])),
        "the gradient of array {} is not its slice of g",
        lambda of: {
            "the rule returns the whole of g: each array gets the slice of it that is its own": g,
            "every rule returns an empty slice: rules made in a loop look `start` and `end` up "
            "when they are called; by then the loop has ended, and both are the end": np.array([]),
            "the first rule returns the slice of the last array: rules made in a loop look `start` "
            "and `end` up when they are called; by then the loop has ended": [20, 30, 40],
            "g is cut into equal pieces, but the arrays have 1 and 3 entries": [[10, 20], [30, 40]][
                of
            ],
            "the second slice begins at 0 again: it begins where the first ends": [10, 20, 30],
        },
    )
    parts(
        *([*row, array(5, 6)], 0, np.arange(1.0, 7.0), ([1], [2, 3, 4], [5, 6])),
        "with three arrays, number {} does not get its own slice of g",
    )
    yield "each array gets its own slice of g"

    g, expected = array([1, 2, 3], [4, 5, 6]), ([[1], [4]], [[2, 3], [5, 6]])
    parts(columns, 1, g, expected, "axis=1: g must be cut along the axis that was joined")
    parts(
        *(columns, -1, g, expected),
        "axis=-1 is the last axis, counted from the end: g is cut along another one",
    )
    words = "three axes: g is cut along the wrong one, or its other axes are exchanged"
    blocks, g = [np.ones((1, 2, 1)), np.ones((1, 2, 2))], g[None]  # (1, 2, 3)
    parts(blocks, -1, g, ([[[1], [4]]], [[[2, 3], [5, 6]]]), words)
    blocks, g = [x.swapaxes(1, 2) for x in blocks], g.swapaxes(1, 2)  # (1, 3, 2)
    parts(blocks, -2, g, ([[[1, 4]]], [[[2, 5], [3, 6]]]), words)
    yield "along any axis, counted from the front or from the end"
