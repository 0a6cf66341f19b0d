"""Zips, tars and compressed files: read in memory and never unpacked to the disk.

What a file is stands in its first bytes, whatever it is called.
"""

import bz2
import datetime
import gzip
import io
import lzma
import os
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from course.grading import budget as limits
from course.grading.budget import Budget, Unreadable

INDEX_LIMIT = 10_000_000  # bytes of an archive's list of what is in it
UNPACKED_LIMIT = 1_000_000_000  # bytes of a tar, all files in it
HEAD = 264  # bytes that show what a file is
PACKERS = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}


@dataclass
class Member:
    """A file in an archive or a folder: its place there, its first bytes, and how to read it all."""

    place: str
    head: bytes
    read: Callable[[], bytes]
    time: float | None = None  # when it was changed last, in seconds since 1970


def is_archive(head: bytes) -> bool:
    """Whether a file with these first bytes is an archive or compressed."""
    return (
        head[:4] in (b"PK\x03\x04", b"PK\x05\x06") or is_packed(head) or head[257:262] == b"ustar"
    )


def is_packed(head: bytes) -> bool:
    """Whether a file with these first bytes is compressed."""
    return head.startswith(tuple(PACKERS))


def members(
    source: Path | bytes, name: str, head: bytes, budget: Budget, wanted: Callable[[str], bool]
) -> Iterator[Member]:
    """The files in an archive whose places there are wanted.

    Raises Unreadable where it is damaged. `name` is that of the archive.
    """
    budget.check_time()
    try:
        if head[:2] == b"PK":
            yield from _in_zip(source, budget, wanted)
        elif head[257:262] == b"ustar":
            with _opened(source) as stream:
                yield from _in_tar(stream, budget, wanted)
        else:
            yield from _in_packed(source, name, head, budget, wanted)
    except Unreadable:
        raise
    except Exception as error:  # zlib.error, LZMAError and whatever a damaged file leads to
        said = f" ({error})" if isinstance(error, zipfile.BadZipFile | tarfile.TarError) else ""
        raise Unreadable(f"it is damaged, or no zip or tar{said}") from None


# --- A zip ---


class _Careful:
    """A file of which a zip's list is read: nothing larger is read at once."""

    def read(self, size=-1):
        if size > INDEX_LIMIT:
            raise Unreadable("it has too many files: hand in the notebooks alone")
        return super().read(size if size >= 0 else INDEX_LIMIT)


class _CarefulFile(_Careful, io.FileIO):
    pass


class _CarefulBytes(_Careful, io.BytesIO):
    pass


def _opened(source):
    return _CarefulBytes(source) if isinstance(source, bytes) else _CarefulFile(source)


def _in_zip(source, budget, wanted):
    with _opened(source) as file, zipfile.ZipFile(file) as archive:
        found = [member for member in archive.infolist() if wanted(member.filename)]
        if budget.is_full(len(found)):
            del found[limits.FILES_LIMIT :]
        for member in found:
            problem = _refused(member)
            if problem:
                budget.left_out(member.filename, problem)
                continue
            head = b""
            try:
                with archive.open(member) as inside:
                    head = inside.read(HEAD)
            except Exception:  # whoever reads all of it will say so
                pass
            yield Member(member.filename, head, _reader(source, member), _changed(member))


def _refused(member: zipfile.ZipInfo) -> str:
    """Why a member of a zip is not read, or ""."""
    if member.flag_bits & 1:
        return "it is encrypted"
    if (member.external_attr >> 16) & 0o170000 == 0o120000:
        return "it is a link"
    if member.file_size > limits.NOTEBOOK_LIMIT:
        return f"it is larger than {limits.NOTEBOOK_LIMIT // 1_000_000} MB"
    return ""


def _changed(member: zipfile.ZipInfo) -> float | None:
    """When a member was changed last: a zip has no zone, so as if it was made on this machine."""
    try:
        return datetime.datetime(*member.date_time).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _reader(source, member):
    """A function that reads a member of a zip, and not more than it says it has."""

    def read():
        whole = io.BytesIO(source) if isinstance(source, bytes) else source
        try:
            with zipfile.ZipFile(whole) as archive, archive.open(member) as file:
                data = file.read(limits.NOTEBOOK_LIMIT + 1)
        except (OSError, ValueError, EOFError, NotImplementedError, zipfile.BadZipFile) as error:
            raise Unreadable(f"the zip is damaged there ({error})") from None
        except Exception as error:  # zlib.error and what other methods raise
            raise Unreadable(f"the zip is damaged there ({type(error).__name__})") from None
        return _whole(data)

    return read


def _whole(data: bytes) -> bytes:
    """Data that was read up to the limit and one byte. Raises Unreadable where that is reached."""
    if len(data) > limits.NOTEBOOK_LIMIT:
        raise Unreadable(f"it is larger than {limits.NOTEBOOK_LIMIT // 1_000_000} MB")
    return data


# --- A tar, or one compressed file ---


class _Forward:
    """A stream that is read once, from its beginning on, within a budget of bytes and seconds."""

    def __init__(self, stream, budget):
        self.stream, self.budget, self.place = stream, budget, 0

    def tell(self):
        return self.place

    def seek(self, place):
        while self.place < place:
            if not self.read(min(place - self.place, 1 << 20)):
                break

    def read(self, size):
        self.budget.check_time()
        if size > limits.NOTEBOOK_LIMIT + 1:
            raise Unreadable(f"a part of it is larger than {limits.NOTEBOOK_LIMIT // 1_000_000} MB")
        parts, missing = [], size
        while missing:
            part = self.stream.read(min(missing, INDEX_LIMIT))
            if not part:
                break
            parts.append(part)
            missing -= len(part)
        self.place += size - missing
        if self.place > UNPACKED_LIMIT:
            raise Unreadable(f"it has more than {UNPACKED_LIMIT // 1_000_000} MB unpacked")
        return b"".join(parts)


def _in_tar(stream, budget, wanted):
    with tarfile.open(fileobj=_Forward(stream, budget), mode="r:") as archive:
        while (member := archive.next()) is not None:
            archive.members.clear()  # only this one is needed
            if not wanted(member.name):
                continue
            if budget.is_full(1):
                return
            if not member.isreg() or member.issparse():
                budget.left_out(member.name, "it is a link or no ordinary file")
                continue
            if member.size > limits.NOTEBOOK_LIMIT:
                words = f"it is larger than {limits.NOTEBOOK_LIMIT // 1_000_000} MB"
                budget.left_out(member.name, words)
                continue
            budget.hold(member.size)
            data = archive.extractfile(member).read()
            yield Member(member.name, data[:HEAD], lambda data=data: data, float(member.mtime))


def _in_packed(source, name, head, budget, wanted):
    """What a file holds that is compressed: a tar, or one file of the same name without its end."""
    unpacked = next(opener for start, opener in PACKERS.items() if head.startswith(start))
    with _opened(source) as file, unpacked(file) as stream:
        start = stream.read(HEAD)
        stream.seek(0)
        if start[257:262] == b"ustar":
            yield from _in_tar(stream, budget, wanted)
        elif wanted(inner := os.path.splitext(name)[0]):
            data = _whole(_Forward(stream, budget).read(limits.NOTEBOOK_LIMIT + 1))
            budget.hold(len(data))
            yield Member(inner, data[:HEAD], lambda: data)
