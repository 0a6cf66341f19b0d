"""What `pip wheel .` gives: the library alone, which works where nothing of the course is.

pip builds it from a copy of the repository, with what an index offers; where none can be reached,
these tests are skipped.
"""

import os
import shutil
import subprocess
import sys
import venv
import zipfile

import pytest

from course.environment import ROOT, project

PACKAGE = [
    path.relative_to(ROOT).as_posix()
    for path in sorted((ROOT / "minigrad").rglob("*"))
    if path.is_file() and "__pycache__" not in path.parts
]


def run(python, *command, cwd, check=True):
    """A command outside of the repository; returns what it printed."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [python, *command],
        cwd=cwd,
        env=kept,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    assert done.returncode == 0 or not check, done.stdout
    return done.stdout


def pip(*command, cwd, python=sys.executable):
    """Run pip; the test is skipped where it cannot reach an index."""
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--retries", "1"]
    printed = run(python, "-m", "pip", *command, *options, cwd=cwd, check=False)
    errors = [line for line in printed.splitlines() if "ERROR" in line]
    offline = "No matching distribution found for" in printed or "onnection" in printed
    if errors and offline and not os.environ.get("CI"):
        pytest.skip(f"no package index can be reached: {errors[-1]}")
    assert not errors, printed


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel, built from a copy of the repository without what earlier builds left in it."""
    place = tmp_path_factory.mktemp("wheel")
    source = place / "source"
    left = shutil.ignore_patterns("build", "*.egg-info", "__pycache__")
    for folder in ("minigrad", "course", "tests", "benchmarks", "maintain"):
        shutil.copytree(ROOT / folder, source / folder, ignore=left)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    pip("wheel", "--no-deps", "--wheel-dir", place, source, cwd=place)
    (path,) = place.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The Python of an empty environment with the wheel and what it requires, and a folder."""
    place = tmp_path_factory.mktemp("empty")
    venv.create(place / "venv", symlinks=os.name != "nt")
    folder, name = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    python = place / "venv" / folder / name
    pip("--python", python, "install", wheel, cwd=place)
    return python, place


def test_the_wheel_holds_the_library_and_all_of_it(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/" not in name]
    assert sorted(names) == PACKAGE


def test_it_is_called_by_a_name_that_is_ours(wheel):
    assert wheel.name.startswith(project()["name"].replace("-", "_") + "-")
    assert project()["name"] != "minigrad"  # somebody else's, on the index


def test_it_brings_numpy_and_nothing_else(installed):
    python, place = installed
    code = "from importlib.metadata import distributions; "
    code += "print(*sorted(d.name for d in distributions()))"
    assert run(python, "-c", code, cwd=place).split() == ["minigrad-course", "numpy"]
    missing = "import importlib.util as u; print(u.find_spec('course'), u.find_spec('tests'))"
    assert run(python, "-c", missing, cwd=place).split() == ["None", "None"]


def test_the_library_works_with_numpy_alone(installed):
    python, place = installed
    code = "import minigrad as mg; x = mg.array([1.0, 2.0], requires_grad=True); "
    code += "(x * x).sum().backward(); print(*x.grad)"
    assert run(python, "-c", code, cwd=place).split() == ["2.0", "4.0"]
    printed = run(python, "-m", "minigrad.gpt2_shakespeare", "--help", cwd=place)
    assert "--checkpoint-dir" in printed
    assert "plays: not here" in run(python, "-m", "minigrad.apps.data", cwd=place)


def test_what_needs_more_says_what_to_install(installed):
    python, place = installed
    code = "import minigrad as mg; mg.load_pretrained()"
    printed = run(python, "-c", code, cwd=place, check=False)
    assert "pip install safetensors" in printed.splitlines()[-1]


def test_the_model_that_comes_with_it_writes(installed):
    python, place = installed
    pip("--python", python, "install", "safetensors", cwd=place)
    code = "import minigrad as mg; model, tokenizer = mg.load_pretrained(); "
    code += "from minigrad.gpt2_shakespeare import sample; "
    code += "print(len(tokenizer.decode(sample(model, [tokenizer.encode('ROMEO:')], 5)[0])))"
    assert int(run(python, "-c", code, cwd=place)) >= 5


def test_an_editable_install_gives_the_notebooks_the_course(wheel, tmp_path):
    """`pip install -e .`, which conda and `python3 -m course` do: this clone, `course` included."""
    source = wheel.parent / "source"
    folder, name = ("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")
    venv.create(tmp_path / "venv", symlinks=os.name != "nt")
    python = tmp_path / "venv" / folder / name
    pip("--python", python, "install", "--no-deps", "--editable", source, cwd=tmp_path)
    code = "import course, importlib.util as u; "
    code += "print(course.__file__, u.find_spec('minigrad').origin, sep='\\n')"
    found = run(python, "-c", code, cwd=tmp_path).splitlines()
    assert found == [str(source / package / "__init__.py") for package in ("course", "minigrad")]
