"""What a student gets: a mark for each exercise."""

from dataclasses import dataclass
from decimal import Decimal

from course.lessons.status import Status


@dataclass(frozen=True)
class Mark:
    """What one student gets for one exercise, and the lines that say why."""

    student: str
    exercise: str
    status: Status
    diagnosis: str  # in one line; "" where it is right
    lines: str = ""  # all that the check said
    failed: bool = False  # it could not be graded, by no fault of the student
    worth: Decimal = Decimal(1)  # the points of a right answer
    given: Decimal | None = None  # the points that an instructor gave instead
    reason: str = ""  # why

    @property
    def points(self) -> Decimal:
        """What counts."""
        if self.given is not None:
            return self.given
        return self.worth if self.status is Status.RIGHT else Decimal(0)

    @property
    def said(self) -> str:
        """In one line, what the check said and what the instructor did."""
        if self.diagnosis and self.reason:
            return f"{self.diagnosis} ({self.reason})"
        return self.diagnosis or self.reason

    @property
    def text(self) -> str:
        """All that is to be said of it."""
        return "\n".join(filter(None, [self.reason, self.lines or self.diagnosis]))


def written(number: Decimal) -> str:
    """Points as a table has them: "2", "1.5"."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
