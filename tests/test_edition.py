"""The student's edition: no answer in it, nothing lost, and its notebooks in real kernels."""

import asyncio
import importlib
import json
import os
import re
import subprocess
import sys
import zipfile

import nbformat
import pytest
from nbclient import NotebookClient

from course.lessons import notebooks
from course.lessons.exercises import body_of, exercises, of_lesson, with_body
from course.lessons.notebooks import ROOT
from course.student import blanks, edition, provenance
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
        if path.is_file() and path.suffix != ".safetensors":
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
    _, solutions = made
    answers = edition.read_solutions(solutions)
    assert {n: body_of(cell) for n, cell in answers.items()} == {
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
    with pytest.raises(edition.CannotWrite, match="not empty"):
        edition.student(tmp_path, tmp_path / "solutions.zip")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_borrowing_keeps_a_copy_and_exports_the_lesson(mine):
    write_body(mine, "01.3", "return 'not right'")
    lines = edition.borrow(["01"], root=mine)
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
    edition.borrow(["01"], root=mine)
    assert "borrowed" not in saved_body(mine, "01.1")
    assert "borrowed" in saved_body(mine, "01.2")


def test_borrowing_a_cell_without_its_marks_replaces_the_cell(mine):
    path = mine / "notebooks" / "01_tensor.ipynb"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("    ### BEGIN SOLUTION\\n", "", 1), encoding="utf-8")
    edition.borrow(["01.1"], root=mine)
    assert EXERCISES["01.1"].solution in saved_body(mine, "01.1")


def test_what_cannot_be_borrowed_is_said(mine, tmp_path):
    with pytest.raises(edition.CannotWrite, match=r"no exercise or lesson 09\.1"):
        edition.borrow(["09.1"], root=mine)
    (tmp_path / "solutions.zip").write_bytes(b"PK nothing")
    with pytest.raises(edition.CannotWrite, match="cannot be read"):
        edition.borrow(["01"], root=mine)
    with zipfile.ZipFile(tmp_path / "solutions.zip", "w") as archive:
        archive.writestr("../../evil.py", "print()")
    with pytest.raises(edition.CannotWrite, match="no answers"):
        edition.borrow(["01"], root=mine)
    (tmp_path / "solutions.zip").unlink()
    with pytest.raises(edition.CannotWrite, match="ask your instructor"):
        edition.borrow(["01"], root=mine)


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


def test_a_lesson_before_that_was_not_exported_is_named(mine):
    write_body(mine, "02.1", EXERCISES["02.1"].solution)
    code, printed = course(mine, "check", "02.1")
    assert code == 1 and "run the last cell of the lesson that exports it" in printed


# --- After a blank ---


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
    """Whether a cell is a piece of the library, or exports it."""
    return cell["cell_type"] == "code" and (
        bool(notebooks.exported_to(cell["source"])) or "export(" in cell["source"]
    )


def test_with_blanks_every_notebook_runs_and_nothing_but_notyet_is_raised(mine):
    for name in LESSONS:
        found = errors(run_notebook(mine, name))
        assert found, f"{name}: nothing was blank"
        assert {error for error, _, _ in found} == {"NotYet"}, name
    assert (mine / "minigrad" / "gpt2_shakespeare.py").exists()


@pytest.mark.parametrize("whole", [False, pytest.param(True, marks=pytest.mark.long)])
def test_with_the_answers_typed_in_the_library_is_the_students_and_is_ours(mine, whole):
    """Of lessons 1 to 7 only the cells of the library, unless `whole`; of the last one all."""
    for number, exercise in EXERCISES.items():
        write_body(mine, number, exercise.solution)
    for name in LESSONS:
        everything = whole or name == LESSONS[-1]
        ran = run_notebook(mine, name, (lambda cell: True) if everything else is_exported)
        assert errors(ran) == [], name
    last = "".join(output.get("text", "") for output in ran.cells[-1]["outputs"])
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
    assert not provenance.is_older(module)
    path.write_text(
        path.read_text(encoding="utf-8").replace("return 2", "return 3"), encoding="utf-8"
    )
    assert provenance.is_older(module)
    assert not any(
        provenance.is_older(importlib.import_module(f"minigrad.{name}"))
        for name in ("ops", "nn", "gpt2_shakespeare")
    )
