"""The palette, the fonts, and `show`: the one way in which a figure reaches the reader."""

import base64
import functools
import io
import logging
import re
import sys
from contextlib import contextmanager
from pathlib import Path

import numpy as np

# The colours of Okabe and Ito, which colour-blind readers can tell apart, without their yellow,
# which can hardly be seen on white. The first four are those that stay furthest from each other.
COLOURS = ["#0072B2", "#D55E00", "#009E73", "#000000", "#CC79A7", "#E69F00", "#56B4E9"]
# The same colours, darkened until text in them is easy to read on white.
INKS = ["#00619A", "#A84A00", "#00704F", "#000000", "#98446F", "#8A5F00", "#1F6F9F"]
LINES = ["-", "--", "-.", ":", (0, (7, 2)), (0, (3, 1, 1, 1, 1, 1)), (0, (1, 1))]
MARKERS = ["o", "s", "^", "D", "v", "P", "X"]
HATCHES = ["", "///", "...", "\\\\\\", "xx", "---", "++"]

INK, GREY, PALE = "#222222", "#6B6B6B", "#E4E4E4"
# From white to dark blue, each step as much darker as the one before: perceptually uniform.
SEQUENTIAL = [
    "#FFFFFF",
    "#D3E4F3",
    "#A4C9E6",
    "#6DADD6",
    "#3A8FC2",
    "#1A70A8",
    "#0D518A",
    "#07335F",
]
NEGATIVE, POSITIVE = "#0072B2", "#D55E00"  # the ends of the diverging map; white is zero

WIDTH = 9.0  # inches: 900 pixels, the width of a notebook's output
SCREEN, SHARP = 100, 200  # dots per inch on the screen, and in the file

SETTINGS = {
    "figure.facecolor": "white",
    "figure.constrained_layout.w_pad": 0.1,  # inches to the edge of the card
    "figure.constrained_layout.h_pad": 0.1,
    "savefig.facecolor": "white",
    "axes.facecolor": "white",
    "font.family": "DejaVu Sans",
    "font.size": 10.5,
    "mathtext.fontset": "dejavusans",
    "axes.titlesize": 11.5,
    "axes.labelsize": 10.5,
    "axes.titlelocation": "left",
    "xtick.labelsize": 9.5,
    "ytick.labelsize": 9.5,
    "text.color": INK,
    "axes.labelcolor": INK,
    "axes.edgecolor": GREY,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": False,
    "grid.color": PALE,
    "axes.axisbelow": True,
    "lines.linewidth": 1.9,
    "hatch.linewidth": 0.8,
    "hatch.color": "#D0D0D0",
}


def styled(function):
    """Decorate a drawing function: refuse a missing caption, and draw in the house style."""

    @functools.wraps(function)
    def wrapper(*args, **options):
        check_caption(options.get("caption"), f"draw.{function.__name__}")
        with settings():
            return function(*args, **options)

    return wrapper


def settings():
    """Return a context in which matplotlib has the house style, whatever it was set to before."""
    # On its first run matplotlib may say on stderr that it builds its list of fonts; that line
    # would be stored in the notebook.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    import matplotlib.style

    return matplotlib.style.context(["default", SETTINGS])


def canvas(rows=1, columns=1, width=WIDTH, height=3.0, **options):
    """Return a figure of `width` times `height` inches and its axes, in the house style.

    `axes` is one Axes if there is one, else an array of shape (rows, columns). The figure belongs
    to nobody else (pyplot does not know it), so it appears only where `show` shows it.
    """
    with settings():
        from matplotlib.figure import Figure

        fig = Figure(figsize=(width, height), layout="constrained")
        axes = fig.subplots(rows, columns, squeeze=False, **options)
    return fig, (axes[0, 0] if rows == columns == 1 else axes)


def sheet(width, height, cell=0.52):
    """Return a figure and an Axes that measures in cells: x to the right, y downwards.

    `cell` is the size of a cell in inches; wide drawings get smaller cells. The Axes carries the
    font size that suits them as `ax.cell_font`.
    """
    from matplotlib.figure import Figure

    cell = min(cell, WIDTH / width)
    fig = Figure(figsize=(width * cell, height * cell))
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, width), ylim=(height, 0))
    ax.axis("off")
    ax.cell_font = min(10.5, 22 * cell)
    ax.cell_size = cell
    return fig, ax


def check_caption(caption, name="draw.show"):
    """Raise ValueError where the caption is missing or empty."""
    if not isinstance(caption, str) or not caption.strip():
        raise ValueError(
            f"{name}: give caption=, a sentence that says what to see in the figure; "
            f"got {caption!r}"
        )


def show(fig, caption, alt=None):
    """Display `fig` with `caption` under it, and close it.

    The notebook stores a picture whose plain text is the caption (what a terminal shows, what
    nbval compares), and then the caption as Markdown, so that it is real text on the page: it
    wraps, can be searched and read aloud, and follows the theme. Outside IPython nothing appears.
    `alt` is a longer text in the place of the picture, where the caption does not say all of it.
    """
    check_caption(caption)
    caption = " ".join(caption.split())
    alt = " ".join((alt or caption).split())
    with settings():
        png = picture(fig)
    if _file is not None:
        _file.write_bytes(png)
        return
    if "matplotlib.pyplot" in sys.modules:  # a figure of pyplot would be shown a second time
        sys.modules["matplotlib.pyplot"].close(fig)
    width, height = (round(inches * SCREEN) for inches in fig.get_size_inches())
    encoded = base64.b64encode(png).decode("ascii")
    about = {"image/png": {"width": width, "height": height, "alt": alt}}
    put({"image/png": encoded, "text/plain": alt}, caption, about)


def put(picture, caption, metadata=None):
    """Display a picture, as a dictionary of its kinds, and its caption under it, where IPython is."""
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    if shell is None:
        return
    from IPython.display import display

    display(picture, raw=True, metadata=metadata)
    display({"text/markdown": f"*{escape(caption)}*"}, raw=True)


_file = None


@contextmanager
def to_file(path):
    """Inside, the figure that is shown is written to this PNG file instead."""
    global _file
    before, _file = _file, Path(path)
    try:
        yield
    finally:
        _file = before


def picture(fig):
    """Return the figure as the bytes of a PNG of few colours, a third of the usual size.

    Its corners are round and transparent: a card, on a dark page too.
    """
    from PIL import Image, ImageDraw  # matplotlib itself writes its pictures through Pillow

    full, small = io.BytesIO(), io.BytesIO()
    fig.savefig(full, format="png", dpi=SHARP, pil_kwargs={"compress_level": 1})
    image = few_colours(Image.open(full).convert("RGB"))
    clear = 127  # the index that no colour has
    palette = image.getpalette()[: 3 * clear]
    image.putpalette(palette + [255] * (3 * (clear + 1) - len(palette)))
    corners = Image.new("1", image.size, 1)
    frame = (0, 0, image.width - 1, image.height - 1)
    ImageDraw.Draw(corners).rounded_rectangle(frame, radius=9, fill=0)
    image.paste(clear, mask=corners)
    image.save(small, format="png", optimize=True, transparency=clear)
    return small.getvalue()


def few_colours(image):
    """Return the image with a palette of 24 to 127 colours: as few as let areas keep theirs.

    An area is where a pixel has the colour of its right and its lower neighbour. It may change by
    24 of 255 at most; between areas lie the tones that smooth an edge, which may change more.
    """
    from PIL import Image

    pixels = np.asarray(image).astype(np.int32)  # (height, width, 3)
    inside = pixels[:-1, :-1]
    area = ((inside == pixels[1:, :-1]) & (inside == pixels[:-1, 1:])).all(axis=-1)
    # A sample of the colours, for the palette to be made from. Areas count ten times as much as
    # edges, and by the root of their size: a white page does not drown the colour of a marker.
    sample = []
    for part, weight in ((pixels.reshape(-1, 3), 0.1), (inside[area], 1.0)):
        codes, counts = np.unique(part @ [1 << 16, 1 << 8, 1], return_counts=True)
        sample.append(np.repeat(codes, np.ceil(weight * np.sqrt(counts)).astype(int)))
    sample = np.concatenate(sample)[None, :, None] >> [16, 8, 0] & 255  # (1, N, 3)
    sample = Image.fromarray(sample.astype(np.uint8))
    for number in (24, 31, 47, 63, 95, 127):
        palette = sample.quantize(number, dither=Image.Dither.NONE, kmeans=2)
        found = image.quantize(palette=palette, dither=Image.Dither.NONE)
        error = np.abs(np.asarray(found.convert("RGB"))[:-1, :-1] - inside).max(axis=-1)
        if np.max(error, where=area, initial=0) <= 24:
            break
    # The palette has means of similar colours; the ground, which is most of a figure, stays exact.
    ground = max(image.getcolors(image.width * image.height))[1]
    colours, most = found.getpalette(), max(found.getcolors())[1]
    colours[3 * most : 3 * most + 3] = ground
    found.putpalette(colours)
    return found


def escape(caption):
    """Return the caption with Markdown's signs escaped, outside of `code` and $maths$."""
    pieces = re.split(r"(`[^`]+`|\$[^$]+\$)", caption)
    return "".join(
        piece if position % 2 else re.sub(r"([\\`*_\[\]<>#~|])", r"\\\1", piece)
        for position, piece in enumerate(pieces)
    )


def values(thing, name="draw"):
    """Return a tensor's data, an array, or a list, as an array."""
    if not isinstance(thing, np.ndarray) and hasattr(thing, "data"):
        thing = thing.data
    try:
        return np.asarray(thing)
    except ValueError as error:
        raise ValueError(
            f"{name}: expected an array or a tensor, got {type(thing).__name__} "
            f"whose rows differ in length"
        ) from error


def numbers(thing, name="draw"):
    """Return a tensor's data, an array, or a list, as an array of floats."""
    array = values(thing, name)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"{name}: expected numbers, got an array of {array.dtype}")
    return array.astype(float)


def check_dictionary(thing, name, example):
    """Raise ValueError unless `thing` is a dictionary with something in it."""
    if not isinstance(thing, dict) or not thing:
        got = "an empty one" if isinstance(thing, dict) else type(thing).__name__
        raise ValueError(f"{name}: expected a dictionary such as {example}, got {got}")


def written(value, digits=2):
    """Return one number as short text."""
    if isinstance(value, (bool, np.bool_, str)):
        return visible(str(value))
    if isinstance(value, (int, np.integer)):
        return str(value).replace("-", "−")
    value = float(value)
    if np.isnan(value):
        return "nan"
    if np.isinf(value):
        return "∞" if value > 0 else "−∞"
    small = value != 0 and abs(value) < 0.5 * 10.0**-digits
    if small or abs(value) >= 1e5:
        return f"{value:.0e}".replace("e-0", "e-").replace("e+0", "e").replace("-", "−")
    text = f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")


def fixed(value, digits=2):
    """Return a number with just `digits` decimals; a large whole number with none."""
    if not np.isfinite(value) or abs(value) >= 1e5:
        return written(value, digits)
    if abs(value) >= 10 and value == round(value):
        digits = 0
    text = f"{value:.{digits}f}"
    return (text.lstrip("-") if float(text) == 0 else text).replace("-", "−")


def written_all(array, digits=2):
    """Return an array of texts, all with as many decimals as the longest needs, up to `digits`."""
    array = np.asarray(array)
    if array.dtype.kind == "f" and array.size:
        finite = array[np.isfinite(array)].astype(float)
        enough = (d for d in range(1, digits) if np.allclose(finite, finite.round(d), atol=1e-6))
        digits = next(enough, digits)
    texts = np.empty(array.shape, dtype=object)
    for index in np.ndindex(array.shape):
        texts[index] = written(array[index], digits)
    return texts


def visible(text):
    """Return text in which newline, tab and a lone space can be seen."""
    text = text.replace("\n", "⏎").replace("\t", "⇥")
    return "␣" if text == " " else text.replace("$", r"\$")


def hidden_cell(ax, x, y, width, height, dashed=True):
    """Draw a cell that is not there, or may not be seen: hatched, with a dashed frame."""
    from matplotlib.patches import Rectangle

    ax.add_patch(
        Rectangle(
            (x, y),
            width,
            height,
            facecolor="#F6F6F6",
            edgecolor="#D0D0D0",
            hatch="////",
            linewidth=0,
        )
    )
    if dashed:
        ax.add_patch(
            Rectangle(
                (x, y),
                width,
                height,
                fill=False,
                edgecolor="#A0A0A0",
                linestyle=(0, (3, 2)),
                linewidth=0.9,
            )
        )


def sequential():
    """Return the sequential colour map: white for nothing, dark blue for most."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("more", SEQUENTIAL)


def diverging():
    """Return the diverging colour map: blue below zero, white at zero, orange above."""
    from matplotlib.colors import LinearSegmentedColormap

    dark_blue, dark_orange = "#00436B", "#8A3D00"
    colours = [dark_blue, NEGATIVE, "#FFFFFF", POSITIVE, dark_orange]
    return LinearSegmentedColormap.from_list("zero", colours)


def ink_on(colour):
    """Return black or white, whichever is easier to read on `colour`."""
    from matplotlib.colors import to_rgb

    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    luminance = np.dot([0.2126, 0.7152, 0.0722], linear)
    return "#000000" if luminance > 0.18 else "#FFFFFF"
