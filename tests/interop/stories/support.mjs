// What stories in Node share: the server, a person, clients, and how a story is told.

import { execFile } from "node:child_process";
import { promisify } from "node:util";

const { CLIENT_DOCUMENT, GATELODGE, GATELODGE_DATA, GATELODGE_ISSUER, PERSON } = process.env;

export const issuer = GATELODGE_ISSUER;
/** The `client_id` of a client that has a metadata document. */
export const clientDocument = CLIENT_DOCUMENT;
export const callback = "http://127.0.0.1/callback";

/** Tells one story: a line if it holds, else what went wrong and all that caused it. */
export async function story(name, tell) {
  try {
    await tell();
    console.log(`ok ${name}`);
  } catch (error) {
    process.exitCode = 1;
    console.log(`not ok ${name}`);
    console.error(`${name}:`, error);
  }
}

/** What the command line answers to `words`. */
export async function gatelodge(...words) {
  const { stdout } = await promisify(execFile)(GATELODGE, [...words, "--json", "--data", GATELODGE_DATA]);
  return JSON.parse(stdout);
}

/** A new client, as an operator registers one. */
export const register = (name, ...flags) => gatelodge("client", "add", name, ...flags);

/** A new client of an application that the catalogue knows, and that is reached on loopback. */
export const fromCatalogue = (app) => gatelodge("client", "add", "--app", app, "--url", "http://127.0.0.1");

/** What a JWT says, unverified. */
export const said = (jwt) => JSON.parse(Buffer.from(jwt.split(".")[1], "base64url"));

/** Has the person open `url`, sign in and allow everything; says where that led. */
export async function visit(url) {
  const answer = await fetch(new URL("/approve", PERSON), { method: "POST", body: JSON.stringify({ url }) });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.error);
  return body;
}

/** As [visit], where the answer is an address. */
export const approve = async (url) => new URL((await visit(url)).location);
