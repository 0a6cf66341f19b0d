"""Small changes to a piece of code, as `(name, changed code)`: what a check must not let through."""

import ast
import copy

OPERATORS = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
DELETED = ast.Assign | ast.AugAssign | ast.Expr | ast.If | ast.For | ast.Raise


def mutants(body):
    """Every code with one operator, constant, sign, comparison or statement changed."""
    tree = ast.parse(body)
    count = sum(1 for _ in ast.walk(tree))
    for place in range(count):
        for change in (_operator, _constant, _sign, _statement):
            changed = copy.deepcopy(tree)
            node = list(ast.walk(changed))[place]
            if _inside_text(changed, node):
                continue
            name = change(changed, node)
            if name:
                text = ast.unparse(ast.fix_missing_locations(changed))
                yield f"line {node.lineno}: {name}", text


def _inside_text(tree, node):
    """Whether it belongs to the message of an error: nobody's result depends on it."""
    return any(
        isinstance(outer, ast.Raise | ast.JoinedStr)
        and node is not outer
        and any(inner is node for inner in ast.walk(outer))
        for outer in ast.walk(tree)
    )


def _operator(tree, node):
    if isinstance(node, ast.BinOp | ast.AugAssign | ast.BoolOp):
        before = ast.unparse(node)
        kind = OPERATORS.get(type(node.op))
        if kind is None:
            return None
        node.op = kind()
    elif isinstance(node, ast.Compare):
        before = ast.unparse(node)
        kind = OPERATORS.get(type(node.ops[0]))
        if kind is None:
            return None
        node.ops[0] = kind()
    else:
        return None
    return f"{before} → {ast.unparse(node)}"


def _constant(tree, node):
    if not isinstance(node, ast.Constant) or not isinstance(node.value, bool | int | float):
        return None
    before = ast.unparse(node)
    node.value = not node.value if isinstance(node.value, bool) else node.value + 1
    return f"{before} → {ast.unparse(node)} (column {node.col_offset})"


def _sign(tree, node):
    if not isinstance(node, ast.UnaryOp) or not isinstance(node.op, ast.USub | ast.Not):
        return None
    before = ast.unparse(node)
    replacement = copy.copy(node.operand)
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if value is node:
                setattr(parent, name, replacement)
            elif isinstance(value, list) and any(item is node for item in value):
                setattr(parent, name, [replacement if item is node else item for item in value])
    return f"{before} → {ast.unparse(replacement)}"


def _statement(tree, node):
    if not isinstance(node, DELETED):
        return None
    before = ast.unparse(node).split("\n")[0]
    for parent in ast.walk(tree):
        for name, value in ast.iter_fields(parent):
            if isinstance(value, list) and any(item is node for item in value):
                kept = [item for item in value if item is not node]
                setattr(parent, name, kept or ([ast.Pass(lineno=1, col_offset=0)]))
    return f"{before} → deleted"
