"""`python -m minigrad.apps.chat`, driven as a person drives it, through a terminal; and its files."""

import os
import random
import re
import select
import signal
import subprocess
import sys
import time
import tracemalloc

import numpy as np
import pytest
from tiny_llama import tiny

from minigrad.apps import chat as program
from minigrad.llama import load_llama, save_llama
from minigrad.support import gguf
from minigrad.support.datafolder import find_data

COMMAND = [sys.executable, "-m", "minigrad.apps.chat"]


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("chat") / "tiny.gguf"
    save_llama(path, *tiny())
    return path


def piped(text, *arguments, **variables):
    """What the program writes where its input is no terminal: (exit code, output, errors)."""
    done = subprocess.run(
        [*COMMAND, *map(str, arguments)],
        input=text if isinstance(text, bytes) else text.encode(),
        capture_output=True,
        env=os.environ | variables,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


# --- Through a pipe ---


def test_a_seed_gives_the_same_answer_and_nothing_else_is_written(file):
    first = piped("hello\n", file, "--length", 20, "--temperature", 1, "--seed", 3)
    assert first == piped("hello\n", file, "--length", 20, "--temperature", 1, "--seed", 3)
    assert first[0] == 0 and first[2] == "" and len(first[1]) > 10
    other = piped("hello\n", file, "--length", 20, "--temperature", 1, "--seed", 4)
    assert other[0] == 0 and other[1] != first[1]


def test_settings_change_on_the_way(file):
    lines = "/set length 3\nhello\n/set length 9\n/new\nhello\n"
    code, output, errors = piped(lines, file, "--temperature", 0)
    assert (code, errors) == (0, "")
    short, long = output.splitlines()
    assert long.startswith(short) and len(long) > len(short)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("/set temperature hot", "temperature must be a number, not 'hot'"),
        ("/set temperature -1", "temperature must be at least 0"),
        ("/set top-k 0.5", "top-k must be a whole number"),
        ("/set top-p 2", "top_p must be above 0 and at most 1"),
        ("/set beauty 1", "no setting beauty"),
        ("/set length 0", "max_new_tokens must be at least 1"),
        ("x" * 2000, "too long for this model"),
        (b"hello \xff", "no character at position 6"),
    ],
)
def test_a_mistake_is_said_and_the_chat_goes_on(file, line, words):
    line = line if isinstance(line, bytes) else line.encode()
    code, output, errors = piped(line + b"\nhello\n", file, "--length", 5, PYTHONUTF8="1")
    assert code == 0 and words in errors and "Traceback" not in errors
    assert output.strip()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--top-p", "0"], "top_p must be above 0"),
        (["--seed", "-1"], "seed must be at least 0"),
        (["--seed", "x"], "seed must be a whole number"),
        (["--temperature", "nan"], "temperature must be"),
        (["--length", "many"], "length must be a whole number"),
    ],
)
def test_settings_that_cannot_be_used(file, arguments, words):
    code, output, errors = piped("hello\n", file, *arguments)
    assert (code, output) == (2, "") and words in errors and "Traceback" not in errors


def test_files_that_are_no_model(tmp_path):
    (tmp_path / "text").write_text("hello", encoding="utf-8")
    for path, words in (("text", "no GGUF file"), ("none", "No such file"), ("", "directory")):
        code, output, errors = piped("hello\n", tmp_path / path)
        assert (code, output) == (2, "") and words in errors and "Traceback" not in errors


def test_where_the_model_is_not_here_it_says_what_to_do(tmp_path):
    code, output, errors = piped("hello\n", MINIGRAD_DATA=str(tmp_path))
    assert (code, output) == (2, "")
    assert "93 MB" in errors and "-m minigrad.apps.data chat" in errors


def test_nobody_reads_the_output(file):
    process = subprocess.Popen(
        [*COMMAND, str(file), "--length", "50"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    process.stdout.close()
    errors = process.communicate(b"hello\nhello\n", timeout=60)[1].decode()
    assert process.returncode == 0 and "Traceback" not in errors and "nobody reads" in errors


# --- In a terminal ---

pty = pytest.importorskip("pty")  # Windows has none


class Terminal:
    """The program in a terminal of its own."""

    def __init__(self, *arguments, **variables):
        self.screen, self.seen = "", 0
        environment = os.environ | {"TERM": "dumb"} | variables
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.execve(sys.executable, [*COMMAND, *map(str, arguments)], environment)

    def until(self, pattern, seconds=60, then=None):
        """Read until something new matches; returns what was new before and in it.

        Where nothing comes for two seconds, the key `then` is typed. (A Ctrl-C in the moment in
        which Python's readline begins to wait is noticed with the next key only.)
        """
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.screen[self.seen :])):
            assert time.monotonic() < deadline, f"{pattern} did not come: {self.screen[-500:]!r}"
            if not select.select([self.terminal], [], [], 2)[0]:
                if then:
                    self.type(then)
                continue
            try:
                self.screen += os.read(self.terminal, 4096).decode(errors="replace")
            except OSError:  # it has ended
                break
        assert found, f"{pattern} did not come: {self.screen[-500:]!r}"
        new = self.screen[self.seen : self.seen + found.end()]
        self.seen += found.end()
        return new

    def type(self, text):
        os.write(self.terminal, text.encode())

    def end(self, again=None, seconds=60):
        """The exit code, when it ends; where it waits for something, `again` is typed again."""
        deadline = time.monotonic() + seconds
        while True:  # a program waits until its output is read
            if not select.select([self.terminal], [], [], 1)[0]:
                assert time.monotonic() < deadline, f"it waits: {self.screen[-500:]!r}"
                if again:
                    self.type(again)
                continue
            try:
                if not (content := os.read(self.terminal, 4096)):
                    break
            except OSError:
                break
            self.screen += content.decode(errors="replace")
        os.close(self.terminal)
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])


@pytest.fixture
def terminal(file):
    opened = []

    def open_one(*arguments, **variables):
        opened.append(Terminal(file, *arguments, **variables))
        return opened[-1]

    yield open_one
    for one in opened:
        try:
            os.kill(one.process, signal.SIGKILL)
            os.waitpid(one.process, 0)
        except (ProcessLookupError, ChildProcessError):
            pass


def test_a_conversation_in_a_terminal(terminal):
    chat = terminal("--length", 12)
    assert "can say nothing of use" in chat.until("you> ").replace("\r\n", " ")
    chat.type("hello\r")
    answer = chat.until("you> ").replace("hello\r\n", "", 1)
    assert len(answer) > len("you> ") + 5
    chat.type("/wat\r")
    assert "/set NAME VALUE" in chat.until("you> ")
    chat.type("\x04")  # Ctrl-D
    assert chat.end() == 0


def test_quit_ends(terminal):
    chat = terminal()
    chat.until("you> ")
    chat.type("/quit\r")
    assert chat.end() == 0


def test_an_answer_streams_and_ctrl_c_stops_it_and_not_the_program(terminal):
    chat = terminal("--length", 230, "--temperature", 2, "--top-k", 300, "--top-p", 1)
    chat.until("you> ")
    stopped = False
    for _ in range(5):
        chat.type("/new\rhello\r")
        chat.until(r"hello\r\n.{3}")  # the answer has begun
        chat.type("\x03")
        # "/quit" stands there where the answer had ended just before.
        stopped = "stopped" in chat.until("… stopped|/quit", then="\r")
        chat.until("you> ")
        if stopped:
            break
    assert stopped
    chat.type("\x03")
    chat.until("/quit", then="\r\x03")  # on a busy machine the first one can be lost
    chat.until("you> ")
    chat.type("hello\r")
    chat.until("you> ")
    chat.type("\x04")
    assert chat.end(again="\x04") == 0


@pytest.mark.parametrize("moment", [0.1, 0.3, 0.6, 1.0])
def test_ctrl_c_at_the_beginning(terminal, moment):
    """Whether it comes while Python starts, while the file is read, or at the first question."""
    chat = terminal()
    time.sleep(moment)
    os.kill(chat.process, signal.SIGINT)
    # 1: NumPy makes an ImportError of a Ctrl-C in the middle of its import.
    assert chat.end(again="\x04") in (0, 1, 130, -signal.SIGINT)


def test_ctrl_c_while_the_model_is_read(file, monkeypatch):
    def interrupted(path):
        raise KeyboardInterrupt

    monkeypatch.setattr(program, "load_llama", interrupted)
    assert program.main([str(file)]) == 130


def test_an_answer_interrupted_in_the_middle_of_a_token_leaves_a_sound_conversation():
    """A second Ctrl-C comes where it wants: here between two blocks, when half of the cache is new."""
    model, tokenizer = tiny()
    settings = {"temperature": 0.0, "top-k": 5, "top-p": 1.0, "length": 5, "seed": 0}
    talk = program.start(model, tokenizer, "You are", settings)
    block, calls = model.blocks[1].forward, []

    def interrupted(*inputs):
        calls.append(inputs)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return block(*inputs)

    model.blocks[1].forward = interrupted
    program._answer(talk, "hello")
    assert len(talk.messages) == 3 and talk.caches[0].length == 0
    model.blocks[1].forward = block
    written = "".join(talk.say("and you"))
    again = program.start(model, tokenizer, "You are", settings)
    again.turns, again.messages = talk.turns[:-2], talk.messages[:-2]
    assert "".join(again.say("and you")) == written


# --- The model of lesson 10 itself ---


def test_the_real_one_answers(capsys):
    if find_data("chat") is None:
        pytest.skip("the chat model has not been fetched: python3 -m course data chat")
    code, output, errors = piped("What is the capital of France?\n", "--temperature", 0)
    assert (code, output, errors) == (0, "The capital of France is Paris.\n", "")


# --- Files from strangers ---


def test_a_tiny_model_comes_back_from_its_file(file):
    model, tokenizer = tiny()
    again, its = load_llama(file)
    tokens = np.array([tokenizer.encode("hello there").tolist()])
    assert np.array_equal(model(tokens).data, again(tokens).data)
    assert its.vocabulary == tokenizer.vocabulary and its.special == tokenizer.special
    assert list(its.merges.items()) == list(tokenizer.merges.items())


STRANGE = [None, True, -1, 0, 1, 2.5, 10**6, 10**12, "x", "", "a b", [], [1], ["a b"], [1.5], "\0"]
MISSING = object()


def changed(values, generator):
    """The values with one of them missing, strange, or damaged within."""
    name = generator.choice([n for n in values if n.startswith(("tokenizer", "llama", "general"))])
    if generator.random() < 0.5:
        name = generator.choice([n for n in values if n.startswith("tokenizer.ggml")])
    value, kind = values[name], generator.randrange(3)
    if kind == 0 or not isinstance(value, list):
        new = generator.choice([MISSING, *STRANGE])
    else:
        new, at = list(value), generator.randrange(len(value))
        other = generator.choice([*STRANGE, value[generator.randrange(len(value))]])
        action = generator.randrange(4)
        if action == 0:
            new[at] = other
        elif action == 1:
            del new[at]
        elif action == 2:
            new.insert(at, other)
        elif isinstance(new[at], str):
            new[at] = new[at] + generator.choice(["x", " ", "\u0120", "\ud7ff", "<|im_end|>"])
        else:
            new[at] = generator.randrange(7)
    return {n: v for n, v in (values | {name: new}).items() if v is not MISSING}


def test_two_thousand_tokenizers_of_strangers(file, monkeypatch):
    """A ValueError that names the file, before a model is built; or a tokenizer that is sound."""
    sound, generator, refused = gguf.read(file), random.Random(0), 0
    tracemalloc.start()
    for _ in range(2000):
        strange = gguf.GGUF(changed(sound.metadata, generator), sound.tensors)
        monkeypatch.setattr(gguf, "read", lambda path, found=strange: found)
        tracemalloc.reset_peak()
        try:
            again, its = load_llama(file)
        except ValueError as error:
            assert str(file) in str(error)
            refused += 1
        else:
            tokens = its.encode("hello there, ☃ 12")
            if len({piece for piece in its.vocabulary if len(piece) == 1}) == 256:
                assert its.decode(tokens) == "hello there, ☃ 12"
            assert tokens.max() < again.config.vocab_size == its.vocab_size
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()
    assert refused > 1000


def test_a_stranger_s_template_is_not_looked_at(file, tmp_path):
    found = gguf.read(file)
    template = "{{ ''.__class__.__mro__[1].__subclasses__() }}"
    values = found.metadata | {"tokenizer.chat_template": template}
    gguf.write(tmp_path / "a.gguf", values, found.tensors)
    assert load_llama(tmp_path / "a.gguf")[1].vocabulary == load_llama(file)[1].vocabulary
