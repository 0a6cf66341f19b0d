"""Reading what was handed in: no file keeps the grader busy, and none is lost without a word."""

import json
import subprocess
import sys
import time
import tracemalloc
import zipfile

import pytest

from course.grading import content, files
from course.grading.budget import Budget, Unreadable
from course.grading.cells import without_commands
from course.grading.submissions import read_all
from course.lessons.exercise import exercises
from course.lessons.notebooks import ROOT
from tests.test_grade import NUMBERS, cells_of, graded, hand_in, notebook, statuses, zipped

# --- What takes long, or much memory ---


def seconds(text):
    """What reading a notebook's text takes of the processor, refused or not."""
    began = time.process_time()
    try:
        content.cells_of(text.encode("utf-8"), Budget())
    except Unreadable:
        pass
    return time.process_time() - began


@pytest.mark.parametrize(
    "text",
    [
        '{"cells": "' + '\\"' * 5_000_000,
        '{"cells": "' + "\\\\" * 5_000_000,
        '{"cells": ' + '"' * 10_000_000,
        '{"cells": ["' + "\\" * 10_000_001,
        '{"cells": [{"outputs": ["' + "x\\n" * 3_000_000 + '"]}]}',
        '{"cells": [{"outputs": [' + '"\\u0041",' * 1_000_000 + '""]}]}',
        '{"cells": [' + "{}," * 20_000_000 + "{}]}",
        '{"cells": [' + '{"outputs":[],' * 1_000_000 + "{}]}",
        '{"cells": [' + "[" * 10_000_000,
    ],
    ids=lambda text: repr(text[8:40]),
)
def test_reading_takes_no_longer_than_the_text_is_long(text):
    assert seconds(text) < 5


def test_a_large_output_needs_little_memory():
    """An output of many short lines, as training prints; its length is forgiven, its lines too."""
    text = '{"cells": [{"cell_type": "code", "source": "#| export nn", "outputs": ["'
    text += "loss 1.5\\n" * 6_000_000 + '"]}]}'
    data, budget = text.encode("ascii"), Budget()
    tracemalloc.start()
    try:
        assert content.cells_of(data, budget) == ["#| export nn"]
        assert tracemalloc.get_traced_memory()[1] < 3 * len(data)
    finally:
        tracemalloc.stop()


def test_what_is_kept_of_a_notebook_is_the_same_with_large_outputs(tmp_path):
    book = json.loads(notebook("#| export nn\nx = '\"]}\\\\'", "y = {'outputs': [1, 2]}"))
    plain = content.cells_of(json.dumps(book).encode(), Budget())
    for cell in book["cells"]:
        cell["outputs"] = [{"text": ['"]}, {"source": "z"', "\\", "x" * 3_000_000]}]
        cell["attachments"] = {"a.png": {"image/png": "]}" * 1000}}
    assert content.cells_of(json.dumps(book).encode(), Budget()) == plain
    assert len(plain) == 2


def test_a_zip_with_very_many_files_is_not_listed(tmp_path):
    path = tmp_path / "ann.zip"
    zipped(path, {f"{'x' * 200}{number}": b"" for number in range(45_000)})
    began = time.process_time()
    (submission,) = read_all(tmp_path)
    assert "too many files" in submission.unreadable[""]
    assert time.process_time() - began < 1


# --- What must not be lost ---


def test_a_zip_with_a_comment_and_with_very_many_other_files(tmp_path):
    path = tmp_path / "zoe.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.comment = b"0123456789abcdef0123456789abcdef01234567"  # as GitHub's have
        for number in range(6_000):
            archive.writestr(f"env/lib/{number}.py", b"")
        archive.writestr("repo/notebooks/03_functional.ipynb", notebook(*cells_of({})))
    (marks,), (submission,) = graded(tmp_path)
    assert statuses(marks) == ["right"] * len(NUMBERS) and not submission.remarks


@pytest.mark.parametrize("folder", [".work", "a/.work/b", ".ipynb_checkpoints", ".git"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_hidden_folder_is_looked_into_where_there_is_nothing_else(tmp_path, folder, packed):
    book = notebook(*cells_of({}))
    if packed:
        zipped(tmp_path / "ann.zip", {f"{folder}/03_functional.ipynb": book})
    else:
        path = tmp_path / "ann" / folder / "03_functional.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(book, encoding="utf-8")
    (submission,) = read_all(tmp_path)
    tool = folder.rpartition("/")[2] in files.TOOLS
    assert bool(submission.lesson("03")) is not tool
    if tool:
        assert "no notebook with an exercise" in submission.remarks[0]


def test_beside_others_a_hidden_folder_stays_hidden(tmp_path):
    hand_in(tmp_path / "ann")
    path = tmp_path / "ann" / ".old" / "03_functional.ipynb"
    path.parent.mkdir()
    path.write_text(notebook(*cells_of({"03.1": "return x"})), encoding="utf-8")
    (submission,) = read_all(tmp_path)
    assert len(submission.notebooks) == 1 and not submission.remarks


def test_a_cell_without_either_of_its_first_lines_is_found_by_its_name(tmp_path):
    path = hand_in(tmp_path / "ann")
    text = path.read_text(encoding="utf-8")
    for name in NUMBERS[:2]:
        lines = exercises()[name].cell.source.split("\n")[:2]
        text = text.replace(json.dumps("\n".join(lines))[1:-1], "# my answer")
        text = text.replace(
            '", "'.join(json.dumps(line + "\n")[1:-1] for line in lines), "# mine\\n"
        )
    path.write_text(text, encoding="utf-8")
    assert text.count("#| exercise") == 3
    (marks,), (submission,) = graded(tmp_path)
    assert statuses(marks)[:2] == ["right"] * 2
    assert sum("was taken" in words for words in submission.remarks) == 2


@pytest.mark.parametrize(
    ("line", "left"),
    [
        ("    %matplotlib inline", "    pass"),
        ("    !ls", "    pass"),
        ("?np.exp", ""),
        ("%%timeit -n 1", ""),
        ("np.exp??", ""),
        ("!pip install torch", ""),
    ],
)
def test_commands_leave_python_behind(line, left):
    cell, dropped = without_commands(
        f"#| export nn\nif True:\n{line}\nx = 5\n" if left else f"#| export nn\n{line}\nx = 5\n"
    )
    assert dropped == (line.strip(),)
    assert cell.split("\n")[-3] == left
    compile(cell, "cell", "exec")


def test_python_with_percent_signs_is_left_alone():
    cell = "#| export nn\nx = (17\n     % 5)\ny = '''\n%time\n!x\n'''\n"
    assert without_commands(cell) == (cell, ())


def test_warnings_of_what_students_wrote_do_not_fill_the_screen(tmp_path):
    """A literal such as `1if x` has a line of warning each time that Python reads it."""
    body = "\n".join(f"y = 1if x is x else {number}" for number in range(300))
    hand_in(tmp_path / "class" / "ann", {"03.1": body})
    out = tmp_path / "out.csv"
    command = ["-m", "course", "grade", str(tmp_path / "class"), "--out", str(out)]
    done = subprocess.run(
        [sys.executable, *command, "--lessons", "03", "--trust-submissions"],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0 and len(done.stderr.splitlines()) < 5, done.stderr[:1000]
