"""
What mail services post to a site's webhook, in the form that each of them documents.

`says(kind, …)` of a service gives the body, the content type and the headers of one report.
"""

import base64
import hashlib
import hmac
import itertools
import json

from example_site.inbox import reports

SECRET = "reporter:long random words"
MAILGUN_KEY = "mailgun-signing-key"
KEYS = {
    "WEBHOOK_SECRET": SECRET,
    "MAILGUN_WEBHOOK_SIGNING_KEY": MAILGUN_KEY,
    "MAILGUN_API_KEY": "key",
    "AMAZON_SES_AUTO_CONFIRM_SNS_SUBSCRIPTIONS": False,
}
UNKNOWN_USER = "550 5.1.1 The email account that you tried to reach does not exist"
OVER_QUOTA = "552 5.2.2 The email account that you tried to reach is over quota"
UNWANTED = "550 5.7.26 This mail has been blocked because the sender is unauthenticated"
GREYLISTED = "451 4.7.1 Greylisting in action, please come back later"
ANSWERS = {"no_mailbox": UNKNOWN_USER, "full": OVER_QUOTA, "unwanted": UNWANTED, "delayed": GREYLISTED}
NOW = 1795435200  # 2026-11-23, 12:00 UTC
_numbers = itertools.count(1)


def as_json(said, **headers):
    return json.dumps(said), "application/json", headers


def postmark(kind, *, recipient, message_id, metadata):
    said = reports.payload(kind, recipient=recipient, message_id=message_id, metadata=metadata)
    return as_json(said)


def mailgun(kind, *, recipient, message_id, metadata):
    token, moment = f"{next(_numbers):050}", str(NOW)
    signature = hmac.new(MAILGUN_KEY.encode(), f"{moment}{token}".encode(), hashlib.sha256).hexdigest()
    failed = {"event": "failed", "severity": "permanent", "reason": "bounce"}
    event = {
        "delivered": {"event": "delivered"},
        "delayed": {"event": "failed", "severity": "temporary", "reason": "generic"},
        "complained": {"event": "complained"},
        "opened": {"event": "opened"},
    }.get(kind, failed)
    status = (
        {"code": int(ANSWERS[kind][:3]), "message": ANSWERS[kind][4:], "description": ""} if kind in ANSWERS else {}
    )
    data = {
        **event,
        "id": f"event-{next(_numbers)}",
        "timestamp": NOW + 0.25,
        "recipient": recipient,
        "message": {"headers": {"message-id": message_id.strip("<>"), "to": recipient}},
        "user-variables": metadata,
        "tags": ["member-reset"],
        "delivery-status": status,
    }
    return as_json({"signature": {"token": token, "timestamp": moment, "signature": signature}, "event-data": data})


def amazon_ses(kind, *, recipient, message_id, metadata):
    headers = [{"name": "X-Metadata", "value": json.dumps(metadata)}, {"name": "X-Tag", "value": "member-reset"}]
    event = {
        "delivered": ("Delivery", {"recipients": [recipient], "smtpResponse": "250 2.6.0 Message received"}),
        "complained": ("Complaint", {"complainedRecipients": [{"emailAddress": recipient}]}),
        "opened": ("Open", {"userAgent": "Mozilla/5.0"}),
        "sent": ("Send", {}),
        "rejected": ("Reject", {"reason": "Bad content"}),
    }.get(kind)
    if event is None:
        bounced = [{"emailAddress": recipient, "status": "5.0.0", "diagnosticCode": f"smtp; {ANSWERS[kind]}"}]
        event = ("Bounce", {"bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": bounced})
    name, details = event
    mail = {"messageId": message_id, "destination": [recipient], "headers": headers}
    notification = {
        "Type": "Notification",
        "MessageId": f"sns-{next(_numbers)}",
        "TopicArn": "arn:aws:sns:eu-central-1:123456789012:reports",
        "Timestamp": "2026-11-23T12:00:00.000Z",
        "Message": json.dumps({"eventType": name, "mail": mail, name.lower(): details}),
    }
    # SNS says that its JSON is text.
    return (
        json.dumps(notification),
        "text/plain; charset=UTF-8",
        {
            "x-amz-sns-message-type": "Notification",
            "x-amz-sns-message-id": notification["MessageId"],
        },
    )


def sendgrid(kind, *, recipient, message_id, metadata):
    event = {
        "delivered": {"event": "delivered", "response": "250 OK"},
        "delayed": {"event": "deferred", "response": GREYLISTED, "attempt": "2"},
        "complained": {"event": "spamreport"},
        "opened": {"event": "open", "useragent": "Mozilla/5.0"},
        "queued": {"event": "processed"},
        "suppressed": {"event": "dropped", "reason": "Bounced Address"},
        "invalid": {"event": "dropped", "reason": "Invalid"},
        "unsubscribed": {"event": "dropped", "reason": "Unsubscribed Address"},
    }.get(kind) or {"event": "bounce", "type": "bounce", "status": ANSWERS[kind][4:9], "reason": ANSWERS[kind]}
    common = {
        "email": recipient,
        "timestamp": NOW,
        "sg_event_id": f"sg-{next(_numbers)}",
        "sg_message_id": "14c5d75ce93.dfd.64b469",
        "anymail_id": message_id,
        "category": ["member-reset"],
        **metadata,
    }
    return as_json([{**common, **event}])


def brevo(kind, *, recipient, message_id, metadata):
    event = {
        "delivered": {"event": "delivered"},
        "delayed": {"event": "deferred", "reason": GREYLISTED},
        "complained": {"event": "spam"},
        "opened": {"event": "unique_opened"},
        "queued": {"event": "request"},
        "blocked": {"event": "blocked", "reason": "blocked : due to blacklist user"},
        "failed": {"event": "error", "reason": "internal error"},
    }.get(kind) or {"event": "hard_bounce", "reason": ANSWERS[kind]}
    said = {
        **event,
        "email": recipient,
        "id": 26224,
        "ts_epoch": NOW * 1000,
        "message-id": message_id,
        "X-Mailin-custom": json.dumps(metadata),
        "tags": ["member-reset"],
    }
    return as_json(said)


def mailjet(kind, *, recipient, message_id, metadata):
    event = {
        "delivered": {"event": "sent", "smtp_reply": "sent (250 2.0.0 OK)"},
        "delayed": {"event": "bounce", "hard_bounce": False, "error_related_to": "domain", "error": "greylisted"},
        "complained": {"event": "spam", "source": "JMRPP"},
        "opened": {"event": "open", "agent": "Mozilla/5.0"},
        "spam_reporter": {"event": "blocked", "error_related_to": "recipient", "error": "spam reporter"},
        "typo": {"event": "blocked", "error_related_to": "domain", "error": "typofix"},
    }.get(kind) or {
        "event": "bounce",
        "hard_bounce": True,
        "blocked": False,
        "error_related_to": "recipient",
        "error": "user unknown",
        "smtp_reply": ANSWERS[kind],
    }
    # A bare number, as Mailjet has it: too long for a float.
    common = {"time": NOW, "MessageID": int(message_id), "email": recipient, "Payload": json.dumps(metadata)}
    return as_json([{**common, **event}])


def sparkpost(kind, *, recipient, message_id, metadata):
    group, event = {
        "delivered": ("message_event", {"type": "delivery"}),
        "delayed": ("message_event", {"type": "delay", "raw_reason": GREYLISTED, "bounce_class": "20"}),
        "complained": ("message_event", {"type": "spam_complaint", "fbtype": "abuse"}),
        "opened": ("track_event", {"type": "open"}),
        "queued": ("message_event", {"type": "injection"}),
        "no_mailbox": ("message_event", {"type": "bounce", "raw_reason": UNKNOWN_USER, "bounce_class": "10"}),
        "full": ("message_event", {"type": "bounce", "raw_reason": OVER_QUOTA, "bounce_class": "22"}),
        "unwanted": ("message_event", {"type": "bounce", "raw_reason": UNWANTED, "bounce_class": "50"}),
        "rejected": ("message_event", {"type": "policy_rejection", "raw_reason": "554 5.7.1 recipient suppressed"}),
    }[kind]
    common = {
        "event_id": f"sp-{next(_numbers)}",
        "timestamp": str(NOW),
        "raw_rcpt_to": recipient,
        "rcpt_to": recipient.lower(),
        "transmission_id": message_id,
        "campaign_id": "member-reset",
        "rcpt_meta": metadata,
    }
    return as_json([{"msys": {group: {**common, **event}}}])


def resend(kind, *, recipient, message_id, metadata):
    said = "The recipient's email provider sent a hard bounce message, which tells that the address cannot get mail."
    kinds = {
        "delivered": ("email.delivered", {}),
        "delayed": ("email.delivery_delayed", {}),
        "complained": ("email.complained", {}),
        "opened": ("email.opened", {}),
        "sent": ("email.sent", {}),
        "bounced": ("email.bounced", {"bounce": {"message": said}}),
        "full": ("email.bounced", {"bounce": {"message": "a bounce message because the recipient's inbox was full."}}),
    }
    name, details = kinds[kind]
    headers = [{"name": "X-Metadata", "value": json.dumps(metadata)}, {"name": "X-Tags", "value": '["member-reset"]'}]
    data = {"email_id": message_id, "to": [f"<{recipient}>"], "subject": "Choose", "headers": headers, **details}
    said = {"type": name, "created_at": "2026-11-23T12:00:00.000Z", "data": data}
    return as_json(said, **{"svix-id": f"msg_{next(_numbers)}"})


def authorization(secret=SECRET):
    return {"authorization": "Basic " + base64.b64encode(secret.encode()).decode()}
