"""Values and gradients beside PyTorch's, where it is installed."""

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn

pytestmark = pytest.mark.torch


def normal(*shape, seed=0):
    return np.random.default_rng([seed, *shape]).normal(size=shape)


def positive(*shape):
    return np.abs(normal(*shape)) + 0.5


# name: (ours, theirs, inputs); `t` is torch, `F` its functional module.
OPERATIONS = {
    "add": (lambda a, b: a + b, lambda t, F, a, b: a + b, (normal(2, 3), normal(3))),
    "sub": (lambda a, b: 1 - a - b, lambda t, F, a, b: 1 - a - b, (normal(2, 1), normal(1, 3))),
    "mul": (lambda a, b: a * b * 2, lambda t, F, a, b: a * b * 2, (normal(2, 3), normal(3))),
    "div": (lambda a, b: a / b, lambda t, F, a, b: a / b, (normal(2, 3), positive(3))),
    "pow": (lambda a, b: a**b, lambda t, F, a, b: a**b, (positive(2, 3), normal(3))),
    "pow_scalar": (lambda a: a**3 + 2**a, lambda t, F, a: a**3 + 2**a, (normal(2, 3),)),
    "neg_abs": (lambda a: -abs(a), lambda t, F, a: -abs(a), (normal(2, 3),)),
    "exp": (lambda a: a.exp(), lambda t, F, a: a.exp(), (normal(2, 3),)),
    "log": (lambda a: a.log(), lambda t, F, a: a.log(), (positive(2, 3),)),
    "sqrt": (lambda a: a.sqrt(), lambda t, F, a: a.sqrt(), (positive(2, 3),)),
    "sin": (lambda a: a.sin(), lambda t, F, a: a.sin(), (normal(2, 3),)),
    "cos": (lambda a: a.cos(), lambda t, F, a: a.cos(), (normal(2, 3),)),
    "tan": (lambda a: a.tan(), lambda t, F, a: a.tan(), (0.3 * normal(2, 3),)),
    "tanh": (lambda a: a.tanh(), lambda t, F, a: a.tanh(), (normal(2, 3),)),
    "sigmoid": (mg.sigmoid, lambda t, F, a: t.sigmoid(a), (normal(2, 3),)),
    "relu": (mg.relu, lambda t, F, a: F.relu(a), (normal(2, 3),)),
    "gelu": (mg.gelu, lambda t, F, a: F.gelu(a, approximate="tanh"), (normal(2, 3),)),
    "softplus": (mg.softplus, lambda t, F, a: F.softplus(a), (normal(2, 3),)),
    "maximum": (
        mg.maximum,
        lambda t, F, a, b: t.maximum(a, b),
        (normal(2, 3), normal(2, 3, seed=1)),
    ),
    "minimum": (
        mg.minimum,
        lambda t, F, a, b: t.minimum(a, b),
        (normal(2, 3), normal(2, 3, seed=1)),
    ),
    "clip": (lambda a: a.clip(-0.5, 0.5), lambda t, F, a: a.clip(-0.5, 0.5), (normal(3, 4),)),
    "where": (
        lambda a, b: mg.where(a > 0, a, b),
        lambda t, F, a, b: t.where(a > 0, a, b),
        (normal(3, 4), normal(4)),
    ),
    "sum": (lambda a: a.sum((0, 2)), lambda t, F, a: a.sum((0, 2)), (normal(2, 3, 4),)),
    "mean": (lambda a: a.mean(1), lambda t, F, a: a.mean(1), (normal(2, 3, 4),)),
    "max": (lambda a: a.max(1), lambda t, F, a: a.amax(1), (normal(2, 3, 4),)),
    "min": (lambda a: a.min(), lambda t, F, a: a.amin(), (normal(2, 3, 4),)),
    "prod": (lambda a: a.prod(1), lambda t, F, a: a.prod(1), (normal(2, 3, 4),)),
    "prod_with_zero": (
        lambda a: a.prod(0),
        lambda t, F, a: a.prod(0),
        (np.array([2.0, 0.0, 3.0]),),
    ),
    "var": (lambda a: a.var(1), lambda t, F, a: a.var(1, correction=0), (normal(2, 3, 4),)),
    "std": (lambda a: a.std(), lambda t, F, a: a.std(correction=0), (normal(2, 3, 4),)),
    "cumsum": (lambda a: a.cumsum(1), lambda t, F, a: a.cumsum(1), (normal(2, 3, 4),)),
    "norm": (lambda a: a.norm(1), lambda t, F, a: a.norm(dim=1), (normal(2, 3, 4),)),
    "reshape": (lambda a: a.view(4, -1).T, lambda t, F, a: a.view(4, -1).T, (normal(2, 3, 4),)),
    "transpose": (
        lambda a: a.transpose(-1, 0),
        lambda t, F, a: a.transpose(-1, 0),
        (normal(2, 3, 4),),
    ),
    "permute": (
        lambda a: a.permute(2, 0, 1),
        lambda t, F, a: a.permute(2, 0, 1),
        (normal(2, 3, 4),),
    ),
    "squeeze": (
        lambda a: a.unsqueeze(1).squeeze(),
        lambda t, F, a: a.unsqueeze(1).squeeze(),
        (normal(2, 3),),
    ),
    "stack": (
        lambda a, b: mg.stack((a, b), 1),
        lambda t, F, a, b: t.stack((a, b), 1),
        (normal(2, 3), normal(2, 3)),
    ),
    "cat": (
        lambda a, b: mg.cat((a, b), dim=1),
        lambda t, F, a, b: t.cat((a, b), dim=1),
        (normal(2, 3), normal(2, 2)),
    ),
    "split": (
        lambda a: a.split(2, dim=1)[1] * 3,
        lambda t, F, a: a.split(2, dim=1)[1] * 3,
        (normal(2, 5),),
    ),
    "triu": (lambda a: a.triu(1), lambda t, F, a: a.triu(1), (normal(2, 3, 4),)),
    "tril": (lambda a: a.tril(-1), lambda t, F, a: a.tril(-1), (normal(2, 3, 4),)),
    "index": (lambda a: a[[0, 0, 1], 1:], lambda t, F, a: a[[0, 0, 1], 1:], (normal(2, 3, 4),)),
    "matmul": (mg.matmul, lambda t, F, a, b: a @ b, (normal(2, 3, 4), normal(4, 5))),
    "matmul_batched": (mg.matmul, lambda t, F, a, b: a @ b, (normal(6, 1, 3, 4), normal(5, 4, 2))),
    "matmul_vectors": (mg.matmul, lambda t, F, a, b: a @ b, (normal(4), normal(3, 4, 2))),
    "softmax": (lambda a: mg.softmax(a, 1), lambda t, F, a: a.softmax(1), (normal(2, 3, 4),)),
    "log_softmax": (mg.log_softmax, lambda t, F, a: a.log_softmax(-1), (normal(2, 3, 4),)),
    "linear": (
        mg.linear,
        lambda t, F, a, w, b: F.linear(a, w, b),
        (normal(2, 3, 4), normal(5, 4), normal(5)),
    ),
    "layer_norm": (
        mg.layer_norm,
        lambda t, F, a, w, b: F.layer_norm(a, (4,), w, b),
        (normal(2, 3, 4), normal(4), normal(4)),
    ),
    "mse_loss": (
        mg.mse_loss,
        lambda t, F, a, b: F.mse_loss(a, b),
        (normal(2, 3), normal(2, 3, seed=1)),
    ),
}


@pytest.mark.parametrize("name", OPERATIONS)
@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-10), (np.float32, 2e-5)])
def test_operation(torch, name, dtype, tolerance):
    ours, theirs, inputs = OPERATIONS[name]
    inputs = [x.astype(dtype) for x in inputs]
    a = [mg.Tensor(x, requires_grad=True) for x in inputs]
    b = [torch.tensor(x, requires_grad=True) for x in inputs]
    y, z = ours(*a), theirs(torch, torch.nn.functional, *b)
    assert y.dtype == dtype
    assert np.allclose(y.data, z.detach().numpy(), rtol=tolerance, atol=tolerance)
    g = normal(*y.shape, seed=9).astype(dtype)
    y.backward(g)
    z.backward(torch.tensor(g))
    for p, q in zip(a, b, strict=True):
        assert np.allclose(p.grad, q.grad.numpy(), rtol=tolerance, atol=tolerance)


def test_embedding_and_cross_entropy(torch):
    F = torch.nn.functional
    tokens, targets = np.array([[1, 4, 1], [0, 1, 2]]), np.array([[0, 2, 1], [2, 2, 0]])
    weight, head = normal(5, 4), normal(3, 4)
    w, h = mg.Tensor(weight, requires_grad=True), mg.Tensor(head, requires_grad=True)
    loss = mg.cross_entropy_loss(mg.linear(mg.embedding(tokens, w), h, None), targets)
    loss.backward()
    w2 = torch.tensor(weight, requires_grad=True)
    h2 = torch.tensor(head, requires_grad=True)
    logits = F.linear(F.embedding(torch.tensor(tokens), w2), h2)
    loss2 = F.cross_entropy(logits.flatten(0, 1), torch.tensor(targets).flatten())
    loss2.backward()
    assert loss.item() == pytest.approx(loss2.item(), abs=1e-12)
    assert np.allclose(w.grad, w2.grad.numpy()) and np.allclose(h.grad, h2.grad.numpy())


def test_causal_attention(torch):
    B, T, H, D = 2, 7, 3, 4
    x = normal(B, T, 3 * H * D)
    ours, theirs = mg.Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y = mg.attention.causal_attention(ours, H)
    q, k, v = (p.view(B, T, H, D).transpose(1, 2) for p in theirs.split(H * D, dim=2))
    z = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
    z = z.transpose(1, 2).reshape(B, T, H * D)
    g = normal(*y.shape, seed=1)
    y.backward(g)
    z.backward(torch.tensor(g))
    assert np.allclose(y.data, z.detach().numpy()) and np.allclose(ours.grad, theirs.grad.numpy())


@pytest.mark.parametrize(
    "ours, theirs, options",
    [
        ("SGD", "SGD", {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1}),
        ("AdamW", "AdamW", {"lr": 0.1, "betas": (0.8, 0.95), "weight_decay": 0.3, "eps": 1e-6}),
    ],
)
def test_optimizer(torch, ours, theirs, options):
    p = nn.Parameter(normal(3, 4))
    q = torch.nn.Parameter(torch.tensor(normal(3, 4)))
    a = getattr(mg.optim, ours)([p], **options)
    b = getattr(torch.optim, theirs)([q], **options)
    for step in range(20):
        p.grad = normal(3, 4, seed=step)
        q.grad = torch.tensor(normal(3, 4, seed=step))
        a.step()
        b.step()
    assert np.allclose(p.data, q.detach().numpy(), atol=1e-12)


def test_initialisers_have_pytorchs_bounds(torch):
    mg.manual_seed(0)
    ours, theirs = nn.Linear(400, 300), torch.nn.Linear(400, 300)
    assert ours.weight.shape == tuple(theirs.weight.shape)
    assert ours.weight.data.std() == pytest.approx(theirs.weight.std().item(), rel=0.02)
    assert np.abs(ours.bias.data).max() == pytest.approx(theirs.bias.abs().max().item(), rel=0.05)


def test_a_hundred_steps_have_the_same_losses(torch):
    from benchmarks.parity import losses_of_both

    ours, theirs = losses_of_both(
        steps=100, context_size=32, num_blocks=2, num_heads=2, embedding_dim=32
    )
    assert np.abs(np.subtract(ours, theirs)).max() < 1e-6
    assert ours[-1] < ours[0] - 0.5


# --- The recipe `fast` ---


@pytest.mark.parametrize("token_shift", [True, False])
def test_the_fast_recipe_beside_it_is_the_same(torch, token_shift):
    """The twin that the speed-run is timed against takes the same steps."""
    from benchmarks.torch_fast import TorchFastGPT, TorchFastTrainer
    from minigrad.apps.fast import FastGPT, FastGPTConfig
    from minigrad.apps.fast_training import FastTrainer, FastTrainingConfig
    from minigrad.data import TextDataset

    mg.manual_seed(0)
    config = FastGPTConfig(16, 2, 2, 16, vocab_size=11, bigram_dim=4, token_shift=token_shift)
    dataset = TextDataset(np.random.default_rng(0).integers(0, 11, 4000), 16)
    trainer = FastTrainer(FastGPT(config), dataset, FastTrainingConfig(num_steps=12, batch_size=4))
    twin = TorchFastGPT(config)
    twin.load_minigrad(trainer.model)
    theirs = TorchFastTrainer(twin, trainer.config)
    for _ in range(12):
        inputs, targets = (x.data for x in trainer.batch())
        assert theirs.step(inputs, targets) == pytest.approx(trainer.step(), rel=1e-4)
