"""Once, before a welcome link runs out unused: a mailing that reminds its members."""

from __future__ import annotations

import time
from collections import Counter
from datetime import datetime, timedelta

from django.contrib.auth import get_user_model
from django.db.models import Min, QuerySet
from django.utils import timezone

from .. import db, links
from ..accounts import has_set_password, is_not_to_be_emailed, keeps_last_login
from ..conf import conf
from ..exceptions import SettingError
from ..models import Mailing, Origin, PasswordReset, Purpose
from . import chunks, naming, state

# Links that run out on the same day are one mailing's.
LONGEST_CADENCE = timedelta(days=1)
# A process looks no more often than this.
LOOK_SECONDS = 600.0
# Keys in one statement.
PART = 500


class Lookout:
    """Looks whether a mailing is due, for a process whose every pass asks."""

    def __init__(self) -> None:
        self._looked_at: float | None = None

    def look(self) -> Mailing | None:
        """Start a mailing if one is due. What is wrong with the setting, a check says."""
        if self._looked_at is not None and time.monotonic() - self._looked_at < LOOK_SECONDS:
            return None
        try:
            before = conf.REMINDER
        except SettingError:
            return None
        if before is None:
            return None
        self._looked_at = time.monotonic()
        return start_due(before)


def start_due(before: timedelta) -> Mailing | None:
    """
    Start a mailing for the welcome links that run out within that time; None where no turn has come.

    Each link is marked in the same transaction, so it is reminded of once, whoever else looks now,
    and also where somebody stops the mailing.
    """

    def attempt() -> Mailing | None:
        now = timezone.now()
        cadence = min(LONGEST_CADENCE, before / 2)
        if Mailing.objects.filter(origin=Origin.REMINDER, created_at__gt=now - cadence).exists():
            return None
        running_out = _unused_welcomes().filter(expires_at__gt=now, expires_at__lte=now + before)
        keys = list(running_out.filter(reminded_at=None).values_list("pk", flat=True))
        # By the key and the mark alone, so that the mark is looked at again where another look was a moment faster.
        parts = (keys[first : first + PART] for first in range(0, len(keys), PART))
        unmarked = PasswordReset.objects.filter(reminded_at=None)
        if not sum(unmarked.filter(pk__in=part).update(reminded_at=now) for part in parts):
            return None
        return _mailing_for(running_out.filter(reminded_at=now), now)

    return db.retried(attempt)


def _unused_welcomes() -> QuerySet[PasswordReset]:
    """Of members who have not got in yet and may be emailed: whoever has set a password before needs no welcome."""
    welcomes = PasswordReset.objects.live().filter(~has_set_password("active_for"), purpose=Purpose.WELCOME)
    welcomes = welcomes.filter(~is_not_to_be_emailed("active_for"))
    if keeps_last_login(get_user_model()):
        welcomes = welcomes.filter(active_for__last_login=None)
    return welcomes.exclude(origin__in=[Origin.REMINDER, Origin.HANDED_OUT])


def _mailing_for(resets: QuerySet[PasswordReset], now: datetime) -> Mailing:
    mailing = Mailing.objects.create(
        name=naming.name_of_reminder(),
        origin=Origin.REMINDER,
        choice={"kind": "reminder"},
        again=True,
        # As slow as the mailing that welcomed them: whoever set a limit then meant it for these emails, too.
        per_hour=resets.aggregate(slowest=Min("emails__mailing__per_hour"))["slowest"],
        site=links.default_site(),
        created_at=now,
    )
    members = resets.order_by("pk").values_list("member_id", flat=True)
    state.start_mailing(mailing, lambda: members.iterator(chunk_size=chunks.CHUNK), beside=lambda _written: Counter())
    return mailing


lookout = Lookout()


def look_for_reminders() -> None:
    """Start a mailing of reminders if one is due. Asked at each pass; looks at the tables now and then."""
    lookout.look()
