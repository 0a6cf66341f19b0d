"""The command line of lesson 08: `python -m minigrad.gpt2_shakespeare`."""

import math
import os
import signal
import sys
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import numpy as np

from minigrad import random
from minigrad.apps import checkpoint
from minigrad.apps.arguments import Refused, check_memory, check_together, parse
from minigrad.apps.fast_training import trainer_of
from minigrad.apps.lock import only_run_in
from minigrad.apps.streams import lenient_streams
from minigrad.backprop import detect_anomaly
from minigrad.data import (
    CharTokenizer,
    TextDataset,
    load_shakespeare,
    load_text,
    train_validation_split,
)
from minigrad.gpt2_shakespeare import GPT2, GPT2Config, Trainer, TrainingConfig, evaluate, sample
from minigrad.support.threads import side_by_side

EVALUATION_BATCHES = 20  # batches per evaluation; the final one uses ten times as many


class Alone:
    """A run in one process. Its counterpart for several ranks is in apps/distributed.py."""

    first = True  # prints and saves

    def trainer(self, model, dataset, config):
        """A trainer of its own."""
        return Trainer(model, dataset, config)

    agree = staticmethod(int)  # the largest number that any rank gives


def main(arguments=None, ranks=Alone()):
    """Run the command line; returns its exit code.

    0, 1 where the run failed, 2 for bad input, 130 after Ctrl-C, 143 after SIGTERM. Where the
    output is closed meanwhile (`… | head -1`), the run goes on without it.
    """
    with lenient_streams(_say) as output:
        code = _exit_code(arguments, ranks)
        output.flush()
    return 1 if code == 0 and output.failed else code


def _exit_code(arguments, ranks):
    try:
        return _run(parse(arguments), ranks)
    except (Refused, ModuleNotFoundError) as error:
        _say(error)
        return 2
    except MemoryError:
        _say("not enough memory: take a smaller model, batch or context")
        return 1
    except KeyboardInterrupt:  # before or after the training, or a second time during it
        _say("interrupted")
        return 128 + signal.SIGINT


def _say(words):
    print(f"gpt2_shakespeare: {words}", file=sys.stderr)


def _run(options, ranks):
    check_together(options)
    text, tokenizer, training, validation = _read_text(options)
    check_memory(options, tokenizer.vocab_size)
    prompt = _prompt(options, tokenizer)
    _import_tqdm()
    random.manual_seed(options.seed)
    trainer = _trainer(options, tokenizer, training, ranks)
    with ExitStack() as held:
        resumed = _prepare_checkpoints(options, trainer, tokenizer, held, ranks)
        print(
            f"{len(text):,} characters, {tokenizer.vocab_size} different; "
            f"the model learns {trainer.model.num_parameters():,} numbers"
        )
        if options.initial_sample_length and not resumed and ranks.first:
            _print_sample("before training", trainer.model, tokenizer, prompt, options, "initial")
        code = _train(options, trainer, tokenizer, validation, ranks)
    if code == 0 and options.final_sample_length and ranks.first:
        _print_sample("after training", trainer.model, tokenizer, prompt, options, "final")
    return code


# --- Before anything starts ---


def _read_text(options):
    """The text, its tokenizer, and the data sets to learn from and to validate on."""
    try:
        text = load_text(options.text) if options.text is not None else load_shakespeare()
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


def _trainer(options, tokenizer, training, ranks):
    if options.recipe == "fast":
        return _fast_trainer(options, tokenizer, training, ranks)
    config = GPT2Config(
        context_size=options.context_size,
        num_blocks=options.num_blocks,
        num_heads=options.num_heads,
        embedding_dim=options.embedding_dim,
        dropout=options.dropout,
        vocab_size=tokenizer.vocab_size,
    )
    training_config = TrainingConfig(
        num_steps=options.num_steps,
        batch_size=options.batch_size,
        lr=options.lr,
        min_lr=options.lr / 10,
        warmup_steps=min(100, options.num_steps // 10),
        weight_decay=options.weight_decay,
        seed=options.seed,
        workers=options.workers,
    )
    try:
        return ranks.trainer(GPT2(config), training, training_config)
    except ValueError as error:
        raise Refused(str(error)) from None


def _fast_trainer(options, tokenizer, training, ranks):
    if not isinstance(ranks, Alone):
        raise Refused("--recipe fast trains in one process: use --workers, without mpirun")
    try:
        return trainer_of(options, tokenizer.vocab_size, training)
    except ValueError as error:
        raise Refused(f"--recipe fast: {error}") from None


def _prepare_checkpoints(options, trainer, tokenizer, held, ranks):
    """Resume from the newest checkpoint; returns whether there was one.

    The folder stays locked until `held`, an ExitStack, is closed.
    """
    folder = options.checkpoint_dir
    if folder is None:
        return False
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        if ranks.first:
            # First the lock: what another run writes there must not meet our attempt to write.
            held.enter_context(only_run_in(folder))
            checkpoint.try_to_write(folder)
        present = checkpoint.checkpoints(folder)
    except BlockingIOError:
        raise Refused(
            f"--checkpoint-dir {folder}: another run is training there: "
            "wait until it has ended, or name another folder"
        ) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise Refused(f"--checkpoint-dir {folder} cannot be used: {reason}") from None
    if not options.resume:
        if present:
            raise Refused(
                f"{folder} holds the checkpoints of an earlier run: "
                "add --resume to continue it, or name another folder"
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
    """The tokens (1, T) that a sample begins with."""
    prompt = options.prompt
    if prompt is None:
        prompt = "\n" if "\n" in tokenizer.vocabulary else tokenizer.vocabulary[0]
    if not prompt:
        raise Refused("--prompt is empty: give at least one character")
    unknown = sorted(set(prompt) - set(tokenizer.vocabulary))
    if unknown:
        raise Refused(f"--prompt: the text has no {', '.join(map(repr, unknown))}")
    return tokenizer.encode(prompt).astype(np.int64)[None, :]


# --- The run itself ---


def _train(options, trainer, tokenizer, validation, ranks):
    tqdm = _import_tqdm()
    tokens_per_step = options.batch_size * options.context_size
    with (
        _finishing_the_step() as interrupted,
        tqdm(total=options.num_steps, initial=trainer.steps, unit="step", disable=None) as bar,
    ):
        started, first = time.perf_counter(), trainer.steps
        folder, saved = options.checkpoint_dir, trainer.steps
        best = checkpoint.best(folder)[1] if folder else math.inf
        stopped = 0  # the number of the signal that asked for it
        while trainer.steps < options.num_steps:
            stopped = ranks.agree(interrupted[0] if interrupted else 0)
            if stopped:
                break
            loss = trainer.step()
            if not math.isfinite(loss):
                return _explain_divergence(options, trainer)
            if not ranks.first:
                continue
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
        if not ranks.first:
            return 128 + stopped if stopped else 0
        if stopped:
            bar.clear()
            print(f"stopped after step {trainer.steps}", file=sys.stderr)
            if (folder and saved == trainer.steps) or _save(options, trainer, tokenizer, None, bar):
                words = f"saved in {folder}; the same command with --resume continues the run"
                print(words, file=sys.stderr)
            return 128 + stopped
    return 0 if saved == trainer.steps or not folder else 1


def _report(trainer, validation, bar, last):
    """Print the losses on training and validation text; returns the second."""
    batches = EVALUATION_BATCHES * (10 if last else 1)
    datasets = [trainer.dataset, validation]
    losses = evaluate_each(trainer, datasets, batches, trainer.config.batch_size)
    bar.clear()
    print(
        f"step {trainer.steps}: training loss {losses[0]:.4f}, "
        f"validation loss {losses[1]:.4f} ({batches} batches each)",
        flush=True,
    )
    return losses[1]


def evaluate_each(trainer, datasets, batches, size):
    """The loss that `evaluate` gives for each dataset; with workers, computed side by side."""
    tasks = [partial(evaluate, trainer.model, data, batches, size) for data in datasets]
    if trainer.config.workers == 1:
        return [task() for task in tasks]
    trainer.model.eval()  # so that the first to end does not switch the others back to training
    return side_by_side(tasks, blas=max(1, trainer.config.workers // len(tasks)))


def _save(options, trainer, tokenizer, validation_loss, bar):
    """Write a checkpoint if a folder was named; returns whether it was written."""
    if options.checkpoint_dir is None:
        return False
    try:
        checkpoint.save(options.checkpoint_dir, trainer, tokenizer.vocabulary, validation_loss)
        return True
    except OSError as error:
        bar.clear()
        print(
            f"step {trainer.steps}: the checkpoint could not be written ({error.strerror}); "
            "the earlier ones are complete",
            file=sys.stderr,
        )
        return False


def _explain_divergence(options, trainer):
    """Name the step and the first operation that went wrong; nothing more is saved."""
    where = "the parameters were not finite before this step"
    if all(np.isfinite(parameter.data).all() for parameter in trainer.model.parameters()):
        try:
            with detect_anomaly():
                trainer.step()
            where = "the gradients overflow"
        except FloatingPointError as error:
            where = str(error)
    print(
        f"step {trainer.steps + 1}: loss or gradient is not finite ({where}); try a lower --lr"
        + ("; the last checkpoint is from before this step" if options.checkpoint_dir else ""),
        file=sys.stderr,
    )
    return 1


@contextmanager
def _finishing_the_step():
    """A list that holds the signal's number after Ctrl-C or SIGTERM; a second one acts at once."""
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
    rule = "-" * min(72, _width())
    print(f"\nsample {when}:\n{rule}\n{tokenizer.decode(tokens[0])}\n{rule}\n", flush=True)


def _width():
    """The columns of the terminal that is printed to, or 72."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 72
    except (OSError, ValueError):  # no terminal
        return 72


def _import_tqdm():
    try:
        from tqdm import tqdm
    except ModuleNotFoundError:
        raise ModuleNotFoundError(
            "the progress bar needs tqdm, which is not installed: pip install tqdm"
        ) from None
    return tqdm
