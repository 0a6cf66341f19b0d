// Several models of `--recipe fast` that are used as one: the mean of their predictions
// (minigrad/apps/ensemble.py). The heads of each model stand behind those of the one before it.

import { softmax } from "./engine.js";
import { FastGPT } from "./fast.js";

export class Ensemble {
  constructor(config, arrays) {
    const { num_models: M, num_heads: H } = config;
    this.models = Array.from({ length: M }, (_, m) => {
      const own = Object.entries(arrays).filter(([name]) => name.startsWith(`models.${m}.`));
      return new FastGPT(config, Object.fromEntries(own.map(([name, array]) => [name.replace(/^models\.\d+\./, ""), array])));
    });
    this.config = { ...config, num_heads: M * H };
  }

  reader(off = null) {
    return new EnsembleReader(this, off);
  }

  // The logits (V,) of the mean of the probabilities; `streams` holds one of each model.
  logits(streams) {
    const mean = new Float64Array(this.config.vocab_size);
    this.models.forEach((model, m) => {
      const probabilities = softmax(Float64Array.from(model.logits(streams[m])));
      for (let i = 0; i < mean.length; i++) mean[i] += probabilities[i] / this.models.length;
    });
    return mean.map((p) => Math.log(Math.max(p, 1e-300)));
  }
}

// A reader of each model, used as one (see engine.js). A stream is a list, with one of each model.
class EnsembleReader {
  constructor(model, off) {
    this.model = model;
    this.off = off;
    const H = model.config.num_heads / model.models.length;
    this.readers = model.models.map((part, m) => {
      const mine = off && Math.floor(off[1] / H) === m;
      return part.reader(mine ? [off[0], off[1] % H] : null);
    });
  }

  get tokens() { return this.readers[0].tokens; }
  get length() { return this.tokens.length; }
  get attention() {
    return this.readers[0].attention.map((_, b) => this.readers.flatMap((reader) => reader.attention[b]));
  }

  get streams() {
    return this.readers[0].streams.map((_, b) => this.readers.map((reader) => reader.streams[b]));
  }

  goBack(length) {
    for (const reader of this.readers) reader.goBack(length);
  }

  read(token) {
    return this.readers.map((reader) => reader.read(token));
  }

  next(...tokens) {
    let streams = null;
    for (const token of tokens) streams = this.read(token);
    return this.model.logits(streams);
  }
}
