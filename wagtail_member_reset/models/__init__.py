"""The rows. What may become of them is in `ledger` and `batches`; who may cause it, in the rooms."""

from .batches import BatchChunk, BatchSkips, BatchState, BatchUnmatched, ResetBatch
from .links import Origin, PasswordReset, Purpose, Reason, State
from .mails import DeliveryEvent, EmailState, ResetEmail, ResetRequest, SkipReason

__all__ = [
    "BatchChunk",
    "BatchSkips",
    "BatchState",
    "BatchUnmatched",
    "DeliveryEvent",
    "EmailState",
    "Origin",
    "PasswordReset",
    "Purpose",
    "Reason",
    "ResetBatch",
    "ResetEmail",
    "ResetRequest",
    "SkipReason",
    "State",
]
