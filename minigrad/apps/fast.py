"""The model of the recipe `fast`: it reaches GPT-2's loss in a fraction of the steps.

    python -m minigrad.gpt2_shakespeare --recipe fast

What differs from lesson 8's GPT-2, each measured alone in docs/speedrun.md: rotary positions,
queries and keys of one length, RMS norm without weights, a squared ReLU, branches that start as
zero, a table of pairs of tokens, and blocks that also see the position before. How it is trained is
in fast_training.py.
"""

import functools
import math
from dataclasses import dataclass

import numpy as np

from minigrad import nn
from minigrad.attention import KeyValueCache, causal_attention
from minigrad.backprop import no_grad
from minigrad.functional import _floats, softmax
from minigrad.gpt2_shakespeare import GPT2
from minigrad.init import normal_
from minigrad.op import as_array, differentiable
from minigrad.shapes import cat, triu
from minigrad.support.settings import number, true_or_false, whole_number
from minigrad.tensor import ones

# --- Operations ---


@differentiable
def rms_norm(x, /, eps=1e-6):
    """x / √(mean of x² + eps), over the last axis: layer norm without mean, weight and bias.

    Source: Zhang and Sennrich, "Root Mean Square Layer Normalization", 2019, equation 4.
    """
    x, eps = _floats(x), number("eps", eps, 0, below=True)
    if x.ndim == 0 or x.shape[-1] == 0:
        raise ValueError("x needs a last axis with at least one entry, to average over")
    scale = 1 / np.sqrt(np.vecdot(x, x)[..., None] / x.shape[-1] + x.dtype.type(eps))
    value = x * scale

    def rule(g):
        result = value * (np.vecdot(g, value)[..., None] / -x.shape[-1])
        result += g
        result *= scale
        return result

    return value, rule


@differentiable
def squared_relu(x, /):
    """x² where x is positive, else 0.

    Source: So et al., "Primer: Searching for Efficient Transformers", 2021, section 4.
    """
    positive = np.maximum(_floats(x), 0)

    def rule(g):
        result = positive * g
        result *= 2
        return result

    return positive * positive, rule


@differentiable
def rotary(x, /, first=0):
    """Rotate each head by its position, the first row by `first`: (B, T, n, D) -> (B, T, n, D).

    Entries d and d + D/2 are a point in the plane, rotated by position · 1000^(-2d/D). The product
    of a query and a key then depends only on their distance. The base is 1000, not the
    paper's 10,000, since the contexts are short.
    Source: Su et al., "RoFormer", 2021, section 3.2.
    """
    x = _floats(x)
    if x.ndim != 4 or x.shape[-1] % 2:
        raise ValueError("x must be (B, T, heads, D), with an even number of entries D in a head")
    cos, sin = _angles(first, x.shape[1], x.shape[-1], x.dtype)
    return _turned(x, cos, sin), lambda g: _turned(g, cos, -sin)


def _turned(x, cos, sin):
    """x (B, T, n, D) times cos, plus x with the halves of its heads exchanged times sin."""
    half = x.shape[-1] // 2
    value = np.empty(x.shape, x.dtype)
    value[..., :half] = x[..., half:]
    value[..., half:] = x[..., :half]
    value *= sin
    value += x * cos
    return value


@functools.lru_cache(maxsize=256)
def _angles(first, T, D, dtype):
    """Two factors (T, 1, D) for the positions from `first` on: cosines, and sines with their signs.

    In one head's D entries each angle stands twice, and the first sine of the two is negative.
    """
    frequencies = 1000.0 ** (-np.arange(D // 2) / (D // 2))
    angles = np.arange(first, first + T)[:, None, None] * frequencies  # (T, 1, D/2)
    cos, sin = np.cos(angles), np.sin(angles)
    pairs = np.concatenate([cos, cos], axis=-1), np.concatenate([-sin, sin], axis=-1)
    return [pair.astype(dtype) for pair in pairs]


@differentiable
def token_shift(x, share, /, before=None):
    """x (B, T, C) plus, in each channel, a share (C,) of the position before.

    `before` (B, 1, C) is what stands before the first position; without it, nothing does.
    Source: Peng et al., "RWKV", 2023, section 3.1.
    """
    x, share = _floats(x), _floats(share)
    if x.ndim != 3 or share.shape != x.shape[2:]:
        raise ValueError(
            f"token_shift: x must be (B, T, C) and share (C,), not {x.shape} and {share.shape}"
        )
    value = x.copy()
    value[:, 1:] += x[:, :-1] * share
    if before is not None:
        value[:, :1] += before * share

    def rule_of_x(g):
        result = g.copy()
        result[:, :-1] += g[:, 1:] * share
        return result

    def rule_of_share(g):
        result = np.einsum("btc,btc->c", g[:, 1:], x[:, :-1])
        return result if before is None else result + (g[:, :1] * before).sum((0, 1))

    return value, rule_of_x, rule_of_share


# --- The model ---


@dataclass(frozen=True)
class FastGPTConfig:
    """The size of a FastGPT, and its parts; with all of them off it is lesson 8's GPT-2."""

    context_size: int = 64
    num_blocks: int = 6
    num_heads: int = 6
    embedding_dim: int = 288
    dropout: float = 0.0
    vocab_size: int | None = None
    rotary: bool = True  # else a learned vector for each position
    rms_norm: bool = True  # else layer norm
    qk_norm: bool = True  # queries and keys of length √D
    squared_relu: bool = True  # else GELU
    zero_init: bool = True  # branches and logits start as zero; else GPT-2's numbers
    bigram_dim: int = 32  # numbers learned for each pair of tokens; 0: none
    token_shift: bool = True  # attention and MLP also see the position before

    def __post_init__(self):
        for name in ("context_size", "num_blocks", "num_heads", "embedding_dim", "vocab_size"):
            if name != "vocab_size" or self.vocab_size is not None:
                whole_number(f"FastGPTConfig: {name}", getattr(self, name), 1)
        # No array has the length of the context, so a file could claim any.
        whole_number("FastGPTConfig: context_size", self.context_size, 1, 2**16)
        number("FastGPTConfig: dropout", self.dropout, 0, 1, below=True)
        for name in ("rotary", "rms_norm", "qk_norm", "squared_relu", "zero_init", "token_shift"):
            true_or_false(f"FastGPTConfig: {name}", getattr(self, name))
        whole_number("FastGPTConfig: bigram_dim", self.bigram_dim, 0)
        if self.embedding_dim % self.num_heads:
            raise ValueError(
                f"FastGPTConfig: {self.num_heads} heads cannot share {self.embedding_dim} channels "
                "equally: make embedding_dim a multiple of num_heads"
            )
        if self.rotary and self.embedding_dim // self.num_heads % 2:
            raise ValueError(
                f"FastGPTConfig: rotary positions need heads of an even size, not "
                f"{self.embedding_dim // self.num_heads}: change embedding_dim or num_heads"
            )


class RMSNorm(nn.Module):
    """`rms_norm` as a module; it learns nothing."""

    def forward(self, x):
        return rms_norm(x)


class FastAttention(nn.Module):
    """Lesson 7's attention with queries and keys normalised and rotated: (B, T, C) -> (B, T, C)."""

    def __init__(self, config):
        C = config.embedding_dim
        self.num_heads, self.rotary, self.qk_norm = config.num_heads, config.rotary, config.qk_norm
        self.in_proj = nn.Linear(C, 3 * C, bias=False)
        self.out_proj = nn.Linear(C, C, bias=False)

    def forward(self, x, cache=None):
        qkv = self._qkv(x, first=cache.length if cache else 0)
        return self.out_proj(causal_attention(qkv, self.num_heads, cache=cache))

    def weights(self, x):
        """The weight that each position gives to every position, as an array (B, H, T, T)."""
        (B, T, C), H = x.shape, self.num_heads
        qkv = self._qkv(x).reshape(B, T, 3, H, C // H)
        q, k = (qkv[:, :, part].transpose(1, 2) for part in (0, 1))  # (B, H, T, D)
        scores = q @ k.transpose(2, 3) / math.sqrt(C // H)
        return softmax(scores.masked_fill(triu(ones(T, T), k=1), -math.inf)).data

    def _qkv(self, x, first=0):
        """Queries, keys and values (B, T, 3C) of positions from `first` on."""
        B, T, C = x.shape
        qkv = self.in_proj(x)
        if not (self.rotary or self.qk_norm):
            return qkv
        qk = qkv[..., : 2 * C].reshape(B, T, 2 * self.num_heads, C // self.num_heads)
        if self.qk_norm:
            qk = rms_norm(qk)
        if self.rotary:
            qk = rotary(qk, first=first)
        return cat([qk.reshape(B, T, 2 * C), qkv[..., 2 * C :]], axis=-1)


class FastMLP(nn.Module):
    """A wider layer for each position alone: (B, T, C) -> (B, T, 4C) -> (B, T, C)."""

    def __init__(self, config):
        C = config.embedding_dim
        self.up_proj = nn.Linear(C, 4 * C, bias=False)
        self.activation = squared_relu if config.squared_relu else nn.functional.gelu
        self.down_proj = nn.Linear(4 * C, C, bias=False)

    def forward(self, x):
        return self.down_proj(self.activation(self.up_proj(x)))


class FastBlock(nn.Module):
    """Lesson 7's block with other parts: (B, T, C) -> (B, T, C)."""

    def __init__(self, config):
        self.ln1 = _norm(config)
        self.attn = FastAttention(config)
        self.ln2 = _norm(config)
        self.ffn = FastMLP(config)
        self.dropout = nn.Dropout(config.dropout)
        self.token_shift = config.token_shift
        if config.token_shift:
            self.attn_share = nn.Parameter(np.zeros(config.embedding_dim, np.float32))
            self.ffn_share = nn.Parameter(np.zeros(config.embedding_dim, np.float32))

    def forward(self, x, cache=None):
        x = x + self.dropout(self.attn(self.into_attention(x, cache), cache))
        return x + self.dropout(self.ffn(self.into_mlp(x, cache)))

    def into_attention(self, x, cache=None):
        """What attention gets of the stream x: (B, T, C) -> (B, T, C)."""
        x = self.ln1(x)
        return self._shifted(x, self.attn_share, "attn", cache) if self.token_shift else x

    def into_mlp(self, x, cache=None):
        """What the MLP gets of the stream x: (B, T, C) -> (B, T, C)."""
        x = self.ln2(x)
        return self._shifted(x, self.ffn_share, "ffn", cache) if self.token_shift else x

    def _shifted(self, x, share, name, cache):
        if cache is None:
            return token_shift(x, share)
        before = cache.newest.get(name)
        cache.newest[name] = x.data[:, -1:].copy()
        return token_shift(x, share, before=before)


def _norm(config):
    return RMSNorm() if config.rms_norm else nn.LayerNorm(config.embedding_dim)


class _BlockCache(KeyValueCache):
    """Keys and values, and the newest position (B, 1, C) of what attention and the MLP got."""

    def __init__(self, *shape):
        super().__init__(*shape)
        self.newest = {}


class _Caches(list):
    """A cache for each block, and the newest token (B, 1), for the next one's pair."""

    newest = None
    length = property(lambda self: self[0].length, doc="How many tokens they have seen.")


class FastGPT(nn.Module):
    """A transformer that predicts the next token: tokens (B, T) -> logits (B, T, V).

    Source of the parts: Jordan et al., "modded-nanogpt", 2024; each operation names its own.
    """

    def __init__(self, config):
        C, V = config.embedding_dim, config.vocab_size
        if V is None:
            raise ValueError("FastGPT: the config lacks its vocab_size, the number of tokens")
        self.config = config
        self.token_embedding = nn.Embedding(V, C)
        if not config.rotary:
            self.position_embedding = nn.Embedding(config.context_size, C)
        if config.bigram_dim:
            self.bigram_embedding = nn.Embedding(V * V, config.bigram_dim)
            self.bigram_projection = nn.Linear(config.bigram_dim, C, bias=False)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.Sequential(*(FastBlock(config) for _ in range(config.num_blocks)))
        self.output_ln = _norm(config)
        self.output_projection = nn.Linear(C, V, bias=False)
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                normal_(parameter, std=self._std(name, parameter))

    def _std(self, name, parameter):
        """The standard deviation that a matrix starts with."""
        ends_branch = name.endswith(("out_proj.weight", "down_proj.weight"))
        if name.startswith("bigram_embedding"):
            return 0.1
        if not self.config.zero_init:
            return 0.02 / math.sqrt(2 * self.config.num_blocks) if ends_branch else 0.02
        if ends_branch or name.startswith("output_projection"):
            return 0.0
        if name.startswith("token_embedding"):
            return 0.5
        return 0.02 if name.startswith("position") else 0.7 / math.sqrt(parameter.shape[1])

    _checked = GPT2._checked  # it looks at the tokens and at config.context_size only

    def forward(self, tokens, caches=None, last=False):
        """Logits (B, T, V) for tokens (B, T); with `last`, (B, 1, V): those of the last position.

        With caches (see `new_caches`) these tokens follow those of earlier calls.
        """
        x = self.dropout(self.embedded(tokens, caches))
        for block, cache in zip(self.blocks, caches or [None] * len(self.blocks)):
            x = block(x, cache)
        if caches:
            caches.newest = as_array(tokens)[:, -1:].astype(np.int64)
        if last:
            x = x[:, -1:]
        return self.output_projection(self.output_ln(x))

    def embedded(self, tokens, caches=None):
        """The vectors (B, T, C) that go into the first block."""
        past = caches[0].length if caches else 0
        tokens = self._checked(tokens, past)
        x = self.token_embedding(tokens)
        if self.config.bigram_dim:
            tokens = tokens.astype(np.int64)  # in which the number of any pair fits
            before = getattr(caches, "newest", None)
            before = np.zeros_like(tokens[:, :1]) if before is None else before
            pairs = np.concatenate([before, tokens[:, :-1]], axis=1) * self.config.vocab_size
            x = x + self.bigram_projection(self.bigram_embedding(pairs + tokens))
        if not self.config.rotary:
            x = x + self.position_embedding.weight[past : past + tokens.shape[1]]
        return x

    @no_grad()
    def attention(self, tokens):
        """The attention weights of every block and head: (blocks, B, H, T, T), as an array."""
        x = self.embedded(tokens)
        maps = []
        for block in self.blocks:
            maps.append(block.attn.weights(block.into_attention(x)))
            x = block(x)
        return np.stack(maps)

    def new_caches(self, batch_size):
        """An empty cache for each block."""
        c = self.config
        shape = (batch_size, c.num_heads, c.context_size, c.embedding_dim // c.num_heads)
        return _Caches(_BlockCache(*shape) for _ in self.blocks)
