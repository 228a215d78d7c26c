"""From a chunk of a mailing to the links and emails of its members, all at once or not at all."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

from django.contrib.auth import get_user_model
from django.db import DatabaseError, InterfaceError, InternalError, transaction
from django.db.models import F
from django.utils import timezone
from wagtail.models import Site

from .. import audit, db, ids, links
from ..accounts import Member, address_of, ask_languages, has_set_password, refusals, with_languages
from ..exceptions import MemberResetError, Refusal
from ..links import LOG_ACTIONS, Effect
from ..models import (
    EmailState,
    Mailing,
    MailingChunk,
    NeedsHelp,
    Origin,
    PasswordReset,
    Purpose,
    Reason,
    ResetEmail,
    SkipReason,
    State,
)
from ..tokens import Token
from . import chunks, counters, known_bad, left_out, pace, state
from .purpose import purpose_of_new_link
from .whose_site import site_of

logger = logging.getLogger("wagtail_member_reset")

LIVE = "key_of_live_password_reset"
HAS_CHOSEN = "has_chosen_a_password_by_a_link"
LEFT_OUT = "reason_to_leave_out"
LISTED = "key_among_who_needs_help"
# An email, and the token of its link where that was just made.
Issued = tuple[ResetEmail, "Token | None"]

SKIPS = {
    Refusal.PASSWORDS_DISABLED: SkipReason.NOT_ALLOWED,
    Refusal.NOT_ALLOWED: SkipReason.NOT_ALLOWED,
    Refusal.INACTIVE: SkipReason.INACTIVE,
    Refusal.NO_ADDRESS: SkipReason.NO_ADDRESS,
}


class IssuedChunk(NamedTuple):
    """The key of the mailing, and its emails that are to be sent now."""

    mailing_id: int
    emails: list[Issued]


class _AskedInVain(MemberResetError):
    """Asking about a member may have ended the transaction; the chunk is written again, with more care."""


def issue_chunk(chunk_id: int, *, lease: str, lease_until: datetime) -> IssuedChunk | None:
    """
    Write the links and emails of a chunk's members, as many as the mailing's limit lets through, claimed under `lease`.

    The emails come with their links and members in memory, and with the tokens of new links; on some databases
    without their keys. None when there was nothing to take: another worker had the chunk, its turn has not come, or it
    could not be written, and then waits for another attempt. Never raises for what is wrong with a member, who then
    fails alone; raises when the database is away.
    """
    chunk = (
        MailingChunk.objects.select_related("mailing__site__wagtail_member_reset_sender", "mailing__created_by")
        .defer("mailing__choice")
        .filter(pk=chunk_id)
        .first()
    )
    if chunk is None:
        return None
    state.measure_if_idle(chunk.mailing)
    if not (room := pace.reserve(chunk.mailing, len(chunk.members))).emails:
        return None
    issued = None
    try:
        issued = _write(chunk, room.emails, {"lease": lease, "lease_until": lease_until})
    except Exception as error:
        chunks.set_back(chunk, error)
    pace.give_back(chunk.mailing, room, used=len(issued or ()))
    return None if issued is None else IssuedChunk(chunk.mailing_id, issued)


def _write(chunk: MailingChunk, number: int, claim: dict[str, Any]) -> list[Issued] | None:
    site = site_of(chunk.mailing)
    # Where a single send was faster for one member, the second attempt lets it be. Where the site's rule met an error
    # of the database, each member is asked about in a savepoint of their own, since it may have ended the transaction.
    has_conflicts = is_careful = False

    def attempt() -> list[Issued] | None:
        nonlocal has_conflicts
        ignore_conflicts, has_conflicts = has_conflicts, True
        keys = chunks.take(chunk, number)
        return _Issuing(chunk, keys, site, claim, is_careful).write(ignore_conflicts=ignore_conflicts) if keys else None

    try:
        return db.retried(attempt)
    except (_AskedInVain, InternalError):  # the latter where the rule hides the error, and all statements then fail
        has_conflicts, is_careful = False, True
        return db.retried(attempt)


@dataclass
class _Issuing:
    """The members of one chunk, on their way to links and emails. Used within one transaction, and once."""

    chunk: MailingChunk
    keys: list[Any]
    site: Site | None
    claim: dict[str, Any]
    # Whether what fails in the database for one member must be kept from the others.
    is_careful: bool
    replaced: list[int] = field(default_factory=list)
    issued: list[PasswordReset] = field(default_factory=list)
    # What is mailed, and what is done for it, in the order of the members.
    mailed: list[tuple[Member, PasswordReset, Effect, Token | None]] = field(default_factory=list)
    # Who gets no email, and what their row says instead.
    unmailed: list[tuple[Member, dict[str, Any]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.mailing: Mailing = self.chunk.mailing
        self.is_reminder = self.mailing.origin == Origin.REMINDER
        self.again = self.mailing.again or self.chunk.again
        self.included = known_bad.included_in(self.mailing)
        self.refusal_of = refusals()
        self.issuer = links.Issuer(
            origin=Origin(self.mailing.origin),
            by=self.mailing.created_by,
            site=self.site,
            language=self.mailing.language,
        )
        by, origin = self.mailing.created_by, self.mailing.origin
        about_all = {"mailing": self.mailing, "origin": origin, "requested_by": by, "site": self.site}
        self.sending = ResetEmail(**about_all, **self.claim, state=EmailState.SENDING, attempts=1)
        self.not_sent = ResetEmail(**about_all, purpose=Purpose.RESET, language=self.mailing.language)

    def write(self, *, ignore_conflicts: bool) -> list[Issued]:
        members = _in_order(self.keys, self.mailing)
        live = _live_links_of(members)
        self.bad = known_bad.bad_among(map(known_bad.recipient_of, members))
        for member in members:
            self._decide(member, live.get(member.pk))
        if self.replaced:
            replaced = PasswordReset.objects.filter(pk__in=self.replaced, state=State.ACTIVE)
            replaced.update(**links.ending(State.SUPERSEDED, Reason.NEWER_LINK, at=timezone.now()))
        if not db.insert(self.issued, ignore_conflicts=ignore_conflicts):
            self._read_keys()
        emails = [(self._email(member, reset), token) for member, reset, _effect, token in self.mailed]
        db.insert([*(email for email, _token in emails), *(self._unsent(*each) for each in self.unmailed)])
        if listed := [email.member_id for email, _token in emails if vars(email.member)[LISTED]]:
            NeedsHelp.objects.look_again(listed)
        self._log()
        self._count(gone=len(self.keys) - len(members))
        return emails

    def _decide(self, member: Member, live: PasswordReset | None) -> None:
        try:
            with transaction.atomic(using=db.alias()) if self.is_careful else nullcontext():
                decided = self._decision(member, live)
        except (DatabaseError, InterfaceError) as error:
            if not self.is_careful:
                raise _AskedInVain from error
            if transaction.get_rollback(using=db.alias()):
                raise  # not even the savepoint could be gone back to
            self._fail(member, error)
        except Exception as error:
            self._fail(member, error)
        else:
            decided()

    def _decision(self, member: Member, live: PasswordReset | None) -> Callable[[], None]:
        effect = links.effect_of_sending(live, member)
        if reason := self._reason_against(member, live, effect):
            return partial(self._skip, member, reason)
        if live is not None and effect == Effect.SAME_LINK:
            live.member = member
            return partial(self.mailed.append, (member, live, effect, None))
        return partial(self._issue, member, live, effect, *self._new_link(member, live))

    def _reason_against(self, member: Member, live: PasswordReset | None, effect: Effect) -> SkipReason | None:
        if refusal := self.refusal_of(member):
            return SKIPS[refusal]
        if reason := vars(member)[LEFT_OUT]:
            return SkipReason(reason)
        if self.bad and (bad := self.bad.get(address_of(member))) and not self.included.has(member.pk, bad):
            return bad.reason
        if self.is_reminder and not self.chunk.again:
            return _reason_against_reminding(member, live, effect)
        # Who was not reminded at first, say for a new address, and has come in since or before.
        if self.is_reminder and _has_got_in(member):
            return SkipReason.LINK_CLOSED
        return SkipReason.LIVE_LINK if effect != Effect.NEW_LINK and not self.again else None

    def _new_link(self, member: Member, old: PasswordReset | None) -> tuple[PasswordReset, Token]:
        reset, token = self.issuer.link_of(member, purpose_of_new_link(old, has_got_in=_has_got_in(member)))
        if old is not None and self.is_reminder:  # of a link that said where it leads, and in which language
            reset.site, reset.language = old.site, old.language
        return reset, token

    def _issue(
        self, member: Member, old: PasswordReset | None, effect: Effect, reset: PasswordReset, token: Token
    ) -> None:
        if old is not None:
            self.replaced.append(old.pk)
        self.issued.append(reset)
        self.mailed.append((member, reset, effect, token))

    def _skip(self, member: Member, reason: SkipReason) -> None:
        self.unmailed.append((member, {"state": EmailState.SKIPPED, "skip_reason": reason}))

    def _fail(self, member: Member, error: Exception) -> None:
        logger.error("mailing=%s member=%s failed", self.mailing.pk, member.pk, exc_info=error)
        told = {**chunks.FAILED, "result_text": type(error).__name__, "attempts": 1}
        self.unmailed.append((member, told))

    def _read_keys(self) -> None:
        """Take in the keys of the rows written, and let go of those for whom a single send was faster."""
        selectors = [reset.selector for reset in self.issued]
        keys = dict(PasswordReset.objects.filter(selector__in=selectors).values_list("selector", "pk"))
        for reset in self.issued:
            reset.pk = keys.get(reset.selector)
        for member, reset, *_rest in self.mailed:
            if not reset.pk:
                self._skip(member, SkipReason.LIVE_LINK)
        self.mailed = [each for each in self.mailed if each[1].pk]

    def _email(self, member: Member, reset: PasswordReset) -> ResetEmail:
        related: dict[str, Any] = {"member": member, "reset": reset, "site": reset.site}
        return db.copy_of(
            self.sending,
            related=related,
            public_id=ids.new_public_id(),
            member_id=member.pk,
            reset_id=reset.pk,
            purpose=Purpose.REMINDER if self.is_reminder else reset.purpose,
            language=reset.language,
            site_id=reset.site_id,
            recipient=address_of(member),
        )

    def _unsent(self, member: Member, told: dict[str, Any]) -> ResetEmail:
        told |= {"public_id": ids.new_public_id(), "member_id": member.pk, "recipient": known_bad.recipient_of(member)}
        return db.copy_of(self.not_sent, **told)

    def _count(self, *, gone: int) -> None:
        skips = Counter({SkipReason.GONE: gone})
        skips.update(told["skip_reason"] for _member, told in self.unmailed if "skip_reason" in told)
        failed = sum(told["state"] == EmailState.FAILED for _member, told in self.unmailed)
        counters.count(self.mailing.pk, skips=skips, failed=failed)

    def _log(self) -> None:
        """The entries that an email sent alone has: one, and one more where the sender chose the address."""
        by = self.mailing.created_by
        actions = [(member, LOG_ACTIONS[effect]) for member, _reset, effect, _token in self.mailed]
        flagged = audit.with_changed_address([member for member, _action in actions], by=by)
        audit.record_many([*actions, *((member, "flag") for member in flagged)], mailing=self.mailing, by=by)


def _reason_against_reminding(member: Member, live: PasswordReset | None, effect: Effect) -> SkipReason | None:
    if live is None or effect == Effect.NEW_LINK or _has_got_in(member):
        return SkipReason.LINK_CLOSED
    # A link that nobody planned to remind of is newer than the plan.
    return None if live.reminded_at else SkipReason.LIVE_LINK


def _has_got_in(member: Member) -> bool:
    return bool(member.last_login or vars(member)[HAS_CHOSEN])


def _in_order(keys: list[Any], mailing: Mailing) -> list[Member]:
    """
    The members that are still there: with their language, the key of a link that they have, whether they have used one
    (an account that was used is not news to them), why the mailing leaves them out, and their row of who needs help.
    """
    found = get_user_model()._base_manager.filter(db.with_keys(keys))
    about: dict[str, Any] = {LIVE: F("wagtail_member_reset_live"), LISTED: F("wagtail_member_reset_needs_help")}
    about |= {HAS_CHOSEN: has_set_password(), LEFT_OUT: left_out.reason_to_leave_out(mailing)}
    return ask_languages(with_languages(found.annotate(**about)).order_by("pk"))


def _live_links_of(members: list[Member]) -> dict[Any, PasswordReset]:
    """By member. Most mailings are to members without one, who cost no query."""
    keys = [key for member in members if (key := vars(member)[LIVE])]
    found = PasswordReset.objects.filter(pk__in=keys).select_related("site")
    return {reset.active_for_id: reset for reset in (found if keys else [])}
