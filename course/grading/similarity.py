"""Pairs of answers that are alike: `python -m course grade … --similar FILE`.

It shows pairs, for a person to look at, and accuses nobody: short pieces of code have few right
forms, and two who learned together write alike. What is compared is an answer without its comments,
its spacing and the names that its author chose. Left out are blanks, borrowed answers, answers close
to the course's own, short ones, and those that many have.
"""

import builtins
import io
import keyword
import tokenize
from collections import defaultdict
from dataclasses import dataclass, field

from course.grading.cells import is_blank
from course.grading.submissions import Submission
from course.lessons.exercise import body_of, exercises
from course.lessons.notebooks import NotebookError

PIECE = 5  # tokens; answers are compared as sets of such pieces
SHORTEST = 25  # tokens that an answer needs to say anything
ALIKE = 0.75  # share of pieces in common
COMMON = 10  # an answer that more students have is everybody's
SPACING = (tokenize.NL, tokenize.COMMENT, tokenize.ENCODING, tokenize.ENDMARKER)
STRUCTURE = (tokenize.INDENT, tokenize.DEDENT, tokenize.NEWLINE)


@dataclass(frozen=True)
class Pair:
    """Two students whose answers to an exercise are alike."""

    exercise: str
    one: str
    other: str
    share: float  # of pieces in common: 1 for answers that are the same
    tokens: int  # of the shorter answer


@dataclass
class Answers:
    """The answers of a class, in their normal form: exercise -> form -> students."""

    forms: dict[str, dict[tuple, list[str]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )

    def add(self, submission: Submission, numbers: list[str], shown: str = "") -> None:
        """Take the answers of one student, who is called `shown` in the table."""
        remarked = len(submission.remarks)
        for number in numbers:
            exercise = exercises()[number]
            cells = submission.cells(number)
            if not cells or is_blank(exercise, cells[-1]) or exercise.borrowed() in cells[-1]:
                continue
            form = normal(answer_of(cells[-1]))
            if len(form) >= SHORTEST:
                self.forms[number][form].append(shown or submission.student)
        del submission.remarks[remarked:]  # grading has said it already

    def pairs(self) -> list[Pair]:
        """The pairs that are alike, those that are most alike first, then the longest."""
        found = []
        for number, forms in sorted(self.forms.items()):
            ours = pieces(normal(exercises()[number].solution))
            kept = []
            for form, students in forms.items():
                own = pieces(form)
                if len(students) <= COMMON and overlap(own, ours) < ALIKE:
                    kept.append((len(form), own, sorted(students)))
            kept.sort(key=lambda one: (one[0], one[2]))
            found += pairs_among(number, kept)

        def order(pair):
            return -pair.share, -pair.tokens, pair.exercise, pair.one, pair.other

        return sorted(found, key=order)


def pairs_among(number: str, forms: list[tuple[int, frozenset, list[str]]]) -> list[Pair]:
    """The pairs within each form and between two of them, given from the shortest on."""
    found = []
    for place, (tokens, own, students) in enumerate(forms):
        for position, one in enumerate(students):
            found += [Pair(number, one, other, 1.0, tokens) for other in students[position + 1 :]]
        for _, theirs, others in forms[place + 1 :]:
            if len(own) < ALIKE * len(theirs):
                continue  # they cannot have enough in common
            share = overlap(own, theirs)
            if share >= ALIKE:
                for one in students:
                    names = (sorted((one, other)) for other in others)
                    found += [Pair(number, *pair, share, tokens) for pair in names]
    return found


def answer_of(cell: str) -> str:
    """What a student wrote: the body between the marks, or the cell where they are gone."""
    try:
        return body_of(cell)
    except NotebookError:
        return cell


def normal(text: str) -> tuple[str, ...]:
    """Code as tokens, without comments, spacing and the names that its author chose.

    A name becomes its number in the order of first use, so that the same code with other names is
    the same. Python's own names and what stands behind a dot stay. Text that is no Python becomes
    its words.
    """
    names: dict[str, str] = {}
    found: list[str] = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(text.strip() + "\n").readline):
            if token.type in SPACING:
                continue
            if token.type in STRUCTURE:
                found.append(tokenize.tok_name[token.type])
            elif token.type != tokenize.NAME or keyword.iskeyword(token.string):
                found.append(token.string)
            elif hasattr(builtins, token.string) or found[-1:] == ["."]:
                found.append(token.string)
            else:
                found.append(names.setdefault(token.string, f"name {len(names)}"))
    except (tokenize.TokenError, SyntaxError):
        return tuple(text.split())
    return tuple(found)


def pieces(form: tuple[str, ...]) -> frozenset[tuple[str, ...]]:
    """All runs of a few tokens, whatever the names: a line between them changes few of them."""
    plain = ["name" if token.startswith("name ") else token for token in form]
    return frozenset(tuple(plain[place : place + PIECE]) for place in range(len(plain) - PIECE + 1))


def overlap(one: frozenset, other: frozenset) -> float:
    """The share of all pieces that both have, from 0 to 1."""
    return len(one & other) / len(one | other) if one or other else 0.0


COLUMNS = "exercise", "one", "other", "alike", "tokens"


def lines(pairs: list[Pair]) -> list[tuple]:
    """The pairs as the lines of a table."""
    return [COLUMNS, *((p.exercise, p.one, p.other, f"{p.share:.0%}", p.tokens) for p in pairs)]
