"""
What can be done with a mailing: draft, discard, preview, start, pause, go on, stop, try again.

Who may do it, and to whom, is decided by the rooms; what becomes of it, in `mailing` and below.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from wagtail.models import Site

from . import audit, db, links, outbox
from .accounts import Member
from .mailing import (
    Choice,
    FileReading,
    Kind,
    Progress,
    choice_from_json,
    choose_in_file,
    chosen_within,
    clean_name,
    clean_paragraph,
    count_gone,
    default_name,
    finish_mailing,
    in_groups,
    in_mixed_order,
    keep_file,
    keep_upload,
    out_of_reach,
    pause_mailing,
    preview,
    rest_of,
    resume_mailing,
    skip_counts,
    start_mailing,
    still_chosen,
    stop_mailing,
    time_left,
    try_failed_again,
    why_paused,
    with_ids,
    write_not_allowed,
)
from .mailing import discard_draft as discard
from .models import EmailState, Mailing, MailingState, Origin, ResetEmail, SkipReason
from .reports import NEEDS_MENDING, Cause, counters_of

__all__ = ["Choice", "Kind", "change", "choose", "count_rest", "discard", "draft", "draft_rest", "drafted", "go_on"]
__all__ += ["in_groups", "note_refused", "pause", "preview", "progress", "start", "stop", "try_again", "wake_on_commit"]
__all__ += ["with_ids", "work"]

# Who works on a mailing sees its counters this late.
LOOKED_SECONDS = 0.5


def draft(
    choice: Choice,
    *,
    by: Member | None,
    reading: FileReading | None = None,
    upload: BinaryIO | None = None,
    **details: Any,
) -> Mailing:
    """
    Write a mailing down, which mails nobody yet. The `details` are those of `drafted`.

    With the `reading` of a file, staff can still say which of its columns is meant, by `choose`. An `upload` is a file
    that a worker reads soon.
    """
    mailing = drafted(choice, by=by, **details)
    with transaction.atomic(using=db.alias()):
        mailing.save()
        if reading is not None:
            keep_file(mailing, reading)
        if upload is not None:
            keep_upload(mailing, upload)
            outbox.wake_on_commit()
    return mailing


def choose(mailing: Mailing, *, column: int, each: bool = False, admins: bool = False) -> bool:
    """
    Say of the draft of a file which column says who is meant; whether to mail each account that a line may mean; and
    whether to mail superusers and people who may manage users. False where that cannot be chosen, or it has started.
    """
    with transaction.atomic(using=db.alias()):
        return choose_in_file(mailing, column=column, each=each, admins=admins)


def change(mailing: Mailing, **details: Any) -> bool:
    """Say otherwise of a draft what `drafted` takes; False where it has started."""
    drafts = Mailing.objects.filter(pk=mailing.pk, state=MailingState.DRAFT)
    changed = bool(drafts.update(changed_at=timezone.now(), **details))
    mailing.refresh_from_db()
    return changed


def drafted(
    choice: Choice,
    *,
    by: Member | None,
    name: str = "",
    paragraph: str = "",
    site: Site | None = None,
    origin: Origin = Origin.MAILING,
    **details: Any,
) -> Mailing:
    """
    A mailing that is not written down, for a preview. Without a `name`, it gets one by its kind and date.

    The `details` are again, per_hour, language, included, starts_at, hours_from and hours_to, as the mailing has them.
    """
    chosen = choice.as_json()
    return Mailing(
        name=clean_name(name) or default_name(chosen),
        paragraph=clean_paragraph(paragraph),
        created_by=by,
        choice=chosen,
        site=site or links.default_site(),
        origin=origin,
        **details,
    )


def start(
    mailing: Mailing,
    *,
    beyond: Q | None = None,
    hidden: Q | None = None,
    listing: QuerySet[Any] | None = None,
    pace_if_none: int | None = None,
    wake: bool = True,
) -> bool:
    """
    Start a mailing; False when somebody else has done so. It counts whom `preview` counts.

    `pace_if_none` is how many emails an hour, where nobody has said so before.

    Without `wake` nothing is sent but by who asks for it: for a command that does it itself.
    """
    choice, beyond = choice_from_json(mailing.choice), out_of_reach(mailing.choice, beyond)

    def members() -> Iterator[Any]:
        nonlocal choice
        choice = still_chosen(mailing, is_starting=True)
        return in_mixed_order(choice, listing=listing, beyond=beyond)

    def beside(written: int) -> Counter[SkipReason]:
        skips: Counter[SkipReason] = Counter()
        if beyond is not None:
            slices = [accounts.filter(beyond) for accounts in chosen_within(choice, listing, hidden)]
            skips[SkipReason.NOT_ALLOWED] = sum(write_not_allowed(mailing, accounts) for accounts in slices)
        if choice.ids:
            skips[SkipReason.GONE] = count_gone(choice, hidden, there=written + skips[SkipReason.NOT_ALLOWED])
        return skips

    if pace_if_none:
        # What somebody said a moment ago stays.
        Mailing.objects.filter(pk=mailing.pk, state=MailingState.DRAFT, per_hour=None).update(per_hour=pace_if_none)
    started = start_mailing(mailing, members, beside=beside)
    if finish_mailing(mailing.pk):  # there may be nobody to mail
        mailing.refresh_from_db()
    elif started and wake:
        wake_on_commit(mailing)
    return started


def pause(mailing: Mailing) -> bool:
    """Take nothing further in hand; what is in hand still goes out. False when it was not running."""
    return pause_mailing(mailing)


def go_on(mailing: Mailing, *, wake: bool = True) -> bool:
    """Go on after a pause; False when it was not paused."""
    gone_on = resume_mailing(mailing)
    if finish_mailing(mailing.pk):  # what was in hand when it was paused may have been the last
        mailing.refresh_from_db()
    elif gone_on and wake:
        wake_on_commit(mailing)
    return gone_on


def stop(mailing: Mailing, *, by: Member | None) -> bool:
    """Send nothing more, for good; False when it had ended."""
    return stop_mailing(mailing, by=by)


def try_again(mailing: Mailing, *, beyond: Q | None = None) -> int:
    """Take up anew whom the mailing wanted to reach and did not, but for accounts `beyond` who asks; how many."""

    def counted(email: ResetEmail) -> set[str]:
        return counters_of(email, email.events.all())

    if again := try_failed_again(mailing, counted=counted, beyond=out_of_reach(mailing.choice, beyond)):
        wake_on_commit(mailing)
    return again


def note_refused(*, by: Member) -> None:
    """Write down, in their own history, that somebody tried to mail many who may not; once an hour."""
    audit.record_seldom(by, "refuse_mailing", by=by, gap=audit.REFUSED_GAP)


def work(mailing: Mailing, *, is_stopping: Callable[[], bool] = lambda: False) -> Iterator[bool]:
    """
    Send what is due of a mailing in this process, chunk by chunk; after each, whether there was anything to do.

    For a command. Ends when each member had a first attempt, or when the mailing is not going on. Others may work on
    the same mailing beside it. Waits for nobody: where no turn has come, the caller waits.
    """
    looked_at = 0.0
    with outbox.at_work(is_stopping=is_stopping) as worker:
        while mailing.state == MailingState.RUNNING and not is_stopping():
            was_busy, done = worker.send_next_chunk(mailing), 0
            if not was_busy and (finish_mailing(mailing.pk) or not _is_left(mailing)):
                mailing.refresh_from_db()
                return
            if not was_busy:
                worker.rest()
                done = outbox.drain(chunks=False, is_stopping=is_stopping)
            if not was_busy or time.monotonic() - looked_at > LOOKED_SECONDS:
                mailing.refresh_from_db()
                looked_at = time.monotonic()
            # Who was passed over made work, too.
            yield was_busy or bool(done)


def progress(mailing: Mailing) -> Progress:
    """How far a mailing is: a few small queries, whatever its size."""
    waiting = ResetEmail.objects.filter(mailing=mailing.pk, state=EmailState.QUEUED)
    return Progress(
        mailing=mailing,
        skips=skip_counts(mailing),
        left=time_left(mailing),
        needs_mending=mailing.state == MailingState.PAUSED and _needs_mending(waiting),
        why_paused=why_paused(mailing) if mailing.state == MailingState.PAUSED else "",
    )


def _needs_mending(waiting: QuerySet[ResetEmail]) -> bool:
    """Whether one that waits was refused for good: what our own server asks to be tried later mends itself."""
    refused = waiting.filter(result_cause__in=NEEDS_MENDING)
    # No account and no login comes back by waiting.
    needs = Q(result_cause__in=[Cause.ACCOUNT, Cause.LOGIN_REFUSED]) | ~Q(result_code__startswith="smtp_4")
    return refused.filter(needs).exists()


def draft_rest(mailing: Mailing, *, by: Member | None, beyond: Q | None = None) -> Mailing | None:
    """Draft a mailing for those who are `remaining` of a stopped one, in its way; None where there is nobody."""
    rest = rest_of(mailing, beyond=beyond)
    return draft(by=by, **rest) if rest else None


def count_rest(mailing: Mailing, *, beyond: Q | None, hidden: Q | None) -> int:
    """How many would get an email of that draft, as its preview says. Nothing is written down."""
    rest = rest_of(mailing, beyond=beyond)
    return preview(drafted(by=None, **rest), beyond=beyond, hidden=hidden).emails if rest else 0


def wake_on_commit(mailing: Mailing) -> None:
    """Have the mailing go on elsewhere: one task for each chunk, or the thread of this process."""
    transaction.on_commit(lambda: outbox.wake_mailing(mailing.pk), using=db.alias(), robust=True)


def _is_left(mailing: Mailing) -> bool:
    """Whether something of a mailing is due or in a worker's hands, before all had a first attempt."""
    mails = ResetEmail.objects.filter(mailing=mailing)
    return mailing.chunks.exists() or (mails.filter(state=EmailState.SENDING) | mails.due()).exists()
