"""Who needs help: a row for each person who has not got in, and how far they have been looked at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Need(models.IntegerChoices):
    """Why a person needs help, the most urgent first. From `QUIET` on, nothing is wrong but time that passes."""

    NO_SUCH_ADDRESS = 10, _("No such address")
    COMPLAINED = 20, _("Marked as spam")
    REFUSED = 30, _("Refused")
    MAILBOX_FULL = 40, _("Mailbox full")
    FAILED = 50, _("Failed")
    LINK_ENDED = 60, _("Link ended for security")
    ABOUT_TO_EXPIRE = 110, _("Link about to expire")
    EXPIRED = 120, _("Link expired unused")
    NO_PASSWORD = 130, _("Emailed, no password yet")
    NO_ADDRESS = 140, _("No address")


QUIET = 100


class Shelf(models.TextChoices):
    OPEN = "", _("Open")
    LATER = "later", _("Later")
    DONE = "done", _("Dealt with")


class NeedsHelpQuerySet(models.QuerySet["NeedsHelp"]):
    def look_at(self, members: Iterable[Any]) -> None:
        """
        Have these members looked at soon: a reason may have appeared or gone. Takes their keys.

        Two statements, however many they are. It may be part of a transaction, and never changes what is shown itself.
        """
        keys = list(dict.fromkeys(members))
        if keys and self.look_again(keys) < len(keys):
            rows = [NeedsHelp(member_id=key, look_since=timezone.now()) for key in keys]
            NeedsHelp.objects.bulk_create(rows, ignore_conflicts=True)

    def look_again(self, members: Iterable[Any]) -> int:
        """The same for those of them who are listed; how many. One statement."""
        return self.filter(pk__in=list(members)).update(look_since=timezone.now())


class NeedsHelp(models.Model):
    """
    One person who has not got in, why, and what staff said of it. Derived from the other rows, but for the note.

    Without a `reason`, nobody has looked yet (see `look_since`), or nothing is wrong for now, and the note is kept.
    """

    member = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="wagtail_member_reset_needs_help"
    )
    reason = models.PositiveSmallIntegerField(choices=Need.choices, null=True, blank=True)
    happened_at = models.DateTimeField(null=True, blank=True)
    # What stands after the @, as it is compared.
    domain = models.CharField(max_length=255, blank=True, default="")
    # Whether the latest email has arrived, as far as anybody has said so.
    has_arrived = models.BooleanField(default=False)
    # Since when the row may be out of date; empty while it is not.
    look_since = models.DateTimeField(null=True, blank=True)
    shelf = models.CharField(max_length=5, choices=Shelf.choices, blank=True, default=Shelf.OPEN)
    until = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True, default="")
    noted_at = models.DateTimeField(null=True, blank=True)
    noted_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    objects = NeedsHelpQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["shelf", "reason", "-happened_at", "-member"], name="needshelp_order"),
            models.Index(fields=["shelf", "domain", "reason", "-happened_at", "-member"], name="needshelp_domain"),
            models.Index(fields=["look_since"], name="needshelp_look"),
        ]

    def __str__(self) -> str:
        return f"member {self.member_id}: {self.get_reason_display()}"


class NeedsHelpCursor(models.Model):
    """How far the sweep has come, by the name of what it walks through."""

    name = models.CharField(max_length=20, primary_key=True)
    at = models.DateTimeField(null=True, blank=True)
    key = models.CharField(max_length=64, blank=True, default="")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
