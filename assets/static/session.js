// What a page sends, and the session that it sends it with.
//
// Where the server gave the page a challenge, the session is a key pair in this origin's storage,
// which no program on another port can read, and whose secret half not even this script can: each
// request carries a proof, signed over the challenge, the method, the path and the body. Elsewhere
// the session is a cookie, and a request goes out as it is.

const given = document.querySelector('meta[name="challenge"]');

let challenge = given && { value: given.content, at: Date.now() };
let storage = null; // the secret of this storage, or one for this page alone where nothing is stored

/** Nothing can be stored here, so that no session could last. */
export class NoStorage extends Error {}

const ALGORITHM = { name: "ECDSA", namedCurve: "P-256" };
/** A challenge is good for a minute. One that is older than this is replaced before it is signed. */
const FRESH = 45_000;

/**
 * Sends a request to this origin. `opens` makes the key of the session that the request opens, and
 * stores it if that succeeds. A request that ends in a redirect is answered with 200 and a Location.
 */
export async function ask(path, { method = "GET", headers = {}, body, opens = false } = {}) {
  if (!challenge) return fetch(path, { method, headers, body });
  const url = new URL(path, location.href);
  const target = url.pathname + url.search;
  const pair = opens && await newPair();
  for (let again = true; ; again = false) {
    if (Date.now() - challenge.at > FRESH) note(await fetch(location.href, { method: "HEAD" }));
    const { secret, session } = await stored();
    const sent = { ...headers, "gatelodge-storage": secret };
    if (session) sent["gatelodge-proof"] = await proof(session, method, target, body);
    if (pair) sent["gatelodge-new-key-proof"] = await proof(pair, method, target, body);
    const answer = note(await fetch(target, { method, headers: sent, body }));
    // Another server process does not take the challenge of the one before.
    if (again && answer.headers.get("www-authenticate") === "Gatelodge-Proof") continue;
    if (pair && answer.ok) await transaction((rows) => rows.put(pair, "key"));
    return answer;
  }
}

function note(answer) {
  const value = answer.headers.get("gatelodge-challenge");
  if (value) challenge = { value, at: Date.now() };
  return answer;
}

/** A proof, in the form of a JWS (RFC 7515 §7.1). */
async function proof({ privateKey, publicKey }, method, target, body = "") {
  const { crv, kty, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
  const part = (value) => encode(bytes(JSON.stringify(value)));
  const input = [
    part({ typ: "session-proof+jwt", alg: "ES256" }),
    part({
      digest: encode(await crypto.subtle.digest("SHA-256", bytes(body))),
      htm: method,
      htu: target,
      jti: random(16),
      jwk: { crv, kty, x, y },
      nonce: challenge.value,
    }),
  ].join(".");
  const signature = await crypto.subtle.sign({ name: "ECDSA", hash: "SHA-256" }, privateKey, bytes(input));
  return `${input}.${encode(signature)}`;
}

/** The secret of this storage, which is made here once, and the key pair of the session. */
async function stored() {
  storage ??= `gl_bs_${random(32)}`;
  let session = null;
  try {
    await transaction((rows) => {
      const secret = rows.get("secret");
      secret.onsuccess = () => {
        if (secret.result) storage = secret.result;
        else rows.put(storage, "secret");
      };
      const pair = rows.get("key");
      pair.onsuccess = () => { session = pair.result ?? null; };
    });
  } catch {
    // A frame of another site may be kept from any storage: nobody is signed in there.
  }
  return { secret: storage, session };
}

/** Makes a key pair. It is stored once already, so that a browser that cannot do so opens no session. */
async function newPair() {
  const pair = await crypto.subtle.generateKey(ALGORITHM, false, ["sign"]);
  try {
    await transaction((rows) => rows.put(pair, "new key"));
  } catch {
    throw new NoStorage();
  }
  return pair;
}

async function transaction(work) {
  const database = await new Promise((resolve, reject) => {
    const request = indexedDB.open("gatelodge", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("session");
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  try {
    await new Promise((resolve, reject) => {
      const running = database.transaction("session", "readwrite");
      running.oncomplete = resolve;
      running.onabort = () => reject(running.error);
      work(running.objectStore("session"));
    });
  } finally {
    database.close();
  }
}

const bytes = (text) => new TextEncoder().encode(text);
const random = (length) => encode(crypto.getRandomValues(new Uint8Array(length)));

function encode(buffer) {
  const binary = Array.from(new Uint8Array(buffer), (b) => String.fromCharCode(b)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
