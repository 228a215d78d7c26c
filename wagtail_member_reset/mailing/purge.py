"""When mailings are forgotten."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from ..conf import conf
from ..models import Mailing, MailingState, ResetEmail

DRAFT_DAYS = 14


def purge_mailings() -> int:
    """Forget drafts that nobody changed for so many days, and mailings whose emails were forgotten; how many."""
    now, has_emails = timezone.now(), Exists(ResetEmail.objects.filter(mailing=OuterRef("pk")))
    drafts = Mailing.objects.filter(state=MailingState.DRAFT, changed_at__lt=now - timedelta(days=DRAFT_DAYS))
    ended = Mailing.objects.filter(~has_emails, finished_at__lt=now - conf.RETENTION)
    forgotten: Counter[str] = Counter()
    for mailings in (drafts, ended):
        keys = list(mailings.values_list("pk", flat=True))
        forgotten.update(Mailing.objects.filter(pk__in=keys).delete()[1])
    return forgotten[Mailing._meta.label]
