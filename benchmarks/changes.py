"""What changed between GPT-2 and Llama, one change at a time, on the same text and budget.

`python -m benchmarks.changes [--store]` trains a small model as lesson 8 builds it on the plays, with
each of five changes alone and with all of them, three seeds each, a few minutes for all of them on a
quiet machine, and prints the validation losses. Lesson 10 shows them.
"""

import argparse
import math
import sys

import numpy as np

from benchmarks import store
from minigrad import manual_seed, nn
from minigrad.attention import MLP
from minigrad.data import CharTokenizer, TextDataset, load_shakespeare, train_validation_split
from minigrad.functional import linear
from minigrad.gpt2_shakespeare import Trainer, TrainingConfig, evaluate
from minigrad.init import normal_
from minigrad.llama_layers import GroupedAttention, RMSNorm, SwiGLU, rotations

CHANGES = ("RMS norm", "SwiGLU", "rotary positions", "grouped queries", "tied weights")
VARIANTS = {"GPT-2": (), **{change: (change,) for change in CHANGES}, "all five": CHANGES}
T, C, H, N = 48, 96, 4, 2
RECIPE = {"num_steps": 300, "batch_size": 12, "lr": 3e-3, "min_lr": 3e-4, "warmup_steps": 30}


class Block(nn.Module):
    """A block of GPT-2, or of Llama, or anything between."""

    def __init__(self, changes):
        def norm():
            return RMSNorm(C) if "RMS norm" in changes else nn.LayerNorm(C)

        self.norm1, self.norm2 = norm(), norm()
        self.attn = GroupedAttention(C, H, H // 2 if "grouped queries" in changes else H)
        self.ffn = SwiGLU(C, round(8 * C / 3)) if "SwiGLU" in changes else MLP(C)

    def forward(self, x, rotation):
        x = x + self.attn(self.norm1(x), rotation)
        return x + self.ffn(self.norm2(x))


class Model(nn.Module):
    """A language model with some of the changes; without any it is lesson 8's GPT2."""

    def __init__(self, vocab_size, changes):
        self.token_embedding = nn.Embedding(vocab_size, C)
        self.rotation = rotations(0, T, C // H, 10_000.0)
        self.position_embedding = None
        if "rotary positions" not in changes:
            self.rotation = np.ones_like(self.rotation)  # which turns nothing
            self.position_embedding = nn.Embedding(T, C)
        self.blocks = nn.Sequential(*(Block(changes) for _ in range(N)))
        self.output_norm = RMSNorm(C) if "RMS norm" in changes else nn.LayerNorm(C)
        self.output_projection = nn.Linear(C, vocab_size, bias=False)
        if "tied weights" in changes:
            self.output_projection.weight = self.token_embedding.weight
        for name, parameter in self.named_parameters():
            if parameter.ndim == 2:
                ends_branch = name.endswith(("out_proj.weight", "down_proj.weight"))
                normal_(parameter, std=0.02 / math.sqrt(2 * N) if ends_branch else 0.02)

    def forward(self, tokens):
        x = self.token_embedding(tokens)
        if self.position_embedding:
            x = x + self.position_embedding.weight[: tokens.shape[1]]
        for block in self.blocks:
            x = block(x, self.rotation)
        return linear(self.output_norm(x), self.output_projection.weight)


def train(changes, seed, tokenizer, training, validation):
    """(parameters, validation loss at the end) of one run."""
    manual_seed(seed)
    model = Model(tokenizer.vocab_size, changes)
    trainer = Trainer(model, training, TrainingConfig(**RECIPE, seed=seed))
    for _ in range(RECIPE["num_steps"]):
        trainer.step()
    return model.num_parameters(), round(evaluate(model, validation, num_batches=50), 4)


def main(arguments):
    """Train all variants and print their losses."""
    parser = argparse.ArgumentParser("python -m benchmarks.changes", description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    store.add_option(parser, "changes")
    options = parser.parse_args(arguments)
    text = load_shakespeare()
    tokenizer = CharTokenizer(text)
    training, validation = (
        TextDataset(tokenizer.encode(part), T) for part in train_validation_split(text)
    )
    found = {name: {"parameters": 0, "losses": []} for name in VARIANTS}
    for seed in range(options.seeds):
        for name, changes in VARIANTS.items():
            size, loss = train(changes, seed, tokenizer, training, validation)
            found[name]["parameters"] = size
            found[name]["losses"].append(loss)
            print(f"seed {seed}  {name:18} {size:9,} parameters  {loss:.4f}", flush=True)
            if options.store:
                store.write(options.store, found)


if __name__ == "__main__":
    main(sys.argv[1:])
