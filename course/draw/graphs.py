"""Graphs of operations with a caption, one or several below each other."""

import re
from base64 import b64encode
from html import escape

from course.draw import style

OPENING = re.compile(r'<svg [^>]*?width="(\d+)" height="(\d+)"[^>]*>')
TITLE = 26  # pixels above each graph of several


def graph(drawings, *, caption=""):
    """Show a drawing of a graph, or a dictionary of titles and drawings, below each other.

    A drawing is what `draw_graph` returns: it has its picture as `svg` and its words as `text`.
    """
    style.check_caption(caption, "draw.graph")
    titled = drawings if isinstance(drawings, dict) else {"": drawings}
    if not titled or not all(hasattr(drawing, "svg") for drawing in titled.values()):
        raise ValueError(
            "draw.graph: expected the drawing of a graph, or a dictionary of titles and drawings, "
            f"got {type(drawings).__name__}"
        )
    caption = " ".join(caption.split())
    svg, text = _stacked(titled) if isinstance(drawings, dict) else (drawings.svg, drawings.text)
    # JupyterLab shows no SVG of a notebook that is not trusted, but it shows images.
    source = f"data:image/svg+xml;base64,{b64encode(svg.encode('utf-8')).decode('ascii')}"
    look = "max-width: 100%; height: auto"
    html = f'<img alt="{escape(caption)}" src="{source}" style="{look}">'
    style.put({"text/html": html, "image/svg+xml": svg, "text/plain": text}, caption)


def _stacked(titled):
    """The picture and the words of several drawings, each below its title."""
    parts, texts, top, widest = [], [], 0, 0
    for title, drawing in titled.items():
        width, height = map(int, OPENING.match(drawing.svg).groups())
        place = f'x="10" y="{top + 18}" fill="#222222" font-weight="bold" text-anchor="start"'
        parts.append(f"<text {place}>{escape(title)}</text>")
        parts.append(drawing.svg.replace("<svg ", f'<svg y="{top + TITLE}" ', 1))
        texts.append(f"{title}\n{drawing.text}")
        top, widest = top + TITLE + height, max(widest, width)
    opening = OPENING.match(drawing.svg)[0]
    opening = re.sub(r'width="\d+" height="\d+"', f'width="{widest}" height="{top}"', opening)
    opening = re.sub(r'viewBox="[^"]*"', f'viewBox="0 0 {widest} {top}"', opening)
    ground = '<rect width="100%" height="100%" rx="6" fill="#FFFFFF"/>'
    return "\n".join([opening, ground, *parts, "</svg>"]), "\n\n".join(texts)
