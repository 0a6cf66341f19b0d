"""The student's edition: no answer in it, nothing lost, and its notebooks in real kernels."""

import asyncio
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from xml.etree import ElementTree

import nbformat
import pytest
import yaml
from nbclient import NotebookClient

from course.lessons import notebooks
from course.lessons.exercise import body_of, exercises, of_lesson, with_body
from course.lessons.notebooks import ROOT
from course.student import answers, blanks, edition, origins, solutions
from minigrad.support.notyet import NotYet

EXERCISES = exercises()
LESSONS = [path.name for path in notebooks.paths()]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A student's folder, and the answers beside it. Do not change it."""
    place = tmp_path_factory.mktemp("edition")
    edition.student(place / "mine", place / "solutions.zip")
    return place / "mine", place / "solutions.zip"


@pytest.fixture
def mine(tmp_path):
    """The same, to be changed; the answers lie beside it."""
    edition.student(tmp_path / "mine", tmp_path / "solutions.zip")
    return tmp_path / "mine"


def write_body(folder, number, body):
    """What a student does: another body in the saved notebook."""
    path = next((folder / "notebooks").glob(f"{number[:2]}_*.ipynb"))
    content = notebooks.load(path)
    exercise = of_lesson(notebooks.read(path))[number]
    for cell in content["cells"]:
        if cell["source"] == exercise.cell.source:
            cell["source"] = with_body(cell["source"], body)
    path.write_bytes(edition.as_bytes(content))


def saved_body(folder, number):
    path = next((folder / "notebooks").glob(f"{number[:2]}_*.ipynb"))
    return of_lesson(notebooks.read(path))[number].solution


def course(folder, *arguments):
    """`python -m course …` in a student's folder: its exit code, and what it prints."""
    done = subprocess.run(
        [sys.executable, "-m", "course", *arguments],
        cwd=folder,
        env=variables(folder),
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def variables(folder):
    """The environment of a student: the folder's package, and no sign of a test."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    return kept | {"PYTHONPATH": str(folder), "PYTHONUTF8": "1"}


# --- No answer in it ---


def plain(text):
    """Text without what an editor or JSON may change: spaces, quotes, line ends."""
    return re.sub(r"[\s\"'\\]+", "", text)


def test_no_answer_stands_in_the_students_folder(made):
    folder, _ = made
    texts = {}
    for path in folder.rglob("*"):
        in_git = ".git" in path.parts  # its objects are the same files, compressed
        if path.is_file() and path.suffix != ".safetensors" and not in_git:
            text = path.read_text(encoding="utf-8")
            if path.suffix == ".ipynb":
                text += "".join("".join(cell["source"]) for cell in json.loads(text)["cells"])
            texts[path.name] = plain(text.replace("\\n", "\n"))
    for number, exercise in EXERCISES.items():
        answer = plain(exercise.solution)
        found = [name for name, text in texts.items() if answer in text]
        assert not found, f"the answer to {number} stands in {found}"


def test_a_students_notebook_has_blanks_and_no_outputs(made):
    folder, _ = made
    for name in LESSONS:
        content = notebooks.load(folder / "notebooks" / name)
        for exercise in of_lesson(notebooks.read(folder / "notebooks" / name)).values():
            assert exercise.is_blank and exercise.solution.strip() == exercise.blank()
        assert "widgets" not in content["metadata"]
        for cell in content["cells"]:
            assert not cell.get("outputs") and not cell.get("execution_count")


def test_the_package_is_empty_until_a_lesson_is_exported(made):
    folder, _ = made
    assert [path.name for path in (folder / "minigrad").glob("*.py")] == ["__init__.py"]


def test_the_answers_are_in_one_file_that_can_be_read(made):
    _, path = made
    found = solutions.read_solutions(path)
    assert {n: body_of(cell) for n, cell in found.items()} == {
        n: exercise.solution for n, exercise in EXERCISES.items()
    }


# --- Nothing is lost ---


def test_writing_the_edition_again_keeps_what_was_written(mine):
    write_body(mine, "03.1", "return 1  # mine")
    (mine / "README.md").write_text("my notes", encoding="utf-8")
    lines = edition.student(mine, mine.parent / "solutions.zip")
    assert saved_body(mine, "03.1").strip() == "return 1  # mine"
    assert "1 exercises" in " ".join(lines)
    [copy] = (mine / "backups").rglob("README.md")
    assert copy.read_text(encoding="utf-8") == "my notes"


def test_a_folder_of_somebody_else_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("precious", encoding="utf-8")
    with pytest.raises(solutions.Refused, match="not empty"):
        edition.student(tmp_path, tmp_path / "solutions.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_borrowing_keeps_a_copy_and_exports_the_lesson(mine):
    write_body(mine, "01.3", "return 'not right'")
    lines = answers.borrow(["01"], root=mine)
    assert sum("course's version" in line for line in lines) == 5
    body = saved_body(mine, "01.3")
    assert body.startswith("# borrowed") and EXERCISES["01.3"].solution in body
    [copy] = (mine / "backups").rglob("01_tensor.ipynb")
    assert "not right" in copy.read_text(encoding="utf-8")
    files = [mine / "minigrad" / name for name in ("ops.py", "shapes.py")]
    texts = "".join(path.read_text(encoding="utf-8") for path in files)
    assert "NotYet" not in texts and texts.count("# borrowed") == 5


def test_borrowing_leaves_alone_what_is_right(mine):
    write_body(mine, "01.1", EXERCISES["01.1"].solution)
    answers.borrow(["01"], root=mine)
    assert "borrowed" not in saved_body(mine, "01.1")
    assert "borrowed" in saved_body(mine, "01.2")


def test_borrowing_a_cell_without_its_marks_replaces_the_cell(mine):
    path = mine / "notebooks" / "01_tensor.ipynb"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("    ### BEGIN SOLUTION\\n", "", 1), encoding="utf-8")
    answers.borrow(["01.1"], root=mine)
    assert EXERCISES["01.1"].solution in saved_body(mine, "01.1")


def test_what_cannot_be_borrowed_is_said(mine, tmp_path):
    with pytest.raises(solutions.Refused, match=r"no exercise or lesson 99\.1"):
        answers.borrow(["99.1"], root=mine)
    (tmp_path / "solutions.zip").write_bytes(b"PK nothing")
    with pytest.raises(solutions.Refused, match="cannot be read"):
        answers.borrow(["01"], root=mine)
    with zipfile.ZipFile(tmp_path / "solutions.zip", "w") as archive:
        archive.writestr("../../evil.py", "print()")
    with pytest.raises(solutions.Refused, match="no answers"):
        answers.borrow(["01"], root=mine)
    (tmp_path / "solutions.zip").unlink()
    with pytest.raises(solutions.Refused, match="ask your instructor"):
        answers.borrow(["01"], root=mine)


# --- The commands ---


def test_check_and_progress_in_a_terminal(mine):
    write_body(mine, "01.1", EXERCISES["01.1"].solution)
    write_body(mine, "01.2", "return 'wrong'")
    code, printed = course(mine, "check", "01")
    assert code == 1 and "01.1 is right" in printed and "1 of 5 exercises are right" in printed
    assert course(mine, "check", "01.1")[0] == 0
    assert course(mine, "check", "17")[0] == 2
    code, printed = course(mine, "progress")
    assert code == 0 and "01.1 ✓  01.2 ✗  01.3 ·" in printed and "0/5" in printed


DRAWN = """
from course.draw import gpt2, style

gpt2.show = style.show = lambda fig, caption, alt=None: print(caption, "|", alt)
from course import progress

progress({})
"""


def test_progress_in_a_notebook_draws_the_map_with_what_is_built(mine):
    def drawn(lesson):
        command = [sys.executable, "-c", DRAWN.format(lesson)]
        return subprocess.run(
            command, cwd=mine, capture_output=True, encoding="utf-8", check=True
        ).stdout

    assert "With a tick" not in drawn(1)
    answers.borrow(["01", "02", "06"], root=mine)
    write_body(mine, "03.1", EXERCISES["03.1"].solution)
    printed = drawn(3)
    assert "In thick frames, what this lesson builds: layer norm" in printed
    assert "03.1 ✓  03.2 ·" in printed and "what is built: lessons 01, 02, 06." in printed
    printed = drawn("")
    assert f"Your {len(EXERCISES)} exercises" in printed and "lessons 01, 02, 06." in printed
    next((mine / "notebooks").glob("01_*")).write_text("{", encoding="utf-8")
    assert "? its notebook cannot be read: 5" in drawn(1)


def test_a_saved_notebook_is_judged_without_an_export(mine):
    """A fresh checkout, as in CI: the package holds nothing that a lesson exported."""
    for number, exercise in EXERCISES.items():
        if number[:2] in ("01", "02"):
            write_body(mine, number, exercise.solution)
    code, printed = course(mine, "check", "02")
    assert code == 0 and "5 of 5 exercises are right" in printed, printed
    assert [path.name for path in (mine / "minigrad").glob("*.py")] == ["__init__.py"]
    write_body(mine, "01.1", "raise NotYet('01.1')")
    code, printed = course(mine, "check", "02.2")
    assert code == 0, printed  # it needs nothing of 01.1


def test_an_earlier_lesson_that_cannot_be_read_counts_as_it_was_exported(mine):
    write_body(mine, "02.2", EXERCISES["02.2"].solution)
    answers.borrow(["01"], root=mine)
    (mine / "notebooks" / "01_tensor.ipynb").write_text("{", encoding="utf-8")
    code, printed = course(mine, "check", "02.2")
    assert code == 0 and "02.2 is right" in printed
    code, printed = course(mine, "check", "01.2")
    assert code == 1 and "01.2 cannot be checked: 01_tensor.ipynb is not a notebook" in printed


@pytest.mark.parametrize("written", ["2.2", "02.2", "02.02", "2.02", "002.2"])
def test_a_number_is_understood_however_it_is_written(mine, written):
    write_body(mine, "02.2", EXERCISES["02.2"].solution)
    for command in ("check", "compare"):
        code, printed = course(mine, command, written)
        assert code == 0 and printed.startswith("02.2 "), printed
    code, printed = course(mine, "borrow", written)
    assert code == 0 and printed.startswith("02.2: the course's version"), printed


def test_a_lesson_is_understood_however_it_is_written(mine):
    for written in ("2", "02", "02_backprop", "02_backprop.ipynb"):
        assert course(mine, "check", written)[1].count("is still blank") == 5
        assert course(mine, "progress", written)[1].count("02.") == 5
    assert "02.5: the course's version" in course(mine, "borrow", "2")[1]
    for command in ("check", "borrow", "compare", "progress"):
        code, printed = course(mine, command, "two")
        assert code == 2 and "'two' is no exercise: write its number, such as 03.2" in printed


# --- Reports for machines ---


def test_a_report_has_a_case_for_each_exercise(mine):
    answers.borrow(["01.3"], root=mine)
    write_body(mine, "01.1", EXERCISES["01.1"].solution)
    write_body(mine, "01.2", "rule_a = rule_b = lambda g: g  # <&\x07 \u20ac")
    path = mine / "report.xml"
    code, printed = course(mine, "check", "01", "--junit", str(path), "--github")
    assert code == 1 and "2 of 5 exercises are right" in printed
    suite = ElementTree.parse(path).getroot()[0]
    assert suite.attrib["tests"] == "5"
    assert suite.attrib["failures"] == "1" and suite.attrib["skipped"] == "2"
    cases = {case.attrib["name"]: case for case in suite}
    assert list(cases) == ["01.1 div", "01.2 matmul", "01.3 masked_fill", "01.4 sum", "01.5 cat"]
    assert all(case.attrib["classname"] == "01_tensor" for case in suite)
    assert [[part.tag for part in case] for case in suite] == [
        [],
        ["failure"],
        ["system-out"],
        ["skipped"],
        ["skipped"],
    ]
    [failure] = cases["01.2 matmul"]
    assert "gradient of" in failure.attrib["message"] and "input:" in failure.text
    [line] = [line for line in printed.split("\n") if line.startswith("::")]
    place = (
        r"::error file=notebooks/01_tensor\.ipynb,line=(\d+),title=01\.2 matmul is not right yet::"
    )
    found = re.match(place, line)
    text = (mine / "notebooks" / "01_tensor.ipynb").read_text(encoding="utf-8").split("\n")
    assert "#| exercise 01.2" in text[int(found[1]) - 1]
    assert line.count("%0A") > 2  # the whole diagnosis, in one line


def test_what_is_blank_is_skipped_in_a_report_and_not_right_in_a_terminal(mine):
    path = mine / "report.xml"
    assert course(mine, "check", "02")[0] == 1
    assert course(mine, "check", "02", "--junit", str(path))[0] == 0
    assert course(mine, "check", "02", "--github")[0] == 0
    assert ElementTree.parse(path).getroot()[0].attrib["skipped"] == "5"
    assert course(mine, "check", "02", "--junit", str(mine / "notebooks"))[0] == 2


def test_what_waits_for_a_blank_is_skipped_and_what_runs_on_a_wrong_one_says_so(mine):
    report = mine / "report.xml"
    for number in ("02.1", "02.2", "02.4", "02.5"):
        write_body(mine, number, EXERCISES[number].solution)
    code, printed = course(mine, "check", "02", "--junit", str(report), "--github")
    assert code == 0 and "::error" not in printed and "2 of 5 exercises are right" in printed
    suite = ElementTree.parse(report).getroot()[0]
    assert (suite.attrib["failures"], suite.attrib["skipped"]) == ("0", "3")
    assert "it needs exercise 02.3" in suite[3][0].attrib["message"]

    lost = EXERCISES["02.3"].solution.replace("np.add(g, known, out=g)", "known")
    write_body(mine, "02.3", lost)
    code, printed = course(mine, "check", "02", "--github")
    assert code == 1 and printed.count("::error") == 2
    line = "  → 02.3 is not right yet either, and 02.4 may run on it: mend 02.3 first"
    assert line in printed.split("\n") and "%0A" + line in printed
    assert line in course(mine, "check", "02.4")[1]


def test_what_an_answer_prints_is_no_command_of_github(mine):
    solution = EXERCISES["01.1"].solution
    write_body(mine, "01.1", f"print(1, '::add-mask::x', ' ##[error]', sep='\\n')\n{solution}")
    lines = course(mine, "check", "01.1", "--github")[1].split("\n")
    place = next(n for n, line in enumerate(lines) if line.strip() == "::add-mask::x")
    stopped = [line for line in lines[:place] if line.startswith("::stop-commands::")]
    assert len(stopped) == 1
    again = f"::{stopped[0].removeprefix('::stop-commands::')}::"
    assert lines.index(again) > place + 1 and len(again) > 30
    assert "::" not in course(mine, "check", "01.2", "--github")[1]  # where nothing looks like one


@pytest.mark.parametrize("below", ["{}\n{}", "# {1}\n{0}", "{0}\n# {1}"])
def test_a_blank_below_an_answer_or_in_a_comment_is_none(mine, below):
    number = "01.1"
    write_body(mine, number, below.format(EXERCISES[number].solution, EXERCISES[number].blank()))
    code, printed = course(mine, "check", number)
    assert code == 0 and "01.1 is right" in printed


def test_a_cell_without_a_definition_is_checked(mine):
    """A name may be given to a function of another cell, and a test case has then no name."""
    path = mine / "notebooks" / "01_tensor.ipynb"
    content = notebooks.load(path)
    for cell in content["cells"]:
        if "#| exercise 01.1" in cell["source"]:
            cell["source"] = "#| export ops\n#| exercise 01.1\ndiv = None\n"
    path.write_bytes(edition.as_bytes(content))
    report = mine / "report.xml"
    assert course(mine, "check", "01.1", "--junit", str(report), "--github")[0] == 1
    [case] = ElementTree.parse(report).getroot()[0]
    assert case.attrib["name"] == "01.1"


def test_a_cell_that_is_gone_and_a_notebook_that_is_broken_fail(mine):
    path = mine / "notebooks" / "02_backprop.ipynb"
    content = notebooks.load(path)
    content["cells"] = [c for c in content["cells"] if "#| exercise 02.2" not in c["source"]]
    path.write_bytes(edition.as_bytes(content))
    (mine / "notebooks" / "03_functional.ipynb").write_text("no notebook", encoding="utf-8")
    report = mine / "report.xml"
    code, printed = course(mine, "check", "2", "3", "--junit", str(report))
    assert code == 1 and "no cell in notebooks/02_backprop.ipynb is marked" in printed
    suite = ElementTree.parse(report).getroot()[0]
    failed = {
        case.attrib["name"]: case[0].attrib["type"] for case in suite if case[0].tag == "failure"
    }
    numbers = [number for number in EXERCISES if number[:2] == "03"]
    assert failed == {"02.2": "missing"} | dict.fromkeys(numbers, "unreadable")


def test_the_workflow_of_the_edition_uses_the_course_itself(made):
    folder, _ = made
    text = (folder / ".github" / "workflows" / "check.yml").read_text(encoding="utf-8")
    steps = yaml.safe_load(text)["jobs"]["exercises"]["steps"]
    commands = [step["run"] for step in steps if "run" in step]
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = " ".join(f'"{name}"' for name in project["dependencies"])
    assert commands == [
        f"python -m pip install {needed}",
        "python -m course check --github --junit exercises.xml",
    ]


# --- Comparing ---


def test_a_right_answer_can_be_compared_and_the_check_says_so(mine):
    write_body(mine, "02.2", "# mine\n" + EXERCISES["02.2"].solution)
    _, printed = course(mine, "check", "02.2")
    assert "python3 -m course compare 02.2" in printed
    code, printed = course(mine, "compare", "02.2")
    assert code == 0 and "# mine" in printed
    for line in EXERCISES["02.2"].solution.strip().split("\n"):
        assert printed.count(line.strip()) == 2


def test_columns_stand_side_by_side_where_they_fit():
    yours, ours = ["a = 1", "b"], ["c"]
    assert answers.side_by_side(yours, ours, 40) == [
        "yours | the course's",
        "----- | ------------",
        "a = 1 | c",
        "b     |",
    ]
    below = answers.side_by_side(yours, ours, 15)
    assert below == ["yours", "-----", *yours, "", "the course's", "------------", *ours]


def test_what_is_not_right_is_not_compared(mine):
    answer = EXERCISES["02.2"].solution.strip().split("\n")[1].strip()
    write_body(mine, "02.2", "return g")
    for number, words in [("02.2", "is not right yet"), ("02.1", "is still blank")]:
        code, printed = course(mine, "compare", number)
        assert code == 2 and words in printed and answer not in printed
    answers.borrow(["02.2"], root=mine)
    code, printed = course(mine, "compare", "02.2")
    assert code == 2 and "is the course's version" in printed


def test_without_the_answers_nothing_is_compared_or_offered(mine):
    write_body(mine, "02.2", EXERCISES["02.2"].solution)
    (mine.parent / "solutions.zip").rename(mine.parent / "elsewhere.zip")
    assert "compare" not in course(mine, "check", "02.2")[1]
    code, printed = course(mine, "compare", "02.2")
    assert code == 2 and "There is no solutions.zip" in printed and "--solutions FILE" in printed
    code, printed = course(mine, "compare", "02.2", "--solutions", "../elsewhere.zip")
    assert code == 0 and "the course's version" in printed


def test_the_whole_course_has_nothing_to_compare_or_borrow():
    for command in ("compare", "borrow"):
        code, printed = course(ROOT, command, "02.2")
        assert code == 2 and f"there is nothing to {command}" in printed


def test_borrowing_says_what_the_piece_does(mine):
    lines = answers.borrow(["3.1", "02.3"], root=mine)
    place = next(n for n, line in enumerate(lines) if line.startswith("02.3: "))
    assert lines[place + 1].strip().startswith("_Pending: The gradients so far of nodes")
    assert lines[place + 2].strip().startswith("add: Add `g` (an array or")
    place = next(n for n, line in enumerate(lines) if line.startswith("03.1: "))
    assert lines[place + 1].strip().startswith("_softmax: The value of `softmax`")
    assert "section" in lines[place + 2]


# --- A repository from the first moment ---


def git(folder, *arguments):
    run = subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, encoding="utf-8", check=True
    )
    return run.stdout.strip()


needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@needs_git
def test_a_copy_is_a_repository_with_everything_committed(mine):
    assert git(mine, "log", "--format=%an <%ae> %s") == (
        "minigrad <minigrad@localhost> The course as it was handed out"
    )
    assert git(mine, "status", "--porcelain") == "" and git(mine, "branch") == "* main"
    assert git(mine, "config", "--local", "--list").count("user.") == 0
    (mine / "solutions.zip").write_bytes(b"")  # an answer must not be pushed by accident
    write_body(mine, "01.1", "return 1")
    assert git(mine, "status", "--porcelain") == "M notebooks/01_tensor.ipynb"


@needs_git
def test_git_is_asked_for_nothing_that_is_the_users(tmp_path, monkeypatch):
    """Settings that sign, that run hooks, or that name somebody, have no effect and stay."""
    settings = tmp_path / "gitconfig"
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    (hooks / "pre-commit").write_text("#!/bin/sh\nexit 1\n", encoding="utf-8")
    (hooks / "pre-commit").chmod(0o755)
    text = f"[user]\n name = Ann\n[commit]\n gpgsign = true\n[core]\n hooksPath = {hooks}\n"
    settings.write_text(text, encoding="utf-8")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    lines = edition.student(tmp_path / "mine", tmp_path / "solutions.zip")
    assert any("git repository" in line for line in lines)
    assert settings.read_text(encoding="utf-8") == text
    assert (tmp_path / "mine" / ".git").is_dir() and not (tmp_path / "elsewhere").exists()


@needs_git
def test_an_edition_that_is_written_again_leaves_the_history_alone(mine):
    write_body(mine, "01.1", "return 1")
    edition.student(mine, mine.parent / "solutions.zip")
    assert len(git(mine, "log", "--format=%h").split()) == 1


def test_without_git_there_is_no_repository_and_no_complaint(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    lines = edition.student(tmp_path / "mine", tmp_path / "solutions.zip")
    assert not (tmp_path / "mine" / ".git").exists() and "git repository" not in " ".join(lines)


# --- What the copy says of itself ---


def test_the_first_line_of_the_readme_is_for_the_learner(made):
    text = (made[0] / "README.md").read_text(encoding="utf-8")
    first = text.split("\n")[0]
    assert "Build" in first and "python3 -m course lab" in first
    assert "If you learn alone" in text and "--solutions FILE" in text


# --- After a blank ---

WATCHED = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
before = list(shell.events.callbacks["post_run_cell"])
import course
from course import NotYet, check, export, progress, provenance
after = shell.events.callbacks["post_run_cell"]
print(len(after) - len(before))
"""


@pytest.mark.parametrize("folder", ["the whole course", "an edition"])
def test_only_an_edition_watches_the_cells_of_ipython(made, folder):
    where, expected = (made[0], "1") if folder == "an edition" else (ROOT, "0")
    run = subprocess.run(
        [sys.executable, "-c", WATCHED],
        cwd=where,
        env=variables(where),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert run.stdout.split() == [expected], run.stderr


def test_names_that_a_blank_was_to_give_raise_it_again():
    error = NotYet("03.2")
    values = {"x": 1, "losses": [], "np": os, "f": len}
    source = "x = f(2)\ny: int = 3\nlosses.append(x)\nnp.sort()\ndef g():\n    z = 1"
    blanks.fill(values, source, error)
    assert values["np"] is os and values["f"] is len and set(values) == {*"xyf", "losses", "np"}
    gap = values["losses"]
    uses = [
        lambda: gap + 1,
        lambda: 1 + gap,
        lambda: gap[0],
        lambda: gap.shape,
        lambda: gap(),
        lambda: list(gap),
        lambda: f"{gap}",
        lambda: isinstance(gap, dict),
        lambda: bool(gap),
        lambda: gap == 1,
        lambda: float(gap),
        lambda: 1 in gap,
        lambda: len(gap),
    ]
    for use in uses:
        with pytest.raises(NotYet, match=r"03\.2"):
            use()
    with pytest.raises(NotYet):
        gap.shape = 1


# --- The notebooks, in real kernels ---


def run_notebook(folder, name, wanted=lambda cell: True):
    """The notebook after its wanted cells were run, errors and all."""
    notebook = nbformat.read(folder / "notebooks" / name, 4)
    notebook.cells = [cell for cell in notebook.cells if wanted(cell)]
    client = NotebookClient(
        notebook,
        timeout=600,
        allow_errors=True,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder / "notebooks")}},
    )
    asyncio.run(client.async_execute(env=variables(folder)))
    return notebook


def errors(notebook):
    """(name of the error, its words, the cell's source) of each cell that ends in one."""
    return [
        (output["ename"], output["evalue"], cell["source"])
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output["output_type"] == "error"
    ]


def is_exported(cell):
    """Whether a cell is a piece of the library, exports it, or imports what does."""
    return cell["cell_type"] == "code" and (
        bool(notebooks.exported_to(cell["source"]))
        or "export(" in cell["source"]
        or "from course import" in cell["source"]
    )


def test_with_blanks_every_notebook_runs_and_nothing_but_notyet_is_raised(mine):
    for name in LESSONS:
        found = errors(run_notebook(mine, name))
        assert found, f"{name}: nothing was blank"
        assert {error for error, _, _ in found} == {"NotYet"}, name
    assert (mine / "minigrad" / "gpt2_shakespeare.py").exists()


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.long)])
def test_with_the_answers_typed_in_the_library_is_the_students_and_is_ours(mine, whole):
    """Of all lessons but the last only the cells of the library, unless `whole`; of the last one all."""
    for number, exercise in EXERCISES.items():
        write_body(mine, number, exercise.solution)
    for name in LESSONS:
        everything = whole or name == LESSONS[-1]
        ran = run_notebook(mine, name, (lambda cell: True) if everything else is_exported)
        assert errors(ran) == [], name
    ending = next(cell for cell in ran.cells if "\nprovenance(" in cell["source"])
    last = "".join(output.get("text", "") for output in ending["outputs"])
    assert last.count("  yours\n") == len(EXERCISES) and "borrowed" not in last
    for path in (ROOT / "minigrad").glob("*.py"):
        assert (mine / "minigrad" / path.name).read_bytes() == path.read_bytes(), path.name
    code, printed = course(mine, "check")
    assert code == 0 and f"{len(EXERCISES)} of {len(EXERCISES)} exercises are right" in printed


def test_a_module_that_is_older_than_its_file_is_found(tmp_path, monkeypatch):
    path = tmp_path / "thing_of_a_student.py"
    path.write_text(
        "def f():\n    return 1\n\n\nclass C:\n    def g(self):\n        return 2\n",
        encoding="utf-8",
    )
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("thing_of_a_student")
    assert not origins.is_older(module)
    path.write_text(
        path.read_text(encoding="utf-8").replace("return 2", "return 3"), encoding="utf-8"
    )
    assert origins.is_older(module)
    assert not any(
        origins.is_older(importlib.import_module(f"minigrad.{name}"))
        for name in ("ops", "nn", "gpt2_shakespeare")
    )
