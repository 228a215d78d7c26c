"""
Sixteen at once, again and again: what is counted is winners.

Every target: one link, sixteen browsers with sixteen passwords. A link is for one of them; a
second winner has set a password that somebody else believes to be theirs. Of this package, whatever
staff and members can do at the same moment.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections

from tests.score.figures import Figure, Verdict
from tests.score.measures import Run, measure

THREADS = 16
# Enough for the others to be found out.
ROUNDS_OF_OTHERS = 50


@measure("races", order=30)
def races(run: Run) -> Iterator[Figure]:
    rounds = run.rounds if run.target.is_ours else min(run.rounds, ROUNDS_OF_OTHERS)
    redeemers = [run.people.existing() for _ in range(rounds)]
    mixed = [run.people.existing() for _ in range(rounds)]
    run.people.settle()
    yield _redemptions(run, redeemers)
    if run.target.is_ours:
        yield _everything(run, mixed)


def _redemptions(run: Run, addresses: list[str]) -> Figure:
    winners, errors, started = [], 0, 0
    for address in addresses:
        run.adapter.request(address)
    run.adapter.mails()
    for address in addresses:
        link = run.adapter.link_to(address)
        browsers = [run.adapter.another() for _ in range(THREADS)]
        jobs = [browser.fill(link, _password(number)) for number, browser in enumerate(browsers)]
        answers = at_once([job for job in jobs if job])
        started += len(answers)
        redirected = [number for number, answer in enumerate(answers) if _is_done(answer)]
        errors += sum(isinstance(answer, Exception) or answer.status_code >= 500 for answer in answers)
        winners.append(len(redirected))
        account = get_user_model().objects.get(email=address)
        if len(redirected) == 1 and not account.check_password(_password(redirected[0])):
            winners[-1] = 0
    run.adapter.mails()
    violations = sum(count != 1 for count in winners)
    return figure_of(
        "races: sixteen browsers, one link",
        f"{violations} rounds without exactly one winner (most winners: {max(winners)}); {errors} errors",
        rounds=len(addresses),
        wrong=violations + errors,
        is_valid=started == len(addresses) * THREADS,
        value={"violations": violations, "most_winners": max(winners), "errors": errors},
    )


def _everything(run: Run, addresses: list[str]) -> Figure:
    """Sends, new links, redemptions and a cancellation of one member's link, all at once."""
    from wagtail_member_reset import resets
    from wagtail_member_reset.exceptions import MemberResetError
    from wagtail_member_reset.links import state
    from wagtail_member_reset.models import PasswordReset, Purpose, ResetEmail, State

    violations = errors = 0
    for address in addresses:
        member = get_user_model().objects.get(email=address)
        old = resets.send(member, by=None)
        grant = resets.open(resets.link(old) or "")
        redeem = lambda grant=grant: resets.redeem(grant, password=_password(1))  # noqa: E731
        send = lambda member=member: resets.send(member, by=None)  # noqa: E731
        rotate = lambda member=member: resets.rotate(member, by=None)  # noqa: E731
        revoke = lambda pk=old.pk: resets.revoke(PasswordReset.objects.get(pk=pk), by=None)  # noqa: E731
        answers = at_once([redeem, send, rotate, redeem, send, redeem, rotate, revoke] * 2)
        errors += sum(isinstance(answer, Exception) and not isinstance(answer, MemberResetError) for answer in answers)
        redeemed = [a for a in answers[::8] + answers[3::8] + answers[5::8] if isinstance(a, PasswordReset)]
        old.refresh_from_db()
        links = PasswordReset.objects.filter(member=member)
        told = ResetEmail.objects.filter(member=member, purpose=Purpose.PASSWORD_CHANGED).count()
        member.refresh_from_db()
        is_right = (
            links.filter(state=State.ACTIVE).count() <= 1
            and not old.is_live
            and len(redeemed) == told == links.filter(state=State.USED).count() <= 1
            and member.check_password(_password(1)) == bool(redeemed)
        )
        violations += not is_right
    state.sweep()
    run.adapter.mails()
    return figure_of(
        "races: send, new link, set password, cancel",
        f"{violations} rounds with two live links, two winners or an old link alive; {errors} errors",
        rounds=len(addresses),
        wrong=violations + errors,
        is_valid=True,
        value={"violations": violations, "errors": errors},
    )


def figure_of(name: str, text: str, *, rounds: int, wrong: int, is_valid: bool, value: dict[str, Any]) -> Figure:
    if not is_valid:
        verdict, reason = Verdict.INCONCLUSIVE, "Not every thread had a form to send off."
    else:
        verdict, reason = (Verdict.FAIL, "See the counts.") if wrong else (Verdict.PASS, "")
    return Figure(
        name=name,
        text=text,
        n=rounds,
        unit=f"rounds of {THREADS} threads",
        control="all threads wait for one starting shot; each had its own browser and connection",
        verdict=verdict,
        reason=reason,
        value=value,
    )


def at_once(jobs: list[Callable[[], Any]]) -> list[Any]:
    """Run the jobs from one starting shot; their answers, or the exceptions that ended them, in order."""
    if not jobs:
        return []
    barrier, answers = threading.Barrier(len(jobs)), [None] * len(jobs)

    def work(index: int, job: Callable[[], Any]) -> None:
        try:
            barrier.wait()
            answers[index] = job()
        except Exception as error:
            answers[index] = error  # type: ignore[call-overload]
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=item) for item in enumerate(jobs)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def _is_done(answer: Any) -> bool:
    return not isinstance(answer, Exception) and 300 <= answer.status_code < 400


def _password(number: int) -> str:
    return f"An entirely new phrase {number}"
