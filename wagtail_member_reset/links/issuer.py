"""Issuing links: what sending would do to the link that a member has, and new links, one or a thousand."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum

from django.conf import settings
from django.utils import timezone
from wagtail.models import Site

from .. import db, tokens
from ..accounts import Member, address_of, language_of
from ..conf import conf
from ..exceptions import EffectChanged
from ..models import NeedsHelp, Origin, PasswordReset, Purpose, Reason, ResetEmail, State
from ..tokens import Token
from .state import close, failing, lock_first, settle
from .which_site import usual_site


class Effect(str, Enum):
    """What sending would do now."""

    NEW_LINK = "new_link"
    SAME_LINK = "same_link"
    REPLACES = "replaces"


LOG_ACTIONS = {Effect.NEW_LINK: "send", Effect.SAME_LINK: "resend", Effect.REPLACES: "replace"}


def effect_of_sending(
    reset: PasswordReset | None, member: Member, *, fresh: bool = False, site: Site | None = None
) -> Effect:
    """What a send would do, given the member's live link. That of another site than was chosen is replaced."""
    if reset is None or not reset.is_live or failing(reset, member):
        return Effect.NEW_LINK
    is_elsewhere = site is not None and reset.site_id != site.pk
    return Effect.REPLACES if fresh or is_elsewhere or not tokens.is_derivable(reset) else Effect.SAME_LINK


def lifetime_of(purpose: Purpose) -> timedelta:
    """How long a new link works that is issued for this."""
    return conf.WELCOME_LIFETIME if purpose == Purpose.WELCOME else conf.LINK_LIFETIME


def purpose_of_next(current: PasswordReset | None, purpose: Purpose = Purpose.RESET) -> Purpose:
    """What a new link is for. A welcome that was never followed stays a welcome, whoever asks for it again."""
    return Purpose.WELCOME if current is not None and current.is_live and current.is_welcome else purpose


def take_up(
    account: Member,
    *,
    fresh: bool,
    expected: Effect | None,
    purpose: Purpose,
    origin: Origin,
    by: Member | None,
    site: Site | None = None,
    keeps_site: bool = False,
    language: str = "",
) -> tuple[PasswordReset, Effect]:
    """
    The link of an account that is locked: its live one where that can be made again, else a new one; and which it is.

    `fresh` asks for a new link in any case, and so does a `site` that is not the live link's, but where that
    `keeps_site`. Raises `EffectChanged` when it would not be the `expected` effect.
    """
    current = PasswordReset.objects.select_for_update().filter(active_for=account.pk).first()
    effect = effect_of_sending(current, account, fresh=fresh, site=None if keeps_site else site)
    if expected is not None and effect != expected:
        raise EffectChanged(effect.value)
    if current is not None and effect == Effect.SAME_LINK:
        return current, effect
    new = issue_link(account, current, purpose=purpose, origin=origin, by=by, site=site, language=language)
    return new, effect


def reissue(email: ResetEmail) -> PasswordReset:
    """
    A new link for an email that could not leave in time, in place of one that nobody has.

    Email and link are in the language that the member has by now.
    """
    if email.pk is None:  # some databases do not tell the keys of rows written together
        email.pk = ResetEmail.objects.values_list("pk", flat=True).get(public_id=email.public_id)

    def attempt() -> PasswordReset:
        lock_first(email.member)
        old = PasswordReset.objects.select_for_update().get(emails=email)
        reset = issue_link(
            email.member,
            old,
            purpose=Purpose(old.purpose),
            origin=Origin(old.origin),
            by=old.issued_by,
            site=old.site,
            language=old.language,
        )
        ResetEmail.objects.filter(pk=email.pk).update(reset=reset, language=reset.language)
        return reset

    email.reset = db.retried(attempt)
    email.language = email.reset.language
    return email.reset


class Issuer:
    """Makes links that differ in nothing but the member, at one moment: one, or a thousand."""

    def __init__(self, *, origin: Origin, by: Member | None, site: Site | None, language: str) -> None:
        now = timezone.now()
        self._language, self._key = language or settings.LANGUAGE_CODE, tokens.current_key()
        self._ends = {purpose: now + lifetime_of(purpose) for purpose in (Purpose.WELCOME, Purpose.RESET)}
        self._pattern = PasswordReset(origin=origin, issued_by=by, site=site, issued_at=now)

    def link_of(self, account: Member, purpose: Purpose) -> tuple[PasswordReset, Token]:
        """A link that nobody has yet, and its token: neither its row nor its mail is written."""
        material, token = tokens.issue(self._key)
        reset = db.copy_of(
            self._pattern,
            related={"member": account},
            member_id=account.pk,
            active_for_id=account.pk,
            purpose=purpose,
            expires_at=self._ends[purpose],
            language=language_of(account, self._language),
            recipient=address_of(account),
            password_mark=tokens.new_password_mark(account.pk, account.password, self._key),
            selector=material.selector,
            nonce=material.nonce,
            verifier=material.verifier,
            key_id=material.key_id,
        )
        return reset, token


def issue_link(
    account: Member,
    current: PasswordReset | None,
    *,
    purpose: Purpose,
    origin: Origin,
    by: Member | None,
    site: Site | None,
    language: str,
) -> PasswordReset:
    purpose = purpose_of_next(current, purpose)
    if current is not None and not settle(current, account):
        close(current, State.SUPERSEDED, Reason.NEWER_LINK)
    site = site or usual_site(account)
    reset, _token = Issuer(origin=origin, by=by, site=site, language=language).link_of(account, purpose)
    reset.save(force_insert=True)
    NeedsHelp.objects.look_again([account.pk])
    return reset
