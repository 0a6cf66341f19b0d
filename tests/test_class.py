"""What a class needs besides marks: tables, a roster, deadlines, and engines for many students."""

import csv
import html
import importlib.util
import json
import os
import re
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from decimal import Decimal
from multiprocessing import get_context
from pathlib import Path

import pytest
import yaml

from benchmarks import grading
from course.grading import command, engines, judging, report, similarity, version
from course.grading.command import main
from course.grading.kept import Kept
from course.grading.marks import written
from course.grading.policy import Policy, Time, number_of, read_policy, time_of
from course.grading.roster import Student, read_roster, students
from course.grading.submissions import page_name, read_all
from course.grading.tables import Refused, read_table
from course.grading.version import course_version
from course.lessons import notebooks
from course.lessons.exercise import exercises
from course.lessons.notebooks import ROOT
from course.lessons.status import Status
from course.sandbox import cage
from maintain import slides
from tests.test_grade import LESSON, NORMALISED, NUMBERS, QUICK, cells_of, hand_in, notebook

CAGED = not cage.problem()
TRUST = [] if CAGED else ["--trust-submissions"]
BLANK = {number: exercises()[number].blank() for number in NUMBERS}
WRONG = BLANK | {"03.1": "return x"}
ONE = BLANK | {"03.1": NORMALISED}


def run(folder, *options):
    """Grade lesson 03 of folder/class into folder/out; returns the exit code."""
    out = folder / "out" / "grades.csv"
    arguments = [str(folder / "class"), "--out", str(out), "--lessons", LESSON, *TRUST]
    return main([*arguments, *map(str, options)])


def rows(path):
    """A CSV file as dictionaries."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def file(folder, name, text):
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def judged_nothing(monkeypatch):
    """A list of the lessons that are judged, none of which takes any time: all are blank."""
    calls = []

    def quick(submission, lesson, room, limits):
        calls.append(lesson)
        return [
            judging.Mark("", number, Status.BLANK, "nothing", "nothing")
            for number in exercises()
            if number[:2] == lesson
        ]

    monkeypatch.setattr(judging, "judge_lesson", quick)
    return calls


# --- Tables ---


def test_the_tables_of_a_class(tmp_path, capsys):
    hand_in(tmp_path / "class" / "ann", ONE)
    hand_in(tmp_path / "class" / "李小龍", WRONG)
    hand_in(tmp_path / "class" / "u77", BLANK)
    roster = file(
        tmp_path, "roster.csv", "Name;Identifier\nAnn A;a1\nANN;u99\n=1+1;u77\nZoë;z9\n李小龍;l5\n"
    )
    points = file(tmp_path, "points.csv", "exercise,points\n03.1,2.5\n03,2\n")
    overrides = file(
        tmp_path, "overrides.csv", "student,exercise,points,reason\nU77,03.2,1.5,<asked>\n"
    )
    wide, similar = tmp_path / "wide.csv", tmp_path / "similar.csv"
    options = ["--roster", roster, "--points", points, "--overrides", overrides, "--wide", wide]
    options += ["--gradescope", tmp_path / "scope", "--similar", similar]
    assert run(tmp_path, *options) == 0
    found = {row["student"]: row for row in rows(wide)}
    assert list(found) == ["a1", "ann", "u77", "z9", "李小龍"]
    assert [row["identifier"] for row in found.values()] == ["a1", "u99", "u77", "z9", "l5"]
    assert [row["03"] for row in found.values()] == ["0", "2.5", "1.5", "0", "0"]
    most = 2.5 + 2 * len(NUMBERS[1:])
    assert {row["of"] for row in found.values()} == {f"{most:g}"}
    assert {row["course"] for row in found.values()} == {course_version()}
    assert found["u77"]["name"] == "'=1+1"
    long = rows(tmp_path / "out" / "grades.csv")
    assert len(long) == 5 * len(NUMBERS) and long[-1]["identifier"] == "l5"
    assert [row["diagnosis"] for row in long if row["student"] == "z9"] == [
        "nothing was handed in"
    ] * len(NUMBERS)
    (given,) = [row for row in long if "by hand" in row["diagnosis"]]
    assert (given["exercise"], given["points"], given["status"]) == ("03.2", "1.5", "blank")
    scope = json.loads((tmp_path / "scope" / "ann.json").read_text(encoding="utf-8"))
    assert scope["score"] == 2.5 == sum(test["score"] for test in scope["tests"])
    assert [test["status"] for test in scope["tests"]] == ["passed", *["failed"] * len(NUMBERS[1:])]
    pages = tmp_path / "out" / "feedback"
    page = (pages / "ann.html").read_text(encoding="utf-8")
    assert "<details><summary>what was checked" in page and page.count("<details>") == 1
    assert course_version() in page and f"2.5 of {most:g} points" in page
    assert "&lt;asked&gt;" in (pages / "u77.html").read_text(encoding="utf-8")
    index = (pages / "index.html").read_text(encoding="utf-8")
    assert "5 students" in index and 'href="ann.html"' in index and "<td>50%</td>" in index
    assert "The commonest diagnoses" in index and "one half" in index and "<script" not in index
    (chinese,) = pages.glob("李小龍-*.html")
    assert f'href="%E6%9D%8E%E5%B0%8F%E9%BE%8D-{chinese.stem[-8:]}.html"' in index
    assert rows(similar) == []
    assert "Not in the roster" not in capsys.readouterr().err


def test_a_class_counts_a_diagnosis_whatever_an_instructor_gave(tmp_path):
    for name in ("ann", "ben", "cid"):
        hand_in(tmp_path / "class" / name, WRONG)
    roster = file(tmp_path, "roster.csv", "identifier,name\nann,Ann A\nben,ben\n")
    overrides = file(
        tmp_path, "overrides.csv", "student,exercise,points,reason\nAnn A,03.1,1,asked\n"
    )
    similar = tmp_path / "similar.csv"
    options = ["--roster", roster, "--overrides", overrides, "--similar", similar]
    assert run(tmp_path, *options) == 0
    pages = tmp_path / "out" / "feedback"
    index = (pages / "index.html").read_text(encoding="utf-8")
    assert "by hand" not in index and '<th scope="row">03.1</th><td>3</td>' in index
    page = (pages / "ann.html").read_text(encoding="utf-8")
    assert "<h1>Ann A (ann)</h1>" in page and "<pre>points given by hand: asked\n" in page
    assert "<h1>ben</h1>" in (pages / "ben.html").read_text(encoding="utf-8")
    (first, *_) = [r for r in rows(tmp_path / "out" / "grades.csv") if r["exercise"] == "03.1"]
    assert first["points"] == "1" and first["diagnosis"].endswith("(points given by hand: asked)")


def test_names_of_pages_can_be_read():
    assert page_name("李小龍").startswith("李小龍-")
    assert page_name("Zoë Ünal").startswith("Zoë-Ünal-")
    assert page_name("हिन्दी").startswith("हिन्दी-")  # its vowels are marks, no letters
    for name in ("index", "𠮷" * 300, "e\u0301" * 99, "a/b:c*?\u202e", "...", "\udcff"):
        page = page_name(name)
        assert len(page.encode()) < 120 and not set(page) & set('/:*?"<>|\\\u202e. ')
    assert page_name("e\u0301") != page_name("é")  # two entries, on a system that tells them apart
    assert page_name("e\u0301")[0] == page_name("é")[0]


def test_flat_names_as_canvas_gives_them(tmp_path, judged_nothing, capsys):
    folder = tmp_path / "class"
    folder.mkdir()
    for name in ("annsmith_12_34_03_functional.ipynb", "annsmith_12_99_02_backprop-1.ipynb"):
        (folder / name).write_text(notebook(*cells_of({})), encoding="utf-8")
    (folder / "benjones_LATE_13_35_03_functional.ipynb").write_text("{", encoding="utf-8")
    (folder / "Essay.pdf").write_bytes(b"x")
    found = students(folder, "^([a-z]+)_")
    assert [student.name for student in found] == ["Essay.pdf", "annsmith", "benjones"]
    _, ann, ben = (student.read() for student in found)
    assert len(found[1].paths) == 2 and ann.lesson("03")
    assert "not JSON" in ben.unreadable[""]
    named = students(folder, r"(\d\d)_(?P<student>\d\d)")
    assert [student.name for student in named][:2] == ["34", "35"]
    assert run(tmp_path, "--student-from", "(") == 2
    assert run(tmp_path, "--student-from", "^([0-9]+)_") == 2
    said = capsys.readouterr().err
    assert "no regular expression" in said and "fits no name" in said


def test_one_of_several_files_that_cannot_be_read(tmp_path):
    (tmp_path / "ann_1_03_functional.ipynb").write_text(notebook(*cells_of({})), encoding="utf-8")
    (tmp_path / "ann_2_04_nn.ipynb").write_text("{", encoding="utf-8")
    (tmp_path / "ann_3_thoughts.docx").write_bytes(b"x")
    (student,) = students(tmp_path, "^[a-z]+")
    submission = student.read()
    assert submission.lesson("03") and "not JSON" in submission.unreadable["04"]
    assert any("thoughts.docx was left out" in words for words in submission.remarks)


def test_late_is_said_and_takes_no_points(tmp_path):
    for name, day in (("ann", 1), ("ben", 3)):
        path = hand_in(tmp_path / "class" / name, ONE)
        when = time_of(f"2026-10-0{day} 12:00", "").timestamp()
        os.utime(path, (when, when))
    deadline = file(tmp_path, "deadline.csv", "lesson,deadline\n3,2026-10-02 12:00\n")
    wide = tmp_path / "wide.csv"
    assert run(tmp_path, "--deadline", deadline, "--wide", wide) == 0
    assert [(row["late"], row["total"]) for row in rows(wide)] == [("", "1"), ("03", "1")]
    long = rows(tmp_path / "out" / "grades.csv")
    assert long[0]["handed in"].startswith("2026-10-01 12:00:00") and long[-1]["late"] == "LATE"
    page = (tmp_path / "out" / "feedback" / "ben.html").read_text(encoding="utf-8")
    assert f"Lesson 03: 1 of {len(NUMBERS)}. LATE: handed in 2026-10-03" in page
    # What the system says that collected them counts more than the files.
    table = "student,time\nANN,2026-10-02T23:00:00+00:00\nsomebody,2026-10-01 00:00\n"
    times = file(tmp_path, "times.csv", table)
    options = ["--deadline", deadline, "--wide", wide, "--resume"]
    assert run(tmp_path, *options, "--times", times) == 0
    assert [row["late"] for row in rows(wide)] == ["03", ""]
    zone = file(tmp_path, "zone.csv", "student,lesson,time\nann,03,2026-10-02T00:00-14:00\n")
    assert run(tmp_path, *options, "--times", zone) == 0
    assert [row["late"] for row in rows(wide)] in (["03", ""], ["", ""])


@pytest.mark.parametrize(
    ("option", "text", "words"),
    [
        ("--roster", "", "is empty"),
        ("--roster", "name,id\nAnn,1\n", "'identifier'"),
        ("--roster", "identifier,name\n1,Ann\n1,Ben\n", "line 3: 1 stands in the roster twice"),
        ("--roster", "identifier,name\n,Ann\n", "the identifier is empty"),
        ("--roster", "identifier,name\n1,Ann,2\n", "more cells"),
        ("--roster", 'identifier,name\n"1,Ann\n', "unexpected end"),
        ("--roster", "identifier,name\nANN,x\nu1,ann\n", None),  # an identifier before a name
        ("--points", "exercise,points\n03.9,1\n", "there is no exercise or lesson 03.9"),
        ("--points", "exercise,points\n03.1,many\n", "'many' is no number of points"),
        ("--points", "exercise,points\n03.1,nan\n", "'nan' is no number"),
        ("--points", "exercise,points\n03.1,-1\n", "'-1' is no number"),
        ("--deadline", "lesson,deadline\n03,tomorrow\n", "'tomorrow' is no time"),
        ("--deadline", "lesson,deadline\n03,2026-10-02\n", "is no time"),
        ("--overrides", "student,exercise,points\nnobody,03.1,1\n", "no student 'nobody'"),
        ("--overrides", "student,exercise,points\nann,03.1,=1\n", "'=1' is no number"),
        ("--times", "student,time\nann,2026-10-02 12:00\n", "--deadline is missing"),
        ("--roster", "identifier,name,name\n1,Ann,Ben\n", "the column 'name' twice"),
        ("--points", "exercise,points\n03.1,2\n03,1\n03.1,2\n", None),
        (
            "--overrides",
            "student,exercise,points\nann,03.1,1\nANN,3.1,0\n",
            "line 3: ann has other points for 3.1 in another line",
        ),
        ("--shard", None, "write 3/20"),
        ("--shard=1/2 --wide", None, "ask --merge for tables"),
        ("--shard=1/2 --merge", None, "one after the other"),
        ("--engine", None, "Dask"),
        ("--merge", None, "cannot be read"),
    ],
)
def test_what_cannot_be_followed_is_said(tmp_path, judged_nothing, capsys, option, text, words):
    hand_in(tmp_path / "class" / "ann", BLANK)
    given = "21/20" if text is None else file(tmp_path, "table.csv", text)
    assert run(tmp_path, *option.split(), given) == (0 if words is None else 2)
    said = capsys.readouterr().err
    if words:
        assert "Nothing graded: " in said and words in said
        assert not judged_nothing and not (tmp_path / "out" / "grades.csv").exists()


def test_no_table_overwrites_another_or_what_is_read(tmp_path, judged_nothing, capsys):
    hand_in(tmp_path / "class" / "ann", BLANK)
    roster = file(tmp_path, "roster.csv", "identifier,name\nann,Ann\n")
    assert run(tmp_path, "--out", roster, "--roster", roster) == 2
    assert run(tmp_path, "--out", roster, "--merge", roster) == 2
    assert capsys.readouterr().err.count("would be overwritten") == 2
    assert run(tmp_path, "--wide", tmp_path / "out" / ".." / "out" / "grades.csv") == 2
    assert "named for two tables" in capsys.readouterr().err
    assert roster.read_text(encoding="utf-8").startswith("identifier") and not judged_nothing


def test_an_override_of_an_exercise_counts_more_than_that_of_its_lesson(tmp_path, judged_nothing):
    hand_in(tmp_path / "class" / "ann", BLANK)
    table = file(tmp_path, "o.csv", "\ufeffStudent;Exercise;Points\r\nann;03.2;0,5\r\nann;03;1\r\n")
    assert run(tmp_path, "--overrides", table) == 0
    points = [row["points"] for row in rows(tmp_path / "out" / "grades.csv")]
    assert points == ["1", "0.5", *["1"] * (len(NUMBERS) - 2)]


def test_shards_with_any_name_are_judged_at_once(tmp_path):
    """Two that differ behind their last dot only are two."""
    with Kept(tmp_path / "part.1"), Kept(tmp_path / "part.2"):
        with pytest.raises(Refused, match="another grading writes to"):
            Kept(tmp_path / "part.1")


def test_a_key_depends_on_all_that_judging_looks_at(tmp_path):
    """On helpers in other notebooks, and on the author's earlier lessons."""
    hand_in(tmp_path / "class" / "ann", WRONG)
    other = tmp_path / "class" / "ann" / "02_backprop.ipynb"
    keys = set()
    for text in ("a = 1", "a = 2"):
        other.write_text(notebook(f"#| export backprop\n{text}\n"), encoding="utf-8")
        (submission,) = read_all(tmp_path / "class")
        keys.add(Kept().key(submission, LESSON, judging.LIMITS))
    assert len(keys) == 2 and "course/grading/cells.py" in version.SHARED


def test_a_lesson_in_another_s_notebook_can_be_late(tmp_path):
    both = notebook(
        "#| exercise 03.1\ndef _softmax(): pass", *["#| exercise 04.1\nclass Module: 1"] * 2
    )
    (tmp_path / "ann.ipynb").write_text(both, encoding="utf-8")
    (submission,) = read_all(tmp_path)
    policy = Policy(deadlines={"03": Time(2020, 1, 1).astimezone()})
    student = Student("ann")
    assert submission.lesson("03") is None
    assert policy.is_late(policy.handed_in(student, submission, "03"), "03")


def test_two_entries_of_one_person_are_refused(tmp_path):
    for name in ("u1", "Ann"):
        (tmp_path / name).mkdir()
    roster = read_roster(file(tmp_path.parent, f"{tmp_path.name}.csv", "identifier,name\nu1,Ann\n"))
    with pytest.raises(Refused, match="are both u1 of the roster"):
        students(tmp_path, None, roster)


def test_two_people_of_one_name(tmp_path):
    (tmp_path / "class" / "Ann").mkdir(parents=True)
    path = file(tmp_path, "r.csv", "identifier\tname\nu1\tann\nu2\tANN\n")
    found = students(tmp_path / "class", None, read_roster(path))
    assert [(s.name, bool(s.person)) for s in found] == [("Ann", False), ("u1", True), ("u2", True)]
    overrides = file(tmp_path, "o.csv", "student,exercise,points\nann,03.1,1\n")
    with pytest.raises(Refused, match="or there are two"):
        read_policy(found, overrides=overrides)


def test_points_are_exact():
    assert sum([number_of("0.1", "")] * 3) == Decimal("0.3") == number_of("0,3", "")
    assert [written(Decimal(text)) for text in ("2", "1.50", "10", "0")] == ["2", "1.5", "10", "0"]


def test_tables_of_every_program(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"\xef\xbb\xbfB;a\r\n\r\n 1 ;2\r\n;\r\n")
    assert [row for _, row in read_table(path, ["a", "b"])] == [{"b": "1", "a": "2"}]
    path.write_bytes("identifier,name\n1,Zoë\n".encode("latin-1"))
    with pytest.raises(Refused, match="save it as CSV UTF-8"):
        read_table(path, ["name"])


# --- Similar answers ---

LOOP = """
total = x * 0
for place, value in enumerate(x):
    if value > 0:
        total = total + np.exp(value - x.max(axis))
return np.log(total.sum(axis)), total
"""
# The same with other names, comments and spacing, and with a line between.
RENAMED = LOOP.replace("total", "acc").replace("place", "i").replace("value", "v")
RENAMED = RENAMED.replace(" - ", "-").replace("    if", "    # mine\n    if")
LONGER = RENAMED.replace("return", "acc = acc.copy()\nreturn")


def test_pairs_that_are_alike(tmp_path):
    bodies = {
        "ann": LOOP,
        "ben": RENAMED,
        "cas": LONGER,
        "dan": NORMALISED,  # our own answer
        "eve": NORMALISED.replace("x", "y"),
        "fay": BLANK["03.1"],
        "gus": f"{exercises()['03.1'].borrowed()}\n{NORMALISED}",
        "hal": "return x",
        "ian": "return x",
        "jon": "def (:\n    '''" + "a b c " * 30,
    }
    answers = similarity.Answers()
    for name, body in bodies.items():
        hand_in(tmp_path / name, BLANK | {"03.1": body})
    for submission in read_all(tmp_path):
        answers.add(submission, NUMBERS)
    found = answers.pairs()
    assert [(p.one, p.other) for p in found] == [("ann", "ben"), ("ann", "cas"), ("ben", "cas")]
    assert found[0].share == 1.0 > found[1].share == found[2].share > similarity.ALIKE
    assert found[0].exercise == "03.1" and found[0].tokens > similarity.SHORTEST
    assert similarity.lines(found)[1][:4] == ("03.1", "ann", "ben", "100%")


def test_what_everybody_writes_is_no_pair():
    answers = similarity.Answers()
    for number in range(similarity.COMMON + 1):
        answers.forms["03.1"][similarity.normal(LOOP)].append(f"student-{number}")
    assert answers.pairs() == []


# --- Marks that are kept ---


def everything(folder):
    """All files that a grading wrote but for what is kept."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix in (".csv", ".html"))
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def test_a_regrade_judges_only_what_has_changed(tmp_path, monkeypatch):
    for name, bodies in {"ann": ONE, "ben": WRONG, "cas": WRONG | {"03.2": "return 1"}}.items():
        hand_in(tmp_path / "class" / name, bodies)
    (tmp_path / "class" / "dan.ipynb").write_text("{", encoding="utf-8")
    assert run(tmp_path) == 0
    first = everything(tmp_path / "out")
    real, judged = judging.judge_lesson, []

    def counted(submission, *rest):
        judged.append(submission.lesson(LESSON))
        return real(submission, *rest)

    monkeypatch.setattr(judging, "judge_lesson", counted)
    assert run(tmp_path, "--resume") == 0
    assert not judged and everything(tmp_path / "out") == first
    path = hand_in(tmp_path / "new", ONE)
    (tmp_path / "class" / "ben" / "notebooks" / path.name).write_bytes(path.read_bytes())
    assert run(tmp_path, "--resume") == 0
    assert not judged  # ben's is ann's text now, which is known
    assert everything(tmp_path / "out")["feedback/ben.html"].count(b"<details>") == 1
    assert run(tmp_path, "--resume", "--seconds", "5") == 0
    assert len(judged) >= 2  # other limits
    kept = (tmp_path / "out" / "grades.kept.jsonl").read_text(encoding="utf-8")
    assert not [name for name in ("ann", "ben", "cas") if f'"{name}' in kept]


def test_a_crash_loses_nothing_that_was_judged(tmp_path, judged_nothing, monkeypatch, capsys):
    for number in range(8):
        hand_in(tmp_path / "class" / f"s{number}", BLANK | {"03.1": f"return {number}"})
    real = judging.judge_lesson

    def crash(submission, *rest):
        if "return 5" in str(submission.lesson(LESSON).cells):
            raise KeyboardInterrupt
        return real(submission, *rest)

    monkeypatch.setattr(judging, "judge_lesson", crash)
    assert run(tmp_path, "--jobs", "1") == 130
    assert "--resume" in capsys.readouterr().err
    assert not (tmp_path / "out" / "grades.csv").exists()
    before = len(judged_nothing)
    with (tmp_path / "out" / "grades.kept.jsonl").open("a", encoding="utf-8") as lines:
        lines.write('{"key": "cut by a cra')
    monkeypatch.setattr(judging, "judge_lesson", real)
    assert before >= 5 and run(tmp_path, "--jobs", "1", "--resume") == 0
    assert len(judged_nothing) == 8  # nobody twice
    assert run(tmp_path, "--jobs", "1", "--resume") == 0
    assert len(judged_nothing) == 8


def test_what_could_not_be_graded_is_tried_again(tmp_path, judged_nothing, monkeypatch):
    hand_in(tmp_path / "class" / "ann", BLANK)
    real = judging.judge_lesson
    monkeypatch.setattr(judging, "judge_lesson", lambda *_: 1 / 0)
    assert run(tmp_path) == 1
    monkeypatch.setattr(judging, "judge_lesson", real)
    assert run(tmp_path, "--resume") == 0 and judged_nothing == [LESSON]


@pytest.mark.parametrize(
    "line",
    [
        "5",
        "[]",
        '{"key": "KEY"}',
        '{"key": "KEY", "marks": [["03.1", "perfect", "", "", false]], "remarks": []}',
        '{"key": "KEY", "marks": [["03.1", "right", "", "", true]], "remarks": []}',
        '{"key": "KEY", "marks": [["03.1", "right"]], "remarks": []}',
        '{"key": "KEY", "marks": [["03.1", "right", "", "", false]], "remarks": []}',
        '{"key": "KEY", "marks": [], "remarks": []}',
        '{"key": "KEY", "marks": [], "remarks": [5]}',
        '{"key": ["KEY"], "marks": [], "remarks": []}',
        "[" * 100_000,
    ],
)
def test_lines_that_are_no_marks_are_passed_over(tmp_path, line):
    path = file(tmp_path, "a.jsonl", line + "\n")
    with Kept(path, resume=True) as kept:
        assert kept.get("KEY") is None


def test_a_changed_check_is_judged_again_and_only_its_lesson(tmp_path, monkeypatch):
    files = [*version.SHARED, "course/checks/lesson_*.py", "notebooks/0*.ipynb"]
    for path in (path for pattern in files for path in ROOT.glob(pattern)):
        copy = tmp_path / path.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    monkeypatch.setattr(version, "ROOT", tmp_path)
    monkeypatch.setattr(version.notebooks, "paths", lambda: sorted(tmp_path.glob("notebooks/*")))

    def changed(name, lesson):
        version.fingerprint.cache_clear()
        before = version.fingerprint(lesson)
        with (tmp_path / name).open("a", encoding="utf-8") as text:
            text.write(" ")
        version.fingerprint.cache_clear()
        return version.fingerprint(lesson) != before

    try:
        assert changed("course/checks/lesson_03.py", "03")
        assert not changed("course/checks/lesson_04.py", "03")
        assert changed("course/checks/vocabulary.py", "03")
        assert not changed("notebooks/04_nn.ipynb", "04")  # a blank at its end changes no cell
    finally:
        version.fingerprint.cache_clear()


# --- Engines ---


def answers_of(submissions, executor=None, jobs=2):
    """What grading gives, with the remarks."""
    found = engines.graded(submissions, [LESSON], jobs, QUICK, caged=CAGED, executor=executor)
    return [(submission.remarks, marks) for submission, marks in found]


@pytest.fixture(scope="module")
def small_class(tmp_path_factory):
    """Four students and what threads make of them."""
    folder = tmp_path_factory.mktemp("class")
    for name, bodies in {"ann": ONE, "ben": WRONG, "cas": BLANK}.items():
        hand_in(folder / name, bodies)
    hand_in(folder / "dan", ONE, exercises()["03.1"].source("return x"))
    return folder, answers_of(read_all(folder))


class Backwards:
    """An executor that does the last work first, and only when it is asked for."""

    def __init__(self):
        self.waiting = []

    def submit(self, function, *arguments):
        plain = json.loads(json.dumps(arguments))  # plain data, and nothing else
        task = Asked(self)
        self.waiting.append((task, function, plain))
        return task

    def work(self):
        while self.waiting:
            task, function, arguments = self.waiting.pop()
            task.set_result(json.loads(json.dumps(function(*arguments))))


class Asked(Future):
    def __init__(self, executor):
        super().__init__()
        self.executor = executor

    def result(self, timeout=None):
        self.executor.work()
        return super().result(timeout)


def test_the_same_marks_whatever_the_order(small_class):
    folder, marks = small_class
    assert answers_of(read_all(folder), Backwards()) == marks
    assert [own[0].status for _, own in marks] == ["right", "wrong", "blank", "wrong"]
    with ThreadPoolExecutor(3) as pool:
        reverse = answers_of(reversed(read_all(folder)), pool)
    assert reverse[::-1] == marks


def test_the_command_in_processes(tmp_path, small_class):
    folder, marks = small_class
    out = tmp_path / "grades.csv"
    arguments = [str(folder), "--out", str(out), "--lessons", LESSON, *TRUST]
    assert main([*arguments, "--engine", "processes", "--jobs", "2"]) == 0
    found = [row["status"] for row in rows(out)]
    assert found == [str(mark.status) for _, own in marks for mark in own]


def test_the_same_marks_in_processes(small_class):
    folder, marks = small_class
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert answers_of(read_all(folder), pool) == marks


@pytest.mark.skipif(
    not importlib.util.find_spec("distributed"), reason="Dask's workers are not installed"
)
def test_the_same_marks_on_dask(small_class):
    from distributed import LocalCluster

    folder, marks = small_class
    options = {"n_workers": 2, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**options, silence_logs=50) as cluster:
        with engines.engine(cluster.scheduler_address, 2) as executor:
            assert answers_of(read_all(folder), executor) == marks


def test_a_worker_that_dies_costs_one_student(small_class):
    class Fragile(Backwards):
        def submit(self, function, job):
            if "return x\n" in json.dumps(job).replace("\\n", "\n"):
                task = Future()
                task.set_exception(RuntimeError("the worker was killed"))
                return task
            return super().submit(function, job)

    folder, marks = small_class
    found = answers_of(read_all(folder), Fragile())
    assert found[0] == marks[0] and found[2] == marks[2]
    assert all(mark.failed and "killed" in mark.diagnosis for mark in found[1][1])


def test_submissions_are_read_as_they_are_needed(judged_nothing):
    read = []

    def many():
        for number in range(1000):
            read.append(number)
            yield judging.Submission(f"s{number}", f"s{number}")

    work = engines.graded(many(), [LESSON], 1, QUICK, caged=False)
    next(work)
    assert len(read) < 20
    work.close()


def test_no_name_leaves_the_machine(tmp_path):
    hand_in(tmp_path / "Ann Smith")
    (submission,) = read_all(tmp_path)
    assert "Smith" not in json.dumps(judging.job_of(submission, [LESSON], False, QUICK))


def test_shards_and_their_merger_give_the_same_tables(tmp_path, monkeypatch, capsys):
    bodies = [ONE, WRONG, BLANK, ONE | {"03.2": "return 1"}, WRONG]
    for number, own in enumerate(bodies):
        hand_in(tmp_path / "class" / f"s{number}", own)
    roster = file(tmp_path, "r.csv", "identifier,name\ns0,Zoë\nx,Nobody\n")
    assert run(tmp_path, "--roster", roster) == 0
    whole = everything(tmp_path / "out")
    parts = [tmp_path / f"part-{number}.jsonl" for number in (1, 2, 3)]
    for number, part in enumerate(parts, 1):
        arguments = [str(tmp_path / "class"), "--out", str(part), "--lessons", LESSON, *TRUST]
        assert main([*arguments, "--shard", f"{number}/3", "--roster", str(roster)]) == 0
        assert "2 submissions" in capsys.readouterr().out or number == 3
    monkeypatch.setattr(judging, "judge_lesson", lambda *_: pytest.fail("judged again"))
    for path in sorted((tmp_path / "out").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert run(tmp_path, "--roster", roster, "--merge", parts[0], parts[2]) == 2
    assert "of 2 students some marks are in none of these files, such as s1" in (
        capsys.readouterr().err
    )
    monkeypatch.undo()
    assert run(tmp_path, "--roster", roster, "--merge", *reversed(parts)) == 0
    assert everything(tmp_path / "out") == whole


def test_the_table_of_a_class_is_made_from_rows():
    marks = [judging.Mark("a", number, Status.RIGHT, "") for number in NUMBERS]
    row = report.Row("a", "a", marks)
    assert report.wide([row], [LESSON]).splitlines()[1].startswith('"a","5","5","5"')
    assert Path(f"{row.page}.html").name == "a.html"


# --- What the pages say, and slides ---


def test_the_manifest_is_one_that_kubernetes_would_take():
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    text = (ROOT / "docs" / "class" / "kubernetes.yaml").read_text(encoding="utf-8")
    job, policy = yaml.safe_load_all(text)
    for part in (job, policy):
        kubernetes_validate.validate(part, "1.33", strict=True)
    spec = job["spec"]
    (container,) = spec["template"]["spec"]["containers"]
    (line,) = container["args"]
    assert f"/{spec['completions']}" in line and spec["completionMode"] == "Indexed"
    options = [word for word in line.split() if word.startswith("--")]
    assert set(options) <= set(command.parser()._option_string_actions)
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(job | {"spec": spec | {"completion": 1}}, "1.33", strict=True)


def test_the_workflow_of_github_classroom_counts_each_exercise_once():
    text = (ROOT / "docs" / "class" / "classroom.yml").read_text(encoding="utf-8")
    (job,) = yaml.safe_load(text)["jobs"].values()
    graders = [step for step in job["steps"] if "command-grader" in step.get("uses", "")]
    assert [step["with"]["test-name"] for step in graders] == NUMBERS
    for step in graders:
        assert step["with"]["command"].endswith(f"check {step['with']['test-name']}")
        assert step["id"] == "e" + step["with"]["test-name"].replace(".", "_")
    *_, reporter = job["steps"]
    ids = [step["id"] for step in graders]
    assert reporter["with"]["runners"] == ",".join(ids)
    assert list(reporter["env"]) == [f"{name.upper()}_RESULTS" for name in ids]


def test_slides_have_the_lesson_s_figures_questions_and_cards():
    content = notebooks.load(next(p for p in notebooks.paths() if p.stem == "03_functional"))
    text = "\n".join(cell["source"] for cell in slides.slides(content))
    outputs = [output for cell in content["cells"] for output in cell.get("outputs", [])]
    words = [o["metadata"]["image/png"]["alt"] for o in outputs if "image/png" in o.get("data", {})]
    shown = re.findall(r'<img[^>]* alt="([^"]*)"', text)
    assert list(map(html.unescape, shown)) == words and len(words) > 5
    assert all(f"Exercise {number}" in text for number in NUMBERS)
    assert "Predict" in text and "Hint 1" not in text
    assert not [e for e in NUMBERS if exercises()[e].solution.strip().split("\n")[-1] in text]


def test_slides_that_cannot_be_made_are_refused(tmp_path, capsys, monkeypatch):
    assert slides.main(["77", "--out", str(tmp_path)]) == 2
    assert "there is no lesson '77'" in capsys.readouterr().err
    monkeypatch.setattr("course.site.offline.missing", lambda: ["sphinx_revealjs"])
    assert slides.main(["03", "--out", str(tmp_path)]) == 2
    assert 'sphinx_revealjs missing: python -m pip install -e ".[site]"' in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_simulated_submission_is_one_that_reading_gives(tmp_path):
    written = grading.bodies(3)
    grading.hand_in(tmp_path / "s" / "notebooks", 3)
    (read,) = read_all(tmp_path)
    made = grading.submission(3, written)
    assert [handed.lesson for handed in made.notebooks] == [h.lesson for h in read.notebooks]
    plain = [[cell.replace("# student 3\n", "") for cell in h.cells] for h in made.notebooks]
    assert [[c.split() for c in cells] for cells in plain] == [
        [c.replace("# student 3", "").split() for c in h.cells] for h in read.notebooks
    ]
    other = grading.submission(4, written)
    keys = [Kept().key(one, LESSON, QUICK) for one in (made, other)]
    assert keys[0] != keys[1]
