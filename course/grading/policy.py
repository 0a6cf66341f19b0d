"""What an instructor decides: points for each exercise, deadlines, marks given by hand.

A deadline takes no points: it says LATE in the table and on the page, and what follows from it is
for the instructor to say, with an override.
"""

import datetime
import re
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path

from course.grading.marks import Mark
from course.grading.roster import Student, by_any_name
from course.grading.submissions import Submission
from course.grading.tables import Refused, read_table, same
from course.lessons.exercise import chosen, exercises
from course.lessons.notebooks import NotebookError

Time = datetime.datetime


@dataclass
class Policy:
    """The rules of a class. All of them are empty unless a file says otherwise."""

    worth: dict[str, Decimal] = field(default_factory=dict)  # exercise -> points
    deadlines: dict[str, Time] = field(default_factory=dict)  # lesson -> when
    times: dict[tuple[str, str], Time] | None = None  # (student, lesson or "") -> handed in
    overrides: dict[tuple[str, str], tuple[Decimal, str]] = field(default_factory=dict)

    def apply(self, student: Student, marks: list[Mark]) -> list[Mark]:
        """The marks with the points that count."""
        found = []
        for mark in marks:
            mark = replace(mark, worth=self.worth.get(mark.exercise, Decimal(1)))
            override = self.overrides.get((student.name, mark.exercise))
            if override:
                given, reason = override
                words = f"points given by hand: {reason or 'no reason is noted'}"
                mark = replace(mark, given=given, reason=words)
            found.append(mark)
        return found

    def handed_in(self, student: Student, submission: Submission, lesson: str) -> Time | None:
        """When a lesson was handed in: by the table of times, else by its file."""
        if self.times is not None:
            general = self.times.get((student.name, ""))
            return self.times.get((student.name, lesson), general)
        handed = submission.lesson(lesson)
        # Where several lessons are in one notebook, it is the others' too.
        found = [handed] if handed else [h for h in submission.notebooks if h.holds(lesson)]
        times = [one.time for one in found if one.time is not None]
        if not times:
            return None
        try:
            return Time.fromtimestamp(max(times)).astimezone()
        except (ValueError, OverflowError, OSError):  # an archive may say any time
            return None

    def is_late(self, handed_in: Time | None, lesson: str) -> bool:
        """Whether a lesson came after its deadline. What has neither is not late."""
        deadline = self.deadlines.get(lesson)
        return bool(deadline and handed_in and handed_in > deadline)


def read_policy(
    everybody: list[Student],
    points: Path | None = None,
    deadline: Path | None = None,
    times: Path | None = None,
    overrides: Path | None = None,
) -> Policy:
    """The rules from an instructor's files. Raises Refused, in words."""
    policy = Policy()
    if points:
        for place, row in in_order(read_table(points, ["exercise", "points"])):
            for number in numbers(row["exercise"], place):
                policy.worth[number] = number_of(row["points"], place)
    if deadline:
        for place, row in read_table(deadline, ["lesson", "deadline"]):
            for number in numbers(row["lesson"], place):
                policy.deadlines[number[:2]] = time_of(row["deadline"], place)
    known = by_any_name(everybody)
    if times:
        policy.times = {}
        for place, row in read_table(times, ["student", "time"]):
            student = known.get(same(row["student"]))
            lessons = {n[:2] for n in numbers(row.get("lesson", ""), place, nothing=True)}
            for lesson in lessons or {""}:
                if student:  # a table of times may hold people of another section
                    policy.times[student.name, lesson] = time_of(row["time"], place)
    if overrides:
        stood: dict[tuple, Decimal] = {}
        for place, row in in_order(read_table(overrides, ["student", "exercise", "points"])):
            student = known.get(same(row["student"]))
            if student is None:
                raise Refused(f"{place}: there is no student {row['student']!r}, or there are two")
            given = number_of(row["points"], place), row.get("reason", "")
            meant = numbers(row["exercise"], place)
            if stood.setdefault((student, *meant), given[0]) != given[0]:
                raise Refused(
                    f"{place}: {student.shown} has other points for {row['exercise']} in another line"
                )
            for number in meant:
                policy.overrides[student.name, number] = given
    return policy


def in_order(rows: list) -> list:
    """Rows with those of whole lessons first: an exercise's own line counts more."""
    return sorted(rows, key=lambda row: "." in row[1]["exercise"])


def numbers(wanted: str, place: str, nothing=False) -> list[str]:
    """The exercises that "03.2" or "03" means. Raises Refused; with `nothing`, "" means none."""
    if nothing and not wanted:
        return []
    try:
        return chosen([wanted], exercises())
    except NotebookError as error:
        raise Refused(f"{place}: {error}") from None


def number_of(text: str, place: str) -> Decimal:
    """Points such as 2 or 1.5 (or 1,5). Raises Refused."""
    if not re.fullmatch(r"\d{1,6}([.,]\d{1,6})?", text):
        raise Refused(f"{place}: {text!r} is no number of points, such as 2 or 1.5")
    return Decimal(text.replace(",", "."))


def time_of(text: str, place: str) -> Time:
    """A time such as 2026-10-05 23:59, here, or with its zone: 2026-10-05T23:59+02:00."""
    try:
        time = Time.fromisoformat(text)
        if not re.search(r"\d:\d", text):
            raise ValueError
        return time.astimezone()  # without a zone, the one of this machine
    except (ValueError, OverflowError, OSError):
        raise Refused(
            f"{place}: {text!r} is no time: write 2026-10-05 23:59, or with its zone "
            "2026-10-05T23:59+02:00"
        ) from None
