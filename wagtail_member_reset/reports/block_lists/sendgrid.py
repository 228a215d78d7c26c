"""https://www.twilio.com/docs/sendgrid/api-reference/bounces-api: one list for each reason."""

from __future__ import annotations

from typing import Any

from .api import call, in_path, is_about, rows
from .block_list import Block, BlockList

# Complaints first: an address may stand on several.
LISTS = (("spam_reports", Block.COMPLAINT), ("bounces", Block.BOUNCE))


def look(connection: Any, address: str) -> Block:
    for name, block in LISTS:
        answer = call(connection, "GET", f"suppression/{name}/{in_path(address)}", headers=_headers(connection))
        if any(is_about(row, address, key="email") for row in rows(answer.body)):
            return block
    return Block.NONE


def take_off(connection: Any, address: str) -> None:
    path = f"suppression/bounces/{in_path(address)}"
    call(connection, "DELETE", path, expected=(200, 204, 404), headers=_headers(connection))


def _headers(connection: Any) -> dict[str, str]:
    return {"Accept": "application/json", "Authorization": f"Bearer {connection.api_key}"}


BLOCK_LIST = BlockList(look, take_off)
