"""Right and wrong answers to the exercises of lesson 04."""

from tests.wrong_answers import Answers, Mistake

ANSWERS = {
    "04.1": Answers(
        right=[
            """
seen, found = {id(self)}, []

def visit(path, part):
    if isinstance(part, (Parameter, Buffer, Module)):
        if id(part) in seen:
            return
        seen.add(id(part))
        found.append((path, part))
    for name, child in _children(part):
        visit(f"{path}.{name}", child)

for name, child in _children(self):
    visit(str(name), child)
return found
""",
            """
found, known = [], [self]

def walk(part, path):
    for name, child in _children(part):
        here = path + [str(name)]
        if isinstance(child, (Module, Parameter, Buffer)):
            if any(child is other for other in known):
                continue
            known.append(child)
            found.append((".".join(here), child))
        walk(child, here)

walk(self, [])
return found
""",
        ],
        wrong=[
            Mistake(
                "attributes only",
                """
return [(str(name), part) for name, part in _children(self)
        if isinstance(part, (Parameter, Buffer, Module))]
""",
                says="what is inside them is not",
                advice="The attributes of a network are layers: where are the layers' weights?",
            ),
            Mistake(
                "lists and dictionaries passed over",
                of=0,
                change=(
                    "in _children(part):",
                    "in _children(part) if isinstance(part, Module) else ():",
                ),
                says="lists, tuples and dictionaries",
                advice="A list is no module, and yet it has children, such as GPT-2's blocks.",
            ),
            Mistake(
                "buffers passed over",
                change=("(Parameter, Buffer, Module)", "(Parameter, Module)"),
                says="the buffer is missing",
                advice="What else must a saved model contain, besides what it has learned?",
            ),
            Mistake(
                "every tensor taken for a part",
                change=("(Parameter, Buffer, Module)", "(Tensor, Module)"),
                says="no parameter, buffer or module",
                advice="A layer may keep a result as an attribute, to draw it: is that a weight?",
            ),
            Mistake(
                "a shared part found twice",
                of=0,
                change=("        if id(part) in seen:\n            return\n", ""),
                says="met before, under another path",
                advice="Count the parameters of a network with tied weights by hand.",
            ),
            Mistake(
                "seen by shape and numbers",
                of=0,
                change=(
                    ("{id(self)}", "{repr(self.training)}"),
                    ("id(part) in seen", "key in seen"),
                    ("seen.add(id(part))", "seen.add(key)"),
                    (
                        "        if key",
                        "        key = str(getattr(part, 'data', id(part)))\n        if key",
                    ),
                ),
                says="compare by identity",
                advice="Two biases both start at zero: are they one bias?",
            ),
            Mistake(
                "the root not noted as seen",
                of=0,
                change=("{id(self)}", "set()"),
                says="the root itself",
                advice="A child may know its parent: which part is met then, and was it noted?",
            ),
            Mistake(
                "the root in the result",
                change=("found[1:]", "found"),
                says="the module itself stands in the result",
                advice="The walk begins with the module: is it inside itself?",
            ),
            Mistake(
                "the modules after what is inside them",
                of=0,
                change=(
                    ("        found.append((path, part))\n", ""),
                    (
                        "seen.add(id(part))\n",
                        "seen.add(id(part))\n    own = isinstance(part, (Parameter, Buffer, Module))\n",
                    ),
                    (
                        '        visit(f"{path}.{name}", child)\n',
                        '        visit(f"{path}.{name}", child)\n    if own:\n        found.append((path, part))\n',
                    ),
                ),
                says="a module stands before what is inside it$",
                advice="Note the part first, then go inside: the tree is shown from outside in.",
            ),
            Mistake(
                "the last attribute first",
                change=("inside[::-1]", "inside"),
                says="the attributes come in another order",
                advice="Put 1, 2, 3 on a list and pop: what comes back first?",
            ),
            Mistake(
                "paths that begin with a dot",
                change=('f"{path}.{name}" if path else str(name)', 'f"{path}.{name}"'),
                says="begins or ends with a dot",
                advice="What stands before the name of an attribute of the root itself?",
            ),
            Mistake(
                "only the last names",
                change=('f"{path}.{name}" if path else str(name)', "str(name)"),
                says="the paths are not joined",
                advice="Two blocks have a weight each: by which names do you tell them apart?",
            ),
            Mistake(
                "the attributes in place of the children",
                of=0,
                change=("in _children(self)", "in vars(self).items()"),
                says="the root's too",
                advice="Sequential has no name for its list: print the paths of one with two.",
            ),
            Mistake(
                "a number for a path",
                of=0,
                change=("str(name)", "name"),
                says="a path is a text",
                advice="The names of a list are numbers: what does the root hand on for them?",
            ),
            Mistake(
                "a generator for a list",
                of=0,
                change=("return found", "yield from found"),
                says="has a `yield` in it",
                advice="Whoever loops over the result twice finds nothing the second time.",
            ),
            Mistake(
                "the parts without their paths",
                """
seen, found, waiting = {}, [], [("", self)]
while waiting:
    path, part = waiting.pop()
    if id(part) in seen:
        continue
    seen[id(part)] = part  # kept, since the id of a deleted object is used again
    if isinstance(part, (Parameter, Buffer, Module)):
        found.append((path, part))
    inside = [(f"{path}.{name}" if path else str(name), x) for name, x in _children(part)]
    waiting += inside[::-1]  # the first one is popped first
return [part for _, part in found[1:]]  # without the module itself
""",
                says="each entry is a pair",
                advice="`named_parameters` needs a name for each part.",
            ),
            Mistake(
                "the part before its path",
                """
seen, found, waiting = {}, [], [("", self)]
while waiting:
    path, part = waiting.pop()
    if id(part) in seen:
        continue
    seen[id(part)] = part  # kept, since the id of a deleted object is used again
    if isinstance(part, (Parameter, Buffer, Module)):
        found.append((path, part))
    inside = [(f"{path}.{name}" if path else str(name), x) for name, x in _children(part)]
    waiting += inside[::-1]  # the first one is popped first
return [(part, path) for path, part in found[1:]]  # without the module itself
""",
                says="the wrong way round",
                advice="The example in the card has the path first.",
            ),
            Mistake(
                "functions made in a loop, called after it",
                """
seen, found, later = {id(self)}, [], []
def visit(path, part):
    if id(part) in seen:
        return
    seen.add(id(part))
    if isinstance(part, (Parameter, Buffer, Module)):
        found.append((path, part))
    for name, child in _children(part):
        visit(f'{path}.{name}', child)
for name, child in _children(self):
    later.append(lambda: visit(str(name), child))
for go in later:
    go()
return found
""",
                says="only the last attribute is found",
                advice="What is `child` when the lambdas are called?",
            ),
            Mistake(
                "parts looked up by ==",
                """
seen, found = [self], []
def visit(path, part):
    for name, child in _children(part):
        here = f'{path}.{name}' if path else str(name)
        if child in seen:
            continue
        seen.append(child)
        if isinstance(child, (Parameter, Buffer, Module)):
            found.append((here, child))
        visit(here, child)
visit('', self)
return found
""",
                says="it walks without end",
                advice="`in` compares by ==, which for tensors compares element by element.",
            ),
            Mistake(
                "the first walk kept",
                """
if 'known' not in vars(self):
    found = []
    def visit(part, path):
        for name, child in _children(part):
            here = f'{path}.{name}' if path else str(name)
            if isinstance(child, (Parameter, Buffer, Module)):
                if any(child is o for _, o in found) or child is self:
                    continue
                found.append((here, child))
            visit(child, here)
    visit(self, '')
    self.known = found
return self.known
""",
                says="each walk begins anew",
                advice="A layer may be added after the first walk.",
            ),
            Mistake(
                "a number joined to a text",
                """
seen, found, waiting = {}, [], [("", self)]
while waiting:
    path, part = waiting.pop()
    if id(part) in seen:
        continue
    seen[id(part)] = part  # kept, since the id of a deleted object is used again
    if isinstance(part, (Parameter, Buffer, Module)):
        found.append((path, part))
    inside = [(path + "." + name if path else name, x) for name, x in _children(part)]
    waiting += inside[::-1]  # the first one is popped first
return found[1:]  # without the module itself
""",
                says="can only concatenate",
                advice="The names in a list are numbers.",
            ),
        ],
    ),
    "04.2": Answers(
        right=[
            """
fan_in, fan_out = _fans(parameter)
std = gain * math.sqrt(2 / (fan_in + fan_out))
return uniform_(parameter, -math.sqrt(3) * std, math.sqrt(3) * std, generator)
""",
            """
generator = generator or default_generator()
a = gain * (6 / sum(_fans(parameter))) ** 0.5
parameter.data[...] = a * (2 * generator.random(parameter.shape) - 1)
return parameter
""",
        ],
        wrong=[
            Mistake(
                "the standard deviation taken for the bound",
                change=("6 /", "2 /"),
                says="a / √3",
                advice="Draw the numbers and measure their standard deviation.",
            ),
            Mistake(
                "inputs only",
                change=("6 / np.sum(_fans(parameter))", "3 / _fans(parameter)[0]"),
                says="only the inputs are counted",
                advice="That is Kaiming's rule; Xavier also looks at the gradients' way back.",
            ),
            Mistake(
                "the root left out",
                change=("math.sqrt(6 / np.sum(_fans(parameter)))", "6 / np.sum(_fans(parameter))"),
                says="the root is missing",
                advice="The formula with the fans is that of a variance.",
            ),
            Mistake(
                "the gain under the root",
                change=("gain * math.sqrt(6", "math.sqrt(gain * 6"),
                says="under the root",
                advice="A gain of 2 should make the numbers twice as large: does it?",
            ),
            Mistake(
                "the gain forgotten",
                change=("gain * ", ""),
                says="the gain has no effect",
                advice="Search your lines for the option: is it read anywhere?",
            ),
            Mistake(
                "from 0 to the bound",
                change=("-bound", "0.0"),
                says="between -a and a",
                advice="What is the mean of these weights, and what does it do to a sum?",
            ),
            Mistake(
                "the generator not handed on",
                change=(", generator)", ")"),
                says="hand it on to uniform_",
                advice="Who asks for a generator of their own wants numbers that can be repeated.",
            ),
            Mistake(
                "the array replaced by one of float64",
                of=1,
                change=("parameter.data[...] =", "parameter.data ="),
                says="must stay so",
                advice="random makes float64; write into parameter.data[...] and the dtype stays.",
            ),
            Mistake(
                "another parameter returned",
                change=("uniform_(parameter,", "uniform_(type(parameter)(parameter),"),
                says="the parameter that it filled",
                advice="Whoever holds the parameter that you were given sees no change.",
            ),
            Mistake(
                "one number for all entries",
                of=1,
                change=("random(parameter.shape)", "random()"),
                says="one number stands everywhere",
                advice="Look at the gradients of section 6: what do equal weights learn?",
            ),
            Mistake(
                "the same seed for every layer",
                change=(", generator)", ", generator or np.random.default_rng(0))"),
                says="manual_seed has no effect$",
                advice="Two layers of one size start alike; uniform_ finds the generator itself.",
            ),
            Mistake(
                "another array for the parameter",
                """
a = gain * math.sqrt(6 / sum(_fans(parameter)))
parameter.data = (generator or default_generator()).uniform(-a, a, parameter.shape).astype(np.float32)
return parameter
""",
                says="has got another array",
                advice="An optimizer may hold the old array.",
            ),
            Mistake(
                "** 1/2 for the root",
                """
bound = gain * (6 / sum(_fans(parameter))) ** 1/2
return uniform_(parameter, -bound, bound, generator)
""",
                says="is half of x",
                advice="** goes before /: print 9 ** 1/2.",
            ),
            Mistake(
                "// in place of /",
                """
bound = gain * math.sqrt(6 // np.sum(_fans(parameter)))
return uniform_(parameter, -bound, bound, generator)
""",
                says="0 stands everywhere",
                advice="What is 6 // 600?",
            ),
            Mistake(
                "the pair of fans not added",
                """
bound = gain * math.sqrt(6 / _fans(parameter))
return uniform_(parameter, -bound, bound, generator)
""",
                says="'int' and 'tuple'",
                advice="`_fans` returns two numbers.",
            ),
        ],
    ),
    "04.3": Answers(
        right=[
            """
bound = in_features**-0.5
self.weight = Parameter(np.zeros((out_features, in_features), dtype=np.float32))
uniform_(self.weight, -bound, bound)
if bias:
    self.bias = Parameter(np.zeros(out_features, dtype=np.float32))
    uniform_(self.bias, -bound, bound)
else:
    self.bias = None
""",
            """
weight = np.empty([out_features, in_features], "float32")
self.weight = kaiming_uniform_(Parameter(weight), gain=3**-0.5)
start = uniform_(Parameter(np.empty(out_features, "float32")), -1, 1)
start.data /= math.sqrt(in_features)
self.bias = start if bias else None
""",
            """
self.in_features, self.out_features = in_features, out_features
self.weight = Parameter(np.empty((out_features, in_features), np.float32))
kaiming_uniform_(self.weight, math.sqrt(1 / 3))
bound = 1 / math.sqrt(in_features)
self.bias = uniform_(Parameter(np.empty(out_features, np.float32)), -bound, bound) if bias else None
""",
        ],
        wrong=[
            Mistake(
                "the weight the wrong way round",
                change=("(out_features, in_features)", "(in_features, out_features)"),
                says="wrong way round",
                advice="`functional.linear` multiplies by the transpose of the weight.",
            ),
            Mistake(
                "the weight a plain tensor",
                change=(
                    "Parameter(np.empty((out_features, in_features), np.float32))",
                    "Tensor(np.empty((out_features, in_features), np.float32), requires_grad=True)",
                ),
                says="self.weight is no Parameter",
                advice="Section 2: by what does the walk recognise a weight?",
            ),
            Mistake(
                "the bias a plain tensor",
                change=(
                    "uniform_(Parameter(np.empty(out_features, np.float32)), -bound, bound)",
                    "Tensor(uniform_(Parameter(np.empty(out_features, np.float32)), -bound, bound).data)",
                ),
                says="self.bias is no Parameter",
                advice="Count the numbers of Linear(3, 2): how many are found?",
            ),
            Mistake(
                "the gain of relu",
                change=(", gain=math.sqrt(1 / 3)", ""),
                says="own gain, √2",
                advice="A layer does not know what follows it; the habit here is a gain of √(1/3).",
            ),
            Mistake(
                "the gain without its root",
                change=("math.sqrt(1 / 3)", "1 / 3"),
                says="the root of that",
                advice="Which bound do you get for 100 inputs? It should be 0.1.",
            ),
            Mistake(
                "the bias by the number of outputs",
                change=("math.sqrt(in_features)", "math.sqrt(out_features)"),
                says="the bias counts the outputs",
                advice="Its shape is the outputs', its spread the same as the weight's.",
            ),
            Mistake(
                "the bias between 0 and 1",
                change=("np.float32)), -bound, bound)", "np.float32)))"),
                says="between 0 and 1",
                advice="`uniform_` has defaults; look at them.",
            ),
            Mistake(
                "the bias as a column",
                change=("np.empty(out_features,", "np.empty((out_features, 1),"),
                says="an axis of size 1 too many",
                advice="Which shape has one row of outputs? The bias has the same.",
            ),
            Mistake(
                "a bias of zeros",
                change=(
                    "uniform_(Parameter(np.empty(out_features, np.float32)), -bound, bound)",
                    "Parameter(np.zeros(out_features, np.float32))",
                ),
                says="0 stands everywhere",
                advice="Zeros are a good start for a bias; this layer keeps PyTorch's habit.",
            ),
            Mistake(
                "no attribute without a bias",
                change=("self.bias = None\n", ""),
                says="self.bias must be None",
                advice="`forward` reads self.bias whether there is one or not.",
            ),
            Mistake(
                "float64",
                change=("(out_features, in_features), np.float32", "(out_features, in_features)"),
                says="must be float32",
                advice="NumPy's own default is float64: name the dtype.",
            ),
            Mistake(
                "the bias drawn by NumPy's own generator",
                change=(
                    "uniform_(Parameter(np.empty(out_features, np.float32)), -bound, bound)",
                    "Parameter(np.random.uniform(-bound, bound, out_features).astype(np.float32))",
                ),
                says="the library's generator, as",
                advice="Build the layer twice after the same manual_seed and compare.",
            ),
            Mistake(
                "the bias squeezed",
                """
self.weight = Parameter(np.empty((out_features, in_features), np.float32))
kaiming_uniform_(self.weight, gain=math.sqrt(1 / 3))
self.bias = None
if bias:
    bound = 1 / math.sqrt(in_features)
    self.bias = uniform_(Parameter(np.squeeze(np.empty((out_features, 1), np.float32))), -bound, bound)
""",
                says="an axis of size 1 is lost",
                advice="What is the shape of the bias in Linear(3, 1)?",
            ),
            Mistake(
                "False for None",
                """
self.weight = Parameter(np.empty((out_features, in_features), np.float32))
kaiming_uniform_(self.weight, gain=math.sqrt(1 / 3))
self.bias = bias
if bias:
    bound = 1 / math.sqrt(in_features)
    self.bias = uniform_(Parameter(np.empty(out_features, np.float32)), -bound, bound)
""",
                says="False and not None",
                advice="What does functional.linear do with False?",
            ),
            Mistake(
                "a weight of integers",
                """
self.weight = Parameter(np.empty((out_features, in_features), int))
kaiming_uniform_(self.weight, gain=math.sqrt(1 / 3))
self.bias = None
if bias:
    bound = 1 / math.sqrt(in_features)
    self.bias = uniform_(Parameter(np.empty(out_features, np.float32)), -bound, bound)
""",
                says="these are int64",
                advice="np.empty(..., int) holds whole numbers.",
            ),
        ],
    ),
    "04.4": Answers(
        right=[
            "return functional.dropout(x, p=self.p, training=self.training)",
            """
if not self.training:
    return x
return functional.dropout(x, self.p)
""",
        ],
        wrong=[
            Mistake(
                "alive after eval",
                change=(", self.training", ""),
                says="alive after eval",
                advice="Sample twice from a model in evaluation: why do the two differ?",
            ),
            Mistake(
                "the function's p in place of the layer's",
                change=("self.p, self.training", "training=self.training"),
                says="self.p does not reach it",
                advice="What is self.p for, if nothing reads it?",
            ),
            Mistake(
                "training and evaluation exchanged",
                change=("self.training", "not self.training"),
                says="are exchanged",
                advice="In which of the two must the result be certain?",
            ),
            Mistake(
                "rescaled once more",
                of=1,
                change=("(x, self.p)", "(x, self.p) / (1 - self.p)"),
                says="divided by 1 - p once",
                advice="Read what `functional.dropout` does already.",
            ),
            Mistake(
                "rescaled in evaluation",
                of=1,
                change=("    return x", "    return x * (1 - self.p)"),
                says="must be those of x",
                advice="That belongs to a dropout that does not rescale in training.",
            ),
            Mistake(
                "never any dropout",
                change=("self.training", "False"),
                says="nothing is dropped in training",
                advice="A test in evaluation alone does not see this.",
            ),
            Mistake(
                "1 - p handed on",
                change=("self.p", "1 - self.p"),
                says="taken for that to be kept",
                advice="Both p mean the same thing here: the probability to be dropped.",
            ),
            Mistake(
                "a mask of its own",
                """
if not self.training or self.p == 0:
    return x
keep = np.random.rand(*x.shape) >= self.p
return x * (keep / (1 - self.p)).astype(np.float32)
""",
                says="other elements are dropped",
                advice="The function of lesson 03 draws the mask; nothing is left to draw here.",
            ),
            Mistake(
                "the array returned",
                """
return functional.dropout(x, self.p, self.training).data
""",
                says="an array came back",
                advice="What does `backward` need, besides the numbers?",
            ),
            Mistake(
                "a new tensor made from the array",
                """
from minigrad.tensor import array
return array(functional.dropout(x, self.p, self.training).data)
""",
                says="no gradient finds the way back",
                advice="`array(...)` makes a leaf: it does not know what it was computed from.",
            ),
            Mistake(
                "the same generator anew in each call",
                """
return functional.dropout(x, self.p, self.training, np.random.default_rng(0))
""",
                says="each call must draw anew",
                advice="With the same seed the same elements are dropped for ever.",
            ),
            Mistake(
                "x squeezed",
                """
from minigrad import shapes
return functional.dropout(x.squeeze(), self.p, self.training)
""",
                says="axes of 1 too",
                advice="np.squeeze removes every axis of size 1, also the one of a batch of one.",
            ),
            Mistake(
                "the flag switched off after use",
                """
y = functional.dropout(x, self.p, self.training)
self.training = False
return y
""",
                says="the layer's flag is another one",
                advice="Who sets `training`, and who reads it?",
            ),
            Mistake(
                "p and training exchanged",
                """
return functional.dropout(x, self.training, self.p)
""",
                says="dropout: p must be a number",
                advice="Give options by their names.",
            ),
        ],
    ),
    "04.5": Answers(
        right=[
            """
import functools

return functools.reduce(lambda value, layer: layer(value), self.layers, x)
""",
            """
result = x
for i in range(len(self.layers)):
    result = self.layers[i](result)
return result
""",
        ],
        wrong=[
            Mistake(
                "every layer gets x",
                of=1,
                change=("(result)", "(x)"),
                says="the last layer got x itself",
                advice="Which variable is on its way, and which is the input?",
            ),
            Mistake(
                "return inside the loop",
                change=("x = layer(x)", "x = layer(x)\n    return x"),
                says="return stands inside the loop",
                advice="Let the network have two layers and print in each.",
            ),
            Mistake(
                "the result thrown away",
                change=("x = layer(x)", "layer(x)"),
                says="x comes back unchanged",
                advice="Layers do not work in place: they return something new.",
            ),
            Mistake(
                "nothing returned",
                change=("return x", ""),
                says="forward returned None",
                advice="A function without return gives None.",
            ),
            Mistake(
                "from the last to the first",
                change=("self.layers", "reversed(self.layers)"),
                says="from the last to the first",
                advice="Read the list as the path that x takes.",
            ),
            Mistake(
                "the results added",
                change=("x = layer(x)", "x = x + layer(x)"),
                says="added",
                advice="A residual connection adds on purpose (lesson 07); a plain row does not.",
            ),
            Mistake(
                "the layers used up",
                """
while self.layers:
    x = self.layers.pop(0)(x)
return x
""",
                says="must not change self.layers",
                advice="Call the network a second time: what is left of it?",
            ),
            Mistake(
                "a list of all results",
                """
results = [x]
for layer in self.layers:
    results.append(layer(results[-1]))
return results
""",
                says="the last result alone",
                advice="Which of these does the next network want?",
            ),
            Mistake(
                "functions made in a loop, called after it",
                """
f = lambda x: x
for layer in self.layers:
    f = lambda x, before=f: layer(before(x))
return f(x)
""",
                says="the last layer was called once for each",
                advice="What is `layer` when the lambdas are called?",
            ),
            Mistake(
                "a lambda that calls itself",
                """
f = lambda x: x
for layer in self.layers:
    f = lambda x: layer(f(x))
return f(x)
""",
                says="calls itself without end",
                advice="Which `f` does the lambda call?",
            ),
            Mistake(
                "a new tensor made from each array",
                """
from minigrad.tensor import array
for layer in self.layers:
    x = array(layer(x).data)
return x
""",
                says="its gradient is not",
                advice="`array(...)` makes a leaf: it does not know what it was computed from.",
            ),
            Mistake(
                "written into x",
                """
for layer in self.layers:
    x.data[...] = layer(x).data
return x
""",
                says="x itself was overwritten",
                advice="Whose array is x.data?",
            ),
            Mistake(
                "each result squeezed",
                """
for layer in self.layers:
    x = layer(x).squeeze()
return x
""",
                says="squeeze nothing",
                advice="np.squeeze removes every axis of size 1, also the one of a batch of one.",
            ),
            Mistake(
                "the layer in place of its result",
                """
for layer in self.layers:
    x = layer
return x
""",
                says="a layer itself came back",
                advice="A call has parentheses.",
            ),
            Mistake(
                "a generator of results",
                """
return (layer(x) for layer in self.layers)
""",
                says="a generator came back",
                advice="Round brackets make a generator, which computes nothing yet.",
            ),
        ],
    ),
}
