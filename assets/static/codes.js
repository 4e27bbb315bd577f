// Recovery codes: copies and prints them.

import { text } from "./texts.js";

const at = (id) => document.getElementById(id);

async function copy() {
  const codes = [...document.querySelectorAll("#codes code")].map((code) => code.textContent);
  try {
    await navigator.clipboard.writeText(`${codes.join("\n")}\n`);
    at("status").textContent = text("codes.copied");
  } catch {
    at("status").textContent = text("codes.not_copied");
  }
}

at("copy").addEventListener("click", copy);
at("print").addEventListener("click", () => print());
for (const id of ["copy", "print"]) at(id).hidden = false;
