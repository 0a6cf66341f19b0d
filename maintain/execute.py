"""Executes notebooks and stores their outputs: `python -m maintain.execute 03 05`.

Each is run from top to bottom by jupyter nbconvert, without the times and states that would change
with every run, and with what a cell prints in one piece. A cell that fails ends it.
"""

import subprocess
import sys

from course.lessons.notebooks import ROOT

OPTIONS = (
    "--execute --inplace --to notebook --coalesce-streams "
    "--ExecutePreprocessor.record_timing=False --ExecutePreprocessor.store_widget_state=False"
).split()


def chosen(beginnings):
    """The notebooks whose names have these beginnings; ValueError where one fits none."""
    found = []
    for beginning in beginnings:
        paths = sorted((ROOT / "notebooks").glob(f"{beginning}*.ipynb"))
        if not paths:
            raise ValueError(f"no notebook's name begins with {beginning!r}")
        found += paths
    return found


def main(arguments):
    try:
        paths = chosen(arguments)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if not paths:
        print(__doc__)
        return 2
    command = [sys.executable, "-m", "jupyter", "nbconvert", *OPTIONS, *map(str, paths)]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
