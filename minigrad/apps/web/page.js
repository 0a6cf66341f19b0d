// The playground on a page: the engine computes here, in the reader's browser. No other host is asked.

import { generate, nextTokenProbabilities, softmax } from "./engine.js";
import { readModel } from "./file.js";
import { numpyRandom } from "./random.js";
import { view } from "./view.js";

const MAPPED = 48; // characters in an attention map

const options = (settings) => ({ temperature: settings.temperature, topK: settings.topK, topP: settings.topP });

export class PageSource {
  // `models` maps names to functions that give a file's bytes (an ArrayBuffer, or a promise of one).
  constructor(models) {
    this.models = new Map(Object.entries(models));
    this.last = {}; // what was looked at last: see read
    this.scored = null; // the reader of the text that was scored last: see begin
  }

  async choose(name) {
    this.use(name, readModel(await this.models.get(name)()));
  }

  async open(file) {
    const found = readModel(await file.arrayBuffer());
    this.models.set(file.name, () => file.arrayBuffer());
    this.use(file.name, found);
  }

  use(name, { model, tokenizer }) {
    this.model = model;
    this.tokenizer = tokenizer;
    this.info = { name, config: model.config, vocabulary: tokenizer.characters, models: [...this.models.keys()] };
  }

  check({ prompt }) {
    if (!prompt) return "The prompt is empty: give the model at least one character.";
    const unknown = [...new Set(prompt)].filter((c) => !this.tokenizer.numbers.has(c));
    return unknown.length ? `The model has never seen ${unknown.map((c) => JSON.stringify(c)).join(", ")}: leave that out of the prompt.` : "";
  }

  async begin(text, settings) {
    const { tokenizer, scored } = this;
    const tokens = tokenizer.encode(text), seen = tokens.slice(-this.model.config.context_size);
    // The reader that scored this text goes on with it; it has read all but the last character.
    const read = scored?.model === this.model && String(scored.tokens) === String(seen.slice(0, -1));
    this.scored = null;
    const steps = generate(this.model, tokens, numpyRandom(settings.seed), options(settings), read ? scored : undefined);
    return {
      async next(count) {
        const found = [], begun = performance.now();
        while (found.length < count && performance.now() - begun < 60) {
          const { token, logits, probabilities, u, start } = steps.next().value;
          const own = softmax(Float64Array.from(logits))[token];
          found.push({ character: tokenizer.characters[token], bits: -Math.log2(Math.max(own, 1e-300)), u, start, after: probabilities });
        }
        return found;
      },
    };
  }

  // Everything about the place behind a text: see view.js.
  async look(text, settings, off) {
    const { guesses, maps, size } = this.read(this.tokenizer.encode(text).slice(-this.model.config.context_size), off);
    const logits = guesses.at(-1);
    return {
      before: softmax(Float64Array.from(logits)),
      after: nextTokenProbabilities(logits, options(settings)),
      lens: guesses.map((guess) => softmax(Float64Array.from(guess))),
      maps,
      size,
    };
  }

  // What the model computes for tokens. Places that are looked at one after another have most of
  // their text in common: the reader of the last one is kept, and goes back to where the map begins
  // or to where the texts part. Other settings alone change nothing of this.
  read(tokens, off) {
    const { num_blocks: N, num_heads: H } = this.model.config;
    const size = Math.min(tokens.length, MAPPED), first = tokens.length - size;
    let { reader, found } = this.last;
    if (reader?.model !== this.model || String(reader.off) !== String(off)) reader = this.model.reader(off);
    else if (String(reader.tokens) === String(tokens)) return found;
    let same = 0;
    while (same < first && reader.tokens[same] === tokens[same]) same++;
    reader.goBack(same);
    const maps = new Float32Array(N * H * size * size);
    tokens.slice(same).forEach((token, t) => {
      reader.read(token);
      const row = same + t - first;
      if (row < 0) return;
      const { attention } = reader;
      for (let b = 0; b < N; b++) for (let h = 0; h < H; h++) {
        maps.set(attention[b][h].subarray(first), ((b * H + h) * size + row) * size);
      }
    });
    found = { guesses: reader.streams.map((stream) => this.model.logits(stream)), maps, size };
    this.last = { reader, found };
    return found;
  }

  // The surprise, in bits, of each character of a text at those before it; null for the first.
  async score(text) {
    const T = this.model.config.context_size;
    const tokens = this.tokenizer.encode(text);
    const bits = tokens.map(() => null);
    const reader = this.scored = this.model.reader();
    const from = Math.max(0, tokens.length - T);
    for (let t = from; t + 1 < tokens.length; t++) {
      const probabilities = softmax(Float64Array.from(reader.next(tokens[t])));
      bits[t + 1] = -Math.log2(Math.max(probabilities[tokens[t + 1]], 1e-300));
    }
    return bits;
  }

  link(settings) {
    const place = new URL(window.location.href);
    place.hash = new URLSearchParams(Object.entries(settings).filter(([, value]) => value !== null)).toString();
    return place.href;
  }
}

const WHOLE = /^\d+$/, DECIMAL = /^\d*\.?\d+$/;

// Settings from the part of an address behind #, where they make sense.
export function settingsOf(hash) {
  const found = new URLSearchParams(hash.replace(/^#/, ""));
  const settings = {};
  if (found.has("prompt")) settings.prompt = found.get("prompt").slice(0, 5000);
  for (const [name, low, high, form] of [
    ["temperature", 0, 2, DECIMAL], ["topK", 1, 1e6, WHOLE], ["topP", 0.05, 1, DECIMAL], ["length", 1, 5000, WHOLE], ["seed", 0, 2 ** 53, WHOLE],
  ]) {
    const text = found.get(name) ?? "", value = Number(text);
    if (form.test(text) && value >= low && value <= high) settings[name] = value; // Number("") is 0
  }
  return settings;
}

// Fill an element with a playground of the models, the first one chosen.
export async function start(root, models) {
  const source = new PageSource(models);
  root.textContent = "Reading the model …";
  try {
    await source.choose(Object.keys(models)[0]);
  } catch (error) {
    root.textContent = error.message;
    return null;
  }
  return view(root, source, settingsOf(window.location.hash));
}
