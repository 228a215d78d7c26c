import json
import os
import subprocess
import sys

import pytest
from django.db import connection
from django.utils import timezone

from wagtail_member_reset import mailings
from wagtail_member_reset.mailing import issue, state
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import EmailState, ResetEmail
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


@pytest.mark.parametrize("delivery", ["auto", "tasks"])
def test_worker_of_the_task_backend_sends_the_mail(site, tmp_path, delivery):
    seen = json.loads(site(SITE_DELIVERY=delivery).stdout)

    assert seen == {
        "configured": True,
        "queued": [["wagtail_member_reset.outbox.tasks.deliver", [], {}]],  # not even a primary key travels
        "handed_over": [1],
    }
    assert ResetEmail.objects.get().state == EmailState.HANDED_OVER
    assert "https://club.example/account/r/" in inbox(tmp_path)[0]


def test_worker_of_the_task_backend_tries_the_failed_mails_of_a_mailing_again(site, tmp_path, member):
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=(member.pk,)), by=None)
    mailings.start(mailing)
    issue.issue_chunk(state.next_chunk(), lease="one", lease_until=timezone.now())
    ResetEmail.objects.update(state=EmailState.FAILED, lease="", lease_until=None)

    seen = json.loads(site().stdout)

    assert seen["queued"] == [
        ["wagtail_member_reset.outbox.tasks.deliver", [], {}],
        ["wagtail_member_reset.outbox.tasks.watch", [mailing.pk], {}],
    ]
    mailing.refresh_from_db()
    assert (mailing.state, mailing.handed_over, len(inbox(tmp_path))) == ("finished", 1, 1)


def test_command_delivery_queues_nothing(site, tmp_path):
    seen = json.loads(site(SITE_DELIVERY="command").stdout)

    assert (seen["configured"], seen["queued"], inbox(tmp_path)) == (True, [], [])


def test_broker_that_is_down_fails_no_request_and_loses_no_mail(site, tmp_path):
    ended = site(BROKER_IS_DOWN="1")

    assert json.loads(ended.stdout)["queued"] == []
    assert "deliver_member_resets will send what is waiting" in ended.stderr
    assert (ResetEmail.objects.get().state, inbox(tmp_path)) == (EmailState.QUEUED, [])


def test_mailing_asks_for_each_chunk_in_its_turn_and_a_task_that_is_early_asks_again(site):
    seen = json.loads(site(SITE_DOES="rated_run").stdout)

    assert seen == {
        "asked": [
            ["deliver", False, 100],
            ["watch", True, 0],
            ["deliver_chunk", False, 0],
            ["deliver_chunk", True, 0],
            ["deliver_chunk", True, 0],
        ],
        "handed_over": [0, 0, 1, 0, 0],
        "asked_again": [["watch", True, 0], ["deliver_chunk", True, 0], ["deliver_chunk", True, 0]],
    }


def test_queue_that_cannot_wait_gets_the_chunks_whose_turn_has_come(site):
    seen = json.loads(site(SITE_DOES="rated_run", BROKER_CANNOT_WAIT="1").stdout)

    assert seen == {
        "asked": [["deliver", False, 100], ["deliver_chunk", False, 0]],
        "handed_over": [0, 1],
        "asked_again": [],
    }


def test_task_whose_time_is_up_leaves_the_rest_to_another_one(site, tmp_path):
    seen = json.loads(site(SITE_DOES="long_pass").stdout)

    assert seen == {"handed_over": [0], "queued": 2}
    assert (ResetEmail.objects.get().state, ResetEmail.objects.get().attempts) == (EmailState.QUEUED, 0)
