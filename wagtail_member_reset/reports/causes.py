"""Why an email did not arrive: the words that the outbox, the reports and the tab have in common."""

from __future__ import annotations

from enum import Enum


class Cause(str, Enum):
    """Why, as far as it is known. Of several that are known of one email, the first of these speaks."""

    NONE = ""
    # Of a bounce, by what the member's mail server says.
    NO_SUCH_MAILBOX = "no_such_mailbox"
    MAILBOX_FULL = "mailbox_full"
    INSIDERS_ONLY = "insiders_only"
    UNWANTED = "unwanted"
    UNWANTED_CONTENT = "unwanted_content"
    GAVE_UP = "gave_up"
    # Of a mail that the mail service refused to send.
    INVALID = "invalid"
    BOUNCED_BEFORE = "bounced_before"
    TIMED_OUT = "timed_out"
    BLOCKED = "blocked"
    SPAM = "spam"
    UNSUBSCRIBED = "unsubscribed"
    CANCELLED = "cancelled"
    # Of our own mail server or service: no mail leaves until the administrator has mended it.
    LOGIN_REFUSED = "login_refused"
    SENDER_REFUSED = "sender_refused"
    ACCOUNT = "account"
    CONTENT_REFUSED = "content_refused"
    CONFIGURATION = "configuration"
    NOT_TAKEN = "not_taken"
    # Of our own mail server or service, for a time.
    LIMIT = "limit"
    BUSY = "busy"
    NO_ANSWER = "no_answer"
    # Of a mail that did not leave us, or not yet.
    ASKED_LATER = "asked_later"
    SITE_QUEUE = "site_queue"
    WINDOW_CLOSED = "window_closed"
    CHANGED = "changed"
    STOPPED = "stopped"
    LEFT_OUT = "left_out"


CAUSES = list(Cause)
# Nobody reads the address. Any other cause is no matter of the address: the mailbox may be full, or our server blocked.
NO_SUCH_ADDRESS = (Cause.NO_SUCH_MAILBOX, Cause.INVALID, Cause.BOUNCED_BEFORE)
# With these, no mail leaves until somebody has mended the site's own settings, or its account at the mail service.
NEEDS_MENDING = (
    Cause.LOGIN_REFUSED,
    Cause.SENDER_REFUSED,
    Cause.ACCOUNT,
    Cause.CONTENT_REFUSED,
    Cause.CONFIGURATION,
    Cause.NOT_TAKEN,
)
