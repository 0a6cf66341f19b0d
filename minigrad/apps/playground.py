"""The playground in a notebook: the same view as on a page, with NumPy behind it.

`playground()` shows the model that comes with the course, `playground(model, tokenizer)` one of your
own, `playground(run="checkpoints")` the checkpoints of a training run beside it: before, during and
after. It needs anywidget, the bridge to the browser; the `Service` behind it is plain Python.
"""

import itertools
import math
import time
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from minigrad.apps import bridge, checkpoint, web
from minigrad.apps.ensemble import Ensemble, mean_prediction
from minigrad.apps.fast import FastGPT
from minigrad.apps.pretrained import load_pretrained
from minigrad.apps.sampler import Settings
from minigrad.backprop import no_grad
from minigrad.gpt2_shakespeare import generate, next_token_probabilities, nucleus
from minigrad.random import use_generator

MAPPED = 48  # characters in an attention map
SLICE = 0.06  # seconds that one request may write, so that the page can answer
SESSIONS = 8  # texts that can be gone on with
SHIPPED = "the shipped model"


class Service:
    """The methods that the view calls: see `web/view.js`.

    `models` maps names to functions that return (model, tokenizer); the first is loaded.
    """

    METHODS = ("begin", "next", "look", "score", "choose")

    def __init__(self, models):
        self.models = dict(models)
        self.sessions = {}
        self._numbers = itertools.count()
        self.choose(next(iter(self.models)))

    def choose(self, name):
        """Load another model; it stays as it was where that fails."""
        if name not in self.models:
            raise ValueError(f"there is no model {name!r}; there are: {', '.join(self.models)}")
        model, tokenizer = self.models[name]()
        self.model, self.tokenizer, self.name = model.eval(), tokenizer, name
        self.sessions.clear()

    @property
    def info(self):
        """The model's name, sizes and vocabulary, and which models there are."""
        c = self.model.config
        names = "context_size", "num_blocks", "embedding_dim"
        sizes = {name: int(getattr(c, name)) for name in names}
        models = len(_parts(self.model))
        return {
            "name": self.name,
            "models": list(self.models),
            "config": sizes | {"num_models": models, "num_heads": models * int(c.num_heads)},
            "vocabulary": list(self.tokenizer.vocabulary),
        }

    def begin(self, text, settings):
        """Begin to write behind a text; returns the session's number for `next`."""
        checked = self._settings(text, settings)
        context = self.tokenizer.encode(text)[None, :].astype(np.int64)
        number = next(self._numbers)
        # No method of this object is given: then each of the two would keep the other in memory.
        self.sessions[number] = _steps(self.model, self.tokenizer, context, checked)
        for old in list(self.sessions)[:-SESSIONS]:
            del self.sessions[old]
        return number

    def next(self, session, count):
        """The next steps of a session: at most `count`, and no more than fit into a moment."""
        if session not in self.sessions:
            raise ValueError("this text cannot be gone on with: generate it again")
        found, begun = [], time.perf_counter()
        while len(found) < count and time.perf_counter() - begun < SLICE:
            found.append(next(self.sessions[session]))
        return found

    def look(self, text, settings, off=None):
        """Everything about the place behind a text, with the head `off` (block, head) silent.

        {"before": (V,), "after": (V,), "lens": (N + 1, V): the guess after each block,
        "maps": (N, H, size, size): the newest `size` rows and columns of the attention}.
        """
        checked = self._settings(text, settings)
        tokens = self._encode(text)
        with no_grad(), _silenced(self.model, off):
            lenses = zip(*(_lens(part, tokens) for part in _parts(self.model)))
            guesses = [mean_prediction(logits).data[0, 0] for logits in lenses]
            maps = self.model.attention(tokens)[:, 0]  # (N, H, T, T)
        size = min(tokens.shape[1], MAPPED)
        before, after = _distributions(guesses[-1], checked)
        return {
            "before": before,
            "after": after,
            "lens": [next_token_probabilities(g[None, :])[0] for g in guesses],
            "maps": maps[:, :, -size:, -size:].reshape(-1),
            "size": size,
        }

    def score(self, text):
        """The surprise, in bits, of each character at those before it; None where there is none."""
        bits = [None] * len(text)
        tokens = self._encode(text)
        if tokens.shape[1] > 1:
            with no_grad():
                logits = self.model(tokens[:, :-1]).data[0]
            probabilities = next_token_probabilities(logits)
            own = np.take_along_axis(probabilities, tokens[0, 1:, None], axis=1)[:, 0]
            bits[-len(own) :] = (-np.log2(np.maximum(own, 1e-300))).tolist()
        return bits

    # --- Parts ---

    def _settings(self, text, settings):
        """Settings as the view sends them, checked. Raises ValueError in words."""
        found = Settings(
            prompt=text,
            temperature=settings["temperature"],
            top_k=settings.get("topK"),
            top_p=settings.get("topP"),
            seed=settings.get("seed", 0),
        )
        found.check(self.tokenizer)
        return found

    def _encode(self, text):
        tokens = self.tokenizer.encode(text[-self.model.config.context_size :])
        return tokens[None, :].astype(np.int64)  # (1, T)


def _parts(model):
    """The models that a prediction is the mean of: those of an Ensemble, or the model itself."""
    return list(model.models) if isinstance(model, Ensemble) else [model]


def _lens(model, tokens):
    """Yield the logits (1, 1, V) for the next token, if the model ended before or after a block.

    This is called the "logit lens": the embedding first, then the stream after each block.
    """
    if isinstance(model, FastGPT):
        x = model.embedded(tokens)
    else:
        x = model.token_embedding(tokens) + model.position_embedding.weight[: tokens.shape[1]]
    yield model.output_projection(model.output_ln(x[:, -1:]))
    for block in model.blocks:
        x = block(x)
        yield model.output_projection(model.output_ln(x[:, -1:]))


def _steps(model, tokenizer, context, settings):
    """Yield, for each new character, what the view shows of it."""
    view = _Watched(model)
    random = _Remembered(settings.seed)
    written = context.shape[1]
    for token in generate(view, context, generator=random, **settings.cuts):
        own, after = _distributions(view.logits, settings)
        yield {
            "character": tokenizer.decode(token),
            "bits": -math.log2(max(own[token[0]], 1e-300)),
            "u": random.last,
            "start": written - view.length,
            "after": after,
        }
        written += 1


class _Watched:
    """A model for `generate` that records its last logits and its cache length."""

    def __init__(self, model):
        self.model, self.config, self.new_caches = model, model.config, model.new_caches

    def __call__(self, tokens, caches, last):
        logits = self.model(tokens, caches, last)
        self.logits, self.length = logits.data[0, -1], caches[0].length
        return logits


class _Remembered(np.random.Generator):
    """A generator that remembers the last number it drew."""

    def __init__(self, seed):
        super().__init__(np.random.PCG64(seed))
        self.last = None

    def random(self, shape):
        drawn = super().random(shape)
        self.last = float(drawn[0, 0])
        return drawn


@contextmanager
def _silenced(model, head):
    """The model with one head's output left out: its columns of `out_proj` are zero meanwhile."""
    if head is None:
        yield
        return
    block, number = head
    heads = model.config.num_heads
    size = model.config.embedding_dim // heads
    weight = _parts(model)[number // heads].blocks[block].attn.out_proj.weight
    number %= heads
    kept = weight.data
    weight.data = kept.copy()
    weight.data[:, number * size : (number + 1) * size] = 0
    try:
        yield
    finally:
        weight.data = kept


def _distributions(logits, settings):
    """The model's own distribution (V,), and the one that is drawn from."""
    own = next_token_probabilities(logits[None, :])[0]
    after = next_token_probabilities(logits[None, :], settings.temperature, settings.top_k)
    return own, nucleus(after, settings.top_p)[0]


def models_of(run):
    """{name: a function that loads it} for a run: before it, then its checkpoints, oldest first.

    The first model has the same size and random numbers, as before a first step.
    """
    paths = checkpoint.checkpoints(Path(run))
    if not paths:
        raise ValueError(f"{run} holds no checkpoint")
    name = Path(run).name
    loaders = {f"{name}, before training": lambda: untrained(*checkpoint.load_model(paths[0]))}
    for path in paths:
        step = int(path.stem.split("_")[1])
        loaders[f"{name}, step {step:,}"] = lambda path=path: checkpoint.load_model(path)
    return loaders


def untrained(model, tokenizer):
    """A model of the same size with random numbers, always the same ones."""
    with use_generator(np.random.default_rng(0)):
        return type(model)(model.config).eval(), tokenizer


def playground(model=None, tokenizer=None, run=None, **settings):
    """A playground as a notebook's widget. `settings`: prompt, temperature, length, seed.

    Raises ModuleNotFoundError, saying what to install, where anywidget is missing.
    """
    models = models_of(run) if run is not None else {}
    if model is not None:
        models["your model"] = lambda: (model, tokenizer)
    models[SHIPPED] = load_pretrained
    return bridge.widget(
        "Playground",
        web.NOTEBOOK,
        Service(models),
        settings,
        without="`minigrad.apps.sampler.Sampler` writes, and `python -m minigrad.apps.publish` "
        "makes a page",
    )
