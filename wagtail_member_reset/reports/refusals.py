"""Members' mail servers that refuse our emails one after another for what we are, not for whom they are to."""

from __future__ import annotations

from collections.abc import Sequence

from ..mailing import pause_unwanted_mailing
from ..models import DeliveryEvent, ResetEmail
from .answer_words import Says
from .answers import Reading, Stage, Whose, read
from .verdict import held_back_for, reading_of

# So many of a mailing in a row, from so many domains, are no matter of single members.
IN_A_ROW, DOMAINS = 10, 5
ABOUT_US = {Says.SENDER, Says.UNTRUSTED, Says.SETUP, Says.CONTENT, Says.SPAM}
# Of which reports each tells the end of an email, and how many are looked at for the last ten emails.
ENDS = ("delivered", "bounced", "rejected", "failed")
LOOKED_AT = 3 * IN_A_ROW
# What an answer is about, if it is about us, and the domain that it came from.
Ending = tuple[str, str]


def refusal(email: ResetEmail, reading: Reading | None) -> Ending:
    """One email's end for `pause_if_many`; without a `reading`, it was taken."""
    is_about_us = reading is not None and reading.whose == Whose.MEMBER and reading.says in ABOUT_US
    return (reading.says.name.lower() if is_about_us and reading and reading.says else "", _domain(email))


def read_row(code: str, text: str) -> Reading:
    """What stands on the row of an email that a member's server refused over SMTP."""
    return read(f"{code.removeprefix('smtp_')} {text}", stage=Stage.BOUNCE)


def pause_if_many(mailing_id: int, last: Sequence[Ending]) -> bool:
    """
    Pause the mailing if its last ten emails were refused for what we are. Once for each answer: whoever resumes it
    knows of that. Part of a transaction, or of none.
    """
    if len(last) < IN_A_ROW or not all(answer for answer, _domain in last):
        return False
    if len({domain for _answer, domain in last}) < DOMAINS:
        return False
    return pause_unwanted_mailing(mailing_id, {answer for answer, _domain in last})


def look_at_reports(event: DeliveryEvent) -> bool:
    """The same for a report of a mailing's email that was just written down."""
    mailing_id = event.email.mailing_id
    if mailing_id is None or not refusal(event.email, _reading(event))[0]:
        return False
    told = DeliveryEvent.objects.filter(email__mailing=mailing_id, event_type__in=ENDS).order_by("-pk")
    last: dict[int, Ending] = {}
    for each in told.select_related("email")[:LOOKED_AT]:
        last.setdefault(each.email_id, refusal(each.email, _reading(each)))
    return pause_if_many(mailing_id, list(last.values())[:IN_A_ROW])


def _reading(event: DeliveryEvent) -> Reading | None:
    is_refused = event.event_type == "bounced" and not held_back_for(event)
    return reading_of(event) if is_refused else None


def _domain(email: ResetEmail) -> str:
    return email.recipient.rpartition("@")[2].lower()
