"""What is looked up and looked at: the tables as they grow, and the page for everybody in the listing."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.test import Client
from django.urls import reverse

from tests.bench.meter import Meter
from wagtail_member_reset import outbox, resets
from wagtail_member_reset.links import state
from wagtail_member_reset.models import PasswordReset, State
from wagtail_member_reset.standing.status import status

LINKS = 20
ASKED = 200
SWEPT = 20
SHOWN = 50


def tables() -> dict[str, Any]:
    """Median seconds of each look, on rows that are there already."""
    model = get_user_model()
    found = model.objects.filter(username__startswith="member").order_by("pk")
    first, count = found.first().pk, found.count()
    # Each measurement asks for the same, and finds as much of it in the database's memory.
    chosen = random.Random(1).sample(range(count), LINKS + ASKED)
    people = [model.objects.get(pk=first + number) for number in chosen]
    tokens = []
    for member in people[:LINKS]:
        link = resets.link(resets.send(member, by=None))
        assert link
        tokens.append(link.rpartition("/")[2])
        # Opening writes once, when a link is first opened.
        resets.open(tokens[-1])
    outbox.drain()
    return {
        "latest": _median(status, people[LINKS:]),
        "link": _median(resets.open, tokens * (ASKED // LINKS)),
        "sweep": _median(lambda _number: state.sweep(), range(SWEPT)),
        "pass": _median(lambda _number: outbox.drain(), range(SWEPT)),
        "report": _median(_report, [State.USED, State.ACTIVE] * SWEPT),
    }


def _report(state: State) -> None:
    """The first page of a report: the newest links of a state, each with its member."""
    list(PasswordReset.objects.filter(state=state).order_by("-issued_at").select_related("member")[:SHOWN])


def _median(look: Callable[[Any], object], asked: Iterable[Any]) -> float:
    times = []
    for each in asked:
        start = time.perf_counter()
        look(each)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def page(*, action: str) -> dict[str, Any]:
    """The page of a bulk action for all that the listing of users shows."""
    client, model = Client(), get_user_model()
    client.force_login(model.objects.get(username="ana"))
    address = reverse("wagtail_bulk_action", args=[model._meta.app_label, model._meta.model_name, action])
    one = model.objects.filter(username__startswith="member").first().pk
    assert client.get(address, {"id": one}).status_code == 200
    with Meter() as meter:
        answer = client.get(address, {"id": "all", "next": reverse("wagtailusers_users:index")})
    assert answer.status_code == 200
    return meter.as_json(size=len(answer.content))
