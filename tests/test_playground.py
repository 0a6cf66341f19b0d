"""The playground, driven through Chromium where it lives: a page, JupyterLab, Notebook 7.

The view is the same everywhere; behind it are two engines, JavaScript on the page and NumPy in the
notebooks, whose numbers must agree.
"""

import base64
import importlib.util
import json
import random
import re
import urllib.parse
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

import minigrad as mg
from maintain import browser
from minigrad.apps import publish, web
from minigrad.apps.bridge import answer
from minigrad.apps.ensemble import Ensemble, EnsembleConfig
from minigrad.apps.fast import FastGPT, FastGPTConfig
from minigrad.apps.files import read_arrays
from minigrad.apps.playground import Service, models_of, playground
from minigrad.apps.pretrained import PATH, load_pretrained, save_pretrained
from minigrad.apps.sampler import Sampler
from minigrad.data import CharTokenizer
from minigrad.gpt2_shakespeare import GPT2, GPT2Config

in_a_browser = [
    pytest.mark.skipif(
        importlib.util.find_spec("playwright") is None,
        reason="Playwright is not installed: the extra `browser` has it",
    ),
    pytest.mark.skipif(browser.CHROMIUM is None, reason="Chromium is not installed"),
]
SETTINGS = {"temperature": 0.8, "topK": None, "topP": None, "seed": 3}


@pytest.fixture(scope="module")
def service():
    return Service({"shipped": mg.load_pretrained})


@pytest.fixture(scope="module")
def sampler():
    return Sampler(*mg.load_pretrained())


# --- The service behind a notebook's view ---


def test_the_service_writes_what_the_sampler_writes(service, sampler):
    sampler.set(prompt="JULIET:\n", length=300, seed=11, temperature=0.9, top_k=30, top_p=0.9)
    settings = {"temperature": 0.9, "topK": 30, "topP": 0.9, "seed": 11}
    session, written = service.begin("JULIET:\n", settings), []
    while len(written) < 300:
        written += service.next(session, 300 - len(written))
    assert "JULIET:\n" + "".join(step["character"] for step in written) == sampler.generate()
    assert [step["bits"] for step in written] == sampler.writing.bits
    assert [step["start"] for step in written] == sampler.writing.starts


def test_a_look_has_the_distributions_the_lens_and_every_head(service):
    look = service.look("ROMEO:\nWhat light through yonder", SETTINGS)
    c = service.model.config
    assert look["before"].sum() == pytest.approx(1) and look["after"].sum() == pytest.approx(1)
    assert len(look["lens"]) == c.num_blocks + 1
    assert look["lens"][-1] == pytest.approx(look["before"], abs=1e-6)
    heads = service.info["config"]["num_heads"]
    maps = look["maps"].reshape(c.num_blocks, heads, look["size"], look["size"])
    assert maps.sum(-1) == pytest.approx(np.ones(maps.shape[:-1]), abs=1e-5)


def test_a_silent_head_changes_the_guess_and_the_model_stays(service):
    before = service.model.state_dict()
    plain = service.look("ROMEO:\nWhat", SETTINGS)["before"]
    silent = service.look("ROMEO:\nWhat", SETTINGS, [0, 1])["before"]
    assert np.abs(plain - silent).max() > 1e-4
    for name, value in service.model.state_dict().items():
        assert np.array_equal(value, before[name]), name
    assert service.look("ROMEO:\nWhat", SETTINGS)["before"] == pytest.approx(plain)


def test_a_model_of_the_fast_recipe_can_be_looked_into():
    model = small_model(FastGPT, FastGPTConfig, {"zero_init": False})
    tokens = np.array([[1, 2, 3, 0, 4, 2]])
    maps = model.attention(tokens)
    assert maps.shape == (2, 1, 2, 6, 6)
    assert maps.sum(-1) == pytest.approx(np.ones((2, 1, 2, 6)), abs=1e-6)
    assert np.triu(maps, k=1).max() == 0
    service = Service({"fast": lambda: (model, CharTokenizer("abc \n"))})
    look = service.look("ab c\nb", SETTINGS)
    encoded = service.tokenizer.encode("ab c\nb")[None, :]
    assert look["maps"].reshape(maps.shape) == pytest.approx(model.attention(encoded))
    assert look["lens"][-1] == pytest.approx(look["before"], abs=1e-6)
    # The map is what attention does: the values, weighted by it, are its result.
    attn, x = model.blocks[0].attn, model.blocks[0].ln1(model.embedded(encoded))
    values = attn.in_proj(x).data[..., 32:].reshape(1, 6, 2, 8).transpose(0, 2, 1, 3)
    mixed = (attn.weights(x) @ values).transpose(0, 2, 1, 3).reshape(1, 6, 16)
    assert attn.out_proj(mg.array(mixed)).data == pytest.approx(attn(x).data, abs=1e-6)


@pytest.mark.parametrize(
    ("method", "parameters", "words"),
    [
        ("begin", ["", SETTINGS], "empty"),
        ("begin", ["caffè", SETTINGS], "never seen 'è'"),
        ("begin", ["A", SETTINGS | {"temperature": -1}], "Temperature"),
        ("next", [10**6, 1], "generate it again"),
        ("choose", ["another"], "there is no model"),
        ("__init__", [{}], "there is no method"),
    ],
)
def test_the_service_answers_mistakes_in_words(service, method, parameters, words):
    reply, buffers = answer(service, {"id": 7, "method": method, "parameters": parameters})
    assert reply["id"] == 7 and words in reply["error"] and buffers == []


def test_models_of_a_run_that_is_none(tmp_path):
    with pytest.raises(ValueError, match="holds no checkpoint"):
        models_of(tmp_path)


def test_the_widget_shows_its_model_without_an_address():
    pytest.importorskip("anywidget")
    shown = playground()
    assert shown.info["name"] == "the shipped model"
    assert "0x" not in repr(shown)


# --- The page ---


def test_a_page_asks_nobody_for_anything():
    page = publish.page()
    scripts = page[page.index('<script type="module">') :]
    assert "import " not in re.sub(r"//.*", "", scripts)
    assert not re.search(r"""(src|href)\s*=\s*["']""", page)
    assert "http" not in re.sub(
        r'"http-equiv', "", page[: page.index("data-model=")].replace("http-equiv", "")
    )


@pytest.mark.parametrize("what", ["missing.safetensors", "empty", "text.txt"])
def test_what_is_no_model_makes_no_page(tmp_path, what, capsys):
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.txt").write_text("To be", encoding="utf-8")
    out = tmp_path / "page.html"
    assert publish.main([str(tmp_path / what), "--out", str(out)]) == 2
    assert "Nothing written" in capsys.readouterr().err and not out.exists()


def test_a_damaged_run_is_named_once(run, tmp_path, capsys):
    whole = sorted(run.glob("*.safetensors"))[-1]
    (tmp_path / whole.name).write_bytes(whole.read_bytes()[:-100])
    assert publish.main([str(tmp_path), "--out", str(tmp_path / "page.html")]) == 2
    assert capsys.readouterr().err.count(f"{whole.name} is damaged") == 1


def test_the_card_of_a_run_says_how_it_was_trained(run, tmp_path):
    description = read_arrays(sorted(run.glob("*.safetensors"))[-1])[1]
    steps, recipe = description["progress"]["steps"], description["training"]
    for options in ({}, {"stages": True}):
        card = publish.page(run, **options).partition("About this model")[2][:400]
        assert f"of {recipe['num_steps']:,} steps of {recipe['batch_size']} texts" in card
        assert "characters" in card and "held-out" in card
    assert f"trained for {steps:,} of" in card
    save_pretrained(tmp_path / "m.safetensors", *mg.load_pretrained())
    assert "trained for" not in publish.page(tmp_path / "m.safetensors")


def test_a_page_is_never_written_over_a_checkpoint(run, capsys):
    whole = sorted(run.glob("*.safetensors"))[-1]
    before = whole.read_bytes()
    with pytest.raises(SystemExit):
        publish.main([str(whole), "--out", str(whole)])
    assert "must end in .html" in capsys.readouterr().err and whole.read_bytes() == before


def test_a_page_says_what_a_model_has_that_lesson_8_s_has_not(tmp_path):
    model = small_model(FastGPT, FastGPTConfig, {"rms_norm": False})
    save_pretrained(tmp_path / "m.safetensors", model, CharTokenizer("abc \n"))
    words = publish.page(tmp_path / "m.safetensors").partition('<div id="playground">')[0]
    assert "rotary positions, queries and keys" in words and "RMS norm" not in words


# --- In a browser ---

HARNESS = """<!DOCTYPE html><meta charset="utf-8"><title>engine</title>
<script type="text/plain" id="model">{model}</script><script type="module">{script}
const bytes = Uint8Array.from(
    atob(document.getElementById("model").textContent), (c) => c.charCodeAt(0)).buffer;
const opened = async (data) => {{
    const source = new PageSource({{ m: () => new Uint8Array(data).buffer }});
    await source.choose("m");
    return source;
}};
const reads = async (run) => {{ // how many tokens are read while it runs
    const {{ read }} = Reader.prototype;
    let count = 0;
    Reader.prototype.read = function (token) {{ count++; return read.call(this, token); }};
    try {{ await run(); }} finally {{ Reader.prototype.read = read; }}
    return count;
}};
Object.assign(window, {{ bytes, readModel, Reader, generate, numpyRandom, opened, reads }});
</script>"""


@pytest.fixture(scope="module")
def context():
    with browser.chromium(width=1228) as context:
        context.set_default_timeout(30 * browser.SECONDS)
        yield context


@pytest.fixture(scope="module")
def engine(context, tmp_path_factory):
    path = tmp_path_factory.mktemp("engine") / "engine.html"
    model = base64.b64encode(PATH.read_bytes()).decode("ascii")
    path.write_text(HARNESS.format(model=model, script=web.joined(web.PAGE)), encoding="utf-8")
    page = context.new_page()
    page.goto(path.as_uri())
    page.wait_for_function("() => window.bytes")
    yield page
    page.close()


SIZES = {"context_size": 8, "num_blocks": 2, "num_heads": 2, "embedding_dim": 16, "vocab_size": 5}
OTHER_MODELS = [
    (GPT2, GPT2Config, {}),
    (GPT2, GPT2Config, {"bias": True, "tie_weights": True}),
    (FastGPT, FastGPTConfig, {"zero_init": False}),
    (FastGPT, FastGPTConfig, {"zero_init": False, "bigram_dim": 0}),
    *(
        (FastGPT, FastGPTConfig, {"zero_init": False, part: False})
        for part in ("rotary", "rms_norm", "qk_norm", "squared_relu", "token_shift")
    ),
    (Ensemble, EnsembleConfig, {"zero_init": False}),
    (Ensemble, EnsembleConfig, {"num_models": 3, "rotary": False, "token_shift": False}),
]


def small_model(kind, config, options):
    mg.manual_seed(0)
    return kind(config(**SIZES | options)).eval()


class TestEngine:
    pytestmark = in_a_browser

    def test_random_numbers_are_numpys(self, engine):
        for seed in (0, 1, 42, 2**32, 2**53):
            js = "seed => { const r = numpyRandom(seed); return Array.from({ length: 5 }, r); }"
            found = engine.evaluate(js, seed)
            assert found == np.random.default_rng(seed).random(5).tolist()

    def test_logits_are_numpys(self, engine, sampler):
        text = "ROMEO:\nBut soft, what light through yonder window breaks?"
        js = """text => { const { model, tokenizer } = readModel(bytes);
            return Array.from(model.reader().next(...tokenizer.encode(text))); }"""
        tokens = sampler.tokenizer.encode(text)[None, :].astype(np.int64)
        ours = sampler.model(tokens).data[0, -1]
        assert engine.evaluate(js, text) == pytest.approx(ours, abs=1e-3)

    @pytest.mark.parametrize(
        "settings", [{"temperature": 0}, {"temperature": 0.8, "topK": 20, "topP": 0.9}]
    )
    def test_the_text_is_numpys_to_the_character(self, engine, sampler, settings):
        """Past a full context, too, and with temperature, top-k and top-p."""
        js = """settings => { const { model, tokenizer } = readModel(bytes); let text = "";
            const steps = generate(model, tokenizer.encode("ROMEO:\\n"), numpyRandom(5), settings);
            while (text.length < 400) text += tokenizer.characters[steps.next().value.token];
            return text; }"""
        names = {"temperature": "temperature", "topK": "top_k", "topP": "top_p"}
        ours = {name: settings.get(theirs) for theirs, name in names.items()}
        sampler.set(prompt="ROMEO:\n", length=400, seed=5, **ours)
        assert engine.evaluate(js, settings) == sampler.generate()[len("ROMEO:\n") :]

    @pytest.mark.parametrize("kind, config, options", OTHER_MODELS)
    def test_other_models_too(self, engine, tmp_path, kind, config, options):
        tokenizer, model = CharTokenizer("abc \n"), small_model(kind, config, options)
        for parameter in model.parameters():
            parameter.data[...] = parameter.data.astype(np.float16)
            parameter.data += np.float32(0.25)
        save_pretrained(tmp_path / "m.safetensors", model, tokenizer)
        data = list((tmp_path / "m.safetensors").read_bytes())
        js = """data => { const { model } = readModel(new Uint8Array(data).buffer);
            return Array.from(model.reader().next(1, 2, 3, 0)); }"""
        ours = load_pretrained(tmp_path / "m.safetensors")[0]
        expected = ours(np.array([[1, 2, 3, 0]])).data[0, -1]
        assert engine.evaluate(js, data) == pytest.approx(expected, abs=1e-3)

    def test_a_look_reads_what_is_new_and_finds_what_a_first_look_finds(self, engine, tmp_path):
        """On: arrow keys move by one character, and a slider changes the settings alone."""
        model = small_model(FastGPT, FastGPTConfig, {"context_size": 128, "zero_init": False})
        save_pretrained(tmp_path / "m.safetensors", model, CharTokenizer("abc \n"))
        text = "".join(random.Random(0).choices("abc \n", k=101))
        cold = SETTINGS | {"temperature": 0.1}
        looks = [  # text, settings, the head that is off, how many characters are read
            (text[:100], SETTINGS, None, 100),
            (text[:100], cold, None, 0),
            (text[:100], SETTINGS, [0, 1], 100),
            (text[:100], cold, [0, 1], 0),
            (text[:100], SETTINGS, None, 100),
            (text[:99], SETTINGS, None, 48),
            (text, SETTINGS, None, 48),
            (text[:60] + text[61:], SETTINGS, None, 48),
            (text[:20] + text[21:], SETTINGS, None, 80),
            (text[:7], SETTINGS, None, 7),
            (text * 2, SETTINGS, None, 128),
        ]
        js = """async ([data, looks]) => {
            const source = await opened(data), found = [];
            for (const look of looks) {
                const first = await (await opened(data)).look(...look);
                const count = await reads(async () => { look.now = await source.look(...look); });
                found.push([JSON.stringify(look.now) === JSON.stringify(first), count]);
            }
            return found; }"""
        data = list((tmp_path / "m.safetensors").read_bytes())
        found = engine.evaluate(js, [data, [look[:3] for look in looks]])
        assert found == [[True, look[3]] for look in looks]

    @pytest.mark.parametrize("length", [1, 2, 30, 128, 129, 200])
    def test_a_prompt_is_read_once(self, engine, tmp_path, length):
        """For its surprise and for the text behind it; a second text of it reads it again."""
        model = small_model(FastGPT, FastGPTConfig, {"context_size": 128, "zero_init": False})
        save_pretrained(tmp_path / "m.safetensors", model, CharTokenizer("abc \n"))
        prompt = "".join(random.Random(1).choices("abc \n", k=length))
        js = """async ([data, prompt, settings]) => {
            const write = async (session) => {
                let written = "";
                while (written.length < 40) {
                    for (const { character } of await session.next(1)) written += character;
                }
                return written;
            };
            const source = await opened(data);
            let session, other;
            const counts = [await reads(async () => {
                await source.score(prompt);
                session = await source.begin(prompt, settings);
                await session.next(1);
            }), await reads(async () => {
                other = await source.begin(prompt, settings);
                await other.next(1);
            })];
            const fresh = await (await opened(data)).begin(prompt, settings);
            await fresh.next(1);
            await source.look(prompt + "a", settings, null);
            return [counts, await write(session), await write(other), await write(fresh)]; }"""
        data = list((tmp_path / "m.safetensors").read_bytes())
        counts, *texts = engine.evaluate(js, [data, prompt, SETTINGS])
        assert counts == [min(length, 128)] * 2
        assert len(set(texts)) == 1

    def test_damaged_files_are_refused_in_words(self, engine):
        """A few hundred changes of the header, and cuts anywhere."""
        js = """changes => changes.map(([cut, at, value]) => {
            const copy = new Uint8Array(bytes.slice(0, cut ?? bytes.byteLength));
            if (at !== null && at < copy.length) copy[at] = value;
            try { readModel(copy.buffer); return "read"; } catch (error) { return error.message; } })"""
        dice = random.Random(0)
        size = PATH.stat().st_size
        cuts = [
            [dice.choice([0, 4, 8, 100, 5000, size // 2, size - 1]), None, 0] for _ in range(20)
        ]
        header = [[size // 64, dice.randrange(9000), dice.randrange(256)] for _ in range(300)]
        for words in engine.evaluate(js, cuts + header):
            assert words.startswith("This is no model that minigrad wrote"), words


# --- The view, in three places ---


def opened_page(context, tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "Zoë's page.html"
    path.write_text(publish.page(), encoding="utf-8")
    page = context.new_page()
    page.on("request", lambda request: REQUESTS.append(request.url))
    page.goto(path.as_uri())
    return page


REQUESTS = []
needs_notebook_7 = pytest.mark.skipif(
    importlib.util.find_spec("notebook") is None, reason="Notebook 7 is not installed"
)
PLACES = [
    "page",
    pytest.param(browser.LAB, id="JupyterLab"),
    pytest.param(browser.NOTEBOOK_7, marks=needs_notebook_7, id="Notebook 7"),
]


class Server(NamedTuple):
    """JupyterLab's address, its token and the folder that it shows."""

    address: str
    token: str
    folder: Path


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab")
    with browser.lab(folder) as server:
        yield Server(*server, folder)


@pytest.fixture(scope="module", params=PLACES)
def home(request, context, tmp_path_factory):
    """A page that shows the playground."""
    if request.param == "page":
        page = opened_page(context, tmp_path_factory)
    else:
        pytest.importorskip("anywidget")
        server = request.getfixturevalue("server")
        page = browser.open_notebook(context, server, "playground.ipynb", request.param)
        assert browser.run_all(page) == []
    page.locator(".mg-bars li").first.wait_for()
    yield page
    page.close()


@pytest.fixture
def play(home):
    play = home.locator(".mg").first
    for label, value in {"Prompt": "ROMEO:\n", "Length": "60", "Seed": "0"}.items():
        play.get_by_label(label, exact=True).fill(value)
    slide(play, "Temperature", 0.8)
    play.get_by_role("button", name="Clear").click()
    return play


def slide(play, label, value):
    play.get_by_label(re.compile(f"^{label}")).first.evaluate(
        "(input, value) => { input.value = value; input.dispatchEvent(new Event('input')); }",
        str(value),
    )


def generate(play):
    play.get_by_role("button", name="Generate").click()
    play.locator(".mg-status", has_text=re.compile("^(Wrote|Stopped)")).wait_for()


def text(play, number=0):
    return play.locator(".mg-characters").nth(number).text_content().replace("↵", "")


def wait_for_the_last_bars(play):
    """Wait until the bars are those behind the whole text; while it is written, they follow it."""
    wanted = re.search(r".*[\W_]", text(play), re.S)[0][-18:].replace("\n", "↵")
    play.locator("h4", has_text=f"After “{wanted}”").wait_for()


def bars(play):
    return play.locator(".mg-bars li").evaluate_all("all => all.map(li => li.ariaLabel)")


def changes(play, read, before):
    """Wait until what is read differs from before; returns it."""
    for _ in range(200):
        now = read(play)
        if now != before:
            return now
        play.page.wait_for_timeout(50)
    raise AssertionError(f"this did not change: {before!r:.200}")


class TestView:
    pytestmark = in_a_browser

    def test_a_seed_gives_the_samplers_text(self, play, sampler):
        play.get_by_label("Seed", exact=True).fill("4")
        generate(play)
        sampler.set(prompt="ROMEO:\n", temperature=0.8, top_k=None, top_p=None, length=60, seed=4)
        assert text(play) == sampler.generate()
        bits = sampler.writing.bits_per_character
        assert f"{bits:.2f} bits a character" in play.locator(".mg-status").text_content()

    def test_a_second_click_starts_no_second_text(self, play, sampler):
        play.get_by_role("button", name="Generate").evaluate("b => { b.click(); b.click(); }")
        play.locator(".mg-status", has_text="Wrote 60 characters").wait_for()
        sampler.set(prompt="ROMEO:\n", temperature=0.8, top_k=None, top_p=None, length=60, seed=0)
        assert text(play) == sampler.generate()

    def test_what_cannot_begin_leaves_the_buttons_as_they_were(self, play):
        seed = play.get_by_label("Seed", exact=True)
        seed.fill("-1")
        play.get_by_role("button", name="Generate").click()
        play.locator(".mg-status.mg-error").wait_for()
        assert play.get_by_role("button", name="Stop").is_disabled()
        seed.fill("4")
        generate(play)
        assert len(text(play)) == len("ROMEO:\n") + 60

    def test_numbers_agree_with_numpy(self, play, service):
        wanted = service.look("ROMEO:\n", SETTINGS)["after"]
        best = int(wanted.argmax())
        play.locator(".mg-bars li").first.wait_for()
        shown = service.info["vocabulary"][best]
        expected = f"{shown}: {100 * wanted[best]:.0f} %"
        changes(play, lambda play: bars(play)[0].startswith(expected), False)

    def test_the_bars_follow_the_temperature(self, play):
        before = bars(play)
        slide(play, "Temperature", 0.2)
        after = changes(play, bars, before)
        first = [int(re.search(r": (\d+)", labels[0])[1]) for labels in (before, after)]
        assert first[1] > first[0]

    def test_arrow_keys_pick_a_character(self, play):
        generate(play)
        play.locator(".mg-characters").first.focus()
        before = play.locator("h4", has_text="In the place of").count()
        assert before == 0
        play.page.keyboard.press("ArrowLeft")
        play.locator("h4", has_text="In the place of").wait_for()
        assert play.locator('.mg-characters [aria-selected="true"]').count() == 1
        place = play.locator('.mg-characters [aria-selected="true"]').get_attribute("data-place")
        play.page.keyboard.press("ArrowLeft")
        moved = play.locator('.mg-characters [aria-selected="true"]').get_attribute("data-place")
        assert int(moved) == int(place) - 1
        play.page.keyboard.press("Home")
        play.page.keyboard.press("Escape")
        assert play.locator('.mg-characters [aria-selected="true"]').count() == 0

    def test_a_step_shows_where_the_draw_lands(self, play):
        play.get_by_role("button", name="Step").click()
        changes(play, lambda play: len(text(play)), len("ROMEO:\n"))
        assert len(text(play)) == len("ROMEO:\n") + 1
        words = "The random number 0.637 fell on"  # NumPy's first, for seed 0
        play.locator(f'.mg-strip[aria-label^="{words}"] .mg-hit').wait_for()
        play.get_by_role("button", name="Step").click()
        play.locator(".mg-status", has_text="Drew").wait_for()
        changes(play, lambda play: len(text(play)), len("ROMEO:\n") + 1)

    def test_two_temperatures_from_one_seed(self, play):
        play.get_by_label("two temperatures").check()
        slide(play, "Second temperature", 0.0)
        generate(play)
        play.get_by_label("two temperatures").uncheck()
        assert play.locator(".mg-characters").count() == 2
        assert text(play, 0) != text(play, 1) and len(text(play, 1)) == len("ROMEO:\n") + 60

    def test_going_on_with_another_character(self, play):
        generate(play)
        first = text(play)
        play.locator(".mg-characters span").nth(20).click()
        play.locator("h4", has_text="In the place of").wait_for()
        own = first[20]
        play.locator(".mg-bars").focus()
        items = play.locator(".mg-bars li").evaluate_all(
            "all => all.map(li => li.dataset.character)"
        )
        other = next(k for k, character in enumerate(items) if character != own)
        for _ in range(other + 1):
            play.page.keyboard.press("ArrowDown")
        play.page.keyboard.press("Enter")
        changes(play, text, first)
        play.locator(".mg-status", has_text="Wrote").wait_for()
        assert text(play)[:21] == first[:20] + items[other]
        assert play.get_by_label("Show").locator("option").count() >= 2

    def test_the_guess_after_each_block(self, play, service):
        rows = play.locator(".mg-lens tr")
        assert rows.count() == service.model.config.num_blocks + 1
        assert rows.first.text_content().startswith("embedding")

    def test_heads_are_chosen_by_keys_and_switched_off(self, play):
        generate(play)
        wait_for_the_last_bars(play)
        chosen = play.locator('.mg-thumbs [aria-checked="true"]')
        before, words = bars(play), play.locator(".mg-map").get_attribute("aria-label")
        chosen.focus()
        play.page.keyboard.press("ArrowRight")
        assert play.locator(".mg-map").get_attribute("aria-label") != words
        play.get_by_label("switch this head off").check()
        changes(play, bars, before)
        play.get_by_label("switch this head off").uncheck()
        for _ in range(100):
            if bars(play) == before:
                break
            play.page.wait_for_timeout(50)
        assert bars(play) == before

    @pytest.mark.parametrize(
        ("label", "value", "words"),
        [
            ("Prompt", "caffè", "never seen"),
            ("Prompt", "", "The prompt is empty"),
            ("Length", "12.7", "whole number"),
            ("Length", "0", "at least 1"),
            ("Seed", "-1", "whole number"),
        ],
    )
    def test_mistakes_are_said_in_words(self, play, label, value, words):
        play.get_by_label(label, exact=True).fill(value)
        play.locator(".mg-error", has_text=words).wait_for()
        play.get_by_role("button", name="Generate").click()
        assert play.locator(".mg-characters").count() == 0

    def test_a_long_prompt_says_what_is_seen(self, play, service):
        size = service.model.config.context_size
        play.get_by_label("Prompt", exact=True).fill("a" * (size + 10))
        play.locator(".mg-note", has_text=f"last {size} of these {size + 10}").wait_for()

    def test_a_long_text_stops_in_the_middle(self, play):
        play.get_by_label("Length", exact=True).fill("5000")
        play.get_by_role("button", name="Generate").click()
        play.locator(".mg-status", has_text="Settings that you change now").wait_for()
        play.get_by_role("button", name="Stop").click()
        play.locator(".mg-status", has_text="Stopped").wait_for()
        assert len("ROMEO:\n") < len(text(play)) < 5000

    def test_the_whole_way_by_keyboard(self, play):
        """Prompt, settings, Generate, a character, another one in its place, a head, off."""
        keyboard = play.page.keyboard

        def go_to(selector):
            """Press Tab until this has the focus; it must be seen to have it."""
            for _ in range(40):
                keyboard.press("Tab")
                if play.evaluate("(root, s) => document.activeElement.matches(s)", selector):
                    outline = "() => getComputedStyle(document.activeElement).outlineStyle"
                    assert play.page.evaluate(outline) != "none", selector
                    return
            raise AssertionError(f"Tab does not reach {selector}")

        play.get_by_label("Model", exact=True).focus()
        go_to(".mg textarea")
        keyboard.press("Control+A")
        keyboard.type("JULIET:")
        keyboard.press("Enter")
        go_to('.mg input[type="range"]')
        before = play.get_by_label(re.compile("^Temperature")).input_value()
        keyboard.press("ArrowLeft")
        assert play.get_by_label(re.compile("^Temperature")).input_value() < before
        go_to('.mg input[inputmode="numeric"]')  # the length
        keyboard.press("Control+A")
        keyboard.type("30")
        go_to("button.mg-first")
        keyboard.press("Enter")
        play.locator(".mg-status", has_text="Wrote 30").wait_for()
        written = text(play)
        assert written.startswith("JULIET:\n") and len(written) == 38
        go_to(".mg-characters")
        keyboard.press("ArrowLeft")
        play.locator("h4", has_text="In the place of").wait_for()
        go_to(".mg-bars")
        keyboard.press("ArrowDown")
        keyboard.press("ArrowDown")
        keyboard.press("Enter")
        changes(play, text, written)
        play.locator(".mg-status", has_text="Wrote").wait_for()
        go_to('.mg-thumbs [role="radio"]')
        head = play.locator(".mg-map").get_attribute("aria-label")
        keyboard.press("ArrowRight")
        assert play.locator(".mg-map").get_attribute("aria-label") != head
        before = bars(play)
        go_to('.mg-inside input[type="checkbox"]')
        keyboard.press("Space")
        changes(play, bars, before)
        keyboard.press("Space")

    def test_surprise_has_a_legend_and_not_by_colour_alone(self, play):
        generate(play)
        marks = play.locator(".mg-legend span").evaluate_all(
            """all => all.map((e) => {
                const style = getComputedStyle(e);
                return `${style.textDecorationLine} ${style.textDecorationStyle}`; })"""
        )
        assert len(marks) == 5 and len({m for m in marks if m.startswith("underline")}) == 3
        shown = play.locator(".mg-characters span").evaluate_all("all => all.map(e => e.className)")
        assert len(set(shown)) > 3

    def test_the_bars_follow_the_last_whole_word(self, play):
        for seed in ("1", "2", "3"):
            play.get_by_role("button", name="Clear").click()
            play.get_by_label("Seed", exact=True).fill(seed)
            generate(play)
            wait_for_the_last_bars(play)

    def test_the_map_is_scaled_by_row_and_its_future_is_hatched(self, play):
        generate(play)
        found = play.evaluate(
            """root => {
                const canvas = root.querySelector(".mg-map"), n = 48;
                const ratio = canvas.width / parseFloat(canvas.style.width), edge = 14 * ratio;
                const cell = (canvas.width - edge) / n;
                const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
                const alpha = (x, y) => data[4 * (Math.floor(y) * canvas.width + Math.floor(x)) + 3];
                const rows = [];
                let hatched = 0;
                for (let r = 0; r < n - 1; r++) {
                    let most = 0;
                    for (let c = 0; c <= r; c++) most = Math.max(most, alpha(edge + (c + 0.5) * cell, edge + (r + 0.5) * cell));
                    rows.push(most);
                    for (let x = edge + (r + 1.5) * cell; x < canvas.width; x++) hatched += alpha(x, edge + (r + 0.5) * cell) > 0;
                }
                return { rows, hatched };
            }"""
        )
        assert min(found["rows"]) > 200 and found["hatched"] > 100
        words = play.locator(".mg-inside section .mg-note").last.text_content()
        assert (
            "strongest cell, in the colour of the text, is that row's largest" in words
            and "hatched part is the future" in words
        )

    def test_a_text_is_saved_as_a_file_with_its_settings(self, play):
        play.get_by_label("Seed", exact=True).fill("8")
        generate(play)
        with play.page.expect_download() as waiting:
            play.get_by_role("button", name="Save as a file").click()
        saved = json.loads(waiting.value.path().read_text(encoding="utf-8"))
        assert saved["text"] == text(play) and saved["settings"]["seed"] == 8
        assert saved["settings"]["temperature"] == pytest.approx(0.8) and saved["model"]

    def test_few_tab_stops(self, play):
        generate(play)
        stops = play.evaluate(
            """root => [...root.querySelectorAll('button, input, textarea, select, [tabindex]')]
                .filter(e => e.tabIndex >= 0 && !e.disabled && e.offsetParent).length"""
        )
        assert stops <= 25

    @pytest.mark.parametrize("width", [1100, 700, 560, 320])
    @pytest.mark.parametrize("scheme", ["light", "dark"])
    def test_nothing_overflows(self, play, width, scheme):
        """At the widths of a wide window, of one beside a file browser, and of a phone."""
        generate(play)
        play.page.emulate_media(color_scheme=scheme)
        play.evaluate("(root, width) => { root.style.width = `${width}px`; }", width)
        play.page.wait_for_timeout(300)
        cut = play.evaluate(
            """root => [...root.querySelectorAll('*')].filter(e =>
                !e.closest('.mg-thumbs, .mg-strip, option') &&
                e.getBoundingClientRect().right > root.getBoundingClientRect().right + 1
            ).map(e => e.outerHTML.slice(0, 80))"""
        )
        play.evaluate("root => { root.style.width = ''; }")
        play.page.emulate_media(color_scheme="light")
        assert cut == []

    def test_axe_finds_nothing_serious(self, play):
        axe = pytest.importorskip("axe_playwright_python.sync_playwright")
        generate(play)
        found = axe.Axe().run(play.page, context=".mg").response["violations"]
        serious = [v["id"] for v in found if v["impact"] in ("serious", "critical")]
        assert serious == [], json.dumps(found)[:2000]


@pytest.mark.skipif(importlib.util.find_spec("playwright") is None, reason="no Playwright")
@pytest.mark.skipif(browser.CHROMIUM is None, reason="Chromium is not installed")
def test_a_link_writes_the_same_text_and_nothing_is_fetched(context, tmp_path_factory):
    page = opened_page(context, tmp_path_factory)
    play = page.locator(".mg").first
    page.locator(".mg-bars li").first.wait_for()
    play.get_by_label("Seed", exact=True).fill("9")
    play.get_by_label("Length", exact=True).fill("40")
    generate(play)
    written = text(play)
    play.get_by_role("button", name="Copy a link").click()
    play.locator(".mg-status", has_text="link").wait_for()
    link = page.evaluate("() => navigator.clipboard.readText()")
    other = context.new_page()
    other.goto(link)
    other.locator(".mg-bars li").first.wait_for()
    generate(other.locator(".mg").first)
    assert text(other.locator(".mg").first) == written
    other.close()
    page.close()
    assert all(url.startswith(("file:", "data:", "blob:")) for url in REQUESTS)


@pytest.mark.skipif(importlib.util.find_spec("playwright") is None, reason="no Playwright")
@pytest.mark.skipif(browser.CHROMIUM is None, reason="Chromium is not installed")
def test_a_readers_own_model_is_opened_from_a_file(context, tmp_path_factory, tmp_path):
    mg.manual_seed(0)
    model = GPT2(GPT2Config(16, 1, 2, 16, vocab_size=6)).eval()
    save_pretrained(tmp_path / "mine.safetensors", model, CharTokenizer("abcde\n"))
    (tmp_path / "broken.safetensors").write_bytes(b"not a model")
    page = opened_page(context, tmp_path_factory)
    play = page.locator(".mg").first
    page.locator(".mg-bars li").first.wait_for()
    play.get_by_label("Your own model").set_input_files(tmp_path / "broken.safetensors")
    play.locator(".mg-error", has_text="no model that minigrad wrote").wait_for()
    play.get_by_label("Your own model").set_input_files(tmp_path / "mine.safetensors")
    play.locator(".mg-status", has_text="This is mine.safetensors").wait_for()
    play.get_by_label("Prompt", exact=True).fill("abc")
    play.get_by_label("Length", exact=True).fill("20")
    generate(play)
    assert len(text(play)) == 23
    page.close()


@pytest.mark.skipif(importlib.util.find_spec("playwright") is None, reason="no Playwright")
@pytest.mark.skipif(browser.CHROMIUM is None, reason="Chromium is not installed")
def test_characters_that_a_string_of_javascript_counts_twice(context, tmp_path):
    """A reader's own text may hold an emoji: one character for the model, two for a string."""
    mg.manual_seed(0)
    model = GPT2(GPT2Config(8, 1, 2, 16, vocab_size=5)).eval()
    save_pretrained(tmp_path / "m.safetensors", model, CharTokenizer(" abé😀"))
    out, wrong = tmp_path / "page.html", []
    assert publish.main([str(tmp_path / "m.safetensors"), "--out", str(out)]) == 0
    page = context.new_page()
    page.on("pageerror", lambda error: wrong.append(error))
    page.goto(out.as_uri())
    play = page.locator(".mg").first
    play.get_by_label("Prompt", exact=True).fill("😀a😀b😀 😀é😀")
    play.locator(".mg-note", has_text="the last 8 of these 9 characters").wait_for()
    play.get_by_label("Length", exact=True).fill("20")
    generate(play)
    assert len(text(play)) == 29 == play.locator(".mg-characters span").count()
    play.locator(".mg-characters span").nth(6).click()
    play.locator("h4", has_text="In the place of “😀”, after “😀a😀b😀 ”").wait_for()
    bar = play.locator(".mg-bars li").first
    character = bar.get_attribute("data-character")
    bar.click()
    play.locator(".mg-status", has_text=re.compile("^Wrote")).wait_for()
    assert text(play).startswith("😀a😀b😀 " + character) and len(text(play)) == 27
    assert not wrong
    page.close()


# --- A run's stages, zoom and phones ---


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A folder of checkpoints of a training of a few steps."""
    from minigrad.apps import cli

    folder = tmp_path_factory.mktemp("training")
    (folder / "text.txt").write_text("to be or not to be\n" * 90, encoding="utf-8")
    sizes = "--context-size 8 --num-blocks 1 --num-heads 2 --embedding-dim 16 --batch-size 4"
    silent = "--initial-sample-length 0 --final-sample-length 0 --num-steps 40 --save-every 20"
    files = ["--text", str(folder / "text.txt"), "--checkpoint-dir", str(folder / "mine")]
    assert cli.main([*sizes.split(), *silent.split(), *files]) == 0
    return folder / "mine"


STAGES = ["mine, before training", "mine, step 20", "mine, step 40"]


def test_a_run_is_shown_before_during_and_after_its_training(run):
    models = models_of(run)
    assert list(models) == STAGES
    before, during, after = (Service({name: models[name]}) for name in STAGES)
    settings = SETTINGS | {"temperature": 1.0}
    guesses = [s.look("to be or", settings)["before"] for s in (before, during, after)]
    assert np.abs(guesses[0] - guesses[1]).max() > 1e-3 < np.abs(guesses[1] - guesses[2]).max()
    again = Service({"again": models[STAGES[0]]}).look("to be or", settings)["before"]
    assert np.array_equal(again, guesses[0])


def choose_each(play, names):
    """Choose each model, write with it, and return the texts."""
    written = []
    for name in names:
        play.get_by_label("Model", exact=True).select_option(label=name)
        play.locator(".mg-status", has_text=f"This is {name}.").wait_for()
        play.get_by_label("Prompt", exact=True).fill("to be")
        play.get_by_label("Length", exact=True).fill("40")
        generate(play)
        written.append(text(play))
    return written


@pytest.mark.skipif(importlib.util.find_spec("playwright") is None, reason="no Playwright")
@pytest.mark.skipif(browser.CHROMIUM is None, reason="Chromium is not installed")
class TestTheReadersOwnRun:
    def test_on_a_page(self, context, run, tmp_path):
        out = tmp_path / "stages.html"
        assert publish.main([str(run), "--stages", "--out", str(out)]) == 0
        page = context.new_page()
        page.goto(out.as_uri())
        page.locator(".mg-bars li").first.wait_for()
        play = page.locator(".mg").first
        assert play.get_by_label("Model", exact=True).input_value() == STAGES[-1]
        written = choose_each(play, STAGES)
        assert len(set(written)) == 3 and all(len(found) == 45 for found in written)
        page.close()

    def test_in_a_notebook(self, context, server, run, tmp_path_factory):
        pytest.importorskip("anywidget")
        import nbformat

        source = f"from minigrad.apps.playground import playground\nplayground(run={str(run)!r})"
        cells = [nbformat.v4.new_markdown_cell("# Mine"), nbformat.v4.new_code_cell(source)]
        kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
        content = nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": kernel})
        nbformat.write(content, server.folder / "notebooks" / "mine.ipynb")
        page = browser.open_notebook(context, server, "mine.ipynb")
        assert browser.run_all(page) == []
        play = page.locator(".mg").first
        play.locator(".mg-bars li").first.wait_for()
        written = choose_each(play, [*STAGES, "the shipped model"])
        assert len(set(written)) == 4
        page.close()


def test_stages_need_a_run(capsys, tmp_path):
    assert publish.main(["--stages", "--out", str(tmp_path / "page.html")]) == 2
    assert "--stages needs a run's folder" in capsys.readouterr().err


# A phone, and a window of 1280 pixels at 200 %, in which the page sees half as many.
WINDOWS = {"360 px": (360, 740, 1), "200 %": (640, 450, 2)}


@pytest.mark.skipif(importlib.util.find_spec("playwright") is None, reason="no Playwright")
@pytest.mark.skipif(browser.CHROMIUM is None, reason="Chromium is not installed")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("window", WINDOWS)
def test_a_page_on_a_phone_and_at_200_percent(context, tmp_path_factory, window, scheme):
    width, height, ratio = WINDOWS[window]
    path = tmp_path_factory.mktemp("page") / "page.html"
    path.write_text(publish.page(), encoding="utf-8")
    narrow = context.browser.new_context(
        viewport={"width": width, "height": height}, device_scale_factor=ratio, color_scheme=scheme
    )
    page = narrow.new_page()
    page.goto(path.as_uri())
    play = page.locator(".mg").first
    play.locator(".mg-bars li").first.wait_for()
    words = play.locator(".mg-inside section .mg-note").last.text_content()
    assert int(re.search(r"(\d+)(\.\d)? %", words)[1]) >= 30  # a head that shows something
    play.get_by_label("Length", exact=True).fill("60")
    generate(play)
    sizes = page.evaluate(
        """() => ({
            wide: document.documentElement.scrollWidth - document.documentElement.clientWidth,
            bars: [...document.querySelectorAll(".mg-bar")].map((e) => e.clientWidth),
            map: document.querySelector(".mg-map").getBoundingClientRect().toJSON(),
            small: [...document.querySelectorAll(".mg button:not(.mg-thumbs button)")]
                .filter((e) => e.offsetHeight < 24).length,
        })"""
    )
    assert sizes["wide"] <= 0 and sizes["small"] == 0
    assert min(sizes["bars"]) > 120
    assert 0 <= sizes["map"]["left"] and sizes["map"]["right"] <= width
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(page).response["violations"]
    assert [v["id"] for v in found if v["impact"] in ("serious", "critical")] == []
    narrow.close()


@pytest.mark.skipif(importlib.util.find_spec("playwright") is None, reason="no Playwright")
@pytest.mark.skipif(browser.CHROMIUM is None, reason="Chromium is not installed")
def test_a_link_with_odd_settings_and_a_change_of_the_theme(context, tmp_path_factory):
    page = opened_page(context, tmp_path_factory)
    address = page.url
    play, status = page.locator(".mg").first, page.locator(".mg-status")

    def opened(fragment):
        page.goto("about:blank")
        page.goto(f"{address}#{fragment}")
        status.wait_for(state="attached")
        names = ["Prompt", "Temperature", "Length", "Seed"]
        return [play.get_by_label(name, exact=name != "Temperature").first for name in names]

    usual = ["ROMEO:\n", "0.8", "400", "0"]
    for odd in ("temperature=&length=&seed=", "length=1.5&seed=2.5&temperature=0x1", "%E0%A4%A"):
        assert [field.input_value() for field in opened(odd)] == usual, odd
    given = opened("prompt=a%0D%0Ab&temperature=.5&length=7&seed=3")
    assert [field.input_value() for field in given] == ["a\nb", "0.5", "7", "3"]
    # What the model does not know stays, is named, and is never read as HTML.
    prompt = "<img src=x onerror=alert(1)> \N{GRINNING FACE}"
    assert opened("prompt=" + urllib.parse.quote(prompt))[0].input_value() == prompt
    status.filter(has_text="\N{GRINNING FACE}").wait_for()
    assert page.locator("img").count() == 0

    opened("length=20")
    page.locator(".mg-bars li").first.wait_for()
    ink = """() => {
        const canvas = document.querySelector(".mg-map");
        const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        let k = 0;
        while (k < data.length && data[k + 3] < 250) k += 4;
        return data[k];
    }"""
    assert page.evaluate(ink) < 60
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"() => ({ink})() > 200")
    page.emulate_media(color_scheme="light")
    generate(play)
    assert status.get_attribute("aria-busy") == "false" and "Wrote 20" in status.inner_text()
    page.close()
