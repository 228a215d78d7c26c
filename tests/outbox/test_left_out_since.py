"""An email of a mailing that waits while something is learned for which mailings leave its member out."""

from datetime import timedelta
from smtplib import SMTPRecipientsRefused

import pytest
from django.core.mail.backends.locmem import EmailBackend
from django.utils import timezone

from wagtail_member_reset import bad_addresses, do_not_email, mailings, outbox, resets
from wagtail_member_reset.mailing.choose import Choice, Kind
from wagtail_member_reset.models import (
    BadVerdict,
    DoNotEmailReason,
    EmailState,
    Mailing,
    PasswordReset,
    ResetEmail,
    SkipReason,
    State,
)
from wagtail_member_reset.reports import Cause, Outcome

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("one_connection")]


def refuse(backend, mails):
    raise ConnectionRefusedError


def greylist(backend, mails):
    """Certainly nobody has the email."""
    raise SMTPRecipientsRefused({mails[0].to[0]: (451, b"4.7.1 Greylisted, try again later")})


def waiting(member, monkeypatch, *, refuse=refuse, **details):
    """A mailing whose only email could not leave at first."""
    mailing = mailings.draft(Choice(kind=Kind.IDS, ids=(member.pk,)), by=None, **details)
    mailings.start(mailing, wake=False)
    with monkeypatch.context() as away:
        away.setattr(EmailBackend, "send_messages", refuse)
        outbox.drain()
    assert ResetEmail.objects.get(mailing=mailing).state == EmailState.QUEUED
    return mailing


def tried_again(mailing):
    Mailing.objects.update(held_until=None)
    ResetEmail.objects.filter(mailing=mailing).update(next_attempt_at=timezone.now() - timedelta(days=1))
    outbox.drain()
    mailing.refresh_from_db()
    return mailing


def note(member):
    do_not_email.note(member, reason=DoNotEmailReason.DECEASED, by=None)


LEARNED = {
    SkipReason.DO_NOT_EMAIL: note,
    SkipReason.COMPLAINED: lambda member: bad_addresses.remember(member.email, BadVerdict.COMPLAINT),
    SkipReason.NO_SUCH_ADDRESS: lambda member: bad_addresses.remember(member.email, BadVerdict.HARD_BOUNCE),
}


@pytest.mark.parametrize("reason", LEARNED, ids=str)
def test_email_that_waits_does_not_leave_once_mailings_would_leave_its_member_out(
    member, mailoutbox, monkeypatch, reason
):
    mailing = waiting(member, monkeypatch)
    LEARNED[reason](member)

    tried_again(mailing)

    assert (mailoutbox, ResetEmail.objects.get().skip_reason) == ([], reason)
    assert (mailing.state, mailing.skipped, mailing.waiting) == ("finished", 1, 0)
    assert mailings.progress(mailing).skips == {reason: 1}
    verdict = resets.status(member).verdict
    assert (verdict.outcome, verdict.cause) == (Outcome.SKIPPED, Cause.LEFT_OUT)


@pytest.mark.parametrize("reason", LEARNED, ids=str)
def test_link_of_an_email_that_never_leaves_ends_since_nobody_has_it(member, monkeypatch, reason):
    mailing = waiting(member, monkeypatch, refuse=greylist)
    LEARNED[reason](member)

    tried_again(mailing)

    reset = PasswordReset.objects.get()
    assert (reset.state, reset.active_for_id) == (State.REVOKED, None)


def test_link_that_staff_have_seen_works_though_its_email_never_leaves(member, monkeypatch):
    mailing = waiting(member, monkeypatch, refuse=greylist)
    PasswordReset.objects.update(shown_at=timezone.now())
    note(member)

    tried_again(mailing)

    assert (PasswordReset.objects.get().is_live, ResetEmail.objects.get().state) == (True, EmailState.SKIPPED)


def test_link_works_where_its_email_may_have_arrived(member, monkeypatch):
    mailing = waiting(member, monkeypatch)
    note(member)

    tried_again(mailing)

    assert (PasswordReset.objects.get().is_live, ResetEmail.objects.get().state) == (True, EmailState.SKIPPED)


def test_link_that_another_email_is_to_bring_works_though_this_one_never_leaves(
    member, office, mailoutbox, monkeypatch
):
    with monkeypatch.context() as away:
        away.setattr(EmailBackend, "send_messages", greylist)
        resets.send(member, by=office)
        outbox.drain()
    mailing = waiting(member, monkeypatch, refuse=greylist, again=True)
    note(member)

    tried_again(mailing)
    ResetEmail.objects.filter(mailing=None).update(next_attempt_at=timezone.now() - timedelta(days=1))
    outbox.drain()

    assert (PasswordReset.objects.get().is_live, len(mailoutbox), mailing.skipped) == (True, 1, 1)


def test_email_of_a_paused_mailing_that_goes_on_does_not_leave_either(member, mailoutbox, monkeypatch):
    mailing = waiting(member, monkeypatch)
    mailings.pause(mailing)
    note(member)
    mailings.go_on(mailing, wake=False)

    tried_again(mailing)

    assert (mailoutbox, mailing.skipped) == ([], 1)


def test_address_that_staff_have_included_is_tried_again(member, mailoutbox, monkeypatch):
    mailing = waiting(member, monkeypatch, included={"members": [str(member.pk)]})
    bad_addresses.remember(member.email, BadVerdict.HARD_BOUNCE)

    tried_again(mailing)

    assert (len(mailoutbox), mailing.handed_over) == (1, 1)


def test_last_email_within_the_limit_of_an_account_is_tried_again(member, mailoutbox, monkeypatch, settings):
    settings.WAGTAIL_MEMBER_RESET_STAFF_LIMITS = {"account": "1/d"}
    mailing = waiting(member, monkeypatch)

    tried_again(mailing)

    assert (len(mailoutbox), mailing.handed_over) == (1, 1)


def test_single_email_that_waits_leaves_all_the_same(member, office, mailoutbox, monkeypatch):
    with monkeypatch.context() as away:
        away.setattr(EmailBackend, "send_messages", refuse)
        resets.send(member, by=office)
        outbox.drain()
    note(member)
    bad_addresses.remember(member.email, BadVerdict.COMPLAINT)
    ResetEmail.objects.update(next_attempt_at=timezone.now() - timedelta(days=1))

    outbox.drain()

    assert len(mailoutbox) == 1
