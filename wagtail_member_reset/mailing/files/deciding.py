"""Which of several accounts a line means: by a username, a number or a name that stands in it."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from dataclasses import dataclass
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import CharField, Field, IntegerField

from ...accounts import Member, comparable

LONGEST_NAME = 100
WORDS = re.compile(r"[^\W_]+")
# Fields of a user model that hold a person's number, by what is in their name.
NUMBERS = frozenset({"number", "nummer", "no", "nr", "num", "id", "uid"})


@dataclass(frozen=True)
class Line:
    """What a line says: its cells, and which of them are names of people, and numbers of members."""

    texts: list[str]
    names: list[str]
    numbers: list[str]

    def keys(self) -> set[str]:
        """Of all cells; but a number that is no member's may be anything."""
        return {key for text in self.texts if not (key := key_of(text)).isdecimal()} | set(map(key_of, self.numbers))


def decided(
    candidates: list[Member], line: Line, *, set_apart: Container[Any] = (), needs_full_name: bool = False
) -> Member | None:
    """
    The one account that the line means; None where nothing in it decides, or what it says disagrees.

    With `needs_full_name`, a first name by itself decides nothing. One word decides for none of the accounts
    `set_apart` (by primary key), unless it stands where a name does: roles read like their usernames and names.
    """
    keys, names = line.keys(), set(map(key_of, line.names))
    plain = [member for member in candidates if not (member.pk in set_apart and member.get_username().isalpha())]
    exact = [
        member for member in plain if member.get_username() in line.texts and key_of(member.get_username()) in keys
    ]
    by_username = exact or [member for member in plain if key_of(member.get_username()) in keys]
    numbers = set(map(key_of, line.numbers))
    by_number = [member for member in candidates if numbers and numbers & numbers_of(member)]
    words = [set(_words(text)) for text in line.texts]
    by_name = [member for member in candidates if _has_full_name(member, words, keys)]
    answers = [answer for answer in (by_username, by_number, by_name) if answer]
    if not answers and not needs_full_name:
        firsts = ((member, names if member.pk in set_apart else keys) for member in candidates)
        answers = [[member for member, there in firsts if key_of(_part(member, "first_name")) in there]]
    agreed = [member for member in candidates if answers and all(member in answer for answer in answers)]
    return agreed[0] if len(agreed) == 1 else None


def names_another(line: Line, member: Member, others: Iterable[Member]) -> bool:
    """Whether a line has the name of somebody else than this member: one of these others, or who has no account."""
    keys, first = line.keys(), key_of(_part(member, "first_name"))
    said = {word for text in line.names for word in _words(text)}
    fits = _fits(said, member)
    for other in others:
        if key_of(other.get_username()) in keys or key_of(_part(other, "first_name")) in keys - {first, ""}:
            return True
        is_namesake = set(_words(_whole_name(other))) == set(_words(_whole_name(member)))
        if said and not is_namesake and _fits(said, other) >= fits:
            return True
    return bool(said) and not fits


def _fits(said: set[str], member: Member) -> int:
    """How many of these words are in a member's name, or begin a word of it."""
    own = _words(f"{_whole_name(member)} {member.get_username().partition('@')[0]}")
    return sum(any(word.startswith(each) for word in own) for each in said)


def _has_full_name(member: Member, words: list[set[str]], keys: set[str]) -> bool:
    """Whether the first and the last name stand in one cell, with at most a title more, or in a cell each."""
    first, last = key_of(_part(member, "first_name")), key_of(_part(member, "last_name"))
    if first and last and first in keys and last in keys:
        return True
    name = set(_words(f"{first} {last}" if first or last else _whole_name(member)))
    return len(name) > 1 and any(name <= cell and len(cell) <= len(name) + 2 for cell in words)


def _whole_name(member: Member) -> str:
    whole = getattr(member, "get_full_name", None)
    return str(whole() or "") if whole else str(getattr(member, "name", "") or "")


def _part(member: Member, name: str) -> str:
    return str(getattr(member, name, "") or "")


def numbers_of(member: Member) -> set[str]:
    """A member's numbers, and the username, which may be one."""
    values = {member.get_username(), *(str(getattr(member, name) or "") for name in _number_fields())}
    return {key_of(str(value)) for value in values} - {""}


def _number_fields() -> Iterable[str]:
    for field in get_user_model()._meta.concrete_fields:
        if not isinstance(field, CharField | IntegerField) or field.primary_key or field.is_relation or field.choices:
            continue
        if field.name not in ("password", get_user_model().get_email_field_name()) and _is_number(field):
            yield field.name


def _is_number(field: Field[Any, Any]) -> bool:
    return field.unique or not NUMBERS.isdisjoint(field.name.split("_"))


def key_of(text: str) -> str:
    key = comparable(text.strip()[:LONGEST_NAME])
    # Spreadsheets take the zeros off the front of numbers.
    return key.lstrip("0") or key if key.isdecimal() else key


def _words(text: str) -> list[str]:
    return WORDS.findall(comparable(text))
