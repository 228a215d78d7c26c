"""Django's own `PasswordResetView`, from `django.contrib.auth.urls`, with the templates of its admin."""

from tests.score.sites.base import *  # noqa: F403
