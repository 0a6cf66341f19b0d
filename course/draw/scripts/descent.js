// Gradient descent with momentum on a loss surface: drag the start, change rate and momentum, play.
function figure(root, data) {
  const width = 640, height = 360, reach = [3.2, 1.8]; // the surface is ½ (a x² + b y²), a narrow valley
  const { a = 1, b = 12 } = data;
  const draw = picture(width, height, "A valley seen from above, and the path of the steps", "group");
  const said = words();
  const rate = slider("Learning rate", { min: 0.005, max: 0.2, step: 0.005, value: 0.06, shown: (x) => x.toFixed(3) }, show);
  const momentum = slider("Momentum", { min: 0, max: 0.98, step: 0.02, value: 0, shown: (x) => x.toFixed(2) }, show);
  const steps = slider("Steps", { min: 0, max: 80, step: 1, value: 25 }, show);
  let start = [-2.8, 1.2], timer = null;
  const place = ([x, y]) => [width / 2 + (x / reach[0]) * (width / 2), height / 2 - (y / reach[1]) * (height / 2)];
  const clip = `mgl-clip-${count++}`;
  draw.append(svg("clipPath", { id: clip }, svg("rect", { x: 0, y: 0, width, height })));
  for (let k = 9; k >= 1; k--) {
    const level = 0.08 * k * k;
    const [cx, cy] = place([0, 0]);
    draw.append(svg("ellipse", { cx, cy, rx: (Math.sqrt((2 * level) / a) / reach[0]) * (width / 2), ry: (Math.sqrt((2 * level) / b) / reach[1]) * (height / 2), fill: "none", stroke: "currentColor", "stroke-opacity": 0.35, "clip-path": `url(#${clip})` }));
  }
  const path = svg("polyline", { fill: "none", stroke: COLOURS[0], "stroke-width": 2, "clip-path": `url(#${clip})` });
  const dots = svg("g", { "clip-path": `url(#${clip})` });
  const handle = svg("circle", { r: 11, fill: COLOURS[1], stroke: "currentColor", tabindex: 0, role: "slider", "aria-label": "start; arrow keys move it", "aria-valuenow": 0, style: "cursor:grab;touch-action:none" });
  handle.dataset.lmSuppressShortcuts = "true";
  const goal = place([0, 0]);
  draw.append(path, dots, svg("text", { x: goal[0], y: goal[1] + 5, "text-anchor": "middle" }, "★"), handle);
  handle.addEventListener("pointerdown", (event) => handle.setPointerCapture(event.pointerId));
  handle.addEventListener("pointermove", (event) => {
    if (!event.buttons) return;
    const box = draw.getBoundingClientRect();
    start = [(((event.clientX - box.left) / box.width) * 2 - 1) * reach[0], (1 - ((event.clientY - box.top) / box.height) * 2) * reach[1]];
    show();
  });
  handle.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, 0.1], ArrowDown: [0, -0.1] }[event.key];
    if (!by) return;
    event.preventDefault();
    start = [start[0] + by[0], start[1] + by[1]];
    show();
  });
  function show() {
    let [x, y] = start, velocity = [0, 0];
    const points = [[x, y]];
    for (let t = 0; t < steps.value; t++) {
      velocity = [momentum.value * velocity[0] + a * x, momentum.value * velocity[1] + b * y];
      x -= rate.value * velocity[0];
      y -= rate.value * velocity[1];
      points.push([x, y]);
    }
    const seen = points.map((p) => place(p).map((v) => Math.max(-1e4, Math.min(1e4, v))));
    path.setAttribute("points", seen.map((p) => p.join(",")).join(" "));
    dots.replaceChildren(...seen.map(([cx, cy]) => svg("circle", { cx, cy, r: 3, fill: COLOURS[0] })));
    const [hx, hy] = place(start);
    handle.setAttribute("cx", hx);
    handle.setAttribute("cy", hy);
    handle.setAttribute("aria-valuetext", `${start[0].toFixed(1)}, ${start[1].toFixed(1)}`);
    const loss = 0.5 * (a * x * x + b * y * y);
    said.textContent = `Loss after ${steps.value} steps: ${short(loss)}${loss > 1e3 ? ": the steps grow, the rate is too high." : loss < 1e-3 ? ": arrived." : "."}`;
  }
  const play = button("Play", () => {
    if (timer) { clearInterval(timer); timer = null; play.textContent = "Play"; return; }
    steps.value = 0;
    play.textContent = "Pause";
    timer = setInterval(() => {
      if (steps.value >= 80 || !root.isConnected) { clearInterval(timer); timer = null; play.textContent = "Play"; return; }
      steps.value = steps.value + 1;
      show();
    }, 90);
  });
  root.append(draw, element("div", { className: "mgl-row" }, rate.whole, momentum.whole, steps.whole, play), said);
  show();
}
