// Byte-pair encoding, one merge after the other: the most frequent pair of neighbours becomes a
// token, of equally frequent pairs the first met. `data`: a text to begin with, how many merges.
function figure(root, data) {
  const pattern = /'(?:[sdmt]|ll|ve|re)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;
  const said = words(), room = 90;
  const input = element("input", { type: "text", id: `mgl-${count++}`, maxlength: room, value: data.text, autocomplete: "off", spellcheck: "false", style: "font:inherit;color:inherit;background:transparent;border:1px solid;width:100%;padding:0.3rem", oninput: restart });
  const field = element("div", { style: "margin:0.4rem 0" }, element("label", { for: input.id, textContent: `A text, at most ${room} characters` }), input);
  const apart = checkbox("cut into words first", false, restart);
  const row = element("div", { className: "mgl-mono", style: "display:flex;flex-wrap:wrap;gap:0.35rem 2px;min-height:6rem;align-content:start;margin:0.5rem 0" });
  const bars = picture(480, 136, "The most frequent pairs of neighbours now", "img");
  const made = element("p", { className: "mgl-try" });
  let steps = [], step = 0;

  // A piece as one reads it; bytes that are no whole character stand as numbers.
  function shown(bytes) {
    const text = new TextDecoder().decode(Uint8Array.from(bytes));
    return text.includes("\ufffd") ? bytes.join(" ") : text.replaceAll(" ", "␣").replaceAll("\n", "↵");
  }
  function counted(words) {
    const pairs = new Map();
    for (const word of words) {
      for (let i = 0; i + 1 < word.length; i++) {
        const key = `${word[i]},${word[i + 1]}`;
        pairs.set(key, (pairs.get(key) ?? 0) + 1);
      }
    }
    return [...pairs].sort((a, b) => b[1] - a[1]); // stable: of equals the first met comes first
  }
  function merged(word, left, right, token) {
    const found = [];
    for (let i = 0; i < word.length; i++) {
      if (word[i] === left && word[i + 1] === right) { found.push(token); i++; } else found.push(word[i]);
    }
    return found;
  }
  // Every step at once: the words as tokens, the pieces, and the pairs from which the next is taken.
  function learn() {
    const text = input.value, encoder = new TextEncoder();
    const cut = apart.value ? text.match(pattern) ?? [] : [text];
    let now = cut.map((word) => [...encoder.encode(word)]);
    const pieces = Array.from({ length: 256 }, (_, byte) => [byte]);
    steps = [{ words: now, pairs: counted(now), pieces: [...pieces] }];
    while (steps.length <= data.merges) {
      const [best] = steps.at(-1).pairs;
      if (!best || best[1] < 2) break;
      const [left, right] = best[0].split(",").map(Number), token = pieces.length;
      pieces.push([...pieces[left], ...pieces[right]]);
      now = now.map((word) => merged(word, left, right, token));
      steps.push({ words: now, pairs: counted(now), pieces: [...pieces], left, right, token, times: best[1] });
    }
  }
  function show() {
    const { words: now, pairs, pieces, left, right, token, times } = steps[step];
    const next = step < steps.length - 1 ? pairs[0][0].split(",").map(Number) : [];
    const total = now.reduce((sum, word) => sum + word.length, 0), bytes = steps[0].words.flat().length;
    row.replaceChildren(...now.flatMap((word, w) => word.map((piece, i) => {
      let starts = false, ends = false; // pairs are found from left to right, and do not overlap
      for (let k = 0; k < word.length - 1 && k <= i; k++) {
        if (word[k] !== next[0] || word[k + 1] !== next[1]) continue;
        starts ||= k === i;
        ends ||= k + 1 === i;
        k++;
      }
      const fresh = piece === token, pair = starts || ends;
      const edge = fresh ? `2px solid ${COLOURS[1]}` : "1px solid color-mix(in srgb, currentColor 55%, transparent)";
      const box = element("span", { textContent: shown(pieces[piece]), title: `token ${piece}`, style: `padding:0.1rem 0.3rem;border:${edge};border-radius:4px;white-space:pre;${pair ? `border-bottom:4px double ${COLOURS[0]};` : ""}${i === 0 && w > 0 ? "margin-left:0.7rem;" : ""}` });
      return box;
    })));
    bars.replaceChildren(svg("text", { x: 0, y: 12, style: "font-weight:600" }, "the most frequent pairs now"));
    pairs.slice(0, 5).forEach(([key, times], k) => {
      const y = 20 + 23 * k, name = key.split(",").map((piece) => shown(pieces[piece])).join(" + ");
      const most = Math.max(steps[0].pairs[0]?.[1] ?? 1, 1), wide = (250 * times) / most;
      bars.append(svg("text", { x: 150, y: y + 15, "text-anchor": "end", class: "mgl-mono" }, name), svg("rect", { x: 158, y: y + 2, width: wide, height: 17, fill: COLOURS[0], "fill-opacity": k === 0 && next.length ? 0.8 : 0.3 }), svg("text", { x: 164 + wide, y: y + 15 }, `${times} ×`));
    });
    made.textContent = `New tokens: ${pieces.length === 256 ? "none yet" : pieces.slice(256).map((bytes, k) => `${256 + k} “${shown(bytes)}”`).join(", ")}.`;
    const quoted = (piece) => `“${shown(pieces[piece])}”`;
    const sizes = `${bytes} bytes, ${total} tokens.`;
    const done = step === steps.length - 1;
    const end = !done ? "" : step === data.merges ? " That is enough." : " No pair stands twice: nothing more to gain.";
    said.textContent = step === 0 ? `${sizes}${done ? end : ` ${quoted(next[0])} + ${quoted(next[1])} is the most frequent pair. Press Next.`}` : `Merge ${step}: ${quoted(left)} + ${quoted(right)} stood ${times} times and is token ${token} now. ${sizes}${end}`;
    back.disabled = step === 0;
    forward.disabled = done;
  }
  function restart() { step = 0; learn(); show(); }
  const back = button("Back", () => { step--; show(); });
  const forward = button("Next", () => { step++; show(); });
  root.append(field, element("div", { className: "mgl-row" }, back, forward, button("From the start", restart), apart.whole), said, row, bars, made);
  restart();
}
