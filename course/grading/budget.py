"""What reading one submission may cost: files, bytes and seconds, so that nobody keeps the others waiting."""

import time
from dataclasses import dataclass, field

FILES_LIMIT = 5_000  # files and folders that are looked at in one submission
NOTEBOOK_LIMIT = 100_000_000  # bytes of one notebook
BYTES_LIMIT = 200_000_000  # bytes that are read of one submission
SECONDS_LIMIT = 10.0  # to read one submission


class Unreadable(Exception):
    """A file that cannot be read; the message says why, for its owner."""


@dataclass
class Budget:
    """What reading one submission may still cost, and in words what was left out for it."""

    files: int = 0
    bytes: int = 0  # of notebooks
    held: int = 0  # bytes of what was unpacked and is kept in memory
    ends: float = field(default_factory=lambda: time.monotonic() + SECONDS_LIMIT)
    remarks: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)  # a few files that are no notebooks

    def read(self, count: int) -> None:
        """Count bytes that are read. Raises Unreadable where they are too many."""
        self.bytes += count
        self._require(self.bytes)

    def hold(self, count: int) -> None:
        """Count bytes that are kept in memory. Raises Unreadable where they are too many."""
        self.held += count
        self._require(self.held)

    def _require(self, count: int) -> None:
        if count > BYTES_LIMIT:
            raise Unreadable(f"the submission has more than {BYTES_LIMIT // 1_000_000} MB")
        self.check_time()

    def check_time(self) -> None:
        """Raises Unreadable where the seconds are used up."""
        if time.monotonic() > self.ends:
            raise Unreadable(
                f"the submission takes more than {SECONDS_LIMIT:g} s to read: hand in the "
                "notebooks alone, without their outputs"
            )

    def is_full(self, files: int) -> bool:
        """Count files; returns whether that is too many, which is said once."""
        before, self.files = self.files, self.files + files
        if self.files > FILES_LIMIT >= before:
            self.remarks.append(f"after {FILES_LIMIT} files nothing more was looked at")
        return self.files > FILES_LIMIT

    def other(self, place: str) -> None:
        """Remember a file that is no notebook; a few are enough."""
        if len(self.others) < 3:
            self.others.append(place[:80])

    def left_out(self, place: str, reason: object) -> None:
        """Remark that something was not read."""
        self.remarks.append(f"{place[:80]} was left out: {reason}")
