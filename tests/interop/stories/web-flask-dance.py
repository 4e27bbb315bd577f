"""Flask-Dance, with a blueprint of one's own for any OAuth 2 provider."""

import os

from flask import Flask, redirect, session, url_for
from flask_dance.consumer import OAuth2ConsumerBlueprint
from support import ISSUER, ended, gatelodge, metadata, register, story
from web_app import EMAIL, address, serve, signed_in

SERVER = metadata()

# What oauthlib wants to hear before it speaks plain HTTP, as loopback does.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"


def application(*flags, **more):
    """The address of an application with a new client."""
    registered = register("shop", "--redirect", "http://127.0.0.1/login/gatelodge/authorized", *flags)
    app = Flask(__name__)
    app.secret_key = registered["client_secret"]
    blueprint = OAuth2ConsumerBlueprint(
        "gatelodge",
        __name__,
        client_id=registered["client_id"],
        client_secret=registered["client_secret"],
        base_url=ISSUER,
        token_url=SERVER["token_endpoint"],
        authorization_url=SERVER["authorization_endpoint"],
        login_url="/gatelodge",
        authorized_url="/gatelodge/authorized",
        **more,
    )
    app.register_blueprint(blueprint, url_prefix="/login")

    @app.route("/")
    def who():
        if not blueprint.session.authorized:
            return redirect(url_for("gatelodge.login"))
        answer = blueprint.session.get(SERVER["userinfo_endpoint"])
        return answer.json(), answer.status_code

    @app.route("/forget")
    def forget():
        session.clear()
        return {}

    return serve(app)


SCOPE = ["openid", "profile", "email"]


@story("a person is known by what userinfo says of them, for a client without PKCE and nonce")
def _():
    with address("--email-verified"):
        location, user = signed_in(application("--pkce", "optional", scope=SCOPE), "/")

    assert location == "/", location
    assert user["sub"] == gatelodge("user", "show", "ada")["id"]
    assert (user["name"], user["email"], user["email_verified"]) == ("Ada Lovelace", EMAIL, True)


@story("the same with PKCE, for a client as it is registered")
def _():
    with address():
        user = signed_in(application(scope=SCOPE, use_pkce=True), "/")[1]

    assert (user["name"], user["email"], user["email_verified"]) == ("Ada Lovelace", EMAIL, False)


@story("somebody without an e-mail address is known all the same")
def _():
    user = signed_in(application("--pkce", "optional", scope=SCOPE), "/")[1]

    assert user["preferred_username"] == "ada"
    assert not {"email", "email_verified"} & set(user)


ended()
