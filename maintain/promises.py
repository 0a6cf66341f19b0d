"""The page of promises: the figures that README and lessons state, with where they come from.

`python -m maintain.promises` gathers the rows that the benchmarks keep (benchmarks/results/), what
the lessons print and what can be counted, and writes docs/promises.md. With `--long` it first runs
the tests that take minutes and keeps what came out of them.
"""

import ast
import json
import math
import re
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks import store
from minigrad.gpt2_shakespeare import GPT2, GPT2Config, TrainingConfig

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"


@dataclass(frozen=True)
class Promise:
    """A figure: what it is, its value as the README writes it, and where it comes from.

    What a benchmark has measured has the commit and date of that; for the others, see `dated`.
    """

    name: str
    value: str
    command: str
    unit: str = ""
    commit: str = ""
    date: str = ""


def of_benchmarks():
    """The rows that each benchmark keeps beside its results."""
    for path in sorted(store.FOLDER.glob("*.json")):
        found = json.loads(path.read_text(encoding="utf-8"))
        for row in found["promises"]:
            yield Promise(**{"commit": found["commit"], "date": found["date"]} | row)


# --- What the lessons print, and how long they run ---

LOSS = r"step +{} .*validation loss ([\d.]+)"
PRINTED = [  # lesson, what, the pattern that finds it in the lesson's stored outputs, unit
    ("06_data", "a uniform guess", r"uniform +([\d.]+) bits", "bits"),
    ("06_data", "a table of letters, on the validation text", r"unigram +([\d.]+) bits", "bits"),
    ("06_data", "a table of pairs, on its own text", r"training ([\d.]+)  validation inf", "bits"),
    ("06_data", "a table of pairs, on the validation text", r"bigram +([\d.]+) bits", "bits"),
    ("06_data", "a table of pairs, in nats", r"bigram +[\d.]+ bits +([\d.]+) nats", "nats"),
    ("06_data", "a small network, on the validation text", LOSS.format(1500), "bits"),
    ("06_data", "the small network learns", r"WindowLM\(\)  ([\d,]+) parameters", "parameters"),
    ("08_gpt2_shakespeare", "its GPT-2, on the validation text", LOSS.format(1200), "nats"),
    ("08_gpt2_shakespeare", "the default model learns", r"learns ([\d,]+) numbers", "parameters"),
]


def of_lessons():
    """Figures that a lesson prints and its prose repeats."""
    for lesson, name, pattern, unit in PRINTED:
        path = ROOT / "notebooks" / f"{lesson}.ipynb"
        command = f"jupyter nbconvert --execute --to notebook --inplace notebooks/{path.name}"
        value = re.search(pattern, printed(path)).group(1)
        yield Promise(f"lesson {lesson[:2]}: {name}", value, command, unit)
        if name == "a small network, on the validation text":  # lesson 08 compares in nats
            value = f"{float(value) * math.log(2):.2f}"
            yield Promise(f"lesson {lesson[:2]}: {name}, in nats", value, command, "nats")


def printed(path):
    """The text that the cells of a notebook have printed."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    return "".join("".join(output.get("text", "")) for output in outputs)


# --- What is counted ---


def counted():
    """What the code and the notebooks hold today."""
    command = "python -m maintain.promises"
    size = f"{GPT2(GPT2Config(vocab_size=65)).num_parameters():,}"
    yield Promise("numbers in the default model (65 characters)", size, command, "parameters")
    small = GPT2Config(32, num_blocks=2, num_heads=4, embedding_dim=128, vocab_size=70)
    size = f"{GPT2(small).num_parameters():,}"
    yield Promise("numbers in lesson 08's model", size, command, "parameters")
    yield Promise("width of the default model", str(GPT2Config().embedding_dim), command)
    yield Promise("steps of the default training", str(TrainingConfig().num_steps), command)
    exercises = count_lines("notebooks", "*.ipynb", "#| exercise ")
    wrong = count_calls(ROOT / "tests" / "wrong_answers", "Mistake")
    if exercises:
        yield Promise("exercises", str(exercises), command)
        yield Promise("wrong answers, each with its own diagnosis", str(wrong), command)


def count_lines(folder, pattern, beginning):
    """How many lines of the notebooks' cells begin so."""
    cells = [
        cell
        for path in (ROOT / folder).glob(pattern)
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
    ]
    lines = [line for cell in cells for line in "".join(cell["source"]).split("\n")]
    return sum(line.startswith(beginning) for line in lines)


def count_calls(folder, name):
    """How many times the files in a folder call a function."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in folder.glob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    return sum(isinstance(n, ast.Call) and ast.unparse(n.func).endswith(name) for n in nodes)


# --- The page ---


def promises():
    """All of them, in the order of the page."""
    parts = of_benchmarks, of_lessons, counted
    return [promise for part in parts for promise in part()]


def beginning(promise):
    """A row of the page up to its commit."""
    value = f"{promise.value} {promise.unit}".rstrip()
    return f"| {promise.name} | {value} | `{promise.command}`"


def row(promise):
    return f"{beginning(promise)} | {promise.commit} | {promise.date} |"


def dated(found, page):
    """The promises; those that name no commit get the commit and date of their row on the page.

    So a row changes when its value does, and not with every commit. A value that is not on the
    page gets the commit that is checked out, and today's date.
    """
    rows = [line.removesuffix(" |").rsplit(" | ", 2) for line in page.splitlines()]
    known = {start: source for start, *source in rows if len(source) == 2}
    for promise in found:
        if not promise.commit:
            commit, date = known.get(beginning(promise)) or store.measured_now().values()
            promise = replace(promise, commit=commit, date=date)
        yield promise


def page(found):
    lines = [
        "# Promises",
        "",
        "Every figure that the README states and every measurement that a lesson's text repeats, "
        "with the command that it comes from, the commit and date of that measurement. A row that is "
        "read from a lesson or counted keeps them until its value changes. Losses are per character. "
        "Written by `python -m maintain.promises`.",
        "",
        "| what | value | command | commit | date |",
        "|---|---|---|---|---|",
        *map(row, found),
    ]
    return "\n".join(lines) + "\n"


def run_long_tests():
    """Run the tests that are marked `long`; returns {name: {"outcome", "seconds"}}."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "tests", "-q", "--long", "-m", "long"]
        subprocess.run([*command, f"--junitxml={report}"], cwd=ROOT, check=False)
        cases = list(ElementTree.parse(report).iter("testcase"))
    return {
        case.get("name"): {
            "outcome": next((child.tag for child in case if child.tag != "properties"), "passed"),
            "seconds": round(float(case.get("time")), 1),
        }
        for case in cases
    }


def of_long_tests(found):
    """What the tests that take minutes came to, as rows for the page."""
    for name, outcome in found.items():
        text = f"{outcome['outcome']} in {outcome['seconds']:.0f} s"
        yield store.row(f"long test {name}", text, "python -m maintain.promises --long")


def main(arguments):
    if set(arguments) - {"--long"}:
        print(__doc__)
        return 2
    if arguments:
        found = run_long_tests()
        store.write("long", found, of_long_tests(found))
    path = DOCS / "promises.md"
    found = dated(promises(), path.read_text(encoding="utf-8"))
    path.write_text(page(found), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
