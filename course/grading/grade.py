"""Grading a class: `python -m course grade SUBMISSIONS --out grades.csv`.

Each exercise that a student has handed in is tried twice, in a process of its own:

- in the student's whole notebook, on top of our package for the lessons before it;
- where it is not right there, alone: the student's cell in the place of ours in our notebook, so
  that nobody loses 03.4 because 03.1 is still blank.

Right in either is right. Of two diagnoses the one of the attempt that came further is shown.
What a submission may look like, and how it is read, stands in submissions.py.
"""

import argparse
import csv
import functools
import html
import io
import os
import re
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from course.checks.judging import Result, judge
from course.grading.submissions import Handed, Submission, joined, printable, read_all
from course.lessons.exercise import Exercise, exercises, package_texts
from course.lessons.exporter import DROPPED, modules_of, write
from course.lessons.notebooks import ROOT, NotebookError
from course.sandbox import runner
from course.student.edition import MARKER

# More of the clock than a check in a notebook has, since the machine is busy with others; what
# counts is the processor's time.
LIMITS = runner.Limits(seconds=12.0)
SIGNS = {
    "right": "✓",
    "wrong": "✗",
    "blank": "○",
    "borrowed": "↩",
    "missing": "–",
    "unreadable": "?",
}
FAILED = "it could not be graded"
COLUMNS = "student", "exercise", "points", "status", "diagnosis"


@dataclass(frozen=True)
class Mark:
    """What one student gets for one exercise, and the lines that say why."""

    student: str
    exercise: str
    status: str  # a key of SIGNS
    diagnosis: str  # in one line; "" where it is right
    lines: str = ""  # all that the check said

    @property
    def points(self) -> int:
        """1 or 0."""
        return int(self.status == "right")


# --- One exercise ---


def is_blank(exercise: Exercise, cell: str) -> bool:
    """Whether a cell still stands as it was handed out, or its body is gone.

    Where anything else in it has changed, it is no blank: somebody has begun, and the check speaks.
    """
    stub = re.compile(r"raise NotYet\(.*\)|raise NotImplementedError(\(\))?|pass|\.\.\.")
    texts = cell, exercise.source(exercise.blank())
    there, ours = (
        [line for line in code_lines(text) if not stub.fullmatch(line)] for text in texts
    )
    return there == ours


def code_lines(text: str) -> list[str]:
    """The lines of a text that hold code, without the marks and the spaces around them."""
    lines = [line.strip() for line in DROPPED.sub("", text).splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


@functools.cache
def modules_of_lesson(lesson: str) -> set[str]:
    """The names of the modules that a lesson exports."""
    own = (e for e in exercises().values() if e.number[:2] == lesson)
    return set(modules_of(next(own).notebook))


@functools.cache
def before(lesson: str) -> dict[str, str]:
    """Module name -> source of our package without that lesson."""
    name = next(e.notebook.name for e in exercises().values() if e.number[:2] == lesson)
    own = modules_of_lesson(lesson)
    return {module: text for module, text in package_texts(name).items() if module not in own}


def whole(handed: Handed, lesson: str) -> dict[str, str]:
    """The package with the student's notebook. It may add modules, but replace none of ours."""
    foreign = package_texts().keys() - modules_of_lesson(lesson)
    theirs = {name: text for name, text in handed.modules().items() if name not in foreign}
    return before(lesson) | theirs


def alone(exercise: Exercise, cell: str) -> dict[str, str]:
    """Our package with the student's cell in the place of ours."""
    module = exercise.cell.module
    lines = [line for line in cell.split("\n") if not re.match(r"#\| (export|exercise) ", line)]
    cell = "\n".join([f"#| export {module}", *lines])
    cells = [
        cell if ours == exercise.cell else ours.source
        for ours in exercise.notebook.cells
        if ours.module == module
    ]
    return package_texts(exercise.notebook.name) | {module: joined(cells)}


LOAD = """
def load(mg, names):
    import importlib
    for name in names:
        importlib.import_module("minigrad." + name)
"""


def does_not_load(texts: dict[str, str], names: list[str], limits: runner.Limits) -> str:
    """Why modules cannot be imported, or ""."""
    try:
        with runner.start(texts, LOAD, limits) as child:
            error = child.ask("load", [names]).get("raised")
    except runner.Ended as ended:
        return "it does not come to an end" if ended.late else "it ends the process"
    if not isinstance(error, dict):  # nothing, or a message that no honest child sends
        return printable(str(error))[:500] if error else ""
    return printable(f"{error.get('type')}: {error.get('words')}")[:500]


def choose(first: Result, second: Result) -> Result:
    """Of two results that are wrong, the one that says more about this exercise itself."""
    if first.wrong.needs:  # an exercise that is blank, another one or this one
        return second
    return second if len(second.passed) > len(first.passed) else first


def judge_lesson(
    submission: Submission, lesson: str, limits: runner.Limits = LIMITS
) -> tuple[list[Mark], list[str]]:
    """A student's marks in one lesson, and remarks for the feedback page."""
    marks, remarks, handed, texts = [], [], submission.lesson(lesson), None
    attempts = {n: submission.cells(n) for n in exercises() if n[:2] == lesson}
    blank = {n for n, cells in attempts.items() if cells and is_blank(exercises()[n], cells[-1])}
    if handed and any(cells and number not in blank for number, cells in attempts.items()):
        texts = whole(handed, lesson)
        names = sorted(modules_of_lesson(lesson) & handed.modules().keys())
        reason = does_not_load(texts, names, limits)
        if reason:
            texts = None
            remarks.append(
                f"{handed.name} cannot be loaded as a whole ({reason}): each exercise was tried "
                "alone, with everything around it as in our notebook"
            )
    for number, cells in attempts.items():
        mark = functools.partial(Mark, submission.student, number)
        if len(set(cells)) > 1:
            remarks.append(
                f"there are {len(cells)} cells marked as exercise {number}: the last one counts, "
                "as it does when the notebook is run"
            )
        if not cells:
            unreadable = submission.unreadable.get(lesson) or submission.unreadable.get("")
            marks.append(
                mark("unreadable", unreadable)
                if unreadable and not handed
                else mark("missing", f"no cell is marked `#| exercise {number}`")
            )
        elif number in blank:
            marks.append(mark("blank", "the cell is as it was handed out, or empty"))
        elif exercises()[number].borrowed() in cells[-1]:
            marks.append(mark("borrowed", "the body is the course's: its first line says so"))
        else:
            result = None
            if texts is not None and handed.marked(number):
                result = judge(number, texts, limits)
            if result is None or result.wrong:
                second = judge(number, alone(exercises()[number], cells[-1]), limits)
                if result and not second.wrong:
                    remarks.append(
                        f"{number} is right by itself, and counts; in your whole notebook: "
                        f"{told(result)[1]}"
                    )
                result = choose(result, second) if result and second.wrong else second
            marks.append(mark(*told(result)))
    return marks, remarks


def told(result: Result) -> tuple[str, str, str]:
    """A result as status, first line of the diagnosis, and all lines."""
    try:
        lines = [printable(line) for line in str(result).split("\n")]
        first = result.wrong.lines()[0].split("\n")[0] if result.wrong else ""
    except Exception:  # a value that cannot even be shown
        lines, first = [], "what came back cannot be shown"
    status = "wrong" if result.wrong else "right"
    return status, printable(first[:500]), "\n".join(lines)[:10_000]


# --- A class ---


def grade(
    submissions: list[Submission],
    lessons: list[str],
    jobs: int,
    limits: runner.Limits = LIMITS,
    progress=lambda student: None,
) -> list[list[Mark]]:
    """The marks of each submission, by exercise, whatever the order in which they were found.

    What the lessons have to remark is added to the submissions.
    """
    if runner.CAN_FORK:
        runner.server()  # one for all threads
    with ThreadPoolExecutor(jobs) as pool:
        tasks = {
            pool.submit(judge_lesson, submission, lesson, limits): (place, lesson)
            for place, submission in enumerate(submissions)
            for lesson in lessons
        }
        try:
            for task in as_completed(tasks):
                progress(submissions[tasks[task][0]].student)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    marks = [[] for _ in submissions]
    for task, (place, lesson) in tasks.items():
        if task.exception():  # our mistake, or the machine's; it must not cost the others anything
            words = printable(f"{FAILED} ({task.exception()!r})")
            numbers = [number for number in exercises() if number[:2] == lesson]
            name = submissions[place].student
            marks[place] += [Mark(name, number, "unreadable", words) for number in numbers]
        else:
            marks[place] += task.result()[0]
            submissions[place].remarks += task.result()[1]
    return marks


@contextmanager
def shown_progress(total: int):
    """A function to call for each lesson that is done: a progress bar, or plain lines."""
    try:
        from tqdm import tqdm
    except ImportError:
        tqdm = None
    if tqdm and sys.stderr.isatty():
        with tqdm(total=total, unit="lesson") as bar:
            yield lambda student: bar.update()
        return
    done = 0

    def say(student):
        nonlocal done
        done += 1
        if done * 10 // total > (done - 1) * 10 // total:
            print(f"{done} of {total} lessons graded", file=sys.stderr, flush=True)

    yield say


# --- What comes out ---


def table(marks: list[Mark]) -> str:
    """The marks as CSV. No cell of it can be taken for a formula by a spreadsheet."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    for mark in marks:
        row = mark.student, mark.exercise, mark.points, mark.status, mark.diagnosis
        writer.writerow([harmless(str(value)) for value in row])
    return file.getvalue()


def harmless(text: str) -> str:
    """A cell with an apostrophe before what a spreadsheet would compute."""
    return "'" + text if text.lstrip().startswith(tuple("=+-@＝＋－＠")) else text


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
        f'<tr><th scope="row">{title}</th><td>{SIGNS[mark.status]} {mark.status}</td>'
        f"<td><pre>{said}</pre></td></tr>\n"
    )


def walls() -> list[str]:
    """The walls of cage.py that hold here."""
    with runner.start(before("01"), "", LIMITS) as child:
        return child.first.get("walls", [])


# --- The command ---


def main(arguments: list[str]) -> int:
    """Grade a folder.

    Returns 0; 1 where some of it could not be graded; 2 where there is nothing to grade or nowhere
    to write; 130 after Ctrl-C.
    """
    parser = argparse.ArgumentParser("python -m course grade", description="Grade a class.")
    parser.add_argument(
        "submissions",
        type=Path,
        metavar="SUBMISSIONS",
        help="a folder with a folder, or one notebook, for each student",
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FILE", help="the marks, as CSV")
    parser.add_argument(
        "--feedback",
        type=Path,
        metavar="DIR",
        help="a page for each student (default: feedback/ beside the marks)",
    )
    parser.add_argument(
        "--jobs",
        type=int,
        default=os.cpu_count() or 1,
        metavar="N",
        help="how many checks at a time (default: one for each core)",
    )
    parser.add_argument("--lessons", metavar="01,02", help="these lessons only")
    parser.add_argument(
        "--seconds",
        type=int,
        default=LIMITS.cpu,
        metavar="N",
        help="what one check may take of the processor (default: %(default)s)",
    )
    options = parser.parse_args(arguments)
    pages = options.feedback or options.out.parent / "feedback"
    known = sorted({number[:2] for number in exercises()})
    lessons = sorted(set(options.lessons.split(","))) if options.lessons else known
    limits = replace(LIMITS, seconds=3.0 * options.seconds, cpu=options.seconds)
    problem = refusal(options.submissions, [options.out, pages], lessons, known)
    if options.jobs < 1 or options.seconds < 1:
        problem = "--jobs and --seconds are at least 1"
    if problem:
        print(f"Nothing graded: {problem}", file=sys.stderr)
        return 2
    began = time.monotonic()
    try:
        submissions = read_all(options.submissions)
        with shown_progress(len(submissions) * len(lessons)) as progress:
            marks = grade(submissions, lessons, options.jobs, limits, progress)
        for submission, own in zip(submissions, marks, strict=True):
            write(pages / f"{submission.page}.html", feedback(submission, own))
        every = [mark for own in marks for mark in own]
        write(options.out, table(every))
    except (OSError, NotebookError) as error:
        print(f"Nothing graded: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("Nothing graded: it was stopped", file=sys.stderr)
        return 130
    right = sum(mark.points for mark in every)
    held = " and ".join(walls()) or "none"
    print(
        f"{len(submissions)} submissions, {right} of {len(every)} exercises right, in "
        f"{time.monotonic() - began:.0f} s.\nMarks: {options.out}. Pages: {pages}.\n"
        f"Walls of the system around what was handed in: {held} (see docs/instructors.md)."
    )
    failed = sum(mark.diagnosis.startswith(FAILED) for mark in every)
    if failed:
        print(
            f"{failed} exercises could not be graded, by no fault of the students: see the marks",
            file=sys.stderr,
        )
    return 1 if failed else 0


def refusal(folder: Path, outputs: list[Path], lessons: list[str], known: list[str]) -> str:
    """Why these options cannot be followed, or ""."""
    if (ROOT / MARKER).exists():
        return "this is a student's copy, without the solutions: grade with the whole course"
    if not folder.is_dir():
        return f"there is no folder {folder}"
    if unknown := [lesson for lesson in lessons if lesson not in known]:
        return f"there is no lesson {unknown[0]!r}; there are {', '.join(known)}"
    if any(path.resolve().is_relative_to(folder.resolve()) for path in outputs):
        return "the marks and the pages must not lie among the submissions: name other folders"
    return ""
