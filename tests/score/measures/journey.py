"""Whether the target works at all here. One that mails nobody would give nobody away."""

from __future__ import annotations

from collections.abc import Iterator

from django.contrib.auth import get_user_model

from tests.score.figures import Figure, Verdict
from tests.score.measures import Run, measure

TRIES = 5
NEW_PASSWORD = "An entirely new phrase 7"


@measure("journey", order=0)
def journey(run: Run) -> Iterator[Figure]:
    """A member asks, gets a link and sets a password; the same link once more sets none."""
    addresses = [run.people.existing() for _ in range(TRIES)]
    run.people.settle()
    worked = sum(_reset(run, address) for address in addresses)
    refused = sum(_is_refused(run, address) for address in addresses)
    is_fine = worked == refused == TRIES
    yield Figure(
        name="journey: asked, mailed, password set",
        text=f"{worked} of {TRIES}",
        n=TRIES,
        unit="members",
        control=f"used links refused: {refused} of {TRIES}",
        verdict=Verdict.PASS if is_fine else Verdict.FAIL,
        reason="" if is_fine else "The target does not work on this site, so nothing else says anything.",
        value={"worked": worked, "refused": refused},
    )


def _reset(run: Run, address: str) -> bool:
    run.adapter.request(address)
    link = run.adapter.link_to(address)
    if not link:
        return False
    run.adapter.set_password(link, NEW_PASSWORD)
    return _has_password(address, NEW_PASSWORD)


def _is_refused(run: Run, address: str) -> bool:
    run.adapter.set_password(run.adapter.link_to(address), "Another new phrase 8")
    return not _has_password(address, "Another new phrase 8")


def _has_password(address: str, password: str) -> bool:
    return get_user_model().objects.get(email=address).check_password(password)
