// Setup: takes the one-time token out of the address, asks the server what it is for, and makes
// the passkey. The token stays in the entry of the history, which only this tab and this origin read, so
// that neither a failed attempt nor a reload loses it. Without a token, a recovery code may be typed.

import { create, deviceName, disown, go, obstacle, post, words } from "./passkey.js";
import { isBusy, say, setBusy } from "./status.js";
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
  invitation: () => [text("setup.invitation"), text("setup.invitation_lead")],
  code: (name) => [text("setup.recover", { name }), text("setup.recover_lead")],
  recover: (name) => [text("setup.recover", { name }), text("setup.recover_lead")],
  sign_up: () => [text("setup.sign_up"), text("setup.sign_up_lead")],
  passkey: (name) => [text("setup.passkey", { name }), text("setup.passkey_lead")],
};

/** What stands in the place of a token where somebody makes an account by themselves. */
const SIGN_UP = "sign-up";

let token = "";
let signsUp = false;
let link = null; // what the server said of the token

/** Reads the link and forgets it from the address bar, the history and any screenshot. */
function begin() {
  const found = location.hash.slice(1);
  const named = found || history.state?.token || "";
  signsUp = named === SIGN_UP;
  token = signsUp ? "" : named;
  if (found) history.replaceState({ token: found }, "", location.pathname + location.search);
  for (const id of ["lead", "remedy", "signed-in", "setup", "about", "again", "recovery"]) at(id).hidden = true;
  // Where nothing can be made, nothing is asked for.
  const why = obstacle();
  if (why) return say("", why);
  if (!named) {
    say("");
    at("heading").textContent = text("setup.recovery");
    at("lead").textContent = text("setup.no_link");
    for (const id of ["lead", "recovery", "remedy"]) at(id).hidden = false;
    return;
  }
  check();
}

async function check() {
  at("again").hidden = true;
  say(text("setup.checking"));
  try {
    link = await post("/gate/setup", { token });
  } catch (error) {
    say("", words(error));
    at(error.offline ? "again" : "remedy").hidden = false;
    // What was typed may have a slip in it.
    at("recovery").hidden = error.offline || signsUp || token.startsWith("gl_");
    return;
  }
  say("");
  show();
}

function show() {
  const naming = link.takes_names;
  const name = link.display_name || link.username || text("setup.you");
  const [heading, lead] = (purposes[link.purpose] ?? purposes.passkey)(name);
  at("heading").textContent = heading;
  at("lead").textContent = lead;
  const own = link.signed_in_as;
  at("signed-in").textContent = !own ? "" : naming || link.purpose === "new"
    ? text("setup.signed_in_new", { name: own })
    : text("setup.signed_in", { name: own });
  at("signed-in").hidden = !own;
  at("named-username").textContent = link.username ?? "";
  at("naming").hidden = !naming;
  at("named").hidden = naming || !link.username;
  at("ending").hidden = !["code", "recover"].includes(link.purpose);
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
  if (isBusy(button)) return;
  const naming = link.takes_names;
  username.value = username.value.trim();
  if (naming && !usernameHolds()) return;
  if (link.takes_email && !emailHolds()) return;

  setBusy(button, true);
  say(text("setup.waiting"));
  let made = null; // the passkey that the device has made, and for whom
  try {
    const { ceremony, publicKey } = await post("/gate/webauthn/register/start", {
      token,
      username: naming ? username.value : link.username,
      display_name: naming ? at("display_name").value.trim() || null : link.display_name,
      email: link.takes_email ? email.value.trim() || null : null,
    });
    const credential = await create(publicKey);
    made = { credential, rpId: publicKey.rp.id };
    say(text("setup.storing"));
    const { next } = await post("/gate/webauthn/register/finish", {
      ceremony,
      token,
      credential,
      end_others: at("end_others").checked && !at("ending").hidden,
      passkey_name: deviceName(),
    }, { opens: true });
    say(text("setup.done"));
    go(signsUp ? new URLSearchParams(location.search).get("next") || next : next);
  } catch (error) {
    setBusy(button, false);
    say("", words(error, true) + await disown(error, made));
  }
}

/** Takes the recovery code that was typed in the place of a token. */
function recover(event) {
  event.preventDefault();
  token = at("code").value.trim();
  if (!token) return at("code").focus();
  history.replaceState({ token }, "", location.pathname + location.search);
  for (const id of ["remedy", "recovery"]) at(id).hidden = true;
  check();
}

form.addEventListener("submit", enrol);
at("recovery").addEventListener("submit", recover);
at("again").addEventListener("click", check);
// Another link pasted into this tab changes only the fragment and loads nothing.
addEventListener("hashchange", begin);
begin();
