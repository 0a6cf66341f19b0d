// What the moving figures share: elements, SVG, sliders, and colours that follow the page's theme.

const COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];
const NAMESPACE = "http://www.w3.org/2000/svg";

function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "textContent" || name === "className") node[name] = value;
    else if (value !== false && value !== null) node.setAttribute(name, value === true ? "" : value);
  }
  // A notebook's shortcuts must not hear the keys of what has the focus.
  if ("tabindex" in properties || ["button", "input", "select"].includes(tag)) {
    node.dataset.lmSuppressShortcuts = "true";
  }
  node.append(...children);
  return node;
}

function svg(tag, properties = {}, ...children) {
  const node = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(properties)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

// An empty picture that fills the width, `width` × `height` in its own units.
function picture(width, height, label, role = "img") {
  return svg("svg", { viewBox: `0 0 ${width} ${height}`, width: "100%", role, "aria-label": label, style: `max-width:${width}px;display:block` });
}

let count = 0;

// A slider with its name and number: { whole, value }. `change` is called when it moves.
function slider(name, { min, max, step, value, shown = (x) => String(x) }, change) {
  const id = `mgl-${count++}`;
  const input = element("input", { type: "range", id, min, max, step });
  input.value = String(value);
  const output = element("output", { textContent: shown(value) });
  const tell = () => {
    output.textContent = shown(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
  };
  tell();
  input.addEventListener("input", () => { tell(); change(); });
  const whole = element("div", { className: "mgl-field" }, element("label", { for: id }, `${name} `, output), input);
  return { whole, input, get value() { return Number(input.value); }, set value(x) { input.value = String(x); tell(); } };
}

function checkbox(name, checked, change) {
  const id = `mgl-${count++}`;
  const input = element("input", { type: "checkbox", id, checked });
  input.addEventListener("change", change);
  return { whole: element("div", { className: "mgl-check" }, input, element("label", { for: id, textContent: name })), get value() { return input.checked; } };
}

function choice(name, options, change) {
  const id = `mgl-${count++}`;
  const input = element("select", { id }, ...options.map((text, k) => element("option", { value: k, textContent: text })));
  input.addEventListener("change", change);
  return { whole: element("div", { className: "mgl-field mgl-choice" }, element("label", { for: id, textContent: name }), input), input, get value() { return Number(input.value); } };
}

function button(name, press) {
  return element("button", { type: "button", textContent: name, onclick: press });
}

// A line that a screen reader hears when it changes.
function words() {
  return element("p", { className: "mgl-words", role: "status" });
}

// Random numbers that repeat: mulberry32, and normal ones by Box and Muller.
function dice(seed) {
  let state = seed >>> 0;
  const uniform = () => {
    state = (state + 1831565813) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  return { uniform, normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()) };
}

const short = (x) => (Math.abs(x) >= 1000 || (x !== 0 && Math.abs(x) < 0.001) ? x.toExponential(1) : String(Number(x.toPrecision(3)))).replace("-", "−");
