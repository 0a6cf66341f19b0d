"""One check in the child: ask the student's code what the parent wants to know."""

import builtins
import io
import opcode
import sys
import traceback

from package import Package
from protocol import PRINTED_CHARACTERS, PRINTED_LINES, decode, encode


class Printed(io.TextIOBase):
    """The standard output of student code: its first lines go to the parent as they are printed.

    So they arrive even where the code never comes to an end.
    """

    encoding, errors = "utf-8", "strict"  # some code asks for them before it prints

    def __init__(self, channel):
        self.channel = channel
        self.begin()

    def begin(self):
        """Begin to count again, before the next call."""
        self.lines, self.characters = PRINTED_LINES, PRINTED_CHARACTERS

    def writable(self):
        return True

    def write(self, text):
        shown = "".join(text.splitlines(keepends=True)[: self.lines])[: self.characters]
        self.lines -= shown.count("\n")
        self.characters -= len(shown)
        if shown:
            self.channel.send({"printed": shown})
        return len(text)


def serve(channel, probes, codes):
    """Run the probes that the parent names, one after another, until it is content.

    `probes` and `codes` are compiled; the answers go over `channel`.
    """
    sys.stdout = Printed(channel)
    # What a notebook has besides Python, for a body in which somebody has looked for a mistake.
    builtins.display = lambda *things, **options: print(*things)
    sys.breakpointhook = lambda *things, **options: None
    sys.meta_path.insert(0, Package(codes))
    namespace = {"__name__": "probes"}
    try:
        exec(probes, namespace)
        import minigrad
    except BaseException as error:  # the student's module may do anything when it is loaded
        channel.send({"raised": describe(error)})
        return
    channel.send({"ready": True})
    while True:
        try:
            message = channel.receive()
        except EOFError:
            return
        probe, arguments = namespace[message["probe"]], decode(message["arguments"])
        if message.get("watch"):
            reply = {"returned": returned(probe, minigrad, arguments)}
        else:
            sys.stdout = Printed(channel)
            reply = answer(probe, minigrad, arguments)
        try:
            channel.send(reply)
        except ValueError:
            channel.send({"type": "value that is too large"})


def answer(probe, package, arguments):
    """What the probe makes of the student's code, or how that went wrong."""
    given = encode(arguments)
    try:
        value = probe(package, *arguments)
    except BaseException as error:  # exit() and a keyboard interrupt are no Exception
        return {"raised": describe(error)}
    try:
        changed = encode(arguments) != given
        return {"changed": True} if changed else {"value": encode(value)}
    except TypeError as error:
        return {"type": str(error)}
    except RecursionError:
        return {"type": "thing that holds itself"}


def returned(probe, package, arguments):
    """What the functions of the student's package return in a probe: [module, function, kind]."""
    found = {}

    def watch(frame, event, value):
        code = frame.f_code
        if event == "return" and code.co_filename.startswith("<minigrad."):
            left = opcode.opname[code.co_code[frame.f_lasti]]
            if left.startswith("RETURN") and "GENERATOR" not in left:  # no exception, no yield
                found[code.co_filename[10:-1], code.co_qualname, kind(value)] = None

    real, sys.stdout = sys.stdout, io.StringIO()  # the parent has heard it already
    sys.setprofile(watch)
    try:
        probe(package, *arguments)
    except BaseException:  # it is known already
        pass
    finally:
        sys.setprofile(None)
        sys.stdout = real
    return [list(key) for key in found][-200:]


def kind(value):
    """What a value is, in a word or two."""
    if value is None:
        return "None"
    if isinstance(value, tuple) and type(value) is tuple:
        return f"tuple of {len(value)}"
    return type(value).__name__


def frames(error):
    """The student's frames [module, function, line] in an exception, those that it hides first."""
    hidden = error.__cause__ or error.__context__
    found = frames(hidden) if hidden is not None and hidden is not error else []
    for frame, line in traceback.walk_tb(error.__traceback__):
        code = frame.f_code
        if code.co_filename.startswith("<minigrad."):
            found.append([code.co_filename[10:-1], code.co_qualname, line])
    if isinstance(error, SyntaxError) and str(error.filename).startswith("<minigrad."):
        found.append([error.filename[10:-1], "<module>", error.lineno])
    return found[-20:]


def describe(error):
    """An exception as data: its type, its words, and its frames in the student's package."""
    try:
        words = str(error)
    except BaseException:
        words = ""
    if isinstance(error, ModuleNotFoundError) and not str(error.name).startswith("minigrad"):
        words = f"there is no {error.name} here. NumPy only: use NumPy and Python's own modules"
    try:
        places = frames(error)
    except BaseException:  # a chain of exceptions that hide each other
        places = []
    return {
        "type": type(error).__name__[:100],
        "words": words[:400],
        "frames": places,
        "missing": str(error.name or "")[:100] if type(error) is NameError else "",
        "exercise": str(getattr(error, "exercise", "")) if type(error).__name__ == "NotYet" else "",
    }
