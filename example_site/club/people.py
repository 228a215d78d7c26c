"""Who belongs to the club, and what has happened to each. The last name says it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.utils import timezone
from wagtail.models import ModelLogEntry

from example_site.inbox.backend import NOWHERE
from example_site.inbox.models import ReceivedEmail
from wagtail_member_reset import outbox, resets
from wagtail_member_reset.models import PasswordReset, Purpose, ResetEmail
from wagtail_member_reset.outbox import text

ADMIN = ("ana", "ana-rows-at-dawn")
OFFICE = ("otto", "otto-keeps-the-books")
JUNIOR = ("june", "june-answers-the-phone")
MEMBER = ("mia", "mia-likes-the-harbour")


def make_staff() -> None:
    make(ADMIN[0], "Ana", "Admin", password=ADMIN[1], is_superuser=True, is_staff=True)
    make(OFFICE[0], "Otto", "Office", join_office, password=OFFICE[1])
    make(JUNIOR[0], "June", "Junior", join_help_desk, password=JUNIOR[1])


def make_members() -> None:
    make(MEMBER[0], "Mia", "Mitchell", password=MEMBER[1])
    make("ida", "Ida", "Imported")
    make("nora", "Nora", "Noaddress", email="")
    make("ian", "Ian", "Inactive", is_active=False)
    make("will", "Will", "Waiting", waiting)
    make("wendy", "Wendy", "Welcome", welcome)
    make("quinn", "Quinn", "Quiet", quiet)
    make("eve", "Eve", "Expired", expired)
    make("uma", "Uma", "Used", used)
    make("carl", "Carl", "Cancelled", cancelled)
    make("finn", "Finn", "Failed", waiting, email=f"finn@{NOWHERE}")


@transaction.atomic
def make(
    username: str, first: str, last: str, story: Any = None, *, password: str | None = None, **fields: Any
) -> None:
    """
    A person and their story, once: who is there already is left as they are.

    Without a password, the account has none that works, as after an import.
    """
    # One transaction also keeps the sending thread out, which starts after the commit:
    # the stories send by themselves, in step with the clock that they set back.
    people = get_user_model().objects
    if people.filter(username=username).exists():
        return
    names = {"first_name": first, "last_name": last, "email": f"{username}@harbour.example", **fields}
    person = people.create_user(username, password=password, **names)
    if story is not None:
        story(person)


def join_office(person: Any) -> None:
    """What an office needs: the members' accounts, their resets, and mailings."""
    wanted = ["access_admin", "add_user", "change_user", "view_user", "bulk_send_passwordreset"]
    wanted += ["send_passwordreset", "view_link_passwordreset", "view_passwordreset"]
    join(person, "Office", wanted)


def join_help_desk(person: Any) -> None:
    """What somebody on the phone needs: to send, and to see what became of it. No link, and no account to change."""
    join(person, "Help desk", ["access_admin", "send_passwordreset", "view_passwordreset"])


def join(person: Any, name: str, rights: list[str]) -> None:
    group, _ = Group.objects.get_or_create(name=name)
    group.permissions.add(*Permission.objects.filter(codename__in=rights))
    person.groups.add(group)


def waiting(member: Any, purpose: Purpose = Purpose.RESET) -> PasswordReset:
    reset = resets.send(member, by=get_user_model().objects.get(username=OFFICE[0]), purpose=purpose)
    outbox.drain()
    return reset


def welcome(member: Any) -> None:
    waiting(member, Purpose.WELCOME)


def quiet(member: Any) -> None:
    turn_back(waiting(member), timedelta(days=2))


def expired(member: Any) -> None:
    turn_back(waiting(member), timedelta(days=9))


def used(member: Any) -> None:
    link = resets.link(waiting(member))
    assert link is not None
    resets.redeem(resets.open(link), password="uma-set-this-herself")
    outbox.drain()


def cancelled(member: Any) -> None:
    resets.revoke(waiting(member), by=get_user_model().objects.get(username=OFFICE[0]))


def turn_back(reset: PasswordReset, age: timedelta) -> None:
    """
    Let it all have happened `age` ago: the link, its email, and what the history says.

    A demo cannot wait for days, and no verb of the package moves a clock, so the rows are
    written past the verbs. The nonce goes as it would have gone with the status window.
    """
    PasswordReset.objects.filter(pk=reset.pk).update(
        issued_at=reset.issued_at - age, expires_at=reset.expires_at - age, nonce=None
    )
    then = timezone.now() - age
    ResetEmail.objects.filter(reset=reset).update(created_at=then, handed_over_at=then)
    ModelLogEntry.objects.for_instance(reset.member).update(timestamp=then)
    written = text.valid_until(reset.expires_at, language=reset.language)
    meant = text.valid_until(reset.expires_at - age, language=reset.language)
    for email in ReceivedEmail.objects.filter(to=reset.recipient):
        email.received_at = then
        email.text, email.html = email.text.replace(written, meant), email.html.replace(written, meant)
        email.save()
