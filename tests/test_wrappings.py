"""No wrapping costs a mark: right answers of lesson 03 in odd files and odd cells."""

import gzip
import io
import json
import socket
import tarfile
import time
import zipfile

import numpy as np
import pytest

from course.checks.judging import ended_words, judge
from course.grading import archives, budget
from course.grading.budget import Budget, Unreadable
from course.grading.cells import forgiving, is_blank, names_in, with_our_marks
from course.grading.files import Found, find, is_wanted, stem
from course.grading.submissions import Submission, read_all, read_notebook
from course.lessons import notebooks
from course.lessons.exercise import exercises
from course.sandbox import protocol, runner
from course.student import edition
from tests.test_grade import NORMALISED, NUMBERS, cells_of, graded, notebook, statuses

NAME = "03_functional.ipynb"
GOOD = notebook(*cells_of({}))
CELL = exercises()["03.1"].cell.source
LIMITS = runner.Limits(seconds=9.0)


def data_of(text):
    return text if isinstance(text, bytes) else text.encode("utf-8")


def zip_of(members):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def tar_of(members, mode):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size, member.mtime = len(data_of(data)), 2**62  # no year has such a time
            archive.addfile(member, io.BytesIO(data_of(data)))
    return buffer.getvalue()


def with_cell(change):
    """The lesson with another text of the first exercise's cell."""
    return notebook(*[change(cell) if cell == CELL else cell for cell in cells_of({})])


def format_3():
    cells = [{"cell_type": "code", "input": cell.splitlines(True)} for cell in cells_of({})]
    return json.dumps({"nbformat": 3, "worksheets": [{"cells": cells}]})


def with_pictures():
    """A picture pasted into the text, as Colab does, and the saved state of widgets."""
    book = json.loads(GOOD)
    picture = {"cell_type": "markdown", "source": [f"![](data:image/png;base64,{'x' * 9_000_000})"]}
    book["cells"].insert(0, picture)
    book["metadata"]["widgets"] = {str(number): "x" * 60 for number in range(100_000)}
    return json.dumps(book)


def script(begin, end=""):
    return "# a title\n\n" + "\n\n".join(f"{begin}\n{cell}\n{end}" for cell in cells_of({}))


def copied(text):
    """Beside the solved one, a copy that was begun."""
    return {"a/" + NAME: GOOD, "a/Copy of " + NAME: text}


def without_line_ends():
    book = json.loads(GOOD)
    for cell in book["cells"]:
        cell["source"] = [line.rstrip("\n") for line in cell["source"]]
    return json.dumps(book)


def halves():
    """Two notebooks of the lesson, each with some of its exercises solved."""
    first, second = NUMBERS[:3], NUMBERS[3:]
    return {
        f"a/{place}/{NAME}": notebook(*cells_of({n: exercises()[n].blank() for n in blank}))
        for place, blank in (("x", second), ("y", first))
    }


def below(text, *cells):
    """The lesson with the first exercise blank, or `text`, and more cells."""
    return notebook(*cells_of({"03.1": text}), *cells)


BLANK = exercises()["03.1"].blank()
UNMARKED = CELL.replace("#| exercise 03.1\n", "")

FILES = {
    "copy": {"a/Copy of " + NAME: GOOD},
    "again": {"a/03_functional (1).ipynb": GOOD},
    "renamed": {"a/My Functional Zoë.ipynb": GOOD},
    "of another lesson": {"a/04_nn.ipynb": GOOD},
    "zip in a zip": {"a.zip": zip_of({"b/inner.zip": zip_of({NAME: GOOD})})},
    "zip of a notebook": {"a.ipynb.zip": zip_of({NAME: GOOD})},
    "a notebook called zip": {"a/03_functional.ipynb.zip": GOOD},
    "a zip called notebook": {"a/03_functional.ipynb": zip_of({NAME: GOOD})},
    "backslashes": {"a.zip": zip_of({"repo\\notebooks\\" + NAME: GOOD})},
    "macOS": {"a.zip": zip_of({f"__MACOSX/n/._{NAME}": "x", f"n/{NAME}": GOOD})},
    "in a tar": {"a.tar.gz": tar_of({"x/" + NAME: GOOD}, "w:gz")},
    "in a folder": {"a/x.tar": tar_of({"x/" + NAME: GOOD}, "w")},
    "in an xz": {"a.tar.xz": tar_of({"x/" + NAME: GOOD}, "w:xz")},
    "tgz": {"a/x.tgz": tar_of({"x/" + NAME: GOOD}, "w:bz2")},
    "gz": {"a/03_functional.ipynb.gz": gzip.compress(GOOD.encode())},
    "zip of a tar": {"a.zip": zip_of({"x.tar.gz": tar_of({NAME: GOOD}, "w:gz")})},
    "mark of the order": {"a/" + NAME: b"\xef\xbb\xbf" + GOOD.encode()},
    "UTF-16": {"a/" + NAME: GOOD.encode("utf-16")},
    "latin-1": {
        "a/" + NAME: GOOD.replace("exercise 03.1", "exercise 03.1\\n# für").encode("cp1252")
    },
    "json": {"a/03_functional.json": GOOD},
    "no ending": {"a/03_functional": GOOD},
    "downloaded": {"a/03_functional.ipynb.download": GOOD},
    "twice": {"a/03_functional.ipynb (1)": GOOD},
    "of an editor": {"a/03_functional.ipynb~": GOOD},
    "saved by Jupyter": {"a/.ipynb_checkpoints/03_functional-checkpoint.ipynb": GOOD},
    "format 3": {"a/" + NAME: format_3()},
    "from a server": {"a/" + NAME: json.dumps({"type": "notebook", "content": json.loads(GOOD)})},
    "percent": {"a/03_functional.py": script("# %%")},
    "light": {"a.py": script("# +", "# -")},
    "nbconvert": {"a/03_functional.py": script("# In[ ]:\n\n")},
    "pictures": {"a/" + NAME: with_pictures()},
    "long lines elsewhere": {"a/" + NAME: notebook(f"x = '{'x' * 60_000}'", *cells_of({}))},
    "long elsewhere": {"a/" + NAME: notebook(*["x = 1\n" * 8000] * 30, *cells_of({}))},
    "a notebook for each exercise": {
        f"a/{number}.ipynb": notebook(exercises()[number].cell.source) for number in NUMBERS
    },
    "two halves": halves(),
    "a blank copy below": {"a/" + NAME: below(NORMALISED, exercises()["03.1"].source(BLANK))},
    "solved in another cell": {"a/" + NAME: below(BLANK, UNMARKED)},
    "solved in a cell that is not exported": {
        "a/" + NAME: below(BLANK, UNMARKED.partition("\n")[2])
    },
    "lines without their ends": {"a/" + NAME: without_line_ends()},
    "UTF-16 without a mark": {"a/" + NAME: GOOD.encode("utf-16-le")},
    "UTF-32": {"a/" + NAME: GOOD.encode("utf-32")},
    "a hidden file": {"a/.03_functional.ipynb": GOOD, "a/._03_functional.ipynb": "x"},
    "a zip without its ending": {"a/work": zip_of({NAME: GOOD}), "a/README": "x"},
    "a zip twice": {"a/work.zip (1)": zip_of({NAME: GOOD})},
    "a script of Colab": {"a/copy_of_03_functional.py": script("")},
    "empty beside it": copied(""),
    "damaged beside it": copied(GOOD[:2000]),
}


def test_no_file_costs_a_mark(tmp_path):
    for student, members in FILES.items():
        for place, data in members.items():
            entry, _, inside = place.partition("/")
            entry = student + entry.removeprefix("a")
            path = tmp_path / entry / inside if inside else tmp_path / entry
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data_of(data))
    marks, found = graded(tmp_path, LIMITS)
    assert sorted(submission.student for submission in found) == sorted(FILES)
    lost = {
        s.student: s.remarks
        for s, own in zip(found, marks)
        if statuses(own) != ["right"] * len(NUMBERS)
    }
    assert lost == {}


def begun(text):
    return lambda cell: cell.replace("#| export functional\n#| exercise 03.1\n", text)


CELLS = {
    "no space": begun("#|export functional\n#|exercise 03.1\n"),
    "capitals": begun("#| Export functional\n#| Exercise 03.1\n"),
    "colon": begun("#| export: functional\n#| exercise: 03.1\n"),
    "spaces": begun("# |  export  functional \n\t#|\u00a0exercise\u00a003-1 (softmax)\n"),
    "swapped": begun("#| exercise 03.1\n#| export functional\n"),
    "under a comment": begun("# mine\n#| export functional\n#| exercise 3.1\n"),
    "under code": begun("'''Mine.'''\nx = 1\n#| export functional\n#| exercise 03.1\n"),
    "another module": begun("#| export nn\n#| exercise 03.1\n"),
    "no module": begun("#| export\n#| exercise 03.1\n"),
    "not exported": begun("#| exercise 03.1\n"),
    "another exercise": begun("#| export functional\n#| exercise 03.2\n"),
    "no marks": begun("# softmax\n"),
    "line ends": lambda cell: cell.replace("\n", "\r\n"),
    "old line ends": lambda cell: cell.replace("\n", "\r"),
    "tabs": lambda cell: cell.replace("    ", "\t"),
    "mark of the order": lambda cell: "\ufeff" + cell,
    "looked for a mistake": lambda cell: cell.replace(
        "### BEGIN SOLUTION\n",
        "### BEGIN SOLUTION\n    display(x)\n    breakpoint()\n    import sys\n"
        "    sys.stdout.encoding.lower()\n",
    ),
    "indented": lambda cell: "\n" + indented(cell),
    "indented by a tab": lambda cell: "\t" + cell.replace("\n", "\n\t"),
    "of the future": begun(
        "#| export functional\n#| exercise 03.1\nfrom __future__ import annotations\n"
    ),
} | {
    line: lambda cell, line=line: f"{line}\n{cell}" if line[:2] == "%%" else f"{cell}\n{line}"
    for line in [
        "%%capture out",
        "%matplotlib inline",
        "x = %timeit -o 1",
        "files = !ls",
        "np.times = %timeit -o 1",
        "pip install numpy",
        "!pip install \\\n    numpy",
        "get_ipython().run_line_magic('matplotlib', 'inline')",
        "from google.colab import drive\ndrive.mount('x')",
        "import matplotlib.pyplot as plt\nplt.plot([1])",
        "import torch",
        "display(_softmax(np.ones(3), -1))",
        "from course import check\ncheck('03.1')",
        "answer = input()",
        "await something()",
        "assert 1 == 2, 'to do'",
        "for n in range(3): print(undefined)",
        "exit()",
        f"undefined()\nx = 0x{'f' * 40_000}",
        f"undefined()\nx = {'+'.join(['1'] * 990)}",
    ]
}


def test_nothing_beside_an_answer_costs_its_mark(tmp_path):
    for number, change in enumerate(CELLS.values()):
        (tmp_path / f"{number:02}.ipynb").write_text(with_cell(change), encoding="utf-8")
    as_text = GOOD.replace('"cell_type": "code"', '"cell_type": "markdown"')
    (tmp_path / f"{len(CELLS):02}.ipynb").write_text(as_text, encoding="utf-8")
    marks, found = graded(tmp_path, LIMITS)
    lost = [
        (name, submission.remarks, own["03.1"].lines)
        for name, submission, own in zip([*CELLS, "as text"], found, marks, strict=True)
        if statuses(own) != ["right"] * len(NUMBERS)
    ]
    assert lost == []


def test_what_fails_beside_a_helper_does_not_take_it_away(tmp_path):
    """The whole notebook is loaded with that passed over, and a remark says so."""
    helper = "#| export functional\nimport torch\n" + f"def mine(x, axis):\n{indented(NORMALISED)}"
    cells = [helper, *cells_of({"03.1": "return mine(x, axis)"})[1:]]
    (tmp_path / "ann.ipynb").write_text(notebook(cells_of({})[0], *cells), encoding="utf-8")
    (marks,), (submission,) = graded(tmp_path, LIMITS)
    assert statuses(marks) == ["right"] * len(NUMBERS)
    assert any("there is no torch here" in words for words in submission.remarks)


def indented(body):
    return "".join(f"    {line}\n" for line in body.splitlines())


@pytest.mark.parametrize(
    ("cell", "names"),
    [
        ("import math as m\n%matplotlib inline\nprint('x')", {"m"}),
        ("from math import sqrt as root", {"root"}),
        ("one, two = 1, 2", {"one", "two"}),
        ("def f(:\n", set()),
    ],
)
def test_names_of_cells_that_are_not_exported(cell, names):
    assert names_in(cell) == names


def test_what_is_no_mark_stays():
    for cell in (
        "# export data\nx = 1",
        "#| export elsewhere\nx = 1",
        "#| exercise 99.9\nx = 1",
        CELL,
    ):
        assert with_our_marks(cell) == (cell, "")


def test_a_forgiving_cell_defines_the_same():
    cell = "#| export nn\n#| exercise 04.1\n#: ONE = 1\nplot()\nclass A:\n    pass\nawait x\n"
    text = forgiving(cell)
    assert text.startswith("#| export nn\n#| exercise 04.1\ntry:") and "await" not in text
    space = {}
    exec(text, space)
    assert space["ONE"] == 1 and "A" in space
    assert forgiving("#| export nn\ndef f(:") == "#| export nn\ndef f(:"


def test_what_cannot_be_read_is_said_with_what_was_found(tmp_path):
    for name, data in {"ann/03_functional.html": "x", "ann/work.rar": "x"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(data, encoding="utf-8")
    (submission,) = read_all(tmp_path)
    assert submission.remarks[0].endswith("but 03_functional.html, work.rar")
    text = "{\n<<<<<<< HEAD\n"
    (tmp_path / "ann.ipynb").write_text(text, encoding="utf-8")
    submission = read_all(tmp_path)[1]
    assert "both sides of a merge in it, from line 2 on (<<<<<<< HEAD)" in submission.unreadable[""]


def test_where_an_answer_was_found_is_said(tmp_path):
    for student in ("two halves", "solved in another cell", "a blank copy below"):
        for place, data in FILES[student].items():
            path = tmp_path / student / place.removeprefix("a/")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(data, encoding="utf-8")
    _, found = graded(tmp_path, LIMITS)
    said = {submission.student: "\n".join(submission.remarks) for submission in found}
    blank = "03.1: the cell that is marked `#| exercise 03.1` is blank"
    assert f"{blank}; the one that defines _softmax was taken" in said["solved in another cell"]
    assert "is blank in x/03_functional.ipynb; y/03_functional.ipynb has it" in said["two halves"]
    assert "03.1 is right by itself, and counts" in said["a blank copy below"]


def test_our_own_drafts_are_no_answers():
    """A blank lesson stays blank, whatever its other cells define."""
    files = edition.edition_files()
    for path in notebooks.paths():
        data = files[f"notebooks/{path.name}"]
        budget_, handed = Budget(), Submission("ann", "ann")
        file = Found(path.name, 0, lambda data=data: data)
        handed.notebooks.append(read_notebook(file, path.name, path.stem[:2], budget_, handed))
        for number, exercise in exercises().items():
            if number[:2] == path.stem[:2]:
                assert is_blank(exercise, handed.cells(number)[-1]), number
        assert handed.remarks == []


def test_one_cell_that_is_too_long_costs_itself_alone(tmp_path):
    text = with_cell(lambda cell: cell + "\n# " + "x" * 60_000)
    (tmp_path / "ann.ipynb").write_text(text, encoding="utf-8")
    (marks,), (submission,) = graded(tmp_path, LIMITS)
    assert statuses(marks) == ["missing", *["right"] * len(NUMBERS[1:])]
    assert "longer than 50000 characters" in submission.remarks[0]
    text = notebook(*cells_of({}), *["#| export functional\n" + "# x\n" * 10_000] * 30)
    (tmp_path / "ann.ipynb").write_text(text, encoding="utf-8")
    (submission,) = read_all(tmp_path)
    assert "more than 1000000 characters" in submission.remarks[0]


# --- Archives that mean harm ---


def zipped(data):
    return gzip.compress(data, mtime=0)  # without the time: the tests' names come from it


def tar_header(kind, size):
    member = tarfile.TarInfo("x")
    member.type, member.size = kind, size
    return member.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("a.tar.gz", zipped(b"x/03.ipynb".ljust(257, b"\0") + b"ustar" + b"\0" * 9000), ""),
        ("a.tar.gz", zipped(tar_of({NAME: GOOD}, "w"))[:3000], "damaged"),
        ("a.tar", tar_header(tarfile.GNUTYPE_LONGNAME, 8_000_000_000), "larger than 100 MB"),
        ("a.tar", tar_header(tarfile.XHDTYPE, 8_000_000_000), "larger than 100 MB"),
        ("a.tar", tar_header(tarfile.GNUTYPE_LONGNAME, 0) * 3000, "damaged"),
        ("a.tar.bz2", b"BZh9" + b"x" * 300, "damaged"),
        ("a.tar.xz", b"\xfd7zXZ\x00" + b"x" * 300, "damaged"),
        ("a.zip", b"PK\x03\x04" + b"x" * 300, "no zip"),
        ("a.rar", b"Rar!\x1a\x07\x00" + b"x" * 300, "neither a folder"),
    ],
)
def test_an_archive_that_is_none_is_said_to_be(tmp_path, name, data, words):
    (tmp_path / name).write_bytes(data)
    (submission,) = read_all(tmp_path)
    assert not submission.notebooks and words in str(submission.unreadable), submission


def test_links_in_a_tar_and_names_that_lead_outside_are_left_out(tmp_path):
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for place, kind in {NAME: tarfile.SYMTYPE, "b/03.ipynb": tarfile.LNKTYPE}.items():
            member = tarfile.TarInfo(place)
            member.type, member.linkname = kind, "/etc/passwd"
            archive.addfile(member)
        for place in ("../" + NAME, "/" + NAME):
            member = tarfile.TarInfo(place)
            member.size = len(GOOD.encode())
            archive.addfile(member, io.BytesIO(GOOD.encode()))
    (submission,) = read_all(tmp_path)
    said = " ".join(submission.remarks)
    assert not submission.notebooks
    assert said.count("a link or no ordinary file") == said.count("leads outside") == 2


def test_what_is_unpacked_has_limits(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "UNPACKED_LIMIT", 20_000_000)
    zeros = {f"{number}.bin": b"\0" * 4_000_000 for number in range(8)}
    (tmp_path / "a.tar.gz").write_bytes(tar_of(zeros | {NAME: GOOD}, "w:gz"))
    with pytest.raises(Unreadable, match="more than 20 MB unpacked"):
        find(tmp_path / "a.tar.gz", Budget())
    monkeypatch.setattr(budget, "BYTES_LIMIT", 10_000_000)
    bomb = zip_of({f"{number}.zip": zip_of({"x": "x"}) + b"\0" * 4_000_000 for number in range(8)})
    (tmp_path / "b.zip").write_bytes(bomb)
    own = Budget()
    assert find(tmp_path / "b.zip", own) == []
    assert "more than 10 MB" in " ".join(own.remarks)


def test_names():
    for name in (
        "a.ipynb",
        "A.IPYNB",
        "a.ipynb.txt",
        "a.ipynb (2)",
        "03_functional.txt",
        "x.tar.gz",
        "x.zip (1)",
        "x.zip.download",
        "README",  # whatever has no ending may be an archive
    ):
        assert is_wanted(name), name
    for name in ("a.py", "functional.py", "notes.txt", "x.zippy", "a.ipynbx", "03.1.py", "a.json"):
        assert not is_wanted(name), name
    stems = ["ann", "ann", "ann", "ann", "ann b"]
    assert [
        stem(n) for n in ("ann.ipynb", "ann.tar.gz", "ann.py", "ann.ipynb.zip", "ann b")
    ] == stems


# --- Time: the processor decides ---


def slow(seconds):
    return {"03.1": f"import time\ntime.sleep({seconds})\n{NORMALISED}"}


@pytest.mark.parametrize(("crowd", "status"), [(1.0, "wrong"), (8.0, "right")])
def test_on_a_busy_machine_the_clock_goes_slower(monkeypatch, crowd, status):
    monkeypatch.setattr(runner, "crowd", lambda: crowd)
    texts = exercises()["03.1"].texts(slow(0.2)["03.1"])
    result = judge("03.1", texts, runner.Limits(seconds=1.2))
    assert result.status == status
    if status == "wrong":
        assert result.wrong.words.startswith("too slow: 1.2 s for the whole check")


def test_the_limit_that_was_met_is_named():
    """By the clock or of the processor, and only where the check had begun."""
    late = runner.Ended("1 s of the processor")
    assert ended_words(late, ["one line"]).startswith(
        "too slow: 1 s of the processor for the whole"
    )
    assert ended_words(late, []).startswith("it does not come to an end")


def test_a_package_that_never_loads_leaves_no_deadline_behind(monkeypatch):
    """Its deadline would end the next check of the same server."""
    made, real = [], runner.ALARM.after
    monkeypatch.setattr(runner.ALARM, "after", lambda *given: made.append(real(*given)) or made[-1])
    texts = exercises()["03.1"].texts(NORMALISED) | {"": "while True: pass"}
    with pytest.raises(runner.Ended) as ended:
        runner.start(texts, "import minigrad", runner.Limits(seconds=60.0, cpu=1))
    assert ended.value.late == "1 s of the processor"
    assert [deadline.action for deadline in made] == [None]


def test_one_alarm_keeps_many_deadlines():
    alarm, passed = runner.Alarm(), []
    late = alarm.after(0.3, lambda: passed.append("late"))
    alarm.after(0.2, lambda: 1 / 0)  # its failure is its own
    alarm.after(0.1, lambda: passed.append("early"))
    alarm.after(0.2, lambda: passed.append("cancelled")).cancel()
    deadline = time.monotonic() + 5
    while len(passed) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    assert passed == ["early", "late"]
    late.cancel()


def test_a_missing_name_is_a_value():
    result = judge("03.1", exercises()["03.1"].texts("return mine(x)"))
    assert result.wrong.missing == "mine" and result.loaded
    assert judge("03.1", exercises()["03.1"].texts("return x.mine")).wrong.missing == ""


def test_every_value_comes_back_as_it_was_sent():
    """Empty arrays, scalars and arrays in lists and dictionaries among them."""
    ours, theirs = socket.socketpair()
    one, other = protocol.over(ours), protocol.over(theirs)
    value = [np.zeros((0, 3)), np.float32(2.5), {"array": [1, 2]}, [np.arange(6).reshape(2, 3)]]
    value += [None, "é\ud800", float("inf"), True, np.array(True), {"a": np.zeros(0, "c8")}]
    for message in (value, value[:1], [], [np.ones(3)[::2], np.ones((2, 3), "f4", "F")]):
        one.send({"value": protocol.encode(message)})
        back = protocol.decode(other.receive()["value"])
        assert repr(back) == repr(message)
    for channel in (one, other):
        channel.close()
    ours.close(), theirs.close()
