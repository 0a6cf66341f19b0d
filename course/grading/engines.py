"""Where a class is judged: in threads here, in processes, or on other machines.

`grade(…, executor=…)` takes any executor of `concurrent.futures`' kind. It gets one plain function
(`judging.judge_job`) and plain data, one student at a time; the marks come back in the order of the
submissions, so that the table is the same whatever the engine.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import (
    BrokenExecutor,
    CancelledError,
    Executor,
    ProcessPoolExecutor,
    ThreadPoolExecutor,
)
from contextlib import contextmanager
from multiprocessing import get_context

from course.grading.judging import LIMITS, failed_marks, job_of, judge_job, marks_of, rows_of
from course.grading.kept import Kept
from course.grading.marks import Mark
from course.grading.submissions import Submission
from course.grading.tables import Refused
from course.sandbox import runner

AHEAD = 8  # students for each worker that are read before the first of them is done


@contextmanager
def engine(name: str, jobs: int) -> Iterator[Executor]:
    """An executor by its name: "threads", "processes", or a Dask scheduler's address.

    Raises Refused where there is no such engine or it cannot be reached.
    """
    if name == "threads":
        pool = ThreadPoolExecutor(jobs)
    elif name == "processes":
        pool = ProcessPoolExecutor(jobs, mp_context=get_context("spawn"))
    else:
        with dask(name) as pool:
            yield pool
        return
    try:
        yield pool
        pool.shutdown()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        raise


@contextmanager
def dask(address: str) -> Iterator[Executor]:
    """The workers of a Dask scheduler, such as tcp://10.0.0.5:8786, as an executor."""
    try:
        from distributed import Client
    except ImportError:
        raise Refused(
            f"--engine {address}: it is neither threads nor processes, and for a Dask scheduler "
            "the package distributed is missing: pip install -e '.[dask]'"
        ) from None
    try:
        client = Client(address, timeout="10s")
    except (OSError, ValueError) as error:
        raise Refused(f"--engine {address}: no Dask scheduler answers there ({error})") from None
    with client:
        yield client.get_executor(pure=False, retries=2)


def graded(
    submissions: Iterable[Submission],
    lessons: list[str],
    jobs: int,
    limits: runner.Limits = LIMITS,
    progress=lambda: None,
    caged: bool = True,
    executor: Executor | None = None,
    kept: Kept | None = None,
) -> Iterator[tuple[Submission, list[Mark]]]:
    """Each submission with its marks, in the order given; what was remarked is added to it.

    Submissions are read as they are needed. What is in `kept` is not judged again, and what was
    judged is kept as soon as it is there. Where one student's work is lost by the engine, the marks
    say so; where the engine itself is broken, its error is raised.
    """
    if executor is None:
        with engine("threads", jobs) as pool:
            yield from graded(submissions, lessons, jobs, limits, progress, caged, pool, kept)
        return
    waiting: deque = deque()
    try:
        for submission in submissions:
            known, missing = {}, {}
            for lesson in lessons:
                key = kept.key(submission, lesson, limits) if kept else ""
                found = kept.get(key) if kept else None
                if found:
                    known[lesson] = found
                else:
                    missing[lesson] = key
            task = None
            if missing:
                task = executor.submit(judge_job, job_of(submission, list(missing), caged, limits))
                if kept:
                    task.add_done_callback(_keeper(kept, missing))
            waiting.append((submission, known, missing, task))
            while len(waiting) > AHEAD * jobs or waiting and not waiting[0][3]:
                yield _finished(*waiting.popleft(), kept, lessons)
                progress()
        while waiting:
            yield _finished(*waiting.popleft(), kept, lessons)
            progress()
    except BaseException:
        for *_, task in waiting:
            if task:
                task.cancel()
        raise


def _keeper(kept, missing):
    """Keeps a student's marks when they are there, even while earlier students are waited for."""

    def keep(task):
        if not task.cancelled() and not task.exception():
            for lesson, found in task.result().items():
                kept.add(missing[lesson], found)

    return keep


def _finished(submission, known, missing, task, kept, lessons):
    """A submission and its marks, when its task is done."""
    found = dict(known)
    if task:
        try:
            found |= task.result()
        except (BrokenExecutor, CancelledError):
            raise
        except Exception as error:  # this student's work is lost: a worker that died, say
            for lesson in missing:
                rows = rows_of(failed_marks(lesson, error))
                found[lesson] = {"marks": rows, "remarks": []}
        if kept:
            for lesson, key in missing.items():
                kept.add(key, found[lesson])  # again: an error of the disk is raised here
    marks = []
    for lesson in sorted(lessons):
        marks += marks_of(submission.student, found[lesson]["marks"])
        submission.remarks += found[lesson]["remarks"]
    return submission, marks


def grade(submissions: Iterable[Submission], lessons: list[str], jobs: int, *rest, **options):
    """The marks of each submission, by exercise: see `graded`, whose options these are."""
    return [marks for _, marks in graded(submissions, lessons, jobs, *rest, **options)]
