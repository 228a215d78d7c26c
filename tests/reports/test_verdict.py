"""What became of a mail depends on what was reported, and not on when or how often."""

import itertools
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wagtail_member_reset.models import DeliveryEvent, EmailState, ResetEmail, SkipReason
from wagtail_member_reset.reports.verdict import Cause, Outcome, Verdict, bounce_cause, verdict_on
from wagtail_member_reset.staff.wording import TEXTS, words

NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
TYPES = [
    "queued",
    "sent",
    "deferred",
    "delivered",
    "bounced",
    "rejected",
    "failed",
    "complained",
    "unsubscribed",
    "opened",
    "clicked",
    "autoresponded",
    "subscribed",
    "unknown",
]
REASONS = ["", "invalid", "bounced", "timed_out", "blocked", "spam", "unsubscribed", "other"]
ANSWERS = ["", "550 5.1.1 unknown", "552 5.2.2 full", "550 5.7.1 spam", "550 refused", "451 4.7.1 later"]
HANDED_OVER = {"state": EmailState.HANDED_OVER, "attempts": 1, "handed_over_at": NOON}
SKIPPED = {"state": EmailState.SKIPPED}


def mail(**fields):
    return ResetEmail(**{"purpose": "reset", "created_at": NOON, "next_attempt_at": NOON, **fields})


def event(kind, reason="", answer="", minutes=0):
    return DeliveryEvent(
        event_type=kind, reject_reason=reason, mta_response=answer, happened_at=NOON + timedelta(minutes=minutes)
    )


def said(email, events, *, reports=True):
    found = verdict_on(email, events, reports=reports)
    return found.outcome, found.cause


events = st.builds(
    event,
    st.sampled_from(TYPES),
    st.sampled_from(REASONS),
    st.sampled_from(ANSWERS),
    st.integers(min_value=0, max_value=3),
)


@settings(max_examples=4, deadline=None)
@given(st.lists(events, min_size=6, max_size=6), st.data())
@pytest.mark.slow
def test_order_and_repetition_of_six_reports_change_nothing(six, data):
    email = mail(**HANDED_OVER, result_code="sent")
    verdicts = {verdict_on(email, order, reports=True) for order in itertools.permutations(six)}
    doubled = data.draw(st.permutations(six + data.draw(st.lists(st.sampled_from(six), max_size=6))))

    assert len(verdicts) == 1
    assert verdict_on(email, doubled, reports=True) in verdicts


@pytest.mark.parametrize(
    ("kinds", "outcome"),
    [
        (["delivered", "queued"], Outcome.DELIVERED),
        (["delivered", "sent", "deferred"], Outcome.DELIVERED),
        (["sent", "deferred"], Outcome.DELAYED),
        (["delivered", "bounced"], Outcome.BOUNCED),
        (["delivered", "complained"], Outcome.COMPLAINED),
        (["bounced", "complained"], Outcome.COMPLAINED),
        (["failed", "delivered"], Outcome.DELIVERED),
        (["rejected", "delivered"], Outcome.DELIVERED),
        (["queued"], Outcome.SENT),
    ],
)
def test_the_most_that_is_known_speaks(kinds, outcome):
    assert said(mail(**HANDED_OVER, result_code="sent"), [event(kind) for kind in kinds])[0] == outcome


@pytest.mark.parametrize("kind", ["opened", "clicked", "autoresponded", "subscribed", "unknown", "nonsense"])
@pytest.mark.parametrize("known", [[], ["delivered"], ["bounced"]])
def test_note_decides_nothing(kind, known):
    email = mail(**HANDED_OVER, result_code="sent")
    before = [event(name) for name in known]

    assert said(email, [*before, event(kind)]) == said(email, before)


def test_more_telling_cause_speaks_for_two_bounces():
    both = [event("bounced", "bounced", "550 refused"), event("bounced", "", "550 5.1.1 unknown")]

    assert said(mail(**HANDED_OVER), both) == (Outcome.BOUNCED, Cause.NO_SUCH_MAILBOX)


@pytest.mark.parametrize(
    ("fields", "reports", "expected"),
    [
        ({}, True, (Outcome.PREPARING, Cause.NONE)),
        ({"state": EmailState.SENDING, "attempts": 1}, True, (Outcome.PREPARING, Cause.NONE)),
        ({"attempts": 1, "result_code": "no_answer"}, True, (Outcome.RETRYING, Cause.NO_ANSWER)),
        ({"attempts": 1, "result_code": "smtp_451"}, True, (Outcome.RETRYING, Cause.ASKED_LATER)),
        ({**HANDED_OVER, "result_code": "queued"}, True, (Outcome.ACCEPTED, Cause.NONE)),
        ({**HANDED_OVER, "result_code": "sent"}, True, (Outcome.SENT, Cause.NONE)),
        ({**HANDED_OVER, "result_code": "unknown"}, True, (Outcome.HANDED_OVER, Cause.NONE)),
        ({**HANDED_OVER, "result_code": "queued"}, False, (Outcome.LAST_STEP, Cause.NONE)),
        ({**HANDED_OVER, "result_code": "unknown"}, False, (Outcome.LAST_STEP, Cause.NONE)),
        (
            {"state": EmailState.SKIPPED, "skip_reason": SkipReason.WINDOW_CLOSED},
            True,
            (Outcome.SKIPPED, Cause.WINDOW_CLOSED),
        ),
        ({"state": EmailState.SKIPPED, "skip_reason": SkipReason.LINK_CLOSED}, True, (Outcome.SKIPPED, Cause.CHANGED)),
        ({"state": EmailState.FAILED, "result_code": "invalid"}, True, (Outcome.NOT_SENT, Cause.INVALID)),
        ({"state": EmailState.FAILED, "result_code": "rejected"}, True, (Outcome.NOT_SENT, Cause.NONE)),
        ({"state": EmailState.FAILED, "result_code": "refused"}, True, (Outcome.NOT_SENT, Cause.NONE)),
        ({"state": EmailState.FAILED, "result_code": "failed"}, True, (Outcome.FAILED, Cause.NONE)),
        ({"state": EmailState.FAILED, "result_code": "login_refused"}, True, (Outcome.FAILED, Cause.LOGIN_REFUSED)),
        ({"state": EmailState.FAILED, "result_code": "configuration"}, True, (Outcome.FAILED, Cause.CONFIGURATION)),
        ({"state": EmailState.FAILED, "result_code": "no_answer"}, True, (Outcome.FAILED, Cause.NO_ANSWER)),
        ({"state": EmailState.FAILED, "result_code": "http_503"}, True, (Outcome.FAILED, Cause.NO_ANSWER)),
        ({"state": EmailState.FAILED, "result_code": "http_400"}, True, (Outcome.FAILED, Cause.NONE)),
        ({"state": EmailState.FAILED, "result_code": "smtp_550"}, True, (Outcome.BOUNCED, Cause.NONE)),
        ({"state": EmailState.FAILED, "result_code": "smtp_552"}, True, (Outcome.BOUNCED, Cause.MAILBOX_FULL)),
        ({"state": EmailState.FAILED, "result_code": "smtp_450"}, True, (Outcome.BOUNCED, Cause.GAVE_UP)),
        (
            {"state": EmailState.FAILED, "result_code": "smtp_550", "result_text": "5.1.1 no such user"},
            True,
            (Outcome.BOUNCED, Cause.NO_SUCH_MAILBOX),
        ),
    ],
)
def test_row_alone_says_where_the_mail_stands(time_machine, fields, reports, expected):
    time_machine.move_to(NOON)

    assert said(mail(**fields), [], reports=reports) == expected


def test_mail_that_nobody_fetches_is_overdue(time_machine):
    time_machine.move_to(NOON + timedelta(minutes=6))

    assert said(mail(), [])[0] == Outcome.OVERDUE


@pytest.mark.parametrize("state", [EmailState.SENDING, EmailState.QUEUED, EmailState.FAILED])
def test_report_that_overtakes_our_own_record_counts(state):
    assert said(mail(state=state, attempts=1, result_code="no_answer"), [event("delivered")])[0] == Outcome.DELIVERED


# As mail servers put it: Gmail, Exchange, Outlook, Yahoo, web.de, Postfix, Exim, Amazon.
SERVERS = [
    ("550-5.1.1 The email account that you tried to reach does not exist. 550 5.1.1 Please try", Cause.NO_SUCH_MAILBOX),
    ("550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup", Cause.NO_SUCH_MAILBOX),
    ("smtp; 550 5.1.2 Host or domain name not found", Cause.NO_SUCH_MAILBOX),
    ("554 5.1.8 <office@club.example>: Sender address rejected: Domain not found", Cause.UNWANTED),
    ("553 5.1.7 The sender's address was syntactically invalid", Cause.UNWANTED),
    ("552-5.2.2 The email account that you tried to reach is over quota", Cause.MAILBOX_FULL),
    ("452 4.2.2 The email account that you tried to reach is over quota", Cause.MAILBOX_FULL),
    ("552 Requested mail action aborted: exceeded storage allocation", Cause.MAILBOX_FULL),
    (
        "552 5.7.0 This message was blocked because its content presents a potential security issue",
        Cause.UNWANTED_CONTENT,
    ),
    ("550-5.7.26 This mail is unauthenticated, which poses a security risk", Cause.UNWANTED),
    ("550 5.7.1 Service unavailable, Client host [203.0.113.5] blocked using Spamhaus", Cause.UNWANTED),
    ("554 5.7.9 Message not accepted for policy reasons", Cause.UNWANTED),
    ("Transient: MailboxFull", Cause.MAILBOX_FULL),
    ("a bounce message because the recipient's inbox was full", Cause.MAILBOX_FULL),
    ("550 5.4.1 Recipient address rejected: Access denied", Cause.NO_SUCH_MAILBOX),
    ("550 Requested action not taken: mailbox unavailable", Cause.NO_SUCH_MAILBOX),
    ("host 5.1.1.1 said: 550 no", Cause.NONE),
    ("host mx.example[198.51.100.2] said no", Cause.NONE),
    ("Exim 4.96.2 refused", Cause.NONE),
    ("250 2.0.0 OK", Cause.NONE),
    ("", Cause.NONE),
    ("Postfach voll", Cause.MAILBOX_FULL),
]


@pytest.mark.parametrize(("answer", "cause"), SERVERS)
def test_answers_of_mail_servers_are_understood(answer, cause):
    assert bounce_cause(answer) == cause


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("cause", Cause)
def test_every_verdict_has_a_sentence_without_a_gap(outcome, cause):
    found = words(Verdict(outcome=outcome, cause=cause, at=NOON), name="Mia")

    assert found.badge
    assert found.text.endswith(".")
    assert "%(" not in found.text
    assert (outcome, Cause.NONE) in TEXTS


def test_email_of_a_mailing_that_was_stopped_says_so():
    email = ResetEmail(state=EmailState.SKIPPED, skip_reason=SkipReason.STOPPED)

    assert verdict_on(email, [], reports=False).cause == Cause.STOPPED
