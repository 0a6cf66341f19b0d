"""The picture at the top of the README: `python -m maintain.animation` writes docs/pictures/learning.gif.

A small GPT-2 is trained on Shakespeare's plays for a minute or two; every frame shows the loss so
far and what the model writes at that step, with the same random numbers each time.
"""

import io
import sys
from pathlib import Path

import numpy as np
from PIL import Image

import minigrad as mg
from course.draw.style import COLOURS, canvas, settings
from minigrad.data import CharTokenizer, TextDataset, load_shakespeare
from minigrad.gpt2_shakespeare import GPT2, GPT2Config, Trainer, TrainingConfig, sample

PICTURE = Path(__file__).parent.parent / "docs" / "pictures" / "learning.gif"
STEPS = 2000
SHOWN = [
    0,
    5,
    10,
    20,
    30,
    45,
    60,
    80,
    100,
    130,
    160,
    200,
    250,
    300,
    400,
    500,
    650,
    850,
    1100,
    1400,
    1700,
    2000,
]
LETTERS, LINES = 60, 9  # of the text in a frame


def text_of(model, tokenizer):
    """What the model writes now, as a few lines."""
    prompt = tokenizer.encode("ROMEO:\n").astype(np.int64)[None, :]
    tokens = sample(model, prompt, 330, temperature=0.7, generator=np.random.default_rng(4))
    lines = []
    for line in tokenizer.decode(tokens[0]).split("\n"):
        lines += [line[k : k + LETTERS] for k in range(0, max(len(line), 1), LETTERS)]
    return "\n".join(lines[:LINES])


def frame(step, losses, text):
    """One picture: the loss on the left, the text on the right."""
    with settings():
        fig, axes = canvas(1, 2, height=3.0, gridspec_kw={"width_ratios": (1, 1.45)})
        left, right = axes.ravel()
        left.plot(np.arange(1, len(losses) + 1), losses, color=COLOURS[0])
        left.set(
            xlim=(0, STEPS), ylim=(1.4, 4.6), xlabel="step", ylabel="loss (nats per character)"
        )
        right.text(0, 1, text, family="DejaVu Sans Mono", size=9.5, va="top", parse_math=False)
        right.text(0, -0.05, f"step {step:,} of {STEPS:,}", size=10, va="top")
        right.axis("off")
        file = io.BytesIO()
        fig.savefig(file, format="png", dpi=88)
    return Image.open(file).convert("P", palette=Image.Palette.ADAPTIVE, colors=32)


def main(arguments):
    if arguments:
        print(__doc__)
        return 2
    mg.manual_seed(0)
    plays = load_shakespeare()
    tokenizer = CharTokenizer(plays)
    config = GPT2Config(
        64, num_blocks=4, num_heads=4, embedding_dim=128, vocab_size=tokenizer.vocab_size
    )
    dataset = TextDataset(tokenizer.encode(plays), config.context_size)
    recipe = TrainingConfig(num_steps=STEPS, batch_size=12, lr=3e-3, min_lr=3e-4)
    trainer, losses, frames = Trainer(GPT2(config), dataset, recipe), [], []
    for step in range(STEPS + 1):
        if step in SHOWN:
            recent = np.convolve(losses, np.ones(9) / 9, "valid") if len(losses) > 60 else losses
            frames.append(frame(step, list(recent), text_of(trainer.model, tokenizer)))
            print(f"step {step}", flush=True)
        if step < STEPS:
            losses.append(trainer.step())
    pauses = [900, *[450] * (len(frames) - 2), 4000]  # milliseconds
    frames[0].save(
        PICTURE, save_all=True, append_images=frames[1:], duration=pauses, loop=0, optimize=True
    )
    print(f"{PICTURE}: {PICTURE.stat().st_size / 1e6:.2f} MB")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
