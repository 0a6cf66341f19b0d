// The chat in a notebook: NumPy computes in the kernel, through anywidget's messages.

import { chat } from "./chat.js";
import { Kernel } from "./kernel.js";

export default {
  render({ model, el }) {
    chat(el, new Kernel(model), model.get("settings"));
  },
};
