"""Slides of a lesson, from its notebook's own figures and cards: `python -m maintain.slides 03`.

    python -m maintain.slides LESSON … [--out DIR]

Writes DIR/03_functional.slides.html (DIR: build/slides), which opens in a browser: a slide for each
section, figure, question ("Predict") and exercise, in the notebook's order and words, without code.
What is figure and what is text was stored when the notebook was run; nothing is run here. The page
is made by nbconvert with `course/site/slides/`; reveal.js and MathJax are in it, so that it asks no
other host for anything when it is shown.
"""

import argparse
import html
import json
import re
import sys
from pathlib import Path

from course.lessons import notebooks
from course.lessons.exporter import write
from course.lessons.notebooks import ROOT, NotebookError

MOVING = "image/svg+xml", "text/html"  # figures that are no plain picture
STARTS = re.compile(r"^(#{1,2} .+|### Exercise .+|\*\*Predict\*\*.*)", re.DOTALL)
FOLDED = re.compile(r"<details.*?</details>", re.DOTALL)
CARD = 700  # characters of prose that a slide holds


def slides(content: dict) -> list[dict]:
    """The cells of the slides of a notebook, as nbconvert wants them.

    A figure's description, which stands under it in the notebook, is its alternative text here.
    """
    cells, heading = [], "The map"  # the figure that stands before the first heading
    for cell in content["cells"]:
        if cell["cell_type"] == "markdown":
            text = FOLDED.sub("", cell["source"]).strip()
            if STARTS.match(text):
                cells.append(markdown(shortened(text)))
            heading = notebooks.last_heading(cell["source"]) or heading
        elif cell["cell_type"] == "code":
            for output in cell["outputs"]:
                data = output.get("data", {})
                if "image/png" in data:
                    cells.append(markdown(f"### {heading}\n\n{picture(output)}"))
                elif any(kind in data for kind in MOVING):
                    cells.append(markdown(f"### {heading}"))
                    cells.append(moving(output))
    return cells


def shortened(text: str) -> str:
    """The first paragraphs of a text, as many as a slide holds, and the first one in any case."""
    first, *others = re.split(r"\n\n+", text)
    kept, size = [first], 0
    for paragraph in others:
        size += len(paragraph)
        if size > CARD and len(kept) > 1:
            break
        kept.append(paragraph)
    return "\n\n".join(kept)


def markdown(text: str) -> dict:
    """A cell that begins a slide."""
    return {
        "cell_type": "markdown",
        "metadata": {"slideshow": {"slide_type": "slide"}},
        "source": text,
    }


def picture(output: dict) -> str:
    """A stored picture as HTML, with the words for who cannot see it."""
    words = output.get("metadata", {}).get("image/png", {}).get("alt", "")
    data = "".join(output["data"]["image/png"]).replace("\n", "")
    return f'<img alt="{html.escape(words)}" src="data:image/png;base64,{data}">'


def moving(output: dict) -> dict:
    """A cell with one output, on the slide that has just begun."""
    return {
        "cell_type": "code",
        "metadata": {"slideshow": {"slide_type": "-"}},
        "execution_count": None,
        "source": "",
        "outputs": [output],
    }


def page(path: Path) -> str:
    """The slides of a notebook as one HTML page. Raises NotebookError."""
    import nbformat
    from nbconvert import SlidesExporter

    from course.site import offline

    if away := offline.missing():
        raise NotebookError(f'{", ".join(away)} missing: python -m pip install -e ".[site]"')
    content = notebooks.load(path)
    cells = slides(content)
    for number, cell in enumerate(cells):
        cell["id"] = f"slide-{number}"
    content = content | {"cells": cells}
    exporter = SlidesExporter(
        template_name="slides",
        extra_template_basedirs=[str(ROOT / "course" / "site")],
        exclude_input=True,
        exclude_output_prompt=True,
    )
    title = {"metadata": {"name": path.stem}}
    notebook = nbformat.reads(json.dumps(content), nbformat.NO_CONVERT)  # joins outputs' lines
    text, _ = exporter.from_notebook_node(notebook, resources=title)
    return text


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser("python -m maintain.slides", description="Slides of lessons.")
    parser.add_argument("lessons", nargs="+", metavar="LESSON", help="03, or 03_functional")
    parser.add_argument("--out", type=Path, default=Path("build") / "slides", metavar="DIR")
    options = parser.parse_args(arguments)
    try:
        for lesson in options.lessons:
            found = [path for path in notebooks.paths() if lesson in (path.stem, path.stem[:2])]
            if not found:
                raise NotebookError(f"there is no lesson {lesson!r}")
            out = options.out / f"{found[0].stem}.slides.html"
            write(out, page(found[0]))
            print(out)
    except ImportError as error:
        words = "is missing: use the Python of the course's environment, .venv/bin/python"
        print(f"No slides: {error.name} {words}", file=sys.stderr)
        return 2
    except (NotebookError, OSError) as error:
        print(f"No slides: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
