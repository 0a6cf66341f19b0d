"""What a network is made of besides arithmetic: activations, softmax, layer norm, losses.

Each is one operation with its own rules, so that what the forward pass knows is used backward.
"""

import math

import numpy as np

from minigrad.op import differentiable
from minigrad.random import default_generator


# --- Activations ---


@differentiable
def relu(x, /):
    """x where it is positive, else 0."""
    value = np.maximum(x, 0)
    return value, lambda g: g * (x > 0)


@differentiable
def sigmoid(x, /):
    """1 / (1 + exp(-x)), between 0 and 1."""
    value = 0.5 * (np.tanh(0.5 * x) + 1)  # the same, and nothing overflows
    return value, lambda g: g * value * (1 - value)


@differentiable
def softplus(x, /):
    """log(1 + exp(x)): a smooth relu."""
    return np.logaddexp(x, x.dtype.type(0)), lambda g: g * (0.5 * (np.tanh(0.5 * x) + 1))


@differentiable
def gelu(x, /):
    """x · Φ(x) in its tanh form: 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))).

    Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016, section 2.
    """
    a, b = math.sqrt(2 / math.pi), 0.044715
    tanh, value = np.empty(x.shape, x.dtype), np.empty(x.shape, x.dtype)
    for x_, t, y in blocks(x, tanh, value):
        np.multiply(x_, x_, out=t)
        t *= a * b
        t += a
        t *= x_
        np.tanh(t, out=t)
        np.add(t, 1, out=y)
        y *= x_
        y *= 0.5

    def rule(g):
        slope = np.empty(x.shape, x.dtype)
        for x_, t, s, g_ in blocks(x, tanh, slope, g):
            # 0.5 (1 + t) + 0.5 x (1 - t²) a (1 + 3 b x²)
            np.multiply(x_, x_, out=s)
            s *= 3 * a * b
            s += a
            s *= x_
            s *= 1 - t * t
            s += t
            s += 1
            s *= 0.5
            s *= g_
        return slope

    return value, rule


_BLOCK = 1 << 14  # elements: a few blocks of float32 fit into a core's second-level cache


def blocks(*arrays):
    """The arrays, all of one shape, cut into flat pieces small enough to stay in the cache."""
    flat = [np.ascontiguousarray(x).reshape(-1) for x in arrays]
    for start in range(0, flat[0].size, _BLOCK):
        yield [x[start : start + _BLOCK] for x in flat]


# --- Softmax ---


@differentiable
def softmax(x, /, axis=-1):
    """exp(x) / Σ exp(x) along an axis: positive, and sums to 1.

    The largest entry is taken off first, so nothing overflows. A row of nothing but -inf (masked
    whole) gives zeros.
    """
    value = _softmax(x, axis)

    def rule(g):
        result = g * value
        result -= value * result.sum(axis, keepdims=True)
        return result

    return value, rule


def _softmax(x, axis=-1):
    largest = x.max(axis, keepdims=True, initial=-np.inf)
    value = np.exp(x - np.where(np.isneginf(largest), 0, largest))
    total = value.sum(axis, keepdims=True)
    value /= np.where(total == 0, 1, total)
    return value


@differentiable
def log_softmax(x, /, axis=-1):
    """The logarithm of `softmax`, without the rounding of the detour: x - log Σ exp(x)."""
    shifted = x - x.max(axis, keepdims=True)
    value = shifted - np.log(np.exp(shifted).sum(axis, keepdims=True))
    return value, lambda g: g - np.exp(value) * g.sum(axis, keepdims=True)


# --- Layers as functions ---


@differentiable
def linear(x, weight, bias=None, /):
    """x @ weight.T + bias: (..., in) with weight (out, in) and bias (out,) -> (..., out)."""
    features = weight.shape[1]
    if x.shape[-1:] != (features,):
        raise ValueError(f"the last axis of x must have {features} entries, as the weight's rows")
    rows = x.reshape(-1, features)  # (N, in)
    value = rows @ weight.T
    if bias is not None:
        value += bias

    def rule_x(g):
        return (g.reshape(-1, len(weight)) @ weight).reshape(x.shape)

    def rule_weight(g):
        return g.reshape(-1, len(weight)).T @ rows

    def rule_bias(g):
        return g.reshape(-1, len(weight)).sum(0)

    return value.reshape(*x.shape[:-1], len(weight)), rule_x, rule_weight, rule_bias


@differentiable
def layer_norm(x, weight, bias=None, /, eps=1e-5):
    """(x - mean) / √(var + eps) · weight + bias, over the last axis (the variance divides by n).

    Source: Ba, Kiros and Hinton, "Layer Normalization", 2016, equation 4.
    """
    n = x.shape[-1]
    if weight.shape != (n,) or (bias is not None and bias.shape != (n,)):
        raise ValueError(f"weight and bias must have the shape of the last axis of x, ({n},)")
    rows = x.reshape(-1, n)  # (N, n)
    normal = rows - rows.mean(1, keepdims=True)
    scale = 1 / np.sqrt(np.einsum("ij,ij->i", normal, normal)[:, None] / n + eps)  # (N, 1)
    normal *= scale.astype(x.dtype, copy=False)
    value = normal * weight
    if bias is not None:
        value += bias

    def rule_x(g):
        g = g.reshape(-1, n) * weight
        along = np.einsum("ij,ij->i", g, normal)[:, None] / n
        g -= g.mean(1, keepdims=True)
        g -= normal * along
        g *= scale
        return g.reshape(x.shape)

    def rule_weight(g):
        return np.einsum("ij,ij->j", g.reshape(-1, n), normal)

    def rule_bias(g):
        return g.reshape(-1, n).sum(0)

    return value.reshape(x.shape), rule_x, rule_weight, rule_bias


@differentiable
def embedding(tokens, weight, /):
    """Row `tokens[...]` of the weight: tokens (...) of integers, weight (V, C) -> (..., C)."""
    if tokens.dtype.kind not in "iu":
        raise TypeError(f"tokens are integers, these are {tokens.dtype}")
    rows = len(weight)
    if tokens.size and not 0 <= tokens.min() <= tokens.max() < rows:
        raise IndexError(
            f"tokens must lie in 0 … {rows - 1} (the table has {rows} rows), "
            f"these lie in {tokens.min()} … {tokens.max()}"
        )

    def rule(g):
        # Sorted by token, the rows to add for each token stand together.
        order = np.argsort(tokens, axis=None, kind="stable")
        present, starts = np.unique(tokens.reshape(-1)[order], return_index=True)
        result = np.zeros_like(weight)
        if present.size:
            result[present] = np.add.reduceat(g.reshape(-1, weight.shape[1])[order], starts, axis=0)
        return result

    return weight[tokens], None, rule


def dropout(x, p=0.5, training=True, generator=None):
    """x with each element zero with probability p, the others divided by 1 - p; x if not training.

    Source: Srivastava et al., "Dropout", 2014, in the form that leaves the mean unchanged.
    """
    if not 0 <= p < 1:
        raise ValueError(f"dropout: p is a probability in [0, 1), not {p}")
    if not training or p == 0:
        return x
    kept = (generator or default_generator()).random(x.shape, dtype=np.float32) >= p
    return _scale_kept(x, kept, 1 / (1 - p))


@differentiable
def _scale_kept(x, kept, /, scale):
    factor = kept * x.dtype.type(scale)
    return x * factor, lambda g: g * factor, None


# --- Losses ---


@differentiable
def cross_entropy_loss(logits, targets, /):
    """The mean surprise -log softmax(logits)[target], in nats.

    logits (..., V), targets (...) of integers below V -> one number.
    """
    classes = logits.shape[-1] if logits.ndim else 0
    if targets.dtype.kind not in "iu":
        raise TypeError(f"targets are the indices of classes, integers, these are {targets.dtype}")
    if targets.shape != logits.shape[:-1]:
        raise ValueError(
            f"logits of shape {logits.shape} need targets of shape {logits.shape[:-1]}, "
            f"these have {targets.shape}"
        )
    if targets.size == 0:
        raise ValueError("there are no targets to average over")
    if not 0 <= targets.min() <= targets.max() < classes:
        raise ValueError(
            f"targets must lie in 0 … {classes - 1} (there are {classes} classes), "
            f"these lie in {targets.min()} … {targets.max()}"
        )
    n, targets = targets.size, targets.reshape(-1)
    shifted = logits.reshape(n, classes) - logits.reshape(n, classes).max(1, keepdims=True)
    probabilities = np.exp(shifted)
    total = probabilities.sum(1, keepdims=True)
    probabilities /= total
    picked = np.arange(n), targets
    value = (np.log(total[:, 0]) - shifted[picked]).mean()

    def rule(g):
        result = probabilities * (g / n)
        result[picked] -= g / n
        return result.reshape(logits.shape)

    return value, rule, None


@differentiable
def mse_loss(prediction, target, /):
    """The mean squared difference of two tensors of one shape."""
    if prediction.shape != target.shape:
        raise ValueError("prediction and target must have one shape: reshape one of the two")
    difference = prediction - target
    slope = 2 / difference.size
    return (
        (difference * difference).mean(),
        (lambda g: g * slope * difference),
        lambda g: g * -slope * difference,
    )
