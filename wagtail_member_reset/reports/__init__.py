"""What mail services say of emails: what each service can do, what it reports, and what that means."""

from .services import (
    CLICK_TRACKING,
    REPORTING,
    SMTP,
    backend_path,
    is_open_to_anybody,
    reports,
    service,
    timeout,
)
from .services import (
    webhook as webhook_path,
)
from .verdict import NEEDS_MENDING, Cause, Outcome, Verdict, of_event, verdict_on
from .webhook import METADATA, listen

__all__ = [
    "CLICK_TRACKING",
    "METADATA",
    "NEEDS_MENDING",
    "REPORTING",
    "SMTP",
    "Cause",
    "Outcome",
    "Verdict",
    "backend_path",
    "is_open_to_anybody",
    "listen",
    "of_event",
    "reports",
    "service",
    "timeout",
    "verdict_on",
    "webhook_path",
]
