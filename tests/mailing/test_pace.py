"""The limit of a mailing, kept and used over hours: by the command, by the thread, and by tasks."""

import random
from datetime import timedelta
from itertools import count
from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from wagtail_member_reset import mailings, outbox, resets
from wagtail_member_reset.mailing import issue, pace, reminders
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import ClaimedMinute, Mailing, MailingChunk, ResetEmail
from wagtail_member_reset.outbox import background, queue, send, tasks, transport
from wagtail_member_reset.outbox.transport import Answer, Result

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_connection")]

HOUR = timedelta(hours=1)
# How many minutes lie between two passes of a cron job.
EVERY = [pytest.param(1, marks=pytest.mark.soak), 5]
MINUTE = timedelta(minutes=1)
ACCEPTED = Result(answer=Answer.ACCEPTED, code="accepted", is_certain=True)
LATER = Result(answer=Answer.LATER, code="smtp_451", is_certain=True)
BUSY = Result(answer=Answer.NEVER, code="smtp_550", is_certain=True)


@pytest.fixture
def clock(time_machine):
    time_machine.move_to("2026-11-23 12:00:17+00:00", tick=False)
    return time_machine


class Server:
    """Accepts every mail, but for those to which it has another answer."""

    def __init__(self):
        self.said = 0
        self.answer = lambda number: ACCEPTED

    def send(self, _content, *, to, public_id):
        self.said += 1
        return self.answer(self.said)


@pytest.fixture
def server(monkeypatch):
    played = Server()
    monkeypatch.setattr(transport.Mailer, "send", played.send)
    return played


class Claims:
    """When emails were claimed, how many, and whether for a mailing."""

    def __init__(self):
        self.made = []

    def note(self, emails, *, is_mailing):
        if emails:
            self.made.append((timezone.now(), emails, is_mailing))

    def most_in_an_hour(self):
        """The most in 60 minutes that end with an email of a mailing, counting all that were known then."""
        most, first, within = 0, 0, 0
        for at, emails, is_mailing in self.made:
            within += emails
            while self.made[first][0] <= at - HOUR:
                within -= self.made[first][1]
                first += 1
            most = max(most, within) if is_mailing else most
        return most

    def in_each_hour(self, hours):
        begin = self.made[0][0]
        found = [0] * hours
        for at, emails, _is_mailing in self.made:
            if (hour := (at - begin) // HOUR) < hours:
                found[hour] += emails
        return found


@pytest.fixture
def claims(monkeypatch):
    """Hooks where rows become "being sent": those just issued, and those claimed for a first or another attempt."""
    seen, claim, issue_chunk = Claims(), queue._claim, issue.issue_chunk

    def claimed(keys, lease):
        found = claim(keys, lease)
        ours = ResetEmail.objects.filter(pk__in=keys, lease=lease.key)
        seen.note(ours.exclude(mailing=None).count(), is_mailing=True)
        seen.note(ours.filter(mailing=None).count(), is_mailing=False)
        return found

    def issued(*args, **kwargs):
        found = issue_chunk(*args, **kwargs)
        seen.note(len(found.emails) if found else 0, is_mailing=True)
        return found

    monkeypatch.setattr(queue, "_claim", claimed)
    monkeypatch.setattr(send, "issue_chunk", issued)
    return seen


_numbers = count(1)


def people(number, **fields):
    model = get_user_model()
    name = f"m{next(_numbers)}x"
    fields = {"first_name": "Mia", "password": "!", **fields}
    rows = [model(email=f"{name}{each}@members.example", **fields) for each in range(number)]
    for each, row in enumerate(rows):
        if model.USERNAME_FIELD != "email":
            row.username = f"{name}{each}"
    return model.objects.bulk_create(rows)


def started(members, **details):
    choice = Choice(kind=Kind.IDS, ids=tuple(member.pk for member in members))
    mailing = mailings.draft(choice, by=None, **details)
    assert mailings.start(mailing)
    return mailing


def passes(clock, *, every, hours, missed=lambda number: False, jitter=30):
    """The passes of a cron job that comes up to half a minute early or late, and sometimes not at all."""
    begin, dice = timezone.now(), random.Random(hours * every)
    for number in range(int(hours * 60 / every)):
        if missed(number):
            continue
        clock.move_to(begin + number * every * MINUTE + timedelta(seconds=dice.uniform(0, jitter)), tick=False)
        yield number
        outbox.drain()


def enough(limit, hours):
    """Nine tenths of the limit over so many hours, in whole emails; one may be due a moment after the last pass."""
    return int(limit * hours * 0.9) - 1


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize(
    ("limit", "hours"),
    [
        (7, 8),
        pytest.param(1, 12, marks=pytest.mark.slow),
        pytest.param(60, 4, marks=pytest.mark.slow),
        pytest.param(120, 4, marks=pytest.mark.slow),
        pytest.param(1000, 2, marks=pytest.mark.slow),
        pytest.param(2000, 3, marks=pytest.mark.soak),
    ],
)
def test_limit_is_kept_and_used_by_the_command_whenever_it_comes(server, claims, clock, limit, hours, every):
    started(people(limit * (hours + 1)), per_hour=limit)

    for _pass in passes(clock, every=every, hours=hours):
        pass

    assert claims.most_in_an_hour() <= limit
    assert sum(claims.in_each_hour(hours)) >= enough(limit, hours)
    if limit >= 60:
        assert min(claims.in_each_hour(hours - 1)) >= enough(limit, 1)


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.slow
def test_limit_is_kept_where_passes_are_missed(server, claims, clock, every):
    started(people(600), per_hour=120)

    for _pass in passes(clock, every=every, hours=4, missed=lambda number: number % 7 in (2, 3)):
        pass

    assert claims.most_in_an_hour() <= 120
    if every == 1:
        assert min(claims.in_each_hour(3)) >= enough(120, 1)


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.parametrize("limit", [7, 120])
@pytest.mark.slow
def test_retries_go_within_the_limit(server, claims, clock, limit, every):
    server.answer = lambda number: LATER if number % 3 == 0 else ACCEPTED
    started(people(limit * 6), per_hour=limit)

    for _pass in passes(clock, every=every, hours=5):
        pass

    assert claims.most_in_an_hour() <= limit
    assert sum(claims.in_each_hour(5)) >= enough(limit, 5)
    assert ResetEmail.objects.filter(attempts__gt=1).exists()


@pytest.mark.slow
def test_members_tried_again_by_a_click_go_within_the_limit(server, claims, clock):
    server.answer = lambda number: BUSY if number % 3 == 0 else ACCEPTED
    mailing = started(people(600), per_hour=120)

    for number in passes(clock, every=5, hours=4):
        if number % 6 == 5:
            mailings.try_again(mailing)

    assert claims.most_in_an_hour() <= 120
    assert min(claims.in_each_hour(3)) >= enough(120, 1)


@pytest.mark.slow
def test_retries_that_waited_over_a_night_of_pause_do_not_leave_at_once(server, claims, clock):
    server.answer = lambda number: LATER
    mailing = started(people(600), per_hour=120)
    for _pass in passes(clock, every=5, hours=2):
        pass
    assert mailings.pause(mailing)
    before = len(claims.made)
    for _pass in passes(clock, every=5, hours=8):
        pass
    assert len(claims.made) <= before + 1  # of the pass that ends the second hour

    server.answer = lambda number: ACCEPTED
    mailings.go_on(mailing)
    morning = len(claims.made)
    for _pass in passes(clock, every=1, hours=3):
        pass

    assert claims.most_in_an_hour() <= 120
    claims.made = claims.made[morning:]
    assert claims.made[0][1] <= 2
    assert claims.in_each_hour(2)[0] >= enough(120, 1)


@pytest.mark.slow
def test_two_mailings_at_once_share_the_limit(server, claims, clock):
    mine, other = started(people(400), per_hour=120), started(people(400), per_hour=120)

    for _pass in passes(clock, every=1, hours=4):
        pass

    assert claims.most_in_an_hour() <= 120
    assert sum(claims.in_each_hour(4)) >= enough(120, 4)
    mine.refresh_from_db()
    other.refresh_from_db()
    assert min(mine.handed_over, other.handed_over) > 100  # neither waits for the other's end


@pytest.mark.slow
def test_single_mails_count_and_never_wait(server, claims, clock, admin):
    started(people(600), per_hour=120)
    late = []

    for number in passes(clock, every=5, hours=4):
        if number % 5 == 4:
            for person in people(9):
                resets.send(person, by=admin)
            outbox.drain()
            late.append(ResetEmail.objects.filter(mailing=None, handed_over_at=None).count())

    assert set(late) == {0}
    assert claims.most_in_an_hour() <= 120
    assert sum(claims.in_each_hour(4)) >= enough(120, 4)


@pytest.mark.slow
def test_limit_that_singles_used_up_holds_a_mailing_and_no_single(server, claims, clock, admin):
    started(people(60), per_hour=60)
    for person in people(100):
        resets.send(person, by=admin)
    outbox.drain()
    sent_at_once = server.said

    for _pass in passes(clock, every=1, hours=2):
        pass

    assert sent_at_once == 100
    first = next(at for at, _emails, is_mailing in claims.made if is_mailing)
    assert first - claims.made[0][0] >= HOUR
    assert claims.most_in_an_hour() <= 60


@pytest.mark.parametrize("every", EVERY)
@pytest.mark.slow
def test_members_who_are_passed_over_use_no_room(server, claims, clock, every):
    """Nine of ten get no email, in whole chunks of them and one by one."""
    without = people(600, is_active=False)
    mixed = [one for each in people(300) for one in (each, *people(2, is_active=False))]
    started(sorted([*without, *mixed], key=lambda person: person.pk), per_hour=120)

    for _pass in passes(clock, every=every, hours=2):
        pass

    assert claims.most_in_an_hour() <= 120
    assert min(claims.in_each_hour(2)) >= enough(120, 1)


def test_room_that_is_given_back_in_the_next_minute_is_not_taken_from_that_minute(clock, db):
    """Who was claimed in a minute counts until that minute has left the window, whatever others give back."""
    mailing = started(people(10), per_hour=120)
    clock.move_to("2026-11-23 12:05:59+00:00", tick=False)
    room = pace.reserve(mailing, 8)

    clock.move_to("2026-11-23 12:06:01+00:00", tick=False)
    pace.note(8)
    pace.give_back(mailing, room, used=0)

    counted = {row.minute.minute: row.emails for row in ClaimedMinute.objects.all() if row.emails}
    assert counted == {6: 8}


@pytest.mark.slow
def test_reminders_keep_the_limit_of_the_mailing_that_welcomed(server, claims, clock, settings):
    settings.WAGTAIL_MEMBER_RESET_REMINDER = timedelta(days=1)
    started(people(100), per_hour=120)
    for _pass in passes(clock, every=5, hours=1):
        pass
    clock.shift(lifetime_of_links() - timedelta(hours=12))
    reminders.lookout._looked_at = None
    claims.made.clear()

    for _pass in passes(clock, every=5, hours=2):
        reminders.lookout._looked_at = None

    reminded = ResetEmail.objects.filter(purpose="reminder")
    assert reminded.count() == sum(emails for _at, emails, _is_mailing in claims.made) == 100
    assert claims.most_in_an_hour() <= 120
    assert claims.made[0][1] <= 20


def lifetime_of_links():
    email = ResetEmail.objects.select_related("reset").first()
    return email.reset.expires_at - email.reset.issued_at


class Timer:
    """Stands for `threading.Timer`: what it would wake, and when."""

    at = None

    def __init__(self, seconds, _wake):
        Timer.at = timezone.now() + timedelta(seconds=seconds)

    def start(self):
        """The clock of the test does."""

    def cancel(self):
        Timer.at = None


@pytest.fixture
def thread(monkeypatch):
    """A thread whose naps the test's clock ends: `thread.pass_until(hours)`."""
    monkeypatch.setattr(background.threading, "Timer", Timer)
    monkeypatch.setattr(background, "connections", SimpleNamespace(close_all=lambda: None))
    monkeypatch.setattr(background, "close_old_connections", lambda: None)
    return background.Sender()


def thread_works(thread, clock, *, hours):
    """Drains whenever the thread would; how often that was."""
    end, woken = timezone.now() + hours * HOUR, 0
    Timer.at = timezone.now()
    while Timer.at is not None and Timer.at < end:
        clock.move_to(max(Timer.at, timezone.now()), tick=False)
        thread._drain()
        woken += 1
    return woken


@pytest.mark.slow
@pytest.mark.parametrize(("limit", "hours"), [(1, 12), (60, 4)])
def test_limit_is_kept_and_used_by_the_thread(server, claims, clock, thread, limit, hours):
    server.answer = lambda number: LATER if number % 4 == 0 else ACCEPTED
    started(people(limit * (hours + 1)), per_hour=limit)

    woken = thread_works(thread, clock, hours=hours)

    assert claims.most_in_an_hour() <= limit
    assert sum(claims.in_each_hour(hours)) >= enough(limit, hours)
    assert woken <= hours * 60 * 3


@pytest.mark.slow
def test_thread_comes_back_for_a_mailing_whose_limit_singles_used_up(server, claims, clock, thread, admin):
    mailing = started(people(3), per_hour=60)
    for person in people(60):
        resets.send(person, by=admin)

    thread_works(thread, clock, hours=2)

    mailing.refresh_from_db()
    assert (mailing.state, mailing.handed_over) == ("finished", 3)


class Engine:
    """Runs what `tasks` asks for when its time has come, by the test's clock, and no faster."""

    def __init__(self, monkeypatch, clock, *, can_wait):
        self.can_wait, self.clock, self.queue, self.numbers = can_wait, clock, [], count()
        monkeypatch.setattr(tasks, "_ask", self.ask)
        self.time = SimpleNamespace(monotonic=lambda: timezone.now().timestamp(), sleep=self.sleep)
        monkeypatch.setattr(tasks, "time", self.time)

    def sleep(self, seconds):
        # Coarser than it asks for, so that the test is done sooner; late is what engines are.
        self.clock.shift(timedelta(seconds=10 * seconds))

    def ask(self, task, *args, at=None):
        if at is not None and not self.can_wait:
            return False
        self.queue.append((at + timedelta(seconds=1) if at else timezone.now(), next(self.numbers), task, args))
        return True

    def work(self, *, hours):
        end = timezone.now() + hours * HOUR
        while self.queue:
            self.queue.sort(key=lambda each: each[:2])
            at, _number, task, args = self.queue.pop(0)
            if at >= end or timezone.now() >= end:
                return
            self.clock.move_to(max(at, timezone.now()), tick=False)
            task(*args)


@pytest.mark.slow
@pytest.mark.parametrize("can_wait", [True, False])
@pytest.mark.parametrize(("limit", "hours"), [(7, 3), (120, 2)])
def test_limit_is_kept_and_used_by_tasks(server, claims, clock, monkeypatch, limit, hours, can_wait):
    server.answer = lambda number: LATER if number % 4 == 0 else ACCEPTED
    engine = Engine(monkeypatch, clock, can_wait=can_wait)
    mailing = started(people(limit * (hours + 1)), per_hour=limit)
    tasks.ask_for_mailing(mailing.pk)

    engine.work(hours=hours)

    assert claims.most_in_an_hour() <= limit
    assert sum(claims.in_each_hour(hours)) >= enough(limit, hours)
    assert MailingChunk.objects.exists()


@pytest.mark.slow
def test_chunk_that_takes_long_to_write_keeps_the_limit(server, claims, clock, monkeypatch):
    """A database that is busy, or a rule of the site's that is slow: room reserved in one minute, used in the next."""
    take = issue.chunks.take
    monkeypatch.setattr(issue.chunks, "take", lambda *args: clock.shift(timedelta(seconds=20)) or take(*args))
    started(people(600), per_hour=120)

    for _pass in passes(clock, every=1, hours=3, jitter=0):
        pass

    assert claims.most_in_an_hour() <= 120
    assert sum(claims.in_each_hour(3)) >= enough(120, 3)


def test_unlimited_mailing_counts_for_a_limited_one(server, claims, clock):
    started(people(200))
    limited = started(people(10), per_hour=100)

    for _pass in passes(clock, every=5, hours=0.5):
        pass

    limited.refresh_from_db()
    assert Mailing.objects.get(per_hour=None).state == "finished"
    assert limited.handed_over == 0
