"""Right and wrong answers to the exercises of lesson 03."""

from tests.wrong_answers import Answers, Mistake

ANSWERS = {
    "03.1": Answers(
        right=[
            """
top = np.max(x, axis=axis, keepdims=True, initial=-np.inf)
top = np.where(top == -np.inf, x.dtype.type(0), top)
e = np.exp(x - top)
s = e.sum(axis=axis, keepdims=True)
return e / np.where(s > 0, s, x.dtype.type(1))
""",
            """
moved = np.moveaxis(x, axis, -1)
result = np.zeros_like(moved)
for index in np.ndindex(moved.shape[:-1]):
    row = moved[index]
    if row.size and row.max() > -np.inf:
        e = np.exp(row - row.max())
        result[index] = e / e.sum()
return np.moveaxis(result, -1, axis)
""",
        ],
        wrong=[
            Mistake(
                "softmax without the maximum subtracted",
                change=("x - np.where(np.isneginf(largest), 0, largest)", "x"),
                says="large scores overflow",
                advice="Ask what exp(1000) is in float32, and what a softmax becomes when all "
                "its scores grow by the same amount.",
            ),
            Mistake(
                "the maximum of the whole array subtracted",
                change=("x.max(axis, keepdims=True, initial=-np.inf)", "x.max(initial=-np.inf)"),
                says="rows of very different size",
                advice="Put a row of 500s beside a row of -500s: which number must be subtracted "
                "from each of them?",
            ),
            Mistake(
                "the size of the largest entry subtracted, not the entry",
                change=(
                    "x.max(axis, keepdims=True, initial=-np.inf)",
                    "abs(x).max(axis, keepdims=True, initial=0)",
                ),
                says="very negative scores",
                advice="The largest of -1000 and -1000 is -1000, and subtracting it leaves 0.",
            ),
            Mistake(
                "a masked row gives nan",
                change=("np.where(np.isneginf(largest), 0, largest)", "largest"),
                says="nothing but -inf must give zeros: -inf",
                advice="Work [-inf, -inf] through by hand: the difference, then the quotient.",
            ),
            Mistake(
                "the sum always along the last axis",
                change=("value.sum(axis", "value.sum(-1"),
                says="along axis 0 each column must sum",
                advice="The option `axis` has to reach every reduction, not only the first.",
            ),
            Mistake(
                "divided by the sum of the whole array",
                change=("value.sum(axis, keepdims=True)", "value.sum()"),
                says="one half each",
                advice="Each row is a set of alternatives of its own: how many sums are there?",
            ),
            Mistake(
                "the sums without their axis",
                change=("value.sum(axis, keepdims=True)", "value.sum(axis)"),
                says="keepdims=True",
                advice="Print the shape of the sums: do they stand beside their rows, or under the "
                "columns?",
            ),
            Mistake(
                "always float32",
                change=("return value", "return value.astype(np.float32)"),
                says="float64 went in",
                advice="The dtype of x is to be kept, whichever it is.",
            ),
        ],
        equivalent={
            "line 4: 1 → 2 (column 30)": "a masked row sums to 0, and 0 / 2 is 0 as well",
            "line 2: 0 → 1 (column 50)": "the exponentials of a masked row are 0 either way",
        },
    ),
    "03.2": Answers(
        right=[
            """
mean = rows.mean(axis=-1, keepdims=True)
variance = ((rows - mean) ** 2).mean(axis=-1, keepdims=True)
scale = (1 / np.sqrt(variance + eps)).astype(x.dtype)
normal = (rows - mean) * scale
""",
            """
scale = (rows.var(1, keepdims=True) + eps) ** -0.5
normal = (rows - rows.mean(1, keepdims=True)) * scale
""",
        ],
        wrong=[
            Mistake(
                "x overwritten",
                change=("normal = rows - rows[:, :1]", "normal = rows"),
                says="x was overwritten",
                advice="Print x before and after; in x + attn(ln(x)) it is still needed.",
            ),
            Mistake(
                "eps outside the root",
                change=("np.sqrt(variance + eps)", "(np.sqrt(variance) + eps)"),
                says="outside the root",
                advice="Compute the row [1, 3] with eps = 3 by hand, from the formula.",
            ),
            Mistake(
                "the variance divided by n - 1",
                of=1,
                change=("rows.var(1, keepdims=True)", "rows.var(1, keepdims=True, ddof=1)"),
                says="not by n - 1",
                advice="n - 1 estimates the variance of a population from a sample; here the row "
                "is all there is.",
            ),
            Mistake(
                "mean and variance over the rows",
                of=1,
                change=(("rows.var(1", "rows.var(0"), ("rows.mean(1", "rows.mean(0")),
                says="each column was normalised",
                advice="This is batch norm: what would happen to a batch of one vector?",
            ),
            Mistake(
                "the mean of the whole array",
                of=1,
                change=("rows.mean(1, keepdims=True)", "rows.mean()"),
                says="mean of the row itself",
                advice="A mean without an axis is one number for the batch: no vector may look at "
                "another.",
            ),
            Mistake(
                "divided by the variance, without the root",
                change=("np.sqrt(variance + eps)", "(variance + eps)"),
                says="the root of the variance",
                advice="Let all entries grow tenfold: by how much does the variance grow?",
            ),
            Mistake(
                "eps left out",
                change=("variance + eps", "variance"),
                says="eps has no effect",
                advice="Ask what becomes of a row whose entries are all 5.",
            ),
            Mistake(
                "mean of the squares less the square of the mean",
                of=0,
                change=(
                    "((rows - mean) ** 2).mean(axis=-1, keepdims=True)",
                    "(rows * rows).mean(axis=-1, keepdims=True) - mean * mean",
                ),
                says="loses all its digits",
                advice="float32 has seven digits: how many are left of 1001² - 1000²?",
            ),
            Mistake(
                "normal not scaled",
                change=("normal *= scale", ""),
                says="keep the spread",
                advice="The lines after the blank multiply by the weight and nothing else.",
            ),
            Mistake(
                "a scale without its axis",
                change=(("normal *= scale", "normal *= scale\nscale = scale[:, 0]")),
                says="one over the root for each row",
                advice="The rules use `scale` too: which shape lines up with the rows of h?",
            ),
        ],
        equivalent={
            "line 2: rows - rows[:, :1] → rows + rows[:, :1]": "the mean removes what was added to "
            "a whole row; only digits are lost"
        },
    ),
    "03.3": Answers(
        right=[
            """
result = np.zeros_like(weight)
np.add.at(result, tokens.reshape(-1), g.reshape(-1, weight.shape[1]))
return result
""",
            """
flat = tokens.reshape(-1)
one_hot = np.zeros((flat.size, len(weight)), weight.dtype)
one_hot[np.arange(flat.size), flat] = 1
return one_hot.T @ g.reshape(-1, weight.shape[1])
""",
        ],
        wrong=[
            Mistake(
                "result[tokens] += g",
                of=0,
                change=(
                    "np.add.at(result, tokens.reshape(-1), g.reshape(-1, weight.shape[1]))",
                    "result[tokens] += g",
                ),
                says="only the last of its rows",
                advice="Run the two lines on the tokens [2, 2] and print the result.",
            ),
            Mistake(
                "only the first place of each token",
                """
result = np.zeros_like(weight)
present, first = np.unique(tokens.reshape(-1), return_index=True)
result[present] = g.reshape(-1, weight.shape[1])[first]
return result
""",
                says="only the first of its rows",
                advice="A token in three places is used three times, and gradients add up.",
            ),
            Mistake(
                "the mean of a token's rows",
                """
result = np.zeros_like(weight)
flat, rows = tokens.reshape(-1), g.reshape(-1, weight.shape[1])
for token in set(flat.tolist()):
    result[token] = rows[flat == token].mean(0)
return result
""",
                says="not averaged",
                advice="The average over a batch is taken in the loss, and there only.",
            ),
            Mistake(
                "added to a copy of the table",
                of=0,
                change=("np.zeros_like(weight)", "weight.copy()"),
                says="the table itself is in its gradient",
                advice="The gradient is not the new table: a token that is not used has the "
                "gradient 0.",
            ),
            Mistake(
                "rows in the order of the places",
                """
result = np.zeros_like(weight)
rows = g.reshape(-1, weight.shape[1])[: len(weight)]
result[: len(rows)] = rows
return result
""",
                says="the row that its token names",
                advice="Write the token beside each row of g, and carry the row there.",
            ),
            Mistake(
                "zeros of NumPy's dtype",
                of=0,
                change=("np.zeros_like(weight)", "np.zeros(weight.shape)"),
                says="dtype of the table",
                advice="np.zeros makes float64 unless it is told; np.zeros_like(weight) is told.",
            ),
            Mistake(
                "a loop over tokens of one axis",
                """
result = np.zeros_like(weight)
for token, row in zip(tokens.reshape(-1), g):
    result[token] += row.sum(tuple(range(row.ndim - 1)))
return result
""",
                says="tokens of two axes",
                advice="A batch of texts has tokens of shape (B, T): what is g[0] then?",
            ),
        ],
        equivalent={"line 3: 1 → 2 (column 44)": "NumPy reads the size -2 as -1"},
    ),
    "03.4": Answers(
        right=[
            """
if training and p > 0:
    generator = default_generator() if generator is None else generator
    keep = ~(generator.random(x.shape) < p)
    return _scale_kept(x, keep, 1.0 / (1.0 - p))
return x
""",
            """
if p == 0 or not training:
    return x
source = generator if generator is not None else default_generator()
kept = source.uniform(0.0, 1.0, x.shape) > p
return _scale_kept(x, kept, scale=(1 - p) ** -1)
""",
        ],
        wrong=[
            Mistake(
                "not rescaled",
                change=("1 / (1 - p)", "1"),
                says="not rescaled",
                advice="Take the mean of a million ones before and after.",
            ),
            Mistake(
                "alive in evaluation",
                change=("if not training or p == 0:", "if p == 0:"),
                says="alive in evaluation",
                advice="Call it twice with training=False: should the two results differ?",
            ),
            Mistake(
                "p taken for the probability to keep",
                change=((">= p", "< p"), ("1 / (1 - p)", "1 / p")),
                says="the wrong part is dropped",
                advice="The paper's p is the probability to keep, ours that to drop.",
            ),
            Mistake(
                "divided by p",
                change=("1 / (1 - p)", "1 / p"),
                says="divided by p",
                advice="With p = 0.25 three quarters are kept: which factor brings the mean back?",
            ),
            Mistake(
                "multiplied by 1 - p",
                change=("1 / (1 - p)", "1 - p"),
                says="made smaller",
                advice="The paper multiplies by 1 - p in evaluation; in training it must be the "
                "opposite.",
            ),
            Mistake(
                "the given generator ignored",
                change=("(generator or default_generator())", "default_generator()"),
                says="the generator that is given decides",
                advice="An experiment can be repeated only if its random numbers come from the "
                "seed that was asked for.",
            ),
            Mistake(
                "one draw for a whole row",
                change=("x.shape", "x.shape[:1] + (1,) * (x.ndim - 1)"),
                says="whole rows or columns",
                advice="Which shape must the random numbers have, if each entry has its own?",
            ),
            Mistake(
                "the same places in all of a batch",
                change=("x.shape", "x.shape[-2:]"),
                says="all of a batch",
                advice="x may have three axes: which shape has one number for each entry?",
            ),
            Mistake(
                "zeros written into x",
                change=("return _scale", "x.data[~kept] = 0\nreturn _scale"),
                says="written into x itself",
                advice="In a block the stream would lose what only its copy should lose.",
            ),
            Mistake(
                "an array returned",
                change=("_scale_kept(x, kept, 1 / (1 - p))", "x.data * kept / (1 - p)"),
                says="a tensor is expected",
                advice="Does the gradient find its way through what you return?",
            ),
            Mistake(
                "a p of 0 not treated by itself",
                change=("if not training or p == 0:", "if not training:"),
                says="x itself is returned",
                advice="What is 1 times a mask of ones good for?",
            ),
            Mistake(
                "drawn before it is known to be needed",
                """
kept = (generator or default_generator()).random(x.shape) >= p
return _scale_kept(x, kept, 1 / (1 - p)) if training and p > 0 else x
""",
                says="no random number may be drawn",
                advice="Evaluate twice as often: should the next training step differ by it?",
            ),
            Mistake(
                "a new generator where none is given",
                change=("default_generator()", "np.random.default_rng()"),
                says="the library's own must be drawn from",
                advice="Set mg.manual_seed twice and compare what is dropped.",
            ),
            Mistake(
                "the same seed in every call",
                change=("default_generator()", "np.random.default_rng(0)"),
                says="each call must draw anew",
                advice="Print the mask of two calls: the network can learn a mask that stays.",
            ),
        ],
        equivalent={
            "line 3: (generator or default_generator()).random(x.shape, dtype=np.float32) >= p → (generator or default_generator()).random(x.shape, dtype=np.float32) > p": "it differs only where a number drawn is p exactly"
        },
    ),
    "03.5": Answers(
        right=[
            """
n = len(rows)
top = rows.max(1)
log_total = top + np.log(np.exp(rows - top[:, None]).sum(1))
losses = log_total - rows[np.arange(n), right]

def rule(g):
    truth = np.zeros_like(rows)
    truth[np.arange(n), right] = 1
    return (np.exp(rows - log_total[:, None]) - truth) * g.reshape(n, 1)
""",
            """
n = len(right)
moved = rows - rows.max(-1, keepdims=True)
logs = moved - np.log(np.exp(moved).sum(-1, keepdims=True))
losses = -logs[range(n), right]

def rule(g):
    result = np.exp(logs)
    result[range(n), right] -= 1
    result *= np.expand_dims(g, 1)
    return result
""",
        ],
        wrong=[
            Mistake(
                "the logarithm of softmax",
                change=("_log_softmax(rows)", "np.log(_softmax(rows))"),
                says="rounded to 0",
                advice="The probability loses everything below e to the -103.",
            ),
            Mistake(
                "the sign forgotten",
                change=("-logs[", "logs["),
                says="the sign is wrong: the surprise",
                advice="Logarithms of probabilities are negative; a surprise is positive.",
            ),
            Mistake(
                "the probability in place of its logarithm",
                change=("-logs[", "np.exp(logs)["),
                says="this is the probability, not",
                advice="Which is larger, the surprise at a rare event or at a common one?",
            ),
            Mistake(
                "the mean taken too early",
                change=("-logs[at_targets]", "-logs[at_targets].mean()"),
                says="every row has the same loss",
                advice="Print the shape of your losses: there should be one for each target.",
            ),
            Mistake(
                "truth minus prediction",
                change=("return result * g", "return -result * g"),
                says="prediction minus truth, negative",
                advice="A step goes against the gradient: should the target's logit rise or fall?",
            ),
            Mistake(
                "the truth left out",
                change=("result[at_targets] -= 1", ""),
                says="the truth is missing",
                advice="If the model says the truth already, the gradient should be 0.",
            ),
            Mistake(
                "divided by n once more",
                change=("g[:, None]", "g[:, None] / len(right)"),
                says="divided by n",
                advice="Of what is g the gradient, of the mean or of each loss?",
            ),
            Mistake(
                "the gradient that arrives ignored",
                change=("return result * g[:, None]", "return result"),
                says="g has no effect",
                advice="Try (3 * loss).backward(): the chain rule holds at the end too.",
            ),
            Mistake(
                "g along the wrong axis",
                change=("g[:, None]", "g"),
                says="the columns are multiplied",
                advice="A g of shape (n,) counts as a row: lines it up with columns.",
            ),
            Mistake(
                "1 subtracted from what was kept",
                change=(
                    ("losses = ", "probabilities = np.exp(logs)\nlosses = "),
                    ("result = np.exp(logs)", "result = probabilities"),
                ),
                says="second call",
                advice="What a rule reads must stay as the forward pass left it.",
            ),
        ],
    ),
}
