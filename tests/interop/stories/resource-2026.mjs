// An MCP server of the revision of 2026-07-28, by the SDK's own hand.

import { mcpAuthMetadataRouter, requireBearerAuth } from "@modelcontextprotocol/express";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { McpServer, OAuthError, OAuthErrorCode, createMcpHandler, requireScopes } from "@modelcontextprotocol/server";
import { place, whoAsks } from "./resource.mjs";

function tools() {
  const server = new McpServer({ name: "interop", version: "2.0.0" });
  const order = { description: "Says who orders.", scopeChallenge: requireScopes("orders:write") };
  server.registerTool("whoami", { description: "Says who asks." }, ({ http }) => whoAsks(http.authInfo));
  server.registerTool("order", order, ({ http }) => whoAsks(http.authInfo));
  return server;
}

/** A server that runs: its address, which is its resource identifier too. */
export async function resource(path = "/mcp") {
  const invalid = (cause) => new OAuthError(OAuthErrorCode.InvalidToken, cause);
  const { app, url, described, bearer } = await place(path, invalid);
  const gate = requireBearerAuth({ ...bearer, requiredScopes: ["orders:read"] });
  app.use(mcpAuthMetadataRouter(described));
  app.post(path, gate, toNodeHandler(createMcpHandler(tools, { legacy: "reject" })));
  return url;
}
