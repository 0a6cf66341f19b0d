"""pyproject.toml, environment.yml and the workflow agree, and the course's commands stand."""

import ast
import importlib.machinery
import importlib.metadata
import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from course import __main__ as commands
from course import copies, doctor, environment

ROOT = environment.ROOT
THIS = Path(__file__).resolve()
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


def test_binder_fetches_the_plays():
    assert "\npython -m minigrad.apps.data plays\n" in (
        (ROOT / "postBuild").read_text(encoding="utf-8") + "\n"
    )


def test_importing_course_needs_the_standard_library_only():
    code = (
        "import sys; import course, course.__main__, course.environment, course.copies; "
        "print([name for name in ('numpy', 'matplotlib', 'minigrad') if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, encoding="utf-8", check=True
    )
    assert result.stdout.strip() == "[]"


def test_export_is_the_function_even_after_the_module_was_imported():
    code = "import course.lessons.exporter; from course import export; print(export.__name__, type(export))"
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


@pytest.mark.parametrize("command", ["check", "grade", "publish"])
def test_what_needs_numpy_runs_in_the_environment_where_there_is_none(monkeypatch, command):
    calls = []
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(environment, "run", lambda *arguments: calls.append(arguments) or 7)
    assert commands.main([command, "--out", "x"]) == 7
    assert calls == [("course", command, "--out", "x")]


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


# --- Names ---

# What would install somebody else's code: the index's `minigrad`, or whatever anybody may put
# there under our name. Ours is installed from its clone: `pip install -e ".[browser]"`.
FOREIGN = re.compile(
    r"(?:install|add|download)\s[^\n`|]*?(?<![\w./\\-])minigrad(?:-course)?(?![\w./\\-])"
    r"|(?<![\w-])minigrad\[\w"
)
TEXTS = ("*.py", "*.md", "*.ipynb", "*.toml", "*.yml", "*.yaml", "*.cff", "*.sh", "*.txt", "run")


def test_no_text_tells_anybody_to_install_another_project():
    found = []
    for pattern in (*TEXTS, "postBuild"):
        for path in ROOT.rglob(pattern):
            parts = path.relative_to(ROOT).parts
            if path.is_file() and not {".venv", ".git", "build"} & {*parts} and path != THIS:
                text = path.read_text(encoding="utf-8")
                found += [f"{'/'.join(parts)}: {match[0]}" for match in FOREIGN.finditer(text)]
    assert found == []


@pytest.mark.parametrize(
    ("text", "foreign"),
    [
        ("pip install minigrad", True),
        ("pip install --user minigrad[browser]", True),
        ('pip install tqdm (or "minigrad[train]")', True),
        ("uv add minigrad", True),
        ("pip install minigrad-course", True),
        ('pip install -e ".[browser]"', False),
        ("pip install dist/minigrad_course-0.1.0-py3-none-any.whl", False),
        ("pip install -e /home/ann/minigrad", False),
        ("conda activate minigrad", False),
        ('"minigrad-course[train]",', False),
    ],
)
def test_what_would_install_another_project(text, foreign):
    assert bool(FOREIGN.search(text)) is foreign


def test_the_extras_name_one_another_by_the_name_of_the_project(project):
    inner = [
        line.partition("[")[0]
        for lines in project["optional-dependencies"].values()
        for line in lines
        if "[" in line
    ]
    assert set(inner) == {project["name"]}


# --- Data ---


def test_the_lab_and_the_tests_fetch_the_plays_and_go_on_without(clone, monkeypatch, capfd):
    (clone / "tests").mkdir()
    for name in ("pytest", "jupyterlab"):
        (clone / f"{name}.py").write_text("print('running')\n", encoding="utf-8")
    (clone / "minigrad" / "apps").mkdir(parents=True)
    for package in (clone / "minigrad", clone / "minigrad" / "apps"):
        (package / "__init__.py").touch()
    fetches = clone / "minigrad" / "apps" / "data.py"
    fetches.write_text(
        "import sys; print('to nobody'); print('Fetching', *sys.argv[1:], file=sys.stderr)\n"
        "print('plays could not be fetched (why).', file=sys.stderr); sys.exit(1)\n",
        encoding="utf-8",
    )
    monkeypatch.setattr(environment, "interpreter", lambda: sys.executable)
    monkeypatch.setattr(environment.signal, "signal", lambda *_: None)
    for command in (environment.lab, environment.test):
        assert command([]) == 0
        printed = capfd.readouterr()
        assert printed.out.splitlines() == ["running"]
        assert printed.err.splitlines() == [
            "Fetching plays",
            "plays could not be fetched (why). The rest works without; later: "
            "python3 -m course data plays",
        ]
    fetches.write_text("", encoding="utf-8")
    assert environment.lab([]) == 0
    assert capfd.readouterr().err == ""


# --- Copies, and the doctor ---


@pytest.fixture
def another(tmp_path):
    """Another copy of the course, as far as it can be told."""
    folder = tmp_path / "Another Cöpy"
    for name in ("course", "minigrad"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("", encoding="utf-8")
    (folder / "notebooks").mkdir()
    return folder


def test_in_one_copy_and_outside_of_all_there_is_no_confusion(tmp_path, monkeypatch):
    assert copies.confusion(ROOT / "notebooks") == copies.confusion(tmp_path) == ""
    monkeypatch.chdir(ROOT / "notebooks")
    assert copies.confusion() == ""


def test_a_notebook_of_another_copy_is_told_from_the_kernels(another):
    words = copies.confusion(another / "notebooks")
    assert f"lies in {another.resolve()}" in words and f"the course in {ROOT}" in words
    assert sys.executable in words and f'cd "{another.resolve()}"' in words


def test_a_library_of_another_copy_is_told(another, monkeypatch):
    monkeypatch.setattr(copies, "library_folder", lambda: another)
    words = copies.confusion(ROOT)
    assert f"`import minigrad` gives what is in {another}" in words and str(ROOT) in words


def test_check_and_export_say_so_and_touch_nothing(another, monkeypatch, capsys):
    from course import check, export

    monkeypatch.chdir(another / "notebooks")
    check("01.1")
    assert capsys.readouterr().out.startswith(
        f"01.1 cannot be checked. This notebook lies in {another.resolve()}"
    )
    export("01_tensor")
    assert capsys.readouterr().out.startswith(
        f"Nothing exported. This notebook lies in {another.resolve()}"
    )


def test_the_doctor_finds_all_well_here(capsys, monkeypatch):
    found = {name: mark for mark, name, _ in doctor.report()}
    assert list(found)[:3] == ["Python", "system", "copy"]
    assert {"packages", "cores", "BLAS", "disk", "plays", "gpt2", "chat"} <= set(found)
    monkeypatch.setattr(doctor, "report", lambda: [(doctor.BAD, "disk", "full: make room")])
    monkeypatch.setattr(environment, "has_course", lambda: True)
    assert doctor.main([]) == 1
    assert capsys.readouterr().out == "✗ disk       full: make room\n"


def test_the_doctor_names_what_is_wrong_and_what_to_do(another, monkeypatch, tmp_path):
    monkeypatch.setattr(environment, "missing_requirements", lambda: ["numpy"])
    mark, _, words = doctor.packages()
    assert mark == doctor.BAD and "numpy" in words and "course lab" in words
    monkeypatch.setattr(environment, "installed_copies", lambda: [another])
    mark, _, words = doctor.copy()
    assert mark == doctor.BAD and str(another) in words and str(ROOT) in words
    monkeypatch.setattr(
        doctor.shutil, "disk_usage", lambda _: doctor.shutil._ntuple_diskusage(9, 9, 0)
    )
    assert doctor.disk()[0] == doctor.BAD
    monkeypatch.setenv("MINIGRAD_DATA", str(tmp_path / "none"))
    lines = {name: (mark, words) for mark, name, words in doctor.data()}
    assert lines["plays"][0] == doctor.BAD and "course data plays" in lines["plays"][1]
    assert lines["chat"][0] == doctor.NOTE
    (tmp_path / "none" / "chat").mkdir(parents=True)
    assert "RECORD is missing" in dict((n, w) for _, n, w in doctor.data())["chat"]


def test_the_doctor_survives_a_broken_installation(monkeypatch):
    broken = type(sys)("threadpoolctl")
    broken.__spec__ = importlib.machinery.ModuleSpec("threadpoolctl", None)
    monkeypatch.setitem(sys.modules, "threadpoolctl", broken)
    assert doctor.blas()[0] == doctor.BAD and "AttributeError" in doctor.blas()[2]


def test_the_doctor_asks_the_courses_own_python(clone, monkeypatch, capfd):
    monkeypatch.setattr(environment, "has_course", lambda: False)
    monkeypatch.setattr(environment, "venv_python", lambda: clone / "python")
    (clone / "python").touch()
    environment.VENV.mkdir()
    environment.write_stamp(environment.wanted_stamp())
    asked = []
    monkeypatch.setattr(
        doctor.subprocess, "run", lambda command, **_: asked.append(command) or subprocess
    )
    monkeypatch.setattr(subprocess, "returncode", 7, raising=False)
    assert doctor.main([]) == 7
    assert asked == [[clone / "python", "-m", "course", "doctor"]]


def test_the_doctor_needs_the_standard_library_only():
    code = "import sys; sys.modules.update(numpy=None, threadpoolctl=None); "
    code += "from course import doctor; [print(*line) for line in doctor.report()]"
    result = subprocess.run(
        [sys.executable, "-S", "-c", code],
        cwd=ROOT,
        env={"PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert "missing or too old: numpy" in result.stdout
