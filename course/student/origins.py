"""Whose code the library is made of: `provenance()`."""

import inspect
import sys
from pathlib import Path
from types import CodeType

from course.lessons.exercise import read_exercises
from course.lessons.notebooks import ROOT
from course.student.edition import MARKER

FUNCTIONS = (property, classmethod, staticmethod)


def provenance(last="99"):
    """Print, piece by piece up to the lesson `last`, whether the library's code is yours, borrowed or still blank.

    The pieces are the exercises of the course; what counts is the exported file. Warns of a module
    that was loaded before its file last changed.
    """
    own = "yours" if (ROOT / MARKER).exists() else "the course's"
    found = {n: exercise for n, exercise in read_exercises().items() if n[:2] <= last}
    counts = {}
    for number, exercise in found.items():
        whose = _whose(exercise, own)
        counts[whose] = counts.get(whose, 0) + 1
        print(f"{number}  {exercise.cell.module + '.' + exercise.name:45s}  {whose}")
    print("; ".join(f"{count} of {len(found)} pieces: {whose}" for whose, count in counts.items()))
    for module in dict.fromkeys(exercise.cell.module for exercise in found.values()):
        if is_older(sys.modules.get(f"minigrad.{module}")):
            print(f"minigrad.{module} was loaded before its file changed: restart the kernel")


def _whose(exercise, own):
    path = ROOT / "minigrad" / f"{exercise.cell.module}.py"
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    if not text:
        return "not exported yet"
    if exercise.blank() in text:
        return "still blank"
    return "borrowed" if exercise.borrowed() in text else own


def is_older(module):
    """Whether a module holds a function that its file does not contain any more."""
    if module is None:
        return False
    text = Path(module.__file__).read_text(encoding="utf-8")
    in_file = set(_codes(compile(text, module.__file__, "exec", dont_inherit=True)))
    return any(
        code not in in_file
        for code in _loaded(module, module.__name__)
        if code.co_filename == module.__file__  # not one that a dataclass made
    )


def _codes(code):
    """A code object and all those inside it."""
    yield code
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield from _codes(part)


def _loaded(owner, module):
    """The code of the functions that a module, or a class of it, defines."""
    for value in vars(owner).values():
        if isinstance(value, FUNCTIONS):
            value = getattr(value, "fget", None) or getattr(value, "__func__", None)
        value = inspect.unwrap(value) if callable(value) else value
        if getattr(value, "__module__", None) == module:
            if inspect.isclass(value):
                yield from _loaded(value, module)
            elif inspect.isfunction(value):
                yield value.__code__
