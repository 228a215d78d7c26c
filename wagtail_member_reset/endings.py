"""How runs end, whoever died meanwhile, and when they are forgotten."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

from django.db.models import Count, Exists, OuterRef
from django.utils import timezone

from . import batches, turns
from .conf import conf
from .models import BatchChunk, BatchSkips, BatchState, EmailState, ResetBatch, ResetEmail, SkipReason

DRAFT_KEPT = timedelta(days=1)


def finish(batch_id: int) -> bool:
    """Close a run of which nothing is left to do. Its counters are then made sure of, whatever died meanwhile."""
    if (
        BatchChunk.objects.filter(batch=batch_id).exists()
        or ResetEmail.objects.unsent().filter(batch=batch_id).exists()
    ):
        return False

    def attempt() -> bool:
        running = ResetBatch.objects.filter(pk=batch_id, state=BatchState.RUNNING)
        if not running.update(state=BatchState.FINISHED, finished_at=timezone.now()):
            return False
        mails = ResetEmail.objects.filter(batch=batch_id)
        found = dict(mails.order_by().values_list("state").annotate(Count("pk")))
        sure = {name: found.get(state, 0) for state, name in batches.COUNTERS.items() if name != "skipped"}
        ResetBatch.objects.filter(pk=batch_id).update(**sure)
        batches.count_skips(batch_id, _uncounted_skips(batch_id))
        return True

    return turns.retried(attempt)


def finish_all() -> None:
    """Close the runs whose last worker died before it did, or whose last members were deleted."""
    chunks = BatchChunk.objects.filter(batch=OuterRef("pk"))
    unsent = ResetEmail.objects.unsent().filter(batch=OuterRef("pk"))
    done = ResetBatch.objects.filter(~Exists(chunks), ~Exists(unsent), state=BatchState.RUNNING)
    for batch_id in list(done.values_list("pk", flat=True)):
        finish(batch_id)


def purge() -> int:
    """Forget drafts that nobody started for a day, and runs whose mails were forgotten; how many."""
    now, has_mails = timezone.now(), Exists(ResetEmail.objects.filter(batch=OuterRef("pk")))
    drafts = ResetBatch.objects.filter(state=BatchState.DRAFT, created_at__lt=now - DRAFT_KEPT)
    ended = ResetBatch.objects.filter(~has_mails, finished_at__lt=now - conf.RETENTION)
    return sum(
        ResetBatch.objects.filter(pk__in=list(runs.values_list("pk", flat=True)))
        .delete()[1]
        .get(ResetBatch._meta.label, 0)
        for runs in (drafts, ended)
    )


def _uncounted_skips(batch_id: int) -> Counter[Any]:
    """What a process that died had not counted yet; and the members of whom no row is left."""
    skipped = ResetEmail.objects.filter(batch=batch_id, state=EmailState.SKIPPED).order_by()
    counted = dict(BatchSkips.objects.filter(batch=batch_id).values_list("reason", "count"))
    found = Counter(dict(skipped.values_list("skip_reason").annotate(Count("pk"))))
    uncounted = found - Counter(counted)
    batch = ResetBatch.objects.defer("choice").get(pk=batch_id)
    uncounted[SkipReason.GONE] += max(batch.waiting - sum(uncounted.values()), 0)
    return uncounted
