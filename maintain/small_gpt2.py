"""The small GPT-2 of lesson 6's moving figure: trained, and rounded until it fits into the page.

    python -m maintain.small_gpt2 [--steps 5000]

Writes course/draw/scripts/gpt2.json: 23 thousand numbers of 5 bits each, and more where rounding
hurts. After the training come steps with the loss of the rounded numbers, which change the exact
ones, so the model learns to do without the digits that it will lose.
"""

import argparse
import json

import numpy as np

import minigrad as mg
from course.draw.motion import FOLDER, packed, small_gpt2, unpacked
from minigrad.data import CharTokenizer, TextDataset, load_shakespeare, train_validation_split
from minigrad.gpt2_shakespeare import GPT2, GPT2Config, Trainer, TrainingConfig, evaluate

PATH = FOLDER / "gpt2.json"
BITS = {"token_embedding.weight": 8, "position_embedding.weight": 6, "in_proj.weight": 6}
OTHERS = 5  # bits for each number of the other matrices; vectors have 8
# Name in the file -> name of the parameter; for each block with its number.
WHOLE = {
    "tokens": "token_embedding.weight",
    "places": "position_embedding.weight",
    "ln": "output_ln.weight",
    "ln_bias": "output_ln.bias",
}
BLOCK = {
    "ln1_": "ln1.weight",
    "ln1_bias": "ln1.bias",
    "in": "attn.in_proj.weight",
    "out": "attn.out_proj.weight",
    "ln2_": "ln2.weight",
    "ln2_bias": "ln2.bias",
    "up": "ffn.up_proj.weight",
    "down": "ffn.down_proj.weight",
}


class RoundedTrainer(Trainer):
    """A trainer whose losses and gradients are those of the rounded numbers."""

    def _backward(self, inputs, targets):
        exact = {p: p.data.copy() for p in self.model.parameters()}
        round_off(self.model)
        loss = super()._backward(inputs, targets)
        for p, numbers in exact.items():
            p.data[...] = numbers
        return loss


def pack(name, parameter):
    """The packed numbers of a parameter."""
    bits = next((bits for end, bits in BITS.items() if name.endswith(end)), OTHERS)
    return packed(parameter.data, bits if parameter.ndim == 2 else 8)


def round_off(model):
    """Replace every number of the model by what `weights` would keep of it."""
    for name, p in model.named_parameters():
        p.data[...] = unpacked(pack(name, p)).reshape(p.shape)


def weights(model):
    """The packed parameters of a GPT-2 with tied weights and without biases, for surprise.js."""
    found = dict(model.named_parameters())
    return {
        short: pack(name, found[name]) for short, name in names(model.config.num_blocks).items()
    }


def as_data(model, vocabulary):
    """The model as surprise.js reads it."""
    c = model.config
    return {
        "vocabulary": vocabulary,
        "context": c.context_size,
        "heads": c.num_heads,
        "blocks": c.num_blocks,
        "embedding_dim": c.embedding_dim,
        **weights(model),
    }


def load():
    """The model of the file, with its vocabulary as `model.vocabulary`."""
    data = small_gpt2()
    config = GPT2Config(
        context_size=data["context"],
        num_blocks=data["blocks"],
        num_heads=data["heads"],
        embedding_dim=data["embedding_dim"],
        vocab_size=len(data["vocabulary"]),
        tie_weights=True,
    )
    model = GPT2(config)
    found = dict(model.named_parameters())
    for short, name in names(config.num_blocks).items():
        found[name].data[...] = unpacked(data[short]).reshape(found[name].shape)
    model.vocabulary = data["vocabulary"]
    return model


def names(blocks):
    """Name in the file -> name of the parameter."""
    numbered = {
        f"{short}{n}": f"blocks.{n}.{name}" for n in range(blocks) for short, name in BLOCK.items()
    }
    return WHOLE | numbered


def train(steps):
    """The trained model, its vocabulary and its loss on the last tenth, in nats."""
    text = load_shakespeare()
    tokenizer = CharTokenizer(text)
    parts = train_validation_split(tokenizer.encode(text))
    config = GPT2Config(
        context_size=56,
        num_blocks=2,
        num_heads=4,
        embedding_dim=28,
        vocab_size=tokenizer.vocab_size,
        tie_weights=True,
    )
    training, validation = (TextDataset(part, config.context_size) for part in parts)
    mg.manual_seed(1)
    model = GPT2(config)
    exact = TrainingConfig(num_steps=steps, batch_size=48, lr=8e-3, min_lr=1e-4, seed=1)
    rounded = TrainingConfig(
        num_steps=steps // 2, batch_size=48, lr=3e-3, min_lr=5e-5, warmup_steps=50, seed=2
    )
    for kind, settings in ((Trainer, exact), (RoundedTrainer, rounded)):
        trainer = kind(model, training, settings)
        while trainer.steps < settings.num_steps:
            loss = trainer.step()
            if trainer.steps % 250 == 0:
                print(f"{kind.__name__}, step {trainer.steps}: {loss:.3f}", flush=True)
    round_off(model)
    return model, tokenizer.vocabulary, evaluate(model, validation)


def main(arguments=None):
    parser = argparse.ArgumentParser("python -m maintain.small_gpt2", description=__doc__)
    parser.add_argument("--steps", type=int, default=5000)
    model, vocabulary, loss = train(parser.parse_args(arguments).steps)
    data = as_data(model, vocabulary) | {"loss": round(loss, 3)}
    PATH.write_text(json.dumps(data, separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{PATH}: {model.num_parameters():,} numbers, {loss / np.log(2):.2f} bits per character")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
