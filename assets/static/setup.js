// Setup: takes the one-time token out of the address, asks the server what it is for, and makes
// the passkey. The token lives in this module's memory only, so a failed attempt can be repeated.

import { create, deviceName, go, obstacle, post, words } from "./passkey.js";
import { text } from "./texts.js";

const at = (id) => document.getElementById(id);
const form = at("setup");
const button = form.querySelector("button");
const username = at("username");
const email = at("email");

/** What each purpose of a link is called, given the name of the person it was made for. */
const purposes = {
  first: () => [text("setup.first"), text("setup.first_lead")],
  new: (name) => [text("setup.new_person", { name }), text("setup.new_lead")],
  recover: (name) => [text("setup.recover", { name }), text("setup.recover_lead")],
  passkey: (name) => [text("setup.passkey", { name }), text("setup.passkey_lead")],
};

let token = "";
let link = null; // what the server said of the token
let busy = false;

function say(status, fault = "") {
  at("status").textContent = status;
  at("alert").textContent = fault;
}

function setBusy(on) {
  busy = on;
  button.setAttribute("aria-disabled", String(on));
}

/** Reads the link and forgets it from the address bar, the history and any screenshot. */
function begin() {
  const found = location.hash.slice(1);
  if (found) {
    token = found;
    history.replaceState(null, "", location.pathname + location.search);
  }
  for (const id of ["lead", "remedy", "setup", "about", "again"]) at(id).hidden = true;
  if (!token) {
    say("", text("setup.no_link"));
    at("remedy").hidden = false;
    return;
  }
  check();
}

async function check() {
  at("again").hidden = true;
  const why = obstacle();
  if (why) return say("", why);
  say(text("setup.checking"));
  try {
    link = await post("/gate/setup", { token });
  } catch (error) {
    say("", words(error));
    // The address no longer has the token: reloading would lose it, so asking again is offered here.
    at(error.offline ? "again" : "remedy").hidden = false;
    return;
  }
  say("");
  show();
}

function show() {
  const first = link.purpose === "first";
  const name = link.display_name || link.username || text("setup.you");
  const [heading, lead] = (purposes[link.purpose] ?? purposes.passkey)(name);
  at("heading").textContent = heading;
  at("lead").textContent = lead;
  at("named-username").textContent = link.username ?? "";
  at("naming").hidden = !first;
  at("named").hidden = first || !link.username;
  at("addressing").hidden = !link.takes_email;
  for (const id of ["lead", "setup", "about"]) at(id).hidden = false;
  // A screen reader hears from here what the link turned out to be for.
  at("heading").focus();
}

/** Says what is wrong with the username beside it; true if nothing is. */
function usernameHolds() {
  const { valueMissing, valid } = username.validity;
  const fault = valid ? "" : valueMissing
    ? text("setup.username_missing")
    : text("setup.username_malformed");
  at("username-fault").textContent = fault;
  username.setAttribute("aria-invalid", String(!valid));
  if (!valid) username.focus();
  return valid;
}

/** Says beside the e-mail address if it is none; true if nothing is wrong with it. */
function emailHolds() {
  const { valid } = email.validity;
  at("email-fault").textContent = valid ? "" : text("setup.email_malformed");
  email.setAttribute("aria-invalid", String(!valid));
  if (!valid) email.focus();
  return valid;
}

async function enrol(event) {
  event.preventDefault();
  if (busy) return;
  const first = link.purpose === "first";
  username.value = username.value.trim();
  if (first && !usernameHolds()) return;
  if (link.takes_email && !emailHolds()) return;

  setBusy(true);
  say(text("setup.waiting"));
  try {
    const { ceremony, publicKey } = await post("/gate/webauthn/register/start", {
      token,
      username: first ? username.value : link.username,
      display_name: first ? at("display_name").value.trim() || null : link.display_name,
      email: link.takes_email ? email.value.trim() || null : null,
    });
    const credential = await create(publicKey);
    say(text("setup.storing"));
    const { next } = await post("/gate/webauthn/register/finish", {
      ceremony,
      token,
      credential,
      passkey_name: deviceName(),
    }, { opens: true });
    say(text("setup.done"));
    go(next);
  } catch (error) {
    setBusy(false);
    say("", words(error, true));
  }
}

form.addEventListener("submit", enrol);
at("again").addEventListener("click", check);
// Another link pasted into this tab changes only the fragment and loads nothing.
addEventListener("hashchange", begin);
begin();
