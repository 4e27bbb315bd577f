"""The MCP SDK for Python: from a 401 to an answer, with a client that an operator registered."""

from mcp.shared.auth import OAuthClientInformationFull
from mcp_resource import REDIRECT, Memory, asked, provider, resource
from support import ended, register, story


def known():
    """A public client on loopback, known to the issuer beforehand."""
    client = register("editor", "--public", "--redirect", REDIRECT, "--scope", "orders:read")
    return Memory(OAuthClientInformationFull(
        client_id=client["client_id"], redirect_uris=[REDIRECT], token_endpoint_auth_method="none"
    ))


@story("sign-in for one server, and its answer")
def _():
    url, memory = resource(), known()

    answers = asked(url, provider(url, memory))

    assert answers[0]["client"] == memory.client.client_id


@story("a token that has expired is refreshed by itself")
def _():
    url, memory = resource(), known()
    auth = provider(url, memory)
    tokens = []

    def expire():
        tokens.append(memory.tokens.access_token)
        auth.context.token_expiry_time = 1

    answers = asked(url, auth, expire)

    assert answers[0] == answers[1]
    assert memory.tokens.access_token != tokens[0]


@story("a server at the root of its origin")
def _():
    url = resource("/")

    answers = asked(url, provider(url, known()))

    assert answers[0]["sub"]


ended()
