"""Right and wrong answers to the exercises of lesson 04."""

from tests.wrong_answers import Answers, Mistake

ANSWERS = {
    "04.1": Answers(
        right=[
            """
found, known = [], [self]

def walk(part, path):
    for name, child in _children(part):
        here = path + [str(name)]
        if isinstance(child, (Module, Parameter)):
            if any(child is other for other in known):
                continue
            known.append(child)
            found.append((".".join(here), child))
        walk(child, here)

walk(self, [])
return found
""",
            """
seen, found = {id(self)}, []
waiting = [(str(name), part) for name, part in _children(self)][::-1]
while waiting:
    path, part = waiting.pop()
    if isinstance(part, (Parameter, Module)):
        if id(part) in seen:
            continue
        seen.add(id(part))
        found.append((path, part))
    waiting += [(f"{path}.{name}", child) for name, child in _children(part)][::-1]
return found
""",
        ],
        wrong=[
            Mistake(
                "attributes only",
                """
return [(str(name), part) for name, part in _children(self)
        if isinstance(part, (Parameter, Module))]
""",
                says="what is inside them is not",
                advice="The attributes of a network are layers: where are the layers' weights?",
            ),
            Mistake(
                "lists and dictionaries passed over",
                """
seen, found = {id(self)}, []

def visit(path, part):
    if isinstance(part, (Parameter, Module)) and id(part) not in seen:
        seen.add(id(part))
        found.append((path, part))
        for name, child in _children(part):
            visit(f"{path}.{name}", child)

for name, child in _children(self):
    visit(str(name), child)
return found
""",
                says="lists, tuples and dictionaries",
                advice="A list is no module, and yet it has children, such as GPT-2's blocks.",
            ),
            Mistake(
                "a shared part found twice",
                """
found = []

def visit(path, part):
    if isinstance(part, (Parameter, Module)):
        found.append((path, part))
    for name, child in _children(part):
        visit(f"{path}.{name}", child)

for name, child in _children(self):
    visit(str(name), child)
return found
""",
                says="met before, under another path",
                advice="Count the parameters of a network with tied weights by hand.",
            ),
            Mistake(
                "seen by shape and numbers",
                """
seen, found = [], []

def visit(path, part):
    if isinstance(part, (Parameter, Module)):
        key = repr(part.data) if isinstance(part, Parameter) else id(part)
        if part is self or key in seen:
            return
        seen.append(key)
        found.append((path, part))
    for name, child in _children(part):
        visit(f"{path}.{name}", child)

for name, child in _children(self):
    visit(str(name), child)
return found
""",
                says="compare by identity",
                advice="Two biases both start at zero: are they one bias?",
            ),
            Mistake(
                "the root not noted as seen",
                """
seen, found = set(), []

def visit(path, part):
    if isinstance(part, (Parameter, Module)):
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
                says="the root itself",
                advice="A child may know its parent: which part is met then, and was it noted?",
            ),
            Mistake(
                "the modules after what is inside them",
                """
seen, found = {id(self)}, []

def visit(path, part):
    own = isinstance(part, (Parameter, Module))
    if own and id(part) in seen:
        return
    if own:
        seen.add(id(part))
    for name, child in _children(part):
        visit(f"{path}.{name}", child)
    if own:
        found.append((path, part))

for name, child in _children(self):
    visit(str(name), child)
return found
""",
                says="the order is another one",
                advice="Note the part first, then go inside: the tree is shown from outside in.",
            ),
            Mistake(
                "paths that begin with a dot",
                """
seen, found = {id(self)}, []

def visit(path, part):
    for name, child in _children(part):
        here = f"{path}.{name}"
        if isinstance(child, (Parameter, Module)):
            if id(child) in seen:
                continue
            seen.add(id(child))
            found.append((here, child))
        visit(here, child)

visit("", self)
return found
""",
                says="begins or ends with a dot",
                advice="What stands before the name of an attribute of the root itself?",
            ),
            Mistake(
                "the attributes in place of the children",
                """
seen, found = {id(self)}, []

def visit(path, part):
    if isinstance(part, (Parameter, Module)):
        if id(part) in seen:
            return
        seen.add(id(part))
        found.append((path, part))
    for name, child in _children(part):
        visit(f"{path}.{name}", child)

for name, child in vars(self).items():
    visit(name, child)
return found
""",
                says="the root's too",
                advice="Sequential has no name for its list: print the paths of one with two.",
            ),
            Mistake(
                "a number for a path",
                """
seen, found = {id(self)}, []

def visit(path, part):
    if isinstance(part, (Parameter, Module)):
        if id(part) in seen:
            return
        seen.add(id(part))
        found.append((path, part))
    for name, child in _children(part):
        visit(f"{path}.{name}", child)

for name, child in _children(self):
    visit(name, child)
return found
""",
                says="list of pairs",
                advice="The names of a list are numbers: what does the root hand on for them?",
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
                """
bound = gain * math.sqrt(2 / np.sum(_fans(parameter)))
return uniform_(parameter, -bound, bound, generator)
""",
                says="a / √3",
                advice="Draw the numbers and measure their standard deviation.",
            ),
            Mistake(
                "inputs only",
                """
bound = gain * math.sqrt(3 / _fans(parameter)[0])
return uniform_(parameter, -bound, bound, generator)
""",
                says="only the inputs are counted",
                advice="That is Kaiming's rule; Xavier also looks at the way back.",
            ),
            Mistake(
                "the root left out",
                """
bound = gain * 6 / np.sum(_fans(parameter))
return uniform_(parameter, -bound, bound, generator)
""",
                says="the root is missing",
                advice="The formula with the fans is that of a variance.",
            ),
            Mistake(
                "the gain under the root",
                """
bound = math.sqrt(6 * gain / np.sum(_fans(parameter)))
return uniform_(parameter, -bound, bound, generator)
""",
                says="under the root",
                advice="A gain of 2 should make the numbers twice as large: does it?",
            ),
            Mistake(
                "the gain forgotten",
                """
bound = math.sqrt(6 / np.sum(_fans(parameter)))
return uniform_(parameter, -bound, bound, generator)
""",
                says="the gain has no effect",
                advice="An option that is never read is a promise not kept.",
            ),
            Mistake(
                "from 0 to the bound",
                """
bound = gain * math.sqrt(6 / np.sum(_fans(parameter)))
return uniform_(parameter, 0.0, bound, generator)
""",
                says="between -a and a",
                advice="What is the mean of these weights, and what does it do to a sum?",
            ),
            Mistake(
                "the generator not handed on",
                """
bound = gain * math.sqrt(6 / np.sum(_fans(parameter)))
return uniform_(parameter, -bound, bound)
""",
                says="hand it on to uniform_",
                advice="Who asks for a generator of their own wants numbers that can be repeated.",
            ),
            Mistake(
                "the array replaced by one of float64",
                """
a = gain * math.sqrt(6 / sum(_fans(parameter)))
parameter.data = (generator or default_generator()).uniform(-a, a, parameter.shape)
return parameter
""",
                says="must stay so",
                advice="uniform makes float64; write into parameter.data[...] and the dtype stays.",
            ),
            Mistake(
                "the same seed for every layer",
                """
generator = generator or np.random.default_rng(0)
a = gain * math.sqrt(6 / sum(_fans(parameter)))
return uniform_(parameter, -a, a, generator)
""",
                says="manual_seed has no effect$",
                advice="Two layers of one size start alike; uniform_ finds the generator itself.",
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
                """
self.weight = Parameter(np.empty((in_features, out_features), np.float32))
kaiming_uniform_(self.weight, gain=math.sqrt(1 / 3))
self.bias = None
if bias:
    bound = 1 / math.sqrt(in_features)
    self.bias = uniform_(Parameter(np.empty(out_features, np.float32)), -bound, bound)
""",
                says="wrong way round",
                advice="`functional.linear` multiplies by the transpose of the weight.",
            ),
            Mistake(
                "the weight a plain tensor",
                """
self.weight = Tensor(np.empty((out_features, in_features), np.float32), requires_grad=True)
kaiming_uniform_(self.weight, gain=math.sqrt(1 / 3))
self.bias = None
if bias:
    bound = 1 / math.sqrt(in_features)
    self.bias = uniform_(Parameter(np.empty(out_features, np.float32)), -bound, bound)
""",
                says="self.weight is no Parameter",
                advice="Section 2: by what does the walk recognise a weight?",
            ),
            Mistake(
                "the gain of relu",
                """
self.weight = kaiming_uniform_(Parameter(np.empty((out_features, in_features), np.float32)))
self.bias = None
if bias:
    bound = 1 / math.sqrt(in_features)
    self.bias = uniform_(Parameter(np.empty(out_features, np.float32)), -bound, bound)
""",
                says="own gain, √2",
                advice="A layer does not know what follows it; the habit here is a gain of √(1/3).",
            ),
            Mistake(
                "the bias by the number of outputs",
                """
self.weight = Parameter(np.empty((out_features, in_features), np.float32))
kaiming_uniform_(self.weight, gain=math.sqrt(1 / 3))
self.bias = None
if bias:
    bound = 1 / math.sqrt(out_features)
    self.bias = uniform_(Parameter(np.empty(out_features, np.float32)), -bound, bound)
""",
                says="the bias counts the outputs",
                advice="Its shape is the outputs', its spread the same as the weight's.",
            ),
            Mistake(
                "the bias between 0 and 1",
                """
self.weight = Parameter(np.empty((out_features, in_features), np.float32))
kaiming_uniform_(self.weight, gain=math.sqrt(1 / 3))
self.bias = uniform_(Parameter(np.empty(out_features, np.float32))) if bias else None
""",
                says="between 0 and 1",
                advice="`uniform_` has defaults; look at them.",
            ),
            Mistake(
                "no attribute without a bias",
                """
self.weight = Parameter(np.empty((out_features, in_features), np.float32))
kaiming_uniform_(self.weight, gain=math.sqrt(1 / 3))
if bias:
    bound = 1 / math.sqrt(in_features)
    self.bias = uniform_(Parameter(np.empty(out_features, np.float32)), -bound, bound)
""",
                says="self.bias must be None",
                advice="`forward` reads self.bias whether there is one or not.",
            ),
            Mistake(
                "float64",
                """
self.weight = Parameter(np.empty((out_features, in_features)))
kaiming_uniform_(self.weight, gain=math.sqrt(1 / 3))
self.bias = None
if bias:
    bound = 1 / math.sqrt(in_features)
    self.bias = uniform_(Parameter(np.empty(out_features)), -bound, bound)
""",
                says="must be float32",
                advice="NumPy's own default is float64: name the dtype.",
            ),
            Mistake(
                "the bias drawn by NumPy's own generator",
                """
self.weight = Parameter(np.empty((out_features, in_features), np.float32))
kaiming_uniform_(self.weight, gain=math.sqrt(1 / 3))
bound = 1 / math.sqrt(in_features)
self.bias = None
if bias:
    self.bias = Parameter(np.random.uniform(-bound, bound, out_features).astype(np.float32))
""",
                says="the library's generator, as",
                advice="Build the layer twice after the same manual_seed and compare.",
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
                "return functional.dropout(x, self.p)",
                says="alive after eval",
                advice="Sample twice from a model in evaluation: why do the two differ?",
            ),
            Mistake(
                "the function's p in place of the layer's",
                "return functional.dropout(x, training=self.training)",
                says="self.p does not reach it",
                advice="What is self.p for, if nothing reads it?",
            ),
            Mistake(
                "training and evaluation exchanged",
                """
if self.training:
    return x
return functional.dropout(x, self.p)
""",
                says="are exchanged",
                advice="In which of the two must the result be certain?",
            ),
            Mistake(
                "rescaled once more",
                """
if not self.training:
    return x
return functional.dropout(x, self.p) / (1 - self.p)
""",
                says="divided by 1 - p once",
                advice="Read what `functional.dropout` does already.",
            ),
            Mistake(
                "never any dropout",
                "return functional.dropout(x, self.p, False)",
                says="nothing is dropped in training",
                advice="A test in evaluation alone does not see this.",
            ),
            Mistake(
                "1 - p handed on",
                "return functional.dropout(x, 1 - self.p, self.training)",
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
                """
result = x
for layer in self.layers:
    result = layer(x)
return result
""",
                says="the last layer got x itself",
                advice="Which variable is on its way, and which is the input?",
            ),
            Mistake(
                "return inside the loop",
                """
for layer in self.layers:
    x = layer(x)
    return x
return x
""",
                says="return stands inside the loop",
                advice="Let the network have two layers and print in each.",
            ),
            Mistake(
                "the result thrown away",
                """
for layer in self.layers:
    layer(x)
return x
""",
                says="x comes back unchanged",
                advice="Layers do not work in place: they return something new.",
            ),
            Mistake(
                "nothing returned",
                """
for layer in self.layers:
    x = layer(x)
""",
                says="forward returned None",
                advice="A function without return gives None.",
            ),
            Mistake(
                "from the last to the first",
                """
for layer in reversed(self.layers):
    x = layer(x)
return x
""",
                says="from the last to the first",
                advice="Read the list as the path that x takes.",
            ),
            Mistake(
                "the results added",
                """
total = x
for layer in self.layers:
    total = total + layer(x)
return total
""",
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
        ],
    ),
}
