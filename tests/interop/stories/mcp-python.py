"""The MCP SDK for Python: from a 401 to an answer."""

from mcp.shared.auth import OAuthClientInformationFull
from mcp_resource import REDIRECT, Memory, asked, provider, resource
from support import CLIENT_DOCUMENT, ended, register, said, story


def known():
    """A public client on loopback, known to the issuer beforehand."""
    client = register("editor", "--public", "--redirect", REDIRECT, "--scope", "orders:read")
    return Memory(OAuthClientInformationFull(
        client_id=client["client_id"], redirect_uris=[REDIRECT], token_endpoint_auth_method="none"
    ))


for how, options in [
    ("registers itself", {}),
    ("is named by its document", {"client_metadata_url": CLIENT_DOCUMENT}),
]:

    @story(f"a client that nobody knows {how}: answer, refresh, restart")
    def _():
        url, memory = resource(), Memory()
        auth = provider(url, memory, **options)
        tokens = []

        def expire():
            tokens.append(memory.tokens.access_token)
            auth.context.token_expiry_time = 1

        answers = asked(url, auth, expire)
        client, after = memory.client.client_id, memory.tokens.access_token
        answers += asked(url, provider(url, Memory(memory.client), **options))

        assert (client == CLIENT_DOCUMENT) == bool(options), client
        assert [answer["client"] for answer in answers] == [client] * 3
        assert after != tokens[0]
        assert said(after)["aud"] == said(tokens[0])["aud"] == url
        assert len(auth.landed) == 1


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
    assert len(auth.landed) == 1
    assert memory.tokens.access_token != tokens[0]


@story("a server at the root of its origin")
def _():
    url = resource("/")

    answers = asked(url, provider(url, known()))

    assert answers[0]["sub"]


ended()
