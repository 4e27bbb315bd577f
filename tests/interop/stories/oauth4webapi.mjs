// oauth4webapi: every message checked by itself, and the access token as a resource server sees it.

import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";
import { approve, callback, issuer, register, story } from "./support.mjs";

// Loopback speaks plain HTTP.
const plain = { [oauth.allowInsecureRequests]: true };

async function discover(algorithm) {
  const url = new URL(issuer);
  return oauth.processDiscoveryResponse(url, await oauth.discoveryRequest(url, { algorithm, ...plain }));
}

/** Signs in, and gives the client, how it authenticates, and its tokens. */
async function signIn(as, scope, registered) {
  registered ??= await register("shop", "--redirect", callback);
  const client = { client_id: registered.client_id };
  const authentication = oauth.ClientSecretBasic(registered.client_secret);
  const verifier = oauth.generateRandomCodeVerifier();
  const [nonce, state] = [oauth.generateRandomNonce(), oauth.generateRandomState()];
  const url = new URL(as.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: callback,
    response_type: "code",
    scope,
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    nonce,
    state,
  });

  const parameters = oauth.validateAuthResponse(as, client, await approve(url), state);
  const response = await oauth.authorizationCodeGrantRequest(
    as, client, authentication, parameters, callback, verifier, plain,
  );
  const checks = { expectedNonce: nonce, requireIdToken: true };
  const tokens = await oauth.processAuthorizationCodeResponse(as, client, response, checks);
  await oauth.validateApplicationLevelSignature(as, response, plain);
  return { client, authentication, tokens, sub: oauth.getValidatedIdTokenClaims(tokens).sub };
}

const bearing = (token) => new Request("http://127.0.0.1/orders", { headers: { authorization: `Bearer ${token}` } });

for (const algorithm of ["oidc", "oauth2"]) {
  await story(`code flow with PKCE and nonce, found by ${algorithm} discovery`, async () => {
    const as = await discover(algorithm);

    const { client, tokens, sub } = await signIn(as, "openid email");

    const response = await oauth.userInfoRequest(as, client, tokens.access_token, plain);
    assert.equal((await oauth.processUserInfoResponse(as, client, sub, response)).sub, sub);
  });
}

await story("code flow of an application that registers itself", async () => {
  const as = await discover("oauth2");
  const described = { client_name: "shop", redirect_uris: [callback], token_endpoint_auth_method: "client_secret_basic" };

  const response = await oauth.dynamicClientRegistrationRequest(as, described, plain);
  const registered = await oauth.processDynamicClientRegistrationResponse(response);
  const { client, tokens } = await signIn(as, "openid", registered);

  assert.equal(oauth.getValidatedIdTokenClaims(tokens).aud, client.client_id);
});

await story("refresh, for a narrower scope", async () => {
  const as = await discover("oidc");
  const { client, authentication, tokens } = await signIn(as, "openid profile offline_access");

  const narrower = { additionalParameters: { scope: "openid" }, ...plain };
  const response = await oauth.refreshTokenGrantRequest(as, client, authentication, tokens.refresh_token, narrower);

  const refreshed = await oauth.processRefreshTokenResponse(as, client, response);
  assert.equal(refreshed.scope, "openid");
});

await story("access token valid to a resource server (RFC 9068)", async () => {
  const as = await discover("oidc");
  const { client, tokens, sub } = await signIn(as, "openid profile");

  const claims = await oauth.validateJwtAccessToken(as, bearing(tokens.access_token), issuer, plain);

  assert.equal(claims.sub, sub);
  assert.equal(claims.client_id, client.client_id);
  const elsewhere = oauth.validateJwtAccessToken(as, bearing(tokens.access_token), "https://other.example", plain);
  await assert.rejects(elsewhere, { code: "OAUTH_JWT_CLAIM_COMPARISON_FAILED" });
  await assert.rejects(oauth.validateJwtAccessToken(as, bearing(tokens.id_token), issuer, plain));
});

await story("introspection, signed (RFC 9701)", async () => {
  const as = await discover("oauth2");
  const { client, authentication, tokens, sub } = await signIn(as, "openid");

  const signed = { requestJwtResponse: true, ...plain };
  const response = await oauth.introspectionRequest(as, client, authentication, tokens.access_token, signed);
  const told = await oauth.processIntrospectionResponse(as, client, response);
  await oauth.validateApplicationLevelSignature(as, response, plain);

  assert.match(response.headers.get("content-type"), /token-introspection\+jwt/);
  assert.deepEqual([told.active, told.sub], [true, sub]);
});

for (const [method, authenticate] of [
  ["client_secret_basic", oauth.ClientSecretBasic],
  ["client_secret_post", oauth.ClientSecretPost],
]) {
  await story(`client_credentials with ${method}`, async () => {
    const as = await discover("oauth2");
    const registered = await register("nightly", "--scope", "orders:read", "--auth", method);
    const client = { client_id: registered.client_id };
    const authentication = authenticate(registered.client_secret);

    const response = await oauth.clientCredentialsGrantRequest(
      as, client, authentication, { scope: "orders:read" }, plain,
    );

    const tokens = await oauth.processClientCredentialsResponse(as, client, response);
    const claims = await oauth.validateJwtAccessToken(as, bearing(tokens.access_token), issuer, plain);
    assert.equal(claims.sub, client.client_id);
  });
}

await story("a code that returns is told apart as invalid_grant", async () => {
  const as = await discover("oidc");
  const registered = await register("shop", "--redirect", callback);
  const client = { client_id: registered.client_id };
  const authentication = oauth.ClientSecretBasic(registered.client_secret);
  const verifier = oauth.generateRandomCodeVerifier();
  const url = new URL(as.authorization_endpoint);
  url.search = new URLSearchParams({
    client_id: client.client_id,
    redirect_uri: callback,
    response_type: "code",
    scope: "profile",
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
  });
  const parameters = oauth.validateAuthResponse(as, client, await approve(url), oauth.expectNoState);
  const redeem = async () => oauth.processAuthorizationCodeResponse(as, client,
    await oauth.authorizationCodeGrantRequest(as, client, authentication, parameters, callback, verifier, plain));

  await redeem();

  await assert.rejects(redeem(), { error: "invalid_grant" });
});
