"""Links that staff hand out themselves, without an email: to people at the counter, or without an address."""

from __future__ import annotations

from wagtail.models import Site

from .. import audit, db, tokens
from ..accounts import Member, refusal_for
from ..exceptions import EffectChanged, Refusal, SendRefused
from ..models import Origin, PasswordReset, Purpose
from .issuer import Effect, take_up
from .limits import refusal_of_handing_out
from .location import url_of
from .state import lock_first, locked
from .viewers import has_gained, note_viewer


def hand_out(
    member: Member,
    *,
    by: Member,
    fresh: bool = False,
    site: Site | None = None,
    expected: Effect | None = None,
    checked: str = "",
) -> PasswordReset:
    """
    Have a link for who shows it to the member: the live one where it can be shown, else a new one. Nothing is mailed.

    That `by` is shown it is kept and logged in the same transaction, with what `member` could do when it was read.
    `fresh` asks for a new link in any case, which ends the earlier one, and so does a `site` that is not the live
    link's. An account without an address can be given one. `checked` is how `by` made sure of who asks, for the log.

    Raises `SendRefused`, `EffectChanged` when the outcome would not be the `expected` one or the account has gained
    rights since it was read, and `MemberResetError` where no link can be made, as without a hostname. None of them
    changes anything.
    """

    def attempt() -> PasswordReset:
        lock_first(member)
        account: Member = locked(member)
        if refusal := (_refusal(account, by=by) if account else Refusal.INACTIVE):
            raise SendRefused(refusal)
        if checked:
            audit.note_checked(account, by=by, answer=checked)
        reset, effect = take_up(
            account, fresh=fresh, expected=expected, purpose=Purpose.RESET, origin=Origin.HANDED_OUT, by=by, site=site
        )
        if effect != Effect.SAME_LINK:
            audit.record(account, "hand_out", by=by, origin=Origin.HANDED_OUT)
        url_of(tokens.mint(reset), site=reset.site, language=reset.language)
        # What the caller saw of the account is what `by` was allowed; meanwhile somebody may have promoted it.
        if is_new := note_viewer(reset, by=by, seen=member):
            audit.record(account, "show", by=by, origin=None)
        if is_new and has_gained(reset, account):
            raise EffectChanged("gained")
        return reset

    return db.retried(attempt)


def _refusal(account: Member, *, by: Member) -> Refusal | None:
    refusal = refusal_for(account)
    if refusal not in (None, Refusal.NO_ADDRESS):
        return refusal
    return refusal_of_handing_out(account, by=by)
