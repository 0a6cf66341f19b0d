"""What a class handed in, as text: `python -m course grade` reads it with this.

Nothing that a student wrote is run or compiled here, and nothing in it can stop the reading of the
others: whatever is wrong with a file becomes words on its owner's feedback page. How the files are
found, in folders and in zips, stands in files.py; what is odd about a cell, in cells.py.
"""

import functools
import hashlib
import os
import re
import unicodedata
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from course.grading import files
from course.grading.budget import Budget
from course.grading.cells import (
    beside,
    beside_exercises,
    code_lines,
    definitions,
    is_blank,
    lesson_by_names,
    lessons_by_name,
    names_in,
    with_our_marks,
    without_commands,
)
from course.grading.content import CELL_LIMIT, LESSON_LIMIT, cells_of
from course.grading.files import reason
from course.lessons import notebooks
from course.lessons.exercise import MARK, exercises
from course.lessons.exporter import NOT_YET, package_source
from course.lessons.notebooks import exported_to

# Python warns of some of what students write, one line for each, whenever it reads it.
warnings.filterwarnings("ignore", category=SyntaxWarning, module="<unknown>")

REMARKS = 100  # that are shown of what was read
NUMBER = re.compile(r"(\d\d)(?!\d)")  # what a lesson's file begins with
# The page of the class; files that Windows does not have; what ends like a made name.
RESERVED = re.compile(r"index|con|prn|aux|nul|(com|lpt)\d|.*-[0-9a-f]{8}")
CLUTTER = {".ds_store", "thumbs.db", "desktop.ini", "__macosx", ".git", ".ipynb_checkpoints"}


@dataclass
class Handed:
    """One notebook that was handed in: its name, its lesson or "", and its cells."""

    name: str
    lesson: str
    cells: list[str]  # exported, or marked as an exercise
    others: list[str] = field(default_factory=list)  # all other code
    time: float | None = None  # when its file was changed last, in seconds since 1970

    def marked(self, number: str) -> list[str]:
        """The cells that are marked as this exercise; of several, those that define its name."""
        found = [cell for cell in self.cells if number in MARK.findall(cell)]
        if len(found) > 1:
            name = exercises()[number].name
            found = [cell for cell in found if name in definitions(cell)] or found
        return found

    def holds(self, lesson: str) -> bool:
        """Whether a cell is marked as an exercise of this lesson."""
        return any(n[:2] == lesson for cell in self.cells for n in MARK.findall(cell))

    def modules(self) -> dict[str, str]:
        """Module name -> its text, for everything that the notebook exports."""
        cells: dict[str, list[str]] = {}
        for cell in self.cells:
            if exported_to(cell):
                cells.setdefault(exported_to(cell), []).append(cell)
        return {module: joined(sources) for module, sources in cells.items()}

    def defines(self, name: str) -> bool:
        """Whether a cell that is not exported defines, imports or assigns this name."""
        return any(name in cell and name in names_in(cell) for cell in self.others)

    @property
    def written(self) -> int:
        """How many exercises somebody has begun in it."""
        numbers = {
            n for cell in self.cells for n in MARK.findall(cell) if "raise NotYet(" not in cell
        }
        return len(numbers)


@dataclass
class Submission:
    """What one student handed in, and in words what was found to be odd about it."""

    student: str
    page: str  # the name of the feedback page's file, without its ending
    notebooks: list[Handed] = field(default_factory=list)
    spare: list[Handed] = field(default_factory=list)  # more of lessons that have theirs already
    unreadable: dict[str, str] = field(default_factory=dict)  # lesson, or "", -> why
    remarks: list[str] = field(default_factory=list)
    missing: str = ""  # why there is nothing, where nothing was handed in

    def lesson(self, number: str) -> Handed | None:
        """The notebook of a lesson such as "03"."""
        return next((handed for handed in self.notebooks if handed.lesson == number), None)

    def cells(self, number: str) -> list[str]:
        """The cells that are marked as an exercise: its lesson's, or else any other notebook's.

        Where no cell is, or all are blank, it may have been solved elsewhere: in another notebook
        of that lesson, or in a cell that is not marked.
        """
        exercise, own = exercises()[number], self.lesson(number[:2])
        found = own.marked(number) if own else []
        found = found or [cell for handed in self.notebooks for cell in handed.marked(number)]
        begun = [cell for cell in found if not is_blank(exercise, cell)]
        return begun or self._elsewhere(number, own, bool(found)) or found

    def around(self, lesson: str) -> list[Handed]:
        """The notebooks that helpers of a lesson's answers may stand in: up to that lesson."""
        return [one for one in (*self.notebooks, *self.spare) if one.lesson <= lesson]

    def helper(self, name: str, number: str, cell: str = "") -> str:
        """What else defines a name that an answer to an exercise misses: an exported cell, or "".

        First what `def` and `class` define. A cell of the same exercise helps as it is; of another
        exercise's, only what stands beside it. Where nothing in a notebook is exported, all counts.
        """
        exercise = exercises()[number]
        if name in lessons_by_name() and name != exercise.name:
            return ""
        for names in (definitions, names_in):
            for handed in self.around(number[:2]):
                for other in handed.cells or handed.others:
                    if name not in other or other == cell or name not in names(other):
                        continue
                    if not MARK.search(other) or number in MARK.findall(other):
                        return other
                    if name in names(rest := beside(other, frozenset(lessons_by_name()))):
                        return rest
        return ""

    def _elsewhere(self, number: str, own: Handed | None, marked: bool) -> list[str]:
        """The cell that an exercise was solved in, where it is not the one that is marked for it."""
        exercise, name = exercises()[number], exercises()[number].name
        problem = (
            f"the cell that is marked `#| exercise {number}` is blank"
            if marked
            else f"no cell is marked `#| exercise {number}`"
        )
        for handed in self.spare:
            begun = [cell for cell in handed.marked(number) if not is_blank(exercise, cell)]
            if begun:
                there = f" in {own.name}" if own else ""
                self.remarks.append(f"{number}: {problem}{there}; {handed.name} has it")
                return begun[-1:]
        ours = beside_exercises(number[:2])
        # Of the cells that are not exported too: the line `#| export` may be gone as well.
        for cells in (own.cells, own.others) if own else ():
            for cell in reversed(cells):
                if name not in cell or number in MARK.findall(cell) or is_another(number, cell):
                    continue
                if name in definitions(cell) and tuple(code_lines(cell)) not in ours:
                    self.remarks.append(
                        f"{number}: {problem}; the one that defines {name} was taken"
                    )
                    return [cell]
        return []


def is_another(number: str, cell: str) -> bool:
    """Whether a cell is marked as another exercise, and is that."""
    marks = [other for other in MARK.findall(cell) if other != number and other in exercises()]
    return any(exercises()[other].name in definitions(cell) for other in marks)


# Most cells of a class are ours, unchanged: what is done to a cell is remembered.
_package_source = functools.lru_cache(4096)(package_source)


def joined(cells: list[str]) -> str:
    """A module's text from its cells. Unlike an export, it refuses nothing: the child does."""
    first, *others = map(_package_source, cells)
    not_yet = NOT_YET if any("raise NotYet(" in cell for cell in cells) else ""
    return "\n\n\n".join([first + "\n" + not_yet, *others]) + "\n"


def printable(text: str) -> str:
    """Text in one line that shows what it holds: no control characters, no half characters."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


# --- A class ---


def entries(folder: Path) -> list[tuple[str, str]]:
    """The students of a folder and the entry of each, in the order of the entries' names.

    Only what systems and tools leave behind (.DS_Store, .git …) is none.
    """
    found = sorted(e for e in os.listdir(folder) if e.lower() not in CLUTTER)
    # macOS keeps ._x beside x.
    found = [e for e in found if not (e.startswith("._") and e[2:] in found)]
    stems = Counter(files.stem(entry).lower() for entry in found)
    named = []
    for entry in found:
        single = files.stem(entry)
        alone = single != entry and stems[single.lower()] == 1  # ann/ and ann.ipynb are two
        named.append((single if alone else entry, entry))
    return named


def read_all(folder: Path) -> list[Submission]:
    """All submissions in a folder, a row for every entry."""
    return [read_submission([folder / entry], name) for name, entry in entries(folder)]


def read_submission(paths: Iterable[Path], name: str) -> Submission:
    """One student's folder, zip or notebook, or several of them. Never raises."""
    paths = list(paths)
    submission = Submission(printable(name), page_name(name))
    budget = Budget()
    found = []
    for path in paths:
        try:
            found += files.find(path, budget)
        except Exception as error:
            words = printable(reason(error))
            if len(paths) == 1:
                submission.unreadable[""] = words
            else:
                submission.remarks.append(f"{printable(path.name)} was left out: {words}")
    handed: dict[str, list[tuple[bool, Handed]]] = {}
    for file in found:
        label = printable(file.label)
        lesson = lesson_of(file.name)
        try:
            one = read_notebook(file, label, lesson, budget, submission)
        except Exception as error:
            words = f"{label} cannot be read: {printable(reason(error))}"
            submission.unreadable.setdefault("" if file.only and len(paths) == 1 else lesson, words)
            submission.remarks.append(words)
            continue
        if one.cells or lesson_by_names(one.others):
            handed.setdefault(one.lesson, []).append((file.original, one))
    submission.remarks += [printable(words) for words in budget.remarks]
    for lesson, candidates in sorted(handed.items()):
        if not lesson:  # no lesson's file, and no exercise in it
            submission.notebooks += [one for _, one in candidates]
            continue
        # The one in which most is written; of equal ones the course's own name, then the highest.
        best = max(candidates, key=lambda pair: (pair[1].written, pair[0]))
        submission.notebooks.append(best[1])
        others = [one for _, one in candidates if one is not best[1]]
        submission.spare += others
        submission.remarks += [
            f"{one.name} was left out: lesson {lesson} is in {best[1].name}" for one in others
        ]
    if not submission.notebooks and not submission.unreadable:
        seen = f", but {', '.join(map(printable, budget.others))}" if budget.others else ""
        words = f"there is no notebook with an exercise in this submission{seen}"
        submission.remarks.append(words)
    submission.remarks = few(submission.remarks)
    return submission


def few(remarks: list[str]) -> list[str]:
    """Remarks, each once and not too many for a page."""
    found = list(dict.fromkeys(remarks))
    more = len(found) - REMARKS
    return [*found[:REMARKS], f"and {more} more remarks"] if more > 0 else found


def read_notebook(file, label, lesson, budget, submission) -> Handed:
    """A notebook's cells. Raises Unreadable, or what the system raises."""
    exported, others, sizes = [], [], Counter()
    for source in cells_of(file.read(budget), budget):
        cell, dropped = without_commands(source)
        cell, mark = with_our_marks(cell)
        if mark:
            cell, dropped = without_commands(cell)
        counts = bool(exported_to(cell) or MARK.search(cell))
        sizes[counts] += len(cell)
        if len(cell) > CELL_LIMIT or sizes[counts] > LESSON_LIMIT:
            sizes[counts] -= len(cell)
            if counts:
                limit = f"a cell is longer than {CELL_LIMIT} characters"
                if len(cell) <= CELL_LIMIT:
                    limit = f"its code has more than {LESSON_LIMIT} characters"
                submission.remarks.append(f"{label}: {limit}; what is too long was left out")
            continue
        if mark:
            submission.remarks.append(f"{label}: a cell's first lines were read as {mark}")
        if dropped:
            submission.remarks.append(
                f"{label}: {printable(dropped[0])[:60]!r} is for a notebook, and can stand in no "
                "module; it was left out"
            )
        (exported if counts else others).append(cell)
    marks = [mark[:2] for cell in exported for mark in MARK.findall(cell)]
    if marks:  # they say where it belongs, whatever the file is called
        lesson = Counter(marks).most_common(1)[0][0]
    elif not lesson:
        lesson = lesson_by_names([*exported, *others])
    return Handed(label, lesson, exported, others, file.time)


def lesson_of(name: str) -> str:
    """The lesson that a file's name speaks of, such as "03", or "": 03_x.ipynb, li_7_03_functional."""
    number = NUMBER.match(name)
    inside = [path.stem[:2] for path in notebooks.paths() if path.stem in name]
    return number[1] if number else inside[0] if inside else ""


def page_name(name: str) -> str:
    """A file name for a student's page that every system takes, and no two students share.

    Letters and digits of any script stay, composed: the name can be read in a folder.
    """
    if re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,60}", name) and not RESERVED.fullmatch(name):
        return name
    kept = "".join(
        c if c.isalnum() or unicodedata.category(c)[0] == "M" else "-"
        for c in unicodedata.normalize("NFC", name)
    )
    slug = re.sub("-+", "-", kept).strip("-")[:40]
    while len(slug.encode("utf-8", "replace")) > 100:  # some file systems count bytes
        slug = slug[:-1]
    return f"{slug or 'student'}-{hashlib.sha256(os.fsencode(name)).hexdigest()[:8]}"
