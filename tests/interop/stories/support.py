"""What stories in Python share: the server, a person, clients, and how a story is told."""

import base64
import json
import os
import subprocess
import sys
import traceback
import urllib.error
import urllib.request

ISSUER = os.environ["GATELODGE_ISSUER"]
# The `client_id` of a client that has a metadata document.
CLIENT_DOCUMENT = os.environ["CLIENT_DOCUMENT"]
CALLBACK = "http://127.0.0.1/callback"

# What Authlib wants to hear before it speaks plain HTTP, as loopback does.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

failed = []


def story(name):
    """Tells the decorated function at once: a line if it holds, else what went wrong."""

    def tell(function):
        try:
            function()
            print(f"ok {name}", flush=True)
        except Exception:
            print(f"not ok {name}", flush=True)
            print(f"{name}: {traceback.format_exc(limit=-4)}", file=sys.stderr)
            failed.append(name)
        return function

    return tell


def ended():
    """The last line of a file of stories."""
    sys.exit(1 if failed else 0)


def gatelodge(*words):
    """What the command line answers to `words`."""
    line = [os.environ["GATELODGE"], *words, "--json", "--data", os.environ["GATELODGE_DATA"]]
    return json.loads(subprocess.run(line, check=True, capture_output=True).stdout)


def register(name, *flags):
    """A new client, as an operator registers one."""
    return gatelodge("client", "add", name, *flags)


def from_catalogue(app, *flags):
    """A new client of an application that the catalogue knows, and that is reached on loopback."""
    return gatelodge("client", "add", "--app", app, "--url", "http://127.0.0.1", *flags)


def fetch(url):
    """The JSON at `url`."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return json.load(answer)


def metadata():
    """The server's own description."""
    return fetch(f"{ISSUER}/.well-known/oauth-authorization-server")


def said(jwt):
    """What a JWT says, unverified."""
    payload = jwt.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))


def person(deed, url, headers=None, fill=None, at=os.environ["PERSON"]):
    """What becomes of a person's browser at `url`: person.mjs tells which deeds there are."""
    words = json.dumps({"url": url, "headers": headers or {}, "fill": fill or {}}).encode()
    try:
        with urllib.request.urlopen(f"{at}/{deed}", words, timeout=20) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as refused:
        raise RuntimeError(refused.read().decode()) from None


def approve(url):
    """Has the person open `url`, sign in and allow everything; the address that led to."""
    return person("approve", url)["location"]


def visit(url):
    """Has them do that, and their browser come to the program on this machine that waits for them."""
    with urllib.request.urlopen(approve(url), timeout=20) as answer:
        return answer.read().decode()


def userinfo(token):
    """Whom an access token is of, as the issuer answers."""
    url = fetch(f"{ISSUER}/.well-known/openid-configuration")["userinfo_endpoint"]
    question = urllib.request.Request(url, headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(question, timeout=10) as answer:
        return json.load(answer)
