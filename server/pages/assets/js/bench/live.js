// Live checks: 300 ms after the last key, one at a time; the next one takes the place of the one under way.
const PAUSE = 300;
const AGAIN = 3000; // after the server was away

export function makeChecks({ address, token, source, step, before, shown, trouble }) {
  let timer = null, under = null, closed = false, waits = AGAIN;

  function soon(delay = PAUSE) {
    if (closed) return;
    clearTimeout(timer);
    timer = setTimeout(run, delay);
  }

  async function run() {
    under?.abort();
    const control = under = new AbortController();
    before();
    const asked = source();
    try {
      const answer = await fetch(`${address}/check`, {
        method: "POST", signal: control.signal, headers: { "X-Form-Token": token, "HX-Request": "true" },
        body: new URLSearchParams({ source: asked, step: step() ?? "" }),
      });
      const text = await answer.text();
      if (control.signal.aborted) return;
      waits = AGAIN;
      if (answer.ok) { shown(text, asked); return; }
      const after = Number(answer.headers.get("Retry-After"));
      if (answer.status === 401) { closed = true; trouble("signed out"); }
      else if (answer.status === 429 || answer.status === 503) { trouble("busy"); soon((after || 5) * 1000); }
      else if (answer.status === 403) { closed = true; trouble("closed", text); }
      else trouble("failed", text);
    } catch (error) {
      if (error.name === "AbortError") return;
      trouble("away");
      soon(waits);
      waits = Math.min(waits * 2, 30_000);
    } finally {
      if (under === control) under = null;
    }
  }

  return { soon, now: () => soon(0), close() { closed = true; clearTimeout(timer); under?.abort(); } };
}
