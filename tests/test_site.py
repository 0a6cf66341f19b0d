"""The course as a web site: its links and sources as text, and every page in Chromium."""

import functools
import html
import http.server
import importlib.util
import json
import re
import threading
from argparse import ArgumentTypeError
from contextlib import contextmanager
from html.parser import HTMLParser
from pathlib import PurePosixPath
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import pytest
import yaml

from course.lessons import notebooks
from course.lessons.exercise import exercises
from course.lessons.notebooks import ROOT
from course.site import command, pages, pdf
from course.site.links import relink
from course.site.repository import Repository
from maintain import browser, slides

HERE = Repository("github.com", "ann/minigrad")
LESSONS = [path.stem for path in notebooks.paths()]
READ = [path.stem for path in notebooks.all_paths()]  # with the way in
WIDTHS = (1400, 390)
THEMES = ("light", "dark")

needs_sphinx = pytest.mark.skipif(
    any(importlib.util.find_spec(name) is None for name in command.NEEDED),
    reason="Sphinx, its theme or MathJax is not installed: the extra `site` has them",
)
in_a_browser = [
    pytest.mark.skipif(
        importlib.util.find_spec("playwright") is None,
        reason="Playwright is not installed: the extra `browser` has it",
    ),
    pytest.mark.skipif(browser.CHROMIUM is None, reason="Chromium is not installed"),
]


# --- Links and addresses ---


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("see [names](names.md#add)", "see [names](names.md#add)"),
        ("[a](https://x.org/b) [c](#d)", "[a](https://x.org/b) [c](#d)"),
        ("[code](../course/draw/text.py)", "code"),
        ("[`code`](../course/draw/text.py#L3) end", "`code` end"),
        ("![picture](gone.png)", "picture"),
        ("`[x](gone.md)` and ``[`y`](gone.md)``", "`[x](gone.md)` and ``[`y`](gone.md)``"),
        ("```\nf[0](gone)\n```\n[b](gone)", "```\nf[0](gone)\n```\nb"),
    ],
)
def test_links_to_what_is_not_on_the_site_become_words(text, expected):
    assert relink(text, "docs/a.md", {"docs/names.md"}, lambda path: None) == expected


def test_links_to_what_is_not_on_the_site_lead_to_the_repository():
    text = relink("[x](../course/draw/text.py#L3)", "docs/a.md", set(), HERE.file)
    assert text == "[x](https://github.com/ann/minigrad/blob/main/course/draw/text.py#L3)"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("https://github.com/ann/minigrad", HERE),
        ("https://github.com/ann/minigrad.git", HERE),
        ("https://github.com/ann/minigrad/", HERE),
        ("https://git.uni.example/a/b/c", Repository("git.uni.example", "a/b/c")),
    ],
)
def test_the_address_of_a_repository_is_read(address, expected):
    assert Repository.read(address) == expected


@pytest.mark.parametrize("address", ["", "minigrad", "javascript:alert(1)", "https://x.org/", "/a"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(ArgumentTypeError, match="no address"):
        Repository.read(address)


def test_only_a_host_whose_addresses_are_known_gets_more_than_a_link_to_itself():
    name = "notebooks/01_tensor.ipynb"
    assert HERE.on("next").links(name)["Edit"].endswith(f"/ann/minigrad/edit/next/{name}")
    other = Repository("git.uni.example", "a/b")
    assert other.links(name) == {"Source": "https://git.uni.example/a/b"}


def test_summaries_hold_formulas_and_code():
    text = pages.in_summaries("<summary>Why $a^2$ and `f(x)`?</summary> $b$ `g`")
    assert text.endswith("</summary> $b$ `g`") and "<code>f(x)</code>?</summary>" in text
    assert r'<span class="math notranslate nohighlight">\(a^2\)</span>' in text


# --- One lesson as a file ---


class Folds(HTMLParser):
    """A page's texts, and in which kinds of `<details>` each of them lies."""

    def __init__(self):
        super().__init__()
        self.open, self.most, self.texts = [], [], []

    def handle_starttag(self, tag, attributes):
        if tag == "details":
            self.open.append(dict(attributes).get("class"))
            self.most.append(self.open[-1])

    def handle_endtag(self, tag):
        if tag == "details":
            self.open.pop()

    def handle_data(self, data):
        self.texts.append((data, tuple(self.open)))

    def where(self, words):
        """The folds around the first piece of text that is these words."""
        return next(place for text, place in self.texts if text.strip() == words)


def exported(name):
    """The page that nbconvert makes of a lesson."""
    nbconvert = pytest.importorskip("nbconvert")
    settings = {"template_name": "export", "extra_template_basedirs": [str(ROOT / "course/site")]}
    path = ROOT / "notebooks" / f"{name}.ipynb"
    return nbconvert.HTMLExporter(**settings).from_filename(str(path))[0]


def test_an_exported_lesson_folds_what_jupyterlab_folds():
    page = exported("01_tensor")
    found = Folds()
    found.feed(page)
    assert found.open == []
    cells = notebooks.load(ROOT / "notebooks/01_tensor.ipynb")["cells"]
    drawing = sum("hide-input" in cell["metadata"].get("tags", []) for cell in cells)
    second = sum("jp-MarkdownHeadingCollapsed" in cell["metadata"] for cell in cells)
    assert found.most.count("drawing") == drawing > 10
    assert found.most.count("second-reading") == second > 5
    assert found.where("cumsum") == ("second-reading",)
    for name in ("mul", "sum", "matmul"):  # what everybody reads
        assert found.where(name) == ()
    for words in ("7. Broadcasting: strides of zero", "Exercise 01.4: Reductions"):
        assert found.where(words) == ()
    assert "No description has been provided" not in page and 'alt="The map of GPT-2.' in page


@needs_sphinx
class TestFiles:
    """What is sent as one file asks nobody for anything."""

    pytestmark = in_a_browser

    def test_an_exported_lesson_draws_its_formulas(self, context, tmp_path):
        page = exported("01_tensor")
        (tmp_path / "lesson.html").write_text(page, encoding="utf-8")
        address, strays = (tmp_path / "lesson.html").as_uri(), []
        with watched(context, address, strays) as page:
            page.goto(address)
            settle(page)
            found = page.evaluate(LOOK)
            assert not found["missing"] and not found["raw"] and not found["badFormulas"]
            assert page.locator("mjx-container").count() > 100 and found["alive"]
        assert not strays

    def test_slides_are_shown_one_after_another(self, context, tmp_path):
        assert slides.main(["02", "--out", str(tmp_path)]) == 0
        address, strays = (tmp_path / "02_backprop.slides.html").as_uri(), []
        with watched(context, address, strays) as page:
            page.set_viewport_size({"width": 1280, "height": 800})
            page.goto(address)
            settle(page)
            found = page.evaluate(LOOK)
            assert not found["missing"] and not found["raw"] and not found["badFormulas"]
            assert page.locator("mjx-container").count() > 30 and found["alive"]
            page.evaluate("Reveal.configure({ transition: 'none' })")
            for _ in range(page.evaluate("Reveal.getTotalSlides()")):
                shown = page.locator("section section.present")
                box = shown.bounding_box()
                assert box["y"] >= 0 and box["y"] + box["height"] <= 800, shown.inner_text()
                assert shown.inner_text().strip()
                page.keyboard.press("ArrowRight")
            assert page.evaluate("Reveal.isLastSlide()")
        assert not strays


# --- The sources ---


def test_the_sources_name_no_address_of_a_repository_unless_it_is_given(tmp_path):
    pytest.importorskip("mathjax")
    for folder, repository in (("without", None), ("with", HERE)):
        pages.write(tmp_path / folder, repository=repository)
        for name in LESSONS:
            text = (tmp_path / folder / "notebooks" / f"{name}.ipynb").read_text(encoding="utf-8")
            for words in ("Open in Colab", "Open in Binder", "Open in Codespaces", "Edit"):
                assert (f"[{words}](https://" in text) == (repository is not None)


@needs_sphinx
def test_a_folder_of_somebody_else_is_refused(tmp_path, capsys):
    (tmp_path / "thesis.txt").write_text("precious", encoding="utf-8")
    assert command.main(["--out", str(tmp_path)]) == 2
    assert "holds no site" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_what_is_missing_is_named(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(command, "NEEDED", ("sphinx_of_another_world",))
    assert command.main(["--out", str(tmp_path / "site")]) == 2
    assert 'sphinx_of_another_world: python -m pip install -e ".[site]"' in capsys.readouterr().err


@pytest.mark.parametrize("file", [".github/workflows/pages.yml", ".readthedocs.yaml"])
def test_who_publishes_calls_the_command_as_it_is(file, capsys):
    text = (ROOT / file).read_text(encoding="utf-8")
    yaml.safe_load(text)
    assert 'python -m pip install -e ".[site]"' in text and "python -m course site" in text
    with pytest.raises(SystemExit):
        command.main(["--help"])
    options = capsys.readouterr().out
    used = re.findall(r"(?<=\s)--\w+", text.partition("python -m course site")[2])
    assert used and all(option in options for option in used)


def test_the_container_installs_what_reading_needs():
    content = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    assert "pip install -e '.[course]'" in content["postCreateCommand"]


# --- The built pages ---


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The whole course's site. A warning of Sphinx is an error."""
    out = tmp_path_factory.mktemp("site") / "out"
    command.build(out)
    return out


@pytest.fixture(scope="module")
def students_site(tmp_path_factory):
    out = tmp_path_factory.mktemp("site") / "out"
    command.build(out, student=True)
    return out


def squeezed(text):
    """Text without what an editor may change: spaces, quotes, line ends."""
    return re.sub(r"[\s\"'\\]+", "", text)


def plain(page):
    """A file's text, squeezed: with its tags, and once more without."""
    scripts = re.compile(r"<script.*?</script>", re.S)  # a `<` in them opens no tag
    words = html.unescape(re.sub(r"<[^>]*>", "", scripts.sub("", page)))
    return squeezed(page) + squeezed(words)


def texts(folder):
    """File -> its text, of every file that can hold words."""
    return {
        path.relative_to(folder).as_posix(): path.read_text(encoding="utf-8")
        for path in folder.rglob("*")
        if path.suffix in (".html", ".js", ".json", ".csv", ".txt", ".ipynb", ".md", ".py")
    }


@needs_sphinx
def test_every_lesson_has_its_page_with_the_stored_outputs(site):
    for name in READ:
        page = (site / "notebooks" / f"{name}.html").read_text(encoding="utf-8")
        assert page.count("cell_output") >= (10 if name in LESSONS else 4), name
        assert 'class="prev-next-area"' in page and "widget-view" not in page


@needs_sphinx
def test_a_reader_goes_from_page_to_page_and_back(site):
    """The way in comes first; each page leads to its neighbours."""
    for before, after in zip(READ, READ[1:]):
        page = (site / "notebooks" / f"{before}.html").read_text(encoding="utf-8")
        assert re.search(rf'class="right-next"\s+href="{after}.html"', page), before
        page = (site / "notebooks" / f"{after}.html").read_text(encoding="utf-8")
        assert re.search(rf'class="left-prev"\s+href="{before}.html"', page), after


@needs_sphinx
def test_every_part_of_the_map_leads_to_the_lesson_that_builds_it(site, students_site):
    for place in (site, students_site):
        text = (place / "index.html").read_text(encoding="utf-8")
        figure = re.search(r'<figure class="course-map">.*?</figure>', text, re.S)[0]
        assert 'alt="Text becomes tokens' in figure and (place / "_static/map.png").exists()
        links = re.findall(r'<a href="([^"]+)" style="[^"]+" title="[^"]*lesson (\d+)\)"', figure)
        assert len(links) > 25 and all((place / link).exists() for link, _ in links)
        assert all(f"notebooks/{int(lesson):02}_" in link for link, lesson in links)
        assert {f"{int(lesson):02}" for _, lesson in links} == {
            name[:2] for name in LESSONS if name[:2] <= "08"
        }


@needs_sphinx
def test_the_maps_of_a_lesson_are_used_as_that_of_the_front_page_is(site):
    front = (site / "index.html").read_text(encoding="utf-8")
    parts = set(re.findall(r'<a href="([^"]+)" style="([^"]+)" title=', front))
    for name in [*LESSONS, "00_start"]:
        page = (site / "notebooks" / f"{name}.html").read_text(encoding="utf-8")
        maps = re.findall(r'<figure class="course-map">.*?</figure>', page, re.S)
        assert len(maps) == {"00_start": 1, "08_gpt2_shakespeare": 3}.get(name, 2), name
        for figure in maps:
            links = re.findall(r'<a href="\.\./([^"]+)" style="([^"]+)" title=', figure)
            assert set(links) == parts
            assert (site / "notebooks" / re.search(r'src="([^"]+)"', figure)[1]).exists()
            assert 'alt="The map of GPT-2.' in figure


@needs_sphinx
def test_names_words_results_and_pages_for_instructors_are_there(site):
    names = (site / "docs/names.html").read_text(encoding="utf-8")
    for name, lesson in {"mul": "01_tensor", "AdamW": "05_optim", "GPT2": "08_gpt2_sh"}.items():
        row = re.search(rf"<tr[^>]*><td><p><code[^>]*>.*?\b{name}</span>.*?</tr>", names, re.S)[0]
        assert f'href="../notebooks/{lesson}' in row
    glossary = (site / "docs/glossary.html").read_text(encoding="utf-8")
    assert "vector–Jacobian product" in glossary and "../notebooks/02_backprop.html" in glossary
    for page in ("instructors", "classroom", "weeks", "mistakes", "results", "pretrained"):
        assert (site / "docs" / f"{page}.html").exists()


@needs_sphinx
def test_code_that_draws_is_folded(site):
    page = (site / "notebooks/00_start.html").read_text(encoding="utf-8")
    assert page.count('<details class="admonition hide above-input">') >= 3


@needs_sphinx
def test_second_reading_is_folded_as_in_jupyterlab(site, students_site):
    opening = (
        r'<section class="second-reading"[^>]*>(?:<span[^>]*></span>)?<details><summary><h[23]>'
    )
    total = 0
    for path in notebooks.paths():
        cells = notebooks.load(path)["cells"]
        folded = sum("jp-MarkdownHeadingCollapsed" in cell["metadata"] for cell in cells)
        total += folded
        for place in (site, students_site):
            page = (place / "notebooks" / f"{path.stem}.html").read_text(encoding="utf-8")
            assert len(re.findall(opening, re.sub(r"\s*\n\s*", "", page))) == folded, path.stem
            found = Folds()
            found.feed(page)
            assert found.open == []
    assert total > 20


@needs_sphinx
def test_no_answer_stands_on_a_students_site(site, students_site):
    whole, mine = (
        {name: plain(text) for name, text in texts(place).items() if "vendor" not in name}
        for place in (site, students_site)
    )
    for number, exercise in exercises().items():
        answer = squeezed(exercise.solution)
        assert any(answer in text for text in whole.values()), f"{number} cannot be searched so"
        found = [name for name, text in mine.items() if answer in text]
        assert not found, f"the answer to {number} stands in {found}"


@needs_sphinx
def test_code_that_is_tagged_is_folded(tmp_path):
    from course.site import sphinx_build

    cell = {
        "cell_type": "code",
        "id": "a",
        "metadata": {"tags": ["hide-input"]},
        "source": ["print(1)"],
        "execution_count": 1,
        "outputs": [],
    }
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [cell]}
    source = tmp_path / "source"
    for name in ("_static", "_templates", "_extra"):
        (source / name).mkdir(parents=True)
    (source / "_static" / "favicon.svg").write_text("<svg/>", encoding="utf-8")
    for name in ("site.css", "site.js", "mathjax.js"):
        (source / "_static" / name).touch()
    template = "{{ pathto('index') }}"
    (source / "_templates" / "to_playground.html").write_text(template, encoding="utf-8")
    title = {"cell_type": "markdown", "id": "b", "metadata": {}, "source": ["# Title"]}
    content["cells"].insert(0, title)
    (source / "index.ipynb").write_text(json.dumps(content), encoding="utf-8")
    assert sphinx_build.run(source, tmp_path / "out", tmp_path / "trees", None) == ""
    page = (tmp_path / "out" / "index.html").read_text(encoding="utf-8")
    assert re.search(r'<details class="[^"]*\bhide above-input">', page)


# --- In Chromium ---


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, *arguments):
        pass


@contextmanager
def serving(folder):
    """A server of a folder on loopback: its address."""
    handler = functools.partial(Quiet, directory=folder)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module", params=["site", "students_site"])
def address(request):
    with serving(request.getfixturevalue(request.param)) as found:
        yield found


@pytest.fixture(scope="module")
def context():
    with browser.chromium() as found:
        yield found


@contextmanager
def watched(context, address, strays):
    """A page of the browser in which every other host is blocked, and noted in `strays`."""
    page = context.new_page()

    def answer(route):
        if route.request.url.startswith((address, "data:", "blob:")):
            route.continue_()
        else:
            strays.append(route.request.url)
            route.abort()

    page.route("**/*", answer)
    page.on("pageerror", lambda error: strays.append(f"{page.url}: {error}"))
    page.on("response", lambda r: r.status >= 400 and strays.append(f"{r.status} {r.url}"))
    try:
        yield page
    finally:
        page.close()


FOLDS = ".second-reading > details"
LOOK = """() => {
    const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
    const missing = [...document.images].filter((i) => i.complete && !i.naturalWidth).map((i) => i.src);
    const walker = document.createTreeWalker(document.querySelector("main, body"), NodeFilter.SHOW_TEXT);
    const raw = [];
    for (let node; (node = walker.nextNode()); ) {
        const parent = node.parentElement;
        if (parent.closest("pre, code, script, style, mjx-container, .mgl, [data-model]")) continue;
        if (/\\$[^$\\n]+\\$|\\\\\\(|\\\\\\[|\\\\(frac|partial|sum|text)\\b/.test(node.data)) raw.push(node.data.trim());
    }
    const badFormulas = document.querySelectorAll("mjx-merror, [data-mjx-error]").length;
    const formulas = document.querySelectorAll(".math").length;
    const drawn = document.querySelectorAll(".math mjx-container").length;
    const links = [...document.querySelectorAll("a[href]")].map((a) => a.href);
    const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
    const figures = document.querySelectorAll(".mgl").length;
    const alive = document.querySelectorAll(".mgl svg, .mgl button, .mgl input").length;
    return { wide, missing, raw, badFormulas, formulas, drawn, links, ids, figures, alive };
}"""


def settle(page):
    """Open all that is folded; wait until formulas are drawn and every picture was asked for."""
    page.evaluate("() => document.querySelectorAll('details').forEach((d) => (d.open = true))")
    page.evaluate("() => document.getAnimations().forEach((a) => a.finish())")  # it fades in
    page.evaluate("() => window.MathJax?.startup?.promise")
    page.evaluate("() => document.querySelectorAll('img').forEach((i) => (i.loading = 'eager'))")
    page.wait_for_function("() => [...document.images].every((i) => i.complete)")


@needs_sphinx
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
class TestEveryPage:
    pytestmark = in_a_browser

    def test_walk(self, context, address, width, theme):
        strays, wrong, seen, queue, ids, anchors = [], [], {address}, [address], {}, []
        with watched(context, address, strays) as page:
            page.emulate_media(color_scheme=theme)
            page.set_viewport_size({"width": width, "height": 900})
            while queue:
                here = queue.pop()
                page.goto(here)
                settle(page)
                found = page.evaluate(LOOK)
                shown = page.evaluate("() => document.documentElement.dataset.theme || ''")
                if shown not in ("", theme):  # the playground follows the browser by itself
                    wrong.append(f"{here} is {shown}")
                if found["wide"] > 0:
                    wrong.append(f"{here} is {found['wide']} pixels too wide")
                if found["missing"] or found["raw"] or found["badFormulas"]:
                    wrong.append((here, found["missing"], found["raw"], found["badFormulas"]))
                if found["drawn"] < found["formulas"]:
                    wrong.append(f"{here}: {found['drawn']} of {found['formulas']} formulas")
                if found["figures"] and not found["alive"]:
                    wrong.append(f"{here}: a figure does not move")
                ids[here] = set(found["ids"])
                for link in found["links"]:
                    target, anchor = urldefrag(urljoin(here, link))
                    if not target.startswith(address):
                        continue
                    if anchor:
                        anchors.append((here, target, unquote(anchor)))
                    if target not in seen:
                        seen.add(target)
                        if PurePosixPath(urlsplit(target).path).suffix in (".html", ""):
                            queue.append(target)
                        elif not page.request.get(target).ok:
                            wrong.append(f"{here} links to {target}")
        wrong += [link for link in anchors if link[1] in ids and link[2] not in ids[link[1]]]
        assert not strays and not wrong
        assert len(ids) >= len(LESSONS) + 3 and f"{address}playground.html" in ids


@needs_sphinx
class TestOnThePages:
    pytestmark = in_a_browser

    def test_search_finds_a_word_of_lesson_2(self, context, address):
        strays = []
        with watched(context, address, strays) as page:
            page.goto(f"{address}search.html?q=topological")
            first = page.locator("#search-results li a").first
            first.wait_for()
            results = page.locator("#search-results li a")
            assert any("02_backprop" in link.get_attribute("href") for link in results.all())
        assert not strays

    @pytest.mark.parametrize(("word", "page"), [("AdamW", "05_optim"), ("spent", "glossary")])
    def test_search_finds_names_and_words(self, context, site, word, page):
        with serving(site) as address, watched(context, address, []) as sheet:
            sheet.goto(f"{address}search.html?q={word}")
            sheet.locator("#search-results li a").first.wait_for()
            results = sheet.locator("#search-results li a").all()
            assert any(page in link.get_attribute("href") for link in results)

    def test_what_leads_into_second_reading_opens_it(self, context, site):
        strays = []
        is_open = "element => element.closest('details').open"
        with serving(site) as address, watched(context, address, strays) as page:
            page.set_viewport_size({"width": 1400, "height": 900})
            lesson = f"{address}notebooks/05_optim.html"
            page.goto(lesson)
            folds = page.locator(FOLDS)
            heading = page.get_by_text("Second reading: How much momentum can gain").first
            link = page.get_by_role("link", name="Second reading: How much momentum can gain")
            assert heading.is_visible() and not folds.first.evaluate(is_open)
            for _ in range(2):  # the second time, the address does not change
                link.locator("visible=true").click()
                page.wait_for_function(f"() => document.querySelector('{FOLDS}').open")
                folds.first.locator("summary").press("Enter")
                assert not folds.first.evaluate(is_open)
            page.goto(f"{lesson}#second-reading-books-and-papers")
            page.wait_for_function(f"() => [...document.querySelectorAll('{FOLDS}')].at(-1).open")
            assert not folds.first.evaluate(is_open)
            page.goto(f"{address}search.html?q=Nesterov")
            page.locator("#search-results a[href*='05_optim']").first.click()
            page.wait_for_url("**/05_optim.html?highlight=Nesterov")
            found = page.locator(f"{FOLDS} p", has_text="Nesterov").first
            page.wait_for_function("() => scrollY > 0")
            assert found.evaluate(is_open) and found.is_visible()
        assert not strays

    def test_second_reading_is_open_on_paper_and_can_be_opened_without_scripts(self, context, site):
        page = context.browser.new_page(java_script_enabled=False)
        page.goto((site / "notebooks/05_optim.html").as_uri())
        words = page.get_by_text("For a ravine with condition number").first
        assert not words.is_visible()
        page.locator(f"{FOLDS} > summary").first.press("Space")
        assert words.is_visible()
        page.close()
        with serving(site) as address, watched(context, address, []) as page:
            page.goto(f"{address}notebooks/05_optim.html")
            number = f"document.querySelectorAll('{FOLDS}[open]').length"
            page.evaluate(f"() => addEventListener('beforeprint', () => (window.open_ = {number}))")
            page.pdf()
            assert page.evaluate("open_") == page.locator(FOLDS).count() > 3
            assert page.evaluate(number) == 0

    def test_the_map_is_used_by_keyboard(self, context, address):
        with watched(context, address, []) as page:
            page.set_viewport_size({"width": 1400, "height": 900})
            page.goto(f"{address}index.html")
            part = page.get_by_role("link", name="softmax (lesson 3)")
            part.focus()
            outline = "element => getComputedStyle(element).outlineStyle"
            page.keyboard.press("Tab")  # seen where it is, here and at the next one
            page.keyboard.press("Shift+Tab")
            assert part.evaluate(outline) == "solid"
            page.keyboard.press("Enter")
            page.wait_for_url("**/notebooks/03_functional.html")

    def test_a_lesson_s_map_is_clicked(self, context, site):
        with serving(site) as address, watched(context, address, []) as page:
            page.emulate_media(color_scheme="dark")  # where the theme gives pictures a frame
            page.goto(f"{address}notebooks/03_functional.html")
            the_map = page.locator(".course-map").first
            # So each link lies on its part.
            assert the_map.bounding_box() == the_map.locator("img").bounding_box()
            the_map.get_by_title("attention (lesson 7)").click()
            page.wait_for_url("**/notebooks/07_attention.html")

    def test_the_theme_can_be_chosen(self, context, address):
        with watched(context, address, []) as page:
            page.emulate_media(color_scheme="light")
            page.set_viewport_size({"width": 1400, "height": 900})
            page.goto(f"{address}notebooks/{LESSONS[0]}.html")
            colour = "() => getComputedStyle(document.body).backgroundColor"
            before = page.evaluate(colour)
            page.locator(".theme-switch-button:visible").click()
            page.locator('.theme-change-button[data-mode="dark"]:visible').click()
            assert page.evaluate("() => document.documentElement.dataset.theme") == "dark"
            assert page.evaluate(colour) != before

    def test_the_playground_writes_and_leads_back(self, context, address):
        strays = []
        with watched(context, address, strays) as page:
            page.goto(f"{address}playground.html")
            page.get_by_role("button", name="Generate", exact=True).click()
            written = page.locator(".mg-status", has_text="Wrote")
            written.wait_for(timeout=60 * browser.SECONDS)
            assert len(page.locator(".mg-characters").first.text_content()) > 100
            page.get_by_role("link", name="The course").click()
            page.wait_for_url(f"{address}index.html")
        assert not strays


@needs_sphinx
@pytest.mark.long
@pytest.mark.skipif(bool(pdf.missing()), reason="Chromium, Playwright or pypdf is not installed")
def test_all_lessons_are_in_the_pdf_with_their_formulas(site, tmp_path):
    from pypdf import PdfReader

    assert pdf.write(site, tmp_path / "lessons.pdf") > 100
    reader = PdfReader(tmp_path / "lessons.pdf")
    assert len([item for item in reader.outline if not isinstance(item, list)]) >= len(LESSONS)
    text = "".join(page.extract_text() for page in reader.pages[:40])
    assert "1 · Tensor" in text and "\\frac" not in text


# The colours of an element's letters and of what lies behind them, as [red, green, blue].
COLOURS = """(all) => all.map((element) => {
    const numbers = (text) => text.match(/[\\d.]+/g).map(Number);
    let behind = element;
    while (numbers(getComputedStyle(behind).backgroundColor)[3] === 0) behind = behind.parentElement;
    return [getComputedStyle(element).color, getComputedStyle(behind).backgroundColor]
        .map((text) => numbers(text).slice(0, 3));
})"""


def contrast(colours):
    """The contrast of two colours as WCAG defines it, from 1 to 21."""
    light = []
    for colour in colours:
        parts = [c / 255 for c in colour]
        parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        light.append(0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2])
    return (max(light) + 0.05) / (min(light) + 0.05)


def test_black_on_white_has_the_largest_contrast():
    assert contrast([[0, 0, 0], [255, 255, 255]]) == pytest.approx(21)
    assert contrast([[9, 9, 9], [9, 9, 9]]) == 1


@needs_sphinx
@pytest.mark.parametrize("theme", THEMES)
class TestColours:
    pytestmark = in_a_browser

    def test_words_of_figures_that_move_and_of_outputs_can_be_read(self, context, site, theme):
        found = 0
        with serving(site) as address, watched(context, address, []) as page:
            page.emulate_media(color_scheme=theme)
            for name in LESSONS:
                page.goto(f"{address}notebooks/{name}.html")
                words = ".mgl figcaption, .mgl label, .cell_output pre, .cell_output em"
                pairs = page.locator(words).evaluate_all(COLOURS)
                found += len(pairs)
                poor = [pair for pair in pairs if contrast(pair) < 4.5]
                assert not poor, name
        assert found > 100


@needs_sphinx
@pytest.mark.parametrize("theme", THEMES)
class TestEverybody:
    pytestmark = in_a_browser

    def test_axe_finds_nothing_serious_on_any_page(self, context, site, theme):
        axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()
        wrong = {}
        with serving(site) as address, watched(context, address, []) as page:
            page.emulate_media(color_scheme=theme)
            page.set_viewport_size({"width": 1400, "height": 900})
            for path in sorted(site.rglob("*.html")):
                if "_static" in path.parts:
                    continue
                page.goto(f"{address}{path.relative_to(site).as_posix()}")
                settle(page)
                found = axe.run(page).response["violations"]
                serious = {
                    v["id"]: [node["html"][:150] for node in v["nodes"]][:3]
                    for v in found
                    if v["impact"] in ("serious", "critical")
                }
                if serious:
                    wrong[path.name] = serious
        assert not wrong, json.dumps(wrong, indent=1)[:6000]
