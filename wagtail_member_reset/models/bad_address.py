from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class BadVerdict(models.TextChoices):
    """What is known of an address that mailings do not write to."""

    HARD_BOUNCE = "hard_bounce", _("The address does not exist")
    COMPLAINT = "complaint", _("Marked our email as spam")


class BadAddress(models.Model):
    """
    An address that mailings pass over, known by a keyed digest alone: what that means is in `bad_addresses`.

    It belongs to no account: mailings pass over whoever has the address, and reach a member who gets another one.
    """

    digest = models.CharField(max_length=64, primary_key=True)
    verdict = models.CharField(max_length=12, choices=BadVerdict.choices)
    # Why, of a hard bounce: a `reports.Cause`.
    cause = models.CharField(max_length=20, blank=True, default="")
    # When that became of an email to it, the last time.
    happened_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        indexes = [models.Index(fields=["happened_at"], name="badaddress_happened")]

    def __str__(self) -> str:
        return f"{self.verdict} {self.happened_at:%Y-%m-%d}"
