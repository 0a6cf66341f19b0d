"""The words that checks are written in: ask a student's code, expect a value, say what is wrong.

A check is a generator under `@check("03.2")` in `course/checks/lesson_03.py`. It takes a
`Student`, asks for values through probes, yields a line for everything that is right, and raises
`Wrong` for the first thing that is not. Most checks need `Student.expect` only:

    student.expect(
        probe_layer_norm, x, eps=3.0, equals=[[-0.5, 0.5]],
        otherwise="eps is added to the variance before the root is taken",
        when={"eps stands outside the root": [[-0.25, 0.25]], "eps has no effect": [[-1, 1]]},
    )

`Student.refuses` is for bad input: the probe needs no `try`, the exception is what is asked for.
An exception that a wrong answer ends in is explained by `student.hints`, as in lesson 07's checks.
`Student.run`, `array` and `number` only ask; `require` compares what they return. What is shared by
all exercises is said by `diagnose.py`, and no check needs to look for it: a forgotten `return`, a
value without its rules, a tuple, slice or generator in the place of an array, an exception.
A probe is a function `probe_…(mg, …)` that runs in the process of the student's code. What it is
given and what it returns are arrays, numbers, texts, and lists, tuples or dictionaries of them: of
a tensor it returns `.data`. An example shows a probe's arguments by their names; the names `what`,
`of` and those that begin with `_` are for the check's own questions and are not shown.
"""

import functools
import inspect
import re

import numpy as np

from course.sandbox import runner

CHECKS = {}
NOTHING = object()
LINE = 60  # characters of an array that is shown in one line
COLUMN = 10  # characters of "input:", "expected:" and "got:" with the spaces behind them
# Said by diagnose.py, and by a check that meets such an exception as a text.
RULE_OF_G = (
    "a rule is called with `g` and nothing else: `lambda g: …`. It finds the arrays by itself, since it "
    "stands inside the operation"
)


def check(number):
    """Register the generator below as the check of an exercise."""

    def register(function):
        CHECKS[number] = function
        return function

    return register


class Wrong(Exception):
    """Something is wrong: in words that teach, and with the smallest example that shows it.

    `line` is a pair: the number of a line in the exercise's cell (0 where it is not known), and its
    text. `needs` is the number of an exercise that is still blank, where that is the reason;
    `missing` is the name that is not defined, where that is.
    """

    def __init__(
        self,
        words,
        *,
        line=NOTHING,
        input=NOTHING,
        expected=NOTHING,
        got=NOTHING,
        needs="",
        missing="",
    ):
        super().__init__(words)
        self.words = words
        self.needs = needs
        self.missing = missing
        self.example = {"line": line, "input": input, "expected": expected, "got": got}

    def lines(self):
        """The words, then the example."""
        shown = {name: value for name, value in self.example.items() if value is not NOTHING}
        lines = [self.words]
        for name, value in shown.items():
            if name == "line":
                number, value = value
                name = f"line {number}" if number else "line"
            text = written(value).replace("\n", "\n" + " " * COLUMN)
            whole = isinstance(value, np.ndarray) and value.dtype.kind in "iub"
            if name == "got" and whole and kind_of(shown.get("expected")) == "f":
                text += f"   (of dtype {value.dtype})"
            lines.append(f"{name + ':':{COLUMN}s}{text}")
        return lines


class NoValue(Wrong):
    """The probe gave no value that a check could look at; `reply` is what the child said."""

    def __init__(self, words, reply, **example):
        super().__init__(words, **example)
        self.reply = reply


class WrongForm(Wrong):
    """A value came back, but not an array, a number or a tuple where one is expected."""


def written(value):
    """A value of an example, in one line or a few."""
    if isinstance(value, dict):
        return ", ".join(f"{name} = {written(part)}" for name, part in value.items())
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, np.ndarray):
        if value.size > 20 and value.dtype.kind in "biuf" and value.min() == value.max():
            return f"{written(value.flat[0])} everywhere, in an array of shape {value.shape}"
        text = np.array2string(value, precision=4, separator=", ", threshold=20)
        in_a_line = " ".join(text.split())
        return in_a_line if len(in_a_line) <= LINE else text
    if isinstance(value, list | tuple):
        inner = ", ".join(
            repr(part) if isinstance(part, str) else " ".join(written(part).split())
            for part in value[:20]
        )
        inner += ", ..." if len(value) > 20 else "," if len(value) == 1 else ""
        text = f"({inner})" if isinstance(value, tuple) else f"[{inner.removesuffix(',')}]"
        return text if len(text) <= 400 else text[:400] + " ..."
    if isinstance(value, float):
        return f"{value:.6g}"
    text = repr(value) if isinstance(value, str) and not value.isprintable() else str(value)
    return re.sub(r" at 0x[0-9a-fA-F]+", "", text)[:400]


def kind_of(value):
    """The kind of an array's or a list's numbers, "f", "i", "u" or "b"; "none" for other things."""
    if isinstance(value, np.ndarray | np.generic):
        return value.dtype.kind
    try:
        return np.asarray(value).dtype.kind if isinstance(value, list | float) else "none"
    except ValueError:
        return "none"


def near(got, expected, tolerance=1e-5):
    """Whether two things are arrays (or numbers) of one shape with values close to each other."""
    try:
        got, expected = np.asarray(got), np.asarray(expected)
        if got.shape != expected.shape:
            return False
        # A right answer mostly has our very numbers: that is said four times as fast.
        if got.dtype.kind in "biuf" and expected.dtype.kind in "biuf" and (got == expected).all():
            return True
        return bool(np.allclose(got, expected, rtol=tolerance, atol=tolerance))
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


# Names of probes' parameters that choose what is asked for, and are no input of the student's code.
UNSHOWN = re.compile(r"what|of|_\w*")


class Student:
    """The student's package in a child process, for one check.

    `last` is the call made last: the probe, its arguments, and the input that an example is to
    show in their place; `None` before the first. `hints` are pairs that a check may set: a regular
    expression for an exception and, after a line break, the line that raised it; and what the
    exception means in this exercise.
    """

    def __init__(self, child, exercise):
        self.child, self.exercise = child, exercise
        self.last = None
        self.hints = ()

    @property
    def shown(self):
        """The input that an example shows: of the call made last, by the names of its arguments."""
        if self.last is None:
            return NOTHING
        probe, arguments, given = self.last
        return shown_input(probe, arguments) if given is NOTHING else given

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
        shape=None,
        through=None,
        **options,
    ):
        """Ask a probe and require its value; returns the value.

        `equals`, `otherwise`, `when`, `tolerance` and `expected` are those of `require`. `given`
        is the input that the example shows; without it, the probe's arguments by their names.
        `options` are arguments of the probe by name. With `dtype` and `shape`, the value must be
        an array of that dtype and shape. `through` is a function that the value goes through
        before it is compared.
        """
        values = list(bound(probe, arguments, options).values())
        got = self.run(probe, *values, given=given)
        if shape is not None or (dtype is not None and isinstance(got, list | float | int)):
            self._require_array(got, shape)
        compared = got if through is None else through(got)
        if not same(compared, equals, tolerance):
            require(
                compared,
                equals,
                otherwise,
                when=when,
                input=self.shown,
                tolerance=tolerance,
                expected=expected,
            )
        met = getattr(got, "dtype", None)
        if dtype is not None and met != dtype:
            raise Wrong(
                f"the numbers are right, but their dtype is {met} and should be {np.dtype(dtype)}",
                input=self.shown,
                expected=str(np.dtype(dtype)),
                got=str(met),
            )
        return got

    def refuses(
        self, probe, *arguments, otherwise, error="ValueError", says=(), given=NOTHING, **options
    ):
        """Require that a probe raises `error`, with all of `says` in its words; returns the words.

        `error` is the name of an exception, or several names. `otherwise` is the diagnosis where
        it raises another one, or returns a value.
        """
        values = list(bound(probe, arguments, options).values())
        try:
            got = self.run(probe, *values, given=given)
        except NoValue as failure:
            raised = failure.reply.get("raised")
            if raised is None:
                raise
            names = [error] if isinstance(error, str) else list(error)
            words = str(raised.get("words"))
            if raised.get("type") in names and all(part in words for part in says):
                return words
            got = f"{raised.get('type')}: {words}"
        names = error if isinstance(error, str) else " or ".join(error)
        expected = names + "".join(f", which names {part}" for part in says)
        raise Wrong(otherwise, input=self.shown, expected=expected, got=got)

    def run(self, probe, *arguments, given=NOTHING):
        """What a probe returns there. Whatever goes wrong there is raised here as `Wrong`.

        `given` is the input to show where it does; without it, the arguments by their names.
        """
        self.last = probe, list(arguments), given
        reply = self.child.ask(probe.__name__, list(arguments))
        if "value" in reply:
            return runner.protocol.decode(reply["value"])
        if "raised" in reply:
            raise self._raised(reply)
        if "changed" in reply:
            raise Wrong(
                "an array that the function was given has changed: work on a copy, or make a new "
                "array (x = x - m makes one, x -= m writes into the caller's)",
                input=self.shown,
            )
        raise NoValue(
            f"a {reply.get('type')} came back, where numbers or arrays are expected",
            reply,
            input=self.shown,
        )

    def _raised(self, reply):
        error = reply["raised"]
        blank = error.get("exercise")
        if blank == self.exercise:
            words = "it is still blank: write the body in the place of raise NotYet(...)"
            return Wrong(words, needs=blank)
        if blank:
            words = f"it needs exercise {blank}, which is still blank: solve that one first"
            return Wrong(words, needs=blank)
        return NoValue(
            f"the code raised {error.get('type')}: {error.get('words')}", reply, input=self.shown
        )

    def array(self, probe, *arguments, shape=None, given=NOTHING):
        """The same, where a numeric array (of that shape) is expected."""
        got = self.run(probe, *arguments, given=given)
        self._require_array(got, shape)
        return np.asarray(got)

    def _require_array(self, got, shape):
        if not isinstance(got, np.ndarray | np.generic):
            raise WrongForm(
                f"an array is expected, a {type(got).__name__} came back", input=self.shown, got=got
            )
        if shape is not None and got.shape != tuple(shape):
            raise WrongForm(
                f"the shape is {got.shape} and should be {tuple(shape)}",
                input=self.shown,
                expected=shape,
                got=got,
            )

    def number(self, probe, *arguments, given=NOTHING):
        """The same, where one number is expected."""
        got = self.run(probe, *arguments, given=given)
        if isinstance(got, bool | str) or got is None or np.size(got) != 1:
            raise WrongForm(
                f"one number is expected, a {type(got).__name__} came back",
                input=self.shown,
                got=got,
            )
        return float(np.asarray(got).reshape(()))


@functools.cache
def parameters(probe):
    """The names of a probe's parameters after the package, and the defaults of those that have one."""
    _, *found = inspect.signature(probe).parameters.values()
    return [p.name for p in found], {p.name: p.default for p in found if p.default is not p.empty}


def bound(probe, arguments, options=()):
    """Name -> value, as Python would hand them to a probe. Raises TypeError where they do not fit."""
    names, defaults = parameters(probe)
    given = dict(zip(names, arguments, strict=False)) | dict(options)
    values = {name: given[name] if name in given else defaults.get(name, NOTHING) for name in names}
    if len(arguments) + len(options) != len(given) or given.keys() - values.keys():
        raise TypeError(f"{probe.__name__} does not take these arguments")
    if any(value is NOTHING for value in values.values()):
        raise TypeError(f"{probe.__name__} needs an argument that is not given")
    return values


def shown_input(probe, arguments):
    """The arguments of a probe by their names, as an example shows them, or NOTHING.

    Left out are parameters called `what` or `of`, those whose names begin with `_`, and those that are
    None or empty: they say what is asked for, and are no input of the student's code.
    """
    try:
        named = bound(probe, arguments)
    except TypeError:
        return NOTHING
    found = {
        name: value
        for name, value in named.items()
        if not (value is None or isinstance(value, dict | str) and not value)
        and not UNSHOWN.fullmatch(name)
    }
    return found or NOTHING
