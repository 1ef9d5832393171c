// The wall: the server sends main and foot anew when something changed. Arrow keys lead to the steps beside.
const wall = document.querySelector("[data-wall]");
const live = document.querySelector("[data-live]");
const tell = (text, on) => { live.hidden = false; live.textContent = text; live.classList.toggle("off", !on); };

const stream = new EventSource(wall.dataset.events);
stream.addEventListener("wall", (event) => {
  const made = document.createElement("template");
  made.innerHTML = JSON.parse(event.data);
  const at = document.activeElement?.closest("footer a")?.getAttribute("href");
  for (const part of made.content.children) wall.querySelector(part.localName).replaceWith(part.cloneNode(true));
  if (at) wall.querySelector(`footer a[href="${CSS.escape(at)}"]`)?.focus();
  tell("live", true);
});
stream.addEventListener("end", () => { stream.close(); tell("no longer signed in", false); });
stream.addEventListener("error", () => tell(stream.readyState === EventSource.CLOSED ? "not live: load the page again" : "reconnecting", false));
addEventListener("pagehide", () => stream.close());

const KEYS = { ArrowRight: "next", PageDown: "next", " ": "next", ArrowLeft: "prev", PageUp: "prev" };
addEventListener("keydown", (event) => {
  if (event.altKey || event.ctrlKey || event.metaKey || (event.key === " " && event.target.closest("a, button"))) return;
  const link = KEYS[event.key] && wall.querySelector(`a[rel="${KEYS[event.key]}"]`);
  if (link) { event.preventDefault(); location.assign(link.href); }
});
