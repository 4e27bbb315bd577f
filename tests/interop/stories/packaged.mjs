// A client of the MCP SDK against the package for npm: from the metadata of an MCP server to a token for
// it, with nobody who signs in. `packages.py` runs it.

import { auth } from "@modelcontextprotocol/sdk/client/auth.js";
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";

const { startGatelodge } = await import(process.env.PACKAGE);
const server = await startGatelodge({ autoApprove: "ada", seed: 7 });

const http = createServer((request, response) => {
  const found = request.url === "/.well-known/oauth-protected-resource/mcp";
  response.writeHead(found ? 200 : 404, { "content-type": "application/json" });
  const scopes_supported = ["openid", "offline_access"];
  const described = { resource: url.href, authorization_servers: [server.issuer], scopes_supported };
  response.end(JSON.stringify(found ? described : {}));
}).listen(0, "127.0.0.1");
await once(http, "listening");
const url = new URL(`http://localhost:${http.address().port}/mcp`);
await server.call("POST", "/api/v1/resources", { resource: url.href, scope: "openid offline_access" });

/** What the SDK has a client keep. */
const client = {
  redirectUrl: "http://127.0.0.1:1/callback",
  get clientMetadata() {
    return {
      client_name: "Editor",
      grant_types: ["authorization_code", "refresh_token"],
      redirect_uris: [this.redirectUrl],
      token_endpoint_auth_method: "none",
    };
  },
  clientInformation: () => client.own,
  saveClientInformation: (own) => (client.own = own),
  tokens: () => client.kept,
  saveTokens: (kept) => (client.kept = kept),
  codeVerifier: () => client.verifier,
  saveCodeVerifier: (verifier) => (client.verifier = verifier),
  redirectToAuthorization: (asked) => (client.asked = asked),
};

assert.equal(await auth(client, { serverUrl: url }), "REDIRECT");
const answer = await fetch(client.asked, { redirect: "manual" });
const code = new URL(answer.headers.get("location")).searchParams.get("code");
assert.ok(code, `${answer.status} ${answer.headers.get("location")}`);
assert.equal(await auth(client, { serverUrl: url, authorizationCode: code }), "AUTHORIZED");
const claims = JSON.parse(Buffer.from(client.kept.access_token.split(".")[1], "base64url"));
assert.ok([claims.aud].flat().includes(url.href), `${claims.aud}`);

// A token endpoint that is down, where this client asks the person again, and one that is back.
await server.fault({ path: "/oauth/token", status: 503, times: 1 });
assert.equal(await auth(client, { serverUrl: url }), "REDIRECT");
assert.equal(await auth(client, { serverUrl: url }), "AUTHORIZED");

http.close();
await server.stop();
