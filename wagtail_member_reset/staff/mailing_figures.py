"""
How many members of a mailing came to what, and the list of who: one definition for both.

Only people whose resets the reader may see are counted, as they alone are listed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from django.core.cache import cache
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.functional import Promise
from django.utils.text import capfirst
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from .. import mailings, reports
from ..accounts import but_for_members, rank_of
from ..mailing import count_in_chunks
from ..models import EmailState, Mailing, MailingState, PasswordReset, ResetEmail, SkipReason, State
from ..moments import sentence
from ..reports import Cause, Outcome, Verdict
from . import permissions, wording

ARRIVED = Q(outcome__in=reports.ARRIVED)
# Of an email that seemed to have failed, a report may know better.
SENT = Q(state=EmailState.HANDED_OVER) | Q(state=EmailState.FAILED) & ARRIVED
CAME_BACK = Q(state=EmailState.HANDED_OVER, outcome__in=reports.CAME_BACK)
SPAM = Q(outcome=Outcome.COMPLAINED)
FAILED = Q(state=EmailState.FAILED) & ~ARRIVED
NOT_SENT = Q(state=EmailState.SKIPPED, skip_reason=SkipReason.STOPPED)
NOT_EMAILED = Q(state=EmailState.SKIPPED) & ~Q(skip_reason=SkipReason.STOPPED)
# By the name that the list has in its address: what it is called, and whose emails those are.
SHOWN: dict[str, tuple[str | Promise, Q]] = {
    "": (_("All"), Q()),
    "sent": (_("Sent"), SENT),
    "delivered": (_("Delivered"), ARRIVED),
    "came_back": (_("Came back"), CAME_BACK),
    "spam": (_("Marked as spam"), SPAM),
    "password": (_("Chose a password"), SENT & Q(has_chosen=True)),
    "nothing": (_("Nothing yet"), SENT & ~CAME_BACK & ~SPAM & Q(has_chosen=False)),
    "not_emailed": (_("Not emailed"), NOT_EMAILED),
    "failed": (_("Failed"), FAILED),
    "not_sent": (_("Not sent"), NOT_SENT),
    "waiting": (_("Waiting"), Q(state__in=[EmailState.QUEUED, EmailState.SENDING])),
    "retrying": (_("Retrying soon"), Q(state=EmailState.QUEUED)),
}
# Each member is in one of these.
PARTS = ("sent", "not_emailed", "failed", "not_sent", "waiting")
WITH_REASONS = ("came_back", "not_emailed", "failed")
# While a page is polled, a mailing of 100,000 is counted once a minute for all its readers, one of 1,000 each time.
MEMBERS_A_SECOND, LONGEST_SECONDS = 1000, 60


class Reason(NamedTuple):
    """Why so many were not emailed, or did not get their email. `key` is its name in the list's address."""

    key: str
    label: str
    number: int


@dataclass(frozen=True, kw_only=True)
class Figures:
    """
    `numbers` are those of `SHOWN`. `unlisted` are counted in `chosen` alone: their accounts or emails are gone.

    `remaining` are those whom a stopped mailing did not reach and the reader can mail. `is_partial` says that there may
    be people beyond the reader's reach, who are not counted.
    """

    chosen: int
    done: int
    numbers: dict[str, int]
    reasons: dict[str, list[Reason]]
    remaining: int
    unlisted: int
    is_partial: bool


class _Counted(NamedTuple):
    numbers: dict[str, int]
    why: list[tuple[str, str, str, str, int]]


def figures(reader: Any, mailing: Mailing) -> Figures:
    """What the reader may know of how a mailing goes. Four queries, and one for each 10,000 members to come."""
    hidden, seconds = permissions.hidden_from(reader), min(mailing.chosen // MEMBERS_A_SECOND, LONGEST_SECONDS)
    moments = (mailing.created_at, mailing.resumed_at, mailing.finished_at)
    key = ".".join(str(moment and moment.timestamp()) for moment in moments)
    key = f"wagtail_member_reset.figures.{mailing.pk}.{key}.{mailing.state}.{rank_of(reader).name}.{hidden is None}"
    counted = _cached(key, seconds, lambda: _count(mailing, hidden))
    numbers = counted.numbers
    total, done = sum(numbers[part] for part in PARTS), sum(numbers[part] for part in ("sent", "not_emailed", "failed"))
    found = Figures(
        chosen=total,
        done=done,
        numbers=numbers,
        reasons={name: _reasons(name, counted.why) for name in WITH_REASONS},
        remaining=_remaining(reader, mailing, hidden),
        unlisted=0,
        is_partial=hidden is not None,
    )
    return found if hidden is not None else _of_all(mailing, found, is_late=bool(seconds))


def rows(mailing: Mailing, hidden: Q | None) -> QuerySet[ResetEmail]:
    """The emails of the mailing's members, one each, but for those who are hidden from the reader."""
    used = PasswordReset.objects.filter(
        member=OuterRef("member"), state=State.USED, used_at__gte=OuterRef("created_at")
    )
    emails = ResetEmail.objects.filter(mailing=mailing.pk, replaced_at=None).annotate(has_chosen=Exists(used))
    return but_for_members(emails, hidden)


def holds_chunks(mailing: Mailing, shown: str) -> bool:
    """Whether the members for whom nothing was written yet belong to what is shown."""
    return shown in ("", "not_sent" if mailing.state == MailingState.STOPPED else "waiting")


def with_reason(shown: str, key: str) -> Q:
    """The emails that have this reason; all of them for what is none."""
    if shown == "not_emailed":
        return Q(skip_reason=key) if key in SkipReason.values else Q()
    outcome, _dash, cause = key.partition("-")
    alike = [each for each in Cause if _text_of(outcome, each.value) == (outcome, cause)]
    if not alike:
        return Q()
    said = Q(outcome=outcome, cause__in=alike)
    return said | Q(outcome="") if (outcome, cause) == _text_of("", "") else said


def reason_label(shown: str, key: str) -> str:
    if shown == "not_emailed":
        return str(SkipReason(key).label)
    outcome, _dash, cause = key.partition("-")
    return _of_somebody(Outcome(outcome), Cause(cause))


def _cached(key: str, seconds: int, count: Callable[[], _Counted]) -> _Counted:
    if not seconds:
        return count()
    found: _Counted | None = cache.get(key)
    if found is None:
        found = count()
        cache.set(key, found, seconds)
    return found


def _remaining(reader: Any, mailing: Mailing, hidden: Q | None) -> int:
    """Never kept: once the rest was sent, it is not offered again."""
    if mailing.state != MailingState.STOPPED:
        return 0
    return mailings.count_rest(mailing, beyond=permissions.beyond(reader), hidden=hidden)


def _count(mailing: Mailing, hidden: Q | None) -> _Counted:
    emails = rows(mailing, hidden)
    numbers = emails.aggregate(**{name: Count("pk", filter=which) for name, (_label, which) in SHOWN.items() if name})
    left = count_in_chunks(mailing, hidden=hidden)
    numbers["not_sent" if mailing.state == MailingState.STOPPED else "waiting"] += left
    untold = emails.filter(CAME_BACK | NOT_EMAILED | FAILED).order_by()
    why = untold.values_list("state", "skip_reason", "outcome", "cause").annotate(Count("pk"))
    return _Counted(numbers, [*why])


def _of_all(mailing: Mailing, found: Figures, *, is_late: bool) -> Figures:
    """For who may see everybody: the mailing's own counters say at once how far it is, and know who is gone."""
    if not mailing.is_under_way:
        unlisted = max(mailing.chosen - found.chosen, 0)
        return replace(found, chosen=mailing.chosen, done=mailing.handled, unlisted=unlisted)
    if not is_late:
        return replace(found, chosen=mailing.chosen, done=mailing.handled)
    current = {
        "sent": mailing.handed_over,
        "delivered": mailing.delivered,
        "came_back": mailing.bounced,
        "not_emailed": mailing.skipped,
        "failed": mailing.failed,
        "waiting": mailing.waiting,
    }
    return replace(found, chosen=mailing.chosen, done=mailing.handled, numbers=found.numbers | current)


def _reasons(name: str, why: list[tuple[str, str, str, str, int]]) -> list[Reason]:
    """Those of what came back, was not emailed or failed, the most frequent first."""
    found: dict[str, int] = {}
    for state, skip_reason, outcome, cause, number in why:
        is_skip = state == EmailState.SKIPPED
        of = "not_emailed" if is_skip else "failed" if state == EmailState.FAILED else "came_back"
        if of == name:
            key = skip_reason if is_skip else "-".join(_text_of(outcome, cause))
            found[key] = found.get(key, 0) + number
    reasons = [Reason(key, reason_label(name, key), number) for key, number in found.items()]
    return sorted(reasons, key=lambda reason: -reason.number)


def _text_of(outcome: str, cause: str) -> tuple[str, str]:
    """Which of the tab's sentences is said; of what nobody has read, that it failed."""
    try:
        said = wording.text_of(Verdict(outcome=Outcome(outcome or "failed"), cause=Cause(cause)))
    except ValueError:
        return Outcome.FAILED.value, Cause.NONE.value
    return said[0].value, said[1].value


def _of_somebody(outcome: Outcome, cause: Cause) -> str:
    """What the tab says of one person, said of many: of somebody without a name."""
    text = wording.TEXTS[wording.text_of(Verdict(outcome=outcome, cause=cause))]
    return capfirst(sentence(str(text), name=gettext("the person")))
