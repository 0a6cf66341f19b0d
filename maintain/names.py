"""The page of names: `python -m maintain.names` writes docs/names.md.

For each public name of the package: what it is, and the lesson and section where it is built. It
stands in the place of an API reference, since the lesson is the better one.
"""

import ast
import sys
from pathlib import Path

from course.lessons import notebooks
from course.lessons.exporter import DEFINITION, exported_cells, package_source

PAGE = Path(__file__).parent.parent / "docs" / "names.md"
INTRODUCTION = """\
# Where each name is built

Written by `python -m maintain.names` from the lessons: do not edit it by hand. `mg` is `minigrad`.
Every public name is listed once, with the first line of its docstring, and with the lesson and the
section that build it.

| name | what it is | lesson | section |
|---|---|---|---|
"""


def definitions(notebook):
    """(module, name, first line of the docstring, section) of what a lesson exports."""
    for module, cells in exported_cells(notebook).items():
        for cell in cells:
            for node in ast.parse(package_source(cell.source)).body:
                if isinstance(node, DEFINITION) and not node.name.startswith("_"):
                    text = (ast.get_docstring(node) or "").split("\n\n")[0]
                    yield module, node.name, " ".join(text.split()), cell.heading


def escaped(text):
    """Text as a cell of a table in Markdown."""
    return text.replace("|", r"\|").replace("<", r"\<")


def page():
    """The whole page, its names in alphabetical order."""
    rows = []
    for path in notebooks.paths():
        notebook = notebooks.read(path)
        for module, name, text, section in definitions(notebook):
            link = f"[{notebook.name}](../notebooks/{notebook.name}.ipynb)"
            row = f"| `{module}.{name}` | {escaped(text)} | {link} | {escaped(section)} |"
            rows.append((name.lower(), module, row))
    return INTRODUCTION + "\n".join(row for *_, row in sorted(rows)) + "\n"


def main(arguments):
    if arguments:
        print(__doc__)
        return 2
    PAGE.write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
