"""The figures that move: the same text for the same data, and numbers that change in a browser."""

import importlib.util
import json
import re

import numpy as np
import pytest

from course.draw import motion as moving
from maintain import browser
from minigrad.bpe import count_pairs, merge

GRAPH = {
    "nodes": [
        {"name": "x", "op": "", "value": 2, "x": 70, "y": 150, "inputs": []},
        {"name": "s", "op": "x + 1", "value": 3, "x": 250, "y": 150, "inputs": [["x", 1]]},
        {"name": "u", "op": "2 · s", "value": 6, "x": 450, "y": 80, "inputs": [["s", 2]]},
        {
            "name": "z",
            "op": "s · u",
            "value": 18,
            "x": 640,
            "y": 180,
            "inputs": [["s", 6], ["u", 3]],
        },
    ],
    "orders": {"right": ["z", "u", "s", "x"], "wrong": ["z", "s", "u", "x"]},
    "height": 260,
}
VIEW = {"rows": 3, "columns": 4, "stride of rows": 4, "stride of columns": 1, "offset": 0}
TURNED = VIEW | {"rows": 4, "columns": 3, "stride of rows": 1, "stride of columns": 4}


def surprise():
    """A vocabulary of five, tables that say what they are, and networks of random numbers."""
    dice = np.random.default_rng(0)
    sizes = {"embedding": (5, 2), "hidden": (3, 4), "output": (5, 3)}
    network = {name: dice.standard_normal(size) for name, size in sizes.items()}
    network |= {"hidden_bias": np.zeros(3), "output_bias": np.zeros(5)}
    return {
        "vocabulary": "\nabc ",
        "start": "\n\n",
        "sentence": "abba cab",
        "window": 2,
        "letters": moving.packed([3, 1, 2, 3, 4]),
        "pairs": moving.packed(np.arange(25) / 5, bits=6),
        "network": {name: moving.packed(numbers) for name, numbers in network.items()},
        "gpt": moving.small_gpt2(),
    }


def training():
    """Three moments of two heads over a text of three characters."""
    maps = np.array([[[1, 0.5, 0.5, 0.2, 0.2, 0.6]] * 2, [[1, 0, 1, 0, 0, 1]] * 2, [[1] * 6] * 2])
    return {
        "losses": [[1, 4.2], [50, 3.0], [100, 2.5]],
        "moments": [
            {"step": step, "validation": loss, "sample": f"after {step} </pre>"}
            for step, loss in ((1, 4.1), (50, 3.1), (100, 2.6))
        ],
        "text": "to ",
        "names": ["block 0, head 0", "block 0, head 1"],
        "maps": moving.packed(maps, bits=6),
    }


DATA = {
    "attention": {
        "text": "to be",
        "D": 4,
        "heads": [
            {"name": "one", "products": [[i - j for j in range(5)] for i in range(5)]},
            {"name": "two", "products": [[4 * (i == j) for j in range(5)] for i in range(5)]},
        ],
    },
    "backward": GRAPH,
    "broadcasting": {"a": [3, 1], "b": [4]},
    "descent": {"a": 1, "b": 12},
    "merges": {"text": "the cat and the hat sat on the mat", "merges": 4},
    "rotary": {"query": [1.2, 0.5, -0.4, 0.9], "key": [0.7, 1.0, 0.8, 0.5], "base": 100},
    "softmax": {"names": ["cat", "dog", "owl"], "logits": [2.0, 1.0, 0.1], "target": 0},
    "spread": {"layers": 20},
    "strides": {
        "memory": list(range(12)),
        "presets": [{"name": "x", "values": VIEW}, {"name": "x.T", "values": TURNED}],
    },
    "surprise": surprise(),
    "training": training(),
}


def page(name):
    return moving.page(name, DATA[name], caption=f"The figure {name}.", attempt="move it.")


def test_every_figure_is_tried_here():
    for name, table in {"DATA": DATA, "MOUSE": MOUSE, "KEYS": KEYS}.items():
        missing, gone = set(moving.FIGURES) - set(table), set(table) - set(moving.FIGURES)
        assert not missing and not gone, f"{name} lacks {missing}, and there is no figure {gone}"


@pytest.mark.parametrize("name", DATA)
def test_the_text_is_the_same_small_and_asks_nobody(name):
    text = page(name)
    assert text == page(name) and len(text) < moving.LARGEST
    assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|\bimport\b[^\n]*from", text)


def test_data_cannot_end_the_script():
    data = DATA["softmax"] | {"names": ["</script><b>", "\u2028", "owl"]}
    text = moving.page("softmax", data, caption="</figcaption>", attempt="x")
    assert text.count("</script>") == 1 and "</figcaption>\n" in text


def test_what_is_unknown_or_too_large_is_refused():
    with pytest.raises(ValueError, match="there is no moving figure 'x'"):
        moving.page("x", {}, caption="", attempt="")
    with pytest.raises(ValueError, match="characters, over"):
        moving.page("softmax", {"names": ["x" * 70_000]}, caption="", attempt="")


# --- In a browser ---


@pytest.fixture(scope="module")
def context():
    if importlib.util.find_spec("playwright") is None or browser.CHROMIUM is None:
        pytest.skip("needs Playwright and Chromium: the extra `browser`")
    with browser.chromium(width=900) as context:
        context.set_default_timeout(20 * browser.SECONDS)
        yield context


@pytest.fixture(params=sorted(DATA))
def shown(request, context, tmp_path):
    """A page with one figure, and its errors."""
    path = tmp_path / "figure.html"
    head = '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>figure</title><main>'
    path.write_text(head + page(request.param) + "</main></html>", encoding="utf-8")
    tab = context.new_page()
    tab.errors = []
    tab.on("pageerror", lambda error: tab.errors.append(str(error)))
    tab.goto(path.as_uri())
    tab.locator(".mgl-words").wait_for()
    yield request.param, tab
    assert tab.errors == []
    tab.close()


def words(tab):
    return tab.locator(".mgl-words").inner_text()


# How each is moved with the mouse, and with the keyboard: what has the focus, and a key.
MOUSE = {
    "attention": lambda tab: tab.locator("svg").first.locator("rect").nth(12).hover(),
    "backward": lambda tab: tab.get_by_role("button", name="Next").click(),
    "broadcasting": lambda tab: tab.locator("svg g rect").nth(9).hover(),
    "descent": lambda tab: drag(tab, tab.locator("svg circle[role=slider]"), 80, 40),
    "merges": lambda tab: tab.get_by_role("button", name="Next").click(),
    "rotary": lambda tab: drag(tab, tab.get_by_label("both together"), 80, 0),
    "softmax": lambda tab: drag(tab, tab.locator("svg [role=slider]").first, 0, -30),
    "spread": lambda tab: tab.get_by_label("Activation").select_option(label="ReLU"),
    "strides": lambda tab: tab.get_by_label("Look at").select_option(label="x.T"),
    "surprise": lambda tab: tab.locator("svg g").nth(2).hover(),
    "training": lambda tab: tab.get_by_label("Map").select_option(label="block 0, head 1"),
}
KEYS = {
    "attention": ("[aria-label^='Attention maps']", "ArrowUp"),
    "backward": ("button:has-text('Next')", "Enter"),
    "broadcasting": ("svg[tabindex]", "ArrowRight"),
    "descent": ("svg circle[role=slider]", "ArrowRight"),
    "merges": ("button:has-text('Next')", "Enter"),
    "rotary": ("[aria-label='position of the key']", "ArrowLeft"),
    "softmax": ("svg [role=slider]", "ArrowUp"),
    "spread": ("input[type=range]", "ArrowRight"),
    "strides": ("svg[tabindex]", "ArrowRight"),
    "surprise": ("[aria-label^='Surprise']", "ArrowRight"),
    "training": ("input[type=range]", "ArrowLeft"),
}


def drag(tab, handle, x, y):
    box = handle.bounding_box()
    start = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    tab.mouse.move(*start)
    tab.mouse.down()
    tab.mouse.move(start[0] + x, start[1] + y, steps=4)
    tab.mouse.up()


def test_mouse_and_keyboard_move_it(shown):
    name, tab = shown
    before = words(tab)
    MOUSE[name](tab)
    moved = words(tab)
    assert moved != before
    place, key = KEYS[name]
    tab.locator(place).first.focus()
    tab.keyboard.press(key)
    assert words(tab) != moved


def test_it_fits_a_phone_and_axe_finds_nothing_serious(shown):
    name, tab = shown
    tab.set_viewport_size({"width": 390, "height": 800})
    assert tab.evaluate("() => document.documentElement.scrollWidth") <= 390, name
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(tab).response["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []


def test_backward_in_the_wrong_order_says_so(context, tmp_path):
    path = tmp_path / "figure.html"
    path.write_text("<!DOCTYPE html><meta charset=utf-8>" + page("backward"), encoding="utf-8")
    tab = context.new_page()
    tab.goto(path.as_uri())
    for order, verdict in (("right", "Done, and right."), ("wrong", "x should have 12")):
        tab.get_by_label("Order").select_option(label=order)
        for _ in range(4):
            tab.get_by_role("button", name="Next").click()
        assert verdict in words(tab)
    tab.close()


# --- What they compute ---


@pytest.fixture
def opened(context, tmp_path):
    """A function that opens a page with a figure."""
    tabs = []

    def open_page(name, data):
        path = tmp_path / f"{name}.html"
        text = moving.page(name, data, caption="A figure.", attempt="move it.")
        path.write_text(f"<!DOCTYPE html><meta charset=utf-8>{text}", encoding="utf-8")
        tabs.append(context.new_page())
        tabs[-1].goto(path.as_uri())
        tabs[-1].locator(".mgl-words").wait_for()
        return tabs[-1]

    yield open_page
    for tab in tabs:
        tab.close()


def test_a_menu_of_long_names_lies_under_no_button_of_a_phone(opened):
    orders = {"each node after all that use it": GRAPH["orders"]["right"]}
    tab = opened("backward", GRAPH | {"orders": orders})
    tab.set_viewport_size({"width": 390, "height": 800})
    menu = tab.get_by_label("Order").bounding_box()
    back = tab.get_by_role("button", name="Back").bounding_box()
    beside = menu["x"] + menu["width"] <= back["x"]
    assert beside or menu["y"] + menu["height"] <= back["y"]


@pytest.mark.parametrize("bits", range(1, 9))
def test_packed_numbers_come_back_rounded(bits):
    numbers = np.linspace(-1, 3, 2**bits)
    found = moving.unpacked(json.loads(json.dumps(moving.packed(numbers, bits))))
    assert np.allclose(found, numbers, atol=1e-4)
    assert np.array_equal(moving.unpacked(moving.packed([2.5] * 7, bits)), [2.5] * 7)


@pytest.mark.parametrize("numbers, bits", [([], 8), ([1, np.inf], 8), ([1, np.nan], 4), ([1], 9)])
def test_what_cannot_be_packed_is_refused(numbers, bits):
    with pytest.raises(ValueError, match="packed: takes finite numbers"):
        moving.packed(numbers, bits)


def test_the_typed_sentence_has_the_surprise_that_minigrad_computes(opened):
    """Every model of the figure against the same model in Python, at the places of a sentence."""
    import minigrad as mg
    from maintain.small_gpt2 import load

    data, typed = surprise(), "cabba, cab"  # the comma is unknown
    text = data["start"] + "cabba cab"
    tab = opened("surprise", data)
    tab.get_by_label("A sentence").fill(typed)
    assert "“,”: left out" in words(tab)

    tokens = np.array([data["vocabulary"].index(c) for c in text])
    given = {name: moving.unpacked(numbers) for name, numbers in data["network"].items()}
    read = given["embedding"].reshape(5, 2)[np.stack([tokens[:-2], tokens[1:-1]], axis=1)]
    hidden = np.tanh(read.reshape(-1, 4) @ given["hidden"].reshape(3, 4).T)
    network = hidden @ given["output"].reshape(5, 3).T
    with mg.no_grad():
        model = load()
        ids = [model.vocabulary.index(c) for c in text]
        gpt = mg.log_softmax(model(np.array([ids]))).data[0, 1:-1]  # before each character
    network -= np.log(np.exp(network).sum(1, keepdims=True))
    places = np.arange(len(text) - 2)
    expected = {
        "letters": moving.unpacked(data["letters"])[tokens[2:]],
        "pairs": moving.unpacked(data["pairs"]).reshape(5, 5)[tokens[1:-1], tokens[2:]],
        "network": -network[places, tokens[2:]] / np.log(2),
        "GPT-2": -gpt[places, ids[2:]] / np.log(2),
    }
    for name, surprises in expected.items():
        row = tab.locator("tbody tr").filter(has_text=name)
        assert float(row.locator("td").first.inner_text()) == pytest.approx(
            surprises.mean(), abs=0.006
        ), name


@pytest.mark.parametrize(
    "one, other", [((3, 1), (4,)), ((2, 1, 4), (3, 1)), ((), (2, 2)), ((4,), (4, 4)), ((2,), (2,))]
)
def test_broadcasting_is_numpy_s_and_so_is_the_way_back(opened, one, other):
    """The shape of the result, its cells, and how many of them each gradient sums."""
    tab = opened("broadcasting", {"a": one, "b": other})
    a = 1 + np.arange(np.prod(one, dtype=int)).reshape(one)
    b = 100 * (1 + np.arange(np.prod(other, dtype=int)).reshape(other))
    total = a + b
    written = [text.text_content() for text in tab.locator("svg text").all()]
    titles = [f"a {one}", f"b {other}", f"a + b {total.shape}"]
    assert [text for text in written if text.startswith(("a", "b"))] == titles
    assert written[-total.size :] == [str(number) for number in total.ravel()]
    draw = tab.locator("svg[tabindex]")
    for _ in range(a.size):  # round to where it began
        marks = tab.locator("svg g rect[stroke-width='2.5']").count()
        times = total.size // a.size
        assert marks == 2 * times and ("once" if times == 1 else f"{times} times") in words(tab)
        draw.press("ArrowRight")


def test_shapes_that_do_not_broadcast_are_refused_in_words_until_they_are_mended(opened):
    tab = opened("broadcasting", {"a": [4, 3], "b": [3]})
    tab.get_by_label("b, axis −1").select_option("4")
    assert "(4, 3) and (4,) do not broadcast: on axis −1 the sizes are 3 and 4." in words(tab)
    assert "Then its shape is (4, 1)." in words(tab)
    tab.get_by_label("b, axis −2").select_option("4")
    tab.get_by_label("b, axis −1").select_option("1")
    assert "a + b (4, 3)" in tab.locator("svg").text_content()
    tab.get_by_label("b, axis −1").select_option("none")  # then nothing is left of it either
    assert tab.get_by_label("b, axis −2").input_value() == "0"
    tab.get_by_label("b, axis −3").select_option("2")  # and here what lies to the right is there
    assert "b (2, 1, 1)" in tab.locator("svg").text_content()


@pytest.mark.parametrize("text", ["the cat and the hat sat on the mat", "naïve, naïve: aaaa", "ab"])
def test_merges_are_those_of_lesson_9(opened, text):
    """Pair by pair what its functions make; half a character is a number."""
    tab = opened("merges", {"text": text, "merges": 5})
    word, pieces = tuple(text.encode()), [bytes([byte]) for byte in range(256)]
    while True:
        pairs = count_pairs({word: 1})
        assert f"{len(text.encode())} bytes, {len(word)} tokens." in words(tab)
        boxes = [int(box.get_attribute("title")[6:]) for box in tab.locator("span[title]").all()]
        assert tuple(boxes) == word
        if len(pieces) == 261 or max(pairs.values()) < 2:
            break
        pair = pairs.most_common(1)[0][0]
        word = merge(word, pair, len(pieces))
        pieces.append(pieces[pair[0]] + pieces[pair[1]])
        tab.get_by_role("button", name="Next").click()
    assert tab.get_by_role("button", name="Next").is_disabled()


def test_no_merge_goes_over_the_end_of_a_word(opened):
    tab = opened("merges", {"text": "at cat at cat at cat", "merges": 20})
    for switch, longest in ((False, "at␣cat␣"), (True, "␣cat")):
        tab.get_by_label("cut into words first").set_checked(switch)
        while tab.get_by_role("button", name="Next").is_enabled():
            tab.get_by_role("button", name="Next").click()
        pieces = re.findall("“(.*?)”", tab.locator(".mgl-try").inner_text())
        assert max(pieces, key=len) == longest, pieces


def test_the_score_is_that_of_rotate_and_depends_on_the_distance_alone(opened):
    from minigrad.llama_layers import rotate, rotations

    data = DATA["rotary"]
    tab = opened("rotary", data)

    def expected(place, distance):
        turned = [
            rotate(
                np.array(data[name])[None, None, None],
                rotations(position, 1, len(data[name]), data["base"]),
            ).data.ravel()
            for name, position in (("query", place), ("key", place - distance))
        ]
        return f"{turned[0] @ turned[1]:.2f}".replace("-", "−")

    assert f"The score is {expected(20, 5)}" in words(tab)
    both, key = tab.get_by_label("both together"), tab.get_by_label("position of the key")
    for _ in range(3):
        both.press("ArrowRight")
    assert "Query at 23, key at 18." in words(tab) and f" {expected(20, 5)}, " in words(tab)
    for distance in range(6, 12):
        key.press("ArrowLeft")
        assert f"The score is {expected(23, distance)}" in words(tab)
    for _ in range(20):  # the bar stops where one of the two does
        both.press("ArrowRight")
    assert f"Query at 30, key at 19. The score is {expected(30, 11)}" in words(tab)


def test_the_small_gpt2_is_as_good_as_its_file_says():
    """And better than lesson 6's network, which reaches 2.83 bits per character."""
    from maintain.small_gpt2 import load
    from minigrad.data import CharTokenizer, TextDataset, load_shakespeare, train_validation_split
    from minigrad.gpt2_shakespeare import evaluate

    model, text = load(), load_shakespeare()
    tokens = CharTokenizer(text).encode(text)
    assert model.vocabulary == "".join(sorted(set(text)))
    validation = TextDataset(train_validation_split(tokens)[1], model.config.context_size)
    loss = evaluate(model, validation, num_batches=20)
    assert loss == pytest.approx(moving.small_gpt2()["loss"], abs=0.03)
    assert loss / np.log(2) < 2.75
