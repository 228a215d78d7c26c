"""Who is told by email when a mailing ends or pauses by itself: who started it, and who has asked for it."""

from __future__ import annotations

from ..accounts import Member, address_of, may_send_mailings
from ..models import Mailing, MailingState

# Who started a mailing is told of its end from so many members on: else its page is still open.
SMALLEST_TOLD = 50


def watch(mailing: Mailing, person: Member, *, wants: bool) -> None:
    """Tell the person, or no more. Said twice is said once."""
    if wants:
        mailing.watchers.add(person.pk)
    else:
        mailing.watchers.remove(person.pk)


def is_watching(mailing: Mailing, person: Member) -> bool:
    return mailing.watchers.filter(pk=person.pk).exists()


def told_of(mailing: Mailing) -> list[Member]:
    """
    Whom to tell now, each once: those who have an address, may sign in, and may still send mailings.

    Of the end of a small one, who started it is not told without asking.
    """
    people = list(mailing.watchers.order_by("pk"))
    is_large = mailing.state != MailingState.FINISHED or mailing.chosen >= SMALLEST_TOLD
    starter = mailing.created_by
    if is_large and starter is not None and starter.pk not in {person.pk for person in people}:
        people.insert(0, starter)
    return [person for person in people if person.is_active and may_send_mailings(person) and address_of(person)]
