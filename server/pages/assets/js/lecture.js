// The wall: the server sends main and foot anew when something changed. Arrow keys lead to the steps beside.
import { follow } from "./lib/stream.js";

const wall = document.querySelector("[data-wall]");

follow(wall.dataset.events, { wall: redraw }, document.querySelector("[data-live]"));

function redraw(html) {
  const made = document.createElement("template");
  made.innerHTML = html;
  const at = document.activeElement?.closest("footer a")?.getAttribute("href");
  for (const part of made.content.children) wall.querySelector(part.localName).replaceWith(part.cloneNode(true));
  if (at) wall.querySelector(`footer a[href="${CSS.escape(at)}"]`)?.focus();
}

const KEYS = { ArrowRight: "next", PageDown: "next", " ": "next", ArrowLeft: "prev", PageUp: "prev" };
addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || (event.key === " " && event.target.closest("a, button"))) return;
  const link = KEYS[event.key] && wall.querySelector(`a[rel="${KEYS[event.key]}"]`);
  if (link) { event.preventDefault(); location.assign(link.href); }
});
