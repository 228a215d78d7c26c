"""
A task backend as a site has one: it keeps what it is given, and a worker runs it in its own time.

Run as a program, this is such a site's process: it does what SITE_DOES says, plays the worker, and prints
what it saw as JSON. Whether a site has a task backend is decided at start, so it needs a process.
"""

import json
import os
import sys
from contextlib import contextmanager
from datetime import timedelta

try:
    from django.tasks.backends.base import BaseTaskBackend
except ImportError:
    from django_tasks.backends.base import BaseTaskBackend


class Broker(BaseTaskBackend):
    supports_async_task = supports_get_result = supports_priority = True
    supports_defer = not os.environ.get("BROKER_CANNOT_WAIT")
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
    json.dump(globals()[os.environ.get("SITE_DOES", "single_mail")](), sys.stdout)


def single_mail():
    from django.contrib.auth import get_user_model

    from tests.broker import Broker  # as the backend's path names it, not as the program
    from wagtail_member_reset import mailings, resets
    from wagtail_member_reset.models import Mailing
    from wagtail_member_reset.outbox import tasks

    if mailing := Mailing.objects.first():
        mailings.try_again(mailing)
    else:
        resets.send(get_user_model().objects.get(email="mia@members.example"), by=None)
    queue = list(Broker.queue)
    return {
        "configured": tasks.is_configured(),
        "queued": [(task.module_path, args, kwargs) for task, args, kwargs in queue],
        "handed_over": [task.func(*args, **kwargs) for task, args, kwargs in queue],
    }


@contextmanager
def played_time():
    """The clock stands still, but for what is waited, so that no test depends on how fast its machine is."""
    from types import SimpleNamespace
    from unittest import mock

    import time_machine
    from django.utils import timezone

    from wagtail_member_reset.outbox import tasks

    with time_machine.travel(timezone.now(), tick=False) as clock:
        seconds = SimpleNamespace(monotonic=lambda: timezone.now().timestamp(), sleep=clock.shift)
        with mock.patch.object(tasks, "time", seconds):
            yield clock


def limited_mailing():
    """A mailing of one email a minute; its tasks are run at once, as by an engine that cannot tell the time."""
    with played_time():
        return _limited_mailing()


def _limited_mailing():
    from tests.broker import Broker
    from tests.conftest import make_person
    from wagtail_member_reset import mailings
    from wagtail_member_reset.mailing.choose import Choice, Kind
    from wagtail_member_reset.outbox import tasks

    make_person("Nora"), make_person("Olaf")
    mailing = mailings.draft(Choice(kind=Kind.ALL), by=None, per_hour=60)
    mailings.start(mailing)
    # What a backend that can put tasks off does at once, it may do slowly.
    tasks.LONGEST = timedelta(seconds=3 if os.environ.get("BROKER_CANNOT_WAIT") else 60)
    asked, before = queued(), list(Broker.queue)
    Broker.queue.clear()
    handed_over = [task.func(*args) for task, args, _kwargs in before]
    return {"asked": asked, "handed_over": handed_over, "asked_again": queued()}


def timed_mailing():
    """A mailing that starts in a minute; its tasks are run at once, and once more after that."""
    with played_time() as clock:
        return _timed_mailing(clock)


def _timed_mailing(clock):
    from django.utils import timezone

    from tests.broker import Broker
    from tests.conftest import make_person
    from wagtail_member_reset import mailings
    from wagtail_member_reset.mailing.choose import Choice, Kind

    make_person("Nora")
    starts_at = timezone.now() + timedelta(minutes=1)
    mailing = mailings.draft(Choice(kind=Kind.ALL), by=None, starts_at=starts_at)
    mailings.start(mailing)
    asked, before, page = queued(), list(Broker.queue), page_of(mailing)
    Broker.queue.clear()
    handed_over = [task.func(*args) for task, args, _kwargs in before if task.func.__name__ != "watch"]
    again, later = queued(), list(Broker.queue)
    clock.move_to(max(timezone.now(), starts_at) + timedelta(seconds=1))
    handed_over += [task.func(*args) for task, args, _kwargs in later if task.func.__name__ != "watch"]
    return {"asked": asked, "asked_again": again, "handed_over": handed_over, "page": page}


def late_mailing():
    """A mailing that starts in two weeks; its tasks are run at once, and passes once it has been its turn."""
    from unittest import mock

    from django.utils import timezone

    from tests.broker import Broker
    from tests.conftest import make_person
    from wagtail_member_reset import mailings, outbox
    from wagtail_member_reset.mailing.choose import Choice, Kind
    from wagtail_member_reset.models import Mailing, MailingChunk
    from wagtail_member_reset.outbox import background

    make_person("Nora")
    starts_at = timezone.now() + timedelta(days=14)
    mailing = mailings.draft(Choice(kind=Kind.ALL), by=None, starts_at=starts_at)
    mailings.start(mailing)
    asked, before, page = queued(), list(Broker.queue), page_of(mailing)
    Broker.queue.clear()
    with mock.patch("time.sleep") as sleep:
        handed_over = [task.func(*args) for task, args, _kwargs in before]
    waiting, ago = queued(), timezone.now() - timedelta(minutes=5)
    # Two weeks later.
    Mailing.objects.update(starts_at=ago, turn_at=ago, started_at=ago, progress_at=None)
    MailingChunk.objects.update(due_at=ago)
    background.sender.looks_at = None
    outbox.look_if_due()
    passes = [task.func(*args) for task, args, _kwargs in [*Broker.queue, *Broker.queue]]
    later = queued()
    handed_over += [*passes, *(task.func(*args) for task, args, _kwargs in Broker.queue[1:2])]
    told = {"asked": asked, "slept": sleep.call_count, "waiting": waiting, "later": later, "handed_over": handed_over}
    return {**told, "page": page}


def page_of(mailing):
    """What staff read on the page of a mailing."""
    from django.contrib.auth import get_user_model
    from django.test import Client
    from django.urls import reverse

    client = Client(SERVER_NAME="localhost")
    client.force_login(get_user_model().objects.create_superuser("admin", "admin@club.example", "pw"))
    return client.get(reverse("wagtail_member_reset_admin:mailing", args=[mailing.pk])).content.decode()


def requests_of_visitors():
    """Three at once; then the workers run the tasks."""
    import time
    from unittest import mock

    from tests.broker import Broker
    from wagtail_member_reset import resets

    for network in ("192.0.2.7", "192.0.2.8", "192.0.2.9"):
        resets.request("mia@members.example", network=network, site=None, language="en")
    end = time.monotonic() + 20
    while not Broker.queue and time.monotonic() < end:
        time.sleep(0.02)
    with mock.patch("time.sleep") as sleep:
        handed_over = [task.func(*args) for task, args, _kwargs in Broker.queue]
    return {"asked": queued(), "handed_over": handed_over, "slept": [each.args for each in sleep.call_args_list]}


def long_pass():
    """A pass over the outbox whose time is up at once."""
    from tests.broker import Broker
    from wagtail_member_reset.outbox import tasks

    tasks.LONGEST = timedelta(0)
    return {"handed_over": single_mail()["handed_over"], "queued": len(Broker.queue)}


def queued():
    """Of each task: its name, whether it is to wait, and how urgent it is."""
    from tests.broker import Broker

    return [[task.func.__name__, task.run_after is not None, task.priority] for task, _args, _kwargs in Broker.queue]


if __name__ == "__main__":
    main()
