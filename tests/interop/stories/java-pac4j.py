"""pac4j, before an application in Javalin."""

from java_app import App, Browser
from support import ISSUER, ended, from_catalogue, gatelodge, register, story

EMAIL = "ada@example.org"


def application(registered, **more):
    """A web application, by what `client add` printed."""
    settings = {
        "shop.issuer": ISSUER,
        "shop.client": registered["client_id"],
        "shop.secret": registered["client_secret"],
        **more,
    }
    return App("pac4j/target/pac4j.jar", r"^port (\d+)", settings)


@story("a person signs in, and is known by sub and address")
def _():
    ada = gatelodge("user", "set", "ada", "--email", EMAIL)["id"]
    registered = register("shop", "--redirect", "http://127.0.0.1/callback?client_name=OidcClient")

    with application(registered) as url:
        assert Browser(url).visit() == (200, f"{ada} {EMAIL}")


@story("the same by the client that the catalogue has for Jenkins, whose plugin runs this library")
def _():
    ada = gatelodge("user", "set", "ada", "--email", EMAIL)["id"]
    registered = from_catalogue("jenkins")
    callback = registered["redirect_uris"][0].removeprefix("http://127.0.0.1")

    with application(registered, **{"shop.callback": callback}) as url:
        assert Browser(url).visit() == (200, f"{ada} {EMAIL}")

    assert callback == "/securityRealm/finishLogin", callback


gatelodge("user", "set", "ada", "--email", "")
ended()
