"""In a notebook with blank exercises: cells that need one end in `NotYet`, and in no other error.

A cell that ends in `NotYet` leaves its names without a value, or with the value of an earlier cell.
Later cells that use them would fail with errors that do not help. So each name that the cell was
going to set or change becomes a `Gap`, which raises the same `NotYet` again when it is used.
"""

import ast
import types

KEPT = types.ModuleType | types.FunctionType | types.BuiltinFunctionType | type
USES = (
    "call getattr getitem setitem delitem iter next len contains bool str repr format hash int "
    "float index complex round abs neg pos invert enter exit array eq ne lt le gt ge await "
    "add sub mul matmul truediv floordiv mod pow and or xor lshift rshift divmod "
    "radd rsub rmul rmatmul rtruediv rfloordiv rmod rpow rand ror rxor"
).split()


def _raise(gap, *_, **__):
    error = object.__getattribute__(gap, "_error")
    raise type(error)(error.exercise)


class Gap:
    """Stands for a value that is missing because an exercise is blank."""

    __class__ = property(_raise)  # isinstance(gap, dict) asks for it
    __setattr__ = _raise

    def __init__(self, error):
        object.__setattr__(self, "_error", error)


for _use in USES:
    setattr(Gap, f"__{_use}__", _raise)


def touched(source):
    """The names that a cell sets or changes: assigned, written into, or told to change."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    names = set()
    for node in _outside_definitions(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Attribute | ast.Subscript) and isinstance(node.ctx, ast.Store):
            names.add(_base(node))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            names.add(_base(node.func))
    return names - {None}


def _outside_definitions(node):
    """The nodes below `node` that are not inside a function or a class."""
    for child in ast.iter_child_nodes(node):
        if not isinstance(
            child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda
        ):
            yield child
            yield from _outside_definitions(child)


def _base(node):
    """x of x.a, x[0].b and x().c, or None."""
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else None


def fill(namespace, source, error):
    """After a cell that ended in `error`: its names become gaps. Modules and functions stay."""
    for name in touched(source):
        if not issubclass(type(namespace.get(name)), KEPT):
            namespace[name] = Gap(error)


def install(shell):
    """Watch the cells that `shell`, IPython's, runs."""

    def after(result):
        error = result.error_in_exec
        if type(error).__name__ == "NotYet" and result.info is not None:
            fill(shell.user_ns, result.info.raw_cell, error)

    shell.events.register("post_run_cell", after)
