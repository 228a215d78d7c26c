"""
Processes killed with SIGKILL, and a database that restarts, in the middle of the work. Of this package alone:
the others send within the visitor's request, and have no worker.

A killed worker's mails are taken up again once its lease is over. A mail may come twice only if the kill came
between the mail server's answer and our record of it, and then it is the same mail with the same link.
"""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import time_machine
from django.contrib.auth import get_user_model
from django.db import DatabaseError, connection, connections
from django.test import override_settings
from django.utils import timezone

from tests.score import killing, mailserver
from tests.score.figures import Figure, Verdict
from tests.score.mailserver import MailServer
from tests.score.measures import Run, measure
from tests.score.measures.faults import mail_settings

BATCH = 4
LONGEST_PAUSE = 0.004
NEW_PASSWORD = "An entirely new phrase 7"
RESTARTED_DURING = 50
# Set where the database may be restarted: the command that does so, at once and without mercy.
RESTART = os.environ.get("SCORE_RESTART_DATABASE", "")


@dataclass
class Count:
    tries: int = 0
    kills: int = 0
    lost: int = 0
    doubled: int = 0
    unsure: int = 0
    """Kills between the server's answer and our record: the only ones that may double a mail."""
    different: int = 0
    """Mails that came twice with another Message-ID or another link."""
    violations: int = 0


@measure("kills", order=50)
def kills(run: Run) -> Iterator[Figure]:
    if not run.target.is_ours:
        return
    workers = [[run.people.existing() for _ in range(BATCH)] for _ in range(run.kills)]
    senders = [run.people.existing() for _ in range(run.kills // 4)]
    members = [run.people.existing() for _ in range(run.kills // 4)]
    others = [run.people.existing() for _ in range(2 * RESTARTED_DURING)]
    run.people.settle()
    run.adapter.mails()
    # Each process is started by the measure: no thread of this one may send in between.
    with mailserver.running() as server, override_settings(**mail_settings(server), **BY_COMMAND):
        yield worker_figure(_kill_workers(run, server, workers))
        yield web_figure(_kill_senders(run, server, senders), _kill_members(run, members))
        if figure := _restart_database(run, server, others):
            yield figure


BY_COMMAND = {"WAGTAIL_MEMBER_RESET_DELIVERY": "command"}


def worker_figure(count: Count) -> Figure:
    is_fine = not (count.lost or count.different) and count.doubled <= count.unsure
    return Figure(
        name="kills: a worker, anywhere",
        text=(
            f"{count.kills} kills, mails lost {count.lost}, doubled {count.doubled} of at most {count.unsure}, "
            f"each with the same Message-ID and link"
        ),
        n=count.tries,
        unit="workers",
        control=f"{count.unsure} kills came between the mail server's answer and our record of it",
        verdict=_verdict(is_fine, seen=count.kills),
        reason="" if is_fine else f"Mails of another make came twice: {count.different}; see the counts.",
        value=vars(count),
    )


def web_figure(sends: Count, redemptions: Count) -> Figure:
    violations = sends.violations + redemptions.violations + sends.lost
    return Figure(
        name="kills: a web process that sends or sets a password",
        text=f"{sends.kills} kills in sends, {redemptions.kills} in redemptions; {violations} half done",
        n=sends.tries + redemptions.tries,
        unit="processes",
        control="what was killed stands as a whole or not at all",
        verdict=_verdict(not violations, seen=sends.kills + redemptions.kills),
        reason="" if not violations else "A kill left something half done.",
        value={"sends": vars(sends), "redemptions": vars(redemptions)},
    )


def _verdict(is_fine: bool, *, seen: int) -> Verdict:
    if not is_fine:
        return Verdict.FAIL
    return Verdict.PASS if seen else Verdict.INCONCLUSIVE


def _kill_workers(run: Run, server: MailServer, groups: list[list[str]]) -> Count:
    from wagtail_member_reset import outbox, resets

    count, took = Count(), 0.3
    for number, group in enumerate(groups):
        server.plan(pause=run.rng.uniform(0, LONGEST_PAUSE))
        for address in group:
            resets.send(_account(address), by=None)
        point = _points()[number % (2 * len(_points()))] if number % (2 * len(_points())) < len(_points()) else None
        start = time.monotonic()
        if point is None:
            killed = killing.run(outbox.drain, after=run.rng.uniform(0, took))
        else:
            nth = run.rng.randint(1, BATCH)
            killed = killing.run(lambda point=point, nth=nth: _within(point(nth), outbox.drain))
            took = max(0.1, min(took, time.monotonic() - start) * 1.2)
        count.tries += 1
        count.kills += killed
        _reckon(count, server, group, outbox.drain)
    return count


def _reckon(count: Count, server: MailServer, group: list[str], drain: Callable[[], object]) -> None:
    """What the kill left, then what an hour later has become of it."""
    unsure = {address for address in group if server.taken(address)} & _being_sent()
    count.unsure += len(unsure)
    killing.run(lambda: _an_hour_later(drain))
    for address in group:
        taken = server.taken(address)
        count.lost += not taken
        count.doubled += max(len(taken) - 1, 0)
        count.different += len({(mail.message_id, mail.links) for mail in taken}) > 1


def _points() -> list[Callable[[int], AbstractContextManager[Any]]]:
    """Every place where something begins or has just been done."""
    from wagtail_member_reset.outbox import letter, outcome, send

    once = [(send, "claim_singles"), (killing.SMTP_CALLS[0])]
    each = [(send, "as_it_is_now"), (letter, "mint_for"), (letter, "compose"), *killing.SMTP_CALLS[1:]]
    each += [(outcome, "write"), (outcome, "_write_group")]
    points: list[Callable[[int], AbstractContextManager[Any]]] = []
    for before in (True, False):
        points += [lambda nth, w=w, n=n, b=before: killing.at_call(w, n, 1, before=b) for w, n in once]
        points += [lambda nth, w=w, n=n, b=before: killing.at_call(w, n, nth, before=b) for w, n in each]
    return points


def _kill_senders(run: Run, server: MailServer, addresses: list[str]) -> Count:
    """A web process dies while it sends: what was promised is mailed, what was not has left nothing."""
    from wagtail_member_reset import outbox, resets
    from wagtail_member_reset.models import PasswordReset, ResetEmail

    server.plan()
    count = Count()
    for number, address in enumerate(addresses):
        work = lambda address=address: resets.send(_account(address), by=None)  # noqa: E731
        count.kills += _killed_somewhere(run, number, work, took=0.02)
        count.tries += 1
        links = PasswordReset.objects.filter(member__email=address)
        promises = ResetEmail.objects.filter(member__email=address)
        count.violations += links.count() != promises.count() or links.live().count() > 1
        promised = promises.count()
        killing.run(lambda: _an_hour_later(outbox.drain))
        count.lost += len(server.taken(address)) != promised
    return count


def _kill_members(run: Run, addresses: list[str]) -> Count:
    """A web process dies while a member sets a password: link, password and the mail about it change together."""
    from wagtail_member_reset import resets
    from wagtail_member_reset.models import PasswordReset, Purpose, ResetEmail, State

    count = Count()
    for number, address in enumerate(addresses):
        reset = resets.send(_account(address), by=None)
        grant = resets.open(resets.link(reset) or "")
        work = lambda grant=grant: resets.redeem(grant, password=NEW_PASSWORD)  # noqa: E731
        count.kills += _killed_somewhere(run, number, work, took=0.02)
        count.tries += 1
        found = {
            PasswordReset.objects.get(pk=reset.pk).state == State.USED,
            _account(address).check_password(NEW_PASSWORD),
            ResetEmail.objects.filter(reset=reset, purpose=Purpose.PASSWORD_CHANGED).exists(),
        }
        count.violations += len(found) > 1
    return count


def _killed_somewhere(run: Run, number: int, work: Callable[[], object], *, took: float) -> bool:
    """Before each statement in turn, and by the clock, which also hits what lies between: the commit above all."""
    if number % 2:
        return killing.run(work, after=run.rng.uniform(0, took))
    statement = number // 2 % 14 + 1
    return killing.run(lambda: _within(killing.at_statement(statement), work))


def _restart_database(run: Run, server: MailServer, addresses: list[str]) -> Figure | None:
    """The database goes away during sends and redemptions: each is done or refused, and none of them half."""
    from wagtail_member_reset import outbox, resets
    from wagtail_member_reset.models import EmailState, PasswordReset, Purpose, ResetEmail, State

    name = "database restarted during sends and redemptions"
    if connection.vendor != "postgresql":
        return None
    if not RESTART:
        reason = "This run may not restart the database: leave PGHOST unset, so that it starts its own."
        return Figure(name, "not tried", 0, Verdict.INCONCLUSIVE, "none", reason=reason)
    server.plan()
    sent, used = addresses[:RESTARTED_DURING], addresses[RESTARTED_DURING:]
    grants = {address: resets.open(resets.link(resets.send(_account(address), by=None)) or "") for address in used}
    jobs = {address: lambda a=address: resets.send(_account(a), by=None) for address in sent}
    jobs |= {address: lambda a=address: resets.redeem(grants[a], password=NEW_PASSWORD) for address in used}
    done, refused = _during_restart(jobs)
    connections.close_all()
    killing.run(lambda: _an_hour_later(outbox.drain))
    wrong = lost = 0
    for address in addresses:
        links = PasswordReset.objects.filter(member__email=address)
        wrong += links.live().count() > 1
        promises = ResetEmail.objects.filter(member__email=address)
        # The mail with a link that was used before it left is not sent any more.
        wanted = promises.exclude(state=EmailState.SKIPPED) if address in used else promises
        lost += wanted.count() != len(server.taken(address)) or (address in done and not promises.exists())
    for address in used:
        is_used = PasswordReset.objects.filter(member__email=address, state=State.USED).exists()
        has_mail = ResetEmail.objects.filter(member__email=address, purpose=Purpose.PASSWORD_CHANGED).exists()
        is_set = _account(address).check_password(NEW_PASSWORD)
        wrong += len({is_used, has_mail, is_set}) > 1 or (address in done and not is_set)
    is_fine = not (wrong or lost)
    return Figure(
        name=name,
        text=f"{len(done)} done, {len(refused)} refused by the database; {wrong} half done, mails lost {lost}",
        n=len(addresses),
        unit="operations",
        control=f"operations that the restart hit: {len(refused)}",
        verdict=_verdict(is_fine, seen=len(refused)),
        reason="" if is_fine and refused else "See the counts." if refused else "The restart hit none of them.",
        value={"done": len(done), "refused": len(refused), "half_done": wrong, "lost": lost},
    )


def _during_restart(jobs: dict[str, Callable[[], object]]) -> tuple[set[str], set[str]]:
    done: set[str] = set()
    refused: set[str] = set()
    waiting, is_over = list(jobs.items()), threading.Event()

    def work() -> None:
        while waiting:
            if len(waiting) <= len(jobs) // 4 and not is_over.is_set():
                time.sleep(0.1)  # on a slow machine, some must be left for the moment itself
            try:
                address, job = waiting.pop()
            except IndexError:  # another thread was faster
                return
            try:
                job()
                done.add(address)
            except DatabaseError:
                refused.add(address)
            finally:
                connections.close_all()
            time.sleep(0.02)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    while len(waiting) > len(jobs) * 3 // 4:
        time.sleep(0.01)
    subprocess.run(RESTART, shell=True, check=True, cwd="/", stdout=subprocess.DEVNULL)
    is_over.set()
    for thread in threads:
        thread.join()
    return done, refused


def _within(context: AbstractContextManager[Any], work: Callable[[], object]) -> object:
    with context:
        return work()


def _an_hour_later(drain: Callable[[], object]) -> None:
    with time_machine.travel(timezone.now() + timedelta(hours=1)):
        drain()


def _being_sent() -> set[str]:
    from wagtail_member_reset.models import EmailState, ResetEmail

    return set(ResetEmail.objects.filter(state=EmailState.SENDING).values_list("recipient", flat=True))


def _account(address: str) -> Any:
    return get_user_model().objects.get(email=address)
