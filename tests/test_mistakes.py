"""The page of mistakes says what tests/wrong_answers and the checks say."""

import re

import pytest

from benchmarks import mistakes
from course.exercises import exercises

COLUMN = re.compile(r"(?<!\\)\|")


def rows(text):
    """(the heading it stands under, its cells) for each row of the tables."""
    heading, found = "", []
    for line in text.splitlines():
        if line.startswith("###"):
            heading = line
        elif line.startswith("| ") and "| how it shows |" not in line:
            found.append((heading, [part.strip() for part in COLUMN.split(line)[1:-1]]))
    return found


def names_and_advice(text):
    return [(heading, cells[0], cells[2]) for heading, cells in rows(text)]


def test_the_page_has_every_mistake_and_its_advice():
    stored = mistakes.PAGE.read_text(encoding="utf-8")
    cheap = mistakes.page(lambda number, body: "…")
    assert names_and_advice(stored) == names_and_advice(cheap), "run python -m benchmarks.mistakes"
    headings = {heading for heading, _ in rows(stored)}
    assert len(headings) == len(exercises())
    assert all(len(cells) == 3 and all(cells) for _, cells in rows(stored))
    assert not [cells for _, cells in rows(stored) if "lets it pass" in cells[1]]


@pytest.mark.long
def test_the_page_has_what_the_checks_say():
    assert mistakes.PAGE.read_text(encoding="utf-8") == mistakes.page()


def test_a_cell_shows_what_is_written():
    assert mistakes.cell("a | b * c_d `x_i | y`\n<b>") == r"a \| b \* c\_d `x_i \| y` \<b>"
