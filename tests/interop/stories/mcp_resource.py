"""What the stories of the MCP SDK in Python share: a server that wants tokens, and a client's memory."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

import anyio
import httpx2
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from mcp.client.auth import OAuthClientProvider
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata
from support import ISSUER, approve, fetch, metadata

REDIRECT = "http://localhost:8977/callback"


def resource(path="/mcp"):
    """A server that runs: its address, which is its resource identifier too."""
    keys = KeySet.import_key_set(fetch(metadata()["jwks_uri"]))

    class Resource(BaseHTTPRequestHandler):
        def log_message(self, *_):
            pass

        def answer(self, status, body, **headers):
            text = json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name.replace("_", "-"), value)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def claims(self):
            """What the token says, if the issuer signed it for this server (RFC 9068 §4)."""
            token = self.headers.get("Authorization", "").removeprefix("Bearer ")
            try:
                decoded = jwt.decode(token, keys, algorithms=["ES256"])
                expected = {"iss": ISSUER, "aud": url}
                required = {name: {"essential": True, "value": value} for name, value in expected.items()}
                jwt.JWTClaimsRegistry(exp={"essential": True}, **required).validate(decoded.claims)
                return decoded.claims
            except (JoseError, ValueError):
                return None

        def do_GET(self):
            if self.path == well_known:
                document = {"resource": url, "authorization_servers": [ISSUER], "scopes_supported": ["orders:read"]}
                return self.answer(200, document)
            if self.path != path:
                return self.answer(404, {})
            claims = self.claims()
            if not claims:
                challenge = f'Bearer resource_metadata="{origin}{well_known}"'
                return self.answer(401, {}, WWW_Authenticate=challenge)
            self.answer(200, {"client": claims["client_id"], "sub": claims["sub"]})

    server = ThreadingHTTPServer(("127.0.0.1", 0), Resource)
    origin = f"http://localhost:{server.server_address[1]}"
    url, well_known = origin + path, "/.well-known/oauth-protected-resource" + path
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return url


class Memory:
    """A TokenStorage."""

    def __init__(self, client=None):
        self.client, self.tokens = client, None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client):
        self.client = client


def described(**members):
    """The client as it describes itself."""
    return OAuthClientMetadata(
        client_name="An MCP client", redirect_uris=[REDIRECT], token_endpoint_auth_method="none", **members
    )


def provider(url, memory, **options):
    """The SDK's provider, with the person at its browser: `landed` has where each sign-in ended."""
    landed = []

    async def redirect(address):
        landed.append(await anyio.to_thread.run_sync(approve, address))

    async def callback():
        answer = {name: values[0] for name, values in parse_qs(urlsplit(landed[-1]).query).items()}
        assert "error" not in answer, answer
        return AuthorizationCodeResult(code=answer["code"], state=answer.get("state"), iss=answer.get("iss"))

    auth = OAuthClientProvider(url, described(), memory, redirect, callback, **options)
    auth.landed = landed
    return auth


def asked(url, auth, again=None):
    """What the server at `url` says to a client with `auth`; then once more, after `again`."""

    async def ask():
        async with httpx2.AsyncClient(auth=auth) as client:
            answers = [await client.get(url)]
            if again:
                again()
                answers.append(await client.get(url))
            return [answer.raise_for_status().json() for answer in answers]

    return anyio.run(ask)
