"""One worker's pass over the outbox: claim, check again, compose, send, write down."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.utils import timezone

from .. import links
from ..exceptions import MemberResetError, WindowClosed
from ..mailing import (
    Promised,
    finish_mailing,
    finish_mailings,
    issue_chunk,
    look_for_reminders,
    next_chunk,
    stopped_among,
)
from ..models import ResetEmail, SkipReason
from . import letter, outcome, requests, send_many
from .outcome import BACK_OFF
from .queue import LEASE, as_it_is_now, claim, release
from .transport import TIMEOUT_SECONDS, Answer, Mailer, Result

logger = logging.getLogger("wagtail_member_reset")

# Between the chunks of a mailing: how many seconds a single mail may have to wait.
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
    links.sweep()
    if chunks:
        look_for_reminders()
    with at_work(is_stopping=is_stopping) as worker:
        worker.send_due()
        while chunks and not is_stopping() and worker.send_next_chunk():
            worker.send_due(at_most_every=LOOKED)
        # What came in since the last look.
        worker.send_due()
        finish_mailings()
        return worker.handed_over


def send_chunk(pk: int, *, singles_first: bool = False) -> int:
    """
    Do one chunk of a mailing; the number of mails handed over, 0 when another worker had it.

    With `singles_first`, what persons wait for goes before it.
    """
    with at_work() as worker:
        if singles_first:
            worker.send_due(singles=True)
        mailing_id = worker.send_chunk(pk)
        if mailing_id is not None:
            finish_mailing(mailing_id)
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
        self.mailer, self.cache, self.handed_over = mailer, letter.Cache(), 0
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
            if email.mailing_id is not None:
                continue
            if self.is_stopping() or timezone.now() > until - MARGIN:
                release(lease)
                return True
            self.handed_over += deliver(email, self.mailer, self.cache)
        if not singles:
            self._send_many([email for email in claimed if email.mailing_id is not None], lease, until)
        return bool(claimed)

    def send_next_chunk(self) -> bool:
        """Whether there was one, be it that another worker was faster."""
        pk = next_chunk()
        mailing_id = self.send_chunk(pk) if pk is not None else None
        if mailing_id is not None:
            finish_mailing(mailing_id)
        return pk is not None

    def rest(self) -> None:
        """Let go of the connection, which no server keeps for long, and of texts, which may change meanwhile."""
        self.mailer.close()
        self.cache = letter.Cache()

    def send_chunk(self, pk: int) -> int | None:
        """The key of the chunk's mailing; None when another worker had it."""
        lease, until = secrets.token_hex(16), timezone.now() + LEASE
        promised = issue_chunk(pk, lease=lease, lease_until=until)
        if promised is None:
            return None
        mailing_id, mails = promised
        self._hand_over(mails, lease, until)
        return mailing_id

    def _send_many(self, claimed: list[ResetEmail], lease: str, until: datetime) -> None:
        """Mails of mailings that are tried again: what of them still stands, together."""
        if not claimed:
            return
        mailing_ids = {email.mailing_id for email in claimed if email.mailing_id is not None}
        wanted, stopped = [], stopped_among(mailing_ids)
        for email in ResetEmail.objects.filter(pk__in=[email.pk for email in claimed], lease=lease).select_related(
            "member", "reset", "reset__site", "site"
        ):
            if email.attempts > MOST_ATTEMPTS:
                outcome.note(email, Result(answer=Answer.NEVER, code="error"), token="")
            elif email.mailing_id in stopped:
                outcome.skip(email, SkipReason.STOPPED)
            elif skip := letter.no_longer_wanted(email):
                outcome.skip(email, skip)
            else:
                wanted.append(email)
        self._hand_over([(email, None) for email in wanted], lease, until)
        for mailing_id in mailing_ids:
            finish_mailing(mailing_id)

    def _hand_over(self, mails: list[Promised], lease: str, until: datetime) -> None:
        if not mails:
            return
        sending = send_many.Sending(
            self.mailer,
            self.cache,
            is_over=lambda: self.is_stopping() or timezone.now() > until - MARGIN,
            meanwhile=self._send_singles,
        )
        if sending.send(mails):
            release(lease)
        self.handed_over += sending.handed_over

    def _send_singles(self, mailer: Mailer) -> None:
        """Between the mails of a mailing, and over a connection that none of them is using."""
        beside = Worker(mailer)
        beside.send_due(singles=True)
        self.handed_over, self.looked_at = self.handed_over + beside.handed_over, beside.looked_at


def deliver(claimed: ResetEmail, mailer: Mailer, cache: letter.Cache) -> bool:
    """Send one claimed mail; whether it was handed over."""
    email = as_it_is_now(claimed)
    if email is None:
        return False
    try:
        if email.attempts > MOST_ATTEMPTS:  # it ends its workers; without this, for ever
            outcome.note(email, Result(answer=Answer.NEVER, code="error"), token="")
            return False
        if skip := letter.no_longer_wanted(email):
            outcome.skip(email, skip)
            return False
        token = letter.mint_for(email) if email.has_link else ""
        content = letter.compose(email, token, cache)
    except WindowClosed:
        outcome.skip(email, SkipReason.WINDOW_CLOSED)
        return False
    except MemberResetError as error:
        logger.error("email=%s not composed: %s", email.public_id, error)
        outcome.note(email, Result(answer=Answer.NEVER, code="configuration", text=str(error)), token="")
        return False
    except Exception as error:
        # One mail that cannot be written, say for a broken template, must not hold the others
        # back. What an error says may quote the link, so only its kind is logged.
        logger.error("email=%s not composed: %s", email.public_id, type(error).__name__)
        outcome.note(email, Result(answer=Answer.LATER, code="error"), token="")
        return False
    result = mailer.send(content, to=email.recipient, public_id=str(email.public_id))
    outcome.note(email, result, token=token)
    return result.answer == Answer.ACCEPTED
