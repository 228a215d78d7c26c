"""Writing down what came of a mail: of one, or of many that came to the same."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db.models import Case, Value, When
from django.utils import timezone

from .. import batches, tokens, turns
from ..models import EmailState, ResetEmail, SkipReason
from ..signals import delivery_changed
from .transport import Result, Verdict

BACK_OFF = [timedelta(seconds=30)] + [timedelta(minutes=m) for m in (2, 10, 30, 120, 360)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What one mail came to. `message_id` stands apart, since it alone differs between mails sent together."""

    email: ResetEmail
    state: EmailState
    changes: tuple[tuple[str, Any], ...]
    wait: timedelta = timedelta(0)
    message_id: str | None = None


def of_result(email: ResetEmail, result: Result, *, token: str) -> Outcome:
    """What an attempt came to, and how long to wait for the next one."""
    text = tokens.blank_out(token, result.text) if token and result.text else result.text
    state, wait = EmailState.FAILED, timedelta(0)
    if result.verdict == Verdict.ACCEPTED:
        state = EmailState.HANDED_OVER
    elif result.verdict == Verdict.LATER and email.attempts <= len(BACK_OFF):
        state, wait = EmailState.QUEUED, max(BACK_OFF[email.attempts - 1], timedelta(seconds=result.retry_after))
    changes: dict[str, Any] = {"result_code": result.code[:32], "result_text": text[:500]}
    if result.provider:
        changes["provider"] = result.provider
    message_id = result.message_id if result.provider else None
    return Outcome(email=email, state=state, changes=tuple(changes.items()), wait=wait, message_id=message_id)


def of_skip(email: ResetEmail, reason: SkipReason) -> Outcome:
    changes: tuple[tuple[str, Any], ...] = (("skip_reason", reason),)
    if reason == SkipReason.STOPPED:  # it was taken in hand, and never tried
        changes += (("attempts", max(email.attempts - 1, 0)),)
    return Outcome(email=email, state=EmailState.SKIPPED, changes=changes)


def note(email: ResetEmail, result: Result, *, token: str) -> None:
    write([of_result(email, result, token=token)])


def skip(email: ResetEmail, reason: SkipReason) -> None:
    write([of_skip(email, reason)])


class Tally:
    """What runs have come to since their counters were last moved."""

    def __init__(self) -> None:
        self._states: dict[int, Counter[Any]] = defaultdict(Counter)
        self._skips: dict[int, Counter[Any]] = defaultdict(Counter)

    def add(self, batch_id: int, state: EmailState, reason: SkipReason | None, number: int) -> None:
        self._states[batch_id][state] += number
        if reason is not None:
            self._skips[batch_id][reason] += number

    def take(self, other: Tally) -> None:
        for batch_id, states in other._states.items():
            self._states[batch_id] += states
            self._skips[batch_id] += other._skips[batch_id]

    def flush(self) -> None:
        """Move the counters. What is lost with a process that dies is put right when the run ends."""
        for batch_id, states in self._states.items():
            batches.count(batch_id, states, self._skips[batch_id])
        self._states.clear()
        self._skips.clear()


def write(outcomes: Sequence[Outcome], *, tally: Tally | None = None) -> None:
    """
    Write down what mails came to, in one transaction; with `tally`, the counters of their runs wait for its `flush`.

    Only under the lease that each was claimed with: if it ran out, another worker has the mail and
    writes what it saw.
    """
    groups: dict[Any, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        email = outcome.email
        groups[email.lease, email.batch_id, outcome.state, outcome.wait, outcome.changes].append(outcome)

    def attempt() -> tuple[list[Outcome], Tally]:
        found, counted = [], Tally()
        for group in groups.values():
            ours = _write_group(group)
            found += ours
            if ours and (batch_id := ours[0].email.batch_id):
                counted.add(batch_id, ours[0].state, dict(ours[0].changes).get("skip_reason"), len(ours))
        if tally is None:
            counted.flush()
        return found, counted

    written, counted = turns.retried(attempt)
    if tally is not None:
        tally.take(counted)
    for outcome in written:
        delivery_changed.send_robust(sender=ResetEmail, email=outcome.email)


def _write_group(group: list[Outcome]) -> list[Outcome]:
    """Outcomes that differ in nothing but their message ids; those that were ours to write."""
    first, now = group[0], timezone.now()
    fields: dict[str, Any] = {"state": first.state, **dict(first.changes)}
    if first.state == EmailState.HANDED_OVER:
        fields["handed_over_at"] = now
    if first.state == EmailState.QUEUED:
        fields["next_attempt_at"] = now + first.wait
    ids = [outcome.email.public_id for outcome in group]
    mine = ResetEmail.objects.filter(public_id__in=ids, lease=first.email.lease, state=EmailState.SENDING)
    if mine.update(lease="", lease_until=None, **fields, **_message_ids(group)) != len(group):
        after = ResetEmail.objects.filter(public_id__in=ids, lease="", state=first.state)
        ours = set(after.values_list("public_id", flat=True))
        group = [outcome for outcome in group if outcome.email.public_id in ours]
    for outcome in group:
        vars(outcome.email).update(fields)
    return group


def _message_ids(group: list[Outcome]) -> dict[str, Any]:
    """One value for all, or one for each: mail services differ."""
    ids = {outcome.email.public_id: outcome.message_id for outcome in group if outcome.message_id is not None}
    if len(set(ids.values())) <= 1:
        return {"message_id": next(iter(ids.values()))} if ids else {}
    return {
        "message_id": Case(*(When(public_id=key, then=Value(each)) for key, each in ids.items()), default=Value(""))
    }
