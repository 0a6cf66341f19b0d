"""The file with the answers, `solutions.zip`: written with an edition, read by borrow and compare."""

import io
import re
import zipfile
from pathlib import Path

from course.lessons.exercise import EDITION, exercises
from course.lessons.notebooks import ROOT

SOLUTIONS = "solutions.zip"
LARGEST = 1 << 20  # bytes of one answer


class Refused(Exception):
    """Something that cannot be done; the message says why, and what to do."""


def solutions_zip() -> bytes:
    """The answers: a file for each exercise, with its cell."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, exercise in exercises().items():
            archive.writestr(zipfile.ZipInfo(f"{number}.py"), exercise.cell.source)
    return buffer.getvalue()


def read_solutions(path: Path) -> dict[str, str]:
    """Number -> cell, from a file that `student` wrote. Raises Refused for any other."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = {}
            for info in archive.infolist():
                if re.fullmatch(r"\d\d\.\d\.py", info.filename) and info.file_size < LARGEST:
                    text = archive.read(info).decode("utf-8").replace("\r\n", "\n")
                    found[info.filename.removesuffix(".py")] = text
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        reason = getattr(error, "strerror", None) or error
        raise Refused(f"{path} cannot be read: {reason}") from None
    if not found:
        raise Refused(f"{path} holds no answers: it is another file")
    return found


def find_solutions(root: Path = ROOT) -> Path:
    """solutions.zip in the course's folder or beside it. Raises Refused where it is not."""
    for folder in (root, root.parent):
        if (folder / SOLUTIONS).is_file():
            return folder / SOLUTIONS
    raise Refused(
        f"There is no {SOLUTIONS} in this folder: ask your instructor, or say where it is with "
        "--solutions FILE."
    )


def can_compare(root: Path = ROOT) -> bool:
    """Whether this is a student's edition with the answers in reach."""
    if not (root / EDITION).exists():
        return False
    try:
        return bool(find_solutions(root))
    except Refused:
        return False


def hint(number: str) -> str:
    """The line behind a right answer that names the next step."""
    return f"  → python3 -m course compare {number} shows the course's version beside yours"
