"""`check("03.2")` in a notebook, and `python -m course check` for the notebooks as they are saved.

The way of a check, from the cell to the verdict:

1. here: which exercises are meant (`lessons/exercise.py`), and in a notebook, which version of each
   cell was run last (`lessons/live.py`);
2. the package with that version in it, as text (`lessons/package.py`, or `lessons/saved.py`);
3. `checks/judging.py` starts a process with it (`sandbox/`), and goes through the exercise's check
   (`checks/lesson_03.py`), which asks that process for values (`checks/vocabulary.py`);
4. what is wrong is put into words (`checks/diagnose.py`), and comes back as a `Result`.
"""

import argparse
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from course import copies
from course.checks.judging import Result, judge
from course.lessons.exercise import find, of_lesson
from course.lessons.live import as_run
from course.lessons.notebooks import ROOT, NotebookError
from course.lessons.output import put
from course.lessons.package import texts_with
from course.lessons.saved import Saved
from course.lessons.status import Status
from course.student import reports, solutions

# --- In a notebook ---


def check(number) -> None:
    """Try the code of this notebook's exercise on small examples, and say what comes out.

    It runs in a process of its own, so nothing that it does can harm the notebook. The number of
    a lesson means all its exercises.
    """
    confusion = copies.confusion()
    if confusion:
        print(f"{number} cannot be checked. {confusion}")
        return
    try:
        for exercise in find(number):
            result = try_live(exercise)
            print(result)
            lesson = [one.number for one in find(exercise.number[:2])]
            if is_wrong(result) and (line := blame(exercise.number, lesson, live_is_wrong)):
                print(line)
            if result.status is Status.RIGHT and solutions.can_compare():
                print(solutions.hint(exercise.number))
    except NotebookError as error:
        print(f"{number} cannot be checked: {error}")


def is_wrong(result: Result) -> bool:
    """Whether an answer is wrong, and does not only wait for another one."""
    return result.status is Status.WRONG and not result.wrong.needs


def live_is_wrong(number: str) -> bool:
    """The same of an exercise as its cell was run last in this kernel."""
    return is_wrong(result_of(number))


def blame(number: str, numbers: Iterable[str], wrong: Callable[[str], bool]) -> str:
    """A line that names the first wrong exercise before this one in its lesson, or "".

    Later exercises of a lesson run on earlier ones, so a right answer may fail for such a reason.
    """
    for earlier in numbers:
        if earlier[:2] == number[:2] and earlier < number and wrong(earlier):
            return (
                f"  → {earlier} is not right yet either, and {number} may run on it: "
                f"mend {earlier} first"
            )
    return ""


def try_live(exercise) -> Result:
    """The result for an exercise as its cell was run last in this kernel."""
    notebook = as_run(exercise.notebook)
    cell = of_lesson(notebook).get(exercise.number, exercise).cell
    return judge(exercise.number, texts_with(notebook), cell=cell.source)


def result_of(number) -> Result:
    """The same by its number, for other tools. Raises NotebookError where there is none."""
    return try_live(find(number)[0])


# --- As it is saved ---


@dataclass(frozen=True)
class Outcome:
    """How a saved exercise stands: its status, the diagnosis in a line, and all that is said."""

    number: str
    name: str  # what its cell defines
    status: Status
    diagnosis: str
    text: str
    path: str  # of the notebook, from the course's folder
    line: int = 1  # in the notebook's file
    needs: str = ""  # the exercise that is blank, where this one cannot be judged without it

    @property
    def is_wrong(self) -> bool:
        """Whether its answer is wrong, and does not only wait for another one."""
        return self.status is Status.WRONG and not self.needs


def examine(saved: Saved, number: str) -> Outcome:
    """Judge a saved exercise."""
    exercise, path = saved.exercises.get(number), saved.path(number)
    if exercise is None:
        problem = saved.problems.get(number[:2])
        status = Status.UNREADABLE if problem else Status.MISSING
        words = problem or f"no cell in {path} is marked `#| exercise {number}`"
        return Outcome(number, "", status, words, f"{number} cannot be checked: {words}", path)
    place = exercise.name, path, line_of(saved.root / path, f"#| exercise {number}")
    name, *where = place
    if exercise.is_blank:
        words = f"{number} is still blank"
        return Outcome(number, name, Status.BLANK, words, words, *where)
    try:
        result = judge(number, saved.texts(exercise), cell=exercise.cell.source)
    except NotebookError as error:
        text = f"{number} cannot be checked: {error}"
        return Outcome(number, name, Status.UNREADABLE, str(error), text, *where)
    status = result.status
    if status is Status.RIGHT and exercise.is_borrowed:
        status = Status.BORROWED
    diagnosis = result.wrong.words if result.wrong else ""
    needs = result.wrong.needs if result.wrong else ""
    return Outcome(number, name, status, diagnosis, str(result), *where, needs)


def line_of(path: Path, text: str) -> int:
    """The number of the first line of a file that holds a text; 1 where none does."""
    lines = path.read_text(encoding="utf-8").split("\n")
    return next((number for number, line in enumerate(lines, 1) if text in line), 1)


def main_check(arguments) -> int:
    """Check saved exercises.

    Returns 0 where all are right, 1 where not, 2 where the question or a file cannot be
    understood. With `--junit` or `--github`, exercises are skipped and do not count that are blank,
    or that cannot be judged without one that is.
    """
    parser = argparse.ArgumentParser(
        "python -m course check",
        description="Check the exercises of the saved notebooks. Nothing needs to be exported.",
        epilog="Exit code: 0 where all are right, 1 where not, 2 for a wrong call. With --junit or "
        "--github, exercises that are still blank, or wait for one that is, are skipped: they do not "
        "make it 1.",
    )
    parser.add_argument(
        "wanted", nargs="*", metavar="03|03.2", help="a lesson or an exercise (default: all)"
    )
    parser.add_argument(
        "--junit", type=Path, metavar="FILE", help="write a test case for each exercise, as XML"
    )
    parser.add_argument(
        "--github", action="store_true", help="print annotations for GitHub's workflows as well"
    )
    options = parser.parse_args(arguments)
    try:
        saved, outcomes = Saved(ROOT), []
        for number in saved.chosen(options.wanted):
            outcome = examine(saved, number)
            if outcome.is_wrong:
                line = blame(number, saved.numbers, lambda one: examine(saved, one).is_wrong)
                outcome = replace(outcome, text=f"{outcome.text}\n{line}".rstrip())
            outcomes.append(outcome)
            put(reports.without_commands(outcome.text) if options.github else outcome.text)
            if outcome.status is Status.RIGHT and solutions.can_compare():
                put(solutions.hint(number))
            if options.github and reports.is_failure(outcome):
                put(reports.annotation(outcome))
        done = sum(outcome.status.is_done for outcome in outcomes)
        put(f"{done} of {len(outcomes)} exercises are right")
        if options.junit:
            reports.write_junit(options.junit, outcomes)
    except (NotebookError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    if options.junit or options.github:
        return int(any(map(reports.is_failure, outcomes)))
    return 0 if done == len(outcomes) else 1
