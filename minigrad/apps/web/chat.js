// The chat: one view of a conversation with a model, and of what the model saw in each token.
//
// `chat(root, source)` fills an element. `source` is where the numbers come from:
//   info                    { name, note, system, blocks, heads, context }
//   ask("history")          -> turns { who, tokens }: what was said before this view was drawn
//   ask("say", text, settings)             -> { session, question: tokens { place, text } }
//   ask("again", settings)                 -> { session }: the last answer is forgotten
//   ask("branch", place, token, settings)  -> { session, step }: what follows the place is forgotten
//   ask("next", session, count)            -> { steps { place, text, bits }, end: "" or why it ended }
//   ask("stop", session)                   the answer ends here
//   ask("look", place, settings)           -> { candidates { token, text, own, drawn }, written, texts, from, maps }
//   ask("reset")                           a new conversation

import { element, field, keys, percent, slider, SURPRISE, unique, whole } from "./elements.js";

const CHAT_DEFAULTS = { temperature: 0.2, topK: null, topP: 0.9, length: 300, seed: 1 };
const MOST_K = 200; // the top-k slider's right end stands for all tokens
const ENDS = {
  length: (own) => ` It was cut off: the longest answer is set to ${own.length} tokens.`,
  full: () => " The context is full: begin a new conversation.",
  end: () => "",
};

// A token as one can see it.
const shown = (text) => text.replace(/ /g, "␣").replace(/\n/g, "↵").replace(/\t/g, "⇥") || "⋯";

export function chat(root, source, start = {}) {
  const info = source.info;
  const defaults = { ...CHAT_DEFAULTS, system: info.system, ...start };
  const state = {
    turns: [], // { who, list, settings }; the list's children are tokens
    spans: new Map(), // place -> the token's element
    picked: null, // a place
    looked: null, // the last answer of "look"
    writing: false,
  };

  // Conversation
  const log = element("div", { className: "mg-log", role: "group", tabindex: 0, "aria-label": "The conversation" });
  const legend = element("p", { className: "mg-legend" });
  const spoken = element("p", { className: "mg-spoken", "aria-live": "polite" });
  const message = element("textarea", { rows: 2, value: start.message ?? "" });
  const send = element("button", { type: "button", className: "mg-first", textContent: "Send", onclick: say });
  const stop = element("button", { type: "button", textContent: "Stop", disabled: true, onclick: halt });
  const again = element("button", { type: "button", textContent: "Another answer", disabled: true, title: "Forget the last answer and write one with the next seed", onclick: sayAgain });
  const reset = element("button", { type: "button", textContent: "New conversation", onclick: startAgain });
  const save = element("button", { type: "button", textContent: "Save as a file", onclick: saveFile });
  const status = element("p", { className: "mg-status", role: "status" });
  const messageField = field("Your message", message, "Enter sends, Shift+Enter makes a new line, Escape stops an answer");

  // Settings
  const temperature = slider("Temperature", { min: 0, max: 2, step: 0.05, value: defaults.temperature, shown: (x) => x.toFixed(2) });
  const topK = slider("Top-k", { min: 1, max: MOST_K, step: 1, value: defaults.topK ?? MOST_K, shown: (x) => (x >= MOST_K ? "all" : String(x)) });
  const topP = slider("Top-p", { min: 0.05, max: 1, step: 0.05, value: defaults.topP ?? 1, shown: (x) => (x >= 1 ? "all" : x.toFixed(2)) });
  const length = element("input", { type: "text", inputmode: "numeric", value: String(defaults.length), size: 5 });
  const seed = element("input", { type: "text", inputmode: "numeric", value: String(defaults.seed), size: 5 });
  const system = element("textarea", { rows: 2, value: defaults.system });
  const settings = element(
    "details", { className: "mg-settings" }, element("summary", { textContent: "Settings" }),
    element("div", { className: "mg-controls" }, temperature.whole, topK.whole, topP.whole,
      element("div", { className: "mg-row" }, field("Longest answer, in tokens", length), field("Seed", seed)),
      field("System text", system, "what the model is told before your first message; changes hold from the next conversation on")),
  );

  // What it shows of a token
  const title = element("h4", { textContent: "Pick a token of an answer" });
  const hint = element("p", { className: "mg-note", textContent: "Click one, or move with the arrow keys: what else might have stood there, and where the model looked when it chose." });
  const bars = element("ol", { className: "mg-bars mg-wide", role: "listbox", tabindex: 0, "aria-label": "The likeliest tokens; Enter goes on from here with one", hidden: true });
  const block = element("select", { onchange: showAttention });
  const head = element("select", { onchange: showAttention });
  const numbered = (name, count) => [element("option", { value: "", textContent: `mean of all ${name}s` }),
    ...Array.from({ length: count }, (_, k) => element("option", { value: String(k), textContent: `${name} ${k + 1}` }))];
  block.append(...numbered("block", info.blocks));
  head.append(...numbered("head", info.heads));
  const words = element("p", { className: "mg-note" });
  const attention = element("section", { hidden: true }, element("h4", { textContent: "Where it looked" }),
    element("div", { className: "mg-row" }, field("Block", block), field("Head", head)), words);
  root.classList.add("mg");
  root.replaceChildren(
    element("div", { className: "mg-text" }, log, legend, spoken),
    element("div", { className: "mg-say" }, messageField, element("div", { className: "mg-buttons" }, send, stop, again, reset, save), status,
      element("p", { className: "mg-note", textContent: info.note }), settings),
    element("div", { className: "mg-inside" }, element("section", {}, title, hint, bars), attention),
  );

  // --- Settings and errors ---

  function current() {
    return {
      temperature: temperature.value,
      topK: topK.value >= MOST_K ? null : topK.value,
      topP: topP.value >= 1 ? null : topP.value,
      length: whole(length, "Longest answer", 1, info.context),
      seed: whole(seed, "Seed", 0, 2 ** 53),
      system: system.value,
    };
  }

  function tell(text, wrong = false) {
    status.classList.toggle("mg-error", wrong);
    status.textContent = text;
  }

  function checked() {
    try {
      return current();
    } catch (error) {
      settings.open = true;
      tell(error.message, true);
      return null;
    }
  }

  // --- The conversation ---

  function newTurn(who) {
    const list = element("div", { className: "mg-tokens", role: "listbox", tabindex: 0, "aria-label": `${who === "you" ? "What you said" : "The answer"}: arrow keys pick a token` });
    const turn = { who, list, text: "", tokens: [], part: element("section", { className: `mg-turn mg-${who}` }, element("h4", { textContent: who === "you" ? "You" : info.name }), list) };
    keys(list, (key) => move(turn, key));
    list.addEventListener("click", (event) => {
      const index = event.target.dataset?.place;
      if (index !== undefined) pick(Number(index));
    });
    state.turns.push(turn);
    log.append(turn.part);
    return turn;
  }

  function add(turn, { place, text, bits = null }) {
    const span = element("span", { role: "option", id: unique("t"), "data-place": place, "aria-selected": "false", "aria-label": shown(text) });
    span.textContent = text;
    span.bits = bits;
    turn.list.append(span);
    turn.text += text;
    turn.tokens.push(place);
    state.spans.set(place, span);
    if (bits !== null) span.title = `${bits.toFixed(1)} bits`;
    shade(span);
    log.scrollTop = log.scrollHeight;
  }

  // Outside of a look the shade is the surprise.
  function shade(span) {
    const level = span.bits === null ? 0 : SURPRISE.findLastIndex(([from]) => span.bits >= from);
    span.className = `mg-s${level}`;
    span.style.removeProperty("--mg-weight");
  }

  function showLegend(looking) {
    if (looking) legend.replaceChildren("Shade: how much the model looked at a token when it chose the framed one.");
    else legend.replaceChildren("Surprise: ", ...SURPRISE.map(([, text], k) => element("span", { className: `mg-s${k}`, textContent: text })));
  }

  async function say() {
    if (state.writing) return;
    const own = checked(), text = message.value.trim();
    if (!own) return;
    if (!text) { tell("Say something first.", true); return; }
    await answer("Reading your message …", own, () => source.ask("say", text, own), (begun) => {
      message.value = "";
      const turn = newTurn("you");
      for (const token of begun.question) add(turn, token);
    });
  }

  async function sayAgain() {
    if (state.writing) return;
    try {
      seed.value = String(whole(seed, "Seed", 0, 2 ** 53 - 1) + 1);
    } catch (error) {
      tell(error.message, true);
      return;
    }
    const own = checked();
    if (own) await answer("Thinking again …", own, () => source.ask("again", own), () => forget(state.turns.at(-1)));
  }

  // Go on from a place with another token; what followed is forgotten.
  async function branch(token) {
    if (state.writing) return;
    const own = checked(), place = state.picked;
    if (!own) return;
    const turn = state.turns.find(({ tokens }) => tokens.includes(place));
    await answer("Going on from there …", own, () => source.ask("branch", place, token, own), (begun) => {
      while (state.turns.at(-1) !== turn) forget(state.turns.at(-1));
      for (const later of turn.tokens.filter((at) => at >= place)) drop(turn, later);
      turn.text = turn.tokens.map((at) => state.spans.get(at).textContent).join("");
      if (begun.step) add(turn, begun.step);
      return turn;
    });
  }

  function drop(turn, at) {
    state.spans.get(at)?.remove();
    state.spans.delete(at);
    turn.tokens = turn.tokens.filter((one) => one !== at);
  }

  function forget(turn) {
    for (const at of [...turn.tokens]) drop(turn, at);
    turn.part.remove();
    state.turns.splice(state.turns.indexOf(turn), 1);
  }

  // Ask for an answer, show what the question changes, and write the answer as it comes.
  async function answer(saying, own, ask, prepare) {
    unpick();
    busy(true);
    tell(saying);
    let session = null, reason = "", turn = null, written = 0, surprise = 0;
    try {
      const begun = await ask();
      session = begun.session;
      turn = prepare(begun) ?? newTurn("model");
      const started = performance.now();
      const say = (first) => tell(`${first} ${written} tokens in ${((performance.now() - started) / 1000).toFixed(1)} s, ${(written / ((performance.now() - started) / 1000)).toFixed(0)} a second; ${(surprise / Math.max(1, written)).toFixed(2)} bits a token.${ENDS[reason]?.(own) ?? ""}`);
      while (state.writing && !reason) {
        const { steps, end } = await source.ask("next", session, 8);
        for (const step of steps) {
          add(turn, step);
          written += 1;
          surprise += step.bits;
        }
        reason = end;
        if (!reason) tell(`Writing: ${written} tokens.`);
      }
      if (!reason) await source.ask("stop", session);
      say(reason ? "Wrote" : "Stopped after");
      spoken.textContent = turn.text;
    } catch (error) {
      tell(error.message, true);
      if (session !== null) await source.ask("stop", session).catch(() => {});
    }
    busy(false);
    message.focus({ preventScroll: true });
  }

  function busy(writing) {
    state.writing = writing;
    for (const button of [send, reset, save]) button.disabled = writing;
    again.disabled = writing || state.turns.at(-1)?.who !== "model";
    stop.disabled = !writing;
  }

  function halt() { state.writing = false; stop.disabled = true; }

  async function startAgain() {
    try {
      await source.ask("reset");
    } catch (error) {
      tell(error.message, true);
      return;
    }
    unpick();
    for (const turn of [...state.turns]) forget(turn);
    busy(false);
    tell("");
    message.focus({ preventScroll: true });
  }

  function saveFile() {
    const messages = state.turns.map(({ who, text }) => ({ role: who === "you" ? "user" : "assistant", content: text }));
    const content = JSON.stringify({ model: info.name, system: system.value, messages }, null, 1);
    const link = element("a", { href: URL.createObjectURL(new Blob([content], { type: "application/json" })), download: "minigrad-chat.json" });
    link.click();
    URL.revokeObjectURL(link.href);
  }

  // --- Picking a token ---

  function move(turn, key) {
    const { tokens } = turn;
    const now = tokens.includes(state.picked) ? tokens.indexOf(state.picked) : tokens.length;
    const goal = { ArrowLeft: now - 1, ArrowRight: now + 1, ArrowUp: now - 10, ArrowDown: now + 10, Home: 0, End: tokens.length - 1 }[key];
    if (key === "Escape" && state.picked !== null && !state.writing) { unpick(); return true; }
    if (goal === undefined || !tokens.length) return false;
    pick(tokens[Math.max(0, Math.min(tokens.length - 1, goal))]);
    return true;
  }

  function unpick() {
    if (state.picked === null) return;
    const span = state.spans.get(state.picked);
    span?.setAttribute("aria-selected", "false");
    span?.parentElement?.removeAttribute("aria-activedescendant");
    state.picked = state.looked = null;
    title.textContent = "Pick a token of an answer";
    hint.hidden = false;
    bars.hidden = attention.hidden = true;
    state.spans.forEach(shade);
    showLegend(false);
  }

  let asked = 0;
  async function pick(place) {
    if (state.writing) return;
    unpick();
    state.picked = place;
    const span = state.spans.get(place), mine = ++asked;
    span.setAttribute("aria-selected", "true");
    span.parentElement.setAttribute("aria-activedescendant", span.id);
    title.textContent = `In the place of “${shown(span.textContent)}”`;
    await look(mine);
  }

  async function look(mine = ++asked) {
    const own = checked();
    if (!own || state.picked === null) return;
    let found;
    try {
      found = await source.ask("look", state.picked, own);
    } catch (error) {
      tell(error.message, true);
      return;
    }
    if (mine !== asked || state.picked === null) return; // another token was picked meanwhile
    state.looked = found;
    hint.hidden = true;
    bars.hidden = attention.hidden = false;
    showBars();
    showAttention();
  }

  // --- Alternatives ---

  let selected = -1;
  function showBars() {
    const { candidates, written } = state.looked;
    const largest = Math.max(...candidates.map(({ own, drawn }) => Math.max(own, drawn)), 1e-9);
    selected = -1;
    bars.removeAttribute("aria-activedescendant");
    bars.replaceChildren(...candidates.map(({ token, text, own, drawn }, row) => {
      const item = element("li", { role: "option", id: unique("b"), "aria-selected": "false", "data-token": token,
        "aria-label": `${shown(text)}: ${percent(drawn)}, the model's own ${percent(own)}${token === written ? ", written" : ""}` },
        element("b", { textContent: shown(text) }),
        element("span", { className: "mg-bar" },
          element("i", { className: "mg-own", style: `width:${(100 * own) / largest}%` }),
          element("i", { className: "mg-drawn", style: `width:${(100 * drawn) / largest}%` })),
        element("span", { className: "mg-number", textContent: percent(drawn) }));
      if (token === written) item.classList.add("mg-actual");
      item.addEventListener("click", () => select(row, true));
      return item;
    }));
  }

  function select(row, use = false) {
    selected = Math.max(0, Math.min(bars.children.length - 1, row));
    for (const item of bars.children) item.setAttribute("aria-selected", "false");
    const item = bars.children[selected];
    item.setAttribute("aria-selected", "true");
    bars.setAttribute("aria-activedescendant", item.id);
    if (use) branch(Number(item.dataset.token));
  }
  keys(bars, (key) => {
    if (key === "ArrowDown" || key === "ArrowUp") { select(selected + (key === "ArrowDown" ? 1 : -1)); return true; }
    if (key === "Enter" && selected >= 0) { select(selected, true); return true; }
    return false;
  });

  // --- Attention ---

  // How much each token before the picked one was looked at: the mean of the chosen heads.
  function weights() {
    const { maps, texts } = state.looked, size = texts.length;
    const blocks = block.value === "" ? [...Array(info.blocks).keys()] : [Number(block.value)];
    const heads = head.value === "" ? [...Array(info.heads).keys()] : [Number(head.value)];
    const found = new Float64Array(size);
    for (const b of blocks) for (const h of heads) for (let s = 0; s < size; s++) {
      found[s] += maps[(b * info.heads + h) * size + s] / (blocks.length * heads.length);
    }
    return found;
  }

  function showAttention() {
    if (!state.looked) return;
    const found = weights(), { from, texts } = state.looked;
    const seen = [...found.keys()].filter((s) => state.spans.has(from + s));
    const largest = Math.max(...seen.map((s) => found[s]), 1e-9);
    for (const [place, span] of state.spans) {
      const weight = place - from >= 0 && place - from < found.length ? found[place - from] / largest : 0;
      span.className = "mg-looked";
      span.style.setProperty("--mg-weight", `${Math.round(60 * weight)}%`);
    }
    showLegend(true);
    const most = seen.sort((i, j) => found[j] - found[i]).slice(0, 4);
    const hidden = 1 - seen.reduce((sum, s) => sum + found[s], 0);
    const list = most.map((s) => `“${shown(texts[s])}” ${percent(found[s])}`).join(", ");
    const first = found[0] > 0.2 && from === 0 && !state.spans.has(0) ? `, ${percent(found[0])} at the first of all, where heads look that find nothing` : "";
    words.textContent = `${list ? `Most at ${list}. ` : ""}${percent(Math.max(0, hidden))} went to tokens that are not shown here: those which mark the turns, and the system text${first}.`;
  }

  // --- Keys ---

  message.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation(); // a notebook would run the cell
    if (event.shiftKey) message.setRangeText("\n", message.selectionStart, message.selectionEnd, "end");
    else say();
  });
  root.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !state.writing) return;
    event.preventDefault();
    event.stopPropagation();
    halt();
  }, true);
  for (const input of [temperature.input, topK.input, topP.input]) input.addEventListener("input", () => look());
  showLegend(false);
  busy(false);
  source.ask("history").then((turns) => {
    for (const { who, tokens } of turns) {
      const turn = newTurn(who);
      for (const token of tokens) add(turn, token);
    }
    busy(false);
  }, (error) => tell(error.message, true));
  return { say, state };
}
