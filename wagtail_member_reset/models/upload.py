"""A long file of members, kept until somebody has read it."""

from __future__ import annotations

from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone

from .mailing import Mailing


class MailingUploadQuerySet(models.QuerySet["MailingUpload"]):
    def due(self) -> QuerySet[MailingUpload]:
        """Files that nobody is reading, or whose reader died."""
        free = Q(lease_until=None) | Q(lease_until__lte=timezone.now())
        return self.filter(free, problem="").order_by("pk")


class MailingUpload(models.Model):
    """
    The file of a draft, which was too long to be read within the request.

    It goes in the transaction that keeps what was read, or with the draft. Where it cannot be read, its pieces go, and
    `problem` says why.
    """

    mailing = models.OneToOneField(Mailing, models.CASCADE, primary_key=True, related_name="upload")
    # Of whoever brought it, for the words of a problem.
    language = models.CharField(max_length=16, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)
    lease = models.CharField(max_length=32, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    problem = models.TextField(blank=True, default="")

    objects = MailingUploadQuerySet.as_manager()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"Upload of {self.mailing_id}"


class MailingUploadPiece(models.Model):
    """A piece of a file, as databases take them in one statement."""

    upload = models.ForeignKey(MailingUpload, models.CASCADE, related_name="pieces", db_index=False)
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["upload", "number"], name="mailinguploadpiece_once")]

    def __str__(self) -> str:
        return f"Piece {self.number}"
