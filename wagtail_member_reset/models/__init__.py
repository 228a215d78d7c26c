"""The rows. What may become of them is in `links` and `mailing`; who may cause it, in the rooms."""

from .bad_address import BadAddress, BadVerdict
from .do_not_email import DoNotEmail, DoNotEmailReason
from .email_text import EmailText, MailingText
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
from .needs_help import QUIET, Need, NeedsHelp, NeedsHelpCursor, Shelf
from .password_reset import Origin, PasswordReset, Reason, State
from .purpose import NAMELESS, WITHOUT_LINK, Purpose
from .reset_email import (
    REFUSED_CODES,
    DeliveryEvent,
    EmailState,
    ResetEmail,
    ResetRequest,
    SkipReason,
)
from .site_sender import SiteSender
from .tally import Counted, Tally
from .upload import MailingUpload, MailingUploadPiece

__all__ = [
    "NAMELESS",
    "QUIET",
    "REFUSED_CODES",
    "WITHOUT_LINK",
    "BadAddress",
    "BadVerdict",
    "ClaimedMinute",
    "Counted",
    "DeliveryEvent",
    "DoNotEmail",
    "DoNotEmailReason",
    "EmailState",
    "EmailText",
    "LinkViewer",
    "Mailing",
    "MailingChunk",
    "MailingColumn",
    "MailingFile",
    "MailingSkips",
    "MailingState",
    "MailingText",
    "MailingUnmatched",
    "MailingUpload",
    "MailingUploadPiece",
    "Need",
    "NeedsHelp",
    "NeedsHelpCursor",
    "Origin",
    "PasswordReset",
    "PauseReason",
    "Purpose",
    "Reason",
    "ResetEmail",
    "ResetRequest",
    "Shelf",
    "SiteSender",
    "SkipReason",
    "State",
    "Tally",
]
