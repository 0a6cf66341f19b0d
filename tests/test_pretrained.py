"""The shipped model: it loads, and a file that is not what it says is refused by name."""

import html
import json
import re

import numpy as np
import pytest

import minigrad as mg
from minigrad.apps import ORIGIN, publish
from minigrad.apps.files import read_arrays, write_arrays
from minigrad.apps.pretrained import PATH, load_pretrained, save_pretrained
from minigrad.data import CharTokenizer
from minigrad.gpt2_shakespeare import GPT2, GPT2Config

LIMIT = 16e6  # bytes


@pytest.fixture
def saved(tmp_path):
    config = GPT2Config(context_size=8, num_blocks=2, num_heads=2, embedding_dim=8, vocab_size=4)
    mg.manual_seed(0)
    model, path = GPT2(config), tmp_path / "model.safetensors"
    save_pretrained(path, model, CharTokenizer("abc\n"))
    return path, model


def test_the_shipped_model_is_small_enough_and_knows_its_vocabulary():
    model, tokenizer = mg.load_pretrained()
    config = model.config
    assert config.vocab_size == tokenizer.vocab_size
    assert not model.training
    assert all(p.dtype == np.float32 for p in model.parameters())
    assert PATH.stat().st_size <= LIMIT


def test_a_loaded_model_lies_in_one_block_of_memory():
    parameters = mg.load_pretrained()[0].parameters()
    places = [p.data.ctypes.data for p in parameters]
    assert places[1:] == [start + p.data.nbytes for start, p in zip(places, parameters[:-1])]


def test_a_model_comes_back_in_half_precision(saved):
    path, model = saved
    loaded, tokenizer = load_pretrained(path)
    assert tokenizer.vocabulary == "\nabc"
    for (name, was), (_, now) in zip(
        model.named_parameters(), loaded.named_parameters(), strict=True
    ):
        assert np.array_equal(was.data.astype(np.float16), now.data), name


def changed(path, **changes):
    """Write the file again with other entries in its description, or other arrays."""
    arrays, description = read_arrays(path)
    for name, value in changes.items():
        if name == "arrays":
            value(arrays)
        elif name == "model":
            description["model"] |= value
        elif value is None:
            del description[name]
        else:
            description[name] = value
    write_arrays(path, arrays, description)


def other(name, change):
    def apply(arrays):
        arrays[name] = change(arrays[name])

    return apply


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": "another"}, "no model that save_pretrained wrote"),
        ({"architecture": "LSTM"}, "architecture is LSTM, not one of GPT2, FastGPT, Ensemble"),
        ({"architecture": ["GPT2"]}, "not one of GPT2, FastGPT, Ensemble"),
        ({"architecture": "FastGPT"}, "does not describe a model"),
        ({"vocabulary": None}, "no vocabulary"),
        ({"vocabulary": "ba\nc"}, "not sorted"),
        ({"vocabulary": "\nabb"}, "stands twice"),
        ({"vocabulary": "\nab"}, "4 tokens, its vocabulary 3"),
        ({"model": {"vocab_size": None}}, "None tokens"),
        ({"model": {"heads": 3}}, "heads"),
        ({"model": {"num_heads": 3}}, "heads cannot share"),
        ({"model": {"context_size": 10**9}}, "position_embedding.weight has shape"),
        ({"model": {"embedding_dim": 16}}, "token_embedding.weight has shape"),
        ({"model": {"num_blocks": 3}}, "holds 2 blocks, its description says 3"),
        ({"model": {"num_blocks": 1}}, "holds 2 blocks, its description says 1"),
        ({"model": {"bias": True}}, "bias is missing"),
        ({"model": None}, "does not describe a model"),
        ({"arrays": lambda a: a.pop("output_ln.bias")}, "output_ln.bias is missing"),
        (
            {"arrays": other("blocks.0.ffn.up_proj.weight", np.transpose)},
            "up_proj.weight has shape",
        ),
        ({"arrays": other("output_ln.bias", np.float32)}, "output_ln.bias is float32"),
        ({"arrays": other("output_ln.bias", lambda a: a * np.float16(np.nan))}, "not finite"),
    ],
)
def test_what_is_not_what_it_says_is_refused_by_name(saved, changes, words):
    path, _ = saved
    if changes == {"model": None}:
        arrays, description = read_arrays(path)
        write_arrays(path, arrays, description | {"model": "large"})
    else:
        changed(path, **changes)
    with pytest.raises(ValueError, match=words) as caught:
        load_pretrained(path)
    assert path.name in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"\x80\x04K*.", b'{"a": 1}'])
def test_a_file_of_another_kind_is_refused(tmp_path, content):
    path = tmp_path / "model.safetensors"
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged"):
        load_pretrained(path)


def test_a_cut_file_is_refused(saved):
    path, _ = saved
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(ValueError, match="damaged"):
        load_pretrained(path)


@pytest.fixture(scope="module")
def documents():
    """The card in docs/, and its numbers."""
    from course.lessons.notebooks import ROOT

    card = (ROOT / "docs" / "pretrained.md").read_text(encoding="utf-8")
    return card, json.loads((ROOT / "docs" / "pretrained.json").read_text(encoding="utf-8"))


def test_the_card_names_what_is_shipped(documents):
    card, numbers = documents
    assert numbers["bytes"] == PATH.stat().st_size
    assert f"{numbers['validation_loss']:.4f}" in card
    for word in ("Command", "Seed", "Commit", "Steps", "Time", "Limits"):
        assert word in card


def test_its_page_says_in_words_how_it_was_trained(documents):
    """The same as the card: steps, recipe, text, loss and what it cannot do."""
    card, numbers = documents
    words = ORIGIN.read_text(encoding="utf-8")
    page = html.unescape(publish.page())
    assert words in page.partition("About this model</summary>")[2][:2000]
    assert f"trained for {numbers['steps']:,} of" in words
    assert f"loss on held-out text: {numbers['validation_loss']:.3f} nats" in words
    row = dict(re.findall(r"^\| (\w+) \| (.*) \|$", card, flags=re.MULTILINE))
    assert row["Command"].strip("`") in words
    assert row["Steps"].partition(": ")[2] in words
    learned_from = int(re.search(r"([\d,]+) characters", row["Text"])[1].replace(",", "")) * 9 // 10
    assert f"{learned_from:,} characters, the first 90 % of Shakespeare's plays" in words
    assert "no notion of what it says" in words and "no notion of what it says" in card
