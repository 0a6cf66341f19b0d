"""Training that can be watched: `watch(trainer.step, 1200, validate=…)`, in a notebook or not.

In a notebook a picture with a progress bar and the losses is drawn again while the training runs,
and a clean one is left behind; a line is printed for every report, there and in a terminal, unless
`lines` is False: what it says differs between processors, and the picture says it too.
"""

import base64
import signal
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field

from course.draw import curves, labels, style

REDRAW = 1.0  # seconds between two pictures, so that drawing costs a twentieth of the time


@dataclass
class Record:
    """What happened in a training."""

    losses: list = field(default_factory=list)  # of every step
    validation: list = field(default_factory=list)  # pairs (steps done, loss)
    samples: list = field(default_factory=list)  # pairs (steps done, text)
    interrupted: bool = False


def watch(
    step,
    num_steps,
    *,
    every=100,
    validate=None,
    sample=None,
    caption=None,
    digits=3,
    ylabel="loss",
    log=False,
    horizontal=None,
    lines=True,
):
    """Call `step()`, which returns a loss, `num_steps` times; returns a `Record`.

    After the first step, every `every` steps and at the end, `validate()` measures the loss on
    held-out data and `sample()` writes a text, where they are given. Interrupting (the stop button,
    Ctrl-C) lets the step finish and ends the training: the model is as that step left it. A second
    interruption is obeyed at once.

    The lines have `digits` decimals, and `lines=False` prints none. The picture has a logarithmic
    axis with `log`, and reference lines at the values of `horizontal`, a dictionary {label: value}.
    """
    if num_steps < 1 or every < 1:
        raise ValueError(f"watch: num_steps and every are at least 1, not {num_steps} and {every}")
    record = Record()
    caption = caption or "The loss of each step, and on held-out data."
    picture = {"ylabel": ylabel, "log": log, "horizontal": horizontal or {}}
    view = _View(num_steps, caption, picture)
    with _finishing_the_step() as interrupted:
        while len(record.losses) < num_steps and not interrupted:
            record.losses.append(float(step()))
            done = len(record.losses)
            if done == 1 or done % every == 0 or done == num_steps or interrupted:
                line = _report(record, validate, sample, digits)
                if lines:
                    print(line, flush=True)
            view.draw(record)
    record.interrupted = len(record.losses) < num_steps
    if record.interrupted:
        print(f"interrupted: the model is as step {len(record.losses)} left it", flush=True)
    view.finish(record)
    return record


def _report(record, validate, sample, digits):
    """Measures, notes in the record, and returns the line that says it."""
    done = len(record.losses)
    line = f"step {done:5d}   loss {record.losses[-1]:.{digits}f}"
    if validate:
        record.validation.append((done, float(validate())))
        line += f"   validation loss {record.validation[-1][1]:.{digits}f}"
    if sample:
        record.samples.append((done, sample()))
        line += "\n    " + record.samples[-1][1].strip().replace("\n", "\n    ")
    return line


@contextmanager
def _finishing_the_step():
    """A list that is not empty once an interruption came; a second one is obeyed at once."""
    received = []
    if threading.current_thread() is not threading.main_thread():
        yield received  # signals come to the main thread only
        return

    def receive(number, frame):
        received.append(number)
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, receive)
    try:
        yield received
    finally:
        signal.signal(signal.SIGINT, before)


class _View:
    """The picture in a notebook; nothing elsewhere."""

    def __init__(self, num_steps, caption, options):
        self.num_steps, self.caption, self.options = num_steps, " ".join(caption.split()), options
        self.started = self.drawn = time.monotonic()
        self.handle = None
        shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
        self.live = shell is not None and hasattr(shell, "kernel")

    def draw(self, record):
        """The picture of now, unless the last one is fresh."""
        now = time.monotonic()
        if self.live and (self.handle is None or now - self.drawn > REDRAW):
            done = len(record.losses)
            left = (now - self.started) / done * (self.num_steps - done)
            text = f"about {_spoken(left)} left"
            self._show(_figure(record, self.num_steps, text, **self.options))
            self.drawn = time.monotonic()

    def finish(self, record):
        """The picture that stays, in the place of those before it, with its caption under it."""
        if self.live:
            from IPython.display import display

            self._show(_figure(record, self.num_steps, **self.options))
            display({"text/markdown": f"*{style.escape(self.caption)}*"}, raw=True)

    def _show(self, figure):
        from IPython.display import display

        width, height = (round(inches * style.SCREEN) for inches in figure.get_size_inches())
        data = {
            "image/png": base64.b64encode(style.picture(figure)).decode("ascii"),
            "text/plain": self.caption,
        }
        metadata = {"image/png": {"width": width, "height": height, "alt": self.caption}}
        if self.handle is None:
            self.handle = display(data, raw=True, metadata=metadata, display_id=True)
        else:
            self.handle.update(data, raw=True, metadata=metadata)


def _figure(record, num_steps, left=None, *, ylabel="loss", log=False, horizontal=None):
    """The losses; with `left`, a text, a progress bar above them."""
    rows = 1 if left is None else 2
    options = {} if left is None else {"height_ratios": (1, 14)}
    figure, axes = style.canvas(rows, 1, height=3.4, gridspec_kw=options)
    with style.settings():
        if left is not None:
            bar, axes = axes[:, 0]
            done = len(record.losses)
            bar.barh(0, done, color=style.COLOURS[0])
            bar.set(xlim=(0, num_steps), xticks=[], yticks=[])
            bar.spines[:].set_visible(True)
            bar.set_title(f"step {done:,} of {num_steps:,}, {left}")
        smooth = _smooth(record.losses)
        axes.plot(*smooth, color=style.COLOURS[0], label="training")
        if record.validation:
            steps, losses = zip(*record.validation, strict=True)
            # The first and the last marker stand on the edge: they must not be cut in two.
            validation = {"color": style.COLOURS[1], "label": "validation", "clip_on": False}
            axes.plot(steps, losses, "--o", **validation)
        axes.set(xlabel="step", ylabel=ylabel, xlim=(0, len(record.losses) + 1))
        for value in (horizontal or {}).values():
            axes.axhline(value, color=style.GREY, linewidth=1.1, linestyle=(0, (1, 2)), zorder=1)
        if log:
            axes.set_yscale("log")
            curves._plain_ticks(axes.yaxis, *axes.get_ylim())
        labels.in_a_row(figure, axes)
        end = len(record.losses) + 1
        ends = [(label, (end, value), style.GREY) for label, value in (horizontal or {}).items()]
        labels.at_ends(figure, axes, ends)
    return figure


def _smooth(losses, points=200):
    """Steps and means of the losses over equal stretches, at most `points` of them."""
    width = -(-len(losses) // points)
    starts = range(0, len(losses), width)
    parts = [losses[start : start + width] for start in starts]
    return (
        [start + (len(part) + 1) / 2 for start, part in zip(starts, parts, strict=True)],
        [sum(part) / len(part) for part in parts],
    )


def _spoken(seconds):
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
