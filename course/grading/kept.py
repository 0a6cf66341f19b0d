"""Marks that are kept as they come: a file of lines, one for each lesson of a submission.

A line has a key and what was judged. The key is a hash of all that the marks depend on: what the
student wrote for this lesson, the lesson's checks, our notebooks, and the limits. So a line can be
used wherever its key fits: after a crash, for the next grading, or from another machine. It holds
no name of a student.
"""

import json
import threading
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from course.grading.submissions import Submission
from course.grading.tables import Refused
from course.grading.version import digest, fingerprint
from course.lessons.exercise import MARK, exercises
from course.lessons.status import Status
from course.sandbox.runner import Limits
from minigrad.apps.lock import only_holder_of


class Kept:
    """The lines of a file, and of others that are only read. Threads may share it."""

    def __init__(
        self, path: Path | None = None, resume=False, others: Iterable[Path] = (), trusting=False
    ):
        """Raises Refused where a file cannot be read, OSError where it cannot be written.

        Refused too where another grading writes to `path` now.

        `path`: where lines are written; what is in it already counts with `resume`, and is
        overwritten without. `trusting`: whether there need not have been a cage; such marks are
        used for such gradings only.
        """
        self.trusting = trusting
        self._lock, self._file, self._known = threading.Lock(), None, {}
        self._held = ExitStack()
        for other in others:
            self._read(other)
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                self._held.enter_context(only_holder_of(path.with_name(f"{path.name}.lock")))
            except BlockingIOError:
                raise Refused(
                    f"another grading writes to {path} now: wait until it has ended, or name "
                    "another --out"
                ) from None
            if resume and path.exists():
                self._read(path)
            self._file = path.open("a" if resume else "w", encoding="utf-8")
            if resume and self._file.tell():
                self._file.write("\n")  # the last line may have been cut by a crash

    def _read(self, path: Path) -> None:
        """Take what is whole; a line that a crash has cut, or somebody has changed, is passed over."""
        try:
            with path.open(encoding="utf-8", errors="replace") as lines:
                for line in lines:
                    try:
                        entry = json.loads(line)
                        found = {"marks": entry["marks"], "remarks": entry["remarks"]}
                        if is_whole(found):
                            self._known[entry["key"]] = found
                    except (ValueError, TypeError, LookupError, RecursionError):
                        continue
        except OSError as error:
            raise Refused(f"{path} cannot be read ({error.strerror})") from None

    def key(self, submission: Submission, lesson: str, limits: Limits) -> str:
        """The key of a lesson of a submission: of what judging it looks at, and no more."""
        handed = submission.lesson(lesson)
        own = [handed.name, handed.cells, handed.others] if handed else None
        around = [
            [one.name, one.cells or one.others, one.lesson] for one in submission.around(lesson)
        ]
        marked = [
            cell
            for notebook in [*submission.notebooks, *submission.spare]
            for cell in notebook.cells
            if any(number[:2] == lesson for number in MARK.findall(cell))
        ]
        unreadable = [submission.unreadable.get(lesson), submission.unreadable.get("")]
        given = [lesson, own, around, marked, unreadable, submission.missing]
        return digest([given, asdict(limits), self.trusting, fingerprint(lesson)])

    def get(self, key: str) -> dict | None:
        """What is known under this key, or None."""
        return self._known.get(key)

    def add(self, key: str, found: dict) -> None:
        """Keep what was judged, at once. Not where grading itself failed: that is tried again."""
        with self._lock:
            if key in self._known or any(failed for *_, failed in found["marks"]):
                return
            if self._file:
                self._file.write(json.dumps({"key": key} | found) + "\n")
                self._file.flush()
            self._known[key] = found

    def close(self) -> None:
        if self._file:
            self._file.close()
        self._held.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def is_whole(found: dict) -> bool:
    """Whether this is what judging a lesson gives: a mark for each of its exercises."""
    marks, remarks = found["marks"], found["remarks"]
    numbers = [number for number, *_ in marks]
    return (
        numbers == [number for number in exercises() if number[:2] == numbers[0][:2]]
        and all(isinstance(words, str) for words in remarks)
        and all(
            status in list(Status)
            and isinstance(diagnosis, str)
            and isinstance(lines, str)
            and failed is False
            for _, status, diagnosis, lines, failed in marks
        )
    )
