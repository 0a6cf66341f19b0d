"""What is odd about a student's cell, and what is made of it, so that no wrapping costs a mark.

The lines that mark a cell may be spelt in another way or stand elsewhere in it; commands of the
notebook are no Python; and what a cell does beside defining things may not work outside of it.
"""

import ast
import functools
import re
from collections import Counter

from course.lessons.exercise import MARK, Exercise, exercises
from course.lessons.exporter import DROPPED, package_source
from course.lessons.live import bound_names
from course.lessons.notebooks import exported_to, parse_python

# Lines that begin almost as ours, `#| export nn` and `#| exercise 03.2`, do; on other keyboards the
# bar is broken, wide, or another stroke.
BAR = r"^[^\S\n]*[#＃][^\S\n]*[|¦｜∣│!/\\][^\S\n]*"
EXPORT = re.compile(BAR + r"exports?[^\S\n:]+(\w+)[^\S\n]*$", re.M | re.I)
EXERCISE = re.compile(
    BAR + r"exer[cs]i[cs]es?[^\S\n:]*0?([0-9]{1,2})[^\w\n]0?([0-9])(?!\d).*$", re.M | re.I
)
COMMAND = re.compile(
    r"^([ \t]*)([%!?](?:\\\n|[^\n])*|[\w.]+\?{1,2}[ \t]*|\w[^\n=]*=[ \t]*[%!](?:\\\n|[^\n])*"
    r"|(?:pip|conda)[ \t]+install\b[^\n]*)$",
    re.MULTILINE,
)
# It must be the first statement of a module, where no cell but the first can have it.
FUTURE = re.compile(r"^from __future__ import [^\n]*$", re.MULTILINE)
DEFINITION = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
STUB = re.compile(r"raise NotYet\(.*\)|raise NotImplementedError(\(\))?|pass|\.\.\.")
BROKEN = SyntaxError, ValueError, RecursionError, MemoryError  # what reading a cell may raise


@functools.cache
def modules() -> frozenset[str]:
    """The modules that exercises are exported to."""
    return frozenset(exercise.cell.module for exercise in exercises().values())


@functools.lru_cache(4096)
def with_our_marks(source: str) -> tuple[str, str]:
    """A cell that begins with its marks as we write them, and these, or "" where they were right."""
    numbers, exported = MARK.findall(source), exported_to(source)
    if exported and (numbers or not EXERCISE.search(source)):
        if all(n not in exercises() or exercises()[n].cell.module == exported for n in numbers):
            return source, ""
    found = numbers or [f"{int(lesson):02}.{n}" for lesson, n in EXERCISE.findall(source)]
    known = [number for number in found if number in exercises()]
    names = [name for name in EXPORT.findall(source) if name in modules()]
    module = exercises()[known[0]].cell.module if known else next(iter(names), "")
    if not module or numbers and not known:
        return source, ""
    rest = EXPORT.sub("", source)
    marks = [f"#| export {module}"]
    if not numbers:
        marks += [f"#| exercise {number}" for number in known]
        rest = EXERCISE.sub("", rest)
    said = dict.fromkeys([*marks, *(f"#| exercise {number}" for number in numbers)])
    return "\n".join([*marks, rest.lstrip("\n")]), " and ".join(f"`{mark}`" for mark in said)


@functools.lru_cache(4096)
def without_commands(source: str) -> tuple[str, tuple[str, ...]]:
    """A marked or exported cell without its lines for IPython (`%%time`, `!pip …`), and those lines.

    A line of Python may begin with `%` where an expression goes on: what parses stays.
    """
    if not (exported_to(source) or MARK.search(source)):
        return source, ()
    if future := FUTURE.findall(source):
        rest, dropped = without_commands(FUTURE.sub("", source))
        return rest, (*future, *dropped)
    if not COMMAND.search(source):
        return source, ()
    try:
        parse_python(source)
        return source, ()
    except BROKEN:
        pass
    return plain(source), tuple(line.strip() for _, line in COMMAND.findall(source))


def plain(source: str) -> str:
    """A cell without the lines that are commands of the notebook."""
    # Inside a body it may be the only statement.
    return COMMAND.sub(lambda line: f"{line[1]}pass" if line[1] else "", source).lstrip("\n \t")


def is_blank(exercise: Exercise, cell: str) -> bool:
    """Whether a cell still stands as it was handed out, or its body is gone.

    Where anything else in it has changed, it is no blank: somebody has begun, and the check speaks.
    """
    texts = cell, exercise.source(exercise.blank())
    there, ours = (
        [line for line in code_lines(text) if not STUB.fullmatch(line)] for text in texts
    )
    return there == ours


def code_lines(text: str) -> list[str]:
    """The lines of a text that hold code, without the marks and the spaces around them."""
    lines = [line.strip() for line in DROPPED.sub("", text).splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


@functools.cache
def beside_exercises(lesson: str) -> frozenset[tuple[str, ...]]:
    """The code of those cells of our lesson that hold no exercise, such as drafts."""
    notebook = next(e.notebook for e in exercises().values() if e.number[:2] == lesson)
    cells = (cell.source for cell in notebook.cells if not MARK.search(cell.source))
    return frozenset(tuple(code_lines(cell)) for cell in cells)


@functools.lru_cache(4096)
def definitions(cell: str) -> frozenset[str]:
    """The functions and classes that a cell defines; none where it is not Python.

    Also inside an `if`, by another name (`softmax = mine`, a lambda), and a class that gets a
    method (`Tensor.relu = relu`).
    """
    try:
        nodes = list(parse_python(cell).body)
    except BROKEN:
        return frozenset()
    found = set()
    while nodes:
        node = nodes.pop()
        if isinstance(node, DEFINITION):
            found.add(node.name)
        elif isinstance(node, ast.If | ast.Try | ast.With):
            nodes += [part for part in ast.iter_child_nodes(node) if isinstance(part, ast.stmt)]
        elif isinstance(node, ast.Assign):
            known = isinstance(node.value, ast.Name | ast.Attribute | ast.Lambda)
            for target in node.targets:
                if isinstance(target, ast.Name) and (known or isinstance(node.value, ast.Call)):
                    found.add(target.id)
                elif isinstance(target, ast.Attribute) and known:
                    found.add(getattr(target.value, "id", ""))
    return frozenset(found)


def beside(cell: str, names: frozenset[str]) -> str:
    """A cell without its definitions of these names; the cell itself where it is no Python."""
    try:
        body = parse_python(cell).body
        rest = [n for n in body if not (isinstance(n, DEFINITION) and n.name in names)]
        return "\n".join([cell.partition("\n")[0], *map(ast.unparse, rest)])
    except BROKEN:
        return cell


@functools.cache
def lessons_by_name() -> dict[str, str]:
    """What an exercise defines -> its lesson."""
    return {exercise.name: number[:2] for number, exercise in exercises().items()}


def lesson_by_names(cells: list[str]) -> str:
    """The lesson of which cells define most, where none is marked; or ""."""
    known = lessons_by_name()
    found = [
        known[name]
        for cell in cells
        if any(name in cell for name in known)
        for name in definitions(cell) & known.keys()
    ]
    return Counter(found).most_common(1)[0][0] if found else ""


@functools.lru_cache(4096)
def names_in(cell: str) -> set[str]:
    """What a cell that may hold commands defines, imports or assigns."""
    try:
        return bound_names(cell) or bound_names(plain(cell))
    except BROKEN:
        return set()


class WithoutAnnotations(ast.NodeTransformer):
    """Takes the annotations of functions away: no answer depends on them."""

    def visit_arg(self, node):
        node.annotation = None
        return node

    def visit_FunctionDef(self, node):  # noqa: N802 (its name is ast's)
        node.returns = None
        return self.generic_visit(node)

    visit_AsyncFunctionDef = visit_FunctionDef  # noqa: N815


def forgiving(cell: str) -> str:
    """The cell, where what it does beside defining functions and classes may fail.

    A plot, `display(…)`, `check("03.1")` or another library work in a notebook only, and are no
    part of an answer; nor are the annotations of a function. The cell itself where it is no Python, or a definition in it cannot be
    written again.
    """
    try:
        text = _forgiving(parse_python(package_source(cell)))
    except BROKEN:
        return cell
    marks = (f"#| exercise {number}" for number in MARK.findall(cell))
    return "\n".join([cell.partition("\n")[0], *marks, text])


def _forgiving(tree: ast.Module) -> str:
    """The text of a cell in which each statement but definitions may fail."""
    nothing = [ast.ExceptHandler(ast.Name("BaseException"), None, [ast.Pass()])]
    waits = ast.Await | ast.AsyncFor | ast.AsyncWith
    parts = []
    for node in tree.body:
        if isinstance(node, DEFINITION):
            parts.append(ast.unparse(WithoutAnnotations().visit(node)))
        elif not any(isinstance(part, waits) for part in ast.walk(node)):
            try:
                parts.append(
                    ast.unparse(ast.fix_missing_locations(ast.Try([node], nothing, [], [])))
                )
            except BROKEN:  # a number of thousands of digits, a sum of a thousand terms
                continue
    return "\n".join(parts)
