"""What a student gets: a mark for each exercise."""

from dataclasses import dataclass

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

    @property
    def points(self) -> int:
        """1 or 0."""
        return int(self.status is Status.RIGHT)
