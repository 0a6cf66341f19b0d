"""Figures of the lessons: `from course import draw`, then one line per figure.

What a figure shows is computed in the notebook; these functions only draw it. They read tensors
through `.data`, never import minigrad, and load matplotlib when the first figure is drawn. Every
function takes `caption=`, a sentence that says what to see. Where that sentence would give away the
answer of a prediction, the cell looks it up: `caption=captions["zigzag"]`.
"""

from course.draw.arrays import broadcast, strides, tensor, tensors
from course.draw.curves import bars, histograms, lines, profile, tangents
from course.draw.flow import head, stream
from course.draw.gpt2 import gpt2_map
from course.draw.graphs import graph
from course.draw.lookup import captions
from course.draw.maps import attention, boundary, heatmap, surface
from course.draw.modules import walk
from course.draw.motion import moving, packed, small_gpt2
from course.draw.style import COLOURS, INKS, canvas, show, to_file
from course.draw.text import tokens, windows

__all__ = [
    "COLOURS",
    "INKS",
    "attention",
    "bars",
    "boundary",
    "broadcast",
    "canvas",
    "captions",
    "graph",
    "gpt2_map",
    "head",
    "heatmap",
    "histograms",
    "lines",
    "moving",
    "packed",
    "profile",
    "show",
    "small_gpt2",
    "stream",
    "strides",
    "surface",
    "tangents",
    "tensor",
    "tensors",
    "to_file",
    "tokens",
    "walk",
    "windows",
]
