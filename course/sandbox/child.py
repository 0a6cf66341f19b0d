"""The process that student code runs in: `child.py DESCRIPTOR`, or `child.py` on Windows.

It speaks with the parent in messages of JSON, never in pickles. Where the system can fork, this is
a server that has loaded NumPy and makes a fresh copy of itself for each check, which is quick;
elsewhere it serves one check and ends. Nothing of the course is imported here.
"""

import base64
import functools
import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import io
import json
import opcode
import os
import signal
import socket
import struct
import sys
import threading
import traceback

import numpy as np

LIMIT = 1 << 23  # bytes of one message, five times what the largest of our checks sends
FILE_LIMIT = 1 << 20  # bytes of one file
KINDS = "biufc"  # of arrays: Booleans and numbers, nothing that could be an object
PRINTED_LINES, PRINTED_CHARACTERS = 20, 2000  # of what one call prints; the rest goes nowhere


# --- Messages ---


def encode(value):
    """A value as what JSON can say. Raises TypeError, with the type's name, for any other."""
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in KINDS:
        array = np.asarray(value)
        array = array.astype(array.dtype.newbyteorder("<"), order="C")
        data = base64.b64encode(array.tobytes()).decode("ascii")
        return {"array": [array.dtype.str, list(array.shape), data, isinstance(value, np.generic)]}
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, list | tuple):
        return [encode(part) for part in value]
    if isinstance(value, dict) and all(type(key) is str for key in value):
        return {"dict": {key: encode(part) for key, part in value.items()}}
    raise TypeError(type(value).__name__)


def decode(value):
    """What `encode` made a message of. Raises ValueError for everything else."""
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [decode(part) for part in value]
    if isinstance(value, dict) and set(value) == {"dict"} and isinstance(value["dict"], dict):
        return {key: decode(part) for key, part in value["dict"].items()}
    try:
        dtype, shape, data, scalar = value["array"]
        if np.dtype(dtype).kind not in KINDS or not all(type(size) is int for size in shape):
            raise ValueError
        array = np.frombuffer(base64.b64decode(data, validate=True), dtype).reshape(shape).copy()
        return array[()] if scalar else array
    except (KeyError, TypeError, ValueError):
        raise ValueError("a message that nobody sent") from None


class Channel:
    """Messages over a pair of binary files: four bytes of length, then JSON."""

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.lock = threading.Lock()  # what a thread prints must not cut a reply in two

    def send(self, message):
        data = json.dumps(message).encode("utf-8")
        if len(data) > LIMIT:
            raise ValueError("too much for one message")
        with self.lock:
            self.writer.write(struct.pack("<I", len(data)) + data)
            self.writer.flush()

    def receive(self):
        """The next message. Raises EOFError at the end, ValueError for what is none."""
        length = self._read(4)
        size = struct.unpack("<I", length)[0]
        if size > LIMIT:
            raise ValueError("a message that is too long")
        return json.loads(self._read(size).decode("utf-8"))

    def _read(self, count):
        data = b""
        while len(data) < count:
            more = self.reader.read(count - len(data))
            if not more:
                raise EOFError
            data += more
        return data

    def close(self):
        for file in (self.reader, self.writer):
            try:
                file.close()
            except OSError:
                pass  # the other side is gone


def over(connection):
    """The channel over a socket."""
    return Channel(connection.makefile("rb", buffering=0), connection.makefile("wb"))


# --- The student's package, from memory ---


class Package(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports `minigrad` from texts: {"": the package's own, "nn": …, "support.notyet": …}."""

    def __init__(self, texts, compiled):
        self.texts, self.compiled = texts, compiled

    def find_spec(self, name, path=None, target=None):
        if name == "course" or name.startswith("course."):
            raise ModuleNotFoundError("the checks are not here to be imported", name=name)
        if name != "minigrad" and not name.startswith("minigrad."):
            return None
        inner = name.removeprefix("minigrad").removeprefix(".")
        if inner not in self.texts:
            raise ModuleNotFoundError(
                f"there is no {name} yet: run the last cell of the lesson that exports it",
                name=name,
            )
        is_package = any(
            other != inner and other.startswith(f"{inner}." if inner else "")
            for other in self.texts
        )
        return importlib.machinery.ModuleSpec(name, self, is_package=is_package)

    def exec_module(self, module):
        name = module.__name__
        text = self.texts[name.removeprefix("minigrad").removeprefix(".")]
        code = self.compiled.get((name, text)) or compile(text, f"<{name}>", "exec")
        exec(code, module.__dict__)


# --- One check ---


class Printed(io.TextIOBase):
    """The standard output of student code: its first lines go to the parent as they are printed.

    So they arrive even where the code never comes to an end.
    """

    def __init__(self, channel):
        self.channel = channel
        self.begin()

    def begin(self):
        """Begin to count again, before the next call."""
        self.lines, self.characters = PRINTED_LINES, PRINTED_CHARACTERS

    def writable(self):
        return True

    def write(self, text):
        shown = "".join(text.splitlines(keepends=True)[: self.lines])[: self.characters]
        self.lines -= shown.count("\n")
        self.characters -= len(shown)
        if shown:
            self.channel.send({"printed": shown})
        return len(text)


def serve(channel, request, compiled, walls):
    """Run the probes that the parent names, one after another, until it is content."""
    sys.stdout = Printed(channel)
    sys.meta_path.insert(0, Package(request["texts"], compiled))
    namespace = {"__name__": "probes"}
    try:
        exec(compile(request["probes"], "<probes>", "exec"), namespace)
        import minigrad
    except BaseException as error:  # the student's module may do anything when it is loaded
        channel.send({"raised": describe(error)})
        return
    channel.send({"ready": True, "walls": walls})
    while True:
        try:
            message = channel.receive()
        except EOFError:
            return
        probe, arguments = namespace[message["probe"]], decode(message["arguments"])
        if message.get("watch"):
            reply = {"returned": returned(probe, minigrad, arguments)}
        else:
            sys.stdout = Printed(channel)
            reply = answer(probe, minigrad, arguments)
        try:
            channel.send(reply)
        except ValueError:
            channel.send({"type": "value that is too large"})


def answer(probe, package, arguments):
    """What the probe makes of the student's code, or how that went wrong."""
    given = encode(arguments)
    try:
        value = probe(package, *arguments)
    except BaseException as error:  # exit() and a keyboard interrupt are no Exception
        return {"raised": describe(error)}
    try:
        changed = encode(arguments) != given
        return {"changed": True} if changed else {"value": encode(value)}
    except TypeError as error:
        return {"type": str(error)}
    except RecursionError:
        return {"type": "thing that holds itself"}


def returned(probe, package, arguments):
    """What the functions of the student's package return in a probe: [module, function, kind]."""
    found = {}

    def watch(frame, event, value):
        code = frame.f_code
        if event == "return" and code.co_filename.startswith("<minigrad."):
            left = opcode.opname[code.co_code[frame.f_lasti]]
            if left.startswith("RETURN") and "GENERATOR" not in left:  # no exception, no yield
                found[code.co_filename[10:-1], code.co_qualname, kind(value)] = None

    real, sys.stdout = sys.stdout, io.StringIO()  # the parent has heard it already
    sys.setprofile(watch)
    try:
        probe(package, *arguments)
    except BaseException:  # it is known already
        pass
    finally:
        sys.setprofile(None)
        sys.stdout = real
    return [list(key) for key in found][-200:]


def kind(value):
    """What a value is, in a word or two."""
    if value is None:
        return "None"
    if isinstance(value, tuple) and type(value) is tuple:
        return f"tuple of {len(value)}"
    return type(value).__name__


def frames(error):
    """The student's frames [module, function, line] in an exception, those that it hides first."""
    hidden = error.__cause__ or error.__context__
    found = frames(hidden) if hidden is not None and hidden is not error else []
    for frame, line in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        if code.co_filename.startswith("<minigrad."):
            found.append([code.co_filename[10:-1], code.co_qualname, line])
    if isinstance(error, SyntaxError) and str(error.filename).startswith("<minigrad."):
        found.append([error.filename[10:-1], "<module>", error.lineno])
    return found[-20:]


def describe(error):
    """An exception as data: its type, its words, and its frames in the student's package."""
    try:
        words = str(error)
    except BaseException:
        words = ""
    try:
        places = frames(error)
    except BaseException:  # a chain of exceptions that hide each other
        places = []
    return {
        "type": type(error).__name__[:100],
        "words": words[:400],
        "frames": places,
        "exercise": str(getattr(error, "exercise", "")) if type(error).__name__ == "NotYet" else "",
    }


# --- Limits ---


def quiet():
    """What student code writes to the console goes nowhere; what it reads is empty."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    sys.stdin = open(0, encoding="utf-8", closefd=False)
    sys.stdout = sys.stderr = open(1, "w", encoding="utf-8", closefd=False)


@functools.cache
def cage():
    """The module that stands beside this file, which is run as a script and imports nothing."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "cage.py")
    spec = importlib.util.spec_from_file_location("cage", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def limit(request):
    """Limits and walls that the system holds, where it has any, and a guard against accidents.

    Returns the names of the walls that hold; see cage.py.
    """
    try:
        import resource
    except ImportError:
        resource = None  # Windows
    if resource:
        limits = {
            "RLIMIT_AS": request["memory"],
            "RLIMIT_CPU": request["cpu"],
            "RLIMIT_CORE": 0,
            "RLIMIT_FSIZE": FILE_LIMIT,
            "RLIMIT_NPROC": 0,
        }
        for name, value in limits.items():
            try:
                resource.setrlimit(getattr(resource, name), (value, value))
            except (AttributeError, ValueError, OSError):
                pass  # a system without this limit, or with a lower one
    home = os.path.realpath(request["home"])
    os.chdir(home)
    os.environ |= {"HOME": home, "TMPDIR": home}
    readable = cage().readable_paths()
    walls = cage().close(home, readable)
    sys.addaudithook(guard(home + os.sep, tuple(path + os.sep for path in readable)))
    return walls


FORBIDDEN = (
    "subprocess.Popen",
    "os.system",
    "os.exec",
    "os.fork",
    "os.forkpty",
    "os.posix_spawn",
    "os.spawn",
    "os.startfile",
    "os.kill",
    "os.killpg",
    "pty.spawn",
    "socket.connect",
    "socket.bind",
    "socket.getaddrinfo",
    "ctypes.dlopen",
    "ctypes.dlsym",
    "ctypes.dlsym/handle",
    "signal.pthread_kill",
    "sqlite3.connect",
)
CHANGES = (
    "os.remove",
    "os.rename",
    "os.rmdir",
    "os.link",
    "os.symlink",
    "os.truncate",
    "os.chmod",
    "os.chown",
    "os.mkdir",
    "os.utime",
    "shutil.rmtree",
    "shutil.move",
)


def guard(home, readable):
    """An audit hook: no other process, no network, nothing written outside `home`, little read.

    It stops what honest code does by accident, and says so in words. It is no wall, since code that
    means to can get around it; docs/instructors.md says what then holds.
    """

    def within(path, folders):
        if not isinstance(path, str | bytes | os.PathLike):
            return True  # an open descriptor, or no path at all
        real = os.path.realpath(os.fsdecode(path)) + os.sep
        return os.path.normcase(real).startswith(folders)

    own = tuple(map(os.path.normcase, (home, os.devnull + os.sep)))
    known = own + tuple(map(os.path.normcase, readable))

    def hook(event, arguments):
        if event in FORBIDDEN:
            raise PermissionError(f"a check does not allow {event}")
        if event == "open":
            path, mode, flags = arguments
            writes = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
            if isinstance(flags, int) and flags & writes and not within(path, own):
                raise PermissionError("a check does not allow writing outside its own folder")
            if not within(path, known):
                raise PermissionError("a check does not allow reading outside its own folder")
        elif event in ("os.listdir", "os.scandir") and not within(arguments[0], known):
            raise PermissionError("a check does not allow reading outside its own folder")
        elif event in CHANGES and not all(within(path, own) for path in arguments):
            raise PermissionError(f"a check does not allow {event} outside its own folder")

    return hook


# --- The server, and the single child ---

# What the lessons' modules import of Python and NumPy: loaded here, no copy has to load it again.
LOADED_ONCE = (
    "concurrent.futures.thread",
    "contextlib",
    "dataclasses",
    "functools",
    "hashlib",
    "inspect",
    "json",
    "logging",
    "numpy.random",
    "pathlib",
    "tempfile",
    "weakref",
)


def server(control):
    """For each request that comes with a socket: a copy of this process that serves it.

    The first message holds modules that will be needed often: they are compiled once.
    """
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system forgets ended children by itself
    for name in LOADED_ONCE:
        importlib.import_module(name)
    cage()
    channel = over(control)
    compiled = compile_all(channel.receive())
    while True:
        try:
            _, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        except OSError:
            return
        if not descriptors:
            return  # the parent has ended
        with socket.socket(fileno=descriptors[0]) as connection:
            pid = os.fork()
            if pid == 0:
                os.setsid()
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                os.close(control.detach())
                run(over(connection), compiled)
        channel.send(pid)


def compile_all(texts):
    """(module's name, text) -> code, for those texts of the package that are Python."""
    compiled = {}
    for inner, text in texts.items():
        name = f"minigrad.{inner}".rstrip(".")
        try:
            compiled[name, text] = compile(text, f"<{name}>", "exec")
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            pass  # whoever imports it is told
    return compiled


def run(channel, compiled):
    """Serve one check and end without any of the parent's clean-up."""
    code = 1
    try:
        request = channel.receive()
        quiet()
        serve(channel, request, compiled, limit(request))
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        server(socket.socket(fileno=int(sys.argv[1])))
    else:
        pair = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
        run(Channel(*pair), {})
