"""
How many mails one account gets, and one person of staff causes.

What strangers ask for on the website has limits of its own, so that nobody can use up
what staff need to help. What was imported or sent by a mailing counts for neither; what
mailings send to one account has the same limit for itself.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from django.db.models import Count, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThanOrEqual
from django.utils import timezone

from .. import db
from ..accounts import Member
from ..conf import conf
from ..exceptions import Refusal
from ..models import Counted, EmailState, Origin, PasswordReset, Purpose, ResetEmail, SkipReason, State, Tally

# What strangers can cause at most: mails to one account that nobody of the staff asked for. Neither limit is said.
GAP = timedelta(minutes=2)
MOST_A_DAY = 10
DAY = timedelta(days=1)
# Where the links come from that count for staff when they send them.
BY_HAND = (Origin.STAFF, Origin.CREATED, Origin.MEMBER, Origin.HANDED_OUT)


def is_spent_for_strangers(member: Member) -> bool:
    """
    Whether any mail went out a moment ago, or the day's budget of those without staff behind them is spent.

    Nobody waits for a mail that failed, or whose link was used: these count for the day alone. That of a mailing may
    wait for its turn, or for hours: it has not left. Who uses a link has shown that the mailbox is theirs, so that what
    others had asked for until then counts no more.
    """
    since = timezone.now() - GAP
    lately = _with_link().filter(Q(created_at__gt=since) | Q(handed_over_at__gt=since))
    awaited = lately.exclude(state=EmailState.FAILED).exclude(reset__state=State.USED)
    awaited = awaited.exclude(state=EmailState.QUEUED, mailing__isnull=False)
    if awaited.filter(member=member).exists():
        return True
    used = PasswordReset.objects.filter(member=member, state=State.USED)
    used_at = used.aggregate(last=Max("used_at"))["last"]
    unasked = _mails(DAY).filter(member=member, requested_by=None, mailing=None)
    erased = Tally.objects.within(DAY, Counted.WEBSITE).filter(member=member.pk)
    return db.reaches(unasked.filter(created_at__gt=used_at) if used_at else unasked, MOST_A_DAY, erased)


def refusal_of_staff(member: Member, *, by: Member) -> Refusal | None:
    """Whether staff have sent this account, or this person has sent, as many mails as they may."""
    return _refusal(_by_staff, Counted.STAFF, member, requested_by=by)


def refusal_of_handing_out(member: Member, *, by: Member) -> Refusal | None:
    """The same limits for links that staff make without an email, which count for themselves."""
    return _refusal(_handed_out, Counted.HANDED_OUT, member, issued_by=by)


def tallies_of(member: Member) -> list[Tally]:
    """What was sent to an account, or made for it, to be written where its rows go and it must count for limits."""
    since, gone = timezone.now() - Tally.KEPT, Q(state=EmailState.SKIPPED) & ~Q(skip_reason=SkipReason.ERASED)
    emails = ResetEmail.objects.filter(member=member.pk, created_at__gt=since).exclude(gone).select_related("reset")
    made = PasswordReset.objects.filter(member=member.pk, issued_at__gt=since, origin=Origin.HANDED_OUT)
    found = [(kind, email.requested_by_id, email.created_at) for email in emails if (kind := _counts_as(email))]
    found += [(Counted.HANDED_OUT, reset.issued_by_id, reset.issued_at) for reset in made]
    return [Tally(member_id=member.pk, kind=kind, by_id=by, counted_at=at) for kind, by, at in found]


def _counts_as(email: ResetEmail) -> Counted | None:
    """For which limit an email counts."""
    if email.purpose == Purpose.ADDRESS_CHANGED:
        return None if email.is_waiting else Counted.NOTICE  # one that waits stays
    if not email.has_link:
        return None
    if email.mailing_id:
        return None if email.state == EmailState.FAILED and not email.possible_copies else Counted.MAILING
    if email.requested_by_id is None:
        return Counted.WEBSITE
    return Counted.STAFF if email.reset and email.reset.origin in BY_HAND else None


def _refusal(made: Callable[[timedelta], QuerySet[Any]], kind: Counted, member: Member, **by: Member) -> Refusal | None:
    limits, [person] = conf.STAFF_LIMITS, by.values()
    most, period = limits["account"]
    if db.reaches(made(period).filter(member=member), most, Tally.objects.within(period, kind).filter(member=member)):
        return Refusal.ACCOUNT_LIMIT
    most, period = limits["person"]
    erased = Tally.objects.within(period, kind).filter(by=person)
    return Refusal.PERSON_LIMIT if db.reaches(made(period).filter(**by), most, erased) else None


def is_spent_for_mailings() -> GreaterThanOrEqual:
    """Whether mailings may not mail an account for now, for a query of accounts. What certainly never left is free."""
    most, period = conf.STAFF_LIMITS["account"]
    mailed = _mails(period).exclude(state=EmailState.FAILED, possible_copies=0).filter(member=OuterRef("pk"))
    erased = Tally.objects.within(period, Counted.MAILING).filter(member=OuterRef("pk"))
    return GreaterThanOrEqual(_number_of(mailed.exclude(mailing=None)) + _number_of(erased), most)


def _number_of(rows: QuerySet[Any]) -> Coalesce:
    """How many there are of one member, for a query of accounts."""
    return Coalesce(Subquery(rows.order_by().values("member").annotate(number=Count("pk")).values("number")), 0)


def _by_staff(period: timedelta) -> QuerySet[ResetEmail]:
    by_hand = _mails(period).exclude(requested_by=None).filter(mailing=None)
    return by_hand.filter(reset__origin__in=BY_HAND)


def _handed_out(period: timedelta) -> QuerySet[PasswordReset]:
    return PasswordReset.objects.filter(origin=Origin.HANDED_OUT, issued_at__gt=timezone.now() - period)


def _mails(period: timedelta) -> QuerySet[ResetEmail]:
    return _with_link().filter(created_at__gt=timezone.now() - period)


def _with_link() -> QuerySet[ResetEmail]:
    # A mailing keeps a row of each member whom it passes over, too.
    return ResetEmail.objects.with_link().exclude(state=EmailState.SKIPPED)
