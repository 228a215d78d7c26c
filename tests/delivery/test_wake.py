import threading

import pytest
from django.db import transaction

from wagtail_member_reset import resets, tasks
from wagtail_member_reset.delivery.wake import sender, wake
from wagtail_member_reset.models import EmailState, ResetEmail

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def thread(settings):
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "thread"
    yield
    sender.wait()


def test_commit_wakes_the_thread_and_the_mail_leaves(thread, member, mailoutbox):
    resets.send(member, by=None)

    assert sender.wait()
    assert len(mailoutbox) == 1
    assert ResetEmail.objects.get().state == EmailState.HANDED_OVER


def test_nothing_leaves_before_the_commit(thread, member, mailoutbox):
    with transaction.atomic():
        resets.send(member, by=None)
        sender.wait()
        before = len(mailoutbox)
    sender.wait()

    assert (before, len(mailoutbox)) == (0, 1)


def test_rollback_sends_nothing(thread, member, mailoutbox):
    class Crash(Exception):
        pass

    with pytest.raises(Crash), transaction.atomic():
        resets.send(member, by=None)
        raise Crash
    sender.wait()

    assert (mailoutbox, ResetEmail.objects.count()) == ([], 0)


def test_thread_is_no_daemon_and_ends_when_idle(thread, member, monkeypatch):
    seen = []
    original = threading.Thread.start
    monkeypatch.setattr(threading.Thread, "start", lambda self: (seen.append(self), original(self)))

    resets.send(member, by=None)
    sender.wait()

    ours = [thread for thread in seen if thread.name == "wagtail-member-reset"]
    for one in ours:
        one.join(5)
    assert [(one.daemon, one.is_alive()) for one in ours] == [(False, False)]


def test_public_request_is_resolved_on_the_tick(thread, member, mailoutbox):
    resets.request(member.email, network="192.0.2.7", site=None, language="en")

    assert sender.wait()
    assert len(mailoutbox) == 1


def test_command_delivery_wakes_nobody(settings, member, mailoutbox):
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "command"

    resets.send(member, by=None)
    sender.wait()

    assert (mailoutbox, ResetEmail.objects.get().state) == ([], EmailState.QUEUED)


def test_wrong_setting_does_not_fail_the_request(settings, member):
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "pigeon"

    resets.send(member, by=None)

    assert ResetEmail.objects.get().state == EmailState.QUEUED


def test_broker_that_takes_nothing_leaves_the_row_for_the_sweeper(settings, member, caplog):
    settings.WAGTAIL_MEMBER_RESET_DELIVERY = "tasks"  # and no backend with workers is configured here

    assert not tasks.is_configured()
    resets.send(member, by=None)

    assert ResetEmail.objects.get().state == EmailState.QUEUED
    assert "deliver_member_resets will send" in caplog.text


def test_database_that_is_away_does_not_end_the_thread_for_good(thread, member, mailoutbox, settings):
    settings.WAGTAIL_MEMBER_RESET_STATUS_WINDOW = "wrong"  # every pass fails
    wake()
    sender.wait()
    del settings.WAGTAIL_MEMBER_RESET_STATUS_WINDOW

    resets.send(member, by=None)
    sender.wait()

    assert len(mailoutbox) == 1
