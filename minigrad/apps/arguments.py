"""The arguments of the command line, and the checks that are made before anything runs."""

import argparse
import math
import os

from minigrad.support.settings import number, whole_number

MOST = 10**9  # of any whole number that is an option


class Refused(Exception):
    """Bad input, explained in one line; the exit code is 2."""


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Refused(message)


class _Formatter(argparse.ArgumentDefaultsHelpFormatter):
    """Shows the default of each option that has one."""

    def _get_help_string(self, action):
        if action.default is None or action.default is False:
            return action.help
        return super()._get_help_string(action)


def _whole(low, high=MOST):
    """An argument type: a whole number from `low` to `high`."""
    return _type("whole number", lambda text: whole_number("it", int(text), low, high))


def _real(low, high=math.inf, **excluded):
    """An argument type: a number from `low` to `high`."""
    return _type("number", lambda text: number("it", float(text), low, high, **excluded))


def _type(kind, convert):
    """An argument type from a function; argparse names the option and `kind` in its errors."""

    def read(text):
        try:
            return convert(text)
        except ValueError as error:
            words = str(error)
            if words.startswith("it must"):
                raise argparse.ArgumentTypeError(words.removeprefix("it ")) from None
            raise  # argparse: invalid whole number value: 'many'

    read.__name__ = kind
    return read


def not_empty(text):
    """An argument type: a text, such as the name of a file, that is not empty."""
    if not text:
        raise argparse.ArgumentTypeError("is empty: name one (is a variable of the shell unset?)")
    return text


# The defaults that --recipe fast changes.
FAST = {"num_steps": 450, "lr": 0.02, "weight_decay": 0.0}


def parse(arguments=None):
    """The options of a command line; a recipe changes the defaults of some."""
    result = parser()
    options = result.parse_args(arguments)
    if options.recipe == "fast":
        result.set_defaults(**FAST)
        options = result.parse_args(arguments)
    return options


def parser():
    """The parser of `python -m minigrad.gpt2_shakespeare`."""
    result = _Parser(
        prog="python -m minigrad.gpt2_shakespeare",
        description="Train a GPT-2 in NumPy on Shakespeare's plays, or on a text of your own, "
        "character by character.",
        formatter_class=_Formatter,
    )

    def add(group, name, kind, default, text, metavar="N"):
        group.add_argument(name, type=kind, default=default, help=text, metavar=metavar)

    model = result.add_argument_group("the model")
    add(model, "--context-size", _whole(1), 64, "characters that the model sees at once")
    add(model, "--num-blocks", _whole(1), 6, "transformer blocks")
    add(model, "--num-heads", _whole(1), 6, "attention heads in each block")
    add(model, "--embedding-dim", _whole(1), 288, "channels; a multiple of --num-heads")
    add(model, "--dropout", _real(0, 1, below=True), 0.0, "dropout probability")
    training = result.add_argument_group("the training")
    text = (
        "gpt2: lesson 8's model, AdamW and a cosine; fast: rotary positions, squared ReLU, a table "
        "of pairs of characters, blocks that see the position before, Muon at --lr on the matrices "
        "and AdamW at half of it on the rest, "
        f"for {FAST['num_steps']} steps at {FAST['lr']} where you name no others (docs/speedrun.md)"
    )
    training.add_argument("--recipe", choices=("gpt2", "fast"), default="gpt2", help=text)
    add(training, "--num-steps", _whole(0), 2048, "steps; more are allowed with --resume")
    add(training, "--batch-size", _whole(1), 32, "sequences in a batch")
    add(training, "--lr", _real(0, 10), 1e-3, "highest learning rate")
    text = "weight decay of the matrices; fast: 0 where you name no other"
    add(training, "--weight-decay", _real(0, 100), 0.1, text)
    add(training, "--report-every", _whole(1), 256, "steps between two reports of the losses")
    add(training, "--workers", _whole(1, 256), 1, "threads that share a batch, one core each")
    add(training, "--seed", _whole(0, 2**64), 0, "seed of all random numbers")
    text = "a UTF-8 text to learn from, instead of the plays"
    add(training, "--text", not_empty, None, text, metavar="FILE")
    samples = result.add_argument_group("the samples")
    longest = 10**6
    text = "characters before training; 0: none"
    add(samples, "--initial-sample-length", _whole(0, longest), 256, text)
    text = "characters after training; 0: none"
    add(samples, "--final-sample-length", _whole(0, longest), 1024, text)
    text = "lower: more predictable; 0: always the likeliest character"
    add(samples, "--temperature", _real(0, 100), 1.0, text)
    add(samples, "--top-k", _whole(1), None, "draw from the k likeliest characters only")
    text = "what a sample begins with (default: a line break, or the text's first character)"
    add(samples, "--prompt", str, None, text, metavar="TEXT")
    files = result.add_argument_group("checkpoints")
    add(files, "--checkpoint-dir", not_empty, None, "folder to save the run in", metavar="DIR")
    add(files, "--save-every", _whole(1), 256, "steps between two checkpoints")
    text = "continue from the newest checkpoint in the folder"
    files.add_argument("--resume", action="store_true", help=text)
    return result


# --- Options that contradict each other, or ask for too much ---


def check_together(options):
    """Raise Refused where options do not fit together."""
    if options.embedding_dim % options.num_heads:
        raise Refused(
            f"--embedding-dim {options.embedding_dim} is no multiple of "
            f"--num-heads {options.num_heads}"
        )
    if options.workers > options.batch_size:
        raise Refused(f"--workers {options.workers} is more than --batch-size {options.batch_size}")
    if options.resume and not options.checkpoint_dir:
        raise Refused("--resume needs --checkpoint-dir, the folder with the checkpoints")


def check_memory(options, vocab_size):
    """Raise Refused where a training step needs more memory than this computer has.

    The estimate is low, so that nothing is refused that could run: the parameters with their
    gradients and AdamW's two averages, and of a batch 16 numbers for each channel of each block
    (about 25 are kept), half of the attention weights, and the logits.
    """
    C, T = options.embedding_dim, options.context_size
    N, H = options.num_blocks, options.num_heads
    parameters = 12 * C * C * N + (T + 2 * vocab_size) * C
    if options.recipe == "fast":
        # Not above: in a copy with blanks there is no model yet, but a page can be made.
        from minigrad.apps.fast import FastGPTConfig

        parameters += vocab_size**2 * FastGPTConfig.bigram_dim  # 5,000 characters: 25 million pairs
    batch = options.batch_size * T * (16 * C * N + H * T * N // 2 + vocab_size)
    needed, there = 4 * (4 * parameters + batch), _memory()
    if needed > there:
        raise Refused(
            f"this needs more than {_gigabytes(needed)} of memory, and this computer has "
            f"{_gigabytes(there)}: take a smaller model, batch or context"
        )


def _memory():
    """The bytes of memory of this computer; where the system does not tell, a terabyte."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 10**12


def _gigabytes(size):
    return f"{size / 2**30:,.0f} GB"
