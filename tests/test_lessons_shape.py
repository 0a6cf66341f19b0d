"""The shape of a lesson: how soon a reader writes code and sees something learn, and what is folded.

Words are those of the main path: without folded parts ("Second reading"), hints and answers. What
has no letter or digit (a table's lines, an operator) is no word.
"""

import re

import pytest

from course.lessons import notebooks

FOLDED = "jp-MarkdownHeadingCollapsed"  # JupyterLab 4 and Notebook 7 open the notebook with it
SCREEN = 40  # lines that a screen shows
LINE = 14  # words on a line


def cells(lesson):
    """(cell, whether it stands in a folded part; its heading does not) of one lesson."""
    [path] = [path for path in notebooks.paths() if path.stem[:2] == lesson]
    folded, found = 0, []
    for cell in notebooks.load(path)["cells"]:
        level = heading_level(cell)
        if level and level <= folded:
            folded = 0
        found.append((cell, folded > 0))
        if level and not folded and cell["metadata"].get(FOLDED):
            folded = level
    return found


def heading_level(cell):
    """The level of the highest heading in a text cell (1 is the title), or 0."""
    if cell["cell_type"] != "markdown":
        return 0
    prose = re.sub(r"^```.*?^```", "", cell["source"], flags=re.MULTILINE | re.DOTALL)
    return min((len(signs) for signs in re.findall(r"^(#+) ", prose, re.MULTILINE)), default=0)


def words(cell):
    """How many words of a text cell are read on the main path."""
    if cell["cell_type"] != "markdown":
        return 0
    text = re.sub(r"<details>.*?</details>|<!--.*?-->", "", cell["source"], flags=re.DOTALL)
    return sum(any(letter.isalnum() for letter in word) for word in text.split())


def words_before(lesson, found):
    """The words of the main path before the first cell for which `found` holds."""
    total = 0
    for cell, folded in cells(lesson):
        if found(cell):
            return total
        total += 0 if folded else words(cell)
    raise AssertionError("there is no such cell")


def test_the_first_own_code_comes_soon():
    assert words_before("01", lambda cell: "\n#| exercise " in cell["source"]) <= 1_500


def test_something_learns_soon():
    """The first loop that moves weights against their gradients."""
    step = re.compile(r"^ +weights\[name\] -= .*gradients\[name\]", re.MULTILINE)
    assert words_before("01", lambda cell: step.search(cell["source"])) <= 2_500


# The cell in which something first learns: a network that parts spirals; a table of attention.
FIRST_LEARNS = {"05": r"^train\(net, ", "07": r"^ +table\.data -= table\.grad"}


@pytest.mark.parametrize("lesson", FIRST_LEARNS)
def test_the_reader_soon_changes_code_and_sees_something_learn(lesson):
    """Before the first exercise: a cell that is the reader's to change, and one that learns."""
    assert words_before(lesson, lambda cell: "Your turn" in cell["source"]) <= 1_000
    step = re.compile(FIRST_LEARNS[lesson], re.MULTILINE)
    assert words_before(lesson, lambda cell: step.search(cell["source"])) <= 1_600


def test_the_main_path_can_be_read_in_an_hour():
    assert sum(words(cell) for cell, folded in cells("01") if not folded) <= 6_000


def test_second_reading_is_folded_and_nothing_else_is():
    for cell, _ in cells("01"):
        second = re.search(r"^#+ (\d+\. )?Second reading: ", cell["source"], re.MULTILINE)
        assert bool(cell["metadata"].get(FOLDED)) == bool(second), cell["source"]
        if second:  # JupyterLab shows the whole cell, so it holds the heading alone
            assert cell["cell_type"] == "markdown" and "\n" not in cell["source"].strip()


@pytest.mark.parametrize("lesson", ["01", "02", "07"])  # 05 has one more, on Muon
def test_no_exercise_is_folded_away(lesson):
    for cell, folded in cells(lesson):
        assert not (folded and ("#| exercise " in cell["source"] or "check(" in cell["source"]))


def test_the_catalogue_is_second_reading():
    folded = "\n".join(cell["source"] for cell, folded in cells("01") if folded)
    for name in ("prod", "triu", "split", "cumsum", "repeat"):
        assert re.search(rf"^def {name}\(", folded, re.MULTILINE), name
    main = "\n".join(
        cell["source"] for cell, folded in cells("01") if cell["cell_type"] == "code" and not folded
    )
    for word in ("ContextVar", "__slots__ =", "errstate(all="):
        assert word in folded and word not in main.replace('with np.errstate(all="ignore")', "")


def lines(cell):
    """How many lines of a screen a cell takes, without its pictures."""
    if cell["cell_type"] == "markdown":
        return words(cell) / LINE + 1.5 * (cell["source"].count("\n\n") + 1)
    hidden = cell["metadata"].get("jupyter", {}).get("source_hidden")
    code = 1 if hidden else cell["source"].count("\n") + 2
    printed = sum(
        "".join(output["text"]).count("\n") for output in cell["outputs"] if "text" in output
    )
    return code + printed


def shows_a_picture(cell):
    return any(
        {"image/png", "image/svg+xml"} & set(output.get("data", {})) or "<svg" in str(output)
        for output in cell.get("outputs", ())
    )


@pytest.mark.parametrize("lesson", ["01"])
def test_no_more_than_four_screens_without_a_picture(lesson):
    since, longest = 0.0, (0.0, "")
    for cell, folded in cells(lesson):
        if folded:
            continue
        since += lines(cell)
        longest = max(longest, (since, cell["source"][:60]))
        if shows_a_picture(cell):
            since = 0.0
    assert longest[0] <= 4 * SCREEN, longest
