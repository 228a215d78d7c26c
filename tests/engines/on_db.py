"""The site with django-tasks-db."""

from tests.engines.site import *  # noqa: F403
from tests.engines.site import DATABASES, INSTALLED_APPS

INSTALLED_APPS += ["django_tasks_db"]
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}

# Both may run at once.
DATABASES["default"]["TEST"]["NAME"] += "_db"
