// A training as a slider: the losses, and what the model wrote and looked at after so many steps.
// `data`: `losses`, pairs (step, mean loss); `moments` with `step`, `validation` and `sample`; a
// `text`; the `names` of the heads; `maps`, packed: for each moment and head the lower triangle.
function figure(root, data) {
  const { losses, moments, text, names } = data;
  const characters = [...text], T = characters.length, triangle = (T * (T + 1)) / 2;
  const maps = unpack(data.maps);
  const visible = (c) => ({ "\n": "⏎", " ": "␣" }[c] ?? c);
  const said = words();
  let query = T - 1, timer = null;

  // The losses, over the steps.
  const width = 420, height = 220, left = 40, bottom = 36, last = Math.max(...losses.map(([step]) => step), moments.at(-1).step);
  const shown = [...losses.map(([, loss]) => loss), ...moments.map((m) => m.validation)];
  const low = Math.min(...shown) - 0.1, high = Math.max(...shown) + 0.1;
  const place = (step, loss) => [left + (step / last) * (width - left - 10), 8 + ((high - loss) / (high - low)) * (height - 8 - bottom)];
  const chart = picture(width, height, "Loss of training and of validation over the steps");
  for (let loss = Math.ceil(low * 2) / 2; loss <= high; loss += 0.5) {
    const [x, y] = place(0, loss);
    chart.append(svg("path", { d: `M${x} ${y}H${width - 10}`, stroke: "currentColor", "stroke-opacity": 0.15 }), svg("text", { x: x - 6, y: y + 4, "text-anchor": "end" }, loss.toFixed(1)));
  }
  chart.append(svg("text", { x: left, y: height - bottom + 18, "text-anchor": "middle" }, "0"), svg("text", { x: width - 10, y: height - bottom + 18, "text-anchor": "end" }, String(last)), svg("text", { x: width / 2, y: height - 3, "text-anchor": "middle" }, "step"));
  const line = (points, colour, dashes) => svg("polyline", { points: points.map((p) => place(...p).map((v) => v.toFixed(1)).join(",")).join(" "), fill: "none", stroke: colour, "stroke-width": 2, "stroke-dasharray": dashes });
  const now = svg("path", { stroke: "currentColor", "stroke-width": 1.5 });
  const dot = svg("circle", { r: 6, fill: COLOURS[1], stroke: "currentColor" });
  chart.append(now, line(losses, COLOURS[0], "none"), line(moments.map((m) => [m.step, m.validation]), COLOURS[1], "6 4"), dot,
    svg("text", { x: width - 14, y: 24, "text-anchor": "end" }, "— training   - - validation"));

  // The map of a head.
  const size = Math.min(16, 330 / T), edge = 24;
  const map = picture(edge + T * size + 4, edge + T * size + 4, "Who looks at whom; up and down arrow pick the query");
  const letter = { "text-anchor": "middle", class: "mgl-mono", style: `font-size:${0.85 * size}px` };
  const blue = `color-mix(in srgb, ${COLOURS[0]} 75%, currentColor)`; // brighter on a dark page
  const cells = [];
  characters.forEach((c, t) => {
    map.append(svg("text", { ...letter, x: edge + (t + 0.5) * size, y: edge - 7 }, visible(c)), svg("text", { ...letter, x: edge - 10, y: edge + (t + 0.75) * size }, visible(c)));
    for (let s = 0; s <= t; s++) {
      const cell = svg("rect", { x: edge + s * size, y: edge + t * size, width: size - 1, height: size - 1, fill: blue, stroke: "currentColor", "stroke-opacity": 0.15, "pointer-events": "all" });
      for (const event of ["pointerenter", "pointerdown", "pointermove"]) cell.addEventListener(event, () => { if (query !== t) { query = t; show(); } });
      map.append(cell);
      cells.push(cell);
    }
  });
  const frame = svg("rect", { x: edge - 1, height: size + 1, fill: "none", stroke: COLOURS[1], "stroke-width": 2.5, "pointer-events": "none" });
  map.append(frame);
  map.setAttribute("tabindex", 0);
  map.dataset.lmSuppressShortcuts = "true";
  map.addEventListener("keydown", (event) => {
    const by = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    query = Math.max(0, Math.min(T - 1, query + by));
    show();
  });

  const moment = slider("After step", { min: 0, max: moments.length - 1, step: 1, value: moments.length - 1, shown: (k) => String(moments[k].step) }, show);
  const head = choice("Map", names, show);
  const sample = element("pre", { style: "white-space:pre-wrap;min-height:6.5em;margin:0.3rem 0;background:transparent;color:inherit", tabindex: 0, "aria-label": "what the model wrote" });
  const play = button("Play", () => {
    if (timer) return stop();
    moment.value = 0;
    play.textContent = "Pause";
    timer = setInterval(() => {
      if (moment.value === moments.length - 1 || !root.isConnected) return stop();
      moment.value += 1;
      show();
    }, 900);
    show();
  });
  function stop() { clearInterval(timer); timer = null; play.textContent = "Play"; }

  function show() {
    const k = moment.value, { step, validation } = moments[k];
    const nearest = losses.reduce((a, b) => (Math.abs(b[0] - step) < Math.abs(a[0] - step) ? b : a));
    const [x, y] = place(step, validation);
    now.setAttribute("d", `M${x} 8V${height - bottom}`);
    dot.setAttribute("cx", x);
    dot.setAttribute("cy", y);
    sample.textContent = moments[k].sample;
    const from = (k * names.length + head.value) * triangle;
    cells.forEach((cell, i) => cell.setAttribute("fill-opacity", maps[from + i]));
    frame.setAttribute("x", edge - 1);
    frame.setAttribute("y", edge + query * size - 1);
    frame.setAttribute("width", (query + 1) * size + 1);
    const row = maps.subarray(from + (query * (query + 1)) / 2, from + ((query + 1) * (query + 2)) / 2);
    const best = row.indexOf(Math.max(...row));
    said.textContent = `Step ${step}: training loss ${nearest[1].toFixed(2)}, validation loss ${validation.toFixed(2)}. In ${names[head.value]}, “${visible(characters[query])}” (place ${query}) looks most at “${visible(characters[best])}” (place ${best}): ${row[best].toFixed(2)}.`;
  }
  root.append(element("div", { className: "mgl-row" }, moment.whole, play, head.whole), element("div", { className: "mgl-row", style: "align-items:start" }, element("div", { style: "flex:1 1 300px;min-width:0" }, chart, sample), element("div", { style: "flex:1 1 280px;min-width:0" }, map)), said);
  show();
}
