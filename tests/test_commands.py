"""What holds for every command: closed streams, empty arguments, absurd sizes, two runs at once."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from course.__main__ import COMMANDS
from course.__main__ import main as course
from course.grading.kept import Kept
from course.grading.tables import Refused
from course.lessons.exercise import exercises
from minigrad.apps import chat, data, hub, publish

ROOT = Path(__file__).resolve().parent.parent
posix = pytest.mark.skipif(os.name == "nt", reason="the redirections of a POSIX shell")


@pytest.fixture
def submissions(tmp_path):
    """A folder with the solved first lesson of one student."""
    folder = tmp_path / "in" / "zoe"
    folder.mkdir(parents=True)
    shutil.copy(ROOT / "notebooks" / "01_tensor.ipynb", folder)
    return folder.parent


# --- Closed streams ---

# Command -> the exit code that it has with open streams. OUT is a new folder.
SHORT = {
    "course": 2,
    "course help": 0,
    "course nonsense": 2,
    "course doctor": None,
    "course data": 0,
    "course export --check": 0,
    "course progress 01": 0,
    "course check 01.1": 0,
    "course check --nonsense": 2,
    "course borrow 01": 2,
    "course student OUT/copy": 0,
    "course grade IN --out OUT/grades.csv --lessons 01 --trust-submissions": 0,
    "minigrad.apps.data": 0,
    "minigrad.apps.data nonsense": 2,
    "minigrad.apps.publish --out OUT/page.html": 0,
    "minigrad.apps.publish OUT/nothing --out OUT/page.html": 2,
    "minigrad.apps.hub --help": 0,
    "minigrad.apps.chat --help": 0,
    "minigrad.apps.chat OUT/nothing": 2,
}
STREAMS = ["| true", "2>&1 | true", "<&- >&- 2>&-"]


@posix
@pytest.mark.parametrize("command", SHORT)
def test_a_command_does_its_work_when_its_streams_are_closed(tmp_path, submissions, command):
    for number, streams in enumerate(STREAMS):
        out = tmp_path / f"out{number}"
        out.mkdir()
        words = command.replace("OUT", str(out)).replace("IN", str(submissions)).split()
        line = f"{shlex.join([sys.executable, '-m', *words])} {streams}"
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            cwd=ROOT,
            capture_output=True,
            encoding="utf-8",
            timeout=300,
        )
        assert not re.search("Traceback|Exception ignored|Error", done.stderr), streams
        if SHORT[command] is not None:
            assert done.returncode == SHORT[command], (streams, done.stderr)
        if SHORT[command] == 0 and "OUT" in command:
            assert any(out.iterdir()), streams


@posix
def test_a_full_disk_is_said_once():
    line = f"{shlex.quote(sys.executable)} -m course export --check > /dev/full"
    done = subprocess.run(
        ["bash", "-c", line], cwd=ROOT, capture_output=True, encoding="utf-8", timeout=120
    )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "No space left on device" in done.stderr


@posix
def test_no_file_gets_the_number_of_a_closed_stream(tmp_path):
    """What a library in C writes to its error stream must not end up in a checkpoint."""
    path = tmp_path / "file"
    code = (
        "from minigrad.apps.streams import lenient_streams\n"
        "with lenient_streams(print):\n"
        f"    assert open({str(path)!r}, 'w').fileno() > 2\n"
    )
    line = f"{shlex.join([sys.executable, '-c', code])} <&- >&- 2>&- && touch {path}.done"
    subprocess.run(["bash", "-c", line], cwd=ROOT, timeout=60)
    assert path.with_suffix(".done").exists()


@posix
def test_a_chat_without_an_input_ends(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    assert chat._read(human=False) is None


# --- Options that say nothing ---


@pytest.mark.parametrize("command", [name for name, *_ in COMMANDS if name not in ("lab", "test")])
def test_an_empty_argument_is_refused_by_the_courses_commands(capsys, command):
    for arguments in ([""], ["--out="], ["x", "--solutions", ""]):
        assert course([command, *arguments]) == 2
        output, errors = capsys.readouterr()
        assert output == "" and errors.count("\n") == 1 and "an argument is empty" in errors


@pytest.mark.parametrize(
    ("main", "arguments"),
    [
        (publish.main, ["", "--out", "page.html"]),
        (publish.main, ["--out", ""]),
        (publish.main, ["--out", "page.html", "--title", ""]),
        (hub.main, [""]),
        (hub.main, ["openai-community/gpt2", "--to="]),
        (chat.main, [""]),
    ],
)
def test_an_empty_argument_is_refused_by_the_models_commands(
    monkeypatch, tmp_path, capsys, main, arguments
):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2 and "is empty" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_title_that_cannot_be_written_leaves_the_page_of_before(tmp_path, capsys):
    page = tmp_path / "page.html"
    page.write_text("mine", encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        publish.main(["--out", str(page), "--title", "a\udcff"])
    assert ended.value.code == 2 and "--title: holds half of a character" in capsys.readouterr().err
    assert page.read_text(encoding="utf-8") == "mine"


def test_an_empty_name_of_data_is_refused(capsys):
    with pytest.raises(SystemExit) as ended:
        data.main([""])
    assert ended.value.code == 2 and "there is no data called" in capsys.readouterr().err


# --- Absurd sizes ---


@pytest.mark.parametrize("option", ["--jobs", "--seconds"])
@pytest.mark.parametrize("value", ["0", "-1", "9" * 20, "1e3", "many"])
def test_absurd_sizes_of_a_grading_are_refused(tmp_path, submissions, capsys, option, value):
    command = ["grade", str(submissions), "--out", str(tmp_path / "out.csv"), option, value]
    with pytest.raises(SystemExit) as ended:
        course(command)
    assert ended.value.code == 2
    assert f"argument {option}: " in capsys.readouterr().err


# --- Outputs in the way, and two at once ---


@pytest.mark.parametrize("option", ["--out", "--wide", "--similar", "--feedback", "--gradescope"])
def test_an_output_that_is_in_the_way_is_refused_before_the_grading(
    tmp_path, submissions, capsys, option
):
    """Not after an hour of it."""
    path, kind = tmp_path / "taken", "folder"
    if option in ("--feedback", "--gradescope"):
        path.write_text("", encoding="utf-8")
        kind = "file"
    else:
        path.mkdir()
    named = {"--out": str(tmp_path / "out.csv"), option: str(path)}
    assert course(["grade", str(submissions), *sum(map(list, named.items()), [])]) == 2
    assert f"taken is a {kind}: name a" in capsys.readouterr().err


def test_a_site_is_not_written_into_a_file(tmp_path, capsys):
    pytest.importorskip("sphinx")
    (tmp_path / "file").write_text("", encoding="utf-8")
    code = course(["site", "--out", str(tmp_path / "file")])
    errors = capsys.readouterr().err
    assert code == 2 and ("is a file: name a folder" in errors or "The site needs" in errors)


def test_two_gradings_do_not_write_one_file(tmp_path):
    path = tmp_path / "grades.kept.jsonl"
    marks = [[number, "right", "", "", False] for number in exercises() if number[:2] == "01"]
    line = json.dumps({"key": "a", "marks": marks, "remarks": []})
    with Kept(path) as first:
        first.add("a", {"marks": marks, "remarks": []})
        for resume in (False, True):
            with pytest.raises(Refused, match="another grading writes to"):
                Kept(path, resume=resume)
        with Kept(tmp_path / "other.kept.jsonl"):  # in one folder, to another file
            pass
    assert path.read_text(encoding="utf-8").split() == line.split()
    with Kept(path, resume=True) as again:
        assert again.get("a")
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        "grades.kept.jsonl",
        "other.kept.jsonl",
    ]
