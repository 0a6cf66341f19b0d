"""How long a class takes to grade: `python -m benchmarks.grading FOLDER [STUDENTS]`.

Makes submissions of all lessons in FOLDER (50 unless it is said otherwise): of each five exercises
of a student about three are right, one is wrong and one is blank, a different one in each lesson
and submission. Then it grades them with one check at a time for each core.
"""

import json
import sys
from pathlib import Path

from course.grading import grade
from course.lessons import notebooks
from course.lessons.exercise import exercises
from tests.wrong_answers import answers


def answer(exercise, draw):
    """The body that a student has written: right, wrong or none."""
    wrong = answers(exercise.number).wrong
    if draw % 5 == 3:
        return wrong[draw % len(wrong)].body
    return exercise.blank() if draw % 5 == 4 else exercise.solution


def hand_in(folder, draw):
    """Write one student's eight notebooks."""
    folder.mkdir(parents=True, exist_ok=True)
    for path in notebooks.paths():
        content = notebooks.load(path)
        for cell in content["cells"]:
            for place, exercise in enumerate(exercises().values()):
                if cell["source"] == exercise.cell.source:
                    cell["source"] = exercise.source(answer(exercise, draw + 7 * place // 5))
        (folder / path.name).write_text(json.dumps(content), encoding="utf-8")


def main(arguments):
    if len(arguments) not in (1, 2):
        print(__doc__)
        return 2
    folder = Path(arguments[0])
    for number in range(int(arguments[1]) if len(arguments) > 1 else 50):
        hand_in(folder / "class" / f"student-{number:02}" / "notebooks", number)
    return grade.main([str(folder / "class"), "--out", str(folder / "grades.csv")])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
