"""A computational graph as a picture (SVG), from the leaves on the left to the root on the right.

Numbers are rounded, and nothing depends on memory addresses: one graph always gives one picture.
"""

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


class GraphDrawing:
    """The graph of `nodes` (the root first), with their gradients in `found` and their `names`.

    A notebook shows a picture, a terminal a list of lines. It keeps no node alive.
    """

    def __init__(self, nodes, found, names=None):
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
        kinds = [
            "op" if op else "leaf" if x.requires_grad else "constant" for op, x in zip(ops, nodes)
        ]
        self.svg = _svg(inputs, [_SIGNS.get(op, op) for op in ops], labels, kinds)

    def __repr__(self):
        return self.text

    def _repr_mimebundle_(self, include=None, exclude=None):
        return {"image/svg+xml": self.svg, "text/plain": self.text}

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
            groups = []  # neighbours that touch move as one: [the sum of their wishes, how many]
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


def _svg(inputs, signs, labels, kinds):
    columns, routes = _columns(inputs)
    count = sum(map(len, columns))
    bends = count - len(inputs)
    left, right = _neighbours(routes, count)
    box = [max(map(len, label)) * _LETTER + 16 for label in labels]
    op = [max(_OP, len(sign) * _LETTER + 16) if sign else 0 for sign in signs]
    wide = [b + o + 8 * (o > 0) for b, o in zip(box, op)] + [0] * bends
    size = [len(label) * _LINE + 12 for label in labels] + [0] * bends
    y = _heights(_ordered(columns, left, right), left, right, size)
    top = min(y[v] - size[v] / 2 for v in y) - 10
    y = {v: y[v] - top for v in y}
    height = max(y[v] + size[v] / 2 for v in y) + 10
    start, end, x = {}, {}, 10.0  # where the column of each vertex begins and ends
    for column in columns:
        widest = max(wide[v] for v in column)
        start |= dict.fromkeys(column, x)
        end |= dict.fromkeys(column, x + widest)
        x += widest + _BETWEEN
    width = x - _BETWEEN + 10
    from_left = {v: (start[v] + end[v] - wide[v]) / 2 for v in range(len(inputs))}

    # Arrows into a sum or a product are sorted by height, others stand in the order of inputs.
    routes.sort(key=lambda route: y[route[-2]] if signs[route[-1]] in "+×" else 0)
    lines, shapes, ports = [], [], [0] * len(inputs)
    for route in routes:
        first, last = route[0], route[-1]
        port = y[last] + 9 * (ports[last] - (len(inputs[last]) - 1) / 2)
        ports[last] += 1
        path = f"M{from_left[first] + wide[first]:.1f} {y[first]:.1f}"
        for a, b in pairwise(route):
            goal = port if b == last else y[b]
            middle = (end[a] + start[b]) / 2
            path += f"H{end[a]:.1f}C{middle:.1f} {y[a]:.1f} {middle:.1f} {goal:.1f} "
            path += f"{start[b]:.1f} {goal:.1f}"
        tip = from_left[last]
        lines.append(f'<path d="{path}H{tip - 4:.1f}" fill="none" stroke="#6B6B6B"/>')
        lines.append(f'<path d="M{tip:.1f} {port:.1f}l-7 -3.5v7z" fill="#6B6B6B"/>')
    for v, label in enumerate(labels):
        x, fill, stroke = from_left[v], *_FILL[kinds[v]]
        if signs[v]:
            tall = min(max(_OP, 9 * len(inputs[v]) + 4), size[v])
            shapes.append(_rectangle(x, y[v], op[v], tall, "#FBE6D4", "#A84A00", rounded=13))
            shapes.append(_text(x + op[v] / 2, y[v] + 4.3, signs[v], "#7A3600"))
            x += op[v] + 8
            lines.append(f'<path d="M{x - 8:.1f} {y[v]:.1f}h8" stroke="#6B6B6B"/>')
        shapes.append(_rectangle(x, y[v], box[v], size[v], fill, stroke))
        for i, text in enumerate(label):
            line = y[v] + 4.3 + _LINE * (i - (len(label) - 1) / 2)
            shapes.append(_text(x + box[v] / 2, line, text, "#222222" if i == 0 else "#A84A00"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" font-size="12" '
        'font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" text-anchor="middle">\n'
        f'<rect width="100%" height="100%" fill="#FFFFFF"/>\n'
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
