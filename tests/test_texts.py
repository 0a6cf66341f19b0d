"""Every kind of text either trains or gets one clear line and exit code 2."""

import os
import subprocess
import sys

import pytest

import minigrad as mg
from minigrad.apps import cli
from minigrad.data import CharTokenizer

pytest.importorskip("tqdm")

PHRASE = "the quick brown fox jumps over the lazy dog.\n"
TINY = (
    "--context-size 8 --num-blocks 1 --num-heads 2 --embedding-dim 8 --batch-size 2 --num-steps 2 "
    "--initial-sample-length 3 --final-sample-length 3"
).split()

# What the file holds, and a character to begin a sample with.
TRAINS = {
    "plain": (PHRASE * 5).encode(),
    "with a mark": b"\xef\xbb\xbf" + (PHRASE * 5).encode(),
    "CRLF": (PHRASE * 5).replace("\n", "\r\n").encode(),
    "CR": (PHRASE * 5).replace("\n", "\r").encode(),
    "one character only": b"a" * 200,
    "line breaks only": b"\n" * 200,
    "one line": b"ab" * 100,
    "words without a line break": b"to be or not to be " * 40,
    "emoji": "🙂🙃 and 👩‍👩‍👧\n".encode() * 20,
    "right to left": "שלום עולם مرحبا\n".encode() * 20,
    "combining": "e\u0301 n\u0303\n".encode() * 40,
    "the last plane": "\U0010ffff\n".encode() * 80,
}
REFUSED = {
    "empty": (b"", "is empty: there is nothing to learn from"),
    "a mark alone": (b"\xef\xbb\xbf", "is empty: there is nothing to learn from"),
    "one character": (b"a", "take a longer text or a smaller --context-size"),
    "shorter than the context": (b"abc", "take a longer text or a smaller --context-size"),
    "too small for validation": (b"ab" * 40, "must hold more than the context of 8"),
    "just too small": (b"ab" * 40, "its last tenth is kept for validation"),
    "binary": (bytes(range(256)) * 4, "is not UTF-8 text (byte 128)"),
    "zeros": (b"a\0" * 100, "holds zero bytes: it is no text"),
    "Latin-1": ("café " * 50).encode("latin-1"),
    "UTF-16": (PHRASE * 5).encode("utf-16"),
    "surrogates": b"ab\xed\xa0\x80" * 50,
}


@pytest.mark.parametrize("kind", TRAINS)
def test_a_sample_begins_with_something_that_the_text_has(tmp_path, capsys, kind):
    path = tmp_path / "text.txt"
    path.write_bytes(TRAINS[kind])
    code, output, errors = run(capsys, path)
    assert code == 0, errors
    text = mg.load_text(path)
    sample = output.partition("sample after training:\n")[2].partition("\n")[2]
    assert sample[0] == ("\n" if "\n" in text else min(text))


def run(capsys, path, *more):
    code = cli.main([*TINY, "--text", str(path), *more])
    return code, *capsys.readouterr()


@pytest.mark.parametrize("recipe", ["gpt2", "fast"])
@pytest.mark.parametrize("kind", TRAINS)
def test_a_text_trains(tmp_path, capsys, kind, recipe):
    path = tmp_path / "text.txt"
    path.write_bytes(TRAINS[kind])
    text = mg.load_text(path)
    assert "\r" not in text and not text.startswith("\ufeff")
    code, output, errors = run(capsys, path, "--prompt", text[0], "--recipe", recipe)
    assert code == 0, errors
    assert "step 2: training loss" in output and f"{len(text):,} characters" in output


@pytest.mark.parametrize("kind", REFUSED)
def test_a_text_is_refused_in_one_line(tmp_path, capsys, kind):
    content = REFUSED[kind]
    content, message = content if isinstance(content, tuple) else (content, "is not UTF-8 text")
    path = tmp_path / "text.txt"
    path.write_bytes(content)
    code, output, errors = run(capsys, path)
    assert (code, output) == (2, "")
    assert errors.count("\n") == 1 and message in errors


def test_what_cannot_be_opened_is_named(tmp_path, capsys):
    for path in (tmp_path / "missing.txt", tmp_path):
        with pytest.raises(OSError, match=f"{path.name} cannot be read: "):
            mg.load_text(path)
        code, output, errors = run(capsys, path)
        assert (code, output) == (2, "")
        assert errors.count("\n") == 1 and f"{path.name} cannot be read: " in errors


@pytest.mark.skipif(os.name == "nt", reason="permissions of this kind are not Windows'")
def test_an_unreadable_file_is_named(tmp_path, capsys, monkeypatch):
    path = tmp_path / "text.txt"
    path.write_text(PHRASE * 5, encoding="utf-8")
    path.chmod(0)
    monkeypatch.chdir(tmp_path)
    if os.geteuid() == 0:  # to a superuser everything is readable
        tmp_path.chmod(0o755)
        os.seteuid(65534)
    try:
        code, output, errors = run(capsys, path.name)
    finally:
        if os.getuid() == 0:
            os.seteuid(0)
    assert (code, output) == (2, "")
    assert errors == "gpt2_shakespeare: --text: text.txt cannot be read: Permission denied\n"


def test_the_smallest_text_for_a_context_trains(tmp_path, capsys):
    path = tmp_path / "text.txt"
    sizes = {}
    for size in (80, 81, 90, 91):  # the last tenth needs nine characters for a context of eight
        path.write_bytes((b"ab" * size)[:size])
        sizes[size] = run(capsys, path, "--prompt", "a")[0]
    assert sizes == {80: 2, 81: 0, 90: 0, 91: 0}


def test_a_console_without_the_character_shows_another(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(TRAINS["emoji"])
    done = subprocess.run(
        [sys.executable, "-m", "minigrad.gpt2_shakespeare", *TINY, "--text", str(path)],
        capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()


def test_a_text_is_encoded_alike_in_pieces(monkeypatch):
    from minigrad import data

    text = PHRASE * 3 + "🙂"
    tokenizer = CharTokenizer(text)
    whole = tokenizer.encode(text)
    monkeypatch.setattr(data, "_PIECE", 7)
    assert (tokenizer.encode(text) == whole).all() and tokenizer.decode(whole) == text
    with pytest.raises(ValueError, match=r"'é' \(position 136\)"):
        tokenizer.encode(text + "é")
    assert tokenizer.encode("").tolist() == []


MEMORY = """
import resource, sys
from minigrad.data import CharTokenizer, TextDataset, load_text
def peak():
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
before = peak()
text = load_text(sys.argv[1])
dataset = TextDataset(CharTokenizer(text).encode(text), 64)
print(len(dataset), dataset.tokens.nbytes, peak() - before)
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows counts memory in another way")
@pytest.mark.parametrize("megabytes", [20, pytest.param(200, marks=pytest.mark.long)])
def test_the_memory_of_a_long_text_is_a_few_times_its_tokens(tmp_path, megabytes):
    path = tmp_path / "text.txt"
    block = (PHRASE * 1000).encode()
    with open(path, "wb") as file:
        for _ in range(megabytes * 10**6 // len(block) + 1):
            file.write(block)
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, str(path)],
        capture_output=True,
        encoding="utf-8",
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    windows, tokens, grown = map(int, done.stdout.split())
    assert windows == tokens - 64 and tokens >= megabytes * 10**6
    # The bytes and the text, or the text and the tokens; beside them pieces, 20 MB at most.
    assert grown < 3 * tokens + 20_000_000
