"""When mailings are forgotten."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from .. import audit, db
from ..accounts import Member
from ..conf import conf
from ..models import Mailing, MailingState, ResetEmail

DRAFT_DAYS = 14


def discard_draft(mailing: Mailing, *, by: Member) -> bool:
    """Delete a draft, and log in their own history that somebody did; False where it has started, or is gone."""

    def attempt() -> bool:
        # Written first: who starts it in the same moment waits, and then finds nothing to start.
        drafts = Mailing.objects.filter(pk=mailing.pk, state=MailingState.DRAFT)
        if not drafts.update(changed_at=timezone.now()):
            return False
        audit.note_draft_deleted(mailing, by=by)
        drafts.delete()
        return True

    return db.retried(attempt)


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
