// Numbers that Python packed into text, `bits` for each: see `packed` in motion.py.
function unpack({ bits, low, step, size, text }) {
  const numbers = new Float64Array(size);
  let rest = 0, held = 0, found = 0;
  for (const character of atob(text)) {
    rest = (rest << 8) | character.charCodeAt(0);
    for (held += 8; held >= bits && found < size; found++) {
      held -= bits;
      numbers[found] = low + step * (rest >> held);
      rest &= (1 << held) - 1;
    }
  }
  return numbers;
}
