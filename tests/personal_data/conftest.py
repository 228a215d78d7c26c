import pytest

from tests.conftest import make_person
from wagtail_member_reset import bad_addresses, do_not_email, mailings, needs_help, outbox, resets
from wagtail_member_reset.mailing import Choice, Kind
from wagtail_member_reset.models import (
    BadVerdict,
    DeliveryEvent,
    DoNotEmailReason,
    MailingChunk,
    MailingUnmatched,
    NeedsHelp,
    ResetEmail,
)


@pytest.fixture
def other(db):
    return make_person("Otto2", password="old password 1")


@pytest.fixture
def everything(member, other, office, sent, by_hand):
    """A row of each kind about the member, and of most kinds about somebody else."""
    for person in (other, member):
        reset = sent(person)
        resets.note_shown(reset, by=office)
        resets.note_checked(person, by=office, answer="She knew her number")
        email = ResetEmail.objects.get(member=person)
        DeliveryEvent.objects.create(
            email=email, key="k", event_type="bounced", mta_response="550 no", happened_at=email.created_at
        )
        resets.request(person.email, network="203.0.113.7", site=None, language="en")
        bad_addresses.remember(person.email, BadVerdict.HARD_BOUNCE, cause="no_such_mailbox")
        do_not_email.note(person, reason=DoNotEmailReason.POST_ONLY, by=office)
        row, _made = NeedsHelp.objects.get_or_create(member=person)
        needs_help.deal_with(row, note="Has moved to Bonn", by=office)
    draft = mailings.draft(Choice(kind=Kind.IDS, ids=(member.pk, other.pk)), by=office, name="Renewal")
    MailingUnmatched.objects.create(
        mailing=draft, lines=[[3, "Mia <MIA@members.example>; x", "nobody"], [4, "zoe@x.example", "nobody"]], count=2
    )
    running = mailings.draft(Choice(kind=Kind.IDS, ids=(member.pk, other.pk)), by=office, name="News")
    mailings.start(running)
    assert MailingChunk.objects.exists()
    return draft, running


@pytest.fixture
def drained():
    return outbox.drain
