"""The student's edition: the course with the exercises' bodies blank, and the answers apart.

    python -m course student DIR [--solutions FILE]     write the edition and the answers
    python -m course borrow 03 [--solutions FILE]       take our version where one is stuck

Nothing that anybody wrote is lost: of each file that is replaced, a dated copy is kept.
"""

import argparse
import io
import json
import re
import shutil
import sys
import time
import zipfile
from pathlib import Path

from course.lessons import notebooks
from course.lessons.exercises import body_of, exercises, of_lesson, read_exercises, with_body
from course.lessons.export import modules_of, write, write_bytes
from course.lessons.notebooks import ROOT, NotebookError

MARKER = "course/edition.json"  # in a student's folder, not in the repository
BACKUPS = "backups"
SOLUTIONS = "solutions.zip"
# What a student gets as it is; files of docs/ only where a notebook shows them.
FILES = (".gitignore", "LICENSE", "environment.yml", "pyproject.toml", "minigrad/__init__.py")
FOLDERS = ("course", "minigrad/support", "minigrad/apps")
LARGEST = 1 << 20  # bytes of one answer


class CannotWrite(Exception):
    """An edition or an answer that cannot be written; the message says why."""


# --- Writing an edition ---


def edition(root: Path = ROOT) -> dict[str, bytes]:
    """Path -> content of every file of the student's edition."""
    paths = [root / name for name in FILES]
    for folder in FOLDERS:
        paths += [path for path in sorted((root / folder).rglob("*")) if path.is_file()]
    files = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in paths
        if "__pycache__" not in path.parts
    }
    files["README.md"] = files.pop("course/student/readme.md")
    shown_files = "docs", "benchmarks/results"
    documents = [
        path for room in shown_files for path in (root / room).rglob("*") if path.is_file()
    ]
    files[MARKER] = json.dumps({"edition": "student"}).encode("utf-8") + b"\n"
    for path in notebooks.paths(root):
        content = blanked(notebooks.load(path))
        files[f"notebooks/{path.name}"] = as_bytes(content)
        for cell in content["cells"]:
            for shown in documents:
                if shown.name in cell["source"]:
                    files[shown.relative_to(root).as_posix()] = shown.read_bytes()
    return dict(sorted(files.items()))


def blanked(content: dict) -> dict:
    """A notebook's JSON without outputs, and with blanks for the bodies of the exercises."""
    found = exercises()
    content["metadata"].pop("widgets", None)
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
            for exercise in found.values():
                if cell["source"] == exercise.cell.source:
                    cell["source"] = exercise.source(exercise.blank())
    return content


def as_bytes(content: dict) -> bytes:
    """A notebook's JSON as the bytes of its file."""
    cells = [{**cell, "source": cell["source"].splitlines(True)} for cell in content["cells"]]
    text = json.dumps({**content, "cells": cells}, indent=1, ensure_ascii=False)
    return text.encode("utf-8") + b"\n"


def student(folder: Path, solutions: Path, root: Path = ROOT) -> list[str]:
    """Write the edition into `folder`, the answers to `solutions`; returns lines that say so.

    What a student has written into an exercise there stays. Raises CannotWrite.
    """
    folder, solutions = Path(folder), Path(solutions)
    if folder.exists() and not folder.is_dir():
        raise CannotWrite(f"{folder} is a file: name a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARKER).exists():
        raise CannotWrite(
            f"{folder} is not empty and was not written by this command: name another folder"
        )
    if solutions.is_dir():
        raise CannotWrite(f"{solutions} is a folder: name a file")
    files, kept = edition(root), Backup(folder)
    carried = 0
    for name, content in files.items():
        path = folder / name
        if name.startswith("notebooks/") and path.exists():
            content, count = carry_over(path, content)
            carried += count
        kept.replace(path, content)
    answers = Backup(solutions.parent)
    answers.replace(solutions, solutions_zip())
    lines = [f"The student's edition, {len(files)} files, is in {folder}."]
    if carried:
        lines.append(f"{carried} exercises that were written there already were taken over.")
    return [*lines, *kept.lines(), f"The answers are in {solutions}.", *answers.lines()]


def carry_over(path: Path, content: bytes) -> tuple[bytes, int]:
    """A new notebook with the bodies that the old one at `path` has, and how many those are."""
    try:
        written = of_lesson(notebooks.read(path))
    except NotebookError:
        return content, 0  # nothing can be read from it; its copy is kept
    new, count = json.loads(content), 0
    for cell in new["cells"]:
        cell["source"] = "".join(cell["source"])
    for number, exercise in written.items():
        if exercise.is_blank:
            continue
        for cell in new["cells"]:
            if f"#| exercise {number}\n" in cell["source"]:
                try:
                    cell["source"] = with_body(cell["source"], exercise.solution)
                except NotebookError:  # without its marks: the cell as it is
                    cell["source"] = exercise.cell.source
                count += 1
    return as_bytes(new), count


def solutions_zip() -> bytes:
    """The answers: a file for each exercise, with its cell."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, exercise in exercises().items():
            archive.writestr(zipfile.ZipInfo(f"{number}.py"), exercise.cell.source)
    return buffer.getvalue()


class Backup:
    """Replaces files of a folder, and keeps a dated copy of each that changes."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.place = folder / BACKUPS / time.strftime("%Y-%m-%d_%H-%M-%S")
        self.copies = []

    def replace(self, path: Path, content: bytes) -> None:
        """Write the file whole or not at all, after a copy of what was there."""
        if path.exists():
            if path.read_bytes() == content:
                return
            copy = self.place / path.relative_to(self.folder)
            number = 1
            while copy.exists():  # a second copy within the second
                number += 1
                copy = copy.with_name(f"{path.stem}.{number}{path.suffix}")
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, copy)
            self.copies.append(copy)
        write_bytes(path, content)

    def lines(self) -> list[str]:
        """What to say of the copies."""
        if not self.copies:
            return []
        what = self.copies[0].name if len(self.copies) == 1 else f"{len(self.copies)} files"
        return [f"A copy of what was replaced ({what}) is in {self.place}."]


# --- Borrowing an answer ---


def read_solutions(path: Path) -> dict[str, str]:
    """Number -> cell, from a file that `student` wrote. Raises CannotWrite for any other."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = {}
            for info in archive.infolist():
                if re.fullmatch(r"\d\d\.\d\.py", info.filename) and info.file_size < LARGEST:
                    found[info.filename.removesuffix(".py")] = archive.read(info).decode("utf-8")
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise CannotWrite(f"{path} cannot be read: {error}") from None
    if not found:
        raise CannotWrite(f"{path} holds no answers: it is another file")
    return found


def find_solutions(root: Path = ROOT) -> Path:
    """solutions.zip in the course's folder or beside it. Raises CannotWrite where it is not."""
    for folder in (root, root.parent):
        if (folder / SOLUTIONS).is_file():
            return folder / SOLUTIONS
    raise CannotWrite(
        f"There is no {SOLUTIONS} in this folder: ask your instructor, or say where it is with "
        "--solutions FILE."
    )


def borrow(wanted: list[str], solutions: Path | None = None, root: Path = ROOT) -> list[str]:
    """Put our version of the exercises into the saved notebooks and export their lessons.

    `wanted` holds numbers ("03.2") and lessons ("03": whatever is not right yet in it). Returns
    lines that say what was done. Raises CannotWrite.
    """
    answers = read_solutions(solutions or find_solutions(root))
    saved, kept, lines = read_exercises(root), Backup(root), []
    unknown = [w for w in wanted if w not in answers and not any(n[:2] == w for n in answers)]
    if unknown:
        raise CannotWrite(f"there is no exercise or lesson {', '.join(unknown)}")
    for path in notebooks.paths(root):
        lesson = path.stem[:2]
        numbers = [n for n in saved if n[:2] == lesson and (n in wanted or lesson in wanted)]
        if lesson in wanted:
            numbers = [n for n in numbers if n in wanted or not is_right(n, root)]
            if not numbers:
                lines.append(f"Lesson {lesson}: everything in it is right already.")
        if numbers:
            kept.replace(path, with_answers(path, {n: answers[n] for n in numbers if n in answers}))
            lines += [
                f"{n}: the course's version is in notebooks/{path.name} now." for n in numbers
            ]
            for module, text in modules_of(notebooks.read(path)).items():
                write(root / "minigrad" / f"{module}.py", text)
    if kept.copies:
        lines.append("A notebook that is open: File, Reload Notebook from Disk, and run it again.")
    return [*lines, *kept.lines()]


def with_answers(path: Path, answers: dict[str, str]) -> bytes:
    """The notebook at `path` with those exercises' bodies replaced by the course's."""
    content = notebooks.load(path)
    for number, exercise in of_lesson(notebooks.read(path)).items():
        if number not in answers:
            continue
        body = f"{exercise.borrowed()}\n{body_of(answers[number])}"
        for cell in content["cells"]:
            if cell["source"] == exercise.cell.source:
                try:
                    cell["source"] = with_body(cell["source"], body)
                except NotebookError:  # its marks are gone: the whole cell
                    cell["source"] = with_body(answers[number], body)
    return as_bytes(content)


def is_right(number: str, root: Path = ROOT) -> bool:
    """Whether the saved version of an exercise passes its check."""
    from course.checks.judge import judge
    from course.lessons.exercises import saved_texts

    try:
        return judge(number, saved_texts(number, root)).wrong is None
    except NotebookError:
        return False


# --- The commands ---


def main_student(arguments: list[str]) -> int:
    """Write an edition. Returns 0, or 2 where that is refused."""
    parser = argparse.ArgumentParser(
        "python -m course student", description="Write the course with blanks to fill in."
    )
    parser.add_argument("folder", type=Path, help="a new folder, or one that this command wrote")
    parser.add_argument(
        "--solutions",
        type=Path,
        metavar="FILE",
        help=f"where the answers go (default: {SOLUTIONS} beside the folder)",
    )
    options = parser.parse_args(arguments)
    solutions = options.solutions or options.folder.resolve().parent / SOLUTIONS
    return _say(lambda: student(options.folder, solutions))


def main_borrow(arguments: list[str]) -> int:
    """Borrow answers. Returns 0, or 2 where that is refused."""
    parser = argparse.ArgumentParser(
        "python -m course borrow", description="Take the course's version where you are stuck."
    )
    parser.add_argument(
        "wanted", nargs="+", metavar="03|03.2", help="a lesson (what is not right yet), or exercise"
    )
    parser.add_argument("--solutions", type=Path, metavar="FILE", help="the file with the answers")
    options = parser.parse_args(arguments)
    if not (ROOT / MARKER).exists():
        print(
            "This is the whole course, not a student's edition: nothing to borrow.", file=sys.stderr
        )
        return 2
    return _say(lambda: borrow(options.wanted, options.solutions))


def _say(run) -> int:
    try:
        print("\n".join(run()))
        return 0
    except (CannotWrite, NotebookError, OSError) as problem:
        print(problem, file=sys.stderr)
        return 2
