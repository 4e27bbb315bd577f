"""flask-oidc, with the settings that its documentation begins with."""

from flask import Flask, g, session
from flask_oidc import OpenIDConnect
from support import ISSUER, ended, gatelodge, register, story
from web_app import EMAIL, address, serve, signed_in


def application(*flags, **more):
    """The address of an application with a new client."""
    registered = register("shop", "--redirect", "http://127.0.0.1/authorize", *flags)
    secrets = {name: registered[name] for name in ("client_id", "client_secret")}
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=registered["client_secret"],
        OIDC_CLIENT_SECRETS={"web": secrets | {"issuer": ISSUER}},
        **more,
    )
    oidc = OpenIDConnect(app)

    @app.route("/")
    @oidc.require_login
    def who():
        user = g.oidc_user
        return {"sub": user.unique_id, "email": user.email, "groups": user.groups, "profile": user.profile}

    @app.route("/forget")
    def forget():
        session.clear()
        return {}

    return serve(app)


@story("a person is known by their sub, with the e-mail address that is vouched for, where no PKCE but a nonce is sent")
def _():
    with address("--email-verified"):
        location, user = signed_in(application("--pkce", "nonce"), "/")

    assert location == "/", location
    assert (user["sub"], user["email"]) == (gatelodge("user", "show", "ada")["id"], EMAIL)
    assert user["profile"]["email_verified"] is True


@story("their groups come along where they are asked for")
def _():
    scopes = ["openid", "email", "groups"]
    gatelodge("user", "set", "ada", "--group", "staff", "--group", "engines")
    try:
        flags = [flag for scope in scopes for flag in ("--scope", scope)]
        user = signed_in(application("--pkce", "nonce", *flags, OIDC_SCOPES=" ".join(scopes)), "/")[1]
    finally:
        gatelodge("user", "set", "ada", "--group", "")

    assert {"staff", "engines"} <= set(user["groups"]), user


@story("an address that nobody vouches for is not verified")
def _():
    with address():
        user = signed_in(application("--pkce", "nonce"), "/")[1]

    assert (user["email"], user["profile"]["email_verified"]) == (EMAIL, False)


@story("somebody without an e-mail address is known all the same")
def _():
    user = signed_in(application("--pkce", "nonce"), "/")[1]

    assert (user["sub"], user["email"]) == (gatelodge("user", "show", "ada")["id"], None)
    assert "email_verified" not in user["profile"]


ended()
