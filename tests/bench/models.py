"""The table of the loop that is measured beside ours: what a site writes that does it by itself."""

from django.conf import settings
from django.db import models


class PlainReset(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE)
    token = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True)

    class Meta:
        app_label = "bench"

    def __str__(self):
        return f"Reset {self.pk}"
