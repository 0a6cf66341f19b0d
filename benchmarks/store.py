"""Where a benchmark keeps what it measured: benchmarks/results/NAME.json.

Each file holds {"commit", "date"} of the measurement, "results" (the table), and "promises": the rows
that it adds to docs/promises.md. A row says what was measured, its value as a page writes it, its
unit, and the command that measures it.
"""

import datetime
import json
import subprocess
from pathlib import Path

FOLDER = Path(__file__).parent / "results"


def row(name, value, command, unit=""):
    """One row of the page of promises."""
    return {"name": name, "value": value, "command": command, "unit": unit}


def add_option(parser, name):
    """The option `--store [NAME]` of a benchmark whose results are usually called `name`."""
    parser.add_argument(
        "--store",
        nargs="?",
        const=name,
        metavar="NAME",
        help=f"keep the results in benchmarks/results/NAME.json (NAME: {name})",
    )


def measured_now():
    """The commit that is checked out, and today's date."""
    git = ["git", "rev-parse", "--short", "HEAD"]
    done = subprocess.run(git, cwd=FOLDER, capture_output=True, encoding="utf-8", check=False)
    return {"commit": done.stdout.strip() or "unknown", "date": datetime.date.today().isoformat()}


def write(name, results, promises=()):
    """Keep the results of a benchmark, and the rows that it promises."""
    content = measured_now() | {"results": results, "promises": list(promises)}
    text = json.dumps(content, indent=1) + "\n"
    (FOLDER / f"{name}.json").write_text(text, encoding="utf-8")


def read(name):
    """The results that are kept under this name; an empty table where there are none."""
    path = FOLDER / f"{name}.json"
    return json.loads(path.read_text(encoding="utf-8"))["results"] if path.exists() else {}
