"""What `00_start.ipynb` shows: the trained model writes at once, before anything is built.

Nothing of the library is used: in a student's copy it is still blank. NumPy alone reads the weights
and computes what the lessons build; the comments name them.
"""

import json
import math
from pathlib import Path

import numpy as np

from minigrad.apps import SHIPPED

PAGE = "playground.html"  # beside the notebook that shows it
FRAME = (
    f'<iframe src="{PAGE}" title="A GPT that writes, and shows how" width="100%" height="780" '
    'loading="lazy" style="border: 1px solid #888; border-radius: 4px"></iframe>\n'
    f'<p><a href="{PAGE}" target="_blank" rel="noopener">The same in a window of its own</a></p>'
)


class Writer:
    """Some models that read a text together: what they expect next is the mean of their guesses."""

    def __init__(self, path=SHIPPED):
        data = Path(path).read_bytes()  # a header in JSON, then the arrays
        begin = 8 + int.from_bytes(data[:8], "little")
        header = json.loads(data[8:begin])
        description = json.loads(header.pop("__metadata__")["minigrad"])
        self.config, self.vocabulary = description["model"], description["vocabulary"]
        weights = [{} for _ in range(self.config["num_models"])]
        for name, entry in header.items():
            first, last = (begin + offset for offset in entry["data_offsets"])
            array = np.frombuffer(data[first:last], np.float16).reshape(entry["shape"])
            _, number, own = name.split(".", 2)  # "models.0.blocks.…"
            # In double precision, all machines write the same text.
            weights[int(number)][own] = array.astype(np.float64)
        self.models = [Model(self.config, w) for w in weights]

    def read(self, character):
        """The logits (V,) of what comes next, after one more character."""
        token = self.vocabulary.index(character)  # lesson 6
        return np.log(np.mean([softmax(model.read(token)) for model in self.models], axis=0))


class Model:
    """A GPT that reads one token after another, and remembers what its attention needs."""

    def __init__(self, config, weights):
        self.config, self.weights = config, weights
        self.place, self.before = 0, 0  # how many tokens it has read, and the newest one
        self.memory = [([], []) for _ in range(config["num_blocks"])]  # keys and values
        self.newest = {}  # what went into each layer at the newest place

    def read(self, token):
        """The logits (V,) of what comes next, after one more token."""
        w, pair = self.weights, self.before * self.config["vocab_size"] + token
        x = w["token_embedding.weight"][token]  # lesson 4
        x = x + w["bigram_projection.weight"] @ w["bigram_embedding.weight"][pair]
        for b in range(self.config["num_blocks"]):  # lesson 7: a block
            x = x + self.attention(b, self.shifted(f"blocks.{b}.attn_share", rms_norm(x)))
            hidden = self.shifted(f"blocks.{b}.ffn_share", rms_norm(x))
            hidden = w[f"blocks.{b}.ffn.up_proj.weight"] @ hidden
            x = x + w[f"blocks.{b}.ffn.down_proj.weight"] @ np.maximum(hidden, 0) ** 2
        self.place, self.before = self.place + 1, token
        return w["output_projection.weight"] @ rms_norm(x)  # lesson 8

    def shifted(self, name, x):
        """The page of the speed-run: x, and a share of what stood there one place before."""
        before = self.newest.get(name, 0)
        self.newest[name] = x
        return x + before * self.weights[name]

    def attention(self, b, x):
        """Lesson 7: each head looks back, and mixes what it finds."""
        heads, (keys, values) = self.config["num_heads"], self.memory[b]
        q, k, v = (self.weights[f"blocks.{b}.attn.in_proj.weight"] @ x).reshape(3, heads, -1)
        q, k = rotary(rms_norm(q), self.place), rotary(rms_norm(k), self.place)
        keys.append(k)
        values.append(v)
        scores = np.einsum("hd,thd->ht", q, np.array(keys)) / math.sqrt(q.shape[-1])  # (H, T)
        mixed = np.einsum("ht,thd->hd", softmax(scores), np.array(values))  # (H, D)
        return self.weights[f"blocks.{b}.attn.out_proj.weight"] @ mixed.reshape(-1)


def rms_norm(x):
    """Lesson 10: numbers whose squares have the mean 1."""
    return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-6)


def rotary(x, place):
    """Lesson 10: each pair of numbers of a head (H, D), turned by an angle that tells the place."""
    a, b = np.split(x, 2, axis=-1)  # (H, D/2)
    angles = place * 1000.0 ** (-np.arange(a.shape[-1]) / a.shape[-1])
    cos, sin = np.cos(angles), np.sin(angles)
    return np.concatenate([a * cos - b * sin, b * cos + a * sin], axis=-1)


def softmax(x):
    """Lesson 3: numbers become probabilities."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def write(prompt="ROMEO:\n", length=240, temperature=0.6, seed=0):
    """Print `prompt`, and behind it what the model writes, a character at a time.

    Raises ValueError for a character that the model has never seen, for no text, and for one that
    is too long for it.
    """
    model = Writer()
    unknown = sorted(set(prompt) - set(model.vocabulary))
    if not prompt or unknown:
        raise ValueError(f"the model has never seen {unknown}" if unknown else "give it a prompt")
    longest = model.config["context_size"] + 1
    if len(prompt) + length > longest or temperature <= 0:
        raise ValueError(
            f"prompt and length together are at most {longest} characters, and the temperature is "
            f"above 0; got {len(prompt)} + {length} and {temperature}"
        )
    random = np.random.default_rng(seed)
    print(prompt, end="")
    for character in prompt:
        logits = model.read(character)
    for left in range(length, 0, -1):
        edges = softmax(logits / temperature).cumsum()  # the draw of lesson 8
        character = model.vocabulary[int(np.searchsorted(edges, random.random() * edges[-1]))]
        print(character, end="")
        if left > 1:
            logits = model.read(character)
    print()


def playground(folder="."):
    """In a notebook: the page with the same model, which is written beside the notebook first."""
    from IPython.display import display

    from minigrad.apps import publish

    try:
        (Path(folder) / PAGE).write_text(publish.page(), encoding="utf-8")
    except OSError as error:
        print(f"The page cannot be written here: {error.strerror or error}.")
        print("Elsewhere it can: python -m minigrad.apps.publish --out page.html")
        return
    words = "The playground: a GPT that writes, in a frame."
    display({"text/html": FRAME, "text/plain": words}, raw=True)
