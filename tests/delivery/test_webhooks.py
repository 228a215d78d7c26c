"""Real reports of real mail services, posted to Anymail's real views, end in the right sentence."""

import json

import pytest
from anymail.signals import AnymailTrackingEvent, EventType, RejectReason, tracking
from django.db import connection
from django.urls import reverse

from tests.conftest import use_backend
from wagtail_member_reset import delivery, resets
from wagtail_member_reset.models import DeliveryEvent, PasswordReset, ResetEmail
from wagtail_member_reset.staff import wording
from wagtail_member_reset.staff.wording import words
from wagtail_member_reset.verdicts import Cause, Outcome

from . import providers

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid"),
]

SERVICES = {
    "Postmark": providers.postmark,
    "Mailgun": providers.mailgun,
    "Amazon SES": providers.amazon_ses,
    "SendGrid": providers.sendgrid,
    "Brevo": providers.brevo,
    "Mailjet": providers.mailjet,
    "SparkPost": providers.sparkpost,
    "Resend": providers.resend,
}
# As each service gives them when it takes a mail.
MESSAGE_IDS = {"Mailgun": "<20261123.1.ABC@club.example>", "Mailjet": "1152921504606846976"}
DELIVERED = "Mia’s mail server accepted the email. If Mia cannot see it, ask to look in spam and promotions."
DELAYED = (
    "Mia’s mail server asked to try again later. The mail service keeps trying. Urgent? Send the link another way."
)
NO_MAILBOX = (
    "Mia’s mail server says that this address does not exist. Check it for typing mistakes and correct it, "
    "or send the link another way."
)
FULL = "Mia’s mailbox is full. Ask Mia to make room and send again, use another address, or send the link another way."
UNWANTED = (
    "Mia’s mail server refused the email as unwanted, which is about our sender and not about the address. "
    "Tell your administrator to check SPF, DKIM and DMARC; meanwhile, send the link another way."
)
REFUSED = "Mia’s mail server refused the email. Check the address, or send the link another way."
COMPLAINED = (
    "Mia or their mail app marked the email as spam. Do not send again by email; "
    "talk to Mia and send the link another way."
)
ACCEPTED = "The mail service has accepted the email and will send it shortly."
SENT = "The mail service has sent the email. We are waiting for Mia’s mail server to answer."
NOT_SENT = "The mail service did not send the email: "
BOUNCED_BEFORE = NOT_SENT + (
    "earlier emails to this address came back. Check the address, then ask your administrator to remove it from the "
    "mail service’s block list, or send the link another way."
)
INVALID = NOT_SENT + "the address is not a valid email address. Correct it, or send the link another way."
BLOCKED = NOT_SENT + ("it blocks this address or our sender. Tell your administrator, and send the link another way.")
SPAM = NOT_SENT + (
    "an earlier one was marked as spam, so the mail service protects this address. "
    "Talk to Mia, and send the link another way."
)
UNSUBSCRIBED = NOT_SENT + (
    "Mia has unsubscribed there. Ask your administrator to lift this, or send the link another way."
)
NO_REASON = NOT_SENT + "no reason was given. Check the address, or send the link another way."
FAILED = (
    "The mail service could not send the email because of a problem on our side. Try again; if it happens again, "
    "tell your administrator. Meanwhile, send the link another way."
)
COMMON = {
    "delivered": ("Delivered", DELIVERED),
    "delayed": ("Delayed", DELAYED),
    "no_mailbox": ("Bounced", NO_MAILBOX),
    "full": ("Bounced", FULL),
    "unwanted": ("Bounced", UNWANTED),
    "complained": ("Marked as spam", COMPLAINED),
    "opened": ("Sent", SENT),
}
ALSO = [
    ("Amazon SES", "sent", ("Sent", SENT)),
    ("Amazon SES", "rejected", ("Not sent", BLOCKED)),
    ("SendGrid", "queued", ("Sent", SENT)),  # what the service said first goes further
    ("SendGrid", "suppressed", ("Not sent", BOUNCED_BEFORE)),
    ("SendGrid", "invalid", ("Not sent", INVALID)),
    ("SendGrid", "unsubscribed", ("Not sent", UNSUBSCRIBED)),
    ("Brevo", "blocked", ("Not sent", BLOCKED)),
    ("Brevo", "failed", ("Failed", FAILED)),
    ("Mailjet", "spam_reporter", ("Not sent", SPAM)),
    ("Mailjet", "typo", ("Not sent", INVALID)),
    ("SparkPost", "rejected", ("Not sent", NO_REASON)),
    ("Resend", "sent", ("Sent", SENT)),
    ("Resend", "bounced", ("Bounced", REFUSED)),
]
LACKS = {("Amazon SES", "delayed"), ("Resend", "no_mailbox"), ("Resend", "unwanted")}
CASES = [(s, kind, said) for s in SERVICES for kind, said in COMMON.items() if (s, kind) not in LACKS] + ALSO


@pytest.fixture(autouse=True)
def site(settings):
    settings.ROOT_URLCONF = "tests.urls_with_webhooks"
    settings.ANYMAIL = providers.KEYS


@pytest.fixture
def mailed(member, settings):
    """A mail that a service has taken."""

    def by(service, person=member):
        use_backend(settings, "anymail.backends.test.EmailBackend")
        resets.send(person, by=None)
        delivery.drain()
        email = ResetEmail.objects.order_by("pk").last()
        message_id = MESSAGE_IDS.get(service, f"id-{email.pk}")
        ResetEmail.objects.filter(pk=email.pk).update(provider=service, message_id=message_id, result_code="sent")
        return ResetEmail.objects.get(pk=email.pk)

    return by


def path_of(service):
    return reverse(f"anymail:{service.lower().replace(' ', '_')}_tracking_webhook")


def post(client, service, kind, email, *, secret=providers.SECRET, body=None, **changes):
    about = {"recipient": email.recipient, "message_id": email.message_id, "metadata": id_of(email), **changes}
    said, content_type, headers = SERVICES[service](kind, **about)
    headers = {**headers, **(providers.authorization(secret) if secret else {})}
    return client.post(path_of(service), body or said, content_type=content_type, headers=headers)


def id_of(email):
    return {"member_reset": str(email.public_id)}


def said_of(member):
    found = words(resets.status(member).verdict, name="Mia")
    return found.badge, found.text


@pytest.mark.parametrize(("service", "kind", "said"), CASES)
def test_report_ends_in_the_right_sentence(client, mailed, member, service, kind, said):
    email = mailed(service)

    answer = post(client, service, kind, email)

    assert answer.status_code == 200
    assert said_of(member) == said
    event = DeliveryEvent.objects.get()
    assert (event.email, event.provider) == (email, service)


@pytest.mark.parametrize("service", SERVICES)
def test_report_without_our_id_is_told_by_the_services_own(client, mailed, member, service):
    email = mailed(service)

    post(client, service, "delivered", email, metadata={})

    assert said_of(member) == COMMON["delivered"]


@pytest.mark.parametrize("service", SERVICES)
def test_report_that_is_forged_writes_nothing(client, mailed, service, caplog):
    email = mailed(service)

    answers = [post(client, service, "delivered", email, secret=secret) for secret in ("", "reporter:guessed")]

    # SNS sends its secret only when it is asked for it, which 401 does.
    first = 401 if service == "Amazon SES" else 400
    assert [answer.status_code for answer in answers] == [first, 400]
    assert not DeliveryEvent.objects.exists()


@pytest.mark.parametrize("service", SERVICES)
@pytest.mark.parametrize(
    "changes",
    [
        {"recipient": "otto@members.example"},
        {"metadata": {"member_reset": "01939b5e-0000-7000-8000-000000000001"}},
        {"metadata": {}, "message_id": "4711"},
        {"metadata": {"member_reset": "junk"}, "message_id": "4711"},
    ],
    ids=["recipient", "our id", "the service's id", "junk"],
)
def test_report_about_no_mail_of_ours_is_passed_over(client, mailed, service, changes):
    email = mailed(service)

    answer = post(client, service, "no_mailbox" if service != "Resend" else "bounced", email, **changes)

    assert answer.status_code == 200
    assert not DeliveryEvent.objects.exists()


@pytest.mark.parametrize("service", SERVICES)
def test_report_about_a_deleted_reset_is_passed_over(client, mailed, service):
    email = mailed(service)
    PasswordReset.objects.all().delete()

    assert post(client, service, "delivered", email).status_code == 200
    assert not DeliveryEvent.objects.exists()


@pytest.mark.parametrize("service", SERVICES)
def test_report_that_is_cut_off_writes_nothing(client, mailed, service):
    email = mailed(service)
    said = SERVICES[service]("delivered", recipient=email.recipient, message_id=email.message_id, metadata={})[0]
    client.raise_request_exception = False

    post(client, service, "delivered", email, body=said[: len(said) // 2])

    assert not DeliveryEvent.objects.exists()
    assert post(client, service, "delivered", email).status_code == 200
    assert DeliveryEvent.objects.count() == 1


def test_report_of_a_megabyte_is_kept_short(client, mailed):
    email = mailed("Brevo")
    said = json.loads(providers.brevo("full", recipient=email.recipient, message_id="x", metadata=id_of(email))[0])
    said["reason"] += " x" * 500_000

    assert post(client, "Brevo", "full", email, body=json.dumps(said)).status_code == 200
    assert len(DeliveryEvent.objects.get().mta_response) <= 500


def test_report_sent_fifty_times_counts_once(client, mailed):
    email = mailed("Brevo")  # which has no id for a report

    assert {post(client, "Brevo", "full", email).status_code for _ in range(50)} == {200}
    assert DeliveryEvent.objects.count() == 1


def test_report_about_the_first_of_two_mails_says_nothing_of_the_second(client, mailed, member):
    first, second = mailed("Postmark"), mailed("Postmark")
    assert first.reset == second.reset

    post(client, "Postmark", "no_mailbox", first)

    assert [email.events.count() for email in (first, second)] == [1, 0]
    assert said_of(member) == ("Sent", SENT)


@pytest.mark.parametrize("service", SERVICES)
def test_report_that_quotes_the_link_brings_it_into_no_table(client, mailed, member, service):
    link = resets.link(mailed(service).reset)
    email = ResetEmail.objects.get()
    kind = "bounced" if service == "Resend" else "unwanted"
    said, content_type, headers = SERVICES[service](
        kind, recipient=email.recipient, message_id=email.message_id, metadata=id_of(email)
    )
    quoted = said.replace("unauthenticated", f"suspicious: {link}").replace("spam by content", f"{link} content")
    headers = {**headers, **providers.authorization()}
    client.post(path_of(service), quoted, content_type=content_type, headers=headers)

    token = link.rstrip("/").rpartition("/")[2]
    assert DeliveryEvent.objects.count() == 1
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"' if connection.vendor != "mysql" else f"SELECT * FROM {table}")
            assert token[12:38] not in str(cursor.fetchall()).lower(), table


# The whole table of wording

CODES = {
    "550 5.1.1 unknown": NO_MAILBOX,
    "552 5.2.2 full": FULL,
    "452 4.2.2 full": FULL,
    "550 5.7.26 unauthenticated": UNWANTED,
    "554 5.7.1 denied": UNWANTED,
    "550 refused": None,
    "552 too much": FULL,
    "550 5.4.4 no route": None,
    "": None,
}
GAVE_UP = (
    "Mia’s mail server could not be reached for so long that the attempts ended. "
    "Check the address, send again later, or send the link another way."
)
# Where no code tells more.
BOUNCED = {"invalid": NO_MAILBOX, "timed_out": GAVE_UP, "blocked": UNWANTED, "spam": UNWANTED}
TIMED_OUT = NOT_SENT + (
    "earlier attempts to reach this address failed for too long. Try another address, or send the link another way."
)
REJECTED = {
    "invalid": INVALID,
    "bounced": BOUNCED_BEFORE,
    "timed_out": TIMED_OUT,
    "blocked": BLOCKED,
    "spam": SPAM,
    "unsubscribed": UNSUBSCRIBED,
}
LEFT = (
    "Mia has unsubscribed at the mail service, so future emails may be blocked. "
    "Ask your administrator to lift this, or send the link another way."
)
EVENTS = {
    "queued": ("Sent", SENT),
    "sent": ("Sent", SENT),
    "deferred": ("Delayed", DELAYED),
    "delivered": ("Delivered", DELIVERED),
    "complained": ("Marked as spam", COMPLAINED),
    "unsubscribed": ("Unsubscribed", LEFT),
}


def values_of(constants):
    return {value for name, value in vars(constants).items() if name.isupper()}


def expected(kind, reason, text):
    if kind == "bounced":
        return "Bounced", CODES[text] or BOUNCED.get(reason, REFUSED)
    if kind == "rejected":
        return "Not sent", REJECTED.get(reason, NO_REASON)
    if kind == "failed":
        return ("Bounced", CODES[text]) if CODES[text] else ("Failed", FAILED)
    return EVENTS.get(kind, ("Sent", SENT))


@pytest.mark.parametrize("kind", sorted(values_of(EventType)))
@pytest.mark.parametrize("reason", [None, *sorted(values_of(RejectReason))])
def test_every_event_reason_and_code_has_its_sentence(mailed, member, kind, reason):
    email = mailed("Postmark")
    for text in CODES:
        DeliveryEvent.objects.all().delete()
        event = AnymailTrackingEvent(
            event_type=kind,
            reject_reason=reason,
            mta_response=text,
            recipient=email.recipient,
            metadata=id_of(email),
        )

        tracking.send(sender=None, event=event, esp_name="Postmark")

        assert said_of(member) == expected(kind, reason, text), text
        assert DeliveryEvent.objects.exists() is not kind.startswith("inbound")


def test_every_verdict_has_words():
    assert set(wording.BADGES) == set(Outcome)
    assert {(outcome, Cause.NONE) for outcome in Outcome} <= set(wording.TEXTS)
