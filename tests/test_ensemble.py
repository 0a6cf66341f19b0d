"""Several models as one: the mean of their predictions."""

import numpy as np
import pytest

import minigrad as mg
from minigrad.apps.ensemble import Ensemble, EnsembleConfig, mean_prediction
from minigrad.apps.files import build_model
from minigrad.apps.playground import Service
from minigrad.apps.pretrained import load_pretrained, save_pretrained
from minigrad.data import CharTokenizer
from minigrad.functional import softmax
from minigrad.gpt2_shakespeare import sample

TOKENIZER = CharTokenizer("abc \n")
SIZES = {"context_size": 8, "num_blocks": 2, "num_heads": 2, "embedding_dim": 16, "vocab_size": 5}
SETTINGS = {"temperature": 1}
TOKENS = np.array([[1, 2, 3, 0, 4, 2, 1], [0, 0, 1, 4, 4, 2, 3]])


def make_ensemble(**changes):
    mg.manual_seed(0)
    model = Ensemble(EnsembleConfig(**SIZES | {"zero_init": False} | changes)).eval()
    generator = np.random.default_rng(0)
    for name, p in model.named_parameters():  # zeros would hide a mistake
        if name.endswith("share"):
            p.data[...] = generator.normal(size=p.shape)
    return model


@pytest.mark.parametrize("num_models", [1, 2, 3])
def test_it_gives_the_mean_of_the_probabilities(num_models):
    model = make_ensemble(num_models=num_models)
    single = [softmax(one(TOKENS)).data for one in model.models]
    assert num_models == 1 or np.abs(single[0] - single[-1]).max() > 1e-3
    assert np.allclose(softmax(model(TOKENS)).data, np.mean(single, axis=0), atol=1e-6)
    assert np.allclose(np.exp(model(TOKENS).data).sum(-1), 1, atol=1e-5)


def test_a_probability_below_every_float_still_has_a_logarithm():
    logits = [np.array([0.0, -500.0, -900.0]), np.array([0.0, -501.0, -800.0])]
    found = mean_prediction(logits).data
    assert np.allclose(found, [0, -500 + np.log((1 + np.exp(-1)) / 2), -800 - np.log(2)])


def test_it_can_be_trained_as_one():
    model = make_ensemble().train()
    loss = mg.cross_entropy_loss(model(TOKENS[:, :-1]), TOKENS[:, 1:])
    loss.backward()
    for name, parameter in model.named_parameters():
        assert np.abs(parameter.grad).max() > 0, name


@pytest.mark.parametrize("cuts", [(1, 1, 1, 1, 1, 1, 1), (4, 3), (1, 6), (7,)])
def test_in_pieces_with_caches_it_finds_what_it_finds_at_once(cuts):
    model, caches, at, found = make_ensemble(), make_ensemble().new_caches(2), 0, []
    with mg.no_grad():
        for count in cuts:
            found.append(model(TOKENS[:, at : at + count], caches).data)
            at += count
    assert np.allclose(np.concatenate(found, axis=1), model(TOKENS).data, atol=1e-5)
    assert caches[0].length == 7


def test_it_writes():
    text = sample(make_ensemble(), [[1, 2]], 20, generator=np.random.default_rng(0))
    assert text.shape[-1] >= 20


def test_a_file_gives_it_back(tmp_path):
    model, path = make_ensemble(num_models=3), tmp_path / "m.safetensors"
    save_pretrained(path, model, TOKENIZER)
    loaded, tokenizer = load_pretrained(path)
    assert loaded.config == model.config and tokenizer.vocabulary == TOKENIZER.vocabulary
    assert np.allclose(loaded(TOKENS).data, model(TOKENS).data, atol=0.02)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"num_models": 3}, "holds 4 blocks, its description says 6"),
        ({"num_models": 1}, "holds 4 blocks, its description says 2"),
        ({"num_models": 10**12}, "holds 4 blocks"),
        ({"num_models": 0}, "num_models must be at least 1"),
        ({"num_models": 2.0}, "num_models"),
        ({"num_blocks": 4, "num_models": 1}, "is unknown"),
        ({"token_shift": False}, "attn_share is unknown"),
        ({"embedding_dim": 32}, "has shape"),
    ],
)
def test_a_description_that_does_not_fit_is_refused(changes, words):
    model = make_ensemble()
    arrays = {name: p.data for name, p in model.named_parameters()}
    description = {
        "architecture": "Ensemble",
        "vocabulary": TOKENIZER.vocabulary,
        "model": SIZES | {"num_models": 2} | changes,
    }
    with pytest.raises(ValueError, match=words):
        build_model("m.safetensors", arrays, description, np.float32)


class TestLookingInside:
    def test_the_heads_of_each_model_stand_behind_those_before_it(self):
        model, service = make_ensemble(), Service({"m": lambda: (make_ensemble(), TOKENIZER)})
        assert service.info["config"]["num_heads"] == 4
        look = service.look("ab c\nb", SETTINGS)
        maps = look["maps"].reshape(2, 4, 6, 6)
        tokens = TOKENIZER.encode("ab c\nb")[None, :]
        assert np.allclose(maps[:, 2:], model.models[1].attention(tokens)[:, 0])
        assert np.allclose(look["lens"][-1], look["before"], atol=1e-6)
        assert np.allclose(look["before"], softmax(model(tokens)).data[0, -1], atol=1e-6)

    def test_a_silent_head_is_silent_in_its_own_model_only(self):
        service = Service({"m": lambda: (make_ensemble(), TOKENIZER)})
        plain, silent = (service.look("ab c\nb", SETTINGS, off) for off in (None, [1, 3]))
        assert np.allclose(plain["lens"][1], silent["lens"][1])
        assert np.abs(plain["lens"][2] - silent["lens"][2]).max() > 1e-4
        expected = make_ensemble()
        expected.models[1].blocks[1].attn.out_proj.weight.data[:, 8:] = 0
        tokens = TOKENIZER.encode("ab c\nb")[None, :]
        assert np.allclose(silent["before"], softmax(expected(tokens)).data[0, -1], atol=1e-6)
        again = service.look("ab c\nb", SETTINGS)
        assert np.array_equal(again["before"], plain["before"])
