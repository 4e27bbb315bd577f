"""Authlib as a client: over requests, and over httpx without blocking."""

import asyncio

from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet
from support import CALLBACK, ISSUER, approve, ended, fetch, from_catalogue, metadata, register, story

SERVER = metadata()
VERIFIER = "a-verifier-that-only-these-stories-would-ever-use"


def shop(method="client_secret_basic"):
    registered = register("shop", "--redirect", CALLBACK, "--auth", method)
    return {
        "client_id": registered["client_id"],
        "client_secret": registered["client_secret"],
        "token_endpoint_auth_method": method,
        "redirect_uri": CALLBACK,
        "code_challenge_method": "S256",
    }


def authorization(client, **parameters):
    """Where the person is sent, with the state that has to come back."""
    return client.create_authorization_url(
        SERVER["authorization_endpoint"], code_verifier=VERIFIER, **parameters
    )


def redeem(session, url, state):
    return session.fetch_token(
        SERVER["token_endpoint"], authorization_response=approve(url), state=state, code_verifier=VERIFIER
    )


for method in ("client_secret_basic", "client_secret_post"):

    @story(f"code flow with PKCE, and refresh, with {method}")
    def _():
        session = OAuth2Session(scope="openid profile offline_access", **shop(method))

        first = redeem(session, *authorization(session))
        info = session.get(SERVER["userinfo_endpoint"])
        second = session.refresh_token(SERVER["token_endpoint"])

        assert info.json()["preferred_username"] == "ada"
        assert second["access_token"] != first["access_token"]
        assert session.get(SERVER["userinfo_endpoint"]).status_code == 200


for app in ("open-webui", "pgadmin"):

    @story(f"code flow by the client that the catalogue has for {app}, which runs this library")
    def _():
        client = from_catalogue(app)
        session = OAuth2Session(
            client["client_id"], client["client_secret"], scope=client["scope"],
            redirect_uri=client["redirect_uris"][0], code_challenge_method="S256",
        )

        tokens = redeem(session, *authorization(session, nonce="n-1"))

        assert set(tokens["scope"].split()) == set(client["scope"].split())
        assert session.get(SERVER["userinfo_endpoint"]).json()["preferred_username"] == "ada"


@story("ID token valid by key, issuer, audience, nonce and at_hash")
def _():
    session = OAuth2Session(scope="openid", **shop())
    tokens = redeem(session, *authorization(session, nonce="n-1"))

    keys = KeySet.import_key_set(fetch(SERVER["jwks_uri"]))
    decoded = jwt.decode(tokens["id_token"], keys, algorithms=["RS256"])

    options = {"iss": {"value": ISSUER}, "aud": {"value": session.client_id}}
    parameters = {"nonce": "n-1", "client_id": session.client_id, "access_token": tokens["access_token"]}
    CodeIDToken(decoded.claims, decoded.header, options, parameters).validate()


@story("code flow and refresh without blocking")
def _():
    async def sign_in():
        async with AsyncOAuth2Client(scope="openid offline_access", **shop()) as client:
            url, state = authorization(client)
            location = await asyncio.to_thread(approve, url)
            first = await client.fetch_token(
                SERVER["token_endpoint"], authorization_response=location, state=state, code_verifier=VERIFIER
            )
            second = await client.refresh_token(SERVER["token_endpoint"])
            info = await client.get(SERVER["userinfo_endpoint"])
            return first, second, info

    first, second, info = asyncio.run(sign_in())

    assert second["access_token"] != first["access_token"]
    assert info.status_code == 200


@story("a token that has expired is refreshed by itself")
def _():
    session = OAuth2Session(
        scope="openid offline_access", token_endpoint=SERVER["token_endpoint"], **shop()
    )
    first = redeem(session, *authorization(session))
    session.token = first | {"expires_at": 1}

    info = session.get(SERVER["userinfo_endpoint"])

    assert info.status_code == 200
    assert session.token["access_token"] != first["access_token"]


@story("client_credentials")
def _():
    registered = register("nightly", "--scope", "orders:read")
    session = OAuth2Session(registered["client_id"], registered["client_secret"], scope="orders:read")

    token = session.fetch_token(SERVER["token_endpoint"], grant_type="client_credentials")

    assert token["scope"] == "orders:read"


ended()
