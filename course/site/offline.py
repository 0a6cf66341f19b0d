"""What nbconvert's pages ask other hosts for, out of installed packages instead.

The templates `export` and `slides`, beside this file, name `Offline` as a preprocessor.
"""

import importlib.util
import re
from importlib.resources import files

from nbconvert.preprocessors import Preprocessor

DIST = "_static/revealjs/dist"
# name in the templates -> package, and the file in it
PARTS = {
    "mathjax": ("mathjax", "static/mathjax/es5/tex-svg-full.js"),
    "reveal_js": ("sphinx_revealjs", f"{DIST}/reveal.js"),
    "reveal_css": ("sphinx_revealjs", f"{DIST}/reveal.css"),
    "reveal_theme": ("sphinx_revealjs", f"{DIST}/theme/white.css"),
}
MATHJAX = """<script>
MathJax = { tex: { inlineMath: [["$", "$"], ["\\\\(", "\\\\)"]] }, options: { enableMenu: false } };
</script>
<script>%s</script>"""
FONTS = re.compile(r"@import url\([^)]*\);")  # the reader's own will do


def missing() -> list[str]:
    """The packages that are not installed."""
    packages = {package for package, _ in PARTS.values()}
    return sorted(name for name in packages if importlib.util.find_spec(name) is None)


class Offline(Preprocessor):
    """Gives a template the texts of `PARTS` as `resources.offline`, where they are installed."""

    def preprocess(self, notebook, resources):
        away = missing()
        if away:
            self.log.warning('%s missing: pip install -e ".[site]"', ", ".join(away))
        resources["offline"] = texts = {
            name: FONTS.sub("", (files(package) / file).read_text(encoding="utf-8"))
            for name, (package, file) in PARTS.items()
            if package not in away
        }
        if "mathjax" in texts:
            texts["mathjax"] = MATHJAX % texts["mathjax"]
        return notebook, resources
