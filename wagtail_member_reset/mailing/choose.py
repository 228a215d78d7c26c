"""
Who is chosen for a mailing: a choice in plain data, and the members whom it means now.

A choice is kept with the mailing as JSON, without names and addresses. What people chose by hand or in a
file is kept by primary keys.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from .. import db
from ..accounts import but_for, has_not_got_in, is_superuser, keeps_last_login, manages_users
from ..exceptions import ChoiceError
from ..models import EmailState, ResetEmail

# Keys in one statement: SQLite takes 32,766 at most where nobody has set it otherwise.
SLICE = 10_000


class Kind(str, Enum):
    """How members can be chosen."""

    NEVER_SIGNED_IN = "never_signed_in"
    GROUPS = "groups"
    IDS = "ids"
    FILE = "file"
    LISTING = "listing"
    MAILING = "mailing"
    ALL = "all"


class Source(str, Enum):
    """Where people were chosen one by one."""

    LISTING = "listing"
    NEEDS_HELP = "needs_help"
    COMMAND = "command"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """How members were chosen. `ids` are their primary keys, where that is what was chosen."""

    kind: Kind
    groups: tuple[int, ...] = ()
    ids: tuple[Any, ...] = ()
    source: Source | None = None
    # The query string of the user listing, as it stood when all in it were chosen.
    query: str = ""
    # In a file: the number of the column that says who is meant; whether all are mailed whom a line may mean; and
    # whether superusers and people who may manage users are.
    column: int = 0
    each: bool = False
    admins: bool = False
    # An earlier mailing: of those whom it mailed, those who have not got in yet; or that whose rest the `ids` are.
    mailing: int | None = None
    # The first of the mailings of which this is the rest, or the rest of a rest. See `mailing.rest`.
    rest_of: int | None = None
    # Goes on from a mailing of a file that held back superusers and people who may manage users.
    held_back: bool = False

    def as_json(self) -> dict[str, Any]:
        chosen: dict[str, Any] = {"kind": self.kind.value}
        if self.kind == Kind.GROUPS:
            chosen["groups"] = list(self.groups)
        if self.kind == Kind.LISTING:
            chosen["query"] = self.query
        if self.kind == Kind.MAILING:
            chosen["mailing"] = self.mailing
        if self.kind in (Kind.IDS, Kind.FILE):
            chosen["ids"] = plain_keys(self.ids)
        if self.kind == Kind.FILE:
            chosen |= {"column": self.column, "each": self.each, "admins": self.admins}
        if self.source:
            chosen["source"] = self.source.value
        if self.rest_of:
            chosen |= {"mailing": self.mailing, "rest_of": self.rest_of}
        if self.held_back:
            chosen["held_back"] = True
        return chosen


def plain_keys(keys: Iterable[Any]) -> list[int | str]:
    """Primary keys as JSON has them."""
    return [key if isinstance(key, int) else str(key) for key in keys]


def choice_from_json(chosen: dict[str, Any]) -> Choice:
    return Choice(
        kind=Kind(chosen["kind"]),
        groups=tuple(chosen.get("groups", ())),
        ids=tuple(chosen.get("ids", ())),
        source=Source(chosen["source"]) if "source" in chosen else None,
        query=chosen.get("query", ""),
        column=chosen.get("column", 0),
        each=chosen.get("each", False),
        admins=chosen.get("admins", False),
        mailing=chosen.get("mailing"),
        rest_of=chosen.get("rest_of"),
        held_back=chosen.get("held_back", False),
    )


def holds_back_admins(chosen: dict[str, Any]) -> bool:
    """
    Whether what was chosen leaves out superusers and people who may manage users. `chosen` is a mailing's `choice`.

    A file means them only where that was asked for, and so does what goes on from a mailing of one.
    """
    return bool(chosen.get("held_back") or (chosen["kind"] == Kind.FILE.value and not chosen.get("admins")))


def out_of_reach(chosen: dict[str, Any], beyond: Q | None) -> Q | None:
    """Accounts that were not chosen whatever they were at first, beside those `beyond` who asks."""
    if not holds_back_admins(chosen):
        return beyond
    held = is_superuser() | manages_users()
    return held if beyond is None else beyond | held


def in_groups(names: Iterable[str]) -> Choice:
    """The members of the named groups. Raises `ChoiceError` for a name that no group has."""
    names = list(dict.fromkeys(names))
    found = dict(Group.objects.filter(name__in=names).values_list("name", "pk"))
    if missing := [name for name in names if name not in found]:
        raise ChoiceError(f"No group is called {missing[0]!r}. There is {_known_groups()}.")
    return Choice(kind=Kind.GROUPS, groups=tuple(found[name] for name in names))


def with_ids(keys: Iterable[str], *, source: Source | None = None) -> Choice:
    """The members with these primary keys. Raises `ChoiceError` for what cannot be one."""
    primary_key = get_user_model()._meta.pk
    found: dict[Any, None] = {}  # "5" and "05" are one
    for key in keys:
        try:
            value = primary_key.to_python(key)
            primary_key.run_validators(value)
            found[value] = None
        except (ValidationError, ValueError) as error:
            raise ChoiceError(f"{key!r} is no id of an account.") from error
    return Choice(kind=Kind.IDS, ids=tuple(found), source=source)


def chosen_accounts(choice: Choice, listing: QuerySet[Any] | None = None) -> Iterator[QuerySet[Any]]:
    """
    The members chosen, as accounts: in one query, or in slices where their keys were given.

    Raises `ChoiceError` for what cannot be chosen here.
    """
    accounts = get_user_model()._default_manager
    if choice.kind in (Kind.IDS, Kind.FILE):
        for part in db.parts(choice.ids, SLICE):
            yield accounts.filter(pk__in=part)
    elif choice.kind == Kind.NEVER_SIGNED_IN:
        yield accounts.filter(_not_in_yet())
    elif choice.kind == Kind.MAILING:
        # Whom that mailing passed over was not mailed by it, so there is nothing to send again.
        mailed = ResetEmail.objects.filter(mailing=choice.mailing, state=EmailState.HANDED_OVER)
        yield accounts.filter(_not_in_yet(), pk__in=mailed.values("member"))
    elif choice.kind == Kind.GROUPS:
        yield accounts.filter(pk__in=accounts.filter(groups__in=choice.groups).order_by().values("pk"))
    elif choice.kind == Kind.LISTING:
        if listing is None:
            raise ChoiceError("What was chosen in the listing of users can be sent from the admin alone.")
        yield accounts.filter(pk__in=listing.order_by().values("pk"))
    else:
        yield accounts.all()


def chosen_within(choice: Choice, listing: QuerySet[Any] | None, hidden: Q | None) -> Iterator[QuerySet[Any]]:
    """The same, but for those `hidden` from who asks, so that no number tells of them."""
    for accounts in chosen_accounts(choice, listing):
        yield but_for(accounts, hidden)


def count_gone(choice: Choice, hidden: Q | None, *, there: int) -> int:
    """How many of the keys chosen are no account's any more; `there` are the others, without those hidden."""
    unsaid = 0 if hidden is None else sum(accounts.filter(hidden).count() for accounts in chosen_accounts(choice))
    return len(choice.ids) - there - unsaid


def in_mixed_order(choice: Choice, *, listing: QuerySet[Any] | None, beyond: Q | None) -> Iterator[Any]:
    """
    The primary keys of the members chosen, but for those `beyond`, in an order that says nothing of them.

    In that of their keys, the oldest accounts went first, whose addresses are the worst.
    """
    mixed = replace(choice, ids=tuple(random.sample(choice.ids, len(choice.ids))))
    for accounts in chosen_within(mixed, listing, beyond):
        yield from accounts.order_by("?").values_list("pk", flat=True).iterator(chunk_size=SLICE)


def _not_in_yet() -> Q:
    if not keeps_last_login(get_user_model()):
        raise ChoiceError(
            _(
                "This site does not record who has signed in (last_login)."
                " Choose the members of groups or a file instead."
            )
        )
    return has_not_got_in()


def _known_groups() -> str:
    names = list(Group.objects.order_by("name").values_list("name", flat=True)[:20])
    return ", ".join(repr(name) for name in names) or "no group yet"
