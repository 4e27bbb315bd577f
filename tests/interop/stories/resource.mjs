// An MCP server by the SDK's own hand: its metadata, its 401, and one tool that says who asks.

import { mcpAuthMetadataRouter } from "@modelcontextprotocol/sdk/server/auth/router.js";
import { requireBearerAuth } from "@modelcontextprotocol/sdk/server/auth/middleware/bearerAuth.js";
import { InvalidTokenError } from "@modelcontextprotocol/sdk/server/auth/errors.js";
import { McpServer } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import express from "express";
import { once } from "node:events";
import * as oauth from "oauth4webapi";
import { issuer } from "./support.mjs";

// Loopback speaks plain HTTP.
const plain = { [oauth.allowInsecureRequests]: true };

/** Accepts what the issuer signed for `resource` and nothing else (RFC 9068 §4). */
function verifier(as, resource, invalid) {
  return {
    async verifyAccessToken(token) {
      const request = new Request(resource, { headers: { authorization: `Bearer ${token}` } });
      const claims = await oauth.validateJwtAccessToken(as, request, resource, plain).catch((cause) => {
        throw invalid(cause.message);
      });
      const scopes = (claims.scope ?? "").split(" ");
      return { token, scopes, clientId: claims.client_id, expiresAt: claims.exp, extra: { sub: claims.sub } };
    },
  };
}

/** What a tool answers that says who asks. */
export const whoAsks = ({ clientId, extra }) => ({
  content: [{ type: "text", text: JSON.stringify({ client: clientId, ...extra }) }],
});

/** A port for a server at `path` that is yet to be made, which says by `invalid` that a token is none. */
export async function place(path, invalid) {
  const discovered = await oauth.discoveryRequest(new URL(issuer), { algorithm: "oauth2", ...plain });
  const as = await oauth.processDiscoveryResponse(new URL(issuer), discovered);
  const app = express();
  const http = app.listen(0, "127.0.0.1");
  await once(http, "listening");
  // A request after the client went away must not keep this process.
  http.unref();
  const url = new URL(`http://localhost:${http.address().port}${path}`);
  const resourceMetadataUrl = new URL(`/.well-known/oauth-protected-resource${path}`, url).href;
  const described = { oauthMetadata: as, resourceServerUrl: url, scopesSupported: ["orders:read"] };
  return { app, url, described, bearer: { verifier: verifier(as, url.href, invalid), resourceMetadataUrl } };
}

function whoami() {
  const server = new McpServer({ name: "interop", version: "1.0.0" });
  server.registerTool("whoami", { description: "Says who asks." }, ({ authInfo }) => whoAsks(authInfo));
  return server;
}

/** A server that runs: its address, which is its resource identifier too. */
export async function resource(path = "/mcp") {
  const { app, url, described, bearer } = await place(path, (cause) => new InvalidTokenError(cause));
  app.use(mcpAuthMetadataRouter(described));
  app.post(path, requireBearerAuth(bearer), express.json(), async (request, response) => {
    const transport = new StreamableHTTPServerTransport({ sessionIdGenerator: undefined });
    response.on("close", () => transport.close());
    await whoami().connect(transport);
    await transport.handleRequest(request, response, request.body);
  });
  return url;
}
