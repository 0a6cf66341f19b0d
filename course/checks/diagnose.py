"""Diagnoses that are the same for every exercise: a forgotten `return`, a value of another kind.

They explain a failure that a check has found; they never find one themselves. What a right body
gives is known from its contract (course/lessons/exercise.py), what the student's body gives from
its text and from one more run of the probe that failed.
"""

import ast
import re
from dataclasses import replace

import numpy as np

from course.checks.vocabulary import NOTHING, RULE_OF_G, NoValue, Wrong, WrongForm
from course.lessons.exercise import Contract, contracts, results
from course.lessons.exporter import PACKAGE_ONLY, package_source
from course.lessons.live import bound_names
from course.lessons.notebooks import parse_python
from course.sandbox import runner

FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
WORDS_LIMIT = 400

# What to say of a value of this type where numbers or arrays are expected.
CAME_BACK = {
    "generator": "it has computed nothing yet. Put square brackets around it: a list is computed",
    "map": "it has computed nothing yet. `list(...)` around it computes it",
    "zip": "it has computed nothing yet. `list(...)` around it computes it",
    "filter": "it has computed nothing yet. `list(...)` around it computes it",
    "range": "`np.arange` makes an array of the same numbers",
    "slice": "it only says which part is meant: x[that slice] is the part itself",
    "Part": "it is a gradient with its place in a larger array. The array itself is expected here",
    "function": "is a pair of parentheses missing behind its name?",
    "method": "is a pair of parentheses missing behind its name?",
    "builtin_function_or_method": "is a pair of parentheses missing behind its name?",
    "type": "is a pair of parentheses missing behind its name?",
    "Tensor": "inside an operation there are arrays only. The array of a tensor is its `.data`",
    "Parameter": "an array is expected. The array of a parameter is its `.data`",
    "set": "it has no order. A list or an array keeps the order",
    "ndarray": "np.array(...) of None, of a generator or of parts of different lengths holds these "
    "things, and no numbers. Square brackets make a list of a generator",
    "memoryview": "`.data` of a tensor is an array already. Where a tensor is expected, return the "
    "tensor itself",
}
# The same where a text is expected.
IN_PLACE_OF_TEXT = {
    "bytes": "bytes come back, and no text: .decode(...) makes text of them",
    "TextIOWrapper": "an open file comes back, and no text: .read() gives what is in it",
    "BufferedReader": "an open file comes back, and no text: .read() gives what is in it",
}


# What to add to NumPy's and Python's words for a mistake that is made everywhere.
HINTS = (
    (
        r"truth value of an array",
        "Python's max, min, if, not, and, or, in and == want one answer. For arrays there are "
        "np.max, np.where, &, | and ~; two parts are compared with `is`",
    ),
    (
        r"only (0-dimensional|length-1) arrays can be converted",
        "Python's math takes one number. np.exp, np.sqrt and np.log take arrays; x.sum() makes one "
        "number of an array",
    ),
    (r"len\(\) of unsized object", "an array of shape () has no length. x.size counts its entries"),
    (
        r"'generator'|<generator object",
        "a generator has computed nothing yet. Square brackets make a list of it, np.array an array",
    ),
    (
        r"'(int|float|bool)' object has no attribute",
        "a plain number is no array. np.asarray(...) makes an array of it",
    ),
    (
        r"'numpy\.ndarray' object has no attribute "
        r"'(split|masked_fill|exp|log|sqrt|tanh|tril|triu|softmax|norm|pow|square)'",
        "a method of tensors, and this is a NumPy array: np.split, np.where, np.exp and the like "
        "are functions",
    ),
    (
        r"axes don't match array",
        "NumPy's transpose takes all axes in their new order; swapaxes(1, 2) exchanges two",
    ),
    (
        r"view\(\) takes from 0 to 2 positional",
        "NumPy's `view` changes the dtype; `reshape` changes the shape",
    ),
    (
        r"boolean index did not match",
        "an index is not broadcast: np.where(mask, a, b) is, and x[..., mask] leaves the axes before "
        "it alone",
    ),
    (
        r"name '(mg|softmax|gelu)' is not defined",
        "the notebook knows `mg`, the exported module does not: it has what its first cell imports",
    ),
    (
        r"arrays used as indices must be",
        "a mask of 0.0 and 1.0 holds numbers: mask == 1 holds True and False",
    ),
    (
        r"inhomogeneous shape",
        "arrays of different lengths, or things that are no numbers, make no array",
    ),
    (
        r"name '[A-Z]' is not defined",
        "a letter of the text, or a name of the notebook: here only the arguments are known, and "
        "what the cell itself computes from them",
    ),
    (
        r"name '(Linear|GELU|ReLU|Dropout|LayerNorm|Embedding|Sequential|Module)' is not defined",
        "the layers are in the module nn: nn.Linear and the like",
    ),
    (
        r"module 'minigrad\.nn' has no attribute '(gelu|relu|linear|dropout|layer_norm|embedding)'",
        "a layer's name has capitals: nn.GELU() and the like",
    ),
    (
        r"cannot reshape array of size",
        "a reshape keeps all entries: the new sizes must multiply to their number",
    ),
    (
        r"array split does not result in an equal division",
        "np.split(x, parts, axis) takes the number of equal parts; without an axis it cuts the first",
    ),
    (
        r"'float' object cannot be interpreted as an integer|a single integer, got '\d+\.",
        "`/` gives a float, and a size is a whole number: `//`",
    ),
    (
        r"'numpy\.ndarray' object has no attribute 'append'",
        "an array keeps its size: write into a part of it, x[start:end] = new",
    ),
    (r"bitwise_xor|for \^", "a power is written `**`; `^` works on the bits of integers"),
    (
        r"Cannot interpret '(True|False)' as a data type|(return arrays|output) must be",
        "behind the axis NumPy expects `dtype` or `out`: name the option, keepdims=keepdims",
    ),
    (
        r"object has no attribute '[a-z]\w*_'",
        "names with _ at the end are PyTorch's: `*=`, `+=` and `-=` change an array in place",
    ),
    (
        r"name 'torch' is not defined",
        "PyTorch is not used here: np.sqrt, np.exp and the like take arrays",
    ),
    (
        r"'str' object has no attribute '(grad|data|shape|ndim|dtype)'",
        "a loop over a dictionary gives its keys, which are texts: d[key] is what stands under one",
    ),
    (
        r"'dict' object has no attribute",
        'what stands in a dictionary is reached by its key in square brackets: d["key"]',
    ),
    (
        r"'(int|float)' object is not iterable",
        "`for` goes over range(n), and `+=` joins a list to a list: one of the numbers in it goes up "
        "by `numbers[i] += 1`",
    ),
    (
        r"multiply sequence by non-int|unsupported operand .*\blist'",
        "one of the values is a list, which holds several: names[number] is one of them",
    ),
    (
        r"unsupported operand .*\bbuiltin_function_or_method'",
        "one of the values is a function of Python's: is another name meant, or are its parentheses "
        "missing?",
    ),
    (r"list index out of range", "a list of four has the places 0, 1, 2 and 3"),
    (r"EOF when reading a line", "nobody can type during a check: leave `input` out"),
    (r"'list' object has no attribute", "np.array(...) makes an array of a list"),
    (r"'tuple' object has no attribute", "a comma at the end of a line makes a tuple"),
    (r"maximum recursion depth", "it calls itself without end"),
    (r"iter\(\) returned non-iterator", "`yield` each part where it is made, without a `return`"),
    (r"\(\) takes no arguments", "a class with parentheses behind its name makes an object"),
    (r"(not|^TypeError:) '\w+(Error|Exception)'", "an exception is raised, not returned: `raise`"),
)

# The same, where the exercise is an operation with rules.
HINTS_OF_RULES = (
    (
        r"name 'g' is not defined",
        "only a rule knows `g`: a function of it, as in `lambda g: g * b`",
    ),
    (r"(a lambda|\brule\w*\(\)) (missing \d|takes 0 pos)", RULE_OF_G),
)


def explain(failure, student, texts, cell=""):
    """The best diagnosis of a failure, as a `Wrong`.

    `failure` is what the check raised: a `Wrong`, or an exception of the check itself, which met
    a value that it was not written for. `student` was asked, and can be asked again; `texts` is
    the package that it runs, `cell` the exercise's cell where its source is known.
    """
    if isinstance(failure, Wrong) and failure.needs:
        return failure
    contract = contracts().get(student.exercise)
    shown = shown_input(failure, student)
    words = forgotten_return(contract, texts, stopped(failure)) if contract else ""
    words = words or (needless_yield(contract, texts) if contract else "")
    rows = returned(student) if contract and not words else []
    if not words and contract:
        words = wrong_kind(contract, texts, failure, rows)
    if words:
        return Wrong(words, input=shown)
    own = own_kind(contract, rows) if contract else ""
    if isinstance(failure, NoValue) and "raised" in failure.reply:
        raised, hints = failure.reply["raised"], student.hints
        return exception(raised, contract, texts, cell, shown, own, hints)
    if isinstance(failure, NoValue):
        return Wrong(came_back(failure.reply.get("type"), "the code"), input=shown)
    if isinstance(failure, Wrong):
        return failure
    form = "another form than the check expects"
    if own:
        return Wrong(f"{spoken(contract.function)} returned {a(own)}, or {form}", input=shown)
    return Wrong(
        f"what came back has {form} ({type(failure).__name__}: {clean(str(failure))})", input=shown
    )


def shown_input(failure, student):
    """The input that an example shows: the failure's own, or that of the last call."""
    own = failure.example["input"] if isinstance(failure, Wrong) else NOTHING
    return student.shown if own is NOTHING else own


# --- A forgotten `return` ---


def stopped(failure) -> set:
    """The functions that an exception left before their end, where None had no part in it."""
    if not isinstance(failure, NoValue) or "raised" not in failure.reply:
        return set()
    error = failure.reply["raised"]
    if "NoneType" in str(error.get("words")):
        return set()
    return {str(name) for _, name, _ in _rows(error.get("frames"))}


def forgotten_return(contract: Contract, texts, stopped=()) -> str:
    """That a function of the exercise returns nothing although it must, from its text, or "".

    A function in `stopped` was left by an exception, so its end is not what went wrong.
    """
    function = find(contract, texts)
    if function is None:
        return ""
    if contract.gives and contract.function not in stopped and returns_nothing(function):
        if contract.gives == "yield":
            return f"{spoken(contract.function)} yields nothing: is there a `yield`?"
        return f"{spoken(contract.function)} returned None: is there a `return`?"
    for node in ast.walk(function):
        if node is not function and isinstance(node, FUNCTIONS) and returns_nothing(node):
            if node.name in contract.inner or is_used(node.name, function):
                return f"{node.name} returned None: is there a `return`?"
    return ""


def needless_yield(contract: Contract, texts) -> str:
    """That a function of the exercise has a `yield` although it must return a value, or ""."""
    function = find(contract, texts)
    if function is None or contract.gives in ("yield", "several"):
        return ""
    inner = [node for node in ast.walk(function) if isinstance(node, FUNCTIONS | ast.Lambda)]
    hidden = {id(node) for one in inner if one is not function for node in ast.walk(one)}
    for node in ast.walk(function):
        if isinstance(node, ast.Yield | ast.YieldFrom) and id(node) not in hidden:
            return (
                f"{spoken(contract.function)} has a `yield` in it, so nothing of it runs when it is "
                "called, and what comes back is a generator. Write it without `yield`"
            )
    return ""


def find(contract: Contract, texts):
    """The syntax tree of the function that the exercise's body stands in, or None."""
    try:
        nodes = parse_python(texts.get(contract.module, "")).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    found = None
    for name in contract.function.replace("<locals>.", "").split("."):
        matching = [n for n in nodes if isinstance(n, FUNCTIONS | ast.ClassDef) and n.name == name]
        if not matching:
            return None
        found, nodes = matching[-1], matching[-1].body
    return found if isinstance(found, FUNCTIONS) else None


def returns_nothing(function) -> bool:
    """Whether a function has no `return` with a value, no `yield`, and does not end in `raise`."""
    return not results(function) and not isinstance(function.body[-1], ast.Raise)


def is_used(name: str, function) -> bool:
    """Whether a function inside of another is used for its value, not only called."""
    alone = [n for n in ast.walk(function) if is_call_alone(n)]
    called = {id((n.body if isinstance(n, ast.Lambda) else n.value).func) for n in alone}
    return any(
        isinstance(node, ast.Name)
        and node.id == name
        and isinstance(node.ctx, ast.Load)
        and id(node) not in called
        for node in ast.walk(function)
    )


def is_call_alone(node) -> bool:
    """Whether a call is all that a line does: f(x), or the body of a lambda that puts it off."""
    if isinstance(node, ast.Lambda):
        node = ast.Expr(node.body)
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)


# --- A value of another kind ---


def returned(student):
    """[module, function, kind] of all that is returned when the last probe is run again."""
    if student.last is None:
        return []
    try:
        reply = student.child.ask(student.last[0].__name__, student.last[1], watch=True)
    except runner.Ended:
        return []
    found = reply.get("returned")
    rows = found if isinstance(found, list) else []
    return [row for row in rows if isinstance(row, list) and [type(x) for x in row] == [str] * 3]


def own_rows(contract: Contract, rows) -> list:
    """(function, kind) of what the exercise's own functions returned."""
    top = contract.function.split(".")[0]
    return [
        (name, kind)
        for module, name, kind in rows
        if module == contract.module and name.split(".")[0] == top
    ]


def own_kind(contract: Contract, rows) -> str:
    """The kind of what the exercise's function returned last, "" where that is not known."""
    return dict(own_rows(contract, rows)).get(contract.function, "") if contract.gives else ""


def wrong_kind(contract: Contract, texts, failure, rows) -> str:
    """What is said where a function returned None, no tuple, or something of another kind."""
    rows = own_rows(contract, rows)
    ends = "returned None: one way through it ends without a `return` of a value"
    for name, kind in rows:
        must = contract.gives not in ("", "yield") if name == contract.function else False
        if kind == "None" and (must or name.rpartition(".")[2] in contract.inner):
            return f"{spoken(name)} {ends}"
    own = dict(rows).get(contract.function, "")
    words = wrong_tuple(contract, own, is_operation(find(contract, texts)))
    who = spoken(contract.function)
    wanted = wanted_in_place_of(own, failure)
    if not words and contract.gives == "value" and wanted:
        words = f"{who} returned {a(own)}, where {wanted} is expected"
    if words or not no_value_to_judge(failure):
        return words
    if contract.gives == "value" and own.startswith("tuple of "):
        return (
            f"{who} returned a {own}, where one value is expected: is there a comma too many, or "
            "something returned beside it?"
        )
    met = failure.reply.get("type") if isinstance(failure, NoValue) else "Part"  # a pair, as sent
    for name, kind in rows:
        if name.endswith("<lambda>") and kind == "None":
            return f"a lambda in {who} returned None, where a value is expected"
        if kind in CAME_BACK and kind == met:
            called = tensors_from(contract, texts) if kind == "Tensor" else ""
            return came_back(kind, spoken(name), called)
    return ""


def tensors_from(contract: Contract, texts) -> str:
    """What is said of a function of the course that is called for NumPy's of that name, or ""."""
    function, known = find(contract, texts), bound_names(texts.get(contract.module, ""))
    for node in ast.walk(function or ast.Pass()):
        name = (
            node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        )
        if name in known and hasattr(np, name):
            return (
                f"`{name}` without `np.` is the course's own operation, which makes tensors. "
                f"np.{name} makes arrays"
            )
    return ""


def wrong_tuple(contract: Contract, own: str, operation: bool) -> str:
    """What is said where the exercise's function returned no tuple, or one of another length."""
    if contract.gives != "tuple" or own == "" or own == "list" and not operation:
        return ""
    who = spoken(contract.function)
    if own == "list":
        return (
            f"{who} returned a list: it returns a tuple, the value and then the rules, without "
            "square brackets around them"
        )
    if not own.startswith("tuple of "):
        if operation and own not in ("function", "str", "generator"):
            return (
                f"{who} returned its value alone: it returns a tuple, the value and then one rule "
                "for each array (None where there is no derivative)"
            )
        return f"{who} returned {a(own)}, where a tuple is expected"
    if contract.count and own != f"tuple of {contract.count}":
        each = ": the value, and one rule or None for each array" if operation else ""
        return f"{who} returned a {own}, where {contract.count} are expected{each}"
    return ""


def is_operation(function) -> bool:
    """Whether a function stands under `@differentiable` or `@rearranging`."""
    return function is not None and any(
        re.search(r"differentiable|rearranging", ast.unparse(decorator))
        for decorator in function.decorator_list
    )


def wanted_in_place_of(own: str, failure) -> str:
    """What is expected, in words, where a list or a text was returned in its place; else ""."""
    if own not in ("list", "str", "dict") or not isinstance(failure, Wrong):
        return ""
    expected = failure.example["expected"]
    if isinstance(expected, np.ndarray):
        return "an array"
    if isinstance(expected, str) and own != "str" and isinstance(failure.example["got"], list):
        return "a text"
    return ""


def no_value_to_judge(failure) -> bool:
    """Whether a check failed over the form of what came back, not over its numbers."""
    if not isinstance(failure, Wrong) or isinstance(failure, NoValue | WrongForm):
        return True
    got, expected = failure.example["got"], failure.example["expected"]
    if got is None:
        return True
    parts = isinstance(got, list | tuple)  # of a tuple, or of a list: both are sent as lists
    holds_arrays = parts and any(isinstance(part, np.ndarray) for part in got)
    return parts and (holds_arrays or isinstance(expected, np.ndarray | np.generic | float))


def came_back(kind: str, who: str, advice="") -> str:
    """What is said of a value that is no number and no array; `advice` where more is known."""
    if kind in IN_PLACE_OF_TEXT:
        return IN_PLACE_OF_TEXT[kind]
    if re.search(r"(Error|Exception)$", str(kind)):
        return f"{who} gave {a(kind)}: an exception is raised, not returned (`raise`)"
    advice = advice or CAME_BACK.get(kind)
    what = "an array of Python objects" if kind == "ndarray" else a(str(kind))
    return f"{who} gave {what}, where numbers or arrays are expected" + (
        f": {advice}" if advice else ""
    )


def a(kind: str) -> str:
    """A kind with its article: a tuple, an ndarray."""
    kind = {"NoneType": "None", "ndarray": "array", "builtin_function_or_method": "function"}.get(
        kind, kind
    )
    return f"{'an' if kind[:1].lower() in 'aeiou' else 'a'} {clean(kind)}"


# --- An exception ---


def exception(error, contract, texts, cell, shown, own_value="", hints=()):
    """An exception in the student's words: who raised it, in which line, for which input.

    `own_value` is the kind of what the exercise's function returned, where it came so far; `hints`
    are those of the check, which are looked at before those that all exercises share.
    """
    frames = [
        (module, name, line)
        for module, name, line in _rows(error.get("frames"))
        if isinstance(line, int)
    ]
    own = [frame for frame in frames if contract and _in_cell(frame, contract, texts, cell)]
    kind = str(error.get("type"))
    if kind == "RecursionError":  # it broke somewhere below; the circle is the student's
        own = [frame for frame in own if frame[1] == contract.function] or own
    module, name, line = (own or frames or [("", "", 0)])[-1]
    if not own and module == "op":  # the decorator, which wraps what the student wrote
        module, name, line = "", contract.function if contract else "", 0
    said = clean(str(error.get("words"))).strip()
    rules = HINTS_OF_RULES if contract and is_operation(find(contract, texts)) else ()
    said = f"{clean(kind)}: {said}" if said else clean(kind)
    text = texts.get(module, "").splitlines()
    shown_line, source = NOTHING, ""
    if 0 < line <= len(text):
        number, source = (
            line_in_cell(cell, texts[module], line) if own and cell else 0,
            text[line - 1],
        )
        shown_line = number, source.strip()
    at_line = f"{said}\n{source.strip()}"
    hint = next((words for pattern, words in hints if own and re.search(pattern, at_line)), "")
    hint = hint or (kept_elsewhere(said, contract, texts) if own else "")
    said = f"{said} ({hint})" if hint else with_hint(said, (*rules, *HINTS))
    if spoken(name):
        words = f"{spoken(name)} raised {said}"
    elif name:
        words, shown = f"loading minigrad.{module} raised {said}", NOTHING
    elif contract and re.fullmatch(r"KeyError: \d{9,}", said):  # a check looks rules up by arrays
        words = f"{spoken(contract.function)} gave no rule for one of its arrays, where there is a derivative"
    elif contract and not contract.gives:
        words = f"what {spoken(contract.function)} has done cannot be used: {said}"
    elif contract:
        met = f" ({a(own_value)})" if own_value else ""
        words = f"what {spoken(contract.function)} returned{met} cannot be used: {said}"
    else:
        words = f"the code raised {said}"
    return Wrong(words, line=shown_line, input=shown, missing=error.get("missing", ""))


def kept_elsewhere(said: str, contract: Contract, texts) -> str:
    """Where a method finds what it looked for in vain, a name or a part of self; "" if unknown."""
    of, _, method = contract.function.partition(".")
    unknown = re.match(
        rf"(?:NameError: name|AttributeError: '{re.escape(of)}' object has no attribute) '(\w+)'",
        said,
    )
    if not unknown or method in ("", "__init__"):
        return ""
    init = find(replace(contract, function=f"{of}.__init__"), texts)
    if init is None:
        return ""
    arguments = [argument.arg for argument in init.args.args]
    kept = {  # without double ones, in the order of the text
        node.attr: None
        for node in ast.walk(init)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        if isinstance(node.value, ast.Name) and node.value.id == "self"
    }
    name = unknown[1]
    if name in kept:
        return f"`__init__` keeps it in self: self.{name}"
    if not kept or not (name in arguments or said.startswith("AttributeError")):
        return ""
    known = f"`{name}` is known in `__init__` alone; " if name in arguments else ""
    return f"{known}`__init__` keeps in self: {', '.join(kept)}"


def with_hint(said: str, hints=HINTS) -> str:
    """What an exception says, with what it means where Python's or NumPy's words do not say it."""
    hint = next((hint for pattern, hint in hints if re.search(pattern, said)), "")
    unknown = re.match(r"NameError: name '(\w+)' is not defined", said)
    if not hint and unknown and hasattr(np, unknown[1]):
        hint = f"NumPy's is np.{unknown[1]}"
    elif not hint and unknown and len(unknown[1]) == 1:
        hint = "a letter of a formula has a value only where a line gives it one"
    return said + (f" ({hint})" if hint and "make a list of it" not in said else "")


def _rows(frames):
    """Frames of a message that may hold anything."""
    rows = frames if isinstance(frames, list) else []
    return [row for row in rows if isinstance(row, list) and len(row) == 3]


def _in_cell(frame, contract, texts, cell) -> bool:
    """Whether a frame lies in the exercise's cell, whatever the function there is called."""
    module, name, line = frame
    if module != contract.module or not isinstance(name, str):
        return False
    first = name.split(".")[0]
    names = {contract.function.split(".")[0]} | (
        bound_names(package_source(cell)) if cell else set()
    )
    return first in names or bool(cell and line_in_cell(cell, texts.get(module, ""), line))


def line_in_cell(cell: str, text: str, line: int) -> int:
    """The number of the cell's line that stands in line `line` of its module; 0 for none."""
    source = package_source(cell)
    start = text.find(source)
    if start < 0 or not source:
        return 0
    wanted = line - 1 - text.count("\n", 0, start)
    number = 0
    lines = [PACKAGE_ONLY.sub(lambda m: m[1] + (m[2] or ""), one) for one in cell.splitlines()]
    for place, one in enumerate(source.split("\n")):
        while number < len(lines) and lines[number].rstrip() != one:
            number += 1  # a line that the export drops
        number += 1
        if place == wanted:
            return number if number <= len(lines) else 0
    return 0


def spoken(name) -> str:
    """A function's name as the student wrote it: "rule_b" for "matmul.<locals>.rule_b"."""
    parts = [part for part in str(name).split(".") if not part.startswith("<")]
    inner = "<locals>" in str(name) and not str(name).endswith(">")
    return clean(parts[-1] if inner and parts else ".".join(parts[:2]))


def clean(words: str) -> str:
    """Words without names that nobody wrote, addresses in memory, and control characters."""
    words = re.sub(r"\bprobe_\w+\.<locals>\.(?:\w+\.)?(\w+)", r"\1", words)
    words = re.sub(r"[\w.<>]*<lambda>\(\)", "a lambda", words)
    words = re.sub(r"\bprobe_\w+(\(\))?", "the check", words)
    words = re.sub(r"(?:\w+\.)*<locals>\.", "", words)
    words = re.sub(r"\.?<(?:listcomp|genexpr|dictcomp|setcomp)>", "", words)
    words = re.sub(r" ?\(?<(?:minigrad[\w.]*|probes)>,? ?(line \d+)?\)?", "", words)
    words = re.sub(r" at 0x[0-9a-fA-F]+", "", words)
    words = "".join(c if c.isprintable() or c == "\n" else " " for c in words)
    return words[:WORDS_LIMIT]
