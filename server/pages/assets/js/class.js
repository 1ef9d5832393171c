// The class, live: rows arrive as the server draws them; cells that changed are outlined. Arrow keys move between cells.
import { follow } from "./lib/stream.js";

const main = document.querySelector("#main");
const matrix = document.querySelector("[data-matrix]");
const SHOWN_MS = 20_000, FEED_MAX = 12;
const KINDS = { x: "exact", a: "approximate", r: "rounding", o: "own", u: "unknown", i: "inherited", m: "missing", n: "missing" };

for (const form of document.querySelectorAll("[data-submits]")) {
  form.querySelector("button").hidden = true;
  form.addEventListener("change", () => form.requestSubmit());
}

if (matrix) keys();
if (matrix || document.querySelector("[data-empty]")) {
  const reload = () => location.reload();
  follow(main.dataset.events, { student: matrix ? redraw : reload, reload }, document.querySelector("[data-live]"));
}

function redraw({ id, row }) {
  const old = document.getElementById(`s${id}`);
  if (!old) { document.querySelector("[data-more]").hidden = false; return; }
  const made = document.createElement("template");
  made.innerHTML = `<table><tbody>${row}</tbody></table>`;
  const fresh = made.content.querySelector("tr");
  if (old.dataset.state !== fresh.dataset.state) {
    figure(old.dataset.state, -1);
    figure(fresh.dataset.state, 1);
    old.dataset.state = fresh.dataset.state;
  }
  old.className = fresh.className;
  const news = [];
  // Cells are changed where they stand: the focus stays on them.
  [...fresh.cells].forEach((cell, place) => {
    const before = old.cells[place];
    if (place === 0) {
      before.querySelector(".flag")?.remove();
      before.append(...cell.querySelectorAll(".flag"));
    } else if (cell.matches(".last")) {
      if (before.querySelector("time")?.dateTime !== cell.querySelector("time")?.dateTime) before.innerHTML = cell.innerHTML;
    } else if (before.textContent !== cell.textContent || kind(before) !== kind(cell)) {
      if (cell.ariaLabel) news.push(changed(before, cell, place));
      else before.textContent = cell.textContent;
    }
  });
  tellNews(old.cells[0].querySelector("a"), news);
}

const kind = (cell) => cell.classList[0];
const passes = (cell) => "xar".includes(kind(cell));

function changed(cell, now, place) {
  const head = matrix.tHead.rows;
  const by = Number(passes(now)) - Number(passes(cell));
  const rate = head[1].cells[place];
  if (by) rate.textContent = Number(rate.textContent) + by;
  cell.className = now.className;
  cell.textContent = now.textContent;
  cell.ariaLabel = now.ariaLabel;
  cell.classList.add("fresh");
  setTimeout(() => cell.classList.remove("fresh"), SHOWN_MS);
  return { step: head[0].cells[place].dataset.step, verdict: KINDS[kind(cell)], shown: cell.textContent, passed: by > 0 };
}

function figure(state, by) {
  for (const each of document.querySelectorAll("[data-figure]"))
    if (each.dataset.figure.split(" ").includes(state)) each.textContent = Number(each.textContent) + by;
}

// One line for what passed in a hand-in, and one for each mistake: a hand-in may change all cells of a row.
function tellNews(name, news) {
  const passed = news.filter((each) => each.passed);
  if (passed.length) tellFeed(name, passed.at(-1), passed.length > 1 ? `${passed.length} steps, down to ` : "", "");
  for (const each of news)
    if (each.verdict === "own" || each.verdict === "unknown") tellFeed(name, each, "", `, attempt ${each.shown}`);
}

function tellFeed(name, { step, verdict }, before, after) {
  const feed = document.querySelector("[data-feed]");
  document.querySelector("[data-quiet]").hidden = true;
  const entry = document.createElement("li");
  entry.innerHTML = `<svg class="mark v-${verdict}" aria-hidden="true"><use href="#m-${verdict}"/></svg><span><a class="quiet"></a>, <i></i><code></code></span><time></time>`;
  const link = entry.querySelector("a");
  link.href = `${name.getAttribute("href")}&step=${encodeURIComponent(step)}`;
  link.textContent = name.textContent;
  entry.querySelector("i").replaceWith(before);
  entry.querySelector("code").textContent = step;
  entry.querySelector("span").append(after);
  const time = entry.querySelector("time");
  time.dateTime = new Date().toISOString();
  time.textContent = "just now";
  feed.prepend(entry);
  while (feed.children.length > FEED_MAX) feed.lastChild.remove();
}

// One cell of the table is a stop of the Tab key; arrows move it.
function keys() {
  matrix.setAttribute("role", "grid");
  document.querySelector("[data-keys]").hidden = false;
  for (const link of matrix.querySelectorAll("tbody th a")) link.tabIndex = -1;
  const first = matrix.querySelector("tbody tr[id]");
  let at = first.cells[0].querySelector("a");
  at.tabIndex = 0;
  const target = (cell) => cell.querySelector("a") ?? cell;
  const move = (row, place) => {
    const cell = row?.cells[place];
    if (!cell) return;
    at.tabIndex = -1;
    at = target(cell);
    at.tabIndex = 0;
    at.focus();
    at.scrollIntoView({ block: "nearest", inline: "nearest" });
  };
  const beside = (row, by) => {
    const rows = matrix.querySelectorAll("tbody tr[id]");
    const place = [...rows].indexOf(row) + by;
    return rows[Math.max(0, Math.min(rows.length - 1, place))];
  };
  matrix.addEventListener("keydown", (event) => {
    const cell = event.target.closest("tbody td, tbody th");
    const row = cell?.parentElement;
    if (!row?.id || event.altKey || event.metaKey) return;
    const place = cell.cellIndex, last = row.cells.length - 1;
    const go = {
      ArrowRight: () => move(row, place + 1), ArrowLeft: () => move(row, place - 1),
      ArrowDown: () => move(beside(row, 1), place), ArrowUp: () => move(beside(row, -1), place),
      PageDown: () => move(beside(row, 12), place), PageUp: () => move(beside(row, -12), place),
      Home: () => move(event.ctrlKey ? beside(row, -1e6) : row, 0), End: () => move(event.ctrlKey ? beside(row, 1e6) : row, last),
      Enter: () => open(row, cell),
    }[event.key];
    if (!go || (event.key === "Enter" && event.target.matches("a"))) return;
    event.preventDefault();
    go();
  });
  const open = (row, cell) => {
    const step = matrix.tHead.rows[0].cells[cell.cellIndex].dataset.step;
    location.assign(row.cells[0].querySelector("a").getAttribute("href") + (step ? `&step=${encodeURIComponent(step)}` : ""));
  };
  matrix.addEventListener("click", (event) => {
    const cell = event.target.closest("tbody td");
    if (cell?.parentElement.id && !event.target.closest("a")) open(cell.parentElement, cell);
  });
}
