"""Limits that the system holds, where it has any, and where student code writes and reads."""

import os
import sys

from guard import hook_within

FILE_LIMIT = 1 << 20  # bytes of one file


def quiet():
    """What student code writes to the console goes nowhere; what it reads is empty."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    sys.stdin = open(0, encoding="utf-8", closefd=False)
    sys.stdout = sys.stderr = open(1, "w", encoding="utf-8", closefd=False)


def limit(home, cpu, memory, caged):
    """Limit this process for good: seconds of a processor, bytes of memory, and its folder `home`.

    In a cage the filter of system calls refuses processes. Elsewhere a limit does, which takes
    threads for processes, and which root does not have.
    """
    try:
        import resource
    except ImportError:
        resource = None  # Windows
    if resource:
        limits = {
            "RLIMIT_AS": memory,
            "RLIMIT_CPU": cpu,
            "RLIMIT_CORE": 0,
            "RLIMIT_FSIZE": FILE_LIMIT,
        }
        if not caged:
            limits["RLIMIT_NPROC"] = 0
        for name, value in limits.items():
            try:
                resource.setrlimit(getattr(resource, name), (value, value))
            except (AttributeError, ValueError, OSError):
                pass  # a system without this limit, or with a lower one
    home = os.path.realpath(home)
    os.chdir(home)
    os.environ |= {"HOME": home, "TMPDIR": home}


def guard_of(home):
    """The guard of a check whose own folder is `home`."""
    folders = tuple(path + os.sep for path in readable())
    return hook_within(os.path.realpath(home) + os.sep, folders)


def readable():
    """What Python and NumPy need to read: their own folders, and the system's libraries."""
    own = [sys.prefix, sys.base_prefix, *sys.path]
    system = [
        "/lib",
        "/lib64",
        "/usr/lib",
        "/usr/lib64",
        "/usr/local/lib",
        "/usr/share/zoneinfo",
        "/etc/ld.so.cache",
        "/etc/localtime",
        "/dev/urandom",
        "/sys/devices/system/cpu",
    ]
    return [os.path.realpath(path) for path in own if path not in ("", "/", "/usr")] + system
