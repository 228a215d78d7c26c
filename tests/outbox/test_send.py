import email
import logging
import re
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core.mail.backends import locmem
from django.utils import timezone

from tests.conftest import make_person
from wagtail_member_reset import outbox, resets
from wagtail_member_reset.links import state
from wagtail_member_reset.models import EmailState, PasswordReset, ResetEmail, SkipReason, State
from wagtail_member_reset.outbox import queue
from wagtail_member_reset.outbox.queue import Lease

pytestmark = pytest.mark.django_db
START = "2026-11-23 12:00:00+00:00"


def only_email():
    return ResetEmail.objects.get()


def link_in(raw):
    message = email.message_from_string(raw)
    text = next(part for part in message.walk() if part.get_content_type() == "text/plain")
    lines = text.get_payload(decode=True).decode().splitlines()
    return next(line for line in lines if re.fullmatch(r"https://club\.example/account/r/\S+", line))


def test_mail_arrives_with_text_html_and_the_link(mailbox, member, office):
    reset = resets.send(member, by=office)

    sent = outbox.drain()

    message = email.message_from_string(mailbox.messages[0])
    assert sent == 1
    assert only_email().state == EmailState.HANDED_OVER
    assert message["To"] == "mia@members.example"
    assert [part.get_content_type() for part in message.walk()][1:] == ["text/plain", "text/html"]
    assert link_in(mailbox.messages[0]) == resets.link(reset)


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("code", [421, 450, 451, 452])
def test_temporary_refusals_are_tried_again(mailbox, member, office, verb, code):
    resets.send(member, by=office)
    mailbox.answers[verb] = f"{code} 4.3.0 not now"
    outbox.drain()
    waiting = only_email()

    mailbox.answers.clear()
    with time_machine.travel(timezone.now() + timedelta(seconds=31)):
        outbox.drain()

    assert (waiting.state, waiting.attempts) == (EmailState.QUEUED, 1)
    assert only_email().state == EmailState.HANDED_OVER
    assert len(mailbox.messages) == 1


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("code", [550, 552, 553, 554])
def test_permanent_refusals_end_the_attempts(mailbox, member, office, verb, code):
    resets.send(member, by=office)
    mailbox.answers[verb] = f"{code} 5.1.1 no such mailbox"

    outbox.drain()

    assert (only_email().state, only_email().result_code) == (EmailState.FAILED, f"smtp_{code}")
    assert "no such mailbox" in only_email().result_text
    assert PasswordReset.objects.get().is_live


def test_one_refused_mail_does_not_hold_the_next_back(mailbox, member, imported_member, office):
    resets.send(member, by=office)
    resets.send(imported_member, by=office)
    refuse_mia = mailbox.handle_RCPT

    async def handle_rcpt(server, session, envelope, address, options):
        if address.startswith("mia"):
            return "550 5.1.1 unknown"
        return await refuse_mia(server, session, envelope, address, options)

    mailbox.handle_RCPT = handle_rcpt
    outbox.drain()

    states = dict(ResetEmail.objects.values_list("recipient", "state"))
    assert states == {"mia@members.example": EmailState.FAILED, "ida@members.example": EmailState.HANDED_OVER}


def test_closed_port_is_tried_by_the_schedule_and_then_given_up(closed_port, member, office):
    with time_machine.travel(START, tick=False) as clock:
        resets.send(member, by=office)
        pauses = []
        while only_email().state == EmailState.QUEUED:
            outbox.drain()
            if only_email().state == EmailState.QUEUED:
                pauses.append(only_email().next_attempt_at - timezone.now())
                clock.move_to(only_email().next_attempt_at)

    assert pauses == [timedelta(seconds=30)] + [timedelta(minutes=m) for m in (2, 10, 30, 120, 360)]
    assert (only_email().state, only_email().result_code) == (EmailState.FAILED, "no_answer")


def test_dropped_connection_sends_the_same_mail_with_the_same_link_again(mailbox, member, office):
    resets.send(member, by=office)
    mailbox.drop_after_data = True
    outbox.drain()
    mailbox.drop_after_data = False
    with time_machine.travel(timezone.now() + timedelta(seconds=31)):
        outbox.drain()

    first, second = mailbox.messages
    ids = [email.message_from_string(raw)["Message-ID"] for raw in mailbox.messages]
    assert link_in(first) == link_in(second)
    assert ids[0] == ids[1] == f"<mr.{only_email().public_id}@club.example>"
    assert only_email().state == EmailState.HANDED_OVER


@pytest.mark.slow
def test_silent_server_is_left_after_the_timeout(mailbox, member, office):
    resets.send(member, by=office)
    mailbox.delay = 3

    outbox.drain()

    assert (only_email().state, only_email().result_code) == (EmailState.QUEUED, "no_answer")


def test_server_that_echoes_the_mail_gets_no_token_into_row_or_log(mailbox, member, office, caplog):
    caplog.set_level(logging.DEBUG)
    reset = resets.send(member, by=office)
    token = resets.link(reset).rpartition("/")[2]
    mailbox.answers["DATA"] = f"554 5.7.1 spam: https://club.example/account/r/{token}"

    outbox.drain()

    assert token not in only_email().result_text
    assert "…" in only_email().result_text
    assert token not in "".join(record.getMessage() for record in caplog.records if record.name.startswith("wagtail"))


def test_mail_of_a_process_that_died_after_the_commit_is_sent_by_the_next(mailbox, member, office):
    resets.send(member, by=office)  # nobody was woken: DELIVERY is "command" here

    outbox.drain()

    assert len(mailbox.messages) == 1


def test_mail_of_a_worker_that_died_is_sent_after_its_lease(mailbox, member, office):
    resets.send(member, by=office)
    queue.claim_singles(Lease(longest=lambda: timedelta(seconds=1)))
    outbox.drain()
    meanwhile = len(mailbox.messages)
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        outbox.drain()

    assert (meanwhile, len(mailbox.messages)) == (0, 1)


def test_mail_that_ends_its_workers_is_given_up(member, office):
    resets.send(member, by=office)
    ResetEmail.objects.update(attempts=9)

    outbox.drain()

    assert (only_email().state, only_email().result_code) == (EmailState.FAILED, "error")


def revoke(reset):
    resets.revoke(reset, by=None)


def move(reset):
    get_user_model().objects.update(email="new@members.example")


def deactivate(reset):
    get_user_model().objects.filter(pk=reset.member_id).update(is_active=False)


def expire(reset):
    PasswordReset.objects.update(expires_at=timezone.now())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (revoke, SkipReason.LINK_CLOSED),
        (expire, SkipReason.LINK_CLOSED),
        (move, SkipReason.MEMBER_CHANGED),
        (deactivate, SkipReason.LINK_CLOSED),
    ],
)
def test_mail_whose_link_has_ended_meanwhile_is_not_sent(mailbox, member, change, reason):
    reset = resets.send(member, by=None)
    change(reset)

    outbox.drain()

    assert mailbox.messages == []
    assert (only_email().state, only_email().skip_reason) == (EmailState.SKIPPED, reason)


def test_mail_of_a_deleted_member_is_gone(mailbox, member):
    resets.send(member, by=None)
    member.delete()

    assert outbox.drain() == 0
    assert mailbox.messages == []


def test_late_mail_gets_a_new_link_when_nobody_has_the_old_one(mailbox, member, office):
    old = resets.send(member, by=office)

    with time_machine.travel(timezone.now() + timedelta(hours=17)):
        outbox.drain()
        new = PasswordReset.objects.get(state=State.ACTIVE)
        assert resets.link(new) == link_in(mailbox.messages[0])

    old.refresh_from_db()
    assert (old.state, new.issued_by, new.purpose) == (State.SUPERSEDED, office, old.purpose)


@pytest.mark.parametrize("seen", ["shown_at", "copied_at", "opened_at"])
def test_late_mail_fails_when_somebody_may_have_the_link(mailbox, member, office, seen):
    reset = resets.send(member, by=office)
    PasswordReset.objects.update(**{seen: timezone.now()})

    with time_machine.travel(timezone.now() + timedelta(hours=17)):
        outbox.drain()

    reset.refresh_from_db()
    assert mailbox.messages == []
    assert (only_email().skip_reason, reset.state) == (SkipReason.WINDOW_CLOSED, State.ACTIVE)


def test_late_mail_fails_when_an_earlier_attempt_may_have_arrived(mailbox, member, office):
    resets.send(member, by=office)
    mailbox.drop_after_data = True
    outbox.drain()
    mailbox.drop_after_data = False

    with time_machine.travel(timezone.now() + timedelta(hours=17)):
        outbox.drain()

    assert len(mailbox.messages) == 1
    assert only_email().skip_reason == SkipReason.WINDOW_CLOSED
    assert PasswordReset.objects.count() == 1


def test_broken_template_of_a_site_holds_no_other_mail_back(mailbox, member, office, settings, tmp_path):
    folder = tmp_path / "wagtail_member_reset" / "emails"
    folder.mkdir(parents=True)
    (folder / "welcome.txt").write_text("{{ first_name|upper }} {{ link }}")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    resets.send(make_person("Wendy"), by=office, purpose="welcome")
    resets.send(member, by=office)

    outbox.drain()

    found = {row.recipient: (row.state, row.result_code) for row in ResetEmail.objects.all()}
    assert found == {
        "wendy@members.example": (EmailState.FAILED, "configuration"),
        "mia@members.example": (EmailState.HANDED_OVER, "unknown"),
    }


def test_nonce_is_erased_by_the_next_pass_and_the_link_still_works(mailbox, member, office):
    reset = resets.send(member, by=office)
    outbox.drain()
    token = link_in(mailbox.messages[0])

    with time_machine.travel(timezone.now() + timedelta(hours=17)):
        outbox.drain()
        reset.refresh_from_db()
        resets.redeem(resets.open(token), password="a quiet harbour 7")

    member.refresh_from_db()
    assert reset.nonce is None
    assert member.check_password("a quiet harbour 7")


def test_sweep_ends_the_links_of_accounts_deactivated_by_raw_sql(member):
    reset = resets.send(member, by=None)
    deactivate(reset)

    state.sweep()
    get_user_model().objects.update(is_active=True)

    reset.refresh_from_db()
    assert (reset.state, reset.reason) == (State.REVOKED, "deactivated")


class Meddling(locmem.EmailBackend):
    """While the first mail of a mailing leaves, something happens to the others."""

    meanwhile = None

    def send_messages(self, messages):
        happens, type(self).meanwhile = self.meanwhile, None
        if happens is not None:
            happens()
        return super().send_messages(messages)


@pytest.fixture
def meanwhile(settings, mailoutbox):
    """Set what happens between the first mail of the mailing and the second."""
    path = f"{Meddling.__module__}.{Meddling.__qualname__}"
    if hasattr(settings, "MAILERS"):
        settings.MAILERS = {"default": {"BACKEND": path}}
    else:
        settings.EMAIL_BACKEND = path

    def arrange(change):
        Meddling.meanwhile = staticmethod(change)

    yield arrange
    Meddling.meanwhile = None


@pytest.mark.parametrize(
    "change",
    [
        lambda ida: resets.revoke(PasswordReset.objects.get(member=ida), by=None),
        lambda ida: resets.rotate(ida, by=None) and ResetEmail.objects.filter(state="queued").update(state="failed"),
        lambda ida: get_user_model().objects.filter(pk=ida.pk).update(email="new@members.example"),
        lambda ida: get_user_model().objects.filter(pk=ida.pk).update(is_active=False),
        lambda ida: ida.delete(),
    ],
    ids=["revoked", "superseded", "address", "deactivated", "deleted"],
)
def test_mail_further_down_a_mailing_is_checked_when_its_turn_comes(
    member, imported_member, meanwhile, mailoutbox, change
):
    resets.send(member, by=None)
    resets.send(imported_member, by=None)
    meanwhile(lambda: change(imported_member))

    outbox.drain()

    assert [mail.to for mail in mailoutbox] == [["mia@members.example"]]


def test_mailing_that_takes_too_long_gives_back_what_it_did_not_get_to(member, imported_member, meanwhile, mailoutbox):
    with time_machine.travel(START, tick=False) as clock:
        resets.send(member, by=None)
        resets.send(imported_member, by=None)
        meanwhile(lambda: clock.shift(timedelta(minutes=9)))

        outbox.drain()

    # The second went out under a lease of its own, and counts one attempt.
    assert sorted(ResetEmail.objects.values_list("state", "attempts")) == [(EmailState.HANDED_OVER, 1)] * 2
    assert len(mailoutbox) == 2


def test_worker_that_lost_its_lease_does_not_overwrite_what_the_next_one_saw(member, meanwhile, mailoutbox):
    """As after a suspended machine: both sent, with one link, and what the second recorded stands."""
    resets.send(member, by=None)
    with time_machine.travel(START, tick=False) as clock:

        def next_worker():
            clock.shift(timedelta(minutes=25))
            outbox.drain()

        ResetEmail.objects.update(next_attempt_at=timezone.now())
        PasswordReset.objects.update(issued_at=timezone.now())
        meanwhile(next_worker)
        outbox.drain()

    first, second = (re.search(r"/r/(\S+)", mail.body)[1] for mail in mailoutbox)
    ids = {mail.extra_headers["Message-ID"] for mail in mailoutbox}
    assert (first == second, len(ids)) == (True, 1)
    assert (only_email().state, only_email().attempts) == (EmailState.HANDED_OVER, 2)


@pytest.mark.parametrize("length", [400, 440, 480, 499])
def test_token_at_the_edge_of_a_long_answer_is_left_out_whole(mailbox, member, office, length):
    reset = resets.send(member, by=office)
    token = resets.link(reset).rpartition("/")[2]
    mailbox.answers["DATA"] = f"554 {'x' * (length - 20)} {token}"

    outbox.drain()

    assert only_email().result_code == "smtp_554"
    assert not any(token[start : start + 8] in only_email().result_text for start in range(12, 30))


@pytest.mark.parametrize(
    "quote",
    [
        lambda token: token.upper(),
        lambda token: f"{token[:20]}=\r\n554 {token[20:]}",
        lambda token: f"{token[:30]}...",
        lambda token: f"{token} and again {token}",
    ],
    ids=["upper case", "wrapped", "cut", "twice"],
)
def test_server_that_echoes_the_token_in_another_spelling_gets_none_into_the_row(mailbox, member, office, quote):
    reset = resets.send(member, by=office)
    token = resets.link(reset).rpartition("/")[2]
    answer = quote(token)
    mailbox.answers["DATA"] = f"554-5.7.1 {answer}\r\n554 end" if "554 " not in answer else f"554-5.7.1 {answer}"

    outbox.drain()

    kept = only_email().result_text.lower()
    assert kept.startswith("5.7.1")
    assert not any(token[start : start + 8] in kept for start in range(12, 30))


def test_login_that_is_refused_fails_and_is_said(mailbox, member, office, settings):
    if hasattr(settings, "MAILERS"):
        settings.MAILERS["default"]["OPTIONS"].update(username="club", password="wrong")
    else:
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "club", "wrong"
    mailbox.refuses_logins = True
    resets.send(member, by=office)

    outbox.drain()

    assert (only_email().state, only_email().result_code) == (EmailState.FAILED, "login_refused")
    assert "wrong" not in only_email().result_text
    assert mailbox.messages == []


def test_site_without_an_address_gets_its_mail_when_it_has_one(member, office, settings, mailoutbox):
    resets.send(member, by=office)
    settings.WAGTAIL_MEMBER_RESET_BASE_URL = "club.example"

    outbox.drain()

    assert mailoutbox == []
    assert (only_email().state, only_email().result_code) == (EmailState.FAILED, "configuration")
    assert "WAGTAIL_MEMBER_RESET_BASE_URL" in only_email().result_text
    assert PasswordReset.objects.get().is_live


def test_template_that_crashes_is_tried_again_and_its_error_is_not_logged(member, office, settings, tmp_path, caplog):
    folder = tmp_path / "wagtail_member_reset" / "emails"
    folder.mkdir(parents=True)
    (folder / "reset.html").write_text("{% load nothing_of_the_kind %}")
    settings.TEMPLATES = [{**settings.TEMPLATES[0], "DIRS": [tmp_path]}]
    token = resets.link(resets.send(member, by=office)).rpartition("/")[2]

    outbox.drain()

    assert (only_email().state, only_email().result_code) == (EmailState.QUEUED, "error")
    assert "TemplateSyntaxError" in caplog.text
    assert token not in caplog.text


def test_worker_that_is_asked_to_stop_gives_back_what_it_has_in_hand(mailoutbox, db):
    for number in range(5):
        resets.send(make_person(f"Member{number}"), by=None)

    handed_over = outbox.drain(is_stopping=lambda: len(mailoutbox) == 2)

    states = ResetEmail.objects.order_by("pk").values_list("state", "attempts", "lease")
    assert handed_over == 2
    assert list(states) == [(EmailState.HANDED_OVER, 1, "")] * 2 + [(EmailState.QUEUED, 0, "")] * 3
