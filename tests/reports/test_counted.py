"""What a mailing counts of its emails: each once, and for nothing that it has not done."""

import pytest

from tests.conftest import make_person
from tests.reports.test_webhook import report
from wagtail_member_reset import bad_addresses, mailings, outbox
from wagtail_member_reset.mailing import Choice, Kind, protection
from wagtail_member_reset.models import BadVerdict, EmailState, MailingState
from wagtail_member_reset.outbox.transport import Answer, Mailer, Result

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_connection")]

NAMES = ("handed_over", "failed", "delivered", "bounced", "hard_bounces", "complaints")
REFUSED = Result(answer=Answer.NEVER, code="invalid", text="No such address", provider="Postmark", is_certain=True)
HELD_BACK = {"event_type": "rejected", "reject_reason": "spam"}
NO_SUCH = {"event_type": "rejected", "reject_reason": "invalid"}


def started(number):
    keys = tuple(make_person(f"Member{each}").pk for each in range(number))
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=keys), by=None)
    mailings.start(mailing, wake=False)
    return mailing


def sent(number):
    mailing = started(number)
    outbox.drain()
    return mailing


def counts(mailing):
    mailing.refresh_from_db()
    return {name: getattr(mailing, name) for name in NAMES if getattr(mailing, name)}


@pytest.fixture
def refusing(monkeypatch):
    """The mail service refuses each email as it is handed over, until it `takes` them."""
    send = Mailer.send

    def refuse(mailer, content, *, to, public_id):
        return REFUSED

    monkeypatch.setattr(Mailer, "send", refuse)
    return lambda: monkeypatch.setattr(Mailer, "send", send)


def test_email_held_back_for_an_earlier_complaint_is_no_complaint_of_this_mailing(monkeypatch):
    monkeypatch.setattr(protection, "FEWEST", 1)
    mailing = sent(4)
    mailing.state = MailingState.RUNNING
    mailing.save(update_fields=["state"])
    first, second, third, _fourth = mailing.emails.order_by("pk")

    report(first, **HELD_BACK)
    report(second, **HELD_BACK)
    report(third, "complained")

    assert counts(mailing) == {"handed_over": 4, "bounced": 2, "delivered": 1, "complaints": 1}
    assert mailing.state == MailingState.RUNNING
    assert bad_addresses.known_bad(first.recipient).verdict == BadVerdict.COMPLAINT


def test_email_that_failed_counts_once_when_its_service_reports_the_same(refusing):
    mailing = sent(2)
    before = counts(mailing)

    for email in mailing.emails.all():
        report(email, **NO_SUCH)

    assert before == {"failed": 2, "hard_bounces": 2}
    assert counts(mailing) == before


def test_delivery_of_an_email_that_had_seemed_to_fail_takes_its_hard_bounce_back(refusing):
    mailing = sent(1)
    email = mailing.emails.get()

    report(email, **NO_SUCH)
    report(email, "delivered")

    assert counts(mailing) == {"failed": 1, "delivered": 1}


def test_email_that_try_again_replaced_counts_no_more_whatever_is_reported_of_it(refusing):
    mailing = sent(3)
    replaced = list(mailing.emails.all())
    report(replaced[0], "delivered")
    people = [email.member for email in replaced]
    for person in people:
        bad_addresses.forget(person.email)

    refusing()
    assert mailings.try_again(mailing) == 3
    assert counts(mailing) == {}
    outbox.drain()
    for email in replaced:
        report(email, **NO_SUCH)
    report(replaced[1], "delivered")

    assert counts(mailing) == {"handed_over": 3}
    assert mailing.emails.filter(state=EmailState.HANDED_OVER).count() == 3
