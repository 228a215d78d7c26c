"""Erasing what is stored about one person."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.db.models import Q
from django.utils import timezone

from .. import audit, bad_addresses, db, links, outbox
from ..accounts import Member
from ..exceptions import ErasureRefused
from ..mailing import count, finish_mailing
from ..models import WITHOUT_LINK, EmailState, NeedsHelp, PasswordReset, Reason, ResetEmail, SkipReason, State, Tally
from .in_mailings import leave_out
from .person import person_of


def erase(member: Member, *, by: Member | None) -> None:
    """
    Erase what is stored about the person, for good. A link that works ends first, and emails with a link that wait
    never leave.

    What stays, since the account does: "Do not email", which is the person's own wish; what the person did as
    staff, which is about others; and Wagtail's log, which is the site's, with an entry that says who erased. A notice
    that waits, of a changed password or address, still leaves: nobody silences it by an erasure. What counts for a
    limit counts on for a day, without what it was.

    Raises `ErasureRefused`, and changes nothing, while an email with a link to the person is being sent, or while
    somebody is at a mailing that names them.
    """
    person = person_of(member)

    def attempt() -> set[int]:
        links.lock_first(member)
        links.locked(member)
        touched = _call_off(member)
        if live := PasswordReset.objects.filter(active_for=member.pk).first():
            links.close(live, State.REVOKED, Reason.STAFF)
            audit.record(member, "revoke", by=by, origin=None)
        touched |= leave_out(person, reason=SkipReason.ERASED)
        Tally.objects.bulk_create(links.tallies_of(member))
        _keep_notices(member)
        ResetEmail.objects.filter(member=member.pk).exclude(_notices_that_wait()).delete()
        PasswordReset.objects.filter(member=member.pk).delete()
        outbox.forget_requests(person.own_keys)
        bad_addresses.of_keys(person.own_keys).delete()
        NeedsHelp.objects.filter(pk=member.pk).delete()
        audit.record(member, "erase", by=by, origin=None)
        return touched

    for mailing in db.retried(attempt):
        finish_mailing(mailing)


def _keep_notices(member: Member) -> None:
    """Loosen those that wait from their links, which go, and mark them: once they have left, the purge takes them."""
    notices = ResetEmail.objects.filter(_notices_that_wait(), member=member.pk)
    notices.update(reset=None, skip_reason=SkipReason.ERASED)


def _notices_that_wait() -> Q:
    return Q(purpose__in=WITHOUT_LINK, state__in=[EmailState.QUEUED, EmailState.SENDING])


def _call_off(member: Member) -> set[int]:
    """
    Have the person's waiting emails with a link leave no more, and count them in their mailings. Part of a transaction.

    They are written before anything is read, so of this and a worker that claims one, one is too late.
    """
    theirs, now = ResetEmail.objects.filter(member=member.pk).with_link(), timezone.now()
    waiting = Q(state=EmailState.QUEUED) | Q(state=EmailState.SENDING, lease_until__lte=now)
    theirs.filter(waiting).update(state=EmailState.SKIPPED, skip_reason=SkipReason.ERASED, lease="", lease_until=None)
    # Locked, so that MariaDB reads what others have committed since.
    if list(theirs.select_for_update().filter(state=EmailState.SENDING).values_list("pk", flat=True)):
        raise ErasureRefused
    called_off = theirs.filter(skip_reason=SkipReason.ERASED).exclude(mailing=None)
    numbers: Counter[Any] = Counter(called_off.values_list("mailing", flat=True))
    for mailing, number in sorted(numbers.items()):
        count(mailing, skips=Counter({SkipReason.ERASED: number}))
    return set(numbers)
