"""What flows through a transformer: a stream and what is added to it, and one head of attention."""

import numpy as np

from course.draw.style import (
    COLOURS,
    GREY,
    INK,
    INKS,
    diverging,
    hidden_cell,
    numbers,
    sequential,
    sheet,
    show,
    styled,
)

FILL, EDGE = "#DCEBF5", "#7A96A8"
LONG, ROOM = 1.9, 0.5  # the width of a box, and the room between two


@styled
def stream(branches, *, caption="", title="", label="x"):
    """Draw a residual stream as a line from left to right, with branches that are added to it.

    `branches` is a list of lists of names: each branch leaves the stream, passes its boxes in
    order, and returns to a plus sign. `label` is written where the stream begins.
    """
    if not branches or not all(isinstance(branch, (list, tuple)) and branch for branch in branches):
        raise ValueError('draw.stream: expected a list of branches such as [["ln", "attn"]]')
    lengths = [len(branch) * (LONG + ROOM) + 3 * ROOM for branch in branches]
    start = 0.4 + 0.22 * len(label)
    width = start + sum(lengths) + ROOM * len(branches) + 1.6
    top = 0.9 if title else 0.2
    fig, ax = sheet(width, top + 3.1, cell=0.52)
    if title:
        ax.text(0.2, 0.45, title, fontsize=1.1 * ax.cell_font, va="center")
    line, upper = top + 2.4, top + 0.7  # where the stream runs, and the boxes
    ax.text(0.2, line, label, va="center", fontsize=1.15 * ax.cell_font, color=INK)
    arrow = {"arrowstyle": "-|>", "color": GREY, "linewidth": 1.3, "shrinkA": 0, "shrinkB": 0}
    strong = {**arrow, "color": COLOURS[1], "linewidth": 3.2, "mutation_scale": 18}
    ax.annotate("", (width - 0.2, line), (start, line), arrowprops=strong, zorder=1)
    x = start + ROOM
    for branch, length in zip(branches, lengths):
        ax.plot([x, x, x + ROOM], [line, upper, upper], color=GREY, linewidth=1.3, zorder=2)
        ax.plot([x], [line], marker="o", markersize=6, color=COLOURS[1], zorder=3)
        left = x + ROOM
        for name in branch:
            _box(ax, left + ROOM, upper, name)
            ax.annotate("", (left + ROOM, upper), (left, upper), arrowprops=arrow, zorder=2)
            left += ROOM + LONG
        end = x + length
        ax.plot([left, end], [upper, upper], color=GREY, linewidth=1.3, zorder=2)
        ax.annotate("", (end, line - 0.3), (end, upper), arrowprops=arrow, zorder=2)
        ax.plot(
            [end],
            [line],
            marker="o",
            markersize=17,
            color="white",
            zorder=4,
            markeredgecolor=COLOURS[1],
            markeredgewidth=2,
        )
        ax.text(end, line, "+", ha="center", va="center", fontsize=1.3 * ax.cell_font, zorder=5)
        x = end + ROOM
    show(fig, caption)


PARTS = "x", "q", "k", "v", "scores", "masked", "weights", "y"


@styled
def head(parts, *, caption="", title=""):
    """Draw how one head of attention computes, from left to right, each array as coloured cells.

    `parts` is a dictionary of the arrays x (T, C), q, k and v (T, D), scores and masked (T, T),
    weights (T, T) and y (T, D). A cell of `masked` that is -inf is hatched.
    """
    if not isinstance(parts, dict) or tuple(parts) != PARTS:
        raise ValueError(f"draw.head: expected a dictionary of {', '.join(PARTS)}, in this order")
    arrays = {name: np.atleast_2d(numbers(array, "draw.head")) for name, array in parts.items()}
    (T, C), D = arrays["x"].shape, arrays["q"].shape[1]
    expected = [(T, C), (T, D), (T, D), (T, D), (T, T), (T, T), (T, T), (T, D)]
    for (name, array), shape in zip(arrays.items(), expected):
        if array.shape != shape or T + max(C, D) > 16:
            raise ValueError(
                f"draw.head: {name} is {array.shape}, expected {shape}, and at most 16 "
                f"positions and channels together"
            )
    gap, above, between = 4.2, 2.6 if title else 1.6, 2.6  # in cells
    starts = {"x": 0.4}
    for name, before in (("q", "x"), ("scores", "q"), ("masked", "scores"), ("weights", "masked")):
        starts[name] = starts[before] + arrays[before].shape[1] + gap
    starts |= {"k": starts["q"], "v": starts["q"], "y": starts["weights"] + T + gap}
    tops = dict.fromkeys(PARTS, above + (T + between) / 2)  # between the rows of q and of k
    tops |= {"q": above, "k": above + T + between, "v": above + 2 * (T + between)}
    tops |= {"x": tops["k"], "y": above + T + between}
    fig, ax = sheet(starts["y"] + D + 0.6, above + 3 * T + 2 * between + 1.2, cell=0.24)
    font = min(10.5, 45 * ax.cell_size)
    if title:
        ax.text(0.4, 0.7, title, fontsize=1.15 * font, va="center")
    for name, array in arrays.items():
        letters = {(T, C): "T, C", (T, D): "T, D", (T, T): "T, T"}
        shape = "T, C" if name == "x" else letters[array.shape]
        _cells(ax, starts[name], tops[name], array, name == "weights")
        ax.text(
            starts[name] + array.shape[1] / 2,
            tops[name] - 0.75,
            f"{name} ({shape})",
            ha="center",
            va="center",
            fontsize=font,
        )

    def arrow(start, end, text="", beside=(0, -0.8)):
        style = {"arrowstyle": "-|>", "color": GREY, "linewidth": 1.3, "shrinkA": 2, "shrinkB": 2}
        ax.annotate("", end, start, arrowprops=style)
        place = [(a + b) / 2 + move for a, b, move in zip(start, end, beside)]
        ax.text(*place, text, ha="center", va="center", fontsize=font, color=INKS[1])

    def right(name):
        return starts[name] + arrays[name].shape[1], tops[name] + T / 2

    def left(name):
        return starts[name], tops[name] + T / 2

    for name, move in (("q", (-0.9, -0.9)), ("k", (0, -0.8)), ("v", (-0.9, 0.9))):
        arrow(right("x"), left(name), f"W{name}", move)
    arrow(right("q"), (starts["scores"], tops["scores"] + T / 3))
    arrow(right("k"), (starts["scores"], tops["scores"] + 2 * T / 3))
    ax.text(
        right("q")[0] + gap / 2 + 0.4,
        tops["q"] + T / 2 - 0.2,
        "q kᵀ",
        ha="center",
        va="center",
        fontsize=font,
        color=INKS[1],
    )
    arrow(right("scores"), left("masked"), "÷ √D,\nmask", (0, -1.4))
    arrow(right("masked"), left("weights"), "softmax")
    arrow(right("weights"), (starts["y"], tops["y"] + T / 3), "@ v", (0.3, -0.9))
    arrow(right("v"), (starts["y"], tops["y"] + 2 * T / 3))
    show(fig, caption)


def _cells(ax, x, y, array, positive):
    """Draw an array as coloured cells, its upper left corner at (x, y)."""
    from matplotlib.patches import Rectangle

    most = np.abs(array[np.isfinite(array)]).max() or 1.0
    colours = sequential() if positive else diverging()
    for (r, c), value in np.ndenumerate(array):
        if np.isfinite(value):
            colour = colours(value / most if positive else 0.5 + 0.5 * value / most)
            box = {"facecolor": colour, "edgecolor": EDGE, "linewidth": 0.6}
            ax.add_patch(Rectangle((x + c, y + r), 1, 1, **box))
        else:
            hidden_cell(ax, x + c, y + r, 1, 1)


def _box(ax, x, y, name):
    """Draw a box of the usual width, with its left end at x and its middle at y."""
    from matplotlib.patches import FancyBboxPatch

    ax.add_patch(
        FancyBboxPatch(
            (x + 0.1, y - 0.4),
            LONG - 0.2,
            0.8,
            facecolor=FILL,
            zorder=3,
            edgecolor=EDGE,
            linewidth=1.2,
            boxstyle="round,pad=0.1",
        )
    )
    size = min(1.15 * ax.cell_font, 105 * LONG * ax.cell_size / max(len(name), 1))
    ax.text(x + LONG / 2, y, name, ha="center", va="center", fontsize=size, zorder=4)
