"""The playground in a notebook: `sampling_widget(model, tokenizer)`, a view over `Sampler`."""

import base64
import io
import math
import textwrap
from dataclasses import replace
from html import escape

import ipywidgets as widgets
import numpy as np

from minigrad.tools.sampler import HOTTEST, LONGEST, Sampler

PER_PAGE = 72  # characters of the text that can be picked at once
PER_MAP = 28  # the newest characters of a view that an attention map shows
CANDIDATES = 8  # likeliest characters in a table of probabilities

_STYLE = """<style>
.mg-playground { max-width: 880px; color: var(--jp-ui-font-color1, #222); }
.mg-playground pre { border: 1px solid var(--jp-border-color1, #999); padding: 8px; margin: 0;
  min-height: 5em; max-height: 17em; overflow: auto; white-space: pre-wrap; line-height: 1.35;
  font-size: 13px; color: inherit; background: transparent; }
.mg-playground pre b { font-weight: 700; text-decoration: underline; }
.mg-playground table { border-collapse: collapse; width: 100%; font-size: 12px;
  line-height: 1.3; color: inherit; }
.mg-playground caption { text-align: left; font-weight: 600; padding: 0 0 4px; color: inherit;
  caption-side: top; }
.mg-playground th, .mg-playground td { padding: 1px 4px; text-align: left; }
.mg-playground td.mg-number { text-align: right; width: 4em; font-variant-numeric: tabular-nums; }
.mg-playground .mg-bar { display: block; height: 11px; border: 1px solid #0072B2;
  box-sizing: border-box; }
.mg-playground .mg-full { background: #0072B2; }
.mg-playground tr.mg-picked th { text-decoration: underline; }
.mg-playground button { box-sizing: border-box; }
.mg-playground button:focus-visible, .mg-playground pre:focus-visible,
.mg-playground .noUi-handle:focus-visible { outline: 3px solid #D55E00; outline-offset: 1px; }
.mg-playground .mg-letter { padding: 0; text-align: center; overflow: visible;
  font-family: var(--jp-code-font-family, monospace); font-size: 13px; }
.mg-playground .mg-chosen { font-weight: 700; text-decoration: underline;
  border: 2px solid currentColor; }
.mg-playground .mg-error { border-left: 4px solid #D55E00; padding-left: 8px; font-weight: 600; }
.mg-playground h4 { margin: 8px 0 2px; font-size: 14px; }
</style>"""

# What ipywidgets leaves out: the name of a slider for those who hear the page, and that a key
# pressed on a button is the button's, not a command of JupyterLab's (which takes Space, and D D).
_SCRIPT = """<img src="data:," alt="" hidden onerror="
const begin = () => {
  const root = this.closest('.mg-playground');
  if (!root?.querySelector('[role=slider]')) return setTimeout(begin, 50);
  root.dataset.lmSuppressShortcuts = 'true';
  for (const slider of root.querySelectorAll('.widget-hslider'))
    slider.querySelector('[role=slider]').ariaLabel = slider.querySelector('label').textContent;
};
begin()">"""

# Copying is the browser's business.
_COPY = """<button class="lm-Widget jupyter-widgets jupyter-button widget-button"
style="width:92px;margin:0"
title="Copy the text, prompt included" onclick="
const text = this.closest('.mg-playground').querySelector('pre');
const say = words => { this.textContent = words; setTimeout(() => this.textContent = 'Copy', 1500); };
const select = () => { getSelection().selectAllChildren(text);
  say(document.execCommand('copy') ? 'Copied' : 'Press Ctrl+C'); };
navigator.clipboard ? navigator.clipboard.writeText(text.textContent).then(() => say('Copied'), select)
: select();">Copy</button>"""


def sampling_widget(model, tokenizer):
    """Controls to write with a model and to look inside it, for the end of a notebook's cell.

    Where no widgets can be shown, a written sample and a picture stand in their place.
    """
    return Playground(Sampler(model, tokenizer))


class Playground(widgets.VBox):
    """The view: it keeps no state of its own but which page and which character are looked at."""

    def __init__(self, sampler):
        self.sampler = sampler
        self.picked = None
        self.page = 0
        self._make_controls()
        self._make_inspector()
        super().__init__(
            [
                widgets.HTML(_STYLE + _SCRIPT),
                widgets.HBox([self._controls(), self.next]),
                self.status,
                self.error,
                self.text,
                self._inspector(),
            ]
        )
        self.add_class("mg-playground")
        self._refresh()

    # --- The parts ---

    def _make_controls(self):
        settings, vocab_size = self.sampler.settings, self.sampler.tokenizer.vocab_size
        wide = {"layout": {"width": "410px"}, "style": {"description_width": "86px"}}
        narrow = {"layout": {"width": "200px"}, "style": {"description_width": "86px"}}
        self.prompt = widgets.Textarea(
            settings.prompt, rows=2, **wide,
            **_label("Prompt", "The text that the model goes on from"),
        )  # fmt: skip
        self.temperature = widgets.FloatSlider(
            settings.temperature, min=0, max=2, step=0.05, description="Temperature", **wide,
            tooltip="Lower: safer, higher: wilder; 0 is greedy, always the likeliest character",
        )  # fmt: skip
        self.top_k = widgets.IntSlider(
            settings.top_k or vocab_size, min=1, max=vocab_size, description="Top-k", **wide,
            tooltip=f"Draw from the k likeliest characters only; {vocab_size} is all of them",
        )  # fmt: skip
        self.top_p = widgets.FloatSlider(
            settings.top_p or 1, min=0.05, max=1, step=0.05, description="Top-p", **wide,
            tooltip="Draw from the likeliest characters that have this probability together; "
            "1 is all of them",
        )  # fmt: skip
        self.length = widgets.IntText(
            settings.length, description="Length", **narrow,
            tooltip=f"How many characters to write, 1 to {LONGEST}",
        )  # fmt: skip
        self.seed = widgets.IntText(
            settings.seed, description="Seed", **narrow,
            tooltip="The same seed and settings write the same text again",
        )  # fmt: skip
        self.new_seed = widgets.Checkbox(
            False, description="new seed each time", indent=False,
            layout={"width": "180px", "margin": "2px 2px 2px 92px"},
            tooltip="Take the next seed whenever Generate is pressed",
        )  # fmt: skip
        self.generate = _button("Generate", "Write a text", self._generate, style="primary")
        self.stop = _button("Stop", "Stop writing; what is written stays", self._stop)
        self.clear = _button("Clear", "Remove the written text", self._clear)
        self.earlier_texts = widgets.Dropdown(
            options=[("the newest", None)], **wide,
            **_label("Show", "The texts that were written in this session"),
        )  # fmt: skip
        for control in (self.prompt, self.temperature, self.top_k, self.top_p, self.length,
                        self.seed):  # fmt: skip
            control.observe(self._settings_changed, "value")
        self.earlier_texts.observe(self._writing_changed, "value")
        self.next = widgets.HTML(layout={"width": "440px", "margin": "0 0 0 16px"})
        self.status = widgets.HTML()
        self.error = widgets.HTML()
        self.text = widgets.HTML(layout={"width": "auto"})

    def _controls(self):
        return widgets.VBox(
            [
                self.prompt,
                self.temperature,
                self.top_k,
                self.top_p,
                widgets.HBox([self.length, self.seed]),
                self.new_seed,
                widgets.HBox([self.generate, self.stop, self.clear, widgets.HTML(_COPY)]),
                self.earlier_texts,
            ],
            layout={"width": "424px"},
        )

    def _make_inspector(self):
        config = self.sampler.model.config
        letter = {"width": "21px", "height": "24px", "margin": "1px"}
        layout = widgets.Layout(**letter)  # shared by all: one message instead of seventy
        self.letters = [widgets.Button(layout=layout) for _ in range(PER_PAGE)]
        for number, button in enumerate(self.letters):
            button.add_class("mg-letter")
            button.on_click(lambda _, number=number: self._pick(number))
        self.back = _button("◀ Earlier", "Show the characters before these", self._turn_back)
        self.forward = _button("Later ▶", "Show the characters after these", self._turn_forward)
        self.place = widgets.HTML()
        small = {"layout": {"width": "130px"}, "style": {"description_width": "48px"}}
        self.block = widgets.Dropdown(
            options=range(1, config.num_blocks + 1), value=config.num_blocks, **small,
            **_label("Block", "Which block's attention the map shows; 1 is the first"),
        )  # fmt: skip
        self.head = widgets.Dropdown(
            options=range(1, config.num_heads + 1), **small,
            **_label("Head", "Which attention head of the block the map shows"),
        )  # fmt: skip
        for control in (self.block, self.head):
            control.observe(lambda _: self._show_choice(), "value")
        self.alternatives = widgets.HTML(layout={"width": "400px"})
        self.map = widgets.HTML()

    def _inspector(self):
        heading = (
            "<h4>Look inside</h4>Pick a character: what else might have stood there, "
            "and where did the model look?"
        )
        self.inside = widgets.HBox(
            [
                self.alternatives,
                widgets.VBox([widgets.HBox([self.block, self.head]), self.map]),
            ]
        )
        return widgets.VBox(
            [
                widgets.HTML(heading),
                widgets.HBox(self.letters, layout={"flex_flow": "row wrap", "width": "870px"}),
                widgets.HBox([self.back, self.forward, self.place]),
                self.inside,
            ]
        )

    # --- What the reader does ---

    def _settings_changed(self, _):
        if self._take_settings():
            self._show_next()
            if self.sampler.writing is None:
                self._refresh()

    def _take_settings(self):
        """Hand the controls' values to the sampler; whether it accepts them."""
        everything = self.top_k.max
        try:
            self.sampler.set(
                prompt=self.prompt.value,
                temperature=self.temperature.value,
                top_k=None if self.top_k.value == everything else self.top_k.value,
                top_p=None if self.top_p.value == 1 else self.top_p.value,
                length=self.length.value,
                seed=self.seed.value,
            )
        except ValueError as problem:
            self._complain(problem)
            return False
        self._complain("")
        return True

    def _generate(self, _):
        if self.sampler.running:
            self._complain("A text is being written: stop it first.")
            return
        if self.new_seed.value:
            self.seed.value += 1
        if not self._take_settings():
            return
        self.picked, self.page, self.earlier_texts.value = None, 0, None
        self.sampler.start(self._refresh)
        self._refresh()

    def _stop(self, _):
        self.sampler.stop()

    def _clear(self, _):
        self.sampler.clear()
        self.picked, self.page, self.earlier_texts.value = None, 0, None
        self._complain("")
        self._refresh()

    def _writing_changed(self, _):
        self.picked, self.page = None, 0
        self._refresh()

    def _turn_back(self, _):
        self.page -= 1
        self._show_letters()

    def _turn_forward(self, _):
        self.page += 1
        self._show_letters()

    def _pick(self, number):
        self.picked = self.page * PER_PAGE + number
        self._show_letters()
        self._show_choice()
        self._show_text()

    # --- What is shown ---

    @property
    def _writing(self):
        """The text that is looked at: the newest, or one of the history."""
        number = self.earlier_texts.value
        return self.sampler.writing if number is None else self.sampler.history[number]

    @property
    def _shown(self):
        return self._writing.text if self._writing else self.sampler.settings.prompt

    def _complain(self, problem):
        words = escape(str(problem))
        self.error.value = f'<div role="alert" class="mg-error">{words}</div>' if words else ""  # fmt: skip

    def _refresh(self):
        """Show what is written so far; called by the thread that writes, too."""
        running = self.sampler.running
        self.generate.disabled = self.clear.disabled = self.earlier_texts.disabled = running
        self.stop.disabled = not running
        self._show_text()
        self._show_next()
        if not running:
            if self.sampler.writing and self.sampler.writing.error:
                self._complain(self.sampler.writing.error)
            self._list_history()
            self._show_letters()
            self._show_choice()
        self._show_status(running)

    def _list_history(self):
        if len(self.earlier_texts.options) != len(self.sampler.history) + 1:
            entries = [
                (
                    f"{number}: seed {w.settings.seed}, temperature {w.settings.temperature:g}, "
                    f"{len(w.written)} characters",
                    number - 1,
                )
                for number, w in enumerate(self.sampler.history, 1)
            ]
            self.earlier_texts.options = [("the newest", None), *reversed(entries)]

    def _show_text(self):
        text, place = self._shown, self.picked
        if place is None or place >= len(text):
            content = escape(text)
        else:
            content = (
                f"{escape(text[:place])}<b>{escape(_visible(text[place]))}</b>"
                f"{escape(text[place + 1 :])}"
            )
        self.text.value = f'<pre tabindex="0" role="region" aria-label="The text">{content}</pre>'

    def _show_status(self, running):
        writing = self._writing
        if writing is None:
            words = "Nothing is written yet."
        else:
            state = "Writing" if running else "Stopped" if writing.stopped else "Done"
            words = (
                f"{state}: {len(writing.written)} of {writing.settings.length} characters, "
                f"{writing.tokens_per_second:.0f} a second"
            )
            if writing.bits:
                words += f"; the model's own surprise {writing.bits_per_character:.2f} bits per character"  # fmt: skip
        self.status.value = f'<div role="status">{words}.</div>'

    def _show_next(self):
        if self._logits_missing():
            return
        before, after = self.sampler.next_probabilities()
        end = _visible(self.sampler.text[-14:])
        caption = f"What may follow …{escape(end)}"
        self.next.value = self._table(caption, before, after)

    def _logits_missing(self):
        """While a text begins, before its first character is there."""
        return self.sampler.running and not self.sampler.writing.written

    def _show_letters(self):
        text = self._shown
        pages = math.ceil(len(text) / PER_PAGE)
        self.page = min(max(self.page, 0), pages - 1)
        first = self.page * PER_PAGE
        for number, button in enumerate(self.letters):
            place = first + number
            there = place < len(text)
            button.description = _visible(text[place]) if there else " "
            button.disabled = not there or place == 0
            chosen = there and place == self.picked
            button.tooltip = f"Character {place + 1}: {_named(text[place])}{', picked' * chosen}" if there else ""  # fmt: skip
            (button.add_class if chosen else button.remove_class)("mg-chosen")
        self.back.disabled, self.forward.disabled = self.page == 0, self.page >= pages - 1
        self.place.value = (
            f"characters {first + 1} to {min(first + PER_PAGE, len(text))} of {len(text)}"
        )

    def _show_choice(self):
        self.inside.layout.display = "none" if self.picked is None else ""
        if self.picked is None:
            return
        choice = self.sampler.choice(self.picked, self._writing)
        caption = (
            f"Instead of {escape(_named(choice.character))}, character {self.picked + 1}, "
            "there might have stood"
        )
        self.alternatives.value = self._table(
            caption, choice.before, choice.after, choice.character
        )
        block, head = self.block.value, self.head.value
        self.map.value = _attention_map(
            choice.attention[block - 1, head - 1], choice.seen, f"Block {block}, head {head}"
        )

    def _table(self, caption, before, after, picked=None):
        """The likeliest characters, each with its probability before and after the settings."""
        vocabulary = self.sampler.tokenizer.vocabulary
        ranked = list(np.argsort(-before, kind="stable")[:CANDIDATES])
        if picked is not None and vocabulary.index(picked) not in ranked:
            ranked[-1] = vocabulary.index(picked)
        rows = "".join(
            f"<tr{' class=mg-picked' * (vocabulary[i] == picked)}>"
            f"<th scope=row>{escape(_named(vocabulary[i]))}</th>"
            f"{_bar(before[i], 'mg-bar')}{_bar(after[i], 'mg-bar mg-full')}</tr>"
            for i in ranked
        )
        return (
            f"<table><caption>{caption}</caption><tr><th scope=col>character</th>"
            "<th scope=col colspan=2>before (outlined)</th>"
            f"<th scope=col colspan=2>after (filled)</th></tr>{rows}</table>"
        )

    # --- Where there are no widgets ---

    def _repr_mimebundle_(self, **options):
        bundle = super()._repr_mimebundle_(**options)
        if bundle is None:
            return None
        settings = replace(self.sampler.settings, length=160)
        still = Sampler(self.sampler.model, self.sampler.tokenizer, settings)
        text = still.generate()
        words = (
            "The playground needs a running notebook. This is a text that it wrote, at temperature "
            f"{settings.temperature:g} and seed {settings.seed}:\n\n{text}"
        )
        bundle |= {"text/plain": words, "image/png": _picture(words, still)}
        return bundle, {"image/png": {"width": 900, "height": 380, "alt": words}}


def _button(words, tooltip, on_click, style=""):
    button = widgets.Button(
        description=words, tooltip=tooltip, button_style=style, layout={"width": "92px"}
    )
    button.on_click(on_click)
    return button


def _label(words, tooltip):
    """A description with a tooltip, for the controls whose `tooltip` ipywidgets does not show."""
    html = f'<abbr style="text-decoration:none" title="{escape(tooltip)}">{words}</abbr>'
    return {"description": html, "description_allow_html": True}


def _visible(text):
    return text.replace("\n", "⏎").replace(" ", "␣")


def _named(character):
    return {"\n": "⏎ new line", " ": "␣ space"}.get(character, character)


def _bar(p, kind):
    width = round(100 * float(p))
    bar = f'<span class="{kind}" style="width:{width}%"></span>' if width else ""
    return f'<td style="width:26%">{bar}</td><td class="mg-number">{100 * p:.1f} %</td>'


def _attention_map(weights, seen, title):
    """One head's weights (T, T) over the newest characters, as a drawing and in words."""
    T = len(seen)
    last = weights[-1]
    top = np.argsort(-last, kind="stable")[:3]
    words = ", ".join(
        f"{_named(seen[i])} ({'the newest' if i == T - 1 else f'{T - 1 - i} back'}, "
        f"{100 * last[i]:.0f} %)"
        for i in top
    )
    first = max(0, T - PER_MAP)
    letters, cell, edge = _visible(seen[first:]), 13, 22
    shapes = []
    for i, row in enumerate(weights[first:, first:]):
        y = edge + i * cell
        for j, weight in enumerate(row[: i + 1]):
            x = edge + j * cell
            hint = f"{letters[i]} looks at {letters[j]}: {100 * weight:.0f} %"
            shapes.append(
                f'<rect x="{x}" y="{y}" width="{cell}" height="{cell}" fill="#0072B2" '
                f'fill-opacity="{weight:.2f}" stroke="#888" stroke-width="0.3">'
                f"<title>{escape(hint)}</title></rect>"
            )
    size = edge + len(letters) * cell
    for i, letter in enumerate(letters):
        middle = edge + (i + 0.5) * cell
        for x, y in ((edge - 9, middle + 4), (middle, edge - 6)):
            shapes.append(f'<text x="{x}" y="{y}">{escape(letter)}</text>')
    shapes.append(
        f'<rect x="{edge - 1}" y="{size - cell}" width="{size - edge + 2}" height="{cell}" '
        'fill="none" stroke="#D55E00" stroke-width="2"/>'
    )
    outside = last[:first].sum()
    more = f" {100 * outside:.0f} % goes to characters further back." if first else ""
    return (
        f'<svg role="img" aria-label="{escape(title)}: attention map of {len(letters)} characters" '
        f'width="{size + 4}" height="{size + 4}" font-size="11" text-anchor="middle" '
        f'font-family="monospace" fill="currentColor">{"".join(shapes)}</svg>'
        f'<div style="width:420px;line-height:1.4">{title}. Each row is a character that looks at '
        f"those before it, darker: more. The framed last row led to the picked one; it looks most at "
        f"{escape(words)}.{more}</div>"
    )


def _picture(words, sampler):
    """A PNG in base64: the text, and what may follow it."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(9, 3.8), layout="constrained")
    left, right = fig.subplots(1, 2, width_ratios=(1.5, 1))
    lines = [part for line in words.split("\n") for part in textwrap.wrap(line, 62) or [""]]
    left.text(0, 1, "\n".join(lines), family="DejaVu Sans Mono", size=9, va="top",
              parse_math=False)  # fmt: skip
    left.axis("off")
    before, after = sampler.next_probabilities()
    ranked = np.argsort(-before, kind="stable")[:CANDIDATES]
    places = np.arange(len(ranked))
    right.barh(places - 0.2, 100 * before[ranked], 0.38, fill=False, label="before")
    right.barh(places + 0.2, 100 * after[ranked], 0.38, color="#0072B2", label="after")
    names = [_named(sampler.tokenizer.vocabulary[i]).replace("$", r"\$") for i in ranked]
    right.set_yticks(places, names)
    right.invert_yaxis()
    right.set_xlabel("probability of the next character, %")
    right.legend(title="temperature, top-k, top-p", frameon=False)
    right.spines[["top", "right"]].set_visible(False)
    file = io.BytesIO()
    fig.savefig(file, format="png", dpi=150)
    return base64.b64encode(file.getvalue()).decode("ascii")
