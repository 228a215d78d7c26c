"""Whose refusal it is, on the way of a mailing: what our own server says fails nobody."""

import smtplib
import ssl
from collections import Counter
from datetime import timedelta

import pytest
from anymail.backends.test import EmailBackend as AnymailBackend
from anymail.exceptions import AnymailRequestsAPIError
from anymail.signals import pre_send
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.core.mail.backends.base import BaseEmailBackend
from django.utils import timezone
from requests import Response
from urllib3 import Timeout

from tests.conftest import make_person, use_backend
from wagtail_member_reset import mailings, outbox, resets, senders
from wagtail_member_reset.conf import conf
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import EmailState, Mailing, ResetEmail
from wagtail_member_reset.outbox import failures, send_many, transport
from wagtail_member_reset.reports import Cause, Whose, services
from wagtail_member_reset.staff.wording import words

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_connection")]

LIMIT = "451 4.7.0 Daily limit reached, try again tomorrow"


def started(members, *, address="member{}@members.example"):
    for number in range(members):
        make_person(f"Member{number}", email=address.format(number))
    mailing = mailings.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=None)
    mailings.start(mailing)
    return mailing


def counted(mailing):
    mailing.refresh_from_db()
    return mailing.state, mailing.handed_over, mailing.failed


def times(mailbox):
    return Counter(line for text in mailbox.messages for line in text.splitlines() if line.startswith("To: "))


def said(member):
    return words(resets.status(member).verdict, name="Mia")


# Mailings


@pytest.mark.soak
@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
def test_thousand_over_a_server_with_a_daily_limit_are_all_sent_once(mailbox, time_machine, monkeypatch, verb):
    run_into_a_limit(mailbox, time_machine, monkeypatch, verb, members=1000, limit=300)


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("answer", [LIMIT, "554 5.2.0 SubmissionQuotaExceededException; message quota exceeded"])
@pytest.mark.slow
def test_mailing_waits_while_a_limit_is_reached(mailbox, time_machine, monkeypatch, verb, answer):
    run_into_a_limit(mailbox, time_machine, monkeypatch, verb, members=40, limit=12, answer=answer)


def run_into_a_limit(mailbox, time_machine, monkeypatch, verb, *, members, limit, answer=LIMIT):
    time_machine.move_to(timezone.now(), tick=False)
    handler = f"handle_{verb}"
    handle = getattr(type(mailbox), handler)
    is_over, refused = [], []

    async def limited(self, server, session, envelope, *args):
        if len(self.messages) >= limit and not is_over:
            refused.append(verb)
            return answer
        return await handle(self, server, session, envelope, *args)

    monkeypatch.setattr(type(mailbox), handler, limited)
    mailing = started(members)
    for hours in range(30):  # longer than any row of attempts
        outbox.drain()
        held = counted(mailing)
        assert held == ("running", limit, 0), hours
        assert mailing.held_until - timezone.now() == (timedelta(hours=1) if hours else timedelta(seconds=30))
        time_machine.shift(timedelta(hours=1))
    is_over.append(True)
    for _pass in range(3):
        outbox.drain()
        time_machine.shift(timedelta(hours=1))

    assert len(refused) == 30  # one email each time asks whether it is over
    assert counted(mailing) == ("finished", members, 0)
    assert sorted(times(mailbox).values()) == [1] * members


@pytest.mark.parametrize(
    ("verb", "answer"),
    [
        ("MAIL", "550 Unauthenticated senders not allowed"),
        ("MAIL", "530 5.7.57 Client not authenticated to send mail"),
        ("MAIL", "554 Message rejected: Email address is not verified. The following identities failed the check"),
        ("MAIL", "552 5.7.0 the from address and the authenticated user must be the same email"),
        ("MAIL", "550 no"),
        ("RCPT", "554 5.7.1 <member@members.example>: Relay access denied"),
        ("DATA", "550 Your account has been suspended"),
        ("DATA", "552 5.7.0 This message was blocked because its content presents a potential security issue"),
    ],
)
def test_mailing_pauses_at_once_where_only_the_administrator_can_mend_it(mailbox, verb, answer):
    mailbox.answers[verb] = answer
    mailing = started(5)
    outbox.drain()
    paused, progress = counted(mailing), mailings.progress(mailing)
    tried = ResetEmail.objects.filter(attempts__gt=0).count()

    mailbox.answers.clear()
    mailings.go_on(mailing)
    outbox.drain()

    assert (paused, tried, progress.needs_mending) == (("paused", 0, 0), 1, True)
    assert counted(mailing) == ("finished", 5, 0)
    assert sorted(times(mailbox).values()) == [1] * 5


def test_server_that_refuses_every_email_without_a_reason_pauses_and_fails_nobody(mailbox, monkeypatch):
    monkeypatch.setattr(send_many, "MOST_REFUSED", 3)
    mailbox.answers["DATA"] = "554 5.5.0 no"

    mailing = started(5)
    outbox.drain()

    assert counted(mailing) == ("paused", 0, 0)


def test_one_email_whose_content_is_refused_does_not_pause_the_mailing_for_ever(mailbox, time_machine, monkeypatch):
    time_machine.move_to(timezone.now())
    handle = type(mailbox).handle_DATA

    async def refuse_one(self, server, session, envelope):
        if envelope.rcpt_tos == ["member1@members.example"]:
            return "554 5.7.1 message rejected as spam"
        return await handle(self, server, session, envelope)

    monkeypatch.setattr(type(mailbox), "handle_DATA", refuse_one)
    mailing = started(4)
    outbox.drain()
    paused = counted(mailing)[0]
    mailings.go_on(mailing)
    for _pass in range(12):
        outbox.drain()
        time_machine.shift(timedelta(hours=7))

    assert paused == "paused"
    assert counted(mailing) == ("finished", 3, 1)


@pytest.mark.parametrize("per_hour", [None, 60])
@pytest.mark.parametrize("refused", ["member0@members.example", "member1@members.example"])
@pytest.mark.parametrize(
    ("verb", "answer", "state"),
    [
        ("RCPT", "550 Administrative prohibition", "finished"),
        ("RCPT", "550 5.7.1 Relaying denied for this recipient", "finished"),
        ("DATA", "550 Your account has been suspended", "finished"),
        ("RCPT", "450 4.7.0 too many messages to this recipient", "running"),
    ],
)
def test_one_recipient_whom_our_own_server_never_takes_wedges_nobody(
    mailbox, time_machine, monkeypatch, verb, answer, state, refused, per_hour
):
    time_machine.move_to(timezone.now())
    refuse_one(mailbox, monkeypatch, verb, answer, refused)
    for number in range(2):
        make_person(f"Member{number}", email=f"member{number}@members.example")
    mailing = mailings.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=None, per_hour=per_hour)
    mailings.start(mailing)
    for _pass in range(10):
        outbox.drain()
        time_machine.shift(timedelta(minutes=20))
        mailings.go_on(mailing)

    assert counted(mailing) == (state, 1, int(state == "finished"))


@pytest.mark.slow
def test_one_recipient_for_whom_a_limit_never_ends_fails_after_days_and_the_mailing_ends(
    mailbox, time_machine, monkeypatch
):
    time_machine.move_to(timezone.now())
    refuse_one(mailbox, monkeypatch, "RCPT", "450 4.7.0 too many messages to this recipient", "member1@members.example")
    mailing = started(3)
    states = []
    for _hour in range(24 * 5):
        outbox.drain()
        states.append(counted(mailing))
        time_machine.shift(timedelta(hours=1))

    assert states[24] == ("running", 2, 0)
    assert states[-1] == ("finished", 2, 1)


def refuse_one(mailbox, monkeypatch, verb, answer, address):
    handler = f"handle_{verb}"
    handle = getattr(type(mailbox), handler)

    async def refuse(self, server, session, envelope, *args):
        if address in (*envelope.rcpt_tos, *args):
            return answer
        return await handle(self, server, session, envelope, *args)

    monkeypatch.setattr(type(mailbox), handler, refuse)


@pytest.mark.slow
def test_resuming_before_anything_is_mended_fails_nobody(mailbox, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    mailbox.answers["RCPT"] = "550 5.7.1 Relaying denied"
    mailing = started(3)
    for _time in range(20):
        outbox.drain()
        mailings.go_on(mailing)
        time_machine.shift(timedelta(hours=1))
    outbox.drain()
    paused = counted(mailing)
    mailbox.answers.clear()
    for _pass in range(3):
        mailings.go_on(mailing)
        outbox.drain()
        time_machine.shift(timedelta(hours=7))

    assert paused == ("paused", 0, 0)
    assert counted(mailing) == ("finished", 3, 0)


@pytest.mark.parametrize("domains", [4, 5])
def test_ten_members_servers_that_refuse_us_pause_once(mailbox, domains):
    mailbox.answers["DATA"] = (
        "550 host mx.example[192.0.2.1] said: 550 5.7.1 SPF check failed (in reply to end of DATA)"
    )
    for number in range(30):
        make_person(f"Member{number}")
    # They are mailed in the order of their keys, which may be random.
    for number, member in enumerate(get_user_model().objects.order_by("pk")):
        member.email = f"m{number}@d{number % domains}.example"
        member.save()
    mailing = mailings.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=None)
    mailings.start(mailing)
    outbox.drain()
    state, handed_over, failed = counted(mailing)
    mailings.go_on(mailing)
    outbox.drain()

    assert (state, handed_over) == ("paused" if domains == 5 else "finished", 0)
    # With what the other connections had in hand.
    assert 10 <= failed < 10 + conf.MAILING_CONNECTIONS if domains == 5 else failed == 30
    assert counted(mailing) == ("finished", 0, 30)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("554 5.5.0 no", ("paused", 0, 0)),
        ("550 host mx.example[192.0.2.1] said: 550 5.7.1 SPF check failed", ("paused", 0, 10)),
    ],
)
@pytest.mark.slow
def test_slow_mailing_pauses_where_one_email_after_another_is_refused(mailbox, time_machine, answer, told):
    time_machine.move_to(timezone.now(), tick=False)
    mailbox.answers["DATA"] = answer
    for number in range(30):
        make_person(f"Member{number}", email=f"m{number}@d{number}.example")
    mailing = mailings.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=None, per_hour=60)
    mailings.start(mailing)
    for _minute in range(100):
        outbox.drain()
        time_machine.shift(timedelta(minutes=1))

    assert counted(mailing) == told


def test_limit_met_after_a_long_pause_lets_wait_no_longer_than_any_other(mailbox, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    mailing = started(2)
    mailings.pause(mailing)
    time_machine.shift(timedelta(days=3))
    mailbox.answers["MAIL"] = "421 4.3.2 busy"
    mailings.go_on(mailing)
    outbox.drain()

    mailing.refresh_from_db()
    assert mailing.held_until - timezone.now() == timedelta(seconds=30)


def test_page_of_a_mailing_that_paused_for_that_says_whose_move_it_is(mailbox, client, admin):
    type(admin).objects.update(last_login=timezone.now())
    mailbox.answers["DATA"] = "550 host mx.example[192.0.2.1] said: 554 5.7.1 blocked using bl.example"
    mailing = started(12, address="m@d{}.example")
    outbox.drain()
    client.force_login(admin)

    page = client.get(f"/admin/member-reset/mailings/{mailing.pk}/").content.decode()

    assert counted(mailing) == ("paused", 0, 10)
    assert "Ask your administrator to check SPF, DKIM and DMARC. Then resume." in page


# Single emails


@pytest.mark.parametrize("waits", ["paused", "held", "running"])
def test_what_staff_send_again_leaves_while_the_mailing_waits(mailbox, waits):
    mailbox.answers["RCPT"] = LIMIT if waits == "held" else "450 4.2.0 Greylisted"
    mailing = started(1)
    outbox.drain()
    mailbox.answers.clear()
    if waits == "paused":
        mailings.pause(mailing)

    email = ResetEmail.objects.get()
    resets.send(email.member, by=None)
    outbox.drain()

    assert len(mailbox.messages) == 1
    assert ResetEmail.objects.filter(state=EmailState.HANDED_OVER).count() == 1
    assert ResetEmail.objects.count() == (1 if waits == "running" else 2)


def test_address_in_another_spelling_is_mailed_as_it_is_now(mailbox, office):
    member = make_person("Mia", email="Mia@members.example")
    first = resets.send(member, by=office)

    second = resets.correct(member, address="mia@members.example", by=office)
    outbox.drain()

    first.refresh_from_db()
    assert (first.state, second.pk != first.pk) == ("superseded", True)
    assert dict(times(mailbox)) == {"To: mia@members.example": 1}


def test_email_that_still_waits_goes_to_the_address_as_it_is_spelled_now(mailbox, office):
    member = make_person("Mia", email="Mia@members.example")
    resets.send(member, by=office)
    type(member).objects.filter(pk=member.pk).update(email="mia@members.example")
    member.refresh_from_db()

    resets.send(member, by=office)
    outbox.drain()

    assert dict(times(mailbox)) == {"To: mia@members.example": 1}


@pytest.mark.parametrize(
    ("verb", "answer", "state", "badge", "sentence"),
    [
        ("MAIL", "550 Unauthenticated senders not allowed", "failed", "Failed", "refused our login"),
        ("MAIL", "554 Email address is not verified", "failed", "Failed", "does not accept this site’s sender"),
        (
            "MAIL",
            "552 5.7.0 the from address and the authenticated user must be the same",
            "failed",
            "Failed",
            "sender",
        ),
        ("DATA", "554 5.2.0 SubmissionQuotaExceededException", "queued", "Waiting", "limit for sending emails"),
        (
            "RCPT",
            "454 4.7.0 Throttling failure: Daily message quota exceeded",
            "queued",
            "Waiting",
            "limit for sending",
        ),
        ("RCPT", "421 4.7.0 Too many login attempts", "queued", "Waiting", "limit for sending emails"),
        ("RCPT", "451 4.7.1 Greylisted", "queued", "Waiting", "first check of unknown senders"),
        ("RCPT", "552 5.2.2 over quota", "failed", "Bounced", "mailbox is full"),
    ],
)
def test_single_email_says_whose_refusal_it_was(mailbox, member, verb, answer, state, badge, sentence):
    mailbox.answers[verb] = answer

    resets.send(member, by=None)
    outbox.drain()

    told = said(member)
    assert (ResetEmail.objects.get().state, told.badge) == (state, badge)
    assert sentence in told.text


def test_single_email_waits_a_day_for_a_limit(mailbox, member, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    mailbox.answers["MAIL"] = LIMIT
    resets.send(member, by=None)
    for _hour in range(15):
        outbox.drain()
        time_machine.shift(timedelta(hours=1))
    mailbox.answers.clear()
    outbox.drain()

    assert ResetEmail.objects.get().state == EmailState.HANDED_OVER


# Errors


def api_error(status, content=b"", headers=None):
    response = Response()
    response.status_code, response._content = status, content
    response.headers.update(headers or {})
    return AnymailRequestsAPIError(response=response)


@pytest.mark.parametrize(
    ("error", "is_open", "answer", "whose", "cause"),
    [
        (
            smtplib.SMTPAuthenticationError(454, b"4.7.0 Temporary authentication failure"),
            False,
            "later",
            "later",
            "busy",
        ),
        (smtplib.SMTPAuthenticationError(421, b"4.7.0 try again later"), False, "later", "later", "busy"),
        (smtplib.SMTPAuthenticationError(535, b"5.7.8 no"), False, "never", "mend", "login_refused"),
        (smtplib.SMTPConnectError(554, b"no SMTP service here"), False, "never", "mend", "configuration"),
        (smtplib.SMTPSenderRefused(450, b"no", "office@club.example"), True, "later", "later", "busy"),
        (
            smtplib.SMTPNotSupportedError("SMTP AUTH extension not supported by server."),
            False,
            "never",
            "mend",
            "configuration",
        ),
        (smtplib.SMTPNotSupportedError("SMTPUTF8 is not supported: internationalized"), True, "never", "member", ""),
        (smtplib.SMTPException("No suitable authentication method found."), False, "never", "mend", "configuration"),
        (ssl.SSLCertVerificationError("self-signed"), False, "never", "mend", "configuration"),
        (ImproperlyConfigured("no key"), False, "never", "mend", "configuration"),
        (api_error(402), True, "never", "mend", "account"),
        (api_error(408), True, "later", "later", "busy"),
        (api_error(425), True, "later", "later", "busy"),
        (api_error(429), True, "later", "later", "limit"),
        (api_error(400, b'{"message": "daily quota exceeded"}'), True, "later", "later", "limit"),
        (api_error(403, b'{"message": "domain is unverified"}'), True, "never", "mend", "sender_refused"),
    ],
    ids=repr,
)
def test_error_is_read_by_its_stage_and_its_words(error, is_open, answer, whose, cause):
    found = failures.classify(error, is_open=is_open)

    assert (found.answer.value, found.whose.value, found.cause.value) == (answer, whose, cause)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("120", 120),
        ("600.0", 600),
        (" 5 ", 5),
        ("1e400", 0),
        ("inf", 0),
        ("nan", 0),
        ("-5", 0),
        ("٣٠", 0),
        ("99999", 3600),
        ("", 0),
        ("soon", 0),
        ("Mon, 23 Nov 2026 12:05:00 GMT", 300),
        ("Mon, 23 Nov 2026 12:05:00 -0000", 300),
        ("Mon, 23 Nov 2026 13:05:00 +0100", 300),
        ("Monday, 23-Nov-26 12:05:00 GMT", 300),
        ("Mon Nov 23 12:05:00 2026", 300),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0),
        ("Mon, 99 Nov 2026 12:05:00 GMT", 0),
        ("9" * 65536, 0),
    ],
)
def test_retry_after_is_read_in_every_legal_form(time_machine, value, seconds):
    time_machine.move_to("2026-11-23T12:00:00Z", tick=False)

    assert failures.classify(api_error(429, headers={"Retry-After": value})).retry_after == seconds


@pytest.mark.parametrize("field", ["headers", "ResponseMetadata"])
@pytest.mark.parametrize("junk", [None, "text", [], {"HTTPHeaders": None}, 5])
def test_answer_without_readable_headers_asks_for_no_patience(field, junk):
    error = api_error(429)
    error.response = {"ResponseMetadata": junk} if field == "ResponseMetadata" else type("Odd", (), {"headers": junk})()

    assert failures.classify(error).retry_after == 0


# Time-outs


class Waiting(BaseEmailBackend):
    esp_name = "Mailgun"
    timeout = None


@pytest.mark.parametrize(
    ("timeout", "seconds"),
    [
        (30, 60),
        (2.5, 5),
        ("10", 20),
        ((3, 27), 54),
        ([3, 27], 54),
        (Timeout(10), 20),
        (Timeout(connect=3, read=27), 54),
        (Timeout(total=40, connect=3), 80),
        (None, None),
        ((3, None), None),
        (Timeout(connect=3), None),
        pytest.param(object(), None, id="object"),
        (float("nan"), None),
        (float("inf"), None),
        (-1, None),
        ([], None),
    ],
    ids=repr,
)
def test_time_out_in_force_is_read_in_whatever_form(timeout, seconds):
    backend = Waiting()
    backend.timeout = timeout

    assert services.of_connection(backend).longest_wait(backend) == seconds


@pytest.mark.parametrize(
    ("retries", "attempts"),
    [
        (None, 5),
        ({}, 5),
        ({"max_attempts": 2}, 3),
        ({"total_max_attempts": 2}, 2),
        ({"max_attempts": 0}, 1),
        ("odd", 5),
    ],
)
def test_amazons_client_is_given_the_time_of_all_its_attempts(settings, retries, attempts):
    config = type("Config", (), {"connect_timeout": 10, "read_timeout": 60, "retries": retries})
    client = type("Client", (), {"meta": type("Meta", (), {"config": config})})
    backend = type("Backend", (), {"esp_name": "Amazon SES", "client": client})()

    assert services.of_connection(backend).longest_wait(backend) == attempts * 2 * 60


# Queues of the site's own


def queue(module, answer):
    kind = type("EmailBackend", (BaseEmailBackend,), {"send_messages": lambda self, messages: answer})
    kind.__module__ = module
    return kind


QUEUES = [
    ("post_office.backends", 0, "django-post-office"),
    ("post_office.backends", None, "django-post-office"),
    ("mailer.backend", 1, "django-mailer"),
    ("djcelery_email.backends", ["a task"], "django-celery-email"),
    ("django_yubin.backends", 0, "django-yubin"),
    ("mailqueue.backends", 0, "django-mail-queue"),
]


@pytest.mark.parametrize(("module", "answer", "name"), QUEUES)
def test_queue_of_the_sites_own_has_taken_it(member, monkeypatch, module, answer, name):
    monkeypatch.setattr(transport, "new_connection", queue(module, answer))

    resets.send(member, by=None)
    outbox.drain()

    email = ResetEmail.objects.get()
    assert (email.state, email.provider) == (EmailState.HANDED_OVER, name)
    assert "this site’s own mail queue" in said(member).text


def test_backend_of_the_sites_own_that_builds_on_a_queue_is_one(monkeypatch):
    kind = type("Ours", (queue("post_office.backends", 0),), {})

    assert services.of_connection(kind()).name == "django-post-office"


def test_package_of_the_sites_own_with_a_queues_name_is_none():
    assert services.of_connection(queue("mailer.backends", 1)()).queues is False


@pytest.mark.parametrize("answer", [0, ["a task"], []])
def test_backend_of_the_sites_own_that_has_sent_none_yet_is_a_queue(member, monkeypatch, answer):
    monkeypatch.setattr(transport, "new_connection", queue("club.mail", answer))

    resets.send(member, by=None)
    outbox.drain()

    assert ResetEmail.objects.get().state == EmailState.HANDED_OVER
    assert "this site’s own mail queue" in said(member).text


def test_backend_that_fails_silently_is_tried_again(member, monkeypatch):
    backend = queue("club.mail", 0)()
    backend.fail_silently = True
    monkeypatch.setattr(transport, "new_connection", lambda: backend)

    resets.send(member, by=None)
    outbox.drain()

    email = ResetEmail.objects.get()
    assert (email.state, email.result_code) == (EmailState.QUEUED, "no_answer")
    assert "The mail service is not answering" in said(member).text


def test_email_that_the_sites_own_receiver_cancelled_says_so(member, settings):
    use_backend(settings, f"{AnymailBackend.__module__}.EmailBackend")

    def cancel(sender, message, **kwargs):
        from anymail.exceptions import AnymailCancelSend

        raise AnymailCancelSend

    pre_send.connect(cancel)
    try:
        resets.send(member, by=None)
        outbox.drain()
    finally:
        pre_send.disconnect(cancel)

    assert "This site’s own rules held the email back" in said(member).text


# The sender

NO_SENDERS = [
    "Club: Members <office@club.example>",
    "office@club.example, other@club.example",
    "",
    "   ",
    "office",
    "@club.example",
    "office@",
    "undisclosed-recipients:;",
    "office@club.example\nBcc: eve@elsewhere.example",
    "office@club.example\r\n\r\nHello",
    "Club <office@club.example> <other@club.example>",
    "office@club..example",
    "<" + "@" * 100_000,
    "a" * 65536,
]
SENDERS = [
    "office@club.example",
    "webmaster@localhost",
    "Club <office@club.example>",
    '"Club: Members" <office@club.example>',
    "Club e.V. <office@club.example>",
    "Jörg Büro <büro@münchen.example>",
    "Club (office) <office@club.example>",
]


@pytest.mark.parametrize("address", NO_SENDERS, ids=lambda text: text[:30])
def test_sender_that_is_not_one_mailbox_pauses_the_mailing_and_blames_nobody(settings, mailoutbox, address):
    settings.DEFAULT_FROM_EMAIL = address

    mailing = started(3)
    outbox.drain()

    assert counted(mailing) == ("paused", 0, 0)
    assert mailings.progress(mailing).needs_mending
    assert mailoutbox == []


@pytest.mark.parametrize("address", SENDERS)
def test_sender_that_is_one_mailbox_sends(settings, mailoutbox, address):
    settings.DEFAULT_FROM_EMAIL = address

    mailing = started(1)
    outbox.drain()

    assert counted(mailing) == ("finished", 1, 0)


def test_single_email_with_such_a_sender_says_that_it_is_the_set_up(settings, member, mailoutbox):
    settings.DEFAULT_FROM_EMAIL = NO_SENDERS[0]

    resets.send(member, by=None)
    outbox.drain()

    assert "problem in this site’s email set-up" in said(member).text


def test_sender_may_be_written_lazily(settings):
    from django.utils.functional import lazystr

    settings.DEFAULT_FROM_EMAIL = lazystr("Club <office@club.example>")

    assert senders.default().check() is None


def test_result_of_an_accepted_email_forgets_what_was_refused_before(mailbox, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    mailbox.answers["MAIL"] = LIMIT
    mailing = started(1)
    outbox.drain()
    waiting = ResetEmail.objects.get().result_cause
    mailbox.answers.clear()
    time_machine.shift(timedelta(hours=1))
    outbox.drain()

    assert (waiting, ResetEmail.objects.get().result_cause) == (Cause.LIMIT, "")
    assert Whose.LATER == "later"
    assert Mailing.objects.get() == mailing
