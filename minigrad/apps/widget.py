"""The playground in a notebook: `sampling_widget(model, tokenizer)`, a view over `Sampler`."""

import math
import threading
from dataclasses import replace
from html import escape

import ipywidgets as widgets

from minigrad.apps.markup import (
    COPY,
    SCRIPT,
    STYLE,
    attention_map,
    named,
    picture,
    probability_table,
    visible,
)
from minigrad.apps.sampler import LONGEST, Sampler

PER_PAGE = 68  # characters of the text that can be picked at once: two rows
NEWEST = -1  # as an entry of the history; ipywidgets takes None for "nothing is chosen"


def sampling_widget(model, tokenizer):
    """Controls to write with a model and to look inside it, for the end of a notebook's cell.

    Where no widgets can be shown, a written sample and a picture stand in their place.
    """
    return Playground(Sampler(model, tokenizer))


class Playground(widgets.VBox):
    """The view over a sampler. Its own state is only the page and the character that are shown."""

    def __init__(self, sampler):
        self.sampler = sampler
        self.picked = None
        self.page = 0
        self._showing = threading.RLock()  # the kernel's thread and the writing one show in turn
        self._make_controls()
        self._make_inspector()
        super().__init__(
            [
                widgets.HTML(STYLE + SCRIPT),
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
        wide = {"layout": {"width": "384px"}, "style": {"description_width": "86px"}}
        narrow = {"layout": {"width": "190px"}, "style": {"description_width": "86px"}}
        self.prompt = widgets.Textarea(
            settings.prompt,
            rows=2,
            **wide,
            **_label("Prompt", "The text that the model goes on from"),
        )
        self.temperature = widgets.FloatSlider(
            settings.temperature,
            min=0,
            max=2,
            step=0.05,
            description="Temperature",
            **wide,
            tooltip="Lower: safer, higher: wilder; 0 is greedy, always the likeliest character",
        )
        self.top_k = widgets.IntSlider(
            settings.top_k or vocab_size,
            min=1,
            max=vocab_size,
            description="Top-k",
            **wide,
            tooltip=f"Draw from the k likeliest characters only; {vocab_size} is all of them",
        )
        self.top_p = widgets.FloatSlider(
            settings.top_p or 1,
            min=0.05,
            max=1,
            step=0.05,
            description="Top-p",
            **wide,
            tooltip="Draw from the likeliest characters that have this probability together; "
            "1 is all of them",
        )
        self.length = widgets.IntText(
            settings.length,
            description="Length",
            **narrow,
            tooltip=f"How many characters to write, 1 to {LONGEST}",
        )
        self.seed = widgets.IntText(
            settings.seed,
            description="Seed",
            **narrow,
            tooltip="The same seed and settings write the same text again",
        )
        self.new_seed = widgets.Checkbox(
            False,
            description="new seed each time",
            indent=False,
            layout={"width": "180px", "margin": "2px 2px 2px 92px"},
            tooltip="Take the next seed whenever Generate is pressed",
        )
        self.generate = _button("Generate", "Write a text", self._generate, style="primary")
        self.stop = _button("Stop", "Stop writing; what is written stays", self._stop)
        self.clear = _button("Clear", "Remove the written text", self._clear)
        self.earlier_texts = widgets.Dropdown(
            options=[("the newest", NEWEST)],
            **wide,
            **_label("Show", "The texts that were written in this session"),
        )
        for control in (
            self.prompt,
            self.temperature,
            self.top_k,
            self.top_p,
            self.length,
            self.seed,
        ):
            control.observe(self._settings_changed, "value")
        self.earlier_texts.observe(self._writing_changed, "value")
        self.next = widgets.HTML(layout={"flex": "1 1 0", "margin": "0 0 0 12px"})
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
                widgets.HBox([self.generate, self.stop, self.clear, widgets.HTML(COPY)]),
                self.earlier_texts,
            ],
            layout={"width": "394px", "flex": "0 0 auto"},
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
            options=range(1, config.num_blocks + 1),
            value=config.num_blocks,
            **small,
            **_label("Block", "Which block's attention the map shows; 1 is the first"),
        )
        self.head = widgets.Dropdown(
            options=range(1, config.num_heads + 1),
            **small,
            **_label("Head", "Which attention head of the block the map shows"),
        )
        for control in (self.block, self.head):
            control.observe(lambda _: self._show_choice(), "value")
        self.alternatives = widgets.HTML(layout={"flex": "1 1 0", "margin": "0 12px 0 0"})
        self.map = widgets.HTML()

    def _inspector(self):
        heading = (
            "<h4>Look inside</h4>Pick a character: what else might have stood there, "
            "and where did the model look?"
        )
        self.inside = widgets.HBox(
            [self.alternatives, widgets.VBox([widgets.HBox([self.block, self.head]), self.map])]
        )
        return widgets.VBox(
            [
                widgets.HTML(heading),
                widgets.HBox(self.letters, layout={"flex_flow": "row wrap"}),
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
        """Pass the controls' values to the sampler; returns whether it accepts them."""
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
        self.picked, self.page, self.earlier_texts.value = None, 0, NEWEST
        self.sampler.start(self._refresh)
        self._refresh()

    def _stop(self, _):
        self.sampler.stop()

    def _clear(self, _):
        self.sampler.clear()
        self.picked, self.page, self.earlier_texts.value = None, 0, NEWEST
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
        with self._showing:
            self.picked = self.page * PER_PAGE + number
            self._show_letters()
            self._show_choice()
            self._show_text()

    # --- What is shown ---

    @property
    def _writing(self):
        """The text that is shown: the newest, or an earlier one."""
        number = self.earlier_texts.value
        return self.sampler.writing if number == NEWEST else self.sampler.history[number]

    @property
    def _vocabulary(self):
        return self.sampler.tokenizer.vocabulary

    @property
    def _shown(self):
        return self._writing.text if self._writing else self.sampler.settings.prompt

    def _complain(self, problem):
        alert = f'<div role="alert" class="mg-error">{escape(str(problem))}</div>'
        self.error.value = alert if problem else ""

    def _refresh(self):
        """Show what is written so far. The writing thread calls it, too."""
        with self._showing:
            running = self.sampler.running
            self.generate.disabled = self.clear.disabled = self.earlier_texts.disabled = running
            self.stop.disabled = not running
            self._show_text()
            self._show_status(running)
            self._show_next()
            if not running:
                if self.sampler.writing and self.sampler.writing.error:
                    self._complain(self.sampler.writing.error)
                self._list_history()
                self._show_letters()
                self._show_choice()

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
            self.earlier_texts.options = [("the newest", NEWEST), *reversed(entries)]

    def _show_text(self):
        text, place = self._shown, self.picked
        if place is None or place >= len(text):
            content = escape(text)
        else:
            content = (
                f"{escape(text[:place])}<b>{escape(visible(text[place]))}</b>"
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
                bits = writing.bits_per_character
                words += f"; the model's own surprise {bits:.2f} bits per character"
        self.status.value = f'<div role="status">{words}.</div>'

    def _show_next(self):
        text, before, after = self.sampler.next_probabilities()
        caption = f"What may follow …{escape(visible(text[-14:]))}"
        self.next.value = probability_table(self._vocabulary, caption, before, after)

    def _show_letters(self):
        text = self._shown
        pages = math.ceil(len(text) / PER_PAGE)
        self.page = min(max(self.page, 0), pages - 1)
        first = self.page * PER_PAGE
        for number, button in enumerate(self.letters):
            place = first + number
            there = place < len(text)
            button.description = visible(text[place]) if there else " "
            button.disabled = not there or place == 0
            chosen = there and place == self.picked
            name = f"Character {place + 1}: {named(text[place])}" if there else ""
            button.tooltip = name + ", picked" * chosen
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
            f"Instead of {escape(named(choice.character))}, character {self.picked + 1}, "
            "there might have stood"
        )
        self.alternatives.value = probability_table(
            self._vocabulary, caption, choice.before, choice.after, choice.character
        )
        block, head = self.block.value, self.head.value
        self.map.value = attention_map(
            choice.attention[block - 1, head - 1], choice.seen, f"Block {block}, head {head}"
        )

    # --- Where there are no widgets ---

    def _repr_mimebundle_(self, **options):
        bundle = super()._repr_mimebundle_(**options)
        if bundle is None:
            return None
        settings = replace(self.sampler.settings, length=240)
        still = Sampler(self.sampler.model, self.sampler.tokenizer, settings)
        text = still.generate()
        words = (
            "The playground needs a running notebook. This is a text that it wrote, at temperature "
            f"{settings.temperature:g} and seed {settings.seed}:\n\n{text}"
        )
        bundle |= {"text/plain": words, "image/png": picture(words, still)}
        return bundle, {"image/png": {"width": 900, "height": 380, "alt": words}}


def _button(words, tooltip, on_click, style=""):
    button = widgets.Button(
        description=words, tooltip=tooltip, button_style=style, layout={"width": "92px"}
    )
    button.on_click(on_click)
    return button


def _label(words, tooltip):
    """A description with a tooltip, for controls whose own `tooltip` ipywidgets does not show."""
    html = f'<abbr style="text-decoration:none" title="{escape(tooltip)}">{words}</abbr>'
    return {"description": html, "description_allow_html": True}
