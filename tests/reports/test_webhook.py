"""The receiver of reports: one row for each fact, whatever is thrown at it, and nothing else."""

import random
import threading
from datetime import datetime, timedelta, timezone

import pytest
from anymail.signals import AnymailTrackingEvent, EventType, tracking
from django.contrib.auth import get_user_model
from django.core import mail
from django.db import connection, connections, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone as now

from tests.conftest import make_person
from wagtail_member_reset import mailings, outbox, resets
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import DeliveryEvent, PasswordReset, ResetEmail
from wagtail_member_reset.reports.verdict import verdict_on
from wagtail_member_reset.signals import delivery_changed

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
IN_ASCII, IN_LETTERS = "mia@xn--mnchen-3ya.example", "mia@m\u00fcnchen.example"
TYPES = [value for name, value in vars(EventType).items() if name.isupper()]


def event(email, event_type="delivered", **said):
    about = {"recipient": email.recipient, "metadata": {"member_reset": str(email.public_id)}, "timestamp": NOON}
    return AnymailTrackingEvent(**{"event_type": event_type, **about, **said})


def report(email, event_type="delivered", *, esp_name="Postmark", **said):
    tracking.send(sender=None, event=event(email, event_type, **said), esp_name=esp_name)


@pytest.fixture
def email(sent):
    found = sent().emails.get()
    ResetEmail.objects.update(provider="Postmark", message_id="4711")
    found.refresh_from_db()
    return found


@pytest.fixture
def announced():
    heard = []

    def listen(sender, email, **kwargs):
        heard.append(email.pk)

    delivery_changed.connect(listen)
    yield heard
    delivery_changed.disconnect(listen)


def kept():
    return DeliveryEvent.objects.get()


ODD = [
    {"event_id": None},
    {"timestamp": None},
    {"timestamp": datetime(2026, 11, 23, 12)},  # noqa: DTZ001
    {"timestamp": "yesterday"},
    {"timestamp": datetime(9999, 12, 31, tzinfo=timezone.utc)},
    {"timestamp": datetime(1, 1, 1, tzinfo=timezone.utc)},
    {"event_type": "brand_new"},
    {"reject_reason": "x" * 5000},
    {"mta_response": "a\x00b\ud800c\x1b[31m"},
    {"mta_response": "x" * 1_000_000},
    {"mta_response": {"code": 550}},
    {"mta_response": b"550"},
    {"description": "\u202e550 reversed"},
    {"event_id": 17},
    {"event_id": ["a", "list"]},
    {"event_id": "x" * 10_000},
    {"recipient": "MIA@Members.Example"},
    {"recipient": "  mia@members.example "},
    {"metadata": None, "message_id": "4711"},
    {"metadata": [1, 2], "message_id": 4711},
    {"metadata": "member_reset", "message_id": "4711"},
    {"metadata": {"member_reset": None}, "message_id": "4711"},
    {"metadata": {"member_reset": "junk"}, "message_id": "4711"},
    {"message_id": None},
    {"message_id": 17.5},
    {"tags": None},
]
NOT_OURS = [
    {"recipient": None},
    {"recipient": "otto@members.example"},
    {"recipient": ["mia@members.example"]},
    {"recipient": ""},
    {"metadata": None},
    {"metadata": None, "message_id": ""},
    {"metadata": [], "message_id": "4712"},
    {"metadata": {"member_reset": "01939b5e-0000-7000-8000-000000000001"}, "message_id": "4711"},
    {"event_type": "inbound"},
    {"event_type": "inbound_failed"},
]


@pytest.mark.parametrize("said", ODD, ids=str)
def test_odd_report_is_kept_once(email, said):
    for _ in range(3):
        report(email, **said)

    found = kept()
    assert found.email == email
    assert found.happened_at <= now.now()
    assert max(len(found.mta_response), len(found.description)) <= 500
    assert found.mta_response.isprintable()


@pytest.mark.parametrize("said", NOT_OURS, ids=str)
def test_report_that_is_not_about_the_mail_is_passed_over(email, said, announced):
    report(email, **said)

    assert not DeliveryEvent.objects.exists()
    assert announced == []


def test_report_of_another_service_with_the_same_id_is_passed_over(email):
    report(email, metadata=None, message_id="4711", esp_name="Mailgun")

    assert not DeliveryEvent.objects.exists()


@pytest.mark.parametrize(
    "reported", ["mia@xn--mnchen-3ya.example", "mia@m\u00fcnchen.example", "Mia@M\u00dcNCHEN.example"]
)
@pytest.mark.parametrize("stored", ["mia@xn--mnchen-3ya.example", "mia@m\u00fcnchen.example"])
def test_international_domain_is_the_same_in_either_form(sent, stored, reported):
    email = sent(make_person("Uma", email=stored)).emails.get()

    report(email, recipient=reported)

    assert kept().email == email


def test_two_mails_with_one_id_of_the_service_are_told_apart_by_recipient(email, imported_member, sent):
    other = sent(imported_member).emails.get()
    ResetEmail.objects.update(provider="Postmark", message_id="mailing")
    other.refresh_from_db()

    report(other, metadata=None, message_id="mailing")

    assert kept().email == other


@pytest.mark.slow
def test_report_sent_a_thousand_times_counts_and_is_announced_once(
    email, announced, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        for _ in range(1000):
            report(email, event_id=None)

    assert kept().email == email
    assert announced == [email.pk]


def test_each_new_fact_is_announced_after_the_commit(email, announced, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        report(email, "sent")
        report(email, "delivered")
        before_the_commit = list(announced)

    assert (before_the_commit, announced) == ([], [email.pk, email.pk])


def test_nothing_is_announced_of_a_report_that_was_rolled_back(email, announced):
    with transaction.atomic():
        report(email)
        transaction.set_rollback(True)

    assert not DeliveryEvent.objects.exists()
    assert announced == []


def test_thousand_openings_leave_twenty_and_hide_no_bounce(email):
    for number in range(100):
        report(email, "opened", event_id=str(number))
    report(email, "bounced", event_id="last")

    assert DeliveryEvent.objects.filter(event_type="opened").count() == 20
    assert DeliveryEvent.objects.filter(event_type="bounced").count() == 1


@pytest.mark.parametrize("gone", ["reset", "member"])
def test_report_of_what_is_gone_is_passed_over(email, gone):
    said = event(email)
    (PasswordReset if gone == "reset" else get_user_model())._base_manager.filter(
        pk=email.reset_id if gone == "reset" else email.member_id
    ).delete()

    tracking.send(sender=None, event=said, esp_name="Postmark")

    assert not DeliveryEvent.objects.exists()


@pytest.mark.parametrize("kind", TYPES)
def test_report_changes_nothing_but_its_own_row(email, member, kind):
    def everything():
        models = (PasswordReset, ResetEmail, get_user_model())
        return [list(model._base_manager.order_by("pk").values()) for model in models], len(mail.outbox)

    before = everything()

    report(email, kind, reject_reason="spam")

    assert everything() == before
    assert resets.link(email.reset)


def test_receiver_that_fails_says_so_in_the_log_and_not_to_the_service(email, caplog, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("quoting a secret")

    monkeypatch.setattr(DeliveryEvent.objects, "get_or_create", broken)

    report(email)

    assert "was not recorded: RuntimeError" in caplog.text
    assert "quoting a secret" not in caplog.text


def test_reports_that_overtake_the_hand_over_count(member):
    resets.send(member, by=None)
    email = ResetEmail.objects.get()
    ResetEmail.objects.update(state="sending", attempts=1)

    report(email)

    assert resets.status(member).verdict.outcome.value == "delivered"


@pytest.mark.slow
def test_four_thousand_shuffled_reports_leave_the_right_state_at_one_price(member, django_assert_num_queries):
    rng = random.Random(4)
    mails = [
        ResetEmail(
            member=member,
            purpose="reset",
            recipient=member.email,
            language="en",
            state="handed_over",
            attempts=1,
            provider="Postmark",
            message_id=f"id-{number}",
            result_code="sent",
            handed_over_at=NOON,
        )
        for number in range(200)
    ]
    ResetEmail.objects.bulk_create(mails)
    mails = list(ResetEmail.objects.order_by("pk"))
    kinds = ["queued", "sent", "deferred", "deferred", "opened", "clicked", "delivered"]
    ends = ["delivered", "bounced", "complained", "rejected", "failed", "unsubscribed", "opened"]
    wanted, reports = {}, []
    for number, email in enumerate(mails):
        facts = [*kinds[: rng.randrange(1, len(kinds))], ends[number % len(ends)]]
        said = [event(email, kind, event_id=f"{number}-{place}") for place, kind in enumerate(facts)]
        wanted[email.pk] = {(fact.event_type, fact.event_id) for fact in said}
        reports += said
    reports += rng.choices(reports, k=4_000 - len(reports))
    rng.shuffle(reports)

    with CaptureQueriesContext(connection) as first:
        tracking.send(sender=None, event=reports[0], esp_name="Postmark")
    for said in reports[1:]:
        tracking.send(sender=None, event=said, esp_name="Postmark")
    last = event(mails[0], "complained", event_id="the last")
    with CaptureQueriesContext(connection) as later:
        tracking.send(sender=None, event=last, esp_name="Postmark")

    assert DeliveryEvent.objects.count() == sum(map(len, wanted.values())) + 1
    for email in ResetEmail.objects.prefetch_related("events").order_by("pk")[1:]:
        facts = [DeliveryEvent(event_type=kind, happened_at=NOON) for kind, _id in wanted[email.pk]]
        assert (
            verdict_on(email, email.events.all(), reports=True).outcome
            == verdict_on(email, facts, reports=True).outcome
        )
    # Notes are counted first, and a complaint is kept against its address.
    assert abs(len(first) - len(later)) <= 4
    for query in later.captured_queries:
        if connection.vendor == "sqlite" and query["sql"].startswith("SELECT"):
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN QUERY PLAN " + query["sql"])
                assert "SCAN" not in str(cursor.fetchall())


@pytest.mark.django_db(transaction=True, serialized_rollback=True)
def test_same_report_at_once_in_many_processes_counts_once(member):
    resets.send(member, by=None)
    outbox.drain()
    email = ResetEmail.objects.get()
    start = threading.Barrier(8)

    def deliver():
        try:
            start.wait()
            for number in range(5):
                report(email, "bounced", event_id=str(number))
        finally:
            connections.close_all()

    threads = [threading.Thread(target=deliver, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert DeliveryEvent.objects.count() == 5


def test_old_report_keeps_its_time_and_one_to_come_gets_ours(email):
    report(email, "sent", timestamp=NOON - timedelta(days=400))
    report(email, "delivered", timestamp=now.now() + timedelta(days=1))

    old, new = DeliveryEvent.objects.order_by("happened_at")
    assert old.happened_at == NOON - timedelta(days=400)
    assert new.happened_at <= now.now()


class TestRun:
    """A mailing counts what was reported of its mails: each mail once, for the latest word on it."""

    @pytest.fixture
    def run(self, settings, mailoutbox):
        settings.WAGTAIL_MEMBER_RESET_DELIVERY = "command"
        make_person("Ina"), make_person("Ole")
        mailing = mailings.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=None)
        mailings.start(mailing)
        outbox.drain()
        return mailing

    @staticmethod
    def counts(mailing):
        mailing.refresh_from_db()
        return mailing.delivered, mailing.bounced

    def test_delivered_and_bounced_mails_are_counted(self, run):
        one, other = run.emails.all()

        report(one, "delivered")
        report(other, "bounced")

        assert self.counts(run) == (1, 1)

    def test_what_is_said_twice_counts_once(self, run):
        one = run.emails.first()

        for event_id in ("a", "a", "b"):
            report(one, "delivered", event_id=event_id)

        assert self.counts(run) == (1, 0)

    def test_a_bounce_after_a_delivery_takes_its_place(self, run):
        one = run.emails.first()

        report(one, "delivered")
        report(one, "bounced")

        assert self.counts(run) == (0, 1)

    @pytest.mark.parametrize("seed", range(5))
    def test_the_order_does_not_matter(self, run, seed):
        one, other = run.emails.all()
        said = [(one, "sent"), (one, "deferred"), (one, "delivered"), (one, "opened"), (one, "complained")]
        said += [(other, "delivered"), (other, "delivered"), (other, "bounced"), (other, "opened")]
        random.Random(seed).shuffle(said)

        for number, (mail_, event_type) in enumerate(said):
            report(mail_, event_type, event_id=str(number))

        assert self.counts(run) == (1, 1)

    def test_notes_count_for_nothing(self, run):
        for event_type in ("queued", "sent", "deferred", "opened", "clicked", "unknown"):
            report(run.emails.first(), event_type)

        assert self.counts(run) == (0, 0)

    def test_a_mail_of_no_mailing_counts_for_none(self, run, email):
        report(email, "delivered")

        assert self.counts(run) == (0, 0)
