"""Who started a mailing is told once when it ends or pauses by itself, in figures and without names."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from wagtail.models import Site

from tests.conftest import grant, make_person
from tests.reports.test_webhook import report
from wagtail_member_reset import mailings, outbox
from wagtail_member_reset.mailing import Choice, Kind, protection, watch, watchers
from wagtail_member_reset.models import MailingState, SiteSender
from wagtail_member_reset.outbox.transport import Answer, Mailer, Result
from wagtail_member_reset.reports import Cause, Whose

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_connection")]

SENDS = ("send_passwordreset", "bulk_send_passwordreset")
NO_SUCH = {"event_type": "bounced", "mta_response": "550 5.1.1 User unknown"}


@pytest.fixture
def office(office):
    return grant(office, "bulk_send_passwordreset")


@pytest.fixture(autouse=True)
def small_ones_are_told(request, monkeypatch):
    if "small" not in request.node.name:
        monkeypatch.setattr(watchers, "SMALLEST_TOLD", 1)


def test_notice_is_from_the_sender_of_the_mailings_site(office, mailoutbox):
    SiteSender.objects.create(site=Site.objects.get(), from_address="hi@club.example", reply_to="answers@club.example")
    started(1, by=office)

    outbox.drain()

    [to_member, notice] = mailoutbox
    assert (to_member.from_email, notice.to) == (notice.from_email, [office.email])
    assert (notice.from_email, notice.reply_to) == ('"Example Club" <hi@club.example>', ["answers@club.example"])


def test_nobody_is_told_of_the_end_of_a_small_mailing(office, mailoutbox):
    started(3, by=office)

    outbox.drain()

    assert len(mailoutbox) == 3
    assert told(mailoutbox, office) == []


def started(number, *, by, **details):
    first = get_user_model().objects.count()
    keys = tuple(make_person(f"Member{first + each}").pk for each in range(number))
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=keys), by=by, **details)
    mailings.start(mailing, wake=False)
    return mailing


def told(mailoutbox, person):
    return [message for message in mailoutbox if message.to == [person.email]]


def test_end_is_told_once_with_figures_and_a_link_and_no_names(office, mailoutbox):
    mailing = started(3, by=office, name="Renewal 2027")

    outbox.drain()
    outbox.drain()

    [notice] = told(mailoutbox, office)
    assert notice.subject.startswith("“Renewal 2027” has finished (")
    assert "The mailing “Renewal 2027” has finished." in notice.body
    assert "Sent: 3" in notice.body
    assert f"https://club.example/admin/member-reset/mailings/{mailing.pk}/" in notice.body
    assert "Member1" not in notice.body
    assert "member1" not in notice.body


def test_address_in_the_name_of_a_mailing_is_no_link_in_the_notice(office, mailoutbox):
    mailing = started(1, by=office, name="<b>Sign in</b>: https://evil.example/admin or evil.example")

    outbox.drain()

    [notice] = told(mailoutbox, office)
    page = str(notice.alternatives[0][0])
    links = re.findall(r'href="([^"]*)"', page)
    assert links == [f"https://club.example/admin/member-reset/mailings/{mailing.pk}/"]
    assert "&lt;b&gt;Sign in&lt;/b&gt;: https://evil.example/admin or evil.example" in page


def test_nobody_is_told_who_may_not_sign_in_any_more_or_when_staff_stopped_it(office, mailoutbox):
    stopped = started(2, by=office)
    mailings.stop(stopped, by=office)
    outbox.drain()
    office.is_active = False
    office.save()
    mailing = started(2, by=office)
    outbox.drain()

    mailing.refresh_from_db()
    assert (mailing.state, mailing.notice) == (MailingState.FINISHED, "")
    assert told(mailoutbox, office) == []


def test_pause_by_itself_is_told_once_with_why_and_what_to_do(office, mailoutbox, monkeypatch):
    monkeypatch.setattr(protection, "FEWEST", 4)
    mailing = started(6, by=office, per_hour=300)
    outbox.drain()
    emails = list(mailing.emails.filter(state="handed_over"))
    assert emails, "the limit lets some go at once"
    mailing.refresh_from_db()
    assert mailing.state == MailingState.RUNNING

    for email in emails[:5]:
        report(email, **NO_SUCH)
    outbox.drain()
    outbox.drain()

    mailing.refresh_from_db()
    assert mailing.state == MailingState.PAUSED
    [notice] = told(mailoutbox, office)
    assert "was paused automatically" in notice.subject
    assert "addresses that do not exist" in notice.body
    assert "Then resume, or stop sending." in notice.body


@pytest.fixture
def colleague(db):
    return grant(make_person("Cora"), *SENDS, "view_passwordreset")


def test_who_has_asked_is_told_beside_who_started_it_each_apart_and_once(office, colleague, mailoutbox):
    mailing = started(3, by=office)
    watch(mailing, colleague, wants=True)
    watch(mailing, colleague, wants=True)
    watch(mailing, office, wants=True)

    outbox.drain()
    outbox.drain()

    notices = [mail for mail in mailoutbox if "has finished" in mail.subject]
    assert sorted(mail.to for mail in notices) == [[colleague.email], [office.email]]


def test_who_has_asked_is_told_of_the_end_of_a_small_mailing_and_of_a_command(colleague, mailoutbox):
    mailing = started(3, by=None)
    watch(mailing, colleague, wants=True)

    outbox.drain()

    [notice] = told(mailoutbox, colleague)
    assert "Sent: 3" in notice.body
    assert "member" not in notice.body.lower().replace("member-reset", "")


def test_who_wants_it_no_more_or_may_send_no_mailings_any_more_is_not_told(office, colleague, mailoutbox):
    mailing, former = started(3, by=None), grant(make_person("Former"), *SENDS)
    left = grant(make_person("Left"), *SENDS)
    for person in (colleague, former, left):
        watch(mailing, person, wants=True)
    watch(mailing, colleague, wants=False)
    former.user_permissions.clear()
    left.is_active = False
    left.save()

    outbox.drain()

    assert [mail for mail in mailoutbox if "has finished" in mail.subject] == []


def test_notice_that_one_person_cannot_get_is_sent_to_the_others(office, colleague, mailoutbox, monkeypatch):
    send = Mailer.send

    def refuse_one(mailer, content, *, to, public_id):
        if to == office.email:
            return Result(answer=Answer.NEVER, code="smtp_550")
        return send(mailer, content, to=to, public_id=public_id)

    monkeypatch.setattr(Mailer, "send", refuse_one)
    mailing = started(3, by=office)
    watch(mailing, colleague, wants=True)

    outbox.drain()

    assert len(told(mailoutbox, colleague)) == 1


def test_account_that_was_deleted_is_told_nothing_and_breaks_nothing(colleague, mailoutbox):
    mailing = started(3, by=None)
    watch(mailing, colleague, wants=True)
    colleague.delete()

    outbox.drain()

    mailing.refresh_from_db()
    assert (mailing.state, mailing.notice) == (MailingState.FINISHED, "")


def test_who_may_not_see_everybody_gets_no_figures_and_the_link(mailoutbox):
    mailing, person = started(3, by=None, name="Renewal"), grant(make_person("Jo"), *SENDS)
    watch(mailing, person, wants=True)

    outbox.drain()

    [notice] = told(mailoutbox, person)
    assert "has finished." in notice.body
    assert "Sent" not in notice.body
    assert "3" not in notice.body.replace(f"/{mailing.pk}/", "")
    assert f"/admin/member-reset/mailings/{mailing.pk}/" in notice.body


def test_who_started_it_and_may_send_no_mailings_any_more_is_not_told(office, mailoutbox):
    started(3, by=office)
    office.user_permissions.clear()

    outbox.drain()

    assert told(mailoutbox, office) == []


def test_who_may_send_to_nobody_is_not_told_of_mailings(mailoutbox):
    mailing, person = started(3, by=None), grant(make_person("Jo"), "bulk_send_passwordreset")
    watch(mailing, person, wants=True)

    outbox.drain()

    assert told(mailoutbox, person) == []


LOGIN_REFUSED = Result(
    answer=Answer.NEVER,
    code="login_refused",
    whose=Whose.MEND,
    cause=Cause.LOGIN_REFUSED,
    is_sure=True,
    is_certain=True,
)


def test_pause_for_a_refused_login_is_told_once_the_login_is_mended(office, mailoutbox, monkeypatch, time_machine):
    send, tried = Mailer.send, []

    def refuse(mailer, content, *, to, public_id):
        tried.append(to)
        return LOGIN_REFUSED

    monkeypatch.setattr(Mailer, "send", refuse)
    mailing = started(3, by=office)
    outbox.drain()
    outbox.drain()
    mailing.refresh_from_db()
    assert (mailing.state, mailing.paused_because) == (MailingState.PAUSED, "refused")
    assert tried.count(office.email) == 1
    assert mailoutbox == []

    monkeypatch.setattr(Mailer, "send", send)
    time_machine.move_to(timezone.now() + timedelta(minutes=11))
    outbox.drain()
    outbox.drain()

    [notice] = mailoutbox
    assert notice.to == [office.email]
    assert "this site’s emails are being refused or cannot be made" in notice.body
    assert mailings.go_on(mailing, wake=False)
    outbox.drain()
    assert len(mailoutbox) == 4 + 1


def test_who_has_asked_is_told_of_the_end_of_a_mailing_that_emailed_nobody(colleague, mailoutbox):
    mailing = started(3, by=None)
    watch(mailing, colleague, wants=True)
    get_user_model().objects.filter(pk__in=mailing.chunks.get().members).update(is_active=False)

    outbox.drain()

    [notice] = mailoutbox
    assert notice.to == [colleague.email]
    assert "Not emailed: 3" in notice.body
