"""What the exercises of lesson 02 must do, on graphs so small that their gradients are known.

The graphs are made of `+`, `*` and indexing only, so that they need no exercise of lesson 01.
"""

import re

import numpy as np

from course.checks.vocabulary import Wrong, check, near, require


def array(*rows):
    return np.array(rows, float)


def none(got):
    return got is None


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
    """Uses of different length: p = s * u, v = s + 3, z = p + v. The values of u and v are equal."""
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
        return type(order).__name__
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
            hint = {
                "NoneType": "None came back: is there a `return`?",
                "generator": "a generator came back: collect the nodes in a list, without `yield`",
            }.get(order, f"a {order} came back")
            raise Wrong(f"the order must be a list of nodes; {hint}", input=graph)
        if "?" in order:
            words = (
                "the order must hold the nodes themselves; something in it is no node of the graph"
            )
            raise Wrong(words, input=graph)
        words = order_words([str(name) for name in order], users)
        if words:
            raise Wrong(words, input=graph, got=" ".join(map(str, order)))
        yield f"{graph}: {' '.join(order)}"
    student.expect(
        *(probe_order_of_a_chain, 3000),
        equals=3001,
        otherwise="a chain of 3000 additions has 3001 nodes",
        when={
            "a chain of 3000 additions is too deep for functions that call themselves: keep a list "
            "of what is still to be done": "RecursionError"
        },
    )
    yield "a chain of 3000 additions, without recursion"
    student.expect(
        *(probe_order_of_doublings, 40),
        equals=41,
        otherwise="x doubled 40 times is a graph of 41 nodes",
    )
    yield "a value doubled 40 times: along its nodes, not along its paths"


def order_words(order, users):
    """What is wrong with an order, or "". `users` says by which nodes each node is used."""
    if order[-1:] == ["z"] and order[0] != "z":
        return "the order is the wrong way round: it begins with the root z"
    for name in order:
        if order.count(name) > 1:
            return (
                f"{name} stands in it {order.count(name)} times: a node that is used several "
                "times is ready once, when the last of its uses is ticked off"
            )
    if "v" in users and ("u" in order) != ("v" in order):
        return (
            "of u and v one is missing: they have the same value, and `in` a list compares tensors "
            "by their values. Count, or use a set: it compares by identity"
        )
    for name in {"z": ""} | users:
        if name in order:
            continue
        if set(users) == {"x"}:
            return "x is missing: one operation uses it twice, and each of the two is ticked off"
        leaves = ", the leaves too" if name == "x" else ""
        return f"{name} is missing: every node belongs to the order" + leaves
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
    try:
        return mg.backprop.unbroadcast(g, tuple(shape))
    except TypeError as error:
        return f"TypeError: {error}"


@check("02.2")
def gathering(student):
    averaged = (
        "the contributions are averaged; what is used twice receives the sum of its gradients"
    )

    def gathered(g, shape, equals, otherwise, when=()):
        student.expect(
            probe_unbroadcast,
            g,
            shape,
            equals=equals,
            otherwise=otherwise,
            when=when,
            dtype=g.dtype,
        )

    g = array([1, 2, 3], [4, 5, 6])
    gathered(
        *(g, (2, 3), g, "nothing was stretched here, so g must come back as it is"),
        when={
            "unbroadcast returned None: is there a `return`?": none,
            "NumPy takes several axes as a tuple, and neither as a list nor as a generator: "
            "tuple(...)": lambda got: isinstance(got, str) and "integer" in got,
        },
    )
    gathered(
        *(g, (3,), [5, 7, 9], "the axis that broadcasting put in front must be summed away"),
        when={
            "the axis that broadcasting put in front is still there: each number of the small "
            "array was used in both rows, and gets the sum of both": lambda got: (
                np.shape(got) == (2, 3)
            ),
            averaged: [2.5, 3.5, 4.5],
            "only one of the rows is kept: the gradients of all uses must be added": [1, 2, 3],
        },
    )
    for some in (g, g.astype(np.float32)):
        words = "a single number was used for every entry: it gets the sum of all of g"
        gathered(some, (), 21, words)
    yield "axes that were added in front"

    for shape, equals, mean in [((2, 1), [[6], [15]], [[2], [5]]), ((1, 3), [[5, 7, 9]], None)]:
        gathered(
            *(g, shape, equals),
            "along the axis that was stretched, the gradients must be summed, and the axis kept",
            when={
                "an axis of size 1 was stretched, and its gradients have not been gathered": g,
                "the sums are there, but the axis is gone: the array had it, with size 1 "
                "(keepdims)": lambda got: np.ndim(got) == 1,
                averaged: mean,
            },
        )
    yield "an axis of size 1 that was stretched"

    gathered(
        *(g, (1, 1), [[21]], "both axes were stretched, and both must be summed"),
        when={
            "both axes were stretched, and both must be summed: only one was": lambda got: (
                np.size(got) > 1
            )
        },
    )
    cube, batch = np.arange(12.0).reshape(2, 2, 3), array([1, 2])
    for g, shape, equals, otherwise in [
        (
            *(cube, (2, 1), [[24], [42]]),
            "one axis in front and one that was stretched: both must be undone, one after the other",
        ),
        (
            *(cube, (2, 1, 1), [[[15]], [[51]]]),
            "the last two axes were stretched, and both must be summed",
        ),
        (
            *(batch, (2,), [1, 2]),
            "an axis in front must go even if it has size 1, as in a batch of one",
        ),
        (batch, (1, 2), batch, "an axis of size 1 that was not stretched must be left alone"),
    ]:
        gathered(g, shape, equals, otherwise)
    yield "several axes at once"


# --- 02.3: accumulation ---


def probe_dtype_of_a_part(mg):
    """The dtype of what a part leaves for a node of float32."""
    pending, node = mg.backprop._Pending(), mg.array(np.zeros(3, np.float32))
    pending.add(node, mg.op.Part(np.ones(2, np.float32), slice(0, 2)), False)
    return str(pending.pop(node)[0].dtype)


def probe_pending(mg, shape, arrivals):
    """What `_Pending` gathers for one node from arrivals [array, fresh, index or None].

    Returns the sum, the arrivals as they are afterwards, and whether a sum that is said to be
    nobody else's shares its memory with one of those that are not fresh. The node's own numbers,
    which have no part in it, are nan.
    """
    pending, node, arrays = mg.backprop._Pending(), mg.array(np.full(shape, np.nan)), []
    for array, fresh, index in arrivals:
        arrays.append(np.array(array))
        index = slice(*index["slice"]) if isinstance(index, dict) else index
        part = arrays[-1] if index is None else mg.op.Part(arrays[-1], index)
        try:
            pending.add(node, part, fresh)
        except TypeError as error:
            return {"total": f"TypeError: {error}"}
    if node not in pending.arrays or pending.arrays[node].dtype == object:
        return {"total": "nothing is kept"}
    total, ours = pending.pop(node)
    held = [array for array, (_, fresh, _) in zip(arrays, arrivals) if not fresh]
    return {
        "total": total,
        "arrays": arrays,
        "shared": bool(ours) and any(np.shares_memory(total, array) for array in held),
    }


@check("02.3")
def accumulation(student):
    def gathered(shape, arrivals, equals, otherwise, when=None):
        """`arrivals` come one after another at one node, as (array, fresh) or (array, fresh, index)."""
        arrivals = [(*arrival, None)[:3] for arrival in arrivals]
        found = student.run(probe_pending, shape, arrivals)
        shown = [told(*arrival) for arrival in arrivals]
        require(found["total"], equals, otherwise, when=when, input=shown)
        for number, ((array, fresh, _), after) in enumerate(zip(arrivals, found["arrays"])):
            if not fresh:
                require(
                    *(after, array, lambda got, n=number: written_words(n, arrivals)),
                    input=shown,
                    expected={"that array afterwards": array},
                )
        words = "the sum is said to be ours, but it is an array that somebody else holds"
        require(found["shared"], False, words, input=shown)

    one, two, three = array(1, 2), array(10, 20), array(100, 200)
    alone = "one contribution alone is the gradient; it must be kept as it came"
    lost = "the second contribution is lost: a value that is used twice receives two gradients"
    gathered(
        *((2,), [(one, False)], [1, 2], alone),
        when={
            "nothing is known before the first contribution (`known` is None), so nothing can be "
            "added to it: the first one is kept": lambda got: (
                isinstance(got, str) and "NoneType" in got
            ),
            "nothing is kept for the node: give the sum the name `known`, which the lines below "
            "the exercise keep": "nothing is kept",
        },
    )
    gathered(
        *((2,), [(one, False), (two, False)], [11, 22], "the sum of two contributions is wrong"),
        when={
            "the second contribution overwrote the first: a value that is used twice receives two "
            "gradients, and they add (`=` where `+=` is meant)": two,
            lost: one,
            "the two contributions are averaged, but they add": [5.5, 11],
        },
    )
    third = "the sum of two is right, but the third contribution is not added to it"
    gathered((2,), [(one, False), (two, False), (three, False)], [111, 222], third)
    yield "contributions add up, and nothing of anybody else's is written to"

    words = "the sum is wrong where an array is fresh: fresh says that it may be written, no more"
    for first, second in [(True, False), (False, True), (True, True)]:
        gathered((2,), [(one, first), (two, second), (three, False)], [111, 222], words)
    numbers = [(np.array(x), False) for x in (1.0, 2.0, 3.0)]
    gathered((), numbers, 6, "the sum is wrong for single numbers, arrays of shape ()")
    yield "the same with fresh arrays, and with single numbers"

    front, back = {"slice": [0, 2]}, {"slice": [1, 3]}
    part, second, whole = (one, False, front), (two, False, back), (array(100, 200, 300), False)
    twice = (array(1, 2, 4), False, [0, 2, 2])
    for arrivals, equals, otherwise in [
        (
            *([part], [1, 2, 0]),
            "a part alone: its entries in their place, zeros elsewhere, in the shape of the node",
        ),
        ([part, second], [1, 12, 20], "two parts of one array are not added"),
        (
            *([whole, second], [100, 210, 320]),
            "a part that comes after a whole array must be added into it (or into a copy)",
        ),
        (
            *([part, whole], [101, 202, 300]),
            "a whole array that comes after a part must be added to it",
        ),
        (
            *([twice], [1, 0, 6]),
            "a part that names a place twice must be added twice there: `_add_part` does it",
        ),
    ]:
        replaced = (
            "the second part replaced the first: where something is known, the part is added "
        )
        itself = (
            "the node's own numbers are in its gradient: begin with zeros of their shape and dtype"
        )
        when = {
            replaced + "to that": [0, 10, 20],
            itself: lambda got: not isinstance(got, str) and np.isnan(got).any(),
            "a part leaves nothing: `known` is None after your lines. `_add_part` adds in place and "
            "returns None, so `known` is the array that it was given": "nothing is kept",
        }
        gathered((3,), arrivals, equals, otherwise, when)
    student.expect(
        probe_dtype_of_a_part,
        equals="float32",
        otherwise="the zeros for a part have NumPy's dtype, float64, and should have the node's: "
        "the gradient of a float32 table would take twice the memory",
    )
    yield "parts of an array"


def written_words(number, arrivals):
    """The diagnosis when another owner's array was overwritten."""
    if number > 0:
        return (
            "the sum is right, but it was written into the array that came last, although that is not fresh: somebody "
            "else holds it, and finds another gradient there"
        )
    if arrivals[1][2] is not None:
        return (
            "the sum is right, but the part was added into an array that is not ours: others hold it too, so a part "
            "needs a copy of it first"
        )
    return (
        "the sum is right, but it was written into the first array, which other nodes hold too: their gradients have "
        "changed with it"
    )


def told(array, fresh, index):
    """One arrival in words, for the example that a diagnosis shows."""
    if isinstance(index, dict):
        index = "[{}:{}]".format(*index["slice"])
    place = "" if index is None else f" at {index}"
    return f"{array.tolist()}{place} ({'fresh' if fresh else 'not fresh'})"


# --- 02.4: the walk ---


def shared(a, b):
    s = a + b
    return s * (s * b)


FORMULAS = {  # each with its gradients at a = 2, b = 5
    "z = a·b": (lambda a, b: a * b, [5, 2]),
    "z = (a·b)·3": (lambda a, b: a * b * 3.0, [15, 6]),
    "z = a·b + a": (lambda a, b: a * b + a, [6, 2]),
    "z = (a·a)·b": (lambda a, b: a * a * b, [20, 4]),
    "s = a + b, z = s·(s·b)": (shared, [70, 119]),
}


def formula(mg, name):
    """The leaves and the end of a formula."""
    a, b = mg.array(2.0, requires_grad=True), mg.array(5.0, requires_grad=True)
    return a, b, FORMULAS[name][0](a, b)


def probe_walk(mg, name):
    a, b, z = formula(mg, name)
    try:
        found = mg.backprop.gradients(z)
    except KeyError:  # a node's turn has come, and `pending` knows nothing of it
        return [None, None]
    except TypeError as error:
        return f"TypeError: {error}"
    return [found.get(a), found.get(b)]


def probe_spent(mg, consume):
    """Which nodes have let go of their inputs after the walk through z = (a·b)·3."""
    a, b, z = formula(mg, "z = (a·b)·3")
    product = z.inputs[0][0]
    mg.backprop.gradients(z, consume=consume)
    return [node.inputs is None for node in (z, product, a, b)]


def probe_rule_number(mg, wrong_rule):
    """The complaint about an operation of which one rule returns the wrong shape."""

    def rule(number):
        return lambda g: np.ones(7) if number == wrong_rule else g

    @mg.differentiable
    def one_rule_wrong(a, b, /):
        return a + b, rule(1), rule(2)

    x, y = mg.array([1.0], requires_grad=True), mg.array([2.0], requires_grad=True)
    try:
        mg.backprop.gradients(one_rule_wrong(x, y))
    except RuntimeError as error:
        return re.sub(r"(rule \d+) .*", r"\1", str(error))
    return "no complaint"


def probe_grads(mg, name):
    """Whether a leaf or an inner node of a formula has a `grad` after the walk."""
    a, b, z = formula(mg, name)
    inner = [x for x, _ in z.inputs]
    mg.backprop.gradients(z)
    return any(node.grad is not None for node in (a, b, z, *inner))


@check("02.4")
def the_walk(student):
    for name, (_, gradients) in FORMULAS.items():
        found = student.run(probe_walk, name)
        shown = {"formula": name, "a": 2.0, "b": 5.0}
        if isinstance(found, str):
            hint = (
                ": the inputs were None already when the loop read them. Read them before the node "
            )
            hint = hint + "lets go of them" if "NoneType" in found else ""
            raise Wrong(f"the walk raised {found}{hint}", input=shown)
        if any(got is None for got in found):
            raise Wrong(
                "the turn of a node has come, and no gradient has reached it: every input of a "
                "node gets a contribution, added to `pending` under that input",
                input=shown,
                expected={"gradients of a and b": gradients},
            )
        for of, equals, got in zip("ab", gradients, found):
            require(
                *(got, equals, f"the gradient of {of} is wrong"),
                when={
                    "`_apply` returns two things, the gradient and whether it is fresh, and both go "
                    "on: pending.add(x, *_apply(...))": lambda got: np.shape(got) == (2,)
                }
                | walk_diagnoses(name, of),
                input=shown,
                expected={f"gradient of {of}": equals},
            )
        yield f"{name}: the gradients of a and b"

    if student.run(probe_grads, "z = (a·b)·3"):
        raise Wrong(
            "a `grad` was set: `gradients` returns what it finds, and whoever called it decides "
            "where that goes",
            input="z = (a·b)·3",
            expected="grad is None",
        )
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

    for number in (2, 1):
        student.expect(
            *(probe_rule_number, number),
            equals=f"rule {number}",
            otherwise="errors name a rule by its number, counted from 1",
            when={
                "a rule returned another shape than its input's, and nobody has looked: let "
                "`_apply` call the rule, which checks what comes back": "no complaint"
            },
        )
    yield "errors name the right rule"


def walk_diagnoses(name, of):
    """The better words for a wrong gradient of a or b, with the value that each explains."""
    if name == "z = (a·b)·3":
        words = "the derivatives of a chain must multiply: a node hands on what its rule makes of "
        return {words + "*its own* gradient g, not of 1": {"a": 5, "b": 2}[of]}
    if name == "z = (a·a)·b" and of == "a":
        words = "one operation uses a twice, so a stands in two pairs of `inputs`: both count"
        return {words: lambda got: True}
    if name == "z = a·b + a" and of == "a":
        words = "a is used twice, by the product and by the sum, and both contributions count"
        return {words: lambda got: True}
    if name == "z = a·b + a":
        words = (
            "b got the product's gradient after it had been overwritten: the sum's rules return "
        )
        words += "g itself, so a and the product hold one array. It is not fresh, as the second "
        return {words + "thing that `_apply` returns says: hand that on to `pending.add`": 12}
    return {}


# --- 02.5: central differences ---


def squared_by(factor):
    """x², with the derivative `factor` · x."""

    def square(x, /):
        return x * x, lambda g: factor * g * x

    return square


def times_turned_round(x):
    return x * x * x[::-1]


def turned_round(x):
    return x[::-1]


def product(x, y):
    return x * y


def cubed(x):
    return x * x * x


def probe_check_gradients(mg, f, x, step):
    """ "accepted", or the words with which check_gradients refuses a function."""
    function = {
        "x²": mg.differentiable(squared_by(2.0)),
        "x², with the rule 2.02 g x": mg.differentiable(squared_by(2.02)),
        "x² times x turned round": times_turned_round,
        "x turned round": turned_round,
        "x³": cubed,
        "x · y": product,
    }[f]
    arrays = [x, np.array([[1.0], [3.0]])] if function is product else [x]
    try:
        right = mg.backprop.check_gradients(function, *arrays, step=step) is True
        return "accepted" if right else "not True"
    except AssertionError as error:
        return str(error)
    except (TypeError, ValueError) as error:
        return f"{type(error).__name__}: {error}"


@check("02.5")
def measuring(student):
    def accepted(f, x, otherwise):
        student.expect(*(probe_check_gradients, f, x, 0.25), equals="accepted", otherwise=otherwise)

    accepted("x²", array(3), difference_words)  # the central difference is exact for any step
    yield "a right rule is accepted"

    f, x = "x², with the rule 2.02 g x", array(3)
    if student.run(probe_check_gradients, f, x, 1e-6) in ("accepted", "not True"):
        raise Wrong(
            "a rule that is wrong by one part in a hundred is accepted: what is compared must be "
            "measured, by calling f, and not taken from the gradient itself",
            input={"f": f, "x": x},
            expected="AssertionError",
        )
    if student.run(probe_check_gradients, "x³", array(3), 0.25) == "accepted":
        raise Wrong(
            "`step` has no effect: the two ends are x + step and x - step. Over a step of 0.25 the "
            "slope of x³ at 3 is measured as 27.06, which is too far from 27",
            input={"f": "x³", "x": array(3), "step": 0.25},
            expected="AssertionError",
        )
    yield "a wrong rule is refused, and `step` is the step that is used"

    words = "with two entries a right rule is refused, though with one it is accepted: after its "
    for f in ("x²", "x² times x turned round"):
        accepted(f, array(1, 2), words + "turn, each entry must be put back to what it was")
    yield "every entry is put back"

    def of_two_inputs(got):
        if "ambiguous" in got:
            return "`expected` must be one number: Python's sum adds rows, so use .sum() or np.sum"
        if "missing 1" in got:
            return "f takes all its inputs: call run(arrays), in which x stands, and not run([x])"
        return "a right rule is refused for two inputs, of two axes each"

    x = array([1, 2], [3, 4])
    accepted("x · y", x, of_two_inputs)
    words = "a right rule is refused where the result is a view of x: the result changes when x is "
    accepted("x turned round", x, words + "moved again, so take its sum before that")
    yield "results that are views of x, two inputs, two axes"


def difference_words(refusal):
    """Why a right rule was refused, from the two numbers that the refusal names."""
    numbers = re.search(r"is (\S+), central differences give (\S+)", str(refusal))
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
    if near(ratio, 0.25**2, 1e-3):
        return "`/ 2 * step` divides by 2 and multiplies by step: write / (2 * step)"
    if 0 < ratio < 1 and not near(ratio, 0.5, 1e-3):
        return "the weights are left out: backward was given the weighted sum, so measure that"
    return "a right rule is refused: the measured slope is wrong"
