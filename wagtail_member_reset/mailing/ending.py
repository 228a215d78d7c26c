"""How mailings end, whoever died meanwhile, and when they are forgotten."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef
from django.utils import timezone

from .. import db
from ..conf import conf
from ..models import EmailState, Mailing, MailingChunk, MailingSkips, MailingState, ResetEmail, SkipReason
from . import state

DRAFT_KEPT = timedelta(days=1)


def finish_mailing(mailing_id: int) -> bool:
    """Close a mailing of which nothing is left to do. Its counters are then made sure of, whatever died meanwhile."""
    if (
        MailingChunk.objects.filter(mailing=mailing_id).exists()
        or ResetEmail.objects.unsent().filter(mailing=mailing_id).exists()
    ):
        return False

    def attempt() -> bool:
        running = Mailing.objects.filter(pk=mailing_id, state=MailingState.RUNNING)
        if not running.update(state=MailingState.FINISHED, finished_at=timezone.now()):
            return False
        mails = ResetEmail.objects.filter(mailing=mailing_id)
        found = dict(mails.order_by().values_list("state").annotate(Count("pk")))
        sure = {name: found.get(state, 0) for state, name in state.COUNTERS.items() if name != "skipped"}
        Mailing.objects.filter(pk=mailing_id).update(**sure)
        state.count_skips(mailing_id, _uncounted_skips(mailing_id))
        return True

    return db.retried(attempt)


def finish_mailings() -> None:
    """Close the mailings whose last worker died before it did, or whose last members were deleted."""
    chunks = MailingChunk.objects.filter(mailing=OuterRef("pk"))
    unsent = ResetEmail.objects.unsent().filter(mailing=OuterRef("pk"))
    done = Mailing.objects.filter(~Exists(chunks), ~Exists(unsent), state=MailingState.RUNNING)
    for mailing_id in list(done.values_list("pk", flat=True)):
        finish_mailing(mailing_id)


def purge_mailings() -> int:
    """Forget drafts that nobody started for a day, and mailings whose emails were forgotten; how many."""
    now, has_mails = timezone.now(), Exists(ResetEmail.objects.filter(mailing=OuterRef("pk")))
    drafts = Mailing.objects.filter(state=MailingState.DRAFT, created_at__lt=now - DRAFT_KEPT)
    ended = Mailing.objects.filter(~has_mails, finished_at__lt=now - conf.RETENTION)
    return sum(
        Mailing.objects.filter(pk__in=list(mailings.values_list("pk", flat=True)))
        .delete()[1]
        .get(Mailing._meta.label, 0)
        for mailings in (drafts, ended)
    )


def _uncounted_skips(mailing_id: int) -> Counter[Any]:
    """What a process that died had not counted yet; and the members of whom no row is left."""
    skipped = ResetEmail.objects.filter(mailing=mailing_id, state=EmailState.SKIPPED).order_by()
    counted = dict(MailingSkips.objects.filter(mailing=mailing_id).values_list("reason", "count"))
    found = Counter(dict(skipped.values_list("skip_reason").annotate(Count("pk"))))
    uncounted = found - Counter(counted)
    mailing = Mailing.objects.defer("choice").get(pk=mailing_id)
    uncounted[SkipReason.GONE] += max(mailing.waiting - sum(uncounted.values()), 0)
    return uncounted
