// One head: scores, the mask, 1/√D, softmax. `data`: a text, D, and for each head q kᵀ (T rows of T).
function figure(root, data) {
  const { text, heads, D } = data;
  const characters = [...text], T = characters.length;
  const size = Math.min(24, 440 / T), left = 34, top = 34;
  const draw = picture(left + T * size + 8, top + T * size + 8, "Who looks at whom");
  const bars = picture(260, top + T * 16 + 8, "The picked query's weights");
  const said = words();
  const which = choice("Head", heads.map((h) => h.name), show);
  const masked = checkbox("hide the future", true, show);
  const scaled = checkbox("divide by √D", true, show);
  const raw = checkbox("show scores, before softmax", false, show);
  const visible = (c) => ({ "\n": "↵", " ": "␣" }[c] ?? c);
  let query = T - 1;
  const cells = [];
  for (let t = 0; t < T; t++) {
    draw.append(svg("text", { x: left + (t + 0.5) * size, y: top - 8, "text-anchor": "middle", class: "mgl-mono" }, visible(characters[t])), svg("text", { x: left - 12, y: top + (t + 0.7) * size, "text-anchor": "middle", class: "mgl-mono" }, visible(characters[t])));
    for (let s = 0; s < T; s++) {
      const cell = svg("rect", { x: left + s * size, y: top + t * size, width: size - 1, height: size - 1, stroke: "currentColor", "stroke-opacity": 0.12, "pointer-events": "all" });
      cell.addEventListener("pointerenter", () => { query = t; show(); });
      cell.addEventListener("pointerdown", () => { query = t; show(); });
      draw.append(cell);
      cells.push(cell);
    }
  }
  const frame = svg("rect", { x: left - 1, width: T * size + 1, height: size + 1, fill: "none", stroke: COLOURS[1], "stroke-width": 3, "pointer-events": "none" });
  draw.append(frame);
  draw.setAttribute("tabindex", 0);
  draw.dataset.lmSuppressShortcuts = "true";
  draw.addEventListener("keydown", (event) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    query = Math.max(0, Math.min(T - 1, query + by));
    show();
  });
  function show() {
    const table = heads[which.value].products.map((row, t) => {
      const scores = row.map((product, s) => (masked.value && s > t ? -Infinity : product / (scaled.value ? Math.sqrt(D) : 1)));
      if (raw.value) return scores;
      const largest = Math.max(...scores), e = scores.map((x) => Math.exp(x - largest)), total = e.reduce((a, b) => a + b, 0);
      return e.map((x) => x / total);
    });
    const finite = table.flat().filter(Number.isFinite), most = Math.max(...finite.map(Math.abs), 1e-9);
    table.forEach((row, t) => {
      const largest = raw.value ? most : Math.max(...row);
      row.forEach((value, s) => {
        const hidden = masked.value && s > t;
        cells[t * T + s].setAttribute("fill", hidden ? "none" : value < 0 ? COLOURS[1] : COLOURS[0]);
        cells[t * T + s].setAttribute("fill-opacity", hidden ? 0 : Math.abs(value) / largest);
      });
    });
    frame.setAttribute("y", top + query * size - 1);
    const row = table[query];
    const sum = row.filter(Number.isFinite).reduce((a, b) => a + b, 0);
    bars.replaceChildren(...row.flatMap((value, s) => {
      const y = 20 + s * 16, seen = Number.isFinite(value);
      const length = seen ? (150 * Math.abs(value)) / (raw.value ? most : Math.max(...row)) : 0;
      return [svg("text", { x: 12, y: y + 11, "text-anchor": "middle", class: "mgl-mono" }, visible(characters[s])),
        svg("rect", { x: 26, y, width: length, height: 12, fill: value < 0 ? COLOURS[1] : COLOURS[0], "fill-opacity": 0.8 }),
        svg("text", { x: 32 + length, y: y + 11 }, seen ? short(value) : "hidden")];
    }));
    const best = row.indexOf(Math.max(...row));
    said.textContent = `“${visible(characters[query])}”, place ${query + 1}, looks most at “${visible(characters[best])}”, place ${best + 1}: ${short(row[best])}${raw.value ? "" : ` (the row sums to ${short(sum)})`}.`;
  }
  root.append(element("div", { className: "mgl-row" }, which.whole, masked.whole, scaled.whole, raw.whole), element("div", { className: "mgl-row", style: "align-items:start" }, draw, bars), said);
  draw.style.flex = "2 1 300px";
  bars.style.flex = "1 1 200px";
  show();
}
