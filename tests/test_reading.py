"""How a lesson is read: a main path that is not too long, second reading folded, questions at its end."""

import ast
import re

import pytest

from course.lessons import notebooks
from course.student.explanations import is_folded

LESSONS = [path for path in notebooks.paths() if path.name[:2].isdigit()]
each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
# Lessons whose main path is held to its length.
SHORT = [path for path in LESSONS if path.name[:2] in ("01", "02", "05")]
each_short = pytest.mark.parametrize("path", SHORT, ids=lambda path: path.stem)
COLLAPSED = "jp-MarkdownHeadingCollapsed"  # JupyterLab shows the heading alone


def heading(cell):
    """The level of the heading that a cell begins with, and its words."""
    found = re.match(r"(#+) (.*)", cell["source"]) if cell["cell_type"] == "markdown" else None
    return (len(found[1]), found[2]) if found else (None, "")


def main_path(cells):
    """The cells that are not below a folded heading; the heading itself is one of them."""
    within = None
    for cell in cells:
        level, _ = heading(cell)
        if level and within and level <= within:
            within = None
        if not within:
            yield cell
        if level and cell["metadata"].get(COLLAPSED):
            within = level


def words(cells):
    """How many words there are in the text of the cells, but not in what is folded in it."""
    texts = [cell["source"] for cell in cells if cell["cell_type"] == "markdown"]
    hidden = re.compile(r"<!--.*?-->|<details>.*?</details>", re.DOTALL)
    found = [word for text in texts for word in hidden.sub("", text).split()]
    return sum(any(letter.isalnum() for letter in word) for word in found)  # no "|", "#", "="


@each_lesson
def test_second_reading_is_folded_and_nothing_else(path):
    cells = notebooks.load(path)["cells"]
    for cell in cells:
        level, text = heading(cell)
        second = bool(re.match(r"(\d+\. )?Second reading: [A-Z]", text))
        assert bool(cell["metadata"].get(COLLAPSED)) == second, cell["source"][:60]
        if second:  # JupyterLab shows the whole cell, so it holds the heading alone
            assert "\n" not in cell["source"].strip()


@each_short
def test_the_main_path_has_about_six_thousand_words_at_most(path):
    assert words(main_path(notebooks.load(path)["cells"])) <= 6_000


@each_short
def test_a_reader_writes_and_changes_code_early(path):
    cells = notebooks.load(path)["cells"]
    first = [re.match("Your turn|Exercise", heading(cell)[1]) for cell in cells]
    before = cells[: next(number for number, match in enumerate(first) if match)]
    assert words(main_path(before)) <= 1_500


# A line such as "1. (The last ones …" within a paragraph: a renderer makes a list of it.
NUMBER_AT_A_LINE_S_BEGINNING = re.compile(
    r"^(?!\s*(?:\d+[.)]|[-+*]) )\S.*\n {0,3}\d+[.)] ", re.MULTILINE
)


@each_lesson
def test_no_sentence_is_taken_for_a_list(path):
    texts = [c["source"] for c in notebooks.load(path)["cells"] if c["cell_type"] == "markdown"]
    assert not [found for text in texts for found in NUMBER_AT_A_LINE_S_BEGINNING.findall(text)]


@each_lesson
def test_five_questions_stand_at_the_end_with_their_answers_folded(path):
    cells = notebooks.load(path)["cells"]
    found = [cell for cell in cells if heading(cell)[1] == "Five questions"]
    assert len(found) == 1 and cells.index(found[0]) > 0.85 * len(cells)
    assert found[0]["source"].count("<details>") == 5
    assert not re.search(
        r"<details>(?!<summary>)|<summary>[^<]*</summary>(?!\n\n)", found[0]["source"]
    )


def only_draws(source):
    """Whether every statement of a cell is a call of a drawing function."""
    try:
        body = ast.parse(source).body
    except SyntaxError:  # magic
        return False
    calls = [node.value for node in body if isinstance(node, ast.Expr)]
    return bool(body) and len(calls) == len(body) and all(is_drawing(call) for call in calls)


def is_drawing(node):
    return isinstance(node, ast.Call) and ast.unparse(node.func).startswith("draw.")


@each_lesson
def test_a_cell_that_only_draws_is_folded(path):
    cells = [cell for cell in notebooks.load(path)["cells"] if cell["cell_type"] == "code"]
    drawing = [cell for cell in cells if only_draws(cell["source"])]
    assert [cell["source"][:60] for cell in drawing if not is_folded(cell)] == []
    assert all("hide-input" in cell["metadata"]["tags"] for cell in cells if is_folded(cell))


def test_the_checks_see_what_they_look_for():
    assert only_draws("draw.lines(x)\ndraw.bars(y)") and not only_draws("x = 1\ndraw.lines(x)")
    assert not only_draws("%pip list") and not only_draws("") and not only_draws("print(1)")
    texts = ["# A", "one two", "### Second reading", "hidden", "## B <details>x</details>"]
    cells = [{"cell_type": "markdown", "metadata": {}, "source": text} for text in texts]
    cells[2]["metadata"] = {COLLAPSED: True}
    assert [cell["source"] for cell in main_path(cells)] == [*texts[:3], texts[4]]
    assert words(main_path(cells)) == 1 + 2 + 2 + 1
    assert NUMBER_AT_A_LINE_S_BEGINNING.search("They come to\n1. (The last ones do not.)")
    for right in (
        "They come\nto 1. So",
        "1. one\n2. two",
        "- one,\n  still one\n2. two",
        "\n\n1. one",
    ):
        assert not NUMBER_AT_A_LINE_S_BEGINNING.search(right)
