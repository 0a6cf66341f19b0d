"""A stream and what is added to it: the block of a transformer as a picture."""

from course.draw.style import COLOURS, GREY, INK, sheet, show, styled

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
