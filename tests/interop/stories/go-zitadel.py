"""zitadel/oidc as a relying party: at a browser, at a device, with a secret and with a key."""

import json
import os
import tempfile
import urllib.request

from go_program import credentials, signed_in, site, start
from joserfc.jwk import RSAKey
from support import approve, ended, gatelodge, register, story

HOME = tempfile.TemporaryDirectory(prefix="zitadel-")
REDIRECT = ["--redirect", "http://127.0.0.1/auth/callback"]


def key():
    """A key of the client's own: what is registered of it, and what the client has to know."""
    pair = RSAKey.generate_key(2048, {"kid": "k1"})
    paths = [os.path.join(HOME.name, name) for name in ("keys.json", "key.pem")]
    with open(paths[0], "w") as public, open(paths[1], "wb") as private:
        json.dump({"keys": [pair.as_dict(private=False)]}, public)
        private.write(pair.as_pem(private=True))
    return ["--jwks", paths[0], "--auth", "private_key_jwt"], {"KEY_PATH": paths[1], "KEY_ID": "k1"}


KEY, KNOWN = key()


def ada(claims, client):
    """Whether an ID token is about the person, and for the client."""
    return (claims["preferred_username"], claims["aud"]) == ("ada", [client["client_id"]])


for how, flags, settings in [
    ("a secret and a state, which an operator has to allow", ["--pkce", "optional"], {}),
    ("PKCE and no secret", ["--public"], {}),
    ("a key and PKCE", [*KEY, "--assertions", "rfc7523"], KNOWN),
]:

    @story(f"a person signs in at a client with {how}")
    def _():
        client = register("shop", *REDIRECT, *flags)
        origin = site("zitadel", "web", **credentials(client), **settings)

        told = signed_in(f"{origin}/login")

        assert ada(told["id_token"], client), told
        assert told["userinfo"]["sub"] == told["id_token"]["sub"]


@story("a session ends by the application's word alone, with an ID token and no browser")
def _():
    client = register("shop", *REDIRECT, "--pkce", "optional")
    origin = site("zitadel", "web", **credentials(client))
    gatelodge("client", "set", client["client_id"], "--post-logout", f"{origin}/bye")
    sid = signed_in(f"{origin}/login")["id_token"]["sid"]
    assert sid in json.dumps(gatelodge("session", "list"))

    with urllib.request.urlopen(f"{origin}/logout", timeout=20) as answer:
        told = json.load(answer)

    assert told["location"] == f"{origin}/bye?state=gone", told
    assert sid not in json.dumps(gatelodge("session", "list"))


for how, flags, settings in [
    ("a secret", [], {}),
    ("a key", [*KEY, "--assertions", "rfc7523"], KNOWN),
]:

    @story(f"a person signs a device in that has {how}")
    def _():
        client = register("television", "--grant", "device_code", "--grant", "refresh_token", *flags)
        device = start("zitadel", "device", **credentials(client), **settings)

        approve(device.stdout.readline().strip())

        told = json.loads(device.stdout.readline())
        assert ada(told["id_token"], client), told
        assert told["refresh_token"]


ended()
