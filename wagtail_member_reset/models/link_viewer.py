"""Who was shown a link, and what decides later whether they may still know it."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from .password_reset import PasswordReset


class LinkViewer(models.Model):
    """
    One person of staff who was shown one link, with what both could do at that moment.

    The row says it by itself: it stays true when the viewer is deleted, or when rights are taken away.
    """

    reset = models.ForeignKey(PasswordReset, models.CASCADE, related_name="viewers")
    viewer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        db_index=False,  # the unique index serves it
    )
    viewed_at = models.DateTimeField()
    copied_at = models.DateTimeField(null=True, blank=True)
    # A superuser lacked nothing, so that nothing else is kept.
    was_superuser = models.BooleanField(default=False)
    member_rank = models.PositiveSmallIntegerField(default=0)
    # What viewer or member had: the names of permissions, and the keys of groups.
    permissions = models.JSONField(default=list)
    groups = models.JSONField(default=list)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["viewer", "reset"], name="linkviewer_once")]

    def __str__(self) -> str:
        return f"link {self.reset_id}, viewer {self.viewer_id}"
