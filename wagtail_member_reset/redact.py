"""Text with a link in it, on its way through what may log or report it: templates, and error trackers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from . import tokens

# What follows a link's path, if it was cut or spelt in another way.
LINK_ENDING = re.compile(r"(?<=/r/)[^\s…]\S*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, repr=False)
class Redacted:
    """
    Text for a template that no log and no error report quotes.

    Django's templates log at DEBUG what they cannot find, with all that they were given, and services
    such as Sentry keep the variables of a failed call: both see this by its representation.
    Markup that is safe stays safe.
    """

    text: str

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return "<Redacted>"


def without_links(event: dict[str, Any], hint: Any = None) -> dict[str, Any]:
    """
    An error report without the personal links in it, for Sentry's `before_send` and `before_send_transaction`.

    The address of the request that opens a link is one, whatever this package does. What only looks
    like a token, such as the hash of a release, stays.
    """
    return {key: _blanked(value) for key, value in event.items()}


def _blanked(value: Any) -> Any:
    if isinstance(value, str):
        return LINK_ENDING.sub("…", tokens.blank_out_readable(value))
    if isinstance(value, Mapping):
        return {_blanked(key): _blanked(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_blanked(item) for item in value]
    return value
