"""
When a preview was shown of which no draft is kept: its form brings the time back, signed.

So a form that is sent twice makes two mailings of the same time, and nobody gets an email of both: see
`mailing.left_out`.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.core import signing
from django.http import HttpRequest
from django.utils.dateparse import parse_datetime

FIELD = "previewed_at"
# From then on, a form is as one that brings no time.
LONGEST_SHOWN = timedelta(hours=12)


def signed(request: HttpRequest, moment: datetime) -> str:
    return signing.dumps(moment.isoformat(), salt=_salt(request.user))


def posted(request: HttpRequest) -> datetime | None:
    """None where there is none, or none that was made for this person not long ago."""
    try:
        said = signing.loads(request.POST.get(FIELD, ""), salt=_salt(request.user), max_age=LONGEST_SHOWN)
    except signing.BadSignature:
        return None
    return parse_datetime(said)


def _salt(person: Any) -> str:
    return f"wagtail_member_reset.previewed_at.{person.pk}"
