"""What changed between GPT-2 and Llama, one change at a time, on the same text and budget.

`python -m benchmarks.changes [--store]` trains the model of the small recipe, as lesson 8 builds it, on
the plays: as it is, with each of five changes alone, and with all of them, three seeds each. It prints
the validation losses, which lesson 10 shows. The 21 runs take a quarter of an hour; with `--store` each
is kept when it ends, and a run that is there already is not repeated.
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
T, C, H, N = 64, 128, 4, 4  # context, channels, heads, blocks: the small recipe
RECIPE = {"num_steps": 500, "batch_size": 12, "lr": 3e-3, "min_lr": 3e-4, "warmup_steps": 50}
SETTINGS = {"context": T, "channels": C, "heads": H, "blocks": N, **RECIPE}


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
    kept = store.read(options.store) if options.store else {}
    if kept.get("settings") != SETTINGS:
        kept = {"settings": SETTINGS, "runs": {name: {"losses": []} for name in VARIANTS}}
    for seed in range(options.seeds):
        for name, changes in VARIANTS.items():
            run = kept["runs"][name]
            if len(run["losses"]) <= seed:
                run["parameters"], loss = train(changes, seed, tokenizer, training, validation)
                run["losses"].append(loss)
                if options.store:
                    store.write(options.store, kept)
            print(
                f"seed {seed}  {name:18} {run['parameters']:9,} parameters  {run['losses'][seed]:.4f}",
                flush=True,
            )


if __name__ == "__main__":
    main(sys.argv[1:])
