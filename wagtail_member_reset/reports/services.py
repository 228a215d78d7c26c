"""
All that is known of mail services: one record for each, and what the site's own settings say of them.

The outbox asks here what to send along and what it may wait for, the webhook and the verdict how to read
a report, the system checks what to warn of. A service's new quirk is a change in its record.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from anymail.exceptions import AnymailConfigurationError, AnymailInsecureWebhookWarning
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.urls import NoReverseMatch, Resolver404, reverse
from django.utils.module_loading import import_string

from .. import paths
from ..conf import conf
from ..exceptions import SettingError
from .block_lists import BLOCK_LISTS, PAGES
from .service import (
    BOUNCED_BEFORE,
    MARKED_AS_SPAM,
    SUPPRESSED,
    UNSUBSCRIBED,
    MailService,
    Placeholders,
    first_sentence,
    first_word,
)

SMTP_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
# The key of a mail's public id in what travels with it, and in what a service hands back.
METADATA = "member_reset"
# Connect, greeting, EHLO, STARTTLS, handshake, EHLO, up to three for the login, MAIL, RCPT, DATA, the text, QUIT.
SMTP_REPLIES = 14
# What botocore makes by itself, unless it is configured otherwise.
BOTO_ATTEMPTS = 5
# Options of ours that services refuse.
NO_TRACKING_OPTIONS, NO_METADATA = frozenset({"track_clicks", "track_opens"}), frozenset({"metadata"})


# Amazon's client is boto3, which has its own time-outs and errors, and tries several times by itself.
def _boto_config(connection: Any) -> Any:
    return getattr(getattr(getattr(connection, "client", None), "meta", None), "config", None)


def _boto_timeout(connection: Any) -> Any:
    config = _boto_config(connection)
    return getattr(config, "connect_timeout", None), getattr(config, "read_timeout", None)


def _boto_attempts(connection: Any) -> int:
    """As many as it is configured to make; botocore counts the first in `total_max_attempts` alone."""
    retries = getattr(_boto_config(connection), "retries", None)
    retries = retries if isinstance(retries, Mapping) else {}
    total, more = retries.get("total_max_attempts"), retries.get("max_attempts")
    if isinstance(total, int):
        return max(total, 1)
    return max(more + 1, 1) if isinstance(more, int) else BOTO_ATTEMPTS


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


# https://support.sparkpost.com/docs/deliverability/bounce-classification-codes
SPARKPOST_CLASSES = {
    **dict.fromkeys(("1", "25", "30", "51", "80", "90", "100"), ""),
    "10": "invalid recipient",
    "20": "soft bounce",
    "21": "dns failure",
    "22": "soft bounce, mailbox full",
    "23": "soft bounce, message too large",
    "24": "soft bounce, timed out",
    "40": "soft bounce",
    "50": "blocked by the receiving server",
    "52": "spam content",
    "53": "prohibited attachment",
    "54": "relaying denied",
    "60": "automatic answer",
    "70": "soft bounce",
}

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
        held_back=(
            (re.compile(r"UnsubscribedRecipient"), "unsubscribed"),
            (re.compile(r"suppressed sending|suppression list|SuppressionList|: Suppressed"), "blocked"),
        ),
        status=_boto_status,
        timeout=_boto_timeout,
        attempts=_boto_attempts,
        own_words=(("complaint", "complaintSubType"),),
        own_kinds=(("eventType",), {"DeliveryDelay": "deferred"}),
        automatic_answer="Transient: General",
    ),
    MailService(
        name="Brevo",
        webhook="brevo",
        refuses=NO_TRACKING_OPTIONS,
        click_tracking="Brevo's settings for transactional emails, under tracking",
        own_words=(("event",),),  # "soft_bounce", which Anymail's event does not tell from a hard one
    ),
    MailService(
        name="MailerSend",
        webhook="mailersend",
        refuses=NO_METADATA,
        own_words=(("data", "type"),),
        own_kinds=(("data", "type"), {"deferred": "deferred"}),
    ),
    MailService(
        name="Mailgun",
        webhook="mailgun",
        placeholders=Placeholders(text="%recipient.NAME%", opener="%recipient"),
        held_back=(UNSUBSCRIBED, MARKED_AS_SPAM, BOUNCED_BEFORE),
    ),
    # "user unknown": Anymail keeps a reason that is the same for all that is wrong with an address.
    MailService(
        name="Mailjet",
        webhook="mailjet",
        own_words=(("hard_bounce",), ("error",), ("comment",)),
        words={"True": "", "False": "soft bounce"},
    ),
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
        own_words=(("event",), ("msg", "bounce_description")),  # "mailbox_full": Anymail keeps no reason at all
        own_kinds=(("event",), {"delivered": "delivered"}),
    ),
    MailService(
        name="Postal",
        webhook="postal",
        refuses=NO_TRACKING_OPTIONS | NO_METADATA,
        click_tracking="the settings of Postal's server, under tracking domains",
    ),
    # What it tells beside is the same for all bounces of a type, and names causes as examples.
    MailService(name="Postmark", webhook="postmark", own_words=(("Type",),), told=first_word),
    MailService(
        name="Resend",
        webhook="resend",
        refuses=NO_TRACKING_OPTIONS,
        click_tracking="Resend's settings of the domain, under click tracking and open tracking",
        held_back=(SUPPRESSED,),
        own_words=(("data", "bounce", "type"), ("data", "bounce", "subType")),
        own_kinds=(("type",), {"email.failed": "failed", "email.suppressed": "rejected"}),
        told=first_sentence,  # the next ones are advice
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
        own_words=(("type",),),
        words={"bounce": "", "blocked": "soft bounce"},  # its word for what may pass
    ),
    MailService(
        name="SparkPost",
        webhook="sparkpost",
        placeholders=Placeholders(text="{{NAME}}", html="{{{NAME}}}", opener="{{"),
        held_back=(SUPPRESSED,),
        own_words=(("msys", "*", "fbtype"), ("msys", "*", "bounce_class")),
        words=SPARKPOST_CLASSES,
    ),
    MailService(name="Unisender Go", webhook="unisender_go"),
]
SMTP = MailService(name="smtp", replies=SMTP_REPLIES)
SERVICES = {service.name: service for service in [*ANYMAILS, SMTP]}
SERVICES |= {name: replace(SERVICES[name], block_list=found) for name, found in BLOCK_LISTS.items()}
SERVICES |= {name: replace(SERVICES[name], block_page=page) for name, page in PAGES.items()}
# Brevo's former name, under which Anymail still has a backend and a webhook.
SERVICES["SendinBlue"] = replace(SERVICES["Brevo"], name="SendinBlue", webhook="sendinblue")
# Mail queues of a site's own, by where they are imported from. None tells more than that it has taken an email, and
# django-post-office says of each that it sent none (`send_messages` counts what has left already).
QUEUES = {
    module: MailService(name=name, queues=True, replies=SMTP_REPLIES)
    for module, name in {
        "post_office": "django-post-office",
        "mailer.backend": "django-mailer",
        "djcelery_email": "django-celery-email",
        "django_yubin": "django-yubin",
        "mailqueue": "django-mail-queue",
        "email_queue": "django-email-queue",
        "django_q_email": "django-q-email",
        "rq_email": "django-rq-email-backend",
    }.items()
}
SERVICES |= {service.name: service for service in QUEUES.values()}
# Any other backend. What it takes is tried out, and it may wait as often as SMTP does.
UNKNOWN = MailService(name="", replies=SMTP_REPLIES)


def named(provider: str) -> MailService:
    """The service of that name, as it stands on a mail's row; `UNKNOWN` for every other name."""
    return SERVICES.get(provider, UNKNOWN)


def of_connection(connection: Any) -> MailService:
    """The service behind a connection of a mail backend, or behind the backend's class; or the queue before it."""
    return _queue_of(connection) or named(name_of(connection))


def _queue_of(connection: Any) -> MailService | None:
    kind = connection if isinstance(connection, type) else type(connection)
    found = (f"{each.__module__}." for each in kind.__mro__)
    return next((queue for each in found for module, queue in QUEUES.items() if each.startswith(f"{module}.")), None)


def name_of(connection: Any) -> str:
    """What stands on the row of a mail that it took: Anymail's name of the service, or the backend's module, "smtp"."""
    if queue := _queue_of(connection):
        return queue.name
    kind = connection if isinstance(connection, type) else type(connection)
    return str(getattr(connection, "esp_name", "") or kind.__module__.rpartition(".")[2])[:64]


def default_backend() -> MailService:
    """The service behind the site's default mail backend."""
    try:
        return of_connection(import_string(backend_path()))
    except ImportError:  # sending says so
        return UNKNOWN


def backend_path() -> str:
    """The dotted path of the mail backend that sends our emails, from `MAILERS` or the older setting."""
    return str(_mailer().get("BACKEND", SMTP_BACKEND))


def _mailer() -> dict[str, Any]:
    if hasattr(settings, "MAILERS"):
        try:
            return dict(settings.MAILERS.get(conf.MAILER, {}))
        except SettingError:  # a check says so, and so does sending
            return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Django 6.1 warns of the older settings wherever they are read
        return {"BACKEND": settings.EMAIL_BACKEND}


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
            view: Any = paths.answering(path).func
            view.view_class(**view.view_initkwargs)
        except (AnymailConfigurationError, ImproperlyConfigured, ImportError, Resolver404, AttributeError):
            return False  # it answers nobody, or is none of Anymail's views
    return any(issubclass(found.category, AnymailInsecureWebhookWarning) for found in caught)
