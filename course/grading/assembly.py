"""The package that a submission is judged on, as texts: module name -> source."""

import functools
import re
from collections.abc import Collection, Mapping
from types import MappingProxyType

from course.grading.submissions import Handed, Submission, joined
from course.lessons.exercise import Exercise, exercises
from course.lessons.exporter import modules_of
from course.lessons.package import package_texts

MARKS = re.compile(r"#\| (export|exercise) ")


@functools.cache
def modules_of_lesson(lesson: str) -> set[str]:
    """The names of the modules that a lesson exports."""
    own = (e for e in exercises().values() if e.number[:2] == lesson)
    return set(modules_of(next(own).notebook))


@functools.cache
def before(lesson: str) -> dict[str, str]:
    """Our package without that lesson and those after it."""
    name = next(e.notebook.name for e in exercises().values() if e.number[:2] == lesson)
    own = modules_of_lesson(lesson)
    return {module: text for module, text in package_texts(name).items() if module not in own}


def whole(handed: Handed, lesson: str) -> dict[str, str]:
    """The package with the student's notebook. It may add modules, but replace none of ours."""
    foreign = package_texts().keys() - modules_of_lesson(lesson)
    theirs = {name: text for name, text in handed.modules().items() if name not in foreign}
    return before(lesson) | theirs


def with_own(submission: Submission, lesson: str) -> dict[str, str]:
    """The package with all the student's notebooks up to that lesson, where they handed them in."""
    texts = before(lesson)
    for handed in submission.notebooks:
        if handed.lesson and handed.lesson <= lesson:
            own = modules_of_lesson(handed.lesson)
            texts |= {name: text for name, text in handed.modules().items() if name in own}
    return texts


def alone(
    exercise: Exercise,
    cell: str,
    needed: Collection[str] = (),
    theirs: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, str]:
    """Our package with the student's cell in the place of ours: our solution of it is not there.

    Of the lesson's other exercises, those with numbers in `needed` have our solution, and those in
    `theirs` the student's cell; the rest are blank, and raise `NotYet` with their number when they
    are used.
    """
    theirs = {**theirs, exercise.number: cell}
    replaced = {
        other.cell: other.source(other.blank())
        for number, other in exercises().items()
        if number[:2] == exercise.number[:2] and number not in needed
    }
    for number, text in theirs.items():
        ours = exercises()[number].cell
        lines = [line for line in text.split("\n") if not MARKS.match(line)]
        replaced[ours] = "\n".join([f"#| export {ours.module}", *lines])
    texts = dict(package_texts(exercise.notebook.name))
    for module in {cell.module for cell in replaced}:
        cells = [ours for ours in exercise.notebook.cells if ours.module == module]
        texts[module] = joined([replaced.get(ours, ours.source) for ours in cells])
    return texts
