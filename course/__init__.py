"""The course's own tooling: its environment, the exporter, the drawings.

A notebook uses `from course import draw, export`. Importing `course` needs the standard library
only, and any Python can parse this file: it is read before there is an environment.
"""

import sys

if sys.version_info >= (3, 11):  # an older one is told so by __main__.py
    # Bound here and now: a module that is imported later would take its function's name.
    from course.exercises import check
    from course.export import export
    from course.progress import progress

    __all__ = ["NotYet", "check", "export", "progress"]

    if "IPython" in sys.modules and sys.modules["IPython"].get_ipython() is not None:
        from course import blanks

        blanks.install(sys.modules["IPython"].get_ipython())


def __getattr__(name):
    if name == "NotYet":
        from minigrad.tools.notyet import NotYet

        return NotYet
    raise AttributeError("module 'course' has no attribute '{}'".format(name))
