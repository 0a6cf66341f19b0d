// A shape and its strides over a row of memory: which boxes are read, and what the array looks like.
function figure(root, data) {
  const { memory, presets } = data;
  const width = 540, box = Math.min(44, (width - 10) / memory.length);
  const draw = picture(width, 250, "Memory above, the array that is read from it below");
  const said = words();
  const limits = { rows: [1, 6], columns: [1, 6], "stride of rows": [-6, 6], "stride of columns": [-6, 6], offset: [0, memory.length - 1] };
  const controls = Object.fromEntries(Object.entries(limits).map(([name, [min, max]]) => [name, slider(name, { min, max, step: 1, value: presets[0].values[name], shown: (x) => String(x).replace("-", "−") }, () => show())]));
  const preset = choice("Look at", presets.map((p) => p.name), () => {
    for (const [name, value] of Object.entries(presets[preset.value].values)) controls[name].value = value;
    show();
  });
  const boxes = memory.map((value, k) => {
    const rect = svg("rect", { x: 5 + k * box, y: 24, width: box, height: 34, fill: "transparent", stroke: "currentColor" });
    const uses = svg("text", { x: 5 + (k + 0.5) * box, y: 76, "text-anchor": "middle" });
    draw.append(rect, svg("text", { x: 5 + (k + 0.5) * box, y: 46, "text-anchor": "middle" }, value), svg("text", { x: 5 + (k + 0.5) * box, y: 17, "text-anchor": "middle", class: "mgl-pale" }, k), uses);
    return { rect, uses };
  });
  const cells = svg("g", {});
  draw.append(cells);
  let cursor = [0, 0];
  function show() {
    const v = Object.fromEntries(Object.entries(controls).map(([name, c]) => [name, c.value]));
    const used = new Map();
    cells.replaceChildren();
    let outside = false;
    for (let i = 0; i < v.rows; i++) for (let j = 0; j < v.columns; j++) {
      const at = v.offset + i * v["stride of rows"] + j * v["stride of columns"];
      const inside = at >= 0 && at < memory.length;
      outside ||= !inside;
      if (inside) used.set(at, (used.get(at) ?? 0) + 1);
      const here = cursor[0] === i && cursor[1] === j;
      const x = 130 + j * 46, y = 100 + i * 36;
      const rect = svg("rect", { x, y, width: 44, height: 34, fill: inside ? COLOURS[0] : COLOURS[1], "fill-opacity": here ? 0.55 : 0.18, stroke: here ? COLOURS[1] : "currentColor", "stroke-width": here ? 3 : 1, style: "cursor:pointer" });
      rect.addEventListener("pointerenter", () => { cursor = [i, j]; show(); });
      cells.append(rect, svg("text", { x: x + 22, y: y + 22, "text-anchor": "middle", style: "pointer-events:none" }, inside ? memory[at] : "?"));
    }
    draw.setAttribute("viewBox", `0 0 ${width} ${106 + 36 * Math.max(4, v.rows)}`);
    cursor = [Math.min(cursor[0], v.rows - 1), Math.min(cursor[1], v.columns - 1)];
    const at = v.offset + cursor[0] * v["stride of rows"] + cursor[1] * v["stride of columns"];
    boxes.forEach(({ rect, uses }, k) => {
      rect.setAttribute("fill", used.has(k) ? COLOURS[0] : "transparent");
      rect.setAttribute("fill-opacity", k === at ? 0.6 : 0.2);
      rect.setAttribute("stroke-width", k === at ? 4 : 1);
      rect.setAttribute("stroke", k === at ? COLOURS[1] : "currentColor");
      uses.textContent = (used.get(k) ?? 0) > 1 ? `× ${used.get(k)}` : "";
    });
    const formula = `[${cursor.join(", ")}] reads box ${v.offset} + ${cursor[0]} · ${v["stride of rows"]} + ${cursor[1]} · ${v["stride of columns"]} = ${at}`.replace(/-/g, "−");
    said.textContent = outside ? `${formula}. Some boxes lie outside of the memory: NumPy would never make this array.` : `${formula}. ${v.rows * v.columns} cells read ${used.size} boxes.`;
  }
  draw.setAttribute("tabindex", 0);
  draw.dataset.lmSuppressShortcuts = "true";
  draw.addEventListener("keydown", (event) => {
    const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    if (!by) return;
    event.preventDefault();
    cursor = [Math.max(0, Math.min(controls.rows.value - 1, cursor[0] + by[0])), Math.max(0, Math.min(controls.columns.value - 1, cursor[1] + by[1]))];
    show();
  });
  root.append(element("div", { className: "mgl-row" }, preset.whole), draw, said, element("div", { className: "mgl-row" }, ...Object.values(controls).map((c) => c.whole)));
  show();
}
