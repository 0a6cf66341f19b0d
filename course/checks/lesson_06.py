"""What the exercises of lesson 06 must do, on texts and tokens that fit into a line."""

from pathlib import Path

import numpy as np

from course.checks.vocabulary import Wrong, check, near, require

# --- 06.1: a text of your own ---


def probe_load(mg, content, name="sample.txt"):
    """["text", what was loaded], or the error's type and words.

    `content`: a byte a character; without it there is no such file.
    """
    if content is not None:
        Path(name).write_bytes(content.encode("latin-1"))
    try:
        return ["text", mg.data.load_text(name)]
    except (ValueError, OSError) as error:
        return [type(error).__name__, str(error)]


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


def refused(student, content, kind, names, otherwise, **options):
    """Require an error of that type whose words contain all of `names`."""
    got = student.run(probe_load, content, names[0])
    fits = got[0] == kind and all(name in got[1] for name in names)
    expected = f"{kind} that names {' and '.join(names)}"
    shown = "no file" if content is None else content.encode("latin-1")
    require(got if not fits else None, None, otherwise, input=shown, expected=expected, **options)


@check("06.1")
def load_text(student):
    plain = "  One line\nand another\n\n"
    for content, text, words in (
        (plain, plain, "the text must come back as it is, with its spaces and line ends"),
        ("caf\xc3\xa9", "café", "bytes are to be read as UTF-8"),
        (
            "\xef\xbb\xbfOne",
            "One",
            "the byte order mark at the start of the file became a character of the text, which "
            "no one sees and the vocabulary keeps: there is an encoding that skips it",
        ),
        (
            "One\r\ntwo\rthree\n",
            "One\ntwo\nthree\n",
            "line ends of other systems stay in the text: each becomes one newline when a file "
            "is read as text, and not where its bytes are decoded",
        ),
        (
            "One\xe2\x80\xa8\xef\xbb\xbftwo\x0c\n",
            "One\u2028\ufefftwo\x0c\n",
            "other characters must stay as they are: only \\r\\n and \\r are line ends of other "
            "systems, and U+FEFF is a mark only at the start of the file",
        ),
        (" \n", " \n", "spaces and line ends are a text too: empty is a file without a character"),
    ):
        kind, got = student.run(probe_load, content)
        if [kind, got] != ["text", text]:
            got = repr(got) if kind == "text" else f"{kind}: {got}"
            shown = content.encode("latin-1")
            raise Wrong(words, input=shown, expected=repr(text), got=got)
        if content == "caf\xc3\xa9":
            yield "UTF-8 text comes back as it is"
    yield "without a byte order mark, and with one newline at the end of each line"

    refused(
        student,
        "caf\xe9",
        "ValueError",
        ["sample.txt", "3"],
        "the error about a file that is not UTF-8 says neither which file nor what to do: raise a "
        "ValueError of your own with the path and the place (byte 3 here)",
        when={
            "a file that is not UTF-8 was read all the same, and its characters are lost or "
            "wrong: better an error than a silent loss": lambda got: got[0] == "text"
        },
    )
    yield "a file that is not UTF-8 is refused, with its name"
    empty = "an empty file is accepted, and the error comes much later, far from its cause"
    zeros = "zero bytes are the mark of a file that is no text, such as an image or a program"
    for content, words in (("", empty), ("\xef\xbb\xbf", empty), ("text\x00text", zeros)):
        refused(student, content, "ValueError", ["sample.txt"], words)
    yield "so are an empty file and one with zero bytes"
    refused(
        student,
        None,
        "FileNotFoundError",
        ["missing.txt"],
        "a file that is not there ends in the error that Python has for it, with the path",
    )
    got, expected = student.run(probe_load_folder)
    words = (
        "a folder is not a missing file: every file that cannot be read ends in an error of the "
        "type that Python raises for it"
    )
    require(got, expected, words, input="a folder")
    yield "a missing file is a FileNotFoundError that names it"


# --- 06.2: the tokenizer ---


def probe_encode(mg, vocabulary, text, piece=None):
    """The tokens, or the words of the ValueError; `piece`: how many characters at once."""
    mg.data._PIECE = piece or mg.data._PIECE
    try:
        return mg.data.CharTokenizer(vocabulary).encode(text)
    except (ValueError, IndexError) as error:
        if set(text) <= set(vocabulary):
            raise  # nothing in the text asks for an error
        return f"IndexError: {error}" if isinstance(error, IndexError) else str(error)


def probe_piece(mg, vocabulary, text):
    """What `_encode` itself returns for a piece at the beginning of a text."""
    return mg.data.CharTokenizer(vocabulary)._encode(text, 0)


def alphabet(size):
    """That many different characters, in the order of their code points."""
    return "".join(chr(0x4E00 + i) for i in range(size))


@check("06.2")
def encode(student):
    student.expect(
        probe_encode,
        *("ehlo", "hole"),
        equals=[1, 3, 2, 0],
        otherwise="the token of a character is its place in the sorted vocabulary",
    )
    student.expect(
        probe_encode,
        *("ab😀", "😀ba"),
        equals=[2, 1, 0],
        otherwise="one character is one token, an emoji too",
    )
    got = student.array(probe_piece, "ehlo", "l")
    shown = {"vocabulary": "ehlo", "text": "l"}
    words = "a text of one character gives an array of one token, with an axis of size 1"
    require(got.shape, (1,), words, input=shown)
    words = "tokens are integers, since they will be used as indices"
    require(got.dtype.kind in "iu", True, words, input=shown, expected="integers")
    yield "each character becomes its place in the vocabulary"
    got = student.array(probe_encode, "ehlo", "", shape=(0,))
    words = "an empty text gives no tokens, and those are integers too"
    require(got.dtype.kind in "iu", True, words, expected="integers")
    yield "an empty text gives an empty array of integers"

    for text, position in (("help", 3), ("hoax", 2), ("hoxa", 2), ("ho0p", 2), ("\nhole", 0)):
        got = student.run(probe_encode, "ehlo", text)
        shown = {"vocabulary": "ehlo", "text": text}
        if isinstance(got, np.ndarray):
            words = "an unknown character was given the token of another one"
            if got.min() < 0 or got.max() > 3:
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
            if got.startswith("IndexError"):
                words = (
                    "a character beyond the end of the table ends in NumPy's own error, which says "
                    "neither which one nor where: keep the index inside the table, then put a -1 there"
                )
            elif "broadcast" in got:
                words = (
                    "there is not one token for each character: unknown ones were left out in "
                    "silence, and the text has lost them"
                )
            elif text == "hoxa" and "'a'" in got and "3" in got:
                words = "of several unknown characters the error names a later one, not the first"
            expected = f"a ValueError with {text[position]!r} and position {position}"
            raise Wrong(words, input=shown, expected=expected, got=got)
    got = student.run(probe_encode, "ehlo", "holehoax", 4)
    if not isinstance(got, str) or "6" not in got:
        raise Wrong(
            "the position is counted from the beginning of the piece: `start` says where the "
            "piece begins in the whole text",
            input={"vocabulary": "ehlo", "text": "holehoax", "pieces": "hole, hoax"},
            expected="a ValueError with 'a' and position 6",
            got=got,
        )
    yield "an unknown character is refused, with its place"
    for size, dtype in ((256, np.uint8), (257, np.uint16)):
        student.expect(
            probe_encode,
            *(alphabet(size), alphabet(size)[-1]),
            equals=[size - 1],
            otherwise=f"the last of {size} characters wraps round: one byte holds 0 to 255 only",
            given=f"a vocabulary of {size} characters, the last of them encoded",
            dtype=dtype,
        )
    yield "the tokens are the smallest integers that hold them"


# --- 06.3: training and validation text ---


def probe_halves(mg, tokens):
    parts = mg.data.train_validation_split(tokens)
    assert len(parts) == 2, f"there are {len(parts)} parts"
    return [parts[0], parts[1]]


def probe_kinds(mg, tokens, kind):
    """The types of the two parts of some tokens, given as an array or in another form."""
    given = {"list": list, "text": str, "tensor": mg.Tensor}[kind](tokens)
    return [type(part).__name__ for part in mg.data.train_validation_split(given)]


@check("06.3")
def split(student):
    for n in (20, 10, 15, 1999, 4, 1):
        cut = n * 9 // 10
        tokens = np.arange(100, 100 + n)
        training, validation = student.run(probe_halves, tokens)
        shown = f"{n} tokens, 100, 101, …, {99 + n}"
        for part in (training, validation):
            if not isinstance(part, np.ndarray) or part.ndim != 1:
                words = "each part of an array is an array of one axis, as a slice of it is"
                raise Wrong(words, input=shown, expected="two arrays", got=part)
        both = np.intersect1d(training, validation)
        lost = np.setdiff1d(tokens, np.concatenate([training, validation]))
        problem = {}
        if both.size:
            problem = {
                "words": "validation text stands in the training part: the model is judged by "
                "what it has learnt by heart, and every score is too good",
                "expected": "no token in both parts",
                "got": f"{both.size} in both, such as {both[0]}",
            }
        elif lost.size:
            problem = {
                "words": "some tokens are in neither part: the second part begins where the "
                "first ends",
                "expected": "each token in one part",
                "got": f"{lost.size} lost, such as {lost[0]}",
            }
        elif np.any(np.diff(training) != 1) or np.any(np.diff(validation) != 1):
            problem = {
                "words": "the text was shuffled before it was split: its sentences are torn "
                "apart, and the neighbours of nearly every validation token are in the training "
                "part",
                "expected": "two stretches in the order of the text",
                "got": training[:6],
            }
        elif training.size and training[0] != 100:
            problem = {
                "words": "the beginning of the text became the validation part: it is the end "
                "that is kept back",
                "expected": f"training from {tokens[0]}, validation from {tokens[cut]}",
                "got": f"training from {training[0]}",
            }
        elif len(training) != cut:
            problem = {
                "words": "nine tenths, rounded down, are for training, and the rest for validation",
                "expected": f"{cut} and {n - cut} tokens",
                "got": f"{len(training)} and {len(validation)} tokens",
            }
        if problem:
            raise Wrong(input=shown, **problem)
        if n == 20:
            yield "no validation text in the training part, and none lost"
            yield "in the order of the text, the end kept back"
    yield "nine tenths and one tenth, for lengths that 10 does not divide too"
    table = np.arange(60).reshape(20, 3)
    require(
        student.run(probe_halves, table),
        [table[:18], table[18:]],
        "a table of tokens is split between its rows, which stay whole: len(tokens) counts them",
        input="20 rows of 3 tokens",
    )
    for kind, tokens, equals in (
        ("list", [5, 6, 7, 8], "list"),
        ("text", "the plays", "str"),
        ("tensor", np.arange(4), "Tensor"),
    ):
        student.expect(
            *(probe_kinds, tokens, kind),
            equals=[equals, equals],
            otherwise=f"the parts of a {kind} are of the same kind as the whole: cut with slices, "
            "which lists, texts, arrays and tensors all have",
        )
    yield "lists, texts, tensors and tables too"


# --- 06.4: windows and their targets ---


def probe_window(mg, tokens, context_size, index):
    """{"inputs": …, "targets": …} at an index, or the word IndexError."""
    try:
        inputs, targets = mg.data.TextDataset(tokens, context_size)[index]
    except IndexError:
        return "IndexError"
    return {"inputs": inputs, "targets": targets}


TOKENS = np.arange(10, 18, dtype=np.uint8)


def window(student, index, otherwise, when=None, context_size=4):
    """Require the right inputs and targets, int64, at an index or at several."""
    positions = np.asarray(index)[..., None] % (8 - context_size) + np.arange(context_size)
    got = student.run(probe_window, TOKENS, context_size, index)
    shown = {"tokens": TOKENS, "context_size": context_size, "index": index}
    if got == "IndexError":
        raise Wrong("an index inside the data set was refused", input=shown, got=got)
    for name, first in (("inputs", 10), ("targets", 11)):
        part, right = got[name], positions + first
        if not isinstance(part, np.ndarray):
            words = f"the {name} are a {type(part).__name__}, where an array is expected"
            raise Wrong(words, input=shown, expected=right, got=part)
        if part.shape != right.shape:
            words = f"the {name} have the wrong shape: (T,) for one index, s + (T,) for the shape s"
            if part.shape == right.shape[:-1]:
                words = (
                    "only one target for the whole window: each of its T positions predicts its "
                    "own next token, so there are as many targets as inputs"
                )
            raise Wrong(words, input=shown, expected=str(right.shape), got=str(part.shape))
        require(part, right, otherwise, when=(when or {}).get(name), input=shown)
    for name, part in got.items():
        if part.dtype != np.int64:
            raise Wrong(
                f"the {name} come out in the type of one byte that they are stored in: arithmetic "
                "on them, such as previous · V + next, would wrap round at 256; widen them to int64",
                input=shown,
                expected="int64",
                got=str(part.dtype),
            )


@check("06.4")
def windows(student):
    window(
        student,
        1,
        "the inputs are the T tokens from the index on, and the targets their next tokens",
        when={
            "inputs": {
                "the windows do not overlap: one begins at every token, so window 1 begins at "
                "token 1 and not where window 0 ends": [14, 15, 16, 17]
            },
            "targets": {
                "the targets are not shifted: the model is asked for the very token that it is "
                "looking at, and its loss will fall to almost nothing": [11, 12, 13, 14],
                "the targets are shifted the wrong way: each is the token before its input": [
                    *range(10, 14)
                ],
                "the targets begin after the window: the target of each input is its "
                "neighbour": lambda got: near(got[0], 15),
            },
        },
    )
    yield "the targets are the inputs, one token later"
    yield "widened to int64"
    words = "an array of indices gives one window for each, along a new last axis"
    for index in (np.array([[0, 3], [2, 1]]), np.array([2]), np.zeros(0, np.int64)):
        window(student, index, words)
    window(student, 5, "with a context of 1, a window has one input and one target", context_size=1)
    yield "an array of indices gives as many windows, in its shape"
    words = (
        "a negative index counts the windows from the end, of which there are four: -1 is the "
        "last whole window, number 3"
    )
    for index in (-1, -4, 3, np.int64(-2)):
        window(student, index, words)
    words = "in an array of indices too, the negative ones count the windows from the end"
    window(student, np.array([[-1, 0], [2, -4]]), words)
    yield "negative indices count from the end"
    for index in (4, -5, np.array([0, 4]), np.array([-5, 0])):
        got = student.run(probe_window, TOKENS, 4, index)
        require(
            got if got == "IndexError" else got["inputs"],
            "IndexError",
            "an index beyond the last window is accepted, and gives another window than the one "
            "that was asked for; a for loop over the data set would never end",
            input={"windows": 4, "index": index},
            expected="IndexError",
        )
    yield "others are refused with an IndexError"


# --- 06.5: batches of an epoch ---


def probe_epochs(mg, items, batch_size, shuffle=False, drop_last=False, seed=None, epochs=1):
    """For each epoch its batches, for each batch its arrays. Item i is ([i], 10 · i)."""

    class Items(mg.data.Dataset):
        def __len__(self):
            return items

        def __getitem__(self, index):
            if np.ndim(index):
                raise TypeError("this data set gives one item at a time")
            if not 0 <= index < items:
                raise IndexError(f"there are {items} items, asked for {index}")
            return np.array([index]), np.array(10 * index)

    generator = None if seed is None else np.random.default_rng(seed)
    loader = mg.data.DataLoader(
        Items(), batch_size, shuffle=shuffle, drop_last=drop_last, generator=generator
    )
    result = []
    for _ in range(epochs):
        result.append([])
        for batch in loader:
            if not isinstance(batch, tuple | list):
                return f"a {type(batch).__name__}"
            if not all(isinstance(part, mg.Tensor) for part in batch):
                return f"a tuple of {[type(part).__name__ for part in batch]}"
            result[-1].append([part.data for part in batch])
    return result


def batched(student, items, batch_size, **options):
    """For each epoch a list with the items of each batch, certainly integers."""
    shown = {"items": items, "batch_size": batch_size} | options
    named = {"shuffle": False, "drop_last": False, "seed": None, "epochs": 1} | options
    got = student.run(probe_epochs, items, batch_size, *named.values())
    if isinstance(got, str):
        words = "a batch is made of tensors, one for each part of an item"
        if not got.startswith("a tuple"):
            words = "a batch is a tuple, which can be looked at twice"
        raise Wrong(words, input=shown, expected="a tuple of tensors", got=got)
    for batch in (batch for batches in got for batch in batches):
        if len(batch) != 2:
            raise Wrong(
                "a batch is not a list of items: an item has two parts here, so a batch has two "
                "tensors, all first parts and all second parts",
                input=shown,
                expected="2 tensors",
                got=f"{len(batch)} tensors",
            )
        first, second = batch
        size = len(first) if first.ndim else 0
        if first.shape != (size, 1) or second.shape != (size,):
            words = "items are stacked along a new first axis"
            if first.shape == second.shape == (size,) and size > 1:
                words = "an axis of size 1 was squeezed away: stacking adds an axis, and takes none"
            raise Wrong(
                words,
                input=shown,
                expected="(size, 1) and (size,), for items of the shapes (1,) and ()",
                got=f"{first.shape} and {second.shape}",
            )
        words = "inputs and targets of different items came together"
        require(second, 10 * first[:, 0], words, input=shown)
    return [[first[:, 0].tolist() for first, _ in batches] for batches in got]


def probe_parts(mg):
    """The parts of a batch of two items, each of three parts."""
    items = [(np.array(i), np.array(10 * i), np.array(100 * i)) for i in range(2)]
    (batch,) = mg.data.DataLoader(items, batch_size=2)
    return [np.array(part.data) for part in batch]


@check("06.5")
def batches(student):
    shown = {"items": 5, "batch_size": 2, "shuffle": False, "drop_last": False}
    require(
        batched(student, 5, 2)[0],
        [[0, 1], [2, 3], [4]],
        "without shuffle the items come in their own order, batch by batch",
        when={
            "the last batch is missing because it is not full: without drop_last every item "
            "counts": [[0, 1], [2, 3]]
        },
        input=shown,
    )
    got = student.run(probe_parts)
    if any(part.dtype.kind != "i" for part in got):
        raise Wrong(
            "a batch has the dtype that the items have: tokens stay integers",
            input="items of int64",
            expected="int64",
            got=[str(part.dtype) for part in got],
        )
    require(
        got,
        [[0, 1], [0, 10], [0, 100]],
        "three parts make batches of three tensors: an item need not be a pair",
        input="items (i, 10 · i, 100 · i), i = 0 and 1, in a batch of 2",
    )
    yield "in order, the last batch smaller"
    require(
        batched(student, 5, 2, drop_last=True)[0],
        [[0, 1], [2, 3]],
        "drop_last leaves out a last batch that is not full, here the item 4",
        input=shown | {"drop_last": True},
    )
    for drop_last in (False, True):
        require(
            batched(student, 4, 2, drop_last=drop_last)[0],
            [[0, 1], [2, 3]],
            "four items in twos are two full batches: no empty one follows, and none of them is "
            "dropped",
            input={"items": 4, "batch_size": 2, "drop_last": drop_last},
        )
    yield "drop_last drops what is not full, and only that"
    first, second = batched(student, 5, 2, epochs=2)
    require(second, first, "a second pass over the same loader must begin again", input=shown)

    shown = {"items": 30, "batch_size": 5, "shuffle": True, "seed": 1}
    first, second = batched(student, 30, 5, shuffle=True, seed=1, epochs=2)
    for got in (first, second):
        require(
            sorted(sum(got, [])),
            list(range(30)),
            "in a shuffled epoch some items come twice and others never: an epoch is every item "
            "once, in an order drawn without replacement",
            input=shown,
            expected="each of 30 items once",
        )
    words = None
    if sum(first, []) == list(range(30)):
        words = "shuffle has no effect: the items come in their own order"
    elif all(batch and max(batch) - min(batch) == 4 for batch in first):
        words = (
            "only the batches are shuffled, or only the items inside of each: neighbours still "
            "stand together, so draw one order of all items and cut it"
        )
    if words:
        raise Wrong(words, input=shown, expected="batches of items from everywhere", got=first[:2])
    yield "shuffled, every item comes once"
    if first == second:
        raise Wrong(
            "the second epoch repeats the order of the first: draw a new one in each pass, from "
            "the loader's generator",
            input=shown,
            expected="two orders",
            got=second[:2],
        )
    again = batched(student, 30, 5, shuffle=True, seed=1)[0]
    other = batched(student, 30, 5, shuffle=True, seed=2)[0]
    if again != first or other == first:
        raise Wrong(
            "the order does not come from the loader's own generator: with the same seed it must "
            "be the same, with another seed another, or no run can be repeated",
            input=shown,
            expected=first[:2],
            got=again[:2],
        )
    yield "in a new order each time, which the generator decides"
