"""Right answers in forms that nobody expected, and answers that want a mark without work."""

import json

from course.grading import judging
from course.grading.submissions import read_all
from course.lessons.exercise import exercises
from course.sandbox import runner
from tests.test_grade import NORMALISED, NUMBERS, cells_of, graded, notebook, statuses
from tests.test_wrappings import indented

PATIENT = runner.Limits(seconds=12.0)
CELL = exercises()["03.1"].cell.source
SECOND = exercises()["03.2"]
BLANK = exercises()["03.1"].source(exercises()["03.1"].blank())
BROKEN = "#| export functional\ndef f(:\n"  # the notebook cannot be loaded as a whole
MINE = f"def mine(x, axis):\n{indented(NORMALISED)}"
UNMARKED = CELL.replace("#| exercise 03.1\n", "")


def lesson(bodies=None, *more, change=lambda cell: cell):
    """The lesson with other bodies, other cells and more of them."""
    return notebook(*map(change, cells_of(bodies or {})), *more)


def first(text, *more):
    """The lesson with another first exercise's cell, or several."""
    cells = []
    for cell in cells_of({}):
        cells += [text] if cell == CELL else [cell]
    return notebook(*cells, *more)


def kinds(change):
    """The lesson as JSON, with a change of its list of cells."""
    book = json.loads(lesson())
    book["cells"] = change(book["cells"])
    return json.dumps(book)


def old_attempt(kind):
    """An older attempt below, which its author has made a cell of text."""
    source = exercises()["03.1"].source("return x")
    return kinds(lambda cells: [*cells, {"cell_type": kind, "source": source}])


def marimo(cells):
    """The notebook as marimo writes it."""
    text = "import marimo\n\n__generated_with = '0.9'\napp = marimo.App()\n\n\n"
    for cell in cells:
        text += f"@app.cell\ndef __(\n    np,\n    mo,\n):\n{indented(cell)}    return (np,)\n\n\n"
    return text + 'if __name__ == "__main__":\n    app.run()\n'


def bare(cell):
    """A cell without our lines."""
    return "\n".join(line for line in cell.split("\n") if not line.startswith("#|"))


FILES = {
    "an old attempt as raw text": {"03_functional.ipynb": old_attempt("raw")},
    "an old attempt as markdown": {"03_functional.ipynb": old_attempt("markdown")},
    "all marks gone": {"03_functional.ipynb": lesson(change=bare)},
    "all marks gone, another name": {"homework.ipynb": lesson(change=bare)},
    "marimo": {"03_functional.py": marimo(cells_of({}))},
    "a script with a name before it": {
        "ann_03_functional.py": "\n\n".join(f"# %%\n{c}" for c in cells_of({}))
    },
    "merged into one cell": {"a.ipynb": notebook("\n\n".join(cells_of({})))},
    "a constant in a cell of its own": {
        "a.ipynb": lesson({"03.1": f"ONE\n{NORMALISED}"}, BROKEN, "#| export functional\nONE = 1\n")
    },
    "an import in a cell of its own": {
        "a.ipynb": lesson(
            {"03.1": f"m.pi\n{NORMALISED}"}, BROKEN, "#| export functional\nimport math as m\n"
        )
    },
    "helpers of helpers": {
        "a.ipynb": lesson(
            {"03.1": "return one(x, axis)"},
            BROKEN,
            "#| export functional\ndef one(x, axis):\n    return two(x, axis)\n",
            "#| export functional\ndef two(x, axis):\n    return mine(x, axis)\n",
            "#| export functional\n" + MINE,
        )
    },
    "a helper in another exercise's cell": {
        "a.ipynb": notebook(
            *(
                cell + "\n\n\n" + MINE if "exercise 03.3" in cell else cell
                for cell in cells_of({"03.1": "return mine(x, axis)"})
            ),
            BROKEN,
        )
    },
    "in two cells that are both marked": {
        "a.ipynb": first(
            f"#| export functional\n#| exercise 03.1\n{MINE}",
            exercises()["03.1"].source("return mine(x, axis)"),
            BROKEN,
        )
    },
    "by a name": {"a.ipynb": first(BLANK, f"#| export functional\n{MINE}\n_softmax = mine\n")},
    "by a name, not exported": {"a.ipynb": first(BLANK, f"{MINE}\n_softmax = mine\n")},
    "a lambda": {
        "a.ipynb": first(
            f"#| export functional\n#| exercise 03.1\n{MINE}\n_softmax = lambda x, axis: mine(x, axis)\n"
        )
    },
    "in an if": {
        "a.ipynb": first(
            f"#| export functional\n#| exercise 03.1\nif True:\n{indented(UNMARKED.partition(chr(10))[2])}"
        )
    },
    "in an if, elsewhere": {
        "a.ipynb": first(BLANK, f"if True:\n{indented(UNMARKED.partition(chr(10))[2])}")
    },
    "annotated": {
        "a.ipynb": first(
            CELL.replace(
                "def _softmax(x, axis", "def _softmax(x: torch.Tensor, axis: Optional[int]"
            )
        )
    },
    "a class": {
        "a.ipynb": first(
            "#| export functional\n#| exercise 03.1\nclass Softmax:\n    def __call__(self, x, axis):\n"
            + indented(indented(NORMALISED))
            + "\n_softmax = Softmax()\n"
        )
    },
    "decorated": {
        "a.ipynb": first(
            "#| export functional\n#| exercise 03.1\nimport functools\ndef plain(f):\n"
            "    @functools.wraps(f)\n    def g(*a, **k):\n        return f(*a, **k)\n    return g\n\n@plain\n"
            + UNMARKED.partition("\n")[2]
        )
    },
    "global": {
        "a.ipynb": first(
            "#| export functional\n#| exercise 03.1\ncalls = 0\n"
            + UNMARKED.partition("\n")[2].replace(
                "### BEGIN SOLUTION", "global calls\n    calls += 1"
            )
        )
    },
    "patched": {
        "a.ipynb": first(
            exercises()["03.1"].source("return x"),
            f"#| export functional\n{MINE}\n_softmax = mine\n",
        )
    },
    "from an earlier lesson": {
        "03_functional.ipynb": lesson(
            {"03.1": "from minigrad.ops import mine\nreturn mine(x, axis)"}
        ),
        "01_tensor.ipynb": notebook(
            *[c.source for c in exercises()["01.1"].notebook.cells if c.module],
            f"#| export ops\n{MINE}",
        ),
    },
    "several folders": {f"{n}/{n}.ipynb": notebook(exercises()[n].cell.source) for n in NUMBERS},
    "two lessons in one": {
        "a.ipynb": notebook(
            *cells_of({}), *[c.source for c in exercises()["04.1"].notebook.cells if c.module]
        )
    },
    "black": {
        "a.ipynb": lesson(change=lambda c: c.replace("#| ", "# | ").replace("### ", "# ## "))
    },
    "full width": {"a.ipynb": lesson(change=lambda c: c.replace("#| ", "＃｜　"))},
    "no bar": {"a.ipynb": lesson(change=lambda c: c.replace("#| ", "# "))},
    "exclamation": {"a.ipynb": lesson(change=lambda c: c.replace("#| ", "#! "))},
    "another bar": {"a.ipynb": lesson(change=lambda c: c.replace("#| ", "#¦ "))},
    "translated": {
        "a.ipynb": lesson(
            change=lambda c: c.replace("#| exercise", "#| Übung").replace("#| export", "#| Export")
        )
    },
    "title of Colab": {
        "a.ipynb": lesson(change=lambda c: '#@title Answer { display-mode: "form" }\n' + c)
    },
    "writefile": {"a.ipynb": lesson(change=lambda c: "%%writefile x.py\n" + c)},
    "a walrus and match": {
        "a.ipynb": lesson(
            {"03.1": "match axis:\n    case _: (y := x)\n" + NORMALISED.replace("x", "x")}
        )
    },
    "vim": {".03_functional.ipynb.swp": "b0VIM", "03_functional.ipynb": lesson()},
    "emacs": {"#03_functional.ipynb#": lesson()},
    "jupyter's": {".~03_functional.ipynb": lesson()},
    "kaggle": {"__notebook_source__.ipynb": lesson()},
    "with a self import": {
        "a.ipynb": lesson(
            {},
            change=lambda c: c.replace(
                "import numpy as np", "import numpy as np\nfrom minigrad.functional import _softmax"
            ),
        )
    },
}


def test_no_form_costs_a_mark(tmp_path):
    for student, members in FILES.items():
        for place, text in members.items():
            path = tmp_path / student / place
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    marks, found = graded(tmp_path, PATIENT)
    lost = {
        s.student: (
            statuses(own),
            [m.diagnosis for m in own.values() if m.points != 1][:2],
            s.remarks,
        )
        for s, own in zip(found, marks, strict=True)
        if statuses(own) != ["right"] * len(NUMBERS)
    }
    assert lost == {}


# --- What is no answer ---


def hand_in(folder, student, text, name="03_functional.ipynb"):
    path = folder / student / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_answers_that_only_call_each_other_are_not_right(tmp_path):
    """Alone, each of them would have our solution of the other one."""
    bodies = {
        "03.1": "cross_entropy_loss(Tensor(np.zeros((1, 2))), np.zeros(1, int))\n" + NORMALISED,
        "03.5": "_softmax(np.zeros(2), -1)\n" + exercises()["03.5"].solution,
    }
    hand_in(tmp_path, "ann", lesson(bodies, BROKEN))
    hand_in(tmp_path, "ben", lesson({"03.5": bodies["03.5"]}, BROKEN))
    marks, found = graded(tmp_path, PATIENT)
    assert [own["03.1"].status for own in marks] == ["wrong", "right"]
    assert [own["03.5"].status for own in marks] == ["wrong", "right"]
    assert any("right with our solutions only" in words for words in found[0].remarks)


def test_a_chain_of_helpers_keeps_nobody_waiting(tmp_path, monkeypatch):
    """Each attempt finds one more of them, and would sleep again before it."""
    begun, real = [], judging.alone
    monkeypatch.setattr(judging, "alone", lambda *given: begun.append(1) or real(*given))
    helpers = [f"#| export functional\ndef h{n}():\n    return h{n + 1}()\n" for n in range(200)]
    body = "import time\ntime.sleep(0.4)\nreturn h0()"
    hand_in(tmp_path, "ann", notebook(exercises()["03.1"].source(body), *helpers, BROKEN))
    (marks,), _ = graded(tmp_path, runner.Limits(seconds=1.0))
    assert marks["03.1"].status == "wrong" and len(begun) < 40


def test_what_another_version_has_is_remarked(tmp_path):
    body = "from itertools import not_yet_there\n" + NORMALISED
    hand_in(tmp_path, "ann", lesson({"03.1": body, "03.2": "return np.gone(x)", "03.3": "1 / 0"}))
    _, (ann,) = graded(tmp_path, PATIENT)
    said = [words for words in ann.remarks if "with which this was graded" in words]
    assert len(said) == 2
    assert "have no itertools.not_yet_there" in said[0] and "have no numpy.gone" in said[1]


def test_remarks_do_not_fill_a_page(tmp_path):
    cells = [f"#|export functional\n{'x' * (n % 2)} = {n}" for n in range(3000)]
    cells += [f"#| export functional\n%time {n}" for n in range(3000)]
    hand_in(tmp_path, "ann", notebook(*cells))
    (submission,) = read_all(tmp_path)
    assert len(submission.remarks) == 101
    assert submission.remarks[0].endswith("read as `#| export functional`")
    assert submission.remarks[-1] == "and 2901 more remarks"


def test_what_macos_keeps_beside_a_file_is_no_student(tmp_path):
    for name in ("ann.ipynb", "._ann.ipynb", "._alone.ipynb"):
        (tmp_path / name).write_text(lesson(), encoding="utf-8")
    assert [one.student for one in read_all(tmp_path)] == ["._alone", "ann"]
