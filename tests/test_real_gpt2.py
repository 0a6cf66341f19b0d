"""Published weights: files, names, layouts; refused files; beside transformers."""

import contextlib
import http.server
import importlib.util
import json
import os
import random
import subprocess
import sys
import threading

import numpy as np
import pytest

import minigrad as mg
from minigrad import real_gpt2
from minigrad.apps import hub
from minigrad.bpe import BPETokenizer
from minigrad.gpt2_shakespeare import GPT2, GPT2Config, sample
from minigrad.random import default_generator
from minigrad.real_gpt2 import (
    load_gpt2,
    published,
    read_array,
    read_header,
    save_gpt2,
    write_safetensors,
)

SMALL = GPT2Config(
    context_size=16,
    num_blocks=2,
    num_heads=4,
    embedding_dim=16,
    vocab_size=50,
    bias=True,
    tie_weights=True,
)
REAL = GPT2Config(
    context_size=1024,
    num_blocks=12,
    num_heads=12,
    embedding_dim=768,
    vocab_size=50257,
    bias=True,
    tie_weights=True,
)
TOKENS = np.random.default_rng(0).integers(50, size=(2, 12))


def model_of(**changes):
    """A small model whose biases and norms are no zeros and ones."""
    mg.manual_seed(3)
    model = GPT2(GPT2Config(**{**vars(SMALL), **changes}))
    generator = np.random.default_rng(4)
    for parameter in model.parameters():
        parameter.data += 0.3 * generator.normal(size=parameter.shape).astype(np.float32)
    return model.eval()


def logits(model, tokens=TOKENS):
    with mg.no_grad():
        return model(tokens).data


@pytest.fixture
def folder(tmp_path):
    save_gpt2(tmp_path, model_of())
    return tmp_path


def rewrite(folder, change):
    """Write the arrays of a folder's file anew, as `change` makes them: {name: array}."""
    path = folder / "model.safetensors"
    arrays = {name: np.array(read_array(path, s)) for name, s in read_header(path).items()}
    write_safetensors(path, change(arrays))


def configure(folder, **changes):
    path = folder / "config.json"
    config = json.loads(path.read_text(encoding="utf-8")) | changes
    path.write_text(json.dumps(config), encoding="utf-8")


# --- The file ---


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "a.safetensors"
    arrays = {
        "b": np.arange(6, dtype=np.float32).reshape(2, 3).T,  # not in C order
        "a": np.float32(3.5).reshape(()),
        "ä.half": np.linspace(-2, 2, 5, dtype=np.float16),
    }
    write_safetensors(path, arrays)
    found = {name: read_array(path, stored) for name, stored in read_header(path).items()}
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert found[name].dtype == array.dtype and np.array_equal(found[name], array)
        assert isinstance(found[name], np.memmap)
    assert not list(tmp_path.glob("*unfinished*"))


def test_a_failed_write_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.safetensors"
    write_safetensors(path, {"a": np.ones(3, np.float32)})
    before = path.read_bytes()
    with pytest.raises(TypeError, match="a is complex64"):
        write_safetensors(path, {"a": np.ones(3, np.complex64)})
    assert path.read_bytes() == before and len(list(tmp_path.iterdir())) == 1


def test_the_library_safetensors_reads_ours_and_we_read_its(tmp_path):
    library = pytest.importorskip("safetensors.numpy")
    arrays = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones(5, np.float16)}
    write_safetensors(tmp_path / "ours", arrays)
    theirs = library.load_file(tmp_path / "ours")
    assert all(np.array_equal(theirs[name], arrays[name]) for name in arrays)
    library.save_file(arrays | {"c": np.arange(3)}, tmp_path / "theirs")
    header = read_header(tmp_path / "theirs")
    assert all(
        np.array_equal(read_array(tmp_path / "theirs", header[n]), arrays[n]) for n in arrays
    )
    with pytest.raises(ValueError, match="weights of type I64; this reads F32, F16, BF16"):
        read_array(tmp_path / "theirs", header["c"])


def in_bfloat16(array):
    """The upper halves of float32 numbers, as integers."""
    return (np.ascontiguousarray(array, np.float32).view(np.uint32) >> 16).astype(np.uint16)


def write_as(path, arrays, dtype):
    """A safetensors file in F32, F16 or BF16, written by hand."""
    convert = {"F32": np.float32, "F16": np.float16}.get(dtype)
    parts = {n: in_bfloat16(a) if dtype == "BF16" else a.astype(convert) for n, a in arrays.items()}
    header, end = {}, 0
    for name, part in parts.items():
        places = [end, end + part.nbytes]
        header[name] = {"dtype": dtype, "shape": list(part.shape), "data_offsets": places}
        end += part.nbytes
    text = json.dumps(header).encode()
    content = len(text).to_bytes(8, "little") + text
    path.write_bytes(content + b"".join(np.ascontiguousarray(p).tobytes() for p in parts.values()))


@pytest.mark.parametrize(("dtype", "bits"), [("F32", 24), ("F16", 11), ("BF16", 7)])
def test_every_type_of_weights(folder, dtype, bits):
    exact = load_gpt2(folder).state_dict()
    path = folder / "model.safetensors"
    arrays = {name: np.array(read_array(path, s)) for name, s in read_header(path).items()}
    write_as(path, arrays, dtype)
    for name, array in load_gpt2(folder).state_dict().items():
        assert array.dtype == np.float32
        assert np.allclose(array, exact[name], rtol=2.0**-bits, atol=1e-7 if dtype == "F16" else 0)


# --- There and back ---


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("tie_weights", [True, False])
def test_a_saved_model_is_loaded_with_the_same_logits(tmp_path, bias, tie_weights):
    model = model_of(bias=bias, tie_weights=tie_weights)
    save_gpt2(tmp_path, model)
    for path in (tmp_path, tmp_path / "model.safetensors", str(tmp_path)):
        again = load_gpt2(path)
        assert np.array_equal(logits(again), logits(model)) and not again.training
    tied = again.output_projection.weight is again.token_embedding.weight
    assert tied == tie_weights


def test_with_a_tokenizer_the_folder_is_complete(tmp_path):
    tokenizer = BPETokenizer.train("the cat", 258, ["<|endoftext|>"])
    save_gpt2(tmp_path / "new", model_of(vocab_size=258), tokenizer)
    config = json.loads((tmp_path / "new" / "config.json").read_text(encoding="utf-8"))
    assert config["eos_token_id"] == 257
    again = BPETokenizer.load(tmp_path / "new")
    assert again.encode("the cat").tolist() == tokenizer.encode("the cat").tolist()


def test_names_with_and_without_the_prefix_and_old_masks(folder):
    expected = logits(load_gpt2(folder))
    mask = np.ones((1, 1, 16, 16), np.float32)

    def as_published(arrays):
        plain = {name.removeprefix("transformer."): array for name, array in arrays.items()}
        masks = {f"h.{number}.attn.bias": mask for number in range(2)}
        return plain | masks | {"h.0.attn.masked_bias": np.float32(-1e4).reshape(())}

    rewrite(folder, as_published)
    assert np.array_equal(logits(load_gpt2(folder)), expected)


def test_a_tied_model_may_carry_its_table_twice(folder):
    expected = logits(load_gpt2(folder))
    rewrite(folder, lambda a: a | {"lm_head.weight": a["transformer.wte.weight"]})
    assert np.array_equal(logits(load_gpt2(folder)), expected)


def test_each_parameter_has_a_name_of_its_own():
    names = [name for name, _ in model_of(tie_weights=False).named_parameters()]
    assert len({published(name)[0] for name in names}) == len(names) == 29
    assert sum(published(name)[1] for name in names) == 8


def test_the_shapes_are_those_of_the_model():
    for changes in ({}, {"tie_weights": False}, {"num_blocks": 1, "embedding_dim": 8}):
        model = model_of(**changes)
        expected = {name: p.shape for name, p in model.named_parameters()}
        assert dict(real_gpt2._shapes(model.config)) == expected


def test_the_real_one_has_124_million_parameters():
    shapes = dict(real_gpt2._shapes(REAL))
    assert sum(int(np.prod(shape)) for shape in shapes.values()) == 124_439_808


def test_it_writes_with_its_cache_and_trains(folder):
    model = load_gpt2(folder)
    written = sample(model, TOKENS, 30, temperature=0)
    for length in (12, 13, 15):
        assert (logits(model, written[:, :length])[:, -1].argmax(-1) == written[:, length]).all()
    optimizer = mg.optim.AdamW(model.parameters(), lr=1e-2)
    losses = []
    for _ in range(30):
        loss = mg.cross_entropy_loss(model(TOKENS[:, :-1]), TOKENS[:, 1:])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


# --- What loading costs ---


def test_no_random_number_is_drawn(folder):
    mg.manual_seed(5)
    before = default_generator().bit_generator.state
    load_gpt2(folder)
    assert default_generator().bit_generator.state == before


LOAD = """
import sys
from minigrad.real_gpt2 import load_gpt2

def peak():
    (line,) = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
    return 1024 * int(line.split()[1])

before = peak()
model = load_gpt2(sys.argv[1])
print((peak() - before) / (4 * model.num_parameters()))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is counted in Linux' way")
@pytest.mark.parametrize("dtype", ["F32", "BF16"])
def test_memory_is_not_doubled(tmp_path, dtype):
    """At its peak, loading takes the model and one or two of its arrays more."""
    model = model_of(embedding_dim=512, num_heads=8, num_blocks=8, vocab_size=8000)
    save_gpt2(tmp_path, model)
    if dtype == "BF16":
        path = tmp_path / "model.safetensors"
        arrays = {name: np.array(read_array(path, s)) for name, s in read_header(path).items()}
        write_as(path, arrays, dtype)
    run = subprocess.run(
        [sys.executable, "-c", LOAD, str(tmp_path)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )
    assert run.returncode == 0, run.stderr
    assert 0.9 < float(run.stdout) < 1.5


# --- Refused ---


@pytest.fixture
def unbuilt(monkeypatch):
    """No model may be built in this test: what is refused is refused before memory is asked for."""

    def refuse(config):
        raise AssertionError(f"a model was built: {config}")

    monkeypatch.setattr(real_gpt2, "GPT2", refuse)


def drop(name):
    return lambda folder: rewrite(folder, lambda a: {n: x for n, x in a.items() if n != name})


def put(name, array):
    return lambda folder: rewrite(folder, lambda a: a | {name: array})


QKV = "transformer.h.0.attn.c_attn.weight"
DAMAGES = {
    "another model": (lambda f: configure(f, model_type="llama"), "its model_type is 'llama'"),
    "no model at all": (
        lambda f: (f / "config.json").write_text("[]", encoding="utf-8"),
        "cannot be loaded as a GPT2",
    ),
    "config not JSON": (
        lambda f: (f / "config.json").write_text("{", encoding="utf-8"),
        "cannot be loaded as a GPT2",
    ),
    "config deep": (
        lambda f: (f / "config.json").write_text("[" * 99999, encoding="utf-8"),
        "cannot be loaded as a GPT2",
    ),
    "config binary": (
        lambda f: (f / "config.json").write_bytes(b"\xff\0"),
        "cannot be loaded as a GPT2",
    ),
    "config empty": (
        lambda f: (f / "config.json").write_text("{}", encoding="utf-8"),
        "it lacks 'model_type'",
    ),
    "activation": (lambda f: configure(f, activation_function="gelu"), "activation_function"),
    "epsilon": (lambda f: configure(f, layer_norm_epsilon=1e-6), "layer_norm_epsilon"),
    "scores": (lambda f: configure(f, scale_attn_weights=False), "scale_attn_weights"),
    "by layer": (lambda f: configure(f, scale_attn_by_inverse_layer_idx=True), "inverse_layer"),
    "inner width": (lambda f: configure(f, n_inner=7), "not 4 times as wide"),
    "heads": (lambda f: configure(f, n_head=3), "does not fit its heads"),
    "no heads": (lambda f: configure(f, n_head=0), "cannot be loaded as a GPT2"),
    "text for a size": (lambda f: configure(f, n_embd="16"), "cannot be loaded as a GPT2"),
    "half a block": (lambda f: configure(f, n_layer=1.5), "num_blocks must be"),
    "huge width": (lambda f: configure(f, n_embd=1 << 40), "its config.json says"),
    "huge vocabulary": (lambda f: configure(f, vocab_size=10**12), "its config.json says"),
    "huge context": (lambda f: configure(f, n_positions=10**12), "its config.json says"),
    "a billion blocks": (lambda f: configure(f, n_layer=10**9), "2 blocks, its config.json"),
    "one block more": (lambda f: configure(f, n_layer=3), "2 blocks, its config.json"),
    "untied": (lambda f: configure(f, tie_word_embeddings=False), "lm_head.weight is missing"),
    "an array missing": (drop(QKV), "h.0.attn.c_attn.weight is missing"),
    "a wrong shape": (put(QKV, np.ones((48, 16), np.float32)), r"is \(48, 16\); its config"),
    "twice": (put("wte.weight", np.ones((50, 16), np.float32)), "an array twice"),
    "no file": (lambda f: (f / "model.safetensors").write_bytes(b""), "would have 0 bytes"),
    "a pickle": (lambda f: (f / "model.safetensors").write_bytes(b"\x80\x04." * 99), "header"),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_what_is_refused_before_a_model_is_built(folder, unbuilt, kind):
    damage, words = DAMAGES[kind]
    damage(folder)
    with pytest.raises(ValueError, match=words) as caught:
        load_gpt2(folder)
    assert str(folder) in str(caught.value) or "GPT2Config" in str(caught.value)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_numbers_that_are_not_finite_are_refused(folder, value):
    rewrite(folder, lambda a: a | {QKV: np.full((16, 48), value, np.float32)})
    with pytest.raises(ValueError, match="c_attn.weight holds numbers that are not finite"):
        load_gpt2(folder)


def test_a_type_that_is_not_read_is_refused(folder):
    path = folder / "model.safetensors"
    content = path.read_bytes().replace(b'"F32"', b'"I32"')
    path.write_bytes(content)
    with pytest.raises(ValueError, match="weights of type I32"):
        load_gpt2(folder)


def test_what_is_missing_is_named(folder):
    (folder / "config.json").rename(folder / "other.json")
    for path in (folder, folder / "model.safetensors"):
        with pytest.raises(FileNotFoundError, match=r"config.json is not there"):
            load_gpt2(path)
    with pytest.raises(FileNotFoundError, match=r"model.safetensors is not there"):
        load_gpt2(folder.parent)


HEADERS = {
    "no object": [],
    "no arrays": {"a": 3},
    "no dtype": {"a": {"shape": [2], "data_offsets": [0, 8]}},
    "unknown dtype": {"a": {"dtype": "F128", "shape": [2], "data_offsets": [0, 8]}},
    "a gap": {"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]}},
    "too short": {"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}},
    "too long": {"a": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}},
    "another shape": {"a": {"dtype": "F32", "shape": [3], "data_offsets": [0, 8]}},
    "an overlap": {
        "a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]},
        "b": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]},
    },
    "backwards": {"a": {"dtype": "F32", "shape": [2], "data_offsets": [8, 0]}},
    "negative": {"a": {"dtype": "F32", "shape": [-2, -1], "data_offsets": [0, 8]}},
    "floats": {"a": {"dtype": "F32", "shape": [2.0], "data_offsets": [0, 8]}},
    "Booleans": {"a": {"dtype": "F64", "shape": [True], "data_offsets": [0, 8]}},
    "texts": {"a": {"dtype": "F32", "shape": "2", "data_offsets": [0, 8]}},
    "three places": {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4, 8]}},
    "too many axes": {"a": {"dtype": "F32", "shape": [1] * 99 + [2], "data_offsets": [0, 8]}},
    "zero times huge": {"a": {"dtype": "F32", "shape": [0, 10**30], "data_offsets": [0, 0]}},
    "a dtype that is a list": {"a": {"dtype": ["F32"], "shape": [2], "data_offsets": [0, 8]}},
}


@pytest.mark.parametrize("kind", HEADERS)
def test_a_header_that_lies_is_refused(tmp_path, kind):
    path, text = tmp_path / "a", json.dumps(HEADERS[kind]).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + bytes(8))
    with pytest.raises(ValueError, match="is damaged, or no safetensors file"):
        read_header(path)


@pytest.mark.parametrize("length", [0, 1, 100, 1 << 40, (1 << 64) - 1])
def test_a_header_longer_than_its_file_is_not_read(tmp_path, length):
    path = tmp_path / "a"
    path.write_bytes(length.to_bytes(8, "little") + b"{}" + bytes(8))
    with pytest.raises(ValueError, match="is damaged, or no safetensors file"):
        read_header(path)


def damaged(content, generator, among):
    """The content with some bytes changed, cut off, doubled or taken out; the first `among` most."""
    content, kind = bytearray(content), generator.randrange(4)
    last = among if generator.random() < 0.8 else len(content)
    start = generator.randrange(min(last, len(content)))
    end = min(start + generator.randint(1, 8), len(content))
    if kind == 0:
        content[start:end] = generator.randbytes(end - start)
    elif kind == 1:
        del content[start:]
    elif kind == 2:
        content[start:start] = content[start:end]
    else:
        del content[start:end]
    return bytes(content)


def test_damaged_files_are_refused_or_are_a_model(tmp_path):
    """2,000 damages, most in the headers: a ValueError that names the file, or a model as before."""
    model = model_of(num_blocks=1, embedding_dim=4, num_heads=2, vocab_size=9)
    save_gpt2(tmp_path, model)
    files = {n: (tmp_path / n).read_bytes() for n in ("model.safetensors", "config.json")}
    header = int.from_bytes(files["model.safetensors"][:8], "little") + 8
    generator, refused = random.Random(0), 0
    for _ in range(2000):
        name = "model.safetensors" if generator.random() < 0.8 else "config.json"
        (tmp_path / name).write_bytes(damaged(files[name], generator, header))
        try:
            loaded = load_gpt2(tmp_path)
        except ValueError as error:
            assert str(tmp_path) in str(error) or "GPT2Config" in str(error)
            refused += 1
        else:
            assert loaded.num_parameters() == model.num_parameters()
        (tmp_path / name).write_bytes(files[name])
    assert refused > 1500


# --- Beside transformers ---


@pytest.fixture
def transformers(torch):
    return pytest.importorskip("transformers")


def theirs_of(transformers, torch, config, **changes):
    torch.manual_seed(0)
    model = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            n_positions=config.context_size,
            n_embd=config.embedding_dim,
            n_layer=config.num_blocks,
            n_head=config.num_heads,
            vocab_size=config.vocab_size,
            resid_pdrop=0,
            embd_pdrop=0,
            attn_pdrop=0,
            bos_token_id=0,
            eos_token_id=0,
            **changes,
        )
    ).eval()
    with torch.no_grad():
        for parameter in model.parameters():  # biases and norms that are no zeros and ones
            parameter += 0.02 * torch.randn_like(parameter)
    return model


CASES = {
    "small": (SMALL, 12),
    "a longer context": (GPT2Config(**{**vars(SMALL), "context_size": 200}), 200),
    "real": (REAL, 64),
}


@pytest.mark.parametrize(
    "case", [pytest.param(c, marks=pytest.mark.long) if c == "real" else c for c in CASES]
)
def test_logits_and_gradients_are_transformers(case, transformers, torch, tmp_path):
    config, length = CASES[case]
    theirs = theirs_of(transformers, torch, config)
    theirs.save_pretrained(tmp_path)
    ours = load_gpt2(tmp_path)
    tokens = np.random.default_rng(0).integers(config.vocab_size, size=(2, length))
    expected = theirs(torch.tensor(tokens)).logits.detach().numpy()
    assert np.abs(logits(ours, tokens) - expected).max() < 1e-4
    inputs, targets = tokens[:, :-1], tokens[:, 1:]
    mg.cross_entropy_loss(ours(inputs), targets).backward()
    loss = theirs(torch.tensor(tokens), labels=torch.tensor(tokens)).loss
    loss.backward()
    gradients = {name.removeprefix("transformer."): p.grad for name, p in theirs.named_parameters()}
    for name, parameter in ours.named_parameters():
        hub_name, transposed = published(name)
        gradient = gradients[hub_name].numpy()
        gradient = gradient.T if transposed else gradient
        assert np.abs(parameter.grad - gradient).max() < 1e-4 * max(1, np.abs(gradient).max()), name


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_of_transformers_is_read(dtype, transformers, torch, tmp_path):
    theirs = theirs_of(transformers, torch, SMALL).to(getattr(torch, dtype))
    theirs.save_pretrained(tmp_path)
    ours = load_gpt2(tmp_path)
    expected = theirs.float()(torch.tensor(TOKENS)).logits.detach().numpy()
    assert np.abs(logits(ours) - expected).max() < 1e-4


def test_greedy_writing_is_transformers(transformers, torch, tmp_path):
    theirs = theirs_of(transformers, torch, CASES["a longer context"][0])
    theirs.save_pretrained(tmp_path)
    start = torch.tensor(TOKENS)
    expected = theirs.generate(
        start,
        attention_mask=torch.ones_like(start),
        max_new_tokens=100,
        do_sample=False,
        eos_token_id=None,
        pad_token_id=0,
    )
    assert sample(load_gpt2(tmp_path), TOKENS, 100, temperature=0).tolist() == expected.tolist()


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("tie_weights", [True, False])
def test_what_we_save_opens_in_transformers(bias, tie_weights, transformers, torch, tmp_path):
    tokenizer = BPETokenizer.train("the cat sat on the mat " * 5, 280, ["<|endoftext|>"])
    model = model_of(bias=bias, tie_weights=tie_weights, vocab_size=tokenizer.vocab_size)
    save_gpt2(tmp_path, model, tokenizer)
    theirs, report = transformers.GPT2LMHeadModel.from_pretrained(
        tmp_path, output_loading_info=True
    )
    assert not any(report[kind] for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"))
    expected = theirs.eval()(torch.tensor(TOKENS)).logits.detach().numpy()
    assert np.abs(logits(model) - expected).max() < 1e-4
    their_tokenizer = transformers.GPT2Tokenizer.from_pretrained(tmp_path)
    text = "the cat, é🙂 sat<|endoftext|>"
    assert their_tokenizer.encode(text) == tokenizer.encode(text, allow_special=True).tolist()


# --- The hub ---


def test_without_the_client_it_says_what_to_do(monkeypatch, tmp_path, capsys):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(ModuleNotFoundError, match="pip install huggingface_hub"):
        hub.fetch("someone/gpt2", tmp_path)
    assert hub.main(["someone/gpt2", "--to", str(tmp_path)]) == 2
    assert "which is not installed" in capsys.readouterr().err


class Client:
    """In the place of huggingface_hub: `snapshot_download` does what the test says."""

    def __init__(self, download):
        self.snapshot_download = download


def test_a_download_that_fails_is_one_clear_line(monkeypatch, tmp_path, capsys):
    def fail(name, **options):
        raise OSError("no route to host")

    monkeypatch.setitem(sys.modules, "huggingface_hub", Client(fail))
    assert hub.main(["someone/gpt2", "--to", str(tmp_path / "x")]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1 and "someone/gpt2 could not be downloaded" in error
    assert "model.safetensors" in error and "by hand" in error


def test_only_what_is_read_is_asked_for(monkeypatch, tmp_path, folder):
    def download(name, local_dir, allow_patterns):
        assert name == "someone/gpt2" and sorted(allow_patterns) == sorted(hub.FILES)
        return str(folder)

    monkeypatch.setitem(sys.modules, "huggingface_hub", Client(download))
    with pytest.raises(ConnectionError, match="has no vocab.json and no merges.txt"):
        hub.fetch("someone/gpt2", tmp_path)
    BPETokenizer.train("a", 256).save(folder)
    assert hub.fetch("someone/gpt2", tmp_path) == folder


REVISION = "0123456789abcdef0123456789abcdef01234567"


@contextlib.contextmanager
def a_hub(files):
    """A server on this machine that speaks as much of the hub's language as a download needs."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_HEAD(self):
            self.do_GET(body=False)

        def do_GET(self, body=True):
            path, kind = self.path.partition("?")[0], "application/octet-stream"
            name, content = path.rpartition("/")[2], None
            if path.startswith("/api/models/someone/gpt2"):
                siblings = [{"rfilename": file} for file in files]
                about = {"id": "someone/gpt2", "sha": REVISION, "siblings": siblings}
                tree = [
                    {"type": "file", "path": file, "size": len(data), "oid": f"oid-{file}"}
                    for file, data in files.items()
                ]
                content = json.dumps(tree if "/tree/" in path else about).encode()
                kind = "application/json"
            elif path.startswith(f"/someone/gpt2/resolve/{REVISION}/"):
                content = files.get(name)
            self.send_response(404 if content is None else 200)
            content = content or b""
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("ETag", f'"oid-{name}"')
            self.send_header("X-Repo-Commit", REVISION)
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.skipif(
    importlib.util.find_spec("huggingface_hub") is None, reason="huggingface_hub is not installed"
)
def test_the_real_client_fetches_and_the_model_loads(folder, tmp_path):
    """In a process of its own: the client reads the hub's address when it is imported."""
    BPETokenizer.train("a", 256).save(folder)
    files = {name: (folder / name).read_bytes() for name in hub.FILES}
    files |= {"pytorch_model.bin": b"a pickle", "setup.py": b"code"}
    target = tmp_path / "downloaded"
    command = [sys.executable, "-m", "minigrad.apps.hub", "someone/gpt2", "--to", str(target)]
    with a_hub(files) as address:
        environment = os.environ | {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "home")}
        run = subprocess.run(
            command, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=120
        )
    assert run.returncode == 0, run.stderr
    assert {path.name for path in target.iterdir() if path.is_file()} == set(hub.FILES)
    assert np.array_equal(logits(load_gpt2(target)), logits(load_gpt2(folder)))
    command[-1] = str(tmp_path / "other")
    run = subprocess.run(
        command, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=120
    )
    assert run.returncode == 2 and "could not be downloaded" in run.stderr  # nobody is there
