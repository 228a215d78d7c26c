"""A mailing: one email each to many members, in chunks that any worker takes."""

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


class PauseReason(models.TextChoices):
    """
    Why a mailing paused by itself: to protect the sender, see `mailing.protection`; after its first wave; since one
    member's mail server after another refuses it; or since our own server takes none of its emails.
    """

    HARD_BOUNCES = "hard_bounces", _("Too many addresses do not exist")
    COMPLAINTS = "complaints", _("Too many people marked the email as spam")
    FIRST_WAVE = "first_wave", _("The first wave has left")
    UNWANTED = "unwanted", _("Members’ mail servers refuse this site’s emails as unwanted")
    REFUSED = "refused", _("This site’s emails are refused or cannot be made")


class Mailing(models.Model):
    """
    One mailing: who started it, how its members were chosen, and how far it is.

    The counters are kept, since counting a hundred thousand rows for each look at a page would be the
    slowest thing that the page does. They change in the transaction of what they count (`mailing.counters`),
    so `chosen` is always the sum of what was handed over, failed and was skipped, and of what still waits.
    """

    # What staff call it, wherever it is shown.
    name = models.CharField(max_length=100, blank=True, default="")
    # Plain text of its own, in each of its emails. Members read it.
    paragraph = models.TextField(blank=True, default="")
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")
    origin = models.CharField(max_length=10, choices=Origin.choices, default=Origin.MAILING)
    # How the members were chosen, in the terms of `mailing.choose`: no addresses, no names.
    choice = models.JSONField(default=dict)
    # Addresses that do not exist which are mailed all the same, by member, domain or reason. See `mailing.known_bad`.
    included = models.JSONField(default=dict)
    # Members who have a link that works are mailed, too.
    again = models.BooleanField(default=False)
    site = models.ForeignKey("wagtailcore.Site", models.SET_NULL, null=True, blank=True, related_name="+")
    language = models.CharField(max_length=16, blank=True, default="")
    per_hour = models.PositiveIntegerField(null=True, blank=True)
    # When it begins, and within which hours of the site's day it sends. See `mailing.hours`.
    starts_at = models.DateTimeField(null=True, blank=True)
    hours_from = models.TimeField(null=True, blank=True)
    hours_to = models.TimeField(null=True, blank=True)
    # How many emails of a first wave may still be claimed; none without a wave. See `mailing.wave`.
    wave_left = models.PositiveIntegerField(null=True, blank=True)
    state = models.CharField(max_length=10, choices=MailingState.choices, default=MailingState.DRAFT)
    # The mail service is overrun or away, and is left alone until then.
    held_until = models.DateTimeField(null=True, blank=True)
    # All for which members' mail servers ever refused it one after another, so that it paused, once for each answer.
    paused_for = models.JSONField(default=list)
    # Why it paused by itself, until it goes on; and the shares at which it does so, raised each time it goes on.
    paused_because = models.CharField(max_length=12, choices=PauseReason.choices, blank=True, default="")
    bounce_limit = models.FloatField(default=0.05)
    complaint_limit = models.FloatField(default=0.001)
    # Who has asked to be told when it ends or pauses, beside who started it.
    watchers = models.ManyToManyField(settings.AUTH_USER_MODEL, blank=True, related_name="+")
    # What they are still to be told of: that it finished, or paused by itself.
    notice = models.CharField(max_length=10, choices=MailingState.choices, blank=True, default="")
    # With a limit: up to when it is used up. With a limit or hours: when to ask for more. See `mailing.pace`.
    paced_until = models.DateTimeField(null=True, blank=True)
    turn_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    # When somebody last said otherwise of a draft.
    changed_at = models.DateTimeField(default=timezone.now)
    started_at = models.DateTimeField(null=True, blank=True)
    paused_at = models.DateTimeField(null=True, blank=True)
    # When it last went on after a pause.
    resumed_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    # When a counter last moved; and since when, and from how many handled, the time left is estimated.
    progress_at = models.DateTimeField(null=True, blank=True)
    measured_at = models.DateTimeField(null=True, blank=True)
    measured_from = models.IntegerField(default=0)
    chosen = models.PositiveIntegerField(default=0)
    handed_over = models.IntegerField(default=0)
    # Of those handed over, as far as the mail service reports.
    delivered = models.IntegerField(default=0)
    bounced = models.IntegerField(default=0)
    failed = models.IntegerField(default=0)
    # Of those that bounced or failed, those whose address does not exist; and of those delivered, those marked as spam.
    hard_bounces = models.IntegerField(default=0)
    complaints = models.IntegerField(default=0)
    skipped = models.IntegerField(default=0)

    class Meta:
        verbose_name = _("mailing")
        verbose_name_plural = _("mailings")
        default_permissions = ()
        indexes = [models.Index(fields=["state", "-created_at"], name="mailing_state")]

    def __str__(self) -> str:
        return self.name or f"Mailing {self.pk}"

    @property
    def handled(self) -> int:
        return self.handed_over + self.failed + self.skipped

    @property
    def waiting(self) -> int:
        return max(self.chosen - self.handled, 0)

    @property
    def interval(self) -> timedelta:
        """How far two emails of the mailing lie apart; nothing without a limit."""
        return timedelta(hours=1) / self.per_hour if self.per_hour else timedelta(0)

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

    `lines` holds number, text and reason of the first ten thousand, `count` is that of all. They may be addresses of
    people who are no members, so they go with the mailing. Where it `is_partial`, some may
    name accounts that whoever brought the file may not look at.
    """

    mailing = models.OneToOneField(Mailing, models.CASCADE, primary_key=True, related_name="unmatched")
    lines = models.JSONField()
    count = models.PositiveIntegerField()
    is_partial = models.BooleanField(default=False)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.count} lines"


class MailingFile(models.Model):
    """
    What was read of the file of a mailing that has not started: no file, but whom each of its columns means.

    So staff can choose another column without a second upload. It goes when the mailing starts, or with the draft.
    """

    mailing = models.OneToOneField(Mailing, models.CASCADE, primary_key=True, related_name="file")
    is_list = models.BooleanField(default=False)
    is_encoding_known = models.BooleanField(default=True)
    # Numbers of lines, and what is to be said of each.
    notes = models.JSONField(default=list)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"File of {self.mailing_id}"


class MailingColumn(models.Model):
    """Whom a file means, if this of its columns says so: primary keys, and a few texts to recognise the column by."""

    file = models.ForeignKey(MailingFile, models.CASCADE, related_name="columns")
    number = models.PositiveIntegerField()
    name = models.TextField(blank=True, default="")
    beside = models.TextField(blank=True, default="")
    samples = models.JSONField(default=list)
    ids = models.JSONField(default=list)
    held = models.JSONField(default=list)
    # Of lines that may mean several accounts: number, text and accounts of the first ten thousand, and all accounts.
    unclear = models.JSONField(default=list)
    unclear_count = models.PositiveIntegerField(default=0)
    unclear_ids = models.JSONField(default=list)
    unclear_held = models.JSONField(default=list)
    unmatched = models.JSONField(default=list)
    unmatched_count = models.PositiveIntegerField(default=0)
    lines = models.PositiveIntegerField(default=0)
    people = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"Column {self.number}"


class MailingChunkQuerySet(models.QuerySet["MailingChunk"]):
    def due(self, *, early: timedelta = timedelta(0), has_room: bool = False) -> QuerySet[MailingChunk]:
        """
        Chunks whose turn has come, or comes so soon, of mailings that are neither paused, held nor at their limit.

        With `has_room`, the limit is left out of it: room was reserved already.
        """
        now = timezone.now() + early
        free = Q(held_until=None) | Q(held_until__lte=now)
        in_turn = Q() if has_room else Q(turn_at=None) | Q(turn_at__lte=now)
        # Not joined, so that to lock a chunk is not to lock its mailing.
        running = Mailing.objects.filter(free, in_turn, state=MailingState.RUNNING)
        return self.filter(mailing__in=running, due_at__lte=now).order_by("due_at", "pk")


class MailingChunk(models.Model):
    """
    Members of a mailing for whom nothing was written yet.

    The row shrinks or goes in the transaction that writes their links and emails, so that a member stands in a
    chunk or has an email, and never both. Those of a stopped mailing stay, for who wants to reach the rest.
    """

    mailing = models.ForeignKey(Mailing, models.CASCADE, related_name="chunks")
    members = models.JSONField()
    due_at = models.DateTimeField(default=timezone.now)
    # Failed attempts to write it; each makes the next one wait longer.
    attempts = models.PositiveSmallIntegerField(default=0)
    # Rises with each change: who changes it under an older number comes too late.
    revision = models.PositiveIntegerField(default=0)
    # These were not reached before, so a link that works does not keep them from an email.
    again = models.BooleanField(default=False)

    objects = MailingChunkQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["due_at"], name="mailingchunk_due")]

    def __str__(self) -> str:
        return f"Chunk {self.pk}"


class ClaimedMinute(models.Model):
    """How many emails of any kind were claimed for sending within one minute: what the limits of mailings look at."""

    minute = models.DateTimeField(primary_key=True)
    emails = models.PositiveIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.minute:%Y-%m-%d %H:%M}: {self.emails}"
