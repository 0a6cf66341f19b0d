"""The checks of the exercises, proven: by right answers, wrong answers, and mutants."""

import re

import pytest

from course.checks.judge import judge
from course.lessons.exercises import exercises
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
    by_lesson = [sum(number.startswith(f"{n:02}") for number in EXERCISES) for n in range(1, 10)]
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
        assert matching == [mistake.name], f"{mistake.says!r} matches {matching} of {said}"


@pytest.mark.parametrize("number", EXERCISES)
def test_mutants_fail_or_are_known_to_be_equivalent(number):
    alive = {name for name, body in mutants(EXERCISES[number].solution) if not words(number, body)}
    known = set(answers(number).equivalent)
    assert alive == known, (
        f"unknown survivors: {alive - known}; listed, but caught: {known - alive}"
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


def test_an_array_that_was_given_stays_as_it_was():
    body = "x -= x.max(axis, keepdims=True)\n" + EXERCISES["03.1"].solution
    assert words("03.1", body)
