"""The README states no figure that is not on the page of promises, and the page is fresh."""

import json
import re
from pathlib import Path

from benchmarks import promises

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
    assert figures(README) >= {"1.876", "1.886", "2000"}
    assert not unknown_figures(README, PAGE)


def test_the_check_of_figures_sees_one():
    assert unknown_figures("reaches 1.234 in 7 steps", "| 1.23 | 70 |") == {"1.234", "7"}
    assert unknown_figures("reaches 1.234 (`9`), GPT-2, [8 · x](y_77.md)", "| 1.234 |") == set()


def test_the_page_is_what_the_command_writes():
    """Values and commands; commit and date are those of the day that it was written."""
    rows = json.loads((ROOT / "docs" / "promises.json").read_text(encoding="utf-8"))
    stored = {row["name"]: (row["value"], row["command"]) for row in rows}
    assert stored == {p.name: (p.value, p.command) for p in promises.promises()}
    assert all(row["name"] in PAGE and row["value"] in PAGE for row in rows)


def test_the_readme_leads_to_the_page():
    assert "(docs/promises.md)" in README


def test_exercises_and_wrong_answers_are_counted(tmp_path):
    (tmp_path / "a.py").write_text(
        "x = [Mistake('a'), answers.Mistake('b'), Other()]", encoding="utf-8"
    )
    assert promises.count_calls(tmp_path, "Mistake") == 2
    assert promises.count_calls(tmp_path / "missing", "Mistake") == 0
