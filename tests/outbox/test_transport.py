import smtplib
from email.policy import compat32
from uuid import uuid4

import pytest
import time_machine
from anymail.backends.test import EmailBackend
from anymail.exceptions import (
    AnymailAPIError,
    AnymailConfigurationError,
    AnymailInvalidAddress,
    AnymailRecipientsRefused,
    AnymailRequestsAPIError,
    AnymailUnsupportedFeature,
)
from anymail.message import AnymailRecipientStatus
from django.core import mail
from django.core.exceptions import ImproperlyConfigured
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st
from requests import Response

from tests.conftest import use_backend
from wagtail_member_reset import outbox, resets
from wagtail_member_reset.models import EmailState, ResetEmail
from wagtail_member_reset.outbox import transport
from wagtail_member_reset.outbox.message import UNFOLDED, build
from wagtail_member_reset.outbox.text import Content

pytestmark = pytest.mark.django_db


class Plain(EmailBackend):
    """Takes no tracking options, as several providers do not."""

    attempts = 0

    def build_message_payload(self, message, defaults):
        type(self).attempts += 1
        if hasattr(message, "track_clicks"):
            raise AnymailUnsupportedFeature("track_clicks")
        return super().build_message_payload(message, defaults)


class Answering(EmailBackend):
    """Says of each mail what the test wants to hear."""

    answer = None

    def post_to_esp(self, payload, message):
        if isinstance(self.answer, Exception):
            raise self.answer
        status = AnymailRecipientStatus(message_id=4711, status=self.answer)
        return {"recipient_status": dict.fromkeys(payload.recipient_emails, status)}


def use(settings, backend):
    use_backend(settings, f"{backend.__module__}.{backend.__qualname__}")


def send(member):
    resets.send(member, by=None)
    outbox.drain()
    return ResetEmail.objects.get()


def api_error(status):
    response = Response()
    response.status_code = status
    return AnymailRequestsAPIError(response=response)


def test_tracking_is_off_and_metadata_holds_only_the_public_id(member, settings):
    use(settings, EmailBackend)
    mail.outbox = []

    row = send(member)

    params = mail.outbox[0].anymail_test_params
    assert (params["track_clicks"], params["track_opens"]) == (False, False)
    assert params["metadata"] == {"member_reset": str(row.public_id)}
    assert params["tags"] == ["member-reset"]
    assert (row.state, row.provider) == (EmailState.HANDED_OVER, "Test")


def test_unsupported_options_are_left_out_and_remembered(member, imported_member, settings):
    use(settings, Plain)
    mail.outbox, Plain.attempts = [], 0
    transport._taken.pop(Plain, None)

    resets.send(member, by=None)
    resets.send(imported_member, by=None)
    outbox.drain()

    assert len(mail.outbox) == 2
    assert Plain.attempts == 5  # the second mail goes at once
    params = mail.outbox[1].anymail_test_params
    assert "track_clicks" not in params
    assert (params["track_opens"], params["tags"], list(params["metadata"])) == (
        False,
        ["member-reset"],
        ["member_reset"],
    )


@pytest.mark.parametrize("answer", ["invalid", "rejected", "failed"])
def test_refusal_in_the_answer_is_a_failure(member, settings, answer):
    use(settings, Answering)
    Answering.answer = answer

    row = send(member)

    assert (row.state, row.result_code, row.provider) == (EmailState.FAILED, answer, "Test")


@pytest.mark.parametrize("answer", ["sent", "queued"])
def test_acceptance_keeps_the_providers_id_as_text(member, settings, answer):
    use(settings, Answering)
    Answering.answer = answer

    row = send(member)

    assert (row.state, row.result_code, row.message_id) == (EmailState.HANDED_OVER, answer, "4711")


@pytest.mark.parametrize(
    ("status", "state", "code"),
    [
        (401, EmailState.FAILED, "login_refused"),
        (403, EmailState.FAILED, "login_refused"),
        (400, EmailState.FAILED, "http_400"),
        (429, EmailState.QUEUED, "http_429"),
        (500, EmailState.QUEUED, "http_500"),
        (502, EmailState.QUEUED, "http_502"),
    ],
)
def test_api_errors_are_told_apart(member, settings, status, state, code):
    use(settings, Answering)
    Answering.answer = api_error(status)

    row = send(member)

    assert (row.state, row.result_code) == (state, code)


def test_api_without_an_answer_is_tried_again(member, settings):
    use(settings, Answering)
    Answering.answer = AnymailAPIError("no connection")

    assert send(member).state == EmailState.QUEUED


def test_address_that_cannot_be_a_header_is_a_failure_and_reaches_nobody(member, settings, mailoutbox):
    resets.send(member, by=None)
    ResetEmail.objects.update(recipient="mia@members.example\nBcc: eve@elsewhere.example")

    outbox.drain()

    # The locmem backend builds the message, as a real one would.
    assert mailoutbox == []
    assert ResetEmail.objects.get().state in (EmailState.FAILED, EmailState.SKIPPED)


@pytest.mark.parametrize(("configured", "used"), [(None, transport.TIMEOUT_SECONDS), (5, 5)])
def test_no_server_is_waited_for_for_ever(settings, configured, used):
    if hasattr(settings, "MAILERS"):
        options = {"host": "127.0.0.1"} if configured is None else {"host": "127.0.0.1", "timeout": configured}
        backend = "django.core.mail.backends.smtp.EmailBackend"
        settings.MAILERS = {"default": {"BACKEND": backend, "OPTIONS": options}}
    else:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_TIMEOUT = configured

    assert transport.new_connection().timeout == used


def test_provider_that_quotes_the_link_in_its_refusal_gets_it_into_no_row_or_log(member, settings, caplog):
    caplog.set_level("DEBUG")
    use(settings, Answering)
    token = resets.link(resets.send(member, by=None)).rpartition("/")[2]
    Answering.answer = AnymailRecipientsRefused(f"no recipient for https://club.example/account/r/{token.upper()}")

    outbox.drain()

    row = ResetEmail.objects.get()
    assert (row.state, row.result_code) == (EmailState.FAILED, "refused")
    assert "no recipient" in row.result_text
    assert token[12:38] not in (row.result_text + caplog.text).lower()


class Misconfigured(EmailBackend):
    def open(self):
        raise ImproperlyConfigured("no API key")


def test_backend_that_is_not_configured_fails_at_once(member, settings):
    use(settings, Misconfigured)

    row = send(member)

    assert (row.state, row.result_code, row.attempts) == (EmailState.FAILED, "configuration", 1)


class Insatiable(EmailBackend):
    """Refuses a mail also without our extras, say for a setting of the site's own."""

    def build_message_payload(self, message, defaults):
        raise AnymailUnsupportedFeature("anything")


def test_option_of_the_sites_own_that_is_refused_is_a_failure_and_no_loop(member, settings):
    use(settings, Insatiable)

    row = send(member)

    assert (row.state, row.result_code, row.attempts) == (EmailState.FAILED, "configuration", 1)


@given(
    name=st.from_regex(r"[A-Za-z-]{1,40}", fullmatch=True),
    value=st.one_of(st.text(max_size=120), st.text(alphabet='ab \t,;"<>@=', max_size=120)).filter(
        lambda value: not {"\n", "\r"} & set(value)
    ),
    linesep=st.sampled_from(["\n", "\r\n"]),
)
def test_header_that_fits_on_its_line_is_written_as_pythons_own_policy_writes_it(name, value, linesep):
    ours, pythons = UNFOLDED.clone(linesep=linesep), compat32.clone(linesep=linesep)

    assert ours.fold_binary(name, value) == pythons.fold_binary(name, value)


def test_mail_is_the_one_that_django_makes_but_for_what_parts_its_text_from_its_html():
    content = Content(
        "Grüße und ein Betreff, der so lang ist, dass er auf keine Zeile passt: äöü", "Text ä\n", "<p>ä</p>"
    )
    built = build(content, to="mia@members.example", public_id=str(uuid4()), extras=frozenset())
    plain = EmailMultiAlternatives(built.subject, built.body, None, built.to, headers=built.extra_headers)
    plain.attach_alternative(content.html, "text/html")
    with time_machine.travel(timezone.now(), tick=False):
        ours, djangos = built.message(), plain.message()

    djangos.set_boundary(built.boundary)

    assert ours.as_bytes() == djangos.as_bytes()
    assert built.boundary.encode() in ours.as_bytes()


# Whether the mail has certainly not left


def attempt(to="mia@members.example"):
    with transport.Mailer() as mailer:
        return mailer.send(Content("Subject", "Text", "<p>Text</p>"), to=to, public_id=str(uuid4()))


@pytest.mark.parametrize("stage", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("code", ["451 4.3.0 later", "550 5.1.1 never"])
def test_mail_that_the_server_refuses_has_certainly_not_left(mailbox, stage, code):
    mailbox.answers[stage] = code

    found = attempt()

    assert (found.code, found.is_certain) == (f"smtp_{code[:3]}", True)


def test_mail_to_a_server_that_is_not_there_has_certainly_not_left(closed_port, caplog):
    found = attempt()

    assert (found.answer, found.code, found.is_certain) == (transport.Answer.LATER, "no_answer", True)
    assert caplog.messages[0].endswith(f"not sent: no_answer ConnectionRefusedError (127.0.0.1:{closed_port})")


def test_mail_that_cannot_be_put_together_has_certainly_not_left(mailbox):
    found = attempt(to="mia@members.example\nBcc: eve@elsewhere.example")

    assert (found.answer, found.code, found.is_certain) == (transport.Answer.NEVER, "invalid", True)
    assert mailbox.messages == []


def test_mail_after_which_the_server_hangs_up_may_have_left(mailbox):
    mailbox.drop_after_data = True

    found = attempt()

    assert (found.answer, found.is_certain) == (transport.Answer.LATER, False)
    assert len(mailbox.messages) == 1


@pytest.mark.slow
def test_mail_that_timed_out_may_have_left(mailbox):
    mailbox.delay = 2.5

    found = attempt()

    assert (found.answer, found.code, found.is_certain) == (transport.Answer.LATER, "no_answer", False)


def test_mail_that_is_accepted_has_left(mailbox):
    found = attempt()

    assert (found.answer, found.is_certain) == (transport.Answer.ACCEPTED, False)


class Closed(EmailBackend):
    """Fails while it is opened."""

    error = None

    def open(self):
        raise self.error


@pytest.mark.parametrize("error", [TimeoutError(), ValueError("odd"), KeyError("odd"), ImproperlyConfigured("no key")])
def test_nothing_has_left_over_a_connection_that_did_not_open(settings, error):
    use(settings, Closed)
    Closed.error = error

    assert attempt().is_certain is True


@pytest.mark.parametrize(
    ("error", "is_certain"),
    [
        (api_error(400), True),
        (api_error(401), True),
        (api_error(422), True),
        (api_error(429), True),
        (api_error(500), False),
        (api_error(503), False),
        (api_error(200), False),  # an answer that nobody could read
        (AnymailAPIError("no connection"), False),
        (AnymailInvalidAddress("odd"), True),
        (AnymailUnsupportedFeature("odd"), True),
        (AnymailConfigurationError("odd"), True),
        (ValueError("of a receiver of post_send"), False),
        (TimeoutError(), False),
        (ConnectionResetError(), False),
        (KeyError("odd"), False),
    ],
    ids=repr,
)
def test_error_of_a_service_says_whether_the_mail_may_have_left(settings, error, is_certain):
    use(settings, Answering)
    Answering.answer = error

    assert attempt().is_certain is is_certain


@pytest.mark.parametrize(
    ("error", "code", "is_certain"),
    [
        (smtplib.SMTPAuthenticationError(535, b"5.7.8 no"), "login_refused", True),
        (smtplib.SMTPHeloError(501, b"no"), "smtp_501", True),
        (smtplib.SMTPConnectError(421, b"busy"), "smtp_421", True),
        (smtplib.SMTPNotSupportedError("SMTPUTF8"), "invalid", True),
        (smtplib.SMTPDataError(250, b"what"), "smtp_250", False),
        (smtplib.SMTPDataError(-1, b"junk"), "smtp_-1", False),
        (smtplib.SMTPServerDisconnected(), "no_answer", False),
    ],
    ids=repr,
)
def test_error_over_smtp_says_whether_the_mail_may_have_left(error, code, is_certain):
    found = transport.classify(error)

    assert (found.code, found.is_certain) == (code, is_certain)
