// How surprised four models are by each character of a typed sentence. `data`: `vocabulary`; the
// surprise in bits of `letters` (V) and `pairs` (V, V); the weights of a `network` that reads `window`
// characters, and of a `gpt`; a `start` that all have read before the sentence.
function figure(root, data) {
  const { start, network, gpt } = data;
  const letters = unpack(data.letters), pairs = unpack(data.pairs);
  const own = numbered(data.vocabulary), theirs = numbered(gpt.vocabulary), V = own.size;
  for (const model of [network, gpt]) for (const name in model) if (model[name].text) model[name] = unpack(model[name]);
  const visible = (c) => ({ "\n": "⏎", " ": "␣" }[c] ?? c);
  const blue = `color-mix(in srgb, ${COLOURS[0]} 75%, currentColor)`; // brighter on a dark page
  const room = gpt.context - start.length;

  // Each model: a text -> the surprise in bits of every character that could come after each place.
  const models = {
    letters: (text) => text.map(() => letters),
    pairs: (text) => text.map((c) => row(pairs, own.get(c), V)),
    network: (text) => text.map((_, t) => {
      const size = network.embedding.length / V;
      const read = text.slice(Math.max(0, t + 1 - data.window), t + 1).flatMap((c) => [...row(network.embedding, own.get(c), size)]);
      const hidden = linear(read, network.hidden, network.hidden_bias).map(Math.tanh);
      return t + 1 < data.window ? letters : surprises(linear(hidden, network.output, network.output_bias));
    }),
    "GPT-2": (text) => transformer(text.map((c) => theirs.get(c))).map((found) => [...own.keys()].map((c) => found[theirs.get(c)])),
  };

  function transformer(ids) {
    const { heads, blocks, embedding_dim: C } = gpt, D = C / heads;
    let x = ids.map((id, t) => add(row(gpt.tokens, id, C), row(gpt.places, t, C)));
    for (let n = 0; n < blocks; n++) {
      const part = (name) => gpt[`${name}${n}`];
      const qkv = x.map((stream) => linear(norm(stream, part("ln1_"), part("ln1_bias")), part("in")));
      x = x.map((stream, t) => {
        const y = new Float64Array(C);
        for (let h = 0; h < heads; h++) {
          const scores = qkv.slice(0, t + 1).map((other) => {
            let score = 0;
            for (let d = h * D; d < (h + 1) * D; d++) score += qkv[t][d] * other[C + d];
            return score / Math.sqrt(D);
          });
          softmax(scores).forEach((weight, s) => { for (let d = h * D; d < (h + 1) * D; d++) y[d] += weight * qkv[s][2 * C + d]; });
        }
        return add(stream, linear(y, part("out")));
      });
      x = x.map((stream) => add(stream, linear(linear(norm(stream, part("ln2_"), part("ln2_bias")), part("up")).map(gelu), part("down"))));
    }
    return x.map((stream) => surprises(linear(norm(stream, gpt.ln, gpt.ln_bias), gpt.tokens)));
  }

  function numbered(text) { return new Map([...text].map((c, i) => [c, i])); }
  function row(matrix, i, size) { return matrix.subarray(i * size, (i + 1) * size); }
  function add(a, b) { return a.map((x, i) => x + b[i]); }
  function gelu(x) { return 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))); }
  function linear(x, weight, bias) {
    return Float64Array.from({ length: weight.length / x.length }, (_, o) => {
      let sum = bias ? bias[o] : 0;
      for (let i = 0; i < x.length; i++) sum += weight[o * x.length + i] * x[i];
      return sum;
    });
  }
  function norm(x, weight, bias) {
    const mean = x.reduce((a, b) => a + b) / x.length;
    const variance = x.reduce((a, b) => a + (b - mean) ** 2, 0) / x.length;
    return x.map((value, i) => ((value - mean) / Math.sqrt(variance + 1e-5)) * weight[i] + bias[i]);
  }
  function softmax(scores) {
    const largest = Math.max(...scores), e = scores.map((z) => Math.exp(z - largest)), sum = e.reduce((a, b) => a + b);
    return e.map((z) => z / sum);
  }
  function surprises(logits) { return softmax(logits).map((p) => -Math.log2(p)); }

  // --- What is seen ---
  const names = Object.keys(models);
  const input = element("input", { type: "text", id: `mgl-${count++}`, maxlength: room, value: data.sentence, autocomplete: "off", spellcheck: "false", style: "font:inherit;color:inherit;background:transparent;border:1px solid;width:100%;padding:0.3rem", oninput: () => { read(); show(); } });
  const field = element("div", { style: "margin:0.4rem 0" }, element("label", { for: input.id, textContent: `A sentence, at most ${room} characters` }), input);
  const map = element("div", { tabindex: 0, role: "group", "aria-label": "Surprise at each character; left and right arrow pick one" });
  const box = (tag, textContent, more) => element(tag, { textContent, style: "padding:0.1rem 0.6rem;text-align:left", ...more });
  const cells = names.map(() => [0, 1, 2].map(() => box("td", "")));
  const head = ["Model", "Bits per character", "At the picked one", "Expected there"].map((text) => box("th", text, { scope: "col" }));
  const rows = names.map((name, m) => element("tr", {}, box("th", name, { scope: "row" }), ...cells[m]));
  const table = element("table", { style: "border-collapse:collapse" }, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...rows));
  const said = words();
  let sentence = [], found = [], picked = 0, left = [];

  function read() {
    const all = [...input.value], known = (c) => own.has(c) && theirs.has(c);
    sentence = all.filter(known).slice(0, room);
    left = all.filter((c) => !known(c));
    const text = [...start, ...sentence.slice(0, -1)];
    found = names.map((name) => models[name](text).slice(start.length - 1));
    picked = Math.max(0, Math.min(picked, sentence.length - 1));
  }
  const at = (m, t) => found[m][t][own.get(sentence[t])];
  const mean = (m) => sentence.reduce((sum, _, t) => sum + at(m, t), 0) / sentence.length;

  function show() {
    const across = Math.max(8, Math.floor(((root.clientWidth || 760) - 62) / 22)), tall = 96;
    const lines = Math.max(1, Math.ceil(sentence.length / across));
    const draw = picture(62 + 22 * Math.min(across, Math.max(sentence.length, 1)), lines * tall, "The stronger the blue, the greater the surprise");
    for (let line = 0; line < lines; line++) names.forEach((name, m) => draw.append(svg("text", { x: 56, y: line * tall + 34 + 16 * m, "text-anchor": "end" }, name)));
    sentence.forEach((c, t) => {
      const x = 62 + 22 * (t % across), y = Math.floor(t / across) * tall;
      const group = svg("g", { "pointer-events": "all" }, svg("rect", { x, y, width: 22, height: 88, fill: "none", stroke: COLOURS[1], "stroke-width": t === picked ? 2.5 : 0 }), svg("text", { x: x + 11, y: y + 16, "text-anchor": "middle", class: "mgl-mono" }, visible(c)));
      names.forEach((_, m) => group.append(svg("rect", { x: x + 1, y: y + 22 + 16 * m, width: 20, height: 15, fill: blue, "fill-opacity": Math.min(1, at(m, t) / 10), stroke: "currentColor", "stroke-opacity": 0.15 })));
      for (const event of ["pointerdown", "pointermove"]) group.addEventListener(event, () => { if (picked !== t) { picked = t; show(); } });
      draw.append(group);
    });
    map.replaceChildren(draw);
    names.forEach((name, m) => {
      const expected = sentence.length ? [...own.keys()].map((c, i) => [2 ** -found[m][picked][i], c]).sort((a, b) => b[0] - a[0]).slice(0, 4) : [];
      const texts = sentence.length ? [mean(m).toFixed(2), at(m, picked).toFixed(1), expected.map(([p, c]) => `${visible(c)}\u00a0${(100 * p).toFixed(0)}\u00a0%`).join(", ")] : [];
      cells[m].forEach((cell, k) => { cell.textContent = texts[k] ?? ""; });
    });
    const unknown = left.length ? ` No model knows ${left.map((c) => `“${c}”`).join(", ")}: left out.` : "";
    said.textContent = (sentence.length ? `“${visible(sentence[picked])}”, character ${picked + 1}: ${names.map((name, m) => `${name} ${at(m, picked).toFixed(1)}`).join(", ")} bits.` : "Write something.") + unknown;
  }
  map.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    picked = Math.max(0, Math.min(sentence.length - 1, picked + by));
    show();
  });
  root.append(field, map, element("div", { style: "overflow-x:auto", tabindex: 0, role: "group", "aria-label": "The four models' numbers" }, table), said);
  read();
  show();
  let wide = root.clientWidth;
  new ResizeObserver(() => { if (root.clientWidth !== wide) { wide = root.clientWidth; show(); } }).observe(root);
}
