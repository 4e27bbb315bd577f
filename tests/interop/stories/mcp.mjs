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

  /** Asks the person what was to be asked last; gives their answer. */
  async ask() {
    this.answer = (await approve(this.asked.href)).searchParams;
    assert.equal(this.answer.get("error"), null, this.answer.get("error_description"));
    assert.equal(this.answer.get("state"), this.#expected);
    return this.answer;
  }
}

/** The SDK for the revision of 2025-11-25: what is made of it differs from one to the next. */
const sdk2025 = {
  client: () => new Client({ name: "interop", version: "1.0.0" }),
  transport: (url, authProvider) => new StreamableHTTPClientTransport(url, { authProvider }),
  finish: (transport, answer) => transport.finishAuth(answer.get("code")),
};

/** Connects to the server at `url`, by way of the person where it has to; gives the client. */
export async function connect(url, keeper, sdk = sdk2025) {
  const transport = sdk.transport(url, keeper);
  try {
    const client = sdk.client();
    await client.connect(transport);
    return client;
  } catch (error) {
    if (error.constructor.name !== "UnauthorizedError" || !keeper.asked) throw error;
  }
  await sdk.finish(transport, await keeper.ask());
  const client = sdk.client();
  await client.connect(sdk.transport(url, keeper));
  return client;
}

/** Who the server thinks asks. */
export async function whoami(client) {
  const { content } = await client.callTool({ name: "whoami", arguments: {} });
  return JSON.parse(content[0].text);
}
