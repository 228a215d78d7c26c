"""A small association's site, as a developer would set it up; for this machine alone, since its keys are public."""

import os
from pathlib import Path

import django

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("DEMO_DATA", ROOT / ".demo"))
PORT = int(os.environ.get("DEMO_PORT", "8000"))

DEBUG = True
SECRET_KEY = "the-demo-keeps-no-secrets-" + "0" * 30
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "testserver"]
ROOT_URLCONF = "example_site.urls"
WSGI_APPLICATION = "example_site.wsgi.application"

INSTALLED_APPS = [
    "example_site.club",
    "example_site.inbox",
    "wagtail_member_reset",
    "wagtail.users",
    "wagtail.sites",
    "wagtail.snippets",
    "wagtail.documents",
    "wagtail.images",
    "wagtail.search",
    "wagtail.admin",
    "wagtail",
    "taggit",
    "modelcluster",
    "anymail",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
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
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": DATA / "db.sqlite3",
        # Readers and the thread that sends do not wait for each other.
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
# Demos on one machine share the host, and so the cookies: a name for each port keeps them apart.
SESSION_COOKIE_NAME = f"club_session_{PORT}"

LANGUAGE_CODE = "en"
LANGUAGES = [
    ("en", "English"),
    ("de", "German"),
    ("es", "Spanish"),
    ("fr", "French"),
    ("it", "Italian"),
    ("nl", "Dutch"),
]
TIME_ZONE = "Europe/Berlin"
USE_TZ = True
STATIC_URL = "static/"
STATIC_ROOT = DATA / "static"
MEDIA_URL = "media/"
MEDIA_ROOT = DATA / "media"

LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "/members/"
LOGOUT_REDIRECT_URL = "/"

# Nothing leaves the machine: emails go to the members' mailboxes, which are the page /inbox/.
DEFAULT_FROM_EMAIL = "Harbour Rowing Club <office@harbour.example>"
if django.VERSION >= (6, 1):
    MAILERS = {"default": {"BACKEND": "example_site.inbox.backend.InboxBackend"}}
else:
    EMAIL_BACKEND = "example_site.inbox.backend.InboxBackend"

# Who reports must know this. The inbox does, and plays the mail service: see inbox/reports.py.
ANYMAIL = {"WEBHOOK_SECRET": "postmark:the-demo-keeps-no-secrets"}

WAGTAIL_SITE_NAME = "Harbour Rowing Club"
WAGTAILADMIN_BASE_URL = f"http://127.0.0.1:{PORT}"
WAGTAIL_FRONTEND_LOGIN_URL = "/login/"
WAGTAILSEARCH_BACKENDS = {"default": {"BACKEND": "wagtail.search.backends.database"}}
# The demo asks no other host for anything.
WAGTAIL_ENABLE_UPDATE_CHECK = False
WAGTAIL_ENABLE_WHATS_NEW_BANNER = False
WAGTAIL_GRAVATAR_PROVIDER_URL = None
