"""The rows. What may become of them is in `ledger` and `mailings`; who may cause it, in the rooms."""

from .mailing import Mailing, MailingChunk, MailingSkips, MailingState, MailingUnmatched
from .password_reset import Origin, PasswordReset, Purpose, Reason, State
from .reset_email import DeliveryEvent, EmailState, ResetEmail, ResetRequest, SkipReason

__all__ = [
    "MailingChunk",
    "MailingSkips",
    "MailingState",
    "MailingUnmatched",
    "DeliveryEvent",
    "EmailState",
    "Origin",
    "PasswordReset",
    "Purpose",
    "Reason",
    "Mailing",
    "ResetEmail",
    "ResetRequest",
    "SkipReason",
    "State",
]
