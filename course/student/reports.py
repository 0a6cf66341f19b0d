"""What `python -m course check` says to a machine: JUnit's XML, and GitHub's annotations."""

import re
import secrets
from pathlib import Path
from xml.etree import ElementTree as xml

from course.lessons.exporter import write_bytes
from course.lessons.status import Status

NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def is_failure(outcome) -> bool:
    """Whether an exercise counts as failed: neither done nor skipped."""
    return not outcome.status.is_done and not is_skipped(outcome)


def is_skipped(outcome) -> bool:
    """Whether nothing can be said of it: it is blank, or cannot be judged without one that is."""
    return outcome.status is Status.BLANK or bool(outcome.needs)


def junit(outcomes) -> bytes:
    """One test case for each exercise; the diagnosis as its failure; what is blank is skipped."""
    failures = sum(map(is_failure, outcomes))
    blanks = sum(map(is_skipped, outcomes))
    counts = {"tests": len(outcomes), "failures": failures, "skipped": blanks, "errors": 0}
    attributes = {name: str(count) for name, count in counts.items()}
    root = xml.Element("testsuites", attributes)
    suite = xml.SubElement(root, "testsuite", {"name": "minigrad", **attributes})
    for outcome in outcomes:
        lesson = Path(outcome.path).stem
        name = f"{outcome.number} {outcome.name}".strip()
        case = xml.SubElement(
            suite,
            "testcase",
            classname=in_xml(lesson),
            name=in_xml(name),
            file=in_xml(outcome.path),
            time="0",
        )
        if is_failure(outcome):
            failure = xml.SubElement(
                case, "failure", message=in_xml(outcome.diagnosis), type=str(outcome.status)
            )
            failure.text = in_xml(outcome.text)
        elif is_skipped(outcome):
            xml.SubElement(case, "skipped", message=in_xml(outcome.diagnosis))
        elif outcome.status is Status.BORROWED:
            xml.SubElement(case, "system-out").text = "borrowed from the course"
    xml.indent(root)
    return xml.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def in_xml(text: str) -> str:
    """A text without the characters that XML cannot hold."""
    return NO_XML.sub("?", text)


def write_junit(path: Path, outcomes) -> None:
    """Write the report whole or not at all."""
    write_bytes(path, junit(outcomes))


def annotation(outcome) -> str:
    """The line by which GitHub shows a failed exercise beside its notebook."""
    title = f"{outcome.number} {outcome.name}".strip()
    title += " is not right yet" if outcome.status is Status.WRONG else f" is {outcome.status}"
    place = f"file={in_property(outcome.path)},line={outcome.line},title={in_property(title)}"
    return f"::error {place}::{in_message(outcome.text)}"


def without_commands(text: str) -> str:
    """Lines in which GitHub looks for no command, whatever an answer has printed."""
    if "::" not in text and "##[" not in text:
        return text
    token = secrets.token_hex(16)  # that nobody can know beforehand
    return f"::stop-commands::{token}\n{text}\n::{token}::"


def in_message(text: str) -> str:
    """A text as the message of a workflow command, in one line."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def in_property(text: str) -> str:
    """A text as a property of a workflow command, which colons and commas would end."""
    return in_message(text).replace(":", "%3A").replace(",", "%2C")
