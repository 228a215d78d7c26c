"""Telling the address that an account had before of the change: a notice without a link, for who may still read it."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from .. import audit, db, links
from ..accounts import Member, address_of, keeps_last_login, language_of, replaces_address, same_address
from ..conf import conf
from ..models import Counted, EmailState, PasswordReset, Purpose, ResetEmail, State, Tally
from ..reports import NO_SUCH_ADDRESS, Cause, Outcome, reports, verdict_on
from .background import wake_on_commit

# One address is told of many corrections within an hour once, and one account's addresses so often a day.
GAP, DAY = timedelta(hours=1), timedelta(days=1)
MOST_A_DAY = 5
# So many of the latest emails are asked what became of them.
LOOKED = 20
CAME_BACK = (Outcome.BOUNCED, Outcome.NOT_SENT)
# What is a sign that nobody reads the address, or that somebody minds.
ABOUT_THE_ADDRESS = (*NO_SUCH_ADDRESS, Cause.SPAM)


def tell_former_address(member: Member, *, address: str, by: Member | None, changed_at: datetime | None = None) -> bool:
    """
    Promise a notice to `address`, which the account had until now, if somebody may be reading it; whether one goes.

    Part of the transaction of the change. The notice says whom to turn to; it has no link, and names neither the new
    address nor the username. `changed_at` is a moment before anything was logged of this change and after `address`
    was read; needed where the change is in the log already.
    """
    if not replaces_address(address, address_of(member)):
        return False
    if not is_told(member, address=address, by=by, changed_at=changed_at):
        return False
    ResetEmail.objects.create(
        member=member,
        purpose=Purpose.ADDRESS_CHANGED,
        requested_by=by,
        recipient=address,
        language=language_of(member),
        site=links.usual_site(member),
    )
    audit.record(member, "tell", by=by, origin=None)
    wake_on_commit()
    return True


def is_told(member: Member, *, address: str, by: Member | None, changed_at: datetime | None = None) -> bool:
    """
    Whether this address of the account gets a notice when another one takes its place, by this person.

    Somebody may be reading it: the account has been used since the address was set, and since then no email there
    came back for what is the matter with the address, or was complained about. None where one went there within the
    hour, or where the day's notices about the account, or of the person, are used up.
    """
    if not address or _is_spent(member, by=by) or _was_told(member, address):
        return False
    set_at = audit.address_set_at(member, before=changed_at)
    used_at = _last_used_at(member, address, set_at=set_at)
    # Where nothing is kept of sign-ins, a password is the next best sign, for an address that was never changed.
    is_unknown = set_at is None and not keeps_last_login(type(member)) and member.has_usable_password()
    return (used_at is not None or is_unknown) and not _came_back(member, address, since=used_at)


def _is_spent(member: Member, *, by: Member | None) -> bool:
    """Whether a day's notices about one account, or those that one person may cause, are used up."""
    notices, erased = ResetEmail.objects.filter(purpose=Purpose.ADDRESS_CHANGED), Tally.objects
    now = timezone.now()
    of_account = notices.filter(member=member.pk, created_at__gt=now - DAY)
    if db.reaches(of_account, MOST_A_DAY, erased.within(DAY, Counted.NOTICE).filter(member=member.pk)):
        return True
    if by is None:
        return False
    most, period = conf.STAFF_LIMITS["person"]
    by_person = notices.filter(requested_by=by.pk, created_at__gt=now - period)
    return db.reaches(by_person, most, erased.within(period, Counted.NOTICE).filter(by=by.pk))


def _was_told(member: Member, address: str) -> bool:
    notices = ResetEmail.objects.filter(member=member.pk, purpose=Purpose.ADDRESS_CHANGED)
    recent = notices.filter(created_at__gt=timezone.now() - GAP).exclude(state=EmailState.FAILED)
    return any(same_address(told, address) for told in recent.values_list("recipient", flat=True))


def _last_used_at(member: Member, address: str, *, set_at: datetime | None) -> datetime | None:
    """
    When somebody last showed that the account, with this address, is theirs, as far as the rows tell.

    They signed in after the address was set, or set a password by a link that went there.
    """
    signed_in_at = getattr(member, "last_login", None)
    if signed_in_at and set_at and signed_in_at <= set_at:
        signed_in_at = None  # with another address, whoever still goes on in that session
    used = PasswordReset.objects.filter(member=member.pk, state=State.USED).order_by("-used_at")
    found = used.values_list("recipient", "used_at")[:LOOKED]
    # Of links whose rows were erased, the log alone tells: nobody silences a notice by an erasure before the change.
    erased = audit.used_before_erasure(member, since=set_at)
    moments = [signed_in_at, erased, *(used_at for recipient, used_at in found if same_address(recipient, address))]
    return max(filter(None, moments), default=None)


def _came_back(member: Member, address: str, *, since: datetime | None) -> bool:
    emails = ResetEmail.objects.filter(member=member.pk).order_by("-created_at", "-pk").prefetch_related("events")
    return any(same_address(email.recipient, address) and _is_bad(email, since=since) for email in emails[:LOOKED])


def _is_bad(email: ResetEmail, *, since: datetime | None) -> bool:
    verdict = verdict_on(email, email.events.all(), reports=reports(email.provider))
    heard_at = verdict.at or email.refused_at or email.created_at
    is_about_address = verdict.outcome in CAME_BACK and verdict.cause in ABOUT_THE_ADDRESS
    is_bad = is_about_address or verdict.outcome == Outcome.COMPLAINED
    return is_bad and (since is None or heard_at > since)
