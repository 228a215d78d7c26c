"""From what became of an email to what mailings know of its address."""

from datetime import timedelta

import pytest
from django.utils import timezone

from tests.reports.test_webhook import report
from wagtail_member_reset import bad_addresses
from wagtail_member_reset.models import BadVerdict

pytestmark = pytest.mark.django_db

NO_SUCH = "550 5.1.1 <mia@members.example>: Recipient address rejected: User unknown"
BOUNCED = {"event_type": "bounced", "mta_response": NO_SUCH, "reject_reason": "bounced"}


@pytest.fixture
def email(sent):
    return sent().emails.get()


def verdict(email):
    bad = bad_addresses.known_bad(email.recipient)
    return bad and (bad.verdict, bad.cause)


def at(hours):
    return {"timestamp": timezone.now() - timedelta(hours=hours)}


@pytest.mark.parametrize(
    ("said", "known"),
    [
        (BOUNCED, (BadVerdict.HARD_BOUNCE, "no_such_mailbox")),
        ({"event_type": "complained"}, (BadVerdict.COMPLAINT, "")),
        ({**BOUNCED, "mta_response": "552 5.2.2 Mailbox full"}, None),
        ({**BOUNCED, "mta_response": "550 5.7.1 Blocked: your server is on a block list"}, None),
        ({"event_type": "deferred", "mta_response": "451 4.2.0 try again later"}, None),
    ],
)
def test_report_makes_an_address_known_as_bad_for_what_is_the_addresss_own(email, said, known):
    report(email, **said)

    assert verdict(email) == known


def test_delivery_clears_a_bounce_that_came_before_it_and_no_other(email):
    report(email, **BOUNCED, **at(2))
    report(email, "delivered", **at(3))
    still = verdict(email)
    report(email, "delivered", **at(1))

    assert still == (BadVerdict.HARD_BOUNCE, "no_such_mailbox")
    assert verdict(email) is None


def test_delivery_clears_no_complaint(email):
    report(email, "complained", **at(2))
    report(email, "delivered", **at(1))

    assert verdict(email) == (BadVerdict.COMPLAINT, "")
