(() => {
"use strict";
const $ = (selector, root = document) => root.querySelector(selector);
const make = (name, className, text) => {
  const element = document.createElement(name);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
};
const count = n => n.toLocaleString("en");
const plural = (n, word) => `${count(n)} ${word}${n === 1 ? "" : "s"}`;

let view = null;            // as the server last told
let item = null;            // what is shown
let chosen = new Set(), none = false, unsure = false, looked = false;
let pending = null;         // a decision on its way
let retry = null;           // a decision that was not saved: the same request again
let court = null;           // conflicts, while they are shown

/* The server. */
async function ask(path, data) {
  const options = data === undefined ? {} : {
    method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(data)
  };
  let answer;
  try {
    answer = await fetch(path, {...options, credentials: "same-origin", cache: "no-store"});
  } catch (error) {
    throw {message: "The server does not answer. Is framing label still running?", status: 0};
  }
  let found = {};
  try { found = await answer.json(); } catch (error) { /* an answer without a body */ }
  if (!answer.ok) throw {message: found.error || `The server answered ${answer.status}.`, status: answer.status, view: found.view};
  return found;
}
/* Names a request, so that it is recorded once however often it is sent. */
const name = () => [...crypto.getRandomValues(new Uint8Array(12))].map(n => n.toString(16).padStart(2, "0")).join("");

function complain(error) {
  const place = $("#error");
  place.hidden = !error;
  place.textContent = error || "";
}
function say(text, bad) {
  $("#state").replaceChildren(make("span", bad ? "bad" : "", text));
}

/* What is shown. */
const frames = () => view ? view.codebook.frames : [];
const frameOf = id => frames().findIndex(frame => frame.id === id);

function take(found, keep) {
  const styled = view && view.codebook.event;
  view = found;
  if (styled !== null && styled !== view.codebook.event) $("#style").href = `/label.css?${view.codebook.event}`;
  $("#who").textContent = `Coder ${view.coder}`;
  $("#heading").textContent = view.codebook.title;
  document.title = `${view.codebook.title} – label`;
  if (!keep || !item || !view.item || view.item.sentence !== item.sentence) show(view.item);
  else drawFrames();
  drawProgress(view.progress);
}
function show(next, restored) {
  item = next;
  chosen = new Set(); none = unsure = looked = false;
  retry = null;
  // One's own decision, also one that was taken back, is on again: to be changed, and not to be typed anew.
  const own = next && (next.decision || next.undone);
  if (own && !own.skipped) {
    chosen = new Set(own.frames.filter(id => frameOf(id) >= 0));
    none = !own.frames.length;
    unsure = own.unsure;
  }
  if (restored) ({chosen, none, unsure, looked, retry} = restored);
  const comment = $("#comment");
  comment.value = restored && restored.comment !== undefined ? restored.comment : next ? next.comment : "";
  comment.hidden = !comment.value;
  drawText();
  drawFrames();
  if (!$("dialog[open]") && !court) focus();
}
function focus() {
  const at = $("#text .at");
  if (!at) return;
  at.focus({preventScroll: true});
  at.scrollIntoView({block: "center", behavior: "instant"});
}
function tags(ids) {
  return ids.map(id => frameOf(id)).filter(i => i >= 0).map(i => {
    const tag = make("span", `tag f${i}`);
    const short = make("span", "", frames()[i].initials);
    short.setAttribute("aria-hidden", "true");
    tag.append(short, make("span", "hidden", ` (you: ${frames()[i].title})`));
    return tag;
  });
}
function drawText() {
  const title = $("#title"), text = $("#text");
  if (!item) {
    title.textContent = view && !view.progress.sentences ? "There is nothing to label." : "Everything is decided.";
    $("#about").textContent = "";
    text.replaceChildren(make("p", "", "Add articles with framing label SOURCE, or train: framing train on the project."));
    return;
  }
  title.replaceChildren(make("bdi", "", item.title || item.source.split("/").pop()));
  const about = [item.outlet, item.date, item.source, `sentence ${item.place} of ${item.of}`];
  $("#about").replaceChildren(...about.filter(Boolean).flatMap((part, i) => i ? [" ", make("span", "", part)] : [make("span", "", part)]));
  const paragraphs = [];
  for (const [number, words, breaks, marks] of item.around) {
    if (breaks || !paragraphs.length) {
      paragraphs.push(make("p"));
      paragraphs[paragraphs.length - 1].dir = "auto";
    }
    const sentence = make("span", number === item.sentence ? "s at" : "s", words);
    if (number === item.sentence) {
      sentence.tabIndex = -1;
      sentence.setAttribute("aria-current", "true");
    }
    const own = marks && number !== item.sentence ? tags(marks) : [];
    paragraphs[paragraphs.length - 1].append(sentence, ...own, " ");
  }
  text.replaceChildren(...paragraphs);
}
function drawFrames() {
  const list = $("#frames");
  const buttons = frames().map((frame, i) => {
    const button = make("button", `frame f${i}`);
    button.type = "button";
    button.dataset.id = frame.id;
    const key = make("kbd", "", frame.key || " ");
    const label = make("span", "name", frame.title);
    const n = make("span", "count", count(view.progress.examples[frame.id] || 0));
    n.title = "examples so far";
    button.append(key, label, n);
    const more = [frame.definition, frame.example && `“${frame.example}”`].filter(Boolean).join(" · ");
    if (more) button.append(make("small", "", more));
    button.setAttribute("aria-pressed", chosen.has(frame.id));
    button.addEventListener("click", () => { toggle(frame.id); focus(); });
    return button;
  });
  if (frames().length) {
    const nothing = make("button", "frame");
    nothing.type = "button";
    nothing.id = "none";
    nothing.append(make("kbd", "", "0"), make("span", "name", "No frame"), make("span", "count", count(view.progress.none)));
    nothing.setAttribute("aria-pressed", none);
    nothing.addEventListener("click", () => { nobody(); focus(); });
    buttons.push(nothing);
  } else if (view) {
    const first = make("button", "frame", "");
    first.type = "button";
    first.append(make("kbd", "", "B"), make("span", "name", "Make your first frame"));
    first.addEventListener("click", openBook);
    buttons.push(first);
  }
  list.replaceChildren(...buttons);
  $("#unsure").setAttribute("aria-pressed", unsure);
}
function drawProgress(progress) {
  const share = progress.sentences ? progress.labeled / progress.sentences : 0;
  $("#bar").value = share;
  const parts = [`${count(progress.labeled)} of ${plural(progress.sentences, "sentence")}`, `${count(progress.today)} today`];
  if (progress.pace) parts.push(`${count(progress.pace)} per hour`);
  $("#progress").replaceChildren(...parts.flatMap((part, i) => i ? [" ", make("span", "", part)] : [make("span", "", part)]));
  $("#to-conflicts").hidden = progress.coders < 2;
  $("#n-conflicts").textContent = progress.conflicts;
  const old = $("#outdated");
  old.hidden = !progress.outdated;
  if (progress.outdated) {
    const again = make("button", "", "Look at them again");
    again.type = "button";
    again.addEventListener("click", async () => {
      const {sentence} = await ask("/api/outdated");
      if (sentence) take(await ask(`/api/view?at=${sentence}`));
    });
    old.replaceChildren(`${plural(progress.outdated, "sentence")} of yours ${progress.outdated === 1 ? "was" : "were"} decided before a frame of the codebook existed. `, again);
  }
  drawHint(progress);
  if (progress.coders > 1 && progress.doubled !== doubled) {
    doubled = progress.doubled;
    drawAgreement();
  }
}
let doubled = 0;  // sentences labeled by two coders when agreement was asked for last
async function drawAgreement() {
  let rows = [];
  try { ({rows} = await ask("/api/agreement")); } catch (error) { return; }
  const place = $("#agreed");
  place.hidden = !rows.length;
  place.replaceChildren(
    make("p", "", `Krippendorff’s alpha, on ${plural(doubled, "sentence")} of two coders:`),
    ...rows.map(row => make("p", "", `${row.title} ${figure(row.alpha)}`))
  );
}
function drawHint(progress) {
  const place = $("#hint"), lines = [];
  if (progress.message) lines.push(make("p", "", progress.message));
  if (progress.f1) {
    const {value, low, high} = progress.f1;
    lines.push(make("p", "", `Estimated F1 ${value.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)}), on the ${plural(progress.random, "sentence")} drawn at random.`));
    if (progress.fits.length > 2) lines.push(curve(progress.fits));
  }
  if (progress.stable) lines.push(make("p", "", "The last labels have hardly changed the model: further ones may bring little."));
  place.replaceChildren(...lines);
}
function curve(fits) {
  const space = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(space, "svg");
  svg.setAttribute("class", "curve");
  svg.setAttribute("viewBox", "0 0 100 100");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("role", "img");
  svg.setAttribute("aria-label", `Estimated F1 with its interval, from ${fits[0][0]} to ${fits[fits.length - 1][0]} labels`);
  const most = fits[fits.length - 1][0] || 1;
  const point = (fit, at) => `${(100 * fit[0] / most).toFixed(1)},${(100 - 100 * fit[at]).toFixed(1)}`;
  const band = document.createElementNS(space, "polygon");
  band.setAttribute("class", "band");
  band.setAttribute("points", [...fits.map(fit => point(fit, 3)), ...fits.map(fit => point(fit, 2)).reverse()].join(" "));
  const line = document.createElementNS(space, "polyline");
  line.setAttribute("class", "middle");
  line.setAttribute("points", fits.map(fit => point(fit, 1)).join(" "));
  svg.append(band, line);
  return svg;
}

/* Decisions. */
function toggle(id) {
  if (!item) return;
  if (!chosen.delete(id)) chosen.add(id);
  if (chosen.size) none = false;
  retry = null;
  drawFrames();
  const frame = frames()[frameOf(id)];
  say(`${frame.title} ${chosen.has(id) ? "on" : "off"}`);
}
function nobody() {
  if (!item) return;
  none = !none;
  if (none) chosen = new Set();
  retry = null;
  drawFrames();
  say(none ? "No frame" : "");
}
async function decide(skip) {
  if (pending) await pending;
  if (!item) return;
  if (!frames().length) { openBook(); return; }
  if (!skip && !chosen.size && !none) { say("Choose a frame, or 0 for none.", true); return; }
  const done = item, comment = $("#comment").value;
  const kept = {chosen, none, unsure, looked, comment};
  const data = retry || {
    sentence: done.sentence, frames: [...chosen], skip: Boolean(skip), unsure, looked, comment,
    request: name(), seen: view.seen
  };
  say("Saving …");
  const next = view.next && view.item && view.item.sentence === done.sentence ? view.next : null;
  if (next) show(next);
  pending = (async () => {
    try {
      const found = await ask("/api/decide", data);
      complain("");
      take(found, Boolean(next));
      say(skip ? "Skipped." : "Saved.");
      if (!skip && view.second_look) lookAgain(done);
    } catch (error) {
      if (error.view) {
        take(error.view);
        say("");
        complain(error.message);
        return;
      }
      show(done, {...kept, retry: {...data}});
      complain(`${error.message} Press Enter to try again.`);
      say("Not saved.", true);
    }
  })();
  await pending;
  pending = null;
}
async function undo() {
  if (pending) await pending;
  try {
    const found = await ask("/api/undo", {request: name()});
    take(found);
    complain("");
    say(found.undone ? "Taken back." : "There is nothing to take back.");
  } catch (error) { complain(error.message); }
}
async function lookAgain(done) {
  let look = null;
  try { look = (await ask(`/api/look?sentence=${done.sentence}`)).look; } catch (error) { return; }
  const place = $("#look");
  place.hidden = !look;
  if (!look) return;
  const words = (done.around.find(one => one[0] === done.sentence) || ["", ""])[1];
  const lines = [make("p", "", `The model disagrees on “${words}”`)];
  for (const {frame, says, terms} of look.frames) {
    const i = frameOf(frame);
    if (i < 0) continue;
    const line = make("p");
    line.append(make("b", "", `${frames()[i].title}: ${says ? "yes" : "no"}`), " ", terms.map(([term, value]) => `${term} ${value < 0 ? "" : "+"}${value.toFixed(2)}`).join(", "));
    lines.push(line);
  }
  const change = make("button", "", "R Look again"), keep = make("button", "", "K Keep mine");
  change.type = keep.type = "button";
  change.id = "look-change";
  change.addEventListener("click", async () => {
    place.hidden = true;
    take(await ask(`/api/view?at=${look.sentence}`));
    looked = true;
  });
  keep.id = "look-keep";
  keep.addEventListener("click", () => { place.hidden = true; focus(); });
  place.replaceChildren(...lines, change, " ", keep);
}
function remark() {
  const field = $("#comment");
  field.hidden = false;
  field.focus();
}

/* Go to. */
function openGoto() {
  $("#found").replaceChildren();
  $("#words").value = "";
  $("#going").showModal();
  $("#words").focus();
}
async function find() {
  const list = $("#found");
  let found;
  try { ({found} = await ask(`/api/goto?words=${encodeURIComponent($("#words").value)}`)); }
  catch (error) { found = []; }
  list.replaceChildren(...found.map(([number, text]) => {
    const entry = make("li"), button = make("button", "", `${number}: ${text.slice(0, 300)}`);
    button.type = "button";
    button.addEventListener("click", async () => {
      $("#going").close();
      take(await ask(`/api/view?at=${number}`));
    });
    entry.append(button);
    return entry;
  }));
  if (found.length === 1) $("button", list).click();
  else if (!found.length) list.append(make("li", "", "No sentence says that."));
  else $("button", list).focus();
}

/* The codebook. */
let bookEvent = 0;
function openBook() {
  const book = view.codebook;
  bookEvent = book.event;
  $("#book-title").value = book.title;
  $("#codebook-hint").textContent = `Saved in the project, and as ${book.path}, which every other command reads.`;
  $("#book-error").hidden = true;
  $("#book-frames").replaceChildren();
  for (const [i, frame] of book.frames.entries()) addFrame(frame, i);
  if (!book.frames.length) addFrame({}, 0);
  $("#codebook").showModal();
  const first = $("#book-frames input");
  if (first) first.focus();
}
function addFrame(frame, i) {
  const box = make("div", `book-frame f${i}`);
  box.dataset.id = frame.id || "";
  const field = (label, className, name, value, options = {}) => {
    const wrap = make("label", className, label);
    const input = make(options.rows ? "textarea" : "input");
    for (const [key, given] of Object.entries(options)) input[key] = given;
    input.dataset.field = name;
    input.value = value || "";
    wrap.append(input);
    return wrap;
  };
  const small = make("div", "small");
  const drop = make("button", "", "Remove");
  drop.type = "button";
  drop.addEventListener("click", () => box.remove());
  small.append(
    field("Key", "", "key", frame.key, {maxLength: 1}),
    field("Colour", "", "colour", frame.colour || "#666666", {type: "color"}),
    make("span", "grow"), drop
  );
  if (!frame.colour) $("[data-field=colour]", small).dataset.untouched = "1";
  $("[data-field=colour]", small).addEventListener("input", event => { delete event.target.dataset.untouched; });
  box.append(
    field("Title", "", "title", frame.title, {maxLength: 200, required: true}),
    field("Name in data", "", "name", frame.name, {maxLength: 200, placeholder: "made from the title"}),
    field("Definition", "wide", "definition", frame.definition, {rows: 2, maxLength: 4000}),
    field("Example", "wide", "example", frame.example, {maxLength: 4000}),
    field("Keywords, by which first examples are found (comma between)", "wide", "keywords", (frame.keywords || []).join(", "), {maxLength: 2000}),
    small
  );
  $("#book-frames").append(box);
  return box;
}
async function saveBook() {
  const made = [...document.querySelectorAll("#book-frames .book-frame")].map(box => {
    const value = field => $(`[data-field=${field}]`, box).value.trim();
    const colour = $("[data-field=colour]", box);
    return {
      id: box.dataset.id ? Number(box.dataset.id) : null,
      title: value("title"), name: value("name"), definition: value("definition"), example: value("example"),
      key: value("key").toLowerCase(), colour: colour.dataset.untouched ? null : colour.value.toUpperCase(),
      keywords: value("keywords").split(",").map(word => word.trim()).filter(Boolean)
    };
  }).filter(frame => frame.title || frame.name);
  try {
    const found = await ask("/api/codebook", {codebook: {title: $("#book-title").value, frames: made}, event: bookEvent});
    $("#codebook").close();
    take(found, true);
    say("The codebook is saved.");
    focus();
  } catch (error) {
    const place = $("#book-error");
    place.hidden = false;
    place.textContent = error.message;
  }
}

/* Conflicts. */
async function openCourt() {
  try { court = (await ask("/api/conflicts")).conflicts; } catch (error) { complain(error.message); return; }
  drawCourt();
}
function drawCourt() {
  $("#desk").hidden = Boolean(court);
  $("#court").hidden = !court;
  if (!court) { focus(); return; }
  $("#court-hint").textContent = court.length
    ? `${plural(court.length, "conflict")} left. A number takes that coder’s version, 0 none of the frames, U takes the last one back, Esc ends.`
    : "No conflicts. Esc goes back to the sentences.";
  const place = $("#case");
  if (!court.length) { place.replaceChildren(); $("#main").focus(); return; }
  const one = court[0];
  const text = make("p", "text");
  text.dir = "auto";
  for (const [number, words] of one.around) {
    const sentence = make("span", number === one.sentence ? "s at" : "s", words);
    if (number === one.sentence) sentence.tabIndex = -1;
    text.append(sentence, " ");
  }
  const votes = make("div", "votes");
  for (const [i, vote] of one.votes.entries()) {
    const button = make("button", "vote");
    button.type = "button";
    const head = make("div");
    head.append(make("kbd", "", i + 1), " ", make("span", "coder", vote.coder), vote.unsure ? " (unsure)" : "");
    button.append(head);
    const named = vote.frames.map(frameOf).filter(j => j >= 0);
    for (const j of named) button.append(make("span", `tag f${j}`, frames()[j].title));
    if (!named.length) button.append(make("span", "", "no frame"));
    if (vote.comment) button.append(make("q", "", vote.comment));
    button.addEventListener("click", () => rule(vote.frames));
    votes.append(button);
  }
  place.replaceChildren(make("h3", "", one.title || one.source.split("/").pop()), text, votes);
  $("#case .at").focus({preventScroll: true});
}
async function rule(ids) {
  try {
    court = (await ask("/api/rule", {sentence: court[0].sentence, frames: ids, request: name()})).conflicts;
    complain("");
    $("#n-conflicts").textContent = court.length;
  } catch (error) { complain(error.message); }
  drawCourt();
}
async function unrule() {
  try { court = (await ask("/api/undo_ruling", {})).conflicts; } catch (error) { complain(error.message); }
  drawCourt();
}
async function leaveCourt() {
  court = null;
  drawCourt();
  try { take(await ask("/api/view"), true); } catch (error) { complain(error.message); }
}

/* Figures. */
const figure = one => one ? `${one.value.toFixed(2)} (${one.low.toFixed(2)}–${one.high.toFixed(2)})` : "–";
async function openFigures() {
  const place = $("#figures-body");
  place.replaceChildren(make("p", "", "…"));
  $("#figures").showModal();
  let rows = [];
  try { ({rows} = await ask("/api/agreement")); } catch (error) { place.replaceChildren(make("p", "", error.message)); return; }
  const parts = [];
  if (rows.length) {
    const wrap = make("div", "scroll"), table = make("table"), head = make("tr"), body = make("tbody");
    wrap.tabIndex = 0;
    for (const title of ["Frame", "Sentences", "Krippendorff’s alpha", "Cohen’s kappa"]) {
      const cell = make("th", "", title);
      cell.scope = "col";
      head.append(cell);
    }
    for (const row of rows) {
      const line = make("tr"), label = make("th", "", row.title);
      label.scope = "row";
      const kappas = row.pairs.map(pair => `${row.pairs.length > 1 ? `${pair.first}, ${pair.second}: ` : ""}${figure(pair.kappa)}`).join("; ");
      line.append(label, make("td", "", count(row.n)), make("td", "", figure(row.alpha)), make("td", "", kappas));
      body.append(line);
    }
    const top = make("thead");
    top.append(head);
    table.append(top, body);
    wrap.append(table);
    parts.push(make("p", "hint", "Sentences that two coders have labeled, without seeing each other; 95 % intervals over articles."), wrap);
  } else {
    parts.push(make("p", "hint", "No sentence has been labeled by two coders yet."));
  }
  const {f1, random, stable, agreement} = view.progress;
  parts.push(make("h3", "", "The model behind the page"));
  parts.push(make("p", "", f1 ? `Macro F1 ${figure(f1)}, cross-validated on the ${plural(random, "sentence")} that were drawn at random.` : "There are too few labels for a figure."));
  if (agreement !== null && agreement !== undefined) parts.push(make("p", "", `Agreement with the model before: ${agreement.toFixed(3)}.${stable ? " Further labels may bring little." : ""}`));
  place.replaceChildren(...parts);
}

/* Keys. */
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if ($("dialog[open]")) return;
  const target = event.target;
  if (target.matches && target.matches("input,textarea,select")) {
    if (event.key === "Escape") { event.preventDefault(); target.blur(); focus(); }
    if (event.key === "Enter" && target.id === "comment" && !event.shiftKey) { event.preventDefault(); target.blur(); focus(); say("The comment is saved with the decision."); }
    return;
  }
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const onButton = target.matches && target.matches("button,a,summary");
  if (onButton && (key === "Enter" || key === " ")) return;
  const done = work => { event.preventDefault(); work(); };
  if (court) {
    if (key === "Escape" || key === "x") done(leaveCourt);
    else if (key === "u") done(unrule);
    else if (key === "0" && court.length) done(() => rule([]));
    else if (/^[1-9]$/.test(key) && court.length && court[0].votes[key - 1]) done(() => rule(court[0].votes[key - 1].frames));
    return;
  }
  if (!view) return;
  const frame = frames().find(one => one.key && one.key === key);
  if (key === "Enter") { if (!event.repeat) done(() => decide(false)); }
  else if (key === "0") done(nobody);
  else if (frame) done(() => toggle(frame.id));
  else if (key === "u") done(undo);
  else if (key === "s") done(() => decide(true));
  else if (key === "?") done(() => { unsure = !unsure; drawFrames(); say(unsure ? "Unsure" : ""); });
  else if (key === "c") done(remark);
  else if (key === "g") done(openGoto);
  else if (key === "b") done(openBook);
  else if (key === "a") done(openFigures);
  else if (key === "h") done(() => $("#help").showModal());
  else if (key === "x" && !$("#to-conflicts").hidden) done(openCourt);
  else if (key === "r" && !$("#look").hidden) done(() => $("#look-change").click());
  else if (key === "k" && !$("#look").hidden) done(() => $("#look-keep").click());
});
$("#save").addEventListener("click", () => decide(false));
$("#undo").addEventListener("click", undo);
$("#skip").addEventListener("click", () => decide(true));
$("#unsure").addEventListener("click", () => { unsure = !unsure; drawFrames(); focus(); });
$("#remark").addEventListener("click", remark);
$("#goto").addEventListener("click", openGoto);
$("#to-codebook").addEventListener("click", openBook);
$("#to-conflicts").addEventListener("click", () => court ? leaveCourt() : openCourt());
$("#to-figures").addEventListener("click", openFigures);
$("#to-help").addEventListener("click", () => $("#help").showModal());
$("#add-frame").addEventListener("click", () => $("input", addFrame({}, document.querySelectorAll(".book-frame").length)).focus());
$("#codebook form").addEventListener("submit", event => { event.preventDefault(); saveBook(); });
$("#going form").addEventListener("submit", event => { event.preventDefault(); find(); });
for (const button of document.querySelectorAll("[data-close]")) button.addEventListener("click", () => button.closest("dialog").close());

/* Other tabs, other coders, and the model. */
async function catchUp() {
  if (document.hidden || pending || !view || court) return;
  try {
    const found = await ask("/api/changes");
    if (pending || !view) return;
    if (found.seen !== view.seen || found.codebook !== view.codebook.event) {
      if (!$("dialog[open]")) take(await ask("/api/view"), true);
    } else { view.progress = found.progress; drawProgress(found.progress); }
    if (!retry) complain("");
  } catch (error) { complain(error.message); }
}
setInterval(catchUp, 3000);
document.addEventListener("visibilitychange", catchUp);
window.addEventListener("beforeunload", event => { if (pending || retry) event.preventDefault(); });

(async () => {
  try { take(await ask("/api/view")); } catch (error) { complain(error.message); }
})();
})();
