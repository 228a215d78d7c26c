"""A first wave: the first emails of a large mailing leave, then it pauses by itself until somebody lets it go on."""

from __future__ import annotations

from django.db.models import F, Q

from .. import db
from ..models import EmailState, Mailing, MailingState, PauseReason, ResetEmail
from .pausing import pause_by_itself

FIRST_WAVE = 50
# From so many emails on a first wave is offered, and from so many a pace is suggested.
OFFERED_FROM, MANY = 500, 5000
# Of the pace that is suggested: over how many hours it spreads a mailing, and between which limits.
SPREAD, SLOWEST, FASTEST = 10, 500, 5000


def suggested_pace(emails: int) -> int:
    """Emails per hour at which so many leave within a working day, if that is not too fast for Gmail and Outlook."""
    return min(max(round(emails / SPREAD / 100) * 100, SLOWEST), FASTEST)


def take_places(mailing: Mailing, wanted: int) -> int:
    """How many of the emails wanted the first wave lets through, which are taken out of it; all where there is none."""
    if mailing.wave_left is None or wanted <= 0:
        return wanted

    def attempt() -> int:
        row = Mailing.objects.filter(pk=mailing.pk)
        # Written first, so that nobody else takes the same places.
        row.update(wave_left=F("wave_left"))
        left = row.values_list("wave_left", flat=True).first()
        if left is None:  # it has gone on meanwhile
            return wanted
        taken = min(left, wanted)
        row.update(wave_left=left - taken)
        return taken

    return db.retried(attempt)


def return_places(mailing: Mailing, number: int) -> None:
    """Of those taken, the places that were not used."""
    if mailing.wave_left is not None and number > 0:
        row = Mailing.objects.filter(pk=mailing.pk, wave_left__isnull=False)
        db.retried(lambda: row.update(wave_left=F("wave_left") + number))


def pause_after_wave(mailing_id: int) -> bool:
    """
    Pause a mailing whose first wave has left; whether this call did.

    Emails that have to be tried again wait, too: those that were sent tell whether to go on.
    """
    over = Mailing.objects.filter(pk=mailing_id, state=MailingState.RUNNING, wave_left=0)
    under_way = Q(state=EmailState.SENDING) | Q(state=EmailState.QUEUED, attempts=0)
    if not over.exists() or ResetEmail.objects.filter(under_way, mailing=mailing_id).exists():
        return False
    return pause_by_itself(over, PauseReason.FIRST_WAVE)


def pause_all() -> None:
    """Pause those whose last worker died before it did."""
    for mailing_id in list(
        Mailing.objects.filter(state=MailingState.RUNNING, wave_left=0).values_list("pk", flat=True)
    ):
        pause_after_wave(mailing_id)
