"""Putting an email into the outbox, together with the link that it brings: in one transaction, both or neither."""

from __future__ import annotations

from django.db.models import Q
from django.utils import timezone
from wagtail.models import Site

from .. import audit, db, links
from ..accounts import Member, address_of, language_of, refusal_for
from ..exceptions import Refusal, SendRefused
from ..links import Effect
from ..mailing import opens_at
from ..models import EmailState, MailingState, NeedsHelp, Origin, PasswordReset, Purpose, ResetEmail


def enqueue(
    member: Member,
    *,
    purpose: Purpose = Purpose.RESET,
    origin: Origin,
    by: Member | None = None,
    site: Site | None = None,
    keeps_site: bool = False,
    language: str = "",
    fresh: bool = False,
    expected: Effect | None = None,
) -> ResetEmail:
    """
    Write a link and the promise of its mail: the live link inside its window, else a new one.

    `fresh` asks for a new link in any case, and so does a `site` that is not the live link's, but where that
    `keeps_site`. Without a site, a new link is for that of the member's last one. `language` serves members without
    one of their own. One transaction, tried again when another writer was faster.

    Raises `SendRefused`, and `EffectChanged` when the outcome is not the `expected` one.
    """

    def attempt() -> ResetEmail:
        links.lock_first(member)
        account: Member = links.locked(member)
        if refusal := (refusal_for(account) if account else Refusal.INACTIVE):  # deleted meanwhile: nobody to mail
            raise SendRefused(refusal)
        # An account that was just created gets its welcome in any case.
        is_by_hand = by is not None and origin == Origin.STAFF and purpose != Purpose.WELCOME
        if is_by_hand and (refusal := links.refusal_of_staff(account, by=by)):
            raise SendRefused(refusal)
        reset, effect = links.take_up(
            account,
            fresh=fresh,
            expected=expected,
            purpose=purpose,
            origin=origin,
            by=by,
            site=site,
            keeps_site=keeps_site,
            language=language,
        )
        audit.record(account, links.LOG_ACTIONS[effect], by=by, origin=origin)
        if by is not None and audit.has_changed_address(account, by=by):
            audit.record(account, "flag", by=by, origin=None)
        # A link that was just made is in no email yet.
        waiting = None
        if effect == Effect.SAME_LINK:
            _speak(reset, language_of(account, language or reset.language))
            waiting = _brought_forward(reset, account)
            NeedsHelp.objects.look_again([account.pk])
        return waiting or _new_email(reset, account, origin=origin, by=by)

    return db.retried(attempt)


def _speak(reset: PasswordReset, language: str) -> None:
    """Another language for the link that is sent again, and for the page behind it: the member's, by now."""
    if language != reset.language:
        PasswordReset.objects.filter(pk=reset.pk).update(language=language)
        reset.language = language


def _brought_forward(reset: PasswordReset, account: Member) -> ResetEmail | None:
    """
    The email of the link that still waits, unless its mailing does not go on; now it waits no longer.

    Two people who click at once cause one email.
    """
    now = timezone.now()
    is_going = Q(mailing__state=MailingState.RUNNING) & ~Q(mailing__held_until__gt=now)
    queued = ResetEmail.objects.filter(Q(mailing=None) | is_going, reset=reset, state=EmailState.QUEUED)
    waiting = queued.select_related("mailing").defer("mailing__choice").first()
    if waiting is not None and waiting.mailing is not None and opens_at(waiting.mailing):
        return None  # that of the mailing leaves in its hours
    if waiting is not None:
        # The address may be spelled otherwise by now, and another language be asked for.
        waiting.next_attempt_at, waiting.recipient, waiting.language = now, address_of(account), reset.language
        waiting.save(update_fields=["next_attempt_at", "recipient", "language"])
    return waiting


def _new_email(reset: PasswordReset, account: Member, *, origin: Origin, by: Member | None) -> ResetEmail:
    return ResetEmail.objects.create(
        member=account,
        reset=reset,
        purpose=reset.purpose,
        origin=origin,
        requested_by=by,
        recipient=address_of(account),
        language=reset.language,
        site=reset.site,
    )
