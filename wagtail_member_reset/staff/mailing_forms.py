"""The form for a new mailing."""

from __future__ import annotations

from typing import Any, BinaryIO

from django import forms
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .. import outbox
from ..exceptions import ChoiceError
from ..mailing import LONG, LONGEST_FILE, Choice, FileReading, Kind, file_choice, problems_of, read_file
from .mailing_details import DetailsForm


class GroupsField(forms.ModelMultipleChoiceField):  # type: ignore[type-arg]
    def clean(self, value: Any) -> Any:
        try:
            return super().clean(value)
        except OverflowError as error:  # SQLite has no number that large, so no group has it
            raise ValidationError(
                self.error_messages["invalid_pk_value"], code="invalid_pk_value", params={"pk": ""}
            ) from error


class ChoiceForm(DetailsForm):
    """Who gets an email, and the details. A valid one has a `choice`, and for a file a `reading` or a long `upload`."""

    kind = forms.ChoiceField(
        label=_("Who gets an email"),
        choices=[
            (
                Kind.NEVER_SIGNED_IN.value,
                _("Everybody who has not got in yet: never signed in, and no password set by a link"),
            ),
            (Kind.GROUPS.value, _("Members of groups")),
            (Kind.FILE.value, _("People in a file")),
        ],
        initial=Kind.NEVER_SIGNED_IN.value,
        widget=forms.RadioSelect,
    )
    groups = GroupsField(
        label=_("Groups"), queryset=Group.objects.order_by("name"), required=False, widget=forms.CheckboxSelectMultiple
    )
    file = forms.FileField(
        label=_("CSV file"),
        required=False,
        help_text=_(
            "One person per line, by email address or username; or a list of addresses. The preview shows which column "
            "was used, and lets you change it."
        ),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv"}),
    )
    field_order = ["name", "kind", "groups", "file"]

    # The accounts of which a file tells the reader nothing.
    hidden: Q | None = None
    choice: Choice
    reading: FileReading | None = None
    upload: BinaryIO | None = None

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        kind = cleaned.get("kind")
        if kind == Kind.GROUPS.value:
            self._choose_groups(cleaned)
        elif kind == Kind.FILE.value:
            self._choose_file(cleaned)
        else:
            self.choice = Choice(kind=Kind.NEVER_SIGNED_IN)
        return cleaned

    def _choose_groups(self, cleaned: dict[str, Any]) -> None:
        if not cleaned.get("groups"):
            self.add_error("groups", _("Choose at least one group."))
            return
        self.choice = Choice(kind=Kind.GROUPS, groups=tuple(group.pk for group in cleaned["groups"]))

    def _choose_file(self, cleaned: dict[str, Any]) -> None:
        file = cleaned.get("file")
        if not file:
            self.add_error("file", _("Choose a file."))
            return
        # The command alone may come in hours: then the request reads it.
        if LONG < file.size <= LONGEST_FILE and outbox.works_by_itself():
            self.choice, self.upload = Choice(kind=Kind.FILE), file.file
            return
        try:
            reading = read_file(file.file, hidden=self.hidden)
        except ChoiceError as error:
            self.add_error("file", str(error))
            return
        if problems := problems_of(reading):
            for problem in problems:
                self.add_error("file", problem)
            return
        self.choice = file_choice(reading.columns[0])
        self.reading = reading


class FileChoiceForm(forms.Form):
    """In the preview of a file: which column says who is meant, and who gets an email beyond that."""

    column = forms.IntegerField(min_value=0, max_value=1_000)
    each = forms.BooleanField(required=False)
    admins = forms.BooleanField(required=False)
