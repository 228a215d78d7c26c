"""What each of these files gives, and the one way to take an address off: look, take off, look again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ...exceptions import MemberResetError

logger = logging.getLogger("wagtail_member_reset")


class Block(str, Enum):
    """Why a service mails an address no more."""

    NONE = "none"
    BOUNCE = "bounce"
    COMPLAINT = "complaint"
    OTHER = "other"  # unsubscribed, or put there by hand


class Trouble(str, Enum):
    """Why a service could not be asked."""

    DENIED = "denied"
    NO_ANSWER = "no_answer"
    NOT_UNDERSTOOD = "not_understood"
    TOO_LONG = "too_long"  # a list that cannot be searched for one address


class BlockListError(MemberResetError):
    """The service did not do as asked; `trouble` says why. Whether the address is still on its list is not known."""

    def __init__(self, trouble: Trouble) -> None:
        super().__init__(trouble.value)
        self.trouble = trouble


class Unblocked(str, Enum):
    """What came of it."""

    DONE = "done"
    WAS_NOT_BLOCKED = "was_not_blocked"
    COMPLAINT = "complaint"
    OTHER = "other"
    STILL_BLOCKED = "still_blocked"


@dataclass(frozen=True, slots=True)
class BlockList:
    """Both take an Anymail connection and an address, and raise `BlockListError`."""

    look: Callable[[Any, str], Block]
    """Why the address is on the list; a complaint before a bounce, where it is there for both."""

    take_off: Callable[[Any, str], None]
    """Ask for a bounce to be forgotten. What the service answers is not believed: `lift` looks again."""


def lift(found: BlockList, connection: Any, address: str) -> Unblocked:
    """
    Take an address off that is there for a bounce alone. What is there for a complaint or by choice stays.

    Raises nothing but `BlockListError`, whatever the service answers.
    """
    try:
        return _lift(found, connection, address)
    except BlockListError:
        raise
    except Exception as error:  # of an answer in another shape than any that is known
        # What the error says may quote the answer, so only its kind is logged.
        logger.error("block list not understood: %s", type(error).__name__)
        raise BlockListError(Trouble.NOT_UNDERSTOOD) from error


def _lift(found: BlockList, connection: Any, address: str) -> Unblocked:
    block = found.look(connection, address)
    if block != Block.BOUNCE:
        return {
            Block.NONE: Unblocked.WAS_NOT_BLOCKED,
            Block.COMPLAINT: Unblocked.COMPLAINT,
            Block.OTHER: Unblocked.OTHER,
        }[block]
    found.take_off(connection, address)
    return Unblocked.DONE if found.look(connection, address) == Block.NONE else Unblocked.STILL_BLOCKED
