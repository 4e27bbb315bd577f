// Tells how long a code is still good. The server decides; this only counts.

import { text } from "./texts.js";

const shown = document.getElementById("countdown");
const until = performance.now() + Number(shown.dataset.seconds) * 1000;

function tell() {
  const left = Math.max(0, Math.ceil((until - performance.now()) / 1000));
  const minutes = Math.floor(left / 60);
  const seconds = String(left % 60).padStart(2, "0");
  shown.textContent = left > 0 ? text("countdown.expires", { time: `${minutes}:${seconds}` }) : text("countdown.expired");
  if (left > 0) setTimeout(tell, 1000);
}

tell();
