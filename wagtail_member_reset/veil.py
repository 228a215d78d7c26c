"""Text with a link in it, on its way through templates that may log what they were given."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, repr=False)
class Veiled:
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
        return "<Veiled>"
