"""Right and wrong answers to the exercises, by which their checks are proven.

`lesson_03.ANSWERS` maps "03.2" to `Answers`. A body stands in the place of the solution; a mistake
that differs from a right answer in a line or two is written as that edit, so that the mistake is
what one sees.
"""

import importlib
from dataclasses import dataclass, field, replace

from course.lessons.exercise import exercises


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that people really give: a whole `body`, or a `change` of a right answer.

    `change` is a pair (old text, new text) or several of them, made one after another; each old
    text must stand in the answer exactly once. It starts from the course's solution, or from the
    right answer number `of`. `says` is a regular expression that the check's diagnosis must match,
    and no other mistake's of the same exercise does; `advice` is what an instructor tells the
    student.
    """

    name: str
    body: str = ""
    says: str = ""
    advice: str = ""
    change: tuple = ()
    of: int | None = None


@dataclass(frozen=True)
class Answers:
    """The answers to one exercise. `equivalent`: mutants that compute the same, each with why."""

    right: list[str]
    wrong: list[Mistake]
    equivalent: dict[str, str] = field(default_factory=dict)


def answers(number: str) -> Answers:
    """The answers to an exercise, every mistake with its whole body."""
    found = importlib.import_module(f"tests.wrong_answers.lesson_{number[:2]}").ANSWERS.get(number)
    if found is None:
        raise ValueError(f"write answers to {number} in tests/wrong_answers/lesson_{number[:2]}.py")
    starts = {None: exercises()[number].solution, **dict(enumerate(found.right))}
    return replace(found, wrong=[_whole(number, wrong, starts) for wrong in found.wrong])


def _whole(number, mistake, starts):
    """A mistake with its body. Raises ValueError where it has both, neither, or an edit that fails."""
    if bool(mistake.body) == bool(mistake.change):
        raise ValueError(f"{number}, {mistake.name!r}: give a body or a change")
    if mistake.body:
        return mistake
    body = starts[mistake.of]
    pairs = [mistake.change] if isinstance(mistake.change[0], str) else mistake.change
    for old, new in pairs:
        if body.count(old) != 1:
            raise ValueError(f"{number}, {mistake.name!r}: {old!r} stands {body.count(old)} times")
        body = body.replace(old, new)
    return replace(mistake, body=body)
