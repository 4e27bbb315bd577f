"""Python Social Auth in Django, with its backend for any OpenID provider."""

from django.http import HttpResponse, JsonResponse
from django.template import engines
from django.urls import include, path
from django_app import FORGET, App, configure
from support import ISSUER, ended, gatelodge, register, story
from web_app import EMAIL, address

configure(
    ["social_django"],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    AUTHENTICATION_BACKENDS=["social_core.backends.open_id_connect.OpenIdConnectAuth"],
    SOCIAL_AUTH_OIDC_OIDC_ENDPOINT=ISSUER,
)

from django.contrib.auth.models import User  # noqa: E402 - only once Django is set up
from social_django.models import UserSocialAuth  # noqa: E402


def begin(request):
    button = """
        <form action="{% url 'social:begin' 'oidc' %}" method="post">
            {% csrf_token %} <button>Sign in</button>
        </form>
    """
    return HttpResponse(engines["django"].from_string(button).render(request=request))


def who(request):
    user = request.user
    return JsonResponse({"name": user.get_username(), "email": user.email, "fullname": user.get_full_name()})


urlpatterns = [
    path("", include("social_django.urls", namespace="social")),
    path("begin", begin),
    path("who", who),
    FORGET,
]
APP = App("/begin")


def client(*flags):
    """The settings for a new client."""
    registered = register("shop", "--redirect", "http://127.0.0.1/complete/oidc/", *flags)
    return {"SOCIAL_AUTH_OIDC_KEY": registered["client_id"], "SOCIAL_AUTH_OIDC_SECRET": registered["client_secret"]}


def sub():
    """What the application knows its only user by."""
    return UserSocialAuth.objects.get(provider="oidc").uid


@story("a person becomes a user with their name and e-mail address, where no PKCE but a nonce is sent")
def _():
    with address():
        location, user = APP.sign_in(**client("--pkce", "nonce"))

    assert location == "/who", location
    assert user == {"name": "ada", "email": EMAIL, "fullname": "Ada Lovelace"}
    assert sub() == gatelodge("user", "show", "ada")["id"]


@story("the same with PKCE, for a client as it is registered")
def _():
    User.objects.all().delete()

    with address():
        location, user = APP.sign_in(SOCIAL_AUTH_OIDC_USE_PKCE=True, **client())

    assert location == "/who", location
    assert user == {"name": "ada", "email": EMAIL, "fullname": "Ada Lovelace"}


@story("somebody without an e-mail address becomes a user by their sub, and stays who they are")
def _():
    User.objects.all().delete()
    options = client("--pkce", "nonce")

    first = APP.sign_in(**options)
    again = APP.sign_in(**options)

    assert first == ("/who", {"name": "ada", "email": "", "fullname": "Ada Lovelace"}), first
    assert again == first
    assert sub() == gatelodge("user", "show", "ada")["id"]


ended()
