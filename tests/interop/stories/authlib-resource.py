"""Authlib and joserfc as a resource server, which knows the issuer by its metadata alone."""

from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc6749 import ResourceProtector
from authlib.oauth2.rfc6750 import InsufficientScopeError, InvalidTokenError
from authlib.oauth2.rfc7662 import IntrospectTokenValidator
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from joserfc import jwt
from joserfc.jwk import KeySet
from support import CALLBACK, ISSUER, approve, ended, fetch, gatelodge, metadata, register, story

SERVER = metadata()


class Validator(JWTBearerTokenValidator):
    def get_jwks(self):
        return fetch(SERVER["jwks_uri"])


class Asking(IntrospectTokenValidator):
    """Asks the issuer about each token (RFC 7662), with the credentials of a resource."""

    def __init__(self, resource):
        super().__init__()
        self.session = OAuth2Session(resource["client_id"], resource["client_secret"])

    def introspect_token(self, token_string):
        return self.session.introspect_token(SERVER["introspection_endpoint"], token_string).json()


class Request:
    def __init__(self, token):
        self.headers = {"Authorization": f"Bearer {token}"}


def accept(token, scopes=(), audience=ISSUER, issuer=ISSUER, validator=None):
    """What a resource at `audience`, which trusts `issuer`, learns from a token."""
    protector = ResourceProtector()
    protector.register_token_validator(validator or Validator(issuer, audience))
    return protector.validate_request(list(scopes), Request(token))


def refused(error, *arguments, **options):
    try:
        accept(*arguments, **options)
    except error:
        return
    raise AssertionError(f"no {error.__name__}")


def program(*flags, **parameters):
    """A program with a token of its own."""
    registered = register("nightly", "--scope", "orders:read", *flags)
    session = OAuth2Session(registered["client_id"], registered["client_secret"])
    return registered, session.fetch_token(SERVER["token_endpoint"], grant_type="client_credentials", **parameters)


def person():
    """The tokens of somebody who signed in."""
    verifier = "a-verifier-that-only-these-stories-would-ever-use"
    registered = register("shop", "--redirect", CALLBACK)
    session = OAuth2Session(
        registered["client_id"], registered["client_secret"], redirect_uri=CALLBACK, scope="openid profile",
        code_challenge_method="S256",
    )
    url, state = session.create_authorization_url(SERVER["authorization_endpoint"], code_verifier=verifier)
    return session.fetch_token(
        SERVER["token_endpoint"], authorization_response=approve(url), state=state, code_verifier=verifier
    )


@story("access token of a person is valid by RFC 9068")
def _():
    claims = accept(person()["access_token"], ["profile"])

    assert claims["scope"].split() and claims["auth_time"] and claims["amr"]


@story("access token of a program is valid by RFC 9068")
def _():
    registered, token = program()

    claims = accept(token["access_token"], ["orders:read"])

    assert claims["sub"] == claims["client_id"] == registered["client_id"]


@story("another audience, another issuer or a scope that was not granted is refused")
def _():
    _, token = program()

    refused(InvalidTokenError, token["access_token"], audience="https://other.example")
    refused(InvalidTokenError, token["access_token"], issuer="https://other.example")
    refused(InsufficientScopeError, token["access_token"], ["orders:write"])


@story("an ID token is no access token")
def _():
    refused(InvalidTokenError, person()["id_token"])


@story("a resource that asks about each token knows its own, while they are in force")
def _():
    orders, other = "https://orders.example", "https://other.example"
    asking = Asking(gatelodge("resource", "add", orders, "--scope", "orders:read", "--introspect"))
    stranger = Asking(gatelodge("resource", "add", other, "--introspect"))
    registered, token = program("--resource", orders, resource=orders)

    claims = accept(token["access_token"], ["orders:read"], validator=asking)

    assert (claims["client_id"], claims["aud"]) == (registered["client_id"], orders)
    refused(InsufficientScopeError, token["access_token"], ["orders:write"], validator=asking)
    refused(InvalidTokenError, token["access_token"], validator=stranger)
    gatelodge("client", "disable", registered["client_id"])
    refused(InvalidTokenError, token["access_token"], validator=asking)


@story("joserfc finds type, key and lifetime as RFC 9068 has them")
def _():
    _, token = program()
    keys = KeySet.import_key_set(fetch(SERVER["jwks_uri"]))

    decoded = jwt.decode(token["access_token"], keys, algorithms=["ES256"])

    claims = jwt.JWTClaimsRegistry(iss={"essential": True, "value": ISSUER}, exp={"essential": True})
    claims.validate(decoded.claims)
    assert decoded.header["typ"] == "at+jwt"
    assert decoded.claims["exp"] - decoded.claims["iat"] == token["expires_in"]


ended()
