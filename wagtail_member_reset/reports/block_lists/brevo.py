"""https://developers.brevo.com/reference/get-transac-blocked-contacts: read page by page."""

from __future__ import annotations

from typing import Any

from .api import call, in_path, is_about, rows
from .block_list import Block, BlockList, BlockListError, Trouble

PAGE, MOST_PAGES = 100, 10
REASONS = {"hardBounce": Block.BOUNCE, "contactFlaggedAsSpam": Block.COMPLAINT}


def look(connection: Any, address: str) -> Block:
    for page in range(MOST_PAGES):
        asked = {"limit": PAGE, "offset": page * PAGE, "sort": "desc"}
        answer = call(connection, "GET", "smtp/blockedContacts", params=asked, headers=_headers(connection))
        # Without blocked contacts, the answer is an empty object.
        found = rows(answer.body, "contacts") if answer.body != {} else []
        reasons = [_reason(row) for row in found if is_about(row, address, key="email")]
        if reasons:
            return next((each for each in (Block.COMPLAINT, Block.OTHER) if each in reasons), Block.BOUNCE)
        if len(found) < PAGE:
            return Block.NONE
    raise BlockListError(Trouble.TOO_LONG)


def take_off(connection: Any, address: str) -> None:
    path = f"smtp/blockedContacts/{in_path(address)}"
    call(connection, "DELETE", path, expected=(204, 404), headers=_headers(connection))


def _reason(row: dict[str, Any]) -> Block:
    reason = row.get("reason")
    return REASONS.get(str(reason.get("code", "")) if isinstance(reason, dict) else "", Block.OTHER)


def _headers(connection: Any) -> dict[str, str]:
    return {"Accept": "application/json", "api-key": connection.api_key}


BLOCK_LIST = BlockList(look, take_off)
