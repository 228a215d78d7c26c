"""Letting a mailing wait: for its own mail server, or since one member's server after another refuses it."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict, deque
from datetime import timedelta
from itertools import takewhile

from django.db.models.functions import Coalesce
from django.utils import timezone

from ..mailing import hold_mailing, pause_refused_mailing, time_since_progress
from ..models import EmailState, Mailing, ResetEmail
from ..reports import IN_A_ROW, Ending, pause_if_many, read_row, refusal
from . import outcome
from .failures import Answer, Result

logger = logging.getLogger("wagtail_member_reset")

TRIED = (EmailState.QUEUED, EmailState.HANDED_OVER, EmailState.FAILED)
# So many of the last emails are looked at.
LOOKED_AT = 30
# Of so many emails, each attempt counts as refused in a row; fewer may be tried over and over for what they are.
FEWEST = 5


def hold(email: ResetEmail, failed: Result) -> bool:
    """
    Let the email's mailing wait: for a time where that may help, else until somebody has it go on.

    False for an email of no mailing.
    """
    if email.mailing_id is None:
        return False
    if failed.answer == Answer.LATER:
        # As long again as nothing has left, since nobody knows when a limit is over.
        wait = max(min(time_since_progress(email.mailing_id), outcome.LONGEST_LIMIT), outcome.FIRST_WAIT)
        hold_mailing(email.mailing_id, timezone.now() + max(wait, timedelta(seconds=failed.retry_after)))
        return True
    logger.error("mailing=%s paused: %s", email.mailing_id, failed.cause.value or failed.code)
    pause_refused_mailing(email.mailing_id)
    return True


class Ends:
    """
    How the last emails of each mailing ended: as one worker has seen it, and what was written down before.

    Under a limit a worker has few of them in hand at once.
    """

    def __init__(self) -> None:
        self._last: dict[int, deque[Ending]] = defaultdict(lambda: deque(maxlen=IN_A_ROW))
        self._refused: Counter[int] = Counter()
        self._known: set[int] = set()

    def look_back(self, email: ResetEmail, result: Result) -> None:
        """Before the first answer to an email of a mailing is counted: what was before matters if it is not taken."""
        if email.mailing_id is not None and email.mailing_id not in self._known:
            self._known.add(email.mailing_id)
            if result.answer != Answer.ACCEPTED:
                self._read(email.mailing_id)

    def refused_in_a_row(self, email: ResetEmail, *, is_refused: bool) -> int:
        """How many emails in a row, with this one, were refused or were to come later."""
        if email.mailing_id is None:
            return 0
        self._refused[email.mailing_id] = self._refused[email.mailing_id] + 1 if is_refused else 0
        return self._refused[email.mailing_id]

    def _read(self, mailing_id: int) -> None:
        """What came of the last emails, since the mailing went on if it was paused."""
        since = Mailing.objects.filter(pk=mailing_id).values_list("resumed_at", flat=True).first()
        tried = ResetEmail.objects.annotate(tried_at=Coalesce("handed_over_at", "refused_at"))
        tried = tried.filter(mailing=mailing_id, state__in=TRIED, tried_at__isnull=False)
        if since is not None:
            tried = tried.filter(tried_at__gt=since)
        rows = list(tried.order_by("-tried_at", "-pk")[:LOOKED_AT])
        refused = list(takewhile(_was_to_come_later, rows))
        attempts = sum(row.attempts for row in refused)
        self._refused[mailing_id] = attempts if len(refused) >= FEWEST else len(refused)
        ended = [row for row in rows if _has_ended(row)][:IN_A_ROW]
        self._last[mailing_id].extend(_end_of(row) for row in reversed(ended))

    def pause_if_unwanted(self, email: ResetEmail, result: Result) -> bool:
        """Pause the mailing for what members' servers say of us, as our own server passes it on; whether it did."""
        is_accepted = result.answer == Answer.ACCEPTED
        if email.mailing_id is None or not (is_accepted or result.code.startswith("smtp_5")):
            return False
        last = self._last[email.mailing_id]
        last.append(refusal(email, None if is_accepted else read_row(result.code, result.text)))
        if len(last) < IN_A_ROW or not pause_if_many(email.mailing_id, last):
            return False
        logger.error("mailing=%s paused: refused as unwanted", email.mailing_id)
        return True


def _was_to_come_later(row: ResetEmail) -> bool:
    is_ours = row.state == EmailState.FAILED and bool(row.result_cause)
    return is_ours or (row.state == EmailState.QUEUED and row.result_code != "error")


def _has_ended(row: ResetEmail) -> bool:
    return row.state == EmailState.HANDED_OVER or (
        row.state == EmailState.FAILED and row.result_code.startswith("smtp_5")
    )


def _end_of(row: ResetEmail) -> Ending:
    is_accepted = row.state == EmailState.HANDED_OVER
    is_ours = bool(row.result_cause)
    return refusal(row, None if is_accepted or is_ours else read_row(row.result_code, row.result_text))
