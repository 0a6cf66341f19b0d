"""Right and wrong answers to the exercises of lesson 06."""

from tests.wrong_answers import Answers, Mistake

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
                """
try:
    text = path.read_text(encoding="utf-8")
except UnicodeDecodeError as error:
    raise ValueError(f"{path} is not UTF-8 text (byte {error.start})") from None
if not text or "\\0" in text:
    raise ValueError(f"{path} holds no text")
return text
""",
                says="byte order mark",
                advice="Print the repr of the first character of a file from such an editor.",
            ),
            Mistake(
                "the line ends of other systems stay",
                """
try:
    text = path.read_bytes().decode("utf-8-sig")
except UnicodeDecodeError as error:
    raise ValueError(f"{path} is not UTF-8 text (byte {error.start})") from None
if not text or "\\0" in text:
    raise ValueError(f"{path} holds no text")
return text
""",
                says="other systems stay",
                advice="Bytes are left as they are; text mode translates.",
            ),
            Mistake(
                "what cannot be decoded is replaced in silence",
                """
text = path.read_text(encoding="utf-8-sig", errors="replace")
if not text or "\\0" in text:
    raise ValueError(f"{path} holds no text")
return text
""",
                says="better an error than a silent loss",
                advice="The model would learn the replacement character as a letter.",
            ),
            Mistake(
                "the codec's own error",
                """
text = path.read_text(encoding="utf-8-sig")
if not text or "\\0" in text:
    raise ValueError(f"{path} holds no text")
return text
""",
                says="neither which file nor what to do",
                advice="Who reads twenty files needs to know which one it was.",
            ),
            Mistake(
                "spaces and line ends at the borders taken off",
                """
try:
    text = path.read_text(encoding="utf-8-sig").strip()
except UnicodeDecodeError as error:
    raise ValueError(f"{path} is not UTF-8 text (byte {error.start})") from None
if not text or "\\0" in text:
    raise ValueError(f"{path} holds no text")
return text
""",
                says="with its spaces and line ends",
                advice="Cleaning is a decision of its own; a function that loads does not clean.",
            ),
            Mistake(
                "an empty file accepted",
                """
try:
    text = path.read_text(encoding="utf-8-sig")
except UnicodeDecodeError as error:
    raise ValueError(f"{path} is not UTF-8 text (byte {error.start})") from None
if "\\0" in text:
    raise ValueError(f"{path} holds zero bytes")
return text
""",
                says="empty file is accepted",
                advice="What would a tokenizer without characters do?",
            ),
            Mistake(
                "zero bytes accepted",
                """
try:
    text = path.read_text(encoding="utf-8-sig")
except UnicodeDecodeError as error:
    raise ValueError(f"{path} is not UTF-8 text (byte {error.start})") from None
if not text:
    raise ValueError(f"{path} is empty")
return text
""",
                says="mark of a file that is no text",
                advice="Zero bytes are valid UTF-8, and no text has them.",
            ),
            Mistake(
                "every file that cannot be read called missing",
                """
try:
    data = path.read_bytes()
except OSError as error:
    raise FileNotFoundError(f"{path} cannot be read")
try:
    text = data.decode("utf-8")
except UnicodeDecodeError as error:
    raise ValueError(f"{path}: no UTF-8 at byte {error.start}")
text = text.removeprefix("\\ufeff").replace("\\r\\n", "\\n").replace("\\r", "\\n")
if text == "" or "\\0" in text:
    raise ValueError(f"{path} holds no text")
return text
""",
                says="not a missing file",
                advice="Which error has Python for a folder? Let it pass, or raise its type.",
            ),
            Mistake(
                "U+FEFF taken away everywhere",
                """
try:
    data = path.read_bytes()
except OSError as error:
    raise type(error)(f"{path}: {error.strerror}")
try:
    text = data.decode("utf-8")
except UnicodeDecodeError as error:
    raise ValueError(f"{path}: no UTF-8 at byte {error.start}")
text = text.replace("\\ufeff", "").replace("\\r\\n", "\\n").replace("\\r", "\\n")
if text == "" or "\\0" in text:
    raise ValueError(f"{path} holds no text")
return text
""",
                says="other characters must stay",
                advice="Only at the start is it a byte order mark.",
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
                """
numbers = {character: i for i, character in enumerate(self.vocabulary)}
for position, character in enumerate(text):
    if character not in numbers:
        raise ValueError(f"unknown character {character!r} at position {position}")
return np.array([numbers[character] for character in text])
""",
                says="beginning of the piece",
                advice="Where in the book does the reader look, when the third piece has the fault?",
            ),
            Mistake(
                "unknown characters become token 0",
                """
numbers = {character: i for i, character in enumerate(self.vocabulary)}
tokens = [numbers.get(character, 0) for character in text]
return np.array(tokens, np.min_scalar_type(self.vocab_size - 1))
""",
                says="token of another one",
                advice="Decode what you have encoded, and compare.",
            ),
            Mistake(
                "the table's -1 is passed on",
                """
points = _code_points(text)
numbers = self._numbers[np.minimum(points, len(self._numbers) - 1)]
numbers = np.where(points < len(self._numbers), numbers, -1)
return numbers.astype(np.min_scalar_type(self.vocab_size - 1))
""",
                says="number that is no token",
                advice="As uint8 the -1 is 255, and as an index it is the last row.",
            ),
            Mistake(
                "the dictionary's KeyError",
                """
numbers = {character: i for i, character in enumerate(self.vocabulary)}
tokens = [numbers[character] for character in text]
return np.array(tokens, np.min_scalar_type(self.vocab_size - 1))
""",
                says="raised KeyError",
                advice="The error shows a character, and no place.",
            ),
            Mistake(
                "an error that does not say where",
                """
if set(text) - set(self.vocabulary):
    raise ValueError("CharTokenizer: the text has unknown characters")
numbers = self._numbers[_code_points(text)]
return numbers.astype(np.min_scalar_type(self.vocab_size - 1))
""",
                says="which character is unknown",
                advice="Let them search for it in a book.",
            ),
            Mistake(
                "one byte for each token, always",
                """
numbers = {character: i for i, character in enumerate(self.vocabulary)}
for position, character in enumerate(text):
    if character not in numbers:
        raise ValueError(f"unknown character {character!r} at position {start + position}")
return np.array([numbers[character] % 256 for character in text], np.uint8)
""",
                says="wraps round",
                advice="A Chinese novel has some three thousand different characters.",
            ),
            Mistake(
                "numbered from 1",
                """
numbers = {character: i for i, character in enumerate(self.vocabulary, start=1)}
for position, character in enumerate(text):
    if character not in numbers:
        raise ValueError(f"unknown character {character!r} at position {position}")
return np.array([numbers[character] for character in text], np.uint16)
""",
                says="place in the sorted vocabulary",
                advice="An embedding with V rows has no row V.",
            ),
            Mistake(
                "the smallest unknown character, not the first",
                """
unknown = set(text) - set(self.vocabulary)
if unknown:
    c = min(unknown)
    raise ValueError(f"unknown character {c!r} at position {start + text.index(c)}")
table = {c: i for i, c in enumerate(self.vocabulary)}
return np.array([table[c] for c in text], np.min_scalar_type(self.vocab_size - 1))
""",
                says="names a later one",
                advice="min takes the first of the alphabet, the reader needs that of the text.",
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
training, validation = np.split(tokens, [9 * len(tokens) // 10])
return training, validation
""",
        ],
        wrong=[
            Mistake(
                "validation text in the training part",
                """
cut = len(tokens) * 9 // 10
return tokens, tokens[cut:]
""",
                says="validation text stands in the training part",
                advice="What would a model score here that has learnt the whole text by heart?",
            ),
            Mistake(
                "shuffled, then split",
                """
cut = len(tokens) * 9 // 10
shuffled = np.random.default_rng(0).permutation(tokens)
return shuffled[:cut], shuffled[cut:]
""",
                says="shuffled before it was split",
                advice="Right for photographs, wrong for text: see the figure below.",
            ),
            Mistake(
                "a token lost at the border",
                """
cut = len(tokens) * 9 // 10
return tokens[:cut], tokens[cut + 1 :]
""",
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
                """
cut = len(tokens) // 2
return tokens[:cut], tokens[cut:]
""",
                says="nine tenths, rounded down",
                advice="What is kept back cannot be learnt from: take no more than the measuring "
                "needs.",
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
                """
index = np.asarray(index)
if index.size and not -len(self) <= index.min() <= index.max() < len(self):
    raise IndexError("there is no such window")
start = index % len(self)
window = self.tokens[start[..., None] + np.arange(self.context_size)].astype(np.int64)
return window, window
""",
                says="targets are not shifted",
                advice="Ask what the model sees at position t, and what it is to say.",
            ),
            Mistake(
                "targets shifted the wrong way",
                """
index = np.asarray(index)
if index.size and not -len(self) <= index.min() <= index.max() < len(self):
    raise IndexError("there is no such window")
start = index % len(self)
positions = start[..., None] + np.arange(self.context_size)
return self.tokens[positions].astype(np.int64), self.tokens[positions - 1].astype(np.int64)
""",
                says="shifted the wrong way",
                advice="This model learns to read backwards.",
            ),
            Mistake(
                "one target for the whole window",
                """
index = np.asarray(index)
if index.size and not -len(self) <= index.min() <= index.max() < len(self):
    raise IndexError("there is no such window")
start = index % len(self)
window = self.tokens[start[..., None] + np.arange(self.context_size + 1)].astype(np.int64)
return window[..., :-1], window[..., -1]
""",
                says="only one target for the whole window",
                advice="Right for the small network at the end; a GPT learns at all positions.",
            ),
            Mistake(
                "windows that do not overlap",
                """
index = np.asarray(index)
if index.size and not -len(self) <= index.min() <= index.max() < len(self):
    raise IndexError("there is no such window")
start = index % len(self) * self.context_size
positions = np.minimum(start[..., None] + np.arange(self.context_size + 1), len(self.tokens) - 1)
window = self.tokens[positions].astype(np.int64)
return window[..., :-1], window[..., 1:]
""",
                says="windows do not overlap",
                advice="Compare with __len__: how many windows does it promise?",
            ),
            Mistake(
                "the tokens' own type",
                """
index = np.asarray(index)
if index.size and not -len(self) <= index.min() <= index.max() < len(self):
    raise IndexError("there is no such window")
start = index % len(self)
window = self.tokens[start[..., None] + np.arange(self.context_size + 1)]
return window[..., :-1], window[..., 1:]
""",
                says="one byte come out as they are stored",
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
                says="raised ValueError",
                advice="A slice has one start; an array of positions has as many as you like.",
            ),
            Mistake(
                "negative indices count tokens, not windows",
                """
index = np.asarray(index)
if index.size and not -len(self) <= index.min() <= index.max() < len(self):
    raise IndexError("there is no such window")
window = self.tokens[index[..., None] + np.arange(self.context_size + 1)].astype(np.int64)
return window[..., :-1], window[..., 1:]
""",
                says="counts the windows from the end",
                advice="Position -1 plus 1 is position 0: the window runs over the end to the "
                "beginning.",
            ),
            Mistake(
                "indices beyond the end wrap round",
                """
start = np.asarray(index) % len(self)
window = self.tokens[start[..., None] + np.arange(self.context_size + 1)].astype(np.int64)
return window[..., :-1], window[..., 1:]
""",
                says="beyond the last window is accepted",
                advice="Python ends `for item in dataset` at the first IndexError.",
            ),
            Mistake(
                "negative numbers in an array taken as they are",
                """
T = self.context_size
if isinstance(index, (int, np.integer)):
    if index < 0:
        index += len(self)
    if not 0 <= index < len(self):
        raise IndexError("no such window")
    w = self.tokens[index : index + T + 1].astype(np.int64)
    return w[:-1], w[1:]
index = np.asarray(index)
if index.size and (index.min() < -len(self) or index.max() >= len(self)):
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
                """
n = len(self.dataset)
order = self.generator.permutation(n) if self.shuffle else np.arange(n)
for number in range(len(self)):
    batch = order[number * self.batch_size : (number + 1) * self.batch_size]
    items = [self.dataset[i] for i in batch.tolist()]
    yield tuple(Tensor(np.stack([item[part] for item in items])) for part in (0, 1))
""",
                says="need not be a pair",
                advice="What would a data set of pictures, masks and labels give you?",
            ),
            Mistake(
                "the last batch always lost",
                """
n = len(self.dataset)
order = self.generator.permutation(n) if self.shuffle else np.arange(n)
for number in range(n // self.batch_size):
    batch = order[number * self.batch_size : (number + 1) * self.batch_size]
    items = [self.dataset[i] for i in batch.tolist()]
    yield tuple(Tensor(np.stack(column)) for column in zip(*items))
""",
                says="last batch is missing",
                advice="Count the items of an epoch of five in twos.",
            ),
            Mistake(
                "drop_last not looked at",
                """
n = len(self.dataset)
order = self.generator.permutation(n) if self.shuffle else np.arange(n)
for start in range(0, n, self.batch_size):
    items = [self.dataset[i] for i in order[start : start + self.batch_size].tolist()]
    yield tuple(Tensor(np.stack(column)) for column in zip(*items))
""",
                says="here the item 4",
                advice="Which of the loader's attributes has no part in your code?",
            ),
            Mistake(
                "drop_last drops a full batch",
                """
n = len(self.dataset)
order = self.generator.permutation(n) if self.shuffle else np.arange(n)
count = -(-n // self.batch_size)
if self.drop_last:
    count = (n - 1) // self.batch_size
for number in range(count):
    batch = order[number * self.batch_size : (number + 1) * self.batch_size]
    items = [self.dataset[i] for i in batch.tolist()]
    yield tuple(Tensor(np.stack(column)) for column in zip(*items))
""",
                says="no empty one follows",
                advice="Try lengths that the batch size divides.",
            ),
            Mistake(
                "a list of items in place of stacked parts",
                """
n = len(self.dataset)
order = self.generator.permutation(n) if self.shuffle else np.arange(n)
for number in range(len(self)):
    batch = order[number * self.batch_size : (number + 1) * self.batch_size]
    yield [Tensor(self.dataset[i][0]) for i in batch.tolist()]
""",
                says="items are stacked",
                advice="The loop wants inputs (B, T) and targets (B, T).",
            ),
            Mistake(
                "arrays in place of tensors",
                """
n = len(self.dataset)
order = self.generator.permutation(n) if self.shuffle else np.arange(n)
for number in range(len(self)):
    batch = order[number * self.batch_size : (number + 1) * self.batch_size]
    items = [self.dataset[i] for i in batch.tolist()]
    yield tuple(np.stack(column) for column in zip(*items))
""",
                says="made of tensors",
                advice="The docstring says what a batch is made of.",
            ),
            Mistake(
                "all indices at once",
                """
n = len(self.dataset)
order = self.generator.permutation(n) if self.shuffle else np.arange(n)
for number in range(len(self)):
    batch = order[number * self.batch_size : (number + 1) * self.batch_size]
    yield tuple(Tensor(part) for part in self.dataset[batch])
""",
                says="one item at a time",
                advice="Quick with TextDataset, impossible with images read from files.",
            ),
            Mistake(
                "shuffle not looked at",
                """
n = len(self.dataset)
for number in range(len(self)):
    batch = range(number * self.batch_size, min((number + 1) * self.batch_size, n))
    items = [self.dataset[i] for i in batch]
    yield tuple(Tensor(np.stack(column)) for column in zip(*items))
""",
                says="shuffle has no effect",
                advice="Print the first column of two epochs.",
            ),
            Mistake(
                "drawn with replacement",
                """
n = len(self.dataset)
order = self.generator.integers(n, size=n) if self.shuffle else np.arange(n)
for number in range(len(self)):
    batch = order[number * self.batch_size : (number + 1) * self.batch_size]
    items = [self.dataset[i] for i in batch.tolist()]
    yield tuple(Tensor(np.stack(column)) for column in zip(*items))
""",
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
                """
n = len(self.dataset)
order = np.random.default_rng(0).permutation(n) if self.shuffle else np.arange(n)
for number in range(len(self)):
    batch = order[number * self.batch_size : (number + 1) * self.batch_size]
    items = [self.dataset[i] for i in batch.tolist()]
    yield tuple(Tensor(np.stack(column)) for column in zip(*items))
""",
                says="repeats the order",
                advice="A generator that is made anew begins anew.",
            ),
            Mistake(
                "an order of its own, from no seed",
                """
n = len(self.dataset)
order = np.random.permutation(n) if self.shuffle else np.arange(n)
for number in range(len(self)):
    batch = order[number * self.batch_size : (number + 1) * self.batch_size]
    items = [self.dataset[i] for i in batch.tolist()]
    yield tuple(Tensor(np.stack(column)) for column in zip(*items))
""",
                says="loader's own generator",
                advice="Two runs with the same seed are to give the same numbers.",
            ),
            Mistake(
                "tokens made floats",
                """
n = len(self.dataset)
order = self.generator.permutation(n) if self.shuffle else np.arange(n)
for number in range(len(self)):
    batch = order[number * self.batch_size : (number + 1) * self.batch_size]
    items = [self.dataset[i] for i in batch.tolist()]
    yield tuple(Tensor(np.array(column, dtype=np.float32)) for column in zip(*items))
""",
                says="tokens stay integers",
                advice="An embedding looks a row up, and there is no row 2.0.",
            ),
        ],
    ),
}
