"""One link of one member, from its issue to its end."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from ..conf import conf
from .partial import PartlyIndexed
from .purpose import Purpose


class Origin(models.TextChoices):
    STAFF = "staff", _("Staff")
    CREATED = "created", _("New account")
    MEMBER = "member", _("Website")
    MAILING = "mailing", _("Mailing")
    IMPORT = "import", pgettext_lazy("where a link came from", "Import")
    REMINDER = "reminder", _("Reminder")
    HANDED_OUT = "handed_out", _("Without an email")


class State(models.TextChoices):
    ACTIVE = "active", _("Active")
    USED = "used", _("Used")
    SUPERSEDED = "superseded", _("Replaced")
    REVOKED = "revoked", pgettext_lazy("a link", "Cancelled")


class Reason(models.TextChoices):
    """Why a link was closed before it was used or ran out."""

    NONE = "", ""
    NEWER_LINK = "newer_link", _("A newer link was sent")
    STAFF = "staff", _("Cancelled by staff")
    PASSWORD_CHANGED = "password_changed", _("The password was changed")
    ADDRESS_CHANGED = "address_changed", _("The address was changed")
    DEACTIVATED = "deactivated", _("The account was deactivated")
    NOT_ALLOWED = "not_allowed", _("The account may not be reset")
    RIGHTS_GAINED = "rights_gained", _("The account gained rights after the link was shown")
    KEY_LOST = "key_lost", _("The site’s secret key was changed")


class PasswordResetQuerySet(models.QuerySet["PasswordReset"]):
    def live(self) -> PasswordResetQuerySet:
        """Links that would open now, but for the checks against the account."""
        return self.filter(state=State.ACTIVE, expires_at__gt=timezone.now())

    def held_by_nobody(self, *, but_for: UUID | None = None) -> PasswordResetQuerySet:
        """
        Links that certainly nobody has: never shown, copied or opened, and in no email that may have arrived, or that
        is being sent by somebody else than who asks for the email `but_for` (a public id).

        Only such a link may end without a member losing anything: when a mailing is stopped, and for a late email.
        """
        emails = self.model._meta.get_field("emails").related_model._default_manager.filter(reset=OuterRef("pk"))
        in_hand = Q(state="sending") if but_for is None else Q(state="sending") & ~Q(public_id=but_for)
        holding = emails.filter(Q(possible_copies__gt=0) | in_hand)
        return self.filter(~Exists(holding), shown_at=None, copied_at=None, opened_at=None)

    def past_window(self) -> PasswordResetQuerySet:
        """Links that must not be made again, but still hold what is needed for it."""
        return self.filter(nonce__isnull=False, issued_at__lte=timezone.now() - conf.STATUS_WINDOW)


class PasswordReset(PartlyIndexed):
    """
    One link of one member, from its issue to its end. It holds no token.

    `active_for` names the member as long as the link is the member's live one:
    its unique index is the guarantee that there is at most one.
    """

    member = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="wagtail_member_reset_resets",
        db_index=False,  # the index on member and time serves it
    )
    # The row goes with its member by the key above. CASCADE would empty this column first where a
    # database checks at once, as MySQL and MariaDB do, and a live link without it is refused there.
    active_for = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.DO_NOTHING, null=True, blank=True, related_name="wagtail_member_reset_live"
    )
    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    origin = models.CharField(max_length=10, choices=Origin.choices)
    issued_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,  # the partial index serves it
    )
    language = models.CharField(max_length=16)
    # Asked for by no page, and looked through only when a site is deleted.
    site = models.ForeignKey(
        "wagtailcore.Site", models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    recipient = models.CharField(max_length=320)
    password_mark = models.CharField(max_length=64)
    selector = models.CharField(max_length=12, unique=True)
    nonce = models.BinaryField(max_length=32, null=True)
    verifier = models.CharField(max_length=64)
    key_id = models.CharField(max_length=16)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ACTIVE)
    reason = models.CharField(max_length=20, choices=Reason.choices, blank=True, default=Reason.NONE)
    revision = models.PositiveIntegerField(default=0)
    issued_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    shown_at = models.DateTimeField(null=True, blank=True)
    copied_at = models.DateTimeField(null=True, blank=True)
    opened_at = models.DateTimeField(null=True, blank=True)
    used_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    # When a reminder was planned for it, whatever became of that: once is enough.
    reminded_at = models.DateTimeField(null=True, blank=True)

    objects = PasswordResetQuerySet.as_manager()

    class Meta:
        verbose_name = _("password reset")
        verbose_name_plural = _("password resets")
        default_permissions = ()
        permissions = [
            ("send_passwordreset", _("Can send password resets")),
            ("view_link_passwordreset", _("Can see and copy a member's personal link")),
            ("view_passwordreset", _("Can view password resets")),
            ("unblock_passwordreset", _("Can unblock addresses at the mail service")),
            ("bulk_send_passwordreset", _("Can send password resets to many members at once")),
            ("export_passwordreset", _("Can download what is stored about a member")),
            ("erase_passwordreset", _("Can erase what is stored about a member")),
        ]
        constraints = [
            models.CheckConstraint(
                name="passwordreset_one_live_link",
                # A CHECK lets pass what it cannot decide, so NULL is ruled out by name.
                condition=Q(state="active", active_for__isnull=False, active_for=F("member"))
                | Q(~Q(state="active"), active_for__isnull=True, nonce__isnull=True),
            ),
        ]
        indexes = [
            models.Index(fields=["member", "-issued_at"], name="passwordreset_member"),
            models.Index(fields=["state", "-issued_at"], name="passwordreset_state"),
            models.Index(fields=["expires_at"], name="passwordreset_expires"),
            # Every pass of a worker asks for these few among all that ever were.
            models.Index(fields=["issued_at"], condition=Q(nonce__isnull=False), name="passwordreset_derivable"),
            # For whoever deletes a member of staff; most links were asked for by nobody of the staff, or by few.
            models.Index(fields=["issued_by"], condition=Q(issued_by__isnull=False), name="passwordreset_issuer"),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.pk}"

    @property
    def window_ends_at(self) -> datetime:
        return self.issued_at + conf.STATUS_WINDOW

    @property
    def is_in_window(self) -> bool:
        return timezone.now() < self.window_ends_at

    @property
    def is_expired(self) -> bool:
        return timezone.now() >= self.expires_at

    @property
    def is_live(self) -> bool:
        return self.state == State.ACTIVE and not self.is_expired

    @property
    def is_welcome(self) -> bool:
        return self.purpose == Purpose.WELCOME

    @property
    def lifetime(self) -> timedelta:
        return self.expires_at - self.issued_at
