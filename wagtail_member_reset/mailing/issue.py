"""From a chunk of a mailing to the links and the promised mails of its members, all at once or not at all."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import Exists, F, OuterRef
from django.utils import timezone
from wagtail.models import Site

from .. import audit, db, ids, links
from ..accounts import Member, address_of, refusals, with_languages
from ..audit import with_changed_address
from ..exceptions import Refusal
from ..links import LOG_ACTIONS, Effect
from ..models import EmailState, MailingChunk, Origin, PasswordReset, Purpose, Reason, ResetEmail, SkipReason, State
from ..tokens import Token
from . import state

LIVE = "key_of_live_password_reset"
HAS_CHOSEN = "has_chosen_a_password_by_a_link"
# A mail, and the token of its link where that was just made.
Promised = tuple[ResetEmail, "Token | None"]

SKIPS = {
    Refusal.PASSWORDS_DISABLED: SkipReason.NOT_ALLOWED,
    Refusal.NOT_ALLOWED: SkipReason.NOT_ALLOWED,
    Refusal.INACTIVE: SkipReason.INACTIVE,
    Refusal.NO_ADDRESS: SkipReason.NO_ADDRESS,
}


def issue_chunk(chunk_id: int, *, lease: str, lease_until: datetime) -> tuple[int, list[Promised]] | None:
    """
    Write the links and mails of a chunk's members, the mails already claimed under `lease`.

    The key of the mailing, and the mails, with their links and members in memory, and the tokens of new
    links; on some databases without their keys. None when another worker had the chunk, when its turn
    has not come, or when its mailing is not going on.
    """
    chunks = MailingChunk.objects.select_related("mailing__site", "mailing__created_by").defer("mailing__choice")
    chunk = chunks.filter(pk=chunk_id).first()
    if chunk is None:
        return None
    site = chunk.mailing.site or Site.objects.filter(is_default_site=True).first()
    # Where a single send was faster for one member, the second attempt lets it be.
    has_conflicts = iter([False] + [True] * db.ATTEMPTS)

    def attempt() -> tuple[int, list[Promised]] | None:
        if not state.take(chunk):
            return None
        claim = {"state": EmailState.SENDING, "lease": lease, "lease_until": lease_until, "attempts": 1}
        return chunk.mailing_id, _Promises(chunk, site, claim).write(ignore_conflicts=next(has_conflicts))

    return db.retried(attempt)


class _Promises:
    def __init__(self, chunk: MailingChunk, site: Site | None, claim: dict[str, Any]) -> None:
        self.mailing = chunk.mailing
        self.is_reminder = self.mailing.origin == Origin.REMINDER
        self.issuer = links.Issuer(
            origin=Origin(self.mailing.origin), by=self.mailing.created_by, site=site, language=self.mailing.language
        )
        about_all = {"mailing": self.mailing, "requested_by": self.mailing.created_by, "site": site}
        self.promised = ResetEmail(**about_all, **claim)
        self.skipped = ResetEmail(
            **about_all, state=EmailState.SKIPPED, purpose=Purpose.RESET, language=self.mailing.language
        )
        self.members = _in_order(chunk.members)
        self.live = _live_links_of(self.members)
        self.skips: Counter[SkipReason] = Counter({SkipReason.GONE: len(chunk.members) - len(self.members)})
        self.replaced: list[int] = []
        self.issued: list[PasswordReset] = []
        # What is mailed, and what is done for it, in the order of the members.
        self.mailed: list[tuple[Member, PasswordReset, Effect, Token | None]] = []
        self.refusal_of = refusals()
        self.passed_over: list[tuple[Member, SkipReason]] = []

    def write(self, *, ignore_conflicts: bool) -> list[Promised]:
        for member in self.members:
            self._decide(member)
        if self.replaced:
            replaced = PasswordReset.objects.filter(pk__in=self.replaced, state=State.ACTIVE)
            replaced.update(
                state=State.SUPERSEDED,
                reason=Reason.NEWER_LINK,
                active_for=None,
                nonce=None,
                closed_at=timezone.now(),
            )
        if not db.insert(self.issued, ignore_conflicts=ignore_conflicts):
            self._read_keys()
        mails = [(self._mail(member, reset), token) for member, reset, _effect, token in self.mailed]
        db.insert([*(mail for mail, _token in mails), *(self._skipped(*pair) for pair in self.passed_over)])
        self._log()
        self.skips.update(reason for _member, reason in self.passed_over)
        state.count_emails(self.mailing.pk, Counter(), +self.skips)
        return mails

    def _decide(self, member: Member) -> None:
        live = self.live.get(member.pk)
        effect = links.effect_of_sending(live, member)
        if reason := self._reason_against(member, live, effect):
            self.passed_over.append((member, reason))
        elif live is not None and effect == Effect.SAME_LINK:
            live.member = member
            self.mailed.append((member, live, effect, None))
        else:
            self._issue(member, live, effect)

    def _reason_against(self, member: Member, live: PasswordReset | None, effect: Effect) -> SkipReason | None:
        if refusal := self.refusal_of(member):
            return SKIPS[refusal]
        if self.is_reminder:
            return _reason_against_reminding(member, live, effect)
        return SkipReason.LIVE_LINK if effect != Effect.NEW_LINK and not self.mailing.again else None

    def _issue(self, member: Member, old: PasswordReset | None, effect: Effect) -> None:
        if old is not None:
            self.replaced.append(old.pk)
        is_new = member.last_login is None and not vars(member)[HAS_CHOSEN]
        was_welcomed = old is not None and old.is_live and old.is_welcome
        reset, token = self.issuer.link_of(member, Purpose.WELCOME if is_new or was_welcomed else Purpose.RESET)
        self.issued.append(reset)
        self.mailed.append((member, reset, effect, token))

    def _read_keys(self) -> None:
        """Take in the keys of the rows written, and let go of those for whom a single send was faster."""
        selectors = [reset.selector for reset in self.issued]
        keys = dict(PasswordReset.objects.filter(selector__in=selectors).values_list("selector", "pk"))
        for reset in self.issued:
            reset.pk = keys.get(reset.selector)
        self.passed_over += [(member, SkipReason.LIVE_LINK) for member, reset, *_ in self.mailed if not reset.pk]
        self.mailed = [each for each in self.mailed if each[1].pk]

    def _mail(self, member: Member, reset: PasswordReset) -> ResetEmail:
        return db.like(
            self.promised,
            related={"member": member, "reset": reset},
            public_id=ids.new_public_id(),
            member_id=member.pk,
            reset_id=reset.pk,
            purpose=Purpose.REMINDER if self.is_reminder else reset.purpose,
            language=reset.language,
            recipient=address_of(member),
        )

    def _skipped(self, member: Member, reason: SkipReason) -> ResetEmail:
        return db.like(
            self.skipped,
            public_id=ids.new_public_id(),
            member_id=member.pk,
            recipient=address_of(member),
            skip_reason=reason,
        )

    def _log(self) -> None:
        """What a mail that was sent alone leaves behind: an entry, and one more where the sender chose the address."""
        by = self.mailing.created_by
        actions = [(member, LOG_ACTIONS[effect]) for member, _reset, effect, _token in self.mailed]
        flagged = with_changed_address([member for member, _action in actions], by=by)
        audit.record_many([*actions, *((member, "flag") for member in flagged)], mailing=self.mailing, by=by)


def _reason_against_reminding(member: Member, live: PasswordReset | None, effect: Effect) -> SkipReason | None:
    if live is None or effect == Effect.NEW_LINK or member.last_login:
        return SkipReason.LINK_CLOSED
    # A link that nobody planned to remind of is newer than the plan.
    return None if live.reminded_at else SkipReason.LIVE_LINK


def _in_order(keys: list[Any]) -> list[Member]:
    """
    The members that are still there, with their language, with the key of a link that they have, and with
    whether they have used one: an account that somebody has been in is not news to them.
    """
    used = PasswordReset.objects.filter(member=OuterRef("pk"), state=State.USED)
    found = get_user_model()._base_manager.filter(db.with_keys(keys))
    found = found.annotate(**{LIVE: F("live_password_reset"), HAS_CHOSEN: Exists(used)})
    return list(with_languages(found).order_by("pk"))


def _live_links_of(members: list[Member]) -> dict[Any, PasswordReset]:
    """By member. Most mailings are to members without one, who cost no query."""
    keys = [key for member in members if (key := vars(member)[LIVE])]
    found = PasswordReset.objects.filter(pk__in=keys).select_related("site") if keys else []
    return {reset.active_for_id: reset for reset in found}
