"""Who is not to be emailed by the office, and why."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class DoNotEmailReason(models.TextChoices):
    DECEASED = "deceased", _("Deceased")
    ASKED_NOT_TO = "asked_not_to", _("Asked not to be emailed")
    POST_ONLY = "post_only", _("By post only")


class DoNotEmail(models.Model):
    """
    One account that mailings and reminders leave out. Deleted with the account, and when staff take it back.

    What the member asks for on the website is sent all the same.
    """

    member = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True, related_name="wagtail_member_reset_do_not_email"
    )
    reason = models.CharField(max_length=20, choices=DoNotEmailReason.choices)
    set_at = models.DateTimeField(default=timezone.now)
    set_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+")

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"member {self.member_id}: {self.reason}"
