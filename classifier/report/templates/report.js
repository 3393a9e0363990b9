(() => {
"use strict";
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const make = (name, className, text) => {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};

/* Tables: a click on a column's head sorts by it. */
for (const table of $$("table.sortable")) {
  for (const [column, head] of [...table.tHead.rows[0].cells].entries()) {
    const button = make("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => sort(table, column, head));
  }
}
function sort(table, column, head) {
  const numeric = head.classList.contains("number");
  const before = head.getAttribute("aria-sort");
  const down = before ? before === "ascending" : numeric;
  for (const other of head.parentNode.cells) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  const order = new Intl.Collator(undefined, {numeric: true});
  const rows = [...table.tBodies[0].rows].map(row => {
    const cell = row.cells[column];
    return [numeric ? Number(cell.dataset.v) : cell.textContent, row];
  });
  rows.sort((a, b) => (numeric ? a[0] - b[0] : order.compare(a[0], b[0])) * (down ? -1 : 1));
  table.tBodies[0].append(...rows.map(row => row[1]));
}

const nav = $(".filter");
if (!nav) return;
const main = $("main"), aside = $("#details"), panel = $("#panel"), shortcuts = $("#shortcuts");
nav.hidden = aside.hidden = $(".keys").hidden = false;
const buttons = $$("button[data-frame]", nav), all = $("button[data-all]", nav);
const frames = buttons.map(button => ({title: button.dataset.title, initials: button.dataset.initials}));
const marks = $$("mark.s", main);
const shown = new Set();
let current = null, pinned = false;

/* Filter: sentences without a chosen frame lose their marks. */
const labels = mark => mark.dataset.l.split(" ").map(pair => pair.split(":").map(Number));
function filter() {
  for (const [i, button] of buttons.entries()) button.setAttribute("aria-pressed", shown.has(i));
  all.setAttribute("aria-pressed", !shown.size);
  main.classList.toggle("filtered", shown.size > 0);
  for (const mark of marks) {
    const found = labels(mark).find(([frame]) => !shown.size || shown.has(frame));
    const strange = mark.classList.contains("strange") ? " strange" : "";
    mark.className = (found ? `s f${found[0]} g${found[1]}` : "s off") + strange;
    for (let tag = mark.nextElementSibling; tag && tag.classList.contains("tag"); tag = tag.nextElementSibling) {
      const frame = [...tag.classList].find(name => /^f\d+$/.test(name));
      tag.classList.toggle("off", shown.size > 0 && !shown.has(Number(frame.slice(1))));
    }
  }
  if (current) current.classList.add("at");
}
function toggle(frame) {
  if (!shown.delete(frame)) shown.add(frame);
  if (shown.size === frames.length) shown.clear();
  filter();
}
nav.addEventListener("click", event => {
  const button = event.target.closest("button");
  if (!button) return;
  if (button.dataset.frame !== undefined) toggle(Number(button.dataset.frame));
  else if (button.dataset.step) step(Number(button.dataset.step));
  else { shown.clear(); filter(); }
});

/* Details: one panel, filled for the sentence that is pointed at or in focus. */
function show(sentence, pin) {
  if (current && current !== sentence) {
    current.classList.remove("at");
    current.removeAttribute("aria-describedby");
    current.removeAttribute("tabindex");
  }
  if (pin) pinned = true;
  if (current === sentence && aside.classList.contains("open")) return;
  current = sentence;
  sentence.classList.add("at");
  sentence.tabIndex = -1;
  sentence.setAttribute("aria-describedby", "panel");
  const scores = sentence.dataset.p.split(" ").map(Number);
  const given = new Set(sentence.dataset.l ? labels(sentence).map(pair => pair[0]) : []);
  const doubt = new Set((sentence.dataset.u || "").split(" ").filter(Boolean).map(Number));
  const terms = sentence.dataset.t ? JSON.parse(sentence.dataset.t) : {};
  const list = make("ul");
  for (const [i, score] of scores.entries()) {
    const item = make("li", given.has(i) ? "given" : "");
    const head = make("div", "head"), name = make("span");
    name.append(make("span", `key f${i}`, frames[i].initials), ` ${frames[i].title}`);
    head.append(name, make("span", "", score.toFixed(2)));
    item.append(head, make("span", `bar f${i} w${Math.round(100 * score)}`));
    const say = [given.has(i) && "marked", doubt.has(i) && "uncertain"].filter(Boolean).join(", ");
    if (say) item.append(make("span", "hidden", say));
    if (terms[i] && terms[i].length) {
      const line = make("p", "terms");
      for (const [term, value] of terms[i]) {
        const one = make("span", "", `${term} `);
        one.append(make("b", "", (value < 0 ? "" : "+") + value.toFixed(2)), " ");
        line.append(one);
      }
      item.append(line);
    }
    list.append(item);
  }
  const text = make("blockquote", "", sentence.textContent);
  text.dir = "auto";
  panel.replaceChildren(make("h3", "", `Sentence ${sentence.dataset.n}`), text, list);
  if (sentence.classList.contains("strange")) {
    panel.append(make("p", "", "⚠ Unlike the training corpus: these scores may mean nothing."));
  }
  if (Object.keys(terms).length) {
    panel.append(make("p", "hint", "Beneath a frame: the terms that speak most for it, and what each adds to the log-odds."));
  }
  aside.classList.add("open");
}
function hide() {
  aside.classList.remove("open");
  pinned = false;
  if (current) current.classList.remove("at");
}
let pointed = "";
/* Moves, not entries: a sentence that scrolled beneath a pointer at rest is entered then, and pointed at later. */
main.addEventListener("pointermove", event => {
  if (event.pointerType !== "mouse" || pinned) return;
  const place = `${event.screenX} ${event.screenY}`;
  if (place === pointed) return;
  pointed = place;
  const sentence = event.target.closest(".s");
  if (sentence) show(sentence);
});
main.addEventListener("click", event => {
  const sentence = event.target.closest(".s");
  if (!sentence) { pinned = false; return; }
  if (pinned && sentence === current && aside.classList.contains("open")) hide();
  else show(sentence, true);
});
main.addEventListener("focusin", event => {
  if (event.target.matches(".s")) show(event.target);
});
$(".close", aside).addEventListener("click", hide);

function go(sentence) {
  if (!sentence) return;
  pinned = false;
  show(sentence);
  sentence.focus({preventScroll: true});
  sentence.scrollIntoView({block: innerWidth < 1024 ? "start" : "center", behavior: "instant"});
}
/* The place to go on from: the current sentence, else the first one in sight. */
function step(way) {
  const found = shown.size ? marks.filter(mark => !mark.classList.contains("off")) : marks;
  if (!found.length) return;
  const after = mark => current
    ? current.compareDocumentPosition(mark) & Node.DOCUMENT_POSITION_FOLLOWING
    : mark.parentNode.getBoundingClientRect().bottom > 60;
  let low = 0, high = found.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (after(found[middle])) high = middle; else low = middle + 1;
  }
  let place = way > 0 ? low : low - (found[low - 1] === current ? 2 : 1);
  go(found[(place + found.length) % found.length]);
}
function beside(sentence, way) {
  const every = $$(".s", sentence.closest("article"));
  return every[every.indexOf(sentence) + way];
}
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") { hide(); return; }
  const sentence = event.target.closest && event.target.closest(".s");
  if (sentence && (event.key === "ArrowRight" || event.key === "ArrowLeft")) {
    event.preventDefault();
    go(beside(sentence, event.key === "ArrowRight" ? 1 : -1));
    return;
  }
  if (!shortcuts.checked || event.target.matches("input,textarea,select")) return;
  if (event.key === "n" || event.key === "p") step(event.key === "n" ? 1 : -1);
  else if (event.key === "0") { shown.clear(); filter(); }
  else if (/^[1-9]$/.test(event.key) && Number(event.key) <= frames.length) toggle(Number(event.key) - 1);
});
})();
