"""`check("03.2")` in a notebook: try what was run last, and say what comes out."""

from course import copies
from course.checks.judge import judge
from course.lessons.exercises import live_texts
from course.lessons.notebooks import NotebookError


def check(number: str) -> None:
    """Try the code of this notebook's exercise on small examples, and say what comes out.

    It runs in a process of its own, so nothing that it does can harm the notebook.
    """
    confusion = copies.confusion()
    if confusion:
        print(f"{number} cannot be checked. {confusion}")
        return
    try:
        print(judge(number, live_texts(number)))
    except NotebookError as error:
        print(f"{number} cannot be checked: {error}")
