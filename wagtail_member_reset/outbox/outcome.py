"""Writing down what came of emails: of one, or of many that came to the same."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from django.db.models import Case, F, Q, Value, When
from django.utils import timezone

from .. import db, mailing, redact
from ..models import EmailState, NeedsHelp, ResetEmail, SkipReason
from ..reports import Cause, Whose, counters_of, given_up, note_refusal
from ..signals import delivery_changed
from .about import LONGEST_FOR_LIMIT, About, about
from .failures import Answer, Result

# How long an email waits for its second attempt, its third, and so on.
BACK_OFF = [timedelta(seconds=30)] + [timedelta(minutes=m) for m in (2, 10, 30, 120, 360)]
FIRST_WAIT = BACK_OFF[0]
# Where our own server has had enough for now: how long an email waits at most.
LONGEST_LIMIT = timedelta(hours=1)
LONGEST_HOLD = LONGEST_LIMIT + timedelta(minutes=1)
# Beyond that, the attempts ended with their workers, and so may the next one.
MOST_ATTEMPTS = len(BACK_OFF) + 3


class Fate(NamedTuple):
    """
    What emails that were sent together have in common. `may_have_arrived` counts in `held_by_nobody`; `of_whom` is whom
    a refusal by our own server is about.
    """

    state: EmailState
    changes: tuple[tuple[str, Any], ...]
    wait: timedelta = timedelta(0)
    may_have_arrived: bool = False
    of_whom: About | None = None


class Attempt(NamedTuple):
    """What one attempt came to. `message_id` stands apart, since it alone differs between emails sent together."""

    email: ResetEmail
    fate: Fate
    message_id: str | None = None


def of_results(answers: Iterable[tuple[ResetEmail, str, Result]]) -> Iterator[Attempt]:
    """What an attempt at each email came to, and how long to wait for the next one. The tokens are for their texts."""
    last, attempts, fate = None, 0, None
    for email, token, result in answers:
        # Of a call for many, all often come to the same.
        if fate is None or result is not last or email.attempts != attempts or result.text:
            last, attempts, fate = result, email.attempts, _fate(email, result, token)
        yield Attempt(email, fate, result.message_id if result.provider else None)


def of_skip(email: ResetEmail, reason: SkipReason) -> Attempt:
    changes: tuple[tuple[str, Any], ...] = (("skip_reason", reason),)
    if reason == SkipReason.STOPPED:  # it was taken in hand, and never tried
        changes += (("attempts", max(email.attempts - 1, 0)),)
    return Attempt(email, Fate(EmailState.SKIPPED, changes))


def of_failure(email: ResetEmail, code: str, text: str = "", *, for_good: bool = True) -> Attempt:
    """An attempt that ended before anything was handed over, for a reason of ours."""
    answer = Answer.NEVER if for_good else Answer.LATER
    return Attempt(email, _fate(email, Result(answer=answer, code=code, text=text, is_certain=True), ""))


def write(attempts: Sequence[Attempt]) -> None:
    """
    Write down what emails came to, and count it for their mailings, in one transaction.

    Only under the lease that each was claimed with: if it ran out, another worker has the email and writes what
    that one saw. Announces `delivery_changed` for each.
    """
    groups: dict[Any, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        groups[attempt.email.lease, attempt.email.mailing_id, attempt.fate].append(attempt)

    def write_all(*, are_ours: bool) -> list[Attempt]:
        found = [group if are_ours else _ours(group) for group in groups.values()]
        written = [each for group in found if group for each in _write_group(group)]
        _count(written)
        return written

    try:
        written = db.retried(lambda: write_all(are_ours=True))
    except _NotOurs:
        written = db.retried(lambda: write_all(are_ours=False))
    for attempt in written:
        delivery_changed.send_robust(sender=ResetEmail, email=attempt.email)


def wait_after(email: ResetEmail, result: Result) -> timedelta:
    """How long to wait after an attempt that failed, and not for good."""
    wait = BACK_OFF[min(email.attempts, len(BACK_OFF)) - 1]
    if result.whose == Whose.LATER and result.is_sure:
        wait = min(wait, LONGEST_LIMIT)  # nobody knows when a limit is over, so it is looked often
    return max(wait, timedelta(seconds=result.retry_after))


def _fate(email: ResetEmail, result: Result, token: str) -> Fate:
    text = redact.blank_out(token, result.text) if token and result.text else result.text
    changes: dict[str, Any] = {"result_code": result.code[:32], "result_text": text[:500]}
    changes["result_cause"] = result.cause.value
    if result.provider:
        changes["provider"] = result.provider
    state, wait, of_whom = EmailState.FAILED, timedelta(0), about(email, result)
    if result.answer == Answer.ACCEPTED:
        state = EmailState.HANDED_OVER
    elif _is_kept(email, result, of_whom):
        state = EmailState.QUEUED
        # That our own server takes no emails counts for none of them.
        changes["attempts"] = min(email.attempts, len(BACK_OFF))
        is_paused = result.whose == Whose.MEND and of_whom is About.ALL
        wait = timedelta(0) if is_paused else wait_after(email, result)
        # Once the mailing goes on, another comes first.
        if of_whom is About.UNTOLD and result.whose == Whose.LATER:
            wait = max(wait, LONGEST_HOLD)
    elif email.attempts <= len(BACK_OFF) and _is_tried_again(email, result, of_whom):
        state, wait = EmailState.QUEUED, wait_after(email, result)
    if state == EmailState.FAILED:
        found = given_up(changes["result_code"], changes["result_text"], changes["result_cause"])
        changes |= {"outcome": found.outcome.value, "cause": found.cause.value}
    return Fate(state, tuple(changes.items()), wait, may_have_arrived=not result.is_certain, of_whom=of_whom)


def _is_kept(email: ResetEmail, result: Result, of_whom: About | None) -> bool:
    """Whether it waits for our own server, however long that takes: mailings for whatever it is, others for a limit."""
    if of_whom not in (About.ALL, About.UNTOLD):
        return False
    if email.mailing_id is not None:
        return True
    return result.cause == Cause.LIMIT and timezone.now() - email.created_at < LONGEST_FOR_LIMIT


def _is_tried_again(email: ResetEmail, result: Result, of_whom: About | None) -> bool:
    if result.answer == Answer.LATER:
        return True
    # Our own server may have meant them all, which the next ones will tell.
    return (
        of_whom is not About.ONE and result.whose == Whose.MEND and email.mailing_id is not None and result.is_certain
    )


class _NotOurs(Exception):
    """Some were taken by another worker, or written already. Then it is asked which, so that none counts twice."""


def _ours(group: list[Attempt]) -> list[Attempt]:
    """Those that are ours to write, and stay so until the end of the transaction."""
    mine = ResetEmail.objects.filter(_which(group), lease=group[0].email.lease, state=EmailState.SENDING)
    ours = set(mine.select_for_update().values_list("public_id", flat=True))
    return [attempt for attempt in group if attempt.email.public_id in ours]


def _write_group(group: list[Attempt]) -> list[Attempt]:
    """Attempts that differ in nothing but their message ids. Raises `_NotOurs` if some were not ours to write."""
    fate, lease, now = group[0].fate, group[0].email.lease, timezone.now()
    fields: dict[str, Any] = {"state": fate.state, **dict(fate.changes)}
    if fate.state == EmailState.HANDED_OVER:
        fields["handed_over_at"] = now
    if fate.state == EmailState.QUEUED:
        fields["next_attempt_at"] = now + fate.wait
    if fate.state in (EmailState.QUEUED, EmailState.FAILED):
        fields["refused_at"] = now
    copies = {"possible_copies": F("possible_copies") + 1} if fate.may_have_arrived else {}
    mine = ResetEmail.objects.filter(_which(group), lease=lease, state=EmailState.SENDING)
    if mine.update(lease="", lease_until=None, **fields, **copies, **_message_ids(group)) != len(group):
        raise _NotOurs
    for attempt in group:
        vars(attempt.email).update(fields)
    return group


def _count(written: Sequence[Attempt]) -> None:
    """Move the counters of their mailings, each mailing's once, and keep what was said of their addresses."""
    states: dict[int, Counter[str]] = defaultdict(Counter)
    skips: dict[int, Counter[SkipReason]] = defaultdict(Counter)
    _have_looked_at(written)
    for attempt in written:
        if attempt.fate.state == EmailState.FAILED:
            note_refusal(attempt.email)
        if (mailing_id := attempt.email.mailing_id) is None:
            continue
        if attempt.fate.state == EmailState.FAILED:
            states[mailing_id].update(counters_of(attempt.email, ()))
        if attempt.fate.state == EmailState.SKIPPED:
            skips[mailing_id][dict(attempt.fate.changes)["skip_reason"]] += 1
        elif attempt.fate.state in mailing.BY_STATE:
            states[mailing_id][mailing.BY_STATE[attempt.fate.state]] += 1
    for mailing_id in sorted({*states, *skips}):
        mailing.count(mailing_id, skips=skips[mailing_id], **states[mailing_id])


def _have_looked_at(written: Sequence[Attempt]) -> None:
    """
    Have the list of who needs help follow: what went wrong lists somebody, what has left may take somebody off it.

    Emails of mailings leave as soon as they are written, which the list is told for a whole chunk at once.
    """
    wrong = (EmailState.FAILED, EmailState.SKIPPED)
    NeedsHelp.objects.look_at(attempt.email.member_id for attempt in written if attempt.fate.state in wrong)
    left = [
        attempt.email.member_id
        for attempt in written
        if attempt.fate.state == EmailState.HANDED_OVER and attempt.email.mailing_id is None and attempt.email.has_link
    ]
    if left:
        NeedsHelp.objects.look_again(left)


def _which(group: list[Attempt]) -> Q:
    keys = [attempt.email.pk for attempt in group]
    # Of those just issued, not every database has told the keys.
    return Q(public_id__in=[each.email.public_id for each in group]) if None in keys else db.with_keys(keys)


def _message_ids(group: list[Attempt]) -> dict[str, Any]:
    """One value for all, or one for each: mail services differ."""
    found = {attempt.message_id for attempt in group} - {None}
    if len(found) <= 1:
        return {"message_id": found.pop()} if found else {}
    ids = {each.email.public_id: each.message_id for each in group if each.message_id is not None}
    cases = (When(public_id=key, then=Value(message_id)) for key, message_id in ids.items())
    return {"message_id": Case(*cases, default=Value(""))}
