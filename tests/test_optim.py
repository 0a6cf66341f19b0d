"""Optimizers: what PyTorch's do, on every way in and in every state, and Muon's arithmetic."""

import math

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.optim import SGD, AdamW, Muon, clip_grad_norm_, newton_schulz, warmup_cosine

EVERY = pytest.mark.parametrize("make", [SGD, AdamW, Muon])


def matrices(count=2, shape=(3, 2)):
    rng = np.random.default_rng(0)
    return [nn.Parameter(rng.standard_normal(shape)) for _ in range(count)]


def with_gradients(parameters, seed=1):
    rng = np.random.default_rng(seed)
    for parameter in parameters:
        parameter.grad = rng.standard_normal(parameter.shape)
    return parameters


# --- What is accepted ---


@EVERY
def test_parameters_come_in_every_form_that_pytorch_takes(make):
    forms = {
        "a list": lambda p: p,
        "a tuple": tuple,
        "a generator": lambda p: (x for x in p),
        "a view of a dictionary": lambda p: dict(enumerate(p)).values(),
        "groups": lambda p: [{"params": p[:1]}, {"params": p[1:]}],
        "groups of generators": lambda p: ({"params": (x for x in [y])} for y in p),
        "a group of one tensor": lambda p: [{"params": p[0]}, {"params": p[1]}],
        "a group of none": lambda p: [{"params": []}, {"params": p}],
    }
    moved = {}
    for name, form in forms.items():
        parameters = matrices()
        optimizer = make(form(parameters), lr=0.1)
        with_gradients(parameters)
        optimizer.step()
        moved[name] = [p.data.tolist() for p in parameters]
        assert sum(len(group["params"]) for group in optimizer.param_groups) == 2
    assert all(value == moved["a list"] for value in moved.values())


@EVERY
def test_frozen_parameters_stand_beside_others_and_stay(make):
    frozen, moving = matrices()
    frozen.requires_grad = False
    optimizer = make([frozen, moving], lr=0.1)
    before = frozen.data.copy(), moving.data.copy()
    (moving * moving + frozen * moving).sum().backward()
    optimizer.step()
    assert np.array_equal(frozen.data, before[0]) and not np.allclose(moving.data, before[1])


def test_a_tensor_cut_off_from_its_computation_is_a_parameter():
    w = (mg.random.randn(3, 2) * 0.1).detach()
    w.requires_grad = True
    optimizer = SGD([w], lr=1.0)
    w.sum().backward()
    before = w.data.copy()
    optimizer.step()
    assert np.allclose(w.data, before - 1)


def test_a_clip_takes_a_single_tensor_and_a_generator():
    for form in (lambda p: p, lambda p: [p], lambda p: (x for x in [p]), lambda p: (p,)):
        p = nn.Parameter(np.zeros(2))
        p.grad = np.array([3.0, 4.0])
        assert clip_grad_norm_(form(p), 1.0) == pytest.approx(5.0)
        assert np.allclose(p.grad, [0.6, 0.8])
    scalar = nn.Parameter(np.array(1.0))
    scalar.grad = np.cos(scalar.data)[()]  # a NumPy number, which cannot be changed in place
    clip_grad_norm_([scalar], 0.1)
    assert scalar.grad == pytest.approx(0.1)


def test_options_may_be_numbers_of_numpy():
    p = matrices(1)
    AdamW(p, lr=np.float64(0.1), eps=np.float32(1e-8), betas=[0, np.float64(0.9)])
    assert type(AdamW(p, lr=np.float32(0.5)).lr) is float
    assert warmup_cosine(np.int64(3), np.int32(4), np.int64(12), np.float32(1.0), 0) == 1.0
    assert clip_grad_norm_(with_gradients(p), np.float32(math.inf)) > 0


@EVERY
def test_float32_stays_float32(make):
    p = nn.Parameter(np.ones((2, 2), np.float32))
    optimizer = make([p], lr=np.float64(0.1), weight_decay=np.float64(0.1))
    for _ in range(3):
        p.grad = np.ones((2, 2), np.float32)
        clip_grad_norm_([p], np.float64(0.5))
        optimizer.step()
    arrays = [p.data, p.grad, *(v for v in optimizer.state_dict().values() if np.ndim(v) == 2)]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}


# --- Counting ---


@pytest.mark.parametrize("late", [0, 1, 10, 500])
def test_adamws_first_update_of_a_parameter_is_lr_long_whenever_it_comes(late):
    first, second = nn.Parameter(np.array([1.0])), nn.Parameter(np.array([1.0]))
    optimizer = AdamW([first, second], lr=0.1, weight_decay=0.0)
    for step in range(late + 1):
        first.grad = np.array([2.0])
        second.grad = np.array([-3.0]) if step == late else None
        optimizer.step()
    assert second.data == pytest.approx(1.1)
    assert optimizer.steps == late + 1 and optimizer.update_counts == [late + 1, 1]


def adamw_by_hand(gradients, lr, beta1, beta2, eps):
    """The path of one number as the paper writes it; a gradient of None is no update."""
    x = m = s = t = 0
    for g in gradients:
        if g is not None:
            t += 1
            m, s = beta1 * m + (1 - beta1) * g, beta2 * s + (1 - beta2) * g * g
            x -= lr * (m / (1 - beta1**t)) / (math.sqrt(s / (1 - beta2**t)) + eps)
    return x


def test_each_parameter_follows_its_own_gradients_only():
    rng = np.random.default_rng(4)
    table = [[g if rng.random() < 0.6 else None for g in rng.standard_normal(3)] for _ in range(50)]
    parameters = [nn.Parameter(np.array([0.0])) for _ in range(3)]
    optimizer = AdamW(parameters, lr=0.05, betas=(0.8, 0.95), eps=1e-6, weight_decay=0.0)
    for row in table:
        for parameter, g in zip(parameters, row):
            parameter.grad = None if g is None else np.array([g])
        optimizer.step()
    for parameter, column in zip(parameters, zip(*table)):
        assert parameter.data == pytest.approx(adamw_by_hand(column, 0.05, 0.8, 0.95, 1e-6))


@EVERY
def test_a_run_goes_on_from_its_state_where_parameters_have_their_own_counts(make):
    def run(parameters, optimizer, steps):
        for step in steps:
            with_gradients(parameters, seed=step)
            if step < 5:
                parameters[1].grad = None
            optimizer.step()

    whole = matrices()
    run(whole, make(whole, lr=0.1), range(12))
    half = matrices()
    first = make(half, lr=0.1)
    run(half, first, range(7))
    second = make(half, lr=0.9)
    second.load_state_dict(first.state_dict())
    assert (second.lr, second.steps, second.update_counts) == (0.1, 7, [7, 2])
    run(half, second, range(7, 12))
    assert all(np.array_equal(a.data, b.data) for a, b in zip(whole, half))


@EVERY
def test_a_state_is_a_copy(make):
    p = matrices()
    optimizer = make(p)
    state = optimizer.state_dict()
    with_gradients(p)
    optimizer.step()
    assert state["steps"] == 0 and state["update_counts"] == [0, 0]
    assert not any(np.any(v) for name, v in state.items() if name not in ("lr", "steps"))
    saved = optimizer.state_dict()
    other = make(p)
    other.load_state_dict(saved)
    other.step()
    assert saved["update_counts"] == [1, 1] and other.update_counts == [2, 2]


# --- Muon ---


def by_decomposition(matrix, steps=5):
    """What Newton–Schulz must give, from the singular values."""
    u, s, vt = np.linalg.svd(matrix.astype(np.float64), full_matrices=False)
    s = s / (np.linalg.norm(s, axis=-1, keepdims=True) + 1e-7)
    for _ in range(steps):
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
    return (u * s[..., None, :]) @ vt


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 5), (5, 1), (4, 4), (3, 7), (7, 3), (2, 3, 5), (0, 3)]
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_newton_schulz_changes_the_singular_values_alone(shape, dtype):
    matrix = np.random.default_rng(2).standard_normal(shape).astype(dtype)
    before = matrix.copy()
    result = newton_schulz(matrix)
    assert result.shape == shape and result.dtype == dtype and np.array_equal(matrix, before)
    assert np.allclose(
        result, by_decomposition(matrix), atol=1e-12 if dtype == np.float64 else 1e-4
    )


def test_newton_schulz_brings_singular_values_near_one():
    matrix = np.random.default_rng(3).standard_normal((64, 200))
    values = np.linalg.svd(newton_schulz(matrix), compute_uv=False)
    assert 0.65 < values.min() and values.max() < 1.25
    for scale in (1e-3, 1e3):
        assert np.allclose(newton_schulz(scale * matrix), newton_schulz(matrix), atol=1e-5)


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(3, 4), (6, 2), (4, 4)])
def test_muon_is_momentum_then_an_orthogonal_step_with_scale_and_decay(shape, order):
    rng = np.random.default_rng(5)
    start = rng.standard_normal(shape)
    p = mg.Tensor(np.array(start, order=order), requires_grad=True)
    optimizer = Muon([p], lr=0.1, momentum=0.9, weight_decay=0.5)
    w, v = start.copy(), np.zeros(shape)
    for _ in range(4):
        g = rng.standard_normal(shape)
        p.grad = g.copy()
        optimizer.step()
        v = 0.9 * v + g
        step = by_decomposition(g + 0.9 * v)
        w = w - 0.1 * 0.5 * w - 0.1 * max(1, shape[0] / shape[1]) ** 0.5 * step
        assert np.array_equal(p.grad, g)
    assert np.allclose(p.data, w)


def test_muon_treats_the_parts_of_a_fused_matrix_each_by_itself():
    fused = nn.Parameter(np.random.default_rng(6).standard_normal((6, 2)))
    parts = [nn.Parameter(part) for part in np.split(fused.data, 3)]
    together = Muon([{"params": [fused], "parts": 3}], lr=0.1, weight_decay=0.1)
    apart = Muon(parts, lr=0.1, weight_decay=0.1)
    for seed in range(3):
        with_gradients([fused], seed)
        for part, g in zip(parts, np.split(fused.grad, 3)):
            part.grad = g
        together.step()
        apart.step()
    assert np.allclose(fused.data, np.concatenate([part.data for part in parts]))


@pytest.mark.torch
def test_a_late_parameter_moves_as_in_pytorch():
    torch = pytest.importorskip("torch")
    ours = matrices()
    theirs = [torch.nn.Parameter(torch.tensor(p.data)) for p in ours]
    a, b = AdamW(ours, lr=0.1), torch.optim.AdamW(theirs, lr=0.1)
    for step in range(20):
        with_gradients(ours, step)
        if step < 10:
            ours[1].grad = None
        for p, q in zip(ours, theirs):
            q.grad = None if p.grad is None else torch.tensor(p.grad)
        a.step()
        b.step()
    for p, q in zip(ours, theirs):
        assert np.allclose(p.data, q.detach().numpy(), atol=1e-12)
