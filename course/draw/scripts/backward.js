// Step through a backward pass: nodes are visited one by one, gradients gather in their inputs.
// `data.nodes`: { name, op, value, x, y, inputs: [[name, local derivative], …] }; `data.orders`: named lists;
// `data.width` and `data.height`: of the drawing, in the units of x and y.
function figure(root, data) {
  const { nodes, orders } = data;
  const byName = Object.fromEntries(nodes.map((node) => [node.name, node]));
  const width = data.width ?? 720, height = data.height ?? 300;
  const draw = picture(width, height, "A graph of operations");
  const said = words();
  const names = Object.keys(orders);
  const order = choice("Order", names, restart);
  let step = 0;
  const marker = `mgl-arrow-${count++}`;
  draw.append(svg("defs", {}, svg("marker", { id: marker, viewBox: "0 0 10 10", refX: 9, refY: 5, markerWidth: 7, markerHeight: 7, orient: "auto-start-reverse" }, svg("path", { d: "M0 0L10 5L0 10z", fill: "context-stroke" }))));
  const edges = [];
  for (const node of nodes) {
    node.inputs.forEach(([from, slope], k) => {
      const a = byName[from], twice = node.inputs.filter(([other]) => other === from).length > 1;
      const bend = twice ? (k ? 24 : -24) : 0;
      const path = svg("path", { d: `M${a.x + 48} ${a.y} Q${(a.x + node.x) / 2} ${(a.y + node.y) / 2 + bend} ${node.x - 48} ${node.y}`, fill: "none", stroke: "currentColor", "stroke-width": 1.5, "marker-end": `url(#${marker})` });
      // The number stands beside the arrow: as far away as its own size asks for.
      const dx = node.x - a.x - 96, dy = node.y - a.y, length = Math.hypot(dx, dy);
      const away = (bend > 0 ? -1 : 1) * (4 + (15 * Math.abs(dy) + 7 * Math.abs(dx)) / length);
      const label = svg("text", { x: (a.x + node.x) / 2 + (away * dy) / length, y: (a.y + node.y) / 2 + bend / 2 - (away * dx) / length + 4, "text-anchor": "middle", class: "mgl-pale" }, `× ${short(slope)}`);
      draw.append(path, label);
      edges.push({ from, to: node.name, slope, path });
    });
  }
  const boxes = Object.fromEntries(nodes.map((node) => {
    const box = svg("rect", { x: node.x - 48, y: node.y - 27, width: 96, height: 54, rx: 8, fill: "transparent", stroke: "currentColor", "stroke-width": 1.5 });
    const gradient = svg("text", { x: node.x, y: node.y + 44, "text-anchor": "middle", fill: COLOURS[1], style: `fill:${COLOURS[1]};font-weight:600` });
    draw.append(box, svg("text", { x: node.x, y: node.y - 6, "text-anchor": "middle", style: "font-weight:600" }, node.op ? `${node.name} = ${node.op}` : node.name),
      svg("text", { x: node.x, y: node.y + 14, "text-anchor": "middle" }, short(node.value)), gradient);
    return [node.name, { box, gradient }];
  }));
  function gradients(steps) {
    const list = orders[names[order.value]];
    const found = { [list[0]]: 1 }, used = new Set();
    let last = null;
    for (const name of list.slice(0, steps)) {
      last = { name, sent: [] };
      for (const [from, slope] of byName[name].inputs) {
        const part = (found[name] ?? 0) * slope;
        found[from] = (found[from] ?? 0) + part;
        last.sent.push([from, part]);
      }
      used.add(name);
    }
    return { found, used, last, list };
  }
  function show() {
    const { found, used, last, list } = gradients(step);
    for (const node of nodes) {
      const { box, gradient } = boxes[node.name];
      gradient.textContent = node.name in found ? `gradient ${short(found[node.name])}` : "";
      const now = last?.name === node.name;
      box.setAttribute("stroke", now ? COLOURS[1] : "currentColor");
      box.setAttribute("stroke-width", now ? 4 : 1.5);
      box.setAttribute("stroke-dasharray", used.has(node.name) && !now ? "5 3" : "none");
    }
    for (const edge of edges) {
      edge.path.setAttribute("stroke", last?.name === edge.to ? COLOURS[1] : "currentColor");
      edge.path.setAttribute("stroke-width", last?.name === edge.to ? 4 : 1.5);
    }
    if (!last) said.textContent = `The gradient of ${list[0]} with respect to itself is 1. Press Next.`;
    else if (!last.sent.length) said.textContent = `Step ${step}: ${last.name} is a leaf; its gradient ${short(found[last.name] ?? 0)} is finished.`;
    else said.textContent = `Step ${step}: ${last.name} sends ${last.sent.map(([to, part]) => `${short(part)} to ${to}`).join(" and ")}.`;
    if (step === list.length) {
      const right = gradientsOf(names[0]);
      const wrong = nodes.filter((n) => !n.inputs.length && Math.abs((found[n.name] ?? 0) - right[n.name]) > 1e-9);
      said.textContent += wrong.length ? ` Done, and wrong: ${wrong.map((n) => `${n.name} should have ${short(right[n.name])}`).join(", ")}.` : " Done, and right.";
    }
    back.disabled = step === 0;
    next.disabled = step === list.length;
  }
  function gradientsOf(name) {
    const found = { [orders[name][0]]: 1 };
    for (const n of orders[name]) for (const [from, slope] of byName[n].inputs) found[from] = (found[from] ?? 0) + (found[n] ?? 0) * slope;
    return found;
  }
  function restart() { step = 0; show(); }
  const back = button("Back", () => { step--; show(); });
  const next = button("Next", () => { step++; show(); });
  root.append(draw, element("div", { className: "mgl-row" }, order.whole, back, next, button("From the start", restart)), said);
  show();
}
