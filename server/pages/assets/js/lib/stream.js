// A stream of events that goes on where it was. A hidden page has none: a browser keeps six connections to a server.
export function follow(address, handlers, live) {
  const tell = (text, on) => { live.hidden = false; live.textContent = text; live.classList.toggle("off", !on); };
  let stream = null, last = "", ended = false;

  const open = () => {
    if (stream || ended || document.hidden) return;
    const at = new URL(address, location.href);
    if (last) at.searchParams.set("after", last);
    stream = new EventSource(at);
    const heard = (name, act) => stream.addEventListener(name, (event) => {
      last = event.lastEventId || last;
      tell("live", true);
      act?.(JSON.parse(event.data));
    });
    heard("position");
    for (const [name, act] of Object.entries(handlers)) heard(name, act);
    stream.addEventListener("end", () => { ended = true; close(); tell("you may not look on any more: load the page again", false); });
    stream.addEventListener("done", () => { ended = true; close(); live.hidden = true; });
    stream.addEventListener("error", () => {
      if (stream?.readyState === EventSource.CLOSED) { ended = true; tell("not live: load the page again", false); } else tell("reconnecting", false);
    });
  };
  const close = () => { stream?.close(); stream = null; };

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  addEventListener("pagehide", close);
  addEventListener("pageshow", open);
  open();
}
