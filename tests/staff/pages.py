"""Where the staff room's pages are, what a reader sees on them, and what must not have changed behind them."""

import html
import re

from django.contrib.auth import get_user_model
from django.urls import reverse
from wagtail.models import ModelLogEntry

from wagtail_member_reset.models import Mailing, PasswordReset, ResetEmail
from wagtail_member_reset.staff import mailing_start

FETCH = {"headers": {"x-requested-with": "XMLHttpRequest"}}
SENT = "Reset password email sent."
WELCOMED = "Account successfully created and reset password email sent."
LINK = re.compile(r"https?://[^\"<\s]+/account/r/[0-9a-z]{40}/?")


def edit_url(person):
    return reverse("wagtailusers_users:edit", args=[person.pk])


def url(name, person):
    return reverse(f"wagtail_member_reset_admin:{name}", args=[person.pk])


def start(client, mailing, data=None, **options):
    """Click "Send" on the preview of a draft as it is now."""
    now = Mailing.objects.get(pk=mailing.pk)
    address = reverse("wagtail_member_reset_admin:mailing_start", args=[mailing.pk])
    return client.post(address, {"seen": mailing_start.seen(now), **(data or {})}, **options)


def words(markup):
    """What a reader reads: no tags, no entities, single spaces."""
    text = re.sub(r"<(script|template|style)\b.*?</\1>", " ", markup, flags=re.DOTALL)
    text = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", text)))
    return re.sub(r" (?=[.,;)])|(?<=[(]) ", "", text).strip()


def without_fields(markup):
    """The page without the hidden fields that texts are copied from."""
    return re.sub(r"<textarea\b.*?</textarea>", "", markup, flags=re.DOTALL)


def panel_html(client, person):
    """The panel of the Settings tab, as the fetch gets it."""
    response = client.get(url("panel", person), **FETCH)
    assert response.status_code == 200
    return response.content.decode()


def panel_words(client, person):
    return words(panel_html(client, person))


def rows():
    """Every link, every mail and every account, whole."""
    queries = (PasswordReset.objects, ResetEmail.objects, get_user_model()._base_manager)
    return [list(query.order_by("pk").values()) for query in queries]


def history(person):
    """What the log holds of a person's resets, oldest first."""
    entries = ModelLogEntry.objects.filter(object_id=str(person.pk), action__startswith="wagtail_member_reset.")
    return [entry.action.partition(".")[2] for entry in entries.order_by("timestamp", "pk")]
