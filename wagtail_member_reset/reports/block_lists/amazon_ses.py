"""https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_GetSuppressedDestination.html: the account's own list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .block_list import Block, BlockList, BlockListError, Trouble

REASONS = {"BOUNCE": Block.BOUNCE, "COMPLAINT": Block.COMPLAINT}


def look(connection: Any, address: str) -> Block:
    answer = _call(connection, "get_suppressed_destination", address)
    if answer is None:
        return Block.NONE
    found = answer.get("SuppressedDestination")
    if not isinstance(found, Mapping):
        raise BlockListError(Trouble.NOT_UNDERSTOOD)
    return REASONS.get(str(found.get("Reason", "")), Block.OTHER)


def take_off(connection: Any, address: str) -> None:
    _call(connection, "delete_suppressed_destination", address)


def _call(connection: Any, name: str, address: str) -> Mapping[str, Any] | None:
    """None where the address is not on the list."""
    opened = connection.open()
    try:
        answer: Mapping[str, Any] = getattr(connection.client, name)(EmailAddress=address)
    except Exception as error:  # boto3's, which is there only with Amazon SES
        code = _code(error)
        if code == "NotFoundException":
            return None
        is_denied = code.startswith(("AccessDenied", "Unrecognized", "InvalidClientToken", "Signature", "ExpiredToken"))
        raise BlockListError(Trouble.DENIED if is_denied else Trouble.NO_ANSWER) from error
    finally:
        if opened:
            connection.close()
    return answer


def _code(error: Exception) -> str:
    response = getattr(error, "response", None)
    said = response.get("Error", {}) if isinstance(response, Mapping) else {}
    return str(said.get("Code", "")) if isinstance(said, Mapping) else ""


BLOCK_LIST = BlockList(look, take_off)
