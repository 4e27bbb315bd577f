// A value that is displayed once: copies it.

import { text } from "./texts.js";

const at = (id) => document.getElementById(id);

async function copy() {
  try {
    await navigator.clipboard.writeText(at("copied").textContent);
    at("status").textContent = text("copy.copied");
  } catch {
    at("status").textContent = text("copy.not_copied");
  }
}

at("copy").addEventListener("click", copy);
at("copy").hidden = false;
