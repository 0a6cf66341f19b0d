"""Processes for student code: started, asked, and ended from here.

    with start(texts, probes) as child:
        child.ask("probe_softmax", [x, -1])

On a student's own machine the code runs with limits and a guard against accidents. In grading it
runs in a cage (cage.py), one for each student. Nothing that comes back is believed to be more than
data: see `protocol.decode`.
"""

import atexit
import contextlib
import functools
import heapq
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from course.sandbox import cage, package, protocol

SCRIPT = Path(__file__).with_name("server.py").resolve()
CAN_FORK = hasattr(os, "fork") and sys.platform != "darwin"  # Accelerate does not survive a fork
FLOOD = 20 * protocol.PRINTED_CHARACTERS  # no honest child tells so much of what is printed
PATIENCE = 10.0  # seconds that a server has to answer
KEPT = ("PATH", "SYSTEMROOT", "LANG", "LC_ALL", "LD_LIBRARY_PATH")  # of the environment


# Most of a student's modules are ours, the same for each check and each student.
key_of = functools.lru_cache(4096)(package.key_of)


@dataclass(frozen=True)
class Limits:
    """What one check may use."""

    seconds: float = 2.5  # by the clock, so that no check takes three; longer on a busy machine
    cpu: int = 4  # seconds of a processor, where the system counts them
    memory: int = 2 << 30  # bytes of address space


class Ended(Exception):
    """The child is gone. `late`: what time was up, in words. `lost`: because its server is gone."""

    def __init__(self, late="", lost=False):
        super().__init__(late or ("the server ended" if lost else "the process ended"))
        self.late, self.lost = late, lost and not late


class Deadline:
    """What is to be done when a time is up, until it is cancelled."""

    def __init__(self, action):
        self.action, self.lock = action, threading.Lock()

    def pass_by(self):
        """Do it, unless it was cancelled."""
        with self.lock:
            if self.action:
                self.action()

    def again(self, seconds):
        """Ask for the action once more, later."""
        ALARM.put(seconds, self)

    def cancel(self):
        """From now on nothing is done; where it is being done, wait for its end."""
        with self.lock:
            self.action = None


class Alarm:
    """Watches over the deadlines of all checks of this process, in one thread."""

    def __init__(self):
        self.waiting, self.number = [], itertools.count()  # a heap of (time, number, deadline)
        self.changed, self.thread = threading.Condition(), None

    def after(self, seconds, action):
        """The deadline of an action that is to be done then."""
        deadline = Deadline(action)
        self.put(seconds, deadline)
        return deadline

    def put(self, seconds, deadline):
        """Let a deadline pass by then."""
        entry = time.monotonic() + seconds, next(self.number), deadline
        with self.changed:
            heapq.heappush(self.waiting, entry)
            if self.thread is None or not self.thread.is_alive():
                self.thread = threading.Thread(target=self._watch, daemon=True)
                self.thread.start()
            elif self.waiting[0] is entry:  # earlier than the one that it waits for
                self.changed.notify()

    def _watch(self):
        while True:
            with self.changed:
                while not self.waiting or self.waiting[0][0] > time.monotonic():
                    first = self.waiting[0][0] - time.monotonic() if self.waiting else None
                    self.changed.wait(first)
                _, _, deadline = heapq.heappop(self.waiting)
            with contextlib.suppress(Exception):  # the other checks are still to be watched
                deadline.pass_by()


ALARM = Alarm()
CROWD = 10.0  # the most that a check may be given for it


def crowd():
    """How many processes share a processor of this machine now, at least 1, where it can say.

    The limit by the clock is for those who sleep. A machine that is busy must not make a right
    answer too slow, so the clock then goes slower: the seconds of the processor decide.
    """
    try:
        return min(max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)), CROWD)
    except (AttributeError, OSError):
        return 1.0


class Child:
    """A process with the student's package loaded. Use it in a `with` statement."""

    def __init__(self, process, modules, limits):
        self.process, self.channel, self.limits, self.late = process, process.channel, limits, ""
        self.printed = []  # what the first and the last of those calls printed that print anything
        # The system kills it silently when its seconds of the processor are used up, which cannot
        # be before as much time has passed.
        self.began = time.monotonic()
        self.deadline = ALARM.after(limits.seconds, self._time_is_up)
        request = {
            "modules": modules,
            "texts": process.texts,
            "home": process.home,
            "cpu": limits.cpu,
            "memory": limits.memory,
            "caged": process.caged,
        }
        try:
            self.first = self._exchange(request)
        except BaseException:
            self.deadline.cancel()
            raise

    @property
    def loaded(self):
        """Whether the package could be loaded."""
        return "raised" not in self.first

    def ask(self, probe, arguments, watch=False):
        """The reply of the child: {"value": …}, {"raised": …}, {"changed": True} or {"type": …}.

        With `watch`, {"returned": …}: what the functions of the student's package return on the
        way. Raises Ended where there is no reply.
        """
        if not self.loaded:
            return self.first
        message = {"probe": probe, "arguments": protocol.encode(arguments)}
        return self._exchange(message | {"watch": True} if watch else message)

    def _exchange(self, message):
        printed, heard = "", 0
        try:
            self.channel.send(message)
            while heard < FLOOD:
                reply = protocol.checked(self.channel.receive())
                if "printed" not in reply:
                    return reply
                text = reply["printed"]
                heard += 1 + len(text)
                if len(printed) < protocol.PRINTED_CHARACTERS:
                    if not printed:
                        self.printed[1:] = [""]
                    printed += text[: protocol.PRINTED_CHARACTERS]
                    self.printed[-1] = printed
            raise ValueError
        except (EOFError, OSError, ValueError, RecursionError):
            alive = self.process.kill()
            used_up = time.monotonic() >= self.began + self.limits.cpu - 0.1
            late = self.late or (f"{self.limits.cpu} s of the processor" if used_up else "")
            raise Ended(late, lost=not alive) from None

    def _time_is_up(self):
        seconds = self.limits.seconds * crowd()
        left = self.began + seconds - time.monotonic()
        if left > 0.01:
            self.deadline.again(left)
            return
        self.late = f"{seconds:.3g} s"
        self.process.kill()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.deadline.cancel()  # it must not end the next check of this server
        self.process.close()


def start(texts, probes, limits=Limits(), server=None):
    """A child with the package `texts` (module name -> text) and the probes' source loaded.

    `server` is the one to fork from, such as a `caged()` one; without it, the one of this process.
    Raises Ended where the package brings the process down while it is loaded.
    """
    asking = {package.PROBES: probes}
    modules = {name: key_of(name, text) for name, text in (texts | asking).items()}
    wanted, asking = _wanted(texts), _wanted(asking)
    try:
        process = _forked(wanted, asking, server) if CAN_FORK else _Spawned(wanted | asking)
    except (OSError, EOFError, ValueError):
        raise Ended(lost=True) from None
    try:
        return Child(process, modules, limits)
    except BaseException:
        process.close()
        raise


def _wanted(texts):
    """{key: [name, text]} of modules, as a server compiles them."""
    return {key_of(name, text): [name, text] for name, text in texts.items()}


def _command(*arguments):
    return [sys.executable, "-I", "-B", str(SCRIPT), str(cage.NUMPY.parent), *arguments]


def _environment():
    """Little: no keys or tokens of whoever runs the check, and one thread for each product."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return kept | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def _remove(folder):
    """Remove a folder, however deep student code made it."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except RecursionError:
        subprocess.run(["rm", "-rf", "--", folder], check=False)


class _Spawned:
    """A new Python for one check, on every system."""

    caged = False

    def __init__(self, texts):
        self.texts = texts
        self.home = tempfile.mkdtemp(prefix="check-")
        self.python = subprocess.Popen(
            _command(),
            env=_environment(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.channel = protocol.Channel(self.python.stdout, self.python.stdin)

    def kill(self):
        """End it. Returns whether its server lives, as the others do; it needs none."""
        try:
            os.killpg(self.python.pid, signal.SIGKILL)  # whatever it has started, too
        except (AttributeError, OSError):
            self.python.kill()  # a system without groups, or it has ended already
        self.python.wait()
        return True

    def close(self):
        self.kill()
        self.channel.close()
        _remove(self.home)


class _Forked:
    """A copy of a server, for one check on this machine."""

    caged = False

    def __init__(self, server, connection, pid, texts):
        self.server, self.texts, self.pid = server, texts, pid
        self.channel = protocol.over(connection)
        self.home = tempfile.mkdtemp(prefix="check-")

    def kill(self):
        for send in (os.killpg, os.kill):
            try:
                send(self.pid, signal.SIGKILL)
                break
            except OSError:
                pass  # it has ended already
        return self.server.process.poll() is None

    def close(self):
        self.kill()
        self.channel.close()
        _remove(self.home)


class _Caged:
    """A copy of a server inside a cage, where its process id means nothing to us."""

    caged = True
    home = cage.HOME

    def __init__(self, server, connection, pid, texts):
        self.server, self.texts, self.channel = server, texts, protocol.over(connection)

    def kill(self):
        return self.server.end_check()

    def close(self):
        self.kill()
        self.channel.close()


class Server:
    """A Python that has loaded NumPy and forks for each check, in a few milliseconds."""

    def __init__(self, caged=False):
        self.caged, self.known = caged, set()
        self.control, theirs = socket.socketpair()
        command = _command(str(theirs.fileno()))
        self.process = subprocess.Popen(
            cage.command(command) if caged else command,
            env=_environment(),
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()
        self.control.settimeout(PATIENCE)
        self.channel = protocol.over(self.control)
        self.lock = threading.Lock()

    def learn(self, texts):
        """Compile modules (name -> text) for all checks to come, which can find them in memory."""
        with self.lock:
            self._learn(_wanted(texts))

    def _learn(self, wanted):
        new = {key: module for key, module in wanted.items() if key not in self.known}
        if new:
            self.control.sendall(b"c")
            self.channel.send(new)
            self.channel.receive()
            self.known |= new.keys()

    def fork(self, wanted, asking):
        """A copy of the server for a check that needs the modules `wanted`, {key: [name, text]}.

        In a cage, those that the server has not been told to learn go to this copy alone. `asking`
        are the check's probes, which the server compiles for all checks that have the same.
        """
        ours, theirs = socket.socketpair()
        with theirs, ours, self.lock:
            self._learn(asking if self.caged else wanted | asking)
            texts = {key: module for key, module in wanted.items() if key not in self.known}
            socket.send_fds(self.control, [b"f"], [theirs.fileno()])
            pid = self.channel.receive()
            return (_Caged if self.caged else _Forked)(self, ours, pid, texts)

    def end_check(self):
        """End whatever a check has left in the cage; where the server does not answer, the cage.

        Returns whether the server lives.
        """
        with self.lock:
            try:
                self.control.sendall(b"e")
                return self.channel.receive() is True
            except (OSError, EOFError, ValueError):
                self.process.kill()
                return False

    def close(self):
        self.channel.close()
        self.control.close()
        if self.caged:
            self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def caged():
    """A server in a cage of its own, for the checks of one student. Use it in a `with` statement.

    Raises OSError, in words, where this machine has no cage.
    """
    if cage.problem():
        raise OSError(cage.problem())
    return Server(caged=True)


def walls():
    """The names of the walls that this machine has around a check in grading."""
    return [] if cage.problem() else ["bubblewrap"]


@functools.cache
def server():
    """The server of this process, for checks without a cage."""
    started = Server()
    atexit.register(started.close)
    return started


def _forked(wanted, asking, chosen):
    for attempt in range(3):
        try:
            return (chosen or server()).fork(wanted, asking)
        except (OSError, EOFError, ValueError):
            if chosen is not None or attempt == 2:
                raise
            server.cache_clear()  # somebody ended it, or the machine is short of something
            time.sleep(attempt)
