// What every page has: the theme, and times that stay right in the reader's own zone. Every page works without it.
// The theme is kept in a cookie, because the server writes it into the page: so a page never flashes in the other one.
const root = document.documentElement;

for (const button of document.querySelectorAll("[data-theme-toggle]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `dojo_theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax${secure}`;
  });
}

const units = [["day", 86400], ["hour", 3600], ["minute", 60]];
const relative = new Intl.RelativeTimeFormat("en", { numeric: "always" });
const full = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short" });
const short = new Intl.DateTimeFormat("en-GB", { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });

export function tellTimes(within = document) {
  for (const element of within.querySelectorAll("time[datetime]")) {
    const moment = new Date(element.dateTime);
    element.title = full.format(moment);
    if ("day" in element.dataset) { element.textContent = short.format(moment); continue; }
    const seconds = (moment - Date.now()) / 1000;
    const unit = units.find(([, size]) => Math.abs(seconds) >= size);
    element.textContent = unit ? relative.format(Math.trunc(seconds / unit[1]), unit[0]) : seconds > 0 ? "in a moment" : "just now";
  }
}
tellTimes();
setInterval(tellTimes, 30_000);
