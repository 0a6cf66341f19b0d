// Two shapes that the reader changes: axes of size 1 stretch to the shape of a + b. The way back
// too: the marked entry's gradient sums over the marked cells. `data`: the shapes `a` and `b`.
function figure(root, data) {
  const axes = [0, 1, 2], name = (axis) => `axis −${3 - axis}`; // aligned at the right: the last is 2
  const across = 34, down = 25, top = 28, places = { a: 2, b: 172, sum: 342 };
  const values = { a: (k) => k + 1, b: (k) => 100 * (k + 1) };
  const draw = picture(480, 140, "The cells of a, of b and of a + b; left and right arrow choose an entry, up and down another array");
  const said = words();
  const sizes = {}, notes = axes.map(() => element("td", { style: "text-align:left;vertical-align:top" }));
  const row = (title, cells) => element("tr", {}, element("th", { scope: "row", textContent: title, style: `white-space:nowrap;padding-right:0.6rem;vertical-align:${title === "a + b" ? "top" : "middle"}` }), ...cells);
  const rows = ["a", "b"].map((array) => {
    sizes[array] = axes.map((axis) => {
      const options = ["none", 1, 2, 3, 4].map((text, k) => element("option", { value: k, textContent: text }));
      const input = element("select", { "aria-label": `${array}, ${name(axis)}` }, ...options);
      input.value = data[array][axis - 3 + data[array].length] ?? 0;
      input.addEventListener("change", () => { mend(array, axis); show(true); });
      return input;
    });
    return row(array, sizes[array].map((input) => element("td", {}, input)));
  });
  const head = element("tr", {}, element("td"), ...axes.map((axis) => element("th", { scope: "col", textContent: name(axis), style: "white-space:nowrap" })));
  const table = element("table", {}, head, ...rows, row("a + b", notes));
  let chosen = { array: "a", at: [0, 1, 0] };

  // Only axes at the left can be missing: what lies left of a missing axis is missing too.
  function mend(array, axis) {
    const inputs = sizes[array], missing = inputs[axis].value === "0";
    for (const k of axes) {
      if (missing && k < axis) inputs[k].value = 0;
      if (!missing && k > axis && inputs[k].value === "0") inputs[k].value = 1;
    }
  }
  const written = (list) => `(${list.join(", ")}${list.length === 1 ? "," : ""})`;
  const same = (one, other) => one.every((k, axis) => k === other[axis]);
  const all = ([p, r, c]) => Array.from({ length: p * r * c }, (_, k) => [Math.floor(k / (r * c)), Math.floor(k / c) % r, k % c]);

  function show(moves = false) {
    const raw = { a: sizes.a.map((input) => Number(input.value)), b: sizes.b.map((input) => Number(input.value)) };
    const full = { a: raw.a.map((n) => n || 1), b: raw.b.map((n) => n || 1) };
    const bad = axes.filter((k) => full.a[k] !== full.b[k] && full.a[k] !== 1 && full.b[k] !== 1);
    full.sum = axes.map((k) => Math.max(full.a[k], full.b[k]));
    raw.sum = axes.map((k) => (raw.a[k] || raw.b[k] ? full.sum[k] : 0));
    const shape = (array) => raw[array].filter((n) => n);
    const reads = (array, at) => at.map((k, axis) => (full[array][axis] === 1 ? 0 : k));
    const index = (array, at) => { const k = at.filter((_, axis) => raw[array][axis]); return k.length ? `[${k.join(", ")}]` : ""; };
    const value = (array, at) => (array === "sum" ? value("a", reads("a", at)) + value("b", reads("b", at)) : values[array]((at[0] * full[array][1] + at[1]) * full[array][2] + at[2]));
    const stretched = (array) => axes.filter((k) => full[array][k] !== full.sum[k]);
    if (bad.length && chosen.array === "sum") chosen.array = "a";
    chosen.at = chosen.at.map((k, axis) => Math.min(k, full[chosen.array][axis] - 1));
    const isMarked = (array, at) => {
      if (bad.length) return false;
      if (chosen.array === "sum") return same(at, chosen.at);
      return (array === chosen.array || array === "sum") && same(reads(chosen.array, at), chosen.at);
    };

    notes.forEach((note, k) => {
      const times = ["a", "b"].filter((array) => !bad.length && stretched(array).includes(k)).map((array) => `${array} × ${full.sum[k]}`);
      const wrong = bad.includes(k);
      note.replaceChildren(element("b", { textContent: wrong ? `✗ ${full.a[k]} ≠ ${full.b[k]}` : raw.sum[k] || "none" }), element("div", { textContent: times.join(", "), style: "min-height:1.45em" }));
    });

    draw.replaceChildren();
    const marked = [];
    let height = 0;
    for (const array of ["a", "b", "sum"]) {
      const left = places[array], seen = bad.length ? full[array] : full.sum;
      const refused = bad.length && array === "sum";
      const title = array === "sum" ? "a + b" : array;
      draw.append(svg("text", { x: left, y: 15, style: "font-weight:600" }, refused ? `${title}: refused` : `${title} ${written(shape(array))}`));
      if (refused) continue;
      const place = ([p, r, c]) => [left + c * across, top + p * (seen[1] * down + 9) + r * down];
      for (const at of all(seen)) {
        const source = array === "sum" ? at : reads(array, at), again = !same(source, at), mark = isMarked(array, at);
        const [x, y] = place(at);
        const fill = { a: COLOURS[0], b: COLOURS[2], sum: "transparent" }[array];
        const box = svg("rect", { x: x + 1, y: y + 1, width: across - 2, height: down - 2, fill: mark ? COLOURS[1] : fill, "fill-opacity": mark ? 0.4 : again ? 0.06 : 0.3, stroke: mark ? COLOURS[1] : "currentColor", "stroke-width": mark ? 2.5 : 1, "stroke-dasharray": again ? "3 3" : "none", "pointer-events": "all", style: "cursor:pointer" });
        const cell = svg("g", {}, box, svg("text", { x: x + across / 2, y: y + 17, "text-anchor": "middle", "pointer-events": "none", style: "font-size:12px", class: again ? "mgl-pale" : "" }, value(array, source)));
        for (const event of ["pointermove", "pointerdown"]) {
          box.addEventListener(event, () => {
            if (chosen.array === array && same(chosen.at, source)) return;
            chosen = { array, at: source };
            show();
          });
        }
        draw.append(cell);
        if (mark && array === "sum") marked.push(at);
        height = Math.max(height, y + down + 3);
        const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
        if (moves && again && !still) {
          const [fromX, fromY] = place(source);
          cell.animate([{ transform: `translate(${fromX - x}px, ${fromY - y}px)` }, { transform: "none" }], { duration: 600, easing: "ease-out" });
        }
      }
    }
    draw.setAttribute("viewBox", `0 0 480 ${height}`);
    said.textContent = bad.length ? refusal(raw, full, shape, bad.at(-1)) : story();

    function story() {
      const { array, at } = chosen, sum = (k) => `g${index("sum", k)}`;
      if (array === "sum") return `(a + b)${index("sum", at)} = a${index("a", reads("a", at))} + b${index("b", reads("b", at))} = ${value("a", reads("a", at))} + ${value("b", reads("b", at))}. Backward, its gradient ${sum(at)} goes to both.`;
      const own = `${array}${index(array, at)}`;
      if (marked.length === 1) return `${own} is read once. Backward, its gradient is ${sum(marked[0])}.`;
      const terms = marked.length > 4 ? [sum(marked[0]), sum(marked[1]), "…", sum(marked.at(-1))] : marked.map(sum);
      return `${own} is read ${marked.length} times. Backward, its gradient is a sum of ${marked.length}, over ${stretched(array).map(name).join(" and ")}: ${terms.join(" + ")}.`;
    }
  }
  function refusal(raw, full, shape, axis) {
    const column = ["a", "b"].find((array) => shape(array).length === 1 && full[array === "a" ? "b" : "a"][1] === full[array][2]);
    const meant = column ? ` Was ${column} meant as a column? Then its shape is (${full[column][2]}, 1).` : " Make one of them 1.";
    return `${written(shape("a"))} and ${written(shape("b"))} do not broadcast: on ${name(axis)} the sizes are ${full.a[axis]} and ${full.b[axis]}. They differ and neither is 1, so no rule says which number meets which.${meant}`;
  }
  draw.setAttribute("tabindex", 0);
  draw.dataset.lmSuppressShortcuts = "true";
  draw.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const full = (array) => axes.map((k) => (array === "sum" ? Math.max(full("a")[k], full("b")[k]) : Number(sizes[array][k].value) || 1));
    if (event.key === "ArrowUp" || event.key === "ArrowDown") {
      const names = Object.keys(places);
      chosen.array = names[(names.indexOf(chosen.array) + by + 3) % 3];
    } else {
      const entries = all(full(chosen.array));
      chosen.at = entries[(entries.findIndex((at) => same(at, chosen.at)) + by + entries.length) % entries.length];
    }
    show();
  });
  root.append(element("div", { className: "mgl-row", style: "align-items:start" }, element("div", { style: "flex:1 1 260px;min-width:0" }, table, said), element("div", { style: "flex:2 1 340px;min-width:0" }, draw)));
  show();
}
