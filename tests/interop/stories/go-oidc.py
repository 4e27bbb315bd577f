"""go-oidc and golang.org/x/oauth2: an application as their first example has it."""

from go_program import credentials, signed_in, site
from support import ended, gatelodge, register, story

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


ended()
