"""The package `minigrad` as texts: what a check runs, and what an export writes.

Three sources, each as a dictionary from a module's name to its source: the notebooks of this
folder (`package_texts`), the files that were exported (`exported_texts`), and one lesson on top
of either (`texts_with`).
"""

import functools
import re
from pathlib import Path

from course.lessons import notebooks
from course.lessons.exporter import FIRST_LINE, exported_cells, modules_of
from course.lessons.notebooks import ROOT, Notebook

BY_HAND = "support", "apps"  # the hand-written folders of the package
OWNER = re.compile(re.escape(FIRST_LINE.strip()).replace(r"\{\}", r"(?P<lesson>\w+)"))


@functools.cache
def by_hand(root: Path = ROOT) -> dict[str, str]:
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
    """The package that the notebooks of `root` export, up to the lesson of that name.

    Cached: only for notebooks that do not change.
    """
    texts = dict(by_hand(root))
    for path in notebooks.paths(root):
        if path.stem <= lesson:
            texts |= modules_of(notebooks.read(path))
    return texts


def owner(text: str) -> str:
    """The name of the lesson that a module was exported from, by its first line, or ""."""
    match = OWNER.match(text)
    return match["lesson"] if match else ""


def exported_texts(before: str = "99", root: Path = ROOT) -> dict[str, str]:
    """The package as its files are now: the hand-written modules, and those of the lessons
    before the one of that name."""
    files = {
        path.stem: path.read_text(encoding="utf-8")
        for path in sorted((root / "minigrad").glob("*.py"))
        if path.stem != "__init__"
    }
    return by_hand(root) | {name: text for name, text in files.items() if owner(text) < before}


def texts_with(notebook: Notebook, root: Path = ROOT) -> dict[str, str]:
    """The exported package, and this lesson on top of it, as its cells are given here."""
    exported_cells(notebook)  # refuses a misspelt marker, by name
    return exported_texts(notebook.name, root) | modules_of(notebook)
