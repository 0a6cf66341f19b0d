"""What the exercises of lesson 10 must do, on vectors short enough to be worked out by hand."""

import numpy as np

from course.checks.vocabulary import Wrong, check, near, require


def slopes(value, x, step=1e-3):
    """The gradient of a number `value(x)` by central differences, in float64."""
    result = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        nudge = np.zeros_like(x)
        nudge[index] = step
        result[index] = (value(x + nudge) - value(x - nudge)) / (2 * step)
    return result


# --- 10.1: RMS norm ---


def probe_rms_norm(mg, x, weight, eps):
    return mg.llama_layers.rms_norm(x, weight, eps=eps).data


def probe_rms_gradients(mg, x, weight, g, eps, what):
    """The gradient of x or of the weight, given the gradient g of the value; rules are used twice."""
    parts = {name: mg.Tensor(part, requires_grad=True) for name, part in (("x", x), ("w", weight))}
    value = mg.llama_layers.rms_norm(parts["x"], parts["w"], eps=eps)
    rules = [rule for _, rule in value.inputs]
    first = rules[what](g)
    again = rules[what](2 * g)
    return [first, again / 2]


def rms_norm_value(x, weight, eps):
    return x / np.sqrt(np.mean(x * x, -1, keepdims=True) + eps) * weight


@check("10.1")
def rms_norm(student):
    ones = np.ones(2, np.float32)
    student.expect(
        probe_rms_norm,
        np.array([3.0, 4.0], np.float32),
        ones,
        0.0,
        equals=np.array([3.0, 4.0], np.float32) / np.sqrt(np.float32(12.5)),
        otherwise="a vector is divided by the root of the mean of its squares",
        when={
            "the squares are summed: it is their mean, the sum divided by C": [0.6, 0.8],
            "the root is missing": np.array([3.0, 4.0]) / 12.5,
            "the mean is subtracted, as in layer norm: RMS norm leaves it": lambda got: (
                got[0] < 0 < got[1]
            ),
            "the vector is multiplied by the root, not divided": np.array([3, 4]) * np.sqrt(12.5),
        },
        dtype=np.float32,
        shape=(2,),
    )
    yield "divided by the root of the mean of the squares"
    student.expect(
        probe_rms_norm,
        np.array([1.0, -1.0], np.float32),
        ones,
        3.0,
        equals=[0.5, -0.5],
        otherwise="eps is added to the mean of the squares before the root is taken",
        when={"eps stands outside of the root": [0.25, -0.25], "eps has no effect": [1.0, -1.0]},
    )
    student.expect(
        probe_rms_norm,
        np.array([1.0, -1.0], np.float32),
        np.array([2.0, 3.0], np.float32),
        0.0,
        equals=[2.0, -3.0],
        otherwise="each channel is multiplied by its weight",
        when={"the weight has no effect": [1.0, -1.0]},
    )
    yield "eps inside of the root, and the weight"
    rng = np.random.default_rng(0)
    for shape in ((4, 3), (2, 4, 3), (2, 1, 4, 3)):
        x, w, g = rng.standard_normal(shape), rng.standard_normal(3), rng.standard_normal(shape)
        student.expect(
            probe_rms_norm,
            x,
            w,
            0.5,
            equals=rms_norm_value(x, w, 0.5),
            otherwise="each vector, along the last axis, has a mean of its own: axis=-1, keepdims=True",
            given=f"random numbers of shape {shape}",
            shape=shape,
        )
    yield "each vector by itself, whatever axes stand before"
    for shape in ((3,), (4, 3), (2, 4, 3)):
        x, w, g = rng.standard_normal(shape), rng.standard_normal(3), rng.standard_normal(shape)
        shown = f"random numbers of shape {shape}, eps = 0.5"
        s = 1 / np.sqrt(np.mean(x * x, -1, keepdims=True) + 0.5)
        right = slopes(lambda x, w=w, g=g: (g * rms_norm_value(x, w, 0.5)).sum(), x)
        for got in student.run(probe_rms_gradients, x, w, g, 0.5, 0, given=shown):
            require(
                got,
                right,
                "the gradient of x is not the slope of the value, as central differences give it",
                when={
                    "the gradient of x treats the root as a constant: it depends on x too": g
                    * w
                    * s,
                    "the gradient of x lacks the weight: h = g · w is the gradient of n": s
                    * (g - x * s * np.mean(g * x * s, -1, keepdims=True)),
                    "the part along n has the wrong sign: it is taken off": s
                    * (g * w + x * s * np.mean(g * w * x * s, -1, keepdims=True)),
                    "a factor s is missing in the gradient of x": g * w
                    - x * s * np.mean(g * w * x * s, -1, keepdims=True),
                },
                input=shown,
                tolerance=1e-4,
            )
        of_weight = (g * x * s).reshape(-1, 3).sum(0)
        for got in student.run(probe_rms_gradients, x, w, g, 0.5, 1, given=shown):
            require(
                np.shape(got),
                (3,),
                "the gradient of the weight has one number for each channel: sum over all other axes",
                input=shown,
            )
            require(
                got,
                of_weight,
                "the gradient of the weight is g times the normalised vector, summed over all vectors",
                when={
                    "the gradient of the weight takes x, and not the normalised x": (g * x)
                    .reshape(-1, 3)
                    .sum(0)
                },
                input=shown,
            )
    yield "the gradients of x and of the weight"
    for dtype in (np.float32, np.float64):
        x = np.array([[1, 2], [3, 4]], dtype)
        got = student.run(probe_rms_norm, x, ones.astype(dtype), 1e-5)
        require(str(got.dtype), str(x.dtype), "the value has another dtype than x")
    yield "in the dtype of x"


# --- 10.2: SwiGLU ---


def probe_swiglu(mg, gate, up):
    return mg.llama_layers.swiglu(gate, up).data


def probe_swiglu_gradients(mg, gate, up, g):
    """The gradients of gate and up, given the gradient g of the value."""
    a, b = (mg.Tensor(part, requires_grad=True) for part in (gate, up))
    return [rule(g) for _, rule in mg.llama_layers.swiglu(a, b).inputs]


def silu(a):
    return a / (1 + np.exp(-a))


@check("10.2")
def swiglu(student):
    a, b = np.array([0.0, 1.0, -2.0]), np.array([5.0, 2.0, 3.0])
    student.expect(
        probe_swiglu,
        a,
        b,
        equals=silu(a) * b,
        otherwise="silu(gate) is gate times its sigmoid, and is multiplied by up",
        when={
            "only the sigmoid passes: silu is gate times its sigmoid": b / (1 + np.exp(-a)),
            "gate and up are exchanged: silu is taken of the gate": silu(b) * a,
            "up is missing": silu(a),
            "silu is missing: gate times up": a * b,
            "the sign in the sigmoid is wrong: 1 / (1 + exp(-gate))": a * b / (1 + np.exp(a)),
            "silu and up are added: a gate multiplies": silu(a) + b,
        },
        shape=(3,),
    )
    yield "silu of the gate, times up"
    student.expect(
        probe_swiglu,
        a[None],
        b[None],
        equals=[silu(a) * b],
        otherwise="an axis of size 1 is gone: a batch of one keeps its axes, so squeeze nothing",
    )
    rng = np.random.default_rng(1)
    gate, up, g = (3 * rng.standard_normal((2, 3, 4)) for _ in range(3))
    shown = "random numbers of shape (2, 3, 4)"
    student.expect(
        probe_swiglu,
        gate,
        up,
        equals=silu(gate) * up,
        otherwise="it is wrong with more axes",
        given=shown,
    )
    got = student.run(probe_swiglu_gradients, gate, up, g, given=shown)
    require(len(got), 2, "there are two rules: of gate and of up", input=shown)
    s = 1 / (1 + np.exp(-gate))
    require(
        got[1],
        g * silu(gate),
        "the gradient of up is g times the other factor, silu(gate)",
        when={
            "the gradients of gate and up are exchanged": lambda value: near(
                value, slopes(lambda x: (g * silu(x) * up).sum(), gate), 1e-4
            ),
            "the rule of up lacks g": silu(gate),
            "the rule of up gives g times the sigmoid: the other factor is silu": g * s,
        },
        input=shown,
    )
    yield "the gradient of up"
    require(
        got[0],
        slopes(lambda x: (g * silu(x) * up).sum(), gate),
        "the gradient of gate is not the slope of the value, as central differences give it",
        when={
            "the rule of gate lacks up": g * (s + gate * s * (1 - s)),
            "the rule of gate is g · up · sigmoid: the sigmoid depends on the gate too": g * up * s,
            "the slope of the sigmoid alone is taken: silu is a product, and has two terms": g
            * up
            * s
            * (1 - s),
            "the second term of the slope lacks the factor gate": g * up * (s + s * (1 - s)),
            "the rule of gate lacks g": up * (s + gate * s * (1 - s)),
        },
        input=shown,
        tolerance=1e-4,
    )
    yield "the gradient of the gate"
    far = np.array([-200.0, 200.0], np.float32)
    student.expect(
        probe_swiglu,
        far,
        np.ones(2, np.float32),
        equals=[0.0, 200.0],
        otherwise="far from zero silu is 0 or the number itself",
        dtype=np.float32,
    )
    for gradient in student.run(probe_swiglu_gradients, far, far, np.ones(2, np.float32)):
        require(
            bool(np.isfinite(gradient).all()),
            True,
            "far from zero a gradient is nan: exp overflows there, and inf / inf or 0 · inf is nan. "
            "Write the slope with the sigmoid s, which stays between 0 and 1",
            input={"gate": far, "up": far, "g": [1.0, 1.0]},
            expected="finite gradients",
        )
    yield "far from zero, in float32"


# --- 10.3: rotation ---


def probe_rotate(mg, x, angles, heads):
    """x with its pairs turned by angles (T, D / 2)."""
    by = np.exp(1j * np.asarray(angles)).astype(np.complex64 if x.dtype == np.float32 else complex)
    return mg.llama_layers.rotate(x, by, heads).data


def probe_rotate_gradient(mg, x, angles, heads, g):
    """What its rule makes of g, twice; the second time g does not lie in order in memory."""
    by = np.exp(1j * np.asarray(angles))
    ((_, rule),) = mg.llama_layers.rotate(mg.Tensor(x, requires_grad=True), by, heads).inputs
    return [rule(g), rule(g.copy().swapaxes(2, 3).copy().swapaxes(2, 3))]


def turned(x, angles, heads):
    """x (B, T, N, D) with the pairs of its first heads turned."""
    cos, sin = np.cos(angles)[:, None], np.sin(angles)[:, None]
    result = np.array(x, np.float64)
    a, b = x[:, :, :heads, ::2], x[:, :, :heads, 1::2]
    result[:, :, :heads, ::2], result[:, :, :heads, 1::2] = a * cos - b * sin, a * sin + b * cos
    return result


@check("10.3")
def rotate(student):
    quarter, half = np.pi / 2, np.pi
    x = np.arange(1, 9, dtype=np.float32).reshape(1, 2, 1, 4)
    # Position 0 stays; at position 1 the first pair is turned by a quarter, the second by a half.
    angles = np.array([[0.0, 0.0], [quarter, half]])
    shown = "1 … 8 as 2 positions of 4 channels; position 1: a quarter and a half turn"
    rows = [[1.0, 2.0, 3.0, 4.0], [-6.0, 5.0, -7.0, -8.0]]
    got = student.run(probe_rotate, x, angles, None, given=shown)
    require(np.shape(got), (1, 2, 1, 4), "the value has the shape of x, and is real", input=shown)
    require(
        got[0, :, 0],
        rows,
        "each pair of neighbouring channels is multiplied by the number of its position and pair",
        when={
            "it is turned the wrong way": [rows[0], [6.0, -5.0, -7.0, -8.0]],
            "halves are turned: the pairs here are neighbours, channels 0 and 1, 2 and 3": lambda got: (
                near(got[1, 0], -7.0)
            ),
            "nothing is turned": x[0, :, 0],
            "all positions are turned alike: `by` has a row for each": lambda got: (
                not near(got[0], rows[0])
            ),
        },
        input=shown,
    )
    try:
        student.run(probe_rotate, x.astype(np.float64), angles, None, given=shown)
    except Wrong as wrong:
        raise Wrong(
            "it fails in float64: two float32 are a complex64, two float64 a complex128, and "
            f"np.result_type(x.dtype, np.complex64) knows which (it was: {wrong.words})"
        ) from None
    yield "neighbouring pairs, each by the angle of its position"
    rng = np.random.default_rng(2)
    # No two of these numbers are equal: 2 sequences, 3 positions, 5 heads, 4 pairs.
    x, g = rng.standard_normal((2, 2, 3, 5, 8))
    angles = rng.uniform(-3, 3, (3, 4))
    for heads in (None, 5, 4, 1):
        shown = f"random x (2, 3, 5, 8), heads = {heads}"
        student.expect(
            probe_rotate,
            x,
            angles,
            heads,
            equals=turned(x, angles, heads),
            otherwise="with several texts and heads it is wrong: `by` needs an axis for the heads",
            when={
                "the heads behind the first `heads` are turned too, and should stay": lambda got: (
                    near(got, turned(x, angles, None))
                )
            },
            given=shown,
            shape=x.shape,
        )
    yield "all texts, and the first heads only"
    for heads in (None, 2):
        shown = f"random g (2, 3, 5, 8), heads = {heads}"
        for got in student.run(probe_rotate_gradient, x, angles, heads, g, given=shown):
            require(
                got,
                turned(g, -angles, heads),
                "the gradient is g, turned back by the same angles",
                when={
                    "the gradient is turned forward once more: turn it back, by.conj()": turned(
                        g, angles, heads
                    ),
                    "the gradient is g itself": g,
                    "the gradient of all heads is turned back, also of those that stayed": turned(
                        g, -angles, None
                    ),
                },
                input=shown,
            )
    yield "the gradient is turned back"
    for dtype in (np.float32, np.float64):
        some = x.astype(dtype)
        got = student.run(probe_rotate, some, angles, 2, given=f"x of {np.dtype(dtype)}")
        require(str(got.dtype), np.dtype(dtype).name, "the value has another dtype than x")
        lying = np.ascontiguousarray(some.swapaxes(2, 3)).swapaxes(2, 3)
        require(
            student.run(probe_rotate, lying, angles, 2, given="x whose axes were swapped"),
            turned(x, angles, 2),
            "an x that does not lie in order in memory is turned wrongly: copy it in order "
            '(x.copy(order="C")) before it is looked at as complex numbers',
            tolerance=1e-4,
        )
    yield "in the dtype of x, however it lies in memory"


# --- 10.4: grouped heads ---


def probe_group_heads(mg, qkv, num_kv_heads):
    return list(mg.llama_layers.group_heads(qkv, num_kv_heads))


def probe_write_into_groups(mg, shape, num_kv_heads):
    qkv = np.zeros(shape)
    for number, part in enumerate(mg.llama_layers.group_heads(qkv, num_kv_heads), 1):
        part[...] = number
    return qkv


@check("10.4")
def group_heads(student):
    # Every entry tells where it stood: 100 · position + 10 · head + channel.
    t, n, d = np.arange(2), np.arange(8), np.arange(3)
    qkv = (100.0 * t[:, None, None] + 10.0 * n[:, None] + d)[None]  # (1, 2, 8, 3): H = 4, K = 2
    shown = "entries 100 · position + 10 · head + channel, shape (1, 2, 8, 3), K = 2"
    parts = student.run(probe_group_heads, qkv, 2, given=shown)
    require(len(parts), 3, "there must be three parts: queries, keys and values", input=shown)
    shapes = [np.shape(part) for part in parts]
    require(
        shapes,
        [(1, 2, 2, 2, 3), (1, 2, 1, 2, 3), (1, 2, 1, 2, 3)],
        "a part has the wrong shape: queries are (B, K, G, T, D), keys and values (B, K, 1, T, D)",
        when={
            "the keys and values lack the axis of length 1, on which broadcasting works": lambda got: (
                [len(shape) for shape in got] == [5, 4, 4]
            ),
            "each key is repeated for its group: an axis of length 1 needs no copies": lambda got: (
                got[1] == (1, 2, 2, 2, 3)
            ),
        },
        input=shown,
    )
    heads = [[int(part[0, k, place, 0, 0]) // 10 for k in range(2) for place in range(np.shape(part)[2])]
             for part in parts]  # fmt: skip
    require(
        heads,
        [[0, 1, 2, 3], [4, 5], [6, 7]],
        "a part has other heads than its own",
        when={
            "the groups take every second head: the first G query heads are group 0": [
                [0, 2, 1, 3],
                [4, 5],
                [6, 7],
            ],
            "keys and values are exchanged": [[0, 1, 2, 3], [6, 7], [4, 5]],
            "keys and values stand first here: the queries are the first H heads": lambda got: (
                got[0][0] != 0
            ),
        },
        input=shown,
    )
    yield "the queries in groups, each beside its keys"
    rng = np.random.default_rng(3)
    for B, T, H, K, D in ((2, 5, 6, 3, 4), (3, 2, 4, 1, 5), (2, 3, 2, 2, 1), (1, 1, 1, 1, 2)):
        qkv = rng.standard_normal((B, T, H + 2 * K, D))
        shown = f"random qkv with B = {B}, T = {T}, H = {H}, K = {K}, D = {D}"
        got = student.run(probe_group_heads, qkv, K, given=shown)
        for part, start, group in zip(got, (0, H, H + K), (H // K, 1, 1)):
            right = [
                [qkv[:, :, start + k * group + place] for place in range(group)] for k in range(K)
            ]
            right = np.moveaxis(np.array(right), 2, 0)  # (B, K, G, T, D)
            require(
                np.shape(part),
                right.shape,
                "the axes are right only where some are equal",
                input=shown,
            )
            require(part, right, "positions, heads or texts are mixed up", input=shown)
    yield "for all sizes"
    student.expect(
        probe_write_into_groups,
        [1, 2, 4, 3],
        1,
        equals=np.broadcast_to(np.array([1.0, 1.0, 2.0, 3.0])[:, None], (1, 2, 4, 3)),
        otherwise="the parts are copies: the rule of grouped_attention writes gradients into them, "
        "and what is written must arrive in the array they were cut from",
        given="zeros (1, 2, 4, 3), K = 1; then the queries are filled with 1, keys with 2, values with 3",
    )
    yield "the parts are views"


# --- 10.5: the cache ---


def probe_cache(mg, sizes, limit, shape):
    """For each portion: the keys so far, whether values are 10 times those, and the room."""
    axes, dtype = shape
    cache, results, start = mg.llama_layers.GrowingCache(limit), [], 1
    for size in sizes:
        heads = np.arange(1, 1 + np.prod(axes), dtype=dtype).reshape(*axes, 1, 1)
        k = np.arange(start, start + size, dtype=dtype)[:, None] * heads  # no two heads are equal
        keys, values = cache.extend(k, 10 * k)
        right = bool(np.array_equal(values, 10 * keys))
        results.append([np.array(keys), right, int(cache.keys.shape[-2])])
        start += size
    return results


def probe_stays(mg, sizes):
    """Whether the store stays the same object while there is room."""
    cache, stores = mg.llama_layers.GrowingCache(1000), []
    for size in sizes:
        k = np.zeros((1, size, 1), np.float32)
        cache.extend(k, k)
        stores.append(cache.keys)
    return [a is b for a, b in zip(stores, stores[1:])]


def probe_rooms(mg, sizes, limit):
    """The room after each portion."""
    cache, rooms = mg.llama_layers.GrowingCache(limit), []
    for size in sizes:
        k = np.zeros((1, size, 1), np.float32)
        cache.extend(k, k)
        rooms.append(int(cache.keys.shape[-2]))
    return rooms


@check("10.5")
def growing_cache(student):
    def rooms(sizes, limit, equals, otherwise, when=None):
        shown = f"portions of {', '.join(map(str, sizes))} tokens, limit {limit}"
        student.expect(
            probe_rooms, sizes, limit, equals=equals, otherwise=otherwise, when=when, given=shown
        )

    rooms(
        [3],
        1000,
        [64],
        "the first room is for 64 tokens, unless more come at once",
        {"the first room is for the first tokens only: at least 64": [3]},
    )
    yield "room for 64 at first"
    rng_sizes = [60, 10, 1, 70, 2]
    shown = "portions of 60, 10, 1, 70 and 2 tokens"
    for axes, dtype in (([2, 3, 1], "float32"), ([1], "float64")):
        total = 0
        for size, (keys, right, _) in zip(
            rng_sizes, student.run(probe_cache, rng_sizes, 1000, [axes, dtype], given=shown)
        ):
            total += size
            require(
                np.shape(keys),
                (*axes, total, 1),
                "the store has other axes than what is appended: take them from `new`",
                input=shown,
            )
            require(
                np.asarray(keys).reshape(-1, total),
                np.arange(1.0, 1 + np.prod(axes))[:, None] * np.arange(1.0, total + 1),
                "what was kept is lost when the room grows: copy the old tokens to the front",
                when={
                    "the first head is right, and in others is what is not theirs: np.resize and "
                    "np.reshape read memory in order, and know nothing of axes": lambda got: near(
                        got[0], np.arange(1.0, got.shape[1] + 1)
                    )
                },
                input=shown,
            )
            require(right, True, "the values are not those that were appended", input=shown)
            require(str(keys.dtype), dtype, "the store has another dtype than what is appended")
    yield "what was there stays"
    rooms(
        [64, 1, 63, 1],
        1000,
        [64, 128, 128, 256],
        "when it is full the room doubles, and not before",
        {
            "the room grows although there is still a place for the last token": lambda got: (
                got[0] != 64 or got[2] != 128
            ),
            "the room grows by what comes only: double it, or every token copies everything": [
                64,
                65,
                128,
                129,
            ],
            "the room grows by 64 only: double it": [64, 128, 128, 192],
        },
    )
    rooms(
        [10, 300],
        1000,
        [64, 310],
        "more tokens than twice the room come at once: the room is for all of them",
    )
    rooms([300, 1], 1000, [300, 600], "more than 64 tokens come first: the room is for all of them")
    yield "doubled when it is full"
    rooms(
        [64, 1],
        100,
        [64, 100],
        "there is never room for more than the limit",
        {"the room is larger than the limit: memory for tokens that can never come": [64, 128]},
    )
    rooms([3], 10, [10], "a limit below 64 is the room")
    rooms([100], 100, [100], "the limit itself is allowed")
    yield "never more than the limit"
    student.expect(
        probe_stays,
        [1, 5, 58, 1],
        equals=[True, True, False],
        otherwise="while there is room, the store itself is returned: a copy for each token is what "
        "this exercise avoids",
        given="portions of 1, 5, 58 and 1 tokens: is the store still the same array?",
    )
    yield "no copy while there is room"


# --- 10.6: LoRA ---


def probe_lora(mg, x, weight, bias, A, B, scale):
    return _lora(mg, weight, bias, A, B, scale)(mg.Tensor(x)).data


def _lora(mg, weight, bias, A, B, scale):
    layer = mg.nn.Linear(len(weight[0]), len(weight), bias=bias is not None)
    layer.weight.data = np.asarray(weight, np.float32)
    if bias is not None:
        layer.bias.data = np.asarray(bias, np.float32)
    for parameter in layer.parameters():
        parameter.requires_grad = False
    lora = mg.lora.LoRA(layer, rank=len(A), scale=scale)
    lora.A.data, lora.B.data = np.asarray(A, np.float32), np.asarray(B, np.float32)
    return lora


def probe_lora_gradients(mg, x, weight, A, B, scale, g):
    """The gradients of A and B, and whether the layer has none."""
    lora = _lora(mg, weight, None, A, B, scale)
    (lora(mg.Tensor(x)) * mg.Tensor(g)).sum().backward()
    parts = [lora.A.grad, lora.B.grad]
    if any(part is None for part in parts):
        return [part is not None for part in parts]
    return [*parts, lora.layer.weight.grad is None]


@check("10.6")
def lora(student):
    x, W = np.array([[1.0, 2.0]], np.float32), [[1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
    none, A, B = [[0.0]] * 3, [[1.0, 3.0]], [[1.0], [10.0], [100.0]]
    student.expect(
        probe_lora,
        x,
        W,
        None,
        A,
        none,
        2.0,
        equals=[[1.0, 2.0, 3.0]],
        otherwise="while B is zero the result is the layer's own",
        when={
            "the layer's own result is missing": [[0.0, 0.0, 0.0]],
            "the scale multiplies the layer's result too": [[2.0, 4.0, 6.0]],
        },
    )
    yield "with B = 0 the layer's own result"
    student.expect(
        probe_lora,
        x,
        W,
        None,
        A,
        B,
        1.0,
        equals=[[8.0, 72.0, 703.0]],
        otherwise="what is added is (x Aᵀ) Bᵀ: first A, then B",
        when={
            "A and B have no effect": [[1.0, 2.0, 3.0]],
            "the layer's own result is missing": [[7.0, 70.0, 700.0]],
            "what is added is subtracted": [[-6.0, -68.0, -697.0]],
        },
    )
    student.expect(
        probe_lora,
        x,
        W,
        None,
        A,
        B,
        0.5,
        equals=[[4.5, 37.0, 353.0]],
        otherwise="what is added is multiplied by the scale, and nothing else is",
        when={
            "the scale is not used": [[8.0, 72.0, 703.0]],
            "the scale multiplies the layer's result, and not what is added": [[7.5, 71.0, 701.5]],
            "what is added is divided by the scale": [[15.0, 142.0, 1403.0]],
        },
    )
    yield "the thin product, times the scale"
    rng = np.random.default_rng(4)
    x, W, A, B, bias = (
        rng.standard_normal(shape).astype(np.float32)
        for shape in ((2, 3, 4), (5, 4), (2, 4), (5, 2), (5,))
    )
    student.expect(
        probe_lora,
        x,
        W,
        bias,
        A,
        B,
        3.0,
        equals=x @ W.T + bias + 3 * (x @ A.T) @ B.T,
        otherwise="it is wrong with several rows, a bias and a rank of 2",
        when={
            "a layer's bias belongs to its result: call the layer, and not its weight": x @ W.T
            + 3 * (x @ A.T) @ B.T,
            "what is added is divided by the rank: the scale is used as it is": x @ W.T
            + bias
            + 1.5 * (x @ A.T) @ B.T,
        },
        given="random x (2, 3, 4), a layer with bias, rank 2, scale 3",
        tolerance=1e-4,
    )
    yield "all axes, and a layer with a bias"
    g = rng.standard_normal((2, 3, 5)).astype(np.float32)
    shown = "random numbers, rank 2, scale 3"
    words = "A or B gets no gradient: compute with the tensors themselves, not with their `.data`"
    try:
        got = student.run(probe_lora_gradients, x, W, A, B, 3.0, g, given=shown)
    except Wrong:
        raise Wrong(words, input=shown) from None
    require(len(got), 3, words, input=shown)
    rows, grads = x.reshape(-1, 4), g.reshape(-1, 5)
    words = "the gradients of A and B are not those of scale · (x Aᵀ) Bᵀ"
    require(got[0], 3 * (grads @ B).T @ rows, words, input=shown, tolerance=1e-3)
    require(got[1], 3 * grads.T @ (rows @ A.T), words, input=shown, tolerance=1e-3)
    require(got[2], True, "the layer's frozen weight got a gradient", input=shown)
    yield "A and B learn, the layer does not"
