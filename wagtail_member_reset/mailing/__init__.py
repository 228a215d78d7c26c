"""Mailings: who is chosen, how far each is, how fast it goes, and the links and emails that its chunks become."""

from .again import has_missed, try_failed_again
from .choose import (
    SLICE,
    Choice,
    Kind,
    Source,
    choice_from_json,
    chosen_within,
    count_gone,
    holds_back_admins,
    in_groups,
    in_mixed_order,
    out_of_reach,
    with_ids,
)
from .chunks import forgotten_chunk, forgotten_mailings, next_chunk, next_turn, turn_of
from .counters import BY_STATE, count, skip_counts
from .figures import Progress
from .files import LONGEST_FILE, UNKNOWN_ENCODING, ColumnRead, FileReading, Nobody, Note, Unclear, read_file
from .hours import has_hours, has_started, opens_at
from .in_chunks import count_in_chunks, keys_in_chunks, members_in_chunks, members_with
from .issue import Issued, IssuedChunk, issue_chunk
from .kept_file import choose_in_file, file_choice, keep_file
from .known_bad import Bad, Included, included_in, reasons_known_since
from .left_out import reason_noted_since
from .naming import LONGEST_NAME, clean_name, clean_paragraph, default_name, name_by_date, name_of
from .not_allowed import write_not_allowed
from .options import MOST_PER_HOUR, options_of
from .pace import give_back as give_back_room
from .pace import note as note_claimed
from .pace import reserve as reserve_room
from .pace import time_left
from .pausing import pause_refused_mailing, pause_unwanted_mailing, time_since_progress
from .previewed import SAMPLES, People, Place, Preview, people, preview
from .purge import DRAFT_DAYS, discard_draft, purge_mailings
from .purpose import purpose_now
from .reasons import why_paused
from .reminders import look_for_reminders
from .rest import remaining, rest_of, still_chosen
from .state import (
    cancel_unheld_links,
    finish_mailing,
    finish_mailings,
    hold_mailing,
    is_running,
    measure_if_idle,
    pause_mailing,
    resume_mailing,
    start_mailing,
    stop_mailing,
)
from .uploads import LONG, keep_upload, next_upload, problems_of, read_uploads
from .watchers import is_watching, told_of, watch
from .wave import FIRST_WAVE, MANY, OFFERED_FROM, pause_after_wave, suggested_pace
from .whose_site import site_of

__all__ = [
    "BY_STATE",
    "DRAFT_DAYS",
    "FIRST_WAVE",
    "LONG",
    "LONGEST_FILE",
    "LONGEST_NAME",
    "MANY",
    "MOST_PER_HOUR",
    "OFFERED_FROM",
    "SAMPLES",
    "SLICE",
    "UNKNOWN_ENCODING",
    "Bad",
    "Choice",
    "ColumnRead",
    "FileReading",
    "Included",
    "Issued",
    "IssuedChunk",
    "Kind",
    "Nobody",
    "Note",
    "People",
    "Place",
    "Preview",
    "Progress",
    "Source",
    "Unclear",
    "cancel_unheld_links",
    "choice_from_json",
    "choose_in_file",
    "chosen_within",
    "clean_name",
    "clean_paragraph",
    "count",
    "count_gone",
    "count_in_chunks",
    "default_name",
    "discard_draft",
    "file_choice",
    "finish_mailing",
    "finish_mailings",
    "forgotten_chunk",
    "forgotten_mailings",
    "give_back_room",
    "has_hours",
    "has_missed",
    "has_started",
    "hold_mailing",
    "holds_back_admins",
    "in_groups",
    "in_mixed_order",
    "included_in",
    "is_running",
    "is_watching",
    "issue_chunk",
    "keep_file",
    "keep_upload",
    "keys_in_chunks",
    "look_for_reminders",
    "measure_if_idle",
    "members_in_chunks",
    "members_with",
    "name_by_date",
    "name_of",
    "next_chunk",
    "next_turn",
    "next_upload",
    "note_claimed",
    "opens_at",
    "options_of",
    "out_of_reach",
    "pause_after_wave",
    "pause_mailing",
    "pause_refused_mailing",
    "pause_unwanted_mailing",
    "people",
    "preview",
    "problems_of",
    "purge_mailings",
    "purpose_now",
    "read_file",
    "read_uploads",
    "reason_noted_since",
    "reasons_known_since",
    "remaining",
    "reserve_room",
    "rest_of",
    "resume_mailing",
    "site_of",
    "skip_counts",
    "start_mailing",
    "still_chosen",
    "stop_mailing",
    "suggested_pace",
    "time_left",
    "time_since_progress",
    "told_of",
    "try_failed_again",
    "turn_of",
    "watch",
    "why_paused",
    "with_ids",
    "write_not_allowed",
]
