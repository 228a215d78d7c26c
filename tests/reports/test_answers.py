"""Whose refusal it is: what servers said to people elsewhere, and what it has to come to."""

import csv
import smtplib
from datetime import datetime, timezone
from pathlib import Path

import pytest
from anymail.signals import EventType, RejectReason
from django.conf import settings as site
from hypothesis import given
from hypothesis import strategies as st

from wagtail_member_reset.models import DeliveryEvent, EmailState, ResetEmail
from wagtail_member_reset.outbox import failures
from wagtail_member_reset.reports.answer_words import PHRASES, Says
from wagtail_member_reset.reports.answers import LONGEST_READ, Stage, Whose, read
from wagtail_member_reset.reports.causes import NEEDS_MENDING, Cause
from wagtail_member_reset.reports.verdict import Outcome, of_event, verdict_on
from wagtail_member_reset.staff.wording import BADGES, TEXTS, text_of, words

from .moves import MOVES, Move, move_of

HANDED_LINES = (Path(__file__).parent / "answers.tsv").read_text().splitlines()
HANDED = list(csv.DictReader(HANDED_LINES, delimiter="\t", quoting=csv.QUOTE_NONE))
NOON = datetime(2026, 11, 23, 12, tzinfo=timezone.utc)
STAGES = {stage.value: stage for stage in Stage}
MEND, LATER, MEMBER = Whose.MEND, Whose.LATER, Whose.MEMBER

# Stage, answer, whose, cause. The first ones are those of `answers.tsv`, in its order.
RIGHT = [
    ("mail", "550 Unauthenticated senders not allowed", MEND, Cause.LOGIN_REFUSED),
    ("mail", "530 5.7.57 Client not authenticated to send mail", MEND, Cause.LOGIN_REFUSED),
    (
        "mail",
        "554 Message rejected: Email address is not verified. The following identities failed the check",
        MEND,
        Cause.SENDER_REFUSED,
    ),
    (
        "mail",
        "552 5.7.0 the from address and the authenticated user must be the same email",
        MEND,
        Cause.SENDER_REFUSED,
    ),
    ("data", "554 5.2.0 SubmissionQuotaExceededException; message quota exceeded", LATER, Cause.LIMIT),
    ("rcpt", "454 4.7.0 Throttling failure: Daily message quota exceeded", LATER, Cause.LIMIT),
    ("rcpt", "421 4.7.0 Too many login attempts, please try again later", LATER, Cause.LIMIT),
    ("bounce", "550 5.4.1 Recipient address rejected: Access denied.", MEMBER, Cause.NO_SUCH_MAILBOX),
    ("bounce", "554 5.7.1 <mia@old.example>: Relay access denied", MEMBER, Cause.NO_SUCH_MAILBOX),
    (
        "bounce",
        "550 5.7.1 <mia@x.example>: Recipient address rejected: User unknown in local table",
        MEMBER,
        Cause.NO_SUCH_MAILBOX,
    ),
    ("bounce", "550 5.7.54 SMTP; Unable to relay recipient in non-accepted domain", MEMBER, Cause.NO_SUCH_MAILBOX),
    ("bounce", "550 5.7.133 SenderNotAuthenticatedForGroup", MEMBER, Cause.INSIDERS_ONLY),
    ("bounce", "550 5.1.10 RESOLVER.ADR.RecipientNotFound", MEMBER, Cause.NO_SUCH_MAILBOX),
    ("bounce", "554 delivery error: dd This user doesn't have an account here", MEMBER, Cause.NO_SUCH_MAILBOX),
    ("bounce", "550 5.5.0 Requested action not taken: mailbox unavailable", MEMBER, Cause.NO_SUCH_MAILBOX),
    ("bounce", "smtp; 550 #5.1.0 Address rejected.", MEMBER, Cause.NO_SUCH_MAILBOX),
    ("bounce", "smtp; 5.4.4 (unable to route: no mail hosts for domain)", MEMBER, Cause.NO_SUCH_MAILBOX),
    ("bounce", "554 5.4.7 Message expired, delivery timeout", MEMBER, Cause.GAVE_UP),
    ("bounce", "550 5.7.1 mailbox full, try later", MEMBER, Cause.MAILBOX_FULL),
    ("bounce", "554 5.2.2 mailbox full", MEMBER, Cause.MAILBOX_FULL),
    ("bounce", "550 5.1.0 <office@club.example> sender rejected", MEMBER, Cause.UNWANTED),
    ("bounce", "550 SPF check failed", MEMBER, Cause.UNWANTED),
    (
        "bounce",
        "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using bl.example",
        MEMBER,
        Cause.UNWANTED,
    ),
    (
        "bounce",
        "552-5.7.0 This message was blocked because its content presents a potential security issue",
        MEMBER,
        Cause.UNWANTED_CONTENT,
    ),
]
# As people reported them of Gmail, Microsoft 365, Yahoo, Postfix, Exim, qmail, sendmail, hosting companies, Amazon …
FURTHER = [
    # of the members' servers in other languages, and of their own quotas
    *(
        ("bounce", answer, MEMBER, cause)
        for cause, answer in (
            (
                Cause.MAILBOX_FULL,
                "452 4.2.2 The email account that you tried to reach is over its daily quota",
            ),
            (Cause.MAILBOX_FULL, "550 5.2.0 STOREDRV.Deliver: MapiExceptionJetErrorDiskFull"),
            (Cause.MAILBOX_FULL, "552 Kontingent des Postfachs überschritten"),
            (Cause.UNWANTED, "550 5.2.0 Mail rejete. Mail rejected. ofr_506 [506]"),
            (Cause.UNWANTED, "550 5.5.0 Service refuse. Veuillez essayer plus tard. OFR_506"),
            (Cause.NO_SUCH_MAILBOX, "550 De mailbox bestaat niet"),
            (Cause.NO_SUCH_MAILBOX, "550 Gebruiker onbekend"),
            (Cause.NO_SUCH_MAILBOX, "550 Adresse inconnue"),
            (Cause.NO_SUCH_MAILBOX, "550 Boîte aux lettres inactive"),
            (Cause.NO_SUCH_MAILBOX, "550 Cette adresse n'existe pas"),
            (Cause.NO_SUCH_MAILBOX, "550 Compte désactivé"),
            (Cause.NO_SUCH_MAILBOX, "550 Konto deaktiviert"),
            (Cause.NO_SUCH_MAILBOX, "550 This address has been retired"),
            (Cause.NO_SUCH_MAILBOX, "550 The person you tried to reach has left the company"),
            (Cause.INSIDERS_ONLY, "550 The recipient's mailbox is not accepting messages from unknown senders"),
            (Cause.GAVE_UP, "554 5.0.0 MX list for x.example points back to relay.example"),
        )
    ),
    # our own server, before it has heard of the member
    (
        "connect",
        "554 5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.example",
        MEND,
        "configuration",
    ),
    ("connect", "554 mx.example ESMTP not accepting messages", MEND, "configuration"),
    ("connect", "421 4.7.0 too many concurrent SMTP connections", LATER, "limit"),
    ("connect", "421 4.3.2 Service not available, closing transmission channel", LATER, "busy"),
    ("login", "535 5.7.8 Username and Password not accepted", MEND, "login_refused"),
    ("login", "534-5.7.9 Application-specific password required", MEND, "login_refused"),
    ("login", "535 5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled", MEND, "login_refused"),
    ("login", "454 4.7.0 Temporary authentication failure", LATER, "busy"),
    ("login", "421 4.7.0 try again later", LATER, "busy"),
    ("login", "535 5.7.0 too many failed login attempts", LATER, "limit"),
    ("login", "451 Authentication failed: Maximum credits exceeded", LATER, "limit"),
    ("login", "535 your account has been suspended", MEND, "account"),
    ("login", "525 5.7.13 Account disabled", MEND, "account"),
    ("mail", "550 5.7.60 SMTP; Client does not have permissions to send as this sender", MEND, "sender_refused"),
    ("mail", "553 5.7.1 <office@club.example>: Sender address rejected: not owned by user mia", MEND, "sender_refused"),
    ("mail", "530 5.7.0 Must issue a STARTTLS command first", MEND, "configuration"),
    ("mail", "501 5.1.7 Invalid address", MEND, "sender_refused"),
    ("mail", "550 5.1.1 user unknown", MEND, "sender_refused"),
    ("mail", "552 5.2.2 mailbox full", MEND, "account"),
    ("mail", "452 4.3.1 Insufficient system storage", LATER, "busy"),
    ("mail", "550 5.4.5 Daily SMTP relay limit exceeded for customer", LATER, "limit"),
    ("mail", "550 no", MEND, "sender_refused"),
    ("mail", "450 no", LATER, "busy"),
    # our own server, of one member's email
    ("rcpt", "554 5.7.1 <mia@x.example>: Relay access denied", MEND, "login_refused"),
    ("rcpt", "550 5.7.1 Relaying denied. Proper authentication required.", MEND, "login_refused"),
    ("rcpt", "550 5.1.8 <office@club.example>: Sender address rejected: Domain not found", MEND, "sender_refused"),
    ("rcpt", "550 5.7.1 Daily sending quota exceeded", LATER, "limit"),
    ("rcpt", "550 Domain club.example has exceeded the max emails per hour (200/200 (100%)) allowed", LATER, "limit"),
    ("rcpt", "452 4.5.3 Too many recipients", LATER, "limit"),
    ("rcpt", "421 4.3.2 System shutting down", LATER, "busy"),
    ("rcpt", "552 5.2.2 The email account that you tried to reach is over quota", MEMBER, "mailbox_full"),
    ("rcpt", "450 4.2.0 <mia@x.example>: Recipient address rejected: Greylisted", MEMBER, "asked_later"),
    ("rcpt", "550 5.1.1 <mia@x.example>: Recipient address rejected: User unknown", MEMBER, "no_such_mailbox"),
    ("rcpt", "550 no", MEMBER, ""),
    ("data", "550 5.4.5 Daily user sending quota exceeded. gsmtp", LATER, "limit"),
    ("data", "552 Message would take you over your relay quota of 500", LATER, "limit"),
    ("data", "451 4.3.0 later", LATER, "busy"),
    ("data", "554 5.6.0 Message content rejected", MEND, "content_refused"),
    ("data", "552 5.3.4 Message size exceeds fixed maximum message size", MEND, "content_refused"),
    ("data", "550 Your account is not allowed to send email", MEND, "account"),
    ("data", "554 5.7.1 no", MEND, "not_taken"),
    ("data", "550 5.1.1 no such user here", MEMBER, "no_such_mailbox"),
    ("rcpt", "550 5.7.1 <mia@x.example>: Recipient address rejected: daily quota exceeded", LATER, "limit"),
    ("data", "550 user has exceeded its hourly sending quota", LATER, "limit"),
    ("mail", "452 4.4.5 Insufficient disk space; try again later", LATER, "busy"),
    ("mail", "451 4.7.1 Sender quota exceeded, try later", LATER, "limit"),
    ("mail", "571 Relay not allowed for this account", MEND, "login_refused"),
    ("data", "554 rejected due to content", MEND, "content_refused"),
    ("rcpt", "550 SMTP AUTH is required for message submission on port 587", MEND, "login_refused"),
    # our own server tells what the member's said
    ("data", "550 host mx.x.example[192.0.2.7] said: 550 5.7.1 SPF check failed", MEMBER, "unwanted"),
    (
        "rcpt",
        "550 5.7.1 (host mx.x.example said: 554 5.7.1 blocked by Spamhaus (in reply to RCPT TO command))",
        MEMBER,
        "unwanted",
    ),
    ("rcpt", "550 Verification failed: callout: remote server said: relay not permitted", MEMBER, "no_such_mailbox"),
    # the member's server: no such address
    ("bounce", "550 5.4.310 DNS domain old.example does not exist", MEMBER, "no_such_mailbox"),
    ("bounce", "554 5.4.4 [internal] Domain Lookup Failed", MEMBER, "no_such_mailbox"),
    ("bounce", "550 5.7.1 Unable to relay", MEMBER, "no_such_mailbox"),
    ("bounce", "550 5.2.1 The email account that you tried to reach is disabled", MEMBER, "no_such_mailbox"),
    (
        "bounce",
        "554 30 Sorry, your message to mia@x.example cannot be delivered. This mailbox is disabled (554.30)",
        MEMBER,
        "no_such_mailbox",
    ),
    (
        "bounce",
        "556 5.1.10 <mia@x.example>: Recipient address rejected: Domain does not accept mail (nullMX)",
        MEMBER,
        "no_such_mailbox",
    ),
    ("bounce", "553 sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", MEMBER, "no_such_mailbox"),
    ("bounce", "550 Empfänger unbekannt", MEMBER, "no_such_mailbox"),
    ("bounce", "511 sorry, no mailbox here by that name (#5.1.1 - chkuser)", MEMBER, "no_such_mailbox"),
    ("bounce", "550 5.7.1 first 554 5.1.1 then", MEMBER, "no_such_mailbox"),
    # full
    ("bounce", "452-4.2.2 The recipient's inbox is out of storage space. OverQuotaTemp", MEMBER, "mailbox_full"),
    (
        "bounce",
        "554 5.2.2 STOREDRV.Deliver.Exception:QuotaExceededException; Failed to process message",
        MEMBER,
        "mailbox_full",
    ),
    ("bounce", "550 5.1.1 mailbox is full", MEMBER, "mailbox_full"),
    (
        "bounce",
        "552 1 Requested mail action aborted, mailbox not found: exceeded storage allocation",
        MEMBER,
        "mailbox_full",
    ),
    # takes certain senders only
    ("bounce", "550 5.7.124 SMTP; Sender not in allowed-senders list", MEMBER, "insiders_only"),
    ("bounce", "550 5.7.1 RESOLVER.RST.AuthRequired; authentication required", MEMBER, "insiders_only"),
    ("bounce", "550 5.7.1 This group only accepts messages from people in its organization", MEMBER, "insiders_only"),
    ("bounce", "550 5.7.1 You have been blocked by the recipient", MEMBER, "insiders_only"),
    ("bounce", "550 Sorry, external mail is not allowed to this list", MEMBER, "insiders_only"),
    # not reached
    ("bounce", "550 5.4.300 Message expired -> 451 4.4.1 connection refused", MEMBER, "gave_up"),
    ("bounce", "554 5.4.6 Hop count exceeded - possible mail loop", MEMBER, "gave_up"),
    ("bounce", "4.4.1 connection timed out", MEMBER, "gave_up"),
    ("bounce", "450 4.1.1 greylisted", MEMBER, "gave_up"),
    # about us
    (
        "bounce",
        "550 5.7.509 Access denied, sending domain club.example does not pass DMARC verification",
        MEMBER,
        "unwanted",
    ),
    ("bounce", "550 5.7.606 Access denied, banned sending IP [192.0.2.1]", MEMBER, "unwanted"),
    ("bounce", "550-5.7.1 [192.0.2.1] The IP you're using to send mail is not authorized", MEMBER, "unwanted"),
    ("bounce", "554 Your IP is listed in our RBL", MEMBER, "unwanted"),
    ("bounce", "550 5.7.25 The IP address sending this message does not have a PTR record setup", MEMBER, "unwanted"),
    ("bounce", "553 5.1.8 Domain of sender address office@club.example does not exist", MEMBER, "unwanted"),
    ("bounce", "554 5.6.0 virus found", MEMBER, "unwanted_content"),
    ("bounce", "552 5.3.4 message too large", MEMBER, "unwanted_content"),
    ("bounce", "553 5.7.2 [TSS09] All messages from 192.0.2.1 will be permanently deferred", MEMBER, "unwanted"),
    ("bounce", "550-Requested action not taken: mailbox unavailable 550 Reject due to SPF policy", MEMBER, "unwanted"),
    ("bounce", "554-Transaction failed 554-Reject due to policy restrictions.", MEMBER, "unwanted"),
    ("bounce", "550 High probability of spam", MEMBER, "unwanted"),
    ("bounce", "550 5.7.367 Remote server returned not permitted to relay", MEMBER, "no_such_mailbox"),
    (
        "bounce",
        "550 5.1.351 Remote server returned unknown recipient or mailbox unavailable",
        MEMBER,
        "no_such_mailbox",
    ),
    ("bounce", "550 Postfach des Empfängers ist voll", MEMBER, "mailbox_full"),
    # back from our own service
    ("bounce", "550 5.4.5 Daily user sending quota exceeded", MEMBER, "limit"),
    ("bounce", "550 5.1.90 Your message can't be sent because you've reached your daily limit", MEMBER, "limit"),
    ("bounce", "550 5.7.501 Access denied, spam abuse detected from your account suspended", MEMBER, "account"),
    # codes and words that are none
    ("bounce", "host mx10.antispam.mailspamprotection.com said: 550 5.1.1 User unknown", MEMBER, "no_such_mailbox"),
    ("bounce", "550 smtp;mx1.spam-filter.example: gone", MEMBER, ""),
    ("rcpt", "550 5.1.1 rejected by mx1.antispam.example: user unknown", MEMBER, "no_such_mailbox"),
    ("rcpt", "550 mx1.antispam.example refuses it", MEMBER, ""),
    ("bounce", "failed after 432 seconds", MEMBER, ""),
    ("bounce", "451 no", MEMBER, "gave_up"),
    ("bounce", "smtp; 451 no", MEMBER, "gave_up"),
    ("bounce", "host 5.1.1.1 said: 550 no", MEMBER, ""),
    ("bounce", "Exim 4.96.2 refused", MEMBER, ""),
    ("bounce", "550 <user.unknown@mailbox-full.example>, see https://spamhaus.example/mailbox-full", MEMBER, ""),
]
API = [
    (402, "", MEND, "account"),
    (402, "not enough credits", MEND, "account"),
    (429, "", LATER, "limit"),
    (408, "", LATER, "busy"),
    (425, "", LATER, "busy"),
    (401, '{"message": "Forbidden"}', MEND, "login_refused"),
    (401, "Maximum credits exceeded", LATER, "limit"),
    (403, "The from address does not match a verified Sender Identity.", MEND, "sender_refused"),
    (403, "Your account has been suspended", MEND, "account"),
    (420, "Exceed Sending Limit (daily)", LATER, "limit"),
    (400, "Daily sending quota exceeded", LATER, "limit"),
    (400, "'to' parameter is not a valid address", MEMBER, "invalid"),
    (422, "Invalid email address", MEMBER, "invalid"),
    (404, "Domain not found: club.example", MEND, "configuration"),
    (413, "", MEND, "content_refused"),
    (422, "Invalid `to` field. The email address needs to follow the `email@example.com` format.", MEMBER, "invalid"),
    (422, "Invalid `from` field. The email address needs to follow the format.", MEND, "sender_refused"),
    (400, "InvalidParameterValue Missing final '@domain'", MEMBER, "invalid"),
    (400, "InvalidParameterValue Local address contains control or whitespace", MEMBER, "invalid"),
    (400, "InvalidParameterValue Domain contains illegal character", MEMBER, "invalid"),
    (400, "InvalidParameterValue Domain starts with dot", MEMBER, "invalid"),
    (400, "InvalidParameterValue Illegal address", MEMBER, "invalid"),
    (422, "Invalid 'To' address: 'x'.", MEMBER, "invalid"),
    (422, '{"message": "The to.0.email must be a valid email address."}', MEMBER, "invalid"),
    (422, '{"message": "The from.email must be a valid email address."}', MEND, "sender_refused"),
    (500, '{"name": "Invalid_Key"}', MEND, "login_refused"),
    (500, "oops", LATER, "no_answer"),
    (502, "<html>your IP is blocked", LATER, "no_answer"),
    (400, "no", MEND, "not_taken"),
]


@pytest.mark.parametrize(("stage", "answer", "whose", "cause"), [*RIGHT, *FURTHER])
def test_answer_comes_to_what_it_is(stage, answer, whose, cause):
    found = read(answer, stage=STAGES[stage])

    assert (found.whose, found.cause.value) == (whose, Cause(cause).value)


@pytest.mark.parametrize(("status", "answer", "whose", "cause"), API)
def test_answer_of_an_api_comes_to_what_it_is(status, answer, whose, cause):
    found = read(answer, stage=Stage.API, reply=status)

    assert (found.whose, found.cause.value) == (whose, cause)


def test_every_handed_answer_has_its_right_value_here():
    over_smtp = [(row["stage"].lower(), row["answer"]) for row in HANDED if row["stage"].lower() in STAGES]
    api = [row["answer"] for row in HANDED if row["stage"] == "API"]

    assert [case[:2] for case in RIGHT] == [each for each in over_smtp if each[0] != "api"]
    assert api == ["402 and 429 and 408"]


@pytest.mark.parametrize(("stage", "answer", "whose", "cause"), [*RIGHT, *FURTHER])
def test_answer_ends_in_a_sentence_of_whoever_has_the_move(stage, answer, whose, cause):
    if stage == "bounce":
        event = DeliveryEvent(event_type="bounced", mta_response=answer)
        found = of_event(event)
    else:
        found = _row(read(answer, stage=STAGES[stage]), answer)

    expected = {MEND: {Move.ADMINISTRATOR}, LATER: {Move.NOBODY, Move.OFFICE}}.get(whose)
    told = words(found, name="Mia").text
    assert (found.outcome, found.cause) in TEXTS
    assert expected is None or move_of(found) in expected
    assert whose == MEMBER or ("Mia" not in told and "address does not exist" not in told)


def _row(reading, answer):
    """What stands on the row of a single email, after an attempt that was answered so."""
    gives_up = reading.whose == MEND or (reading.whose == MEMBER and not reading.is_for_now)
    state = EmailState.FAILED if gives_up else EmailState.QUEUED
    cause = reading.cause.value if reading.whose != MEMBER else ""
    code = f"smtp_{answer[:3]}"
    email = ResetEmail(state=state, attempts=1, result_code=code, result_text=answer[4:], result_cause=cause)
    return verdict_on(email, [], reports=False)


REASONS = [value for name, value in vars(RejectReason).items() if name.isupper()]
TYPES = [value for name, value in vars(EventType).items() if name.isupper()]


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("reason", ["", *REASONS])
def test_every_event_and_reason_of_anymail_ends_in_a_sentence_of_the_table(kind, reason):
    event = DeliveryEvent(event_type=kind, reject_reason=reason, happened_at=NOON)
    email = ResetEmail(state=EmailState.HANDED_OVER, attempts=1, result_code="sent", handed_over_at=NOON)

    found = verdict_on(email, [event], reports=True)

    assert words(found, name="Mia").text == str(TEXTS[text_of(found)]) % {"name": "Mia", "when": ""}
    assert move_of(found) in Move


def test_every_sentence_says_whose_move_it_is():
    for (outcome, cause), text in TEXTS.items():
        asks_admin = "administrator" in str(text)
        move = MOVES.get((outcome, cause), Move.OFFICE)
        assert asks_admin == (move == Move.ADMINISTRATOR), (outcome, cause)
    assert set(MOVES) <= set(TEXTS)


def rows_of_statuses():
    """The table of sentences, as docs/reference/statuses.md has to have it."""
    movers = {
        Move.NOBODY: "nobody’s",
        Move.MEMBER: "the member’s",
        Move.OFFICE: "the office’s",
        Move.ADMINISTRATOR: "the administrator’s",
    }
    for outcome, cause in sorted(TEXTS, key=lambda key: (list(Outcome).index(key[0]), list(Cause).index(key[1]))):
        text = str(TEXTS[outcome, cause]) % {"name": "Mia", "when": "…"}
        yield f"| {BADGES[outcome]} | {text} | {movers[MOVES.get((outcome, cause), Move.OFFICE)]} |"


def test_page_of_statuses_shows_whose_move_each_sentence_is():
    page = (Path(site.ROOT) / "docs" / "reference" / "statuses.md").read_text("utf-8")

    table = page.partition("| whose move |")[2].partition("\n\n")[0].splitlines()[2:]

    assert table == list(dict.fromkeys(rows_of_statuses()))


# Bad input


@given(st.text(max_size=300), st.sampled_from(Stage), st.one_of(st.none(), st.integers(-1, 999)))
def test_whatever_is_said_is_read(text, stage, reply):
    assert read(text, stage=stage, reply=reply).whose in Whose


@pytest.mark.parametrize(
    "text", ["<" + "@" * 100_000, "5.1.1 " * 20_000, "a\u0301" * 50_000, "said: " * 20_000, "5" * 65536]
)
def test_long_text_is_read_no_further_than_its_beginning(text):
    assert read(text, stage=Stage.BOUNCE) == read(text[:LONGEST_READ], stage=Stage.BOUNCE)


def test_phrases_are_written_as_texts_are_read():
    phrases = [phrase for listed in PHRASES.values() for phrase in listed]

    assert [
        each for each in phrases if each != each.lower() or not each.replace("…", "").replace(" ", "").isalnum()
    ] == []
    assert set(PHRASES) == set(Says)


def test_codes_that_contradict_their_words_are_outranked():
    assert read("550 5.1.1 mailbox is full", stage=Stage.BOUNCE).cause == Cause.MAILBOX_FULL
    assert read("552 5.2.2 user unknown", stage=Stage.BOUNCE).cause == Cause.NO_SUCH_MAILBOX


def test_number_that_is_no_reply_is_none():
    found = read("failed after 432 seconds: 550 5.1.1 user unknown", stage=Stage.BOUNCE)

    assert (found.cause, found.is_for_now) == (Cause.NO_SUCH_MAILBOX, False)


def test_every_cause_of_ours_has_its_sentence():
    for cause in NEEDS_MENDING:
        assert {(Outcome.FAILED, cause), (Outcome.RETRYING, cause)} <= set(TEXTS)


def test_what_is_not_certain_is_read_as_nothing():
    assert failures.classify(smtplib.SMTPDataError(-1, b"user unknown")).whose == Whose.MEMBER
