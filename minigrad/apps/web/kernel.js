// Asks a notebook's kernel, through anywidget's messages: { id, method, parameters } and back.

export class Kernel {
  constructor(model) {
    this.model = model;
    this.waiting = new Map();
    this.count = 0;
    model.on("msg:custom", (message, buffers) => {
      const { resolve, reject } = this.waiting.get(message.id) ?? {};
      this.waiting.delete(message.id);
      if (!resolve) return;
      if (message.error) reject(new Error(message.error));
      else resolve(withArrays(message.value, buffers));
    });
  }

  get info() { return this.model.get("info"); }

  ask(method, ...parameters) {
    const id = this.count++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.model.send({ id, method, parameters });
    });
  }
}

// Arrays travel as buffers of float32: { array: number of the buffer }.
function withArrays(value, buffers) {
  if (Array.isArray(value)) return value.map((part) => withArrays(part, buffers));
  if (value && typeof value === "object") {
    if ("array" in value) {
      const view = buffers[value.array];
      return new Float32Array(view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
    }
    return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, withArrays(part, buffers)]));
  }
  return value;
}
