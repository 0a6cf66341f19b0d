// Rotary positions: a query and a key, turned by where they stand; their score depends on the
// distance alone. `data`: `query` and `key`, lists of D numbers, neighbours in pairs, and `base`.
function figure(root, data) {
  const { query, key, base } = data;
  const last = 30, width = 480, at = (position) => 15 + (450 * position) / last, line = 40;
  const pairs = Array.from({ length: query.length / 2 }, (_, j) => ({ j, speed: base ** ((-2 * j) / query.length), q: query.slice(2 * j, 2 * j + 2), k: key.slice(2 * j, 2 * j + 2) }));
  const reach = Math.max(...pairs.flatMap(({ q, k }) => [Math.hypot(...q), Math.hypot(...k)]));
  const draw = picture(width, 400, "Positions above; below them the pairs of channels, turned, and the score by distance", "group");
  const said = words();
  let place = { query: 20, key: 15 };

  // Above, the row of positions: a handle for each of the two, and the bar between that moves both.
  draw.append(svg("path", { d: `M${at(0)} ${line}H${at(last)}`, stroke: "currentColor", "stroke-opacity": 0.5 }));
  for (let t = 0; t <= last; t++) draw.append(svg("path", { d: `M${at(t)} ${line - 4}v8`, stroke: "currentColor", "stroke-opacity": 0.5 }));
  function handle(shape, properties, name, move) {
    const node = svg(shape, { ...properties, stroke: "currentColor", tabindex: 0, role: "slider", "aria-label": name, "aria-valuemin": 0, "aria-valuemax": last, style: "cursor:grab;touch-action:none" });
    node.dataset.lmSuppressShortcuts = "true";
    let from = null;
    node.addEventListener("pointerdown", (event) => { node.setPointerCapture(event.pointerId); from = { x: event.clientX, ...place }; });
    node.addEventListener("pointermove", (event) => {
      if (!event.buttons || !from) return;
      const by = Math.round(((event.clientX - from.x) / draw.getBoundingClientRect().width) * (width / 450) * last);
      move(from, by);
      show();
    });
    node.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[event.key];
      if (!by) return;
      event.preventDefault();
      move(place, by);
      show();
    });
    draw.append(node);
    return node;
  }
  const within = (x, low, high) => Math.max(low, Math.min(high, x));
  const both = handle("rect", { y: line - 9, height: 18, rx: 9, fill: COLOURS[4], "fill-opacity": 0.75 }, "both together", (from, by) => {
    const step = within(by, -from.key, last - from.query);
    place = { query: from.query + step, key: from.key + step };
  });
  const handles = {
    key: handle("circle", { r: 12, cy: line + 24, fill: COLOURS[2] }, "position of the key", (from, by) => { place = { ...place, key: within(from.key + by, 0, place.query) }; }),
    query: handle("circle", { r: 12, cy: line - 24, fill: COLOURS[0] }, "position of the query", (from, by) => { place = { ...place, query: within(from.query + by, place.key, last) }; }),
  };
  const names = Object.fromEntries(Object.keys(handles).map((name) => [name, svg("text", { y: name === "query" ? line - 19 : line + 29 })]));
  draw.append(...Object.values(names));

  // In the middle, a plane for each pair of channels.
  const radius = 50, middle = 140;
  const planes = pairs.map(({ j, speed }) => {
    const x = 60 + 120 * j, label = svg("text", { x, y: middle + 84, "text-anchor": "middle" });
    const wedge = svg("path", { fill: COLOURS[4], "fill-opacity": 0.3 });
    const rays = [COLOURS[2], COLOURS[0]].map((stroke) => svg("path", { stroke, "stroke-width": 3.5, fill: "none" }));
    const ends = [COLOURS[2], COLOURS[0]].map((fill) => svg("circle", { r: 5, fill }));
    draw.append(svg("circle", { cx: x, cy: middle, r: radius, fill: "none", stroke: "currentColor", "stroke-opacity": 0.3 }), wedge, ...rays, ...ends, svg("text", { x, y: middle + 68, "text-anchor": "middle", class: "mgl-pale" }, `${short(speed)} rad a step`), label);
    return { x, wedge, rays, ends, label };
  });

  // Below, the score at every distance.
  const angle = ([x, y], turn) => Math.atan2(y, x) + turn;
  const product = ({ q, k, speed }, distance) => Math.hypot(...q) * Math.hypot(...k) * Math.cos(angle(q, speed * distance) - angle(k, 0));
  const score = (distance) => pairs.reduce((sum, pair) => sum + product(pair, distance), 0);
  const scores = Array.from({ length: last + 1 }, (_, distance) => score(distance));
  const top = 258, tall = 96, low = Math.min(0, ...scores), high = Math.max(0, ...scores);
  const up = (value) => top + (tall * (high - value)) / (high - low || 1);
  draw.append(
    svg("path", { d: `M${at(0)} ${up(0)}H${at(last)}`, stroke: "currentColor", "stroke-opacity": 0.4 }),
    svg("polyline", { points: scores.map((value, distance) => `${at(distance)},${up(value)}`).join(" "), fill: "none", stroke: "currentColor", "stroke-width": 1.5 }),
    svg("text", { x: at(last), y: top + tall + 40, "text-anchor": "end", class: "mgl-pale" }, "positions that the key stands before the query"),
  );
  for (let t = 0; t <= last; t += 5) draw.append(svg("text", { x: at(t), y: top + tall + 20, "text-anchor": "middle", class: "mgl-pale" }, t));
  const dot = svg("circle", { r: 7, fill: COLOURS[1], stroke: "currentColor" });
  const value = svg("text", { x: at(0), y: top - 10, style: "font-weight:600" });
  draw.append(dot, value);

  function show() {
    const distance = place.query - place.key;
    for (const [name, node] of Object.entries(handles)) {
      const left = at(place[name]), turn = left > width - 110;
      node.setAttribute("cx", left);
      node.setAttribute("aria-valuenow", place[name]);
      names[name].setAttribute("x", left + (turn ? -17 : 17));
      names[name].setAttribute("text-anchor", turn ? "end" : "start");
      names[name].textContent = `${name} at ${place[name]}`;
    }
    const wide = Math.max(at(place.query) - at(place.key), 26);
    both.setAttribute("x", (at(place.query) + at(place.key) - wide) / 2);
    both.setAttribute("width", wide);
    both.setAttribute("aria-valuenow", place.query);
    both.setAttribute("aria-valuetext", `query at ${place.query}, key at ${place.key}`);
    pairs.forEach((pair, j) => {
      const { x, wedge, rays, ends, label } = planes[j];
      const turned = [[pair.k, place.key], [pair.q, place.query]].map(([point, position]) => {
        const phi = angle(point, position * pair.speed), r = (radius * Math.hypot(...point)) / reach;
        return { phi, r, end: [x + r * Math.cos(phi), middle - r * Math.sin(phi)] };
      });
      turned.forEach(({ end }, n) => {
        rays[n].setAttribute("d", `M${x} ${middle}L${end.join(" ")}`);
        ends[n].setAttribute("cx", end[0]);
        ends[n].setAttribute("cy", end[1]);
      });
      // The angle between the two, on its shorter side.
      const [a, b] = turned.map(({ phi }) => phi), between = Math.atan2(Math.sin(b - a), Math.cos(b - a)), r = 24;
      const edge = (phi) => `${x + r * Math.cos(phi)} ${middle - r * Math.sin(phi)}`;
      wedge.setAttribute("d", `M${x} ${middle}L${edge(a)}A${r} ${r} 0 0 ${between > 0 ? 0 : 1} ${edge(b)}Z`);
      label.textContent = `q · k = ${product(pair, distance).toFixed(2).replace("-", "−")}`;
    });
    dot.setAttribute("cx", at(distance));
    dot.setAttribute("cy", up(scores[distance]));
    const written = scores[distance].toFixed(2).replace("-", "−");
    value.textContent = `score ${written}`;
    said.textContent = `Query at ${place.query}, key at ${place.key}. The score is ${written}, as at every two positions that are ${distance} apart.`;
  }
  root.append(draw, said);
  show();
}
