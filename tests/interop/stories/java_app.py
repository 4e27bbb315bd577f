"""A Java program as stories see it, and a browser that keeps its cookies."""

import os
import re
import subprocess
import threading
import urllib.error
import urllib.request
from http.cookiejar import CookieJar
from urllib.parse import urlencode, urljoin

from authlib.integrations.requests_client import OAuth2Session
from support import ISSUER, gatelodge, metadata, person, register


class App:
    """The program in `jar`, with its settings, until it is left. It says its port as `listening` has it."""

    def __init__(self, jar, listening, settings):
        # It ends by itself where these stories cannot end it.
        words = ["timeout", "100", os.environ["JAVA"], "-XX:TieredStopAtLevel=1"]
        words += [f"-D{name}={value}" for name, value in settings.items()]
        self.words = [*words, "-jar", os.path.join(os.environ["JAVA_PROGRAMS"], jar)]
        self.listening = listening
        self.lines = []

    def __enter__(self):
        self.process = subprocess.Popen(self.words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for line in self.process.stdout:
            self.lines.append(line)
            if said := re.search(self.listening, line):
                break
        else:
            raise RuntimeError("it did not start:\n" + "".join(self.lines))
        self.reader = threading.Thread(target=lambda: self.lines.extend(self.process.stdout))
        self.reader.start()
        return f"http://127.0.0.1:{said[1]}"

    def __exit__(self, failure, *_):
        self.process.terminate()
        self.process.wait(10)
        self.reader.join(10)
        if failure:
            print(*self.lines[-40:], sep="", flush=True)


class Unfollowed(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Browser:
    """That of the person, at the application at `url`. What it shows of the issuer is person.mjs."""

    def __init__(self, url):
        self.url = url
        self.opener = urllib.request.build_opener(Unfollowed, urllib.request.HTTPCookieProcessor(CookieJar()))

    def ask(self, path="/", form=None, headers=None):
        """One request: the status, the text and the headers of the answer."""
        body = urlencode(form).encode() if form else None
        headers = {"Accept": "text/html,*/*;q=0.8", **(headers or {})}
        request = urllib.request.Request(urljoin(self.url, path), body, headers)
        try:
            with self.opener.open(request, timeout=20) as answer:
                return answer.status, answer.read().decode(), answer.headers
        except urllib.error.HTTPError as answer:
            return answer.code, answer.read().decode(), answer.headers

    def visit(self, path="/"):
        """The page that redirects lead to, over those of the issuer, where the person signs in."""
        for _ in range(10):
            status, text, headers = self.ask(path)
            if not headers["Location"]:
                return status, text
            path = urljoin(urljoin(self.url, path), headers["Location"])
            if path.startswith(ISSUER):
                path = person("approve", path)["location"]
            assert path.startswith(self.url), path
        raise RuntimeError(f"redirected without end, last to {path}")

    def left(self, path, form=None):
        """Where the issuer lets the person go who was sent there, and touches nothing."""
        return person("open", self.ask(path, form)[2]["Location"])["location"]


def token(resource, *flags):
    """A program's token for a new resource, and the program."""
    gatelodge("resource", "add", resource, "--scope", "orders:read", *flags)
    registered = register("nightly", "--scope", "orders:read", "--resource", resource)
    session = OAuth2Session(registered["client_id"], registered["client_secret"])
    endpoint = metadata()["token_endpoint"]
    answer = session.fetch_token(endpoint, grant_type="client_credentials", resource=resource)
    return answer["access_token"], registered["client_id"]
