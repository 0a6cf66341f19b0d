// The spread of the initial weights, and what becomes of a signal in twenty layers of tanh or ReLU.
function figure(root, data) {
  const layers = data.layers ?? 20, width = data.width ?? 64, rows = data.rows ?? 24;
  const random = dice(data.seed ?? 0);
  const normal = (n) => Float32Array.from({ length: n }, random.normal);
  const input = normal(rows * width);
  const weights = Array.from({ length: layers }, () => normal(width * width));
  const draw = picture(520, 420, "One ridge for each layer: how its outputs are spread");
  const said = words();
  const spread = slider("Spread of the weights, times 1/√n", { min: 0.2, max: 3, step: 0.05, value: 1, shown: (x) => x.toFixed(2) }, show);
  const kind = choice("Activation", ["tanh", "ReLU", "none"], show);
  const bins = 61;
  const ridges = weights.map((_, l) => {
    const path = svg("path", { fill: COLOURS[0], "fill-opacity": 0.3, stroke: "currentColor", "stroke-width": 1 });
    const label = svg("text", { x: 464, y: 40 + l * 18 });
    draw.append(path, svg("text", { x: 2, y: 40 + l * 18, class: "mgl-pale" }, l + 1), label);
    return { path, label };
  });
  const below = svg("text", { x: 240, y: 414, "text-anchor": "middle" });
  draw.append(svg("text", { x: 464, y: 18 }, "spread"), svg("text", { x: 2, y: 18 }, "layer"), below);
  function show() {
    const f = [Math.tanh, (x) => Math.max(0, x), (x) => x][kind.value];
    const scale = spread.value / Math.sqrt(width);
    let x = input, last = 0;
    ridges.forEach(({ path, label }, l) => {
      const y = new Float32Array(rows * width), W = weights[l];
      for (let r = 0; r < rows; r++) for (let o = 0; o < width; o++) {
        let sum = 0;
        for (let i = 0; i < width; i++) sum += W[o * width + i] * x[r * width + i];
        y[r * width + o] = f(sum * scale);
      }
      x = y;
      const counts = new Array(bins).fill(0);
      let mean = 0, square = 0;
      for (const v of y) {
        mean += v / y.length;
        square += (v * v) / y.length;
        if (kind.value === 1 && v === 0) continue; // half of ReLU's outputs: they would hide the others
        const bin = Math.floor(((v + 2) / 4) * bins);
        if (bin >= 0 && bin < bins) counts[bin]++;
      }
      last = Math.sqrt(Math.max(0, square - mean * mean));
      const top = Math.max(...counts, 1), base = 36 + l * 18;
      path.setAttribute("d", `M30 ${base}` + counts.map((c, k) => `L${30 + (k / (bins - 1)) * 420} ${base - (26 * c) / top}`).join("") + `L450 ${base}Z`);
      label.textContent = !Number.isFinite(last) ? "inf" : last < 0.001 || last >= 1000 ? short(last) : last.toFixed(3);
    });
    below.textContent = kind.value === 1 ? "outputs that are not 0, −2 … 2" : "output, −2 … 2";
    said.textContent = `After ${layers} layers the spread is ${Number.isFinite(last) ? short(last) : "too large for a number"}: ${last < 0.05 ? "the signal has died." : last > 5 ? "it has exploded." : kind.value === 0 && last > 0.8 ? "tanh is saturated." : "it lives."}`;
  }
  root.append(draw, element("div", { className: "mgl-row" }, spread.whole, kind.whole), said);
  show();
}
