"""The tables that come out of grading: long, wide, and Gradescope's.

They are made from rows: who somebody is, their marks, and when each lesson was handed in. The
pages to read are in pages.py.
"""

import csv
import io
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from course.grading.marks import Mark, written
from course.grading.policy import Policy, Time
from course.grading.roster import Student
from course.grading.submissions import Submission
from course.grading.version import course_version

FORMULA = "=+@＝＋－＠-"  # what a spreadsheet begins to compute at
BYTE_ORDER_MARK = "\ufeff"  # so that Excel reads "Zoë"


@dataclass
class Row:
    """A student in the tables."""

    student: str
    page: str
    marks: list[Mark]
    remarks: list[str] = field(default_factory=list)
    identifier: str = ""
    name: str = ""
    handed_in: dict[str, Time] = field(default_factory=dict)  # lesson -> when, where it is known
    late: set[str] = field(default_factory=set)  # lessons

    @property
    def shown(self) -> str:
        """Who it is, for a heading: the roster's name, and what the folder calls them."""
        if self.name and self.name != self.student:
            return f"{self.name} ({self.student})"
        return self.student

    @property
    def lessons(self) -> list[str]:
        return sorted({mark.exercise[:2] for mark in self.marks})

    def of(self, lesson: str) -> list[Mark]:
        """The marks of one lesson."""
        return [mark for mark in self.marks if mark.exercise[:2] == lesson]

    def shortened(self) -> "Row":
        """Without what only the student's page shows: a class of ten thousand stays in memory."""
        return replace(self, marks=[replace(mark, lines="") for mark in self.marks], remarks=[])


def row_of(student: Student, submission: Submission, marks: list[Mark], policy: Policy) -> Row:
    """What the tables and pages show of a student."""
    person = student.person
    row = Row(
        submission.student,
        submission.page,
        policy.apply(student, marks),
        submission.remarks,
        person.identifier if person else "",
        person.name if person else "",
    )
    for lesson in row.lessons:
        time = policy.handed_in(student, submission, lesson)
        if time:
            row.handed_in[lesson] = time
        if policy.is_late(time, lesson):
            row.late.add(lesson)
    return row


# --- Tables for a spreadsheet ---


def table(rows: list[Row], roster=False, deadlines=False) -> str:
    """A line for each student and exercise, as CSV."""
    columns = ["student", *["identifier", "name"] * roster, "exercise", "points", "status"]
    columns += ["diagnosis", *["handed in", "late"] * deadlines, "course"]
    lines = [columns]
    for row in rows:
        for mark in row.marks:
            lesson = mark.exercise[:2]
            line = [row.student, *[row.identifier, row.name] * roster, mark.exercise]
            line += [written(mark.points), mark.status, mark.said]
            if deadlines:
                line += [shown(row.handed_in.get(lesson)), "LATE" if lesson in row.late else ""]
            lines.append([*line, course_version()])
    return as_csv(lines)


def wide(rows: list[Row], lessons: list[str], roster=False, deadlines=False) -> str:
    """A line for each student: points of each lesson, their sum, of how many; as CSV.

    A class's book of marks (Canvas, Moodle) takes such a table: which column goes where is asked.
    """
    columns = ["student", *["identifier", "name"] * roster, *lessons, "total", "of"]
    lines = [[*columns, *["late"] * deadlines, "course"]]
    for row in rows:
        line = [row.student, *[row.identifier, row.name] * roster]
        line += [written(total(row.of(lesson))) for lesson in lessons]
        line += [written(total(row.marks)), written(total(row.marks, possible=True))]
        lines.append([*line, *[" ".join(sorted(row.late))] * deadlines, course_version()])
    return as_csv(lines)


def total(marks: Iterable[Mark], possible=False):
    """The sum of points; with `possible`, of those of right answers."""
    return sum(mark.worth if possible else mark.points for mark in marks)


def shown(time: Time | None) -> str:
    """A time as a table has it."""
    return time.isoformat(" ", "seconds") if time else ""


def as_csv(lines: Iterable[Iterable[object]]) -> str:
    """Lines of cells, every cell in quotes; none can be taken for a formula by a spreadsheet."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for line in lines:
        writer.writerow([harmless(str(value)) for value in line])
    return BYTE_ORDER_MARK + file.getvalue()


def harmless(text: str) -> str:
    """A cell with an apostrophe before what a spreadsheet would compute.

    Also behind a semicolon, a tab or a line break, where some programs begin another cell.
    """
    return re.sub(rf"(^|[;\t\r\n])(\s*)([{FORMULA}])", r"\1'\2\3", text)


# --- Gradescope ---


def gradescope(row: Row) -> str:
    """A student's `results.json`, as an autograder of Gradescope writes it."""
    tests = [
        {
            "number": mark.exercise,
            "name": f"{mark.exercise} {mark.status}",
            "score": float(mark.points),
            "max_score": float(mark.worth),
            "status": "passed" if mark.points >= mark.worth else "failed",
            "output": mark.text,
            "output_format": "text",
        }
        for mark in row.marks
    ]
    content = {
        "score": float(total(row.marks)),
        "output": "\n".join([f"Graded with the course {course_version()}.", *row.remarks]),
        "output_format": "text",
        "tests": tests,
    }
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"
