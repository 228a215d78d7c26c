"""
Starts a site of its own and prints, as JSON, what became of its user views.

Run by tests in a process of its own: how apps are listed and what an AppConfig says
is read once, when Django starts. The last argument names the arrangement; `--checks` asks
for what the checks find and no more.
"""

import json
import os
import sys

import django
from django.conf import settings
from django.core import checks


class NoMigrations(dict):
    def __contains__(self, name):
        return True

    def __getitem__(self, name):
        return None


def configure(arrangement):
    apps = [name for name in settings.INSTALLED_APPS if name != "wagtail_member_reset"]
    own = {
        "own-first": "tests.custom.apps.OwnUsersAppConfig",
        "own-last": "tests.custom.apps.OwnUsersAppConfig",
        "by-hand": "tests.custom.apps.ByHandUsersAppConfig",
        "by-hand-off": "tests.custom.apps.ByHandUsersAppConfig",
    }.get(arrangement, "wagtail.users")
    apps = [own if name == "wagtail.users" else name for name in apps]
    is_first = arrangement.endswith("first")
    settings.INSTALLED_APPS = ["wagtail_member_reset", *apps] if is_first else [*apps, "wagtail_member_reset"]
    settings.WAGTAIL_MEMBER_RESET_SETTINGS_TAB = not arrangement.endswith("off")
    if arrangement == "wrong-tab":
        settings.WAGTAIL_MEMBER_RESET_SETTINGS_TAB = "yes"
    if arrangement == "tasks":
        settings.WAGTAIL_MEMBER_RESET_DELIVERY = "tasks"
        settings.TASKS = {"default": {"BACKEND": "tests.custom.queue.QueueBackend"}}
    settings.DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
    settings.MIGRATION_MODULES = NoMigrations()
    folder = "override" if arrangement.startswith("override") else "templates"
    settings.TEMPLATES[0]["DIRS"] = [settings.ROOT / "tests" / "custom" / folder]


def look():
    """Both pages as a superuser gets them, what a save and a creation do, and what the checks say."""
    from django.core.management import call_command
    from django.test import Client
    from django.urls import reverse

    call_command("migrate", run_syncdb=True, verbosity=0)
    from tests.conftest import make_person
    from wagtail_member_reset.models import PasswordReset

    admin = make_person("Ana", is_superuser=True)
    member = make_person("Mia", password="old password 1")
    client = Client()
    client.force_login(admin)
    edit, add = reverse("wagtailusers_users:edit", args=[member.pk]), reverse("wagtailusers_users:add")
    page, form = (client.get(address).content.decode() for address in (edit, add))
    new = {"email": "nora@members.example", "username": "nora", "first_name": "Nora", "last_name": "S", "phone": "1"}
    client.post(add, {**new, "member_reset_password": "link"})
    return {
        "tabs": page.count('href="#tab-settings"'),
        "panels": page.count('id="member-reset"'),
        "own": "Own context." in page,
        "override": "own line." in page,
        "choices": form.count('name="member_reset_password"') // 2,
        "welcomes": PasswordReset.objects.filter(purpose="welcome").count(),
        "checks": found_by_checks(),
    }


def found_by_checks():
    numbers = [found.id.partition("wagtail_member_reset.")[2] for found in checks.run_checks()]
    return sorted(filter(None, numbers))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    configure(sys.argv[-1])
    django.setup()
    sys.stdout.write(json.dumps(found_by_checks() if "--checks" in sys.argv else look()))
