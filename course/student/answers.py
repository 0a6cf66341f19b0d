"""The course's answers for a student: `course borrow 03.2`, and `course compare 03.2`.

    python -m course borrow 03 [--solutions FILE]       take our version where one is stuck
    python -m course compare 03.2 [--solutions FILE]    after "right": ours beside one's own

Nothing that anybody wrote is lost: of each file that is replaced, a dated copy is kept.
"""

import argparse
import shutil
import sys
from dataclasses import replace
from itertools import zip_longest
from pathlib import Path

from course.lessons import notebooks
from course.lessons.exercise import EDITION, body_of, chosen, number_of, of_lesson, with_body
from course.lessons.exporter import modules_of, write
from course.lessons.notebooks import ROOT, NotebookError
from course.lessons.output import put
from course.lessons.saved import Saved
from course.lessons.status import Status
from course.student.checking import examine
from course.student.edition import Backup, as_bytes
from course.student.solutions import Refused, find_solutions, read_solutions

# --- Borrowing ---


def borrow(wanted: list[str], solutions: Path | None = None, root: Path = ROOT) -> list[str]:
    """Put our version of the exercises into the saved notebooks and export their lessons.

    `wanted` holds numbers ("03.2") and lessons ("03": whatever is not right yet in it). Returns
    lines that say what was done. Raises Refused, or NotebookError for a notebook that is broken.
    """
    answers = read_solutions(solutions or find_solutions(root))
    saved, kept, lines = Saved(root), Backup(root), []
    meant = [number_of(one) for one in wanted]
    try:
        chosen(meant, answers)
    except NotebookError as error:  # there is no such exercise
        raise Refused(str(error)) from None
    for path in notebooks.paths(root):
        lesson = path.stem[:2]
        own = of_lesson(notebooks.read(path))
        numbers = [n for n in own if n in meant or lesson in meant]
        if lesson in meant:
            numbers = [n for n in numbers if n in meant or not examine(saved, n).status.is_done]
            if not numbers:
                lines.append(f"Lesson {lesson}: everything in it is right already.")
        if numbers:
            kept.replace(path, with_answers(path, {n: answers[n] for n in numbers if n in answers}))
            for number in numbers:
                lines.append(
                    f"{number}: the course's version is in notebooks/{path.name} now. What it does:"
                )
                answer = replace(own[number].cell, source=answers[number])
                piece = replace(own[number], cell=answer)
                lines += [f"    {line}" for line in piece.description]
            for module, text in modules_of(notebooks.read(path)).items():
                write(root / "minigrad" / f"{module}.py", text)
    if kept.copies:
        lines.append("A notebook that is open: File, Reload Notebook from Disk, and run it again.")
    return [*lines, *kept.lines()]


def with_answers(path: Path, answers: dict[str, str]) -> bytes:
    """The notebook at `path` with those exercises' bodies replaced by the course's."""
    content = notebooks.load(path)
    for number, exercise in of_lesson(notebooks.read(path)).items():
        if number not in answers:
            continue
        body = f"{exercise.borrowed()}\n{body_of(answers[number])}"
        for cell in content["cells"]:
            if cell["source"] == exercise.cell.source:
                try:
                    cell["source"] = with_body(cell["source"], body)
                except NotebookError:  # its marks are gone: the whole cell
                    cell["source"] = with_body(answers[number], body)
    return as_bytes(content)


# --- Comparing ---


def compare(
    wanted: list[str], solutions: Path | None = None, root: Path = ROOT, width: int = 100
) -> list[str]:
    """Our version of exercises beside the saved ones, as lines of at most `width` characters.

    Only of exercises that are right and one's own: before that it would be the answer. Raises
    Refused where it is one exercise, and it is not right yet; NotebookError.
    """
    saved = Saved(root)
    numbers = saved.chosen(wanted)
    answers = read_solutions(solutions or find_solutions(root))
    lines = []
    for number in numbers:
        status = examine(saved, number).status
        if status is Status.RIGHT and number in answers:
            own = saved.exercises[number]
            lines += [f"{number} {own.name}: yours is right. Beside it, the course's version:", ""]
            lines += [*side_by_side(body(own.cell.source), body(answers[number]), width), ""]
        else:
            words = {
                Status.BORROWED: "is the course's version: there is no other one beside it",
                Status.RIGHT: "has no answer in the file with the answers",
                Status.BLANK: "is still blank: solve it first, or borrow it",
            }.get(status, f"is not right yet: python3 -m course check {number} says why")
            lines.append(f"{number} {words}")
    if len(numbers) == 1 and len(lines) == 1:
        raise Refused(lines[0])
    return lines


def body(cell: str) -> list[str]:
    """The lines of a cell's answer; where its marks are gone, of the whole cell."""
    try:
        return body_of(cell).rstrip().split("\n")
    except NotebookError:
        return cell.rstrip().split("\n")


def side_by_side(yours: list[str], ours: list[str], width: int) -> list[str]:
    """Two texts in two columns where they fit, else one below the other."""
    yours, ours = ["yours", "-----", *yours], ["the course's", "------------", *ours]
    left = max(map(len, yours))
    if left + 3 + max(map(len, ours)) > width:
        return [*yours, "", *ours]
    rows = zip_longest(yours, ours, fillvalue="")
    return [f"{one:{left}s} | {other}".rstrip() for one, other in rows]


# --- The commands ---


def main_borrow(arguments: list[str]) -> int:
    """Borrow answers. Returns 0, or 2 where that is refused."""
    description = "Take the course's version where you are stuck."
    return _run("borrow", description, arguments, borrow)


def main_compare(arguments: list[str]) -> int:
    """Compare answers. Returns 0, or 2 where that is refused."""
    description = "Show the course's version beside yours, once yours is right."

    def with_width(wanted, solutions):
        return compare(wanted, solutions, width=shutil.get_terminal_size((100, 24)).columns)

    return _run("compare", description, arguments, with_width)


def _run(command, description, arguments, run) -> int:
    parser = argparse.ArgumentParser(f"python -m course {command}", description=description)
    parser.add_argument(
        "wanted", nargs="+", metavar="03|03.2", help="an exercise, or all those of a lesson"
    )
    parser.add_argument("--solutions", type=Path, metavar="FILE", help="the file with the answers")
    options = parser.parse_args(arguments)
    if not (ROOT / EDITION).exists():
        print(
            "This is the whole course, with the answers in its notebooks, and no student's "
            f"edition: there is nothing to {command}.",
            file=sys.stderr,
        )
        return 2
    try:
        put(*run(options.wanted, options.solutions))
        return 0
    except (Refused, NotebookError, OSError) as problem:
        print(problem, file=sys.stderr)
        return 2
