"""What the site's mail backend is, and what it can tell of a mail that it took."""

from __future__ import annotations

from django.urls import NoReverseMatch, reverse


def reports(provider: str) -> bool:
    """
    Whether delivery reports of this provider's mails can come in, so that silence means something.

    `provider` is the name on the mail's row: Anymail's name of the service, or "smtp".
    """
    slug = provider.lower().replace(" ", "_")
    if not slug:
        return False
    try:
        reverse(f"anymail:{slug}_tracking_webhook")
    except NoReverseMatch:
        return False
    return True
