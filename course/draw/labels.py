"""Where the labels of a figure stand: the one place that decides it.

Labels that share an edge of the axes are moved apart along it (`spread`); a label that belongs to a
point inside the axes takes the place beside it where it hides least (`near`).
"""

from itertools import pairwise

import numpy as np

from course.draw.style import GREY


def spread(wished, sizes, low=-np.inf, high=np.inf):
    """Return the positions, moved as little as it takes that no two labels overlap.

    `sizes` is the room of all labels, or of each one along the line; they stay from `low` to
    `high` where that is long enough.
    """
    wished = np.asarray(wished, dtype=float)
    halves = np.broadcast_to(np.asarray(sizes, dtype=float) / 2, wished.shape)
    order = np.argsort(wished, kind="stable")
    halves = halves[order]
    # How far each stands behind the first one where all of them touch.
    behind = np.concatenate([[0.0], np.cumsum(halves[:-1] + halves[1:])])[: len(order)]
    groups = []  # labels that touch move as one: [the sum of what they wish, how many]
    for wish in wished[order] - behind:
        groups.append([wish, 1])
        while len(groups) > 1 and _mean(groups[-2]) > _mean(groups[-1]):
            total, count = groups.pop()
            groups[-1] = [groups[-1][0] + total, groups[-1][1] + count]
    starts = np.array([_mean(group) for group in groups for _ in range(group[1])])
    if len(order):
        last = high - halves[-1] - behind[-1]
        starts = np.maximum(np.minimum(starts, last), low + halves[0])
    placed = np.empty(len(order))
    placed[order] = starts + behind
    return placed


def _mean(group):
    return group[0] / group[1]


def at_ends(fig, ax, ends, gap=14):
    """Write `(label, (x, y), colour)` to the right of the axes, each with a thin line to its point.

    Labels that would overlap are moved apart, to be at least `gap` points from each other.
    """
    fig.draw_without_rendering()  # lays the figure out, so that places are known
    (left, right), (low, high) = sorted(ax.get_xlim()), sorted(ax.get_ylim())
    points = [(np.clip(x, left, right), np.clip(y, low, high)) for _, (x, y), _ in ends]
    wished = [ax.transData.transform(point)[1] for point in points]
    placed = spread(wished, gap * fig.dpi / 72)
    for (label, _, colour), point, place in zip(ends, points, placed):
        height = ax.transAxes.inverted().transform((0, place))[1]
        ax.annotate(
            label,
            point,
            xytext=(1.03, height),
            textcoords="axes fraction",
            va="center",
            color=colour,
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-",
                "color": GREY,
                "linewidth": 0.6,
                "shrinkA": 1,
                "shrinkB": 4,
                "relpos": (0, 0.5),
            },
        )


def near(fig, ax, labels, busy=()):
    """Write `(label, (x, y), colour)` beside their points, each where it hides least.

    `busy` is what should stay visible: lines, as arrays (N, 2) of the data of `ax`. The figure
    must have been laid out.
    """
    pixel = fig.dpi / 72
    busy = [_drawn(ax.transData.transform(line), 4 * pixel) for line in busy]
    busy += [ax.transData.transform([point for _, point, _ in labels])] if labels else []
    busy = np.concatenate(busy) if busy else np.empty((0, 2))
    frame = ax.transAxes.transform([(0, 0), (1, 1)])
    for text, point, colour in labels:
        here = ax.transData.transform(point)
        half = np.array([3.1 * len(text), 6]) * pixel
        best = None
        for distance in (1.0, 1.15, 1.4, 1.8, 2.3):
            for across, up in ((-1, 1), (1, -1), (1, 1), (-1, -1), (0, 1), (0, -1)):
                away = np.array([across * (half[0] + 5 * pixel), up * 12 * pixel])
                centre = here + away * distance
                hidden = (np.abs(busy - centre) < half + 2 * pixel).all(axis=1).sum()
                outside = (centre - half < frame[0]) | (centre + half > frame[1])
                cost = 3 * hidden + 6 * distance + 300 * outside.any()
                if best is None or cost < best[0]:
                    best = cost, centre
        centre = best[1]
        box = np.linspace(centre - half, centre + half, 7)
        grid = np.stack(np.meshgrid(*box.T), axis=-1).reshape(-1, 2)
        busy = np.concatenate([busy, grid])  # what comes next keeps away from this label, too
        ax.annotate(
            text,
            point,
            xytext=(centre - here) / pixel,
            textcoords="offset points",
            ha="center",
            va="center",
            color=colour,
            fontsize=9.5,
            zorder=9,
            bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.3},
        )


def _drawn(line, most):
    """The points of a line and others between them, so that none is further than `most` away."""
    line = line[np.isfinite(line).all(axis=1)]
    pieces = [line]
    for here, there in pairwise(line):
        count = min(int(np.hypot(*(there - here)) / most), 200)
        if count:
            pieces.append(here + np.linspace(0, 1, count + 1)[1:, None] * (there - here))
    return np.concatenate(pieces)


def in_a_row(fig, ax, characters=100):
    """Explain the lines and markers of `ax` above it, where nothing is hidden, in one row or two."""
    handles, names = ax.get_legend_handles_labels()
    if not names:
        return
    longest = max(map(len, names)) + 8  # the sample of the line counts like eight letters
    fig.legend(
        handles,
        names,
        loc="outside upper left",
        ncols=min(len(names), max(1, characters // longest)),
        frameon=False,
        handlelength=3.2,
        columnspacing=1.6,
    )
