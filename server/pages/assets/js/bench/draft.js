// The draft: in this browser at each key, on the server after a pause. The last one holds, and a notice says so.
const SERVER_PAUSE = 2000;
const AGAIN = 5000; // after the server could not be reached

export function makeDraft({ main, address, token, starter, sourceOfServer, tell }) {
  const key = `draft ${main.dataset.course} ${main.dataset.exercise}`;
  const state = main.querySelector("[data-draft-state]");
  let seen = main.dataset.draft, waiting = null, kept = sourceOfServer;

  const read = () => { try { return JSON.parse(localStorage.getItem(key)); } catch { return null; } };
  const write = (value) => { try { localStorage.setItem(key, JSON.stringify(value)); } catch { /* the server keeps it */ } };

  // What was written here and did not reach the server, such as without a connection.
  function begin() {
    const local = read();
    if (!local || typeof local.source !== "string" || local.source === sourceOfServer) return sourceOfServer;
    if (local.kept === local.source) return sourceOfServer; // it did reach it, and something newer came since
    if (seen && local.seen !== seen && new Date(local.at) < new Date(seen)) {
      tell("A newer draft from another device is here. ", "Show the one of this browser", () => local.source);
      return sourceOfServer;
    }
    return local.source;
  }

  function changed(source) {
    write({ source, seen, kept, at: new Date().toISOString() });
    state.textContent = "draft kept in this browser";
    clearTimeout(waiting);
    waiting = setTimeout(() => send(source), SERVER_PAUSE);
  }

  async function send(source) {
    waiting = null;
    if (source === kept) {
      if (seen) show(seen); // what the server has was written again
      return;
    }
    try {
      const answer = await fetch(`${address}/draft`, { method: "POST", headers: { "X-Form-Token": token }, body: new URLSearchParams({ source, seen, form_token: token }) });
      if (!answer.ok) return;
      const { changed_at: changedAt, overwrote } = await answer.json();
      [seen, kept] = [changedAt, source];
      write({ source, seen, kept, at: changedAt });
      show(changedAt);
      if (overwrote) tell("This draft took the place of one from another device. It is the newest now.");
    } catch { waiting ??= setTimeout(() => send(source), AGAIN); } // meanwhile the browser has it
  }

  function show(at) {
    const time = document.createElement("time");
    time.dateTime = at;
    time.textContent = "just now";
    state.replaceChildren("draft kept ", time);
  }

  // A page that is left sends what waits.
  addEventListener("pagehide", () => {
    if (!waiting) return;
    const local = read();
    if (local) navigator.sendBeacon(`${address}/draft`, new URLSearchParams({ source: local.source, seen, form_token: token }));
  });

  return { begin, changed };
}
