"""Every public function refuses bad input with the words it documents, and changes nothing.

The functions are found from the code: a new one fails here until it has a row.
"""

import ast
import inspect
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from minigrad import attention, functional, init, llama_layers, nn, op, ops, optim, shapes
from minigrad import random as rnd
from minigrad.apps import fast
from minigrad.backprop import gradients, topological_order
from minigrad.bpe import BPETokenizer, cut_words
from minigrad.chat import Chat, ChatTokenizer, chat_prompt, cut_words_and_digits, likeliest
from minigrad.data import CharTokenizer, DataLoader, Dataset, TextDataset, train_validation_split
from minigrad.gpt2_shakespeare import (
    GPT2,
    GPT2Config,
    Trainer,
    TrainingConfig,
    evaluate,
    generate,
    next_token_probabilities,
    nucleus,
    sample,
)
from minigrad.llama import Llama, LlamaConfig, in_gguf, load_llama, save_llama
from minigrad.llama_layers import (
    GrowingCache,
    RMSNorm,
    grouped_attention,
    rms_norm,
    rotate,
    rotations,
    swiglu,
)
from minigrad.lora import LoRA, add_lora, merge_lora
from minigrad.quantised import dequantise, quantise
from minigrad.real_gpt2 import (
    Stored,
    load_gpt2,
    published,
    read_array,
    read_config,
    read_header,
    save_gpt2,
    write_safetensors,
)
from minigrad.support import gguf

PACKAGE = Path(mg.__file__).parent
MODULES = [path.stem for path in sorted(PACKAGE.glob("*.py")) if path.stem != "__init__"]

# --- What there is ---


def public():
    """{"add", "Module.load_state_dict", …}: functions, classes, and methods with arguments."""
    found = set()
    for module in MODULES:
        tree = ast.parse((PACKAGE / f"{module}.py").read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_":
                found.add(node.name)
                if isinstance(node, ast.ClassDef):
                    found |= {f"{node.name}.{name}" for name in methods(node)}
    found |= {
        name
        for name, value in (vars(ops) | vars(shapes)).items()
        if hasattr(value, "broadcasts") and name[0] != "_"
    }
    return found - {"dot", "mm", "concatenate", "unsqueeze", "view"}  # other names for the same


def methods(node):
    return [
        part.name
        for part in node.body
        if isinstance(part, ast.FunctionDef)
        and part.name[0] != "_"
        and len(part.args.args) + len(part.args.kwonlyargs) + bool(part.args.vararg) > 1
        and not any(isinstance(d, ast.Attribute) for d in part.decorator_list)  # a setter
    ]


# What has no input that could be bad, or none of its own.
WITHOUT = {
    "load_shakespeare",
    "default_generator",  # take nothing
    "Module",  # is given nothing; its subclasses are
    "ReLU",
    "GELU",
    "Tanh",
    "Sigmoid",
    "SoftPlus",  # likewise; what they call is below
    "Module.train",  # anything is true or false
    "GPT2.forward",
    "Part",
    "record",  # inside, called by what is below
    "Optimizer.update",
    "SGD.update",
    "AdamW.update",
    "Muon.update",  # called by step alone
    "unbroadcast",
    "Node",
    "unwrap",  # inside: their callers have checked
    "count_pairs",
    "merge",
    "learn_merges",
    "apply_merges",
    "to_text",  # likewise
    "word_pattern",  # takes nothing
    "Stored",
    "Choice",
    "rotations",  # inside: Llama knows its sizes
    "group_heads",
    "GroupedAttention",
    "GroupedAttention.forward",
    "GroupedAttention.weights",
    "LlamaBlock",
    "LlamaBlock.forward",
    "SwiGLU",
    "SwiGLU.forward",
    "RMSNorm.forward",
    "LoRA.forward",  # likewise: what they call is below
    "Llama.new_caches",
    "ChatTokenizer.from_gguf",  # called by load_llama, whose damaged files are in test_llama.py
}


# --- What a bad call must leave as it is ---


class World:
    """A model in training, its optimizer, random numbers, a tokenizer and a folder."""

    def __init__(self, folder):
        mg.manual_seed(0)
        self.folder = folder
        (folder / "notes.txt").write_text("mine", encoding="utf-8")
        (folder / "tokenizer.json").write_text('{"vocabulary": "ba"}', encoding="utf-8")
        (folder / "latin.txt").write_bytes("café".encode("latin-1"))
        self.x = mg.array(np.arange(6.0).reshape(2, 3), requires_grad=True)
        self.linear = nn.Linear(3, 2)
        self.p = self.linear.parameters()
        self.model = GPT2(GPT2Config(4, 1, 2, 8, vocab_size=5))
        self.data = TextDataset([0, 1, 2, 3, 4, 3, 2], 4)
        self.trainer = Trainer(self.model, self.data, TrainingConfig(num_steps=3, batch_size=2))
        self.trainer.step()
        self.sgd, self.adamw = optim.SGD(self.p), optim.AdamW(self.p)
        self.tokenizer = CharTokenizer("abc")
        self.pairs = BPETokenizer.train("abab", 258, ["<end>"])
        self.cache = attention.KeyValueCache(1, 1, 2, 4)
        special = ["<|im_start|>", "<|im_end|>"]
        self.chat_tokenizer = ChatTokenizer.train("user assistant", 262, special)
        self.llama = Llama(LlamaConfig(262, 32, 1, 2, 1, 8, 8))
        self.with_lora = Llama(self.llama.config)
        add_lora(self.with_lora)

    def snapshot(self):
        parts = [self.x, *self.p, *self.model.parameters()]
        return repr(
            (
                [(part.data.tolist(), np.asarray(part.grad).tolist()) for part in parts],
                [
                    {k: np.asarray(v).tolist() for k, v in o.state_dict().items()}
                    for o in (self.sgd, self.adamw, self.trainer.optimizer)
                ],
                (self.trainer.steps, self.model.training, self.cache.length),
                [p.requires_grad for m in (self.llama, self.with_lora) for p in m.parameters()],
                {path.name: path.read_bytes() for path in sorted(self.folder.iterdir())},
            )
        )


def option_rows(names):
    """Each option with each kind of nonsense: {"lr": nan}, {"lr": "0.1"}, …"""
    return [{name: bad} for name in names for bad in (-1, NAN, INF, "0.1", None, True, [0.1], 1j)]


def axis(f, name=None):
    """The rows of a function that works along an axis."""
    name = name or f.__name__
    return [
        (
            lambda w: f(w.x, axis=2),
            IndexError,
            rf"{name} of shape \(2, 3\): axis 2 is out of bounds",
        ),
        (lambda w: f("text"), TypeError, f"{name} of shape .*a tensor holds numbers or Booleans"),
    ]


def text(f):
    """The row of a function of one array."""
    return [(lambda w: f("text"), TypeError, f"{f.__name__} .*a tensor holds numbers or Booleans")]


def two(f):
    """The rows of a function of two arrays that broadcast."""
    return [
        (
            lambda w: f(w.x, mg.ones(4)),
            ValueError,
            rf"{f.__name__}: shapes \(2, 3\) and \(4,\) do not",
        ),
        (lambda w: f(w.x, "text"), TypeError, f"{f.__name__} .*a tensor holds numbers or Booleans"),
    ]


def shape(f):
    return [
        (lambda w: f(-1), ValueError, "negative dimensions are not allowed"),
        (lambda w: f(2.5), TypeError, "integer"),
        (lambda w: f("text"), TypeError, "integer"),
        (
            lambda w: f(2, dtype=mg.int64, requires_grad=True),
            TypeError,
            "requires_grad needs floating",
        ),
    ]


def like(f):
    return [
        (lambda w: f("text"), TypeError, "a tensor holds numbers or Booleans"),
        (lambda w: f(mg.array([1]), requires_grad=True), TypeError, "requires_grad needs floating"),
    ]


def matrix(f):
    return [
        (lambda w: f(w.linear.bias), ValueError, r"needs a weight \(out, in\), not shape \(2,\)"),
        (lambda w: f(w.linear.weight, gain="much"), TypeError, ""),
    ]


NAN, INF = mg.nan, mg.inf
# Contexts that `sample` and `generate` refuse.
CONTEXTS = (
    ([[9]], IndexError, "tokens must lie in 0 … 4, these lie in 9 … 9"),
    ([[-1, 2]], IndexError, "tokens must lie in 0 … 4, these lie in -1 … 2"),
    ([1, 2], ValueError, r"the context has the shape \(B, T\), not \(2,\): write \[\[1, 2\]\]"),
    (3, ValueError, r"the context has the shape \(B, T\), not \(\)"),
    ([[1.0, 2.0]], TypeError, "tokens are integers, these are float32"),
    ([[True]], TypeError, "tokens are integers, these are bool"),
    ([[]], ValueError, "the context is empty"),
    (np.zeros((0, 3), int), ValueError, "the context is empty"),
)

BAD = {
    # tensors
    "as_array": [
        (
            lambda w: op.as_array("text"),
            TypeError,
            "a tensor holds numbers or Booleans, not <U4: 'text'",
        ),
        (lambda w: op.as_array([[1], [1, 2]]), ValueError, "inhomogeneous shape"),
    ],
    "array": [
        (lambda w: mg.array(None), TypeError, "a tensor holds numbers or Booleans, not None"),
        (lambda w: mg.array([1j]), TypeError, "a tensor holds numbers or Booleans, not complex"),
        (
            lambda w: mg.array([1], requires_grad=True),
            TypeError,
            "requires_grad needs floating-point",
        ),
        (lambda w: mg.array([1.0], dtype="nonsense"), TypeError, "nonsense"),
    ],
    "zeros": shape(mg.zeros),
    "ones": shape(mg.ones),
    "full": [
        (lambda w: mg.full((2,), "text"), TypeError, "a tensor holds numbers"),
        (lambda w: mg.full(-1, 1.0), ValueError, "negative dimensions"),
    ],
    "eye": [(lambda w: mg.eye(-1), ValueError, "negative dimensions")],
    "arange": [
        (lambda w: mg.arange(0, 5, 0), ZeroDivisionError, "division by zero"),
        (lambda w: mg.arange(), TypeError, "requires stop"),
    ],
    "linspace": [
        (lambda w: mg.linspace(0, 1, -1), ValueError, "-1, must be non-negative"),
        (lambda w: mg.linspace(0, "one"), TypeError, "promot"),
    ],
    "zeros_like": like(mg.zeros_like),
    "ones_like": like(mg.ones_like),
    "empty_like": like(mg.empty_like),
    "Tensor": [
        (lambda w: mg.Tensor("text"), TypeError, "a tensor holds numbers or Booleans"),
        (lambda w: w.x.item(), ValueError, r"item\(\) takes a tensor of one element, .*\(2, 3\)"),
        (lambda w: bool(w.x), ValueError, "neither true nor false"),
        (lambda w: len(mg.array(1.0)), TypeError, r"a tensor of shape \(\) has no length"),
        (lambda w: setattr(w.x * 2, "requires_grad", False), ValueError, r"use .detach\(\)"),
    ],
    "Tensor.astype": [(lambda w: w.x.astype("nonsense"), TypeError, "nonsense")],
    "Tensor.backward": [
        (lambda w: mg.ones(1).backward(), RuntimeError, "made from nothing that requires"),
        (lambda w: (w.x * 2).backward(), RuntimeError, r"shape \(2, 3\) is no single number"),
        (lambda w: (w.x * 2).backward(mg.ones(3)), ValueError, r"the gradient has shape \(3,\)"),
    ],
    # operations
    **{
        name: two(getattr(mg, name))
        for name in (
            "add sub mul div pow remainder floor_divide maximum minimum equal not_equal less "
            "less_equal greater greater_equal"
        ).split()
    },
    **{
        name: text(getattr(mg, name))
        for name in (
            "neg exp log sqrt abs sin cos tan tanh isnan isinf isfinite floor ceil sign round invert "
            "relu sigmoid softplus gelu"
        ).split()
    },
    **{
        name: axis(getattr(mg, name))
        for name in (
            "sum mean max min prod norm cumsum cumprod argmax argmin all any softmax log_softmax"
        ).split()
    },
    "var": axis(mg.var, "mean"),
    "std": axis(mg.std, "mean"),
    "matmul": [
        (lambda w: w.x @ mg.ones(2), ValueError, "rows of the first have 3 entries, .* second 2"),
        (lambda w: w.x @ 3, ValueError, "a number has no rows or columns"),
        (
            lambda w: mg.ones(2, 2, 3) @ mg.ones(3, 3, 1),
            ValueError,
            "matmul: shapes .* do not broadcast",
        ),
    ],
    "clip": [(lambda w: w.x.clip("low", 1), TypeError, "clip of shape")],
    "where": [
        (lambda w: mg.where(w.x, 1.0, 2.0), ValueError, "a mask holds True and False, or 0 and 1"),
        (
            lambda w: mg.where(w.x > 0, mg.ones(4), 1.0),
            ValueError,
            "where: shapes .* do not broadcast",
        ),
    ],
    "masked_fill": [
        (
            lambda w: w.x.masked_fill(w.x, 0.0),
            ValueError,
            "a mask holds True and False, or 0 and 1",
        ),
        (
            lambda w: w.x.masked_fill(mg.ones(5, 2, 3), 0.0),
            ValueError,
            "mask must broadcast to the shape",
        ),
        (lambda w: w.x.masked_fill(w.x > 0, "much"), TypeError, "masked_fill of shape .*numbers"),
    ],
    "reshape": [
        (
            lambda w: w.x.reshape(4),
            ValueError,
            r"reshape of shape \(2, 3\): cannot reshape .* \(4,\)",
        ),
        (lambda w: w.x.reshape(-1, -1), ValueError, "one unknown dimension"),
    ],
    "flatten": [
        (lambda w: w.x.flatten("a"), TypeError, ""),
        (lambda w: w.x.flatten(2), IndexError, "flatten: axis 2 is out of bounds"),
    ],
    "transpose": [
        (lambda w: w.x.transpose(0, 2), IndexError, r"transpose of shape \(2, 3\): .*axis 2 is out")
    ],
    "permute": [
        (lambda w: w.x.permute(0), ValueError, "axes don't match"),
        (lambda w: w.x.permute(0, 0), ValueError, "repeated axis"),
        (lambda w: w.x.permute(0, 3), IndexError, "axis 3 is out of bounds"),
    ],
    "squeeze": [
        (lambda w: w.x.squeeze(0), ValueError, r"squeeze of shape \(2, 3\): .*not equal to one")
    ],
    "expand_dims": [
        (lambda w: w.x.unsqueeze(5), IndexError, r"expand_dims of shape \(2, 3\): axis 5 is out")
    ],
    "triu": [
        (lambda w: mg.triu(w.x, "a"), TypeError, "triu of shape"),
        (lambda w: mg.triu(1.0), ValueError, r"triu of shape \(\): a triangle needs two axes"),
    ],
    "tril": [
        (lambda w: mg.tril(w.x, "a"), TypeError, "tril of shape"),
        (lambda w: mg.tril(w.x[0]), ValueError, r"tril of shape \(3,\): a triangle needs two axes"),
    ],
    "getitem": [
        (lambda w: w.x[5], IndexError, r"getitem of shape \(2, 3\): index 5 is out of bounds"),
        (lambda w: w.x[0, 0, 0], IndexError, "too many indices"),
        (lambda w: w.x[w.x], IndexError, "must be of integer"),
    ],
    "repeat": [
        (lambda w: w.x.repeat(2, 3), IndexError, "axis 3 is out of bounds"),
        (lambda w: w.x.repeat(-1), ValueError, "negative"),
    ],
    "split": [
        (lambda w: w.x.split(2, 5), IndexError, "axis 5 is out of bounds"),
        (lambda w: w.x.split(0), ValueError, "has 2 entries, asked for 0"),
        (lambda w: w.x.split([1, 5]), ValueError, r"has 2 entries, asked for \[1, 5\]"),
        (lambda w: mg.split("ab", 1), TypeError, "holds numbers or Booleans"),
    ],
    "cat": [
        (
            lambda w: mg.cat([w.x, mg.ones(2, 4)]),
            ValueError,
            r"cat of shape \(2, 3\) and \(2, 4\): .*must match",
        ),
        (lambda w: mg.cat([]), ValueError, "need at least one"),
        (lambda w: mg.cat([w.x], 3), IndexError, "axis 3 is out of bounds"),
    ],
    "stack": [
        (lambda w: mg.stack([w.x, mg.ones(3)]), ValueError, "must have the same shape"),
        (lambda w: mg.stack([]), ValueError, "need at least one"),
    ],
    "differentiable": [
        (
            lambda w: mg.differentiable(5),
            TypeError,
            "differentiable stands above a function, not 5",
        ),
        (lambda w: mg.differentiable(lambda x, /: x)(w.x), TypeError, "this one returned ndarray"),
    ],
    "pytorch_names": [(lambda w: w.x.var(axis=0, dim=0), TypeError, "mean the same option")],
    **{
        name: [
            (
                lambda w, f=getattr(mg, name): f(w.x > 0, w.x),
                TypeError,
                f"{name} of shape .*it takes masks or integers",
            ),
            (
                lambda w, f=getattr(mg, name): f(w.x > 0, mg.array([True] * 4)),
                ValueError,
                f"{name}: shapes .* do not broadcast",
            ),
        ]
        for name in ("bitwise_and", "bitwise_or", "bitwise_xor")
    },
    "diagonal": [
        (lambda w: w.x[0].diagonal(), ValueError, r"diagonal of shape \(3,\): .*two dimensions"),
        (lambda w: w.x.diagonal(0, 1, 1), ValueError, "diagonal of shape .*cannot be the same"),
    ],
    "trace": [(lambda w: w.x.trace(0, 0, 2), IndexError, "axis2: axis 2 is out of bounds")],
    # random numbers
    "manual_seed": [
        (lambda w: mg.manual_seed(-1), ValueError, "non-negative"),
        (lambda w: mg.manual_seed("a"), TypeError, "SeedSequence expects int"),
    ],
    **{
        name: [
            (lambda w, f=getattr(rnd, name): f(-1), ValueError, "negative dimensions"),
            (lambda w, f=getattr(rnd, name): f("a"), TypeError, "integer"),
            (
                lambda w, f=getattr(rnd, name): f(2, generator=5),
                TypeError,
                "generator must be a NumPy",
            ),
        ]
        for name in ("rand", "randn")
    },
    "randint": [
        (lambda w: rnd.randint(5, 5), ValueError, "low >= high"),
        (lambda w: rnd.randint(0, 300, dtype=np.uint8), ValueError, "0 to 300 does not fit uint8"),
    ],
    "uniform": [
        (lambda w: rnd.uniform(2, 1, (2,)), ValueError, "high - low < 0"),
        (lambda w: rnd.uniform(0, INF, (2,)), ValueError, "must be finite numbers, not .0, inf"),
        (lambda w: rnd.uniform(-1e308, 1e308), OverflowError, "range exceeds valid bounds"),
        (lambda w: rnd.uniform("a", 1), ValueError, "could not convert string to float: 'a'"),
        (lambda w: rnd.uniform(None, 1), ValueError, "uniform: its parameters must be finite"),
    ],
    "normal": [
        (lambda w: rnd.normal(0, -1, (2,)), ValueError, "scale < 0"),
        (lambda w: rnd.normal(INF, INF), ValueError, "normal: its parameters must be finite"),
    ],
    "randperm": [
        (lambda w, n=n: rnd.randperm(n), ValueError, f"randperm: n must be {words}, not")
        for n, words in ((-1, "at least 0"), *((n, "a whole number") for n in ("a", 2.5, [3, 1])))
    ],
    "use_generator": [
        (
            lambda w, g=g: rnd.use_generator(g).__enter__(),
            TypeError,
            "use_generator: generator must be a NumPy generator",
        )
        for g in (5, "a", np.random)
    ],
    # the engine
    "backward": [
        (
            lambda w: mg.backprop.backward(mg.ones(1)),
            RuntimeError,
            "made from nothing that requires",
        )
    ],
    "gradients": [(lambda w: gradients(w.x * 2), RuntimeError, "is no single number")],
    "topological_order": [
        (lambda w: topological_order(spent()), RuntimeError, "the graph through mul is spent")
    ],
    "check_gradients": [
        (
            lambda w: mg.check_gradients(lambda x: x.detach(), mg.ones(2)),
            RuntimeError,
            "requires a gradient",
        ),
        (lambda w: mg.check_gradients(mg.exp, "a"), TypeError, "holds numbers or Booleans"),
    ],
    "draw_graph": [(lambda w: mg.draw_graph(spent()), RuntimeError, "is spent")],
    **{
        name: [
            (
                lambda w, f=getattr(mg.backprop, name): f(5),
                TypeError,
                f"{name} stands above a function, not 5",
            )
        ]
        for name in ("no_grad", "detect_anomaly", "quiet")
    },
    # functions of lesson 03
    "linear": [
        (
            lambda w: mg.linear(w.x, mg.ones(2, 4), None),
            ValueError,
            "last axis of x must have 4 entries",
        ),
        (lambda w: mg.linear(w.x, mg.ones(3), None), ValueError, r"two axes, \(out, in\)"),
        (
            lambda w: mg.linear(w.x, mg.ones(2, 3), mg.ones(3)),
            ValueError,
            r"linear of shape .* bias must have one entry for each row of the weight, \(2,\)",
        ),
    ],
    "layer_norm": [
        (lambda w: mg.layer_norm(w.x, mg.ones(2)), ValueError, r"last axes of x must be \(2,\)"),
        (lambda w: mg.layer_norm(mg.zeros(2, 0), mg.ones(0)), ValueError, "at least one entry"),
    ],
    "embedding": [
        (lambda w: mg.embedding(w.x, w.x), TypeError, "tokens are integers, these are float"),
        (
            lambda w: mg.embedding(np.array([5]), w.x),
            IndexError,
            r"tokens must lie in 0 … 1 .* in 5 … 5",
        ),
        (lambda w: mg.embedding(np.array([-1]), w.x), IndexError, "in -1 … -1"),
    ],
    "dropout": [
        (
            lambda w, p=p: mg.dropout(w.x, p),
            ValueError,
            r"dropout: p must be at least 0 and below 1",
        )
        for p in (1.0, -0.1, NAN)
    ],
    "cross_entropy_loss": [
        (
            lambda w: mg.cross_entropy_loss(w.x, mg.ones(2)),
            TypeError,
            "indices of classes, integers, these are float32",
        ),
        (
            lambda w: mg.cross_entropy_loss(w.x, np.array([0, 3])),
            ValueError,
            r"targets must lie in 0 … 2 .* in 0 … 3",
        ),
        (
            lambda w: mg.cross_entropy_loss(w.x, np.array([0])),
            ValueError,
            r"need targets of shape \(2,\), these have \(1,\)",
        ),
        (
            lambda w: mg.cross_entropy_loss(mg.ones(0, 3), np.zeros(0, int)),
            ValueError,
            "no targets to average over",
        ),
    ],
    "mse_loss": [(lambda w: mg.mse_loss(w.x, mg.ones(3)), ValueError, "must have one shape")],
    # initialisers
    "zeros_": [(lambda w: init.zeros_(5), TypeError, "zeros_ fills the array of a tensor, .* 5")],
    "ones_": [(lambda w: init.ones_(5), TypeError, "ones_ fills the array of a tensor, .* 5")],
    "uniform_": [
        (lambda w: init.uniform_(w.p[0], 2, 1), ValueError, "uniform_: high must be at least 2")
    ],
    "normal_": [
        (lambda w: init.normal_(w.p[0], 0, -1), ValueError, "normal_: std must be at least 0")
    ],
    **{
        name: matrix(getattr(init, name))
        for name in ("xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_")
    },
    # layers
    "Parameter": [
        (lambda w: nn.Parameter([1]), TypeError, "requires_grad needs floating-point"),
        (lambda w: nn.Parameter("a"), TypeError, "a tensor holds numbers"),
    ],
    "Buffer": [(lambda w: nn.Buffer("a"), TypeError, "a tensor holds numbers")],
    "Module.forward": [
        (lambda w: nn.Module()(w.x), NotImplementedError, "Module has no forward method")
    ],
    "Module.load_state_dict": [
        (lambda w: w.linear.load_state_dict({}), ValueError, "bias is missing; weight is missing"),
        (
            lambda w: w.linear.load_state_dict({**w.linear.state_dict(), "c": 1}),
            ValueError,
            "c is unknown",
        ),
        (
            lambda w: w.linear.load_state_dict({"weight": np.ones((2, 3)), "bias": np.ones(3)}),
            ValueError,
            r"bias has shape \(3,\), not \(2,\)",
        ),
        (
            lambda w: w.linear.load_state_dict(
                {"weight": np.ones((2, 3)), "bias": np.array(["a", "b"])}
            ),
            ValueError,
            "float",
        ),
    ],
    "Linear": [
        (lambda w: nn.Linear(0, 2), ValueError, "in_features must be at least 1, not 0"),
        (lambda w: nn.Linear(3, -1), ValueError, "at least 1"),
        (lambda w: nn.Linear(2.5, 2), ValueError, "in_features must be a whole number, not 2.5"),
    ],
    "Linear.forward": [
        (lambda w: w.linear(mg.ones(4)), ValueError, "last axis of x must have 3 entries")
    ],
    "Embedding": [
        (lambda w: nn.Embedding(-1, 2), ValueError, "num_embeddings must be at least 1, not -1"),
        (lambda w: nn.Embedding(2, "a"), ValueError, "embedding_dim must be a whole number"),
    ],
    "Embedding.forward": [
        (lambda w: nn.Embedding(2, 3)(np.array([7])), IndexError, "tokens must lie in 0 … 1")
    ],
    "LayerNorm": [(lambda w: nn.LayerNorm(-1), ValueError, "normalized_shape must be at least 1")],
    "LayerNorm.forward": [
        (lambda w: nn.LayerNorm(3)(mg.ones(2)), ValueError, "last axes of x must be")
    ],
    "Dropout": [
        (lambda w, p=p: nn.Dropout(p), ValueError, r"Dropout: p must be at least 0 and below 1")
        for p in (1.0, -1, NAN)
    ],
    **{
        f"{name}.forward": [
            (lambda w, f=getattr(nn, name): f()("a"), TypeError, "a tensor holds numbers")
        ]
        for name in ("Dropout", "ReLU", "GELU", "Tanh", "Sigmoid", "SoftPlus")
    },
    "Sequential": [(lambda w: nn.Sequential(w.linear)[3], IndexError, "list index out of range")],
    "Sequential.forward": [(lambda w: nn.Sequential(5)(w.x), TypeError, "not callable")],
    # optimizers
    "Optimizer": [
        (lambda w: optim.SGD([]), ValueError, "SGD: there are no parameters"),
        (lambda w: optim.SGD([w.p[0], w.p[0]]), ValueError, "SGD: a parameter is given twice"),
        (
            lambda w: optim.SGD([{"params": w.p, "lr": 1}]),
            ValueError,
            r"SGD: unknown options \['lr'\]",
        ),
        (lambda w: optim.Optimizer(w.p, 0.1).update(0, w.p[0], {}), NotImplementedError, ""),
    ],
    "SGD": [
        (lambda w, o=o: optim.SGD(w.p, **o), ValueError, f"SGD: {next(iter(o))} must be ")
        for o in option_rows(("lr", "momentum", "weight_decay"))
    ],
    "AdamW": [
        *(
            (lambda w, o=o: optim.AdamW(w.p, **o), ValueError, f"AdamW: {next(iter(o))} must be ")
            for o in option_rows(("lr", "eps", "weight_decay"))
        ),
        *(
            (
                lambda w, b=b: optim.AdamW(w.p, betas=b),
                ValueError,
                "AdamW: betas are two numbers|AdamW: each of the betas must be",
            )
            for b in ((1.0, 0.9), (NAN, 0.9), (0.9,), (0.9, "a"), "ab", 0.9, None, (-0.1, 0.9))
        ),
    ],
    "Muon": [
        *(
            (lambda w, o=o: optim.Muon(w.p[:1], **o), ValueError, f"Muon: {next(iter(o))} must be ")
            for o in option_rows(("lr", "momentum", "weight_decay", "parts"))
        ),
        (
            lambda w: optim.Muon(w.p),
            ValueError,
            r"takes matrices .* not a parameter of shape \(2,\)",
        ),
        (lambda w: optim.Muon(w.p[:1], parts=3), ValueError, "takes matrices of 3 equal parts"),
        (lambda w: optim.Muon(w.p[:1], parts=0), ValueError, "Muon: parts must be at least 1"),
    ],
    "newton_schulz": [
        *(
            (lambda w, m=m: optim.newton_schulz(m), ValueError, "newton_schulz: takes matrices")
            for m in (1.0, [1.0, 2.0], [[1, 2], [3, 4]], [["a"]], [[True]], None)
        ),
        *(
            (
                lambda w, n=n: optim.newton_schulz(np.ones((2, 2)), n),
                ValueError,
                "newton_schulz: steps must be",
            )
            for n in (-1, 1.5, "5", None)
        ),
    ],
    "Optimizer.load_state_dict": [
        (
            lambda w: w.adamw.load_state_dict({}),
            ValueError,
            "load_state_dict of AdamW: exp_avg.0 is missing; exp_avg.1 is missing",
        ),
        (
            lambda w: w.sgd.load_state_dict(w.adamw.state_dict()),
            ValueError,
            "of SGD: .*velocity.0 is missing",
        ),
    ],
    "clip_grad_norm_": [
        (
            lambda w, n=n: optim.clip_grad_norm_(w.p, n),
            ValueError,
            "clip_grad_norm_: max_norm must be",
        )
        for n in (-1, NAN, "1", None, True, [1.0])
    ],
    "warmup_cosine": [
        *(
            (
                lambda w, s=s: optim.warmup_cosine(*s, 10, 0.1),
                ValueError,
                "warmup_cosine: (step|warmup_steps) must be",
            )
            for s in ((-1, 2), (1, -2), (NAN, 2), (1.5, 2), ("1", 2), (1, None), (True, 2))
        ),
        *(
            (
                lambda w, r=r: optim.warmup_cosine(1, 2, 10, *r),
                ValueError,
                "warmup_cosine: (lr|min_lr) must be",
            )
            for r in ((-1,), (NAN,), ("0.1",), (None,), (0.1, -1), (0.1, INF), (0.1, "a"))
        ),
    ],
    # data
    "load_text": [
        (lambda w: mg.load_text(w.folder / "missing"), FileNotFoundError, "missing cannot be read"),
        (
            lambda w: mg.load_text(w.folder / "latin.txt"),
            ValueError,
            r"is not UTF-8 text \(byte 3\)",
        ),
        (lambda w: mg.load_text(5), TypeError, "path|PathLike"),
    ],
    "CharTokenizer": [
        (lambda w: CharTokenizer(""), ValueError, "the text is empty"),
        (lambda w: CharTokenizer(5), TypeError, "takes text, a str, not int"),
        (lambda w: CharTokenizer("a\udfff"), ValueError, r"'\\udfff' is half a character"),
    ],
    "CharTokenizer.encode": [
        (
            lambda w: w.tokenizer.encode("abx"),
            ValueError,
            r"character 'x' \(position 2\) is not in",
        ),
        (lambda w: w.tokenizer.encode(b"a"), TypeError, "takes text, a str, not bytes"),
        (
            lambda w: w.tokenizer.encode("ab\ud800"),
            ValueError,
            r"character '\\ud800' \(position 2\) is not in",
        ),
    ],
    "CharTokenizer.decode": [
        (lambda w, t=t: w.tokenizer.decode(t), ValueError, "tokens are integers in 0 … 2")
        for t in ([3], [-1])
    ]
    + [
        (lambda w, t=t: w.tokenizer.decode(t), ValueError, "CharTokenizer: tokens are integers")
        for t in ([0.5], "a", None, [True], [2**70], [[1], [1, 2]], ["a"])
    ],
    "CharTokenizer.save": [
        (lambda w: w.tokenizer.save(w.folder / "no" / "folder"), FileNotFoundError, "folder")
    ],
    "CharTokenizer.load": [
        (lambda w: CharTokenizer.load(w.folder / "missing"), FileNotFoundError, "missing"),
        (lambda w: CharTokenizer.load(w.folder / "notes.txt"), ValueError, "is no tokenizer that"),
        (lambda w: CharTokenizer.load(w.folder / "latin.txt"), ValueError, "is no tokenizer that"),
        (
            lambda w: CharTokenizer.load(w.folder / "tokenizer.json"),
            ValueError,
            "not sorted or not unique",
        ),
    ],
    "Dataset": [
        (lambda w: len(Dataset()), NotImplementedError, "has no __len__"),
        (lambda w: Dataset()[0], NotImplementedError, "has no __getitem__"),
    ],
    "train_validation_split": [
        (
            lambda w, t=t: train_validation_split(t),
            TypeError,
            "train_validation_split: takes a list",
        )
        for t in (5, None, {1: 2}, np.array(5), (i for i in range(20)))
    ],
    "TextDataset": [
        (
            lambda w: TextDataset([1, 2, 3], 3),
            ValueError,
            "3 tokens are too few for a context of 3",
        ),
        *(
            (
                lambda w, c=c: TextDataset([1, 2, 3], c),
                ValueError,
                "TextDataset: context_size must be",
            )
            for c in (0, 1.5, "a", None, True, NAN)
        ),
        *(
            (
                lambda w, t=t: TextDataset(t, 1),
                ValueError,
                "TextDataset: tokens (are integers|have one)",
            )
            for t in ([0.5, 1.5], [[1, 2], [3, 4]], [[1, 2], [3]], 5, "text", None, [True, False])
        ),
        *(
            (lambda w, i=i: w.data[i], IndexError, "there are 3 windows, asked for ")
            for i in (3, -4, [0, 3], np.int64(3), 2**70)
        ),
        *(
            (lambda w, i=i: w.data[i], ValueError, "TextDataset: indices are integers")
            for i in (1.0, "a", None, True, [0.5], np.array([True, False, True]), [[0], [1, 2]])
        ),
        (lambda w: w.data["a":], TypeError, "slice indices must be integers"),
    ],
    "TextDataset.sample": [
        *(
            (
                lambda w, n=n: w.data.sample(n, np.random.default_rng(0)),
                ValueError,
                "TextDataset.sample: batch_size must be",
            )
            for n in (-1, 0, 1.5, "a", None, True)
        ),
        *(
            (
                lambda w, g=g: w.data.sample(1, g),
                TypeError,
                "TextDataset.sample: a generator is one",
            )
            for g in (None, 0, "a", np.random)
        ),
    ],
    "DataLoader": [
        *(
            (lambda w, b=b: DataLoader(w.data, b), ValueError, "DataLoader: batch_size must be")
            for b in (0, 1.5, "a", None, True, NAN)
        ),
        *(
            (
                lambda w, o=o: DataLoader(w.data, **o),
                ValueError,
                f"DataLoader: {next(iter(o))} must be",
            )
            for o in ({"shuffle": "yes"}, {"shuffle": 1}, {"drop_last": None})
        ),
        *(
            (
                lambda w, g=g: DataLoader(w.data, generator=g),
                TypeError,
                "DataLoader: a generator is",
            )
            for g in (0, "a", np.random)
        ),
        *(
            (lambda w, d=d: DataLoader(d), TypeError, "DataLoader: a data set has a length")
            for d in (5, None, iter([1]))
        ),
    ],
    # attention and the model
    "causal_attention": [
        (lambda w: attention.causal_attention(mg.ones(2, 3), 1), ValueError, "qkv must be"),
        (lambda w: attention.causal_attention(mg.ones(1, 2, 12), 3), ValueError, "qkv must be"),
        (
            lambda w: attention.causal_attention(mg.ones(1, 2, 12), 0),
            ValueError,
            "num_heads must be at least 1, not 0",
        ),
        (
            lambda w: attention.causal_attention(mg.ones(1, 2, 12), 2.0),
            ValueError,
            "num_heads must be a whole number, not 2.0",
        ),
        (
            lambda w: attention.causal_attention(mg.ones(1, 2, 12, dtype=int), 2),
            TypeError,
            "qkv must hold floating-point numbers, not int64",
        ),
        (lambda w: attention.causal_attention(mg.ones(1, 0, 12), 2), ValueError, "qkv must be"),
    ],
    "KeyValueCache": [
        (
            lambda w: attention.KeyValueCache(-1, 1, 2, 4),
            ValueError,
            "batch_size must be at least 1",
        ),
        (
            lambda w: attention.KeyValueCache(1, 1, 2.0, 4),
            ValueError,
            "KeyValueCache: context_size must be a whole number, not 2.0",
        ),
    ],
    "KeyValueCache.extend": [
        (
            lambda w: w.cache.extend(np.ones((1, 1, 3, 4)), np.ones((1, 1, 3, 4))),
            ValueError,
            "room for 2 tokens, this would be token 3",
        )
    ],
    "CausalAttention": [
        (lambda w, h=h: attention.CausalAttention(8, h), ValueError, words)
        for h, words in (
            (3, "3 heads cannot share 8 channels"),
            (0, "num_heads must be at least 1, not 0"),
            (True, "num_heads must be a whole number, not True"),
        )
    ],
    "CausalAttention.forward": [
        (
            lambda w: attention.CausalAttention(8, 2)(mg.ones(1, 2, 6)),
            ValueError,
            "last axis of x must have 8",
        )
    ],
    "CausalAttention.weights": [
        (
            lambda w: attention.CausalAttention(8, 2).weights(mg.ones(1, 2, 6)),
            ValueError,
            "last axis of x",
        )
    ],
    "MLP": [(lambda w: attention.MLP(0), ValueError, "in_features must be at least 1")],
    "MLP.forward": [
        (lambda w: attention.MLP(8)(mg.ones(6)), ValueError, "last axis of x must have 8")
    ],
    "Block": [
        (lambda w: attention.Block(8, 3), ValueError, "3 heads cannot share"),
        (lambda w: attention.Block(8, 2, dropout=2), ValueError, "Dropout: p must be "),
    ],
    "Block.forward": [
        (lambda w: attention.Block(8, 2)(mg.ones(1, 2, 6)), ValueError, "last axes of x must be")
    ],
    "GPT2Config": [
        *(
            (
                lambda w, n=n, v=v: GPT2Config(**{n: v}),
                ValueError,
                f"GPT2Config: {n} must be {words}, not",
            )
            for n in ("context_size", "num_heads", "embedding_dim", "num_blocks", "vocab_size")
            for v, words in (
                (0, "at least 1"),
                (-1, "at least 1"),
                *((v, "a whole number") for v in (1.5, 64.0, "64", True, NAN, INF, [64])),
            )
        ),
        *(
            (
                lambda w, n=n, v=v: GPT2Config(**{n: v}),
                ValueError,
                f"GPT2Config: {n} must be True or False, not",
            )
            for n in ("bias", "tie_weights")
            for v in (1, "False", None)
        ),
        *(
            (lambda w, p=p: GPT2Config(dropout=p), ValueError, "dropout must be a number, not")
            for p in ("0.1", None, True)
        ),
        *(
            (
                lambda w, p=p: GPT2Config(dropout=p),
                ValueError,
                f"GPT2Config: dropout must be at least 0 and below 1, not {p}",
            )
            for p in (2, 1.0, -0.1, NAN)
        ),
    ],
    "GPT2": [
        (lambda w: GPT2(GPT2Config()), ValueError, "the config lacks its vocab_size"),
        (
            lambda w: GPT2(GPT2Config(embedding_dim=7, num_heads=2, vocab_size=3)),
            ValueError,
            "2 heads cannot share 7",
        ),
        (
            lambda w: w.model(np.zeros((1, 5), int)),
            ValueError,
            "5 tokens is longer than the context of 4",
        ),
        (lambda w: w.model(np.array([[5]])), IndexError, "tokens must lie in 0 … 4"),
        (lambda w: w.model([[1.0]]), TypeError, "tokens are integers"),
        (lambda w: w.model([1, 2]), ValueError, r"shape \(B, T\) with T at least 1, not \(2,\)"),
        (lambda w: w.model(np.zeros((1, 0), int)), ValueError, "T at least 1"),
    ],
    "GPT2.attention": [
        (lambda w: w.model.attention(np.array([[9]])), IndexError, "tokens must lie in"),
        (lambda w: w.model.attention([[1] * 5]), ValueError, "longer than the context of 4"),
    ],
    "GPT2.new_caches": [
        (lambda w: w.model.new_caches(-1), ValueError, "must be at least 1, not -1")
    ],
    "next_token_probabilities": [
        *(
            (
                lambda w, t=t: next_token_probabilities([[1.0]], temperature=t),
                ValueError,
                f"temperature must be {words}, not ",
            )
            for t, words in (
                *((t, "at least 0") for t in (-1, NAN, -INF)),
                *((t, "a number") for t in ("1", None, True, [1.0])),
            )
        ),
        *(
            (lambda w, x=x: next_token_probabilities(x), ValueError, words)
            for x, words in (
                ([[-INF, -INF], [0, 1]], "all logits of a row are -inf"),
                ([1.0, 2.0], r"logits have the shape \(B, V\)"),
                (np.zeros((1, 0)), r"logits have the shape \(B, V\)"),
            )
        ),
        *(
            (
                lambda w, k=k: next_token_probabilities([[1.0]], top_k=k),
                ValueError,
                f"top_k must be {words}",
            )
            for k, words in (
                *((k, "at least 1") for k in (0, -1)),
                *((k, "a whole number") for k in (1.5, 2.0, "2", True, INF)),
            )
        ),
        *(
            (
                lambda w, x=x: next_token_probabilities([[x, 1.0]]),
                ValueError,
                "a logit is nan or inf",
            )
            for x in (NAN, INF)
        ),
    ],
    "nucleus": [
        (lambda w, p=p: nucleus(np.array([[0.5, 0.5]]), p), ValueError, f"top_p must be {words}")
        for p, words in (
            *((p, "above 0 and at most 1") for p in (0, -1, 1.5, NAN, INF)),
            *((p, "a number") for p in ("0.5", True)),
        )
    ]
    + [
        (lambda w, x=x: nucleus(x, 0.5), ValueError, "in each row one is above 0")
        for x in ([[0.0, 0.0]], [[NAN, 1.0]], [[-1.0, 2.0]])
    ],
    "generate": [
        (
            lambda w: next(generate(w.model, np.zeros((1, 0), int))),
            ValueError,
            "the context is empty",
        ),
        *(
            (lambda w, t=t: next(generate(w.model, t)), error, words)
            for t, error, words in CONTEXTS
        ),
        *(
            (
                lambda w, f=f, g=g: f(w.model, g),
                TypeError,
                "sample: generator must be a NumPy generator",
            )
            for f in (
                lambda model, g: next(generate(model, [[1]], generator=g)),
                lambda model, g: sample(model, [[1]], 2, generator=g),
            )
            for g in (5, "a", np.random)
        ),
    ],
    "cut_words": [(lambda w: cut_words(b"a"), TypeError, "string pattern")],
    "BPETokenizer": [
        (lambda w: BPETokenizer([b"a"], {}), ValueError, "byte 0 is no token"),
        (
            lambda w: BPETokenizer(w.pairs.vocabulary, {(97, 98): 99}),
            ValueError,
            "97 and 98 do not make up token 99",
        ),
    ],
    "BPETokenizer.train": [
        (lambda w: BPETokenizer.train(b"a", 300), TypeError, "takes text, a str, not bytes"),
        (lambda w: BPETokenizer.train("a", 3), ValueError, "3 tokens are too few"),
        *(
            (
                lambda w, n=n: BPETokenizer.train("a", n),
                ValueError,
                "BPETokenizer: vocab_size must be a whole number",
            )
            for n in (300.0, NAN, INF, "300", None, True)
        ),
        *(
            (lambda w, s=s: BPETokenizer.train("a", 300, s), ValueError, "a list of texts, no two")
            for s in ("<end>", ["<a>", "<a>"])
        ),
        (lambda w: BPETokenizer.train("a", 300, [5]), TypeError, "takes text, a str, not int"),
        (lambda w: BPETokenizer.train("a", 300, ["\ud800"]), ValueError, "half of a surrogate"),
    ],
    "BPETokenizer.stream": [
        (lambda w, t=t: list(w.pairs.stream([97, t])), ValueError, "token must be at least 0 and")
        for t in (-1, 258)
    ],
    "BPETokenizer.encode": [
        (lambda w: w.pairs.encode(5), TypeError, "takes text, a str, not int"),
        (lambda w: w.pairs.encode("a\udc00"), ValueError, "position 1 holds half of a surrogate"),
    ],
    "BPETokenizer.decode": [
        (lambda w, t=t: w.pairs.decode(t), ValueError, "tokens are integers in 0 … 257")
        for t in ([258], [-1], [0.5], "a")
    ],
    "BPETokenizer.save": [
        (lambda w: w.pairs.save(w.folder / "no" / "folder"), FileNotFoundError, "folder")
    ],
    "BPETokenizer.load": [
        (lambda w: BPETokenizer.load(w.folder / "missing"), FileNotFoundError, "no tokenizer")
    ],
    "published": [(lambda w: published("head.weight"), KeyError, "head")],
    "rms_norm": [
        (lambda w: rms_norm(w.x, np.ones(2)), ValueError, "one number for each channel"),
        (lambda w: rms_norm(np.ones((2, 0)), np.ones(0)), ValueError, "for each channel"),
        (lambda w: rms_norm(w.x, None), TypeError, "rms_norm .*holds numbers or Booleans, not"),
        *(
            (lambda w, e=e: rms_norm(w.x, np.ones(3), e), ValueError, "rms_norm .*eps must be")
            for e in (-1, NAN, INF, "0.1", None, True, [0.1])
        ),
    ],
    "RMSNorm": [
        (lambda w: RMSNorm(0), ValueError, "RMSNorm: embedding_dim must be"),
        *(
            (lambda w, e=e: RMSNorm(3, e), ValueError, "RMSNorm: eps must be")
            for e in (-1, NAN, INF, "0.1", None, True, [0.1])
        ),
    ],
    "swiglu": [
        (lambda w: swiglu(w.x, np.ones(3)), ValueError, "gate and up must have one shape"),
        (lambda w: swiglu(w.x, None), TypeError, "swiglu .*holds numbers or Booleans, not"),
    ],
    "rotate": [
        (
            lambda w, x=x, n=n: rotate(np.ones(x), rotations(0, n, 4, 10.0)),
            ValueError,
            "for each pair",
        )
        for x, n in (((1, 2, 3, 4), 3), ((1, 2, 3, 8), 2), ((2, 3, 4), 2), ((1, 2, 3, 5), 2))
    ]
    + [
        (lambda w, by=by: rotate(np.ones((1, 2, 3, 4)), by), ValueError, "for each pair")
        for by in (None, 5, [1, 2])
    ],
    "grouped_attention": [
        (lambda w: grouped_attention(np.ones((1, 2, 3, 4)), 2), ValueError, "qkv must be"),
        (lambda w: grouped_attention(np.ones((1, 2, 3, 4)), 0), ValueError, "num_kv_heads must be"),
    ],
    "GrowingCache": [(lambda w: GrowingCache(0), ValueError, "GrowingCache: limit must be")],
    "GrowingCache.extend": [
        (
            lambda w: GrowingCache(2).extend(np.ones((1, 3, 4)), np.ones((1, 3, 4))),
            ValueError,
            "at most 2 tokens, this would be token 3",
        )
    ],
    "LlamaConfig": [
        (lambda w: LlamaConfig(num_heads=0), ValueError, "num_heads must be"),
        (lambda w: LlamaConfig(num_kv_heads=2), ValueError, "heads must share"),
        (lambda w: LlamaConfig(norm_eps=NAN), ValueError, "norm_eps must be"),
    ],
    "Llama": [(lambda w: Llama(None), AttributeError, "vocab_size|embedding_dim")],
    "Llama.forward": [
        (lambda w: w.llama(np.zeros((1, 33), int)), ValueError, "longer than the context of 32"),
        (lambda w: w.llama([1, 2]), ValueError, "the shape .B, T. with T at least 1"),
        (lambda w: w.llama([[262]]), IndexError, "tokens must lie in 0 … 261"),
        (lambda w: w.llama([[0.5]]), TypeError, "tokens are integers"),
    ],
    "Llama.attention": [(lambda w: w.llama.attention([1]), ValueError, "the shape .B, T.")],
    "in_gguf": [(lambda w: in_gguf("head.weight"), KeyError, "head")],
    "load_llama": [
        (lambda w: load_llama(w.folder / "missing"), FileNotFoundError, "missing"),
        (
            lambda w: load_llama(w.folder / "notes.txt"),
            ValueError,
            "notes.txt is damaged, or no GGUF",
        ),
    ],
    "save_llama": [
        (
            lambda w: save_llama(w.folder / "new", w.llama, w.chat_tokenizer, "Q8_0"),
            ValueError,
            "multiple of 32",
        ),
        (
            lambda w: save_llama(w.folder / "new", w.llama, w.chat_tokenizer, "Q5"),
            ValueError,
            "type Q5 are not written",
        ),
        (
            lambda w: save_llama(w.folder / "new", w.model, w.chat_tokenizer),
            TypeError,
            "save_llama: the model must be a Llama, not GPT2",
        ),
        (
            lambda w: save_llama(w.folder / "new", w.llama, w.pairs),
            TypeError,
            "save_llama: the tokenizer must be a ChatTokenizer, not BPETokenizer",
        ),
    ],
    "dequantise": [
        (
            lambda w: dequantise(gguf.Stored("Q6_K", (256,), np.zeros(210, np.uint8))),
            ValueError,
            "type Q6_K are not read",
        )
    ],
    "quantise": [
        (lambda w: quantise(np.ones(31), "Q8_0"), ValueError, "multiple of 32"),
        (lambda w: quantise(np.ones(32), "F64"), ValueError, "type F64 are not written"),
        *(
            (lambda w, x=x: quantise(np.full(32, x), "Q8_0"), ValueError, "finite numbers only")
            for x in (NAN, INF)
        ),
        (lambda w: quantise(["a"] * 32, "Q8_0"), TypeError, "a tensor holds numbers"),
    ],
    "cut_words_and_digits": [(lambda w: cut_words_and_digits(b"a"), TypeError, "must be")],
    "ChatTokenizer": [
        (
            lambda w: ChatTokenizer(w.pairs.vocabulary, {}),
            ValueError,
            "<.im_start.> is no special token",
        )
    ],
    "ChatTokenizer.train": [
        (lambda w: ChatTokenizer.train(b"a", 300), TypeError, "takes text, a str, not bytes")
    ],
    "ChatTokenizer.turn": [
        *(
            (lambda w, t=t: w.chat_tokenizer.turn("user", t), TypeError, "takes text, a str, not")
            for t in (None, 5, b"a", ["a"])
        ),
        (lambda w: w.chat_tokenizer.turn(None, "a"), TypeError, "takes text, a str, not NoneType"),
        (lambda w: w.chat_tokenizer.turn("user", "a\udc00"), ValueError, "half of a surrogate"),
    ],
    "ChatTokenizer.start": [
        (lambda w: w.chat_tokenizer.start("user", "a\udc00"), ValueError, "half of a surrogate")
    ],
    "chat_prompt": [
        (
            lambda w: chat_prompt(w.chat_tokenizer, [{"role": "root", "content": ""}]),
            ValueError,
            "'root' is no role",
        ),
        *(
            (lambda w, m=m: chat_prompt(w.chat_tokenizer, [m]), ValueError, "a message is {.role.:")
            for m in ({"role": "user"}, {"content": "a"}, {}, "a", None, 5)
        ),
        (
            lambda w: chat_prompt(w.chat_tokenizer, [{"role": "user", "content": 5}]),
            TypeError,
            "takes text, a str, not int",
        ),
        (lambda w: chat_prompt(w.chat_tokenizer, []), ValueError, "no messages"),
    ],
    "likeliest": [
        (lambda w: likeliest(np.ones(3), 0), ValueError, "number must be at least 1"),
        *(
            (lambda w, x=x: likeliest(np.array([1, x, 2]), 1), ValueError, "nan or inf: the model")
            for x in (NAN, INF)
        ),
    ],
    "Chat": [
        (
            lambda w, o=o: Chat(w.llama, w.chat_tokenizer, "", **o),
            ValueError,
            f"Chat: {next(iter(o))}",
        )
        for o in ({"temperature": -1}, {"top_k": 0}, {"top_p": 0}, {"max_new_tokens": 0})
    ],
    "Chat.say": [
        (
            lambda w: next(Chat(w.llama, w.chat_tokenizer, "").say("long " * 9)),
            ValueError,
            "too long for this model",
        )
    ],
    "Chat.answer": [
        (
            lambda w: next(Chat(w.llama, w.chat_tokenizer, "").answer("\udc00")),
            ValueError,
            "surrogate",
        )
    ],
    "LoRA": [
        (lambda w: LoRA(w.linear, 0), ValueError, "LoRA: rank must be"),
        (lambda w: LoRA(w.p[0]), TypeError, "LoRA: the layer must be a Linear, not Parameter"),
        *(
            (lambda w, s=s: LoRA(w.linear, 2, s), ValueError, "LoRA: scale must be")
            for s in (NAN, INF, -INF, "2", None, True, [2.0])
        ),
    ],
    "add_lora": [
        (lambda w: add_lora(w.llama, 0), ValueError, "LoRA: rank must be"),
        (lambda w: add_lora(w.llama, scale=NAN), ValueError, "LoRA: scale must be"),
        (lambda w: add_lora(w.with_lora), TypeError, "layer must be a Linear, not LoRA"),
    ],
    "merge_lora": [
        (lambda w: merge_lora(w.llama), TypeError, "merge_lora: in_proj must be a LoRA, not Linear")
    ],
    "read_header": [
        (lambda w: read_header(w.folder / "missing"), FileNotFoundError, "missing"),
        (lambda w: read_header(w.folder / "notes.txt"), ValueError, "or no safetensors file"),
    ],
    "read_array": [
        (
            lambda w: read_array(w.folder / "notes.txt", Stored("F32", (9, 9), 0)),
            ValueError,
            "greater than file size|mmap length",
        ),
        (
            lambda w: read_array(w.folder / "notes.txt", Stored("I8", (1,), 0)),
            ValueError,
            "weights of type I8",
        ),
    ],
    "read_config": [
        (lambda w: read_config(w.folder / "missing"), FileNotFoundError, "missing"),
        (lambda w: read_config(w.folder / "notes.txt"), ValueError, "cannot be loaded as a GPT2"),
    ],
    "write_safetensors": [
        (
            lambda w: write_safetensors(w.folder / "new", {"a": np.arange(3)}),
            TypeError,
            "a is int64: float32 and float16 are written",
        ),
        (lambda w: write_safetensors(w.folder / "new", {"a": None}), TypeError, "a is object"),
    ],
    "load_gpt2": [
        (lambda w: load_gpt2(w.folder), FileNotFoundError, "model.safetensors is not there"),
        (lambda w: load_gpt2(w.folder / "notes.txt"), FileNotFoundError, "config.json is not"),
    ],
    "save_gpt2": [
        (lambda w: save_gpt2(w.folder / "notes.txt", w.model), OSError, "notes.txt"),
        (
            lambda w: save_gpt2(w.folder / "new", w.llama),
            TypeError,
            "save_gpt2: the model must be a GPT2, not Llama",
        ),
        (
            lambda w: save_gpt2(w.folder / "new", w.model, w.tokenizer),
            TypeError,
            "save_gpt2: the tokenizer must be a BPETokenizer, not CharTokenizer",
        ),
    ],
    "sample": [
        (
            lambda w: sample(w.model, [[1]], temperature=-1),
            ValueError,
            "temperature must be at least 0, not -1",
        ),
        *(
            (lambda w, t=t, n=n: sample(w.model, t, n), error, words)
            for t, error, words in CONTEXTS
            for n in (0, 3)
        ),
        *(
            (
                lambda w, n=n: sample(w.model, [[1]], n),
                ValueError,
                f"max_new_tokens must be {words}, not",
            )
            for n, words in ((-1, "at least 0"), (1.5, "a whole number"), ("3", "a whole number"))
        ),
    ],
    "TrainingConfig": [
        *(
            (
                lambda w, n=n, v=v: TrainingConfig(**{n: v}),
                ValueError,
                f"TrainingConfig: {n} must be {words}",
            )
            for n in ("num_steps", "batch_size", "warmup_steps", "seed", "workers")
            for v, words in (
                (-1, "at least"),
                *((v, "a whole number") for v in (1.5, 2.0, "2", True, None, NAN, INF)),
            )
        ),
        (lambda w: TrainingConfig(batch_size=0), ValueError, "batch_size must be at least 1"),
        (
            lambda w: TrainingConfig(workers=33),
            ValueError,
            "TrainingConfig: 33 workers cannot share a batch_size of 32",
        ),
        *(
            (
                lambda w, n=n, v=v: TrainingConfig(**{n: v}),
                ValueError,
                f"TrainingConfig: {n} must be {words}, not",
            )
            for n in ("lr", "min_lr", "weight_decay")
            for v, words in (
                *((v, "at least 0 and finite") for v in (-1, NAN, INF)),
                *((v, "a number") for v in ("0.1", True, None)),
            )
        ),
        *(
            (
                lambda w, v=v: TrainingConfig(max_norm=v),
                ValueError,
                f"TrainingConfig: max_norm must be {words}, not",
            )
            for v, words in ((0, "above 0"), (-1, "above 0"), (NAN, "above 0"), ("1", "a number"))
        ),
        *(
            (lambda w, b=b: TrainingConfig(betas=b), ValueError, f"TrainingConfig: {words}, not ")
            for b, words in (
                *((b, "betas must be two numbers") for b in ((0.9,), 0.9, "ab", None)),
                *(
                    (b, "each of the betas must be at least 0 and below 1")
                    for b in ((0.9, 1.0), (-0.1, 0.9), (0.9, NAN))
                ),
                (("0.9", 0.9), "each of the betas must be a number"),
            )
        ),
    ],
    "Trainer": [
        (lambda w: Trainer(nn.GELU(), w.data), ValueError, "there are no parameters to optimize")
    ],
    "evaluate": [
        (
            lambda w, o=o: evaluate(w.model, w.data, **o),
            ValueError,
            f"evaluate: {next(iter(o))} must be",
        )
        for n in ("num_batches", "batch_size")
        for o in ({n: -1}, {n: 0}, {n: 1.5})
    ],
}


# Operations in which an array may be left out, and those that compare with anything.
MAY_LACK = {"linear", "layer_norm", "equal", "not_equal"}
OPERATIONS = {
    name: value
    for module in (ops, shapes, functional, attention, llama_layers, fast)
    for name, value in vars(module).items()
    if hasattr(value, "broadcasts") and name[0] != "_" and name not in MAY_LACK
}


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_none_is_no_array(name):
    function = OPERATIONS[name]
    count = sum(
        p.kind is p.POSITIONAL_ONLY for p in inspect.signature(function).parameters.values()
    )
    for place in range(count or 1):
        given = [mg.ones(2, 2)] * (count or 1)
        given[place] = None if count else [mg.ones(2, 2), None]
        with pytest.raises((TypeError, ValueError), match=f"^{function.__name__}"):
            function(*given)


def spent():
    """A tensor through whose graph `backward` has run."""
    y = mg.ones(1, requires_grad=True) * 2
    y.backward()
    return y


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", sorted(BAD))
def test_bad_input_is_refused_and_changes_nothing(tmp_path, name):
    world = World(tmp_path)
    before = world.snapshot()
    for call, error, words in BAD[name]:
        with pytest.raises(error, match=words or None):
            call(world)
        assert world.snapshot() == before, inspect.getsource(call)


def test_every_public_function_has_a_row():
    missing = public() - BAD.keys() - WITHOUT
    assert not missing, (
        f"no bad input is tried for {', '.join(sorted(missing))}: add rows to BAD, or the name to "
        "WITHOUT if it takes nothing that could be wrong"
    )
    assert (BAD.keys() | WITHOUT) - public() == set(), "rows of what is no more"
    assert not BAD.keys() & WITHOUT


def test_the_modules_say_what_is_public():
    assert {"add", "Module.load_state_dict", "Linear", "floor", "isnan"} <= public()
    assert all(import_module(f"minigrad.{module}").__doc__ for module in MODULES)
    assert functional.gelu.__doc__


# --- Optimizers and clips that could do nothing, and states that no run could have left ---


def used_up(parameters):
    """A generator of parameters that was gone through before."""
    generator = (p for p in parameters)
    list(generator)
    return generator


NO_USE = {
    "a single tensor": (lambda p: p[0], "give a list of parameters, .w., not a single tensor"),
    "an empty list": (lambda p: [], "there are no parameters"),
    "a generator that is used up": (used_up, "there are no parameters"),
    "groups without parameters": (lambda p: [{"params": []}], "there are no parameters|group|dict"),
    "a computed tensor": (lambda p: [p[0], p[1] * 2], r"parameter 1 was computed \(by mul\)"),
    "a row": (lambda p: [p[0][0]], r"parameter 0 was computed \(by getitem\)"),
    "a spent tensor": (lambda p: [spent()], r"parameter 0 was computed \(by mul\)"),
    "nothing that learns": (lambda p: [mg.ones(2)], "none of the parameters requires a gradient"),
    "a module": (lambda p: nn.Linear(2, 2), r"give model.parameters\(\), not the Linear itself"),
    "a Sequential": (lambda p: nn.Sequential(), r"model.parameters\(\), not the Sequential itself"),
    "a list of modules": (lambda p: [nn.Linear(2, 2)], "parameter 0 is the module Linear"),
    "named pairs": (lambda p: [("a", p[0])], r"a pair \(name, parameter\): give parameters\(\)"),
    "lists in a list": (lambda p: [p, p], "parameter 0 is a list: join the lists into one"),
    "arrays": (lambda p: [np.ones(2)], "parameter 0 is no tensor but ndarray"),
    "a name": (lambda p: "weight", "parameters are a list of tensors, not str"),
    "a number": (lambda p: 3, "parameters are a list of tensors, not int"),
    "nothing": (lambda p: None, "parameters are a list of tensors, not NoneType"),
    "a set": (lambda p: set(p), "a set has no order"),
    "a dictionary of parameters": (lambda p: {"a": p[0]}, "a list of tensors, not dict"),
    "the same twice": (lambda p: [p[0], p[1], p[0]], "a parameter is given twice"),
}


@pytest.mark.parametrize("kind", NO_USE)
def test_what_could_do_nothing_is_refused(kind):
    given, words = NO_USE[kind]
    parameters = nn.Linear(3, 2).parameters()
    for make in (optim.SGD, optim.AdamW, optim.Muon):
        with pytest.raises((TypeError, ValueError), match=f"{make.__name__}: .*({words})"):
            make(given(parameters))
    if kind != "a single tensor":  # which a clip accepts, as PyTorch's does
        with pytest.raises((TypeError, ValueError), match=f"clip_grad_norm_: .*({words})"):
            optim.clip_grad_norm_(given(parameters), 1.0)


@pytest.mark.parametrize("kind", ["a row", "the same twice", "named pairs", "nothing"])
def test_groups_are_checked_like_lists(kind):
    given, words = NO_USE[kind]
    parameters = nn.Linear(3, 2).parameters()
    with pytest.raises((TypeError, ValueError), match=words):
        optim.SGD([{"params": given(parameters)}])
    for groups in ([{"params": parameters}, parameters[0]], [{"weights": parameters}]):
        with pytest.raises(TypeError, match=r'SGD: group \d is no dictionary with "params" in it'):
            optim.SGD(groups)


@pytest.mark.parametrize("grad", [np.ones((1, 2)), np.ones(3), [1.0, 2.0], np.ones(2, int), 1.0])
def test_a_gradient_that_does_not_fit_changes_nothing(grad):
    a, b = nn.Parameter(np.ones(2)), nn.Parameter(np.ones(2))
    optimizer = optim.SGD([a, b], momentum=0.9)
    a.grad, b.grad = np.ones(2), grad
    before = {name: np.copy(value) for name, value in optimizer.state_dict().items()}
    for call in (optimizer.step, lambda: optim.clip_grad_norm_([a, b], 1e-3)):
        with pytest.raises((TypeError, ValueError), match="the gradient of parameter 1"):
            call()
    assert a.data.tolist() == a.grad.tolist() == [1, 1]
    assert all(np.array_equal(before[n], v) for n, v in optimizer.state_dict().items())


@pytest.mark.parametrize(
    "change",
    [
        lambda o: setattr(o, "lr", NAN),
        lambda o: setattr(o, "lr", "0.1"),
        lambda o: o.param_groups[0].update(lr=0.1),  # as in PyTorch, and without effect here
        lambda o: o.param_groups[0].update(weight_decay=-1),
        lambda o: o.param_groups[0].update(betas=(0.9, 1.0)),
    ],
)
def test_what_is_set_between_steps_is_checked_by_the_next_one(change):
    p = nn.Parameter(np.ones(2))
    optimizer = optim.AdamW([p])
    p.grad = np.ones(2)
    change(optimizer)
    with pytest.raises(ValueError, match="AdamW: .*(must be|unknown options)"):
        optimizer.step()
    assert p.data.tolist() == [1, 1] and optimizer.steps == 0


def states(optimizer):
    """(entry, state): every entry of a state replaced by every kind of nonsense."""
    state = optimizer.state_dict()
    for name, value in state.items():
        bad = [None, "text", {}, np.ones((7, 7)), np.asarray(value) * NAN]
        if name in ("lr", "steps"):
            bad += [-1, INF, [value], 1j, True]
        if name in ("steps", "update_counts") or name.startswith("exp_avg_sq"):
            bad.append(np.asarray(value) - 5)
        if name in ("steps", "update_counts"):
            bad.append(np.asarray(value) + 0.5)
        if name == "update_counts":
            bad.append(np.asarray(value) + 100)  # more than there were steps
        if np.ndim(value):
            shape = np.shape(value)
            bad += [np.full(shape, x) for x in ("a", None, 1j, INF)]
        for nonsense in bad:
            yield name, {**state, name: nonsense}
        yield name, {key: value for key, value in state.items() if key != name}


@pytest.mark.parametrize("make", [optim.SGD, optim.AdamW, optim.Muon])
def test_a_state_that_is_nonsense_is_refused_by_name_and_changes_nothing(make):
    p = nn.Parameter(np.ones((2, 2)))
    optimizer = make([p], lr=0.5)
    p.grad = np.ones((2, 2))
    optimizer.step()
    before = {name: np.copy(value) for name, value in optimizer.state_dict().items()}
    for name, state in states(optimizer):
        with pytest.raises(ValueError, match=f"load_state_dict of {make.__name__}: .*{name}"):
            optimizer.load_state_dict(state)
        after = optimizer.state_dict()
        assert all(np.array_equal(before[key], value) for key, value in after.items()), name
    for state in (None, 5, [("lr", 0.1)], "state"):
        with pytest.raises(TypeError, match=f"{make.__name__}: a state is a dictionary, not"):
            optimizer.load_state_dict(state)
    optimizer.load_state_dict(before)  # arrays of no axes, as a file gives them, are fine


def test_a_state_with_the_names_of_before_is_refused_in_words():
    optimizer = optim.AdamW([nn.Parameter(np.ones(2))])
    old = {"lr": 0.1, "steps": 3, "mean.0": np.ones(2), "square.0": np.ones(2)}
    words = "exp_avg.0 is missing; exp_avg_sq.0 is missing; mean.0 is unknown"
    with pytest.raises(ValueError, match=words):
        optimizer.load_state_dict(old)


# --- Functions and layers: what is refused when it is called, not in the backward pass ---

ONE, ROWS, TOKENS = mg.ones(1), mg.ones(2, 3), [0, 1]
INITS = "zeros_ ones_ uniform_ normal_ xavier_uniform_ xavier_normal_ kaiming_uniform_".split()
INITS.append("kaiming_normal_")
REFUSED = [
    (lambda: mg.linear(ROWS, mg.ones(2, 3), ONE), ValueError, "linear .* the bias must have one"),
    (lambda: mg.linear(ROWS, mg.ones(2, 3), mg.ones(2, 2)), ValueError, "the bias must have one"),
    (lambda: mg.linear(ROWS, mg.ones(1, 2, 3)), ValueError, "linear .* must have two axes"),
    (lambda: mg.linear(ROWS, None), TypeError, "linear .* an array is expected here, not None"),
    (lambda: mg.embedding(TOKENS, mg.ones(3)), ValueError, r"embedding .* two axes, \(V, C\)"),
    (lambda: mg.embedding(TOKENS, mg.ones(3, 2, 2)), ValueError, "embedding .* two axes"),
    (lambda: mg.embedding(None, ROWS), TypeError, "embedding .* not None"),
    (lambda: mg.embedding(TOKENS, None), TypeError, "embedding .* not None"),
    (lambda: mg.layer_norm(ROWS, ONE), ValueError, r"last axes of x must be \(1,\)"),
    (lambda: mg.layer_norm(ROWS, mg.ones(1, 3)), ValueError, r"last axes of x must be \(1, 3\)"),
    (lambda: mg.layer_norm(ROWS, mg.ones(3), ONE), ValueError, r"the bias must have .*\(3,\)"),
    (lambda: mg.layer_norm(ROWS, normalized_shape=2), ValueError, r"last axes of x must be \(2,\)"),
    (lambda: mg.layer_norm(ROWS, normalized_shape=()), ValueError, "at least one entry"),
    (lambda: mg.layer_norm(ROWS, normalized_shape=(5, 2, 3)), ValueError, "the last axes of x"),
    (lambda: mg.layer_norm(mg.array(1.0)), ValueError, "at least one entry"),
    (lambda: mg.softplus(None), TypeError, "softplus .* not None"),
    (lambda: mg.gelu(None), TypeError, "gelu .* not None"),
    (lambda: mg.mse_loss(ROWS, None), TypeError, "mse_loss .* not None"),
    (lambda: mg.mse_loss(mg.zeros(0), mg.zeros(0)), ValueError, "no targets to average over"),
    (lambda: mg.mse_loss(ROWS, ROWS, reduction="avg"), ValueError, 'is "mean", "sum" or "none"'),
    (lambda: mg.cross_entropy_loss(ROWS, None), TypeError, "cross_entropy_loss .* not None"),
    (lambda: mg.cross_entropy_loss(ROWS, [-100, -100]), ValueError, "no targets to average over"),
    (lambda: mg.cross_entropy_loss(ROWS, [0, -1]), ValueError, "targets must lie in 0 … 2"),
    (lambda: mg.cross_entropy_loss(ROWS, TOKENS, reduction=None), ValueError, "not None"),
    (lambda: mg.dropout([1.0], "a half"), ValueError, "dropout: p must be a number, not 'a half'"),
    (lambda: mg.dropout([1.0], generator=7), TypeError, "dropout: generator must be .* not 7"),
    (lambda: mg.dropout("a"), TypeError, "a tensor holds numbers"),
    (lambda: nn.Dropout("a half"), ValueError, "Dropout: p must be a number"),
    (
        lambda: nn.init.normal_(nn.Parameter([1.0]), generator=7),
        TypeError,
        "normal_: generator must be",
    ),
    (
        lambda: nn.init.uniform_(nn.Parameter([1.0]), generator=1),
        TypeError,
        "uniform_: generator must be",
    ),
    (
        lambda: mg.layer_norm(ROWS, eps=NAN),
        ValueError,
        "eps must be at least 0 and finite, not nan",
    ),
    (lambda: mg.layer_norm(ROWS, eps=-1), ValueError, "eps must be at least 0"),
    (lambda: nn.LayerNorm(()), ValueError, r"LayerNorm: normalized_shape is \(\)"),
    (
        lambda: mg.cross_entropy_loss(ROWS, TOKENS, ignore_index=None),
        ValueError,
        "ignore_index must be a whole number, not None",
    ),
    (lambda: rnd.randint(0, 5, generator=3), TypeError, "generator must be a NumPy generator"),
    (lambda: rnd.randperm(5, generator="a"), TypeError, "generator must be a NumPy generator"),
    (lambda: rnd.normal(0.0, NAN), ValueError, "normal: its parameters must be finite"),
    (lambda: rnd.uniform(NAN, 1.0), ValueError, "uniform: its parameters must be finite"),
    *[
        (lambda value=value: mg.masked_fill(ROWS, True, value), TypeError, "masked_fill .* numbers")
        for value in (None, "a", 1j, np.array([None]), np.array(["2020-01-01"], "M8[D]"))
    ],
    *[
        (lambda state=state: nn.Linear(1, 1).load_state_dict(state), TypeError, "is a dictionary")
        for state in (None, 5, [1], [("weight", 1)], "weight")
    ],
    (lambda: mg.layer_norm(ROWS, eps="a"), ValueError, "eps must be a number"),
    (lambda: nn.LayerNorm(3, eps=-1.0), ValueError, "LayerNorm: eps must be at least 0"),
    *[
        (lambda f=f, x=x: f(x), TypeError, "fills the array of a tensor|an initialiser fills")
        for f in map(vars(nn.init).get, INITS)
        for x in (5, None, "a", [1.0], np.ones((2, 2)), nn.Linear(2, 2))
    ],
    (lambda: nn.init.uniform_(nn.Parameter([1.0]), "a"), ValueError, "low must be a number"),
    (lambda: nn.init.uniform_(nn.Parameter([1.0]), 0, NAN), ValueError, "high must be at least 0"),
    (lambda: nn.init.uniform_(nn.Parameter([1.0]), -INF, 1), ValueError, "low must be above -inf"),
    (lambda: nn.init.normal_(nn.Parameter([1.0]), std=NAN), ValueError, "std must be at least 0"),
    (lambda: nn.init.normal_(nn.Parameter([1.0]), mean=INF), ValueError, "mean must be .* finite"),
    (lambda: nn.init.uniform_(mg.array([1, 2])), TypeError, "floating-point dtype, not int64"),
    (lambda: nn.init.normal_(mg.array([1, 2])), TypeError, "floating-point dtype, not int64"),
    *[
        (lambda f=f: f(nn.Parameter(np.ones((0, 3)))), ValueError, r"needs a weight .*\(0, 3\)")
        for f in map(vars(nn.init).get, INITS[4:])
    ],
    (lambda: nn.Linear("3", 2), ValueError, "Linear: in_features must be a whole number, not '3'"),
    (lambda: nn.Embedding(3, 2.0), ValueError, "Embedding: embedding_dim must be a whole number"),
    (lambda: nn.LayerNorm("ab"), ValueError, "LayerNorm: normalized_shape must be a whole number"),
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("call, error, words", REFUSED)
def test_functions_and_layers_refuse_in_words(call, error, words):
    with pytest.raises(error, match=words):
        call()
