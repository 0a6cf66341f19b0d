"""Right and wrong answers to the exercises of lesson 08."""

from tests.wrong_answers import Answers, Mistake

RATE = (
    "self.optimizer.lr = warmup_cosine(self.steps, c.warmup_steps, c.num_steps, c.lr, c.min_lr)\n"
)
CLIP = "clip_grad_norm_(self.optimizer.parameters, c.max_norm)\n"
CLIP_IF = f"if not math.isfinite({CLIP.rstrip()}):\n    return math.nan\n"

ANSWERS = {
    "08.1": Answers(
        right=[
            """
places = np.arange(T) + past
x = self.dropout(self.position_embedding(places) + self.token_embedding(tokens))
for number, block in enumerate(self.blocks):
    x = block(x, caches[number] if caches else None)
x = self.output_ln(x[:, T - 1 :] if last else x)
return self.output_projection(x)
""",
            """
stream = self.dropout(self.token_embedding(tokens)
                      + self.position_embedding(np.array(range(past, past + T))))
if caches is None:
    stream = self.blocks(stream)
else:
    for block, cache in zip(self.blocks, caches, strict=True):
        stream = block(stream, cache=cache)
logits = self.output_projection(self.output_ln(stream))
return logits[:, -1:] if last else logits
""",
        ],
        wrong=[
            Mistake(
                "the first position for the last",
                change=("x[:, -1:]", "x[:, :1]"),
                says="newest token",
                advice="The token that was read last says what comes next.",
            ),
            Mistake(
                "the last position without its axis",
                change=("x[:, -1:]", "x[:, -1]"),
                says="keeps the axis",
                advice="An index takes its axis away, a slice keeps it.",
            ),
            Mistake(
                "`last` not asked",
                change=("if last:\n    x = x[:, -1:]", "pass"),
                says="the logits of all positions",
                advice="Half of a long prompt's logits would be half a gigabyte for nothing.",
            ),
            Mistake(
                "no position embedding",
                change=(" + self.position_embedding.weight[past : past + T]", ""),
                says="position embedding is missing",
                advice="Attention is a weighted sum: but for the mask it knows no order.",
            ),
            Mistake(
                "places from 0 with a cache",
                change=("past : past + T", ":T"),
                says="stand at the places after those before",
                advice="Training cannot show it; sampling token by token does.",
            ),
            Mistake(
                "caches not handed on",
                change=("block(x, cache)", "block(x)"),
                says="caches were not filled",
                advice="Each block has keys and values of its own to keep.",
            ),
            Mistake(
                "no last LayerNorm",
                change=("self.output_ln(x)", "x"),
                says="output_ln change nothing",
                advice="The stream has grown block by block; somebody has to set its scale.",
            ),
            Mistake(
                "each block reads the embeddings",
                change=(("x = block(x", "y = block(x"), ("self.output_ln(x)", "self.output_ln(y)")),
                says="every block must be passed",
                advice="What one block returns is what the next one reads.",
            ),
            Mistake(
                "probabilities for logits",
                change=(
                    "return self.output_projection(self.output_ln(x))",
                    "e = self.output_projection(self.output_ln(x)).exp()\n"
                    "return e / e.sum(axis=-1, keepdims=True)",
                ),
                says="these are probabilities",
                advice="cross_entropy_loss takes the softmax itself; twice is too soft.",
            ),
            Mistake(
                "the axis of a single text squeezed out",
                change=(
                    "return self.output_projection(self.output_ln(x))",
                    "logits = self.output_projection(self.output_ln(x))\n"
                    "return logits.squeeze(0) if len(tokens) == 1 else logits",
                ),
                says="for a single text too",
                advice="Sampling one text asks for logits[:, -1]: which axis is that then?",
            ),
            Mistake(
                "positions added after the dropout",
                "x = self.dropout(self.token_embedding(tokens))\n"
                "x = x + self.position_embedding(np.arange(past, past + T))\n"
                "for block, cache in zip(self.blocks, caches or [None] * len(self.blocks)):\n"
                "    x = block(x, cache)\n"
                "return self.output_projection(self.output_ln(x))",
                says="goes around",
                advice="Dropout is on the sum.",
            ),
            Mistake(
                "the places' vectors without their history",
                change=("weight[past", "weight.data[past"),
                says="would never learn",
                advice=".data is the bare array: who would tell the table what to change?",
            ),
            Mistake(
                "each block's input added once more",
                change=("block(x, cache)", "x + block(x, cache)"),
                says="not in the way of the text",
                advice="The block adds its own input (lesson 07); twice is once too often.",
            ),
            Mistake(
                "dropout on each of the two embeddings",
                of=0,
                change=(
                    "self.position_embedding(places) + ",
                    "self.position_embedding(places)) + self.dropout(",
                ),
                says="^`self.dropout` is called once",
                advice="Add first; then one dropout for the sum.",
            ),
        ],
    ),
    "08.2": Answers(
        right=[
            """
V = logits.shape[-1]
if temperature == 0:
    return np.eye(V)[logits.argmax(-1)]
order = np.argsort(-logits, axis=-1, kind="stable")
rank = np.argsort(order, axis=-1)
scaled = logits / temperature
weights = np.exp(scaled - scaled.max(-1, keepdims=True))
weights = np.where(rank < (V if top_k is None else top_k), weights, 0.0)
return weights / weights.sum(-1, keepdims=True)
""",
            """
rows = []
for row in logits:
    k = 1 if temperature == 0 else top_k or len(row)
    kept = sorted(range(len(row)), key=lambda i: (-row[i], i))[:k]
    p = np.zeros(len(row))
    p[kept] = np.exp((row[kept] - row.max()) / (temperature or 1.0))
    rows.append(p / p.sum())
return np.array(rows)
""",
            """
if temperature == 0:
    top_k, temperature = 1, 1.0
if top_k is not None and top_k < logits.shape[-1]:
    ranked = np.argsort(-logits, axis=-1, kind="stable")
    np.put_along_axis(logits, ranked[..., top_k:], -np.inf, axis=-1)
logits = (logits - logits.max(-1, keepdims=True)) / temperature
weights = np.exp(logits)
return weights / weights.sum(-1, keepdims=True)
""",
        ],
        wrong=[
            Mistake(
                "temperature after the softmax, made to sum to 1",
                change=(
                    (") / temperature", ")"),
                    ("return weights /", "weights = weights / temperature\nreturn weights /"),
                ),
                says="temperature changes nothing",
                advice="A common factor goes out again when the sum is divided by.",
            ),
            Mistake(
                "temperature after the softmax",
                change=(
                    (") / temperature", ")"),
                    (
                        "weights.sum(-1, keepdims=True)",
                        "weights.sum(-1, keepdims=True) / temperature",
                    ),
                ),
                says="sum to 2",
                advice="Add them up: is it still a distribution?",
            ),
            Mistake(
                "temperature multiplied",
                change=(") / temperature", ") * temperature"),
                says="divide, do not multiply",
                advice="Cold is sharp. Which way does dividing by a half go?",
            ),
            Mistake(
                "top-k by a threshold, so that ties stay",
                change=(
                    "kept = above | (equal & (equal.cumsum(-1) <= room))",
                    "kept = above | equal",
                ),
                says="exactly k must be left",
                advice="A threshold alone cannot tell equal logits apart; their places can.",
            ),
            Mistake(
                "the least likely kept",
                of=2,
                change=("np.argsort(-logits", "np.argsort(logits"),
                says="least likely tokens were kept",
                advice="argsort goes upwards.",
            ),
            Mistake(
                "top-k after the softmax, and not divided again",
                "if temperature == 0:\n    top_k, temperature = 1, 1.0\n"
                "p = np.exp((logits - logits.max(-1, keepdims=True)) / temperature)\n"
                "p = p / p.sum(-1, keepdims=True)\n"
                "if top_k is not None and top_k < logits.shape[-1]:\n"
                "    ranked = np.argsort(-logits, axis=-1, kind='stable')\n"
                "    np.put_along_axis(p, ranked[:, top_k:], 0.0, axis=-1)\n"
                "return p",
                says="does not sum to 1",
                advice="What was cut off must be shared out among the rest.",
            ),
            Mistake(
                "temperature 0 divided by",
                change=(
                    ("if temperature == 0:\n    top_k, temperature = 1, 1.0\n", ""),
                    ("logits = (logits -", "np.seterr(all='ignore')\nlogits = (logits -"),
                ),
                says="temperature 0",
                advice="The limit exists, the quotient does not: treat 0 by itself.",
            ),
            Mistake(
                "no maximum taken off",
                change=(
                    "logits = (logits - logits.max(-1, keepdims=True)) / temperature",
                    "np.seterr(all='ignore')\nlogits = logits / temperature",
                ),
                says="overflow",
                advice="A low temperature makes logits large: 10 / 0.01 is 1000.",
            ),
            Mistake(
                "equal logits in an order of chance",
                of=2,
                change=(', kind="stable"', ""),
                says="only by chance",
                advice="Quicksort does not keep the order of equal numbers; a long row shows it.",
            ),
            Mistake(
                "the largest logit of all rows taken off",
                change=("logits.max(-1, keepdims=True)", "logits.max()"),
                says="rows disturb each other",
                advice="Let one row be a thousand above the other.",
            ),
            Mistake(
                "infinity replaced by a number",
                change=("if temp", "logits = np.nan_to_num(logits, neginf=-1.0)\nif temp"),
                says="-inf has probability 0",
                advice="Who masks a token with -inf wants it never, not seldom.",
            ),
        ],
        equivalent={
            "line 3: top_k < logits.shape[-1] → top_k <= logits.shape[-1]": "where k is the whole vocabulary nothing is cut",
            "line 2: 1.0 → 2.0 (column 28)": "at temperature 0 only one token is left",
            "line 3: -1 → 1": "logits have two axes: the last is axis 1",
            "line 9: -1 → 1": "logits have two axes: the last is axis 1",
            "line 10: -1 → 1": "logits have two axes: the last is axis 1",
            "line 12: -1 → 1": "logits have two axes: the last is axis 1",
            "line 14: -1 → 1": "logits have two axes: the last is axis 1",
        },
    ),
    "08.3": Answers(
        right=[
            """
before = model.training
model.eval()
tokens = as_array(context)
try:
    for _, token in zip(range(max_new_tokens),
                        generate(model, context, temperature, top_k, generator)):
        tokens = np.column_stack([tokens, token])
finally:
    model.train(before)
return tokens
""",
            """
from itertools import islice
mode, _ = model.training, model.eval()
try:
    new = list(islice(generate(model, context, temperature, top_k, generator), max_new_tokens))
finally:
    model.train(mode)
new = np.array(new, dtype=np.int64).reshape(max_new_tokens, len(context)).T
return np.concatenate((as_array(context), new), axis=-1)
""",
        ],
        wrong=[
            Mistake(
                "training mode while it writes",
                change=("model.eval()\n", ""),
                says="dropout is alive",
                advice="Dropout is for training only.",
            ),
            Mistake(
                "the mode not put back",
                change=("model.train(training)", "pass"),
                says="is in evaluation mode afterwards",
                advice="A sample in the middle of a training would switch dropout off for good.",
            ),
            Mistake(
                "always training afterwards",
                change=("model.train(training)", "model.train()"),
                says="is in training mode afterwards",
                advice="Who samples does not know what the model was used for.",
            ),
            Mistake(
                "only the new tokens",
                change=("return np.concatenate([context, *(", "return np.concatenate([*("),
                says="only the new tokens come back",
                advice="The docstring says what stands in front.",
            ),
            Mistake(
                "settings not handed on",
                change=("temperature, top_k, generator)", "generator=generator)"),
                says="hand the temperature on",
                advice="An option that is accepted and ignored is worse than none.",
            ),
            Mistake(
                "the generator not handed on",
                change=("top_k, generator)", "top_k)"),
                says="different seeds give the same",
                advice="generate then makes its own, always from seed 0.",
            ),
            Mistake(
                "no finally",
                "training = model.training\nmodel.eval()\n"
                "stream = generate(model, context, temperature, top_k, generator)\n"
                "new = [next(stream) for _ in range(max_new_tokens)]\n"
                "model.train(training)\n"
                "return np.concatenate([context, *(token[:, None] for token in new)], axis=1)",
                says="after an error",
                advice="An error or an interrupt in the middle leaves the mode changed.",
            ),
            Mistake(
                "the texts of a batch mixed up",
                change=(
                    "return np.concatenate([context, *(token[:, None] for token in new)], axis=1)",
                    "new = np.array(new, int).reshape(len(context), -1)\n"
                    "return np.concatenate([context, new], axis=1)",
                ),
                says="stand behind another text",
                advice="Write down what a round of `generate` yields: a token for each text.",
            ),
            Mistake(
                "no tokens are an error",
                change=(
                    "return np.concatenate([context, *(token[:, None] for token in new)], axis=1)",
                    "return np.concatenate([context, np.stack(new, axis=1)], axis=1)",
                ),
                says="raised ValueError: need at least one array to stack",
                advice="How many new tokens may be asked for? The smallest number is 0.",
            ),
            Mistake(
                "axes of length 1 squeezed out",
                change=(
                    "return np.concatenate([context, *(token[:, None] for token in new)], axis=1)",
                    "tokens = np.concatenate([context, *(token[:, None] for token in new)], axis=1)\n"
                    "return tokens.squeeze()",
                ),
                says="for a single text, a single token and none too",
                advice="Who asks for one text gets (1, T), as it was given.",
            ),
            Mistake(
                "only the model's own flag put back",
                change=("model.train(training)", "model.training = training"),
                says="own flag was set",
                advice="Every module has the flag; train() reaches them all.",
            ),
            Mistake(
                "a long context cut off",
                change=(
                    "training = model.training",
                    "context = context[:, -model.config.context_size :]\ntraining = model.training",
                ),
                says="comes back whole",
                advice="What the model cannot read, the reader of the text still wants.",
            ),
            Mistake(
                "a new stream for each token",
                """
training = model.training
model.eval()
try:
    new = [
        next(generate(model, context, temperature, top_k, generator)) for _ in range(max_new_tokens)
    ]
finally:
    model.train(training)
return np.concatenate([context, *(token[:, None] for token in new)], axis=1)
""",
                says="the first one of a new `generate`",
                advice="How often is `generate` called, and what does each of its streams begin with?",
            ),
            Mistake(
                "tokens in an array of floats",
                """
training = model.training
model.eval()
T = context.shape[1]
tokens = np.zeros((len(context), T + max_new_tokens))
tokens[:, :T] = context
try:
    stream = generate(model, context, temperature, top_k, generator)
    for place in range(T, T + max_new_tokens):
        tokens[:, place] = next(stream)
finally:
    model.train(training)
return tokens
""",
                says="tokens are integers",
                advice="Which dtype has np.zeros, if nobody names one?",
            ),
        ],
    ),
    "08.4": Answers(
        right=[
            """
config, optimizer = self.config, self.optimizer
self.model.train()
optimizer.lr = warmup_cosine(
    self.steps, config.warmup_steps, config.num_steps, config.lr, config.min_lr
)
optimizer.zero_grad()
inputs, targets = self.batch()
loss = self._backward(inputs, targets)
if not math.isfinite(loss):
    return loss
length = clip_grad_norm_(optimizer.parameters, config.max_norm)
if math.isfinite(length):
    optimizer.step()
    self.steps = self.steps + 1
    return loss
return math.nan
""",
            """
c = self.config
for parameter in self.optimizer.parameters:
    parameter.grad = None
self.model.train(True)
loss = self._backward(*self.batch())
if np.isnan(loss) or np.isinf(loss):
    return loss
if not np.isfinite(clip_grad_norm_(self.model.parameters(), c.max_norm)):
    return float("nan")
self.optimizer.lr = warmup_cosine(self.steps, c.warmup_steps, c.num_steps, c.lr, c.min_lr)
self.steps += 1
self.optimizer.step()
return loss
""",
        ],
        wrong=[
            Mistake(
                "only the loss is looked at",
                change=(CLIP_IF, CLIP),
                says="look at the length",
                advice="A loss can be 2.1 and its gradient infinite, where a root begins at 0.",
            ),
            Mistake(
                "gradients never cleared",
                change=("self.optimizer.zero_grad()\n", ""),
                says="earlier step were added",
                advice="backward adds to .grad; that is what lesson 02 built.",
            ),
            Mistake(
                "cleared after backward",
                change=(
                    ("self.optimizer.zero_grad()\n", ""),
                    ("(*self.batch())\n", "(*self.batch())\nself.optimizer.zero_grad()\n"),
                ),
                says="must make one step|cleared between",
                advice="Say aloud what .grad holds on each line.",
            ),
            Mistake(
                "clipped after the update",
                change=((CLIP_IF, ""), ("self.steps += 1\n", CLIP + "self.steps += 1\n")),
                says="clip them before",
                advice="A clip that comes after the update protects nothing.",
            ),
            Mistake(
                "the rate set after the update",
                change=((RATE, ""), ("self.steps += 1\n", RATE + "self.steps += 1\n")),
                says="one step too late",
                advice="The first step would run at the full rate, without any warm-up.",
            ),
            Mistake(
                "steps not counted",
                change=("self.steps += 1\n", ""),
                says="must count the steps",
                advice="Every batch would be the same batch.",
            ),
            Mistake(
                "evaluation mode",
                change=("self.model.train()\n", ""),
                says="trains in evaluation mode",
                advice="evaluate and sample change the mode; a step must not rely on it.",
            ),
            Mistake(
                "a loss of nan goes on",
                change=(("if not math.isfinite(loss):\n    return loss\n", ""), (CLIP_IF, CLIP)),
                says="not finite must change no parameter",
                advice="One nan in the weights, and no later step can take it out.",
            ),
            Mistake(
                "a fixed rate",
                change=(RATE, ""),
                says="rate never changes",
                advice="Lesson 05: what happens to a transformer without warm-up?",
            ),
            Mistake(
                "a spoiled step that returns its loss",
                change=("return math.nan", "return loss"),
                says="must say so by what it returns",
                advice="The caller looks at the loss alone: how can it know?",
            ),
        ],
        equivalent={
            "line 5: if not math.isfinite(loss): → deleted": "the gradients of such a loss are not finite either, and the next lines find them"
        },
    ),
    "08.5": Answers(
        right=[
            """
before, rng, total = model.training, np.random.default_rng(seed), 0.0
model.eval()
try:
    for _ in range(num_batches):
        x, y = dataset.sample(batch_size, rng)
        total += nn.cross_entropy_loss(model(x), y).item()
finally:
    model.train(before)
return total / num_batches
""",
            """
mode = model.training
try:
    model.train(False)
    rng = np.random.default_rng(seed)
    batches = (dataset.sample(batch_size, rng) for _ in range(num_batches))
    return float(np.mean([nn.cross_entropy_loss(model(x), y).item() for x, y in batches]))
finally:
    model.train(mode)
""",
        ],
        wrong=[
            Mistake(
                "dropout alive",
                of=0,
                change=("model.eval()\n", ""),
                says="dropout is alive",
                advice="The validation loss would be too high, and another one each time.",
            ),
            Mistake(
                "the mode not put back",
                of=0,
                change=("model.train(before)\n", ""),
                says="stays in evaluation mode",
                advice="After the first evaluation nothing would be dropped any more.",
            ),
            Mistake(
                "always training afterwards",
                of=0,
                change=("model.train(before)", "model.train()"),
                says="was put into training mode",
                advice="Keep what was found.",
            ),
            Mistake(
                "other windows each time",
                change=("default_rng(seed)", "default_rng()"),
                says="other windows each time",
                advice="Two models can only be compared on the same windows.",
            ),
            Mistake(
                "the same window again and again",
                of=0,
                change=("(batch_size, rng)", "(batch_size, np.random.default_rng(seed))"),
                says="every batch is the first one",
                advice="Made anew, a generator begins again.",
            ),
            Mistake(
                "the sum",
                of=0,
                change=("total / num_batches", "total"),
                says="not divided by their number",
                advice="The loss would grow with the number of batches.",
            ),
            Mistake(
                "the last batch only",
                change=("float(np.mean(losses))", "losses[-1]"),
                says="only the last batch counts",
                advice="One batch is a noisy witness.",
            ),
            Mistake(
                "only the model's own flag put back",
                of=0,
                change=("model.train(before)", "model.training = before"),
                says="own flag was set",
                advice="Every module has the flag; train() reaches them all.",
            ),
            Mistake(
                "the library's generator seeded",
                change=(
                    "generator = np.random.default_rng(seed)",
                    "from minigrad.random import default_generator, manual_seed\n"
                    "manual_seed(seed)\ngenerator = default_generator()",
                ),
                says="library's own generator",
                advice="After each evaluation the training would draw the same dropout again.",
            ),
            Mistake(
                "no finally",
                """
training = model.training
model.eval()
generator = np.random.default_rng(seed)
losses = []
for _ in range(num_batches):
    inputs, targets = dataset.sample(batch_size, generator)
    losses.append(nn.cross_entropy_loss(model(inputs), targets).item())
model.train(training)
return float(np.mean(losses))
""",
                says="after an error the mode is not put back",
                advice="Which of your lines run after the data set has raised an error?",
            ),
            Mistake(
                "the median",
                change=("np.mean(losses)", "np.median(losses)"),
                says="the median of the losses",
                advice="Which of the two tells of one batch in ten that goes wrong?",
            ),
        ],
    ),
}
