"""Who was shown a link, and whether its account has gained anything since that they lacked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from django.db.models import DateTimeField, Value, prefetch_related_objects
from django.db.models.functions import Coalesce
from django.utils import timezone

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


def note_viewer(reset: PasswordReset, *, by: Member) -> bool:
    """
    Keep that somebody is shown the link, in a transaction of the caller's; False when that was kept before.

    Further looks of the same person write nothing.
    """
    if has_viewed(reset, by):
        return False
    now = timezone.now()
    # Written first: whoever else is shown the link for the first time waits here.
    first = Coalesce("shown_at", Value(now), output_field=DateTimeField())
    PasswordReset.objects.filter(pk=reset.pk).update(shown_at=first)
    found = LinkViewer.objects.select_for_update()  # on MariaDB, the row as it is now, and not as it was
    _viewer, is_new = found.get_or_create(
        reset=reset, viewer=by, defaults={"viewed_at": now, **_rights_at_that_moment(reset.member, by)}
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
