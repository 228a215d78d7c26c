"""What the site's mail backend is, and whether anything will be heard of a mail that it took."""

import importlib
import pkgutil

import anymail.webhooks
import pytest
from anymail.urls import urlpatterns

from tests.conftest import use_backend
from wagtail_member_reset.reports import services

WITH_WEBHOOKS = "tests.urls_with_webhooks"
MODULES = {module.name for module in pkgutil.iter_modules(anymail.webhooks.__path__)} - {"base", "sendinblue"}
SECRETS = {
    "MAILERSEND_SIGNING_SECRET": "secret",
    "MAILGUN_WEBHOOK_SIGNING_KEY": "key",
    "MANDRILL_WEBHOOK_KEY": "key",
    "POSTAL_WEBHOOK_KEY": "key",
    "UNISENDER_GO_API_KEY": "key",
}
SIGNED = {"MailerSend", "Mailgun", "Mandrill", "Postal", "Unisender Go"}


def test_services_that_report_are_those_that_anymail_has_webhooks_for():
    backends = {importlib.import_module(f"anymail.backends.{name}").EmailBackend.esp_name for name in MODULES}

    assert backends == services.REPORTING


@pytest.mark.parametrize("name", sorted(services.REPORTING))
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
    known = {f"{name.lower().replace(' ', '_')}_tracking_webhook" for name in services.REPORTING}

    assert names - known == {"sendinblue_tracking_webhook"}  # the former name of Brevo


@pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid")
@pytest.mark.parametrize("name", sorted(services.REPORTING))
def test_webhook_without_a_secret_is_open_where_the_service_does_not_sign(settings, name):
    settings.ROOT_URLCONF = WITH_WEBHOOKS
    settings.ANYMAIL = SECRETS

    assert services.is_open_to_anybody(services.webhook(name)) is (name not in SIGNED)


@pytest.mark.parametrize("name", sorted(services.REPORTING))
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
        ("django.core.mail.backends.smtp.EmailBackend", ""),
        ("no.such.Backend", ""),
    ],
)
def test_backend_names_its_service(settings, path, service):
    use_backend(settings, path)

    assert (services.backend_path(), services.service()) == (path, service)


@pytest.mark.parametrize("seconds", [None, 30])
def test_timeout_is_read_in_either_way(settings, seconds):
    use_backend(settings, services.SMTP, timeout=seconds)

    assert services.timeout() == seconds
