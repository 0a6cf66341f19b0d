"""What a class handed in, as text: `python -m course grade` reads it with this.

Nothing that a student wrote is run or compiled here, and nothing in it can stop the reading of the
others: whatever is wrong with a file becomes words on its owner's feedback page.
"""

import hashlib
import json
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from course.lessons.exercise import MARK
from course.lessons.exporter import NOT_YET, package_source
from course.lessons.notebooks import exported_to
from course.student.edition import BACKUPS

NOTEBOOK_LIMIT = 20_000_000  # bytes of one notebook
CELL_LIMIT = 50_000  # characters of one cell with code to judge
LESSON_LIMIT = 1_000_000  # characters of all such cells of one notebook
FILES_LIMIT = 5_000  # files and folders that are looked at in one submission
NOTEBOOKS_LIMIT = 50  # notebooks that are read of it
LEVELS = 500  # of a notebook's JSON
DEPTH = 3  # ann/course/notebooks/01_tensor.ipynb

NUMBER = re.compile(r"(\d\d)(?!\d)")  # what a lesson's file begins with
RESERVED = re.compile(r"con|prn|aux|nul|(com|lpt)\d|.*-[0-9a-f]{8}")  # Windows has no such files


class Unreadable(Exception):
    """A file that cannot be read; the message says why, for its owner."""


@dataclass
class Handed:
    """One notebook that was handed in: its name, its lesson or "", and the cells that matter."""

    name: str
    lesson: str
    cells: list[str]

    def marked(self, number: str) -> list[str]:
        """The cells that are marked as this exercise."""
        return [cell for cell in self.cells if number in MARK.findall(cell)]

    def modules(self) -> dict[str, str]:
        """Module name -> its text, for everything that the notebook exports."""
        cells: dict[str, list[str]] = {}
        for cell in self.cells:
            if exported_to(cell):
                cells.setdefault(exported_to(cell), []).append(cell)
        return {module: joined(sources) for module, sources in cells.items()}


@dataclass
class Submission:
    """What one student handed in, and in words what was found to be odd about it."""

    student: str
    page: str  # the name of the feedback page's file, without its ending
    notebooks: list[Handed] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)  # lesson, or "", -> why
    remarks: list[str] = field(default_factory=list)

    def lesson(self, number: str) -> Handed | None:
        """The notebook of a lesson such as "03"."""
        return next((handed for handed in self.notebooks if handed.lesson == number), None)

    def cells(self, number: str) -> list[str]:
        """The cells that are marked as an exercise: its lesson's, or else any other notebook's."""
        own = self.lesson(number[:2])
        found = own.marked(number) if own else []
        others = (cell for handed in self.notebooks for cell in handed.marked(number))
        return found or list(others)


def joined(cells: list[str]) -> str:
    """A module's text from its cells. Unlike an export, it refuses nothing: the child does."""
    first, *others = map(package_source, cells)
    not_yet = NOT_YET if any("raise NotYet(" in cell for cell in cells) else ""
    return "\n\n\n".join([first + "\n" + not_yet, *others]) + "\n"


def printable(text: str) -> str:
    """Text in one line that shows what it holds: no control characters, no half characters."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


# --- Finding ---


def read_all(folder: Path) -> list[Submission]:
    """All submissions in a folder, in the order of their names. Hidden files are none."""
    entries = sorted(entry for entry in os.listdir(folder) if not entry.startswith("."))
    found = []
    for entry in entries:
        path = folder / entry
        if path.is_dir() or path.is_symlink() or path.suffix == ".ipynb":
            single = path.suffix == ".ipynb" and not path.is_dir()
            taken = single and path.stem in entries  # ann/ and ann.ipynb are two
            name = path.stem if single and not taken else entry
            found.append(read_submission(path, name))
    return found


def read_submission(path: Path, name: str) -> Submission:
    """One student's folder or notebook. Never raises."""
    submission = Submission(printable(name), page_name(name))
    root, files = path, []
    try:
        if path.is_symlink():
            raise Unreadable("a link was handed in, not a folder or a notebook")
        files = find(path, submission) if path.is_dir() else [path]
        root = path if path.is_dir() else path.parent
    except Exception as error:
        submission.unreadable[""] = reason(error)
    for file in files:
        number = NUMBER.match(file.name)
        lesson = number[1] if number else ""
        label = printable(str(file.relative_to(root)))
        try:
            handed = Handed(label, lesson, read_cells(file, root))
        except Exception as error:
            words = f"{label} cannot be read: {reason(error)}"
            submission.unreadable.setdefault(lesson if file != path else "", words)
            submission.remarks.append(words)
            continue
        marks = [mark[:2] for cell in handed.cells for mark in MARK.findall(cell)]
        if marks:  # they say where it belongs, whatever the file is called
            handed.lesson = Counter(marks).most_common(1)[0][0]
        double = submission.lesson(handed.lesson) if handed.lesson else None
        if double:
            submission.remarks.append(
                f"{label} was left out: lesson {handed.lesson} is in {double.name} already"
            )
        elif handed.cells:
            submission.notebooks.append(handed)
    if not submission.notebooks and not submission.unreadable:
        submission.remarks.append("there is no notebook with an exercise in this submission")
    return submission


def reason(error: Exception) -> str:
    """Why a file cannot be read, without this machine's paths."""
    if isinstance(error, Unreadable):
        return printable(str(error))
    return printable(getattr(error, "strerror", None) or type(error).__name__)


def page_name(name: str) -> str:
    """A file name for a student's page that every system takes, and no two students share."""
    if re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,60}", name) and not RESERVED.fullmatch(name):
        return name
    slug = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")[:40] or "student"
    return f"{slug}-{hashlib.sha256(os.fsencode(name)).hexdigest()[:8]}"


def find(folder: Path, submission: Submission) -> list[Path]:
    """The notebooks in a student's folder, those that lie highest first."""
    found, seen = [], 0
    for parent, folders, files in os.walk(folder):
        depth = len(Path(parent).relative_to(folder).parts)
        folders[:] = sorted(
            name for name in folders if not name.startswith(".") and name != BACKUPS
        )
        if depth + 1 >= DEPTH:
            folders.clear()
        other = Path(parent).name != "notebooks"
        found += [
            (depth, other, parent, name)
            for name in sorted(files)
            if name.endswith(".ipynb") and not name.startswith(".")
        ]
        seen += len(files) + len(folders)
        if seen > FILES_LIMIT:
            submission.remarks.append(f"after {FILES_LIMIT} files nothing more was looked at")
            break
    if len(found) > NOTEBOOKS_LIMIT:
        submission.remarks.append(f"only the first {NOTEBOOKS_LIMIT} notebooks were read")
    return [Path(parent) / name for _, _, parent, name in sorted(found)[:NOTEBOOKS_LIMIT]]


# --- Reading ---


def read_cells(path: Path, root: Path) -> list[str]:
    """The sources of the code cells that are exported or marked.

    Raises Unreadable, or what the system raises.
    """
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
        raise Unreadable("it is a link to a file outside of the submission")
    if not path.is_file():
        raise Unreadable("it is no ordinary file")
    with path.open("rb") as file:
        data = file.read(NOTEBOOK_LIMIT + 1)
    if len(data) > NOTEBOOK_LIMIT:
        raise Unreadable(f"it is larger than {NOTEBOOK_LIMIT // 1_000_000} MB")
    try:
        content = json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise Unreadable("it is not in UTF-8, as notebooks are") from None
    except RecursionError:
        raise Unreadable("it is nested too deeply to be a notebook") from None
    except ValueError as error:
        raise Unreadable(f"it is not JSON ({error})") from None
    if is_deep(content):  # Python 3.14 reads what the others refuse
        raise Unreadable("it is nested too deeply to be a notebook")
    cells = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(cells, list):
        raise Unreadable("it is not a notebook of format 4: it has no list of cells")
    sources = [text for text in map(source_of, cells) if exported_to(text) or MARK.search(text)]
    if any(len(text) > CELL_LIMIT for text in sources):
        raise Unreadable(f"a cell in it is longer than {CELL_LIMIT} characters")
    if sum(map(len, sources)) > LESSON_LIMIT:
        raise Unreadable(f"its exported cells have more than {LESSON_LIMIT} characters")
    return sources


def is_deep(content: object) -> bool:
    """Whether lists and dictionaries of JSON lie more than LEVELS deep in each other."""
    level = [content] if isinstance(content, dict | list) else []
    for _ in range(LEVELS):
        inner = (node.values() if isinstance(node, dict) else node for node in level)
        level = [each for nodes in inner for each in nodes if isinstance(each, dict | list)]
        if not level:
            return False
    return True


def source_of(cell: object) -> str:
    """A code cell's source without what stands before its first line, or ""."""
    if not isinstance(cell, dict) or cell.get("cell_type") != "code":
        return ""
    source = cell.get("source")
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    if not isinstance(source, str):
        return ""
    # Half of a pair of surrogates is no text that could be sent anywhere.
    source = source.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n")
    return source.lstrip("\n \t")
