// Keeps the code of a bridge for this tab as long as it is good, so that a reload shows it again: the server
// stores only its hash.

const at = (id) => document.getElementById(id);
const kept = at("kept"); // where a code is shown again
const key = `code ${location.pathname}`;

if (kept) {
  const found = JSON.parse(sessionStorage.getItem(key) ?? "null");
  const seconds = found ? Math.ceil((found.until - Date.now()) / 1000) : 0;
  if (seconds > 0) {
    at("code").firstChild.textContent = found.code;
    at("command").firstChild.textContent = found.command;
    at("countdown").dataset.seconds = seconds;
    at("spent").hidden = true;
    kept.hidden = false;
    await import("./countdown.js");
  } else {
    sessionStorage.removeItem(key);
  }
} else {
  const [code, command] = ["code", "command"].map((id) => at(id).textContent);
  const until = Date.now() + Number(at("countdown").dataset.seconds) * 1000;
  try {
    sessionStorage.setItem(key, JSON.stringify({ code, command, until }));
  } catch {
    // Where nothing is stored, the page offers another code.
  }
}
