"""Right and wrong answers to the exercises, by which their checks are proven.

`lesson_03.ANSWERS` maps "03.2" to `Answers`. A body stands in the place of the solution.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that people really give.

    `says` is a regular expression that the check's diagnosis must match, and no other mistake's of
    the same exercise does; `advice` is what an instructor tells the student.
    """

    name: str
    body: str
    says: str
    advice: str


@dataclass(frozen=True)
class Answers:
    """The answers to one exercise. `equivalent`: mutants that compute the same, each with why."""

    right: list[str]
    wrong: list[Mistake]
    equivalent: dict[str, str] = field(default_factory=dict)
