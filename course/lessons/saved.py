"""The exercises of the notebooks as they are saved: what the commands in a terminal look at."""

import functools
from pathlib import Path

from course.lessons import notebooks
from course.lessons.exercise import Exercise, chosen, contracts, of_lesson
from course.lessons.exporter import modules_of
from course.lessons.notebooks import ROOT, Notebook, NotebookError
from course.lessons.package import by_hand, exported_texts, owner


class Saved:
    """The saved notebooks of a folder, each read once, when the object is made.

    Nothing needs to be exported: a fresh checkout is enough.
    """

    def __init__(self, root: Path = ROOT):
        self.root = root
        self.notebooks: dict[str, Notebook] = {}
        self.problems: dict[str, str] = {}  # lesson, such as "03" -> why it cannot be read
        self.exercises: dict[str, Exercise] = {}
        for path in notebooks.paths(root):
            try:
                notebook = notebooks.read(path)
                found = of_lesson(notebook)
            except NotebookError as error:
                self.problems[path.stem[:2]] = str(error)
            else:
                self.notebooks[path.stem] = notebook
                self.exercises |= found
        self.numbers = sorted(contracts(root).keys() | self.exercises.keys())

    def chosen(self, wanted: list[str]) -> list[str]:
        """The numbers that are meant by numbers and lessons; all where there are none."""
        return chosen(wanted, self.numbers) if wanted else self.numbers

    def path(self, lesson: str) -> str:
        """The path of a lesson's notebook below the folder, for a message."""
        names = [path.name for path in notebooks.paths(self.root) if path.stem[:2] == lesson[:2]]
        return f"notebooks/{names[0]}" if names else "notebooks"

    def texts(self, exercise: Exercise) -> dict[str, str]:
        """What an exercise is judged on: the package that the notebooks up to its own export.

        Raises NotebookError where its own notebook cannot be exported, or an earlier one that
        was not exported before either.
        """
        texts = dict(by_hand(self.root))
        for path in notebooks.paths(self.root):
            if path.stem < exercise.notebook.name:
                texts |= self._before(path.stem)
        return texts | self._modules(exercise.notebook.name)

    @functools.cache  # noqa: B019 (the object lives as long as its command)
    def _modules(self, lesson: str) -> dict[str, str]:
        return modules_of(self.notebooks[lesson])

    def _before(self, lesson: str) -> dict[str, str]:
        """An earlier lesson's modules; where it cannot be exported now, as they were exported."""
        try:
            if lesson not in self.notebooks:
                raise NotebookError(self.problems[lesson[:2]])
            return self._modules(lesson)
        except NotebookError:
            files = {n: t for n, t in exported_texts(root=self.root).items() if owner(t) == lesson}
            if not files:
                raise
            return files
