// What scrolls by itself can be scrolled by keyboard too: long formulas, wide outputs, code.
"use strict";

function reachable() {
  for (const box of document.querySelectorAll("mjx-container, div.math, .cell_output, pre")) {
    const scrolls = box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).overflowX !== "visible";
    if (scrolls && !box.hasAttribute("tabindex")) box.tabIndex = 0;
    if (scrolls) box.dataset.scrolls = "";
    else if ("scrolls" in box.dataset) { box.removeAttribute("tabindex"); delete box.dataset.scrolls; }
  }
}

window.addEventListener("load", async () => {
  await window.MathJax?.startup?.promise;
  reachable();
  window.addEventListener("resize", reachable);
});
