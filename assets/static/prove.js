// The page without data. It asks for the page that belongs to this address, with the proof of the
// session, puts that page in its own place, and sends the page's forms in the same way.

import { ask } from "./session.js";
import { text } from "./texts.js";

const silent = "silent" in document.body.dataset;
const here = location.pathname + location.search;
let busy = false; // a form is on its way

/** Asks for a page, and goes where the answer leads. */
async function load(path, request = {}) {
  const headers = { ...request.headers, accept: "text/html" };
  const answer = await ask(path, { ...request, headers });
  const next = answer.headers.get("location");
  if (next) go(next, request.method === "POST");
  else await show(await answer.text());
}

/** Goes on, and leaves an entry to come back to only where a person pressed something and stays here. */
function go(next, pressed) {
  const to = new URL(next, location.href);
  if (pressed && to.origin === location.origin && to.pathname !== location.pathname) location.assign(to);
  else location.replace(to);
  // A program of its own leaves this page where it is.
  if (!/^https?:$/.test(to.protocol) && !silent) wait(text("page.app_opens"));
}

/** Puts a page in the place of this one. Its scripts are modules of this origin, or they do not run. */
async function show(html) {
  const page = new DOMParser().parseFromString(html, "text/html");
  document.documentElement.lang = page.documentElement.lang;
  document.title = page.title;
  document.querySelector('meta[name="csrf"]').content = page.querySelector('meta[name="csrf"]')?.content ?? "";
  const scripts = [...page.querySelectorAll("script[src]")].map((script) => script.getAttribute("src"));
  for (const part of page.querySelectorAll("noscript, script[src]")) part.remove();
  const refresh = page.querySelector('meta[http-equiv="refresh"]');
  if (silent) document.body.hidden = true;
  await dress(page);
  document.body.replaceChildren(...page.body.childNodes);
  scrollTo(0, 0);
  (document.querySelector("[autofocus]") ?? (busy ? document.querySelector("h1") : null))?.focus();
  if (refresh) document.head.append(refresh);
  for (const script of scripts) await import(script);
}

/** Loads the style sheets of a page that are not there yet, so that it does not stand there undressed. */
async function dress(page) {
  const there = new Set([...document.querySelectorAll('link[rel="stylesheet"]')].map((link) => link.href));
  const missing = [...page.querySelectorAll('link[rel="stylesheet"]')].filter((link) => !there.has(link.href));
  await Promise.all(missing.map((link) => new Promise((done) => {
    link.onload = link.onerror = done;
    document.head.append(document.adoptNode(link));
  })));
}

function wait(sentence) {
  const waiting = document.getElementById("waiting");
  if (!waiting) return;
  waiting.textContent = sentence;
  waiting.hidden = false;
}

/** Says beside a form why it went nowhere. */
function complain(form) {
  const fault = form.parentElement.querySelector(":scope > .unsent") ?? document.createElement("p");
  fault.className = "notice bad unsent";
  fault.setAttribute("role", "alert");
  fault.textContent = text("page.unreachable");
  form.before(fault);
}

addEventListener("submit", async (event) => {
  const form = event.target;
  const action = new URL(form.getAttribute("action") ?? "", location.href);
  // A page's own script sends its forms itself, and the answer to a client goes straight there.
  if (event.defaultPrevented || action.origin !== location.origin) return;
  event.preventDefault();
  if (busy) return;
  const fields = new FormData(form);
  if (event.submitter?.name) fields.append(event.submitter.name, event.submitter.value);
  if (form.method === "get") {
    location.assign(`${action.pathname}?${new URLSearchParams(fields)}`);
    return;
  }
  const headers = { "content-type": "application/x-www-form-urlencoded" };
  busy = true;
  try {
    const body = new URLSearchParams(fields).toString();
    await load(action.pathname + action.search, { method: "POST", headers, body });
  } catch {
    complain(form);
  }
  busy = false;
});

// A page that comes back from the back/forward cache would show what a person may since have left.
addEventListener("pagehide", () => { document.body.hidden = true; });
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// Nothing is said of a moment that nobody notices.
const noticed = setTimeout(() => wait(text("page.one_moment")), 400);
try {
  await load(here);
} catch {
  if (!silent) wait(text("page.unreachable"));
}
clearTimeout(noticed);
