"""The sources of a notebook's code cells, from the bytes of a file that may hold anything."""

import json
import re

from course.grading.files import Budget, Unreadable

CELL_LIMIT = 50_000  # characters of one cell
LESSON_LIMIT = 1_000_000  # characters of all code of one notebook
JSON_LIMIT = 5_000_000  # characters of a notebook without its outputs and attachments
DEPTH = 200  # brackets in brackets
# A string may lack its end, and nothing in it is looked at twice: no text takes longer than its length.
TOKEN = re.compile(r'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[\]{}]', re.DOTALL)
SKIPPED = ('"outputs"', '"attachments"')


def cells_of(data: bytes, budget: Budget) -> list[str]:
    """The sources of the code cells. Raises Unreadable, in words."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("it is not in UTF-8, as notebooks are") from None
    if len(text) > JSON_LIMIT:  # json alone is ten times as fast
        text = without_outputs(text, budget)
    if len(text) > JSON_LIMIT:
        raise Unreadable(f"it has more than {JSON_LIMIT // 1_000_000} MB besides its outputs")
    try:
        content = json.loads(text)
    except RecursionError:
        raise Unreadable("it is nested too deeply to be a notebook") from None
    except ValueError as error:
        raise Unreadable(f"it is not JSON ({error})") from None
    cells = content.get("cells") if isinstance(content, dict) else None
    if not isinstance(cells, list):
        raise Unreadable("it is not a notebook of format 4: it has no list of cells")
    sources = list(filter(None, map(source_of, cells)))
    if any(len(source) > CELL_LIMIT for source in sources):
        raise Unreadable(f"a cell in it is longer than {CELL_LIMIT} characters")
    if sum(map(len, sources)) > LESSON_LIMIT:
        raise Unreadable(f"its code has more than {LESSON_LIMIT} characters")
    return sources


def without_outputs(text: str, budget: Budget) -> str:
    """A notebook's JSON with empty outputs and attachments, however large they were.

    They are cut out before anything is parsed: only the sources matter, and a picture of twenty
    megabytes must not cost a mark. Raises Unreadable where it is nested too deeply, or takes too
    long.
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
            name = token if depth == 3 else ""  # perhaps the name of a cell's field
            continue
        if token in "[{":
            depth += 1
            if depth > DEPTH:
                raise Unreadable("it is nested too deeply to be a notebook")
            if depth == 4 and name in SKIPPED and not skipping:
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


def source_of(cell: object) -> str:
    """A code cell's source without what stands before its first line, or ""."""
    if not isinstance(cell, dict) or cell.get("cell_type") != "code":
        return ""
    source = cell.get("source")
    if isinstance(source, list):
        source = "".join(part for part in source if isinstance(part, str))
    if not isinstance(source, str):
        return ""
    # Half of a pair of surrogates is no text that could be sent anywhere.
    source = source.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n")
    return source.lstrip("\n \t")
