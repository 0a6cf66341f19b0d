"""Where one stands: `python -m course check`, `python -m course progress`, `progress()`."""

import argparse
import sys

from course.lessons import notebooks
from course.lessons.exercises import read_exercises, saved_texts
from course.lessons.notebooks import ROOT, NotebookError

# What an exercise can be: its sign in the table, and what that means.
SIGNS = {
    "right": ("✓", "right, and your own"),
    "borrowed": ("b", "borrowed from the course"),
    "wrong": ("✗", "not right yet"),
    "blank": ("·", "still blank"),
}


def standing(root=ROOT) -> dict[str, str]:
    """Number -> one of SIGNS, for each exercise of the saved notebooks; runs their checks."""
    from course.checks.judge import judge

    found = {}
    for number, exercise in read_exercises(root).items():
        if exercise.is_blank:
            found[number] = "blank"
            continue
        try:
            wrong = judge(number, saved_texts(number, root)).wrong
        except NotebookError as error:
            wrong = error
        if wrong is not None:
            found[number] = "wrong"
        else:
            found[number] = "borrowed" if exercise.is_borrowed else "right"
    return found


def by_lesson(found) -> dict[str, dict[str, str]]:
    """Lesson's name -> number -> what it is."""
    names = {path.stem[:2]: path.stem for path in notebooks.paths()}
    lessons = {}
    for number, what in found.items():
        lessons.setdefault(names.get(number[:2], number[:2]), {})[number] = what
    return lessons


def table(found) -> str:
    """The standing as lines of text."""
    lines = [f"{'lesson':22s}{'done':8s}exercises"]
    for lesson, row in by_lesson(found).items():
        done = sum(what in ("right", "borrowed") for what in row.values())
        signs = "  ".join(f"{number} {SIGNS[what][0]}" for number, what in row.items())
        lines.append(f"{lesson:22s}{f'{done}/{len(row)}':8s}{signs}")
    legend = ", ".join(f"{sign} {meaning}" for sign, meaning in SIGNS.values())
    return "\n".join([*lines, "", legend])


def progress() -> None:
    """In a notebook: the table as a picture, from the notebooks as they are saved."""
    from course.draw.style import COLOURS, GREY, canvas, show

    found = standing()
    lessons = by_lesson(found)
    fills = {"right": COLOURS[0], "borrowed": COLOURS[6], "wrong": "white", "blank": "white"}
    edges = {"right": COLOURS[0], "borrowed": COLOURS[6], "wrong": COLOURS[1], "blank": GREY}
    fig, ax = canvas(height=0.45 * len(lessons) + 0.6)
    for y, row in enumerate(lessons.values()):
        for x, (number, what) in enumerate(row.items()):
            ax.add_patch(_box(x, y, fills[what], edges[what]))
            ink = "white" if what == "right" else "black"
            ax.text(
                x + 0.5, y + 0.5, f"{number}  {SIGNS[what][0]}", ha="center", va="center", color=ink
            )
    widest = max(len(row) for row in lessons.values())
    ax.set(xlim=(0, widest), ylim=(len(lessons), 0), xticks=[])
    ax.set_yticks([y + 0.5 for y in range(len(lessons))], list(lessons))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    counts = [
        f"{sign} {meaning}: {list(found.values()).count(what)}"
        for what, (sign, meaning) in SIGNS.items()
    ]
    show(fig, f"Your {len(found)} exercises. {'; '.join(counts)}.")


def _box(x, y, fill, edge):
    from matplotlib.patches import FancyBboxPatch

    return FancyBboxPatch(
        (x + 0.08, y + 0.14),
        0.84,
        0.72,
        boxstyle="round,pad=0,rounding_size=0.06",
        facecolor=fill,
        edgecolor=edge,
        linewidth=1.5,
    )


# --- The commands ---


def main_check(arguments) -> int:
    """Check saved exercises. Returns 0 where all are right, 1 where not, 2 for a refusal."""
    from course.checks.judge import judge

    parser = argparse.ArgumentParser(
        "python -m course check", description="Check the exercises of the saved notebooks."
    )
    parser.add_argument(
        "wanted", nargs="*", metavar="03|03.2", help="a lesson or an exercise (default: all)"
    )
    options = parser.parse_args(arguments)
    try:
        found = read_exercises()
        unknown = [
            w for w in options.wanted if w not in found and not any(n[:2] == w for n in found)
        ]
        if unknown:
            raise NotebookError(
                f"there is no exercise or lesson {', '.join(unknown)}; there are: {', '.join(found)}"
            )
        numbers = [n for n in found if not options.wanted or {n, n[:2]} & set(options.wanted)]
        right = 0
        for number in numbers:
            try:
                result = judge(number, saved_texts(number))
            except NotebookError as error:
                print(f"{number} cannot be checked: {error}", flush=True)
                continue
            print(result, flush=True)
            right += result.wrong is None
    except NotebookError as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{right} of {len(numbers)} exercises are right")
    return 0 if right == len(numbers) else 1


def main_progress(arguments) -> int:
    """Print the table. Returns 0, or 2 where the notebooks cannot be read."""
    argparse.ArgumentParser(
        "python -m course progress", description="Show which exercises are done."
    ).parse_args(arguments)
    try:
        print(table(standing()))
    except NotebookError as error:
        print(error, file=sys.stderr)
        return 2
    return 0
