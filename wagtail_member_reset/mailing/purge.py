"""When mailings are forgotten."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from ..conf import conf
from ..models import Mailing, MailingState, ResetEmail

DRAFT_DAYS = 14


def purge_mailings(*, dry_run: bool = False) -> int:
    """
    Forget drafts that nobody changed for so many days, and mailings whose emails were forgotten; how many.

    A `dry_run` only counts, as if those emails had gone that a purge of links takes.
    """
    now, emails = timezone.now(), ResetEmail.objects.filter(mailing=OuterRef("pk"))
    if dry_run:
        emails = emails.exclude(pk__in=ResetEmail.objects.past_retention().values("pk"))
    has_emails = Exists(emails)
    drafts = Mailing.objects.filter(state=MailingState.DRAFT, changed_at__lt=now - timedelta(days=DRAFT_DAYS))
    ended = Mailing.objects.filter(~has_emails, finished_at__lt=now - conf.RETENTION)
    if dry_run:
        return drafts.count() + ended.count()
    forgotten: Counter[str] = Counter()
    for mailings in (drafts, ended):
        keys = list(mailings.values_list("pk", flat=True))
        forgotten.update(Mailing.objects.filter(pk__in=keys).delete()[1])
    return forgotten[Mailing._meta.label]
