"""Grading a class: right and wrong answers, broken files, and answers that mean harm."""

import csv
import io
import json
import os
import re
import shutil
import sys
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from course.__main__ import main as course
from course.grading import budget, content, files, judging, pages
from course.grading.budget import Budget, Unreadable
from course.grading.cells import is_blank
from course.grading.command import main, shown_progress
from course.grading.engines import grade
from course.grading.report import Row, harmless
from course.grading.report import table as table_of_rows
from course.grading.submissions import page_name, read_all
from course.lessons import notebooks
from course.lessons.exercise import exercises
from course.sandbox import cage, runner, seccomp
from course.student import edition

LESSON = "03"
# The lesson's exercises, however many: the tests name the first three and the last, no other.
NUMBERS = [number for number in exercises() if number[:2] == LESSON]
COUNT, LAST, OTHERS = len(NUMBERS), NUMBERS[-1], NUMBERS[1:]
QUICK = runner.Limits(seconds=3.0, cpu=1, memory=1 << 30)
NORMALISED = exercises()["03.1"].solution

linux = pytest.mark.skipif(sys.platform != "linux", reason="these walls are Linux's")
CAGED = not cage.problem()
needs_a_cage = pytest.mark.skipif(not CAGED, reason=f"no cage here: {cage.problem()}")


def cells_of(bodies):
    """The exported cells of the lesson with other bodies; None leaves an exercise's cell out."""
    cells = []
    for cell in exercises()[NUMBERS[0]].notebook.cells:
        number = next((n for n in NUMBERS if exercises()[n].cell == cell), None)
        if number in bodies:
            if bodies[number] is not None:
                cells.append(exercises()[number].source(bodies[number]))
        elif cell.module:
            cells.append(cell.source)
    return cells


def notebook(*sources):
    cells = [{"cell_type": "code", "source": source.splitlines(True)} for source in sources]
    return json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells})


def hand_in(folder, bodies=None, *more):
    """A student's folder with lesson 03."""
    path = folder / "notebooks" / "03_functional.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(notebook(*cells_of(bodies or {}), *more), encoding="utf-8")
    return path


def graded(folder, limits=QUICK, jobs=2):
    """{student: {exercise: mark}} of lesson 03, and the submissions."""
    found = read_all(folder)
    marks = grade(found, [LESSON], jobs, limits, caged=CAGED)
    return [{mark.exercise: mark for mark in own} for own in marks], found


def table(marks):
    """The long table of marks, of any students."""
    students = list(dict.fromkeys(mark.student for mark in marks))
    rows = [Row(name, name, [m for m in marks if m.student == name]) for name in students]
    return table_of_rows(rows)


def feedback(submission, marks):
    """The page of a student."""
    return pages.feedback(Row(submission.student, submission.page, marks, submission.remarks))


def statuses(marks):
    """What became of each exercise; where grading itself failed, why."""
    return [m.diagnosis if m.failed else m.status for m in marks.values()]


def test_right_wrong_blank_and_missing(tmp_path):
    blank = {number: exercises()[number].blank() for number in NUMBERS}
    hand_in(tmp_path / "ann")
    hand_in(tmp_path / "ben", {"03.1": "return x", "03.2": blank["03.2"], "03.3": None})
    hand_in(tmp_path / "cas", blank)
    (tmp_path / "dan").mkdir()
    (tmp_path / "eve.ipynb").write_text(notebook(*cells_of({LAST: "pass"})), encoding="utf-8")
    (tmp_path / "notes.txt").write_text("not a submission", encoding="utf-8")
    marks, found = graded(tmp_path)
    names = [submission.student for submission in found]
    assert names == ["ann", "ben", "cas", "dan", "eve", "notes.txt"]
    assert list(map(statuses, marks)) == [
        ["right"] * COUNT,
        # dropout and cross-entropy are right, although the whole lesson cannot be
        ["wrong", "blank", "missing", *["right"] * (COUNT - 3)],
        ["blank"] * COUNT,
        ["missing"] * COUNT,
        ["right"] * (COUNT - 1) + ["blank"],
        ["unreadable"] * COUNT,
    ]
    assert "one half" in marks[1]["03.1"].diagnosis
    points = [sum(mark.points for mark in own.values()) for own in marks]
    assert points == [COUNT, COUNT - 3, 0, 0, COUNT - 1, 0]
    assert "no notebook with an exercise" in found[3].remarks[0]


def test_python_is_parsed_by_one_thread_at_a_time(monkeypatch):
    inside, most = [], []

    def slow(source):
        inside.append(source)
        most.append(len(inside))
        time.sleep(0.02)
        inside.pop()

    monkeypatch.setattr(notebooks.ast, "parse", slow)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(notebooks.parse_python, "abcd"))
    assert most == [1] * 4


def test_one_who_is_stuck_keeps_what_is_right(tmp_path):
    hand_in(tmp_path / "ann", {"03.1": "while True:\n    pass"}, "#| export functional\n1 / 0")
    (marks,), (submission,) = graded(tmp_path)
    assert statuses(marks) == ["wrong", *["right"] * len(OTHERS)]
    assert "does not come to an end" in marks["03.1"].diagnosis
    assert "cannot be loaded as a whole (ZeroDivisionError" in submission.remarks[0]


def test_a_helper_in_another_cell_counts(tmp_path):
    helper = f"#| export functional\ndef mine(x, axis):\n{indented(NORMALISED)}"
    hand_in(tmp_path / "ann", {"03.1": "return mine(x, axis)"}, helper)
    (marks,), _ = graded(tmp_path)
    assert statuses(marks) == ["right"] * COUNT


def indented(text):
    return "\n".join("    " + line for line in text.strip("\n").split("\n")) + "\n"


def test_marks_around_the_solution_and_the_order_of_the_lines_are_not_needed(tmp_path):
    plain = exercises()["03.1"].source(NORMALISED)
    plain = plain.replace("    ### BEGIN SOLUTION\n", "").replace("    ### END SOLUTION", "")
    first, second, rest = plain.split("\n", 2)
    (tmp_path / "ann.ipynb").write_text(notebook(f"\n{second}\n{first}\n{rest}"), encoding="utf-8")
    (marks,), _ = graded(tmp_path)
    assert statuses(marks) == ["right", *["missing"] * len(OTHERS)]


def test_of_two_cells_for_one_exercise_the_last_counts(tmp_path):
    hand_in(tmp_path / "ann", {}, exercises()["03.1"].source("return x"))
    (marks,), (submission,) = graded(tmp_path)
    assert marks["03.1"].status == "wrong"
    assert "there are 2 cells marked as exercise 03.1" in submission.remarks[0]


def test_the_student_s_edition_is_blank_and_what_was_borrowed_gives_no_point(tmp_path):
    path = tmp_path / "ann" / "notebooks" / "03_functional.ipynb"
    path.parent.mkdir(parents=True)
    path.write_bytes(edition.edition_files()["notebooks/03_functional.ipynb"])
    body = f"{exercises()['03.1'].borrowed()}\n{NORMALISED}"
    hand_in(tmp_path / "ben", {"03.1": body})
    old = tmp_path / "ben" / edition.BACKUPS / "notebooks" / "03_functional.ipynb"
    old.parent.mkdir(parents=True)
    old.write_bytes(path.read_bytes())
    marks, found = graded(tmp_path)
    assert list(map(statuses, marks)) == [["blank"] * COUNT, ["borrowed", *["right"] * len(OTHERS)]]
    assert not found[1].remarks


def test_a_student_s_copy_of_the_course_does_not_grade(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("course.grading.command.ROOT", tmp_path)
    (tmp_path / "course").mkdir()
    (tmp_path / edition.MARKER).write_text("{}", encoding="utf-8")
    assert main([str(tmp_path), "--out", str(tmp_path / "a")]) == 2
    assert "a student's copy" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("body", "blank"),
    [
        ('raise NotYet("03.1")', True),
        ("# my thoughts\nraise NotYet('03.1')", True),
        ("raise NotImplementedError()", True),
        ("", True),
        ("pass", True),
        ("return x", False),
        ('return x\nraise NotYet("03.1")', False),
    ],
)
def test_what_is_blank(body, blank):
    cell = exercises()["03.1"].source(body)
    bare = "\n".join(line for line in cell.split("\n") if "SOLUTION" not in line)
    assert is_blank(exercises()["03.1"], cell) is blank
    assert is_blank(exercises()["03.1"], bare) is blank


# --- Files that are none ---


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "it is empty"),
        (b'{"cells": [', "not JSON"),
        (b"\xff{}\x80", "not in UTF-8"),
        (b"[" * 200_000 + b"]" * 200_000, "nested too deeply"),
        (b'{"cells": ' + b"[" * 50_000 + b"]" * 50_000 + b"}", "nested too deeply"),
        (b"[]", "no list of cells"),
        (b'{"worksheets": []}', "no list of cells"),
        (b'{"cells": 5}', "no list of cells"),
        (b'{"cells": [' + b"9" * 5000 + b"]}", "not JSON"),
    ],
)
def test_a_file_that_is_no_notebook(tmp_path, data, words):
    path = tmp_path / "ann" / "03_functional.ipynb"
    path.parent.mkdir()
    path.write_bytes(data)
    hand_in(tmp_path / "ben")
    marks, (submission, _) = graded(tmp_path)
    assert list(map(statuses, marks)) == [["unreadable"] * COUNT, ["right"] * COUNT]
    assert words in marks[0]["03.1"].diagnosis
    assert words in submission.remarks[0] and str(tmp_path) not in submission.remarks[0]


@pytest.mark.parametrize(
    "cell",
    [
        None,
        5,
        {},
        {"cell_type": "code"},
        {"cell_type": "code", "source": 5},
        {"cell_type": "code", "source": [["x"], {}, 5, None]},
        {"cell_type": "code", "source": "\ud800"},
        {"cell_type": ["code"], "source": "x"},
    ],
)
def test_a_cell_that_is_none_is_passed_over(tmp_path, cell):
    path = tmp_path / "a.ipynb"
    good = {"cell_type": "code", "source": "#| export nn\nx = '\ud800'"}
    path.write_text(json.dumps({"cells": [cell, good]}), encoding="utf-8")
    assert content.cells_of(path.read_bytes(), Budget())[-1] == "#| export nn\nx = '?'"


def test_a_million_cells_and_a_large_file(tmp_path, monkeypatch):
    path = tmp_path / "a.ipynb"
    path.write_text('{"cells": [' + "{}," * 1_000_000 + "{}]}", encoding="utf-8")
    assert content.cells_of(path.read_bytes(), Budget()) == []
    monkeypatch.setattr(budget, "NOTEBOOK_LIMIT", 1_000_000)
    (found,) = files.find(path, Budget())
    with pytest.raises(Unreadable, match="larger than 1 MB"):
        found.read(Budget())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names here")
def test_links_and_pipes(tmp_path):
    secret = hand_in(tmp_path / "elsewhere")
    folder = tmp_path / "class"
    hand_in(folder / "ann").rename(folder / "ann" / "real.ipynb")
    (folder / "ann" / "notebooks" / "03_functional.ipynb").symlink_to("../real.ipynb")
    (folder / "ben").mkdir()
    (folder / "ben" / "03_functional.ipynb").symlink_to(secret)
    (folder / "cas").symlink_to(tmp_path / "elsewhere")
    (folder / "dan").mkdir()
    os.mkfifo(folder / "dan" / "03_functional.ipynb")
    (folder / "eve").mkdir()
    (folder / "eve" / "loop").symlink_to(folder / "eve")
    (folder / "eve" / "03_a.ipynb").symlink_to(folder / "eve" / "03_a.ipynb")
    marks, found = graded(folder)
    expected = [["right"] * COUNT, *[["unreadable"] * COUNT] * 4]
    assert list(map(statuses, marks)) == expected
    assert "outside" in found[1].remarks[0]
    assert "a link was handed in" in marks[2]["03.1"].diagnosis


def test_folders_in_folders(tmp_path):
    hand_in(tmp_path / "ann" / "my-course")
    hand_in(tmp_path / "ben" / "a" / "b" / "c" / "d" / "e" / "f" / "g")
    hand_in(tmp_path / "dan" / "/".join("abcdefghijklmnopqrstuvwxyz"))  # too deep, and said so
    copy = hand_in(tmp_path / "cas")
    (tmp_path / "cas" / "notebooks" / ".ipynb_checkpoints").mkdir()
    for name in (".ipynb_checkpoints/03_functional-checkpoint.ipynb", "03_functional (1).ipynb"):
        (copy.parent / name).write_bytes(copy.read_bytes())
    marks, found = graded(tmp_path)
    assert [own["03.1"].status for own in marks] == ["right"] * 3 + ["missing"]
    assert len(found[2].notebooks) == 1 and "was left out" in found[2].remarks[0]
    assert "too deep" in found[3].remarks[0]


# --- Names, and what comes out ---

NAMES = [
    "=HYPERLINK(1)",
    "@ann",
    "-2+3",
    "<script>alert(1)</script>",
    "Ann",
    "ann",
    "con",
    "a\nb",
    "ünï",
    "x" * 200,
    "\u202egnp",
    os.fsdecode(b"bad\xff"),
    "a&b",
    "..ann",
    "ann-0123abcd",
]


@linux
def test_hostile_names(tmp_path):
    for name in NAMES:
        (tmp_path / "class" / name).mkdir(parents=True)
    assert main([str(tmp_path / "class"), "--out", str(tmp_path / "g.csv"), "--lessons", "03"]) == 0
    text = (tmp_path / "g.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.reader(io.StringIO(text)))
    shown = NAMES
    assert len(rows) == 1 + COUNT * len(shown)
    assert not [cell for row in rows for cell in row if cell[:1] in "=+-@" and cell]
    names = sorted(path.name for path in (tmp_path / "feedback").iterdir())
    names.remove("index.html")
    assert len({name.lower() for name in names}) == len(shown)
    assert all(len(name.encode()) < 120 for name in names)
    assert not [c for name in names for c in name if not c.isalnum() and c not in "-_."]
    for page in (tmp_path / "feedback").iterdir():
        assert "<script" not in page.read_text(encoding="utf-8")


def test_page_names():
    assert page_name("ann") == "ann"
    for name in ("Ann", "con", "a/b", "..", "", "ann-0123abcd", "ä"):
        assert page_name(name)[-9] == "-" and page_name(name) != page_name(name + "x")


def test_no_cell_is_a_formula():
    for text in ("=1", "+1", "-1", "@x", "\t=1", " =1", "＝1"):
        assert harmless(text) == "'" + text
    assert harmless("3 = 3") == "3 = 3"
    assert harmless("a;=1") == "a;'=1" and harmless("a\t @x\n-1") == "a\t' @x\n'-1"


def test_a_page_shows_what_the_check_said_as_text(tmp_path):
    hand_in(tmp_path / "a&b", {"03.1": "raise ValueError('<b>&\\x1b[31m\\n=1')"})
    (marks,), (submission,) = graded(tmp_path)
    page = feedback(submission, list(marks.values()))
    assert "&lt;b&gt;&amp;" in page and "<b>" not in page and "\x1b" not in page
    assert "<h1>a&amp;b</h1>" in page and f"{COUNT - 1} of {COUNT} exercises are right" in page
    assert "03.2: Layer norm" in page and "✗ wrong" in page and "✓ right" in page
    assert "\x1b" not in table(list(marks.values()))


def test_the_order_of_the_work_changes_nothing(tmp_path):
    for place, body in enumerate(["return x", NORMALISED, 'raise NotYet("03.1")', "return 1"]):
        hand_in(tmp_path / f"student-{place}", {"03.1": body})
    tables = []
    for jobs in (1, 3):
        marks = grade(read_all(tmp_path), [LESSON], jobs, QUICK, caged=CAGED)
        tables.append(table([mark for own in marks for mark in own]))
    assert tables[0] == tables[1]
    first = (
        '\ufeff"student","exercise","points","status","diagnosis","course"\n'
        '"student-0","03.1","0","wrong",'
    )
    assert tables[0].startswith(first)


def test_the_command(tmp_path, capsys):
    hand_in(tmp_path / "class" / "ann")
    out = tmp_path / "out" / "grades.csv"
    arguments = ["grade", str(tmp_path / "class"), "--out", str(out), "--lessons", "03"]
    assert course([*arguments, "--jobs", "1"]) == 0
    assert f"{COUNT} of {COUNT} exercises right" in capsys.readouterr().out
    assert sorted(path.name for path in out.parent.iterdir()) == [
        "feedback",
        "grades.csv",
        "grades.kept.jsonl",
    ]
    assert (out.parent / "feedback" / "ann.html").exists()
    for wrong in (
        [*arguments[:-1], "3"],
        [*arguments, "--feedback", str(tmp_path / "class" / "pages")],
        ["grade", str(tmp_path / "nowhere"), "--out", str(out)],
    ):
        assert course(wrong) == 2
        assert "Nothing graded: " in capsys.readouterr().err
    with pytest.raises(SystemExit) as refused:
        course([*arguments, "--jobs", "0"])
    assert refused.value.code == 2
    assert "--jobs: must be at least 1" in capsys.readouterr().err


def test_only_so_many_files_are_looked_at(tmp_path, monkeypatch):
    path = hand_in(tmp_path / "ann")
    for number in range(files.NOTEBOOKS_LIMIT):
        (path.parent / f"x{number}.ipynb").write_text("{", encoding="utf-8")
    (submission,) = read_all(tmp_path)
    assert "only the first 50 notebooks were read" in submission.remarks
    assert submission.lesson("03")
    monkeypatch.setattr(budget, "FILES_LIMIT", 10)
    (submission,) = read_all(tmp_path)
    assert "after 10 files nothing more was looked at" in submission.remarks


def test_progress_without_a_terminal(capsys):
    with shown_progress(4) as progress:
        for _ in range(4):
            progress()
    assert capsys.readouterr().err.splitlines()[-1] == "4 of 4 students graded"


def test_a_system_that_cannot_fork_grades_as_well(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "CAN_FORK", False)
    hand_in(tmp_path / "ann", {"03.1": "return x", **dict.fromkeys(NUMBERS[2:])})
    (marks,), _ = graded(tmp_path, runner.Limits(seconds=20.0))
    assert statuses(marks)[:2] == ["wrong", "right"]


def test_a_mistake_of_ours_costs_one_lesson(tmp_path, monkeypatch, capsys):
    hand_in(tmp_path / "class" / "ann")
    monkeypatch.setattr("course.grading.judging.whole", lambda *_: 1 / 0)
    out = tmp_path / "grades.csv"
    assert main([str(tmp_path / "class"), "--out", str(out), "--lessons", "03"]) == 1
    assert "could not be graded" in capsys.readouterr().err
    assert out.read_text(encoding="utf-8").count("ZeroDivisionError") == COUNT


# --- Answers that mean harm ---


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
            "come to an end",
        ),
        ("import os\nos._exit(0)", "ended the process"),
        ("import os, signal\nos.abort()", "ended the process"),
        ("x = bytearray(1 << 40)", "MemoryError"),
        ("x = []\nwhile True: x.append(np.zeros(1 << 24))", "MemoryError"),
        ("return 'x' * (1 << 25)", "too large"),
        ("x = []\nfor _ in range(900): x = [x]\nreturn x", ""),
    ],
)
def test_what_takes_too_much_costs_its_own_marks(tmp_path, monkeypatch, body, words):
    monkeypatch.setattr(runner, "crowd", lambda: 1.0)  # as on a quiet machine
    hand_in(tmp_path / "ann", {"03.1": body, **dict.fromkeys(OTHERS)})
    began = time.monotonic()
    (marks,), _ = graded(tmp_path)
    assert marks["03.1"].status == "wrong" and words in marks["03.1"].diagnosis
    assert time.monotonic() - began < 2 * QUICK.seconds + 2


def test_messages_that_are_forged_cost_their_own_marks(tmp_path):
    forge = (
        "#| export functional\nimport gc, json, os, struct, sys\n"
        "data = json.dumps(MESSAGE).encode()\n"
        "for fd in range(3, 64):\n    try:\n"
        "        os.write(fd, struct.pack('<I', len(data)) + data)\n"
        "    except OSError:\n        pass\n"
    )
    for student, message in {
        "ann": '{"ready": True}',
        "ben": '{"raised": 5}',
        "dan": "[]",
        "fay": '{"value": None}',
        "cas": '{"raised": {"words": "x" * 10**6}}',
        "eve": '{"value": {"array": ["<f4", [-5], "", 0]}}',
    }.items():
        hand_in(tmp_path / student, {}, forge.replace("MESSAGE", message))
    marks, found = graded(tmp_path, runner.Limits(seconds=3.0))
    assert all(mark.status in ("right", "wrong") for own in marks for mark in own.values())
    assert all(len(mark.lines) < 20_000 for own in marks for mark in own.values())
    assert all(len(words) < 2_000 for submission in found for words in submission.remarks)


def test_one_who_sleeps_is_woken_by_the_clock(tmp_path, monkeypatch):
    monkeypatch.setattr(runner, "crowd", lambda: 1.0)  # as on a quiet machine
    asleep = "import time\ntime.sleep(100)"
    hand_in(tmp_path / "ann", {"03.1": asleep, **dict.fromkeys(OTHERS)})
    began = time.monotonic()
    (marks,), _ = graded(tmp_path, runner.Limits(seconds=0.7))
    assert "come to an end" in marks["03.1"].diagnosis
    assert time.monotonic() - began < 4


def test_a_module_that_never_loads_or_ends_the_process(tmp_path):
    only = dict.fromkeys(NUMBERS[2:])
    hand_in(tmp_path / "ann", only, "#| export functional\nwhile True: pass")
    hand_in(tmp_path / "ben", only, "#| export functional\nimport os\nos._exit(0)")
    marks, found = graded(tmp_path)
    assert [statuses(own)[:2] for own in marks] == [["right"] * 2] * 2
    assert "it does not come to an end" in found[0].remarks[0]
    assert "it ends the process" in found[1].remarks[0]


def test_a_flood_of_output_goes_nowhere(tmp_path, capfd):
    write = "    print('x' * 10**6)\n    os.write(2, b'y' * 10**6)\n"
    flood = "import os\nfor _ in range(50):\n" + write
    hand_in(tmp_path / "ann", {"03.1": flood + NORMALISED, **dict.fromkeys(OTHERS)})
    (marks,), _ = graded(tmp_path, runner.Limits(seconds=9.0))
    assert marks["03.1"].status == "right"
    captured = capfd.readouterr()
    assert len(captured.out) + len(captured.err) < 1000


def stopped(folder, attempt, outside=""):
    """Whether an attempt was stopped with an OSError or its like: only then is the answer right."""
    lines = attempt.format(outside=outside)
    body = (
        f"import os\ntry:\n{indented(lines)}except (OSError, ImportError, ValueError):\n"
        f"{indented(NORMALISED)}return None"
    )
    hand_in(folder / "class" / "ann", {"03.1": body, **dict.fromkeys(OTHERS)})
    (marks,), _ = graded(folder / "class")
    return marks["03.1"].status == "right", marks["03.1"].lines


@pytest.mark.parametrize(
    "attempt",
    [
        "os.fork()",
        "import subprocess\nsubprocess.run(['true'])",
        "os.system('true')",
        "import multiprocessing\nmultiprocessing.Process(target=print).start()",
        "import socket\nsocket.create_connection(('127.0.0.1', 9))",
        "os.kill(os.getppid(), 0)",
        "open('{outside}/a', 'w')",
        "open('{outside}/here.txt').read()",
        "os.remove('{outside}/here.txt')",
        "open('a', 'w').close()\nos.rename('a', '{outside}/b')",
        "os.symlink('{outside}', 'a')",
        "os.chmod('{outside}/here.txt', 0)",
        "import sqlite3\nsqlite3.connect('{outside}/a')",
        "os.listdir('{outside}')",
        "import course.checks.lesson_03",
        "import ctypes\nctypes.pythonapi.system(b'true')",
    ],
)
def test_what_honest_code_does_by_accident_is_stopped_everywhere(tmp_path, attempt):
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "here.txt").write_text("another's work", encoding="utf-8")
    right, said = stopped(tmp_path, attempt, tmp_path / "outside")
    assert right, said
    assert [path.name for path in (tmp_path / "outside").iterdir()] == ["here.txt"]
    assert (tmp_path / "outside" / "here.txt").read_text(encoding="utf-8") == "another's work"


# These get around the guard in Python; the cage has to stop them.
BYPASSES = [
    "import multiprocessing as m\nm.get_context('spawn').Process(target=print).start()",
    "import socket\nsocket.socket()",
    "import signal\nsignal.pidfd_send_signal(os.pidfd_open(os.getppid()), 0)",
    "import resource\nresource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
    "os.memfd_create('x')",
    "os.setxattr('.', 'user.x', b'')",
    "os.mkfifo('{outside}/a')",
    "os.mknod('{outside}/a')",
    "os.chdir('{outside}')\nimport _io\n_io.FileIO(os.open('x', os.O_CREAT))",
    "d = os.open('.', os.O_RDONLY)\nos.chdir('{outside}')\n"
    "os.mkdir('a', dir_fd=os.open('{outside}', os.O_PATH))",
    "os.stat('{outside}')",
    "os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)",
    "os.sched_setaffinity(os.getppid(), [0])",
    "os.sched_setscheduler(os.getppid(), os.SCHED_BATCH, os.sched_param(0))",
    "import fcntl, struct\nf = open('a', 'w')\nfcntl.fcntl(f, 15, struct.pack('ii', 1, {parent}))",
    "import fcntl\nfcntl.fcntl(open('a', 'w'), fcntl.F_SETOWN, {parent})",
    "import fcntl, struct\nr, w = os.pipe()\nfcntl.ioctl(r, 0x8901, struct.pack('i', {parent}))",
    "import ctypes\nctypes.CDLL(None).syscall(29, 77, 4096, 0o1600)\nraise OSError",
]


@needs_a_cage
@pytest.mark.parametrize("attempt", BYPASSES)
def test_what_gets_around_the_guard_meets_a_wall(tmp_path, attempt):
    (tmp_path / "outside").mkdir()
    attempt = attempt.replace("{parent}", str(os.getpid()))
    right, said = stopped(tmp_path, attempt, tmp_path / "outside")
    assert right, said
    assert not list((tmp_path / "outside").iterdir())


# Signals to the one who made the process; what they say is that nobody else was hurt.
ATTACKS = [
    "import fcntl, signal\nr, w = os.pipe()\nfor pid in (os.getppid(), 1, {parent}):\n"
    "    try:\n        fcntl.fcntl(r, fcntl.F_SETOWN, pid)\n"
    "        fcntl.fcntl(r, fcntl.F_SETSIG, 9)\n"
    "        fcntl.fcntl(r, fcntl.F_SETFL, os.O_ASYNC)\n        os.write(w, b'x')\n"
    "    except OSError:\n        pass\n",
    "for pid in (os.getppid(), 1, {parent}):\n    try:\n        os.kill(pid, 9)\n"
    "    except OSError:\n        pass\n",
    "import sys\nf = os.path.join('a', *['a'] * 400)\ntry:\n    for _ in range(3000):\n"
    "        os.mkdir('d'); os.chdir('d')\nexcept OSError:\n    pass\n",
    "try:\n    for k in range(64):\n        open(str(k), 'wb').write(b'x' * 900_000)\n"
    "except OSError:\n    pass\n",
    "import gc\nfor s in gc.get_objects():\n    if type(s).__name__ == 'socket': s.close()\n",
    "for fd in range(3, 64):\n    try:\n        os.close(fd)\n    except OSError:\n        pass\n",
]


@needs_a_cage
@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_costs_its_author_alone(tmp_path, attack):
    attack = "import os\n" + attack.replace("{parent}", str(os.getpid()))
    for number in range(2):
        hand_in(tmp_path / f"evil-{number}", {"03.1": attack + "return x", "03.2": attack})
        hand_in(tmp_path / f"good-{number}")
    marks, found = graded(tmp_path, runner.Limits(seconds=9.0))
    for own, submission in zip(marks, found, strict=True):
        if submission.student.startswith("good"):
            assert statuses(own) == ["right"] * COUNT
        else:
            assert own["03.1"].status == "wrong" and statuses(own)[2:] == ["right"] * (COUNT - 2)


THIEVES = [
    # our own text, or our own code, taken from the importer, from memory or from a file
    "import sys, types\nfor finder in sys.meta_path:\n"
    "    for key, code in list(getattr(finder, 'codes', getattr(finder, 'texts', {})).items()):\n"
    "        if key == 'functional' and not isinstance(code, str):\n"
    "            for part in code.co_consts:\n"
    "                if getattr(part, 'co_name', '') == '_softmax':\n"
    "                    f = types.FunctionType(part, globals(), '_softmax', (-1,))\n"
    "                    return f(x, axis)\n",
    "import gc, types\nfor c in gc.get_objects():\n"
    "    if isinstance(c, types.FunctionType) and c.__name__ == '_softmax':\n"
    "        if c.__code__ is not _softmax.__code__:\n            return c(x, axis)\n",
    "import glob\nfor place in glob.glob('/**/functional.py', recursive=True):\n"
    "    text = open(place).read()\n    space = {'np': np}\n"
    "    exec(text[text.index('def _softmax'):].split('\\n\\n\\n')[0], space)\n"
    "    return space['_softmax'](x, axis)\n",
    "import inspect\nraise ValueError(inspect.getsource(log_softmax))\n",
]


@needs_a_cage
@pytest.mark.parametrize("theft", THIEVES)
def test_nobody_gets_a_mark_with_our_solution(tmp_path, theft):
    hand_in(tmp_path / "ann", {"03.1": theft + "return None"})
    (tmp_path / "ben.ipynb").write_text(
        notebook(exercises()["03.1"].source(theft + "return None")), encoding="utf-8"
    )
    marks, found = graded(tmp_path, runner.Limits(seconds=9.0))
    for own, submission in zip(marks, found, strict=True):
        assert own["03.1"].status == "wrong", own["03.1"].lines
        page = feedback(submission, list(own.values()))
        solution = [line.strip() for line in NORMALISED.splitlines() if len(line.strip()) > 25]
        assert not [line for line in solution if line in page]


@needs_a_cage
def test_nothing_is_left_in_the_cage_for_the_next_check(tmp_path):
    leave = "import os\nopen('note', 'w').write('x')\nprint(sorted(os.listdir('.')))\n"
    both = {"03.1": leave + NORMALISED, "03.3": leave + exercises()["03.3"].solution}
    hand_in(tmp_path / "ann", both)
    (marks,), _ = graded(tmp_path, runner.Limits(seconds=9.0))
    assert marks["03.1"].status == marks["03.3"].status == "right"
    assert "it printed: ['note']" in marks["03.3"].lines


@linux
def test_without_a_cage_nothing_is_graded_unless_it_is_trusted(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("course.sandbox.cage.problem", lambda: "bubblewrap is not installed")
    hand_in(tmp_path / "class" / "ann")
    arguments = [str(tmp_path / "class"), "--out", str(tmp_path / "g.csv"), "--lessons", "03"]
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert "bubblewrap is not installed" in said and "--trust-submissions" in said
    assert main([*arguments, "--trust-submissions"]) == 0
    assert "only a guard against accidents" in capsys.readouterr().out


@needs_a_cage
def test_a_bomb_of_processes_leaves_none_behind(tmp_path):
    bomb = (
        "import multiprocessing as m, threading\nfor _ in range(50):\n    try:\n"
        "        m.get_context('spawn').Process(target=print).start()\n"
        "    except OSError:\n        pass\n"
    )
    hand_in(tmp_path / "ann", {"03.1": bomb + NORMALISED, **dict.fromkeys(OTHERS)})
    (marks,), _ = graded(tmp_path, runner.Limits(seconds=9.0))
    assert marks["03.1"].status == "right", marks["03.1"].lines
    assert family(os.getpid(), "bwrap") == 0


def family(pid, name):
    """How many children of that name a process has, soon."""
    deadline = time.monotonic() + 3
    while True:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            children = file.read().split()
        names = [
            Path(f"/proc/{child}/comm").read_text(encoding="utf-8").strip() for child in children
        ]
        if name not in names or time.monotonic() > deadline:
            return names.count(name)
        time.sleep(0.05)


# --- Fairness: what must not cost a mark ---


def zipped(path, members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)


@pytest.mark.parametrize("order", [1, -1])
def test_a_copy_beside_the_notebook(tmp_path, order):
    """Jupyter's `-Copy1`: the one in which more is written counts, whatever it is called."""
    blank = dict.fromkeys(NUMBERS) | {n: exercises()[n].blank() for n in NUMBERS}
    path = hand_in(tmp_path / "ann")
    copy = path.with_name("03_functional-Copy1.ipynb")
    copy.write_text(notebook(*cells_of(blank)), encoding="utf-8")
    if order < 0:
        one, other = path.read_bytes(), copy.read_bytes()
        path.write_bytes(other), copy.write_bytes(one)
    (marks,), (submission,) = graded(tmp_path)
    assert statuses(marks) == ["right"] * COUNT
    assert "was left out" in submission.remarks[0]


def test_of_two_that_are_equally_full_the_course_s_own_name_counts(tmp_path):
    path = hand_in(tmp_path / "ann", {"03.1": "return x"})
    path.rename(path.with_name("03_functional-Copy1.ipynb"))
    (path.parent / "a").mkdir()
    hand_in(tmp_path / "ben").rename(path.parent / "a" / "03_functional.ipynb")
    shutil.rmtree(tmp_path / "ben")
    (marks,), _ = graded(tmp_path)
    assert statuses(marks) == ["right"] * COUNT


def test_a_zip_is_read_and_never_unpacked(tmp_path):
    good = notebook(*cells_of({}))
    zipped(tmp_path / "zoe.zip", {"repo-main/notebooks/03_functional.ipynb": good, "a.txt": "x"})
    zipped(tmp_path / "mac.ZIP", {"__MACOSX/._03_a.ipynb": "x", "03_functional.ipynb": good})
    (tmp_path / "moodle").mkdir()
    zipped(tmp_path / "moodle" / "hand-in.zip", {"x/03_functional.ipynb": good})
    marks, found = graded(tmp_path)
    assert [s.student for s in found] == ["mac", "moodle", "zoe"]
    assert list(map(statuses, marks)) == [["right"] * COUNT] * 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mac.ZIP", "moodle", "zoe.zip"]


def test_zips_that_mean_harm(tmp_path):
    good = notebook(*cells_of({}))
    zipped(tmp_path / "bomb.zip", {"03_functional.ipynb": b"0" * 150_000_000})
    zipped(tmp_path / "many.zip", {f"{n}.ipynb": "{" for n in range(6000)})
    zipped(tmp_path / "names.zip", {"../03_functional.ipynb": good, "/03_functional.ipynb": good})
    inner = (tmp_path / "names.zip").read_bytes()
    for _ in range(4):
        zipped(tmp_path / "nested.zip", {"inner.zip": inner})
        inner = (tmp_path / "nested.zip").read_bytes()
    (tmp_path / "none.zip").write_bytes(b"PK\x03\x04 no zip")
    data = (tmp_path / "names.zip").read_bytes()
    (tmp_path / "cut.zip").write_bytes(data[: len(data) // 2])
    link = zipfile.ZipInfo("03_functional.ipynb")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "link.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    marks, found = graded(tmp_path)
    assert all(mark.points == 0 for own in marks for mark in own.values())
    said = {s.student: " ".join([*s.remarks, *s.unreadable.values()]) for s in found}
    assert "larger than" in said["bomb"] and "nothing more was looked at" in said["many"]
    assert (
        said["names"].count("leads outside") == 2 and "too deep in other archives" in said["nested"]
    )
    assert "no zip" in said["none"] and "no zip" in said["cut"] and "link" in said["link"]
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".zip"]


@pytest.mark.parametrize(
    "name", ["X.IPYNB", "03_functional.ipynb.txt", ".hidden/03_functional.ipynb", "a b/ü/03.ipynb"]
)
def test_odd_names_get_their_row(tmp_path, name):
    path = tmp_path / name if "/" in name else tmp_path / "ann" / name
    path.parent.mkdir(parents=True)
    path.write_text(notebook(*cells_of({})), encoding="utf-8")
    (marks,), _ = graded(tmp_path)
    assert statuses(marks) == ["right"] * COUNT


def test_every_entry_gets_a_row(tmp_path):
    (tmp_path / ".DS_Store").write_bytes(b"x")
    (tmp_path / "roster.csv").write_text("a,b", encoding="utf-8")
    (tmp_path / "essay.docx").write_bytes(b"x")
    hand_in(tmp_path / "ann")
    marks, found = graded(tmp_path)
    assert [s.student for s in found] == ["ann", "essay.docx", "roster.csv"]
    assert "neither a folder nor a zip" in marks[1]["03.1"].diagnosis


@pytest.mark.parametrize("mark", ["", "#| exercice 03.1", "#| exercise 3.1", "# exercise 03.1"])
def test_a_mark_that_is_gone_or_misspelt(tmp_path, mark):
    path = hand_in(tmp_path / "ann")
    text = path.read_text(encoding="utf-8")
    path.write_text(
        text.replace("#| exercise 03.1\\n", f"{mark}\\n" * bool(mark)), encoding="utf-8"
    )
    (marks,), (submission,) = graded(tmp_path)
    assert statuses(marks) == ["right"] * COUNT
    found = "were read as" if mark.startswith("#|") else "defines _softmax"
    assert any(found in words for words in submission.remarks)


@pytest.mark.parametrize(
    "line", ["%%time", "%load_ext autoreload", "!pip install numpy", "np.exp?"]
)
def test_commands_of_the_notebook_in_a_cell(tmp_path, line):
    cell = exercises()["03.1"].source(NORMALISED)
    first, rest = cell.split("\n", 1)
    changed = f"{line}\n{cell}" if line == "%%time" else f"{first}\n{rest}\n{line}"
    cells = [changed if c == exercises()["03.1"].cell.source else c for c in cells_of({})]
    (tmp_path / "ann.ipynb").write_text(notebook(*cells), encoding="utf-8")
    (marks,), (submission,) = graded(tmp_path)
    assert statuses(marks) == ["right"] * COUNT
    assert "is for a notebook" in submission.remarks[0]


def test_right_but_slow_is_told_so(tmp_path):
    """The words name the limit that was met: on a machine with much to do the clock has a longer one."""
    slow = "import time\ntime.sleep(0.4)\n" + NORMALISED
    hand_in(tmp_path / "ann", {"03.1": slow, **dict.fromkeys(OTHERS)})
    (marks,), _ = graded(tmp_path, runner.Limits(seconds=2.0))
    found = re.match(r"too slow: ([\d.]+) s for the whole check", marks["03.1"].diagnosis)
    assert 2.0 <= float(found[1]) <= 20.0


def test_right_with_twenty_thousand_prints(tmp_path):
    """Time is not what is tested: a slow machine needs seven seconds for so many pictures of arrays."""
    chatty = "for _ in range(2000):\n    print('here', x)\n" + NORMALISED
    hand_in(tmp_path / "ann", {"03.1": chatty, **dict.fromkeys(OTHERS)})
    (marks,), _ = graded(tmp_path, runner.Limits(seconds=60.0, cpu=30))
    assert marks["03.1"].status == "right"


def test_outputs_of_any_size_do_not_matter(tmp_path):
    path = hand_in(tmp_path / "ann")
    book = json.loads(path.read_text(encoding="utf-8"))
    picture = {"output_type": "display_data", "data": {"image/png": "x" * 30_000_000}}
    book["cells"][0]["outputs"] = [picture, {"text": ['] } [ " {']}]
    path.write_text(json.dumps(book), encoding="utf-8")
    (marks,), _ = graded(tmp_path)
    assert statuses(marks) == ["right"] * COUNT


def test_reading_a_submission_has_a_budget(tmp_path, monkeypatch):
    monkeypatch.setattr(budget, "SECONDS_LIMIT", 0.5)
    for number in range(12):
        path = tmp_path / "ann" / f"{number:02}_x.ipynb"
        path.parent.mkdir(exist_ok=True)
        path.write_text('{"cells": [' + "{}," * 1_500_000 + "{}]}", encoding="utf-8")
    hand_in(tmp_path / "ben")
    began = time.monotonic()
    found = read_all(tmp_path)
    assert time.monotonic() - began < 10
    assert any("takes more than 0.5 s to read" in words for words in found[0].remarks)
    assert found[1].lesson("03")


def test_a_helper_outside_of_the_exported_cells(tmp_path):
    helper = f"def mine(x, axis):\n{indented(NORMALISED)}"
    hand_in(tmp_path / "ann", {"03.1": "return mine(x, axis)"}, helper)
    (marks,), (submission,) = graded(tmp_path)
    assert marks["03.1"].status == "wrong"
    assert any("begin that cell with `#| export functional`" in r for r in submission.remarks)


def test_a_helper_in_an_exported_cell_counts_where_the_notebook_cannot_be_loaded(tmp_path):
    helper = f"#| export functional\ndef mine(x, axis):\n{indented(NORMALISED)}"
    bodies = {"03.1": "return mine(x, axis)", "03.2": "this is no Python"}
    hand_in(tmp_path / "ann", bodies, helper)
    spare = tmp_path / "ben" / "03_extra.ipynb"
    hand_in(tmp_path / "ben", {"03.1": exercises()["03.1"].blank()})
    cell = exercises()["03.1"].source("return mine(x, axis)")
    spare.write_text(notebook(helper, cell), encoding="utf-8")
    marks, _ = graded(tmp_path)
    assert [own["03.1"].status for own in marks] == ["right", "right"], marks
    assert marks[0]["03.2"].status == "wrong"


def test_python_that_is_newer_than_the_grader_s_is_remarked(tmp_path):
    hand_in(tmp_path / "ann", {"03.1": "unless x: return y", "03.2": "return x"})
    _, (ann,) = graded(tmp_path)
    remarks = [remark for remark in ann.remarks if "cannot read the cell" in remark]
    assert len(remarks) == 1 and remarks[0].startswith("03.1: Python 3.")


def test_another_library_is_refused_in_words(tmp_path):
    hand_in(tmp_path / "ann", {"03.1": "import torch\nreturn torch.softmax(x, axis)"})
    (marks,), _ = graded(tmp_path)
    assert "NumPy only" in marks["03.1"].diagnosis


@needs_a_cage
def test_a_check_whose_server_died_is_tried_again(tmp_path, monkeypatch):
    """The machine may end a server at any time, for lack of memory, say."""
    started = []

    def fragile():
        server = runner.Server(caged=True)
        started.append(server)
        if len(started) == 1:
            server.fork({}, {}).close()  # it is there
            server.process.kill()
            server.process.wait()
        return server

    monkeypatch.setattr(judging.runner, "caged", fragile)
    hand_in(tmp_path / "ann")
    (marks,), _ = graded(tmp_path, runner.Limits(seconds=9.0))
    assert statuses(marks) == ["right"] * COUNT and len(started) > 1


# --- The filter of system calls, on machines that are not here ---


def outcome(program, machine, number, *arguments):
    """What the kernel would do with a call, by the rules of BPF."""
    data = {0: number, 4: machine}
    for place, argument in enumerate(arguments):
        data[16 + 8 * place], data[20 + 8 * place] = argument & 0xFFFFFFFF, argument >> 32
    value, place = 0, 0
    tests = {seccomp.EQUAL: int.__eq__, seccomp.AT_LEAST: int.__ge__, seccomp.ANY_BIT: int.__and__}
    while True:
        code, true, false, number = program[place]
        if code == seccomp.RETURN:
            return number
        if code == seccomp.LOAD:
            value = data.get(number, 0)
        else:
            place += true if tests[code](value, number) else false
        place += 1


@pytest.mark.parametrize("machine", seccomp.MACHINES)
def test_the_filter_by_the_rules_of_bpf(machine):
    column, name = seccomp.MACHINES[machine]
    program = seccomp.filter_program(machine, 77)

    def of(call, *arguments):
        return outcome(program, name, call[column], *arguments)

    for call in seccomp.REFUSED.values():
        assert call[column] is None or of(call) == seccomp.EPERM
    assert of(seccomp.CLONE3) == seccomp.ENOSYS
    assert (of(seccomp.CLONE, 17), of(seccomp.CLONE, 0x3D0F00)) == (seccomp.EPERM, seccomp.ALLOW)
    for call in (seccomp.KILL, seccomp.TGKILL):
        assert [of(call, pid) for pid in (77, 78, 0, 2**32 - 1)] == [
            seccomp.ALLOW,
            *[seccomp.EPERM] * 3,
        ]
    assert of(seccomp.PRLIMIT, 0, 9, 0, 1) == seccomp.ALLOW  # asks
    assert of(seccomp.PRLIMIT, 0, 9, 1, 0) == of(seccomp.PRLIMIT, 0, 9, 2**32, 0) == seccomp.EPERM
    assert of((0, 63)) == of((1, 64)) == seccomp.ALLOW  # read and write
    assert outcome(program, 3, 0) == seccomp.KILLED
    if machine == "x86_64":
        assert outcome(program, name, 0x40000000 + 59) == seccomp.EPERM
