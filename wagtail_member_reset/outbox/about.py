"""Of whom our own server speaks where it refuses an email: of every one, or of this one alone."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum

from django.db.models import Q
from django.utils import timezone

from ..models import EmailState, MailingChunk, ResetEmail
from ..reports import Cause, Whose
from .failures import Result

# How long one email waits for a limit to be over.
LONGEST_FOR_LIMIT = timedelta(days=2)


class About(Enum):
    """Whom a refusal by our own server is about."""

    ALL = "all"
    ONE = "one"
    # The same again of one email, before another of its mailing was tried: that one will tell.
    UNTOLD = "untold"


def about(email: ResetEmail, result: Result) -> About | None:
    """
    None where the answer is the member's, or where it does not say whether it is about all.

    What was said once is about all. If the same is said again, and another email of the mailing was taken in between,
    it is about that one; so it is, in the end, for the last one of a mailing that reached others. All answers before it
    have to be written down. Costs a few quick queries where it is said again.
    """
    if result.whose == Whose.MEMBER or not result.is_sure:
        return None
    if email.mailing_id is None or not _is_said_again(email, result):
        return About.ALL
    others = ResetEmail.objects.filter(mailing=email.mailing_id).exclude(public_id=email.public_id)
    if others.filter(handed_over_at__gt=email.refused_at).exists():
        return About.ONE
    untried = Q(state=EmailState.QUEUED, attempts=0) | Q(state=EmailState.SENDING, attempts=1)
    is_left = others.filter(untried).exists() or MailingChunk.objects.filter(mailing=email.mailing_id).exists()
    if is_left:
        return About.UNTOLD
    # Somebody has resumed the mailing, or no limit lasts so long; and there is no other left that could tell.
    has_waited = result.whose == Whose.MEND or timezone.now() - email.created_at > LONGEST_FOR_LIMIT
    is_last = has_waited and not others.unsent().exists()
    return About.ONE if is_last and others.filter(state=EmailState.HANDED_OVER).exists() else About.ALL


def _is_said_again(email: ResetEmail, result: Result) -> bool:
    """Before the server has heard whom it is for, only what an email holds can be about it alone."""
    may_be_about_one = result.is_addressed or result.cause == Cause.CONTENT_REFUSED
    return may_be_about_one and email.refused_at is not None and email.result_cause == result.cause.value
