"""Windows' habits, tried on every system: a console without Unicode, CRLF, odd letters in paths."""

import ast
import io
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from course import __main__ as commands
from course import environment
from course.lessons import exporter, notebooks
from course.lessons.exercise import exercises, of_lesson, with_body
from course.lessons.notebooks import ROOT
from course.student import edition

FOLDER = "Zoë's Übung № 1"  # № stands in no code page of the West
SOURCES = [*ROOT.glob("course/**/*.py"), *ROOT.glob("minigrad/**/*.py"), *ROOT.glob("tests/*.py")]


def write_body(folder, number, body):
    path = next((folder / "notebooks").glob(f"{number[:2]}_*.ipynb"))
    content = notebooks.load(path)
    source = of_lesson(notebooks.read(path))[number].cell.source
    for cell in content["cells"]:
        if cell["source"] == source:
            cell["source"] = with_body(source, body)
    path.write_bytes(edition.as_bytes(content))


def run(folder, *command, **more):
    """A command in a console of Windows' kind; returns its exit code and what it printed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PY")}
    console = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "cp1252"}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env={**kept, **console, "PYTHONPATH": str(folder), **more},
        capture_output=True,
        timeout=300,
        check=False,
    )
    printed = (done.stdout + done.stderr).decode("cp1252")
    assert "Traceback" not in printed, printed
    return done.returncode, printed


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """A student's copy, written by the command into such a path from such a console."""
    place = tmp_path_factory.mktemp("class") / FOLDER
    code, printed = run(ROOT, "-m", "course", "student", str(place / "my copy"))
    assert code == 0 and "The answers are in" in printed and "my copy" in printed
    folder = place / "my copy"
    write_body(folder, "01.1", exercises()["01.1"].solution)
    write_body(folder, "01.2", "return 'wrong', None, 'Ω'")
    return folder


def test_check_and_progress_show_signs_that_the_console_has(mine):
    code, printed = run(mine, "-m", "course", "check", "01")
    assert code == 1 and "01.1 is right\n  + " in printed.replace("\r", "")
    assert "01.2 is not right yet" in printed and "  x " in printed
    code, printed = run(mine, "-m", "course", "progress")
    assert code == 0 and "01.1 +  01.2 x  01.3 ·" in printed


def test_borrow_and_export(mine):
    assert run(mine, "-m", "course", "borrow", "01")[0] == 0
    code, printed = run(mine, "-m", "course", "export")
    assert code == 0 and "minigrad/ops.py" in printed
    assert run(mine, "-m", "course", "export", "--check")[0] == 0


def test_grade(mine, tmp_path):
    place = tmp_path / "Klasse №1" / "Ann Übel"
    place.mkdir(parents=True)
    shutil.copy(next((mine / "notebooks").glob("01_*")), place)
    out = tmp_path / "Noten №1.csv"
    options = ["--lessons", "01", "--jobs", "1", "--out", str(out)]
    code, printed = run(ROOT, "-m", "course", "grade", str(place.parent), *options)
    assert code == 0 and "1 submission," in printed and "Noten" in printed
    assert '"01.1","1","right"' in out.read_text(encoding="utf-8-sig")


def test_doctor_data_and_help(mine):
    code, printed = run(mine, "-m", "course", "doctor")
    assert "Python" in printed and "my copy" in printed
    environment = {"MINIGRAD_DATA": str(mine / "Dätä №1"), "PIP_NO_INDEX": "1"}
    code, printed = run(mine, "-m", "minigrad.apps.data", "plays", **environment)
    assert code == 1 and "Is there an internet connection?" in printed
    (mine / "Dätä №1" / "plays").mkdir()
    code, printed = run(mine, "-m", "minigrad.apps.data", **environment)
    assert code == 0 and "RECORD is missing" in printed
    assert run(ROOT, "-m", "course", "--help")[0] == 0
    assert run(ROOT, "-m", "minigrad.gpt2_shakespeare", "--help")[0] == 0


def test_a_training_on_a_text_whose_letters_the_console_lacks(tmp_path):
    text = tmp_path / "Ω №1.txt"
    text.write_text("Ωδή στη χαρά, № 1\n" * 200, encoding="utf-8")
    options = "--num-steps 1 --batch-size 2 --context-size 8 --embedding-dim 8 --num-heads 1"
    options += " --num-blocks 1 --initial-sample-length 40 --final-sample-length 40"
    folder = str(tmp_path / "Läufe №1")
    command = ["-m", "minigrad.gpt2_shakespeare", "--text", str(text), "--checkpoint-dir", folder]
    code, printed = run(ROOT, *command, *options.split())
    assert code == 0, printed


def test_other_letters_become_what_can_be_shown(monkeypatch):
    console = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", console)
    monkeypatch.setattr(sys, "stderr", io.StringIO())  # no stream that could be set up
    commands.accept_every_letter()
    print("✓ é … Ω \udcff", flush=True)
    assert console.buffer.getvalue() == rb"+ \xe9 ... \u03a9 \udcff" + os.linesep.encode()


# --- CRLF ---


@pytest.fixture
def crlf(tmp_path):
    """The whole course as git gives it where `core.autocrlf` is on and .gitattributes is not."""
    for name in ("course", "minigrad", "notebooks"):
        ignored = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=ignored)
    for name in (*edition.FILES, "README.md"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    for path in tmp_path.rglob("*"):
        if path.suffix in (".py", ".ipynb", ".toml", ".md", ".yml"):
            path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    return tmp_path


def test_line_ends_are_no_difference_between_notebooks_and_package(crlf):
    assert run(crlf, "-m", "course", "export", "--check") == (
        0,
        "The package is what the notebooks export." + os.linesep,
    )
    before = (crlf / "minigrad" / "ops.py").read_bytes()
    assert exporter.main([], crlf) == 0
    assert (crlf / "minigrad" / "ops.py").read_bytes() == before


def test_exercises_are_found_and_judged_with_any_line_ends(crlf):
    code, printed = run(crlf, "-m", "course", "check", "01", "03.2")
    assert code == 0 and "6 of 6 exercises are right" in printed


def test_an_edition_from_such_a_checkout_has_blanks_and_keeps_what_was_written(crlf):
    folder = crlf.parent / f"{crlf.name} copy"
    assert run(crlf, "-m", "course", "student", str(folder))[0] == 0
    lesson = next((folder / "notebooks").glob("01_*"))
    found = of_lesson(notebooks.read(lesson))
    assert len(found) == 5 and all(exercise.is_blank for exercise in found.values())
    write_body(folder, "01.1", "return 1  # mine")
    for path in folder.rglob("*"):
        if path.suffix in (".py", ".ipynb", ".md"):
            path.write_bytes(path.read_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
    assert run(crlf, "-m", "course", "student", str(folder))[0] == 0
    assert "# mine" in of_lesson(notebooks.read(lesson))["01.1"].solution
    assert not (folder / "backups").exists()  # nothing was replaced
    shutil.rmtree(folder)


def test_only_texts_are_compared_without_their_line_ends():
    assert exporter.same(b"a\r\nb", b"a\nb") and not exporter.same(b"a\r\nb", b"a\nc")
    assert not exporter.same(b"\0\r\n", b"\0\n")


# --- Encodings are said ---


def opens_text_without_encoding(tree):
    """The lines of calls that read or write text in whatever encoding this system has."""
    found = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        said = {keyword.arg: keyword.value for keyword in node.keywords}
        if name in ("read_text", "write_text") and "encoding" not in said:
            if len(node.args) == (name == "write_text"):  # one more is the encoding
                found.append(node.lineno)
        if name in ("run", "Popen", "check_output") and "encoding" not in said:
            if said.keys() & {"text", "universal_newlines"}:
                found.append(node.lineno)
        if isinstance(node.func, ast.Name) and name == "open" and "encoding" not in said:
            mode = said.get("mode", node.args[1] if len(node.args) > 1 else None)
            if mode is None or isinstance(mode, ast.Constant) and "b" not in mode.value:
                found.append(node.lineno)
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_text_file_is_opened_as_utf_8(path: Path):
    assert opens_text_without_encoding(ast.parse(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "code", ["path.read_text()", "open(p)", "open(p, 'w')", "subprocess.run(command, text=True)"]
)
def test_a_call_that_says_no_encoding_is_found(code):
    assert opens_text_without_encoding(ast.parse(code)) == [1]


def test_the_environments_own_commands_survive_such_a_path(tmp_path, monkeypatch, capfd):
    folder = tmp_path / FOLDER
    folder.mkdir()
    (folder / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    (folder / "says.py").write_text("print('said')\n", encoding="utf-8")
    for name, path in {"ROOT": "", "VENV": ".venv", "STAMP": ".venv/course.json"}.items():
        monkeypatch.setattr(environment, name, folder / path)
    environment.create_venv()
    assert environment.has_pip()
    (packages,) = {path.resolve() for path in environment.VENV.glob("[Ll]ib/**/site-packages")}
    found = packages / "__editable__.minigrad_course-0.1.0.pth"
    found.write_text(f"{folder}\n", encoding="utf-8")
    environment.say_where_relatively()
    assert found.read_bytes().isascii()
    code = "import sys; print(sys.argv[1] in sys.path)"
    printed = subprocess.run(
        [environment.venv_python(), "-c", code, str(folder)],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        check=True,
    ).stdout
    assert printed.strip() == b"True"
    environment.write_stamp(environment.wanted_stamp())
    monkeypatch.setattr(environment.signal, "signal", lambda *_: None)
    assert environment.run("says") == 0
    assert capfd.readouterr().out.strip() == "said"
