"""Right and wrong answers to the exercises of lesson 07."""

from tests.wrong_answers import Answers, Mistake

SHAPES = "B, T, C = qkv.shape[0], qkv.shape[1], qkv.shape[2] // 3\n"
SCORES = "T, S, D = q.shape[-2], k.shape[-2], q.shape[-1]\n"
SOFTMAX = """
e = np.exp(s - s.max(-1, keepdims=True))
return e / e.sum(-1, keepdims=True)
"""
HIDE = "s = s + np.triu(np.full((T, S), -np.inf, s.dtype), k=S - T + 1)\n"

ANSWERS = {
    "07.1": Answers(
        right=[
            SHAPES + "parts = np.split(qkv, 3, axis=2)\n"
            "return tuple(p.reshape(B, T, num_heads, -1).swapaxes(1, 2) for p in parts)",
            SHAPES + "D = C // num_heads\n"
            "z = qkv.reshape(B, T, 3 * num_heads, D).swapaxes(1, 2)\n"
            "H = num_heads\n"
            "return z[:, :H], z[:, H : 2 * H], z[:, 2 * H :]",
        ],
        wrong=[
            Mistake(
                "reshape in the place of a transpose",
                of=0,
                change=(
                    "p.reshape(B, T, num_heads, -1).swapaxes(1, 2)",
                    "p.reshape(B, num_heads, T, -1)",
                ),
                says="positions are mixed up",
                advice="Have them print one row with numbers that tell their place.",
            ),
            Mistake(
                "no transpose",
                change=("transpose(2, 0, 3, 1, 4)", "transpose(2, 0, 1, 3, 4)"),
                says="change places",
                advice="A batch of matrix products needs the heads before the positions.",
            ),
            Mistake(
                "a tensor's transpose",
                of=0,
                change=("swapaxes(1, 2)", "transpose(1, 2)"),
                says="takes all axes in their new order",
                advice="The draft's line is for tensors; what is given here is a NumPy array.",
            ),
            Mistake(
                "a tensor's view",
                change=("qkv.reshape(", "qkv.view("),
                says="`view` changes the dtype",
                advice="NumPy's reshape is a view whenever it can be one.",
            ),
            Mistake(
                "heads that take every second channel",
                change=(
                    "num_heads, C // num_heads).transpose(2, 0, 3, 1, 4)",
                    "C // num_heads, num_heads).transpose(2, 0, 4, 1, 3)",
                ),
                says="not neighbours",
                advice="The last axis varies fastest: it must be D.",
            ),
            Mistake(
                "values first",
                change=("1, 4)", "1, 4)[::-1]"),
                says="not the queries",
                advice="The order is a promise between in_proj, this helper and its callers.",
            ),
            Mistake(
                "copies",
                change=(
                    ("return qkv", "return np.ascontiguousarray(qkv"),
                    ("3, 1, 4)", "3, 1, 4))"),
                ),
                says="copies",
                advice="The rule fills an empty array through these views; see section 7.",
            ),
            Mistake(
                "the number of heads where their size belongs",
                change=("num_heads, C // num_heads)", "-1, num_heads)"),
                says="only where some are equally long",
                advice="Try it with 4 heads of 7 channels.",
            ),
            Mistake(
                "axes of length 1 squeezed out",
                of=0,
                change=("swapaxes(1, 2)", "swapaxes(1, 2).squeeze()"),
                says="no squeeze",
                advice="One head, one text, one token: each is a case that sampling meets.",
            ),
            Mistake(
                "3C taken for C",
                change=("qkv.shape[2] // 3", "qkv.shape[2]"),
                says="C is a third of it",
                advice="Three parts of C channels stand side by side in the last axis.",
            ),
            Mistake(
                "the size of a part given to np.split",
                of=0,
                change=("np.split(qkv, 3, axis=2)", "q, k, v = np.split(qkv, C, axis=2)"),
                says="np.split takes the number of parts",
                advice="The draft splits a tensor, whose `split` takes sizes.",
            ),
            Mistake(
                "np.split without its axis",
                of=0,
                change=("np.split(qkv, 3, axis=2)", "np.split(qkv, 3)"),
                says="without an axis it cuts the first",
                advice="Which axis holds 3C numbers?",
            ),
            Mistake(
                "q, k and v cut along the texts",
                of=0,
                change=("np.split(qkv, 3, axis=2)", "[qkv[:C], qkv[C : 2 * C], qkv[2 * C :]]"),
                says="cut along the channels",
                advice="Have them print the shapes of the three parts.",
            ),
            Mistake(
                "three parts, no heads",
                of=0,
                change=("p.reshape(B, T, num_heads, -1).swapaxes(1, 2)", "p"),
                says="still in one piece",
                advice="Ask for the shape of one part; how many axes has the result?",
            ),
            Mistake(
                "the heads before the three",
                change=(
                    ("3, num_heads, C // num_heads", "num_heads, 3, C // num_heads"),
                    ("(2, 0, 3, 1, 4)", "(3, 0, 2, 1, 4)"),
                ),
                says="the 3 stands before the heads",
                advice="A head is a part of q; q, k and v are no parts of a head.",
            ),
            Mistake(
                "positions last",
                change=("3, 1, 4)", "3, 4, 1)"),
                says="position and channel have changed places",
                advice="The key is turned round later, where it meets the queries.",
            ),
            Mistake(
                "a letter of the text as a name",
                change=("num_heads, C // num_heads", "H, C // H"),
                says="a letter of the text",
                advice="What does the function know? Its two arguments, and what it computes from them.",
            ),
            Mistake(
                "every third channel",
                of=0,
                change=("np.split(qkv, 3, axis=2)", "[qkv[:, :, i::3] for i in range(3)]"),
                says="every third channel",
                advice="Which channels of 12 belong to q: 0 to 3, or 0, 3, 6, 9?",
            ),
        ],
    ),
    "07.2": Answers(
        right=[
            SCORES + "s = q @ k.swapaxes(-1, -2) / np.sqrt(D).astype(q.dtype)\n" + HIDE + SOFTMAX,
            SCORES + "s = np.einsum('bhtd,bhsd->bhts', q, k) * D**-0.5\n"
            "hidden = np.arange(S)[None, :] > np.arange(S - T, S)[:, None]\n"
            "s = np.where(hidden, q.dtype.type(-np.inf), s)" + SOFTMAX,
        ],
        wrong=[
            Mistake(
                "the mask the wrong way round",
                change=(("np.triu(", "np.tril("), ("k=S - T + 1", "k=S - T - 1")),
                says="wrong way round",
                advice="Row looks, column is looked at: which triangle is the future?",
            ),
            Mistake(
                "the diagonal hidden",
                of=0,
                change=("k=S - T + 1", "k=S - T"),
                says="diagonal is hidden",
                advice="What is position 0 left with? The first column hidden is S - T + 1.",
            ),
            Mistake(
                "the mask after the softmax",
                of=0,
                change=(
                    (HIDE, ""),
                    (
                        "return e / e.sum(-1, keepdims=True)",
                        "return np.tril(e / e.sum(-1, keepdims=True), k=S - T)",
                    ),
                ),
                says="mask came after the softmax",
                advice="Add up a row; section 4 shows how the future leaks through the sum.",
            ),
            Mistake(
                "no mask",
                of=0,
                change=(HIDE, ""),
                says="which is its future",
                advice="The loss will be too good to be true.",
            ),
            Mistake(
                "a mask of ones times minus infinity",
                of=0,
                change=(
                    "np.triu(np.full((T, S), -np.inf, s.dtype), k=S - T + 1)",
                    "np.triu(np.ones((T, S), s.dtype), k=S - T + 1) * -np.inf",
                ),
                says="0 · -inf is nan",
                advice="Have them print the mask: what stands in its triangle?",
            ),
            Mistake(
                "Python's own max",
                of=0,
                change=("s.max(-1, keepdims=True)", "max(s)"),
                says="compares whole rows",
                advice="`max(s)` is a whole table here, and -inf - (-inf) is nan.",
            ),
            Mistake(
                "sums that lost their axis",
                of=0,
                change=("e.sum(-1, keepdims=True)", "e.sum(-1)"),
                says="divide the columns",
                advice="Each row should sum to 1; here T = S hides the wrong broadcast.",
            ),
            Mistake(
                "a tensor's method on a NumPy array",
                of=1,
                change=(
                    "s = np.where(hidden, q.dtype.type(-np.inf), s)",
                    "s = s.masked_fill(hidden, -np.inf)",
                ),
                says="a method of tensors",
                advice="Inside an operation there are arrays only; np.where fills by a mask.",
            ),
            Mistake(
                "the mask as an index of two axes",
                of=1,
                change=("s = np.where(hidden, q.dtype.type(-np.inf), s)", "s[hidden] = -np.inf"),
                says="an index is not broadcast",
                advice="s has four axes, and the mask stands for the last two: s[..., hidden].",
            ),
            Mistake(
                "the package by the notebook's name",
                of=1,
                change=(
                    "s = np.where(hidden",
                    "hidden = mg.array(hidden).data\ns = np.where(hidden",
                ),
                says="the exported module does not",
                advice="In the notebook the cell runs; the module imports np, math and nn.",
            ),
            Mistake(
                "a large number in the place of infinity",
                of=0,
                change=("-np.inf", "-1e4"),
                says="only -inf hides every score",
                advice="A score may be larger than any number that one thinks of.",
            ),
            Mistake(
                "1/D",
                change=("1 / math.sqrt(D)", "1 / D"),
                says="divided by D;",
                advice="Variances add up, so the spread grows with the root of D.",
            ),
            Mistake(
                "no scale",
                change=("scores *= 1 / math.sqrt(D)\n", ""),
                says="not divided",
                advice="Section 5: the softmax saturates and passes no gradient on.",
            ),
            Mistake(
                "q itself scaled",
                change=(
                    ("scores = q", "q *= 1 / math.sqrt(D)\nscores = q"),
                    ("scores *= 1 / math.sqrt(D)\n", ""),
                ),
                says="that the function was given has changed",
                advice="q is a view of qkv: whoever writes into it changes what the caller holds.",
            ),
            Mistake(
                "the largest score of all rows taken off",
                of=0,
                change=("s.max(-1, keepdims=True)", "s.max()"),
                says="largest of the same row",
                advice="If row 1 reaches 1000 and row 0 only -1000, what is left of row 0?",
            ),
            Mistake(
                "softmax along the queries",
                of=0,
                change=(("s.max(-1", "s.max(-2"), ("e.sum(-1", "e.sum(-2")),
                says="columns sum to 1",
                advice="Each query shares out 1 among the keys: which axis holds the keys?",
            ),
            Mistake(
                "the root of all channels",
                change=("math.sqrt(D)", "math.sqrt(q.shape[1] * D)"),
                says="several texts and heads",
                advice="A score is a sum over one head's D products, not over all C.",
            ),
            Mistake(
                "a mask in float64",
                of=0,
                change=("-np.inf, s.dtype)", "-np.inf)"),
                says="are float64 where q is float32",
                advice="np.full makes float64 unless it is told a dtype.",
            ),
            Mistake(
                "always float32",
                change=("return weights", "return weights.astype(np.float32)"),
                says="are float32 where q is float64",
                advice="Gradients are checked in float64: take the dtype from q.",
            ),
            Mistake(
                "no softmax",
                of=0,
                change=(SOFTMAX, "\nreturn s"),
                says="these are the scores",
                advice="Scores are any numbers; does a row sum to 1?",
            ),
            Mistake(
                "keys times queries",
                of=0,
                change=("q @ k.swapaxes(-1, -2)", "k @ q.swapaxes(-1, -2)"),
                says="not k @ qᵀ",
                advice="Row = who looks. Where T and S agree, no shape betrays it.",
            ),
            Mistake(
                "a largest score that lost its axis",
                of=0,
                change=("s.max(-1, keepdims=True)", "s.max(-1)"),
                says="taken off a column",
                advice="A row of maxima is broadcast along the rows: keepdims=True.",
            ),
            Mistake(
                "the value of subtract_largest used",
                change=("subtract_largest(scores)\n", "scores = subtract_largest(scores)\n"),
                says="returns None",
                advice="It works in place, as list.sort does.",
            ),
            Mistake(
                "all axes turned round",
                change=("k.swapaxes(-1, -2)", "k.T"),
                says="turns all four round",
                advice=".T was right for one table; here there are texts and heads before it.",
            ),
            Mistake(
                "a square mask",
                of=0,
                change=("(T, S), -np.inf, s.dtype), k=S - T + 1", "(T, T), -np.inf, s.dtype), k=1"),
                says="scores and mask have T rows",
                advice="With a cache there is one query and a long row of keys.",
            ),
            Mistake(
                "softmax looked for in nn",
                change=("subtract_largest(scores)\n", "return nn.softmax(scores, axis=-1)\n"),
                says="write it out",
                advice="mg.softmax takes tensors; this is the inside of an operation.",
            ),
            Mistake(
                "rows that are not divided by their sums",
                of=0,
                change=("return e / e.sum(-1, keepdims=True)", "return e"),
                says="last step of the softmax is missing",
                advice="Have them add up a row.",
            ),
            Mistake(
                "one sum for all rows",
                of=0,
                change=("e.sum(-1, keepdims=True)", "e.sum()"),
                says="the sum ran over all rows",
                advice="How many sums are there for T queries?",
            ),
            Mistake(
                "the weights divided by the root",
                of=0,
                change=(
                    (" / np.sqrt(D).astype(q.dtype)", ""),
                    ("e.sum(-1, keepdims=True)", "e.sum(-1, keepdims=True) / np.sqrt(D)"),
                ),
                says="weights were divided by √D",
                advice="Do the rows still sum to 1?",
            ),
            Mistake(
                "the root of the number of keys",
                change=("math.sqrt(D)", "math.sqrt(S)"),
                says="root of another size",
                advice="How many products does one score add up?",
            ),
            Mistake(
                "a loop that names two axes of four",
                of=0,
                change=(HIDE, "for t in range(T):\n    s[t, S - T + t + 1 :] = -np.inf\n"),
                says="last two: s",
                advice="Write B, H, T, S above the indices.",
            ),
            Mistake(
                "a mask of floats as an index",
                of=1,
                change=(
                    "hidden, q.dtype.type(-np.inf), s)",
                    "hidden, q.dtype.type(-np.inf), s)\ns[..., hidden * 1.0] = -np.inf",
                ),
                says="mask == 1",
                advice="An index is a place or True and False; 0.0 is neither.",
            ),
        ],
        equivalent={
            "line 4: T > 1 → T >= 1": "the mask of a single query hides nothing",
            "line 1: -2 → 2": "arrays of four axes: the same axis counted from the front",
            "line 2: -2 → 2": "arrays of four axes: the same axis counted from the front",
        },
    ),
    "07.3": Answers(
        right=[
            """
end = self.length + k.shape[2]
if end > self.keys.shape[2]:
    raise ValueError(f"the cache has room for {self.keys.shape[2]} tokens")
keys, values = self.keys[:, :, :end], self.values[:, :, :end]
keys[:, :, self.length:], values[:, :, self.length:] = k, v
self.length = end
return keys, values
""",
            """
T = k.shape[2]
if T > self.keys.shape[2] - self.length:
    raise ValueError("there is only room for %d tokens" % self.keys.shape[2])
for store, new in ((self.keys, k), (self.values, v)):
    np.copyto(store[:, :, self.length : self.length + T], new)
self.length += T
return self.keys[:, :, : self.length], self.values[:, :, : self.length]
""",
        ],
        wrong=[
            Mistake(
                "only the new tokens returned",
                of=0,
                change=("return keys, values", "return k, v"),
                says="only the new token comes back",
                advice="The new query needs every earlier key: what would it look back at?",
            ),
            Mistake(
                "the length never grows",
                change=("self.length = end\n", ""),
                says="must grow with each call",
                advice="Where does the next call begin to write?",
            ),
            Mistake(
                "the whole store returned",
                change=(
                    "return self.keys[:, :, :end], self.values[:, :, :end]",
                    "return self.keys, self.values",
                ),
                says="whole store",
                advice="The rest was made by np.empty: it holds anything, and softmax weighs it.",
            ),
            Mistake(
                "keys and values exchanged",
                change=(
                    (": end] = k", ": end] = swap"),
                    (": end] = v", ": end] = k"),
                    ("swap", "v"),
                ),
                says="exchanged",
                advice="Shapes agree, so nothing complains; look at the numbers.",
            ),
            Mistake(
                "a full cache that says nothing",
                of=0,
                change=(
                    (
                        "if end > self.keys.shape[2]:\n    raise ValueError("
                        'f"the cache has room for {self.keys.shape[2]} tokens")\n',
                        "",
                    ),
                    ("[:, :, self.length:] = k, v", "[:, :, self.length:end] = k, v"),
                    ("self.length = end", "self.length = min(end, self.keys.shape[2])"),
                ),
                says="lost silently",
                advice="A slice beyond the end is empty, and writing one token there is no error.",
            ),
            Mistake(
                "the error names the tokens that are there",
                of=0,
                change=("{self.keys.shape[2]}", "{self.length}"),
                says="must give the capacity",
                advice="Of a full cache both numbers agree; try 3 of 4 tokens, and then 2 more.",
            ),
            Mistake(
                "the last place refused",
                change=("end > self", "end >= self"),
                says="last free place",
                advice="`end` counts tokens; is 4 of 4 too many?",
            ),
            Mistake(
                "one token at each later call",
                change=(
                    "self.keys[:, :, self.length : end] = k\n"
                    "self.values[:, :, self.length : end] = v\n",
                    "if self.length == 0:\n"
                    "    self.keys[:, :, :end], self.values[:, :, :end] = k, v\n"
                    "else:\n"
                    "    self.keys[:, :, self.length] = k[:, :, 0]\n"
                    "    self.values[:, :, self.length] = v[:, :, 0]\n",
                ),
                says="may bring several tokens",
                advice="A prompt may be read in portions: write a slice each time.",
            ),
            Mistake(
                "the axis of the heads cut too",
                change=("return self.keys[:, :, :end]", "return self.keys[:, :end, :end]"),
                says="several texts and heads",
                advice="Name the four axes: which one holds the tokens?",
            ),
            Mistake(
                "axes of length 1 squeezed out",
                of=0,
                change=("return keys, values", "return keys.squeeze(), values.squeeze()"),
                says="no squeeze",
                advice="With one text and one head three axes are left of four, or fewer.",
            ),
            Mistake(
                "context_size as a bare name",
                of=0,
                change=("if end > self.keys.shape[2]:", "if end > context_size:"),
                says="known in `__init__` alone",
                advice="What has __init__ kept, and which number of it is the capacity?",
            ),
            Mistake(
                "the wrong axis counted",
                of=0,
                change=("self.length + k.shape[2]", "self.length + k.shape[1]"),
                says="the tokens stand on axis 2",
                advice="Write the four letters above k.shape and point at T.",
            ),
            Mistake(
                "the heads taken for the capacity",
                of=0,
                change=("if end > self.keys.shape[2]:", "if end > self.keys.shape[1]:"),
                says="The capacity is the length of axis 2",
                advice="Let them print self.keys.shape of a cache for 4 tokens.",
            ),
            Mistake(
                "a store that grows",
                "self.keys = np.concatenate([self.keys, k], axis=2)\n"
                "self.values = np.concatenate([self.values, v], axis=2)\n"
                "self.length += k.shape[2]\n"
                "return self.keys, self.values",
                says="the store has grown",
                advice="That copies all tokens at each step, which the store was made to avoid.",
            ),
            Mistake(
                "one place for several tokens",
                of=1,
                change=("store[:, :, self.length : self.length + T]", "store[:, :, self.length]"),
                says="several tokens need as many places",
                advice="A prompt comes in one call.",
            ),
            Mistake(
                "a slice that ends at T",
                of=1,
                change=("self.length : self.length + T]", "self.length : T]"),
                says="the place of the new token is empty",
                advice="Where does the second portion begin, and where does it end?",
            ),
            Mistake(
                "the values forgotten",
                change=("self.values[:, :, self.length : end] = v\n", ""),
                says="values were not written",
                advice="Two stores, two lines.",
            ),
            Mistake(
                "the part behind the tokens returned",
                change=(
                    "return self.keys[:, :, :end], self.values[:, :, :end]",
                    "return self.keys[:, :, end:], self.values[:, :, end:]",
                ),
                says="places where nothing was written",
                advice="`length` has moved already: which half of the slice is meant?",
            ),
            Mistake(
                "refused tokens counted",
                of=1,
                change=(
                    (
                        "T = k.shape[2]\nif T > self.keys.shape[2] - self.length:",
                        "T = k.shape[2]\nself.length += T\nif self.length > self.keys.shape[2]:",
                    ),
                    ("self.length : self.length + T", "self.length - T : self.length"),
                    ("self.length += T\nreturn", "return"),
                ),
                says="tokens that were refused were counted",
                advice="First look, then change: an error must leave everything as it was.",
            ),
            Mistake(
                "another exception",
                change=("raise ValueError", "raise IndexError"),
                says="a ValueError is asked for",
                advice="The caller catches what the task names.",
            ),
            Mistake(
                "only a full cache refuses",
                change=("if end > self.keys.shape[2]:", "if self.length >= self.keys.shape[2]:"),
                says="found too late",
                advice="Three of four places are taken and two tokens come: what does the line compare?",
            ),
            Mistake(
                "the keys written twice",
                change=(": end] = v", ": end] = k"),
                says="written into the values too",
                advice="Copied lines: read each to its end.",
            ),
        ],
    ),
    "07.4": Answers(
        right=[
            """
wide = 4 * embedding_dim
self.up_proj, self.gelu = nn.Linear(embedding_dim, wide, bias), nn.GELU()
self.down_proj = nn.Linear(wide, embedding_dim, bias)
""",
            """
self.gelu = nn.GELU()
self.down_proj = nn.Linear(embedding_dim * 4, embedding_dim, bias=bool(bias))
self.up_proj = nn.Linear(embedding_dim, embedding_dim * 4, bias=bool(bias))
""",
        ],
        wrong=[
            Mistake(
                "no wider in the middle",
                of=0,
                change=("wide = 4 *", "wide ="),
                says="not wider",
                advice="Two thirds of a block's weights are here: 8 C².",
            ),
            Mistake(
                "the layers exchanged",
                of=0,
                change=(
                    ("(embedding_dim, wide", "(wide, embedding_dim"),
                    (
                        "_proj = nn.Linear(wide, embedding_dim",
                        "_proj = nn.Linear(embedding_dim, wide",
                    ),
                ),
                says="two layers are exchanged",
                advice="Linear takes the number of inputs first.",
            ),
            Mistake(
                "a fixed size in the middle",
                of=0,
                change=("4 * embedding_dim", "12"),
                says="right for C = 3 only",
                advice="The example is one size; the layer is asked for any.",
            ),
            Mistake(
                "bias not handed on, so it is always there",
                of=0,
                change=(("wide, bias)", "wide)"), ("dim, bias)", "dim)")),
                says="without being asked for",
                advice="Linear has a bias unless it is told otherwise.",
            ),
            Mistake(
                "no bias ever",
                of=0,
                change=(("wide, bias)", "wide, False)"), ("dim, bias)", "dim, False)")),
                says="`bias` is not handed on",
                advice="The real GPT-2 needs the option.",
            ),
            Mistake(
                "bias on one layer",
                of=0,
                change=("dim, bias)", "dim, False)"),
                says="both layers a bias",
                advice="Let them print(MLP(3, bias=True)).",
            ),
            Mistake(
                "ReLU for GELU",
                change=("nn.GELU()", "nn.ReLU()"),
                says="is ReLU",
                advice="It would learn too, but it is not GPT-2 and loads none of its weights.",
            ),
            Mistake(
                "layers in variables",
                "up_proj = nn.Linear(embedding_dim, 4 * embedding_dim, bias)\n"
                "down_proj = nn.Linear(4 * embedding_dim, embedding_dim, bias)\n"
                "gelu = nn.GELU()",
                says="no layer was found",
                advice="A name without self is gone at the end of __init__.",
            ),
            Mistake(
                "layers by other names",
                change=(("self.up_proj", "self.up"), ("self.down_proj", "self.down")),
                says="have other names than",
                advice="`forward`, which is given, and files of weights use these names.",
            ),
            Mistake(
                "down_proj from C",
                of=0,
                change=("(wide, embedding_dim", "(embedding_dim, embedding_dim"),
                says="goes from 4C back to C",
                advice="What comes out of gelu, C or 4C channels?",
            ),
            Mistake(
                "gelu with a small letter",
                change=("nn.GELU()", "nn.gelu"),
                says="a layer.s name has capitals",
                advice="mg.gelu is the operation, nn.GELU the layer around it.",
            ),
        ],
    ),
    "07.5": Answers(
        right=[
            """
found = self.attn(self.ln1(x), cache=cache)
middle = x + self.dropout(found)
return middle + self.dropout(self.ffn(self.ln2(middle)))
""",
            """
for norm, part in ((self.ln1, lambda z: self.attn(z, cache)), (self.ln2, self.ffn)):
    x = self.dropout(part(norm(x))) + x
return x
""",
        ],
        wrong=[
            Mistake(
                "no residual",
                change=(("x = x + ", "x = "), ("return x + ", "return ")),
                says="residuals are missing",
                advice="Back to the figure of section 11: what arrives at the first pair?",
            ),
            Mistake(
                "no residual around the MLP",
                change=("return x + ", "return "),
                says="the MLP's residual is missing",
                advice="Each part adds to the stream; count the additions.",
            ),
            Mistake(
                "post-norm",
                "x = self.ln1(x + self.dropout(self.attn(x, cache)))\n"
                "return self.ln2(x + self.dropout(self.ffn(x)))",
                says="post-norm",
                advice="That is the block of 2017; in GPT-2 the stream stays untouched.",
            ),
            Mistake(
                "the normalised copy goes on",
                "x = self.ln1(x)\nx = x + self.dropout(self.attn(x, cache))\n"
                "x = self.ln2(x)\nreturn x + self.dropout(self.ffn(x))",
                says="run straight through",
                advice="A name used twice: x is both the stream and its copy.",
            ),
            Mistake(
                "the normalised copy goes on, without dropout",
                "x = self.ln1(x)\nx = x + self.attn(x, cache)\nx = self.ln2(x)\n"
                "return x + self.ffn(x)",
                says="replaced by its normalised copies",
                advice="Two things at once: a second name for the copy, then dropout on each part.",
            ),
            Mistake(
                "both parts at once",
                of=0,
                change=("self.ln2(middle)", "self.ln2(x)"),
                says="reads what came into the block",
                advice="Gather first, then think about what was gathered.",
            ),
            Mistake(
                "no dropout",
                of=0,
                change=(
                    ("self.dropout(found)", "found"),
                    ("self.dropout(self.ffn(self.ln2(middle)))", "self.ffn(self.ln2(middle))"),
                ),
                says="there is no dropout",
                advice="The option would be there and do nothing.",
            ),
            Mistake(
                "the cache forgotten",
                change=("self.ln1(x), cache)", "self.ln1(x))"),
                says="cache was not handed on",
                advice="Training works; only sampling shows it.",
            ),
            Mistake(
                "dropout on what the parts read",
                "x = x + self.attn(self.dropout(self.ln1(x)), cache)\n"
                "return x + self.ffn(self.dropout(self.ln2(x)))",
                says="dropout is in the wrong place",
                advice="Read each line from the inside out: what comes last before the plus?",
            ),
            Mistake(
                "dropout on the stream",
                "x = self.dropout(x + self.attn(self.ln1(x), cache))\n"
                "return self.dropout(x + self.ffn(self.ln2(x)))",
                says="dropout is on the stream",
                advice="Twelve blocks would drop the same token's entries again and again.",
            ),
            Mistake(
                "added into x.data",
                change=(
                    ("x = x + self.dropout(self.attn(self.ln1(x), cache))", "x.data += HERE"),
                    ("HERE", "self.dropout(self.attn(self.ln1(x), cache)).data"),
                ),
                says="numbers of x itself",
                advice="Attention would get no gradient, and the caller another x.",
            ),
            Mistake(
                "a residual without its history",
                change=("x = x + self", "x = x.data + self"),
                says="the gradient takes another way back",
                advice="Which ways lead from x to the result, and through which does a gradient come?",
            ),
            Mistake(
                "the MLP reads attention alone",
                of=0,
                change=(
                    ("middle = x + self.dropout(found)", "middle = self.dropout(found)"),
                    ("return middle", "return x + middle"),
                ),
                says="reads attention.s result alone",
                advice="Twice x on paper: what stands at the second line's start?",
            ),
            Mistake(
                "attention left out of the sum",
                of=0,
                change=(
                    ("middle = x + self.dropout(found)", "middle = self.dropout(found)"),
                    ("return middle", "return x"),
                ),
                says="is not added to x",
                advice="Follow x through both lines with a pencil.",
            ),
            Mistake(
                "LayerNorm on the results",
                change=(
                    ("self.attn(self.ln1(x), cache)", "self.ln1(self.attn(x, cache))"),
                    ("self.ffn(self.ln2(x))", "self.ln2(self.ffn(x))"),
                ),
                says="LayerNorm comes after the part",
                advice="Inside out: norm, part, dropout, plus.",
            ),
            Mistake(
                "one copy for both parts",
                of=0,
                change=("self.ln2(middle)", "self.ln1(x)"),
                says="both parts read the same copy",
                advice="The MLP is to work on what attention has brought.",
            ),
            Mistake(
                "the LayerNorms exchanged",
                change=(("ln1", "ln"), ("ln2", "ln1"), ("ln(", "ln2(")),
                says="ln1 and ln2 are exchanged",
                advice="It would train; loaded weights would be wrong.",
            ),
            Mistake(
                "no LayerNorm before the MLP",
                change=("self.ln2(x)", "x"),
                says="ln2 of it",
                advice="Section 11: what does a larger stream do to what reads it?",
            ),
            Mistake(
                "no LayerNorm before attention",
                change=("self.ln1(x)", "x"),
                says="ln1 of it",
                advice="Section 11: what does a larger stream do to the scores?",
            ),
            Mistake(
                "a dropout of its own",
                change=(
                    ("x + self.dropout(self.attn", "x + nn.Dropout(0.1)(self.attn"),
                    ("x + self.dropout(self.ffn", "x + nn.Dropout(0.1)(self.ffn"),
                ),
                says="nothing goes through self.dropout",
                advice="A new one each time is never told that training is over.",
            ),
            Mistake(
                "the cache given to the MLP too",
                change=("self.ln2(x))", "self.ln2(x), cache)"),
                says="the MLP was given the cache",
                advice="Which part looks at other positions?",
            ),
            Mistake(
                "names without self",
                change=("self.dropout(self.ffn", "dropout(self.ffn"),
                says="keeps it in self: self.dropout",
                advice="Parts of an object are reached through self.",
            ),
            Mistake(
                "nothing added",
                "self.attn(self.ln1(x), cache)\nself.ffn(self.ln2(x))\nreturn x",
                says="nothing was added to x",
                advice="A part returns its result; who keeps it?",
            ),
            Mistake(
                "dropout everywhere",
                change=(
                    ("self.attn(self.ln1(x)", "self.attn(self.dropout(self.ln1(x))"),
                    ("self.ffn(self.ln2(x))", "self.ffn(self.dropout(self.ln2(x)))"),
                ),
                says="more than twice",
                advice="What a part reads should be whole; what it adds may be dropped.",
            ),
            Mistake(
                "one addition for both",
                "return x + self.dropout(self.ffn(self.ln2(self.attn(self.ln1(x), cache))))",
                says="one addition for both parts",
                advice="Count the plus signs in the figure.",
            ),
            Mistake(
                "the second copy made of the first",
                of=0,
                change=("self.ln2(middle)", "self.ln2(self.ln1(x))"),
                says="ln2 reads the copy",
                advice="Two names, two things: what is h after the first line?",
            ),
        ],
    ),
}
