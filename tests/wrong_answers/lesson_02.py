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
                change=[
                    ("order, ready = [], [root]", "order, ready, met = [], [root], {root}"),
                    (
                        "uses[x] -= 1\n        if uses[x] == 0:",
                        "if x not in met:\n            met.add(x)",
                    ),
                ],
                says="comes before .*, which uses it",
                advice="Met is not ready: draw the diamond and ask when s has received all of its "
                "gradient.",
            ),
            Mistake(
                "a node once for each of its uses",
                change=("uses[x] -= 1\n        if uses[x] == 0:\n            ready", "ready"),
                says="stands in it",
                advice="That walks along every path; with 16 doublings count how many there are.",
            ),
            Mistake(
                "the leaves first",
                change=("return order", "return order[::-1]"),
                says="wrong way round",
                advice="Backward begins at the end: the root is number one.",
            ),
            Mistake(
                "leaves left out",
                change=("uses[x] == 0", "uses[x] == 0 and x.inputs"),
                says="the leaves too",
                advice="The leaves are what the gradients are wanted for; their inputs are merely "
                "empty.",
            ),
            Mistake(
                "two uses by one operation ticked off as one",
                change=("for x, _ in node.inputs", "for x in {x for x, _ in node.inputs}"),
                says="uses it twice",
                advice="The count in `uses` is of pairs: in x * x there are two, so tick off two.",
            ),
            Mistake(
                "nodes compared by their values",
                change=("uses[x] == 0", "uses[x] == 0 and x not in order"),
                says="of u and v one is missing",
                advice="`in` asks each node of the list whether it is == x, and == compares numbers.",
            ),
            Mistake(
                "the return forgotten",
                change=("return order", "order"),
                says="is there a `return`",
                advice="A function without a return gives None.",
            ),
            Mistake(
                "a generator",
                change=[
                    ("order.append(node)", "yield node"),
                    ("order, ready = [], [root]", "ready = [root]"),
                    ("\nreturn order", ""),
                ],
                says="has a `yield` in it",
                advice="The engine turns the order round and takes from its end: that needs a list.",
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
                change=(", keepdims=True", ""),
                says="the axis is gone",
                advice="keepdims=True; the array had that axis, with size 1.",
            ),
            Mistake(
                "only one of several axes summed",
                change=("axis=repeated", "axis=repeated[0]"),
                says="only one was",
                advice="A layer norm's weight of shape (1, 1, C) is stretched twice: sum over a "
                "tuple of axes.",
            ),
            Mistake(
                "the mean over the uses",
                change=[("g = g.sum", "g = g.mean"), ("return g.sum", "return g.mean")],
                says="are averaged",
                advice="Move one entry of the bias by h: in how many rows does the result move by "
                "h?",
            ),
            Mistake(
                "the first row kept",
                of=0,
                change=[
                    ("g = g.sum(axis=0)", "g = g[0]"),
                    ("g.sum(axis=axis, keepdims=True)", "g.take([0], axis)"),
                ],
                says="only one of the rows",
                advice="The shape is right, and the rest of the batch is ignored.",
            ),
            Mistake(
                "as many entries taken for the same shape",
                change=("g = g.sum", "if g.size == np.prod(shape):\n    return g\ng = g.sum"),
                says="as in a batch of one",
                advice="(1, 3) and (3,) hold as many numbers and are two shapes.",
            ),
            Mistake(
                "a generator for a tuple of axes",
                change=(
                    "tuple(range(g.ndim - len(shape)))",
                    "(i for i in range(g.ndim - len(shape)))",
                ),
                says="neither as a list nor as a generator",
                advice="Parentheses around a comprehension make a generator, and not a tuple.",
            ),
            Mistake(
                "the return forgotten",
                change=(
                    "return g.sum(axis=repeated, keepdims=True) if repeated else g",
                    "g.sum(axis=repeated, keepdims=True)",
                ),
                says="is there a `return`",
                advice="A sum does not change g: it makes a new array, which must be returned.",
            ),
            Mistake(
                "a list comes back",
                change=("if repeated else g", "if repeated else g.tolist()"),
                says="returned a list, where an array is expected|a list came back",
                advice="What does the example do with the result, and can a list do that?",
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
                of=0,
                change=("known = g if known is None else np.asarray(known + g)", "known = g"),
                says="overwrote the first",
                advice="Compute the gradient of x * x at 3 with it: it says 3.",
            ),
            Mistake(
                "the first contribution stays",
                of=0,
                change=("np.asarray(known + g)", "known"),
                says="second contribution is lost",
                advice="What happens where something is known already?",
            ),
            Mistake(
                "nothing known yet",
                of=0,
                change=("g if known is None else np.asarray(known + g)", "known + g"),
                says="nothing can be added to it",
                advice="Which value has `known` when the first contribution comes?",
            ),
            Mistake(
                "added in place, whoever holds the array",
                of=0,
                change=(
                    "known = g if known is None else np.asarray(known + g)",
                    "if known is None:\n        known = g\n    else:\n        known += g",
                ),
                says="written into the first array",
                advice="The rule of + returns the very g it was given: print the gradients of 5a "
                "+ (a + b).",
            ),
            Mistake(
                "the sum written into whatever came last",
                change=[
                    ("elif node in self.ours:\n    known += g\n", ""),
                    (
                        "elif fresh:\n    known = np.add(g, known, out=g)\nelse:\n    known = known + g",
                        "else:\n    known = np.add(g, known, out=g)",
                    ),
                ],
                says="although that is not fresh",
                advice="g may be written where `fresh` says so, and nowhere else.",
            ),
            Mistake(
                "zeros for every part",
                of=0,
                change=(
                    "np.zeros_like(node.data) if known is None else np.array(known)",
                    "np.zeros_like(node.data)",
                ),
                says="second part replaced the first",
                advice="A split reads three parts of one array: only the first of them finds "
                "nothing known.",
            ),
            Mistake(
                "a part added into somebody else's array",
                of=0,
                change=("np.array(known)", "known"),
                says="a part needs a copy",
                advice="`_add_part` works in place: copy what is not in self.ours first.",
            ),
            Mistake(
                "what _add_part returns taken for the sum",
                of=0,
                change=(
                    "    _add_part(whole, g)\n    known = whole",
                    "    known = _add_part(whole, g)",
                ),
                says="returns None",
                advice="Like list.sort, it changes what it is given: print what it returns.",
            ),
            Mistake(
                "a repeated index assigned",
                of=0,
                change=("_add_part(whole, g)", "whole[g.index] += g.gradient"),
                says="names a place twice",
                advice="NumPy reads all entries before it writes any; the letter e occurs often "
                "in a text.",
            ),
            Mistake(
                "zeros of NumPy's dtype",
                of=0,
                change=("np.zeros_like(node.data)", "np.zeros(node.data.shape)"),
                says="should have the node's",
                advice="Which dtype has np.zeros(3)? np.zeros_like takes it from an array.",
            ),
            Mistake(
                "zeros made of the node's own numbers",
                change=("np.zeros(node.data.shape, node.data.dtype)", "node.data * 0"),
                says="the node's own numbers are in its gradient",
                advice="What is inf * 0, and nan * 0?",
            ),
            Mistake(
                "the sum returned and not kept",
                """
if isinstance(g, Part):
    total = np.zeros(node.data.shape, node.data.dtype) if known is None else known.copy()
    _add_part(total, g)
else:
    total = g if known is None else known + g
return total
""",
                says="nothing is kept for the node",
                advice="Read the lines below the exercise: which name do they keep?",
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
                change=("enumerate(inputs, 1)", "enumerate(node.inputs, 1)"),
                says="None already when the loop read them",
                advice="Read the inputs into a variable first, or let go after the loop.",
            ),
            Mistake(
                "each rule given 1 instead of the node's gradient",
                change=("node, x, g)", "node, x, np.ones_like(g))"),
                says="derivatives of a chain must multiply",
                advice="That is the derivative of one step. The chain rule hands the product of all "
                "steps on.",
            ),
            Mistake(
                "only the first input gets its share",
                change=("enumerate(inputs, 1)", "enumerate(inputs[:1], 1)"),
                says="no gradient has reached it",
                advice="A node of two inputs has two pairs, and the loop runs over both.",
            ),
            Mistake(
                "everything called fresh",
                change=(
                    "pending.add(x, *_apply(rule, number, node, x, g))",
                    "pending.add(x, _apply(rule, number, node, x, g)[0], True)",
                ),
                says="It is not fresh",
                advice="Who else holds the array that the rule of + returns?",
            ),
            Mistake(
                "a graph that is never let go of",
                change=("if consume and node.op is not None:\n    node.inputs = None\n", ""),
                says="still hold their inputs",
                advice="The gradients are right; watch the memory of the figure that follows.",
            ),
            Mistake(
                "leaves spent as well",
                change=("if consume and node.op is not None", "if consume"),
                says="leaves are spent",
                advice="A weight is a leaf of every step's graph: it must survive the first step.",
            ),
            Mistake(
                "consume ignored",
                change=("if consume and node.op is not None", "if node.op is not None"),
                says="consume=False",
                advice="draw_graph asks for the gradients and must leave the graph walkable.",
            ),
            Mistake(
                "rules counted from 0",
                change=("enumerate(inputs, 1)", "enumerate(inputs)"),
                says="counted from 1",
                advice="The number is for people, who read it in an error message.",
            ),
            Mistake(
                "one contribution for each input, not for each use",
                of=0,
                change=[
                    ("for number", "contributions = {}\nfor number"),
                    (
                        "pending.add(x, *_apply(rule, number, node, x, g))",
                        "contributions[x] = _apply(rule, number, node, x, g)\nfor x, made in contributions.items():\n    pending.add(x, *made)",
                    ),
                ],
                says="two pairs of `inputs`",
                advice="The gradient of x * x at 3: a dictionary has room for one x only.",
            ),
            Mistake(
                "the pair of _apply handed on as it is",
                change=(
                    "*_apply(rule, number, node, x, g)",
                    "_apply(rule, number, node, x, g), False",
                ),
                says="`_apply` returns two things",
                advice="What does `_apply` return, by its docstring, and what does `add` take?",
            ),
            Mistake(
                "rules called without _apply",
                change=("*_apply(rule, number, node, x, g)", "rule(g), False"),
                says="nobody has looked",
                advice="What does `_apply` do besides calling the rule?",
            ),
            Mistake(
                "grad set on the way",
                """
inputs = node.inputs
if consume and node.op is not None:
    node.inputs = None
for number, (x, rule) in enumerate(inputs, 1):
    x.grad, fresh = _apply(rule, number, node, x, g)
    pending.add(x, x.grad, fresh)
""",
                says="a `grad` was set",
                advice="Read the docstring's second line: what does this function leave alone?",
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
                change=[
                    ("(here + step, here - step)", "(here + step, here)"),
                    ("(2 * step)", "step"),
                ],
                says="one side only",
                advice="Lesson 01, section 5: its error shrinks like h, the central one's like h "
                "squared.",
            ),
            Mistake(
                "divided by one step",
                change=("(2 * step)", "step"),
                says="twice too large",
                advice="How far apart are the two points at which the loss was measured?",
            ),
            Mistake(
                "lower end minus upper end",
                change=("(here + step, here - step)", "(here - step, here + step)"),
                says="wrong sign",
                advice="A loss that grows with x has a positive slope.",
            ),
            Mistake(
                "the weights left out",
                change=("(run(arrays)[1].data * weights)", "run(arrays)[1].data"),
                says="weights are left out",
                advice="Both sides of the comparison must be derivatives of the same number L.",
            ),
            Mistake(
                "compared with itself",
                "expected = got[index]",
                says="must be measured",
                advice="It accepts everything. A check that cannot fail is worth nothing.",
            ),
            Mistake(
                "the entry not put back",
                change=("x[index] = here\n", ""),
                says="put back",
                advice="The next entry is measured at another point than the gradient was "
                "computed at.",
            ),
            Mistake(
                "Python's own sum",
                change=(
                    "(run(arrays)[1].data * weights).sum()",
                    "sum(run(arrays)[1].data * weights)",
                ),
                says="must be one number",
                advice="What is sum(np.ones((2, 3)))?",
            ),
            Mistake(
                "a view of x summed too late",
                change=[
                    ("(run(arrays)[1].data * weights).sum()", "run(arrays)[1].data"),
                    ("(ends[0] - ends[1])", "np.sum(weights * (ends[0] - ends[1]))"),
                ],
                says="result is a view of x",
                advice="`ends[0]` of x.T is x itself, seen otherwise: what is in it when it is read?",
            ),
            Mistake(
                "only the first input moved",
                change=("run(arrays)", "run([x])"),
                says="f takes all its inputs",
                advice="f takes all the arrays: hand `arrays` on, in which x stands.",
            ),
            Mistake(
                "a step of its own",
                change=[
                    ("here + step, here - step", "here + 1e-6, here - 1e-6"),
                    ("(2 * step)", "2e-6"),
                ],
                says="`step` has no effect",
                advice="Which argument is not used?",
            ),
            Mistake(
                "divided by 2 and multiplied by step",
                change=("/ (2 * step)", "/ 2 * step"),
                says="divides by 2 and multiplies by step",
                advice="What is 6 / 2 * 3?",
            ),
        ],
    ),
}
