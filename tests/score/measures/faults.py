"""
What happens to a member's mail when something else fails.

One member asks while the fault lasts, then it ends and an hour passes, as for a site whose
cron job runs. Survived means: the answer was an ordinary page, and the mail arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import time_machine
from django.contrib.auth import get_user_model
from django.core.cache.backends.locmem import LocMemCache
from django.test import override_settings
from django.utils import timezone

from tests.score import mailserver
from tests.score.figures import Figure, Verdict
from tests.score.mailserver import MailServer
from tests.score.measures import Run, measure

TIMEOUT_SECONDS = 1
LATER = ["421 4.3.2", "450 4.2.0", "451 4.3.0", "452 4.2.2"]
NEVER = ["550 5.1.1", "552 5.2.2", "553 5.1.3", "554 5.7.1"]
VERBS = ["MAIL", "RCPT", "DATA"]
NEW_PASSWORD = "An entirely new phrase 7"


@dataclass(frozen=True)
class Fault:
    name: str
    plan: dict[str, Any] = field(default_factory=dict)
    """What the mail server does while it lasts."""
    site: Callable[[], AbstractContextManager[Any]] = nullcontext
    """What else is wrong on the site while it lasts."""
    is_final: bool = False
    """The server refused for good: then nothing should arrive, and nobody else's mail should suffer."""
    doubles: bool = False
    """The server took it and said nothing: once more is right, since nobody can know."""


@dataclass(frozen=True)
class Outcome:
    fault: str
    lost: int = 0
    doubled: int = 0
    error_page: bool = False

    @property
    def is_survived(self) -> bool:
        return not (self.lost or self.doubled or self.error_page)


class BrokenCache(LocMemCache):
    def _broken(self, *args: Any, **kwargs: Any) -> Any:
        raise ConnectionError("the cache is away")

    get = set = add = delete = incr = touch = has_key = get_many = set_many = _broken


@contextmanager
def cache_down() -> Iterator[None]:
    caches = {"default": {"BACKEND": f"{__name__}.BrokenCache"}}
    with override_settings(CACHES=caches):
        yield


CONTROL = Fault("no fault")
FAULTS = [
    Fault("mail server hangs up at once", {"refuses": True}),
    Fault("mail server falls silent", {"hangs": True}),
    Fault("mail server takes the mail and drops the line", {"drops_after_data": True}, doubles=True),
    *(Fault(f"{answer[:3]} to {verb}", {"answers": {verb: f"{answer} later"}}) for verb in VERBS for answer in LATER),
    *(
        Fault(f"{answer[:3]} to {verb}", {"answers": {verb: f"{answer} no"}}, is_final=True)
        for verb in VERBS
        for answer in NEVER
    ),
    Fault("cache down", site=cache_down),
]


@measure("faults", order=40)
def faults(run: Run) -> Iterator[Figure]:
    people = {fault.name: (run.people.existing(), run.people.existing()) for fault in [CONTROL, *FAULTS]}
    jumps = [run.people.existing() for _ in range(3)]
    run.people.settle()
    with mailserver.running() as server, override_settings(**mail_settings(server)):
        control = _outcome(run, server, CONTROL, *people[CONTROL.name])
        outcomes = [_outcome(run, server, fault, *people[fault.name]) for fault in FAULTS]
        outcomes.append(_clock_jumps(run, server, *jumps))
    yield figure_of(outcomes, control=control)


def mail_settings(server: MailServer) -> dict[str, Any]:
    return {
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": "127.0.0.1",
        "EMAIL_PORT": server.port,
        "EMAIL_TIMEOUT": TIMEOUT_SECONDS,
    }


def figure_of(outcomes: list[Outcome], *, control: Outcome) -> Figure:
    lost, doubled = sum(one.lost for one in outcomes), sum(one.doubled for one in outcomes)
    pages = sum(one.error_page for one in outcomes)
    survived = [one for one in outcomes if one.is_survived]
    fallen = [one.fault for one in outcomes if not one.is_survived]
    if not control.is_survived:
        verdict, reason = Verdict.INCONCLUSIVE, "Even without a fault, the mail did not arrive."
    elif fallen:
        verdict, reason = Verdict.FAIL, "Not survived: " + "; ".join(fallen)
    else:
        verdict, reason = Verdict.PASS, ""
    return Figure(
        name="faults: survived",
        text=f"{len(survived)} of {len(outcomes)}; mails lost {lost}, doubled {doubled}; error pages {pages}",
        n=len(outcomes),
        unit="faults",
        control=f"the same without a fault: {'survived' if control.is_survived else 'not survived'}",
        verdict=verdict,
        reason=reason,
        value={"survived": len(survived), "lost": lost, "doubled": doubled, "error_pages": pages, "fallen": fallen},
    )


def _outcome(run: Run, server: MailServer, fault: Fault, address: str, other: str) -> Outcome:
    adapter = run.adapter
    plan = {**fault.plan, "only_for": address} if fault.is_final and "MAIL" not in str(fault.plan) else fault.plan
    server.plan(**plan)
    with fault.site():
        pages = [adapter.request(address).status_code]
        adapter.mails()
        if fault.is_final and plan.get("only_for"):
            # Refused for one of them: the next one's mail must not suffer.
            pages.append(adapter.request(other).status_code)
            adapter.mails()
    server.plan()
    adapter.an_hour_later()
    if fault.is_final:
        wanted = [other] if plan.get("only_for") else []
        unwanted = len(server.taken(address))
    else:
        wanted, unwanted = [address], 0
    counts = [len(server.taken(to)) for to in wanted]
    most = 2 if fault.doubles else 1
    return Outcome(
        fault.name,
        lost=counts.count(0),
        doubled=sum(max(count - most, 0) for count in counts) + unwanted,
        error_page=any(status >= 400 for status in pages),
    )


def _clock_jumps(run: Run, server: MailServer, *addresses: str) -> Outcome:
    """A link dies by the clock of the moment, and neither a jump ahead nor one back brings it to life again."""
    server.plan()
    for address in addresses:
        run.adapter.request(address)
        run.adapter.mails()
    links = [_link(run, server, address) for address in addresses]
    now, wrong = timezone.now(), 0
    for address, link, moved, works in zip(
        addresses, links, [timedelta(days=30), timedelta(days=-1), timedelta(days=1)], [False, True, True], strict=True
    ):
        with time_machine.travel(now + moved):
            run.adapter.set_password(link, NEW_PASSWORD)
        account = get_user_model().objects.get(email=address)
        wrong += account.check_password(NEW_PASSWORD) != works
    return Outcome("clock jumps", lost=wrong)


def _link(run: Run, server: MailServer, address: str) -> str:
    taken = server.taken(address)
    return next((link for mail in taken for link in mail.links if run.target.link_part in link), "")
