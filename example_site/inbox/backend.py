import uuid

from anymail.backends.test import EmailBackend
from anymail.message import AnymailRecipientStatus

from .models import ReceivedEmail

# Nobody lives there, so that a refusal can be seen without a mail server that refuses.
NOWHERE = "nowhere.example"


class InboxBackend(EmailBackend):
    """
    Anymail's test backend, with the members' mailboxes behind it instead of a mail service.

    It goes by the name of Postmark, so that reports in Postmark's form fit its mails: see `reports`.
    """

    esp_name = "Postmark"

    def get_esp_message_id(self, message):
        return message.inbox_message_id

    def post_to_esp(self, payload, message):
        message.inbox_message_id = str(uuid.uuid4())
        for address in payload.recipient_emails:
            if not is_nowhere(address):
                self.put(message, address)
        return super().post_to_esp(payload, message)

    def parse_recipient_status(self, response, payload, message):
        rejected = AnymailRecipientStatus(message_id=None, status="rejected")
        found = super().parse_recipient_status(response, payload, message)
        return {address: rejected if is_nowhere(address) else status for address, status in found.items()}

    def put(self, message, address):
        ReceivedEmail.objects.create(
            to=address,
            sender=message.from_email,
            subject=message.subject,
            text=message.body,
            html=next((body for body, kind in message.alternatives if kind == "text/html"), ""),
            headers={name: str(value) for name, value in message.extra_headers.items()},
            metadata=getattr(message, "metadata", {}),
            message_id=message.inbox_message_id,
        )


def is_nowhere(address):
    return address.casefold().endswith(f"@{NOWHERE}")
