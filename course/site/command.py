"""The course as a web site: `python -m course site [--out DIR] [--student] [--repository URL]`.

Nothing is executed, and the site asks no other host for anything when it is read.
"""

import argparse
import importlib.util
import sys
import tempfile
import time
from pathlib import Path

from course.lessons.notebooks import NotebookError
from course.lessons.output import put
from course.site import pages, pdf
from course.site.repository import Repository

NEEDED = ("sphinx", "myst_nb", "pydata_sphinx_theme", "mathjax")
INSTALL = 'python -m pip install -e ".[site]"'
MARKER = "searchindex.js"  # a folder that holds it was written by Sphinx


def main(arguments: list[str]) -> int:
    """Build the site. Returns 0, or 2 where that is refused."""
    parser = argparse.ArgumentParser(
        "python -m course site", description="Write the course as a web site."
    )
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("build") / "site",
        metavar="DIR",
        help="default: build/site",
    )
    parser.add_argument(
        "--student", action="store_true", help="blanks for the exercises, and no answers"
    )
    parser.add_argument(
        "--repository",
        type=Repository.read,
        metavar="URL",
        help="where the course is published: adds links to open and edit each lesson",
    )
    parser.add_argument("--branch", default="main", help="the repository's branch (default: main)")
    parser.add_argument(
        "--pdf", type=Path, metavar="FILE", help="all lessons as a PDF too; needs Chromium"
    )
    options = parser.parse_args(arguments)
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    missing += pdf.missing() if options.pdf else []
    if missing:
        print(f"The site needs {', '.join(missing)}: {INSTALL}", file=sys.stderr)
        return 2
    if options.out.exists() and not options.out.is_dir():
        print(f"{options.out} is a file: name a folder", file=sys.stderr)
        return 2
    if options.out.exists() and any(options.out.iterdir()) and not (options.out / MARKER).exists():
        print(f"{options.out} is not empty and holds no site: name another folder", file=sys.stderr)
        return 2
    repository = options.repository and options.repository.on(options.branch)
    try:
        put(*build(options.out, options.student, repository, options.pdf))
        return 0
    except (NotebookError, OSError) as problem:
        print(problem, file=sys.stderr)
        return 2


def build(
    out: Path, student: bool = False, repository: Repository | None = None, pdf_file=None
) -> list[str]:
    """Write the site into `out`; returns lines that say so. Warnings of Sphinx are errors."""
    from course.site import sphinx_build  # Sphinx is loaded only where it is used

    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "source"
        pages.write(source, student, repository)
        problem = sphinx_build.run(source, out, Path(folder) / "doctrees", repository)
    if problem:
        raise OSError(problem)
    size = sum(path.stat().st_size for path in out.rglob("*") if path.is_file())
    seconds = time.perf_counter() - began
    lines = [f"The site is in {out}: {size / 1e6:.0f} MB, {seconds:.0f} s."]
    lines += [f"Open {out / 'index.html'}, or: python -m http.server --directory {out}"]
    if pdf_file:
        count = pdf.write(out, pdf_file)
        lines.append(f"{pdf_file}: {count} pages, {pdf_file.stat().st_size / 1e6:.0f} MB.")
    return lines
