"""FastMCP, server and client, as its documentation has them first."""

import asyncio
import socket
import threading

import httpx2
import uvicorn
from fastmcp import Client, FastMCP
from fastmcp.client.auth import OAuth
from fastmcp.server.auth import RemoteAuthProvider
from fastmcp.server.auth.providers.jwt import JWTVerifier
from fastmcp.server.dependencies import get_access_token
from support import CLIENT_DOCUMENT, ISSUER, ended, gatelodge, metadata, register, story

SCOPE = "orders:read"


def resource():
    """A server that runs: its address, which is its resource identifier too."""
    listener = socket.create_server(("127.0.0.1", 0))
    origin = f"http://localhost:{listener.getsockname()[1]}"
    verifier = JWTVerifier(
        jwks_uri=metadata()["jwks_uri"],
        issuer=ISSUER,
        audience=f"{origin}/mcp",
        # What signs access tokens here: FastMCP expects RS256 of those of which it hears nothing.
        algorithm="ES256",
        required_scopes=[SCOPE],
    )
    # An AnyHttpUrl would have a slash at its end, and be another issuer.
    auth = RemoteAuthProvider(token_verifier=verifier, authorization_servers=[ISSUER], base_url=origin)
    server = FastMCP("interop", auth=auth)

    @server.tool
    def whoami():
        token = get_access_token()
        return {"client": token.client_id, "sub": token.claims["sub"], "scopes": token.scopes}

    running = uvicorn.Server(uvicorn.Config(server.http_app(), log_level="warning"))
    threading.Thread(target=running.run, args=([listener],), daemon=True).start()
    return f"{origin}/mcp"


def answer(url, auth):
    """Who the server at `url` thinks asks."""

    async def ask():
        async with Client(url, auth=auth) as client:
            return (await client.call_tool("whoami")).data

    return asyncio.run(ask())


def told(who):
    assert who["sub"] == gatelodge("user", "show", "ada")["id"], who
    assert SCOPE in who["scopes"], who
    return who["client"]


@story("a client that nobody knows registers itself, and calls a tool")
def _():
    client = told(answer(resource(), "oauth"))

    assert gatelodge("client", "show", client)["name"] == "FastMCP Client"


@story("a client that is named by its document calls a tool")
def _():
    client = told(answer(resource(), OAuth(client_metadata_url=CLIENT_DOCUMENT)))

    assert client == CLIENT_DOCUMENT


@story("a client that was registered beforehand calls a tool; its token is refused by another server")
def _():
    known = register("editor", "--public", "--redirect", "http://localhost/callback", "--scope", SCOPE)
    auth = OAuth(client_id=known["client_id"])

    client = told(answer(resource(), auth))
    token = {"Authorization": f"Bearer {auth.context.current_tokens.access_token}"}

    assert client == known["client_id"]
    assert httpx2.post(auth.mcp_url, headers=token, json={}).status_code != 401
    assert httpx2.post(resource(), headers=token, json={}).status_code == 401


ended()
