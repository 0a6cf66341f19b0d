"""A GPT-2 written out from the library's parts, as a reader would write it."""

import numpy as np

import minigrad as mg
from minigrad import nn

B, T, H, D, V = 11, 8, 2, 6, 11
C = H * D


class Attention(nn.Module):
    def __init__(self):
        self.in_proj = nn.Linear(C, 3 * C, bias=False)
        self.mask = mg.triu(mg.ones((T, T)), k=1).view(1, 1, T, T)

    def forward(self, x):
        B, T, _ = x.shape
        q, k, v = self.in_proj(x).split(C, dim=2)
        q = q.view(B, T, H, D).transpose(1, 2)
        k = k.view(B, T, H, D).transpose(1, 2)
        v = v.view(B, T, H, D).transpose(1, 2)
        scores = q @ k.transpose(-2, -1) / mg.sqrt(D)
        scores = scores.masked_fill(self.mask[:, :, :T, :T], float("-inf"))
        return (mg.softmax(scores, axis=-1) @ v).transpose(1, 2).reshape(B, T, C)


class Net(nn.Module):
    def __init__(self):
        self.tokens = nn.Embedding(V, C)
        self.positions = nn.Embedding(T, C)
        self.attention = Attention()
        self.mlp = nn.Sequential(
            nn.LayerNorm(C), nn.Linear(C, 4 * C), nn.GELU(), nn.Linear(4 * C, V)
        )

    def forward(self, x):
        positions = mg.arange(x.shape[-1])
        h = self.tokens(x) + self.positions(positions)
        return self.mlp(h + self.attention(h))


@mg.no_grad()
def sample(net, context, max_new_tokens=100, temperature=1.0):
    generator = np.random.default_rng(0)
    for _ in range(max_new_tokens):
        logits = net(context[:, -T:]) / temperature
        probs = mg.softmax(logits[:, -1, :], axis=-1)
        p = probs.numpy()[0].astype(np.float64)
        idx = generator.choice(V, p=p / p.sum())
        context = mg.cat((context, mg.array([[idx]])), axis=-1)
    return context


def test_walkthrough():
    mg.manual_seed(0)
    net = Net()
    optimizer = mg.optim.AdamW(net.parameters(), lr=1e-2)
    sequence = (mg.arange(B)[:, None] + mg.arange(T + 1)).numpy() % V
    data, target = mg.array(sequence[:, :-1]), mg.array(sequence[:, 1:])
    losses = []
    for _ in range(150):
        logits = net(data)
        assert logits.shape == (B, T, V)
        loss = nn.cross_entropy_loss(logits, target)  # logits (B, T, V), target (B, T)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert abs(losses[0] - np.log(V)) < 0.7
    assert losses[-1] < 0.1
    text = sample(net, mg.array([[3]]), max_new_tokens=12)
    assert text.shape == (1, 13) and not text.requires_grad
    assert (np.diff(text.numpy()[0]) % V == 1).mean() > 0.8  # it learned to count


def test_every_name_of_the_library_is_there():
    for name in [
        "array",
        "zeros",
        "ones",
        "full",
        "eye",
        "arange",
        "linspace",
        "zeros_like",
        "ones_like",
        "empty_like",
        "manual_seed",
        "float32",
        "float64",
        "int32",
        "int64",
        "pi",
        "e",
        "inf",
        "nan",
        "newaxis",
        "abs",
        "exp",
        "log",
        "sqrt",
        "sin",
        "cos",
        "tan",
        "tanh",
        "sigmoid",
        "relu",
        "gelu",
        "softplus",
        "maximum",
        "minimum",
        "clip",
        "where",
        "floor",
        "ceil",
        "sign",
        "sum",
        "mean",
        "max",
        "min",
        "prod",
        "var",
        "std",
        "cumsum",
        "argmax",
        "argmin",
        "norm",
        "reshape",
        "view",
        "flatten",
        "transpose",
        "permute",
        "squeeze",
        "unsqueeze",
        "expand_dims",
        "stack",
        "cat",
        "concatenate",
        "split",
        "repeat",
        "triu",
        "tril",
        "masked_fill",
        "matmul",
        "mm",
        "dot",
        "softmax",
        "log_softmax",
        "isnan",
        "isinf",
        "isfinite",
        "no_grad",
        "check_gradients",
        "detect_anomaly",
        "draw_graph",
        "Tensor",
        "nn",
        "optim",
        "random",
        "data",
        "load_text",
        "load_shakespeare",
    ]:
        assert hasattr(mg, name), name
    for name in ["rand", "randn", "randint", "uniform", "normal", "randperm"]:
        assert hasattr(mg.random, name), name
    for name in [
        "Module",
        "Parameter",
        "Sequential",
        "Linear",
        "Embedding",
        "LayerNorm",
        "Dropout",
        "GELU",
        "ReLU",
        "Tanh",
        "Sigmoid",
        "SoftPlus",
        "cross_entropy_loss",
        "mse_loss",
        "init",
    ]:
        assert hasattr(nn, name), name
    for name in [
        "uniform_",
        "normal_",
        "zeros_",
        "ones_",
        "xavier_uniform_",
        "xavier_normal_",
        "kaiming_uniform_",
        "kaiming_normal_",
    ]:
        assert hasattr(nn.init, name), name
    for name in [
        "grad",
        "requires_grad",
        "shape",
        "ndim",
        "dtype",
        "size",
        "T",
        "numpy",
        "item",
        "tolist",
        "detach",
        "astype",
        "copy",
        "retain_grad",
        "backward",
    ]:
        assert hasattr(mg.Tensor, name), name
    assert set(dir(mg)) >= {"array", "nn", "softmax"}
