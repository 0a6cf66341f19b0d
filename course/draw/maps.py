"""Pictures over two axes: loss surfaces, decision boundaries, tables, attention."""

import numpy as np

from course.draw.labels import in_a_row, near
from course.draw.style import (
    COLOURS,
    GREY,
    INK,
    LINES,
    MARKERS,
    PALE,
    WIDTH,
    canvas,
    check_dictionary,
    diverging,
    fixed,
    hidden_cell,
    ink_on,
    numbers,
    sequential,
    show,
    styled,
    values,
    visible,
)


@styled
def surface(
    f, paths, *, caption="", xlim, ylim, title="", minimum=None, levels=14, xlabel="w0", ylabel="w1"
):
    """Draw the contours of a loss over two weights, and the paths that optimisers take.

    `f(x, y)` is called with two arrays and returns the loss at each point. `paths` is a dictionary
    of labels and arrays of shape (steps + 1, 2). A path begins at a white circle and ends at its
    marker, open and larger, or at the edge with an arrow; `minimum=(x, y)` is drawn as a star.
    """
    if not callable(f):
        raise ValueError("draw.surface: f must be a function of two arrays, f(x, y)")
    check_dictionary(paths, "draw.surface", '{"SGD": path}')
    if len(paths) > len(COLOURS):
        raise ValueError(
            f"draw.surface: {len(paths)} paths cannot be told apart, draw at most {len(COLOURS)}"
        )
    x, y = np.meshgrid(np.linspace(*xlim, 161), np.linspace(*ylim, 121))
    z = numbers(f(x, y), "draw.surface")
    if z.shape != x.shape:
        raise ValueError(
            f"draw.surface: f returned the shape {z.shape} for arrays of shape "
            f"{x.shape}; it must compute each point by itself"
        )
    fig, ax = canvas(height=5.2)
    # Levels are closer together near the bottom, where the paths end.
    finite = z[np.isfinite(z)]
    heights = finite.min() + np.ptp(finite) * np.linspace(0, 1, levels + 1) ** 3
    heights = np.unique(heights) if np.ptp(finite) else [finite.min(), finite.min() + 1]
    ax.contourf(x, y, z, levels=heights, cmap="Greys", alpha=0.45)
    ax.contour(x, y, z, levels=heights, colors="#9A9A9A", linewidths=0.6)
    lines = {}
    for number, (label, path) in enumerate(paths.items()):
        path = numbers(path, "draw.surface")
        if path.ndim != 2 or path.shape[1] != 2 or not len(path):
            raise ValueError(
                f"draw.surface: the path {label!r} must have the shape (steps + 1, 2),"
                f" got {path.shape}"
            )
        ax.plot(
            path[:, 0],
            path[:, 1],
            linestyle=LINES[number],
            color=COLOURS[number],
            marker=MARKERS[number],
            markersize=4.5,
            linewidth=1.6,
            markevery=_every(path),
            label=_steps(label, path, xlim, ylim),
        )
        lines[label] = path
        ax.plot(*path[0], marker="o", markersize=9, color="white", markeredgecolor=INK, zorder=5)
        ax.plot(
            *path[-1],
            marker=MARKERS[number],
            markersize=11,
            markerfacecolor="none",
            markeredgecolor=COLOURS[number],
            markeredgewidth=2,
            zorder=7,
        )
        _leaving(ax, path, xlim, ylim, COLOURS[number])
    if minimum is not None:
        star = {"markersize": 16, "color": "#FFE066", "markeredgecolor": INK, "zorder": 6}
        ax.plot(*minimum, marker="*", **star)
    ax.set(xlim=xlim, ylim=ylim, xlabel=xlabel, ylabel=ylabel)
    ax.set_title(title)
    in_a_row(fig, ax)
    fig.draw_without_rendering()  # lays the figure out, so that places are known
    starts = {tuple(np.round(path[0], 6)) for path in lines.values()}
    near(fig, ax, [("start", start, INK) for start in sorted(starts)], list(lines.values()))
    show(fig, caption)


@styled
def boundary(grid_x, grid_y, prediction, X, y, *, caption="", title="", names=None):
    """Draw what a classifier says about each point of the plane, and the points it learnt from.

    `grid_x` (nx,), `grid_y` (ny,); `prediction` (ny, nx) holds class numbers (integers) or the
    probability of class 1 (floats), or (ny, nx, classes) holds all probabilities. `X` is (N, 2),
    `y` is (N,) with class numbers. Regions and points have a colour, points a marker as well.
    """
    gx, gy = numbers(grid_x, "draw.boundary"), numbers(grid_y, "draw.boundary")
    prediction, X, y = values(prediction), numbers(X, "draw.boundary"), values(y).astype(int)
    if gx.ndim != 1 or gy.ndim != 1 or prediction.shape[:2] != (gy.size, gx.size):
        raise ValueError(
            f"draw.boundary: grid_x {gx.shape} and grid_y {gy.shape} need a prediction"
            f" of shape {(gy.size, gx.size)}, got {prediction.shape}"
        )
    if X.ndim != 2 or X.shape[1] != 2 or y.shape != X.shape[:1]:
        raise ValueError(f"draw.boundary: X must be (N, 2) and y (N,), got {X.shape} and {y.shape}")
    if prediction.ndim == 3:
        winner, sure = prediction.argmax(-1), prediction.max(-1)
        count = prediction.shape[-1]
    elif prediction.dtype.kind == "f" and not np.isin(prediction, np.arange(8)).all():
        winner, sure, count = prediction > 0.5, np.maximum(prediction, 1 - prediction), 2
    else:
        winner, sure = prediction, None
        count = int(prediction.max()) + 1
    winner = winner.astype(int)
    count = max(count, int(y.max()) + 1)
    if count > 5:
        raise ValueError(f"draw.boundary: {count} classes cannot be told apart, draw at most 5")
    from matplotlib.colors import to_rgb

    order = [0, 5, 2, 3, 4]
    strength = 0.32 if sure is None else 0.08 + 0.37 * (sure - 1 / count) / (1 - 1 / count)
    strength = np.broadcast_to(strength, winner.shape)[..., None]
    tints = np.array([to_rgb(COLOURS[k]) for k in order])[winner]
    fig, ax = canvas(width=5.6, height=4.9)
    half_x, half_y = (gx[1] - gx[0]) / 2, (gy[1] - gy[0]) / 2
    ax.imshow(
        1 - strength * (1 - tints),
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(gx[0] - half_x, gx[-1] + half_x, gy[0] - half_y, gy[-1] + half_y),
    )
    for number in range(count):
        if (winner == number).any() and (winner != number).any():
            ax.contour(
                gx, gy, _lead(prediction, winner, number), levels=[0], colors=INK, linewidths=1.3
            )
    for number in range(count):
        mine = X[y == number]
        label = str(names[number]) if names is not None else f"class {number}"
        ax.plot(
            mine[:, 0],
            mine[:, 1],
            linestyle="",
            marker=MARKERS[number],
            markersize=6.5,
            color=COLOURS[order[number]],
            markeredgecolor="white",
            markeredgewidth=0.8,
            label=label,
        )
    in_a_row(fig, ax)
    ax.set(title=title, xlabel="X[:, 0]", ylabel="X[:, 1]")
    show(fig, caption)


@styled
def heatmap(
    matrix,
    *,
    caption="",
    rows=None,
    columns=None,
    title="",
    xlabel="",
    ylabel="",
    annotate=False,
    digits=2,
    label="",
    limits=None,
):
    """Draw a matrix as colours, with labels on both axes.

    Colours are diverging around a white zero where there are negative values, else sequential.
    `rows` and `columns` are strings or lists of labels (newline and space are made visible);
    `annotate` writes the values into the cells, or an array of texts of the same shape. `label`
    names the colour bar, `limits` are its two ends.
    """
    matrix = numbers(matrix, "draw.heatmap")
    if matrix.ndim != 2 or not matrix.size:
        raise ValueError(f"draw.heatmap: expected a matrix, got the shape {matrix.shape}")
    for axis, (name, labels) in enumerate((("rows", rows), ("columns", columns))):
        if labels is not None and len(labels) != matrix.shape[axis]:
            raise ValueError(f"draw.heatmap: {len(labels)} labels for {matrix.shape[axis]} {name}")
    finite = matrix[np.isfinite(matrix)]
    if not finite.size:
        raise ValueError("draw.heatmap: no finite value to draw")
    if finite.min() < 0:
        cmap, low, high = diverging(), -np.abs(finite).max(), np.abs(finite).max()
    else:
        cmap, low, high = sequential(), finite.min(), finite.max()
    low, high = limits or (low, high)
    cell = min(0.55, (WIDTH - 2) / matrix.shape[1], 7.5 / matrix.shape[0])
    cell_wide = cell if matrix.shape[1] > 4 else 0.9
    width = min(WIDTH, max(3.6, cell_wide * matrix.shape[1] + 2))
    height = max(1.8, cell * matrix.shape[0] + 1.1)
    fig, ax = canvas(width=width, height=height)
    image = ax.imshow(
        matrix, cmap=cmap, vmin=low, vmax=high, aspect="auto", interpolation="nearest"
    )
    font = float(np.clip(72 * cell * 0.72, 6, 10.5))
    _ticks(ax.xaxis, columns, matrix.shape[1], font, (width - 1.8) / matrix.shape[1])
    _ticks(ax.yaxis, rows, matrix.shape[0], font, cell)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.set_title(title)
    _frame(ax)
    if annotate is not False and annotate is not None:
        texts = None if annotate is True else values(annotate)
        if texts is not None and texts.shape != matrix.shape:
            raise ValueError(
                f"draw.heatmap: annotate has the shape {texts.shape}, the matrix {matrix.shape}"
            )
        for (r, c), value in np.ndenumerate(matrix):
            text = fixed(value, digits) if texts is None else visible(str(texts[r, c]))
            if text:
                inches = (width - 1.8) / matrix.shape[1]
                ax.text(
                    c,
                    r,
                    text,
                    ha="center",
                    va="center",
                    color=ink_on(image.to_rgba(value)[:3]),
                    fontsize=min(10, 108 * inches / len(text), 55 * cell),
                )
    bar = fig.colorbar(image, ax=ax, label=label, fraction=0.05, pad=0.02)
    bar.outline.set_visible(False)
    show(fig, caption)


@styled
def attention(
    weights, tokens, *, caption="", title="", titles=None, columns=4, annotate=None, label="weight"
):
    """Draw attention maps: each row is a token that looks, each column one that is looked at.

    `weights` is (T, T), (H, T, T) or a list of (T, T); `tokens` is a string or a list of T labels;
    `titles` are the names of the maps. Where all weights above the diagonal are zero these cells
    are hatched: the future is hidden. All maps share one scale. `annotate` writes the weights into
    the cells (without it: where there is room); `label` says what the colours are.
    """
    if isinstance(weights, (list, tuple)):
        weights = np.stack([numbers(one, "draw.attention") for one in weights])
    weights = numbers(weights, "draw.attention")
    weights = weights[None] if weights.ndim == 2 else weights
    size = len(tokens)
    if weights.ndim != 3 or weights.shape[1:] != (size, size) or not weights.size:
        raise ValueError(
            f"draw.attention: {size} tokens need weights of shape ({size}, {size}) or "
            f"(heads, {size}, {size}), got {weights.shape}"
        )
    if titles is not None and len(titles) != len(weights):
        raise ValueError(f"draw.attention: {len(titles)} titles for {len(weights)} maps")
    columns = min(columns, len(weights))
    rows = -(-len(weights) // columns)
    each = min(
        5.2 if len(weights) == 1 else 4.2, (WIDTH - 0.7) / columns, max(1.9, 0.5 * size + 0.6)
    )
    tall = each + 0.1 * (titles is not None) + 0.2 * (rows > 1)
    fig, axes = canvas(
        rows,
        columns,
        width=max(each * columns + 0.8, 3.4),
        height=tall * rows + 0.1 + 0.35 * bool(title),
    )
    fig.set_layout_engine("compressed")  # keeps square maps together
    axes = np.atleast_1d(axes).ravel()
    for ax in axes[len(weights) :]:
        ax.axis("off")
    inches = (each - 0.55) / size
    font = float(np.clip(72 * inches * 0.75, 5.5, 10.5))
    if annotate is None:
        annotate = inches > 0.33
    top = float(weights.max()) or 1.0
    labels = [str(token) for token in tokens]
    for number, (ax, matrix) in enumerate(zip(axes, weights)):
        image = ax.imshow(
            matrix, cmap=sequential(), vmin=0, vmax=top, aspect="equal", interpolation="nearest"
        )
        future = np.triu(np.ones((size, size), dtype=bool), k=1)
        if size > 1 and not matrix[future].any():
            for r, c in np.argwhere(future):
                hidden_cell(ax, c - 0.5, r - 0.5, 1, 1, dashed=False)
        if annotate:
            for (r, c), value in np.ndenumerate(matrix):
                if value or not future[r, c]:
                    ax.text(
                        c,
                        r,
                        f"{value:.2f}",
                        ha="center",
                        va="center",
                        fontsize=min(9.5, 72 * inches * 0.33),
                        color=ink_on(image.to_rgba(value)[:3]),
                    )
        _ticks(ax.xaxis, labels, size, font, inches, top=True)
        _ticks(ax.yaxis, labels, size, font, inches)
        _frame(ax)
        if titles is not None:
            ax.set_title(str(titles[number]), fontsize=10.5)
        if number % columns == 0:
            ax.set_ylabel("looks", color=GREY, fontsize=9.5)
        ax.set_xlabel("is looked at", color=GREY, fontsize=9.5)
    bar = fig.colorbar(image, ax=axes.tolist(), fraction=0.03, pad=0.02, shrink=0.8)
    bar.set_label(label, color=GREY)
    bar.outline.set_visible(False)
    if title:
        fig.suptitle(title, x=0.01, ha="left", fontsize=11.5)
    show(fig, caption)


def _lead(prediction, winner, number):
    """Return by how much a class leads the others: positive where it wins."""
    if prediction.ndim == 3:
        others = np.delete(prediction, number, axis=-1).max(-1)
        return prediction[..., number] - others
    if prediction.dtype.kind == "f" and (winner != prediction).any():
        return (prediction - 0.5) * (1 if number else -1)
    return (winner == number) - 0.5


def _leaving(ax, path, xlim, ylim, colour):
    """Draw an arrow where a path leaves the picture for good."""
    inside = _inside(path, xlim, ylim)
    if inside[-1] or not inside.any():
        return
    last = np.flatnonzero(inside)[-1]
    here, step = path[last], path[last + 1] - path[last]
    walls = np.where(step > 0, [max(xlim), max(ylim)], [min(xlim), min(ylim)])
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.nanmin(np.where(step == 0, np.inf, (walls - here) / step))
    ax.annotate(
        "",
        here + share * step,
        here + 0.6 * share * step,
        arrowprops={"arrowstyle": "-|>", "color": colour, "mutation_scale": 22, "shrinkB": 0},
        zorder=7,
    )


def _inside(path, xlim, ylim):
    low, high = [min(xlim), min(ylim)], [max(xlim), max(ylim)]
    return ((path >= low) & (path <= high)).all(axis=1)


def _steps(label, path, xlim, ylim):
    """The name of a path, how long it is, and whether it ends where one can see it."""
    where = "" if _inside(path, xlim, ylim)[-1] else ", out of the picture"
    count = len(path) - 1
    return f"{label} ({count} step{'s' * (count != 1)}{where})"


def _every(path):
    """Return how many steps apart markers stand, so that a long path stays a line."""
    return max(1, len(path) // 12)


def _ticks(axis, labels, count, font, room, top=False):
    """Write the labels of the cells, upright where one is longer than its `room` in inches."""
    if labels is None:
        if count <= 20:
            axis.set_ticks(range(count), [str(n) for n in range(count)], fontsize=font)
        return
    texts = [visible(str(label)) for label in labels]
    wide = max(map(len, texts)) * 0.6 * font / 72 > room
    rotation = 90 if axis.axis_name == "x" and wide else 0
    axis.set_ticks(range(count), texts, fontsize=font, rotation=rotation)
    if top:
        axis.set_ticks_position("top")
        axis.set_label_position("bottom")


def _frame(ax):
    ax.tick_params(length=0)
    for spine in ax.spines.values():
        spine.set(visible=True, color=PALE, linewidth=1)
