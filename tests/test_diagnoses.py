"""Diagnoses that every exercise shares: what is said of a mistake that is nobody's own.

Each kind of mistake is made in several lessons.
"""

import re

import numpy as np
import pytest

from course.checks import diagnose
from course.checks.judging import judge
from course.checks.vocabulary import Student, Wrong, require, same, shown_input, written
from course.lessons.exercise import contracts, exercises, number_of
from course.lessons.notebooks import NotebookError
from course.lessons.status import Status
from course.sandbox import protocol

EXERCISES = exercises()
CONTRACTS = contracts()


def result(number, body):
    exercise = EXERCISES[number]
    return judge(number, exercise.texts(body), cell=exercise.source(body))


def said(number, body):
    """The lines of the diagnosis, or [] where the answer is right."""
    wrong = result(number, body).wrong
    return wrong.lines() if wrong else []


# --- A forgotten `return` ---

GIVES = [n for n, c in CONTRACTS.items() if c.gives not in ("", "yield")]


@pytest.mark.parametrize("number", GIVES)
def test_a_forgotten_return_is_named_before_everything_that_follows_from_it(number):
    body = re.sub(r"^( *)return (?!lambda)", r"\1result = ", EXERCISES[number].solution, flags=re.M)
    words, *example = said(number, body)
    name = diagnose.spoken(CONTRACTS[number].function)
    assert words == f"{name} returned None: is there a `return`?"
    if number != "08.4":  # `Trainer.step` takes no arguments
        assert example[0].startswith("input:")


def test_there_are_many_members_of_that_kind():
    assert len(GIVES) >= 25 and len({number[:2] for number in GIVES}) >= 8


@pytest.mark.parametrize(
    ("number", "name", "old", "new"),
    [
        ("01.2", "rule_a", "return _product(g", "_product(g"),
        ("01.2", "rule_b", "return g_columns if", "g_columns if"),
        ("01.5", "rule", "return lambda g", "lambda g"),
        ("03.5", "rule", "    return ", "    result = "),
    ],
)
def test_a_rule_inside_that_returns_nothing_is_named(number, name, old, new):
    body = EXERCISES[number].solution
    assert old in body
    assert said(number, body.replace(old, new))[0] == f"{name} returned None: is there a `return`?"


@pytest.mark.parametrize(
    ("number", "body", "name"),
    [
        ("02.2", "if g.shape == shape:\n    return g", "unbroadcast"),
        ("03.1", "if axis == 0:\n    return np.exp(x)", "_softmax"),
        (
            "05.5",
            "if step < warmup_steps:\n    return lr * (step + 1) / warmup_steps",
            "warmup_cosine",
        ),
    ],
)
def test_one_way_without_a_return_is_named(number, body, name):
    assert said(number, body)[0].startswith(
        f"{name} returned None: one way through it ends without"
    )


def test_a_helper_that_only_writes_is_no_forgotten_return():
    body = "order = []\ndef put(node):\n    order.append(node)\nput(root)\nreturn order"
    assert "`return`" not in said("02.1", body)[0]


@pytest.mark.parametrize("number", ["02.3", "02.4", "04.3", "05.1", "05.2", "07.4"])
def test_a_function_that_gives_nothing_is_not_asked_for_a_return(number):
    assert "return" not in said(number, "pass")[0]


def test_a_forgotten_yield_is_named():
    words = "DataLoader.__iter__ yields nothing: is there a `yield`?"
    assert said("06.5", "for number in range(len(self)):\n    pass")[0] == words


def test_an_exception_before_the_end_is_shown_although_there_is_no_return():
    assert said("03.1", "x = x / undefined")[0].startswith("_softmax raised NameError")
    words = "_softmax returned None: is there a `return`?"
    assert said("03.1", "def largest(x):\n    x.max()\nreturn x - largest(x)")[0].startswith(
        "largest"
    )
    assert said("03.1", "x = np.exp(x)")[0] == words


@pytest.mark.parametrize("number", EXERCISES)
def test_a_right_answer_is_never_asked_for_a_return(number):
    exercise = EXERCISES[number]
    texts = exercise.texts(exercise.solution)
    assert diagnose.forgotten_return(CONTRACTS[number], texts) == ""


# --- A value of another kind ---


@pytest.mark.parametrize(
    ("number", "body", "words"),
    [
        ("01.1", "return np.true_divide(a, b)", "div returned its value alone"),
        ("01.3", "return np.where(mask, value, x)", "masked_fill returned its value alone"),
        ("01.4", "return np.sum(x, axis, keepdims=keepdims)", "sum returned its value alone"),
        ("01.5", "return np.concatenate(arrays, axis)", "cat returned its value alone"),
        ("06.3", "return tokens[:3]", "train_validation_split returned an array, where a tuple"),
        ("07.3", "return self.keys", "KeyValueCache.extend returned an array, where a tuple"),
        (
            "01.1",
            "return a / b, lambda g: g / b",
            "div returned a tuple of 2, where 3 are expected",
        ),
        ("01.4", "return x, None, None", "sum returned a tuple of 3, where 2 are expected"),
        ("02.2", "return g, shape", "unbroadcast returned a tuple of 2, where one value"),
        ("03.1", "return np.exp(x), x", "_softmax returned a tuple of 2, where one value"),
        (
            "08.2",
            "return logits, None",
            "next_token_probabilities returned a tuple of 2, where one",
        ),
        (
            "01.5",
            "return np.concatenate(arrays, axis), *(lambda g: slice(0, 1) for x in arrays)",
            "cat gave a slice, where numbers or arrays are expected",
        ),
        ("02.2", "return slice(0, 1)", "unbroadcast gave a slice, where numbers or arrays"),
        (
            "01.5",
            "return np.concatenate(arrays, axis), *(lambda g: Part(g, 0) for x in arrays)",
            "cat gave a Part, where numbers or arrays are expected",
        ),
        ("02.2", "return Part(g, 0)", "unbroadcast gave a Part, where numbers or arrays"),
        ("02.2", "return (row for row in g)", "unbroadcast gave a generator, where numbers"),
        ("03.1", "return map(np.exp, x)", "_softmax gave a map, where numbers or arrays"),
        ("03.1", "return x.max", "_softmax gave a function, where numbers or arrays"),
    ],
)
def test_a_value_of_another_kind_is_named_with_who_gave_it(number, body, words):
    first, *example = said(number, body)
    assert first.startswith(words), first
    assert example and example[0].startswith("input:")


def test_a_list_that_is_wrong_is_no_value_of_another_kind():
    """Where lists are compared, a tuple of the right form is judged by what is in it."""
    for got, expected, form in [
        ([1, 2], [1, 3], False),
        (["a"], ("b",), False),
        ([np.ones(2), 1], [1.0, 1.0], True),
        ([1, 2], np.ones(2), True),
        ([1], 1.0, True),
        (None, [1], True),
        (np.ones(2), np.zeros(2), False),
    ]:
        assert diagnose.no_value_to_judge(Wrong("", expected=expected, got=got)) is form


# --- An exception ---


@pytest.mark.parametrize(
    ("number", "body", "words", "line"),
    [
        (
            "01.1",
            "return zz / b, lambda g: g, lambda g: g",
            "div raised NameError",
            "return zz / b, lambda g: g, lambda g: g",
        ),
        (
            "01.2",
            "rule_b = None\ndef rule_a(g):\n    return g @ undefined",
            "rule_a raised",
            "return g @ undefined",
        ),
        ("02.1", "y = 1\nreturn y[root]", "topological_order raised TypeError", "return y[root]"),
        ("02.3", "known += 1 / 0", "_Pending.add raised ZeroDivisionError", "known += 1 / 0"),
        ("03.1", "return x.soft()", "_softmax raised AttributeError", "return x.soft()"),
        ("03.3", "return g[5:][0]", "rule raised IndexError", "return g[5:][0]"),
        (
            "03.5",
            "rule = None\nloss = {}['x']",
            "cross_entropy_loss raised KeyError",
            "loss = {}['x']",
        ),
        (
            "05.4",
            "return 1 / 0",
            "clip_grad_norm_ raised ZeroDivisionError: division by",
            "return 1 / 0",
        ),
        ("07.1", "return qkv.reshape(7)", "_heads raised ValueError", "return qkv.reshape(7)"),
        ("08.5", "return total", "evaluate raised NameError", "return total"),
    ],
)
def test_an_exception_shows_the_line_and_the_input(number, body, words, line):
    first, *example = said(number, body)
    assert first.startswith(words), first
    line = line or body.split("\n")[-1]
    cell = EXERCISES[number].source(body).split("\n")
    place = next(n for n, text in enumerate(cell, 1) if text.strip() == line)
    assert " ".join(example[0].split()) == f"line {place}: {line}"
    assert example[1].startswith("input:") and "what" not in example[1]


@pytest.mark.parametrize(
    ("number", "body", "hint"),
    [
        (
            "07.3",
            "return context_size",
            "`context_size` is known in `__init__` alone; `__init__` keeps",
        ),
        ("07.3", "return self.context_size", "keeps in self: keys, values, length)"),
        ("07.3", "return length", "(`__init__` keeps it in self: self.length)"),
        ("07.3", "return self.size", "'size' (`__init__` keeps in self: keys, values, length)"),
        ("07.3", "return size", "name 'size' is not defined"),  # nobody knows what is meant
        ("07.4", "self.gelu = gelu", "the notebook knows `mg`"),
        ("07.4", "self.up_proj = Linear(3, 12)", "nn.Linear and the like)"),
        ("07.4", "self.up_proj = nn.linear(3, 12)", "a layer's name has capitals"),
        ("07.1", "return H", "a letter of the text"),
        ("07.1", "return qkv.reshape(qkv.size / 3)", "a size is a whole number: `//`)"),
        ("03.1", "return x.reshape(7, 7)", "a reshape keeps all entries"),
        ("03.1", "return np.split(x, 7)", "takes the number of equal parts"),
        ("03.1", "return x.append(x)", "an array keeps its size"),
    ],
)
def test_an_exception_is_explained_where_its_words_do_not(number, body, hint):
    assert hint in said(number, body)[0]


def test_an_exception_where_our_code_uses_the_answer_names_nothing_of_ours():
    for number, body in [
        ("01.1", "return a / b, lambda: 1, lambda g: g"),
        ("04.1", "return 3"),
        ("05.1", "self.update(1)"),
        ("06.5", "return 3"),
        ("08.4", "return self"),
    ]:
        text = "\n".join(said(number, body))
        assert text and not re.search(r"probe|<\w+>|0x|course|leaves", text), text


@pytest.mark.parametrize("function", ["sum", "max", "argmax"])
def test_keepdims_that_came_as_numpys_third_argument_is_told_its_place(function):
    body = f"return np.{function}(x, axis, True), lambda g: g"
    assert "name the option, keepdims=" in said("01.4", body)[0]


def test_a_rule_that_is_none_is_named_and_not_by_a_key_of_ours():
    words = "matmul gave no rule for one of its arrays, where there is a derivative"
    assert said("01.2", "rule_a = rule_b = None")[0] == words
    assert said("01.4", "return np.sum(x, axis, keepdims=keepdims), None")[0].startswith("sum gave")


@pytest.mark.parametrize(
    ("words", "clean"),
    [
        ("div.<locals>.<lambda>() takes 0 arguments", "a lambda takes 0 arguments"),
        ("probe_calls.<locals>.Watched.update() missing 1", "update() missing 1"),
        ("probe_x() got 1", "the check got 1"),
        ("invalid syntax (<minigrad.ops>, line 3)", "invalid syntax"),
        ("<function f at 0x7f01>", "<function f>"),
        ("matmul.<locals>.rule_b() takes 1", "rule_b() takes 1"),
        ("a\x1b[31mb\r", "a [31mb "),
    ],
)
def test_words_are_free_of_names_that_nobody_wrote(words, clean):
    assert diagnose.clean(words) == clean


def test_the_line_is_the_cells_own_with_all_that_an_export_drops():
    cell = (
        "#| export m\n#| exercise 01.1\ndef f():\n    ### BEGIN SOLUTION\n\n\n    a = 1\n    b = 2"
    )
    text = "first = 1\n\n\ndef f():\n\n    a = 1\n    b = 2\n"
    cells = cell.split("\n")
    for number, line in enumerate(text.split("\n"), 1):
        found = diagnose.line_in_cell(cell, text, number)
        if line.strip() and number > 1:
            assert cells[found - 1] == line
    assert diagnose.line_in_cell(cell, text, 1) == 0
    assert diagnose.line_in_cell(cell, "something else", 1) == 0


def test_a_module_that_cannot_be_loaded_is_named_with_its_line():
    exercise = EXERCISES["03.1"]
    texts = exercise.texts(exercise.solution)
    texts["functional"] = texts["functional"] + "\nx = 1 / 0\n"
    first, line = judge("03.1", texts).wrong.lines()
    assert first == "loading minigrad.functional raised ZeroDivisionError: division by zero"
    assert line.split() == ["line:", "x", "=", "1", "/", "0"]


# --- What is printed ---


@pytest.mark.parametrize("number", ["01.1", "02.2", "03.1", "05.4", "08.2"])
def test_what_is_printed_is_shown_whether_right_or_wrong(number):
    solution = EXERCISES[number].solution
    for body in (f"print('hello', 1)\n{solution}", f"print('hello', 1)\n{solution}\n1 / 0"):
        found = result(number, body)
        assert "  it printed: hello 1" in str(found).split("\n")
    assert result(number, "print('hello', 1)\nraise ValueError").printed == "hello 1\n"
    assert "printed" not in str(result(number, solution))


def test_only_the_beginning_of_what_is_printed_is_shown():
    found = str(result("03.1", "for i in range(1000): print(i)\nreturn x")).split("\n")
    start = next(n for n, line in enumerate(found) if "it printed: 0" in line)
    assert [line.strip() for line in found[start + 1 :]] == [*map(str, range(1, 20)), "..."]
    long = result("03.1", "print('x' * 10**6)\nreturn x")
    assert len(long.printed) == 2000


def test_what_is_printed_before_an_endless_loop_is_shown():
    found = result("03.1", "print('before')\nwhile True:\n    print('again')")
    assert "does not come to an end" in found.wrong.words
    assert found.printed.startswith("before\nagain\n")


def test_the_call_that_failed_is_the_one_whose_output_is_shown():
    body = "print('axis', axis)\n" + EXERCISES["03.1"].solution.replace("(axis, ", "(-1, ")
    found = result("03.1", body)
    assert found.wrong and found.printed == "axis 0\n"


def test_what_is_printed_cannot_steer_a_terminal():
    found = result("03.1", "print('\\x1b[2J\\x07 \\ud800')\nreturn x")
    str(found).encode("utf-8")
    assert "\x1b" not in str(found) and "\x07" not in str(found)


def test_warnings_are_not_what_a_student_prints():
    assert result("03.1", "np.log(np.zeros(1))\n" + EXERCISES["03.1"].solution).printed == ""


# --- Values in examples ---


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.0, "1"),
        (0.1 + 0.2, "0.3"),
        ([1.0, 2.5], "[1, 2.5]"),
        ((3,), "(3,)"),
        ((2, 3), "(2, 3)"),
        (["a", "b"], "['a', 'b']"),
        ({"x": [1], "axis": None}, "x = [1], axis = None"),
        ((i for i in ()), "<generator object <genexpr>>"),
    ],
)
def test_a_value_is_written_as_a_reader_writes_it(value, text):
    assert re.sub(r"test_.*?<locals>\.|<module>\.", "", written(value)) == text


def test_arrays_and_lists_of_arrays_are_written_alike():
    x = np.array([1.0, 2.0])
    assert written([x, x]) == "[[1., 2.], [1., 2.]]"
    assert written([np.float64(3.0), np.int64(2)]) == "[3, 2]"
    assert written(np.ones((100, 100))) == "1 everywhere, in an array of shape (100, 100)"
    assert written(list(range(100))).endswith("19, ...]")


def test_whole_numbers_are_marked_where_others_are_expected():
    with pytest.raises(Wrong) as caught:
        require(np.array([3, 0]), [3.0, 0.25], "not a / b")
    assert caught.value.lines()[1:] == [
        "expected: [3. , 0.25]",
        "got:      [3, 0]   (of dtype int64)",
    ]
    with pytest.raises(Wrong) as caught:
        require(np.array([3.0, 0]), [3.0, 0.25], "not a / b")
    assert caught.value.lines()[2] == "got:      [3., 0.]"


def test_what_a_probe_is_asked_for_is_no_input():
    def probe(mg, x, bias, what, _mode):
        pass

    assert shown_input(probe, [1, None, -1, "keys"]) == {"x": 1}


# --- The vocabulary ---


class Child:
    """Answers every question with one reply."""

    def __init__(self, **reply):
        self.reply, self.asked = reply, []

    def ask(self, probe, arguments):
        self.asked.append((probe, arguments))
        return self.reply


def student(**reply):
    return Student(Child(**reply), "03.1")


def gives(value):
    return student(value=protocol.encode(value))


def raises(kind, words=""):
    return student(
        raised={"type": kind, "words": words, "frames": [], "exercise": "", "missing": ""}
    )


def probe_norm(mg, x, weight=None, eps=1.0):
    """Never called here: the child would."""


def diagnosis(ask):
    with pytest.raises(Wrong) as caught:
        ask()
    return caught.value.lines()


X = np.array([[1.0, 3.0]])


def expect(asked, **options):
    wanted = {"equals": [[-0.5, 0.5]], "otherwise": "the root is wrong"} | options
    return asked.expect(probe_norm, X, eps=3.0, **wanted)


def test_what_is_expected_is_returned_and_asked_by_name():
    asked = gives(np.array([[-0.5, 0.5]]))
    assert expect(asked).tolist() == [[-0.5, 0.5]]
    assert asked.child.asked == [("probe_norm", [X, None, 3.0])]


def test_a_wrong_value_gets_the_diagnosis_that_explains_it():
    when = {
        "eps stands outside the root": [[-0.25, 0.25]],
        "it is all zero": lambda got: not np.any(got),
    }
    for value, words in [
        ([[-0.25, 0.25]], "eps stands outside the root"),
        ([[0, 0]], "it is all zero"),
        ([[1, 1]], "the root is wrong"),
    ]:
        found = diagnosis(lambda value=value: expect(gives(np.array(value, float)), when=when))
        assert found[:2] == [words, "input:    x = [[1., 3.]], eps = 3"]
    words = diagnosis(lambda: expect(gives(np.zeros((1, 2))), otherwise=lambda got: f"{got.shape}"))
    assert words[0] == "(1, 2)"


def test_shape_dtype_and_a_function_of_the_value_can_be_required():
    right = np.array([[-0.5, 0.5]])
    assert diagnosis(lambda: expect(gives(right), shape=(2,)))[0] == (
        "the shape is (1, 2) and should be (2,)"
    )
    assert (
        "dtype is float64 and should be float32"
        in diagnosis(lambda: expect(gives(right), dtype=np.float32))[0]
    )
    assert expect(gives(right), equals=0.0, through=np.sum).shape == (1, 2)


def test_a_refusal_is_the_exception_itself():
    def ask(asked, **options):
        options = {"otherwise": "refuse it", "says": ["(3,)"]} | options
        return asked.refuses(probe_norm, X, **options)

    assert ask(raises("ValueError", "the shape (3,) does not fit")) == "the shape (3,) does not fit"
    assert ask(raises("TypeError", "(3,)"), error=["ValueError", "TypeError"]) == "(3,)"
    shown = "input:    x = [[1., 3.]], eps = 1"
    for asked, got in [
        (raises("ValueError", "no"), "got:      ValueError: no"),
        (raises("KeyError", "(3,)"), "got:      KeyError: (3,)"),
        (gives(1.0), "got:      1"),
    ]:
        found = diagnosis(lambda asked=asked: ask(asked))
        assert found == ["refuse it", shown, "expected: ValueError, which names (3,)", got]
    blank = student(raised={"type": "NotYet", "words": "", "frames": [], "exercise": "01.1"})
    assert diagnosis(lambda: ask(blank))[0].startswith("it needs exercise 01.1")


@pytest.mark.parametrize(
    ("got", "expected", "equal"),
    [
        ([1, (2.0, "a")], [1.0, [2, "a"]], True),
        ({"x": [1], "y": None}, {"x": [1], "y": None}, True),
        ({"x": [1]}, {"x": [1], "y": None}, False),
        (True, 1, True),
        (1, True, False),
        ("a", "b", False),
        (None, 0, False),
        (np.ones((1, 2)), [1, 1], False),
    ],
)
def test_values_are_the_same_part_by_part(got, expected, equal):
    assert same(got, expected) is equal


# --- Numbers and statuses ---


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("1.1", "01.1"),
        ("01.01", "01.1"),
        (1.1, "01.1"),
        (" 01.1 ", "01.1"),
        ("3", "03"),
        (3, "03"),
        ("03", "03"),
        ("10.2", "10.2"),
        ("03_functional", "03"),
        ("03_functional.ipynb", "03"),
    ],
)
def test_a_number_means_what_is_meant(written, number):
    assert number_of(written) == number


@pytest.mark.parametrize("written", ["", "x", "1.", ".1", "1.2.3", "-1", None, "1e3", "111.1"])
def test_what_is_no_number_is_refused(written):
    with pytest.raises(NotebookError, match="is no exercise: write its number, such as"):
        number_of(written)


def test_a_result_has_a_status():
    assert result("03.1", EXERCISES["03.1"].solution).status is Status.RIGHT
    assert result("03.1", "return x").status is Status.WRONG
    assert result("03.1", 'raise NotYet("03.1")').status is Status.BLANK
    exercise = EXERCISES["03.2"]
    texts = exercise.texts(exercise.solution)
    texts["op"] = texts["op"].replace("silent = ", 'raise NotYet("01.1")\n    silent = ')
    texts["op"] = texts["op"].replace(
        "import numpy", "from minigrad.support.notyet import NotYet\nimport numpy"
    )
    blocked = judge("03.2", texts)
    assert blocked.status is Status.WRONG and blocked.wrong.needs == "01.1"
    assert str(Status.RIGHT) == "right" and Status("wrong") is Status.WRONG
    assert all(status.sign and status.meaning for status in Status)
