"""Who is in the class, and whose each entry of the folder is."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from course.grading.submissions import Submission, entries, page_name, printable, read_submission
from course.grading.tables import Refused, read_table, same


@dataclass(frozen=True)
class Person:
    """A line of the roster."""

    identifier: str
    name: str


@dataclass(frozen=True)
class Student:
    """Somebody who gets a row: what they handed in, none for nothing, and who they are."""

    name: str  # as the folder has it; the identifier where nothing was handed in
    paths: tuple[Path, ...] = ()
    person: Person | None = None

    @property
    def shown(self) -> str:
        """The name in tables and on pages."""
        return printable(self.name)

    def read(self) -> Submission:
        """What was handed in. Never raises."""
        if self.paths:
            return read_submission(self.paths, self.name)
        words = "nothing was handed in"
        page = page_name(self.name)
        return Submission(self.shown, page, missing=words, remarks=[words])


def read_roster(path: Path) -> list[Person]:
    """The class: a CSV file with the columns `identifier` and `name`. Raises Refused."""
    people: dict[str, Person] = {}
    for place, row in read_table(path, ["identifier", "name"]):
        person = Person(row["identifier"], row["name"])
        if not person.identifier:
            raise Refused(f"{place}: the identifier is empty")
        if people.setdefault(same(person.identifier), person) is not person:
            raise Refused(f"{place}: {person.identifier} stands in the roster twice")
    return list(people.values())


def students(
    folder: Path, pattern: str | None = None, roster: list[Person] | None = None
) -> list[Student]:
    """Everybody who gets a row, in the order of their names.

    `pattern` finds the student in the name of an entry: its group `student`, else its first group,
    else all that it matches. Entries with the same student belong together. Raises Refused where
    it is no pattern, where it fits no entry, and where two entries are one person of the roster.
    """
    handed = grouped(entries(folder), pattern)
    people = {same(person.identifier): person for person in roster or []}
    by_name: dict[str, list[Person]] = {}
    for person in roster or []:
        by_name.setdefault(same(person.name), []).append(person)
    found, owners = [], {}
    for name, paths in handed.items():
        person = people.get(same(name))
        if person is None and len(by_name.get(same(name), [])) == 1:  # two of one name are nobody
            person = by_name[same(name)][0]
        if person and owners.setdefault(person.identifier, name) != name:
            raise Refused(
                f"{printable(owners[person.identifier])} and {printable(name)} are both "
                f"{person.identifier} of the roster: put them into one folder"
            )
        found.append(Student(name, tuple(folder / path for path in paths), person))
    absent = [person for person in roster or [] if person.identifier not in owners]
    taken = {student.name for student in found}
    for person in absent:
        name = person.identifier
        while name in taken:  # an entry of another person is called so
            name += "'"
        taken.add(name)
        found.append(Student(name, (), person))
    return sorted(found, key=lambda student: student.name)


def grouped(named: Iterable[tuple[str, str]], pattern: str | None) -> dict[str, list[str]]:
    """Student -> the entries of the folder that are theirs."""
    if pattern is None:
        return {name: [entry] for name, entry in named}
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise Refused(f"--student-from {pattern!r} is no regular expression: {error}") from None
    found, fitting = {}, 0
    for name, entry in named:
        match = compiled.search(entry)
        student = ""
        if match:
            group = "student" if "student" in compiled.groupindex else min(compiled.groups, 1)
            student = match[group] or ""
        fitting += bool(student)
        found.setdefault(student or name, []).append(entry)
    if found and not fitting:
        first = next(iter(found.values()))[0]
        raise Refused(f"--student-from {pattern!r} fits no name, such as {printable(first)!r}")
    return found


def of_shard(everybody: list[Student], shard: str) -> list[Student]:
    """The students of one shard, "3/20": every twentieth, from the third on. Raises Refused."""
    match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", shard)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise Refused(f"--shard {shard!r} is none: write 3/20 for the third of twenty")
    handed = [student for student in everybody if student.paths]
    return handed[int(match[1]) - 1 :: int(match[2])]


def by_any_name(everybody: list[Student]) -> dict[str, Student]:
    """Student by the name of the folder's entry, by identifier, and by what the roster calls them.

    A name that two of them share is left out.
    """
    found: dict[str, Student | None] = {}
    for student in everybody:
        names = {same(student.name), same(student.shown)}
        if student.person:
            names |= {same(student.person.identifier), same(student.person.name)} - {""}
        for name in names:
            found[name] = student if name not in found else None
    return {name: student for name, student in found.items() if student}
