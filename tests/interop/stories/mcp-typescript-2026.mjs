// The MCP SDK for TypeScript of the revision of 2026-07-28, client and server: from a 401 to a tool
// call, with `iss` told to the client and checked by it (RFC 9207).

import { Client, StreamableHTTPClientTransport, UnauthorizedError, auth } from "@modelcontextprotocol/client";
import assert from "node:assert/strict";
import { Keeper, connect, whoami } from "./mcp.mjs";
import { resource } from "./resource-2026.mjs";
import { clientDocument, issuer, register, said, story } from "./support.mjs";

const REVISION = "2026-07-28";

const sdk = {
  client: () => new Client({ name: "interop", version: "2.0.0" }, { versionNegotiation: { mode: { pin: REVISION } } }),
  transport: (url, authProvider) => new StreamableHTTPClientTransport(url, { authProvider }),
  finish: (transport, answer) => transport.finishAuth(answer),
};

async function registered() {
  const keeper = new Keeper();
  const scopes = ["--scope", "orders:read", "--scope", "offline_access"];
  const { client_id } = await register("editor", "--public", "--redirect", keeper.redirectUrl, ...scopes);
  return Object.assign(keeper, { client: { client_id } });
}

for (const [how, stranger, named] of [
  ["an operator registered", registered, /^[^:]+$/],
  ["registers itself", () => new Keeper(), /^[^:]+$/],
  ["is named by its document", () => new Keeper(clientDocument), /^https:/],
]) {
  await story(`a client that ${how}: tool call, refresh, restart`, async () => {
    const url = await resource();
    const keeper = await stranger();

    const first = await connect(url, keeper, sdk);
    const client = (await whoami(first)).client;
    const before = keeper.kept;
    assert.equal(await auth(keeper, { serverUrl: url }), "AUTHORIZED");
    const second = await connect(url, keeper.restarted(), sdk);

    assert.equal(first.getNegotiatedProtocolVersion(), REVISION);
    assert.match(client, named);
    assert.notEqual(keeper.kept.access_token, before.access_token);
    assert.deepEqual([before, keeper.kept].map((tokens) => said(tokens.access_token).aud), [url.href, url.href]);
    assert.equal(keeper.answer.get("iss"), issuer);
    assert.equal((await whoami(second)).client, client);
    await Promise.all([first.close(), second.close()]);
  });
}

await story("an answer of another issuer is refused by the client", async () => {
  const url = await resource();
  const keeper = new Keeper(clientDocument);
  const mixedUp = {
    ...sdk,
    finish: (transport, answer) => transport.finishAuth(answer.get("code"), "https://other.example"),
  };

  await assert.rejects(connect(url, keeper, mixedUp), { name: "IssuerMismatchError" });
});

await story("a tool that wants more scope gets it", async () => {
  const url = await resource();
  const keeper = new Keeper(clientDocument);
  const client = await connect(url, keeper, sdk);
  const granted = () => said(keeper.kept.access_token).scope.split(" ");
  assert.ok(!granted().includes("orders:write"));

  const order = (client) => client.callTool({ name: "order", arguments: {} });
  await assert.rejects(order(client), UnauthorizedError);
  await client.transport.finishAuth(await keeper.ask());
  const { content } = await order(client);

  assert.equal(JSON.parse(content[0].text).client, clientDocument);
  assert.ok(["orders:read", "orders:write"].every((scope) => granted().includes(scope)), granted().join());
  await client.close();
});

await story("a server at the root of its origin", async () => {
  const client = await connect(await resource("/"), await registered(), sdk);

  assert.ok((await whoami(client)).sub);
  await client.close();
});
