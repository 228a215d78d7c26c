"""
Starts a site that translates nothing, and prints as JSON what its members read.

Run by a test in a process of its own, since Django takes up its translations once. The argument is LANGUAGE_CODE.
"""

import json
import os
import re
import sys

import django
from django.conf import settings
from django.core import mail

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")

from tests.custom.probe import NoMigrations


def configure(language):
    settings.USE_I18N = False
    settings.LANGUAGE_CODE = language
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "command"
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    settings.DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
    settings.MIGRATION_MODULES = NoMigrations()
    django.setup()


def look():
    from django.core.management import call_command
    from django.test import Client
    from django.urls import reverse

    call_command("migrate", run_syncdb=True, verbosity=0)
    from tests.conftest import make_person
    from wagtail_member_reset import outbox, resets

    mail.outbox = []
    admin, member = make_person("Ana", is_superuser=True), make_person("Mia")
    reset = resets.send(member, by=admin)
    outbox.drain()
    client = Client()
    client.force_login(admin)
    answer = client.get(reverse("wagtail_member_reset:password_reset_done"))
    tab = client.get(reverse("wagtailusers_users:edit", args=[member.pk])).content.decode()
    (sent,) = mail.outbox
    return {
        "link": resets.link(reset),
        "page": answer.content.decode(),
        "header": answer["Content-Language"],
        "text": sent.body,
        "html": sent.alternatives[0][0],
        "tab": re.search(r'<div\s+id="member-reset".*?</section>|<div\s+id="member-reset".*', tab, re.DOTALL)[0],
    }


if __name__ == "__main__":
    configure(sys.argv[-1])
    sys.stdout.write(json.dumps(look()))
