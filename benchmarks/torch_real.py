"""The real models in PyTorch, each in a lean loop of its own, and in transformers.

Both read the folder that others publish and read: `config.json` and `model.safetensors`.
"""

import json
from functools import partial
from pathlib import Path

import safetensors.torch
import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.torch_gpt2 import Cache, TorchGPT2
from benchmarks.training import CORES
from minigrad.gpt2_shakespeare import GPT2Config
from minigrad.real_gpt2 import published, read_config

torch.set_num_threads(CORES)

# --- Llama ---


class RMSNorm(nn.Module):
    def __init__(self, size, eps):
        super().__init__()
        self.weight, self.eps = nn.Parameter(torch.empty(size)), eps

    def forward(self, x):
        return F.rms_norm(x, self.weight.shape, self.weight, self.eps)


def turned(x, cos, sin):
    """Each head's halves (B, H, T, D) as points in a plane, turned."""
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * cos - b * sin, b * cos + a * sin], dim=-1)


class Attention(nn.Module):
    def __init__(self, C, heads, kv_heads):
        super().__init__()
        self.heads, self.kv_heads, self.size = heads, kv_heads, C // heads
        self.in_proj = nn.Linear(C, (heads + 2 * kv_heads) * self.size, bias=False)
        self.out_proj = nn.Linear(C, C, bias=False)

    def forward(self, x, rotation, cache=None):
        B, T, C = x.shape
        qkv = self.in_proj(x).view(B, T, -1, self.size).transpose(1, 2)  # (B, H + 2K, T, D)
        turning, v = qkv.split([self.heads + self.kv_heads, self.kv_heads], dim=1)
        q, k = turned(turning, *rotation).split([self.heads, self.kv_heads], dim=1)
        if cache is not None:
            k, v = cache.extend(k, v)
        y = F.scaled_dot_product_attention(q, k, v, is_causal=T > 1, enable_gqa=True)
        return self.out_proj(y.transpose(1, 2).reshape(B, T, C))


class Block(nn.Module):
    def __init__(self, c):
        super().__init__()
        C, hidden, eps = c["hidden_size"], c["intermediate_size"], c["rms_norm_eps"]
        self.norm1, self.norm2 = RMSNorm(C, eps), RMSNorm(C, eps)
        self.attn = Attention(C, c["num_attention_heads"], c["num_key_value_heads"])
        self.gate_proj = nn.Linear(C, hidden, bias=False)
        self.up_proj = nn.Linear(C, hidden, bias=False)
        self.down_proj = nn.Linear(hidden, C, bias=False)

    def forward(self, x, rotation, cache=None):
        x = x + self.attn(self.norm1(x), rotation, cache)
        h = self.norm2(x)
        return x + self.down_proj(F.silu(self.gate_proj(h)) * self.up_proj(h))


class TorchLlama(nn.Module):
    """A Llama with tied weights, of a published config (a dictionary)."""

    def __init__(self, c):
        super().__init__()
        C, size = c["hidden_size"], c["hidden_size"] // c["num_attention_heads"]
        self.config = c
        self.token_embedding = nn.Embedding(c["vocab_size"], C)
        self.blocks = nn.ModuleList(Block(c) for _ in range(c["num_hidden_layers"]))
        self.output_norm = RMSNorm(C, c["rms_norm_eps"])
        frequencies = c["rope_theta"] ** (-torch.arange(0, size, 2) / size)
        angles = torch.arange(c["max_position_embeddings"])[:, None] * frequencies
        self.rotations = angles.cos(), angles.sin()

    def forward(self, tokens, caches=None, last=False):
        past, x = caches[0].length if caches else 0, self.token_embedding(tokens)
        rotation = [part[past : past + tokens.shape[1]] for part in self.rotations]
        for block, cache in zip(self.blocks, caches or [None] * len(self.blocks)):
            x = block(x, rotation, cache)
        x = x[:, -1:] if last else x
        return F.linear(self.output_norm(x), self.token_embedding.weight)

    def new_caches(self, length):
        c = self.config
        size = c["hidden_size"] // c["num_attention_heads"]
        return [new_cache(c["num_key_value_heads"], length, size) for _ in self.blocks]


class LoRA(nn.Module):
    """A linear layer that stays as it is, plus a product of two thin matrices that learns."""

    def __init__(self, layer, rank=8, scale=2.0):
        super().__init__()
        self.layer, self.scale = layer, scale
        self.A = nn.Parameter(torch.randn(rank, layer.in_features) * layer.in_features**-0.5)
        self.B = nn.Parameter(torch.zeros(layer.out_features, rank))

    def forward(self, x):
        return self.layer(x) + self.scale * F.linear(F.linear(x, self.A), self.B)


# --- GPT-2, with the logits of the last position alone where nothing else is wanted ---


class LeanGPT2(TorchGPT2):
    def __init__(self, config):
        super().__init__(config)
        self.output_projection.weight = self.token_embedding.weight  # tied

    def forward(self, tokens, caches=None, last=False):
        past = caches[0].length if caches else 0
        x = self.token_embedding(tokens)
        x = x + self.position_embedding.weight[past : past + tokens.shape[1]]
        for block, cache in zip(self.blocks, caches or [None] * len(self.blocks)):
            x = block(x, cache)
        return self.output_projection(self.output_ln(x[:, -1:] if last else x))

    def new_caches(self, length):
        c = self.config
        return [new_cache(c.num_heads, length, c.embedding_dim // c.num_heads) for _ in self.blocks]


def new_cache(heads, length, size):
    """An empty cache with room for `length` positions."""
    config = GPT2Config(length, num_heads=heads, embedding_dim=heads * size)
    return Cache(1, config)


# --- Loading ---


def load(model, folder):
    """A lean model with the weights of a folder; they are put in place, not copied."""
    stored = safetensors.torch.load_file(Path(folder, "model.safetensors"))
    if model == "gpt2":
        with torch.device("meta"):
            lean = LeanGPT2(read_config(Path(folder, "config.json")))
        state = {}
        for name, _ in lean.named_parameters():
            theirs, transposed = published(name)
            array = stored.pop(f"transformer.{theirs}")
            state[name] = array.T.contiguous() if transposed else array
    else:
        c = json.loads(Path(folder, "config.json").read_text(encoding="utf-8"))
        with torch.device("meta"):
            lean = TorchLlama(c)
        lean.rotations = TorchLlama(c | {"num_hidden_layers": 0, "vocab_size": 1}).rotations
        state = {name: of_hub(name, stored) for name, _ in lean.named_parameters()}
    lean.load_state_dict(state, assign=True, strict=False)
    if model == "gpt2":
        lean.output_projection.weight = lean.token_embedding.weight
    return lean.eval()


HUB = {
    "norm1": ["input_layernorm"],
    "attn.in_proj": ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"],
    "attn.out_proj": ["self_attn.o_proj"],
    "norm2": ["post_attention_layernorm"],
    "gate_proj": ["mlp.gate_proj"],
    "up_proj": ["mlp.up_proj"],
    "down_proj": ["mlp.down_proj"],
}


def of_hub(name, stored):
    """A parameter of TorchLlama, taken out of the tensors of a published file."""
    if not name.startswith("blocks."):
        where = {"token_embedding": "model.embed_tokens", "output_norm": "model.norm"}
        return stored.pop(where[name.removesuffix(".weight")] + ".weight")
    _, number, layer = name.removesuffix(".weight").split(".", 2)
    parts = [stored.pop(f"model.layers.{number}.{part}.weight") for part in HUB[layer]]
    return torch.cat(parts) if len(parts) > 1 else parts[0]


def load_transformers(model, folder):
    """The same in transformers."""
    import transformers

    kind = {"gpt2": "GPT2LMHeadModel", "smollm2": "LlamaForCausalLM"}[model]
    found = getattr(transformers, kind).from_pretrained(folder, dtype=torch.float32)
    found.generation_config.eos_token_id = None  # as many tokens as are asked for
    return found.eval()


# --- What is measured ---


@torch.inference_mode()
def write(model, prompt, count):
    """The likeliest token, `count` times, after a prompt (1, T) of numbers: a list."""
    tokens, caches = torch.tensor(prompt), model.new_caches(prompt.shape[1] + count)
    written = []
    while len(written) < count:
        tokens = model(tokens, caches, last=True)[:, -1].argmax(-1, keepdim=True)
        written.append(int(tokens))
    return written


@torch.inference_mode()
def write_transformers(model, prompt, count):
    tokens = torch.tensor(prompt)
    found = model.generate(
        tokens,
        attention_mask=torch.ones_like(tokens),
        max_new_tokens=count,
        do_sample=False,
        pad_token_id=0,
    )
    return found[0, tokens.shape[1] :].tolist()


def trainer(model, lora, lr):
    """A function that learns from inputs and targets (B, T) and returns the loss."""
    model.train()
    parameters = list(model.parameters())
    if lora:
        for parameter in parameters:
            parameter.requires_grad = False
        for block in model.blocks:
            block.attn.in_proj = LoRA(block.attn.in_proj)
        parameters = [p for p in model.parameters() if p.requires_grad]
    # As minigrad's Trainer: weights decay on matrices only, gradients are clipped.
    groups = [
        {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": 0.1},
        {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
    ]
    optimizer = torch.optim.AdamW([g for g in groups if g["params"]], lr=lr, betas=(0.9, 0.99))
    return partial(_step, model, optimizer, parameters)


def _step(model, optimizer, parameters, inputs, targets):
    logits = model(torch.from_numpy(inputs))
    loss = F.cross_entropy(logits.flatten(0, 1), torch.from_numpy(targets).flatten())
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
    return loss.item()
