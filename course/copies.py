"""Which copy of the course runs: the one that this Python has installed may lie elsewhere.

Only the standard library is used, and nothing of the course: this explains why nothing else works.
"""

import importlib.util
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent  # the copy that `import course` gives here


def copy_around(folder):
    """The copy of the course that a folder lies in, or None."""
    folder = Path(folder).resolve()
    for parent in (folder, *folder.parents):
        if (parent / "course" / "__init__.py").is_file() and (parent / "notebooks").is_dir():
            return parent
    return None


def library_folder():
    """The folder that `import minigrad` takes the package from, or None where there is none."""
    found = importlib.util.find_spec("minigrad")
    if found is None or found.origin is None:  # the second: a folder without the package's files
        return None
    return Path(found.origin).resolve().parent.parent


def confusion(folder=None):
    """What is wrong and what to do, where not all is of one copy; "" where it is.

    `folder` is where the notebook lies: a kernel's current folder, if none is named. Outside of
    every copy there is nothing to confuse.
    """
    here, library = copy_around(folder or Path.cwd()), library_folder()
    if here is not None and not same(here, ROOT):
        return (
            f"This notebook lies in {here}, but its kernel ({sys.executable}) uses the course in "
            f"{ROOT}, and would judge and write what is there. {remedy(here)}"
        )
    whole = (ROOT / "minigrad" / "__init__.py").exists()
    if whole and library is not None and not same(library, ROOT):
        return (
            f"The course is the one in {ROOT}, but `import minigrad` gives what is in {library}: "
            f"another copy, or another project of that name. {remedy(ROOT)}"
        )
    return ""


def remedy(folder):
    """How to have a kernel with the copy in `folder`."""
    return (
        f'Start JupyterLab from its own folder: cd "{folder}", then python3 -m course lab. In '
        f"VS Code and the like, choose the Python in {folder / '.venv'} as the kernel."
    )


def same(one, other):
    """Whether two paths are one folder."""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return False
