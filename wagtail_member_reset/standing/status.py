"""Where a member stands: the latest mail with a link, its reset, what became of it, and what sending would do."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from django.db.models import OuterRef, Subquery
from django.utils import timezone

from .. import links, outbox, reports
from ..accounts import Member, address_of, refusal_for
from ..conf import conf
from ..exceptions import Refusal
from ..links import Effect
from ..models import Origin, PasswordReset, ResetEmail, State
from ..reports import Verdict, verdict_on
from .history import is_opening_doubtful


class Standing(str, Enum):
    """Where a member stands, in the one word that decides what the tab says."""

    NOTHING_SENT = "nothing_sent"
    WAITING = "waiting"
    QUIET = "quiet"
    USED = "used"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, kw_only=True)
class Status:
    """
    What staff are told of a member: the latest link, its latest mail, and what sending would do.

    A link that was handed out has no `email`, and no `verdict`, until it is mailed.
    """

    member: Member
    address: str
    refusal: Refusal | None
    standing: Standing
    effect: Effect
    reset: PasswordReset | None = None
    email: ResetEmail | None = None
    verdict: Verdict | None = None
    # Only where a person opened it, as far as can be told: scanners open links, too.
    is_opened: bool = False

    @property
    def is_live(self) -> bool:
        """Whether something may still become of the link, so that it is worth looking again."""
        return self.standing in (Standing.WAITING, Standing.QUIET)

    @property
    def is_sent_lately(self) -> bool:
        """Whether an email left within the status window: the same link again may have, long after its issue."""
        return self.email is not None and timezone.now() - self.email.created_at < conf.STATUS_WINDOW


def status(member: Member) -> Status:
    """
    Where the member stands. One query, and one for the reports of a mail that was sent, or for who was sent none;
    another one only where something has to be put right, and two where the link was opened.

    A look erases what may no longer be derivable, closes a link that the account has
    outgrown, and wakes delivery for a mail that is overdue.
    """
    refusal = refusal_for(member)
    reset, latest = _latest(member)
    if reset is not None:
        reset.member = member
        links.settle(reset, member)
        if reset.nonce is not None and not reset.is_in_window:
            links.erase_past_window()
        outbox.wake_overdue(latest)
    return Status(
        member=member,
        address=address_of(member),
        refusal=refusal,
        standing=_standing(reset),
        effect=links.effect_of_sending(reset, member),
        reset=reset,
        email=latest,
        verdict=_verdict(latest) if latest else None,
        is_opened=bool(reset and reset.opened_at and reset.is_live and not is_opening_doubtful(reset)),
    )


def _latest(member: Member) -> tuple[PasswordReset | None, ResetEmail | None]:
    """The member's latest link, and its latest mail; None for the mail of one that was handed out."""
    handed_out = PasswordReset.objects.filter(member=member.pk, origin=Origin.HANDED_OUT).order_by("-pk")
    emails = ResetEmail.objects.with_link().filter(member=member.pk, reset__isnull=False)
    # The keys of one member's links ascend: each is written after the one before has ended.
    newer = handed_out.filter(pk__gt=OuterRef("reset_id"))
    emails = emails.annotate(handed_out=Subquery(newer.values("pk")[:1]))
    email = (
        emails.select_related("reset", "reset__site__wagtail_member_reset_sender", "reset__issued_by")
        .order_by("-created_at", "-pk")
        .first()
    )
    if email is not None and vars(email)["handed_out"] is None:
        return email.reset, email
    return handed_out.select_related("site__wagtail_member_reset_sender", "issued_by").first(), None


def _standing(reset: PasswordReset | None) -> Standing:
    if reset is None or reset.state == State.SUPERSEDED:
        return Standing.NOTHING_SENT
    if reset.state == State.USED:
        return Standing.USED
    if reset.state == State.REVOKED:
        return Standing.REVOKED
    if reset.is_expired:
        return Standing.EXPIRED
    return Standing.WAITING if reset.is_in_window else Standing.QUIET


def _verdict(email: ResetEmail) -> Verdict:
    # A mail that waits for its first attempt has no reports.
    events = email.events.all() if email.attempts else []
    return verdict_on(email, events, reports=reports.reports(email.provider))
