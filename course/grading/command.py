"""Grading a class: `python -m course grade SUBMISSIONS --out grades.csv`."""

import argparse
import os
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from course.grading.judging import LIMITS, grade
from course.grading.report import feedback, table
from course.grading.submissions import read_all
from course.lessons.exercise import exercises
from course.lessons.exporter import write
from course.lessons.notebooks import ROOT, NotebookError
from course.sandbox import cage, runner
from course.student.edition import MARKER


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
    parser.add_argument(
        "--trust-submissions",
        action="store_true",
        help="grade without a cage where this machine has none: only what you trust",
    )
    options = parser.parse_args(arguments)
    pages = options.feedback or options.out.parent / "feedback"
    known = sorted({number[:2] for number in exercises()})
    lessons = sorted(set(options.lessons.split(","))) if options.lessons else known
    limits = replace(LIMITS, seconds=3.0 * options.seconds, cpu=options.seconds)
    problem = refusal(options.submissions, [options.out, pages], lessons, known)
    if options.jobs < 1 or options.seconds < 1:
        problem = "--jobs and --seconds are at least 1"
    caged = not cage.problem()
    if not problem and not caged and not options.trust_submissions:
        problem = (
            f"{cage.problem()}. Without it, what was handed in could harm this machine and the "
            "others' marks: install it, use a container (docs/instructors.md), or add "
            "--trust-submissions if you know everybody who handed in"
        )
    if problem:
        print(f"Nothing graded: {problem}", file=sys.stderr)
        return 2
    began = time.monotonic()
    try:
        submissions = read_all(options.submissions)
        with shown_progress(len(submissions) * len(lessons)) as progress:
            marks = grade(submissions, lessons, options.jobs, limits, progress, caged)
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
    held = ", ".join(runner.walls()) or "none, only a guard against accidents"
    print(
        f"{len(submissions)} submissions, {right} of {len(every)} exercises right, in "
        f"{time.monotonic() - began:.0f} s.\nMarks: {options.out}. Pages: {pages}.\n"
        f"The wall around what was handed in: {held} (see docs/instructors.md)."
    )
    failed = sum(mark.failed for mark in every)
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
