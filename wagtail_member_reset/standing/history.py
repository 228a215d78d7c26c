"""What happened to a member's links, step by step, as far back as the rows reach."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Any

from django.db.models import Prefetch
from wagtail.log_actions import registry

from ..accounts import Member
from ..models import EmailState, Mailing, Origin, PasswordReset, Reason, ResetEmail, State
from ..reports import Outcome, Unblocked, Verdict, is_automatic_answer, of_event, verdict_on

MOST_LINKS = 5
MOST_ACTIONS = 100
# What opens a link so soon after the mail arrived is more likely a scanner than a person.
SCANNERS_HASTE = timedelta(seconds=60)


class Step(str, Enum):
    CREATED = "created"
    SENT = "sent"  # by email, after it was handed out
    SENT_AGAIN = "sent_again"
    HANDED_OVER = "handed_over"
    DID_NOT_LEAVE = "did_not_leave"
    REPORTED = "reported"
    NOTED = "noted"
    SHOWN = "shown"
    COPIED = "copied"
    TOLD = "told"
    UNBLOCKED = "unblocked"
    NOT_UNBLOCKED = "not_unblocked"
    OPENED = "opened"
    USED = "used"
    CONFIRMED = "confirmed"
    EXPIRED = "expired"
    CLOSED = "closed"


# These actions stand in Wagtail's log, which knows who took them.
ACTIONS = {
    "wagtail_member_reset.show": Step.SHOWN,
    "wagtail_member_reset.copy": Step.COPIED,
    "wagtail_member_reset.tell": Step.TOLD,
    "wagtail_member_reset.unblock": Step.UNBLOCKED,
}
REVOKED = "wagtail_member_reset.revoke"


@dataclass(frozen=True, kw_only=True)
class Entry:
    """
    One thing that happened. `by` is the staff member, where there was one.

    `note` is the type of a report that decides nothing, as of a mail that was opened. `origin` says where a link or an
    email comes from, empty where nobody knows, and `mailing` which mailing sent it.
    """

    step: Step
    at: datetime
    reset: PasswordReset
    by: Any = None
    email: ResetEmail | None = None
    verdict: Verdict | None = None
    note: str = ""
    origin: str = ""
    mailing: Mailing | None = None
    is_doubtful: bool = False


@dataclass(frozen=True, kw_only=True)
class Story:
    """One link from its issue on. `awaited` are the steps that have not come to pass, and still may."""

    reset: PasswordReset
    entries: list[Entry]
    awaited: list[Step]


def stories(member: Member) -> list[Story]:
    """The member's last links, the latest first. Four queries, or one where there are none."""
    emails = (
        ResetEmail.objects.order_by("created_at", "pk")
        .select_related("requested_by", "mailing__created_by")
        .prefetch_related("events")
    )
    resets = list(
        PasswordReset.objects.filter(member=member.pk)
        .select_related("issued_by", "site")
        .prefetch_related(Prefetch("emails", emails))
        .order_by("-issued_at", "-pk")[:MOST_LINKS]
    )
    if not resets:
        return []
    actions = _actions(member, since=resets[-1].issued_at)
    ends = [None, *(reset.issued_at for reset in resets)]
    told = []
    for reset, end in zip(resets, ends, strict=False):
        mine = [a for a in actions if a.timestamp >= reset.issued_at and (end is None or a.timestamp < end)]
        entries = sorted(_entries(reset, mine), key=_place)
        told.append(Story(reset=reset, entries=entries, awaited=_awaited(reset)))
    return told


def _place(entry: Entry) -> datetime:
    # Providers tell whole seconds by their own clocks: no report of a mail goes before its hand-over.
    handed_over_at = entry.email.handed_over_at if entry.email else None
    return (
        max(entry.at, handed_over_at) if handed_over_at and entry.step not in (Step.SENT, Step.SENT_AGAIN) else entry.at
    )


def _actions(member: Member, *, since: datetime) -> list[Any]:
    log = registry.get_logs_for_instance(member).filter(action__in=[*ACTIONS, REVOKED], timestamp__gte=since)
    return list(log.select_related("user").order_by("-timestamp")[:MOST_ACTIONS])


def _entries(reset: PasswordReset, actions: list[Any]) -> Iterator[Entry]:
    with_link = [email for email in reset.emails.all() if email.has_link]
    mailing = with_link[0].mailing if with_link and with_link[0].origin == reset.origin else None
    made = Entry(step=Step.CREATED, at=reset.issued_at, reset=reset, by=reset.issued_by)
    yield replace(made, origin=reset.origin, mailing=mailing)
    is_handed_out = reset.origin == Origin.HANDED_OUT
    for index, email in enumerate(with_link):
        if index or is_handed_out:
            step = Step.SENT_AGAIN if index else Step.SENT
            sent = Entry(step=step, at=email.created_at, reset=reset, email=email, by=email.requested_by)
            yield replace(sent, origin=email.origin, mailing=email.mailing)
        yield from _of_email(reset, email)
    for action in actions:
        if action.action in ACTIONS:
            yield Entry(step=_step_of(action), at=action.timestamp, reset=reset, by=action.user)
    yield from _of_link(reset, with_link, actions)
    for email in reset.emails.all():
        if not email.has_link and email.handed_over_at:
            yield Entry(step=Step.CONFIRMED, at=email.handed_over_at, reset=reset, email=email)


def _step_of(action: Any) -> Step:
    step = ACTIONS[action.action]
    is_in_vain = step == Step.UNBLOCKED and action.data.get("outcome") != Unblocked.DONE
    return Step.NOT_UNBLOCKED if is_in_vain else step


def _of_email(reset: PasswordReset, email: ResetEmail) -> Iterator[Entry]:
    if email.handed_over_at:
        yield Entry(step=Step.HANDED_OVER, at=email.handed_over_at, reset=reset, email=email)
    elif email.state in (EmailState.FAILED, EmailState.SKIPPED):
        # When the last attempt was due is as near as the row comes to when it failed.
        found = verdict_on(email, [], reports=False)
        yield Entry(step=Step.DID_NOT_LEAVE, at=email.next_attempt_at, reset=reset, email=email, verdict=found)
    told = list(email.events.all())
    for event in told:
        found_of_event = of_event(event)
        if is_automatic_answer(event, told):
            yield Entry(step=Step.NOTED, at=event.happened_at, reset=reset, email=email, note="autoresponded")
        elif found_of_event is None:
            yield Entry(step=Step.NOTED, at=event.happened_at, reset=reset, email=email, note=event.event_type)
        else:
            yield Entry(step=Step.REPORTED, at=event.happened_at, reset=reset, email=email, verdict=found_of_event)


def _of_link(reset: PasswordReset, emails: list[ResetEmail], actions: list[Any]) -> Iterator[Entry]:
    if reset.opened_at:
        doubtful = reset.used_at is None and any(_is_hasty(reset.opened_at, email) for email in emails)
        yield Entry(step=Step.OPENED, at=reset.opened_at, reset=reset, is_doubtful=doubtful)
    if reset.used_at:
        yield Entry(step=Step.USED, at=reset.used_at, reset=reset)
    elif reset.closed_at:
        by_staff = reset.reason == Reason.STAFF
        by = next((action.user for action in actions if by_staff and action.action == REVOKED), None)
        yield Entry(step=Step.CLOSED, at=reset.closed_at, reset=reset, by=by)
    elif reset.is_expired:
        yield Entry(step=Step.EXPIRED, at=reset.expires_at, reset=reset)


def is_opening_doubtful(reset: PasswordReset) -> bool:
    """Whether a scanner may have opened the link, and no person. Two queries."""
    if reset.used_at or reset.opened_at is None:
        return False
    emails = ResetEmail.objects.with_link().filter(reset=reset).prefetch_related("events")
    return any(_is_hasty(reset.opened_at, email) for email in emails)


def _is_hasty(opened_at: datetime, email: ResetEmail) -> bool:
    arrivals = [email.handed_over_at] if email.handed_over_at else []
    for event in email.events.all():
        found = of_event(event)
        if found and found.outcome == Outcome.DELIVERED:
            arrivals.append(event.happened_at)
    return any(timedelta(0) <= opened_at - arrival < SCANNERS_HASTE for arrival in arrivals)


def _awaited(reset: PasswordReset) -> list[Step]:
    if reset.state != State.ACTIVE or reset.is_expired:
        return []
    return [Step.USED] if reset.opened_at else [Step.OPENED, Step.USED]
