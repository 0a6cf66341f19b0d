"""Finding notebooks in what a student handed in: a folder, an archive, or one file.

An archive (archives.py) is looked into as a folder is, and so are archives in it. What is found is
bounded by a budget (budget.py).
"""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from course.grading import budget as limits
from course.grading.archives import HEAD, Member, is_archive, members
from course.grading.budget import Budget, Unreadable
from course.lessons import notebooks
from course.student.edition import BACKUPS

NOTEBOOKS_LIMIT = 50  # notebooks that are read of one submission
DEPTH = 20  # folders in folders
ARCHIVES = 3  # archives in archives
# What browsers and systems append (`.ipynb.txt`, `.ipynb (1)`, `.ipynb~`) stays a notebook.
ENDING = re.compile(r"\.ipynb(?:[^a-z0-9].{0,20})?$", re.IGNORECASE | re.DOTALL)
PACKED = re.compile(
    r"\.(?:zip|tar|tgz|tbz2?|txz|tar\.\w{2,3}|gz|bz2|xz)(?:[^a-z0-9.].{0,20}|\.(?:download|txt))?$",
    re.IGNORECASE | re.DOTALL,
)
OTHERS = re.compile(r"\.(?:py|json|txt)$|^[^.]*$", re.IGNORECASE)  # as what a lesson may be saved
COPY = re.compile(r"^copy[ _]of[ _]|[ _-]*(?:\(\d+\)|copy ?\d*)$", re.IGNORECASE)
LEFT_OUT = {BACKUPS, "__macosx"}  # folders
# Hidden folders of tools. Others are looked into where there is nothing else.
TOOLS = {".git", ".virtual_documents", ".venv", ".cache", ".trash"}


@dataclass
class Found:
    """A notebook that was found: where, and how to read it."""

    label: str  # its place in the submission
    depth: int
    content: Callable[[], bytes]
    only: bool = False  # the submission is this one file
    time: float | None = None  # when it was changed last, in seconds since 1970

    @property
    def name(self) -> str:
        """Its file name."""
        return parts_of(self.label)[-1]

    @property
    def original(self) -> bool:
        """Whether it is called as a notebook of the course, and no copy of one."""
        return stem(self.name) in lessons()

    def read(self, budget: Budget) -> bytes:
        """Its bytes. Raises Unreadable, or what the system raises."""
        budget.check_time()
        data = self.content()
        budget.read(len(data))
        return data


def lessons() -> set[str]:
    """The names of the course's notebooks, without their ending."""
    return {path.stem for path in notebooks.paths()}


def stem(name: str) -> str:
    """A file's name without the ending of a notebook or an archive."""
    plain = ENDING.sub("", PACKED.sub("", PACKED.sub("", name)))
    return plain.removesuffix(".py") or name


def parts_of(place: str) -> list[str]:
    """The folders of a place and its file's name; archives of Windows have backslashes in them."""
    return place.replace("\\", "/").split("/")


def is_named_as_notebook(name: str) -> bool:
    """Whether a file of this name is read as a notebook: also a lesson saved as another kind."""
    kind = OTHERS.search(name)
    plain = COPY.sub("", name[: kind.start()] if kind and kind[0].startswith(".") else name)
    return bool(ENDING.search(name)) or bool(kind) and plain.endswith(tuple(lessons()))


def find(path: Path, budget: Budget) -> list[Found]:
    """The notebooks of a submission, the course's own names first, then those that lie highest.

    Raises Unreadable where the submission is nothing that can hold a notebook.
    """
    if path.is_symlink():
        raise Unreadable("a link was handed in, not a folder or a notebook")
    if path.is_dir():
        found = _visible_first(lambda hidden: _in_folder(path, budget, hidden), budget)
    else:
        member = _member(path, path.parent, path.name)
        if is_archive(member.head):
            found = _visible_first(
                lambda hidden: _in_archive(member, path, "", budget, hidden), budget
            )
        elif is_named_as_notebook(path.name) or path.suffix.lower() == ".py":
            found = [Found(path.name, 0, member.read, True, member.time)]
        elif PACKED.search(path.name):
            raise Unreadable("it is no zip that can be read")
        else:
            raise Unreadable("it is neither a folder nor a zip nor a notebook (.ipynb)")
    found.sort(key=lambda f: (not f.original, f.depth, not _in_notebooks(f), f.label))
    if len(found) > NOTEBOOKS_LIMIT:
        budget.remarks.append(f"only the first {NOTEBOOKS_LIMIT} notebooks were read")
    return found[:NOTEBOOKS_LIMIT]


def _visible_first(look, budget: Budget) -> list[Found]:
    """What `look` finds outside of hidden folders; where that is nothing, in them too."""
    files, held, remarks = budget.files, budget.held, len(budget.remarks)
    others = len(budget.others)
    found = look(False)
    if not found:
        budget.files, budget.held = files, held
        del budget.remarks[remarks:], budget.others[others:]  # it is said again
        found = look(True)
    return found


def _is_skipped(folder: str, hidden: bool) -> bool:
    """Whether a folder of this name is not looked into; with `hidden`, hidden ones are."""
    name = folder.lower()
    return name in LEFT_OUT or name in TOOLS or name.startswith(".") and not hidden


def _is_skipped_file(name: str, hidden: bool) -> bool:
    """Whether a file of this name is not looked at; `._x` is what macOS keeps beside x."""
    return name.startswith("._" if hidden else ".")


def _in_notebooks(found: Found) -> bool:
    return "/notebooks/" in f"/{found.label}"


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
            elif _is_skipped_file(entry.name, hidden):
                continue
            elif is_wanted(entry.name):
                path = Path(entry.path)
                found += _taken(_member(path, folder, label), path, budget, hidden)
            else:
                budget.other(label)
        if budget.is_full(len(entries)):
            break
    return found


def is_wanted(name: str) -> bool:
    """Whether a file of this name may be a notebook, or an archive that holds some.

    An archive may have lost the ending of its name.
    """
    return is_named_as_notebook(name) or bool(PACKED.search(name)) or "." not in name


def _taken(member: Member, source, budget: Budget, hidden: bool, inside: int = 0) -> list[Found]:
    """What is found in a file: itself, or where it is an archive, what that holds."""
    if is_archive(member.head):
        try:
            if inside == ARCHIVES:
                raise Unreadable("it lies too deep in other archives")
            return _in_archive(member, source, member.place, budget, hidden, inside)
        except Unreadable as problem:
            budget.left_out(member.place, problem)
            return []
    name = parts_of(member.place)[-1]
    if is_named_as_notebook(name) or is_named_as_notebook(PACKED.sub("", name)):
        depth = len(parts_of(member.place)) - 1
        return [Found(member.place, depth, member.read, time=member.time)]
    if PACKED.search(name):
        budget.left_out(member.place, "it is no zip that can be read")
    else:
        budget.other(member.place)
    return []


def _member(path: Path, root: Path, label: str) -> Member:
    """A file of a folder. What cannot be opened says so where it is read."""
    head = when = None
    try:
        with _opened(path, root) as file:
            head, when = file.read(HEAD), os.fstat(file.fileno()).st_mtime
    except (OSError, Unreadable):
        pass
    return Member(label, head or b"", lambda: _bytes(path, root), when)


def _opened(path: Path, root: Path):
    """A file of a submission, open. Refuses links that lead outside, and pipes."""
    if not Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root)):
        raise Unreadable("it is a link to a file outside of the submission")
    if not path.is_file():
        raise Unreadable("it is no ordinary file")
    return path.open("rb")


def _bytes(path: Path, root: Path) -> bytes:
    with _opened(path, root) as file:
        data = file.read(limits.NOTEBOOK_LIMIT + 1)
    if len(data) > limits.NOTEBOOK_LIMIT:
        raise Unreadable(f"it is larger than {limits.NOTEBOOK_LIMIT // 1_000_000} MB")
    return data


# --- An archive ---


def _in_archive(member: Member, source, label, budget, hidden, inside=0) -> list[Found]:
    """The notebooks in an archive, by their places in it. Raises Unreadable where it is damaged."""

    def wanted(place: str) -> bool:
        *folders, name = parts_of(place)
        skipped = any(_is_skipped(folder, hidden) for folder in folders) and ".." not in folders
        return not skipped and not _is_skipped_file(name, hidden) and is_wanted(name)

    found = []
    name = parts_of(member.place)[-1]
    for inner in members(source, name, member.head, budget, wanted):
        parts = parts_of(inner.place)
        outside = ".." in parts or not parts[0] or ":" in parts[0]
        inner.place = "/".join(filter(None, [label, *parts]))
        if outside:
            budget.left_out(inner.place, "its name leads outside of the archive")
            continue
        data = b""
        if is_archive(inner.head):
            try:
                data = inner.read()
                budget.hold(len(data))
            except Unreadable as problem:
                budget.left_out(inner.place, problem)
                continue
        found += _taken(inner, data, budget, hidden, inside + 1)
    return found


def reason(error: Exception) -> str:
    """Why a file cannot be read, without this machine's paths."""
    if isinstance(error, Unreadable):
        return str(error)
    return getattr(error, "strerror", None) or type(error).__name__
