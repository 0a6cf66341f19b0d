// What the views are made of: elements, labelled controls, keys.

// Surprise in bits: where a step begins, and what the legend says. Each has a shade and an underline.
export const SURPRISE = [[0, "expected"], [1, "1 bit"], [2, "2"], [4, "4"], [6, "6 or more"]];

const FOCUSED = ["button", "input", "select", "summary", "textarea"];

export function element(tag, properties = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name === "className" || name === "textContent" || name === "value") node[name] = value;
    else if (value !== false && value !== null) node.setAttribute(name, value === true ? "" : value);
  }
  // A notebook's shortcuts must not hear the keys of what has the focus.
  if ("tabindex" in properties || FOCUSED.includes(tag)) node.dataset.lmSuppressShortcuts = "true";
  node.append(...children);
  return node;
}

let counter = 0;
export const unique = (name) => `mg-${name}-${counter++}`;

// A character as one can see it.
export function visible(character) {
  return { "\n": "↵", " ": "␣", "\t": "⇥" }[character] ?? character;
}

export const percent = (p) => (p >= 0.9995 ? "100 %" : p >= 0.0995 ? `${(100 * p).toFixed(0)} %` : `${(100 * p).toFixed(1)} %`);

// A label with a control: the text names it for everybody.
export function field(label, control, note = null) {
  const id = unique("field");
  control.id = id;
  const parts = [element("label", { for: id, textContent: label }), control];
  if (note) parts.push(element("small", { textContent: note }));
  return element("div", { className: "mg-field" }, ...parts);
}

// A slider with its number beside it.
export function slider(label, { min, max, step, value, shown = (x) => String(x), note }) {
  const input = element("input", { type: "range", min, max, step, value: String(value) });
  const output = element("output", { textContent: shown(value) });
  input.addEventListener("input", () => {
    output.textContent = shown(Number(input.value));
    input.setAttribute("aria-valuetext", output.textContent);
  });
  input.setAttribute("aria-valuetext", shown(value));
  const whole = field(label, input, note);
  whole.querySelector("label").append(" ", output);
  return { whole, input, get value() { return Number(input.value); } };
}

// Arrow keys within a group that is one tab stop. `move(key)` returns whether it used the key.
export function keys(node, move) {
  node.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (move(event.key)) {
      event.preventDefault();
      event.stopPropagation();
    }
  });
}

// The whole number in a text field, or RangeError in words.
export function whole(input, name, low, high) {
  const text = input.value.trim();
  if (!/^\d+$/.test(text)) throw new RangeError(`${name} must be a whole number, not "${input.value}".`);
  const value = Number(text);
  if (value < low || value > high) throw new RangeError(`${name} must be at least ${low} and at most ${high}, not ${text}.`);
  return value;
}
