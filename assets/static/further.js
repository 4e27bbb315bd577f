// A further passkey of whoever is signed in.

import { create, deviceName, go, obstacle, post, words } from "./passkey.js";
import { text } from "./texts.js";

const form = document.getElementById("further");
const button = form.querySelector("button");
const name = document.getElementById("name");
let busy = false;

function say(told, fault = "") {
  document.getElementById("status").textContent = told;
  document.getElementById("alert").textContent = fault;
}

function setBusy(on) {
  busy = on;
  button.setAttribute("aria-disabled", String(on));
}

async function add(event) {
  event.preventDefault();
  if (busy) return;
  setBusy(true);
  say(text("further.waiting"));
  try {
    const { ceremony, publicKey } = await post("/gate/webauthn/add/start", {});
    const credential = await create(publicKey);
    say(text("further.storing"));
    const passkey_name = name.value.trim() || deviceName();
    await post("/gate/webauthn/add/finish", { ceremony, credential, passkey_name });
    say(text("further.done"));
    go("/gate/account");
  } catch (error) {
    // The sign-in has grown old over this page: it asks for another one when it is loaded again.
    if (error.code === "login_required") return location.reload();
    setBusy(false);
    say("", words(error, true));
  }
}

const why = obstacle();
if (why) {
  say("", why);
} else {
  name.value = deviceName();
  button.disabled = false;
  form.addEventListener("submit", add);
}
