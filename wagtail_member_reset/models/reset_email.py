"""What is mailed, what became of it, and what visitors ask for."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from .. import ids
from ..conf import conf
from .partial import PartlyIndexed
from .password_reset import Origin, PasswordReset
from .purpose import WITHOUT_LINK, Purpose
from .tally import Tally


class EmailState(models.TextChoices):
    QUEUED = "queued", _("Waiting")
    SENDING = "sending", _("Being sent")
    HANDED_OVER = "handed_over", _("Sent")
    FAILED = "failed", _("Failed")
    SKIPPED = "skipped", _("Not emailed")


# The result codes of an email that a mail service refused for its address.
REFUSED_CODES = ("invalid", "rejected", "refused")


class SkipReason(models.TextChoices):
    """Why an email that was promised, or that a mailing was to send, was not sent in the end."""

    NONE = "", ""
    NO_ADDRESS = "no_address", _("No email address")
    INACTIVE = "inactive", _("The account is not active")
    NOT_ALLOWED = "not_allowed", _("The account may not be reset")
    DO_NOT_EMAIL = "do_not_email", _("Is not to be emailed")
    EMAILED_SINCE = "emailed_since", _("Was emailed by another mailing since")
    LIVE_LINK = "live_link", _("Has a link that works")
    ACCOUNT_LIMIT = "account_limit", _("Has reached the limit of emails from mailings for now")
    NO_SUCH_ADDRESS = "no_such_address", _("The address does not exist: an email came back")
    COMPLAINED = "complained", _("Marked an email as spam")
    GONE = "gone", _("The account was deleted")
    ERASED = "erased", _("What was stored about the person was erased")
    STOPPED = "stopped", _("The mailing was stopped")
    LINK_CLOSED = "link_closed", _("The link ended before the email could leave")
    WINDOW_CLOSED = "window_closed", _("The email could not leave in time")
    MEMBER_CHANGED = "member_changed", _("The account changed before the email could leave")


class ResetEmailQuerySet(models.QuerySet["ResetEmail"]):
    def due(self) -> ResetEmailQuerySet:
        """Rows that a worker may claim: waiting, or claimed by a worker that has not come back."""
        now = timezone.now()
        return self.filter(
            Q(state=EmailState.QUEUED, next_attempt_at__lte=now) | Q(state=EmailState.SENDING, lease_until__lte=now)
        )

    def not_paused(self) -> ResetEmailQuerySet:
        """But for those of mailings that are paused. Joins, so it is for choosing rows, not for claiming them."""
        return self.exclude(mailing__state="paused")

    def unsent(self) -> ResetEmailQuerySet:
        return self.filter(state__in=[EmailState.QUEUED, EmailState.SENDING])

    def past_retention(self) -> ResetEmailQuerySet:
        """What is forgotten with its link, or, where a mailing passed somebody over who has none, by its own age."""
        limit = timezone.now() - conf.RETENTION
        return self.filter(Q(reset__expires_at__lt=limit) | Q(reset=None, created_at__lt=limit))

    def outlived(self) -> ResetEmailQuerySet:
        """Notices that waited when all else about the person was erased, and that have left since."""
        day_ago = timezone.now() - Tally.KEPT
        return self.filter(skip_reason=SkipReason.ERASED, reset=None, mailing=None, created_at__lt=day_ago).exclude(
            state__in=[EmailState.QUEUED, EmailState.SENDING]
        )

    def with_link(self) -> ResetEmailQuerySet:
        return self.exclude(purpose__in=WITHOUT_LINK)

    def mailed(self) -> ResetEmailQuerySet:
        """Those with a link that have left, or are about to."""
        return self.with_link().filter(state__in=[EmailState.QUEUED, EmailState.SENDING, EmailState.HANDED_OVER])


class ResetEmail(PartlyIndexed):
    """
    The promise of one mail, and afterwards the record of it. It holds no body, no link and no token.

    Written in the transaction of what it tells about, so that the one is never without the other.
    """

    public_id = models.UUIDField(unique=True, editable=False, default=ids.new_public_id)
    member = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.CASCADE,
        related_name="wagtail_member_reset_emails",
        db_index=False,  # the index on member and time serves it
    )
    reset = models.ForeignKey(PasswordReset, models.CASCADE, null=True, blank=True, related_name="emails")
    mailing = models.ForeignKey(
        "Mailing",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="emails",
        db_index=False,  # the index on mailing and state serves it
    )
    purpose = models.CharField(max_length=20, choices=Purpose.choices)
    # Where this email comes from, which may be another place than its link; empty for one without a link.
    origin = models.CharField(max_length=10, choices=Origin.choices, blank=True, default="")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,  # the partial index serves it
    )
    recipient = models.CharField(max_length=320)
    language = models.CharField(max_length=16)
    # Asked for by no page, and looked through only when a site is deleted.
    site = models.ForeignKey(
        "wagtailcore.Site", models.SET_NULL, null=True, blank=True, related_name="+", db_index=False
    )
    state = models.CharField(max_length=12, choices=EmailState.choices, default=EmailState.QUEUED)
    skip_reason = models.CharField(max_length=20, choices=SkipReason.choices, blank=True, default=SkipReason.NONE)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Attempts after which the member may have it: it was taken, the answer never came, or the worker died.
    possible_copies = models.PositiveSmallIntegerField(default=0)
    lease = models.CharField(max_length=32, blank=True, default="")
    lease_until = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(default=timezone.now)
    provider = models.CharField(max_length=64, blank=True, default="")
    message_id = models.CharField(max_length=255, blank=True, default="")
    result_code = models.CharField(max_length=32, blank=True, default="")
    result_text = models.CharField(max_length=500, blank=True, default="")
    # Why, where it is a matter of this site's own mail server or service: a `reports.Cause`.
    result_cause = models.CharField(max_length=20, blank=True, default="")
    # Once it failed, or a report says what became of an email of a mailing: a `reports.Outcome` and its `Cause`.
    outcome = models.CharField(max_length=12, blank=True, default="")
    cause = models.CharField(max_length=20, blank=True, default="")
    # When it was last tried and not taken.
    refused_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    handed_over_at = models.DateTimeField(null=True, blank=True)
    # Its mailing has taken the member up anew since, with another email.
    replaced_at = models.DateTimeField(null=True, blank=True)

    objects = ResetEmailQuerySet.as_manager()

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["state", "next_attempt_at"], name="resetemail_due"),
            models.Index(fields=["state", "lease_until"], name="resetemail_lease"),
            models.Index(fields=["member", "-created_at"], name="resetemail_member"),
            models.Index(fields=["provider", "message_id"], name="resetemail_message"),
            models.Index(fields=["mailing", "state"], name="resetemail_mailing"),
            models.Index(fields=["requested_by"], condition=Q(requested_by__isnull=False), name="resetemail_requester"),
        ]

    def __str__(self) -> str:
        return f"{self.get_purpose_display()} {self.public_id}"

    @property
    def has_link(self) -> bool:
        return self.purpose not in WITHOUT_LINK

    @property
    def is_waiting(self) -> bool:
        return self.state in (EmailState.QUEUED, EmailState.SENDING)


class DeliveryEvent(models.Model):
    """One fact that a mail provider reported of a mail, in the vocabulary of django-anymail."""

    email = models.ForeignKey(ResetEmail, models.CASCADE, related_name="events")
    # The provider's own id of the event, or a digest of what it says: the same report counts once.
    key = models.CharField(max_length=64)
    event_type = models.CharField(max_length=32)
    reject_reason = models.CharField(max_length=32, blank=True, default="")
    mta_response = models.CharField(max_length=500, blank=True, default="")
    description = models.CharField(max_length=500, blank=True, default="")
    provider = models.CharField(max_length=64, blank=True, default="")
    happened_at = models.DateTimeField()
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["email", "key"], name="deliveryevent_once")]

    def __str__(self) -> str:
        return f"{self.event_type} {self.happened_at:%Y-%m-%d %H:%M}"


class ResetRequest(models.Model):
    """
    What a visitor typed, until a worker resolved it. Written alike for members and strangers.

    `address` is emptied with the resolution; the digests stay a day, for the limits.
    """

    address = models.CharField(max_length=320, blank=True)
    address_digest = models.CharField(max_length=64)
    network_digest = models.CharField(max_length=64)
    site = models.ForeignKey("wagtailcore.Site", models.SET_NULL, null=True, blank=True, related_name="+")
    language = models.CharField(max_length=16)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)
    resolved_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()
        indexes = [
            models.Index(fields=["address_digest", "created_at"], name="resetrequest_address"),
            models.Index(fields=["network_digest", "created_at"], name="resetrequest_network"),
            models.Index(fields=["resolved_at", "created_at"], name="resetrequest_open"),
        ]

    def __str__(self) -> str:
        return f"Request {self.pk}"
