"""Real reports of real mail services, posted to Anymail's real views, end in the right sentence."""

import json

import pytest
from anymail.signals import AnymailTrackingEvent, EventType, RejectReason, tracking
from anymail.urls import urlpatterns as anymail_urls
from anymail.webhooks.postal import PostalTrackingWebhookView
from django.db import connection
from django.urls import reverse

from tests.conftest import use_backend
from wagtail_member_reset import outbox, resets
from wagtail_member_reset.models import DeliveryEvent, PasswordReset, ResetEmail
from wagtail_member_reset.reports.verdict import Cause, Outcome
from wagtail_member_reset.staff import wording
from wagtail_member_reset.staff.wording import words

from . import providers

pytestmark = [
    pytest.mark.slow,  # hundreds of them
    pytest.mark.mail_services,
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid"),
]

DELIVERED = "Mia’s mail server accepted the email. If Mia cannot see it, ask them to look in spam and promotions."
DELAYED = (
    "Mia’s mail server asked to try again later. The mail service keeps trying. Urgent? Send the link another way."
)
NO_MAILBOX = (
    "Mia’s mail server says that this address does not exist. Check it for typing mistakes and correct it, "
    "or send the link another way."
)
FULL = (
    "Mia’s mailbox is full. Ask Mia to make room, and then send again; "
    "or use another address, or send the link another way."
)
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
LEFT = (
    "Mia has unsubscribed at the mail service, so future emails may be blocked. "
    "Ask your administrator to lift this, or send the link another way."
)
GAVE_UP = (
    "Mia’s mail server could not be reached for so long that the attempts ended. "
    "Check the address, send again later, or send the link another way."
)
TIMED_OUT = NOT_SENT + (
    "earlier attempts to reach this address failed for too long. Try another address, or send the link another way."
)

# What a service reports; the event that is kept; the badge and the sentence on the tab.
COMMON = {
    "delivered": ("delivered", "Delivered", DELIVERED),
    "delayed": ("deferred", "Delayed", DELAYED),
    "no_mailbox": ("bounced", "Bounced", NO_MAILBOX),
    "full": ("bounced", "Bounced", FULL),
    "unwanted": ("bounced", "Bounced", UNWANTED),
    "no_code": ("bounced", "Bounced", REFUSED),
    "complained": ("complained", "Marked as spam", COMPLAINED),
    "unsubscribed": ("unsubscribed", "Unsubscribed", LEFT),
    "opened": ("opened", "Sent", SENT),
    "clicked": ("clicked", "Sent", SENT),
    "unknown": ("unknown", "Sent", SENT),
}
# What a service has no report for, or none that Anymail knows.
LACKS = {
    "Amazon SES": {"unsubscribed"},
    "Resend": {"no_mailbox", "unwanted", "unsubscribed"},
    "MailerSend": {"delayed", "no_mailbox", "full", "unwanted"},
}
OWN = [
    ("MailerSend", "no_code", COMMON["no_mailbox"]),  # whose only word is "Host or domain name not found"
    # Held back by the service, which reports it as a bounce.
    ("Mailgun", "suppressed", ("bounced", "Refused", BOUNCED_BEFORE)),
    ("Mailgun", "unsubscribed_before", ("bounced", "Refused", UNSUBSCRIBED)),
    ("Mailgun", "spam_before", ("bounced", "Refused", SPAM)),
    ("Amazon SES", "suppressed", ("bounced", "Refused", BLOCKED)),
    ("SparkPost", "suppressed", ("bounced", "Refused", BLOCKED)),
    ("Resend", "suppressed", ("bounced", "Refused", BLOCKED)),
    ("Postmark", "subscribed", ("subscribed", "Sent", SENT)),
    ("Postmark", "autoresponded", ("autoresponded", "Sent", SENT)),
    ("Postmark", "invalid", ("rejected", "Refused", INVALID)),
    ("Postmark", "blocked", ("rejected", "Refused", BLOCKED)),
    ("Postmark", "deactivated", ("rejected", "Refused", BLOCKED)),
    ("Postmark", "failed", ("failed", "Failed", FAILED)),
    ("Mailgun", "rejected", ("rejected", "Refused", NO_REASON)),
    ("Amazon SES", "sent", ("sent", "Sent", SENT)),
    ("Amazon SES", "rejected", ("rejected", "Refused", BLOCKED)),
    ("SendGrid", "queued", ("queued", "Sent", SENT)),  # what the service said first goes further
    ("SendGrid", "suppressed", ("rejected", "Refused", BOUNCED_BEFORE)),
    ("SendGrid", "invalid", ("rejected", "Refused", INVALID)),
    ("SendGrid", "unsubscribed_before", ("rejected", "Refused", UNSUBSCRIBED)),
    ("SendGrid", "timed_out", ("rejected", "Refused", TIMED_OUT)),
    ("SendGrid", "spam_before", ("rejected", "Refused", NO_REASON)),
    ("SendGrid", "subscribed", ("subscribed", "Sent", SENT)),
    ("Brevo", "queued", ("queued", "Sent", SENT)),
    ("Brevo", "blocked", ("rejected", "Refused", BLOCKED)),
    ("Brevo", "invalid", ("bounced", "Bounced", NO_MAILBOX)),
    ("Brevo", "soft", ("bounced", "Bounced", NO_MAILBOX)),
    ("Brevo", "failed", ("failed", "Failed", FAILED)),
    ("Mailjet", "spam_before", ("rejected", "Refused", SPAM)),
    ("Mailjet", "invalid", ("rejected", "Refused", INVALID)),
    ("Mailjet", "blocked", ("rejected", "Refused", BLOCKED)),
    ("Mailjet", "other", ("rejected", "Refused", NO_REASON)),
    ("SparkPost", "queued", ("queued", "Sent", SENT)),
    ("SparkPost", "timed_out", ("bounced", "Bounced", GAVE_UP)),
    ("SparkPost", "autoresponded", ("autoresponded", "Sent", SENT)),
    ("SparkPost", "failed", ("failed", "Failed", FAILED)),
    ("Resend", "sent", ("sent", "Sent", SENT)),
    ("MailerSend", "sent", ("sent", "Sent", SENT)),
    ("MailerSend", "soft", ("bounced", "Bounced", REFUSED)),
    ("Mailtrap", "suspended", ("deferred", "Delayed", DELAYED)),
    ("Mailtrap", "rejected", ("rejected", "Refused", BLOCKED)),
    ("Mandrill", "sent", ("sent", "Sent", SENT)),
    ("Mandrill", "rejected", ("rejected", "Refused", NO_REASON)),
    ("Unisender Go", "sent", ("sent", "Sent", SENT)),
    ("Unisender Go", "subscribed", ("subscribed", "Sent", SENT)),
]
REPORTS = {(service, kind): said for service in providers.SAYS for kind, said in COMMON.items()}
REPORTS = {key: said for key, said in REPORTS.items() if key[1] not in LACKS.get(key[0], ())}
REPORTS |= {(service, kind): said for service, kind, said in OWN}
POSTAL = {
    "delivered": COMMON["delivered"],
    "delayed": COMMON["delayed"],
    "queued": ("queued", "Sent", SENT),
    "no_mailbox": ("failed", "Bounced", NO_MAILBOX),
    "full": ("failed", "Bounced", FULL),
    "unwanted": ("failed", "Bounced", UNWANTED),
    "failed": ("failed", "Failed", FAILED),
    "bounced": COMMON["no_code"],
    "clicked": COMMON["clicked"],
    "unknown": COMMON["unknown"],
}


@pytest.fixture(autouse=True)
def site(settings):
    settings.ROOT_URLCONF = "tests.urls_with_webhooks"
    settings.ANYMAIL = providers.SETTINGS


@pytest.fixture
def mailed(member, settings, monkeypatch):
    """A mail that a service has taken."""
    use_backend(settings, "tests.reports.providers.MailService")

    def by(service, person=member):
        monkeypatch.setattr(providers.MailService, "esp_name", service)
        monkeypatch.setattr(providers.MailService, "message_id", providers.MESSAGE_IDS.get(service, ""))
        resets.send(person, by=None)
        outbox.drain()
        email = ResetEmail.objects.order_by("pk").last()
        assert (email.provider, email.result_code) == (service, "sent")
        return email

    return by


def path_of(service):
    return reverse(f"anymail:{service.lower().replace(' ', '_')}_tracking_webhook")


def about(email, **changes):
    return {"recipient": email.recipient, "message_id": email.message_id, "metadata": id_of(email), **changes}


def post(client, service, kind, email, *, said=None, secret=providers.SECRET, key=providers.KEY, cut=False, **changes):
    said = said or providers.SAYS[service](kind, **about(email, **changes))
    return client.post(**providers.request(service, said, path=path_of(service), secret=secret, key=key, cut=cut))


def post_postal(rf, kind, email, **changes):
    """Its signature is checked by a package that our tests do without; the rest is Anymail's own reading of it."""
    said = providers.postal(kind, **about(email, **changes))
    view = PostalTrackingWebhookView()
    for event in view.parse_events(rf.post("/", json.dumps(said), content_type="application/json")):
        tracking.send(sender=PostalTrackingWebhookView, event=event, esp_name=view.esp_name)


def id_of(email):
    return {"member_reset": str(email.public_id)}


def said_of(member):
    found = words(resets.status(member).verdict, name="Mia")
    return found.badge, found.text


def kept(email):
    """The one event that was kept, and that it is the mail's."""
    event = DeliveryEvent.objects.get()
    assert (event.email, event.provider) == (email, email.provider)
    return event.event_type


def refusal(service):
    return "unwanted" if "unwanted" not in LACKS.get(service, ()) else "no_code"


def test_every_service_that_reports_to_anymail_is_here():
    ours = {path_of(service) for service in [*providers.SAYS, "Postal", "SendinBlue"]}  # the last is Brevo's old name

    assert ours == {reverse(f"anymail:{url.name}") for url in anymail_urls if url.name.endswith("_tracking_webhook")}


@pytest.mark.parametrize(("service", "kind"), REPORTS)
def test_report_ends_in_the_right_sentence(client, mailed, member, service, kind):
    email = mailed(service)

    answer = post(client, service, kind, email)

    assert answer.status_code == 200
    assert (kept(email), *said_of(member)) == REPORTS[service, kind]


@pytest.mark.parametrize("kind", POSTAL)
def test_report_of_postal_ends_in_the_right_sentence(rf, mailed, member, kind):
    email = mailed("Postal")

    post_postal(rf, kind, email)

    assert (kept(email), *said_of(member)) == POSTAL[kind]


@pytest.mark.parametrize("service", providers.SAYS)
def test_report_without_our_id_is_told_by_the_services_own(client, mailed, member, service):
    email = mailed(service)

    post(client, service, "complained", email, metadata={})

    assert said_of(member) == COMMON["complained"][1:]


@pytest.mark.parametrize("service", sorted(set(providers.SAYS) - providers.WITHOUT_METADATA))
def test_report_with_our_id_needs_none_of_the_services_own(client, mailed, member, service):
    email = mailed(service)
    ResetEmail.objects.update(message_id="")  # as after a crash between the hand-over and our record of it

    post(client, service, "complained", email)

    assert said_of(member) == COMMON["complained"][1:]


@pytest.mark.parametrize("service", providers.SAYS)
def test_report_that_is_forged_writes_nothing(client, mailed, service):
    email = mailed(service)

    answers = [post(client, service, "complained", email, secret=secret) for secret in ("", "reporter:guessed")]

    # SNS sends its secret only when it is asked for it, which 401 does.
    first = 401 if service == "Amazon SES" else 400
    assert [answer.status_code for answer in answers] == [first, 400]
    assert not DeliveryEvent.objects.exists()


@pytest.mark.parametrize("service", sorted(providers.SIGNED))
def test_report_with_a_wrong_signature_writes_nothing(client, mailed, service):
    email = mailed(service)

    assert post(client, service, "complained", email, key="guessed").status_code == 400
    assert not DeliveryEvent.objects.exists()


@pytest.mark.parametrize("service", providers.SAYS)
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
    if "metadata" in changes and service in providers.WITHOUT_METADATA:
        changes = {**changes, "message_id": "4711"}

    answer = post(client, service, "complained", email, **changes)

    assert answer.status_code == 200
    assert not DeliveryEvent.objects.exists()


@pytest.mark.parametrize("gone", [PasswordReset, ResetEmail])
@pytest.mark.parametrize("service", providers.SAYS)
def test_report_about_a_deleted_mail_is_passed_over(client, mailed, service, gone):
    email = mailed(service)
    gone.objects.all().delete()

    assert post(client, service, "complained", email).status_code == 200
    assert not DeliveryEvent.objects.exists()


@pytest.mark.parametrize("service", providers.SAYS)
def test_report_that_is_cut_off_writes_nothing(client, mailed, service):
    email = mailed(service)
    client.raise_request_exception = False

    assert post(client, service, "complained", email, cut=True).status_code in (400, 500)  # Anymail's own answer
    assert not DeliveryEvent.objects.exists()
    assert post(client, service, "complained", email).status_code == 200
    assert DeliveryEvent.objects.count() == 1


@pytest.mark.parametrize("is_ours", [True, False])
def test_mail_that_came_in_is_no_report(client, rf, mailed, is_ours):
    email = mailed("Mandrill")
    raw = f"From: {email.recipient}\r\nTo: office@club.example\r\nSubject: Hello\r\n\r\nHello"
    msg = {"email": email.recipient, "raw_msg": raw, "metadata": id_of(email) if is_ours else {}}

    answer = post(client, "Mandrill", "", email, said=[{"event": "inbound", "ts": providers.NOON, "msg": msg}])

    assert answer.status_code == 200
    assert not DeliveryEvent.objects.exists()


def test_report_of_a_megabyte_is_kept_short(client, mailed):
    email = mailed("Brevo")

    assert post(client, "Brevo", "full", email, quote="very, " * 170_000).status_code == 200
    assert len(DeliveryEvent.objects.get().mta_response) == 500


def test_report_that_the_database_refuses_is_no_trouble_for_the_service(client, mailed, member, caplog):
    if connection.vendor == "mysql":
        pytest.skip("A table that is renamed there stays renamed.")
    email, table = mailed("Postmark"), DeliveryEvent._meta.db_table
    with connection.cursor() as cursor:
        cursor.execute(f'ALTER TABLE "{table}" RENAME TO "elsewhere"')

    answer = post(client, "Postmark", "no_mailbox", email)

    with connection.cursor() as cursor:
        cursor.execute(f'ALTER TABLE "elsewhere" RENAME TO "{table}"')
    assert answer.status_code == 200
    assert "was not recorded" in caplog.text
    assert said_of(member) == ("Sent", SENT)


@pytest.mark.parametrize("service", ["Brevo", "Mailjet", "Mandrill", "Unisender Go"])  # which have no id for a report
def test_report_sent_fifty_times_counts_once_and_another_one_too(client, mailed, service):
    email = mailed(service)

    assert {post(client, service, "full", email).status_code for _ in range(50)} == {200}
    assert DeliveryEvent.objects.count() == 1

    post(client, service, "no_code", email)
    assert DeliveryEvent.objects.count() == 2


@pytest.mark.parametrize("service", providers.SAYS)
def test_report_about_the_first_of_two_mails_says_nothing_of_the_second(client, mailed, member, service):
    first = mailed(service)
    ResetEmail.objects.update(message_id="1")
    second = mailed(service)
    first.refresh_from_db()
    assert first.reset == second.reset

    post(client, service, refusal(service), first)

    assert [email.events.count() for email in (first, second)] == [1, 0]
    assert said_of(member) == ("Sent", SENT)


def everything_kept():
    """Every row of every table, as text."""
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {quote(table)}")
            yield table, str(cursor.fetchall()).lower()


@pytest.mark.parametrize("service", [*providers.SAYS, "Postal"])
def test_report_that_quotes_the_link_brings_it_into_no_table(client, rf, mailed, service):
    email = mailed(service)
    link = resets.link(email.reset)
    secret = link.rstrip("/").rpartition("/")[2][12:38]
    said = providers.SAYS.get(service, providers.postal)(refusal(service), **about(email, quote=link))
    assert secret in json.dumps(said)

    for kind in (refusal(service), "clicked"):
        if service == "Postal":
            post_postal(rf, kind, email, quote=link)
        else:
            post(client, service, kind, email, quote=link)

    assert {event.event_type for event in DeliveryEvent.objects.all()} >= {"clicked"}
    assert DeliveryEvent.objects.count() == 2
    assert [table for table, rows in everything_kept() if secret in rows] == []


# The whole table of wording

CODES = {
    "550 5.1.1 unknown": NO_MAILBOX,
    "552 5.2.2 full": FULL,
    "452 4.2.2 full": FULL,
    "550 5.7.26 unauthenticated": UNWANTED,
    "554 5.7.1 denied": UNWANTED,
    "550 refused": None,
    "552 too much": FULL,
    "550 5.4.4 no route": NO_MAILBOX,
    "": None,
}
# Where no code tells more.
BOUNCED = {"invalid": NO_MAILBOX, "timed_out": GAVE_UP, "blocked": UNWANTED, "spam": UNWANTED}
REJECTED = {
    "invalid": INVALID,
    "bounced": BOUNCED_BEFORE,
    "timed_out": TIMED_OUT,
    "blocked": BLOCKED,
    "spam": SPAM,
    "unsubscribed": UNSUBSCRIBED,
}
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
        return "Refused", REJECTED.get(reason, NO_REASON)
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
