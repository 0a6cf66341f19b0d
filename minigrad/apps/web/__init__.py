"""The views of playground and chat and the JavaScript engine: ES modules without a build step."""

import re
from pathlib import Path

FOLDER = Path(__file__).parent
# What each place needs; a module imports those before it.
PAGE = (
    "random.js",
    "engine.js",
    "fast.js",
    "ensemble.js",
    "file.js",
    "elements.js",
    "view.js",
    "page.js",
)
NOTEBOOK = "elements.js", "view.js", "kernel.js", "jupyter.js"
CHAT = "elements.js", "chat.js", "kernel.js", "chat_jupyter.js"
IMPORT = re.compile(r'^import \{[^}]*\} from "\./[\w.]+";\n', re.MULTILINE)


def text(name):
    """The text of a file of this folder."""
    return (FOLDER / name).read_text(encoding="utf-8")


def joined(names, last_exports=False):
    """Modules of this folder as one: imports of each other go, and exports but the last one's.

    A page opened by a double click may not load modules from files, and a widget is one module.
    """
    parts = []
    for name in names:
        part = IMPORT.sub("", text(name))
        if not (last_exports and name == names[-1]):
            part = re.sub(r"^export (default )?", "", part, flags=re.MULTILINE)
        parts.append(f"// --- {name} ---\n\n{part}")
    return "\n".join(parts)
