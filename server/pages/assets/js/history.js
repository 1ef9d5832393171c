// Choosing two attempts compares them at once; the button does it without a script.
for (const form of document.querySelectorAll("[data-tries]")) {
  const button = form.querySelector("button");
  if (button) button.hidden = true;
  form.addEventListener("change", () => {
    const chosen = new FormData(form);
    if (chosen.get("one") && chosen.get("other") && chosen.get("one") !== chosen.get("other")) form.requestSubmit();
  });
}
