"""go-oidc and golang.org/x/oauth2: an application as their first example has it."""

from go_program import credentials, signed_in, site
from support import ended, from_catalogue, gatelodge, register, story

gatelodge("user", "set", "ada", "--email", "ada@example.org")

for how, flags, settings in [
    ("with a state alone, which an operator has to allow", ["--pkce", "optional"], {}),
    ("with PKCE", [], {"PKCE": "yes"}),
]:

    @story(f"a person signs in {how}; their ID token and userinfo are read")
    def _():
        client = register("shop", "--redirect", "http://127.0.0.1/callback", *flags)

        told = signed_in(site("go-oidc", **credentials(client), **settings))

        claims, info = told["id_token"], told["userinfo"]
        assert claims["aud"] == client["client_id"], claims
        assert claims["sub"] == info["sub"]
        assert claims["preferred_username"] == "ada"
        assert claims["email"] == info["email"] == "ada@example.org"


@story("a person signs in by the client that the catalogue has for Miniflux, which runs this library with PKCE")
def _():
    client = from_catalogue("miniflux")
    callback = client["redirect_uris"][0].removeprefix("http://127.0.0.1")

    told = signed_in(site("go-oidc", PKCE="yes", CALLBACK=callback, **credentials(client)))

    assert callback == "/oauth2/oidc/callback", callback
    assert told["id_token"]["preferred_username"] == "ada", told


ended()
