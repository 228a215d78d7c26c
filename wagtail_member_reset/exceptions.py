from __future__ import annotations

from enum import Enum


class Refusal(str, Enum):
    """Why a member cannot be sent a link, in the order in which it is asked."""

    PASSWORDS_DISABLED = "passwords_disabled"
    NOT_ALLOWED = "not_allowed"
    INACTIVE = "inactive"
    NO_ADDRESS = "no_address"
    ACCOUNT_LIMIT = "account_limit"
    PERSON_LIMIT = "person_limit"


class LinkProblem(str, Enum):
    """
    Why a link cannot be used.

    What became of a link (used, superseded, revoked, expired, rights gained) is told only to who holds its secret.
    """

    DAMAGED = "damaged"
    UNKNOWN = "unknown"
    USED = "used"
    SUPERSEDED = "superseded"
    REVOKED = "revoked"
    EXPIRED = "expired"
    RIGHTS_GAINED = "rights_gained"
    OTHER_LINK = "other_link"
    UNAVAILABLE = "unavailable"
    SAMPLE = "sample"


class MemberResetError(Exception):
    """Anything that this package raises by itself."""


class SendRefused(MemberResetError):
    """The member cannot be sent a link; `refusal` says why. Nothing was written."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.value)
        self.refusal = refusal


class EffectChanged(MemberResetError):
    """Since the question was asked, the answer would do something else. Nothing was written."""


class SiteNotOffered(MemberResetError):
    """There are several sites, and none of those to which links may lead was chosen. Nothing was written."""


class ChoiceError(MemberResetError):
    """Members cannot be chosen so; the text says what is wrong and what would do."""


class Unredeemable(MemberResetError):
    """
    The link cannot be used; `problem` says why, for the log and for who holds the secret.

    `language` is the link's, to say it in; empty where no link of ours is known.
    """

    def __init__(self, problem: LinkProblem, *, language: str = "") -> None:
        super().__init__(problem.value)
        self.problem, self.language = problem, language


class WindowClosed(MemberResetError):
    """The link can no longer be produced by anybody; the copy that was mailed still works."""


class ErasureRefused(MemberResetError):
    """An email to the person is being sent, or a mailing that names them is being written. Nothing was changed."""


class SettingError(MemberResetError):
    """A setting has a value that cannot be used; the text names it, the value and the way out."""


class TemplateSlotError(MemberResetError):
    """An email template changes or misspells a slot, for instance with a filter."""
