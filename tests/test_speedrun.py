"""The recipe `fast`, and the speed-run that anybody can join."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import minigrad as mg
from benchmarks.speedrun import __main__ as command
from benchmarks.speedrun import ladder, pace, page, rules
from benchmarks.speedrun import run as running
from minigrad.apps import checkpoint, cli
from minigrad.apps.arguments import FAST, Refused, check_memory, parse
from minigrad.apps.fast import FastGPT, FastGPTConfig, rms_norm, rotary, squared_relu, token_shift
from minigrad.apps.fast_training import (
    BatchedMuon,
    FastTrainer,
    FastTrainingConfig,
    linear_cooldown,
)
from minigrad.apps.files import read_arrays, write_arrays
from minigrad.backprop import check_gradients
from minigrad.data import CharTokenizer, TextDataset
from minigrad.functional import softmax
from minigrad.gpt2_shakespeare import GPT2, GPT2Config, TrainingConfig, evaluate, sample
from minigrad.optim import Muon

pytest.importorskip("safetensors")
pytest.importorskip("threadpoolctl")
pytest.importorskip("tqdm")

TEXT = "the quick brown fox jumps over the lazy dog.\n" * 60
TOKENIZER = CharTokenizer(TEXT)
TINY = {"context_size": 8, "num_blocks": 2, "num_heads": 2, "embedding_dim": 16}
PLAIN = dict.fromkeys(
    ("rotary", "rms_norm", "qk_norm", "squared_relu", "zero_init", "token_shift"), False
)


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def make_model(**changes):
    mg.manual_seed(0)
    return FastGPT(FastGPTConfig(**{**TINY, "vocab_size": TOKENIZER.vocab_size, **changes}))


def make_trainer(seed=0, workers=1, num_steps=20, **sizes):
    dataset = TextDataset(TOKENIZER.encode(TEXT), 8)
    config = FastTrainingConfig(num_steps, batch_size=4, seed=seed, workers=workers)
    return FastTrainer(make_model(**sizes), dataset, config)


def train(trainer, steps):
    return [trainer.step() for _ in range(steps)]


def assert_same_state(a, b):
    for one, other in ((a.model, b.model), (a.optimizer, b.optimizer)):
        one, other = one.state_dict(), other.state_dict()
        assert one.keys() == other.keys()
        for name in one:
            assert np.array_equal(one[name], other[name]), name


# --- Operations ---


@pytest.mark.parametrize(
    ("operation", "x"),
    [
        (rms_norm, normal(3, 4)),
        (rms_norm, normal(2, 3, 2, 5) * 100),
        (squared_relu, normal(3, 4) + 0.1),
        (rotary, normal(2, 5, 3, 6)),
        (lambda x: rotary(x, first=3), normal(2, 2, 1, 4)),
    ],
)
def test_the_rules_agree_with_differences(operation, x):
    weights = mg.array(normal(*x.shape, seed=1))
    assert check_gradients(lambda x: (operation(x) * weights).sum(), mg.array(x))


@pytest.mark.parametrize("before", [None, normal(2, 1, 3, seed=2)])
@pytest.mark.parametrize("length", [1, 2, 5])
def test_the_rules_of_the_token_shift_agree_with_differences(length, before):
    weights = mg.array(normal(2, length, 3, seed=1))
    x, share = mg.array(normal(2, length, 3)), mg.array(normal(3, seed=3))
    assert check_gradients(
        lambda x, share: (token_shift(x, share, before=before) * weights).sum(), x, share
    )


def test_the_token_shift_adds_a_share_of_the_position_before():
    x, share = np.array([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]]), np.array([0.5, 10.0])
    expected = [[[1.0, 2.0], [3.5, 24.0], [6.5, 46.0]]]
    assert token_shift(x, share).tolist() == expected
    before = np.array([[[2.0, 1.0]]])
    assert token_shift(x, share, before=before).tolist()[0][0] == [2.0, 12.0]
    assert token_shift(x, share).tolist() == expected and x[0, 1, 0] == 3.0  # x stays
    with pytest.raises(ValueError, match=r"share \(C,\), not \(1, 3, 2\) and \(3,\)"):
        token_shift(x, np.ones(3))


def test_a_file_that_does_not_name_the_token_shift_has_none(tmp_path):
    """It was written before there was one."""
    trainer = make_trainer(token_shift=False)
    train(trainer, 2)
    path = checkpoint.save(tmp_path, trainer, TOKENIZER.vocabulary)
    arrays, description = read_arrays(path)
    del description["model"]["token_shift"]
    write_arrays(path, arrays, description)
    model, _ = checkpoint.load_model(path)
    assert not model.config.token_shift
    tokens = np.array([[1, 2, 3]])
    assert np.array_equal(model(tokens).data, trainer.model.eval()(tokens).data)


def test_rms_norm_is_its_formula():
    x = normal(4, 6)
    expected = x / np.sqrt((x**2).mean(-1, keepdims=True) + 1e-6)
    assert np.allclose(rms_norm(mg.array(x)).data, expected)
    assert np.array_equal(rms_norm(mg.zeros(2, 3)).data, np.zeros((2, 3)))
    assert rms_norm(mg.ones(2, 3)).dtype == np.float32


def test_squared_relu_is_its_formula():
    assert squared_relu(mg.array([-2.0, 0.0, 3.0])).tolist() == [0.0, 0.0, 9.0]


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, bool])
def test_integers_are_computed_in_floats(dtype):
    x = np.array([[[[3, 100, 7, 0]], [[0, 0, 0, 0]], [[1, 2, 90, 100]]]]).astype(dtype)
    for operation in (rms_norm, squared_relu, rotary):
        exact = operation(mg.array(x.astype(np.float64))).data
        assert np.allclose(operation(x).data, exact, rtol=1e-6), operation.__name__
        assert operation(x).dtype == np.float32
    large = np.array([[2**40, 2**40]])
    assert np.allclose(rms_norm(large).data, 1)
    assert squared_relu(np.array([2**33])).tolist() == [2.0**66]


def test_rotary_turns_each_pair_by_its_position():
    x = normal(1, 4, 1, 4)
    turned = rotary(mg.array(x)).data
    assert np.allclose(turned[:, 0], x[:, 0])
    points = (x[..., :2] + 1j * x[..., 2:]) * np.exp(
        1j * np.arange(4)[:, None, None] * np.array([1, 1000**-0.5])
    )
    assert np.allclose(turned, np.concatenate([points.real, points.imag], -1))


def test_the_product_of_query_and_key_depends_on_their_distance_only():
    q, k = (np.tile(normal(1, 1, 1, 8, seed=seed), (1, 6, 1, 1)) for seed in (1, 2))
    products = rotary(mg.array(q)).data[0, :, 0] @ rotary(mg.array(k)).data[0, :, 0].T
    assert np.allclose(products[2:, 2:], products[:-2, :-2])
    assert not np.allclose(products[0], products[1])


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: rotary(mg.ones(2, 3, 1, 5)), "rotary.*even number of entries"),
        (lambda: rotary(mg.ones(2, 3, 4)), r"rotary.*\(B, T, heads, D\)"),
        (lambda: rms_norm(mg.ones(2, 0)), "rms_norm.*at least one entry"),
        *(
            (lambda e=e: rms_norm(mg.ones(2, 2), e), "rms_norm.*eps must be")
            for e in (-1, np.nan, np.inf, "0.1", None, [0.1])
        ),
        *(
            (lambda o=o: BatchedMuon([mg.nn.Parameter(np.ones((2, 2)))], **o), f"{next(iter(o))} ")
            for name, low in (("workers", 0), ("newton_schulz_steps", -1))
            for o in ({name: low}, {name: 1.5}, {name: "1"}, {name: None}, {name: np.nan})
        ),
        (lambda: make_model(num_heads=3), "3 heads cannot share 16 channels"),
        (lambda: make_model(num_heads=16), "heads of an even size, not 1"),
        (lambda: make_model(context_size=10**9), "context_size"),
        (lambda: make_model(vocab_size=None), "vocab_size"),
        (lambda: make_model(bigram_dim=-1), "bigram_dim must be at least 0"),
        (lambda: make_model(rotary="yes"), "rotary must be True or False"),
        (lambda: FastTrainingConfig(momentum=1.0), "momentum must be"),
        (lambda: FastTrainingConfig(cooldown=1.5), "cooldown must be"),
        (lambda: FastTrainingConfig(lr=0.0), "lr must be above 0"),
        (lambda: FastTrainingConfig(min_lr=0.1), "min_lr must be"),
        (lambda: FastTrainingConfig(newton_schulz_steps=1.5), "newton_schulz_steps must be"),
        (lambda: FastTrainingConfig(batch_size=1, workers=2), "2 workers cannot share"),
    ],
)
def test_bad_input_is_refused_in_words(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# --- The model ---


def test_with_all_parts_off_it_is_gpt2():
    ours = make_model(**PLAIN, bigram_dim=0)
    theirs = GPT2(GPT2Config(**TINY, vocab_size=TOKENIZER.vocab_size))
    theirs.load_state_dict(ours.state_dict())
    tokens = TOKENIZER.encode(TEXT[:8])[None]
    assert np.allclose(ours(tokens).data, theirs(tokens).data, atol=1e-6)


@pytest.mark.parametrize("off", ["", *PLAIN])
def test_the_cache_gives_the_same_predictions(off):
    trainer = make_trainer(**({off: False} if off else {}))
    train(trainer, 5)  # its logits began as zero
    model = trainer.model.eval()
    tokens = TOKENIZER.encode(TEXT[4:12]).astype(np.int64)[None]
    caches = model.new_caches(1)
    pieces = [model(tokens[:, a:b], caches).data for a, b in ((0, 3), (3, 4), (4, 8))]
    assert np.allclose(np.concatenate(pieces, 1), model(tokens).data, atol=1e-5)
    assert sample(model, tokens[:, :1], 30).shape == (1, 31)  # longer than the context


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int32, np.uint64])
def test_tokens_may_be_small_integers(dtype):
    """The number of a pair of tokens, up to V², does not fit into the type of the tokens."""
    model = make_model(zero_init=False)
    tokens = np.random.default_rng(0).integers(model.config.vocab_size, size=(2, 8))
    exact = model(tokens).data
    assert np.array_equal(model(tokens.astype(dtype)).data, exact)
    caches = model.new_caches(2)
    parts = [model(part.astype(dtype), caches).data for part in np.split(tokens, 2, axis=1)]
    assert np.allclose(np.concatenate(parts, 1), exact, atol=1e-5)


def test_it_predicts_from_the_past_only():
    trainer = make_trainer()
    train(trainer, 5)
    tokens = TOKENIZER.encode(TEXT[:8]).astype(np.int64)[None]
    other = tokens.copy()
    other[0, 5] = 0
    a, b = trainer.model(tokens).data, trainer.model(other).data
    assert np.array_equal(a[:, :5], b[:, :5]) and not np.allclose(a[:, 5:], b[:, 5:])


# --- The optimizer ---


def parameters():
    made = [mg.nn.Parameter(normal(*shape)) for shape in ((4, 4), (12, 4), (16, 4), (4, 16))]
    for number, parameter in enumerate(made):
        parameter.grad = normal(*parameter.shape, seed=number)
    return made


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_batched_muon_makes_the_steps_of_lesson_5(workers):
    (a, b, c, d), expected = parameters(), parameters()
    options = {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.1}
    groups = [{"params": [a, c, d]}, {"params": [b], "parts": 3}]
    ours = BatchedMuon(groups, workers=workers, **options)
    e, f, g, h = expected
    theirs = Muon([{"params": [e, g, h]}, {"params": [f], "parts": 3}], **options)
    for _ in range(3):
        ours.step()
        theirs.step()
    for one, other in zip((a, b, c, d), expected):
        assert np.allclose(one.data, other.data, atol=1e-5)
    assert ours.update_counts == theirs.update_counts == [3] * 4
    ours.load_state_dict(theirs.state_dict())


def test_batched_muon_leaves_a_parameter_without_gradient():
    made = parameters()
    before = made[0].data.copy()
    made[0].grad = None
    BatchedMuon(made, lr=0.1).step()
    assert np.array_equal(made[0].data, before)


def test_muon_gets_the_matrices_of_the_blocks_and_adamw_the_rest():
    trainer = make_trainer(rms_norm=False)
    names = {id(p): name for name, p in trainer.model.named_parameters()}
    muon = [names[id(p)] for p in trainer.optimizer.muon.parameters]
    adamw = [names[id(p)] for p in trainer.optimizer.adamw.parameters]
    assert sorted(muon + adamw) == sorted(names.values())
    assert all(name.startswith(("blocks.", "bigram_projection")) for name in muon)
    assert {"token_embedding.weight", "output_projection.weight", "blocks.0.ln1.weight"} <= {*adamw}


def test_the_rates_stay_and_then_fall_in_a_line():
    config = FastTrainingConfig(num_steps=10, cooldown=0.5, lr=0.02, min_lr=0.002)
    factors = [linear_cooldown(step, config) for step in range(11)]
    assert factors[:6] == [1.0] * 6
    assert np.allclose(factors[6:], [0.82, 0.64, 0.46, 0.28, 0.1])
    warm = replace(config, warmup_steps=4)
    assert [linear_cooldown(step, warm) for step in range(4)] == [0.25, 0.5, 0.75, 1.0]
    assert linear_cooldown(9, replace(config, cooldown=0.0)) == 1.0


# --- The trainer ---


def test_it_learns():
    trainer = make_trainer(num_steps=60)
    losses = train(trainer, 60)
    assert losses[0] == pytest.approx(math.log(TOKENIZER.vocab_size), abs=1e-4)  # logits of zero
    assert losses[-1] < 1.0 < losses[0] / 3


@pytest.mark.parametrize("workers", [1, 2])
def test_the_same_seed_gives_the_same_weights(workers):
    a, b = make_trainer(workers=workers), make_trainer(workers=workers)
    assert train(a, 6) == train(b, 6)
    assert_same_state(a, b)
    assert train(make_trainer(seed=1), 2) != train(make_trainer(seed=0), 2)


@pytest.mark.parametrize("dropout", [0.0, 0.2])
def test_a_stopped_run_continues_as_if_it_had_not_been_stopped(tmp_path, dropout):
    whole, stopped = make_trainer(dropout=dropout), make_trainer(dropout=dropout)
    train(whole, 10)
    train(stopped, 6)
    path = checkpoint.save(tmp_path, stopped, TOKENIZER.vocabulary)
    resumed = make_trainer(dropout=dropout)
    train(resumed, 2)  # whatever was in it
    checkpoint.resume(path, resumed, TOKENIZER.vocabulary)
    train(resumed, 4)
    assert resumed.steps == 10
    assert_same_state(whole, resumed)
    model, tokenizer = checkpoint.load_model(path)
    assert isinstance(model, FastGPT) and tokenizer.vocabulary == TOKENIZER.vocabulary
    tokens = TOKENIZER.encode(TEXT[:8])[None]
    assert np.array_equal(model(tokens).data, stopped.model.eval()(tokens).data)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda s: s.pop("adamw.exp_avg.0"), "exp_avg.0 is missing"),
        (
            lambda s: s.update({"muon.velocity.0": np.full_like(s["muon.velocity.0"], np.nan)}),
            "nan",
        ),
        (lambda s: s.update({"adamw.lr": -1.0}), "lr must be"),
        (lambda s: s.update({"sgd.lr": 1.0}), "sgd.lr is unknown"),
        (lambda s: s.update({"muon.velocity.0": np.zeros((1, 1))}), "velocity.0 has shape"),
    ],
)
def test_a_bad_state_is_refused_and_nothing_is_loaded(change, words):
    trainer, other = make_trainer(), make_trainer()
    train(trainer, 3)
    before = trainer.optimizer.state_dict()
    state = other.optimizer.state_dict()
    change(state)
    with pytest.raises(ValueError, match=words):
        trainer.optimizer.load_state_dict(state)
    after = trainer.optimizer.state_dict()
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_what_is_no_state_is_refused_and_so_is_the_config_of_lesson_8():
    trainer = make_trainer()
    for state in (None, 5, [("muon.lr", 0.1)], "state"):
        with pytest.raises(TypeError, match="MuonAndAdamW: a state is a dictionary, not"):
            trainer.optimizer.load_state_dict(state)
    with pytest.raises(TypeError, match="config must be a FastTrainingConfig, not TrainingConfig"):
        FastTrainer(trainer.model, trainer.dataset, TrainingConfig())


def test_a_step_that_is_not_finite_changes_nothing():
    trainer = make_trainer()
    train(trainer, 2)
    trainer.model.token_embedding.weight.data[:] = np.nan
    before = trainer.optimizer.state_dict()
    assert not math.isfinite(trainer.step())
    assert trainer.steps == 2
    after = trainer.optimizer.state_dict()
    assert all(np.array_equal(before[name], after[name]) for name in before)


# --- The command line ---


def test_the_recipe_changes_defaults_and_every_option_still_overrides_it():
    assert parse([]).recipe == "gpt2" and parse([]).num_steps == 2048
    options = parse(["--recipe", "fast"])
    assert {name: getattr(options, name) for name in FAST} == FAST
    options = parse(["--lr", "0.05", "--recipe", "fast", "--num-steps", "7"])
    assert (options.lr, options.num_steps) == (0.05, 7)


@pytest.mark.parametrize("recipe, decay", [("gpt2", 0.1), ("fast", 0.0)])
def test_the_weight_decay_of_a_recipe_and_of_an_option(recipe, decay):
    dataset = TextDataset(np.arange(200) % 7, 8)
    sizes = ["--context-size", "8", "--num-blocks", "1", "--num-heads", "1", "--embedding-dim", "4"]
    for options, wanted in ((sizes, decay), ([*sizes, "--weight-decay", "0.25"], 0.25)):
        options = parse(["--recipe", recipe, *options])
        tokenizer = CharTokenizer("abcdefg")
        assert cli._trainer(options, tokenizer, dataset, cli.Alone()).config.weight_decay == wanted


COMMAND = (
    "--recipe fast --context-size 8 --num-blocks 1 --num-heads 2 --embedding-dim 16 "
    "--batch-size 4 --initial-sample-length 0 --final-sample-length 5 --report-every 10"
).split()


def test_the_command_line_trains_saves_resumes_and_samples(tmp_path, capsys):
    text = tmp_path / "text.txt"
    text.write_text(TEXT, encoding="utf-8")
    arguments = [*COMMAND, "--text", str(text), "--checkpoint-dir", str(tmp_path / "run")]
    assert cli.main([*arguments, "--num-steps", "10"]) == 0
    assert "step 10: training loss" in capsys.readouterr().out
    assert cli.main([*arguments, "--num-steps", "12", "--resume"]) == 0
    assert "at step 10 of 12" in capsys.readouterr().out
    assert cli.main([*arguments, "--num-steps", "12", "--resume", "--recipe", "gpt2"]) == 2
    assert "belongs to another run" in capsys.readouterr().err
    assert cli.main([*arguments, "--embedding-dim", "2"]) == 2
    assert "heads of an even size, not 1" in capsys.readouterr().err
    assert cli.main([*COMMAND, "--text", str(text)], ranks=object()) == 2
    assert "--recipe fast trains in one process" in capsys.readouterr().err


def test_a_text_with_too_many_characters_for_the_table_of_pairs_is_refused():
    """5,000 different characters (Chinese has more) make 25 million pairs of 32 numbers each."""
    options = parse(["--recipe", "fast"])
    check_memory(options, 70)
    with pytest.raises(Refused, match="more than 3,0.. GB of memory"):
        check_memory(options, 80_000)
    check_memory(parse([]), 80_000)


def test_the_help_says_what_the_recipe_is(capsys):
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    words = " ".join(capsys.readouterr().out.split())
    assert re.search(r"--recipe \{gpt2,fast\}.*rotary.*Muon.*450 steps.*default: gpt2", words)


# --- The rules ---

ENTRY = {"track": "1.88", "model": TINY | {"context_size": 64}, "training": {"num_steps": 3}}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"track": 1.88}, "the track is one of 1.88, 1.617, in quotes, not 1.88"),
        ({"track": None}, "the track is one of"),
        ({"base": "llama"}, "the base is one of gpt2, fast, not 'llama'"),
        ({"colour": 1}, "colour is unknown"),
        ({"model": []}, "model is a table of settings"),
        ({"model": {"layers": 3}}, "model.layers is no setting of FastGPTConfig"),
        ({"model": {"vocab_size": 65}}, "model.vocab_size is set by the run"),
        ({"model": {"context_size": 32}}, "context_size must be at least 64"),
        ({"training": {"seed": 4}}, "training.seed is set by the run"),
        ({"training": {"workers": 3}}, "workers must be at least 1 and at most 2"),
        ({"training": {"lr": "high"}}, "lr must be a number"),
        (
            {"base": "gpt2", "training": {"momentum": 0.9}},
            "momentum is no setting of TrainingConfig",
        ),
        ({"module": "../other.py"}, "a Python file beside the recipe"),
        ({"module": "missing.py"}, "missing.py cannot be read"),
        ({"module": "torch_one.py"}, "imports torch.nn: NumPy alone"),
        ({"module": "relative.py"}, "imports .other"),
        ({"module": "broken.py"}, "broken.py cannot be read"),
    ],
)
def test_a_recipe_that_breaks_a_rule_is_refused_in_words(tmp_path, change, words):
    (tmp_path / "torch_one.py").write_text(
        "import math\ndef f():\n    import torch.nn", encoding="utf-8"
    )
    (tmp_path / "relative.py").write_text("from .other import x", encoding="utf-8")
    (tmp_path / "broken.py").write_text("def", encoding="utf-8")
    with pytest.raises(rules.Refused, match=re.escape(words)):
        rules.checked("mine", ENTRY | change, tmp_path)


def test_a_recipe_is_json_or_toml(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(ENTRY), encoding="utf-8")
    (tmp_path / "a.toml").write_text('track = "1.88"\n[training]\nnum_steps = 3', encoding="utf-8")
    (tmp_path / "bad.json").write_text("{", encoding="utf-8")
    assert rules.read_recipe(tmp_path / "a.json").training == {"num_steps": 3}
    assert rules.read_recipe(tmp_path / "a.toml").training == {"num_steps": 3}
    for name, words in (("bad.json", "is no json file"), ("none.json", "cannot be read")):
        with pytest.raises(rules.Refused, match=words):
            rules.read_recipe(tmp_path / name)


class Peeking(FastGPT):
    """Knows the next token, since it looks at it."""

    def forward(self, tokens, caches=None, last=False):
        logits = super().forward(tokens, caches, last)
        following = np.roll(np.asarray(tokens), -1, axis=1)
        return logits + 5.0 * np.eye(logits.shape[-1], dtype=np.float32)[following]


def test_a_model_that_breaks_a_rule_is_refused_in_words():
    recipe = rules.checked("mine", ENTRY, Path())
    sizes = {**TINY, "context_size": 64, "vocab_size": 65}
    rules.check_model(recipe, FastGPT(FastGPTConfig(**sizes)))
    with pytest.raises(rules.Refused, match="change with the characters after them"):
        rules.check_model(recipe, Peeking(FastGPTConfig(**sizes)))
    large = FastGPT(FastGPTConfig(**sizes | {"embedding_dim": 256}))
    with pytest.raises(rules.Refused, match="parameters, and track 1.88 allows 1,000,000"):
        rules.check_model(recipe, large)
    rules.check_model(replace(recipe, track="1.617"), large)
    double = FastGPT(FastGPTConfig(**sizes))
    double.token_embedding.weight.data = double.token_embedding.weight.data.astype(np.float64)
    with pytest.raises(rules.Refused, match="token_embedding.weight is float64"):
        rules.check_model(recipe, double)


def test_the_mean_of_the_losses_must_reach_the_bar():
    recipe = rules.checked("mine", ENTRY, Path())
    rules.check_losses(recipe, [1.87, 1.89, 1.88])
    for losses in ([1.87, 1.89, 1.89], [1.8, math.nan, 1.8]):
        with pytest.raises(rules.Refused, match="does not reach 1.88"):
            rules.check_losses(recipe, losses)


# --- A run from end to end ---


@pytest.fixture
def speedrun(tmp_path, monkeypatch):
    """A function that runs the command on a small text, with few batches of evaluation."""
    text = tmp_path / "input.txt"
    text.write_text(TEXT, encoding="utf-8")
    monkeypatch.setattr(running, "CHARACTERS", len(TEXT))
    monkeypatch.setattr(running, "BATCHES", 3)
    monkeypatch.setattr(command, "two_cores", lambda: 2)  # the tests go on with all of them
    monkeypatch.setattr(page.store, "FOLDER", tmp_path)

    def call(*arguments, module=None, **changes):
        if module:
            (tmp_path / "mine.py").write_text(module, encoding="utf-8")
            changes["module"] = "mine.py"
        (tmp_path / "mine.json").write_text(json.dumps(ENTRY | changes), encoding="utf-8")
        return command.main([str(tmp_path / "mine.json"), "--text", str(text), *arguments])

    return call


def test_a_run_from_end_to_end(speedrun, capsys):
    assert speedrun("--seeds", "2", training={"num_steps": 3}) == 0
    first = re.sub(r"[\d.]+ s\b", "", capsys.readouterr().out)
    assert len(re.findall(r"seed \d: loss \d\.\d{4} in", first)) == 2
    speedrun("--seeds", "2", training={"num_steps": 3})
    assert re.sub(r"[\d.]+ s\b", "", capsys.readouterr().out) == first
    assert speedrun("--verify", training={"num_steps": 3, "lr": 1e-6, "other_lr": 1e-6}) == 1
    assert "does not reach 1.88" in capsys.readouterr().err


def test_an_entry_is_verified_stored_and_compared_with_its_record(speedrun, capsys, monkeypatch):
    monkeypatch.setattr(page, "write_page", lambda: None)
    monkeypatch.setitem(rules.TRACKS, "1.88", (9.0, 1_000_000))
    assert speedrun("--store") == 0
    assert "mine holds: the mean of 3 seeds reaches 9.0" in capsys.readouterr().out
    assert speedrun("--verify") == 0
    kept = page.records()
    kept["mine"]["runs"][1]["loss"] -= 0.1
    page._keep({"records": kept})
    assert speedrun("--verify") == 1
    assert "mine: seed 1 reached" in capsys.readouterr().err
    assert "| 1.88 | [mine](" in page.record_table(page.records())


def test_a_module_makes_the_trainer(speedrun, capsys):
    module = (
        "from minigrad.apps.fast import FastGPT, FastGPTConfig\n"
        "from minigrad.apps.fast_training import FastTrainer, FastTrainingConfig\n"
        "class Mine(FastTrainer):\n"
        "    def finish(self):\n"
        "        print('finished after', self.steps)\n"
        "def make_trainer(model, training, dataset):\n"
        "    return Mine(FastGPT(FastGPTConfig(**model)), dataset, FastTrainingConfig(**training))\n"
    )
    assert speedrun("--seeds", "1", module=module) == 0
    assert "finished after 3" in capsys.readouterr().out


def test_bad_input_of_the_command_is_refused(speedrun, capsys, monkeypatch):
    assert speedrun(track="2") == 2
    assert "the track is one of" in capsys.readouterr().err
    monkeypatch.setattr(running, "CHARACTERS", 5)
    assert speedrun() == 2
    assert "tinyshakespeare 5" in capsys.readouterr().err
    assert speedrun("--text", "nowhere.txt") == 2
    with pytest.raises(SystemExit):
        speedrun("--seeds", "0")


def test_the_loss_is_that_of_evaluate(monkeypatch):
    monkeypatch.setattr(running, "BATCHES", 5)
    trainer = make_trainer()
    train(trainer, 5)
    model = trainer.model.eval()
    assert running.measured_loss(model, trainer.dataset) == pytest.approx(
        evaluate(model, trainer.dataset, 5, 32, seed=0), abs=1e-6
    )


# --- The ladder and the page ---


@pytest.mark.parametrize("name", list(ladder.everything()))
def test_each_rung_is_a_recipe_that_trains(name):
    recipe = rules.checked(name, {"track": "1.617", **ladder.everything()[name]}, RECIPES)
    sizes = TINY | {"context_size": 64}
    small = replace(recipe, model=recipe.model | sizes, training=recipe.training | {"num_steps": 3})
    trainer = running.make_trainer(small, TextDataset(TOKENIZER.encode(TEXT), 64), 65, seed=0)
    assert all(math.isfinite(loss) for loss in train(trainer, 3))
    if hasattr(trainer, "finish"):
        trainer.finish()
        assert all(np.isfinite(p.data).all() for p in trainer.model.parameters())


RECIPES = ladder.RECIPES


def test_two_models_are_trained_one_after_another_and_averaged():
    recipe = rules.read_recipe(RECIPES / "seventeen.json")
    sizes = TINY | {"context_size": 64}
    small = replace(recipe, model=recipe.model | sizes, training=recipe.training | {"num_steps": 6})
    trainer = running.make_trainer(small, TextDataset(TOKENIZER.encode(TEXT), 64), 65, seed=0)
    assert trainer.config.num_steps == 6
    train(trainer, 4)
    assert [part.steps for part in trainer.trainers] == [3, 1]
    train(trainer, 2)
    assert [part.steps for part in trainer.trainers] == [3, 3]
    first, second = (part.model.eval() for part in trainer.trainers)
    assert not np.allclose(first.token_embedding.weight.data, second.token_embedding.weight.data)
    tokens = np.arange(20).reshape(2, 10)
    mean = (softmax(first(tokens)).data + softmax(second(tokens)).data) / 2
    np.testing.assert_allclose(softmax(trainer.model.eval()(tokens)).data, mean, atol=1e-6)
    rules.check_model(small, trainer.model)


@pytest.mark.parametrize("size", [ladder.SMALL, ladder.DEFAULT])
def test_the_last_rung_is_the_recipe_of_the_command_line(size):
    model, length, *_ = size
    last = list(ladder.climb(size).values())[-1]
    recipe = rules.checked("last", {"track": "1.617", **last}, RECIPES)
    assert FastGPTConfig(**recipe.model) == FastGPTConfig(**model)
    assert FastTrainingConfig(**recipe.training) == FastTrainingConfig(**length)
    mg.manual_seed(0)
    options = parse(["--recipe", "fast"])
    assert (options.num_steps, options.lr) == (
        FastTrainingConfig().num_steps,
        FastTrainingConfig().lr,
    )


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.json")), ids=lambda path: path.stem)
def test_the_recipes_that_are_kept_obey_the_rules(path):
    assert rules.read_recipe(path).name == path.stem


def test_the_page_shows_what_is_kept():
    path = page.DOCS / "speedrun.md"
    text = path.read_text(encoding="utf-8")
    assert page.page_of(text, page.store.read(page.NAME)) == text
    with pytest.raises(ValueError, match="0 places for records"):
        page.filled("nothing", {"records": "x"})


def test_the_pace_of_a_row_is_measured_all_through_its_training(monkeypatch):
    ids = TOKENIZER.encode(TEXT * 2)
    text = running.Text(ids, ids, TOKENIZER.vocab_size)
    settings = {"model": TINY | {"context_size": 64}, "training": {"num_steps": 40}}
    recipe = rules.checked("tiny", {"track": "1.88", **settings}, RECIPES)
    seen = []
    step = FastTrainer.step
    monkeypatch.setattr(FastTrainer, "step", lambda self: seen.append(self.steps) or step(self))
    found = pace.paces({"one": recipe, "two": recipe}, text)
    assert found.keys() == {"one", "two"} and min(found.values()) > 0
    assert seen[:4] == [0, 1, 0, 1] and seen[-4:] == [36, 37, 36, 37]


def test_a_row_without_a_pace_says_so():
    run = {"seed": 0, "loss": 2.0, "steps": 100, "parameters": 1000}
    results = {"ladder": {"one": [run], "two": [run]}, "paces": {"one": 0.25}}
    table = page.ladder_table(results, ["one", "two", "three"])
    assert "| 1. one | 2.000 (2.000) |  | 25 | 100 | 1,000 |" in table
    assert "| 2. two | 2.000 (2.000) | +0.000 | not measured | 100 | 1,000 |" in table
    assert "| 3. three | not measured | | | | |" in table
    assert "| one | 2.000 (2.000) | -1.000 |" in page.ladder_table(results, ["one"], last=3.0)


@pytest.mark.parametrize("name", list(page.records()))
def test_a_record_is_that_of_its_file(name):
    record = page.records()[name]
    recipe = rules.read_recipe(page.DOCS.parent / page.file_of(record))
    assert record["recipe"] == running.settings(recipe)


def test_a_record_keeps_the_day_on_which_it_was_measured():
    records = page.records()
    for row in page.promises({"records": records}):
        record = next(record for name, record in records.items() if f" {name}," in row["name"])
        assert (row["commit"], row["date"]) == (record["commit"], record["date"])


def test_bad_input_of_ladder_and_page_changes_nothing(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(page.store, "FOLDER", tmp_path)
    text = tmp_path / "input.txt"
    text.write_text("too short", encoding="utf-8")
    for arguments, words in (([text], "9 characters"), ([text, "no row"], "no row has the name")):
        path, *names = map(str, arguments)
        assert ladder.main([path, str(tmp_path / "log"), *names]) == 2
        assert words in capsys.readouterr().err
    with pytest.raises(SystemExit):
        page.main([str(tmp_path / "log")])
    assert "there is no file" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["input.txt"]
