"""Arrays as grids of cells: tensors, how memory is read through strides, and broadcasting."""

import numpy as np

from course.draw.style import (
    COLOURS,
    GREY,
    INK,
    INKS,
    check_dictionary,
    diverging,
    hidden_cell,
    ink_on,
    sheet,
    show,
    styled,
    values,
    written_all,
)

GAP = 0.45  # between the panels of a three-dimensional array, in cells
LETTER = 0.19  # the width of a letter, in cells
FILL, PLAIN_EDGE = "#DCEBF5", "#7A96A8"
TINTS = ["#9CCBEA", "#F6BD97", "#96D6C1", "#E3B4CF", "#F3D08A", "#C9C9C9"]  # of groups of cells
MOST_COLUMNS = 32


@styled
def tensor(array, *, caption="", title="", digits=2, shade=False, highlight=None, axes=False):
    """Draw an array of 0 to 3 dimensions as a grid of cells with its values.

    `shade` tints the cells by value (blue below zero, orange above). `highlight` is an index or a
    Boolean mask of cells to frame. `axes` names the axes beside the cells. `digits` is the largest
    number of decimals. Three-dimensional arrays are a stack of panels.
    """
    if highlight is not None:
        highlight = {"": highlight}
    show(_row({"": array}, "draw.tensor", title, None, digits, shade, highlight, axes), caption)


@styled
def tensors(
    arrays,
    *,
    caption="",
    title="",
    operators=None,
    digits=2,
    shade=False,
    highlight=None,
    groups=None,
    axes=False,
):
    """Draw several named arrays side by side.

    `arrays` is a dictionary of names and arrays; `operators` is a list of the signs between them,
    such as `["+", "="]`; `highlight` is a dictionary of names and indices or Boolean masks;
    `groups` one of names and integers that broadcast to the array: cells of one number have one
    colour, in all arrays (-1: none). The rest is as in `tensor`.
    """
    check_dictionary(arrays, "draw.tensors", '{"a": a, "b": b}')
    if operators is not None and len(operators) != len(arrays) - 1:
        raise ValueError(
            f"draw.tensors: {len(arrays)} arrays have {len(arrays) - 1} signs between "
            f"them, got operators={list(operators)!r}"
        )
    options = (title, operators, digits, shade, highlight, axes, groups)
    show(_row(arrays, "draw.tensors", *options), caption)


@styled
def broadcast(
    a, b, result, *, caption="", title="", operator="+", names=("a", "b", None), digits=2
):
    """Draw how two arrays are stretched to the shape of their result.

    Cells with a solid frame are stored; hatched cells with a dashed frame are the same numbers
    read again. `names` are the three titles (None for the result: "a + b").
    """
    a, b, result = (values(x, "draw.broadcast") for x in (a, b, result))
    try:
        shape = np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise ValueError(
            f"draw.broadcast: shapes {a.shape} and {b.shape} do not broadcast: from "
            f"the right, two sizes must be equal, or one of them 1"
        ) from None
    if result.shape != shape:
        raise ValueError(
            f"draw.broadcast: {a.shape} and {b.shape} broadcast to {shape}, but the "
            f"result has the shape {result.shape}"
        )
    first, second, third = names
    third = third or f"{first} {operator} {second}"
    blocks = []
    for name, array in ((first, a), (second, b), (third, result)):
        stretched = np.broadcast_to(array, shape)
        block = _Block(name, stretched, "draw.broadcast", digits)
        block.ghosts = _panels(_repeated(array.shape, shape), "draw.broadcast")
        if array.shape != shape:
            block.note = f"{_shape(array.shape)} → {_shape(shape)}"
        blocks.append(block)
    show(_place(blocks, [operator, "="], title), caption)


@styled
def strides(views, *, caption="", title=""):
    """Draw the memory as a row of numbered boxes, and which box each cell of an array reads.

    `views` is an array, or a dictionary of names and arrays (for example views of one another).
    Each gets a row: its cells with the number of the box in the corner; the memory, where boxes
    that it does not read are hatched; and the jump in memory for one step along each axis.
    """
    if not isinstance(views, dict):
        views = {"": views}
    check_dictionary(views, "draw.strides", '{"x": x, "x.T": x.T}')
    rows = [_View(name, values(view, "draw.strides")) for name, view in views.items()]
    left = max(row.block.width for row in rows)
    boxes = max(row.memory.size for row in rows)
    box = min(1.0, 14 / boxes)
    strip = left + 1.6
    title_height = 0.9 if title else 0.1
    height = title_height + sum(row.height for row in rows)
    for row in rows:
        row.shared = np.shares_memory(row.memory, rows[0].memory)
    facts = max(row.facts_at(strip) + LETTER * len(row.facts) for row in rows)
    fig, ax = sheet(max(strip + boxes * box + 0.4, facts), height)
    if title:
        _title(ax, title)
    y = title_height
    for row in rows:
        row.draw(ax, y, strip, box)
        y += row.height
    show(fig, caption)


class _Block:
    """One array, ready to be drawn as cells: (panels, rows, columns)."""

    def __init__(self, name, array, caller, digits=2):
        self.name, self.array = name, array
        self.cells = _panels(array, caller)
        if self.cells.size == 0:
            raise ValueError(f"{caller}: an array of shape {array.shape} has no cells to draw")
        self.texts = _panels(written_all(array, digits), caller)
        self.note = _shape(array.shape)
        self.ghosts = self.framed = np.zeros(self.cells.shape, dtype=bool)
        self.corners = None  # small texts in the corners of the cells
        self.faces = np.full(self.cells.shape, FILL, dtype=object)
        self.edge = COLOURS[1]  # of the frames
        self.axes = False

    @property
    def margin(self):
        """The room for labels to the left of the cells."""
        labels = 0.75 if self.array.ndim == 3 else 0.0
        return labels + (0.45 * (self.array.ndim - 1) if self.axes and self.array.ndim > 1 else 0)

    @property
    def width(self):
        texts = max(len(self.name), len(self.note)) * LETTER
        return max(self.margin + self.cells.shape[2], texts)

    @property
    def height(self):
        panels, rows, _ = self.cells.shape
        return panels * rows + (panels - 1) * GAP

    def frame(self, where, caller):
        """Frame the cells that an index or a Boolean mask selects."""
        mask = np.zeros(self.array.shape, dtype=bool)
        try:
            mask[where] = True
        except IndexError as error:
            raise ValueError(
                f"{caller}: highlight={where!r} does not fit {self.name or 'array'} "
                f"of shape {self.array.shape}"
            ) from error
        self.framed = _panels(mask, caller)

    def shade(self, limit):
        """Tint the cells by value: white at zero, full colour at `limit`."""
        self.edge = INK  # an orange frame would hardly be seen on an orange cell
        for index, value in np.ndenumerate(self.cells):
            position = 0.5 + 0.5 * float(value) / limit if np.isfinite(value) else 0.5
            # The ends of the map are dark; the middle 70 % leaves the numbers easy to read.
            self.faces[index] = _hex(diverging()(0.5 + 0.7 * (position - 0.5)))

    def colour(self, groups, caller):
        """Give the cells of each group its tint."""
        try:
            groups = np.broadcast_to(np.asarray(groups, dtype=int), self.array.shape)
        except ValueError as error:
            raise ValueError(
                f"{caller}: groups of shape {np.shape(groups)} do not fit {self.name} of shape "
                f"{self.array.shape}"
            ) from error
        for index, group in np.ndenumerate(_panels(groups, caller)):
            if group >= 0:
                self.faces[index] = TINTS[group % len(TINTS)]

    def draw(self, ax, x, y, font):
        """Draw the cells with their upper left corner at (x, y)."""
        from matplotlib.patches import Rectangle

        panels, rows, _ = self.cells.shape
        for (p, r, c), text in np.ndenumerate(self.texts):
            left, top = x + c, y + p * (rows + GAP) + r
            ghost, face = self.ghosts[p, r, c], self.faces[p, r, c]
            if ghost:
                hidden_cell(ax, left + 0.03, top + 0.03, 0.94, 0.94)
            else:
                ax.add_patch(
                    Rectangle(
                        (left + 0.03, top + 0.03),
                        0.94,
                        0.94,
                        linewidth=0.9,
                        facecolor=face,
                        edgecolor=PLAIN_EDGE,
                    )
                )
            drop = 0.07 if self.corners is not None else 0
            ax.text(
                left + 0.5,
                top + 0.5 - drop,
                text,
                ha="center",
                va="center",
                fontsize=font,
                color=GREY if ghost else ink_on(face),
                style="italic" if ghost else "normal",
            )
            if self.corners is not None:
                ax.text(
                    left + 0.93,
                    top + 0.92,
                    str(self.corners[p, r, c]),
                    ha="right",
                    va="bottom",
                    fontsize=0.66 * font,
                    color=GREY,
                )
        for p, r, c in np.argwhere(self.framed):
            ax.add_patch(
                Rectangle(
                    (x + c + 0.05, y + p * (rows + GAP) + r + 0.05),
                    0.9,
                    0.9,
                    fill=False,
                    edgecolor=self.edge,
                    linewidth=2.4,
                )
            )
        if self.array.ndim == 3:
            for p in range(panels):
                ax.text(
                    x - 0.12,
                    y + p * (rows + GAP) + rows / 2,
                    f"[{p}]",
                    ha="right",
                    va="center",
                    fontsize=0.9 * ax.cell_font,
                    color=GREY,
                )
        if self.axes:
            self._draw_axes(ax, x, y)

    def _draw_axes(self, ax, x, y):
        arrow = {"arrowstyle": "->", "color": INKS[0], "linewidth": 1.2}
        small = {"fontsize": 0.85 * ax.cell_font, "color": INKS[0], "ha": "center", "va": "center"}
        if self.array.ndim == 0:
            return
        columns, rows = self.cells.shape[2], self.cells.shape[1]
        last = self.array.ndim - 1
        ax.annotate("", (x + columns, y - 0.15), (x, y - 0.15), arrowprops=arrow)
        ax.text(x + columns / 2, y - 0.42, f"axis {last}", **small)
        starts = [(last - 1, x - 0.2 - (0.6 if last == 2 else 0), rows)]
        if last == 2:
            starts.append((0, x - 1.3, self.height))
        for axis, at, length in starts[:last]:
            ax.annotate("", (at, y + length), (at, y), arrowprops=arrow)
            ax.text(at - 0.22, y + length / 2, f"axis {axis}", rotation=90, **small)


class _View:
    """One row of `strides`: an array, the memory behind it, and the boxes that it reads."""

    def __init__(self, name, view):
        base = view
        while isinstance(base.base, np.ndarray):
            base = base.base
        if not (base.flags.c_contiguous or base.flags.f_contiguous):
            raise ValueError("draw.strides: the memory has gaps; draw a copy of the array")
        if base.size > 32:
            raise ValueError(f"draw.strides: the memory has {base.size} boxes; draw at most 32")
        self.name, self.view = name, view
        self.memory = base.ravel(order="K")
        self.jumps = [stride // view.itemsize for stride in view.strides]
        start = (_address(view) - _address(base)) // view.itemsize
        steps = np.indices(view.shape)
        self.boxes = start + sum(
            (jump * step for jump, step in zip(self.jumps, steps)),
            start=np.zeros(view.shape, dtype=int),
        )
        self.block = _Block("", view, "draw.strides")
        self.block.note = ""
        self.block.corners = _panels(self.boxes, "draw.strides")
        # The arcs stand above the memory, but for that of the last axis of several.
        self.below = view.ndim - 1 if view.ndim > 1 else None
        self.above = sorted({abs(jump) for jump in self.jumps[: self.below] if jump})

    @property
    def facts(self):
        text = f"shape {_shape(self.view.shape)}   strides {_shape(self.view.strides)} bytes"
        if self.view.ndim:
            text += f" = {_shape(self.jumps)} boxes of {self.view.itemsize}"
        return text if self.shared else text + ", a memory of its own"

    def facts_at(self, strip):
        """Where the facts begin: over the memory, or further right where the name is long."""
        return max(strip, 0.8 + 1.15 * LETTER * len(self.name))

    @property
    def height(self):
        strip = (2.2 if self.below is None else 2.9) + 0.6 * max(len(self.above) - 1, 0)
        return 0.9 + max(self.block.height, strip) + 0.45

    def draw(self, ax, y, strip, box):
        from matplotlib.patches import Rectangle

        font = _font(ax, [self.block])
        ax.text(0.2, y + 0.45, self.name, fontsize=1.1 * ax.cell_font, weight="bold", va="center")
        ax.text(
            self.facts_at(strip),
            y + 0.45,
            self.facts,
            va="center",
            fontsize=0.95 * ax.cell_font,
            color=GREY,
        )
        y += 0.9
        self.block.draw(ax, 0.2 + self.block.margin, y, font)
        level = y + 1.15 + 0.6 * max(len(self.above) - 1, 0)
        texts = written_all(self.memory)
        read = set(self.boxes.ravel().tolist())
        for number in range(self.memory.size):
            x = strip + number * box
            if number in read:
                ax.add_patch(
                    Rectangle(
                        (x + 0.02, level + 0.03),
                        box - 0.04,
                        0.94,
                        linewidth=0.9,
                        facecolor=FILL,
                        edgecolor=PLAIN_EDGE,
                    )
                )
            else:
                hidden_cell(ax, x + 0.02, level + 0.03, box - 0.04, 0.94)
            longest = max(len(text) for text in texts)
            ax.text(
                x + box / 2,
                level + 0.43,
                texts[number],
                ha="center",
                va="center",
                fontsize=min(font, 105 * box * ax.cell_size / longest),
                color=INK if number in read else GREY,
            )
            ax.text(
                x + box * 0.93,
                level + 0.92,
                str(number),
                ha="right",
                va="bottom",
                fontsize=0.66 * font,
                color=GREY,
            )
        self._draw_jumps(ax, strip, box, level)

    def _draw_jumps(self, ax, strip, box, level):
        """Draw one step along each axis, from the first cell: the last of several axes below."""
        from matplotlib.patches import Arc, Polygon

        first = self.boxes[(0,) * self.view.ndim]
        standing = []
        for axis, jump in enumerate(self.jumps):
            below = axis == self.below
            colour, line = INKS[axis % 3], ["-", "--", ":"][axis % 3]
            if jump == 0 or self.view.shape[axis] == 1:
                reason = "no jump, the same again" if jump == 0 else "only one step long"
                standing.append((f"axis {axis}: {reason}", colour))
                continue
            start = strip + (first + 0.5) * box
            end = start + jump * box
            rise = 0.55 if below else 0.6 + 0.6 * self.above.index(abs(jump))
            edge = level + 1.0 if below else level
            angles = (0, 180) if below else (180, 360)  # y points downwards
            ax.add_patch(
                Arc(
                    ((start + end) / 2, edge),
                    abs(end - start),
                    2 * rise,
                    theta1=angles[0],
                    theta2=angles[1],
                    color=colour,
                    linestyle=line,
                    linewidth=1.5,
                )
            )
            away = 1 if below else -1
            ax.add_patch(
                Polygon(
                    [
                        (end, edge),
                        (end - 0.11, edge + 0.24 * away),
                        (end + 0.11, edge + 0.24 * away),
                    ],
                    color=colour,
                )
            )
            # The highest arc has its name on top, the others to the right of their end.
            beside = below or abs(jump) < max(self.above)
            ax.text(
                max(start, end) + 0.2 if beside else (start + end) / 2,
                edge + (0.42 * away if beside else -rise - 0.25),
                f"axis {axis}: {jump:+d}".replace("-", "−"),
                color=colour,
                ha="left" if beside else "center",
                va="center",
                fontsize=0.9 * ax.cell_font,
            )
        for line, (text, colour) in enumerate(standing):
            ax.text(
                strip + 0.1,
                level - 0.35 - 0.5 * line,
                text,
                color=colour,
                va="center",
                fontsize=0.9 * ax.cell_font,
            )


def _row(arrays, caller, title, operators, digits, shade, highlight, axes, groups=None):
    """Return the figure of named arrays side by side."""
    blocks = []
    for name, array in arrays.items():
        block = _Block(str(name), values(array, caller), caller, digits)
        block.axes = axes
        blocks.append(block)
    for option, given in (("highlight", highlight), ("groups", groups)):
        unknown = set(given or ()) - set(arrays)
        if unknown:
            raise ValueError(
                f"{caller}: {option} names {sorted(unknown)}, the arrays are {list(arrays)}"
            )
    for block in blocks:
        if highlight and block.name in highlight:
            block.frame(highlight[block.name], caller)
        if groups and block.name in groups:
            block.colour(groups[block.name], caller)
    if shade:
        cells = np.concatenate([block.cells.astype(float).ravel() for block in blocks])
        limit = np.abs(cells[np.isfinite(cells)]).max(initial=0) or 1.0
        for block in blocks:
            block.shade(limit)
    return _place(blocks, operators, title)


def _place(blocks, operators, title):
    """Return a figure with the blocks in a row, their signs between them."""
    between = 1.0 if operators else 0.7
    width = 0.5 + sum(block.width for block in blocks) + between * (len(blocks) - 1)
    if width > MOST_COLUMNS:
        raise ValueError(
            f"draw: these arrays need {width:.0f} cells side by side, more than "
            f"{MOST_COLUMNS} cannot be read; draw a part, or use draw.heatmap"
        )
    tall = max(block.height for block in blocks)
    if tall > MOST_COLUMNS:
        raise ValueError(
            f"draw: these arrays need {tall:.0f} cells below each other, more than "
            f"{MOST_COLUMNS} cannot be read; draw a part, or use draw.heatmap"
        )
    named = any(block.name for block in blocks)
    top = 0.15 + 0.75 * bool(title) + 0.6 * named + 0.6 * any(block.axes for block in blocks)
    longest = max(len(text) for block in blocks for text in block.texts.ravel())
    figure_width = max(width, LETTER * 1.15 * len(title) + 0.5)
    fig, ax = sheet(figure_width, top + tall + 0.75, cell=0.52 if longest < 5 else 0.6)
    if title:
        _title(ax, title)
    font = _font(ax, blocks)
    x, middle = 0.25, top + tall / 2
    for number, block in enumerate(blocks):
        if number:
            if operators:
                ax.text(
                    x + between / 2,
                    middle,
                    operators[number - 1].replace("-", "−"),
                    ha="center",
                    va="center",
                    fontsize=1.7 * ax.cell_font,
                )
            x += between
        shift = (block.width - block.margin - block.cells.shape[2]) / 2 + block.margin
        y = middle - block.height / 2
        block.draw(ax, x + shift, y, font)
        centre = x + shift + block.cells.shape[2] / 2
        ax.text(
            centre,
            y - 0.3 - 0.6 * block.axes,
            block.name,
            ha="center",
            va="center",
            fontsize=1.1 * ax.cell_font,
            weight="bold",
        )
        ax.text(
            centre,
            y + block.height + 0.32,
            block.note,
            ha="center",
            va="center",
            fontsize=0.92 * ax.cell_font,
            color=GREY,
        )
        x += block.width
    return fig


def _title(ax, title):
    ax.text(0.25, 0.45, title, fontsize=1.1 * ax.cell_font, va="center")


def _font(ax, blocks):
    """Return the font size at which the longest value fits into its cell."""
    longest = max(len(text) for block in blocks for text in block.texts.ravel())
    return min(ax.cell_font, 100 * ax.cell_size / max(longest, 1))


def _panels(array, caller):
    """Return an array of 0 to 3 dimensions as (panels, rows, columns)."""
    array = np.asarray(array)
    if array.ndim > 3:
        raise ValueError(
            f"{caller}: draws arrays of at most 3 dimensions, got the shape "
            f"{array.shape}; index one part of it"
        )
    return array.reshape((1,) * (3 - array.ndim) + array.shape)


def _repeated(shape, stretched):
    """Return where an array of `shape`, broadcast to `stretched`, reads a number again."""
    shape = (1,) * (len(stretched) - len(shape)) + shape
    repeated = np.zeros(stretched, dtype=bool)
    for position, size, new in zip(np.indices(stretched), shape, stretched):
        if size != new:
            repeated |= position > 0
    return repeated


def _shape(shape):
    return str(tuple(int(size) for size in shape)).replace("-", "−")


def _address(array):
    return array.__array_interface__["data"][0]


def _hex(colour):
    from matplotlib.colors import to_hex

    return to_hex(colour)
