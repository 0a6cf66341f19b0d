"""A module as a tree: what stands inside it, in the order in which a walk meets it."""

from course.draw.style import COLOURS, GREY, INK, INKS, check_dictionary, sheet, show, styled

MOST = 24
FILL, EDGE = "#DCEBF5", "#7A96A8"
LEAF_FILL, LEAF_EDGE = "#FBE6D6", "#B08968"


@styled
def walk(paths, *, caption="", title="", root="model", shared=None):
    """Draw the parts of a module as an indented tree, the parameters numbered as they are met.

    `paths` is a dictionary such as `{"blocks.0": "Linear", "blocks.0.weight": (2, 2)}`: a text is
    a module, a shape (a tuple) a parameter. A path between that is not in it (a list, say) is
    drawn as a plain name. `shared` is a dictionary `{second path: path where the same part was
    met before}`, drawn dashed, with an arrow to where it was met.
    """
    check_dictionary(paths, "draw.walk", '{"out": "Linear", "out.weight": (2, 2)}')
    shared = shared or {}
    rows = _with_parents(paths)
    for path, first in shared.items():
        parent = path.rpartition(".")[0]
        if first not in paths or path in paths or parent and parent not in rows:
            raise ValueError(
                "draw.walk: shared is {second path: first path}, where only the first "
                f"is in paths; got {path!r}: {first!r}"
            )
        rows.insert(rows.index(parent) + 1 if parent else 0, path)
    if len(rows) + 1 > MOST:
        raise ValueError(f"draw.walk: draws at most {MOST} parts, got {len(rows) + 1}")
    top = 0.9 if title else 0.2
    fig, ax = sheet(16, top + len(rows) + 1.2, cell=0.4)
    size = 1.15 * ax.cell_font
    if title:
        ax.text(0.2, 0.45, title, fontsize=1.1 * size, va="center")
    places = {"": (0.2, top + 0.5)}
    for number, path in enumerate(rows, 1):
        places[path] = (0.2 + 1.5 * (path.count(".") + 1), top + 0.5 + number)
    _name(ax, *places[""], root, FILL, EDGE, size, "")
    met = 0
    for path in rows:
        x, y = places[path]
        above = places[path.rpartition(".")[0]]
        ax.plot(
            [above[0] + 0.5, above[0] + 0.5, x],
            [above[1] + 0.36, y, y],
            color=GREY,
            linewidth=1.0,
            zorder=1,
        )
        what = paths.get(path)
        name = path.rpartition(".")[2]
        if path in shared:
            right = _name(
                ax, x, y, name, "white", LEAF_EDGE, size, paths[shared[path]], dashed=True
            )
            _arrow(ax, right, y, places[shared[path]][1], size)
        elif isinstance(what, tuple):
            met += 1
            _name(ax, x, y, name, LEAF_FILL, LEAF_EDGE, size, what)
            ax.text(
                9.6,
                y,
                str(met),
                ha="center",
                va="center",
                fontsize=size,
                color=INKS[1],
                weight="bold",
            )
        else:
            _name(ax, x, y, name, FILL if what else "white", EDGE, size, what or "")
    show(fig, caption)


def _with_parents(paths):
    """The paths in order, with those between that are not given, such as the name of a list."""
    rows = []
    for path in paths:
        parts = path.split(".")
        for length in range(1, len(parts) + 1):
            part = ".".join(parts[:length])
            if part not in rows:
                rows.append(part)
    return rows


def _name(ax, x, y, name, fill, edge, size, what, dashed=False):
    """Draw a box with a name, and after it what it is. Return where the text ends."""
    from matplotlib.patches import FancyBboxPatch

    width = 0.5 + 0.26 * max(len(name), 2)
    ax.add_patch(
        FancyBboxPatch(
            (x + 0.08, y - 0.3),
            width - 0.16,
            0.6,
            facecolor=fill,
            edgecolor=edge,
            linewidth=1.2,
            zorder=2,
            boxstyle="round,pad=0.08",
            linestyle=(0, (3, 2)) if dashed else "-",
        )
    )
    ax.text(x + width / 2, y, name, ha="center", va="center", fontsize=size, color=INK, zorder=3)
    ax.text(x + width + 0.3, y, str(what), va="center", fontsize=0.95 * size, color=GREY)
    return x + width + 0.5 + 0.24 * len(str(what))


def _arrow(ax, x, y, target, size):
    """Draw an arrow from (x, y) to the right, up to the row `target`, and back to its number."""
    ax.annotate(
        "",
        (10.0, target),
        xytext=(10.0, y),
        zorder=4,
        arrowprops={
            "arrowstyle": "-|>",
            "color": COLOURS[1],
            "linewidth": 1.5,
            "linestyle": (0, (3, 2)),
            "connectionstyle": "arc3,rad=0.45",
        },
    )
    ax.plot([x, 9.9], [y, y], color=COLOURS[1], linewidth=1.5, linestyle=(0, (3, 2)))
    ax.text(
        12.2,
        (y + target) / 2,
        "the same object:\nnot counted again",
        va="center",
        fontsize=0.95 * size,
        color=INKS[1],
    )
