"""One worker's pass over the outbox: claim, check again, compose, send, write down."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db.models import Case, F, Min, Value, When
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from .. import batches, endings, ledger, promises, reminders, turns
from ..exceptions import MemberResetError, WindowClosed
from ..models import EmailState, ResetEmail, SkipReason
from ..promises import Promised
from . import letters, many, records, requests
from .records import BACK_OFF
from .transport import TIMEOUT_SECONDS, Answer, Mailer, Result

logger = logging.getLogger("wagtail_member_reset")

CHUNK = 500
LEASE = timedelta(minutes=10)
# Between the chunks of a run: how many seconds a single mail may have to wait.
LOOKED = 1.0
# Stop sending this long before the lease runs out, so that no other worker sends the same mail meanwhile.
MARGIN = timedelta(seconds=3 * TIMEOUT_SECONDS)
MOST_ATTEMPTS = len(BACK_OFF) + 3


def drain(*, chunks: bool = True, is_stopping: Callable[[], bool] = lambda: False) -> int:
    """
    Do all that is due: resolve requests, send mails, erase what must not be kept.

    Returns the number of mails handed over. Safe to run beside itself, in any
    number of processes: each row is claimed by one of them. Without `chunks`, what no
    mail was promised for yet is left to others. Where `is_stopping` says so, no further
    mail leaves, and those in hand are given back.
    """
    ledger.sweep()
    if chunks:
        reminders.lookout.look()
    with at_work(is_stopping=is_stopping) as worker:
        worker.send_due()
        while chunks and not is_stopping() and worker.send_next_chunk():
            worker.send_due(at_most_every=LOOKED)
        # What came in since the last look.
        worker.send_due()
        endings.finish_all()
        return worker.handed_over


def send_chunk(pk: int, *, singles_first: bool = False) -> int:
    """
    Do one chunk of a run; the number of mails handed over, 0 when another worker had it.

    With `singles_first`, what persons wait for goes before it.
    """
    with at_work() as worker:
        if singles_first:
            worker.send_due(singles=True)
        batch_id = worker.send_chunk(pk)
        if batch_id is not None:
            endings.finish(batch_id)
        return worker.handed_over


@contextmanager
def at_work(*, is_stopping: Callable[[], bool] = lambda: False) -> Iterator[Worker]:
    """
    A worker for chunk after chunk, with one connection for all of them.

    Where `is_stopping` says so, no further mail leaves, and those left are given back.
    """
    with Mailer() as mailer:
        yield Worker(mailer, is_stopping=is_stopping)


class Worker:
    """One pass over what is due, with one connection and one memory of texts."""

    def __init__(self, mailer: Mailer, *, is_stopping: Callable[[], bool] = lambda: False) -> None:
        self.mailer, self.cache, self.handed_over = mailer, letters.Cache(), 0
        self.is_stopping, self.looked_at = is_stopping, 0.0

    def send_due(self, *, singles: bool = False, at_most_every: float = 0) -> None:
        """Send all that is promised and due. Single mails go first, and alone on demand."""
        if time.monotonic() - self.looked_at < at_most_every:
            return
        while not self.is_stopping() and self._send_claimed(singles=singles):
            pass
        self.looked_at = time.monotonic()

    def _send_claimed(self, *, singles: bool) -> bool:
        requests.resolve_due()
        lease, until = secrets.token_hex(16), timezone.now() + LEASE
        claimed = claim(lease, singles=singles)
        for email in claimed:
            if email.batch_id is not None:
                continue
            if self.is_stopping() or timezone.now() > until - MARGIN:
                release(lease)
                return True
            self.handed_over += deliver(email, self.mailer, self.cache)
        if not singles:
            self._send_many([email for email in claimed if email.batch_id is not None], lease, until)
        return bool(claimed)

    def send_next_chunk(self) -> bool:
        """Whether there was one, be it that another worker was faster."""
        pk = batches.next_chunk()
        batch_id = self.send_chunk(pk) if pk is not None else None
        if batch_id is not None:
            endings.finish(batch_id)
        return pk is not None

    def rest(self) -> None:
        """Let go of the connection, which no server keeps for long, and of texts, which may change meanwhile."""
        self.mailer.close()
        self.cache = letters.Cache()

    def send_chunk(self, pk: int) -> int | None:
        """The key of the chunk's run; None when another worker had it."""
        lease, until = secrets.token_hex(16), timezone.now() + LEASE
        promised = promises.write(pk, lease=lease, lease_until=until)
        if promised is None:
            return None
        batch_id, mails = promised
        self._hand_over(mails, lease, until)
        return batch_id

    def _send_many(self, claimed: list[ResetEmail], lease: str, until: datetime) -> None:
        """Mails of runs that are tried again: what of them still stands, together."""
        if not claimed:
            return
        batch_ids = {email.batch_id for email in claimed if email.batch_id is not None}
        wanted, stopped = [], batches.stopped_among(batch_ids)
        for email in ResetEmail.objects.filter(pk__in=[email.pk for email in claimed], lease=lease).select_related(
            "member", "reset", "reset__site", "site"
        ):
            if email.attempts > MOST_ATTEMPTS:
                records.note(email, Result(answer=Answer.NEVER, code="error"), token="")
            elif email.batch_id in stopped:
                records.skip(email, SkipReason.STOPPED)
            elif skip := letters.no_longer_wanted(email):
                records.skip(email, skip)
            else:
                wanted.append(email)
        self._hand_over([(email, None) for email in wanted], lease, until)
        for batch_id in batch_ids:
            endings.finish(batch_id)

    def _hand_over(self, mails: list[Promised], lease: str, until: datetime) -> None:
        if not mails:
            return
        run = many.Run(
            self.mailer,
            self.cache,
            is_over=lambda: self.is_stopping() or timezone.now() > until - MARGIN,
            meanwhile=self._send_singles,
        )
        if run.send(mails):
            release(lease)
        self.handed_over += run.handed_over

    def _send_singles(self, mailer: Mailer) -> None:
        """Between the mails of a run, and over a connection that none of them is using."""
        beside = Worker(mailer)
        beside.send_due(singles=True)
        self.handed_over, self.looked_at = self.handed_over + beside.handed_over, beside.looked_at


def claim(lease: str, *, singles: bool = False) -> list[ResetEmail]:
    """Take due rows for ourselves. What another worker took in the meantime does not match any more."""
    now = timezone.now()
    due = ResetEmail.objects.due().filter(batch=None) if singles else ResetEmail.objects.due().not_held()
    # A person waits for a single mail, nobody for those of a run. Put like this, since SQLite would
    # else walk through every mail there ever was, in the order of an index on runs.
    is_single = Case(When(batch=None, then=Value(0)), default=Value(1))
    due = due.order_by(is_single, "next_attempt_at", "pk")
    ids = list(due.values_list("pk", flat=True)[:CHUNK])
    if not ids:
        return []
    turns.retried(
        lambda: (
            ResetEmail.objects.due()
            .filter(pk__in=ids)
            .update(state=EmailState.SENDING, lease=lease, lease_until=now + LEASE, attempts=F("attempts") + 1)
        )
    )
    return list(ResetEmail.objects.filter(lease=lease, state=EmailState.SENDING).order_by("pk"))


def release(lease: str) -> None:
    """Give back what we did not get to, without counting the attempt."""
    ours = ResetEmail.objects.filter(lease=lease, state=EmailState.SENDING)
    given_back = {"state": EmailState.QUEUED, "lease": "", "lease_until": None, "attempts": F("attempts") - 1}
    turns.retried(lambda: ours.update(**given_back))


def deliver(claimed: ResetEmail, mailer: Mailer, cache: letters.Cache) -> bool:
    """Send one claimed mail; whether it was handed over."""
    email = as_it_is_now(claimed)
    if email is None:
        return False
    try:
        if email.attempts > MOST_ATTEMPTS:  # it ends its workers; without this, for ever
            records.note(email, Result(answer=Answer.NEVER, code="error"), token="")
            return False
        if skip := letters.no_longer_wanted(email):
            records.skip(email, skip)
            return False
        token = letters.mint_for(email) if email.has_link else ""
        content = letters.compose(email, token, cache)
    except WindowClosed:
        records.skip(email, SkipReason.WINDOW_CLOSED)
        return False
    except MemberResetError as error:
        logger.error("email=%s not composed: %s", email.public_id, error)
        records.note(email, Result(answer=Answer.NEVER, code="configuration", text=str(error)), token="")
        return False
    except Exception as error:
        # One mail that cannot be written, say for a broken template, must not hold the others
        # back. What an error says may quote the link, so only its kind is logged.
        logger.error("email=%s not composed: %s", email.public_id, type(error).__name__)
        records.note(email, Result(answer=Answer.LATER, code="error"), token="")
        return False
    result = mailer.send(content, to=email.recipient, public_id=str(email.public_id))
    records.note(email, result, token=token)
    return result.answer == Answer.ACCEPTED


def as_it_is_now(claimed: ResetEmail) -> ResetEmail | None:
    """
    The row with its link and its account, read when its turn comes: since it was claimed, hundreds
    of mails may have left. None when it is no longer ours, or went with its member.
    """
    mine = ResetEmail.objects.filter(pk=claimed.pk, lease=claimed.lease, state=EmailState.SENDING)
    return mine.select_related("member", "reset", "reset__site", "site").first()


def next_due() -> datetime | None:
    """When something wants attention next: a retry, a lease that runs out, a request left over; None for nothing."""
    if requests.are_waiting():
        return timezone.now() + BACK_OFF[0]
    emails = ResetEmail.objects.not_paused()
    queued = emails.filter(state=EmailState.QUEUED).aggregate(first=Min(_not_before("next_attempt_at")))["first"]
    leased = emails.filter(state=EmailState.SENDING).aggregate(first=Min(_not_before("lease_until")))["first"]
    return min(filter(None, (queued, leased, batches.next_due())), default=None)


def _not_before(moment: str) -> Greatest:
    """The moment, or the end of the hold of the mail's run."""
    return Greatest(moment, Coalesce("batch__held_until", moment))
