"""django-allauth, with its provider for any OpenID Connect server."""

from django.http import JsonResponse
from django.urls import include, path
from django_app import FORGET, App, configure
from support import ISSUER, ended, from_catalogue, gatelodge, register, story
from web_app import EMAIL, address

configure(
    [
        "allauth",
        "allauth.account",
        "allauth.socialaccount",
        "allauth.socialaccount.providers.openid_connect",
    ],
    middleware=["allauth.account.middleware.AccountMiddleware"],
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
    TEMPLATES=[{
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }],
    AUTHENTICATION_BACKENDS=[
        "django.contrib.auth.backends.ModelBackend",
        "allauth.account.auth_backends.AuthenticationBackend",
    ],
)

from allauth.account.models import EmailAddress  # noqa: E402 - only once Django is set up
from allauth.socialaccount.models import SocialAccount  # noqa: E402
from django.contrib.auth.models import User  # noqa: E402


def who(request):
    user = request.user
    addresses = EmailAddress.objects.filter(user=user) if user.is_authenticated else []
    return JsonResponse({
        "name": user.get_username(),
        "email": getattr(user, "email", None),
        "verified": {known.email: known.verified for known in addresses},
    })


urlpatterns = [
    path("accounts/", include("allauth.urls")),
    path("who", who),
    FORGET,
]
APP = App("/accounts/oidc/gatelodge/login/")


def client(*flags, **more):
    """The settings for a new client."""
    callback = "http://127.0.0.1/accounts/oidc/gatelodge/login/callback/"
    return settings(register("shop", "--redirect", callback, *flags), **more)


def settings(registered, **more):
    """The settings for a client."""
    app = {
        "provider_id": "gatelodge",
        "name": "Gatelodge",
        "client_id": registered["client_id"],
        "secret": registered["client_secret"],
        "settings": {"server_url": ISSUER, **more},
    }
    return {"SOCIALACCOUNT_PROVIDERS": {"openid_connect": {"APPS": [app]}}}


def known():
    """What the application knows of its only user."""
    account = SocialAccount.objects.get(provider="gatelodge")
    return account.uid, account.extra_data["userinfo"]


@story("a person becomes a user with an e-mail address that is verified, for a client without PKCE and nonce")
def _():
    with address("--email-verified"):
        location, user = APP.sign_in(**client("--pkce", "optional"))

    assert location == "/who", location
    assert user == {"name": "ada", "email": EMAIL, "verified": {EMAIL: True}}, user
    sub, claims = known()
    assert sub == gatelodge("user", "show", "ada")["id"]
    assert claims["name"] == "Ada Lovelace"


@story("the same with PKCE, for a client as it is registered")
def _():
    User.objects.all().delete()

    with address("--email-verified"):
        location, user = APP.sign_in(**client(oauth_pkce_enabled=True))

    assert location == "/who", location
    assert user == {"name": "ada", "email": EMAIL, "verified": {EMAIL: True}}, user


@story("the same by the client that the catalogue has for Paperless-ngx, which runs this library")
def _():
    User.objects.all().delete()
    own = {"oauth_pkce_enabled": True, "token_auth_method": "client_secret_basic"}

    with address("--email-verified"):
        location, user = APP.sign_in(**settings(from_catalogue("paperless-ngx"), **own))

    assert location == "/who", location
    assert user == {"name": "ada", "email": EMAIL, "verified": {EMAIL: True}}, user


@story("an address that nobody vouches for is not verified")
def _():
    User.objects.all().delete()

    with address():
        location, user = APP.sign_in(**client("--pkce", "optional"))

    assert location == "/who", location
    assert user["verified"] == {EMAIL: False}, user


@story("somebody without an e-mail address becomes a user by their sub, and stays who they are")
def _():
    User.objects.all().delete()
    options = client("--pkce", "optional")

    first = APP.sign_in(**options)
    again = APP.sign_in(**options)

    assert first == ("/who", {"name": "ada", "email": "", "verified": {}}), first
    assert again == first
    sub, claims = known()
    assert sub == gatelodge("user", "show", "ada")["id"]
    assert not {"email", "email_verified"} & set(claims)


ended()
