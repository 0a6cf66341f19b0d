"""The recipe `fast` in PyTorch: minigrad/apps/fast.py and fast_training.py with PyTorch's operations.

Parameters have the names and shapes of minigrad's: a state dictionary goes from one to the other.
Only the recipe as it is shipped is built: all parts on (`token_shift` may be off), no dropout, no
weight decay.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

from minigrad.apps.fast_training import linear_cooldown


def rms_norm(x):
    return F.rms_norm(x, x.shape[-1:], eps=1e-6)


def token_shift(x, share):
    return x if share is None else x + F.pad(x[:, :-1], (0, 0, 1, 0)) * share


class FastAttention(nn.Module):
    def __init__(self, config):
        super().__init__()
        C, T = config.embedding_dim, config.context_size
        self.num_heads, D = config.num_heads, C // config.num_heads
        self.in_proj = nn.Linear(C, 3 * C, bias=False)
        self.out_proj = nn.Linear(C, C, bias=False)
        angles = torch.arange(T)[:, None] * 1000.0 ** (-torch.arange(D // 2) / (D // 2))
        self.register_buffer("cos", angles.cos()[:, None], persistent=False)  # (T, 1, D/2)
        self.register_buffer("sin", angles.sin()[:, None], persistent=False)

    def forward(self, x):
        B, T, C = x.shape
        q, k, v = self.in_proj(x).view(B, T, 3, self.num_heads, -1).unbind(2)  # (B, T, H, D)
        q, k = self._turned(rms_norm(q)), self._turned(rms_norm(k))
        q, k, v = (part.transpose(1, 2) for part in (q, k, v))
        y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out_proj(y.transpose(1, 2).reshape(B, T, C))

    def _turned(self, x):
        T, half = x.shape[1], x.shape[-1] // 2
        a, b, cos, sin = x[..., :half], x[..., half:], self.cos[:T], self.sin[:T]
        return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


class FastMLP(nn.Module):
    def __init__(self, config):
        super().__init__()
        C = config.embedding_dim
        self.up_proj = nn.Linear(C, 4 * C, bias=False)
        self.down_proj = nn.Linear(4 * C, C, bias=False)

    def forward(self, x):
        return self.down_proj(self.up_proj(x).relu().square())


class FastBlock(nn.Module):
    def __init__(self, config):
        super().__init__()
        self.attn, self.ffn = FastAttention(config), FastMLP(config)
        self.attn_share = self.ffn_share = None
        if config.token_shift:
            self.attn_share = nn.Parameter(torch.zeros(config.embedding_dim))
            self.ffn_share = nn.Parameter(torch.zeros(config.embedding_dim))

    def forward(self, x):
        x = x + self.attn(token_shift(rms_norm(x), self.attn_share))
        return x + self.ffn(token_shift(rms_norm(x), self.ffn_share))


class TorchFastGPT(nn.Module):
    """Takes a `minigrad.apps.fast.FastGPTConfig`."""

    def __init__(self, config):
        super().__init__()
        C, V = config.embedding_dim, config.vocab_size
        self.vocab_size = V
        self.token_embedding = nn.Embedding(V, C)
        self.bigram_embedding = nn.Embedding(V * V, config.bigram_dim)
        self.bigram_projection = nn.Linear(config.bigram_dim, C, bias=False)
        self.blocks = nn.Sequential(*(FastBlock(config) for _ in range(config.num_blocks)))
        self.output_projection = nn.Linear(C, V, bias=False)

    def forward(self, tokens):
        pairs = F.pad(tokens[:, :-1], (1, 0)) * self.vocab_size + tokens
        x = self.token_embedding(tokens) + self.bigram_projection(self.bigram_embedding(pairs))
        return self.output_projection(rms_norm(self.blocks(x)))

    def load_minigrad(self, model):
        """Copy the parameters of a minigrad model."""
        state = model.state_dict()
        self.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})


def newton_schulz(x, steps):
    is_tall = x.shape[-2] > x.shape[-1]
    x = x.mT if is_tall else x
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    for _ in range(steps):
        A = x @ x.mT
        x = 3.4445 * x + (2.0315 * A @ A - 4.7750 * A) @ x
    return x.mT if is_tall else x


class TorchFastTrainer:
    """What `FastTrainer` does, on the same batches."""

    def __init__(self, model, config):
        self.model, self.config, self.steps = model, config, 0
        muon = [
            (p, 3 if name.endswith("in_proj.weight") else 1)
            for name, p in model.named_parameters()
            if p.ndim == 2 and name.startswith(("blocks.", "bigram_projection."))
        ]
        self.matrices = [(p, parts, torch.zeros_like(p)) for p, parts in muon]
        ours = {id(p) for p, _ in muon}
        others = [p for p in model.parameters() if id(p) not in ours]
        self.adamw = torch.optim.AdamW(
            others, lr=config.other_lr, betas=config.betas, weight_decay=0.0, fused=True
        )

    def step(self, inputs, targets):
        """One step on a batch of arrays; returns its loss."""
        c = self.config
        self.model.zero_grad(set_to_none=True)
        logits = self.model(torch.from_numpy(inputs))
        loss = F.cross_entropy(logits.flatten(0, 1), torch.from_numpy(targets).flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), c.max_norm)
        factor = linear_cooldown(self.steps, c)
        self._muon(factor * c.lr)
        self.adamw.param_groups[0]["lr"] = factor * c.other_lr
        self.adamw.step()
        self.steps += 1
        return loss.item()

    @torch.no_grad()
    def _muon(self, lr):
        c, by_shape = self.config, {}
        for p, parts, velocity in self.matrices:
            velocity.mul_(c.momentum).add_(p.grad)
            direction = p.grad.add(velocity, alpha=c.momentum).view(parts, -1, p.shape[1])
            by_shape.setdefault(direction.shape[1:], []).append((p, direction))
        for (rows, columns), places in by_shape.items():
            directions = torch.cat([direction for _, direction in places])
            steps = newton_schulz(directions, c.newton_schulz_steps)
            steps *= -lr * math.sqrt(max(1, rows / columns))
            own = steps.split([len(direction) for _, direction in places])
            for (p, _), step in zip(places, own):
                p.add_(step.reshape(p.shape))
