"""Right and wrong answers to the exercises of lesson 06."""

from tests.wrong_answers import Answers, Mistake

CUT = "cut = len(tokens) * 9 // 10\n"
YIELD = "    yield tuple(Tensor(np.stack(column)) for column in zip(*items))"
LOOK_UP = "return np.array([numbers[character] for character in text], kind)"

ANSWERS = {
    "06.1": Answers(
        right=[
            """
try:
    data = path.read_bytes()
except OSError as error:
    raise type(error)(f"{path}: {error.strerror}")
try:
    text = data.decode("utf-8")
except UnicodeDecodeError as error:
    raise ValueError(f"{path}: no UTF-8 at byte {error.start}")
text = text.removeprefix("\\ufeff").replace("\\r\\n", "\\n").replace("\\r", "\\n")
if text == "" or "\\0" in text:
    raise ValueError(f"{path} holds no text")
return text
""",
            """
try:
    with open(path, encoding="utf-8-sig") as file:
        text = file.read()
except UnicodeDecodeError as error:
    raise ValueError(f"{path}: byte {error.start} is not UTF-8") from error
if len(text) == 0:
    raise ValueError(f"{path} is empty")
if any(ord(character) == 0 for character in text):
    raise ValueError(f"{path} is no text")
return text
""",
        ],
        wrong=[
            Mistake(
                "the byte order mark stays",
                change=("utf-8-sig", "utf-8"),
                of=1,
                says="byte order mark",
                advice="Print the repr of the first character of a file from such an editor.",
            ),
            Mistake(
                "the line ends of other systems stay",
                change=('.replace("\\r\\n", "\\n").replace("\\r", "\\n")', ""),
                of=0,
                says="other systems stay",
                advice="Bytes are left as they are; text mode translates.",
            ),
            Mistake(
                "what cannot be decoded is replaced in silence",
                change=('"utf-8-sig"', '"utf-8-sig", errors="replace"'),
                of=1,
                says="better an error than a silent loss",
                advice="The model would learn the replacement character as a letter.",
            ),
            Mistake(
                "the codec's own error",
                change=(
                    'raise ValueError(f"{path}: byte {error.start} is not UTF-8") from error',
                    "raise",
                ),
                of=1,
                says="neither which file nor what to do",
                advice="Who reads twenty files needs to know which one it was.",
            ),
            Mistake(
                "spaces and line ends at the borders taken off",
                change=("return text", "return text.strip()"),
                of=1,
                says="with its spaces and line ends",
                advice="Cleaning is a decision of its own; a function that loads does not clean.",
            ),
            Mistake(
                "an empty file accepted",
                change=("if len(text) == 0:", "if text is None:"),
                of=1,
                says="empty file is accepted",
                advice="What would a tokenizer without characters do?",
            ),
            Mistake(
                "zero bytes accepted",
                change=(' or "\\0" in text', ""),
                of=0,
                says="mark of a file that is no text",
                advice="Zero bytes are valid UTF-8, and no text has them.",
            ),
            Mistake(
                "every file that cannot be read called missing",
                change=("raise type(error)(", "raise FileNotFoundError("),
                of=0,
                says="not a missing file",
                advice="Which error has Python for a folder? Let it pass, or raise its type.",
            ),
            Mistake(
                "U+FEFF taken away everywhere",
                change=('.removeprefix("\\ufeff")', '.replace("\\ufeff", "")'),
                of=0,
                says="other characters must stay",
                advice="Only at the start is it a byte order mark.",
            ),
            Mistake(
                "a text of spaces called empty",
                change=("if not text:", "if not text.strip():"),
                says="spaces and line ends are a text too",
                advice="Which texts does strip() turn into an empty one? Are they all empty files?",
            ),
        ],
    ),
    "06.2": Answers(
        right=[
            """
numbers = {character: i for i, character in enumerate(self.vocabulary)}
for position, character in enumerate(text):
    if character not in numbers:
        raise ValueError(f"unknown character {character!r} at position {start + position}")
kind = np.min_scalar_type(len(self.vocabulary) - 1)
return np.array([numbers[character] for character in text], kind)
""",
            """
points = np.frombuffer(text.encode("utf-32-le"), "<u4")
places = np.searchsorted(self._points, points)
found = self._points[np.minimum(places, self.vocab_size - 1)] == points
if not found.all():
    i = np.flatnonzero(~found)[0]
    raise ValueError(f"{text[i]!r}, character {start + i} of the text, is not in the vocabulary")
return places.astype(np.min_scalar_type(self.vocab_size - 1))
""",
        ],
        wrong=[
            Mistake(
                "`start` forgotten",
                change=("{start + position}", "{position}"),
                of=0,
                says="beginning of the piece",
                advice="Where in the book does the reader look, when the third piece has the fault?",
            ),
            Mistake(
                "unknown characters become token 0",
                """
numbers = {character: i for i, character in enumerate(self.vocabulary)}
return np.array([numbers.get(character, 0) for character in text])
""",
                says="token of another one",
                advice="Decode what you have encoded, and compare.",
            ),
            Mistake(
                "unknown characters left out",
                """
numbers = {character: i for i, character in enumerate(self.vocabulary)}
return np.array([numbers[character] for character in text if character in numbers])
""",
                says="were left out",
                advice="Decode what you have encoded: what has become of the word?",
            ),
            Mistake(
                "the table's -1 is passed on",
                change=("if numbers.min() < 0:", "if False:"),
                says="number that is no token",
                advice="As uint8 the -1 is 255, and as an index it is the last row.",
            ),
            Mistake(
                "looked up beyond the end of the table",
                change=("np.minimum(points, len(self._numbers) - 1)", "points"),
                says="NumPy's own error",
                advice="How long is the table for the vocabulary ehlo, and which code point has p?",
            ),
            Mistake(
                "the dictionary's KeyError",
                """
numbers = {character: i for i, character in enumerate(self.vocabulary)}
return np.array([numbers[character] for character in text])
""",
                says="KeyError",
                advice="The error shows a character, and no place.",
            ),
            Mistake(
                "an error that does not say where",
                """
if set(text) - set(self.vocabulary):
    raise ValueError("CharTokenizer: the text has unknown characters")
return self._numbers[_code_points(text)]
""",
                says="which character is unknown",
                advice="Let them search for it in a book.",
            ),
            Mistake(
                "one byte for each token, always",
                change=(
                    LOOK_UP,
                    "return np.array([numbers[character] % 256 for character in text])",
                ),
                of=0,
                says="wraps round",
                advice="A Chinese novel has some three thousand different characters.",
            ),
            Mistake(
                "squeezed",
                change=("return places.astype(", "return places.squeeze().astype("),
                of=1,
                says="an axis of size 1",
                advice="A text of one character still is a text.",
            ),
            Mistake(
                "floats",
                change=("return numbers", "return numbers * 1.0"),
                says="used as indices",
                advice="There is no row 2.0 in an embedding.",
            ),
            Mistake(
                "numbered from 1",
                change=("enumerate(self.vocabulary)", "enumerate(self.vocabulary, start=1)"),
                of=0,
                says="place in the sorted vocabulary",
                advice="An embedding with V rows has no row V.",
            ),
            Mistake(
                "the smallest unknown character, not the first",
                change=(
                    "i = np.flatnonzero(~found)[0]",
                    "i = text.index(min(set(text) - set(self.vocabulary)))",
                ),
                of=1,
                says="names a later one",
                advice="min takes the first of the alphabet, the reader needs that of the text.",
            ),
            Mistake(
                "`if` asked of a whole array",
                change=("numbers.min() < 0", "numbers < 0"),
                says="_encode raised ValueError: The truth value",
                advice="`if` takes one answer: which one do you want of all these comparisons?",
            ),
        ],
    ),
    "06.3": Answers(
        right=[
            """
held_back = -(-len(tokens) // 10)
return tokens[: len(tokens) - held_back], tokens[-held_back:]
""",
            """
first = slice(9 * len(tokens) // 10)
return tokens[first], tokens[slice(first.stop, None)]
""",
        ],
        wrong=[
            Mistake(
                "validation text in the training part",
                change=("tokens[:cut]", "tokens"),
                says="validation text stands in the training part",
                advice="What would a model score here that has learnt the whole text by heart?",
            ),
            Mistake(
                "shuffled, then split",
                change=(CUT, CUT + "tokens = np.random.default_rng(0).permutation(tokens)\n"),
                says="shuffled before it was split",
                advice="Right for photographs, wrong for text: see the figure below.",
            ),
            Mistake(
                "a token lost at the border",
                change=("tokens[cut:]", "tokens[cut + 1 :]"),
                says="in neither part",
                advice="A slice leaves out its end: tokens[:cut] ends before tokens[cut].",
            ),
            Mistake(
                "the first tenth kept back",
                """
cut = len(tokens) - len(tokens) * 9 // 10
return tokens[cut:], tokens[:cut]
""",
                says="beginning of the text",
                advice="Not worse in itself; but the scores of the lessons belong to the last "
                "tenth.",
            ),
            Mistake(
                "halves",
                change=("* 9 // 10", "// 2"),
                says="nine tenths, rounded down",
                advice="What is kept back cannot be learned from: take no more than the measuring "
                "needs.",
            ),
            Mistake(
                "lists in place of arrays",
                change=(
                    "return tokens[:cut], tokens[cut:]",
                    "return list(tokens[:cut]), list(tokens[cut:])",
                ),
                says="as a slice of it is",
                advice="A list of five million numbers takes forty times the memory of one byte each.",
            ),
            Mistake(
                "lists made arrays",
                change=("cut = len", "tokens = np.asarray(tokens)\ncut = len"),
                says="the parts of a list are of the same kind as the whole",
                advice="Look at the example in the docstring: what comes back for a list?",
            ),
            Mistake(
                "the entries of a table counted",
                change=("len(tokens)", "np.size(tokens)"),
                says="is split between its rows",
                advice="For a table of 20 rows and 3 columns: what is its size, and what its len?",
            ),
        ],
    ),
    "06.4": Answers(
        right=[
            """
n = len(self)
index = np.array(index)
if np.any(index >= n) or np.any(index < -n):
    raise IndexError(f"no window {index} among {n}")
start = np.where(index < 0, index + n, index)
positions = start[..., np.newaxis] + np.arange(self.context_size)
tokens = self.tokens.astype(np.int64)
return tokens[positions], tokens[positions + 1]
""",
            """
index, n, T = np.asarray(index), len(self), self.context_size
if ((index < -n) | (index >= n)).any():
    raise IndexError("there is no such window")
windows = np.lib.stride_tricks.sliding_window_view(self.tokens, T + 1)[index]
windows = windows.astype("int64")
return windows[..., :T], windows[..., 1 : T + 1]
""",
        ],
        wrong=[
            Mistake(
                "targets not shifted",
                change=("positions + 1]", "positions]"),
                of=0,
                says="targets are not shifted",
                advice="Ask what the model sees at position t, and what it is to say.",
            ),
            Mistake(
                "targets shifted the wrong way",
                change=("positions + 1]", "positions - 1]"),
                of=0,
                says="shifted the wrong way",
                advice="This model learns to read backwards.",
            ),
            Mistake(
                "targets after the window",
                change=("positions + 1]", "np.minimum(positions + self.context_size, n + 3)]"),
                of=0,
                says="begin after the window",
                advice="Which token comes right after the first input?",
            ),
            Mistake(
                "one target for the whole window",
                change=("window[..., 1:]", "window[..., -1]"),
                says="only one target for the whole window",
                advice="Right for the small network at the end; a GPT learns at all positions.",
            ),
            Mistake(
                "windows that do not overlap",
                change=(
                    "self.tokens[start[..., None] + np.arange(self.context_size + 1)]",
                    "self.tokens.take(start[..., None] * self.context_size"
                    ' + np.arange(self.context_size + 1), mode="clip")',
                ),
                says="windows do not overlap",
                advice="Compare with __len__: how many windows does it promise?",
            ),
            Mistake(
                "the tokens' own type",
                change=(".astype(np.int64)", ""),
                of=0,
                says="one byte that they are stored in",
                advice="Section on the bigram: 50 · 70 + 3 in one byte is 175.",
            ),
            Mistake(
                "single indices only",
                """
if not -len(self) <= index < len(self):
    raise IndexError("there is no such window")
start = index % len(self)
window = self.tokens[start : start + self.context_size + 1].astype(np.int64)
return window[:-1], window[1:]
""",
                says="ValueError",
                advice="A slice has one start; an array of positions has as many as you like.",
            ),
            Mistake(
                "squeezed",
                change=(
                    "return window[..., :-1], window[..., 1:]",
                    "return np.squeeze(window[..., :-1]), np.squeeze(window[..., 1:])",
                ),
                says="have the wrong shape",
                advice="One index in an array is still an array of indices, and asks for (1, T).",
            ),
            Mistake(
                "lists in place of arrays",
                change=(
                    "return window[..., :-1], window[..., 1:]",
                    "return window[..., :-1].tolist(), window[..., 1:].tolist()",
                ),
                says="where an array is expected",
                advice="Ask for the shape of what comes out.",
            ),
            Mistake(
                "negative indices count tokens, not windows",
                change=("np.where(index < 0, index + n, index)", "index"),
                of=0,
                says="counts the windows from the end",
                advice="Position -1 plus 1 is position 0: the window runs over the end to the "
                "beginning.",
            ),
            Mistake(
                "indices beyond the end wrap round",
                change=(
                    ("raise IndexError", "pass  # "),
                    ("start = index % len", "start = np.asarray(index) % len"),
                ),
                says="beyond the last window is accepted",
                advice="Python ends `for item in dataset` at the first IndexError.",
            ),
            Mistake(
                "negative numbers in an array taken as they are",
                """
n, T = len(self), self.context_size
if np.ndim(index) == 0 and index < 0:
    index += n
index = np.asarray(index)
if index.size and (index.min() < -n or index.max() >= n or index.ndim == 0 and index < 0):
    raise IndexError("no such window")
w = self.tokens[index[..., None] + np.arange(T + 1)].astype(np.int64)
return w[..., :-1], w[..., 1:]
""",
                says="array of indices too",
                advice="There -1 counts tokens; where index < 0, add the number of windows.",
            ),
        ],
    ),
    "06.5": Answers(
        right=[
            """
indices = list(range(len(self.dataset)))
if self.shuffle:
    self.generator.shuffle(indices)
while len(indices) >= (self.batch_size if self.drop_last else 1):
    now, indices = indices[: self.batch_size], indices[self.batch_size :]
    parts = list(zip(*(self.dataset[i] for i in now)))
    yield tuple(Tensor(np.array(part)) for part in parts)
""",
            """
n = len(self.dataset)
order = np.arange(n)
if self.shuffle:
    order = order[np.argsort(self.generator.random(n))]
stop = n - n % self.batch_size if self.drop_last else n
for start in range(0, stop, self.batch_size):
    items = [self.dataset[int(i)] for i in order[start : min(start + self.batch_size, n)]]
    yield [Tensor(np.stack([item[k] for item in items])) for k in range(len(items[0]))]
""",
        ],
        wrong=[
            Mistake(
                "only for pairs",
                change=("range(len(items[0]))", "range(2)"),
                of=1,
                says="need not be a pair",
                advice="What would a data set of pictures, masks and labels give you?",
            ),
            Mistake(
                "the last batch always lost",
                change=("range(len(self))", "range(n // self.batch_size)"),
                says="last batch is missing",
                advice="Count the items of an epoch of five in twos.",
            ),
            Mistake(
                "drop_last not looked at",
                change=("n - n % self.batch_size if self.drop_last else n", "n"),
                of=1,
                says="here the item 4",
                advice="Which of the loader's attributes has no part in your code?",
            ),
            Mistake(
                "drop_last drops a full batch",
                change=(
                    "n - n % self.batch_size if",
                    "(n - 1) // self.batch_size * self.batch_size if",
                ),
                of=1,
                says="no empty one follows",
                advice="Try lengths that the batch size divides.",
            ),
            Mistake(
                "a list of items in place of stacked parts",
                change=(YIELD, "    yield [Tensor(item[0]) for item in items]"),
                says="items are stacked",
                advice="The loop wants inputs (B, T) and targets (B, T).",
            ),
            Mistake(
                "arrays in place of tensors",
                change=("Tensor(np.stack(column))", "np.stack(column)"),
                says="made of tensors",
                advice="The docstring says what a batch is made of.",
            ),
            Mistake(
                "a generator in place of a tuple",
                change=(
                    "yield tuple(Tensor(np.stack(column)) for column in zip(*items))",
                    "yield (Tensor(np.stack(column)) for column in zip(*items))",
                ),
                says="can be looked at twice",
                advice="Parentheses alone make a generator, which is empty after one use.",
            ),
            Mistake(
                "all indices at once",
                change=(
                    "    items = [self.dataset[i] for i in batch.tolist()]\n" + YIELD,
                    "    yield tuple(Tensor(part) for part in self.dataset[batch])",
                ),
                says="one item at a time",
                advice="Quick with TextDataset, impossible with images read from files.",
            ),
            Mistake(
                "squeezed",
                change=("np.stack(column)", "np.squeeze(np.stack(column))"),
                says="squeezed away",
                advice="Name the axis that is to go, or better, make none that has to go.",
            ),
            Mistake(
                "shuffle not looked at",
                change=("if self.shuffle", "if False"),
                of=1,
                says="shuffle has no effect",
                advice="Print the first column of two epochs.",
            ),
            Mistake(
                "drawn with replacement",
                change=("self.generator.permutation(n)", "self.generator.integers(n, size=n)"),
                says="without replacement",
                advice="That is `sample`; about a third of the items would not come in an epoch.",
            ),
            Mistake(
                "only the batches are shuffled",
                """
n, numbers = len(self.dataset), np.arange(len(self))
if self.shuffle:
    numbers = self.generator.permutation(numbers)
for number in numbers.tolist():
    batch = range(number * self.batch_size, min((number + 1) * self.batch_size, n))
    items = [self.dataset[i] for i in batch]
    yield tuple(Tensor(np.stack(column)) for column in zip(*items))
""",
                says="neighbours still stand together",
                advice="Four overlapping windows have nearly the same gradient.",
            ),
            Mistake(
                "the same order in each epoch",
                change=("self.generator.permutation", "np.random.default_rng(0).permutation"),
                says="repeats the order",
                advice="A generator that is made anew begins anew.",
            ),
            Mistake(
                "an order of its own, from no seed",
                change=("self.generator.permutation", "np.random.permutation"),
                says="loader's own generator",
                advice="Two runs with the same seed are to give the same numbers.",
            ),
            Mistake(
                "tokens made floats",
                change=("np.stack(column)", "np.stack(column).astype(np.float32)"),
                says="tokens stay integers",
                advice="An embedding looks a row up, and there is no row 2.0.",
            ),
        ],
    ),
}
