"""Text as the model sees it: characters over their numbers, inputs over their targets."""

import numpy as np

from course.draw.style import GREY, INKS, sheet, show, styled, values, visible

ACROSS = 20  # characters in one row
FILL, EDGE = "#DCEBF5", "#7A96A8"
TARGET_FILL, TARGET_EDGE = "#FBE6D6", "#B08968"


@styled
def tokens(text, ids, *, caption="", title=""):
    """Draw the characters of `text` (a string, or a list of strings) over their `ids`."""
    pieces = list(text)
    ids = values(ids, "draw.tokens").ravel()
    if len(pieces) != len(ids):
        raise ValueError(f"draw.tokens: {len(pieces)} characters, but {len(ids)} ids")
    if not pieces or len(pieces) > 8 * ACROSS:
        raise ValueError(f"draw.tokens: draws 1 to {8 * ACROSS} characters, got {len(pieces)}")
    rows = -(-len(pieces) // ACROSS)
    top = 0.8 if title else 0.15
    fig, ax = sheet(min(len(pieces), ACROSS) + 0.4, top + 2.1 * rows, cell=0.5)
    if title:
        ax.text(0.2, 0.4, title, fontsize=1.1 * ax.cell_font, va="center")
    for number, (piece, token) in enumerate(zip(pieces, ids)):
        x, y = 0.2 + number % ACROSS, top + 2.1 * (number // ACROSS)
        _box(ax, x, y, piece)
        ax.text(
            x + 0.5,
            y + 1.35,
            str(token),
            ha="center",
            va="center",
            color=INKS[0],
            fontsize=0.9 * ax.cell_font,
        )
    show(fig, caption)


@styled
def windows(inputs, targets, *, caption="", title=""):
    """Draw inputs over their targets, which stand one place to the right.

    Both are a string or a list of characters or ids, or several rows of them (B, T). An arrow
    leads from each input to what it must predict.
    """
    inputs, targets = _rows(inputs), _rows(targets)
    if [len(row) for row in inputs] != [len(row) for row in targets]:
        raise ValueError(
            f"draw.windows: inputs of lengths {[len(row) for row in inputs]}, but "
            f"targets of lengths {[len(row) for row in targets]}"
        )
    longest = max((len(row) for row in inputs), default=0)
    if not 1 <= longest <= ACROSS or len(inputs) > 8:
        raise ValueError(
            f"draw.windows: draws 1 to 8 rows of 1 to {ACROSS} tokens, got "
            f"{len(inputs)} of {longest}"
        )
    top = 0.8 if title else 0.15
    step = 2.95
    fig, ax = sheet(longest + 1 + 2.2, top + step * len(inputs), cell=0.5)
    if title:
        ax.text(0.2, 0.4, title, fontsize=1.1 * ax.cell_font, va="center")
    for number, (row, shifted) in enumerate(zip(inputs, targets)):
        y = top + step * number
        for label, height in (("input", y + 0.5), ("target", y + 2.1)):
            ax.text(1.85, height, label, ha="right", va="center", color=GREY, fontsize=ax.cell_font)
        for place, (here, following) in enumerate(zip(row, shifted)):
            x = 2.0 + place
            _box(ax, x, y, here)
            _box(ax, x + 1, y + 1.6, following, TARGET_FILL, TARGET_EDGE)
            ax.annotate(
                "",
                (x + 1.35, y + 1.6),
                (x + 0.65, y + 1.0),
                arrowprops={
                    "arrowstyle": "-|>",
                    "color": GREY,
                    "linewidth": 1.1,
                    "shrinkA": 1,
                    "shrinkB": 1,
                },
            )
    show(fig, caption)


def _box(ax, x, y, piece, fill=FILL, edge=EDGE):
    from matplotlib.patches import Rectangle

    text = visible(str(piece))
    ax.add_patch(
        Rectangle((x + 0.04, y + 0.04), 0.92, 0.92, facecolor=fill, edgecolor=edge, linewidth=0.9)
    )
    size = min(1.25 * ax.cell_font, 105 * ax.cell_size / max(len(text), 1))
    ax.text(x + 0.5, y + 0.5, text, ha="center", va="center", fontsize=size)


def _rows(thing):
    """Return one row or several of characters or ids as a list of lists."""
    if isinstance(thing, str):
        return [list(thing)]
    if isinstance(thing, (list, tuple)) and thing and isinstance(thing[0], (str, list, tuple)):
        if all(isinstance(piece, str) and len(piece) == 1 for piece in thing):
            return [list(thing)]
        return [list(row) for row in thing]
    return np.atleast_2d(values(thing, "draw.windows")).tolist()
