"""
What can be done with a run: draft, preview, start, pause, go on, stop, try again.

Who may do it, and to whom, is decided by the rooms; what becomes of it, in `batches` and below.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Case, CharField, Count, Max, Q, QuerySet, Value, When
from django.utils import timezone
from wagtail.models import Site

from . import audit, batches, choosing, delivery, endings, turns
from .accounts import Member, has_passwords
from .choosing import Choice, Matches
from .conf import anyone, conf
from .models import BatchState, BatchUnmatched, EmailState, Origin, ResetBatch, ResetEmail, SkipReason
from .verdicts import NEEDS_MENDING

SAMPLES = 5
# What is left is reckoned from the pace so far, once there is one.
LEAST_PACE = timedelta(seconds=3)
# Who works on a run sees its counters this late.
LOOKED_SECONDS = 0.5


@dataclass(frozen=True, kw_only=True)
class Preview:
    """
    What starting would do now. `is_rule_open` says that the site's own rule may pass over more.

    `samples` are some of those who would get an email.
    """

    chosen: int
    emails: int
    skips: dict[SkipReason, int]
    samples: list[Member]
    is_rule_open: bool = False


@dataclass(frozen=True, kw_only=True)
class Progress:
    """
    How far a run is. `left` is how long it will take at its pace so far; None where that cannot be said.

    `needs_mending` says that a paused run met a refusal that only the site's administrator can end.
    """

    batch: ResetBatch
    skips: dict[SkipReason, int]
    retrying: int
    left: timedelta | None
    needs_mending: bool


def draft(choice: Choice, *, by: Member | None, matches: Matches | None = None, **details: Any) -> ResetBatch:
    """
    Write a run down, which mails nobody yet. The `details` are those of `drafted`.

    With the `matches` of a file, its lines that name no account are kept for staff to look into.
    """
    batch = drafted(choice, by=by, **details)
    with transaction.atomic(using=turns.alias()):
        batch.save()
        if matches is not None and matches.unmatched:
            BatchUnmatched.objects.create(batch=batch, lines=matches.unmatched, count=matches.unmatched_count)
    return batch


def drafted(
    choice: Choice,
    *,
    by: Member | None,
    again: bool = False,
    per_hour: int | None = None,
    site: Site | None = None,
    language: str = "",
    origin: Origin = Origin.BULK,
) -> ResetBatch:
    """A run that is not written down, for a preview."""
    return ResetBatch(
        created_by=by,
        choice=choice.as_json(),
        again=again,
        per_hour=per_hour,
        site=site or Site.objects.filter(is_default_site=True).first(),
        language=language,
        origin=origin,
    )


def preview(batch: ResetBatch, *, beyond: Q | None = None, listing: QuerySet[Any] | None = None) -> Preview:
    """
    Who would get an email, and who not and why, counted by the database.

    `beyond` describes the accounts that the person may not mail.
    """
    found: Counter[str] = Counter()
    samples: list[Member] = []
    for accounts in choosing.querysets(choosing.from_json(batch.choice), listing):
        judged = accounts.order_by().annotate(reason_against=_reason(batch, beyond))
        found.update(dict(judged.values_list("reason_against").annotate(Count("pk"))))
        if len(samples) < SAMPLES:
            samples += judged.filter(reason_against="").order_by("pk")[: SAMPLES - len(samples)]
    emails = found.pop("", 0)
    if "ids" in batch.choice:
        found[SkipReason.GONE] = len(batch.choice["ids"]) - emails - sum(found.values())
    return Preview(
        chosen=emails + sum(found.values()),
        emails=emails,
        skips={SkipReason(reason): number for reason, number in found.items() if number},
        samples=samples,
        is_rule_open=conf.MAY_RESET is not anyone,
    )


def start(
    batch: ResetBatch, *, beyond: Q | None = None, listing: QuerySet[Any] | None = None, wake: bool = True
) -> bool:
    """
    Start a run; False when somebody else has done so.

    Without `wake` nothing is sent but by who asks for it: for a command that does it itself.
    """
    choice = choosing.from_json(batch.choice)

    def members() -> Iterator[Any]:
        for accounts in choosing.querysets(choice, listing):
            allowed = accounts.exclude(beyond) if beyond is not None else accounts
            yield from allowed.order_by("pk").values_list("pk", flat=True).iterator(chunk_size=choosing.SLICE)

    def beside(written: int) -> Counter[SkipReason]:
        skips: Counter[SkipReason] = Counter()
        if beyond is not None:
            found = (accounts.filter(beyond).count() for accounts in choosing.querysets(choice, listing))
            skips[SkipReason.NOT_ALLOWED] = sum(found)
        if choice.ids:
            skips[SkipReason.GONE] = len(choice.ids) - written - skips[SkipReason.NOT_ALLOWED]
        return skips

    started = batches.start(batch, members, beside=beside)
    if endings.finish(batch.pk):  # there may be nobody to mail
        batch.refresh_from_db()
    elif started and wake:
        wake_on_commit(batch)
    return started


def pause(batch: ResetBatch) -> bool:
    """Take nothing further in hand; what is in hand still goes out. False when it was not running."""
    return batches.pause(batch)


def go_on(batch: ResetBatch, *, wake: bool = True) -> bool:
    """Go on after a pause; False when it was not paused."""
    gone_on = batches.go_on(batch)
    if endings.finish(batch.pk):  # what was in hand when it was paused may have been the last
        batch.refresh_from_db()
    elif gone_on and wake:
        wake_on_commit(batch)
    return gone_on


def stop(batch: ResetBatch, *, by: Member | None) -> bool:
    """Send nothing more, for good; False when it had ended."""
    return batches.stop(batch, by=by)


def try_again(batch: ResetBatch, *, beyond: Q | None = None) -> int:
    """Have the mails that failed sent once more, but for accounts `beyond` who asks; how many."""
    if again := batches.retry_failed(batch, beyond=beyond):
        wake_on_commit(batch)
    return again


def note_refused(*, by: Member) -> None:
    """Write down, in their own history, that somebody tried to mail many who may not. Nothing else was written."""
    audit.record(by, "refuse_run", by=by, origin=None)


def work(batch: ResetBatch, *, is_stopping: Callable[[], bool] = lambda: False) -> Iterator[bool]:
    """
    Send what is due of a run in this process, chunk by chunk; after each, whether there was anything to do.

    Ends when each member had a first attempt, or when the run is not going on. Others may work on
    the same run beside it. Waits for nobody: where no turn has come, the caller waits.
    """
    looked_at = 0.0
    with delivery.at_work(is_stopping=is_stopping) as worker:
        while batch.state == BatchState.RUNNING and not is_stopping():
            pk, done = batches.next_chunk(batch), 0
            if pk is not None:
                worker.send_chunk(pk)
            elif endings.finish(batch.pk) or not _is_left(batch):
                batch.refresh_from_db()
                return
            else:
                worker.rest()
                done = delivery.drain(chunks=False)
            if pk is None or time.monotonic() - looked_at > LOOKED_SECONDS:
                batch.refresh_from_db()
                looked_at = time.monotonic()
            # Who was passed over made work, too.
            yield pk is not None or bool(done)


def progress(batch: ResetBatch) -> Progress:
    """How far a run is: a few small queries, whatever its size."""
    skips = {SkipReason(each.reason): each.count for each in batch.skips.all() if each.count}
    retrying = ResetEmail.objects.filter(batch=batch, state=EmailState.QUEUED).count() if batch.is_under_way else 0
    refused = ResetEmail.objects.filter(batch=batch, state=EmailState.FAILED, result_code__in=NEEDS_MENDING)
    needs_mending = batch.state == BatchState.PAUSED and refused.exists()
    return Progress(batch=batch, skips=skips, retrying=retrying, left=_left(batch), needs_mending=needs_mending)


def wake_on_commit(batch: ResetBatch) -> None:
    """Have the run go on elsewhere: one task for each chunk, or the thread of this process."""
    transaction.on_commit(lambda: delivery.wake_run(batch.pk), using=turns.alias(), robust=True)


def _reason(batch: ResetBatch, beyond: Q | None) -> Case:
    """The first reason against mailing an account, in the order in which the engine asks; empty for none."""
    model: Any = get_user_model()
    email = model.get_email_field_name()
    fields = {field.name for field in model._meta.get_fields()}
    reasons = {
        SkipReason.NOT_ALLOWED: beyond if has_passwords() else Q(pk__isnull=False),
        SkipReason.INACTIVE: Q(is_active=False) if "is_active" in fields else None,
        SkipReason.NO_ADDRESS: Q(**{email: ""}) | Q(**{f"{email}__isnull": True}),
        SkipReason.LIVE_LINK: None if batch.again else Q(live_password_reset__expires_at__gt=timezone.now()),
    }
    cases = (When(condition, then=Value(reason.value)) for reason, condition in reasons.items() if condition)
    return Case(*cases, default=Value(""), output_field=CharField())


def _is_left(batch: ResetBatch) -> bool:
    """Whether something of a run is still to be done, or is in some worker's hands, before all had a first attempt."""
    mails = ResetEmail.objects.filter(batch=batch)
    return batch.chunks.exists() or (mails.filter(state=EmailState.SENDING) | mails.due()).exists()


def _left(batch: ResetBatch) -> timedelta | None:
    if batch.state != BatchState.RUNNING or batch.started_at is None or not batch.waiting:
        return None
    if batch.per_hour:
        last = batch.chunks.aggregate(last=Max("due_at"))["last"]
        return max(last - timezone.now(), timedelta(0)) if last else None
    passed = timezone.now() - batch.started_at
    return passed / batch.handled * batch.waiting if batch.handled and passed > LEAST_PACE else None
