"""Who was shown a link, and whether its account has gained anything since that they lacked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from django.db.models import DateTimeField, Value, prefetch_related_objects
from django.db.models.functions import Coalesce
from django.utils import timezone

from .. import audit, db
from ..accounts import (
    Member,
    groups_of,
    opens_private_things,
    permissions_of,
    private_groups,
    rank_of,
    read_permissions,
    user_permission,
)
from ..models import LinkViewer, PasswordReset


def note_shown(reset: PasswordReset, *, by: Member) -> None:
    """
    Keep, and log, that staff are shown the link, before it is: once for each of them and each link.

    From then on it is not replaced behind their back, and it ends when the member gains what they lack. Raises if
    that cannot be written, and then the link must not be shown.
    """

    def attempt() -> None:
        if note_viewer(reset, by=by):
            audit.record(reset.member, "show", by=by, origin=None)

    if not has_viewed(reset, by):
        db.retried(attempt)


def note_copied(reset: PasswordReset, *, by: Member) -> None:
    """Keep, and log, that staff copied the link, as the browser claims: once for each of them and each link."""
    note_shown(reset, by=by)

    def attempt() -> None:
        if note_copier(reset, by=by):
            PasswordReset.objects.filter(pk=reset.pk, copied_at=None).update(copied_at=timezone.now())
            audit.record(reset.member, "copy", by=by, origin=None)

    db.retried(attempt)


def note_viewer(reset: PasswordReset, *, by: Member, seen: Member | None = None) -> bool:
    """
    Keep that somebody is shown the link, in a transaction of the caller's; False when that was kept before.

    `seen` is the account as it was when it was decided that they may be, else that of the link. Further looks of the
    same person write nothing.
    """
    if has_viewed(reset, by):
        return False
    now = timezone.now()
    # Written first: whoever else is shown the link for the first time waits here.
    first = Coalesce("shown_at", Value(now), output_field=DateTimeField())
    PasswordReset.objects.filter(pk=reset.pk).update(shown_at=first)
    found = LinkViewer.objects.select_for_update()  # on MariaDB, the row as it is now, and not as it was
    _viewer, is_new = found.get_or_create(
        reset=reset, viewer=by, defaults={"viewed_at": now, **_rights_at_that_moment(seen or reset.member, by)}
    )
    _forget(reset)
    reset.shown_at = reset.shown_at or now
    return is_new


def note_copier(reset: PasswordReset, *, by: Member) -> bool:
    """Keep that a viewer copied the link; False when that was kept before."""
    copied = LinkViewer.objects.filter(reset=reset.pk, viewer=by.pk, copied_at=None).update(copied_at=timezone.now())
    return bool(copied)


def has_viewed(reset: PasswordReset, person: Member) -> bool:
    return any(viewer.viewer_id == person.pk for viewer in _viewers(reset))


def has_gained(reset: PasswordReset, member: Member, *, private: Callable[[], set[Any]] = private_groups) -> bool:
    """
    Whether the account has gained what somebody lacked who was shown the link before.

    That is a higher rank, a permission, or a group to which something is private. What a viewer has lost since, or
    what a setting changes, decides nothing. No query for a link that nobody was shown, and one where only superusers
    were.
    """
    viewers = [viewer for viewer in _viewers(reset) if not viewer.was_superuser]
    if not viewers:
        return False
    rank = rank_of(member)
    if any(rank > viewer.member_rank for viewer in viewers):
        return True
    permissions = permissions_of(member)
    if any(not permissions.issubset(viewer.permissions) for viewer in viewers):
        return True
    # Who may change users can join any group.
    others = [set(viewer.groups) for viewer in viewers if user_permission("change") not in viewer.permissions]
    return bool(others) and opens_private_things(groups_of(member) - set.intersection(*others), private=private)


def which_gained(resets: Sequence[PasswordReset]) -> list[PasswordReset]:
    """Those of several links, which have their members read, for whose member `has_gained` is true. Few queries."""
    read_permissions([reset.member for reset in resets])
    prefetch_related_objects(resets, "viewers")
    private = cache(private_groups)
    return [reset for reset in resets if has_gained(reset, reset.member, private=private)]


def _viewers(reset: PasswordReset) -> list[LinkViewer]:
    """Read once for each object of the link."""
    if reset.shown_at is None:
        return []
    prefetch_related_objects([reset], "viewers")
    return list(reset.viewers.all())


def _forget(reset: PasswordReset) -> None:
    getattr(reset, "_prefetched_objects_cache", {}).pop("viewers", None)


def _rights_at_that_moment(member: Member, viewer: Member) -> dict[str, Any]:
    if viewer.is_superuser:
        return {"was_superuser": True}
    return {
        "member_rank": rank_of(member),
        "permissions": sorted(permissions_of(viewer) | permissions_of(member)),
        "groups": sorted(groups_of(viewer) | groups_of(member)),
    }
