"""The command line of lesson 08: `python -m minigrad.gpt2_shakespeare`."""

import argparse
import io
import math
import os
import signal
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from minigrad import random
from minigrad.backprop import detect_anomaly
from minigrad.data import CharTokenizer, TextDataset
from minigrad.data import load_shakespeare, load_text, train_validation_split
from minigrad.gpt2_shakespeare import GPT2, GPT2Config, Recipe, Trainer, evaluate, sample
from minigrad.apps import checkpoint
from minigrad.support.threads import blas_threads

EVALUATION_BATCHES = 20  # for a report on the way; the last one takes ten times as many


class Refused(Exception):
    """Something is wrong that one line can say; the exit code is 2."""


class _Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Refused(message)


def _number(kind, low, high=math.inf, below=False):
    """An argument type: a finite number from `low` to `high` (or below it)."""

    def read(text):
        value = kind(text)
        if not low <= value <= high or (below and value == high):
            upper = "" if high == math.inf else f" and {'below' if below else 'at most'} {high}"
            raise argparse.ArgumentTypeError(f"must be at least {low}{upper}, not {text}")
        return value

    read.__name__ = "whole number" if kind is int else "number"
    return read


def _parser():
    parser = _Parser(
        prog="python -m minigrad.gpt2_shakespeare",
        description="Train a GPT-2 in NumPy on Shakespeare's plays, or on a text of your own, "
        "character by character.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    whole, positive = _number(int, 0), _number(int, 1)

    def add(group, name, kind, default, text):
        group.add_argument(name, type=kind, default=default, help=text, metavar="N")

    model = parser.add_argument_group("the model")
    add(model, "--context-size", positive, 64, "tokens that the model sees at once")
    add(model, "--num-blocks", positive, 6, "transformer blocks")
    add(model, "--num-heads", positive, 6, "attention heads in each block")
    add(model, "--embedding-dim", positive, 288, "channels; a multiple of --num-heads")
    add(model, "--dropout", _number(float, 0, 1, below=True), 0.0, "dropout probability")
    training = parser.add_argument_group("the training")
    add(training, "--num-steps", whole, 2048, "steps of AdamW; a resumed run may get more")
    add(training, "--batch-size", positive, 32, "sequences in a batch")
    add(training, "--lr", _number(float, 0, 10), 1e-3, "highest learning rate, after the warm-up")
    add(training, "--report-every", positive, 256, "steps between two reports of the losses")
    add(training, "--workers", positive, 1, "threads that share a batch, one core each")
    add(training, "--seed", whole, 0, "seed of everything random")
    training.add_argument(
        "--text", metavar="FILE", help="a UTF-8 text to learn from, instead of the plays"
    )
    samples = parser.add_argument_group("the samples")
    add(samples, "--initial-sample-length", whole, 256, "characters before training; 0: none")
    add(samples, "--final-sample-length", whole, 1024, "characters after training; 0: none")
    add(samples, "--temperature", _number(float, 0, 100), 1.0, "lower: safer, 0: the likeliest")
    add(samples, "--top-k", positive, None, "draw from the k likeliest characters only")
    samples.add_argument("--prompt", default="\n", help="what a sample begins with")
    files = parser.add_argument_group("checkpoints")
    files.add_argument("--checkpoint-dir", metavar="DIR", help="where to save the run")
    add(files, "--save-every", positive, 256, "steps between two checkpoints")
    files.add_argument(
        "--resume", action="store_true", help="go on from the newest checkpoint in the folder"
    )
    return parser


def main(arguments=None):
    """Run the command line; returns its exit code.

    0, 1 where the run failed, 2 for bad input, 130 after Ctrl-C, 143 after SIGTERM.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # "?" where a console lacks a character
    try:
        return _run(_parser().parse_args(arguments))
    except (Refused, ModuleNotFoundError) as error:
        print(f"gpt2_shakespeare: {error}", file=sys.stderr)
        return 2
    except MemoryError:
        print("gpt2_shakespeare: not enough memory: take a smaller model or batch", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # before or after the training, or a second time during it
        print("\ngpt2_shakespeare: interrupted", file=sys.stderr)
        return 128 + signal.SIGINT


def _run(options):
    text, tokenizer, training, validation = _read_text(options)
    random.manual_seed(options.seed)
    trainer = _trainer(options, tokenizer, training)
    resumed = _prepare_checkpoints(options, trainer, tokenizer)
    _import_tqdm()
    prompt = _prompt(options, tokenizer)
    print(
        f"{len(text):,} characters, {tokenizer.vocab_size} different; "
        f"the model learns {trainer.model.num_parameters():,} numbers"
    )
    if options.initial_sample_length and not resumed:
        _print_sample("before training", trainer.model, tokenizer, prompt, options, "initial")
    code = _train(options, trainer, tokenizer, validation)
    if code == 0 and options.final_sample_length:
        _print_sample("after training", trainer.model, tokenizer, prompt, options, "final")
    return code


# --- Before anything starts ---


def _read_text(options):
    try:
        text = load_text(options.text) if options.text else load_shakespeare()
    except (OSError, ValueError) as error:
        raise Refused(f"--text: {error}") from None
    tokenizer = CharTokenizer(text)
    tokens = tokenizer.encode(text)
    try:
        parts = train_validation_split(tokens)
        training, validation = (TextDataset(part, options.context_size) for part in parts)
    except ValueError:
        raise Refused(
            f"the text has {len(tokens):,} characters; its last tenth is kept for validation and "
            f"must hold more than the context of {options.context_size}: take a longer text or a "
            "smaller --context-size"
        ) from None
    return text, tokenizer, training, validation


def _trainer(options, tokenizer, training):
    if options.embedding_dim % options.num_heads:
        raise Refused(
            f"--embedding-dim {options.embedding_dim} is no multiple of "
            f"--num-heads {options.num_heads}"
        )
    if options.workers > options.batch_size:
        raise Refused(f"--workers {options.workers} is more than --batch-size {options.batch_size}")
    config = GPT2Config(
        context_size=options.context_size,
        num_blocks=options.num_blocks,
        num_heads=options.num_heads,
        embedding_dim=options.embedding_dim,
        dropout=options.dropout,
        vocab_size=tokenizer.vocab_size,
    )
    recipe = Recipe(
        num_steps=options.num_steps,
        batch_size=options.batch_size,
        lr=options.lr,
        min_lr=options.lr / 10,
        warmup_steps=min(100, options.num_steps // 10),
        seed=options.seed,
        workers=options.workers,
    )
    return Trainer(GPT2(config), training, recipe)


def _prepare_checkpoints(options, trainer, tokenizer):
    """Load what is to be resumed; returns whether there was something."""
    if options.resume and not options.checkpoint_dir:
        raise Refused("--resume needs --checkpoint-dir, the folder with the checkpoints")
    if not options.checkpoint_dir:
        return False
    try:
        Path(options.checkpoint_dir).mkdir(parents=True, exist_ok=True)
        checkpoint.try_to_write(options.checkpoint_dir)
        present = checkpoint.checkpoints(options.checkpoint_dir)
    except OSError as error:
        raise Refused(
            f"--checkpoint-dir {options.checkpoint_dir} cannot be used: {error.strerror}"
        ) from None
    if not options.resume:
        if present:
            raise Refused(
                f"{options.checkpoint_dir} holds the checkpoints of an earlier run: "
                "add --resume to go on with it, or name another folder"
            )
        return False
    if not present:
        return False
    try:
        checkpoint.resume(present[-1], trainer, tokenizer.vocabulary)
    except ValueError as error:
        raise Refused(f"--resume: {error}") from None
    print(f"resumed from {present[-1]} at step {trainer.steps} of {options.num_steps}")
    return True


def _prompt(options, tokenizer):
    try:
        tokens = tokenizer.encode(options.prompt)
    except ValueError as error:
        raise Refused(f"--prompt: {error}") from None
    if not len(tokens):
        raise Refused("--prompt is empty: give at least one character")
    return tokens.astype(np.int64)[None, :]


# --- The run itself ---


def _train(options, trainer, tokenizer, validation):
    tqdm = _import_tqdm()
    tokens_per_step = options.batch_size * options.context_size
    with (
        _finishing_the_step() as interrupted,
        tqdm(total=options.num_steps, initial=trainer.steps, unit="step", disable=None) as bar,
    ):
        started, first = time.perf_counter(), trainer.steps
        folder, saved = options.checkpoint_dir, trainer.steps
        best = checkpoint.best(folder)[1] if folder else math.inf
        while trainer.steps < options.num_steps and not interrupted:
            loss = trainer.step()
            if not math.isfinite(loss):
                return _explain_divergence(options, trainer)
            bar.update()
            rate = (trainer.steps - first) * tokens_per_step / (time.perf_counter() - started)
            bar.set_postfix_str(f"loss {loss:.3f}, {rate:,.0f} tokens/s")
            last = trainer.steps == options.num_steps
            validation_loss = None
            if trainer.steps % options.report_every == 0 or last:
                validation_loss = _report(trainer, validation, bar, last)
            is_best = validation_loss is not None and validation_loss < best
            if trainer.steps % options.save_every == 0 or is_best or last:
                if _save(options, trainer, tokenizer, validation_loss, bar):
                    saved, best = trainer.steps, validation_loss if is_best else best
        if interrupted:
            bar.clear()
            print(f"stopped after step {trainer.steps}", file=sys.stderr)
            if (folder and saved == trainer.steps) or _save(options, trainer, tokenizer, None, bar):
                print(f"saved in {folder}; the same command with --resume goes on", file=sys.stderr)
            return 128 + interrupted[0]
    return 0 if saved == trainer.steps or not folder else 1


def _report(trainer, validation, bar, last):
    batches = EVALUATION_BATCHES * (10 if last else 1)
    size = trainer.recipe.batch_size
    datasets = [trainer.dataset, validation]
    training_loss, validation_loss = evaluate_each(trainer, datasets, batches, size)
    bar.clear()
    print(
        f"step {trainer.steps}: training loss {training_loss:.4f}, "
        f"validation loss {validation_loss:.4f} ({batches} batches each)",
        flush=True,
    )
    return validation_loss


def evaluate_each(trainer, datasets, batches, size):
    """What `evaluate` gives for each dataset; if the trainer has workers, computed side by side."""
    workers = trainer.recipe.workers
    if workers == 1:
        return [evaluate(trainer.model, data, batches, size) for data in datasets]
    trainer.model.eval()  # so that the first to end does not switch the others back to training
    with blas_threads(max(1, workers // len(datasets))), ThreadPoolExecutor(workers) as pool:
        running = [pool.submit(evaluate, trainer.model, d, batches, size) for d in datasets]
        return [loss.result() for loss in running]


def _save(options, trainer, tokenizer, validation_loss, bar):
    """Write a checkpoint where one is wanted; returns whether it is there."""
    if not options.checkpoint_dir:
        return False
    try:
        checkpoint.save(options.checkpoint_dir, trainer, tokenizer.vocabulary, validation_loss)
        return True
    except OSError as error:
        bar.clear()
        print(
            f"step {trainer.steps}: the checkpoint could not be written ({error.strerror}); "
            "those before it are whole",
            file=sys.stderr,
        )
        return False


def _explain_divergence(options, trainer):
    """Name the step and the first operation that went wrong; nothing more is saved."""
    where = "the parameters were not, before it"
    if all(np.isfinite(parameter.data).all() for parameter in trainer.model.parameters()):
        try:
            with detect_anomaly():
                trainer.step()
            where = "the gradients overflow"
        except FloatingPointError as error:
            where = str(error)
    print(
        f"step {trainer.steps + 1}: loss or gradient is not finite ({where}); try a lower --lr"
        + ("; the last checkpoint is from before" if options.checkpoint_dir else ""),
        file=sys.stderr,
    )
    return 1


@contextmanager
def _finishing_the_step():
    """A list that holds the signal's number once Ctrl-C or SIGTERM came; a second one is obeyed."""
    received = []

    def receive(number, frame):
        received.append(number)
        signal.signal(number, before[number])

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, receive)
    try:
        yield received
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _print_sample(when, model, tokenizer, prompt, options, which):
    length = getattr(options, f"{which}_sample_length")
    generator = np.random.default_rng((options.seed, length))
    tokens = sample(model, prompt, length, options.temperature, options.top_k, generator=generator)
    rule = "-" * min(72, os.get_terminal_size().columns if sys.stdout.isatty() else 72)
    print(f"\nsample {when}:\n{rule}\n{tokenizer.decode(tokens[0])}\n{rule}\n", flush=True)


def _import_tqdm():
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "the progress bar needs tqdm, which is not installed: pip install tqdm"
        ) from None
    return tqdm
