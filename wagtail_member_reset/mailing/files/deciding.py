"""Which of several accounts a line means: by a username, a number or a name that stands in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import CharField, Field, IntegerField

from ...accounts import Member, comparable

MOST_CELLS = 100
LONGEST_NAME = 100
# Fields of a user model that hold a person's number, by what is in their name.
NUMBERS = frozenset({"number", "nummer", "no", "nr", "num", "id", "uid"})


def decided(candidates: list[Member], cells: list[str], *, needs_full_name: bool) -> Member | None:
    """
    The one account that the line means; None where nothing in it decides.

    With `needs_full_name`, a first name by itself decides nothing.
    """
    texts = [text for cell in cells[:MOST_CELLS] if (text := cell.strip().strip("'")) and len(text) <= LONGEST_NAME]
    keys = {_key(text) for text in texts}
    exact = [member for member in candidates if member.get_username() in texts]
    if len(exact) == 1:
        return exact[0]
    by_number = [member for member in candidates if keys & _numbers(member)]
    if by_number:
        return by_number[0] if len(by_number) == 1 else None
    return _by_name(candidates, texts, keys, needs_full_name=needs_full_name)


def _by_name(candidates: list[Member], texts: list[str], keys: set[str], *, needs_full_name: bool) -> Member | None:
    words = [set(_words(text)) for text in texts]
    full = [member for member in candidates if _has_full_name(member, words, keys)]
    if full or needs_full_name:
        return full[0] if len(full) == 1 else None
    first = [member for member in candidates if _key(_part(member, "first_name")) in keys]
    return first[0] if len(first) == 1 else None


def _has_full_name(member: Member, words: list[set[str]], keys: set[str]) -> bool:
    """Whether the first and the last name stand in one cell, with at most a title more, or in a cell each."""
    first, last = _key(_part(member, "first_name")), _key(_part(member, "last_name"))
    if first and last and first in keys and last in keys:
        return True
    name = set(_words(f"{first} {last}" if first or last else _whole_name(member)))
    return len(name) > 1 and any(name <= cell and len(cell) <= len(name) + 2 for cell in words)


def _whole_name(member: Member) -> str:
    whole = getattr(member, "get_full_name", None)
    return str(whole() or "") if whole else str(getattr(member, "name", "") or "")


def _part(member: Member, name: str) -> str:
    return str(getattr(member, name, "") or "")


def _numbers(member: Member) -> set[str]:
    values = {member.get_username(), *(str(getattr(member, name) or "") for name in _number_fields())}
    return {_key(str(value)) for value in values} - {""}


def _number_fields() -> Iterable[str]:
    for field in get_user_model()._meta.concrete_fields:
        if not isinstance(field, CharField | IntegerField) or field.primary_key or field.is_relation or field.choices:
            continue
        if field.name not in ("password", get_user_model().get_email_field_name()) and _is_number(field):
            yield field.name


def _is_number(field: Field[Any, Any]) -> bool:
    return field.unique or not NUMBERS.isdisjoint(field.name.split("_"))


def _key(text: str) -> str:
    key = comparable(text.strip()[:LONGEST_NAME])
    # Spreadsheets take the zeros off the front of numbers.
    return key.lstrip("0") or key if key.isdecimal() else key


def _words(text: str) -> list[str]:
    return "".join(letter if letter.isalnum() else " " for letter in comparable(text)).split()
