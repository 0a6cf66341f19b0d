"""The way in, `notebooks/00_start.ipynb`: it writes at once, in a copy that is blank too."""

import ast
import asyncio
import importlib.util
import json
import os
import re
import subprocess
import sys

import nbclient
import nbformat
import numpy as np
import pytest

import minigrad as mg
from course import environment, start
from course.lessons import notebooks
from course.lessons.notebooks import ROOT
from course.student import edition
from maintain import browser

PATH = ROOT / "notebooks" / notebooks.START
CELLS = {cell["id"]: cell for cell in json.loads(PATH.read_text(encoding="utf-8"))["cells"]}
SOURCES = {name: "".join(cell["source"]) for name, cell in CELLS.items()}
PROSE = "\n".join(SOURCES[name] for name, cell in CELLS.items() if cell["cell_type"] == "markdown")


def printed(cell):
    return "".join("".join(output.get("text", "")) for output in cell["outputs"])


# --- What it shows ---


def test_it_writes_before_anything_is_run():
    text = printed(CELLS["writes"])
    assert text.startswith("ROMEO:\n") and len(text) > 200
    assert list(CELLS).index("writes") == 1  # after one sentence
    assert len(SOURCES["start"].split()) < 40
    assert PATH.stat().st_size < 1_500_000


def test_the_course_in_30_lines_learns():
    lines = [line for line in SOURCES["tiny"].splitlines() if line.strip()]
    assert len(lines) <= 31  # with its import
    imported = {
        alias.name
        for node in ast.walk(ast.parse(SOURCES["tiny"]))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }
    assert imported == {"numpy"}
    losses = [float(found) for found in re.findall(r"loss ([\d.]+)", printed(CELLS["tiny"]))]
    assert losses == sorted(losses, reverse=True) and losses[-1] < losses[0] / 100
    assert set(re.findall(r"lesson (\d)", SOURCES["tiny"])) == set("1234568")


def test_it_has_the_map_the_way_and_every_lesson_with_its_minutes():
    assert SOURCES["map"].endswith("progress()") and "image/png" in json.dumps(CELLS["map"])
    steps = re.findall(r"^\d\. ", SOURCES["how"], re.MULTILINE)
    assert len(steps) == 4
    rows = re.findall(r"^\| \[.*?\]\((.*?)\) \|.*\| (\d+) \|$", PROSE, re.MULTILINE)
    assert [name for name, _ in rows] == [path.name for path in notebooks.paths()]
    total = sum(int(minutes) for _, minutes in rows)
    assert f"{total:,} minutes, about {total / 60:.0f} hours" in PROSE
    assert "(../docs/glossary.md)" in PROSE


def test_lab_opens_it(monkeypatch):
    called = []
    monkeypatch.setattr(environment, "run", lambda *arguments, data=None: called.append(arguments))
    environment.lab(["--no-browser"])
    assert f"--LabApp.default_url=/lab/tree/notebooks/{PATH.name}" in called[0]
    assert called[0][-1] == "--no-browser"


# --- The model behind it ---


def test_the_writer_computes_what_the_library_does():
    model, tokenizer = mg.load_pretrained()
    text = "ROMEO:\nBut soft, what light"
    writer = start.Writer()
    found = [writer.read(character) for character in text][-1]
    expected = model(tokenizer.encode(text)[None, :].astype(np.int64)).data[0, -1]
    assert found == pytest.approx(expected, abs=1e-3)


def test_it_writes_what_the_library_samples(capsys):
    start.write("JULIET:\n", length=100, temperature=0.7, seed=5)
    model, tokenizer = mg.load_pretrained()
    context = tokenizer.encode("JULIET:\n")[None, :].astype(np.int64)
    tokens = mg.gpt2_shakespeare.generate(
        model, context, temperature=0.7, generator=np.random.default_rng(5)
    )
    expected = "".join(tokenizer.decode(next(tokens)) for _ in range(100))
    assert capsys.readouterr().out == f"JULIET:\n{expected}\n"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"prompt": "caffè"}, "never seen ['è']"),
        ({"prompt": ""}, "give it a prompt"),
        ({"length": 300}, "at most 257 characters"),
        ({"temperature": 0}, "above 0"),
    ],
)
def test_what_it_cannot_write_is_refused_in_words(options, words, capsys):
    with pytest.raises(ValueError, match=re.escape(words)):
        start.write(**options)
    assert capsys.readouterr().out == ""


def test_where_the_page_cannot_be_written_that_is_said(tmp_path, capsys):
    start.playground(tmp_path / "gone")
    assert "cannot be written here" in capsys.readouterr().out


# --- In a student's copy ---


@pytest.fixture(scope="module")
def copy(tmp_path_factory):
    folder = tmp_path_factory.mktemp("student")
    edition.student(folder / "mine", folder / "solutions.zip")
    return folder / "mine"


def test_in_a_blank_copy_it_shows_what_it_wrote_and_runs_whole(copy):
    path = copy / "notebooks" / PATH.name
    content = nbformat.read(path, as_version=4)
    cells = {cell["id"]: cell for cell in content.cells}
    assert printed(cells["writes"]) == printed(CELLS["writes"])  # before it is run
    assert printed(cells["tiny"]) == printed(CELLS["tiny"])
    assert cells["map"].outputs == []  # what is built there is not built here
    assert not list((copy / "minigrad").glob("tensor.py"))
    client = nbclient.NotebookClient(
        content, kernel_name="python3", timeout=120, resources={"metadata": {"path": path.parent}}
    )
    variables = os.environ | {"PYTHONPATH": str(copy)}  # not the course that is installed here
    asyncio.run(client.async_execute(env=variables))
    for cell in content.cells:
        for output in cell.get("outputs", []):
            assert output.output_type != "error", output
    assert printed(cells["writes"]) == printed(CELLS["writes"])
    assert (path.parent / start.PAGE).stat().st_size > 10**7
    words = json.dumps(cells["map"].outputs)
    assert "exercises. " in words and "With a tick" not in words


def test_a_page_can_be_made_in_a_blank_copy(copy, tmp_path):
    command = [sys.executable, "-m", "minigrad.apps.publish", "--out", str(tmp_path / "p.html")]
    done = subprocess.run(command, cwd=copy, capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    numbers = mg.load_pretrained()[0].num_parameters()
    assert f"{numbers:,} numbers" in (tmp_path / "p.html").read_text(encoding="utf-8")


# --- In a browser ---


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with browser.lab(tmp_path_factory.mktemp("lab")) as found:
        yield found


needs_notebook_7 = pytest.mark.skipif(
    importlib.util.find_spec("notebook") is None, reason="Notebook 7 is not installed"
)


@pytest.mark.skipif(importlib.util.find_spec("playwright") is None, reason="no Playwright")
@pytest.mark.skipif(browser.CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize(
    "application",
    [
        pytest.param(browser.LAB, id="JupyterLab"),
        pytest.param(browser.NOTEBOOK_7, marks=needs_notebook_7, id="Notebook 7"),
    ],
)
def test_the_page_writes_in_the_notebook(server, application):
    with browser.chromium() as context:
        page = browser.open_notebook(context, server, PATH.name, application)
        line = printed(CELLS["writes"]).splitlines()[1]
        shown = page.locator(".jp-OutputArea-output", has_text=line)
        shown.first.wait_for()  # stored; nothing was run
        assert browser.run_all(page) == []
        frame = page.frame_locator('iframe[title^="A GPT that writes"]')
        page.locator('iframe[title^="A GPT that writes"]').scroll_into_view_if_needed()
        play = frame.locator(".mg")
        play.locator(".mg-bars li").first.wait_for(timeout=60 * browser.SECONDS)
        play.get_by_role("button", name="Generate").click()
        play.locator(".mg-status", has_text="Wrote").wait_for(timeout=60 * browser.SECONDS)
        assert len(play.locator(".mg-characters").first.text_content()) > 100
        page.close()


# --- At both ends of each lesson ---


def cells_of(path):
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


@pytest.mark.parametrize("path", notebooks.paths(), ids=lambda path: path.stem)
def test_each_lesson_has_the_map_and_its_neighbours_at_both_ends(path):
    everyone = [one.name for one in notebooks.all_paths()]
    here = everyone.index(path.name)
    neighbours = everyone[here - 1 : here] + everyone[here + 1 : here + 2]
    sources = ["".join(cell["source"]) for cell in cells_of(path)]
    way = [number for number, source in enumerate(sources) if re.search(r"^← ", source, re.M)]
    assert way[0] < 4 and way[-1] == len(sources) - 1
    for number in (way[0], way[-1]):
        assert all(f"]({name})" in sources[number] for name in neighbours)
    maps = [n for n, source in enumerate(sources) if f"progress({int(path.name[:2])})" in source]
    assert maps[0] < 6 and maps[-1] >= len(sources) - 3 and len(maps) == 2
