"""Modules, initialisers, optimizers, data."""

import gc
import math
import weakref

import numpy as np
import pytest

import minigrad as mg
from minigrad import nn
from minigrad.apps.fast import FastGPT, FastGPTConfig
from minigrad.apps.fast_training import BatchedMuon, FastTrainer
from minigrad.apps.playground import Service
from minigrad.apps.sampler import Sampler
from minigrad.bpe import BPETokenizer
from minigrad.chat import Chat, ChatTokenizer
from minigrad.data import CharTokenizer, DataLoader, Dataset, TextDataset
from minigrad.gpt2_shakespeare import GPT2, GPT2Config, Trainer, sample
from minigrad.llama import Llama, LlamaConfig
from minigrad.lora import LoRA
from minigrad.optim import SGD, AdamW, Muon, clip_grad_norm_, warmup_cosine

# --- Modules ---


class Nested(nn.Module):
    def __init__(self):
        self.first = nn.Linear(3, 4)
        self.listed = [nn.Linear(4, 4), nn.LayerNorm(4)]
        self.named = {"a": nn.Dropout(0.5), "b": nn.Linear(4, 2, bias=False)}
        self.tied = self.listed[0].weight


def test_parameters_are_found_in_attributes_lists_and_dictionaries():
    names = [name for name, _ in Nested().named_parameters()]
    assert names == [
        "first.weight",
        "first.bias",
        "listed.0.weight",
        "listed.0.bias",
        "listed.1.weight",
        "listed.1.bias",
        "named.b.weight",
    ]


def test_tied_weights_count_once():
    model = nn.Sequential(nn.Embedding(5, 3), nn.Linear(3, 5, bias=False))
    model[1].weight = model[0].weight
    assert model.num_parameters() == 15 and list(model.state_dict()) == ["0.weight"]


def test_state_round_trip_copies():
    mg.manual_seed(1)
    a, b = Nested(), Nested()
    state = a.state_dict()
    b.load_state_dict(state)
    state["first.bias"][:] = 7
    assert all(
        np.array_equal(p.data, q.data) for p, q in zip(a.parameters(), b.parameters(), strict=True)
    )
    assert not np.shares_memory(a.first.bias.data, b.first.bias.data)


@pytest.mark.parametrize(
    "change, message",
    [
        (lambda s: s.pop("first.bias"), "first.bias is missing"),
        (lambda s: s.update(extra=np.ones(1)), "extra is unknown"),
        (
            lambda s: s.update({"first.bias": np.ones(5)}),
            r"first.bias has shape \(5,\), not \(4,\)",
        ),
        (
            lambda s: s.update({"named.b.weight": np.full((2, 4), "x")}),
            "named.b.weight holds <U1, not float32",
        ),
    ],
)
def test_a_state_that_does_not_fit_is_refused_whole(change, message):
    model = Nested()
    state = {name: array + 1 for name, array in model.state_dict().items()}
    before = model.state_dict()
    change(state)
    with pytest.raises(ValueError, match=message):
        model.load_state_dict(state)
    assert all(np.array_equal(before[n], p.data) for n, p in model.named_parameters())


def test_train_and_eval_reach_every_child():
    model = Nested()
    model.eval()
    assert not any(m.training for m in model.modules())
    model.train()
    assert all(m.training for m in model.modules())


def test_dropout_rescales_in_training_and_does_nothing_in_eval():
    layer, x = nn.Dropout(0.25), mg.ones(200, 200)
    mg.manual_seed(0)
    y = layer(x).data
    assert set(np.unique(y)) == {0.0, np.float32(1 / 0.75)}
    assert (y == 0).mean() == pytest.approx(0.25, abs=0.02)
    assert layer.eval()(x) is x
    for p in (1.0, -0.1, 2):
        with pytest.raises(ValueError, match=r"Dropout: p must be at least 0 and below 1"):
            nn.Dropout(p)


def test_printing_shows_the_tree_with_shapes_and_counts():
    text = repr(nn.Sequential(nn.Linear(2, 3), nn.GELU()))
    assert text.splitlines() == [
        "Sequential()  9 parameters",
        "  0: Linear(weight (3, 2), bias (3,))  9 parameters",
        "  1: GELU()",
    ]


def test_sequential_is_iterable_and_indexable():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    assert len(model) == 3 and [type(m).__name__ for m in model] == ["Linear", "ReLU", "Linear"]
    assert model[-1] is list(model)[2] and len(model[:2]) == 2


@pytest.mark.parametrize(
    "name, std",
    [
        ("xavier_uniform_", math.sqrt(2 / 500)),
        ("xavier_normal_", math.sqrt(2 / 500)),
        ("kaiming_uniform_", math.sqrt(2 / 300)),
        ("kaiming_normal_", math.sqrt(2 / 300)),
    ],
)
def test_initialisers_have_their_standard_deviation(name, std):
    parameter = nn.Parameter(np.empty((200, 300)))
    data = parameter.data
    getattr(nn.init, name)(parameter, generator=np.random.default_rng(0))
    assert parameter.data is data and data.std() == pytest.approx(std, rel=0.02)


# --- Parts of a module ---


class Named(nn.Sequential):
    pass


class ModuleAndList(nn.Module, list):
    pass


class ModuleAndDict(nn.Module, dict):
    pass


def container(kind):
    """A container of that class with a layer inside, in a module."""
    layer, holder = nn.Linear(1, 1), nn.Module()
    holder.part = kind(layer) if issubclass(kind, nn.Sequential) else kind()
    if isinstance(holder.part, dict):
        holder.part["0"] = layer
    elif isinstance(holder.part, list):
        holder.part.append(layer)
    return holder


class OwnList(list):
    pass


class OwnDict(dict):
    pass


@pytest.mark.parametrize(
    "kind", [nn.Sequential, Named, ModuleAndList, ModuleAndDict, OwnList, OwnDict]
)
def test_a_container_keeps_parts_of_its_own(kind):
    holder = container(kind)
    plain = ["part.0.weight", "part.0.bias"]
    assert list(holder.state_dict()) == plain
    holder.part.scale = nn.Parameter([1.0])
    holder.part.more = [nn.Linear(1, 1, bias=False)]
    assert set(holder.state_dict()) == {*plain, "part.scale", "part.more.0.weight"}
    assert any(p is holder.part.scale for p in holder.parameters())
    other = container(kind)
    other.part.scale = nn.Parameter([5.0])
    other.part.more = [nn.Linear(1, 1, bias=False)]
    other.load_state_dict(holder.state_dict())
    assert other.part.scale.data[0] == 1


def test_buffers_are_saved_and_not_learned():
    model = nn.Sequential(nn.Linear(2, 2))
    model.mean = nn.Buffer(np.array([1, 2]))
    model[0].table = nn.Buffer([0.5])
    assert list(model.state_dict()) == ["0.weight", "0.bias", "0.table", "mean"]
    assert [name for name, _ in model.named_buffers()] == ["0.table", "mean"]
    assert model.num_parameters() == 6 and len(model.parameters()) == 2
    assert not any(buffer.requires_grad for buffer in model.buffers())
    state = model.state_dict() | {"mean": np.array([3, 4])}
    mean = model.mean
    model.load_state_dict(state)
    assert model.mean is mean and mean.tolist() == [3, 4]
    with pytest.raises(ValueError, match="mean holds float64, not int64"):
        model.load_state_dict(state | {"mean": np.array([0.5, 1])})
    assert mean.tolist() == [3, 4]


def test_two_tensors_of_one_name_are_not_saved_as_one():
    model = nn.Module()
    model.parts = {1: nn.Parameter([1.0]), "1": nn.Parameter([2.0])}
    with pytest.raises(ValueError, match="two tensors of one name: .*parts.1"):
        model.state_dict()


def test_a_module_inside_itself_and_a_list_inside_itself():
    model = nn.Module()
    model.weight, model.me, model.parts = nn.Parameter([1.0]), model, [model]
    model.parts.append(model.parts)
    assert list(model.state_dict()) == ["weight"]


WALKS = (
    "parameters named_parameters buffers named_buffers modules children state_dict train eval "
    "zero_grad num_parameters __repr__ _walk"
).split()


@pytest.mark.parametrize("what", WALKS + ["load_state_dict", "a state that does not fit", "a step"])
def test_a_model_is_freed_at_once(what):
    """No method leaves a reference cycle, which would keep a model until the next collection."""
    gc.collect()
    gc.disable()
    try:
        model = nn.Sequential(nn.Linear(3, 3), nn.LayerNorm(3), nn.Dropout(0.5))
        weight = weakref.ref(model[0].weight)
        if what in WALKS:
            getattr(model, what)()
        elif what == "load_state_dict":
            model.load_state_dict(model.state_dict())
        elif what == "a step":
            loss = nn.cross_entropy_loss(model(mg.ones(2, 3)), [0, 1])
            loss.backward()
            del loss
        else:
            with pytest.raises(ValueError, match="is missing") as info:
                model.load_state_dict({})
            del info
        del model
        assert weight() is None
    finally:
        gc.enable()


def test_layer_norm_as_a_module():
    x = mg.array(np.arange(24.0).reshape(2, 3, 4))
    both = nn.LayerNorm((3, 4))
    assert both.weight.shape == both.bias.shape == (3, 4)
    assert np.allclose(both(x).data, mg.layer_norm(x, normalized_shape=(3, 4)).data)
    bare = nn.LayerNorm((3, 4), elementwise_affine=False)
    assert bare.parameters() == [] and np.allclose(bare(x).data, both(x).data)
    assert [n for n, _ in nn.LayerNorm(4, bias=False).named_parameters()] == ["weight"]
    assert np.allclose(nn.LayerNorm(4)(x).data, mg.layer_norm(x).data)


# --- Optimizers ---


def quadratic(p):
    return (p * p).sum() * 0.5


def test_adamw_first_step_is_the_learning_rate_in_size():
    p = nn.Parameter(np.array([3.0, -2.0]))
    optimizer = AdamW([p], lr=0.1, weight_decay=0.0)
    quadratic(p).backward()
    optimizer.step()
    assert np.allclose(p.data, [2.9, -1.9], atol=1e-6)


def test_weight_decay_is_decoupled_and_by_group():
    a, b = nn.Parameter(np.array([1.0])), nn.Parameter(np.array([1.0]))
    optimizer = AdamW(
        [{"params": [a], "weight_decay": 0.5}, {"params": [b]}], lr=0.1, weight_decay=0
    )
    a.grad, b.grad = np.zeros(1), np.zeros(1)
    optimizer.step()
    assert a.data[0] == pytest.approx(0.95) and b.data[0] == 1.0


@pytest.mark.parametrize("kind, options", [(SGD, {"momentum": 0.9}), (AdamW, {})])
def test_an_optimizer_resumed_goes_on_the_same(kind, options):
    def run(steps, state=None, start=(3.0, -2.0)):
        p = nn.Parameter(np.array(start))
        optimizer = kind([p], lr=0.1, **options)
        if state:
            optimizer.load_state_dict(state)
        for _ in range(steps):
            optimizer.zero_grad()
            quadratic(p).backward()
            optimizer.step()
        return p.data, optimizer.state_dict()

    whole, _ = run(10)
    half, state = run(5)
    rest, _ = run(5, state, half)
    assert np.array_equal(whole, rest)


def test_an_optimizer_state_that_does_not_fit_is_refused():
    optimizer = AdamW([nn.Parameter(np.ones(2))])
    before = optimizer.state_dict()
    with pytest.raises(ValueError, match=r"AdamW: exp_avg.0 has shape \(3,\), not \(2,\)"):
        optimizer.load_state_dict({**before, "exp_avg.0": np.ones(3)})
    with pytest.raises(ValueError, match="no parameters"):
        AdamW([])
    with pytest.raises(ValueError, match="SGD: lr must be at least 0"):
        SGD([nn.Parameter(np.ones(2))], lr=-1)
    with pytest.raises(ValueError, match="given twice"):
        p = nn.Parameter(np.ones(2))
        SGD([p, p])
    with pytest.raises(ValueError, match="unknown options"):
        SGD([{"params": [nn.Parameter(np.ones(2))], "weigth_decay": 1}])


def test_clipping_scales_all_gradients_together():
    a, b = nn.Parameter(np.ones(1)), nn.Parameter(np.ones((1, 1)))
    a.grad, b.grad = np.array([3.0]), np.array([[4.0]])
    assert clip_grad_norm_([a, b], 1.0) == pytest.approx(5.0)
    assert a.grad[0] == pytest.approx(0.6) and b.grad[0, 0] == pytest.approx(0.8)
    assert clip_grad_norm_([a, b], 2.0) == pytest.approx(1.0)
    assert a.grad[0] == pytest.approx(0.6)


def test_schedule_warms_up_and_falls_along_a_cosine():
    rates = [warmup_cosine(step, 10, 110, 1.0, 0.1) for step in range(120)]
    assert rates[0] == pytest.approx(0.1) and rates[9] == rates[10] == pytest.approx(1.0)
    assert rates[60] == pytest.approx(0.55) and rates[110] == rates[119] == 0.1
    assert all(x >= y for x, y in zip(rates[10:], rates[11:], strict=False))


# --- Data ---


def test_tokenizer_round_trip_and_file(tmp_path):
    text = "two\nlines, an é and a 🙂"
    tokenizer = CharTokenizer(text)
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.vocab_size == len(set(text))
    tokenizer.save(tmp_path / "tokenizer.json")
    assert CharTokenizer.load(tmp_path / "tokenizer.json").vocabulary == tokenizer.vocabulary


def test_tokenizer_names_the_character_it_has_never_seen():
    with pytest.raises(ValueError, match=r"the character 'z' \(position 2\) is not in"):
        CharTokenizer("ab").encode("abz")
    with pytest.raises(ValueError, match="0 … 1"):
        CharTokenizer("ab").decode([0, 2])
    with pytest.raises(ValueError, match="empty"):
        CharTokenizer("")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"vocabulary": "ba"}', '{"vocabulary": 3}'])
def test_a_damaged_tokenizer_file_is_refused(tmp_path, content):
    path = tmp_path / "tokenizer.json"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match="tokenizer.json"):
        CharTokenizer.load(path)


def test_targets_are_the_inputs_one_token_later():
    data = TextDataset(np.arange(10), 4)
    assert len(data) == 6
    for inputs, targets in (data[0], data[5], data[np.array([1, 2])]):
        assert np.array_equal(inputs[..., 1:], targets[..., :-1])
        assert np.array_equal(targets, inputs + 1)
    with pytest.raises(IndexError, match="there are 6 windows"):
        data[6]
    with pytest.raises(ValueError, match="4 tokens are too few for a context of 4"):
        TextDataset(np.arange(4), 4)


def test_the_loader_visits_every_item_once():
    class Numbers(Dataset):
        def __len__(self):
            return 10

        def __getitem__(self, index):
            return (np.int64(index),)

    def seen(**options):
        return [x.tolist() for (x,) in DataLoader(Numbers(), batch_size=4, **options)]

    assert seen() == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert seen(drop_last=True) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    shuffled = seen(shuffle=True)
    assert sorted(x for batch in shuffled for x in batch) == list(range(10)) and shuffled != seen()
    assert len(DataLoader(Numbers(), 4)) == 3 and len(DataLoader(Numbers(), 4, drop_last=True)) == 2


def test_the_plays_are_plain_text():
    text = mg.load_shakespeare()
    assert 4_500_000 < len(text) < 5_200_000 and text.isascii()
    assert not set(text) & set("#*_\\[]<>") and "\n\n\n" not in text
    assert text.startswith("THESEUS:\n") and "\n\nHAMLET:\n" in text
    assert "Exeunt" not in text and "SCENE" not in text and "--" in text


def test_a_text_of_ones_own(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes("\ufeffone\r\ntwo é".encode())
    assert mg.load_text(path) == "one\ntwo é"
    with pytest.raises(FileNotFoundError, match="missing.txt cannot be read"):
        mg.load_text(tmp_path / "missing.txt")
    with pytest.raises(OSError, match="cannot be read"):
        mg.load_text(tmp_path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="is not UTF-8 text"):
        mg.load_text(path)
    path.write_bytes(b"")
    with pytest.raises(ValueError, match="is empty"):
        mg.load_text(path)
    path.write_bytes(b"a\0b")
    with pytest.raises(ValueError, match="zero bytes"):
        mg.load_text(path)


def test_random_numbers_repeat_with_their_seed():
    def draw():
        mg.manual_seed(3)
        r = mg.random
        return [
            r.rand(2, 3),
            r.randn(2),
            r.randint(0, 9, (2, 2)),
            r.uniform(1, 2, (3,)),
            r.normal(5, 0.1, (3,)),
            r.randperm(5),
        ]

    first, second = draw(), draw()
    assert all(np.array_equal(a.data, b.data) for a, b in zip(first, second, strict=True))
    assert [x.shape for x in first] == [(2, 3), (2,), (2, 2), (3,), (3,), (5,)]
    assert first[0].dtype == np.float32 and first[2].dtype == np.int64


# --- Kinds of faults that were reported ---


def test_a_container_of_any_kind_keeps_its_own_parts():
    class Net(nn.Sequential):
        pass

    class Named(dict):
        pass

    net = Net(nn.Linear(2, 2))
    net.scale = nn.Parameter([1.0])
    net.extra = Named(a=nn.Parameter([2.0]))
    net.extra.b = nn.Parameter([3.0])
    names = [name for name, _ in net.named_parameters()]
    assert names == ["0.weight", "0.bias", "scale", "extra.a", "extra.b"]
    assert set(net.state_dict()) == set(names)


def test_the_names_of_a_plain_sequential_stay():
    assert list(nn.Sequential(nn.Linear(2, 2, bias=False)).state_dict()) == ["0.weight"]


@pytest.mark.parametrize(
    "method",
    sorted(
        "parameters named_parameters buffers named_buffers modules children num_parameters zero_grad "
        "train eval state_dict __repr__".split()
    ),
)
def test_a_model_is_freed_at_once_after_any_method(method):
    gc.collect()
    gc.disable()
    try:
        model = nn.Sequential(nn.Linear(8, 8), nn.LayerNorm(8))
        gone = weakref.ref(model[0].weight)
        getattr(model, method)()
        model.load_state_dict(model.state_dict())
        del model
        assert gone() is None
    finally:
        gc.enable()


PAIRS = ["<|im_start|>", "<|im_end|>"]
TALKS = (
    Llama(LlamaConfig(262, 64, 1, 2, 1, 8, 8)),
    ChatTokenizer.train("user assistant", 262, PAIRS),
)
SIZES = {"context_size": 8, "num_blocks": 1, "num_heads": 2, "embedding_dim": 8, "vocab_size": 5}
WINDOWS = TextDataset([0, 1, 2, 3, 4] * 5, 8)


def _service():
    service = Service({"a": mg.load_pretrained})
    service.next(service.begin("AB", {"temperature": 1}), 2)
    service.look("AB", {"temperature": 1})
    return service


def _trained(trainer):
    trainer.step()
    trainer.model.attention(np.array([[1, 2]]))
    sample(trainer.model, [[1]], 3)
    return trainer


def _stepped(optimizer):
    for p in optimizer.parameters:
        p.grad = np.ones(p.shape, np.float32)
    optimizer.step()
    optimizer.load_state_dict(optimizer.state_dict())
    return optimizer


def _said(chat):
    list(chat.say("a"))
    next(chat.say("b"), None)  # left before its end
    return chat


FREED = {
    "GPT2": lambda: _trained(Trainer(GPT2(GPT2Config(**SIZES)), WINDOWS)),
    "FastGPT": lambda: _trained(FastTrainer(FastGPT(FastGPTConfig(**SIZES)), WINDOWS)),
    "BPETokenizer": lambda: BPETokenizer.train("abab", 258),
    "ChatTokenizer": lambda: ChatTokenizer.train("user assistant", 262, PAIRS),
    "LoRA": lambda: LoRA(nn.Linear(3, 2)),
    "Chat": lambda: _said(Chat(*TALKS, "", max_new_tokens=2)),
    "Service": _service,
    "Sampler": lambda: Sampler(*mg.load_pretrained()),
    **{
        kind.__name__: lambda kind=kind: _stepped(kind([nn.Parameter(np.ones((2, 2)))], lr=0.1))
        for kind in (SGD, AdamW, Muon, BatchedMuon)
    },
}


@pytest.mark.parametrize("what", FREED)
def test_whatever_holds_arrays_is_freed_at_once(what):
    gc.collect()
    gc.disable()
    try:
        made = FREED[what]()
        gone = weakref.ref(made)
        if hasattr(made, "encode"):
            assert made.encode("abba").size
        del made
        assert gone() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_equal_numbers_are_normalised_to_zero(dtype):
    for value in (1e4, 1 / 3, 1e-3, 123456.7):
        x = mg.array(np.full((2, 7), value, dtype))
        assert np.all(mg.layer_norm(x, mg.array(np.ones(7, dtype))).data == 0)


def test_layer_norm_far_from_zero_is_as_close_as_float32_allows():
    x = (np.random.default_rng(0).standard_normal((64, 288)) + 1000).astype(np.float32)
    exact = x.astype(np.float64)
    exact = (exact - exact.mean(1, keepdims=True)) / np.sqrt(exact.var(1, keepdims=True) + 1e-5)
    assert np.abs(mg.layer_norm(mg.array(x)).data - exact).max() < 1e-5


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("x", [-17.0, -20.0, -80.0, 0.0, 20.0])
def test_tails_keep_their_digits(x, dtype):
    exact = 1 / (1 + math.exp(-x)) if x > -700 else 0.0
    t = mg.array(np.array([x], dtype), requires_grad=True)
    assert mg.sigmoid(t).data[0] == pytest.approx(exact, rel=1e-6)
    mg.softplus(t).sum().backward()
    assert t.grad[0] == pytest.approx(exact, rel=1e-6)
    assert mg.sigmoid(t).log().data[0] == pytest.approx(
        -math.log1p(math.exp(-x)), rel=1e-5, abs=1e-7
    )
    t.grad = None
    mg.sigmoid(t).sum().backward()
    assert t.grad[0] == pytest.approx(exact / (1 + math.exp(x)), rel=1e-5)


@pytest.mark.parametrize("x", [-1e30, -3e38, -100.0, 100.0, 3e38])
def test_gelu_is_finite_far_out(x):
    t = mg.array([x], requires_grad=True)
    value = mg.gelu(t)
    value.sum().backward()
    assert value.data[0] == (max(x, 0) if abs(x) >= 100 else value.data[0])
    assert t.grad[0] == (1 if x > 0 else 0)


def test_small_integers_do_not_wrap_around():
    low, high = mg.array(np.uint8([0])), mg.array(np.uint8([200]))
    assert mg.mse_loss(low, high).item() == 40000
    assert mg.softmax(mg.array(np.int8([100, 100]))).tolist() == [0.5, 0.5]
    assert mg.layer_norm(mg.array(np.int8([-100, 100]))).data == pytest.approx([-1, 1], rel=1e-4)
    assert mg.relu(mg.array(np.int8([-128]))).tolist() == [0.0]


def test_losses_reduce_as_asked_and_ignore_what_is_to_be_ignored():
    logits = mg.array([[2.0, 0.0], [0.0, 0.0], [1.0, 1.0]], requires_grad=True)
    targets = np.array([0, -100, 1])
    each = mg.cross_entropy_loss(logits, targets, reduction="none")
    assert each.data == pytest.approx([math.log1p(math.exp(-2)), 0, math.log(2)], rel=1e-5)
    total = mg.cross_entropy_loss(logits, targets, reduction="sum").item()
    mean = mg.cross_entropy_loss(logits, targets)
    assert mean.item() == pytest.approx(total / 2)
    mean.backward()
    assert np.all(logits.grad[1] == 0)
    with pytest.raises(ValueError, match="reduction is"):
        mg.mse_loss(logits, logits, reduction="median")


def test_a_buffer_is_saved_and_not_learned():
    class Average(nn.Module):
        def __init__(self):
            self.mean = nn.Buffer(np.zeros(3, np.float32))
            self.scale = nn.Parameter(np.ones(3, np.float32))

    model = Average()
    assert [name for name, _ in model.named_parameters()] == ["scale"]
    assert [name for name, _ in model.named_buffers()] == ["mean"]
    state = model.state_dict()
    state["mean"] += 5
    model.load_state_dict(state)
    assert model.mean.tolist() == [5, 5, 5]
