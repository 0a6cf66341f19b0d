"""Right and wrong answers to the exercises of lesson 01."""

from tests.wrong_answers import Answers, Mistake

ANSWERS = {
    "01.1": Answers(
        right=[
            """
return np.true_divide(a, b), lambda g: g / b, lambda g: -g * a / b**2
""",
            """
value = np.true_divide(a, b)

def rule_b(g):
    return -g * value / b

return value, lambda g: g * np.true_divide(1, b), rule_b
""",
        ],
        wrong=[
            Mistake(
                "division of integers that leaves no fraction",
                change=("true_divide", "floor_divide"),
                says="whole numbers",
                advice="`//` rounds down; ask what 1 / 2 is for an array of integers.",
            ),
            Mistake(
                "Python's own division",
                change=("np.true_divide(a, b)", "a / b"),
                says="Python's own `/`",
                advice="Try 1 / 0 in a cell, and then np.true_divide(1, 0).",
            ),
            Mistake(
                "the return forgotten",
                change=("return", "value, rule_a, rule_b ="),
                says="is there a `return`",
                advice="A function without a return gives None.",
            ),
            Mistake(
                "the value without its rules",
                change=(", lambda g: g / b, lambda g: -g * a / (b * b)", ""),
                says="returned its value alone",
                advice="An operation returns its value and one rule for each array: read mul again.",
            ),
            Mistake(
                "the rules in the wrong order",
                change=(
                    "lambda g: g / b, lambda g: -g * a / (b * b)",
                    "lambda g: -g * a / (b * b), lambda g: g / b",
                ),
                says="order of the inputs",
                advice="The engine pairs the first rule with the first input; read mul once more.",
            ),
            Mistake(
                "the sign of b's gradient",
                change=("-g", "g"),
                says="wrong sign",
                advice="Ask which way 6 / b goes when b grows.",
            ),
            Mistake(
                "b in the denominator only once",
                change=("(b * b)", "b"),
                says="needs the square",
                advice="Differentiate b to the power of -1, or measure at b = 2 with a small step.",
            ),
            Mistake(
                "divided by b and multiplied by it again",
                change=("(b * b)", "b * b"),
                says="divides by b and multiplies by it again",
                advice="Python works from the left: what is 12 / 2 * 2?",
            ),
            Mistake(
                "a power written as in a formula",
                change=("(b * b)", "b ^ 2"),
                says="a power is written",
                advice="Type 3 ^ 2 in a cell: it is 1. A power is 3**2.",
            ),
            Mistake(
                "g used outside a rule",
                change=[("lambda g: g / b", "g / b"), ("lambda g: -g", "-g")],
                says="only a rule knows `g`",
                advice="Nobody has given you a g yet: return a function that waits for it, as mul does.",
            ),
            Mistake(
                "a derivative where a rule was meant",
                change=[("g / b", "1 / b"), ("-g * a", "-a")],
                says="rule for a leaves out g",
                advice="A rule turns the gradient of the value into that of the input: g times "
                "the derivative.",
            ),
            Mistake(
                "the rule of mul",
                change=[("g / b", "g * b"), ("-g * a / (b * b)", "g * a")],
                says="as the one of mul does",
                advice="With b = 4, a / b grows by a quarter of what a grows by.",
            ),
            Mistake(
                "a little added to b",
                change=("return", "b = b + 1e-8\nreturn"),
                says="nor added to b",
                advice="Who divides by zero must see it; where 0 is expected, add eps there.",
            ),
            Mistake(
                "the reciprocal of an integer",
                change=("g / b", "g * np.reciprocal(b)"),
                says="where b holds integers",
                advice="np.reciprocal(2) is 0: NumPy keeps integers whole. Try x / 2.",
            ),
            Mistake(
                "always float32",
                change=("np.true_divide(a, b)", "np.true_divide(a, b).astype(np.float32)"),
                says="dtype is float32 and should be float64",
                advice="How many digits of 1 / 3 are left, where a and b are float64?",
            ),
            Mistake(
                "0 / 0 made a number",
                change=(
                    "np.true_divide(a, b)",
                    "np.nan_to_num(np.true_divide(a, b), posinf=np.inf, neginf=-np.inf)",
                ),
                says="0 / 0 gives nan",
                advice="What does NumPy say of 0 / 0, and who needs to see it?",
            ),
            Mistake(
                "squeezed",
                change=("np.true_divide(a, b)", "np.squeeze(np.true_divide(a, b))"),
                says="an axis of size 1 is gone",
                advice="Divide two arrays of shape (1, 1): which shape is promised?",
            ),
            Mistake(
                "0 where a rule divides by zero",
                change=("lambda g: g / b", "lambda g: np.where(b, g / b, 0)"),
                says="no number of yours stands in its place",
                advice="The value is inf there. What does a slope of 0 tell whoever reads it?",
            ),
            Mistake(
                "a rule of the arrays and g",
                change=(
                    ("lambda g: g / b", "lambda a, b, g: g / b"),
                    ("lambda g: -g", "lambda a, b, g: -g"),
                ),
                says="a rule is called with `g` and nothing else",
                advice="Who calls the rule, and with what? Read mul: its rules take g, and see a and b from where they stand.",
            ),
            Mistake(
                "NumPy's function without np.",
                change=("np.true_divide", "true_divide"),
                says="NumPy's is np.true_divide",
                advice="The module has `import numpy as np`: what stands in front of NumPy's names?",
            ),
        ],
    ),
    "01.2": Answers(
        right=[
            """
def rule_a(g):
    return np.expand_dims(g, dropped) @ columns.swapaxes(-1, -2)

def rule_b(g):
    whole = rows.swapaxes(-1, -2) @ np.expand_dims(g, dropped)
    return np.squeeze(whole, -1) if b.ndim == 1 else whole
""",
            """
if b.ndim == 1:
    restored = lambda g: g[..., None] if a.ndim > 1 else np.reshape(g, (1, 1))
elif a.ndim == 1:
    restored = lambda g: g[..., None, :]
else:
    restored = lambda g: g

def rule_a(g):
    return np.einsum("...mn,...kn->...mk", restored(g), columns)

def rule_b(g):
    found = np.einsum("...mk,...mn->...kn", rows, restored(g))
    return found.reshape(found.shape[:-1]) if b.ndim == 1 else found
""",
        ],
        wrong=[
            Mistake(
                "no transpose in the gradient of a",
                of=0,
                change=("columns.swapaxes(-1, -2)", "columns"),
                says="g times b without the transpose",
                advice="With m, k and n all different there is one way only to make the shapes "
                "fit; try it so.",
            ),
            Mistake(
                "no transpose in the gradient of b",
                of=0,
                change=("rows.swapaxes(-1, -2)", "rows"),
                says="a times g without the transpose",
                advice="Write the shapes below the factors: (k, m) times (m, n) is (k, n).",
            ),
            Mistake(
                "the factors exchanged",
                of=0,
                change=(
                    "np.expand_dims(g, dropped) @ columns.swapaxes(-1, -2)",
                    "columns.swapaxes(-1, -2) @ np.expand_dims(g, dropped)",
                ),
                says="wrong order",
                advice="AB and BA are different matrices; let the figures of section 11 say which "
                "row meets what.",
            ),
            Mistake(
                "the factors exchanged, and nothing transposed",
                """
def rule_a(g):
    return columns @ g

def rule_b(g):
    return g @ rows
""",
                says="yours is b times g",
                advice="Write the shapes below the factors: g is (m, n), b is (k, n).",
            ),
            Mistake(
                "an order of three axes for two",
                of=0,
                change=[
                    ("columns.swapaxes(-1, -2)", "columns.transpose(0, 2, 1)"),
                    ("rows.swapaxes(-1, -2)", "rows.transpose(0, 2, 1)"),
                ],
                says="fits arrays of three axes only",
                advice="How many axes has a plain matrix? Count the last two from the end.",
            ),
            Mistake(
                "reshaped to the shape of b",
                of=0,
                change=(
                    "np.squeeze(whole, -1) if b.ndim == 1 else whole",
                    "whole.reshape(b.shape)",
                ),
                says="no reshape removes them",
                advice="A stack of 2 gradients has twice as many entries as b. Who adds them?",
            ),
            Mistake(
                "a column for every vector",
                """
def rule_a(g):
    g = g[..., None] if dropped else g
    return g @ columns.swapaxes(-1, -2)

def rule_b(g):
    g = g[..., None] if dropped else g
    whole = rows.swapaxes(-1, -2) @ g
    return np.squeeze(whole, -1) if b.ndim == 1 else whole
""",
                says="axis -2, not the last one",
                advice="A vector on the left is a row: print `dropped` for both kinds of product.",
            ),
            Mistake(
                "multiplied entry by entry",
                """
def rule_a(g):
    return g * b

def rule_b(g):
    return g * a
""",
                says="entry by entry",
                advice="That is the rule of mul. Move one entry of a: a whole row of the product "
                "changes.",
            ),
            Mistake(
                "a rule without a return",
                of=0,
                change=("return np.expand_dims", "found = np.expand_dims"),
                says="rule_a returned None",
                advice="Both rules are functions, and a function without a return gives None.",
            ),
            Mistake(
                ".T on a stack of matrices",
                of=0,
                change=[
                    ("columns.swapaxes(-1, -2)", "columns.T"),
                    ("rows.swapaxes(-1, -2)", "rows.T"),
                ],
                says="stacks of matrices",
                advice="Print the shape of x.T for an x of shape (2, 3, 4): all the axes are "
                "turned round.",
            ),
            Mistake(
                "the mean over a stack that met one matrix",
                of=0,
                change=(
                    "    return np.squeeze",
                    "    whole = whole.mean(axis=0) if rows.ndim > columns.ndim else whole\n"
                    "    return np.squeeze",
                ),
                says="it gets the sum",
                advice="What is used several times receives several gradients, and they add.",
            ),
            Mistake(
                "g of a vector product taken as it came",
                of=0,
                change=[
                    ("np.expand_dims(g, dropped) @ columns", "g @ columns"),
                    ("@ np.expand_dims(g, dropped)", "@ g"),
                ],
                says="dropped an axis",
                advice="Print g.shape for a matrix times a vector, and compare it with (m, n).",
            ),
            Mistake(
                "the gradient of a vector left as a column",
                of=0,
                change=("np.squeeze(whole, -1) if b.ndim == 1 else whole", "whole"),
                says="gradient has two",
                advice="A gradient has the shape of its array; b came with one axis.",
            ),
            Mistake(
                "all axes of size 1 squeezed away",
                of=0,
                change=("np.squeeze(whole, -1) if b.ndim == 1 else whole", "np.squeeze(whole)"),
                says="has lost an axis of size 1",
                advice="Try b of shape (3, 1): one column, as in the last layer of a network with "
                "one output.",
            ),
            Mistake(
                "transposed by three axes",
                """
def turned(x):
    return x.T if x.ndim == 2 else x.transpose(0, 2, 1)

def rule_a(g):
    return np.expand_dims(g, dropped) @ turned(columns)

def rule_b(g):
    found = turned(rows) @ np.expand_dims(g, dropped)
    return found if b.ndim > 1 else found[..., 0]
""",
                says="four axes",
                advice="Attention has four axes. Which two change places, counted from the end?",
            ),
            Mistake(
                "the outer product for every vector",
                of=0,
                change=(
                    "    return np.expand_dims",
                    "    if b.ndim == 1:\n"
                    "        return g * b if a.ndim == 1 else np.outer(g, b)\n"
                    "    return np.expand_dims",
                ),
                says="stack of matrices meets a vector",
                advice="np.outer flattens what it is given; give the vector its axis and use @.",
            ),
            Mistake(
                "rules of the arrays and g",
                change=(
                    ("def rule_a(g)", "def rule_a(a, b, g)"),
                    ("def rule_b(g)", "def rule_b(a, b, g)"),
                ),
                says="a rule is called with `g` and nothing else",
                advice="Who calls the rule, and with what? Its only argument is g; a and b are seen from where it stands.",
            ),
        ],
    ),
    "01.3": Answers(
        right=[
            """
mask = _as_mask(mask)
if np.broadcast_shapes(x.shape, mask.shape) != x.shape:
    raise ValueError("this mask is larger than x")
return np.where(~mask, x, value), lambda g: np.where(~mask, g, 0), None
""",
            """
hidden = np.broadcast_to(_as_mask(mask), x.shape)
filled = x.copy()
filled[hidden] = value

def rule(g):
    kept = g.copy()
    kept[hidden] = 0
    return kept

return filled, rule, None
""",
        ],
        wrong=[
            Mistake(
                "the mask the wrong way round",
                change=[
                    ("np.where(hidden, x.dtype.type(value), x)", "np.where(hidden, x, value)"),
                    ("np.where(hidden, 0, g)", "np.where(hidden, g, 0)"),
                ],
                says="value goes where the mask holds",
                advice="Say the name aloud: fill where masked. Then look at row 0 of the figure.",
            ),
            Mistake(
                "the mask's None left out",
                change=(", None", ""),
                says="a tuple of 2, where 3 are expected",
                advice="Count: an operation on two arrays returns three things.",
            ),
            Mistake(
                "if and else for a whole array",
                change=("np.where(hidden, x.dtype.type(value), x)", "(value if hidden else x)"),
                says="asks whether a whole array is true",
                advice="Python's `if` takes one decision, and here each entry needs its own.",
            ),
            Mistake(
                "x written to in place",
                change=(
                    "return np.where(hidden, x.dtype.type(value), x)",
                    "x[hidden] = value\nreturn x",
                ),
                says="x itself has changed",
                advice="Somebody else may be reading that memory (section 6): make a new array.",
            ),
            Mistake(
                "multiplied by the mask",
                change=("np.where(hidden, x.dtype.type(value), x)", "x * ~hidden + value * hidden"),
                says="Select, and never multiply",
                advice="Try 0 times minus infinity.",
            ),
            Mistake(
                "the gradient passes through the mask",
                change=("np.where(hidden, 0, g)", "g"),
                says="does not depend on x",
                advice="Ask how the result changes if a hidden entry of x grows: it does not.",
            ),
            Mistake(
                "the gradient goes to what was hidden",
                change=("np.where(hidden, 0, g)", "np.where(hidden, g, 0)"),
                says="rule has the mask the wrong way round",
                advice="Value and rule use the same mask: one takes value where it holds, the "
                "other 0.",
            ),
            Mistake(
                "the gradient multiplied by the mask",
                change=("np.where(hidden, 0, g)", "g * ~hidden"),
                says="the rule must select too",
                advice="A gradient may be infinite, and 0 times infinity is nan.",
            ),
            Mistake(
                "a mask that is not checked",
                change=("_as_mask(mask)", "np.asarray(mask).astype(bool)"),
                says="mask of 0.3",
                advice="NumPy takes every number but 0 for true; `_as_mask` refuses what is no "
                "mask.",
            ),
            Mistake(
                "a mask that makes the result larger",
                change=("!= x.shape", "== ()"),
                says="mask larger than x",
                advice="Broadcasting stretches both arrays; here only the mask may be stretched.",
            ),
            Mistake(
                "the mask not broadcast in the rule",
                """
hidden = _as_mask(mask)
if np.broadcast_shapes(x.shape, hidden.shape) != x.shape:
    raise ValueError("the mask is larger than x")

def rule(g):
    g = g.copy()
    g[hidden] = 0
    return g

return np.where(hidden, value, x), rule, None
""",
                says="broadcast in the rule too",
                advice="An index counts axes from the left, broadcasting from the right: np.where.",
            ),
            Mistake(
                "sizes compared, not shapes",
                change=(
                    "np.broadcast_shapes(x.shape, hidden.shape) != x.shape",
                    "hidden.size > x.size",
                ),
                says="compare shapes",
                advice="A column of 3 with a row of 3: which shape has the result?",
            ),
            Mistake(
                "squeezed",
                change=(
                    "return np.where(hidden, x.dtype.type(value), x)",
                    "return np.squeeze(np.where(hidden, x.dtype.type(value), x))",
                ),
                says="an axis of size 1 is gone",
                advice="Fill one row, of shape (1, 3): which shape is promised?",
            ),
            Mistake(
                "the rules in a list",
                change=[
                    ("return np.where(hidden, x", "return [np.where(hidden, x"),
                    (", None", ", None]"),
                ],
                says="returned a list: it returns a tuple",
                advice="What is the difference between [1, 2] and 1, 2?",
            ),
            Mistake(
                "the course's where in place of NumPy's",
                change=(
                    ("np.where(hidden, x.", "where(hidden, x."),
                    ("np.where(hidden, 0", "where(hidden, 0"),
                ),
                says="`where` without `np.`",
                advice="Inside an operation everything is an array: which module makes arrays?",
            ),
            Mistake(
                "a rule of the arrays and g",
                change=("lambda g:", "lambda x, mask, g:"),
                says="a rule is called with `g` and nothing else",
                advice="Who calls the rule, and with what? Its only argument is g.",
            ),
        ],
    ),
    "01.4": Answers(
        right=[
            """
value = x.sum(axis=axis, keepdims=keepdims)

def rule(g):
    return _restore(g, axis, keepdims) * np.ones_like(x)

return value, rule
""",
            """
kept = np.sum(x, axis, keepdims=True)
value = kept if keepdims else np.squeeze(kept, axis)
return value, lambda g: np.zeros(x.shape, g.dtype) + np.reshape(g, kept.shape)
""",
        ],
        wrong=[
            Mistake(
                "keepdims forgotten",
                change=("np.sum(x, axis, keepdims=keepdims)", "np.sum(x, axis)"),
                says="keepdims is ignored",
                advice="np.sum has the same option: hand it on.",
            ),
            Mistake(
                "keepdims in the place of another option",
                change=("keepdims=keepdims", "keepdims"),
                says="name the option",
                advice="Look up np.sum: what is its third argument?",
            ),
            Mistake(
                "keepdims always",
                change=("np.sum(x, axis, keepdims=keepdims)", "np.sum(x, axis, keepdims=True)"),
                says="without keepdims it goes",
                advice="Which shape is asked for without keepdims?",
            ),
            Mistake(
                "the function calls itself",
                change=("np.sum(x, axis, keepdims=keepdims)", "sum(x, axis, keepdims)"),
                says="calls itself for ever",
                advice="Inside the function the name `sum` is the function.",
            ),
            Mistake(
                "all axes of size 1 squeezed away",
                of=1,
                change=("np.squeeze(kept, axis)", "np.squeeze(kept)"),
                says="a batch of one",
                advice="Sum an array of shape (1, 3) along axis 1: which shape is promised?",
            ),
            Mistake(
                "a rule without a return",
                of=0,
                change=("return _restore", "_restore"),
                says="rule returned None",
                advice="A `lambda` returns by itself, a `def` does not.",
            ),
            Mistake(
                "g returned as it came",
                change=("np.broadcast_to(_restore(g, axis, keepdims), x.shape)", "g"),
                says="returns g as it came",
                advice="A gradient has the shape of its array: how many entries went into each "
                "sum?",
            ),
            Mistake(
                "the lost axis not given back",
                change=("_restore(g, axis, keepdims)", "g"),
                says="along the wrong axis",
                advice="A shape of (2,) counts as a row, aligned at the right: section 13 shows "
                "the same mistake.",
            ),
            Mistake(
                "the axis given back, and not repeated",
                change=(
                    "np.broadcast_to(_restore(g, axis, keepdims), x.shape)",
                    "_restore(g, axis, keepdims)",
                ),
                says="one entry along it",
                advice="A gradient has the shape of its array: (2, 1) is not (2, 2) yet.",
            ),
            Mistake(
                "the gradient of the mean",
                change=(
                    "_restore(g, axis, keepdims)",
                    "_restore(g, axis, keepdims) * value.size / x.size",
                ),
                says="rule of the mean",
                advice="If one entry grows by 1, by how much does the sum grow?",
            ),
            Mistake(
                "ones instead of g",
                change=("np.broadcast_to(_restore(g, axis, keepdims), x.shape)", "np.ones_like(x)"),
                says="leaves out g",
                advice="1 is the derivative; the rule is g times the derivative.",
            ),
            Mistake(
                "always the last axis given back",
                change=(
                    "_restore(g, axis, keepdims)",
                    "g if keepdims or axis is None else g[..., None]",
                ),
                says="down its own column",
                advice="The axis that was summed may be any; `_restore` knows which.",
            ),
            Mistake(
                "an axis given back that was kept",
                change=(
                    "_restore(g, axis, keepdims)",
                    "g if axis is None else np.expand_dims(g, axis)",
                ),
                says="has its axis already",
                advice="With keepdims g is ready to be broadcast as it is.",
            ),
            Mistake(
                "a negative axis not found",
                """
value = np.sum(x, axis=axis, keepdims=keepdims)
axes = range(x.ndim) if axis is None else axis if isinstance(axis, tuple) else (axis,)
shape = tuple(1 if i in axes else n for i, n in enumerate(x.shape))
return value, lambda g: np.broadcast_to(g.reshape(shape), x.shape)
""",
                says="that is its place in g",
                advice="Is -1 ever equal to a place counted from the front? `_restore` knows both.",
            ),
            Mistake(
                "the kept axis always last",
                """
value = np.sum(x, axis)
if keepdims:
    value = np.reshape(value, (1, 1) if axis is None else (-1, 1))
return value, lambda g: np.broadcast_to(_restore(g, axis, keepdims), x.shape)
""",
                says="stand along another axis",
                advice="For x of shape (2, 3): which shape has np.sum(x, 0, keepdims=True)?",
            ),
            Mistake(
                "nan passed over",
                change=(
                    "np.sum(x, axis, keepdims=keepdims)",
                    "np.nansum(x, axis, keepdims=keepdims)",
                ),
                says="sum of nan and a number",
                advice="np.nansum is for measurements that are missing. Is this one?",
            ),
            Mistake(
                "a rule of the array and g",
                change=("lambda g:", "lambda x, g:"),
                says="a rule is called with `g` and nothing else",
                advice="Who calls the rule, and with what? Its only argument is g.",
            ),
        ],
    ),
    "01.5": Answers(
        right=[
            """
value, rules, start = np.concatenate(arrays, axis), [], 0
for x in arrays:
    end = start + x.shape[axis]
    rules.append(lambda g, start=start, end=end: g.take(range(start, end), axis))
    start = end
return value, *rules
""",
            """
cuts = np.cumsum([x.shape[axis] for x in arrays])[:-1]

def rule(i):
    return lambda g: np.split(g, cuts, axis)[i]

return np.concatenate(arrays, axis), *map(rule, range(len(arrays)))
""",
        ],
        wrong=[
            Mistake(
                "rules made in a loop, which all see its end",
                of=0,
                change=("lambda g, start=start, end=end:", "lambda g:"),
                says="returns an empty slice",
                advice="A closure looks its variables up when it is called: fix them by a default "
                "or a function.",
            ),
            Mistake(
                "rules made in a loop, which all see the last slice",
                """
value, rules, start = np.concatenate(arrays, axis), [], 0
for x in arrays:
    first, last = start, start + x.shape[axis]
    rules.append(lambda g: np.moveaxis(np.moveaxis(g, axis, 0)[first:last], 0, axis))
    start = last
return value, *rules
""",
                says="slice of the last array",
                advice="Print `first` inside the rule, when it is called.",
            ),
            Mistake(
                "Python's sum, which is ours by now",
                """
sizes = [x.shape[axis] for x in arrays]

def rule(i):
    start = sum(sizes[:i])
    return lambda g: np.moveaxis(np.moveaxis(g, axis, 0)[start : start + sizes[i]], 0, axis)

return np.concatenate(arrays, axis), *(rule(i) for i in range(len(arrays)))
""",
                says="builtins.sum",
                advice="Section 10 warned of it: from exercise 01.4 on, `sum` makes tensors.",
            ),
            Mistake(
                "the rules as one list",
                of=0,
                change=("return value, *rules", "return value, rules"),
                says="came together",
                advice="What is the difference between (1, [2, 3]) and (1, *[2, 3])?",
            ),
            Mistake(
                "slices in place of rules",
                """
cuts = np.cumsum([x.shape[axis] for x in arrays])[:-1]
value = np.concatenate(arrays, axis)
return value, *np.split(value, cuts, axis)
""",
                says="here an array stands in",
                advice="`g` is not known yet when `cat` is called: a rule waits for it.",
            ),
            Mistake(
                "axis not handed on",
                of=1,
                change=("np.concatenate(arrays, axis)", "np.concatenate(arrays)"),
                says="hand `axis` on",
                advice="np.concatenate joins along axis 0 when it is told nothing.",
            ),
            Mistake(
                "every slice begins at 0",
                """
def rule(size):
    return lambda g: np.moveaxis(np.moveaxis(g, axis, 0)[:size], 0, axis)

return np.concatenate(arrays, axis), *(rule(x.shape[axis]) for x in arrays)
""",
                says="begins at 0 again",
                advice="Each array begins where the one before it ends: a running sum of the "
                "sizes.",
            ),
            Mistake(
                "equal pieces",
                of=1,
                change=("np.split(g, cuts, axis)", "np.array_split(g, len(arrays), axis)"),
                says="equal pieces",
                advice="The arrays need not have one size along the axis: use x.shape[axis] of "
                "each.",
            ),
            Mistake(
                "the whole of g for everyone",
                of=1,
                change=("np.split(g, cuts, axis)[i]", "g"),
                says="whole of g",
                advice="A gradient has the shape of its array, and only a part of g came from it.",
            ),
            Mistake(
                "one rule for all arrays",
                "return np.concatenate(arrays, axis), lambda g: g[: arrays[0].shape[axis]]",
                says="not as many rules as arrays",
                advice="An operation returns its value and then as many rules as it took arrays.",
            ),
            Mistake(
                "g cut along axis 0, whatever was joined",
                change=("(*before, slice(start, end))", "start:end"),
                says="axis that was joined",
                advice="g[start:end] cuts the first axis; put slice(None) in front for the axes "
                "before yours.",
            ),
            Mistake(
                "an axis of -1",
                change=("(axis % value.ndim)", "axis"),
                says="counted from the end",
                advice="A tuple times -1 is empty: make the axis positive first, axis % ndim.",
            ),
            Mistake(
                "two axes at most",
                of=0,
                change=(
                    "g.take(range(start, end), axis)",
                    "g[start:end] if axis == 0 else g[:, start:end]",
                ),
                says="three axes",
                advice="Keys and values have four axes, and time is the third. What if axis is -2?",
            ),
            Mistake(
                "squeezed",
                """
ends = np.cumsum([0] + [x.shape[axis] for x in arrays])
parts = [slice(start, end) for start, end in zip(ends, ends[1:])]
before = (slice(None),) * (axis % arrays[0].ndim)
return np.squeeze(np.concatenate(arrays, axis)), *(lambda g, p=p: g[*before, p] for p in parts)
""",
                says="one entry keeps its axes",
                advice="Join one array of one entry: which shape is promised?",
            ),
            Mistake(
                "a generator of arrays",
                change=(
                    "np.concatenate(arrays, axis)",
                    "np.concatenate((x for x in arrays), axis)",
                ),
                says="takes a list of arrays",
                advice="Square brackets make a list of a generator.",
            ),
            Mistake(
                "two arrays expected",
                """
a, b = arrays
size, before = a.shape[axis], (slice(None),) * (axis % a.ndim)

def rule(part):
    return lambda g: g[(*before, part)]

return np.concatenate(arrays, axis), rule(slice(None, size)), rule(slice(size, None))
""",
                says="count on no second array",
                advice="How many arrays does `x.cat([a, b, c, d])` join? And what of one alone?",
            ),
            Mistake(
                "rules of the arrays and g",
                change=("lambda g, start=start", "lambda arrays, g, start=start"),
                of=0,
                says="a rule is called with `g` and nothing else",
                advice="Who calls the rule, and with what? Its only argument is g.",
            ),
        ],
    ),
}
