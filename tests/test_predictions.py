"""Predictions: in the student's edition nothing gives the answer away before the cell is run."""

import ast
import importlib.util
import io
import json
import re
import tokenize
from dataclasses import dataclass, field

import pytest

from course.lessons import notebooks
from course.student.edition import as_bytes, blanked
from course.student.explanations import (
    CLOSED,
    GO_ON,
    GUESS,
    OPENED,
    PREDICTION,
    fold_explanations,
    folded,
    is_folded,
    paragraphs,
)
from maintain import browser

LESSONS = [path for path in notebooks.paths() if path.name[:2].isdigit()]
each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
EMPTY = re.compile(r'(?:# NBVAL_IGNORE_OUTPUT\n)?predict\(""\)\n?')
SENTENCE = 6  # words, and a full stop: such a text says something
# Words that judge. A name, a comment or a text with one of them tells how it will go.
VERDICT = re.compile(
    r"(?<![a-z])(wrong|best|worst|better|worse|fails?|failed|broken|diverges?|explodes?|vanish\w*|"
    r"too (?:large|small|long|short|slow|high|low)|slower|faster|wins?|beats|"
    r"useless)(?![a-z])"
)
# What is no answer: (lesson, a part of the question, a part of the complaint) -> why.
NO_ANSWER = {
    (
        "02",
        "three operations",
        "'wrong'",
    ): "they are said to be wrong; what the checker says is asked",
    ("02", "four mistakes", "'wrong'"): "so is this one; which is the hardest to find is asked",
    ("03", "gains most", "an assert"): "both versions compute the same; the times are asked",
    ("09", "first merge", "768"): "the number of the last merge",
    ("09", "in_proj.weight", "an assert"): "what was loaded is what was saved; a shape is asked",
    ("09", "greedy writing", "an assert"): "the text begins as it was told to; its rest is asked",
}
# Questions that stand at once after a folded explanation, and say themselves what they ask about.
WHOLE = {"04": ["and the gradients, on their way from layer 20"]}


def without_excused(lesson, complaints):
    """The complaints, each with its question, that no entry of `NO_ANSWER` explains."""
    known = [words for words in NO_ANSWER if words[0] == lesson]
    return [
        text
        for text in complaints
        if not any(question in text and what in text for _, question, what in known)
    ]


@dataclass
class Prediction:
    """A question, the cells that answer it, and the words that explain it."""

    question: dict
    cells: list = field(default_factory=list)  # of code, up to the next words
    after: list = field(default_factory=list)  # of words, up to the next code

    @property
    def is_of_an_exercise(self):
        """It is answered by writing the exercise; its hints are folded."""
        first = (self.cells or self.after or [{"source": ""}])[0]
        return first["source"].startswith(("#| ", "### Exercise "))

    @property
    def open_sources(self):
        return [cell["source"] for cell in self.cells if not is_folded(cell)]


def predictions(cells):
    """The predictions of a notebook's cells."""
    found = []
    for cell in cells:
        asks = (
            cell["cell_type"] == "markdown"
            and PREDICTION.search(cell["source"])
            and not cell["source"].startswith("# ")  # the opening says how to use it
        )
        if found and cell["cell_type"] == "code" and not found[-1].after:
            found[-1].cells.append(cell)
        elif found and cell["cell_type"] == "markdown":
            found[-1].after.append(cell)
        if asks:
            found.append(Prediction(cell))
        elif found and cell["cell_type"] == "code" and found[-1].after:
            found[-1].after.append(None)  # code again: what follows explains something else
    for prediction in found:
        after = prediction.after
        prediction.after = after[: after.index(None)] if None in after else after
    return found


def gives_away(cells):
    """Complaints about each prediction among a student's cells, as texts."""
    complaints = []
    for prediction in predictions(cells):
        if prediction.is_of_an_exercise:
            continue
        complaints += [f"{asked(prediction)}: {what}" for what in faults(prediction)]
    return complaints


def asked(prediction):
    source = prediction.question["source"]
    return " ".join(source[source.rindex("**Predict") :].split())[:70]


def faults(prediction):
    if not prediction.cells:
        yield "no cell answers it"
        return
    if not EMPTY.match(prediction.cells[0]["source"]):
        yield 'its cell does not begin with predict("")'
    if prediction.cells[0]["metadata"].get("jupyter"):
        yield "the cell to write the guess in is folded"
    for cell in prediction.cells:
        for caption in captions(cell["source"]):
            yield f"a caption of its own: {caption[:50]!r}"
    for source in prediction.open_sources:
        if any(isinstance(node, ast.Assert) for node in ast.walk(tree(source))):
            yield "an assert in an open cell"
        for text in [*comments(source), *texts(tree(source)), *names(source)]:
            if word := VERDICT.search(text.lower()):
                yield f"{word[0]!r} in {text!r:.60}"
    for text in unfolded(prediction.after):
        yield f"words that explain it: {text[:50]!r}"


def unfolded(after):
    """The words after a predicted cell that a student sees before it is run."""
    for cell in after:
        for paragraph in paragraphs(cell["source"]):
            if paragraph.startswith("<details"):
                break
            if re.match(r"#+ |<!--|---|\*\*Predict", paragraph):
                return
            yield paragraph  # also one that explains first and then asks
        if not cell["source"].endswith("</details>"):
            return


def asked_in_a_fold(cells):
    """Complaints about questions whose beginning a student finds in a folded explanation only.

    An explanation is folded up to the next question, so words that lead to this question are
    folded with it, unless the author marks where they begin (`<!-- go on -->`).
    """
    fold, open_words, at_once = "", "", False
    for cell in cells:
        if cell["cell_type"] == "code":
            open_words, at_once = open_words + cell["source"], False
            continue
        explanation, closed, rest = cell["source"].rpartition(CLOSED)
        if closed and explanation.startswith(OPENED):
            fold, at_once = explanation, True
        else:
            rest = cell["source"]
        for paragraph in filter(None, paragraphs(re.sub("<!--.*?-->", "", rest))):
            if PREDICTION.search(paragraph):
                what = " ".join(paragraph.split())[:70]
                if at_once and paragraph.startswith("**Predict"):
                    yield f"{what}: nothing but a folded explanation stands before it"
                for term in re.findall(r"`[^`\n]+`|\$[^$]+\$", paragraph):
                    if term in fold and term[1:-1] not in open_words:
                        yield f"{what}: {term} stands in the folded explanation before it alone"
            open_words, at_once = open_words + paragraph, False


def tree(source):
    lines = source.splitlines()
    return ast.parse("\n".join("" if line.lstrip()[:1] in ("%", "!") else line for line in lines))


def captions(source):
    """What a cell writes under its pictures: `caption`, or a sentence for a function that shows.

    The caption of a figure that moves says what it is; what happens one sees by moving it.
    """
    for call in ast.walk(tree(source)):
        if not isinstance(call, ast.Call) or ast.unparse(call.func) == "draw.moving":
            continue
        shows = re.search("show|plot", ast.unparse(call.func))
        arguments = [(None, node) for node in call.args if shows]
        for name, node in arguments + [(keyword.arg, keyword.value) for keyword in call.keywords]:
            for text in texts(node):
                is_sentence = text.endswith(".") and len(text.split()) >= SENTENCE
                is_caption = name == "caption" and len(text.split()) > 1  # no name of a caption
                if is_caption or (is_sentence and shows):
                    yield text


def comments(source):
    lines = io.StringIO("\n".join("" if s[:1] in "%!" else s for s in source.split("\n")) + "\n")
    tokens = tokenize.generate_tokens(lines.readline)
    return [token.string for token in tokens if token.type == tokenize.COMMENT]


def texts(root):
    """What is written between quotes in a tree, f-strings piece by piece."""
    found = [node.value for node in ast.walk(root) if isinstance(node, ast.Constant)]
    return [text for text in found if isinstance(text, str)]


def names(source):
    """The names that a cell gives to things, their parts as words."""
    for node in ast.walk(tree(source)):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id.replace("_", " ") if "_" in node.id else ""  # `best` is a minimum
        elif isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node.name.replace("_", " ")


def numbers(text):
    """Numbers with three digits or more that say something: no years, no round ones."""
    found = re.findall(r"(?<![\w.])\d+(?:\.\d+)?(?![\w.]|\.\d)", text.replace(",", ""))
    return {n for n in found if len(n.replace(".", "").strip("0")) >= 3}


def printed(cell):
    """What a run of a cell prints, and the plain text of its last value; no captions."""
    for output in cell.get("outputs", []):
        if output["output_type"] == "stream":
            yield "".join(output["text"])
        elif output["output_type"] == "execute_result":
            yield "".join(output["data"].get("text/plain", ""))


@each_lesson
def test_nothing_gives_an_answer_away(path):
    found = gives_away(blanked(notebooks.load(path))["cells"])
    assert without_excused(path.name[:2], found) == []


@each_lesson
def test_no_number_of_the_result_stands_in_its_cell(path):
    whole = notebooks.load(path)["cells"]
    for prediction in predictions(whole):
        if prediction.is_of_an_exercise:
            continue
        results = numbers(" ".join(text for cell in prediction.cells for text in printed(cell)))
        given = numbers(prediction.question["source"])
        shown = numbers(" ".join(prediction.open_sources)) - given
        found = [f"{asked(prediction)}: {number}" for number in results & shown]
        assert without_excused(path.name[:2], found) == []


@each_lesson
def test_every_guess_has_its_question(path):
    """A `predict("")` that no **Predict** precedes asks nothing."""
    cells = notebooks.load(path)["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    guesses = [cell["source"] for cell in code if GUESS.search(cell["source"])]
    answering = [
        [cell["source"] for cell in prediction.cells if GUESS.search(cell["source"])]
        for prediction in predictions(cells)
    ]
    assert guesses == [source for sources in answering for source in sources]
    assert max(map(len, answering), default=0) <= 1


@each_lesson
def test_what_is_asked_stands_in_no_folded_explanation(path):
    """With the marks that lessons 3, 4, 5 and 10 once lacked."""
    whole = WHOLE.get(path.name[:2], [])
    found = list(asked_in_a_fold(blanked(notebooks.load(path))["cells"]))
    assert [text for text in found if not any(question in text for question in whole)] == []
    assert len(found) == len(whole)


@each_lesson
def test_an_explanation_stands_after_its_question_and_its_cell(path):
    asked = answered = False
    for cell in blanked(notebooks.load(path))["cells"]:
        if cell["cell_type"] == "code":
            answered = answered or bool(asked and GUESS.search(cell["source"]))
        elif "After you have run it" in cell["source"]:
            assert answered, cell["source"]
        if cell["cell_type"] == "markdown" and PREDICTION.search(cell["source"]):
            asked, answered = True, False


@each_lesson
def test_a_mark_that_is_missing_before_a_question_is_found(path):
    """Each `<!-- go on -->` that leads to a question is taken away, and the test above sees it."""
    lesson = notebooks.load(path)
    for number, cell in enumerate(lesson["cells"]):
        explanation, mark, rest = cell["source"].partition(GO_ON)
        leads = [part for part in paragraphs(rest) if not re.match(r"#+ |<details", part)]
        places = [n for n, part in enumerate(leads) if part.startswith("**Predict")]
        if not (mark and places[:1] > [0]) or "\n#" in rest:
            continue
        cells = [dict(one) for one in lesson["cells"]]
        cells[number]["source"] = explanation + rest.lstrip("\n")
        changed = blanked({**lesson, "cells": cells})["cells"]
        if OPENED in changed[number]["source"]:
            assert len(list(asked_in_a_fold(changed))) > len(WHOLE.get(path.name[:2], []))


# --- The test itself ---

QUESTION = {"cell_type": "markdown", "metadata": {}, "source": "Now.\n\n**Predict**: larger?"}
HIDDEN = {"jupyter": {"source_hidden": True}, "tags": ["hide-input"]}


def words(text):
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def code(source, **metadata):
    return {"cell_type": "code", "metadata": metadata, "source": source, "outputs": []}


GOOD = code('predict("")\nx = 3  # (2,)\nprint("x:", x)')


@pytest.mark.parametrize(
    "cells, complaint",
    [
        ([GOOD, code('draw.lines(x, caption=captions["x"])\nassert x', **HIDDEN)], None),
        ([GOOD, words("## Next\n\nIt grows.")], None),
        ([GOOD, words("**Predict** again.")], "no cell answers it"),
        ([], "no cell answers it"),
        ([code("x = 3")], "does not begin"),
        ([code('predict("it grows")')], "does not begin"),
        ([code('predict("")', **HIDDEN)], "is folded"),
        ([GOOD, code('draw.lines(x, caption="It grows.")', **HIDDEN)], "a caption of its own"),
        ([GOOD, code('show(x, "The loss grows from the first step to the last.")')], "a caption"),
        ([code('predict("")\nassert x > 2')], "an assert"),
        ([GOOD, code("if x:\n    assert x")], "an assert"),
        ([code('predict("")\nx = 3  # too large')], "'too large'"),
        ([code('predict("")\nprint("the best rate:", x)')], "'best'"),
        ([code('predict("")\nrates = {"too small": 1}')], "'too small'"),
        ([code('predict("")\nwrong_path = 3')], "'wrong'"),
        (
            [
                code(
                    'predict("")\ndef f():\n    """It does one thing, then the other, then stops."""'
                )
            ],
            None,
        ),
        ([GOOD, words("It grows.")], "words that explain it"),
        ([GOOD, words("So it grows. **Predict**: why?"), GOOD], "words that explain it"),
        ([GOOD, words("<details><summary>After</summary>\n\nIt grows.\n\n</details>")], None),
        ([GOOD, words("<!-- go on -->\n\nNow for something else.")], None),
    ],
)
def test_the_check_sees_every_kind(cells, complaint):
    found = gives_away([QUESTION, *cells])
    assert (complaint in " ".join(found)) if complaint else found == []


def test_the_check_of_numbers_sees_those_that_mean_something():
    assert numbers("131071 calls, 12 of 1000, 0.4621 and lesson_045") == {"131071", "0.4621"}


FOLD = words(f"{OPENED}`x` was a view.{CLOSED}")


@pytest.mark.parametrize(
    "cells, complaint",
    [
        ([FOLD, QUESTION], None),  # "Now." stands before the question
        ([FOLD, words("**Predict**: larger?")], "nothing but a folded explanation"),
        ([words(FOLD["source"] + "\n\n**Predict**: larger?")], "nothing but a folded explanation"),
        ([words(FOLD["source"] + f"\n\n{GO_ON}\n\nNow.\n\n**Predict**: larger?")], None),
        ([FOLD, words("## Next"), words("**Predict**: larger?")], None),
        ([FOLD, code("x = 3"), words("**Predict**: larger?")], None),
        ([FOLD, words("Now.\n\n**Predict**: is `x` larger?")], "`x` stands in the folded"),
        ([code("x = 3"), FOLD, words("Now.\n\n**Predict**: is `x` larger?")], None),
    ],
)
def test_what_is_asked_in_a_fold_is_seen(cells, complaint):
    found = list(asked_in_a_fold(cells))
    assert (complaint in " ".join(found)) if complaint else found == []


# --- The explanations ---


def test_an_explanation_is_folded_up_to_the_next_heading_prediction_or_mark():
    assert folded("It grows.\n\nAnd so on.") == (
        f"{OPENED}It grows.\n\nAnd so on.\n\n</details>",
        True,
    )
    for end in ("## Next", "**Predict**: more?", "<!-- go on -->", "<details>hint</details>"):
        text, whole = folded(f"It grows.\n\n{end}")
        assert text == f"{OPENED}It grows.\n\n</details>\n\n{end}" and not whole
        assert folded(end) == (end, False)


def test_blocks_are_not_cut():
    formula, program = "$$a\n\nb$$", "```\na\n\nb\n```"
    assert paragraphs(f"one\n\n{formula}\n\n{program}\n \ntwo") == ["one", formula, program, "two"]


def test_only_what_follows_a_prediction_is_folded():
    drawing = code('draw.lines(x, caption=captions["x"])', **HIDDEN)
    cells = [words("a"), code("x = 1"), words("b"), QUESTION, GOOD, drawing, words("c"), words("d")]
    cells = [dict(cell) for cell in [*cells, code("x"), words("e")]]
    fold_explanations(cells)
    kept = [cell["source"] for cell in cells if cell["cell_type"] == "markdown"]
    assert [OPENED in text for text in kept] == [False, False, False, True, True, False]


@pytest.mark.skipif(
    importlib.util.find_spec("playwright") is None or browser.CHROMIUM is None,
    reason="needs Playwright and Chromium: the extra `browser`",
)
def test_jupyterlab_shows_an_explanation_when_it_is_opened(tmp_path):
    content = blanked(notebooks.load(LESSONS[1]))
    with browser.lab(tmp_path / "lab") as server, browser.chromium(width=1228) as context:
        name = LESSONS[1].name
        (tmp_path / "lab" / "notebooks" / name).write_bytes(as_bytes(content))
        context.set_default_timeout(20 * browser.SECONDS)
        page = browser.open_notebook(context, server, name)
        folds = page.locator("details", has=page.get_by_text("After you have run it"))
        assert folds.count() == json.dumps(content).count("After you have run it") > 5
        with_formula = folds.filter(has=page.locator(".MathJax, mjx-container")).first
        formula = with_formula.locator(".MathJax, mjx-container").first
        assert not formula.is_visible()
        with_formula.get_by_text("After you have run it").click()
        assert formula.is_visible()
        assert (
            page.locator(".jp-InputArea-editor:visible").count()
            < page.locator(".jp-CodeCell").count()
        )  # what only draws is folded
        page.close()
