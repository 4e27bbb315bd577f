"""What schemathesis asks of the story of the administration API: a token that is in force, and names that there are."""

import json
import os
import random
import subprocess

import schemathesis

# Names of what the story has made, by the parameter of a path. The programs' own fill in the rest.
NAMES = {
    "fingerprint": ["laptop"],
    "id": ["shop", "laptop", "gls-"],
    "resource": ["Parts"],
    "username": ["ada", "bob"],
}


def gatelodge(*words):
    line = [os.environ["PROGRAM"], *words, "--json", "--data", os.environ["API_DATA"]]
    return subprocess.run(line, capture_output=True, text=True)


@schemathesis.auth(refresh_interval=None)
class Bearer:
    """A token of a client that may everything. It is made anew once an operation has ended it."""

    token = None

    def get(self, case, context):
        if Bearer.token is None:
            issued = gatelodge("token", "issue", "--client", "tester")
            if issued.returncode:
                gatelodge("client", "add", "tester", "--id", "tester", "--scope", "admin")
                gatelodge("client", "enable", "tester")
                issued = gatelodge("token", "issue", "--client", "tester")
            Bearer.token = json.loads(issued.stdout)["access_token"]
        return Bearer.token

    def set(self, case, token, context):
        case.headers["Authorization"] = f"Bearer {token}"


@schemathesis.serializer("application/x-ndjson")
def lines(context, value):
    """The lines of an import, whatever they are."""
    return value.encode() if isinstance(value, str) else json.dumps(value).encode()


@schemathesis.hook
def after_call(context, case, response):
    """Operations revoke keys, and change and remove clients."""
    if response.status_code in (401, 403):
        Bearer.token = None


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    """Every other name is one that there may be."""
    for name in path_parameters or {}:
        if name in NAMES and random.random() < 0.5:
            path_parameters[name] = random.choice(NAMES[name])
    return path_parameters
