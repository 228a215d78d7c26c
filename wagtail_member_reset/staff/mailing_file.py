"""In the preview of a draft: what was read of its file, and what staff can say about that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as _
from wagtail.admin.utils import get_user_display_name

from .. import mailings
from ..accounts import Member, address_of, but_for
from ..mailing import SLICE, UNKNOWN_ENCODING, Note, choice_from_json
from ..models import Mailing, MailingColumn, MailingFile, MailingState
from . import permissions
from .mailing_forms import FileChoiceForm

SHOWN_LINES = 10
SHOWN_PEOPLE = 5
SHOWN_NOTES = 20


@dataclass(frozen=True, kw_only=True)
class FileReport:
    """
    For the template. `chosen` is among the `columns`.

    `unclear` has the first lines that may mean several accounts, with their names; `held` the first of those who are
    held back and within reach of who asks, of `held_count`.
    """

    file: MailingFile
    columns: list[MailingColumn]
    chosen: MailingColumn
    unclear: list[tuple[int, str, list[str]]]
    held: list[str]
    held_count: int
    notes: list[str]
    each: bool
    admins: bool

    @property
    def encoding(self) -> str:
        return "" if self.file.is_encoding_known else str(UNKNOWN_ENCODING)

    @property
    def can_change(self) -> bool:
        return len(self.columns) > 1 or bool(self.unclear or self.held_count)


def report(request: HttpRequest, mailing: Mailing) -> FileReport | None:
    """None for what is no draft of a file."""
    file = MailingFile.objects.filter(mailing=mailing.pk).first() if mailing.pk else None
    if file is None:
        return None
    choice = choice_from_json(mailing.choice)
    light = file.columns.only("number", "name", "beside", "samples", "people", "file")
    chosen = file.columns.get(number=choice.column)
    lines = chosen.unclear[:SHOWN_LINES]
    named = _named(request, (key for _line, _text, keys in lines for key in keys))
    held = [*chosen.held, *(chosen.unclear_held if choice.each else ())]
    reachable = _reachable(request, held[:SLICE])
    return FileReport(
        file=file,
        columns=list(light),
        chosen=chosen,
        unclear=[(line, text, [named[str(key)] for key in keys if str(key) in named]) for line, text, keys in lines],
        held=[_name(member) for member in reachable.order_by("pk")[:SHOWN_PEOPLE]],
        held_count=reachable.count(),
        notes=[Note(note).at(line) for line, note in file.notes[:SHOWN_NOTES]],
        each=choice.each,
        admins=choice.admins,
    )


class Said(Enum):
    """What the form in the preview came to."""

    UNCHANGED = "unchanged"
    CHANGED = "changed"
    WRONG = "wrong"


def write_down(request: HttpRequest, mailing: Mailing) -> Said:
    """Change whom a draft means, as the form says. What is no draft of a file has nothing to change."""
    if mailing.state != MailingState.DRAFT or not MailingFile.objects.filter(mailing=mailing.pk).exists():
        return Said.UNCHANGED
    form = FileChoiceForm(request.POST)
    if not form.is_valid():
        return Said.WRONG
    choice, said = choice_from_json(mailing.choice), form.cleaned_data
    if (choice.column, choice.each, choice.admins) == (said["column"], said["each"], said["admins"]):
        return Said.UNCHANGED
    return Said.CHANGED if mailings.choose(mailing, **said) else Said.WRONG


def _reachable(request: HttpRequest, keys: Iterable[Any]) -> QuerySet[Any]:
    """Of these accounts, those that who asks may mail, and may know about."""
    accounts = get_user_model()._default_manager.filter(pk__in=set(keys))
    return but_for(accounts, permissions.beyond(request.user))


def _named(request: HttpRequest, keys: Iterable[Any]) -> dict[str, str]:
    return {str(member.pk): _name(member) for member in _reachable(request, keys)}


def _name(member: Member) -> str:
    """With the username, where that says more: people who share an address may share a name."""
    name, username = str(get_user_display_name(member)), member.get_username()
    if username in (name, address_of(member)):
        return name
    return _("%(name)s (%(username)s)") % {"name": name, "username": username}
