for(let t of document.querySelectorAll("[data-copy]"))t.hidden=!1,t.addEventListener("click",async()=>{await navigator.clipboard.writeText(t.dataset.copy),t.textContent="Copied"});
