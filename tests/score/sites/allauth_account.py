"""django-allauth with its default settings, but for the limits."""

from tests.score.sites.base import *  # noqa: F403
from tests.score.sites.base import INSTALLED_APPS as BASE_APPS
from tests.score.sites.base import MIDDLEWARE as BASE_MIDDLEWARE

INSTALLED_APPS = [*BASE_APPS, "allauth", "allauth.account"]
MIDDLEWARE = [*BASE_MIDDLEWARE, "allauth.account.middleware.AccountMiddleware"]
AUTHENTICATION_BACKENDS = [
    "django.contrib.auth.backends.ModelBackend",
    "allauth.account.auth_backends.AuthenticationBackend",
]
# Counted as ever, but high enough for a run.
ACCOUNT_RATE_LIMITS = {"reset_password": "1000000/m/ip,1000000/m/key", "reset_password_from_key": "1000000/m/ip"}
