// What the stories of the MCP SDK share: a client that knows nothing but the address of a server.

import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { approve } from "./support.mjs";

/** An OAuthClientProvider that keeps everything in memory. */
export class Keeper {
  redirectUrl = "http://localhost:8976/callback";
  #expected = randomUUID();

  constructor(clientMetadataUrl) {
    this.clientMetadataUrl = clientMetadataUrl;
  }

  /** What is left after a restart, if only the client was kept. */
  restarted() {
    return Object.assign(new Keeper(this.clientMetadataUrl), { client: this.client });
  }

  get clientMetadata() {
    return {
      client_name: "An MCP client",
      redirect_uris: [this.redirectUrl],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
    };
  }

  state = () => this.#expected;
  clientInformation = () => this.client;
  saveClientInformation = (client) => void (this.client = client);
  tokens = () => this.kept;
  saveTokens = (tokens) => void (this.kept = tokens);
  saveCodeVerifier = (verifier) => void (this.verifier = verifier);
  codeVerifier = () => this.verifier;
  redirectToAuthorization = (url) => void (this.asked = url);

  /** The person's answer to what was asked last. */
  async code() {
    const answer = await approve(this.asked.href);
    assert.equal(answer.searchParams.get("error"), null, answer.searchParams.get("error_description"));
    assert.equal(answer.searchParams.get("state"), this.#expected);
    return answer.searchParams.get("code");
  }
}

/** Connects to the server at `url`, by way of the person where it has to; gives the client. */
export async function connect(url, keeper) {
  const transport = new StreamableHTTPClientTransport(url, { authProvider: keeper });
  try {
    const client = new Client({ name: "interop", version: "1.0.0" });
    await client.connect(transport);
    return client;
  } catch (error) {
    if (error.constructor.name !== "UnauthorizedError" || !keeper.asked) throw error;
  }
  await transport.finishAuth(await keeper.code());
  const client = new Client({ name: "interop", version: "1.0.0" });
  await client.connect(new StreamableHTTPClientTransport(url, { authProvider: keeper }));
  return client;
}

/** Who the server thinks asks. */
export async function whoami(client) {
  const { content } = await client.callTool({ name: "whoami", arguments: {} });
  return JSON.parse(content[0].text);
}
