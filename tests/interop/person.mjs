// A person at a browser, in software: a passkey, a session key, a cookie jar, and the clicks that
// pages ask for.
//
//   node person.mjs serve SETUP_URL
//
// enrols by a setup link, says where it listens in one line of JSON, and from then on answers
// POST /approve {"url", "headers"?, "fill"?} with {"location", "status"?, "text"?, "form"?}: where the
// browser of somebody who signs in and allows everything was sent in the end, and what it says there if
// that is where it began. A page of an application with one button, if they meet it first, has it
// pressed. They type what `fill` has for the name of a field. POST /open goes wherever redirects lead
// and touches nothing.

import { createHash, generateKeyPairSync, randomBytes, sign } from "node:crypto";
import { once } from "node:events";
import { createServer, request } from "node:http";
import { request as secureRequest } from "node:https";

/** CBOR (RFC 8949) as far as an attestation needs it: integers, bytes, text and maps. */
function cbor(value) {
  const head = (major, n) =>
    n < 24 ? [(major << 5) | n] : n < 256 ? [(major << 5) | 24, n] : [(major << 5) | 25, n >> 8, n & 255];
  if (typeof value === "number") return Buffer.from(value < 0 ? head(1, -1 - value) : head(0, value));
  if (typeof value === "string") return Buffer.concat([Buffer.from(head(3, Buffer.byteLength(value))), Buffer.from(value)]);
  if (Buffer.isBuffer(value)) return Buffer.concat([Buffer.from(head(2, value.length)), value]);
  const entries = [...value].flatMap(([key, member]) => [cbor(key), cbor(member)]);
  return Buffer.concat([Buffer.from(head(5, value.size)), ...entries]);
}

const sha256 = (data) => createHash("sha256").update(data).digest();
const unescape = (text) =>
  text.replace(/&(?:#x([0-9a-f]+)|#(\d+)|(amp|lt|gt|quot|apos));/gi, (_, hex, decimal, name) =>
    name ? { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" }[name] : String.fromCodePoint(hex ? parseInt(hex, 16) : decimal));

/** A platform authenticator that holds one synchronised passkey: WebAuthn Level 3 §6. */
class Passkey {
  #id = randomBytes(32);
  #keys = generateKeyPairSync("ec", { namedCurve: "P-256" });
  #user = "";

  // Flags of §6.1: user present and verified, eligible for backup and backed up; 0x40 adds the key.
  #authenticatorData(rpId, flags, attested = Buffer.alloc(0)) {
    return Buffer.concat([sha256(rpId), Buffer.from([0x1d | flags]), Buffer.alloc(4), attested]);
  }

  #credential(type, origin, challenge, response) {
    const clientData = Buffer.from(JSON.stringify({ type, challenge, origin, crossOrigin: false }));
    const id = this.#id.toString("base64url");
    const encoded = Object.entries({ clientDataJSON: clientData, ...response(clientData) })
      .map(([name, bytes]) => [name, bytes.toString("base64url")]);
    return {
      id, rawId: id, type: "public-key", authenticatorAttachment: "platform", clientExtensionResults: {},
      response: Object.fromEntries(encoded),
    };
  }

  create(origin, { rp, user, challenge }) {
    this.#user = user.id;
    const { x, y } = this.#keys.publicKey.export({ format: "jwk" });
    const point = [x, y].map((half) => Buffer.from(half, "base64url"));
    const key = cbor(new Map([[1, 2], [3, -7], [-1, 1], [-2, point[0]], [-3, point[1]]]));
    const attested = Buffer.concat([Buffer.alloc(16), Buffer.from([0, this.#id.length]), this.#id, key]);
    const authData = this.#authenticatorData(rp.id, 0x40, attested);
    const attestation = new Map([["fmt", "none"], ["attStmt", new Map()], ["authData", authData]]);
    return this.#credential("webauthn.create", origin, challenge, () => ({ attestationObject: cbor(attestation) }));
  }

  get(origin, { rpId, challenge }) {
    return this.#credential("webauthn.get", origin, challenge, (clientData) => {
      const authenticatorData = this.#authenticatorData(rpId, 0);
      const signature = sign("sha256", Buffer.concat([authenticatorData, sha256(clientData)]), this.#keys.privateKey);
      return { authenticatorData, signature, userHandle: Buffer.from(this.#user, "base64url") };
    });
  }
}

/** The key of a session, and the proofs that the script of a page makes with it. */
class SessionKey {
  #keys = generateKeyPairSync("ec", { namedCurve: "P-256" });

  proof(challenge, method, url, body) {
    const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const input = [
      part({ typ: "session-proof+jwt", alg: "ES256" }),
      part({
        digest: sha256(body).toString("base64url"), htm: method, htu: url.pathname + url.search,
        jti: randomBytes(16).toString("base64url"), jwk: this.#keys.publicKey.export({ format: "jwk" }), nonce: challenge,
      }),
    ].join(".");
    const signature = sign("sha256", Buffer.from(input), { key: this.#keys.privateKey, dsaEncoding: "ieee-p1363" });
    return `${input}.${signature.toString("base64url")}`;
  }
}

/** What of a page a browser would act upon. */
class Page {
  constructor(url, status, html) {
    Object.assign(this, { url, status, html });
    const found = (pattern) => unescape(html.match(pattern)?.[1] ?? "");
    this.csrf = found(/<meta name="csrf" content="([^"]*)"/);
    this.next = found(/data-next="([^"]*)"/);
    this.refresh = found(/<meta http-equiv="refresh" content="\d+;\s*url=([^"]*)"/i);
    this.heading = found(/<h1[^>]*>(.*?)<\/h1>/s).replace(/<[^>]*>/g, "").trim();
  }

  /** The form with the button that allows, else the only one: where it goes, and what it says. */
  form() {
    const attribute = (tag, name) => unescape(tag.match(new RegExp(`\\s${name}="([^"]*)"`))?.[1] ?? "");
    const forms = [...this.html.matchAll(/(<form[^>]*>)(.*?)<\/form>/gs)].map(([, tag, inside]) => {
      const inputs = [...inside.matchAll(/<input[^>]*>/g)].map(([input]) => input);
      const buttons = [...inside.matchAll(/<button[^>]*>/g)].map(([button]) => button);
      const button = buttons.find((button) => attribute(button, "value") === "allow");
      const pressed = [...inputs, ...(button ? [button] : [])].filter((part) => attribute(part, "name"));
      const fields = pressed.map((part) => [attribute(part, "name"), attribute(part, "value")]);
      return { action: new URL(attribute(tag, "action"), this.url), fields, allows: Boolean(button) };
    });
    return forms.find((form) => form.allows) ?? (forms.length === 1 ? forms[0] : undefined);
  }
}

/**
 * One request. All that this person visits is on this machine, whatever its name (RFC 6761 §6.3); whose
 * certificates they trust is in NODE_EXTRA_CA_CERTS.
 */
async function send(url, method, headers, body) {
  const where = { host: "127.0.0.1", port: url.port, path: url.pathname + url.search };
  const ask = url.protocol === "https:" ? secureRequest : request;
  const named = { servername: url.hostname, method, headers: { ...headers, host: url.host } };
  const sent = ask({ ...where, ...named }).end(body);
  const [answer] = await once(sent, "response");
  const told = Object.entries(answer.headersDistinct).flatMap(([name, all]) => all.map((value) => [name, value]));
  return new Response(Buffer.concat(await answer.toArray()), { status: answer.statusCode, headers: told });
}

/** Somebody with a passkey and a browser. */
export class Person {
  // By host, path and name. They know no ports (RFC 6265 §8.5).
  #cookies = new Map();
  #passkey = new Passkey();
  #session;
  #storage = `gl_bs_${randomBytes(32).toString("base64url")}`;

  constructor(issuer) {
    this.origin = new URL(issuer).origin;
  }

  /** One request: that of a script, with its proofs, where it goes to a page of the issuer's. */
  async #send(address, method = "GET", headers = {}, body = undefined) {
    const url = new URL(address, this.origin);
    if (url.origin !== this.origin || !url.pathname.startsWith("/gate/")) return this.#sendAsIs(url, method, headers, body);
    const page = await this.#sendAsIs(new URL("/gate/login", this.origin));
    const challenge = page.headers.get("gatelodge-challenge");
    // Where the session is a cookie there is none.
    if (!challenge) return this.#sendAsIs(url, method, headers, body);
    const opened = url.pathname.endsWith("/finish") ? new SessionKey() : undefined;
    const proof = (key) => key.proof(challenge, method, url, body ?? "");
    const answer = await this.#sendAsIs(url, method, {
      ...headers,
      "gatelodge-storage": this.#storage,
      ...(this.#session && { "gatelodge-proof": proof(this.#session) }),
      ...(opened && { "gatelodge-new-key-proof": proof(opened) }),
    }, body);
    if (opened && answer.ok) this.#session = opened;
    return answer;
  }

  async #sendAsIs(url, method = "GET", headers = {}, body = undefined) {
    const sent = [...this.#cookies.values()].filter(
      ({ host, path }) => host === url.hostname && url.pathname.startsWith(path),
    );
    const cookie = sent.map(({ name, value }) => `${name}=${value}`).join("; ");
    const answer = await send(url, method, { accept: "text/html", ...(cookie && { cookie }), ...headers }, body);
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = line.match(/^([^=]*)=([^;]*)/);
      const path = line.match(/;\s*path=([^;]*)/i)?.[1] ?? "/";
      const key = JSON.stringify([url.hostname, path, name]);
      if (/;\s*max-age=0\s*(;|$)/i.test(line)) this.#cookies.delete(key);
      else this.#cookies.set(key, { host: url.hostname, path, name, value });
    }
    return answer;
  }

  /** Follows redirects: to a page of the issuer's or of `site`, or to an address that is neither's. */
  async #arrive(url, answer, site) {
    for (let hops = 0; hops < 20; hops++) {
      // A script is told where a redirect goes.
      if (!answer.headers.get("location")) return new Page(url, answer.status, await answer.text());
      url = new URL(answer.headers.get("location"), url);
      if (url.origin !== this.origin && url.origin !== site) return url;
      answer = await this.#send(url);
    }
    throw new Error(`redirected without end, last to ${url.pathname}`);
  }

  async #open(address, site, headers) {
    const url = new URL(address, this.origin);
    return this.#arrive(url, await this.#send(url, "GET", headers), site);
  }

  async #call(page, path, body) {
    const headers = { "content-type": "application/json", "sec-fetch-site": "same-origin", "x-csrf-token": page.csrf };
    const answer = await this.#send(path, "POST", headers, JSON.stringify(body));
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  }

  /** Makes the passkey, by a setup link. */
  async enrol(setupUrl, username, displayName) {
    const token = new URL(setupUrl).hash.slice(1);
    const page = await this.#open("/setup");
    await this.#call(page, "/gate/setup", { token });
    const start = { token, username, display_name: displayName };
    const { ceremony, publicKey } = await this.#call(page, "/gate/webauthn/register/start", start);
    const credential = this.#passkey.create(this.origin, publicKey);
    const finish = { ceremony, token, credential, passkey_name: "Software" };
    await this.#call(page, "/gate/webauthn/register/finish", finish);
  }

  async #signIn(page) {
    const { ceremony, publicKey } = await this.#call(page, "/gate/webauthn/authenticate/start", {});
    const credential = this.#passkey.get(this.origin, publicKey);
    await this.#call(page, "/gate/webauthn/authenticate/finish", { ceremony, credential });
  }

  async #submit({ action, fields }, site, fill = {}) {
    const headers = { "content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin" };
    const body = new URLSearchParams(fields.map(([name, value]) => [name, fill[name] ?? value])).toString();
    return this.#arrive(action, await this.#send(action, "POST", headers, body), site);
  }

  /** Opens an address and touches nothing; says where that led. */
  async open({ url, headers }) {
    const at = await this.#open(url, new URL(url).origin, headers);
    return at instanceof URL ? { location: at.href } : told(at);
  }

  /** Opens an address, signs in and allows what is asked, and says where that led in the end. */
  async approve({ url, headers, fill = {} }) {
    const site = new URL(url).origin;
    let at = await this.#open(url, site, headers);
    for (let clicks = 0; clicks < 8; clicks++) {
      if (at instanceof URL) return { location: at.href };
      if (at.url.origin !== this.origin) {
        // An application may ask whether to sign in, and wants the answer by POST.
        const asked = clicks === 0 && at.form();
        if (!asked || asked.action.origin !== site) return told(at);
        at = await this.#submit(asked, site);
        continue;
      }
      if (at.status !== 200) throw new Error(`a page answered ${at.status}: ${at.heading}`);
      const onward = at.refresh && new URL(at.refresh, at.url);
      const form = at.form();
      if (onward) {
        at = [this.origin, site].includes(onward.origin) ? await this.#open(onward, site) : onward;
      } else if (at.next) {
        await this.#signIn(at);
        at = await this.#open(at.next, site);
      } else if (form && form.action.origin !== this.origin) {
        return { location: form.action.href, form: Object.fromEntries(form.fields) };
      } else if (form?.allows || form?.fields.some(([name]) => name === "user_code")) {
        at = await this.#submit(form, site, fill);
      } else {
        return told(at);
      }
    }
    throw new Error(`the pages never end; the last one says: ${at.heading}`);
  }
}

const told = ({ url, status, heading, html }) => ({ location: url.href, status, heading, text: html });

async function serve(setupUrl) {
  const person = new Person(setupUrl);
  await person.enrol(setupUrl, "ada", "Ada Lovelace");
  const server = createServer(async (request, response) => {
    const answer = (status, body) =>
      response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
    try {
      const deeds = { "/approve": (told) => person.approve(told), "/open": (told) => person.open(told) };
      const deed = request.method === "POST" && deeds[request.url];
      if (!deed) return answer(404, { error: "only POST /approve and /open" });
      let body = "";
      for await (const part of request) body += part;
      answer(200, await deed(JSON.parse(body)));
    } catch (error) {
      answer(500, { error: String(error?.message ?? error) });
    }
  });
  server.listen(0, "127.0.0.1", () => {
    console.log(JSON.stringify({ ready: true, url: `http://127.0.0.1:${server.address().port}` }));
  });
}

if (process.argv[2] === "serve") await serve(process.argv[3]);
