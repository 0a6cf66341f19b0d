"""Right and wrong answers to the exercises of lesson 02."""

from tests.wrong_answers import Answers, Mistake

ANSWERS = {
    "02.1": Answers(
        right=[
            """
order = [root]
for node in order:
    for x, _ in node.inputs:
        uses[x] -= 1
        if not uses[x]:
            order.append(x)
return order
""",
            """
finished, entered, waiting = [], set(), [(root, False)]
while waiting:
    node, seen = waiting.pop()
    if seen:
        finished.append(node)
    elif node not in entered:
        entered.add(node)
        waiting.append((node, True))
        waiting.extend((x, False) for x, _ in node.inputs)
return finished[::-1]
""",
        ],
        wrong=[
            Mistake(
                "nodes in the order in which they are met",
                """
order, ready, met = [], [root], {root}
while ready:
    node = ready.pop()
    order.append(node)
    for x, _ in node.inputs:
        if x not in met:
            met.add(x)
            ready.append(x)
return order
""",
                says="comes before .*, which uses it",
                advice="Met is not ready: draw the diamond and ask when s has received all of its "
                "gradient.",
            ),
            Mistake(
                "a node once for each of its uses",
                """
order, ready = [], [root]
while ready:
    node = ready.pop()
    order.append(node)
    for x, _ in node.inputs:
        ready.append(x)
return order
""",
                says="stands in it",
                advice="That walks along every path; with 16 doublings count how many there are.",
            ),
            Mistake(
                "the leaves first",
                """
order, ready = [], [root]
while ready:
    node = ready.pop()
    order.append(node)
    for x, _ in node.inputs:
        uses[x] -= 1
        if uses[x] == 0:
            ready.append(x)
return order[::-1]
""",
                says="wrong way round",
                advice="Backward begins at the end: the root is number one.",
            ),
            Mistake(
                "leaves left out",
                """
order, ready = [], [root]
while ready:
    node = ready.pop()
    order.append(node)
    for x, _ in node.inputs:
        uses[x] -= 1
        if uses[x] == 0 and x.inputs:
            ready.append(x)
return order
""",
                says="the leaves too",
                advice="The leaves are what the gradients are wanted for; their inputs are merely "
                "empty.",
            ),
            Mistake(
                "two uses by one operation ticked off as one",
                """
order, ready = [], [root]
while ready:
    node = ready.pop()
    order.append(node)
    for x in {x for x, _ in node.inputs}:
        uses[x] -= 1
        if uses[x] == 0:
            ready.append(x)
return order
""",
                says="uses it twice",
                advice="The count in `uses` is of pairs: in x * x there are two, so tick off two.",
            ),
            Mistake(
                "a function that calls itself",
                """
order, visited = [], set()

def visit(node):
    visited.add(node)
    for x, _ in node.inputs:
        if x not in visited:
            visit(x)
    order.append(node)

visit(root)
return order[::-1]
""",
                says="functions that call themselves",
                advice="The order is right; for deep graphs Python's stack is too small, so keep "
                "one of your own.",
            ),
        ],
    ),
    "02.2": Answers(
        right=[
            """
while g.ndim > len(shape):
    g = g.sum(axis=0)
for axis, size in enumerate(shape):
    if size == 1:
        g = g.sum(axis=axis, keepdims=True)
return g
""",
            """
missing = g.ndim - len(shape)
stretched = [axis for axis, size in enumerate((1,) * missing + tuple(shape)) if size == 1]
return g.sum(axis=tuple(stretched)).reshape(shape)
""",
        ],
        wrong=[
            Mistake(
                "only the axes in front summed",
                "return g.sum(axis=tuple(range(g.ndim - len(shape))))",
                says="have not been gathered",
                advice="That is the draft. Broadcasting also stretches axes of size 1: try a "
                "column.",
            ),
            Mistake(
                "only the stretched axes summed",
                """
axes = tuple(i for i, n in enumerate(shape) if n == 1)
return g.sum(axis=axes, keepdims=True) if axes else g
""",
                says="in front is still there",
                advice="Align the shapes at the right: what stands in front of the shorter one?",
            ),
            Mistake(
                "the summed axis not kept",
                """
g = g.sum(axis=tuple(range(g.ndim - len(shape))))
return g.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1))
""",
                says="the axis is gone",
                advice="keepdims=True; the array had that axis, with size 1.",
            ),
            Mistake(
                "only one of several axes summed",
                """
g = g.sum(axis=tuple(range(g.ndim - len(shape))))
for axis, size in enumerate(shape):
    if size == 1 and g.shape[axis] != 1:
        return g.sum(axis=axis, keepdims=True)
return g
""",
                says="only one was",
                advice="A layer norm's weight of shape (1, 1, C) is stretched twice: sum over a "
                "tuple of axes.",
            ),
            Mistake(
                "the mean over the uses",
                """
g = g.mean(axis=tuple(range(g.ndim - len(shape))))
axes = tuple(i for i, n in enumerate(shape) if n == 1 and g.shape[i] != 1)
return g.mean(axis=axes, keepdims=True) if axes else g
""",
                says="are averaged",
                advice="Move one entry of the bias by h: in how many rows does the result move by "
                "h?",
            ),
            Mistake(
                "the first row kept",
                """
while g.ndim > len(shape):
    g = g[0]
for axis, size in enumerate(shape):
    if size == 1:
        g = g.take([0], axis)
return g
""",
                says="only one of the rows",
                advice="The shape is right, and the rest of the batch is ignored.",
            ),
            Mistake(
                "as many entries taken for the same shape",
                """
if g.size == np.prod(shape):
    return g
g = g.sum(axis=tuple(range(g.ndim - len(shape))))
return g.sum(axis=tuple(i for i, n in enumerate(shape) if n == 1), keepdims=True)
""",
                says="as in a batch of one",
                advice="(1, 3) and (3,) hold as many numbers and are two shapes.",
            ),
        ],
    ),
    "02.3": Answers(
        right=[
            """
if isinstance(g, Part):
    whole = np.zeros_like(node.data) if known is None else np.array(known)
    _add_part(whole, g)
    known = whole
else:
    known = g if known is None else np.asarray(known + g)
""",
            """
if known is None and not isinstance(g, Part):
    known = g
else:
    if known is None:
        known = np.zeros(node.data.shape, node.data.dtype)
    elif node not in self.ours:
        known = known.copy()
    if isinstance(g, Part):
        _add_part(known, g)
    else:
        known += g
""",
        ],
        wrong=[
            Mistake(
                "= where += is meant",
                """
if isinstance(g, Part):
    known = np.zeros(node.data.shape, node.data.dtype) if known is None else np.array(known)
    _add_part(known, g)
else:
    known = g
""",
                says="overwrote the first",
                advice="Compute the gradient of x * x at 3 with it: it says 3.",
            ),
            Mistake(
                "the first contribution stays",
                """
if isinstance(g, Part):
    known = np.zeros(node.data.shape, node.data.dtype) if known is None else np.array(known)
    _add_part(known, g)
elif known is None:
    known = g
""",
                says="second contribution is lost",
                advice="What happens where something is known already?",
            ),
            Mistake(
                "added in place, whoever holds the array",
                """
if isinstance(g, Part):
    known = np.zeros(node.data.shape, node.data.dtype) if known is None else np.array(known)
    _add_part(known, g)
elif known is None:
    known = g
else:
    known += g
""",
                says="written into the first array",
                advice="The rule of + returns the very g it was given: print the gradients of 5a "
                "+ (a + b).",
            ),
            Mistake(
                "the sum written into whatever came last",
                """
if isinstance(g, Part):
    known = np.zeros(node.data.shape, node.data.dtype) if known is None else np.array(known)
    _add_part(known, g)
elif known is None:
    known = g
else:
    known = np.add(g, known, out=g)
""",
                says="although that is not fresh",
                advice="g may be written where `fresh` says so, and nowhere else.",
            ),
            Mistake(
                "zeros for every part",
                """
if isinstance(g, Part):
    known = np.zeros(node.data.shape, node.data.dtype)
    _add_part(known, g)
else:
    known = g if known is None else np.asarray(known + g)
""",
                says="second part replaced the first",
                advice="A split reads three parts of one array: only the first of them finds "
                "nothing known.",
            ),
            Mistake(
                "a part added into somebody else's array",
                """
if isinstance(g, Part):
    if known is None:
        known = np.zeros(node.data.shape, node.data.dtype)
    _add_part(known, g)
else:
    known = g if known is None else np.asarray(known + g)
""",
                says="a part needs a copy",
                advice="`_add_part` works in place: copy what is not in self.ours first.",
            ),
            Mistake(
                "a repeated index assigned",
                """
if isinstance(g, Part):
    known = np.zeros(node.data.shape, node.data.dtype) if known is None else np.array(known)
    known[g.index] += g.gradient
else:
    known = g if known is None else np.asarray(known + g)
""",
                says="names a place twice",
                advice="NumPy reads all entries before it writes any; the letter e occurs often "
                "in a text.",
            ),
            Mistake(
                "zeros of NumPy's dtype",
                """
if isinstance(g, Part):
    if known is None:
        known = np.zeros(node.data.shape)
    elif node not in self.ours:
        known = known.copy()
    _add_part(known, g)
elif known is None:
    known = g
else:
    known = np.asarray(known + g)
""",
                says="should have the node's",
                advice="Which dtype has np.zeros(3)? np.zeros_like takes it from an array.",
            ),
        ],
    ),
    "02.4": Answers(
        right=[
            """
for number, (x, rule) in enumerate(node.inputs, start=1):
    pending.add(x, *_apply(rule, number, node, x, g))
if consume and node.op is not None:
    node.inputs = None
""",
            """
inputs, number = node.inputs, 0
if consume:
    node.inputs = () if node.op is None else None
while number < len(inputs):
    x, rule = inputs[number]
    number += 1
    made, fresh = _apply(rule, number, node, x, g)
    pending.add(x, made, fresh)
""",
        ],
        wrong=[
            Mistake(
                "inputs let go of before they are read",
                """
if consume and node.op is not None:
    node.inputs = None
for number, (x, rule) in enumerate(node.inputs, 1):
    contribution, fresh = _apply(rule, number, node, x, g)
    pending.add(x, contribution, fresh)
""",
                says="NoneType",
                advice="Read the inputs into a variable first, or let go after the loop.",
            ),
            Mistake(
                "each rule given 1 instead of the node's gradient",
                """
inputs = node.inputs
if consume and node.op is not None:
    node.inputs = None
for number, (x, rule) in enumerate(inputs, 1):
    contribution, fresh = _apply(rule, number, node, x, np.ones_like(g))
    pending.add(x, contribution, fresh)
""",
                says="slopes of a chain must multiply",
                advice="That is the slope of one step. The chain rule hands the product of all "
                "steps on.",
            ),
            Mistake(
                "only the first input gets its share",
                """
inputs = node.inputs
if consume and node.op is not None:
    node.inputs = None
if inputs:
    x, rule = inputs[0]
    contribution, fresh = _apply(rule, 1, node, x, g)
    pending.add(x, contribution, fresh)
""",
                says="no gradient has reached it",
                advice="A node of two inputs has two pairs, and the loop runs over both.",
            ),
            Mistake(
                "a graph that is never let go of",
                """
for number, (x, rule) in enumerate(node.inputs, 1):
    contribution, fresh = _apply(rule, number, node, x, g)
    pending.add(x, contribution, fresh)
""",
                says="still hold their inputs",
                advice="The gradients are right; watch the memory of the figure that follows.",
            ),
            Mistake(
                "leaves spent as well",
                """
inputs = node.inputs
if consume:
    node.inputs = None
for number, (x, rule) in enumerate(inputs, 1):
    contribution, fresh = _apply(rule, number, node, x, g)
    pending.add(x, contribution, fresh)
""",
                says="leaves are spent",
                advice="A weight is a leaf of every step's graph: it must survive the first step.",
            ),
            Mistake(
                "consume not heeded",
                """
inputs = node.inputs
if node.op is not None:
    node.inputs = None
for number, (x, rule) in enumerate(inputs, 1):
    contribution, fresh = _apply(rule, number, node, x, g)
    pending.add(x, contribution, fresh)
""",
                says="consume=False",
                advice="draw_graph asks for the gradients and must leave the graph walkable.",
            ),
            Mistake(
                "rules counted from 0",
                """
inputs = node.inputs
if consume and node.op is not None:
    node.inputs = None
for number, (x, rule) in enumerate(inputs):
    contribution, fresh = _apply(rule, number, node, x, g)
    pending.add(x, contribution, fresh)
""",
                says="counted from 1",
                advice="The number is for people, who read it in an error message.",
            ),
            Mistake(
                "one contribution for each input, not for each use",
                """
contributions = {}
for number, (x, rule) in enumerate(node.inputs, 1):
    contributions[x] = _apply(rule, number, node, x, g)
for x, (made, fresh) in contributions.items():
    pending.add(x, made, fresh)
if consume and node.op is not None:
    node.inputs = None
""",
                says="two pairs of `inputs`",
                advice="The gradient of x * x at 3: a dictionary has room for one x only.",
            ),
        ],
    ),
    "02.5": Answers(
        right=[
            """
def loss_at(entry):
    x[index] = entry
    return np.sum(run(arrays)[1].data * weights)

here = float(x[index])
expected = (loss_at(here + step) - loss_at(here - step)) / (2 * step)
x[index] = here
""",
            """
kept = x.copy()
x[index] += step
upper = (run(arrays)[1].data * weights).sum()
x[index] = kept[index] - step
lower = (run(arrays)[1].data * weights).sum()
x[...] = kept
expected = (upper - lower) / step / 2
""",
        ],
        wrong=[
            Mistake(
                "the forward difference",
                """
here, before = x[index], (run(arrays)[1].data * weights).sum()
x[index] = here + step
expected = ((run(arrays)[1].data * weights).sum() - before) / step
x[index] = here
""",
                says="one side only",
                advice="Lesson 01, section 5: its error shrinks like h, the central one's like h "
                "squared.",
            ),
            Mistake(
                "divided by one step",
                """
here, ends = x[index], []
for moved in (here + step, here - step):
    x[index] = moved
    ends.append((run(arrays)[1].data * weights).sum())
x[index] = here
expected = (ends[0] - ends[1]) / step
""",
                says="twice too large",
                advice="How far apart are the two points at which the loss was measured?",
            ),
            Mistake(
                "lower end minus upper end",
                """
here, ends = x[index], []
for moved in (here - step, here + step):
    x[index] = moved
    ends.append((run(arrays)[1].data * weights).sum())
x[index] = here
expected = (ends[0] - ends[1]) / (2 * step)
""",
                says="wrong sign",
                advice="A loss that grows with x has a positive slope.",
            ),
            Mistake(
                "the weights left out",
                """
here, ends = x[index], []
for moved in (here + step, here - step):
    x[index] = moved
    ends.append(run(arrays)[1].data.sum())
x[index] = here
expected = (ends[0] - ends[1]) / (2 * step)
""",
                says="weights are left out",
                advice="Both sides of the comparison must be slopes of the same number L.",
            ),
            Mistake(
                "compared with itself",
                "expected = got[index]",
                says="must be measured",
                advice="It accepts everything. A check that cannot fail is worth nothing.",
            ),
            Mistake(
                "the entry not put back",
                """
here, ends = x[index], []
for moved in (here + step, here - step):
    x[index] = moved
    ends.append((run(arrays)[1].data * weights).sum())
expected = (ends[0] - ends[1]) / (2 * step)
""",
                says="put back",
                advice="The next entry is measured at another point than the gradient was "
                "computed at.",
            ),
            Mistake(
                "a view of x summed too late",
                """
here = x[index]
x[index] = here + step
above = run(arrays)[1].data
x[index] = here - step
below = run(arrays)[1].data
x[index] = here
expected = np.sum(weights * (above - below)) / (2 * step)
""",
                says="result is a view of x",
                advice="`above` of x.T is x itself, seen otherwise: what is in it when it is read?",
            ),
            Mistake(
                "only the first input moved",
                """
here = x[index]
x[index] = here + step
above = (run([x])[1].data * weights).sum()
x[index] = here - step
below = (run([x])[1].data * weights).sum()
x[index] = here
expected = (above - below) / (2 * step)
""",
                says="missing 1 required positional argument",
                advice="f takes all the arrays: hand `arrays` on, in which x stands.",
            ),
        ],
    ),
}
