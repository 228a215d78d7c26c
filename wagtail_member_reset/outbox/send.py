"""One worker's pass over the outbox: resolve requests, send what is due, and write down what came of it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial

from .. import db, links, needs_help
from ..exceptions import MemberResetError, WindowClosed
from ..mailing import (
    Issued,
    finish_mailing,
    finish_mailings,
    issue_chunk,
    look_for_reminders,
    next_chunk,
    pause_after_wave,
    read_uploads,
)
from ..models import EmailState, Mailing, ResetEmail, SkipReason
from . import effort, letter, outcome, requests
from .failures import of_set_up
from .notices import send_notices
from .outcome import Attempt
from .queue import Lease, as_it_is_now, claim_retries, claim_singles
from .send_many import Sending
from .transport import Mailer

logger = logging.getLogger("wagtail_member_reset")

# Between the chunks of a mailing: how many seconds a single email may have to wait.
LOOKED_SECONDS = 1.0
# And how many a long file of members.
FILES_SECONDS = 5.0


def never() -> bool:
    return False


def drain(*, chunks: bool = True, at_random: bool = False, is_stopping: Callable[[], bool] = never) -> int:
    """
    Do all that is due: resolve requests, send emails, read long files, erase what must not be kept.

    Called by the thread, the task and the command. Returns the number of emails handed over. Safe to run beside itself,
    in any number of processes: each row is claimed by one of them. Without `chunks`, members for whom no email was
    written yet are left to others. `at_random` waits for a random moment first, where visitors wait. Where
    `is_stopping` says so, no further email leaves, and those in hand are given back. What is wrong with one row is
    logged and ends with that row; raises only when the database is away.
    """
    with going_on("The sweep"):
        links.sweep()
    with going_on("The wait for requests"):
        if at_random:
            requests.wait_at_random()
    with going_on("The look for reminders"):
        if chunks:
            look_for_reminders()
    with at_work(is_stopping=is_stopping) as worker:
        worker.send_singles()
        worker.send_retries()
        read_files(is_stopping)
        looked_at = time.monotonic()
        while chunks and not is_stopping() and worker.send_next_chunk():
            worker.send_singles(at_most_every=LOOKED_SECONDS)
            if time.monotonic() - looked_at > FILES_SECONDS:
                read_files(is_stopping)
                looked_at = time.monotonic()
        # What came in since the last look.
        worker.send_singles()
        with going_on("The end of mailings"):
            finish_mailings()
        with going_on("The look for who needs help"):
            needs_help.sweep()
        return worker.handed_over


def read_files(is_stopping: Callable[[], bool]) -> None:
    with going_on("The reading of files"):
        read_uploads(is_stopping=is_stopping)


def send_chunk(pk: int, *, singles_first: bool = False, is_stopping: Callable[[], bool] = never) -> int:
    """
    Do one chunk of a mailing; the number of emails handed over, 0 when another worker had it.

    With `singles_first`, what persons wait for goes before it. What is left when `is_stopping` says so is due again.
    """
    with at_work(is_stopping=is_stopping) as worker:
        if singles_first:
            worker.send_singles()
        worker.send_chunk(pk)
        return worker.handed_over


@contextmanager
def at_work(*, is_stopping: Callable[[], bool] = never) -> Iterator[Worker]:
    """
    A worker for chunk after chunk, with one connection for all of them.

    Where `is_stopping` says so, no further email leaves, and those left are given back. At the end, when every email
    has left, who started a mailing is told that it has ended, and requests that led to none are made as much work as
    the others.
    """
    with Mailer() as mailer:
        worker = Worker(mailer, is_stopping=is_stopping)
        yield worker
        if not is_stopping():
            with going_on("The notices of mailings"):
                send_notices(mailer)
    if worker.led_to_none and not is_stopping():
        with going_on("The work for requests without an email"):
            effort.imitate(worker.led_to_none)


@contextmanager
def going_on(step: str) -> Iterator[None]:
    """For one step of a pass: what goes wrong in it must not keep the others from being done."""
    try:
        yield
    except Exception:
        if not db.answers():
            raise  # nothing can be done without the database
        logger.exception("%s failed; the pass goes on.", step)


class Worker:
    """Sends what it is told to, with one connection and one memory of texts."""

    def __init__(self, mailer: Mailer, *, is_stopping: Callable[[], bool] = never, beside: Lease | None = None) -> None:
        self.mailer, self.shared, self.handed_over = mailer, letter.Shared(), 0
        # That of the emails which wait until this worker is done.
        self._beside = beside
        self.is_stopping, self._looked_at = is_stopping, 0.0
        self._in_vain: int | None = None
        # How many requests of visitors led to no email.
        self.led_to_none = 0

    def send_singles(self, *, at_most_every: float = 0) -> None:
        """Send what persons wait for: what staff sent, what members asked for, welcomes, and notices."""
        if time.monotonic() - self._looked_at < at_most_every:
            return
        while not self.is_stopping() and self._send_claimed():
            pass
        self._looked_at = time.monotonic()

    def send_retries(self) -> None:
        """Send what mailings have to send once more."""
        while not self.is_stopping():
            lease = Lease(longest=self.mailer.longest_wait)
            claimed = claim_retries(lease)
            if not claimed:
                return
            self._send_many([(email, None) for email in claimed], lease, are_new=False)
            for mailing_id in sorted({email.mailing_id for email in claimed if email.mailing_id}):
                finish_mailing(mailing_id)

    def send_next_chunk(self, mailing: Mailing | None = None) -> bool:
        """Whether there was one, of the mailing or of any, be it that another worker was faster."""
        pk = next_chunk(mailing)
        # One that could not be taken, and yet comes next again, must not keep this worker busy for ever.
        if pk is None or pk == self._in_vain:
            self._in_vain = None
            return False
        self._in_vain = None if self.send_chunk(pk) else pk
        return True

    def send_chunk(self, pk: int) -> bool:
        """Whether the chunk was ours to take."""
        lease = Lease(longest=self.mailer.longest_wait)
        issued = issue_chunk(pk, lease=lease.key, lease_until=lease.until)
        if issued is None:
            return False
        if issued.emails:
            self._send_many(issued.emails, lease)
        has_wave = any(email.mailing and email.mailing.wave_left is not None for email, _token in issued.emails[:1])
        if not finish_mailing(issued.mailing_id) and has_wave:
            pause_after_wave(issued.mailing_id)
        return True

    def rest(self) -> None:
        """Let go of the connection, which no server keeps for long, and of texts, which may change meanwhile."""
        self.mailer.close()
        self.shared = letter.Shared()

    def _send_claimed(self) -> bool:
        self.led_to_none += requests.resolve_due()
        lease = Lease(longest=self.mailer.longest_wait)
        claimed = claim_singles(lease)
        if claimed:
            self.shared.look_anew()
        for email in claimed:
            if self.is_stopping() or not lease.has_time_for_one():
                lease.release()
                return True
            start = effort.begin()
            self.handed_over += deliver(email, self.mailer, self.shared)
            effort.note("send", start)
            lease.renew()
            if self._beside is not None:
                self._beside.renew()
        return bool(claimed)

    def _send_many(self, issued: Sequence[Issued], lease: Lease, *, are_new: bool = True) -> None:
        singles = partial(self._send_singles_over, lease)
        sending = Sending(self.mailer, self.shared, lease, is_stopping=self.is_stopping, send_singles=singles)
        try:
            sending.send(issued, are_new=are_new)
        finally:
            self.handed_over += sending.handed_over

    def _send_singles_over(self, lease: Lease, mailer: Mailer) -> None:
        beside = Worker(mailer, is_stopping=self.is_stopping, beside=lease)
        beside.send_singles()
        self.handed_over += beside.handed_over
        self.led_to_none += beside.led_to_none
        self._looked_at = beside._looked_at


def deliver(claimed: ResetEmail, mailer: Mailer, shared: letter.Shared) -> bool:
    """
    Send one claimed email, and write down what came of it; whether it was handed over.

    Never raises for what is wrong with the email, which is then tried again later; raises when the database is away.
    """
    try:
        attempt = _attempted(claimed, mailer, shared)
    except Exception as error:
        if not db.answers():
            raise
        # One email that cannot be written, say for a broken template, must not hold the others
        # back. What an error says may quote the link, so only its kind is logged.
        logger.error("email=%s not sent: %s", claimed.public_id, type(error).__name__)
        attempt = outcome.of_failure(claimed, "error", for_good=False)
    if attempt is None:
        return False
    # What went wrong here went wrong after sending: the email stays under its lease, as one that may have arrived.
    with going_on(f"Writing down email={claimed.public_id}"):
        outcome.write([attempt])
    return attempt.fate.state == EmailState.HANDED_OVER


def _attempted(claimed: ResetEmail, mailer: Mailer, shared: letter.Shared) -> Attempt | None:
    """What one attempt at the email came to; None where it is no longer ours."""
    email = as_it_is_now(claimed)
    if email is None:
        return None
    if email.attempts > outcome.MOST_ATTEMPTS:
        return outcome.of_failure(email, "error")
    if reason := letter.reason_not_to_send(email, None):
        return outcome.of_skip(email, reason)
    token = ""
    try:
        token = letter.mint_for(email) if email.has_link else ""
        content = letter.compose(email, token, shared)
    except WindowClosed:
        return outcome.of_skip(email, SkipReason.WINDOW_CLOSED)
    except MemberResetError as error:
        logger.error("email=%s not composed: %s", email.public_id, error)
        result = of_set_up(error)
    else:
        result = mailer.send(content, to=email.recipient, public_id=str(email.public_id))
    return next(outcome.of_results([(email, token, result)]))
