"""The course's own tooling: its environment, the exporter, the checks, the drawings.

A notebook uses `from course import check, draw, export`. Importing `course` needs the standard
library only, and any Python can parse this file: it is read before there is an environment.

Folders: `lessons` reads the notebooks, `sandbox` runs a student's code, `checks` judges it,
`student` is what a student meets, `grading` marks a class, `draw` makes the figures. A folder
imports only those that stand before it here; `draw` imports none of them, and any may use it.
"""

import importlib
import os
import sys

__all__ = ["NotYet", "check", "export", "predict", "progress", "provenance"]

# Where each name comes from; loaded when it is first used.
_HOMES = {
    "check": "course.student.checking",
    "export": "course.lessons.exporter",
    "predict": "course.student.predicting",
    "progress": "course.student.standing",
    "provenance": "course.student.origins",
    "NotYet": "minigrad.support.notyet",
}


def __getattr__(name):
    if name not in _HOMES:
        raise AttributeError("module 'course' has no attribute '{}'".format(name))
    value = globals()[name] = getattr(importlib.import_module(_HOMES[name]), name)
    return value


def _watch_for_blanks():
    """In a student's edition: a blank exercise leaves gaps in the notebook, not errors."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is not None:
        from course.student import blanks

        blanks.install(shell)


if os.path.exists(os.path.join(os.path.dirname(os.path.abspath(__file__)), "edition.json")):
    _watch_for_blanks()
