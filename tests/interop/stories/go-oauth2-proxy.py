"""oauth2-proxy before an application that knows nothing of sign-in."""

import json
import os
import socket
import tempfile
import threading
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from go_program import signed_in, start
from support import ISSUER, ended, from_catalogue, gatelodge, person, story

HOME = tempfile.TemporaryDirectory(prefix="oauth2-proxy-")


class Application(BaseHTTPRequestHandler):
    """Answers with the headers that reached it."""

    def log_message(self, *_):
        pass

    def do_GET(self):
        text = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def proxy(*settings):
    """A proxy that runs before an application: its origin."""
    application = ThreadingHTTPServer(("127.0.0.1", 0), Application)
    threading.Thread(target=application.serve_forever, daemon=True).start()
    client = from_catalogue("oauth2-proxy")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    origin = f"http://127.0.0.1:{port}"
    start(
        "oauth2-proxy", "--provider=oidc", f"--oidc-issuer-url={ISSUER}", f"--client-id={client['client_id']}",
        f"--client-secret={client['client_secret']}", f"--redirect-url={origin}/oauth2/callback",
        f"--http-address=127.0.0.1:{port}", f"--upstream=http://127.0.0.1:{application.server_address[1]}",
        "--email-domain=*", f"--cookie-secret={os.urandom(16).hex()}", "--cookie-secure=false",
        "--code-challenge-method=S256", "--skip-provider-button", *settings,
    )
    for _ in range(200):
        try:
            urllib.request.urlopen(f"{origin}/ping", timeout=5).close()
            return origin
        except OSError:
            time.sleep(0.05)
    raise AssertionError("oauth2-proxy did not start")


@story("the application learns who signed in, with address and groups")
def _():
    groups = ["--group", "staff", "--group", "engines"]
    gatelodge("user", "set", "ada", "--email", "ada@example.org", "--email-verified", *groups)
    origin = proxy("--scope=openid email profile groups")

    headers = signed_in(origin)

    assert headers["x-forwarded-email"] == "ada@example.org"
    assert headers["x-forwarded-preferred-username"] == "ada"
    assert {"engines", "staff"} <= set(headers["x-forwarded-groups"].split(",")), headers


@story("signing out at the proxy ends the session at the issuer")
def _():
    origin = proxy(f"--backend-logout-url={ISSUER}/oauth/logout?id_token_hint={{id_token}}")
    signed_in(origin)
    assert gatelodge("session", "list")["sessions"]

    person("open", f"{origin}/oauth2/sign_out")

    assert not gatelodge("session", "list")["sessions"]
    assert person("open", origin)["heading"] == "Sign in"


@story("a person without an address is asked for one before they are let in")
def _():
    gatelodge("user", "set", "ada", "--email", "")
    origin = proxy("--insecure-oidc-allow-unverified-email")

    headers = signed_in(origin, fill={"email": "ada@example.net"})

    assert headers["x-forwarded-email"] == "ada@example.net"


ended()
