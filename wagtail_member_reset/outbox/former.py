"""Telling the address that an account had before of the change: a notice without a link, for who may still read it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Max
from django.utils import timezone
from wagtail.models import Site

from .. import audit
from ..accounts import Member, address_of, keeps_last_login, language_of, replaces_address, same_address
from ..models import PasswordReset, Purpose, ResetEmail, State
from ..reports import Outcome, reports, verdict_on
from .background import wake_on_commit

# Many corrections within an hour are one notice.
GAP = timedelta(hours=1)
# So many of the latest emails are asked what became of them.
LOOKED = 20
CAME_BACK = (Outcome.BOUNCED, Outcome.COMPLAINED, Outcome.NOT_SENT)


def tell_former_address(member: Member, *, address: str, by: Member | None) -> bool:
    """
    Promise a notice to `address`, which the account had until now, if somebody may be reading it; whether one goes.

    Part of the transaction of the change. The notice says whom to turn to; it has no link, and names neither the new
    address nor the user name.
    """
    if not replaces_address(address, address_of(member)) or not is_told(member, address=address):
        return False
    ResetEmail.objects.create(
        member=member,
        purpose=Purpose.ADDRESS_CHANGED,
        requested_by=by,
        recipient=address,
        language=language_of(member),
        site=Site.objects.filter(is_default_site=True).first(),
    )
    audit.record(member, "tell", by=by, origin=None)
    wake_on_commit()
    return True


def is_told(member: Member, *, address: str) -> bool:
    """
    Whether this address of the account gets a notice when another one takes its place.

    Somebody may be reading it: the account has been used, and since then no email there came back or was complained
    about. None where one went out within the hour.
    """
    notices = ResetEmail.objects.filter(member=member.pk, purpose=Purpose.ADDRESS_CHANGED)
    if not address or notices.filter(created_at__gt=timezone.now() - GAP).exists():
        return False
    used_at = _last_used_at(member)
    # Where nothing is kept of sign-ins, a password is the next best sign.
    is_unknown = not keeps_last_login(type(member)) and member.has_usable_password()
    return (used_at is not None or is_unknown) and not _came_back(member, address, since=used_at)


def _last_used_at(member: Member) -> datetime | None:
    """When somebody last signed in, or set a password by a link, as far as the rows tell."""
    used = PasswordReset.objects.filter(member=member.pk, state=State.USED)
    moments = [getattr(member, "last_login", None), used.aggregate(last=Max("used_at"))["last"]]
    return max(filter(None, moments), default=None)


def _came_back(member: Member, address: str, *, since: datetime | None) -> bool:
    emails = ResetEmail.objects.filter(member=member.pk).order_by("-created_at", "-pk").prefetch_related("events")
    return any(same_address(email.recipient, address) and _is_bad(email, since=since) for email in emails[:LOOKED])


def _is_bad(email: ResetEmail, *, since: datetime | None) -> bool:
    verdict = verdict_on(email, email.events.all(), reports=reports(email.provider))
    heard_at = verdict.at or email.refused_at or email.created_at
    return verdict.outcome in CAME_BACK and (since is None or heard_at > since)
