"""Sphinx and its settings. There is no conf.py: the sources are made anew for each site."""

import io
import re
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.errors import SphinxError
from sphinx.util.docutils import docutils_namespace

from course.site.pages import SECOND_READING
from course.site.repository import Repository

COLOURS = re.compile(r"\x1b\[[\d;]*m")
SETTINGS = {
    "project": "minigrad",
    "extensions": ["myst_nb", "sphinx.ext.mathjax"],
    "templates_path": ["_templates"],
    "exclude_patterns": ["_*"],
    "highlight_language": "text",  # a block of code that does not say what it is
    "suppress_warnings": [
        "myst.header",  # documents may begin below a heading's level
        "myst-nb.lexer",
    ],
    # The stored outputs, and nothing else.
    "nb_execution_mode": "off",
    "nb_merge_streams": True,
    "nb_render_markdown_format": "myst",  # captions may hold formulas
    "nb_ipywidgets_js": {},  # would be asked of another host
    "myst_enable_extensions": ["amsmath", "attrs_block", "dollarmath"],
    "myst_dmath_double_inline": True,
    "myst_heading_anchors": 4,
    # One file with its glyphs inside.
    "mathjax_path": "mathjax.js",
    "mathjax3_config": {"options": {"enableMenu": False}},
    "html_theme": "pydata_sphinx_theme",
    "html_static_path": ["_static"],
    "html_extra_path": ["_extra"],
    "html_css_files": ["site.css"],
    "html_js_files": ["site.js"],
    "html_favicon": "_static/favicon.svg",
    "html_title": "minigrad",
    "html_copy_source": False,  # a student's site must not hold what its pages do not show
    "html_show_sourcelink": False,
    "html_show_copyright": False,
    "html_use_index": False,
}
THEME = {
    "logo": {"text": "minigrad"},
    "navbar_align": "left",
    "navbar_end": ["to_playground", "theme-switcher"],
    "footer_start": [],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
    "show_toc_level": 2,
}


def fold(app: Sphinx, page: nodes.document, name: str) -> None:
    """Put a page's second reading into folds, of which the headings stay to be seen."""

    def markup(text):
        return nodes.raw("", text, format="html")

    for section in page.findall(nodes.section):
        if SECOND_READING in section["classes"]:
            # The heading stays a child of its section: so it keeps its level.
            section.insert(0, markup("<details><summary>"))
            section.insert(2, markup("</summary>"))
            section.append(markup("</details>"))


def run(source: Path, out: Path, doctrees: Path, repository: Repository | None) -> str:
    """Build the HTML; returns what went wrong, or "". A warning is an error."""
    theme = dict(THEME)
    if repository:
        theme["external_links"] = [{"name": "Source", "url": repository.address}]
    settings = SETTINGS | {"html_theme_options": theme}
    said = io.StringIO()
    try:
        with docutils_namespace():  # leaves nothing behind for a second site
            app = Sphinx(
                source, None, out, doctrees, "html", settings,
                status=None, warning=said, freshenv=True, warningiserror=True,
            )  # fmt: skip
            app.connect("doctree-resolved", fold)
            app.build(force_all=True)
    except SphinxError as error:
        return f"{COLOURS.sub('', said.getvalue())}{error}"
    # What no page shows: for whoever debugs the theme, and for the next build.
    for path in (out / ".buildinfo", *(out / "_static").rglob("*.map")):
        path.unlink(missing_ok=True)
    return COLOURS.sub("", said.getvalue()) if app.statuscode else ""
