// mcp-remote, the bridge by which clients that only speak to programs of their own machine reach a
// server elsewhere. It asks the person through $BROWSER, and keeps what it got in the home directory.

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport } from "@modelcontextprotocol/sdk/client/stdio.js";
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { whoami } from "./mcp.mjs";
import { resource } from "./resource.mjs";
import { clientDocument, gatelodge, register, story } from "./support.mjs";

const bridge = fileURLToPath(new URL("../node_modules/mcp-remote/dist/proxy.js", import.meta.url));

/** Who the server at `url` thinks asks, by way of a bridge in this environment. */
async function asked(url, environment, ...flags) {
  const env = { ...process.env, ...environment };
  const transport = new StdioClientTransport({ command: process.execPath, args: [bridge, url.href, ...flags], env });
  const client = new Client({ name: "interop", version: "1.0.0" });
  await client.connect(transport);
  try {
    return await whoami(client);
  } finally {
    await client.close();
  }
}

/** Tells a story in which the bridge has a home where nobody was before. */
const atHome = (name, tell) => story(name, async () => {
  const HOME = await mkdtemp(join(tmpdir(), "mcp-remote-"));
  try {
    await tell({ HOME });
  } finally {
    await rm(HOME, { recursive: true });
  }
});

const sub = async () => (await gatelodge("user", "show", "ada")).id;

await atHome("a bridge that nobody knows registers itself, calls a tool, and then asks nobody", async (home) => {
  const url = await resource();

  const first = await asked(url, home);
  const second = await asked(url, { ...home, BROWSER: "/bin/false" });

  assert.equal(first.sub, await sub());
  assert.equal((await gatelodge("client", "show", first.client)).origin, "dynamic");
  assert.deepEqual(second, first);
});

await atHome("a bridge that is named by its document calls a tool", async (home) => {
  const flags = ["--client-metadata-url", clientDocument, "--callback-path", "/callback"];

  const { client, sub: who } = await asked(await resource(), home, ...flags);

  assert.deepEqual([client, who], [clientDocument, await sub()]);
});

await atHome("a bridge that was registered beforehand calls a tool", async (home) => {
  const { client_id } = await register("bridge", "--public", "--redirect", "http://localhost/oauth/callback");
  const flags = ["--static-oauth-client-info", JSON.stringify({ client_id })];

  const { client, sub: who } = await asked(await resource(), home, ...flags);

  assert.deepEqual([client, who], [client_id, await sub()]);
});
