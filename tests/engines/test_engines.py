"""Mailings and single mails on a real engine, with its own workers, while processes die and queues are lost."""

from collections import Counter
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from tests.conftest import make_person
from tests.engines.processes import until
from wagtail_member_reset import mailings, resets
from wagtail_member_reset.conf import conf
from wagtail_member_reset.mailing import state
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import EmailState, Mailing, MailingChunk, MailingState, ResetEmail
from wagtail_member_reset.outbox import send_many, tasks

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)

EVERYBODY = Choice(kind=Kind.ALL)
# An answer of the mail server takes so long, and a mail three of them: workers are then slow enough to be hit.
PAUSE = 0.05
START = ["send_member_resets", "--all", "--background", "--no-input"]


def in_hand():
    """Whom a worker has in hand, and under which lease."""
    return dict(ResetEmail.objects.filter(state=EmailState.SENDING).values_list("recipient", "lease"))


def is_finished(mailing):
    mailing.refresh_from_db()
    return mailing.state == MailingState.FINISHED


def counts(mailing):
    mailing.refresh_from_db()
    return {name: getattr(mailing, name) for name in ("state", "chosen", "handed_over", "failed", "skipped")}


def all_handed_over(count):
    return {"state": MailingState.FINISHED, "chosen": count, "handed_over": count, "failed": 0, "skipped": 0}


def test_this_site_has_an_engine():
    assert tasks.is_configured()


def test_killed_worker_loses_nothing_and_doubles_only_what_was_in_flight(site, people, mails, engine):
    members = people(240)
    mails.plan(pause=PAUSE)
    victim, _other = site.worker(keeps_time=False), site.worker()
    site.run(*START)
    # Each of the two is in the middle of a chunk.
    until(lambda: sorted(Counter(in_hand().values()).values())[:1] > [20] and len(set(in_hand().values())) == 2)
    until(lambda: len(mails.taken()) > 20)

    site.kill(victim)
    left, mailing = in_hand(), Mailing.objects.get()
    until(lambda: is_finished(mailing))

    assert counts(mailing) == all_handed_over(len(members))
    by_member = {member.email: mails.taken(member.email) for member in members}
    assert min(map(len, by_member.values())) == 1
    assert {len({(mail.message_id, mail.links) for mail in found}) for found in by_member.values()} == {1}
    again = set(ResetEmail.objects.filter(attempts=2).values_list("recipient", flat=True))
    assert len(again) > 0
    assert {left[recipient] for recipient in again} == {left[min(again)]}  # of one worker: the one that died
    doubled = {recipient for recipient, found in by_member.items() if len(found) > 1}
    assert doubled <= again
    assert len(doubled) <= send_many.WRITTEN + conf.MAILING_CONNECTIONS
    assert engine.left_behind() == 1  # its task is not done again


def test_worker_that_is_asked_to_stop_ends_with_the_chunk_in_hand(site, people, mails):
    people(180)
    mails.plan(pause=PAUSE / 2)
    site.run(*START)
    worker = site.worker()
    until(in_hand)

    worker.terminate()

    assert worker.wait(timeout=60) == 0
    assert (in_hand(), len(mails.taken()), MailingChunk.objects.count()) == ({}, 60, 2)


def test_mailing_whose_tasks_were_lost_goes_on_by_its_watch(site, people, engine):
    members = people(100)
    site.run(*START)
    assert [name for name, _args in engine.waiting()].count("deliver_chunk") == 2
    engine.forget("deliver_chunk")

    site.worker()

    mailing = Mailing.objects.get()
    until(lambda: is_finished(mailing))
    assert counts(mailing) == all_handed_over(len(members))


def test_mailing_whose_whole_queue_was_lost_is_done_by_the_sweeper(site, people, mails, engine):
    members = people(100)
    site.run(*START)
    engine.forget()

    site.run("deliver_member_resets")

    assert counts(Mailing.objects.get()) == all_handed_over(len(members))
    assert Counter(mail.to for mail in mails.taken()) == Counter(member.email for member in members)


def test_queue_that_is_down_fails_no_start_and_loses_nobody(site, people, mails, engine):
    members = people(100)
    with engine.out_of_order() as environment:
        started = site.run(*START, **environment)
    assert "The task backend took no task" in started.stderr
    assert (engine.waiting(), mails.taken()) == ([], [])

    site.run("deliver_member_resets")

    assert counts(Mailing.objects.get()) == all_handed_over(len(members))


def test_paused_mailing_keeps_its_members_from_waiting_tasks_and_goes_on_with_new_ones(site, people, mails, engine):
    members = people(100)
    mailing = mailings.draft(EVERYBODY, by=None)
    mailings.start(mailing)
    mailings.pause(mailing)

    site.work()
    assert (mails.taken(), counts(mailing)["handed_over"]) == ([], 0)

    mailings.go_on(mailing)
    site.work()
    assert counts(mailing) == all_handed_over(len(members))


def test_mailing_with_a_limit_mails_nobody_before_their_turn(site, people):
    people(18)
    mailing = mailings.draft(EVERYBODY, by=None, per_hour=900)
    mailings.start(mailing)

    site.worker()

    until(lambda: is_finished(mailing))
    mailing.refresh_from_db()
    left_at = list(ResetEmail.objects.order_by("handed_over_at").values_list("handed_over_at", flat=True))
    # Those of a minute go at once, the others one by one, four seconds apart.
    turns = [mailing.started_at + timedelta(seconds=4 * number) for number in (1, 2, 3)]
    assert [at >= turn for turn, at in zip(turns, left_at[15:], strict=True)] == [True] * 3
    assert counts(mailing) == all_handed_over(18)


def test_mailing_whose_mail_service_asks_for_patience_is_left_alone_until_then(site, people, mails):
    people(3)
    mailing = mailings.draft(EVERYBODY, by=None)
    mailings.start(mailing)
    until_then = timezone.now() + timedelta(seconds=8)
    state.hold_mailing(mailing.pk, until_then)

    site.worker()

    until(lambda: is_finished(mailing))
    assert min(ResetEmail.objects.values_list("handed_over_at", flat=True)) >= until_then
    assert counts(mailing) == all_handed_over(3)


def test_mails_that_failed_are_tried_again_by_the_workers(site, people, mails):
    people(3)
    mailing = mailings.draft(EVERYBODY, by=None)
    mailings.start(mailing)
    mails.plan(answers={"RCPT": "554 5.7.1 Refused by policy"})
    site.work()
    assert counts(mailing) == {**all_handed_over(3), "handed_over": 0, "failed": 3}
    mails.plan()

    mailings.try_again(mailing)
    site.work()

    assert counts(mailing) == all_handed_over(3)


def test_single_mails_leave_by_a_worker_and_no_address_or_link_is_queued(site, mails, engine, client):
    mia, ida = make_person("Mia", password="old password 1"), make_person("Ida")
    resets.send(ida, by=None)
    client.post(reverse("wagtail_member_reset:password_reset"), {"email": mia.email})
    queued = engine.waiting()

    site.work()

    assert ("deliver", []) in queued
    # A visitor's request waits for a random moment, in the queue where that can put tasks off.
    assert {name for name, _args in queued} <= {"deliver", "deliver_requests"}
    assert not any(args for _name, args in queued)
    assert sorted(mail.to for mail in mails.taken()) == [ida.email, mia.email]
    assert_keeps_no_secret(engine, mails)


def test_mailing_queues_primary_keys_alone(site, people, mails, engine):
    people(100)
    mailing = mailings.draft(EVERYBODY, by=None)
    mailings.start(mailing)
    chunks = list(mailing.chunks.order_by("pk").values_list("pk", flat=True))
    queued = engine.waiting()

    site.work()

    assert sorted(queued) == [("deliver", []), *(("deliver_chunk", [pk]) for pk in chunks), ("watch", [mailing.pk])]
    assert len(mails.taken()) == 100
    assert_keeps_no_secret(engine, mails)


def assert_keeps_no_secret(engine, mails):
    kept = engine.content()
    tokens = [link.rpartition("/r/")[2] for mail in mails.taken() for link in mail.links if "/r/" in link]
    assert len(tokens) == len(mails.taken())
    assert "wagtail_member_reset.outbox.tasks.deliver" in kept
    assert [token for token in tokens if token in kept] == []
    assert "@members.example" not in kept
