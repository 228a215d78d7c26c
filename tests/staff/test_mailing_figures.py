"""What the page of a mailing counts is what its list shows, and both are true."""

import csv
import io
import re
from datetime import timedelta

import pytest
from anymail.signals import AnymailTrackingEvent, tracking
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.text import slugify

from tests.conftest import grant, make_person
from tests.staff.pages import LINK, words
from tests.staff.test_mailing_rights import sender
from wagtail_member_reset import mailings, outbox, resets, tokens
from wagtail_member_reset.mailing import chunks, issue_chunk
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import (
    DoNotEmail,
    EmailState,
    Mailing,
    MailingState,
    PasswordReset,
    ResetEmail,
    SkipReason,
)
from wagtail_member_reset.staff import mailing_figures, permissions
from wagtail_member_reset.staff.mailing_figures import SHOWN

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("by_hand", "webhooks")]


@pytest.fixture
def webhooks(settings):
    settings.ROOT_URLCONF = "tests.urls_with_webhooks"


def started(*people, by=None, **details):
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=tuple(person.pk for person in people)), by=by, **details)
    mailings.start(mailing, wake=False)
    return mailing


def sent_to(*people, by=None):
    mailing = started(*people, by=by)
    outbox.drain()
    mailing.refresh_from_db()
    ResetEmail.objects.update(provider="Postmark")
    return mailing


def report(person, event_type, **said):
    email = ResetEmail.objects.get(member=person)
    event = AnymailTrackingEvent(
        event_type=event_type, metadata={"member_reset": str(email.public_id)}, recipient=email.recipient, **said
    )
    tracking.send(sender=None, event=event, esp_name="Postmark")


def fail(person, code="invalid", *, outcome="not_sent", cause="invalid", text="550 no thanks"):
    """As if the email had been refused when it was sent."""
    email = ResetEmail.objects.get(member=person)
    mailing = Mailing.objects.get(pk=email.mailing_id)
    Mailing.objects.filter(pk=mailing.pk).update(handed_over=mailing.handed_over - 1, failed=mailing.failed + 1)
    failed = {"state": EmailState.FAILED, "result_code": code, "result_text": text, "handed_over_at": None}
    ResetEmail.objects.filter(pk=email.pk).update(**failed, outcome=outcome, cause=cause)


def address(mailing, name="mailing", query=""):
    return reverse(f"wagtail_member_reset_admin:{name}", args=[mailing.pk]) + query


def markup(client, mailing, name="mailing", query=""):
    response = client.get(address(mailing, name, query))
    assert response.status_code == 200
    return response.content.decode()


def listed(client, url):
    """The addresses on all pages of a list, in the list's order."""
    found = []
    while url:
        said = client.get(url).content.decode()
        found += re.findall(r"<td[^>]*>\s*([^<>\s]+@members\.example)\s*</td>", said)
        further = re.search(r'href="([^"]*after=[^"]*)"[^>]*>Next<', said)
        url = further and further[1].replace("&amp;", "&")
    return found


def in_csv(client, url):
    answer = client.get(f"{url}{'&' if '?' in url else '?'}export=csv")
    rows = csv.reader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig")))
    return list(rows)[1:]


def counts(client, mailing):
    """Each count on the mailing's page, by the address of the list that it leads to."""
    said = markup(client, mailing)
    links = re.findall(r'<a id="member-reset-[^"]*" href="([^"]*)">([\d,]+)</a>', said)
    return {url.replace("&amp;", "&"): int(number.replace(",", "")) for url, number in links}


@pytest.fixture
def eventful(office):
    """A mailing to whose members everything has happened."""
    names = ["Arrived", "Bounced", "Full", "Spam", "Chose", "Silent", "Refused"]
    people = {name: make_person(name) for name in names}
    people |= {"Nowhere": make_person("Nowhere", email=""), "Gone": make_person("Gone", is_active=False)}
    mailing = sent_to(*people.values(), by=office)
    report(people["Arrived"], "delivered")
    report(people["Bounced"], "bounced", mta_response="smtp;550 5.1.1 no such user")
    report(people["Full"], "bounced", mta_response="smtp;552 5.2.2 mailbox full")
    report(people["Spam"], "complained")
    token = tokens.mint(PasswordReset.objects.get(member=people["Chose"]))
    resets.redeem(resets.open(token), password="a new password 9")
    fail(people["Refused"])
    return mailing


# Counts and lists


def test_every_count_on_the_page_is_a_link_to_a_list_of_so_many(admin_client, eventful):
    found = counts(admin_client, eventful)

    assert len(found) >= len(SHOWN)
    for url, number in found.items():
        rows = in_csv(admin_client, url)
        assert (len(rows), len(listed(admin_client, url))) == (number, sum("@" in row[1] for row in rows)), url


def test_page_says_what_became_of_whom(admin_client, eventful):
    said = words(markup(admin_client, eventful))

    assert "Sent 6 Delivered 2 Came back 2" in said
    assert "Marked as spam 1 Chose a password 1 Nothing yet 2 Not emailed 2" in said
    assert "1 – The person’s mailbox is full." in said
    assert "1 – The person’s mail server says that this address does not exist." in said
    assert "1 – No email address" in said and "1 – The account is not active" in said
    assert "1 – The mail service did not send the email: the address is not a valid email address." in said


def test_each_list_has_those_it_is_named_after(admin_client, eventful):
    if not hasattr(get_user_model(), "get_full_name"):
        pytest.skip("This model's accounts go by their address")
    lists = {
        name: {row[0].split()[0] for row in in_csv(admin_client, address(eventful, "mailing_members", f"?show={name}"))}
        for name in SHOWN
        if name
    }

    who = {
        "sent": {"Arrived", "Bounced", "Full", "Spam", "Chose", "Silent"},
        "delivered": {"Arrived", "Spam"},
        "came_back": {"Bounced", "Full"},
        "spam": {"Spam"},
        "password": {"Chose"},
        "nothing": {"Arrived", "Silent"},
        "not_emailed": {"Nowhere", "Gone"},
        "failed": {"Refused"},
        "not_sent": set(),
        "waiting": set(),
        "retrying": set(),
    }
    assert lists == who


def test_list_says_why_in_the_words_of_the_tab_and_folds_what_the_server_said(admin_client, eventful):
    said = markup(admin_client, eventful, "mailing_members", "?show=failed")

    assert "the address is not a valid email address." in words(said)
    assert "<details><summary>Technical details</summary><code>550 no thanks</code></details>" in said


def test_password_chosen_by_a_later_link_counts_as_one(admin_client, office):
    mia = make_person("Mia")
    mailing = sent_to(mia, by=office)
    reset = resets.rotate(mia, by=office)
    resets.redeem(resets.open(tokens.mint(reset)), password="a new password 9")

    said = words(markup(admin_client, mailing))

    assert "Chose a password 1" in said
    assert "Nothing yet" not in said


def test_failure_that_is_sent_with_a_mailing_keeps_its_reason(settings, admin_client, monkeypatch):
    from wagtail_member_reset.outbox import transport
    from wagtail_member_reset.outbox.transport import Answer, Result

    refused = Result(answer=Answer.NEVER, code="invalid", text="no address", is_certain=True)
    monkeypatch.setattr(transport.Mailer, "send", lambda *_args, **_details: refused)
    monkeypatch.setattr(settings, "WAGTAIL_MEMBER_RESET_MAILING_CONNECTIONS", 1, raising=False)

    mailing = started(make_person("Mia"))
    outbox.drain()

    assert ResetEmail.objects.values_list("state", "outcome", "cause").get() == ("failed", "not_sent", "invalid")
    [(url, _number)] = [each for each in counts(admin_client, mailing).items() if "reason=" in each[0]]
    assert len(in_csv(admin_client, url)) == 1


def test_later_report_changes_what_the_list_says(admin_client, office):
    mia = make_person("Mia")
    mailing = sent_to(mia, by=office)

    report(mia, "delivered")
    before = words(markup(admin_client, mailing))
    report(mia, "bounced", mta_response="smtp;550 5.1.1 no such user")

    assert "Delivered 1" in before and "Came back" not in before
    assert "Delivered" not in (said := words(markup(admin_client, mailing))) and "Came back 1" in said


def test_junk_in_the_address_of_the_list_is_no_error(admin_client, eventful):
    for junk in ("x", "%00", "-", "failed-", "-no_answer", "9" * 400, "c", "c1", "c1_", "cx_y", f"c{'9' * 30}_1"):
        for query in (f"?show={junk}", f"?show=failed&reason={junk}", f"?after={junk}", f"?show=waiting&after={junk}"):
            assert admin_client.get(address(eventful, "mailing_members", query)).status_code == 200, query


# CSV


def test_csv_of_the_list_is_streamed_computes_nothing_and_holds_no_link(admin_client, office):
    evil = make_person("Eve", first_name="=1+1", last_name=";=2+2", email="eve@members.example")
    mailing = sent_to(evil, make_person("Mia"), by=office)

    answer = admin_client.get(address(mailing, "mailing_members", "?show=sent&export=csv"))
    said = b"".join(answer.streaming_content).decode("utf-8-sig")

    assert answer.streaming and "no-store" in answer["Cache-Control"]
    assert answer["Content-Disposition"] == f'attachment; filename="{slugify(mailing.name)}-sent.csv"'
    assert "eve@members.example" in said and "mia@members.example" in said
    assert not re.search(r"(^|[,;\"])\s*=", said, re.MULTILINE)
    assert LINK.search(said) is None


def test_csv_costs_the_same_number_of_queries_for_many(admin_client, office):
    costs = []
    for number in (2, 40):
        mailing = sent_to(*(make_person(f"Member{number}x{each}") for each in range(number)), by=office)
        with CaptureQueriesContext(connection) as asked:
            assert len(in_csv(admin_client, address(mailing, "mailing_members"))) == number
        costs.append(len(asked))

    assert costs[0] == costs[1]


# Who may see whom


@pytest.fixture
def mixed(admin, office):
    """A mailing of a superuser's, to a member, to the office and to another superuser."""
    boss = make_person("Boss", is_superuser=True)
    mailing = sent_to(make_person("Mia"), office, boss, by=admin)
    for person in (boss, office):
        fail(person)
    return mailing


def test_people_beyond_reach_are_in_no_count_list_or_file(enter, mixed):
    client = enter(sender("junior"))

    said = words(markup(client, mixed))
    Mailing.objects.update(paused_because="hard_bounces", state=MailingState.PAUSED, hard_bounces=2)
    paused = words(markup(client, mixed))
    overview = words(client.get(reverse("wagtail_member_reset_admin:mailings")).content.decode())

    assert "Sent to 1 member 1 of 1 done." in said
    assert "Only people whom you may see are counted and listed." in said
    assert "Failed" not in said and "did not arrive" not in said
    assert "Sending was paused automatically: too many emails went to addresses that do not exist." in paused
    assert not re.search(r"\b[23] of 3\b", said + paused + overview)
    assert [row[1] for row in in_csv(client, address(mixed, "mailing_members"))] == ["mia@members.example"]
    assert listed(client, address(mixed, "mailing_members")) == ["mia@members.example"]


def test_list_of_mailings_does_not_tell_of_failures_beyond_reach(enter, admin_client, mixed):
    overview = [
        words(client.get(reverse("wagtail_member_reset_admin:mailings")).content.decode())
        for client in (enter(sender("junior")), admin_client)
    ]

    assert ["with failures" in page for page in overview] == [False, True]
    assert "Finished" in overview[0]


def test_page_tells_nothing_of_what_happened_to_people_beyond_reach_alone(enter, admin):
    mailing = started(*(make_person(f"Boss{number}", is_superuser=True) for number in range(3)), by=admin)
    Mailing.objects.update(measured_at=timezone.now() - timedelta(minutes=1), handed_over=1)
    client = enter(sender("junior"))

    running = words(markup(client, mailing))
    outbox.drain()
    ended = markup(client, mailing)

    assert "left" not in running[running.index("0 of 0 done") :]
    assert "Sent to 0 members" in ended and "Resend to those not in yet" not in ended
    assert 'data-state="finished no no 0"' in ended
    assert "Resend to those not in yet" in markup(enter(admin), mailing)


def test_people_beyond_reach_are_not_counted_among_those_still_to_come(enter, admin, office):
    mailing = started(make_person("Mia"), office, by=admin)
    client = enter(sender("junior"))

    running, stop = words(markup(client, mailing)), words(markup(client, mailing, "mailing_stop"))
    mailings.stop(mailing, by=admin)
    stopped = words(markup(client, mailing))

    assert "0 of 1 done." in running and "Waiting 1" in running
    assert "1 member is still waiting" in stop
    assert "0 of 1 email was sent." in stopped and "Not sent 1" in stopped
    assert "Send to the remaining 1" in stopped


def test_who_sees_all_is_told_of_all(admin_client, mixed):
    said = words(markup(admin_client, mixed))

    assert "3 of 3 done." in said and "Failed 2" in said
    assert "Only people whom you may see" not in said


# What a stopped one did not send


def test_stopped_mailing_calls_not_sent_whom_it_had_not_come_to(admin_client, admin):
    mailing = started(*(make_person(f"Rest{number}") for number in range(67)), by=admin)
    mailings.stop(mailing, by=admin)

    said = words(markup(admin_client, mailing))

    assert "0 of 67 emails were sent" in said
    assert "Not sent 67" in said and "Not emailed" not in said
    assert "Send to the remaining 67" in said
    found = listed(admin_client, address(mailing, "mailing_members", "?show=not_sent"))
    assert len(found) == len(set(found)) == 67
    assert len(in_csv(admin_client, address(mailing, "mailing_members", "?show=not_sent"))) == 67


def test_remaining_ones_are_named_as_many_as_the_next_preview_has(admin_client, admin):
    people = [make_person(f"Rest{number}") for number in range(7)]
    mailing = started(*people, by=admin)
    mailings.stop(mailing, by=admin)
    people[0].delete()
    type(admin).objects.filter(pk=people[1].pk).update(email="")
    DoNotEmail.objects.create(member=people[2], reason="post_only")

    said = words(markup(admin_client, mailing))
    preview = words(admin_client.post(address(mailing) + "rest/", follow=True).content.decode())

    assert "Send to the remaining 4" in said
    assert "4 people will get an email" in preview and "6 chosen" in preview


def test_rest_is_not_offered_where_nobody_of_it_can_be_mailed(admin_client, admin):
    mailing = started(make_person("Nowhere", email=""), by=admin)
    mailings.stop(mailing, by=admin)

    said = words(markup(admin_client, mailing))

    assert "Not sent 1" in said and "Send to the remaining" not in said


def test_nobody_remains_once_the_rest_was_sent(admin_client, admin):
    mailing = started(make_person("Mia"), make_person("Ole"), by=admin)
    mailings.stop(mailing, by=admin)
    rest = mailings.draft_rest(mailing, by=admin)
    mailings.start(rest)
    outbox.drain()

    said = words(markup(admin_client, mailing))

    assert "Not sent 2" in said
    assert "Send to the remaining" not in said
    assert mailings.draft_rest(mailing, by=admin) is None


def test_mailing_that_was_stopped_after_its_last_email_offers_no_rest(admin_client, admin):
    mailing = started(make_person("Mia"), make_person("Nowhere", email=""), by=admin)
    outbox.drain()
    Mailing.objects.update(state=MailingState.STOPPED)

    assert "Send to the remaining" not in words(markup(admin_client, mailing))


# What went wrong


def test_mailing_in_which_everything_failed_says_so_loudly(admin_client, office):
    people = [make_person("Mia"), make_person("Ole")]
    mailing = sent_to(*people, by=office)
    for person in people:
        fail(person)

    said = markup(admin_client, mailing)

    assert "help-critical" in said
    assert "All 2 emails failed. Nobody got an email from this mailing." in words(said)
    assert "Sending failed" in words(said) and "Sent to" not in words(said)
    overview = admin_client.get(reverse("wagtail_member_reset_admin:mailings")).content.decode()
    assert "Finished: all emails failed" in words(overview)


def test_mailing_of_which_everything_came_back_says_so_loudly(admin_client, office):
    mia = make_person("Mia")
    mailing = sent_to(mia, by=office)
    report(mia, "bounced", mta_response="smtp;550 5.1.1 no such user")

    said = markup(admin_client, mailing)

    assert "help-critical" in said
    assert "The email failed or came back. Nobody got an email from this mailing." in words(said)


def test_finished_mailing_with_failures_does_not_look_fine(admin_client, eventful):
    said = markup(admin_client, eventful)
    overview = words(admin_client.get(reverse("wagtail_member_reset_admin:mailings")).content.decode())

    assert "help-warning" in said
    assert "3 of 7 emails did not arrive: they failed or came back." in words(said)
    assert "Finished, with failures" in overview


def test_mailing_without_failures_raises_no_alarm(admin_client, office):
    said = markup(admin_client, sent_to(make_person("Mia"), by=office))

    assert "help-warning" not in said and "help-critical" not in said


def test_site_without_reports_says_that_it_cannot_see_what_arrived(admin_client, office, settings):
    settings.ROOT_URLCONF = "tests.urls"

    said = words(markup(admin_client, sent_to(make_person("Mia"), by=office)))

    assert "Sent 1 – we cannot see whether they arrived, since this site gets no delivery reports" in said


@pytest.mark.parametrize("state", [MailingState.RUNNING, MailingState.STOPPED, MailingState.FINISHED])
def test_no_page_speaks_as_developers_do(admin_client, eventful, state):
    Mailing.objects.update(state=state)
    pages = [markup(admin_client, eventful), markup(admin_client, eventful, "mailing_members")]
    pages += [admin_client.get(reverse("wagtail_member_reset_admin:mailings")).content.decode()]

    for said in map(words, pages):
        assert not re.search(r"handed over|skipped|handled|verdict", said, re.IGNORECASE)


# Totals


def totals(client, mailing, actor):
    beyond, hidden = permissions.beyond(actor), permissions.hidden_from(actor)
    found = mailings.preview(mailing, beyond=beyond, hidden=hidden)
    mailings.start(mailing, beyond=beyond, hidden=hidden)
    outbox.drain()
    mailing.refresh_from_db()
    shown = mailing_figures.figures(actor, mailing)
    skips = {SkipReason(reason.key): reason.number for reason in shown.reasons["not_emailed"]}
    gone = {SkipReason.GONE: shown.unlisted} if shown.unlisted else {}
    listed = len(in_csv(client, address(mailing, "mailing_members")))
    before = (found.chosen, found.emails, found.skips)
    return before, (shown.chosen, shown.numbers["sent"], skips | gone), listed


@pytest.mark.parametrize("role", ["superuser", "office", "junior"])
def test_preview_page_and_list_count_the_same_people(enter, role):
    model = get_user_model()._meta.model_name
    actor = sender(role)
    manager = grant(make_person("Manager", is_active=False), f"change_{model}")
    boss, off = make_person("Boss", is_superuser=True), make_person("Off", is_superuser=True, is_active=False)
    people = [make_person("Mia"), make_person("Away", is_active=False), make_person("No", email=""), manager, boss, off]
    deleted = make_person("Deleted")
    keys = tuple(person.pk for person in [*people, deleted])
    deleted.delete()
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=keys), by=actor)

    before, after, listed = totals(enter(actor), mailing, actor)

    assert before == after
    assert listed == before[0] - before[2].get(SkipReason.GONE, 0)
    out_of_reach = {"superuser": None, "office": 2, "junior": None}[role]
    assert before[2].get(SkipReason.NOT_ALLOWED) == out_of_reach
    assert before[0] == {"superuser": 7, "office": 7, "junior": 3}[role]


def test_preview_says_without_a_number_that_people_beyond_reach_are_left_out(enter, admin, office):
    actor = sender("junior")
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=(make_person("Mia").pk, admin.pk, office.pk)), by=actor)

    said = words(markup(enter(actor), mailing))

    assert "1 chosen. People whom you may not see get no email from you, and are not counted." in said
    assert "may not be reset" not in said


def test_file_has_everybody_once_while_emails_are_written(admin_client, office, monkeypatch):
    monkeypatch.setattr(chunks, "CHUNK", 2)
    people = [make_person(f"Member{number}") for number in range(6)]
    mailing = started(*people, by=office)
    issue_chunk(mailing.chunks.first().pk, lease="a", lease_until=timezone.now())

    answer = admin_client.get(address(mailing, "mailing_members", "?export=csv"))
    lines = iter(answer.streaming_content)
    said = [next(lines) for _each in range(3)]
    issue_chunk(mailing.chunks.first().pk, lease="b", lease_until=timezone.now())
    said += lines

    rows = list(csv.reader(io.StringIO(b"".join(said).decode("utf-8-sig"))))[1:]
    assert sorted(row[1] for row in rows) == sorted(person.email for person in people)


# What it costs


def test_large_mailing_that_is_polled_is_not_counted_at_each_poll(admin_client, office):
    cache.clear()
    mailing = started(make_person("Mia"), make_person("Ole"), by=office, per_hour=1)
    Mailing.objects.update(chosen=100_000, handed_over=40_000)
    fetch = {"headers": {"x-requested-with": "XMLHttpRequest"}}

    with CaptureQueriesContext(connection) as first:
        admin_client.get(address(mailing), **fetch)
    Mailing.objects.update(handed_over=41_000)
    with CaptureQueriesContext(connection) as second:
        said = words(admin_client.get(address(mailing), **fetch).content.decode())

    assert "41,000 of 100,000 done" in said and "Sent 41,000" in said
    counted = [any("COUNT(" in query["sql"] for query in queries) for queries in (first, second)]
    assert counted == [True, False]
    assert not any("mailingchunk" in query["sql"] for query in second)


def test_figures_of_before_another_attempt_are_not_shown_after_it(enter, admin, office):
    cache.clear()
    mia = make_person("Mia")
    mailing = sent_to(mia, office, by=admin)
    client = enter(sender("junior"))
    fail(mia)
    Mailing.objects.update(chosen=5000)
    assert "Failed 1" in words(markup(client, mailing))

    ResetEmail.objects.filter(member=mia).update(state=EmailState.HANDED_OVER, outcome="", cause="")
    Mailing.objects.update(finished_at=timezone.now())

    assert "Failed" not in words(markup(client, mailing))


def test_rest_of_a_large_mailing_is_not_offered_again_once_it_was_sent(admin_client, admin):
    cache.clear()
    mailing = started(make_person("Mia"), make_person("Ole"), by=admin)
    mailings.stop(mailing, by=admin)
    Mailing.objects.update(chosen=5000)
    assert "Send to the remaining 2" in words(markup(admin_client, mailing))

    mailings.start(mailings.draft_rest(mailing, by=admin))
    outbox.drain()

    assert "Send to the remaining" not in words(markup(admin_client, mailing))


def test_what_one_may_see_is_kept_for_nobody_of_another_rank(enter, admin, office):
    cache.clear()
    mailing = started(make_person("Mia"), office, by=admin)
    Mailing.objects.update(chosen=5000)
    client = enter(sender("junior"))

    markup(enter(admin), mailing)

    assert "Waiting 1" in words(markup(client, mailing))
