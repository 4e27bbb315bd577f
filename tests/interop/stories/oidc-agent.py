"""oidc-agent, which keeps a person's sign-ins, and gives tokens to whoever asks at its socket."""

import atexit
import contextlib
import json
import os
import socket
import subprocess
import tempfile
import threading

from support import ISSUER, approve, ended, register, story, userinfo, visit

HOME = tempfile.TemporaryDirectory(prefix="oidc-agent-")


def agent():
    """An agent that runs until the end of these stories: what its tools have to know."""
    home = {**os.environ, "HOME": HOME.name, "TMPDIR": HOME.name, "OIDC_ENCRYPTION_PW": "for these stories"}
    told = json.loads(ran("oidc-agent", "--json", "--no-scheme", environment=home))
    environment = home | {"OIDC_SOCK": told["socket"], "OIDCD_PID": told["dpid"]}
    atexit.register(ran, "oidc-agent", "--kill", environment=environment)
    return environment


def ran(*line, environment=None):
    """What a program says that comes to an end."""
    options = {"env": environment or AGENT, "capture_output": True, "text": True, "timeout": 20}
    return subprocess.run(line, check=True, **options).stdout.strip()


AGENT = agent()


@contextlib.contextmanager
def generating(name, *words):
    """What oidc-gen says, line by line, while it makes an account."""
    line = ["oidc-gen", name, "--iss", ISSUER, "--scope", "openid profile offline_access", "--pw-env"]
    line += ["--prompt=none", "--confirm-default", "--no-url-call", *words]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(line, env=AGENT, text=True, **pipes) as program:
        watchdog = threading.Timer(30, program.kill)
        watchdog.start()
        try:
            yield (line.strip() for line in program.stdout)
            assert "Everything setup correctly!" in program.stdout.read()
            assert program.wait() == 0
        finally:
            watchdog.cancel()
            program.kill()


@story("a client that an operator registered: sign-in with PKCE, and a token for whoever asks")
def _():
    client = register("agent", "--redirect", "http://localhost")
    known = ["--client-id", client["client_id"], "--client-secret", client["client_secret"]]

    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
    with generating("known", *known, "--port", port, "--flow=code") as lines:
        visit(next(line for line in lines if line.startswith("http")))

    assert userinfo(ran("oidc-token", "known"))["preferred_username"] == "ada"


@story("a client that registered itself: a device code, a token, and a fresh one")
def _():
    with generating("unknown") as lines:
        page = next(line for line in lines if line.startswith("http"))
        code = next(line.rpartition(" ")[2] for line in lines if line.startswith("And enter the code"))
        approve(f"{page}?user_code={code}")
    token = ran("oidc-token", "unknown")
    fresh = ran("oidc-token", "--force-new", "unknown")

    assert token != fresh
    assert userinfo(fresh)["preferred_username"] == "ada"


ended()
