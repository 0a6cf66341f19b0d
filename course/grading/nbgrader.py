"""A lesson as nbgrader's source: `python -m course.grading.nbgrader NOTEBOOK FILE`.

Writes a copy of a lesson in which each exercise's cell is an autograded answer, and the check below
it an autograder test of one point. `check("03.2")` prints and raises nothing, which nbgrader would
take for a pass, so a hidden test is added to it that does raise.
"""

import json
import re
import sys
from pathlib import Path

from course.lessons.exercise import MARK
from course.lessons.notebooks import load

CHECK = re.compile(r'^check\("(\d\d\.\d)"\)[ \t]*$', re.MULTILINE)  # perhaps after a prediction
HIDDEN = """
### BEGIN HIDDEN TESTS
from course.student.checking import result_of

assert result_of("{0}").wrong is None, "not right yet: see what the check says"
### END HIDDEN TESTS"""


def metadata(kind, number):
    """What nbgrader keeps in a cell: an "answer", or the "check" that gives its point."""
    graded = kind == "check"
    found = {
        "schema_version": 3,
        "grade_id": f"{kind}-{number.replace('.', '-')}",
        "solution": not graded,
        "grade": graded,
        "locked": graded,
        "task": False,
    }
    return found | ({"points": 1} if graded else {})


def source(notebook):
    """The notebook's JSON with nbgrader's metadata and hidden tests, in place."""
    for cell in notebook["cells"]:
        mark, test = MARK.search(cell["source"]), CHECK.search(cell["source"])
        if cell["cell_type"] == "code" and mark:
            cell["metadata"]["nbgrader"] = metadata("answer", mark[1])
        elif cell["cell_type"] == "code" and test:
            cell["metadata"]["nbgrader"] = metadata("check", test[1])
            cell["source"] = cell["source"].rstrip() + HIDDEN.format(test[1])
    return notebook


def main(arguments):
    if len(arguments) != 2:
        print(__doc__)
        return 2
    text = json.dumps(source(load(Path(arguments[0]))), ensure_ascii=False, indent=1)
    Path(arguments[1]).write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
