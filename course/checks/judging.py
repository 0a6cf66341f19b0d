"""Judging: run the check of an exercise on a package, and say what it found."""

import ast
import functools
import importlib
import inspect
from dataclasses import dataclass, field

from course.checks import diagnose
from course.checks.vocabulary import CHECKS, Student, Wrong
from course.lessons.notebooks import parse_python
from course.lessons.status import Status
from course.sandbox import runner

LIMITS = runner.Limits()


@dataclass
class Result:
    """What a check found: the lines that passed, and the first thing that is wrong, or None.

    `printed` is the beginning of what the student's code printed; `needed`, in grading, the other
    exercises of which it had our solution.
    """

    number: str
    passed: list = field(default_factory=list)
    wrong: Wrong | None = None
    printed: str = ""
    ended: bool = False  # the process ended, by no limit
    lost: bool = False  # it ended with its server, which is no fault of the student's
    loaded: bool = False  # the package could be loaded: the check has asked for something
    needed: list = field(default_factory=list)

    @property
    def status(self):
        """RIGHT, BLANK or WRONG."""
        if self.wrong is None:
            return Status.RIGHT
        return Status.BLANK if self.wrong.needs == self.number else Status.WRONG

    def __str__(self):
        verdict = "is right" if self.wrong is None else "is not right yet"
        lines = [f"{self.number} {verdict}", *(f"  ✓ {line}" for line in self.passed)]
        if self.wrong is not None:
            first, *rest = self.wrong.lines()
            lines += [f"  ✗ {first}", *("    " + line.replace("\n", "\n    ") for line in rest)]
        return "\n".join([*lines, *self.printed_lines()])

    def printed_lines(self):
        """What the code printed, as lines to be shown under the verdict."""
        shown = [printable(line) for line in self.printed.splitlines()]
        if len(shown) >= LINES or len(self.printed) >= CHARACTERS:
            shown.append("...")
        return [f"  {'it printed: ' if n == 0 else ' ' * 12}{line}" for n, line in enumerate(shown)]


LINES, CHARACTERS = runner.protocol.PRINTED_LINES, runner.protocol.PRINTED_CHARACTERS


def printable(line):
    """A line that a terminal can show: no control characters, no half characters."""
    return "".join(c if c.isprintable() else "\t" if c == "\t" else "?" for c in line)


def judge(number, texts, limits=LIMITS, cell="", server=None):
    """The result of the check `number` on a package given as texts. Never raises.

    `cell` is the source of the exercise's cell, where it is known: an exception is then shown with
    the number of its line in it. `server` is where the code runs: see `runner.start`.
    """
    checks = importlib.import_module(f"course.checks.lesson_{number[:2]}")
    result, child = Result(number), None
    if number not in CHECKS:
        result.wrong = Wrong(
            f'there is no check for {number}: write a generator under @check("{number}") in '
            f"course/checks/lesson_{number[:2]}.py"
        )
        return result
    try:
        with runner.start(texts, probes(checks), limits, server) as child:
            result.loaded = child.loaded
            student = Student(child, number)
            try:
                for line in CHECKS[number](student):
                    result.passed.append(line)
            except runner.Ended:
                raise
            except Exception as failure:  # `Wrong`, or what a check stumbles over
                result.wrong = diagnose.explain(failure, student, texts, cell)
    except runner.Ended as ended:
        result.ended, result.lost = not ended.late, ended.lost
        result.wrong = Wrong(ended_words(ended, result.passed))
    if child is not None and child.printed:
        result.printed = child.printed[0 if result.wrong is None else -1]
    return result


def ended_words(ended, passed):
    """What to say where the process of a check is gone."""
    if ended.lost:
        return "it could not be judged: the process that runs the checks was ended. Try it again"
    if not ended.late:
        return "it ended the process that it ran in: a function returns, it does not exit"
    if passed:
        return (
            f"too slow: {ended.late} for the whole check were not enough; is there a loop over every "
            "number, or the same work done again and again? (It may also not come to an end: look for "
            "a loop whose condition never becomes false.)"
        )
    return "it does not come to an end: is there a loop whose condition never becomes false?"


@functools.cache
def probes(module):
    """The source of a module of checks without the checks, for the child."""
    tree = parse_python(inspect.getsource(module))
    tree.body = [
        node
        for node in tree.body
        if not (isinstance(node, ast.ImportFrom) and node.module.split(".")[0] == "course")
        and not (isinstance(node, ast.FunctionDef) and node.decorator_list)
    ]
    return ast.unparse(tree)
