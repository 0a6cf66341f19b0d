"""The student's edition: the course with the exercises' bodies blank, and the answers apart.

    python -m course student DIR [--solutions FILE]     write the edition and the answers

Nothing that anybody wrote is lost: of each file that is replaced, a dated copy is kept, and where
git is installed the folder is a repository from its first moment.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from course.lessons import notebooks
from course.lessons.exercise import EDITION, contracts_as_data, exercises, of_lesson, with_body
from course.lessons.exporter import same, write_bytes
from course.lessons.notebooks import ROOT, NotebookError
from course.lessons.output import put
from course.student.explanations import fold_explanations
from course.student.solutions import SOLUTIONS, Refused, solutions_zip

MARKER = EDITION  # in a student's folder, not in the repository
BACKUPS = "backups"
KEPT_OUTPUT = "keep-output"  # the tag of a cell that a student sees as it was run by us
# What a student gets as it is; files of docs/ only where a notebook shows them.
FILES = (".gitignore", "LICENSE", "environment.yml", "pyproject.toml", "minigrad/__init__.py")
FOLDERS = ("course", "minigrad/support", "minigrad/apps")
# What the course keeps in its own folder for a student's: path here -> path there.
MOVED = {
    "course/student/readme.md": "README.md",
    "course/student/workflow.yml": ".github/workflows/check.yml",
}
IGNORED = f"""
# The answers, and copies of what a command has replaced
{SOLUTIONS}
{BACKUPS}/
"""


# --- Writing an edition ---


def edition_files(root: Path = ROOT) -> dict[str, bytes]:
    """Path -> content of every file of the student's edition."""
    paths = [root / name for name in FILES]
    for folder in FOLDERS:
        paths += [path for path in sorted((root / folder).rglob("*")) if path.is_file()]
    files = {
        path.relative_to(root).as_posix(): path.read_bytes()
        for path in paths
        if "__pycache__" not in path.parts
    }
    files |= {there: files.pop(here) for here, there in MOVED.items()}
    files[".gitignore"] += IGNORED.encode("utf-8")
    shown_files = "docs", "benchmarks/results"
    documents = [
        path for room in shown_files for path in (root / room).rglob("*") if path.is_file()
    ]
    marker = {"edition": "student", "contracts": contracts_as_data()}
    files[MARKER] = json.dumps(marker, indent=1).encode("utf-8") + b"\n"
    for path in notebooks.all_paths(root):
        content = blanked(notebooks.load(path))
        files[f"notebooks/{path.name}"] = as_bytes(content)
        for cell in content["cells"]:
            for shown in documents:
                if shown.name in cell["source"]:
                    files[shown.relative_to(root).as_posix()] = shown.read_bytes()
    return dict(sorted(files.items()))


def blanked(content: dict) -> dict:
    """A notebook's JSON with blanks for the bodies of the exercises, and without outputs.

    Only what is tagged keeps its output: the way in, which has no exercises, shows at once what
    the course leads to. What explains the result of a prediction is folded, so that it is not
    read before.
    """
    found = exercises()
    content["metadata"].pop("widgets", None)
    for cell in content["cells"]:
        if cell["cell_type"] == "code":
            if KEPT_OUTPUT in cell["metadata"].get("tags", []):
                continue
            cell["outputs"], cell["execution_count"] = [], None
            for exercise in found.values():
                if cell["source"] == exercise.cell.source:
                    cell["source"] = exercise.source(exercise.blank())
    fold_explanations(content["cells"])
    return content


def as_bytes(content: dict) -> bytes:
    """A notebook's JSON as the bytes of its file."""
    cells = [{**cell, "source": cell["source"].splitlines(True)} for cell in content["cells"]]
    text = json.dumps({**content, "cells": cells}, indent=1, ensure_ascii=False)
    return text.encode("utf-8") + b"\n"


def student(folder: Path, solutions: Path, root: Path = ROOT) -> list[str]:
    """Write the edition into `folder`, the answers to `solutions`; returns lines that say so.

    What a student has written into an exercise there stays. Raises Refused.
    """
    folder, solutions = Path(folder), Path(solutions)
    if folder.exists() and not folder.is_dir():
        raise Refused(f"{folder} is a file: name a folder")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARKER).exists():
        raise Refused(
            f"{folder} is not empty and was not written by this command: name another folder"
        )
    if solutions.is_dir():
        raise Refused(f"{solutions} is a folder: name a file")
    files, kept = edition_files(root), Backup(folder)
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
    lines += [*kept.lines(), *start_history(folder)]
    return [*lines, f"The answers are in {solutions}.", *answers.lines()]


def start_history(folder: Path) -> list[str]:
    """Make the folder a git repository with one commit, where git is installed and it is none.

    Nobody's settings are read or changed: the commit is by "minigrad", whoever runs this.
    Returns lines that say what was done.
    """
    if (folder / ".git").exists() or not shutil.which("git"):
        return []
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    variables |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    identity = ["-c", "user.name=minigrad", "-c", "user.email=minigrad@localhost"]
    commands = [
        ["init", "--quiet"],
        ["symbolic-ref", "HEAD", "refs/heads/main"],
        ["add", "--all"],
        [*identity, "commit", "--quiet", "--message", "The course as it was handed out"],
    ]
    try:
        for command in commands:
            subprocess.run(
                ["git", *command],
                cwd=folder,
                env=variables,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
            )
    except (OSError, subprocess.CalledProcessError):
        shutil.rmtree(folder / ".git", ignore_errors=True)
        return ["No git repository could be made of it; everything else works without one."]
    return ["It is a git repository with one commit: `git diff` shows what you have written."]


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


class Backup:
    """Replaces files of a folder, and keeps a dated copy of each that changes."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.place = folder / BACKUPS / time.strftime("%Y-%m-%d_%H-%M-%S")
        self.copies = []

    def replace(self, path: Path, content: bytes) -> None:
        """Write the file whole or not at all, after a copy of what was there."""
        if path.exists():
            if same(path.read_bytes(), content):
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
    try:
        put(*student(options.folder, solutions))
        return 0
    except (Refused, NotebookError, OSError) as problem:
        print(problem, file=sys.stderr)
        return 2
