"""The fields for when a mailing may send, in the site's time zone whatever the reader's is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from .. import moments

LATEST = timedelta(days=366)


class SiteDateTimeField(forms.DateTimeField):
    """A moment to come, as the clocks of the site show it."""

    widget = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")

    def prepare_value(self, value: Any) -> Any:
        with timezone.override(timezone.get_default_timezone()):
            return super().prepare_value(value)

    def to_python(self, value: Any) -> datetime | None:
        with timezone.override(timezone.get_default_timezone()):
            return super().to_python(value)

    def validate(self, value: Any) -> None:
        super().validate(value)
        now = timezone.now()
        if value is not None and value <= now:
            said = _("This time is in the past. Choose a later one, or leave the field empty.")
            raise ValidationError(said, code="past")
        if value is not None and value > now + LATEST:
            raise ValidationError(_("Choose a time within the next twelve months."), code="late")


def start_field() -> forms.Field:
    return SiteDateTimeField(label=gettext_lazy("Start time"), required=False)


def hours_field(label: Any) -> forms.Field:
    widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
    return forms.TimeField(label=label, required=False, widget=widget)


def help_texts() -> dict[str, str]:
    zone = {"zone": moments.zone_in_words(settings.TIME_ZONE)}
    return {
        "starts_at": _("%(zone)s. Leave empty to start at once.") % zone,
        "hours_from": _(
            "%(zone)s. Outside these hours, nothing of this mailing is sent. Leave both empty for any hour."
        )
        % zone,
        "hours_to": zone["zone"],
    }


def problem_of_hours(said: dict[str, Any]) -> str:
    """What is wrong with hours that were given; empty where nothing is."""
    start, end = said.get("hours_from"), said.get("hours_to")
    if (start is None) != (end is None):
        return _("Give both: from when and until when to send.")
    return _("Choose two different times.") if start is not None and start == end else ""
