"""A cage around student code: bubblewrap, a maintained wall of Linux's namespaces.

Inside, there is no network, no other process, no user and nothing to write to but a small folder in
memory; to read there are Python, NumPy and the system's libraries, and nothing else of this machine.
The cage ends with the process that made it.
"""

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

SPACE = 16 << 20  # bytes of the folder in memory
HOME = "/tmp/home"
NOBODY = "65534"
SYSTEM = ("/usr", "/lib", "/lib64", "/lib32", "/bin", "/etc/ld.so.cache", "/etc/localtime")
HIDDEN = ("minigrad", "course")  # packages that hold the solutions, should they be installed


def command(inside):
    """The command line that runs `inside`, a list of words, in a cage of its own."""
    words = [shutil.which("bwrap"), "--unshare-all", "--die-with-parent", "--new-session"]
    words += ["--uid", NOBODY, "--gid", NOBODY, "--cap-drop", "ALL", "--hostname", "cage"]
    for path in SYSTEM:
        if os.path.islink(path):  # /bin is a link to usr/bin today
            words += ["--symlink", os.readlink(path), path]
        elif os.path.exists(path):
            words += ["--ro-bind", path, path]
    for path in readable():
        words += ["--ro-bind", path, path]
    for path in _hidden():
        words += ["--tmpfs", path, "--remount-ro", path]
    words += ["--proc", "/proc", "--dir", "/dev"]
    for device in ("null", "zero", "urandom"):
        words += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    words += ["--size", str(SPACE), "--perms", "0700", "--tmpfs", "/tmp", "--dir", HOME]
    words += ["--clearenv"]
    for name, value in environment().items():
        words += ["--setenv", name, value]
    return [*words, "--chdir", HOME, *inside]


def environment():
    """The few variables that the code inside may see."""
    return {"HOME": HOME, "TMPDIR": HOME, "PATH": "/usr/bin", "LANG": "C.UTF-8"} | {
        name: "1" for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS")
    }


def readable():
    """The folders that Python and NumPy live in, without those inside another one of them."""
    numpy = Path(np.__file__).parent
    folders = {Path(sys.prefix), Path(sys.base_prefix), numpy, Path(__file__).parent}
    folders |= {path for path in numpy.parent.glob("numpy.libs")}
    folders |= {folder.resolve() for folder in folders}
    return sorted(
        str(folder)
        for folder in folders
        if folder not in (Path("/"), Path("/usr"))
        and not any(other in folder.parents for other in {*folders, Path("/usr")})
    )


def _hidden():
    """Installed copies of this course in folders that can be read inside."""
    roots = [Path(root) for root in (*readable(), "/usr")]
    found = []
    for place in map(Path, sys.path):
        for name in HIDDEN:
            if (place / name).is_dir() and any(root in place.parents for root in roots):
                found.append(str(place / name))
    return found


@functools.cache
def problem():
    """Why there is no cage on this machine, in words; "" where there is one."""
    if sys.platform != "linux":
        return "bubblewrap needs Linux"
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed (on Debian and Ubuntu: sudo apt install bubblewrap)"
    trial = command([sys.executable, "-I", "-c", "import numpy"])
    done = subprocess.run(
        trial, capture_output=True, encoding="utf-8", errors="replace", check=False
    )
    return "" if done.returncode == 0 else f"bubblewrap does not work here: {done.stderr.strip()}"
