"""What the exercises of lesson 06 must do, on texts and tokens that fit into a line."""

from pathlib import Path

import numpy as np

from course.checks.vocabulary import Wrong, check, near

# --- 06.1: a text of your own ---


def probe_load(mg, content):
    """["text", what was loaded], or the error's type and words. `content`: a byte a character."""
    Path("sample.txt").write_bytes(content.encode("latin-1"))
    try:
        text = mg.data.load_text("sample.txt")
    except (ValueError, OSError) as error:
        return [type(error).__name__, str(error)]
    return ["text", text] if isinstance(text, str) else ["no text", type(text).__name__]


def probe_load_folder(mg):
    """The type of the error about a folder in the place of a file, and of Python's own."""
    Path("folder").mkdir(exist_ok=True)
    kinds = []
    for load in (mg.data.load_text, Path.read_bytes):
        try:
            load(Path("folder"))
            kinds.append("no error")
        except (ValueError, OSError) as error:
            kinds.append(type(error).__name__)
    return kinds


def probe_load_missing(mg):
    try:
        text = mg.data.load_text("missing.txt")
    except (ValueError, OSError) as error:
        return [type(error).__name__, str(error)]
    return ["text", text] if isinstance(text, str) else ["no text", type(text).__name__]


@check("06.1")
def load_text(student):
    _, got = student.run(probe_load, "  One line\nand another\n\n")
    if got != "  One line\nand another\n\n":
        raise Wrong(
            "the text must come back as it is, with its spaces and line ends",
            input="  One line\nand another\n\n",
            expected="  One line\nand another\n\n",
            got=got,
        )
    _, got = student.run(probe_load, "caf\xc3\xa9")
    if got != "café":
        raise Wrong("bytes are to be read as UTF-8", input=r"caf\xc3\xa9", expected="café", got=got)
    yield "UTF-8 text comes back as it is"
    _, got = student.run(probe_load, "\xef\xbb\xbfOne")
    if got != "One":
        raise Wrong(
            "the byte order mark at the start of the file became a character of the text, which "
            "no one sees and the vocabulary keeps: there is an encoding that skips it",
            input=r"\xef\xbb\xbfOne",
            expected="One",
            got=repr(got),
        )
    _, got = student.run(probe_load, "One\r\ntwo\rthree\n")
    if got != "One\ntwo\nthree\n":
        raise Wrong(
            "line ends of other systems stay in the text: each becomes one newline when a file "
            "is read as text, and not where its bytes are decoded",
            input=r"One\r\ntwo\rthree\n",
            expected=repr("One\ntwo\nthree\n"),
            got=repr(got),
        )
    _, got = student.run(probe_load, "One\xe2\x80\xa8\xef\xbb\xbftwo\x0c\n")
    if got != "One\u2028\ufefftwo\x0c\n":
        raise Wrong(
            "other characters must stay as they are: only \\r\\n and \\r are line ends of other "
            "systems, and U+FEFF is a mark only at the start of the file",
            input=r"One\u2028\ufefftwo\x0c\n",
            expected=repr("One\u2028\ufefftwo\x0c\n"),
            got=repr(got),
        )
    yield "without a byte order mark, and with one newline at the end of each line"

    kind, got = student.run(probe_load, "caf\xe9")
    if kind == "text":
        raise Wrong(
            "a file that is not UTF-8 was read all the same, and its characters are lost or "
            "wrong: better an error than a silent loss",
            input=r"caf\xe9",
            expected="ValueError",
            got=got,
        )
    if kind != "ValueError" or "sample.txt" not in got or "3" not in got:
        raise Wrong(
            "the error about a file that is not UTF-8 says neither which file nor what to do: "
            "raise a ValueError of your own with the path and the place (byte 3 here)",
            input=r"caf\xe9, in the file sample.txt",
            expected="ValueError that names sample.txt and byte 3",
            got=f"{kind}: {got}",
        )
    yield "a file that is not UTF-8 is refused, with its name"
    for content in ("", "\xef\xbb\xbf"):
        kind, got = student.run(probe_load, content)
        if kind != "ValueError" or "sample.txt" not in got:
            raise Wrong(
                "an empty file is accepted, and the error comes much later, far from its cause",
                input="a file of no characters",
                expected="ValueError that names sample.txt",
                got=f"{kind}: {got}",
            )
    kind, got = student.run(probe_load, "text\x00text")
    if kind != "ValueError" or "sample.txt" not in got:
        raise Wrong(
            "zero bytes are the mark of a file that is no text, such as an image or a program",
            input=r"text\x00text",
            expected="ValueError that names sample.txt",
            got=f"{kind}: {got}",
        )
    yield "so are an empty file and one with zero bytes"
    kind, got = student.run(probe_load_missing)
    if kind != "FileNotFoundError" or "missing.txt" not in got:
        raise Wrong(
            "a file that is not there ends in the error that Python has for it, with the path",
            input="missing.txt",
            expected="FileNotFoundError that names missing.txt",
            got=f"{kind}: {got}",
        )
    got, expected = student.run(probe_load_folder)
    if got != expected:
        raise Wrong(
            "a folder is not a missing file: every file that cannot be read ends in an error of "
            "the type that Python raises for it",
            input="a folder",
            expected=expected,
            got=got,
        )
    yield "a missing file is a FileNotFoundError that names it"


# --- 06.2: the tokenizer ---


def probe_encode(mg, vocabulary, text):
    return mg.data.CharTokenizer(vocabulary).encode(text)


def probe_encode_error(mg, vocabulary, text):
    """The tokens, or the words of the ValueError."""
    try:
        return mg.data.CharTokenizer(vocabulary).encode(text)
    except ValueError as error:
        return str(error)


def probe_encode_in_pieces(mg, vocabulary, text):
    """The same for a text that is cut into pieces of four characters."""
    mg.data._PIECE = 4
    return probe_encode_error(mg, vocabulary, text)


def alphabet(size):
    """That many different characters, in the order of their code points."""
    return "".join(chr(0x4E00 + i) for i in range(size))


@check("06.2")
def encode(student):
    got = student.array(probe_encode, "hello", "hole", shape=(4,))
    if not near(got, [1, 3, 2, 0]):
        raise Wrong(
            "the token of a character is its place in the sorted vocabulary",
            input={"vocabulary": "ehlo", "text": "hole"},
            expected=[1, 3, 2, 0],
            got=got,
        )
    got = student.array(probe_encode, "a😀b", "😀ba", shape=(3,))
    if not near(got, [2, 1, 0]):
        raise Wrong(
            "one character is one token, an emoji too",
            expected=[2, 1, 0],
            got=got,
            input={"vocabulary": "ab😀", "text": "😀ba"},
        )
    yield "each character becomes its place in the vocabulary"
    got = student.array(probe_encode, "hello", "", shape=(0,))
    if got.dtype.kind not in "iu":
        raise Wrong(
            "an empty text gives no tokens, and those are integers too",
            expected="integers",
            got=str(got.dtype),
        )
    yield "an empty text gives an empty array of integers"

    for text, position in (("help", 3), ("hoax", 2), ("hoxa", 2), ("ho0p", 2), ("\nhole", 0)):
        got = student.run(probe_encode_error, "hello", text)
        shown = {"vocabulary": "ehlo", "text": text}
        if not isinstance(got, str):
            if not isinstance(got, np.ndarray):
                raise Wrong("encode gives an array", input=shown, got=type(got).__name__)
            words = "an unknown character was given the token of another one"
            if got.size < len(text):
                words = "unknown characters were left out in silence: the text has lost them"
            elif got.size and (got.min() < 0 or got.max() > 3):
                words = (
                    "an unknown character became a number that is no token: the -1 of the table "
                    "must end in an error here, not in an embedding's row"
                )
            raise Wrong(words, input=shown, expected="ValueError", got=got)
        if repr(text[position]) not in got or str(position) not in got:
            words = (
                "the error does not say which character is unknown and where the first one "
                "stands: in a book of a million characters nobody finds it"
            )
            if text == "hoxa" and "'a'" in got and "3" in got:
                words = "of several unknown characters the error names a later one, not the first"
            raise Wrong(
                words,
                input=shown,
                expected=f"a ValueError with {text[position]!r} and position {position}",
                got=got,
            )
    got = student.run(probe_encode_in_pieces, "hello", "holehoax")
    if not isinstance(got, str) or "6" not in got:
        raise Wrong(
            "the position is counted from the beginning of the piece: `start` says where the "
            "piece begins in the whole text",
            input={"vocabulary": "ehlo", "text": "holehoax", "pieces": "hole, hoax"},
            expected="a ValueError with 'a' and position 6",
            got=got,
        )
    yield "an unknown character is refused, with its place"

    for size, dtype in ((256, "uint8"), (257, "uint16")):
        letters = alphabet(size)
        got = student.array(probe_encode, letters, letters[-1], shape=(1,))
        if not near(got, [size - 1]):
            raise Wrong(
                f"the last of {size} characters wraps round: one byte holds 0 to 255 only",
                input=f"a vocabulary of {size} characters, the last of them encoded",
                expected=size - 1,
                got=got,
            )
        if got.dtype != dtype:
            raise Wrong(
                "the tokens take more memory than they need: a corpus of millions is kept as the "
                "smallest integers that hold vocab_size - 1",
                input=f"a vocabulary of {size} characters",
                expected=dtype,
                got=str(got.dtype),
            )
    yield "the tokens are the smallest integers that hold them"


# --- 06.3: training and validation text ---


def probe_halves(mg, tokens):
    training, validation = mg.data.train_validation_split(tokens)
    return [np.asarray(training), np.asarray(validation)]


@check("06.3")
def split(student):
    for n, cut in ((20, 18), (10, 9), (15, 13), (1999, 1799)):
        tokens = np.arange(100, 100 + n)
        training, validation = student.run(probe_halves, tokens)
        shown = f"{n} tokens, 100, 101, …, {99 + n}"
        if training.ndim != 1 or validation.ndim != 1:
            raise Wrong(
                "each part is an array of one axis",
                input=shown,
                got=f"{training.shape} and {validation.shape}",
            )
        both = np.intersect1d(training, validation)
        if both.size:
            raise Wrong(
                "validation text stands in the training part: the model is judged by what it has "
                "learnt by heart, and every score is too good",
                input=shown,
                expected="no token in both parts",
                got=f"{both.size} in both, such as {both[0]}",
            )
        lost = np.setdiff1d(tokens, np.concatenate([training, validation]))
        if lost.size:
            raise Wrong(
                "some tokens are in neither part: the second part begins where the first ends",
                input=shown,
                expected="each token in one part",
                got=f"{lost.size} lost, such as {lost[0]}",
            )
        if np.any(np.diff(training) != 1) or np.any(np.diff(validation) != 1):
            raise Wrong(
                "the text was shuffled before it was split: its sentences are torn apart, and the "
                "neighbours of nearly every validation token are in the training part",
                input=shown,
                expected="two stretches in the order of the text",
                got=training[:6],
            )
        if training.size and training[0] != 100:
            raise Wrong(
                "the beginning of the text became the validation part: it is the end that is "
                "kept back",
                input=shown,
                expected=f"training from {tokens[0]}, validation from {tokens[cut]}",
                got=f"training from {training[0]}",
            )
        if len(training) != cut:
            raise Wrong(
                "nine tenths, rounded down, are for training, and the rest for validation",
                input=shown,
                expected=f"{cut} and {n - cut} tokens",
                got=f"{len(training)} and {len(validation)} tokens",
            )
        if n == 20:
            yield "no validation text in the training part, and none lost"
            yield "in the order of the text, the end kept back"
    yield "nine tenths and one tenth, for lengths that 10 does not divide too"


# --- 06.4: windows and their targets ---


def probe_window(mg, tokens, context_size, index):
    try:
        inputs, targets = mg.data.TextDataset(tokens, context_size)[index]
    except IndexError:
        return "IndexError"
    return [np.asarray(inputs), np.asarray(targets)]


def window(student, tokens, context_size, index, shape):
    """Inputs and targets at an index, certainly arrays of that shape."""
    got = student.run(probe_window, tokens, context_size, index)
    shown = {"tokens": tokens, "context_size": context_size, "index": index}
    if got == "IndexError":
        raise Wrong("an index inside the data set was refused", input=shown, got=got)
    for name, part in zip(("inputs", "targets"), got):
        if shape != (4,) and part.dtype != np.int64:
            raise Wrong(
                f"the {name} of several windows are not int64, as those of one are",
                input=shown,
                expected="int64",
                got=str(part.dtype),
            )
        if part.shape != shape:
            words = f"the {name} have the wrong shape"
            if part.shape == shape[:-1] and shape:
                words = (
                    "only one target for the whole window: each of its T positions predicts its "
                    "own next token, so there are as many targets as inputs"
                )
            raise Wrong(words, input=shown, expected=str(shape), got=str(part.shape))
    return got


@check("06.4")
def windows(student):
    tokens = np.arange(10, 18, dtype=np.uint8)
    shown = {"tokens": tokens, "context_size": 4, "index": 1}
    inputs, targets = window(student, tokens, 4, 1, (4,))
    if not near(inputs, [11, 12, 13, 14]):
        words = "the inputs are the T tokens from the index on"
        if near(inputs, [14, 15, 16, 17]):
            words = (
                "the windows do not overlap: one begins at every token, so window 1 begins at "
                "token 1 and not where window 0 ends"
            )
        raise Wrong(words, input=shown, expected=[11, 12, 13, 14], got=inputs)
    if not near(targets, [12, 13, 14, 15]):
        words = "the targets are the inputs' next tokens"
        if near(targets, inputs):
            words = (
                "the targets are not shifted: the model is asked for the very token that it is "
                "looking at, and its loss will fall to almost nothing"
            )
        elif near(targets, [10, 11, 12, 13]):
            words = "the targets are shifted the wrong way: each is the token before its input"
        elif near(targets, [15, 16, 17, 17]) or near(targets[:1], [15]):
            words = "the targets begin after the window: the target of each input is its neighbour"
        raise Wrong(words, input=shown, expected=[12, 13, 14, 15], got=targets)
    yield "the targets are the inputs, one token later"
    if inputs.dtype != np.int64 or targets.dtype != np.int64:
        raise Wrong(
            "tokens of one byte come out as they are stored: arithmetic on them, such as "
            "previous · V + next, would wrap round at 256; widen them to int64",
            input="tokens of type uint8",
            expected="int64",
            got=f"{inputs.dtype} and {targets.dtype}",
        )
    yield "widened to int64"

    index = np.array([[0, 3], [2, 1]])
    inputs, targets = window(student, tokens, 4, index, (2, 2, 4))
    expected = 10 + index[..., None] + np.arange(4)
    if not near(inputs, expected) or not near(targets, expected + 1):
        raise Wrong(
            "an array of indices gives one window for each, along a new last axis",
            input={"tokens": tokens, "context_size": 4, "index": index},
            expected=expected,
            got=inputs,
        )
    window(student, tokens, 4, np.zeros(0, np.int64), (0, 4))
    yield "an array of indices gives as many windows, in its shape"
    for index, first in ((-1, 13), (-4, 10), (3, 13)):
        inputs, targets = window(student, tokens, 4, index, (4,))
        expected = first + np.arange(4)
        if not near(inputs, expected) or not near(targets, expected + 1):
            raise Wrong(
                "a negative index counts the windows from the end, of which there are four: "
                "-1 is the last whole window, number 3",
                input={"tokens": tokens, "context_size": 4, "index": index},
                expected=expected,
                got=inputs,
            )
    index = np.array([[-1, 0], [2, -4]])
    inputs, targets = window(student, tokens, 4, index, (2, 2, 4))
    expected = 10 + np.array([[3, 0], [2, 0]])[..., None] + np.arange(4)
    if not near(inputs, expected) or not near(targets, expected + 1):
        raise Wrong(
            "in an array of indices too, the negative ones count the windows from the end",
            input={"tokens": tokens, "context_size": 4, "index": index},
            expected=expected,
            got=inputs,
        )
    yield "negative indices count from the end"
    for index in (4, -5, np.array([0, 4]), np.array([-5, 0])):
        got = student.run(probe_window, tokens, 4, index)
        if got != "IndexError":
            raise Wrong(
                "an index beyond the last window is accepted, and gives another window than the "
                "one that was asked for; a for loop over the data set would never end",
                input={"windows": 4, "index": index},
                expected="IndexError",
                got=got[0],
            )
    yield "others are refused with an IndexError"


# --- 06.5: batches of an epoch ---


def probe_epochs(mg, n, batch_size, shuffle, drop_last, seed, epochs):
    """For each epoch its batches, for each batch its arrays. Item i is ([i], 10 · i)."""

    class Items(mg.data.Dataset):
        def __len__(self):
            return n

        def __getitem__(self, index):
            if np.ndim(index):
                raise TypeError("this data set gives one item at a time")
            if not 0 <= index < n:
                raise IndexError(f"there are {n} items, asked for {index}")
            return np.array([index]), np.array(10 * index)

    generator = None if seed is None else np.random.default_rng(seed)
    loader = mg.data.DataLoader(
        Items(), batch_size, shuffle=shuffle, drop_last=drop_last, generator=generator
    )
    result = []
    for _ in range(epochs):
        batches = []
        for batch in loader:
            if not all(isinstance(part, mg.Tensor) for part in batch):
                return "no tensors"
            batches.append([part.data for part in batch])
        result.append(batches)
    return result


def epochs(student, n, batch_size, shuffle=False, drop_last=False, seed=None, count=1):
    """For each epoch a list with the items of each batch, certainly integers."""
    shown = {"items": n, "batch_size": batch_size, "shuffle": shuffle, "drop_last": drop_last}
    got = student.run(probe_epochs, n, batch_size, shuffle, drop_last, seed, count)
    if got == "no tensors":
        raise Wrong(
            "a batch is made of tensors, one for each part of an item",
            input=shown,
            expected="tensors",
            got="something else",
        )
    result = []
    for batches in got:
        seen = []
        for batch in batches:
            if len(batch) != 2:
                raise Wrong(
                    "a batch is not a list of items: an item has two parts here, so a batch has "
                    "two tensors, all first parts and all second parts",
                    input=shown,
                    expected="2 tensors",
                    got=f"{len(batch)} tensors",
                )
            first, second = batch
            size = len(first) if first.ndim else 0
            if first.shape != (size, 1) or second.shape != (size,):
                raise Wrong(
                    "items are stacked along a new first axis",
                    input=shown,
                    expected="(size, 1) and (size,), for items of the shapes (1,) and ()",
                    got=f"{first.shape} and {second.shape}",
                )
            if not near(10 * first[:, 0], second):
                raise Wrong(
                    "inputs and targets of different items came together",
                    input=shown,
                    expected=10 * first[:, 0],
                    got=second,
                )
            seen.append(first[:, 0].tolist())
        result.append(seen)
    return result


def probe_parts(mg):
    """The parts of a batch of two items, each of three parts."""
    items = [(np.array(i), np.array(10 * i), np.array(100 * i)) for i in range(2)]
    (batch,) = mg.data.DataLoader(items, batch_size=2)
    return [np.array(part.data) for part in batch]


@check("06.5")
def batches(student):
    shown = {"items": 5, "batch_size": 2, "shuffle": False, "drop_last": False}
    (got,) = epochs(student, 5, 2)
    if got != [[0, 1], [2, 3], [4]]:
        words = "the items come in their order, batch by batch"
        if got == [[0, 1], [2, 3]]:
            words = (
                "the last batch is missing because it is not full: without drop_last every item "
                "counts"
            )
        elif [len(batch) for batch in got] == [2, 2, 1]:
            words = "without shuffle the items come in their own order"
        raise Wrong(words, input=shown, expected=[[0, 1], [2, 3], [4]], got=got)
    expected = [[0, 1], [0, 10], [0, 100]]
    got = student.run(probe_parts)
    if any(part.dtype.kind != "i" for part in got):
        raise Wrong(
            "a batch has the dtype that the items have: tokens stay integers",
            input="items of int64",
            expected="int64",
            got=[str(part.dtype) for part in got],
        )
    if len(got) != 3 or not all(map(near, got, expected)):
        raise Wrong(
            "three parts make batches of three tensors: an item need not be a pair",
            input="items (i, 10 · i, 100 · i), i = 0 and 1, in a batch of 2",
            expected=expected,
            got=got,
        )
    yield "in order, the last batch smaller"
    (got,) = epochs(student, 5, 2, drop_last=True)
    if got != [[0, 1], [2, 3]]:
        raise Wrong(
            "drop_last leaves out a last batch that is not full, here the item 4",
            input=shown | {"drop_last": True},
            expected=[[0, 1], [2, 3]],
            got=got,
        )
    for drop_last in (False, True):
        (got,) = epochs(student, 4, 2, drop_last=drop_last)
        if got != [[0, 1], [2, 3]]:
            raise Wrong(
                "four items in twos are two full batches: no empty one follows, and none of them "
                "is dropped",
                input={"items": 4, "batch_size": 2, "drop_last": drop_last},
                expected=[[0, 1], [2, 3]],
                got=got,
            )
    yield "drop_last drops what is not full, and only that"
    twice = epochs(student, 5, 2, count=2)
    if twice[0] != twice[1]:
        raise Wrong(
            "a second pass over the same loader must begin again",
            input=shown,
            expected=twice[0],
            got=twice[1],
        )

    shown = {"items": 30, "batch_size": 5, "shuffle": True, "seed": 1}
    first, second = epochs(student, 30, 5, shuffle=True, seed=1, count=2)
    for got in (first, second):
        items = sum(got, [])
        if sorted(items) != list(range(30)):
            raise Wrong(
                "in a shuffled epoch some items come twice and others never: an epoch is every "
                "item once, in an order drawn without replacement",
                input=shown,
                expected="each of 30 items once",
                got=f"{len(set(items))} different ones",
            )
    if sum(first, []) == list(range(30)):
        raise Wrong(
            "shuffle has no effect: the items come in their own order",
            input=shown,
            expected="another order",
            got=first[:2],
        )
    if all(batch and max(batch) - min(batch) == 4 for batch in first):
        raise Wrong(
            "only the batches are shuffled, or only the items inside of each: neighbours still "
            "stand together, so draw one order of all items and cut it",
            input=shown,
            expected="batches of items from everywhere",
            got=first[:2],
        )
    yield "shuffled, every item comes once"
    if first == second:
        raise Wrong(
            "the second epoch repeats the order of the first: draw a new one in each pass, from "
            "the loader's generator",
            input=shown,
            expected="two orders",
            got=second[:2],
        )
    again, _ = epochs(student, 30, 5, shuffle=True, seed=1, count=2)
    (other,) = epochs(student, 30, 5, shuffle=True, seed=2)
    if again != first or other == first:
        raise Wrong(
            "the order does not come from the loader's own generator: with the same seed it must "
            "be the same, with another seed another, or no run can be repeated",
            input=shown,
            expected=first[:2],
            got=again[:2],
        )
    yield "in a new order each time, which the generator decides"
