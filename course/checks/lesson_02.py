"""What the exercises of lesson 02 must do, on graphs so small that their gradients are known.

The graphs are made of `+`, `*` and indexing only, so that they need no exercise of lesson 01.
"""

import re

import numpy as np

from course.checks.vocabulary import Wrong, check, near

# --- 02.1: the topological order ---


def diamond(mg):
    """z = s * u, where s = x + 1 and u = 2 s."""
    x = mg.array(2.0, requires_grad=True)
    s = x + 1.0
    u = s * 2.0
    return {"x": x, "s": s, "u": u, "z": s * u}


def turned_diamond(mg):
    """The same with the factors exchanged: z = u * s."""
    nodes = diamond(mg)
    return nodes | {"z": nodes["u"] * nodes["s"]}


def square(mg):
    """z = x * x: one operation uses x twice."""
    x = mg.array(3.0, requires_grad=True)
    return {"x": x, "z": x * x}


def ladder(mg):
    """Uses of different length: p = s * u, v = s + 3, z = p + v."""
    nodes = turned_diamond(mg)
    p, v = nodes.pop("z"), nodes["s"] + 3.0
    return nodes | {"p": p, "v": v, "z": p + v}


GRAPHS = {
    "s = x + 1, u = 2s, z = s·u": (diamond, {"x": "s", "s": "uz", "u": "z"}),
    "s = x + 1, u = 2s, z = u·s": (turned_diamond, {"x": "s", "s": "uz", "u": "z"}),
    "s = x + 1, u = 2s, p = u·s, v = s + 3, z = p + v": (
        ladder,
        {"x": "s", "s": "upv", "u": "p", "p": "z", "v": "z"},
    ),
    "z = x·x": (square, {"x": "z"}),
}


def probe_order(mg, graph):
    """The names of the nodes, in the student's order."""
    nodes = GRAPHS[graph][0](mg)
    names = {id(node): name for name, node in nodes.items()}
    order = mg.backprop.topological_order(nodes["z"])
    if not isinstance(order, list):
        return f"a {type(order).__name__}"
    return [names.get(id(node), "?") for node in order]


def probe_order_of_a_chain(mg, length):
    x = mg.array(1.0, requires_grad=True)
    for _ in range(length):
        x = x + 1.0
    try:
        return len(mg.backprop.topological_order(x))
    except RecursionError:
        return "RecursionError"


def probe_order_of_doublings(mg, count):
    """How many nodes x + x has, doubled again and again: there are 2 ** count ways to the leaf."""
    x = mg.array(1.0, requires_grad=True)
    for _ in range(count):
        x = x + x
    return len(mg.backprop.topological_order(x))


@check("02.1")
def the_order(student):
    for graph, (_, users) in GRAPHS.items():
        order = student.run(probe_order, graph)
        if not isinstance(order, list):
            raise Wrong("the order must be a list of nodes", input=graph, got=order)
        words = order_words([str(name) for name in order], users, graph)
        if words:
            raise Wrong(words, input=graph, got=" ".join(map(str, order)))
        yield f"{graph}: {' '.join(order)}"
    got = student.run(probe_order_of_a_chain, 3000)
    if isinstance(got, str):
        raise Wrong(
            "a chain of 3000 additions is too deep for functions that call themselves: keep a "
            "list of what is still to be done",
            expected=3001,
            got=got,
        )
    if not near(got, 3001):
        raise Wrong("a chain of 3000 additions has 3001 nodes", expected=3001, got=got)
    yield "a chain of 3000 additions, without recursion"
    if not near(student.run(probe_order_of_doublings, 40), 41):
        raise Wrong("x doubled 40 times is a graph of 41 nodes", expected=41)
    yield "a value doubled 40 times: along its nodes, not along its paths"


def order_words(order, users, graph):
    """What is wrong with an order, or "". `users` says by which nodes each node is used."""
    if order[-1:] == ["z"] and order[0] != "z":
        return (
            "the order is the wrong way round: it begins with the root z and ends with the leaves"
        )
    for name in order:
        if order.count(name) > 1:
            return (
                f"{name} stands in it {order.count(name)} times: a node that is used several "
                "times is ready once, when the last of its uses is ticked off"
            )
    for name in ["z", *users]:
        if name not in order:
            if graph == "z = x·x":
                return (
                    "x is missing: one operation uses it twice, and each of the two is ticked off"
                )
            return f"{name} is missing: every node belongs to the order" + (
                ", the leaves too" if name == "x" else ""
            )
    for name, its_users in users.items():
        late = [user for user in its_users if order.index(user) > order.index(name)]
        if late:
            return (
                f"{name} comes before {late[0]}, which uses it: at that moment its gradient would "
                "lack what comes from there"
            )
    return ""


# --- 02.2: unbroadcast ---


def probe_unbroadcast(mg, g, shape):
    return mg.backprop.unbroadcast(g, tuple(shape))


@check("02.2")
def gathering(student):
    def judge(g, shape, expected, words):
        got = student.run(probe_unbroadcast, g, list(shape))
        if not near(got, expected):
            raise Wrong(words(got), input={"g": g, "shape": shape}, expected=expected, got=got)

    g = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    judge(g, (2, 3), g, lambda got: "nothing was stretched here, so g must come back as it is")
    judge(g, (3,), [5, 7, 9], front_words)
    judge(
        g,
        (),
        21,
        lambda got: "a single number was used for every entry: it gets the sum of all of g",
    )
    yield "axes that were added in front"

    judge(g, (2, 1), [[6], [15]], stretched_words)
    judge(g, (1, 3), [[5, 7, 9]], stretched_words)
    yield "an axis of size 1 that was stretched"

    judge(
        g,
        (1, 1),
        [[21]],
        lambda got: (
            "both axes were stretched, and both must be summed"
            + (": only one was" if np.size(got) > 1 else "")
        ),
    )
    cube = np.arange(12.0).reshape(2, 2, 3)
    judge(
        cube,
        (2, 1),
        [[24], [42]],
        lambda got: (
            "one axis in front and one that was stretched: both must be undone, one after the other"
        ),
    )
    judge(
        cube,
        (2, 1, 1),
        [[[15]], [[51]]],
        lambda got: "the last two axes were stretched, and both must be summed",
    )
    judge(
        np.array([[1.0, 2.0]]),
        (2,),
        [1, 2],
        lambda got: "an axis in front must go even if it has size 1, as in a batch of one",
    )
    judge(
        np.array([[1.0, 2.0]]),
        (1, 2),
        [[1, 2]],
        lambda got: "an axis of size 1 that was not stretched must be left alone",
    )
    yield "several axes at once"


def front_words(got):
    if np.shape(got) == (2, 3):
        return (
            "the axis that broadcasting put in front is still there: each number of the small "
            "array was used in both rows, and gets the sum of both"
        )
    if near(got, [2.5, 3.5, 4.5]):
        return (
            "the contributions are averaged; what is used twice receives the sum of its gradients"
        )
    if near(got, [1, 2, 3]) or near(got, [4, 5, 6]):
        return "only one of the rows is kept: the gradients of all uses must be added"
    return "the axis that broadcasting put in front must be summed away"


def stretched_words(got):
    if np.shape(got) == (2, 3):
        return "an axis of size 1 was stretched, and its gradients have not been gathered"
    if np.ndim(got) == 1:
        return "the sums are there, but the axis is gone: the array had it, with size 1 (keepdims)"
    if near(got, [[2], [5]]) or near(got, [[2.5, 3.5, 4.5]]):
        return (
            "the contributions are averaged; what is used twice receives the sum of its gradients"
        )
    return "along the axis that was stretched, the gradients must be summed, and the axis kept"


# --- 02.3: accumulation ---


def probe_dtype_of_a_part(mg):
    """The dtype of what a part leaves for a node of float32."""
    pending, node = mg.backprop._Pending(), mg.array(np.zeros(3, np.float32))
    pending.add(node, mg.op.Part(np.ones(2, np.float32), slice(0, 2)), False)
    return str(pending.pop(node)[0].dtype)


def probe_pending(mg, shape, arrivals):
    """What `_Pending` gathers for one node from arrivals [array, fresh, index or None].

    Returns the sum, the arrivals as they are afterwards, and which of those that are not fresh
    share their memory with a sum that is said to be nobody else's.
    """
    pending, node, arrays = mg.backprop._Pending(), mg.array(np.zeros(shape)), []
    for array, fresh, index in arrivals:
        arrays.append(np.array(array))
        part = arrays[-1] if index is None else mg.op.Part(arrays[-1], index_of(index))
        pending.add(node, part, fresh)
    total, ours = pending.pop(node)
    held = [array for array, (_, fresh, _) in zip(arrays, arrivals) if not fresh]
    return {
        "total": total,
        "arrays": arrays,
        "shared": bool(ours) and any(np.shares_memory(total, array) for array in held),
    }


def index_of(index):
    """A slice from {"from": 1, "to": 3}; a list stays one."""
    return slice(index["from"], index["to"]) if isinstance(index, dict) else index


@check("02.3")
def accumulation(student):
    def judge(shape, arrivals, expected, words):
        """`arrivals` come one after another at one node; `words` says what a wrong sum means."""
        found = student.run(probe_pending, list(shape), arrivals)
        arrived = [told(*arrival) for arrival in arrivals]
        if not near(found["total"], expected):
            raise Wrong(words(found["total"]), input=arrived, expected=expected, got=found["total"])
        for number, ((array, fresh, _), after) in enumerate(zip(arrivals, found["arrays"])):
            if not fresh and not near(after, array):
                raise Wrong(
                    f"the sum is right, but {written_words(number, arrivals)}",
                    input=arrived,
                    expected={"that array afterwards": array},
                    got=after,
                )
        if found["shared"]:
            raise Wrong(
                "the sum is said to be ours, but it is an array that somebody else holds",
                input=arrived,
            )

    one, two, three = np.array([1.0, 2.0]), np.array([10.0, 20.0]), np.array([100.0, 200.0])
    judge(
        (2,),
        [[one, False, None]],
        [1, 2],
        lambda got: "one contribution alone is the gradient; it must be kept as it came",
    )
    judge((2,), [[one, False, None], [two, False, None]], [11, 22], sum_words)
    judge(
        (2,),
        [[one, False, None], [two, False, None], [three, False, None]],
        [111, 222],
        lambda got: "the sum of two is right, but the third contribution is not added to it",
    )
    yield "contributions add up, and nothing of anybody else's is written to"

    for first, second in [(True, False), (False, True), (True, True)]:
        judge(
            (2,),
            [[one, first, None], [two, second, None], [three, False, None]],
            [111, 222],
            lambda got: (
                "the sum is wrong where an array is fresh: fresh says that it may be written, no "
                "more"
            ),
        )
    judge(
        (),
        [[np.array(1.0), False, None], [np.array(2.0), False, None], [np.array(3.0), False, None]],
        6,
        lambda got: "the sum is wrong for single numbers, arrays of shape ()",
    )
    yield "the same with fresh arrays, and with single numbers"

    front, back, whole = {"from": 0, "to": 2}, {"from": 1, "to": 3}, np.array([100.0, 200.0, 300.0])
    judge(
        (3,),
        [[one, False, front]],
        [1, 2, 0],
        lambda got: (
            "a part alone: its entries in their place, zeros elsewhere, in the shape of the node"
        ),
    )
    judge(
        (3,),
        [[one, False, front], [two, False, back]],
        [1, 12, 20],
        lambda got: (
            "the second part replaced the first: where something is known, the part is added to "
            "that"
            if near(got, [0, 10, 20])
            else "two parts of one array are not added"
        ),
    )
    judge(
        (3,),
        [[whole, False, None], [two, False, back]],
        [100, 210, 320],
        lambda got: "a part that comes after a whole array must be added into it (or into a copy)",
    )
    judge(
        (3,),
        [[one, False, front], [whole, False, None]],
        [101, 202, 300],
        lambda got: "a whole array that comes after a part must be added to it",
    )
    judge(
        (3,),
        [[np.array([1.0, 2.0, 4.0]), False, [0, 2, 2]]],
        [1, 0, 6],
        lambda got: (
            "a part that names a place twice must be added twice there: `_add_part` does it"
        ),
    )
    got = student.run(probe_dtype_of_a_part)
    if got != "float32":
        raise Wrong(
            "the zeros for a part have NumPy's dtype, float64, and should have the node's: the "
            "gradient of a float32 table would take twice the memory",
            expected="float32",
            got=got,
        )
    yield "parts of an array"


def written_words(number, arrivals):
    """Which array that somebody else holds has been written to, and what follows from it."""
    if number > 0:
        return (
            "it was written into the array that came last, although that is not fresh: somebody "
            "else holds it, and finds another gradient there"
        )
    if arrivals[1][2] is not None:
        return (
            "the part was added into an array that is not ours: others hold it too, so a part "
            "needs a copy of it first"
        )
    return (
        "it was written into the first array, which other nodes hold too: their gradients have "
        "changed with it"
    )


def told(array, fresh, index):
    """One arrival in words, for the example that a diagnosis shows."""
    place = f" at [{index['from']}:{index['to']}]" if isinstance(index, dict) else ""
    place = f" at {index}" if isinstance(index, list) else place
    return f"{array.tolist()}{place} ({'fresh' if fresh else 'not fresh'})"


def sum_words(got):
    if near(got, [10, 20]):
        return (
            "the second contribution overwrote the first: a value that is used twice receives two "
            "gradients, and they add (`=` where `+=` is meant)"
        )
    if near(got, [1, 2]):
        return "the second contribution is lost: a value that is used twice receives two gradients"
    if near(got, [5.5, 11]):
        return "the two contributions are averaged, but they add"
    return "the sum of two contributions is wrong"


# --- 02.4: the walk ---


def formula(mg, name):
    """The leaves and the end of a formula."""
    a = mg.array(2.0, requires_grad=True)
    b = mg.array(5.0, requires_grad=True)
    if name == "z = a·b":
        z = a * b
    elif name == "z = (a·b)·3":
        z = a * b * 3.0
    elif name == "z = a·b + a":
        z = a * b + a
    elif name == "z = (a·a)·b":
        z = a * a * b
    else:  # z = s·u with s = a + b and u = s·b
        s = a + b
        z = s * (s * b)
    return a, b, z


def probe_walk(mg, name):
    a, b, z = formula(mg, name)
    try:
        found = mg.backprop.gradients(z)
    except KeyError:  # a node's turn has come, and `pending` knows nothing of it
        return [None, None]
    return [found.get(a), found.get(b)]


def probe_spent(mg, consume):
    """Which nodes have let go of their inputs after the walk through z = (a·b)·3."""
    a, b, z = formula(mg, "z = (a·b)·3")
    product = z.inputs[0][0]
    mg.backprop.gradients(z, consume=consume)
    return [node.inputs is None for node in (z, product, a, b)]


def probe_rule_number(mg):
    """The complaint about an operation whose second rule returns the wrong shape."""

    @mg.differentiable
    def second_rule_wrong(a, b, /):
        return a + b, lambda g: g, lambda g: np.ones(7)

    x, y = mg.array([1.0], requires_grad=True), mg.array([2.0], requires_grad=True)
    try:
        mg.backprop.gradients(second_rule_wrong(x, y))
    except RuntimeError as error:
        return str(error)
    return "no complaint"


@check("02.4")
def the_walk(student):
    for name, expected in [
        ("z = a·b", [5, 2]),
        ("z = (a·b)·3", [15, 6]),
        ("z = a·b + a", [6, 2]),
        ("z = (a·a)·b", [20, 4]),
        ("s = a + b, z = s·(s·b)", [70, 119]),
    ]:
        found = student.run(probe_walk, name)
        shown = {"formula": name, "a": 2.0, "b": 5.0}
        if any(got is None for got in found):
            raise Wrong(
                "the turn of a node has come, and no gradient has reached it: every input of a "
                "node gets a contribution, added to `pending` under that input",
                input=shown,
                expected={"gradients of a and b": expected},
            )
        for leaf, want, got in zip("ab", expected, found):
            if not near(got, want):
                raise Wrong(
                    walk_words(name, leaf, got),
                    input=shown,
                    expected={f"gradient of {leaf}": want},
                    got=got,
                )
        yield f"{name}: the gradients of a and b"

    z, product, *leaves = student.run(probe_spent, True)
    shown = "z = (a·b)·3"
    if any(leaves):
        raise Wrong(
            "the leaves are spent as well: the next graph uses them again, so only a node with an "
            "operation lets go of its inputs",
            input=shown,
        )
    if not (z and product):
        raise Wrong(
            "after the walk the nodes still hold their inputs: memory would never fall, and a "
            "second backward would not be noticed",
            input=shown,
            expected="inputs is None",
        )
    if any(student.run(probe_spent, False)):
        raise Wrong(
            "with consume=False the graph must stay as it is: a drawing walks it and consumes "
            "nothing",
            input=shown,
            expected="inputs as they were",
        )
    yield "nodes let go of their inputs, leaves never do, and nobody does with consume=False"

    got = student.run(probe_rule_number)
    if not (isinstance(got, str) and "rule 2 " in got):
        raise Wrong(
            "errors name a rule by its number, counted from 1", expected="rule 2 of …", got=got
        )
    yield "errors name the right rule"


def walk_words(name, leaf, got):
    if name == "z = (a·b)·3" and near(got, {"a": 5, "b": 2}[leaf]):
        return (
            "the slopes of a chain must multiply: a node hands on what its rule makes of *its "
            "own* gradient g, not of 1"
        )
    if name == "z = (a·a)·b" and leaf == "a":
        return "one operation uses a twice, so a stands in two pairs of `inputs`: both count"
    if name == "z = a·b + a":
        return "a is used twice, by the product and by the sum, and both contributions count"
    return f"the gradient of {leaf} is wrong"


# --- 02.5: central differences ---


def probe_check_gradients(mg, case, x, step):
    """ "accepted", or the words with which check_gradients refuses an operation."""
    more = [np.array([[1.0], [3.0]])] if case == "x · y" else []

    @mg.differentiable
    def square(x, /):
        return x * x, lambda g: 2 * g * x

    @mg.differentiable
    def square_wrong(x, /):
        return x * x, lambda g: 2.02 * g * x

    def neighbours(x):
        return square(x) * x[::-1]

    f = {
        "square": square,
        "square, rule wrong by 1 %": square_wrong,
        "x² times x turned round": neighbours,
        "x turned round": lambda x: x[::-1],
        "x · y": lambda x, y: x * y,
    }[case]
    try:
        right = mg.backprop.check_gradients(f, x, *more, step=step) is True
        return "accepted" if right else "not True"
    except AssertionError as error:
        return str(error)


@check("02.5")
def measuring(student):
    x = np.array([3.0])
    got = student.run(probe_check_gradients, "square", x, 0.25)
    if got != "accepted":
        raise Wrong(
            difference_words(str(got)),
            input={"f": "x²", "x": x, "step": 0.25},
            expected="accepted: the central difference of a square is its slope, for any step",
            got=got,
        )
    yield "a right rule is accepted"

    got = student.run(probe_check_gradients, "square, rule wrong by 1 %", x, 1e-6)
    if got in ("accepted", "not True"):
        raise Wrong(
            "a rule that is wrong by one part in a hundred is accepted: what is compared must be "
            "measured, by calling f, and not taken from the gradient itself",
            input={"f": "x², with the rule 2.02 g x", "x": x},
            expected="AssertionError",
            got=got,
        )
    yield "a wrong rule is refused"

    x = np.array([1.0, 2.0])
    for case in ("square", "x² times x turned round"):
        got = student.run(probe_check_gradients, case, x, 0.25)
        if got != "accepted":
            raise Wrong(
                "with two entries a right rule is refused, though with one it is accepted: after "
                "its turn, each entry must be put back to what it was",
                input={"f": case, "x": x},
                expected="accepted",
                got=got,
            )
    yield "every entry is put back"

    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    for case, words in (
        ("x · y", "a right rule is refused for two inputs, of two axes each"),
        (
            "x turned round",
            "a right rule is refused where the result is a view of x: the result changes when x "
            "is moved again, so take its sum before that",
        ),
    ):
        got = student.run(probe_check_gradients, case, x, 0.25)
        if got != "accepted":
            raise Wrong(words, input={"f": case, "x": x}, expected="accepted", got=got)
    yield "results that are views of x, two inputs, two axes"


def difference_words(refusal):
    """Why a right rule was refused, from the two numbers that the refusal names."""
    numbers = re.search(r"is (\S+), central differences give (\S+)", refusal)
    try:
        found, measured = (float(number) for number in numbers.groups())
        ratio = measured / found
    except (AttributeError, ValueError, ZeroDivisionError):
        return "a right rule is refused"
    if near(ratio, 2.0, 1e-3):
        return "the slope is measured twice too large: the two ends are 2 · step apart"
    if near(ratio, -1.0, 1e-3):
        return "the slope is measured with the wrong sign: the upper end minus the lower one"
    if near(ratio, 6.25 / 6, 1e-3) or near(ratio, 5.75 / 6, 1e-3):
        return (
            "the slope is measured to one side only (f(x + h) - f(x)): that is off by the "
            "curvature, while the central difference is not"
        )
    if 0 < ratio < 1 and not near(ratio, 0.5, 1e-3):
        return "the weights are left out: backward was given the weighted sum, so measure that"
    return "a right rule is refused: the measured slope is wrong"
