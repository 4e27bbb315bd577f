"""The API server of Kubernetes, which takes ID tokens by its own configuration, from an issuer with TLS."""

import atexit
import json
import os
import subprocess
import tempfile
import threading

from authlib.integrations.requests_client import OAuth2Session
from go_program import PROGRAMS
from support import CALLBACK, ended, person, said, story

HOME = tempfile.TemporaryDirectory(prefix="kubernetes-")
DATA, AUTHORITY = os.path.join(HOME.name, "data"), os.path.join(HOME.name, "ca.pem")
# Without what the environment says to the Gatelodge of the other stories.
BARE = {name: os.environ[name] for name in ("HOME", "PATH")}
VERIFIER = "a-verifier-that-only-these-stories-would-ever-use"


def running(line, **environment):
    """What a program says in its first line. It ends with these stories."""
    process = subprocess.Popen(line, env={**BARE, **environment}, stdout=subprocess.PIPE, text=True)
    atexit.register(lambda: (process.terminate(), process.wait(5)))
    watchdog = threading.Timer(20, process.kill)
    watchdog.start()
    line = process.stdout.readline()
    watchdog.cancel()
    return json.loads(line)


def gatelodge(*words):
    line = [os.environ["GATELODGE"], *words, "--data", DATA]
    return subprocess.run(line, env=BARE, check=True, capture_output=True, text=True, timeout=20).stdout


SERVER = running(
    [os.environ["GATELODGE"], "serve", "--listen", "127.0.0.1:0", "--tls", "local", "--print-setup", "--data", DATA]
)
with open(AUTHORITY, "w") as file:
    file.write(gatelodge("tls", "ca"))
PERSON = running(
    [os.environ["NODE"], os.environ["PERSON_PROGRAM"], "serve", SERVER["setup_url"]], NODE_EXTRA_CA_CERTS=AUTHORITY
)
ISSUER = SERVER["issuer"]
CLIENT = json.loads(gatelodge(
    "client", "add", "kubectl", "--json", "--redirect", CALLBACK,
    "--scope", "openid", "--scope", "profile", "--scope", "groups",
))

CONFIGURATION = {
    "apiVersion": "apiserver.config.k8s.io/v1",
    "kind": "AuthenticationConfiguration",
    "jwt": [{
        "issuer": {
            "url": ISSUER,
            "certificateAuthority": gatelodge("tls", "ca"),
            "audiences": [CLIENT["client_id"]],
        },
        "claimMappings": {
            "username": {"claim": "preferred_username", "prefix": ""},
            "groups": {"claim": "groups", "prefix": "lodge:"},
        },
    }],
}


def id_token():
    """The ID token of somebody who signed in."""
    session = OAuth2Session(
        CLIENT["client_id"], CLIENT["client_secret"], redirect_uri=CALLBACK, scope="openid profile groups",
        code_challenge_method="S256",
    )
    session.verify = AUTHORITY
    url, state = session.create_authorization_url(f"{ISSUER}/oauth/authorize", code_verifier=VERIFIER)
    location = person("approve", url, at=PERSON["url"])["location"]
    tokens = session.fetch_token(
        f"{ISSUER}/oauth/token", authorization_response=location, state=state, code_verifier=VERIFIER
    )
    return tokens["id_token"]


def known(*tokens):
    """Who each token is of, as the API server has it."""
    path = os.path.join(HOME.name, "authentication.json")
    with open(path, "w") as file:
        json.dump(CONFIGURATION, file)
    line = [str(PROGRAMS / "kubernetes"), path]
    told = subprocess.run(line, input="\n".join(tokens), check=True, stdout=subprocess.PIPE, text=True, timeout=30)
    return [json.loads(line) for line in told.stdout.splitlines()]


@story("a person is a user by their name, with their groups; another's signature is refused")
def _():
    gatelodge("user", "set", "ada", "--group", "staff", "--group", "engines")
    token = id_token()
    head, body, signature = token.split(".")
    forged = ".".join([head, body, signature[::-1]])

    ada, nobody = known(token, forged)

    assert ada["username"] == said(token)["preferred_username"] == "ada"
    assert {"lodge:engines", "lodge:staff"} <= set(ada["groups"]), ada
    assert "signature" in nobody["error"], nobody


ended()
