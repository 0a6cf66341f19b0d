// Heads side by side: scores, the mask, 1/√D, softmax. `data`: a text, D, and for each head its name
// and its products q kᵀ (T rows of T). The picked query is a row of every map, and bars below it.
function figure(root, data) {
  const { text, heads, D } = data;
  const characters = [...text], T = characters.length;
  const size = Math.max(16, Math.min(30, 330 / T)), left = 30, top = 30, bars = top + T * size + 12, tall = 70;
  const visible = (c) => ({ "\n": "⏎", " ": "␣" }[c] ?? c);
  const letter = { "text-anchor": "middle", class: "mgl-mono", style: `font-size:${0.72 * size}px` };
  const blue = `color-mix(in srgb, ${COLOURS[0]} 75%, currentColor)`; // brighter on a dark page
  const said = words();
  const masked = checkbox("hide the future", true, show);
  const scaled = checkbox("divide by √D", true, show);
  const raw = checkbox("scores, before softmax", false, show);
  let query = T - 1;

  const panels = heads.map(({ name, products }) => {
    const draw = picture(left + T * size + 6, bars + tall + 22, `${name}: who looks at whom`);
    const cells = [];
    characters.forEach((c, t) => {
      const middle = left + (t + 0.5) * size;
      draw.append(svg("text", { ...letter, x: middle, y: top - 8 }, visible(c)), svg("text", { ...letter, x: left - 12, y: top + (t + 0.75) * size }, visible(c)), svg("text", { ...letter, x: middle, y: bars + tall + 18 }, visible(c)));
      for (let s = 0; s < T; s++) {
        const cell = svg("rect", { x: left + s * size, y: top + t * size, width: size - 1, height: size - 1, stroke: "currentColor", "stroke-opacity": 0.15, "pointer-events": "all" });
        for (const event of ["pointerenter", "pointerdown", "pointermove"]) cell.addEventListener(event, () => { if (query !== t) { query = t; show(); } });
        cells.push(cell);
      }
    });
    const frame = svg("rect", { x: left - 1, width: T * size + 1, height: size + 1, fill: "none", stroke: COLOURS[1], "stroke-width": 3, "pointer-events": "none" });
    const columns = characters.map((_, s) => svg("rect", { x: left + s * size + 2, width: size - 5, fill: COLOURS[1], "fill-opacity": 0.85 }));
    draw.append(...cells, frame, ...columns, svg("path", { d: `M${left} ${bars + tall}h${T * size}`, stroke: "currentColor" }));
    const title = element("div", { textContent: name, style: "font-weight:600" });
    return { name, products, cells, frame, columns, whole: element("div", { style: "flex:1 1 250px;min-width:0" }, title, draw) };
  });
  const maps = element("div", { className: "mgl-row", style: "align-items:start", tabindex: 0, role: "group", "aria-label": "Attention maps; up and down arrow pick the query" }, ...panels.map((panel) => panel.whole));
  maps.addEventListener("keydown", (event) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    query = Math.max(0, Math.min(T - 1, query + by));
    show();
  });

  function weights(products) {
    return products.map((row, t) => {
      const scores = row.map((product, s) => (masked.value && s > t ? -Infinity : product / (scaled.value ? Math.sqrt(D) : 1)));
      if (raw.value) return scores;
      const largest = Math.max(...scores), e = scores.map((x) => Math.exp(x - largest)), total = e.reduce((a, b) => a + b, 0);
      return e.map((x) => x / total);
    });
  }
  function show() {
    const found = panels.map(({ products, cells, frame, columns }) => {
      const table = weights(products);
      const most = raw.value ? Math.max(...table.flat().filter(Number.isFinite).map(Math.abs), 1e-9) : 1;
      table.forEach((row, t) => row.forEach((value, s) => {
        const hidden = masked.value && s > t;
        cells[t * T + s].setAttribute("fill", hidden ? "none" : value < 0 ? COLOURS[1] : blue);
        cells[t * T + s].setAttribute("fill-opacity", hidden ? 0 : Math.abs(value) / most);
      }));
      frame.setAttribute("y", top + query * size - 1);
      table[query].forEach((value, s) => {
        const height = Number.isFinite(value) ? (tall * Math.abs(value)) / most : 0;
        columns[s].setAttribute("y", bars + tall - height);
        columns[s].setAttribute("height", height);
      });
      return table[query];
    });
    const name = (s) => `“${visible(characters[s])}” (place ${s})`;
    said.textContent = `${name(query)} looks most at ${panels.map((panel, h) => {
      const best = found[h].indexOf(Math.max(...found[h]));
      const future = found[h].slice(query + 1).filter(Number.isFinite).reduce((a, b) => a + b, 0);
      return `${name(best)} in “${panel.name}”: ${short(found[h][best])}${!masked.value && !raw.value ? `, with ${short(future)} on the future` : ""}`;
    }).join("; ")}.`;
  }
  root.append(element("div", { className: "mgl-row" }, masked.whole, scaled.whole, raw.whole), maps, said);
  show();
}
