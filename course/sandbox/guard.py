"""A guard against accidents: what honest code must not do is refused in words.

It is no wall, since code that means to can get around it. The wall is bubblewrap (cage.py).
"""

import os

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


def hook_within(home, readable):
    """An audit hook: no other process, no network, nothing written outside `home`, little read."""

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
