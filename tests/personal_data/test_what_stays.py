"""What an erasure cannot be used for: to silence a notice, or to begin a limit anew."""

from datetime import timedelta
from itertools import permutations

import pytest
import time_machine
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from tests.conftest import grant, make_person
from wagtail_member_reset import links, mailings, outbox, personal_data, resets
from wagtail_member_reset.exceptions import Refusal, SendRefused
from wagtail_member_reset.mailing import Choice, Kind
from wagtail_member_reset.models import (
    Counted,
    EmailState,
    Origin,
    PasswordReset,
    Purpose,
    ResetEmail,
    ResetRequest,
    SkipReason,
    Tally,
)

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def used(member):
    member.last_login = timezone.now() - timedelta(days=3)
    member.save()
    return member


def mailed(mailoutbox):
    return [(mail.to[0], mail.subject) for mail in mailoutbox]


# A notice of a change is not silenced.


def test_notice_to_the_earlier_address_leaves_although_staff_erase_by_the_button(
    used, office, client, by_hand, mailoutbox
):
    former = used.email
    grant(office, "erase_passwordreset")
    resets.correct(used, address="thief@evil.example", by=office, tell_former=True)

    client.force_login(office)
    answer = client.post(reverse("wagtail_member_reset_admin:erase", args=[used.pk]))
    outbox.drain()

    assert answer.status_code == 302
    assert [to for to, _subject in mailed(mailoutbox)] == [former]


def test_notice_of_a_changed_password_leaves_although_the_person_is_erased(member, office, by_hand, mailoutbox):
    reset = resets.send(member, by=office)
    resets.redeem(resets.open(resets.link(reset)), password="a new password 5")
    ResetEmail.objects.filter(purpose=Purpose.RESET).delete()

    personal_data.erase(member, by=office)
    outbox.drain()

    assert [to for to, _subject in mailed(mailoutbox)] == [member.email]
    assert not PasswordReset.objects.exists()


STEPS = {
    "erase": lambda member, by: personal_data.erase(member, by=by),
    "again": lambda member, by: personal_data.erase(member, by=by),
    "correct": lambda member, by: resets.correct(member, address="thief@evil.example", by=by, tell_former=True),
}


@pytest.mark.parametrize("signs_in", [True, False])
@pytest.mark.parametrize("order", list(permutations(STEPS)), ids="-".join)
def test_no_order_of_clicks_silences_the_notice(member, office, by_hand, mailoutbox, order, signs_in):
    former, reset = member.email, resets.send(member, by=None)
    resets.redeem(resets.open(resets.link(reset)), password="a new password 5")
    outbox.drain()
    mailoutbox.clear()
    member.refresh_from_db()
    member.last_login = timezone.now() if signs_in else None
    member.save()

    for step in order:
        STEPS[step](member, office)
    outbox.drain()

    assert former in [to for to, _subject in mailed(mailoutbox)]


def test_notice_that_is_being_sent_holds_no_erasure_up(used, office, by_hand):
    resets.correct(used, address="two@members.example", by=office, tell_former=True)
    notices = ResetEmail.objects.filter(purpose=Purpose.ADDRESS_CHANGED)
    notices.update(state=EmailState.SENDING, lease="w", lease_until=timezone.now() + timedelta(minutes=1))

    personal_data.erase(used, by=office)

    [notice] = ResetEmail.objects.all()
    assert (notice.state, notice.lease, notice.skip_reason) == (EmailState.SENDING, "w", SkipReason.ERASED)


def test_notice_is_forgotten_a_day_after_it_has_left_and_not_before(used, office, by_hand, mailoutbox):
    resets.correct(used, address="two@members.example", by=office, tell_former=True)
    personal_data.erase(used, by=office)
    with time_machine.travel(timezone.now() + 2 * DAY, tick=False):
        call_command("purge_member_resets")
        waits = ResetEmail.objects.count()
        outbox.drain()
        call_command("purge_member_resets")

    assert (waits, len(mailoutbox), ResetEmail.objects.count()) == (1, 1, 0)


def test_other_notices_keep_their_time(used, office, by_hand):
    resets.correct(used, address="two@members.example", by=office, tell_former=True)
    outbox.drain()
    with time_machine.travel(timezone.now() + 2 * DAY, tick=False):
        call_command("purge_member_resets")

    assert ResetEmail.objects.filter(purpose=Purpose.ADDRESS_CHANGED).exists()


# A limit is not begun anew.


def sent_until_refused(send, person_of, erase, most=12):
    for number in range(most):
        person = person_of(number)
        try:
            send(person)
        except SendRefused as refused:
            return number, refused.refusal
        outbox.drain()
        erase(person)
    return most, None


@pytest.fixture
def few(settings):
    settings.WAGTAIL_MEMBER_RESET_STAFF_LIMITS = {"account": "3/d", "person": "5/d"}


@pytest.mark.parametrize("send", [resets.send, resets.hand_out], ids=["sent", "handed out"])
def test_account_gets_no_more_by_staff_although_it_is_erased_each_time(member, office, by_hand, few, send):
    found = sent_until_refused(
        lambda person: send(person, by=office),
        lambda _number: member,
        lambda person: personal_data.erase(person, by=office),
    )

    assert found == (3, Refusal.ACCOUNT_LIMIT)


@pytest.mark.parametrize("way", ["erased", "deleted"])
@pytest.mark.parametrize("send", [resets.send, resets.hand_out], ids=["sent", "handed out"])
def test_person_sends_no_more_although_each_account_is_erased_or_deleted(
    db, office, by_hand, few, send, way, django_capture_on_commit_callbacks
):
    def erase(person):
        with django_capture_on_commit_callbacks(execute=True):
            personal_data.erase(person, by=None) if way == "erased" else person.delete()

    found = sent_until_refused(
        lambda person: send(person, by=office), lambda number: make_person(f"Mia{number}"), erase
    )

    assert found == (5, Refusal.PERSON_LIMIT)


def test_limits_pass_with_time_and_the_purge_takes_what_was_counted(member, office, by_hand, few):
    for _time in range(3):
        resets.send(member, by=office)
        outbox.drain()
        personal_data.erase(member, by=office)

    with time_machine.travel(timezone.now() + DAY + timedelta(seconds=1), tick=False):
        resets.send(member, by=office)
        call_command("purge_member_resets")

    assert not Tally.objects.exists()


def test_strangers_cause_no_more_emails_although_the_account_is_erased(member, by_hand, mailoutbox):
    for number in range(15):
        with time_machine.travel(timezone.now() + number * timedelta(minutes=3), tick=False):
            resets.request(member.email, network=f"203.0.{number}.7", site=None, language="en")
            ResetRequest.objects.filter(address="").delete()  # so that the limit of the account is the one
            outbox.drain()
            personal_data.erase(member, by=None)

    assert len(mailoutbox) == 10


@pytest.mark.parametrize("way", ["erased", "deleted"])
def test_limit_of_an_address_on_the_website_stays(member, by_hand, settings, django_capture_on_commit_callbacks, way):
    settings.WAGTAIL_MEMBER_RESET_REQUEST_LIMITS = {"address": "3/h"}
    address = member.email
    for number in range(3):
        resets.request(address, network=f"203.0.{number}.7", site=None, language="en")

    with django_capture_on_commit_callbacks(execute=True):
        personal_data.erase(member, by=None) if way == "erased" else member.delete()
    resets.request(address, network="203.0.9.7", site=None, language="en")

    kept = ResetRequest.objects.values_list("address", "language", "site")
    assert list(kept) == [("", "", None)] * 3
    assert not ResetRequest.objects.filter(resolved_at=None).exists()


def test_mailings_write_no_more_to_an_account_that_is_erased(member, by_hand, few, mailoutbox):
    for _time in range(5):
        mailing = mailings.draft(Choice(kind=Kind.IDS, ids=(member.pk,)), by=None, again=True)
        mailings.start(mailing)
        outbox.drain()
        personal_data.erase(member, by=None)

    assert len(mailoutbox) == 3
    assert list(mailing.skips.values_list("reason", "count")) == [(SkipReason.ACCOUNT_LIMIT, 1)]


def test_notices_of_one_account_go_out_five_times_a_day_also_with_erasures(used, office, by_hand):
    told = 0
    for number in range(8):
        personal_data.erase(used, by=office)
        PasswordReset.objects.create(**used_link(used))
        told += resets.tell_former_address(used, address=f"old{number}@members.example", by=office)
        outbox.drain()

    assert told == 5


def used_link(member):
    now = timezone.now()
    told = {"recipient": member.email, "language": "en", "state": "used", "used_at": now, "issued_at": now}
    proof = {"selector": str(now.timestamp())[-12:], "verifier": "", "key_id": "", "password_mark": ""}
    return {**told, **proof, "member": member, "purpose": "reset", "origin": "staff", "expires_at": now + DAY}


def test_what_never_left_and_what_does_not_count_is_not_counted(member, office, by_hand):
    resets.send(member, by=office, origin=Origin.IMPORT)
    ResetEmail.objects.create(member=member, purpose=Purpose.PASSWORD_CHANGED, recipient="x@y.example", language="en")
    ResetEmail.objects.create(
        member=member, purpose="reset", recipient="x@y.example", language="en", state="skipped", requested_by=office
    )
    old = timezone.now() - DAY - timedelta(seconds=1)
    ResetEmail.objects.create(
        member=member, purpose="reset", recipient="x@y.example", language="en", state="handed_over", created_at=old
    )

    personal_data.erase(member, by=office)

    assert not Tally.objects.exists()


def test_what_counts_is_all_that_stays_of_it_and_the_person_is_told(member, office, by_hand):
    resets.send(member, by=office)
    outbox.drain()

    personal_data.erase(member, by=office)

    [told] = personal_data.export(member)["counted"]
    assert told["kind"]["code"] == Counted.STAFF
    assert set(told) == {"kind", "counted_at"}
    assert {field.name for field in Tally._meta.fields} == {"id", "member", "by", "kind", "counted_at"}


def test_deleted_account_leaves_a_count_for_who_sent_and_no_key(
    member, office, by_hand, django_capture_on_commit_callbacks
):
    resets.send(member, by=office)
    outbox.drain()
    personal_data.erase(member, by=office)
    for by in (None, office):
        resets.send(member, by=by)
        outbox.drain()

    with django_capture_on_commit_callbacks(execute=True):
        member.delete()

    assert list(Tally.objects.values_list("member", "by", "kind")) == [(None, office.pk, "staff")] * 2
    assert links.refusal_of_staff(office, by=office) is None


def test_who_sent_and_is_deleted_along_leaves_no_count(
    member, office, by_hand, django_user_model, django_capture_on_commit_callbacks
):
    resets.send(member, by=office)
    resets.send(office, by=office)
    outbox.drain()

    with django_capture_on_commit_callbacks(execute=True):
        django_user_model.objects.filter(pk__in=[member.pk, office.pk]).delete()

    assert not Tally.objects.exists()
