"""Judging what a class handed in.

Each exercise that a student has handed in is tried in two ways, each time in a process of its own:

- in the student's whole notebook, on top of our package for the lessons before it;
- where it is not right there, alone: the student's cell in the place of ours in our notebook, so
  that nobody loses 03.4 because 03.1 is still blank. The other exercises of the lesson are blank
  there too, but for those that the attempt needs.

Where what stands beside the definitions fails (a plot, `display`, another library), both are tried
with that passed over; where an answer uses what its author has added to an earlier lesson, it is
tried on the author's own notebooks. Right in one of them is right. Of two diagnoses the one of the
attempt that came further is shown. All processes of one student live in a cage of their own
(sandbox/cage.py).
"""

import functools
import re
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, replace
from types import MappingProxyType

import numpy as np

from course.checks.judging import Result, judge
from course.grading.assembly import alone, before, modules_of_lesson, whole, with_own
from course.grading.cells import BROKEN, forgiving, is_blank
from course.grading.marks import Mark
from course.grading.submissions import Handed, Submission, printable
from course.lessons import notebooks
from course.lessons.exercise import Exercise, exercises
from course.lessons.status import Status
from course.sandbox import runner

# A longer wall-clock limit than in a notebook, since checks run in parallel; CPU time decides.
LIMITS = runner.Limits(seconds=12.0)

# What says that an answer uses something which our notebooks before its own do not have.
ABSENT = re.compile(r"\b(?:Import|Attribute)Error\b")
TRIES = 4  # at one check, where the machine ends its server

LOAD = """
def load(mg, names):
    import importlib
    for name in names:
        importlib.import_module("minigrad." + name)
"""


class Room:
    """Where one student's code runs: a cage that is made when it is needed, and again if it dies.

    `shared` is what each server in it has in memory: nothing that holds a solution of an exercise
    which is still to be judged. A check brings its other modules along.
    """

    def __init__(self, caged: bool):
        self.caged, self.shared, self._server = caged, {}, None

    @property
    def server(self):
        """The server in the cage; None where there is no cage, for the one of this process."""
        if self.caged and self._server is None:
            self._server = runner.caged()
            self._server.learn(self.shared)
        return self._server

    def learn(self, texts: dict[str, str]) -> None:
        """Have a student's own modules compiled once; a server that this ends is given up."""
        try:
            if self.server is not None:
                self.server.learn(texts)
        except (OSError, EOFError, ValueError):
            self.close()

    def close(self) -> None:
        """End the cage and all that is in it."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def judge(self, number: str, texts: dict[str, str], limits: runner.Limits, cell="") -> Result:
        """Judge an exercise; where its process ended, again in a fresh cage.

        So nobody gets a wrong mark because something else has ended the server. An answer that has
        ended its own process twice is wrong.
        """
        ended = 0
        for _ in range(TRIES):
            result = judge(number, texts, limits, cell=cell, server=self.server)
            if not result.ended:
                break
            self.close()
            ended += not result.lost
            if ended == 2:
                break
        return result

    def does_not_load(self, texts: dict[str, str], names: list[str], limits: runner.Limits) -> str:
        """Why modules cannot be imported, or ""."""
        try:
            with runner.start(texts, LOAD, limits, self.server) as child:
                error = child.ask("load", [names]).get("raised")
        except runner.Ended as ended:
            self.close()
            if ended.lost:
                return ""  # the checks will say
            return "it does not come to an end" if ended.late else "it ends the process"
        return printable(f"{error['type']}: {error['words']}")[:500] if error else ""


def choose(first: Result, second: Result) -> Result:
    """Of two results that are not right, the one that says more about this exercise itself."""
    if first.lost or second.lost:  # it might have been right there
        return first if first.lost else second
    if first.wrong.needs:
        return second
    return second if len(second.passed) > len(first.passed) else first


def judge_lesson(
    submission: Submission, lesson: str, room: Room, limits: runner.Limits = LIMITS
) -> list[Mark]:
    """A student's marks in one lesson. What is to be remarked is added to the submission."""
    found, results, remarks, texts = {}, {}, submission.remarks, None
    room.shared = before(lesson)
    room.learn(room.shared)
    handed = submission.lesson(lesson)
    attempts = {n: submission.cells(n) for n in exercises() if n[:2] == lesson}
    blank = {n for n, cells in attempts.items() if cells and is_blank(exercises()[n], cells[-1])}
    if handed and any(cells and number not in blank for number, cells in attempts.items()):
        texts, words = loaded(handed, lesson, room, limits)
        remarks += words
    for number, cells in attempts.items():
        exercise = exercises()[number]
        mark = functools.partial(Mark, submission.student, number)
        if len(set(cells)) > 1:
            remarks.append(
                f"there are {len(cells)} cells marked as exercise {number}: the last one counts, "
                "as it does when the notebook is run"
            )
        if not cells:
            unreadable = submission.unreadable.get(lesson) or submission.unreadable.get("")
            if unreadable and not handed:
                found[number] = mark(Status.UNREADABLE, unreadable)
            else:
                words = submission.missing or f"no cell is marked `#| exercise {number}`"
                found[number] = mark(Status.MISSING, words)
        elif number in blank:
            found[number] = mark(Status.BLANK, "the cell is as it was handed out, or empty")
        elif exercise.borrowed() in cells[-1]:
            words = "the body is the course's: its first line says so"
            found[number] = mark(Status.BORROWED, words)
        else:
            result = None
            if texts is not None and cells[-1] in handed.cells:
                result = room.judge(number, texts, limits, cell=cells[-1])
            if result is None or result.wrong:
                second, words = by_itself(exercise, cells[-1], submission, room, limits)
                remarks += words
                if result and not second.wrong:
                    remarks.append(
                        f"{number} is right by itself, and counts; in your whole notebook: "
                        f"{told(result)[1]}"
                    )
                result = choose(result, second) if result and second.wrong else second
            results[number] = result
    theirs = {number: attempts[number][-1] for number in circle(results)}
    for number, cell in theirs.items():
        again = judge_alone(exercises()[number], cell, submission, room, limits, theirs=theirs)
        if again.wrong:
            words = (
                "it is right with our solutions only, of exercises that are solved by calling it"
            )
            remarks.append(f"{number}: {words}")
            results[number] = again
    for number, result in results.items():
        cell = attempts[number][-1]
        remarks += helpers_missing(number, result, submission)
        remarks += newer_python(number, result, cell)
        found[number] = Mark(submission.student, number, *told(result), failed=result.lost)
    return [found[number] for number in attempts]


def circle(results: dict[str, Result]) -> list[str]:
    """The exercises that are right with our solutions only, each with those of the others.

    Two answers that only call each other would both be right so, with nothing in them.
    """
    needs = {number: result.needed for number, result in results.items() if not result.wrong}

    def reached(number):
        found, waiting = set(), [number]
        while waiting:
            new = set(needs.get(waiting.pop(), ())) - found
            found |= new
            waiting += new
        return found

    return [number for number in needs if number in reached(number)]


def loaded(
    handed: Handed, lesson: str, room: Room, limits: runner.Limits
) -> tuple[dict[str, str] | None, list[str]]:
    """The package with a student's whole notebook, None where it cannot be loaded; and remarks."""
    names = sorted(modules_of_lesson(lesson) & handed.modules().keys())
    texts = whole(handed, lesson)
    room.learn(texts)
    reason = room.does_not_load(texts, names, limits)
    if not reason:
        return texts, []
    cannot = f"{handed.name} cannot be loaded as a whole ({reason})"
    texts = whole(replace(handed, cells=list(map(forgiving, handed.cells))), lesson)
    room.learn(texts)
    if not room.does_not_load(texts, names, limits):
        return texts, [f"{cannot}: what fails beside its functions and classes was passed over"]
    return None, [
        f"{cannot}: each exercise was tried alone, in our notebook, and with ours of another one only "
        "where it uses that"
    ]


def by_itself(
    exercise: Exercise, cell: str, submission: Submission, room: Room, limits: runner.Limits
) -> tuple[Result, list[str]]:
    """The result of a cell in the place of ours, in our notebook; and remarks.

    Where that is wrong and misses something that its author's own notebooks may have, with those.
    """
    number, lesson = exercise.number, exercise.number[:2]
    result = judge_alone(exercise, cell, submission, room, limits)
    if result.wrong and not result.loaded and not result.lost:
        second = judge_alone(exercise, forgiving(cell), submission, room, limits)
        if not second.wrong:
            why = told(result)[1]
            return second, [
                f"{number}: what fails beside the functions and classes of the cell was "
                f"passed over ({why})"
            ]
    earlier = any("" < handed.lesson < lesson for handed in submission.notebooks)
    if result.wrong and ABSENT.search(result.wrong.words) and earlier:
        second = room.judge(number, with_own(submission, lesson), limits, cell=cell)
        if not second.wrong:
            return second, [f"{number} is right on your own notebooks of the lessons before"]
    return result, []


def judge_alone(
    exercise: Exercise,
    cell: str,
    submission: Submission,
    room: Room,
    limits: runner.Limits,
    theirs: Mapping[str, str] = MappingProxyType({}),
) -> Result:
    """The result of a cell in our notebook, where the lesson's other exercises are blank.

    When the attempt comes to one of them, it is made again with our solution of that one, or with
    the student's cell where it is in `theirs`; when it misses a name that another of the student's
    exported cells defines, with that cell. Whoever has used up the time of a check is not tried
    again, so that nobody keeps the others waiting.
    """
    number, needed, helpers = exercise.number, [], []
    until = time.monotonic() + limits.seconds * runner.crowd()
    while True:
        texts = alone(exercise, "\n\n\n".join([*helpers, cell]), needed, theirs)
        result = room.judge(number, texts, limits, cell=cell)
        result.needed = list(needed)
        asked = result.wrong.needs if result.wrong else ""
        name = result.wrong.missing if result.wrong else ""
        helper = submission.helper(name, number, cell) if name else ""
        if time.monotonic() > until:
            return result
        if asked[:2] == number[:2] and asked not in (number, *needed, *theirs):
            needed.append(asked)
        elif helper and helper not in helpers:
            helpers.insert(0, helper)
        else:
            return result


def helpers_missing(number: str, result: Result, submission: Submission) -> list[str]:
    """A remark where a name is missing that another cell, which is not exported, defines."""
    name = result.wrong.missing if result.wrong else ""
    handed = submission.lesson(number[:2])
    if name and handed and handed.defines(name):
        module = exercises()[number].cell.module
        return [
            f"{number}: {printable(name)} is defined in a cell that is not exported: begin that "
            f"cell with `#| export {module}`"
        ]
    return []


# What a module of Python or NumPy does not have, as Python says it.
WITHOUT = re.compile(
    r"cannot import name '(\w+)' from '([\w.]+)'|module '([\w.]+)' has no attribute '(\w+)'"
)


def newer_python(number: str, result: Result, cell: str) -> list[str]:
    """A remark where this Python or NumPy has not what a cell uses, and another one perhaps has."""
    version = f"Python {sys.version_info[0]}.{sys.version_info[1]}"
    try:
        notebooks.parse_python(cell)
        absent = WITHOUT.search(result.wrong.words) if result.wrong else None
        module = (absent[2] or absent[3]) if absent else ""
        if module.partition(".")[0] not in (*sys.stdlib_module_names, "numpy"):
            return []
        problem = f"have no {module}.{absent[1] or absent[4]}"
        version += f" and NumPy {np.__version__}"
    except SyntaxError:
        if not result.wrong:
            return []
        problem = "cannot read the cell"
    except BROKEN:
        return []
    return [
        f"{number}: {version}, with which this was graded, {problem}. If your notebook runs it in "
        "another version, tell your instructor: it can be graded with that one"
    ]


def told(result: Result) -> tuple[Status, str, str]:
    """A result as status, first line of the diagnosis, and all lines."""
    try:
        lines = [printable(line) for line in str(result).split("\n")]
        first = result.wrong.lines()[0].split("\n")[0] if result.wrong else ""
    except Exception:  # a value that cannot even be shown
        lines, first = [], "what came back cannot be shown"
    status = Status.WRONG if result.wrong else Status.RIGHT
    status = Status.UNREADABLE if result.lost else status
    return status, printable(first[:500]), "\n".join(lines)[:10_000]


# --- A student, as plain data ---


def job_of(submission: Submission, lessons: list[str], caged: bool, limits: runner.Limits) -> dict:
    """What judging needs of a student, as plain data without a name: it may go to any machine."""
    plain = asdict(submission) | {"student": "", "page": "", "remarks": []}
    return {"submission": plain, "lessons": lessons, "caged": caged, "limits": asdict(limits)}


def judge_job(job: dict) -> dict:
    """Lesson -> {"marks": a list for each exercise, "remarks": lines}, of one student in one cage.

    Plain data in, plain data out, so that any executor can run it in a thread, in a process or on
    another machine. The lessons come in their order: so no solution of ours is in the cage before
    its own exercise has been judged.
    """
    plain = job["submission"]
    handed = {kind: [Handed(**one) for one in plain[kind]] for kind in ("notebooks", "spare")}
    submission = Submission(**plain | handed | {"remarks": []})
    found, room = {}, Room(job["caged"])
    try:
        for lesson in sorted(job["lessons"]):
            submission.remarks.clear()
            try:
                marks = judge_lesson(submission, lesson, room, runner.Limits(**job["limits"]))
            except Exception as error:  # our mistake, or the machine's: it costs nobody else
                marks = failed_marks(lesson, error)
            found[lesson] = {"marks": rows_of(marks), "remarks": list(submission.remarks)}
    finally:
        room.close()
    return found


def failed_marks(lesson: str, error: Exception) -> list[Mark]:
    """The marks of a lesson that could not be graded, by no fault of the student."""
    words = printable(f"it could not be graded ({error!r})")
    numbers = [number for number in exercises() if number[:2] == lesson]
    return [Mark("", number, Status.UNREADABLE, words, failed=True) for number in numbers]


def rows_of(marks: list[Mark]) -> list[list]:
    """Marks as plain data, without the student."""
    return [[m.exercise, str(m.status), m.diagnosis, m.lines, m.failed] for m in marks]


def marks_of(student: str, rows: list[list]) -> list[Mark]:
    """Marks from that plain data."""
    return [
        Mark(student, number, Status(status), diagnosis, lines, failed)
        for number, status, diagnosis, lines, failed in rows
    ]
