"""Modules: layers that own their parameters, and networks made of layers."""

import math

import numpy as np

from minigrad import functional
from minigrad import init
from minigrad.functional import cross_entropy_loss, mse_loss
from minigrad.init import kaiming_uniform_, normal_, uniform_
from minigrad.op import as_array
from minigrad.tensor import Tensor


# --- Parameter and Module ---


class Parameter(Tensor):
    """A tensor that a module learns."""

    __slots__ = ()

    def __init__(self, data):
        super().__init__(np.array(as_array(data), order="C"), requires_grad=True)


class Module:
    """A layer or a network: attributes that are parameters, modules, or lists or dictionaries of
    them, and a `forward`. Nothing is registered: parameters are found by walking the attributes.
    """

    training = True

    def forward(self, *inputs):
        """What the module computes; each subclass says."""
        raise NotImplementedError(f"{type(self).__name__} has no forward method")

    def __call__(self, *inputs, **options):
        return self.forward(*inputs, **options)

    def named_parameters(self):
        """Pairs (name, parameter), such as ("blocks.0.ln1.weight", …); a shared one once."""
        return [(name, x) for name, x in self._walk() if isinstance(x, Parameter)]

    def parameters(self):
        """The parameters, each once."""
        return [parameter for _, parameter in self.named_parameters()]

    def modules(self):
        """This module and those inside it, each once."""
        return [self] + [x for _, x in self._walk() if isinstance(x, Module)]

    def children(self):
        """Pairs (name, part) of what is directly inside: the attributes."""
        return vars(self).items()

    def _walk(self):
        """Pairs (path, part) of all parameters and modules inside, in order, each part once."""
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
            visit(str(name), child)
        return found

    def num_parameters(self):
        """How many numbers the module learns."""
        return sum(parameter.size for parameter in self.parameters())

    def zero_grad(self):
        """Forget the gradients."""
        for parameter in self.parameters():
            parameter.grad = None

    def train(self, mode=True):
        """Switch to training (dropout is active), in every module inside too."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self):
        """Switch to evaluation (dropout does nothing), in every module inside too."""
        return self.train(False)

    def state_dict(self):
        """A copy of all parameters, as {name: array}."""
        return {name: parameter.data.copy() for name, parameter in self.named_parameters()}

    def load_state_dict(self, state):
        """Copy `state`, as `state_dict` gives it, into the parameters, all of it or none."""
        own = dict(self.named_parameters())
        problems = [f"{name} is missing" for name in own if name not in state]
        problems += [f"{name} is not in the model" for name in state if name not in own]
        for name in own.keys() & state.keys():
            met, wanted = np.shape(state[name]), own[name].shape
            if met != wanted:
                problems.append(f"{name} has shape {met}, the model's {wanted}")
        if problems:
            raise ValueError(
                f"load_state_dict of {type(self).__name__}: {'; '.join(sorted(problems))}"
            )
        arrays = {name: np.asarray(state[name], own[name].dtype) for name in own}
        for name, parameter in own.items():
            parameter.data[...] = arrays[name]

    def __repr__(self):
        return "\n".join(_tree(self))


def _children(part):
    """The named parts directly inside a module, a list or a dictionary."""
    if isinstance(part, Module):
        return part.children()
    if isinstance(part, dict):
        return part.items()
    if isinstance(part, (list, tuple)):
        return enumerate(part)
    return ()


def _tree(module, name="", indent=""):
    """The lines that show a module: its own parameters with shapes, then what is inside."""
    own = [f"{n} {p.shape}" for n, p in vars(module).items() if isinstance(p, Parameter)]
    count = f"{module.num_parameters():,} parameters" if module.parameters() else ""
    label = f"{indent}{name}{': ' if name else ''}{type(module).__name__}"
    lines = [f"{label}({', '.join(own)})  {count}".rstrip()]
    inside = [(path, part) for path, part in module._walk() if isinstance(part, Module)]
    direct = [
        (path, part)
        for path, part in inside
        if not any(path.startswith(f"{other}.") for other, _ in inside)
    ]
    for path, part in direct:
        lines += _tree(part, path, indent + "  ")
    return lines


# --- Layers with parameters ---


class Linear(Module):
    """x @ weight.T + bias: (..., in_features) -> (..., out_features).

    `weight` is (out_features, in_features). It and `bias` start uniform in ±1/√in_features.
    """

    def __init__(self, in_features, out_features, bias=True):
        self.weight = Parameter(np.empty((out_features, in_features), np.float32))
        kaiming_uniform_(self.weight, gain=math.sqrt(1 / 3))
        self.bias = None
        if bias:
            bound = 1 / math.sqrt(in_features)
            self.bias = uniform_(Parameter(np.empty(out_features, np.float32)), -bound, bound)

    def forward(self, x):
        return functional.linear(x, self.weight, self.bias)


class Embedding(Module):
    """A learned vector for each token: tokens (...) of integers -> (..., embedding_dim)."""

    def __init__(self, num_embeddings, embedding_dim):
        self.weight = normal_(Parameter(np.empty((num_embeddings, embedding_dim), np.float32)))

    def forward(self, tokens):
        return functional.embedding(tokens, self.weight)


class LayerNorm(Module):
    """Each vector along the last axis with mean 0 and variance 1, then scaled and shifted."""

    def __init__(self, normalized_shape, eps=1e-5, bias=True):
        self.weight = Parameter(np.ones(normalized_shape, np.float32))
        self.bias = Parameter(np.zeros(normalized_shape, np.float32)) if bias else None
        self.eps = eps

    def forward(self, x):
        return functional.layer_norm(x, self.weight, self.bias, eps=self.eps)


# --- Layers without parameters ---


class Dropout(Module):
    """In training, each element zero with probability p and the others divided by 1 - p."""

    def __init__(self, p=0.5):
        if not 0 <= p < 1:
            raise ValueError(f"Dropout: p is a probability in [0, 1), not {p}")
        self.p = p

    def forward(self, x):
        return functional.dropout(x, self.p, self.training)


class ReLU(Module):
    """max(x, 0)."""

    def forward(self, x):
        return functional.relu(x)


class GELU(Module):
    """x · Φ(x), in its tanh form."""

    def forward(self, x):
        return functional.gelu(x)


class Tanh(Module):
    """The hyperbolic tangent."""

    def forward(self, x):
        return x.tanh()


class Sigmoid(Module):
    """1 / (1 + exp(-x))."""

    def forward(self, x):
        return functional.sigmoid(x)


class SoftPlus(Module):
    """log(1 + exp(x))."""

    def forward(self, x):
        return functional.softplus(x)


# --- Sequential ---


class Sequential(Module):
    """Modules one after another; can be iterated, indexed and measured with `len`."""

    def __init__(self, *layers):
        self.layers = list(layers)

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def children(self):
        return enumerate(self.layers)

    def __getitem__(self, index):
        layers = self.layers[index]
        return Sequential(*layers) if isinstance(index, slice) else layers

    def __len__(self):
        return len(self.layers)

    def __iter__(self):
        return iter(self.layers)
