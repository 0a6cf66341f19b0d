"""What the exercises of lesson 08 must do: the model, its distribution, sampling, training."""

import numpy as np

from course.checks.vocabulary import Wrong, check, near


def tiny(mg, dropout=0.0):
    """A model with weights large enough to see what each of them does."""
    config = mg.gpt2_shakespeare.GPT2Config(
        context_size=6, num_blocks=2, num_heads=2, embedding_dim=8, dropout=dropout, vocab_size=5
    )
    model = mg.gpt2_shakespeare.GPT2(config)
    rng = np.random.default_rng(8)
    for parameter in model.parameters():
        parameter.data[...] = 0.4 * rng.standard_normal(parameter.shape)
    return model


# --- 08.1: the forward pass ---


def probe_logits(mg, tokens):
    return tiny(mg)(np.array(tokens)).data


def probe_influence(mg, tokens):
    """The names of the parameters that change nothing."""
    model, tokens = tiny(mg), np.array(tokens)
    before, idle = model(tokens).data, []
    for name, parameter in model.named_parameters():
        kept = parameter.data.copy()
        parameter.data += np.random.default_rng(1).standard_normal(kept.shape)
        if np.allclose(model(tokens).data, before, atol=1e-6):
            idle.append(name)
        parameter.data[...] = kept
    return idle


def probe_portions(mg, tokens, sizes):
    """Logits in portions through the caches, and how many tokens each cache then holds."""
    model, parts, start = tiny(mg), [], 0
    caches = model.new_caches(len(tokens))
    with mg.no_grad():
        for size in sizes:
            parts.append(model(np.array(tokens)[:, start : start + size], caches).data)
            start += size
    return [np.concatenate(parts, axis=1), [cache.length for cache in caches]]


def probe_opposite_places(mg):
    """Logits where each place's vector is the opposite of the vector of the token that is there."""
    model = tiny(mg)
    model.position_embedding.weight.data[:5] = -model.token_embedding.weight.data
    return model(np.array([[0, 1, 2]])).data


def probe_nothing_through_dropout(mg, tokens):
    """The logits where the dropout passes nothing, and how often it was called."""
    model, calls = tiny(mg), []
    model.dropout = lambda x: calls.append(1) or x * 0.0
    return [model(np.array(tokens)).data, len(calls)]


def probe_without_gradient(mg, tokens):
    """The names of the parameters that are given no gradient."""
    model = tiny(mg)
    (model(np.array(tokens)) ** 2).sum().backward()
    return [name for name, p in model.named_parameters() if p.grad is None or not p.grad.any()]


# Of token 1 at place 0 of `tiny`.
FIRST_LOGITS = [-0.26051527, -0.5844327, 0.49558, 0.6760572, -1.2135423]


@check("08.1")
def forward(student):
    tokens = [[1, 1, 4], [2, 0, 3]]
    logits = student.array(probe_logits, tokens, shape=(2, 3, 5))
    if np.all(logits >= 0) and near(logits.sum(-1), np.ones((2, 3)), 1e-3):
        raise Wrong(
            "these are probabilities; the model returns logits, before any softmax",
            input=tokens,
            got=logits[0, 0],
        )
    yield "logits (B, T, V)"

    if near(logits[0, 0], logits[0, 1]):
        raise Wrong(
            "two equal tokens at places 0 and 1 get equal logits: the model does not know the "
            "places, so the position embedding is missing",
            input=tokens[0],
            expected="different rows",
            got=logits[0, :2],
        )
    added = student.array(probe_opposite_places, shape=(1, 3, 5))[0]
    if not near(added, added[:1].repeat(3, axis=0), 1e-4):
        raise Wrong(
            "the two embeddings must be added: where they are opposite nothing is left of them, "
            "and all logits are equal",
            input="tokens 0, 1, 2; position_embedding = -token_embedding",
            expected="equal rows",
            got=added,
        )
    idle = student.run(probe_influence, tokens)
    if idle != []:
        names = " and ".join(sorted({str(name).rsplit(".", 1)[0] for name in idle})[:2])
        words = f"the parameters of {names} change nothing in the logits"
        if any(str(name).startswith("blocks") for name in idle):
            words += ": every block must be passed, one after another"
        raise Wrong(words, input=tokens, expected=[], got=idle)
    left = student.run(probe_without_gradient, tokens)
    if left != []:
        names = " and ".join(sorted({str(name).rsplit(".", 1)[0] for name in left})[:2])
        raise Wrong(
            f"{names} would never learn: no gradient arrives there, since .data hands on the "
            "numbers without their history",
            input=tokens,
            expected=[],
            got=left,
        )
    yield "places count, and every parameter has its part"

    got, lengths = student.run(probe_portions, tokens, [2, 1])
    if lengths != [3, 3]:
        raise Wrong(
            "the caches were not filled: each block must get its own",
            input="2 tokens, then 1",
            expected=[3, 3],
            got=lengths,
        )
    if not near(got, logits, 1e-4):
        raise Wrong(
            "in two portions the tokens get other logits than all at once: with a cache the new "
            "tokens stand at the places after those before",
            input="2 tokens, then 1",
            expected=logits,
            got=got,
        )
    if not near(logits[0, 0], FIRST_LOGITS, 1e-3):
        raise Wrong(
            "every part is there, but not in the way of the text: each block is called once, in "
            "order, on what the one before returned (it adds its own input), then one LayerNorm, "
            "then the projection",
            input=tokens,
            expected=FIRST_LOGITS,
            got=logits[0, 0],
        )
    yield "in portions, through the caches, the same as at once"

    quiet, calls = student.run(probe_nothing_through_dropout, tokens)
    if not near(quiet[0, 0], quiet[1, 2]):
        raise Wrong(
            "something goes around `self.dropout`: the sum of the embeddings must pass it",
            input="a dropout that passes nothing",
            expected="all equal",
            got=quiet[:, :, 0],
        )
    if calls != 1:
        raise Wrong(
            "`self.dropout` is called once, on the sum of the embeddings", expected=1, got=calls
        )
    yield "the sum of the embeddings passes the dropout"


# --- 08.2: the distribution ---


def probe_probabilities(mg, logits, temperature, top_k):
    return mg.gpt2_shakespeare.next_token_probabilities(logits, temperature, top_k)


@check("08.2")
def distribution(student):
    def ask(weights, temperature=1.0, top_k=None):
        logits = np.log(np.array(weights, float))
        return student.array(probe_probabilities, logits, temperature, top_k, shape=logits.shape)

    got = ask([[1, 2, 4]])
    if not near(got, [[1 / 7, 2 / 7, 4 / 7]]):
        raise Wrong(
            "without settings this is not the softmax of the logits",
            input="logits log 1, log 2, log 4",
            expected=[1 / 7, 2 / 7, 4 / 7],
            got=got,
        )
    got = ask([[1, 2, 4]], temperature=0.5)
    if not near(got, [[1 / 21, 4 / 21, 16 / 21]]):
        words = "the temperature does something else than dividing the logits"
        if near(got, [[1 / 7, 2 / 7, 4 / 7]]):
            words = (
                "the temperature changes nothing: dividing probabilities and making them "
                "sum to 1 again gives them back; divide the logits, before the softmax"
            )
        elif near(got.sum(), 2.0):
            words = (
                "the probabilities were divided by the temperature and sum to 2; divide the "
                "logits, before the softmax"
            )
        elif got[0, 0] > 1 / 7:
            words = (
                "a low temperature flattens the distribution, where it must sharpen it: "
                "divide, do not multiply"
            )
        raise Wrong(
            words,
            input="logits log 1, log 2, log 4, temperature 0.5",
            expected=[1 / 21, 4 / 21, 16 / 21],
            got=got,
        )
    yield "the softmax of the logits divided by the temperature"

    got = ask([[1, 2, 4], [3, 1, 1]], top_k=2)
    expected = [[0, 1 / 3, 2 / 3], [3 / 4, 1 / 4, 0]]
    if not near(got[0], expected[0]):
        words = "top_k = 2 must leave the two likeliest, with probabilities that sum to 1"
        if near(got[0], [1 / 3, 2 / 3, 0]):
            words = "the least likely tokens were kept"
        elif near(got[0], [0, 2 / 7, 4 / 7]):
            words = "what is left does not sum to 1: cut before the softmax, or divide again"
        raise Wrong(
            words, input="logits log 1, log 2, log 4, top_k 2", expected=expected[0], got=got[0]
        )
    ties = ask([[5, 5, 5, 1]], top_k=2)
    if not near(ties, [[0.5, 0.5, 0, 0]]) or not near(got[1], expected[1]):
        count = int((ties > 0).sum())
        raise Wrong(
            f"of equal logits {count} were kept: exactly k must be left, the earlier ones"
            if count != 2
            else "of equal logits the earlier ones must be kept",
            input="logits log 5, log 5, log 5, log 1, top_k 2",
            expected=[0.5, 0.5, 0, 0],
            got=ties,
        )
    many = ask([[1, 2] * 150], top_k=5)[0]
    if np.flatnonzero(many).tolist() != [1, 3, 5, 7, 9]:
        raise Wrong(
            "of many equal logits the earlier ones must be kept: argsort and argpartition keep "
            "the order of equal numbers only by chance, unless told kind='stable'",
            input="300 logits log 1, log 2, log 1, log 2, …; top_k 5",
            expected=[1, 3, 5, 7, 9],
            got=np.flatnonzero(many),
        )
    for k in (3, 9):
        if not near(ask([[1, 2, 4]], top_k=k), [[1 / 7, 2 / 7, 4 / 7]]):
            raise Wrong(f"top_k = {k} of 3 tokens must cut nothing")
    if not near(ask([[1, 2, 4]], 0.5, 2), [[0, 1 / 5, 4 / 5]]):
        raise Wrong("temperature and top_k must work together", expected=[0, 1 / 5, 4 / 5])
    yield "top_k leaves exactly k, and they sum to 1"

    got = ask([[1, 2, 4], [3, 1, 3]], temperature=0)
    expected = [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]
    if not near(got, expected):
        raise Wrong(
            "temperature 0 must leave the likeliest token alone (the earlier of two equal ones), "
            "and cannot be divided by",
            input="logits log 1, log 2, log 4, and log 3, log 1, log 3; temperature 0",
            expected=expected,
            got=got,
        )
    yield "temperature 0 leaves the likeliest"

    logits = np.array([[1000.0, 999.0, 0.0], [0.0, 1.0, 2.0]])
    got = student.array(probe_probabilities, logits, 0.01, None, shape=(2, 3))
    if not near(got[1], [0.0, 0.0, 1.0]) and near(got[0], [1.0, 0.0, 0.0]):
        raise Wrong(
            "rows disturb each other: take each row's own largest logit off, not that of "
            "the whole array",
            input=logits,
            expected=[[1, 0, 0], [0, 0, 1]],
            got=got,
        )
    if not near(got[0], [1.0, 0.0, 0.0]):
        raise Wrong(
            "large logits overflow: take the largest off before exp",
            input=logits,
            expected=[1.0, 0.0, 0.0],
            got=got,
        )
    yield "large logits do not overflow"


# --- 08.3: sample ---


def mode(model):
    """True in training, False in evaluation, "mixed" where its parts do not agree."""
    modes = {part.training for part in model.modules()}
    return modes.pop() if len(modes) == 1 else "mixed"


MIXED = (
    "the model's own flag was set, and the parts inside it are in another mode: `train(mode)` and "
    "`eval()` reach them all"
)


def probe_sample(mg, context, count, settings, seed, training):
    """The tokens, the modes in which the model was called, and the mode it is in afterwards.

    A mode is True, False, or "mixed" where the parts of the model are not all in the same one.
    """
    model, modes = tiny(mg), []
    model.train(training)

    def watch(x):
        modes.append(mode(model))
        return x

    model.dropout = watch
    try:
        rng = np.random.default_rng(seed)
        write = mg.gpt2_shakespeare.sample
        tokens = write(model, np.array(context), count, generator=rng, **settings)
    except ValueError:
        tokens = "ValueError"
    return [tokens, modes, mode(model)]


def probe_sample_order(mg, context):
    """The tokens, where `generate` yields 1 and 2, then 3 and 4, then 0 and 1."""
    module = mg.gpt2_shakespeare
    generate = module.generate
    module.generate = lambda *_, **__: iter(np.array([[1, 2], [3, 4], [0, 1], [2, 2]]))
    try:
        return module.sample(tiny(mg), np.array(context), 3)
    finally:
        module.generate = generate


@check("08.3")
def sampling(student):
    context = [[1, 2], [3, 0]]

    def ask(count=5, settings=None, seed=0, training=True):
        found = student.run(probe_sample, context, count, settings or {}, seed, training)
        tokens = found[0]
        if not isinstance(tokens, np.ndarray) or tokens.ndim != 2:
            raise Wrong("sample must return an array (B, T + max_new_tokens)", got=tokens)
        return found

    tokens, modes, training = ask()
    if tokens.shape != (2, 7):
        words = "the context and 5 new tokens behind it must come back"
        if tokens.shape == (2, 5):
            words = "only the new tokens come back; the context belongs in front of them"
        raise Wrong(
            words,
            input={"context": context, "max_new_tokens": 5},
            expected=(2, 7),
            got=tokens.shape,
        )
    if not near(tokens[:, :2], context):
        raise Wrong("the context must stand in front", expected=context, got=tokens[:, :2])
    yield "the context, then the new tokens"

    if "mixed" in (*modes, training):
        raise Wrong(MIXED)
    if any(modes):
        raise Wrong("the model writes in training mode, so its dropout is alive: eval() first")
    if training is not True:
        raise Wrong("a model in training is in evaluation mode afterwards: put its mode back")
    if ask(training=False)[2] is not False:
        raise Wrong(
            "a model in evaluation mode is in training mode afterwards: give it back the "
            "mode that it had, not always training"
        )
    yield "in evaluation mode, and the old mode afterwards"

    got, expected = student.run(probe_sample_order, context), [[1, 2, 1, 3, 0], [3, 0, 2, 4, 1]]
    if not near(got, expected):
        raise Wrong(
            "each text must go on with its own tokens, one from each round of `generate`: "
            "here some stand behind another text (a reshape is no transpose)",
            input="generate yields [1, 2], [3, 4], [0, 1]; context [[1, 2], [3, 0]]",
            expected=expected,
            got=got,
        )
    long = [[0, 1, 2, 3, 4, 3, 2, 1]]
    got = student.run(probe_sample, long, 2, {}, 0, True)[0]
    if np.shape(got) != (1, 10) or not near(got[:, :8], long):
        raise Wrong(
            "a context that is longer than the model's comes back whole: `generate` cuts "
            "what the model reads",
            input={"context": long, "max_new_tokens": 2},
            expected=(1, 10),
            got=got,
        )
    yield "each text goes on by itself, behind the whole context"

    greedy = [ask(5, {"temperature": 0}, seed)[0] for seed in (0, 1)]
    if not near(greedy[0], greedy[1]):
        raise Wrong("at temperature 0 two seeds give two texts: hand the temperature on")
    if not near(ask(5, {"top_k": 1})[0], greedy[0]):
        raise Wrong("with top_k = 1 only the likeliest token may come: hand top_k on")
    if near(ask(20, seed=0)[0], ask(20, seed=1)[0]):
        raise Wrong("two generators with different seeds give the same text: hand it on")
    yield "temperature, top_k and the generator are handed on"

    found = student.run(probe_sample, context, 2, {"temperature": -1.0}, 0, True)
    if found[0] != "ValueError" or found[2] is not True:
        raise Wrong(
            "after an error the model stays in evaluation mode: put the mode back in a `finally`",
            input="temperature -1",
        )
    yield "also after an error"


# --- 08.4: a step of training ---


class Dataset:
    """Always the same batch."""

    def sample(self, batch_size, generator):
        x = np.array([[0, 1, 2, 3], [3, 2, 1, 0]])
        return x, (x + 1) % 5


def probe_steps(mg, count, max_norm, start):
    """Trains `count` steps; what the optimizer met each time, the losses and the step count.

    `start`: "" or "stale" (gradients of 100 are there), "eval" (mode), "nan" (weights), "steep" (a
    finite loss with infinite gradients).
    """
    model = tiny(mg)
    recipe = mg.gpt2_shakespeare.TrainingConfig(
        num_steps=10, warmup_steps=4, max_norm=max_norm, lr=0.01, min_lr=0.001, batch_size=2
    )
    trainer = mg.gpt2_shakespeare.Trainer(model, Dataset(), recipe)
    met, modes, update = [], [], trainer.optimizer.step

    def step():
        squares = [float((p.grad**2).sum()) for p in model.parameters() if p.grad is not None]
        met.append([sum(squares) ** 0.5, trainer.optimizer.lr])
        update()

    @mg.differentiable
    def steep(x, /):
        return x.copy(), lambda g: g * np.inf

    def watch(x):
        modes.append(mode(model))
        return steep(x) if start == "steep" else x

    trainer.optimizer.step, model.dropout = step, watch
    if start == "stale":
        for parameter in model.parameters():
            parameter.grad = np.full_like(parameter.data, 100.0)
    elif start == "eval":
        model.eval()
    elif start == "nan":
        model.output_projection.weight.data[...] = np.nan
    before = model.output_projection.weight.data.copy()
    losses = [trainer.step() for _ in range(count)]
    losses = [loss if isinstance(loss, float) else type(loss).__name__ for loss in losses]
    moved = not np.array_equal(before, model.output_projection.weight.data, equal_nan=True)
    return [met, losses, trainer.steps, modes, moved]


def probe_loss(mg):
    x, y = Dataset().sample(2, None)
    return mg.functional.cross_entropy_loss(tiny(mg)(x), y).item()


def probe_rates(mg, count):
    return [mg.optim.warmup_cosine(step, 4, 10, 0.01, 0.001) for step in range(count)]


@check("08.4")
def training_step(student):
    met, losses, steps, _, moved = student.run(probe_steps, 2, 1e9, "")
    if len(met) != 2 or not moved:
        raise Wrong("the optimizer must make one step in each step", expected=2, got=len(met))
    if not all(isinstance(loss, float) for loss in losses):
        raise Wrong("a step must return its loss as a float", expected="float", got=losses[0])
    if not near(losses[0], student.number(probe_loss), 1e-4):
        raise Wrong(
            "the loss that comes back is not the loss of this step's batch, before the update",
            expected=student.number(probe_loss),
            got=losses[0],
        )
    if steps != 2:
        raise Wrong(
            "`self.steps` must count the steps: batch and rate depend on it",
            input="2 steps",
            expected=2,
            got=steps,
        )
    yield "one update, its loss comes back, and steps are counted"

    norm = met[0][0]
    if norm == 0:
        raise Wrong("the optimizer met no gradients: they were cleared between backward and step")
    stale = student.run(probe_steps, 1, 1e9, "stale")[0][0][0]
    if not near(stale, norm, 1e-3):
        raise Wrong(
            "gradients of an earlier step were added to this one's: clear them first",
            input="old gradients of 100",
            expected=norm,
            got=stale,
        )
    yield "old gradients are cleared first"

    clipped = student.run(probe_steps, 1, 0.01, "")[0][0][0]
    if clipped > 0.0101:
        raise Wrong(
            "the optimizer met gradients longer than max_norm: clip them before its step",
            input="max_norm 0.01",
            expected=0.01,
            got=clipped,
        )
    if clipped < 0.0099:
        raise Wrong("the gradients were made shorter than max_norm", expected=0.01, got=clipped)
    yield "gradients are clipped before the update"

    rates = [lr for _, lr in student.run(probe_steps, 6, 1e9, "")[0]]
    expected = student.run(probe_rates, 6)
    if not near(np.array(rates), expected):
        words = "the rates are not those of warmup_cosine for steps 0, 1, 2, …"
        if near(np.array(rates[1:]), expected[:-1]):
            words = "the rate was set after the update, so it comes one step too late"
        elif near(np.array(rates[:-1]), expected[1:]):
            words = "the rate is that of the next step: steps are counted from 0"
        elif len(set(rates)) == 1:
            words = "the rate never changes: set `self.optimizer.lr` from warmup_cosine"
        raise Wrong(words, expected=expected, got=rates)
    yield "the rate follows warm-up and cosine"

    if student.run(probe_steps, 1, 1.0, "eval")[3] != [True]:
        raise Wrong(
            "after an evaluation the model trains in evaluation mode, without dropout: "
            "train() first"
        )
    met, nan, steps, _, _ = student.run(probe_steps, 1, 1.0, "nan")
    if met or steps != 0:
        raise Wrong(
            "a loss that is not finite must change no parameter and count no step: "
            "return it before the update",
            input="weights of nan",
        )
    met, steep, steps, _, _ = student.run(probe_steps, 1, 1.0, "steep")
    if met or steps != 0:
        raise Wrong(
            "the loss was finite and a gradient was not, and the parameters were moved by "
            "it: look at the length that clip_grad_norm_ returns",
            input="a loss with infinite gradients",
        )
    for losses, input in ((nan, "weights of nan"), (steep, "a loss with infinite gradients")):
        if not (isinstance(losses[0], float) and np.isnan(losses[0])):
            raise Wrong(
                "a step that changed nothing must say so by what it returns: the loss that "
                "is not finite, or math.nan where only a gradient is not",
                input=input,
                expected="nan",
                got=losses[0],
            )
    yield "in training mode, and a loss or gradient that is not finite changes nothing"


# --- 08.5: evaluate ---


class Windows:
    """Batches by the generator's numbers; notes what was asked."""

    def __init__(self):
        self.asked = []

    def sample(self, batch_size, generator):
        self.asked.append(batch_size)
        x = generator.integers(5, size=(batch_size, 4))
        return x, (x * 2 + 1) % 5


def probe_evaluate(mg, num_batches, seed, training):
    model, windows = tiny(mg, dropout=0.5), Windows()
    mg.manual_seed(num_batches + seed)
    library = mg.random.default_generator().bit_generator.state
    model.train(training)
    value = mg.gpt2_shakespeare.evaluate(model, windows, num_batches, 3, seed)
    untouched = mg.random.default_generator().bit_generator.state == library
    kind = "float" if isinstance(value, float) else type(value).__name__
    return [float(value) if kind == "float" else kind, windows.asked, mode(model), untouched]


def probe_each(mg, count, seed):
    """The losses of the first batches, one by one, dropout off."""
    model, windows, rng = tiny(mg, dropout=0.5), Windows(), np.random.default_rng(seed)
    model.eval()
    losses = []
    for _ in range(count):
        x, y = windows.sample(3, rng)
        losses.append(mg.functional.cross_entropy_loss(model(x), y).item())
    return losses


@check("08.5")
def evaluation(student):
    value, asked, training, untouched = student.run(probe_evaluate, 3, 0, True)
    if not isinstance(value, float):
        raise Wrong("evaluate must return a float", expected="float", got=value)
    if asked != [3, 3, 3]:
        raise Wrong(
            "the number or the size of the batches is not what was asked for",
            input="num_batches 3, batch_size 3",
            expected=[3, 3, 3],
            got=asked,
        )
    if training == "mixed":
        raise Wrong(MIXED)
    if training is not True:
        raise Wrong(
            "the model stays in evaluation mode, and the rest of the training goes "
            "without dropout: put its mode back"
        )
    if student.run(probe_evaluate, 1, 0, False)[2] is not False:
        raise Wrong(
            "a model in evaluation mode was put into training mode: give it back the mode "
            "that it had"
        )
    yield "as many batches as asked for, and the model keeps its mode"

    again, other = (student.run(probe_evaluate, 3, seed, False)[0] for seed in (0, 1))
    if not near(again, value, 1e-4):
        if near(student.run(probe_evaluate, 3, 0, False)[0], again, 1e-4):
            words = "a model in training mode gets another loss: its dropout is alive; eval() first"
        else:
            words = "the same seed gives other windows each time: make the generator from the seed"
        raise Wrong(words, expected=again, got=value)
    if near(other, value, 1e-4):
        raise Wrong("another seed gives the same windows", input="seeds 0 and 1")
    losses = student.run(probe_each, 3, 0)
    mean = sum(losses) / 3
    if not near(value, mean, 1e-4):
        words = "this is not the mean of the losses of the batches"
        if near(value, losses[-1], 1e-4):
            words = "only the last batch counts; the mean of all was asked for"
        elif near(value, sum(losses), 1e-4):
            words = "the losses were added up and not divided by their number"
        elif near(value, losses[0], 1e-4):
            words = "every batch is the first one: one generator must serve them all"
        raise Wrong(words, input=losses, expected=mean, got=value)
    if not untouched:
        raise Wrong(
            "the library's own generator was set or drawn from: the training after an evaluation "
            "would go on with other numbers; make a generator of your own from the seed"
        )
    yield "the mean over the windows of the seed, dropout off"
