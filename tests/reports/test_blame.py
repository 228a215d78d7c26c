"""Whose matter an answer is, where its words could be said of the member and of us alike."""

import time

import pytest

from wagtail_member_reset.reports.answers import LONGEST_READ, Stage, Whose, read
from wagtail_member_reset.reports.causes import Cause

MEND, LATER, MEMBER = Whose.MEND, Whose.LATER, Whose.MEMBER
GONE = (MEMBER, Cause.NO_SUCH_MAILBOX)
UNWANTED = (MEMBER, Cause.UNWANTED)
OUR_SENDER = (MEND, Cause.SENDER_REFUSED)
OUR_ACCOUNT = (MEND, Cause.ACCOUNT)
OUR_LOGIN = (MEND, Cause.LOGIN_REFUSED)
OUR_CONTENT = (MEND, Cause.CONTENT_REFUSED)
OUR_LIMIT = (LATER, Cause.LIMIT)
FULL = (MEMBER, Cause.MAILBOX_FULL)
INSIDERS = (MEMBER, Cause.INSIDERS_ONLY)
GAVE_UP = (MEMBER, Cause.GAVE_UP)
INVALID = (MEMBER, Cause.INVALID)
SUPPRESSED = (MEMBER, Cause.BLOCKED)
ASKED_LATER = (MEMBER, Cause.ASKED_LATER)


def cases(stage, expected, *texts, reply=None):
    return [(stage, reply, text, expected) for text in texts]


CLOSED_ACCOUNTS = [
    *cases(
        Stage.BOUNCE,
        GONE,
        "550 5.2.1 This account is not active",
        "550 This account is not active",
        "554 5.7.1 ida: account has been suspended",
        "550 5.1.1 User's account suspended",
        "550 5.2.1 Mailbox disabled: subscription expired",
        "550 5.1.1 This account has been expired due to inactivity",
        "550 5.1.1 mailbox closed; account ida expired",
        "550 5.2.1 The email account is disabled. Contact your billing dept",
        "550 5.2.1 Account is suspended for unpaid fees",
        "550 5.1.1 <ida@x.example>: Compromised address retired",
        "550 Account expired",
        "550 The account of this user is suspended, pending approval",
        "550 Account blocked due to inactivity",
        "550 5.2.1 account deactivated by policy reasons",
        "550 5.1.1 Rejected: nonexistent user, too many invalid recipients",
        "550 5.1.1 ida: mail quota for user unlimited; no such user",
        "550 user is locked",
        "550 mailbox blocked",
        "550 This user's plan has expired",
        "550 your account is suspended",
        "550 5.7.1 Boite du destinataire archivee. Archived recipient. OFR_417 [417]",
        "550 5.1.1 no such user (Barracuda)",
        "550 5.1.1 SPF and spam checks passed, rejected",
        "550 5.1.10 recipient rejected by antivirus gateway, virus",
        "550 5.1.1 User credit union: closed",
    ),
    *cases(
        Stage.BOUNCE,
        UNWANTED,
        "550 #5.7.1 Your access to submit messages to this e-mail system has been rejected.",
    ),
    *cases(
        Stage.BOUNCE,
        (MEMBER, Cause.ACCOUNT),
        "550 Your account has been suspended from sending",
        "550 5.7.502 Access denied, banned sender",
        "550 Your account is disabled, outbound mail is refused",
    ),
]
OTHER_BOUNCES = [
    *cases(
        Stage.BOUNCE,
        GAVE_UP,
        "554 5.2.122 The recipient has exceeded their limit for the number of messages they can receive per hour",
        "550 The recipient has exceeded their limit for the number of messages they can receive per hour",
    ),
    *cases(
        Stage.BOUNCE,
        FULL,
        "452 4.2.2 Quota exceeded (mailbox for user is full), daily limit",
        "550 Benutzer hat das Speicherlimit überschritten",
        "552 5.2.2 spam folder included",
        "452 4.2.2 barracuda",
        "452 4.2.2 over the quota (outgoing mail is not meant)",
    ),
    *cases(
        Stage.BOUNCE,
        INSIDERS,
        "550 permission denied for this mailbox: not in allowed list",
        "550 recipient only accept from contacts",
    ),
    *cases(
        Stage.BOUNCE,
        UNWANTED,
        "550 black ip",
        "550 ip in prison",
        "554 IP=192.0.2.1 - A problem occurred. (Ask your postmaster for help or to contact tosa@rx.example)",
        "550 5.1.0 (ida@x.example:blocked)",
        "554 5.7.0 (ida@x.example:blocked)",
        "550 (ida@x.example:blocked)",
        "550 5.7.1 spam",
    ),
]
SERVICES = [
    *[
        case
        for status in (400, 422)
        for case in cases(
            Stage.API,
            OUR_SENDER,
            '{"message": "from parameter is not a valid address. please check documentation"}',
            '{"errors":[{"message":"The from email does not contain a valid address.","field":"from.email"}]}',
            '{"errors":[{"message":"Does not contain a valid address.","field":"from.email"}]}',
            '{"code":"invalid_parameter","message":"sender name or sender email is not valid"}',
            '{"Errors":[{"ErrorMessage":"\\"office\\" is an invalid email address.","ErrorRelatedTo":["From.Email"]}]}',
            '{"message": "Domain not found: club.example"}',
            "invalid email format for reply_to",
            "Invalid domain in reply-to address",
            "The from.email domain must be verified in your account to send emails. #MS42207",
            '"office@club.example" is not an authorized sender email address for your account.',
            "valid sender email required",
            "sender.email is invalid",
            "The reply_to.email must be a valid email address.",
            "Invalid `from` field. The email address needs to follow the `email@example.com` format",
            reply=status,
        )
    ],
    *cases(
        Stage.API,
        OUR_ACCOUNT,
        "Trial accounts can only send emails to the administrator's email. #MS42225",
        reply=422,
    ),
    *cases(
        Stage.API,
        INVALID,
        '{"message":"The to.0.email must be a valid email address.","errors":{"to.0.email":["The to.0.email"]}}',
        '{"Errors":[{"ErrorMessage":"\\"ida\\" is an invalid email address.","ErrorRelatedTo":["To[0].Email"]}]}',
        '{"errors":[{"message":"Does not contain a valid address.","field":"personalizations.0.to.0.email"}]}',
        "to parameter is not a valid address. please check documentation",
        "The `To` address is invalid",
        "recipient domain not found",
        reply=422,
    ),
    *cases(
        Stage.API,
        SUPPRESSED,
        '{"errors":[{"description":"recipient address was suppressed due to customer policy","code":"1902"}]}',
        '{"ErrorCode":406,"Message":"You tried to send to recipient(s) that have been marked as inactive. Found '
        "inactive addresses: ida. Inactive recipients are ones that have generated a hard bounce, a spam complaint, "
        'or a manual suppression."}',
        reply=422,
    ),
    *cases(Stage.API, (LATER, Cause.NO_ANSWER), "No such user", "mailbox not found", reply=500),
]
SUPPRESSED_OVER_SMTP = cases(
    Stage.DATA,
    SUPPRESSED,
    "554 Message rejected: Address is on the suppression list",
    "554 5.7.1 suppressed recipient",
)
OUR_QUOTAS = [
    *[
        case
        for stage in (Stage.RCPT, Stage.DATA)
        for case in cases(
            stage,
            OUR_LIMIT,
            "554 5.7.1 <ida@x.example>: Recipient address rejected: You have exceeded your Outmail quota",
            "450 4.7.1 <ida@x.example>: Recipient address rejected: Policy Rejection: Quota Exceeded",
            "550 5.7.1 you have reached your outgoing quota",
            "450 4.7.1 <office@club.example>: Sender address rejected: too many recipients per hour",
            "554 5.2.0 OutboundSpamException; verdict is not None. Actual verdict is RefuseQuota, ShowTierUpgrade",
        )
    ],
    *cases(Stage.MAIL, OUR_LIMIT, "450 4.7.1 <office@club.example>: Sender address rejected: too many emails per hour"),
]
OUR_RELAY = [
    *cases(Stage.MAIL, OUR_SENDER, "552 mail from invalid", "550 invalid mail from"),
    *cases(
        Stage.RCPT,
        OUR_LOGIN,
        "550-Please turn on SMTP Authentication in your mail client, or login to the IMAP/POP3 server before sending",
        "550-Please turn on SMTP Authentication in your mail client.",
        "553 relay check local fail",
    ),
    *[
        case
        for stage in (Stage.RCPT, Stage.DATA)
        for case in cases(
            stage,
            OUR_ACCOUNT,
            "550 5.7.1 User not allowed to send external emails",
            "550 5.7.1 You are not permitted to send to external recipients",
            "552 5.2.2 Your mailbox is full, delete mails before you send new ones",
        )
    ],
    *cases(
        Stage.DATA,
        OUR_CONTENT,
        "552 Requested mail action aborted: exceeded storage allocation",
        "552 Message size exceeds limit",
        "552 5.3.4 Message size exceeds limit for ida",
        "552 5.2.3 Message size exceeds limit of your quota",
    ),
    *cases(
        Stage.DATA,
        OUR_ACCOUNT,
        "554 5.2.0 STOREDRV.Submission.Exception:OutboundSpamException; Failed to process message due to a permanent "
        "exception with message WASCL UserAction verdict is not None. Actual verdict is Suspend, ShowTierUpgrade.",
        "554 5.7.1 [CSR] There has been an unusual amount of unsolicited email originating from your address",
    ),
    *cases(Stage.DATA, FULL, "552 5.2.2 mailbox full"),
    *cases(Stage.RCPT, FULL, "552 Requested mail action aborted: exceeded storage allocation"),
    *cases(Stage.RCPT, GONE, "550 5.1.1 User's account suspended", "450 4.1.1 <ida@x.example>: User unknown"),
]
NOT_YET_KNOWN = cases(
    Stage.RCPT,
    ASKED_LATER,
    "450 4.1.1 <ida@x.example>: Recipient address rejected: unverified address: Address verification in progress",
    "451 4.3.5 <ida@x.example>: Recipient address rejected: Server configuration problem",
    "450 4.1.1 <ida@x.example>: Recipient address rejected: unverified address: connect to mx.x.example: timed out",
    "450 4.1.1 <ida@x.example>: Recipient address rejected",
    "450 4.1.1 later",
)


def assert_read(stage, reply, text, expected):
    found = read(text, stage=stage, reply=reply)

    assert (found.whose, found.cause) == expected


BLAME = ("stage", "reply", "text", "expected")


@pytest.mark.parametrize(BLAME, CLOSED_ACCOUNTS)
def test_account_that_a_members_server_closed_is_the_members(stage, reply, text, expected):
    assert_read(stage, reply, text, expected)


@pytest.mark.parametrize(BLAME, OTHER_BOUNCES)
def test_bounce_is_read_by_its_phrases_before_its_lone_words(stage, reply, text, expected):
    assert_read(stage, reply, text, expected)


@pytest.mark.parametrize(BLAME, [*SERVICES, *SUPPRESSED_OVER_SMTP])
def test_service_that_refuses_an_address_says_whose(stage, reply, text, expected):
    assert_read(stage, reply, text, expected)


@pytest.mark.parametrize(BLAME, OUR_QUOTAS)
def test_quota_of_sending_is_ours(stage, reply, text, expected):
    assert_read(stage, reply, text, expected)


@pytest.mark.parametrize(BLAME, OUR_RELAY)
def test_relay_that_speaks_of_us_blames_no_member(stage, reply, text, expected):
    assert_read(stage, reply, text, expected)


@pytest.mark.parametrize(BLAME, NOT_YET_KNOWN)
def test_address_that_is_not_known_yet_is_not_called_missing(stage, reply, text, expected):
    found = read(text, stage=stage, reply=reply)

    assert (found.whose, found.cause, found.is_for_now) == (*expected, True)


# Bad input

HOSTILE = [
    "a ",
    "5.1.1 ",
    "550 ",
    "aB",
    "@",
    "\u0130",
    "account ",
    "mailbox account domain your sending ",
    "4.",
    "'",
    "_ ",
]


@pytest.mark.parametrize("part", HOSTILE)
@pytest.mark.parametrize("stage", list(Stage))
def test_hostile_text_is_read_in_no_time(part, stage):
    text = (part * LONGEST_READ)[:LONGEST_READ]
    times = []
    for _ in range(5):
        start = time.process_time()
        read(text, stage=stage, reply=550)
        times.append(time.process_time() - start)

    assert min(times) < 0.02
