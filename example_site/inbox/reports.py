"""
What a mail service would report of an email: real JSON, in the form that Postmark documents, posted to
Anymail's real webhook with its secret. Nothing else of the site is touched.
"""

import base64
import secrets

from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

WEBHOOK = "anymail:postmark_tracking_webhook"
KINDS = {
    "delivered": "Delivered",
    "delayed": "Delayed",
    "no_mailbox": "Bounced: no such mailbox",
    "full": "Bounced: mailbox full",
    "unwanted": "Bounced: refused as spam",
    "complained": "Marked as spam",
    "opened": "Opened",
}
BOUNCES = {
    "delayed": ("Transient", 2, "Message delayed", "smtp;451 4.7.1 Greylisting in action, please come back later"),
    "no_mailbox": (
        "HardBounce",
        1,
        "Hard bounce",
        "smtp;550 5.1.1 The email account that you tried to reach does not exist",
    ),
    "full": (
        "SoftBounce",
        4096,
        "Soft bounce",
        "smtp;552 5.2.2 The email account that you tried to reach is over quota",
    ),
    "unwanted": ("HardBounce", 1, "Hard bounce", "smtp;550 5.7.1 Message rejected as spam by content filtering"),
}
DESCRIPTIONS = {
    "delayed": "The server could not temporarily deliver your message.",
    "no_mailbox": "The server was unable to deliver your message.",
    "full": "Unable to temporarily deliver message.",
    "unwanted": "The server was unable to deliver your message.",
}


def payload(kind, *, recipient, message_id, metadata, at=None):
    """The JSON of one report. `kind` is one of `KINDS`; `at` is when it happened, now by default."""
    moment = (at or timezone.now()).isoformat().replace("+00:00", "Z")
    common = {
        "MessageID": message_id,
        "Tag": "member-reset",
        "Metadata": metadata,
        "MessageStream": "outbound",
        "ServerID": 23,
    }
    if kind == "delivered":
        details = "smtp;250 2.0.0 OK"
        return {"RecordType": "Delivery", "Recipient": recipient, "DeliveredAt": moment, "Details": details, **common}
    if kind == "opened":
        return {"RecordType": "Open", "Recipient": recipient, "ReceivedAt": moment, "FirstOpen": True, **common}
    bounce = {"ID": secrets.randbelow(10**9), "Email": recipient, "BouncedAt": moment, "Inactive": False, **common}
    if kind == "complained":
        return {"RecordType": "SpamComplaint", "Type": "SpamComplaint", "TypeCode": 512, **bounce}
    kind_there, code, name, details = BOUNCES[kind]
    described = {
        "Type": kind_there,
        "TypeCode": code,
        "Name": name,
        "Description": DESCRIPTIONS[kind],
        "Details": details,
    }
    return {"RecordType": "Bounce", **described, **bounce}


def post(said, *, secret=None):
    """Post a report as the mail service would, through the site's own URLs and middleware; the answer."""
    secret = settings.ANYMAIL["WEBHOOK_SECRET"] if secret is None else secret
    headers = {"authorization": "Basic " + base64.b64encode(secret.encode()).decode()} if secret else {}
    return Client().post(reverse(WEBHOOK), said, content_type="application/json", headers=headers)
