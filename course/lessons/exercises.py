"""The exercises: pieces of the library between `### BEGIN SOLUTION` and `### END SOLUTION`.

An exported cell whose second line is `#| exercise 03.2` holds one. What is exported can be made
with another body in its place: a blank, a student's, or a wrong one that a check must refuse.
"""

import functools
import re
import textwrap
from dataclasses import dataclass, replace
from pathlib import Path

from course.lessons import live, notebooks
from course.lessons.export import exported_cells, modules_of
from course.lessons.notebooks import ROOT, CodeCell, Notebook, NotebookError

MARK = re.compile(r"^#\| exercise (\d\d\.\d)[ \t]*$", re.MULTILINE)
REGION = re.compile(
    r"^(?P<indent>[ \t]*)### BEGIN SOLUTION[ \t]*\n(?P<body>.*?)^[ \t]*### END SOLUTION[ \t]*$",
    re.MULTILINE | re.DOTALL,
)

BY_HAND = "support", "apps"  # the hand-written folders of the package


@dataclass(frozen=True)
class Exercise:
    """One exercise: its number, the notebook it stands in, and its cell there."""

    number: str
    notebook: Notebook
    cell: CodeCell

    @property
    def solution(self) -> str:
        """The body between the marks, without indentation. Raises NotebookError without marks."""
        return body_of(self.cell.source)

    @property
    def name(self) -> str:
        """What the cell defines, such as "softmax" or "Module"."""
        return re.search(r"^(?:def|class) (\w+)", self.cell.source, re.MULTILINE)[1]

    @property
    def is_blank(self) -> bool:
        """Whether nobody has written anything yet."""
        return self.blank() in self.cell.source

    @property
    def is_borrowed(self) -> bool:
        """Whether the body is the course's, taken with `python -m course borrow`."""
        return self.borrowed() in self.cell.source

    def source(self, body: str) -> str:
        """The cell with another body."""
        return with_body(self.cell.source, body)

    def texts(self, body: str) -> dict[str, str]:
        """Module name -> source of the package up to this lesson, with that body."""
        cells = [
            replace(cell, source=self.source(body)) if cell == self.cell else cell
            for cell in self.notebook.cells
        ]
        return package_texts(self.notebook.name) | modules_of(Notebook(self.notebook.name, cells))

    def blank(self) -> str:
        """What the student's edition has in the place of the solution."""
        return f'raise NotYet("{self.number}")'

    def borrowed(self) -> str:
        """The line above a body that was borrowed."""
        return f"# borrowed: the course's version of exercise {self.number}"


def body_of(source: str) -> str:
    """The body between the marks in a cell, without indentation. Raises NotebookError."""
    regions = list(REGION.finditer(source))
    if len(regions) != 1:
        raise NotebookError(
            f"the cell needs one pair of ### BEGIN SOLUTION and ### END SOLUTION, it has "
            f"{len(regions)}"
        )
    return textwrap.dedent(regions[0]["body"])


def with_body(source: str, body: str) -> str:
    """A cell with another body between its marks. Raises NotebookError where there are none."""
    body_of(source)
    region = REGION.search(source)
    indent = region["indent"]
    body = textwrap.indent(textwrap.dedent(body).strip("\n"), indent)
    return (
        f"{source[: region.start()]}{indent}### BEGIN SOLUTION\n{body}\n"
        f"{indent}### END SOLUTION{source[region.end() :]}"
    )


def of_lesson(notebook: Notebook) -> dict[str, Exercise]:
    """Number -> exercise, of one notebook. Refuses a cell that is not exported, and a double."""
    found = {}
    for cell in notebook.cells:
        for number in MARK.findall(cell.source):
            if not cell.module or number in found:
                raise NotebookError(
                    f"{notebook.name}.ipynb, {cell}: exercise {number} needs one cell of its own, "
                    "which begins with #| export"
                )
            found[number] = Exercise(number, notebook, cell)
    return found


def read_exercises(root: Path = ROOT) -> dict[str, Exercise]:
    """Number -> exercise, of all lessons, in their order, as they are saved now."""
    found = {}
    for path in notebooks.paths(root):
        found |= of_lesson(notebooks.read(path))
    return found


exercises = functools.cache(read_exercises)  # of notebooks that nobody changes meanwhile


@functools.cache
def _by_hand(root: Path) -> dict[str, str]:
    """The hand-written modules of the package; subfolders with a dot, the package itself as ""."""
    folder = root / "minigrad"
    paths = [folder / "__init__.py"]
    for room in BY_HAND:
        paths += sorted((folder / room).glob("*.py"))
    return {
        ".".join(path.relative_to(folder).with_suffix("").parts)
        .removesuffix("__init__")
        .rstrip("."): path.read_text(encoding="utf-8")
        for path in paths
    }


@functools.cache
def package_texts(lesson: str = "99", root: Path = ROOT) -> dict[str, str]:
    """Module name -> source of our package, as far as the lesson of that name comes."""
    texts = dict(_by_hand(root))
    for path in notebooks.paths(root):
        if path.stem <= lesson:
            texts |= modules_of(notebooks.read(path))
    return texts


def installed_texts(before: str = "99", root: Path = ROOT) -> dict[str, str]:
    """Module name -> source of the package as its files are now: what was exported.

    Only the hand-written modules and those of the lessons before the one of that name.
    """
    later = set()
    for path in notebooks.paths(root):
        if path.stem >= before:
            later |= {cell.module for cell in notebooks.read(path).cells}
    return _by_hand(root) | {
        path.stem: path.read_text(encoding="utf-8")
        for path in sorted((root / "minigrad").glob("*.py"))
        if path.stem != "__init__" and path.stem not in later
    }


def saved_texts(number: str, root: Path = ROOT) -> dict[str, str]:
    """What an exercise is judged on: the package as far as it was exported, and its lesson."""
    return _texts(read_lesson(number, root), root)


def live_texts(number: str, root: Path = ROOT) -> dict[str, str]:
    """The same, from the cells that were run last in this kernel, as far as they were run."""
    notebook = read_lesson(number, root)
    run = [
        source for source in map(live.tidy, live.history() or []) if notebooks.exported_to(source)
    ]
    saved = {live.tidy(cell.source) for cell in notebook.cells}
    cells, known = [], set(saved)
    for cell in notebook.cells:
        text = live.tidy(cell.source)
        versions = [
            source
            for source in run
            if source == text or source not in saved and live.another_version(source, text)
        ]
        known.update(versions)
        cells.append(replace(cell, source=versions[-1]) if cell.module and versions else cell)
    named = set().union(*(live.bound_names(cell.source) for cell in cells if cell.module))
    for source in dict.fromkeys(reversed(run)):  # cells that were run and are not saved yet
        if source not in known and named.isdisjoint(live.bound_names(source)):
            cells.append(CodeCell(len(cells) + 1, source, ""))
            named |= live.bound_names(source)
    return _texts(Notebook(notebook.name, cells), root)


def _texts(notebook: Notebook, root: Path) -> dict[str, str]:
    exported_cells(notebook)  # refuses a misspelt marker, by name
    return installed_texts(notebook.name, root) | modules_of(notebook)


def read_lesson(number: str, root: Path = ROOT) -> Notebook:
    """The lesson of an exercise, as it is saved. Raises NotebookError where there is none."""
    for path in notebooks.paths(root):
        if path.stem[:2] == number[:2]:
            notebook = notebooks.read(path)
            if number in of_lesson(notebook):
                return notebook
    numbers = ", ".join(read_exercises(root))
    raise NotebookError(f"there is no exercise {number}; there are: {numbers}")
