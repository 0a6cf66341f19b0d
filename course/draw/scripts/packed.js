// Numbers that Python packed into text, `bits` for each: see `packed` in motion.py.
function unpack({ bits, low, step, size, text }) {
  const digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
  const numbers = new Float64Array(size);
  let rest = 0, held = 0, found = 0;
  for (let place = 0; place < text.length; place += 5) {
    let four = 0; // bytes, in five digits of base 85
    for (const digit of text.slice(place, place + 5).padEnd(5, "~")) four = 85 * four + digits.indexOf(digit);
    for (const unit of [2 ** 24, 65536, 256, 1]) {
      rest = (rest << 8) | (Math.floor(four / unit) % 256);
      for (held += 8; held >= bits && found < size; found++) {
        held -= bits;
        numbers[found] = low + step * (rest >> held);
        rest &= (1 << held) - 1;
      }
      if (found === size) return numbers;
    }
  }
  return numbers;
}
