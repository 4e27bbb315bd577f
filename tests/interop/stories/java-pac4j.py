"""pac4j, before an application in Javalin."""

from java_app import App, Browser
from support import ISSUER, ended, gatelodge, register, story

EMAIL = "ada@example.org"


@story("a person signs in, and is known by sub and address")
def _():
    ada = gatelodge("user", "set", "ada", "--email", EMAIL)["id"]
    registered = register("shop", "--redirect", "http://127.0.0.1/callback?client_name=OidcClient")
    settings = {
        "shop.issuer": ISSUER,
        "shop.client": registered["client_id"],
        "shop.secret": registered["client_secret"],
    }

    with App("pac4j/target/pac4j.jar", r"^port (\d+)", settings) as url:
        assert Browser(url).visit() == (200, f"{ada} {EMAIL}")


gatelodge("user", "set", "ada", "--email", "")
ended()
