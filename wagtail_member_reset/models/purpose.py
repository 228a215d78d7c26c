"""
Which emails there are.

One more is named here, which makes a migration. Its words are three templates of its name in `emails/`; whoever
promises it gives its purpose to a `ResetEmail`.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Purpose(models.TextChoices):
    WELCOME = "welcome", _("Welcome")
    RESET = "reset", pgettext_lazy("an email", "Password reset")
    REMINDER = "reminder", _("Reminder")  # of mails alone: the link in it is a welcome
    PASSWORD_CHANGED = "password_changed", _("Password changed")
    ADDRESS_CHANGED = "address_changed", _("Address changed")


# What tells of a change brings no link.
WITHOUT_LINK = (Purpose.PASSWORD_CHANGED, Purpose.ADDRESS_CHANGED)
# What may reach a stranger names nobody: a name is anybody's choice.
NAMELESS = (Purpose.ADDRESS_CHANGED,)
