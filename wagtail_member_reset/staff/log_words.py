"""What Wagtail's History says of log entries that hold more than their name."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.log_actions import LogFormatter


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
