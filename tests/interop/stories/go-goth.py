"""goth with its provider for OpenID Connect, which sends a state and nothing else."""

from go_program import credentials, signed_in, site
from support import ended, from_catalogue, gatelodge, register, story


@story("a person signs in, and is a user with a name and an e-mail address")
def _():
    gatelodge("user", "set", "ada", "--email", "ada@example.org")
    redirect = "http://127.0.0.1/auth/openid-connect/callback"
    client = register("shop", "--redirect", redirect, "--pkce", "optional")
    origin = site("goth", SESSION_SECRET="only for these stories", **credentials(client))

    user = signed_in(f"{origin}/auth/openid-connect")

    assert user["UserID"] == user["RawData"]["sub"]
    assert (user["Name"], user["NickName"], user["Email"]) == ("Ada Lovelace", "ada", "ada@example.org")


for app in ("gitea", "forgejo"):

    @story(f"a person signs in by the client that the catalogue has for {app}, and brings their groups")
    def _():
        gatelodge("user", "set", "ada", "--email", "ada@example.org", "--group", "staff")
        client = from_catalogue(app)
        callback = client["redirect_uris"][0].removeprefix("http://127.0.0.1")
        settings = {"CALLBACK": callback, "SCOPE": client["scope"], "SESSION_SECRET": "only for these stories"}
        origin = site("goth", **settings, **credentials(client))

        user = signed_in(f"{origin}/auth/openid-connect")

        assert callback == "/user/oauth2/gatelodge/callback", callback
        assert user["NickName"] == "ada", user
        assert "staff" in user["RawData"]["groups"], user


ended()
