// Reading a model's file, as `save_pretrained` writes it: a safetensors file with the weights in half
// precision and, in its header, the sizes and the vocabulary. Nothing in it is run. What does not fit
// together is refused, in words, before memory is asked for.

import { GPT2 } from "./engine.js";
import { Ensemble } from "./ensemble.js";
import { FastGPT } from "./fast.js";

const SIZES = ["context_size", "num_blocks", "num_heads", "embedding_dim", "vocab_size"];
const FORMAT = "minigrad model 1";
const MODELS = { GPT2, FastGPT, Ensemble };

class Damaged extends Error {}

// Half precision to Float32Array: sign, five bits of exponent, ten of fraction.
function fromHalf(halves) {
  const result = new Float32Array(halves.length);
  for (let i = 0; i < halves.length; i++) {
    const bits = halves[i], exponent = (bits >> 10) & 31, fraction = bits & 1023;
    const size = exponent ? (1 + fraction / 1024) * 2 ** (exponent - 15) : fraction * 2 ** -24;
    if (exponent === 31) throw new Damaged("a weight is not a finite number");
    result[i] = bits >> 15 ? -size : size;
  }
  return result;
}

// The names and shapes that the arrays of a model of this size have.
function shapes(c, fast) {
  const own = shapesOfOne(c, fast);
  if (!c.num_models) return own;
  const all = Array.from({ length: c.num_models }, (_, m) => Object.entries(own).map(([name, shape]) => [`models.${m}.${name}`, shape]));
  return Object.fromEntries(all.flat());
}

function shapesOfOne(c, fast) {
  const C = c.embedding_dim, V = c.vocab_size;
  const found = { "token_embedding.weight": [V, C] };
  if (!(fast && c.rotary)) found["position_embedding.weight"] = [c.context_size, C];
  if (!c.tie_weights) found["output_projection.weight"] = [V, C];
  if (fast && c.bigram_dim) {
    found["bigram_embedding.weight"] = [V * V, c.bigram_dim];
    found["bigram_projection.weight"] = [C, c.bigram_dim];
  }
  const norms = ["output_ln"];
  for (let b = 0; b < c.num_blocks; b++) {
    norms.push(`blocks.${b}.ln1`, `blocks.${b}.ln2`);
    if (fast && c.token_shift) found[`blocks.${b}.attn_share`] = found[`blocks.${b}.ffn_share`] = [C];
    const matrices = {
      "attn.in_proj": [3 * C, C],
      "attn.out_proj": [C, C],
      "ffn.up_proj": [4 * C, C],
      "ffn.down_proj": [C, 4 * C],
    };
    for (const [name, shape] of Object.entries(matrices)) {
      found[`blocks.${b}.${name}.weight`] = shape;
      if (c.bias) found[`blocks.${b}.${name}.bias`] = [shape[0]];
    }
  }
  if (!(fast && c.rms_norm)) for (const name of norms) found[`${name}.weight`] = found[`${name}.bias`] = [C];
  return found;
}

// { model, tokenizer, description } from the file's bytes (an ArrayBuffer).
export function readModel(buffer) {
  try {
    return parse(buffer);
  } catch (error) {
    throw new Error(`This is no model that minigrad wrote, or it is damaged: ${error.message}.`);
  }
}

// Throws where the parts of a FastGPT's config are not what they have to be.
function checkFast(c) {
  for (const name of ["rotary", "rms_norm", "qk_norm", "squared_relu", "token_shift"]) {
    if (typeof c[name] !== "boolean") throw new Damaged(`its ${name} is ${c[name]}`);
  }
  if (!Number.isInteger(c.bigram_dim) || c.bigram_dim < 0 || c.bigram_dim > 1e6) {
    throw new Damaged(`its bigram_dim is ${c.bigram_dim}`);
  }
  if (c.rotary && (c.embedding_dim / c.num_heads) % 2) throw new Damaged("its heads are of an odd size");
}

function parse(buffer) {
  if (buffer.byteLength < 8) throw new Damaged("it is too short");
  const length = Number(new DataView(buffer).getBigUint64(0, true));
  if (length > buffer.byteLength - 8) throw new Damaged("its header is longer than the file");
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const description = JSON.parse(header.__metadata__?.minigrad ?? "null");
  if (description?.format !== FORMAT) throw new Damaged("its format is another one");
  const { architecture, model } = description;
  const config = { token_shift: false, ...model }; // older files do not name it, and do not have it
  if (!Object.hasOwn(MODELS, architecture)) {
    throw new Damaged(`its architecture is none of ${Object.keys(MODELS).join(", ")}`);
  }
  const ensemble = architecture === "Ensemble", fast = ensemble || architecture === "FastGPT";
  for (const name of SIZES) {
    const size = config[name];
    if (!Number.isInteger(size) || size < 1 || size > 1e6) {
      throw new Damaged(`its ${name} is ${size}`);
    }
  }
  if (config.embedding_dim % config.num_heads) throw new Damaged("its heads do not share its width");
  if (fast) checkFast(config);
  const tensors = Object.keys(header).length - 1;
  if (!ensemble) delete config.num_models;
  else if (!Number.isInteger(config.num_models) || config.num_models < 1) throw new Damaged(`its num_models is ${config.num_models}`);
  if (config.num_blocks * 4 * (config.num_models ?? 1) > tensors) throw new Damaged("it lacks blocks");
  const wanted = shapes(config, fast);
  if (tensors !== Object.keys(wanted).length) throw new Damaged("it has other weights than it says");
  const arrays = {};
  for (const [name, shape] of Object.entries(wanted)) {
    const { dtype, shape: met, data_offsets: offsets } = header[name] ?? {};
    if (dtype !== "F16" || String(met) !== String(shape)) throw new Damaged(`${name} is missing`);
    const [from, to] = offsets.map((offset) => offset + 8 + length);
    const count = shape.reduce((a, b) => a * b, 1);
    if (to - from !== 2 * count || to > buffer.byteLength) throw new Damaged(`${name} is cut off`);
    arrays[name] = fromHalf(new Uint16Array(buffer.slice(from, to)));
  }
  const tokenizer = new CharTokenizer(description.vocabulary);
  if (tokenizer.characters.length !== config.vocab_size) {
    throw new Damaged(`it has ${config.vocab_size} tokens and another vocabulary`);
  }
  return { model: new MODELS[architecture](config, arrays), tokenizer, description };
}

// Lesson 6's tokenizer: the number of a character is its place in the vocabulary.
export class CharTokenizer {
  constructor(vocabulary) {
    this.characters = Array.from(vocabulary);
    this.numbers = new Map(this.characters.map((character, number) => [character, number]));
  }

  encode(text) {
    return Array.from(text, (character) => {
      const number = this.numbers.get(character);
      if (number === undefined) {
        throw new RangeError(`The model has never seen ${JSON.stringify(character)}.`);
      }
      return number;
    });
  }

  decode(tokens) {
    return Array.from(tokens, (token) => this.characters[token]).join("");
  }
}
