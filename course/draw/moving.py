"""Figures that move: plain JavaScript with its data inside, no library, no kernel.

Each is one file of `scripts/` with a function `figure(root, data)`. Where scripts do not run (a
notebook that is not trusted, a code host, a PDF), the still picture drawn before it stays; where
they run, the moving figure takes its place.
"""

import hashlib
import html
import json
from pathlib import Path

FOLDER = Path(__file__).parent / "scripts"
FIGURES = sorted(path.stem for path in FOLDER.glob("*.js") if path.stem != "common")
LARGEST = 60_000  # characters of one figure

PAGE = """<figure class="mgl" id="{id}">
<div class="mgl-root"></div>
<figcaption>{caption} <b>Try:</b> {attempt}</figcaption>
</figure>
<style>
{style}</style>
<script type="module">
{script}
const place = document.getElementById("{id}");
const output = place.closest(".jp-OutputArea-child, .output");
const still = output?.previousElementSibling;
if (still?.querySelector("img")) still.hidden = true;
const root = place.querySelector(".mgl-root");
root.replaceChildren();
figure(root, {data});
</script>
"""


def moving(name, data, *, caption, attempt):
    """Show a moving figure in a notebook, in the place of the still one shown just before.

    `data` is what the figure needs, as JSON can hold it; `attempt` is one sentence that says what
    to try.
    """
    from IPython.display import display

    content = {"text/html": page(name, data, caption, attempt), "text/plain": caption}
    display(content, raw=True)


def page(name, data, caption, attempt):
    """The figure as HTML: the same text for the same data, so that nbval can compare it.

    Raises ValueError for an unknown name and for a figure that is too large.
    """
    if name not in FIGURES:
        raise ValueError(f"there is no moving figure {name!r}; there are: {', '.join(FIGURES)}")
    script = read("common.js") + "\n" + read(f"{name}.js")
    # `</` could end the script, and a line separator is no part of a JavaScript string.
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":")).replace("</", "<\\/")
    number = hashlib.sha256((name + text).encode()).hexdigest()[:8]
    result = PAGE.format(
        id=f"mgl-{name}-{number}",
        caption=html.escape(" ".join(caption.split())),
        attempt=html.escape(" ".join(attempt.split())),
        style=read("style.css"),
        script=script,
        data=text,
    )
    if len(result) > LARGEST:
        raise ValueError(f"the figure {name} has {len(result)} characters, over {LARGEST}")
    return result


def read(name):
    """The text of a file of `scripts/`."""
    return (FOLDER / name).read_text(encoding="utf-8")
