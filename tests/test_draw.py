"""The figures: every function draws, refuses what it cannot draw, and can be told apart."""

import inspect
import io
import subprocess
import sys

import numpy as np
import pytest

from course import draw
from course.draw import labels, style

pytest.importorskip("matplotlib")

GENERATOR = np.random.default_rng(0)
X = np.linspace(-2, 2, 30)
MATRIX = np.arange(12.0).reshape(3, 4)
CAUSAL = np.tril(np.ones((2, 3, 3))) / np.arange(1, 4)[:, None]
HEAD = {"x": MATRIX, **dict.fromkeys("qkv", MATRIX[:, :2]), "scores": CAUSAL[0] - 0.2}
HEAD |= {"masked": np.where(CAUSAL[0], 1, -np.inf), "weights": CAUSAL[0], "y": MATRIX[:, :2]}


class TensorLike:
    """What the drawing knows of a tensor: its `.data`."""

    def __init__(self, data):
        self.data = np.asarray(data)


class Drawing:
    """What the drawing knows of a graph: its picture and its words."""

    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" width="90" height="40" viewBox="0 0 90 40"></svg>'
    )
    text = "0  leaf:  x = 2"


GRAPH = Drawing()

# Every function, with arguments that it must draw.
DRAWINGS = [
    (draw.tensor, (3.5,), {}),
    (draw.tensor, ([True, False],), {"axes": True}),
    (draw.tensor, (TensorLike(MATRIX.reshape(3, 2, 2)),), {"axes": True, "highlight": np.s_[1, 0]}),
    (draw.tensor, ([np.inf, -np.inf, np.nan, -1e-9, 1e9],), {"shade": True}),
    (
        draw.tensors,
        ({"a": MATRIX, "b": MATRIX.T, "a @ b": MATRIX @ MATRIX.T},),
        {"operators": ["@", "="], "highlight": {"a": np.s_[1], "b": np.s_[:, 2]}, "title": "t"},
    ),
    (draw.tensors, ({"a": MATRIX, "b": 1},), {"groups": {"a": [[0]], "b": -1}}),
    (draw.strides, (MATRIX,), {}),
    (
        draw.strides,
        (
            {
                "x": MATRIX,
                "x.T": MATRIX.T,
                "x[::-1, 1:3]": MATRIX[::-1, 1:3],
                "z": np.broadcast_to(np.arange(3), (2, 3)),
                "s": MATRIX[1, 2, ...],
            },
        ),
        {},
    ),
    (draw.broadcast, (MATRIX[:, :1], MATRIX[0], MATRIX[:, :1] + MATRIX[0]), {}),
    (draw.broadcast, (TensorLike(MATRIX), 2, TensorLike(MATRIX * 2)), {"operator": "*"}),
    (
        draw.lines,
        ({"a": (X, X**2), "b": X},),
        {
            "points": {"c": (X, -X)},
            "marks": [(0, 1, "here")],
            "horizontal": {"h": 1},
            "vertical": {"v": 0},
            "title": "t",
        },
    ),
    (draw.lines, ({"a": ([1, 10], [1, 100]), "nothing": [np.nan, np.nan]},), {"log": "both"}),
    (
        draw.tangents,
        (
            [
                ("x²", X, X**2, [(0, 0, 0), (TensorLike(1.0), 1, 2)]),
                ("1/x", X[X > 0], 1 / X[X > 0], [(1, 1, -1)]),
            ],
        ),
        {},
    ),
    (draw.bars, ({"a": 1.5, "b": np.float32(2), "c": TensorLike([-1.0])},), {"marks": {"m": 1}}),
    (draw.bars, ({"a": {"x": 1, "y": 10}, "b": {"y": 100}},), {"log": True, "unit": " ms"}),
    (draw.histograms, ({"one": X},), {}),
    (draw.histograms, ({"a": [X, X * 100, X * 0], "b": [X, TensorLike(X)]},), {"xlim": (-1, 1)}),
    (draw.profile, ({"a": 1, "b": 0.01, "c": 0.02, "d": 0},), {}),
    (draw.profile, ({"x": {"a": 1, "b": 2}, "y": {"b": 1}},), {"unit": "ms", "title": "t"}),
    (
        draw.surface,
        (lambda x, y: x**2 + 3 * y**2, {"p": [(1, 1), (0.5, 0)]}),
        {"xlim": (-2, 2), "ylim": (-1, 1), "minimum": (0, 0)},
    ),
    (draw.boundary, (X, X[:20], np.add.outer(X[:20], X) > 0, [(0, 1), (1, 0)], [0, 1]), {}),
    (draw.boundary, (X, X, 1 / (1 + np.exp(-np.add.outer(X, X))), [(0, 1), (1, 0)], [0, 1]), {}),
    (
        draw.boundary,
        (X, X, GENERATOR.dirichlet([1, 1, 1], (30, 30)), [(0, 1)], [2]),
        {"names": "abc"},
    ),
    (
        draw.heatmap,
        (MATRIX,),
        {"rows": "a\n ", "columns": ["w", "long", "$", "\t"], "annotate": True},
    ),
    (draw.heatmap, (MATRIX - 5,), {"annotate": MATRIX.astype(str), "label": "score"}),
    (draw.attention, (CAUSAL, "a\nb"), {"titles": ["one", "two"]}),
    (draw.attention, ([CAUSAL[0], TensorLike(CAUSAL[1])], ["to", "be", "or"]), {"title": "t"}),
    (draw.stream, ([["ln", "attn"], ["ln", "mlp"]],), {"title": "t"}),
    (draw.head, (HEAD,), {"title": "t"}),
    (draw.head, (HEAD | {"x": TensorLike(np.ones((3, 4)))},), {}),
    (draw.gpt2_map, (), {"lit": "05"}),
    (draw.gpt2_map, (), {"lit": [8, "02"], "done": [1]}),
    (draw.gpt2_map, (), {}),
    (draw.tokens, ("to be\n", range(6)), {"title": "t"}),
    (
        draw.walk,
        ({"0": "Linear", "0.weight": (2, 2), "1": "Linear"},),
        {"shared": {"1.weight": "0.weight"}, "title": "t"},
    ),
    (draw.windows, ("to b", "o be"), {}),
    (draw.graph, ({"one": GRAPH, "a < b": GRAPH},), {}),
    (draw.graph, (GRAPH,), {}),
    (draw.windows, (TensorLike([[1, 2], [3, 4]]), [[2, 3], [4, 5]]), {}),
]

# What cannot be drawn, and a word that the error must contain.
REFUSALS = [
    (draw.tensor, (np.zeros((2, 2, 2, 2)),), {}, "3 dimensions"),
    (draw.tensor, (np.zeros((0, 2)),), {}, "no cells"),
    (draw.tensor, (np.zeros((2, 100)),), {}, "heatmap"),
    (draw.tensor, ([[1, 2], [3]],), {}, "length"),
    (draw.tensor, (MATRIX,), {"highlight": np.s_[7]}, "highlight"),
    (draw.tensors, (MATRIX,), {}, "dictionary"),
    (draw.tensors, ({"a": 1, "b": 2},), {"operators": ["+", "="]}, "signs"),
    (draw.tensors, ({"a": [1]},), {"highlight": {"z": 0}}, "highlight"),
    (draw.tensors, ({"a": [1]},), {"groups": {"z": 0}}, "groups"),
    (draw.tensors, ({"a": [1]},), {"groups": {"a": [0, 1]}}, "groups"),
    (draw.strides, (np.zeros(100),), {}, "at most 32"),
    (draw.broadcast, (MATRIX, [1, 2, 3], MATRIX), {}, "do not broadcast"),
    (draw.broadcast, (MATRIX, 1, MATRIX[0]), {}, "result"),
    (draw.lines, ({},), {}, "dictionary"),
    (draw.lines, ({"a": ([1, 2], [1, 2, 3])},), {}, "same length"),
    (draw.lines, ({"a": ["x", "y"]},), {}, "numbers"),
    (draw.lines, ({str(k): [1] for k in range(9)},), {}, "at most 7"),
    (draw.lines, ({"a": [1]},), {"log": "z"}, "log"),
    (draw.tangents, ([("f", X, X)],), {}, "slope"),
    (draw.tangents, ([("f", X, X, [(0, 0)])],), {}, "slope"),
    (draw.tangents, ([("f", X, X, [])],), {"xlabel": ["a", "b"]}, "2 xlabels for 1"),
    (draw.bars, ({"a": 1, "b": {"x": 1}},), {}, "not both"),
    (draw.histograms, ({"a": [[]]},), {}, "empty"),
    (draw.profile, ({"a": -1, "b": 3},), {}, "negative"),
    (draw.surface, ("f", {"p": [(0, 0)]}), {"xlim": (0, 1), "ylim": (0, 1)}, "function"),
    (draw.surface, (lambda x, y: 1.0, {"p": [(0, 0)]}), {"xlim": (0, 1), "ylim": (0, 1)}, "shape"),
    (draw.surface, (np.add, {"p": [0, 0]}), {"xlim": (0, 1), "ylim": (0, 1)}, "steps"),
    (draw.boundary, (X, X, MATRIX, [(0, 0)], [0]), {}, "prediction"),
    (draw.boundary, (X, X, np.zeros((30, 30), int), [0, 0], [0]), {}, "(N, 2)"),
    (draw.heatmap, (X,), {}, "matrix"),
    (draw.heatmap, (MATRIX,), {"rows": "ab"}, "labels"),
    (draw.attention, (CAUSAL, "to be"), {}, "tokens"),
    (draw.attention, (CAUSAL, "abc"), {"titles": ["one"]}, "titles"),
    (draw.stream, ([[]],), {}, "branches"),
    (draw.head, ({"q": MATRIX},), {}, "in this order"),
    (draw.head, (HEAD | {"y": MATRIX},), {}, "expected (3, 2)"),
    (draw.head, (HEAD | {"x": np.ones((3, 30))},), {}, "at most 16"),
    (draw.gpt2_map, (), {"lit": "11"}, "11"),
    (draw.gpt2_map, (), {"done": [0]}, "00"),
    (draw.tokens, ("abc", [1]), {}, "ids"),
    (draw.walk, ({"0": "Linear"},), {"shared": {"2": "1"}}, "shared"),
    (draw.windows, ("abc", "ab"), {}, "lengths"),
    (draw.graph, ("a + b",), {}, "dictionary"),
    (draw.graph, ({},), {}, "dictionary"),
]


def described(case):
    return case[0].__name__


@pytest.mark.parametrize("function, arguments, options", DRAWINGS, ids=map(described, DRAWINGS))
def test_every_function_draws_and_says_nothing(function, arguments, options, capfd, recwarn):
    assert function(*arguments, caption="See.", **options) is None
    assert capfd.readouterr() == ("", "")
    # Python does not show deprecations inside other people's packages.
    assert not [w for w in recwarn.list if not issubclass(w.category, DeprecationWarning)]


MOVING = "moving", "packed", "small_gpt2"  # tests/test_moving.py has these


def test_no_function_is_left_out_of_these_tests():
    functions = {name for name in draw.__all__ if inspect.isfunction(getattr(draw, name))}
    tested = {case[0].__name__ for case in DRAWINGS}
    assert (
        functions - {"show", "canvas", "to_file", "captions", *MOVING}
        == tested
        == {case[0].__name__ for case in REFUSALS}
    )


@pytest.mark.parametrize(
    "function, arguments, options, word", REFUSALS, ids=map(described, REFUSALS)
)
def test_what_cannot_be_drawn_is_refused_with_a_reason(function, arguments, options, word):
    with pytest.raises(ValueError, match=r"draw") as error:
        function(*arguments, caption="See.", **options)
    assert word in str(error.value)


@pytest.mark.parametrize("caption", [{}, {"caption": ""}, {"caption": "  "}, {"caption": None}])
@pytest.mark.parametrize("name", ["tensor", "lines", "heatmap"])
def test_a_figure_without_a_caption_is_refused(name, caption):
    with pytest.raises(ValueError, match=f"draw.{name}: give caption="):
        getattr(draw, name)(MATRIX, **caption)


def test_show_displays_one_picture_and_its_caption(monkeypatch):
    pytest.importorskip("IPython.display")
    shown = []
    monkeypatch.setattr("IPython.get_ipython", lambda: object())
    monkeypatch.setattr(
        "IPython.display.display", lambda data, raw, metadata=None: shown.append((data, metadata))
    )
    draw.tensor([1, 2], caption="Two\n  cells, x_1 and `x_2`: $x_1$.")
    (picture, metadata), (caption, _) = shown
    plain = "Two cells, x_1 and `x_2`: $x_1$."
    assert picture.keys() == {"image/png", "text/plain"} and picture["text/plain"] == plain
    assert metadata["image/png"]["alt"] == plain
    assert caption == {"text/markdown": r"*Two cells, x\_1 and `x_2`: $x_1$.*"}


def test_graphs_are_images_with_an_alternative_one_below_the_other(monkeypatch):
    from xml.etree import ElementTree

    shown = []
    monkeypatch.setattr("IPython.get_ipython", lambda: object())
    monkeypatch.setattr(
        "IPython.display.display", lambda data, raw, metadata=None: shown.append(data)
    )
    draw.graph({"first": GRAPH, "a < b": GRAPH}, caption='Both say "6".')
    picture, caption = shown
    assert '<img alt="Both say &quot;6&quot;."' in picture["text/html"]
    root = ElementTree.fromstring(picture["image/svg+xml"])
    assert root.attrib["width"] == "90" and root.attrib["height"] == str(2 * (40 + 26))
    assert picture["text/plain"] == "first\n0  leaf:  x = 2\n\na < b\n0  leaf:  x = 2"
    assert caption == {"text/markdown": '*Both say "6".*'}


def test_a_figure_of_pyplot_is_closed():
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    figure = plt.figure()
    draw.show(figure, "Empty.")
    assert not plt.fignum_exists(figure.number)


def test_settings_of_the_reader_stay_as_they_were():
    import matplotlib

    before = dict(matplotlib.rcParams)
    draw.tensor([1], caption="See.")
    assert dict(matplotlib.rcParams) == before


def test_the_same_figure_is_the_same_file_without_version():
    from PIL import Image

    pictures = []
    for _ in range(2):
        figure, ax = draw.canvas(height=2)
        ax.plot([1, 3, 2])
        pictures.append(style.picture(figure))
    assert pictures[0] == pictures[1]
    assert not Image.open(io.BytesIO(pictures[0])).text


def test_a_picture_is_a_card_with_round_corners():
    from PIL import Image

    for height in (0.6, 3.0):
        figure, _ = draw.canvas(height=height)
        image = Image.open(io.BytesIO(style.picture(figure))).convert("RGBA")
        right, bottom = image.width - 1, image.height - 1
        for corner in ((0, 0), (right, 0), (0, bottom), (right, bottom)):
            assert image.getpixel(corner)[3] == 0
        assert image.getpixel((right // 2, 3)) == (255, 255, 255, 255)
        assert np.asarray(image)[..., 3].mean() > 250


def test_importing_draw_loads_neither_minigrad_nor_matplotlib():
    code = (
        "import sys, course.draw; "
        "print([n for n in ('minigrad', 'matplotlib', 'IPython') if n in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    assert run.stdout.strip() == "[]"


def test_newline_space_and_dollar_are_visible_and_in_the_font():
    from matplotlib import font_manager
    from matplotlib.ft2font import FT2Font

    letters = [style.visible(letter) for letter in "\n\t "]
    assert letters == ["⏎", "⇥", "␣"]
    charmap = FT2Font(font_manager.findfont("DejaVu Sans")).get_charmap()
    assert all(ord(letter) in charmap for letter in [*letters, *"−∞→²"])


@pytest.mark.parametrize(
    "value, text",
    [
        (3, "3"),
        (np.int64(-3), "−3"),
        (True, "True"),
        (0.0, "0.00"),
        (-0.0, "0.00"),
        (1.239, "1.24"),
        (-1.5, "−1.50"),
        (np.inf, "∞"),
        (-np.inf, "−∞"),
        (np.nan, "nan"),
        (1e-4, "1e−4"),
        (123456.7, "1e5"),
    ],
)
def test_numbers_are_written_shortly(value, text):
    assert style.written(value) == text


def test_fixed_numbers_have_fixed_decimals_and_no_negative_zero():
    assert [style.fixed(x) for x in (1e-9, -1e-9, -0.5, 120.0, 3.0)] == [
        "0.00",
        "0.00",
        "−0.50",
        "120",
        "3.00",
    ]


def test_an_array_is_written_with_as_few_decimals_as_it_needs():
    assert style.written_all(np.array([1.0, 2.0])).tolist() == ["1.0", "2.0"]
    assert style.written_all(np.array([1.0, 2.25])).tolist() == ["1.00", "2.25"]
    assert style.written_all(np.array([1, 2])).tolist() == ["1", "2"]


def test_spread_keeps_order_and_distance_and_moves_nothing_needlessly():
    wished = np.array([5.0, 1.0, 1.1, 1.2, 9.0])
    placed = labels.spread(wished, 1.0)
    assert np.diff(np.sort(placed)).min() >= 1.0 - 1e-9
    assert (np.argsort(placed) == np.argsort(wished)).all()
    assert placed[4] == 9.0 and placed[0] == 5.0


def test_spread_knows_long_labels_and_the_ends_of_the_line():
    sizes = np.array([4.0, 1.0, 2.0])
    placed = labels.spread([0.0, 0.1, 9.9], sizes, 0.0, 10.0)
    assert placed[0] >= 2.0 and placed[2] <= 9.0 and placed[1] - placed[0] >= 2.5
    assert labels.spread([], 1.0).size == 0
    assert np.allclose(labels.spread([3.0, 1.0], 1.0, 0, 4), [3.0, 1.0])


def axes_of(monkeypatch, function, *arguments, **options):
    """The figure that a drawing function shows."""
    shown = []
    for name in ("curves", "maps"):
        monkeypatch.setattr(f"course.draw.{name}.show", lambda fig, caption: shown.append(fig))
    function(*arguments, caption="See.", **options)
    return shown[0], shown[0].axes[0]


def test_a_smooth_curve_has_no_markers_and_measurements_have_them(monkeypatch):
    _, ax = axes_of(monkeypatch, draw.lines, {"smooth": X, "measured": [1, 2, 3]})
    assert [line.get_marker() for line in ax.lines[:2]] == ["", "s"]


def test_no_label_of_a_path_has_a_line_of_its_colour_and_the_star_is_seen(monkeypatch):
    paths = {"arrives": [(-1, 1), (0, 0)], "leaves": [(-1, 1), (1, 0.5), (9, 0.5)]}
    fig, ax = axes_of(
        monkeypatch,
        draw.surface,
        lambda x, y: x**2 + y**2,
        paths,
        xlim=(-2, 2),
        ylim=(-2, 2),
        minimum=(0, 0),
    )
    names = [text.get_text() for text in fig.legends[0].get_texts()]
    assert names == ["arrives (1 step)", "leaves (2 steps, out of the picture)"]
    assert {text.get_text() for text in ax.texts} == {"", "start"}
    [star] = [line for line in ax.lines if line.get_marker() == "*"]
    hiding = [line for line in ax.lines if line.get_zorder() > star.get_zorder()]
    assert all(line.get_markerfacecolor() == "none" for line in hiding)
    [arrow] = [text for text in ax.texts if text.get_text() == ""]
    assert np.allclose(arrow.xy, (2, 0.5))


def test_the_points_are_explained_above_the_axes(monkeypatch):
    fig, ax = axes_of(monkeypatch, draw.lines, {"a": X}, points={"measured": (X, X)})
    assert ax.get_legend() is None and len(fig.legends) == 1


def test_a_mark_stands_where_it_hides_no_curve(monkeypatch):
    fig, ax = axes_of(monkeypatch, draw.lines, {"a": (X, X)}, marks=[(0, 0, "here")])
    fig.draw_without_rendering()
    [label] = [text for text in ax.texts if text.get_text() == "here"]
    frame = label.get_window_extent()
    curve = ax.transData.transform(np.column_stack([np.linspace(-2, 2, 500)] * 2))
    assert not any(frame.contains(*point) for point in curve)


def test_labels_of_columns_stand_upright_only_where_they_have_no_room(monkeypatch):
    for count, turned in ((4, 0), (30, 90)):
        names = [f"head {h}" for h in range(count)]
        _, ax = axes_of(monkeypatch, draw.heatmap, np.ones((2, count)), columns=names)
        assert {label.get_rotation() for label in ax.get_xticklabels()} == {turned}


def test_names_of_the_parts_of_a_bar_stand_apart_and_near_their_parts(monkeypatch):
    parts = {"large": 72, "a name that is long": 10, "b": 8, "another name": 5, "rest of all": 5}
    fig, ax = axes_of(monkeypatch, draw.profile, parts)
    fig.draw_without_rendering()
    names = [text.get_window_extent() for text in ax.texts if text.get_text()[0].isalpha()]
    assert len(names) == len(parts)
    assert not any(a.overlaps(b) for i, a in enumerate(names) for b in names[:i])
    assert max(abs(np.subtract(*line.get_xdata())) for line in ax.lines) < 0.12 * 100


def test_a_slope_stands_beside_its_curve_and_whole_slopes_are_written_whole(monkeypatch):
    x = np.linspace(-3, 3, 101)
    curves = [
        ("x²", x, x**2, [(-2, 4, -4), (0, 0, 0)]),
        ("sin x", x, np.sin(x), [(0, 0, 1), (2, np.sin(2), np.cos(2))]),
    ]
    fig, _ = axes_of(monkeypatch, draw.tangents, curves, columns=2)
    fig.draw_without_rendering()
    for ax, (_, x, y, _) in zip(fig.axes, curves, strict=True):
        for text in ax.texts:
            frame = text.get_window_extent()
            points = ax.transData.transform(np.column_stack([x, y]))
            assert not any(frame.contains(*point) for point in points), text
    texts = [[text.get_text() for text in ax.texts] for ax in fig.axes]
    assert texts == [["slope −4", "slope 0"], ["slope 1.00", "slope −0.42"]]


def test_where_nearly_everything_is_outside_no_ridge_is_drawn(monkeypatch):
    far = [np.zeros(1000), np.append(np.full(999, 50.0), 0.0)]
    _, ax = axes_of(monkeypatch, draw.histograms, {"a": far}, xlim=(-1, 1))
    heights = [np.ptp(line.get_ydata()) for line in ax.lines if len(line.get_ydata()) > 2]
    assert heights[0] > 1 and heights[1] == 0
    assert [text.get_text() for text in ax.get_yticklabels()] == ["layer 1", "2"]


# What a reader without green cones sees (Machado and others, 2009, severity 1), in linear RGB.
DEUTERANOPIA = np.array(
    [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ]
)


def linear(colour):
    from matplotlib.colors import to_rgb

    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb):
    """Linear RGB as CIELAB, in which distances are about as large as they look."""
    xyz = (
        np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
        @ np.clip(rgb, 0, 1)
        / [0.9505, 1, 1.089]
    )
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@pytest.mark.parametrize("eye", [np.eye(3), DEUTERANOPIA], ids=["usual", "deuteranopia"])
def test_the_colours_can_be_told_apart(eye):
    seen = [lab(eye @ linear(colour)) for colour in style.COLOURS]
    distances = [np.linalg.norm(a - b) for k, a in enumerate(seen) for b in seen[:k]]
    assert min(distances) > 15
    first_four = [np.linalg.norm(a - b) for k, a in enumerate(seen[:4]) for b in seen[:k]]
    assert min(first_four) > 40


def test_that_distance_notices_red_and_green():
    red, green = (lab(DEUTERANOPIA @ linear(colour)) for colour in ("#D03030", "#6F8030"))
    assert np.linalg.norm(red - green) < 15


def test_text_can_be_read_on_white():
    for ink in [*style.INKS, style.GREY, style.INK]:
        luminance = linear(ink) @ [0.2126, 0.7152, 0.0722]
        assert 1.05 / (luminance + 0.05) > 4.5, ink


def test_the_maps_are_even_and_zero_is_white():
    lightness = np.array(
        [lab(linear(colour))[0] for colour in style.sequential()(np.linspace(0, 1, 9))]
    )
    steps = -np.diff(lightness)
    assert steps.min() > 0 and steps.max() < 1.6 * steps.min()
    assert np.allclose(style.diverging()(0.5)[:3], 1, atol=0.02)


def test_lines_differ_in_more_than_colour():
    assert len(set(style.MARKERS)) == len(style.MARKERS) == len(style.COLOURS)
    assert len(set(map(str, style.LINES))) == len(style.LINES) == len(style.COLOURS)


def test_a_figure_can_go_to_a_file(tmp_path):
    with draw.to_file(tmp_path / "bars.png"):
        draw.bars({"a": 1, "b": 2}, caption="b is twice as long.")
    assert (tmp_path / "bars.png").read_bytes().startswith(b"\x89PNG")


# --- The map of GPT-2 ---


def test_the_map_has_the_shapes_of_the_default_model_with_a_longer_context():
    import minigrad as mg
    from course.draw import gpt2
    from minigrad.gpt2_shakespeare import GPT2Config

    vocabulary = mg.load_pretrained()[1]
    config = GPT2Config(context_size=256, vocab_size=vocabulary.vocab_size)
    B, T, C = 32, config.context_size, config.embedding_dim
    H, D, V = config.num_heads, C // config.num_heads, config.vocab_size
    text = inspect.getsource(gpt2)
    for shape in (
        (B, T), (B, T, C), (B, T, 3 * C), (B, T, 4 * C), (B, H, T, D), (B, H, T, T), (B, T, V)
    ):  # fmt: skip
        assert str(shape) in text, shape
    assert f"{config.num_blocks} blocks" in text
    assert f"{H} heads of {D} numbers" in gpt2.KEY and f"{V} different characters" in gpt2.KEY


def test_every_lesson_has_its_place_on_the_map():
    from course.draw import gpt2

    placed = {lesson for part in gpt2.PARTS for lesson in part.lessons}
    assert placed == set(gpt2.BUILDS) == {f"{number:02}" for number in range(1, 11)}


def test_boxes_of_the_map_lie_in_the_picture_and_apart():
    from course.draw import gpt2

    places = [(left, top, left + w, top + h) for _, _, left, top, w, h in gpt2.areas()]
    for number, (a, b, c, d) in enumerate(places):
        assert 0 <= a < c <= 1 and 0 <= b < d <= 1
        for left, top, right, bottom in places[:number]:
            assert c <= left or right <= a or d <= top or bottom <= b, (number, a, b)


def test_the_bold_words_of_the_map_stay_inside_of_their_frames():
    from course.draw import gpt2

    with style.settings():
        ax = gpt2._figure(list(gpt2.BUILDS), []).axes[0]
    ax.figure.draw_without_rendering()
    (zero, _), (one, _) = ax.transData.transform([(0, 0), (1, 0)])
    seen = {text.get_text(): text.get_window_extent().width for text in ax.texts}
    for part in gpt2.PARTS:
        if part.kind == "box":
            assert seen[part.label] < (part.width - 5) * (one - zero), part


def test_what_is_lit_and_what_is_done_differ_in_more_than_colour():
    from course.draw import gpt2

    def texts(lit, done):
        with style.settings():
            ax = gpt2._figure(lit, done).axes[0]
        return sorted(
            (text.get_text(), str(text.get_fontweight()), round(box.get_linewidth(), 1))
            for text in ax.texts
            if (box := text.get_bbox_patch()) and text.get_text().strip("0123456789 ✓") == ""
        ), sorted(patch.get_linewidth() for patch in ax.patches)

    plain, lit, done = texts([], []), texts(["05"], []), texts([], ["05"])
    assert plain != lit and plain != done and lit != done
    assert ("5", "bold", 0.9) in lit[0] and ("5 ✓", "normal", 0.9) in done[0]
    assert lit[1][-1] == 3 > plain[1][-1]


def test_the_map_says_all_of_it_in_the_place_of_the_picture(monkeypatch):
    pytest.importorskip("IPython.display")
    shown = []
    monkeypatch.setattr("IPython.get_ipython", lambda: object())
    monkeypatch.setattr(
        "IPython.display.display", lambda data, raw, metadata=None: shown.append((data, metadata))
    )
    draw.gpt2_map(lit="03")
    (picture, metadata), (caption, _) = shown
    alt = metadata["image/png"]["alt"]
    assert picture["text/plain"] == alt and "lessons 01, 02" in alt
    for word in ("embeddings", "masked", "softmax", "cross-entropy", "Backward"):
        assert word in alt
    assert "layer norm, GELU, softmax" in caption["text/markdown"] and len(alt) > 500


# --- The pictures' colours ---


def test_a_picture_has_few_colours_and_its_areas_keep_theirs():
    from PIL import Image

    page = np.full((300, 400, 3), 255, np.uint8)
    page[50:250, 50:350, 1] = np.linspace(0, 200, 100).repeat(3)  # a map of many tones
    page[10:14, 10:14] = 0, 114, 178  # two small markers: they are few, and stay different
    page[10:14, 30:34] = 0, 158, 115
    found = style.few_colours(Image.fromarray(page))
    assert found.mode == "P" and len(found.getcolors()) <= 127
    error = np.abs(np.asarray(found.convert("RGB")).astype(int) - page).max(axis=-1)
    assert error.max() <= 24
    assert not error[page.min(axis=-1) == 255].any()  # the ground is exact
