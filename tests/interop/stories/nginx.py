"""nginx before an application that knows nothing of sign-in, configured as the manual says."""

import atexit
import json
import os
import re
import socket
import subprocess
import tempfile
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from support import ISSUER, ended, person, story

WIKI, NOTES = os.environ["WIKI"], os.environ["NOTES"]
PAGE = Path(__file__).resolve().parents[3] / "assets/manual/proxy.md"

# What reached the application: the path and the headers of each request.
seen = []


class Application(BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        seen.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        text = json.dumps(seen[-1][1]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


def locations(application):
    """What the manual has a `server` say, with the addresses of this run: its first lines for nginx,
    those for a Gatelodge without TLS."""
    text = re.search(r"```nginx\n(.*?)```", PAGE.read_text(), re.DOTALL)[1]
    for written, meant in [
        ("http://127.0.0.1:7455", ISSUER.replace("localhost", "127.0.0.1")),
        ("http://127.0.0.1:3000", application),
    ]:
        assert written in text, written
        text = text.replace(written, meant)
    return text


def start():
    """An application behind nginx, at both hosts. They end with these stories."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Application)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    inside = locations(f"http://127.0.0.1:{server.server_address[1]}")
    home = tempfile.TemporaryDirectory(prefix="nginx-")
    atexit.register(home.cleanup)
    ports = [host.rpartition(":")[2] for host in (WIKI, NOTES)]
    servers = "".join(f"server {{ listen 127.0.0.1:{port};\n{inside} }}\n" for port in ports)
    kept = "".join(f"{kind}_temp_path {kind};\n" for kind in ["client_body", "fastcgi", "proxy", "scgi", "uwsgi"])
    Path(home.name, "nginx.conf").write_text(
        "daemon off; master_process off; pid nginx.pid; error_log stderr;\n"
        f"events {{}}\nhttp {{ access_log off;\n{kept}{servers}}}\n"
    )
    nginx = subprocess.Popen([os.environ["NGINX"], "-p", home.name, "-c", "nginx.conf", "-e", "stderr"])
    atexit.register(lambda: (nginx.terminate(), nginx.wait(5)))
    for port in ports:
        for _ in range(100):
            assert nginx.poll() is None, "nginx did not start"
            try:
                socket.create_connection(("127.0.0.1", int(port)), 1).close()
                break
            except ConnectionRefusedError:
                time.sleep(0.05)


class Unfollowed(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def stranger(path, headers=None):
    """What nginx says to a browser without a cookie: the status, and where it sends it."""
    port = WIKI.rpartition(":")[2]
    request = urllib.request.Request(f"http://127.0.0.1:{port}{path}", headers={"Host": WIKI, **(headers or {})})
    try:
        with urllib.request.build_opener(Unfollowed).open(request, timeout=20) as answer:
            return answer.status, None
    except urllib.error.HTTPError as refused:
        return refused.code, refused.headers["Location"]


start()


@story("a stranger is sent to sign in, and the application hears nothing")
def _():
    status, location = stranger("/page?a=b", {"Remote-User": "ada"})

    assert (status, location) == (302, f"http://{WIKI}/_gatelodge/start?rd=%2Fpage%3Fa%3Db"), location
    assert not seen


@story("somebody who signs in comes back to the page, by name")
def _():
    answer = person("approve", f"http://{WIKI}/page?a=b")

    assert (answer["status"], answer["location"]) == (200, f"http://{WIKI}/page?a=b")
    path, headers = seen[-1]
    assert path == "/page?a=b"
    assert headers["remote-user"] == "ada"
    assert headers["remote-name"] == "Ada Lovelace"
    assert "admin" in headers["remote-groups"].split(",")


@story("what a browser says of itself is overwritten, if only by nothing")
def _():
    forged = {name: "root" for name in ("Remote-User", "Remote_User", "Remote-Email", "Remote-Groups")}

    answer = person("open", f"http://{WIKI}/page", forged)

    headers = json.loads(answer["text"])
    assert headers["remote-user"] == "ada"
    assert not {"remote-email", "remote_user"} & set(headers)
    assert "root" not in headers["remote-groups"]


@story("what nginx asks is nothing that a browser can ask")
def _():
    assert stranger("/_gatelodge/verify")[0] == 404


@story("somebody without the role is not let in")
def _():
    before = len(seen)

    answer = person("open", f"http://{NOTES}/page")

    assert answer["status"] == 403
    assert len(seen) == before


@story("signing out closes the door")
def _():
    person("approve", f"http://{WIKI}/_gatelodge/sign-out")
    before = len(seen)

    answer = person("open", f"http://{WIKI}/page")

    assert answer["location"].startswith(f"{ISSUER}/gate/"), answer["location"]
    assert len(seen) == before


ended()
