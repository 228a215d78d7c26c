"""
A site that has an engine: the suite's own, on PostgreSQL, with mails that leave over SMTP.

Its processes are told by the environment where the test's database and mail server are, and how long
a lease lasts, since a test cannot wait the ten minutes of a real one.
"""

import os

# Read by the module below.
os.environ["TEST_DB"] = "postgres"

from tests.settings import *  # noqa: F403
from tests.settings import DATABASES, INSTALLED_APPS

INSTALLED_APPS += ["django.contrib.postgres", "tests.engines"]
if "SITE_DATABASE" in os.environ:
    DATABASES["default"]["NAME"] = os.environ["SITE_DATABASE"]
WAGTAIL_MEMBER_RESET_DELIVERY = "auto"
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_HOST, EMAIL_PORT = "127.0.0.1", int(os.environ.get("SITE_MAIL_PORT", "25"))
EMAIL_TIMEOUT = 10
# Read by apps.py.
SITE_LEASE_SECONDS = float(os.environ.get("SITE_LEASE_SECONDS", "12"))
SITE_CHUNK = int(os.environ.get("SITE_CHUNK", "60"))
