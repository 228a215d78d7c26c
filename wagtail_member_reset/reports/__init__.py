"""What mail services say of emails: what each service can do, what it reports, and what that means."""

from .addresses import note_refusal
from .answers import LONGEST_READ, Reading, Stage, Whose, read
from .block_lists import Block, BlockListError, Trouble, Unblocked, lift
from .causes import NEEDS_MENDING, NO_SUCH_ADDRESS, Cause
from .counted import counters_of
from .refusals import IN_A_ROW, Ending, pause_if_many, read_row, refusal
from .service import MailService, Placeholders
from .services import (
    METADATA,
    SMTP,
    backend_path,
    default_backend,
    is_open_to_anybody,
    name_of,
    reports,
)
from .services import named as service_named
from .services import of_connection as service_of
from .services import webhook as webhook_path
from .verdict import (
    ARRIVED,
    CAME_BACK,
    CANCELLED,
    SITE_QUEUE,
    Outcome,
    Verdict,
    given_up,
    is_automatic_answer,
    of_event,
    verdict_on,
)
from .webhook import listen

__all__ = [
    "ARRIVED",
    "CAME_BACK",
    "CANCELLED",
    "IN_A_ROW",
    "LONGEST_READ",
    "METADATA",
    "NEEDS_MENDING",
    "NO_SUCH_ADDRESS",
    "SITE_QUEUE",
    "SMTP",
    "Block",
    "BlockListError",
    "Cause",
    "Ending",
    "MailService",
    "Outcome",
    "Placeholders",
    "Reading",
    "Stage",
    "Trouble",
    "Unblocked",
    "Verdict",
    "Whose",
    "backend_path",
    "counters_of",
    "default_backend",
    "given_up",
    "is_automatic_answer",
    "is_open_to_anybody",
    "lift",
    "listen",
    "name_of",
    "note_refusal",
    "of_event",
    "pause_if_many",
    "read",
    "read_row",
    "refusal",
    "reports",
    "service_named",
    "service_of",
    "verdict_on",
    "webhook_path",
]
