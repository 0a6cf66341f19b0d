// Logits as bars to drag; below them softmax's probabilities, and the loss of the target.
function figure(root, data) {
  const { names, logits: first, target: chosen } = data;
  const width = 500, height = 330, left = 58, step = (width - left) / names.length;
  const logits = [...first];
  let target = chosen;
  const draw = picture(width, height, "Logits above, probabilities below", "group");
  const said = words();
  const temperature = slider("Temperature", { min: 0.1, max: 3, step: 0.1, value: 1, shown: (x) => x.toFixed(1) }, show);
  const zero = 98, unit = 16, floor = 310; // where logit 0 is, and where the probabilities stand
  const bars = names.map((name, k) => {
    const x = left + (k + 0.5) * step;
    const handle = svg("rect", { x: x - step / 3, width: (2 * step) / 3, rx: 2, fill: COLOURS[0] });
    const group = svg("g", { tabindex: 0, role: "slider", "aria-label": `logit of ${name}`, "aria-valuemin": -5, "aria-valuemax": 5, style: "cursor:ns-resize;touch-action:none" },
      svg("rect", { x: x - step / 2, width: step, y: 0, height: 184, fill: "transparent" }), handle);
    group.dataset.lmSuppressShortcuts = "true";
    const number = svg("text", { x, y: 0, "text-anchor": "middle" });
    const share = svg("rect", { x: x - step / 3, width: (2 * step) / 3, rx: 2, fill: COLOURS[2] });
    const percent = svg("text", { x, y: 0, "text-anchor": "middle" });
    const label = svg("text", { x, y: 325, "text-anchor": "middle", class: "mgl-mono", style: "cursor:pointer" }, name);
    label.addEventListener("click", () => { target = k; show(); });
    const set = (value) => { logits[k] = Math.max(-5, Math.min(5, Math.round(value * 10) / 10)); show(); };
    group.addEventListener("pointerdown", (event) => { group.setPointerCapture(event.pointerId); drag(event); });
    group.addEventListener("pointermove", (event) => { if (event.buttons) drag(event); });
    function drag(event) {
      const box = draw.getBoundingClientRect();
      set((zero - ((event.clientY - box.top) * height) / box.height) / unit);
    }
    group.addEventListener("keydown", (event) => {
      const by = { ArrowUp: 0.2, ArrowRight: 0.2, ArrowDown: -0.2, ArrowLeft: -0.2 }[event.key];
      if (event.key === "Enter") { target = k; show(); }
      if (by === undefined) return;
      event.preventDefault();
      set(logits[k] + by);
    });
    draw.append(group, number, share, percent, label);
    return { group, handle, number, share, percent, label };
  });
  draw.append(svg("line", { x1: left, x2: width, y1: zero, y2: zero, stroke: "currentColor" }),
    svg("line", { x1: left, x2: width, y1: floor, y2: floor, stroke: "currentColor" }),
    svg("text", { x: 0, y: 20 }, "logits"), svg("text", { x: 0, y: 198 }, "softmax"));
  function show() {
    const largest = Math.max(...logits);
    const scores = logits.map((x) => Math.exp((x - largest) / temperature.value));
    const total = scores.reduce((a, b) => a + b, 0);
    bars.forEach((bar, k) => {
      const p = scores[k] / total, y = zero - unit * logits[k];
      bar.handle.setAttribute("y", Math.min(y, zero));
      bar.handle.setAttribute("height", Math.max(2, Math.abs(y - zero)));
      bar.number.setAttribute("y", logits[k] >= 0 ? y - 5 : y + 16);
      bar.number.textContent = logits[k].toFixed(1).replace("-", "−");
      bar.group.setAttribute("aria-valuenow", logits[k]);
      bar.share.setAttribute("y", floor - 90 * p);
      bar.share.setAttribute("height", Math.max(1, 90 * p));
      bar.percent.setAttribute("y", floor - 90 * p - 5);
      bar.percent.textContent = `${(100 * p).toFixed(1)} %`;
      bar.label.textContent = k === target ? `▸${names[k]}◂` : names[k];
      bar.share.setAttribute("stroke", k === target ? COLOURS[1] : "none");
      bar.share.setAttribute("stroke-width", 3);
    });
    const p = scores[target] / total;
    said.textContent = `The target is “${names[target]}” with ${(100 * p).toFixed(1)} %: cross-entropy −ln ${p.toPrecision(3)} = ${short(-Math.log(p))} nats.`;
  }
  root.append(draw, element("div", { className: "mgl-row" }, temperature.whole, button("All equal", () => { logits.fill(0); show(); }), button("As at first", () => { first.forEach((x, k) => { logits[k] = x; }); temperature.value = 1; target = chosen; show(); })), said);
  show();
}
