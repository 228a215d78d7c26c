"""https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/bounces: one list for each reason."""

from __future__ import annotations

from email.utils import parseaddr
from typing import Any

from django.conf import settings

from .api import call, in_path, is_about
from .block_list import Block, BlockList, BlockListError, Trouble

# Complaints first: an address may stand on several.
LISTS = (("complaints", Block.COMPLAINT), ("unsubscribes", Block.OTHER), ("bounces", Block.BOUNCE))


def look(connection: Any, address: str) -> Block:
    return next((block for name, block in LISTS if _stands_on(name, connection, address)), Block.NONE)


def take_off(connection: Any, address: str) -> None:
    path = f"{_domain(connection)}/bounces/{in_path(address)}"
    call(connection, "DELETE", path, expected=(200, 404), auth=_auth(connection))


def _stands_on(name: str, connection: Any, address: str) -> bool:
    path = f"{_domain(connection)}/{name}/{in_path(address)}"
    status, body = call(connection, "GET", path, expected=(200, 404), auth=_auth(connection))
    said = body if isinstance(body, dict) else {}
    if status == 200 and is_about(said, address, key="address"):
        return True
    # A 404 is also how it says that it does not know the domain.
    if status == 404 and str(said.get("message", "")).lower().startswith("address not found"):
        return False
    raise BlockListError(Trouble.NOT_UNDERSTOOD)


def _domain(connection: Any) -> str:
    domain = connection.sender_domain or parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2]
    return in_path(str(domain))


def _auth(connection: Any) -> tuple[str, str]:
    return "api", str(connection.api_key)


BLOCK_LIST = BlockList(look, take_off)
