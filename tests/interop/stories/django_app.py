"""What the stories of Django applications share: a project with one database, and a user who comes and goes."""

import tempfile

import django
from django.conf import settings
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.test.utils import override_settings
from django.urls import path
from web_app import serve, signed_in

HOME = tempfile.TemporaryDirectory(prefix="django-")


def configure(apps, middleware=(), **more):
    """Sets the project up, with the applications and settings of a library. The story has its `urlpatterns`."""
    settings.configure(
        DEBUG=True,
        SECRET_KEY="only these stories know it",
        ROOT_URLCONF="__main__",
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": f"{HOME.name}/db"}},
        INSTALLED_APPS=[
            "django.contrib.auth",
            "django.contrib.contenttypes",
            "django.contrib.messages",
            "django.contrib.sessions",
            *apps,
        ],
        MIDDLEWARE=[
            "django.contrib.sessions.middleware.SessionMiddleware",
            "django.middleware.csrf.CsrfViewMiddleware",
            "django.contrib.auth.middleware.AuthenticationMiddleware",
            "django.contrib.messages.middleware.MessageMiddleware",
            *middleware,
        ],
        LOGIN_REDIRECT_URL="/who",
        **more,
    )
    django.setup()
    call_command("migrate", verbosity=0)


def forget(request):
    request.session.flush()
    return HttpResponse()


FORGET = path("forget", forget)


class App:
    """The project, where people sign in at `path`."""

    def __init__(self, path):
        self.address, self.path = serve(get_wsgi_application()), path

    def sign_in(self, **options):
        """Where a new browser lands under these settings, and what JSON is there."""
        with override_settings(**options):
            return signed_in(self.address, self.path)
