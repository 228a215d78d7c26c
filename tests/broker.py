"""
A task backend as a site has one: it keeps what it is given, and a worker runs it in its own time.

Run as a program, this is such a site's process: it wakes delivery, plays the worker, and prints
what it saw as JSON. Whether a site has a task backend is decided at start, so it needs a process.
"""

import json
import os
import sys

try:
    from django.tasks.backends.base import BaseTaskBackend
except ImportError:
    from django_tasks.backends.base import BaseTaskBackend


class Broker(BaseTaskBackend):
    supports_defer = supports_async_task = supports_get_result = True
    queue = []

    def enqueue(self, task, args=(), kwargs=None):
        if os.environ.get("BROKER_IS_DOWN"):
            raise ConnectionError("the broker does not answer")
        self.queue.append((task, list(args), dict(kwargs or {})))


def main():
    os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
    from django.conf import settings

    settings.TASKS = {"default": {"BACKEND": "tests.broker.Broker"}}
    settings.DATABASES["default"]["NAME"] = os.environ["SITE_DATABASE"]
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = os.environ["SITE_DELIVERY"]
    backend, inbox = "django.core.mail.backends.filebased.EmailBackend", os.environ["SITE_INBOX"]
    if hasattr(settings, "MAILERS"):
        settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": {"file_path": inbox}}}
    else:
        settings.EMAIL_BACKEND, settings.EMAIL_FILE_PATH = backend, inbox
    import django

    django.setup()
    json.dump(site(), sys.stdout)


def site():
    from django.contrib.auth import get_user_model

    from tests.broker import Broker  # as the backend's path names it, not as the program
    from wagtail_member_reset import bulk, resets, tasks
    from wagtail_member_reset.models import ResetBatch

    if batch := ResetBatch.objects.first():
        bulk.try_again(batch)
    else:
        resets.send(get_user_model().objects.get(email="mia@members.example"), by=None)
    queue = Broker.queue
    return {
        "configured": tasks.is_configured(),
        "queued": [(task.module_path, args, kwargs) for task, args, kwargs in queue],
        "handed_over": [task.func(*args, **kwargs) for task, args, kwargs in queue],
    }


if __name__ == "__main__":
    main()
