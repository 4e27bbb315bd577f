"""What the stories of web applications share: where one listens, and what a person's browser does there."""

import contextlib
import json
import threading
from wsgiref.simple_server import WSGIRequestHandler, make_server

from support import gatelodge, person

EMAIL = "ada@example.org"


class Quiet(WSGIRequestHandler):
    def log_message(self, *_):
        pass


def serve(application):
    """The address of a WSGI application, from now on."""
    server = make_server("127.0.0.1", 0, application, handler_class=Quiet)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def signed_in(app, path):
    """Where a person lands whose browser is new to `app` and signs in at `path`, and what JSON is there."""
    assert person("open", f"{app}/forget")["status"] == 200
    answer = person("approve", app + path)
    assert answer.get("status") == 200, answer
    return answer["location"].removeprefix(app), json.loads(answer["text"])


@contextlib.contextmanager
def address(*flags):
    """As long as this lasts, the person has an e-mail address."""
    gatelodge("user", "set", "ada", "--email", EMAIL, *flags)
    try:
        yield
    finally:
        gatelodge("user", "set", "ada", "--email", "")
