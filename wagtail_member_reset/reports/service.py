"""What can be known of a mail service: the form of the records in `services`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .block_lists import BlockList

# The connection and the answer: `requests` waits as long for the one as for the other.
API_REPLIES = 2
# What is longer than this is no time-out.
LONGEST_TIMEOUT = 24 * 3600.0

# Words for a mail that the service itself held back, though it reports a bounce; with Anymail's word for why.
BOUNCED_BEFORE = (re.compile(r"previously bounced address", re.IGNORECASE), "bounced")
MARKED_AS_SPAM = (re.compile(r"marked your messages as spam", re.IGNORECASE), "spam")
UNSUBSCRIBED = (re.compile(r"unsubscribed address", re.IGNORECASE), "unsubscribed")
SOFT = re.compile(r"soft[ _-]?bounce|\btransient\b", re.IGNORECASE)
SUPPRESSED = (re.compile(r"suppressed sending|address (was )?suppressed|suppression list|SuppressionList"), "blocked")
HeldBack = tuple[tuple[re.Pattern[str], str], ...]
# Of a service that is not known to have its own. The most telling come first.
HELD_BACK: HeldBack = (UNSUBSCRIBED, MARKED_AS_SPAM, BOUNCED_BEFORE, SUPPRESSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placeholders:
    """How a service fills each member's values into one text for many."""

    text: str
    """A placeholder in the plain text and the subject, with NAME for the value's name."""

    html: str = ""
    """One in the HTML that is filled in as it is, where the service would else escape once more."""

    opener: str
    """What a text must not hold by itself, since the service would take it for a placeholder."""

    most: int = 1000
    """How many members one call takes."""

    extra: dict[str, Any] = field(default_factory=dict)
    """What Anymail's `esp_extra` has to say for these placeholders to be filled in."""

    def place(self, name: str, *, html: bool = False) -> str:
        """What stands in the text, or in the HTML, for a value."""
        return ((html and self.html) or self.text).replace("NAME", name)


def _status(error: Exception) -> int | None:
    return getattr(error, "status_code", None)


def _timeout(connection: Any) -> Any:
    return getattr(connection, "timeout", None)


def _attempts(connection: Any) -> int:
    return 1


def first_sentence(text: str) -> str:
    return text.partition(". ")[0]


def first_word(text: str) -> str:
    return text.partition(":")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class MailService:
    """What a mail service can do, what it calls things, and where it differs from what Anymail makes of it."""

    name: str
    """Anymail's name of the service, which stands on the mail's row; "smtp" for plain SMTP."""

    webhook: str = ""
    """Its slug in the name of Anymail's tracking view; empty where Anymail has none, so that nothing is reported."""

    refuses: frozenset[str] = frozenset()
    """Anymail's options that it does not take, of those that we would send along: a mail with one does not leave."""

    click_tracking: str = ""
    """Where to switch it off, if the service rewrites links as its own settings say, whatever a mail asks for."""

    placeholders: Placeholders | None = None
    """How it mails many with one call; None where it wants a template stored with it, or cannot do so at all."""

    held_back: HeldBack = HELD_BACK
    """Its words for a mail that it held back and reports as a bounce, with Anymail's reason; the first found speaks."""

    own_words: tuple[tuple[str, ...], ...] = ()
    """The keys to its own words for a bounce, in the event as it posts it, that Anymail's event leaves out."""

    words: Mapping[str, str] = field(default_factory=dict)
    """What its own words mean in plain ones, where they are numbers or flags."""

    own_kinds: tuple[tuple[str, ...], Mapping[str, str]] = ((), {})
    """The keys to its own name of an event, and those that Anymail does not know, with Anymail's word for such."""

    told: Callable[[str], str] = str
    """What of its description is about this bounce, and not about all bounces of the kind."""

    automatic_answer: str = ""
    """How it begins to describe a bounce that may be an absence note."""

    queues: bool = False
    """It is no service, but a mail queue of the site's own: what it takes has gone no further than that."""

    status: Callable[[Exception], int | None] = _status
    """The HTTP status of a call that failed; None if there was no answer."""

    timeout: Callable[[Any], Any] = _timeout
    """How many seconds a connection to it waits for one reply, from the connection; None for ever."""

    replies: int = API_REPLIES
    """How often one mail may have to wait for it so long. Connecting counts, too."""

    attempts: Callable[[Any], int] = _attempts
    """How often its client tries by itself, from the connection."""

    block_list: BlockList | None = None
    """Its list of addresses that it mails no more, where its API is known here."""

    block_page: str = ""
    """Where people find that list, where its API is not."""

    def held_back_for(self, text: str) -> str:
        """Anymail's reason why the service held a mail back, if that is what the text says; else empty."""
        return next((reason for pattern, reason in self.held_back if pattern.search(text)), "")

    def word_in(self, event: object) -> str | None:
        """The service's own word for a bounce, or words, from the event as it was posted; None if there is none."""
        found = (str(_value(event, keys)) for keys in self.own_words)
        return ": ".join(self.words.get(word, word) for word in found if self.words.get(word, word)) or None

    def kind_of(self, event: object) -> str:
        """Anymail's word for an event that Anymail does not know; empty if it is not known here either."""
        keys, kinds = self.own_kinds
        return kinds.get(str(_value(event, keys)), "") if keys else ""

    def is_automatic_answer(self, description: str) -> bool:
        """Whether this may be an absence note, which the service reports as a bounce."""
        return bool(self.automatic_answer) and description.startswith(self.automatic_answer)

    def longest_wait(self, connection: Any) -> float | None:
        """How many seconds one mail over this connection may take; None where nothing ends the wait."""
        seconds = _seconds(self.timeout(connection))
        return None if seconds is None else self.replies * self.attempts(connection) * seconds


def _value(event: object, keys: tuple[str, ...]) -> object:
    """What stands there, "*" being the first of whatever stands there; empty where it does not."""
    for key in keys:
        if not isinstance(event, Mapping):
            return ""
        event = next(iter(event.values()), None) if key == "*" else event.get(key)
    return "" if event is None or isinstance(event, (Mapping, list)) else event


def _seconds(waits: Any) -> float | None:
    """
    The longest of these waits: a number, one for each of two waits, or `urllib3`'s way to say either.

    None where nothing ends it, or where nobody can tell.
    """
    if isinstance(waits, (tuple, list)):
        each = [_seconds(wait) for wait in waits]
        return None if None in each or not each else max(seconds for seconds in each if seconds is not None)
    if hasattr(waits, "connect_timeout"):  # urllib3.Timeout, whose total ends both waits
        total = _seconds(getattr(waits, "total", None))
        return total or _seconds((waits.connect_timeout, getattr(waits, "_read", None)))
    try:
        seconds = float(waits)
    except (TypeError, ValueError):
        return None
    return seconds if 0 < seconds < LONGEST_TIMEOUT else None


def is_soft_bounce(description: str) -> bool:
    """Whether a service says of a bounce that another attempt may do better."""
    return bool(SOFT.search(description))
