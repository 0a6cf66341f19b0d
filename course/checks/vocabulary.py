"""The words that checks are written in: ask a student's code, expect a value, say what is wrong.

A check is a generator under `@check("03.2")` in `course/checks/lesson_03.py`. It takes a
`Student`, asks for values through probes, yields a line for everything that is right, and raises
`Wrong` for the first thing that is not. Most checks need `Student.expect` only:

    student.expect(
        probe_layer_norm, x, eps=3.0, equals=[[-0.5, 0.5]],
        otherwise="eps is added to the variance before the root is taken",
        when={"eps stands outside the root": [[-0.25, 0.25]], "eps has no effect": [[-1, 1]]},
    )
"""

import inspect

import numpy as np

from course.sandbox import runner

CHECKS = {}
NOTHING = object()


def check(number):
    """Register the generator below as the check of an exercise."""

    def register(function):
        CHECKS[number] = function
        return function

    return register


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


def near(got, expected, tolerance=1e-5):
    """Whether two things are arrays (or numbers) of one shape with values close to each other."""
    try:
        got, expected = np.asarray(got), np.asarray(expected)
        same = got.shape == expected.shape
        return bool(same and np.allclose(got, expected, rtol=tolerance, atol=tolerance))
    except (TypeError, ValueError):
        return False


def same(got, expected, tolerance=1e-5):
    """Whether a value is the expected one: arrays and numbers by `near`, all else by `==`.

    Lists, tuples and dictionaries are compared part by part.
    """
    if isinstance(expected, dict):
        return (
            isinstance(got, dict)
            and got.keys() == expected.keys()
            and all(same(got[key], part, tolerance) for key, part in expected.items())
        )
    if expected is None or isinstance(expected, str | bool):
        return type(got) is type(expected) and got == expected
    if near(got, expected, tolerance):
        return True
    if isinstance(expected, list | tuple) and isinstance(got, list | tuple):
        return len(got) == len(expected) and all(
            same(*parts, tolerance) for parts in zip(got, expected)
        )
    return False


def require(got, equals, otherwise, *, when=None, input=NOTHING, tolerance=1e-5, expected=NOTHING):
    """Raise `Wrong` unless `got` is the value `equals`; returns `got`.

    `otherwise` is the diagnosis. `when` maps better ones to the wrong value that each explains, or
    to a function that recognises it: the first that fits is said. Either kind of diagnosis may be
    a function of `got` that returns the words. `input` and `expected` are shown in the example
    (`expected` where `equals` itself would not be readable).
    """
    if same(got, equals, tolerance):
        return got
    words = otherwise
    for diagnosis, value in (when or {}).items():
        fits = value(got) if callable(value) else same(got, value, tolerance)
        if fits:
            words = diagnosis
            break
    if callable(words):
        words = words(got)
    shown = equals if expected is NOTHING else expected
    shown = np.asarray(shown) if isinstance(got, np.ndarray) and shown is equals else shown
    raise Wrong(words, input=input, expected=shown, got=got)


class Student:
    """The student's package in a child process, for one check."""

    def __init__(self, child, exercise):
        self.child, self.exercise = child, exercise

    def expect(
        self,
        probe,
        *arguments,
        equals,
        otherwise,
        when=None,
        given=NOTHING,
        tolerance=1e-5,
        expected=NOTHING,
        dtype=None,
        **options,
    ):
        """Ask a probe and require its value; returns the value.

        `equals`, `otherwise`, `when`, `tolerance` and `expected` are those of `require`. `given`
        is the input that the example shows; without it, the probe's arguments by their names.
        `options` are arguments of the probe by name. With `dtype`, the array must have that dtype.
        """
        named = inspect.signature(probe).bind(None, *arguments, **options)
        named.apply_defaults()
        _, *values = named.args
        if given is NOTHING:
            given = dict(list(named.arguments.items())[1:]) or NOTHING
        got = self.run(probe, *values)
        require(
            got, equals, otherwise, when=when, input=given, tolerance=tolerance, expected=expected
        )
        met = getattr(got, "dtype", None)
        if dtype is not None and met != dtype:
            raise Wrong(
                f"the numbers are right, but their dtype is {met} and should be {np.dtype(dtype)}",
                input=given,
                expected=str(np.dtype(dtype)),
                got=str(met),
            )
        return got

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
        frames = error.get("frames") or [["", "the code", 0]]
        where = frames[-1][1]
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
