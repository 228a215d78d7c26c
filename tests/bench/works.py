"""
What contestants do, each in a process and a database of its own. Each hands back what it cost.

All warm up with a few members first, so that imports and compiled templates are nobody's cost.
"""

from __future__ import annotations

import multiprocessing
import secrets
import time
from collections.abc import Callable
from typing import Any

from allauth.account.forms import ResetPasswordForm
from allauth.core import context
from django.contrib.auth import get_user_model
from django.contrib.auth.forms import PasswordResetForm
from django.core.mail import EmailMultiAlternatives
from django.db import connections
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.test import RequestFactory
from django.utils import timezone

from tests.bench import letters
from tests.bench.filling import WARM
from tests.bench.meter import Meter
from tests.bench.models import PlainReset
from wagtail_member_reset import mailings
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import Mailing, MailingState

EVERYBODY = Choice(kind=Kind.NEVER_SIGNED_IN)
Costs = dict[str, Any]


def run(*, count: int) -> Costs:
    """Ours, with whatever mail backend the settings name: a mailing to everybody who never signed in."""
    _warm_up()
    mailing = mailings.draft(EVERYBODY, by=None)
    with Meter() as meter:
        before = time.process_time()
        mailings.start(mailing, wake=False)
        enqueue, chunks = time.process_time() - before, mailing.chunks.count()
        _sent(mailing)
    if (mailing.state, mailing.handed_over) != (MailingState.FINISHED, count):
        raise RuntimeError(f"The mailing is {mailing.state}, with {mailing.handed_over} of {count} mails handed over.")
    # The question for the chunks is ours.
    meter.statements -= 1
    return meter.as_json(enqueue=enqueue, chunks=chunks)


def workers(*, count: int, processes: int) -> Costs:
    """Ours, by so many processes that take chunks of one mailing."""
    _warm_up()
    mailing = _started(EVERYBODY)
    connections.close_all()
    # The settings of the moment go along, which a process started anew would not have.
    forked = multiprocessing.get_context("fork")
    gate = forked.Barrier(processes + 1)
    crew = [forked.Process(target=_work, args=(gate, mailing.pk)) for _ in range(processes)]
    for each in crew:
        each.start()
    gate.wait()
    start = time.perf_counter()
    for each in crew:
        each.join()
    wall = time.perf_counter() - start
    mailing.refresh_from_db()
    if mailing.handed_over != count:
        raise RuntimeError(f"{mailing.handed_over} of {count} mails were handed over.")
    return {"wall": wall}


def _work(gate: Any, pk: int) -> None:
    mailing = Mailing.objects.get(pk=pk)
    gate.wait()
    _sent(mailing)


def _warm_up() -> None:
    """Mail the few who are there for it, and have them sign in, so that they are none of everybody."""
    warm = get_user_model().objects.filter(username__startswith="warm")
    _sent(_started(Choice(kind=Kind.IDS, ids=tuple(warm.values_list("pk", flat=True)))))
    warm.update(last_login=timezone.now())


def _started(choice: Choice) -> Mailing:
    mailing = mailings.draft(choice, by=None)
    mailings.start(mailing, wake=False)
    return mailing


def _sent(mailing: Mailing) -> None:
    for was_busy in mailings.work(mailing):
        if not was_busy:
            time.sleep(0.01)


def django_form(*, count: int) -> Costs:
    """`PasswordResetForm` for one address after the other, as people are told to do."""
    subject, text, html = letters.OTHERS["django"][0]

    def send(address: str) -> None:
        form = PasswordResetForm({"email": address})
        assert form.is_valid()
        form.save(
            domain_override="club.example",
            use_https=True,
            subject_template_name=subject,
            email_template_name=text,
            html_email_template_name=html,
        )

    return _each(send, _members(count).values_list("email", flat=True))


def allauth_form(*, count: int) -> Costs:
    request = RequestFactory().post("/allauth/password/reset/", secure=True, headers={"host": "club.example"})

    def send(address: str) -> None:
        form = ResetPasswordForm({"email": address})
        assert form.is_valid()
        form.save(request)

    with context.request_context(request):
        return _each(send, _members(count).values_list("email", flat=True))


def loop(*, count: int) -> Costs:
    """What a site writes by itself: a row, three templates, a mail, and the row once more."""
    templates = letters.OTHERS["loop"][0]

    def send(member: Any) -> None:
        row = PlainReset.objects.create(user=member, token=secrets.token_urlsafe(32))
        values = {"first_name": member.first_name, "link": f"https://club.example/account/{row.token}/"}
        subject, text, html = (render_to_string(template, values) for template in templates)
        message = EmailMultiAlternatives(subject, text, None, [member.email])
        message.attach_alternative(html, "text/html")
        message.send()
        row.sent_at = timezone.now()
        row.save()

    return _each(send, _members(count))


def _members(count: int) -> QuerySet[Any]:
    return get_user_model().objects.filter(username__startswith="member").order_by("pk")[:count]


def _each(send: Callable[[Any], None], whom: QuerySet[Any]) -> Costs:
    for one in list(whom[:WARM]):
        send(one)
    with Meter() as meter:
        for one in whom:
            send(one)
    return meter.as_json()
