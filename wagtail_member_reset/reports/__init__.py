"""What mail services say of emails: what each service can do, what it reports, and what that means."""

from .services import (
    METADATA,
    SMTP,
    SMTP_BACKEND,
    MailService,
    Placeholders,
    backend_path,
    default_backend,
    is_open_to_anybody,
    name_of,
    reports,
    timeout,
)
from .services import named as service_named
from .services import of_connection as service_of
from .services import webhook as webhook_path
from .verdict import NEEDS_MENDING, Cause, Outcome, Verdict, of_event, verdict_on
from .webhook import listen

__all__ = [
    "METADATA",
    "NEEDS_MENDING",
    "SMTP",
    "SMTP_BACKEND",
    "Cause",
    "MailService",
    "Outcome",
    "Placeholders",
    "Verdict",
    "backend_path",
    "default_backend",
    "is_open_to_anybody",
    "listen",
    "name_of",
    "of_event",
    "reports",
    "service_named",
    "service_of",
    "timeout",
    "verdict_on",
    "webhook_path",
]
