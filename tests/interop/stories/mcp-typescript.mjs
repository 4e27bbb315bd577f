// The MCP SDK for TypeScript as it was for the revision of 2025-11-25, client and server: from a 401
// to a tool call.

import { auth } from "@modelcontextprotocol/sdk/client/auth.js";
import assert from "node:assert/strict";
import { Keeper, connect, whoami } from "./mcp.mjs";
import { resource } from "./resource.mjs";
import { clientDocument, register, said, story } from "./support.mjs";

/** A public client on loopback, known to the issuer beforehand. */
async function registered() {
  const keeper = new Keeper();
  const scopes = ["--scope", "orders:read", "--scope", "offline_access"];
  const client = await register("editor", "--public", "--redirect", keeper.redirectUrl, ...scopes);
  keeper.client = { client_id: client.client_id };
  return keeper;
}

for (const [how, stranger, named] of [
  ["registers itself", () => new Keeper(), /^[^:]+$/],
  ["is named by its document", () => new Keeper(clientDocument), /^https:/],
]) {
  await story(`a client that nobody knows ${how}: tool call, refresh, restart`, async () => {
    const url = await resource();
    const keeper = stranger();

    const first = await connect(url, keeper);
    const client = (await whoami(first)).client;
    const before = keeper.kept;
    assert.equal(await auth(keeper, { serverUrl: url }), "AUTHORIZED");
    const second = await connect(url, keeper.restarted());

    assert.match(client, named);
    assert.equal(client, keeper.client.client_id);
    assert.notEqual(keeper.kept.access_token, before.access_token);
    assert.deepEqual([before, keeper.kept].map((tokens) => said(tokens.access_token).aud), [url.href, url.href]);
    assert.equal((await whoami(second)).client, client);
    await Promise.all([first.close(), second.close()]);
  });
}

await story("sign-in for one server, and a tool call", async () => {
  const url = await resource();
  const keeper = await registered();

  const client = await connect(url, keeper);

  assert.equal((await whoami(client)).client, keeper.client.client_id);
  assert.equal(keeper.asked.searchParams.get("resource"), url.href);
  await client.close();
});

await story("a refreshed token is good for the same server", async () => {
  const url = await resource();
  const keeper = await registered();
  await (await connect(url, keeper)).close();
  const first = keeper.kept;

  assert.equal(await auth(keeper, { serverUrl: url }), "AUTHORIZED");

  assert.notEqual(keeper.kept.access_token, first.access_token);
  const client = await connect(url, keeper);
  assert.equal((await whoami(client)).client, keeper.client.client_id);
  await client.close();
});

await story("a token for one server is refused by another", async () => {
  const [url, other] = [await resource(), await resource()];
  const keeper = await registered();
  await (await connect(url, keeper)).close();

  const answer = await fetch(other, {
    method: "POST",
    headers: { authorization: `Bearer ${keeper.kept.access_token}`, "content-type": "application/json" },
    body: "{}",
  });

  assert.equal(answer.status, 401);
});

await story("a server at the root of its origin", async () => {
  const client = await connect(await resource("/"), await registered());

  assert.ok((await whoami(client)).sub);
  await client.close();
});
