"""Figures that move: plain JavaScript with its data inside, no library, no kernel.

Each is one file of `scripts/` with a function `figure(root, data)`. It stands below a still picture
of the same thing, which is all that one sees where scripts do not run: in a notebook that is not
trusted, on a code host, in a PDF.
"""

import hashlib
import html
import json
from pathlib import Path

FOLDER = Path(__file__).parent / "scripts"
FIGURES = sorted(path.stem for path in FOLDER.glob("*.js") if path.stem != "common")
LARGEST = 60_000  # characters of one figure

PAGE = """<figure class="mgl" id="{id}">
<div class="mgl-root">A figure that moves where scripts run; the picture above is one of its
positions.</div>
<figcaption>{caption} <b>Try:</b> {attempt}</figcaption>
</figure>
<style>
{style}</style>
<script type="module">
{script}
const root = document.getElementById("{id}").querySelector(".mgl-root");
root.replaceChildren();
figure(root, {data});
</script>
"""


def moving(name, data, *, caption, attempt):
    """Show a moving figure in a notebook, below a still picture of the same thing.

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
