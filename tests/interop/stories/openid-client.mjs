// openid-client: a web application that signs people in, and a program that acts for itself.

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as client from "openid-client";
import { approve, callback, fromCatalogue, issuer, register, story, visit } from "./support.mjs";

/** A web application. Unless told otherwise this library sends its secret in the body. */
const shop = (...flags) => register("shop", "--redirect", callback, "--auth", "client_secret_post", ...flags);

// Loopback speaks plain HTTP. Signatures are checked although the token came from the issuer.
const careful = { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] };

const discover = (registered, authentication) =>
  client.discovery(new URL(issuer), registered.client_id, registered.client_secret, authentication, careful);

/** What a browser brings to the application where it was sent. */
const brought = ({ location, form }) =>
  form ? new Request(location, { method: "POST", body: new URLSearchParams(form) }) : new URL(location);

/** Signs in, and gives the tokens. */
async function signIn(config, parameters, build = client.buildAuthorizationUrl) {
  const verifier = client.randomPKCECodeVerifier();
  const checks = { expectedNonce: client.randomNonce(), expectedState: client.randomState(), idTokenExpected: true };
  const url = await build(config, {
    redirect_uri: callback,
    code_challenge: await client.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    nonce: checks.expectedNonce,
    state: checks.expectedState,
    ...parameters,
  });
  return client.authorizationCodeGrant(config, brought(await visit(url)), { pkceCodeVerifier: verifier, ...checks });
}

await story("code flow with PKCE, nonce and a verified ID token", async () => {
  const config = await discover(await shop());

  const tokens = await signIn(config, { scope: "openid profile" });

  assert.equal(tokens.claims().iss, issuer);
  assert.equal(tokens.claims().preferred_username, "ada");
  assert.equal(tokens.scope.split(" ").sort().join(" "), "openid profile");
});

await story("userinfo of the person who signed in", async () => {
  const config = await discover(await shop());
  const tokens = await signIn(config, { scope: "openid profile" });

  const info = await client.fetchUserInfo(config, tokens.access_token, tokens.claims().sub);

  assert.equal(info.name, "Ada Lovelace");
});

await story("refresh, with an ID token of the same person", async () => {
  const config = await discover(await shop());
  const first = await signIn(config, { scope: "openid offline_access" });

  const second = await client.refreshTokenGrant(config, first.refresh_token);

  assert.notEqual(second.access_token, first.access_token);
  assert.equal(second.claims().sub, first.claims().sub);
  await client.fetchUserInfo(config, second.access_token, first.claims().sub);
});

await story("code flow of a public client", async () => {
  const registered = await register("editor", "--public", "--redirect", callback);
  const config = await discover(registered, client.None());

  const tokens = await signIn(config, { scope: "openid offline_access" });

  assert.ok((await client.refreshTokenGrant(config, tokens.refresh_token)).refresh_token);
});

await story("code flow of an application that registers itself", async () => {
  const described = { client_name: "shop", redirect_uris: [callback] };
  const config = await client.dynamicClientRegistration(new URL(issuer), described, undefined, careful);

  const tokens = await signIn(config, { scope: "openid" });

  assert.equal(tokens.claims().aud, config.clientMetadata().client_id);
});

await story("code flow of a desktop application, at a port that nobody registered", async () => {
  const config = await discover(await register("editor", "--public", "--redirect", callback), client.None());

  const tokens = await signIn(config, { scope: "openid", redirect_uri: "http://127.0.0.1:51234/callback" });

  assert.ok(tokens.claims().sub);
});

for (const [app, authentication] of [["immich", client.ClientSecretPost], ["actual", client.ClientSecretBasic]]) {
  await story(`code flow by the client that the catalogue has for ${app}, which runs this library`, async () => {
    const registered = await fromCatalogue(app);
    const config = await discover(registered, authentication(registered.client_secret));
    const [redirect_uri] = registered.redirect_uris;

    const tokens = await signIn(config, { scope: registered.scope, redirect_uri });

    assert.equal(tokens.claims().preferred_username, "ada");
  });
}

await story("code flow by a pushed request", async () => {
  const config = await discover(await shop("--require-par"));

  const tokens = await signIn(config, { scope: "openid" }, client.buildAuthorizationUrlWithPAR);

  assert.ok(tokens.claims().sub);
});

await story("code flow with an answer by form_post", async () => {
  const config = await discover(await shop());

  const tokens = await signIn(config, { scope: "openid", response_mode: "form_post" });

  assert.ok(tokens.claims().sub);
});

// The library has no type for its assertions, which RFC 10070 asks for.
const typed = { [client.modifyAssertion]: (header) => { header.typ = "client-authentication+jwt"; } };

for (const [rules, options] of [["rfc10070", typed], ["rfc7523", undefined]]) {
  await story(`code flow with private_key_jwt by ${rules}`, async () => {
    const es256 = { name: "ECDSA", namedCurve: "P-256" };
    const { privateKey, publicKey } = await crypto.subtle.generateKey(es256, false, ["sign", "verify"]);
    const home = await mkdtemp(join(tmpdir(), "keys-"));
    await writeFile(join(home, "jwks.json"), JSON.stringify({ keys: [await crypto.subtle.exportKey("jwk", publicKey)] }));
    const keys = ["--jwks", join(home, "jwks.json"), "--assertions", rules];
    const registered = await register("shop", "--redirect", callback, ...keys);
    await rm(home, { recursive: true });
    const config = await discover(registered, client.PrivateKeyJwt(privateKey, options));

    const first = await signIn(config, { scope: "openid offline_access" });
    const second = await client.refreshTokenGrant(config, first.refresh_token);

    assert.equal(registered.token_endpoint_auth_method, "private_key_jwt");
    assert.equal(second.claims().sub, first.claims().sub);
  });
}

await story("a device without a browser", async () => {
  const registered = await register("telly", "--public", "--grant", "device_code", "--grant", "refresh_token");
  const config = await discover(registered, client.None());

  const device = await client.initiateDeviceAuthorization(config, { scope: "openid offline_access" });
  await visit(device.verification_uri_complete);
  const tokens = await client.pollDeviceAuthorizationGrant(config, { ...device, interval: 0 });

  assert.ok(tokens.claims().sub);
  assert.ok((await client.refreshTokenGrant(config, tokens.refresh_token)).access_token);
});

await story("a token is in force until it is revoked, and introspection says so", async () => {
  const config = await discover(await shop());
  const tokens = await signIn(config, { scope: "openid offline_access" });

  const before = await client.tokenIntrospection(config, tokens.access_token);
  await client.tokenRevocation(config, tokens.refresh_token);
  const after = await client.tokenIntrospection(config, tokens.access_token);

  assert.equal(before.sub, tokens.claims().sub);
  assert.deepEqual([before.active, after.active], [true, false]);
  await assert.rejects(client.refreshTokenGrant(config, tokens.refresh_token), { error: "invalid_grant" });
});

for (const alg of ["EdDSA", "ES256", "RS256"]) {
  await story(`ID token signed with ${alg}`, async () => {
    const registered = await shop("--id-token-alg", alg);
    const metadata = { client_secret: registered.client_secret, id_token_signed_response_alg: alg };
    const config = await discover({ ...registered, client_secret: metadata });

    const tokens = await signIn(config, { scope: "openid" });

    assert.equal(JSON.parse(Buffer.from(tokens.id_token.split(".")[0], "base64url")).alg, alg);
  });
}

for (const [method, authentication] of [
  ["client_secret_basic", client.ClientSecretBasic],
  ["client_secret_post", client.ClientSecretPost],
]) {
  await story(`client_credentials with ${method}`, async () => {
    const registered = await register("nightly", "--scope", "orders:read", "--auth", method);
    const config = await discover(registered, authentication(registered.client_secret));

    const tokens = await client.clientCredentialsGrant(config, { scope: "orders:read" });

    assert.equal(tokens.scope, "orders:read");
    assert.equal(tokens.refresh_token, undefined);
  });
}

await story("client_credentials with reserved characters in id and secret", async () => {
  const registered = await register("odd", "--id", "odd:one/%+&=?", "--scope", "orders:read");
  const config = await discover(registered, client.ClientSecretBasic(registered.client_secret));

  assert.ok((await client.clientCredentialsGrant(config)).access_token);
});

await story("sign-out by the relying party, and what is left of the session", async () => {
  const goodbye = "http://127.0.0.1/bye";
  const registered = await shop("--post-logout", goodbye);
  const config = await discover(registered);
  const tokens = await signIn(config, { scope: "openid" });

  const left = await approve(client.buildEndSessionUrl(config, {
    id_token_hint: tokens.id_token,
    post_logout_redirect_uri: goodbye,
    state: "until then",
  }));

  assert.equal(left.origin + left.pathname, goodbye);
  assert.equal(left.searchParams.get("state"), "until then");
  await assert.rejects(signIn(config, { scope: "openid", prompt: "none" }), { error: "login_required" });
});
