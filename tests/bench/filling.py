"""Members and resets for the databases that are copied: written fast, and shaped like those of a site."""

from __future__ import annotations

from pathlib import Path

from allauth.account.models import EmailAddress
from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from tests.bench import letters
from tests.bench.models import PlainReset

WARM = 3
WRITTEN = 5000


def migrated(*, letters_to: str) -> None:
    """An empty site, with a superuser and the few members with whom each contestant warms up."""
    call_command("migrate", verbosity=0)
    with connection.schema_editor() as editor:
        editor.create_model(PlainReset)
    letters.write(Path(letters_to))
    _people(0, WARM, name="warm")
    get_user_model().objects.create_superuser("ana", "ana@club.example", "an old password 1", last_login=timezone.now())
    settle()


def with_members(*, first: int, last: int) -> None:
    """Members as an import left them, but with a password: Django's form mails nobody without one."""
    for start in range(first, last, WRITTEN):
        _people(start, min(start + WRITTEN, last))
    settle()


def _people(first: int, last: int, *, name: str = "member") -> None:
    model, password = get_user_model(), make_password("an old password 1")
    people = [
        model(
            username=f"{name}{number:07}",
            email=f"{name}{number:07}@members.example",
            first_name="Mia",
            last_name="Sample",
            password=password,
        )
        for number in range(first, last)
    ]
    model.objects.bulk_create(people)
    # A site with allauth has a row of its for each account.
    addresses = [EmailAddress(user=person, email=person.email, verified=True, primary=True) for person in people]
    EmailAddress.objects.bulk_create(addresses)


def settle() -> None:
    """Else the planner would learn of the rows in the middle of a run."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
