"""A server and a client of the MCP SDK for Python against the fixture of the package for PyPI: from a 401 to the
answer of a tool, with nobody who signs in. `packages.py` has pytest run it."""

import json
import socket
import threading
import urllib.request
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx2
import pytest
import uvicorn
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata

REDIRECT = "http://localhost:8977/callback"


def fetch(url):
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


class Verifier:
    """What the server believes: a token that the issuer signed for it (RFC 9068 §4)."""

    def __init__(self, issuer, resource):
        metadata = fetch(f"{issuer}/.well-known/oauth-authorization-server")
        self.keys = KeySet.import_key_set(fetch(metadata["jwks_uri"]))
        self.issuer, self.resource = issuer, resource

    async def verify_token(self, token):
        try:
            claims = jwt.decode(token, self.keys, algorithms=["ES256"]).claims
            expected = {"iss": self.issuer, "aud": self.resource}
            required = {name: {"essential": True, "value": value} for name, value in expected.items()}
            jwt.JWTClaimsRegistry(exp={"essential": True}, **required).validate(claims)
        except (JoseError, ValueError):
            return None
        scopes = claims["scope"].split()
        known = {"token": token, "client_id": claims["client_id"], "subject": claims["sub"]}
        return AccessToken(**known, scopes=scopes, expires_at=claims["exp"], resource=self.resource)


@pytest.fixture
def resource(gatelodge):
    """The address of an MCP server that runs, and that the issuer knows."""
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"http://localhost:{listener.getsockname()[1]}/mcp"
    gatelodge.call("POST", "/api/v1/resources", {"resource": url, "scope": "openid offline_access"})
    settings = {"issuer_url": gatelodge.issuer, "resource_server_url": url, "validate_token_resource": True}
    server = MCPServer(
        "packaged", token_verifier=Verifier(gatelodge.issuer, url), auth=AuthSettings(**settings, required_scopes=["openid"])
    )

    @server.tool()
    def whoami() -> str:
        return get_access_token().subject

    running = uvicorn.Server(uvicorn.Config(server.streamable_http_app(), log_level="warning"))
    thread = threading.Thread(target=running.run, args=([listener],))
    thread.start()
    yield url
    running.should_exit = True
    thread.join()


class Memory:
    """A TokenStorage."""

    client = tokens = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


def signing_in(url, memory):
    """The SDK's provider, whose browser is sent on at once: `landed` has where to."""
    landed = []

    async def redirect(address):
        async with httpx2.AsyncClient() as browser:
            landed.append((await browser.get(address)).headers["location"])

    async def callback():
        answer = {name: values[0] for name, values in parse_qs(urlsplit(landed[-1]).query).items()}
        return AuthorizationCodeResult(code=answer["code"], state=answer["state"], iss=answer["iss"])

    described = OAuthClientMetadata(
        client_name="Editor", redirect_uris=[REDIRECT], token_endpoint_auth_method="none"
    )
    auth = OAuthClientProvider(url, described, memory, redirect, callback)
    auth.landed = landed
    return auth


def whoami(url, auth, times=1, between=None):
    """What the tool answers."""

    async def ask():
        async with httpx2.AsyncClient(auth=auth) as http:
            async with Client(streamable_http_client(url, http_client=http)) as client:
                answers = []
                for turn in range(times):
                    if turn and between:
                        between()
                    result = await client.call_tool("whoami")
                    assert not result.is_error, result
                    answers.append(result.content[0].text)
                return answers

    return anyio.run(ask)


def test_a_client_that_nobody_knows_calls_a_tool(gatelodge, resource):
    memory = Memory()
    auth = signing_in(resource, memory)

    [who] = whoami(resource, auth)

    [ada] = [user for user in gatelodge.call("GET", "/api/v1/users")["users"] if user["username"] == "ada"]
    assert who == ada["id"]
    assert gatelodge.call("GET", f"/api/v1/clients/{memory.client.client_id}")["name"] == "Editor"


def test_a_token_that_has_expired_is_refreshed_and_one_that_cannot_be_is_asked_for(gatelodge, resource):
    memory = Memory()
    auth = signing_in(resource, memory)
    first = []

    def expire():
        first.append(memory.tokens.access_token)
        auth.context.token_expiry_time = 1

    assert len(set(whoami(resource, auth, 2, expire))) == 1
    assert memory.tokens.access_token != first[0] and len(auth.landed) == 1

    def expire_while_it_is_down():
        expire()
        gatelodge.fault("/oauth/token", status=503, times=1)

    assert len(set(whoami(resource, auth, 2, expire_while_it_is_down))) == 1
    assert len(auth.landed) == 2
    asked = [request["status"] for request in gatelodge.requests() if request["path"] == "/oauth/token"]
    assert asked == [200, 200, 503, 200], asked
