// The model of `--recipe fast` (minigrad/apps/fast.py): GPT-2 with the parts that docs/speedrun.md
// measures. Each may be switched off in its config, and then it is GPT-2's. The share of the position
// before is in engine.js, since a reader keeps that position.

import { GPT2, linear } from "./engine.js";

export class FastGPT extends GPT2 {
  constructor(config, arrays) {
    super(config, arrays);
    this.pairs = arrays["bigram_embedding.weight"]; // (V · V, K)
    this.pairProjection = arrays["bigram_projection.weight"]; // (C, K)
  }

  // The token's vector, and one for the pair of the token before it and the token itself.
  embed(token, place, before) {
    const { embedding_dim: C, vocab_size: V, bigram_dim: K } = this.config;
    const x = this.token.slice(token * C, (token + 1) * C);
    if (K) {
      const pair = (before * V + token) * K;
      const part = linear(new Float32Array(C), this.pairProjection, this.pairs.subarray(pair, pair + K));
      for (let c = 0; c < C; c++) x[c] += part[c];
    }
    if (this.position) for (let c = 0; c < C; c++) x[c] += this.position[place * C + c];
    return x;
  }

  norm(y, x, weights) {
    if (!this.config.rms_norm) return super.norm(y, x, weights);
    y.set(x);
    return rmsNorm(y);
  }

  activation(x) {
    if (!this.config.squared_relu) return super.activation(x);
    for (let i = 0; i < x.length; i++) x[i] = x[i] > 0 ? x[i] * x[i] : 0;
    return x;
  }

  // Each head's query and key get the length √D, then they are turned by their place.
  prepare(qkv, place) {
    const { embedding_dim: C, num_heads: H, qk_norm, rotary } = this.config;
    const D = C / H;
    for (let first = 0; first < 2 * C; first += D) {
      const head = qkv.subarray(first, first + D);
      if (qk_norm) rmsNorm(head);
      if (rotary) turn(head, place);
    }
  }
}

// x / √(mean of x² + eps), in place.
function rmsNorm(x, eps = 1e-6) {
  let squares = 0;
  for (let i = 0; i < x.length; i++) squares += x[i] * x[i];
  const scale = 1 / Math.sqrt(squares / x.length + eps);
  for (let i = 0; i < x.length; i++) x[i] *= scale;
  return x;
}

// Entries d and d + D/2 are a point in the plane, turned by place · 1000^(-2d/D), in place.
function turn(x, place) {
  const half = x.length / 2;
  for (let d = 0; d < half; d++) {
    const angle = place * 1000 ** (-d / half), cos = Math.cos(angle), sin = Math.sin(angle);
    const a = x[d], b = x[d + half];
    x[d] = a * cos - b * sin;
    x[d + half] = b * cos + a * sin;
  }
}
