"""The README's screenshots: `python -m maintain.screenshots`, where Chromium is installed.

Opens the notebooks in a JupyterLab of its own, runs them, and photographs the playground and two
lessons into docs/pictures/.
"""

import tempfile
from pathlib import Path

from benchmarks import browser

PICTURES = Path(__file__).parent.parent / "docs" / "pictures"
LESSONS = {"02_backprop": "draw_graph", "07_attention": "draw.attention"}  # the cell to show
PICK = 44  # the character that is looked into


def playground(context, server):
    page = browser.open_notebook(context, server, "playground.ipynb")
    complain(browser.run_all(page))
    play = page.locator(".mg-playground")
    length = play.get_by_label("Length", exact=True)
    length.fill("320")
    length.blur()
    play.get_by_role("button", name="Generate").click()
    play.get_by_text("Done: 320 of 320").wait_for(timeout=60 * browser.SECONDS)
    play.locator(".mg-letter").nth(PICK).click()
    play.get_by_role("img", name="attention map").wait_for()
    play.screenshot(path=PICTURES / "playground.png")
    page.close()


def lesson(context, server, name, shown):
    page = browser.open_notebook(context, server, f"{name}.ipynb")
    complain(browser.run_all(page))
    cell = page.locator(".jp-CodeCell", has_text=shown).filter(has=page.locator("img, svg")).first
    cell.scroll_into_view_if_needed()
    cell.evaluate("e => e.scrollIntoView({block: 'center'})")
    page.wait_for_timeout(500)
    page.screenshot(path=PICTURES / f"lesson_{name[:2]}.png")
    page.close()


def complain(errors):
    if errors:
        raise SystemExit("\n".join(errors))


def main():
    if browser.CHROMIUM is None:
        print("Chromium is not installed (Debian: apt-get install chromium)")
        return 1
    with tempfile.TemporaryDirectory() as folder, browser.lab(folder) as server:
        with browser.chromium(width=1250, height=1600) as context:
            playground(context, server)
        with browser.chromium(width=1250, height=900) as context:
            for name, shown in LESSONS.items():
                lesson(context, server, name, shown)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
