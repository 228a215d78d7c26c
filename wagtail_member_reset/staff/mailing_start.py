"""What the preview of a large mailing offers beside its start: a first wave, and a pace."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django import forms

from ..mailing import FIRST_WAVE, MANY, OFFERED_FROM, suggested_pace
from ..models import Mailing


class StartForm(forms.Form):
    first_wave = forms.BooleanField(required=False)
    pace = forms.IntegerField(required=False, min_value=1, max_value=10_000_000)


@dataclass(frozen=True, kw_only=True)
class Offer:
    """For the template. No `pace` where the mailing has one."""

    first_wave: int
    is_many: bool
    pace: int
    hours: int


def offer(mailing: Mailing, emails: int) -> Offer | None:
    """None for a mailing that is not large."""
    if emails < OFFERED_FROM:
        return None
    pace = suggested_pace(emails) if emails >= MANY and not mailing.per_hour else 0
    return Offer(first_wave=FIRST_WAVE, is_many=emails >= MANY, pace=pace, hours=round(emails / pace) if pace else 0)


def take(mailing: Mailing, posted: Any) -> dict[str, Any] | None:
    """Set a first wave on the mailing, if that was ticked. Gives what else its start takes; None for nonsense."""
    form = StartForm(posted)
    if not form.is_valid():
        return None
    mailing.wave_left = FIRST_WAVE if form.cleaned_data["first_wave"] else None
    return {"pace_if_none": form.cleaned_data["pace"]}
