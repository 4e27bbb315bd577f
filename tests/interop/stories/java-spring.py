"""Spring Boot 3 and 4: as an application that signs people in and out, and as an API."""

import json
import re
import tempfile
from pathlib import Path

from java_app import App, Browser, token
from joserfc.jwk import ECKey
from support import ISSUER, ended, from_catalogue, gatelodge, register, story

CALLBACK = "http://127.0.0.1/login/oauth2/code/gatelodge"
EMAIL = "ada@example.org"
REGISTRATION = "spring.security.oauth2.client.registration.gatelodge"


def program(version, settings):
    jar = f"spring-{version}/target/spring-{version}.jar"
    return App(jar, r"started on port (\d+)", {"server.address": "127.0.0.1", "server.port": 0, **settings})


def application(version, registered, profile="default", **more):
    """Spring's login with its defaults, by what `client add` printed."""
    return program(version, {
        f"{REGISTRATION}.client-id": registered["client_id"],
        f"{REGISTRATION}.client-secret": registered.get("client_secret", ""),
        f"{REGISTRATION}.scope": "openid,email",
        "spring.security.oauth2.client.provider.gatelodge.issuer-uri": ISSUER,
        "spring.profiles.active": profile,
        **more,
    })


def api(version, audience):
    """Spring's resource server with its defaults."""
    return program(version, {
        "spring.security.oauth2.resourceserver.jwt.issuer-uri": ISSUER,
        "spring.security.oauth2.resourceserver.jwt.audiences": audience,
    })


ADA = gatelodge("user", "set", "ada", "--email", EMAIL)["id"]

# Before version 4 it has no PKCE for a client with a secret, but it always has a nonce.
for version, pkce in (3, ["--pkce", "nonce"]), (4, ["--pkce", "required"]):

    @story(f"Spring Boot {version}: a person signs in, and is known by sub and address")
    def _():
        registered = from_catalogue("spring-boot", *pkce)
        assert registered["redirect_uris"] == [CALLBACK]

        with application(version, registered) as url:
            assert Browser(url).visit() == (200, f"{ADA} {EMAIL}")

    @story(f"Spring Boot {version}: signing out of the application is signing out of the issuer")
    def _():
        registered = register("shop", "--redirect", CALLBACK, *pkce)
        start = "/oauth2/authorization/gatelodge"

        with application(version, registered, "sign-out") as url:
            gatelodge("client", "set", registered["client_id"], "--post-logout", url)
            browser = Browser(url)
            browser.visit()
            assert Browser(url).left(start).startswith(url)
            csrf = re.search(r'name="_csrf".*? value="([^"]*)"', browser.ask("/logout")[1])[1]

            assert browser.left("/logout", {"_csrf": csrf}) == f"{url}/"

            assert Browser(url).left(start).startswith(f"{ISSUER}/gate/")

    @story(f"Spring Boot {version}: a person signs in where the application signs with its own key")
    def _():
        key = ECKey.generate_key("P-256", {"kid": "shop", "use": "sig", "alg": "ES256"})
        with tempfile.TemporaryDirectory() as home:
            private, public = Path(home, "key.json"), Path(home, "keys.json")
            private.write_text(json.dumps(key.as_dict(private=True)))
            public.write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
            keys = ["--jwks", str(public), "--assertions", "rfc7523"]
            registered = register("shop", "--redirect", CALLBACK, *pkce, *keys)
            method = {f"{REGISTRATION}.client-authentication-method": "private_key_jwt", "shop.key": private}

            with application(version, registered, "keys", **method) as url:
                assert Browser(url).visit() == (200, f"{ADA} {EMAIL}")

    @story(f"Spring Boot {version}: an API takes a token that is meant for it, and no other")
    def _():
        orders, client = token(f"https://orders-{version}.example", "--typ", "jwt")
        other, _ = token(f"https://other-{version}.example", "--typ", "jwt")

        with api(version, f"https://orders-{version}.example") as url:
            ask = lambda token: Browser(url).ask(headers={"Authorization": f"Bearer {token}"})
            assert ask(orders)[:2] == (200, f"{client} null")
            for status, text, headers in ask(other), ask(orders[:-4] + "AAAA"), Browser(url).ask():
                assert (status, text) == (401, ""), status
                assert headers["WWW-Authenticate"].startswith("Bearer")


gatelodge("user", "set", "ada", "--email", "")
ended()
