"""git-credential-oauth, which git asks for a password, with the settings of a custom host."""

import os
import subprocess
import tempfile
import threading
from urllib.parse import urlsplit

from support import ISSUER, ended, metadata, register, story, userinfo, visit

HOME = tempfile.TemporaryDirectory(prefix="git-")
# In place of the browser that the helper opens, which is the person's.
os.symlink("/bin/true", os.path.join(HOME.name, "open"))
GIT = {
    **os.environ,
    "GIT_CONFIG_GLOBAL": os.path.join(HOME.name, "config"),
    "GIT_TERMINAL_PROMPT": "0",
    "PATH": HOME.name + ":" + os.environ["PATH"],
}


def configure(**settings):
    """What the documentation has a user of a custom host say."""
    settings = {f"credential.{ISSUER}.{name}": value for name, value in settings.items()}
    for name, value in {"credential.helper": "oauth", **settings}.items():
        subprocess.run(["git", "config", "--global", name, value], env=GIT, check=True)


def fill():
    """What git is told to sign in with, once a person has been where the helper sends them."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(["git", "credential", "fill"], env=GIT, text=True, **pipes) as git:
        watchdog = threading.Timer(20, git.kill)
        watchdog.start()
        try:
            git.stdin.write(f"url={ISSUER}\n\n")
            git.stdin.close()
            visit(next(line.strip() for line in git.stderr if line.startswith("http")))
            return dict(line.strip().split("=", 1) for line in git.stdout)
        finally:
            watchdog.cancel()
            git.kill()


@story("git signs in with a token of the person's, with PKCE and a port of the moment")
def _():
    server = metadata()
    client = register("git", "--public", "--redirect", "http://127.0.0.1")
    configure(
        oauthClientId=client["client_id"],
        oauthScopes="openid profile",
        oauthAuthURL=urlsplit(server["authorization_endpoint"]).path,
        oauthTokenURL=urlsplit(server["token_endpoint"]).path,
    )

    told = fill()

    assert told["username"] == "oauth2"
    assert userinfo(told["password"])["preferred_username"] == "ada"


ended()
