// What setup and sign-in share: asking the server, making and using passkeys, and saying in plain
// words what went wrong.

import { NoStorage, ask } from "./session.js";
import { text } from "./texts.js";

/** A failure whose message was written for the person, ours or the server's. */
export class Trouble extends Error {
  /** `offline` tells "no answer came" from "the answer was no". */
  constructor(message, offline = false, code = null) {
    super(message);
    this.offline = offline;
    this.code = code; // the `error` of the answer
  }
}

/**
 * Posts JSON and returns the JSON of the answer, or throws a Trouble. `how` may say that the request
 * `opens` a session.
 */
export async function post(path, body, how = {}) {
  const csrf = document.querySelector('meta[name="csrf"]').content;
  // What the server says stands in the page, so it is in the page's language.
  const language = document.documentElement.lang;
  const headers = { "accept-language": language, "content-type": "application/json", "x-csrf-token": csrf };
  let answer;
  try {
    answer = await ask(path, { ...how, method: "POST", headers, body: JSON.stringify(body) });
  } catch (error) {
    if (error instanceof NoStorage) {
      throw new Trouble(text("passkey.no_storage"));
    }
    throw new Trouble(text("passkey.unreachable"), true);
  }
  const json = await answer.json().catch(() => null);
  if (answer.ok && json) return json;
  const message = json?.error_description || text("passkey.not_understood", { status: answer.status });
  throw new Trouble(message, false, json?.error);
}

/** Why this browser cannot use passkeys here, or null if it can. */
export function obstacle() {
  if (!window.isSecureContext) {
    return text("passkey.insecure");
  }
  if (!window.PublicKeyCredential || !navigator.credentials) {
    return text("passkey.no_passkeys");
  }
  return null;
}

/**
 * What a browser tells as NotAllowedError, whatever the cause (WebAuthn L3 §14.5.1): only the time that
 * went by tells one from another.
 */
class NotAllowed extends Error {
  constructor(after, limit) {
    super();
    // Nobody reads a dialog and cancels it so fast: what was there could not do it.
    this.atOnce = after < 700;
    this.tooLate = after >= limit - 500;
  }
}

/** Runs a ceremony of the browser with these options. */
async function within({ timeout = Infinity }, ceremony) {
  const since = performance.now();
  try {
    return await ceremony();
  } catch (error) {
    if (error?.name !== "NotAllowedError") throw error;
    // Chromium says so in words alone.
    if (/certificate/i.test(error.message)) {
      throw new Trouble(text("passkey.untrusted", { address: `${location.origin}/trust` }));
    }
    throw new NotAllowed(performance.now() - since, timeout);
  }
}

/** Makes a passkey and returns it as the JSON of WebAuthn L3 §5.1. */
export async function create(options) {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON?.(options) ?? {
    ...options,
    challenge: decode(options.challenge),
    user: { ...options.user, id: decode(options.user.id) },
    excludeCredentials: descriptors(options.excludeCredentials),
  };
  return toJSON(await within(options, () => navigator.credentials.create({ publicKey })));
}

/** Signs a challenge with a passkey; `how` may carry `mediation` and `signal`. */
export async function get(options, how = {}) {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON?.(options) ?? {
    ...options,
    challenge: decode(options.challenge),
    allowCredentials: descriptors(options.allowCredentials),
  };
  return toJSON(await within(options, () => navigator.credentials.get({ ...how, publicKey })));
}

/**
 * Tells the browser that a passkey opens nothing, so that it forgets it for good. Only the server's own
 * mark of a passkey that was removed there says so; one that it does not know may be another server's.
 */
export async function forget(rpId, credential) {
  await PublicKeyCredential.signalUnknownCredential?.({ rpId, credentialId: credential.id }).catch(() => {});
}

/**
 * What to add to the words for an error after a passkey was `made`: it opens nothing. Where too many came
 * at once, the server has surely stored nothing, and the browser forgets the passkey. Any other answer may be
 * that to a request which came twice, whose first one stored it.
 */
export async function disown(error, made) {
  if (!made || !error.code) return "";
  if (error.code === "too_many_requests") await forget(made.rpId, made.credential);
  return ` ${text("passkey.useless")}`;
}

/** Goes on to a path of this origin, leaving no entry to come back to. */
export function go(path) {
  const to = new URL(path, location.href);
  // The path went through a page or an answer: never let it lead elsewhere, or into a script.
  if (to.origin !== location.origin) throw new Trouble(text("passkey.elsewhere"));
  location.replace(to);
}

/** The words for an error of a ceremony; `making` is true while a passkey is being made. */
export function words(error, making = false) {
  if (error instanceof Trouble) return error.message;
  if (error instanceof NotAllowed) return notAllowed(error, making);
  switch (error?.name) {
    case "InvalidStateError":
      return making ? text("passkey.exists") : text("passkey.not_ready");
    case "SecurityError":
      return text("passkey.wrong_host", { host: location.host });
    case "ConstraintError":
    case "NotSupportedError":
      return text("passkey.unfit_authenticator");
    case "AbortError":
      return text("passkey.interrupted");
    case "OperationError":
      return text("passkey.another_prompt");
    default:
      return text("passkey.browser_fault");
  }
}

function notAllowed({ atOnce, tooLate }, making) {
  if (atOnce) return making ? text("passkey.none_could_make") : text("passkey.none_responded");
  if (tooLate) return making ? text("passkey.too_late_making") : text("passkey.too_late");
  return making ? text("passkey.cancelled_making") : text("passkey.cancelled");
}

/** A name for a new passkey, such as "Chrome on Linux": the person meets it again in a list. */
export function deviceName() {
  const { brands = [], platform } = navigator.userAgentData ?? {};
  const agent = navigator.userAgent;
  const find = (table) => table.find(([pattern]) => pattern.test(agent))?.[1];

  // Chromium lists a made-up brand beside its own, so that nobody relies on the list's order.
  const brand = brands.map((b) => b.brand).filter((b) => !/not.*brand|^chromium$/i.test(b))[0];
  const browser = brand?.replace(/^(Google|Microsoft) /, "")
    ?? find([[/Firefox|FxiOS/, "Firefox"], [/Edg/, "Edge"], [/OPR/, "Opera"], [/Chrom|CriOS/, "Chrome"], [/Safari/, "Safari"]])
    ?? text("passkey.browser");
  const system = platform
    || find([[/iPhone/, "iPhone"], [/iPad/, "iPad"], [/Android/, "Android"], [/Mac/, "macOS"], [/Windows/, "Windows"], [/CrOS/, "ChromeOS"], [/Linux/, "Linux"]]);
  return (system ? text("passkey.device", { browser, system }) : browser).slice(0, 64);
}

// Some password managers answer with an object of their own, whose toJSON is missing or throws:
// then the members are written out here.
function toJSON(credential) {
  if (!credential) throw new Trouble(text("passkey.no_passkey"));
  try {
    return credential.toJSON();
  } catch {
    const { response } = credential;
    const parts = { clientDataJSON: encode(response.clientDataJSON) };
    for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (response[name]) parts[name] = encode(response[name]);
    }
    if (response.getTransports) parts.transports = response.getTransports();
    return {
      id: credential.id,
      rawId: encode(credential.rawId),
      type: credential.type,
      response: parts,
      authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
      clientExtensionResults: credential.getClientExtensionResults?.() ?? {},
    };
  }
}

const descriptors = (list = []) => list.map((item) => ({ ...item, id: decode(item.id) }));

function decode(encoded) {
  const binary = atob(encoded.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (c) => c.charCodeAt(0)).buffer;
}

function encode(buffer) {
  const binary = Array.from(new Uint8Array(buffer), (b) => String.fromCharCode(b)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
