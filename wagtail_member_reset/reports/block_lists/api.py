"""One call of a service's HTTP API, as Anymail's connection to it is configured."""

from __future__ import annotations

import json
import time
from functools import partial
from typing import Any, NamedTuple
from urllib.parse import quote

import requests

from .block_list import BlockListError, Trouble

# Somebody waits for the answer.
LONGEST_WAIT = 10.0
MOST_BYTES = 1_000_000
PART = 65_536


class Answer(NamedTuple):
    status: int
    body: Any
    """What the JSON says; None where there is none."""


def call(connection: Any, method: str, path: str, *, expected: tuple[int, ...] = (200,), **options: Any) -> Answer:
    """
    Ask the service. `path` begins after the API's address.

    Raises `BlockListError` for every status but the `expected` ones. What the service says is never quoted, and
    nobody is followed elsewhere with the site's key.
    """
    url = str(connection.api_url).rstrip("/") + "/" + path.lstrip("/")
    wait = _wait(connection)
    ends_at = time.monotonic() + wait
    try:
        with requests.request(method, url, timeout=wait, allow_redirects=False, stream=True, **options) as response:
            status, text = response.status_code, _text(response, ends_at)
    except BlockListError:
        raise
    except Exception as error:  # of requests, of urllib3 while reading, or of a wrong address
        raise BlockListError(Trouble.NO_ANSWER) from error
    if status in (401, 403):
        raise BlockListError(Trouble.DENIED)
    if status not in expected:
        raise BlockListError(Trouble.NO_ANSWER if status >= 500 or status == 429 else Trouble.NOT_UNDERSTOOD)
    if len(text) > MOST_BYTES:
        raise BlockListError(Trouble.NOT_UNDERSTOOD)
    return Answer(status, _read(text))


def _text(response: requests.Response, ends_at: float) -> bytes:
    """The answer, or a little more than we read of any. The limit of `requests` is for each part, and this for all."""
    raw, text = response.raw, bytearray()
    # What has come. Without urllib3 2, any larger part is waited for until it is complete.
    read = partial(raw.read1, PART) if hasattr(raw, "read1") else partial(raw.read, 1)
    while len(text) <= MOST_BYTES and (part := read(decode_content=True)):
        text += part
        if time.monotonic() > ends_at:
            raise BlockListError(Trouble.NO_ANSWER)
    return bytes(text)


def in_path(address: str) -> str:
    """An address as a part of a path."""
    return quote(address, safe="")


def rows(found: Any, *keys: str) -> list[dict[str, Any]]:
    """The list of objects that stands there. Raises `BlockListError` where something else does."""
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise BlockListError(Trouble.NOT_UNDERSTOOD)
    return found


def is_about(row: dict[str, Any], address: str, *, key: str) -> bool:
    return str(row.get(key, "")).lower() == address.lower()


def _wait(connection: Any) -> float:
    seconds = getattr(connection, "timeout", None)
    return min(float(seconds), LONGEST_WAIT) if isinstance(seconds, int | float) and seconds > 0 else LONGEST_WAIT


def _read(text: bytes) -> Any:
    try:
        return json.loads(text) if text.strip() else None
    except (ValueError, RecursionError):
        return None
