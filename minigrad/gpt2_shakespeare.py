"""GPT-2, its sampling and its training.

python -m minigrad.gpt2_shakespeare --help
"""

import math
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass

import numpy as np

from minigrad import nn
from minigrad.attention import Block, KeyValueCache
from minigrad.backprop import gradients, no_grad
from minigrad.init import normal_
from minigrad.op import as_array
from minigrad.optim import AdamW, clip_grad_norm_, warmup_cosine
from minigrad.random import use_generator
from minigrad.tensor import Tensor
from minigrad.tools.threads import blas_threads


# --- The model ---


@dataclass(frozen=True)
class GPT2Config:
    """The size of a GPT-2. `vocab_size` must be set before a model can be built."""

    context_size: int = 64
    num_blocks: int = 6
    num_heads: int = 6
    embedding_dim: int = 288
    dropout: float = 0.0
    vocab_size: int | None = None
    bias: bool = False
    tie_weights: bool = False

    def __post_init__(self):
        for name in ("context_size", "num_blocks", "num_heads", "embedding_dim"):
            if getattr(self, name) < 1:
                raise ValueError(f"GPT2Config: {name} must be at least 1")
        if self.vocab_size is None or self.vocab_size < 1:
            raise ValueError("GPT2Config: vocab_size is the number of tokens, at least 1")


class GPT2(nn.Module):
    """A transformer that predicts the next token: tokens (B, T) -> logits (B, T, V).

    Pre-LayerNorm blocks, learned positions; weights start normal with standard deviation 0.02, the
    projections that end a residual branch with 0.02 / √(2 · blocks).
    Source: Radford et al., "Language Models are Unsupervised Multitask Learners", 2019, section 2.3.
    """

    def __init__(self, config):
        C, V = config.embedding_dim, config.vocab_size
        self.config = config
        self.token_embedding = nn.Embedding(V, C)
        self.position_embedding = nn.Embedding(config.context_size, C)
        self.dropout = nn.Dropout(config.dropout)
        self.blocks = nn.Sequential(
            *(
                Block(C, config.num_heads, config.dropout, config.bias)
                for _ in range(config.num_blocks)
            )
        )
        self.output_ln = nn.LayerNorm(C)
        self.output_projection = nn.Linear(C, V, bias=False)
        if config.tie_weights:
            self.output_projection.weight = self.token_embedding.weight
        self._initialise()

    def _initialise(self):
        residual_std = 0.02 / math.sqrt(2 * self.config.num_blocks)
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                ends_branch = name.endswith(("out_proj.weight", "down_proj.weight"))
                normal_(parameter, std=residual_std if ends_branch else 0.02)
            elif name.endswith("bias"):
                parameter.data[...] = 0

    def forward(self, tokens, caches=None):
        """Logits (B, T, V) for tokens (B, T); with caches, these tokens follow those before."""
        past = caches[0].length if caches else 0
        T = tokens.shape[-1]
        if past + T > self.config.context_size:
            raise ValueError(
                f"GPT2: a sequence of {past + T} tokens is longer than the context of "
                f"{self.config.context_size}: keep the last {self.config.context_size}"
            )
        x = self.token_embedding(tokens) + self.position_embedding(np.arange(past, past + T))
        x = self.dropout(x)  # (B, T, C)
        for block, cache in zip(self.blocks, caches or [None] * len(self.blocks)):
            x = block(x, cache)
        return self.output_projection(self.output_ln(x))

    def new_caches(self, batch_size):
        """An empty key-value cache for each block."""
        c = self.config
        shape = (batch_size, c.num_heads, c.context_size, c.embedding_dim // c.num_heads)
        return [KeyValueCache(*shape) for _ in self.blocks]

    @no_grad()
    def attention(self, tokens):
        """The attention weights of every block and head: (blocks, B, H, T, T), as an array."""
        x = self.token_embedding(tokens) + self.position_embedding(np.arange(tokens.shape[-1]))
        maps = []
        for block in self.blocks:
            maps.append(block.attn.weights(block.ln1(x)))
            x = block(x)
        return np.stack(maps)


# --- Sampling ---


def next_token_probabilities(logits, temperature=1.0, top_k=None):
    """The distribution (B, V) that a token is drawn from, given its logits (B, V), as an array.

    Lower temperatures sharpen it, 0 leaves only the likeliest; `top_k` keeps the k likeliest.
    """
    logits = as_array(logits).astype(np.float64)
    if not temperature >= 0:
        raise ValueError(f"sample: temperature must not be negative, not {temperature}")
    if top_k is not None and top_k < 1:
        raise ValueError(f"sample: top_k must be at least 1, not {top_k}")
    if temperature == 0:
        top_k, temperature = 1, 1.0
    if top_k is not None and top_k < logits.shape[-1]:
        # Of equal logits the earlier tokens are kept, so that exactly k are left.
        ranked = np.argsort(-logits, axis=-1, kind="stable")
        np.put_along_axis(logits, ranked[..., top_k:], -np.inf, axis=-1)
    logits = (logits - logits.max(-1, keepdims=True)) / temperature
    weights = np.exp(logits)
    return weights / weights.sum(-1, keepdims=True)


@no_grad()
def generate(model, tokens, temperature=1.0, top_k=None, generator=None):
    """Yield one next token (B,) after another, without end, for tokens (B, T).

    Earlier keys and values are kept in a cache. When the context is full, it starts again from the
    newest half of it: so the work for a token stays bounded, and it sees at least half a context.
    """
    generator = generator or np.random.default_rng(0)
    context_size = model.config.context_size
    tokens = as_array(tokens)[:, -context_size:]  # (B, T)
    if tokens.shape[-1] == 0:
        raise ValueError("sample: the context is empty: give at least one token")
    caches, unseen = model.new_caches(len(tokens)), tokens
    while True:
        logits = model(unseen, caches).data[:, -1]  # (B, V)
        probabilities = next_token_probabilities(logits, temperature, top_k)
        ends = probabilities.cumsum(-1)
        drawn = generator.random((len(tokens), 1)) * ends[:, -1:]
        unseen = (ends <= drawn).sum(-1, keepdims=True)  # (B, 1)
        yield unseen[:, 0]
        tokens = np.concatenate([tokens, unseen], axis=1)[:, -context_size:]
        if caches[0].length == context_size:
            caches, unseen = model.new_caches(len(tokens)), tokens[:, -((context_size + 1) // 2) :]


def sample(model, context, max_new_tokens=100, temperature=1.0, top_k=None, generator=None):
    """`context` (B, T) of tokens with `max_new_tokens` more behind it, as an array."""
    training = model.training
    model.eval()
    try:
        stream = generate(model, context, temperature, top_k, generator)
        new = [next(stream) for _ in range(max_new_tokens)]
    finally:
        model.train(training)
    return np.concatenate([as_array(context), *(token[:, None] for token in new)], axis=1)


# --- Training ---


@dataclass(frozen=True)
class Recipe:
    """How a model is trained: AdamW, a warm-up and a cosine, gradients clipped."""

    num_steps: int = 2048
    batch_size: int = 32
    lr: float = 1e-3
    min_lr: float = 1e-4
    warmup_steps: int = 100
    weight_decay: float = 0.1  # on matrices only
    betas: tuple = (0.9, 0.99)
    max_norm: float = 1.0
    seed: int = 0
    workers: int = 1


class Trainer:
    """Trains a model on a `TextDataset`, step by step.

    The batch of a step depends on the seed and the number of the step alone, so a run that stopped
    goes on as if it never had. With `workers` > 1, as many threads share each batch.
    """

    def __init__(self, model, dataset, recipe=Recipe()):
        parameters = model.parameters()
        matrices = [p for p in parameters if p.ndim >= 2]
        others = [p for p in parameters if p.ndim < 2]
        self.model, self.dataset, self.recipe = model, dataset, recipe
        self.optimizer = AdamW(
            [{"params": matrices, "weight_decay": recipe.weight_decay}, {"params": others}],
            lr=recipe.lr,
            betas=recipe.betas,
            weight_decay=0.0,
        )
        self.steps = 0
        self._pool = ThreadPoolExecutor(recipe.workers)

    def step(self):
        """One step of training; returns the loss of its batch."""
        r = self.recipe
        self.model.train()
        self.optimizer.zero_grad()
        loss = self._backward(*self.batch())
        clip_grad_norm_(self.optimizer.parameters, r.max_norm)
        self.optimizer.lr = warmup_cosine(self.steps, r.warmup_steps, r.num_steps, r.lr, r.min_lr)
        self.optimizer.step()
        self.steps += 1
        return loss

    def batch(self):
        """The inputs and targets (B, T) of this step."""
        return self.dataset.sample(self.recipe.batch_size, self._generator(0))

    def _generator(self, number):
        """The random numbers of this step: 0 draws the batch, 1, 2, … the shards' dropout."""
        return np.random.default_rng((self.recipe.seed, self.steps, number))

    def _backward(self, inputs, targets):
        """The loss of a batch, after every parameter was given its gradient."""
        if self.recipe.workers == 1:
            with use_generator(self._generator(1)):
                loss = nn.cross_entropy_loss(self.model(inputs), targets)
            loss.backward()
            return loss.item()
        shards = zip(*(np.array_split(x.data, self.recipe.workers) for x in (inputs, targets)))
        with blas_threads(1):  # each worker multiplies by itself
            running = [
                self._pool.submit(
                    copy_context().run, self._shard, number, x, y, len(x) / len(inputs)
                )
                for number, (x, y) in enumerate(shards, 1)
            ]
            results = [shard.result() for shard in running]
        for _, found in results:  # in a fixed order, so that the sums round alike every time
            for parameter, g in found.items():
                parameter.grad = g if parameter.grad is None else np.add(parameter.grad, g, out=g)
        return sum(loss for loss, _ in results)

    def _shard(self, number, inputs, targets, share):
        """The share of the loss, and of the gradients, that these sequences of the batch make."""
        with use_generator(self._generator(number)):
            loss = nn.cross_entropy_loss(self.model(Tensor(inputs)), targets) * share
        return loss.item(), gradients(loss)


@no_grad()
def evaluate(model, dataset, num_batches=200, batch_size=32, seed=0):
    """The mean loss over batches of random windows, dropout off; the same windows each time."""
    training = model.training
    model.eval()
    generator = np.random.default_rng(seed)
    losses = []
    for _ in range(num_batches):
        inputs, targets = dataset.sample(batch_size, generator)
        losses.append(nn.cross_entropy_loss(model(inputs), targets).item())
    model.train(training)
    return float(np.mean(losses))


# --- The command line ---


def main():
    """Train and sample from the command line; returns the exit code."""
    from minigrad.tools import cli  # arguments, progress, checkpoints: nothing about GPT-2

    return cli.main()


if __name__ == "__main__":
    raise SystemExit(main())
