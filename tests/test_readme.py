"""What the README says is there, is there."""

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from course.__main__ import COMMANDS

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
USING = (ROOT / "docs" / "using.md").read_text(encoding="utf-8")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README + USING, re.MULTILINE | re.DOTALL)


def test_links_and_pictures_lead_to_files():
    targets = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(targets) >= 10
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_every_lesson_is_linked():
    for path in sorted((ROOT / "notebooks").glob("0*.ipynb")):
        assert f"(notebooks/{path.name})" in README


def test_every_lesson_has_its_picture():
    for path in sorted((ROOT / "notebooks").glob("[01]*.ipynb")):
        (row,) = [line for line in README.splitlines() if f"](notebooks/{path.name}) |" in line]
        picture = re.search(r'<img src="(docs/pictures/thumb_\d\d\.png)" width="\d+"', row)[1]
        assert picture.endswith(f"_{path.name[:2]}.png") and (ROOT / picture).exists()


def test_it_is_read_in_ten_seconds():
    """A sentence and a picture that moves, then play, read, install; to learn comes first."""
    lines = [line for line in README.splitlines() if line]
    assert lines[1].startswith("**") and lines[2].endswith("learning.gif)")
    assert [re.match(r"- \*\*(\w+):", line)[1] for line in lines[3:6]] == [
        "Play", "Read", "Install"
    ]  # fmt: skip
    headings = re.findall(r"^## (.*)", README, re.MULTILINE)
    assert headings == [
        "To learn", "Quickstart", "The lessons", "Before and after", "More"
    ]  # fmt: skip
    words = re.sub(r"<img[^>]*>|\]\([^)]*\)", "", README).split()
    assert len(words) < 1100, "four screens"
    assert not re.search(r"[\d.]+ times (its own|faster)", README)


def test_the_operation_shown_is_the_package_s():
    (shown,) = [block for block in blocks("python") if block.startswith("@differentiable")]
    assert shown in (ROOT / "minigrad" / "ops.py").read_text(encoding="utf-8")


def test_the_example_runs():
    (example,) = [block for block in blocks("python") if "import minigrad" in block]
    done = subprocess.run(
        [sys.executable, "-c", example],
        capture_output=True,
        encoding="utf-8",
        cwd=ROOT,
        check=False,
    )
    assert done.returncode == 0 and done.stdout.startswith("[["), done.stderr


def test_the_quickstart_has_the_two_commands_alone():
    section = README.split("## Quickstart")[1].split("\n## ")[0]
    found = re.findall(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert found == ["python3 -m course lab\n", "python3 -m course test\n"]


@pytest.mark.parametrize("module", sorted(set(re.findall(r"python3? -m ([\w.]+)", README + USING))))
def test_every_module_that_is_run_exists(module):
    assert importlib.util.find_spec(module) is not None


def test_every_course_command_exists():
    commands = {name for name, *_ in COMMANDS}
    named = set(re.findall(r"-m course (\w+)", README + USING))
    assert named and named <= commands


def test_every_option_of_the_training_exists():
    from minigrad.apps.arguments import parser

    known = {option for action in parser()._actions for option in action.option_strings}
    section = USING.split("## Training from the command line")[1].split("\n## ")[0]
    named = set(re.findall(r"(--[a-z-]+)", section))
    assert named and named <= known
