"""What still counts for the limits although its row is gone."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Counted(models.TextChoices):
    """Which limit it counts for."""

    STAFF = "staff", _("Staff")
    WEBSITE = "website", _("Website")
    MAILING = "mailing", _("Mailing")
    HANDED_OUT = "handed_out", _("Without an email")
    NOTICE = "notice", _("Address changed")


class TallyQuerySet(models.QuerySet["Tally"]):
    def within(self, period: timedelta, kind: Counted) -> TallyQuerySet:
        return self.filter(kind=kind, counted_at__gt=timezone.now() - period)


class Tally(models.Model):
    """
    That an email was sent or a link handed out, and nothing else of it: written when the row that told so is erased.

    Without it, whoever may erase or delete would begin every limit anew. The purge takes it after `KEPT`.
    """

    # As long as the longest period that a limit may have.
    KEPT = timedelta(days=1)

    member = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    kind = models.CharField(max_length=12, choices=Counted.choices)
    counted_at = models.DateTimeField(db_index=True)

    objects = TallyQuerySet.as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.kind} {self.counted_at:%Y-%m-%d %H:%M}"
