"""Reading the lessons. A notebook is a JSON file with a list of cells.

A code cell whose first line is `#| export MODULE` goes into `minigrad/MODULE.py`.
"""

import ast
import json
import re
import threading
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]  # the folder that holds course/ and notebooks/

EXPORT = re.compile(r"#\| export ([a-z][a-z0-9_]*)\s*")


class NotebookError(Exception):
    """A notebook that cannot be read or exported; the message names it and the cell."""


@dataclass(frozen=True)
class CodeCell:
    """One code cell, and where it stands."""

    number: int  # counted over the code cells: a fresh run shows it as [number]
    source: str
    heading: str  # the nearest heading above it (## or deeper) as plain text, or ""

    @property
    def module(self) -> str:
        """The name of the module that the cell is exported to, or ""."""
        return exported_to(self.source)

    def __str__(self) -> str:
        lines = [line.strip() for line in self.source.splitlines()]
        shown = [line for line in lines if line and not line.startswith(("#", "@"))]
        return f"code cell {self.number} ({shown[0] if shown else 'empty'})"


@dataclass(frozen=True)
class Notebook:
    """A lesson: its name without the suffix, such as "01_tensor", and its code cells."""

    name: str
    cells: list[CodeCell]


def exported_to(source: str) -> str:
    """The module that a cell with this source is exported to, or ""."""
    match = EXPORT.fullmatch(source.partition("\n")[0])
    return match[1] if match else ""


START = "00_start.ipynb"  # the way in: it has no exercises and exports nothing


def paths(root: Path = ROOT) -> list[Path]:
    """The notebooks of the lessons, in the order of their numbers."""
    numbered = sorted((root / "notebooks").glob("[0-9][0-9]_*.ipynb"))
    return [path for path in numbered if path.name != START]


def all_paths(root: Path = ROOT) -> list[Path]:
    """The notebooks that a reader goes through: the way in, and the lessons."""
    start = root / "notebooks" / START
    return [start, *paths(root)] if start.exists() else paths(root)


def load(path: Path) -> dict:
    """The notebook's JSON, with each cell's source as one string.

    Raises NotebookError where there is no such file, or it is not a notebook of format 4.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotebookError(f"there is no {path.name} in {path.parent.name}/") from None
    except ValueError as error:
        raise NotebookError(f"{path.name} is not a notebook: {error}") from None
    if not isinstance(content, dict) or content.get("nbformat") != 4 or "cells" not in content:
        raise NotebookError(f"{path.name} is not a notebook of format 4")
    for cell in content["cells"]:
        text = "".join(cell["source"])  # a string, or a list of lines
        cell["source"] = text.replace("\r\n", "\n")
    return content


def read(path: Path) -> Notebook:
    """The notebook's code cells, each with the heading it stands under."""
    cells, heading = [], ""
    for cell in load(path)["cells"]:
        if cell["cell_type"] == "markdown":
            heading = last_heading(cell["source"]) or heading
        elif cell["cell_type"] == "code":
            cells.append(CodeCell(len(cells) + 1, cell["source"], heading))
    return Notebook(path.stem, cells)


_ONE_AT_A_TIME = threading.Lock()


def parse_python(source: str) -> ast.Module:
    """`ast.parse`, for threads: Python 3.11 miscounts its depth where two of them parse at once."""
    with _ONE_AT_A_TIME:
        return ast.parse(source)


def last_heading(markdown: str) -> str:
    """The text of the last heading (## or deeper), without markup or number, or ""."""
    prose = re.sub(r"^(```|~~~).*?^\1", "", markdown, flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#{2,6} +(.+?)[ #]*$", prose, flags=re.MULTILINE)
    if not headings:
        return ""
    text = re.sub(r"!?\[([^]]*)\]\([^)]*\)", r"\1", headings[-1])  # links
    text = re.sub(r"<[^>]*>|[`*]", "", text)  # tags, code, emphasis
    # "3.", "1.2", "8 ·", "Exercise 1.2:"
    text = re.sub(r"^(Exercise +)?\d+(\.\d+)*( ·|[.:)])? +", "", text)
    return " ".join(text.removeprefix("Second reading: ").split())
