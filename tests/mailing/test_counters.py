"""The counters of a mailing say what its rows say, whoever does what and whenever."""

from collections import Counter
from datetime import timedelta

import hypothesis
import pytest
import time_machine as clocks
from django.contrib.auth import get_user_model
from django.db import transaction
from django.utils import timezone
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.conftest import make_person
from wagtail_member_reset import mailings, outbox
from wagtail_member_reset.mailing import chunks, issue, purge_mailings, state
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import EmailState, Mailing, MailingState, ResetEmail
from wagtail_member_reset.outbox import outcome, queue, transport
from wagtail_member_reset.outbox.send import deliver
from wagtail_member_reset.outbox.transport import Answer, Result

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_connection")]

START = "2026-11-23 12:00:00+00:00"
ANSWERS = [
    Result(answer=Answer.ACCEPTED, code="accepted", is_certain=True),
    Result(answer=Answer.LATER, code="smtp_451", is_certain=True),
    Result(answer=Answer.LATER, code="no_answer"),
    Result(answer=Answer.NEVER, code="smtp_550", is_certain=True),
]


@pytest.fixture
def clock(time_machine):
    time_machine.move_to(START, tick=False)
    return time_machine


def started(number, **details):
    keys = tuple(make_person(f"Member{each}").pk for each in range(number))
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=keys), by=None, **details)
    mailings.start(mailing)
    return mailing


def in_hand(lease):
    until = timezone.now() + timedelta(minutes=10)
    return [email for email, _token in issue.issue_chunk(chunks.next_chunk(), lease=lease, lease_until=until).emails]


def accepted(emails):
    return list(outcome.of_results((email, "", ANSWERS[0]) for email in emails))


def counted(mailing):
    mailing.refresh_from_db()
    return {"handed_over": mailing.handed_over, "failed": mailing.failed, "skipped": mailing.skipped}


def test_email_that_another_worker_wrote_down_is_counted_once(clock):
    """The lease ran out over one answer: of two emails, another worker has sent and written one."""
    mailing = started(2)
    mine, theirs = in_hand("one")
    clock.shift(timedelta(minutes=11))
    lease = queue.Lease(longest=lambda: timedelta(minutes=1))
    ResetEmail.objects.filter(pk=theirs.pk).update(lease=lease.key, lease_until=lease.until)
    outcome.write(accepted([ResetEmail.objects.get(pk=theirs.pk)]))

    outcome.write(accepted([mine, theirs]))

    assert counted(mailing) == {"handed_over": 2, "failed": 0, "skipped": 0}


def test_answers_that_are_written_twice_are_counted_once(clock):
    """An engine's time limit strikes after the commit, and before the worker knows of it."""
    mailing = started(3)
    emails = in_hand("one")

    outcome.write(accepted(emails))
    outcome.write(accepted(emails))

    assert counted(mailing) == {"handed_over": 3, "failed": 0, "skipped": 0}


@pytest.mark.parametrize("state_before", [EmailState.QUEUED, EmailState.SENDING])
def test_stopped_mailing_counts_who_was_deleted_while_an_email_waited(clock, state_before):
    mailing = started(3)
    emails = in_hand("its worker dies")
    ResetEmail.objects.filter(pk=emails[0].pk).update(state=state_before)
    get_user_model().objects.get(pk=emails[0].member_id).delete()

    mailings.stop(mailing, by=None)
    clock.shift(timedelta(minutes=11))
    outbox.drain()

    mailing.refresh_from_db()
    assert (mailing.state, mailing.handled, mailing.chosen) == (MailingState.STOPPED, 3, 3)


class Interleavings(RuleBasedStateMachine):
    """
    One mailing, and whatever workers, staff, members and time can do to it, in any order.

    `between` holds what another does in the middle of a pass: after an email was sent, and before it is written down.
    """

    def __init__(self):
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.travel = clocks.travel(START, tick=False)
        self.clock = self.travel.start()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(chunks, "CHUNK", 3)
        self.patch.setattr(transport.Mailer, "send", lambda *args, **kwargs: self.answer())
        self.answers, self.between = iter(()), None
        self.write = outcome.write
        self.patch.setattr(outcome, "write", self.interrupted_write)
        self.mailing = started(7)

    def teardown(self):
        try:
            self.check_end()
        finally:
            self.patch.undo()
            self.travel.stop()
            transaction.set_rollback(True)
            self.savepoint.__exit__(None, None, None)

    def answer(self):
        return next(self.answers, ANSWERS[0])

    def interrupted_write(self, attempts):
        between, self.between = self.between, None
        if between == "other_pass":
            # The lease of the one who is about to write has run out.
            self.clock.shift(timedelta(minutes=45))
            outbox.drain()
        elif between is not None:
            getattr(self, between)()
        self.write(attempts)
        if between == "written_twice":
            self.write(attempts)

    def written_twice(self):
        """An engine's time limit; the answers are written again."""

    @rule(
        answers=st.lists(st.sampled_from(ANSWERS), max_size=8),
        between=st.sampled_from(
            [None, None, "other_pass", "finish", "try_again", "pause", "stop", "delete_one", "written_twice"]
        ),
    )
    def work(self, answers, between):
        self.answers, self.between = iter(answers), between
        outbox.drain()

    @rule(answers=st.lists(st.sampled_from(ANSWERS), max_size=3))
    def work_on_a_chunk_and_die(self, answers):
        if (pk := chunks.next_chunk()) is None:
            return
        until = timezone.now() + timedelta(minutes=10)
        issued = issue.issue_chunk(pk, lease="dies", lease_until=until)
        sent = [(email, "", answer) for (email, _token), answer in zip(issued.emails if issued else (), answers)]  # noqa: B905
        self.write(list(outcome.of_results(sent)))

    @rule()
    def finish(self):
        state.finish_mailing(self.mailing.pk)

    @rule()
    def try_again(self):
        mailings.try_again(self.fresh())

    @rule()
    def pause(self):
        mailings.pause(self.fresh())

    @rule()
    def go_on(self):
        mailings.go_on(self.fresh())

    @rule()
    def stop(self):
        mailings.stop(self.fresh(), by=None)

    @rule(number=st.integers(0, 6))
    def delete_one(self, number=2):
        members = list(get_user_model().objects.order_by("pk"))
        if members:
            members[number % len(members)].delete()

    @rule()
    def hold(self):
        state.hold_mailing(self.mailing.pk, timezone.now() + timedelta(minutes=5))

    @rule(minutes=st.sampled_from([1, 11, 45, 400, 60 * 24 * 8]))
    def let_time_pass(self, minutes):
        self.clock.shift(timedelta(minutes=minutes))

    @rule()
    def purge(self):
        purge_mailings()

    @invariant()
    def counters_are_what_the_rows_say(self):
        mailing = self.fresh()
        if mailing is None:
            return
        found = Counter(mailing.emails.filter(replaced_at=None).values_list("state", flat=True))
        reasons = Counter(each.reason for each in mailing.skips.all() for _one in range(each.count))
        written = Counter(
            mailing.emails.filter(replaced_at=None, state=EmailState.SKIPPED).values_list("skip_reason", flat=True)
        )
        assert min(mailing.handed_over, mailing.failed, mailing.skipped) >= 0
        assert all(each.count >= 0 for each in mailing.skips.all())
        assert mailing.skipped == sum(reasons.values())
        assert mailing.handled <= mailing.chosen
        # Who was deleted took their row along, and stays counted.
        assert mailing.handed_over >= found[EmailState.HANDED_OVER]
        assert mailing.failed >= found[EmailState.FAILED]
        assert all(reasons[reason] >= number for reason, number in written.items())
        if get_user_model().objects.count() == 7:
            assert (mailing.handed_over, mailing.failed) == (found[EmailState.HANDED_OVER], found[EmailState.FAILED])

    def check_end(self):
        for _day in range(3):
            mailings.go_on(self.fresh())
            for _hour in range(3):
                self.clock.shift(timedelta(hours=7))
                outbox.drain()
        mailing = self.fresh()
        assert mailing.state in (MailingState.FINISHED, MailingState.STOPPED)
        assert (mailing.handled, mailing.waiting) == (mailing.chosen, 0)
        self.counters_are_what_the_rows_say()

    def fresh(self):
        return Mailing.objects.get(pk=self.mailing.pk)


@pytest.mark.slow
def test_every_interleaving_keeps_handled_what_was_chosen():
    run_state_machine_as_test(
        Interleavings,
        settings=hypothesis.settings(
            max_examples=20,
            stateful_step_count=12,
            deadline=None,
            database=None,
            suppress_health_check=list(hypothesis.HealthCheck),
        ),
    )


def test_email_handed_over_alone_in_another_lease_changes_nothing(clock):
    """`deliver` of a row that another worker has taken meanwhile sends nothing and counts nothing."""
    mailing = started(1)
    [email] = in_hand("one")
    ResetEmail.objects.update(lease="two")

    with transport.Mailer() as mailer:
        handed_over = deliver(email, mailer, None)

    assert not handed_over
    assert counted(mailing) == {"handed_over": 0, "failed": 0, "skipped": 0}
