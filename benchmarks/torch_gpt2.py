"""The model of lesson 08 in PyTorch, at its best there: the yardstick for losses and for speed.

Parameters have the names and shapes of minigrad's: a state dictionary goes from one to the other.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F


class CausalAttention(nn.Module):
    def __init__(self, config):
        super().__init__()
        C = config.embedding_dim
        self.num_heads = config.num_heads
        self.in_proj = nn.Linear(C, 3 * C, bias=config.bias)
        self.out_proj = nn.Linear(C, C, bias=config.bias)

    def forward(self, x, cache=None):
        B, T, C = x.shape
        heads = (B, T, self.num_heads, C // self.num_heads)
        q, k, v = (part.view(heads).transpose(1, 2) for part in self.in_proj(x).split(C, dim=2))
        if cache is not None:
            k, v = cache.extend(k, v)
        # One late query sees everything; several stand at the start of an empty cache.
        y = F.scaled_dot_product_attention(q, k, v, is_causal=T > 1)  # (B, H, T, D)
        return self.out_proj(y.transpose(1, 2).reshape(B, T, C))


class MLP(nn.Module):
    def __init__(self, config):
        super().__init__()
        C = config.embedding_dim
        self.up_proj = nn.Linear(C, 4 * C, bias=config.bias)
        self.gelu = nn.GELU(approximate="tanh")
        self.down_proj = nn.Linear(4 * C, C, bias=config.bias)

    def forward(self, x):
        return self.down_proj(self.gelu(self.up_proj(x)))


class Block(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.ln1 = nn.LayerNorm(config.embedding_dim)
        self.attn = CausalAttention(config)
        self.ln2 = nn.LayerNorm(config.embedding_dim)
        self.ffn = MLP(config)

    def forward(self, x, cache=None):
        x = x + self.attn(self.ln1(x), cache)
        return x + self.ffn(self.ln2(x))


class TorchGPT2(nn.Module):
    """Takes a `minigrad.gpt2_shakespeare.GPT2Config`; its dropout is not built here."""

    def __init__(self, config):
        super().__init__()
        C = config.embedding_dim
        self.token_embedding = nn.Embedding(config.vocab_size, C)
        self.position_embedding = nn.Embedding(config.context_size, C)
        self.config = config
        self.blocks = nn.Sequential(*(Block(config) for _ in range(config.num_blocks)))
        self.output_ln = nn.LayerNorm(C)
        self.output_projection = nn.Linear(C, config.vocab_size, bias=False)

    def forward(self, tokens, caches=None):
        past = caches[0].length if caches else 0
        positions = self.position_embedding.weight[past : past + tokens.shape[1]]
        x = self.token_embedding(tokens) + positions
        for block, cache in zip(self.blocks, caches or [None] * len(self.blocks)):
            x = block(x, cache)
        return self.output_projection(self.output_ln(x))

    def load_minigrad(self, model):
        """Copy the parameters of a minigrad model."""
        state = model.state_dict()
        self.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})


class Cache:
    """Keys and values in buffers of the whole context, as minigrad's `KeyValueCache`."""

    def __init__(self, batch_size, config):
        head_dim = config.embedding_dim // config.num_heads
        self.keys = torch.empty(batch_size, config.num_heads, config.context_size, head_dim)
        self.values = torch.empty_like(self.keys)
        self.length = 0

    def extend(self, k, v):
        end = self.length + k.shape[2]
        self.keys[:, :, self.length : end] = k
        self.values[:, :, self.length : end] = v
        self.length = end
        return self.keys[:, :, :end], self.values[:, :, :end]


@torch.inference_mode()
def generate(model, batch_size, max_new_tokens, cache=True):
    """Write tokens after a prompt of one, with a cache as minigrad's `generate`, or without."""
    config = model.config
    generator = torch.Generator().manual_seed(0)
    tokens = unseen = torch.zeros(batch_size, 1, dtype=torch.long)
    caches = None
    for _ in range(max_new_tokens):
        if cache and (caches is None or caches[0].length == config.context_size):
            caches = [Cache(batch_size, config) for _ in model.blocks]
            unseen = tokens[:, -((config.context_size + 1) // 2) :]
        logits = model(unseen, caches)[:, -1]
        new = torch.multinomial(F.softmax(logits, dim=-1), 1, generator=generator)
        tokens = torch.cat([tokens, new], dim=1)[:, -config.context_size :]
        unseen = new if cache else tokens


class TorchTrainer:
    """What `minigrad.gpt2_shakespeare.Trainer` does, on the same batches."""

    def __init__(self, model, config, fused=False):
        parameters = list(model.parameters())
        groups = [
            {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": config.weight_decay},
            {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
        ]
        self.model, self.config, self.steps = model, config, 0
        self.optimizer = torch.optim.AdamW(groups, lr=config.lr, betas=config.betas, fused=fused)

    def step(self, inputs, targets):
        """One step on a batch of arrays; returns its loss."""
        c = self.config
        logits = self.model(torch.from_numpy(inputs))
        loss = F.cross_entropy(logits.flatten(0, 1), torch.from_numpy(targets).flatten())
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), c.max_norm)
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate()
        self.optimizer.step()
        self.steps += 1
        return loss.item()

    def _rate(self):
        c = self.config
        if self.steps < c.warmup_steps:
            return c.lr * (self.steps + 1) / c.warmup_steps
        progress = (self.steps - c.warmup_steps) / (c.num_steps - c.warmup_steps)
        return c.min_lr + 0.5 * (c.lr - c.min_lr) * (1 + math.cos(math.pi * progress))
