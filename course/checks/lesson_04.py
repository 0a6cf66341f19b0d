"""What the exercises of lesson 04 must do, on modules of a few numbers."""

import numpy as np

from course.checks.vocabulary import Wrong, WrongForm, check, near, require


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


def equal_parameters(mg):
    """Two that are not shared, although they hold the same numbers."""
    return module(mg, first=parameter(mg), second=parameter(mg))


def flat(mg):
    bias = mg.nn.Parameter(np.ones(3, np.float32))
    return module(mg, weight=parameter(mg), size=3, nothing=None, bias=bias)


def with_a_buffer(mg):
    return module(mg, mean=mg.nn.Buffer(np.zeros(2)), value=mg.zeros(2), scale=parameter(mg))


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
    "weight and bias as attributes": (flat, "weight bias"),
    "two parameters that are equal and not shared": (equal_parameters, "first second"),
    "a buffer, a plain tensor and a parameter": (with_a_buffer, "mean scale"),
    "a module inside a module": (nested, "first first.weight scale"),
    "modules in a list, a parameter in a tuple": (
        in_a_list,
        "blocks.0 blocks.0.weight blocks.1 blocks.1.weight pair.0",
    ),
    "a dictionary, and a list inside it": (in_a_dictionary, "parts.a parts.b.0 parts.b.0.bias"),
    "second.weight is first.weight": (shared_parameter, "first first.weight second second.bias"),
    "one module three times": (shared_module, "layers.0 layers.0.weight"),
    "a child that refers back to its parent": (circle, "child child.weight"),
    "a module whose children() gives numbers for names": (in_a_row, "0 0.weight 1"),
}


def probe_walk(mg, what):
    """The paths, each with what stands there if that is no part of a module; or what is wrong."""
    try:
        found = MODULES[what][0](mg)._walk()
    except RecursionError:
        return "it walks without end"
    if not isinstance(found, list):
        return f"a {type(found).__name__}"
    for pair in found:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            return f"a list of {type(pair).__name__}"
    kinds = mg.nn.Module, mg.nn.Parameter, mg.nn.Buffer
    if found and isinstance(found[0][0], kinds):
        return "a list of pairs (part, path)"
    return [
        f"{path!r}, no text" * (not isinstance(path, str))
        or f"{path} (a {type(part).__name__})" * (not isinstance(part, kinds))
        or path
        for path, part in found
    ]


def probe_walk_again(mg):
    """The paths of a module that was walked before, and then got one more parameter."""
    root = nested(mg)
    root._walk()
    root.first.bias = parameter(mg)
    return [path for path, _ in root._walk()]


@check("04.1")
def walk(student):
    for name, (_, paths) in MODULES.items():
        student.expect(
            probe_walk,
            name,
            equals=paths.split(),
            otherwise=lambda got, name=name, paths=paths: walk_words(name, paths.split(), got),
            given=name,
        )
        yield f"{name}: {', '.join(paths.split())}"
    student.expect(
        probe_walk_again,
        equals="first first.weight first.bias scale".split(),
        otherwise="each walk begins anew: what a walk before has seen or found must not be kept, "
        "on the module or its class, or a new attribute is never found",
        given="a module that was walked, and then got first.bias",
    )
    yield "a module that was walked before, with a new attribute"


def walk_words(name, expected, got):
    """What is wrong with the paths `got`."""
    if got == "it walks without end":
        if name in ("one module three times", "a child that refers back to its parent"):
            return "a module that refers back to one that contains it: note the root as seen too"
        return (
            "it walks without end, although nothing here refers back: are parts compared by == or "
            "`in`? Compare by identity, `is` or id(part)"
        )
    if got == "a list of pairs (part, path)":
        return "the pairs are the wrong way round: (path, part), the path first"
    if str(got).startswith("a list of"):
        return "each entry is a pair, (path, part): the path is the name that the part is found by"
    if not isinstance(got, list):
        return "the walk must return a list of pairs (path, part): list(...) makes one"
    got = [str(path) for path in got]
    missing = [path for path in expected if path not in got]
    extra = [path for path in got if path not in expected]
    if any("no text" in path for path in got):
        return "a path is a text, also where the name is a number: str(name)"
    if "" in got:
        return "the module itself stands in the result: only what is inside it belongs there"
    if got and got[0].startswith("layers.") and expected[0] == "0":
        return "a module says by `children` what is inside it: ask `_children`, the root's too"
    if missing == ["mean"]:
        return "the buffer is missing: it is not learned, but it is saved, so the walk must find it"
    if got == expected[-1:] and len(missing) == 1:
        return (
            "only the last attribute is found: either the first one was cut off (found[1:], where "
            "the module itself is not in the list), or a function made in a loop (a lambda) read "
            "the loop's variable when it was called, and then it is the last one"
        )
    if any(" (a " in path for path in extra):
        return "something stands in the result that is no parameter, buffer or module"
    if name == "two parameters that are equal and not shared" and missing == ["second"]:
        return (
            "two different parameters with equal numbers count as one: compare by identity, "
            "id(part), not by value or shape"
        )
    if extra and not missing:
        if name == "a child that refers back to its parent":
            return "the root itself was found again through its child: note it as seen too"
        return (
            f"{extra[0]} is a part that was met before, under another path: take each part "
            "once, or a tied weight is moved twice and counted twice"
        )
    if any(path.strip(".") in missing for path in got):
        return "a path begins or ends with a dot: the attributes of the root have none before them"
    if sorted(got) == sorted(expected):
        places = {path: got.index(path) for path in got}
        if all(places[path.rpartition(".")[0]] < n for path, n in places.items() if "t." in path):
            return (
                "the attributes come in another order: a list gives back first what was put on it "
                "last, so put the children on it in reverse"
            )
        return "the order is another one: a module stands before what is inside it"
    if [path.split(".")[-1] for path in expected] == got:
        return "the paths are not joined: a name comes after those on the way to it, with dots"
    if [path for path in expected if "." not in path or path[-1].isdigit()] == got:
        return "modules are found, but what is inside them is not: go into each part that is found"
    if not any("." in path for path in got):
        return (
            "nothing is found further down than the attributes: go into modules, lists, tuples "
            "and dictionaries too"
        )
    if missing and all("." not in path for path in missing):
        return "a part directly under the root is missing"
    return "parts are missing, or stand under another path"


# --- 04.2: Xavier's bound ---


def probe_xavier(mg, shape, gain, seed):
    """The numbers, and whether they stand in the parameter's own array, which is returned."""
    weight = mg.nn.Parameter(np.zeros(shape, np.float32))
    array = weight.data
    result = mg.nn.init.xavier_uniform_(weight, gain, np.random.default_rng(seed))
    returned = "the parameter" if result is weight else f"a {type(result).__name__}"
    return [weight.data, str(weight.data.dtype), weight.data is array, returned]


def probe_xavier_of_the_library(mg):
    """Whether manual_seed repeats the numbers, and another seed gives others."""
    found = []
    for seed in (3, 3, 4):
        mg.manual_seed(seed)
        found.append(mg.nn.init.xavier_uniform_(mg.nn.Parameter(np.zeros((2, 3)))).data)
    return [np.array_equal(found[0], found[1]), not np.array_equal(found[0], found[2])]


def uniform(numbers, bound, given, otherwise, when=None, tolerance=0.02):
    """Require that numbers are random, and uniform between -bound and bound.

    `when` maps a diagnosis to the upper end, where that is another one.
    """
    low, high = float(numbers.min()), float(numbers.max())
    shown = {"input": given, "expected": f"between -{bound:g} and {bound:g}"}
    shown["got"] = f"between {low:.4f} and {high:.4f}"
    if low == high == 0:
        words = "0 stands everywhere: fill it at random (a bound made with // is rounded down to 0)"
        raise Wrong(words, **shown)
    if low == high:
        raise Wrong("one number stands everywhere: fill it at random", **shown)
    if near([low, high], [0, 1], 0.01):
        raise Wrong("the numbers lie between 0 and 1, as uniform_ gives them by default", **shown)
    if not near(low, -high, 0.02):
        raise Wrong("the two ends must be equal but for the sign: between -a and a", **shown)
    if abs(numbers.std() * 3**0.5 - high) > 0.05 * high:
        raise Wrong("the numbers must be uniform, all equally likely between the ends", **shown)
    if abs(high - bound) > tolerance * bound:
        ends = {words: abs(high - end) <= tolerance * end for words, end in (when or {}).items()}
        raise Wrong(next((words for words, fits in ends.items() if fits), otherwise), **shown)


@check("04.2")
def xavier(student):
    def fill(shape=(20, 580), gain=1.0, seed=0):
        got = student.run(probe_xavier, shape, gain, seed)
        nothing = None, "nothing", False, "nothing"
        weight, dtype, own, returned = got if isinstance(got, list) and len(got) == 4 else nothing
        given = {"shape (out, in)": shape, "gain": gain}
        words = "an initialiser returns the parameter that it filled"
        require(returned, "the parameter", words, input=given)
        words = "the parameter must keep its shape"
        require(getattr(weight, "shape", ()), shape, words, input=given)
        words = (
            "the parameter was float32 and must stay so: fill its array in place, data[...] = ..."
        )
        require(dtype, "float32", words, input=given)
        if not own:
            words = (
                "the parameter has got another array: fill the one that it has in place, "
                "data[...] = ..., as uniform_ does, since others may hold it"
            )
            raise Wrong(words, input=given, expected="the array that it had", got="another one")
        return weight, given

    weight, given = fill()  # √(6 / 600) = 0.1
    uniform(
        weight,
        0.1,
        given,
        "the bound is √3 times the standard deviation √(2 / (inputs + outputs))",
        {
            "the bound is what the standard deviation should be: a uniform distribution on "
            "[-a, a] has the standard deviation a / √3": (2 / 600) ** 0.5,
            "only the inputs are counted: Xavier takes the mean of inputs and outputs": (3 / 580)
            ** 0.5,
            "the root is missing: 6 / (inputs + outputs) is the square of the bound": 0.01,
            "x ** 1/2 is half of x, since ** goes before /: write x ** 0.5 or math.sqrt(x)": 0.005,
        },
    )
    yield "uniform between -√(6 / (inputs + outputs)) and that"
    turned, given = fill((580, 20))
    uniform(turned, 0.1, given, "inputs and outputs count alike")
    fill((1, 24))
    fill((24, 1))
    yield "inputs and outputs count alike, and the array stays the parameter's own"
    five, given = fill(gain=5.0)
    uniform(
        five,
        0.5,
        given,
        "a gain of 5 makes the numbers five times as large",
        {
            "the gain has no effect: it is a factor of the bound": 0.1,
            "the gain stands under the root: it is a factor of the whole bound": 0.1 * 5**0.5,
        },
    )
    yield "the gain is a factor"
    if not near(fill()[0], weight, 1e-6) or near(fill(seed=1)[0], weight, 1e-6):
        words = "the generator that is given must be drawn from: hand it on to uniform_"
        raise Wrong(words, input="the same seed twice, then another")
    student.expect(
        probe_xavier_of_the_library,
        equals=[True, True],
        otherwise="without a generator, draw from the library's: manual_seed has no effect",
        given="manual_seed(3), manual_seed(3), manual_seed(4)",
        expected="two equal weights, then another",
    )
    yield "the random numbers come from the generator given, or from the library's own"


# --- 04.3: Linear's parameters ---


def probe_linear(mg, inputs, outputs, bias, seed):
    """What the attributes weight and bias hold, and of which class they are; the other Parameters."""
    mg.manual_seed(seed)
    parts = vars(mg.nn.Linear(inputs, outputs, bias))
    learned = {name: part for name, part in parts.items() if isinstance(part, mg.nn.Parameter)}
    return [
        {name: part.data for name, part in learned.items()},
        {name: type(parts[name]).__name__ for name in ("weight", "bias") if name in parts},
    ]


def probe_linear_forward(mg, x, bias):
    """The result, and what the layer's parameters make of x."""
    layer = mg.nn.Linear(3, 2, bias)
    expected = x @ layer.weight.data.T + (layer.bias.data if bias else 0)
    return np.allclose(layer(mg.array(x)).data, expected, atol=1e-4)


@check("04.3")
def linear(student):
    def parameters(inputs, outputs, bias=True, seed=0):
        got = student.run(probe_linear, inputs, outputs, bias, seed)
        return got if isinstance(got, list) and len(got) == 2 else [{}, {}]

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
            got, expected = kinds.get(name, "nothing"), f"a Parameter of shape {shape}"
            raise Wrong(words, input=given, expected=expected, got=got)
        require(
            found[name].shape,
            shape,
            f"self.{name} has another shape",
            when={
                "the weight is the wrong way round: a row for each output, (out, in)": (3, 2),
                "the bias is added to the outputs, so it has one number for each output": (3,),
                f"self.{name} has an axis of size 1 too many: its shape is {shape}": (
                    lambda got: len(got) > 1 and 1 in got
                ),
            },
            input=given,
        )
        words = f"self.{name} must be float32: float64 makes a model twice as large"
        require(str(found[name].dtype), "float32", words, input=given)
    for sizes in ((3, 1), (1, 2), (1, 1)):  # axes of size 1 are axes
        numbers, _ = parameters(*sizes)
        shapes = [numbers[name].shape for name in ("weight", "bias") if name in numbers]
        words = "an axis of size 1 is lost: it is an axis as any other, so squeeze nothing"
        require(shapes, [sizes[::-1], (sizes[1],)], words, input=f"Linear{sizes}")
    words = "a Linear has the parameters weight and bias, and no other"
    require(sorted(found), ["bias", "weight"], words, input=given)
    yield "a weight (out, in) and a bias (out,), both Parameters of float32"

    found, _ = parameters(100, 3000)  # 1/√100 = 0.1
    given = "Linear(100, 3000)"
    again, other = parameters(100, 3000)[0], parameters(100, 3000, seed=1)[0]
    wrong_ends = {
        "weight": {
            "the weight has kaiming_uniform_'s own gain, √2 for relu: here the gain is √(1/3), "
            "which makes the bound 1/√in_features": 0.06**0.5,
            "the weight's gain is 1/3: it should be the root of that": 0.1 / 3**0.5,
        },
        "bias": {
            "the bias counts the outputs: its bound too is 1/√in_features": 3000**-0.5,
            "the root is missing in the bias's bound: 1/√in_features, not 1/in_features": 0.01,
            "n ** -1/2 is 1/n and a half of that, since ** goes before /: write n ** -0.5": 0.005,
        },
    }
    for name, ends in wrong_ends.items():
        numbers, words = found[name], f"the {name} must lie in ±1/√in_features"
        uniform(numbers, 0.1, f"{given}, the {name}", words, ends)
        if not near(again[name], numbers, 1e-6) or near(other[name], numbers, 1e-6):
            raise Wrong(
                f"the {name} must be drawn by the library's generator, as the initialisers "
                "do: manual_seed has no effect on it",
                input=given,
            )
    yield "both uniform in ±1/√in_features, and repeated after manual_seed"

    found, kinds = parameters(3, 2, bias=False)
    require(
        [*found, kinds.get("bias", "no such attribute")],
        ["weight", "NoneType"],
        "without a bias, self.bias must be None: forward reads it, and hands it on",
        when={
            "self.bias is False and not None: functional.linear takes an array or None": (
                ["weight", "bool"]
            )
        },
        input="Linear(3, 2, bias=False)",
    )
    yield "without a bias, None stands in its place"
    for bias in (True, False):
        student.expect(
            probe_linear_forward,
            np.array([[1.0, 2.0, 3.0]], np.float32),
            bias,
            equals=True,
            otherwise="calling the layer must give x @ weight.T + bias",
            expected="x @ weight.T + bias",
        )
    yield "calling it gives x @ weight.T + bias"


# --- 04.4: Dropout ---


def probe_dropout(mg, x, p, mode):
    """The result of a layer that is "new", or after train() ("training"), or eval() ("in use")."""
    mg.manual_seed(1)
    layer = mg.nn.Dropout(p)
    if mode != "new":
        layer.training = mode == "training"
    y = layer(mg.array(x))
    return y.data if isinstance(y, mg.Tensor) else f"a {type(y).__name__}"


def probe_dropout_calls(mg, x):
    """Two calls one after another in training: what is wrong with them, or "" if nothing is."""
    layer, x = mg.nn.Dropout(0.5), mg.array(x, requires_grad=True)
    first, second = layer(x), layer(x)
    if layer.training is not True:
        return "the flag"
    if np.array_equal(first.data, second.data):
        return "the same"
    if not first.requires_grad:
        return "no way back"
    first.backward(np.ones_like(x.data))
    return "" if np.allclose(x.grad * x.data, first.data) else "another gradient"


@check("04.4")
def dropout(student):
    x = np.ones((100, 100), np.float32)

    def dropped(p, mode):
        """The result, the share that is zero, and the input to show."""
        given = f"ones, p = {p}, training = {mode != 'in use'}"
        got = student.run(probe_dropout, x, p, mode)
        if isinstance(got, str):
            words = (
                f"{'an array' if 'ndarray' in got else got} came back, where a tensor is expected"
            )
            raise WrongForm(words, input=given, expected="a Tensor", got=got)
        require(np.shape(got), x.shape, "the result has the shape of x", input=given)
        return got, float(np.mean(got == 0)), given

    _, share, given = dropped(0.25, "in use")
    trained = dropped(0.25, "training")[1]
    require(
        share,
        0.0,
        "after eval() dropout must do nothing",
        when={
            "training and evaluation are exchanged: elements are dropped after eval(), and none in "
            "training": lambda share: trained == 0,
            "dropout is alive after eval(): the layer's own flag, self.training, must reach the "
            "function": lambda share: True,
        },
        input=given,
        expected="none of them zero",
    )
    words = "after eval() the numbers must be those of x"
    require(dropped(0.25, "in use")[0], x, words, input=given, expected="ones")
    yield "after eval() nothing is dropped"
    for p in (0.25, 0.75):
        for mode in ("new", "training"):
            got, share, given = dropped(p, mode)
            require(
                share,
                p,
                "in training, each element is dropped with the layer's own probability",
                when={
                    "nothing is dropped in training, so the layer has no effect at all": 0.0,
                    "half of the elements are dropped whatever p is: that is the function's "
                    "default, so self.p does not reach it": lambda share: near(share, 0.5, 0.03),
                    "p is the probability to be dropped, here taken for that to be kept": (
                        lambda share, p=p: near(share, 1 - p, 0.03)
                    ),
                },
                input=given,
                tolerance=0.03,
                expected=f"{p} of them zero",
            )
            require(
                np.unique(got[got != 0]),
                [1 / (1 - p)],
                "what is kept is divided by 1 - p once: the function does that already",
                input=given,
                tolerance=1e-3,
            )
        if not near(dropped(p, mode)[0], got):
            raise Wrong(
                "after the same manual_seed other elements are dropped: leave the drawing "
                "to functional.dropout",
                input=given,
            )
        yield f"in training, {p} of the elements are dropped"
    for mode in ("in use", "training"):
        for shape in ((3, 1), (1, 3), ()):
            row = np.full(shape, 2.0, np.float32)
            got, given = student.run(probe_dropout, row, 0.25, mode), f"2 in an array of {shape}"
            require(
                np.shape(got), shape, "the result has the shape of x, axes of 1 too", input=given
            )
    student.expect(
        probe_dropout_calls,
        np.arange(1.0, 101.0, dtype=np.float32),
        equals="",
        otherwise="the gradient passes where the value does, with the same factor: leave both to "
        "functional.dropout",
        when={
            "after a call the layer's flag is another one: train() and eval() set it, forward only "
            "reads it": "the flag",
            "each call must draw anew: two calls one after another dropped the same elements, so "
            "give no generator that begins anew": "the same",
            "no gradient finds the way back to x: return the tensor that functional.dropout "
            "returns, not one made anew from its array": "no way back",
        },
        given="1, 2, …, 100, p = 0.5, training = True, two calls",
        expected="two results that differ, each with its gradient",
    )
    yield "each call drops anew, and the gradient finds its way"


# --- 04.5: Sequential ---


def probe_sequential(mg, layers, x):
    """What comes back, of which kind it is, and what a second call and the gradient give."""
    steps = {"double": lambda x: x * 2.0, "add 1": lambda x: x + 1.0, "square": lambda x: x * x}
    modules = []
    for name in layers:
        modules.append(mg.nn.Module())
        modules[-1].forward = steps[name]
    x = mg.array(x, requires_grad=True)
    network = mg.nn.Sequential(*modules)
    y = network(x)
    if not isinstance(y, mg.Tensor):
        return {"kind": type(y).__name__}
    found = {"kind": "x itself" if y is x else "a tensor", "value": y.data.copy(), "x": x.data}
    again = network(mg.array(found["x"]))
    if not y.requires_grad:
        return found | {"again": again.data, "slope": "none"}
    y.backward(np.ones_like(y.data))
    return found | {"again": again.data, "slope": x.grad}


@check("04.5")
def sequential(student):
    def expect(layers, result, slope, when=(), kind="a tensor"):
        given, x = {"layers": layers, "x": [[3.0]]}, np.array([[3.0]], np.float32)
        got = student.run(probe_sequential, layers, x, given=given)
        met = got.get("kind") if isinstance(got, dict) else type(got).__name__
        if met not in ("a tensor", "x itself"):
            words = {
                "NoneType": "forward must return what the last layer returned",
                "Module": "a layer itself came back: it is called with parentheses, layer(x)",
                "ndarray": "an array came back: return the tensor, which knows its gradient",
                "generator": "a generator came back, which has computed nothing yet: call each "
                "layer in a loop",
            }.get(met, f"a {met} came back: forward returns the last result alone, one tensor")
            raise WrongForm(words, input=given, expected="a tensor", got=met)
        value, wrong = got["value"], dict(when)
        shown = {"input": given, "expected": np.array([[result]])}
        if not near(got["x"], x):
            words = "x itself was overwritten: give the variable a new value, x = layer(x)"
            raise Wrong(words, input=given, expected=x, got=got["x"])
        if np.shape(value) != x.shape:
            words = "what a layer returns is passed on as it is, with its shape: squeeze nothing"
            raise Wrong(words, got=value, **shown)
        if not near(value, [[result]]):
            words = "each layer gets what the one before returned"
            if met == "x itself" or near(value, x):
                words = "x comes back unchanged: keep what each layer returns"
            words = next((w for w, end in wrong.items() if near(value, [[end]])), words)
            raise Wrong(words, got=value, **shown)
        require(
            got["again"],
            [[result]],
            "called again it gives something else: a call must not change self.layers",
            input=given,
        )
        require(met, kind, "without layers, x itself comes back", input=given)
        require(
            got["slope"],
            [[slope]],
            "the value is right and its gradient is not: pass each tensor on as it is, so that "
            "backward finds its way through all layers",
            input=given,
            expected=f"the slope {slope:g}",
        )

    expect(
        ["double"],
        6.0,
        2.0,
        {"the results of the layers were added: hand each on to the next one instead": 9.0},
    )
    yield "double: 3 becomes 6"
    expect(
        ["double", "add 1"],
        7.0,
        2.0,
        {
            "only the first layer was called: the return stands inside the loop": 6.0,
            "the last layer got x itself, so the layers before it had no effect: hand on the newest "
            "result": 4.0,
            "the layers were called from the last to the first": 8.0,
            "the last layer was called once for each layer: a lambda made in a loop reads the "
            "loop's variable when it is called; call each layer in the loop": 5.0,
            "the results were added: each is passed on to the next layer instead": 10.0,
        },
    )
    yield "double, add 1: 3 becomes 7"
    expect(["add 1", "double", "square"], 64.0, 32.0)
    yield "add 1, double, square: 3 becomes 64"
    expect([], 3.0, 1.0, kind="x itself")
    yield "no layers: x itself"
