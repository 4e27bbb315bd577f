// Starts `gatelodge dev` and speaks with its control API.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("bin/gatelodge", import.meta.url));

// The options that are a flag of the command each.
const FLAGS = {
  apply: "--apply",
  autoApprove: "--auto-approve",
  clock: "--clock",
  config: "--config",
  port: "--port",
  seed: "--seed",
};

export class GatelodgeError extends Error {
  constructor(message, { status, body } = {}) {
    super(message);
    this.name = "GatelodgeError";
    this.status = status;
    this.body = body;
  }
}

function argumentsOf(options) {
  const args = ["dev", "--with-parent"];
  for (const [name, value] of Object.entries(options)) {
    if (name === "openClients") {
      if (value) args.push("--open-clients");
    } else if (name in FLAGS) {
      if (value !== undefined && value !== null) args.push(`${FLAGS[name]}=${value}`);
    } else if (name !== "program") {
      throw new GatelodgeError(`startGatelodge knows no option ${name}`);
    }
  }
  return args;
}

/** Starts a server, and gives it once it is ready. It ends with `stop`, or with this process. */
export async function startGatelodge(options = {}) {
  const program = options.program ?? PROGRAM;
  const process = spawn(program, argumentsOf(options), { stdio: ["pipe", "pipe", "pipe"] });
  const said = [];
  process.stderr.setEncoding("utf8").on("data", (text) => said.push(text));
  // Whoever started the server hears of its end elsewhere.
  process.stdin.on("error", () => {});
  const lines = createInterface(process.stdout);
  const ended = new AbortController();
  const failed = new Promise((_, reject) => {
    process.once("error", (error) => reject(new GatelodgeError(`${program}: ${error.message}`)));
    process.once("close", (code) => {
      reject(new GatelodgeError(`${program} ended with ${code}: ${said.join("").trim()}`));
    });
  });
  failed.catch(() => {});
  try {
    const [line] = await Promise.race([once(lines, "line", { signal: ended.signal }), failed]);
    // Nothing else is said there, and a server that nobody reads would wait.
    process.stdout.resume();
    // A program that forgets the server ends nevertheless, and the server with it.
    for (const part of [process, process.stdin, process.stdout, process.stderr]) part.unref();
    return new Gatelodge(process, JSON.parse(line), said);
  } finally {
    ended.abort();
  }
}

/** A server that runs. */
class Gatelodge {
  #process;
  #said;

  constructor(process, ready, said) {
    this.#process = process;
    this.#said = said;
    this.ready = ready;
    this.issuer = ready.issuer;
    this.control = ready.control;
    this.token = ready.token;
  }

  /** What it logged. */
  get log() {
    return this.#said.join("");
  }

  /** Calls the control API, at a path below `control`. */
  async call(method, path, body) {
    const response = await fetch(`${this.control}${path}`, {
      method,
      headers: { authorization: `Bearer ${this.token}`, "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    const answer = text === "" ? undefined : JSON.parse(text);
    if (!response.ok) {
      const why = answer?.error_description ?? text;
      const about = { status: response.status, body: answer };
      throw new GatelodgeError(`${method} ${path}: ${response.status} ${why}`, about);
    }
    return answer;
  }

  /** Moves the clock on, by a time such as `90s` or `1h`. */
  advance(time) {
    return this.call("POST", "/clock", { advance: time });
  }

  /** Sets the clock, to a time as RFC 3339 writes it or a `Date`. */
  setClock(time) {
    return this.call("POST", "/clock", { set: time instanceof Date ? time.toISOString() : time });
  }

  /** Who approves from now on; `null`: the pages are displayed. */
  approveAs(user) {
    return this.call("PUT", "/approval", { user });
  }

  /** Makes the next requests to a path fail, be late or hang. */
  fault(fault) {
    return this.call("POST", "/faults", fault);
  }

  /** Lets go what hangs, and forgets every fault. */
  clearFaults() {
    return this.call("DELETE", "/faults");
  }

  /** Expires a code, a device code, a grant or a session. */
  expire(what) {
    return this.call("POST", "/expire", what);
  }

  /** Revokes a code, a device code, a token, a grant or a session. */
  revoke(what) {
    return this.call("POST", "/revoke", what);
  }

  /** The requests that were received. */
  async requests() {
    return (await this.call("GET", "/requests")).items;
  }

  /** The first state again. */
  reset() {
    return this.call("POST", "/reset");
  }

  /** Ends the server. */
  async stop() {
    const process = this.#process;
    if (process.exitCode !== null || process.signalCode !== null) return;
    process.ref();
    const end = once(process, "close");
    process.stdin.end();
    await end;
  }

  async [Symbol.asyncDispose ?? Symbol.for("Symbol.asyncDispose")]() {
    await this.stop();
  }
}
