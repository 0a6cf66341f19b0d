"""The checks of the exercises, proven: by right answers, wrong answers, and mutants."""

import re

import pytest

from course import check
from course.checks import judging
from course.checks.judging import judge
from course.lessons.exercise import exercises
from tests.mutants import mutants
from tests.wrong_answers import answers

EXERCISES = exercises()


def result(number, body):
    return judge(number, EXERCISES[number].texts(body))


def words(number, body):
    """What the check says is wrong, or "" where it passes."""
    wrong = result(number, body).wrong
    return "" if wrong is None else "\n".join(wrong.lines())


def test_there_are_enough():
    by_lesson = [sum(number.startswith(f"{n:02}") for number in EXERCISES) for n in range(1, 11)]
    assert all(3 <= count <= 6 for count in by_lesson), by_lesson
    assert sum(by_lesson) >= 32
    assert sum(len(answers(number).wrong) for number in EXERCISES) >= 110


@pytest.mark.parametrize("number", EXERCISES)
def test_right_answers_pass(number):
    assert len(answers(number).right) >= 2
    for body in [EXERCISES[number].solution, *answers(number).right]:
        assert words(number, body) == "", body


@pytest.mark.parametrize("number", EXERCISES)
def test_the_blank_fails(number):
    assert "still blank" in words(number, EXERCISES[number].blank())


@pytest.mark.parametrize("number", EXERCISES)
def test_each_wrong_answer_fails_with_a_diagnosis_of_its_own(number):
    wrong = answers(number).wrong
    assert len(wrong) >= 3
    said = {mistake.name: words(number, mistake.body).split("\n")[0] for mistake in wrong}
    for mistake in wrong:
        matching = [name for name, text in said.items() if re.search(mistake.says, text)]
        assert matching == [mistake.name], (
            f"the check says of {mistake.name!r}:\n  {said[mistake.name]}\n"
            f"says={mistake.says!r} must fit that and no other; it fits what is said of {matching}"
        )


@pytest.mark.parametrize("number", EXERCISES)
def test_mutants_fail_or_are_known_to_be_equivalent(number):
    alive = {name for name, body in mutants(EXERCISES[number].solution) if not words(number, body)}
    known = set(answers(number).equivalent)
    assert alive == known, (
        f"the check lets these changes of the solution pass: {alive - known} (add an example that "
        f"shows the difference, or list them as equivalent); listed, but refused: {known - alive}"
    )


@pytest.mark.parametrize(
    "body",
    [
        "while True:\n    pass",
        "while True:\n    try:\n        while True:\n            pass\n"
        "    except BaseException:\n        pass",
        "import os\nos._exit(0)",
        "raise SystemExit(0)",
        "raise KeyboardInterrupt",
        "return 'nonsense'",
        "return [[]] * 10**9",
        "print('x' * 10**7)",
        "import subprocess\nsubprocess.run(['echo'])",
    ],
)
def test_a_check_survives_any_code(body):
    assert words("03.1", body)


def test_an_exercise_without_a_check_says_where_to_write_one(monkeypatch):
    monkeypatch.delitem(judging.CHECKS, "03.1")
    said = words("03.1", EXERCISES["03.1"].solution)
    assert said.startswith('there is no check for 03.1: write a generator under @check("03.1") in ')


def test_an_array_that_was_given_stays_as_it_was():
    body = "x -= x.max(axis, keepdims=True)\n" + EXERCISES["03.1"].solution
    assert words("03.1", body)


@pytest.mark.parametrize("number", ["3.1", 3.1, "03.01", "03.1"])
def test_a_check_understands_its_number_however_it_is_written(capsys, number):
    check(number)
    lines = capsys.readouterr().out.split("\n")
    assert lines[0] == "03.1 is right" and "compare" not in lines[-2]


def test_a_check_of_a_lesson_checks_all_its_exercises(capsys):
    check(2)
    verdicts = [line for line in capsys.readouterr().out.split("\n") if line.startswith("02.")]
    assert verdicts == [f"{number} is right" for number in EXERCISES if number[:2] == "02"]


@pytest.mark.parametrize("number", ["3.9", "33", "softmax", None])
def test_a_check_says_that_there_is_no_such_exercise(capsys, number):
    check(number)
    said = capsys.readouterr().out
    assert said.startswith(f"{number} cannot be checked: ") and "exercise" in said
