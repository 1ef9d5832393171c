// What stands beside the editor: the chosen step, hints one by one, the difference picture, and taking in new parts.
const narrow = matchMedia("(max-width: 1180px)");

export function makePanel(main, { chose }) {
  const opened = new Map(); // step and hints → how many are open
  let chosen = null;

  const sheets = () => main.querySelectorAll(".sheet[data-sheet]");
  const links = () => [...main.querySelectorAll("#map a[data-step]")];

  function mark() {
    for (const sheet of sheets()) sheet.classList.toggle("is-chosen", sheet.dataset.sheet === chosen);
    for (const link of links()) {
      const on = link.dataset.step === chosen;
      if (on) link.setAttribute("aria-current", "true"); else link.removeAttribute("aria-current");
      link.setAttribute("tabindex", on ? "0" : "-1"); // one stop; arrows move between the nodes
    }
  }

  function choose(step, { write = true, scroll = false } = {}) {
    if (step === chosen && scroll) bringIntoSight(`step-${step}`);
    if (!step || step === chosen || !main.querySelector(`.sheet[data-sheet="${CSS.escape(step)}"]`)) return;
    chosen = step;
    mark();
    if (write) history.replaceState(null, "", `#step-${step}`);
    if (scroll) bringIntoSight(`step-${step}`);
    chose(step);
  }

  // In a narrow window the panel stands above the editor, so the page scrolls; in a wide one it scrolls itself.
  function bringIntoSight(id) {
    if (narrow.matches) document.getElementById(id)?.scrollIntoView({ block: "start" });
  }

  function reveal() {
    main.querySelector("#panel").scrollTop = 0;
    bringIntoSight("panel");
  }

  const fromHash = () => location.hash.startsWith("#step-") ? decodeURIComponent(location.hash.slice(6)) : null;

  main.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#step-"]');
    if (link && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      const step = link.getAttribute("href").slice(6);
      if (step !== chosen) history.pushState(null, "", `#step-${step}`);
      choose(step, { write: false, scroll: true });
      return;
    }
    const hint = event.target.closest("[data-hint]");
    if (hint) {
      event.preventDefault();
      const sheet = hint.closest(".sheet");
      opened.set(keyOf(sheet), (opened.get(keyOf(sheet)) ?? countOpen(sheet)) + 1);
      openHints(sheet);
      if (!hint.isConnected || hint.closest("form").hidden) sheet.querySelector("li:last-child")?.scrollIntoView({ block: "nearest" });
    }
  });
  addEventListener("popstate", () => choose(fromHash() ?? first(), { write: false }));

  // The graph by keyboard: arrows go to the nearest node in that direction.
  main.addEventListener("keydown", (event) => {
    const from = event.target.closest?.("#map a[data-step]");
    const way = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    if (!from || !way) return;
    event.preventDefault();
    const middle = (link) => { const box = link.querySelector(".box").getBoundingClientRect(); return [box.x + box.width / 2, box.y + box.height / 2]; };
    const [x, y] = middle(from);
    let best = null, least = Infinity;
    for (const link of links()) {
      if (link === from) continue;
      const [dx, dy] = [middle(link)[0] - x, middle(link)[1] - y];
      const along = dx * way[0] + dy * way[1], aside = Math.abs(dx * way[1]) + Math.abs(dy * way[0]);
      if (along > 4 && along + aside * (way[0] ? 4 : 1.5) < least) { least = along + aside * (way[0] ? 4 : 1.5); best = link; }
    }
    if (best) { choose(best.dataset.step, { scroll: false }); best.focus(); }
  });

  const first = () => main.querySelector(".sheet.is-first")?.dataset.sheet ?? main.querySelector(".sheet[data-sheet]")?.dataset.sheet;
  const keyOf = (sheet) => `${sheet.dataset.sheet} ${sheet.querySelector(".diag ol")?.textContent ?? ""}`;
  const countOpen = (sheet) => sheet.querySelectorAll(".diag li:not([hidden])").length;

  function openHints(sheet) {
    const count = opened.get(keyOf(sheet));
    if (!count) return;
    const hints = [...sheet.querySelectorAll(".diag li")];
    hints.forEach((hint, at) => { hint.hidden = at >= count; });
    const foot = sheet.querySelector(".diag .foot");
    if (!foot) return;
    const left = hints.length - count;
    if (left > 0) foot.querySelector("[data-hint] span").textContent = `${left} left`;
    else foot.remove();
  }

  // The student's own value under the pointer, never the expected one.
  main.addEventListener("pointermove", (event) => {
    const svg = event.target.closest?.("[data-heat]");
    for (const other of main.querySelectorAll("[data-heat]")) if (other !== svg) rest(other);
    if (svg) read(svg, event);
  });

  function rest(svg) {
    const cursor = svg.querySelector(".cursor"), readout = svg.parentElement.querySelector("[data-readout]");
    cursor.setAttribute("visibility", "hidden");
    if (readout.dataset.rest) readout.textContent = readout.dataset.rest;
  }

  function read(svg, event) {
    const [x0, y0, width, height, rows, columns] = svg.dataset.heat.split(" ").map(Number);
    const cursor = svg.querySelector(".cursor"), readout = svg.parentElement.querySelector("[data-readout]");
    readout.dataset.rest ||= readout.textContent;
    const at = new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    const row = Math.floor((at.y - y0) / height), column = Math.floor((at.x - x0) / width);
    if (row < 0 || column < 0 || row >= rows || column >= columns) { rest(svg); return; }
    cursor.setAttribute("visibility", "visible");
    cursor.setAttribute("x", x0 + column * width);
    cursor.setAttribute("y", y0 + row * height);
    svg.parsed ??= svg.dataset.values ? JSON.parse(svg.dataset.values) : [];
    const value = svg.parsed[row * columns + column];
    readout.textContent = `[${row}, ${column}]` + (value === undefined ? "" : `  yours ${value ?? "not finite"}`);
  }

  // Put new parts where the old ones stand; what has the focus keeps it, and what was opened stays open.
  function take(parts) {
    const focus = document.activeElement?.closest?.("#map a[data-step]")?.dataset.step;
    const hadHint = document.activeElement?.closest?.("[data-hint]");
    for (const part of [...parts.children]) {
      const old = part.id && document.getElementById(part.id);
      if (!old) continue;
      if (part.id === "steps") {
        for (const sheet of [...part.children]) {
          const now = document.getElementById(sheet.id);
          if (!now || now.innerHTML === sheet.innerHTML) continue;
          const open = new Set([...now.querySelectorAll("details[open] > summary")].map((each) => each.textContent));
          now.innerHTML = sheet.innerHTML;
          for (const summary of now.querySelectorAll("details > summary")) summary.parentElement.open = open.has(summary.textContent);
          now.dataset.mark = sheet.dataset.mark;
          openHints(now);
        }
      } else if (old.innerHTML !== part.innerHTML) old.innerHTML = part.innerHTML;
    }
    mark();
    if (focus) main.querySelector(`#map a[data-step="${CSS.escape(focus)}"]`)?.focus();
    if (hadHint && !hadHint.isConnected) main.querySelector(".sheet.is-chosen [data-hint]")?.focus();
  }

  const marks = () => Object.fromEntries([...sheets()].map((sheet) => [sheet.dataset.sheet, sheet.dataset.mark]));
  const wantsPicture = () => {
    const sheet = main.querySelector(".sheet.is-chosen");
    return sheet && ["own", "inherited", "unknown", "rounding"].includes(sheet.dataset.mark) && !sheet.querySelector(".heat");
  };

  main.classList.add("is-live");
  choose(fromHash() ?? first(), { write: false });
  return { choose, take, marks, reveal, wantsPicture, get chosen() { return chosen; }, begin: first };
}
