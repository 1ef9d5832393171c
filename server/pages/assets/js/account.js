// My account: a code that was shown is gone after a reload, and the picture of it while nobody looks at it.
if (document.querySelector("[data-shown-once]")) history.replaceState(null, "", "/account");

for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.textContent = "Copied";
  });
}
