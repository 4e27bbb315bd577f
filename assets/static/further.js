// A further passkey of whoever is signed in.

import { create, deviceName, disown, go, obstacle, post, words } from "./passkey.js";
import { isBusy, say, setBusy } from "./status.js";
import { text } from "./texts.js";

const form = document.getElementById("further");
const button = form.querySelector("button");
const name = document.getElementById("name");

async function add(event) {
  event.preventDefault();
  if (isBusy(button)) return;
  setBusy(button, true);
  say(text("further.waiting"));
  let made = null; // the passkey that the device has made, and for whom
  try {
    const { ceremony, publicKey } = await post("/gate/webauthn/add/start", {});
    const credential = await create(publicKey);
    made = { credential, rpId: publicKey.rp.id };
    say(text("further.storing"));
    const passkey_name = name.value.trim() || deviceName();
    await post("/gate/webauthn/add/finish", { ceremony, credential, passkey_name });
    say(text("further.done"));
    go("/gate/account");
  } catch (error) {
    // The sign-in has grown old over this page: it asks for another one when it is loaded again.
    if (error.code === "login_required") return location.reload();
    setBusy(button, false);
    say("", words(error, true) + await disown(error, made));
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
