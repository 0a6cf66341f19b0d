"""The links of a text in Markdown, where some of what they lead to is not on the site."""

import posixpath
import re
from collections.abc import Callable

# Fences and code spans, which hold no links; a backtick span is closed by as many backticks.
CODE = re.compile(
    r"(^ *```.*?^ *```|^ *~~~.*?^ *~~~|(?<!`)(?P<ticks>`+)(?!`).+?(?<!`)(?P=ticks)(?!`))",
    re.M | re.S,
)
LINK = re.compile(
    r"(?P<image>!?)\[(?P<words>[^]\[]*(?:\[[^]]*\][^]\[]*)*)\]\((?P<target>[^)\s]+)\)"
)


def relink(text: str, here: str, known: set[str], elsewhere: Callable[[str], str | None]) -> str:
    """The text of the file `here`, whose links to files that are not `known` are changed.

    `elsewhere` gives the address of such a file, or None: then only the words stay.
    """

    def changed(match):
        target, hash_sign, anchor = match["target"].partition("#")
        if "://" in target or target.startswith("mailto:") or not target:
            return match[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(here), target))
        if path in known:
            return match[0]
        address = elsewhere(path)
        if address is None or match["image"]:
            return match["words"]
        return f"[{match['words']}]({address}{hash_sign}{anchor})"

    pieces, place = [], 0
    # A link's words may be code: `[`mg.cat`](names.md)`. So links are changed where the bracket
    # itself stands outside of code.
    code = [match.span() for match in CODE.finditer(text)]
    for match in LINK.finditer(text):
        if any(start <= match.start() < end for start, end in code):
            continue
        pieces += [text[place : match.start()], changed(match)]
        place = match.end()
    return "".join([*pieces, text[place:]])
