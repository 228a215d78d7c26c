"""
The suite's site: stock Wagtail, SQLite, and no mail leaves before a test says so.

Variables choose another floor to stand on: TEST_DB=postgres or mariadb, TEST_USER=email (email as
the username, UUID keys), TEST_MAILERS=1 (Django 6.1's MAILERS instead of EMAIL_BACKEND).
"""

import os
import tempfile
from pathlib import Path
from zlib import crc32

import django

ROOT = Path(__file__).resolve().parent.parent
DEBUG = False
SECRET_KEY = "only-for-tests-" + "x" * 40
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.urls"
USE_TZ = True
TIME_ZONE = "Europe/Berlin"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "German")]
STATIC_URL = "/static/"
MEDIA_URL = "/media/"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DEFAULT_FROM_EMAIL = "Example Club <office@club.example>"

INSTALLED_APPS = [
    "wagtail.users",
    "wagtail.admin",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.sites",
    "wagtail.snippets",
    "wagtail.search",
    "wagtail",
    "taggit",
    "modelcluster",
    "anymail",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "tests",
    "wagtail_member_reset",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]

# One name for each checkout: two may run at once, and nothing piles up.
TEST_DB_NAME = f"test_member_reset_{crc32(str(ROOT).encode())}"
if os.environ.get("TEST_DB") == "postgres":
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": os.environ.get("PGDATABASE", "postgres"),
            "HOST": os.environ.get("PGHOST", "127.0.0.1"),
            "USER": os.environ.get("PGUSER", "postgres"),
            "PASSWORD": os.environ.get("PGPASSWORD", ""),
            "PORT": os.environ.get("PGPORT", ""),
            # Whether a power failure takes the last transactions is nothing that tests ask.
            "OPTIONS": {"options": "-c synchronous_commit=off"},
            "TEST": {"NAME": TEST_DB_NAME},
        }
    }
elif os.environ.get("TEST_DB") == "mariadb":
    try:
        import MySQLdb  # noqa: F401 - mysqlclient, where it is installed
    except ImportError:
        import pymysql

        pymysql.install_as_MySQLdb()
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.mysql",
            "NAME": "test",
            "HOST": os.environ.get("MYSQL_HOST", "127.0.0.1"),
            "USER": os.environ.get("MYSQL_USER", "root"),
            "PASSWORD": os.environ.get("MYSQL_PASSWORD", ""),
            "PORT": os.environ.get("MYSQL_PORT", ""),
            "TEST": {"NAME": TEST_DB_NAME, "CHARSET": "utf8mb4"},
        }
    }
else:
    # A file, since the races and the browser need a connection for each thread, as a site has them.
    TEST_FILE = Path(tempfile.gettempdir()) / f"member-reset-{os.getpid()}.sqlite3"
    DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": str(TEST_FILE),
            "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;", "timeout": 20},
            "TEST": {"NAME": str(TEST_FILE)},
        }
    }

if os.environ.get("TEST_USER") == "email":
    INSTALLED_APPS.append("tests.people")
    AUTH_USER_MODEL = "people.Person"

if os.environ.get("TEST_MAILERS"):
    MAILERS = {"default": {"BACKEND": "anymail.backends.test.EmailBackend"}}
elif django.VERSION < (6, 1) or not os.environ.get("TEST_MAILERS"):
    EMAIL_BACKEND = "anymail.backends.test.EmailBackend"

WAGTAIL_SITE_NAME = "Example Club"
WAGTAILADMIN_BASE_URL = "https://club.example"
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
WAGTAIL_GRAVATAR_PROVIDER_URL = None
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database"}}
WAGTAIL_MEMBER_RESET_BASE_URL = "https://club.example"
# Mails leave when a test drains the outbox; tests of the thread say "thread".
WAGTAIL_MEMBER_RESET_DELIVERY = "command"
