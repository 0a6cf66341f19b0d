"""Captions that a cell looks up, so that its source does not give away what will be seen.

`captions/lesson_05.toml` holds those of lesson 5: a name and a sentence for each figure that
answers a prediction.
"""

import tomllib
from pathlib import Path

HERE = Path(__file__).parent / "captions"


class Captions(dict):
    """The captions of a lesson by name; a name that is not there is an error that says which are."""

    def __missing__(self, name):
        raise KeyError(f"no caption {name!r} for this lesson; there are: {', '.join(self)}")


def captions(lesson):
    """The captions of a lesson, "05" for example, by name. An unknown lesson raises ValueError."""
    path = HERE / f"lesson_{lesson}.toml"
    if not path.exists():
        raise ValueError(f'draw.captions: no lesson {lesson!r}: write two digits, "05" for example')
    return Captions(tomllib.loads(path.read_text(encoding="utf-8")))
