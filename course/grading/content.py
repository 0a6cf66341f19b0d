"""The sources of a notebook's code cells, from the bytes of a file that may hold anything."""

import json
import re

from course.grading.budget import Budget, Unreadable
from course.lessons.exercise import MARK

CELL_LIMIT = 50_000  # characters of one cell
LESSON_LIMIT = 1_000_000  # characters of all code of one notebook
JSON_LIMIT = 5_000_000  # characters of a notebook without what is skipped
DEPTH = 200  # brackets in brackets
# A string may lack its end, and nothing in it is looked at twice: no text takes longer than its length.
TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)
SKIPPED = ('"outputs"', '"attachments"', '"metadata"')
FIELDS = 2, 4, 6  # brackets around what a field of a notebook holds, or of a cell
# Where a cell begins in a notebook that was saved as Python: by jupytext, or by nbconvert.
SCRIPT_CELL = re.compile(r"^(?:# ?%%.*|# \+.*|# -|# In ?\[.*\]:?|(?=#\| export ).*)$", re.MULTILINE)
# marimo writes a cell as a function: a head, the cell, and a `return` of names for the others.
MARIMO_CELL = re.compile(r"^@app\.(?:cell|function|class_definition)\b.*\n", re.MULTILINE)
MARIMO_HEAD = re.compile(r"(?:async )?def \w+\([^)]*\):[^\n]*\n(?=[ \t\n])")
MARIMO_END = re.compile(r"^if __name__ == ", re.MULTILINE)
CONFLICT = re.compile(r"^<{7} \S{1,40}", re.MULTILINE)
MARKS = re.compile(r"^#\| (?:export|exercise) ", re.MULTILINE)


def cells_of(data: bytes, budget: Budget) -> list[str]:
    """The sources of the code cells. Raises Unreadable, in words."""
    if not data.strip():
        raise Unreadable("it is empty: was it saved?")
    text, encoding = decoded(data)
    start = text.lstrip()[:1]
    if start not in ("{", "[") and MARIMO_CELL.search(text):
        return marimo_cells(text)
    if start not in ("{", "[") and MARKS.search(text):
        return script_cells(text)
    if len(text) > JSON_LIMIT:  # json alone is ten times as fast
        text = without_outputs(text, budget)
    if len(text) > JSON_LIMIT:
        raise Unreadable(f"it has more than {JSON_LIMIT // 1_000_000} MB besides its outputs")
    try:
        content = json.loads(text)
    except RecursionError:
        raise Unreadable("it is nested too deeply to be a notebook") from None
    except ValueError as error:
        if encoding == "latin-1":
            raise Unreadable("it is not in UTF-8, as notebooks are") from None
        if conflict := CONFLICT.search(text):
            line = text.count("\n", 0, conflict.start()) + 1
            raise Unreadable(
                f"git left both sides of a merge in it, from line {line} on ({conflict[0]}): choose "
                "one, and save it again"
            ) from None
        raise Unreadable(f"it is not JSON ({error})") from None
    return sources_of(listed(content))


def decoded(data: bytes) -> tuple[str, str]:
    """The text of a file and its encoding: what its first bytes say, or else latin-1."""
    encoding = json.detect_encoding(data)  # UTF-16 and UTF-32 too, with their mark or without
    encoding = "utf-8-sig" if encoding == "utf-8" else encoding
    try:
        return data.decode(encoding), encoding
    except UnicodeDecodeError:
        return data.decode("latin-1"), "latin-1"  # the code of the course has nothing but ASCII


def listed(content: object) -> list:
    """The cells of a notebook of format 4, or 3. Raises Unreadable where there are none."""
    content = content if isinstance(content, dict) else {}
    sheets = content.get("worksheets")  # which format 3 has around its cells
    # A server that is asked for a file sends the notebook as the "content" of its answer.
    parts = [content, content.get("content"), *(sheets if isinstance(sheets, list) else [])]
    lists = [part.get("cells") for part in parts if isinstance(part, dict)]
    if not any(isinstance(cells, list) for cells in lists):
        raise Unreadable("it is not a notebook: it has no list of cells")
    return [cell for cells in lists if isinstance(cells, list) for cell in cells]


def script_cells(text: str) -> list[str]:
    """The cells of a notebook that was saved as a script."""
    places = [match.start() for match in SCRIPT_CELL.finditer(text)]
    parts = [text[a:b] for a, b in zip([0, *places], [*places, len(text)], strict=True)]
    lines = (re.sub(r"\A# ?(?:%%|\+|-|In ?\[).*\n?", "", part) for part in parts)
    return list(filter(None, map(tidy, lines)))


def marimo_cells(text: str) -> list[str]:
    """The cells of a notebook of marimo, which is a script."""
    text = MARIMO_END.split(text.replace("\r\n", "\n"))[0]
    found = []
    for part in MARIMO_CELL.split(text)[1:]:
        head = MARIMO_HEAD.match(part)
        if head and re.search(r"\n    return\b", part):
            part = part[head.end() :].rpartition("    return")[0]
        found.append(tidy(part))
    return list(filter(None, found))


def without_outputs(text: str, budget: Budget) -> str:
    """A notebook's JSON with empty outputs, attachments and metadata, however large they were.

    They are cut out before anything is parsed: only the sources matter, and a picture of twenty
    megabytes must not cost a mark; so are strings that no cell may have. Raises Unreadable where
    it is nested too deeply, or takes too long.
    """
    kept, start, depth, name, skipping = [], 0, 0, "", 0
    size = 0  # of what is kept
    for number, match in enumerate(TOKEN.finditer(text)):
        if number % 100_000 == 0:
            budget.check_time()
            if not skipping and size + match.start() - start > JSON_LIMIT:
                break
        token = match[0]
        if token[0] == '"':
            name = token if depth + 1 in FIELDS else ""  # perhaps the name of a field
            if len(token) > 2 * CELL_LIMIT and not skipping and token[-1] == '"':
                kept.append(text[start : match.start()] + '""')
                size += len(kept[-1])
                start = match.end()
            continue
        if token in "[{":
            depth += 1
            if depth > DEPTH:
                raise Unreadable("it is nested too deeply to be a notebook")
            if depth in FIELDS and name in SKIPPED and not skipping:
                kept.append(text[start : match.end()])
                size += len(kept[-1])
                skipping = depth
        else:
            if skipping == depth:
                start, skipping = match.start(), 0
            depth -= 1
        name = ""
    kept.append(text[start:])
    return "".join(kept) if not skipping else text


def sources_of(cells: list) -> list[str]:
    """The sources of the cells that are code.

    A cell that begins with our mark is code, also where its kind was changed by accident. But not
    where a cell of code has the same mark and is begun: then it is an old attempt, put aside.
    """
    found = [(source, is_code) for source, is_code in map(source_of, cells) if source]
    begun = {
        number
        for source, is_code in found
        if is_code and "raise NotYet(" not in source
        for number in MARK.findall(source)
    }
    return [
        source
        for source, is_code in found
        if is_code or MARKS.match(source) and begun.isdisjoint(MARK.findall(source))
    ]


def source_of(cell: object) -> tuple[str, bool]:
    """A cell's source, without what stands before its first line, or "", and whether it is code."""
    if not isinstance(cell, dict):
        return "", False
    source = cell.get("source", cell.get("input"))  # as format 3 calls it
    if isinstance(source, list):
        lines = [part for part in source if isinstance(part, str)]
        # Jupyter writes the lines with their ends; some tools leave these out.
        written = any(line.endswith(("\n", "\r")) for line in lines)
        source = ("" if written else "\n").join(lines)
    if not isinstance(source, str):
        return "", False
    return tidy(source), cell.get("cell_type") == "code"


def tidy(source: str) -> str:
    """A source that can be sent anywhere, with our line ends, from its first line on.

    Where all of it is indented, as its first line is, it is not any more: a notebook runs that too.
    """
    source = source.encode("utf-8", "replace").decode("utf-8")  # half of a pair of surrogates
    source = source.replace("\r\n", "\n").replace("\r", "\n").lstrip("\ufeff\u200b")
    source = re.sub(r"\A(?:[ \t]*\n)+", "", source)
    if indentation := re.match(r"[ \t]+", source):
        source = "\n".join(line.removeprefix(indentation[0]) for line in source.split("\n"))
    return source.lstrip("\n \t")
