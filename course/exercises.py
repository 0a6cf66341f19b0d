"""The exercises: pieces of the library between `### BEGIN SOLUTION` and `### END SOLUTION`.

An exported cell whose second line is `#| exercise 03.2` holds one. What is exported can be made
with another body in its place: a blank, a student's, or a wrong one that a check must refuse.
"""

import functools
import re
import textwrap
from dataclasses import dataclass, replace
from pathlib import Path

from course import live, notebooks
from course.export import exported_cells, modules_of
from course.notebooks import ROOT, CodeCell, Notebook, NotebookError

MARK = re.compile(r"^#\| exercise (\d\d\.\d)[ \t]*$", re.MULTILINE)
REGION = re.compile(
    r"^(?P<indent>[ \t]*)### BEGIN SOLUTION[ \t]*\n(?P<body>.*?)^[ \t]*### END SOLUTION[ \t]*$",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Exercise:
    """One exercise: its number, the notebook it stands in, and its cell there."""

    number: str
    notebook: Notebook
    cell: CodeCell

    @property
    def solution(self) -> str:
        """The body between the marks, without indentation."""
        return textwrap.dedent(REGION.search(self.cell.source)["body"])

    def source(self, body: str) -> str:
        """The cell with another body."""
        region = REGION.search(self.cell.source)
        before, after = self.cell.source[: region.start()], self.cell.source[region.end() :]
        body = textwrap.indent(textwrap.dedent(body).strip("\n"), region["indent"])
        return f"{before}{region['indent']}### BEGIN SOLUTION\n{body}\n" + (
            f"{region['indent']}### END SOLUTION{after}"
        )

    def texts(self, body: str) -> dict[str, str]:
        """Module name -> source of the package up to this lesson, with that body."""
        cells = [replace(cell, source=self.source(body)) if cell == self.cell else cell
                 for cell in self.notebook.cells]  # fmt: skip
        return package_texts(self.notebook.name) | modules_of(Notebook(self.notebook.name, cells))

    def blank(self) -> str:
        """What the student's edition has in the place of the solution."""
        return f'raise NotYet("{self.number}")'


@functools.cache
def exercises(root: Path = ROOT) -> dict[str, Exercise]:
    """Number -> exercise, of all lessons, in their order. Refuses a mark without a region."""
    found = {}
    for path in notebooks.paths(root):
        notebook = notebooks.read(path)
        for cell in notebook.cells:
            for number in MARK.findall(cell.source):
                regions = len(REGION.findall(cell.source))
                if regions != 1 or not cell.module or number in found:
                    raise NotebookError(
                        f"{path.name}, {cell}: exercise {number} needs an exported cell of its own "
                        f"with one region between the marks of the solution, this one has {regions}"
                    )
                found[number] = Exercise(number, notebook, cell)
    return found


@functools.cache
def _by_hand(root: Path) -> dict[str, str]:
    """The hand-written modules of the package; subfolders with a dot, the package itself as ""."""
    folder = root / "minigrad"
    paths = [folder / "__init__.py", *sorted((folder / "tools").glob("*.py"))]
    return {
        ".".join(path.relative_to(folder).with_suffix("").parts).removesuffix("__init__").rstrip(
            "."
        ): path.read_text(encoding="utf-8")
        for path in paths
    }  # fmt: skip


@functools.cache
def package_texts(lesson: str = "99", root: Path = ROOT) -> dict[str, str]:
    """Module name -> source of our package, as far as the lesson of that name comes."""
    texts = dict(_by_hand(root))
    for path in notebooks.paths(root):
        if path.stem <= lesson:
            texts |= modules_of(notebooks.read(path))
    return texts


def live_texts(number: str) -> dict[str, str]:
    """The same, from the cells that were run last in this kernel, as far as they were run."""
    exercise = exercises()[number]
    run = [source for source in map(live.tidy, live.history() or []) if notebooks.exported_to(source)]
    saved = {live.tidy(cell.source) for cell in exercise.notebook.cells}
    cells = []
    for cell in exercise.notebook.cells:
        text = live.tidy(cell.source)
        versions = [source for source in run if source == text
                    or source not in saved and live.another_version(source, text)]  # fmt: skip
        cells.append(replace(cell, source=versions[-1]) if cell.module and versions else cell)
    notebook = Notebook(exercise.notebook.name, cells)
    exported_cells(notebook)  # refuses a misspelt marker, by name
    return package_texts(notebook.name) | modules_of(notebook)


def check(number: str) -> None:
    """Try the code of this notebook's exercise on small examples, and say what comes out.

    It runs in a process of its own, so nothing that it does can harm the notebook.
    """
    from course.checking import judge

    try:
        if number not in exercises():
            print(f"There is no exercise {number}; there are: {', '.join(exercises())}.")
            return
        print(judge(number, live_texts(number)))
    except NotebookError as error:
        print(f"{number} cannot be checked: {error}")
