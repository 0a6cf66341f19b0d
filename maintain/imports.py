"""The picture of who imports whom: `python -m maintain.imports` writes docs/pictures/imports.svg.

It is read from the code. Two rows, the library and the course; within a row a module or room
imports only those to its left, so every arrow points left. One that points right is drawn below
the line, dashed: there is none but `Tensor.backward`'s.
"""

import ast
import graphlib
import html
import sys
from pathlib import Path

from course.lessons import notebooks
from course.lessons.exporter import exported_cells

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs" / "pictures" / "imports.svg"
ROOMS = ["draw", "lessons", "sandbox", "checks", "student", "grading", "site"]
WIDTH, BOX, ROW = 1180, 66, 330  # of the picture, of a box, of a row


def modules():
    """The modules that the lessons export, in the order in which they are built."""
    found = []
    for path in notebooks.paths():
        own = list(exported_cells(notebooks.read(path)))
        links = sorted(arrows("minigrad", own))  # sorted: the same picture in each run
        used = {name: [b for (a, b) in links if a == name] for name in own}
        found += graphlib.TopologicalSorter(used).static_order()
    return found


def place_of(module, package, places):
    """The box that a module of the package belongs to, or None."""
    parts = module.split(".")
    if parts[0] != package or len(parts) < 2:
        return None
    return parts[1] if parts[1] in places else None


def imported(source):
    """The modules that code imports, anywhere in it but in its main program, as dotted names."""
    tree = ast.parse(source)
    tree.body = [node for node in tree.body if "__main__" not in ast.unparse(node)[:30]]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def arrows(package, places):
    """{(from, to): how many files} between the boxes of a package."""
    found = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        start = place_of(name, package, places)
        ends = {
            place_of(other, package, places) for other in imported(path.read_text(encoding="utf-8"))
        }
        for end in ends - {start, None}:
            if start:
                found[start, end] = found.get((start, end), 0) + 1
    return found


def row(title, package, places, top):
    """The SVG of one row."""
    step = (WIDTH - 20) / len(places)
    middle = {name: 10 + step * (k + 0.5) for k, name in enumerate(places)}
    line, parts = top + ROW - 90, []
    parts.append(f'<text x="10" y="{top + 16}" class="title">{html.escape(title)}</text>')
    for (start, end), count in sorted(arrows(package, places).items()):
        a, b = middle[start], middle[end]
        left = b < a
        height = 14 + 0.19 * abs(a - b)
        y, bend = (line - 14, line - 14 - height) if left else (line + 14, line + 14 + height / 3)
        style = "left" if left else "right"
        words = f"{start} imports {end} in {count} file{'s' * (count > 1)}"
        parts.append(
            f'<path class="{style}" stroke-width="{min(1 + 0.35 * count, 4):.2f}" '
            f'd="M{a:.0f} {y:.0f}C{a:.0f} {bend:.0f} {b:.0f} {bend:.0f} {b:.0f} {y:.0f}" '
            f'marker-end="url(#tip)"><title>{html.escape(words)}</title></path>'
        )
    for name, x in middle.items():
        parts.append(
            f'<rect x="{x - step / 2 + 3:.0f}" y="{line - 14}" width="{step - 6:.0f}" height="28" '
            f'rx="5"/><text x="{x:.0f}" y="{line + 5}" class="name">{name[:9]}</text>'
        )
    return parts


def picture():
    """The whole picture as SVG."""
    library = ["support", *modules(), "apps"]
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {2 * ROW}" '
        'role="img" aria-label="Who imports whom: all arrows point to the left, but one">',
        "<style>rect{fill:#dcebf5;stroke:#557}path{fill:none;stroke:#0072b2}"
        "path.right{stroke:#d55e00;stroke-dasharray:5 3}text{font:13px sans-serif;fill:#223}"
        ".name{text-anchor:middle;font-size:11px}.title{font-weight:bold}"
        "svg{background:#fff}</style>",
        '<defs><marker id="tip" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="7" '
        'markerHeight="7" orient="auto" markerUnits="userSpaceOnUse">'
        '<path d="M0 0L10 5L0 10z" style="fill:#446;stroke:none"/></marker></defs>',
        f'<rect x="0" y="0" width="{WIDTH}" height="{2 * ROW}" style="fill:#fff;stroke:none"/>',
        *row("minigrad: each lesson's modules import those to their left", "minigrad", library, 0),
        *row("course: each room imports those to its left", "course", ROOMS, ROW),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def main(arguments):
    if arguments:
        print(__doc__)
        return 2
    PICTURE.write_text(picture(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
