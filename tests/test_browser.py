"""The playground and the lessons in a real browser: JupyterLab, driven through Chromium.

The tests of the playground share one page and go from one to the next, as a reader does.
"""

import importlib.util
import json
import re
import time

import pytest

from course.lessons.notebooks import paths
from maintain import browser
from minigrad.apps.pretrained import load_pretrained
from minigrad.apps.sampler import Sampler

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("playwright") is None,
        reason="Playwright is not installed: pip install minigrad[browser]",
    ),
    pytest.mark.skipif(browser.CHROMIUM is None, reason="Chromium is not installed"),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("lab")


@pytest.fixture(scope="module")
def server(folder):
    with browser.lab(folder) as server:
        yield server


@pytest.fixture(scope="module")
def context():
    with browser.chromium(width=1228) as context:
        context.set_default_timeout(20 * browser.SECONDS)
        yield context


@pytest.fixture(scope="module")
def page(server, context):
    page = browser.open_notebook(context, server, "playground.ipynb")
    assert browser.run_all(page) == []
    return page


@pytest.fixture
def play(page):
    """The playground in a cell of 900 pixels, with nothing written and its settings as they were at first."""
    play = page.locator(".mg-playground")
    play.wait_for()
    play.scroll_into_view_if_needed()
    yield play
    if play.get_by_text("Writing: ").is_visible():
        play.get_by_role("button", name="Stop").click()
    play.get_by_role("button", name="Clear").click()
    wait_for_status(play, "Nothing is written")
    for label, value in {"Prompt": "ROMEO:\n", "Length": "400", "Seed": "0"}.items():
        fill(play, label, value)


def fill(play, label, value):
    control = play.get_by_label(label, exact=True)
    control.fill(value)
    control.blur()


def wait_for_status(play, words, seconds=60):
    status = play.get_by_role("status").get_by_text(words)
    status.wait_for(timeout=seconds * browser.SECONDS)


def text(play):
    return play.get_by_role("region", name="The text").text_content()


def next_table(play):
    return play.locator("table").first.inner_text()


def wait_for_another(play, read, before):
    deadline = time.monotonic() + 20
    while read(play) == before:
        assert time.monotonic() < deadline, f"this did not change: {before!r:.200}"
        time.sleep(0.05)
    return read(play)


@pytest.fixture(scope="module")
def sampler():
    return Sampler(*load_pretrained())


def test_every_control_has_a_label_and_a_tooltip_and_fits(play):
    controls = play.locator("button:visible, input:visible, textarea:visible, select:visible")
    nameless = controls.evaluate_all(
        """all => all.filter(control => {
            const widget = control.closest('.jupyter-widgets');
            const label = control.textContent.trim()
                || [...(control.labels ?? [])].map(l => l.textContent).join('').trim();
            const tip = control.title || widget.title || widget.querySelector('[title]')?.title;
            return !control.disabled && !(label && tip);
        }).map(control => control.outerHTML)"""
    )
    assert controls.count() > 12 and nameless == []
    assert play.get_by_role("slider").count() == 3
    assert play.evaluate("e => e.closest('.jp-Cell').clientWidth") <= 900
    cut_off = play.evaluate(
        """root => [...root.querySelectorAll('*')].filter(
            e => e.getBoundingClientRect().right > root.getBoundingClientRect().right + 1
        ).map(e => e.outerHTML.slice(0, 80))"""
    )
    assert cut_off == []


def test_the_bars_change_while_the_temperature_moves(play):
    before = next_table(play)
    handle = play.get_by_role("slider").first
    box = handle.bounding_box()
    play.page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    play.page.mouse.down()
    play.page.mouse.move(box["x"] - 60, box["y"] + box["height"] / 2, steps=4)
    while_moving = wait_for_another(play, next_table, before)
    play.page.mouse.up()
    numbers = re.compile(r"([\d.]+) %\s+([\d.]+) %")
    before, after = numbers.search(before).groups(), numbers.search(while_moving).groups()
    assert after[0] == before[0] and float(after[1]) > float(before[1])
    for _ in range(40):  # and back to 0.80 with the keyboard
        if play.locator(".widget-readout").first.inner_text() == "0.80":
            break
        handle.press("ArrowRight")
        play.page.wait_for_timeout(50)
    assert play.locator(".widget-readout").first.inner_text() == "0.80"


def test_a_seed_gives_exactly_the_text_of_the_sampler(play, sampler):
    sampler.set(prompt="JULIET:\n", length=300, seed=11)
    fill(play, "Prompt", "JULIET:\n")
    fill(play, "Length", "300")
    fill(play, "Seed", "11")
    play.get_by_role("button", name="Generate").click()
    wait_for_status(play, "Done: 300 of 300")
    assert text(play) == sampler.generate()
    shown = play.get_by_role("status").inner_text()
    assert f"{sampler.writing.bits_per_character:.2f} bits per character" in shown
    play.get_by_role("button", name="Copy").click()
    play.get_by_role("button", name="Copied").wait_for()
    assert play.page.evaluate("navigator.clipboard.readText()") == sampler.writing.text


STOP = """root => new Promise(done => {
    const begun = performance.now();
    const wait = () => root.querySelector('[role=status]').textContent.startsWith('Stopped')
        ? done((performance.now() - begun) / 1000) : requestAnimationFrame(wait);
    [...root.querySelectorAll('button')].find(button => button.textContent == 'Stop').click();
    wait();
})"""  # presses Stop; the seconds until the page says that it has stopped


def test_a_long_text_streams_in_and_stops_in_the_middle(play):
    fill(play, "Length", "5000")
    delays = []
    for _ in range(3):
        play.get_by_role("button", name="Generate").click()
        wait_for_status(play, "Writing: ")
        first = len(text(play))
        wait_for_another(play, lambda play, first=first: len(text(play)) > first + 20, False)
        assert play.get_by_role("button", name="Generate").is_disabled()
        delays.append(play.evaluate(STOP))
        assert len("ROMEO:\n") < len(text(play)) < 5000
    assert min(delays) < 0.25, delays  # the quickest: a busy machine may be slow at times
    play.page.wait_for_timeout(500)
    still = text(play)
    play.page.wait_for_timeout(500)
    assert text(play) == still


@pytest.mark.parametrize(
    ("label", "value", "words"),
    [
        ("Prompt", "caffè", "never seen 'è'"),
        ("Prompt", "", "The prompt is empty"),
        ("Length", "0", "Length must be at least 1"),
        ("Length", "999999", "at most 5000"),
        ("Seed", "-1", "Seed must be at least 0"),
    ],
)
def test_an_error_is_said_in_words_and_nothing_stops_working(play, label, value, words):
    fill(play, label, value)
    alert = play.get_by_role("alert")
    alert.get_by_text(words).wait_for()
    play.get_by_role("button", name="Generate").click()
    play.page.wait_for_timeout(300)
    assert alert.is_visible()
    assert play.page.locator(".jp-RenderedText[data-mime-type*=stderr]").count() == 0
    fill(play, label, {"Prompt": "ROMEO:\n", "Length": "20", "Seed": "1"}[label])
    alert.wait_for(state="detached")
    fill(play, "Length", "20")
    play.get_by_role("button", name="Generate").click()
    wait_for_status(play, "Done: 20 of 20")
    assert len(text(play)) == len("ROMEO:\n") + 20


def test_a_picked_character_shows_what_else_and_the_attention(play):
    fill(play, "Length", "100")
    play.get_by_role("button", name="Generate").click()
    wait_for_status(play, "Done: 100 of 100")
    play.locator(".mg-letter").nth(30).click()
    play.get_by_text("there might have stood").wait_for()
    picture = play.get_by_role("img", name=re.compile("attention map"))
    picture.wait_for()
    one = picture.inner_html()
    assert picture.get_attribute("aria-label").startswith("Block 6, head 1")
    assert picture.locator("rect").count() > 28 * 27 / 2
    play.get_by_label("Head", exact=True).select_option("3")
    play.get_by_role("img", name=re.compile("Block 6, head 3")).wait_for()
    assert play.get_by_role("img", name=re.compile("attention map")).inner_html() != one
    assert play.locator(".mg-letter.mg-chosen").count() == 1


def press_tab_until(play, name):
    """Go on with Tab alone until the control of this label has the focus."""
    for _ in range(120):
        play.page.keyboard.press("Tab")
        focused = play.page.evaluate(
            "[document.activeElement.textContent.trim(), document.activeElement.title,"
            " document.activeElement.labels?.[0]?.textContent ?? '']"
        )
        if name in focused or any(part.startswith(name) and part for part in focused[1:]):
            return
    raise AssertionError(f"Tab never reaches {name!r}")


def test_all_of_it_from_the_keyboard_alone(play, sampler):
    keyboard = play.page.keyboard
    play.get_by_label("Prompt", exact=True).focus()
    keyboard.press("Control+A")
    keyboard.type("KING:")
    keyboard.press("Tab")  # the temperature
    before = next_table(play)
    keyboard.press("ArrowLeft")
    wait_for_another(play, next_table, before)
    keyboard.press("ArrowRight")
    press_tab_until(play, "Length")
    keyboard.press("Control+A")
    keyboard.type("90")
    press_tab_until(play, "Seed")
    keyboard.press("Control+A")
    keyboard.type("4")
    press_tab_until(play, "Generate")
    keyboard.press("Enter")
    wait_for_status(play, "Done: 90 of 90")
    sampler.set(prompt="KING:", length=90, seed=4)
    assert text(play) == sampler.generate()
    press_tab_until(play, "Character 10")
    keyboard.press("Space")
    play.get_by_text("character 10, there might have stood").wait_for()
    press_tab_until(play, "Head")
    keyboard.press("Home")
    keyboard.press("ArrowDown")
    play.get_by_role("img", name=re.compile("Block 6, head 2")).wait_for()
    # A long one, stopped.
    play.get_by_label("Length", exact=True).focus()
    keyboard.press("Control+A")
    keyboard.type("5000")
    press_tab_until(play, "Generate")
    keyboard.press("Space")
    wait_for_status(play, "Writing: ")
    press_tab_until(play, "Stop")
    keyboard.press("Enter")
    wait_for_status(play, "Stopped: ")
    # An error, and back.
    play.get_by_label("Prompt", exact=True).focus()
    keyboard.press("Control+A")
    keyboard.press("Delete")
    play.get_by_role("alert").get_by_text("The prompt is empty").wait_for()
    keyboard.type("A")
    play.get_by_role("alert").wait_for(state="detached")


@pytest.mark.parametrize("name", [path.name for path in paths()])
def test_a_lesson_opens_and_runs(server, context, name, pytestconfig):
    """All open; those that need no training run, too, and in the long mode all."""
    page = browser.open_notebook(context, server, name)
    try:
        assert page.locator(".jp-CodeCell").count() > 10
        if name[:2] in ("01", "02", "07") or pytestconfig.getoption("--long"):
            assert browser.run_all(page, seconds=400) == []
    finally:
        page.close()


# --- In JupyterLab and in Notebook 7 ---

needs_notebook_7 = pytest.mark.skipif(
    importlib.util.find_spec("notebook") is None,
    reason="Notebook 7 is not installed: pip install minigrad[browser]",
)


@needs_notebook_7
def test_the_playground_writes_in_notebook_7(server, context, sampler):
    page = browser.open_notebook(context, server, "playground.ipynb", browser.NOTEBOOK_7)
    assert browser.run_all(page) == []
    play = page.locator(".mg-playground")
    fill(play, "Length", "60")
    play.get_by_role("button", name="Generate").click()
    wait_for_status(play, "Done: 60 of 60")
    sampler.set(prompt="ROMEO:\n", length=60, seed=0)
    assert text(play) == sampler.generate()
    page.close()


WATCHED = """
import itertools, time
from course.draw.watch import watch

losses = (1 / n for n in itertools.count(1))

def step():
    time.sleep(0.02)
    return next(losses)

record = watch(step, 100_000, every=50, validate=lambda: 2.0, caption="A short training.")
print("kept", record.losses[-1] == 1 / len(record.losses))
"""


@pytest.mark.parametrize(
    "application",
    [browser.LAB, pytest.param(browser.NOTEBOOK_7, marks=needs_notebook_7)],
    ids=["JupyterLab", "Notebook 7"],
)
def test_a_training_is_drawn_while_it_runs_and_can_be_stopped(server, context, folder, application):
    words = {"cell_type": "markdown", "id": "words", "metadata": {}, "source": "A training."}
    code = {"cell_type": "code", "id": "code", "metadata": {}, "outputs": [], "source": WATCHED}
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {"kernelspec": kernel}}
    notebook["cells"] = [words, code | {"execution_count": None}]
    path = folder / "notebooks" / f"watched_{application.partition('/')[0]}.ipynb"
    path.write_text(json.dumps(notebook), encoding="utf-8")
    page = browser.open_notebook(context, server, path.name, application)
    browser.press(page, "Run", "Run All Cells")
    picture = page.locator(".jp-OutputArea-output img")
    picture.wait_for()
    first = picture.get_attribute("src")
    wait_for_another(page, lambda _: picture.get_attribute("src"), first)
    page.get_by_text("validation loss 2.000").first.wait_for()
    page.get_by_role("button", name="Interrupt the kernel").click()
    page.get_by_text("interrupted: the model is as step").wait_for()
    page.get_by_text("kept True").wait_for()
    page.locator(".jp-OutputArea-output em").get_by_text("A short training.").wait_for()
    assert picture.count() == 1
    page.close()
