"""Taking up anew the members whom a mailing did not reach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from .. import db
from ..models import EmailState, Mailing, MailingState, ResetEmail
from . import counters
from .choose import out_of_reach
from .chunks import write_chunks
from .state import measure_anew, missed_emails

SLICE = 500


def try_failed_again(
    mailing: Mailing, *, counted: Callable[[ResetEmail], Iterable[str]], beyond: Q | None = None
) -> int:
    """
    Take up anew all members whom the mailing wanted to reach and did not; how many.

    They are chosen and mailed as at first, whatever became of their account or link since, in their turn and at the
    mailing's pace. None of a mailing that was stopped, nor those that are `beyond` who asks. `counted` names the
    counters that an email has moved beside the one of its state, which are taken back.
    """

    def attempt() -> int:
        # Written first, so that nobody stops the mailing meanwhile, nor ends it.
        going = Mailing.objects.filter(pk=mailing.pk).exclude(state=MailingState.STOPPED)
        if not going.update(state=F("state")):
            return 0
        found = list(missed_emails(mailing, beyond=beyond).values_list("pk", "member", "state", "skip_reason"))
        if not found:
            return 0
        moved = Counter(failed=sum(state == EmailState.FAILED for _pk, _member, state, _reason in found))
        for first in range(0, len(found), SLICE):
            part = ResetEmail.objects.filter(pk__in=[pk for pk, *_rest in found[first : first + SLICE]])
            # Locked first: a report that comes meanwhile waits, and then counts for none of them.
            for email in part.select_for_update().prefetch_related("events"):
                moved.update(counted(email))
            part.update(replaced_at=timezone.now())
        back: Any = {name: -number for name, number in moved.items()}
        counters.count(mailing.pk, **back)
        counters.uncount_skips(mailing.pk, Counter(reason for *_, reason in found if reason))
        write_chunks(mailing, [member for _pk, member, *_rest in found], again=True)
        going.filter(state=MailingState.FINISHED).update(state=MailingState.RUNNING, finished_at=None)
        measure_anew(mailing.pk)
        return len(found)

    return db.retried(attempt)


def has_missed(mailing: Mailing, *, beyond: Q | None = None) -> bool:
    """Whether there is anybody whom `try_failed_again` would take up anew."""
    if mailing.state == MailingState.STOPPED or not (mailing.failed or mailing.skipped):
        return False
    return missed_emails(mailing, beyond=out_of_reach(mailing.choice, beyond)).exists()
