"""Finding notebooks in what a student handed in: a folder, a zip, or one file.

A zip is read in memory and never unpacked. Whatever is found is bounded by a budget of files,
bytes and seconds, so that no submission keeps the others waiting.
"""

import datetime
import io
import os
import re
import time
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from course.lessons import notebooks
from course.student.edition import BACKUPS

FILES_LIMIT = 5_000  # files and folders that are looked at in one submission
NOTEBOOKS_LIMIT = 50  # notebooks that are read of it
NOTEBOOK_LIMIT = 100_000_000  # bytes of one notebook
BYTES_LIMIT = 200_000_000  # bytes that are read of one submission
SECONDS_LIMIT = 10.0  # to read one submission
DEPTH = 20  # folders in folders
INDEX_LIMIT = 10_000_000  # bytes of a zip's list of what is in it
ENDING = re.compile(r"\.ipynb(\.txt|\.json)?$", re.IGNORECASE)
ZIP = re.compile(r"\.zip$", re.IGNORECASE)
HELD = re.compile(f"{ENDING.pattern}|{ZIP.pattern}", re.IGNORECASE)
LEFT_OUT = {BACKUPS, "__macosx"}  # folders
# Hidden folders of tools. Others are looked into where there is nothing else.
TOOLS = {".git", ".ipynb_checkpoints", ".virtual_documents", ".venv", ".cache", ".trash"}


class Unreadable(Exception):
    """A file that cannot be read; the message says why, for its owner."""


@dataclass
class Budget:
    """What reading one submission may still cost, and in words what was left out for it."""

    files: int = 0
    bytes: int = 0
    ends: float = field(default_factory=lambda: time.monotonic() + SECONDS_LIMIT)
    remarks: list[str] = field(default_factory=list)

    def read(self, count: int) -> None:
        """Count bytes that are read. Raises Unreadable where they are too many."""
        self.bytes += count
        if self.bytes > BYTES_LIMIT:
            raise Unreadable(f"the submission has more than {BYTES_LIMIT // 1_000_000} MB")
        self.check_time()

    def check_time(self) -> None:
        """Raises Unreadable where the seconds are used up."""
        if time.monotonic() > self.ends:
            raise Unreadable(
                f"the submission takes more than {SECONDS_LIMIT:g} s to read: hand in the "
                "notebooks alone, without their outputs"
            )


@dataclass
class Found:
    """A notebook that was found: where, and how to read it."""

    label: str  # its place in the submission
    depth: int
    content: object  # a function that returns its bytes
    only: bool = False  # the submission is this one file
    time: float | None = None  # when it was changed last, in seconds since 1970

    @property
    def name(self) -> str:
        """Its file name."""
        return self.label.replace("\\", "/").rsplit("/", 1)[-1]

    @property
    def original(self) -> bool:
        """Whether it is called as a notebook of the course, and no copy of one."""
        return stem(self.name) in {path.stem for path in notebooks.paths()}

    def read(self, budget: Budget) -> bytes:
        """Its bytes. Raises Unreadable, or what the system raises."""
        budget.check_time()
        data = self.content()
        budget.read(len(data))
        return data


def stem(name: str) -> str:
    """A file's name without the ending of a notebook or a zip."""
    return ZIP.sub("", ENDING.sub("", name))


def find(path: Path, budget: Budget) -> list[Found]:
    """The notebooks of a submission, the course's own names first, then those that lie highest.

    Raises Unreadable where the submission is nothing that can hold a notebook.
    """
    if path.is_symlink():
        raise Unreadable("a link was handed in, not a folder or a notebook")
    if path.is_dir():
        found = _visible_first(lambda hidden: _in_folder(path, budget, hidden), budget)
    elif ENDING.search(path.name):
        found = [Found(path.name, 0, lambda: _bytes(path, path.parent), True, path.stat().st_mtime)]
    elif ZIP.search(path.name):
        found = _visible_first(lambda hidden: _in_zip(path, "", budget, hidden), budget)
    else:
        raise Unreadable("it is neither a folder nor a zip nor a notebook (.ipynb)")
    found.sort(key=lambda f: (not f.original, f.depth, not _in_notebooks(f), f.label))
    if len(found) > NOTEBOOKS_LIMIT:
        budget.remarks.append(f"only the first {NOTEBOOKS_LIMIT} notebooks were read")
    return found[:NOTEBOOKS_LIMIT]


def _visible_first(look, budget: Budget) -> list[Found]:
    """What `look` finds outside of hidden folders; where that is nothing, in them too."""
    files, remarks = budget.files, len(budget.remarks)
    found = look(False)
    if not found:
        budget.files = files
        del budget.remarks[remarks:]  # it is said again
        found = look(True)
    return found


def _is_skipped(folder: str, hidden: bool) -> bool:
    """Whether a folder of this name is not looked into; with `hidden`, hidden ones are."""
    name = folder.lower()
    return name in LEFT_OUT or name in TOOLS or name.startswith(".") and not hidden


def _in_notebooks(found: Found) -> bool:
    return "/notebooks/" in f"/{found.label}"


def _counted(budget: Budget, number: int) -> bool:
    """Count files; returns whether that is too many, which is said once."""
    before, budget.files = budget.files, budget.files + number
    if budget.files > FILES_LIMIT >= before:
        budget.remarks.append(f"after {FILES_LIMIT} files nothing more was looked at")
    return budget.files > FILES_LIMIT


# --- A folder ---


def _in_folder(folder: Path, budget: Budget, hidden: bool) -> list[Found]:
    found, waiting = [], [(folder, 0)]
    while waiting:
        parent, depth = waiting.pop(0)
        with os.scandir(parent) as listing:
            entries = sorted(listing, key=lambda entry: entry.name)
        for entry in entries:
            label = Path(entry.path).relative_to(folder).as_posix()
            if entry.is_dir(follow_symlinks=False):
                if _is_skipped(entry.name, hidden):
                    continue
                if depth < DEPTH:
                    waiting.append((Path(entry.path), depth + 1))
                else:
                    budget.remarks.append(f"{label[:80]} lies too deep and was left out")
            elif ENDING.search(entry.name) and not entry.name.startswith("."):
                path = Path(entry.path)
                when = entry.stat(follow_symlinks=False).st_mtime
                found.append(Found(label, depth, lambda path=path: _bytes(path, folder), time=when))
            elif ZIP.search(entry.name) and not entry.is_symlink():
                try:
                    found += _in_zip(Path(entry.path), label, budget, hidden)
                except Unreadable as problem:
                    budget.remarks.append(f"{label} was left out: {problem}")
        if _counted(budget, len(entries)):
            break
    return found


def _bytes(path: Path, root: Path) -> bytes:
    """A file's bytes. Refuses links that lead outside, pipes, and what is too large."""
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
        raise Unreadable("it is a link to a file outside of the submission")
    if not path.is_file():
        raise Unreadable("it is no ordinary file")
    with path.open("rb") as file:
        data = file.read(NOTEBOOK_LIMIT + 1)
    if len(data) > NOTEBOOK_LIMIT:
        raise Unreadable(f"it is larger than {NOTEBOOK_LIMIT // 1_000_000} MB")
    return data


# --- A zip ---


class _Careful(io.FileIO):
    """A zip that is opened to read its list: nothing larger is read at once."""

    def read(self, size=-1):
        if size > INDEX_LIMIT:
            raise Unreadable("it has too many files: hand in the notebooks alone")
        return super().read(size if size >= 0 else INDEX_LIMIT)


def _in_zip(path: Path, label: str, budget: Budget, hidden: bool) -> list[Found]:
    """The notebooks in a zip, by their names in it. Raises Unreadable where it is none."""
    budget.check_time()
    if not path.is_file():
        raise Unreadable("it is no ordinary file")
    try:
        with _Careful(path) as file, zipfile.ZipFile(file) as archive:
            members = [m for m in archive.infolist() if HELD.search(m.filename)]
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        raise Unreadable(f"it is no zip that can be read ({error})") from None
    found = []
    if _counted(budget, len(members)):
        members = members[:FILES_LIMIT]
    for member in members:
        parts = member.filename.replace("\\", "/").split("/")
        place = "/".join(filter(None, [label, *parts]))
        skipped = any(_is_skipped(part, hidden) for part in parts[:-1])
        if parts[-1].startswith(".") or skipped and ".." not in parts:
            continue
        if ZIP.search(parts[-1]):
            budget.remarks.append(f"{place[:80]} is a zip in a zip and was left out")
        if not ENDING.search(parts[-1]):
            continue
        problem = _refused(member, parts)
        if problem:
            budget.remarks.append(f"{place[:80]} was left out: {problem}")
            continue
        content = _reader(path, member)
        depth = len(parts) - 1 + label.count("/")
        found.append(Found(place, depth, content, time=_changed(member)))
    return found


def _changed(member: zipfile.ZipInfo) -> float | None:
    """When a member was changed last: a zip has no zone, so as if it was made on this machine."""
    try:
        return datetime.datetime(*member.date_time).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _refused(member: zipfile.ZipInfo, parts: list[str]) -> str:
    """Why a member of a zip is not read, or ""."""
    if member.flag_bits & 1:
        return "it is encrypted"
    if ".." in parts or not parts[0] or ":" in parts[0]:
        return "its name leads outside of the zip"
    if (member.external_attr >> 16) & 0o170000 == 0o120000:
        return "it is a link"
    if member.file_size > NOTEBOOK_LIMIT:
        return f"it is larger than {NOTEBOOK_LIMIT // 1_000_000} MB"
    return ""


def _reader(path: Path, member: zipfile.ZipInfo):
    """A function that reads a member, and not more than it says it has."""

    def read():
        try:
            with zipfile.ZipFile(path) as archive, archive.open(member) as file:
                data = file.read(NOTEBOOK_LIMIT + 1)
        except (OSError, ValueError, EOFError, NotImplementedError, zipfile.BadZipFile) as error:
            raise Unreadable(f"the zip is damaged there ({error})") from None
        except Exception as error:  # zlib.error and what other methods raise
            raise Unreadable(f"the zip is damaged there ({type(error).__name__})") from None
        if len(data) > NOTEBOOK_LIMIT:
            raise Unreadable(f"it is larger than {NOTEBOOK_LIMIT // 1_000_000} MB")
        return data

    return read


def reason(error: Exception) -> str:
    """Why a file cannot be read, without this machine's paths."""
    if isinstance(error, Unreadable):
        return str(error)
    return getattr(error, "strerror", None) or type(error).__name__
