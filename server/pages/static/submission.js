document.querySelector("[data-waits]")&&setTimeout(()=>location.reload(),1500);
