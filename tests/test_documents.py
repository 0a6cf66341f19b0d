"""The generated documents are fresh, and the documents' links lead somewhere."""

import re
from pathlib import Path

import pytest

from maintain import execute, imports, names

ROOT = Path(__file__).parent.parent
PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "CONTRIBUTING.md"])


def test_the_page_of_names_is_what_the_command_writes():
    stored = names.PAGE.read_text(encoding="utf-8")
    assert stored == names.page(), "run python -m maintain.names"


def test_the_picture_of_imports_is_what_the_command_writes():
    stored = imports.PICTURE.read_text(encoding="utf-8")
    assert stored == imports.picture(), "run python -m maintain.imports"


def test_all_arrows_point_left_but_the_one_exception():
    assert re.findall(r'class="right".*?<title>(.*?)</title>', imports.picture()) == [
        "tensor imports backprop in 1 file"
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    text = re.sub(r"^```.*?^```", "", page.read_text(encoding="utf-8"), flags=re.M | re.S)
    links = re.findall(r"\]\(([^)\s#]+)(?:#[^)]*)?\)", re.sub(r"`[^`]*`", "", text))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert not missing


def test_notebooks_are_executed_by_the_beginnings_of_their_names(capsys):
    assert [path.name for path in execute.chosen(["03", "play"])] == [
        "03_functional.ipynb", "playground.ipynb"
    ]  # fmt: skip
    assert execute.main(["03", "99"]) == 2
    assert "no notebook's name begins with '99'" in capsys.readouterr().err


def test_the_index_names_every_page():
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    pages = {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"}
    assert pages == {Path(link).name for link in re.findall(r"\]\(([\w./-]+)\)", index)} - {
        "CONTRIBUTING.md"
    }
