"""Curves, tangents, bars, histograms and shares."""

import numpy as np

from course.draw.labels import at_ends, in_a_row, near, spread
from course.draw.style import (
    COLOURS,
    GREY,
    HATCHES,
    INK,
    INKS,
    LINES,
    MARKERS,
    PALE,
    WIDTH,
    canvas,
    check_dictionary,
    fixed,
    ink_on,
    numbers,
    show,
    styled,
    values,
    written,
)

MOST_LINES = len(COLOURS)
FEW = 12  # points of a curve, each of which gets a marker


@styled
def lines(
    curves,
    *,
    caption="",
    title="",
    xlabel="",
    ylabel="",
    log=False,
    points=None,
    marks=None,
    horizontal=None,
    vertical=None,
    xlim=None,
    ylim=None,
    width=WIDTH,
    height=4.0,
):
    """Draw curves, each labelled at its end and told apart by its line style too.

    `curves` is a dictionary of labels and `(x, y)`, or `y` alone over 0, 1, 2... `log` is False,
    True (y), "x", "y" or "both". `points` is a dictionary of labels and `(x, y)` drawn as dots;
    `marks` is a list of `(x, y, text)`; `horizontal` and `vertical` are dictionaries of labels and
    values, drawn as reference lines. A curve of few points shows them by markers; a smooth one has
    none, since a marker says that something was measured there.
    """
    from matplotlib.ticker import MaxNLocator

    if points is None or curves:
        check_dictionary(curves, "draw.lines", '{"training": (steps, losses)}')
    if len(curves) > MOST_LINES:
        raise ValueError(
            f"draw.lines: {len(curves)} curves cannot be told apart, draw at most {MOST_LINES}"
        )
    if log not in (False, True, "x", "y", "both"):
        raise ValueError(f'draw.lines: log is False, True, "x", "y" or "both", got {log!r}')
    fig, ax = canvas(width=width, height=height)
    if log in (True, "y", "both"):
        ax.set_yscale("log")
    if log in ("x", "both"):
        ax.set_xscale("log")
    ax.set_title(title)
    ax.set(xlabel=xlabel, ylabel=ylabel)
    ax.grid(True)
    for number, (label, pair) in enumerate((points or {}).items()):
        x, y = _pair(pair, label)
        ax.plot(
            x,
            y,
            linestyle="",
            marker=["o", "x", "s"][number % 3],
            markersize=4.5,
            alpha=0.65,
            markerfacecolor="none",
            color=[GREY, INKS[4], INKS[5]][number % 3],
            zorder=1.5,
            label=label,
        )
    ends, busy, whole = [], [], bool(curves) and log not in ("x", "both")
    for number, (label, pair) in enumerate(curves.items()):
        x, y = _pair(pair, label)
        whole = whole and bool((x == np.round(x)).all())
        ax.plot(
            x,
            y,
            linestyle=LINES[number],
            color=COLOURS[number],
            marker=MARKERS[number] if len(x) <= FEW else "",
            markersize=5.5,
        )
        busy.append(np.column_stack([x, y]))
        seen = np.isfinite(x) & np.isfinite(y)
        if xlim is not None and (seen & (x >= min(xlim)) & (x <= max(xlim))).any():
            seen &= (x >= min(xlim)) & (x <= max(xlim))
        if seen.any():
            last = np.flatnonzero(seen & (x == x[seen].max()))[-1]
            ends.append((label, (x[last], y[last]), INKS[number]))
    in_a_row(fig, ax)  # of the points: curves have their names at their ends
    if whole and not points:  # steps and layers have no halves
        ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    if xlim is not None:
        ax.set_xlim(xlim)
    elif curves and not points:
        ax.margins(x=0.01)
    if ylim is not None:
        ax.set_ylim(ylim)
    for value in (horizontal or {}).values():
        ax.axhline(value, color=GREY, linewidth=1.1, linestyle=(0, (1, 2)), zorder=1)
    for label, value in (vertical or {}).items():
        ax.axvline(value, color=GREY, linewidth=1.1, linestyle=(0, (1, 2)), zorder=1)
        ax.annotate(
            label,
            (value, 1),
            xycoords=("data", "axes fraction"),
            xytext=(4, -3),
            textcoords="offset points",
            va="top",
            color=GREY,
            fontsize=9.5,
        )
    for x, y, _ in marks or ():
        ax.plot([x], [y], "o", color=INK, markersize=6, zorder=5)
    for axis, limits in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
        if axis.get_scale() == "log":
            _plain_ticks(axis, *limits)
    low, high = sorted(ax.get_ylim())
    ends += [
        (label, (ax.get_xlim()[1], float(value)), GREY)
        for label, value in (horizontal or {}).items()
        if low <= value <= high
    ]
    at_ends(fig, ax, ends)
    near(fig, ax, [(text, (x, y), INK) for x, y, text in marks or ()], busy)
    show(fig, caption)


@styled
def tangents(curves, *, caption="", title="", columns=3, ylim=None, xlabel="x"):
    """Draw functions side by side, with the tangents at some of their points.

    `curves` is a list of `(name, x, y, points)`, where `points` is a list of `(x0, y0, slope)`.
    `xlabel` is the name of all axes, or a list with one for each curve.
    """
    curves = list(curves)
    if not curves or any(len(curve) != 4 for curve in curves):
        raise ValueError("draw.tangents: expected a list of (name, x, y, [(x0, y0, slope), ...])")
    columns = min(columns, len(curves))
    rows = -(-len(curves) // columns)
    wide = WIDTH if columns > 1 else 5.5
    fig, axes = canvas(rows, columns, width=wide, height=2.8 * rows + 0.4 * bool(title))
    axes = np.atleast_1d(axes).ravel()
    for ax in axes[len(curves) :]:
        ax.axis("off")
    if title:
        fig.suptitle(title, x=0.01, ha="left", fontsize=11.5)
    xlabels = [xlabel] * len(curves) if isinstance(xlabel, str) else xlabel
    if len(xlabels) != len(curves):
        raise ValueError(f"draw.tangents: {len(xlabels)} xlabels for {len(curves)} curves")
    for ax, (name, x, y, _), word in zip(axes, curves, xlabels):
        x, y = numbers(x, "draw.tangents"), numbers(y, "draw.tangents")
        _same_length(x, y, "draw.tangents", name)
        ax.set_title(name)
        ax.set_xlabel(word)
        ax.grid(True)
        ax.axhline(0, color=GREY, linewidth=0.8)
        ax.axvline(0, color=GREY, linewidth=0.8)
        ax.plot(x, y, color=COLOURS[0])
        ax.set_xlim(x.min(), x.max())
        ax.set_ylim(ylim or _limits(y))
    fig.draw_without_rendering()  # lays the figure out, so that places are known
    for ax, (name, x, y, points) in zip(axes, curves):
        try:
            points = np.array([[_item(number) for number in point] for point in points], float)
        except ValueError:
            points = np.empty(0)
        if points.ndim != 2 or points.shape[1] != 3:
            raise ValueError(
                f"draw.tangents: the points of {name!r} must be a list of (x0, y0, slope)"
            )
        _draw_tangents(fig, ax, numbers(x), numbers(y), points, narrow=columns > 3)
    show(fig, caption)


@styled
def bars(bars, *, caption="", title="", xlabel="", unit="", digits=2, log=False, marks=None):
    """Draw horizontal bars with their numbers at the ends, in the order given.

    `bars` is a dictionary of labels and numbers, or of labels and dictionaries `{group: number}`
    for bars in groups. `unit` is written after each number. `marks` is a dictionary of labels and
    values, drawn as vertical reference lines.
    """
    check_dictionary(bars, "draw.bars", '{"bigram": 2.48}')
    grouped = [isinstance(value, dict) for value in bars.values()]
    if any(grouped) and not all(grouped):
        raise ValueError("draw.bars: give numbers, or dictionaries {group: number}, not both")
    table = {label: value if any(grouped) else {"": value} for label, value in bars.items()}
    table = {
        label: {group: float(_item(number)) for group, number in row.items()}
        for label, row in table.items()
    }
    if all(number.is_integer() for row in table.values() for number in row.values()):
        digits = 0
    groups = list(dict.fromkeys(group for row in table.values() for group in row))
    if len(groups) > MOST_LINES:
        raise ValueError(
            f"draw.bars: {len(groups)} groups cannot be told apart, draw at most {MOST_LINES}"
        )
    thick = 0.8 / len(groups)
    inches = len(table) * max(0.34, 0.27 * len(groups)) + 0.75
    fig, ax = canvas(height=inches + 0.3 * bool(title) + 0.35 * bool(marks or groups[1:]))
    if log:
        ax.set_xscale("log")
    furthest = 0.0
    for number, group in enumerate(groups):
        rows = [row for row, label in enumerate(table) if group in table[label]]
        lengths = [list(table.values())[row][group] for row in rows]
        places = [row + (number - (len(groups) - 1) / 2) * thick for row in rows]
        ax.barh(
            places,
            lengths,
            height=0.86 * thick,
            color=COLOURS[number],
            label=group,
            hatch=HATCHES[number],
            edgecolor="white",
            linewidth=0,
        )
        furthest = max([furthest, *np.abs(lengths)])
        # A number may stand on the line of a mark: then it covers the line.
        ground = {"facecolor": "white", "edgecolor": "none", "pad": 1} if marks else None
        for place, length in zip(places, lengths):
            text = f"{written(length, digits)}{unit}"
            ax.annotate(
                text,
                (length, place),
                xytext=(-4 if length < 0 else 4, 0),
                va="center",
                ha="right" if length < 0 else "left",
                textcoords="offset points",
                bbox=ground,
            )
    ax.set_yticks(range(len(table)), [str(label) for label in table])
    ax.set_ylim(len(table) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0, labelsize=10.5)
    for label, value in (marks or {}).items():
        ax.axvline(value, color=INK, linewidth=1.2, linestyle=(0, (2, 2)))
        ax.annotate(
            label,
            (value, 1),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=9.5,
        )
    if not log:
        low, high = ax.get_xlim()
        room = 0.012 * max(len(written(furthest, digits) + unit), 3) * (high - low)
        ax.set_xlim(low - room if low < 0 else 0, high + room)
    ax.set_xlabel(xlabel)
    ax.set_title(title, pad=18 if marks else 6)
    ax.grid(True, axis="x")
    if len(groups) > 1:
        fig.legend(
            loc="outside upper right",
            ncols=len(groups),
            frameon=False,
            handleheight=1.1,
            handlelength=2.6,
        )
    show(fig, caption)


@styled
def histograms(columns, *, caption="", title="", row="layer", xlabel="", xlim=None, bins=60):
    """Draw the distributions in the layers of a network as ridges, one column for each case.

    `columns` is a dictionary of titles and lists of arrays, one for each layer (or one array: a
    plain histogram). Each ridge is scaled to its own height; its standard deviation is printed
    beside it, and how much lies outside of `xlim` where that is more than 1 %. Where it is more
    than 99 %, no ridge is drawn: a few numbers have no shape. All columns share `xlim` and
    `xlabel`; without `xlim`, it is three times the standard deviation of the first layer.
    """
    from matplotlib.ticker import MaxNLocator

    check_dictionary(columns, "draw.histograms", '{"std 1": activations}')
    cases = {}
    for name, layers in columns.items():
        single = not isinstance(layers, (list, tuple)) or np.ndim(layers[0]) == 0
        arrays = [
            numbers(layer, "draw.histograms").ravel() for layer in ([layers] if single else layers)
        ]
        if not arrays or len(arrays) > 30 or any(array.size == 0 for array in arrays):
            raise ValueError(
                f"draw.histograms: {name!r} needs 1 to 30 arrays that are not empty, "
                f"got {len(arrays)}"
            )
        cases[name] = arrays
    if xlim is None:
        first = next(iter(cases.values()))[0]
        finite = first[np.isfinite(first)]
        width = 3 * float(finite.std()) or 1.0
        xlim = (float(finite.mean()) - width, float(finite.mean()) + width)
    low, high = xlim
    most = max(len(arrays) for arrays in cases.values())
    inches = (2.6 if most == 1 else 0.27 * most + 1.1) + 0.2 * bool(xlabel)
    outside = {
        name: [np.mean(~((array >= low) & (array <= high))) for array in arrays]
        for name, arrays in cases.items()
    }
    fig, axes = canvas(1, len(cases), height=inches + 0.35 * bool(title))
    for column, (ax, (name, arrays)) in enumerate(zip(np.atleast_1d(axes).ravel(), cases.items())):
        colour = COLOURS[column % MOST_LINES]
        for number, array in enumerate(arrays):
            counts, edges = np.histogram(array[np.isfinite(array)], bins=bins, range=(low, high))
            counts = counts * (outside[name][number] <= 0.99)
            heights = np.repeat(counts / max(counts.max(), 1), 2) * (1.25 if most > 1 else 0.95)
            steps = np.repeat(edges, 2)[1:-1]
            base = -float(number)
            ax.fill_between(
                steps, base, base + heights, color=colour, alpha=0.45, linewidth=0, zorder=number
            )
            ax.plot(steps, base + heights, color=colour, linewidth=1.1, zorder=number)
            ax.axhline(base, color=PALE, linewidth=0.7, zorder=number - 0.5)
            text = f"std {_deviation(array)}"
            if outside[name][number] > 0.01:
                text += f", {100 * outside[name][number]:.0f} % out"
            ax.annotate(
                text,
                (1, base),
                xycoords=("axes fraction", "data"),
                xytext=(0, 2),
                textcoords="offset points",
                ha="right",
                va="bottom",
                fontsize=9,
                zorder=100,
                bbox={"facecolor": "white", "edgecolor": "none", "alpha": 0.7, "pad": 0.3},
            )
        ax.set_title(name)
        # Room on the right for the printed numbers.
        letters = 10 if max(outside[name]) <= 0.01 else 18
        room = letters * len(cases) / (100 - letters * len(cases))
        ax.set_xlim(low, high + room * (high - low))
        ax.set_xticks(
            [
                tick
                for tick in MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(low, high)
                if low - 1e-9 <= tick <= high + 1e-9
            ]
        )
        ax.set_ylim(-len(arrays) + 0.85, 1.4 if most > 1 else 1.05)
        ax.set_xlabel(xlabel)
        shown = range(len(arrays)) if most > 1 else ()
        labels = [str(number + 1) if column + number else f"{row} 1" for number in shown]
        ax.set_yticks([-number for number in shown], labels, fontsize=9)
        ax.spines["left"].set_visible(False)
        ax.tick_params(axis="y", length=0)
    if title:
        fig.suptitle(title, x=0.01, ha="left", fontsize=11.5)
    show(fig, caption)


@styled
def profile(parts, *, caption="", title="", unit="s"):
    """Draw where the time goes: a stacked bar whose parts carry their names and shares.

    `parts` is a dictionary of names and times, or of bars and such dictionaries, for several bars
    on one scale. The total is printed at the end of each bar.
    """
    check_dictionary(parts, "draw.profile", '{"matmul": 0.8, "softmax": 0.2}')
    nested = [isinstance(value, dict) for value in parts.values()]
    if any(nested) and not all(nested):
        raise ValueError("draw.profile: give times, or dictionaries {part: time}, not both")
    table = parts if any(nested) else {"": parts}
    table = {
        bar: {part: float(_item(time)) for part, time in row.items()} for bar, row in table.items()
    }
    names = list(dict.fromkeys(part for row in table.values() for part in row))
    totals = [sum(row.values()) for row in table.values()]
    if min(totals) <= 0 or any(time < 0 for row in table.values() for time in row.values()):
        raise ValueError("draw.profile: times must not be negative, nor all be zero")
    if len(names) > MOST_LINES + 1:
        raise ValueError(
            f"draw.profile: {len(names)} parts cannot be told apart; sum up the small "
            f"ones, draw at most {MOST_LINES + 1}"
        )
    longest = max(totals)
    fills = [*(COLOURS[k] for k in (6, 5, 2, 4, 0, 1)), "#BBBBBB", "#EEEEEE"]
    fig, ax = canvas(height=1.3 * len(table) + 0.05 + 0.3 * bool(title))
    for bar, row in enumerate(table.values()):
        start, small = 0.0, []
        for part, time in row.items():
            number = names.index(part)
            ax.barh(
                bar,
                time,
                left=start,
                height=0.5,
                color=fills[number],
                edgecolor="white",
                linewidth=1.2,
            )
            share = f"{100 * time / totals[bar]:.0f} %"
            middle = start + time / 2
            room = 95 * time / longest  # letters that fit
            if room > len(share) + 1:
                ax.text(
                    middle,
                    bar,
                    share,
                    ha="center",
                    va="center",
                    color=ink_on(fills[number]),
                    fontsize=10,
                )
                text = part
            else:
                text = f"{part} {share}"
            small.append((middle, text))
            start += time
        _beside(ax, bar, small[::2], longest, -1)
        _beside(ax, bar, small[1::2], longest, 1)
        ax.annotate(
            f"{written(totals[bar])} {unit}",
            (start, bar),
            xytext=(6, 0),
            va="center",
            textcoords="offset points",
            weight="bold",
        )
    ax.set_yticks(range(len(table)), [str(label) for label in table])
    ax.tick_params(axis="y", length=0, labelsize=10.5)
    ax.set_ylim(len(table) - 0.26, -0.74)
    ax.set_xlim(0, 1.1 * longest)
    ax.set_xticks([])
    for side in ("left", "bottom"):
        ax.spines[side].set_visible(False)
    ax.set_title(title)
    show(fig, caption)


def _draw_tangents(fig, ax, x, y, points, narrow):
    """Draw tangents of one length on the paper, and their slopes where they hide least."""
    pixel, half = fig.dpi / 72, 24 if narrow else 32
    whole = np.abs(points[:, 2] - points[:, 2].round()).max(initial=0) < 1e-6
    origin, unit = ax.transData.transform([(0, 0), (1, 1)])
    busy, labels = [np.column_stack([x, y])], []
    for x0, y0, slope in points:
        direction = np.array([1, slope]) / np.hypot(*(np.array([1, slope]) * (unit - origin)))
        steps = np.linspace(-half, half, 33)[:, None] * pixel
        segment = np.array([x0, y0]) + steps * direction
        busy.append(segment)
        ax.plot(*segment.T, color=COLOURS[1], linewidth=2.6, linestyle="--", zorder=3)
        ax.plot([x0], [y0], "o", color=COLOURS[1], markersize=6, zorder=4)
        text = fixed(slope, 0 if whole else 2)
        labels.append((text if narrow else f"slope {text}", (x0, y0), INKS[1]))
    near(fig, ax, labels, busy)


def _beside(ax, bar, labels, longest, side):
    """Write names above a bar (`side` -1) or below it, moved apart where they would touch."""
    letter = longest / 105
    sizes = [(len(text) + 2) * letter for _, text in labels]
    places = spread([middle for middle, _ in labels], sizes, -letter, 1.1 * longest)
    for (middle, text), place in zip(labels, places):
        ends = [bar + 0.25 * side, bar + 0.4 * side]
        ax.plot([middle, place], ends, color=GREY, linewidth=0.9)
        ax.text(
            place,
            bar + 0.43 * side,
            text,
            ha="center",
            va="top" if side > 0 else "bottom",
            fontsize=9.5,
        )


def _plain_ticks(axis, low, high):
    """Write a logarithmic axis in plain numbers where they are short."""
    if low < 1e-3 or high > 1e5:
        return
    from matplotlib.ticker import LogLocator

    axis.set_major_formatter("{x:g}")
    if 12 <= high / low < 100:  # one or two powers of ten alone say too little
        axis.set_minor_locator(LogLocator(subs=(2, 5)))
    axis.set_minor_formatter("{x:g}" if high / low < 100 else "")


def _limits(y):
    """Return limits for y that leave out what runs off to infinity."""
    finite = y[np.isfinite(y)]
    if not finite.size:
        raise ValueError("draw.tangents: no finite value to draw")
    low, high = np.percentile(finite, [1, 99])
    room = 0.2 * (high - low) or 1.0
    return low - room, high + room


def _pair(pair, label):
    """Return `(x, y)` as two arrays of floats; `y` alone stands over 0, 1, 2..."""
    if isinstance(pair, tuple) and len(pair) == 2 and np.ndim(values(pair[0])) == 1:
        x, y = numbers(pair[0], "draw.lines"), numbers(pair[1], "draw.lines")
    else:
        y = numbers(pair, "draw.lines")
        x = np.arange(y.size, dtype=float)
    _same_length(x, y, "draw.lines", label)
    return x, y


def _same_length(x, y, caller, label):
    if x.ndim != 1 or x.shape != y.shape or not x.size:
        raise ValueError(
            f"{caller}: {label!r} needs x and y of one dimension and the same length, "
            f"got the shapes {x.shape} and {y.shape}"
        )


def _deviation(array):
    with np.errstate(all="ignore"):
        deviation = float(np.std(array))
    if not np.isfinite(deviation):
        return "not finite"
    if 0.01 <= deviation < 1000:
        return f"{deviation:.2f}" if deviation < 10 else f"{deviation:.0f}"
    power = int(np.floor(np.log10(deviation))) if deviation else 0
    return f"{deviation / 10.0**power:.1f}e{power}".replace("-", "−") if deviation else "0"


def _item(value):
    """Return a number, or the number in a tensor or array of one element."""
    return values(value).reshape(()).item() if not isinstance(value, (int, float)) else value
