"""What editors wrote for an email, and what a mailing took of it when it began."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.contenttypes.fields import GenericRelation
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy
from wagtail.models import DraftStateMixin, PreviewableMixin, Revision, RevisionMixin

from .mailing import Mailing
from .purpose import Purpose


class TextOfEmail(models.Model):
    """What both have: which email it is, and what it says."""

    purpose = models.CharField(_("email"), max_length=20, choices=Purpose.choices)
    language = models.CharField(_("language"), max_length=16)
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    heading = models.CharField(_("heading"), max_length=200, blank=True)
    body = models.TextField(_("body"), blank=True)
    button = models.CharField(_("button"), max_length=100, blank=True)
    footer = models.TextField(_("footer"), blank=True)

    class Meta:
        abstract = True


class EmailText(DraftStateMixin, PreviewableMixin, RevisionMixin, TextOfEmail):  # type: ignore[misc]
    """
    The words of one email, in one language, for one site or for all that have none of their own.

    The row holds what is published, as long as it is `live`; drafts are revisions. Whether it is fit to be mailed is
    not the row's to say: `texts` looks before it is used.
    """

    site = models.ForeignKey(
        "wagtailcore.Site",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=pgettext_lazy("Wagtail site", "site"),
    )
    # Of the three above, since a database takes no two nulls for the same.
    key = models.CharField(max_length=64, unique=True, editable=False)
    _revisions = GenericRelation(
        "wagtailcore.Revision", content_type_field="base_content_type", object_id_field="object_id"
    )

    class Meta:
        verbose_name = _("email text")
        verbose_name_plural = _("email texts")
        ordering = ["purpose", "language", "key"]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} ({dict(settings.LANGUAGES).get(self.language, self.language)})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        self.key = self.key_of()
        if kwargs.get("update_fields"):
            kwargs["update_fields"] = {*kwargs["update_fields"], "key"}
        super().save(*args, **kwargs)

    def key_of(self) -> str:
        return f"{self.purpose}:{self.language}:{self.site_id or ''}"

    @property
    def revisions(self) -> models.Manager[Revision]:
        found: models.Manager[Revision] = self._revisions
        return found

    def label_of(self, field: str) -> str:
        named: Any = self._meta.get_field(field)
        return str(named.verbose_name)

    @property
    def preview_modes(self) -> list[tuple[str, Any]]:
        return [("html", _("Email")), ("dark", _("Email in the dark")), ("text", _("Plain text"))]

    def get_preview_template(self, request: Any, mode_name: str) -> str:
        return "wagtail_member_reset/staff/email_text_preview.html"


class MailingText(TextOfEmail):
    """A text as it was published when a mailing started: its emails keep to it, whatever is published later."""

    mailing = models.ForeignKey(Mailing, models.CASCADE, related_name="texts")
    # No key to the site: what has begun stays as it is when the site goes.
    site_key = models.CharField(max_length=40, blank=True, default="")

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["mailing", "purpose", "language", "site_key"], name="mailingtext_once"),
        ]

    def __str__(self) -> str:
        return f"{self.purpose} ({self.language}) of {self.mailing_id}"
