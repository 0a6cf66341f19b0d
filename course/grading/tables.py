"""Reading the tables that an instructor gives: the roster, points, deadlines, overrides."""

import csv
import io
import unicodedata
from pathlib import Path


class Refused(Exception):
    """What cannot be followed; the message says which file and line, and what to write."""


def read_table(path: Path, needed: list[str]) -> list[tuple[str, dict[str, str]]]:
    """The rows of a CSV file with a header: (its place for a message, column -> cell).

    Columns may stand in any order and any case, between commas, semicolons or tabs; others are
    kept as well. Raises Refused where a needed column is missing or a row is too long.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise Refused(f"{path} cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise Refused(f"{path} is not in UTF-8: save it as CSV UTF-8") from None
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows, columns = [], None
    try:
        for cells in reader:
            cells = [cell.strip() for cell in cells]
            if not any(cells):
                continue
            if columns is None:
                columns = [cell.casefold() for cell in cells]
                missing = [name for name in needed if name not in columns]
                if missing:
                    raise Refused(f"{path}: its first line needs a column {missing[0]!r}")
                twice = [name for name in needed if columns.count(name) > 1]
                if twice:
                    raise Refused(f"{path}: its first line has the column {twice[0]!r} twice")
                continue
            place = f"{path}, line {reader.line_num}"
            if len(cells) > len(columns):
                raise Refused(f"{place}: it has more cells than the first line")
            cells += [""] * (len(columns) - len(cells))
            rows.append((place, dict(zip(columns, cells, strict=True))))
    except csv.Error as error:
        raise Refused(f"{path}, line {reader.line_num}: {error}") from None
    if columns is None:
        raise Refused(f"{path} is empty: its first line names the columns {', '.join(needed)}")
    return rows


def counted(number: int, what: str) -> str:
    """A number with its noun: 1 student, 2 students."""
    return f"{number} {what}{'s' * (number != 1)}"


def same(name: str) -> str:
    """A name as it is compared: any case, any spaces, composed letters."""
    return unicodedata.normalize("NFC", " ".join(name.split())).casefold()
