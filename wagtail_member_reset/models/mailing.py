"""A mailing: one mail each to many members, in chunks that any worker takes."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .password_reset import Origin
from .reset_email import SkipReason


class MailingState(models.TextChoices):
    DRAFT = "draft", _("Not started")
    RUNNING = "running", _("Running")
    PAUSED = "paused", _("Paused")
    STOPPED = "stopped", _("Stopped")
    FINISHED = "finished", _("Finished")


class Mailing(models.Model):
    """
    One mailing: who started it, how its members were chosen, and how far it is.

    The counters are kept with each step, since counting a hundred thousand rows for each look at a
    page would be the slowest thing that the page does. `chosen` is the sum of what was handed over,
    failed and was skipped, and of what still waits.
    """

    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    origin = models.CharField(max_length=10, choices=Origin.choices, default=Origin.MAILING)
    # How the members were chosen, in the terms of `choosing`: no addresses, no names.
    choice = models.JSONField(default=dict)
    # Members who have a link that works are mailed, too.
    again = models.BooleanField(default=False)
    site = models.ForeignKey("wagtailcore.Site", models.SET_NULL, null=True, blank=True, related_name="+")
    language = models.CharField(max_length=16, blank=True, default="")
    per_hour = models.PositiveIntegerField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=MailingState.choices, default=MailingState.DRAFT)
    # A mail service that is overrun, or away, is left alone until then.
    held_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    chosen = models.PositiveIntegerField(default=0)
    # Signed, since two workers may write down the same mail's fate in either order.
    handed_over = models.IntegerField(default=0)
    # Of those handed over, as far as the mail service reports.
    delivered = models.IntegerField(default=0)
    bounced = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    skipped = models.IntegerField(default=0)

    class Meta:
        verbose_name = _("mailing")
        verbose_name_plural = _("mailings")
        default_permissions = ()
        indexes = [models.Index(fields=["state", "-created_at"], name="mailing_state")]

    def __str__(self) -> str:
        return f"Mailing {self.pk}"

    @property
    def handled(self) -> int:
        return self.handed_over + self.failed + self.skipped

    @property
    def waiting(self) -> int:
        return max(self.chosen - self.handled, 0)

    @property
    def interval(self) -> timedelta:
        """How far two mails of the mailing lie apart; nothing without a limit."""
        return timedelta(hours=1) / self.per_hour if self.per_hour else timedelta(0)

    def at_once(self, most: int) -> int:
        """How many mails are due together: what the limit lets through in a minute, or one."""
        return min(most, max(self.per_hour // 60, 1)) if self.per_hour else most

    @property
    def is_under_way(self) -> bool:
        return self.state in (MailingState.RUNNING, MailingState.PAUSED)


class MailingSkips(models.Model):
    """How many members of a mailing were passed over for one reason."""

    mailing = models.ForeignKey(Mailing, models.CASCADE, related_name="skips", db_index=False)
    reason = models.CharField(max_length=20, choices=SkipReason.choices)
    count = models.IntegerField(default=0)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["mailing", "reason"], name="mailingskips_once")]

    def __str__(self) -> str:
        return f"{self.reason}: {self.count}"


class MailingUnmatched(models.Model):
    """
    What the file of a mailing said that names no account, line by line, for staff to look into.

    `lines` holds numbers and texts of the first ten thousand, `count` is that of all. They may be addresses of
    people who are no members, so they go with the mailing.
    """

    mailing = models.OneToOneField(Mailing, models.CASCADE, primary_key=True, related_name="unmatched")
    lines = models.JSONField()
    count = models.PositiveIntegerField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.count} lines"


class MailingChunkQuerySet(models.QuerySet["MailingChunk"]):
    def due(self, *, early: timedelta = timedelta(0)) -> QuerySet[MailingChunk]:
        """Chunks whose turn has come, or comes so soon, of mailings that are not paused and not held up."""
        now = timezone.now() + early
        free = Q(held_until=None) | Q(held_until__lte=now)
        # Not joined, so that to lock a chunk is not to lock its mailing.
        running = Mailing.objects.filter(free, state=MailingState.RUNNING)
        return self.filter(mailing__in=running, due_at__lte=now).order_by("due_at", "pk")


class MailingChunk(models.Model):
    """
    Members of a mailing for whom nothing was written yet.

    The row goes in the transaction that writes their links and the promises of their mails, so that
    a chunk is there, or its promises are, and never both. Who deletes it has it.
    """

    mailing = models.ForeignKey(Mailing, models.CASCADE, related_name="chunks")
    members = models.JSONField()
    due_at = models.DateTimeField(default=timezone.now)

    objects = MailingChunkQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["due_at"], name="mailingchunk_due")]

    def __str__(self) -> str:
        return f"Chunk {self.pk}"
