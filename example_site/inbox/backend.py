import uuid

from anymail.backends.test import EmailBackend
from django.utils import timezone

from .models import ReceivedEmail


class InboxBackend(EmailBackend):
    """Anymail's test backend, with the members' mailboxes behind it instead of a mail service."""

    esp_name = "Inbox"

    def get_esp_message_id(self, message):
        return message.inbox_message_id

    def post_to_esp(self, payload, message):
        message.inbox_message_id = uuid.uuid4().hex
        html = next((body for body, kind in message.alternatives if kind == "text/html"), "")
        for address in payload.recipient_emails:
            ReceivedEmail.objects.create(
                to=address,
                sender=message.from_email,
                subject=message.subject,
                text=message.body,
                html=html,
                headers=dict(message.extra_headers),
                message_id=message.inbox_message_id,
                received_at=timezone.now(),
            )
        return super().post_to_esp(payload, message)
