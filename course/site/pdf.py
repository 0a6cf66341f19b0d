"""All lessons as one PDF: Chromium prints each page of a built site, and pypdf joins them."""

import importlib.util
import io
import shutil
from pathlib import Path

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
MARGIN = "15mm"


def missing() -> list[str]:
    """What a PDF needs and is not there."""
    names = [name for name in ("playwright", "pypdf") if importlib.util.find_spec(name) is None]
    return names + ([] if CHROMIUM else ["chromium"])


def write(site: Path, file: Path) -> int:
    """Print the lessons of a built site into a file; returns the number of pages."""
    from playwright.sync_api import sync_playwright
    from pypdf import PdfWriter

    lessons = sorted((site / "notebooks").glob("*.html"))
    writer = PdfWriter()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for lesson in lessons:
            page = browser.new_page(color_scheme="light")
            page.goto(lesson.resolve().as_uri())
            page.evaluate("() => window.MathJax && MathJax.startup.promise")
            margins = dict.fromkeys(("top", "right", "bottom", "left"), MARGIN)
            printed = page.pdf(format="A4", margin=margins)
            writer.append(io.BytesIO(printed), outline_item=page.title())
            page.close()
        browser.close()
    writer.compress_identical_objects()
    writer.write(file)
    return len(writer.pages)
