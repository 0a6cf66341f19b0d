"""The playground without its controls: settings, writing, stopping, looking inside.

>>> import minigrad as mg
>>> sampler = Sampler(*mg.load_pretrained())
>>> sampler.set(prompt="JULIET:\\n", temperature=0.5, seed=3, length=5)
>>> sampler.generate()
'JULIET:\\nAnd a'
"""

import itertools
import math
import threading
import time
from dataclasses import dataclass, field, replace

import numpy as np

from minigrad.backprop import no_grad
from minigrad.gpt2_shakespeare import generate, next_token_probabilities, nucleus
from minigrad.support.settings import number, whole_number

LONGEST = 5000  # characters in one go
HOTTEST = 5  # the highest temperature
SHOWN = 0.1  # seconds between two calls of `on_change` while a text is written


@dataclass(frozen=True)
class Settings:
    """How a text is written. `top_k` or `top_p` of None removes no candidate."""

    prompt: str = "ROMEO:\n"
    temperature: float = 0.8
    top_k: int | None = None
    top_p: float | None = None
    length: int = 400
    seed: int = 0

    def check(self, tokenizer):
        """Raise ValueError, naming the setting, where one of them cannot be used."""
        if not isinstance(self.prompt, str):
            raise ValueError(f"The prompt must be text, not {self.prompt!r}.")
        if not self.prompt:
            raise ValueError("The prompt is empty: give the model at least one character.")
        unknown = sorted(set(self.prompt) - set(tokenizer.vocabulary))
        if unknown:
            raise ValueError(
                f"The model has never seen {', '.join(map(repr, unknown))}: leave that out of the "
                f"prompt. It knows these: {tokenizer.vocabulary.strip()}"
            )
        number("Temperature", self.temperature, 0, HOTTEST)
        if self.top_k is not None:
            whole_number("Top-k", self.top_k, 1)
        if self.top_p is not None:
            number("Top-p", self.top_p, 0, 1, above=True)
        whole_number("Length", self.length, 1, LONGEST)
        whole_number("Seed", self.seed, 0)

    @property
    def cuts(self):
        """The settings that shape the distribution, as `generate` takes them."""
        return {"temperature": self.temperature, "top_k": self.top_k, "top_p": self.top_p}


@dataclass
class Writing:
    """A text while it is written, and after."""

    settings: Settings
    written: str = ""  # what follows the prompt
    starts: list = field(default_factory=list)  # for each character: the first one the model saw
    bits: list = field(default_factory=list)  # for each: -log₂ of its probability
    seconds: float = 0.0
    stopped: bool = False
    error: str = ""

    @property
    def text(self):
        """The prompt and what follows it."""
        return self.settings.prompt + self.written

    @property
    def tokens_per_second(self):
        """How fast it was written; 0 where nothing was."""
        return len(self.bits) / self.seconds if self.seconds else 0.0

    @property
    def bits_per_character(self):
        """The mean of `bits`, the model's surprise at temperature 1; None for an empty text."""
        return sum(self.bits) / len(self.bits) if self.bits else None


@dataclass(frozen=True)
class Choice:
    """One character of a text: the other candidates, and where the model looked."""

    character: str
    seen: str  # what the model saw: T characters, the newest last
    before: np.ndarray  # (V,) the model's own distribution
    after: np.ndarray  # (V,) after temperature, top-k and top-p
    attention: np.ndarray  # (blocks, H, T, T); the last row led to the character


class Sampler:
    """Writes with a model, in this thread (`generate`) or in one of its own (`start`, `stop`).

    `writing` is the newest text, `history` holds those that are finished, oldest first.
    """

    def __init__(self, model, tokenizer, settings=None):
        self.model, self.tokenizer = model, tokenizer
        if settings is None:
            settings = Settings()
            if not set(settings.prompt) <= set(tokenizer.vocabulary):
                settings = replace(settings, prompt=tokenizer.vocabulary[0])
        settings.check(tokenizer)
        self.settings = settings
        self.history = []
        self.writing = None
        self._thread = None
        self._stopping = threading.Event()
        self._logits = ("", None)  # (text, the logits for the character after it)

    def set(self, **changes):
        """Change some settings; ValueError, and no change, where one of them cannot be used."""
        settings = replace(self.settings, **changes)
        settings.check(self.tokenizer)
        self.settings = settings

    # --- Writing ---

    @property
    def running(self):
        """Whether a text is being written."""
        return self._thread is not None

    def generate(self, on_change=None):
        """Write a text and return it, prompt included. `on_change()` is called as in `start`."""
        self.start(on_change)
        try:
            self.wait()
        except KeyboardInterrupt:
            self.stop()
            self.wait()
        if self.writing.error:
            raise RuntimeError(self.writing.error)
        return self.writing.text

    def start(self, on_change=None):
        """Begin to write in a thread; RuntimeError where a text is being written already.

        That thread calls `on_change()` every tenth of a second, and once at the end, when
        `running` is False again.
        """
        if self.running:
            raise RuntimeError("A text is being written: stop it first.")
        self._stopping.clear()
        self.writing = Writing(self.settings)
        arguments = (self.writing, on_change or (lambda: None))
        self._thread = threading.Thread(target=self._run, args=arguments, daemon=True)
        self._thread.start()

    def stop(self):
        """Ask the writing thread to stop after the current character."""
        self._stopping.set()

    def wait(self, timeout=None):
        """Wait, at most `timeout` seconds, until nothing is being written; returns whether it is so."""
        thread = self._thread
        if thread is not None:
            thread.join(timeout)
        return not self.running

    def clear(self):
        """Forget the newest text; the history stays."""
        if self.running:
            raise RuntimeError("A text is being written: stop it first.")
        self.writing = None

    def _run(self, writing, on_change):
        training = self.model.training
        try:
            self.model.eval()
            self._write(writing, on_change)
        except Exception as error:  # any error becomes a message for the reader
            writing.error = f"Writing ended early: {error}"
        finally:
            self.model.train(training)
            self.history.append(writing)
            self._thread = None
        on_change()

    def _write(self, writing, on_change):
        settings, begun = writing.settings, time.perf_counter()
        shown = begun
        view = _View(self.model)
        stream = generate(
            view,
            self.tokenizer.encode(settings.prompt)[None, :].astype(np.int64),
            generator=np.random.default_rng(settings.seed),
            **settings.cuts,
        )
        for token in itertools.islice(stream, settings.length):
            writing.starts.append(len(writing.text) - view.length)
            own = next_token_probabilities(view.logits[None, :])[0]
            writing.bits.append(-math.log2(max(own[token[0]], 1e-300)))
            self._logits = (writing.text, view.logits)
            writing.written += self.tokenizer.decode(token)
            now = time.perf_counter()
            writing.seconds = now - begun
            if self._stopping.is_set():
                writing.stopped = len(writing.written) < settings.length
                return
            if now - shown > SHOWN:
                on_change()
                shown = now

    # --- Looking inside ---

    @property
    def text(self):
        """The newest text, or the prompt where there is none yet."""
        return self.writing.text if self.writing else self.settings.prompt

    def next_probabilities(self):
        """A text, the probabilities (V,) of the next character, and those after the settings.

        The text is the newest one; while it is being written, its last character is left out.
        """
        text, logits = self._logits
        writing = self.running and self.writing.written
        if text != self.text and not writing:
            text = self.text
            logits = self._look(text)
            self._logits = (text, logits)
        return text, *_before_and_after(logits, self.settings)

    def choice(self, place, writing=None):
        """The `Choice` behind the character at a place of a text, by default the newest text.

        The first character has none. For a written character `seen` is what the model saw then;
        for one of the prompt, as much of the text before it as fits into the context.
        """
        writing = writing or self.writing or Writing(self.settings)
        text, prompt = writing.text, writing.settings.prompt
        if not 1 <= place < len(text):
            raise ValueError(
                f"There is no choice behind character {place + 1}: "
                f"only the characters 2 to {len(text)} have one."
            )
        start = max(0, place - self.model.config.context_size)
        if place >= len(prompt):
            start = writing.starts[place - len(prompt)]
        seen = text[start:place]
        before, after = _before_and_after(self._look(seen), writing.settings)
        attention = self.model.attention(self._encode(seen))[:, 0]
        return Choice(text[place], seen, before, after, attention)

    def _look(self, text):
        """The logits (V,) for the character after a text."""
        with no_grad():
            return self.model(self._encode(text), last=True).data[0, -1]

    def _encode(self, text):
        tokens = self.tokenizer.encode(text[-self.model.config.context_size :])
        return tokens[None, :].astype(np.int64)  # (1, T)


class _View:
    """A model for `generate` that records its last logits and its cache length."""

    def __init__(self, model):
        self.model, self.config, self.new_caches = model, model.config, model.new_caches

    def __call__(self, tokens, caches, last):
        logits = self.model(tokens, caches, last)
        self.logits, self.length = logits.data[0, -1], caches[0].length
        if not np.isfinite(self.logits).all():
            raise FloatingPointError("the model's logits are not finite numbers")
        return logits


def _before_and_after(logits, settings):
    before = next_token_probabilities(logits[None, :])
    after = next_token_probabilities(logits[None, :], settings.temperature, settings.top_k)
    return before[0], nucleus(after, settings.top_p)[0]
