// A submission that waits shows its grade as soon as it is there.
const LOOK_MS = 1500;
if (document.querySelector("[data-waits]")) setTimeout(() => location.reload(), LOOK_MS);
