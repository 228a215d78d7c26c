from django.db import models
from django.utils import timezone


class ReceivedEmail(models.Model):
    """
    A mail in a member's mailbox. The link is in it, as it is in any mailbox:
    this app plays the members, and is no part of the package.
    """

    to = models.CharField(max_length=320)
    sender = models.CharField(max_length=320)
    subject = models.CharField(max_length=998)
    text = models.TextField()
    html = models.TextField(blank=True)
    headers = models.JSONField(default=dict)
    metadata = models.JSONField(default=dict)
    message_id = models.CharField(max_length=255)
    received_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-received_at", "-pk"]

    def __str__(self):
        return f"{self.subject} → {self.to}"
