"""A model as one page: `python -m minigrad.apps.publish [RUN] --out page.html`.

The page holds the weights in half precision, the vocabulary, the playground and a small GPT-2 in
JavaScript. Anybody can open it by a double click, offline, on a phone too; it asks no other
address for anything. RUN is a training run's --checkpoint-dir, one of its checkpoints, or a model
that `save_pretrained` wrote; without it, the page shows the model that comes with the course. That
one uses no module of the lessons, so its page can be made before the first lesson is solved.
With `--stages`, one can choose on the page between the model before its training and at the
checkpoints that the run has kept.
"""

import argparse
import base64
import html
import json
import math
import sys
import tempfile
from pathlib import Path

from minigrad.apps import ORIGIN, SHIPPED, web
from minigrad.apps.arguments import not_empty
from minigrad.apps.streams import lenient_streams

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:">
<title>{title}</title>
<style>
html {{ background: Canvas; color: CanvasText; }}
body {{ max-width: 72rem; margin: 0 auto; padding: 1rem; font: 16px/1.5 system-ui, sans-serif; }}
pre {{ white-space: pre-wrap; overflow-wrap: anywhere; font-size: 0.9rem; }}
{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p>{words}</p>
<div id="playground">This page needs JavaScript: the model computes in it.</div>
<details><summary>About this model</summary><pre>{card}</pre></details>
</main>
{models}
<script type="module">
{script}
const read = (data) => Uint8Array.from(atob(data), (character) => character.charCodeAt(0)).buffer;
const found = [...document.querySelectorAll("script[data-model]")];
const models = found.map((script) => [script.dataset.model, () => read(script.textContent)]);
start(document.getElementById("playground"), Object.fromEntries(models));
</script>
</body>
</html>
"""


# What minigrad/apps/fast.py has, by the names in its config.
FAST_PARTS = {
    "rotary": "rotary positions",
    "qk_norm": "queries and keys of one length",
    "rms_norm": "RMS norm",
    "squared_relu": "a squared ReLU",
    "bigram_dim": "a table of pairs of characters",
    "token_shift": "blocks that also see the position before",
}


def model_bytes(run=None):
    """The bytes of a model's file in half precision.

    `run` is a folder of checkpoints (the best is taken), a checkpoint, a file that `save_pretrained`
    wrote, or None for the shipped model. Raises ValueError, in words, for anything else.
    """
    if run is None:
        return SHIPPED.read_bytes()
    from minigrad.apps import checkpoint
    from minigrad.apps.pretrained import load_pretrained

    path = file_of(run)
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    try:
        load_pretrained(path)
        return path.read_bytes()
    except ValueError as not_pretrained:
        try:
            model, tokenizer = checkpoint.load_model(path)
        except ValueError as error:
            words = dict.fromkeys(map(str, (error, not_pretrained)))  # once, if both say the same
            raise ValueError("; and ".join(words)) from None
    return halved(model, tokenizer)


def file_of(run, newest=False):
    """The file that is meant: of a folder, the checkpoint with the lowest loss, or the newest one."""
    from minigrad.apps import checkpoint

    path = Path(run)
    if not path.is_dir():
        return path
    found = checkpoint.checkpoints(path)
    if not found:
        raise ValueError(f"{run} holds no checkpoint")
    best = None if newest else checkpoint.best(path)[0]
    return best or found[-1]  # no loss was measured, or no checkpoint can be read


def training_of(path):
    """Lines on how a checkpoint was trained; none for a file that does not say it."""
    from minigrad.apps.files import read_arrays

    return training_lines(read_arrays(path)[1])


def training_lines(description):
    """The same from a checkpoint's description."""
    try:
        progress, recipe = description["progress"], description["training"]
        lines = [
            f"trained for {progress['steps']:,} of {recipe['num_steps']:,} steps of "
            f"{recipe['batch_size']} texts, learning rate {recipe['lr']:g}, seed {recipe['seed']}",
            f"on a text of {int(description['text'].split()[0]):,} characters",
        ]
        if progress["validation_loss"] is not None:
            loss = progress["validation_loss"]
            lines.append(f"loss on held-out text: {loss:.3f} nats per character")
        return lines
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return []  # a model without a run, or a checkpoint of another version


def halved(model, tokenizer):
    """The bytes of a model's file, in half precision."""
    from minigrad.apps.pretrained import save_pretrained

    with tempfile.TemporaryDirectory() as folder:
        half = Path(folder) / "model.safetensors"
        save_pretrained(half, model, tokenizer)
        return half.read_bytes()


def stages_of(run):
    """{name: bytes} of a run before its training and at its checkpoints, the latest first."""
    from minigrad.apps.playground import models_of

    return {name: halved(*load()) for name, load in reversed(models_of(run).items())}


def described(data):
    """The sizes of a model and the shapes of its arrays, from the header of its file's bytes."""
    length = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + length])
    description = json.loads(header.pop("__metadata__")["minigrad"])
    return description["model"], {name: entry["shape"] for name, entry in header.items()}


def page(run=None, title="A GPT that learned Shakespeare", stages=False):
    """The whole page as text, with one model or with the stages of a run."""
    if stages and run is None:
        raise ValueError("--stages needs a run's folder of checkpoints")
    models = stages_of(run) if stages else {"this model": model_bytes(run)}
    config, shapes = described(next(iter(models.values())))
    sizes = {name: math.prod(shape) for name, shape in shapes.items()}
    lines = [f"{sizes[name]:>9,}  {name} {tuple(shapes[name])}" for name in sorted(shapes)]
    if run is None:
        training = ORIGIN.read_text(encoding="utf-8").splitlines()
    else:
        training = training_of(file_of(run, newest=stages))
    if training:
        lines = [*training, "", "Its arrays, with how many numbers each holds:", *lines]
    several = config.get("num_models")
    of_each = f"the mean of {several} models, each with " if several else ""
    words = (
        f"{sum(sizes.values()):,} numbers, trained in NumPy, compute in this page: "
        f"{of_each}{config['num_blocks']} blocks with {config['num_heads']} heads of attention, "
        f"width {config['embedding_dim']}, "
        f"a context of {config['context_size']} characters. Nothing leaves your machine. "
        "Press Generate; then pick a character to see what else might have stood there."
    )
    others = [part for name, part in FAST_PARTS.items() if config.get(name)]
    if others:
        words += f" It differs from lesson 8's GPT-2: it has {', '.join(others)}."
    return PAGE.format(
        title=html.escape(title),
        words=html.escape(words),
        style=web.text("view.css"),
        card=html.escape("\n".join(lines)),
        models="\n".join(
            f'<script type="text/plain" data-model="{html.escape(name)}">'
            f"{base64.b64encode(data).decode('ascii')}</script>"
            for name, data in models.items()
        ),
        script=web.joined(web.PAGE),
    )


def main(arguments=None):
    """Write a page. Returns 0, or 2 where there is no such model or nowhere to write."""
    with lenient_streams(_say):
        return _run(_options(arguments))


def _say(words):
    print(f"publish: {words}", file=sys.stderr)


def _html(name):
    """A page's name, which is never a checkpoint's by mistake."""
    if not not_empty(name).lower().endswith((".html", ".htm")):
        raise argparse.ArgumentTypeError(f"{name!r} must end in .html")
    return name


def _options(arguments):
    parser = argparse.ArgumentParser(
        "python -m minigrad.apps.publish", description=__doc__.split("\n")[0]
    )
    parser.add_argument(
        "run",
        nargs="?",
        type=not_empty,
        metavar="RUN",
        help="a run's folder, a checkpoint or a model's file (default: the shipped model)",
    )
    parser.add_argument(
        "--out", required=True, type=_html, metavar="FILE", help="the page to write, *.html"
    )
    parser.add_argument(
        "--stages", action="store_true", help="before the training, and at each kept checkpoint"
    )
    title = "A GPT that learned Shakespeare"
    parser.add_argument("--title", type=_title, default=title, help="its heading")
    return parser.parse_args(arguments)


def _title(text):
    """An argument type: a text that is not empty and can be written as UTF-8."""
    try:
        not_empty(text).encode()
    except UnicodeEncodeError:
        raise argparse.ArgumentTypeError("holds half of a character (a lone surrogate)") from None
    return text


def _run(options):
    try:
        text = page(options.run, options.title, options.stages)
        Path(options.out).write_text(text, encoding="utf-8")
    except (ValueError, OSError, ModuleNotFoundError) as error:
        print(f"Nothing written: {error}", file=sys.stderr)
        return 2
    print(f"{options.out}: {len(text) / 1e6:.1f} MB; open it in any browser.")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
