"""The course's commands: `python -m course COMMAND`, from the folder that holds this one.

Any Python can parse this file, so that one that is too old is told so in a line.
"""

import codecs
import importlib
import importlib.util
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OLDEST_PYTHON = (3, 11)

# What a console without Unicode shows in place of our signs; other letters become \xe9.
PLAIN = {"✓": "+", "✗": "x", "·": "-", "…": "...", "×": "x", "→": "->", "−": "-", "≤": "<="}


def lab(arguments):
    from course import environment

    return environment.lab(arguments)


def test(arguments):
    from course import environment

    return environment.test(arguments)


def export(arguments):
    from course.lessons.exporter import main

    return main(arguments)


def check(arguments):
    return with_numpy("check", arguments, "course.student.checking", "main_check")


def progress(arguments):
    return with_numpy("progress", arguments, "course.student.standing", "main_progress")


def borrow(arguments):
    return with_numpy("borrow", arguments, "course.student.answers", "main_borrow")


def compare(arguments):
    return with_numpy("compare", arguments, "course.student.answers", "main_compare")


def student(arguments):
    from course.student.edition import main_student

    return main_student(arguments)


def data(arguments):
    from course import environment

    return environment.data(arguments)


def doctor(arguments):
    from course import doctor

    return doctor.main(arguments)


def grade(arguments):
    return with_numpy("grade", arguments, "course.grading.command", "main")


def site(arguments):
    return with_numpy("site", arguments, "course.site.command", "main")


def with_numpy(command, arguments, module, function):
    """Run a command here where there is NumPy, else in the course's environment."""
    if importlib.util.find_spec("numpy"):
        return getattr(importlib.import_module(module), function)(arguments)
    from course import environment

    return environment.run("course", command, *arguments)


# Each command: its name, its arguments, what `--help` says of it, the function that runs it.
COMMANDS = [
    ("lab", "[OPTION ...]", "open the course in JupyterLab (options go to jupyter lab)", lab),
    ("test", "[OPTION ...]", "run all tests and notebooks (options go to pytest)", test),
    ("check", "[03 | 03.2 ...]", "check the exercises of the saved notebooks", check),
    ("progress", "[03 ...]", "show which exercises are done", progress),
    ("borrow", "03 | 03.2 ...", "take the course's version where you are stuck", borrow),
    ("compare", "03.2 ...", "show the course's version beside yours, once yours is right", compare),
    ("student", "DIR [--solutions FILE]", "write the course with blanks to fill in", student),
    ("export", "[--check]", "write minigrad/ from the notebooks, or compare the two", export),
    ("grade", "SUBMISSIONS --out FILE", "grade a class's notebooks (--help has options)", grade),
    ("site", "[--out DIR] [--student] ...", "write the course as a web site", site),
    ("data", "[plays | gpt2 | chat]", "fetch what the lessons read; say what is there", data),
    ("doctor", "", "say what is here, what is missing, and what to do", doctor),
]

HELP = """usage: python3 -m course COMMAND ...

{commands}

`lab` and `test` work on a machine that has only Python {oldest} or newer: they make the
environment .venv here the first time, and use it again after that. Inside an environment
that has the course installed already they use that one.
"""


def plain(error):
    """An error handler: text that the console has no letters for, in letters that it has."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    found = error.object[error.start : error.end]
    shown = [PLAIN.get(c) or c.encode("ascii", "backslashreplace").decode() for c in found]
    return "".join(shown), error.end


def accept_every_letter():
    """From now on no print fails for a letter, whatever the console's encoding."""
    codecs.register_error("course.plain", plain)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="course.plain")


def help_text():
    rows = [(name + " " + arguments, text) for name, arguments, text, _ in COMMANDS]
    width = max(len(call) for call, _ in rows)
    commands = "\n".join("  " + call.ljust(width) + "  " + text for call, text in rows)
    return HELP.format(commands=commands, oldest=".".join(map(str, OLDEST_PYTHON)))


def main(arguments):
    """Runs the command that `arguments` name and returns its exit code."""
    if sys.version_info < OLDEST_PYTHON:
        sys.stderr.write(
            "The course needs Python {}.{} or newer; this is Python {}.{}.\n".format(
                *(OLDEST_PYTHON + sys.version_info[:2])
            )
        )
        return 2
    with streams().lenient_streams(say_of_a_full_disk) as output:
        accept_every_letter()
        code = obey(arguments)
        output.flush()
        return 1 if code == 0 and output.failed else code


def streams():
    """The module minigrad/apps/streams.py, alone: `import minigrad` would need NumPy."""
    path = os.path.join(ROOT, "minigrad", "apps", "streams.py")
    spec = importlib.util.spec_from_file_location("course_streams", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def say_of_a_full_disk(words):
    """What is said where the output is lost. Where its reader has only gone away: nothing."""
    if sys.stdout.failed:
        sys.stderr.write("course: {}\n".format(words))


def obey(arguments):
    """Runs the command that `arguments` name, and returns its exit code."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        sys.stdout.write(help_text())
        return 0 if arguments else 2
    for name, _, _, run in COMMANDS:
        if name == arguments[0]:
            given = arguments[1:]
            empty = [one for one in given if not one or one[:2] == "--" and one[-1] == "="]
            if empty and name not in ("lab", "test"):  # whose options go to other programs
                words = "course {}: an argument is empty: is a variable of the shell unset?\n"
                sys.stderr.write(words.format(name))
                return 2
            return run(given)
    names = ", ".join(name for name, _, _, _ in COMMANDS)
    sys.stderr.write("There is no command '{}'; there are: {}.\n".format(arguments[0], names))
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
