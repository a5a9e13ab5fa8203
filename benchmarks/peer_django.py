"""django-oauth-toolkit as a peer: one protected JSON view, 20,001 tokens in SQLite (WAL).

Its token endpoint and introspection besides, with a client secret that is not hashed slowly: its fastest form.
Run by the peer's own Python, never by ours: once with a token and a client to seed, then by gunicorn as
`peer_django:application`.
"""

import os
import sys
from datetime import timedelta
from typing import Any

import django  # type: ignore[import-not-found]  # installed by tools/peers.sh, in an environment of its own
from django.conf import settings  # type: ignore[import-not-found]

settings.configure(
    SECRET_KEY="benchmark",
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "oauth2_provider"],
    MIDDLEWARE=["django.middleware.common.CommonMiddleware"],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ["PEER_DJANGO_DB"],
            "CONN_MAX_AGE": 600,
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20, "init_command": "PRAGMA journal_mode=WAL"},
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    OAUTH2_PROVIDER={"SCOPES": {"read": "read", "introspection": "introspection"}},
    LOGGING={"version": 1, "disable_existing_loggers": True, "root": {"level": "ERROR", "handlers": []}},
)
django.setup()

from django.http import JsonResponse  # type: ignore[import-not-found]  # noqa: E402 - Django wants its settings first
from django.urls import include, path  # type: ignore[import-not-found]  # noqa: E402
from oauth2_provider.decorators import protected_resource  # type: ignore[import-not-found]  # noqa: E402


@protected_resource(scopes=["read"])  # type: ignore[untyped-decorator]  # the peer ships no types
def me(request: Any) -> Any:
    return JsonResponse({"client": request.resource_owner.pk, "ok": True})


urlpatterns = [path("me", me), path("o/", include("oauth2_provider.urls", namespace="oauth2_provider"))]


def seed(token: str, client_id: str, client_secret: str) -> None:
    from django.contrib.auth import get_user_model  # type: ignore[import-not-found]
    from django.core.management import call_command  # type: ignore[import-not-found]
    from django.utils import timezone  # type: ignore[import-not-found]
    from oauth2_provider.models import AccessToken, Application  # type: ignore[import-not-found]

    call_command("migrate", verbosity=0)
    person = get_user_model().objects.create(username="bench")
    application = Application.objects.create(
        name="bench",
        client_id=client_id,
        client_secret=client_secret,
        hash_client_secret=False,
        client_type="confidential",
        authorization_grant_type="client-credentials",
        user=person,
    )
    common = {"user": person, "application": application, "scope": "read"}
    until = timezone.now() + timedelta(days=30)
    AccessToken.objects.create(token=token, expires=until, **common)
    others = [
        AccessToken(token=f"other-{number}", token_checksum=f"{number:064x}", expires=until, **common)
        for number in range(20_000)
    ]
    AccessToken.objects.bulk_create(others, batch_size=2000)


if __name__ == "__main__":
    seed(*sys.argv[1:4])
else:
    from django.core.wsgi import get_wsgi_application  # type: ignore[import-not-found]

    application = get_wsgi_application()
