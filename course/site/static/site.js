"use strict";

// What scrolls by itself can be scrolled by keyboard too: long formulas, wide outputs, code.
function reachable() {
  for (const box of document.querySelectorAll("mjx-container, div.math, .cell_output, pre")) {
    const scrolls = box.scrollWidth > box.clientWidth + 1 && getComputedStyle(box).overflowX !== "visible";
    if (scrolls && !box.hasAttribute("tabindex")) box.tabIndex = 0;
    if (scrolls) box.dataset.scrolls = "";
    else if ("scrolls" in box.dataset) { box.removeAttribute("tabindex"); delete box.dataset.scrolls; }
  }
}

// Second reading is folded. A link to its heading or to something in it opens it, and so does a
// result of the search, which leads to its first word.
const FOLD = ".second-reading > details";
const WORD = "highlight";

function searched() {
  const query = new URLSearchParams(location.search).get(WORD) ?? "";
  const words = query.toLowerCase().match(/[\p{L}\p{N}_]+/gu);
  if (!words) return null;
  const all = [...document.querySelectorAll(".bd-article :is(p, li, td, pre)")];
  const texts = all.filter((text) => !text.closest(`details:not(${FOLD})`)); // no hint is given away
  const holds = (text) => (word) => text.textContent.toLowerCase().includes(word);
  return texts.find((text) => words.every(holds(text))) ?? texts.find((text) => words.some(holds(text)));
}

function arrive() {
  const place = location.hash ? document.getElementById(decodeURIComponent(location.hash.slice(1))) : searched();
  for (let part = place; part; part = part.parentElement) {
    part.querySelector(`:scope${FOLD}`)?.setAttribute("open", "");
  }
  place?.scrollIntoView();
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href]");
  const query = new URLSearchParams(location.search).get("q");
  if (link?.closest("#search-results") && query) link.search = new URLSearchParams({ [WORD]: query });
  if (link?.hash && link.href === location.href) setTimeout(arrive); // once more: no hash changes
}, true);

window.addEventListener("load", async () => {
  arrive();
  window.addEventListener("hashchange", arrive);
  await window.MathJax?.startup?.promise;
  reachable();
  window.addEventListener("resize", reachable);
  document.addEventListener("toggle", reachable, true);
});

// Nobody can open a fold on paper.
let closed = [];
window.addEventListener("beforeprint", () => {
  closed = [...document.querySelectorAll(`${FOLD}:not([open])`)];
  for (const fold of closed) fold.open = true;
});
window.addEventListener("afterprint", () => {
  for (const fold of closed) fold.open = false;
});
