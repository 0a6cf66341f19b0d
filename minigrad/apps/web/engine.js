// GPT-2 in plain JavaScript: the model that lesson 8 trains, one token at a time.
//
// `new GPT2(config, arrays)` takes what the course's file holds. A `Reader` of it keeps the keys and
// values of the tokens that it has read (lesson 7's cache) and gives the logits for the next one.
// Every array is a Float32Array; a matrix (rows, columns) lies row after row, as in NumPy (lesson 1).

// --- Layers ---

// y = W x + b, for W (rows, columns): lesson 3's `linear`, for one token. Four rows at a time, so
// that each number of x is read once for four products; one counter for all of them costs least.
export function linear(y, W, x, b) {
  const columns = x.length, rows = y.length;
  let r = 0;
  for (; r + 4 <= rows; r += 4) {
    const i = r * columns, j = i + columns, k = j + columns, l = k + columns;
    let s = 0, t = 0, u = 0, v = 0;
    for (let c = 0; c < columns; c++) {
      const z = x[c];
      s += W[i + c] * z; t += W[j + c] * z; u += W[k + c] * z; v += W[l + c] * z;
    }
    y[r] = s; y[r + 1] = t; y[r + 2] = u; y[r + 3] = v;
  }
  for (; r < rows; r++) {
    let s = 0;
    for (let c = 0, i = r * columns; c < columns; c++) s += W[i + c] * x[c];
    y[r] = s;
  }
  if (b) for (r = 0; r < rows; r++) y[r] += b[r];
  return y;
}

// (x - mean) / √(var + eps) · weight + bias: lesson 3's `layer_norm`.
export function layerNorm(y, x, weight, bias, eps = 1e-5) {
  const n = x.length;
  let mean = 0, variance = 0;
  for (let i = 0; i < n; i++) mean += x[i] / n;
  for (let i = 0; i < n; i++) variance += (x[i] - mean) ** 2 / n;
  const scale = 1 / Math.sqrt(variance + eps);
  for (let i = 0; i < n; i++) y[i] = (x[i] - mean) * scale * weight[i] + (bias ? bias[i] : 0);
  return y;
}

// 0.5 x (1 + tanh(√(2/π) (x + 0.044715 x³))): lesson 3's `gelu`, in place.
export function gelu(x) {
  const a = Math.sqrt(2 / Math.PI);
  for (let i = 0; i < x.length; i++) {
    const z = x[i];
    x[i] = 0.5 * z * (1 + Math.tanh(a * (z + 0.044715 * z * z * z)));
  }
  return x;
}

// exp(x) / Σ exp(x), the largest taken off first: lesson 3's `softmax`, in place.
export function softmax(x) {
  let largest = -Infinity, total = 0;
  for (let i = 0; i < x.length; i++) if (x[i] > largest) largest = x[i];
  for (let i = 0; i < x.length; i++) total += x[i] = Math.exp(x[i] - largest);
  for (let i = 0; i < x.length; i++) x[i] /= total;
  return x;
}

// --- The model ---

export class GPT2 {
  // `config` as in lesson 8; `arrays` maps the names of its parameters to Float32Arrays.
  constructor(config, arrays) {
    this.config = config;
    this.token = arrays["token_embedding.weight"]; // (V, C)
    this.position = arrays["position_embedding.weight"]; // (context, C); none with rotary positions
    this.blocks = Array.from({ length: config.num_blocks }, (_, b) => {
      const get = (name) => arrays[`blocks.${b}.${name}`];
      return {
        ln1: [get("ln1.weight"), get("ln1.bias")],
        inProj: [get("attn.in_proj.weight"), get("attn.in_proj.bias")], // (3C, C)
        outProj: [get("attn.out_proj.weight"), get("attn.out_proj.bias")], // (C, C)
        ln2: [get("ln2.weight"), get("ln2.bias")],
        up: [get("ffn.up_proj.weight"), get("ffn.up_proj.bias")], // (4C, C)
        down: [get("ffn.down_proj.weight"), get("ffn.down_proj.bias")], // (C, 4C)
        shares: [get("attn_share"), get("ffn_share")], // (C,), of the position before: see fast.js
      };
    });
    this.outputLn = [arrays["output_ln.weight"], arrays["output_ln.bias"]];
    this.output = arrays["output_projection.weight"] ?? this.token; // (V, C)
  }

  // The four parts in which the model of `--recipe fast` differs: see fast.js.

  // The stream (C,) of a token at a place, which goes into the first block.
  embed(token, place) {
    const C = this.config.embedding_dim, x = new Float32Array(C);
    for (let c = 0; c < C; c++) x[c] = this.token[token * C + c] + this.position[place * C + c];
    return x;
  }

  norm(y, x, weights) {
    return layerNorm(y, x, ...weights);
  }

  activation(x) {
    return gelu(x);
  }

  // What is done with the queries and keys in qkv (3C,) before they meet, in place: nothing here.
  prepare() {}

  // A reader of this model; `off` names a head to switch off, as [block, head].
  reader(off = null) {
    return new Reader(this, off);
  }

  // The logits (V,) that a stream (C,) stands for. Asked after an early block, this is the "logit
  // lens": what the model would say if it ended there.
  logits(stream) {
    const normal = this.norm(new Float32Array(stream.length), stream, this.outputLn);
    return linear(new Float32Array(this.config.vocab_size), this.output, normal);
  }
}

// Reads tokens one after another.
export class Reader {
  constructor(model, off = null) {
    const { num_blocks: N, context_size: T, embedding_dim: C, num_heads: H } = model.config;
    this.model = model;
    this.off = off;
    this.tokens = []; // those in the cache
    this.keys = Array.from({ length: N }, () => new Float32Array(T * C));
    this.values = Array.from({ length: N }, () => new Float32Array(T * C));
    this.attention = Array.from({ length: N }, () => Array.from({ length: H }, () => null));
    this.streams = []; // after the embedding and after each block, of the newest token
    this.qkv = new Float32Array(3 * C);
    this.mixed = new Float32Array(C);
    this.hidden = new Float32Array(4 * C);
    this.normal = new Float32Array(C);
    this.branch = new Float32Array(C);
    this.kept = model.blocks.map((block) => block.shares.map((share) => share && new Float32Array(T * C)));
  }

  get length() {
    return this.tokens.length;
  }

  // Forget all tokens but the first `length`: the keys and values of these do not depend on the rest.
  goBack(length) {
    this.tokens.length = length;
  }

  // Read a token; returns the stream (C,) that it ends in. A full context is an error: begin a new
  // reader with the newest tokens, as lesson 8's `generate` does.
  read(token) {
    const { model, normal, branch } = this;
    const { context_size: T, embedding_dim: C } = model.config;
    if (this.length >= T) throw new RangeError(`the context of ${T} tokens is full`);
    const x = model.embed(token, this.length, this.tokens.at(-1) ?? 0); // the residual stream of this token
    this.streams = [x.slice()];
    model.blocks.forEach((block, b) => {
      model.norm(normal, x, block.ln1);
      this.shift(block.shares[0], this.kept[b][0]);
      linear(this.qkv, block.inProj[0], normal, block.inProj[1]);
      model.prepare(this.qkv, this.length);
      this.keys[b].set(this.qkv.subarray(C, 2 * C), this.length * C);
      this.values[b].set(this.qkv.subarray(2 * C), this.length * C);
      this.attend(b);
      linear(branch, block.outProj[0], this.mixed, block.outProj[1]);
      for (let c = 0; c < C; c++) x[c] += branch[c];
      model.norm(normal, x, block.ln2);
      this.shift(block.shares[1], this.kept[b][1]);
      model.activation(linear(this.hidden, block.up[0], normal, block.up[1]));
      linear(branch, block.down[0], this.hidden, block.down[1]);
      for (let c = 0; c < C; c++) x[c] += branch[c];
      this.streams.push(x.slice());
    });
    this.tokens.push(token);
    return x;
  }

  // Adds to `normal` a share of what stood there one place before, and keeps what stands there now.
  shift(share, kept) {
    if (!share) return; // in GPT-2 there is none
    const C = share.length, here = this.length * C;
    kept.set(this.normal, here);
    if (this.length) for (let c = 0; c < C; c++) this.normal[c] += share[c] * kept[here - C + c];
  }

  // softmax(q kᵀ / √D) v over the tokens read so far, for every head: lesson 7, for one query.
  attend(b) {
    const { embedding_dim: C, num_heads: H } = this.model.config;
    const { qkv, mixed } = this, keys = this.keys[b], values = this.values[b];
    const D = C / H, seen = this.length + 1, scale = 1 / Math.sqrt(D);
    mixed.fill(0);
    for (let h = 0; h < H; h++) {
      const first = h * D, weights = new Float32Array(seen); // of the newest query, for each key
      for (let s = 0, k = first; s < seen; s++, k += C) {
        let score = 0;
        for (let d = 0; d < D; d++) score += qkv[first + d] * keys[k + d];
        weights[s] = score * scale;
      }
      this.attention[b][h] = softmax(weights);
      if (this.off && this.off[0] === b && this.off[1] === h) continue;
      for (let s = 0, v = first; s < seen; s++, v += C) {
        const weight = weights[s];
        for (let d = 0; d < D; d++) mixed[first + d] += weight * values[v + d];
      }
    }
  }

  // The logits (V,) for the token after these.
  next(...tokens) {
    let stream = null;
    for (const token of tokens) stream = this.read(token);
    return this.model.logits(stream);
  }
}

// --- The choice of a token: lesson 8 ---

// The distribution (V,) that a token is drawn from: temperature (0 is greedy), the k likeliest, then
// the likeliest that reach p together. Of equal ones the earlier tokens are kept.
export function nextTokenProbabilities(logits, { temperature = 1, topK = null, topP = null } = {}) {
  const order = (x) => Array.from(x.keys()).sort((i, j) => x[j] - x[i] || i - j);
  let scores = Float64Array.from(logits);
  if (temperature === 0) topK = 1;
  if (topK !== null && topK < scores.length) {
    for (const i of order(scores).slice(topK)) scores[i] = -Infinity;
  }
  const largest = scores.reduce((a, b) => Math.max(a, b));
  if (temperature > 0) scores = scores.map((score) => (score - largest) / temperature);
  const probabilities = softmax(scores);
  if (topP === null) return probabilities;
  let reached = 0, total = 0;
  for (const i of order(probabilities)) {
    const before = reached;
    reached += probabilities[i];
    if (before >= topP) probabilities[i] = 0;
    total += probabilities[i];
  }
  return probabilities.map((p) => p / total);
}

// The index that a number `u` in [0, 1) falls on.
export function draw(probabilities, u) {
  let total = 0;
  for (const p of probabilities) total += p;
  let end = 0;
  for (let i = 0; i < probabilities.length; i++) {
    end += probabilities[i];
    if (u * total < end) return i;
  }
  return probabilities.length - 1;
}

// Yield one token after another, as lesson 8's `generate`: when the context is full, it starts again
// from the newest half. Each is {token, logits, probabilities, u, start}: `start` counts the tokens
// before the model's view. A `reader` that is given has read the first of the tokens that it sees.
export function* generate(model, tokens, random, settings, reader = model.reader()) {
  const T = model.config.context_size;
  const all = Array.from(tokens);
  let start = Math.max(0, all.length - T);
  let logits = reader.next(...all.slice(start + reader.length));
  while (true) {
    const probabilities = nextTokenProbabilities(logits, settings);
    const u = random();
    const token = draw(probabilities, u);
    yield { token, logits, probabilities, u, start };
    all.push(token);
    if (reader.length === T) {
      start = all.length - Math.floor((T + 1) / 2);
      reader = model.reader();
      logits = reader.next(...all.slice(start));
    } else {
      logits = reader.next(token);
    }
  }
}
