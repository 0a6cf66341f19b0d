"""What comes out of grading: the table for a spreadsheet, and a page for each student."""

import csv
import html
import io
import re

from course.grading.marks import Mark
from course.grading.submissions import Submission
from course.lessons.exercise import exercises

COLUMNS = "student", "exercise", "points", "status", "diagnosis"
FORMULA = "=+@＝＋－＠-"  # what a spreadsheet begins to compute at
BYTE_ORDER_MARK = "\ufeff"  # so that Excel reads "Zoë"


def table(marks: list[Mark]) -> str:
    """The marks as CSV, every cell in quotes; none can be taken for a formula by a spreadsheet."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(COLUMNS)
    for mark in marks:
        row = mark.student, mark.exercise, mark.points, mark.status, mark.diagnosis
        writer.writerow([harmless(str(value)) for value in row])
    return BYTE_ORDER_MARK + file.getvalue()


def harmless(text: str) -> str:
    """A cell with an apostrophe before what a spreadsheet would compute.

    Also behind a semicolon, a tab or a line break, where some programs begin another cell.
    """
    return re.sub(rf"(^|[;\t\r\n])(\s*)([{FORMULA}])", r"\1'\2\3", text)


PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{student}: {points} of {total}</title>
<style>
body {{ max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 sans-serif;
       color: #1a1a1a; background: #fff }}
table {{ border-collapse: collapse; width: 100%; margin: 1rem 0 }}
caption {{ text-align: left; font-weight: bold; padding: 0.5rem 0 }}
th, td {{ border: 1px solid #767676; padding: 0.3rem 0.6rem; text-align: left;
         vertical-align: top }}
pre {{ margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 0.9rem }}
</style>
</head>
<body>
<main>
<h1>{student}</h1>
<p>{points} of {total} exercises are right.</p>
{remarks}{lessons}
</main>
</body>
</html>
"""


def feedback(submission: Submission, marks: list[Mark]) -> str:
    """A student's page: the total, what was odd, and for each exercise what the check said."""
    remarks, parts = "", []
    if submission.remarks:
        items = "".join(f"<li>{html.escape(words)}</li>\n" for words in submission.remarks)
        remarks = f"<h2>Remarks</h2>\n<ul>\n{items}</ul>\n"
    for lesson in sorted({mark.exercise[:2] for mark in marks}):
        own = [mark for mark in marks if mark.exercise[:2] == lesson]
        rows = "".join(map(row, own))
        points = sum(mark.points for mark in own)
        parts.append(
            f"<table>\n<caption>Lesson {lesson}: {points} of {len(own)}</caption>\n"
            '<thead><tr><th scope="col">Exercise</th><th scope="col">Result</th>'
            f'<th scope="col">What the check said</th></tr></thead>\n<tbody>\n{rows}</tbody>\n'
            "</table>\n"
        )
    return PAGE.format(
        student=html.escape(submission.student),
        points=sum(mark.points for mark in marks),
        total=len(marks),
        remarks=remarks,
        lessons="".join(parts),
    )


def row(mark: Mark) -> str:
    """One exercise in the table of the page."""
    title = html.escape(f"{mark.exercise}: {exercises()[mark.exercise].cell.heading}")
    said = html.escape(mark.lines or mark.diagnosis)
    return (
        f'<tr><th scope="row">{title}</th><td>{mark.status.sign} {mark.status}</td>'
        f"<td><pre>{said}</pre></td></tr>\n"
    )
