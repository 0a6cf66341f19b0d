"""What the reader has run: comparing a saved notebook with the kernel's history."""

import ast
import sys
from dataclasses import replace

from course.lessons.notebooks import CodeCell, Notebook, exported_to, parse_python


def history() -> list[str] | None:
    """The source of all cells run in this kernel, oldest first. None outside IPython."""
    ipython = sys.modules.get("IPython")  # a kernel has imported it
    shell = ipython.get_ipython() if ipython else None
    return list(shell.history_manager.input_hist_raw) if shell else None


def advice(saved: list[CodeCell], history: list[str]) -> str:
    """What to do before the saved exported cells are the ones that were run last, or "".

    The history has sources, and no cell numbers. Where a source in it is no saved cell, it counts as
    another version of a saved cell if both are exported to the same module and define a name in
    common.
    """
    texts = {tidy(cell.source) for cell in saved}
    run = [source for source in map(tidy, history) if exported_to(source)]
    changed, not_run, known = [], [], set(texts)
    for cell in saved:
        text = tidy(cell.source)
        versions = _versions(text, run, texts)
        known.update(versions)
        if not versions:
            not_run.append(cell)
        elif versions[-1] != text:
            changed.append(cell)
    unknown = sorted(set().union(*(bound_names(source) for source in run if source not in known)))
    if changed:
        return (
            "Save the notebook first (Ctrl+S), then run this cell again. What you ran last "
            f"is not what is saved in {listed(changed)}; if it is saved, run that first."
        )
    if unknown:
        return (
            "Save the notebook first (Ctrl+S), then run this cell again. You ran a cell that "
            f"is not in the saved notebook, with {listed(unknown)}; if you renamed or deleted "
            "it, restart the kernel and run all cells."
        )
    if not_run:
        return f"Run these first, then this cell again: {listed(not_run)}."
    return ""


def as_run(notebook: Notebook) -> Notebook:
    """A saved lesson with each exported cell as it was run last in this kernel, where it was."""
    run = [source for source in map(tidy, history() or []) if exported_to(source)]
    saved = {tidy(cell.source) for cell in notebook.cells}
    cells, known = [], set(saved)
    for cell in notebook.cells:
        versions = _versions(tidy(cell.source), run, saved)
        known.update(versions)
        cells.append(replace(cell, source=versions[-1]) if cell.module and versions else cell)
    named = set().union(*(bound_names(cell.source) for cell in cells if cell.module))
    for source in dict.fromkeys(reversed(run)):  # cells that were run and are not saved yet
        if source not in known and named.isdisjoint(bound_names(source)):
            cells.append(CodeCell(len(cells) + 1, source, ""))
            named |= bound_names(source)
    return Notebook(notebook.name, cells)


def _versions(text: str, run: list[str], saved: set[str]) -> list[str]:
    """The sources among those run that are a saved cell's `text`, or other versions of it."""
    return [
        source
        for source in run
        if source == text or source not in saved and another_version(source, text)
    ]


def tidy(source: str) -> str:
    """A cell's source without spaces and empty lines that nobody sees."""
    return "\n".join(line.rstrip() for line in source.splitlines()).strip("\n")


def another_version(source: str, text: str) -> bool:
    """Whether two cells are exported to the same module and define a name in common."""
    same_module = exported_to(source) == exported_to(text)
    return same_module and not bound_names(source).isdisjoint(bound_names(text))


def bound_names(source: str) -> set[str]:
    """The names that a cell defines, imports or assigns at its top level."""
    try:
        body = parse_python(source).body
    except SyntaxError:
        return set()  # a cell that is not Python changed nothing when it was run
    names = set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update(alias.asname or alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
            names.update(
                name.id
                for name in ast.walk(node)
                if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
            )
    return names


def listed(items: list) -> str:
    shown = ", ".join(map(str, items[:3]))
    return shown if len(items) <= 3 else f"{shown} and {len(items) - 3} more"
