"""Reminders: once, before a welcome link runs out unused."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from wagtail.models import Site

from tests.conftest import make_person
from wagtail_member_reset import mailings, outbox, resets
from wagtail_member_reset.links import state
from wagtail_member_reset.mailing import chunks, issue, purge_mailings, reminders
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import Mailing, Origin, PasswordReset, Purpose, ResetEmail, SkipReason

pytestmark = pytest.mark.django_db

BEFORE = timedelta(days=2)


@pytest.fixture(autouse=True)
def by_hand(settings, monkeypatch):
    """Nothing is sent but by who asks for it; each pass looks out anew."""
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "command"
    settings.WAGTAIL_MEMBER_RESET_REMINDER = BEFORE
    monkeypatch.setattr(reminders, "LOOK_SECONDS", 0)


@pytest.fixture
def clock(time_machine):
    """The time of the test, which stands still until it is told to go on."""
    time_machine.move_to(timezone.now(), tick=False)
    return time_machine


@pytest.fixture
def welcomed(mailoutbox):
    """Members whose welcome went out."""

    def welcome(*names, **fields):
        members = [make_person(name, **fields) for name in names]
        for member in members:
            resets.send(member, by=None, purpose=Purpose.WELCOME)
        outbox.drain()
        mailoutbox.clear()
        return members

    return welcome


def links_in(mails):
    return [line for mail in mails for line in mail.body.splitlines() if "/account/r/" in line]


def token_of(member):
    return resets.link(PasswordReset.objects.get(active_for=member)).rpartition("/r/")[2]


def skips(mailing):
    return {each.reason: each.count for each in mailing.skips.all() if each.count}


def test_who_has_not_used_the_welcome_is_reminded_with_a_link_that_works(welcomed, clock, mailoutbox):
    [mia] = welcomed("Mia")
    clock.shift(timedelta(days=5, minutes=1))

    outbox.drain()

    assert [(mail.to, mail.subject) for mail in mailoutbox] == [([mia.email], "Reminder: your account at Example Club")]
    [link] = links_in(mailoutbox)
    resets.redeem(resets.open(link.rpartition("/r/")[2]), password="a new password 7")
    mia.refresh_from_db()
    assert mia.check_password("a new password 7")


def test_the_reminders_link_lives_as_long_as_any_and_ends_the_earlier_one(welcomed, clock):
    welcomed("Mia")
    clock.shift(timedelta(days=5, minutes=1))

    outbox.drain()

    old, new = PasswordReset.objects.order_by("pk")
    assert (old.state, old.reason) == ("superseded", "newer_link")
    assert (new.state, new.purpose, new.origin) == ("active", Purpose.WELCOME, Origin.REMINDER)
    assert new.expires_at == timezone.now() + timedelta(days=7)


def test_nobody_is_reminded_before_it_is_time(welcomed, clock, mailoutbox):
    welcomed("Mia")
    clock.shift(timedelta(days=4, hours=23))

    outbox.drain()

    assert mailoutbox == []
    assert not Mailing.objects.exists()


def test_once_is_enough(welcomed, clock, mailoutbox):
    welcomed("Mia")
    for _day in range(14):
        clock.shift(timedelta(days=1))
        reminders.start_due(BEFORE)
        outbox.drain()

    assert len(mailoutbox) == 1


def test_without_the_setting_nobody_is_reminded(welcomed, clock, mailoutbox, settings):
    settings.WAGTAIL_MEMBER_RESET_REMINDER = None
    welcomed("Mia")
    clock.shift(timedelta(days=6))

    outbox.drain()

    assert mailoutbox == []
    assert not Mailing.objects.exists()


def test_a_setting_that_makes_no_sense_stops_no_mail(welcomed, clock, mailoutbox, settings):
    welcomed("Mia")
    clock.shift(timedelta(days=6))
    settings.WAGTAIL_MEMBER_RESET_REMINDER = "two days"
    resets.send(make_person("Ida"), by=None)

    outbox.drain()

    assert [mail.to for mail in mailoutbox] == [["ida@members.example"]]


def test_only_unused_welcomes_are_reminded_of(welcomed, clock, mailoutbox):
    used, signed_in, ordinary, left = (*welcomed("Used", "Signed"), make_person("Ordinary"), *welcomed("Left"))
    resets.redeem(resets.open(token_of(used)), password="a new password 7")
    signed_in.last_login = timezone.now()
    signed_in.save()
    resets.send(ordinary, by=None, purpose=Purpose.RESET)
    outbox.drain()
    mailoutbox.clear()
    left.is_active = False
    left.save()
    clock.shift(timedelta(days=6))

    outbox.drain()

    assert mailoutbox == []


def test_who_has_set_a_password_by_a_link_is_not_reminded_of_a_later_welcome(welcomed, clock, mailoutbox):
    [member] = welcomed("Mia")
    resets.redeem(resets.open(token_of(member)), password="a new password 7")
    resets.send(member, by=None, purpose=Purpose.WELCOME)
    outbox.drain()
    mailoutbox.clear()
    clock.shift(timedelta(days=6))

    outbox.drain()

    assert mailoutbox == []


def test_what_changes_between_plan_and_turn_is_heeded(welcomed, clock, mailoutbox):
    """A mailing may be paused, or take a day: whoever got in meanwhile, or has a newer link, is left alone."""
    came_in, resent, waiting, changed = welcomed("Came", "Resent", "Waiting", "Changed")
    clock.shift(timedelta(days=6))
    mailing = reminders.start_due(BEFORE)
    came_in.last_login = timezone.now()
    came_in.save()
    resets.rotate(resent, by=None)
    changed.email = "moved@members.example"
    changed.save()

    outbox.drain()

    mailing.refresh_from_db()
    reminded = ResetEmail.objects.filter(purpose=Purpose.REMINDER)
    assert [email.member for email in reminded] == [waiting]
    assert skips(mailing) == {SkipReason.LINK_CLOSED: 2, SkipReason.LIVE_LINK: 1}
    assert (mailing.state, mailing.chosen, mailing.handed_over) == ("finished", 4, 1)


def test_who_stops_a_reminder_stops_it_for_good(welcomed, clock, mailoutbox):
    welcomed("Mia")
    clock.shift(timedelta(days=5, hours=1))
    mailing = reminders.start_due(BEFORE)
    assert mailings.stop(mailing, by=None)

    clock.shift(timedelta(days=1, hours=1))
    again = reminders.start_due(BEFORE)
    outbox.drain()

    assert again is None
    assert mailoutbox == []


def test_two_who_look_at_once_start_one_mailing(welcomed, clock):
    welcomed("Mia", "Ida")
    clock.shift(timedelta(days=5, hours=1))

    first, second = reminders.start_due(BEFORE), reminders.start_due(BEFORE)

    assert first.chosen == 2
    assert second is None


def test_links_of_one_day_are_one_mailing(welcomed, clock):
    welcomed("Mia")
    clock.shift(timedelta(hours=3))
    welcomed("Ida")
    clock.shift(timedelta(days=4, hours=20))

    runs = []
    for _hour in range(48):
        clock.shift(timedelta(hours=1))
        if run := reminders.start_due(BEFORE):
            runs.append(run.chosen)

    assert runs == [1, 1]


def test_within_a_short_lifetime_the_same_link_is_sent_again(welcomed, clock, mailoutbox, settings):
    """The rule of the window holds: until it closes, a link stays the same."""
    settings.WAGTAIL_MEMBER_RESET_LINK_LIFETIME = timedelta(hours=24)
    settings.WAGTAIL_MEMBER_RESET_REMINDER = timedelta(hours=12)
    [mia] = welcomed("Mia")
    before = resets.link(PasswordReset.objects.get(active_for=mia))
    clock.shift(timedelta(hours=13))

    outbox.drain()

    assert links_in(mailoutbox) == [before]


def test_a_process_looks_only_now_and_then(monkeypatch):
    looks = []
    monkeypatch.setattr(reminders, "LOOK_SECONDS", 600)
    monkeypatch.setattr(reminders, "lookout", reminders.Lookout())
    monkeypatch.setattr(reminders, "start_due", looks.append)

    for _pass in range(5):
        outbox.drain()

    assert looks == [BEFORE]


@pytest.mark.slow
def test_reminding_many_costs_as_many_queries_as_reminding_few(welcomed, clock, django_assert_num_queries):
    welcomed(*(f"Member{number}" for number in range(3)))
    clock.shift(timedelta(days=6))
    with CaptureQueriesContext(connection) as few:
        reminders.start_due(BEFORE)
    Mailing.objects.all().delete()
    welcomed(*(f"Another{number}" for number in range(40)))
    clock.shift(timedelta(days=6))

    with django_assert_num_queries(len(few)):
        mailing = reminders.start_due(BEFORE)
    assert mailing.chosen == 40


def test_the_history_says_that_it_was_a_reminder(welcomed, clock, client, admin):
    [mia] = welcomed("Mia")
    clock.shift(timedelta(days=6))
    outbox.drain()
    client.force_login(admin)

    history = client.get(f"/admin/member-reset/{mia.pk}/history/").content.decode()

    assert "Sent as a reminder" in history


def test_send_again_to_those_of_a_mailing_who_have_not_signed_in(mailoutbox):
    came_in, still_out = make_person("Came"), make_person("Out")
    first = mailings.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=None)
    mailings.start(first)
    outbox.drain()
    mailoutbox.clear()
    make_person("Newer")
    came_in.last_login = timezone.now()
    came_in.save()

    second = mailings.draft(Choice(kind=Kind.MAILING, mailing=first.pk), by=None, again=True)
    preview = mailings.preview(second)
    mailings.start(second)
    outbox.drain()

    assert (preview.chosen, preview.emails) == (1, 1)
    assert [mail.to for mail in mailoutbox] == [[still_out.email]]


def test_send_again_leaves_out_whom_the_mailing_passed_over(mailoutbox):
    has_link, mailed = make_person("Linked"), make_person("Out")
    resets.send(has_link, by=None)
    first = mailings.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=None)
    mailings.start(first)
    outbox.drain()
    mailoutbox.clear()

    mailings.start(mailings.draft(Choice(kind=Kind.MAILING, mailing=first.pk), by=None, again=True))
    outbox.drain()

    assert [mail.to for mail in mailoutbox] == [[mailed.email]]


@pytest.fixture
def sites(settings):
    """Two sites beside the default one."""
    root = Site.objects.get(is_default_site=True).root_page
    return [Site.objects.create(hostname=f"{name}.example", port=443, root_page=root) for name in ("north", "south")]


def welcomed_by_mailing(name, **details):
    choice = Choice(kind=Kind.IDS, ids=(make_person(name).pk,))
    mailings.start(mailings.draft(choice, by=None, **details))


def hosts_and_languages(mails):
    languages = dict(ResetEmail.objects.filter(purpose=Purpose.REMINDER).values_list("recipient", "language"))
    return {mail.to[0].partition("@")[0]: (link_host(mail), languages[mail.to[0]]) for mail in mails}


def link_host(mail):
    return links_in([mail])[0].partition("://")[2].partition("/")[0]


@pytest.mark.parametrize("lifetime", [timedelta(hours=14), timedelta(days=7)], ids=["within_the_window", "past_it"])
@pytest.mark.parametrize("late", [timedelta(0), timedelta(hours=20)], ids=["at_once", "refused_and_late"])
def test_a_reminder_speaks_as_the_welcome_did(sites, clock, mailoutbox, settings, lifetime, late):
    """Of a mailing for two sites and languages, past the window and within, and where it could not leave at once."""
    settings.WAGTAIL_MEMBER_RESET_LINK_LIFETIME = lifetime
    settings.WAGTAIL_MEMBER_RESET_REMINDER = lifetime / 4
    settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
    for site in sites:
        for language in ("en", "de"):
            welcomed_by_mailing(f"{site.hostname[:5]}{language}", site=site, language=language)
    outbox.drain()
    mailoutbox.clear()
    clock.shift(lifetime * 7 / 8)
    mailing = reminders.start_due(lifetime / 4)
    if late and lifetime > late:
        issue.issue_chunk(chunks.next_chunk(), lease="one", lease_until=timezone.now())
        ResetEmail.objects.unsent().update(state="queued", lease="", lease_until=None)
        clock.shift(late)

    outbox.drain()

    mailing.refresh_from_db()
    assert mailing.handed_over == 4
    assert hosts_and_languages(mailoutbox) == {
        "northen": ("north.example", "en"),
        "northde": ("north.example", "de"),
        "southen": ("south.example", "en"),
        "southde": ("south.example", "de"),
    }
    live = PasswordReset.objects.live().order_by("site", "language").values_list("site__hostname", "language")
    assert list(live) == [(name, code) for name in ("north.example", "south.example") for code in ("de", "en")]


def test_trying_again_reminds_nobody_who_came_in(welcomed, clock, mailoutbox):
    came_in, changed = welcomed("Came", "Changed")
    clock.shift(timedelta(days=6))
    mailing = reminders.start_due(BEFORE)
    PasswordReset.objects.filter(member=came_in).update(state="used", active_for=None, nonce=None)
    changed.email = "moved@members.example"
    changed.save()
    outbox.drain()
    mailoutbox.clear()

    mailings.try_again(mailing)
    outbox.drain()

    assert [mail.to for mail in mailoutbox] == [["moved@members.example"]]


def test_rest_of_reminders_that_were_stopped_is_reminders(sites, clock, mailoutbox, settings):
    settings.WAGTAIL_MEMBER_RESET_BASE_URL = None
    welcomed_by_mailing("Mia", site=sites[0], language="de")
    outbox.drain()
    mailoutbox.clear()
    clock.shift(timedelta(days=6))
    mailing = reminders.start_due(BEFORE)
    mailings.stop(mailing, by=None)

    mailings.start(mailings.draft_rest(mailing, by=None))
    outbox.drain()

    assert hosts_and_languages(mailoutbox) == {"mia": ("north.example", "de")}


class TestPurge:
    def test_drafts_and_mailings_are_forgotten_with_their_mails(self, clock, mailoutbox):
        make_person("Mia")
        make_person("Nowhere", email="")
        run = mailings.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=None)
        mailings.start(run)
        outbox.drain()
        draft = mailings.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=None)
        clock.shift(timedelta(days=15))

        assert (state.purge(), purge_mailings()) == (0, 1)
        assert not Mailing.objects.filter(pk=draft.pk).exists()

        clock.shift(timedelta(days=23))

        assert (state.purge(), purge_mailings()) == (1, 1)
        assert not ResetEmail.objects.exists()
        assert not Mailing.objects.exists()

    def test_a_mailing_under_way_is_kept(self, clock):
        make_person("Mia")
        run = mailings.draft(Choice(kind=Kind.NEVER_SIGNED_IN), by=None)
        mailings.start(run)
        mailings.pause(run)
        clock.shift(timedelta(days=400))

        assert purge_mailings() == 0
        assert run.chunks.exists()
