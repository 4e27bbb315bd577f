"""What stories of programs in Go share: how one is started, and that it ends with them."""

import atexit
import json
import os
import subprocess
import threading
from pathlib import Path

from support import ISSUER, person

PROGRAMS = Path(os.environ["GO_PROGRAMS"])


def start(name, *words, **environment):
    """A program that runs."""
    line = [str(PROGRAMS / name), *words]
    environment = {**os.environ, "ISSUER": ISSUER, **environment}
    process = subprocess.Popen(line, env=environment, stdout=subprocess.PIPE, text=True)
    watchdog = threading.Timer(60, process.kill)
    watchdog.daemon = True
    watchdog.start()
    atexit.register(lambda: (process.terminate(), process.wait(5)))
    return process


def site(name, *words, **environment):
    """The origin of a web application that runs: it says that in its first line."""
    origin = start(name, *words, **environment).stdout.readline().strip()
    assert origin.startswith("http"), f"{name} did not start"
    return origin


def credentials(client):
    """What the operator of an application copies into it."""
    return {"CLIENT_ID": client["client_id"], "CLIENT_SECRET": client.get("client_secret", "")}


def signed_in(url, fill=None):
    """What an application says to somebody who began at `url`, and signed in."""
    page = person("approve", url, fill=fill)
    # A page of the issuer's led back, not a redirect.
    if "text" not in page:
        page = person("open", page["location"])
    assert page["status"] == 200, page
    return json.loads(page["text"])
