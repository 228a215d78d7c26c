"""What the preview of a large mailing offers beside its start: a first wave, and a pace."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django import forms
from django.core.serializers.json import DjangoJSONEncoder

from .. import ids
from ..mailing import FIRST_WAVE, MANY, MOST_PER_HOUR, OFFERED_FROM, has_hours, suggested_pace
from ..models import Mailing, MailingState

# What a colleague, or another window, may have changed since the preview was shown.
SHOWN = ("choice", "again", "site_id", "included", "paragraph", "per_hour", "starts_at", "hours_from", "hours_to")


class StartForm(forms.Form):
    first_wave = forms.BooleanField(required=False)
    pace = forms.IntegerField(required=False, min_value=1, max_value=MOST_PER_HOUR)


@dataclass(frozen=True, kw_only=True)
class Offer:
    """For the template. No `pace` where the mailing has one, and no `hours` that it takes where it keeps to some."""

    first_wave: int
    is_many: bool
    pace: int
    hours: int


def seen(mailing: Mailing) -> str:
    """A digest of what its preview shows beside the people: who starts it posts this, so that nobody starts another."""
    said = {name: getattr(mailing, name) for name in SHOWN}
    return ids.digest("mailing-seen", json.dumps(said, cls=DjangoJSONEncoder, sort_keys=True))


def is_other(mailing: Mailing, posted: Any) -> bool:
    """Whether a draft is no longer what the preview showed from which this was posted."""
    return mailing.state == MailingState.DRAFT and posted.get("seen") != seen(mailing)


def offer(mailing: Mailing, emails: int) -> Offer | None:
    """None for a mailing that is not large."""
    if emails < OFFERED_FROM:
        return None
    pace = suggested_pace(emails) if emails >= MANY and not mailing.per_hour else 0
    hours = round(emails / pace) if pace and not has_hours(mailing) else 0
    return Offer(first_wave=FIRST_WAVE, is_many=emails >= MANY, pace=pace, hours=hours)


def take(mailing: Mailing, posted: Any) -> dict[str, Any] | None:
    """Set a first wave on the mailing, if that was ticked. Gives what else its start takes; None for nonsense."""
    form = StartForm(posted)
    if not form.is_valid():
        return None
    mailing.wave_left = FIRST_WAVE if form.cleaned_data["first_wave"] else None
    return {"pace_if_none": form.cleaned_data["pace"]}
