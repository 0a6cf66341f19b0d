"""The exercises: pieces of the library between `### BEGIN SOLUTION` and `### END SOLUTION`.

An exported cell whose second line is `#| exercise 03.2` holds one. The cell and the package can be
made with another body there: a blank, a student's answer, or a wrong one that a check must refuse.
"""

import ast
import functools
import json
import re
import textwrap
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from course.lessons import notebooks
from course.lessons.exporter import modules_of
from course.lessons.notebooks import ROOT, CodeCell, Notebook, NotebookError
from course.lessons.package import package_texts

MARK = re.compile(r"^#\| exercise (\d\d\.\d)[ \t]*$", re.MULTILINE)
DEFINITION = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
REGION = re.compile(
    r"^(?P<indent>[ \t]*)### BEGIN SOLUTION[ \t]*\n(?P<body>.*?)^[ \t]*### END SOLUTION[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
WANTED = re.compile(r"0*(\d{1,2})(?:\.0*(\d{1,2}))?(?:_\w+(?:\.ipynb)?)?")
EDITION = "course/edition.json"  # in a student's folder only; it holds the contracts


@dataclass(frozen=True)
class Exercise:
    """One exercise: its number, the notebook it stands in, and its cell there."""

    number: str
    notebook: Notebook
    cell: CodeCell

    @property
    def solution(self) -> str:
        """The body between the marks, without indentation. Raises NotebookError without marks."""
        return body_of(self.cell.source)

    @property
    def name(self) -> str:
        """What the cell defines, such as "softmax" or "Module"; "" where it defines nothing so."""
        found = re.search(r"^(?:async )?(?:def|class) (\w+)", self.cell.source, re.MULTILINE)
        return found[1] if found else ""

    @property
    def description(self) -> list[str]:
        """What the piece does, in two lines: from its docstrings, and where the lesson builds it."""
        lines = []
        for node in self._around():
            text = " ".join((ast.get_docstring(node) or "").split("\n\n")[0].split())
            if text:
                lines.append(f"{node.name}: {text}")
        return [*lines, f'It is built in the section "{self.cell.heading}".'][:2]

    def _around(self) -> list[ast.AST]:
        """The definitions that the body stands in, the outermost first."""
        region = REGION.search(self.cell.source)
        line = self.cell.source.count("\n", 0, region.start()) + 1 if region else 0
        found, nodes = [], list(notebooks.parse_python(self.cell.source).body)
        while nodes:
            node = nodes.pop(0)
            if isinstance(node, DEFINITION) and node.lineno < line <= node.end_lineno:
                found.append(node)
                nodes = list(node.body)
        return found

    @property
    def is_blank(self) -> bool:
        """Whether nobody has written anything yet: a blank in a comment, or below code, is none."""
        try:
            body, whole = body_of(self.cell.source), True
        except NotebookError:  # the marks around the body are gone
            body, whole = self.cell.source, False
        lines = [line.strip() for line in body.splitlines()]
        code = [line for line in lines if line and not line.startswith("#")]
        return code == [self.blank()] if whole else self.blank() in code

    @property
    def is_borrowed(self) -> bool:
        """Whether the body is the course's, taken with `python -m course borrow`."""
        return self.borrowed() in self.cell.source

    def source(self, body: str) -> str:
        """The cell with another body."""
        return with_body(self.cell.source, body)

    def texts(self, body: str) -> dict[str, str]:
        """Module name -> source of the package up to this lesson, with that body."""
        cells = [
            replace(cell, source=self.source(body)) if cell == self.cell else cell
            for cell in self.notebook.cells
        ]
        return package_texts(self.notebook.name) | modules_of(Notebook(self.notebook.name, cells))

    def blank(self) -> str:
        """What the student's edition has in the place of the solution."""
        return f'raise NotYet("{self.number}")'

    def borrowed(self) -> str:
        """The line above a body that was borrowed."""
        return f"# borrowed: the course's version of exercise {self.number}"


def body_of(source: str) -> str:
    """The body between the marks in a cell, without indentation. Raises NotebookError."""
    regions = list(REGION.finditer(source))
    if len(regions) != 1:
        raise NotebookError(
            f"the cell needs one pair of ### BEGIN SOLUTION and ### END SOLUTION, it has "
            f"{len(regions)}"
        )
    return textwrap.dedent(regions[0]["body"])


def with_body(source: str, body: str) -> str:
    """A cell with another body between its marks. Raises NotebookError where there are none."""
    body_of(source)
    region = REGION.search(source)
    indent = region["indent"]
    body = textwrap.indent(textwrap.dedent(body).strip("\n"), indent)
    return (
        f"{source[: region.start()]}{indent}### BEGIN SOLUTION\n{body}\n"
        f"{indent}### END SOLUTION{source[region.end() :]}"
    )


def of_lesson(notebook: Notebook) -> dict[str, Exercise]:
    """Number -> exercise, of one notebook. Refuses a cell that is not exported, and a double."""
    found = {}
    for cell in notebook.cells:
        for number in MARK.findall(cell.source):
            if not cell.module or number in found:
                raise NotebookError(
                    f"{notebook.name}.ipynb, {cell}: exercise {number} needs one cell of its own, "
                    "which begins with #| export"
                )
            found[number] = Exercise(number, notebook, cell)
    return found


def read_exercises(root: Path = ROOT) -> dict[str, Exercise]:
    """Number -> exercise, of all lessons, in their order, as they are saved now."""
    found = {}
    for path in notebooks.paths(root):
        found |= of_lesson(notebooks.read(path))
    return found


@functools.cache
def exercises() -> dict[str, Exercise]:
    """The same of this folder, read once: only for notebooks that do not change."""
    return read_exercises()


# --- What is meant by a number ---


def number_of(wanted: object) -> str:
    """ "03.2" or "03" for what somebody wrote: 3.2, "3.2", "03.02", "3", 3, "03_functional.ipynb".

    Raises NotebookError for what is neither.
    """
    match = WANTED.fullmatch(str(wanted).strip())
    if match is None:
        raise NotebookError(f"{wanted!r} is no exercise: write its number, such as 03.2")
    lesson, exercise = match.groups()
    return f"{int(lesson):02}" + (f".{int(exercise)}" if exercise is not None else "")


def chosen(wanted: Iterable, known: Iterable[str]) -> list[str]:
    """The numbers among `known` that are meant by numbers and lessons, in the course's order.

    Raises NotebookError where one of them means nothing.
    """
    known = list(known)
    meant = [number_of(one) for one in wanted]
    unknown = [n for n in meant if n not in known and not any(k[:2] == n for k in known)]
    if unknown:
        raise NotebookError(
            f"there is no exercise or lesson {', '.join(unknown)}; there are: {', '.join(known)}"
        )
    return [number for number in known if number in meant or number[:2] in meant]


def find(wanted: object, root: Path = ROOT) -> list[Exercise]:
    """The exercise that a number means, or those of a lesson, from its notebook as it is saved.

    Only that notebook is read. Raises NotebookError where there is none.
    """
    number = number_of(wanted)
    for path in notebooks.paths(root):
        if path.stem[:2] == number[:2]:
            found = of_lesson(notebooks.read(path))
            if number in found:
                return [found[number]]
            if number == path.stem[:2] and found:
                return list(found.values())
    numbers = ", ".join(read_exercises(root))
    raise NotebookError(f"there is no exercise {number}; there are: {numbers}")


# --- What a body has to give ---


@dataclass(frozen=True)
class Contract:
    """What is known of a right body without the body: diagnoses are written from it.

    `function` is the function that the body stands in, as Python calls it: "_Pending.add",
    "embedding.<locals>.rule". `gives` is what
    the body returns there: "" (nothing), "value", "tuple", "several" (a tuple, or a value that is
    unpacked where the function is used) or "yield". `count` is the length of the tuple, 0 where it varies.
    `inner` names functions inside the body that the rest of the cell uses and that return a value.
    """

    module: str
    function: str
    gives: str = ""
    count: int = 0
    inner: list[str] = field(default_factory=list)


def contract(exercise: Exercise) -> Contract:
    """The contract of an exercise, read from our solution."""
    around = exercise._around()
    inner = [node for part in around for node in part.body if isinstance(node, DEFINITION)]
    region = REGION.search(exercise.cell.source)
    outside = exercise.cell.source[: region.start()] + exercise.cell.source[region.end() :]
    body = notebooks.parse_python("def body():\n" + textwrap.indent(exercise.solution, "    "))
    returned = results(body.body[0])
    gives, count = "", 0
    if any(isinstance(node, ast.Yield | ast.YieldFrom) for node in returned):
        gives = "yield"
    elif returned and all(isinstance(node, ast.Tuple) for node in returned):
        counts = {len(node.elts) for node in returned}
        starred = any(isinstance(part, ast.Starred) for node in returned for part in node.elts)
        gives, count = "tuple", counts.pop() if len(counts) == 1 and not starred else 0
    elif returned:
        unpacked = re.compile(rf"^[ \t]*\w+, .*\b{around[-1].name}\(", re.MULTILINE)
        sources = [cell.source for cell in exercise.notebook.cells]
        calls = any(re.match(r"tuple\(", ast.unparse(node)) for node in returned)
        gives = "several" if calls or any(map(unpacked.search, sources)) else "value"
    return Contract(
        exercise.cell.module,
        qualified_name(around),
        gives,
        count,
        [
            node.name
            for node in inner
            if f"def {node.name}(" in exercise.solution
            and re.search(rf"\b{node.name}\b", outside)
            and results(node)
        ],
    )


def qualified_name(around: list[ast.AST]) -> str:
    """What Python calls the innermost of definitions that stand inside each other."""
    name = ""
    for node in around:
        name += node.name + ("." if isinstance(node, ast.ClassDef) else ".<locals>.")
    return name.removesuffix(".").removesuffix(".<locals>")


def results(function: ast.AST) -> list[ast.expr]:
    """What a function gives: the values of its `return` statements, and its `yield` expressions.

    Those of functions inside of it are theirs; a bare `return` or `return None` gives nothing.
    """
    found, nodes = [], list(ast.iter_child_nodes(function))
    while nodes:
        node = nodes.pop(0)
        if isinstance(node, DEFINITION | ast.Lambda):
            continue
        if isinstance(node, ast.Yield | ast.YieldFrom):
            found.append(node)
        elif isinstance(node, ast.Return) and node.value is not None:
            if not (isinstance(node.value, ast.Constant) and node.value.value is None):
                found.append(node.value)
        nodes += ast.iter_child_nodes(node)
    return found


@functools.cache
def contracts(root: Path = ROOT) -> dict[str, Contract]:
    """Number -> contract, of all exercises. A student's edition brings them along.

    An exercise whose cell in this folder cannot be read as ours has none.
    """
    found = {}
    try:
        written = json.loads((root / EDITION).read_text(encoding="utf-8"))["contracts"]
        return {number: Contract(**values) for number, values in written.items()}
    except (KeyError, TypeError, ValueError):
        return {}  # an edition of an older course, or a file that somebody has changed
    except FileNotFoundError:
        pass
    for path in notebooks.paths(root):
        try:
            for number, exercise in of_lesson(notebooks.read(path)).items():
                found[number] = contract(exercise)
        except (NotebookError, SyntaxError, IndexError):
            continue
    return found


def contracts_as_data() -> dict[str, dict]:
    """The contracts of this folder as JSON can hold them, for a student's edition."""
    return {number: asdict(one) for number, one in contracts().items()}
