"""The HTML of the playground's widget: its style, tables, attention maps, and a still picture."""

import base64
import io
import textwrap
from html import escape

import numpy as np

PER_MAP = 28  # the newest characters of a view that an attention map shows
CANDIDATES = 8  # likeliest characters in a table of probabilities

STYLE = """<style>
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

# What ipywidgets lacks: accessible slider names, and no JupyterLab shortcuts (arrows, D D) while a
# control has the focus.
SCRIPT = """<img src="data:," alt="" hidden onerror="
const begin = () => {
  const root = this.closest('.mg-playground');
  if (!root?.querySelector('[role=slider]')) return setTimeout(begin, 50);
  root.addEventListener('focusin', e => e.target.dataset.lmSuppressShortcuts = 'true');
  for (const slider of root.querySelectorAll('.widget-hslider'))
    slider.querySelector('[role=slider]').ariaLabel = slider.querySelector('label').textContent;
};
begin()">"""

# The button that copies the text: only code in the browser can do that.
COPY = """<button class="lm-Widget jupyter-widgets jupyter-button widget-button"
style="width:92px;margin:0"
title="Copy the text, prompt included" onclick="
const text = this.closest('.mg-playground').querySelector('pre');
const say = words => { this.textContent = words;
  setTimeout(() => this.textContent = 'Copy', 1500); };
const select = () => { getSelection().selectAllChildren(text);
  say(document.execCommand('copy') ? 'Copied' : 'Press Ctrl+C'); };
navigator.clipboard
  ? navigator.clipboard.writeText(text.textContent).then(() => say('Copied'), select)
  : select();">Copy</button>"""


def visible(text):
    """A text with visible signs for its spaces and line breaks."""
    return text.replace("\n", "⏎").replace(" ", "␣")


def named(character):
    """A character with its name, where it is one that cannot be seen."""
    return {"\n": "⏎ new line", " ": "␣ space"}.get(character, character)


def probability_table(vocabulary, caption, before, after, picked=None):
    """The likeliest characters, each with its probability before and after the settings."""
    ranked = list(np.argsort(-before, kind="stable")[:CANDIDATES])
    if picked is not None and vocabulary.index(picked) not in ranked:
        ranked[-1] = vocabulary.index(picked)
    rows = "".join(
        f"<tr{' class=mg-picked' * (vocabulary[i] == picked)}>"
        f"<th scope=row>{escape(named(vocabulary[i]))}</th>"
        f"{_bar(before[i], 'mg-bar')}{_bar(after[i], 'mg-bar mg-full')}</tr>"
        for i in ranked
    )
    return (
        f"<table><caption>{caption}</caption><tr><th scope=col>character</th>"
        "<th scope=col colspan=2>before (outlined)</th>"
        f"<th scope=col colspan=2>after (filled)</th></tr>{rows}</table>"
    )


def _bar(p, kind):
    width = round(100 * float(p))
    bar = f'<span class="{kind}" style="width:{width}%"></span>' if width else ""
    return f'<td style="width:26%">{bar}</td><td class="mg-number">{100 * p:.1f} %</td>'


def attention_map(weights, seen, title):
    """The weights (T, T) of one head over the newest characters, as a drawing and in words."""
    T = len(seen)
    last = weights[-1]
    top = np.argsort(-last, kind="stable")[:3]
    words = ", ".join(
        f"{named(seen[i])} ({'the newest' if i == T - 1 else f'{T - 1 - i} back'}, "
        f"{100 * last[i]:.0f} %)"
        for i in top
        if last[i] > 0.01
    )
    first = max(0, T - PER_MAP)
    letters, cell, edge = visible(seen[first:]), 13, 22
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
        f'<div style="width:400px;line-height:1.4">{title}. Each row is a character that looks at '
        "those before it, darker: more. The framed last row led to the picked one; it looks most "
        f"at {escape(words)}.{more}</div>"
    )


def picture(words, sampler):
    """A PNG in base64: the text, and what may follow it."""
    from matplotlib.figure import Figure

    fig = Figure(figsize=(9, 3.8), layout="constrained")
    left, right = fig.subplots(1, 2, width_ratios=(1.5, 1))
    lines = [part for line in words.split("\n") for part in textwrap.wrap(line, 62) or [""]]
    left.text(0, 1, "\n".join(lines), family="DejaVu Sans Mono", size=9, va="top", parse_math=False)
    left.axis("off")
    _, before, after = sampler.next_probabilities()
    ranked = np.argsort(-before, kind="stable")[:CANDIDATES]
    places = np.arange(len(ranked))
    right.barh(places - 0.2, 100 * before[ranked], 0.38, fill=False, label="before")
    right.barh(places + 0.2, 100 * after[ranked], 0.38, color="#0072B2", label="after")
    names = [named(sampler.tokenizer.vocabulary[i]).replace("$", r"\$") for i in ranked]
    right.set_yticks(places, names)
    right.invert_yaxis()
    right.set_xlabel("probability of the next character, %")
    right.legend(title="temperature, top-k, top-p", frameon=False)
    right.spines[["top", "right"]].set_visible(False)
    file = io.BytesIO()
    fig.savefig(file, format="png", dpi=150)
    return base64.b64encode(file.getvalue()).decode("ascii")
