"""What the exercises of lesson 08 must do: the model, its distribution, sampling, training."""

import numpy as np

from course.checks.vocabulary import Wrong, check, near, require


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


def probe_last(mg, tokens):
    return tiny(mg)(np.array(tokens), last=True).data


def probe_opposite_places(mg):
    """Whether all logits are equal where the vector of each place is minus that of its token."""
    model = tiny(mg)
    model.position_embedding.weight.data[:5] = -model.token_embedding.weight.data
    logits = model(np.array([[0, 1, 2]])).data[0]  # (3, V)
    return bool(np.allclose(logits, logits[:1], atol=1e-4))


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
        words = "these are probabilities; the model returns logits, before any softmax"
        raise Wrong(words, input=tokens, got=logits[0, 0])
    require(
        np.shape(student.run(probe_logits, [[1]])),
        (1, 1, 5),
        "the logits are (B, T, V) for a single text too: axes of length 1 stay",
        input=[[1]],
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
    student.expect(
        probe_opposite_places,
        equals=True,
        otherwise="the two embeddings must be added: where they are opposite nothing is left of "
        "them, and all logits are equal",
        given="tokens 0, 1, 2; position_embedding = -token_embedding",
        expected="equal logits at all places",
    )
    student.expect(
        probe_influence,
        tokens,
        equals=[],
        otherwise=lambda idle: (
            f"the parameters of {layers(idle)} change nothing in the logits"
            + (": every block must be passed, one after another" * ("blocks" in str(idle)))
        ),
    )
    student.expect(
        probe_without_gradient,
        tokens,
        equals=[],
        otherwise=lambda left: (
            f"{layers(left)} would never learn: no gradient arrives there, since .data hands on "
            "the numbers without their history"
        ),
    )
    yield "places count, and every parameter has its part"

    shown = "2 tokens, then 1"
    got, lengths = student.run(probe_portions, tokens, [2, 1])
    words = "the caches were not filled: each block must get its own"
    require(lengths, [3, 3], words, input=shown)
    require(
        got,
        logits,
        "in two portions the tokens get other logits than all at once: with a cache the new "
        "tokens stand at the places after those before",
        input=shown,
        tolerance=1e-4,
    )
    require(
        logits[0, 0],
        FIRST_LOGITS,
        "every part is there, but not in the way of the text: each block is called once, in order, "
        "on what the one before returned (it adds its own input), then one LayerNorm, then the "
        "projection",
        input=tokens,
        tolerance=1e-3,
    )
    yield "in portions, through the caches, the same as at once"

    silent, calls = student.run(probe_nothing_through_dropout, tokens)
    if not near(silent[0, 0], silent[1, 2]):
        raise Wrong(
            "something goes around `self.dropout`: the sum of the embeddings must pass it",
            input="a dropout that passes nothing",
            expected="all equal",
            got=silent[:, :, 0],
        )
    require(calls, 1, "`self.dropout` is called once, on the sum of the embeddings")
    yield "the sum of the embeddings passes the dropout"

    shown = "2 texts of 3 tokens, last=True"
    got = student.run(probe_last, tokens)
    words = "with last=True the logits are (B, 1, V), those of the last position"
    when = {
        "with last=True too the logits of all positions are computed; cut the stream before the "
        "LayerNorm": (2, 3, 5),
        "with last=True the result keeps the axis of the positions, (B, 1, V): slice, do not "
        "index": (2, 5),
    }
    require(np.shape(got), (2, 1, 5), words, input=shown, when=when)
    words = "with last=True come the logits of another position than that of the newest token"
    require(got, logits[:, -1:], words, input=shown, tolerance=1e-4)
    yield "with last=True the logits of the last position"


def layers(names):
    """The first two layers among some parameters: "output_ln and blocks.1.ffn"."""
    return " and ".join(sorted({str(name).rsplit(".", 1)[0] for name in names})[:2])


# --- 08.2: the distribution ---


def probe_probabilities(mg, logits, temperature=1.0, top_k=None):
    return mg.gpt2_shakespeare.next_token_probabilities(logits, temperature, top_k)


@check("08.2")
def distribution(student):
    def ask(weights, equals, otherwise, temperature=1.0, top_k=None, input=None, **more):
        logits = np.log(np.array(weights, float))
        got = student.array(probe_probabilities, logits, temperature, top_k, shape=logits.shape)
        shown = f"logits log {', log '.join(map(str, weights[0]))}" if input is None else input
        shown += f", temperature {temperature}" * (temperature != 1) + f", top_k {top_k}" * bool(
            top_k
        )
        require(got, equals, otherwise, input=shown, **more)

    row, plain = [[1, 2, 4]], [[1 / 7, 2 / 7, 4 / 7]]
    ask(row, plain, "without settings this is not the softmax of the logits")
    ask(
        row,
        [[1 / 21, 4 / 21, 16 / 21]],
        "the temperature does something else than dividing the logits",
        temperature=0.5,
        when={
            "the temperature changes nothing: dividing probabilities and making them sum to 1 "
            "again gives them back; divide the logits, before the softmax": plain,
            "the probabilities were divided by the temperature and sum to 2; divide the logits, "
            "before the softmax": lambda got: near(got.sum(), 2.0),
            "a low temperature flattens the distribution, where it must sharpen it: divide, do not "
            "multiply": lambda got: got[0, 0] > 1 / 7,
        },
    )
    yield "the softmax of the logits divided by the temperature"

    ask(
        row,
        [[0, 1 / 3, 2 / 3]],
        "top_k = 2 must leave the two likeliest, with probabilities that sum to 1",
        top_k=2,
        when={
            "the least likely tokens were kept": [[1 / 3, 2 / 3, 0]],
            "what is left does not sum to 1: cut before the softmax, or divide again": [
                [0, 2 / 7, 4 / 7]
            ],
        },
    )
    ask(
        [[5, 5, 5, 1]],
        [[0.5, 0.5, 0, 0]],
        lambda got: (
            "of equal logits the earlier ones must be kept"
            if (got > 0).sum() == 2
            else f"of equal logits {(got > 0).sum()} were kept: exactly k must be left, the "
            "earlier ones"
        ),
        top_k=2,
    )
    words = "of equal logits the earlier ones must be kept, behind those that are larger"
    ask([[5, 5, 9, 5]], [[5 / 14, 0, 9 / 14, 0]], words, top_k=2)
    shuffled = [9 * place % 301 for place in range(1, 301)]  # each of 1 … 300 once
    ask(
        [shuffled],
        [[weight / 1490 if weight > 295 else 0 for weight in shuffled]],
        "top_k = 5 must leave the five likeliest of many",
        top_k=5,
        input="300 logits log 9, log 18, log 27, …",
    )
    words = "each row has its own likeliest tokens"
    ask([[1, 2, 4], [3, 1, 1]], [[0, 1 / 3, 2 / 3], [3 / 4, 1 / 4, 0]], words, top_k=2)
    ask(
        [[1, 2] * 150],
        [[0, 1 / 5] * 5 + [0] * 290],
        "of many equal logits the earlier ones must be kept: argsort and argpartition keep the "
        "order of equal numbers only by chance, unless told kind='stable'",
        top_k=5,
        input="300 logits log 1, log 2, log 1, log 2, …",
    )
    for k in (3, 9):
        ask(row, plain, f"top_k = {k} of 3 tokens must cut nothing", top_k=k)
    words = "temperature and top_k must work together"
    ask(row, [[0, 1 / 5, 4 / 5]], words, temperature=0.5, top_k=2)
    yield "top_k leaves exactly k, and they sum to 1"

    ask(
        [[1, 2, 4], [3, 1, 3]],
        [[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]],
        "temperature 0 must leave the likeliest token alone (the earlier of two equal ones), "
        "and cannot be divided by",
        temperature=0,
        input="logits log 1, log 2, log 4, and log 3, log 1, log 3",
    )
    yield "temperature 0 leaves the likeliest"

    student.expect(
        probe_probabilities,
        np.array([[1000.0, 999.0, 0.0], [0.0, 1.0, 2.0]]),
        0.01,
        equals=[[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]],
        otherwise="large logits overflow: take the largest off before exp",
        when={
            "rows disturb each other: take each row's own largest logit off, not that of the whole "
            "array": lambda got: near(got[0], [1.0, 0.0, 0.0])
        },
    )
    yield "large logits do not overflow"

    student.expect(
        probe_probabilities,
        np.array([[-np.inf, 1.0, 1.0, -np.inf]]),
        0.5,
        3,
        equals=[[0.0, 0.5, 0.5, 0.0]],
        otherwise="a logit of -inf has probability 0, also where top_k leaves room for it",
    )
    yield "a logit of -inf stays impossible"


# --- 08.3: sample ---


def mode(model):
    """True in training, False in evaluation, "mixed" where its parts do not agree."""
    modes = {part.training for part in model.modules()}
    return modes.pop() if len(modes) == 1 else "mixed"


MIXED = (
    "the model's own flag was set, and the parts inside it are in another mode: `train(mode)` and "
    "`eval()` reach them all"
)


def probe_sample(mg, context, max_new_tokens, _settings, _seed=0, _training=True):
    """The tokens, the modes in which the model was called, and the mode it is in afterwards.

    A mode is True, False, or "mixed" where the parts of the model are not all in the same one.
    """
    model, modes = tiny(mg), []
    model.train(_training)

    def watch(x):
        modes.append(mode(model))
        return x

    model.dropout = watch
    try:
        rng = np.random.default_rng(_seed)
        write = mg.gpt2_shakespeare.sample
        tokens = write(model, np.array(context), max_new_tokens, generator=rng, **_settings)
    except ValueError:
        if _settings.get("temperature") != -1.0:
            raise
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
        return student.run(probe_sample, context, count, settings or {}, seed, training)

    tokens, modes, training = ask()
    shown = {"context": context, "max_new_tokens": 5}
    if not isinstance(tokens, np.ndarray):
        words = f"the tokens come back as an array (B, T), and not as a {type(tokens).__name__}"
        raise Wrong(words, input=shown)
    require(
        tokens.dtype.kind in "iu",
        True,
        "tokens are integers: a tokenizer decodes no floats",
        input=shown,
        expected="integers",
    )
    require(
        tokens.shape,
        (2, 7),
        "the context and 5 new tokens behind it must come back",
        when={"only the new tokens come back; the context belongs in front of them": (2, 5)},
        input=shown,
    )
    require(tokens[:, :2], context, "the context must stand in front", input=shown)
    yield "the context, then the new tokens"

    if "mixed" in (*modes, training):
        raise Wrong(MIXED)
    require(
        any(modes),
        False,
        "the model writes in training mode, so its dropout is alive: call eval() first, and draw "
        "the tokens before its mode is put back (a generator in parentheses draws them later)",
    )
    words = "a model in training is in evaluation mode afterwards: put its mode back"
    require(training, True, words)
    require(
        ask(training=False)[2],
        False,
        "a model in evaluation mode is in training mode afterwards: give it back the mode that it "
        "had, not always training",
    )
    yield "in evaluation mode, and the old mode afterwards"

    student.expect(
        probe_sample_order,
        context,
        equals=[[1, 2, 1, 3, 0], [3, 0, 2, 4, 1]],
        when={
            "each token is the first one of a new `generate`: make one stream before the loop, and "
            "take every token from it": [[1, 2, 1, 1, 1], [3, 0, 2, 2, 2]]
        },
        otherwise="each text must go on with its own tokens, one from each round of `generate`: "
        "here some stand behind another text (a reshape is no transpose)",
        given="generate yields [1, 2], [3, 4], [0, 1]; context [[1, 2], [3, 0]]",
    )
    for context, count in (([[1, 2], [3, 0]], 0), ([[1, 2], [3, 0]], 1), ([[4, 2]], 1), ([[4]], 3)):
        got = student.run(probe_sample, context, count, {})[0]
        require(
            np.shape(got),
            (len(context), len(context[0]) + count),
            "the result is (B, T + max_new_tokens) for a single text, a single token and none too",
            input={"context": context, "max_new_tokens": count},
        )
    context = [[0, 1, 2, 3, 4, 3, 2, 1]]
    got = student.run(probe_sample, context, 2, {})[0]
    require(
        [np.shape(got), got[:, :8]],
        [(1, 10), context],
        "a context that is longer than the model's comes back whole: `generate` cuts what the "
        "model reads",
        input={"context": context, "max_new_tokens": 2},
    )
    yield "each text goes on by itself, behind the whole context"

    context = [[1, 2], [3, 0]]
    greedy = [ask(5, {"temperature": 0}, seed)[0] for seed in (0, 1)]
    words = "at temperature 0 two seeds give two texts: hand the temperature on"
    require(greedy[1], greedy[0], words)
    words = "with top_k = 1 only the likeliest token may come: hand top_k on"
    require(ask(5, {"top_k": 1})[0], greedy[0], words)
    if near(ask(20, seed=0)[0], ask(20, seed=1)[0]):
        raise Wrong("two generators with different seeds give the same text: hand it on")
    yield "temperature, top_k and the generator are handed on"

    tokens, _, training = ask(2, {"temperature": -1.0})
    require(
        [tokens, training],
        ["ValueError", True],
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


def probe_steps(mg, _count, _max_norm, _start):
    """Trains `_count` steps; what the optimizer met each time, the losses and the step count.

    `_start`: "" or "stale" (gradients of 100 are there), "eval" (mode), "nan" (weights), "steep" (a
    finite loss with infinite gradients).
    """
    model = tiny(mg)
    config = mg.gpt2_shakespeare.TrainingConfig(
        num_steps=10, warmup_steps=4, max_norm=_max_norm, lr=0.01, min_lr=0.001, batch_size=2
    )
    trainer = mg.gpt2_shakespeare.Trainer(model, Dataset(), config)
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
        return steep(x) if _start == "steep" else x

    trainer.optimizer.step, model.dropout = step, watch
    if _start == "stale":
        for parameter in model.parameters():
            parameter.grad = np.full_like(parameter.data, 100.0)
    elif _start == "eval":
        model.eval()
    elif _start == "nan":
        model.output_projection.weight.data[...] = np.nan
    before = model.output_projection.weight.data.copy()
    losses = [trainer.step() for _ in range(_count)]
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
    require([len(met), moved], [2, True], "the optimizer must make one step in each step")
    kind = losses[0] if isinstance(losses[0], str) else "float"
    require(kind, "float", "a step must return its loss as a float")
    require(
        losses[0],
        student.number(probe_loss),
        "the loss that comes back is not the loss of this step's batch, before the update",
        tolerance=1e-4,
    )
    words = "`self.steps` must count the steps: batch and rate depend on it"
    require(steps, 2, words, input="2 steps")
    yield "one update, its loss comes back, and steps are counted"

    norm = met[0][0]
    if norm == 0:
        raise Wrong("the optimizer met no gradients: they were cleared between backward and step")
    require(
        student.run(probe_steps, 1, 1e9, "stale")[0][0][0],
        norm,
        "gradients of an earlier step were added to this one's: clear them first",
        input="old gradients of 100",
        tolerance=1e-3,
    )
    yield "old gradients are cleared first"

    require(
        student.run(probe_steps, 1, 0.01, "")[0][0][0],
        0.01,
        "the optimizer met gradients longer than max_norm: clip them before its step",
        when={"the gradients were made shorter than max_norm": lambda got: got < 0.0099},
        input="max_norm 0.01",
        tolerance=1e-4,
    )
    yield "gradients are clipped before the update"

    rates = [lr for _, lr in student.run(probe_steps, 6, 1e9, "")[0]]
    expected = student.run(probe_rates, 6)
    require(
        rates,
        expected,
        "the rates are not those of warmup_cosine for steps 0, 1, 2, …",
        when={
            "the rate was set after the update, so it comes one step too late": (
                lambda got: near(got[1:], expected[:-1])
            ),
            "the rate is that of the next step: steps are counted from 0": (
                lambda got: near(got[:-1], expected[1:])
            ),
            "the rate never changes: set `self.optimizer.lr` from warmup_cosine": (
                lambda got: len(set(got)) == 1
            ),
        },
    )
    yield "the rate follows warm-up and cosine"

    require(
        student.run(probe_steps, 1, 1.0, "eval")[3],
        [True],
        "after an evaluation the model trains in evaluation mode, without dropout: train() first",
        when={"a step computes the loss of its batch once": lambda got: len(got) != 1},
    )
    for start, shown, words in (
        (
            "nan",
            "weights of nan",
            "a loss that is not finite must change no parameter and count no step: return it "
            "before the update",
        ),
        (
            "steep",
            "a loss with infinite gradients",
            "the loss was finite and a gradient was not, and the parameters were moved by it: look "
            "at the length that clip_grad_norm_ returns",
        ),
    ):
        met, losses, steps, _, _ = student.run(probe_steps, 1, 1.0, start)
        require([len(met), steps], [0, 0], words, input=shown)
        require(
            isinstance(losses[0], float) and bool(np.isnan(losses[0])),
            True,
            "a step that changed nothing must say so by what it returns: the loss that is not "
            "finite, or math.nan where only a gradient is not",
            input=shown,
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


def probe_evaluate(mg, num_batches, seed, _training):
    model, windows = tiny(mg, dropout=0.5), Windows()
    mg.manual_seed(num_batches + seed)
    library = mg.random.default_generator().bit_generator.state
    model.train(_training)
    value = mg.gpt2_shakespeare.evaluate(model, windows, num_batches, 3, seed)
    untouched = mg.random.default_generator().bit_generator.state == library
    kind = "float" if isinstance(value, float) else type(value).__name__
    return [float(value) if kind == "float" else kind, windows.asked, mode(model), untouched]


def probe_evaluate_fails(mg):
    """The mode of a model in training after an evaluation whose data cannot be read."""

    class Broken:
        def sample(self, batch_size, generator):
            raise OSError("the disk is gone")

    model = tiny(mg)
    model.train()
    try:
        mg.gpt2_shakespeare.evaluate(model, Broken(), 1, 3, 0)
    except OSError:
        return mode(model)
    return "no error"


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
    kind = value if isinstance(value, str) else "float"
    require(kind, "float", "evaluate must return a float")
    require(
        asked,
        [3, 3, 3],
        "the number or the size of the batches is not what was asked for",
        input="num_batches 3, batch_size 3",
    )
    if training == "mixed":
        raise Wrong(MIXED)
    require(
        training,
        True,
        "the model stays in evaluation mode, and the rest of the training goes without dropout: "
        "put its mode back",
    )
    require(
        student.run(probe_evaluate, 1, 0, False)[2],
        False,
        "a model in evaluation mode was put into training mode: give it back the mode that it had",
    )
    yield "as many batches as asked for, and the model keeps its mode"

    again, twice, other = (student.run(probe_evaluate, 3, seed, False)[0] for seed in (0, 0, 1))
    require(
        value,
        again,
        "the same seed gives other windows each time: make the generator from the seed",
        when={
            "a model in training mode gets another loss: its dropout is alive; eval() first, and "
            "compute all losses before its mode is put back": lambda _: near(twice, again, 1e-4)
        },
        tolerance=1e-4,
    )
    if near(other, value, 1e-4):
        raise Wrong("another seed gives the same windows", input="seeds 0 and 1")
    losses = student.run(probe_each, 3, 1)
    require(
        other,
        sum(losses) / 3,
        "this is not the mean of the losses of the batches",
        when={
            "only the last batch counts; the mean of all was asked for": losses[-1],
            "the losses were added up and not divided by their number": sum(losses),
            "every batch is the first one: one generator must serve them all": losses[0],
            "this is the median of the losses: a rare, large loss must count too": losses[1],
        },
        input=f"batches with the losses {losses}",
        tolerance=1e-4,
    )
    require(
        untouched,
        True,
        "the library's own generator was set or drawn from: the training after an evaluation "
        "would go on with other numbers; make a generator of your own from the seed",
    )
    yield "the mean over the windows of the seed, dropout off"
    student.expect(
        probe_evaluate_fails,
        equals=True,
        otherwise="after an error the mode is not put back: that belongs into a `finally`",
        when={"an error on the way must reach whoever called, and is swallowed here": "no error"},
        given="a data set that raises an OSError; the model is in training mode",
    )
    yield "the mode is put back also after an error"
