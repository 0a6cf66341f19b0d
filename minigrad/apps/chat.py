"""A chat in a terminal: `python -m minigrad.apps.chat`.

It reads a message, writes the answer as it comes, and reads the next one. Ctrl-C stops an answer,
not the program. Without a file it takes the model of lesson 10, which
`python -m minigrad.apps.data chat` fetches once. Nothing here opens a connection.
"""

import argparse
import contextlib
import signal
import sys

from minigrad.apps.arguments import not_empty
from minigrad.apps.streams import lenient_streams
from minigrad.chat import SYSTEM, Chat
from minigrad.llama import load_llama
from minigrad.support.datafolder import command, find_data
from minigrad.support.settings import whole_number

HELP = """\
/new                    forget the conversation
/set NAME VALUE         a setting, from the next answer on: temperature, top-k, top-p, length, seed
/quit                   end; Ctrl-D does too. Ctrl-C stops an answer."""


def honest_words(model):
    """What to expect of a model of this size, and what not, in plain words."""
    millions, seen = model.num_parameters() / 1e6, model.config.context_size
    if millions < 50:
        return (
            f"A tiny model of {millions:.1f} million numbers: it shows how a chat works, and can "
            "say nothing of use."
        )
    return (
        f"A small model, of {millions:.0f} million numbers. It writes fluent English and follows "
        "simple requests. It cannot know what is true: it invents facts, names and sources in the "
        "same sure tone. It calculates and reasons badly, knows nothing of today, and sees no more "
        f"than the last {seen:,} tokens. Rely on nothing that it says."
    )


# --- Settings ---

# What a setting is called here and in `Chat`, and how its text becomes a value.
SETTINGS = {
    "temperature": ("temperature", float),
    "top-k": ("top_k", int),
    "top-p": ("top_p", float),
    "length": ("max_new_tokens", int),
    "seed": ("seed", int),
}
DEFAULTS = {"temperature": 0.2, "top-k": 40, "top-p": 0.9, "length": 512, "seed": 1}


def setting(name, text):
    """The value of a setting, from a text. Raises ValueError, which says what is wrong."""
    if name not in SETTINGS:
        raise ValueError(f"there is no setting {name}; there are: {', '.join(SETTINGS)}")
    kind = SETTINGS[name][1]
    try:
        return kind(text)
    except ValueError:
        words = "a whole number" if kind is int else "a number"
        raise ValueError(f"{name} must be {words}, not {text!r}") from None


def start(model, tokenizer, system, settings):
    """A new conversation. Raises ValueError, naming the setting, where one cannot be used."""
    whole_number("seed", settings["seed"], 0)
    return Chat(model, tokenizer, system, **{SETTINGS[n][0]: v for n, v in settings.items()})


# --- The program ---


def main(arguments=None):
    """Chat until the input ends; returns the exit code: 0, 1, 2 for bad input, 130 after Ctrl-C."""
    with lenient_streams(_say) as output:
        try:
            return _run(_options(arguments), output)
        except ValueError as error:
            _say(error)
            return 2
        except OSError as error:
            _say(f"{error.filename}: {error.strerror}")
            return 2
        except MemoryError:
            _say("not enough memory for this model")
            return 1
        except KeyboardInterrupt:
            return 128 + signal.SIGINT


def _options(arguments):
    parser = argparse.ArgumentParser(
        prog="python -m minigrad.apps.chat",
        description="Chat with a small language model in the terminal.",
        epilog="In the chat:\n" + HELP,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    about = "a GGUF file (default: SmolLM2-135M-Instruct)"
    parser.add_argument("file", nargs="?", type=not_empty, help=about)
    parser.add_argument("--system", default=SYSTEM, help="what the model is told at the beginning")
    words = {
        "temperature": "of the draws; 0 takes the likeliest token",
        "top-k": "draw from so many of the likeliest tokens",
        "top-p": "draw from the likeliest that reach this probability together",
        "length": "of an answer, in tokens, at most",
        "seed": "of the draws",
    }
    for name, about in words.items():
        about = f"{about} (default: {DEFAULTS[name]})"
        parser.add_argument(f"--{name}", metavar="N", default=str(DEFAULTS[name]), help=about)
    return parser.parse_args(arguments)


def _say(words):
    print(f"chat: {words}", file=sys.stderr)


def _run(options, output):
    given = vars(options)
    settings = {name: setting(name, given[name.replace("-", "_")]) for name in SETTINGS}
    path = options.file or _fetched()
    model, tokenizer = load_llama(path)
    chat = start(model, tokenizer, options.system, settings)
    human = sys.stdin is not None and sys.stdin.isatty()
    if human:
        with contextlib.suppress(ImportError):  # arrow keys and a history, where there are any
            import readline  # noqa: F401
        print(f"{honest_words(model)}\n\n{HELP}\n")
    while (text := _read(human)) is not None and not output.error:
        try:
            if not text.startswith("/"):
                _answer(chat, text)
            elif (chat := _obey(text, chat, settings, options.system)) is None:
                break
        except ValueError as error:
            _say(error)
        except MemoryError:
            chat.caches = chat.model.new_caches()
            _say("not enough memory for this conversation: /new begins another one")
    return 0


def _fetched():
    """The file of the model of lesson 10. Raises ValueError, saying what to do, where it is not."""
    folder = find_data("chat")
    if folder is None:
        raise ValueError(f"the model is not here yet; fetch it, once (93 MB): {command('chat')}")
    (path,) = folder.glob("*.gguf")
    return path


def _read(human):
    """The next message that is not empty, or None where the input has ended, or is closed."""
    while sys.stdin is not None:
        try:
            text = input("you> " if human else "").strip()
        except EOFError:
            if human:
                print()
            return None
        except KeyboardInterrupt:
            if not human:
                raise
            print("\n/quit or Ctrl-D ends the chat")
            continue
        if text:
            return text


def _obey(text, chat, settings, system):
    """Do what a line that begins with / says: the conversation to go on with, or None to end."""
    name, *values = text.split()
    if name == "/quit":
        return None
    if name == "/new":
        return start(chat.model, chat.tokenizer, system, settings)
    if name != "/set" or len(values) != 2:
        print(HELP)
        return chat
    changed = settings | {values[0]: setting(*values)}
    checked = start(chat.model, chat.tokenizer, system, changed)
    settings.update(changed)
    for own in ("temperature", "top_k", "top_p", "max_new_tokens"):
        setattr(chat, own, getattr(checked, own))
    if values[0] == "seed":
        chat.generator = checked.generator
    return chat


def _answer(chat, text):
    """Write an answer as it comes; Ctrl-C ends it after the current token, a second one at once."""
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ValueError(f"the message holds no character at position {error.start}") from None
    with _interrupted() as stopped:
        try:
            with contextlib.closing(chat.say(text)) as pieces:
                for piece in pieces:
                    print(piece, end="", flush=True)
                    if stopped:
                        break
        except KeyboardInterrupt:  # in the middle of a token: the cache may be half written
            chat.caches = chat.model.new_caches()
    print(" … stopped" if stopped else "", flush=True)


@contextlib.contextmanager
def _interrupted():
    """A list that is not empty any more after Ctrl-C; a second one raises KeyboardInterrupt."""
    received = []

    def receive(number, frame):
        received.append(number)
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.signal(signal.SIGINT, receive)
    try:
        yield received
    finally:
        signal.signal(signal.SIGINT, before)


if __name__ == "__main__":
    raise SystemExit(main())
