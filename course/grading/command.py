"""Grading a class: `python -m course grade SUBMISSIONS --out grades.csv`."""

import argparse
import os
import sys
import time
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from course.grading import engines, pages, report, similarity
from course.grading.judging import LIMITS
from course.grading.kept import Kept
from course.grading.policy import Policy, read_policy
from course.grading.roster import Student, of_shard, read_roster, students
from course.grading.tables import Refused, counted
from course.lessons.exercise import exercises
from course.lessons.exporter import write
from course.lessons.notebooks import ROOT, NotebookError
from course.sandbox import cage, runner
from course.student.edition import MARKER


@contextmanager
def shown_progress(total: int):
    """A function to call for each student who is done: a progress bar, or plain lines."""
    try:
        from tqdm import tqdm
    except ImportError:
        tqdm = None
    if tqdm and sys.stderr.isatty():
        with tqdm(total=total, unit="student") as bar:
            yield bar.update
        return
    done = 0

    def say():
        nonlocal done
        done += 1
        if done * 10 // total > (done - 1) * 10 // total:
            print(f"{done} of {total} students graded", file=sys.stderr, flush=True)

    yield say


def _from_one_to(most: int):
    """An argument type: a whole number from 1 to `most`."""

    def read(text):
        value = int(text)
        if not 1 <= value <= most:
            raise argparse.ArgumentTypeError(f"must be at least 1 and at most {most}, not {text}")
        return value

    read.__name__ = "whole number"
    return read


def parser() -> argparse.ArgumentParser:
    """The options of the command."""
    made = argparse.ArgumentParser(
        "python -m course grade",
        description="Grade a class.",
        epilog="Exit code: 0; 1 where some of it could not be graded; 2 where there is nothing to "
        "grade or an option cannot be followed; 130 after Ctrl-C.",
    )
    made.add_argument(
        "submissions",
        type=Path,
        metavar="SUBMISSIONS",
        help="a folder with a folder, a zip or a notebook for each student",
    )
    made.add_argument(
        "--out",
        type=Path,
        required=True,
        metavar="FILE",
        help="the marks, as CSV: a line for each student and exercise",
    )
    made.add_argument("--lessons", metavar="01,02", help="these lessons only")
    made.add_argument(
        "--jobs",
        type=_from_one_to(10_000),
        default=os.cpu_count() or 1,
        metavar="N",
        help="how many students at a time (default: one for each core)",
    )
    made.add_argument(
        "--seconds",
        type=_from_one_to(86_400),
        default=LIMITS.cpu,
        metavar="N",
        help="what one check may take of the processor (default: %(default)s)",
    )
    made.add_argument(
        "--trust-submissions",
        action="store_true",
        help="grade without a cage where this machine has none: only what you trust",
    )
    out = made.add_argument_group("what else is written")
    out.add_argument(
        "--feedback",
        type=Path,
        metavar="DIR",
        help="a page for each student, and index.html for you (default: feedback/ beside the marks)",
    )
    out.add_argument(
        "--wide",
        type=Path,
        metavar="FILE",
        help="CSV for Canvas or Moodle: a line for each student",
    )
    out.add_argument(
        "--gradescope", type=Path, metavar="DIR", help="a results.json for each student, by name"
    )
    out.add_argument(
        "--similar", type=Path, metavar="FILE", help="CSV: pairs of answers that are alike"
    )
    who = made.add_argument_group("who is who, and what counts")
    who.add_argument(
        "--roster",
        type=Path,
        metavar="FILE",
        help="CSV with identifier, name: also who handed in nothing gets lines",
    )
    who.add_argument(
        "--student-from",
        metavar="REGEX",
        help="where the student stands in an entry's name (Canvas: '_(\\d+)_\\d+_')",
    )
    who.add_argument("--points", type=Path, metavar="FILE", help="CSV with exercise, points")
    who.add_argument(
        "--deadline", type=Path, metavar="FILE", help="CSV with lesson, deadline: says LATE"
    )
    who.add_argument(
        "--times",
        type=Path,
        metavar="FILE",
        help="CSV with student, time (and lesson): when it was handed in, in place of file times",
    )
    who.add_argument(
        "--overrides",
        type=Path,
        metavar="FILE",
        help="CSV with student, exercise, points (and reason): what you decide counts",
    )
    large = made.add_argument_group("large classes")
    large.add_argument(
        "--resume",
        action="store_true",
        help="use the marks that the last grading kept beside --out, as far as nothing has changed",
    )
    large.add_argument(
        "--engine",
        default="threads",
        metavar="NAME",
        help="threads (default), processes, or the address of a Dask scheduler",
    )
    large.add_argument(
        "--shard",
        metavar="3/20",
        help="judge the third of twenty parts only: --out is then a file for --merge",
    )
    large.add_argument(
        "--merge",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="judge nothing: take the marks from the files that --shard wrote",
    )
    return made


def main(arguments: list[str]) -> int:
    """Grade a folder; returns the exit code that the command's help states."""
    options = parser().parse_args(arguments)
    known = sorted({number[:2] for number in exercises()})
    lessons = sorted(set(options.lessons.split(","))) if options.lessons else known
    problem = refusal(options, lessons, known)
    caged = not cage.problem()
    if not problem and not caged and not options.trust_submissions and not options.merge:
        problem = (
            f"{cage.problem()}. Without it, what was handed in could harm this machine and the "
            "others' marks: install it, use a container (docs/instructors.md), or add "
            "--trust-submissions if you know everybody who handed in"
        )
    if problem:
        return nothing(problem)
    try:
        roster = read_roster(options.roster) if options.roster else None
        everybody = students(options.submissions, options.student_from, roster)
        part = of_shard(everybody, options.shard) if options.shard else []
        files = options.points, options.deadline, options.times, options.overrides
        policy = read_policy(everybody, *files)
        kept_in = options.out if options.shard else options.out.with_suffix(".kept.jsonl")
        if options.merge:
            kept = Kept(others=options.merge, trusting=options.trust_submissions)
        else:
            kept = Kept(kept_in, options.resume, trusting=options.trust_submissions)
        with kept:
            if options.shard:
                return judge_shard(options, part, lessons, kept)
            return grade_all(options, everybody, lessons, policy, kept)
    except (OSError, NotebookError, Refused) as error:
        return nothing(error)
    except BrokenExecutor as error:
        return nothing(f"the workers are gone ({error}); add --resume to go on from there")
    except KeyboardInterrupt:
        print("Nothing graded: it was stopped. Add --resume to go on from there", file=sys.stderr)
        return 130


def nothing(reason: object) -> int:
    """Say why there are no marks."""
    print(f"Nothing graded: {reason}", file=sys.stderr)
    return 2


def limits_of(options) -> runner.Limits:
    return replace(LIMITS, seconds=3.0 * options.seconds, cpu=options.seconds)


def judged(options, everybody: list[Student], lessons: list[str], kept: Kept):
    """Each student with the submission and its marks, one after another, with progress shown."""
    caged, limits = not cage.problem(), limits_of(options)
    read = (student.read() for student in everybody)
    with (
        engines.engine(options.engine, options.jobs) as executor,
        shown_progress(len(everybody)) as progress,
    ):
        work = engines.graded(read, lessons, options.jobs, limits, progress, caged, executor, kept)
        for student, (submission, marks) in zip(everybody, work, strict=True):
            yield student, submission, marks


def judge_shard(options, part: list[Student], lessons: list[str], kept: Kept) -> int:
    """Judge one part of a class: its marks are kept in the file for --merge, and nothing else."""
    failed = sum(
        mark.failed for _, _, marks in judged(options, part, lessons, kept) for mark in marks
    )
    print(f"{counted(len(part), 'submission')} judged. For --merge: {options.out}")
    return said_failed(failed)


def grade_all(
    options, everybody: list[Student], lessons: list[str], policy: Policy, kept: Kept
) -> int:
    """Judge a class, or take its marks from shards, and write all that is asked for."""
    began = time.monotonic()
    folder = options.feedback or options.out.parent / "feedback"
    answers, rows, failed = similarity.Answers(), [], 0
    if options.merge:
        found = merged(options, everybody, lessons, kept)
    else:
        found = judged(options, everybody, lessons, kept)
    numbers = [number for number in exercises() if number[:2] in lessons]
    for student, submission, marks in found:
        row = report.row_of(student, submission, marks, policy)
        if options.similar:
            answers.add(submission, numbers, row.shown)
        write(folder / f"{row.page}.html", pages.feedback(row))
        if options.gradescope:
            write(options.gradescope / f"{row.page}.json", report.gradescope(row))
        failed += sum(mark.failed for mark in marks)
        rows.append(row.shortened())
    shown = {"roster": bool(options.roster), "deadlines": bool(options.deadline)}
    write(folder / "index.html", pages.index(rows))
    if options.wide:
        write(options.wide, report.wide(rows, lessons, **shown))
    if options.similar:
        write(options.similar, report.as_csv(similarity.lines(answers.pairs())))
    write(options.out, report.table(rows, **shown))
    every = [mark for row in rows for mark in row.marks]
    right = sum(mark.status == "right" for mark in every)
    held = ", ".join(runner.walls()) or "none, only a guard against accidents"
    print(
        f"{counted(len(rows), 'submission')}, {right} of {len(every)} exercises right, in "
        f"{time.monotonic() - began:.0f} s.\nMarks: {options.out}. Pages: {folder / 'index.html'}."
        f"\nThe wall around what was handed in: {held} (see docs/instructors.md)."
    )
    strangers = [student.shown for student in everybody if not student.person]
    if options.roster and strangers:
        print(f"Not in the roster: {', '.join(strangers[:20])}", file=sys.stderr)
    return said_failed(failed)


def said_failed(failed: int) -> int:
    """The exit code, with a line where something could not be graded."""
    if failed:
        print(
            f"{failed} exercises could not be graded, by no fault of the students: see the marks",
            file=sys.stderr,
        )
    return 1 if failed else 0


def merged(options, everybody: list[Student], lessons: list[str], kept: Kept):
    """Each student with the submission and its marks, from the shards alone.

    Raises Refused where something is in none of them, before anything is written.
    """
    limits = limits_of(options)
    handed = [student for student in everybody if student.paths]
    lost = []
    for student in handed:
        submission = student.read()
        keys = (kept.key(submission, lesson, limits) for lesson in lessons)
        if not all(map(kept.get, keys)):
            lost.append(student.shown)
    if lost:
        raise Refused(
            f"of {len(lost)} students some marks are in none of these files, such as {lost[0]}: "
            "run their shards again, with the same course, lessons, --seconds and "
            "--trust-submissions"
        )
    read = (student.read() for student in everybody)
    work = engines.graded(read, lessons, 1, limits, kept=kept)
    for student, (submission, marks) in zip(everybody, work, strict=True):
        yield student, submission, marks


def refusal(options, lessons: list[str], known: list[str]) -> str:
    """Why these options cannot be followed, or ""."""
    folder = options.submissions
    files = [path for path in (options.out, options.wide, options.similar) if path]
    folders = [options.feedback or options.out.parent / "feedback", options.gradescope]
    folders = [path for path in folders if path]
    if (ROOT / MARKER).exists():
        return "this is a student's copy, without the solutions: grade with the whole course"
    if not folder.is_dir():
        return f"there is no folder {folder}"
    if unknown := [lesson for lesson in lessons if lesson not in known]:
        return f"there is no lesson {unknown[0]!r}; there are {', '.join(known)}"
    if any(path.resolve().is_relative_to(folder.resolve()) for path in files + folders):
        return "the marks and the pages must not lie among the submissions: name other folders"
    # Better now than after the grading.
    for path in files:
        if path.is_dir():
            return f"{path} is a folder: name a file"
    tables = options.roster, options.points, options.deadline, options.times, options.overrides
    read = {path.resolve() for path in (*tables, *(options.merge or ())) if path}
    for number, path in enumerate(files):
        if path.resolve() in read:
            return f"{path} is read: it would be overwritten, so name another file"
        if path.resolve() in {other.resolve() for other in files[:number]}:
            return f"{path} is named for two tables: name two files"
    for path in folders:
        if path.exists() and not path.is_dir():
            return f"{path} is a file: name a folder"
    if options.shard and options.merge:
        return "--shard judges a part and --merge takes what the parts gave: one after the other"
    if options.shard and any([options.feedback, options.wide, options.gradescope, options.similar]):
        return "--shard writes nothing but its marks: ask --merge for tables and pages"
    if options.times and not options.deadline:
        return "--times says when it was handed in: --deadline is missing"
    return ""
