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
                "softmax without the maximum taken off",
                """
e = np.exp(x)
total = e.sum(axis, keepdims=True)
return e / np.where(total == 0, 1, total).astype(x.dtype)
""",
                says="large scores overflow",
                advice="Ask what exp(1000) is in float32, and what a softmax becomes when all "
                "its scores grow by the same amount.",
            ),
            Mistake(
                "the maximum of the whole array taken off",
                """
e = np.exp(x - x.max(initial=-np.inf))
total = e.sum(axis, keepdims=True)
return e / np.where(total == 0, 1, total).astype(x.dtype)
""",
                says="rows of very different size",
                advice="Put a row of 500s beside a row of -500s: which number must be taken off "
                "each of them?",
            ),
            Mistake(
                "the size of the largest entry taken off, not the entry",
                """
e = np.exp(x - np.abs(x).max(axis, keepdims=True, initial=0))
total = e.sum(axis, keepdims=True)
return e / np.where(total == 0, 1, total).astype(x.dtype)
""",
                says="very negative scores",
                advice="The largest of -1000 and -1000 is -1000, and taking it off leaves 0.",
            ),
            Mistake(
                "a masked row gives nan",
                """
e = np.exp(x - x.max(axis, keepdims=True, initial=-np.inf))
return e / e.sum(axis, keepdims=True)
""",
                says="nothing but -inf",
                advice="Work [-inf, -inf] through by hand: the difference, then the quotient.",
            ),
            Mistake(
                "the sum always along the last axis",
                """
largest = x.max(axis, keepdims=True, initial=-np.inf)
e = np.exp(x - np.where(np.isneginf(largest), 0, largest))
total = e.sum(-1, keepdims=True)
return e / np.where(total == 0, 1, total)
""",
                says="along axis 0 each column",
                advice="The option `axis` has to reach every reduction, not the first alone.",
            ),
            Mistake(
                "divided by the sum of the whole array",
                """
e = np.exp(x - x.max(axis, keepdims=True, initial=-np.inf))
return e / e.sum()
""",
                says="one half each",
                advice="Each row is a set of alternatives of its own: how many sums are there?",
            ),
            Mistake(
                "always float32",
                """
largest = x.max(axis, keepdims=True, initial=-np.inf)
value = np.exp(x - np.where(np.isneginf(largest), 0, largest))
total = value.sum(axis, keepdims=True)
return (value / np.where(total == 0, 1, total)).astype(np.float32)
""",
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
                """
rows -= rows.mean(1, keepdims=True)
scale = 1 / np.sqrt((rows * rows).mean(1, keepdims=True) + eps)
normal = rows * scale
""",
                says="x was overwritten",
                advice="Print x before and after; in x + attn(ln(x)) it is still needed.",
            ),
            Mistake(
                "eps outside the root",
                """
scale = 1 / (rows.std(1, keepdims=True) + eps)
normal = (rows - rows.mean(1, keepdims=True)) * scale
""",
                says="outside the root",
                advice="Compute the row [1, 3] with eps = 3 by hand, from the formula.",
            ),
            Mistake(
                "the variance divided by n - 1",
                """
scale = 1 / np.sqrt(rows.var(1, keepdims=True, ddof=1) + eps)
normal = (rows - rows.mean(1, keepdims=True)) * scale
""",
                says="not by n - 1",
                advice="n - 1 estimates the variance of a population from a sample; here the row "
                "is all there is.",
            ),
            Mistake(
                "mean and variance over the rows",
                """
scale = 1 / np.sqrt(rows.var(0, keepdims=True) + eps)
normal = (rows - rows.mean(0, keepdims=True)) * scale
""",
                says="each column was normalised",
                advice="This is batch norm: what would happen to a batch of one vector?",
            ),
            Mistake(
                "the mean of the whole array",
                """
scale = 1 / np.sqrt(rows.var(1, keepdims=True) + eps)
normal = (rows - rows.mean()) * scale
""",
                says="mean of the row itself",
                advice="A mean without an axis is one number for the batch: no vector may look at "
                "another.",
            ),
            Mistake(
                "divided by the variance, without the root",
                """
scale = 1 / (rows.var(1, keepdims=True) + eps)
normal = (rows - rows.mean(1, keepdims=True)) * scale
""",
                says="the root of the variance",
                advice="Let all entries grow tenfold: by how much does the variance grow?",
            ),
            Mistake(
                "eps left out",
                """
scale = 1 / rows.std(1, keepdims=True)
normal = (rows - rows.mean(1, keepdims=True)) * scale
""",
                says="eps has no effect",
                advice="Ask what becomes of a row whose entries are all 5.",
            ),
            Mistake(
                "mean of the squares less the square of the mean",
                """
mean = rows.mean(1, keepdims=True)
scale = 1 / np.sqrt((rows * rows).mean(1, keepdims=True) - mean * mean + eps)
normal = (rows - mean) * scale
""",
                says="loses all its digits",
                advice="float32 has seven digits: how many are left of 1001² - 1000²?",
            ),
            Mistake(
                "normal not scaled",
                """
normal = rows - rows.mean(1, keepdims=True)
scale = 1 / np.sqrt((normal * normal).mean(1, keepdims=True) + eps)
""",
                says="keep the spread",
                advice="The lines after the blank multiply by the weight and nothing else.",
            ),
        ],
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
                """
result = np.zeros_like(weight)
result[tokens] += g
return result
""",
                says="only the last contribution",
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
                says="only the first contribution",
                advice="A token in three places is used three times, and gradients accumulate.",
            ),
            Mistake(
                "the mean of a token's contributions",
                """
result = np.zeros_like(weight)
flat, rows = tokens.reshape(-1), g.reshape(-1, weight.shape[1])
for token in set(flat.tolist()):
    result[token] = rows[flat == token].mean(0)
return result
""",
                says="nothing is averaged",
                advice="The averaging over a batch is the loss's affair, done there once.",
            ),
            Mistake(
                "added to a copy of the table",
                """
result = weight.copy()
np.add.at(result, tokens.reshape(-1), g.reshape(-1, weight.shape[1]))
return result
""",
                says="the table itself is in its gradient",
                advice="The gradient is not the new table: a token without use has the gradient 0.",
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
                """
result = np.zeros(weight.shape)
np.add.at(result, tokens, g)
return result
""",
                says="dtype of the table",
                advice="np.zeros makes float64 unless it is told; np.zeros_like(weight) is told.",
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
                """
if not training or p == 0:
    return x
kept = (generator or default_generator()).random(x.shape) >= p
return _scale_kept(x, kept, 1)
""",
                says="not rescaled",
                advice="Take the mean of a million ones before and after.",
            ),
            Mistake(
                "alive in evaluation",
                """
if p == 0:
    return x
kept = (generator or default_generator()).random(x.shape) >= p
return _scale_kept(x, kept, 1 / (1 - p))
""",
                says="alive in evaluation",
                advice="Call it twice with training=False: should the two results differ?",
            ),
            Mistake(
                "p taken for the probability to keep",
                """
if not training or p == 0:
    return x
kept = (generator or default_generator()).random(x.shape) < p
return _scale_kept(x, kept, 1 / p)
""",
                says="the wrong part is dropped",
                advice="The paper's p is the probability to keep, ours that to drop.",
            ),
            Mistake(
                "divided by p",
                """
if not training or p == 0:
    return x
kept = (generator or default_generator()).random(x.shape) >= p
return _scale_kept(x, kept, 1 / p)
""",
                says="divided by p",
                advice="With p = 0.25 three quarters are kept: which factor brings the mean back?",
            ),
            Mistake(
                "multiplied by 1 - p",
                """
if not training or p == 0:
    return x
kept = (generator or default_generator()).random(x.shape) >= p
return _scale_kept(x, kept, 1 - p)
""",
                says="made smaller",
                advice="The paper multiplies by 1 - p in use; done in training, it must be the "
                "opposite.",
            ),
            Mistake(
                "the given generator ignored",
                """
if not training or p == 0:
    return x
kept = default_generator().random(x.shape) >= p
return _scale_kept(x, kept, 1 / (1 - p))
""",
                says="the generator that is given decides",
                advice="An experiment can be repeated only if its chance comes from the seed that "
                "was asked for.",
            ),
            Mistake(
                "one draw for a whole row",
                """
if not training or p == 0:
    return x
kept = (generator or default_generator()).random(x.shape[:1] + (1,) * (x.ndim - 1)) >= p
return _scale_kept(x, kept, 1 / (1 - p))
""",
                says="whole rows or columns",
                advice="Which shape must the random numbers have, if each entry has its own?",
            ),
            Mistake(
                "the same places in all of a batch",
                """
if not training or p == 0:
    return x
kept = (generator or default_generator()).random(x.shape[-2:]) >= p
return _scale_kept(x, kept, 1 / (1 - p))
""",
                says="all of a batch",
                advice="x may have three axes: which shape has one number for each entry?",
            ),
            Mistake(
                "zeros written into x",
                """
if not training or p == 0:
    return x
kept = (generator or default_generator()).random(x.shape) >= p
x.data[~kept] = 0
return _scale_kept(x, kept, 1 / (1 - p))
""",
                says="written into x itself",
                advice="In a block the stream would lose what only its copy should lose.",
            ),
        ],
        equivalent={
            "line 3: (generator or default_generator()).random(x.shape, dtype=np.float32) >= p → (generator or default_generator()).random(x.shape, dtype=np.float32) > p": "it differs only where a number drawn is p exactly"
        },
    ),
    "03.5": Answers(
        right=[
            """
rows = logits.reshape(n, classes)
top = rows.max(1)
log_total = top + np.log(np.exp(rows - top[:, None]).sum(1))
value = (log_total - rows[np.arange(n), targets]).mean()

def rule(g):
    truth = np.zeros_like(rows)
    truth[np.arange(n), targets] = 1
    return ((np.exp(rows - log_total[:, None]) - truth) * (g / n)).reshape(logits.shape)
""",
            """
rows = logits.reshape(n, classes)
rows = rows - rows.max(-1, keepdims=True)
logs = rows - np.log(np.exp(rows).sum(-1, keepdims=True))
value = -logs[range(n), targets].sum() / n

def rule(g):
    result = np.exp(logs)
    result[range(n), targets] -= 1
    result *= g / n
    return result.reshape(logits.shape)
""",
        ],
        wrong=[
            Mistake(
                "the logits overwritten",
                """
rows = logits.reshape(n, classes)
rows -= rows.max(1, keepdims=True)
logs = rows - np.log(np.exp(rows).sum(1, keepdims=True))
value = -logs[np.arange(n), targets].mean()

def rule(g):
    result = np.exp(logs)
    result[np.arange(n), targets] -= 1
    return (result * (g / n)).reshape(logits.shape)
""",
                says="logits were overwritten",
                advice="A reshape is another view of the same numbers: what does -= do to them?",
            ),
            Mistake(
                "the sum in place of the mean",
                """
rows = logits.reshape(n, classes)
rows = rows - rows.max(1, keepdims=True)
logs = rows - np.log(np.exp(rows).sum(1, keepdims=True))
value = -logs[np.arange(n), targets].sum()

def rule(g):
    result = np.exp(logs)
    result[np.arange(n), targets] -= 1
    return (result * g).reshape(logits.shape)
""",
                says="the sum of the surprises",
                advice="Ask what happens to the loss when the batch is doubled.",
            ),
            Mistake(
                "the logarithm of softmax",
                """
probabilities = _softmax(logits.reshape(n, classes))
value = -np.log(probabilities[np.arange(n), targets]).mean()

def rule(g):
    result = probabilities.copy()
    result[np.arange(n), targets] -= 1
    return (result * (g / n)).reshape(logits.shape)
""",
                says="rounded to 0",
                advice="The detour over the probability loses everything below e to the -103.",
            ),
            Mistake(
                "the sign forgotten",
                """
rows = logits.reshape(n, classes)
rows = rows - rows.max(1, keepdims=True)
logs = rows - np.log(np.exp(rows).sum(1, keepdims=True))
value = logs[np.arange(n), targets].mean()

def rule(g):
    result = -np.exp(logs)
    result[np.arange(n), targets] += 1
    return (result * (g / n)).reshape(logits.shape)
""",
                says="the sign is wrong",
                advice="Logarithms of probabilities are negative; a surprise is positive.",
            ),
            Mistake(
                "truth minus prediction",
                """
rows = logits.reshape(n, classes)
rows = rows - rows.max(1, keepdims=True)
logs = rows - np.log(np.exp(rows).sum(1, keepdims=True))
value = -logs[np.arange(n), targets].mean()

def rule(g):
    result = -np.exp(logs)
    result[np.arange(n), targets] += 1
    return (result * (g / n)).reshape(logits.shape)
""",
                says="prediction minus truth",
                advice="A step goes against the gradient: should the target's logit rise or fall?",
            ),
            Mistake(
                "the gradient not divided by n",
                """
rows = logits.reshape(n, classes)
rows = rows - rows.max(1, keepdims=True)
logs = rows - np.log(np.exp(rows).sum(1, keepdims=True))
value = -logs[np.arange(n), targets].mean()

def rule(g):
    result = np.exp(logs)
    result[np.arange(n), targets] -= 1
    return (result * g).reshape(logits.shape)
""",
                says="n times too large",
                advice="The value is a mean; what does the derivative of a mean carry?",
            ),
            Mistake(
                "the gradient that arrives ignored",
                """
rows = logits.reshape(n, classes)
rows = rows - rows.max(1, keepdims=True)
logs = rows - np.log(np.exp(rows).sum(1, keepdims=True))
value = -logs[np.arange(n), targets].mean()

def rule(g):
    result = np.exp(logs)
    result[np.arange(n), targets] -= 1
    return (result / n).reshape(logits.shape)
""",
                says="given g = 10",
                advice="Try (3 * loss).backward(): the chain rule holds at the end too.",
            ),
            Mistake(
                "1 taken off the kept probabilities",
                """
rows = logits.reshape(n, classes)
rows = rows - rows.max(1, keepdims=True)
total = np.exp(rows).sum(1, keepdims=True)
probabilities = np.exp(rows) / total
value = (np.log(total[:, 0]) - rows[np.arange(n), targets]).mean()

def rule(g):
    probabilities[np.arange(n), targets] -= 1
    return (probabilities * (g / n)).reshape(logits.shape)
""",
                says="second call",
                advice="What a rule reads must stay as the forward pass left it.",
            ),
        ],
    ),
}
