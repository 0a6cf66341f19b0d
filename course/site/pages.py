"""The pages that Sphinx reads: notebooks and documents as they are stored, and a front page.

They lie as in the repository, so that their links to one another stay as they are.
"""

import base64
import hashlib
import html
import json
import posixpath
import re
from importlib.resources import files as resources
from pathlib import Path, PurePosixPath

from course.draw import gpt2
from course.lessons import notebooks
from course.lessons.notebooks import ROOT, NotebookError
from course.site.links import relink
from course.site.repository import Repository
from course.start import FRAME
from course.student.edition import as_bytes, edition_files

WIDGET = "application/vnd.jupyter.widget-view+json"  # lives in a kernel only
DOCUMENTS = "docs/README.md"
PLAYGROUND = "playground.html"
MAP = "map.png"
# A frame of 16 MB would be loaded with the page: here a link takes its place.
FRAME_LINK = '<p class="to-playground"><a href="../playground.html">Open the playground: the same model in a page.</a></p>'
SECOND_READING = "second-reading"  # the class of the sections that JupyterLab shows folded
HOME = '<p><a href="index.html">The course</a></p>\n'


def write(folder: Path, student: bool = False, repository: Repository | None = None) -> None:
    """Write all sources of a site into a new folder."""
    files = {
        name: content
        for name, content in (edition_files() if student else course_files()).items()
        if is_shown(name)
    }
    known = set(files)

    def elsewhere(path):
        return repository.file(path) if repository else None

    pictures = {MAP: map_picture()}
    lessons = [name.removesuffix(".ipynb") for name in files if name.endswith(".ipynb")]
    for name, content in files.items():
        if name.endswith(".ipynb"):
            content = json.loads(content)
            pictures |= link_maps(content, lessons)
            files[name] = lesson(content, name, known, elsewhere, repository)
        elif name.endswith(".md"):
            text = relink(content.decode("utf-8"), name, known, elsewhere)
            files[name] = text.encode("utf-8")
    texts = front(files, lessons, student)
    files |= {f"{name}.md": text.encode("utf-8") for name, text in texts.items()}
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    room = resources("course.site")
    for name in ("static", "templates"):
        (folder / f"_{name}").mkdir()
        for item in (room / name).iterdir():
            (folder / f"_{name}" / item.name).write_bytes(item.read_bytes())
    (folder / "_static" / "mathjax.js").write_bytes(
        (resources("mathjax") / "static" / "mathjax" / "es5" / "tex-svg-full.js").read_bytes()
    )
    for name, content in pictures.items():
        (folder / "_static" / name).write_bytes(content)
    (folder / "_extra").mkdir()
    (folder / "_extra" / PLAYGROUND).write_text(playground(), encoding="utf-8")


def course_files() -> dict[str, bytes]:
    """Path -> content of the files of the whole course that may be shown."""
    found = [*notebooks.all_paths(), ROOT / "CONTRIBUTING.md"]
    found += [path for path in sorted((ROOT / "docs").rglob("*")) if path.is_file()]
    found += sorted((ROOT / "benchmarks" / "results").glob("*.json"))
    return {path.relative_to(ROOT).as_posix(): path.read_bytes() for path in found}


def is_shown(name: str) -> bool:
    """Whether a file is a page, or lies where the pages' pictures and tables are."""
    folders = ("docs/", "benchmarks/results/")
    return name.startswith(folders) or name == "CONTRIBUTING.md" or name.endswith(".ipynb")


def lesson(content: dict, name: str, known, elsewhere, repository) -> bytes:
    """A notebook as a page: without widgets, which need a kernel, and with links to open it."""
    content["metadata"].pop("widgets", None)
    for cell in content["cells"]:
        cell["source"] = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            cell["source"] = in_summaries(relink(cell["source"], name, known, elsewhere))
            if cell["metadata"].get("jp-MarkdownHeadingCollapsed"):
                cell["source"] = f"{{.{SECOND_READING}}}\n{cell['source']}"
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if len(data) > 1:  # a picture or words stand in for it
                data.pop(WIDGET, None)
            if "".join(data.get("text/html", "")) == FRAME:
                data["text/html"] = FRAME_LINK
    if repository:
        links = [f"[{words}]({link})" for words, link in repository.links(name).items()]
        title, _, rest = content["cells"][0]["source"].partition("\n")
        content["cells"][0]["source"] = f"{title}\n\n{' · '.join(links)}\n{rest}"
    return as_bytes(content)


def in_summaries(text: str) -> str:
    """A text whose `<summary>` lines are HTML whole: there Sphinx reads no formulas and no code."""

    def as_html(match):
        line = re.sub(r"`([^`]+)`", r"<code>\1</code>", match[2])
        line = re.sub(
            r"(?<![\\$])\$([^$]+)\$",
            lambda found: f'<span class="math notranslate nohighlight">\\({found[1]}\\)</span>',
            line,
        )
        return match[1] + line + match[3]

    return re.sub(r"(<summary[^>]*>)(.*?)(</summary>)", as_html, text, flags=re.S)


def front(files: dict[str, bytes], lessons: list[str], student: bool) -> dict[str, str]:
    """The front page, the contents of the lessons and those of the documents, by their names."""
    room = resources("course.site")
    documents = [
        name.removesuffix(".md") for name in files if name.endswith(".md") and name != DOCUMENTS
    ]
    parts = {"lessons": listing(lessons)}
    if documents:
        parts["documents"] = listing(documents, hidden=True)  # the page has its own table
    words = "index_student.md" if student else "index.md"
    the_map = map_of(lessons)
    index = (room / words).read_text(encoding="utf-8").replace("MAP\n", the_map)
    texts = {"index": index + listing(list(parts), True)}
    texts["lessons"] = (room / "lessons.md").read_text(encoding="utf-8") + parts["lessons"]
    if "docs/pictures/imports.svg" in files:
        texts["lessons"] += "\n## How they build on one another\n\n"
        texts["lessons"] += "![Which module imports which](docs/pictures/imports.svg)\n"
    if documents:
        index = files.pop(DOCUMENTS, b"# The documents\n").decode("utf-8")
        texts["documents"] = relocated(index) + parts["documents"]
    return texts


def map_picture() -> bytes:
    """The map as the way in stores it."""
    for cell in notebooks.load(ROOT / "notebooks" / notebooks.START)["cells"]:
        if cell["source"].endswith("progress()"):
            return base64.b64decode(cell["outputs"][0]["data"]["image/png"])
    raise NotebookError(f"{notebooks.START} holds no map: run it again")


def link_maps(content: dict, lessons: list[str]) -> dict[str, bytes]:
    """Put links over each map in a notebook; returns the pictures, by names, for `_static`."""
    pictures = {}
    for cell in content["cells"]:
        for output in cell.get("outputs", []):
            alt = output.get("metadata", {}).get("image/png", {}).get("alt", "")
            if gpt2.WAY not in alt:
                continue
            picture = base64.b64decode("".join(output["data"].pop("image/png")))
            name = f"map-{hashlib.sha256(picture).hexdigest()[:8]}.png"
            pictures[name] = picture
            output["data"]["text/html"] = map_of(lessons, name, alt, top="../")
    return pictures


def map_of(lessons: list[str], picture: str = MAP, alt: str = gpt2.WAY, top: str = "") -> str:
    """A map of GPT-2 as HTML: each part is a link to the lesson that builds it.

    `top` leads from the page to the folder of the site.
    """
    pages = {PurePosixPath(name).name[:2]: f"{top}{name}.html" for name in lessons}
    links, named = [], set()
    for label, lesson, *box in gpt2.areas():
        if lesson not in pages:
            continue
        words = f"{label} (lesson {int(lesson)})"
        place = ";".join(
            f"{side}:{100 * part:.2f}%"
            for side, part in zip(("left", "top", "width", "height"), box)
        )
        # A part that stands in several places is one stop for the keyboard, and named once.
        again = ' tabindex="-1" aria-hidden="true"' if words in named else ""
        named.add(words)
        words = html.escape(words)
        links.append(
            f'<a href="{pages[lesson]}" style="{place}" title="{words}"{again}>'
            f"<span>{words}</span></a>"
        )
    return (
        '<figure class="course-map">\n'
        f'<img src="{top}_static/{picture}" width="{gpt2.WIDTH}" height="{gpt2.HEIGHT}" '
        f'alt="{html.escape(alt)}">\n' + "\n".join(links) + "\n</figure>\n"
    )


def relocated(text: str) -> str:
    """The index of docs/, as a page of the folder above."""

    def place(path):
        return posixpath.normpath(path)

    # Known to nobody: so each link goes through `place`, which names it from here.
    return relink(text, DOCUMENTS, set(), place)


def listing(pages: list[str], hidden: bool = False) -> str:
    """A table of contents of pages, as Sphinx reads it."""
    options = ":hidden:\n" if hidden else ":maxdepth: 2\n"
    return f"\n```{{toctree}}\n{options}\n" + "\n".join(pages) + "\n```\n"


def playground() -> str:
    """The playground's page, with a way back."""
    from minigrad.apps import publish

    page = publish.page()
    assert page.count("<main>\n") == 1
    return page.replace("<main>\n", "<main>\n" + HOME)
