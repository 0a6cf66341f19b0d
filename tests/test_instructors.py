"""What instructors are given: the page of mistakes, the cells for nbgrader, the page itself."""

import importlib.util
import re

import pytest

from course.grading import budget, judging, nbgrader
from course.lessons.exercise import exercises
from course.lessons.notebooks import ROOT, load, paths
from course.sandbox import protocol
from maintain import mistakes

INSTRUCTORS = (ROOT / "docs" / "instructors.md").read_text(encoding="utf-8")
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
    assert names_and_advice(stored) == names_and_advice(cheap), "run python -m maintain.mistakes"
    headings = {heading for heading, _ in rows(stored)}
    assert len(headings) == len(exercises())
    assert all(len(cells) == 3 and all(cells) for _, cells in rows(stored))
    assert not [cells for _, cells in rows(stored) if "lets it pass" in cells[1]]


@pytest.mark.long
def test_the_page_has_what_the_checks_say():
    assert mistakes.PAGE.read_text(encoding="utf-8") == mistakes.page()


def test_a_cell_shows_what_is_written():
    assert mistakes.cell("a | b * c_d `x_i | y`\n<b>") == r"a \| b \* c\_d `x_i \| y` \<b>"


@pytest.mark.parametrize("path", paths(), ids=lambda path: path.stem)
def test_every_exercise_has_its_two_cells_for_nbgrader(path):
    cells = nbgrader.source(load(path))["cells"]
    found = [cell["metadata"]["nbgrader"] for cell in cells if "nbgrader" in cell["metadata"]]
    numbers = [n.replace(".", "-") for n in exercises() if n[:2] == path.stem[:2]]
    assert [part["grade_id"] for part in found] == [
        f"{kind}-{number}" for number in numbers for kind in ("answer", "check")
    ]
    assert sum(part.get("points", 0) for part in found) == len(numbers)
    assert sum("### END HIDDEN TESTS" in cell["source"] for cell in cells) == len(numbers)


# --- The page for instructors ---


def minutes(path):
    """The minutes on the cards of a lesson's exercises, together."""
    texts = [cell["source"] for cell in load(path)["cells"] if "### Exercise " in cell["source"]]
    return sum(int(found) for text in texts for found in re.findall(r"About (\d+) min", text))


def test_the_exercises_take_as_long_as_their_cards_say():
    table = re.findall(r"^\| (\d\d) .*\| (\d+) \|$", INSTRUCTORS, re.MULTILINE)
    stated = {lesson: int(sum_) for lesson, sum_ in table}
    assert list(stated) == [path.stem[:2] for path in paths()]
    for path in paths():
        lesson, right = path.stem[:2], minutes(path)
        assert stated[lesson] == right, (
            f"the exercises of lesson {lesson} take {right} minutes, by their cards: correct the "
            'table "How long it takes" in docs/instructors.md'
        )


@pytest.mark.parametrize("path", paths(), ids=lambda path: path.stem)
def test_exercises_are_numbered_as_they_follow_each_other(path):
    met = [number for number in exercises() if number[:2] == path.stem[:2]]
    right = [f"{path.stem[:2]}.{n}" for n in range(1, len(met) + 1)]
    assert met == right, (
        f"{path.name} has the exercises {', '.join(met)} in this order, and should have "
        f"{', '.join(right)}: put a new exercise below the others, with the next number"
    )


def test_a_lesson_counts_its_own_exercises():
    words = "no one two three four five six seven".split()
    for path in paths():
        text = "\n".join(cell["source"] for cell in load(path)["cells"][:3])
        right = words[sum(number[:2] == path.stem[:2] for number in exercises())]
        for stated in re.findall(rf"\bthe ({'|'.join(words)}) exercises\b", text):
            assert stated == right, (
                f"{path.name} says at its beginning 'the {stated} exercises', and has {right}: "
                "correct the sentence, and the minutes beside it"
            )


def test_what_the_page_names_exists():
    links = re.findall(r"\]\(([^)#:]+)\)", INSTRUCTORS)
    assert links and all((ROOT / "docs" / link).exists() for link in links)
    for module in set(re.findall(r"-m ((?:benchmarks|course|maintain)[\w.]+)", INSTRUCTORS)):
        assert importlib.util.find_spec(module) is not None
    assert nbgrader.HIDDEN.format("03.2").strip() in INSTRUCTORS


def test_the_page_names_every_option_and_the_limits():
    source = (ROOT / "course" / "grading" / "command.py").read_text(encoding="utf-8")
    options = set(re.findall(r'"(--[a-z-]+)"', source))
    pages = INSTRUCTORS + (ROOT / "docs" / "classroom.md").read_text(encoding="utf-8")
    assert options and not [option for option in options if option not in pages]
    assert f"{budget.NOTEBOOK_LIMIT // 10**6} MB" in INSTRUCTORS
    assert f"at most {protocol.LIMIT >> 20} MB" in INSTRUCTORS
    assert (judging.LIMITS.cpu, judging.LIMITS.seconds) == (4, 12.0)
