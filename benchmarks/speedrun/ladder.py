"""The ladder: from lesson 8's recipe to `fast`, one change at a time, with three seeds each.

`python -m benchmarks.speedrun.ladder TEXT LOG [NAME …]` appends each run to LOG, a file with one
line of JSON for each, and leaves out what stands there or is kept already; without names it runs
everything, at both sizes. `python -m benchmarks.speedrun.page LOG` makes tables and chart of it.
"""

import json
import sys
from pathlib import Path

from benchmarks import store
from benchmarks.speedrun.rules import Refused, checked
from benchmarks.speedrun.run import run, shakespeare, two_cores

RECIPES = Path(__file__).parent / "recipes"
SEEDS = 3
# For each size: the model, the training, the steps of AdamW's warm-up, and its rates, of which the
# second one is the best and is built on.
SMALL = (
    {"num_blocks": 4, "num_heads": 4, "embedding_dim": 128},
    {"num_steps": 250, "batch_size": 12},
    25,
    (0.001, 0.003, 0.006),
)
DEFAULT = (
    {"num_blocks": 6, "num_heads": 6, "embedding_dim": 288},
    {"num_steps": 94, "batch_size": 32},  # as many characters as in 250 small ones
    9,
    (0.0005, 0.001, 0.003),
)
PAIRS = "a table of pairs"  # the rung that the tries change
PLAIN = dict.fromkeys(
    ("rotary", "rms_norm", "qk_norm", "squared_relu", "zero_init", "token_shift"), False
)


def adamw(size, lr, **more):
    """Lesson 8's recipe of this size at this rate, as its command line shapes it."""
    model, length, warmup, _ = size
    training = length | {"lr": lr, "min_lr": lr / 10, "warmup_steps": warmup} | more
    return {"base": "gpt2", "model": model, "training": training}


def climb(size=SMALL):
    """{name: recipe}: each keeps the changes of those before it, and the last one is `fast`."""
    model, length, _, rates = size
    rungs = {f"AdamW at {lr}": adamw(size, lr) for lr in rates}
    line = adamw(size, rates[1], min_lr=0.0) | {"module": "adamw_linear.py"}
    rungs["the rate falls in a line"] = line
    model = model | PLAIN | {"bigram_dim": 0}
    training = length | {"momentum": 0.95, "other_lr": 0.005}
    changes = {
        "Muon on the blocks' matrices": ({}, {}),
        "rotary positions": ({"rotary": True}, {}),
        "RMS norm without weights": ({"rms_norm": True}, {}),
        "norm of queries and keys": ({"qk_norm": True}, {}),
        "squared ReLU": ({"squared_relu": True}, {}),
        "branches and logits start as zero": ({"zero_init": True}, {}),
        "AdamW's part at 0.01": ({}, {"other_lr": 0.01}),
        "momentum 0.9": ({}, {"momentum": 0.9}),
        PAIRS: ({"bigram_dim": 32}, {}),
        "blocks see the position before": ({"token_shift": True}, {}),
    }
    for name, (of_model, of_training) in changes.items():
        model, training = model | of_model, training | of_training
        rungs[name] = {"model": model, "training": training}
    return rungs


def tries():
    """{name: recipe}: the rung PAIRS with one thing changed, better or worse."""
    last = climb()[PAIRS]

    def changed(model=(), training=(), **more):
        return {
            "model": last["model"] | dict(model),
            "training": last["training"] | dict(training),
            **more,
        }

    return {
        "batch 8, 375 steps": changed(training={"batch_size": 8, "num_steps": 375}),
        "batch 24, 125 steps": changed(training={"batch_size": 24, "num_steps": 125}),
        "4 Newton-Schulz steps": changed(training={"newton_schulz_steps": 4}),
        "3 Newton-Schulz steps": changed(training={"newton_schulz_steps": 3}),
        "Newton-Schulz at every second step": changed(module="every_second.py"),
        # The last four cost less, so they get as many steps as the rung has time for.
        "batch 24, 156 steps": changed(training={"batch_size": 24, "num_steps": 156}),
        "4 Newton-Schulz steps, 265 steps": changed(
            training={"newton_schulz_steps": 4, "num_steps": 265}
        ),
        "3 Newton-Schulz steps, 277 steps": changed(
            training={"newton_schulz_steps": 3, "num_steps": 277}
        ),
        "Newton-Schulz at every second step, 282 steps": changed(
            training={"num_steps": 282}, module="every_second.py"
        ),
        "context grows 16, 32, 64": changed(module="growing.py"),
        "mean of the last tenth's weights": changed(module="averaged.py"),
        "value embeddings": changed(module="value_embeddings.py"),
        "more paths around the blocks": changed(module="paths.py"),
        "momentum 0.8": changed(training={"momentum": 0.8}),
        "Muon at 0.015": changed(training={"lr": 0.015}),
        "Muon at 0.03": changed(training={"lr": 0.03}),
        "without rotary positions": changed(model={"rotary": False}),
        "without the norm of q and k": changed(model={"qk_norm": False}),
        "layer norm with weights": changed(model={"rms_norm": False}),
        "GELU": changed(model={"squared_relu": False}),
        "GPT-2's initialisation": changed(model={"zero_init": False}),
        "gradients not clipped": changed(training={"max_norm": 1e9}),
    }


def default_climb():
    """The rungs at the default size; their names say so, since a log knows names alone."""
    return {f"{name}, default size": recipe for name, recipe in climb(DEFAULT).items()}


def everything():
    """{name: recipe} of all rungs and tries."""
    return climb() | tries() | default_climb()


def kept():
    """{(name, seed): run} of the results that are kept."""
    ladder = store.read("speedrun").get("ladder", {})
    return {(name, run["seed"]): run for name, runs in ladder.items() for run in runs}


def finished(log):
    """{(name, seed): run} of a log."""
    lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    return {(line["name"], line["seed"]): line for line in map(json.loads, lines)}


def main(arguments):
    if len(arguments) < 2:
        print(__doc__)
        return 2
    log, names, rungs = Path(arguments[1]), arguments[2:], everything()
    try:
        if unknown := [name for name in names if name not in rungs]:
            raise Refused(f"no row has the name {unknown[0]!r}; the names are those of the page")
        text = shakespeare(arguments[0])
    except Refused as error:
        print(f"ladder: {error}", file=sys.stderr)
        return 2
    two_cores()
    recipes = {
        name: checked(name, {"track": "1.617", **rungs[name]}, RECIPES) for name in names or rungs
    }
    for seed in range(SEEDS):
        for name, recipe in recipes.items():
            if (name, seed) in kept() | finished(log):
                continue
            found = run(recipe, seed, text)
            with open(log, "a", encoding="utf-8") as file:
                file.write(json.dumps({"name": name, **found}, ensure_ascii=False) + "\n")
            print(name, found, flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
