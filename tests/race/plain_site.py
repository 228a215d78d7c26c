"""
A site as `startproject` leaves it: SQLite in a file with Django's own options, and the thread of the embedded default.

PLAIN_FOLDER is where its database and its mails are.
"""

import os
from pathlib import Path

from tests.settings import *  # noqa: F403

FOLDER = Path(os.environ["PLAIN_FOLDER"])
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(FOLDER / "db.sqlite3")}}
# Each mail in a file of its own, as any process and thread may write it.
EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
EMAIL_FILE_PATH = str(FOLDER / "mails")
WAGTAIL_MEMBER_RESET_DELIVERY = "thread"
# A storm comes from one network.
WAGTAIL_MEMBER_RESET_REQUEST_LIMITS = {"ip": "999999/h", "address": "999999/h", "all": "999999/min"}
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"file": {"class": "logging.FileHandler", "filename": str(FOLDER / "log"), "delay": True}},
    "root": {"level": "WARNING", "handlers": ["file"]},
}
