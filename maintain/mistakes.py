"""The page of mistakes: `python -m maintain.mistakes` writes docs/mistakes.md.

For each exercise the wrong answers of tests/wrong_answers, what the check says of each (its first
line, from running it), and what an instructor may tell the student.
"""

import re
import sys
from pathlib import Path

from course.checks.judging import judge
from course.lessons.exercise import exercises
from course.lessons.notebooks import ROOT, load
from tests.wrong_answers import answers

PAGE = Path(__file__).parent.parent / "docs" / "mistakes.md"
INTRODUCTION = """\
# Mistakes that people make

Written by `python -m maintain.mistakes` from tests/wrong_answers: do not edit it by hand.

Each exercise has wrong answers that its check must refuse, each with a diagnosis of its own; tests
prove that. This page lists all {count} for people who help a student. *How it shows* is the first
line of the diagnosis; below that line the check prints the smallest example. *What to say* leads
the student to the next step and does not give the answer.
"""


def diagnosis(number, body):
    """The first line of what the check says of a body."""
    wrong = judge(number, exercises()[number].texts(body)).wrong
    return wrong.lines()[0].split("\n")[0] if wrong else "nothing: the check lets it pass"


def cell(text):
    """Text as a cell of a table in Markdown, which shows it as it is written."""
    parts = re.split(r"(`[^`]+`)", " ".join(text.split()))
    parts[::2] = [re.sub(r"([\\*_<$~\[\]])", r"\\\1", part) for part in parts[::2]]
    return "".join(parts).replace("|", r"\|")


def title(notebook):
    """The title of a lesson, such as "3 · Functional"."""
    first = load(ROOT / "notebooks" / f"{notebook}.ipynb")["cells"][0]["source"]
    return first.partition("\n")[0].lstrip("# ")


def page(diagnose=diagnosis):
    """The whole page. `diagnose(number, body)` says how a mistake shows."""
    count = sum(len(answers(number).wrong) for number in exercises())
    lines, lesson = [INTRODUCTION.format(count=count)], ""
    for number, exercise in exercises().items():
        if exercise.notebook.name != lesson:
            lesson = exercise.notebook.name
            lines += [f"## {title(lesson)}", ""]
        lines += [
            f"### {number}: {exercise.cell.heading}",
            "",
            "| mistake | how it shows | what to say |",
            "|---|---|---|",
        ]
        for wrong in answers(number).wrong:
            shown = diagnose(number, wrong.body)
            lines.append(f"| {cell(wrong.name)} | {cell(shown)} | {cell(wrong.advice)} |")
        lines.append("")
    return "\n".join(lines)


def main(arguments):
    if arguments:
        print(__doc__)
        return 2
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
