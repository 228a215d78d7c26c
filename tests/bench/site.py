"""One site with all that is measured, so that nothing but the work itself differs between contestants."""

import os
from pathlib import Path

from tests.score.sites.base import *  # noqa: F403
from tests.score.sites.base import DATABASES as BASE_DATABASES
from tests.score.sites.base import INSTALLED_APPS as BASE_APPS
from tests.score.sites.base import MIDDLEWARE as BASE_MIDDLEWARE
from tests.score.sites.base import TEMPLATES as BASE_TEMPLATES

INSTALLED_APPS = [*BASE_APPS, "anymail", "allauth", "allauth.account", "wagtail_member_reset", "tests.bench"]
MIDDLEWARE = [*BASE_MIDDLEWARE, "allauth.account.middleware.AccountMiddleware"]
ROOT_URLCONF = "tests.bench.urls"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend"]
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""

# The letters of those measured beside ours are written once for each run: see `letters`.
LETTERS = Path(os.environ["BENCH_FOLDER"]) / "letters"
TEMPLATES = [{**BASE_TEMPLATES[0], "DIRS": [str(LETTERS)]}]
DATABASES = {"default": {**BASE_DATABASES["default"], "NAME": os.environ["BENCH_NAME"]}}

WAGTAIL_MEMBER_RESET_BASE_URL = "https://club.example"
# Nothing is sent but by who asks for it.
WAGTAIL_MEMBER_RESET_DELIVERY = "command"
