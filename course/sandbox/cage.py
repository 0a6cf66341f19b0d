"""A cage around student code: bubblewrap, a maintained wall of Linux's namespaces.

Inside, there is no network, no other process, no user, no /proc and nothing to write to but a small
folder in memory. To read there are Python, NumPy and the system's libraries, and nothing else of
this machine. The cage ends with the process that made it.

Where root grades, the code inside has none of root's rights but still owns root's files. So
everything is bound read-only; there is no /proc, which holds the kernel's settings; and the mode of
the three devices is kept by the filter of system calls (seccomp.py), without which there is no cage.
"""

import functools
import itertools
import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np

SPACE = 16 << 20  # bytes of the folder in memory
NOBODY = "65534"
# Where the system's libraries are: on Debian, those of this processor have a folder of their own.
ARCHITECTURE = sysconfig.get_config_var("MULTIARCH") or ""
OWN = ARCHITECTURE and os.path.isdir(f"/usr/lib/{ARCHITECTURE}")
LIBRARIES = (
    "/lib",
    "/lib64",
    f"/usr/lib/{ARCHITECTURE}" if OWN else "/usr/lib",
    "/usr/lib64",
    "/etc/ld.so.cache",
    "/etc/alternatives",  # where Debian's libraries of linear algebra are chosen
)
PARTS = ("bin", "lib", "lib64", "pyvenv.cfg")  # of a folder that a Python is installed in
HERE, NUMPY = Path(__file__).parent, Path(np.__file__).parent
DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom")


def new_name(start):
    """A path that begins with `start` and that nothing on this machine has.

    A folder of the cage with the name of one outside would hide what is bound from there.
    """
    names = (f"{start}{number or ''}" for number in itertools.count())
    return next(name for name in names if not os.path.lexists(name))


HOME = new_name("/check")


def command(inside):
    """The command line that runs `inside`, a list of words, in a cage of its own."""
    return [*_bubblewrap(), *inside]


@functools.cache
def _bubblewrap():
    """The words before it: they are the same for every cage."""
    words = [shutil.which("bwrap"), "--unshare-all", "--die-with-parent", "--new-session"]
    words += ["--uid", NOBODY, "--gid", NOBODY, "--cap-drop", "ALL", "--hostname", "cage"]
    for path in readable():
        if os.path.islink(path):  # /lib is a link to usr/lib today
            words += ["--symlink", os.readlink(path), path]
        else:
            words += ["--ro-bind", path, path]
    for place in packages():  # no library that is installed here but NumPy, and no course
        words += ["--tmpfs", place]
    for path in numpy_folders():
        words += ["--ro-bind", path, path]
    for place in packages():
        words += ["--remount-ro", place]
    for device in DEVICES:
        words += ["--dev-bind", device, device]
    words += ["--size", str(SPACE), "--perms", "0700", "--tmpfs", HOME]
    words += ["--remount-ro", "/", "--clearenv"]
    for name, value in environment().items():
        words += ["--setenv", name, value]
    return [*words, "--chdir", HOME]


def environment():
    """The few variables that the code inside may see."""
    return {"HOME": HOME, "TMPDIR": HOME, "PATH": "/usr/bin", "LANG": "C.UTF-8"} | {
        name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
    }


def pythons():
    """The folders that this Python is installed in: an environment's, and that of its base."""
    prefixes = [Path(sys.prefix), Path(sys.base_prefix)]
    return list(dict.fromkeys([*prefixes, *(prefix.resolve() for prefix in prefixes)]))


def readable():
    """The folders and files that Python, its libraries and this file's folder are in.

    None is inside another, and a link to another is only named.
    """
    paths = [*map(Path, LIBRARIES), HERE, Path(os.__file__).parent]
    for prefix in pythons():
        parts = PARTS if prefix != Path("/usr") else ["bin"]  # its /usr/lib is the system's
        paths += [prefix / part for part in parts]
    paths = [path for path in dict.fromkeys(paths) if path.exists()]
    return [str(p) for p in paths if not any(other in p.parents for other in paths)]


def packages():
    """The folders among those that hold installed packages; they are empty in a cage."""
    bound = [Path(path) for path in readable() if not os.path.islink(path)]
    kinds = "site-packages", "dist-packages"
    return [
        str(folder)
        for place in bound
        for root in (place, place.parent)  # python3.11/site-packages, python3/dist-packages
        for kind in kinds
        for folder in (*root.glob(kind), *root.glob(f"python*/{kind}"))
        if place in folder.parents
    ]


def numpy_folders():
    """The folders of NumPy and of the libraries that come with it."""
    return [str(NUMPY), *map(str, NUMPY.parent.glob("numpy.libs"))]


# What has to work in a cage.
TRIAL = """
import sys
sys.path += sys.argv[1:]
import numpy, seccomp
if not seccomp.refuse_calls():
    sys.exit("there is no filter of system calls for this processor")
"""


@functools.cache
def problem():
    """Why there is no cage on this machine, in words; "" where there is one."""
    if sys.platform != "linux":
        return "bubblewrap needs Linux"
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed (on Debian and Ubuntu: sudo apt install bubblewrap)"
    python = [sys.executable, "-I", "-B", "-c", TRIAL]
    trial = command([*python, str(NUMPY.parent), str(HERE)])
    done = subprocess.run(
        trial, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    return "" if done.returncode == 0 else f"bubblewrap does not work here: {done.stderr.strip()}"
