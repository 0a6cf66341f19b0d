"""What the exercises of lesson 09 must do, on words of a few tokens and texts of a few bytes."""

import numpy as np

from course.checks.vocabulary import Wrong, check, require

# --- 09.1: counting pairs ---


def probe_count_pairs(mg, words):
    """The counts of `words`, a list [word, count], as a sorted list [left, right, count].

    The name of its type where it is no dictionary.
    """
    given = {tuple(word): count for word, count in words}
    counted = mg.bpe.count_pairs(given)
    if len(given) < len(words):
        return "words are lost"
    if not isinstance(counted, dict):
        return type(counted).__name__
    return sorted([*pair, int(count)] for pair, count in counted.items())


@check("09.1")
def count_pairs(student):
    student.expect(
        probe_count_pairs,
        [[[1, 2, 3], 1]],
        equals=[[1, 2, 1], [2, 3, 1]],
        otherwise="each token but the last begins one pair: the pair of it and the next one",
        when={
            "`words` has lost what was in it: whoever called still needs it, so only read it": (
                "words are lost"
            ),
            "the counts are to be a dictionary (or a Counter): {pair: count}": lambda got: (
                isinstance(got, str)
            ),
            "a pair that stands nowhere is counted, with 0: then there would always be one more "
            "pair to merge": lambda got: any(count == 0 for *_, count in got),
            "the last pair of the word is not counted": [[1, 2, 1]],
            "the first pair of the word is not counted": [[2, 3, 1]],
            "only every second pair is counted: neighbours overlap": [[1, 2, 1], [3, 1, 1]],
            "a pair is two tokens side by side, and not any two of the word": [
                [1, 2, 1],
                [1, 3, 1],
                [2, 3, 1],
            ],
            "left and right are exchanged: the pair (1, 2) is not (2, 1)": [[2, 1, 1], [3, 2, 1]],
        },
    )
    student.expect(
        probe_count_pairs,
        [[[2, 1, 2], 1]],
        equals=[[1, 2, 1], [2, 1, 1]],
        otherwise="a pair keeps its order, also where the larger token stands first",
    )
    yield "each pair of neighbours, the left one first"
    student.expect(
        probe_count_pairs,
        [[[1, 2, 2], 10], [[2, 2], 1]],
        equals=[[1, 2, 10], [2, 2, 11]],
        otherwise="the counts of all words are added up",
        when={
            "a word that stands 10 times gives each of its pairs 10 times": [[1, 2, 1], [2, 2, 2]],
            "the count of a later word replaces that of an earlier one: add them": [
                [1, 2, 10],
                [2, 2, 1],
            ],
            "the pair of the end of one word and the beginning of the next is counted: pairs do "
            "not reach over the border": lambda got: [2, 2, 12] in got or [2, 2, 21] in got,
        },
    )
    yield "as often as the word stands in the text"
    student.expect(
        probe_count_pairs,
        [[[7, 7, 7], 2], [[5], 9]],
        equals=[[7, 7, 4]],
        otherwise="in (7, 7, 7) the pair (7, 7) stands twice, and a word of one token has no pair",
        when={"pairs overlap: in (7, 7, 7) the pair (7, 7) stands twice": [[7, 7, 2]]},
    )
    student.expect(
        probe_count_pairs, [], equals=[], otherwise="without words there are no pairs", given="{}"
    )
    yield "pairs that overlap, and words without a pair"


# --- 09.2: merging ---


def probe_merge(mg, word, pair, token):
    """["tuple", its tokens], or the name of another type."""
    merged = mg.bpe.merge(tuple(word), tuple(pair), token)
    return [type(merged).__name__, [int(part) for part in merged]]


@check("09.2")
def merge(student):
    def expect(word, merged, otherwise, when=None):
        when = {words: ["tuple", value] for words, value in (when or {}).items()}
        words = "the result must be a tuple, as the word was: it will be the key of a dictionary"
        when[words] = lambda got: got[0] != "tuple" and got[1] == merged
        student.expect(
            probe_merge, word, [1, 2], 9, equals=["tuple", merged], otherwise=otherwise, when=when
        )

    expect(
        [1, 2, 1, 2, 2],
        [9, 9, 2],
        "the token stands where the pair stood, and all else stays",
        {
            "no pair was found: `pair` is a tuple. A list is never equal to it, and `is` does not "
            "compare what is inside; word[i : i + 2] == pair does": [1, 2, 1, 2, 2],
            "only the first occurrence is merged": [9, 1, 2, 2],
            "the second token of a pair stays behind: go on by two after a merge": [9, 2, 9, 2, 2],
            "the last token of the word is lost": [9, 9],
        },
    )
    yield "every occurrence"
    expect(
        [3, 1, 2],
        [3, 9],
        "a pair at the end of the word is merged too",
        {"a pair at the end of the word is overlooked": [3, 1, 2]},
    )
    expect(
        [1, 3, 2, 1],
        [1, 3, 2, 1],
        "without the pair the word stays as it is",
        {"the order of the pair counts: (2, 1) is not the pair (1, 2)": [1, 3, 9]},
    )
    for word in ([11, 2], [1, 22]):
        expect(
            word,
            word,
            "tokens are numbers: the digits of 11 2 hold a 1 and a 2, and the word no pair (1, 2)",
        )
    expect([1], [1], "a word of one token stays as it is")
    expect([], [], "an empty word stays empty")
    yield "at the end too, and only this pair"
    for word, merged, shared in (
        ([7, 7, 7], [5, 7], [5, 5]),
        ([7, 7, 7, 7], [5, 5], [5, 5, 5]),
        ([7, 7, 7, 3], [5, 7, 3], [5, 5, 3]),
    ):
        student.expect(
            probe_merge,
            word,
            [7, 7],
            5,
            equals=["tuple", merged],
            otherwise="from left to right, and each token belongs to one pair at the most",
            when={
                "it was merged from the right": ["tuple", merged[::-1]],
                "a token took part in two pairs: after a merge go on behind it": ["tuple", shared],
            },
        )
    yield "from left to right, each token in one pair"


# --- 09.3: merges in their order ---


def probe_apply(mg, word, learned):
    """The tokens of a word, with merges [left, right, token] in the order of learning.

    The name of their type where they can be gone through once only; or that merges are lost.
    """
    merges = {(left, right): token for left, right, token in learned}
    ranks = {(left, right): rank for rank, (left, right, _) in enumerate(learned)}
    tokens = mg.bpe.apply_merges(tuple(word), merges, ranks)
    if (len(merges), len(ranks)) != (len(learned), len(learned)):
        return "merges are lost"
    if not isinstance(tokens, tuple | list):
        return type(tokens).__name__
    return [int(token) for token in tokens]


@check("09.3")
def apply_merges(student):
    for word in ([1, 2, 3], [4], []):
        student.expect(
            probe_apply,
            word,
            [],
            equals=word,
            otherwise="without a known pair the word stays as it is",
            when={
                "the tokens must come back as a tuple: they are kept for the next time that the "
                "word is met, and a generator can be gone through once only": lambda got: (
                    isinstance(got, str)
                )
            },
        )
    student.expect(
        probe_apply,
        [1, 2],
        [[1, 2, 9]],
        equals=[9],
        otherwise="a word that is one known pair becomes its token",
        when={
            "a word of two tokens is left alone": [1, 2],
            "`merges` or `ranks` is not what it was: the next word needs it, so only read it": (
                "merges are lost"
            ),
        },
    )
    yield "a known pair is merged, an unknown one stays"
    student.expect(
        probe_apply,
        [1, 2, 3],
        [[1, 2, 8], [2, 3, 9]],
        equals=[8, 3],
        otherwise="of the pairs in the word the one learned first is merged",
        when={"the pair with the highest rank was merged: 0 is the first": [1, 9]},
    )
    student.expect(
        probe_apply,
        [1, 2, 3],
        [[2, 3, 8], [1, 2, 9]],
        equals=[1, 8],
        otherwise="of the pairs in the word the one learned first is merged",
        when={"the leftmost pair was merged: the lowest rank decides, wherever it stands": [9, 3]},
    )
    student.expect(
        probe_apply,
        [1, 2, 3],
        [[2, 3, 9], [1, 2, 8]],
        equals=[1, 9],
        otherwise="the rank decides which pair comes first",
        when={
            "the smaller token decided: ask `ranks`, for tokens need not follow the order": [8, 3]
        },
    )
    yield "the one learned first, wherever it stands"
    student.expect(
        probe_apply,
        [1, 2, 3, 4],
        [[1, 2, 5], [3, 4, 6], [5, 6, 7]],
        equals=[7],
        otherwise="a merge makes new pairs: go on until the word has no known pair",
        when={
            "it stopped after one merge": [5, 3, 4],
            "new tokens form pairs too: ask for the pairs of the word as it is now": [5, 6],
        },
    )
    student.expect(
        probe_apply,
        [1, 2, 5, 3],
        [[9, 3, 7], [1, 2, 8], [8, 5, 9]],
        equals=[7],
        otherwise="after a merge any pair may follow, also one of a lower rank",
        when={
            "one pass over the merges is not enough: a later merge can make an earlier pair": [9, 3]
        },
    )
    student.expect(
        probe_apply,
        [1, 2, 3, 1, 2],
        [[1, 2, 9]],
        equals=[9, 3, 9],
        otherwise="a pair is merged wherever it stands in the word",
    )
    yield "again and again, until no pair is known"


# --- 09.4: tokens back to text ---


def probe_to_text(mg, tokens, pieces):
    """The text of tokens; each piece is written with one character for a byte."""
    vocabulary = [piece.encode("latin-1") for piece in pieces]
    return mg.bpe.to_text(tokens, vocabulary)


@check("09.4")
def to_text(student):
    def expect(tokens, pieces, equals, otherwise, when=None):
        vocabulary = [piece.encode("latin-1") for piece in pieces]
        shown = f"tokens = {tokens}, vocabulary = {vocabulary}"
        student.expect(
            probe_to_text,
            tokens,
            pieces,
            equals=equals,
            otherwise=otherwise,
            when=when,
            given=shown,
        )

    expect(
        [1, 0, 1],
        ["n", "to"],
        "tonto",
        "the pieces of the tokens follow one another",
        {"there is something between the pieces: join them with nothing": "to n to"},
    )
    expect([], ["n"], "", "no tokens are an empty text")
    yield "the pieces, one after another"
    expect(
        [0, 1, 2],
        ["caf", "\xc3", "\xa9"],
        "café",
        "first join the bytes, then read them as UTF-8",
        {
            "each token was read by itself: a character may be spread over several tokens": (
                "caf\ufffd\ufffd"
            ),
            "bytes that are no text by themselves were left out, although together they are an é": (
                "caf"
            ),
            "each byte became a character: the bytes are UTF-8": "caf\xc3\xa9",
        },
    )
    expect(
        [0, 1],
        ["\xef\xbb\xbfa", "\r\nb"],
        "\ufeffa\r\nb",
        "every character of the text is kept, also U+FEFF at its beginning and the line ends of "
        "other systems: this is no file that somebody wrote",
    )
    expect(
        [0, 1, 0],
        [" \n", "a"],
        " \na \n",
        "spaces and line ends at the borders belong to the text: the next piece of it may follow",
    )
    yield "a character over two tokens"
    try:
        got = student.run(probe_to_text, [0, 1, 0], ["a", "\xc3"])
    except Wrong as wrong:
        raise Wrong(
            "broken bytes end in an error, and a model may write them at any time: they become "
            f"U+FFFD (it was: {wrong.words})"
        ) from None
    if got != "a\ufffda":
        raise Wrong(
            "broken bytes disappear, and nobody sees that something was there"
            if got == "aa"
            else "bytes that are no UTF-8 become one U+FFFD, and what stands around them stays",
            input="b'a', b'\\xc3', b'a'",
            expected="a\ufffda",
            got=got,
        )
    expect([1, 0], ["b", "\xff\xfe"], "\ufffd\ufffdb", "each broken byte becomes U+FFFD")
    yield "broken bytes become U+FFFD"


# --- 09.5: from text to tokens ---


def probe_encode(mg, text, special, allow):
    """The tokens of a text; `special` is a list of texts, the tokens 300, 301, …"""
    numbers = {name: 300 + number for number, name in enumerate(special)}
    vocabulary = [bytes([byte]) for byte in range(256)] + [b"th", b"the"]
    vocabulary += [b"?"] * (300 - len(vocabulary)) + [name.encode() for name in special]
    merges = {(116, 104): 256, (256, 101): 257}
    tokenizer = mg.bpe.BPETokenizer(vocabulary, merges, numbers)
    tokens = tokenizer.encode(text, allow_special=allow)
    return [int(token) for token in tokens] if len(tokens) else tokens


def probe_encode_by_default(mg, text):
    """The same with the special token <end>, without a word about whether it is allowed."""
    vocabulary = [bytes([byte]) for byte in range(256)] + [b"<end>"]
    tokenizer = mg.bpe.BPETokenizer(vocabulary, {}, {"<end>": 256})
    return [int(token) for token in tokenizer.encode(text)]


def probe_encode_other_bytes(mg, text):
    """The same with a vocabulary whose bytes have other numbers, as GPT-2's have."""
    vocabulary = [bytes([255 - byte]) for byte in range(256)] + [b"th"]
    tokenizer = mg.bpe.BPETokenizer(vocabulary, {(255 - 116, 255 - 104): 256})
    return [int(token) for token in tokenizer.encode(text)]


def probe_encode_refused(mg, text):
    """The same where permission is refused in so many words."""
    return probe_encode(mg, text, ["<end>"], False)


def probe_encode_with_words(mg, text):
    """The same with a cutter of its own, which makes every character a word."""
    vocabulary = [bytes([byte]) for byte in range(256)] + [b"th"]
    return [
        int(t) for t in mg.bpe.BPETokenizer(vocabulary, {(116, 104): 256}, None, list).encode(text)
    ]


@check("09.5")
def encode(student):
    student.expect(
        probe_encode,
        "the",
        [],
        False,
        equals=[257],
        otherwise="a word becomes the tokens that `self._tokens` holds for it",
        when={"the bytes of the word came back, unmerged": [116, 104, 101]},
    )
    student.expect(
        probe_encode,
        "hi the",
        [],
        False,
        equals=[104, 105, 32, 257],
        otherwise="the tokens of all words follow one another",
        when={"only the last word came back": [32, 257], "the space is gone": [104, 105, 257]},
    )
    student.expect(
        probe_encode_with_words,
        "th",
        equals=[116, 104],
        otherwise="the text is cut with `self.cut_words`, and pairs do not reach over its cuts",
    )
    student.expect(
        probe_encode_other_bytes,
        "the",
        equals=[256, 255 - 101],
        otherwise="the number of a byte's token need not be the byte, and in GPT-2's vocabulary it "
        "is not: `self._tokens[word]` looks it up",
        given="the; a vocabulary in which the byte b is the token 255 - b",
    )
    words = "an empty text has no tokens: an empty array of integers, as for any other text"
    got = student.run(probe_encode, "", [], True)
    empty = isinstance(got, np.ndarray) and got.shape == (0,) and got.dtype.kind in "iu"
    require(empty, True, words, input="''", expected="an empty array")
    yield "word after word, each with its merges"
    spelled = [60, 101, 110, 100, 62]
    for ask in (probe_encode_by_default, probe_encode_refused):
        student.expect(
            ask,
            "a<end>",
            equals=[97, *spelled],
            otherwise="a user's text has made a special token: without `allow_special` its "
            "characters are characters",
        )
        student.expect(
            ask,
            "<end>",
            equals=spelled,
            otherwise="a user's whole text has made a special token: without `allow_special` it is "
            "not looked up, whatever it is",
        )
    yield "without permission no special token"
    student.expect(
        probe_encode,
        "hi<end>",
        ["<end>"],
        True,
        equals=[104, 105, 300],
        otherwise="with permission the text of a special token becomes that token",
        when={
            "permission was given, and the special token is spelled out": [104, 105, *spelled],
            "the special token is lost": [104, 105],
            "the ordinary text around a special token is lost": [300],
        },
    )
    student.expect(
        probe_encode,
        "<a>the<b><a>",
        ["<a>", "<b>"],
        True,
        equals=[300, 257, 301, 300],
        otherwise="ordinary pieces and special tokens take turns, in the order of the text",
        when={
            "the special tokens do not stand where they stood in the text": lambda got: (
                sorted(got) == [257, 300, 300, 301]
            )
        },
    )
    student.expect(
        probe_encode,
        "the<end",
        ["<end>"],
        True,
        equals=[257, 60, 101, 110, 100],
        otherwise="a text that only begins like a special token is ordinary",
    )
    yield "with permission each in its place"


# --- 09.6: names and transposes ---


def probe_published(mg, name):
    theirs, transposed = mg.real_gpt2.published(name)
    return [theirs, bool(transposed)]


@check("09.6")
def published(student):
    def expect(name, theirs, transposed, otherwise, when=None):
        student.expect(
            probe_published, name, equals=[theirs, transposed], otherwise=otherwise, when=when
        )

    for ours, theirs in (("token_embedding", "wte"), ("position_embedding", "wpe")):
        expect(
            f"{ours}.weight",
            f"{theirs}.weight",
            False,
            "outside of the blocks the layer's name is looked up in LAYERS",
            {
                "the embeddings have one row for each token, here as there: they are not transposed": [
                    f"{theirs}.weight",
                    True,
                ]
            },
        )
    expect("output_ln.bias", "ln_f.bias", False, "`weight` or `bias` stays at the end of the name")
    expect("output_projection.weight", "lm_head.weight", False, "the output is (V, C) in both")
    yield "embeddings, final norm and output"
    for number, otherwise in (
        ("0", "a block's number stays in the name, behind `h.`"),
        ("3", "a block's number stays in the name, behind `h.`"),
        ("11", "a block's number may have two digits"),
    ):
        expect(f"blocks.{number}.ln1.weight", f"h.{number}.ln_1.weight", False, otherwise)
    yield "a block and its number"
    for ours, theirs in (
        ("attn.in_proj", "attn.c_attn"),
        ("attn.out_proj", "attn.c_proj"),
        ("ffn.up_proj", "mlp.c_fc"),
        ("ffn.down_proj", "mlp.c_proj"),
    ):
        square = ours == "attn.out_proj"
        expect(
            f"blocks.3.{ours}.weight",
            f"h.3.{theirs}.weight",
            True,
            "inside of a block the layer is what follows the number, such as attn.in_proj",
            {
                "the square matrix is transposed too, and no shape would tell"
                if square
                else "the matrices of Conv1D, all four, stand there transposed": [
                    f"h.3.{theirs}.weight",
                    False,
                ]
            },
        )
        expect(
            f"blocks.3.{ours}.bias",
            f"h.3.{theirs}.bias",
            False,
            "the bias of a layer has its name",
            {"a bias has one axis and is not transposed": [f"h.3.{theirs}.bias", True]},
        )
    for norm in ("ln1", "ln2"):
        for kind in ("weight", "bias"):
            expect(
                f"blocks.3.{norm}.{kind}",
                f"h.3.ln_{norm[-1]}.{kind}",
                False,
                "a norm has vectors only",
                {
                    "the weight of a norm is a vector and is not transposed": lambda got: (
                        got[1] is True
                    )
                },
            )
    yield "the four matrices of a block transposed, and nothing else"
