"""
One site for each neighbour, and one with all of them: SITE names it.

They differ from the suite's site in what the neighbour's own installation guide says, and in that emails leave by
themselves, in a thread, as they do on a site without task workers.
"""

import os
import tempfile
from pathlib import Path

from django.core.management.utils import get_random_secret_key

from tests import settings as suite
from tests.settings import *  # noqa: F403

SITE = os.environ["SITE"]
NEIGHBOURS = [
    "allauth",
    "auditlog",
    "axes",
    "debug_toolbar",
    "hijack",
    "post_office",
    "wagtail_2fa",
    "wagtail_localize",
]
HERE = set(NEIGHBOURS) if SITE == "all" else {SITE} & set(NEIGHBOURS)

SECRET_KEY = get_random_secret_key()
ROOT_URLCONF = "tests.sites.urls"
INSTALLED_APPS = [*suite.INSTALLED_APPS, "tests.sites"]
MIDDLEWARE = [*suite.MIDDLEWARE]
PLACE = Path(tempfile.mkdtemp(prefix="member-reset-site-"))
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(PLACE / "site.sqlite3"),
        "OPTIONS": {"init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;", "timeout": 20},
    }
}
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
WAGTAIL_FRONTEND_LOGIN_URL = "wagtailcore_login"
WAGTAIL_MEMBER_RESET_DELIVERY = "auto"

if "debug_toolbar" in HERE:
    DEBUG = True
    INSTALLED_APPS += ["debug_toolbar"]
    MIDDLEWARE.insert(0, "debug_toolbar.middleware.DebugToolbarMiddleware")
    DEBUG_TOOLBAR_CONFIG = {"SHOW_TOOLBAR_CALLBACK": "tests.sites.urls.always", "IS_RUNNING_TESTS": False}

if "allauth" in HERE:
    INSTALLED_APPS += ["allauth", "allauth.account"]
    MIDDLEWARE += ["allauth.account.middleware.AccountMiddleware"]
    AUTHENTICATION_BACKENDS = [
        "django.contrib.auth.backends.ModelBackend",
        "allauth.account.auth_backends.AuthenticationBackend",
    ]
    ACCOUNT_LOGIN_METHODS = {"email"}
    ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
    ACCOUNT_EMAIL_VERIFICATION = "mandatory"
    WAGTAIL_FRONTEND_LOGIN_URL = "account_login"
    # So that staff have seen a link only where they asked to.
    WAGTAIL_MEMBER_RESET_LINK_DISPLAY = "reveal"

if "axes" in HERE:
    INSTALLED_APPS += ["axes"]
    MIDDLEWARE += ["axes.middleware.AxesMiddleware"]
    AUTHENTICATION_BACKENDS = [
        "axes.backends.AxesStandaloneBackend",
        *globals().get("AUTHENTICATION_BACKENDS", ["django.contrib.auth.backends.ModelBackend"]),
    ]
    AXES_FAILURE_LIMIT = 3
    AXES_VERBOSE = False

if "post_office" in HERE:
    INSTALLED_APPS += ["post_office"]
    EMAIL_BACKEND = "post_office.EmailBackend"
    POST_OFFICE = {"BACKENDS": {"default": "django.core.mail.backends.locmem.EmailBackend"}}

if "auditlog" in HERE:
    INSTALLED_APPS += ["auditlog"]
    MIDDLEWARE += ["auditlog.middleware.AuditlogMiddleware"]
    AUDITLOG_INCLUDE_ALL_MODELS = True
    AUDITLOG_EXCLUDE_TRACKING_MODELS = ("wagtail_member_reset",)

if "wagtail_2fa" in HERE:
    INSTALLED_APPS += ["wagtail_2fa", "django_otp", "django_otp.plugins.otp_totp"]
    MIDDLEWARE += ["wagtail_2fa.middleware.VerifyUserMiddleware"]
    WAGTAIL_2FA_REQUIRED = True

if "hijack" in HERE:
    INSTALLED_APPS += ["hijack", "hijack.contrib.admin"]
    MIDDLEWARE += ["hijack.middleware.HijackUserMiddleware"]

if "wagtail_localize" in HERE:
    INSTALLED_APPS += ["wagtail_localize", "wagtail_localize.locales"]
    WAGTAIL_I18N_ENABLED = True
    WAGTAIL_CONTENT_LANGUAGES = suite.LANGUAGES
