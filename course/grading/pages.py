"""The pages that come out of grading: one for each student, and one for whoever teaches."""

import html
import urllib.parse
from collections import Counter

from course.grading.marks import Mark, written
from course.grading.report import Row, shown, total
from course.grading.tables import counted
from course.grading.version import course_version
from course.lessons.exercise import exercises
from course.lessons.status import Status

SHOWN = 20  # exercises and diagnoses on the page of the class

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
body {{ max-width: 60rem; margin: 2rem auto; padding: 0 1rem; font: 1rem/1.5 sans-serif;
       color: #1a1a1a; background: #fff }}
table {{ border-collapse: collapse; width: 100%; margin: 1rem 0 }}
caption {{ text-align: left; font-weight: bold; padding: 0.5rem 0 }}
th, td {{ border: 1px solid #767676; padding: 0.3rem 0.6rem; text-align: left;
         vertical-align: top }}
pre {{ margin: 0; white-space: pre-wrap; overflow-wrap: anywhere; font-size: 0.9rem }}
footer {{ margin-top: 2rem; font-size: 0.9rem }}
</style>
</head>
<body>
<main>
<h1>{heading}</h1>
{content}</main>
<footer>Graded with the course {version}.</footer>
</body>
</html>
"""


def page(title: str, heading: str, content: str) -> str:
    """A whole page. The title and the heading are text, the content is HTML."""
    return PAGE.format(
        title=html.escape(title),
        heading=html.escape(heading),
        content=content,
        version=html.escape(course_version()),
    )


def html_table(caption: str, columns: list[str], rows: list[str]) -> str:
    """A table; the rows are HTML."""
    heads = "".join(f'<th scope="col">{html.escape(column)}</th>' for column in columns)
    return (
        f"<table>\n<caption>{html.escape(caption)}</caption>\n<thead><tr>{heads}</tr></thead>\n"
        f"<tbody>\n{''.join(rows)}</tbody>\n</table>\n"
    )


# --- A student's page ---


def feedback(row: Row) -> str:
    """A student's page: the total, what was odd, and for each exercise what the check said."""
    right = sum(mark.status is Status.RIGHT for mark in row.marks)
    content = f"<p>{right} of {len(row.marks)} exercises are right.</p>\n"
    points, possible = written(total(row.marks)), written(total(row.marks, possible=True))
    if (points, possible) != (str(right), str(len(row.marks))):
        content += f"<p>That is {points} of {possible} points.</p>\n"
    if row.remarks:
        items = "".join(f"<li>{html.escape(words)}</li>\n" for words in row.remarks)
        content += f"<h2>Remarks</h2>\n<ul>\n{items}</ul>\n"
    for lesson in row.lessons:
        own = row.of(lesson)
        gained, worth = written(total(own)), written(total(own, possible=True))
        caption = f"Lesson {lesson}: {gained} of {worth}"
        if lesson in row.late:
            caption += f". LATE: handed in {shown(row.handed_in[lesson])}"
        columns = ["Exercise", "Result", "What the check said"]
        content += html_table(caption, columns, [line(mark) for mark in own])
    return page(f"{row.shown}: {points} of {possible}", row.shown, content)


def line(mark: Mark) -> str:
    """One exercise in the table of the page. What is right is folded: what is not, comes first."""
    title = html.escape(heading(mark.exercise))
    said = f"<pre>{html.escape(mark.text)}</pre>"
    if mark.status is Status.RIGHT and mark.given is None:
        said = f"<details><summary>what was checked</summary>{said}</details>"
    result = f"{mark.status.sign} {mark.status}"
    if mark.worth != 1 or mark.given is not None:
        result += f", {written(mark.points)} of {written(mark.worth)} points"
    return f'<tr><th scope="row">{title}</th><td>{result}</td><td>{said}</td></tr>\n'


def heading(number: str) -> str:
    """An exercise's number and the section that it stands in."""
    return f"{number}: {exercises()[number].cell.heading}"


# --- The class ---


def index(rows: list[Row]) -> str:
    """The page of the class: what was hard, what was said most, and a line for each student."""
    content = f"<p>{counted(len(rows), 'student')}.</p>\n"
    content += hardest(rows) + commonest(rows) + students_table(rows)
    return page("The class", "The class", content)


def hardest(rows: list[Row]) -> str:
    """The exercises that the fewest of those who tried them have right."""
    tried, right = Counter(), Counter()
    for row in rows:
        for mark in row.marks:
            tried[mark.exercise] += mark.status in (Status.RIGHT, Status.WRONG)
            right[mark.exercise] += mark.status is Status.RIGHT
    order = sorted(
        (number for number in tried if right[number] < tried[number]),
        key=lambda number: (right[number] / tried[number], number),
    )
    if not order:
        return "<p>Nobody has a wrong answer.</p>\n"
    lines = [
        f'<tr><th scope="row">{html.escape(heading(number))}</th><td>{tried[number]}</td>'
        f"<td>{right[number]}</td><td>{right[number] / tried[number]:.0%}</td></tr>\n"
        for number in order[:SHOWN]
    ]
    columns = ["Exercise", "Answered by", "Right", "Share"]
    return html_table("The hardest exercises", columns, lines)


def commonest(rows: list[Row]) -> str:
    """The diagnoses that most students got."""
    said = Counter(
        (mark.exercise, mark.diagnosis)
        for row in rows
        for mark in row.marks
        if mark.status is Status.WRONG
    )
    order = sorted(said.items(), key=lambda item: (-item[1], item[0]))[:SHOWN]
    lines = [
        f'<tr><th scope="row">{html.escape(number)}</th><td>{count}</td>'
        f"<td><pre>{html.escape(words)}</pre></td></tr>\n"
        for (number, words), count in order
    ]
    if not lines:
        return ""
    return html_table("The commonest diagnoses", ["Exercise", "Students", "Diagnosis"], lines)


def students_table(rows: list[Row]) -> str:
    """A line for each student, with a link to the page."""
    lines = []
    for row in rows:
        link = f'<a href="{html.escape(urllib.parse.quote(row.page))}.html">{html.escape(row.student)}</a>'
        who = " ".join(filter(None, [row.identifier, row.name]))
        late = ", ".join(sorted(row.late))
        cells = [who, f"{written(total(row.marks))} of {written(total(row.marks, True))}", late]
        rest = "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
        lines.append(f'<tr><th scope="row">{link}</th>{rest}</tr>\n')
    return html_table("Students", ["Student", "Roster", "Points", "Late"], lines)
