// A training run, live: the server draws the curve anew after each chunk.
import { follow } from "./lib/stream.js";

const run = document.querySelector("[data-run-events]");
if (run) follow(run.dataset.runEvents, { run: redraw, done: end }, document.querySelector("[data-live]"));

function redraw(html) {
  const made = document.createElement("template");
  made.innerHTML = html;
  const fresh = made.content.firstElementChild;
  document.querySelector("#run [data-status]").textContent = fresh.dataset.status;
  document.getElementById("run-live").replaceChildren(...fresh.childNodes);
}

// At its end, what stands beside it is read anew; what somebody types meanwhile stays.
async function end(html) {
  redraw(html);
  const answer = await fetch(location.href).catch(() => null);
  if (answer?.ok) {
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const id of ["runs", "ranking"]) document.getElementById(id)?.replaceWith(page.getElementById(id));
  }
  for (const each of document.querySelectorAll("[data-while-live]")) each.hidden = true;
  for (const each of document.querySelectorAll("[data-after-run]")) each.disabled = false;
}
