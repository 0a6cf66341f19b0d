"""Where one stands: `python -m course progress`, and `progress()` in a notebook."""

import argparse
import sys

from course.lessons import notebooks
from course.lessons.exercise import EDITION, number_of
from course.lessons.notebooks import ROOT, NotebookError
from course.lessons.output import put
from course.lessons.saved import Saved
from course.lessons.status import Status
from course.student.checking import examine

SOLVED = (
    "The number at a part is the lesson that builds it. In your own copy of the course, parts that "
    "you have built have a tick and a colour."
)
LEGEND = Status.RIGHT, Status.BORROWED, Status.WRONG, Status.BLANK  # what is always explained


def statuses(wanted=(), root=ROOT) -> dict[str, Status]:
    """Number -> status, for the saved exercises (of the lessons wanted); runs their checks."""
    saved = Saved(root)
    return {number: examine(saved, number).status for number in saved.chosen(list(wanted))}


def finished(root=ROOT) -> list[str]:
    """The lessons, such as "03", whose exercises are all done, in a student's copy."""
    saved = Saved(root)
    lessons = sorted({number[:2] for number in saved.numbers})
    return [
        lesson
        for lesson in lessons
        if all(examine(saved, number).status.is_done for number in saved.chosen([lesson]))
    ]


def by_lesson(found) -> dict[str, dict[str, Status]]:
    """Lesson's name -> number -> status."""
    names = {path.stem[:2]: path.stem for path in notebooks.paths()}
    lessons = {}
    for number, status in found.items():
        lessons.setdefault(names.get(number[:2], number[:2]), {})[number] = status
    return lessons


def legend(found) -> list[Status]:
    """The statuses to explain under a table: the usual ones, and what else occurs."""
    return [status for status in Status if status in LEGEND or status in found.values()]


def table(found) -> str:
    """The standing as lines of text."""
    lines = [f"{'lesson':22s}{'done':8s}exercises"]
    for lesson, row in by_lesson(found).items():
        done = sum(status.is_done for status in row.values())
        signs = "  ".join(f"{number} {status.sign}" for number, status in row.items())
        lines.append(f"{lesson:22s}{f'{done}/{len(row)}':8s}{signs}")
    meanings = ", ".join(f"{status.sign} {status.meaning}" for status in legend(found))
    return "\n".join([*lines, "", meanings])


def progress(*lessons) -> None:
    """In a notebook: the map of GPT-2 with what you have built, from the notebooks as saved.

    With a number, such as `progress(3)`, the part of that lesson is lit, and its exercises are
    named. Without one, all exercises stand in a table. The course itself, where all is solved,
    shows the map alone.
    """
    from course.draw.gpt2 import BUILDS, gpt2_map

    try:
        wanted = [number_of(lesson)[:2] for lesson in lessons]
        if not (ROOT / EDITION).exists():
            gpt2_map(lit=wanted, caption="" if wanted else SOLVED)
            return
        found, done = statuses(wanted), [lesson for lesson in finished() if lesson in BUILDS]
    except NotebookError as error:
        print(f"Where you are cannot be said: {error}")
        return
    if wanted:
        signs = "  ".join(f"{number} {status.sign}" for number, status in found.items())
        gpt2_map(lit=wanted, done=done, caption=f"The exercises: {signs} ({_counts(found)}).")
    else:
        gpt2_map(done=done)
        _draw_table(found)


def _counts(found) -> str:
    """How many exercises stand how, in words."""
    present = list(found.values())
    return "; ".join(
        f"{status.sign} {status.meaning}: {present.count(status)}" for status in legend(found)
    )


def _draw_table(found) -> None:
    """The table as a picture."""
    from course.draw.style import COLOURS, GREY, canvas, show

    rows = by_lesson(found)
    fills = {Status.RIGHT: COLOURS[0], Status.BORROWED: COLOURS[6]}
    edges = fills | {Status.BLANK: GREY}
    fig, ax = canvas(height=0.45 * len(rows) + 0.6)
    for y, row in enumerate(rows.values()):
        for x, (number, status) in enumerate(row.items()):
            ax.add_patch(_box(x, y, fills.get(status, "white"), edges.get(status, COLOURS[1])))
            ink = "white" if status is Status.RIGHT else "black"
            text = f"{number}  {status.sign}"
            ax.text(x + 0.5, y + 0.5, text, ha="center", va="center", color=ink)
    widest = max(len(row) for row in rows.values())
    ax.set(xlim=(0, widest), ylim=(len(rows), 0), xticks=[])
    ax.set_yticks([y + 0.5 for y in range(len(rows))], list(rows))
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    show(fig, f"Your {len(found)} exercises. {_counts(found)}.")


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


def main_progress(arguments) -> int:
    """Print the table. Returns 0, or 2 where the notebooks cannot be read."""
    parser = argparse.ArgumentParser(
        "python -m course progress", description="Show which exercises are done."
    )
    parser.add_argument(
        "lessons", nargs="*", metavar="03", help="these lessons only (default: all)"
    )
    options = parser.parse_args(arguments)
    try:
        put(table(statuses([number_of(one)[:2] for one in options.lessons])))
    except NotebookError as error:
        print(error, file=sys.stderr)
        return 2
    return 0
