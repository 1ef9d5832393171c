// Forms that show beside them what they would do, and parts of a page that look again. Both work without it.
const token = document.querySelector('meta[name="form-token"]')?.content ?? "";
const PAUSE = 400;

for (const form of document.querySelectorAll("form[data-preview]")) {
  const target = document.getElementById(form.dataset.preview);
  let timer, running;
  const ask = async () => {
    running?.abort();
    running = new AbortController();
    target.setAttribute("aria-busy", "true");
    try {
      const answer = await fetch(form.action, {
        method: "POST", body: new URLSearchParams(new FormData(form)), signal: running.signal,
        headers: { "HX-Request": "true", "X-Form-Token": token },
      });
      if (answer.ok) target.innerHTML = await answer.text();
      target.removeAttribute("aria-busy");
    } catch (error) { if (error.name !== "AbortError") target.removeAttribute("aria-busy"); }
  };
  form.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, PAUSE); });
}

// A part with data-again is fetched anew every so many milliseconds, until what comes has no such mark.
const again = (part) => setTimeout(async () => {
  try {
    const answer = await fetch(location.href, { headers: { "HX-Request": "true" } });
    if (answer.ok && !part.contains(document.activeElement)) { // nobody loses the place of their keyboard
      const holder = document.createElement("div");
      holder.innerHTML = await answer.text();
      const fresh = holder.firstElementChild;
      part.replaceWith(fresh);
      part = fresh;
    }
  } catch { /* no connection: the next look may have one */ }
  if (part.dataset.again) again(part);
}, Number(part.dataset.again));
for (const part of document.querySelectorAll("[data-again]")) again(part);
