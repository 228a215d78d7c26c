"""What the emails of one site are sent from, as staff have set it."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class SiteSender(models.Model):
    """
    One row for each Wagtail site whose sender differs from the settings. What is empty is as the settings say.

    What stands here may have been written by anybody, and its domain may be allowed no longer: `senders` looks at it
    again whenever an email is made.
    """

    site = models.OneToOneField(
        "wagtailcore.Site",
        models.CASCADE,
        related_name="wagtail_member_reset_sender",
        verbose_name=pgettext_lazy("Wagtail site", "Site"),
    )
    from_name = models.CharField(_("From name"), max_length=100, blank=True, default="")
    from_address = models.EmailField(_("From address"), blank=True, default="")
    reply_to = models.EmailField(_("Reply-To"), blank=True, default="")
    support_contact = models.CharField(_("Contact for questions"), max_length=200, blank=True, default="")

    class Meta:
        verbose_name = _("sender")
        verbose_name_plural = _("senders")

    def __str__(self) -> str:
        return str(self.site)
