"""What the sites of all targets have in common: stock Wagtail, and mails that stay in memory."""

import os
import tempfile
import zlib
from pathlib import Path

from tests import settings as suite

DEBUG = False
SECRET_KEY = "only-for-the-score-" + "x" * 40
# As a careful site has it: whoever leaves this open gives Django's own links to the attacker.
ALLOWED_HOSTS = ["testserver", "club.example"]
ROOT_URLCONF = "tests.score.sites.urls"
USE_TZ = True
TIME_ZONE = suite.TIME_ZONE
LANGUAGE_CODE = suite.LANGUAGE_CODE
LANGUAGES = suite.LANGUAGES
STATIC_URL = suite.STATIC_URL
MEDIA_URL = suite.MEDIA_URL
DEFAULT_AUTO_FIELD = suite.DEFAULT_AUTO_FIELD
DEFAULT_FROM_EMAIL = suite.DEFAULT_FROM_EMAIL
INSTALLED_APPS = [
    app for app in suite.INSTALLED_APPS if app.split(".")[0] not in ("tests", "anymail", "wagtail_member_reset")
]
MIDDLEWARE = [*suite.MIDDLEWARE]
TEMPLATES = suite.TEMPLATES
# Asking for a link hashes no password on any of the four; setting one does, and is not what is timed.
PASSWORD_HASHERS = suite.PASSWORD_HASHERS
AUTH_PASSWORD_VALIDATORS = suite.AUTH_PASSWORD_VALIDATORS
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
LOGGING = {"version": 1, "disable_existing_loggers": False, "root": {"level": "ERROR"}}

WAGTAIL_SITE_NAME = suite.WAGTAIL_SITE_NAME
WAGTAILADMIN_BASE_URL = suite.WAGTAILADMIN_BASE_URL
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAILSEARCH_BACKENDS = suite.WAGTAILSEARCH_BACKENDS

# One name for each target and checkout, so that two checkouts may run at once, and nothing piles up.
SCORE_TARGET = os.environ["DJANGO_SETTINGS_MODULE"].rpartition(".")[2]
NAME = f"score_{SCORE_TARGET}_{zlib.crc32(str(Path(__file__).resolve()).encode()):08x}"

if os.environ.get("SCORE_DB", "postgres") == "postgres":
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ.get("PGDATABASE", "postgres"),
            "HOST": os.environ.get("PGHOST", "127.0.0.1"),
            "USER": os.environ.get("PGUSER", "postgres"),
            "PASSWORD": os.environ.get("PGPASSWORD", ""),
            "PORT": os.environ.get("PGPORT", ""),
            "TEST": {"NAME": NAME},
        }
    }
else:
    # A file, since a thread that delivers needs a connection of its own.
    FILE = str(Path(tempfile.gettempdir()) / f"{NAME}.sqlite3")
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": FILE,
            "OPTIONS": {
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
            },
            "TEST": {"NAME": FILE},
        }
    }
