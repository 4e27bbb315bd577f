"""schemathesis against the administration API, by its own description."""

import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from support import ended, story

HERE = Path(__file__).resolve().parent
HOME = tempfile.TemporaryDirectory(prefix="api-")
DATA = os.path.join(HOME.name, "data")
# Without what the configuration of the server of the other stories is.
BARE = {"HOME": HOME.name, "PATH": os.environ["PATH"]}

# What a request that fits the description may still be refused for: a rule that no schema says, such
# as that of redirect URIs.
CHECKS = """
hooks = "api_hooks"

[checks]
positive_data_acceptance.expected-statuses = ["2xx", "400", "401", "403", "404", "409", "413"]
"""


def gatelodge(*words):
    line = [os.environ["GATELODGE"], *words, "--json", "--data", DATA]
    return subprocess.run(line, capture_output=True, text=True, check=True, env=BARE).stdout


def serve():
    """Starts a server of its own, since the operations end and remove whatever there is."""
    words = [os.environ["GATELODGE"], "serve", "--offline", "--print-setup"]
    words += ["--listen", "127.0.0.1:0", "--data", DATA]
    log = open(os.path.join(HOME.name, "log"), "wb")
    server = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=log, text=True, env=BARE)
    watchdog = threading.Timer(20, server.kill)
    watchdog.start()
    greeting = server.stdout.readline()
    watchdog.cancel()
    return server, json.loads(greeting)["issuer"]


def strict(description):
    """The description, in which no response has a member that it does not name."""
    for name, schema in description["components"]["schemas"].items():
        if name.endswith(("View", "ViewList")) and "anyOf" not in schema:
            schema["additionalProperties"] = False
    return description


@story("every operation keeps to its description, whatever it is asked")
def _():
    server, issuer = serve()
    try:
        gatelodge("user", "add", "ada")
        gatelodge("user", "add", "bob", "--role", "admin")
        gatelodge("client", "add", "shop", "--id", "shop", "--redirect", "https://shop.example/cb")
        gatelodge("resource", "add", "https://api.example", "--name", "Parts", "--scope", "parts")
        gatelodge("bridge", "issue-pat", "ada", "--name", "laptop")
        file = os.path.join(HOME.name, "openapi.json")
        Path(file).write_text(json.dumps(strict(json.loads(gatelodge("api")))))
        configuration = os.path.join(HOME.name, "schemathesis.toml")
        Path(configuration).write_text(CHECKS)
        words = [str(Path(sys.executable).parent / "st"), "--config-file", configuration, "run", file]
        words += ["--url", issuer, "--checks", "all", "--max-examples", "15", "--seed", "1"]
        # Of names in a path, many are filtered out that stand for another path.
        words += ["--suppress-health-check", "filter_too_much"]
        environment = BARE | {"API_DATA": DATA, "PYTHONPATH": str(HERE)}
        environment["PROGRAM"] = os.environ["GATELODGE"]
        told = subprocess.run(words, capture_output=True, text=True, env=environment, cwd=HOME.name)
        sys.stderr.write(told.stdout + told.stderr)
        assert told.returncode == 0, f"schemathesis ended with {told.returncode}"
    finally:
        server.terminate()
        server.wait(20)


ended()
