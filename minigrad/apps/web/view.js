// The playground: one view of a model that writes, in a notebook and on a page.
//
// `view(root, source)` fills an element. `source` is where the numbers come from, NumPy behind a
// notebook's kernel (jupyter.js) or the engine in this page (page.js):
//   info                  { config, vocabulary, name, models, card }
//   check(settings)       "" or what is wrong, in words
//   begin(text, settings) -> { next(count): a list of steps { character, bits, u, start, after } }
//   look(seen, settings, off) -> { before, after, lens, maps, size }
//   score(text)           the surprise (bits) of each character, null for the first
//   choose(name)          another model; `open(file)`, where a page can read one from disk

import { element, field, keys, percent, slider, SURPRISE, unique, visible, whole } from "./elements.js";

const SHOWN = 12; // bars
const DEFAULTS = { prompt: "ROMEO:\n", temperature: 0.8, topK: null, topP: null, length: 400, seed: 0 };

// --- The view ---

export function view(root, source, start = {}) {
  const settings = { ...DEFAULTS, ...start };
  const size = () => source.info.vocabulary.length;
  const known = (text) => ([...text].every((c) => source.info.vocabulary.includes(c)) ? text : source.info.vocabulary[0]);
  // A prompt that was asked for stays, so that one reads which of its characters are unknown.
  if (start.prompt === undefined) settings.prompt = known(settings.prompt);
  const state = {
    runs: [], // the panels that are shown: { settings, prompt, text, steps, session, list }; texts
    // are arrays of characters, because a string counts an emoji as two
    earlier: [], // finished texts, to look at again
    picked: null, // { run, place }
    off: null, // [block, head] that is switched off
    head: null, // [block, head] that is shown large
    looked: null, // the last answer of source.look
    writing: false,
  };

  // Controls
  const prompt = element("textarea", { rows: 2, value: settings.prompt, spellcheck: "false" });
  const temperature = slider("Temperature", { min: 0, max: 2, step: 0.05, value: settings.temperature, shown: (x) => x.toFixed(2) });
  const other = slider("Second temperature", { min: 0, max: 2, step: 0.05, value: 0.3, shown: (x) => x.toFixed(2) });
  const topK = slider("Top-k", { min: 1, max: size(), step: 1, value: settings.topK ?? size(), shown: (x) => (x >= size() ? "all" : String(x)) });
  const topP = slider("Top-p", { min: 0.05, max: 1, step: 0.05, value: settings.topP ?? 1, shown: (x) => (x >= 1 ? "all" : x.toFixed(2)) });
  const length = element("input", { type: "text", inputmode: "numeric", value: String(settings.length), size: 5 });
  const seed = element("input", { type: "text", inputmode: "numeric", value: String(settings.seed), size: 5 });
  const two = element("input", { type: "checkbox", id: unique("two") });
  const twoLabel = element("label", { for: two.id, textContent: "two temperatures side by side, from one seed" });
  const generate = element("button", { type: "button", className: "mg-first", textContent: "Generate", onclick: () => write(Infinity) });
  const step = element("button", { type: "button", textContent: "Step", title: "Write one character, and see where the draw lands", onclick: () => write(1) });
  const stop = element("button", { type: "button", textContent: "Stop", disabled: true, onclick: () => { state.writing = false; } });
  const clear = element("button", { type: "button", textContent: "Clear", onclick: clearAll });
  const status = element("p", { className: "mg-status", role: "status" });
  const note = element("p", { className: "mg-note" });
  const texts = element("select", { onchange: showEarlier }, element("option", { value: "", textContent: "the newest" }));
  const textsField = field("Show", texts);
  const models = element("select", { onchange: chooseModel });
  const file = element("input", { type: "file", accept: ".safetensors", onchange: openFile });
  other.whole.hidden = true;
  two.addEventListener("change", () => { other.whole.hidden = !two.checked; });
  const controls = element(
    "div", { className: "mg-controls" },
    field("Model", models), ...(source.open ? [field("Your own model", file, "a file that save_pretrained wrote; it stays on this machine")] : []),
    field("Prompt", prompt), temperature.whole, other.whole,
    element("div", { className: "mg-check" }, two, twoLabel),
    topK.whole, topP.whole,
    element("div", { className: "mg-row" }, field("Length", length), field("Seed", seed)),
    element("div", { className: "mg-buttons" }, generate, step, stop, clear),
    status, note, textsField,
  );

  // What it shows
  const panels = element("div", { className: "mg-panels" });
  const legend = element(
    "p", { className: "mg-legend" }, "Surprise: ",
    ...SURPRISE.map(([, words], k) => element("span", { className: `mg-s${k}`, textContent: words })),
  );
  const place = element("h4", { textContent: "What comes next" });
  const strip = element("div", { className: "mg-strip" });
  const bars = element("ol", { className: "mg-bars", role: "listbox", tabindex: 0, "aria-label": "The likeliest characters; Enter continues from here with one" });
  const lens = element("table", { className: "mg-lens" });
  const thumbs = element("div", { className: "mg-thumbs", role: "radiogroup", "aria-label": "Attention heads; arrow keys choose one" });
  const map = element("canvas", { className: "mg-map", role: "img" });
  const mapWords = element("p", { className: "mg-note" });
  const off = element("input", { type: "checkbox", id: unique("off"), onchange: switchOff });
  const offLabel = element("label", { for: off.id, textContent: "switch this head off, and see the bars move" });
  const share = element("div", { className: "mg-buttons" },
    ...(source.link ? [element("button", { type: "button", textContent: "Copy a link", onclick: copyLink })] : []),
    element("button", { type: "button", textContent: "Save as a file", onclick: saveFile }));
  const inside = element(
    "div", { className: "mg-inside" },
    element("section", {}, place, strip, bars,
      element("p", { className: "mg-note", textContent: "Filled: what is drawn from, with temperature, top-k and top-p. Outlined: the model's own guess." })),
    element("section", {}, element("h4", { textContent: "The guess after each block" }), lens),
    element("section", {}, element("h4", { textContent: "Who looks at whom" }), thumbs, map, mapWords,
      element("div", { className: "mg-check" }, off, offLabel)),
  );
  root.classList.add("mg");
  root.replaceChildren(controls, element("div", { className: "mg-text" }, panels, legend, share), inside);

  // --- Settings ---

  function current() {
    return {
      prompt: prompt.value,
      temperature: temperature.value,
      topK: topK.value >= size() ? null : topK.value,
      topP: topP.value >= 1 ? null : topP.value,
      length: whole(length, "Length", 1, 5000),
      seed: whole(seed, "Seed", 0, 2 ** 53),
    };
  }

  // The settings where they can be used, else null and words.
  function checked() {
    try {
      const found = current();
      const wrong = source.check(found);
      if (wrong) throw new RangeError(wrong);
      const context = source.info.config.context_size;
      const given = [...found.prompt].length;
      note.textContent = given > context ? `The model sees the last ${context} of these ${given} characters.` : "";
      status.classList.remove("mg-error");
      return found;
    } catch (error) {
      status.classList.add("mg-error");
      status.textContent = error.message;
      return null;
    }
  }

  // --- Writing ---

  function newRun(own, text) {
    const list = element("div", { className: "mg-characters", role: "listbox", tabindex: 0, "aria-label": `The text at temperature ${own.temperature.toFixed(2)}: arrow keys pick a character` });
    const run = { settings: own, prompt: [...text], text: [], steps: [], bits: [], session: null, list };
    keys(list, (key) => moveInText(run, key));
    list.addEventListener("click", (event) => {
      const index = event.target.dataset?.place;
      if (index !== undefined) pick(run, Number(index));
    });
    run.title = element("h4", { textContent: `Temperature ${own.temperature.toFixed(2)}` });
    run.panel = element("section", {}, run.title, list);
    append(run, text, null);
    return run;
  }

  // Put characters behind a run's text, with what is known of each.
  function append(run, text, step) {
    for (const character of text) {
      const index = run.text.length;
      const span = element("span", { role: "option", id: unique("c"), "data-place": index, "aria-selected": "false" });
      span.textContent = character === "\n" ? "↵\n" : character;
      span.setAttribute("aria-label", { "\n": "line break", " ": "space" }[character] ?? character);
      run.list.append(span);
      run.text.push(character);
      run.steps.push(step);
      shade(run, index, step?.bits ?? null);
    }
  }

  function shade(run, index, bits) {
    run.bits[index] = bits;
    const level = bits === null ? 0 : SURPRISE.findLastIndex(([from]) => bits >= from);
    const span = run.list.children[index];
    span.className = `mg-s${level}${index < run.prompt.length ? " mg-prompt" : ""}`;
    if (bits !== null) span.title = `${bits.toFixed(1)} bits`;
  }

  async function begin(text, changes = {}) {
    const found = checked();
    if (!found) return false;
    const temperatures = two.checked ? [found.temperature, other.value] : [found.temperature];
    keep();
    state.runs = temperatures.map((t) => newRun({ ...found, ...changes, prompt: text, temperature: t }, text));
    panels.replaceChildren(...state.runs.map((run) => run.panel));
    panels.classList.toggle("mg-two", state.runs.length > 1);
    state.picked = null;
    const bits = await source.score(text);
    for (const run of state.runs) {
      run.session = await source.begin(text, run.settings);
      bits.forEach((value, index) => shade(run, index, value));
    }
    return true;
  }

  // Write `count` characters (Infinity: up to the length) behind the newest texts, or behind those
  // that `start` begins; it returns whether it could.
  async function write(count, start = () => begin(prompt.value)) {
    if (state.writing) return;
    let begun = count === 1 && state.runs[0]?.session && state.runs[0].settings.prompt === prompt.value && texts.value === "";
    state.writing = true; // from the click on: a kernel takes its time to begin
    busy(true);
    try {
      begun ||= await start();
      if (begun) await writeOn(count);
    } catch (error) {
      status.classList.add("mg-error");
      status.textContent = `Writing ended early: ${error.message}`;
    }
    state.writing = false;
    busy(false);
    if (!begun) return;
    if (count === 1) pick(state.runs[0], state.runs[0].text.length - 1);
    else await look();
  }

  async function writeOn(count) {
    const started = performance.now(), before = state.runs.map((run) => run.text.length);
    let shown = 0;
    for (const run of state.runs) run.left = Math.min(count, run.settings.length);
    while (state.writing && state.runs.some((run) => run.left > 0)) {
      for (const run of state.runs) {
        const steps = await run.session.next(Math.min(run.left, 8));
        run.left -= steps.length;
        for (const found of steps) append(run, found.character, found);
      }
      const done = state.runs[0].text.length - before[0];
      const speed = (state.runs.length * done) / ((performance.now() - started) / 1000);
      status.textContent = count === 1 ? `Drew ${visible(state.runs[0].text.at(-1))}.` : `Writing: ${done} characters, ${speed.toFixed(0)} a second. Settings that you change now hold for the next text.`;
      if (performance.now() - shown > 300) { // let the page answer, and show what comes
        shown = performance.now();
        await new Promise((resolve) => setTimeout(resolve));
      }
    }
    if (count > 1) {
      const done = state.runs[0].text.length - before[0];
      const seconds = (performance.now() - started) / 1000;
      const own = state.runs[0].steps.slice(before[0]).map((s) => s.bits);
      const mean = own.reduce((a, b) => a + b, 0) / Math.max(1, own.length);
      status.textContent = `${state.writing ? "Wrote" : "Stopped after"} ${done} characters in ${seconds.toFixed(1)} s, ${(state.runs.length * done / seconds).toFixed(0)} a second; ${mean.toFixed(2)} bits a character.`;
    }
  }

  function busy(writing) {
    for (const control of [generate, step, clear, models, file]) control.disabled = writing;
    stop.disabled = !writing;
    status.setAttribute("aria-busy", String(writing)); // a screen reader says only how it ended
  }

  // --- Earlier texts ---

  function keep() {
    for (const run of state.runs.filter((run) => run.text.length > run.prompt.length)) {
      state.earlier.push(run);
      const words = run.text.slice(0, 24).join("").replace(/\s+/g, " ");
      texts.append(element("option", { value: String(state.earlier.length - 1), textContent: `${state.earlier.length}: ${words} … (${run.settings.temperature.toFixed(2)}, seed ${run.settings.seed})` }));
    }
    texts.value = "";
  }

  function showEarlier() {
    const shown = texts.value === "" ? state.runs : [state.earlier[Number(texts.value)]];
    panels.replaceChildren(...shown.map((run) => run.panel));
    panels.classList.toggle("mg-two", shown.length > 1);
    if (shown[0]) pick(shown[0], shown[0].text.length - 1);
  }

  function clearAll() {
    keep();
    state.runs = [];
    state.picked = null;
    panels.replaceChildren();
    status.textContent = "";
    look();
  }

  // --- Picking a place ---

  function moveInText(run, key) {
    const now = state.picked?.run === run ? state.picked.place : run.text.length - 1;
    const back = run.text.slice(0, now).lastIndexOf("\n"), next = run.text.indexOf("\n", now);
    const column = now - back;
    const goal = {
      ArrowLeft: now - 1,
      ArrowRight: now + 1,
      ArrowUp: back < 0 ? 0 : Math.min(run.text.slice(0, back).lastIndexOf("\n") + column, back),
      ArrowDown: next < 0 ? run.text.length - 1 : next + column,
      Home: back + 1,
      End: next < 0 ? run.text.length - 1 : next,
    }[key];
    if (key === "Escape") { unpick(); look(); return true; }
    if (goal === undefined) return false;
    pick(run, Math.max(0, Math.min(run.text.length - 1, goal)));
    return true;
  }

  function unpick() {
    const before = state.picked;
    if (before) {
      const span = before.run.list.children[before.place];
      span?.setAttribute("aria-selected", "false");
      before.run.list.removeAttribute("aria-activedescendant");
    }
    state.picked = null;
  }

  function pick(run, index) {
    unpick();
    state.picked = { run, place: index };
    const span = run.list.children[index];
    span.setAttribute("aria-selected", "true");
    run.list.setAttribute("aria-activedescendant", span.id);
    const box = run.list; // not scrollIntoView, which would move the page
    if (span.offsetTop < box.scrollTop) box.scrollTop = span.offsetTop;
    if (span.offsetTop + span.offsetHeight > box.scrollTop + box.clientHeight) box.scrollTop = span.offsetTop + span.offsetHeight - box.clientHeight;
    look();
  }

  // What led to the picked place, whole and as the model sees it; without a place, up to the end of
  // the last whole word.
  function seenText() {
    const context = source.info.config.context_size;
    if (state.picked) {
      const { run, place: index } = state.picked;
      const from = run.steps[index]?.start ?? Math.max(0, index - context);
      return { whole: run.text.slice(0, index), text: run.text.slice(from, index), step: run.steps[index], actual: run.text[index], run };
    }
    const run = state.runs[0];
    let found = run ? run.text : [...prompt.value];
    const cut = found.findLastIndex((character) => /[\s\p{P}]/u.test(character));
    if (run && run.text.length > run.prompt.length && cut >= 0) found = found.slice(0, cut + 1);
    return { whole: found, text: found.slice(-context), step: null, actual: null, run };
  }

  let asked = 0;
  async function look() {
    const mine = ++asked;
    const found = checked();
    const seen = seenText();
    if (!found || !seen.text.length) {
      if (!seen.text.length) place.textContent = "Nothing stands before the first character";
      return;
    }
    const own = state.picked && seen.step ? { ...seen.run.settings, temperature: found.temperature, topK: found.topK, topP: found.topP } : found;
    let answer;
    try {
      answer = await source.look(seen.text.join(""), own, state.off);
    } catch (error) {
      status.classList.add("mg-error");
      status.textContent = error.message;
      return;
    }
    if (mine !== asked) return; // another place was picked meanwhile
    const other = answer.maps !== state.looked?.maps; // the temperature, for one, changes the bars alone
    state.looked = { ...answer, ...seen };
    showBars();
    if (!other) return;
    showLens();
    showHeads();
  }

  // --- Bars ---

  function showBars() {
    const { before, after, text, step: found, actual } = state.looked;
    const tail = text.slice(-18).join("").replace(/\n/g, "↵");
    place.textContent = actual === null ? `After “${tail}”` : `In the place of “${visible(actual)}”, after “${tail}”`;
    const ranked = Array.from(before.keys()).sort((i, j) => after[j] - after[i] || before[j] - before[i] || i - j);
    const shown = ranked.slice(0, SHOWN);
    const at = source.info.vocabulary.indexOf(actual ?? "\0");
    if (at >= 0 && !shown.includes(at)) shown[SHOWN - 1] = at;
    const largest = Math.max(...shown.map((i) => Math.max(before[i], after[i])), 1e-9);
    selected = -1;
    bars.removeAttribute("aria-activedescendant");
    bars.replaceChildren(...shown.map((i, row) => {
      const character = source.info.vocabulary[i];
      const item = element("li", { role: "option", id: unique("b"), "aria-selected": "false", "data-character": character,
        "aria-label": `${visible(character)}: ${percent(after[i])}, the model's own ${percent(before[i])}${i === at ? ", written" : ""}` },
        element("b", { textContent: visible(character) }),
        element("span", { className: "mg-bar" },
          element("i", { className: "mg-own", style: `width:${(100 * before[i]) / largest}%` }),
          element("i", { className: "mg-drawn", style: `width:${(100 * after[i]) / largest}%` })),
        element("span", { className: "mg-number", textContent: percent(after[i]) }));
      if (i === at) item.classList.add("mg-actual");
      item.addEventListener("click", () => select(row, true));
      return item;
    }));
    // The draw: the likeliest side by side from 0 to 1, in the order of the vocabulary, and where it fell.
    strip.replaceChildren();
    if (found && found.u !== undefined) {
      let from = 0;
      for (const [i, p] of Array.from(found.after).entries()) {
        if (p > 0.004) {
          const part = element("span", { className: i === at ? "mg-hit" : "", style: `left:${100 * from}%;width:${100 * p}%` });
          if (p > 0.03) part.textContent = visible(source.info.vocabulary[i]);
          strip.append(part);
        }
        from += p;
      }
      strip.append(element("i", { className: "mg-needle", style: `left:${100 * found.u}%` }));
      strip.title = `The random number ${found.u.toFixed(3)} fell on ${visible(actual)}`;
    }
    strip.hidden = !strip.children.length;
    strip.setAttribute("role", "img");
    strip.setAttribute("aria-label", strip.title || "no draw");
  }

  let selected = -1;
  function select(row, use = false) {
    selected = Math.max(0, Math.min(bars.children.length - 1, row));
    for (const item of bars.children) item.setAttribute("aria-selected", "false");
    const item = bars.children[selected];
    item.setAttribute("aria-selected", "true");
    bars.setAttribute("aria-activedescendant", item.id);
    if (use) branch(item.dataset.character);
  }
  keys(bars, (key) => {
    if (key === "ArrowDown" || key === "ArrowUp") { select(selected + (key === "ArrowDown" ? 1 : -1)); return true; }
    if (key === "Enter" && selected >= 0) { select(selected, true); return true; }
    return false;
  });

  // Go on from the picked place with another character: a text of its own, the old one is kept.
  async function branch(character) {
    if (state.writing) return;
    const { run, whole: led } = state.looked;
    await write(Infinity, () => begin(led.join("") + character, run ? { seed: run.settings.seed } : {}));
  }

  // --- The guess after each block ---

  function showLens() {
    const rows = state.looked.lens.map((probabilities, b) => {
      const best = Array.from(probabilities.keys()).sort((i, j) => probabilities[j] - probabilities[i]).slice(0, 3);
      return element("tr", {}, element("th", { scope: "row", textContent: b === 0 ? "embedding" : `block ${b - 1}` }),
        ...best.map((i) => element("td", {}, element("b", { textContent: visible(source.info.vocabulary[i]) }), ` ${percent(probabilities[i])}`,
          element("i", { className: "mg-small", style: `width:${100 * probabilities[i]}%` }))));
    });
    lens.replaceChildren(element("caption", { textContent: "If the model ended there, it would say:" }), element("tbody", {}, ...rows));
  }

  // --- Attention ---

  const weight = (b, h, row, column) => {
    const { maps, size } = state.looked;
    const H = source.info.config.num_heads;
    return maps[((b * H + h) * size + row) * size + column];
  };

  function paint(canvas, b, h, pixels, labels) {
    const { size, text } = state.looked;
    const ratio = window.devicePixelRatio || 1, edge = labels ? 14 : 0;
    canvas.width = canvas.height = Math.round((pixels + edge) * ratio);
    canvas.style.width = canvas.style.height = `${pixels + edge}px`;
    const context = canvas.getContext("2d");
    const ink = getComputedStyle(root).color, accent = getComputedStyle(root).getPropertyValue("--mg-accent");
    const cell = pixels / size;
    context.scale(ratio, ratio);
    context.translate(edge, edge);
    for (let row = 0; row < size; row++) {
      let largest = 0;
      for (let column = 0; column <= row; column++) largest = Math.max(largest, weight(b, h, row, column));
      context.fillStyle = ink;
      for (let column = 0; column <= row; column++) {
        context.globalAlpha = largest ? weight(b, h, row, column) / largest : 0;
        context.fillRect(column * cell, row * cell, cell + 0.3, cell + 0.3);
      }
    }
    context.globalAlpha = 0.35; // the future is hatched: nobody can look there
    context.strokeStyle = ink;
    context.save();
    context.beginPath();
    for (let row = 0; row < size; row++) context.rect((row + 1) * cell, row * cell, pixels, cell);
    context.clip();
    context.beginPath();
    for (let x = -pixels; x < pixels; x += labels ? 6 : 4) { context.moveTo(x, pixels); context.lineTo(x + pixels, 0); }
    context.stroke();
    context.restore();
    context.globalAlpha = 1;
    context.strokeStyle = accent;
    context.lineWidth = labels ? 2 : 1;
    context.strokeRect(0, (size - 1) * cell, pixels, cell); // the row that led to the picked place
    if (labels) {
      context.fillStyle = ink;
      context.font = `${Math.max(6, Math.min(11, cell))}px monospace`;
      context.textAlign = "center";
      const last = text.slice(-size);
      for (let k = 0; k < size; k++) {
        context.fillText(visible(last[k]), (k + 0.5) * cell, -3);
        context.fillText(visible(last[k]), -7, (k + 0.8) * cell);
      }
    }
  }

  // The heads of all models stand one behind another; there are several models in an ensemble only.
  const headsOfEach = () => source.info.config.num_heads / (source.info.config.num_models ?? 1);
  const nameOf = (b, h) => {
    const each = headsOfEach(), several = source.info.config.num_heads > each;
    return `block ${b}, ${several ? `model ${Math.floor(h / each)}, ` : ""}head ${h % each}`;
  };

  function showHeads() {
    const { num_blocks: N, num_heads: H } = source.info.config;
    const { size, text } = state.looked;
    if (!state.head) { // the head whose newest row looks hardest at one place, a few characters back
      let best = -1;
      for (let b = 0; b < N; b++) for (let h = 0; h < H; h++) for (let s = 0; s < size - 3; s++) {
        const value = weight(b, h, size - 1, s);
        if (value > best) { best = value; state.head = [b, h]; }
      }
      state.head ??= [0, 0];
    }
    thumbs.style.setProperty("--mg-heads", headsOfEach());
    thumbs.replaceChildren();
    for (let b = 0; b < N; b++) for (let h = 0; h < H; h++) {
      const chosen = state.head[0] === b && state.head[1] === h;
      const gone = state.off && state.off[0] === b && state.off[1] === h;
      const canvas = element("canvas", { "aria-hidden": "true" });
      const button = element("button", { type: "button", role: "radio", "aria-checked": String(chosen), tabindex: chosen ? 0 : -1, "aria-label": `${nameOf(b, h)}${gone ? ", switched off" : ""}`, title: nameOf(b, h), onclick: () => chooseHead(b, h) }, canvas);
      if (gone) button.classList.add("mg-gone");
      thumbs.append(button);
      paint(canvas, b, h, 36, false);
    }
    const [b, h] = state.head;
    paint(map, b, h, Math.max(180, Math.min(360, root.clientWidth - 60)), true);
    const last = text.slice(-size);
    const most = Array.from({ length: size }, (_, s) => s).sort((i, j) => weight(b, h, size - 1, j) - weight(b, h, size - 1, i)).slice(0, 3);
    const words = most.map((s) => `“${visible(last[s])}” (${size - 1 - s} back) ${percent(weight(b, h, size - 1, s))}`).join(", ");
    mapWords.textContent = `${nameOf(b, h).replace("b", "B")}. The framed row looks most at ${words}. In each row the strongest cell, in the colour of the text, is that row's largest weight; the hatched part is the future, which nobody sees.`;
    map.setAttribute("aria-label", mapWords.textContent);
    off.checked = Boolean(state.off && state.off[0] === b && state.off[1] === h);
  }

  function chooseHead(b, h, focus = false) {
    state.head = [b, h];
    showHeads();
    if (focus) thumbs.querySelector('[aria-checked="true"]').focus();
  }
  keys(thumbs, (key) => {
    const { num_blocks: N, num_heads: H } = source.info.config;
    const row = headsOfEach(), by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -row, ArrowDown: row }[key];
    if (by === undefined) return false;
    const next = (state.head[0] * H + state.head[1] + by + N * H) % (N * H);
    chooseHead(Math.floor(next / H), next % H, true);
    return true;
  });

  function switchOff() {
    state.off = off.checked ? [...state.head] : null;
    look();
  }

  // --- Models, links, files ---

  function showModels() {
    models.replaceChildren(...source.info.models.map((name) => element("option", { value: name, textContent: name })));
    models.value = source.info.name;
  }

  async function changeModel(change) {
    try {
      await change();
      prompt.value = known(prompt.value);
      topK.input.max = topK.input.value = String(size());
      topK.input.dispatchEvent(new Event("input"));
      state.head = state.off = null;
      clearAll();
      showModels();
      status.classList.remove("mg-error");
      status.textContent = `This is ${source.info.name}.`;
      await look();
    } catch (error) {
      status.classList.add("mg-error");
      status.textContent = error.message;
    }
  }
  function chooseModel() { return changeModel(() => source.choose(models.value)); }
  function openFile() { return file.files[0] && changeModel(() => source.open(file.files[0])); }

  async function copyLink() {
    const found = checked();
    if (!found) return;
    const link = source.link(found);
    try {
      await navigator.clipboard.writeText(link);
      status.textContent = "The link is in the clipboard: it holds the settings and the seed, so it writes the same text.";
    } catch {
      status.textContent = `The link: ${link}`;
    }
  }

  function saveFile() {
    const run = state.picked?.run ?? state.runs[0];
    if (!run) { status.textContent = "Write something first."; return; }
    const content = JSON.stringify({ model: source.info.name, settings: run.settings, text: run.text.join("") }, null, 1);
    const link = element("a", { href: URL.createObjectURL(new Blob([content], { type: "application/json" })), download: "minigrad-text.json" });
    link.click();
    URL.revokeObjectURL(link.href);
  }

  for (const input of [temperature.input, topK.input, topP.input]) input.addEventListener("input", () => look());
  prompt.addEventListener("keydown", (event) => { // JupyterLab lets no line break into an output
    if (event.key !== "Enter" || event.isComposing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    prompt.setRangeText("\n", prompt.selectionStart, prompt.selectionEnd, "end");
    prompt.dispatchEvent(new Event("input"));
  });
  // The maps are painted in the colour of the text, so a change of the theme paints them again.
  const repaint = () => { if (state.looked && root.isConnected) showHeads(); };
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", repaint);
  new MutationObserver(repaint).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  prompt.addEventListener("input", () => { if (!state.runs.length) look(); else checked(); });
  for (const input of [length, seed]) input.addEventListener("input", () => checked());
  showModels();
  look();
  return { write, state };
}
