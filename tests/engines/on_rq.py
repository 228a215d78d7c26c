"""The site with django-tasks-rq."""

import os

from tests.engines.site import *  # noqa: F403
from tests.engines.site import DATABASES, INSTALLED_APPS

INSTALLED_APPS += ["django_rq"]
TASKS = {"default": {"BACKEND": "django_tasks_rq.RQBackend"}}
# A database of its own: the tests empty it.
URL = os.environ.get("SITE_REDIS_URL", os.environ.get("REDIS_URL", "redis://127.0.0.1:6379") + "/11")
RQ_QUEUES = {"default": {"URL": URL, "DEFAULT_TIMEOUT": 660}}

# Both may run at once.
DATABASES["default"]["TEST"]["NAME"] += "_rq"
