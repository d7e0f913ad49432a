// Three helpers; every page is complete without them.

// What scrolls sideways is reached by keyboard, and a formula that fits is no tab stop.
const reach = () => {
  const boxes = 'mjx-container[display="true"], .text_html, .text_plain, .lscore-certificate';
  for (const box of document.querySelectorAll(boxes)) {
    if (box.scrollWidth > box.clientWidth) box.tabIndex = 0;
    else box.removeAttribute("tabindex");
  }
};
window.addEventListener("load", () =>
  Promise.resolve(window.MathJax?.startup?.promise).then(reach));
window.addEventListener("resize", reach);

// Print opens what is folded, and folds it again afterwards.
let opened = [];
window.addEventListener("beforeprint", () => {
  opened = [...document.querySelectorAll("article details:not([open])")];
  for (const fold of opened) fold.open = true;
});
window.addEventListener("afterprint", () => {
  for (const fold of opened) fold.open = false;
});

// The ledger's filter: rows that contain every word typed.
document.addEventListener("DOMContentLoaded", () => {
  const box = document.querySelector(".lscore-filter");
  if (!box) return;
  const field = box.querySelector("input"), said = box.querySelector("output");
  const rows = [...document.querySelectorAll("article .lscore-scroll tbody tr")];
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const show = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    rows.forEach((row, i) => {
      row.hidden = !words.every((word) => texts[i].includes(word));
      count += !row.hidden;
    });
    for (const section of document.querySelectorAll("article section section"))
      if (section.querySelector("tbody"))
        section.hidden = !section.querySelector("tbody tr:not([hidden])");
    said.textContent = words.length ? `${count} of ${rows.length} rows` : "";
  };
  box.hidden = false;
  field.addEventListener("input", show);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { field.value = ""; show(); }
  });
});
