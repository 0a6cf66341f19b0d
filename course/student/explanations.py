"""Explanations that are folded in the student's edition, so that a prediction is one.

The paragraphs after a predicted cell say what it shows. They stand on the same screen, so a student
would read the answer before the cell is run.
"""

import re

PREDICTION = re.compile(r"\*\*Predict")  # in the words before a cell
GUESS = re.compile(r"^predict\(", re.MULTILINE)  # in the cell
GO_ON = "<!-- go on -->"  # in the words after a cell: the explanation ends here
OPENED, CLOSED = "<details><summary>After you have run it</summary>\n\n", "\n\n</details>"


def fold_explanations(cells: list[dict]) -> None:
    """Fold what directly follows each predicted cell, up to the next heading, prediction or code.

    `cells` are changed in place. Several cells of code without words between them are one result,
    and folded ones that draw it are passed over.
    """
    explaining = explained = False  # the second: words have followed the predicted cell
    for cell in cells:
        if cell["cell_type"] == "code":
            if GUESS.search(cell["source"]):
                explaining, explained = True, False
            elif explained and not is_folded(cell):
                explaining = False
        elif explaining:
            cell["source"], explaining = folded(cell["source"])
            explained = True


def is_folded(cell: dict) -> bool:
    """Whether the code of a cell is not shown until somebody asks for it."""
    return bool(cell["metadata"].get("jupyter", {}).get("source_hidden"))


def folded(text: str) -> tuple[str, bool]:
    """The words of a cell with the explanation folded, and whether all of it was one.

    An explanation ends at a heading, at a paragraph with a prediction, at what is folded already,
    and where the author says so: `<!-- go on -->`.
    """
    parts = paragraphs(text)
    count = 0
    while count < len(parts) and not ends_explanation(parts[count]):
        count += 1
    if not count:
        return text, False
    explanation, rest = "\n\n".join(parts[:count]), "\n\n".join(parts[count:])
    return f"{OPENED}{explanation}{CLOSED}" + (rest and f"\n\n{rest}"), not rest


def ends_explanation(paragraph: str) -> bool:
    """Whether a paragraph is no part of an explanation."""
    return bool(
        re.match(rf"#+ |<details|---|{GO_ON}", paragraph.lstrip())
        or (PREDICTION.search(paragraph) and not paragraph.startswith("```"))
    )


def paragraphs(text: str) -> list[str]:
    """The text cut at its empty lines, but not within ``` or $$."""
    parts, open_block = [], None
    for piece in re.split(r"\n(?:[ \t]*\n)+", text.strip("\n")):
        if open_block:
            parts[-1] += "\n\n" + piece
        else:
            parts.append(piece)
        for mark in re.findall(r"```|\$\$", piece):
            if open_block is None:
                open_block = mark
            elif open_block == mark:
                open_block = None
    return parts
