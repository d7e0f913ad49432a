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

// Slides: a page opened with ?slides shows its headings, text, pictures and certificates one
// screen at a time. Arrow keys or the buttons turn, Escape leads back to the page.
document.addEventListener("DOMContentLoaded", () => {
  const article = document.querySelector("article.bd-article");
  if (!article || !new URLSearchParams(location.search).has("slides")) return;
  const ends = ".cell, .proof, .admonition, figure, .pst-scrollable-table-container, table, details";
  const skips = ".cell.tag_solution, .opening, .cell:not(:has(.cell_output)):has(details)";
  const left = /^[\d.\s]*(Exercises|Verdicts)/; // sections without slides
  const slides = [];
  let title = null, open = null;
  const collect = (parent) => {
    for (const block of [...parent.children]) {
      if (block.matches("section")) {
        if (!left.test(block.textContent.trim())) collect(block);
      } else if (!block.matches(skips) && (block.innerText.trim() || block.querySelector("img"))) {
        if (block.matches("h1, h2, h3")) [title, open] = [block, null];
        else if (title) {
          if (!open) slides.push((open = { title, blocks: [] }));
          open.blocks.push(block);
          if (block.matches(ends) || open.blocks.length > 3) open = null;
        }
      }
    }
  };
  collect(article);
  const stage = document.createElement("main"), bar = document.createElement("nav");
  const said = document.createElement("output");
  const button = (text, label, turn) => {
    const made = document.createElement("button");
    [made.textContent, made.ariaLabel, made.onclick] = [text, label, turn];
    return made;
  };
  let at = Math.min(Math.max(parseInt(location.hash.slice(7)) || 1, 1), slides.length) - 1;
  const turn = (to) => {
    at = Math.min(Math.max(to, 0), slides.length - 1);
    const { title, blocks } = slides[at];
    stage.replaceChildren(...(title ? [title] : []), ...blocks);
    said.textContent = `${at + 1} / ${slides.length}`;
    history.replaceState(null, "", `#slide-${at + 1}`);
    stage.scrollTop = 0;
  };
  const leave = () => location.assign(location.pathname);
  bar.ariaLabel = "Slides";
  bar.append(button("‹", "Previous slide", () => turn(at - 1)), said,
             button("›", "Next slide", () => turn(at + 1)), button("×", "Leave the slides", leave));
  const keys = { ArrowRight: 1, PageDown: 1, " ": 1, ArrowLeft: -1, PageUp: -1 };
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") leave();
    else if (event.key in keys && !event.target.closest("button, summary, input, pre")) {
      event.preventDefault();
      turn(at + keys[event.key]);
    } else if (event.key === "Home") turn(0);
    else if (event.key === "End") turn(slides.length - 1);
  });
  const start = () => {
    document.body.classList.add("lscore-slides");
    document.body.append(stage, bar);
    turn(at);
  };
  const ready = window.MathJax && MathJax.startup && MathJax.startup.promise;
  (ready || Promise.resolve()).then(start);
});
