"""A computational graph as a picture (SVG), from the leaves on the left to the root on the right.

A graph that is too wide for a page goes from the leaves at the top to the root at the bottom.
Numbers are rounded, and nothing depends on memory addresses: one graph always gives one picture.
"""

from base64 import b64encode
from html import escape
from itertools import pairwise
from pathlib import Path

_SIGNS = {
    "add": "+",
    "sub": "−",
    "mul": "×",
    "div": "÷",
    "neg": "−",
    "matmul": "@",
    "remainder": "%",
}
_LETTER, _LINE, _OP, _GAP, _BETWEEN = 7.3, 16, 26, 14, 34  # in pixels
_WIDEST = 900  # the width of a notebook's output: what is wider goes from top to bottom


class GraphDrawing:
    """The graph of `nodes` (the root first), with their gradients in `found` and their `names`.

    The gradients of the nodes in `ringed` have a ring around them. A notebook shows a picture, a
    terminal a list of lines. The drawing keeps no node alive.
    """

    def __init__(self, nodes, found, names=None, ringed=()):
        nodes = nodes[::-1]  # the root last
        number = {node: i for i, node in enumerate(nodes)}
        inputs = [[number[x] for x, _ in node.inputs] for node in nodes]
        ops = [node.op.__name__ if node.op is not None else "" for node in nodes]
        labels = []
        for node in nodes:
            name = (names or {}).get(node)
            shape = f"{node.data.shape}" if node.data.ndim else ""
            value = " ".join(filter(None, (shape, _values(node.data))))
            labels.append([f"{name} = {value}" if name else value])
            if node in found:
                labels[-1].append(f"grad {_values(found[node]) or shape}")
        width = len(str(len(nodes) - 1))
        self.text = "\n".join(
            f"{i:{width}}  {op or 'leaf'}({', '.join(map(str, inputs[i]))})".replace("()", "")
            + ":  "
            + "   ".join(labels[i])
            for i, op in enumerate(ops)
        )
        rings = {number[node] for node in ringed}
        kinds = [
            "op" if op else "leaf" if x.requires_grad else "constant" for op, x in zip(ops, nodes)
        ]
        self.svg = _svg(inputs, [_SIGNS.get(op, op) for op in ops], labels, kinds, rings)

    def __repr__(self):
        return self.text

    def _repr_mimebundle_(self, include=None, exclude=None):
        """The drawing as an image in HTML, as SVG and as text: a notebook shows the first that it can.

        JupyterLab shows no SVG of a notebook that is not trusted, but it shows images.
        """
        source = b64encode(self.svg.encode("utf-8")).decode("ascii")
        style = "max-width: 100%; height: auto"
        image = f'<img alt="{escape(self.text)}" src="data:image/svg+xml;base64,{source}"'
        html = f'{image} style="{style}">'
        return {"text/html": html, "image/svg+xml": self.svg, "text/plain": self.text}

    def save(self, path):
        """Write the picture to an .svg file."""
        Path(path).write_text(self.svg, encoding="utf-8")


def _values(array):
    """The numbers to 4 digits, or nothing where that would be long."""
    text = _written(array) if array.size <= 4 else ""
    return text if len(text) <= 22 else ""


def _written(x):
    return f"[{', '.join(map(_written, x))}]" if x.ndim else f"{x + 0.0:.4g}"


# --- The layout: which column, in which order, how high ---


def _columns(inputs):
    """The columns from left to right, and for each edge the vertices on its way.

    A node stands one column to the left of the first node that uses it. Where an edge crosses a
    column, it gets a vertex of height 0 there, a bend; all edges of one node share their bends.
    Vertices are numbered: first the nodes, then the bends.
    """
    behind = [0] * len(inputs)  # the column of each node, counted from the right
    for node in reversed(range(len(inputs))):
        for x in inputs[node]:
            behind[x] = max(behind[x], behind[node] + 1)
    columns, routes, bends = [[] for _ in range(max(behind) + 1)], [], {}
    for node, place in enumerate(behind):
        columns[-1 - place].append(node)
    for node, used in enumerate(inputs):
        for x in used:
            passed = [(x, place) for place in range(behind[x] - 1, behind[node], -1)]
            for bend in passed:
                if bend not in bends:
                    bends[bend] = len(inputs) + len(bends)
                    columns[-1 - bend[1]].append(bends[bend])
            routes.append([x, *(bends[bend] for bend in passed), node])
    return columns, routes


def _neighbours(routes, count):
    """For each vertex, its neighbours on the left, and its neighbours on the right."""
    left, right = [[] for _ in range(count)], [[] for _ in range(count)]
    for a, b in dict.fromkeys(link for route in routes for link in pairwise(route)):
        right[a].append(b)
        left[b].append(a)
    return left, right


def _ordered(columns, left, right):
    """The columns, sorted so that few edges cross: by the mean place of a vertex's neighbours."""
    place = {v: i for column in columns for i, v in enumerate(column)}
    for sweep in range(9):  # to the left and to the right in turn; the last one to the left
        for column in columns if sweep % 2 else reversed(columns):
            sides = left if sweep % 2 else right
            mean = {v: _mean([place[n] for n in sides[v]], place[v]) for v in column}
            column.sort(key=mean.get)
            place.update({v: i for i, v in enumerate(column)})
    return columns


def _heights(columns, left, right, size):
    """The y of each vertex: near its neighbours, and not too close to others in its column."""
    y = {v: 0.0 for column in columns for v in column}
    for _ in range(30):
        for column in columns:
            wished = [_mean([y[n] for n in left[v] + right[v]], y[v]) for v in column]
            ends, end = [], 0.0
            for v in column:
                ends.append(end + size[v] / 2)
                end += size[v] + _GAP
            groups = []  # neighbours that touch move together: [sum of their wishes, how many]
            for wish, offset in zip(wished, ends):
                groups.append([wish - offset, 1])
                while len(groups) > 1 and _mean_of(groups[-2]) > _mean_of(groups[-1]):
                    total, count = groups.pop()
                    groups[-1] = [groups[-1][0] + total, groups[-1][1] + count]
            starts = [_mean_of(group) for group in groups for _ in range(group[1])]
            y.update({v: start + offset for v, start, offset in zip(column, starts, ends)})
    return y


def _mean(numbers, otherwise):
    return sum(numbers) / len(numbers) if numbers else otherwise


def _mean_of(group):
    return group[0] / group[1]


# --- The picture ---

_FILL = {"op": ("#FFFFFF", "#6B6B6B"), "leaf": ("#DDEBF7", "#00619A"), "constant": ("#EEE", "#999")}


def _svg(inputs, signs, labels, kinds, rings):
    """The picture: from left to right, or from top to bottom where that would be too wide."""
    columns, routes = _columns(inputs)
    count = sum(map(len, columns))
    bends = [0] * (count - len(inputs))
    left, right = _neighbours(routes, count)
    columns = _ordered(columns, left, right)
    box = [max(map(len, label)) * _LETTER + 16 for label in labels]
    op = [max(_OP, len(sign) * _LETTER + 16) if sign else 0 for sign in signs]
    wide = [b + o + 8 * (o > 0) for b, o in zip(box, op)] + bends
    tall = [len(label) * _LINE + 12 for label in labels] + bends
    down = sum(max(wide[v] for v in column) + _BETWEEN for column in columns) > _WIDEST
    # Along: from column to column. Across: within a column. Down, the columns are rows.
    start, end, along = {}, {}, 10.0  # where the column of each vertex begins and ends
    for column in columns:
        room = max((tall if down else wide)[v] for v in column)
        start |= dict.fromkeys(column, along)
        end |= dict.fromkeys(column, along + room)
        along += room + _BETWEEN
    across = _heights(columns, left, right, wide if down else tall)
    sizes = wide if down else tall
    first = min(across[v] - sizes[v] / 2 for v in across) - 10
    across = {v: across[v] - first for v in across}
    width, height = along - _BETWEEN + 10, max(across[v] + sizes[v] / 2 for v in across) + 10
    if down:
        width, height = height, width
    middle = {v: (start[v] + end[v]) / 2 for v in across}
    x, y = (across, middle) if down else (middle, across)
    from_left = {v: x[v] - wide[v] / 2 for v in range(len(inputs))}
    circle = [min(max(_OP, 9 * len(used) + 4), tall[v]) for v, used in enumerate(inputs)]

    def point(a, c):
        return f"{c:.1f} {a:.1f}" if down else f"{a:.1f} {c:.1f}"

    # Arrows into a sum or a product are sorted by their ends, others stand in the order of inputs.
    routes.sort(key=lambda route: across[route[-2]] if signs[route[-1]] in "+×" else 0)
    lines, shapes, ports = [], [], [0] * len(inputs)
    for route in routes:
        first, last = route[0], route[-1]
        shift = 9 * (ports[last] - (len(inputs[last]) - 1) / 2)
        ports[last] += 1
        if down:  # out of the middle of the box below, and into the sign from above
            port, tip = from_left[last] + op[last] / 2 + shift, y[last] - circle[last] / 2
            here, out = from_left[first] + wide[first] - box[first] / 2, y[first] + tall[first] / 2
        else:
            port, tip = y[last] + shift, from_left[last]
            here, out = y[first], from_left[first] + wide[first]
        path = f"M{point(out, here)}"
        for a, b in pairwise(route):
            goal = port if b == last else across[b]
            half = (end[a] + start[b]) / 2
            path += f"L{point(end[a], here)}C{point(half, here)} {point(half, goal)} "
            path += point(start[b], goal)
            here = goal
        head = "l-3.5 -7h7z" if down else "l-7 -3.5v7z"
        lines.append(f'<path d="{path}L{point(tip - 4, port)}" fill="none" stroke="#6B6B6B"/>')
        lines.append(f'<path d="M{point(tip, port)}{head}" fill="#6B6B6B"/>')
    for v, label in enumerate(labels):
        x, fill, stroke = from_left[v], *_FILL[kinds[v]]
        if signs[v]:
            shapes.append(_rectangle(x, y[v], op[v], circle[v], "#FBE6D4", "#A84A00", rounded=13))
            shapes.append(_text(x + op[v] / 2, y[v] + 4.3, signs[v], "#7A3600"))
            x += op[v] + 8
            lines.append(f'<path d="M{x - 8:.1f} {y[v]:.1f}h8" stroke="#6B6B6B"/>')
        shapes.append(_rectangle(x, y[v], box[v], tall[v], fill, stroke))
        for i, text in enumerate(label):
            line = y[v] + 4.3 + _LINE * (i - (len(label) - 1) / 2)
            shapes.append(_text(x + box[v] / 2, line, text, "#222222" if i == 0 else "#A84A00"))
        if v in rings:
            room = len(label[-1]) * _LETTER + 14
            ring = _rectangle(x + (box[v] - room) / 2, line - 3.8, room, 16, "none", "#D55E00", 8)
            shapes.append(ring.replace("/>", ' stroke-width="2"/>'))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-size="12" '
        'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" text-anchor="middle">\n'
        f'<rect width="100%" height="100%" rx="6" fill="#FFFFFF"/>\n'
        + "\n".join(lines + shapes)
        + "\n</svg>"
    )


def _rectangle(x, y, width, height, fill, stroke, rounded=0):
    return (
        f'<rect x="{x:.1f}" y="{y - height / 2:.1f}" width="{width:.1f}" height="{height:.1f}" '
        f'rx="{rounded}" fill="{fill}" stroke="{stroke}"/>'
    )


def _text(x, y, text, colour):
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}">{escape(text)}</text>'
