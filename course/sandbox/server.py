"""The process that student code runs in: `server.py NUMPY DESCRIPTOR`, or `server.py NUMPY`.

NUMPY is the folder that NumPy is installed in. Where the system can fork, this has loaded NumPy and
makes a fresh copy of itself for each check, which is quick; elsewhere it serves one check and ends.
Nothing of the course is imported here but the files beside this one.

Over the descriptor, a socket, the parent sends a byte and then waits for the answer: `c` {key: [name, text]}, modules to
compile for every copy; `f` a socket, to fork a copy that serves it; `e`, to end whatever is left of
a check, which only a server in a cage of its own is told. Each is answered with a message.

A copy can find whatever this process holds, also what is freed already. So nothing comes here that
holds the solution of an exercise that is still to be judged: such modules go to the copy alone.
"""

import importlib
import os
import signal
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.append(sys.argv[1])  # it may be a folder of the user, which an isolated Python leaves out

import numpy as np  # noqa: E402, F401  (loaded once, before any check)
from limits import guard_of, limit, quiet  # noqa: E402
from package import PROBES, compiled  # noqa: E402
from probing import serve  # noqa: E402
from protocol import Channel, over  # noqa: E402
from seccomp import refuse_calls  # noqa: E402

del sys.path[0]

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


def serve_forks(control):
    """Do what the parent's bytes ask for, until it is gone."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system forgets ended children by itself
    for name in LOADED_ONCE:
        importlib.import_module(name)
    channel, codes = over(control), {}
    while True:
        try:
            command, descriptors, _, _ = socket.recv_fds(control, 1, 1)
        except OSError:
            return
        if command == b"c":
            codes |= compile_all(channel.receive())
            channel.send(len(codes))
        elif command == b"f" and descriptors:
            with socket.socket(fileno=descriptors[0]) as connection:
                pid = os.fork()
                if pid == 0:
                    os.setsid()
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    os.close(control.detach())
                    run(over(connection), codes)
            channel.send(pid)
        elif command == b"e":
            end_all()
            channel.send(True)
        else:
            return  # the parent has ended


def compile_all(modules):
    """Key -> code, from {key: [name, text]}."""
    return {key: compiled(name, text) for key, (name, text) in modules.items()}


def end_all():
    """End every other process of the cage, and empty its folder: nothing outlives a check."""
    try:
        os.kill(-1, signal.SIGKILL)
    except ProcessLookupError:
        pass  # there is none
    empty(os.environ["HOME"])


def empty(folder):
    """Remove what a folder holds, however deep: what lies in a folder inside is moved up first."""
    number = 0
    while names := os.listdir(folder):
        for name in names:
            path = os.path.join(folder, name)
            if os.path.islink(path) or not os.path.isdir(path):
                os.unlink(path)
                continue
            os.chmod(path, 0o700)
            for inner in os.listdir(path):
                while os.path.lexists(free := os.path.join(folder, f"{number}.moved")):
                    number += 1
                os.rename(os.path.join(path, inner), free)
            os.rmdir(path)


def run(channel, codes):
    """Serve one check and end without any of the parent's clean-up."""
    code = 1
    try:
        request = channel.receive()
        quiet()
        wanted = request["modules"]  # name -> key
        known = {key: codes[key] for key in wanted.values() if key in codes}
        codes.clear()  # what this check does not need is not there to be found
        limit(request["home"], request["cpu"], request["memory"], request["caged"])
        if request["caged"] and not refuse_calls():
            raise OSError("no filter of system calls")
        sys.addaudithook(guard_of(request["home"]))
        known |= compile_all(request["texts"])
        wanted = {name: known[key] for name, key in wanted.items()}
        probes = wanted.pop(PROBES)
        del request, known
        serve(channel, probes, wanted)
        code = 0
    finally:
        os._exit(code)


if __name__ == "__main__":
    if len(sys.argv) > 2:
        serve_forks(socket.socket(fileno=int(sys.argv[2])))
    else:
        run(Channel(os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")), {})
