"""What a service's own event still holds where Anymail's has flattened it, and what that comes to."""

import itertools
import json
from datetime import datetime, timedelta, timezone

import pytest
from anymail.signals import AnymailTrackingEvent, tracking

from tests.conftest import make_person
from wagtail_member_reset import mailings, outbox
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import DeliveryEvent, Mailing, ResetEmail
from wagtail_member_reset.reports import services
from wagtail_member_reset.reports.verdict import Cause, Outcome, of_event, verdict_on
from wagtail_member_reset.standing import Step, stories

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
LATER = NOON + timedelta(minutes=30)


@pytest.fixture
def email(sent):
    found = sent().emails.get()
    ResetEmail.objects.update(provider="Amazon SES", message_id="4711")
    found.refresh_from_db()
    return found


def report(email, event_type, *, service="Amazon SES", at=NOON, **said):
    about = {"recipient": email.recipient, "metadata": {"member_reset": str(email.public_id)}, "timestamp": at}
    event = AnymailTrackingEvent(**{"event_type": event_type, **about, **said})
    tracking.send(sender=None, event=event, esp_name=service)


def outcome(email):
    found = verdict_on(email, email.events.all(), reports=True)
    return found.outcome, found.cause


SOFT = [
    ("MailerSend", {"esp_event": {"data": {"type": "soft_bounced"}}, "description": "Unknown reason"}),
    ("Brevo", {"esp_event": {"event": "soft_bounce"}}),
    ("Mandrill", {"esp_event": {"event": "soft_bounce", "msg": {"bounce_description": "general"}}}),
    ("Postmark", {"esp_event": {"Type": "SoftBounce"}, "description": "i.e. mailbox full, account disabled"}),
    ("Mailjet", {"esp_event": {"hard_bounce": False, "error": "connection issue"}}),
    ("SendGrid", {"esp_event": {"type": "blocked"}}),
    ("SparkPost", {"esp_event": {"msys": {"message_event": {"bounce_class": "40"}}}}),
    ("Resend", {"esp_event": {"data": {"bounce": {"type": "Transient", "subType": "General"}}}}),
    ("Amazon SES", {"description": "Transient: General"}),
    ("Amazon SES", {"description": "Transient: MailboxFull"}),
    ("Unknown", {"mta_response": "451 4.3.0 later"}),
]
HARD = [
    ("MailerSend", {"esp_event": {"data": {"type": "hard_bounced"}}}),
    ("Brevo", {"esp_event": {"event": "hard_bounce"}}),
    ("Postmark", {"esp_event": {"Type": "HardBounce"}}),
    ("Mailjet", {"esp_event": {"hard_bounce": True, "error": "user unknown"}}),
    ("SendGrid", {"esp_event": {"type": "bounce"}}),
    ("Amazon SES", {"description": "Permanent: General"}),
    ("Unknown", {"mta_response": "550 5.1.1 unknown"}),
    ("Unknown", {}),
]


@pytest.mark.parametrize(("service", "said"), SOFT, ids=str)
@pytest.mark.parametrize("order", [("bounced", "delivered"), ("delivered", "bounced")])
def test_delivery_outranks_a_soft_bounce_whichever_came_first(email, service, said, order):
    for kind, at in zip(order, (NOON, LATER), strict=True):
        report(email, kind, service=service, at=at, **(said if kind == "bounced" else {}))

    assert outcome(email) == (Outcome.DELIVERED, Cause.NONE)


@pytest.mark.parametrize(("service", "said"), SOFT, ids=str)
def test_soft_bounce_alone_is_a_bounce(email, service, said):
    report(email, "bounced", service=service, **said)

    assert outcome(email)[0] == Outcome.BOUNCED


@pytest.mark.parametrize(("service", "said"), HARD, ids=str)
def test_hard_bounce_outranks_a_delivery(email, service, said):
    report(email, "delivered", service=service)
    report(email, "bounced", service=service, at=LATER, **said)

    assert outcome(email)[0] == Outcome.BOUNCED


def test_what_is_said_in_whatever_order_comes_to_the_same():
    told = [
        DeliveryEvent(event_type="delivered", happened_at=NOON),
        DeliveryEvent(event_type="bounced", description="Transient: General", happened_at=LATER),
        DeliveryEvent(event_type="bounced", description="Permanent: General", happened_at=LATER),
        DeliveryEvent(event_type="deferred", happened_at=NOON),
    ]

    assert len({verdict_on(ResetEmail(), order, reports=True) for order in itertools.permutations(told)}) == 1


def test_absence_note_after_a_delivery_is_a_note(email, member):
    report(email, "delivered")
    report(email, "bounced", at=LATER, description="Transient: General")

    entries = stories(member)[0].entries
    assert outcome(email) == (Outcome.DELIVERED, Cause.NONE)
    assert [entry.note for entry in entries if entry.step == Step.NOTED] == ["autoresponded"]


def test_bounce_before_any_delivery_is_no_absence_note(email, member):
    report(email, "bounced", description="Transient: General")
    report(email, "delivered", at=LATER)

    assert [entry for entry in stories(member)[0].entries if entry.step == Step.NOTED] == []


@pytest.mark.parametrize(
    ("service", "said"),
    [
        ("Amazon SES", {"description": "not-spam"}),
        ("Amazon SES", {"description": "auth-failure"}),
        ("SparkPost", {"esp_event": {"msys": {"message_event": {"fbtype": "not-spam"}}}}),
    ],
)
def test_feedback_that_is_no_complaint_decides_nothing(email, service, said):
    report(email, "delivered", service=service)
    report(email, "complained", service=service, at=LATER, **said)

    assert outcome(email) == (Outcome.DELIVERED, Cause.NONE)
    assert DeliveryEvent.objects.count() == 2


@pytest.mark.parametrize("description", ["", "abuse", "fraud", "virus", "other"])
def test_other_feedback_is_a_complaint(email, description):
    report(email, "complained", description=description)

    assert outcome(email)[0] == Outcome.COMPLAINED


def test_complaint_by_the_suppression_list_says_that_nothing_was_sent(email):
    report(email, "complained", esp_event={"complaint": {"complaintSubType": "OnAccountSuppressionList"}})

    assert outcome(email) == (Outcome.NOT_SENT, Cause.SPAM)


@pytest.mark.parametrize(
    ("service", "said", "expected"),
    [
        ("Amazon SES", {"eventType": "DeliveryDelay"}, Outcome.DELAYED),
        ("Mandrill", {"event": "delivered"}, Outcome.DELIVERED),
        ("MailerSend", {"data": {"type": "deferred"}}, Outcome.DELAYED),
        ("Resend", {"type": "email.failed"}, Outcome.FAILED),
        ("Resend", {"type": "email.suppressed"}, Outcome.NOT_SENT),
        ("Amazon SES", {"eventType": "Subscription"}, Outcome.HANDED_OVER),
        ("Amazon SES", {"eventType": ["odd"]}, Outcome.HANDED_OVER),
        ("Mandrill", "odd", Outcome.HANDED_OVER),
        ("Mandrill", None, Outcome.HANDED_OVER),
    ],
)
def test_event_that_anymail_does_not_know_is_read_in_the_services_own_words(email, service, said, expected):
    report(email, "unknown", service=service, esp_event=said)

    assert outcome(email)[0] == expected


@pytest.mark.parametrize(
    ("service", "said", "cause"),
    [
        ("Amazon SES", {"description": "Permanent: NoEmail"}, Cause.NO_SUCH_MAILBOX),
        ("Amazon SES", {"description": "Transient: MailboxFull"}, Cause.MAILBOX_FULL),
        ("Amazon SES", {"description": "Transient: ContentRejected"}, Cause.UNWANTED_CONTENT),
        ("Amazon SES", {"description": "Transient: AttachmentRejected"}, Cause.UNWANTED_CONTENT),
        ("Mailjet", {"esp_event": {"error": "user unknown"}}, Cause.NO_SUCH_MAILBOX),
        ("Mailjet", {"esp_event": {"error": "quota exceeded"}}, Cause.MAILBOX_FULL),
        ("Mailjet", {"esp_event": {"error": "no mail host"}}, Cause.NO_SUCH_MAILBOX),
        ("Mailjet", {"esp_event": {"error": "relay/access denied"}}, Cause.NO_SUCH_MAILBOX),
        ("Mailjet", {"esp_event": {"error": "sender blocked"}}, Cause.UNWANTED),
        ("Mailjet", {"esp_event": {"error": "content blocked"}}, Cause.UNWANTED_CONTENT),
        ("Mailjet", {"esp_event": {"error": "policy issue"}}, Cause.UNWANTED),
        ("Mandrill", {"esp_event": {"msg": {"bounce_description": "mailbox_full"}}}, Cause.MAILBOX_FULL),
        ("Mandrill", {"esp_event": {"msg": {"bounce_description": "invalid_domain"}}}, Cause.NO_SUCH_MAILBOX),
        ("Mandrill", {"esp_event": {"msg": {"bounce_description": "bad_mailbox"}}}, Cause.NO_SUCH_MAILBOX),
        ("Unisender Go", {"description": "err_user_unknown"}, Cause.NO_SUCH_MAILBOX),
        ("Unisender Go", {"description": "err_mailbox_full"}, Cause.MAILBOX_FULL),
        ("Unisender Go", {"description": "err_unreachable"}, Cause.GAVE_UP),
        ("Unisender Go", {"description": "err_blacklisted"}, Cause.UNWANTED),
        ("SparkPost", {"esp_event": {"msys": {"message_event": {"bounce_class": "10"}}}}, Cause.NO_SUCH_MAILBOX),
        ("SparkPost", {"esp_event": {"msys": {"message_event": {"bounce_class": "22"}}}}, Cause.MAILBOX_FULL),
        ("SparkPost", {"esp_event": {"msys": {"message_event": {"bounce_class": "24"}}}}, Cause.GAVE_UP),
        ("SparkPost", {"esp_event": {"msys": {"message_event": {"bounce_class": "54"}}}}, Cause.NO_SUCH_MAILBOX),
        (
            "Resend",
            {"esp_event": {"data": {"bounce": {"type": "Transient", "subType": "MailboxFull"}}}},
            Cause.MAILBOX_FULL,
        ),
        # What is told of all bounces of a type, with causes as examples and advice.
        ("Postmark", {"description": "Unable to deliver (ex: unknown user, mailbox full)."}, Cause.NONE),
        (
            "Resend",
            {"description": "The provider sent a hard bounce message. Invalid email addresses harm your reputation."},
            Cause.NONE,
        ),
        # The mail server's own answer tells more than the service's word for it.
        (
            "Mailjet",
            {"esp_event": {"error": "user unknown"}, "mta_response": "552 5.2.2 mailbox full"},
            Cause.MAILBOX_FULL,
        ),
    ],
    ids=str,
)
def test_own_word_of_a_service_is_a_cause(email, service, said, cause):
    report(email, "bounced", service=service, **said)

    assert of_event(DeliveryEvent.objects.get()).cause == cause


# Whose report it is


@pytest.mark.parametrize(
    ("stored", "reported"),
    [
        ("una+club@members.example", "una@members.example"),
        ("una@members.example", "<una@members.example>"),
        ("una@members.example", "Una Sample <una@members.example>"),
        ("una@members.example", "rfc822;una@members.example"),
        ("una@members.example", "'una@members.example'"),
        ("una@members.example", "UNA@mail.members.example"),
        ("una+club@members.example", "<Una@Members.example>"),
        ("una@m\u00fcnchen.example", "<una@xn--mnchen-3ya.example>"),
    ],
)
def test_our_own_id_is_proof_enough_with_a_recipient_that_a_server_rewrote(sent, stored, reported):
    email = sent(make_person("Uma", email=stored)).emails.get()

    report(email, "bounced", recipient=reported)

    assert DeliveryEvent.objects.get().email == email


@pytest.mark.parametrize(
    "recipient",
    [
        "otto@members.example",
        "mia@elsewhere.example",
        "mia@xmembers.example",
        "",
        None,
        "<>",
        "@members.example",
        "+club@members.example",
        "mia",
        "<" + "@" * 100_000,
        "mia@members.example" * 5000,
    ],
)
def test_report_for_somebody_else_is_passed_over_even_with_our_id(email, recipient):
    report(email, "bounced", recipient=recipient)

    assert not DeliveryEvent.objects.exists()


def test_recipient_that_was_rewritten_needs_our_own_id(sent):
    email = sent(make_person("Uma", email="uma+club@members.example")).emails.get()
    ResetEmail.objects.update(provider="Amazon SES", message_id="4711")

    report(email, "bounced", recipient="uma@members.example", metadata={}, message_id="4711")

    assert not DeliveryEvent.objects.exists()


def test_report_for_a_mail_of_another_site_on_the_same_account_changes_nothing(email):
    other = {"member_reset": "01939b5e-0000-7000-8000-000000000001"}

    report(email, "bounced", metadata=other, message_id="4711")
    report(email, "bounced", metadata=None, message_id="another")

    assert not DeliveryEvent.objects.exists()


# Many that refuse what we are


@pytest.fixture
def mailing(settings, mailoutbox):
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "command"
    for number in range(24):
        make_person(f"Member{number}", email=f"m{number}@d{number % 6}.example")
    found = mailings.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=None)
    mailings.start(found)
    outbox.drain()
    Mailing.objects.update(state="running", finished_at=None)  # as if some were still to come
    return found


def bounce(mailing, answers):
    for number, (email, answer) in enumerate(zip(mailing.emails.order_by("pk"), answers, strict=False)):
        kind = "bounced" if answer else "delivered"
        report(email, kind, event_id=str(number), mta_response=answer)
    mailing.refresh_from_db()
    return mailing.state


SPF, LISTED, FULL = "550 5.7.23 SPF check failed", "554 5.7.1 blocked using bl.example", "552 5.2.2 mailbox full"


@pytest.mark.parametrize(
    ("answers", "state"),
    [
        ([SPF] * 10, "paused"),
        ([SPF] * 9, "running"),
        ([SPF] * 9 + [""] + [SPF] * 9, "running"),
        ([SPF] * 9 + [FULL] + [SPF] * 9, "running"),
        ([SPF] * 5 + [LISTED] * 5, "paused"),
        ([FULL] * 20, "running"),
    ],
)
def test_ten_in_a_row_that_refuse_us_pause_the_mailing(mailing, answers, state):
    assert bounce(mailing, answers) == state


def test_ten_of_four_domains_do_not(mailing):
    for number, email in enumerate(mailing.emails.order_by("pk")):
        ResetEmail.objects.filter(pk=email.pk).update(recipient=f"x{number}@d{number % 4}.example")

    assert bounce(mailing, [SPF] * 12) == "running"


@pytest.mark.slow
def test_mailing_that_goes_on_pauses_again_for_another_answer_alone(mailing):
    bounce(mailing, [SPF] * 10)
    Mailing.objects.update(state="running")  # as by who resumes it, while some are still to come
    again = bounce(mailing, [SPF] * 12)
    other = bounce(mailing, [SPF] * 12 + ["552 5.7.0 content presents a potential security issue"] * 10)

    assert (again, other) == ("running", "paused")
    assert "as unwanted" in mailings.progress(mailing).why_paused


def test_records_read_json_of_any_shape():
    for service in services.SERVICES.values():
        for said in (None, [], {}, "text", 5, {"msys": {}}, {"msys": []}, json.loads('{"data": {"bounce": [1]}}')):
            assert isinstance(service.word_in(said), (str, type(None)))
            assert service.kind_of(said) == ""
