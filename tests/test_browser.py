"""The lessons in a real browser: JupyterLab and Notebook 7, driven through Chromium."""

import importlib.util
import json
import re
import time

import pytest

from course.lessons.notebooks import paths
from maintain import browser

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("playwright") is None,
        reason="Playwright is not installed: pip install -e .[browser]",
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


def wait_for_another(play, read, before):
    deadline = time.monotonic() + 20
    while read(play) == before:
        assert time.monotonic() < deadline, f"this did not change: {before!r:.200}"
        time.sleep(0.05)
    return read(play)


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
    reason="Notebook 7 is not installed: pip install -e .[browser]",
)


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


@pytest.mark.parametrize(
    "application",
    [browser.LAB, pytest.param(browser.NOTEBOOK_7, marks=needs_notebook_7)],
    ids=["JupyterLab", "Notebook 7"],
)
def test_second_reading_opens_folded_and_shift_enter_runs_through_it(server, context, application):
    page = browser.open_notebook(context, server, "01_tensor.ipynb", application)
    heading = page.locator(".jp-MarkdownCell", has_text="Second reading: Views and copies")
    inside = page.locator(".jp-CodeCell", has_text="row, rows = x[1], x[[1]]")
    page.get_by_text("5 cells hidden").first.wait_for()
    assert not inside.is_visible()
    prompt = inside.locator(".jp-InputPrompt")
    stored = prompt.text_content()
    heading.click()
    for _ in range(3):  # the heading, the words below it, the code
        page.keyboard.press("Shift+Enter")
        page.wait_for_timeout(300)
    assert inside.is_visible()
    # It has run: this kernel counts otherwise than the one of the stored outputs.
    inside.locator(".jp-InputPrompt", has_text=re.compile(r"\[\d+\]")).wait_for()
    page.wait_for_function("([e, t]) => e.textContent !== t", arg=[prompt.element_handle(), stored])
    page.close()
