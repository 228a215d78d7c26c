"""The site with django-tasks-db."""

from tests.engines.site import *  # noqa: F403
from tests.engines.site import INSTALLED_APPS

INSTALLED_APPS += ["django_tasks_db"]
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
