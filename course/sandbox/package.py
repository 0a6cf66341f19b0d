"""The student's package in memory: compiled modules, and no text that could be read back."""

import hashlib
import importlib.abc
import importlib.machinery


def key_of(name, text):
    """A short name for a module's text."""
    return hashlib.sha256(f"{name}\0{text}".encode("utf-8", "surrogatepass")).hexdigest()[:24]


PROBES = "<probes>"  # the name of what is no module: the functions that ask the student's code


def compiled(name, text):
    """The code of a module of the package, or the error that its import is to raise."""
    place = name if name == PROBES else f"<minigrad.{name}>".replace(".>", ">")
    try:
        return compile(text, place, "exec", dont_inherit=True)
    except SyntaxError as error:
        return SyntaxError(error.msg, (error.filename, error.lineno, error.offset, None))
    except (ValueError, RecursionError, MemoryError) as error:
        return type(error)(str(error))


class Package(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports `minigrad` from {"": the package's own code, "nn": …, "support.notyet": …}."""

    def __init__(self, codes):
        self.codes = codes

    def find_spec(self, name, path=None, target=None):
        if name == "course" or name.startswith("course."):
            raise ModuleNotFoundError("the checks are not here to be imported", name=name)
        if name != "minigrad" and not name.startswith("minigrad."):
            return None
        inner = name.removeprefix("minigrad").removeprefix(".")
        if inner not in self.codes:
            raise ModuleNotFoundError(
                f"there is no {name} yet: run the last cell of the lesson that exports it",
                name=name,
            )
        is_package = any(
            other != inner and other.startswith(f"{inner}." if inner else "")
            for other in self.codes
        )
        return importlib.machinery.ModuleSpec(name, self, is_package=is_package)

    def exec_module(self, module):
        code = self.codes[module.__name__.removeprefix("minigrad").removeprefix(".")]
        if isinstance(code, Exception):
            raise code
        exec(code, module.__dict__)
