"""Finds or makes the environment that the course runs in.

Only the standard library is used: this runs before anything is installed.
"""

import contextlib
import hashlib
import importlib.metadata
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
import urllib.parse
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STAMP = VENV / "course.json"  # what `.venv` was made for; says UNFINISHED until it is complete
LOG = VENV / "install.log"
UNFINISHED = {"state": "unfinished"}

EXTRAS = ("course", "test")
DATA = "plays"  # what the lessons read and no package may bring
# Options of pytest where it runs everything: in as many processes as there are cores, four at most.
# All tests of a file go to one of them, since the cells of a notebook need one kernel; the files
# keep their order.
PARALLEL = (
    "--numprocesses=logical",
    "--maxprocesses=4",
    "--dist=loadfile",
    "--no-loadscope-reorder",
)
REQUIREMENT = re.compile(r"(?P<name>[\w.-]+)(\[(?P<extra>\w+)\])?(>=(?P<minimum>[\d.]+))?")


class CannotPrepare(Exception):
    """There is no environment and none can be made; the message says what to do."""


def lab(arguments):
    """Opens JupyterLab on the notebooks; returns its exit code."""
    return run(
        "jupyterlab",
        f"--ServerApp.root_dir={ROOT}",
        "--LabApp.default_url=/lab/tree/notebooks/00_start.ipynb",
        *arguments,
        data=DATA,
    )


def test(arguments):
    """Runs the tests and the notebooks, or what the arguments name; returns pytest's exit code.

    A student's edition has no tests: there it checks the exercises.
    """
    if not (ROOT / "tests").is_dir():
        return run("course", "check", *arguments)
    return run("pytest", *(arguments or PARALLEL), data=DATA)


def data(arguments):
    """Fetches data into the course's environment, or says what is there; returns an exit code."""
    return run("minigrad.apps.data", *arguments)


def run(module, *arguments, data=None):
    """Runs `python -m module` in the course's environment and returns its exit code.

    Data that it reads is fetched first, where it is missing.
    """
    try:
        python = interpreter()
        if data:
            fetch(data, python)
    except CannotPrepare as problem:
        say(str(problem))
        return 1
    except KeyboardInterrupt:
        say("\nStopped. Run the command again to make the environment.")
        return 130
    process = subprocess.Popen([python, "-m", module, *arguments], cwd=ROOT, env=variables(python))
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    while True:
        try:
            code = process.wait()
        except KeyboardInterrupt:
            continue  # Ctrl-C has reached the command as well: how to end is its decision
        return code if code >= 0 else 128 - code  # ended by a signal, as shells count it


def interpreter():
    """Returns the path of a Python that has the course, making `.venv` where there is none.

    Raises CannotPrepare with a line that says what is missing.
    """
    if not (ROOT / "pyproject.toml").exists():
        raise CannotPrepare(
            f"There is no pyproject.toml in {ROOT}: run the command in a clone of the repository."
        )
    if has_course():
        return sys.executable
    if read_stamp() != wanted_stamp() or not venv_python().exists():
        make_venv()
    return str(venv_python())


def variables(python):
    """The environment variables for a command: with `python` first where a command is looked up."""
    folder = str(Path(python).parent)
    return os.environ | {
        "PATH": folder + os.pathsep + os.environ.get("PATH", ""),
        "JUPYTER_PREFER_ENV_PATH": "1",  # this environment's kernel before the user's other ones
    }


def fetch(name, python):
    """Fetches data where it is missing; where that fails, says in a line what to do later."""
    command, last = [python, "-m", "minigrad.apps.data", name], ""
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONIOENCODING": "utf-8"},
        encoding="utf-8",
        errors="replace",
    ) as process:
        for line in process.stderr:
            if line.startswith("Fetching"):
                say(line, end="")
            else:
                last = line.strip()
    if process.returncode != 0:
        say(f"{last} The rest works without; later: python3 -m course data {name}")


# Is this interpreter's environment enough?


def has_course():
    """Whether the running Python has this clone installed and all that it requires."""
    return is_installed_here() and not missing_requirements()


def is_installed_here():
    """Whether what the running Python has installed is this clone (`pip install -e .`)."""
    return ROOT in installed_copies()


def installed_copies():
    """The clones that the running Python has installed with `pip install -e .`, mostly one."""
    found = []
    for distribution in importlib.metadata.distributions(name=project()["name"]):
        origin = json.loads(distribution.read_text("direct_url.json") or "{}")
        if origin.get("dir_info", {}).get("editable"):
            path = urllib.parse.urlparse(origin["url"]).path
            with contextlib.suppress(ValueError):  # letters that this system's paths cannot have
                found.append(Path(urllib.request.url2pathname(path)).resolve())
    return found


def missing_requirements():
    """The names of the requirements that the running Python lacks or has in an older version."""
    missing = []
    for name, minimum in requirements().items():
        try:
            version = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
        else:
            if release(version) < release(minimum):
                missing.append(name)
    return missing


def project():
    """What pyproject.toml says of the project."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def requirements(*extras):
    """All that pyproject.toml requires for the extras: a dictionary of names and lowest versions.

    Those that the lessons and the tests need, where none is named.
    """
    optional, lines = project()["optional-dependencies"], list(project()["dependencies"])
    for extra in extras or EXTRAS:
        lines += optional[extra]
    found = {}
    for line in lines:  # grows while it is walked: an extra may name another one
        match = REQUIREMENT.fullmatch(line)
        if match is None:
            raise CannotPrepare(f"pyproject.toml: {line!r} is not written as name>=version.")
        if match["extra"]:
            lines += optional[match["extra"]]
        else:
            found[match["name"]] = match["minimum"] or "0"
    return found


def release(version):
    """The numbers that a version starts with, to compare: `2.1.0rc1` gives (2, 1)."""
    numbers = [int(number) for number in re.match(r"[\d.]*\d", version)[0].split(".")]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


# The environment in `.venv`


def venv_python():
    """The path of the Python in `.venv`."""
    folder, name = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    return VENV / folder / name


def wanted_stamp():
    """What `.venv` depends on: where the clone lies, the Python, what pyproject.toml asks for."""
    return {
        "clone": str(ROOT),
        "python": "{}.{}".format(*sys.version_info),
        "pyproject": hashlib.sha256((ROOT / "pyproject.toml").read_bytes()).hexdigest(),
    }


def read_stamp():
    """What `.venv` was made for, or None where that is not known."""
    try:
        return json.loads(STAMP.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def write_stamp(stamp):
    STAMP.write_text(json.dumps(stamp, indent=2), encoding="utf-8")


def make_venv():
    """Makes `.venv`, or completes or replaces the one that is there, and installs into it."""
    if not can_be_kept():
        create_venv()
    install()
    write_stamp(wanted_stamp())


def can_be_kept():
    """Whether what lies in `.venv` can be installed into; False where it has to be made anew."""
    if Path(sys.prefix).resolve() == VENV:
        return True  # it is running this code: never delete it
    stamp, wanted = read_stamp(), wanted_stamp()
    if stamp is None:
        return has_pip()  # somebody made it by hand
    return all(stamp.get(key) == wanted[key] for key in ("clone", "python")) and has_pip()


def has_pip():
    """Whether the Python in `.venv` runs and has pip."""
    try:
        command = [venv_python(), "-m", "pip", "--version"]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def create_venv():
    """Makes an empty `.venv` in place of what is there."""
    for module in ("venv", "ensurepip"):
        if importlib.util.find_spec(module) is None:
            version = "{}.{}".format(*sys.version_info)
            raise CannotPrepare(
                f"This Python cannot make an environment: it lacks the module `{module}`.\n"
                f"On Debian and Ubuntu: sudo apt install python{version}-venv\n"
                "Then run the command again."
            )
    if VENV.exists():
        if not (VENV / "pyvenv.cfg").exists() and not STAMP.exists():
            raise CannotPrepare(
                f"{VENV} is in the way: it is no virtual environment. Move it, then run this again."
            )
        say("Making .venv anew: the one that is here is unfinished or was made for another Python.")
        try:
            shutil.rmtree(VENV)
        except OSError as problem:
            raise CannotPrepare(
                f"{VENV} cannot be removed ({problem.strerror}). Is a program using it? "
                "Close that, then run the command again."
            ) from problem
    else:
        say("Making .venv, the environment of the course (only this first time) ...")
    VENV.mkdir()
    write_stamp(UNFINISHED)
    result = subprocess.run(
        [sys.executable, "-m", "venv", VENV],
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if result.returncode != 0:
        raise CannotPrepare(f"Making .venv failed:\n{result.stdout}{result.stderr}")


def install():
    """Installs this clone and what it requires into `.venv`, and shows how far it is."""
    say(f"Installing into .venv: {', '.join(requirements())}")
    command = [venv_python(), "-m", "pip", "install", "--disable-pip-version-check", "--no-input"]
    command += ["--progress-bar", "off", "--editable", f".[{','.join(EXTRAS)}]"]
    lines = []
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=os.environ | {"PYTHONUTF8": "1"},
        encoding="utf-8",
        errors="replace",
    ) as pip:
        for line in pip.stdout:
            lines.append(line)
            show_progress(line)
    LOG.write_text("".join(lines), encoding="utf-8")
    if pip.returncode != 0:
        raise CannotPrepare(
            "\n"
            + "".join(line for line in lines if "ERROR:" in line)
            + f"The installation failed (all that pip said is in {LOG}).\n"
            "Is there an internet connection? Then run the command again."
        )
    say_where_relatively()
    say("\nDone: the next start is quick.\n")


def say_where_relatively():
    """Rewrites the file by which `.venv` finds this clone: with a path that every console can say.

    Before 3.13, Python reads that file in the system's encoding, which may lack a letter of the
    clone's path. The way from there to here has dots alone.
    """
    name = f"__editable__.{project()['name'].replace('-', '_')}-*.pth"
    for folder in ("Lib/site-packages", "lib/python*/site-packages"):
        for file in VENV.glob(f"{folder}/{name}"):
            if file.read_text(encoding="utf-8").strip() == str(ROOT):
                way = os.path.relpath(ROOT, file.parent)
                file.write_text(way + "\n", encoding="utf-8")


def show_progress(line):
    """Says on one running line what pip found and fetched, of all that it prints."""
    words = line.split()
    if words[:1] == ["Collecting"]:
        name = re.match(r"[\w.-]+", words[1])
        say(f"{name[0] if name else words[1]} ", end="")
    elif words[:1] == ["Downloading"] and words[-1] == "MB)":
        say(f"{words[-2]} MB) ", end="")
    elif words[:3] == ["Installing", "collected", "packages:"]:
        say(f"\nUnpacking {len(words) - 3} packages ...", end="")


def say(text, end="\n"):
    """Progress goes to the error stream: the output is the command's own."""
    print(text, end=end, file=sys.stderr, flush=True)
