"""What grading a class costs: `python -m benchmarks.grading {cpu,many,class} …`.

    cpu                 a full, right submission (all exercises) in seconds of a processor
    many --seconds 300  as many of 10,000 submissions as that time allows, through Dask, and from
                        their slope what all of them cost
    class FOLDER [N]    writes N submissions into FOLDER and runs the command on them

Seconds of a processor (user and system) are counted, those of the processes in the cages too: on a
machine that others use, they say more than the clock. Of each five exercises of a simulated student
about three are right, one is wrong and one is blank, a different one in each lesson and submission,
and no two have the same text.
"""

import argparse
import itertools
import json
import os
import resource
import sys
import time
from pathlib import Path

from benchmarks import store
from course.grading import command, engines
from course.grading.submissions import Handed, Submission
from course.lessons import notebooks
from course.lessons.exercise import MARK, exercises
from course.sandbox import cage
from tests.wrong_answers import answers

CLASS = 10_000
LESSONS = [path.stem[:2] for path in notebooks.paths()]


def answer(exercise, draw):
    """The body that a student has written: right, wrong or none."""
    wrong = answers(exercise.number).wrong
    if draw % 5 == 3:
        return wrong[draw % len(wrong)].body
    return exercise.blank() if draw % 5 == 4 else exercise.solution


def bodies(draw):
    """Exercise -> the body of one student."""
    return {
        number: answer(exercise, draw + 7 * place // 5)
        for place, (number, exercise) in enumerate(exercises().items())
    }


def submission(number, written):
    """A submission as reading gives it, with those bodies and a comment of its own in each."""
    handed = []
    for path in notebooks.paths():
        cells = []
        for cell in (cell.source for cell in notebooks.read(path).cells if cell.module):
            for exercise in MARK.findall(cell):
                body = f"# student {number}\n{written[exercise].strip()}"
                cell = exercises()[exercise].source(body)
            cells.append(cell)
        handed.append(Handed(path.name, path.stem[:2], cells))
    return Submission(f"student-{number}", f"student-{number}", handed)


# --- Seconds of a processor ---


class Group:
    """A control group of Linux that this process joins: it counts what all its children use.

    Nothing else does: what runs in a cage is no child that anybody waits for.
    """

    def __init__(self):
        mounts = [
            line.split() for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()
        ]
        roots = [Path(mount[1]) for mount in mounts if mount[2] == "cgroup2"]
        own = [
            line
            for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").split()
            if "0::" in line
        ]
        if not roots or not own:
            raise OSError("there are no control groups (version 2) here")
        self.before = roots[0] / own[0].removeprefix("0::").lstrip("/")
        self.path = self.before / f"minigrad-benchmark-{os.getpid()}"
        self.path.mkdir()

    def __enter__(self):
        usage = resource.getrusage(resource.RUSAGE_SELF)
        self.start = usage.ru_utime + usage.ru_stime
        (self.path / "cgroup.procs").write_text(str(os.getpid()), encoding="utf-8")
        return self

    def __exit__(self, *_):
        (self.before / "cgroup.procs").write_text(str(os.getpid()), encoding="utf-8")
        for _ in range(100):  # a cage ends a moment after it was closed
            try:
                return self.path.rmdir()
            except OSError:
                time.sleep(0.1)

    def used(self):
        """Seconds of a processor so far: (of this process, of all the others)."""
        time.sleep(0.5)  # for cages that are just ending
        line = (self.path / "cpu.stat").read_text(encoding="utf-8").split()
        own = resource.getrusage(resource.RUSAGE_SELF)
        own = own.ru_utime + own.ru_stime - self.start
        return own, int(line[1]) / 1e6 - own


def judged(submissions, executor=None):
    """Grade submissions; returns how many there were, and how many exercises are right."""
    count = right = 0
    for _, marks in engines.graded(
        submissions, LESSONS, 2, caged=not cage.problem(), executor=executor
    ):
        count += 1
        right += sum(mark.status == "right" for mark in marks)
    return count, right


def measure_cpu(group, students=10):
    """{"parent": …, "others": …} of a full right submission, after the first one."""
    solved = {number: exercise.solution for number, exercise in exercises().items()}
    judged([submission(0, solved)])
    made = [submission(number, solved) for number in range(1, students + 1)]
    before = group.used()
    count, right = judged(made)
    now = group.used()
    if right != count * len(exercises()):
        raise SystemExit(f"only {right} of {count * len(exercises())} exercises are right")
    parent, others = ((end - start) / count for start, end in zip(before, now, strict=True))
    return {"parent": round(parent, 3), "others": round(others, 3), "students": count}


# --- Ten thousand ---


def timed(seconds):
    """Submissions until the time is up, made one at a time."""
    ends = time.monotonic() + seconds
    for number in itertools.count():
        if time.monotonic() > ends or number == CLASS:
            return
        yield submission(number, bodies(number))


def through_dask(group, submissions):
    """Grade on a local cluster of two workers: (students, seconds by the clock, CPU seconds)."""
    from distributed import LocalCluster

    began, before = time.monotonic(), sum(group.used())
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**options, silence_logs=50) as cluster:
        with engines.engine(cluster.scheduler_address, 2) as executor:
            count, _ = judged(submissions, executor)
    return count, time.monotonic() - began, sum(group.used()) - before


def measure_many(group, seconds):
    """The slope between a few submissions and as many as the time allows."""
    few = through_dask(group, itertools.islice(timed(3600), 6))
    more = through_dask(group, timed(seconds))
    students = more[0] - few[0]
    by_clock, cpu = ((late - early) / students for early, late in zip(few[1:], more[1:]))
    return {
        "students": more[0],
        "seconds by the clock": round(by_clock, 2),
        "cpu seconds": round(cpu, 2),
        "hours of one core for 10,000": round(cpu * CLASS / 3600, 1),
        "load": round(os.getloadavg()[0], 1),
    }


# --- A class in a folder ---


def hand_in(folder, draw):
    """Write one student's eight notebooks."""
    folder.mkdir(parents=True, exist_ok=True)
    written = bodies(draw)
    for path in notebooks.paths():
        content = notebooks.load(path)
        for cell in content["cells"]:
            for number in MARK.findall(cell["source"]) if cell["cell_type"] == "code" else ():
                cell["source"] = exercises()[number].source(written[number])
        (folder / path.name).write_text(json.dumps(content), encoding="utf-8")


def main(arguments):
    parser = argparse.ArgumentParser("python -m benchmarks.grading", description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    for name in ("cpu", "many"):
        kind = kinds.add_parser(name)
        store.add_option(kind, f"grading_{name}")
        if name == "many":
            kind.add_argument("--seconds", type=float, default=300)
    kind = kinds.add_parser("class")
    kind.add_argument("folder", type=Path)
    kind.add_argument("students", type=int, nargs="?", default=50)
    options = parser.parse_args(arguments)
    if options.kind == "class":
        for number in range(options.students):
            hand_in(options.folder / "class" / f"student-{number:02}" / "notebooks", number)
        grades = str(options.folder / "grades.csv")
        return command.main([str(options.folder / "class"), "--out", grades])
    try:
        with Group() as group:
            found = (
                measure_cpu(group)
                if options.kind == "cpu"
                else measure_many(group, options.seconds)
            )
    except OSError as error:
        print(f"Nothing measured: {error} (it needs Linux, and root)", file=sys.stderr)
        return 2
    call = f"python -m benchmarks.grading {options.kind} --store"
    if options.kind == "cpu":
        total = found["parent"] + found["others"]
        rows = [
            ("grading a full right submission (promised: ≤ 1.5)", f"{total:.2f}", "CPU seconds"),
            ("of these the grader's own process", f"{found['parent']:.2f}", "CPU seconds"),
        ]
    else:
        hours = found["hours of one core for 10,000"]
        rows = [
            ("submissions graded through Dask, two workers", f"{found['students']:,}", ""),
            ("one of them, all processes", f"{found['cpu seconds']:.2f}", "CPU seconds"),
            ("10,000 of them, from that slope", f"{hours:.1f}", "hours of one core"),
        ]
    print(json.dumps(found, indent=1))
    if options.store:
        store.write(options.store, found, [store.row(n, v, call, unit) for n, v, unit in rows])
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
