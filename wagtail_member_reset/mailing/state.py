"""
The state of a mailing: started, paused, resumed, stopped, finished. `again` takes up whom it missed, and `purge` says
when it is forgotten.

Each transition writes the mailing's row first and changes it only from the state it expects, so of two that come at
once, one finds nothing to do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.utils import timezone

from .. import audit, db, links, texts
from ..accounts import Member, but_for_members
from ..models import (
    EmailState,
    Mailing,
    MailingChunk,
    MailingState,
    PasswordReset,
    PauseReason,
    Reason,
    ResetEmail,
    SkipReason,
    State,
)
from . import counters, pace, wave
from .chunks import write_chunks
from .kept_file import forget_file
from .protection import raised_limits

# As whoever starts it saw it: what a colleague changes in the same moment comes too late.
WHEN = ("starts_at", "hours_from", "hours_to")
SAID_AT_START = ("created_by", "wave_left", "again", "included", "paragraph", *WHEN)
# Why a mailing did not reach a member whom it wanted to reach.
MISSED = (SkipReason.WINDOW_CLOSED, SkipReason.LINK_CLOSED, SkipReason.MEMBER_CHANGED)
# Why an email that was written with a link is not sent after all, and never will be.
NEVER_SENT = (SkipReason.STOPPED, SkipReason.DO_NOT_EMAIL, SkipReason.NO_SUCH_ADDRESS, SkipReason.COMPLAINED)


def start_mailing(
    mailing: Mailing, members: Callable[[], Iterable[Any]], *, beside: Callable[[int], Counter[SkipReason]]
) -> bool:
    """
    Write the mailing's chunks and let it go; False when somebody else has started it already.

    `members` gives primary keys. `beside` counts, given their number, those chosen who are not among them.
    """

    def attempt() -> bool:
        now = timezone.now()
        mine = Mailing.objects.filter(pk=mailing.pk, state=MailingState.DRAFT)
        # The keys stand in the chunks now, and whoever starts a mailing answers for it.
        choice = {name: value for name, value in mailing.choice.items() if name != "ids"}
        begun = {"state": MailingState.RUNNING, "started_at": now, "measured_at": now, "choice": choice}
        begun |= {name: getattr(mailing, name) for name in SAID_AT_START}
        if not mine.update(**begun):
            return False
        forget_file(mailing)
        texts.freeze(mailing)
        chosen = write_chunks(mailing, members())
        skips = beside(chosen)
        Mailing.objects.filter(pk=mailing.pk).update(chosen=chosen + sum(skips.values()))
        pace.restart(mailing)
        counters.count(mailing.pk, skips=skips)
        return True

    started = db.retried(attempt)
    mailing.refresh_from_db()
    return started


def pause_mailing(mailing: Mailing) -> bool:
    """Take no further chunk; what a worker has in hand still goes out. False when it was not running."""
    return db.retried(lambda: _move(mailing, MailingState.RUNNING, MailingState.PAUSED, paused_at=timezone.now()))


def resume_mailing(mailing: Mailing) -> bool:
    """Go on after a pause, at the mailing's pace; False when it was not paused."""

    def attempt() -> bool:
        anew: dict[str, Any] = {"paused_at": None, "resumed_at": timezone.now(), "held_until": None}
        now = Mailing.objects.select_for_update().get(pk=mailing.pk)
        if now.paused_because:
            anew |= {"paused_because": "", "notice": "", **raised_limits(now)}
        if now.paused_because == PauseReason.FIRST_WAVE:
            anew["wave_left"] = None
        if not _move(mailing, MailingState.PAUSED, MailingState.RUNNING, **anew):
            return False
        pace.restart(mailing)
        measure_anew(mailing.pk)
        return True

    resumed = db.retried(attempt)
    mailing.refresh_from_db()
    return resumed


def stop_mailing(mailing: Mailing, *, by: Member | None) -> bool:
    """
    Send nothing more of the mailing, for good; False when it had ended.

    Links that were issued for emails which now never leave are cancelled, if nobody has them. The log says so.
    """

    def attempt() -> bool:
        # Waits for a worker that is writing a chunk's emails: these are no longer ours to stop.
        chunks = MailingChunk.objects.filter(mailing=mailing.pk)
        list(chunks.select_for_update().values_list("pk", flat=True))
        under_way = Mailing.objects.filter(pk=mailing.pk, state__in=[MailingState.RUNNING, MailingState.PAUSED])
        if not under_way.update(state=MailingState.STOPPED, finished_at=timezone.now()):
            return False
        # Read now that nobody can take members up anew.
        left = sum(len(members) for members in chunks.select_for_update().values_list("members", flat=True))
        queued = ResetEmail.objects.filter(mailing=mailing.pk, state=EmailState.QUEUED)
        left += queued.update(state=EmailState.SKIPPED, skip_reason=SkipReason.STOPPED)
        counters.count(mailing.pk, skips=Counter({SkipReason.STOPPED: left}))
        cancel_unheld_links(mailing, by=by)
        _settle_stopped(mailing.pk)
        return True

    stopped = db.retried(attempt)
    mailing.refresh_from_db()
    return stopped


def cancel_unheld_links(mailing: Mailing, *, by: Member | None = None) -> None:
    """End the links of the mailing's emails that are never sent, if nobody has them and no other email brings them."""
    of_link = ResetEmail.objects.filter(reset=OuterRef("pk"))
    is_never_sent = Exists(of_link.filter(mailing=mailing.pk, skip_reason__in=NEVER_SENT))
    unheld = PasswordReset.objects.held_by_nobody().filter(is_never_sent, ~Exists(of_link.unsent()), state=State.ACTIVE)

    def attempt() -> None:
        keys = list(unheld.values_list("pk", flat=True))
        # Asked again in the statement that ends them: somebody may have opened one meanwhile.
        now = timezone.now()
        if keys and unheld.filter(pk__in=keys).update(**links.ending(State.REVOKED, Reason.STAFF, at=now)):
            cancelled = PasswordReset.objects.filter(pk__in=keys, state=State.REVOKED, closed_at=now)
            pairs = [(reset.member, "revoke") for reset in cancelled.select_related("member")]
            audit.record_many(pairs, mailing=mailing, by=by)

    db.retried(attempt)


def missed_emails(mailing: Mailing, *, beyond: Q | None = None) -> QuerySet[ResetEmail]:
    """The emails of members whom it did not reach, for whatever reason but its own choice; but for those `beyond`."""
    emails = but_for_members(ResetEmail.objects.filter(mailing=mailing.pk, replaced_at=None), beyond)
    return emails.filter(Q(state=EmailState.FAILED) | Q(state=EmailState.SKIPPED, skip_reason__in=MISSED))


def hold_mailing(mailing_id: int, until: datetime) -> None:
    """
    Take nothing further of the mailing in hand until then: its mail service asked for patience.

    Where it was asked for more already, nothing changes.
    """
    running = Mailing.objects.filter(pk=mailing_id, state=MailingState.RUNNING).exclude(held_until__gt=until)
    db.retried(lambda: running.update(held_until=until, measured_at=until, measured_from=_handled()))


def measure_anew(mailing_id: int) -> None:
    """Let the time left be estimated from now on, since nobody has worked on the mailing for a while."""
    Mailing.objects.filter(pk=mailing_id).update(measured_at=timezone.now(), measured_from=_handled())


def measure_if_idle(mailing: Mailing) -> None:
    """Measure anew if nobody has worked on the mailing for a while. Asked before anything of it is taken in hand."""
    moved_at = mailing.progress_at or mailing.measured_at
    if moved_at is not None and timezone.now() - moved_at > pace.IDLE:
        measure_anew(mailing.pk)


def is_running(mailing_id: int) -> bool:
    return Mailing.objects.filter(pk=mailing_id, state=MailingState.RUNNING).exists()


def finish_mailing(mailing_id: int) -> bool:
    """Close a running mailing of which nothing is left to do; whether this call did. Safe to call at any time."""
    if _is_left(mailing_id):
        return False

    def attempt() -> bool:
        running = Mailing.objects.filter(pk=mailing_id, state=MailingState.RUNNING)
        if not running.update(state=MailingState.FINISHED, finished_at=timezone.now(), notice=MailingState.FINISHED):
            return False
        if _is_left(mailing_id):  # taken up again a moment ago
            transaction.set_rollback(True, using=db.alias())
            return False
        _count_gone(mailing_id)
        return True

    return db.retried(attempt)


def finish_mailings() -> None:
    """
    Close the mailings whose last worker died before it did, or whose last members were deleted.

    Of stopped ones, whose end came before, only who was deleted since is counted.
    """
    wave.pause_all()
    has_chunks = Exists(MailingChunk.objects.filter(mailing=OuterRef("pk")))
    has_unsent = Exists(ResetEmail.objects.unsent().filter(mailing=OuterRef("pk")))
    ended = Q(~has_chunks, state=MailingState.RUNNING) | Q(state=MailingState.STOPPED, chosen__gt=_handled())
    for mailing_id, state in list(Mailing.objects.filter(ended, ~has_unsent).values_list("pk", "state")):
        if state == MailingState.RUNNING:
            finish_mailing(mailing_id)
        else:
            db.retried(partial(_settle_stopped, mailing_id))


def _count_gone(mailing_id: int) -> None:
    """Who was deleted while an email waited took it along. Part of a transaction, once all else is counted."""
    gone = Mailing.objects.defer("choice").get(pk=mailing_id).waiting
    counters.count(mailing_id, skips=Counter({SkipReason.GONE: gone}))


def _settle_stopped(mailing_id: int) -> None:
    """Count who was deleted, once no worker has an email of a stopped mailing in hand. Part of a transaction."""
    stopped = Mailing.objects.filter(pk=mailing_id, state=MailingState.STOPPED)
    # Written first: who is about to count waits, or has counted.
    if stopped.update(state=F("state")) and not ResetEmail.objects.unsent().filter(mailing=mailing_id).exists():
        _count_gone(mailing_id)


def _is_left(mailing_id: int) -> bool:
    # Chunks first: their members have emails from the moment in which they are no longer in a chunk.
    chunks = MailingChunk.objects.filter(mailing=mailing_id)
    return chunks.exists() or ResetEmail.objects.unsent().filter(mailing=mailing_id).exists()


def _handled() -> Any:
    return F("handed_over") + F("failed") + F("skipped")


def _move(mailing: Mailing, before: MailingState, after: MailingState, **changes: Any) -> bool:
    moved = Mailing.objects.filter(pk=mailing.pk, state=before).update(state=after, **changes)
    mailing.refresh_from_db()
    return bool(moved)
