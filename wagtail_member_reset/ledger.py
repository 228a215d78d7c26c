"""
The state machine: issue, reuse, supersede, close, and the checks of a link against its account.

Every transition writes first and reads afterwards, and changes a row only from the state
it expects. What decides a race is the database's unique index and the number of rows
changed, so no isolation level and no `select_for_update` is needed for correctness.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone
from wagtail.models import Site

from . import audit, inserts, limits, tokens, turns
from .accounts import Member, address_of, failing, has_changed_address, language_of, refusal_for
from .conf import conf
from .exceptions import EffectChanged, LinkProblem, Refusal, SendRefused, Unredeemable
from .models import EmailState, Origin, PasswordReset, Purpose, Reason, ResetEmail, State
from .tokens import Token

PURGE_CHUNK = 500


class Effect(str, Enum):
    """What sending would do now."""

    NEW_LINK = "new_link"
    SAME_LINK = "same_link"
    REPLACES = "replaces"


LOG_ACTIONS = {Effect.NEW_LINK: "send", Effect.SAME_LINK: "resend", Effect.REPLACES: "replace"}


def problem_of(reset: PasswordReset, member: Member) -> LinkProblem | None:
    """What is wrong with a link, for who holds its secret. Closes it when the account no longer fits."""
    if reset.state != State.ACTIVE:
        return LinkProblem(reset.state)
    if reset.is_expired:
        return LinkProblem.EXPIRED
    return LinkProblem.REVOKED if settle(reset, member) else None


def effect_of_sending(reset: PasswordReset | None, member: Member, *, fresh: bool = False) -> Effect:
    """What a send would do, given the member's live link."""
    if reset is None or not reset.is_live or failing(reset, member):
        return Effect.NEW_LINK
    return Effect.REPLACES if fresh or not tokens.is_derivable(reset) else Effect.SAME_LINK


def promise(
    member: Member,
    *,
    purpose: Purpose = Purpose.RESET,
    origin: Origin,
    by: Member | None = None,
    site: Site | None = None,
    language: str = "",
    fresh: bool = False,
    expected: Effect | None = None,
) -> ResetEmail:
    """
    Write a link and the promise of its mail: the live link inside its window, else a new one.

    `fresh` asks for a new link in any case. `language` serves members without one of
    their own. One transaction, tried again when another writer was faster.

    Raises `SendRefused`, and `EffectChanged` when the outcome is not the `expected` one.
    """

    def attempt() -> ResetEmail:
        turns.lock_first(member)
        account: Member = turns.locked(member)
        if refusal := (refusal_for(account) if account else Refusal.INACTIVE):  # deleted meanwhile: nobody to mail
            raise SendRefused(refusal)
        # An account that was just created gets its welcome in any case.
        is_by_hand = by is not None and origin == Origin.STAFF and purpose != Purpose.WELCOME
        if is_by_hand and (refusal := limits.refusal_of_staff(account, by=by)):
            raise SendRefused(refusal)
        current = PasswordReset.objects.select_for_update().filter(active_for=account.pk).first()
        effect = effect_of_sending(current, account, fresh=fresh)
        if expected is not None and effect != expected:
            raise EffectChanged(effect.value)
        if current is not None and effect == Effect.SAME_LINK:
            reset = current
        else:
            reset = _issue(account, current, purpose=purpose, origin=origin, by=by, site=site, language=language)
        audit.record(account, LOG_ACTIONS[effect], by=by, origin=origin)
        if by is not None and has_changed_address(account, by=by):
            audit.record(account, "flag", by=by, origin=None)
        return _promise_email(reset, account, by=by)

    return turns.retried(attempt)


def use(reset: PasswordReset, *, member: Member) -> ResetEmail:
    """
    Close the link as used and save the password that `member` was given, both or neither.

    The password is hashed already: hashing takes a quarter of a second, and a
    transaction must not wait for it. Exactly one of several callers wins.

    Raises `Unredeemable`.
    """

    def attempt() -> ResetEmail | None:
        now = timezone.now()
        closed = PasswordReset.objects.filter(pk=reset.pk, state=State.ACTIVE, expires_at__gt=now).update(
            state=State.USED, active_for=None, nonce=None, used_at=now, closed_at=now
        )
        account = turns.locked(member)
        if closed != 1 or account is None or failing(reset, account):
            transaction.set_rollback(True, using=turns.alias())
            return None
        member.save(update_fields=["password"])
        audit.record(account, "use", by=None, origin=None)
        return ResetEmail.objects.create(
            member=member,
            reset=reset,
            purpose=Purpose.PASSWORD_CHANGED,
            recipient=address_of(account),
            language=reset.language,
            site_id=reset.site_id,
        )

    if email := turns.retried(attempt):
        return email
    found = PasswordReset.objects.select_related("member").filter(pk=reset.pk).first()
    if found is None:  # the member was deleted meanwhile, and the link with them
        raise Unredeemable(LinkProblem.UNKNOWN)
    raise Unredeemable(problem_of(found, found.member) or LinkProblem.USED)


def close(reset: PasswordReset, state: State, reason: Reason) -> bool:
    """End a link; False when it had ended already. The row in hand is brought up to date."""
    now = timezone.now()
    closed = PasswordReset.objects.filter(pk=reset.pk, state=State.ACTIVE).update(
        state=state, reason=reason, active_for=None, nonce=None, closed_at=now
    )
    if closed:
        reset.state, reset.reason, reset.closed_at = state, reason, now
        reset.active_for, reset.nonce = None, None
    return bool(closed)


def settle(reset: PasswordReset, member: Member) -> bool:
    """Close a live link that no longer fits its account, so that it stays dead if the account changes back."""
    reason = failing(reset, member) if reset.is_live else None
    return turns.retried(lambda: close(reset, State.REVOKED, reason)) if reason else False


def settle_member(member: Member) -> None:
    """The same, by the account. One indexed query when there is nothing to do."""
    for reset in PasswordReset.objects.live().filter(active_for=member.pk):
        settle(reset, member)


def reissue(email: ResetEmail) -> PasswordReset:
    """A new link for a mail that could not leave in time, in place of one that nobody has seen."""

    def attempt() -> PasswordReset:
        turns.lock_first(email.member)
        old = PasswordReset.objects.select_for_update().get(emails=email)
        reset = _issue(
            email.member,
            old,
            purpose=Purpose(old.purpose),
            origin=Origin(old.origin),
            by=old.issued_by,
            site=old.site,
            language=old.language,
        )
        ResetEmail.objects.filter(pk=email.pk).update(reset=reset)
        return reset

    email.reset = turns.retried(attempt)
    return email.reset


class Issuer:
    """Makes links that differ in nothing but the member, at one moment: one, or a thousand."""

    def __init__(self, *, origin: Origin, by: Member | None, site: Site | None, language: str) -> None:
        now = timezone.now()
        self._language, self._key = language or settings.LANGUAGE_CODE, tokens.current_key()
        self._pattern = PasswordReset(
            origin=origin, issued_by=by, site=site, issued_at=now, expires_at=now + conf.LINK_LIFETIME
        )

    def link_of(self, account: Member, purpose: Purpose) -> tuple[PasswordReset, Token]:
        """A link that nobody has yet, and its token: neither its row nor its mail is written."""
        material, token = tokens.issue(self._key)
        reset = inserts.like(
            self._pattern,
            related={"member": account},
            member_id=account.pk,
            active_for_id=account.pk,
            purpose=purpose,
            language=language_of(account, self._language),
            recipient=address_of(account),
            password_mark=tokens.new_password_mark(account.pk, account.password, self._key),
            selector=material.selector,
            nonce=material.nonce,
            verifier=material.verifier,
            key_id=material.key_id,
        )
        return reset, token


def erase_past_window() -> int:
    """Make the links whose window is over impossible to produce again; they still work."""
    return turns.retried(lambda: PasswordReset.objects.past_window().update(nonce=None))


def sweep() -> None:
    """Erase what must not be derivable, and close the links of accounts deactivated behind our back."""
    erase_past_window()
    model = get_user_model()
    if "is_active" in {field.name for field in model._meta.get_fields()}:
        # Of each live link by itself: joined, SQLite would look at every account.
        inactive = model._base_manager.filter(pk=OuterRef("active_for"), is_active=False)
        outgrown = PasswordReset.objects.live().filter(Exists(inactive))
        ended = {"state": State.REVOKED, "reason": Reason.DEACTIVATED, "active_for": None, "nonce": None}
        turns.retried(lambda: outgrown.update(**ended, closed_at=timezone.now()))


def purge() -> int:
    """
    Forget links past their expiry and the retention, with their mails; the number of links forgotten.

    So are members whom a run passed over, and who have no link by which to forget them.
    """
    limit = timezone.now() - conf.RETENTION
    _delete_in_chunks(ResetEmail.objects.filter(reset=None, created_at__lt=limit))
    return _delete_in_chunks(PasswordReset.objects.filter(expires_at__lt=limit))


def _delete_in_chunks(rows: QuerySet[Any]) -> int:
    deleted = 0
    while ids := list(rows.values_list("pk", flat=True)[:PURGE_CHUNK]):
        rows.model._base_manager.filter(pk__in=ids).delete()
        deleted += len(ids)
    return deleted


def _issue(
    account: Member,
    current: PasswordReset | None,
    *,
    purpose: Purpose,
    origin: Origin,
    by: Member | None,
    site: Site | None,
    language: str,
) -> PasswordReset:
    # A welcome that was never followed stays a welcome, whoever asks for it again.
    if current is not None and current.is_live and current.is_welcome:
        purpose = Purpose.WELCOME
    if current is not None and not settle(current, account):
        close(current, State.SUPERSEDED, Reason.NEWER_LINK)
    site = site or Site.objects.filter(is_default_site=True).first()
    reset, _token = Issuer(origin=origin, by=by, site=site, language=language).link_of(account, purpose)
    reset.save(force_insert=True)
    return reset


def _promise_email(reset: PasswordReset, account: Member, *, by: Member | None) -> ResetEmail:
    # Two people who click at once cause one mail: what still waits is brought forward.
    waiting = ResetEmail.objects.filter(reset=reset, state=EmailState.QUEUED).first()
    if waiting is not None:
        waiting.next_attempt_at = timezone.now()
        waiting.save(update_fields=["next_attempt_at"])
        return waiting
    return ResetEmail.objects.create(
        member=account,
        reset=reset,
        purpose=reset.purpose,
        requested_by=by,
        recipient=address_of(account),
        language=reset.language,
        site=reset.site,
    )
