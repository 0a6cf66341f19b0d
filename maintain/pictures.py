"""The README's pictures: `python -m maintain.pictures CHECKPOINT`, after benchmarks.recipes."""

import sys

import numpy as np

from benchmarks import store
from benchmarks.recipes import DOCS, PYTORCH
from course import draw
from minigrad.apps.checkpoint import load_model

PHRASE = "ROMEO:\nWhat light is this?"


def loss_curve(path):
    """The losses of the largest run in benchmarks/results/recipes.json."""
    *_, (name, run) = store.read("recipes").items()
    steps, training, validation = zip(*run["reports"], strict=True)
    with draw.to_file(path):
        draw.lines(
            {"training": (steps, training), "validation": (steps, validation)},
            xlabel="step",
            ylabel="loss (nats per character)",
            horizontal={"PyTorch, the same recipe": PYTORCH[name.split("_")[0]]},
            caption="The losses of a training run.",
        )


def attention_maps(path, checkpoint):
    """Four heads of the trained model on a short phrase."""
    model, tokenizer = load_model(checkpoint)
    maps = model.attention(tokenizer.encode(PHRASE)[None, :])[:, 0]  # (blocks, H, T, T)
    place = np.arange(len(PHRASE))
    reach = (maps * (place[:, None] - place)).sum(-1).mean(-1)  # (blocks, H): characters back
    ranked = np.argsort(reach, axis=None)
    chosen = [
        divmod(int(ranked[i]), maps.shape[1]) for i in np.linspace(0, len(ranked) - 1, 4, dtype=int)
    ]
    with draw.to_file(path):
        draw.attention(
            [maps[b, h] for b, h in chosen],
            PHRASE,
            titles=[f"block {b}, head {h}" for b, h in chosen],
            columns=2,
            caption="Four heads of the trained model.",
        )


def main(arguments):
    if len(arguments) != 1:
        print(__doc__)
        return 2
    (DOCS / "pictures").mkdir(exist_ok=True)
    loss_curve(DOCS / "pictures" / "loss.png")
    attention_maps(DOCS / "pictures" / "attention.png", arguments[0])
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
