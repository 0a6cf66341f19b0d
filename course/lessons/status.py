"""What an exercise can be: the one list that checks, progress and marks share."""

from enum import StrEnum


class Status(StrEnum):
    """How one exercise stands. `str(status)` is its name, as a table or a CSV file holds it."""

    RIGHT = "right"
    BORROWED = "borrowed"
    WRONG = "wrong"
    BLANK = "blank"
    MISSING = "missing"
    UNREADABLE = "unreadable"

    @property
    def sign(self) -> str:
        """One character for a table."""
        return SIGNS[self][0]

    @property
    def meaning(self) -> str:
        """A few words for the legend under a table."""
        return SIGNS[self][1]

    @property
    def is_done(self) -> bool:
        """Whether the library works with it, whoever wrote it."""
        return self in (Status.RIGHT, Status.BORROWED)


SIGNS = {
    Status.RIGHT: ("✓", "right, and your own"),
    Status.BORROWED: ("b", "borrowed from the course"),
    Status.WRONG: ("✗", "not right yet"),
    Status.BLANK: ("·", "still blank"),
    Status.MISSING: ("–", "its cell is missing"),
    Status.UNREADABLE: ("?", "its notebook cannot be read"),
}
