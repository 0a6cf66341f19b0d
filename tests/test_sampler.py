"""The playground without its controls."""

import itertools
import time

import numpy as np
import pytest

import minigrad as mg
from course.lessons.notebooks import ROOT
from minigrad.apps.sampler import Sampler, Settings
from minigrad.data import CharTokenizer
from minigrad.gpt2_shakespeare import GPT2, GPT2Config, generate, next_token_probabilities, nucleus
from tests.test_structure import bad_outputs, marked


@pytest.fixture
def sampler():
    """An untrained model of eight letters, whose settings write a little."""
    tokenizer = CharTokenizer("abcdefg\n")
    mg.manual_seed(0)
    config = GPT2Config(context_size=12, num_blocks=2, num_heads=2, embedding_dim=16, vocab_size=8)
    model = GPT2(config)
    for p in model.parameters():
        p.data *= 3  # so that the characters are not all alike to it
    return Sampler(model, tokenizer, Settings(prompt="abc", length=30))


def start_long(sampler, on_change=None):
    """Begin a text of 5000 characters and wait until some are there.

    Returns a list with an entry for each character, whether a stop was asked for before it.
    """
    forward, asked = sampler.model.forward, []

    def slowly(*arguments):
        time.sleep(0.001)  # the other thread gets its turn, however busy the machine is
        asked.append(sampler._stopping.is_set())
        return forward(*arguments)

    sampler.model.forward = slowly
    sampler.set(length=5000)
    sampler.start(on_change)
    deadline = time.monotonic() + 20
    while len(sampler.writing.written) < 5:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    return asked


# --- The settings ---


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"prompt": ""}, "prompt is empty"),
        ({"prompt": "abÄ"}, "never seen 'Ä'"),
        ({"temperature": -0.1}, "Temperature must be at least 0 and at most 5, not -0.1"),
        ({"temperature": float("nan")}, "Temperature"),
        ({"top_k": 0}, "Top-k must be at least 1, not 0"),
        ({"top_k": 2.5}, "Top-k must be a whole number, not 2.5"),
        ({"top_p": 0}, "Top-p must be above 0 and at most 1, not 0"),
        ({"top_p": 1.1}, "Top-p"),
        ({"length": 0}, "Length must be at least 1 and at most 5000, not 0"),
        ({"length": 5001}, "at most 5000"),
        ({"seed": -1}, "Seed must be at least 0"),
        ({"prompt": "a\ud800"}, r"never seen '\\ud800'"),
        ({"prompt": None}, "prompt must be text, not None"),
        ({"prompt": 5}, "prompt must be text, not 5"),
        *(
            ({name: value}, f"{words} must be a (whole )?number, not")
            for name, words in (
                ("temperature", "Temperature"),
                ("top_k", "Top-k"),
                ("top_p", "Top-p"),
                ("length", "Length"),
                ("seed", "Seed"),
            )
            for value in ("1", True, [1])
        ),
        ({"temperature": float("inf")}, "Temperature must be at least 0 and at most 5, not inf"),
        ({"top_p": float("nan")}, "Top-p must be above 0 and at most 1, not nan"),
    ],
)
def test_settings_are_refused_in_words_and_nothing_changes(sampler, changes, words):
    before = sampler.settings
    with pytest.raises(ValueError, match=words):
        sampler.set(**{"seed": 99} | changes)
    assert sampler.settings is before
    assert len(sampler.generate()) == 33


def test_the_first_prompt_is_one_that_the_model_knows(sampler):
    assert Sampler(sampler.model, sampler.tokenizer).settings.prompt == "\n"


# --- Writing ---


@pytest.mark.parametrize(
    "cuts", [{}, {"temperature": 0}, {"top_k": 3}, {"top_p": 0.5, "temperature": 1.5}]
)
def test_it_writes_what_generate_draws(sampler, cuts):
    sampler.set(seed=5, **cuts)
    context = sampler.tokenizer.encode("abc")[None, :]
    generator = np.random.default_rng(5)
    stream = generate(sampler.model, context, generator=generator, **{"temperature": 0.8} | cuts)
    wanted = np.concatenate(list(itertools.islice(stream, 30)))
    assert sampler.generate() == "abc" + sampler.tokenizer.decode(wanted)


def test_seeds_repeat_and_differ(sampler):
    one, again = sampler.generate(), sampler.generate()
    sampler.set(seed=1)
    assert one == again != sampler.generate()
    assert [writing.settings.seed for writing in sampler.history] == [0, 0, 1]
    assert sampler.history[0].text == one


def test_bits_are_the_model_s_own_surprise(sampler):
    """Computed again, without a cache, for every character from what it saw."""
    sampler.set(temperature=2.0)
    text = sampler.generate()
    writing = sampler.writing
    assert len(writing.starts) == len(writing.bits) == 30
    for i, (start, bits) in enumerate(zip(writing.starts, writing.bits, strict=True)):
        seen = sampler.tokenizer.encode(text[start : i + 3])[None, :]
        with mg.no_grad():
            p = next_token_probabilities(sampler.model(seen).data[:, -1])[0]
        drawn = sampler.tokenizer.encode(text[i + 3])[0]
        assert -np.log2(p[drawn]) == pytest.approx(bits, abs=1e-4)
    assert writing.bits_per_character == pytest.approx(np.mean(writing.bits))
    assert max(i + 3 - start for i, start in enumerate(writing.starts)) == 12
    assert writing.tokens_per_second == pytest.approx(30 / writing.seconds)


def test_stopping_ends_the_text_with_the_character_it_is_at(sampler):
    asked = start_long(sampler)
    sampler.stop()
    assert sampler.wait(5)
    assert sum(asked) <= 1
    assert sampler.writing.stopped and 5 <= len(sampler.writing.written) < 5000
    assert sampler.history == [sampler.writing]
    sampler.set(length=10)
    assert len(sampler.generate()) == 13 and not sampler.writing.stopped


def test_nothing_else_is_written_while_one_is(sampler):
    start_long(sampler)
    with pytest.raises(RuntimeError, match="stop it first"):
        sampler.start()
    with pytest.raises(RuntimeError, match="stop it first"):
        sampler.clear()
    sampler.stop()
    sampler.wait()
    assert len(sampler.history) == 1


def test_changes_are_reported_on_the_way_and_at_the_end(sampler):
    seen = []
    start_long(sampler, lambda: seen.append((sampler.running, len(sampler.writing.written))))
    time.sleep(0.5)
    sampler.stop()
    sampler.wait()
    deadline = time.monotonic() + 5
    while seen[-1][0]:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert len(seen) >= 3 and all(running for running, _ in seen[:-1])
    assert [length for _, length in seen] == sorted(length for _, length in seen)


def test_an_error_while_writing_is_kept_in_words_and_the_next_one_works(sampler):
    weight = sampler.model.output_projection.weight
    good = weight.data.copy()
    weight.data[...] = np.nan
    with pytest.raises(RuntimeError, match="Writing ended early: .*not finite"):
        sampler.generate()
    assert not sampler.running
    weight.data[...] = good
    assert len(sampler.generate()) == 33


def test_training_goes_on_where_it_was(sampler):
    sampler.model.train()
    sampler.generate()
    assert sampler.model.training


def test_clearing_leaves_the_history(sampler):
    sampler.generate()
    sampler.clear()
    assert sampler.writing is None and sampler.text == "abc" and len(sampler.history) == 1


# --- Looking inside ---


def test_probabilities_before_and_after_the_settings(sampler):
    text, before, after = sampler.next_probabilities()
    assert text == "abc"
    assert before.shape == after.shape == (8,)
    sampler.set(temperature=1.0)
    assert np.allclose(*sampler.next_probabilities()[1:])
    sampler.set(top_k=2)
    assert (sampler.next_probabilities()[2] > 0).sum() == 2
    sampler.set(temperature=0)
    assert sampler.next_probabilities()[2].max() == 1
    assert np.array_equal(sampler.next_probabilities()[1], before)
    written = sampler.generate()
    text, now, _ = sampler.next_probabilities()
    assert text == written and not np.allclose(now, before)


def test_a_choice_is_the_one_that_was_made(sampler):
    text = sampler.generate()
    for place in (1, 2, 3, 20, 32):
        choice = sampler.choice(place)
        assert choice.character == text[place] and text[:place].endswith(choice.seen)
        T = len(choice.seen)
        assert choice.attention.shape == (2, 2, T, T)
        assert np.allclose(choice.attention.sum(-1), 1, atol=1e-5)
        if place >= 3:
            own = choice.before[sampler.tokenizer.encode(choice.character)[0]]
            assert -np.log2(own) == pytest.approx(sampler.writing.bits[place - 3], abs=1e-4)
    for place in (0, 33):
        with pytest.raises(ValueError, match="no choice"):
            sampler.choice(place)


def test_a_choice_of_an_earlier_text(sampler):
    first = sampler.generate()
    sampler.set(seed=1)
    sampler.generate()
    assert sampler.choice(20, sampler.history[0]).character == first[20]


# --- top-p ---


def test_top_p_keeps_the_fewest_that_suffice():
    logits = np.log([[0.5, 0.2, 0.2, 0.1]])

    def kept(top_p, **options):
        return nucleus(next_token_probabilities(logits, **options), top_p)[0].round(6).tolist()

    assert kept(0.4) == [1, 0, 0, 0]
    assert kept(0.6) == pytest.approx([5 / 7, 2 / 7, 0, 0], abs=1e-5)  # of equals the earlier
    assert kept(0.95) == pytest.approx([0.5, 0.2, 0.2, 0.1])
    assert kept(1.0) == pytest.approx([0.5, 0.2, 0.2, 0.1])
    assert kept(0.6, top_k=1) == kept(0.9, temperature=0) == [1, 0, 0, 0]
    for wrong in (0, -1, 1.01, float("nan")):
        with pytest.raises(ValueError, match="top_p must be above 0 and at most 1"):
            kept(wrong)


# --- The notebook ---


def test_the_playground_is_compared_whole_and_stored_from_one_clean_run():
    path = ROOT / "notebooks" / "playground.ipynb"
    assert marked(path) == [] and bad_outputs(path) == []
