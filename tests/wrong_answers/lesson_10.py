"""Right and wrong answers to the exercises of lesson 10."""

from tests.wrong_answers import Answers, Mistake

ANSWERS = {
    "10.1": Answers(
        right=[
            """
root = np.sqrt((x**2).mean(-1, keepdims=True) + eps)
n = x / root

def rule_x(g):
    h = g * weight
    return h / root - x * (h * x).sum(-1, keepdims=True) / (x.shape[-1] * root**3)

def rule_weight(g):
    return (g * n).sum(axis=tuple(range(x.ndim - 1)))

return n * weight, rule_x, rule_weight
""",
            """
rows = x.reshape(-1, x.shape[-1])
scale = (np.einsum("ij,ij->i", rows, rows)[:, None] / rows.shape[1] + eps) ** -0.5
normal = rows * scale

def rule_x(g):
    h = g.reshape(rows.shape) * weight
    h = h - normal * (h * normal).mean(1, keepdims=True)
    return (h * scale).reshape(x.shape)

def rule_weight(g):
    return np.einsum("ij,ij->j", g.reshape(rows.shape), normal)

return (normal * weight).reshape(x.shape), rule_x, rule_weight
""",
        ],
        wrong=[
            Mistake(
                "the sum of the squares",
                change=("np.mean(x * x", "np.sum(x * x"),
                says="the squares are summed",
                advice="Which of the two does not depend on the number of channels?",
            ),
            Mistake(
                "no root",
                change=(
                    "1 / np.sqrt(np.mean(x * x, axis=-1, keepdims=True) + eps)",
                    "1 / (np.mean(x * x, axis=-1, keepdims=True) + eps)",
                ),
                says="the root is missing",
                advice="A vector ten times as long must come out the same: try it.",
            ),
            Mistake(
                "the mean taken off, as in layer norm",
                change=("scale = 1 /", "x = x - x.mean(-1, keepdims=True)\nscale = 1 /"),
                says="as in layer norm",
                advice="RMS norm changes the length of a vector only.",
            ),
            Mistake(
                "eps outside of the root",
                """
root = np.sqrt(np.mean(x * x, axis=-1, keepdims=True)) + eps
normal = x / root

def rule_x(g):
    h = g * weight
    return (h - normal * np.mean(h * normal, axis=-1, keepdims=True)) / root

def rule_weight(g):
    return (g * normal).reshape(-1, len(weight)).sum(0)

return normal * weight, rule_x, rule_weight
""",
                says="eps stands outside",
                advice="The formula has eps under the root, and published weights expect it there.",
            ),
            Mistake(
                "the root a constant",
                change=(
                    "return scale * (h - normal * np.mean(h * normal, axis=-1, keepdims=True))",
                    "return scale * h",
                ),
                says="treats the root as a constant",
                advice="Each entry acts on all entries of its vector through the root.",
            ),
            Mistake(
                "the weight forgotten on the way back",
                change=("h = g * weight", "h = g"),
                says="lacks the weight",
                advice="The value is n times w: what reaches n is g times w.",
            ),
            Mistake(
                "the gradient of the weight from x",
                change=("(g * normal).reshape", "(g * x).reshape"),
                says="not the normalised x",
                advice="What does the weight multiply in the forward pass?",
            ),
            Mistake(
                "the gradient of the weight not summed",
                change=("(g * normal).reshape(-1, len(weight)).sum(0)", "g * normal"),
                says="one number for each channel|should be|shape",
                advice="The weight is used by every vector, so it gets the sum.",
            ),
        ],
        equivalent={"line 9: 1 → 2 (column 33)": "NumPy reads the size -2 as -1"},
    ),
    "10.2": Answers(
        right=[
            """
s = 1 / (1 + np.exp(-gate))
return (
    gate * s * up,
    lambda g: g * up * s * (1 + gate * (1 - s)),
    lambda g: g * gate * s,
)
""",
            """
half = 0.5 * (1 + np.tanh(0.5 * gate))
slope = half + gate * half * (1 - half)
value = gate * half
return value * up, lambda g: slope * (g * up), lambda g: value * g
""",
        ],
        wrong=[
            Mistake(
                "the sigmoid in the place of silu",
                change=("silu = gate * sigmoid", "silu = sigmoid"),
                says="only the sigmoid passes",
                advice="silu(a) is a times sigmoid(a). Draw both.",
            ),
            Mistake(
                "gate and up exchanged",
                """
s = 1 / (1 + np.exp(-up))
return up * s * gate, lambda g: g * up * s, lambda g: g * gate * (s + up * s * (1 - s))
""",
                says="silu is taken of the gate",
                advice="The first argument is the gate.",
            ),
            Mistake(
                "the sign of the exponent",
                change=("np.exp(-gate)", "np.exp(gate)"),
                says="the sign in the sigmoid",
                advice="The sigmoid of a large number is 1.",
            ),
            Mistake(
                "the sigmoid a constant",
                change=("g * up * (sigmoid + silu * (1 - sigmoid))", "g * up * sigmoid"),
                says="depends on the gate too",
                advice="a · sigmoid(a) is a product of two things that both depend on a.",
            ),
            Mistake(
                "the slope of the sigmoid alone",
                change=("(sigmoid + silu * (1 - sigmoid))", "sigmoid * (1 - sigmoid)"),
                says="has two terms",
                advice="Product rule: the slope of the first times the second, plus the other way.",
            ),
            Mistake(
                "up forgotten in the rule of the gate",
                change=("return g * up * (sigmoid", "return g * (sigmoid"),
                says="lacks up",
                advice="The gradient of one factor contains the other.",
            ),
            Mistake(
                "the rule of up with the sigmoid",
                change=("return g * silu", "return g * sigmoid"),
                says="g times the sigmoid",
                advice="What stands beside up in the value?",
            ),
            Mistake(
                "a slope that overflows",
                change=(
                    "(sigmoid + silu * (1 - sigmoid))",
                    "(sigmoid + gate * np.exp(-gate) * sigmoid**2)",
                ),
                says="far from zero a gradient is nan",
                advice="What is exp(200) in float32, and that times 0?",
            ),
            Mistake(
                "squeezed",
                change=("return silu * up", "return np.squeeze(silu * up)"),
                says="an axis of size 1 is gone",
                advice="Try one row, of shape (1, 3): which shape is promised?",
            ),
        ],
    ),
    "10.3": Answers(
        right=[
            """
def turned(x, by):
    cos, sin = by.real[:, None].astype(x.dtype), by.imag[:, None].astype(x.dtype)
    result = np.array(x)
    a, b = x[:, :, :heads, ::2], x[:, :, :heads, 1::2]
    result[:, :, :heads, ::2] = a * cos - b * sin
    result[:, :, :heads, 1::2] = a * sin + b * cos
    return result

return turned(x, by), lambda g: turned(g, np.conj(by))
""",
            """
def turned(x, by):
    kind = np.result_type(x.dtype, np.complex64)
    first = np.ascontiguousarray(x[:, :, :heads]).view(kind) * by[None, :, None, :].astype(kind)
    rest = x[:, :, heads:] if heads is not None else x[:, :, :0]
    return np.concatenate([first.view(x.dtype), rest], axis=2)

return turned(x, by), lambda g: turned(g, 1 / by)
""",
        ],
        wrong=[
            Mistake(
                "turned the wrong way",
                change=(
                    "return turned(x, by), lambda g: turned(g, by.conj())",
                    "return turned(x, by.conj()), lambda g: turned(g, by)",
                ),
                says="the wrong way",
                advice="Turn the pair (1, 0) by a quarter by hand.",
            ),
            Mistake(
                "halves in the place of neighbours",
                """
def turned(x, by):
    half = x.shape[-1] // 2
    cos, sin = by.real[:, None], by.imag[:, None]
    result = np.array(x)
    a, b = x[:, :, :heads, :half], x[:, :, :heads, half:]
    result[:, :, :heads, :half] = a * cos - b * sin
    result[:, :, :heads, half:] = a * sin + b * cos
    return result

return turned(x, by), lambda g: turned(g, by.conj())
""",
                says="halves are turned",
                advice="Channels 0 and 1 make the first pair in the files that we read.",
            ),
            Mistake(
                "no axis for the heads",
                change=("*= by[:, None]", "*= by"),
                says="^(?!it fails).*match the broadcast shape",
                advice="Write the shapes beside each other: (B, T, N, D / 2) and (T, D / 2).",
            ),
            Mistake(
                "all heads turned",
                change=("pairs[:, :, :heads] *=", "pairs *="),
                says="the heads behind",
                advice="The values are the last heads, and they must not be turned.",
            ),
            Mistake(
                "turned forward on the way back",
                change=("turned(g, by.conj())", "turned(g, by)"),
                says="forward once more",
                advice="The rule of a rotation is the rotation back.",
            ),
            Mistake(
                "the gradient as it came",
                change=("lambda g: turned(g, by.conj())", "lambda g: g"),
                says="g itself",
                advice="The value is turned against the input, so the gradient is too.",
            ),
            Mistake(
                "always complex64",
                change=("np.result_type(x.dtype, np.complex64)", "np.complex64"),
                says="it fails in float64",
                advice="A complex64 is two float32; two float64 are a complex128.",
            ),
            Mistake(
                "g copied as it lies",
                """
complex_numbers = np.result_type(x.dtype, np.complex64)

def turned(x, by, order):
    result = x.copy(order=order)
    pairs = result.view(complex_numbers)
    pairs[:, :, :heads] *= by[:, None]
    return result

return turned(x, by, "C"), lambda g: turned(g, by.conj(), "K")
""",
                says="g does not lie in order|View|itemsize|last axis must be contiguous",
                advice="Does a gradient always lie in memory in the order of its axes?",
            ),
        ],
    ),
    "10.4": Answers(
        right=[
            """
K, D = num_kv_heads, qkv.shape[3]
G = (qkv.shape[2] - 2 * K) // K
heads = qkv.swapaxes(1, 2)  # (B, N, T, D)
B, _, T, _ = heads.shape
q = heads[:, : G * K].reshape(B, K, G, T, D)
return q, heads[:, G * K : -K, None], heads[:, -K:, None]
""",
            """
K = num_kv_heads
q, k, v = np.split(qkv, [qkv.shape[2] - 2 * K, qkv.shape[2] - K], axis=2)

def grouped(part):
    B, T, N, D = part.shape
    return part.reshape(B, T, K, N // K, D).transpose(0, 2, 3, 1, 4)

return grouped(q), grouped(k), grouped(v)
""",
        ],
        wrong=[
            Mistake(
                "every K-th head in a group",
                change=(
                    "q = qkv[:, :, :H].reshape(B, T, K, H // K, D)",
                    "q = qkv[:, :, :H].reshape(B, T, H // K, K, D).swapaxes(2, 3)",
                ),
                says="every second head",
                advice="The last of the two new axes varies fastest: it must be the place in the group.",
            ),
            Mistake(
                "no axis of length 1",
                """
K = num_kv_heads
B, T, N, D = qkv.shape
H = N - 2 * K
q = qkv[:, :, :H].reshape(B, T, K, H // K, D).transpose(0, 2, 3, 1, 4)
k, v = qkv[:, :, H : H + K], qkv[:, :, H + K :]
return q, k.swapaxes(1, 2), v.swapaxes(1, 2)
""",
                says="lack the axis of length 1",
                advice="Broadcasting compares axes from the right: write both shapes down.",
            ),
            Mistake(
                "keys repeated",
                """
K = num_kv_heads
B, T, N, D = qkv.shape
H = N - 2 * K
q = qkv[:, :, :H].reshape(B, T, K, H // K, D).transpose(0, 2, 3, 1, 4)
k, v = (np.repeat(part[:, :, :, None], H // K, axis=3).transpose(0, 2, 3, 1, 4)
        for part in (qkv[:, :, H : H + K], qkv[:, :, H + K :]))
return q, k, v
""",
                says="needs no copies",
                advice="That is what grouped queries save. Leave the axis at length 1.",
            ),
            Mistake(
                "keys and values exchanged",
                change=(
                    "k, v = qkv[:, :, H : H + K, None], qkv[:, :, H + K :, None]",
                    "v, k = qkv[:, :, H : H + K, None], qkv[:, :, H + K :, None]",
                ),
                says="keys and values are exchanged",
                advice="First the queries, then the keys, then the values.",
            ),
            Mistake(
                "copies",
                change=("for part in (q, k, v))", "for part in (q.copy(), k.copy(), v.copy()))"),
                says="the parts are copies",
                advice="Slices, reshape of a whole axis, transpose: none of them needs a copy.",
            ),
        ],
    ),
    "10.5": Answers(
        right=[
            """
if store is not None and end <= store.shape[-2]:
    return store
before = 0 if store is None else store.shape[-2]
shape = list(new.shape)
shape[-2] = min(self.limit, max(64, 2 * before, end))
larger = np.zeros(shape, dtype=new.dtype)
if before:
    larger[..., :before, :] = store
return larger
""",
            """
if store is None:
    store = new[..., :0, :]
elif end <= store.shape[-2]:
    return store
room = min(max(end, 2 * store.shape[-2], 64), self.limit)
more = np.empty((*new.shape[:-2], room - store.shape[-2], new.shape[-1]), new.dtype)
return np.concatenate([store, more], axis=-2)
""",
        ],
        wrong=[
            Mistake(
                "room for what comes only",
                change=("max(end, 2 * room, 64)", "max(end, 64)"),
                says="grows by what comes only",
                advice="Count the copies for a thousand tokens, one at a time.",
            ),
            Mistake(
                "64 more each time",
                change=("max(end, 2 * room, 64)", "max(end, room + 64)"),
                says="grows by 64 only",
                advice="Count the copies for eight thousand tokens.",
            ),
            Mistake(
                "the limit forgotten",
                change=("min(max(end, 2 * room, 64), self.limit)", "max(end, 2 * room, 64)"),
                says="larger than the limit",
                advice="What can never be filled should not be asked for.",
            ),
            Mistake(
                "the old tokens lost",
                change=("grown[..., : self.length, :] = store[..., : self.length, :]", "pass"),
                says="what was kept is lost",
                advice="A new array holds whatever lay in memory there.",
            ),
            Mistake(
                "too early",
                change=("if end <= room:", "if end < room:"),
                says="still a place for the last token",
                advice="With room for 64, the 64th token fits.",
            ),
            Mistake(
                "a copy for every token",
                change=("    return store\n", "    return store.copy()\n"),
                says="the store itself is returned",
                advice="The caller writes into what you return; a copy costs as much as the whole cache.",
            ),
            Mistake(
                "np.resize, which repeats the numbers",
                """
room = 0 if store is None else store.shape[-2]
if end <= room:
    return store
larger = min(max(end, 2 * room, 64), self.limit)
return np.resize(new if store is None else store, (*new.shape[:-2], larger, new.shape[-1]))
""",
                says="the first head is right",
                advice="Try np.resize on an array of shape (2, 3): what stands in its second row?",
            ),
        ],
    ),
    "10.6": Answers(
        right=[
            "return self.layer(x) + linear(linear(x, self.A), self.B) * self.scale",
            """
thin = x @ self.A.transpose(0, 1)
return self.layer(x) + (thin @ self.B.transpose(0, 1)) * self.scale
""",
        ],
        wrong=[
            Mistake(
                "without the layer",
                change=("self.layer(x) + ", ""),
                says="layer's own result is missing",
                advice="At first nothing may change: what comes out while B is zero?",
            ),
            Mistake(
                "without the scale",
                change=("self.scale * ", ""),
                says="the scale is not used",
                advice="The scale is the s of the formula.",
            ),
            Mistake(
                "the scale on everything",
                "return self.scale * (self.layer(x) + linear(linear(x, self.A), self.B))",
                says="multiplies the layer's result too",
                advice="The layer stays as it is.",
            ),
            Mistake(
                "A and B without their gradients",
                "return self.layer(x) + self.scale * linear(linear(x, self.A.data), self.B.data)",
                says="gets no gradient",
                advice="An array is a constant: only tensors are recorded.",
            ),
            Mistake(
                "the weight in the place of the layer",
                "return linear(x, self.layer.weight) + self.scale * linear(linear(x, self.A), self.B)",
                says="bias belongs to its result",
                advice="A layer is called: self.layer(x).",
            ),
            Mistake(
                "a function between A and B",
                change=(
                    "linear(x, self.A)",
                    "linear(x, self.A) * linear(x, self.A).data.clip(0, 1)",
                ),
                says="several rows, a bias and a rank of 2",
                advice="Two matrices in a row are one matrix. Which step of yours is none?",
            ),
        ],
    ),
}
