"""Letting a mailing wait: for its own mail server, or since one member's server after another refuses it."""

from __future__ import annotations

import logging
from collections import defaultdict, deque
from contextlib import suppress
from datetime import timedelta

from django.utils import timezone

from ..mailing import hold_mailing, pause_mailing, silence_of
from ..models import Mailing, ResetEmail
from ..reports import IN_A_ROW, Refusal, pause_if_many, read_row, refusal
from . import outcome
from .failures import Answer, Result

logger = logging.getLogger("wagtail_member_reset")


def hold(email: ResetEmail, failed: Result) -> bool:
    """
    Let the email's mailing wait: for a time where that may help, else until somebody has it go on.

    False for an email of no mailing.
    """
    if email.mailing_id is None:
        return False
    if failed.answer == Answer.LATER:
        # As long again as nothing has left, since nobody knows when a limit is over.
        wait = max(min(silence_of(email.mailing_id), outcome.LONGEST_LIMIT), outcome.FIRST_WAIT)
        hold_mailing(email.mailing_id, timezone.now() + max(wait, timedelta(seconds=failed.retry_after)))
        return True
    logger.error("mailing=%s paused: %s", email.mailing_id, failed.cause.value or failed.code)
    with suppress(Mailing.DoesNotExist):
        pause_mailing(Mailing.objects.defer("choice").get(pk=email.mailing_id))
    return True


class Ends:
    """How the last emails of each mailing ended, as one worker has seen it."""

    def __init__(self) -> None:
        self._last: dict[int, deque[Refusal]] = defaultdict(lambda: deque(maxlen=IN_A_ROW))

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
