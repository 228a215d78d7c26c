"""From a chunk of a run to the links and the promised mails of its members, all at once or not at all."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.contrib.auth import get_user_model
from django.utils import timezone
from wagtail.models import Site

from . import audit, batches, inserts, ledger, tokens, turns
from .accounts import Member, address_of, refusal_for, with_changed_address
from .exceptions import Refusal
from .ledger import LOG_ACTIONS, Effect
from .models import BatchChunk, EmailState, Origin, PasswordReset, Purpose, Reason, ResetEmail, SkipReason, State

SKIPS = {
    Refusal.PASSWORDS_DISABLED: SkipReason.NOT_ALLOWED,
    Refusal.NOT_ALLOWED: SkipReason.NOT_ALLOWED,
    Refusal.INACTIVE: SkipReason.INACTIVE,
    Refusal.NO_ADDRESS: SkipReason.NO_ADDRESS,
}


def write(chunk_id: int, *, lease: str, lease_until: datetime) -> tuple[int, list[ResetEmail]] | None:
    """
    Write the links and mails of a chunk's members, the mails already claimed under `lease`.

    The key of the run, and the mails, with their links and members in memory; on some databases
    without their keys. None when another worker had the chunk, when its turn has not come, or when
    its run is not going on.
    """
    chunks = BatchChunk.objects.select_related("batch__site", "batch__created_by").defer("batch__choice")
    chunk = chunks.filter(pk=chunk_id).first()
    if chunk is None:
        return None
    site = chunk.batch.site or Site.objects.filter(is_default_site=True).first()
    # Where a single send was faster for one member, the second attempt lets it be.
    has_conflicts = iter([False] + [True] * turns.ATTEMPTS)

    def attempt() -> tuple[int, list[ResetEmail]] | None:
        if not batches.take(chunk):
            return None
        claim = {"state": EmailState.SENDING, "lease": lease, "lease_until": lease_until, "attempts": 1}
        return chunk.batch_id, _Promises(chunk, site, claim).write(ignore_conflicts=next(has_conflicts))

    return turns.retried(attempt)


class _Promises:
    def __init__(self, chunk: BatchChunk, site: Site | None, claim: dict[str, Any]) -> None:
        self.batch = chunk.batch
        self.is_reminder = self.batch.origin == Origin.REMINDER
        self.issuer = ledger.Issuer(
            origin=Origin(self.batch.origin), by=self.batch.created_by, site=site, language=self.batch.language
        )
        about_all = {"batch": self.batch, "requested_by": self.batch.created_by, "site": site}
        self.promised = ResetEmail(**about_all, **claim)
        self.skipped = ResetEmail(
            **about_all, state=EmailState.SKIPPED, purpose=Purpose.RESET, language=self.batch.language
        )
        self.members = _in_order(chunk.members)
        self.skips: Counter[SkipReason] = Counter({SkipReason.GONE: len(chunk.members) - len(self.members)})
        self.replaced: list[int] = []
        self.issued: list[PasswordReset] = []
        # What is mailed, and what is done for it, in the order of the members.
        self.mailed: list[tuple[PasswordReset, Effect]] = []
        self.passed_over: list[tuple[Member, SkipReason]] = []

    def write(self, *, ignore_conflicts: bool) -> list[ResetEmail]:
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
        if not inserts.insert(self.issued, ignore_conflicts=ignore_conflicts):
            self._read_keys()
        mails = [self._mail(reset) for reset, _effect in self.mailed]
        inserts.insert([*mails, *(self._skipped(*pair) for pair in self.passed_over)])
        self._log()
        self.skips.update(reason for _member, reason in self.passed_over)
        batches.count(self.batch.pk, Counter(), +self.skips)
        return mails

    def _decide(self, member: Member) -> None:
        live = getattr(member, "live_password_reset", None)
        effect = ledger.effect_of_sending(live, member)
        if reason := self._reason_against(member, live, effect):
            self.passed_over.append((member, reason))
        elif live is not None and effect == Effect.SAME_LINK:
            live.member = member
            self.mailed.append((live, effect))
        else:
            self._issue(member, live, effect)

    def _reason_against(self, member: Member, live: PasswordReset | None, effect: Effect) -> SkipReason | None:
        if refusal := refusal_for(member):
            return SKIPS[refusal]
        if self.is_reminder:
            return _reason_against_reminding(member, live, effect)
        return SkipReason.LIVE_LINK if effect != Effect.NEW_LINK and not self.batch.again else None

    def _issue(self, member: Member, old: PasswordReset | None, effect: Effect) -> None:
        if old is not None:
            self.replaced.append(old.pk)
        is_new = member.last_login is None or (old is not None and old.is_live and old.is_welcome)
        reset = self.issuer.link_of(member, Purpose.WELCOME if is_new else Purpose.RESET)
        self.issued.append(reset)
        self.mailed.append((reset, effect))

    def _read_keys(self) -> None:
        """Take in the keys of the rows written, and let go of those for whom a single send was faster."""
        selectors = [reset.selector for reset in self.issued]
        keys = dict(PasswordReset.objects.filter(selector__in=selectors).values_list("selector", "pk"))
        for reset in self.issued:
            reset.pk = keys.get(reset.selector)
        self.passed_over += [(reset.member, SkipReason.LIVE_LINK) for reset, _effect in self.mailed if not reset.pk]
        self.mailed = [pair for pair in self.mailed if pair[0].pk]

    def _mail(self, reset: PasswordReset) -> ResetEmail:
        email = inserts.like(
            self.promised,
            public_id=tokens.new_public_id(),
            member_id=reset.member_id,
            reset_id=reset.pk,
            purpose=Purpose.REMINDER if self.is_reminder else reset.purpose,
            language=reset.language,
            recipient=address_of(reset.member),
        )
        email.member, email.reset = reset.member, reset
        return email

    def _skipped(self, member: Member, reason: SkipReason) -> ResetEmail:
        return inserts.like(
            self.skipped,
            public_id=tokens.new_public_id(),
            member_id=member.pk,
            recipient=address_of(member),
            skip_reason=reason,
        )

    def _log(self) -> None:
        """What a mail that was sent alone leaves behind: an entry, and one more where the sender chose the address."""
        by = self.batch.created_by
        actions = [(reset.member, LOG_ACTIONS[effect]) for reset, effect in self.mailed]
        flagged = with_changed_address([reset.member for reset, _effect in self.mailed], by=by)
        audit.record_many([*actions, *((member, "flag") for member in flagged)], batch=self.batch, by=by)


def _reason_against_reminding(member: Member, live: PasswordReset | None, effect: Effect) -> SkipReason | None:
    if live is None or effect == Effect.NEW_LINK or member.last_login:
        return SkipReason.LINK_CLOSED
    # A link that nobody planned to remind of is newer than the plan.
    return None if live.reminded_at else SkipReason.LIVE_LINK


def _in_order(keys: list[Any]) -> list[Member]:
    """The members that are still there, with all that a decision needs, in one query."""
    model = get_user_model()
    joined = ["live_password_reset__site", *({"wagtail_userprofile"} & {field.name for field in _relations(model)})]
    found = model._base_manager.filter(pk__in=keys).select_related(*joined)
    return sorted(found, key=_position(keys))


def _relations(model: Any) -> Iterator[Any]:
    return (field for field in model._meta.get_fields() if field.is_relation)


def _position(keys: list[Any]) -> Any:
    positions = {str(key): index for index, key in enumerate(keys)}
    return lambda member: positions[str(member.pk)]
