"""Judging: run the check of an exercise on a package, and say what it found."""

import ast
import functools
import importlib
import inspect
from dataclasses import dataclass, field

from course.checks.vocabulary import CHECKS, Student, Wrong
from course.lessons.notebooks import parse_python
from course.sandbox import runner


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


def judge(number, texts, limits=runner.Limits(), server=None):
    """The result of the check `number` on a package given as texts. Never raises.

    `server` is where the code runs: see `runner.start`.
    """
    module = importlib.import_module(f"course.checks.lesson_{number[:2]}")
    result = Result(number)
    try:
        with runner.start(texts, probes(module), limits, server) as child:
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
