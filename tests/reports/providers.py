"""
What mail services post to a site's webhook, in the form that each of them documents.

A builder gives what a service says of one mail: `SAYS["Brevo"]("delivered", recipient=…, message_id=…, metadata=…)`.
`quote` is what the other side quotes of the mail, or the link that was followed. `request` signs it as the service
does, and gives what Django's test client needs to post it.
"""

import base64
import hashlib
import hmac
import itertools
import json
from urllib.parse import urlencode

from anymail.backends.test import EmailBackend
from anymail.message import AnymailRecipientStatus

from example_site.inbox import reports

SECRET = "reporter:long random words"
KEY = "the key that a service signs with"
SETTINGS = {
    "WEBHOOK_SECRET": SECRET,
    "MAILGUN_WEBHOOK_SIGNING_KEY": KEY,
    "MAILGUN_API_KEY": "key",
    "MAILERSEND_SIGNING_SECRET": KEY,
    "MAILTRAP_TRACKING_SECRET": KEY,
    "MANDRILL_WEBHOOK_KEY": KEY,
    "UNISENDER_GO_API_KEY": KEY,
    "POSTAL_WEBHOOK_KEY": "needs a package to be checked",
    "AMAZON_SES_AUTO_CONFIRM_SNS_SUBSCRIPTIONS": False,
}
UNKNOWN_USER = "550 5.1.1 The email account that you tried to reach does not exist"
OVER_QUOTA = "552 5.2.2 The email account that you tried to reach is over quota"
UNWANTED = "550 5.7.26 This mail has been blocked because the sender is unauthenticated"
REFUSED = "550 Requested action not taken"
GREYLISTED = "451 4.7.1 Greylisting in action, please come back later"
ANSWERS = {
    "no_mailbox": UNKNOWN_USER,
    "full": OVER_QUOTA,
    "unwanted": UNWANTED,
    "no_code": REFUSED,
    "delayed": GREYLISTED,
}
NOON, WHEN = 1795435200, "2026-11-23T12:00:00.000Z"
BROWSER = "Mozilla/5.0"
_numbers = itertools.count(1)


class MailService(EmailBackend):
    """Takes every mail, under the name and with the message id of the service that a test sets."""

    message_id = ""

    def parse_recipient_status(self, response, payload, message):
        status = AnymailRecipientStatus(message_id=self.message_id or f"id-{next(_numbers)}", status="sent")
        return dict.fromkeys(payload.recipient_emails, status)


def answer(kind, quote):
    return f"{ANSWERS[kind]} {quote}".strip()


# https://postmarkapp.com/developer/webhooks/webhooks-overview
def postmark(kind, *, recipient, message_id, metadata, quote=""):
    if kind in reports.KINDS:
        said = reports.payload(kind, recipient=recipient, message_id=message_id, metadata=metadata)
        return {**said, "Details": f"{said.get('Details', '')} {quote}"}
    common = {"MessageID": message_id, "Metadata": metadata, "Tag": "member-reset", "MessageStream": "outbound"}
    if kind == "clicked":
        return {"RecordType": "Click", "Recipient": recipient, "ReceivedAt": WHEN, "OriginalLink": quote, **common}
    if kind in ("unsubscribed", "subscribed"):
        is_off = kind == "unsubscribed"
        change = {"SuppressSending": is_off, "SuppressionReason": "ManualSuppression" if is_off else None}
        return {"RecordType": "SubscriptionChange", "Recipient": recipient, "ChangedAt": WHEN, **change, **common}
    word = {
        "no_code": ("HardBounce", "smtp;550 Requested action not taken"),
        "invalid": ("BadEmailAddress", ""),
        "blocked": ("Blocked", ""),
        "deactivated": ("ManuallyDeactivated", ""),
        "failed": ("TemplateRenderingFailed", ""),
        "autoresponded": ("AutoResponder", ""),
        "unknown": ("Unknown", ""),
    }[kind]
    bounce = {"ID": next(_numbers), "Type": word[0], "Details": word[1], "Description": "", "BouncedAt": WHEN}
    return {"RecordType": "Bounce", "Email": recipient, **bounce, **common}


HELD_BACK = {
    "suppressed": ("suppress-bounce", "Not delivering to previously bounced address"),
    "unsubscribed_before": ("suppress-unsubscribe", "Not delivering to unsubscribed address"),
    "spam_before": ("suppress-complaint", "Not delivering to a user who marked your messages as spam"),
}


# https://documentation.mailgun.com/docs/mailgun/user-manual/webhooks/webhook-payloads
def mailgun(kind, *, recipient, message_id, metadata, quote=""):
    failed = {"event": "failed", "severity": "permanent", "reason": "bounce"}
    event = {
        "delayed": {"event": "failed", "severity": "temporary", "reason": "generic"},
        "rejected": {"event": "rejected", "reject": {"reason": "Sandbox subdomains are for test purposes only"}},
        "clicked": {"event": "clicked", "url": quote},
        **{name: {"event": name} for name in ("delivered", "complained", "opened", "unsubscribed")},
        "unknown": {"event": "stored"},
    }.get(kind, failed)
    status = {}
    if kind in HELD_BACK:
        word, text = HELD_BACK[kind]
        event, status = {**failed, "reason": word}, {"code": 605, "message": "", "description": text}
    if kind in ANSWERS:
        status = {"code": int(ANSWERS[kind][:3]), "message": answer(kind, quote)[4:], "description": ""}
    data = {
        **event,
        "id": f"event-{next(_numbers)}",
        "timestamp": NOON + 0.25,
        "recipient": recipient,
        "message": {"headers": {"message-id": message_id.strip("<>"), "to": recipient}},
        "user-variables": metadata,
        "tags": ["member-reset"],
        "delivery-status": status,
    }
    return {"signature": {"token": f"{next(_numbers):050}", "timestamp": str(NOON)}, "event-data": data}


# https://docs.aws.amazon.com/ses/latest/dg/event-publishing-retrieving-sns-contents.html
def amazon_ses(kind, *, recipient, message_id, metadata, quote=""):
    headers = [{"name": "X-Metadata", "value": json.dumps(metadata)}, {"name": "X-Tag", "value": "member-reset"}]
    event = {
        "delivered": ("Delivery", {"recipients": [recipient], "smtpResponse": "250 2.6.0 Message received"}),
        "complained": ("Complaint", {"complainedRecipients": [{"emailAddress": recipient}]}),
        "opened": ("Open", {"userAgent": BROWSER}),
        "clicked": ("Click", {"userAgent": BROWSER, "link": quote}),
        "sent": ("Send", {}),
        "rejected": ("Reject", {"reason": "Bad content"}),
        "delayed": ("DeliveryDelay", {"delayType": "TransientCommunicationFailure"}),
        "unknown": ("Subscription", {"contactList": "members"}),
    }.get(kind)
    if event is None:
        sub_type, code = "General", f"smtp; {answer(kind, quote)}" if kind in ANSWERS else ""
        if kind == "suppressed":
            sub_type, code = "OnAccountSuppressionList", "Amazon SES did not send the message to this address"
        bounced = [{"emailAddress": recipient, "status": "5.0.0", "diagnosticCode": code}]
        event = ("Bounce", {"bounceType": "Permanent", "bounceSubType": sub_type, "bouncedRecipients": bounced})
    name, details = event
    place = name[0].lower() + name[1:]
    mail = {"messageId": message_id, "destination": [recipient], "headers": headers}
    return {
        "Type": "Notification",
        "MessageId": f"sns-{next(_numbers)}",
        "TopicArn": "arn:aws:sns:eu-central-1:123456789012:reports",
        "Timestamp": WHEN,
        "Message": json.dumps({"eventType": name, "mail": mail, place: details}),
    }


# https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event
def sendgrid(kind, *, recipient, message_id, metadata, quote=""):
    event = {
        "delivered": {"event": "delivered", "response": "250 OK"},
        "delayed": {"event": "deferred", "response": GREYLISTED, "attempt": "2"},
        "complained": {"event": "spamreport"},
        "opened": {"event": "open", "useragent": BROWSER},
        "clicked": {"event": "click", "useragent": BROWSER, "url": quote},
        "queued": {"event": "processed"},
        "suppressed": {"event": "dropped", "reason": "Bounced Address"},
        "invalid": {"event": "dropped", "reason": "Invalid"},
        "unsubscribed_before": {"event": "dropped", "reason": "Unsubscribed Address"},
        "timed_out": {"event": "dropped", "type": "expired", "reason": "Expired"},
        "spam_before": {"event": "dropped", "reason": "Spam Reporting Address"},
        "unsubscribed": {"event": "group_unsubscribe", "asm_group_id": 10},
        "subscribed": {"event": "group_resubscribe", "asm_group_id": 10},
        "unknown": {"event": "account_status_change"},
    }.get(kind) or {"event": "bounce", "type": "bounce", "status": "5.0.0", "reason": answer(kind, quote)}
    common = {
        "email": recipient,
        "timestamp": NOON,
        "sg_event_id": f"sg-{next(_numbers)}",
        "sg_message_id": "14c5d75ce93.dfd.64b469",
        "anymail_id": message_id,
        "category": ["member-reset"],
        **metadata,
    }
    return [{**common, **event}]


# https://developers.brevo.com/docs/transactional-webhooks
def brevo(kind, *, recipient, message_id, metadata, quote=""):
    event = {
        "delivered": {"event": "delivered"},
        "delayed": {"event": "deferred", "reason": GREYLISTED},
        "complained": {"event": "spam"},
        "opened": {"event": "unique_opened"},
        "clicked": {"event": "click", "link": quote},
        "queued": {"event": "request"},
        "blocked": {"event": "blocked", "reason": "blocked : due to blacklist user"},
        "invalid": {"event": "invalid_email", "reason": "invalid email"},
        "soft": {"event": "soft_bounce", "reason": "undefined Unable to find MX of domain members.example"},
        "failed": {"event": "error", "reason": "internal error"},
        "unsubscribed": {"event": "unsubscribe"},
        "unknown": {"event": "brand_new"},
    }.get(kind) or {"event": "hard_bounce", "reason": answer(kind, quote)}
    return {
        **event,
        "email": recipient,
        "id": 26224,
        "ts_epoch": NOON * 1000,
        "message-id": message_id,
        "X-Mailin-custom": json.dumps(metadata),
        "tags": ["member-reset"],
    }


# https://dev.mailjet.com/email/guides/webhooks/
def mailjet(kind, *, recipient, message_id, metadata, quote=""):
    event = {
        "delivered": {"event": "sent", "smtp_reply": "sent (250 2.0.0 OK)"},
        "delayed": {"event": "bounce", "hard_bounce": False, "error_related_to": "domain", "error": "greylisted"},
        "complained": {"event": "spam", "source": "JMRPP"},
        "opened": {"event": "open", "agent": BROWSER},
        "clicked": {"event": "click", "agent": BROWSER, "url": quote},
        "unsubscribed": {"event": "unsub", "mj_list_id": 0},
        "spam_before": {"event": "blocked", "error_related_to": "recipient", "error": "spam reporter"},
        "invalid": {"event": "blocked", "error_related_to": "domain", "error": "typofix"},
        "blocked": {"event": "blocked", "error_related_to": "mailjet", "error": "preblocked"},
        "other": {"event": "blocked", "error_related_to": "mailjet", "error": "duplicate in campaign"},
        "unknown": {"event": "brand_new"},
    }.get(kind)
    if event is None:
        # Of a bounce Mailjet tells its own word for it. The mail server's answer comes as a mere comment, if at all.
        word = {"no_mailbox": "user unknown", "full": "quota exceeded", "unwanted": "policy issue", "no_code": "odd"}
        event = {"event": "bounce", "hard_bounce": True, "blocked": False, "error_related_to": "recipient"}
        event |= {"error": word[kind], "comment": answer(kind, quote)}
    # A bare number, as Mailjet has it: too long for a float.
    common = {"time": NOON, "MessageID": int(message_id), "email": recipient, "Payload": json.dumps(metadata)}
    return [{**common, **event}]


# https://developers.sparkpost.com/api/webhooks/
def sparkpost(kind, *, recipient, message_id, metadata, quote=""):
    group, event = {
        "delivered": ("message_event", {"type": "delivery"}),
        "delayed": ("message_event", {"type": "delay", "raw_reason": GREYLISTED, "bounce_class": "20"}),
        "complained": ("message_event", {"type": "spam_complaint", "fbtype": "abuse"}),
        "opened": ("track_event", {"type": "open"}),
        "clicked": ("track_event", {"type": "click", "target_link_url": quote}),
        "unsubscribed": ("unsubscribe_event", {"type": "list_unsubscribe"}),
        "queued": ("message_event", {"type": "injection"}),
        "no_mailbox": ("message_event", {"type": "bounce", "bounce_class": "10"}),
        "full": ("message_event", {"type": "bounce", "bounce_class": "22"}),
        "unwanted": ("message_event", {"type": "bounce", "bounce_class": "50"}),
        "no_code": ("message_event", {"type": "out_of_band", "bounce_class": "40"}),
        "suppressed": (
            "message_event",
            {
                "type": "bounce",
                "bounce_class": "25",
                "raw_reason": "554 5.7.1 recipient address was suppressed due to customer policy",
            },
        ),
        "timed_out": ("message_event", {"type": "bounce", "bounce_class": "24", "raw_reason": "[internal] timeout"}),
        "autoresponded": ("message_event", {"type": "bounce", "bounce_class": "60"}),
        "failed": ("gen_event", {"type": "generation_failure", "raw_reason": "[internal] Error while rendering"}),
        "unknown": ("track_event", {"type": "initial_open"}),
    }[kind]
    if event["type"] in ("bounce", "out_of_band") and kind in ANSWERS:
        event["raw_reason"] = answer(kind, quote)
    common = {
        "event_id": f"sp-{next(_numbers)}",
        "timestamp": str(NOON),
        "raw_rcpt_to": recipient,
        "rcpt_to": recipient.lower(),
        "transmission_id": message_id,
        "campaign_id": "member-reset",
        "rcpt_meta": metadata,
    }
    return [{"msys": {group: {**common, **event}}}]


# https://resend.com/docs/webhooks/event-types
def resend(kind, *, recipient, message_id, metadata, quote=""):
    said = "The recipient's email provider sent a hard bounce message, which tells that the address cannot get mail."
    kinds = {
        "delivered": ("email.delivered", {}),
        "delayed": ("email.delivery_delayed", {}),
        "complained": ("email.complained", {}),
        "opened": ("email.opened", {}),
        "clicked": ("email.clicked", {"click": {"link": quote, "userAgent": BROWSER}}),
        "sent": ("email.sent", {}),
        "no_code": ("email.bounced", {"bounce": {"message": f"{said} {quote}"}}),
        "full": ("email.bounced", {"bounce": {"message": "a bounce message because the recipient's inbox was full."}}),
        "suppressed": (
            "email.bounced",
            {"bounce": {"message": "Resend has suppressed sending to this address because of its suppression list."}},
        ),
        "unknown": ("email.scheduled", {}),
    }
    name, details = kinds[kind]
    headers = [{"name": "X-Metadata", "value": json.dumps(metadata)}, {"name": "X-Tags", "value": '["member-reset"]'}]
    data = {"email_id": message_id, "to": [f"<{recipient}>"], "subject": "Choose", "headers": headers, **details}
    return {"type": name, "created_at": WHEN, "data": data}


# https://developers.mailersend.com/api/v1/webhooks.html. It hands no metadata back, and no code of a mail server.
def mailersend(kind, *, recipient, message_id, metadata, quote=""):
    bounce = {"object": "recipient_bounce", "reason": f"Host or domain name not found {quote}"}
    name, morph = {
        "no_code": ("hard_bounced", bounce),
        "soft": ("soft_bounced", {"object": "recipient_bounce", "reason": "Unknown reason"}),
        "complained": ("spam_complaint", {"object": "spam_complaint", "reason": None}),
        "unsubscribed": ("unsubscribed", {"object": "recipient_unsubscribe", "readable_reason": "Too many emails"}),
        "clicked": ("clicked", {"object": "click", "url": quote}),
        "opened": ("opened", {"object": "open", "ip": "192.0.2.1"}),
        "unknown": ("survey_opened", None),
    }.get(kind, (kind, None))
    email = {"message": {"id": message_id}, "recipient": {"email": recipient}, "tags": ["member-reset"]}
    data = {"id": f"ms-{next(_numbers)}", "type": name, "created_at": WHEN, "email": email, "morph": morph}
    return {"type": f"activity.{name}", "data": data}


# https://docs.mailtrap.io/email-api-smtp/advanced/webhooks
def mailtrap(kind, *, recipient, message_id, metadata, quote=""):
    event = {
        "delivered": {"event": "delivery"},
        "delayed": {"event": "soft bounce", "response": f"soft bounce ({GREYLISTED})", "response_code": 451},
        "suspended": {"event": "suspension", "reason": "other"},
        "complained": {"event": "spam"},
        "opened": {"event": "open", "user_agent": BROWSER},
        "clicked": {"event": "click", "user_agent": BROWSER, "url": quote},
        "unsubscribed": {"event": "unsubscribe"},
        "rejected": {"event": "reject", "reason": "recipient is on the suppression list"},
        "unknown": {"event": "brand new"},
    }.get(kind) or {"event": "bounce", "response": f"bounced ({answer(kind, quote)})", "bounce_category": "hard"}
    common = {
        "email": recipient,
        "message_id": message_id,
        "event_id": f"mt-{next(_numbers)}",
        "timestamp": NOON,
        "sending_stream": "transactional",
        "category": "member-reset",
        "custom_variables": metadata,
    }
    return {"events": [{**common, **event}]}


# https://mailchimp.com/developer/transactional/docs/webhooks/
def mandrill(kind, *, recipient, message_id, metadata, quote=""):
    name = {
        "delayed": "deferral",
        "complained": "spam",
        "opened": "open",
        "clicked": "click",
        "unsubscribed": "unsub",
        "sent": "send",
        "rejected": "reject",
        "full": "soft_bounce",
        "delivered": "delivered",
        "unknown": "brand_new",
    }.get(kind, "hard_bounce")
    msg = {"_id": message_id, "email": recipient, "ts": NOON - 60, "tags": ["member-reset"], "metadata": metadata}
    if "bounce" in name:
        msg["diag"] = f"smtp;{answer(kind, quote)}"
    said = {"event": name, "_id": message_id, "ts": NOON, "msg": msg}
    return [{**said, "url": quote, "user_agent": BROWSER} if kind == "clicked" else said]


# https://godocs.unisender.ru/web-api-ref#callback-format
def unisender_go(kind, *, recipient, message_id, metadata, quote=""):
    word = {"no_mailbox": "user_unknown", "full": "mailbox_full", "unwanted": "blacklisted", "no_code": "lost"}
    status, delivery = kind, {}
    if kind in word:
        status = "hard_bounced"
        delivery = {"delivery_status": f"err_{word[kind]}", "destination_response": answer(kind, quote)}
    elif kind == "delayed":
        status = "soft_bounced"
        delivery = {"delivery_status": "err_will_retry", "destination_response": GREYLISTED}
    elif kind == "complained":
        status = "spam"
    data = {
        "job_id": "1a3Q2V-0000OZ-S0",
        "metadata": {**metadata, "anymail_id": message_id},
        "email": recipient,
        "status": status,
        "event_time": "2026-11-23 12:00:00",
        "delivery_info": delivery,
    }
    if kind == "clicked":
        data["url"] = quote
    event = {"event_name": "transactional_email_status", "event_data": data}
    return {"auth": KEY, "events_by_user": [{"user_id": 456, "events": [event]}]}


# https://docs.postalserver.io/developer/webhooks. It hands no metadata back, and its ids are numbers.
def postal(kind, *, recipient, message_id, metadata, quote=""):
    message = {"id": int(message_id), "direction": "outgoing", "to": recipient, "tag": "member-reset"}
    status = {"delivered": "Sent", "delayed": "SoftFail", "queued": "Held", "unknown": "Odd"}.get(kind, "HardFail")
    output = answer(kind, quote) if kind in ANSWERS else ""
    payload = {"message": message, "status": status, "details": "Said of the mail", "output": output}
    if kind == "clicked":
        payload = {"message": message, "url": quote, "user_agent": BROWSER}
    if kind == "bounced":
        notice = {"id": 233864, "direction": "incoming", "to": "bk87jw@psrp.postal.example"}
        payload = {"original_message": message, "bounce": notice}
    return {"event": "MessageSent", "timestamp": NOON + 0.25, "payload": payload, "uuid": f"po-{next(_numbers)}"}


SAYS = {
    "Postmark": postmark,
    "Mailgun": mailgun,
    "Amazon SES": amazon_ses,
    "SendGrid": sendgrid,
    "Brevo": brevo,
    "Mailjet": mailjet,
    "SparkPost": sparkpost,
    "Resend": resend,
    "MailerSend": mailersend,
    "Mailtrap": mailtrap,
    "Mandrill": mandrill,
    "Unisender Go": unisender_go,
}
# As each service gives them when it takes a mail; the others give some word.
MESSAGE_IDS = {"Mailgun": "<20261123.1.ABC@club.example>", "Mailjet": "1152921504606846976", "Postal": "1563"}
# Whose own ids are all that tells a mail.
WITHOUT_METADATA = {"MailerSend", "Postal"}
# Who sign what they post.
SIGNED = {"Mailgun", "MailerSend", "Mailtrap", "Mandrill", "Unisender Go"}


def request(service, said, *, path, secret=SECRET, key=KEY, cut=False):
    """What to give to the test client's `post`. `cut` leaves the second half away, which is signed nevertheless."""
    headers = {"svix-id": f"msg_{next(_numbers)}"} if service == "Resend" else {}
    if service == "Mailgun":
        signed = said["signature"]
        signed["signature"] = hexdigest(key, signed["timestamp"] + signed["token"])
    if service == "Amazon SES":
        headers = {"x-amz-sns-message-type": said["Type"], "x-amz-sns-message-id": said["MessageId"]}
    text = json.dumps(said)
    text = text[: len(text) // 2] if cut else text
    # SNS says that its JSON is text.
    content_type = "text/plain; charset=UTF-8" if service == "Amazon SES" else "application/json"
    if service == "Mandrill":
        address = f"http://{secret}@testserver{path}" if secret else f"http://testserver{path}"
        signed = hmac.new(key.encode(), f"{address}mandrill_events{text}".encode(), hashlib.sha1)
        headers = {"x-mandrill-signature": base64.b64encode(signed.digest()).decode()}
        text, content_type = urlencode({"mandrill_events": text}), "application/x-www-form-urlencoded"
    if service in ("MailerSend", "Mailtrap"):
        name = "signature" if service == "MailerSend" else "mailtrap-signature"
        headers = {name: hexdigest(key, text)}
    if service == "Unisender Go":
        text = text.replace(KEY, hashlib.md5(text.replace(KEY, key).encode()).hexdigest())
    if secret:
        headers["authorization"] = "Basic " + base64.b64encode(secret.encode()).decode()
    return {"path": path, "data": text, "content_type": content_type, "headers": headers}


def hexdigest(key, text):
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()
