"""
What mail providers report of our mails, kept as facts.

Runs inside Anymail's webhook view, once for each report. It writes one row and does
nothing else: a report ends no link, stops no member and sends no mail.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Mapping
from datetime import datetime
from datetime import timezone as zones
from functools import partial
from typing import Any
from uuid import UUID

from anymail.signals import AnymailTrackingEvent, EventType, tracking
from django.db import transaction
from django.utils import timezone

from .. import db, redact
from ..accounts import address_key, same_address
from ..mailing import count
from ..models import DeliveryEvent, NeedsHelp, ResetEmail
from ..signals import delivery_changed
from . import services
from .addresses import note_report
from .counted import COUNTERS, counters_of
from .refusals import look_at_reports
from .services import METADATA
from .verdict import Verdict, verdict_on

logger = logging.getLogger("wagtail_member_reset")

# These say nothing that changes what became of the mail.
NOTES = {
    EventType.OPENED,
    EventType.CLICKED,
    EventType.AUTORESPONDED,
    EventType.SUBSCRIBED,
    EventType.UNKNOWN,
}
UNKNOWN = str(EventType.UNKNOWN)
# These are said once or twice of a mail, and each of them counts.
RESULTS = {
    EventType.DELIVERED,
    EventType.BOUNCED,
    EventType.REJECTED,
    EventType.FAILED,
    EventType.COMPLAINED,
    EventType.UNSUBSCRIBED,
}
ON_THE_WAY = {EventType.QUEUED, EventType.SENT, EventType.DEFERRED}
# A scanner may open a mail a thousand times; more of a kind than this tell nothing new.
MOST_OF_A_KIND = 20
LONGEST_TEXT = 500
# An address may come with a name.
LONGEST_RECIPIENT = 1000
PREFIX = re.compile(r"(?:rfc822|smtp|utf-8|mailto)[:;]\s*", re.IGNORECASE)
# What is read of a text at all, before it is cleaned and cut.
LONGEST_READ = 5000


def listen() -> None:
    tracking.connect(receive, dispatch_uid="wagtail_member_reset")


def receive(sender: object, event: AnymailTrackingEvent, esp_name: str, **kwargs: Any) -> None:
    """
    Keep what a provider reports. Never raises: the provider would send the same again for hours.

    What concerns no mail of ours is none of our business, and is passed over.
    """
    try:
        record(event, provider=str(esp_name))
    except Exception as error:
        # An error's text may quote the report, so only its kind is logged.
        logger.error("A delivery report of %s was not recorded: %s", esp_name, type(error).__name__)


def record(event: AnymailTrackingEvent, *, provider: str) -> bool:
    """Write the report down, unless it is there already or is about no mail of ours; whether it was written."""

    def attempt() -> ResetEmail | None:
        email = _email_of(event, provider)
        if email is not None and email.mailing_id is not None:
            return email if _counted(email, event, provider) else None
        return email if email is not None and _write(email, event, provider) else None

    email = db.retried(attempt)
    if email is None:
        logger.debug("A delivery report of %s brought nothing new.", provider)
        return False
    announce = partial(delivery_changed.send_robust, sender=ResetEmail, email=email)
    transaction.on_commit(announce, using=db.alias(), robust=True)
    return True


def _email_of(event: AnymailTrackingEvent, provider: str) -> ResetEmail | None:
    """
    The mail that a report is about: by our own id, else by the service's, and only with its recipient.

    Our own id travels with that one mail, so its recipient may stand there as some server has rewritten it.
    """
    public_id = _public_id(event.metadata)
    if public_id:
        found = ResetEmail.objects.filter(public_id=public_id)
    elif message_id := str(event.message_id or "")[:255]:
        found = ResetEmail.objects.filter(provider=provider, message_id=message_id)
    else:
        return None
    is_its = _may_be_to if public_id else _is_to
    return next((email for email in found[:MOST_OF_A_KIND] if is_its(email, event.recipient)), None)


def _public_id(metadata: object) -> UUID | None:
    if not isinstance(metadata, Mapping):
        return None
    try:
        return UUID(str(metadata.get(METADATA, "")))
    except ValueError:
        return None


def _is_to(email: ResetEmail, recipient: object) -> bool:
    return same_address(email.recipient, _bare(recipient))


def _may_be_to(email: ResetEmail, recipient: object) -> bool:
    """The same for an address that lost, or got, what mail servers take for an extension of it, or a host's name."""
    said = _bare(recipient)
    if same_address(email.recipient, said):
        return True
    (local, domain), (said_local, said_domain) = _parts(email.recipient), _parts(said)
    return bool(local) and local == said_local and (domain == said_domain or _is_within(domain, said_domain))


def _bare(recipient: object) -> str:
    """The address without what is written around it: `<mia@club.example>`, `rfc822;mia@club.example`."""
    if not isinstance(recipient, str) or len(recipient) > LONGEST_RECIPIENT:
        return ""
    _before, bracket, after = recipient.rpartition("<")
    found = after.partition(">")[0] if bracket else recipient
    return PREFIX.sub("", found.strip()).strip(" '\"")


def _parts(address: str) -> tuple[str, str]:
    local, _at, domain = address_key(address).rpartition("@")
    return local.strip("'\"").partition("+")[0], domain


def _is_within(domain: str, other: str) -> bool:
    return bool(domain and other) and (domain.endswith(f".{other}") or other.endswith(f".{domain}"))


def _counted(email: ResetEmail, event: AnymailTrackingEvent, provider: str) -> bool:
    """The same for a mail of a mailing, whose counters follow: one report at a time, so that each counts once."""
    now = ResetEmail.objects.select_for_update().filter(pk=email.pk).first()
    written = None if now is None else _write(email, event, provider)
    if now is None or written is None or email.mailing_id is None:
        return False
    told = list(email.events.all())
    before = counters_of(now, [each for each in told if each.pk != written.pk])
    after = counters_of(now, told)
    if before != after:
        changes: Any = {name: (name in after) - (name in before) for name in before | after}
        count(email.mailing_id, **changes)
    _keep_outcome(email, verdict_on(now, told, reports=True))
    look_at_reports(written)
    return True


def _keep_outcome(email: ResetEmail, verdict: Verdict) -> None:
    """Write on the email what it has come to, for the list of its mailing's members."""
    found = {"outcome": verdict.outcome.value, "cause": verdict.cause.value}
    if verdict.outcome in COUNTERS and found != {"outcome": email.outcome, "cause": email.cause}:
        ResetEmail.objects.filter(pk=email.pk).update(**found)


def _write(email: ResetEmail, event: AnymailTrackingEvent, provider: str) -> DeliveryEvent | None:
    """Keep the report; None where it is there already, or tells nothing."""
    kind = _kind(event, provider)
    if not kind:
        return None
    key = _key(kind, event)
    if kind not in RESULTS and email.events.filter(event_type=kind).exclude(key=key).count() >= MOST_OF_A_KIND:
        return None
    written, is_new = DeliveryEvent.objects.get_or_create(
        email=email,
        key=key,
        defaults={
            "event_type": kind,
            "reject_reason": _clean(event.reject_reason)[:32],
            "mta_response": _clean(event.mta_response),
            "description": _description(event, provider, kind),
            "provider": _clean(provider)[:64],
            "happened_at": _moment(event.timestamp),
        },
    )
    if not is_new:
        return None
    note_report(written)
    _have_looked_at(written)
    return written


def _have_looked_at(written: DeliveryEvent) -> None:
    """Have the list of who needs help follow a report that says something: a delivery, for who is listed already."""
    if written.event_type == EventType.DELIVERED:
        NeedsHelp.objects.look_again([written.email.member_id])
    elif written.event_type in RESULTS:
        NeedsHelp.objects.look_at([written.email.member_id])


def _kind(event: AnymailTrackingEvent, provider: str) -> str:
    """The event's type, in Anymail's words; empty for what is no report of a mail that was sent."""
    if event.event_type in (EventType.INBOUND, EventType.INBOUND_FAILED):
        return ""
    is_known = event.event_type in NOTES | RESULTS | ON_THE_WAY and event.event_type != EventType.UNKNOWN
    return str(event.event_type) if is_known else services.named(provider).kind_of(event.esp_event) or UNKNOWN


def _description(event: AnymailTrackingEvent, provider: str, kind: str) -> str:
    """What the service tells beside the mail server's answer: its own words for it first, where there are any."""
    told = _clean(event.description)
    if kind not in (EventType.BOUNCED, EventType.COMPLAINED):
        return told
    own = _clean(services.named(provider).word_in(event.esp_event))
    return _clean(": ".join(filter(None, (own if own not in told else "", told))))


def _key(kind: str, event: AnymailTrackingEvent) -> str:
    """The same for the same report: of the provider's own id, or else of all that it says."""
    if event.event_id:
        said = [kind, event.event_id]
    else:
        said = [kind, event.timestamp, event.reject_reason, event.mta_response, event.description]
    return hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()


def _moment(timestamp: object) -> datetime:
    """When it happened; a report without a time, or with one to come, happened when it came in."""
    now = timezone.now()
    if not isinstance(timestamp, datetime):
        return now
    if timezone.is_naive(timestamp):
        timestamp = timestamp.replace(tzinfo=zones.utc)
    if timezone.is_naive(now):  # the site keeps no time zones: USE_TZ is off
        timestamp = timezone.make_naive(timestamp, timezone.get_default_timezone())
    return min(timestamp, now)


def _clean(text: object) -> str:
    """One line of printable text, cut, with every token in it blanked out: mail servers quote mails."""
    words = str(text or "")[:LONGEST_READ]
    printable = "".join(c if c.isprintable() else " " for c in words.encode("utf-8", "replace").decode())
    return redact.blank_out_any(" ".join(printable.split()))[:LONGEST_TEXT]
