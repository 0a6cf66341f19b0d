"""Checks: what the parent process makes of values that the student's code computed in a child.

A check is a generator under `@check("03.2")` in `course/checks/lesson_03.py`. It takes a
`Student`, asks for values, yields a line for everything that is right, and raises `Wrong` for the
first thing that is not.
"""

import ast
import importlib
import inspect
from dataclasses import dataclass, field

import numpy as np

from course.lessons.notebooks import parse_python
from course.sandbox import runner

CHECKS = {}
NOTHING = object()


class Wrong(Exception):
    """Something is wrong: in words that teach, and with the smallest example that shows it."""

    def __init__(self, words, *, input=NOTHING, expected=NOTHING, got=NOTHING):
        super().__init__(words)
        self.words = words
        self.example = {"input": input, "expected": expected, "got": got}

    def lines(self):
        """The words, then the example."""
        shown = [(name, value) for name, value in self.example.items() if value is not NOTHING]
        return [self.words, *(f"{name + ':':10s}{written(value)}" for name, value in shown)]


def written(value):
    """A value of an example, in one line or a few."""
    if isinstance(value, dict):
        return ", ".join(f"{name} = {written(part)}" for name, part in value.items())
    if isinstance(value, np.ndarray):
        text = np.array2string(value, precision=4, separator=", ", threshold=20)
        return text.replace("\n", "\n" + " " * 10)
    return f"{value:.6g}" if isinstance(value, float) else str(value)[:400]


def check(number):
    """Register the generator below as the check of an exercise."""

    def register(function):
        CHECKS[number] = function
        return function

    return register


def near(got, expected, tolerance=1e-5):
    """Whether two things are arrays (or numbers) of one shape with values close to each other."""
    try:
        got, expected = np.asarray(got), np.asarray(expected)
        same = got.shape == expected.shape
        return bool(same and np.allclose(got, expected, rtol=tolerance, atol=tolerance))
    except (TypeError, ValueError):
        return False


class Student:
    """The student's package in a child process, for one check."""

    def __init__(self, child, exercise):
        self.child, self.exercise = child, exercise

    def run(self, probe, *arguments):
        """What a probe returns there. Whatever goes wrong there is raised here as `Wrong`."""
        reply = self.child.ask(probe.__name__, list(arguments))
        if "value" in reply:
            return runner.protocol.decode(reply["value"])
        if "raised" in reply:
            raise Wrong(self._explain(reply["raised"]))
        if "changed" in reply:
            raise Wrong(
                "an array that the function was given has changed: work on a copy, or make a new "
                "array (x = x - m makes one, x -= m writes into the caller's)"
            )
        raise Wrong(f"a {reply.get('type')} came back, where numbers or arrays are expected")

    def _explain(self, error):
        blank = error.get("exercise")
        if blank == self.exercise:
            return "it is still blank: write the body in the place of raise NotYet(...)"
        if blank:
            return f"it needs exercise {blank}, which is still blank: solve that one first"
        where = error.get("where") or "the code"
        return f"{where} raised {error.get('type')}: {error.get('words')}"

    def array(self, probe, *arguments, shape=None):
        """The same, where a numeric array (of that shape) is expected."""
        got = self.run(probe, *arguments)
        if not isinstance(got, np.ndarray | np.generic):
            raise Wrong(f"an array is expected, {type(got).__name__} came back", got=got)
        if shape is not None and got.shape != tuple(shape):
            raise Wrong(
                f"the shape is {got.shape} and should be {tuple(shape)}", expected=shape, got=got
            )
        return np.asarray(got)

    def number(self, probe, *arguments):
        """The same, where one number is expected."""
        got = self.run(probe, *arguments)
        if isinstance(got, bool | str) or got is None or np.size(got) != 1:
            raise Wrong(f"one number is expected, {type(got).__name__} came back", got=got)
        return float(np.asarray(got).reshape(()))


@dataclass
class Result:
    """What a check found: the lines that passed, and the first thing that is wrong, or None."""

    number: str
    passed: list = field(default_factory=list)
    wrong: Wrong | None = None

    def __str__(self):
        verdict = "is right" if self.wrong is None else "is not right yet"
        lines = [f"{self.number} {verdict}", *(f"  ✓ {line}" for line in self.passed)]
        if self.wrong is not None:
            first, *rest = self.wrong.lines()
            lines += [f"  ✗ {first}", *(f"    {line}" for line in rest)]
        return "\n".join(lines)


def judge(number, texts, limits=runner.Limits()):
    """The result of the check `number` on a package given as texts. Never raises."""
    module = importlib.import_module(f"course.checks.lesson_{number[:2]}")
    result = Result(number)
    try:
        with runner.start(texts, probes(module), limits) as child:
            for line in CHECKS[number](Student(child, number)):
                result.passed.append(line)
    except Wrong as wrong:
        result.wrong = wrong
    except runner.Ended as ended:
        result.wrong = Wrong(
            "it does not come to an end: is there a loop whose condition never becomes false?"
            if ended.late
            else "it ended the process that it ran in: a function returns, it does not exit"
        )
    except Exception as error:  # a value that the check was not written for: still no traceback
        result.wrong = Wrong(f"what came back cannot be judged ({type(error).__name__}: {error})")
    return result


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
