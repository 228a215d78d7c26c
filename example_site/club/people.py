"""Who belongs to the club, and what has happened to each. The first name says it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group, Permission
from django.utils import timezone

from wagtail_member_reset import delivery, resets
from wagtail_member_reset.models import EmailState, PasswordReset, Purpose, ResetEmail

ADMIN = ("ana", "ana-rows-at-dawn")
OFFICE = ("otto", "otto-keeps-the-books")
MEMBER = ("mia", "mia-likes-the-harbour")


def make_staff() -> None:
    ana = make(ADMIN[0], "Ana", "Admin", password=ADMIN[1], is_superuser=True, is_staff=True)
    otto = make(OFFICE[0], "Otto", "Office", password=OFFICE[1])
    if ana is None or otto is None:
        return
    group = Group.objects.create(name="Office")
    wanted = ["access_admin", "add_user", "change_user", "view_user"]
    wanted += ["send_passwordreset", "view_link_passwordreset", "view_passwordreset"]
    group.permissions.add(*Permission.objects.filter(codename__in=wanted))
    otto.groups.add(group)


def make_members() -> None:
    """Everybody once: who is there already is left as they are."""
    make(MEMBER[0], "Mia", "Mitchell", password=MEMBER[1])
    make("ida", "Ida", "Imported")
    make("nora", "Nora", "Noaddress", email="")
    make("ian", "Ian", "Inactive", is_active=False)
    otto = get_user_model().objects.get(username=OFFICE[0])
    for username, first, last, story in (
        ("will", "Will", "Waiting", waiting),
        ("wendy", "Wendy", "Welcome", welcome),
        ("quinn", "Quinn", "Quiet", quiet),
        ("eve", "Eve", "Expired", expired),
        ("uma", "Uma", "Used", used),
        ("carl", "Carl", "Cancelled", cancelled),
        ("finn", "Finn", "Failed", failed),
    ):
        if (member := make(username, first, last)) is not None:
            story(member, otto)


def make(username: str, first: str, last: str, *, password: str | None = None, **fields: Any) -> Any:
    """A new person, or None where there is one already. Without a password, the account has none that works."""
    people = get_user_model().objects
    if people.filter(username=username).exists():
        return None
    names = {"first_name": first, "last_name": last, "email": f"{username}@harbour.example", **fields}
    return people.create_user(username, password=password, **names)


def waiting(member: Any, otto: Any) -> None:
    resets.send(member, by=otto)
    delivery.drain()


def welcome(member: Any, otto: Any) -> None:
    resets.send(member, by=otto, purpose=Purpose.WELCOME)
    delivery.drain()


def quiet(member: Any, otto: Any) -> None:
    resets.send(member, by=otto)
    delivery.drain()
    turn_back(member, timedelta(days=2))


def expired(member: Any, otto: Any) -> None:
    resets.send(member, by=otto)
    delivery.drain()
    turn_back(member, timedelta(days=9))


def used(member: Any, otto: Any) -> None:
    reset = resets.send(member, by=otto)
    link = resets.link(reset)
    delivery.drain()
    assert link is not None
    resets.redeem(resets.open(link), password="uma-set-this-herself")
    delivery.drain()


def cancelled(member: Any, otto: Any) -> None:
    reset = resets.send(member, by=otto)
    delivery.drain()
    resets.revoke(reset, by=otto)


def failed(member: Any, otto: Any) -> None:
    resets.send(member, by=otto)
    # What the outbox writes when a mail server says no; the demo's own inbox takes everything.
    ResetEmail.objects.filter(member=member).update(
        state=EmailState.FAILED, attempts=1, result_code="smtp_550", result_text="550 5.1.1 user unknown"
    )


def turn_back(member: Any, age: timedelta) -> None:
    """Time cannot be waited for in a demo: set the clock of the member's link back, as if it had passed."""
    now = timezone.now()
    for reset in PasswordReset.objects.filter(member=member):
        lifetime = reset.lifetime
        PasswordReset.objects.filter(pk=reset.pk).update(
            issued_at=now - age, expires_at=now - age + lifetime, nonce=None
        )
    ResetEmail.objects.filter(member=member).update(created_at=now - age, handed_over_at=now - age)
