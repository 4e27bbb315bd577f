"""Quarkus: as an application that signs people in and out, and as an API."""

from java_app import App, Browser, token
from support import ISSUER, ended, from_catalogue, gatelodge, register, story

EMAIL = "ada@example.org"
ORDERS, OTHER = "https://orders-quarkus.example", "https://other-quarkus.example"


def program(settings):
    loopback = {"quarkus.http.host": "127.0.0.1", "quarkus.http.port": 0}
    settings = {"quarkus.oidc.auth-server-url": ISSUER, **loopback, **settings}
    return App("quarkus/target/quarkus-app/quarkus-run.jar", r"Listening on: http://\S*:(\d+)", settings)


def application(registered, **more):
    """A web application with its defaults, by what `client add` printed."""
    return program({
        "quarkus.oidc.application-type": "web-app",
        "quarkus.oidc.client-id": registered["client_id"],
        "quarkus.oidc.credentials.secret": registered["client_secret"],
        "quarkus.oidc.authentication.scopes": "email",
        **more,
    })


ADA = gatelodge("user", "set", "ada", "--email", EMAIL)["id"]


@story("a person signs in by state alone, and is known by sub and address")
def _():
    registered = register("shop", "--redirect", "http://127.0.0.1/", "--pkce", "optional")

    with application(registered) as url:
        assert Browser(url).visit() == (200, f"{ADA} {EMAIL}")


@story("the groups of a person are their roles")
def _():
    scopes = ["--scope", "openid", "--scope", "email", "--scope", "groups"]
    registered = register("shop", "--redirect", "http://127.0.0.1/", "--pkce", "optional", *scopes)

    gatelodge("user", "set", "ada", "--group", "")
    with application(registered, **{"quarkus.oidc.authentication.scopes": "email,groups"}) as url:
        ada = Browser(url)
        ada.visit()
        assert ada.visit("/staff")[0] == 403
        gatelodge("user", "set", "ada", "--group", "staff")
        ada = Browser(url)
        ada.visit()
        assert ada.visit("/staff") == (200, "for staff")


@story("a person signs in with PKCE, and signs out of the issuer, too")
def _():
    registered = from_catalogue("quarkus")
    more = {
        "quarkus.oidc.authentication.pkce-required": "true",
        "quarkus.oidc.logout.path": "/logout",
        "quarkus.oidc.logout.post-logout-path": "/bye",
    }

    with application(registered, **more) as url:
        gatelodge("client", "set", registered["client_id"], "--post-logout", f"{url}/bye")
        browser = Browser(url)
        assert browser.visit() == (200, f"{ADA} {EMAIL}")
        assert Browser(url).left("/").startswith(url)

        assert browser.left("/logout").startswith(f"{url}/bye?state=")

        assert Browser(url).left("/").startswith(f"{ISSUER}/gate/")


@story("an API takes a token that is meant for it, and no other")
def _():
    orders, client = token(ORDERS)
    other, _ = token(OTHER)

    with program({"quarkus.oidc.token.audience": ORDERS}) as url:
        ask = lambda token: Browser(url).ask("/api", headers={"Authorization": f"Bearer {token}"})
        assert ask(orders)[:2] == (200, client)
        for status, text, headers in ask(other), ask(orders[:-4] + "AAAA"), Browser(url).ask("/api"):
            assert (status, text) == (401, ""), status
            assert headers["WWW-Authenticate"].startswith("Bearer")


gatelodge("user", "set", "ada", "--email", "", "--group", "")
ended()
