// Sign-in. A ceremony waits behind the username field for the browser's autofill, and each button
// runs one of its own. A browser allows one at a time, so the first always yields to the second.

import { forget, get, go, obstacle, post, words } from "./passkey.js";
import { isBusy, say, setBusy } from "./status.js";
import { text } from "./texts.js";

const form = document.getElementById("login");
const button = form?.querySelector("button");
const other = document.getElementById("other-device");

/** Both buttons are busy at once: a browser allows one ceremony at a time. */
function busy(on) {
  for (const one of [button, other]) setBusy(one, on);
}

let waiting = null; // the autofill ceremony: its AbortController, when to renew it, when it is over

async function finish(ceremony, credential, { rpId }) {
  busy(true);
  say(text("login.checking"));
  try {
    await post("/gate/webauthn/authenticate/finish", { ceremony, credential }, { opens: true });
  } catch (error) {
    if (error.code === "passkey_removed") await forget(rpId, credential);
    throw error;
  }
  say(text("login.signed_in"));
  go(form.dataset.next);
}

/** Waits for the person to pick a passkey from the autofill list. */
async function autofill() {
  if (waiting || isBusy(button)) return;
  const control = new AbortController();
  const mine = { control, renewAt: Infinity };
  waiting = mine;
  let shown = 0;
  let picked = false;
  mine.over = (async () => {
    try {
      const { ceremony, expires_in, publicKey } = await post("/gate/webauthn/authenticate/start", {});
      if (control.signal.aborted) return;
      shown = Date.now();
      mine.renewAt = shown + expires_in * 800;
      setTimeout(renew, expires_in * 800);
      const credential = await get(publicKey, { mediation: "conditional", signal: control.signal });
      picked = true;
      waiting = null;
      await finish(ceremony, credential, publicKey);
    } catch (error) {
      if (waiting === mine) waiting = null;
      // Nobody asked for this ceremony: if it could not even begin, the button will say why.
      if (control.signal.aborted || !shown) return;
      busy(false);
      // One that fails at once would fail for ever: only the button is left then.
      const atOnce = Date.now() - shown < 1000;
      if (picked || !atOnce) say("", words(error));
      if (!atOnce) autofill();
    }
  })();
}

async function stop() {
  const old = waiting;
  waiting = null;
  old?.control.abort();
  await old?.over;
}

// The challenge is replaced before the server forgets it. A hidden page leaves that until it is
// seen again, and timers sleep with the machine, so both the timer and the sight of the page ask.
async function renew() {
  if (document.hidden || !waiting || Date.now() + 1000 < waiting.renewAt) return;
  await stop();
  autofill();
}

/** Signs in; `hints` say which authenticators the browser offers first (WebAuthn L3 §5.8.7). */
async function signIn(hints = []) {
  if (isBusy(button)) return;
  busy(true);
  say(text("login.waiting"));
  try {
    await stop();
    const { ceremony, publicKey } = await post("/gate/webauthn/authenticate/start", {});
    await finish(ceremony, await get({ ...publicKey, hints }), publicKey);
  } catch (error) {
    busy(false);
    say("", words(error));
    offerAutofill();
  }
}

async function offerAutofill() {
  if (await PublicKeyCredential.isConditionalMediationAvailable?.()) autofill();
}

if (form) {
  const why = obstacle();
  if (why) {
    say("", why);
  } else {
    button.disabled = false;
    other.disabled = false;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      signIn();
    });
    other.addEventListener("click", () => signIn(["hybrid", "security-key"]));
    document.addEventListener("visibilitychange", renew);
    // A page kept in the back/forward cache would come back with a dead ceremony.
    addEventListener("pagehide", stop);
    addEventListener("pageshow", (event) => {
      if (!event.persisted) return;
      busy(false);
      say("");
      offerAutofill();
    });
    offerAutofill();
  }
}
