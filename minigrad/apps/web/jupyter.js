// The playground in a notebook: NumPy computes in the kernel, through anywidget's messages.

import { view } from "./view.js";

class KernelSource {
  constructor(model) {
    this.model = model;
    this.waiting = new Map();
    this.count = 0;
    model.on("msg:custom", (message, buffers) => {
      const { resolve, reject } = this.waiting.get(message.id) ?? {};
      this.waiting.delete(message.id);
      if (!resolve) return;
      if (message.error) reject(new Error(message.error));
      else resolve(withArrays(message.value, buffers));
    });
  }

  get info() { return this.model.get("info"); }

  ask(method, ...parameters) {
    const id = this.count++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.model.send({ id, method, parameters });
    });
  }

  check({ prompt }) {
    if (!prompt) return "The prompt is empty: give the model at least one character.";
    const unknown = [...new Set(prompt)].filter((c) => !this.info.vocabulary.includes(c));
    return unknown.length ? `The model has never seen ${unknown.map((c) => JSON.stringify(c)).join(", ")}: leave that out of the prompt.` : "";
  }

  async begin(text, settings) {
    const session = await this.ask("begin", text, settings);
    return { next: (count) => this.ask("next", session, count) };
  }

  look(text, settings, off) { return this.ask("look", text, settings, off); }
  score(text) { return this.ask("score", text); }
  choose(name) { return this.ask("choose", name); }
}

// Arrays travel as buffers of float32: { array: number of the buffer }.
function withArrays(value, buffers) {
  if (Array.isArray(value)) return value.map((part) => withArrays(part, buffers));
  if (value && typeof value === "object") {
    if ("array" in value) {
      const view = buffers[value.array];
      return new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
    }
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, withArrays(part, buffers)]));
  }
  return value;
}

export default {
  render({ model, el }) {
    view(el, new KernelSource(model), model.get("settings"));
  },
};
