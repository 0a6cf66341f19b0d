"""The map of GPT-2: the whole course as one picture, with the part that a lesson builds lit."""

from typing import NamedTuple

import numpy as np

from course.draw.style import COLOURS, GREY, INK, INKS, PALE, SCREEN, settings, show

WIDTH, HEIGHT = 900, 622  # pixels; every place below is measured in them, y downwards
# The shapes are those of lesson 8's default model in training, with a context of 256 characters.
KEY = (
    "(32, 256, 288): 32 texts, 256 characters of each, 288 numbers for each character.   "
    "6 heads of 48 numbers.   70 different characters."
)


class Part(NamedTuple):
    """A box of the map: where it stands, and the lessons that build it, the first one first."""

    label: str
    lessons: tuple
    left: float
    top: float
    width: float
    height: float
    shape: str = ""  # of what comes out of it, written under it
    kind: str = "box"  # or "frame", which holds other parts


# Frames come first: what is drawn later lies above. A frame's label stands on its upper edge.
PARTS = [
    Part("GPT-2", ("08", "09"), 206, 43, 452, 95, kind="frame"),
    Part("block, one of six", ("07",), 12, 226, 876, 134, kind="frame"),
    Part("MLP", ("07", "10"), 562, 242, 276, 74, kind="frame"),
    Part("causal attention, six heads at once", ("07", "10"), 12, 390, 876, 148, kind="frame"),
    Part("tokenizer", ("06", "09"), 12, 64, 78, 34),
    Part("batches", ("06",), 112, 64, 68, 34, "(32, 256)"),
    Part("token\nembedding", ("04",), 218, 58, 84, 32),
    Part("position\nembedding", ("04", "10"), 218, 99, 84, 32, ""),
    Part("6 blocks", ("07",), 356, 58, 82, 44, "(32, 256, 288)"),
    Part("layer norm", ("03", "10"), 462, 63, 84, 34, "(32, 256, 288)"),
    Part("output\nprojection", ("04",), 566, 63, 80, 34),
    Part("cross-entropy", ("03",), 744, 63, 96, 34),
    Part("generate: draw a character, put it behind the text, again", ("08",), 206, 6, 452, 22),
    Part("backward: the gradient of the loss for every number", ("02",), 300, 156, 500, 28),
    Part("step: w − rate · gradient", ("05",), 12, 153, 196, 34),
    Part("layer norm", ("03", "10"), 96, 260, 90, 34),
    Part("attention", ("07",), 216, 260, 110, 34, "(32, 256, 288)"),
    Part("layer norm", ("03", "10"), 444, 260, 90, 34),
    Part("linear", ("04",), 580, 260, 64, 34, "(32, 256, 1152)"),
    Part("GELU", ("03", "10"), 674, 260, 60, 34),
    Part("linear", ("04",), 758, 260, 64, 34, "(32, 256, 288)"),
    Part("linear", ("04",), 34, 440, 70, 34, "(32, 256, 864)"),
    Part("q", ("07",), 152, 408, 60, 26),
    Part("k", ("07",), 152, 444, 60, 26),
    Part("v", ("07",), 152, 480, 60, 26, "(32, 6, 256, 48)"),
    Part("q · k / √D", ("07",), 268, 408, 104, 98, "scores (32, 6, 256, 256)"),
    Part("mask", ("07",), 400, 408, 92, 98),
    Part("softmax", ("03",), 520, 408, 92, 98, "weights (32, 6, 256, 256)"),
    Part("weights · v", ("07",), 660, 440, 88, 34, "(32, 6, 256, 48)"),
    Part("linear", ("04",), 790, 440, 70, 34, "(32, 256, 288)"),
    Part(
        "operations, each a value and its rules: every box above is made of them   (+, ·, matmul, exp, sum)",
        ("01",),
        12,
        552,
        876,
        26,
    ),
]
# What a lesson adds, in words: for the caption, which is also what a screen reader reads.
BUILDS = {
    "01": "the operations of which every box is made, each a value and its rules",
    "02": "the way back: from the loss, the gradient for every number of the model",
    "03": "layer norm, GELU, softmax and the cross-entropy loss",
    "04": "the layers that keep what is learned: the embeddings and the linear layers",
    "05": "the step that moves each number of the model against its gradient",
    "06": "the way from a text to tokens and batches of them",
    "07": "attention, the MLP, and the block that is repeated six times",
    "08": "the whole: the GPT-2, its training, and the loop in which it writes",
    "09": "another tokenizer, and published weights for the same boxes",
    "10": "other forms of five boxes: the norm, the positions, attention, and the MLP with its GELU",
}
WAY = (
    "Text becomes tokens; each token and its position become a vector (embeddings); six blocks "
    "change the vectors (in each, attention: queries times keys are the scores, the future is "
    "masked, softmax makes weights of them, the weights mix the values; then an MLP); layer norm "
    "and a linear layer give the logits of the next token, and cross-entropy the loss. Backward, "
    "the gradient goes the same way from the loss to every number, and a step moves each. The "
    "shapes are those of lesson 8's GPT-2 with a context of 256 characters."
)


def gpt2_map(*, lit=(), done=None, caption=""):
    """Draw the map of GPT-2, with the parts that the lessons `lit` build in thick frames.

    `lit` and `done` are lessons: "05", 5, or a list of them. Parts of lessons that are `done` have
    a tick; where it is not given, these are the lessons before the first of `lit`. `caption` is
    added to the words that are always there.
    """
    lit = _lessons("lit", lit)
    done = [name for name in BUILDS if lit and name < min(lit)] if done is None else done
    done = _lessons("done", done)
    with settings():
        fig = _figure(lit, done)
    words = f"The map of GPT-2. {_what(lit)}{caption}".strip()
    ticked = f" With a tick, what is built: lessons {', '.join(done)}." if done else ""
    show(fig, words, alt=f"{words} {WAY}{ticked}")


def areas():
    """Yield (label, lesson, left, top, width, height) of each part, in fractions of the picture.

    A frame's is its label alone, so that no part lies in another one.
    """
    for part in PARTS:
        box = part.left, part.top, part.width, part.height
        if part.kind == "frame":
            box = part.left + 8, part.top - 9, 22 + 6.2 * len(part.label), 18
        scale = WIDTH, HEIGHT, WIDTH, HEIGHT
        label = part.label.replace("\n", " ")
        yield label, part.lessons[0], *(length / whole for length, whole in zip(box, scale))


def _lessons(name, given):
    """Return lessons as a list of names of two digits."""
    given = [given] if isinstance(given, (str, int)) else list(given)
    names = [str(lesson).rjust(2, "0") for lesson in given]
    unknown = [lesson for lesson in names if lesson not in BUILDS]
    if unknown:
        raise ValueError(
            f"draw.gpt2_map: {name} must be lessons from 01 to {max(BUILDS)}, got {unknown[0]!r}"
        )
    return names


def _what(lit):
    """What the lessons build, in a sentence."""
    built = "; ".join(BUILDS[lesson] for lesson in lit)
    return f"In thick frames, what this lesson builds: {built}. " if lit else ""


def _figure(lit, done):
    from matplotlib.figure import Figure

    fig = Figure(figsize=(WIDTH / SCREEN, HEIGHT / SCREEN))
    ax = fig.add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, WIDTH), ylim=(HEIGHT, 0))
    ax.axis("off")
    _ways(ax, lit)
    for part in PARTS:
        here = [lesson for lesson in part.lessons if lesson in lit]
        _draw_part(ax, part, here, part.lessons[0] in done)
    _pictures(ax)
    key = "thick frame: built in this lesson" if lit else ""
    key = "      ".join(filter(None, [key, "✓: built", "number: the lesson that builds it"]))
    ax.text(12, 590, KEY, fontsize=7.6, color=INK, va="center")
    ax.text(12, 608, key, fontsize=7.6, color=INK, va="center")
    return fig


def _draw_part(ax, part, here, ready):
    """Draw a box or a frame: thick where it is lit, tinted and ticked where it is built."""
    from matplotlib.patches import FancyBboxPatch

    frame = part.kind == "frame"
    edge = COLOURS[1] if here else "#7A96A8" if ready else "#9A9A9A"
    fill = "none" if frame else "#FBE6D6" if here else "#DCEBF5" if ready else "white"
    ax.add_patch(
        FancyBboxPatch(
            (part.left, part.top),
            part.width,
            part.height,
            boxstyle="round,pad=0,rounding_size=5",
            facecolor=fill,
            edgecolor=edge,
            linewidth=3 if here else 1.1,
            linestyle="-" if here or ready or not frame else (0, (4, 3)),
            zorder=2 if frame else 4,
        )
    )
    number = (here or list(part.lessons))[0].lstrip("0")
    sign = number + (" ✓" if ready and not here else "")
    weight = "bold" if here else "normal"
    ink = INK if here or ready else "#555555"
    text = {"fontsize": 8.8, "color": ink, "fontweight": weight, "va": "center", "zorder": 6}
    badge = {
        "boxstyle": "round,pad=0.18",
        "facecolor": COLOURS[1] if here else "white",
        "edgecolor": edge,
        "linewidth": 0.9,
    }
    if here:
        badge["facecolor"] = INKS[1]
    numbers = {"fontsize": 7.6, "color": "white" if here else ink, "fontweight": weight}
    numbers |= {"va": "center", "ha": "center", "bbox": badge, "zorder": 7}
    if frame:
        ground = {"facecolor": "white", "edgecolor": "none", "pad": 1.5}
        ax.text(part.left + 30, part.top, part.label, bbox=ground, **text)
        ax.text(part.left + 16, part.top, sign, **numbers)
        return
    middle = part.left + part.width / 2
    high = part.height > 60  # with a picture under its label
    y = part.top + (13 if high else part.height / 2)
    if here:  # bold letters are wider: a long word must not touch its frame
        letters = max(map(len, part.label.split("\n")))
        text["fontsize"] = min(8.8, 1.22 * (part.width - 12) / letters)
    ax.text(middle, y, part.label, ha="center", linespacing=0.95, **text)
    ax.text(part.left + 2, part.top + 1, sign, **numbers)
    if part.shape:
        below = part.top + part.height + 10
        ax.text(middle, below, part.shape, fontsize=7.8, color=GREY, va="center", ha="center")


def _ways(ax, lit):
    """Draw the arrows between the parts: what goes where."""

    def arrow(*points, colour=GREY, width=1.2, style="-", head=9):
        places = np.array(points, dtype=float)
        if len(places) > 2:
            ax.plot(*places[:-1].T, color=colour, linewidth=width, linestyle=style, zorder=3)
        ax.annotate(
            "",
            places[-1],
            places[-2],
            zorder=3,
            arrowprops={
                "arrowstyle": "-|>",
                "color": colour,
                "linewidth": width,
                "linestyle": style,
                "shrinkA": 0,
                "shrinkB": 0,
                "mutation_scale": head,
            },
        )

    def word(x, y, text, **options):
        ax.text(x, y, text, **{"fontsize": 7.8, "color": GREY, "va": "center", **options})

    # The whole way
    word(12, 52, '"To be, or no…"', fontsize=8.4)
    arrow((90, 81), (112, 81))
    arrow((180, 78), (218, 74))
    arrow((180, 86), (218, 114))
    ax.plot(328, 80, marker="o", markersize=12, markerfacecolor="white", markeredgecolor=GREY)
    ax.text(328, 80, "+", ha="center", va="center", fontsize=10, zorder=5)
    arrow((302, 74), (318, 78))
    arrow((302, 114), (320, 87))
    arrow((337, 80), (356, 80))
    arrow((438, 80), (462, 80))
    arrow((546, 80), (566, 80))
    arrow((646, 80), (744, 80))
    word(702, 70, "logits", ha="center")
    word(702, 92, "(32, 256, 70)", ha="center")
    arrow((840, 80), (862, 80))
    ax.text(864, 80, "loss", fontsize=9.5, va="center", color=INK)
    word(872, 94, "()")
    arrow((146, 117), (146, 144), (792, 144), (792, 97))
    word(714, 133, "targets (32, 256)", ha="center")
    # Writing: from the logits round to the tokens
    colour = COLOURS[1] if "08" in lit else GREY
    arrow((702, 62), (702, 17), (658, 17), colour=colour)
    arrow((206, 17), (146, 17), (146, 64), colour=colour)
    # Backwards
    colour = COLOURS[1] if "02" in lit else GREY
    thick = {"colour": colour, "width": 2.6 if "02" in lit else 1.6, "style": "--", "head": 13}
    arrow((878, 104), (878, 170), (800, 170), **thick)
    arrow((300, 170), (208, 170), **thick)
    colour = COLOURS[1] if "05" in lit else GREY
    arrow((196, 153), (196, 126), (206, 126), colour=colour, width=1.6)
    # From the box to its inside
    for (left, right), y, part in (
        ((360, 434), 118, (16, 884, 226)),
        ((220, 322), 312, (16, 884, 390)),
    ):
        for x, end in ((left, part[0]), (right, part[1])):
            ax.plot([x, end], [y, part[2]], color=PALE, linewidth=1.2, zorder=1)
    # The block: a stream, and two branches that are added to it
    line = 334
    stream = {"colour": COLOURS[1] if "07" in lit else INK, "width": 2.2, "head": 13}
    arrow((24, line), (886, line), **stream)
    word(96, line + 12, "x (32, 256, 288)", color=INK)
    for leaves, comes, last in ((70, 376, 326), (420, 852, 822)):
        first = 96 if leaves == 70 else 444
        arrow((leaves, line), (leaves, 277), (first, 277))
        arrow((last, 277), (comes, 277), (comes, line - 8))
        ax.plot(comes, line, marker="o", markersize=13, color="white", zorder=4)
        ax.plot(
            comes,
            line,
            marker="o",
            markersize=13,
            markerfacecolor="none",
            markeredgecolor=INK,
            zorder=5,
        )
        ax.text(comes, line, "+", ha="center", va="center", fontsize=11, zorder=6)
    for left, right in ((186, 216), (534, 580), (644, 674), (734, 758)):
        arrow((left, 277), (right, 277))
    # Attention
    for y in (421, 457, 493):
        arrow((104, 457), (128, 457), (128, y), (152, y))
    arrow((212, 421), (268, 440))
    arrow((212, 457), (268, 457))
    for left, right in ((372, 400), (492, 520), (612, 660), (748, 790)):
        arrow((left, 457), (right, 457))
    arrow((212, 493), (240, 493), (240, 529), (704, 529), (704, 488))


def _pictures(ax):
    """Draw the small matrices: scores, what the mask hides, and weights."""
    from matplotlib.patches import Rectangle

    size, n = 12, 5
    scores = np.array(
        [[0.2 + 0.75 * ((3 * i + 5 * j + i * j) % 7) / 6 for j in range(n)] for i in range(n)]
    )
    weights = np.tril(np.exp(3 * scores))
    weights /= weights.sum(axis=1, keepdims=True)
    for left, matrix, hidden in ((290, scores, False), (416, scores, True), (536, weights, True)):
        for i, j in np.ndindex(n, n):
            masked = hidden and j > i
            ax.add_patch(
                Rectangle(
                    (left + size * j, 435 + size * i),
                    size,
                    size,
                    facecolor="#F6F6F6" if masked else str(1 - 0.75 * matrix[i, j]),
                    edgecolor="#8A8A8A",
                    hatch="//////" if masked else None,
                    linewidth=0.5,
                    zorder=5,
                )
            )
