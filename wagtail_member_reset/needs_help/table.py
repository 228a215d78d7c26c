"""Keeping the table of who needs help: a few members looked at, what time brings, and everybody once a day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Q
from django.utils import timezone

from .. import db
from ..conf import conf
from ..models import QUIET, NeedsHelp, NeedsHelpCursor, PasswordReset, Shelf, State
from .reasons import PATIENCE, SOON, Found, Looked, look

# Members in one look, and slices of them in one pass of a worker.
SLICE = 500
SLICES = 4
# How often everybody is looked at.
EVERYBODY_EVERY = timedelta(days=1)
EVERYBODY = "everybody"


def refresh(members: Iterable[Any]) -> None:
    """Look at these members, by their keys, and write down who needs help and why. A dozen statements for each 500."""
    keys = list(dict.fromkeys(members))
    for start in range(0, len(keys), SLICE):
        part = keys[start : start + SLICE]
        before = NeedsHelp.objects.in_bulk(part)
        # Nobody waits for what a rule of the site's own may take.
        looked = look(part)
        db.retried(partial(_write, part, looked, before))


def refresh_due(*, slices: int = 1) -> bool:
    """Look at those whose row may be out of date, the longest first; whether there are more. One query for nobody."""
    for _slice in range(slices):
        due = NeedsHelp.objects.filter(look_since__isnull=False).order_by("look_since")
        keys = list(due.values_list("pk", flat=True)[:SLICE])
        if keys:
            refresh(keys)
        if len(keys) < SLICE:
            return False
    return True


def sweep() -> None:
    """
    What a pass of a worker does: bring back what was put off, note what time has brought, go on looking at everybody.

    Bounded: what is left is done by the next pass.
    """
    now = timezone.now()
    NeedsHelp.objects.filter(shelf=Shelf.LATER, until__lte=now).update(shelf=Shelf.OPEN, until=None)
    # Read at once, since each pass of a worker comes by here.
    cursors = NeedsHelpCursor.objects.in_bulk()
    # An end is known by its index; when a link was issued follows from that.
    moments = {"expired": now, "soon": now + SOON, "patience": now + conf.LINK_LIFETIME - PATIENCE}
    if conf.WELCOME_LIFETIME != conf.LINK_LIFETIME:
        moments["patience_welcome"] = now + conf.WELCOME_LIFETIME - PATIENCE
    for name, moment in moments.items():
        cursor = cursors.get(name) or _new_cursor(name, at=moment, key="0")
        for _slice in range(SLICES):
            if not _look_at_ends(cursor, moment):
                break
    cursor = cursors.get(EVERYBODY) or _new_cursor(EVERYBODY)
    for _slice in range(SLICES):
        if not _look_at_everybody(cursor, now):
            break
    refresh_due(slices=SLICES)


def rebuild() -> None:
    """Look at everybody now, at once. Called once a day by who purges; in slices, each a transaction of its own."""
    after = ""
    while keys := _accounts_after(after):
        refresh(keys)
        after = str(keys[-1])


def put_off(row: NeedsHelp, *, until: datetime, note: str, by: Any) -> bool:
    """Leave a person aside until then; False where somebody else has changed the row since it was read."""
    return _put(row, Shelf.LATER, until=until, note=note, by=by)


def deal_with(row: NeedsHelp, *, note: str, by: Any) -> bool:
    """Take a person off the list until something new happens; False as for `put_off`."""
    return _put(row, Shelf.DONE, until=None, note=note, by=by)


def reopen(row: NeedsHelp, *, note: str, by: Any) -> bool:
    """Put a person back on the list; False as for `put_off`."""
    return _put(row, Shelf.OPEN, until=None, note=note, by=by)


def _put(row: NeedsHelp, shelf: Shelf, *, until: datetime | None, note: str, by: Any) -> bool:
    as_read = NeedsHelp.objects.filter(pk=row.pk, reason=row.reason, noted_at=row.noted_at, shelf=row.shelf)
    told = {"shelf": shelf, "until": until, "note": note[:200], "noted_at": timezone.now(), "noted_by": by}
    return bool(db.retried(lambda: as_read.update(**told)))


def _new_cursor(name: str, **begun: Any) -> NeedsHelpCursor:
    return NeedsHelpCursor.objects.get_or_create(name=name, defaults=begun)[0]


def _look_at_ends(cursor: NeedsHelpCursor, moment: datetime) -> bool:
    """Have those looked at whose unused link ends before the moment, from where the last look ended; whether more."""
    at, key = cursor.at or moment, int(cursor.key or 0)
    ended = PasswordReset.objects.filter(Q(expires_at__gt=at) | Q(expires_at=at, pk__gt=key), expires_at__lte=moment)
    found = list(ended.order_by("expires_at", "pk").values_list("expires_at", "pk", "member_id", "state")[:SLICE])
    NeedsHelp.objects.look_at(member for _at, _pk, member, state in found if state == State.ACTIVE)
    if found:
        last_at, last_pk = found[-1][:2]
        _move(cursor, at=last_at, key=str(last_pk))
    return len(found) == SLICE


def _look_at_everybody(cursor: NeedsHelpCursor, now: datetime) -> bool:
    """The next slice of all accounts; whether there are more. `at` is when the last one was looked at."""
    if cursor.at is not None and cursor.at > now - EVERYBODY_EVERY:
        return False
    keys = _accounts_after(cursor.key)
    refresh(keys)
    is_over = len(keys) < SLICE
    _move(cursor, at=now if is_over else None, key="" if is_over else str(keys[-1]))
    return not is_over


def _move(cursor: NeedsHelpCursor, *, at: datetime | None, key: str) -> None:
    cursor.at, cursor.key = at, key
    cursor.save(update_fields=["at", "key"])


def _accounts_after(key: str) -> list[Any]:
    accounts = get_user_model()._base_manager.order_by("pk")
    after = accounts.filter(pk__gt=key) if key else accounts
    return list(after.values_list("pk", flat=True)[:SLICE])


def _write(keys: Sequence[Any], looked: Looked, before: dict[Any, NeedsHelp]) -> None:
    """
    Bring the rows up to date with what a look has found; `before` are those that there were when it began.

    A row that is to be looked at again since, or that has gone, is left to what changed it.
    """
    rows = NeedsHelp.objects.select_for_update().in_bulk(keys)
    known = {key: row for key, row in rows.items() if key in before and row.look_since == before[key].look_since}
    new = [
        NeedsHelp(member_id=key, reason=found.need, **_told(found, None))
        for key, found in looked.found.items()
        if key not in rows and key not in before
    ]
    needy = [(row, looked.found[key]) for key, row in known.items() if key in looked.found]
    reopened = [row.pk for row, found in needy if row.shelf and _is_news(row, found)]
    changed = [row for row, found in needy if _update(row, found)]
    # What colleagues noted is kept until the person has got in.
    kept = [key for key, row in known.items() if key in looked.waiting and row.noted_at is not None]
    gone = known.keys() - looked.found.keys() - looked.unclear - {*kept}
    NeedsHelp.objects.filter(pk__in=gone).delete()
    NeedsHelp.objects.filter(pk__in=kept).update(reason=None)
    NeedsHelp.objects.bulk_create(new, ignore_conflicts=True)
    NeedsHelp.objects.bulk_update(changed, ["reason", "happened_at", "domain", "has_arrived"])
    NeedsHelp.objects.filter(pk__in=reopened).update(shelf=Shelf.OPEN, until=None)
    seen = [key for key, row in known.items() if row.look_since is not None and key not in gone]
    NeedsHelp.objects.filter(pk__in=seen).update(look_since=None)


def _told(found: Found, row: NeedsHelp | None) -> dict[str, Any]:
    """What a row says of it. What nobody has dated happened when it was first seen."""
    was_known = row is not None and row.reason == found.need
    at = found.at or (row.happened_at if row is not None and was_known else None) or timezone.now()
    return {"happened_at": at, "domain": found.domain, "has_arrived": found.has_arrived}


def _update(row: NeedsHelp, found: Found) -> bool:
    """Bring the row up to date; whether it changed."""
    told = {"reason": found.need.value, **_told(found, row)}
    if all(getattr(row, name) == value for name, value in told.items()):
        return False
    for name, value in told.items():
        setattr(row, name, value)
    return True


def _is_news(row: NeedsHelp, found: Found) -> bool:
    """
    Whether it puts a person who was set aside back on the list: what has gone wrong since, and another link or email.

    That time passes is none: a link that expires was about to. Nor is it any for a person who was put off until then.
    """
    is_loud = found.need < QUIET
    if row.noted_at is None:
        return True
    if found.sent_at is not None and found.sent_at > row.noted_at and (is_loud or row.shelf == Shelf.DONE):
        return True
    if not is_loud or found.at is None:
        return False
    if row.reason is None:  # nothing was wrong for a while
        return found.at > row.noted_at
    return row.reason != found.need or (row.happened_at is not None and found.at > row.happened_at)
