"""The two published recipes, from the command line, and what they reach.

`python -m benchmarks.recipes TEXT FOLDER [NAME …]` trains the small recipe with three seeds and the
default one (an hour and more; runs that are finished in FOLDER are not repeated), or those that are
named, and writes docs/results.md and benchmarks/results/recipes.json, which keep what is not repeated. TEXT is
the million characters of Shakespeare that char-rnn and nanoGPT train on; the targets are set for
it.
"""

import re
import subprocess
import sys
from pathlib import Path

from benchmarks import store

DOCS = Path(__file__).parent.parent / "docs"
SMALL = "--num-blocks 4 --num-heads 4 --embedding-dim 128 --batch-size 12 --num-steps 2000"
RUNS = {
    **{f"small_{seed}": f"{SMALL} --report-every 500 --seed {seed}" for seed in range(3)},
    "default": "--seed 0 --workers 2",
}
TARGETS = {"small": 1.90, "default": 1.60}
PYTORCH = {"small": 1.886, "default": 1.583}  # the same recipes in PyTorch, measured once
REPORT = re.compile(r"step (\d+): training loss ([\d.]+), validation loss ([\d.]+)")


def train(name, text, folder):
    """Run one recipe, unless its log is complete; returns the log."""
    log = folder / f"{name}.log"
    if not log.exists() or "sample after training" not in log.read_text(encoding="utf-8"):
        print(f"training {name} …", flush=True)
        command = [sys.executable, "-m", "minigrad.gpt2_shakespeare", "--text", str(text)]
        command += [*RUNS[name].split(), "--checkpoint-dir", str(folder / f"checkpoints_{name}")]
        with open(log, "w", encoding="utf-8") as file:
            subprocess.run(command, stdout=file, check=True)
    return log.read_text(encoding="utf-8")


def results(text, folder, names):
    """{name: {"command", "reports": [[step, training, validation], …], "samples"}}."""
    found = {}
    for name in names:
        log = train(name, text, folder)
        samples = re.findall(r"sample \w+ training:\n-+\n(.*?)\n-{20,}\n", log, re.DOTALL)
        found[name] = {
            "command": f"python -m minigrad.gpt2_shakespeare --text input.txt {RUNS[name]}",
            "reports": [[int(s), float(t), float(v)] for s, t, v in REPORT.findall(log)],
            "samples": dict(zip(("before", "after"), samples, strict=True)),
        }
    return found


def row(recipe, found):
    """One line of the table: the mean over the recipe's seeds."""
    losses = [run["reports"][-1][2] for name, run in found.items() if name.startswith(recipe)]
    if not losses:
        return f"| {recipe} | not measured yet | ≤ {TARGETS[recipe]:.2f} | {PYTORCH[recipe]} |"
    reached = f"{sum(losses) / len(losses):.3f}"
    if len(losses) > 1:
        reached += f" (mean of {', '.join(f'{loss:.3f}' for loss in losses)})"
    return f"| {recipe} | {reached} | ≤ {TARGETS[recipe]:.2f} | {PYTORCH[recipe]} |"


def page(found):
    """The results as Markdown."""
    lines = [
        "# What the recipes reach",
        "",
        "Validation loss in nats per character on the last tenth of the text, the mean over 200 "
        "batches, dropout off. Written by `python -m benchmarks.recipes`.",
        "",
        "| recipe | validation loss | target | PyTorch |",
        "|---|---|---|---|",
        *(row(recipe, found) for recipe in TARGETS),
        "",
        "The commands (`input.txt` is the million characters of Shakespeare that char-rnn and "
        "nanoGPT train on; it is not part of this repository):",
        "",
        "```",
        *(run["command"] for run in found.values()),
        "```",
        "",
        "The losses on the way:",
        "",
        "| run | step | training | validation |",
        "|---|---|---|---|",
    ]
    for name, run in found.items():
        lines += [f"| {name} | {s} | {t:.4f} | {v:.4f} |" for s, t, v in run["reports"]]
    return "\n".join(lines) + "\n"


def promises(found):
    """The validation losses and their means, beside PyTorch's, as rows for the page."""
    for recipe, target in TARGETS.items():
        runs = {name: run for name, run in found.items() if name.startswith(recipe)}
        losses = {name: run["reports"][-1][2] for name, run in runs.items()}
        for name, loss in losses.items():
            command = runs[name]["command"]
            yield store.row(f"validation loss, {name}", f"{loss:.3f}", command, "nats")
        if losses:
            yield store.row(
                f"validation loss, {recipe}, mean of {len(losses)} (promised: ≤ {target:.2f})",
                f"{sum(losses.values()) / len(losses):.3f}",
                "python -m benchmarks.recipes",
                "nats",
            )
        yield store.row(
            f"validation loss, recipe {recipe}, in PyTorch",
            str(PYTORCH[recipe]),
            "measured once, on another machine",
            "nats",
        )


def main(arguments):
    if len(arguments) < 2 or set(arguments[2:]) - RUNS.keys():
        print(__doc__)
        return 2
    folder = Path(arguments[1])
    folder.mkdir(parents=True, exist_ok=True)
    found = store.read("recipes") | results(Path(arguments[0]), folder, arguments[2:] or list(RUNS))
    store.write("recipes", found, promises(found))
    (DOCS / "results.md").write_text(page(found), encoding="utf-8")
    print(page(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
