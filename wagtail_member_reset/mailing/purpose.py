"""Whether an email of a mailing is a welcome: one rule, for the emails and for what a preview shows of them."""

from __future__ import annotations

from .. import links
from ..accounts import Member
from ..links import Effect
from ..models import PasswordReset, Purpose, State


def purpose_now(member: Member) -> Purpose:
    """What the member would get now; for one at a time, since it asks the database."""
    has_got_in = member.last_login or PasswordReset.objects.filter(member=member, state=State.USED).exists()
    live = PasswordReset.objects.filter(active_for=member).first()
    if live is not None and links.effect_of_sending(live, member) == Effect.SAME_LINK:
        return Purpose(live.purpose)
    return purpose_of_new_link(live, has_got_in=bool(has_got_in))


def purpose_of_new_link(old: PasswordReset | None, *, has_got_in: bool) -> Purpose:
    """A welcome for who has not got in yet, or whose link that still works was one."""
    was_welcomed = old is not None and old.is_live and old.is_welcome
    return Purpose.WELCOME if was_welcomed or not has_got_in else Purpose.RESET
