"""
A site that takes the app off again, as docs/how-to/removing.md says, and prints, as JSON, what is left and whether it
works.

Two processes on one database, since the list of apps is read once: the first has the app, uses it, and takes its tables
away; the second is without it. The arguments are which of them, and the name of the database.
"""

import json
import os
import sys
from io import StringIO

import django
from django.conf import settings

OURS = "wagtail_member_reset"


def configure(part, name):
    if settings.DATABASES["default"]["ENGINE"].endswith("sqlite3"):
        settings.DATABASES["default"]["NAME"] = name
    settings.DATABASES["default"]["TEST"]["NAME"] = name
    if part == "without":
        settings.DATABASES["default"]["NAME"] = name
        settings.INSTALLED_APPS = [app for app in settings.INSTALLED_APPS if app != OURS]
        settings.ROOT_URLCONF = "tests.any_site.urls_without"


def with_it():
    """Use what leaves traces: rights in a group, entries in the log, rows that point to accounts."""
    from django.contrib.auth.models import Group, Permission
    from django.core.management import call_command
    from django.db import connection

    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    from tests.conftest import make_person
    from wagtail_member_reset import outbox, resets

    people = Group.objects.create(name="Office")
    model = type(admin := make_person("Ana", is_superuser=True, is_staff=True))._meta.model_name
    codes = ["access_admin", f"change_{model}", "send_passwordreset", "bulk_send_passwordreset"]
    people.permissions.add(*Permission.objects.filter(codename__in=codes))
    member = make_person("Mia")
    member.groups.add(people)
    resets.send(member, by=admin)
    outbox.drain()
    resets.revoke(resets.status(member).reset, by=admin)
    resets.send(member, by=admin)
    call_command("migrate", OURS, "zero", verbosity=0)
    return {"tables": tables()}


def without_it():
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Group, Permission
    from django.contrib.contenttypes.models import ContentType
    from django.core.management import call_command
    from django.db import connection
    from django.test import Client
    from django.urls import reverse

    people, group = get_user_model()._default_manager, Group.objects.get(name="Office")
    member, staff = people.get(first_name="Mia"), Client()
    staff.force_login(people.get(first_name="Ana"))

    def pages():
        addresses = [
            reverse("wagtailadmin_reports:site_history"),
            reverse("wagtailusers_groups:edit", args=[group.pk]),
            reverse("wagtailusers_groups:add"),
            reverse("wagtailusers_users:index"),
            reverse("wagtailusers_users:edit", args=[member.pk]),
            reverse("wagtailusers_users:history", args=[member.pk]),
        ]
        found = [staff.get(address) for address in addresses]
        return sorted({page.status_code for page in found}), "Unknown wagtail_member_reset.send" in found[
            0
        ].content.decode()

    def ours():
        of_app = {"content_type__app_label": OURS}
        held = group.permissions.filter(**of_app).count()
        return held, Permission.objects.filter(**of_app).count(), ContentType.objects.filter(app_label=OURS).exists()

    told = {"pages": pages(), "left": ours()}
    edit = reverse("wagtailusers_groups:edit", args=[group.pk])
    told["renamed"] = staff.post(edit, {"name": "The office", **management_forms(staff.get(edit))}).status_code
    call_command("remove_stale_contenttypes", include_stale_apps=True, interactive=False, stdout=StringIO())
    told |= {"then": ours(), "pages then": pages()}
    call_command("check", stdout=StringIO())
    member.delete()
    told["deleted"] = not people.filter(first_name="Mia").exists()
    told["name"] = Group.objects.get(pk=group.pk).name
    connection.creation.destroy_test_db("", verbosity=0)
    return told


def management_forms(page):
    """What the forms of the page count by."""
    import re

    return dict(re.findall(r'name="([\w-]+_FORMS)" value="(\d+)"', page.content.decode()))


def tables():
    from django.db import connection

    return [name for name in connection.introspection.table_names() if name.startswith(OURS)]


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    configure(*sys.argv[1:])
    django.setup()
    sys.stdout.write(json.dumps(with_it() if sys.argv[1] == "with" else without_it()))
