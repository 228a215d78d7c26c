"""What accounts are called, for those of which a line may mean one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AbstractUser
from django.db.models import CharField, Field, IntegerField

from ...accounts import Member, comparable
from ..choose import SLICE
from .people import People

LONGEST_NAME = 100
# Accounts that are kept, so that a file with the same people again and again does not read them again and again.
MOST_KEPT = 100_000
WORDS = re.compile(r"[^\W_]+")
# Fields of a user model that hold a person's number, by what is in their name.
NUMBERS = frozenset({"number", "nummer", "no", "nr", "num", "id", "uid"})


@dataclass(frozen=True, slots=True)
class Person:
    """
    An account, with its names as they are compared.

    `name` has the words of the full name. `numbers` are those of a member, with the username, which may be one.
    """

    username: str
    username_key: str
    first: str
    last: str
    whole: str
    name: tuple[str, ...]
    numbers: tuple[str, ...]

    def words(self) -> list[str]:
        """All words of the name and of the username."""
        return words_of(f"{self.whole} {self.username.partition('@')[0]}")


class Persons:
    """Accounts by their number, read when a line asks for them."""

    def __init__(self, people: People) -> None:
        self._people = people
        self._kept: dict[int, Person] = {}

    def of(self, numbers: set[int]) -> dict[int, Person]:
        """These accounts, but for those that are gone. They stay until the next call."""
        # Not by the difference of sets, which walks through all that are kept.
        wanted = sorted(number for number in numbers if number not in self._kept)
        if len(self._kept) + len(wanted) > MOST_KEPT:
            self._kept, wanted = {}, sorted(numbers)
        for start in range(0, len(wanted), SLICE):
            self._kept.update(self._read(wanted[start : start + SLICE]))
        return self._kept

    def _read(self, numbers: list[int]) -> Iterator[tuple[int, Person]]:
        number_of = {self._people.keys[number]: number for number in numbers}
        accounts = get_user_model()._default_manager.filter(pk__in=list(number_of))
        if not self._has_plain_names:
            for member in accounts:
                yield number_of[member.pk], _person_of(member)
            return
        # Without an object for each, which costs more than all the rest.
        username, names, others = self._fields
        for key, name, *values in accounts.values_list("pk", username, *names, *others):
            first, last = (str(value or "") for value in values[:2])
            yield number_of[key], _person(str(name), first, last, f"{first} {last}", values[2:])

    @cached_property
    def _has_plain_names(self) -> bool:
        """Whether the user model computes none of its names."""
        model = get_user_model()
        is_plain = issubclass(model, AbstractUser) and model.get_full_name is AbstractUser.get_full_name
        names = (model.USERNAME_FIELD, "first_name", "last_name")
        columns = {field.name for field in model._meta.concrete_fields}
        return is_plain and model.get_username is AbstractBaseUser.get_username and columns.issuperset(names)

    @cached_property
    def _fields(self) -> tuple[str, tuple[str, str], tuple[str, ...]]:
        model = get_user_model()
        given = (model.USERNAME_FIELD, "first_name", "last_name")
        # Each once: some versions of Django give a column that is named twice only one place.
        return given[0], given[1:], tuple(name for name in _number_fields() if name not in given)


def key_of(text: str) -> str:
    text = text.strip()[:LONGEST_NAME]
    key = text.lower() if text.isascii() else comparable(text)
    # Spreadsheets take the zeros off the front of numbers.
    return key.lstrip("0") or key if key.isdecimal() else key


def words_of(text: str) -> list[str]:
    return WORDS.findall(comparable(text))


def _person_of(member: Member) -> Person:
    numbers = [getattr(member, name) for name in _number_fields()]
    first, last = (str(getattr(member, name, "") or "") for name in ("first_name", "last_name"))
    return _person(member.get_username(), first, last, _whole_name(member), numbers)


def _person(username: str, first: str, last: str, whole: str, numbers: Iterable[Any]) -> Person:
    first, last, key = key_of(first), key_of(last), key_of(username)
    own = {key, *(key_of(str(number or "")) for number in numbers)} - {""}
    name = dict.fromkeys(words_of(f"{first} {last}" if first or last else whole))
    return Person(username, key, first, last, whole, tuple(name), tuple(own))


def _whole_name(member: Member) -> str:
    whole = getattr(member, "get_full_name", None)
    return str(whole() or "") if whole else str(getattr(member, "name", "") or "")


def _number_fields() -> Iterable[str]:
    for field in get_user_model()._meta.concrete_fields:
        if not isinstance(field, CharField | IntegerField) or field.primary_key or field.is_relation or field.choices:
            continue
        if field.name not in ("password", get_user_model().get_email_field_name()) and _is_number(field):
            yield field.name


def _is_number(field: Field[Any, Any]) -> bool:
    return field.unique or not NUMBERS.isdisjoint(field.name.split("_"))
