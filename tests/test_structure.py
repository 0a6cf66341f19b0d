"""What the design promises about notebooks and package, read from the code itself.

Each check is a function that lists what is wrong. It is run on everything that is there, and
on made-up code that breaks its rule, since a check that cannot fail proves nothing.
"""

import ast
import functools
import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from course.lessons.exporter import DEFINITION, exported_cells
from course.lessons.notebooks import ROOT, load, paths, read

LESSONS = paths()
PACKAGE = ROOT / "minigrad"
MODULES = sorted(path.stem for path in PACKAGE.glob("*.py") if path.stem != "__init__")
BY_HAND = "support", "apps"  # the folders that no lesson exports

each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
each_module = pytest.mark.parametrize("module", MODULES)


def test_there_is_something_to_check():
    assert LESSONS and MODULES


# --- Reading code ---


@functools.cache
def lesson_of() -> dict[str, int]:
    """Module name -> the place of its lesson, 0 for the first."""
    return {
        module: place for place, path in enumerate(LESSONS) for module in exported_cells(read(path))
    }


def exported_before(place: int) -> set[str]:
    return {module for module, lesson in lesson_of().items() if lesson < place}


@functools.cache
def module_tree(name: str) -> ast.Module:
    """The syntax tree of a module of the package, such as "nn" or "support.drawing"."""
    path = PACKAGE.joinpath(*name.split("."))
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return ast.parse(path.read_text(encoding="utf-8"))


def defined(tree: ast.Module) -> set[str]:
    """The names that a module defines or assigns at its top level."""
    names = {node.name for node in tree.body if isinstance(node, DEFINITION)}
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            names |= {
                name.id
                for name in ast.walk(node)
                if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
            }
    return names


@functools.cache
def home_of() -> dict[str, str]:
    """Name -> the module of the earliest lesson that defines it: what `mg.name` may mean."""
    homes: dict[str, str] = {}
    for module in sorted(lesson_of(), key=lesson_of().get):
        for name in defined(module_tree(module)):
            homes.setdefault(name, module)
    return homes


def imported(tree: ast.AST) -> set[str]:
    """The modules of minigrad that code uses, by import or through `mg.name`.

    For a hand-written file, which belongs to no lesson, what that file uses in its turn.
    """
    direct, whole, names = set(), set(), set()  # `whole`: what the package itself is called here
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == "minigrad" or alias.name.startswith("minigrad."):
                    direct.add(alias.name[len("minigrad.") :])
                    if alias.name == "minigrad" or not alias.asname:
                        whole.add(alias.asname or "minigrad")
        elif isinstance(node, ast.ImportFrom):
            source = "." * node.level + (node.module or "")
            if source == "minigrad":
                names |= {alias.name for alias in node.names}
            elif source.removeprefix("minigrad.") in BY_HAND:
                room = source.removeprefix("minigrad.")
                direct |= {f"{room}.{alias.name}" for alias in node.names}
            elif source.startswith(("minigrad.", ".")):
                direct.add(source.removeprefix("minigrad."))
        elif isinstance(node, ast.Call) and "import" in ast.unparse(node.func):
            direct |= {
                argument.value.removeprefix("minigrad.")
                for argument in node.args
                if isinstance(argument, ast.Constant)
                and str(argument.value).startswith("minigrad.")
            }
    names |= {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id in whole
    }
    direct |= {name if name in MODULES else home_of().get(name, "") for name in names}
    used = set()
    for name in direct - {"", *BY_HAND}:
        by_hand = name.partition(".")[0] in BY_HAND
        used |= imported(module_tree(name)) if by_hand else {name}
    return used


def python_of(source: str) -> str:
    """A cell's source without what only IPython understands."""
    if source.startswith("%%"):
        magic, _, source = source.partition("\n")
        if magic.split()[0] not in ("%%time", "%%timeit", "%%capture"):
            return ""
    return re.sub(r"^([ \t]*)([%!?].*|[\w.]+\?+[ \t]*)$", r"\1pass", source, flags=re.MULTILINE)


def tree_of(source: str) -> ast.Module:
    """The syntax tree of a cell."""
    try:
        return ast.parse(source)
    except SyntaxError:
        return ast.parse(python_of(source))


def write_notebook(path, *cells):
    """A notebook file of code cells, each a source or a dictionary of the cell's fields."""
    content = []
    for number, cell in enumerate(cells, 1):
        cell = {"source": cell} if isinstance(cell, str) else cell
        content.append(
            {"cell_type": "code", "execution_count": number, "metadata": {}, "outputs": [], **cell}
        )
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": content}
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


# --- One direction: a lesson knows the lessons before it ---


@each_module
def test_a_module_has_one_owner(module):
    owners = [path.name for path in LESSONS if module in exported_cells(read(path))]
    assert len(owners) == 1


@each_module
def test_a_module_imports_modules_of_earlier_lessons_only(module):
    tree = ast.parse(ast.unparse(module_tree(module)))  # a copy, for the exception
    if module == "tensor":
        leave_out_the_import_in_backward(tree)
    tree.body = [node for node in tree.body if not is_program(node)]
    assert imported(tree) <= exported_before(lesson_of()[module] + 1) - {module}


def is_program(node) -> bool:
    """`if __name__ == "__main__":` runs after the module is complete, and never on import."""
    return isinstance(node, ast.If) and ast.unparse(node.test) == "__name__ == '__main__'"


def leave_out_the_import_in_backward(tree):
    """The one exception: `Tensor.backward` imports the engine, which lesson 02 builds."""
    for tensor in tree.body:
        if isinstance(tensor, ast.ClassDef) and tensor.name == "Tensor":
            for method in tensor.body:
                if isinstance(method, ast.FunctionDef) and method.name == "backward":
                    method.body = [
                        node
                        for node in method.body
                        if getattr(node, "module", "") != "minigrad.backprop"
                    ] or [ast.Pass()]


@each_module
def test_a_module_imports_at_its_top(module):
    body = module_tree(module).body[1:]  # after the docstring
    late = [
        node.lineno
        for before, node in zip(body, body[1:], strict=False)
        if isinstance(node, ast.Import | ast.ImportFrom)
        and not isinstance(before, ast.Import | ast.ImportFrom)
    ]
    assert not late, f"{module}.py imports in line {late[0]}, after other code"


@each_lesson
def test_a_notebook_imports_modules_of_earlier_lessons_only(path):
    allowed = exported_before(LESSONS.index(path))
    for cell in read(path).cells:
        if path.stem[:2] in ("08", "10") and "from minigrad.apps." in cell.source:
            continue  # a widget of the package, and the lesson says so
        tree = tree_of(cell.source)
        leave_out_the_import_in_backward(tree)
        assert imported(tree) <= allowed, str(cell)


LOADED = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module("minigrad." + name)
print(*(name[9:] for name in sys.modules if name.startswith("minigrad.")))
"""


def loaded_with(modules, folder) -> set[str]:
    """What a new Python has loaded of the package in `folder` after importing these modules."""
    environment = os.environ | {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(
        [sys.executable, "-c", LOADED, *modules],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert run.returncode == 0, run.stderr
    return {name for name in run.stdout.split() if name.partition(".")[0] not in BY_HAND}


@each_lesson
def test_importing_a_lesson_loads_no_later_one(path):
    place = LESSONS.index(path)
    assert loaded_with(exported_cells(read(path)), ROOT) <= exported_before(place + 1)


@each_lesson
def test_half_a_course_can_be_imported(path, tmp_path):
    place = LESSONS.index(path)
    shutil.copytree(PACKAGE, tmp_path / "minigrad", ignore=shutil.ignore_patterns("__pycache__"))
    for later in set(MODULES) - exported_before(place + 1):
        (tmp_path / "minigrad" / f"{later}.py").unlink()
    loaded_with(exported_before(place + 1), tmp_path)


@pytest.mark.parametrize(
    ("code", "modules"),
    [
        ("import numpy as np, math\nfrom os import path", set()),
        ("from minigrad.nn import Linear, Module", {"nn"}),
        ("import minigrad.nn as layers, minigrad.optim", {"nn", "optim"}),
        ("from minigrad import functional, random as r", {"functional", "random"}),
        ("def f():\n    from minigrad.nn import Linear", {"nn"}),
        ("import minigrad as mg\nmg.nn.Linear(1, 2)", {"nn"}),
        ("import minigrad\nminigrad.backprop.backward", {"backprop"}),
        ("import minigrad.nn\nminigrad.optim.SGD", {"nn", "optim"}),
        ("import minigrad as mg\nmg.Tensor, mg.float32, np.nn", {"tensor"}),
        ("from minigrad import Tensor, pi", {"tensor"}),
        ("importlib.import_module('minigrad.nn')", {"nn"}),
        ("from . import nn", {"."}),
        ("from .nn import Linear", {".nn"}),
    ],
)
def test_the_check_of_imports_sees_every_kind(monkeypatch, code, modules):
    module = sys.modules[__name__]
    monkeypatch.setattr(
        module, "MODULES", ["tensor", "random", "backprop", "functional", "nn", "optim"]
    )
    monkeypatch.setattr(module, "home_of", lambda: {"Tensor": "tensor", "Linear": "nn"})
    assert imported(ast.parse(code)) == modules


def test_the_check_of_imports_follows_hand_written_files(monkeypatch):
    tool = ast.parse("from minigrad.nn import Linear")
    monkeypatch.setattr(sys.modules[__name__], "module_tree", {"support.files": tool}.get)
    assert imported(ast.parse("from minigrad.support.files import save")) == {"nn"}
    assert imported(ast.parse("from minigrad.support import files")) == {"nn"}


def test_only_backward_may_import_the_engine():
    tree = ast.parse(
        "class Tensor:\n"
        "    def backward(self):\n"
        "        from minigrad.backprop import backward\n"
        "    def other(self):\n"
        "        from minigrad.optim import SGD"
    )
    leave_out_the_import_in_backward(tree)
    assert imported(tree) == {"optim"}
    tree.body[0].body[1].body[0].module = "minigrad.backprop"
    leave_out_the_import_in_backward(tree)
    assert imported(tree) == {"backprop"}


@pytest.mark.parametrize(
    ("source", "python"),
    [
        ("%matplotlib inline\nx = 1", "pass\nx = 1"),
        ("if x:\n    !ls", "if x:\n    pass"),
        ("%%time\nimport minigrad.nn", "import minigrad.nn"),
        ("%%html\n<b>", ""),
        ("x.sum?", "pass"),
        ("x = 7 % 4", "x = 7 % 4"),
    ],
)
def test_magic_is_no_python(source, python):
    assert python_of(source) == python


def test_a_remainder_is_no_magic():
    assert ast.unparse(tree_of("x = (7\n     % 4)")) == "x = 7 % 4"


# --- One direction: the rooms of the course, and no circles anywhere ---

COURSE = ROOT / "course"
ROOMS = ["lessons", "sandbox", "checks", "student", "grading"]  # each may use those before it
ALONE = "draw"  # uses no other room; any may use it
ABOVE = "site"  # may use every room, and none uses it


def sources(folder) -> dict[str, str]:
    """Module -> source of a package in a folder: "course.lessons.live", the package as "course"."""
    found = {}
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder.parent).with_suffix("").parts
        found[".".join(parts).removesuffix(".__init__")] = path.read_text(encoding="utf-8")
    return found


def imports(source: str, known) -> set[str]:
    """The modules among `known` that code imports, wherever in it the import stands.

    A package is not imported with its module: `import minigrad` alone names the package.
    """
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= names & set(known) or {node.module}
            found |= {node.module} if names - set(known) else set()
        elif isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func):
            found |= {part.value for part in node.args if isinstance(part, ast.Constant)}
    return found & set(known)


def graph(texts: dict[str, str]) -> dict[str, set[str]]:
    """Module -> the modules that it imports."""
    return {name: imports(text, texts) - {name} for name, text in texts.items()}


def room(module: str) -> str:
    """The folder of the course that a module lies in, or "" at its top."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and (COURSE / parts[1]).is_dir() else ""


def wrong_ways(texts: dict[str, str], room=room) -> list[str]:
    """The imports between rooms that go against the direction."""
    used, wrong = graph(texts), []
    for name, others in used.items():
        here = room(name)
        for other in others:
            there = room(other)
            if here in ("", ABOVE) or there in (here, ALONE) and here != ALONE or here == there:
                allowed = True
            elif there == "":  # a module at the top, which must stand on no room itself
                allowed = not any(room(third) for third in used[other])
            else:
                known = here in ROOMS and there in ROOMS
                allowed = known and ROOMS.index(there) < ROOMS.index(here)
            if not allowed:
                wrong.append(f"{name} imports {other}")
    return sorted(wrong)


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """The circles in a graph, each once, from its smallest module."""
    found = set()

    def walk(path):
        for other in sorted(edges.get(path[-1], ())):
            if other in path:
                circle = path[path.index(other) :]
                start = circle.index(min(circle))
                found.add(tuple(circle[start:] + circle[:start]))
            elif other not in done:
                walk([*path, other])
        done.add(path[-1])

    done = set()
    for name in sorted(edges):
        if name not in done:
            walk([name])
    return sorted(map(list, found))


def test_the_rooms_of_the_course_are_used_in_one_direction():
    texts = sources(COURSE)
    assert {room(name) for name in texts} <= {"", *ROOMS, ALONE, ABOVE}
    assert not wrong_ways(texts)


def test_no_file_of_the_course_imports_in_a_circle():
    assert not circles(graph(sources(COURSE)))


def test_no_file_of_the_library_imports_in_a_circle():
    texts = sources(PACKAGE)
    trees = {name: ast.parse(text) for name, text in texts.items()}
    leave_out_the_import_in_backward(trees["minigrad.tensor"])
    for tree in trees.values():
        tree.body = [node for node in tree.body if not is_program(node)]
    edges = graph({name: ast.unparse(tree) for name, tree in trees.items()})
    del edges["minigrad"]  # it loads what it offers when it is asked for it, and nothing itself
    assert not circles(edges)
    assert ["minigrad.backprop", "minigrad.tensor"] in circles(graph(texts)), "the one exception"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("sandbox.runner", "from course.checks import judging"),
        ("sandbox.runner", "def f():\n    from course.student.checking import check"),
        ("lessons.live", "import course.sandbox.runner"),
        ("checks.judging", "import importlib\nimportlib.import_module('course.grading.grade')"),
        ("student.checking", "from course.grading import grade"),
        ("draw.text", "from course.lessons import live"),
        ("lessons.live", "from course import environment"),
    ],
)
def test_the_check_of_rooms_sees_every_wrong_way(name, code):
    texts = {
        f"course.{module}": ""
        for module in (
            "environment lessons lessons.live sandbox sandbox.runner checks checks.judging student "
            "student.checking grading grading.grade draw draw.text"
        ).split()
    }
    texts["course.environment"] = "from course.student import checking"
    right = texts | {
        "course.grading.grade": "from course.student.checking import check",
        "course.student.checking": "from course.draw import text\nimport course.checks.judging",
        "course.checks.judging": "from course.sandbox import runner\nfrom course.lessons.live import x",
    }
    assert not wrong_ways(right)
    assert len(wrong_ways(right | {f"course.{name}": code})) == 1


@pytest.mark.parametrize(
    "texts",
    [
        {"p.a": "import p.b", "p.b": "import p.a"},
        {"p.a": "from p import b", "p.b": "from p.a import x"},
        {"p.a": "from p.b import x", "p.b": "def f():\n    from p.c import y", "p.c": "import p.a"},
        {"p": "from p.a import x", "p.a": "from p import y"},
    ],
)
def test_the_check_of_circles_sees_every_kind(texts):
    assert len(circles(graph(texts))) == 1
    first = next(iter(texts))
    assert not circles(graph(texts | {first: ""}))


def same_names(texts: dict[str, str]) -> list[str]:
    """Modules with the name of a function or class that they define, or of one that their package
    offers."""
    wrong = []
    for name, text in texts.items():
        package, _, last = name.rpartition(".")
        offered = re.findall(r'"(\w+)": "[\w.]+"', texts.get(package, ""))  # loaded lazily
        offered += [
            alias.asname or alias.name
            for node in ast.parse(texts.get(package, "")).body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        ]
        if last in defined(ast.parse(text)) or last in offered:
            wrong.append(name)
    return wrong


def test_no_module_has_the_name_of_what_is_imported_from_it():
    # Left: `from course.draw.watch import watch` stands in the notebooks.
    assert set(same_names(sources(COURSE))) <= {"course.draw.watch"}


def test_the_check_of_names_sees_both_kinds():
    package = 'HOMES = {"export": "p.lessons.exporter"}\nfrom p.x import load'
    assert same_names({"p": package, "p.export": "", "p.load": "", "p.other": ""}) == [
        "p.export",
        "p.load",
    ]
    assert same_names({"p": "", "p.judge": "def judge(): pass"}) == ["p.judge"]


# --- A class is complete where it is defined ---


def patches(tree: ast.AST, classes: set[str]) -> list[str]:
    """The statements that change a class from outside of it."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            owner = node.value
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("setattr", "delattr"):
            owner = node.args[0]
        else:
            continue
        if ast.unparse(owner).rpartition(".")[2] in classes:
            found.append(f"line {node.lineno}: {ast.unparse(node)}")
    return found


@functools.cache
def classes() -> set[str]:
    return {
        node.name
        for module in MODULES
        for node in module_tree(module).body
        if isinstance(node, ast.ClassDef)
    }


@each_module
def test_no_class_is_patched(module):
    assert not patches(module_tree(module), classes())


@pytest.mark.parametrize(
    "code",
    [
        "Tensor.exp = exp",
        "Tensor.exp: object = exp",
        "Tensor.count += 1",
        "del Tensor.exp",
        "setattr(Tensor, 'exp', exp)",
        "for name in names:\n    setattr(Tensor, name, f)",
        "def f():\n    tensor.Tensor.exp = exp",
        "a, Tensor.exp = 1, 2",
    ],
)
def test_the_check_of_patches_sees_every_kind(code):
    assert patches(ast.parse(code), {"Tensor"})


def test_the_check_of_patches_lets_instances_be_changed():
    code = "class Tensor:\n    exp = exp\n    def f(self):\n        self.grad = Tensor.exp"
    assert not patches(ast.parse(code + "\nt.grad = 1\nsetattr(t, 'grad', 1)"), {"Tensor"})


def defined_again(path) -> list[str]:
    """Exported functions and classes that the notebook defines in another cell as well."""
    definitions = [
        (node.name, cell)
        for cell in read(path).cells
        for node in tree_of(cell.source).body
        if isinstance(node, DEFINITION)
    ]
    names = [name for name, _ in definitions]
    return [
        f"{name}: {cell}" for name, cell in definitions if cell.module and names.count(name) > 1
    ]


@each_lesson
def test_what_is_exported_is_defined_once_and_drafts_have_other_names(path):
    assert not defined_again(path)


@pytest.mark.parametrize(
    "draft",
    [
        "class Linear:\n    pass",
        "class Linear(Module): pass",
        "#| export other\nclass Linear:\n    pass",
    ],
)
def test_the_check_of_definitions_sees_a_draft_of_the_same_name(tmp_path, draft):
    finished = "#| export nn\nclass Linear:\n    pass"
    assert defined_again(write_notebook(tmp_path / "a.ipynb", draft, finished))
    assert not defined_again(
        write_notebook(
            tmp_path / "b.ipynb", "class Draft: pass", "class Draft: pass", finished, "Linear = 1"
        )
    )


# --- Sizes and docstrings ---


def lines(path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def test_a_file_can_be_read_in_one_sitting():
    long = {path.name: lines(path) for path in PACKAGE.rglob("*.py") if lines(path) > 450}
    assert not long


def undocumented(tree: ast.Module) -> list[str]:
    nodes = [
        node for node in tree.body if isinstance(node, DEFINITION) and not node.name.startswith("_")
    ]
    missing = [node.name for node in nodes if not ast.get_docstring(node)]
    return missing if ast.get_docstring(tree) else ["the module", *missing]


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.relative_to(PACKAGE).as_posix()
)
def test_what_is_public_has_a_docstring(path):
    if path.read_text(encoding="utf-8").strip():
        assert not undocumented(ast.parse(path.read_text(encoding="utf-8")))


def test_the_check_of_docstrings_sees_what_lacks_one():
    code = '"""M."""\ndef f():\n    return 1\ndef _g():\n    return 1\nclass C:\n    """C."""'
    assert undocumented(ast.parse(code)) == ["f"]
    assert undocumented(ast.parse("def _g():\n    return 1")) == ["the module"]


# --- What the notebooks store ---


@each_lesson
def test_a_notebook_is_under_one_and_a_half_megabytes(path):
    assert path.stat().st_size < 1_500_000


def marked(path) -> list[tuple[str, set[str], bool]]:
    """Each cell that nbval treats specially: which, how, and whether it asserts something.

    What it asserts may stand in a folded cell directly after it: an assert in an open cell would
    give a prediction's answer away.
    """
    found = []
    every = load(path)["cells"]
    cells = [cell for cell in every if cell["cell_type"] == "code"]
    for number, cell in enumerate(cells, 1):
        marks = set(re.findall(r"^\s*#.*?(NBVAL_\w+)", cell["source"], re.MULTILINE))
        tags = cell["metadata"].get("tags", [])
        marks |= {tag for tag in tags if tag.startswith(("nbval", "raises-exception"))}
        if marks:
            place = every.index(cell)
            after = [c for c in every[place + 1 : place + 2] if hidden(c)]
            trees = [tree_of(c["source"]) for c in [cell, *after]]
            asserts = any(isinstance(node, ast.Assert) for tree in trees for node in ast.walk(tree))
            found.append((f"{path.name}, code cell {number}", marks, asserts))
    return found


def hidden(cell) -> bool:
    """Whether it is a cell of code that is folded."""
    return cell["cell_type"] == "code" and bool(
        cell["metadata"].get("jupyter", {}).get("source_hidden")
    )


def test_few_cells_are_excused_from_comparison_and_each_of_them_asserts():
    cells = [cell for path in LESSONS for cell in marked(path)]
    assert len(cells) <= 16, [where for where, _, _ in cells]
    assert not [where for where, _, asserts in cells if not asserts]
    assert not [where for where, marks, _ in cells if any("skip" in m.lower() for m in marks)]


def test_the_check_of_marks_sees_comments_and_tags(tmp_path):
    path = write_notebook(
        tmp_path / "a.ipynb",
        "assert True",
        "# NBVAL_IGNORE_OUTPUT\nprint('assert')",
        "# NBVAL_IGNORE_OUTPUT\nfor x in xs:\n    assert x",
        {"source": "x = 1", "metadata": {"tags": ["nbval-skip"]}},
        "# NBVAL_IGNORE_OUTPUT\ny = 1",
        {"source": "assert y", "metadata": {"jupyter": {"source_hidden": True}}},
        "# NBVAL_IGNORE_OUTPUT\nz = 1",
        "assert z",
    )
    assert [(marks, asserts) for _, marks, asserts in marked(path)] == [
        ({"NBVAL_IGNORE_OUTPUT"}, False),
        ({"NBVAL_IGNORE_OUTPUT"}, True),
        ({"nbval-skip"}, False),
        ({"NBVAL_IGNORE_OUTPUT"}, True),
        ({"NBVAL_IGNORE_OUTPUT"}, False),
    ]


UNSTABLE = {
    "an address": r"\b0x[0-9a-fA-F]{5,}",
    "an absolute path": r"(?<![\w/.:])/(home|root|tmp|work|usr|opt|var|mnt|private|Users|content)/"
    r"|\b[A-Z]:\\\w",
}


def bad_outputs(path) -> list[str]:
    """Code cells whose stored outputs or numbers are not those of one clean run."""
    found = []
    cells = [cell for cell in load(path)["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(cells, 1):
        if cell["execution_count"] != number:
            found.append(f"code cell {number} was run as {cell['execution_count']}")
        for output in cell["outputs"]:
            if output["output_type"] == "error":
                found.append(f"code cell {number} ended in {output['ename']}")
            if output.get("execution_count", number) != number:
                found.append(f"code cell {number} has an output of another run")
            found += [
                f"code cell {number} shows {what}"
                for what, pattern in UNSTABLE.items()
                if re.search(pattern, text_of(output))
            ]
    return found


def text_of(output) -> str:
    """All text of an output, pictures in base64 left out."""
    texts = [output.get("text", "")]
    texts += [
        text
        for kind, text in output.get("data", {}).items()
        if not re.match(r"image/(png|jpeg|gif)", kind)
    ]
    joined = "\n".join("".join(text) if isinstance(text, list) else str(text) for text in texts)
    return re.sub(r"base64,[A-Za-z0-9+/=\s]+", "base64", joined)


@each_lesson
def test_stored_outputs_are_those_of_one_clean_run(path):
    assert not bad_outputs(path)


def shown(data) -> dict:
    return {"output_type": "display_data", "metadata": {}, "data": data}


def printed(text) -> dict:
    return {"output_type": "stream", "name": "stdout", "text": text}


@pytest.mark.parametrize(
    ("cell", "complaint"),
    [
        ({"execution_count": 2}, "run as 2"),
        ({"execution_count": None}, "run as None"),
        ({"outputs": [{"output_type": "error", "ename": "ValueError"}]}, "ended in ValueError"),
        ({"outputs": [printed("<Tensor at 0x7f3a5c0d>")]}, "an address"),
        ({"outputs": [printed(["line\n", "<f at 0x7F3A5C0D>"])]}, "an address"),
        ({"outputs": [shown({"text/plain": ["'/home/me/a.txt'"]})]}, "an absolute path"),
        ({"outputs": [shown({"text/html": "see C:\\Users"})]}, "an absolute path"),
        ({"outputs": [printed("/tmp/ipykernel_12/1.py: a warning")]}, "an absolute path"),
        (
            {"outputs": [{"output_type": "execute_result", "execution_count": 7, "data": {}}]},
            "of another run",
        ),
        (
            {
                "outputs": [
                    shown({"image/png": "/tmp/0x7f3a5c0d", "text/plain": "<Figure>"}),
                    printed("0x1F, 3/4, km/home/h, https://example.org/home/x"),
                ]
            },
            None,
        ),
    ],
)
def test_the_check_of_outputs_sees_every_kind(tmp_path, cell, complaint):
    found = bad_outputs(write_notebook(tmp_path / "a.ipynb", {"source": "x"} | cell))
    assert len(found) == (complaint is not None)
    assert complaint is None or complaint in found[0]


def images(path) -> int:
    outputs = [output for cell in load(path)["cells"] for output in cell.get("outputs", [])]
    return sum(
        any(kind.startswith("image/") for kind in output.get("data", {}))
        or "<svg" in "".join(output.get("data", {}).get("text/html", ""))
        for output in outputs
    )


@each_lesson
def test_a_lesson_has_at_least_three_figures(path):
    assert images(path) >= 3


def test_figures_are_counted_once_each(tmp_path):
    figure = shown({"image/png": "iVBOR", "text/plain": "<Figure>"})
    drawing = shown({"image/svg+xml": "<svg/>"})
    html = shown({"text/html": ["<div>", "<svg/>"]})
    cell = {"source": "", "outputs": [figure, drawing, html, printed("x"), shown({})]}
    assert images(write_notebook(tmp_path / "a.ipynb", cell)) == 3
