"""The rows. What may become of them is in `links` and `mailing`; who may cause it, in the rooms."""

from .bad_address import BadAddress, BadVerdict
from .do_not_email import DoNotEmail, DoNotEmailReason
from .link_viewer import LinkViewer
from .mailing import (
    ClaimedMinute,
    Mailing,
    MailingChunk,
    MailingColumn,
    MailingFile,
    MailingSkips,
    MailingState,
    MailingUnmatched,
    PauseReason,
)
from .password_reset import Origin, PasswordReset, Purpose, Reason, State
from .reset_email import (
    REFUSED_CODES,
    WITHOUT_LINK,
    DeliveryEvent,
    EmailState,
    ResetEmail,
    ResetRequest,
    SkipReason,
)
from .upload import MailingUpload, MailingUploadPiece

__all__ = [
    "REFUSED_CODES",
    "WITHOUT_LINK",
    "BadAddress",
    "BadVerdict",
    "ClaimedMinute",
    "DeliveryEvent",
    "DoNotEmail",
    "DoNotEmailReason",
    "EmailState",
    "LinkViewer",
    "Mailing",
    "MailingChunk",
    "MailingColumn",
    "MailingFile",
    "MailingSkips",
    "MailingState",
    "MailingUnmatched",
    "MailingUpload",
    "MailingUploadPiece",
    "Origin",
    "PasswordReset",
    "PauseReason",
    "Purpose",
    "Reason",
    "ResetEmail",
    "ResetRequest",
    "SkipReason",
    "State",
]
