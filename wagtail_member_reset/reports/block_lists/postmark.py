"""https://postmarkapp.com/developer/api/suppressions-api"""

from __future__ import annotations

from typing import Any

from .api import call, is_about, rows
from .block_list import Block, BlockList

REASONS = {"HardBounce": Block.BOUNCE, "SpamComplaint": Block.COMPLAINT}


def look(connection: Any, address: str) -> Block:
    answer = call(
        connection,
        "GET",
        f"{_stream(connection)}/suppressions/dump",
        params={"EmailAddress": address},
        headers=_headers(connection),
    )
    found = rows(answer.body, "Suppressions")
    reasons = {REASONS.get(str(row.get("SuppressionReason", "")), Block.OTHER) for row in found if _is(row, address)}
    return next((each for each in (Block.COMPLAINT, Block.OTHER, Block.BOUNCE) if each in reasons), Block.NONE)


def take_off(connection: Any, address: str) -> None:
    wanted = {"Suppressions": [{"EmailAddress": address}]}
    path = f"{_stream(connection)}/suppressions/delete"
    call(connection, "POST", path, json=wanted, headers=_headers(connection))


def _is(row: dict[str, Any], address: str) -> bool:
    return is_about(row, address, key="EmailAddress")


def _stream(connection: Any) -> str:
    return f"message-streams/{connection.message_stream or 'outbound'}"


def _headers(connection: Any) -> dict[str, str]:
    return {"Accept": "application/json", "X-Postmark-Server-Token": connection.server_token}


BLOCK_LIST = BlockList(look, take_off)
