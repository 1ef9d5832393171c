// The door: what stands behind "#" in a personal link, or in the address of a QR code, goes into the form.
// It is taken out of the address at once, so that it stays in no history and on no screen.
const form = document.querySelector("form[data-door]");
const secret = decodeURIComponent(location.hash.slice(1));

if (form && secret) {
  const field = form.querySelector("[data-secret]");
  field.value = secret;
  history.replaceState(null, "", location.pathname + location.search);
  if (secret.startsWith("join_")) {
    form.classList.add("has-link");
    for (const part of document.querySelectorAll("[data-without-link]")) part.hidden = true;
    for (const part of document.querySelectorAll("[data-with-link]")) part.hidden = false;
    if (form.elements.name) form.elements.name.disabled = true;
  }
  form.querySelector("button[type=submit]").focus();
}

// A personal link that is pasted needs no name.
const code = form?.querySelector("[data-secret]");
const name = form?.elements.namedItem("name");
code?.addEventListener("input", () => { if (name) name.required = !code.value.includes("join_"); });
