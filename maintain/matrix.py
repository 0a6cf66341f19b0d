"""All tests and notebooks again and again, with one thing changed at a time.

`python -m maintain.matrix FOLDER [CELL …] [-k EXPRESSION]` makes an environment in FOLDER for
each Python and NumPy, runs pytest (notebooks under strict nbval included) in every cell, or in
those that are named, and writes docs/matrix.md and benchmarks/results/matrix.json. A cell that is finished for
this commit is not run again, so a run that was stopped goes on. With -k only the tests that fit
are run, and the page is written into FOLDER instead, as it is where cells were named.
"""

import argparse
import datetime
import json
import os
import shutil
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from benchmarks import store
from course.environment import ROOT, requirements

DOCS = ROOT / "docs"
NEWEST = "newest"
BASE = {"python": "3.12", "numpy": NEWEST, "threads": 1, "kernel": "the processor's own"}
# One factor differs from BASE in each.
CELLS = {
    "base": {},
    "python-3.11": {"python": "3.11"},
    "python-3.13": {"python": "3.13"},
    "numpy-oldest": {"numpy": requirements()["numpy"]},
    "threads-2": {"threads": 2},
    "nehalem": {"kernel": "Nehalem"},
    "haswell": {"kernel": "Haswell"},
    "zen": {"kernel": "Zen"},
    "skylakex": {"kernel": "SkylakeX"},
}
VERSIONS = """
import json, platform, numpy, threadpoolctl
blas = [x for x in threadpoolctl.threadpool_info() if x["user_api"] == "blas"]
print(json.dumps({"python": platform.python_version(), "numpy": numpy.__version__,
                  "kernel": blas[0].get("architecture"), "threads": blas[0]["num_threads"]}))
"""


def find_python(version):
    """An interpreter of that version: on the path, or one of pyenv's."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    names = [shutil.which(f"python{version}"), *sorted(pyenv.glob(f"{version}.*/bin/python"))]
    for name in filter(None, names):
        done = subprocess.run([name, "-c", "import venv"], capture_output=True, check=False)
        if done.returncode == 0:
            return str(name)
    raise SystemExit(f"Python {version} is not installed")


def environment_of(cell, folder):
    """The Python of the cell's environment, which is made where it is missing."""
    venv = folder / f"environment-{cell['python']}-{cell['numpy']}"
    python = venv / ("Scripts" if os.name == "nt" else "bin") / "python"
    finished = venv / "finished"
    if not finished.exists():
        print(f"making {venv.name} …", flush=True)
        subprocess.run([find_python(cell["python"]), "-m", "venv", "--clear", venv], check=True)
        pinned = [] if cell["numpy"] == NEWEST else [f"numpy=={cell['numpy']}"]
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, "--editable", f"{ROOT}[test]", *pinned], check=True)
        finished.touch()
    return python


def run_cell(name, folder, selection, commit):
    """Run a cell, unless it is finished; returns what came out of it."""
    result = folder / f"{name}.json"
    if result.exists():
        known = json.loads(result.read_text(encoding="utf-8"))
        if (known["commit"], known["selection"]) == (commit, selection):
            return known
    cell = {**BASE, **CELLS[name]}
    python = environment_of(cell, folder)
    variables = {
        **os.environ,
        "PYTHONPATH": str(ROOT),
        "OPENBLAS_NUM_THREADS": str(cell["threads"]),
    }
    variables.pop("OPENBLAS_CORETYPE", None)
    if cell["kernel"] != BASE["kernel"]:
        variables["OPENBLAS_CORETYPE"] = cell["kernel"]
    met = subprocess.run(
        [python, "-c", VERSIONS], env=variables, capture_output=True, encoding="utf-8", check=True
    )
    report = folder / f"{name}.xml"
    print(f"{name}: {json.loads(met.stdout)}", flush=True)
    started = time.monotonic()
    command = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}"]
    command += ["-k", selection] if selection else []
    with open(folder / f"{name}.log", "w", encoding="utf-8") as log:
        code = subprocess.run(command, cwd=ROOT, env=variables, stdout=log, check=False).returncode
    found = {
        "commit": commit,
        "date": datetime.date.today().isoformat(),
        "selection": selection,
        "wanted": cell,
        "met": json.loads(met.stdout),
        "exit_code": code,
        "seconds": round(time.monotonic() - started),
        **count(report),
    }
    result.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return found


def count(report):
    """How many tests passed, failed and were skipped, which failed, and each lesson's seconds."""
    outcomes = {"passed": 0, "failed": 0, "skipped": 0, "failures": [], "lessons": {}}
    for case in ElementTree.parse(report).iter("testcase"):
        place = case.get("classname")
        if place.endswith(".ipynb"):
            seconds = outcomes["lessons"].get(place, 0) + float(case.get("time"))
            outcomes["lessons"][place] = round(seconds, 1)
        kinds = {child.tag for child in case}
        kind = "failed" if kinds & {"failure", "error"} else "passed"
        outcomes["skipped" if "skipped" in kinds else kind] += 1
        if kind == "failed":
            outcomes["failures"].append(f"{place}::{case.get('name')}")
    return outcomes


def row(name, cell):
    met = cell["met"]
    kernel, wanted = met["kernel"], cell["wanted"]["kernel"]
    if wanted not in (BASE["kernel"], kernel):
        kernel = f"{kernel} (asked for {wanted})"
    outcome = "green" if cell["exit_code"] == 0 else f"{cell['failed']} failed"
    return (
        f"| {name} | {met['python']} | {met['numpy']} | {met['threads']} | {kernel} | {outcome} | "
        f"{cell['passed']} | {cell['skipped']} | {cell['seconds'] / 60:.1f} |"
    )


def page(found):
    """The table of results as Markdown."""
    first = next(iter(found.values()))
    lines = [
        "# The same everywhere",
        "",
        "All tests, the examples in the docstrings and all notebooks under strict nbval, with one "
        f"factor changed at a time. Written by `python -m maintain.matrix`, {first['date']}, at "
        f"commit {first['commit']}.",
        *(
            ["", f"Only the tests that fit `-k {first['selection']}`."]
            if first["selection"]
            else []
        ),
        "",
        "| cell | Python | NumPy | threads | OpenBLAS | result | passed | skipped | minutes |",
        "|---|---|---|---|---|---|---|---|---|",
        *(row(name, cell) for name, cell in found.items()),
    ]
    for name, cell in found.items():
        if cell["failures"]:
            lines += [
                "",
                f"Failed in {name}:",
                "",
                *(f"- {failure}" for failure in cell["failures"]),
            ]
    return "\n".join(lines) + "\n"


def promises(found):
    """How many cells are green, and each lesson's run time in the first, as rows for the page."""
    command = "python -m maintain.matrix FOLDER"
    green = sum(cell["exit_code"] == 0 for cell in found.values())
    yield store.row("cells of the matrix that are green", f"{green} of {len(found)}", command)
    for name, seconds in found["base"]["lessons"].items():
        name = name.removeprefix("notebooks.")
        yield store.row(f"run time of {name}", f"{seconds:.0f}", command, "seconds")


def main(arguments):
    parser = argparse.ArgumentParser(
        prog="python -m maintain.matrix", description=__doc__.split("\n")[0]
    )
    parser.add_argument("folder", type=Path, help="where environments and results are kept")
    parser.add_argument("cells", nargs="*", help=f"of {', '.join(CELLS)}; all where none is named")
    parser.add_argument("-k", dest="selection", help="run only the tests that fit this expression")
    options = parser.parse_intermixed_args(arguments)
    unknown = set(options.cells) - CELLS.keys()
    if unknown:
        parser.error(f"there are no cells {', '.join(sorted(unknown))}")
    options.folder.mkdir(parents=True, exist_ok=True)
    git = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, cwd=ROOT, capture_output=True, encoding="utf-8", check=True)
    found = {
        name: run_cell(name, options.folder.resolve(), options.selection, commit.stdout.strip())
        for name in options.cells or CELLS
    }
    complete = not options.selection and len(found) == len(CELLS)
    target = DOCS if complete else options.folder
    (target / "matrix.md").write_text(page(found), encoding="utf-8")
    if complete:
        store.write("matrix", found, promises(found))
    print(page(found))
    return max(cell["exit_code"] for cell in found.values())


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
