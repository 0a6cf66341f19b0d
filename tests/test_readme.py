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
