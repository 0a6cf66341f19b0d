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
                says="a sum stands beside its row",
                advice="Print the shape of the sums: do they stand beside their rows, or under the "
                "columns?",
            ),
            Mistake(
                "always float32",
                change=("return value", "return value.astype(np.float32)"),
                says="float64 went in",
                advice="The dtype of x is to be kept, whichever it is.",
            ),
            Mistake(
                "the result squeezed",
                """
largest = x.max(axis, keepdims=True, initial=-np.inf)
value = np.exp(x - np.where(np.isneginf(largest), 0, largest))
total = value.sum(axis, keepdims=True)
value /= np.where(total == 0, 1, total)
return np.squeeze(value)
""",
                says="an axis of size 1 is an axis",
                advice="np.squeeze removes every axis of size 1, also the one of a batch of one.",
            ),
            Mistake(
                "written for two axes",
                """
largest = np.where(np.isneginf(m := x.max(axis, keepdims=True, initial=-np.inf)), 0, m)
e = np.exp(x - largest)
total = e.sum(axis)
total = np.where(total == 0, 1, total)
if x.ndim == 1:
    return e / total
return e / total[:, None] if axis in (-1, 1) else e / total[None, :]
""",
                says="with three axes",
                advice="Attention has four axes. `keepdims=True` works for any number of them.",
            ),
            Mistake(
                "Python's own sum",
                """
e = np.exp(x - x.max(axis, keepdims=True))
return e / sum(e)
""",
                says="Python's own sum and max",
                advice="`sum(e)` adds the rows of e to each other.",
            ),
            Mistake(
                "Python's own max",
                """
e = np.exp(x - max(x))
return e / e.sum(axis, keepdims=True)
""",
                says="truth value of an array",
                advice="`max(x)` compares whole rows: which of two rows is larger?",
            ),
            Mistake(
                "functions made in a loop, called after it",
                """
x = np.moveaxis(x, axis, -1)
parts = [lambda: np.exp(row - row.max()) / np.exp(row - row.max()).sum() for row in x]
return np.moveaxis(np.array([part() for part in parts]), -1, axis)
""",
                says="every row comes from the last row",
                advice="What is `row` when the lambdas are called?",
            ),
            Mistake(
                "an array made from a generator",
                """
e = (np.exp(row - row.max()) for row in x)
return np.array(row / row.sum() for row in e)
""",
                says="array of Python objects",
                advice="Print the array: what does it hold?",
            ),
            Mistake(
                "a list of rows returned",
                """
x = np.atleast_2d(x)
return [np.exp(row - row.max()) / np.exp(row - row.max()).sum() for row in x]
""",
                says="a list came back",
                advice="The result has a dtype and a shape: np.array makes an array of the rows.",
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
            Mistake(
                "normal squeezed",
                """
mean = rows.mean(1, keepdims=True)
variance = rows.var(1, keepdims=True)
scale = 1 / np.sqrt(variance + eps)
normal = (rows - mean) * scale
normal = np.squeeze(normal)
""",
                says="an axis of size 1 is an axis",
                advice="With one row np.squeeze removes the axis of the rows.",
            ),
            Mistake(
                "a list of rows for normal",
                """
normal = [(row - row.mean()) / np.sqrt(row.var() + eps) for row in rows]
scale = np.array([[1 / np.sqrt(row.var() + eps)] for row in rows], rows.dtype)
""",
                says="'list' object has no attribute",
                advice="A list times 1 is the list: np.array makes an array of the rows.",
            ),
            Mistake(
                "a generator for normal",
                """
normal = ((row - row.mean()) / np.sqrt(row.var() + eps) for row in rows)
scale = np.array([[1 / np.sqrt(row.var() + eps)] for row in rows], rows.dtype)
""",
                says="'generator' and 'float'",
                advice="Round brackets make a generator, which computes nothing yet.",
            ),
            Mistake(
                "math.sqrt of an array",
                """
mean = rows.mean(1, keepdims=True)
variance = rows.var(1, keepdims=True)
scale = 1 / math.sqrt(variance + eps)
normal = (rows - mean) * scale
""",
                says="Python's math takes one number",
                advice="`math.sqrt` is for one number, np.sqrt for arrays.",
            ),
            Mistake(
                "// in place of /",
                """
mean = rows.mean(1, keepdims=True)
variance = rows.var(1, keepdims=True)
scale = 1 // np.sqrt(variance + eps)
normal = (rows - mean) * scale
""",
                says="// rounds down",
                advice="Python has two divisions.",
            ),
            Mistake(
                "the rows as integers",
                """
rows = rows.astype(int)

mean = rows.mean(1, keepdims=True)
variance = rows.var(1, keepdims=True)
scale = 1 / np.sqrt(variance + eps)
normal = (rows - mean) * scale
""",
                says="fractions must be kept",
                advice="What does .astype(int) do to 1.5?",
            ),
            Mistake(
                "always float32",
                """
mean = rows.mean(1, keepdims=True)
variance = rows.var(1, keepdims=True)
scale = 1 / np.sqrt(variance + eps)
normal = (rows - mean) * scale
normal = normal.astype(np.float32)
""",
                says="float64 went in and its digits are lost",
                advice="The dtype of x is to be kept, whichever it is.",
            ),
            Mistake(
                "functions made in a loop, called after it",
                """
parts = [lambda: row - row.mean() for row in rows]
scale = 1 / np.sqrt(rows.var(1, keepdims=True) + eps)
normal = np.array([part() for part in parts]) * scale
""",
                says="every row comes from the last row",
                advice="What is `row` when the lambdas are called?",
            ),
            Mistake(
                "scale forgotten",
                """
normal = (rows - rows.mean(1, keepdims=True)) / np.sqrt(rows.var(1, keepdims=True) + eps)
""",
                says="name 'scale' is not defined",
                advice="The lines after yours use both names.",
            ),
            Mistake(
                "the weight applied too early",
                """
mean = rows.mean(1, keepdims=True)
variance = rows.var(1, keepdims=True)
scale = 1 / np.sqrt(variance + eps)
normal = (rows - mean) * scale
if weight is not None:
    normal = normal * weight
""",
                says="the weight multiplies and the bias is added after",
                advice="Read the lines after yours: what do they do with `normal`?",
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
            Mistake(
                "the gradient written into the table",
                """
weight[...] = 0
np.add.at(weight, tokens, g)
return weight
""",
                says="the table itself was overwritten",
                advice="The array `weight` is what the network has learned.",
            ),
            Mistake(
                "the tokens sorted in place",
                """
flat, g = tokens.reshape(-1), g.reshape(-1, weight.shape[1])
order = np.argsort(flat, kind='stable')
flat.sort()
result = np.zeros_like(weight)
for t, row in zip(flat, g[order]):
    result[t] += row
return result
""",
                says="the tokens were overwritten",
                advice="`x.sort()` sorts x itself, np.sort(x) makes a sorted copy.",
            ),
            Mistake(
                "g squeezed",
                """
result = np.zeros_like(weight)
np.add.at(result, tokens, np.squeeze(g))
return result
""",
                says="not broadcastable",
                advice="With one column np.squeeze removes the axis of the columns.",
            ),
            Mistake(
                "a list of rows returned",
                """
return [g[tokens == t].sum(0) for t in range(rows)]
""",
                says="a list came back",
                advice="np.stack makes an array of the rows.",
            ),
            Mistake(
                "an array made from a generator",
                """
return np.array(g[tokens == t].sum(0) for t in range(rows))
""",
                says="array of Python objects",
                advice="Print the array: what does it hold?",
            ),
            Mistake(
                "functions made in a loop, called after it",
                """
result = np.zeros_like(weight)
parts = {}
for t in np.unique(tokens):
    parts[t] = lambda: g[tokens == t].sum(0)
for t2 in parts:
    result[t2] = parts[t2]()
return result
""",
                says="every row comes from the last row",
                advice="What is `t` when the lambdas are called?",
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
            Mistake(
                "drawn for the shape without axes of 1",
                """
if not training or p == 0:
    return x
kept = (generator or default_generator()).random(np.squeeze(x.data).shape, dtype=np.float32) >= p
return _scale_kept(x, kept, 1 / (1 - p))
""",
                says="came out of",
                advice="x.shape has all axes; np.squeeze removes those of size 1.",
            ),
            Mistake(
                "one number for all",
                """
if not training or p == 0:
    return x
kept = (generator or default_generator()).random() >= p
return _scale_kept(x, kept, 1 / (1 - p))
""",
                says="one random number decides for all",
                advice="`random()` gives one number, `random(shape)` one for each entry.",
            ),
            Mistake(
                "Python's not",
                """
if not training or p == 0:
    return x
kept = not (generator or default_generator()).random(x.shape) < p
return _scale_kept(x, kept, 1 / (1 - p))
""",
                says="truth value of an array",
                advice="`not` asks an array for one answer; `~` and np.logical_not answer for each entry.",
            ),
            Mistake(
                "a new tensor made from the array",
                """
if not training or p == 0:
    return x
kept = (generator or default_generator()).random(x.shape, dtype=np.float32) >= p
return array(_scale_kept(x, kept, 1 / (1 - p)).data)
""",
                says="no gradient finds the way back",
                advice="`array(...)` makes a leaf: it does not know what it was computed from.",
            ),
            Mistake(
                "the mask returned beside it",
                """
if not training or p == 0:
    return x
kept = (generator or default_generator()).random(x.shape, dtype=np.float32) >= p
return _scale_kept(x, kept, 1 / (1 - p)), kept
""",
                says="a tuple came back",
                advice="The caller expects one tensor.",
            ),
            Mistake(
                "integers multiplied in integers",
                """
if not training or p == 0:
    return x
kept = (generator or default_generator()).random(x.shape, dtype=np.float32) >= p
if x.dtype.kind in "iu":
    return array((x.data * kept * (1 / (1 - p))).astype(int))
return _scale_kept(x, kept, 1 / (1 - p))
""",
                says="an integer that is kept",
                advice="What is 3 / 0.75 in an array of integers?",
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
            Mistake(
                "the losses squeezed",
                """
logs = _log_softmax(rows)  # (n, V)
at_targets = np.arange(len(right)), right
losses = -np.squeeze(logs[at_targets])

def rule(g):
    result = np.exp(logs)
    result[at_targets] -= 1
    return result * g[:, None]
""",
                says="for one row too: squeeze nothing",
                advice="With one row np.squeeze removes the axis of the rows.",
            ),
            Mistake(
                "the gradient squeezed",
                """
logs = _log_softmax(rows)  # (n, V)
at_targets = np.arange(len(right)), right
losses = -logs[at_targets]

def rule(g):
    result = np.exp(logs)
    result[at_targets] -= 1
    return np.squeeze(result * g[:, None])
""",
                says=r"an array of shape \(n, V\)$",
                advice="With one class np.squeeze removes the axis of the classes.",
            ),
            Mistake(
                "the losses as a column",
                """
logs = _log_softmax(rows)  # (n, V)
at_targets = np.arange(len(right)), right
losses = -np.take_along_axis(logs, right[:, None], 1)

def rule(g):
    result = np.exp(logs)
    result[at_targets] -= 1
    return result * g[:, None]
""",
                says=r"one axis, \(n,\): one loss",
                advice="take_along_axis keeps the axis: print the shape of the losses.",
            ),
            Mistake(
                "a list of losses",
                """
logs = _log_softmax(rows)  # (n, V)
at_targets = np.arange(len(right)), right
losses = [-row[t] for row, t in zip(logs, right)]

def rule(g):
    result = np.exp(logs)
    result[at_targets] -= 1
    return result * g[:, None]
""",
                says="with a loss for each row",
                advice="The lines after yours ask for `losses.dtype`: np.array makes an array.",
            ),
            Mistake(
                "an array for a rule",
                """
logs = _log_softmax(rows)
at = np.arange(len(right)), right
losses = -logs[at]
rule = np.exp(logs)
rule[at] -= 1
""",
                says="must be a function of g",
                advice="The gradient depends on g, which is not there yet.",
            ),
            Mistake(
                "the losses in integers",
                """
logs = _log_softmax(rows)  # (n, V)
at_targets = np.arange(len(right)), right
losses = np.zeros_like(right)
losses[:] = -logs[at_targets]

def rule(g):
    result = np.exp(logs)
    result[at_targets] -= 1
    return result * g[:, None]
""",
                says="cut to whole numbers",
                advice="np.zeros_like(right) has the dtype of the targets.",
            ),
            Mistake(
                "Python's own sum",
                """
e = np.exp(rows - rows.max(1, keepdims=True))
logs = np.log(e / sum(e))
at = np.arange(len(right)), right
losses = -logs[at]
def rule(g):
    result = np.exp(logs)
    result[at] -= 1
    return result * g[:, None]
""",
                says="Python's own sum and max",
                advice="`sum(e)` adds the rows of e to each other.",
            ),
            Mistake(
                "functions made in a loop, called after it",
                """
logs = _log_softmax(rows)
parts = [lambda: -logs[i, t] for i, t in enumerate(right)]
losses = np.array([part() for part in parts], logs.dtype)
at = np.arange(len(right)), right
def rule(g):
    result = np.exp(logs)
    result[at] -= 1
    return result * g[:, None]
""",
                says="every loss comes from the last row",
                advice="What are `i` and `t` when the lambdas are called?",
            ),
        ],
    ),
}
