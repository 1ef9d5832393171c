// The workbench: editor, live checks, the chosen step, drafts, handing in, files. The page works without any of it.
import { makeDraft } from "./bench/draft.js";
import { makeEditor } from "./bench/editor.js";
import { makeChecks } from "./bench/live.js";
import { makePanel } from "./bench/panel.js";

const main = document.querySelector("[data-bench]");
const token = document.querySelector('meta[name="form-token"]').content;
const { address } = main.dataset;
const textarea = document.getElementById("source");
const room = main.querySelector("[data-editor]");
const live = main.querySelector("[data-live]");
const steps = main.dataset.steps.split(" ");
const shapes = JSON.parse(main.dataset.shapes);
const parse = (text) => new DOMParser().parseFromString(text, "text/html").body;
const digest = async (text) => [...new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
let editor, checks, handedIn = main.dataset.handedIn, graded = null;

const isStarter = () => main.dataset.begins === "starter" && editor.source === textarea.defaultValue;

function say(text, { off = false, idle = false } = {}) {
  if (live.textContent !== text) live.textContent = text;
  live.classList.toggle("off", off);
  live.classList.toggle("idle", idle);
}

// In a narrow window the panel is out of sight while one types: what it says stands above the editor, too, with a way there.
function sayAbove(text, line = null) {
  const button = document.createElement("button"), words = document.createElement("span");
  words.textContent = text;
  Object.assign(button, { type: "button", className: "btn small", textContent: line ? `Go to line ${line}` : "Look" });
  button.addEventListener("click", () => line ? editor.goTo(line) : panel.reveal());
  main.querySelector("#above").replaceChildren(...(text ? [words, button] : []));
}

// A notice above the panel, with one thing to do.
function tell(sentence, act = null, source = null) {
  const notice = document.createElement("div");
  notice.className = "banner";
  notice.setAttribute("role", "status");
  const words = document.createElement("span");
  words.textContent = sentence;
  notice.append(words);
  if (act) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "btn small", textContent: act });
    button.addEventListener("click", () => { editor.replace(source()); quiet(); });
    notice.append(button);
  }
  main.querySelector("#own-notices").replaceChildren(notice);
  sayAbove(sentence);
}

const card = (title, sentence, link = null) => {
  const done = document.createElement("div");
  done.className = "done";
  done.setAttribute("role", "alert");
  const head = document.createElement("h2"), words = document.createElement("p");
  [head.textContent, words.textContent, words.className] = [title, sentence, "muted"];
  done.append(head, words);
  if (link) {
    const to = document.createElement("a");
    [to.className, to.href, to.textContent] = ["btn first", link.href, link.text];
    done.append(to);
  }
  main.querySelector("#own-notices").replaceChildren(done);
  sayAbove(`${title}. ${sentence}`);
};
function quiet() {
  main.querySelector("#own-notices").replaceChildren();
  sayAbove("");
}

const panel = makePanel(main, {
  chose(step) {
    editor?.choose(step, document.activeElement !== room);
    if (main.querySelector("[data-overview]")) main.querySelector("#map a[aria-current]")?.scrollIntoView({ block: "nearest", inline: "nearest" });
    if (checks && graded !== null && panel.wantsPicture()) checks.soon(150);
  },
});

function stale(is) {
  main.classList.toggle("is-stale", is);
  editor.stale(is);
}

const reaches = (marks) => Object.values(marks).some((mark) => mark !== "missing");

// Code that stops at a line before its first step is mostly half typed: the old marks stay, at reduced strength. Code that
// stops without a line, such as an endless loop, is not: its reason shows.
function isHalfTyped(parts) {
  const marks = Object.fromEntries([...parts.querySelectorAll(".sheet[data-sheet]")].map(({ dataset }) => [dataset.sheet, dataset.mark]));
  return parts.dataset.error && parts.dataset.errorLine && !reaches(marks) && reaches(panel.marks());
}

function take(text, { checked }) {
  const parts = parse(text).firstElementChild;
  const keeps = checked && isHalfTyped(parts);
  if (keeps) for (const id of ["summary", "counts"]) document.getElementById(id).replaceWith(parts.querySelector(`#${id}`));
  else panel.take(parts);
  const { error, errorLine } = parts.dataset, line = Number(errorLine) || null;
  editor.show(panel.marks(), error ? { text: error, line } : null);
  stale(keeps);
  if (error && !(line && editor.sees(line))) sayAbove(error, line);
  if (error) say(`stopped${line ? ` at line ${line}` : ""}`, { off: true });
  else say(checked ? "checked just now" : "graded just now");
  return parts;
}

const draft = makeDraft({ main, address, token, sourceOfServer: textarea.value, tell });
const begun = draft.begin();
room.hidden = false;
main.classList.add("is-live");
editor = makeEditor({
  room, source: begun, steps, shapes, label: "Your code", readOnly: textarea.readOnly,
  changed(source) {
    textarea.value = source;
    draft.changed(source);
    main.querySelector("#notices [data-outcome]")?.remove(); // it is about another text
    stale(true);
    checks?.soon();
    ready();
  },
  moved(step) { if (step) panel.choose(step); },
});
textarea.value = begun;
textarea.hidden = true;
editor.show(panel.marks(), null);
editor.choose(panel.chosen, true);

checks = makeChecks({
  address, token,
  source: () => editor.source,
  step: () => panel.chosen,
  before() { main.setAttribute("aria-busy", "true"); },
  shown(text, source) {
    main.removeAttribute("aria-busy");
    if (source !== editor.source) return; // the next check is on its way
    const follows = graded === null && !location.hash;
    graded = source;
    quiet();
    take(text, { checked: true });
    main.querySelector("#holds")?.remove();
    if (follows) {
      const begin = parse(text).querySelector(".sheet.is-first")?.dataset.sheet;
      if (begin) panel.choose(begin, { write: false });
    }
    ready();
  },
  trouble(kind, text) {
    main.removeAttribute("aria-busy");
    if (kind === "busy") say("the check waits: submissions go first", { idle: true });
    if (kind === "away") { say("no connection", { off: true }); tell("No connection. Your draft is kept in this browser; the check comes back by itself."); }
    if (kind === "failed") { say("not checked", { off: true }); tell(parse(text).textContent.trim().replace(/\s+/g, " ").slice(0, 300) || "The server could not check this. Go on typing; it tries again."); }
    if (kind === "closed") { say("live checks are closed", { idle: true }); stale(false); card("This one is by hand", parse(text).querySelector("p")?.textContent ?? "Live checks are closed. Hand in to see your rows."); }
    if (kind === "signed out") {
      say("signed out", { off: true });
      card("You were signed out", "The draft is kept in this browser, and opens again after you sign in.", { href: `/sign-in?next=${encodeURIComponent(location.pathname)}`, text: "Sign in" });
    }
  },
});
if (main.dataset.checks === "off") { checks.close(); checks = null; say("live checks are closed", { idle: true }); }
else if (!isStarter()) { say("checking", { idle: true }); checks.now(); }
else say("live check on");

// The button says whether there is anything new to hand in.
async function ready() {
  const button = document.getElementById("hand-in");
  if (!button || "refused" in main.dataset) return;
  const same = handedIn !== "" && await digest(editor.source) === handedIn;
  button.disabled = same || isStarter() || editor.source.trim() === "";
  if (same) document.getElementById("counts").textContent = "nothing has changed since";
}
ready();

async function send(url, body, also = {}) {
  const answer = await fetch(url, { method: "POST", headers: { "X-Form-Token": token, "HX-Request": "true" }, body, ...also });
  return { ok: answer.ok, status: answer.status, text: await answer.text() };
}

async function handIn(form) {
  const button = document.getElementById("hand-in");
  button.disabled = true;
  try {
    const body = new FormData(form);
    body.set("step", panel.chosen ?? "");
    const { ok, status, text } = await send(form.action, body);
    if (!ok) {
      if (status === 401) card("You were signed out", "The draft is kept in this browser. Sign in, and hand in again.", { href: `/sign-in?next=${encodeURIComponent(location.pathname)}`, text: "Sign in" });
      else card(parse(text).querySelector("h1")?.textContent ?? "Not handed in", parse(text).querySelector("p")?.textContent ?? "Try again.");
      button.disabled = false;
      return;
    }
    outcome(text);
    showOutcome();
    if (form.id === "taken-form") checks?.now(); // the gutter is of the editor's own code, not of the file
  } catch {
    tell("No connection. Nothing was handed in; your draft is kept in this browser.");
    button.disabled = false;
  }
}

function outcome(text) {
  quiet();
  const parts = take(text, { checked: false });
  handedIn = parts.dataset.handedIn;
  for (const field of document.querySelectorAll('input[name="attempt"]')) field.value = parts.dataset.attempt;
  ready();
  const again = main.querySelector("[data-again]")?.dataset.again;
  if (again) {
    say("in the queue", { idle: true });
    setTimeout(async () => {
      const answer = await fetch(again, { headers: { "HX-Request": "true" } }).catch(() => null);
      if (answer?.ok) outcome(await answer.text());
    }, 1000);
  }
}

// The button that was pressed is disabled now; the next key goes on at what became of it.
function showOutcome() {
  panel.reveal();
  const done = main.querySelector("#notices .done");
  done?.setAttribute("tabindex", "-1");
  done?.focus({ preventScroll: true });
}

main.addEventListener("submit", (event) => {
  if (event.target.matches("#hand-in-form, #taken-form")) { event.preventDefault(); handIn(event.target); }
  if (event.target.matches("#file-form")) event.preventDefault();
});

// Files: the server reads them as the student's program does, and shows what it takes before anything is handed in.
async function open(file) {
  if (!file) return;
  const body = new FormData();
  body.set("file", file);
  try {
    const { ok, text } = await send(`${address}/read`, body);
    if (!ok) { card(parse(text).querySelector("h1")?.textContent ?? "Not read", parse(text).querySelector("p")?.textContent ?? "Take another file."); return; }
    const room = main.querySelector("#own-notices");
    room.replaceChildren(...parse(text).childNodes);
    const take = room.querySelector("[data-take]");
    if (take) {
      take.hidden = false;
      take.addEventListener("click", () => { const source = room.querySelector('input[name="source"]').value; quiet(); editor.replace(source); editor.view.focus(); });
    }
    room.querySelector("[data-close]").addEventListener("click", (event) => { event.preventDefault(); quiet(); });
    room.querySelector("h2").setAttribute("tabindex", "-1");
    room.querySelector("h2").focus({ preventScroll: true });
    panel.reveal();
  } catch { tell("No connection. The file was not read; try again when you are connected."); }
}
main.addEventListener("change", (event) => {
  if (event.target.matches(".file-input")) { open(event.target.files[0]); event.target.value = ""; }
});
for (const kind of ["dragover", "drop"]) {
  main.addEventListener(kind, (event) => {
    if (![...(event.dataTransfer?.types ?? [])].includes("Files")) return;
    event.preventDefault();
    event.stopPropagation();
    main.classList.toggle("is-dropping", kind === "dragover");
    if (kind === "drop") open(event.dataTransfer.files[0]);
  }, true);
}
main.addEventListener("dragleave", () => main.classList.remove("is-dropping"));

// Tabs: the code, and the forward pass.
const tabs = [...main.querySelectorAll('[role="tab"]')];
main.querySelector(".tabs-list").hidden = false;
function show(tab) {
  for (const other of tabs) {
    const on = other === tab;
    other.setAttribute("aria-selected", String(on));
    other.tabIndex = on ? 0 : -1;
    document.getElementById(other.getAttribute("aria-controls")).hidden = !on;
  }
}
show(tabs[0]);
for (const tab of tabs) {
  tab.addEventListener("click", () => show(tab));
  tab.addEventListener("keydown", (event) => {
    if (event.key !== "ArrowRight" && event.key !== "ArrowLeft") return;
    const next = tabs[(tabs.indexOf(tab) + 1) % tabs.length];
    show(next);
    next.focus();
  });
}

// A large graph: what one chooses is brought into sight, in the column with all of it and in the part that one reads.
const zoom = main.querySelector("[data-zoom]");
if (zoom) {
  zoom.hidden = false;
  let level = 0;
  zoom.addEventListener("click", (event) => {
    const by = Number(event.target.closest("[data-zoom-by]")?.dataset.zoomBy ?? 0);
    level = Math.max(0, Math.min(3, level - by));
    document.getElementById("map").className = `graph-room zoom-${level}`;
    main.querySelector("#map a[aria-current]")?.scrollIntoView({ block: "center", inline: "center" });
  });
  main.addEventListener("click", (event) => {
    const step = event.target.closest("[data-overview] [data-step]")?.dataset.step;
    if (step) panel.choose(step);
  });
}
