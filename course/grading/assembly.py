"""The package that a submission is judged on, as texts: module name -> source."""

import functools
import re
from collections.abc import Collection

from course.grading.submissions import Handed, joined
from course.lessons.exercise import Exercise, exercises
from course.lessons.exporter import modules_of
from course.lessons.package import package_texts


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


def alone(exercise: Exercise, cell: str, needed: Collection[str] = ()) -> dict[str, str]:
    """Our package with the student's cell in the place of ours: our solution of it is not there.

    Of the lesson's other exercises, those with numbers in `needed` have our solution; the rest are
    blank, and raise `NotYet` with their number when they are used.
    """
    lines = [line for line in cell.split("\n") if not re.match(r"#\| (export|exercise) ", line)]
    replaced = {
        other.cell: other.source(other.blank())
        for number, other in exercises().items()
        if number[:2] == exercise.number[:2] and number not in needed
    }
    replaced[exercise.cell] = "\n".join([f"#| export {exercise.cell.module}", *lines])
    texts = dict(package_texts(exercise.notebook.name))
    for module in {cell.module for cell in replaced}:
        cells = [ours for ours in exercise.notebook.cells if ours.module == module]
        texts[module] = joined([replaced.get(ours, ours.source) for ours in cells])
    return texts
