"""What is known of each mail service holds for the Anymail that is installed, and is asked for by name."""

import importlib
import pkgutil

import anymail.backends
import anymail.webhooks
import pytest
from anymail.exceptions import AnymailAPIError, AnymailRequestsAPIError, AnymailUnsupportedFeature
from anymail.urls import urlpatterns
from django.core.mail import EmailMessage
from requests import Response

from tests.conftest import use_backend
from tests.outbox.test_backends import KEYS, NOT_A_SERVICE
from wagtail_member_reset.models import DeliveryEvent
from wagtail_member_reset.outbox import transport
from wagtail_member_reset.outbox.message import EXTRAS
from wagtail_member_reset.reports import services
from wagtail_member_reset.reports.verdict import Cause, Outcome, of_event

WITH_WEBHOOKS = "tests.urls_with_webhooks"
MODULES = {module.name for module in pkgutil.iter_modules(anymail.webhooks.__path__)} - {"base", "sendinblue"}
SECRETS = {
    "MAILERSEND_SIGNING_SECRET": "secret",
    "MAILGUN_WEBHOOK_SIGNING_KEY": "key",
    "MANDRILL_WEBHOOK_KEY": "key",
    "POSTAL_WEBHOOK_KEY": "key",
    "UNISENDER_GO_API_KEY": "key",
}
REPORTING = sorted(service.name for service in services.ANYMAILS if service.webhook)
SIGNED = {"MailerSend", "Mailgun", "Mandrill", "Postal", "Unisender Go"}


def test_services_that_report_are_those_that_anymail_has_webhooks_for():
    backends = {importlib.import_module(f"anymail.backends.{name}").EmailBackend.esp_name for name in MODULES}

    assert backends == set(REPORTING)


@pytest.mark.parametrize("name", REPORTING)
def test_reports_can_come_in_where_the_webhooks_are_routed(settings, name):
    without = services.reports(name)
    settings.ROOT_URLCONF = WITH_WEBHOOKS

    assert (without, services.reports(name)) == (False, True)


@pytest.mark.parametrize("name", ["", "smtp", "locmem", "Test", "Console", "Scaleway", "No Such Service", "x/y", "ä"])
def test_nothing_is_heard_of_others(settings, name):
    settings.ROOT_URLCONF = WITH_WEBHOOKS

    assert services.reports(name) is False


def test_every_tracking_webhook_of_anymail_is_known():
    names = {pattern.name for pattern in urlpatterns if pattern.name.endswith("_tracking_webhook")}
    known = {f"{service.webhook}_tracking_webhook" for service in services.SERVICES.values() if service.webhook}

    assert names == known


@pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid")
@pytest.mark.parametrize("name", REPORTING)
def test_webhook_without_a_secret_is_open_where_the_service_does_not_sign(settings, name):
    settings.ROOT_URLCONF = WITH_WEBHOOKS
    settings.ANYMAIL = SECRETS

    assert services.is_open_to_anybody(services.webhook(name)) is (name not in SIGNED)


@pytest.mark.parametrize("name", REPORTING)
def test_webhook_with_a_secret_is_not(settings, name):
    settings.ROOT_URLCONF = WITH_WEBHOOKS
    settings.ANYMAIL = {**SECRETS, "WEBHOOK_SECRET": "user:password"}

    assert services.is_open_to_anybody(services.webhook(name)) is False


def test_webhook_that_lacks_its_key_answers_nobody(settings):
    settings.ROOT_URLCONF = WITH_WEBHOOKS
    settings.ANYMAIL = {}

    assert services.is_open_to_anybody(services.webhook("MailerSend")) is False


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("anymail.backends.postmark.EmailBackend", "Postmark"),
        ("anymail.backends.amazon_ses.EmailBackend", "Amazon SES"),
        ("anymail.backends.sendinblue.EmailBackend", "SendinBlue"),
        ("django.core.mail.backends.smtp.EmailBackend", "smtp"),
        ("django.core.mail.backends.locmem.EmailBackend", ""),
        ("anymail.backends.test.EmailBackend", ""),
        ("no.such.Backend", ""),
    ],
)
def test_backend_names_its_service(settings, path, service):
    use_backend(settings, path)

    assert (services.backend_path(), services.default_backend().name) == (path, service)


BACKENDS = sorted({module.name for module in pkgutil.iter_modules(anymail.backends.__path__)} - NOT_A_SERVICE)
silent_about_sendgrid = pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid")


def connection_to(backend, settings, **changes):
    settings.ANYMAIL = {**KEYS, **changes}
    use_backend(settings, f"anymail.backends.{backend}.EmailBackend")
    return transport.new_connection()


def test_every_backend_of_anymail_has_its_record():
    names = {importlib.import_module(f"anymail.backends.{name}").EmailBackend.esp_name for name in BACKENDS}

    assert names == {service.name for service in services.ANYMAILS}


@silent_about_sendgrid
@pytest.mark.parametrize("backend", BACKENDS)
def test_record_says_what_anymail_refuses(settings, backend):
    connection = connection_to(backend, settings)
    connection.open()
    refused = set()
    for option, value in {**EXTRAS, "metadata": {"member_reset": "id"}}.items():
        message = EmailMessage("Subject", "Text", None, ["mia@members.example"])
        setattr(message, option, value)
        try:
            connection.build_message_payload(message, connection.send_defaults)
        except AnymailUnsupportedFeature:
            refused.add(option)

    assert services.of_connection(connection).refuses == refused


@pytest.mark.parametrize("service", services.ANYMAILS, ids=lambda service: service.name)
def test_place_to_switch_click_tracking_off_is_known_where_a_mail_cannot_say_so(service):
    assert bool(service.click_tracking) == ("track_clicks" in service.refuses)


@pytest.mark.parametrize("name", ["", "locmem", "Test", "No Such Service", "postmark"])
def test_name_that_nobody_has_is_an_unknown_service(name):
    assert services.named(name) is services.UNKNOWN


def test_former_name_of_brevo_is_brevo():
    former, brevo = services.named("SendinBlue"), services.named("Brevo")

    assert (former.webhook, former.refuses, former.click_tracking) == (
        "sendinblue",
        brevo.refuses,
        brevo.click_tracking,
    )


# How long a mail may take


@silent_about_sendgrid
@pytest.mark.parametrize("backend", BACKENDS)
def test_longest_wait_for_a_service_follows_the_time_out(settings, backend):
    connection = connection_to(backend, settings, REQUESTS_TIMEOUT=7)
    connection.open()
    service = services.of_connection(connection)

    # boto3 does not ask Anymail: a minute for either wait, five times.
    assert service.longest_wait(connection) == (600 if backend == "amazon_ses" else 14)


@pytest.mark.parametrize(("seconds", "longest"), [((3, 20), 40), ((None, 20), None), (None, None), (0.5, 1)])
def test_longest_wait_takes_every_form_of_a_time_out(settings, seconds, longest):
    connection = connection_to("postmark", settings, REQUESTS_TIMEOUT=seconds)
    connection.timeout = seconds

    assert services.named("Postmark").longest_wait(connection) == longest


def test_longest_wait_over_smtp_counts_the_login(settings):
    use_backend(settings, services.SMTP_BACKEND, timeout=5)

    assert services.SMTP.longest_wait(transport.new_connection()) == 70


def test_nothing_is_known_of_the_wait_for_another_backend():
    assert services.UNKNOWN.longest_wait(object()) is None


# What a call that failed says


def test_status_of_a_call_is_the_one_of_the_answer():
    response = Response()
    response.status_code = 422

    assert services.named("Postmark").status(AnymailRequestsAPIError(response=response)) == 422
    assert services.named("Postmark").status(AnymailAPIError("no answer")) is None


@pytest.mark.parametrize(
    ("code", "http", "status"),
    [
        ("MessageRejected", 400, 400),
        ("AccessDeniedException", 403, 403),
        ("TooManyRequestsException", 429, 429),
        ("ThrottlingException", 400, 429),
        ("LimitExceededException", 400, 429),
        ("SendingPausedException", 400, 429),
        ("AccountSuspendedException", 400, 403),
        ("InternalFailure", 500, 500),
    ],
)
def test_status_of_amazon_is_read_from_its_own_answer(code, http, status):
    error = AnymailAPIError("said", response={"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": http}})

    assert services.named("Amazon SES").status(error) == status


@pytest.mark.parametrize("response", [None, {}, "text"])
def test_amazon_that_did_not_answer_has_no_status(response):
    assert services.named("Amazon SES").status(AnymailAPIError("said", response=response)) is None


# What a report says


@pytest.mark.parametrize(
    ("name", "event", "word"),
    [
        ("Mailjet", {"error": "user unknown"}, "user unknown"),
        ("Mandrill", {"msg": {"bounce_description": "mailbox_full"}}, "mailbox_full"),
        ("Mandrill", {"msg": "text"}, None),
        ("Mandrill", ["a", "list"], None),
        ("Mandrill", None, None),
        ("Postmark", {"error": "not its word for a bounce"}, None),
        ("No Such Service", {"error": "anything"}, None),
    ],
)
def test_own_word_is_found_where_the_service_puts_it(name, event, word):
    assert services.named(name).word_in(event) == word


def said(provider, text):
    return of_event(DeliveryEvent(event_type="bounced", provider=provider, mta_response=text))


@pytest.mark.parametrize(
    ("provider", "text", "cause"),
    [
        ("Mailgun", "Not delivering to previously bounced address", Cause.BOUNCED_BEFORE),
        ("Mailgun", "Not delivering to unsubscribed address", Cause.UNSUBSCRIBED),
        ("Mailgun", "Not delivering to a user who marked your messages as spam", Cause.SPAM),
        ("Amazon SES", "Permanent: OnAccountSuppressionList", Cause.BLOCKED),
        ("Amazon SES", "Permanent: Suppressed", Cause.BLOCKED),
        ("SparkPost", "554 5.7.1 recipient address was suppressed due to customer policy", Cause.BLOCKED),
        ("No Such Service", "Not delivering to previously bounced address", Cause.BOUNCED_BEFORE),
        ("Brevo", "The address is on our suppression list", Cause.BLOCKED),
    ],
)
def test_service_that_held_a_mail_back_is_understood_in_its_own_words(provider, text, cause):
    found = said(provider, text)

    assert (found.outcome, found.cause) == (Outcome.NOT_SENT, cause)


@pytest.mark.parametrize(
    ("provider", "text"),
    [
        ("Mailgun", "550 5.7.1 your server is on our suppression list"),
        ("Amazon SES", "550 5.7.1 previously bounced address"),
    ],
)
def test_words_of_another_service_are_the_mail_servers_own(provider, text):
    found = said(provider, text)

    assert (found.outcome, found.cause) == (Outcome.BOUNCED, Cause.UNWANTED)
