"""What the exercises of lesson 07 must do: heads, weights, the cache, the MLP, the block."""

import numpy as np

from course.checks.vocabulary import Wrong, check, near

# --- 07.1: heads ---


def probe_heads(mg, qkv, num_heads):
    return [np.array(part) for part in mg.attention._heads(qkv, num_heads)]


def probe_write_into_heads(mg, shape, num_heads):
    qkv = np.zeros(shape)
    for number, part in enumerate(mg.attention._heads(qkv, num_heads), 1):
        part[...] = number
    return qkv


@check("07.1")
def heads(student):
    # Every entry tells where it stood: 1000 · sequence + 100 · position + channel of 12.
    b, t, c = np.arange(2), np.arange(3), np.arange(12)
    qkv = 1000.0 * b[:, None, None] + 100.0 * t[:, None] + c  # (2, 3, 12)
    shown = "entries 1000 · sequence + 100 · position + channel, shape (2, 3, 12), 2 heads"

    parts = student.run(probe_heads, qkv, 2)
    if not isinstance(parts, list) or len(parts) != 3:
        raise Wrong("there must be three parts: queries, keys and values", input=shown)
    for part in parts:
        if not isinstance(part, np.ndarray) or part.shape != (2, 2, 3, 2):
            got = getattr(part, "shape", type(part).__name__)
            words = "a part has the wrong shape"
            if got == (2, 3, 2, 2):
                words = "the axes of positions and heads still have to change places"
            raise Wrong(words, input=shown, expected=(2, 2, 3, 2), got=got)
    yield "three parts of (B, H, T, D)"

    first = parts[0][0, 0]  # (T, D): head 0 of the first sequence's queries
    expected = [[0.0, 1.0], [100.0, 101.0], [200.0, 201.0]]
    if not near(first, expected):
        raise Wrong(heads_words(first), input=shown, expected=expected, got=first)
    corners = [part[1, 1, 2, 1] for part in parts]  # the last entry of each
    if not near(np.array(corners), [1203.0, 1207.0, 1211.0]):
        words = "the last entries of queries, keys and values are not from their own places"
        raise Wrong(words, input=shown, expected=[1203.0, 1207.0, 1211.0], got=corners)
    # No two of these numbers are equal: 2 sequences, 5 positions, 3 parts, 4 heads, 7 channels.
    qkv = np.arange(2.0 * 5 * 84).reshape(2, 5, 84)
    parts = student.run(probe_heads, qkv, 4)
    sizes = [part.shape for part in parts]
    if sizes != [(2, 4, 5, 7)] * 3:
        words = "the axes are right only where some are equally long: each part is (B, H, T, D)"
        raise Wrong(words, input="shape (2, 5, 84), 4 heads", expected=(2, 4, 5, 7), got=sizes[0])
    for number, part in enumerate(parts):
        for head in range(4):
            start = 28 * number + 7 * head
            if not near(part[:, head], qkv[:, :, start : start + 7]):
                words = "a head has other channels than its own, or those of another sequence"
                raise Wrong(words, input=f"shape (2, 5, 84), 4 heads; part {number}, head {head}")
    yield "each head has its own run of channels, for all positions, in the order q, k, v"

    # Of several positions and heads: of a single one, a copy in order would be no copy.
    filled = student.array(probe_write_into_heads, [1, 2, 12], 2, shape=(1, 2, 12))
    expected = np.broadcast_to(np.repeat([1.0, 2.0, 3.0], 4), (1, 2, 12))
    if not near(filled, expected):
        raise Wrong(
            "the parts are copies: the rule of causal_attention writes gradients into them, and "
            "what is written must arrive in the array they were cut from",
            input="zeros (1, 2, 12), 2 heads; then q is filled with 1, k with 2, v with 3",
            expected=expected,
            got=filled,
        )
    yield "the parts are views"


def heads_words(first):
    if first[0, 0] >= 4 and first[0, 0] < 12 and near(first[:, 0] % 100, np.full(3, first[0, 0])):
        return "the first part is not the queries: q, k and v stand side by side in this order"
    if near(first[0], [0.0, 2.0]) or near(first[0], [0.0, 6.0]):
        return "a head took channels that are not neighbours: head 0 has the first D of its part"
    if near(first[:, 0], [0.0, 100.0, 200.0]) and not near(first[:, 1], first[:, 0] + 1):
        return "the channels of a head are not D neighbours of one part"
    return (
        "positions are mixed up: a reshape reads memory in order and cannot swap axes; "
        "cut the channels first, then transpose"
    )


# --- 07.2: the weights ---


def probe_weights(mg, q, k):
    return mg.attention._attention_weights(q, k)


def rows(*values):
    """Rows of numbers as queries or keys of one sequence and one head: (1, 1, T, D)."""
    return np.array(values, np.float32)[None, None]


@check("07.2")
def attention_weights(student):
    nothing = np.zeros((1, 1, 3, 4), np.float32)
    shown = "queries and keys of zeros, (1, 1, 3, 4): all scores are equal"
    expected = [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [1 / 3, 1 / 3, 1 / 3]]
    got = student.array(probe_weights, nothing, nothing, shape=(1, 1, 3, 3))[0, 0]
    if not near(got, expected):
        raise Wrong(mask_words(got), input=shown, expected=expected, got=got)
    yield "each position sees itself and the past, and its weights sum to 1"

    # One score differs from 0: it is 2 ln 3, and divided by √4 it is ln 3.
    q, k = rows([0] * 4, [2, 0, 0, 0]), rows([0] * 4, [np.log(3), 0, 0, 0])
    got = student.array(probe_weights, q, k, shape=(1, 1, 2, 2))[0, 0, 1]
    if not near(got, [0.25, 0.75]):
        words = "the weights of these scores are wrong"
        if near(got, [0.1, 0.9]):
            words = "the scores are not divided by √D"
        elif near(got, [0.36602540, 0.63397460]):
            words = "the scores are divided by D; it is the root of D that keeps their spread at 1"
        elif near(got, [1 / 82, 81 / 82]):
            words = "the scores are multiplied by √D; they must be divided by it"
        elif near(got, [0.75, 0.25]):
            words = "the larger score must take the larger weight"
        raise Wrong(words, input={"q": q, "k": k}, expected=[0.25, 0.75], got=got)
    yield "scores are divided by √D"

    for queries, keys, last in (
        ([1000.0, 1000.0], [1.0, 0.0], [1.0, 0.0]),
        ([-1000.0, 1000.0], [1.0, 0.0], [1.0, 0.0]),  # the largest of a row, of no other
        ([1.0, 1.0], [0.0, 1000.0], [0.0, 1.0]),  # of what is not hidden
        ([-1000.0, -1000.0], [1.0, 1.0], [0.5, 0.5]),  # exp of all of them is 0
    ):
        q, k = rows(*([x] for x in queries)), rows(*([x] for x in keys))
        got, expected = student.array(probe_weights, q, k, shape=(1, 1, 2, 2))[0, 0], [[1, 0], last]
        if not near(got, expected):
            words = (
                "large scores overflow, or all of a row vanish: before exp take off the largest "
                "of the same row, among those that are not hidden"
            )
            raise Wrong(words, input={"q": q, "k": k}, expected=expected, got=got)
    yield "large scores do not overflow"

    for T, expected in ((2, [[1 / 3, 1 / 3, 1 / 3, 0.0], [0.25] * 4]), (1, [[0.25] * 4])):
        q, k = np.zeros((1, 1, T, 2), np.float32), np.zeros((1, 1, 4, 2), np.float32)
        got = student.array(probe_weights, q, k, shape=(1, 1, T, 4))[0, 0]
        if not near(got, expected):
            raise Wrong(
                "with a cache there are more keys than queries, and the queries are the last "
                "ones: the last of them sees every key",
                input=f"{T} queries and 4 keys of zeros",
                expected=expected,
                got=got,
            )
    yield "fewer queries than keys, as with a cache"

    rng = np.random.default_rng(2)
    q, k = rng.standard_normal((2, 3, 4, 5)), rng.standard_normal((2, 3, 6, 5))
    scores = np.einsum("bhtd,bhsd->bhts", q, k) / np.sqrt(5)
    expected = np.exp(scores) * np.tri(4, 6, 2)
    expected /= expected.sum(-1, keepdims=True)
    for dtype in ("float32", "float64"):
        got = student.array(probe_weights, q.astype(dtype), k.astype(dtype), shape=(2, 3, 4, 6))
        if not near(got, expected):
            raise Wrong(
                "with several texts and heads the weights are wrong: each head of each text is "
                "computed by itself, and D is the size of one head, the last axis",
                input="random q (2, 3, 4, 5) and k (2, 3, 6, 5)",
                expected=expected[1, 2],
                got=got[1, 2],
            )
        if got.dtype != dtype:
            raise Wrong(f"the weights are {got.dtype} where q is {dtype}")
    yield "several texts and heads, in the dtype of q"


def mask_words(got):
    if got[0, 1] == 0 and got[0, 2] == 0 and near(got.sum(0), [1.0, 1.0, 1.0]):
        return "columns sum to 1, not rows: the softmax runs along the keys, the last axis"
    if got[0, 2] > 0 and got[2, 0] == 0:
        return "the mask is the wrong way round: it hides the past and leaves the future open"
    if got[1, 1] == 0 or not np.isfinite(got[0, 0]):
        return "the diagonal is hidden: a position must be able to read itself"
    if near(got[0], [1 / 3, 0.0, 0.0]):
        return (
            "the rows do not sum to 1: the mask came after the softmax, whose sum ran over "
            "the future too"
        )
    if got[0, 1] > 0:
        return (
            "position 0 reads from position 1, which is its future: hidden scores must be -inf "
            "(0 is a score like any other)"
        )
    return "the rows are not the equal weights that equal scores give"


# --- 07.3: the cache ---


def portions(mg, sizes, room=4):
    """What `extend` gives back at each call, and the length; token n has key n and value 10 n."""
    cache = mg.attention.KeyValueCache(1, 1, room, 1)
    results, start = [], 1
    for size in sizes:
        k = np.arange(start, start + size, dtype=np.float32).reshape(1, 1, size, 1)
        result = cache.extend(k, 10 * k)
        if not isinstance(result, tuple | list) or len(result) != 2:
            return "no pair"
        results.append([np.array(part) for part in result] + [cache.length])
        start += size
    return results


def probe_portions(mg, sizes):
    return portions(mg, sizes)


def probe_many(mg, k, sizes):
    """What each call gives back; the store holds NaN where nothing was written."""
    B, H, T, D = k.shape
    cache = mg.attention.KeyValueCache(B, H, T + 1, D)
    cache.keys[...] = cache.values[...] = np.nan
    results, start = [], 0
    for size in sizes:
        new = k[:, :, start : start + size]
        results.append([np.array(part) for part in cache.extend(new, 10 * new)])
        start += size
    return results


def probe_full(mg, first, more):
    cache = mg.attention.KeyValueCache(1, 1, 4, 1)
    cache.extend(np.ones((1, 1, first, 1)), np.ones((1, 1, first, 1)))
    try:
        cache.extend(np.ones((1, 1, more, 1)), np.ones((1, 1, more, 1)))
    except ValueError as error:
        return ["ValueError" if "4" in str(error) else f"ValueError: {error}", cache.length]
    return ["no error", cache.length]


@check("07.3")
def cache_extends(student):
    shown = "room for 4 tokens; keys 1, 2 with values 10, 20; then key 3 with value 30"
    found = student.run(probe_portions, [2, 1])
    if not isinstance(found, list):
        raise Wrong("extend must return two arrays: all keys and all values", input=shown)
    k, v, length = found[0]
    if k.shape == (1, 1, 4, 1):
        raise Wrong(
            "the whole store comes back, with room that nobody has filled",
            input=shown,
            expected=(1, 1, 2, 1),
            got=k.shape,
        )
    if near(k.ravel(), [10.0, 20.0]) or near(v.ravel(), [1.0, 2.0]):
        raise Wrong("keys and values are exchanged", input=shown, expected=[1.0, 2.0], got=k)
    if not near(k.ravel(), [1.0, 2.0]) or not near(v.ravel(), [10.0, 20.0]):
        raise Wrong(
            "the first call must give back the keys and values that it was given",
            input=shown,
            expected=[[1.0, 2.0], [10.0, 20.0]],
            got=[k.ravel(), v.ravel()],
        )
    if length != 2:
        raise Wrong(
            "`length` does not count the tokens, so the next call would overwrite the first: it "
            "must grow with each call",
            input=shown,
            expected=2,
            got=length,
        )
    yield "the first tokens come back, and are counted"

    k, v, length = found[1]
    got, expected = [k.ravel(), v.ravel()], [[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]]
    if not near(got[0], expected[0]) or not near(got[1], expected[1]):
        words = "the second call must give back all tokens so far, in their order"
        if near(got[0], [3.0]):
            words = "only the new token comes back; attention needs those before it too"
        elif len(got[0]) and got[0][0] == 3:
            words = "the new token overwrote the first one: the cache must go on where it stopped"
        raise Wrong(words, input=shown, expected=expected, got=got)
    if length != 3:
        raise Wrong("`length` must count the tokens", input=shown, expected=3, got=length)
    yield "the next token is appended"

    for shape, words in (
        ((1, 1, 6, 1), "a later call may bring several tokens too: all of them are appended"),
        (
            (2, 3, 6, 5),
            "with several texts and heads the cache gives back something else: cut and "
            "write along the axis of the tokens, and all of the others",
        ),
    ):
        k = np.arange(1, 1 + np.prod(shape), dtype=np.float32).reshape(shape)
        for end, (keys, values) in zip((1, 4, 6), student.run(probe_many, k, [1, 3, 2])):
            expected = k[:, :, :end]
            if not near(keys, expected) or not near(values, 10 * expected):
                given = f"keys {shape} in calls of 1, 3 and 2 tokens; after {end} of them"
                raise Wrong(words, input=given, expected=expected, got=keys)
    yield "any number of tokens at a time, of several texts and heads"

    for first, more, expected in (
        (3, 1, ["no error", 4]),
        (4, 1, ["ValueError", 4]),
        (3, 2, ["ValueError", 3]),
    ):
        got = student.run(probe_full, first, more)
        if got != expected:
            words = "tokens without a place were taken, and no ValueError: they are lost silently"
            if expected[0] == "no error":
                words = "the last free place was refused: room for 4 means that 4 fit"
            elif got[0] != "no error":
                words = "the ValueError must give the capacity (4), and the length must stay"
            raise Wrong(
                words,
                input=f"room for 4 tokens, {first} are there, {more} more",
                expected=expected,
                got=got,
            )
    yield "it can be filled to the last place, and then says so"


# --- 07.4: the MLP ---


def probe_mlp(mg, bias):
    mlp = mg.attention.MLP(3, bias)
    return [[name, list(parameter.shape)] for name, parameter in mlp.named_parameters()]


def probe_middle(mg, x):
    return mg.attention.MLP(3).gelu(mg.array(x)).data


def probe_mlp_output(mg, x):
    return mg.attention.MLP(3)(mg.array(x)).data


@check("07.4")
def mlp(student):
    matrices = [["up_proj.weight", [12, 3]], ["down_proj.weight", [3, 12]]]
    found = student.run(probe_mlp, False)
    found = found if isinstance(found, list) else []
    if any(name.endswith("bias") for name, _ in found):
        raise Wrong("without being asked for, a bias is there", expected=matrices, got=found)
    if sorted(found) != sorted(matrices):
        sizes = [shape for _, shape in found]
        words = "the MLP needs the layers `up_proj` and `down_proj`, C -> 4C -> C"
        if sorted(sizes) == [[3, 3], [3, 3]]:
            words = "the layers are not wider in the middle: up_proj leads to 4C channels"
        elif sorted(found) == [["down_proj.weight", [12, 3]], ["up_proj.weight", [3, 12]]]:
            words = "the two layers are exchanged: up_proj goes from C to 4C, down_proj back"
        raise Wrong(words, input="MLP(3)", expected=matrices, got=found)
    yield "up to 4C and down to C"

    got = student.run(probe_mlp, True)
    expected = [
        ["up_proj.weight", [12, 3]],
        ["up_proj.bias", [12]],
        ["down_proj.weight", [3, 12]],
        ["down_proj.bias", [3]],
    ]
    if not isinstance(got, list) or sorted(got) != sorted(expected):
        words = "`bias=True` must give both layers a bias"
        if got == matrices:
            words = "the option `bias` is not handed on to the layers"
        raise Wrong(words, input="MLP(3, bias=True)", expected=expected, got=got)
    yield "biases only where they are asked for"

    x = np.array([-1.0, 0.0, 2.0], np.float32)
    got = student.array(probe_middle, x, shape=(3,))
    if not near(got, [-0.1588, 0.0, 1.9546], 1e-3):
        words = "`self.gelu` is not GELU: at -1 it is -0.159, a little below 0"
        if near(got, [0.0, 0.0, 2.0]):
            words = "`self.gelu` is ReLU, which passes nothing below 0"
        raise Wrong(words, input=x, expected=[-0.1588, 0.0, 1.9546], got=got)
    student.array(probe_mlp_output, np.ones((2, 5, 3), np.float32), shape=(2, 5, 3))
    yield "GELU in the middle, and (B, T, C) goes in and out"


# --- 07.5: the block ---


def probe_block(mg, x):
    """The block with parts that one can follow by hand: its value, the caches that attention was
    given, the numbers that dropout was given, and x afterwards."""
    block, caches, dropped = mg.attention.Block(4, 2), [], []

    def attn(z, cache=None):
        caches.append("no cache" if cache is None else cache)
        return z * 3.0

    def dropout(z):
        dropped.append(z.item())
        return z * 0.5

    block.ln1, block.attn = (lambda z: z + 1.0), attn
    block.ln2, block.ffn = (lambda z: z + 2.0), (lambda z: z * 7.0)
    block.dropout, stream = dropout, mg.array(x)
    value = block(stream, "the cache").data
    block(mg.array(x))
    return [value, caches, dropped, stream.data]


BLOCK_WORDS = {
    17.5: "the residuals are missing: what a part finds must be added to what came in",
    20.5: "attention's residual is missing: its result replaces x where it should be added",
    21.0: "the MLP's residual is missing: its result replaces x where it should be added",
    17.75: "this normalises after the addition (post-norm): each part reads a normalised copy, "
    "and the stream itself is never normalised",
    31.5: "the normalised copy was added to, and not x: the stream must run straight through",
    14.5: "the MLP reads what came into the block; it must read what attention has added to it",
    22.0: "attention's result was lost: the second addition must start from the first one's sum",
    21.5: "ln1 was used twice; the MLP has its own LayerNorm",
    70.0: "there is no dropout: it belongs on what each part adds",
    46.0: "the MLP's result goes without dropout",
    38.5: "attention's result goes without dropout",
    11.25: "the parts read x itself; each must read a normalised copy",
    30.25: "the MLP came before attention",
}


@check("07.5")
def block_forward(student):
    x = np.array([[[1.0]]], np.float32)
    shown = "x = 1; ln1 adds 1, attn multiplies by 3, ln2 adds 2, ffn by 7, dropout by 1/2"
    found = student.run(probe_block, x)
    value = found[0] if isinstance(found, list) and len(found) == 4 else None
    if not isinstance(value, np.ndarray) or value.shape != (1, 1, 1):
        raise Wrong("the block must return (B, T, C)", input=shown, got=value)
    if not near(value, [[[25.0]]]):
        words = BLOCK_WORDS.get(
            float(value.item()), "the two additions are not what the picture of the block shows"
        )
        raise Wrong(words, input=shown, expected=25.0, got=value.item())
    if not near(found[2], [6.0, 42.0] * 2):
        raise Wrong(
            "dropout is in the wrong place: it goes on what a part adds, not on what it reads",
            input=shown,
            expected=[6.0, 42.0] * 2,
            got=found[2],
        )
    if not near(found[3], x):
        raise Wrong(
            "the numbers of x itself have changed, and no gradient follows such a change: add "
            "tensors, x = x + …, and leave x.data alone",
            input=shown,
            expected=x,
            got=found[3],
        )
    yield "x + attention, then + MLP, each on a normalised copy, each with dropout"

    if found[1] != ["the cache", "no cache"]:
        raise Wrong(
            "the cache was not handed on to attention",
            input='block(x, "the cache"), then block(x)',
            expected=["the cache", "no cache"],
            got=found[1],
        )
    yield "the cache reaches attention"
