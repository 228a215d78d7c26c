"""
What can be done with a member's password reset. Read this file first.

Staff send, hand out, rotate and revoke; members request, open and redeem. Who may do it is decided
by the rooms (`staff/permissions.py`); whether it can be done at all, here and below.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

from django.db import transaction
from django.utils import timezone
from wagtail.log_actions import log
from wagtail.models import Site

from . import audit, bad_addresses, db, links, outbox, sites, tokens
from .accounts import address_of, replaces_address
from .audit import has_changed_address, note_address_changed, note_checked, note_refused
from .exceptions import LinkProblem, MemberResetError, Unredeemable, WindowClosed
from .links import Effect, hand_out, note_copied, note_shown
from .models import Origin, PasswordReset, Purpose, Reason, State
from .outbox import Content, is_told, tell_former_address, unblock
from .signals import reset_redeemed, reset_sent
from .standing import Standing, Status, stories
from .standing import status_of as status

Member = Any  # the site's own user model


@dataclass(frozen=True, slots=True)
class Grant:
    """Proof that its holder had the link: what the browser keeps instead of the token."""

    selector: str
    proof: str

    def __repr__(self) -> str:
        return f"<Grant {self.selector}>"


def send(
    member: Member,
    *,
    by: Member | None,
    purpose: Purpose = Purpose.RESET,
    origin: Origin = Origin.STAFF,
    site: Site | None = None,
    expected: Effect | None = None,
) -> PasswordReset:
    """
    Mail the member a link: the same again within the status window, else a new one.

    A `site` that is not the live link's means a new link, too. Without one, a new link is for the site of the last.

    Returns once the promise is in the database; the mail leaves after the commit.
    Raises `SendRefused` for an account that cannot be sent one, and `EffectChanged`
    when the outcome would not be the `expected` one. Both change nothing.
    """
    return _promise(member, by=by, purpose=purpose, origin=origin, site=site, expected=expected)


def rotate(
    member: Member,
    *,
    by: Member | None,
    origin: Origin = Origin.STAFF,
    site: Site | None = None,
    expected: Effect | None = None,
) -> PasswordReset:
    """Mail the member a new link in any case, which ends the earlier one. Raises as `send` does."""
    return _promise(member, by=by, purpose=Purpose.RESET, origin=origin, site=site, expected=expected, fresh=True)


def revoke(reset: PasswordReset, *, by: Member | None) -> bool:
    """End a link before it is used; False when it had ended already. A second call changes nothing."""

    def attempt() -> bool:
        if revoked := links.close(reset, State.REVOKED, Reason.STAFF):
            audit.record(reset.member, "revoke", by=by, origin=None)
        return revoked

    return db.retried(attempt)


def correct(
    member: Member,
    *,
    address: str,
    by: Member | None,
    tell_former: bool = False,
    also_username: bool = False,
    checked: str = "",
) -> PasswordReset:
    """
    Store another address on the account and mail a new link there, both or neither.

    The earlier link ends, its history stays. `address` is already validated, and only
    the address is saved, with `also_username` as the name to sign in with, too. With
    `tell_former`, the earlier address gets a notice, as it does from a form. `checked`
    is how `by` made sure of who asks, for the log. Raises `SendRefused`, and then nothing
    was changed or logged.
    """

    def attempt() -> PasswordReset:
        links.lock_first(member)
        before = links.locked(member)
        if by is not None and checked:
            note_checked(member, by=by, answer=checked)
        former, changed_at = address_of(before) if before else "", timezone.now()
        fields = [member.get_email_field_name(), *([member.USERNAME_FIELD] if also_username else [])]
        for name in fields:
            setattr(member, name, address)
        member.save(update_fields=fields)
        log(instance=member, action="wagtail.edit", user=by)
        if replaces_address(former, address):
            note_address_changed(member, by=by)
        if tell_former:
            tell_former_address(member, address=former, by=by, changed_at=changed_at)
        links.settle_member(member)
        # What is the same address in another spelling has ended no link.
        return rotate(member, by=by)

    return db.retried(attempt)


def request(address: str, *, network: str, site: Site | None, language: str) -> None:
    """
    Note that somebody asked for a link on the website. Looks nobody up, and never says what comes of it.

    `network` is the visitor's IP address; only a keyed digest of it is kept, for a day.
    """

    attempts = count(1)

    def attempt() -> bool:
        # The page remembers its site for a few seconds, in which somebody may have deleted it.
        there = site if next(attempts) == 1 else sites.as_it_is(site)
        return outbox.accept(address, network=network, site=there, language=language)

    db.retried(attempt)
    # Also for what a limit refused: the same is done for everybody.
    outbox.wake_on_commit(at_random=True)


def open(token: str) -> Grant:
    """
    Exchange a link's token for a grant, and note when that first happened.

    The grant is given for ended links too, so that their holder can be told what
    happened. Raises `Unredeemable`: damaged or of a test (no query was made), or unknown.
    """
    parsed = tokens.parse(token)
    if parsed is None:
        raise Unredeemable(LinkProblem.SAMPLE if tokens.is_sample(token) else LinkProblem.DAMAGED)
    reset = _holder(parsed.selector, parsed.proof)
    if reset.opened_at is None:
        PasswordReset.objects.filter(pk=reset.pk, opened_at=None).update(opened_at=timezone.now())
    return Grant(parsed.selector, parsed.proof)


def look(grant: Grant) -> PasswordReset:
    """
    The reset that a grant opens, if its link can be used now.

    Raises `Unredeemable` with what happened to it, which only the holder of the secret learns.
    """
    reset = _holder(grant.selector, grant.proof)
    if problem := links.problem_of(reset, reset.member):
        raise Unredeemable(problem, language=reset.language)
    return reset


def redeem(grant: Grant, *, password: str) -> PasswordReset:
    """
    Set the member's password and close the reset.

    Exactly one caller wins when the same link is used twice at once. `grant` is at most
    30 minutes old; `password` is already validated. Nobody is logged in.

    Raises `Unredeemable`, with the problem for the log and for the holder of the secret.
    """
    reset = look(grant)
    member = reset.member
    member.set_password(password)
    links.use(reset, member=member)
    # Whoever has set a password by the link got it, most likely by the email.
    bad_addresses.forget(reset.recipient)
    reset.refresh_from_db()
    outbox.wake_on_commit()
    transaction.on_commit(partial(_announce_redeemed, reset, member), using=db.alias(), robust=True)
    return reset


def used(selector: str) -> PasswordReset | None:
    """The reset whose link was used, with its member; for who brings proof of having used it, and only then."""
    return PasswordReset.objects.select_related("member").filter(selector=selector, state=State.USED).first()


def link(reset: PasswordReset) -> str | None:
    """The personal link of a live reset, for as long as the status window is open; then None, for everybody."""
    if not reset.is_live:
        return None
    try:
        return links.url_of(tokens.mint(reset), site=reset.site, language=reset.language)
    except (WindowClosed, MemberResetError):
        return None


def letter(status: Status) -> Content | None:
    """The email with the link, to be passed on another way, also of a link without one; None where `link` is None."""
    if status.reset is None or not status.reset.is_live:
        return None
    try:
        return outbox.letter_of(status.email or status.reset, member=status.member)
    except (WindowClosed, MemberResetError):
        return None


def _promise(member: Member, *, fresh: bool = False, **details: Any) -> PasswordReset:
    email = outbox.enqueue(member, fresh=fresh, **details)
    reset = email.reset
    assert reset is not None
    outbox.wake_on_commit()
    announce = partial(reset_sent.send_robust, sender=PasswordReset, reset=reset, email=email)
    transaction.on_commit(announce, using=db.alias(), robust=True)
    return reset


def _announce_redeemed(reset: PasswordReset, member: Member) -> None:
    mailed = reset.emails.with_link().filter(possible_copies__gt=0)
    reset_redeemed.send_robust(
        sender=PasswordReset,
        reset=reset,
        member=member,
        mailed_to=mailed.values_list("recipient", flat=True).first() or "",
        was_shown=reset.shown_at is not None or reset.copied_at is not None,
    )


def _holder(selector: str, proof: str) -> PasswordReset:
    # At most one, so no order is asked for.
    reset = next(iter(PasswordReset.objects.select_related("member").filter(selector=selector)), None)
    if not tokens.matches(proof, reset) or reset is None:
        raise Unredeemable(LinkProblem.UNKNOWN)
    return reset


__all__ = [
    "Effect",
    "Grant",
    "Standing",
    "Status",
    "correct",
    "hand_out",
    "has_changed_address",
    "is_told",
    "letter",
    "link",
    "look",
    "note_address_changed",
    "note_checked",
    "note_copied",
    "note_refused",
    "note_shown",
    "open",
    "redeem",
    "request",
    "revoke",
    "rotate",
    "send",
    "status",
    "stories",
    "tell_former_address",
    "unblock",
    "used",
]
