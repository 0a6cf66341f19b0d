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
                "return np.floor_divide(a, b), lambda g: g / b, lambda g: -g * a / (b * b)",
                says="whole numbers",
                advice="`//` rounds down; ask what 1 / 2 is for an array of integers.",
            ),
            Mistake(
                "the rules in the wrong order",
                "return np.true_divide(a, b), lambda g: -g * a / (b * b), lambda g: g / b",
                says="order of the inputs",
                advice="The engine pairs the first rule with the first input; read mul once more.",
            ),
            Mistake(
                "the sign of b's gradient",
                "return np.true_divide(a, b), lambda g: g / b, lambda g: g * a / (b * b)",
                says="wrong sign",
                advice="Ask which way 6 / b goes when b grows.",
            ),
            Mistake(
                "b in the denominator only once",
                "return np.true_divide(a, b), lambda g: g / b, lambda g: -g * a / b",
                says="needs the square",
                advice="Derive b to the power of -1, or measure the slope at b = 2 with a small "
                "step.",
            ),
            Mistake(
                "a slope where a rule was meant",
                "return np.true_divide(a, b), lambda g: 1 / b, lambda g: -a / (b * b)",
                says="rule for a leaves out g",
                advice="A rule turns the gradient of the value into that of the input: g times "
                "the slope.",
            ),
            Mistake(
                "the rule of mul",
                "return np.true_divide(a, b), lambda g: g * b, lambda g: g * a",
                says="as the one of mul does",
                advice="The slope of a / b by a is 1 / b: with b = 4, a step of a counts a "
                "quarter.",
            ),
            Mistake(
                "a little added to b",
                """
b = b + 1e-8
return a / b, lambda g: g / b, lambda g: -g * a / b**2
""",
                says="division by zero gives inf",
                advice="Who divides by zero must see it; where 0 is expected, add eps there.",
            ),
            Mistake(
                "the reciprocal of an integer",
                """
return np.true_divide(a, b), lambda g: g * np.reciprocal(b), lambda g: -g * a / b**2
""",
                says="where b holds integers",
                advice="np.reciprocal(2) is 0: NumPy keeps integers whole. Try x / 2.",
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
                """
def rule_a(g):
    return np.expand_dims(g, dropped) @ columns

def rule_b(g):
    found = rows.swapaxes(-1, -2) @ np.expand_dims(g, dropped)
    return found if b.ndim > 1 else found[..., 0]
""",
                says="g times b without the transpose",
                advice="With m, k and n all different there is one way only to make the shapes "
                "fit; try it so.",
            ),
            Mistake(
                "no transpose in the gradient of b",
                """
def rule_a(g):
    return np.expand_dims(g, dropped) @ columns.swapaxes(-1, -2)

def rule_b(g):
    found = rows @ np.expand_dims(g, dropped)
    return found if b.ndim > 1 else found[..., 0]
""",
                says="a times g without the transpose",
                advice="Write the shapes below the factors: (k, m) times (m, n) is (k, n).",
            ),
            Mistake(
                "the factors exchanged",
                """
def rule_a(g):
    return columns.swapaxes(-1, -2) @ np.expand_dims(g, dropped)

def rule_b(g):
    found = rows.swapaxes(-1, -2) @ np.expand_dims(g, dropped)
    return found if b.ndim > 1 else found[..., 0]
""",
                says="wrong order",
                advice="AB and BA are different matrices; let the figure of section 10 say which "
                "row meets what.",
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
                ".T on a stack of matrices",
                """
def rule_a(g):
    return np.expand_dims(g, dropped) @ columns.T

def rule_b(g):
    found = rows.T @ np.expand_dims(g, dropped)
    return found if b.ndim > 1 else found[..., 0]
""",
                says="stacks of matrices",
                advice="Print the shape of x.T for an x of shape (2, 3, 4): all the axes are "
                "turned round.",
            ),
            Mistake(
                "the mean over a stack that met one matrix",
                """
def rule_a(g):
    return np.expand_dims(g, dropped) @ columns.swapaxes(-1, -2)

def rule_b(g):
    found = rows.swapaxes(-1, -2) @ np.expand_dims(g, dropped)
    found = found.mean(axis=0) if rows.ndim > columns.ndim else found
    return found if b.ndim > 1 else found[..., 0]
""",
                says="it gets the sum",
                advice="What is used several times receives several gradients, and they add.",
            ),
            Mistake(
                "g of a vector product taken as it came",
                """
def rule_a(g):
    return g @ columns.swapaxes(-1, -2)

def rule_b(g):
    found = rows.swapaxes(-1, -2) @ g
    return found if b.ndim > 1 else found[..., 0]
""",
                says="dropped an axis",
                advice="Print g.shape for a matrix times a vector, and compare it with (m, n).",
            ),
            Mistake(
                "the gradient of a vector left as a column",
                """
def rule_a(g):
    return np.expand_dims(g, dropped) @ columns.swapaxes(-1, -2)

def rule_b(g):
    return rows.swapaxes(-1, -2) @ np.expand_dims(g, dropped)
""",
                says="gradient has two",
                advice="A gradient has the shape of its array; b came with one axis.",
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
                """
def rule_a(g):
    if b.ndim == 1:
        return g * b if a.ndim == 1 else np.outer(g, b)
    return np.expand_dims(g, dropped) @ columns.swapaxes(-1, -2)

def rule_b(g):
    found = rows.swapaxes(-1, -2) @ np.expand_dims(g, dropped)
    return found if b.ndim > 1 else found[..., 0]
""",
                says="stack of matrices meets a vector",
                advice="np.outer flattens what it is given; give the vector its axis and use @.",
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
                """
hidden = _as_mask(mask)
return np.where(hidden, x, value), lambda g: np.where(hidden, g, 0), None
""",
                says="value goes where the mask holds",
                advice="Say the name aloud: fill where masked. Then look at row 0 of the figure.",
            ),
            Mistake(
                "x written to in place",
                """
hidden = _as_mask(mask)
x[hidden] = value
return x, lambda g: np.where(hidden, 0, g), None
""",
                says="x itself has changed",
                advice="Somebody else may be reading that memory (section 3): make a new array.",
            ),
            Mistake(
                "multiplied by the mask",
                """
hidden = _as_mask(mask)
return x * ~hidden + value * hidden, lambda g: np.where(hidden, 0, g), None
""",
                says="Select, and never multiply",
                advice="Try 0 times minus infinity.",
            ),
            Mistake(
                "the gradient passes through the mask",
                """
hidden = _as_mask(mask)
return np.where(hidden, value, x), lambda g: g, None
""",
                says="does not depend on x",
                advice="Ask how the result changes if a hidden entry of x grows: it does not.",
            ),
            Mistake(
                "the gradient goes to what was hidden",
                """
hidden = _as_mask(mask)
return np.where(hidden, value, x), lambda g: np.where(hidden, g, 0), None
""",
                says="rule has the mask the wrong way round",
                advice="Value and rule use the same mask: one takes value where it holds, the "
                "other 0.",
            ),
            Mistake(
                "the gradient multiplied by the mask",
                """
hidden = _as_mask(mask)
if np.broadcast_shapes(x.shape, hidden.shape) != x.shape:
    raise ValueError("the mask must broadcast to the shape of x")
return np.where(hidden, value, x), lambda g: g * ~hidden, None
""",
                says="the rule must select too",
                advice="A gradient may be infinite, and 0 times infinity is nan.",
            ),
            Mistake(
                "a mask that is not checked",
                """
if np.broadcast_shapes(x.shape, np.shape(mask)) != x.shape:
    raise ValueError("the mask must broadcast to the shape of x")
return np.where(mask, value, x), lambda g: np.where(mask, 0, g), None
""",
                says="mask of 0.3",
                advice="NumPy takes every number but 0 for true; `_as_mask` refuses what is no "
                "mask.",
            ),
            Mistake(
                "a mask that makes the result larger",
                """
hidden = _as_mask(mask)
return np.where(hidden, value, x), lambda g: np.where(hidden, 0, g), None
""",
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
                """
hidden = _as_mask(mask)
if hidden.size > x.size:
    raise ValueError("the mask is larger than x")
return np.where(hidden, value, x), lambda g: np.where(hidden, 0, g), None
""",
                says="compare shapes",
                advice="A column of 3 with a row of 3: which shape has the result?",
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
                """
value = np.sum(x, axis)
return value, lambda g: np.broadcast_to(_restore(g, axis, False), x.shape)
""",
                says="keepdims is not heeded",
                advice="np.sum has the same option: hand it on.",
            ),
            Mistake(
                "g returned as it came",
                """
return np.sum(x, axis, keepdims=keepdims), lambda g: g
""",
                says="returns g as it came",
                advice="A gradient has the shape of its array: how many entries went into each "
                "sum?",
            ),
            Mistake(
                "the lost axis not given back",
                """
return np.sum(x, axis, keepdims=keepdims), lambda g: np.broadcast_to(g, x.shape)
""",
                says="along the wrong axis",
                advice="A shape of (2,) counts as a row, aligned at the right: section 13 shows "
                "the same mistake.",
            ),
            Mistake(
                "the gradient of the mean",
                """
value = np.sum(x, axis, keepdims=keepdims)
n = x.size // value.size
return value, lambda g: np.broadcast_to(_restore(g, axis, keepdims) / n, x.shape)
""",
                says="rule of the mean",
                advice="If one entry grows by 1, by how much does the sum grow?",
            ),
            Mistake(
                "ones instead of g",
                """
return np.sum(x, axis, keepdims=keepdims), lambda g: np.ones_like(x)
""",
                says="leaves out g",
                advice="1 is the slope; the rule is g times the slope.",
            ),
            Mistake(
                "always the last axis given back",
                """
value = np.sum(x, axis, keepdims=keepdims)
return value, lambda g: np.broadcast_to(g if keepdims or axis is None else g[..., None], x.shape)
""",
                says="down its own column",
                advice="The axis that was summed may be any; `_restore` knows which.",
            ),
            Mistake(
                "an axis given back that was kept",
                """
value = np.sum(x, axis, keepdims=keepdims)
return value, lambda g: np.broadcast_to(g if axis is None else np.expand_dims(g, axis), x.shape)
""",
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
                """
value, rules, start = np.concatenate(arrays, axis), [], 0
for x in arrays:
    first, last = start, start + x.shape[axis]
    rules.append(lambda g: np.moveaxis(np.moveaxis(g, axis, 0)[first:last], 0, axis))
    start = last
return value, *rules
""",
                says="slice of the last array",
                advice="A closure looks its variables up when it is called: fix them by a default "
                "or a function.",
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
                """
def rule(i):
    return lambda g: np.array_split(g, len(arrays), axis)[i]

return np.concatenate(arrays, axis), *(rule(i) for i in range(len(arrays)))
""",
                says="equal pieces",
                advice="The arrays need not have one size along the axis: use x.shape[axis] of "
                "each.",
            ),
            Mistake(
                "the whole of g for everyone",
                """
return np.concatenate(arrays, axis), *((lambda g: g) for _ in arrays)
""",
                says="whole of g",
                advice="A gradient has the shape of its array, and only a part of g came from it.",
            ),
            Mistake(
                "one rule for all arrays",
                """
return np.concatenate(arrays, axis), lambda g: g[: arrays[0].shape[axis]]
""",
                says="one rule for each array",
                advice="An operation returns its value and then as many rules as it took arrays.",
            ),
            Mistake(
                "g cut along axis 0, whatever was joined",
                """
ends = np.cumsum([x.shape[axis] for x in arrays]).tolist()

def rule(start, end):
    return lambda g: g[start:end]

return np.concatenate(arrays, axis), *(rule(e - x.shape[axis], e) for x, e in zip(arrays, ends))
""",
                says="axis that was joined",
                advice="g[start:end] cuts the first axis; put slice(None) in front for the axes "
                "before yours.",
            ),
            Mistake(
                "an axis of -1",
                """
ends = np.cumsum([x.shape[axis] for x in arrays]).tolist()
before = (slice(None),) * axis

def rule(start, end):
    return lambda g: g[(*before, slice(start, end))]

return np.concatenate(arrays, axis), *(rule(e - x.shape[axis], e) for x, e in zip(arrays, ends))
""",
                says="counted from the end",
                advice="A tuple times -1 is empty: make the axis positive first, axis % ndim.",
            ),
            Mistake(
                "two axes at most",
                """
value, rules, start = np.concatenate(arrays, axis), [], 0
for x in arrays:
    end = start + x.shape[axis]
    if axis == 0:
        rules.append(lambda g, s=start, e=end: g[s:e])
    else:
        rules.append(lambda g, s=start, e=end: g[:, s:e])
    start = end
return value, *rules
""",
                says="three axes",
                advice="Keys and values have four axes, and time is the third. What if axis is -2?",
            ),
        ],
    ),
}
