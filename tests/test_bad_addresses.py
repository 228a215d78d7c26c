from datetime import timedelta

import pytest
from django.utils import timezone

from tests.conftest import make_person
from wagtail_member_reset import bad_addresses, db, ids, mailings, outbox, resets, tokens
from wagtail_member_reset.mailing import Choice, Kind
from wagtail_member_reset.models import BadAddress, BadVerdict, SkipReason

pytestmark = pytest.mark.django_db
BOUNCE, COMPLAINT = BadVerdict.HARD_BOUNCE, BadVerdict.COMPLAINT
EARLIER = timedelta(hours=1)


def verdicts(*addresses):
    return {address: bad.verdict for address, bad in bad_addresses.known_bad_among(addresses).items()}


def test_an_address_is_known_by_each_of_its_spellings_and_kept_in_none():
    bad_addresses.remember("Mia@München.example", BOUNCE, cause="no_such_mailbox")

    assert bad_addresses.known_bad("mia@xn--mnchen-3ya.example").cause == "no_such_mailbox"
    spellings = ["MIA@münchen.EXAMPLE", "Mia@München.example", "ida@münchen.example"]
    assert verdicts(*spellings) == dict.fromkeys(spellings[:2], BOUNCE)
    [row] = BadAddress.objects.values()
    assert not [value for value in row.values() if "mia" in str(value) or "example" in str(value)]


def test_what_is_known_is_forgotten_after_90_days():
    bad_addresses.remember("mia@club.example", BOUNCE, at=timezone.now() - bad_addresses.KEPT)
    bad_addresses.remember("ida@club.example", COMPLAINT)

    assert verdicts("mia@club.example", "ida@club.example") == {"ida@club.example": COMPLAINT}
    assert bad_addresses.purge() == 1
    assert BadAddress.objects.count() == 1


def test_a_complaint_outlasts_bounces_and_deliveries():
    bad_addresses.remember("mia@club.example", BOUNCE)
    bad_addresses.remember("mia@club.example", COMPLAINT, at=timezone.now() - EARLIER)
    bad_addresses.remember("mia@club.example", BOUNCE, at=timezone.now())

    assert bad_addresses.forget("mia@club.example") is False
    assert verdicts("mia@club.example") == {"mia@club.example": COMPLAINT}


def test_a_second_complaint_is_kept_for_90_days_of_its_own():
    now = timezone.now()
    bad_addresses.remember("mia@club.example", COMPLAINT, at=now - timedelta(days=80))
    bad_addresses.remember("mia@club.example", COMPLAINT, at=now)
    bad_addresses.remember("mia@club.example", COMPLAINT, at=now - timedelta(days=40))

    assert bad_addresses.known_bad("mia@club.example").happened_at == now


def test_a_complaint_that_is_over_hides_no_new_bounce():
    bad_addresses.remember("mia@club.example", COMPLAINT, at=timezone.now() - bad_addresses.KEPT)
    bad_addresses.remember("mia@club.example", BOUNCE)

    assert verdicts("mia@club.example") == {"mia@club.example": BOUNCE}


def test_a_complaint_that_is_told_at_the_same_moment_as_a_bounce_stands(monkeypatch):
    insert = db.insert

    def insert_late(rows, **options):
        monkeypatch.setattr(db, "insert", insert)
        bad_addresses.remember("mia@club.example", BOUNCE)
        insert(rows, **options)

    monkeypatch.setattr(db, "insert", insert_late)
    bad_addresses.remember("mia@club.example", COMPLAINT)

    assert verdicts("mia@club.example") == {"mia@club.example": COMPLAINT}


def test_a_bounce_is_forgotten_for_what_came_later_alone():
    bounced_at = timezone.now() - EARLIER
    bad_addresses.remember("mia@club.example", BOUNCE, at=bounced_at)

    assert bad_addresses.forget("mia@club.example", until=bounced_at - EARLIER) is False
    assert bad_addresses.forget("MIA@club.example", until=bounced_at) is True
    assert verdicts("mia@club.example") == {}


def test_digests_of_many_are_those_of_one():
    assert ids.digester("kind")("mia") == ids.digest("kind", "mia")


def test_bad_addresses_are_passed_over_in_preview_and_mailing_and_counted(by_hand, mailoutbox):
    mia, ida, una = make_person("Mia"), make_person("Ida"), make_person("Una")
    bad_addresses.remember(mia.email.upper(), BOUNCE)
    bad_addresses.remember(ida.email, COMPLAINT)
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=(mia.pk, ida.pk, una.pk)), by=None)
    skipped = {SkipReason.NO_SUCH_ADDRESS: 1, SkipReason.COMPLAINED: 1}

    shown = mailings.preview(mailing)
    mailings.start(mailing, wake=False)
    outbox.drain()

    assert (shown.emails, shown.skips, shown.samples) == (1, skipped, [una])
    assert [message.to for message in mailoutbox] == [[una.email]]
    assert mailings.progress(mailing).skips == skipped


def test_a_password_set_by_the_link_clears_a_bounce(sent, member):
    reset = sent()
    bad_addresses.remember(member.email, BOUNCE)

    resets.redeem(resets.open(tokens.mint(reset)), password="a new password 9")

    assert verdicts(member.email) == {}
