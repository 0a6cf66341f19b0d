"""What the exercises of lesson 07 must do: heads, weights, the cache, the MLP, the block."""

import numpy as np

from course.checks.vocabulary import Wrong, check, near, require

# --- 07.1: heads ---


def probe_heads(mg, qkv, num_heads):
    return list(mg.attention._heads(qkv, num_heads))


def probe_write_into_heads(mg, shape, num_heads):
    qkv = np.zeros(shape)
    for number, part in enumerate(mg.attention._heads(qkv, num_heads), 1):
        part[...] = number
    return qkv


def shapes(parts):
    return [np.shape(part) for part in parts]


@check("07.1")
def heads(student):
    # Every entry tells where it stood: 1000 · sequence + 100 · position + channel of 12.
    b, t, c = np.arange(2), np.arange(3), np.arange(12)
    qkv = 1000.0 * b[:, None, None] + 100.0 * t[:, None] + c  # (2, 3, 12)
    shown = "entries 1000 · sequence + 100 · position + channel, shape (2, 3, 12), 2 heads"
    student.hints = (
        (r"cannot reshape", "the last axis holds 3C channels: C is a third of it, and D is C / H"),
        (
            r"too many values to unpack.*\n.*np\.split",
            "np.split takes the number of parts; a tensor's `split` takes their size",
        ),
    )
    parts = student.run(probe_heads, qkv, 2, given=shown)
    require(len(parts), 3, "there must be three parts: queries, keys and values", input=shown)
    for part in parts:
        if not isinstance(part, np.ndarray):
            words = f"each part is an array; a {type(part).__name__} stands in the place of one"
            raise Wrong(words, input=shown)
    require(
        shapes(parts),
        [(2, 2, 3, 2)] * 3,
        "a part has the wrong shape: each is (B, H, T, D)",
        when={
            "the axes of positions and heads still have to change places": [(2, 3, 2, 2)] * 3,
            "position and channel have changed places: the order is (B, H, T, D)": (
                [(2, 2, 2, 3)] * 3
            ),
            "the channels are still in one piece: each part must be cut into heads": (
                lambda got: all(len(shape) == 3 for shape in got)
            ),
            "q, k and v must be cut along the channels, the last axis": (
                lambda got: len(set(map(tuple, got))) > 1 or got[0][-1] == 6
            ),
        },
        input=shown,
    )
    yield "three parts of (B, H, T, D)"

    require(
        parts[0][0, 0],  # (T, D): head 0 of the first sequence's queries
        [[0.0, 1.0], [100.0, 101.0], [200.0, 201.0]],
        "positions are mixed up: a reshape reads memory in order and cannot swap axes; "
        "cut the channels first, then transpose",
        when={
            "the first part is not the queries: q, k and v stand side by side in this order": (
                lambda got: 4 <= got[0, 0] < 12 and near(got[:, 0] % 100, np.full(3, got[0, 0]))
            ),
            "a head took channels that are not neighbours: head 0 has the first D of its part": (
                lambda got: near(got[0], [0, 2]) or near(got[0], [0, 6])
            ),
            "every third channel was taken: q, k and v are runs of C channels, side by side": (
                lambda got: near(got[0], [0, 3])
            ),
        },
        input=shown,
    )
    # No two of these numbers are equal: 2 sequences, 5 positions, 3 parts, 4 heads, 7 channels.
    qkv, shown = np.arange(2.0 * 5 * 84).reshape(2, 5, 84), "shape (2, 5, 84), 4 heads"
    parts = student.run(probe_heads, qkv, 4)
    words = "the axes are right only where some are equally long: each part is (B, H, T, D)"
    require(shapes(parts), [(2, 4, 5, 7)] * 3, words, input=shown)
    for number, part in enumerate(parts):
        for head in range(4):
            start = 28 * number + 7 * head
            require(
                part[:, head],
                qkv[:, :, start : start + 7],
                "a head has other channels than its own, or those of another sequence",
                when={
                    "the channels hold first all of q, then all of k, then all of v, and each of "
                    "these its heads: so the 3 stands before the heads": qkv[
                        :, :, 21 * head + 7 * number :
                    ][:, :, :7]
                },
                input=f"{shown}; part {number}, head {head}",
            )
    single = student.run(probe_heads, np.array([[[1.0, 2.0, 3.0]]]), 1)
    require(
        shapes(single),
        [(1, 1, 1, 1)] * 3,
        "axes of length 1 have gone: one sequence, one head or one position keeps its axis, so no "
        "squeeze",
        input="shape (1, 1, 3), 1 head",
    )
    yield "each head has its own run of channels, for all positions, in the order q, k, v"

    # Of several positions and heads: of a single one, a copy in order would be no copy.
    student.expect(
        probe_write_into_heads,
        [1, 2, 12],
        2,
        equals=np.broadcast_to(np.repeat([1.0, 2.0, 3.0], 4), (1, 2, 12)),
        otherwise="the parts are copies: the rule of causal_attention writes gradients into them, "
        "and what is written must arrive in the array they were cut from",
        given="zeros (1, 2, 12), 2 heads; then q is filled with 1, k with 2, v with 3",
    )
    yield "the parts are views"


# --- 07.2: the weights ---


def probe_weights(mg, q, k):
    return mg.attention._attention_weights(q, k)


def rows(*values):
    """Rows of numbers as queries or keys of one sequence and one head: (1, 1, T, D)."""
    return np.array(values, np.float32)[None, None]


@check("07.2")
def attention_weights(student):
    student.hints = (
        (r"NoneType", "`subtract_largest(x)` changes x itself and returns None: it stands alone"),
        (
            r"mismatch in its core dimension",
            "q (…, T, D) times the keys as (…, D, S); swapaxes(-1, -2) exchanges the last two axes, "
            "`.T` turns all four round",
        ),
        (
            r"operands could not be broadcast together",
            "scores and mask have T rows, one for each query, and S columns, one for each key",
        ),
        (
            r"^IndexError: index \d+ is out of bounds",
            "the scores have four axes (B, H, T, S), queries and keys the last two: s[:, :, t, …]",
        ),
        (r"no attribute 'softmax'", "write it out: exp, then each row divided by its sum"),
        (r"too many values to unpack", "q and k have four axes: (B, H, T, D) and (B, H, S, D)"),
    )

    def ask(q, k):
        return student.array(probe_weights, q, k, shape=(*q.shape[:-1], k.shape[-2]))

    nothing = np.zeros((1, 1, 3, 4), np.float32)
    require(
        ask(nothing, nothing)[0, 0],
        [[1.0, 0.0, 0.0], [0.5, 0.5, 0.0], [1 / 3, 1 / 3, 1 / 3]],
        "the rows are not the equal weights that equal scores give",
        when={
            "columns sum to 1, not rows: the softmax runs along the keys, the last axis": (
                lambda got: not got[0, 1:].any() and near(got.sum(0), [1.0, 1.0, 1.0])
            ),
            "the mask is the wrong way round: it hides the past and leaves the future open": (
                lambda got: got[0, 2] > 0 and not got[2, 0] > 0
            ),
            "every weight is nan: 0 · -inf is nan, so no mask of 0 and 1 can be multiplied by -inf. "
            "np.where(mask, -np.inf, scores) writes -inf only where it hides": (
                lambda got: np.isnan(got).all()
            ),
            "nan in the rows that hide a key: what is hidden is -inf (not inf), and the largest of "
            "each row is np.max(scores, axis=-1, keepdims=True) (Python's max compares whole rows)": (
                lambda got: np.isnan(got[1]).any() and np.isfinite(got[2]).all()
            ),
            "the sums of the softmax divide the columns: keep their axis, "
            "e.sum(axis=-1, keepdims=True)": [[1, 0, 0], [1, 0.5, 0], [1, 0.5, 1 / 3]],
            "the last step of the softmax is missing: each row is divided by its sum": np.tri(3),
            "the sum ran over all rows: each row has its own, e.sum(axis=-1, keepdims=True)": (
                lambda got: near(got.sum(), 1.0)
            ),
            "the weights were divided by √D; it is the scores that must be": np.tri(3)
            / [[2.0], [4.0], [6.0]],
            "these are the scores, with the future at -inf; the softmax is missing": (
                lambda got: got[0, 1] == -np.inf
            ),
            "the diagonal is hidden: a position must be able to read itself": (
                lambda got: got[1, 1] == 0 or not np.isfinite(got[0, 0])
            ),
            "the rows do not sum to 1: the mask came after the softmax, whose sum ran over the "
            "future too": lambda got: near(got[0], [1 / 3, 0.0, 0.0]),
            "position 0 reads from position 1, which is its future: hidden scores must be -inf (0 "
            "is a score like any other)": lambda got: got[0, 1] > 0,
        },
        input="queries and keys of zeros, (1, 1, 3, 4): all scores are equal",
    )
    yield "each position sees itself and the past, and its weights sum to 1"

    # Query 1 has one score that differs from 0: it is 2 ln 3, and divided by √4 it is ln 3. Key 1
    # has ln 3 too, and 3 ln 3 with query 0, which must not see it.
    q, k = rows([6, 0, 0, 0], [2, 0, 0, 0]), rows([0] * 4, [np.log(3), 0, 0, 0])
    require(
        ask(q, k)[0, 0, 1],
        [0.25, 0.75],
        "the weights of these scores are wrong",
        when={
            "the scores are not divided by √D, where D is the length of q's last axis": [0.1, 0.9],
            "the scores are divided by D; it is the root of D that keeps their spread at 1": [
                0.36602540,
                0.63397460,
            ],
            "the scores are divided by the root of another size: D is q's last axis, and neither T "
            "nor S": [0.17455065, 0.82544935],
            "the scores are multiplied by √D; they must be divided by it": [1 / 82, 81 / 82],
            "the larger score must take the larger weight": [0.75, 0.25],
            "row t must hold the scores of query t with all keys: q @ kᵀ, not k @ qᵀ": [0.9, 0.1],
            "the largest score of each row was taken off a column: keep its axis, "
            "s.max(axis=-1, keepdims=True)": [0.5, 0.5],
        },
        input={"q": q, "k": k},
    )
    yield "scores are divided by √D"

    for queries, keys, last in (
        ([1000.0, 1000.0], [1.0, 0.0], [1.0, 0.0]),
        ([-1000.0, 1000.0], [1.0, 0.0], [1.0, 0.0]),  # the largest of a row, of no other
        ([1.0, 1.0], [0.0, 1e5], [0.0, 1.0]),  # of what is not hidden
        ([-1000.0, -1000.0], [1.0, 1.0], [0.5, 0.5]),  # exp of all of them is 0
    ):
        q, k = rows(*([x] for x in queries)), rows(*([x] for x in keys))
        require(
            ask(q, k)[0, 0],
            [[1, 0], last],
            "large scores overflow, or all of a row vanish: before exp take off the largest of "
            "the same row, among those that are not hidden",
            when={
                "a hidden score of 100000 got a weight: only -inf hides every score, however large "
                "it is": lambda got: np.isfinite(got).all() and got[0, 1] > 0.5
            },
            input={"q": q, "k": k},
        )
    yield "large scores do not overflow"

    for T, expected in ((2, [[1 / 3, 1 / 3, 1 / 3, 0.0], [0.25] * 4]), (1, [[0.25] * 4])):
        q, k = np.zeros((1, 1, T, 2), np.float32), np.zeros((1, 1, 4, 2), np.float32)
        require(
            ask(q, k)[0, 0],
            expected,
            "with a cache there are more keys than queries, and the queries are the last ones: the "
            "last of them sees every key",
            input=f"{T} queries and 4 keys of zeros",
        )
    yield "fewer queries than keys, as with a cache"

    rng = np.random.default_rng(2)
    q, k = rng.standard_normal((2, 3, 4, 5)), rng.standard_normal((2, 3, 6, 5))
    scores = np.einsum("bhtd,bhsd->bhts", q, k) / np.sqrt(5)
    expected = np.exp(scores) * np.tri(4, 6, 2)
    expected /= expected.sum(-1, keepdims=True)
    for dtype in ("float32", "float64"):
        got = ask(q.astype(dtype), k.astype(dtype))
        require(
            got,
            expected,
            "with several texts and heads the weights are wrong: each head of each text is "
            "computed by itself, and D is the size of one head, the last axis",
            input="random q (2, 3, 4, 5) and k (2, 3, 6, 5)",
        )
        require(str(got.dtype), dtype, f"the weights are {got.dtype} where q is {dtype}")
    yield "several texts and heads, in the dtype of q"


# --- 07.3: the cache ---


def probe_portions(mg, shape, sizes, extra=0):
    """What each call gives back, and the length after it; all values are 10 times the keys.

    The store has `extra` places more than are needed, and holds NaN where nothing was written.
    """
    B, H, T, D = shape
    k = np.arange(1, 1 + np.prod(shape), dtype=np.float32).reshape(shape)
    cache = mg.attention.KeyValueCache(B, H, T + extra, D)
    cache.keys[...] = cache.values[...] = np.nan
    results, start = [], 0
    for size in sizes:
        new = k[:, :, start : start + size]
        keys, values = cache.extend(new, 10 * new)
        results.append([np.array(keys), np.array(values), cache.length])
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
    student.hints = (
        (
            r"could not broadcast input array from shape \(\d+,\d+,\d+\)",
            "several tokens need as many places: a slice that begins at `self.length`",
        ),
        (
            r"could not broadcast input array",
            "in (B, H, T, D) the tokens stand on axis 2, in `k` as in `self.keys`: count them, write "
            "them and cut them there",
        ),
        (
            r"^ValueError.*\nraise ",
            "there is room for these tokens. The capacity is the length of axis 2 of `self.keys`, "
            "and the store keeps this size",
        ),
        (r"^AssertionError|\nraise ", "a ValueError is asked for"),
    )
    first, second = student.run(probe_portions, [1, 1, 3, 1], [2, 1], 1, given=shown)

    def pair(keys, values, length):
        return [np.reshape(x, (1, 1, -1, 1)) for x in (keys, values)] + [length]

    require(
        first[:2],
        pair([1.0, 2.0], [10.0, 20.0], 2)[:2],
        "the first call must give back the keys and values that it was given",
        when={
            "the whole store comes back, with room that nobody has filled": (
                lambda got: got[0].shape == (1, 1, 4, 1)
            ),
            "the store has grown; its places are there from the beginning, so write into them": (
                lambda got: got[0].ndim == 4 and got[0].shape[2] > 4
            ),
            "keys and values are exchanged": pair([10.0, 20.0], [1.0, 2.0], 2)[:2],
            "the keys are right, but the values were not written": (
                lambda got: near(got[0].ravel(), [1.0, 2.0]) and np.isnan(got[1]).all()
            ),
            "the keys were written into the values too": (
                lambda got: near(got[0], got[1]) and near(got[0].ravel(), [1.0, 2.0])
            ),
            "what comes back are places where nothing was written: return those before the end": (
                lambda got: np.isnan(got[0]).all()
            ),
            "axes of length 1 have gone: all four axes (B, H, T, D) come back, so no squeeze": (
                lambda got: near(got[0], [1.0, 2.0])
            ),
        },
        input=shown,
    )
    require(
        first[2],
        2,
        "`length` does not count the tokens, so the next call would overwrite the first: it must "
        "grow with each call",
        input=shown,
    )
    yield "the first tokens come back, and are counted"

    require(
        second[:2],
        pair([1.0, 2.0, 3.0], [10.0, 20.0, 30.0], 3)[:2],
        "the second call must give back all tokens so far, in their order",
        when={
            "only the new token comes back; attention needs those before it too": (
                lambda got: near(got[0].ravel(), [3.0])
            ),
            "the new token overwrote the first one: the cache must go on where it stopped": (
                lambda got: got[0].ravel()[0] == 3
            ),
            "the place of the new token is empty: T tokens stand from `self.length` to "
            "`self.length` + T": lambda got: (
                near(got[0].ravel()[:2], [1.0, 2.0]) and np.isnan(got[0].ravel()[2:]).all()
            ),
        },
        input=shown,
    )
    require(second[2], 3, "`length` must count the tokens", input=shown)
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
        given = f"keys {shape} in calls of 1, 3 and 2 tokens"
        found = student.run(probe_portions, list(shape), [1, 3, 2], 1, given=given)
        for end, (keys, values, _) in zip((1, 4, 6), found):
            expected = [k[:, :, :end], 10 * k[:, :, :end]]
            require([keys, values], expected, words, input=f"{given}; after {end} of them")
    yield "any number of tokens at a time, of several texts and heads"

    for there, more, expected in (
        (3, 1, ["no error", 4]),
        (4, 1, ["ValueError", 4]),
        (3, 2, ["ValueError", 3]),
    ):
        words = "tokens without a place were taken, and no ValueError: they are lost silently"
        if expected[0] == "no error":
            words = "the last free place was refused: room for 4 means that 4 fit"
        student.expect(
            probe_full,
            there,
            more,
            equals=expected,
            otherwise=words,
            when={
                "tokens that were refused were counted: change `self.length` only where they fit": (
                    lambda got: expected[0] == got[0] == "ValueError"  # noqa: B023
                ),
                "it was found too late that not all of them fit: compare the end, `self.length` + T, "
                "with the capacity": lambda got: "broadcast" in got[0],
                "the ValueError must give the capacity (4), and the length must stay": (
                    lambda got: expected[0] != "no error" != got[0]  # noqa: B023
                ),
            },
            given=f"room for 4 tokens, {there} are there, {more} more",
        )
    yield "it can be filled to the last place, and then says so"


# --- 07.4: the MLP ---


def probe_mlp(mg, C, bias):
    mlp = mg.attention.MLP(C, bias)
    return {name: list(parameter.shape) for name, parameter in mlp.named_parameters()}


def probe_middle(mg, x):
    return mg.attention.MLP(3).gelu(mg.array(x)).data


def probe_mlp_output(mg, x):
    return mg.attention.MLP(3)(mg.array(x)).data


@check("07.4")
def mlp(student):
    matrices = {"up_proj.weight": [12, 3], "down_proj.weight": [3, 12]}
    student.expect(
        probe_mlp,
        3,
        False,
        equals=matrices,
        given="MLP(3)",
        otherwise="the MLP needs the layers `up_proj` and `down_proj`, C -> 4C -> C",
        when={
            "without being asked for, a bias is there": (
                lambda found: any(name.endswith("bias") for name in found)
            ),
            "the layers are not wider in the middle: up_proj leads to 4C channels": (
                lambda found: list(found.values()) == [[3, 3], [3, 3]]
            ),
            "no layer was found: each is kept in self, self.up_proj = …, whatever `bias` is": {},
            "the layers have other names than `up_proj` and `down_proj`, by which `forward` and "
            "saved weights find them": lambda found: (
                sorted(found.values()) == [[3, 12], [12, 3]]
                and not any(name.startswith("up_proj") for name in found)
            ),
            "down_proj reads what up_proj made, so it goes from 4C back to C": (
                lambda found: (
                    found.get("up_proj.weight") == [12, 3]
                    and found.get("down_proj.weight") == [3, 3]
                )
            ),
            "the two layers are exchanged: up_proj goes from C to 4C, down_proj back": {
                "up_proj.weight": [3, 12],
                "down_proj.weight": [12, 3],
            },
        },
    )
    student.expect(
        probe_mlp,
        5,
        False,
        equals={"up_proj.weight": [20, 5], "down_proj.weight": [5, 20]},
        otherwise="the sizes are right for C = 3 only: compute them from `embedding_dim`",
        given="MLP(5)",
    )
    yield "up to 4C and down to C"

    student.expect(
        probe_mlp,
        3,
        True,
        equals=matrices | {"up_proj.bias": [12], "down_proj.bias": [3]},
        otherwise="`bias=True` must give both layers a bias",
        when={"the option `bias` is not handed on to the layers": matrices},
        given="MLP(3, bias=True)",
    )
    yield "biases only where they are asked for"

    student.expect(
        probe_middle,
        np.array([-1.0, 0.0, 2.0], np.float32),
        equals=[-0.1588, 0.0, 1.9546],
        otherwise="`self.gelu` is not GELU: at -1 it is -0.159, a little below 0",
        when={"`self.gelu` is ReLU, which passes nothing below 0": [0.0, 0.0, 2.0]},
        tolerance=1e-3,
    )
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

    def ffn(z, *more):
        caches.extend(["the MLP"] * len(more))
        return z * 5.0

    def dropout(z):
        dropped.append(z.item())
        return z * 0.5

    block.ln1, block.attn = (lambda z: z + 2.0), attn
    block.ln2, block.ffn = (lambda z: z + 4.0), ffn
    block.dropout, stream = dropout, mg.array(x)
    value = block(stream, "the cache").data
    block(mg.array(x))
    return [value, caches, dropped, stream.data]


def probe_block_gradient(mg, x):
    """The gradient that reaches x through the same block."""
    block = mg.attention.Block(4, 2)
    block.ln1, block.attn = (lambda z: z + 2.0), (lambda z, cache=None: z * 3.0)
    block.ln2, block.ffn = (lambda z: z + 4.0), (lambda z, *_: z * 5.0)
    block.dropout, stream = (lambda z: z * 0.5), mg.array(x, requires_grad=True)
    block(stream).sum().backward()
    return stream.grad


ON_SUM = "dropout is on the stream itself: it goes on what a part adds, before the sum"
BLOCK_WORDS = {
    "the residuals are missing: what a part finds must be added to what came in": 21.25,
    "attention's residual is missing: its result replaces x where it should be added": 25.75,
    "the MLP's residual is missing: its result replaces x where it should be added": 23.75,
    "this normalises after the addition (post-norm): each part reads a normalised copy, and the "
    "stream itself is never normalised": 19.75,
    "the normalised copy was added to, and not x: the stream must run straight through": 40.25,
    "x was replaced by its normalised copies, and nothing goes through dropout": 96.0,
    "the MLP reads what came into the block; it must read what attention has added to it": 18.0,
    "attention's result was lost: the second addition must start from the first one's sum": 24.75,
    "ln1 was used twice; the MLP has its own LayerNorm": 24.25,
    "there is no dropout: it belongs on what each part adds": 80.0,
    "the MLP's result goes without dropout": 53.0,
    "attention's result goes without dropout": 45.0,
    "the parts read x itself; each must read a normalised copy": 8.75,
    "the MLP came before attention": 36.75,
    "the MLP reads attention's result alone; it must read the sum of that and x": 26.75,
    "attention's result is not added to x: the MLP must read the sum, and so must the second addition": 22.25,
    "LayerNorm comes after the part: each part must read a normalised copy, part(norm(x))": 14.25,
    "both parts read the same copy; the MLP reads ln2 of what attention has added to": 13.0,
    "ln2 reads the copy that ln1 made; it must read what attention has added to": 23.0,
    "there is one addition for both parts: each adds its own result to the stream": 33.5,
    "nothing was added to x: a part leaves x alone and returns what is to be added": 1.0,
    "ln1 and ln2 are exchanged: attention has ln1, the MLP ln2": 34.75,
    "the MLP reads the stream itself; it must read a normalised copy, ln2 of it": 19.25,
    "attention reads the stream itself; it must read a normalised copy, ln1 of it": 18.75,
}


@check("07.5")
def block_forward(student):
    x = np.array([[[1.0]]], np.float32)
    shown = "x = 1; ln1 adds 2, attn multiplies by 3, ln2 adds 4, ffn by 5, dropout by 1/2"
    value, caches, dropped, after = student.run(probe_block, x)
    require(np.shape(value), (1, 1, 1), "the block must return (B, T, C)", input=shown)
    require(
        value.item(),
        29.25,
        "the two additions are not what the picture of the block shows",
        when={
            ON_SUM: lambda _: dropped in ([10.0, 50.0] * 2, [80.0] * 2),
            **BLOCK_WORDS,
            "nothing goes through self.dropout, which goes on what each part adds": (
                lambda _: not dropped
            ),
            "dropout goes on what each part adds, and nowhere else: it is used more than twice": (
                lambda _: len(dropped) > 4
            ),
        },
        input=shown,
    )
    require(
        dropped,
        [9.0, 47.5] * 2,
        "dropout is in the wrong place: it goes on what a part adds, not on what it reads",
        input=shown,
    )
    require(
        after,
        x,
        "the numbers of x itself have changed, and no gradient follows such a change: add tensors, "
        "x = x + …, and leave x.data alone",
        input=shown,
    )
    student.expect(
        probe_block_gradient,
        x,
        equals=[[[8.75]]],  # (1 + 3/2) (1 + 5/2)
        otherwise="the value is right, but the gradient takes another way back: add the tensors "
        "themselves, since .data hands on numbers without their history",
        given=shown,
    )
    yield "x + attention, then + MLP, each on a normalised copy, each with dropout"

    require(
        caches,
        ["the cache", "no cache"],
        "the cache was not handed on to attention",
        when={
            "the MLP was given the cache: only attention takes it": lambda _: "the MLP" in caches
        },
        input='block(x, "the cache"), then block(x)',
    )
    yield "the cache reaches attention"
