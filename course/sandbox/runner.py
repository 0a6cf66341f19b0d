"""Processes for student code: started, asked, and ended from here.

    with start(texts, probes) as child:
        child.ask("probe_softmax", [x, -1])

Nothing that comes back is believed to be more than data: see `child.decode`.
"""

import atexit
import functools
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from course.sandbox import child as protocol

SCRIPT = Path(protocol.__file__).resolve()
CAN_FORK = hasattr(os, "fork") and sys.platform != "darwin"  # Accelerate does not survive a fork
KEPT = ("PATH", "SYSTEMROOT", "LANG", "LC_ALL", "LD_LIBRARY_PATH")  # of the environment


@dataclass(frozen=True)
class Limits:
    """What one check may use."""

    seconds: float = 2.5  # by the clock, so that no check takes three
    cpu: int = 4  # seconds of a processor, where the system counts them
    memory: int = 2 << 30  # bytes of address space


class Ended(Exception):
    """The child is gone. `late`: because its time was up."""

    def __init__(self, late):
        super().__init__("the time was up" if late else "the process ended")
        self.late = late


class Child:
    """A process with the student's package loaded. Use it in a `with` statement."""

    def __init__(self, channel, kill, texts, probes, limits):
        self.channel, self._kill, self.late = channel, kill, False
        self.printed = []  # what the first and the last of those calls printed that print anything
        # The system ends it without a word when its seconds of the processor are used up, which
        # cannot be before as much time has passed.
        self.used_up = time.monotonic() + limits.cpu - 0.1
        self.timer = threading.Timer(limits.seconds, self._time_is_up)
        self.timer.daemon = True
        self.timer.start()
        self.home = tempfile.TemporaryDirectory(prefix="check-", ignore_cleanup_errors=True)
        self.first = self._exchange(
            {
                "texts": texts,
                "probes": probes,
                "home": self.home.name,
                "cpu": limits.cpu,
                "memory": limits.memory,
            }
        )

    def ask(self, probe, arguments, watch=False):
        """The reply of the child: {"value": …}, {"raised": …}, {"changed": True} or {"type": …}.

        With `watch`, {"returned": …}: what the functions of the student's package return on the
        way. Raises Ended where there is no reply.
        """
        if "raised" in self.first:
            return self.first  # the package could not even be loaded
        message = {"probe": probe, "arguments": protocol.encode(arguments)}
        return self._exchange(message | {"watch": True} if watch else message)

    def _exchange(self, message):
        printed = ""
        try:
            self.channel.send(message)
            while True:
                reply = self.channel.receive()
                if not isinstance(reply, dict):
                    raise ValueError
                if "printed" not in reply:
                    return reply
                if len(printed) < protocol.PRINTED_CHARACTERS:
                    if not printed:
                        self.printed[1:] = [""]
                    printed += str(reply["printed"])[: protocol.PRINTED_CHARACTERS]
                    self.printed[-1] = printed
        except (EOFError, OSError, ValueError, RecursionError):
            self._kill()
            raise Ended(self.late or time.monotonic() >= self.used_up) from None

    def _time_is_up(self):
        self.late = True
        self._kill()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.timer.cancel()
        self._kill()
        self.channel.close()
        self.home.cleanup()


def start(texts, probes, limits=Limits()):
    """A child with the package `texts` (module name -> text) and the probes' source loaded.

    Raises Ended where the package brings the process down while it is loaded.
    """
    channel, kill = _forked() if CAN_FORK else _spawned()
    try:
        return Child(channel, kill, texts, probes, limits)
    except BaseException:
        kill()
        raise


def _command(*arguments):
    return [sys.executable, "-I", "-B", str(SCRIPT), *arguments]


def _environment():
    """Little: no keys or tokens of whoever runs the check, and one thread for each product."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return kept | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def _spawned():
    """A new Python for one check, on every system."""
    process = subprocess.Popen(
        _command(),
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )

    def kill():
        try:
            os.killpg(process.pid, signal.SIGKILL)  # whatever it has started, too
        except (AttributeError, OSError):
            process.kill()  # a system without groups, or it has ended already
        process.wait()

    return protocol.Channel(process.stdout, process.stdin), kill


class Server:
    """A Python that has loaded NumPy and forks for each check, in a few milliseconds."""

    def __init__(self, texts):
        self.control, theirs = socket.socketpair()
        self.process = subprocess.Popen(
            _command(str(theirs.fileno())),
            env=_environment(),
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()
        self.channel = protocol.over(self.control)
        self.channel.send(texts)
        self.lock = threading.Lock()

    def fork(self):
        """A channel to a new copy of the server, and its process id."""
        ours, theirs = socket.socketpair()
        with theirs, ours:
            with self.lock:
                socket.send_fds(self.control, [b"x"], [theirs.fileno()])
                pid = self.channel.receive()
            return protocol.over(ours), pid

    def close(self):
        self.channel.close()
        self.control.close()
        self.process.wait()


@functools.cache
def server():
    """The server of this process; it holds the package compiled, as far as it was exported."""
    from course.lessons.package import exported_texts

    started = Server(exported_texts())
    atexit.register(started.close)
    return started


def _forked():
    for attempt in range(3):
        try:
            channel, pid = server().fork()
            break
        except (OSError, EOFError, ValueError):
            server.cache_clear()  # somebody ended it, or the machine is short of something
            if attempt == 2:
                raise
            time.sleep(attempt)

    def kill():
        for send in (os.killpg, os.kill):
            try:
                send(pid, signal.SIGKILL)
                return
            except OSError:
                pass  # it has ended already

    return channel, kill
