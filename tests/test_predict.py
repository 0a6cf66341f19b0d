"""Predictions: written in a cell, seen beside its result; captions that are looked up."""

import pytest

from course import draw, predict
from course.draw.lookup import HERE


@pytest.mark.parametrize(
    "guess, shown", [("", ""), ("  ", ""), ("to the right", "to the right"), (3, "3"), ([1], "[1]")]
)
def test_a_prediction_is_shown_as_it_was_written(guess, shown, capsys):
    predict(guess)
    assert capsys.readouterr().out == (shown and f"You predicted: {shown}\n")


def test_captions_are_looked_up_by_lesson_and_name():
    with pytest.raises(ValueError, match="no lesson '99'"):
        draw.captions("99")
    for path in HERE.glob("lesson_*.toml"):
        words = draw.captions(path.stem.removeprefix("lesson_"))
        assert words and all(text == " ".join(text.split()) for text in words.values())
        with pytest.raises(KeyError, match="no caption 'a name that no figure has'"):
            words["a name that no figure has"]
