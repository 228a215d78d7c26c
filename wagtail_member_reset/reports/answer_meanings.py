"""Whose matter an answer is, as data: what its words come to, by the stage at which they are said."""

from __future__ import annotations

from enum import Enum

from .answer_words import Says
from .causes import Cause


class Stage(str, Enum):
    """At what an answer came. All but the last are said by our own mail server or service."""

    CONNECT = "connect"
    LOGIN = "login"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    API = "api"
    BOUNCE = "bounce"


class Whose(str, Enum):
    """Whose matter an answer is."""

    MEND = "mend"  # ours: nothing leaves until the administrator has mended it
    LATER = "later"  # ours, for a time
    MEMBER = "member"


# Of our own server.
OURS: dict[Says, tuple[Whose, Cause]] = {
    Says.LOGIN: (Whose.MEND, Cause.LOGIN_REFUSED),
    Says.RELAY: (Whose.MEND, Cause.LOGIN_REFUSED),
    Says.SENDER: (Whose.MEND, Cause.SENDER_REFUSED),
    Says.ACCOUNT: (Whose.MEND, Cause.ACCOUNT),
    Says.CONTENT: (Whose.MEND, Cause.CONTENT_REFUSED),
    Says.SPAM: (Whose.MEND, Cause.CONTENT_REFUSED),
    Says.UNTRUSTED: (Whose.MEND, Cause.CONFIGURATION),
    Says.SETUP: (Whose.MEND, Cause.CONFIGURATION),
    Says.LIMIT: (Whose.LATER, Cause.LIMIT),
    Says.LATER: (Whose.LATER, Cause.BUSY),
}
# Of our own server, before it has heard of any recipient.
BEFORE_ANY_RECIPIENT: dict[Says, tuple[Whose, Cause]] = {
    Says.INSIDERS: (Whose.MEND, Cause.LOGIN_REFUSED),
    Says.DISABLED: (Whose.MEND, Cause.ACCOUNT),
    Says.FULL: (Whose.MEND, Cause.ACCOUNT),
    Says.QUOTA: (Whose.LATER, Cause.LIMIT),
    Says.UNREACHABLE: (Whose.LATER, Cause.BUSY),
}
# Of the server of the address, by whichever way we hear of it.
MEMBERS: dict[Says, Cause] = {
    Says.UNKNOWN: Cause.NO_SUCH_MAILBOX,
    Says.DISABLED: Cause.NO_SUCH_MAILBOX,
    Says.RELAY: Cause.NO_SUCH_MAILBOX,
    Says.FULL: Cause.MAILBOX_FULL,
    Says.QUOTA: Cause.MAILBOX_FULL,
    Says.INSIDERS: Cause.INSIDERS_ONLY,
    Says.LOGIN: Cause.INSIDERS_ONLY,
    Says.SENDER: Cause.UNWANTED,
    Says.UNTRUSTED: Cause.UNWANTED,
    Says.SPAM: Cause.UNWANTED,
    Says.SETUP: Cause.UNWANTED,
    Says.CONTENT: Cause.UNWANTED_CONTENT,
    Says.SUPPRESSED: Cause.UNWANTED,
    Says.UNREACHABLE: Cause.GAVE_UP,
    Says.LATER: Cause.GAVE_UP,
    Says.LIMIT: Cause.LIMIT,
    Says.ACCOUNT: Cause.ACCOUNT,
}
# What is said of the address by whichever server takes an email for it.
OF_THE_ADDRESS = (Says.UNKNOWN, Says.DISABLED, Says.FULL, Says.QUOTA, Says.INSIDERS, Says.UNREACHABLE)
# What the answer is about where nothing in it says so.
UNSAID: dict[Stage, tuple[Cause, Cause]] = {  # for now, for good
    Stage.CONNECT: (Cause.BUSY, Cause.CONFIGURATION),
    Stage.LOGIN: (Cause.BUSY, Cause.LOGIN_REFUSED),
    Stage.MAIL: (Cause.BUSY, Cause.SENDER_REFUSED),
    Stage.DATA: (Cause.BUSY, Cause.NOT_TAKEN),
}
