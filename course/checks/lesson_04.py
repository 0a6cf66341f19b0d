"""What the exercises of lesson 04 must do, on modules of a few numbers."""

import numpy as np

from course.checks.vocabulary import Wrong, check, near


def is_real(array):
    """Whether it is an array of floating-point numbers, as the data of a parameter should be."""
    return isinstance(array, np.ndarray) and array.dtype.kind == "f"


# --- 04.1: the walk ---


def parameter(mg):
    return mg.nn.Parameter(np.zeros(2, np.float32))


def module(mg, **attributes):
    """A module with these attributes, in this order."""
    result = mg.nn.Module()
    for name, value in attributes.items():
        setattr(result, name, value)
    return result


def flat(mg):
    return module(mg, weight=parameter(mg), size=3, bias=parameter(mg), nothing=None)


def nested(mg):
    return module(mg, first=module(mg, weight=parameter(mg)), scale=parameter(mg))


def in_a_list(mg):
    blocks = [module(mg, weight=parameter(mg)) for _ in range(2)]
    return module(mg, blocks=blocks, pair=(parameter(mg), 5))


def in_a_dictionary(mg):
    return module(mg, parts={"a": parameter(mg), "b": [module(mg, bias=parameter(mg))]})


def shared_parameter(mg):
    result = module(mg, first=module(mg, weight=parameter(mg)), second=module(mg))
    result.second.weight = result.first.weight
    result.second.bias = parameter(mg)
    return result


def shared_module(mg):
    layer = module(mg, weight=parameter(mg))
    return module(mg, layers=[layer, layer], again=layer)


def equal_parameters(mg):
    """Two that are not shared, although they hold the same numbers."""
    return module(mg, first=parameter(mg), second=parameter(mg))


def circle(mg):
    result = module(mg, child=module(mg, weight=parameter(mg)))
    result.child.parent = result
    return result


def in_a_row(mg):
    """A module that answers `children` itself, with numbers for names, as Sequential does."""

    class Row(mg.nn.Module):
        def children(self):
            return enumerate(self.layers)

    result = Row()
    result.layers = [module(mg, weight=parameter(mg)), parameter(mg)]
    return result


MODULES = {
    "two parameters that are equal and not shared": (equal_parameters, ["first", "second"]),
    "weight and bias as attributes": (flat, ["weight", "bias"]),
    "a module inside a module": (nested, ["first", "first.weight", "scale"]),
    "modules in a list, a parameter in a tuple": (
        in_a_list,
        ["blocks.0", "blocks.0.weight", "blocks.1", "blocks.1.weight", "pair.0"],
    ),
    "a dictionary, and a list inside it": (
        in_a_dictionary,
        ["parts.a", "parts.b.0", "parts.b.0.bias"],
    ),
    "second.weight is first.weight": (
        shared_parameter,
        ["first", "first.weight", "second", "second.bias"],
    ),
    "one module three times": (shared_module, ["layers.0", "layers.0.weight"]),
    "a child that refers back to its parent": (circle, ["child", "child.weight"]),
    "a module whose children() gives numbers for names": (in_a_row, ["0", "0.weight", "1"]),
}


def probe_walk(mg, name):
    """The paths, with "!" where the part is not the one that stands at its path."""
    root = MODULES[name][0](mg)
    try:
        found = root._walk()
    except RecursionError:
        return "RecursionError: it walks in a circle without end"
    if not isinstance(found, list):
        return f"a {type(found).__name__}"
    paths = []
    for path, part in found:
        if not isinstance(path, str):
            return f"{path!r} for a path"
        kind = isinstance(part, (mg.nn.Module, mg.nn.Parameter))
        paths.append(path if kind else f"{path} (a {type(part).__name__})")
    return paths


@check("04.1")
def walk(student):
    for name, (_, expected) in MODULES.items():
        got = student.run(probe_walk, name)
        if got != expected:
            raise Wrong(walk_words(name, expected, got), input=name, expected=expected, got=got)
        yield f"{name}: {', '.join(expected)}"


def walk_words(name, expected, got):
    """What is wrong with the paths `got`."""
    if not isinstance(got, list):
        if "RecursionError" in str(got):
            return "a module that refers back to one that contains it: note the root as seen too"
        return "the walk must return a list of pairs (path, part), each path a text"
    got = [str(path) for path in got]
    if got and got[0].startswith("layers.") and expected[0] == "0":
        return "a module says by `children` what is inside it: ask `_children`, the root's too"
    missing = [path for path in expected if path not in got]
    extra = [path for path in got if path not in expected]
    if any(" (a " in path for path in extra):
        return "what is neither a parameter nor a module stands in the result"
    if name == "two parameters that are equal and not shared" and missing == ["second"]:
        return (
            "two different parameters with equal numbers count as one: compare by identity, "
            "id(part), not by value or shape"
        )
    if sorted(extra) and not missing:
        if name == "a child that refers back to its parent":
            return "the root itself was found again through its child: note it as seen too"
        if extra[0] in ("layers.1", "again", "layers.1.weight", "again.weight", "second.weight"):
            return (
                f"{extra[0]} is a part that was met before, under another path: take each part "
                "once, or a tied weight is moved twice and counted twice"
            )
        return "there is more in the result than parameters and modules inside"
    if any(path.strip(".") in missing for path in got):
        return "a path begins or ends with a dot: the attributes of the root have none before them"
    if sorted(got) == sorted(expected):
        return (
            "the order is another one: a module stands before what is inside it, and everything "
            "inside it before the next attribute"
        )
    if [path for path in expected if "." not in path or path[-1].isdigit()] == got:
        return "modules are found, but what is inside them is not: go into each part that is found"
    if not any("." in path for path in got):
        return (
            "nothing is found further down than the attributes: go into modules, lists, tuples "
            "and dictionaries too"
        )
    if missing and all("." not in path for path in missing):
        return "a part directly under the root is missing"
    if {path.split(".")[-1] for path in expected} & set(extra):
        return "the paths are not joined: a name comes after those on the way to it, with dots"
    return "parts are missing, or stand under another path"


# --- 04.2: Xavier's bound ---


def probe_xavier(mg, shape, gain, seed):
    weight = mg.nn.Parameter(np.zeros(shape, np.float32))
    result = mg.nn.init.xavier_uniform_(weight, gain, np.random.default_rng(seed))
    return [weight.data, result is weight]


def probe_xavier_of_the_library(mg, seed):
    weight = mg.nn.Parameter(np.zeros((2, 3), np.float32))
    mg.manual_seed(seed)
    mg.nn.init.xavier_uniform_(weight)
    return weight.data


@check("04.2")
def xavier(student):
    def ends(shape, gain=1.0, seed=0):
        """The smallest and the largest of the numbers."""
        got = student.run(probe_xavier, shape, gain, seed)
        weight, same = got if isinstance(got, list) and len(got) == 2 else (None, False)
        if not is_real(weight) or weight.shape != tuple(shape):
            raise Wrong(
                "the parameter must keep its shape, and hold real numbers",
                input={"shape": shape},
                got=weight,
            )
        if weight.dtype != np.float32:
            raise Wrong(
                "the parameter was float32 and must stay so: fill its array in place",
                input={"shape": shape},
                got=str(weight.dtype),
            )
        if not same:
            raise Wrong("an initialiser returns the parameter that it filled", input=shape)
        return weight, float(weight.min()), float(weight.max())

    shape = (20, 580)  # √(6 / 600) = 0.1
    weight, low, high = ends(shape)
    given = {"shape (out, in)": shape, "gain": 1.0}
    if low == high:
        raise Wrong(
            "the weight holds one number everywhere: fill it at random", input=given, got=low
        )
    if not near(low, -high, 0.02):
        raise Wrong(
            "the two ends must be equal but for the sign: between -a and a",
            input=given,
            expected="-0.1 and 0.1",
            got=f"{low:.4f} and {high:.4f}",
        )
    if abs(weight.std() * 3**0.5 - high) > 0.05 * high:
        raise Wrong(
            "the numbers must be uniform, all equally likely between the two ends", input=given
        )
    if not near(high, 0.1, 0.002):
        words = "the bound is √3 times the standard deviation √(2 / (inputs + outputs))"
        if near(high, (2 / 600) ** 0.5, 0.002):
            words = (
                "the bound is what the standard deviation should be: a uniform distribution on "
                "[-a, a] has the standard deviation a / √3"
            )
        elif near(high, (3 / 580) ** 0.5, 0.0005):
            words = "only the inputs are counted: Xavier takes the mean of inputs and outputs"
        elif near(high, 0.01, 0.002):
            words = "the root is missing: 6 / (inputs + outputs) is the square of the bound"
        raise Wrong(words, input=given, expected="0.1", got=f"{high:.4f}")
    yield "uniform between -√(6 / (inputs + outputs)) and that"
    _, _, turned = ends((580, 20))
    if not near(turned, 0.1, 0.002):
        raise Wrong(
            "inputs and outputs count alike",
            input={"shape (out, in)": (580, 20)},
            expected="0.1",
            got=f"{turned:.4f}",
        )
    yield "inputs and outputs count alike"
    _, low, high = ends(shape, 5.0)
    if not near(high, 0.5, 0.01):
        words = "a gain of 5 makes the numbers five times as large"
        if near(high, 0.1, 0.002):
            words = "the gain has no effect: it is a factor of the bound"
        elif near(high, 0.1 * 5**0.5, 0.005):
            words = "the gain stands under the root: it is a factor of the whole bound"
        raise Wrong(words, input=given | {"gain": 5.0}, expected="0.5", got=f"{high:.4f}")
    yield "the gain is a factor"
    again, other = ends(shape)[0], ends(shape, seed=1)[0]
    if not near(again, weight, 1e-6) or near(other, weight, 1e-6):
        raise Wrong(
            "the generator that is given must be drawn from: hand it on to uniform_",
            input="the same seed twice, then another",
        )
    first, second = (student.array(probe_xavier_of_the_library, 3, shape=(2, 3)) for _ in range(2))
    other = student.array(probe_xavier_of_the_library, 4, shape=(2, 3))
    if not near(first, second) or near(first, other):
        raise Wrong("without a generator, draw from the library's: manual_seed has no effect")
    yield "chance comes from the generator given, or from the library's own"


# --- 04.3: Linear's parameters ---


def probe_linear(mg, inputs, outputs, bias, seed):
    """The names, shapes and numbers of what the walk would find, and what the bias is."""
    mg.manual_seed(seed)
    layer = mg.nn.Linear(inputs, outputs, bias)
    found = {}
    for name, value in vars(layer).items():
        if isinstance(value, mg.nn.Parameter):
            found[name] = value.data
    kinds = {name: type(value).__name__ for name, value in vars(layer).items()}
    return [found, kinds]


def probe_linear_forward(mg, x, bias):
    layer = mg.nn.Linear(3, 2, bias)
    weight = layer.weight.data
    expected = x @ weight.T + (layer.bias.data if bias else 0)
    return [layer(mg.array(x)).data, expected]


@check("04.3")
def linear(student):
    def parameters(inputs, outputs, bias=True, seed=0):
        got = student.run(probe_linear, inputs, outputs, bias, seed)
        found, kinds = got if isinstance(got, list) and len(got) == 2 else [{}, {}]
        for name, data in found.items():
            if not is_real(data):
                raise Wrong(f"self.{name} must hold an array of floating-point numbers", got=data)
        return found, kinds

    given = "Linear(3, 2)"
    found, kinds = parameters(3, 2)
    for name, shape in (("weight", (2, 3)), ("bias", (2,))):
        if name not in found:
            words = f"self.{name} is missing"
            if kinds.get(name) == "NoneType":
                words = f"self.{name} is None although a {name} is wanted"
            elif name in kinds:
                words = (
                    f"self.{name} is no Parameter: the walk passes it over, so that it is never "
                    "trained, saved or counted"
                )
            raise Wrong(
                words,
                input=given,
                expected=f"a Parameter of shape {shape}",
                got=kinds.get(name, "nothing"),
            )
        if found[name].shape != shape:
            words = f"self.{name} has another shape"
            if name == "weight" and found[name].shape == shape[::-1]:
                words = "the weight is the wrong way round: a row for each output, (out, in)"
            elif name == "bias" and found[name].shape == (3,):
                words = "the bias is added to the outputs, so it has one number for each output"
            raise Wrong(words, input=given, expected=shape, got=found[name].shape)
        if found[name].dtype != np.float32:
            raise Wrong(
                f"self.{name} must be float32: float64 makes a model twice as large",
                input=given,
                expected="float32",
                got=str(found[name].dtype),
            )
    if set(found) != {"weight", "bias"}:
        raise Wrong(
            "a Linear has the parameters weight and bias, and no other",
            input=given,
            got=sorted(found),
        )
    yield "a weight (out, in) and a bias (out,), both Parameters of float32"

    found, _ = parameters(100, 3000)  # 1/√100 = 0.1
    given = "Linear(100, 3000)"
    for name in ("weight", "bias"):
        numbers = found.get(name, np.zeros(1))
        low, high = float(numbers.min()), float(numbers.max())
        if low == high:
            raise Wrong(
                f"the {name} holds one number everywhere: fill it at random", input=given, got=low
            )
        if not near(high, 0.1, 0.002) or not near(low, -0.1, 0.002):
            words = f"the {name} must lie in ±1/√in_features"
            if name == "weight" and near(high, 0.6**0.5 * 10**-0.5, 0.01):
                words = (
                    "the weight has kaiming_uniform_'s own gain, √2 for relu: here the gain is "
                    "√(1/3), which makes the bound 1/√in_features"
                )
            elif name == "weight" and near(high, 0.1 / 3**0.5, 0.002):
                words = "the weight's gain is 1/3: it should be the root of that"
            elif name == "bias" and near(high, 3000**-0.5, 0.002):
                words = "the bias counts the outputs: its bound too is 1/√in_features"
            elif name == "bias" and near(high, 0.01, 0.002):
                words = "the root is missing in the bias's bound: 1/√in_features, not 1/in_features"
            elif name == "bias" and near((low, high), (0.0, 1.0), 0.01):
                words = "the bias lies between 0 and 1, as uniform_ does it unless told otherwise"
            raise Wrong(
                words,
                input=given,
                expected="between -0.1 and 0.1",
                got=f"between {low:.4f} and {high:.4f}",
            )
        if abs(numbers.std() * 3**0.5 - 0.1) > 0.01:
            raise Wrong(f"the {name} must be uniform between the two ends", input=given)
    again, other = parameters(100, 3000)[0], parameters(100, 3000, seed=1)[0]
    for name in ("weight", "bias"):
        if not near(again[name], found[name], 1e-6) or near(other[name], found[name], 1e-6):
            raise Wrong(
                f"the {name} must be drawn by the library's generator, as the initialisers "
                "do: manual_seed has no effect on it",
                input=given,
            )
    yield "both uniform in ±1/√in_features, and repeated after manual_seed"

    found, kinds = parameters(3, 2, bias=False)
    if "weight" not in found or kinds.get("bias") != "NoneType":
        raise Wrong(
            "without a bias, self.bias must be None: forward reads it, and hands it on",
            input="Linear(3, 2, bias=False)",
            expected="NoneType",
            got=kinds.get("bias", "no such attribute"),
        )
    yield "without a bias, None stands in its place"
    x = np.array([[1.0, 2.0, 3.0]], np.float32)
    for bias in (True, False):
        got = student.run(probe_linear_forward, x, bias)
        if not isinstance(got, list) or len(got) != 2 or not near(got[0], got[1], 1e-4):
            raise Wrong("calling the layer must give x @ weight.T + bias", input=x)
    yield "calling it gives x @ weight.T + bias"


# --- 04.4: Dropout ---


def probe_dropout(mg, x, p, mode):
    """The result of a layer that is "new", or after train() ("training"), or eval() ("in use")."""
    mg.manual_seed(1)
    layer = mg.nn.Dropout(p)
    if mode != "new":
        layer.training = mode == "training"
    return layer(mg.array(x)).data


@check("04.4")
def dropout(student):
    x = np.ones((100, 100), np.float32)
    got = student.array(probe_dropout, x, 0.25, "in use", shape=x.shape)
    if not near(got, x):
        words = "in use dropout must do nothing"
        if near(float(np.mean(got == 0)), 0.25, 0.03) or near(float(np.mean(got == 0)), 0.5, 0.03):
            words = (
                "dropout is alive after eval(): the layer's own flag, self.training, must reach "
                "the function"
            )
            if near(student.array(probe_dropout, x, 0.25, "training", shape=x.shape), x):
                words = (
                    "training and evaluation are exchanged: elements are dropped after eval(), and "
                    "none in training"
                )
        raise Wrong(
            words,
            input="ones, p = 0.25, training = False",
            expected="ones",
            got=f"{np.mean(got == 0):.2f} of them zero",
        )
    yield "after eval() nothing is dropped"
    for p in (0.25, 0.75):
        for mode in ("new", "training"):
            got = student.array(probe_dropout, x, p, mode, shape=x.shape)
            dropped = float(np.mean(got == 0))
            if not near(dropped, p, 0.03):
                words = "in training, each element is dropped with the layer's own probability"
                if dropped == 0:
                    words = "nothing is dropped in training, so the layer has no effect at all"
                elif near(dropped, 0.5, 0.03):
                    words = (
                        "half of the elements are dropped whatever p is: that is the function's "
                        "default, so self.p does not reach it"
                    )
                elif near(dropped, 1 - p, 0.03):
                    words = "p is the probability to be dropped, here taken for that to be kept"
                raise Wrong(
                    words,
                    input=f"ones, p = {p}, training = True",
                    expected=f"{p} of them zero",
                    got=f"{dropped:.2f} of them zero",
                )
            kept = got[got != 0]
            if not near(kept, np.full(kept.shape, 1 / (1 - p)), 1e-3):
                raise Wrong(
                    "what is kept is divided by 1 - p once: the function does that already",
                    input=f"ones, p = {p}, training = True",
                    expected=1 / (1 - p),
                    got=float(kept[0]),
                )
        if not near(student.array(probe_dropout, x, p, mode, shape=x.shape), got):
            raise Wrong(
                "after the same manual_seed other elements are dropped: leave the drawing "
                "to functional.dropout"
            )
        yield f"in training, {p} of the elements are dropped"


# --- 04.5: Sequential ---


def probe_sequential(mg, names, x):
    """Layers that double (D), add 1 (A) or square (S), in a row."""
    steps = {"D": lambda x: x * 2.0, "A": lambda x: x + 1.0, "S": lambda x: x * x}
    layers = []
    for name in names:
        layer = mg.nn.Module()
        layer.forward = steps[name]
        layers.append(layer)
    x = mg.array(x)
    network = mg.nn.Sequential(*layers)
    result = network(x)
    if result is None:
        return "None"
    return ["x itself" if result is x else "", result.data, network(x).data]


@check("04.5")
def sequential(student):
    x = np.array([3.0], np.float32)
    what = {"D": "double", "A": "add 1", "S": "square"}
    for names, expected in (("D", 6.0), ("DA", 7.0), ("AD", 8.0), ("ADS", 64.0)):
        got = student.run(probe_sequential, names, x)
        given = {"layers": [what[name] for name in names], "x": 3.0}
        if not isinstance(got, list) or len(got) != 3:
            raise Wrong(
                "forward must return what the last layer returned",
                input=given,
                expected=expected,
                got=got,
            )
        _, got, again = got
        if near(got, [expected]) and not near(again, got):
            raise Wrong(
                "called again it gives something else: a call must not change self.layers",
                input=given,
                expected=expected,
                got=again,
            )
        if not near(got, [expected]):
            words = "each layer gets what the one before returned"
            if near(got, [3.0]):
                words = "x comes back unchanged: keep what each layer returns"
            elif names == "DA" and near(got, [6.0]):
                words = "only the first layer was called: the return stands inside the loop"
            elif names == "DA" and near(got, [4.0]):
                words = (
                    "the last layer got x itself, so the layers before it had no effect: hand on "
                    "the newest result"
                )
            elif names == "DA" and near(got, [8.0]):
                words = "the layers were called from the last to the first"
            elif names == "D" and near(got, [9.0]):
                words = "the results of the layers were added: hand each on to the next one instead"
            raise Wrong(words, input=given, expected=expected, got=got)
        yield f"{', '.join(given['layers'])}: 3 becomes {expected:g}"
    got = student.run(probe_sequential, "", x)
    if not isinstance(got, list) or got[0] != "x itself":
        raise Wrong("without layers, x itself comes back", input={"layers": [], "x": 3.0}, got=got)
    yield "no layers: x itself"
