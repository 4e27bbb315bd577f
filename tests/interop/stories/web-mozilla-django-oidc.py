"""mozilla-django-oidc, with the settings that its documentation begins with."""

from django.http import JsonResponse
from django.urls import include, path
from django_app import FORGET, App, configure
from support import ended, from_catalogue, gatelodge, metadata, register, story
from web_app import EMAIL, address

SERVER = metadata()

configure(
    ["mozilla_django_oidc"],
    AUTHENTICATION_BACKENDS=["mozilla_django_oidc.auth.OIDCAuthenticationBackend"],
    OIDC_RP_SIGN_ALGO="RS256",
    OIDC_OP_JWKS_ENDPOINT=SERVER["jwks_uri"],
    OIDC_OP_AUTHORIZATION_ENDPOINT=SERVER["authorization_endpoint"],
    OIDC_OP_TOKEN_ENDPOINT=SERVER["token_endpoint"],
    OIDC_OP_USER_ENDPOINT=SERVER["userinfo_endpoint"],
    LOGIN_REDIRECT_URL_FAILURE="/refused",
)

from django.contrib.auth.models import User  # noqa: E402 - only once Django is set up
from mozilla_django_oidc.auth import OIDCAuthenticationBackend  # noqa: E402


class BySub(OIDCAuthenticationBackend):
    """Knows people by their `sub`, as "Connecting OIDC user identities to Django users" has it."""

    def verify_claims(self, claims):
        return "sub" in claims

    def filter_users_by_claims(self, claims):
        return User.objects.filter(username=claims["sub"])

    def get_username(self, claims):
        return claims["sub"]


def who(request):
    user = request.user
    return JsonResponse({"id": user.id, "name": user.get_username(), "email": getattr(user, "email", None)})


urlpatterns = [
    path("oidc/", include("mozilla_django_oidc.urls")),
    path("who", who),
    path("refused", who),
    FORGET,
]
APP = App("/oidc/authenticate/")


def client(*flags):
    """The settings for a new client."""
    return settings(register("shop", "--redirect", "http://127.0.0.1/oidc/callback/", *flags))


def settings(registered):
    """The settings for a client."""
    return {"OIDC_RP_CLIENT_ID": registered["client_id"], "OIDC_RP_CLIENT_SECRET": registered["client_secret"]}


@story("a person becomes a user by their e-mail address, where no PKCE but a nonce is sent")
def _():
    with address():
        location, first = APP.sign_in(**client("--pkce", "nonce"))
        again = APP.sign_in(**client("--pkce", "nonce"))[1]

    assert location == "/who", location
    assert first["email"] == EMAIL
    assert again == first


@story("the same with PKCE, for a client as it is registered")
def _():
    with address():
        location, user = APP.sign_in(OIDC_USE_PKCE=True, **client())

    assert location == "/who", location
    assert user["email"] == EMAIL


@story("the same by the client that the catalogue has for linkding, which runs this library")
def _():
    with address():
        options = {"OIDC_USE_PKCE": True, "OIDC_RP_SCOPES": "openid email profile"}
        location, user = APP.sign_in(**options, **settings(from_catalogue("linkding")))

    assert location == "/who", location
    assert user["email"] == EMAIL


@story("somebody without an e-mail address is refused, and no page breaks")
def _():
    before = User.objects.count()

    location, user = APP.sign_in(**client("--pkce", "nonce"))

    assert location == "/refused", location
    assert user["id"] is None
    assert User.objects.count() == before


@story("where people are known by their sub, they need no address, and stay who they are")
def _():
    by_sub = {"AUTHENTICATION_BACKENDS": [f"{__name__}.BySub"], **client("--pkce", "nonce")}

    first = APP.sign_in(**by_sub)[1]
    again = APP.sign_in(**by_sub)[1]

    assert first["name"] == gatelodge("user", "show", "ada")["id"], first
    assert again == first


ended()
