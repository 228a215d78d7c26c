"""What Wagtail's History says of log entries that hold more than their name."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.log_actions import LogFormatter

from ..models import DoNotEmailReason


class _OfMailing(LogFormatter):  # type: ignore[misc]
    """An email that was sent alone, or with a mailing, which is named."""

    message: Any
    message_of_mailing: Any

    def format_message(self, entry: Any) -> str:
        if name := entry.data.get("mailing_name"):
            return str(self.message_of_mailing) % {"name": name}
        return str(self.message)


class Sent(_OfMailing):
    label = gettext_lazy("Send password reset")
    message = gettext_lazy("Reset password email sent")
    message_of_mailing = gettext_lazy("Reset password email sent with the mailing “%(name)s”")


class SentAgain(_OfMailing):
    label = gettext_lazy("Send password reset again")
    message = gettext_lazy("Reset password email sent again, with the same link")
    message_of_mailing = gettext_lazy("Reset password email sent again with the mailing “%(name)s”, with the same link")


class Replaced(_OfMailing):
    label = gettext_lazy("Replace password reset")
    message = gettext_lazy("Reset password email sent with a new link")
    message_of_mailing = gettext_lazy("Reset password email sent with the mailing “%(name)s”, with a new link")


class NotToBeEmailed(LogFormatter):  # type: ignore[misc]
    label = gettext_lazy("Do not email")

    def format_message(self, entry: Any) -> str:
        reason = entry.data.get("reason", "")
        if reason not in DoNotEmailReason.values:
            return _("Noted that this person is not to be emailed")
        label = DoNotEmailReason(reason).label
        return _("Noted that this person is not to be emailed: %(reason)s") % {"reason": label}


class DraftDeleted(LogFormatter):  # type: ignore[misc]
    label = gettext_lazy("Delete draft of a mailing")

    def format_message(self, entry: Any) -> str:
        return _("Draft of the mailing “%(name)s” deleted") % {"name": entry.data.get("mailing_name", "")}


class Unblocked(LogFormatter):  # type: ignore[misc]
    label = gettext_lazy("Unblock address")

    def format_message(self, entry: Any) -> str:
        if entry.data.get("outcome") == "done":
            return _("Address unblocked at the mail service")
        return _("Address not unblocked at the mail service")


class IdentityChecked(LogFormatter):  # type: ignore[misc]
    label = gettext_lazy("Check identity")

    def format_message(self, entry: Any) -> str:
        return _("Identity checked: %(answer)s") % {"answer": entry.data.get("answer", "")}
