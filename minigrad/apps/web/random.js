// NumPy's random numbers: `numpyRandom(seed)` gives what `np.random.default_rng(seed).random()` gives,
// so that one seed writes one text, in a notebook and on a page.
// Sources: O'Neill, "PCG", 2014 (XSL-RR 128/64), and "Developing a seed_seq alternative", 2015.

const MASK32 = 0xffffffffn, MASK64 = (1n << 64n) - 1n, MASK128 = (1n << 128n) - 1n;
const MULTIPLIER = 0x2360ed051fc65da44385df649fccf645n;

// NumPy's SeedSequence: four 64-bit words from a whole number.
function seedWords(seed) {
  let constant = 0x43b0d7e5;
  const hash = (value) => {
    value = (value ^ constant) >>> 0;
    constant = Math.imul(constant, 0x931e8875) >>> 0;
    value = Math.imul(value, constant) >>> 0;
    return (value ^ (value >>> 16)) >>> 0;
  };
  const mix = (x, y) => {
    const value = (Math.imul(x, 0xca01f9dd) - Math.imul(y, 0x4973f715)) >>> 0;
    return (value ^ (value >>> 16)) >>> 0;
  };
  const entropy = [];
  for (let rest = BigInt(seed); rest > 0n || entropy.length === 0; rest >>= 32n) {
    entropy.push(Number(rest & MASK32));
  }
  const pool = [0, 1, 2, 3].map((i) => hash(entropy[i] ?? 0));
  for (let from = 0; from < 4; from++) {
    for (let to = 0; to < 4; to++) {
      if (from !== to) pool[to] = mix(pool[to], hash(pool[from]));
    }
  }
  for (const extra of entropy.slice(4)) {
    for (let to = 0; to < 4; to++) pool[to] = mix(pool[to], hash(extra));
  }
  let second = 0x8b51f9dd;
  const words = [];
  for (let i = 0; i < 8; i++) {
    let value = (pool[i % 4] ^ second) >>> 0;
    second = Math.imul(second, 0x58f38ded) >>> 0;
    value = Math.imul(value, second) >>> 0;
    words.push(BigInt((value ^ (value >>> 16)) >>> 0));
  }
  return [0, 2, 4, 6].map((i) => words[i] | (words[i + 1] << 32n));
}

// A function that returns the next number in [0, 1), of 53 bits.
export function numpyRandom(seed) {
  const [a, b, c, d] = seedWords(seed);
  const increment = (((c << 64n) | d) << 1n | 1n) & MASK128;
  let state = 0n;
  const step = () => { state = (state * MULTIPLIER + increment) & MASK128; };
  step();
  state = (state + ((a << 64n) | b)) & MASK128;
  step();
  return () => {
    step();
    const folded = (state >> 64n) ^ (state & MASK64);
    const turn = state >> 122n;
    const word = ((folded >> turn) | (folded << (64n - turn))) & MASK64;
    return Number(word >> 11n) / 2 ** 53;
  };
}
