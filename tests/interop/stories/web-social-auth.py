"""Python Social Auth in Django, with its backend for any OpenID provider."""

import tempfile

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse, JsonResponse
from django.template import engines
from django.test.utils import override_settings
from django.urls import include, path
from support import ISSUER, ended, gatelodge, register, story
from web_app import EMAIL, address, serve, signed_in

HOME = tempfile.TemporaryDirectory(prefix="django-")

settings.configure(
    DEBUG=True,
    SECRET_KEY="only these stories know it",
    ROOT_URLCONF=__name__,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{HOME.name}/db"}},
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.auth",
        "social_django",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    AUTHENTICATION_BACKENDS=["social_core.backends.open_id_connect.OpenIdConnectAuth"],
    SOCIAL_AUTH_OIDC_OIDC_ENDPOINT=ISSUER,
    LOGIN_REDIRECT_URL="/who",
)
django.setup()
call_command("migrate", verbosity=0)

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


def forget(request):
    request.session.flush()
    return HttpResponse()


urlpatterns = [
    path("", include("social_django.urls", namespace="social")),
    path("begin", begin),
    path("who", who),
    path("forget", forget),
]
APP = serve(get_wsgi_application())


def client(*flags):
    """The settings for a new client."""
    registered = register("shop", "--redirect", "http://127.0.0.1/complete/oidc/", *flags)
    return {"SOCIAL_AUTH_OIDC_KEY": registered["client_id"], "SOCIAL_AUTH_OIDC_SECRET": registered["client_secret"]}


def sign_in(**options):
    with override_settings(**options):
        return signed_in(APP, "/begin")


def sub():
    """What the application knows its only user by."""
    return UserSocialAuth.objects.get(provider="oidc").uid


@story("a person becomes a user with their name and e-mail address, where no PKCE but a nonce is sent")
def _():
    with address():
        location, user = sign_in(**client("--pkce", "nonce"))

    assert location == "/who", location
    assert user == {"name": "ada", "email": EMAIL, "fullname": "Ada Lovelace"}
    assert sub() == gatelodge("user", "show", "ada")["id"]


@story("the same with PKCE, for a client as it is registered")
def _():
    User.objects.all().delete()

    with address():
        location, user = sign_in(SOCIAL_AUTH_OIDC_USE_PKCE=True, **client())

    assert location == "/who", location
    assert user == {"name": "ada", "email": EMAIL, "fullname": "Ada Lovelace"}


@story("somebody without an e-mail address becomes a user by their sub, and stays who they are")
def _():
    User.objects.all().delete()
    options = client("--pkce", "nonce")

    first = sign_in(**options)
    again = sign_in(**options)

    assert first == ("/who", {"name": "ada", "email": "", "fullname": "Ada Lovelace"}), first
    assert again == first
    assert sub() == gatelodge("user", "show", "ada")["id"]


ended()
