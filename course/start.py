"""What `00_start.ipynb` shows: the trained model writes at once, before anything is built.

Nothing of the library is used: in a student's copy it is still blank. NumPy alone reads the weights
and computes what the lessons build. Each line names the lesson that it comes from.
"""

import json
import math
from pathlib import Path

import numpy as np

from minigrad.apps import SHIPPED

PAGE = "playground.html"  # beside the notebook that shows it
FRAME = (
    f'<iframe src="{PAGE}" title="A GPT-2 that writes, and shows how" width="100%" height="780" '
    'loading="lazy" style="border: 1px solid #888; border-radius: 4px"></iframe>\n'
    f'<p><a href="{PAGE}" target="_blank" rel="noopener">The same in a window of its own</a></p>'
)


class Writer:
    """A GPT-2 that reads one character after another, and remembers what its attention needs."""

    def __init__(self, path=SHIPPED):
        data = Path(path).read_bytes()  # a header in JSON, then the arrays
        begin = 8 + int.from_bytes(data[:8], "little")
        header = json.loads(data[8:begin])
        description = json.loads(header.pop("__metadata__")["minigrad"])
        self.config, self.vocabulary = description["model"], description["vocabulary"]
        self.weights = {}
        for name, entry in header.items():
            first, last = (begin + offset for offset in entry["data_offsets"])
            array = np.frombuffer(data[first:last], np.float16).reshape(entry["shape"])
            # In double precision, all machines write the same text.
            self.weights[name] = array.astype(np.float64)
        self.forget()

    def forget(self):
        """Begin a new text."""
        self.place = 0
        self.memory = [([], []) for _ in range(self.config["num_blocks"])]  # keys and values

    def read(self, character):
        """The logits (V,) of what comes next, after one more character."""
        w, token = self.weights, self.vocabulary.index(character)  # lesson 6
        x = w["token_embedding.weight"][token] + w["position_embedding.weight"][self.place]
        self.place += 1
        for b in range(self.config["num_blocks"]):  # lesson 7: a block
            x = x + self.attention(b, self.layer_norm(f"blocks.{b}.ln1", x))
            hidden = w[f"blocks.{b}.ffn.up_proj.weight"] @ self.layer_norm(f"blocks.{b}.ln2", x)
            x = x + w[f"blocks.{b}.ffn.down_proj.weight"] @ gelu(hidden)
        return w["output_projection.weight"] @ self.layer_norm("output_ln", x)  # lesson 8

    def layer_norm(self, name, x):
        """Lesson 3: mean 0 and variance 1, then a learned scale and shift."""
        x = (x - x.mean()) / math.sqrt(x.var() + 1e-5)
        return x * self.weights[f"{name}.weight"] + self.weights[f"{name}.bias"]

    def attention(self, b, x):
        """Lesson 7: each head looks back, and mixes what it finds."""
        heads, (keys, values) = self.config["num_heads"], self.memory[b]
        q, k, v = (self.weights[f"blocks.{b}.attn.in_proj.weight"] @ x).reshape(3, heads, -1)
        keys.append(k)
        values.append(v)
        scores = np.einsum("hd,thd->ht", q, np.array(keys)) / math.sqrt(q.shape[-1])  # (H, T)
        mixed = np.einsum("ht,thd->hd", softmax(scores), np.array(values))  # (H, D)
        return self.weights[f"blocks.{b}.attn.out_proj.weight"] @ mixed.reshape(-1)


def softmax(x):
    """Lesson 3: numbers become probabilities."""
    e = np.exp(x - x.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


def gelu(x):
    """Lesson 3: the bend between two layers."""
    return 0.5 * x * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))


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
    words = "The playground: a GPT-2 that writes, in a frame."
    display({"text/html": FRAME, "text/plain": words}, raw=True)
