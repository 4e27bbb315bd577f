"""kubelogin, which brings kubectl the ID tokens of whoever signs in."""

import json
import os
import subprocess
import tempfile

from go_program import PROGRAMS
from support import ISSUER, ended, from_catalogue, gatelodge, said, story

HOME = tempfile.TemporaryDirectory(prefix="kubelogin-")


def token(client, browser, *more):
    """The ID token that kubectl is given, with `browser` as the command that opens one."""
    line = [
        str(PROGRAMS / "kubelogin"), "get-token", "--oidc-issuer-url", ISSUER,
        "--oidc-client-id", client["client_id"], "--listen-address", "127.0.0.1:0",
        "--browser-command", browser, *more,
    ]
    environment = {**os.environ, "HOME": HOME.name}
    answer = subprocess.run(line, env=environment, stdout=subprocess.PIPE, check=True, timeout=40)
    return json.loads(answer.stdout)["status"]["token"]


@story("a person signs in once, and the next command has their token without a browser")
def _():
    gatelodge("user", "set", "ada", "--group", "staff")
    client = from_catalogue("kubernetes")
    asked = ["--oidc-extra-scope", "profile", "--oidc-extra-scope", "groups"]

    first = token(client, os.environ["BROWSER"], *asked)
    again = token(client, "false", *asked)

    claims = said(first)
    assert (claims["iss"], claims["aud"]) == (ISSUER, client["client_id"]), claims
    assert claims["preferred_username"] == "ada"
    assert "staff" in claims["groups"], claims
    assert again == first


ended()
