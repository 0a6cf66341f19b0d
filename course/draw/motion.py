"""Figures that move: plain JavaScript with its data inside, no library, no kernel.

Each is one file of `scripts/` with a function `figure(root, data)`. It stands below a still picture
of the same thing, which is all that one sees where scripts do not run: in a notebook that is not
trusted, on a code host, in a PDF.
"""

import base64
import hashlib
import html
import json
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "scripts"
SHARED = "common", "packed"
FIGURES = sorted(path.stem for path in FOLDER.glob("*.js") if path.stem not in SHARED)
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
    # `</` could end the script, and a line separator is no part of a JavaScript string.
    text = json.dumps(data, ensure_ascii=True, separators=(",", ":")).replace("</", "<\\/")
    parts = [read("common.js"), read(f"{name}.js")]
    if "unpack(" in parts[1]:
        parts.insert(1, read("packed.js"))
    number = hashlib.sha256((name + text).encode()).hexdigest()[:8]
    result = PAGE.format(
        id=f"mgl-{name}-{number}",
        caption=html.escape(" ".join(caption.split())),
        attempt=html.escape(" ".join(attempt.split())),
        style=read("style.css"),
        script="\n".join(parts),
        data=text,
    )
    if len(result) > LARGEST:
        raise ValueError(f"the figure {name} has {len(result)} characters, over {LARGEST}")
    return result


def read(name):
    """The text of a file of `scripts/`."""
    return (FOLDER / name).read_text(encoding="utf-8")


def packed(array, bits=8):
    """An array as text for `data`: each number rounded to one of 2**bits levels; `unpack` reads it.

    The levels reach over all numbers, or over fewer where the squared error is smaller so: few
    numbers far from the others are then cut. Raises ValueError for what is empty or not finite.
    """
    numbers = np.asarray(array, np.float64).ravel()
    if not numbers.size or not np.isfinite(numbers).all() or not 1 <= bits <= 8:
        raise ValueError("packed: takes finite numbers, at least one, and 1 to 8 bits for each")
    best = None
    for share in np.linspace(1, 0.3, 29):
        low, high = share * numbers.min(), share * numbers.max()
        # Kept with six digits, so the levels are computed from what JavaScript will read.
        low, step = float(f"{low:.6g}"), float(f"{(high - low) / (2**bits - 1) or 1:.6g}")
        levels = np.clip(np.rint((numbers - low) / step), 0, 2**bits - 1)
        error = np.square(low + step * levels - numbers).sum()
        if best is None or error < best[0]:
            best = error, low, step, levels.astype(np.uint8)
    _, low, step, levels = best
    stream = np.packbits(np.unpackbits(levels[:, None], axis=1)[:, 8 - bits :])
    text = base64.b85encode(stream.tobytes()).decode("ascii")
    return {"bits": bits, "low": low, "step": step, "size": len(numbers), "text": text}


def unpacked(data):
    """The numbers (size,) of what `packed` returned, as JavaScript will read them."""
    stream = np.unpackbits(np.frombuffer(base64.b85decode(data["text"]), np.uint8))
    digits = stream[: data["size"] * data["bits"]].reshape(-1, data["bits"])
    return data["low"] + data["step"] * (digits @ (1 << np.arange(data["bits"])[::-1]))


def small_gpt2():
    """A trained GPT-2 that is small enough for a page: what surprise.js takes as `gpt`.

    `python -m maintain.small_gpt2` writes it; its `loss` was measured on the plays' last tenth.
    """
    return json.loads(read("gpt2.json"))
