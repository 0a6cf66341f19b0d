"""pyproject.toml, environment.yml and the workflow agree, and the course's commands stand."""

import ast
import importlib.metadata
import json
import subprocess
import sys
import tomllib

import pytest
import yaml

from course import __main__ as commands
from course import environment

ROOT = environment.ROOT
CONDA_NAMES = {"matplotlib-base": "matplotlib"}  # the same library without a window toolkit


@pytest.fixture
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


@pytest.fixture
def conda():
    return yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """An empty clone: the module's paths point into a folder of the test."""
    (tmp_path / "pyproject.toml").write_bytes((ROOT / "pyproject.toml").read_bytes())
    monkeypatch.setattr(environment, "ROOT", tmp_path)
    monkeypatch.setattr(environment, "VENV", tmp_path / ".venv")
    monkeypatch.setattr(environment, "STAMP", tmp_path / ".venv" / "course.json")
    monkeypatch.setattr(environment, "LOG", tmp_path / ".venv" / "install.log")
    return tmp_path


def test_environment_yml_lists_what_pyproject_lists(conda):
    lines = [line for line in conda["dependencies"] if isinstance(line, str)]
    (pip,) = [line["pip"] for line in conda["dependencies"] if isinstance(line, dict)]
    listed = {}
    for line in lines + pip:
        if not line.startswith(("python=", "pip", "-e ")):
            name, _, minimum = line.partition(">=")
            assert minimum, f"environment.yml: {line} has no lower bound"
            listed[CONDA_NAMES.get(name, name)] = minimum
    assert listed == environment.requirements()
    assert "-e ." in pip


def test_every_requirement_has_a_lower_bound():
    assert "0" not in environment.requirements().values()


def test_the_library_requires_numpy_alone(project):
    assert [line.partition(">=")[0] for line in project["dependencies"]] == ["numpy"]


def test_pythons_agree(project, conda):
    oldest = "{}.{}".format(*commands.OLDEST_PYTHON)
    declared = [
        line.rpartition(" ")[2] for line in project["classifiers"] if "Python :: 3." in line
    ]
    workflow = yaml.safe_load(
        (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    )
    (conda_python,) = [
        line.partition("=")[2]
        for line in conda["dependencies"]
        if isinstance(line, str) and line.startswith("python=")
    ]
    assert project["requires-python"] == f">={oldest}"
    assert declared[0] == oldest
    assert workflow["jobs"]["test"]["strategy"]["matrix"]["python"] == declared
    assert conda_python in declared


def test_workflow_and_ci_run_the_command_of_the_readme():
    workflow = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    ci_run = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    steps = yaml.safe_load(workflow)["jobs"]["test"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == ["python -m course test"]
    assert "\npython3 -m course test || failed=1\n" in ci_run


def test_importing_course_needs_the_standard_library_only():
    code = (
        "import sys; import course, course.__main__, course.environment; "
        "print([name for name in ('numpy', 'matplotlib', 'minigrad') if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    )
    assert result.stdout.strip() == "[]"


def test_export_is_the_function_even_after_the_module_was_imported():
    code = "import course.lessons.export; from course import export; print(export.__name__, type(export))"
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    )
    assert result.stdout.strip() == "export <class 'function'>"


@pytest.mark.parametrize("name", ["__init__.py", "__main__.py"])
def test_any_python_3_can_parse_what_it_reads_first(name):
    source = (ROOT / "course" / name).read_text(encoding="utf-8")
    ast.parse(source, feature_version=(3, 4))


def test_an_old_python_gets_one_line(monkeypatch, capsys):
    monkeypatch.setattr(commands.sys, "version_info", (3, 10, 4))
    assert commands.main(["test"]) == 2
    assert capsys.readouterr().err == (
        "The course needs Python 3.11 or newer; this is Python 3.10.\n"
    )


def test_help_lists_every_command(capsys):
    assert commands.main(["--help"]) == 0
    shown = capsys.readouterr().out
    for name, _, text, _ in commands.COMMANDS:
        assert name in shown and text in shown


def test_an_unknown_command_names_those_there_are(capsys):
    assert commands.main(["tset"]) == 2
    assert "There is no command 'tset'; there are: lab, test" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("version", "minimum", "enough"),
    [
        ("2.10.0", "2.9", True),
        ("2.1", "2.1.0", True),
        ("2.0.9", "2.1", False),
        ("2.1.0rc1", "2.1", True),
        ("3", "2.9.9", True),
    ],
)
def test_versions_compare_as_numbers(version, minimum, enough):
    assert (environment.release(version) >= environment.release(minimum)) is enough


def test_a_missing_and_an_old_requirement_are_found(monkeypatch):
    def version(name):
        if name == "numpy":
            raise importlib.metadata.PackageNotFoundError(name)
        return "0.1" if name == "pytest" else "999"

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert sorted(environment.missing_requirements()) == ["numpy", "pytest"]


def test_a_clone_that_is_not_the_installed_one_gets_its_own_environment(clone, monkeypatch):
    monkeypatch.setattr(environment, "missing_requirements", list)
    made = []
    monkeypatch.setattr(environment, "make_venv", lambda: made.append(True))
    assert environment.interpreter() == str(environment.venv_python())
    assert made


def fake_venv(stamp):
    python = environment.venv_python()
    python.parent.mkdir(parents=True)
    python.touch()
    environment.write_stamp(stamp)


@pytest.mark.parametrize("change", ["nothing", "clone", "python", "pyproject", "unfinished"])
def test_the_environment_is_used_again_only_where_nothing_changed(clone, monkeypatch, change):
    stamp = environment.wanted_stamp()
    if change in stamp:
        stamp[change] = "another"
    fake_venv(environment.UNFINISHED if change == "unfinished" else stamp)
    made = []
    monkeypatch.setattr(environment, "make_venv", lambda: made.append(True))
    environment.interpreter()
    assert bool(made) is (change != "nothing")


@pytest.mark.parametrize(
    ("change", "kept"),
    [("pyproject", True), ("clone", False), ("python", False), ("unfinished", False)],
)
def test_a_half_made_or_foreign_environment_is_made_anew(clone, monkeypatch, change, kept):
    stamp = environment.wanted_stamp() | {change: "another"}
    fake_venv(environment.UNFINISHED if change == "unfinished" else stamp)
    monkeypatch.setattr(environment, "has_pip", lambda: True)
    assert environment.can_be_kept() is kept


def test_an_environment_whose_python_does_not_run_is_made_anew(clone):
    fake_venv(environment.wanted_stamp())
    assert not environment.can_be_kept()


def test_a_python_without_venv_is_told_what_to_install(clone, monkeypatch, capsys):
    monkeypatch.setattr(environment.importlib.util, "find_spec", lambda name: None)
    assert environment.test([]) == 1
    shown = capsys.readouterr().err
    assert "lacks the module `venv`" in shown
    assert "sudo apt install python{}.{}-venv".format(*sys.version_info) in shown
    assert not environment.VENV.exists()


def test_a_folder_that_is_no_environment_is_left_alone(clone, capsys):
    precious = environment.VENV / "thesis.txt"
    precious.parent.mkdir()
    precious.write_text("all of it", encoding="utf-8")
    assert environment.test([]) == 1
    assert "is in the way" in capsys.readouterr().err
    assert precious.read_text(encoding="utf-8") == "all of it"


def test_a_failed_installation_is_said_and_not_taken_for_done(clone, monkeypatch, capsys):
    environment.VENV.mkdir()
    environment.write_stamp(environment.UNFINISHED)
    failing = clone / "pip.py"
    failing.write_text("print('ERROR: no network'); raise SystemExit(1)\n", encoding="utf-8")
    monkeypatch.setattr(environment, "venv_python", lambda: sys.executable)
    monkeypatch.setattr(environment, "can_be_kept", lambda: True)
    assert environment.run("pytest") == 1
    shown = capsys.readouterr().err
    assert "ERROR: no network" in shown and "Is there an internet connection?" in shown
    assert json.loads(environment.STAMP.read_text(encoding="utf-8")) == environment.UNFINISHED


def test_exit_code_and_arguments_pass_through(clone, monkeypatch):
    (clone / "ends.py").write_text("import sys; sys.exit(int(sys.argv[1]))\n", encoding="utf-8")
    monkeypatch.setattr(environment, "interpreter", lambda: sys.executable)
    monkeypatch.setattr(environment.signal, "signal", lambda *_: None)
    monkeypatch.setattr(environment, "variables", lambda python: None)
    assert environment.run("ends", "7") == 7
