// The playground in a notebook: NumPy computes in the kernel, through anywidget's messages.

import { Kernel } from "./kernel.js";
import { view } from "./view.js";

class KernelSource extends Kernel {
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

export default {
  render({ model, el }) {
    view(el, new KernelSource(model), model.get("settings"));
  },
};
