"""Causal self-attention, the block of a transformer, and the cache that makes sampling fast."""

import math

import numpy as np

from minigrad import nn
from minigrad.op import differentiable


# --- Attention as one operation ---


@differentiable
def causal_attention(qkv, /, num_heads, cache=None):
    """softmax(q kᵀ / √D, only over the past and present) v, for every head.

    `qkv` (B, T, 3C) holds queries, keys and values side by side -> (B, T, C). With a cache, keys
    and values are appended to those of earlier calls, and there is no gradient.
    Source: Vaswani et al., "Attention Is All You Need", 2017, equation 1.
    """
    B, T, C = qkv.shape[0], qkv.shape[1], qkv.shape[2] // 3
    D = C // num_heads
    q, k, v = _heads(qkv, num_heads)  # each (B, H, T, D)
    if cache is not None:
        k, v = cache.extend(k, v)
    weights = _attention_weights(q, k)  # (B, H, T, T)
    value = np.empty((B, T, num_heads, D), qkv.dtype)
    np.matmul(weights, v, out=value.swapaxes(1, 2))

    def rule(g):
        g = g.reshape(B, T, num_heads, D).swapaxes(1, 2)  # (B, H, T, D)
        result = np.empty_like(qkv)
        g_q, g_k, g_v = _heads(result, num_heads)
        np.matmul(weights.swapaxes(-1, -2), g, out=g_v)
        g_scores = g @ v.swapaxes(-1, -2)  # (B, H, T, T)
        g_scores -= np.einsum("bhts,bhts->bht", g_scores, weights)[..., None]
        g_scores *= weights
        g_scores *= 1 / math.sqrt(D)
        np.matmul(g_scores, k, out=g_q)
        np.matmul(g_scores.swapaxes(-1, -2), q, out=g_k)
        return result

    return value.reshape(B, T, C), rule if cache is None else None


def _heads(qkv, num_heads):
    """Views of queries, keys and values: (B, T, 3C) -> three of (B, H, T, D)."""
    B, T, C = qkv.shape[0], qkv.shape[1], qkv.shape[2] // 3
    return qkv.reshape(B, T, 3, num_heads, C // num_heads).transpose(2, 0, 3, 1, 4)


def _attention_weights(q, k):
    """softmax(q kᵀ / √D) with the future hidden: (B, H, T, D), (B, H, S, D) -> (B, H, T, S)."""
    T, S, D = q.shape[-2], k.shape[-2], q.shape[-1]
    weights = q @ k.swapaxes(-1, -2)
    weights *= 1 / math.sqrt(D)
    if T > 1:  # the last query sees everything, the one before it all but the last, …
        weights += np.triu(np.full((T, S), -np.inf, q.dtype), k=S - T + 1)
    weights -= weights.max(-1, keepdims=True)
    np.exp(weights, out=weights)
    weights /= weights.sum(-1, keepdims=True)
    return weights


class KeyValueCache:
    """The keys and values of the tokens that one attention layer has seen, in their order."""

    def __init__(self, batch_size, num_heads, context_size, head_dim):
        self.keys = np.empty((batch_size, num_heads, context_size, head_dim), np.float32)
        self.values = np.empty_like(self.keys)
        self.length = 0

    def extend(self, k, v):
        """Append k and v (B, H, T, D); returns all keys and values so far."""
        end = self.length + k.shape[2]
        if end > self.keys.shape[2]:
            raise ValueError(
                f"the cache has room for {self.keys.shape[2]} tokens, this would be token {end}: "
                "start a new cache with the last tokens"
            )
        self.keys[:, :, self.length : end] = k
        self.values[:, :, self.length : end] = v
        self.length = end
        return self.keys[:, :, :end], self.values[:, :, :end]


# --- The parts of a transformer ---


class CausalAttention(nn.Module):
    """Each position gathers from itself and those before it: (B, T, C) -> (B, T, C)."""

    def __init__(self, embedding_dim, num_heads, bias=False):
        if embedding_dim % num_heads:
            raise ValueError(
                f"CausalAttention: {num_heads} heads cannot share {embedding_dim} channels equally:"
                " make embedding_dim a multiple of num_heads"
            )
        self.num_heads = num_heads
        self.in_proj = nn.Linear(embedding_dim, 3 * embedding_dim, bias=bias)
        self.out_proj = nn.Linear(embedding_dim, embedding_dim, bias=bias)

    def forward(self, x, cache=None):
        return self.out_proj(causal_attention(self.in_proj(x), self.num_heads, cache=cache))

    def weights(self, x):
        """How much each position attends to each, as an array (B, H, T, T)."""
        q, k, _ = _heads(self.in_proj(x).data, self.num_heads)
        return _attention_weights(q, k)


class MLP(nn.Module):
    """Each position by itself through a wider layer: (B, T, C) -> (B, T, 4C) -> (B, T, C)."""

    def __init__(self, embedding_dim, bias=False):
        self.up_proj = nn.Linear(embedding_dim, 4 * embedding_dim, bias=bias)
        self.gelu = nn.GELU()
        self.down_proj = nn.Linear(4 * embedding_dim, embedding_dim, bias=bias)

    def forward(self, x):
        return self.down_proj(self.gelu(self.up_proj(x)))


class Block(nn.Module):
    """Attention, then an MLP, each on a normalised copy of the stream and added to it."""

    def __init__(self, embedding_dim, num_heads, dropout=0.0, bias=False):
        self.ln1 = nn.LayerNorm(embedding_dim)
        self.attn = CausalAttention(embedding_dim, num_heads, bias)
        self.ln2 = nn.LayerNorm(embedding_dim)
        self.ffn = MLP(embedding_dim, bias)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x, cache=None):
        x = x + self.dropout(self.attn(self.ln1(x), cache))  # (B, T, C)
        return x + self.dropout(self.ffn(self.ln2(x)))
