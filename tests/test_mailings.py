"""Mailings: from a choice to the mails, whatever happens in between."""

from collections import Counter
from datetime import timedelta

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone
from wagtail.models import ModelLogEntry

from tests.conftest import make_person
from wagtail_member_reset import bad_addresses, mailings, outbox, resets
from wagtail_member_reset.mailing import chunks, issue
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import (
    EmailState,
    Mailing,
    MailingChunk,
    MailingSkips,
    MailingState,
    Origin,
    PasswordReset,
    Purpose,
    ResetEmail,
    SkipReason,
    State,
)
from wagtail_member_reset.outbox import send, send_many
from wagtail_member_reset.standing.history import Step, stories

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("by_hand")]

NEVER = Choice(kind=Kind.NEVER_SIGNED_IN)


def people(count, **fields):
    return [make_person(f"Member{number}", **fields) for number in range(count)]


def started(choice=NEVER, by=None, **details):
    mailing = mailings.draft(choice, by=by, **details)
    assert mailings.start(mailing)
    return mailing


def finished(mailing):
    outbox.drain()
    mailing.refresh_from_db()
    return mailing


def counts(mailing):
    return {
        "state": mailing.state,
        "chosen": mailing.chosen,
        "handed_over": mailing.handed_over,
        "failed": mailing.failed,
        "skipped": {each.reason: each.count for each in mailing.skips.all() if each.count},
    }


def test_everybody_chosen_gets_one_mail_with_a_link_of_their_own(mailoutbox):
    members = people(5)

    mailing = finished(started())

    assert counts(mailing) == {"state": "finished", "chosen": 5, "handed_over": 5, "failed": 0, "skipped": {}}
    assert sorted(mail.to[0] for mail in mailoutbox) == sorted(member.email for member in members)
    links = {line for mail in mailoutbox for line in mail.body.splitlines() if "/account/r/" in line}
    assert len(links) == 5
    for member in members:
        assert resets.link(PasswordReset.objects.get(active_for=member)) in links


def test_links_of_a_mailing_set_passwords(mailoutbox):
    [member] = people(1)
    finished(started())
    token = next(line for line in mailoutbox[0].body.splitlines() if "/account/r/" in line).rpartition("/r/")[2]

    resets.redeem(resets.open(token), password="a new password 7")

    member.refresh_from_db()
    assert member.check_password("a new password 7")


def test_imported_members_are_welcomed_and_others_are_sent_a_reset(mailoutbox):
    new, old = make_person("New"), make_person("Old", last_login=timezone.now())

    finished(started(Choice(kind=Kind.ALL)))

    assert dict(PasswordReset.objects.values_list("member", "purpose")) == {
        new.pk: Purpose.WELCOME,
        old.pk: Purpose.RESET,
    }
    assert {reset.origin for reset in PasswordReset.objects.all()} == {Origin.MAILING}


def test_who_chose_a_password_by_a_link_is_not_told_that_an_account_was_made(mailoutbox):
    member = make_person("Uma")
    reset = resets.send(member, by=None, purpose=Purpose.WELCOME)
    resets.redeem(resets.open(resets.link(reset)), password="a new password 7")

    finished(started(Choice(kind=Kind.ALL)))

    assert PasswordReset.objects.get(state=State.ACTIVE).purpose == Purpose.RESET


def test_who_is_passed_over_is_counted_with_the_reason(mailoutbox):
    make_person("Fine")
    make_person("Gone away", is_active=False)
    make_person("Nowhere", email="")
    with_link = make_person("Linked")
    resets.send(with_link, by=None)
    outbox.drain()
    mailoutbox.clear()

    mailing = finished(started())

    assert counts(mailing) == {
        "state": "finished",
        "chosen": 4,
        "handed_over": 1,
        "failed": 0,
        "skipped": {"inactive": 1, "no_address": 1, "live_link": 1},
    }
    assert [mail.to for mail in mailoutbox] == [["fine@members.example"]]
    skipped = ResetEmail.objects.filter(mailing=mailing, state=EmailState.SKIPPED)
    assert Counter(skipped.values_list("skip_reason", flat=True)) == Counter(["inactive", "no_address", "live_link"])


def test_preview_says_what_the_mailing_then_does(mailoutbox):
    make_person("Fine")
    make_person("Gone away", is_active=False)
    make_person("Nowhere", email="")
    make_person("Nowhere either", email=" ", is_active=False)
    resets.send(make_person("Linked"), by=None)
    draft = mailings.draft(NEVER, by=None)

    preview = mailings.preview(draft)
    mailings.start(draft)
    mailing = finished(draft)

    assert (preview.chosen, preview.emails) == (mailing.chosen, mailing.handed_over)
    assert {reason.value: number for reason, number in preview.skips.items()} == counts(mailing)["skipped"]
    assert [member.first_name for member in preview.samples] == ["Fine"]


def test_preview_knows_blank_addresses_and_links_that_ended_behind_our_back(mailoutbox):
    """By a site's own import, for instance, which tells nobody."""
    blank, moved, changed, spelt = people(4)
    for member in (moved, changed, spelt):
        resets.send(member, by=None)
    rows = get_user_model().objects
    rows.filter(pk=blank.pk).update(email="\u00a0\t")
    rows.filter(pk=moved.pk).update(email="moved@members.example")
    rows.filter(pk=changed.pk).update(password="of another site")
    rows.filter(pk=spelt.pk).update(email=spelt.email.upper())
    draft = mailings.draft(NEVER, by=None)

    preview = mailings.preview(draft)
    mailings.start(draft)

    assert (preview.emails, set(preview.samples)) == (2, {moved, changed})
    assert preview.skips == {SkipReason.NO_ADDRESS: 1, SkipReason.LIVE_LINK: 1}
    assert counts(finished(draft))["skipped"] == {"no_address": 1, "live_link": 1}


def test_preview_of_a_site_without_passwords_says_that_nobody_is_mailed(settings, mailoutbox):
    people(2)
    settings.WAGTAIL_MEMBER_RESET_PASSWORDS_ENABLED = False
    draft = mailings.draft(NEVER, by=None)

    preview = mailings.preview(draft)
    mailings.start(draft)

    assert (preview.chosen, preview.emails, preview.samples) == (2, 0, [])
    assert preview.skips == {SkipReason.NOT_ALLOWED: 2}
    assert counts(finished(draft))["skipped"] == {"not_allowed": 2}


def test_preview_sends_and_writes_nothing(mailoutbox):
    people(3)
    draft = mailings.draft(NEVER, by=None)

    mailings.preview(draft)
    outbox.drain()

    assert not mailoutbox
    assert not PasswordReset.objects.exists()
    assert not MailingChunk.objects.exists()


def test_again_mails_the_same_link_inside_its_window_and_a_new_one_after(mailoutbox, time_machine):
    time_machine.move_to(timezone.now() - timedelta(hours=20), tick=False)
    early = make_person("Early")
    resets.send(early, by=None)
    outbox.drain()
    time_machine.shift(timedelta(hours=20))
    late = make_person("Late")
    resets.send(late, by=None)
    outbox.drain()
    before = {late.pk: PasswordReset.objects.get(active_for=late).pk}

    mailing = finished(started(again=True))

    assert counts(mailing)["handed_over"] == 2
    assert PasswordReset.objects.get(active_for=late).pk == before[late.pk]
    assert list(PasswordReset.objects.filter(member=early).order_by("pk").values_list("state", flat=True)) == [
        State.SUPERSEDED,
        State.ACTIVE,
    ]
    assert [mail.body for mail in mailoutbox].count(mailoutbox[1].body) == 2


def test_expired_link_is_replaced(mailoutbox, time_machine):
    time_machine.move_to(timezone.now() - timedelta(days=8), tick=False)
    member = make_person("Mia")
    resets.send(member, by=None)
    outbox.drain()
    time_machine.shift(timedelta(days=8))

    mailing = finished(started())

    assert counts(mailing)["handed_over"] == 1
    assert PasswordReset.objects.filter(member=member, state=State.ACTIVE).count() == 1


def test_starting_twice_starts_once(mailoutbox):
    people(2)
    one = mailings.draft(NEVER, by=None)
    other = Mailing.objects.get(pk=one.pk)

    assert mailings.start(one)
    assert not mailings.start(other)

    assert counts(finished(one))["handed_over"] == 2
    assert len(mailoutbox) == 2


def test_two_workers_at_one_chunk_write_it_once():
    people(3)
    started()
    pk = chunks.next_chunk()
    until = timezone.now() + timedelta(minutes=10)

    first = issue.issue_chunk(pk, lease="one", lease_until=until)
    second = issue.issue_chunk(pk, lease="other", lease_until=until)

    assert len(first.emails) == 3
    assert second is None
    assert ResetEmail.objects.count() == 3


def test_members_deleted_after_the_start_are_counted(mailoutbox):
    members = people(3)
    mailing = started()
    members[1].delete()

    finished(mailing)

    assert counts(mailing) == {
        "state": "finished",
        "chosen": 3,
        "handed_over": 2,
        "failed": 0,
        "skipped": {"gone": 1},
    }


def test_members_who_changed_after_the_start_are_taken_as_they_are(mailoutbox):
    away, moved, _same = people(3)
    mailing = started()
    get_user_model().objects.filter(pk=away.pk).update(is_active=False)
    get_user_model().objects.filter(pk=moved.pk).update(email="moved@members.example")

    finished(mailing)

    assert counts(mailing)["skipped"] == {"inactive": 1}
    assert sorted(mail.to[0] for mail in mailoutbox) == ["member2@members.example", "moved@members.example"]


def test_dead_worker_s_mails_are_sent_by_another_with_the_same_links(mailoutbox, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    people(3)
    mailing = started()
    issue.issue_chunk(chunks.next_chunk(), lease="it dies", lease_until=timezone.now() + timedelta(minutes=10))
    links = set(PasswordReset.objects.values_list("selector", flat=True))

    assert outbox.drain() == 0
    time_machine.shift(timedelta(minutes=11))
    finished(mailing)

    assert counts(mailing)["handed_over"] == 3
    assert len(mailoutbox) == 3
    assert set(PasswordReset.objects.values_list("selector", flat=True)) == links


def test_paused_mailing_sends_nothing_until_it_goes_on(mailoutbox):
    people(2)
    mailing = started()

    assert mailings.pause(mailing)
    finished(mailing)
    assert (mailing.state, len(mailoutbox)) == (MailingState.PAUSED, 0)

    assert mailings.go_on(mailing)
    assert counts(finished(mailing))["handed_over"] == 2


def test_stopped_mailing_sends_nothing_more_and_leaves_no_link_behind(mailoutbox):
    people(2)
    mailing = started()
    [_run, mails] = issue.issue_chunk(
        chunks.next_chunk(), lease="one", lease_until=timezone.now() + timedelta(minutes=10)
    )
    ResetEmail.objects.update(state=EmailState.QUEUED, lease="", lease_until=None, attempts=0)

    assert mailings.stop(mailing, by=None)

    finished(mailing)
    assert len(mails) == 2
    assert not mailoutbox
    assert counts(mailing) == {
        "state": "stopped",
        "chosen": 2,
        "handed_over": 0,
        "failed": 0,
        "skipped": {"stopped": 2},
    }
    assert not PasswordReset.objects.filter(state=State.ACTIVE).exists()


def test_stopping_leaves_links_alone_that_an_earlier_mail_holds(mailoutbox):
    member = make_person("Mia")
    resets.send(member, by=None)
    outbox.drain()
    mailing = started(again=True)
    issue.issue_chunk(chunks.next_chunk(), lease="one", lease_until=timezone.now() + timedelta(minutes=10))
    ResetEmail.objects.filter(mailing=mailing).update(state=EmailState.QUEUED, lease="", lease_until=None, attempts=0)

    mailings.stop(mailing, by=None)

    assert PasswordReset.objects.get().state == State.ACTIVE


def test_rate_spreads_the_chunks_over_time(mailoutbox, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    people(5)
    mailing = started(per_hour=120)  # two a minute

    sent = []
    for _minute in range(4):
        outbox.drain()
        sent.append(len(mailoutbox))
        time_machine.shift(timedelta(minutes=1))

    assert sent == [2, 4, 5, 5]
    assert finished(mailing).state == MailingState.FINISHED


def test_a_pause_is_not_made_up_for(mailoutbox, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    people(6)
    mailing = started(per_hour=120)
    outbox.drain()
    mailings.pause(mailing)
    time_machine.shift(timedelta(hours=1))

    mailings.go_on(mailing)
    outbox.drain()

    assert len(mailoutbox) == 4


def test_log_names_each_member_once(admin, mailoutbox):
    members = people(3)

    mailing = finished(started(by=admin))

    entries = ModelLogEntry.objects.filter(action="wagtail_member_reset.send")
    assert {entry.object_id for entry in entries} == {str(member.pk) for member in members} | {str(admin.pk)}
    assert {(entry.user, entry.data["mailing"]) for entry in entries} == {(admin, mailing.pk)}


def test_counters_that_two_workers_move_at_once_are_moved_again(monkeypatch, mailoutbox, time_machine):
    """As where both are the first to pass somebody over for one reason, or the database ends a deadlock."""
    time_machine.move_to(timezone.now(), tick=False)
    people(2)
    mailing, create, overtaken = started(), MailingSkips.objects.create, []
    issue.issue_chunk(chunks.next_chunk(), lease="it dies", lease_until=timezone.now())
    ResetEmail.objects.update(attempts=2)
    time_machine.shift(timedelta(hours=17))  # which ends the window of links that may have arrived

    def create_second(**values):
        if not overtaken:
            overtaken.append(create(**values))
        return create(**values)

    monkeypatch.setattr(MailingSkips.objects, "create", create_second)
    finished(mailing)

    assert overtaken
    assert (mailing.state, mailing.handed_over, mailing.skipped) == (MailingState.FINISHED, 0, 2)


def test_sending_after_changing_the_address_is_flagged_in_a_mailing_too(admin, office, mailoutbox):
    mine, _other, theirs = people(3)
    resets.note_address_changed(mine, by=office)
    resets.note_address_changed(theirs, by=admin)

    finished(started(Choice(kind=Kind.IDS, ids=(mine.pk, _other.pk, theirs.pk)), by=office))

    flags = ModelLogEntry.objects.filter(action="wagtail_member_reset.flag")
    assert [(entry.user, entry.object_id) for entry in flags] == [(office, str(mine.pk))]


def test_address_changed_more_than_a_day_ago_is_not_flagged(office, mailoutbox, time_machine):
    time_machine.move_to(timezone.now(), tick=False)
    [member] = people(1)
    resets.note_address_changed(member, by=office)
    time_machine.shift(timedelta(hours=24))

    finished(started(by=office))

    assert not ModelLogEntry.objects.filter(action="wagtail_member_reset.flag").exists()


def test_stopping_is_in_the_log_of_each_link_that_it_cancels(office, admin, mailoutbox):
    cancelled, kept = people(2)
    resets.send(kept, by=None)
    outbox.drain()
    mailing = started(Choice(kind=Kind.IDS, ids=(cancelled.pk, kept.pk)), by=office, again=True)
    issue.issue_chunk(chunks.next_chunk(), lease="one", lease_until=timezone.now() + timedelta(minutes=10))
    ResetEmail.objects.filter(mailing=mailing).update(state=EmailState.QUEUED, lease="", lease_until=None, attempts=0)

    mailings.stop(mailing, by=admin)

    entries = ModelLogEntry.objects.filter(action="wagtail_member_reset.revoke")
    assert [(entry.user, entry.object_id, entry.data["mailing"]) for entry in entries] == [
        (admin, str(cancelled.pk), mailing.pk)
    ]
    [story] = stories(cancelled)
    assert [entry.by for entry in story.entries if entry.step == Step.CLOSED] == [admin]


def test_a_single_send_beside_the_mailing_wins_and_the_mailing_lets_it_be(monkeypatch, mailoutbox):
    """The database refuses a second live link; the mailing then leaves that member to whoever was faster."""
    one, _other = people(2)
    mailing = started()
    read = issue._in_order

    def read_and_be_overtaken(*asked):
        found = read(*asked)
        if not PasswordReset.objects.filter(member=one).exists():
            resets.send(one, by=None)
        return found

    monkeypatch.setattr(issue, "_in_order", read_and_be_overtaken)
    finished(mailing)

    assert PasswordReset.objects.filter(member=one).count() == 1
    assert counts(mailing) == {
        "state": "finished",
        "chosen": 2,
        "handed_over": 1,
        "failed": 0,
        "skipped": {"live_link": 1},
    }
    assert sorted(mail.to[0] for mail in mailoutbox) == ["member0@members.example", "member1@members.example"]


def test_failed_mails_are_tried_again_on_demand(mailbox_that_refuses, mailoutbox):
    people(3)
    with mailbox_that_refuses("member1@members.example"):
        mailing = finished(started())
    assert counts(mailing) == {"state": "finished", "chosen": 3, "handed_over": 2, "failed": 1, "skipped": {}}

    # The server has said that there is no such mailbox; somebody has seen to it since.
    bad_addresses.forget("member1@members.example")
    assert mailings.try_again(mailing) == 1
    finished(mailing)

    assert counts(mailing) == {"state": "finished", "chosen": 3, "handed_over": 3, "failed": 0, "skipped": {}}


def test_single_mails_go_before_those_of_a_mailing(monkeypatch, mailoutbox):
    people(2)
    started()
    resets.send(make_person("Somebody who waits", last_login=timezone.now()), by=None)

    outbox.drain()

    assert mailoutbox[0].to == ["somebody who waits@members.example"]


@pytest.fixture
def mailbox_that_refuses(monkeypatch):
    from contextlib import contextmanager
    from smtplib import SMTPRecipientsRefused

    from django.core.mail.backends.locmem import EmailBackend

    @contextmanager
    def refusing(address):
        send = EmailBackend.send_messages

        def refuse(backend, messages):
            if messages[0].to == [address]:
                raise SMTPRecipientsRefused({address: (550, b"no such user")})
            return send(backend, messages)

        with monkeypatch.context() as patch:
            patch.setattr(EmailBackend, "send_messages", refuse)
            yield

    return refusing


def test_reason_of_every_refusal_is_known():
    from wagtail_member_reset.exceptions import Refusal

    by_hand = {Refusal.ACCOUNT_LIMIT, Refusal.PERSON_LIMIT}
    assert set(issue.SKIPS) == set(Refusal) - by_hand
    assert set(issue.SKIPS.values()) <= set(SkipReason)


def test_mailing_is_finished_though_who_wrote_down_its_last_mail_died_just_then(monkeypatch, mailoutbox):
    people(2)
    mailing = started()
    with monkeypatch.context() as patch:
        patch.setattr(send, "finish_mailing", lambda mailing_id: False)
        outbox.drain()

    finished(mailing)

    assert counts(mailing) == {"state": "finished", "chosen": 2, "handed_over": 2, "failed": 0, "skipped": {}}
    assert len(mailoutbox) == 2


def test_keys_are_not_kept_twice_and_who_starts_a_mailing_answers_for_it(admin):
    """A page that shows a mailing must not read a hundred thousand keys for each look."""
    members = people(3)
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=tuple(member.pk for member in members)), by=members[0])
    mailing.created_by = admin

    mailings.start(mailing)

    mailing.refresh_from_db()
    assert (mailing.choice, mailing.chosen, mailing.created_by) == ({"kind": "ids"}, 3, admin)


def test_command_that_waits_for_its_turn_hears_ctrl_c_between_the_emails_of_others(mailoutbox):
    people(1)
    for number in range(5):
        resets.send(make_person(f"Single{number}"), by=None)
    mailing = started(per_hour=60)
    mailing.chunks.update(due_at=timezone.now() + timedelta(hours=1))

    assert all(mailings.work(mailing, is_stopping=lambda: len(mailoutbox) == 2))

    assert len(mailoutbox) == 2
    assert ResetEmail.objects.filter(mailing=None, state=EmailState.QUEUED, attempts=0).count() == 3


def test_command_hears_ctrl_c_between_the_retries_of_another_mailing(mailoutbox):
    people(5)
    other = started()
    issue.issue_chunk(chunks.next_chunk(), lease="one", lease_until=timezone.now() + timedelta(minutes=1))
    other.emails.update(state=EmailState.QUEUED, lease="", lease_until=None)
    mailing = started(again=True)
    mailing.chunks.update(due_at=timezone.now() + timedelta(hours=1))

    assert all(mailings.work(mailing, is_stopping=lambda: len(mailoutbox) == 2))

    assert len(mailoutbox) == 2
    assert other.emails.filter(state=EmailState.QUEUED).count() == 3


def test_sweeper_hears_ctrl_c_between_single_emails_in_the_middle_of_a_mailing(mailoutbox, monkeypatch):
    monkeypatch.setattr(send_many, "SINGLES_SECONDS", 0)
    people(3)
    started()
    for number in range(5):
        resets.send(make_person(f"Single{number}"), by=None)
    # They come in once the mailing is on its way.
    ResetEmail.objects.filter(mailing=None).update(next_attempt_at=timezone.now() + timedelta(hours=1))

    def is_stopping():
        if len(mailoutbox) == 1:
            ResetEmail.objects.filter(mailing=None, state=EmailState.QUEUED).update(next_attempt_at=timezone.now())
        return len(mailoutbox) >= 3

    outbox.drain(is_stopping=is_stopping)

    assert [mail.to[0][:6] for mail in mailoutbox] == ["member", "single", "single"]
    assert not ResetEmail.objects.filter(state=EmailState.SENDING).exists()


# How often one account is mailed


@pytest.fixture
def three_a_day(settings):
    settings.WAGTAIL_MEMBER_RESET_STAFF_LIMITS = {"account": "3/d", "person": "500/d"}


@pytest.mark.parametrize("is_new_each_time", [False, True], ids=["again", "cancelled_between"])
def test_mailings_mail_one_account_no_more_often_than_its_limit(three_a_day, office, mailoutbox, is_new_each_time):
    member, other = people(2)
    only = Choice(kind=Kind.IDS, ids=(member.pk,))
    for _time in range(3):
        finished(started(only, by=office, again=not is_new_each_time))
        if is_new_each_time:
            resets.revoke(PasswordReset.objects.get(state=State.ACTIVE), by=office)
    links = list(PasswordReset.objects.values())
    draft = mailings.draft(Choice(kind=Kind.IDS, ids=(member.pk, other.pk)), by=office, again=True)

    preview = mailings.preview(draft)
    mailings.start(draft)
    mailing = finished(draft)

    assert (preview.emails, preview.skips) == (1, {SkipReason.ACCOUNT_LIMIT: 1})
    assert counts(mailing)["skipped"] == {"account_limit": 1}
    assert [mail.to[0] for mail in mailoutbox] == [member.email] * 3 + [other.email]
    assert list(PasswordReset.objects.exclude(member=other).values()) == links


def test_limit_of_an_account_passes_with_time_and_holds_nobody_up_who_is_sent_to_by_hand(
    three_a_day, office, mailoutbox, time_machine
):
    time_machine.move_to(timezone.now(), tick=False)
    [member] = people(1)
    only = Choice(kind=Kind.IDS, ids=(member.pk,))
    for _time in range(4):
        finished(started(only, by=office, again=True))
    resets.send(member, by=office)
    outbox.drain()
    by_then = len(mailoutbox)
    time_machine.shift(timedelta(days=1))

    finished(started(only, by=office, again=True))

    assert (by_then, len(mailoutbox)) == (4, 5)


def test_emails_that_certainly_never_left_use_up_nothing(three_a_day, office, mailoutbox):
    [member] = people(1)
    only = Choice(kind=Kind.IDS, ids=(member.pk,))
    for _time in range(3):
        mailing = finished(started(only, by=office, again=True))
        ResetEmail.objects.filter(mailing=mailing).update(state=EmailState.FAILED, possible_copies=0)

    mailing = finished(started(only, by=office, again=True))

    assert mailing.handed_over == 1
