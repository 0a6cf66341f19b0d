"""Which course it was: for tables and pages, and for the marks that are kept."""

import functools
import hashlib
import importlib.metadata
import json
import subprocess
import sys

import numpy as np

from course.lessons import notebooks
from course.lessons.notebooks import ROOT
from course.lessons.package import by_hand

# What a mark depends on besides the notebooks and the checks of its own lesson.
SHARED = (
    "course/checks/diagnose.py",
    "course/checks/judging.py",
    "course/checks/vocabulary.py",
    "course/grading/assembly.py",
    "course/grading/cells.py",
    "course/grading/judging.py",
    "course/grading/submissions.py",
    "course/lessons/*.py",
    "course/sandbox/*.py",
)


@functools.cache
def course_version() -> str:
    """The package's version, and where the folder is a git checkout its commit.

    `+changes` behind it: files differ from that commit.
    """
    try:
        version = importlib.metadata.version("minigrad-course")
    except importlib.metadata.PackageNotFoundError:
        version = "unknown"
    if not (ROOT / ".git").exists():
        return version
    git = ["git", "describe", "--always", "--dirty=+changes", "--exclude=*"]
    try:
        done = subprocess.run(
            git, cwd=ROOT, capture_output=True, encoding="utf-8", check=False, timeout=30
        )
    except (OSError, subprocess.TimeoutExpired):
        return version
    return f"{version} {done.stdout.strip()}".strip()


@functools.cache
def fingerprint(lesson: str) -> str:
    """A hash of all that a lesson's marks depend on, but for the submission and the limits.

    The lesson's checks, what all checks share, our notebooks up to this lesson, Python and NumPy.
    """
    parts = {"python": sys.version, "numpy": np.__version__, "by hand": by_hand()}
    for pattern in (*SHARED, f"course/checks/lesson_{lesson}.py"):
        for path in sorted(ROOT.glob(pattern)):
            name = path.relative_to(ROOT).as_posix()
            parts[name] = path.read_text(encoding="utf-8")
    for path in notebooks.paths():
        if path.stem[:2] <= lesson:
            parts[path.stem] = [cell.source for cell in notebooks.read(path).cells]
    return digest(parts)


def digest(value: object) -> str:
    """A hash of plain data."""
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
