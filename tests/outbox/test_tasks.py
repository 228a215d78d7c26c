import json
import os
import subprocess
import sys
from unittest.mock import ANY

import pytest
from django.db import connection
from django.utils import timezone

from wagtail_member_reset import mailings
from wagtail_member_reset.mailing import chunks, issue
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import EmailState, Mailing, ResetEmail
from wagtail_member_reset.outbox import tasks

pytestmark = pytest.mark.django_db(transaction=True, serialized_rollback=True)


@pytest.fixture
def site(member, tmp_path):
    """A process of a site that has a task backend, on this test's database: it sends Mia a reset."""

    def run(**environment):
        environment = {
            "SITE_DATABASE": str(connection.settings_dict["NAME"]),
            "SITE_INBOX": str(tmp_path),
            "SITE_DELIVERY": "auto",
            **environment,
        }
        return subprocess.run(
            [sys.executable, "-m", "tests.broker"],
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )

    return run


def inbox(tmp_path):
    return [path.read_text() for path in tmp_path.iterdir()]


def test_django_has_backends_that_are_no_workers():
    """The suite's own settings name no backend: Django 6's Immediate one and django-tasks' do not count."""
    assert not tasks.is_configured()


@pytest.mark.parametrize("delivery", ["auto", pytest.param("tasks", marks=pytest.mark.slow)])
def test_worker_of_the_task_backend_sends_the_mail(site, tmp_path, delivery):
    seen = json.loads(site(SITE_DELIVERY=delivery).stdout)

    assert seen == {
        "configured": True,
        "queued": [["wagtail_member_reset.outbox.tasks.deliver", [], {}]],  # not even a primary key travels
        "handed_over": [1],
    }
    assert ResetEmail.objects.get().state == EmailState.HANDED_OVER
    assert "https://club.example/account/r/" in inbox(tmp_path)[0]


@pytest.mark.slow
def test_worker_of_the_task_backend_tries_the_failed_mails_of_a_mailing_again(site, tmp_path, member):
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=(member.pk,)), by=None)
    mailings.start(mailing)
    issue.issue_chunk(chunks.next_chunk(), lease="one", lease_until=timezone.now())
    ResetEmail.objects.update(state=EmailState.FAILED, lease="", lease_until=None)
    Mailing.objects.update(failed=1)

    seen = json.loads(site().stdout)

    assert seen["queued"] == [
        ["wagtail_member_reset.outbox.tasks.deliver", [], {}],
        ["wagtail_member_reset.outbox.tasks.watch", [mailing.pk], {}],
        ["wagtail_member_reset.outbox.tasks.deliver_chunk", [ANY], {}],
    ]
    mailing.refresh_from_db()
    assert (mailing.state, mailing.handed_over, len(inbox(tmp_path))) == ("finished", 1, 1)


@pytest.mark.slow
def test_command_delivery_queues_nothing(site, tmp_path):
    seen = json.loads(site(SITE_DELIVERY="command").stdout)

    assert (seen["configured"], seen["queued"], inbox(tmp_path)) == (True, [], [])


@pytest.mark.slow
def test_broker_that_is_down_fails_no_request_and_loses_no_mail(site, tmp_path):
    ended = site(BROKER_IS_DOWN="1")

    assert json.loads(ended.stdout)["queued"] == []
    assert "deliver_member_resets will send what is waiting" in ended.stderr
    assert (ResetEmail.objects.get().state, inbox(tmp_path)) == (EmailState.QUEUED, [])


@pytest.mark.slow
def test_mailing_with_a_limit_asks_for_one_task_that_puts_itself_off(site):
    seen = json.loads(site(SITE_DOES="limited_mailing").stdout)

    assert seen == {
        "asked": [["deliver", False, 100], ["watch", True, 0], ["deliver_slowly", False, 0]],
        "handed_over": [0, 0, 1],
        "asked_again": [["watch", True, 0], ["deliver_slowly", True, 0]],
    }


@pytest.mark.slow
def test_queue_that_cannot_put_off_keeps_a_task_waiting_for_the_next_turn(site):
    seen = json.loads(site(SITE_DOES="limited_mailing", BROKER_CANNOT_WAIT="1").stdout)

    assert seen == {
        "asked": [["deliver", False, 100], ["deliver_slowly", False, 0]],
        "handed_over": [0, 1],
        "asked_again": [["deliver_slowly", False, 0]],
    }


@pytest.mark.parametrize(("engine", "is_put_off", "times"), [({}, True, 3), ({"BROKER_CANNOT_WAIT": "1"}, False, 1)])
@pytest.mark.slow
def test_no_worker_sleeps_until_the_moment_of_a_visitor(site, tmp_path, engine, is_put_off, times):
    """A queue that can put a task off does; for another one, the site's process waits."""
    seen = json.loads(site(SITE_DOES="requests_of_visitors", **engine).stdout)

    assert seen == {
        "asked": [["deliver_requests", is_put_off, 100]] * times,
        "handed_over": [1] + [0] * (times - 1),
        "slept": [],
    }
    assert len(inbox(tmp_path)) == 1


@pytest.mark.slow
def test_task_whose_time_is_up_leaves_the_rest_to_another_one(site, tmp_path):
    seen = json.loads(site(SITE_DOES="long_pass").stdout)

    assert seen == {"handed_over": [0], "queued": 2}
    assert (ResetEmail.objects.get().state, ResetEmail.objects.get().attempts) == (EmailState.QUEUED, 0)


@pytest.mark.slow
def test_mailing_with_a_start_time_asks_for_tasks_that_put_themselves_off(site):
    seen = json.loads(site(SITE_DOES="timed_mailing").stdout)

    assert seen["asked"][:2] == [["deliver", False, 100], ["watch", True, 0]]
    assert ["deliver_chunk", True, 0] in seen["asked_again"]
    assert (seen["handed_over"][:-1], seen["handed_over"][-1] > 0) == ([0] * (len(seen["handed_over"]) - 1), True)


@pytest.mark.slow
def test_queue_that_cannot_put_off_keeps_no_task_waiting_for_weeks_and_a_later_pass_asks_once(site):
    seen = json.loads(site(SITE_DOES="late_mailing", BROKER_CANNOT_WAIT="1").stdout)

    assert seen["asked"] == [["deliver", False, 100], ["deliver_slowly", False, 0]]
    assert (seen["slept"], seen["waiting"]) == (0, [])
    assert "sending starts with the first visit to this website after the start time" in seen["page"]
    assert seen["later"] == [["deliver", False, 100], ["deliver_slowly", False, 0]]
    assert (seen["handed_over"][:-1], seen["handed_over"][-1] > 0) == ([0] * 4, True)


@pytest.mark.slow
def test_queue_that_cannot_put_off_keeps_a_task_waiting_for_the_start_time(site):
    seen = json.loads(site(SITE_DOES="timed_mailing", BROKER_CANNOT_WAIT="1").stdout)

    assert seen["asked"] == [["deliver", False, 100], ["deliver_slowly", False, 0]]
    assert "sending starts by itself" in seen["page"]
    assert (seen["handed_over"][0], seen["handed_over"][1] > 0) == (0, True)


@pytest.mark.slow
def test_queue_that_can_put_off_starts_a_mailing_of_weeks_later_by_itself(site):
    seen = json.loads(site(SITE_DOES="late_mailing").stdout)

    assert "sending starts by itself" in seen["page"]
