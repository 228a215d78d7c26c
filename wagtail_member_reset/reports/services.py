"""
All that is known of mail services: one record for each, and what the site's own settings say of them.

The outbox asks here what to send along and what it may wait for, the webhook and the verdict how to read
a report, the system checks what to warn of. A service's new quirk is a change in its record.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from anymail.exceptions import AnymailConfigurationError, AnymailInsecureWebhookWarning
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.urls import NoReverseMatch, Resolver404, resolve, reverse
from django.utils.module_loading import import_string

SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
# The key of a mail's public id in what travels with it, and in what a service hands back.
METADATA = "member_reset"
# Connect, greeting, EHLO, STARTTLS, handshake, EHLO, up to three for the login, MAIL, RCPT, DATA, the text, QUIT.
SMTP_REPLIES = 14
# The connection and the answer: `requests` waits as long for the one as for the other.
API_REPLIES = 2
# Options of ours that services refuse.
NO_TRACKING_OPTIONS, NO_METADATA = frozenset({"track_clicks", "track_opens"}), frozenset({"metadata"})

# Words for a mail that the service itself held back, though it reports a bounce; with Anymail's word for why.
BOUNCED_BEFORE = (re.compile(r"previously bounced address", re.IGNORECASE), "bounced")
MARKED_AS_SPAM = (re.compile(r"marked your messages as spam", re.IGNORECASE), "spam")
UNSUBSCRIBED = (re.compile(r"unsubscribed address", re.IGNORECASE), "unsubscribed")
SUPPRESSED = (re.compile(r"suppressed sending|address (was )?suppressed|suppression list|SuppressionList"), "blocked")
HeldBack = tuple[tuple[re.Pattern[str], str], ...]
# Of a service that is not known to have its own. The most telling come first.
HELD_BACK: HeldBack = (UNSUBSCRIBED, MARKED_AS_SPAM, BOUNCED_BEFORE, SUPPRESSED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Placeholders:
    """How a service fills each member's values into one text for many."""

    text: str
    """A placeholder in the plain text and the subject, with NAME for the value's name."""

    html: str = ""
    """One in the HTML that is filled in as it is, where the service would else escape once more."""

    opener: str
    """What a text must not hold by itself, since the service would take it for a placeholder."""

    most: int = 1000
    """How many members one call takes."""

    extra: dict[str, Any] = field(default_factory=dict)
    """What Anymail's `esp_extra` has to say for these placeholders to be filled in."""

    def place(self, name: str, *, html: bool = False) -> str:
        """What stands in the text, or in the HTML, for a value."""
        return ((html and self.html) or self.text).replace("NAME", name)


def _status(error: Exception) -> int | None:
    return getattr(error, "status_code", None)


def _timeout(connection: Any) -> Any:
    return getattr(connection, "timeout", None)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailService:
    """What a mail service can do, what it calls things, and where it differs from what Anymail makes of it."""

    name: str
    """Anymail's name of the service, which stands on the mail's row; "smtp" for plain SMTP."""

    webhook: str = ""
    """Its slug in the name of Anymail's tracking view; empty where Anymail has none, so that nothing is reported."""

    refuses: frozenset[str] = frozenset()
    """Anymail's options that it does not take, of those that we would send along: a mail with one does not leave."""

    click_tracking: str = ""
    """Where to switch it off, if the service rewrites links as its own settings say, whatever a mail asks for."""

    placeholders: Placeholders | None = None
    """How it mails many with one call; None where it wants a template stored with it, or cannot do so at all."""

    held_back: HeldBack = HELD_BACK
    """Its words for a mail that it held back and reports as a bounce, with Anymail's reason; the first found speaks."""

    own_word: tuple[str, ...] = ()
    """The keys to its own word for a bounce, in the event as it posts it, where Anymail's event leaves that out."""

    status: Callable[[Exception], int | None] = _status
    """The HTTP status of a call that failed; None if there was no answer."""

    timeout_setting: str = 'ANYMAIL["REQUESTS_TIMEOUT"]'
    """What the setting is called that says how long to wait for it."""

    timeout: Callable[[Any], Any] = _timeout
    """How many seconds a connection to it waits for one reply, from the connection; None for ever."""

    replies: int = API_REPLIES
    """How often one mail may have to wait for it so long. Connecting counts, too."""

    def held_back_for(self, text: str) -> str:
        """Anymail's reason why the service held a mail back, if that is what the text says; else empty."""
        return next((reason for pattern, reason in self.held_back if pattern.search(text)), "")

    def word_in(self, event: object) -> object:
        """The service's own word for a bounce, from the event as it was posted; None if there is none."""
        if not self.own_word:
            return None
        for key in self.own_word:
            event = event.get(key) if isinstance(event, Mapping) else None
        return event

    def longest_wait(self, connection: Any) -> float | None:
        """How many seconds one mail over this connection may take; None where nothing ends the wait."""
        seconds = self.timeout(connection)
        pair = seconds if isinstance(seconds, tuple) else (seconds,)  # `requests` takes one for each of two waits
        return None if None in pair else self.replies * float(max(pair))


# Amazon's client is boto3, which has its own time-outs and errors, and tries five times by itself.
def _boto_timeout(connection: Any) -> Any:
    config = getattr(getattr(getattr(connection, "client", None), "meta", None), "config", None)
    seconds: Any = (getattr(config, "connect_timeout", None), getattr(config, "read_timeout", None))
    return None if None in seconds else max(seconds)


def _boto_status(error: Exception) -> int | None:
    """The status of Amazon's answer, which Anymail leaves in the response; what will pass by itself is a 429."""
    response = getattr(error, "response", None)
    if not isinstance(response, Mapping):
        return None
    code = str(response.get("Error", {}).get("Code", ""))
    if re.match(r"Thrott|RequestThrott|TooManyRequests|LimitExceeded|RequestLimitExceeded|SendingPaused", code):
        return 429
    if code.startswith("AccountSuspended"):
        return 403
    status: int | None = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status


# Which options each refuses is what Anymail's payloads do; the tests compare. How placeholders are written is what
# the services document of texts that come with the call: Mailgun "recipient variables", SendGrid "substitutions",
# SparkPost "template language", Mandrill "merge tags".
ANYMAILS = [
    MailService(
        name="Amazon SES",
        webhook="amazon_ses",
        refuses=NO_TRACKING_OPTIONS,
        click_tracking="the configuration set of SES, under event destinations: do not publish clicks and opens",
        # "Permanent: Suppressed" is Amazon's own list, "…: OnAccountSuppressionList" the account's.
        held_back=((re.compile(r"suppressed sending|suppression list|SuppressionList|: Suppressed"), "blocked"),),
        status=_boto_status,
        timeout_setting='"config" in ANYMAIL["AMAZON_SES_CLIENT_PARAMS"]',
        timeout=_boto_timeout,
        replies=5 * API_REPLIES,
    ),
    MailService(
        name="Brevo",
        webhook="brevo",
        refuses=NO_TRACKING_OPTIONS,
        click_tracking="Brevo's settings for transactional emails, under tracking",
    ),
    MailService(name="MailerSend", webhook="mailersend", refuses=NO_METADATA),
    MailService(
        name="Mailgun",
        webhook="mailgun",
        placeholders=Placeholders(text="%recipient.NAME%", opener="%recipient"),
        held_back=(UNSUBSCRIBED, MARKED_AS_SPAM, BOUNCED_BEFORE),
    ),
    # "user unknown": Anymail keeps a reason that is the same for all that is wrong with an address.
    MailService(name="Mailjet", webhook="mailjet", own_word=("error",)),
    MailService(
        name="Mailtrap",
        webhook="mailtrap",
        refuses=NO_TRACKING_OPTIONS,
        click_tracking="Mailtrap's settings of the sending domain, under tracking",
    ),
    MailService(
        name="Mandrill",
        webhook="mandrill",
        placeholders=Placeholders(text="*|NAME|*", opener="*|", extra={"message": {"merge_language": "mailchimp"}}),
        own_word=("msg", "bounce_description"),  # "mailbox_full": Anymail keeps no reason at all
    ),
    MailService(
        name="Postal",
        webhook="postal",
        refuses=NO_TRACKING_OPTIONS | NO_METADATA,
        click_tracking="the settings of Postal's server, under tracking domains",
    ),
    MailService(name="Postmark", webhook="postmark"),
    MailService(
        name="Resend",
        webhook="resend",
        refuses=NO_TRACKING_OPTIONS,
        click_tracking="Resend's settings of the domain, under click tracking and open tracking",
        held_back=(SUPPRESSED,),
    ),
    MailService(
        name="Scaleway",
        refuses=NO_TRACKING_OPTIONS,
        click_tracking="the settings of Scaleway's Transactional Email, if it offers tracking",
    ),
    MailService(
        name="SendGrid",
        webhook="sendgrid",
        placeholders=Placeholders(text="-NAME-", opener="-mr_", extra={"merge_field_format": "-{}-"}),
    ),
    MailService(
        name="SparkPost",
        webhook="sparkpost",
        placeholders=Placeholders(text="{{NAME}}", html="{{{NAME}}}", opener="{{"),
        held_back=(SUPPRESSED,),
    ),
    MailService(name="Unisender Go", webhook="unisender_go"),
]
SMTP = MailService(name="smtp", timeout_setting="EMAIL_TIMEOUT", replies=SMTP_REPLIES)
SERVICES = {service.name: service for service in [*ANYMAILS, SMTP]}
# Brevo's former name, under which Anymail still has a backend and a webhook.
SERVICES["SendinBlue"] = replace(SERVICES["Brevo"], name="SendinBlue", webhook="sendinblue")
# Any other backend. What it takes is tried out, and it may wait as often as SMTP does.
UNKNOWN = MailService(name="", timeout_setting="", replies=SMTP_REPLIES)


def named(provider: str) -> MailService:
    """The service of that name, as it stands on a mail's row; `UNKNOWN` for every other name."""
    return SERVICES.get(provider, UNKNOWN)


def of_connection(connection: Any) -> MailService:
    """The service behind a connection of a mail backend, or behind the backend's class."""
    return named(name_of(connection))


def name_of(connection: Any) -> str:
    """What stands on the row of a mail that it took: Anymail's name of the service, or the backend's module, "smtp"."""
    kind = connection if isinstance(connection, type) else type(connection)
    return str(getattr(connection, "esp_name", "") or kind.__module__.rpartition(".")[2])[:64]


def default_backend() -> MailService:
    """The service behind the site's default mail backend."""
    try:
        return of_connection(import_string(backend_path()))
    except ImportError:  # sending says so
        return UNKNOWN


def backend_path() -> str:
    """The dotted path of the site's default mail backend, from `MAILERS` or the older setting."""
    return str(_mailer().get("BACKEND", SMTP_BACKEND))


def timeout() -> Any:
    """How many seconds the default mailer waits for a server; None for ever."""
    return _mailer().get("OPTIONS", {}).get("timeout")


def _mailer() -> dict[str, Any]:
    if hasattr(settings, "MAILERS"):
        return dict(settings.MAILERS.get("default", {}))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Django 6.1 warns of the older settings wherever they are read
        return {"BACKEND": settings.EMAIL_BACKEND, "OPTIONS": {"timeout": settings.EMAIL_TIMEOUT}}


def reports(provider: str) -> bool:
    """Whether delivery reports of the provider's mails can come in, so that silence means something."""
    return bool(webhook(provider))


def webhook(provider: str) -> str:
    """The path of the service's tracking webhook, if Anymail has one and the site has routed it; else empty."""
    slug = named(provider).webhook
    try:
        return reverse(f"anymail:{slug}_tracking_webhook") if slug else ""
    except NoReverseMatch:
        return ""


def is_open_to_anybody(path: str) -> bool:
    """Whether reports posted there are believed without a secret or a signature, as Anymail itself judges."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            view: Any = resolve(path).func
            view.view_class(**view.view_initkwargs)
        except (AnymailConfigurationError, ImproperlyConfigured, ImportError, Resolver404, AttributeError):
            return False  # it answers nobody, or is none of Anymail's views
    return any(issubclass(found.category, AnymailInsecureWebhookWarning) for found in caught)
