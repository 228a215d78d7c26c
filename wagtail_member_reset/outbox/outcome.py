"""Writing down what came of a mail: of one, or of many that came to the same."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from django.db.models import Case, Q, Value, When
from django.utils import timezone

from .. import db, tokens
from ..mailing import count_emails
from ..models import EmailState, ResetEmail, SkipReason
from ..signals import delivery_changed
from .transport import Answer, Result

BACK_OFF = [timedelta(seconds=30)] + [timedelta(minutes=m) for m in (2, 10, 30, 120, 360)]


class Fate(NamedTuple):
    """What mails that were sent together have in common afterwards."""

    state: EmailState
    changes: tuple[tuple[str, Any], ...]
    wait: timedelta = timedelta(0)


class Outcome(NamedTuple):
    """What one mail came to. `message_id` stands apart, since it alone differs between mails sent together."""

    email: ResetEmail
    fate: Fate
    message_id: str | None = None


def of_results(answers: Iterable[tuple[ResetEmail, str, Result]]) -> Iterator[Outcome]:
    """What an attempt at each mail came to, and how long to wait for the next one. The tokens are for their texts."""
    last, attempts, fate = None, 0, None
    for email, token, result in answers:
        # Of a call for many, all often come to the same.
        if fate is None or result is not last or email.attempts != attempts or result.text:
            last, attempts, fate = result, email.attempts, _fate(email, result, token)
        yield Outcome(email, fate, result.message_id if result.provider else None)


def _fate(email: ResetEmail, result: Result, token: str) -> Fate:
    text = tokens.blank_out(token, result.text) if token and result.text else result.text
    state, wait = EmailState.FAILED, timedelta(0)
    if result.answer == Answer.ACCEPTED:
        state = EmailState.HANDED_OVER
    elif result.answer == Answer.LATER and email.attempts <= len(BACK_OFF):
        state, wait = EmailState.QUEUED, max(BACK_OFF[email.attempts - 1], timedelta(seconds=result.retry_after))
    changes: dict[str, Any] = {"result_code": result.code[:32], "result_text": text[:500]}
    if result.provider:
        changes["provider"] = result.provider
    return Fate(state, tuple(changes.items()), wait)


def of_skip(email: ResetEmail, reason: SkipReason) -> Outcome:
    changes: tuple[tuple[str, Any], ...] = (("skip_reason", reason),)
    if reason == SkipReason.STOPPED:  # it was taken in hand, and never tried
        changes += (("attempts", max(email.attempts - 1, 0)),)
    return Outcome(email, Fate(EmailState.SKIPPED, changes))


def note(email: ResetEmail, result: Result, *, token: str) -> None:
    write(list(of_results([(email, token, result)])))


def skip(email: ResetEmail, reason: SkipReason) -> None:
    write([of_skip(email, reason)])


class Tally:
    """What mailings have come to since their counters were last moved."""

    def __init__(self) -> None:
        self._states: dict[int, Counter[Any]] = defaultdict(Counter)
        self._skips: dict[int, Counter[Any]] = defaultdict(Counter)

    def add(self, mailing_id: int, state: EmailState, reason: SkipReason | None, number: int) -> None:
        self._states[mailing_id][state] += number
        if reason is not None:
            self._skips[mailing_id][reason] += number

    def take(self, other: Tally) -> None:
        for mailing_id, states in other._states.items():
            self._states[mailing_id] += states
            self._skips[mailing_id] += other._skips[mailing_id]

    def flush(self) -> None:
        """Move the counters. What is lost with a process that dies is put right when the mailing ends."""
        for mailing_id, states in self._states.items():
            count_emails(mailing_id, states, self._skips[mailing_id])
        self._states.clear()
        self._skips.clear()


def write(outcomes: Sequence[Outcome], *, tally: Tally | None = None) -> None:
    """
    Write down what mails came to, in one transaction; with `tally`, the counters of their mailings wait for its `flush`.

    Only under the lease that each was claimed with: if it ran out, another worker has the mail and
    writes what it saw.
    """
    groups: dict[Any, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        email = outcome.email
        groups[email.lease, email.mailing_id, outcome.fate].append(outcome)

    def attempt() -> tuple[list[Outcome], Tally]:
        found, counted = [], Tally()
        for group in groups.values():
            ours = _write_group(group)
            found += ours
            if ours and (mailing_id := ours[0].email.mailing_id):
                fate = ours[0].fate
                counted.add(mailing_id, fate.state, dict(fate.changes).get("skip_reason"), len(ours))
        if tally is None:
            counted.flush()
        return found, counted

    written, counted = db.retried(attempt)
    if tally is not None:
        tally.take(counted)
    for outcome in written:
        delivery_changed.send_robust(sender=ResetEmail, email=outcome.email)


def _write_group(group: list[Outcome]) -> list[Outcome]:
    """Outcomes that differ in nothing but their message ids; those that were ours to write."""
    fate, lease, now = group[0].fate, group[0].email.lease, timezone.now()
    fields: dict[str, Any] = {"state": fate.state, **dict(fate.changes)}
    if fate.state == EmailState.HANDED_OVER:
        fields["handed_over_at"] = now
    if fate.state == EmailState.QUEUED:
        fields["next_attempt_at"] = now + fate.wait
    mails = ResetEmail.objects.filter(_which(group))
    mine = mails.filter(lease=lease, state=EmailState.SENDING)
    if mine.update(lease="", lease_until=None, **fields, **_message_ids(group)) != len(group):
        after = mails.filter(lease="", state=fate.state)
        ours = set(after.values_list("public_id", flat=True))
        group = [outcome for outcome in group if outcome.email.public_id in ours]
    for outcome in group:
        vars(outcome.email).update(fields)
    return group


def _which(group: list[Outcome]) -> Q:
    keys = [outcome.email.pk for outcome in group]
    # Of those just promised, not every database has told the keys.
    return Q(public_id__in=[outcome.email.public_id for outcome in group]) if None in keys else db.with_keys(keys)


def _message_ids(group: list[Outcome]) -> dict[str, Any]:
    """One value for all, or one for each: mail services differ."""
    found = {outcome.message_id for outcome in group} - {None}
    if len(found) <= 1:
        return {"message_id": found.pop()} if found else {}
    ids = {outcome.email.public_id: outcome.message_id for outcome in group if outcome.message_id is not None}
    return {
        "message_id": Case(*(When(public_id=key, then=Value(each)) for key, each in ids.items()), default=Value(""))
    }
